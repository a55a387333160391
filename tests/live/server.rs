//! One Weaviate process: found, started, signalled, and ended with the value that holds it.
//!
//! Knows processes and files; nothing of clusters.

use std::env;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::compose::Environment;

const NAME: &str = "weaviate-server";

/// Finds the server: `WEAVIATE_SERVER`, else on the `PATH`, else in Go's bin folder.
fn binary() -> PathBuf {
    if let Some(path) = env::var_os("WEAVIATE_SERVER") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "WEAVIATE_SERVER names {}, which is not a file", path.display());
        return path;
    }
    let searched = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&searched).chain(go_bin());
    folders.map(|folder| folder.join(NAME)).find(|path| path.is_file()).unwrap_or_else(|| {
        panic!(
            "no {NAME} in WEAVIATE_SERVER, on the PATH or in Go's bin folder; install it with\n  \
             go install github.com/weaviate/weaviate/cmd/weaviate-server@v1.39.0"
        )
    })
}

/// Where `go install` puts programs; `go` itself need not be on the `PATH` to look there.
fn go_bin() -> Option<PathBuf> {
    let said = |variable| {
        let output = Command::new("go").args(["env", variable]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (!text.is_empty()).then(|| PathBuf::from(text))
    };
    said("GOBIN")
        .or_else(|| said("GOPATH").map(|path| path.join("bin")))
        .or_else(|| env::home_dir().map(|home| home.join("go/bin")))
}

/// The same as [`Server::start`], as a line for a shell that becomes the server.
pub(super) fn start_line(port: u16, environment: &Environment, folder: &Path) -> String {
    let variables: Vec<String> =
        environment.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    let variables = variables.join(" ");
    let folder = quoted(folder.to_str().unwrap());
    let program = quoted(binary().to_str().unwrap());
    format!(
        "cd {folder} && exec env -i HOME={folder} {variables} {program} \
         --scheme http --host 127.0.0.1 --port {port}"
    )
}

/// One word for a shell.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A running (or ended, but not forgotten) server.
pub(super) struct Server {
    process: Child,
    log: PathBuf,
}

impl Server {
    /// Starts one whose REST interface is at this port of 127.0.0.1. It sees this environment only.
    pub(super) fn start(port: u16, environment: &Environment, folder: &Path, log: PathBuf) -> Self {
        fs::create_dir_all(folder).unwrap();
        let file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let program = binary();
        let process = Command::new(&program)
            .args(["--scheme", "http", "--host", "127.0.0.1", "--port", &port.to_string()])
            .env_clear()
            .env("HOME", folder)
            .envs(environment)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("can't start {}: {error}", program.display()));
        Self { process, log }
    }

    /// The number of the process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process has not ended by itself.
    pub(super) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Ends it at once (SIGKILL), as a power cut would.
    pub(super) fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }

    /// Ends it in order (SIGTERM), or at once where that takes too long.
    pub(super) fn terminate(&mut self, patience: Duration) {
        self.signal("TERM");
        let end = Instant::now() + patience;
        while self.is_running() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
    }

    /// Makes it hang (SIGSTOP): its ports still accept connections, and nothing answers.
    pub(super) fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub(super) fn resume(&self) {
        self.signal("CONT");
    }

    /// All that it has logged so far.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of that.
    pub(super) fn log_tail(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn signal(&self, name: &str) {
        // The standard library can only kill, and `unsafe` is forbidden here.
        let id = self.process.id().to_string();
        let done = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(done.success(), "kill -s {name} {id}: {done}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
