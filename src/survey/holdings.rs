//! Which node holds which replicas, looked up by class: one pass over a survey, for judging many
//! classes.

use std::collections::BTreeMap;

use super::Survey;
use crate::weaviate::ShardStatus;

/// The replicas of one shard, by the RAFT name of the node that holds each.
pub(super) type Holders<'a> = BTreeMap<&'a str, &'a ShardStatus>;

/// The shards of one class, by name.
pub(super) type Shards<'a> = BTreeMap<&'a str, Holders<'a>>;

/// The replicas of all classes.
#[derive(Debug, Default)]
pub struct Holdings<'a> {
    classes: BTreeMap<&'a str, Shards<'a>>,
    none: Shards<'a>,
}

impl Survey {
    /// Returns every replica that a node says that it holds, whoever was asked.
    #[must_use]
    pub fn holdings(&self) -> Holdings<'_> {
        let mut holdings = Holdings::default();
        for status in self.answered().flat_map(|(_, view)| &view.statuses) {
            for replica in &status.shards {
                let shards = holdings.classes.entry(&replica.class).or_default();
                let holders = shards.entry(&replica.name).or_default();
                let known = holders.entry(&status.name).or_insert(replica);
                // The number of objects lags behind, so of two answers the higher is the newer.
                if replica.object_count > known.object_count {
                    *known = replica;
                }
            }
        }
        holdings
    }

    /// Returns what nodes say of the replicas of a class that they hold; of one as often as nodes were
    /// asked.
    pub fn replicas_of<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a ShardStatus> {
        self.answered()
            .flat_map(|(_, view)| &view.statuses)
            .flat_map(|status| &status.shards)
            .filter(move |replica| replica.class == class)
    }

    /// Returns the names of the shards of a class that nodes say that they hold: the names of active
    /// tenants, in a multi-tenant class. One comes as often as it has replicas.
    pub fn shard_names<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a str> {
        self.replicas_of(class).map(|replica| replica.name.as_str())
    }
}

impl<'a> Holdings<'a> {
    /// Returns the shards of a class; none where no node holds any.
    #[must_use]
    pub fn of(&self, class: &str) -> &Shards<'a> {
        self.classes.get(class).unwrap_or(&self.none)
    }
}
