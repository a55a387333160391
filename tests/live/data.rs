//! Classes and objects for the tests.

use std::ops::Range;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES};
use super::view::wait;

/// Creates a class with one replica of each of three shards: one too few for a class that must be
/// everywhere, and what a cluster makes of a class whose factor was forgotten.
pub(super) fn create_class_with_factor_1(cluster: &Cluster, class: &str) {
    create(
        cluster,
        &json!({
            "class": class,
            "description": "Settings of the \"tree\" ✓",
            "properties": [
                {"name": "config_key", "dataType": ["text"], "tokenization": "field"},
                {"name": "config_value", "dataType": ["text"], "indexSearchable": false},
                {"name": "updated", "dataType": ["date"]},
            ],
            "invertedIndexConfig": {"bm25": {"k1": 1.3, "b": 0.7}, "indexTimestamps": true},
            "shardingConfig": {"desiredCount": 3},
            "replicationConfig": {"factor": 1},
        }),
    );
}

/// Creates a class and waits until every node has it and its shards.
pub(super) fn create(cluster: &Cluster, definition: &Value) {
    let mut reply = cluster.post(0, "/v1/schema", definition);
    // Just after a change of leader a node's connection to the old one fails once more.
    let made = wait(Duration::from_secs(10), || {
        reply.status == 200 || {
            reply = cluster.post(0, "/v1/schema", definition);
            false
        }
    });
    assert!(made, "{:?}", reply.body);
    let class = definition["class"].as_str().unwrap();
    cluster.wait_until_present(class);
    cluster.wait_until_open(class);
}

/// Deletes a class and waits until no node has it.
pub(super) fn delete(cluster: &Cluster, class: &str) {
    let path = format!("/v1/schema/{class}");
    let reply = cluster.request(0, Method::DELETE, &path).send();
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let gone = || cluster.presence(class) == [false; NODES];
    assert!(wait(Duration::from_secs(10), gone), "{:?}", cluster.presence(class));
}

/// Every shard takes writes, whichever node is asked; leaves objects behind.
#[track_caller]
pub(super) fn expect_writable(cluster: &Cluster, class: &str) {
    for node in 0..NODES {
        // One for each shard, most likely.
        for number in 0..10 {
            let id = id(1_000_000 + (node * 10 + number) as u128);
            let reply = cluster.post(node, "/v1/objects", &json!({"class": class, "id": id}));
            assert_eq!(reply.status, 200, "{class} takes no writes: {:?}", reply.body);
        }
    }
}

/// Imports this many objects.
pub(super) fn import(cluster: &Cluster, class: &str, count: u128) {
    write(cluster, 0, class, 0..count, "QUORUM");
}

/// Imports the objects with these numbers at a node, done when so many replicas (`ONE`, …) have them.
pub(super) fn write(
    cluster: &Cluster,
    node: usize,
    class: &str,
    numbers: Range<u128>,
    level: &str,
) {
    let object = |number| {
        json!({
            "class": class,
            "id": id(number),
            "properties": {"config_key": format!("key {number}")},
            "vector": vector(number, 3),
        })
    };
    let objects: Vec<Value> = numbers.map(object).collect();
    let path = format!("/v1/batch/objects?consistency_level={level}");
    let mut last = None;
    // Just after a node was killed a write can hang, although the nodes no longer list it; the same
    // objects can be written again.
    let written = wait(Duration::from_secs(90), || {
        let request = cluster.request(node, Method::POST, &path).timeout(Duration::from_secs(10));
        let reply = request.json(&json!({"objects": objects})).send();
        let results = reply.body.as_array().cloned().unwrap_or_default();
        let all = results.iter().all(|it| it["result"]["status"] == "SUCCESS");
        let done = reply.status == 200 && results.len() == objects.len() && all;
        last = Some(reply);
        done
    });
    assert!(written, "{last:?}");
}

/// Inserts objects until this many lie on that node, and none elsewhere.
pub(super) fn import_on_node(cluster: &Cluster, class: &str, count: usize, node: &str) {
    // Where an object goes is decided by its id, so the shards elsewhere are closed for writing.
    let elsewhere: Vec<String> = cluster
        .planned_replicas(class)
        .into_iter()
        .filter(|(_, nodes)| !nodes.iter().any(|it| it == node))
        .map(|(shard, _)| shard)
        .collect();
    set_shards(cluster, class, &elsewhere, "READONLY");
    let insert = |number| {
        cluster.post(0, "/v1/objects", &json!({"class": class, "id": id(number)})).status == 200
    };
    let there = (0..200).filter(|number| insert(*number)).take(count).count();
    assert_eq!(there, count, "objects on {node}");
    set_shards(cluster, class, &elsewhere, "READY");
}

/// Makes shards take writes, or refuse them.
pub(super) fn set_shards(cluster: &Cluster, class: &str, shards: &[String], status: &str) {
    for shard in shards {
        let path = format!("/v1/schema/{class}/shards/{shard}");
        let reply = cluster.request(0, Method::PUT, &path).json(&json!({"status": status})).send();
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }
    // The other nodes take it over a moment later, and nothing tells when.
    std::thread::sleep(Duration::from_secs(2));
}

/// What the server itself counts, asked at node 1; `None` where it gives no number.
pub(super) fn count(cluster: &Cluster, class: &str) -> Option<u64> {
    let query = json!({"query": format!("{{Aggregate{{{class}{{meta{{count}}}}}}}}")});
    let request = cluster.request(0, Method::POST, "/v1/graphql").json(&query);
    let reply = request.timeout(Duration::from_secs(2)).send();
    reply.body["data"]["Aggregate"][class][0]["meta"]["count"].as_u64()
}

/// The object ids are fixed, so that a failure can be looked into: the same lie on the same shard.
pub(super) fn id(number: u128) -> String {
    // Spread over the whole range, as the ids of real objects are.
    let spread = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{spread:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A vector that no two of the first thousand objects share.
pub(super) fn vector(number: u128, length: usize) -> Vec<f64> {
    let number = f64::from(u32::try_from(number).unwrap());
    (1..=length).map(|place| (number * f64::from(u32::try_from(place).unwrap())).cos()).collect()
}
