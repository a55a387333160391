//! `/v1/replication/scale`: replicas added or taken away in place.
//!
//! The copying that takes seconds on the real server is done at once here;
//! what is told of it is in `operations`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::class_name;
use super::operations::{Kind, Operation};
use super::raft::Command;
use super::replication::enabled;
use super::world::World;

/// `GET /v1/replication/scale`: a plan, nothing more.
pub(super) fn plan(world: &mut World, at: usize, call: &Call) -> Outcome {
    enabled(world)?;
    for key in ["collection", "replicationFactor"] {
        if call.query(key).is_none_or(str::is_empty) {
            return Ok(Reply::invalid(422, 602, &format!("{key} in query is required")));
        }
    }
    let factor: usize =
        call.query("replicationFactor").and_then(|text| text.parse().ok()).unwrap_or(0);
    let name = call.query("collection").unwrap_or_default();
    let failed = |why: String| Reply::error(500, &format!("failed to execute query: {why}"));
    let planning = "could not get replication scale plan";
    let leader = world.leader(at).map_err(failed)?;
    let nodes = world.visible_names();
    let Some(class) = world.nodes[leader].schema.get(&class_name(name)).cloned() else {
        let why = format!("{planning}: class not found: {name}");
        return Ok(failed(world.relayed(at, "NotFound", &why, "\nnot found")));
    };
    if factor > nodes.len() {
        let have = nodes.len();
        let why = format!("{planning}: not enough storage replicas: found {have} want {factor}");
        return Ok(failed(world.relayed(at, "Internal", &why, "")));
    }
    let mut actions = Map::new();
    for (shard, planned) in &class.shards {
        let have = &planned.replicas;
        let source = have.first().cloned().unwrap_or_default();
        let missing = nodes.iter().filter(|node| !have.contains(node));
        let add: BTreeMap<&String, &String> =
            missing.take(factor.saturating_sub(have.len())).map(|node| (node, &source)).collect();
        let remove = &have[factor.min(have.len())..];
        if !add.is_empty() {
            actions.insert(shard.clone(), json!({ "addNodes": add, "removeNodes": [] }));
        } else if !remove.is_empty() {
            actions.insert(shard.clone(), json!({ "removeNodes": remove }));
        }
    }
    let plan = world.id();
    Ok(Reply::json(
        200,
        &json!({ "collection": class.name(), "planId": plan, "shardScaleActions": actions }),
    ))
}

/// `POST /v1/replication/scale`: does what a plan says.
pub(super) fn apply(world: &mut World, at: usize, call: &Call) -> Outcome {
    enabled(world)?;
    let plan = call.json("body")?;
    let class = class_name(plan["collection"].as_str().unwrap_or_default());
    let failed = |why: String| Reply::error(500, &why);
    let leader = world.leader(at).map_err(failed)?;
    let Some(found) = world.nodes[leader].schema.get(&class).cloned() else {
        return Ok(failed(format!("class not found: {class}")));
    };
    if world.operations.iter().any(|operation| operation.is_under_way(&class)) {
        let why =
            format!("cannot scale while there are ongoing replications for collection {class}");
        return Ok(failed(why));
    }
    let mut ids = Vec::new();
    for (shard, actions) in plan["shardScaleActions"].as_object().into_iter().flatten() {
        let Some(planned) = found.shards.get(shard) else { continue };
        let mut replicas = planned.replicas.clone();
        let removed = actions["removeNodes"].as_array().into_iter().flatten();
        let removed: Vec<&str> = removed.filter_map(Value::as_str).collect();
        let left = replicas.len().saturating_sub(removed.len());
        let factor = found.factor();
        if !removed.is_empty() && (left as u64) < factor {
            return Ok(failed(format!(
                "unable to delete replica from shard, minimum replication factor {factor}"
            )));
        }
        replicas.retain(|node| !removed.contains(&node.as_str()));
        for (target, source) in actions["addNodes"].as_object().into_iter().flatten() {
            let source = source.as_str().unwrap_or_default().to_owned();
            replicas.push(target.clone());
            let id = world.id();
            ids.push(id.clone());
            world.operations.push(Operation::new(id, &class, shard, &source, target, Kind::Copy));
        }
        let (class, shard) = (class.clone(), shard.clone());
        world.commit(at, Command::SetReplicas { class, shard, replicas }).map_err(failed)?;
    }
    for node in 0..world.nodes.len() {
        world.repair(node);
    }
    // Taking away is done at once, and no operation.
    let ids = if ids.is_empty() { Value::Null } else { json!(ids) };
    let body = json!({ "collection": class, "operationIds": ids, "planId": plan["planId"] });
    Ok(Reply::json(200, &body))
}
