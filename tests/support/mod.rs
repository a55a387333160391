//! Running the program as its users do, and comparing everything that it says.
//!
//! `SNAPSHOTS=overwrite cargo test` writes the goldens anew.

#![allow(dead_code, reason = "not every test binary uses every helper")]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(unreachable_pub, reason = "shared by several test binaries")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use elysia_runbook::sandbox::{Fault, Sandbox, Scenario};
use tempfile::TempDir;

/// A sandbox, and a home for the runs on it.
pub struct Stage {
    pub sandbox: Sandbox,
    pub home: TempDir,
    runtime: tokio::runtime::Runtime,
    extra: Vec<String>,
}

/// What a run said and how it ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Stage {
    pub fn new(scenario: Scenario) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime.block_on(Sandbox::start(scenario)).unwrap();
        let home = TempDir::new().unwrap();
        let stage = Self { sandbox, home, runtime, extra: vec![] };
        // Short waits, so that faults that have to be waited for do not hold up the tests.
        stage.waits(1);
        stage
    }

    /// Waits longer for answers: for what is slow without being at fault.
    pub fn patient(self) -> Self {
        self.waits(60);
        self
    }

    fn waits(&self, seconds: usize) {
        let nodes: Vec<_> = self.nodes().iter().map(|node| format!("{node:?}")).collect();
        let config = format!(
            "[clusters.stage]\nnodes = [{}]\nanswer_timeout_seconds = {seconds}\ndrain_seconds = 0\n",
            nodes.join(", ")
        );
        std::fs::write(self.home.path().join("elysia-runbook.toml"), config).unwrap();
    }

    /// Lets requests go wrong: see `Fault`.
    pub fn fault(self, spec: &str) -> Self {
        self.sandbox.inject(spec.parse::<Fault>().unwrap());
        self
    }

    /// Adds arguments to every run.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.extra.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Returns `NAME=URL` of each node.
    pub fn nodes(&self) -> Vec<String> {
        self.sandbox.nodes().iter().map(|(name, url)| format!("{name}={url}")).collect()
    }

    /// Runs the shipped repair with `--yes`.
    pub fn repair(&self, arguments: &[&str]) -> Ended {
        let mut all = vec!["run", "config-replication", "--yes"];
        all.extend(arguments);
        self.run(&all)
    }

    /// Runs the program on this stage.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(self.command(arguments).output().unwrap())
    }

    /// Runs the program without naming the cluster.
    pub fn run_bare(&self, arguments: &[&str]) -> Ended {
        let mut command = program(self.home.path());
        self.ended(command.args(arguments).output().unwrap())
    }

    /// Starts the program on this stage.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Returns what a started program said, with everything that differs between runs replaced.
    pub fn ended(&self, output: Output) -> Ended {
        let mut replace: Vec<(String, String)> = vec![];
        for (name, url) in self.sandbox.nodes() {
            replace.push((url, format!("http://{name}")));
        }
        replace.push((self.home.path().display().to_string(), "$HOME".into()));
        ended(output, &replace)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command.args(arguments).args(&self.extra).args(["--cluster", "stage"]);
        command
    }

    /// Returns the changes that the cluster was asked for, in order; those of all shards of a class,
    /// whose names are drawn, as one.
    pub fn changes(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        let changes = requests.iter().filter(|request| request.changes());
        let mut changes: Vec<String> = changes
            .map(|r| match r.path_and_query.split_once("/shards/") {
                Some((class, _)) => format!("{} {class}/shards/*", r.method),
                None => format!("{} {}", r.method, r.path_and_query),
            })
            .collect();
        changes.dedup();
        changes
    }

    /// Returns the factor of the class in each node's own schema.
    pub fn factors(&self, class: &str) -> Vec<Option<u64>> {
        self.sandbox.nodes().iter().map(|(node, _)| self.sandbox.factor(node, class)).collect()
    }

    /// Returns the fewest replicas that a shard of the class really has.
    pub fn fewest_replicas(&self, class: &str) -> usize {
        self.sandbox.replicas(class).values().map(Vec::len).min().unwrap_or(0)
    }

    /// Returns the folder of the only run.
    pub fn run_folder(&self) -> PathBuf {
        let mut runs = self.runs();
        assert_eq!(runs.len(), 1, "one run");
        runs.remove(0)
    }

    /// Returns the newest run's id; `None` where none has begun.
    pub fn newest_run(&self) -> Option<String> {
        Some(self.runs().pop()?.file_name()?.to_string_lossy().into_owned())
    }

    /// Returns the folders of the runs, oldest first.
    fn runs(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.home.path().join("runs"));
        let mut runs: Vec<_> = folder.into_iter().flatten().map(|it| it.unwrap().path()).collect();
        runs.sort();
        runs
    }

    /// Sends a request of the test's own.
    pub fn post(&self, path: &str, body: &serde_json::Value) {
        let (status, body) = self.try_post(path, body);
        assert!(status.is_success(), "{status} {body}");
    }

    /// Sends a request of the test's own, which may be refused.
    pub fn try_post(&self, path: &str, body: &serde_json::Value) -> (reqwest::StatusCode, String) {
        let url = format!("{}{path}", self.sandbox.nodes()[0].1);
        self.runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let answer = reqwest::Client::new().post(url).json(body).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        })
    }
}

impl Stage {
    /// Deletes something as the test, not as the program.
    pub fn delete(&self, path: &str) {
        let url = format!("{}{path}", self.sandbox.nodes()[0].1);
        let status = self.runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::new().delete(url).send().await.unwrap().status()
        });
        assert!(status.is_success(), "{status}");
    }

    /// Changes something as the test.
    pub fn put(&self, path: &str, body: &serde_json::Value) {
        let url = format!("{}{path}", self.sandbox.nodes()[0].1);
        let status = self.runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::new().put(url).json(body).send().await.unwrap().status()
        });
        assert!(status.is_success(), "{status}");
    }

    /// Reads something from a node.
    pub fn get(&self, node: usize, path: &str) -> serde_json::Value {
        let url = format!("{}{path}", self.sandbox.nodes()[node].1);
        self.runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::new().get(url).send().await.unwrap().json().await.unwrap()
        })
    }
}

/// Runs the program without a cluster.
pub fn run(home: &Path, arguments: &[&str]) -> Ended {
    let output = program(home).args(arguments).output().unwrap();
    ended(output, &[(home.display().to_string(), "$HOME".into())])
}

/// Returns the program with an environment of its own, in a folder of its own, without a terminal.
pub fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elysia-runbook"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("ELYSIA_RUNBOOK_HOME", home)
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// Replaces what differs between runs.
pub fn ended(output: Output, replace: &[(String, String)]) -> Ended {
    let mut stdout = String::from_utf8(output.stdout).unwrap();
    let mut stderr = String::from_utf8(output.stderr).unwrap();
    let id = stderr
        .split_once("run ")
        .and_then(|(_, rest)| rest.split_once(": "))
        .map(|(id, _)| id.to_owned());
    let id = id.filter(|id| id.len() == 20).map(|id| (id, "RUN".to_owned()));
    stderr = without_times(&stderr);
    for text in [&mut stdout, &mut stderr] {
        for (from, to) in replace.iter().chain(id.iter()) {
            *text = text.replace(from, to);
        }
    }
    Ended { code: output.status.code(), stdout, stderr }
}

/// Leaves out how long steps took, which differs between machines.
fn without_times(text: &str) -> String {
    let without = |line: &str| match line.trim_end().rsplit_once("\" failed after ") {
        Some((step, _)) => format!("{step}\" failed\n"),
        None => line.to_owned(),
    };
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with("      took "))
        .map(without)
        .collect()
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// Asserts that the program said something.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let all = self.transcript();
        assert!(all.contains(text), "expected {text:?} in:\n{all}");
        self
    }

    /// Asserts the exit code and everything that was said.
    #[track_caller]
    pub fn golden(self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        snapbox::Assert::new()
            .action_env("SNAPSHOTS")
            .eq(self.transcript(), snapbox::Data::read_from(&path, None).raw());
    }

    /// Returns everything that was said, results after progress.
    pub fn transcript(&self) -> String {
        format!(
            "{}--- stdout\n{}--- exit {}\n",
            self.stderr,
            self.stdout,
            self.code.map_or("by signal".into(), |code| code.to_string())
        )
    }
}
