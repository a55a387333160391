//! `/v1/schema` and `/v1/schema/CLASS`.
//!
//! Knows how the answers look; the change itself is RAFT's (`raft`), the
//! defaults are in `defaults`, what is refused in `checks`.

use serde_json::{Map, Value};

use super::call::{Call, Outcome, Reply};
use super::class::{Class, Object, class_name};
use super::placement::placed;
use super::raft::Command;
use super::update::{Refusal, updated};
use super::world::World;
use super::{checks, defaults, operations};

/// `GET /v1/schema`
pub(super) fn list(world: &mut World, at: usize, call: &Call) -> Outcome {
    let source = source(world, at, call).map_err(|error| {
        let strong = "could not read schema with strong consistency";
        Reply::error(500, &format!("{strong}: failed to execute query: {error}"))
    })?;
    let classes: Vec<Value> =
        world.nodes[source].schema.values().map(|class| shown(class, call)).collect();
    let list = Map::from_iter([("classes".to_owned(), Value::Array(classes))]);
    Ok(Reply::json(200, &Value::Object(list)))
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
    let class = placed(world, at, defaults::complete(sent, world.visible_names().len()))?;
    let leader = world.leader(at)?;
    let name = class.name().to_owned();
    if world.nodes[leader].schema.contains_key(&name) {
        let why = format!("class name {name} already exists");
        return Err(world.relayed(at, "Internal", &why, ""));
    }
    let config = class.config.as_ref().clone();
    world.commit(at, Command::Add(class))?;
    Ok(config)
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
    let config = match updated(class, sent) {
        Ok(config) => config,
        Err(Refusal::Here(why)) => return Ok(Reply::refused(&why)),
        Err(Refusal::Leader(why)) => {
            let why = format!(
                "updating schema: TYPE_UPDATE_CLASS: bad request :parse class update: {why}"
            );
            let why = world.relayed(at, "InvalidArgument", &why, "\nbad request\nbad request");
            return Ok(Reply::refused(&why));
        }
    };
    let update = Command::Update { class: name, config: config.clone() };
    world.commit(at, update).map_err(|error| Reply::refused(&error))?;
    Ok(Reply::json(200, &Value::Object(config)))
}

/// `DELETE /v1/schema/CLASS`: 200 for a class that is not there, too.
pub(super) fn delete(world: &mut World, at: usize, class: &str) -> Outcome {
    let class = class_name(class);
    world
        .commit(at, Command::Delete { class: class.clone() })
        .map_err(|error| Reply::error(400, &error))?;
    operations::forget(world, &class);
    Ok(Reply::empty(200))
}

/// Returns the node whose schema is the answer: the leader's, unless this node's own is wanted.
fn source(world: &mut World, at: usize, call: &Call) -> Result<usize, String> {
    if call.own_schema { Ok(at) } else { world.leader(at) }
}

/// A class as the answer to a reading. What comes from the leader has been through JSON
/// once more, which sorts the keys of the free-form parts.
fn shown(class: &Class, call: &Call) -> Value {
    let mut config = class.config.as_ref().clone();
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
