//! The whole check of many classes, beside a loop that asks each node for each class.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use elysia_runbook::sandbox::{Sandbox, Scenario};
use serde_json::json;

use super::cluster::Cluster;
use crate::{median, milliseconds, program, python_with_httpx, time};

/// How many classes the real cluster gets; making them takes a third of a second each.
const CLASSES: usize = 200;

pub(crate) fn health(home: &Path, runs: usize) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(Scenario::ManyClasses)).unwrap();
    let urls: Vec<String> = sandbox.nodes().into_iter().map(|(_, url)| url).collect();
    let before = sandbox.requests_by_node();
    time(&mut check(home, &urls));
    let after = sandbox.requests_by_node();
    let each: Vec<_> = after.iter().map(|(node, count)| count - before[node]).collect();
    println!(
        "cluster-health, 1,000 classes in the sandbox: {each:?} requests to the nodes (at most 6 each)"
    );
    compare(home, &urls, runs, "1,000 classes in the sandbox");
    drop(sandbox);

    let cluster = Cluster::healthy();
    for number in 0..CLASSES {
        let class =
            json!({"class": format!("Class{number:03}"), "replicationConfig": {"factor": 3}});
        assert_eq!(cluster.post(0, "/v1/schema", &class).status, 200);
    }
    std::thread::sleep(Duration::from_secs(2));
    compare(home, &cluster.urls(), runs, "200 classes on the real cluster");
}

/// Times both in turn; the loop once each, as it is long.
fn compare(home: &Path, urls: &[String], runs: usize, what: &str) {
    let ours = median((0..runs).map(|_| time(&mut check(home, urls))).collect());
    println!("cluster-health, {what}: median {:.0} ms, whole process", milliseconds(ours));
    let Some(python) = python_with_httpx() else {
        println!("  a loop beside it: not measured, as there is no Python with httpx");
        return;
    };
    for (how, as_what) in [("fresh", "httpx.get each, as the original"), ("kept", "one connection")]
    {
        let mut command = Command::new(&python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/original_loop.py"));
        let began = Instant::now();
        let output = command.arg(how).args(urls).stderr(Stdio::inherit()).output().unwrap();
        let took = began.elapsed();
        assert!(output.status.success(), "{output:?}");
        println!(
            "  a loop over classes and nodes ({as_what}): {} requests, {:.0} ms, {:.0} times as long",
            String::from_utf8_lossy(&output.stdout).trim(),
            milliseconds(took),
            took.div_duration_f64(ours)
        );
    }
}

fn check(home: &Path, urls: &[String]) -> Command {
    let mut command = program(home, &["run", "cluster-health"]);
    for url in urls {
        command.args(["--node", url]);
    }
    command
}
