//! One object: its copy on one replica, inserting it, deleting it.
//!
//! A reading without `node_name` asks a quorum of replicas and may repair those that differ, which
//! is a write: nothing here reads like that, but for [`Node::bring_together`], which is there for it.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Error, What};
use super::{Node, encode};

/// What names one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectName {
    /// The class.
    pub class: String,
    /// The id, a UUID.
    pub id: String,
    /// The tenant, in a multi-tenant class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl ObjectName {
    /// Returns the path of a request for it, with `parameter` (`name=value`) as its query.
    #[must_use]
    pub fn path(&self, parameter: &str) -> String {
        let Self { class, id, tenant } = self;
        let tenant =
            tenant.as_ref().map_or_else(String::new, |name| format!("&tenant={}", encode(name)));
        format!("/v1/objects/{}/{}?{parameter}{tenant}", encode(class), encode(id))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object {} of class {}", self.id, self.class)?;
        self.tenant.as_ref().map_or(Ok(()), |tenant| write!(f, ", tenant {tenant}"))
    }
}

/// What one replica has of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Replica {
    /// This copy. Of a shard with a single replica it is that one, whichever node was named.
    Copy(Value),
    /// None. So answers a node, too, whose own schema lacks the class, whichever node was named.
    Absent,
    /// The node that was named holds no replica of the object's shard.
    NoReplica,
}

/// How many replicas must have made a write before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One.
    One,
    /// Every one that the cluster sees.
    All,
}

impl Level {
    fn parameter(self) -> &'static str {
        match self {
            Self::One => "consistency_level=ONE",
            Self::All => "consistency_level=ALL",
        }
    }
}

impl Node {
    /// Reads the copy of an object that the replica on `member` (a RAFT name) has, through this
    /// node.
    ///
    /// # Errors
    ///
    /// Anything else, among them a member that can't be reached.
    pub async fn replica(&self, object: &ObjectName, member: &str) -> Result<Replica, Error> {
        let path = object.path(&format!("include=vector&node_name={}", encode(member)));
        let raw = match self.http.get(&path, false).await {
            Err(Error { what: What::Status(404, text), .. }) if text.is_empty() => {
                return Ok(Replica::Absent);
            }
            Err(Error { what: What::Status(500, text), .. }) if names_no_replica(&text) => {
                return Ok(Replica::NoReplica);
            }
            other => other?,
        };
        let copy = self.http.json(Method::GET, &path, &raw)?;
        if copy["id"].as_str().is_none() {
            return Err(self.http.not_weaviate(Method::GET, &path, "the answer is no object"));
        }
        Ok(Replica::Copy(copy))
    }

    /// Lets the servers compare all replicas of an object and bring them together: the newest version
    /// wins. Of an object that some replicas deleted, the class's `deletionStrategy` decides.
    ///
    /// # Errors
    ///
    /// Anything but 200, or 404 for one that is nowhere.
    pub async fn bring_together(&self, object: &ObjectName) -> Result<(), Error> {
        match self.http.get(&object.path("consistency_level=ALL"), false).await {
            Err(Error { what: What::Status(404, _), .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Inserts an object, once. The class must be there: auto-schema would create it.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; the object may be on some replicas all the same.
    pub async fn insert_object(
        &self,
        object: &ObjectName,
        properties: &Value,
        level: Level,
    ) -> Result<(), Error> {
        let mut body = json!({ "class": object.class, "id": object.id, "properties": properties });
        if let Some(tenant) = &object.tenant {
            body["tenant"] = json!(tenant);
        }
        let path = format!("/v1/objects?{}", level.parameter());
        self.http.change(Method::POST, &path, Some(&body)).await.map(drop)
    }

    /// Deletes an object, once. One that is not there is no error.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; the object may be gone from some replicas all the same.
    pub async fn delete_object(&self, object: &ObjectName, level: Level) -> Result<(), Error> {
        let path = object.path(level.parameter());
        self.http.change(Method::DELETE, &path, None).await.map(drop)
    }
}

/// The server's words for a node that holds no replica of the shard, or lacks the class.
fn names_no_replica(text: &str) -> bool {
    ["does not exist locally", "shard not found", "class not found"]
        .iter()
        .any(|words| text.contains(words))
}
