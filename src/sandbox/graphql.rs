//! `/v1/graphql`, as far as counting goes: `{Aggregate{CLASS{meta{count}}}}`
//! with several classes, aliases, `tenant:` and `limit:`.
//!
//! With a limit it is the nearest replica that counts, without one all of them.
//! Knows what a count is; how a query is read is in `query`.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::Class;
use super::query::{Field, Place, parse};
use super::world::World;

/// What the real server calls the thing whose fields are the classes.
const ROOT: &str = "AggregateObjectsObj";

/// `POST /v1/graphql`
pub(super) fn answer(world: &World, at: usize, call: &Call) -> Outcome {
    if world.nodes[at].schema.is_empty() {
        let why = "no graphql provider present, this is most likely because no schema is present. \
                   Import a schema first!";
        return Ok(Reply::error(422, why));
    }
    let sent = call.json("body")?;
    let query = sent["query"].as_str().unwrap_or_default();
    if query.is_empty() {
        return Ok(Reply::error(422, "query cannot be empty"));
    }
    let fields = match parse(query) {
        Ok(fields) => fields,
        Err(error) => {
            let body = json!({ "errors": [located(&error.message, error.place, None)] });
            return Ok(Reply::json(200, &body));
        }
    };
    let [aggregate] = fields.as_slice() else { return Ok(too_much()) };
    if aggregate.name != "Aggregate" || !aggregate.fields.iter().all(is_count) {
        return Ok(too_much());
    }
    if let Some(error) = aggregate.fields.iter().find_map(|field| misfit(world, at, field)) {
        return Ok(Reply::json(200, &json!({ "errors": [error] })));
    }

    let mut counts = Map::new();
    let mut errors = Vec::new();
    for field in &aggregate.fields {
        let class = &world.nodes[at].schema[&field.name];
        let counted = count(world, at, class, field)?;
        let value = counted.unwrap_or_else(|why| {
            let path = [aggregate.key.as_str(), field.key.as_str()];
            errors.push(located(&why, field.place, Some(path)));
            Value::Null
        });
        counts.insert(field.key.clone(), value);
    }
    counts.sort_keys();
    let mut body = Map::new();
    let mut data = Map::new();
    data.insert(aggregate.key.clone(), Value::Object(counts));
    body.insert("data".into(), Value::Object(data));
    if !errors.is_empty() {
        body.insert("errors".into(), Value::Array(errors));
    }
    Ok(Reply::json(200, &Value::Object(body)))
}

/// Counts the objects of a class: those that can be reached, which need not be all.
fn count(
    world: &World,
    at: usize,
    class: &Class,
    field: &Field,
) -> Result<Result<Value, String>, Reply> {
    let tenant = field.arguments.iter().find(|(name, _)| name == "tenant");
    let shards: Vec<&str> = if class.has_tenants() {
        match class.shard_of("", tenant.map(|(_, value)| value.as_str())) {
            Ok(shard) => vec![shard],
            Err(why) => return Ok(Err(why)),
        }
    } else {
        class.shards.keys().map(String::as_str).collect()
    };
    let given = |wanted: &str| field.arguments.iter().any(|(name, _)| name == wanted);
    if given("objectLimit") {
        let why = "objectLimit can only be used with a near<Media> or hybrid filter";
        return Ok(Err(why.to_owned()));
    }
    let mut total = 0;
    for shard in &shards {
        if !given("limit") && world.lacks_replica(at, class, shard) {
            // A node that should have a replica does not know the class: the server
            // tries for a minute, then the connection breaks.
            return Err(Reply::Cut);
        }
        let mut sizes = world.sizes(at, class, shard);
        if given("limit") {
            sizes.truncate(1);
        }
        total += match agreed(sizes) {
            Some(size) => size,
            None if shards.len() == 1 => return Ok(Err("no read replica found".to_owned())),
            // Counted without it, and without a word.
            None => 0,
        };
    }
    let meta = &field.fields[0];
    let (meta_key, count_key) = (meta.key.as_str(), meta.fields[0].key.as_str());
    Ok(Ok(json!([{ meta_key: { count_key: total } }])))
}

/// Returns the number that most replicas have; where none is had twice, the middle one.
fn agreed(mut sizes: Vec<usize>) -> Option<usize> {
    sizes.sort_unstable();
    let hits = |size: usize| sizes.iter().filter(|&&other| other == size).count();
    // Of those that are had equally often, the smallest.
    let most = sizes.iter().copied().rev().max_by_key(|&size| hits(size))?;
    if hits(most) > 1 { Some(most) } else { sizes.get(sizes.len() / 2).copied() }
}

/// Returns the error for a class that is not there, or an argument that it does not have.
fn misfit(world: &World, at: usize, field: &Field) -> Option<Value> {
    let name = &field.name;
    let message = match world.nodes[at].schema.get(name) {
        None => format!("Cannot query field \"{name}\" on type \"{ROOT}\"."),
        Some(class) => {
            let known = |argument: &str| match argument {
                "limit" | "objectLimit" => true,
                argument => argument == "tenant" && class.has_tenants(),
            };
            let (unknown, _) = field.arguments.iter().find(|(argument, _)| !known(argument))?;
            let mut place = field.place;
            place.column += field.key.len() + 1;
            let message =
                format!("Unknown argument \"{unknown}\" on field \"{name}\" of type \"{ROOT}\".");
            return Some(located(&message, place, None));
        }
    };
    Some(located(&message, field.place, None))
}

fn is_count(field: &Field) -> bool {
    matches!(field.fields.as_slice(), [meta] if meta.name == "meta"
        && matches!(meta.fields.as_slice(), [count] if count.name == "count"))
}

fn located(message: &str, place: Place, path: Option<[&str; 2]>) -> Value {
    let Place { line, column } = place;
    json!({ "locations": [{ "column": column, "line": line }], "message": message, "path": path })
}

fn too_much() -> Reply {
    Reply::error(501, "the sandbox only counts: {Aggregate{CLASS{meta{count}}}}")
}
