//! Runs the program as an operator does, and collects what it said and left behind.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::cluster::Cluster;

/// No run may take longer, whatever happens to the cluster meanwhile.
const LIMIT: Duration = Duration::from_secs(150);

/// Returns the number in an environment variable: how long a test goes on.
pub(super) fn number(variable: &str, default: u32) -> u32 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |number| number.parse().expect("a number"))
}

/// The program with a home of its own.
pub(super) struct Program {
    home: TempDir,
    /// How long it waits for writers, where not as long as it does by itself.
    drain: Option<&'static str>,
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A run that goes on, told as NDJSON.
pub(super) struct Running {
    process: Child,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: std::thread::JoinHandle<String>,
    heard: String,
    began: Instant,
}

impl Program {
    /// One that does not wait for writers before it creates a class again: there are none.
    pub(super) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("runbook-live-").tempdir().unwrap();
        Self { home, drain: Some("0") }
    }

    /// One that waits for writers, as it does by itself.
    pub(super) fn patient() -> Self {
        Self { drain: None, ..Self::new() }
    }

    /// Where it keeps its runs; also the folder that it runs in.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs `config-replication.rhai` on a class to the end, without a terminal.
    pub(super) fn repair(&self, cluster: &Cluster, class: &str, more: &[&str]) -> Finished {
        Self::finish(self.command(cluster, class, more))
    }

    /// Goes on with the newest run that did not end (`resume`), or undoes the newest (`rollback`).
    pub(super) fn go_on(&self, what: &str) -> Finished {
        let mut command = self.bare();
        command.args([what, "--yes"]);
        Self::finish(command)
    }

    /// Starts `resume` of the newest run that did not end.
    pub(super) fn start_again(&self, what: &str) -> Running {
        running(self.bare().args([what, "--yes", "--output", "ndjson"]))
    }

    /// Runs a command that the program told.
    pub(super) fn run_line(&self, line: &str) -> Finished {
        let words = line.split(' ').skip(1).map(|word| word.trim_matches('\''));
        let mut command = self.bare();
        running(command.args(words).args(["--yes", "--output", "ndjson"])).finish()
    }

    /// Starts the repair of a class; its output goes nowhere.
    pub(super) fn spawn(&self, cluster: &Cluster, class: &str) -> Child {
        self.command(cluster, class, &["--yes"]).spawn().unwrap()
    }

    fn finish(mut command: Command) -> Finished {
        let child = command.spawn().unwrap();
        let began = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(began.elapsed() < LIMIT, "took {:?}", began.elapsed());
        Finished {
            code: output.status.code().expect("ended by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs any runbook on the nodes by their names to the end with `--yes`, told as NDJSON.
    pub(super) fn run(&self, cluster: &Cluster, runbook: &str, more: &[&str]) -> Finished {
        let mut command = self.command_of(cluster, runbook, more);
        running(command.args(["--yes", "--output", "ndjson"])).finish()
    }

    /// Starts any runbook with `--yes`, so that something can be done to the cluster meanwhile.
    pub(super) fn start_any(&self, cluster: &Cluster, runbook: &str, more: &[&str]) -> Running {
        running(self.command_of(cluster, runbook, more).args(["--yes", "--output", "ndjson"]))
    }

    /// Starts `config-replication.rhai` in the same way.
    pub(super) fn start(&self, cluster: &Cluster, class: &str) -> Running {
        running(&mut self.command(cluster, class, &["--yes", "--output", "ndjson"]))
    }

    /// The journal of the latest run.
    pub(super) fn journal(&self) -> Vec<Value> {
        let runs = fs::read_dir(self.home.path().join("runs")).unwrap();
        let latest = runs.map(|entry| entry.unwrap().path()).max_by_key(|path| {
            fs::metadata(path.join("journal.ndjson")).and_then(|it| it.modified()).unwrap()
        });
        let text = fs::read_to_string(latest.unwrap().join("journal.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Whether the latest run sent any change.
    pub(super) fn changed_anything(&self) -> bool {
        self.journal().iter().any(|record| record["event"] == "change_intended")
    }

    /// The backups of a class's schema, of all runs.
    pub(super) fn backups(&self, class: &str) -> Vec<PathBuf> {
        let runs = fs::read_dir(self.home.path().join("runs")).unwrap();
        let file = format!("backups/{class}.schema.json");
        runs.map(|run| run.unwrap().path().join(&file)).filter(|path| path.exists()).collect()
    }

    fn command(&self, cluster: &Cluster, class: &str, more: &[&str]) -> Command {
        let mut command = self.bare();
        command.args(["run", "config-replication.rhai", "--set", "factor=3"]);
        command.args(["--set", &format!("class={class}")]);
        for url in cluster.urls() {
            command.args(["--node", &url]);
        }
        command.args(more);
        command
    }

    fn command_of(&self, cluster: &Cluster, runbook: &str, more: &[&str]) -> Command {
        let mut command = self.bare();
        command.args(["run", runbook]);
        for (node, url) in cluster.urls().iter().enumerate() {
            command.args(["--node", &format!("node{}={url}", node + 1)]);
        }
        command.args(more);
        command
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elysia-runbook"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("ELYSIA_RUNBOOK_HOME", self.home.path())
            .envs(self.drain.map(|seconds| ("ELYSIA_RUNBOOK_DRAIN", seconds)))
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Starts a command whose output is NDJSON.
fn running(command: &mut Command) -> Running {
    let mut process = command.spawn().unwrap();
    let mut stderr = process.stderr.take().unwrap();
    Running {
        stdout: BufReader::new(process.stdout.take().unwrap()),
        stderr: std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        }),
        process,
        heard: String::new(),
        began: Instant::now(),
    }
}

impl Finished {
    /// The commands that the run ended with, for a person to run.
    pub(super) fn commands(&self) -> Vec<String> {
        let last: Value = serde_json::from_str(self.stdout.lines().last().unwrap()).unwrap();
        let commands = last["commands"].as_array().into_iter().flatten();
        commands.map(|command| command.as_str().unwrap().to_owned()).collect()
    }

    /// Checks the exit code, and shows everything where it is another one.
    #[track_caller]
    pub(super) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that each of these was said, on whichever stream.
    #[track_caller]
    pub(super) fn says(self, words: &[&str]) -> Self {
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "`{word}` is missing in\n{}\n{}", self.stdout, self.stderr);
        }
        self
    }
}

impl Running {
    /// Waits until the run is about to make a change of this kind to exactly this class.
    pub(super) fn wait_for_change(&mut self, kind: &str, class: &str) {
        self.wait_for(&format!("`{kind}` of {class}"), |event| {
            let action = &event["action"];
            event["event"] == "change_intended"
                && action["kind"] == kind
                && action["class"] == class
        });
    }

    /// Waits until the run begins the step of this number.
    pub(super) fn wait_for_step(&mut self, step: u64) {
        self.wait_for(&format!("step {step}"), |event| {
            event["event"] == "step_started" && event["step"] == step
        });
    }

    /// Waits until the run has told that it is `doing` something with so many objects.
    pub(super) fn wait_for_progress(&mut self, doing: &str, objects: u64) {
        self.wait_for(doing, |event| {
            event["event"] == "progress"
                && event["doing"] == doing
                && event["done"].as_u64().is_some_and(|done| done >= objects)
        });
    }

    /// Waits until the run checks something.
    pub(super) fn wait_for_check(&mut self) {
        self.wait_for("a check", |event| event["event"] == "check");
    }

    fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) {
        loop {
            let mut line = String::new();
            let length = self.stdout.read_line(&mut line).unwrap();
            assert!(length > 0, "the run ended before {what}:\n{}", self.heard);
            self.heard.push_str(&line);
            if is_it(&serde_json::from_str(&line).unwrap()) {
                return;
            }
        }
    }

    /// Kills it, and tells whether it had not ended before.
    pub(super) fn kill(mut self) -> bool {
        self.process.kill().unwrap();
        self.process.wait().unwrap().code().is_none()
    }

    /// Waits for the end.
    pub(super) fn finish(mut self) -> Finished {
        self.stdout.read_to_string(&mut self.heard).unwrap();
        let status = self.process.wait().unwrap();
        assert!(self.began.elapsed() < LIMIT, "took {:?}:\n{}", self.began.elapsed(), self.heard);
        Finished {
            code: status.code().expect("ended by a signal"),
            stdout: self.heard,
            stderr: self.stderr.join().unwrap(),
        }
    }
}
