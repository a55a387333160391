//! `/v1/nodes` and `/v1/nodes/CLASS`: what each node that can be found holds.
//!
//! A node that is gone is simply not in the list, as on the real server.

use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::class::class_name;
use super::world::{Node, World};

/// The version that the sandbox is compared with.
pub(super) const VERSION: &str = "1.39.0";

/// `GET /v1/nodes[/CLASS]`
pub(super) fn list(world: &mut World, at: usize, call: &Call, class: Option<&str>) -> Reply {
    let verbose = match call.query("output").unwrap_or("minimal") {
        "minimal" => false,
        "verbose" => true,
        other => {
            let possible = "possible values are: \"minimal\", \"verbose\"";
            let message = format!("invalid output: \"{other}\", {possible}");
            return Reply::error(422, &message);
        }
    };
    let class = class.map(class_name);
    let led = world.leader_of(at).is_some();
    let running: Vec<usize> = (0..world.nodes.len()).filter(|&node| world.visible(node)).collect();
    if let Some(class) = &class {
        let lacking = |node: &usize| !world.nodes[*node].schema.contains_key(class);
        if lacking(&at) || (verbose && running.iter().any(lacking)) {
            return Reply::error(404, &format!("class \"{class}\" not found"));
        }
    }
    let nodes: Vec<Value> = running
        .into_iter()
        .map(|node| {
            let node = &world.nodes[node];
            let mut status = json!({
                "batchStats": { "queueLength": 0, "ratePerSecond": 0 },
                "name": node.name,
                "operationalMode": "ReadWrite",
                "shards": null,
            });
            if verbose {
                let shards = shards(node, class.as_deref());
                let objects: u64 =
                    shards.iter().filter_map(|shard| shard["objectCount"].as_u64()).sum();
                let sums = json!({ "objectCount": objects, "shardCount": shards.len() });
                status["shards"] = if shards.is_empty() { json!(null) } else { json!(shards) };
                status["stats"] = sums;
            }
            status["status"] = json!(if led { "HEALTHY" } else { "UNHEALTHY" });
            status["version"] = json!(VERSION);
            status
        })
        .collect();
    Reply::json(200, &json!({ "nodes": nodes }))
}

/// Returns the shards that a node has open.
fn shards(node: &Node, only: Option<&str>) -> Vec<Value> {
    let held = node.replicas.keys().filter(|(class, _)| only.is_none_or(|only| only == class));
    held.filter_map(|(class, shard)| {
        let replica = node.replica(class, shard)?;
        let found = node.schema.get(class)?;
        Some(json!({
            "asyncReplicationStatus": [],
            "class": class,
            "compressed": false,
            "loaded": true,
            "name": shard,
            "numberOfReplicas": found.shards.get(shard)?.replicas.len(),
            "objectCount": replica.flushed,
            "replicationFactor": found.factor(),
            "vectorIndexingStatus": if replica.read_only { "READONLY" } else { "READY" },
            "vectorQueueLength": 0,
        }))
    })
    .collect()
}
