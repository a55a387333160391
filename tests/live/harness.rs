//! The suite's own ground: that the clusters are what the other tests take them for.

use std::time::Duration;

use serde_json::json;

use super::cluster::{Cluster, NODES, turn};
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
