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
