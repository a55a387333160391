//! Typed async client for Weaviate's REST API, and for the little of its gRPC API that carries vectors as
//! bytes.
//!
//! Knows nothing of runbooks, sessions or what an answer means for a repair. A
//! new REST call is a method of [`Node`] in the file of its topic.

mod access;
mod count;
mod error;
mod grpc;
mod http;
pub(crate) mod message;
mod movement;
mod object;
mod replica;
mod schema;
mod shard;
mod status;
mod tenant;
mod transfer;
mod trust;
mod vector;

pub use access::{Access, Secret, shell_word};
pub use count::Countable;
pub use error::{Error, What};
pub use movement::{Movement, MovementStatus, ReplicaCopy, ScalePlan};
pub use object::Listing;
pub use replica::{Level, ObjectName, Replica};
pub use schema::{Class, Placement, ShardPlacement};
pub use shard::Writes;
pub use status::{Member, NodeStatus, Peer, Raft, ShardStatus, Statistics};
pub use tenant::{TENANTS_AT_ONCE, Tenant};
pub use transfer::{Inserted, PageAt, RawObject, head, split};
pub use vector::as_bytes;
pub(crate) use vector::{as_numbers, carried, with_vectors};

use std::time::Duration;

use reqwest::Url;

use self::http::Http;
use self::trust::Trust;
use crate::error::Error as CommandError;

/// One node's REST API.
#[derive(Debug, Clone)]
pub struct Node {
    http: Http,
    trust: Trust,
}

impl Node {
    /// Returns the node's name: what `--node NAME=URL` says, else host and port.
    #[must_use]
    pub fn name(&self) -> &str {
        self.http.name()
    }

    /// Returns the node's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.http.url().as_str().trim_end_matches('/')
    }

    /// Returns the host in its address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.http.url().host_str().unwrap_or_default()
    }
}

/// The nodes of one cluster, in the order in which the operator named them.
#[derive(Debug, Clone)]
pub struct Cluster {
    nodes: Vec<Node>,
    answer_timeout: Duration,
    drain: Duration,
    rate: Option<u32>,
}

impl Cluster {
    /// Sets up the way to every node; sends nothing yet.
    ///
    /// # Errors
    ///
    /// Certificates or a key that can't be used.
    pub fn new(nodes: Vec<(String, Url)>, access: &Access) -> Result<Self, CommandError> {
        let doors = nodes.into_iter().map(|(name, url)| (name, url.clone(), url)).collect();
        Self::through(doors, access)
    }

    /// The same for nodes that are to be called by their addresses, while every request goes to another:
    /// name, address and where requests go.
    ///
    /// # Errors
    ///
    /// Certificates or a key that can't be used.
    pub fn through(nodes: Vec<(String, Url, Url)>, access: &Access) -> Result<Self, CommandError> {
        let https = nodes.iter().any(|(_, _, door)| door.scheme() == "https");
        let client = http::client(access, https)?;
        let nodes = nodes
            .into_iter()
            .map(|(name, url, door)| Node {
                http: Http::new(name, url, door, client.clone(), access),
                trust: Trust::default(),
            })
            .collect();
        let Access { answer_timeout, drain, rate, .. } = *access;
        Ok(Self { nodes, answer_timeout, drain, rate })
    }

    /// Returns the nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns how long an answer to a read may take: the measure of every other wait.
    #[must_use]
    pub fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// Returns how long a server may go on trying a write that it could not make.
    #[must_use]
    pub fn drain(&self) -> Duration {
        self.drain
    }

    /// Returns how many objects may be moved in a second; `None`: as many as can be.
    #[must_use]
    pub fn rate(&self) -> Option<u32> {
        self.rate
    }

    /// Returns the node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name() == name)
    }
}

/// Percent-encodes one piece of a path or query: class names are safe, tenant names may not be.
fn encode(piece: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in piece.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Returns a number as a UUID: objects lie in the order of their ids.
#[must_use]
pub fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Properties that a server adds to an object for its index, and that are left in some on a replica that
/// is written to while it is copied (1.39). Sent back, auto-schema would make properties of them.
pub const TIMES: [&str; 2] = ["_creationTimeUnix", "_lastUpdateTimeUnix"];

/// Returns what must be the same wherever an object is: not its times, which are the server's, nor
/// its tenant, which a page leaves out.
#[must_use]
pub fn content(mut object: serde_json::Value) -> serde_json::Value {
    let mut content = serde_json::Map::new();
    for key in ["properties", "vector", "vectors"] {
        match object.get_mut(key).map(serde_json::Value::take) {
            None | Some(serde_json::Value::Null) => {}
            Some(value) => drop(content.insert(key.into(), value)),
        }
    }
    if let Some(properties) = content.get_mut("properties").and_then(|it| it.as_object_mut()) {
        properties.retain(|name, _| !TIMES.contains(&name.as_str()));
    }
    content.into()
}
