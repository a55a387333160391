//! The main job on a real cluster, beside the same procedure in Python.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use elysia_runbook::event::Listener;
use elysia_runbook::journal::{Journal, read};
use serde_json::json;

use super::cluster::Cluster;
use crate::{median, median_of, milliseconds, program, python_with_httpx, time};

const CLASS: &str = "ELYSIA_CONFIG__";

pub(crate) fn main_job(home: &Path, runs: usize) {
    let Some(python) = python_with_httpx() else {
        println!("main job: not measured, as there is no Python with httpx (pip install httpx)");
        return;
    };
    let cluster = Cluster::healthy();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/seed_procedure.py");
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
        milliseconds(median(proven.clone()))
    );
    let journal = journal(home, runs);
    let part = 100.0 * journal.div_duration_f64(median(proven));
    println!(
        "  its journal, written again: median {:.1} ms, {part:.1} % of it (at most 5)",
        milliseconds(journal)
    );
}

/// Times writing the records of the newest run once more, each flushed as it was.
fn journal(home: &Path, runs: usize) -> Duration {
    let mut folders: Vec<_> =
        std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let records = read(&folders.last().unwrap().join("journal.ndjson")).unwrap().records;
    let again = |run: usize| {
        let path = home.join(format!("journal-{run}.ndjson"));
        let began = Instant::now();
        let mut journal = Journal::create(&path).unwrap();
        for record in &records {
            journal.hear(&record.event).unwrap();
        }
        began.elapsed()
    };
    median((0..runs * 3).map(again).collect())
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
    let mut command =
        program(home, &["run", "config-replication", "--yes", "--set", proof, "--drain", "0"]);
    for url in cluster.urls() {
        command.args(["--node", &url]);
    }
    command
}
