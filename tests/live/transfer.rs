//! Backups of nodes and what is restored from them, compared object by object on every node.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::incident::split;
use super::kinds::{CLASSES, assert_same, create_classes, id, look, objects, vector};
use super::local::Settings;
use super::program::{Finished, Program, number};
use super::view::wait;

#[test]
#[ignore = "needs a Weaviate server"]
fn every_object_of_a_class_comes_back_on_every_node() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let count = number("LIVE_OBJECTS", 200);
    create_classes(&cluster, count, 3);
    let before = CLASSES.map(|class| look(&cluster, 0, class));
    assert_eq!(before.each_ref().map(BTreeMap::len), [count as usize; 3]);

    let program = Program::new();
    let finished = back_up(&program, &cluster).expect(0);
    assert!(finished.commands().is_empty());
    for class in CLASSES {
        let path = format!("/v1/schema/{class}");
        assert_eq!(cluster.request(0, Method::DELETE, &path).send().status, 200);
    }
    for (class, from) in [("Types", "node1"), ("Named", "node2"), ("Many", "node3")] {
        restore(&program, &cluster, class, from).expect(0).says(&["0 there already"]);
        cluster.expect_everywhere(class);
    }
    for node in 0..NODES {
        for (class, before) in CLASSES.iter().zip(&before) {
            let what = format!("{class} at node {}", node + 1);
            assert_same(&look(&cluster, node, class), before, &what);
        }
    }
    // Once more: nothing is written twice, and what was written since stays.
    let (lost, newer) = {
        let mut ids = before[0].keys();
        (ids.next().unwrap().clone(), ids.next().unwrap().clone())
    };
    let path = format!("/v1/objects/Types/{lost}");
    assert_eq!(cluster.request(0, Method::DELETE, &path).send().status, 204);
    let change = json!({"class": "Types", "id": newer, "properties": {"text": "since"}});
    let path = format!("/v1/objects/Types/{newer}?consistency_level=ALL");
    assert_eq!(cluster.request(0, Method::PUT, &path).json(&change).send().status, 200);
    let again = format!("1 imported, {} there already", count - 1);
    restore(&program, &cluster, "Types", "node3").expect(0).says(&[&again]);
    let now = objects(&cluster, 1, "Types", None);
    assert_eq!(now[&lost], before[0][&lost]);
    assert_eq!(now[&newer]["properties"], json!({"text": "since"}));
}

#[test]
#[ignore = "needs a Weaviate server"]
fn what_only_one_node_of_a_split_cluster_had_comes_back_after_the_repair() {
    let _turn = turn();
    let mut broken = split("OnOne");
    let only_two = json!({"class": "OnTwo", "replicationConfig": {"factor": 3},
        "properties": [{"name": "n", "dataType": ["int"]}]});
    assert_eq!(broken.post(1, "/v1/schema", &only_two).status, 200);
    for (node, class) in [(0, "OnOne"), (1, "OnTwo")] {
        let objects: Vec<Value> = (0..250)
            .map(|n| json!({"class": class, "id": id(n), "vector": vector(n), "properties": {}}))
            .collect();
        let path = "/v1/batch/objects?consistency_level=ONE";
        let reply = broken.post(node, path, &json!({"objects": objects}));
        let failed = reply.body.as_array().unwrap().iter();
        let failed = failed.filter(|it| it["result"]["status"] != "SUCCESS").count();
        assert_eq!(failed, 0, "{:?}", reply.body[0]);
    }
    let before = objects(&broken, 1, "OnTwo", None);
    assert_eq!(before.len(), 250);
    let program = Program::new();
    let began = std::time::Instant::now();
    back_up(&program, &broken).expect(0).says(&["1 classes with 250 objects"]);
    eprintln!("saved a split cluster in {:?}", began.elapsed());
    broken.stop();

    let mut cluster = broken.copy(Settings::default());
    for node in [1, 2] {
        std::fs::remove_dir_all(cluster.data(node).join("raft")).unwrap();
    }
    cluster.start();
    cluster.wait_until_agreed();
    cluster.wait_until_present("OnOne");
    assert_eq!(cluster.presence("OnTwo"), [false; NODES]);
    restore(&program, &cluster, "OnTwo", "node2").expect(0).says(&["250 imported"]);
    cluster.expect_everywhere("OnTwo");
    for node in 0..NODES {
        assert_same(&objects(&cluster, node, "OnTwo", None), &before, "OnTwo");
    }
    // What was written to one node alone reaches the others some time, or when it is restored too.
    let there = |node| objects(&cluster, node, "OnOne", None).len();
    let began = std::time::Instant::now();
    let all = wait(Duration::from_secs(20), || (0..NODES).all(|node| there(node) == 250));
    let there: Vec<_> = (0..NODES).map(there).collect();
    eprintln!("OnOne after {:?}: {there:?}, all: {all}", began.elapsed());
    restore(&program, &cluster, "OnOne", "node1").expect(0);
    for node in 0..NODES {
        assert_eq!(objects(&cluster, node, "OnOne", None).len(), 250, "at node {}", node + 1);
    }
}

fn back_up(program: &Program, cluster: &Cluster) -> Finished {
    program.start_any(cluster, "backup-nodes", &["--set", "folder=saved"]).finish()
}

fn restore(program: &Program, cluster: &Cluster, class: &str, from: &str) -> Finished {
    let (class, from) = (format!("class={class}"), format!("from={from}"));
    let set = ["--set", &class, "--set", &from, "--set", "folder=saved"];
    program.run(cluster, "restore-class", &set)
}
