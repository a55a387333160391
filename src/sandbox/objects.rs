//! One object: `POST /v1/objects` and `/v1/objects/CLASS/ID`.
//!
//! Puts the server's words around what `replica` does.

use serde_json::{Value, json};

use super::auto_schema::{Missing, class_for};
use super::call::{Call, Outcome, Reply};
use super::class::{Class, Object, class_name};
use super::level::Level;
use super::properties::{self, is_id};
use super::replica::{From, Trouble};
use super::world::World;

/// `POST /v1/objects`
pub(super) fn create(world: &mut World, at: usize, call: &Call) -> Outcome {
    let level = level(call)?;
    let sent = call.json("body")?;
    let sent = sent.as_object().cloned().unwrap_or_default();
    let refused = |why: String| Reply::error(422, &why);
    if let Some(id) = sent.get("id").and_then(Value::as_str).filter(|id| !is_id(id)) {
        let message = format!("id in body must be of type uuid: \"{id}\"");
        return Ok(Reply::invalid(422, 601, &message));
    }
    if sent.get("class").and_then(Value::as_str).unwrap_or_default().is_empty() {
        return Ok(refused("invalid object: the given class is empty".into()));
    }
    // What is no object has no properties that auto-schema could add; the check refuses it.
    let shaped = sent.get("properties").is_none_or(|sent| sent.is_null() || sent.is_object());
    let mut known = sent.clone();
    known.retain(|key, _| shaped || key != "properties");
    let class = class_for(world, at, &known).map_err(|missing| match &missing {
        Missing::Refused(why) => refused(format!("invalid object: {why}")),
        Missing::Here(_) => Reply::error(500, &format!("put object: {}", missing.text())),
    })?;
    properties::check(&class, sent.get("properties"))
        .map_err(|why| refused(format!("invalid object: {why}")))?;

    let id = sent.get("id").and_then(Value::as_str).map_or_else(|| world.id(), str::to_lowercase);
    let tenant = sent.get("tenant").and_then(Value::as_str);
    let index = class.name().to_lowercase();
    let shard = class.shard_of(&id, tenant).map_err(|why| {
        let index = if class.has_tenants() {
            format!("put object: import into index {index}: ")
        } else {
            String::new()
        };
        refused(format!("{index}determine shard: {why}"))
    })?;
    let found = world.read(at, &class, shard, &id, From::Level(level)).map_err(|trouble| {
        let why = match &trouble {
            Trouble::Unresolved(owner) => {
                let why = trouble.text();
                format!("exists remotely: shard=\"{shard}\" owner=\"{owner}\": {why}")
            }
            other => other.text(),
        };
        Reply::error(500, &why)
    })?;
    if found.is_some() {
        return Ok(refused(format!("id '{id}' already exists")));
    }
    let now = world.now();
    let object = properties::stored(&sent, class.name(), &id, now);
    let put = |replica: &mut super::world::Replica| {
        replica.objects.insert(id.clone(), object.clone());
    };
    world.write(at, &class, shard, level, put).map_err(|trouble| {
        let why = match trouble {
            Trouble::TooFew(why) => format!("replicate insertion: shard=\"{shard}\": {why}"),
            other => single("put", shard, &other),
        };
        Reply::error(500, &format!("put object: import into index {index}: {why}"))
    })?;
    Ok(Reply::json(200, &Value::Object(object)))
}

/// `GET` and `HEAD /v1/objects/CLASS/ID`
pub(super) fn get(world: &mut World, at: usize, call: &Call, class: &str, id: &str) -> Outcome {
    check_id(id)?;
    let node = call.query("node_name");
    if call.query("consistency_level").is_some() && node.is_some() {
        let message = "consistency_level and node_name are mutually exclusive";
        return Ok(Reply::error(400, message));
    }
    let level = level(call)?;
    let Some(class) = world.nodes[at].schema.get(&class_name(class)).cloned() else {
        return Ok(Reply::empty(404));
    };
    let failed = |status: u16, why: &str| {
        let index = class.name().to_lowercase();
        Reply::error(status, &format!("repo: object by id: search index {index}: {why}"))
    };
    let tenant = call.query("tenant");
    let shard = class
        .shard_of(id, tenant)
        .map_err(|why| failed(422, &format!("determine shard: {why}")))?;
    let unknown =
        |name: &&str| class.factor() > 1 && !world.visible_names().iter().any(|n| n == name);
    if let Some(name) = node.filter(unknown) {
        return Ok(failed(500, &format!("cannot resolve node name: {name}")));
    }
    let source = node.map_or(From::Level(level), From::Node);
    let found = world.read(at, &class, shard, &id.to_lowercase(), source).map_err(|trouble| {
        let why = trouble.text();
        match trouble {
            Trouble::TooFew(_) => failed(500, &why),
            _ => failed(500, &format!("get remote object: shard={shard}: {why}")),
        }
    })?;
    let Some(object) = found else { return Ok(Reply::empty(404)) };
    if call.method == "HEAD" {
        return Ok(Reply::empty(204));
    }
    Ok(Reply::json(200, &Value::Object(shown(object, call))))
}

/// `DELETE /v1/objects/CLASS/ID`: 204 for one that is not there, too.
pub(super) fn delete(world: &mut World, at: usize, call: &Call, class: &str, id: &str) -> Outcome {
    check_id(id)?;
    let level = level(call)?;
    let name = class_name(class);
    let Some(class) = world.nodes[at].schema.get(&name).cloned() else {
        let why = format!(
            "could not delete object from vector repo: delete from non-existing index for {name}"
        );
        return Ok(Reply::error(500, &why));
    };
    let from = format!("delete from index \"{}\"", class.name().to_lowercase());
    let shard = shard(&class, call, id).map_err(|why| {
        Reply::error(
            422,
            &format!("delete object from vector repo: {from}: determine shard: {why}"),
        )
    })?;
    let remove = |replica: &mut super::world::Replica| {
        replica.objects.remove(&id.to_lowercase());
    };
    world.write(at, &class, shard, level, remove).map_err(|trouble| {
        let why = match trouble {
            Trouble::TooFew(why) => format!("replicate deletion: shard=\"{shard}\" {why}"),
            other => single("delete", shard, &other),
        };
        Reply::error(500, &format!("could not delete object from vector repo: {from}: {why}"))
    })?;
    Ok(Reply::empty(204))
}

/// An object as an answer to a reading.
pub(super) fn shown(mut object: Object, call: &Call) -> Object {
    let include = call.query("include").unwrap_or_default();
    if !include.split(',').any(|part| part == "vector") {
        object.shift_remove("vector");
        object.shift_remove("vectors");
    }
    object.insert("vectorWeights".into(), json!(null));
    if let Some(named) = object.shift_remove("vectors") {
        object.insert("vectors".into(), named);
    }
    object
}

/// Reads the query parameter `consistency_level`.
pub(super) fn level(call: &Call) -> Result<Level, Reply> {
    Level::parse(call.query("consistency_level").unwrap_or_default())
        .map_err(|why| Reply::error(400, &why))
}

/// Words what the only replica of a shard did not do.
fn single(what: &str, shard: &str, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Only { local: true, why } => {
            format!("{what} local object: shard=\"{shard}\": {why}")
        }
        Trouble::Only { local: false, why } => {
            format!("{what} remote object: shard=\"{shard}\": status code: 500, error: {why}\n")
        }
        other => format!("{what} remote object: shard=\"{shard}\": {}", other.text()),
    }
}

fn shard<'a>(class: &'a Class, call: &Call, id: &str) -> Result<&'a str, String> {
    class.shard_of(&id.to_lowercase(), call.query("tenant"))
}

fn check_id(id: &str) -> Result<(), Reply> {
    if is_id(id) {
        return Ok(());
    }
    Err(Reply::invalid(422, 601, &format!("id in path must be of type uuid: \"{id}\"")))
}
