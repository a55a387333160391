//! Primitives on the cluster: nodes, what each has itself, replicas.

use rhai::plugin::{NativeCallContext, export_module};

use crate::error::{Code, Failure};
use crate::survey::Sample;

/// The nodes, what each has itself, and where replicas are.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::{Array, INT, Map};

    use crate::host::throw::{Throws, ask, give, run};

    /// Returns the names of the nodes, as `--node` named them.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
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
    /// Reads that node's own schema.
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

    /// Returns each shard of `class` as `#{ shard, held, planned, inactive }`: the RAFT names of
    /// the nodes that say that they hold a replica, and of those that should (empty where the
    /// server can't tell). Of an inactive tenant only `planned` is known.
    ///
    /// Reads every node: what it holds, and where the replicas should be.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// for shard in replicas("Author") { note(`${shard.shard}: ${shard.held.len()} replicas`); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn replicas(context: NativeCallContext, class: &str) -> Throws<Array> {
        let replicas = ask(&context, |session| session.replicas(class))?;
        give(&context, &replicas.shards)
    }

    /// Like `replicas(class)`, but only the shards that have fewer than `factor` replicas: what is
    /// quick also where the class has thousands of tenants.
    ///
    /// ```rhai
    /// check("Author has three replicas", replicas("Author", 3).is_empty());
    /// ```
    #[rhai_fn(name = "replicas", return_raw, volatile)]
    pub fn replicas_short(context: NativeCallContext, class: &str, factor: INT) -> Throws<Array> {
        let factor = usize::try_from(factor).unwrap_or(0);
        let mut replicas = ask(&context, |session| session.replicas(class))?;
        replicas.shards.retain(|shard| shard.known().len() < factor);
        give(&context, &replicas.shards)
    }

    /// Waits until every shard of `class` is on `factor` nodes, for at most three times as long as
    /// an answer may take (30 seconds, if nothing else was set); returns whether it came to that.
    ///
    /// Reads what `replicas` reads, again and again.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// wait_for_replicas("Author", 3) || warn("replicas are late");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn wait_for_replicas(context: NativeCallContext, class: &str, factor: INT) -> Throws<bool> {
        let factor = usize::try_from(factor).unwrap_or(0);
        ask(&context, |session| session.wait_for_replicas(class, factor))
    }
    /// Looks at the whole cluster at once, and returns `#{ nodes, leader, agreed, classes, issues
    /// }`: the nodes as the cluster shows them, the RAFT leader that all follow (or `()`), whether
    /// they agree, every class as `collection_status` has it, and what is wrong with the cluster
    /// itself. Objects are counted on every node; tenants that are not active are not looked for.
    /// Unknown is `()`.
    ///
    /// Reads every node: schemas, RAFT, replicas and numbers of objects, in a few requests however
    /// many classes there are.
    ///
    /// Throws `unreachable` if no node answers.
    ///
    /// ```rhai
    /// for class in survey().classes { note(`${class.name}: ${class.issues.len()} issues`); }
    /// ```
    #[rhai_fn(name = "survey", return_raw, volatile)]
    pub fn survey_all(context: NativeCallContext) -> Throws<Map> {
        let health = ask(&context, |session| session.health(false))?;
        give(&context, &health)
    }

    /// Like `survey()`; if `quick`, no object is counted and no replica movement is looked for.
    ///
    /// ```rhai
    /// if survey(true).leader == () { warn("no leader that all follow"); }
    /// ```
    #[rhai_fn(name = "survey", return_raw, volatile)]
    pub fn survey_quick(context: NativeCallContext, quick: bool) -> Throws<Map> {
        let health = ask(&context, |session| session.health(quick))?;
        give(&context, &health)
    }

    /// Returns what is known of `class` as `#{ name, exists, replication_factor, multi_tenant,
    /// node_distribution, shards, data_count, consistent, issues }`. `node_distribution` has for
    /// each node `#{ schema, shards, objects, read_only }`; `shards` has for each shard `#{ shard,
    /// planned, inactive, replicas }`; an issue is what `report` takes. Unknown is `()`.
    ///
    /// Reads every node: the class, its replicas, its tenants and its numbers of objects.
    ///
    /// Throws `unreachable` if no node answers, `invalid` for a name that no class can have.
    ///
    /// ```rhai
    /// if collection_status("Author").consistent != true { warn("Author is not as it should be"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn collection_status(context: NativeCallContext, class: &str) -> Throws<Map> {
        let status = ask(&context, |session| session.collection_status(class))?;
        let mut status: Map = give(&context, &status)?;
        // Left out where it is empty, as it is for each of many classes.
        status.entry("shards".into()).or_insert_with(|| Array::new().into());
        Ok(status)
    }
    /// Returns what is known of RAFT as `#{ leader, agreed, synchronized, nodes, schemas, issues,
    /// way_out, no_way_out }`. `nodes` has each node's own part by its RAFT name: `state`,
    /// `leader`, `term`, `last_log_index`, `commit_index`, `applied_index`, `last_contact`,
    /// `voter`, `ready`, `members`, `candidates`. `schemas` has what each node answers of itself:
    /// `classes`, `sees`, `cut_off`. `way_out` is `#{ keep, also_keep, remove, restore }` where
    /// nodes have come apart: whose RAFT logs stay, whose are removed, and which classes of which
    /// nodes are to be put back after that.
    ///
    /// Reads every node: schemas and RAFT.
    ///
    /// Throws `unreachable` if no node answers.
    ///
    /// ```rhai
    /// if !raft().agreed { warn("the nodes do not agree"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn raft(context: NativeCallContext) -> Throws<Map> {
        let raft = ask(&context, crate::session::Session::raft)?;
        give(&context, &raft)
    }

    /// Compares the objects of `class` on every replica: properties with references, vectors,
    /// tenant. `sample` is `"all"`, or how many objects, at places drawn at random. Returns `#{
    /// objects, issues }`: how many were compared, and what differs. An object that is being
    /// written is no difference: it is looked at again.
    ///
    /// Reads the objects of every replica, page by page.
    ///
    /// Throws `not_found` if there is no such class, `invalid` for another sample, `unreachable` if
    /// no node answers.
    ///
    /// ```rhai
    /// for issue in compare_replicas("Author", "all").issues { report(issue); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn compare_replicas(context: NativeCallContext, class: &str, sample: &str) -> Throws<Map> {
        let (objects, issues) =
            ask(&context, |session| session.compare_replicas(class, super::sample(sample)?))?;
        give(&context, &serde_json::json!({ "objects": objects, "issues": issues }))
    }
}

/// Reads how many objects are to be compared.
fn sample(text: &str) -> Result<Sample, Failure> {
    match (text, text.parse()) {
        ("all", _) => Ok(Sample::All),
        (_, Ok(number)) => Ok(Sample::Some(number)),
        _ => Err(Failure::new(
            Code::Invalid,
            format!("`{text}` is no sample of objects: `all`, or how many"),
        )),
    }
}
