//! Replica movements: the server's own copying and moving of replicas between nodes.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::error::{Error, What};
use super::{Node, encode};

/// Where more or fewer replicas of a class are planned and ordered.
const SCALE: &str = "/v1/replication/scale";

/// One replica that is copied or moved to another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it was told to end; that takes some seconds.
    #[serde(default)]
    pub scheduled_for_cancel: bool,
    /// Whether it can't be told to end any more: the replica is being added to those that count.
    #[serde(default)]
    pub uncancelable: bool,
}

/// Where a movement stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What the servers plan, so that every shard of a class has so many replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalePlan {
    /// The answer: what is sent to let them do it.
    pub raw: Value,
    /// The nodes (RAFT names) from which each shard would be taken away.
    pub removals: BTreeMap<String, BTreeSet<String>>,
}

/// A replica that is to be copied to another node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplicaCopy {
    /// The shard; the tenant, where shards are tenants.
    pub shard: String,
    /// RAFT name of the node that has it.
    pub from: String,
    /// RAFT name of the node that is to get it.
    pub to: String,
}

impl ReplicaCopy {
    /// Tells whether a movement is this copy.
    #[must_use]
    pub fn is(&self, class: &str, movement: &Movement) -> bool {
        movement.collection == class
            && movement.shard == self.shard
            && movement.target_node == self.to
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

    /// Begins to copy a replica to a node that has none of the shard, once. Returns the movement's id.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; it may have begun all the same. A target that is no node is none.
    pub async fn copy_replica(
        &self,
        class: &str,
        shard: &str,
        source: &str,
        target: &str,
    ) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Answer {
            id: String,
        }
        let path = "/v1/replication/replicate";
        let body = json!({
            "collection": class, "shard": shard, "sourceNode": source, "targetNode": target,
            "type": "COPY",
        });
        let raw = self.http.change(Method::POST, path, Some(&body)).await?;
        serde_json::from_slice::<Answer>(&raw)
            .map(|answer| answer.id)
            .map_err(|e| self.http.not_weaviate(Method::POST, path, e.to_string()))
    }

    /// Reads what the servers plan, so that every shard of a class has so many replicas. `None`: this
    /// server can't, as movement is off (501) or scaling came later (404).
    ///
    /// # Errors
    ///
    /// Any other answer.
    pub async fn scale_plan(&self, class: &str, factor: u64) -> Result<Option<ScalePlan>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            shard_scale_actions: Option<BTreeMap<String, Actions>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Actions {
            #[serde(default)]
            remove_nodes: Option<BTreeSet<String>>,
        }
        let class = encode(class);
        let path = format!("{SCALE}?collection={class}&replicationFactor={factor}");
        let raw = match self.http.get(&path, false).await {
            Err(Error { what: What::Status(501, _), .. }) => return Ok(None),
            Err(Error { what: What::Status(404, text), .. }) if !text.contains("ollection") => {
                return Ok(None);
            }
            other => other?,
        };
        let raw = self.http.json(Method::GET, &path, &raw)?;
        let answer = Answer::deserialize(&raw)
            .map_err(|e| self.http.not_weaviate(Method::GET, &path, e.to_string()))?;
        let removals = answer.shard_scale_actions.unwrap_or_default().into_iter();
        let removals = removals.map(|(shard, it)| (shard, it.remove_nodes.unwrap_or_default()));
        Ok(Some(ScalePlan { removals: removals.filter(|(_, it)| !it.is_empty()).collect(), raw }))
    }

    /// Lets the servers do what they plan, once. Replicas that are taken away go at once.
    ///
    /// # Errors
    ///
    /// Anything but 2xx, among them 500 where a shard would have fewer replicas than the factor.
    pub async fn scale(&self, plan: &ScalePlan) -> Result<(), Error> {
        self.http.change(Method::POST, SCALE, Some(&plan.raw)).await.map(drop)
    }

    /// Cancels a movement, once: it ends some seconds later as `CANCELLED`, and the replicas are where
    /// they were. For one that is not there this does nothing.
    ///
    /// # Errors
    ///
    /// Anything but 2xx, among them 409 for one that is `INTEGRATING` or `READY`.
    pub async fn cancel_movement(&self, id: &str) -> Result<(), Error> {
        let path = format!("/v1/replication/replicate/{}/cancel", encode(id));
        self.http.change(Method::POST, &path, None).await.map(drop)
    }
}
