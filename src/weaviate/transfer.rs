//! Many objects at once: pages as the server answers them, with vectors as bytes where it has a way for
//! that, and batches.

use std::borrow::Cow;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::{Error, What};
use super::grpc::Joined;
use super::vector::{as_bytes, as_numbers, has_vectors};
use super::{Node, Tenant, encode, grpc};

/// From how many objects on vectors travel as bytes: for fewer, one more request is not worth it.
const AS_BYTES: usize = 8;

/// One object of a page.
#[derive(Debug)]
pub struct RawObject {
    /// Its id.
    pub id: String,
    /// When it was written last, in milliseconds.
    pub updated: i64,
    /// What the server answered, byte for byte: numbers must not be read and written again. Vectors may be
    /// [as bytes](super::as_bytes).
    pub raw: Box<RawValue>,
}

/// What became of an object that was to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is there now.
    New,
    /// One with its id was there.
    WasThere,
    /// The server does not take it; why.
    Refused(String),
}

/// Which page of a cursor.
#[derive(Debug, Clone, Copy)]
pub struct PageAt<'a> {
    /// The class.
    pub class: &'a str,
    /// The tenant, in a multi-tenant class.
    pub tenant: Option<&'a str>,
    /// The id after which it begins; empty: from the first.
    pub after: &'a str,
    /// How many objects at most.
    pub limit: usize,
}

/// Splits the text of an object in front of its properties: servers put what is told of the object
/// before them, and vectors behind. `None` where it is not so.
#[must_use]
pub fn split(object: &RawValue) -> Option<(&str, &str)> {
    let text = object.get();
    // As a value it would have its quotes escaped.
    let (head, tail) = text.split_at(memchr::memmem::find(text.as_bytes(), b"\"properties\":")?);
    let is_flat = !head[1..].contains(['{', '[']) && !head.contains("\"vector");
    is_flat.then_some((head, tail))
}

/// Reads what is told of an object, without a look at its properties and vectors where that can be.
///
/// # Errors
///
/// It tells something else.
pub fn head<T: DeserializeOwned>(object: &RawValue) -> serde_json::Result<T> {
    let split = split(object).filter(|(head, _)| head.contains("\"lastUpdateTimeUnix\":"));
    let quick = split.and_then(|(head, _)| {
        serde_json::from_str(&format!("{}}}", head.trim_end().trim_end_matches(','))).ok()
    });
    quick.map_or_else(|| serde_json::from_str(object.get()), Ok)
}

/// Tells whether two pages show the same, whichever form their vectors have; `None` where they are not of
/// the same moment.
fn are_same(page: &[RawObject], other: &[RawObject]) -> Option<bool> {
    fn moment(object: &RawObject) -> (&str, i64) {
        (&object.id, object.updated)
    }
    let is_same = |(one, other): (&RawObject, &RawObject)| {
        as_bytes(&one.raw).get() == as_bytes(&other.raw).get()
    };
    let at_once = page.iter().map(moment).eq(other.iter().map(moment));
    at_once.then(|| page.iter().zip(other).all(is_same))
}

impl Node {
    /// Reads a page of objects with their vectors, in the order of their ids. Each shard is read
    /// from this node's own replica where it has one, and nothing is repaired by it.
    ///
    /// Vectors come as bytes, by gRPC, once a page of the class was read both ways and was the same.
    ///
    /// # Errors
    ///
    /// Anything but 200 with objects whose ids ascend.
    pub async fn raw_page(&self, at: PageAt<'_>) -> Result<Vec<RawObject>, Error> {
        if at.limit < AS_BYTES || self.trust.of(at.class) == Some(false) {
            return self.page(at, true).await;
        }
        if self.trust.of(at.class) == Some(true) {
            let (bare, vectors) = tokio::join!(self.page(at, false), self.vectors(at));
            return match grpc::together(&bare?, vectors) {
                Joined::Page(page) => Ok(page),
                // REST answers with both at once.
                Joined::Apart => self.page(at, true).await,
                Joined::Unfit => {
                    self.trust.judge(at.class, false);
                    self.page(at, true).await
                }
            };
        }
        let whole = self.page(at, true).await?;
        if !whole.iter().any(|object| has_vectors(&object.raw)) {
            return Ok(whole);
        }
        let (bare, vectors) = tokio::join!(self.page(at, false), self.vectors(at));
        match bare.map(|bare| grpc::together(&bare, vectors)) {
            Ok(Joined::Page(page)) => match are_same(&page, &whole) {
                Some(true) => {
                    self.trust.judge(at.class, true);
                    return Ok(page);
                }
                Some(false) => self.trust.judge(at.class, false),
                None => {}
            },
            Ok(Joined::Unfit) => self.trust.judge(at.class, false),
            Ok(Joined::Apart) | Err(_) => {}
        }
        Ok(whole)
    }

    /// Reads a page by REST alone.
    async fn page(&self, at: PageAt<'_>, vectors: bool) -> Result<Vec<RawObject>, Error> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            objects: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Head {
            id: String,
            #[serde(default, rename = "lastUpdateTimeUnix")]
            updated: i64,
        }
        let PageAt { class, tenant, after, limit } = at;
        let mut path = format!("/v1/objects?class={}&limit={limit}&after={after}", encode(class));
        if vectors {
            path.push_str("&include=vector");
        }
        if let Some(tenant) = tenant {
            path.push_str("&tenant=");
            path.push_str(&encode(tenant));
        }
        let raw = self.http.get(&path, false).await?;
        let wrong = |why: String| self.http.not_weaviate(Method::GET, &path, why);
        let answer: Answer = serde_json::from_slice(&raw).map_err(|e| wrong(e.to_string()))?;
        let mut last = after.to_owned();
        let mut objects = vec![];
        for raw in answer.objects {
            let Head { id, updated } = head(raw).map_err(|e| wrong(e.to_string()))?;
            if id <= last {
                // A cursor that does not go on would be read without end.
                return Err(wrong(format!("object {id} comes after {last}")));
            }
            last.clone_from(&id);
            objects.push(RawObject { id, updated, raw: raw.to_owned() });
        }
        Ok(objects)
    }

    /// Writes objects on all replicas that the cluster sees, and returns for each, in their order,
    /// why it was not taken. The class and the tenants must be there: auto-schema would create the
    /// class. Objects that are there already are replaced.
    ///
    /// # Errors
    ///
    /// No answer with an outcome for each; some may have been written all the same.
    pub async fn put_objects(&self, objects: &[&RawValue]) -> Result<Vec<Option<String>>, Error> {
        #[derive(Serialize)]
        struct Batch<'a> {
            objects: Vec<Cow<'a, RawValue>>,
        }
        if objects.len() >= AS_BYTES
            && self.trust.is_tried()
            && let Some(outcomes) = self.put_as_bytes(objects).await?
        {
            return Ok(outcomes);
        }
        let objects: Vec<_> = objects.iter().map(|object| as_numbers(object)).collect();
        let sent = objects.len();
        let path = "/v1/batch/objects?consistency_level=ALL";
        let wrong = |why: String| self.http.not_weaviate(Method::POST, path, why);
        let body =
            serde_json::to_string(&Batch { objects }).map_err(|error| wrong(error.to_string()))?;
        let raw = self.http.change_with(Method::POST, path, body).await?;
        self.outcomes(path, &raw, sent)
    }

    /// Reads the outcomes of a batch: why each was not taken.
    fn outcomes(&self, path: &str, raw: &[u8], sent: usize) -> Result<Vec<Option<String>>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            result: Outcome,
        }
        #[derive(Deserialize)]
        struct Outcome {
            status: String,
            errors: Option<Errors>,
        }
        #[derive(Deserialize)]
        struct Errors {
            error: Vec<Message>,
        }
        #[derive(Deserialize)]
        struct Message {
            message: String,
        }
        let wrong = |why: String| self.http.not_weaviate(Method::POST, path, why);
        let answer: Vec<Answer> =
            serde_json::from_slice(raw).map_err(|error| wrong(error.to_string()))?;
        if answer.len() != sent {
            return Err(wrong(format!("{} outcomes for {sent} that were sent", answer.len())));
        }
        let why = |Answer { result }: Answer| {
            let errors = result.errors.map_or_else(Vec::new, |errors| errors.error);
            let text: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            match (&result.status[..], text.is_empty()) {
                ("SUCCESS", true) => None,
                (status, true) => Some(format!("{status}, and no reason given")),
                (_, false) => Some(text.join("; ")),
            }
        };
        Ok(answer.into_iter().map(why).collect())
    }

    /// Inserts an object on all replicas that the cluster sees, if there is none of its id: what a writer
    /// wrote meanwhile is not replaced.
    ///
    /// # Errors
    ///
    /// Anything but 2xx, or 422 as there is one. It may have been written all the same.
    pub async fn insert_if_absent(&self, object: &RawValue) -> Result<Inserted, Error> {
        #[derive(Deserialize)]
        struct Object {
            #[expect(dead_code, reason = "that it is there is what counts")]
            id: String,
        }
        let path = "/v1/objects?consistency_level=ALL";
        let object = as_numbers(object).get().to_owned();
        match self.http.change_with(Method::POST, path, object).await {
            // The server answers with the object.
            Ok(raw) => match serde_json::from_slice::<Object>(&raw) {
                Ok(_) => Ok(Inserted::New),
                _ => Err(self.http.not_weaviate(Method::POST, path, "the answer is no object")),
            },
            Err(Error { what: What::Status(422, text), .. }) if text.contains("already exists") => {
                Ok(Inserted::WasThere)
            }
            Err(Error { what: What::Status(status, text), .. })
                if !matches!(status, 401 | 403 | 429) =>
            {
                Ok(Inserted::Refused(text))
            }
            Err(error) => Err(error),
        }
    }

    /// Adds references to objects, each `(from, to)` as beacons, and returns for each, in their order,
    /// why it was not added.
    ///
    /// # Errors
    ///
    /// No answer with an outcome for each; some may have been added all the same.
    pub async fn add_references(
        &self,
        references: &[(String, String)],
        tenant: Option<&str>,
    ) -> Result<Vec<Option<String>>, Error> {
        let path = "/v1/batch/references?consistency_level=ALL";
        let body: Vec<Value> = references
            .iter()
            .map(|(from, to)| match tenant {
                Some(tenant) => json!({"from": from, "to": to, "tenant": tenant}),
                None => json!({"from": from, "to": to}),
            })
            .collect();
        let raw = self.http.change_with(Method::POST, path, json!(body).to_string()).await?;
        self.outcomes(path, &raw, references.len())
    }

    /// Reads the tenants of a class as this node itself has them.
    ///
    /// # Errors
    ///
    /// Anything but 200 with tenants; 422 for a class without multi-tenancy.
    pub async fn own_tenants(&self, class: &str) -> Result<Vec<Tenant>, Error> {
        self.read_tenants(class, true).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: &str, updated: i64, vector: &str) -> RawObject {
        let raw = format!(r#"{{"id":"{id}","properties":{{"n":1.10}},"vector":{vector}}}"#);
        RawObject { id: id.into(), updated, raw: RawValue::from_string(raw).expect("is JSON") }
    }

    #[test]
    fn pages_are_the_same_or_not_or_nobody_knows() {
        let page = [object("a", 1, "\"AADAPw==\"")];
        assert_eq!(are_same(&page, &[object("a", 1, "[1.5]")]), Some(true));
        assert_eq!(are_same(&page, &[object("a", 1, "[1.5000001]")]), Some(false));
        assert_eq!(are_same(&page, &[object("a", 1, "[1.5,0]")]), Some(false));
        assert_eq!(are_same(&page, &[object("a", 2, "[1.5000001]")]), None);
        assert_eq!(are_same(&page, &[object("b", 1, "[1.5]")]), None);
        assert_eq!(are_same(&page, &[]), None);
    }
}
