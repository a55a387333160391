//! Every write to the disk goes wrong in each way, or the process is killed before or after it; then
//! the run is resumed, or undone. The class is never lost.
//!
//! `DISK_CASES` says at how many of the writes at most; without it at some dozens.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "tests")]
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use elysia_runbook::sandbox::Scenario;
use serde_json::Value;
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";
const WAYS: [&str; 5] = ["full", "short", "fail", "before", "after"];

/// Compiles what stands between the program and the C library.
fn shim(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/shim.c");
    let library = folder.join("shim.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(status.success());
    library
}

fn run(stage: &Stage, shim: &Path, at: usize, way: &str, arguments: &[&str]) -> Ended {
    let mut command = support::program(stage.home.path());
    command.args(arguments).args(["--yes", "--cluster", "stage"]);
    command.env("LD_PRELOAD", shim).env("SHIM_AT", at.to_string()).env("SHIM_HOW", way);
    command.env("SHIM_COUNT", stage.home.path().join("count"));
    stage.ended(command.output().unwrap())
}

fn schema(stage: &Stage) -> Option<Value> {
    stage.sandbox.class("node1", CLASS)
}

#[test]
fn nothing_is_lost_whatever_the_disk_does() {
    let folder = tempfile::TempDir::new().unwrap();
    let shim = shim(folder.path());
    let repair = ["run", "config-replication"];
    let writes: usize = {
        let stage = Stage::new(Scenario::FactorOne);
        run(&stage, &shim, 0, "", &repair).exits(0);
        let count = std::fs::read_to_string(stage.home.path().join("count")).unwrap();
        count.parse().unwrap()
    };
    let most = std::env::var("DISK_CASES").ok().map_or(24, |it| it.parse::<usize>().unwrap());
    let step = (writes / most).max(1);
    let offset = fastrand::usize(..step);
    eprintln!("{writes} writes and flushes, every {step}th from {offset}");
    let cases: Vec<(usize, &str, bool)> = (1 + offset..=writes)
        .step_by(step)
        .flat_map(|at| WAYS.map(|way| (at, way)))
        .flat_map(|(at, way)| [(at, way, false), (at, way, true)])
        .collect();
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(BTreeMap::<String, usize>::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((at, way, undo)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = judge(&shim, *at, way, *undo);
                    *ends.lock().unwrap().entry(end).or_default() += 1;
                }
            });
        }
    });
    eprintln!("{} cases: {:?}", cases.len(), ends.lock().unwrap());
}

fn judge(shim: &Path, at: usize, way: &str, undo: bool) -> String {
    let stage = Stage::new(Scenario::FactorOne);
    let before = schema(&stage).unwrap();
    let ended = run(&stage, shim, at, way, &["run", "config-replication"]);
    let said = format!("{way} at {at}: {}", ended.transcript());
    assert!(!said.contains("panicked"), "{said}");
    let after = schema(&stage);
    match ended.code {
        // What the disk refuses last is the last record.
        Some(0) => assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}"),
        Some(1 | 5 | 6) => assert_eq!(after.as_ref(), Some(&before), "{said}"),
        None => assert!(matches!(way, "before" | "after"), "{said}"),
        Some(_) => panic!("{said}"),
    }
    if ended.code.is_none() {
        let what = if undo { "rollback" } else { "resume" };
        let again = stage.run(&[what, "--yes"]);
        let said = format!("{said}\n--- {what}:\n{}", again.transcript());
        let nothing_to_do = again.code == Some(2) && said.contains("there is no run");
        assert!(again.code == Some(0) || nothing_to_do, "{said}");
        if undo || nothing_to_do && schema(&stage).as_ref() == Some(&before) {
            assert_eq!(schema(&stage).as_ref(), Some(&before), "{said}");
        } else {
            assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}");
        }
        assert_eq!(stage.sandbox.class("node1", &format!("{CLASS}RunbookProbe")), None, "{said}");
        return format!("killed, {what} {:?}", again.code);
    }
    format!("ended {:?}", ended.code)
}
