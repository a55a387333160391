//! The two methods of the gRPC API that carry vectors as bytes, by the server's `gRPC-Web`: pages of ids
//! with their vectors, and batches of objects.
//!
//! Messages are turned into what REST would have shown or taken; what is done is the same.

use prost_types::value::Kind;
use prost_types::{Struct, Value as Sent};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::batch::try_put;
use super::call::{Call, Outcome, Reply};
use super::class::{Object, class_name};
use super::cursor;
use super::level::Level;
use super::properties::is_id;
use super::world::World;
use crate::weaviate::message::{
    BatchError, BatchObject, BatchObjectsReply, BatchObjectsRequest, ConsistencyLevel,
    MetadataResult, SearchReply, SearchRequest, SearchResult,
};
use crate::weaviate::{as_numbers, carried, with_vectors};

/// `Search`
pub(super) fn search(world: &World, at: usize, call: &Call) -> Outcome {
    let sent: SearchRequest = call.message()?;
    let name = class_name(&sent.collection);
    let class = world.nodes[at]
        .schema
        .get(&name)
        .ok_or_else(|| failed(&format!("could not find class {name} in schema")))?;
    let tenant = Some(&*sent.tenant).filter(|tenant| !tenant.is_empty());
    let after = Some(&*sent.after).filter(|after| !after.is_empty());
    let limit = usize::try_from(sent.limit).unwrap_or(usize::MAX);
    let page = cursor::page(world, at, class, tenant, after, limit).map_err(|why| failed(&why))?;
    let results = page.into_iter().map(|object| SearchResult { metadata: Some(told(object)) });
    Ok(Reply::message(&SearchReply { results: results.collect() }))
}

/// What is told of an object: its vectors, and which one it is.
fn told(object: &Object) -> MetadataResult {
    let shown = to_raw_value(object).ok();
    let (single, named) = shown.and_then(|it| carried(&it)).unwrap_or_default();
    MetadataResult {
        id: object["id"].as_str().unwrap_or_default().into(),
        last_update_time_unix: object["lastUpdateTimeUnix"].as_i64().unwrap_or_default(),
        vector_bytes: single.into(),
        vectors: named,
    }
}

/// `BatchObjects`
pub(super) fn batch(world: &mut World, at: usize, call: &Call) -> Outcome {
    let sent: BatchObjectsRequest = call.message()?;
    let level = match sent.consistency_level.map(ConsistencyLevel::try_from) {
        Some(Ok(ConsistencyLevel::One)) => "ONE",
        Some(Ok(ConsistencyLevel::All)) => "ALL",
        _ => "",
    };
    let level = Level::parse(level).map_err(|why| failed(&why))?;
    let now = world.now();
    let mut errors = vec![];
    for (index, object) in (0..).zip(sent.objects) {
        if !is_id(&object.uuid) {
            let error = format!("invalid UUID length: {}", object.uuid.len());
            errors.push(BatchError { index, error });
        } else if let (_, Err(error)) = try_put(world, at, &as_sent(object), level, now) {
            errors.push(BatchError { index, error });
        }
    }
    Ok(Reply::message(&BatchObjectsReply { took: 0.001, errors }))
}

/// Returns an object as REST would have taken it.
fn as_sent(object: BatchObject) -> Object {
    let properties = object.properties.and_then(|it| it.non_ref_properties).unwrap_or_default();
    let mut sent = json!({
        "class": object.collection, "id": object.uuid, "properties": fields(properties),
    });
    if !object.tenant.is_empty() {
        sent["tenant"] = object.tenant.into();
    }
    let with = to_raw_value(&sent)
        .ok()
        .and_then(|bare| with_vectors(&bare, &object.vector_bytes, object.vectors))
        .and_then(|with| serde_json::from_str(as_numbers(&with).get()).ok());
    with.unwrap_or_default()
}

fn fields(sent: Struct) -> Value {
    sent.fields.into_iter().map(|(name, value)| (name, json_of(value))).collect()
}

fn json_of(sent: Sent) -> Value {
    match sent.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => value.into(),
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction")]
        Some(Kind::NumberValue(number)) if is_whole(number) => (number as i64).into(),
        Some(Kind::NumberValue(number)) => number.into(),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::StructValue(sent)) => fields(sent),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json_of).collect(),
    }
}

/// Tells whether a server shows a number as an integer.
fn is_whole(number: f64) -> bool {
    /// Up to it, a 64-bit float holds every one.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    number.fract() == 0.0
        && number.abs() <= LARGEST
        && !(number == 0.0 && number.is_sign_negative())
}

/// Answers as the server does by Connect.
fn failed(why: &str) -> Reply {
    Reply::json(500, &json!({ "code": "unknown", "message": why }))
}
