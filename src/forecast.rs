//! What a dry run came to: words that events, the terminal and the sandbox share.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a run would do to the cluster, as its twin showed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Every changing request that it would send, in order; the same one many times in a row is one.
    pub requests: Vec<Sent>,
    /// The classes that it would leave otherwise than it found them.
    pub classes: Vec<ClassChange>,
    /// What a twin can't predict, each a sentence.
    pub unpredictable: Vec<String>,
}

/// A changing request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Path and query; `*` stands for the ids of objects and the names of shards.
    pub path: String,
    /// The body, where it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// To which nodes, by the names of `--node`.
    pub nodes: Vec<String>,
    /// How often.
    pub times: usize,
    /// What the twin answered where that was no success: the status, 0 for no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u16>,
}

/// What became of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassChange {
    /// Its name.
    pub class: String,
    /// As it was; absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ClassState>,
    /// As it would be; absent: it would be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ClassState>,
}

/// A class as nodes have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassState {
    /// Its definition, from the first of the nodes.
    pub definition: Value,
    /// The nodes whose own schema has it, by RAFT names.
    pub nodes: Vec<String>,
    /// The fewest replicas that a shard has; absent for a class without shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<usize>,
    /// How many objects it has, made up as they are, counted where there are most.
    pub objects: usize,
}
