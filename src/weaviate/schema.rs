//! Classes: reading through the leader or as a node has them itself, creating, deleting, placement.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::error::{Error, What};
use super::{Node, encode};

/// A class as a node answered it.
#[derive(Debug, Clone)]
pub struct Class {
    /// The answer byte for byte: what a backup holds.
    pub raw: Bytes,
    /// The same, parsed, in the server's order of keys.
    pub value: Value,
}

/// Where the replicas of a class are planned to be (`/v1/replication/sharding-state`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Placement {
    /// One entry a shard.
    pub shards: Vec<ShardPlacement>,
}

/// The planned replicas of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShardPlacement {
    /// The shard's name; a tenant's name for multi-tenant classes.
    pub shard: String,
    /// RAFT names of the nodes.
    pub replicas: Vec<String>,
}

impl Node {
    /// Reads a class through the RAFT leader. `None`: the leader has no such class.
    ///
    /// # Errors
    ///
    /// Any other answer than 200 and 404.
    pub async fn class(&self, class: &str) -> Result<Option<Class>, Error> {
        self.read_class(class, false).await
    }

    /// Reads a class as this node itself has it.
    ///
    /// # Errors
    ///
    /// Any other answer than 200 and 404.
    pub async fn own_class(&self, class: &str) -> Result<Option<Class>, Error> {
        self.read_class(class, true).await
    }

    /// Reads a class as this node itself has it, out of its whole schema. Asked for one class that
    /// it lacks, the server answers only after 150 ms, in which it hopes that the class comes.
    ///
    /// # Errors
    ///
    /// As for [`Self::classes`].
    pub async fn own_class_listed(&self, class: &str) -> Result<Option<Value>, Error> {
        let classes = self.classes(true).await?;
        Ok(classes.into_iter().find(|found| found["class"] == class))
    }

    async fn read_class(&self, class: &str, own_view: bool) -> Result<Option<Class>, Error> {
        let path = format!("/v1/schema/{}", encode(class));
        let raw = match self.http.get(&path, own_view).await {
            // A web server that is not Weaviate answers 404 with a page of its own.
            Err(Error { what: What::Status(404, text), .. }) if text.is_empty() => return Ok(None),
            other => other?,
        };
        let value = self.http.json(Method::GET, &path, &raw)?;
        if value["class"].as_str().is_none() {
            return Err(self.http.not_weaviate(Method::GET, &path, "the answer is no class"));
        }
        Ok(Some(Class { raw, value }))
    }

    /// Reads all classes, through the leader or (`own_view`) as this node itself has them.
    ///
    /// # Errors
    ///
    /// Any other answer than 200 with a list of classes.
    pub async fn classes(&self, own_view: bool) -> Result<Vec<Value>, Error> {
        let path = "/v1/schema";
        // Without its own view the node has to ask the leader.
        let raw = if own_view {
            self.http.get(path, true).await?
        } else {
            self.http.get_of_all(path).await?
        };
        self.parse_classes(&raw)
    }

    /// Reads all classes as this node itself has them, from a node that did not answer last time.
    ///
    /// # Errors
    ///
    /// Any other answer than 200 with a list of classes, soon.
    pub async fn own_classes_if_back(&self) -> Result<Vec<Value>, Error> {
        let raw = self.http.get_of_silent("/v1/schema", true).await?;
        self.parse_classes(&raw)
    }

    /// Returns what reading through the leader comes to where no node knows one.
    #[must_use]
    pub fn no_leader(&self) -> Error {
        Error {
            node: self.name().into(),
            method: Method::GET,
            path: "/v1/schema".into(),
            what: What::Broken("no node knows a RAFT leader".into()),
        }
    }

    fn parse_classes(&self, raw: &Bytes) -> Result<Vec<Value>, Error> {
        let path = "/v1/schema";
        let mut answer = self.http.json(Method::GET, path, raw)?;
        match answer.get_mut("classes").map(Value::take) {
            Some(Value::Array(classes)) if classes.iter().all(|it| it["class"].is_string()) => {
                Ok(classes)
            }
            _ => Err(self.http.not_weaviate(Method::GET, path, "the answer has no `classes`")),
        }
    }

    /// Creates a class, once.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; the class may be there all the same.
    pub async fn create_class(&self, class: &Value) -> Result<(), Error> {
        self.http.change(Method::POST, "/v1/schema", Some(class)).await.map(drop)
    }

    /// Gives a class another definition, once: of what can be changed in place, its factor.
    ///
    /// # Errors
    ///
    /// Anything but 2xx, among them 422 for more replicas than every shard has; it may be changed all
    /// the same.
    pub async fn update_class(&self, class: &str, definition: &Value) -> Result<(), Error> {
        let path = format!("/v1/schema/{}", encode(class));
        self.http.change(Method::PUT, &path, Some(definition)).await.map(drop)
    }

    /// Deletes a class with everything in it, once.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; the class may be gone all the same.
    pub async fn delete_class(&self, class: &str) -> Result<(), Error> {
        let path = format!("/v1/schema/{}", encode(class));
        self.http.change(Method::DELETE, &path, None).await.map(drop)
    }

    /// Reads where the replicas of a class are planned to be. `None`: this server can't tell
    /// (before 1.31, or replica movement is off).
    ///
    /// # Errors
    ///
    /// Any other answer, among them 404 for a class that is not there.
    pub async fn placement(&self, class: &str) -> Result<Option<Placement>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            sharding_state: Placement,
        }
        let path = format!("/v1/replication/sharding-state?collection={}", encode(class));
        match self.http.get(&path, false).await {
            Err(Error { what: What::Status(501, _), .. }) => Ok(None),
            Err(Error { what: What::Status(404, text), .. }) if !text.contains("ollection") => {
                Ok(None)
            }
            other => {
                let raw = other?;
                serde_json::from_slice::<Answer>(&raw)
                    .map(|answer| Some(answer.sharding_state))
                    .map_err(|e| self.http.not_weaviate(Method::GET, &path, e.to_string()))
            }
        }
    }
}
