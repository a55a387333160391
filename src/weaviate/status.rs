//! What a node says of the cluster: RAFT statistics, node status, shards.
//!
//! Fields may be missing while a node starts, so nearly all are optional;
//! what a missing field means is judged in `survey`.

use reqwest::Method;
use serde::{Deserialize, Deserializer};

use super::Node;
use super::error::Error;

/// `/v1/cluster/statistics`: one entry for each node that the asked one knows by gossip.
#[derive(Debug, Clone, Deserialize)]
pub struct Statistics {
    /// The server's own judgement. Compares health and applied indexes only: no proof.
    pub synchronized: Option<bool>,
    /// The entries.
    pub statistics: Vec<Member>,
}

/// One node's entry in the statistics, written by that node itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// RAFT name.
    pub name: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNAVAILABLE`, `TIMEOUT`.
    pub status: Option<String>,
    /// Whom it follows; empty or missing: nobody.
    #[serde(default, deserialize_with = "text")]
    pub leader_id: Option<String>,
    /// Whether it may vote.
    pub is_voter: Option<bool>,
    /// Whether it is ready.
    pub ready: Option<bool>,
    /// Its RAFT state.
    pub raft: Option<Raft>,
}

/// RAFT state of one node. Numbers are strings, as the server has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Raft {
    /// `Leader`, `Follower`, `Candidate`.
    pub state: Option<String>,
    /// Term.
    pub term: Option<String>,
    /// Index of the last entry applied.
    pub applied_index: Option<String>,
    /// The members; missing or null while a node starts.
    #[serde(default, deserialize_with = "list")]
    pub latest_configuration: Vec<Peer>,
}

/// A member of a RAFT configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Peer {
    /// RAFT name.
    pub id: String,
    /// RAFT address.
    pub address: String,
}

/// A node in `/v1/nodes`.
#[derive(Debug, Clone, Deserialize)]
pub struct NodeStatus {
    /// RAFT name.
    pub name: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNAVAILABLE`, `TIMEOUT`.
    pub status: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// The replicas that it holds; null where there are none.
    #[serde(default, deserialize_with = "list")]
    pub shards: Vec<ShardStatus>,
}

/// One replica of one shard on one node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardStatus {
    /// The class.
    pub class: String,
    /// The shard's name; a tenant's name for multi-tenant classes.
    pub name: String,
    /// Objects on disk. Lags behind writes, and is 0 for a shard that is not loaded.
    pub object_count: Option<i64>,
    /// Whether the shard is in memory.
    pub loaded: Option<bool>,
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(value)?.unwrap_or_default())
}

// `leaderId` is typed as anything in the server's API description.
fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let value = serde_json::Value::deserialize(value)?;
    Ok(value.as_str().filter(|text| !text.is_empty()).map(Into::into))
}

impl Node {
    /// Reads the RAFT statistics as this node sees them.
    ///
    /// # Errors
    ///
    /// Anything but 200 with statistics.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        self.typed("/v1/cluster/statistics").await
    }

    /// Reads every node with its shards, as this node sees them.
    ///
    /// # Errors
    ///
    /// Anything but 200 with nodes.
    pub async fn node_statuses(&self) -> Result<Vec<NodeStatus>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            nodes: Vec<NodeStatus>,
        }
        self.typed("/v1/nodes?output=verbose").await.map(|answer: Answer| answer.nodes)
    }

    async fn typed<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Error> {
        let raw = self.http.get_of_all(path).await?;
        let value = self.http.json(Method::GET, path, &raw)?;
        serde_json::from_value(value)
            .map_err(|e| self.http.not_weaviate(Method::GET, path, e.to_string()))
    }
}
