//! `/v1/nodes` and `/v1/nodes/CLASS`: what each node that can be found holds.
//!
//! A node that is gone is simply not in the list, as on the real server.

use serde_json::{Map, Value, json};

use super::call::{Call, Reply};
use super::class::class_name;
use super::status::ShardStatus;
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
                "operationalMode": node.mode,
                "shards": null,
            });
            if verbose {
                let shards = shards(node, class.as_deref());
                let objects: u64 =
                    shards.iter().filter_map(|shard| shard["objectCount"].as_u64()).sum();
                let sums = json!({ "objectCount": objects, "shardCount": shards.len() });
                // Moved, not copied: there can be thousands.
                let empty = shards.is_empty();
                status["shards"] = if empty { Value::Null } else { Value::Array(shards) };
                status["stats"] = sums;
            }
            status["status"] = json!(if led { "HEALTHY" } else { "UNHEALTHY" });
            status["version"] = json!(node.version);
            status
        })
        .collect();
    let list = Map::from_iter([("nodes".to_owned(), Value::Array(nodes))]);
    Reply::json(200, &Value::Object(list))
}

/// Returns the shards that a node has open.
fn shards(node: &Node, only: Option<&str>) -> Vec<Value> {
    let held = node.replicas.keys().filter(|(class, _)| only.is_none_or(|only| only == class));
    held.filter_map(|(class, shard)| {
        let replica = node.replica(class, shard)?;
        let found = node.schema.get(class)?;
        let loaded = replica.status != ShardStatus::LazyLoading;
        Some(json!({
            "asyncReplicationStatus": if loaded { json!([]) } else { json!(null) },
            "class": class,
            "compressed": false,
            "loaded": loaded,
            "name": shard,
            "numberOfReplicas": found.shards.get(shard)?.replicas.len(),
            "objectCount": replica.flushed,
            "replicationFactor": found.factor(),
            "vectorIndexingStatus": replica.status.word(),
            "vectorQueueLength": replica.queue,
        }))
    })
    .collect()
}
