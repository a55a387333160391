//! Vectors as bytes, through Weaviate's gRPC API: by its `gRPC-Web` on the REST port, with which a request
//! is a POST like any other. A node that has none, as it is older or it was switched off, is asked by REST.

use std::borrow::Cow;
use std::collections::BTreeMap;

use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, NullValue, Struct, Value as Sent};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{Error, What};
use super::message::{
    BatchObject, BatchObjectsReply, BatchObjectsRequest, BatchProperties, ConsistencyLevel,
    MetadataRequest, PropertiesRequest, SearchReply, SearchRequest, SearchResult,
};
use super::vector;
use super::{Node, PageAt, RawObject, uuid};

/// Where the methods are.
const SERVICE: &str = "/v1/grpc-web/weaviate.v1.Weaviate/";

/// The largest integer up to which a 64-bit float holds each.
const LARGEST_INTEGER: u64 = 1 << 53;

impl Node {
    /// Reads the ids and vectors of a page, as this node itself has them. Sent once.
    ///
    /// # Errors
    ///
    /// Anything but a page.
    pub(super) async fn vectors(&self, at: PageAt<'_>) -> Result<Vec<SearchResult>, Error> {
        let request = SearchRequest {
            collection: at.class.into(),
            tenant: at.tenant.unwrap_or_default().into(),
            properties: Some(PropertiesRequest {}),
            metadata: Some(MetadataRequest {
                uuid: true,
                vector: true,
                last_update_time_unix: true,
            }),
            limit: u32::try_from(at.limit).unwrap_or(u32::MAX),
            // Without one they would not come in the order of their ids.
            after: if at.after.is_empty() { uuid(0) } else { at.after.into() },
            uses_127_api: true,
        };
        let reply: SearchReply = self.call("Search", &request, false).await?;
        Ok(reply.results)
    }

    /// Writes objects as [`Self::put_objects`] does; `None` where this is not the way for them.
    ///
    /// # Errors
    ///
    /// No answer; some may have been written all the same.
    pub(super) async fn put_as_bytes(
        &self,
        objects: &[&RawValue],
    ) -> Result<Option<Vec<Option<String>>>, Error> {
        let each = objects.iter().map(|object| batch_object(object)).collect::<Option<_>>();
        let Some(each) = each else { return Ok(None) };
        let level = Some(ConsistencyLevel::All.into());
        let request = BatchObjectsRequest { objects: each, consistency_level: level };
        let reply: BatchObjectsReply = match self.call("BatchObjects", &request, true).await {
            Ok(reply) => reply,
            // Refused as a whole: REST may take what this way does not, or says why not.
            Err(Error { what: What::Status(400..=499 | 501, _), .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut outcomes = vec![None; objects.len()];
        for error in reply.errors {
            let outcome = usize::try_from(error.index).ok().and_then(|at| outcomes.get_mut(at));
            let Some(outcome) = outcome else {
                let why = format!("an outcome of object {} of {}", error.index, objects.len());
                return Err(self.http.not_weaviate(Method::POST, &path("BatchObjects"), why));
            };
            *outcome = Some(error.error);
        }
        Ok(Some(outcomes))
    }

    async fn call<M: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
        changes: bool,
    ) -> Result<M, Error> {
        let path = path(method);
        let answer = self.http.call(&path, request.encode_to_vec(), changes).await;
        if let Err(Error { what: What::Status(404 | 405 | 415 | 501, _), .. }) = &answer {
            self.has_grpc_web.store(false, std::sync::atomic::Ordering::Relaxed);
        }
        let wrong = |error: prost::DecodeError| {
            self.http.not_weaviate(Method::POST, &path, error.to_string())
        };
        M::decode(answer?).map_err(wrong)
    }
}

fn path(method: &str) -> String {
    format!("{SERVICE}{method}")
}

/// Puts together what REST tells of the objects of a page, and their vectors. `None` where these are not of
/// the same objects as they were at the same moment: somebody wrote in between.
pub(super) fn together(page: &[RawObject], vectors: Vec<SearchResult>) -> Option<Vec<RawObject>> {
    if page.len() != vectors.len() {
        return None;
    }
    page.iter()
        .zip(vectors)
        .map(|(object, vectors)| {
            let told = vectors.metadata?;
            if (&told.id, told.last_update_time_unix) != (&object.id, object.updated) {
                return None;
            }
            let raw = vector::with_vectors(&object.raw, &told.vector_bytes, told.vectors)?;
            Some(RawObject { id: object.id.clone(), updated: object.updated, raw })
        })
        .collect()
}

/// Returns an object as a message; `None` where one does not hold it to the last bit.
fn batch_object(object: &RawValue) -> Option<BatchObject> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        #[serde(borrow)]
        class: Cow<'a, str>,
        #[serde(borrow, default)]
        tenant: Option<Cow<'a, str>>,
        #[serde(default)]
        properties: Option<serde_json::Map<String, Value>>,
        #[serde(borrow, default)]
        vector: Option<&'a RawValue>,
        #[serde(borrow, default)]
        vectors: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
    }
    let parts: Parts = serde_json::from_str(object.get()).ok()?;
    let shown = vector::Shown { vector: parts.vector, vectors: parts.vectors };
    let (vector_bytes, vectors) = shown.carried()?;
    let properties = parts.properties.map(structure).map_or(Some(None), |it| it.map(Some))?;
    Some(BatchObject {
        uuid: parts.id.into(),
        properties: properties
            .map(|properties| BatchProperties { non_ref_properties: Some(properties) }),
        collection: parts.class.into(),
        tenant: parts.tenant.unwrap_or_default().into(),
        vector_bytes: vector_bytes.into(),
        vectors,
    })
}

fn structure(fields: serde_json::Map<String, Value>) -> Option<Struct> {
    let field = |(name, value)| Some((name, sent(value)?));
    Some(Struct { fields: fields.into_iter().map(field).collect::<Option<_>>()? })
}

fn sent(value: Value) -> Option<Sent> {
    let kind = match value {
        Value::Null => Kind::NullValue(NullValue::NullValue.into()),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(number) => {
            let integer = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            if integer.is_some_and(|it| it > LARGEST_INTEGER) {
                return None;
            }
            Kind::NumberValue(number.as_f64()?)
        }
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => {
            let values = values.into_iter().map(sent).collect::<Option<_>>()?;
            Kind::ListValue(ListValue { values })
        }
        Value::Object(fields) => Kind::StructValue(structure(fields)?),
    };
    Some(Sent { kind: Some(kind) })
}
