//! Reading and writing objects on the replicas of a shard, and when that fails.
//!
//! Knows no endpoint: the callers put their own words around the errors.

use super::class::{Class, Object};
use super::shards::nearest;
use super::world::{Node, Replica, World};

/// How many replicas must take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Level {
    One,
    #[default]
    Quorum,
    All,
}

impl Level {
    /// Reads the query parameter `consistency_level`.
    pub(super) fn parse(text: &str) -> Result<Level, String> {
        match text {
            "" | "QUORUM" => Ok(Level::Quorum),
            "ONE" => Ok(Level::One),
            "ALL" => Ok(Level::All),
            other => Err(format!(
                "unrecognized consistency level '{other}', try one of the following: ['ONE', \
                 'QUORUM', 'ALL']"
            )),
        }
    }

    /// Of the replicas that can be found, that is, not of those planned: with a node
    /// gone, `ALL` means the others.
    fn of(self, visible: usize) -> usize {
        match self {
            Level::One => 1,
            Level::Quorum => visible / 2 + 1,
            Level::All => visible,
        }
    }
}

/// Why replicas could not do something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The only replica is on a node that is gone.
    Unresolved(String),
    /// The only replica is not where it should be, or takes no writes.
    Replica(String),
    /// Too few replicas did it.
    TooFew(String),
}

impl Trouble {
    /// Returns the server's words.
    pub(super) fn text(&self) -> String {
        match self {
            Trouble::Unresolved(node) => format!("resolve node name \"{node}\" to host"),
            Trouble::Replica(text) | Trouble::TooFew(text) => text.clone(),
        }
    }
}

impl World {
    /// Changes a shard on all its replicas that can be found; whatever the outcome, the
    /// replicas that took the change keep it.
    pub(super) fn write(
        &mut self,
        class: &Class,
        shard: &str,
        level: Level,
        change: impl Fn(&mut Replica),
    ) -> Result<(), Trouble> {
        let planned = class.shards.get(shard).map_or(&[][..], |shard| shard.replicas.as_slice());
        let visible: Vec<usize> = planned
            .iter()
            .filter_map(|name| self.index(name))
            .filter(|&node| self.visible(node))
            .collect();
        if let ([only], []) = (planned, visible.as_slice()) {
            return Err(Trouble::Unresolved(only.clone()));
        }

        let mut complaints = Vec::new();
        for &node in &visible {
            let name = self.nodes[node].name.clone();
            match self.nodes[node].replica_mut(class.name(), shard) {
                Some(replica) if replica.read_only => {
                    complaints.push((name, format!("read only \"{shard}\"")))
                }
                Some(replica) => change(replica),
                None => complaints
                    .push((name, "waiting for schema version: deadline exceeded".to_owned())),
            }
        }
        if let ([_], [(_, why)]) = (planned, complaints.as_slice()) {
            return Err(Trouble::Replica(why.clone()));
        }
        let (did, required) = (visible.len() - complaints.len(), level.of(visible.len()).max(1));
        if did >= required {
            return Ok(());
        }
        let complaints: Vec<String> = complaints
            .iter()
            .map(|(node, why)| format!("replica \"{node}\": \"{node}\": {why}"))
            .collect();
        Err(Trouble::TooFew(format!(
            "cannot reach enough replicas: required {required} replicas, got {did}: {}",
            complaints.join("; ")
        )))
    }

    /// Reads an object from the replicas that can be found, or only from `node`.
    pub(super) fn read(
        &self,
        at: usize,
        class: &Class,
        shard: &str,
        id: &str,
        node: Option<&str>,
    ) -> Result<Option<Object>, Trouble> {
        let planned = class.shards.get(shard).map_or(&[][..], |shard| shard.replicas.as_slice());
        let holders = nearest(self, at, planned);
        if let ([only], []) = (planned, holders.as_slice()) {
            return Err(Trouble::Unresolved(only.clone()));
        }
        // A class without replication has one place to read from, whatever was asked for.
        let wanted =
            |holder: &&Node| class.factor() == 1 || node.is_none_or(|name| holder.name == name);
        Ok(holders
            .into_iter()
            .filter(wanted)
            .find_map(|holder| holder.replica(class.name(), shard)?.objects.get(id).cloned()))
    }

    /// Returns the objects of a shard from the nearest replica; `None` if there is none.
    pub(super) fn objects(&self, at: usize, class: &Class, shard: &str) -> Option<Vec<&Object>> {
        let planned = class.shards.get(shard)?;
        let replica = nearest(self, at, &planned.replicas)
            .into_iter()
            .find_map(|holder| holder.replica(class.name(), shard))?;
        Some(replica.objects.values().collect())
    }

    /// Lets the replicas of a node that came back take over what the others have.
    pub(super) fn repair(&mut self, at: usize) {
        let shards: Vec<(String, String)> = self.nodes[at].replicas.keys().cloned().collect();
        for (class, shard) in shards {
            let others = self.nodes.iter().filter_map(|node| node.replica(&class, &shard));
            let missing: Vec<(String, Object)> = others
                .flat_map(|replica| &replica.objects)
                .map(|(id, object)| (id.clone(), object.clone()))
                .collect();
            if let Some(replica) = self.nodes[at].replica_mut(&class, &shard) {
                for (id, object) in missing {
                    replica.objects.entry(id).or_insert(object);
                }
            }
        }
    }
}
