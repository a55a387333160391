//! `/v1/schema/CLASS/shards`: which may be written to.
//!
//! Reads the node's own schema, as the server does here.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::class_name;
use super::raft::Command;
use super::status::ShardStatus;
use super::world::World;

/// `GET /v1/schema/CLASS/shards`
pub(super) fn list(world: &World, at: usize, call: &Call, class: &str) -> Reply {
    let name = class_name(class);
    let Some(class) = world.nodes[at].schema.get(&name) else {
        let message =
            format!("cannot get shards status for a non-existing index for {name}: not found");
        return Reply::error(404, &message);
    };
    let mut list = Vec::new();
    for (shard, planned) in &class.shards {
        if call.query("tenant").is_some_and(|tenant| tenant != shard) {
            continue;
        }
        let holders = nearest(world, at, &planned.replicas);
        let Some(&holder) = holders.first() else {
            let gone = planned.replicas.first().map_or("", String::as_str);
            let message = format!("shard {shard}: resolve node name \"{gone}\" to host");
            return Reply::error(500, &message);
        };
        let Some(replica) = world.nodes[holder].replica(&name, shard) else {
            if holder == at {
                // The server looks for a tenant that is asleep on itself, and panics.
                return Reply::Cut;
            }
            let message =
                format!("shard {shard}: status code: 500 body: (local {shard} shard not found\n)");
            return Reply::error(500, &message);
        };
        list.push(json!({
            "name": shard, "status": replica.status.word(), "vectorQueueSize": replica.queue,
        }));
    }
    Reply::json(200, &Value::Array(list))
}

/// `PUT /v1/schema/CLASS/shards/SHARD`: 200 for a shard that is not there, too.
pub(super) fn update(
    world: &mut World,
    at: usize,
    call: &Call,
    class: &str,
    shard: &str,
) -> Outcome {
    let class = class_name(class);
    let sent = call.json("body")?;
    let status = sent["status"].as_str().unwrap_or_default().to_owned();
    let leader = world.leader(at).map_err(|error| Reply::error(500, &error))?;
    let Some(found) = world.nodes[leader].schema.get(&class) else {
        let why = format!(
            "updating db: TYPE_UPDATE_SHARD_STATUS: cannot update shard status to a non-existing \
             index for {class}: not found"
        );
        return Ok(Reply::error(404, &world.relayed(at, "NotFound", &why, "\nnot found")));
    };
    if found.shards.contains_key(shard) {
        let Some(status) = ShardStatus::settable(&status) else {
            let why =
                format!("updating db: TYPE_UPDATE_SHARD_STATUS: {status}: invalid storage status");
            return Ok(Reply::error(500, &world.relayed(at, "Internal", &why, "")));
        };
        let command = Command::SetStatus { class, shard: shard.to_owned(), status };
        world.commit(at, command).map_err(|error| Reply::error(500, &error))?;
    }
    Ok(Reply::json(200, &json!({ "status": status })))
}

/// Returns the nodes of `replicas` which can be found, the node asked first.
pub(super) fn nearest(world: &World, at: usize, replicas: &[String]) -> Vec<usize> {
    let mut found: Vec<usize> = replicas
        .iter()
        .filter_map(|name| world.index(name))
        .filter(|&node| world.visible(node))
        .collect();
    found.sort_by_key(|&node| node != at);
    found
}
