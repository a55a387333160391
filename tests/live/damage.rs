//! Damage done to a cluster on purpose, of the kinds that stay after all nodes are well again.

use std::ops::Range;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, NODES};
use super::data::{id, write};
use super::local::Settings;
use super::view::wait;

/// The settings under which replicas that differ stay so until somebody asks for more than one.
pub(super) fn without_asynchronous_replication() -> Settings {
    Settings::default().with("ASYNC_REPLICATION_DISABLED", "true")
}

/// Writes objects while node 3 is down, which its replicas therefore lack. Start the cluster with
/// [`without_asynchronous_replication`], or they are there after half a minute.
pub(super) fn write_behind_the_back_of_node_3(
    cluster: &mut Cluster,
    class: &str,
    numbers: Range<u128>,
) {
    for _ in 0..4 {
        write_while_node_3_is_down(cluster, class, numbers.clone());
        let lacks = |number: u128| {
            let path = format!("/v1/objects/{class}/{}?node_name=node3", id(number));
            cluster.get(2, &path).status == 404
        };
        if numbers.clone().all(lacks) {
            return;
        }
        eprintln!("node 3 got them after all; again");
        for number in numbers.clone() {
            let path = format!("/v1/objects/{class}/{}?consistency_level=ALL", id(number));
            cluster.request(0, Method::DELETE, &path).send();
        }
    }
    panic!("four times, and node 3 got what was written behind its back");
}

fn write_while_node_3_is_down(cluster: &mut Cluster, class: &str, numbers: Range<u128>) {
    while_node_3_is_down(cluster, |cluster| write(cluster, 0, class, numbers, "ONE"));
    cluster.wait_until_open(class);
}

/// Does something that node 3 does not hear of.
pub(super) fn while_node_3_is_down(cluster: &mut Cluster, act: impl FnOnce(&Cluster)) {
    // In order: just after a node was killed a write hangs, and is made when the node is back.
    cluster.end(2);
    // Until gossip has noticed, the write would wait for the node.
    let noticed = || {
        let nodes = cluster.get(0, "/v1/nodes").body;
        nodes["nodes"].as_array().is_some_and(|nodes| nodes.len() == NODES - 1)
    };
    assert!(wait(Duration::from_secs(30), noticed), "node 3 is still counted");
    std::thread::sleep(Duration::from_secs(2));
    act(cluster);
    cluster.launch(2);
    cluster.wait_until_ready(2);
    cluster.wait_until_agreed();
}

/// Closes a shard for writing on all its replicas, or opens it again, and waits until they say so.
pub(super) fn set_shard_status(cluster: &Cluster, class: &str, shard: &str, status: &str) {
    let path = format!("/v1/schema/{class}/shards");
    let reply = cluster
        .request(0, Method::PUT, &format!("{path}/{shard}"))
        .json(&json!({"status": status}))
        .send();
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let is_set = |node| {
        let shards = cluster.get(node, &path).body;
        let all = shards.as_array().cloned().unwrap_or_default();
        all.iter().any(|it| it["name"] == shard && it["status"] == status)
    };
    let all = wait(Duration::from_secs(10), || (0..NODES).all(is_set));
    assert!(all, "{shard} is not {status} everywhere: {:?}", cluster.get(0, &path).body);
}
