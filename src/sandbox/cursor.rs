//! `GET /v1/objects?class=…&after=…`: the objects of a class in the order of
//! their ids.
//!
//! Reads the nearest replica of each shard, and passes over a shard that has
//! none, without a word: that is what the real server does.

use std::ops::Bound;

use serde_json::{Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::{Class, Object, class_name};
use super::objects::shown;
use super::properties::is_id;
use super::world::World;

/// What the server gives where no limit was asked for.
const USUAL: usize = 25;
/// `QUERY_MAXIMUM_RESULTS`
const MOST: usize = 10_000;

/// `GET /v1/objects`
pub(super) fn list(world: &World, at: usize, call: &Call) -> Outcome {
    let limit = limit(call)?;
    let Some(class) = call.query("class").filter(|class| !class.is_empty()) else {
        if call.query("after").is_some() {
            let why = "list objects: after parameter not allowed, cursor must be specific to one \
                       class, set class query param";
            return Ok(Reply::error(500, why));
        }
        return Ok(Reply::json(200, &json!({ "deprecations": null, "objects": [] })));
    };
    let Some(class) = world.nodes[at].schema.get(&class_name(class)) else {
        return Ok(Reply::empty(404));
    };
    let after = after(call)?;
    if limit == Some(0) {
        return Ok(Reply::json(200, &json!({ "deprecations": [], "objects": [] })));
    }

    let refused = |why: String| {
        let index = class.name().to_lowercase();
        Reply::error(422, &format!("msg:search index {index} code:422 err:{why}"))
    };
    let tenant = call.query("tenant").filter(|tenant| !tenant.is_empty());
    let page = page(world, at, class, tenant, after.as_deref(), limit.unwrap_or(USUAL));
    let page: Vec<Value> = page
        .map_err(refused)?
        .into_iter()
        .map(|object| {
            let mut object = shown(object.clone(), call);
            object.shift_remove("tenant");
            Value::Object(object)
        })
        .collect();
    let total = page.len();
    Ok(Reply::json(200, &json!({ "deprecations": [], "objects": page, "totalResults": total })))
}

/// Returns the objects behind an id.
///
/// # Errors
///
/// There is no such shard; the server's words.
pub(super) fn page<'a>(
    world: &'a World,
    at: usize,
    class: &'a Class,
    tenant: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<&'a Object>, String> {
    let shards: Vec<&str> = if class.has_tenants() || tenant.is_some() {
        vec![class.shard_of("", tenant)?]
    } else {
        class.shards.keys().map(String::as_str).collect()
    };
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let held = shards.iter().filter_map(|shard| world.objects(at, class, shard));
    let mut objects: Vec<&Object> = held
        .flat_map(|objects| objects.range::<str, _>((from, Bound::Unbounded)).take(limit))
        .map(|(_, object)| object)
        .collect();
    objects.sort_by_key(|object| object["id"].as_str());
    objects.truncate(limit);
    Ok(objects)
}

fn limit(call: &Call) -> Result<Option<usize>, Reply> {
    let Some(text) = call.query("limit").filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.parse().is_ok_and(|limit: i64| limit < 0) {
        // The server says 200 and nothing.
        return Err(Reply::empty(200));
    }
    let limit: usize = text.parse().map_err(|_| {
        Reply::invalid(422, 601, &format!("limit in query must be of type int64: \"{text}\""))
    })?;
    if limit > MOST {
        return Err(Reply::error(
            422,
            &format!(
                "msg:offset or limit code:400 err:query maximum results exceeded: the total limit \
                 calculated from the provided offset '0' and limit '{limit}' exceeds the configured \
                 value for QUERY_MAXIMUM_RESULTS '{MOST}'. If you've supplied a negative offset or \
                 limit, this may be an underflow error"
            ),
        ));
    }
    Ok(Some(limit))
}

fn after(call: &Call) -> Result<Option<String>, Reply> {
    let wrong = |why: &str| {
        Reply::error(422, &format!("msg:cursor api: invalid 'after' parameter code:400 err:{why}"))
    };
    match call.query("after") {
        None | Some("") => Ok(None),
        Some(_) if call.query("limit").is_none() => Err(wrong("limit parameter must be set")),
        Some(id) if !is_id(id) => Err(wrong(&format!(
            "after parameter '{id}' is not a valid uuid: invalid UUID length: {}",
            id.len()
        ))),
        Some(id) => Ok(Some(id.to_lowercase())),
    }
}
