//! Primitives on the cluster: nodes, what each has itself, replicas.

use rhai::plugin::{NativeCallContext, export_module};

#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::{Array, Dynamic, INT};

    use crate::host::throw::{Throws, ask, run, value};

    /// Returns the names of the nodes, as `--node` named them.
    ///
    /// ```rhai
    /// for node in nodes() { note(node); }
    /// ```
    #[rhai_fn(volatile)]
    pub fn nodes(context: NativeCallContext) -> Array {
        run(&context).session.node_names().into_iter().map(Into::into).collect()
    }

    /// Tells whether `node` has `class` in its own schema, without asking the RAFT leader.
    ///
    /// Throws `unreachable` if the node does not answer, `invalid` if there is no such node.
    ///
    /// ```rhai
    /// for node in nodes() { check(`${node} has Author`, node_has_class(node, "Author")); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn node_has_class(context: NativeCallContext, node: &str, class: &str) -> Throws<bool> {
        ask(&context, |session| session.node_has_class(node, class))
    }

    /// Returns each shard of `class` as `#{ shard, held, planned, inactive }`: the RAFT names of the
    /// nodes that say that they hold a replica, and of those that should (empty where the server
    /// can't tell). Of an inactive tenant only `planned` is known.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// for shard in replicas("Author") { note(`${shard.shard}: ${shard.held.len()} replicas`); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn replicas(context: NativeCallContext, class: &str) -> Throws<Dynamic> {
        let replicas = ask(&context, |session| session.replicas(class))?;
        value(&serde_json::json!(replicas.shards))
    }

    /// Waits until every shard of `class` is on `factor` nodes, for at most 30 seconds; returns
    /// whether it came to that.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// wait_for_replicas("Author", 3) || warn("replicas are late");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn wait_for_replicas(context: NativeCallContext, class: &str, factor: INT) -> Throws<bool> {
        let factor = usize::try_from(factor).unwrap_or(0);
        let time = std::time::Duration::from_secs(30);
        ask(&context, |session| session.wait_for_replicas(class, factor, time))
    }
}
