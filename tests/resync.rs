//! Bringing replicas together, in the sandbox.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use elysia_runbook::sandbox::Scenario;
use serde_json::json;
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

fn resync(stage: &Stage) -> Ended {
    stage.run(&["run", "resync-replicas", "--yes", "--set", "class=ELYSIA_CONFIG__"])
}

fn id(number: usize) -> String {
    format!("{:08x}-0000-4000-8000-000000000000", number * 1_000_003)
}

/// So many objects that node2 alone has, and one of which it has another version.
fn apart(objects: usize) -> Stage {
    let stage = Stage::new(Scenario::Healthy);
    let object = |number: usize, text: &str| json!({"class": CLASS, "id": id(number), "properties": {"config_key": text}});
    stage.post("/v1/objects?consistency_level=ALL", &object(0, "older"));
    stage.sandbox.insert(Some("node2"), &object(0, "newer")).unwrap();
    for number in 1..=objects {
        stage.sandbox.insert(Some("node2"), &object(number, "alone")).unwrap();
    }
    stage
}

fn expect_together(stage: &Stage, objects: usize) {
    let wanted = stage.sandbox.objects("node2", CLASS);
    assert_eq!(wanted.len(), objects + 1);
    assert_eq!(wanted.iter().filter(|it| it["properties"]["config_key"] == "newer").count(), 1);
    for node in ["node1", "node3"] {
        assert!(stage.sandbox.objects(node, CLASS) == wanted, "{node} holds others");
    }
}

#[test]
fn the_newest_version_of_every_object_wins() {
    let stage = apart(2);
    resync(&stage).exits(0).golden("resync/done.txt");
    expect_together(&stage, 2);
    // Once more there is nothing to be done.
    resync(&stage).exits(0).says("3 objects compared, 0 brought together");
}

#[test]
fn more_may_differ_than_are_looked_at_in_one_go() {
    let stage = apart(300);
    resync(&stage).exits(0).says("301 brought together");
    expect_together(&stage, 300);
}

#[test]
fn what_can_not_be_brought_together_is_listed() {
    let stage = apart(2).fault(&format!("GET:/v1/objects/{CLASS}/{}=500 conflict", id(1)));
    resync(&stage).exits(1).says("conflict");
    let there = stage.sandbox.objects("node2", CLASS);
    assert_eq!(there.len(), 3);
}

#[test]
fn a_node_that_is_down_ends_it_before_anything_is_changed() {
    let stage = apart(2);
    stage.sandbox.stop_node("node3");
    resync(&stage).exits(5).says("node3");
    assert_eq!(stage.sandbox.objects("node1", CLASS).len(), 1);
}

/// What the servers may find to be deleted is on disk before they are asked.
#[test]
fn an_object_that_a_replica_lacks_is_saved_first() {
    let path = format!("/v1/objects/{CLASS}/{}", id(1));
    let stage = apart(1).fault(&format!("GET:{path}=delay 400ms"));
    let mut running =
        stage.start(&["run", "resync-replicas", "--yes", "--set", "class=ELYSIA_CONFIG__"]);
    let asked = |it: &elysia_runbook::sandbox::Request| {
        it.path_and_query.starts_with(&path) && it.path_and_query.contains("consistency_level=ALL")
    };
    while !stage.sandbox.requests().iter().any(asked) {
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(running.try_wait().unwrap().is_none(), "it ended");
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let folder = stage.run_folder().join("backups").join(".ELYSIA_CONFIG__-resync1.new");
    let file = std::fs::File::open(folder.join("ELYSIA_CONFIG__.objects.ndjson.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    assert!(text.contains(&id(1)) && text.contains("alone"), "{text}");
    // The run goes on with the same file.
    stage.run(&["resume", "--yes"]).exits(0).says("ELYSIA_CONFIG__-resync1/manifest.json");
    expect_together(&stage, 1);
}
