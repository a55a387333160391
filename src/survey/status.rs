//! What is known of one class: where its schema, its shards and its objects are, and what is wrong.
//!
//! Sharding is not replication: three shards of one replica each are one replica, wherever they
//! lie. What could not be seen is unknown, never absent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Survey;
use super::health::Look;
use super::replica_counts::Counts;
use super::topology::TopologyNode;
use crate::issue::{Issue, Severity};
use crate::weaviate::ShardStatus;

/// What is known of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassStatus {
    /// The class.
    pub name: String,
    /// Whether the RAFT leader has it; unknown where it could not be asked.
    pub exists: Option<bool>,
    /// The replicas that its schema promises for each shard; unknown where there is no schema.
    pub replication_factor: Option<u64>,
    /// Whether each of its shards is a tenant.
    pub multi_tenant: bool,
    /// What each node has of it, by RAFT name; by the name of `--node` where that is all that is
    /// known.
    pub node_distribution: BTreeMap<String, OnNode>,
    /// Its shards, where one class was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<Shard>,
    /// The number of objects; unknown unless every shard was counted on every node.
    pub data_count: Option<u64>,
    /// Whether it is as its schema promises, and every node counts the same number of objects; which
    /// objects these are is for `compare` to find. Unknown where something could not be seen.
    pub consistent: Option<bool>,
    /// What was found, the gravest first.
    pub issues: Vec<Issue>,
}

/// What one node has of a class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OnNode {
    /// Whether its own schema has the class; unknown where it does not answer, or where it is not
    /// known which address is its.
    pub schema: Option<bool>,
    /// Shards of which it holds a replica; unknown where that can't be seen.
    pub shards: Option<usize>,
    /// Objects in its replicas, counted; unknown unless it holds a replica of every shard, as else
    /// it counts others' replicas too.
    pub objects: Option<u64>,
    /// Whether one of its replicas takes no writes.
    pub read_only: bool,
}

/// One shard of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "as `replicas` has it for scripts")]
pub struct Shard {
    /// Its name; the tenant's, where shards are tenants.
    pub shard: String,
    /// RAFT names of the nodes that should hold it; empty where the plan is not known.
    pub planned: BTreeSet<String>,
    /// Whether it is a tenant that is not active: nodes do not tell what they hold of it.
    pub inactive: bool,
    /// The replicas that nodes say that they hold, by RAFT name.
    pub replicas: BTreeMap<String, Replica>,
}

/// One replica of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// Objects that it reports to hold. Lags behind writes.
    pub objects: Option<u64>,
    /// `READY`, `READONLY`, `INDEXING`, `LOADING`, `LAZY_LOADING`, `SHUTDOWN`.
    pub status: Option<String>,
}

impl Survey {
    /// Returns the definition of a class: the leader's, else that of any node that has it.
    #[must_use]
    pub fn definition(&self, class: &str) -> Option<&Value> {
        let leader = self.leader_schema.as_ref().ok().and_then(|schema| schema.get(class));
        leader.or_else(|| self.answered().find_map(|(_, view)| view.own_schema.get(class)))
    }

    /// Tells whether each shard of the class is a tenant.
    #[must_use]
    pub fn is_multi_tenant(&self, class: &str) -> bool {
        self.definition(class).is_some_and(|it| it["multiTenancyConfig"]["enabled"] == true)
    }

    /// Returns the names of all classes that the leader or any node has.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<&str> {
        let own = self.answered().flat_map(|(_, view)| view.own_schema.keys());
        let leader = self.leader_schema.iter().flat_map(BTreeMap::keys);
        own.chain(leader).map(String::as_str).collect()
    }
}

impl Look<'_> {
    /// Judges one class.
    #[must_use]
    pub(super) fn class(&self, class: &str) -> ClassStatus {
        let survey = self.survey;
        let definition = survey.definition(class);
        let multi_tenant = survey.is_multi_tenant(class);
        let promised = definition.map(promised_factor);
        let mut issues = vec![];
        self.judge_schemas(class, &mut issues);
        if let Some(promised) = promised {
            self.judge_shards(class, promised, &mut issues);
        }
        self.judge_tenants(class, &mut issues);
        self.judge_movements(class, &mut issues);
        let counted = self.counts.get(class);
        self.judge_counts(class, counted, &mut issues);
        issues.sort_by_key(|issue| issue.severity);
        let exists = survey.leader_schema.as_ref().ok().map(|schema| schema.contains_key(class));
        let data_count = self.data_count(class);
        let severity = issues.first().map(|issue| issue.severity);
        // A node whose own schema was not seen; tenants that are asleep, or that counting would have to load.
        let unasked = survey.silent().next().is_some();
        let unseen = unasked || multi_tenant && data_count.is_none();
        ClassStatus {
            name: class.into(),
            exists,
            replication_factor: promised,
            multi_tenant,
            node_distribution: self.distribution(class),
            shards: self.shards(class),
            data_count,
            consistent: match severity {
                Some(Severity::Problem) => Some(false),
                Some(Severity::Unknown) => None,
                Some(Severity::Note) | None if unseen || exists.is_none() => None,
                Some(Severity::Note) | None => Some(true),
            },
            issues,
        }
    }

    /// Returns what to do, or the way out where nodes have come apart: that comes first.
    pub(super) fn unless_apart(&self, remedy: String) -> String {
        if self.apart { self.commands.way_out() } else { remedy }
    }

    /// Tells whether a shard is a tenant that is not active.
    pub(super) fn is_inactive(&self, class: &str, shard: &str) -> bool {
        let tenants = self.tenants.get(class).map(Vec::as_slice).unwrap_or_default();
        tenants.iter().any(|tenant| tenant.name == shard && !tenant.is_active())
    }

    /// Returns the number of objects, where all could be counted.
    pub(super) fn data_count(&self, class: &str) -> Option<u64> {
        match self.counts.get(class) {
            Some(Counts::Same(count))
                if !self.may_hide_objects(class, self.survey.is_multi_tenant(class)) =>
            {
                Some(*count)
            }
            _ => None,
        }
    }

    /// Tells whether there may be objects that no count can see: those of inactive tenants.
    fn may_hide_objects(&self, class: &str, multi_tenant: bool) -> bool {
        match self.tenants.get(class) {
            Some(tenants) => tenants.iter().any(|tenant| !tenant.is_active()),
            None => multi_tenant,
        }
    }

    fn distribution(&self, class: &str) -> BTreeMap<String, OnNode> {
        let mut nodes: BTreeMap<String, OnNode> = BTreeMap::new();
        let unseen = self.survey.unseen_members();
        for node in self.topology {
            let held =
                || self.holdings.of(class).values().filter_map(|h| h.get(node.node.as_str()));
            let seen = !unseen.contains(&node.node) && node.status.is_some();
            nodes.insert(
                node.node.clone(),
                OnNode {
                    schema: node
                        .named
                        .as_deref()
                        .and_then(|n| self.survey.node_has_class(n, class)),
                    shards: seen.then(|| held().count()),
                    objects: self.own_count(class, node, held().count()),
                    read_only: held().any(|replica| replica.is_read_only()),
                },
            );
        }
        for seen in &self.survey.nodes {
            if !self.topology.iter().any(|node| node.named.as_deref() == Some(&seen.node)) {
                let schema = self.survey.node_has_class(&seen.node, class);
                nodes.insert(seen.node.clone(), OnNode { schema, ..OnNode::default() });
            }
        }
        nodes
    }

    /// Returns the number of objects that a node has counted in its own replicas.
    fn own_count(&self, class: &str, node: &TopologyNode, held: usize) -> Option<u64> {
        match self.counts.get(class)? {
            _ if held < self.holdings.of(class).len() => None,
            Counts::Same(count) => Some(*count),
            Counts::Differ(each) => each.get(node.named.as_ref()?).copied(),
            Counts::Unknown(_) | Counts::NotLoaded => None,
        }
    }

    /// Returns every shard, those that nobody shows too, where the plan was read.
    fn shards(&self, class: &str) -> Vec<Shard> {
        let Some(plan) = self.plans.get(class) else { return vec![] };
        let held = self.holdings.of(class);
        let replica = |(node, status): (&&str, &&ShardStatus)| {
            let objects = status.object_count.and_then(|count| u64::try_from(count).ok());
            let status = status.vector_indexing_status.clone();
            ((*node).to_owned(), Replica { objects, status })
        };
        plan.shards
            .iter()
            .map(|shard| Shard {
                shard: shard.shard.clone(),
                planned: shard.planned.clone(),
                inactive: self.is_inactive(class, &shard.shard),
                replicas: held
                    .get(shard.shard.as_str())
                    .map(|holders| holders.iter().map(replica).collect())
                    .unwrap_or_default(),
            })
            .collect()
    }
}

/// Returns the factor that a definition promises; 1 is the server's default.
fn promised_factor(definition: &Value) -> u64 {
    definition["replicationConfig"]["factor"].as_u64().unwrap_or(1).max(1)
}
