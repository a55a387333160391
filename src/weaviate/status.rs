//! What a node says of the cluster: RAFT statistics, node status, shards.
//!
//! Fields may be missing while a node starts, so nearly all are optional;
//! what a missing field means is judged in `survey`.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};

use super::Node;
use super::error::Error;

/// `/v1/cluster/statistics`: one entry for each node that the asked one knows by gossip.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statistics {
    /// The server's own judgement. Compares health and applied indexes only: no proof.
    pub synchronized: Option<bool>,
    /// The entries.
    pub statistics: Vec<Member>,
}

/// One node's entry in the statistics, written by that node itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// RAFT name.
    pub name: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNAVAILABLE`, `TIMEOUT`.
    pub status: Option<String>,
    /// Whom it follows; empty or missing: nobody.
    #[serde(default, deserialize_with = "text")]
    pub leader_id: Option<String>,
    /// Whether it may vote; left out where it is false.
    pub is_voter: Option<bool>,
    /// Whether it is ready; left out where it is false.
    pub ready: Option<bool>,
    /// Whether it has opened its data; left out where it is false.
    pub db_loaded: Option<bool>,
    /// The members that it has heard of while it waits for enough of them to found a RAFT cluster,
    /// by RAFT name, with their addresses.
    #[serde(default, deserialize_with = "map")]
    pub candidates: BTreeMap<String, serde_json::Value>,
    /// Its RAFT state.
    pub raft: Option<Raft>,
}

/// RAFT state of one node. Numbers are strings, as the server has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Raft {
    /// `Leader`, `Follower`, `Candidate`.
    pub state: Option<String>,
    /// Term.
    pub term: Option<String>,
    /// Index of the last entry in its log.
    pub last_log_index: Option<String>,
    /// Index of the last entry that a majority has.
    pub commit_index: Option<String>,
    /// Index of the last entry applied.
    pub applied_index: Option<String>,
    /// When it last heard from the leader: `0`, `never`, or a Go duration such as `80.4ms`.
    pub last_contact: Option<String>,
    /// The members; missing or null while a node starts.
    #[serde(default, deserialize_with = "list")]
    pub latest_configuration: Vec<Peer>,
}

/// A member of a RAFT configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// RAFT name.
    pub id: String,
    /// RAFT address.
    pub address: String,
}

/// A node in `/v1/nodes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// RAFT name.
    pub name: String,
    /// `HEALTHY`, `UNHEALTHY`, `UNAVAILABLE`, `TIMEOUT`.
    pub status: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// `ReadWrite`, `ReadOnly`, `WriteOnly`, `ScaleOut`; since 1.32.
    pub operational_mode: Option<String>,
    /// The replicas that it holds; null where there are none.
    #[serde(default, deserialize_with = "list")]
    pub shards: Vec<ShardStatus>,
}

/// One replica of one shard on one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// `READY`, `READONLY`, `INDEXING`, `LOADING`, `LAZY_LOADING`, `SHUTDOWN`.
    pub vector_indexing_status: Option<String>,
    /// How many vectors wait to be indexed.
    #[serde(default)]
    pub vector_queue_length: Option<u64>,
    /// How many replicas are planned, of which this is one.
    pub number_of_replicas: Option<usize>,
}

impl ShardStatus {
    /// Tells whether this replica refuses writes.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.vector_indexing_status.as_deref() == Some("READONLY")
    }
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(value)?.unwrap_or_default())
}

fn map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    Ok(Option::<BTreeMap<String, T>>::deserialize(value)?.unwrap_or_default())
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
