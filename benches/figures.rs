//! Prints the figures that the project promises: start-up, memory, size, and the main job on a
//! real cluster beside the same procedure in Python.
//!
//! `cargo bench --bench figures`. Wall times are noisy: compare the ratios, which come from runs in
//! turn. `FIGURES_RUNS` sets how many (default 7), `PYTHON` a Python that has httpx.

#![allow(dead_code, reason = "the live suite's cluster, of which a part is used")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has failed")]
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

#[path = "../tests/live"]
mod live {
    pub(super) mod cluster;
    mod compose;
    mod http;
    mod local;
    mod ports;
    mod server;
    mod view;
}

use live::cluster::Cluster;

const PROGRAM: &str = env!("CARGO_BIN_EXE_elysia-runbook");
const CLASS: &str = "ELYSIA_CONFIG__";

fn main() {
    let runs: usize =
        std::env::var("FIGURES_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(7);
    let home = tempfile::tempdir().unwrap();
    println!("release binary: {:.1} MB (at most 15)", megabytes(PROGRAM));
    for arguments in [&["--version"][..], &["check", "config-replication"]] {
        let times = (0..runs * 3).map(|_| time(&mut program(home.path(), arguments))).collect();
        println!(
            "{}: median {:.1} ms (at most 5), {} (at most 15)",
            arguments.join(" "),
            milliseconds(median(times)),
            memory(home.path(), arguments),
        );
    }
    main_job(home.path(), runs);
}

fn main_job(home: &Path, runs: usize) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has_httpx = Command::new(&python)
        .args(["-c", "import httpx"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_httpx {
        println!("main job: not measured, as `{python}` has no httpx (pip install httpx)");
        return;
    }
    let cluster = Cluster::healthy();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/seed_procedure.py");
    let (mut ours, mut proven, mut theirs) = (vec![], vec![], vec![]);
    // The first round warms both up and is not counted.
    for round in 0..=runs {
        let mut seed = Command::new(&python);
        seed.arg(&script).args(cluster.urls());
        let times = [
            job(&cluster, &mut seed),
            job(&cluster, &mut repair(home, &cluster, "prove=false")),
            job(&cluster, &mut repair(home, &cluster, "prove=true")),
        ];
        if round > 0 {
            theirs.push(times[0]);
            ours.push(times[1]);
            proven.push(times[2]);
        }
    }
    let ratio = |ours: &[Duration]| {
        let ratios = ours.iter().zip(&theirs).map(|(a, b)| a.div_duration_f64(*b)).collect();
        median_of(ratios)
    };
    let (without, with) = (ratio(&ours), ratio(&proven));
    println!("main job, factor 1 to 3 on three nodes, whole process, {runs} rounds in turn:");
    println!("  Python with httpx:        median {:.0} ms", milliseconds(median(theirs.clone())));
    println!(
        "  prove=false:              median {:.0} ms, {without:.2} times Python (at most 1)",
        milliseconds(median(ours))
    );
    println!(
        "  with the proof (default): median {:.0} ms, {with:.2} times Python (at most 2.5)",
        milliseconds(median(proven))
    );
}

/// Puts the class back to factor 1, then times the command, which has to repair it.
fn job(cluster: &Cluster, command: &mut Command) -> Duration {
    let _ = cluster.request(0, reqwest::Method::DELETE, &format!("/v1/schema/{CLASS}")).send();
    let text = |name: &str| json!({"name": name, "dataType": ["text"]});
    let created = cluster.post(
        0,
        "/v1/schema",
        &json!({
            "class": CLASS,
            "replicationConfig": {"factor": 1},
            "properties": [text("config_key"), text("config_value")],
        }),
    );
    assert_eq!(created.status, 200);
    // Until every node has opened its shards, the server is still at work on the creation.
    std::thread::sleep(Duration::from_secs(1));
    time(command)
}

fn repair(home: &Path, cluster: &Cluster, proof: &str) -> Command {
    let mut command = program(home, &["run", "config-replication", "--yes", "--set", proof]);
    for url in cluster.urls() {
        command.args(["--node", &url]);
    }
    command
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
