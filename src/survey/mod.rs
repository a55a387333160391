//! One look at the whole cluster, in five requests a node at most, and pure judgements on it.
//!
//! Knows nothing of runs and scripts. Whatever could not be seen is kept as the
//! reason why, so that no judgement can mistake it for absence.

mod agreement;
mod closely;
mod commands;
mod compare;
mod copies;
mod count;
mod difference;
mod emptiness;
mod health;
mod holdings;
mod identity;
mod judge_class;
mod judge_replicas;
mod judge_shards;
mod placement;
mod problem;
mod raft;
mod replica_counts;
mod saved;
mod status;
mod topology;

pub use agreement::Agreement;
pub use commands::Commands;
pub use compare::{ComparedPage, Comparing, Comparison, Difference, Sample, compare};
pub use copies::{Copies, doors, read};
pub use count::count;
pub use difference::differences;
pub use emptiness::{Emptiness, Scrutiny, look_for_objects, unseen};
pub use health::{Findings, Health};
pub use holdings::Holdings;
pub use placement::{Replicas, ShardReplicas};
pub use problem::Problem;
pub use raft::{RaftNode, RaftStatus, Restore, WayOut};
pub use saved::{Plan, Saved, SavedClass, SavedNode, SavedView};
pub use status::{ClassStatus, OnNode};
pub use topology::TopologyNode;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::Value;

use crate::weaviate::{Cluster, Error, Node, NodeStatus, Statistics};

/// One look at the whole cluster.
#[derive(Debug)]
pub struct Survey {
    /// What each node answered, in the order in which the operator named them.
    pub nodes: Vec<Seen>,
    /// All classes as the RAFT leader has them, through the first node that could ask it.
    pub leader_schema: Result<Classes, Error>,
}

/// Classes by name.
pub type Classes = BTreeMap<String, Value>;

/// What one node answered.
#[derive(Debug)]
pub struct Seen {
    /// The node, by the name of `--node`.
    pub node: String,
    /// Its address.
    pub url: String,
    /// The host in its address.
    pub host: String,
    /// Its answers, or why there are none.
    pub view: Result<View, Error>,
}

/// The answers of a node that gave all of them.
#[derive(Debug)]
pub struct View {
    /// RAFT, as this node sees it.
    pub statistics: Statistics,
    /// Nodes and replicas, as this node sees them.
    pub statuses: Vec<NodeStatus>,
    /// Classes in this node's own schema.
    pub own_schema: Classes,
}

impl Survey {
    /// Looks at all nodes at once. A node that hangs costs its timeout once: of those in `silent`,
    /// which did not answer last time, it is only seen whether they are back.
    pub async fn take(cluster: &Cluster, silent: &BTreeSet<String>) -> Self {
        let nodes = join_all(cluster.nodes().iter().map(|node| async {
            let view = View::take(node, silent.contains(node.name())).await;
            Seen {
                node: node.name().into(),
                url: node.url().into(),
                host: node.host().into(),
                view,
            }
        }))
        .await;
        let leader_schema = leader_schema(cluster, &nodes).await;
        Self { nodes, leader_schema }
    }

    /// Returns the nodes that answered everything, with their answers.
    pub fn answered(&self) -> impl Iterator<Item = (&str, &View)> {
        self.nodes.iter().filter_map(|seen| Some((seen.node.as_str(), seen.view.as_ref().ok()?)))
    }

    /// Returns the nodes that did not, with the reason.
    pub fn silent(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.nodes.iter().filter_map(|seen| Some((seen.node.as_str(), seen.view.as_ref().err()?)))
    }

    /// Tells whether this node's own schema has the class; `None` where it did not answer.
    #[must_use]
    pub fn node_has_class(&self, node: &str, class: &str) -> Option<bool> {
        let seen = self.nodes.iter().find(|seen| seen.node == node)?;
        Some(seen.view.as_ref().ok()?.own_schema.contains_key(class))
    }

    /// Returns the nodes whose own schema has the class.
    #[must_use]
    pub fn nodes_with_class(&self, class: &str) -> Vec<&str> {
        self.answered()
            .filter(|(_, view)| view.own_schema.contains_key(class))
            .map(|(node, _)| node)
            .collect()
    }

    /// Returns a server version that was seen, for messages.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.answered().flat_map(|(_, view)| &view.statuses).find_map(|s| s.version.as_deref())
    }
}

impl View {
    async fn take(node: &Node, silent: bool) -> Result<Self, Error> {
        // The node's own schema needs no other node, so it tells whether this one answers at all;
        // the others are asked after it, as they cost a node that hangs a timeout each.
        let own_schema =
            if silent { node.own_classes_if_back().await? } else { node.classes(true).await? };
        let (statistics, statuses) = tokio::try_join!(node.statistics(), node.node_statuses())?;
        Ok(Self { statistics, statuses, own_schema: by_name(own_schema) })
    }
}

async fn leader_schema(cluster: &Cluster, nodes: &[Seen]) -> Result<Classes, Error> {
    let mut last = None;
    let views = || nodes.iter().filter_map(|seen| seen.view.as_ref().ok());
    let entries = || views().flat_map(|view| &view.statistics.statistics);
    if views().next().is_some() && entries().all(|entry| entry.leader_id.is_none()) {
        // Without a leader each node would be asked in vain, for as long as a timeout.
        return Err(cluster.nodes()[0].no_leader());
    }
    for (node, seen) in cluster.nodes().iter().zip(nodes) {
        match &seen.view {
            Ok(_) => match node.classes(false).await {
                Ok(classes) => return Ok(by_name(classes)),
                Err(error) => last = Some(error),
            },
            Err(error) => last = last.or_else(|| Some(error.clone())),
        }
    }
    // A cluster has at least one node: the command line sees to it.
    Err(last.expect("a cluster without nodes"))
}

fn by_name(classes: Vec<Value>) -> Classes {
    classes
        .into_iter()
        .filter_map(|class| Some((class["class"].as_str()?.to_owned(), class)))
        .collect()
}
