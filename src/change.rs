//! A change of the cluster, as it is recorded before it is sent, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::{count, count_objects};
use crate::weaviate::{ObjectName, ReplicaCopy, Tenant};

/// A change of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Create a class.
    CreateClass {
        /// Its name.
        class: String,
        /// What is sent.
        definition: Value,
    },
    /// Delete a class with everything in it.
    DeleteClass {
        /// Its name.
        class: String,
        /// Whether it was proven to hold no object.
        #[serde(default)]
        empty: bool,
        /// Whether every object of it is in files.
        #[serde(default)]
        exported: bool,
    },
    /// Add tenants to a class.
    CreateTenants {
        /// The class.
        class: String,
        /// The tenants with their states.
        tenants: Vec<Tenant>,
    },
    /// Activate tenants.
    ActivateTenants {
        /// The class.
        class: String,
        /// The tenants with the states that they had.
        tenants: Vec<Tenant>,
    },
    /// Put tenants that were activated back into the states that they had.
    DeactivateTenants {
        /// The class.
        class: String,
        /// The tenants with these states.
        tenants: Vec<Tenant>,
    },
    /// Make shards refuse writes.
    PauseWrites {
        /// The class.
        class: String,
        /// The shards that took them; tenants, in a multi-tenant class.
        shards: BTreeSet<String>,
    },
    /// Let shards take writes again.
    AllowWrites {
        /// The class.
        class: String,
        /// The shards.
        shards: BTreeSet<String>,
    },
    /// Let the servers copy a replica to another node.
    CopyReplica {
        /// The class.
        class: String,
        /// Which, from where, to where.
        #[serde(flatten)]
        copy: ReplicaCopy,
    },
    /// Cancel such a copy.
    CancelCopy {
        /// The class.
        class: String,
        /// The movement's id.
        id: String,
        /// The shard.
        shard: String,
        /// RAFT name of the node that was to get it.
        to: String,
    },
    /// Let the servers take replicas away. Each other replica of their shards has all that they have.
    RemoveReplicas {
        /// The class.
        class: String,
        /// The nodes (RAFT names) from which each shard is taken away.
        removals: BTreeMap<String, BTreeSet<String>>,
    },
    /// Give a class another factor, and leave its replicas as they are.
    SetFactor {
        /// The class.
        class: String,
        /// What it was.
        before: u64,
        /// What it is to be.
        factor: u64,
    },
    /// Let the servers bring together the replicas of the objects that differ. Many requests.
    BringTogether {
        /// The class.
        class: String,
    },
    /// Insert an object.
    InsertObject(ObjectName),
    /// Delete an object that this run inserted.
    DeleteObject(ObjectName),
    /// Write the objects of a file that are not there yet or older there. Many requests.
    ImportObjects {
        /// The class.
        class: String,
        /// How many the file holds.
        objects: u64,
        /// The file.
        file: String,
    },
}

impl Change {
    /// Returns the class that is changed.
    #[must_use]
    pub fn class(&self) -> &str {
        match self {
            Self::CreateClass { class, .. }
            | Self::DeleteClass { class, .. }
            | Self::CreateTenants { class, .. }
            | Self::ActivateTenants { class, .. }
            | Self::DeactivateTenants { class, .. }
            | Self::PauseWrites { class, .. }
            | Self::AllowWrites { class, .. }
            | Self::CopyReplica { class, .. }
            | Self::CancelCopy { class, .. }
            | Self::RemoveReplicas { class, .. }
            | Self::SetFactor { class, .. }
            | Self::BringTogether { class }
            | Self::InsertObject(ObjectName { class, .. })
            | Self::DeleteObject(ObjectName { class, .. })
            | Self::ImportObjects { class, .. } => class,
        }
    }

    /// Returns it as something to do: `delete class X`.
    #[must_use]
    pub fn imperative(&self) -> String {
        match self {
            Self::CreateClass { class, definition } => {
                format!("create class {class} with factor {}", factor(definition))
            }
            Self::DeleteClass { class, .. } => format!("delete class {class}"),
            Self::CreateTenants { class, tenants } => {
                format!("create {} of class {class}", count(tenants.len(), "tenant"))
            }
            Self::ActivateTenants { class, tenants } => {
                format!("activate {} of class {class}", count(tenants.len(), "tenant"))
            }
            Self::DeactivateTenants { class, tenants } => {
                format!("deactivate {} of class {class}", count(tenants.len(), "tenant"))
            }
            Self::PauseWrites { class, .. } => format!("pause writes to class {class}"),
            Self::AllowWrites { class, .. } => format!("allow writes to class {class}"),
            Self::CopyReplica { class, copy: ReplicaCopy { shard, from, to } } => {
                format!("copy shard {shard} of class {class} from {from} to {to}")
            }
            Self::CancelCopy { class, shard, to, .. } => {
                format!("cancel the copy of shard {shard} of class {class} to {to}")
            }
            Self::RemoveReplicas { class, removals } => {
                let replicas = removals.values().map(BTreeSet::len).sum();
                format!("remove {} of class {class}", count(replicas, "replica"))
            }
            Self::SetFactor { class, before, factor } => {
                format!("change the factor of class {class} from {before} to {factor}")
            }
            Self::BringTogether { class } => format!("resync the replicas of class {class}"),
            Self::InsertObject(object) => format!("insert {object}"),
            Self::DeleteObject(object) => format!("delete {object}"),
            Self::ImportObjects { class, objects, .. } => {
                format!("import the missing of {} into class {class}", count_objects(*objects))
            }
        }
    }

    /// Returns it as something done: `deleted class X`.
    #[must_use]
    pub fn past(&self) -> String {
        let imperative = self.imperative();
        match imperative.split_once(' ') {
            Some(("cancel", rest)) => format!("cancelled {rest}"),
            Some(("copy", rest)) => format!("began to copy {rest}"),
            Some((verb, rest)) if verb.ends_with('e') => format!("{verb}d {rest}"),
            Some((verb, rest)) => format!("{verb}ed {rest}"),
            None => imperative,
        }
    }
}

/// Returns the replication factor of a definition as text; 1 is the server's default.
fn factor(definition: &Value) -> String {
    definition["replicationConfig"]["factor"].as_i64().map_or_else(|| "1".into(), |f| f.to_string())
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A clean answer.
    Done,
    /// No clean answer, but the cluster shows that it was made.
    FoundDone,
    /// The cluster shows that it was not made.
    NotDone,
    /// Some of what it consists of was made, and the rest was not or is not known.
    Partly,
    /// It could not be found out.
    Unknown,
}
