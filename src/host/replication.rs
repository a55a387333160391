//! Primitives on the replicas of a class that stays where it is.

use rhai::plugin::{NativeCallContext, export_module};
use serde::{Deserialize, Serialize};

/// A replica that is to be taken away, as scripts see it.
#[derive(Serialize, Deserialize)]
struct Removal {
    shard: String,
    node: String,
}

/// Replicas of a class that stays where it is.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use std::collections::BTreeSet;

    use rhai::{Array, INT, Map};

    use super::Removal;
    use crate::host::throw::{Throws, ask, value};
    use crate::session::Removals;
    use crate::weaviate::ReplicaCopy;

    /// Returns the copies that give every shard of `class` `factor` replicas, each with `shard`,
    /// `from` and `to`; none where it has them.
    ///
    /// Reads every node: where replicas are and should be.
    ///
    /// Throws `not_found` if there is no such class, `invalid` for more replicas than there are
    /// nodes, `rejected` where the servers can't copy replicas, `unverifiable` where a node does
    /// not answer or a tenant is not active.
    ///
    /// ```rhai
    /// for copy in plan_copies("Author", 3) { note(`${copy.shard} to ${copy.to}`); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn plan_copies(context: NativeCallContext, class: &str, factor: INT) -> Throws<Array> {
        let factor = usize::try_from(factor).unwrap_or(0);
        let copies = ask(&context, |session| session.plan_copies(class, factor))?;
        copies.iter().map(rhai::serde::to_dynamic).collect()
    }

    /// Lets the servers make `copies` of `class`, while it is read and written, and waits until all
    /// are there. Where one does not get there, those that are not are cancelled.
    ///
    /// Changes the class: adds replicas to its shards.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `rejected` if the servers can't copy replicas or a copy does not get there,
    /// `unverifiable` if it is not known whether it does.
    ///
    /// ```rhai
    /// copy_replicas("Author", plan_copies("Author", 3));
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn copy_replicas(context: NativeCallContext, class: &str, copies: Array) -> Throws<()> {
        if copies.is_empty() {
            return Ok(());
        }
        let copies: Vec<ReplicaCopy> = rhai::serde::from_dynamic(&copies.into())?;
        ask(&context, |session| session.copy_replicas(class, &copies))
    }

    /// Returns the replicas that the servers would take away so that every shard of `class` has
    /// `factor`, each with `shard` and `node`; none where it has no more.
    ///
    /// Reads the plan of the servers, and where the replicas are.
    ///
    /// Throws `not_found` if there is no such class, `invalid` for factor 0, `rejected` where the
    /// servers can't take replicas away, `unverifiable` where too few would be left or a tenant is
    /// not active.
    ///
    /// ```rhai
    /// for replica in plan_removals("Author", 1) { note(`${replica.shard} on ${replica.node}`); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn plan_removals(context: NativeCallContext, class: &str, factor: INT) -> Throws<Array> {
        let factor = u64::try_from(factor).unwrap_or(0);
        let removals = ask(&context, |session| session.plan_removals(class, factor))?;
        let each = |(shard, nodes): (&String, &BTreeSet<String>)| {
            nodes.iter().map(|node| Removal { shard: shard.clone(), node: node.clone() }).collect()
        };
        let all = removals.iter().flat_map(|it| -> Vec<Removal> { each(it) });
        all.map(rhai::serde::to_dynamic).collect()
    }

    /// Sets a smaller `factor` of `class` and lets the servers take `removals` away. Writes to it
    /// are paused meanwhile, and every object is compared on every replica before: one that is not
    /// everywhere the same ends it.
    ///
    /// Changes the class: its factor, whether its shards take writes, and which nodes hold them.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `conflict` where replicas differ or the servers plan otherwise now, `rejected` if the
    /// servers said no, `unverifiable` if it is not known what they did.
    ///
    /// ```rhai
    /// remove_replicas("Author", 1, plan_removals("Author", 1));
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn remove_replicas(
        context: NativeCallContext,
        class: &str,
        factor: INT,
        removals: Array,
    ) -> Throws<()> {
        let factor = u64::try_from(factor).unwrap_or(0);
        let removals: Vec<Removal> = rhai::serde::from_dynamic(&removals.into())?;
        let mut all = Removals::new();
        for Removal { shard, node } in removals {
            all.entry(shard).or_default().insert(node);
        }
        ask(&context, |session| session.remove_replicas(class, factor, &all))
    }

    /// Compares every object of `class` on every replica, and lets the servers bring together those
    /// that differ: the newest version wins. One that a replica lacks is saved first, as it may
    /// turn out to have been deleted there. Returns `#{ objects, brought_together, issues }`, with
    /// an issue for each object that still differs.
    ///
    /// Changes the objects of the class that differ.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if a node can't be read.
    ///
    /// ```rhai
    /// for issue in resync_replicas("Author").issues { report(issue); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn resync_replicas(context: NativeCallContext, class: &str) -> Throws<Map> {
        let (objects, brought, issues) = ask(&context, |session| session.resync(class))?;
        value(&serde_json::json!({
            "objects": objects, "brought_together": brought, "issues": issues,
        }))
    }

    /// Sets the replication factor of `class`, whose shards must have the replicas for it, and
    /// waits until every node's own schema shows it.
    ///
    /// Changes the class: its factor.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `rejected` if a shard has fewer replicas or
    /// the server said no, `unverifiable` if a node does not show it.
    ///
    /// ```rhai
    /// copy_replicas("Author", plan_copies("Author", 3));
    /// set_factor("Author", 3);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn set_factor(context: NativeCallContext, class: &str, factor: INT) -> Throws<()> {
        let factor = u64::try_from(factor).unwrap_or(0);
        ask(&context, |session| session.set_factor(class, factor))
    }
}
