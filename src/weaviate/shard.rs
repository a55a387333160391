//! Whether a shard takes writes.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::{Node, encode};

/// What a shard is told to do with writes. No replica keeps it over a restart of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writes {
    /// `READY`: take them.
    #[serde(rename = "READY")]
    Allowed,
    /// `READONLY`: refuse them, and deletions, with 500.
    #[serde(rename = "READONLY")]
    Paused,
}

impl Node {
    /// Tells a shard, and with it every replica, whether to take writes, once. The replicas on other
    /// nodes obey some ten milliseconds after the answer: `/v1/nodes` shows when.
    ///
    /// # Errors
    ///
    /// Anything but 2xx. A shard that is not there is none.
    pub async fn set_writes(&self, class: &str, shard: &str, writes: Writes) -> Result<(), Error> {
        let path = format!("/v1/schema/{}/shards/{}", encode(class), encode(shard));
        self.http.change(Method::PUT, &path, Some(&json!({ "status": writes }))).await.map(drop)
    }
}
