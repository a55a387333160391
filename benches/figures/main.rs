//! Prints the figures that the project promises: start-up, memory, size, and the main job on a
//! real cluster beside the same procedure in Python, the check of many classes beside a loop, export
//! and import beside weaviate-client.
//!
//! `cargo bench --bench figures`, or a part of it: `FIGURES=start,main,health,transfer`. Wall times are
//! noisy: compare the ratios, which come from runs in turn. `FIGURES_RUNS` sets how many (default 7),
//! `PYTHON` a Python that has httpx and weaviate-client, `FIGURES_OBJECTS` and `FIGURES_MANY` how many
//! objects are moved.

#![allow(dead_code, reason = "the live suite's cluster, of which a part is used")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has failed")]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../../tests/live"]
mod live {
    mod cluster;
    mod compose;
    mod http;
    mod local;
    mod ports;
    mod server;
    mod view;

    // In here, as the cluster is visible to the live suite alone.
    #[path = "../../benches/figures/health.rs"]
    pub(super) mod health;
    #[path = "../../benches/figures/main_job.rs"]
    pub(super) mod main_job;
    #[path = "../../benches/figures/transfer.rs"]
    pub(super) mod transfer;
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_elysia-runbook");

fn main() {
    let runs: usize =
        std::env::var("FIGURES_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(7);
    let home = tempfile::tempdir().unwrap();
    let parts = std::env::var("FIGURES").unwrap_or_else(|_| "start,main,health,transfer".into());
    let wanted = |part: &str| parts.split(',').any(|it| it == part);
    if wanted("start") {
        start(home.path(), runs);
    }
    if wanted("main") {
        live::main_job::main_job(home.path(), runs);
    }
    if wanted("health") {
        live::health::health(home.path(), runs);
    }
    if wanted("transfer") {
        live::transfer::transfer(home.path(), runs);
    }
}

/// Size, start-up and the check of a runbook.
fn start(home: &Path, runs: usize) {
    println!("release binary: {:.1} MB (at most 15)", megabytes(PROGRAM));
    for arguments in [&["--version"][..], &["check", "config-replication"]] {
        let times = (0..runs * 3).map(|_| time(&mut program(home, arguments))).collect();
        println!(
            "{}: median {:.1} ms (at most 5), {} (at most 15)",
            arguments.join(" "),
            milliseconds(median(times)),
            memory(home, arguments),
        );
    }
}

/// Returns a Python that has httpx: `PYTHON`, else `python3`.
fn python_with_httpx() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(&python);
    command.args(["-c", "import httpx"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success()).then_some(python)
}

fn program(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("ELYSIA_RUNBOOK_HOME", home).current_dir(home);
    command
}

fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().unwrap();
    let took = began.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    took
}

/// Peak memory, by GNU time where it is installed.
fn memory(home: &Path, arguments: &[&str]) -> String {
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M", PROGRAM])
        .args(arguments)
        .current_dir(home)
        .stdout(Stdio::null())
        .output();
    let kilobytes = output.ok().and_then(|output| {
        String::from_utf8(output.stderr).ok()?.lines().last()?.trim().parse::<f64>().ok()
    });
    kilobytes.map_or("memory not measured".into(), |kb| format!("{:.1} MB", kb / 1024.0))
}

fn megabytes(path: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a file of some megabytes")]
    let bytes = std::fs::metadata(path).unwrap().len() as f64;
    bytes / 1e6
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn median_of(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
