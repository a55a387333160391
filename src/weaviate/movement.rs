//! Replica movements: the server's own copying and moving of replicas between nodes.

use reqwest::Method;
use serde::{Deserialize, Deserializer};

use super::Node;
use super::error::{Error, What};

/// One replica that is copied or moved to another node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    /// The operation's id.
    pub id: String,
    /// The class.
    pub collection: String,
    /// The shard.
    pub shard: String,
    /// RAFT name of the node that has the replica.
    pub source_node: String,
    /// RAFT name of the node that is to get it.
    pub target_node: String,
    /// Where it stands.
    pub status: MovementStatus,
}

/// Where a movement stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MovementStatus {
    /// `REGISTERED`, `HYDRATING`, `FINALIZING`, `INTEGRATING`, `DEHYDRATING`, `READY`, `CANCELLED`.
    pub state: String,
    /// What went wrong so far; the server tries again and again.
    #[serde(default, deserialize_with = "messages")]
    pub errors: Vec<String>,
    /// When it came to this state, in milliseconds since 1970.
    #[serde(default)]
    pub when_started_unix_ms: i64,
}

impl Movement {
    /// Tells whether it has come to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status.state.as_str(), "READY" | "CANCELLED")
    }
}

fn messages<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Text(String),
        Object { message: Option<String> },
    }
    let entries = Option::<Vec<Entry>>::deserialize(value)?.unwrap_or_default();
    let text = |entry| match entry {
        Entry::Text(text) => text,
        Entry::Object { message } => message.unwrap_or_default(),
    };
    Ok(entries.into_iter().map(text).collect())
}

impl Node {
    /// Reads all replica movements. `None`: this server has none, as movement is off (501) or came
    /// later (404).
    ///
    /// # Errors
    ///
    /// Any other answer.
    pub async fn movements(&self) -> Result<Option<Vec<Movement>>, Error> {
        let path = "/v1/replication/replicate/list";
        let raw = match self.http.get_of_all(path).await {
            Err(Error { what: What::Status(501 | 404, _), .. }) => return Ok(None),
            other => other?,
        };
        serde_json::from_slice::<Option<Vec<Movement>>>(&raw)
            .map(|movements| Some(movements.unwrap_or_default()))
            .map_err(|e| self.http.not_weaviate(Method::GET, path, e.to_string()))
    }
}
