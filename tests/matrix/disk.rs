//! Every write to the disk goes wrong in each way, or the process is killed before or after it; and
//! the killed run is killed once more at a write while it goes on or is undone.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::draw::{draw, each, random};
use crate::job::{Job, class};
use crate::support::{self, Ended, Stage};

/// See `shim.c`.
const WAYS: [&str; 6] = ["full", "short", "fail", "read-only", "before", "after"];

/// Compiles what stands between the program and the C library.
fn shim(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/shim.c");
    let library = folder.join("shim.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(status.success());
    library
}

/// Runs the program; its `at`th write goes wrong in this way.
fn run(stage: &Stage, shim: &Path, at: usize, way: &str, arguments: &[&str]) -> Ended {
    let mut command = support::program(stage.home.path());
    command.args(arguments).args(["--cluster", "stage"]);
    command.env("LD_PRELOAD", shim).env("SHIM_AT", at.to_string()).env("SHIM_HOW", way);
    command.env("SHIM_COUNT", stage.home.path().join("count"));
    stage.ended(command.output().unwrap())
}

struct Case {
    job: Job,
    at: usize,
    way: &'static str,
    undo: bool,
    /// At which of its writes the second process is killed.
    again: Option<usize>,
}

#[test]
fn nothing_is_lost_whatever_the_disk_does() {
    let folder = tempfile::TempDir::new().unwrap();
    let shim = shim(folder.path());
    let mut random = random();
    let mut cases = vec![];
    for job in Job::all() {
        let stage = job.stage();
        run(&stage, &shim, 0, "", job.words()).exits(0);
        let count = std::fs::read_to_string(stage.home.path().join("count")).unwrap();
        let writes: usize = count.parse().unwrap();
        eprintln!("{job:?}: {writes} writes and flushes");
        for at in 1..=writes {
            for way in WAYS {
                if !matches!(way, "before" | "after") {
                    cases.push(Case { job, at, way, undo: false, again: None });
                    continue;
                }
                for undo in [false, true] {
                    for again in [None, Some(random.usize(1..40))] {
                        cases.push(Case { job, at, way, undo, again });
                    }
                }
            }
        }
    }
    each(&draw(&mut random, cases, 120), |case| judge(&shim, case));
}

fn judge(shim: &Path, case: &Case) -> String {
    let Case { job, at, way, undo, again } = *case;
    let stage = job.stage();
    let before = class(&stage);
    let ended = run(&stage, shim, at, way, job.words());
    let mut said = format!("{job:?}, {way} at write {at}: {}", ended.transcript());
    if ended.code.is_some() {
        job.judge(&stage, before.as_ref(), &ended, &said);
        return format!("{way}: {:?}", ended.code);
    }
    assert!(matches!(way, "before" | "after"), "{said}");
    if let Some(again) = again {
        let what = if undo { "rollback" } else { "resume" };
        let second = run(&stage, shim, again, way, &[what, "--yes"]);
        said = format!("{said}\n--- {what}, {way} at write {again}:\n{}", second.transcript());
    }
    let end = job.settle(&stage, before.as_ref(), undo, &said);
    if again.is_some() { format!("{end} after a second kill") } else { end }
}
