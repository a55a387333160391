//! The incident of the seeds, made on purpose: a class on one node of a cluster whose RAFT is split.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::cluster::{Cluster, NODES};
use super::local::Settings;

/// A cluster that is split, with the class at node 1 and factor 3: it is then on 1/3 nodes.
pub(super) fn split(class: &str) -> Cluster {
    let cluster = three_of_one();
    let body = json!({"class": class, "replicationConfig": {"factor": 3}});
    let reply = cluster.post(0, "/v1/schema", &body);
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    cluster
}

/// Starts cluster after cluster until each node's RAFT is one of its own.
pub(super) fn three_of_one() -> Cluster {
    for _ in 0..20 {
        let mut cluster = Cluster::new(Settings::split());
        cluster.start_apart();
        if cluster.leaders() == NODES {
            return cluster;
        }
        eprintln!("started with {} leaders; again", cluster.leaders());
    }
    panic!("20 starts without the RAFT settings, and none was split");
}

/// Saves a class as one node has it, with the tool and in the form in which a person would.
pub(super) fn back_up_with_curl(url: &str, class: &str, file: &Path) {
    curl(&[
        "-H",
        "consistency: false",
        "-o",
        file.to_str().unwrap(),
        &format!("{url}/v1/schema/{class}"),
    ]);
}

/// Creates a class from a backup by the line in the seed's rollback plan.
pub(super) fn post_with_curl(url: &str, file: &Path) {
    let data = format!("@{}", file.display());
    let to = format!("{url}/v1/schema");
    curl(&["-X", "POST", &to, "-H", "Content-Type: application/json", "-d", &data]);
}

fn curl(arguments: &[&str]) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail-with-body", "--noproxy", "*"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {said} {wrong}");
}
