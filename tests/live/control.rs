//! Stands for `docker compose`: starts and stops the nodes of a cluster from a shell, so that commands
//! which were printed for a person can be followed word for word.
//!
//! Knows processes, folders and a script; nothing of what the commands are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::cluster::{Cluster, NODES};
use super::local::Settings;
use super::server::quoted;
use super::view::wait;

/// How long a whole list of commands may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The file `nodeN.pid` is there as long as that node runs; whoever waits for the process removes it.
const SCRIPT: &str = r#"#!/bin/sh
set -eu
node=$2
pid="$here/$node.pid"
case $1 in
stop)
    # As a container is stopped: in order, and after ten seconds at once.
    kill -TERM "$(cat "$pid")"
    for _ in $(seq 100); do
        [ -e "$pid" ] || exit 0
        sleep 0.1
    done
    kill -KILL "$(cat "$pid")"
    while [ -e "$pid" ]; do sleep 0.1; done
    ;;
start)
    (
        sh "$here/$node.start" >>"$here/$node.log" 2>&1 &
        echo $! >"$pid.new"
        mv "$pid.new" "$pid"
        wait $! || true
        rm "$pid"
    ) </dev/null >/dev/null 2>&1 &
    while [ ! -e "$pid" ]; do sleep 0.1; done
    ;;
copy) cp -R "$data/$node" "./$node-before-repair" ;;
remove) rm -rf "$data/$node/raft" ;;
esac
"#;

/// The script for one cluster. What it has started ends when this is dropped.
pub(super) struct Control {
    folder: TempDir,
}

impl Control {
    /// A script that starts nodes with these settings. From here on it is the script that starts them.
    pub(super) fn new(cluster: &mut Cluster, settings: &Settings) -> Self {
        let folder = tempfile::Builder::new().prefix("runbook-control-").tempdir().unwrap();
        let control = Self { folder };
        for node in 0..NODES {
            let name = format!("node{}", node + 1);
            fs::write(control.file(&name, "start"), cluster.start_line(node, settings)).unwrap();
            let id = cluster.process(node).expect("a node does not run").to_string();
            fs::write(control.file(&name, "pid"), id).unwrap();
        }
        let data = cluster.data(0);
        let places = [("here", control.folder.path()), ("data", data.parent().unwrap())];
        let places: String = places
            .map(|(name, path)| format!("{name}={}\n", quoted(path.to_str().unwrap())))
            .concat();
        fs::write(control.script(), SCRIPT.replacen("set -eu\n", &format!("set -eu\n{places}"), 1))
            .unwrap();
        control
    }

    /// The command for one of `stop`, `start`, `copy`, `remove`, with `{node}` for the node's name.
    pub(super) fn template(&self, what: &str) -> String {
        format!("sh {} {what} {{node}}", quoted(self.script().to_str().unwrap()))
    }

    /// Has a shell follow the commands in this folder, with `elysia-runbook` on its path, and gives
    /// back what they said. Fails where one of them does.
    pub(super) fn follow(&self, cluster: &mut Cluster, commands: &[String], home: &Path) -> String {
        let said = self.folder.path().join("said");
        let out = fs::File::create(&said).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_elysia-runbook")).parent().unwrap().to_owned();
        let searched = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(program).chain(std::env::split_paths(&searched));
        let mut shell = Command::new("sh")
            .args(["-e", "-c", &commands.join("\n")])
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", home)
            .env("ELYSIA_RUNBOOK_HOME", home)
            .env("NO_PROXY", "*")
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let end = Instant::now() + LIMIT;
        let status = loop {
            self.forget_ended(cluster);
            if let Some(status) = shell.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                // An error means that it has ended just now.
                let _ = shell.kill();
                break shell.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let said = fs::read_to_string(said).unwrap();
        assert!(status.success(), "{status}:\n{}\n--- said:\n{said}", commands.join("\n"));
        said
    }

    /// Removes the files of the nodes that the test itself had started and that have ended.
    fn forget_ended(&self, cluster: &mut Cluster) {
        for node in 0..NODES {
            if cluster.has_started(node) && cluster.process(node).is_none() {
                // Not there where the script has been told of the end already.
                let _ = fs::remove_file(self.file(&format!("node{}", node + 1), "pid"));
            }
        }
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    fn file(&self, node: &str, what: &str) -> PathBuf {
        self.folder.path().join(format!("{node}.{what}"))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        for node in 1..=NODES {
            let pid = self.file(&format!("node{node}"), "pid");
            let Ok(id) = fs::read_to_string(&pid) else { continue };
            let _ = Command::new("kill").args(["-s", "KILL", id.trim()]).status();
            // Its own parent removes the file, and the test's own processes end with the cluster.
            wait(Duration::from_secs(5), || !pid.exists());
        }
    }
}
