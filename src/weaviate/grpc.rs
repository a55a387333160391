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
    MetadataRequest, MetadataResult, PropertiesRequest, SearchReply, SearchRequest, SearchResult,
    VectorType,
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
            // Refused as a whole, and nothing was written: REST may take what this way does not, or says
            // why not.
            Err(Error {
                what:
                    What::Status(400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 429 | 501, _)
                    | What::Redirect(_),
                ..
            }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if reply.took <= 0.0 {
            let why = "it does not say that it did anything";
            return Err(self.http.not_weaviate(Method::POST, &path("BatchObjects"), why));
        }
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
        let answer = answer.and_then(|answer| {
            let wrong = |error: prost::DecodeError| {
                self.http.not_weaviate(Method::POST, &path, error.to_string())
            };
            M::decode(answer).map_err(wrong)
        });
        match &answer {
            Err(Error {
                what:
                    What::Status(404 | 405 | 415 | 501, _) | What::Redirect(_) | What::NotWeaviate(_),
                ..
            }) => self.trust.give_up(),
            other => self.trust.answered(other.is_ok()),
        }
        answer
    }
}

fn path(method: &str) -> String {
    format!("{SERVICE}{method}")
}

/// What REST tells of the objects of a page, put together with their vectors.
#[derive(Debug)]
pub(super) enum Joined {
    /// The objects with their vectors as bytes.
    Page(Vec<RawObject>),
    /// There are no vectors, or they are not those of the same objects at the same moment: somebody wrote in
    /// between.
    Apart,
    /// The messages do not hold every vector of these objects to the last bit.
    Unfit,
}

/// Puts together what REST tells of the objects of a page, and their vectors. That both are of the same
/// moment is told by the time of the last change, in milliseconds: of an object that is written to twice
/// within one, between the two answers, the vector may be the other one's.
pub(super) fn together(page: &[RawObject], vectors: Result<Vec<SearchResult>, Error>) -> Joined {
    let told: Option<Vec<MetadataResult>> =
        vectors.ok().and_then(|it| it.into_iter().map(|result| result.metadata).collect());
    let is_of = |told: &[MetadataResult]| {
        let told = told.iter().map(|told| (told.id.as_str(), told.last_update_time_unix));
        told.eq(page.iter().map(|object| (object.id.as_str(), object.updated)))
    };
    let Some(told) = told.filter(|told| is_of(told)) else { return Joined::Apart };
    let both = page.iter().zip(told);
    let with_vectors = both.map(|(object, told)| {
        // The vectors of a multi-vector may be of different lengths, which its message does not tell.
        if told.vectors.iter().any(|vector| vector.r#type() == VectorType::Multi) {
            return None;
        }
        let raw = vector::with_vectors(&object.raw, &told.vector_bytes, told.vectors)?;
        Some(RawObject { id: object.id.clone(), updated: object.updated, raw })
    });
    with_vectors.collect::<Option<_>>().map_or(Joined::Unfit, Joined::Page)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weaviate::message::Vectors;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("is JSON")
    }

    fn told(id: &str, updated: i64, r#type: VectorType) -> SearchResult {
        let bytes = [2, 0, 0, 0, 128, 63, 0, 0, 0, 64];
        let bytes = if r#type == VectorType::Multi { &bytes[..] } else { &bytes[2..] };
        let vector_bytes = bytes.to_vec().into();
        let vectors = vec![Vectors { name: "a".into(), vector_bytes, r#type: r#type.into() }];
        let metadata = MetadataResult {
            id: id.into(),
            last_update_time_unix: updated,
            vectors,
            ..MetadataResult::default()
        };
        SearchResult { metadata: Some(metadata) }
    }

    #[test]
    fn vectors_belong_to_an_object_of_the_same_moment() {
        let object = r#"{"id":"x","lastUpdateTimeUnix":5,"properties":{},"vectorWeights":null}"#;
        let page = [RawObject { id: "x".into(), updated: 5, raw: raw(object) }];
        let one = VectorType::Single;
        let Joined::Page(joined) = together(&page, Ok(vec![told("x", 5, one)])) else { panic!() };
        assert_eq!(
            joined[0].raw.get(),
            r#"{"id":"x","lastUpdateTimeUnix":5,"properties":{},"vectorWeights":null,"vectors":{"a":"AACAPwAAAEA="}}"#
        );
        for other in [
            vec![told("x", 6, one)],
            vec![told("y", 5, one)],
            vec![told("x", 5, one), told("y", 5, one)],
            vec![],
            vec![SearchResult::default()],
        ] {
            assert!(matches!(together(&page, Ok(other)), Joined::Apart));
        }
        let multi = vec![told("x", 5, VectorType::Multi)];
        assert!(matches!(together(&page, Ok(multi)), Joined::Unfit));
    }

    #[test]
    fn what_a_message_does_not_hold_goes_by_rest() {
        let object = |value: &str| {
            raw(&format!(r#"{{"class":"A","id":"x","properties":{{"o":[{{"n":{value}}}]}}}}"#))
        };
        for held in ["9007199254740992", "-9007199254740992", "1e300", "0.1", "-0.0", "null"] {
            assert!(batch_object(&object(held)).is_some(), "{held}");
        }
        for other in ["9007199254740993", "-9007199254740993", "18446744073709551615"] {
            assert!(batch_object(&object(other)).is_none(), "{other}");
        }
        let whole = raw(
            r#"{"tenant":"t","class":"A","creationTimeUnix":1,"id":"x","properties":{"e":[],"b":true},"vector":[1]}"#,
        );
        let sent = batch_object(&whole).expect("a message holds it");
        assert_eq!((&*sent.uuid, &*sent.collection, &*sent.tenant), ("x", "A", "t"));
        assert_eq!(sent.vector_bytes[..], 1_f32.to_le_bytes());
        let properties = sent.properties.and_then(|it| it.non_ref_properties).expect("it has some");
        assert_eq!(properties.fields["b"].kind, Some(Kind::BoolValue(true)));
        assert_eq!(properties.fields["e"].kind, Some(Kind::ListValue(ListValue::default())));
        assert!(batch_object(&raw(r#"{"class":"A","id":"x","vector":"?"}"#)).is_none());
    }
}
