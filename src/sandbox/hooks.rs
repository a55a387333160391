//! What tests switch and break, past any request: states of nodes and shards,
//! movements that get stuck, replicas that no one compares.
//!
//! What they look at is in `view`.

use std::collections::BTreeMap;

use super::Sandbox;
use super::door::held;
use super::operations::{Kind, Operation};
use super::status::ShardStatus;

impl Sandbox {
    /// Returns how many requests each node got.
    #[must_use]
    pub fn requests_by_node(&self) -> BTreeMap<String, usize> {
        let mut counts: BTreeMap<String, usize> =
            self.nodes().into_iter().map(|(name, _)| (name, 0)).collect();
        for request in held(&self.cluster.log).iter() {
            *counts.entry(request.node.clone()).or_default() += 1;
        }
        counts
    }

    /// Switches the movement of replicas; while it is off, its endpoints answer 501.
    pub fn set_replica_movement(&self, enabled: bool) {
        held(&self.cluster.world).movement = enabled;
    }

    /// Switches asynchronous replication; while it is off, a node that comes back has what
    /// it had, until its objects are read with more than one replica.
    pub fn set_async_replication(&self, enabled: bool) {
        held(&self.cluster.world).async_replication = enabled;
    }

    /// Sets the version that a node says it has.
    pub fn set_version(&self, node: &str, version: &str) {
        let mut world = held(&self.cluster.world);
        if let Some(at) = world.index(node) {
            version.clone_into(&mut world.nodes[at].version);
        }
    }

    /// Sets the operational mode that a node says it is in: `ReadWrite`, `ReadOnly`, …
    pub fn set_operational_mode(&self, node: &str, mode: &str) {
        let mut world = held(&self.cluster.world);
        if let Some(at) = world.index(node) {
            mode.clone_into(&mut world.nodes[at].mode);
        }
    }

    /// Sets the state of one node's replicas of a class, and how many vectors wait there.
    pub fn set_shards(&self, node: &str, class: &str, status: ShardStatus, queue: usize) {
        let mut world = held(&self.cluster.world);
        let Some(at) = world.index(node) else { return };
        let replicas = world.nodes[at].replicas.iter_mut().filter(|((of, _), _)| of == class);
        for (_, replica) in replicas {
            replica.status = status;
            replica.queue = queue;
        }
    }

    /// Registers a copy of a shard to a node that never gets there, with these errors.
    /// Without an error it is not even begun. Returns its id.
    #[must_use]
    pub fn stick_movement(
        &self,
        class: &str,
        shard: &str,
        from: &str,
        to: &str,
        errors: &[&str],
    ) -> String {
        let mut world = held(&self.cluster.world);
        let (id, now) = (world.id(), world.now());
        let mut operation = Operation::new(id.clone(), class, shard, from, to, Kind::Copy);
        operation.stick(usize::from(!errors.is_empty()), errors, now);
        world.operations.push(operation);
        id
    }
}
