//! `/v1/replication/sharding-state`: where replicas are planned to be.
//!
//! Scaling is in `scale`.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::class_name;
use super::world::World;

/// `GET /v1/replication/sharding-state`
pub(super) fn sharding_state(world: &mut World, at: usize, call: &Call) -> Outcome {
    enabled(world)?;
    let Some(name) = call.query("collection").filter(|name| !name.is_empty()) else {
        return Ok(Reply::error(400, "collection is required"));
    };
    let leader = world
        .leader(at)
        .map_err(|why| Reply::error(500, &format!("failed to execute query: {why}")))?;
    let Some(class) = world.nodes[leader].schema.get(&class_name(name)) else {
        return Ok(Reply::empty(404));
    };
    let only = call.query("shard").filter(|shard| !shard.is_empty());
    let shards: Vec<Value> = class
        .shards
        .iter()
        .filter(|(shard, _)| only.is_none_or(|only| only == *shard))
        .map(|(shard, planned)| json!({ "replicas": planned.replicas, "shard": shard }))
        .collect();
    if only.is_some() && shards.is_empty() {
        return Ok(Reply::empty(404));
    }
    let state = json!({ "collection": class.name(), "shards": shards });
    Ok(Reply::json(200, &json!({ "shardingState": state })))
}

/// Answers 501 where the movement of replicas is off, which is the server's default.
pub(super) fn enabled(world: &World) -> Result<(), Reply> {
    if world.movement { Ok(()) } else { Err(Reply::empty(501)) }
}
