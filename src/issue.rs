//! What a look at the cluster found wrong, in one form for people and programs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the codes, their words and the list of all.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// The fixed word for a kind of issue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum IssueCode { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl IssueCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the word as scripts, journals and NDJSON carry it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

codes! {
    /// Several nodes lead, or nodes follow different leaders.
    SeveralLeaders = "several_leaders",
    /// A node knows no leader.
    NoLeader = "no_leader",
    /// The leader's schema could not be read.
    LeaderUnread = "leader_unread",
    /// The leader lacks a class that a node has.
    LeaderLacksClass = "leader_lacks_class",
    /// A node that was named does not answer.
    NodeSilent = "node_silent",
    /// A member of the RAFT configuration does not take part.
    MemberMissing = "member_missing",
    /// A node does not see a member that takes part.
    MemberUnseen = "member_unseen",
    /// Nodes hold different RAFT configurations.
    ConfigurationsDiffer = "configurations_differ",
    /// Not as many nodes were named as the cluster has members.
    NodesNamed = "nodes_named",
    /// Nodes run different versions.
    VersionsDiffer = "versions_differ",
    /// A node does not take reads and writes.
    NotReadWrite = "not_read_write",
    /// A node's own schema lacks a class that the leader has.
    ClassMissingOnNode = "class_missing_on_node",
    /// A node's own schema has another definition of a class than the leader.
    SchemaDiffers = "schema_differs",
    /// A class has another factor than it must have.
    WrongFactor = "wrong_factor",
    /// A shard has fewer replicas planned than the class promises.
    TooFewReplicas = "too_few_replicas",
    /// A shard has more replicas planned than the class promises.
    TooManyReplicas = "too_many_replicas",
    /// A node does not hold a replica that is planned.
    ReplicaMissing = "replica_missing",
    /// Whether a replica is there can't be seen.
    ReplicaUnknown = "replica_unknown",
    /// No node holds a shard.
    ShardMissing = "shard_missing",
    /// No node that answers holds a shard.
    ShardUnknown = "shard_unknown",
    /// A replica takes no writes.
    ShardReadOnly = "shard_read_only",
    /// A replica is not ready.
    ShardNotReady = "shard_not_ready",
    /// Replicas hold different numbers of objects.
    CountsDiffer = "counts_differ",
    /// The objects could not be counted.
    CountUnknown = "count_unknown",
    /// Replicas hold different objects.
    ObjectsDiffer = "objects_differ",
    /// Objects could not be compared.
    ObjectsUnknown = "objects_unknown",
    /// A replica movement does not come to its end.
    MovementStuck = "movement_stuck",
    /// Where replicas are planned, or which are moved, could not be read.
    PlacementUnknown = "placement_unknown",
    /// Tenants that are not active can't be looked at.
    TenantsInactive = "tenants_inactive",
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much an issue matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is wrong.
    Problem,
    /// It could not be found out whether something is wrong.
    Unknown,
    /// Worth knowing, and not wrong.
    Note,
}

/// Something that a look at the cluster found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The kind.
    pub code: IssueCode,
    /// How much it matters.
    pub severity: Severity,
    /// The class that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The node that it is about: its RAFT name, or the name of `--node` where only that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The shard that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// What was found, one sentence fragment.
    pub text: String,
    /// What to do about it: a sentence or a command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Issue {
    /// Returns a problem.
    #[must_use]
    pub fn problem(code: IssueCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Problem, text.into())
    }

    /// Returns something that could not be found out.
    #[must_use]
    pub fn unknown(code: IssueCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Unknown, text.into())
    }

    /// Returns something worth knowing.
    #[must_use]
    pub fn note(code: IssueCode, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, text.into())
    }

    fn new(code: IssueCode, severity: Severity, text: String) -> Self {
        Self { code, severity, class: None, node: None, shard: None, text, remedy: String::new() }
    }

    /// Adds the class.
    #[must_use]
    pub fn of(mut self, class: &str) -> Self {
        self.class = Some(class.into());
        self
    }

    /// Adds the node.
    #[must_use]
    pub fn at(mut self, node: &str) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Adds the shard.
    #[must_use]
    pub fn shard(mut self, shard: &str) -> Self {
        self.shard = Some(shard.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Tells whether two looks found the same, however the wording changed.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.code, &self.class, &self.node, &self.shard)
            == (other.code, &other.class, &other.node, &other.shard)
    }
}
