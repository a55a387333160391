//! Where the replicas of every shard of a class are.
//!
//! Two sources: the plan (sharding state, names nodes that are down too, but
//! many servers don't answer it) and what the nodes say that they hold. A
//! replica counts as there only when a node says that it holds it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Survey;
use crate::weaviate::{Cluster, Error, Placement, Tenant};

/// The replicas of every shard of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replicas {
    /// Each shard, by name.
    pub shards: Vec<ShardReplicas>,
    /// Whether the plan could be read; without it a shard whose nodes are all down is not seen.
    pub planned_known: bool,
}

/// The replicas of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardReplicas {
    /// The shard's name.
    pub shard: String,
    /// RAFT names of the nodes that say that they hold it.
    pub held: BTreeSet<String>,
    /// RAFT names of the nodes that should hold it; empty where the plan is not known.
    pub planned: BTreeSet<String>,
    /// Whether it is a tenant that is not active: nodes do not tell what they hold of it, so that
    /// only the plan is known.
    pub inactive: bool,
}

impl ShardReplicas {
    /// Returns the RAFT names of the nodes that have it, as well as that can be known.
    #[must_use]
    pub fn known(&self) -> &BTreeSet<String> {
        if self.inactive { &self.planned } else { &self.held }
    }
}

impl Replicas {
    /// Reads the plan and joins it with what a survey has seen.
    ///
    /// # Errors
    ///
    /// Where no node answers the question at all.
    pub async fn find(cluster: &Cluster, survey: &Survey, class: &str) -> Result<Self, Error> {
        let mut plan = None;
        let mut last = None;
        for (node, seen) in cluster.nodes().iter().zip(&survey.nodes) {
            if seen.view.is_err() {
                continue;
            }
            match node.placement(class).await {
                Ok(answer) => {
                    plan = answer;
                    last = None;
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Err(error),
            None => Ok(Self::join(survey, class, plan.as_ref())),
        }
    }

    fn join(survey: &Survey, class: &str, plan: Option<&Placement>) -> Self {
        let mut shards: BTreeMap<String, ShardReplicas> = BTreeMap::new();
        for shard in plan.into_iter().flat_map(|plan| &plan.shards) {
            shards.entry(shard.shard.clone()).or_insert_with(|| empty(&shard.shard)).planned =
                shard.replicas.iter().cloned().collect();
        }
        for status in survey.answered().flat_map(|(_, view)| &view.statuses) {
            for replica in status.shards.iter().filter(|replica| replica.class == class) {
                shards
                    .entry(replica.name.clone())
                    .or_insert_with(|| empty(&replica.name))
                    .held
                    .insert(status.name.clone());
            }
        }
        Self { shards: shards.into_values().collect(), planned_known: plan.is_some() }
    }

    /// Marks the shards of tenants that are not active.
    pub fn mark_inactive(&mut self, tenants: &[Tenant]) {
        for shard in &mut self.shards {
            shard.inactive = tenants.iter().any(|t| t.name == shard.shard && !t.is_active());
        }
    }

    /// Tells whether every shard is on at least `factor` nodes.
    #[must_use]
    pub fn reach(&self, factor: usize) -> bool {
        self.shards.iter().all(|shard| shard.known().len() >= factor)
    }

    /// Returns the RAFT names of all nodes that hold or should hold a replica.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<&str> {
        self.shards
            .iter()
            .flat_map(|shard| shard.held.iter().chain(&shard.planned))
            .map(String::as_str)
            .collect()
    }
}

fn empty(shard: &str) -> ShardReplicas {
    ShardReplicas {
        shard: shard.into(),
        held: BTreeSet::new(),
        planned: BTreeSet::new(),
        inactive: false,
    }
}
