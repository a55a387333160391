//! `/v1/schema` and `/v1/schema/CLASS`.
//!
//! Knows how the answers look; the change itself is RAFT's (`raft`), the
//! defaults are in `defaults`, what is refused in `checks`.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::{Class, Object, Shard, class_name};
use super::raft::Command;
use super::world::World;
use super::{checks, defaults};

/// `GET /v1/schema`
pub(super) fn list(world: &mut World, at: usize, call: &Call) -> Outcome {
    let source = source(world, at, call).map_err(|error| {
        let strong = "could not read schema with strong consistency";
        Reply::error(500, &format!("{strong}: failed to execute query: {error}"))
    })?;
    let classes: Vec<Value> =
        world.nodes[source].schema.values().map(|class| shown(class, call)).collect();
    Ok(Reply::json(200, &json!({ "classes": classes })))
}

/// `GET /v1/schema/CLASS`
pub(super) fn get(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let source = source(world, at, call)
        .map_err(|error| Reply::error(500, &format!("failed to execute query: {error}")))?;
    let class = world.nodes[source].schema.get(&class_name(class));
    Ok(class.map_or(Reply::empty(404), |class| Reply::json(200, &shown(class, call))))
}

/// `POST /v1/schema`
pub(super) fn create(world: &mut World, at: usize, call: &Call) -> Outcome {
    let sent = call.json("objectClass")?;
    let sent = sent.as_object().ok_or_else(|| not_a_class(&sent))?;
    let config = create_class(world, at, sent).map_err(|error| Reply::refused(&error))?;
    Ok(Reply::json(200, &Value::Object(config)))
}

/// Creates a class, for the endpoint and for auto-schema. Returns its configuration.
pub(super) fn create_class(world: &mut World, at: usize, sent: &Object) -> Result<Object, String> {
    checks::check(sent)?;
    let class = placed(world, defaults::complete(sent, world.visible_names().len()))?;
    let leader = world.leader(at)?;
    let name = class.name().to_owned();
    if world.nodes[leader].schema.contains_key(&name) {
        return Err(format!("class name {name} already exists"));
    }
    let config = class.config.clone();
    world.commit(at, Command::Add(class))?;
    Ok(config)
}

/// Plans the shards of a new class on the nodes that can be found.
pub(super) fn placed(world: &mut World, config: Object) -> Result<Class, String> {
    let count = config["shardingConfig"]["actualCount"].as_u64().unwrap_or(0);
    let mut class = Class { config, shards: std::collections::BTreeMap::new() };
    let places = places(world, class.factor())?;
    let names: Vec<String> = (0..count).map(|_| world.shard_name()).collect();
    for (nth, name) in names.into_iter().enumerate() {
        class.shards.insert(name, Shard { replicas: places(nth), active: true });
    }
    Ok(class)
}

/// Returns where the nth shard goes: round the nodes, `factor` of them each.
pub(super) fn places(
    world: &World,
    factor: u64,
) -> Result<impl Fn(usize) -> Vec<String> + use<>, String> {
    let nodes = world.visible_names();
    let factor = usize::try_from(factor).unwrap_or(usize::MAX);
    if factor > nodes.len() {
        return Err(format!(
            "init sharding state: could not find enough weaviate nodes for replication: {} \
             available, {factor} requested",
            nodes.len()
        ));
    }
    Ok(move |nth: usize| {
        nodes.iter().cycle().skip(nth % nodes.len()).take(factor).cloned().collect()
    })
}

/// `PUT /v1/schema/CLASS`
pub(super) fn update(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let name = class_name(class);
    let sent = call.json("objectClass")?;
    let sent = sent.as_object().ok_or_else(|| not_a_class(&sent))?;
    let leader = world.leader(at).map_err(|error| Reply::refused(&error))?;
    let Some(class) = world.nodes[leader].schema.get(&name) else {
        return Ok(Reply::empty(404));
    };
    let config = updated(class, sent).map_err(|error| Reply::refused(&error))?;
    let update = Command::Update { class: name, config: config.clone() };
    world.commit(at, update).map_err(|error| Reply::refused(&error))?;
    Ok(Reply::json(200, &Value::Object(config)))
}

/// Returns the new configuration, or why this cannot be changed.
fn updated(class: &Class, sent: &Object) -> Result<Object, String> {
    let immutable = |what: &str, old: &str, new: &str| {
        format!("{what} is immutable: attempted change from \"{old}\" to \"{new}\"")
    };
    let parse = |why: &str| {
        format!("updating schema: TYPE_UPDATE_CLASS: bad request :parse class update: {why}")
    };

    let mut config = defaults::complete(sent, class.shards.len());
    // What was decided when the class was made stays.
    config.insert("shardingConfig".into(), class.config["shardingConfig"].clone());
    for (optional, within) in
        [("multiTenancyConfig", None), ("replicationConfig", Some("deletionStrategy"))]
    {
        let given = sent.get(optional).is_some_and(|value| !value.is_null());
        match (within, config.get_mut(optional).and_then(Value::as_object_mut)) {
            // The server keeps only what was sent of these two, and forgets the rest.
            (None, _) if !given => drop(config.shift_remove(optional)),
            (Some(key), Some(part)) if sent[optional].get(key).is_none() => {
                drop(part.shift_remove(key))
            }
            _ => {}
        }
    }

    let new = config["class"].as_str().unwrap_or_default();
    if new != class.name() {
        return Err(immutable("class name", class.name(), new));
    }
    let text = |config: &Object, key: &str| {
        config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (old, new) = (text(&class.config, "vectorizer"), text(&config, "vectorizer"));
    if old != new {
        return Err(parse(&immutable("vectorizer", &old, &new)));
    }
    if described_less(&class.config["properties"]) != described_less(&config["properties"]) {
        return Err(parse(
            "property fields other than description cannot be updated through updating the class. \
             Use the add property feature (e.g. \"POST /v1/schema/{className}/properties\") to add \
             additional properties",
        ));
    }
    let factor = config["replicationConfig"]["factor"].as_u64().unwrap_or(1);
    let short = class.shards.iter().find(|(_, shard)| (shard.replicas.len() as u64) < factor);
    if let Some((shard, _)) = short {
        return Err(format!(
            "not enough replicas in shard \"{shard}\" to increase replication factor to {factor} \
             for class \"{}\"",
            class.name()
        ));
    }
    Ok(config)
}

/// `DELETE /v1/schema/CLASS`: 200 for a class that is not there, too.
pub(super) fn delete(world: &mut World, at: usize, class: &str) -> Outcome {
    world
        .commit(at, Command::Delete { class: class_name(class) })
        .map_err(|error| Reply::error(400, &error))?;
    Ok(Reply::empty(200))
}

/// Returns the node whose schema is the answer: the leader's, unless this node's own is wanted.
fn source(world: &mut World, at: usize, call: &Call) -> Result<usize, String> {
    if call.own_schema { Ok(at) } else { world.leader(at) }
}

/// A class as the answer to a reading. What comes from the leader has been through JSON
/// once more, which sorts the keys of the free-form parts.
fn shown(class: &Class, call: &Call) -> Value {
    let mut config = class.config.clone();
    if !call.own_schema {
        for part in ["shardingConfig", "vectorIndexConfig"] {
            if let Some(value) = config.get_mut(part) {
                *value = sorted(value.take());
            }
        }
        let vectors = config.get_mut("vectorConfig").and_then(Value::as_object_mut);
        for vector in vectors.into_iter().flat_map(Map::values_mut) {
            vector["vectorIndexConfig"] = sorted(vector["vectorIndexConfig"].take());
        }
    }
    Value::Object(config)
}

fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

fn described_less(properties: &Value) -> Vec<Value> {
    let mut properties = properties.as_array().cloned().unwrap_or_default();
    for property in properties.iter_mut().filter_map(Value::as_object_mut) {
        property.shift_remove("description");
    }
    properties
}

fn not_a_class(sent: &Value) -> Reply {
    let kind = match sent {
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        _ => "bool",
    };
    let why = format!("json: cannot unmarshal {kind} into Go value of type models.Class");
    Reply::invalid(400, 400, &format!("parsing objectClass body from \"\" failed, because {why}"))
}
