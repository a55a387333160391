//! `POST /v1/batch/objects`: each object has its own outcome.
//!
//! The request fails as a whole only for what is wrong with the request.

use serde_json::{Value, json};

use super::auto_schema::class_for;
use super::call::{Call, Outcome, Reply};
use super::class::{Object, class_name};
use super::level::Level;
use super::objects::level;
use super::properties::{self, is_id};
use super::world::{Replica, World};

/// `POST /v1/batch/objects`
pub(super) fn create(world: &mut World, at: usize, call: &Call) -> Outcome {
    let level = level(call)?;
    let sent = call.json("body")?;
    let list = sent["objects"].as_array().map_or(&[][..], Vec::as_slice);
    if list.is_empty() {
        let why = "invalid param 'objects': cannot be empty, need at least one object for batching";
        return Ok(Reply::error(422, why));
    }
    for (index, object) in list.iter().enumerate() {
        if let Some(id) = object["id"].as_str().filter(|id| !is_id(id)) {
            let message = format!("body.objects.{index}.id in body must be of type uuid: \"{id}\"");
            return Ok(Reply::invalid(422, 601, &message));
        }
    }
    if list.iter().any(|object| object["class"].as_str().unwrap_or_default().is_empty()) {
        // The server says 200 and nothing.
        return Ok(Reply::empty(200));
    }
    let now = world.now();
    let answers = list.iter().map(|object| {
        let sent = object.as_object().cloned().unwrap_or_default();
        put(world, at, &sent, level, now)
    });
    let answers: Vec<Value> = answers.collect();
    Ok(Reply::json(200, &Value::Array(answers)))
}

/// Puts one object, and says how that went. One that exists is replaced.
fn put(world: &mut World, at: usize, sent: &Object, level: Level, now: i64) -> Value {
    let (object, done) = try_put(world, at, sent, level, now);
    let result = match done {
        Ok(()) => json!({ "status": "SUCCESS" }),
        Err(why) => json!({ "errors": { "error": [{ "message": why }] }, "status": "FAILED" }),
    };
    let mut answer = object;
    answer.insert("deprecations".into(), json!(null));
    answer.insert("result".into(), result);
    Value::Object(answer)
}

/// Puts one object. Returns it as it is stored, and what the server says where it is not.
pub(super) fn try_put(
    world: &mut World,
    at: usize,
    sent: &Object,
    level: Level,
    now: i64,
) -> (Object, Result<(), String>) {
    let id = sent.get("id").and_then(Value::as_str).map_or_else(|| world.id(), str::to_lowercase);
    let name = class_name(sent.get("class").and_then(Value::as_str).unwrap_or_default());
    let object = properties::stored(sent, &name, &id, now);
    let mut put = || {
        let class = class_for(world, at, sent).map_err(|missing| missing.text())?;
        properties::check(&class, sent.get("properties"))?;
        let shard = class.shard_of(&id, sent.get("tenant").and_then(Value::as_str))?;
        let insert = |replica: &mut Replica| {
            replica.objects.insert(id.clone(), object.clone());
        };
        world.write(at, &class, shard, level, insert).map_err(|trouble| trouble.text())
    };
    let done = put();
    (object, done)
}
