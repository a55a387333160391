//! The suite's own ground: that the clusters are what the other tests take them for.

use std::time::Duration;

use serde_json::json;

use super::classes::{create_with_named_vectors, create_with_one_vector, create_with_tenants};
use super::cluster::{Cluster, NODES, turn};
use super::damage::{
    set_shard_status, without_asynchronous_replication, write_behind_the_back_of_node_3,
};
use super::data::{id, write};
use super::http::block_on;
use super::incident::split;
use super::local::Settings;
use super::view::wait;

#[test]
#[ignore = "needs a Weaviate server"]
fn the_compose_file_makes_a_healthy_cluster() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    let class = json!({"class": "Healthy", "replicationConfig": {"factor": 3}});
    assert_eq!(cluster.post(1, "/v1/schema", &class).status, 200);
    assert!(wait(Duration::from_secs(5), || cluster.presence("Healthy") == [true; 3]));
    let everywhere = vec!["node1".to_owned(), "node2".to_owned(), "node3".to_owned()];
    assert!(cluster.planned_replicas("Healthy").values().all(|it| *it == everywhere));
    assert!(wait(Duration::from_secs(5), || {
        let replicas = cluster.replicas("Healthy");
        !replicas.is_empty() && replicas.values().all(|it| *it == everywhere)
    }));

    cluster.pause(2);
    let short = Duration::from_secs(1);
    let hanging = cluster.request(2, reqwest::Method::GET, "/v1/meta").timeout(short).send();
    assert_eq!(hanging.status, 0, "a hanging node does not answer");
    cluster.resume(2);
    assert_eq!(cluster.get(2, "/v1/meta").status, 200);

    cluster.kill(2);
    cluster.launch(2);
    cluster.wait_until_ready(2);
    cluster.wait_until_agreed();
    assert_eq!(cluster.presence("Healthy"), [true; 3], "after a restart");

    cluster.stop();
    let mut copy = cluster.copy(Settings::default());
    copy.start();
    copy.wait_until_agreed();
    assert_eq!(copy.presence("Healthy"), [true; 3], "in a copy with other ports");
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_real_cluster_keeps_the_contract_that_the_sandbox_keeps() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let ran = block_on(crate::contract::all(&cluster.urls()));
    assert!(ran > 0, "no contract test ran");
}

#[test]
#[ignore = "needs a Weaviate server"]
fn real_replicas_stay_apart_as_the_contract_says() {
    let _turn = turn();
    let mut cluster = Cluster::new(Settings::default().with("ASYNC_REPLICATION_DISABLED", "true"));
    cluster.start();
    cluster.wait_until_agreed();
    let urls = cluster.urls();
    block_on(crate::contract::apart::before(&urls));
    cluster.kill(2);
    block_on(crate::contract::apart::during(&urls));
    cluster.launch(2);
    cluster.wait_until_ready(2);
    block_on(crate::contract::apart::after(&urls));
}

#[test]
#[ignore = "needs a Weaviate server"]
fn leaving_the_raft_settings_out_splits_the_cluster() {
    let _turn = turn();
    let mut cluster = split("Split");
    assert_eq!(cluster.presence("Split"), [true, false, false]);
    // Gossip and readiness see nothing of it: this is what makes the fault hard to find.
    let nodes = cluster.get(0, "/v1/nodes").body;
    let states = nodes["nodes"].as_array().unwrap().iter().map(|node| node["status"].as_str());
    assert_eq!(states.collect::<Vec<_>>(), [Some("HEALTHY"); NODES]);
    assert!((0..NODES).all(|node| cluster.is_ready(node)));

    cluster.stop();
    let mut copy = cluster.copy(Settings::default());
    copy.launch_all();
    let outcome = copy.outcome("Split");
    eprintln!(
        "started again with the settings: {outcome:?}, present on {:?}",
        copy.presence("Split")
    );
}

#[test]
#[ignore = "needs a Weaviate server"]
fn classes_of_every_make_and_damage_of_every_kind_are_what_they_are_called() {
    let _turn = turn();
    let mut cluster = Cluster::new(without_asynchronous_replication());
    cluster.start();
    cluster.wait_until_agreed();
    create_with_one_vector(&cluster, "OneVector", 5);
    create_with_named_vectors(&cluster, "NamedVectors", 5);
    create_with_tenants(&cluster, "WithTenants", &["awake"], &["asleep"], 5);
    let object = |node, class: &str, number, more: &str| {
        let node = format!("node{}", node + 1);
        let path = format!("/v1/objects/{class}/{}?node_name={node}{more}", id(number));
        cluster_object(&cluster, &path)
    };
    for node in 0..NODES {
        let one = object(node, "OneVector", 4, "&include=vector");
        assert_eq!(one["vector"].as_array().map(Vec::len), Some(3), "{one}");
        let named = object(node, "NamedVectors", 4, "&include=vector");
        assert_eq!(named["vectors"]["long"].as_array().map(Vec::len), Some(5), "{named}");
        assert_eq!(object(node, "WithTenants", 4, "&tenant=awake")["tenant"], "awake");
        assert_eq!(object(node, "WithTenants", 4, "&tenant=asleep"), json!(null));
    }

    write_behind_the_back_of_node_3(&mut cluster, "OneVector", 100..110);
    // Longer than asynchronous replication takes.
    std::thread::sleep(Duration::from_secs(40));
    for number in 100..110 {
        let on = [0, 1, 2].map(|node| {
            let path = format!("/v1/objects/OneVector/{}?node_name=node{}", id(number), node + 1);
            cluster_object(&cluster, &path).is_object()
        });
        assert_eq!(on, [true, true, false], "object {number}");
    }

    let shard = cluster.planned_replicas("NamedVectors").into_keys().next().unwrap();
    set_shard_status(&cluster, "NamedVectors", &shard, "READONLY");
    set_shard_status(&cluster, "NamedVectors", &shard, "READY");
    write(&cluster, 0, "OneVector", 200..210, "ALL");
}

/// The object at this path; `Null` where there is none.
fn cluster_object(cluster: &Cluster, path: &str) -> serde_json::Value {
    let reply = cluster.get(0, path);
    if reply.status == 200 { reply.body } else { json!(null) }
}
