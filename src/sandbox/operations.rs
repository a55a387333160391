//! `/v1/replication/replicate`: replicas on their way from one node to another.
//!
//! An operation shows the next state of its way each time it is looked at. One
//! whose source or target is not there is stuck; nothing ever ends it here but
//! being cancelled, as on the real server.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::class_name;
use super::properties::is_id;
use super::raft::Command;
use super::replication::enabled;
use super::status::ShardStatus;
use super::world::World;

const WAY: [&str; 4] = ["REGISTERED", "HYDRATING", "FINALIZING", "INTEGRATING"];
const PATH: &str = "id in path must be of type uuid";

/// One replica on its way to a node.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    id: String,
    class: String,
    shard: String,
    source: String,
    target: String,
    kind: Kind,
    /// How often it was looked at: it is `READY` when the way is walked.
    seen: usize,
    /// Where it is stuck: at which state of the way, with which errors.
    stuck: Option<(usize, Vec<Value>)>,
    pub(super) cancelled: bool,
    /// Its class was deleted; it goes when it has ended.
    forgotten: bool,
}

/// What becomes of the replica at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Copy,
    Move,
}

/// `GET /v1/replication/replicate/list`
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    enabled(world)?;
    let history = call.query("includeHistory") == Some("true");
    let given = |key: &str| call.query(key).filter(|wanted| !wanted.is_empty());
    let (class, shard, target) = (given("collection"), given("shard"), given("targetNode"));
    if class.is_none() && shard.is_some() && target.is_none() {
        return Ok(Reply::error(400, "shard id provided without collection id"));
    }
    let running = world.visible_names();
    let chosen = world.operations.iter_mut().filter(|operation| match (class, shard, target) {
        // The server looks at the target only where no class is named.
        (Some(class), shard, _) => {
            operation.class == class && shard.is_none_or(|shard| operation.shard == shard)
        }
        (None, _, Some(target)) => operation.target == target,
        (None, _, None) => true,
    });
    let list: Vec<Value> =
        chosen.map(|operation| operation.look(&running).shown(history)).collect();
    Ok(Reply::json(200, &Value::Array(list)))
}

/// `GET /v1/replication/replicate/ID`
pub(super) fn get(world: &mut World, call: &Call, id: &str) -> Outcome {
    enabled(world)?;
    check(id)?;
    let history = call.query("includeHistory") == Some("true");
    let running = world.visible_names();
    let found = world.operations.iter_mut().find(|operation| operation.id == id);
    Ok(found.map_or(Reply::empty(404), |operation| {
        Reply::json(200, &operation.look(&running).shown(history))
    }))
}

/// `POST /v1/replication/replicate/ID/cancel`: 204 for one that is not there, too.
pub(super) fn cancel(world: &mut World, id: &str) -> Outcome {
    enabled(world)?;
    check(id)?;
    let Some(found) = world.operations.iter_mut().find(|operation| operation.id == id) else {
        return Ok(Reply::empty(204));
    };
    if matches!(found.state(), "INTEGRATING" | "READY") {
        let why = "execute cancel replication: cancellation impossible";
        return Ok(Reply::error(409, why));
    }
    found.cancelled = true;
    Ok(Reply::empty(204))
}

/// `POST /v1/replication/replicate`: a target that no one knows is taken, and waited for.
pub(super) fn start(world: &mut World, at: usize, call: &Call) -> Outcome {
    enabled(world)?;
    let sent = call.json("body")?;
    let text = |key: &str| sent[key].as_str().unwrap_or_default().to_owned();
    for key in ["collection", "shard", "sourceNode", "targetNode"] {
        if text(key).is_empty() {
            return Ok(Reply::invalid(422, 602, &format!("{key} in body is required")));
        }
    }
    let kind = match text("type").as_str() {
        "" | "COPY" => Kind::Copy,
        "MOVE" => Kind::Move,
        _ => {
            let why = "type in body should be one of [COPY MOVE]";
            return Ok(Reply::invalid(422, 606, why));
        }
    };
    let (class, shard) = (class_name(&text("collection")), text("shard"));
    let (source, target) = (text("sourceNode"), text("targetNode"));
    let refused = |why: &str| Ok(Reply::error(422, &format!("invalid request: {why}")));
    let leader = world.leader(at).map_err(|why| Reply::error(500, &why))?;
    let Some(found) = world.nodes[leader].schema.get(&class) else {
        return refused(&format!("collection {class} does not exists: class not found"));
    };
    if source == target {
        return refused("source and target node are the same: bad request");
    }
    let Some(planned) = found.shards.get(&shard) else { return refused("shard not found") };
    if !planned.replicas.contains(&source) {
        return refused(&format!(
            "could not find shard {shard} for collection {class} on source node {source}: node \
             not found"
        ));
    }
    let mut replicas = planned.replicas.clone();
    let id = world.id();
    let mut operation = Operation::new(id.clone(), &class, &shard, &source, &target, kind);
    let running = world.visible_names();
    if !running.contains(&target) {
        operation.stuck = Some((0, Vec::new()));
    } else if !running.contains(&source) {
        let why =
            format!("failed to get gRPC port for source node {source}: node not found: {source}");
        let error = json!({ "message": why, "whenErroredUnixMs": world.now() });
        operation.stuck = Some((1, vec![error]));
    } else if is_read_only(world, &class, &shard, &source) {
        let why = "failed to create replica snapshot: flush memtable: store is read-only";
        let error = json!({ "message": why, "whenErroredUnixMs": world.now() });
        operation.stuck = Some((1, vec![error]));
    } else {
        replicas.push(target.clone());
        replicas.retain(|node| kind == Kind::Copy || *node != source);
        let held = world
            .index(&source)
            .and_then(|node| world.nodes[node].replica(&class, &shard).cloned());
        let command = Command::SetReplicas { class: class.clone(), shard: shard.clone(), replicas };
        world.commit(at, command).map_err(|why| Reply::error(500, &why))?;
        let node = world.index(&target).unwrap_or_default();
        let copy = world.nodes[node].replica_mut(&class, &shard);
        if let (Some(held), Some(copy)) = (held, copy) {
            copy.objects = held.objects;
            copy.flush();
        }
    }
    world.operations.push(operation);
    Ok(Reply::json(200, &json!({ "id": id })))
}

fn is_read_only(world: &World, class: &str, shard: &str, node: &str) -> bool {
    let node = world.index(node).map(|at| &world.nodes[at]);
    let replica = node.and_then(|node| node.replica(class, shard));
    replica.is_some_and(|replica| replica.status == ShardStatus::ReadOnly)
}

/// Forgets the operations of a class that was deleted; one that is stuck stays, marked.
pub(super) fn forget(world: &mut World, class: &str) {
    world.operations.retain(|operation| operation.class != class || operation.stuck.is_some());
    for operation in world.operations.iter_mut().filter(|operation| operation.class == class) {
        operation.cancelled = true;
        operation.forgotten = true;
    }
}

impl Operation {
    /// An operation that is under way.
    pub(super) fn new(
        id: String,
        class: &str,
        shard: &str,
        source: &str,
        target: &str,
        kind: Kind,
    ) -> Operation {
        Operation {
            id,
            class: class.to_owned(),
            shard: shard.to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            kind,
            seen: 0,
            stuck: None,
            cancelled: false,
            forgotten: false,
        }
    }

    /// Keeps it from getting further than a state of its way, with an error for each message.
    pub(super) fn stick(&mut self, state: usize, errors: &[&str], when: i64) {
        let error = |message: &&str| json!({ "message": message, "whenErroredUnixMs": when });
        self.stuck = Some((state, errors.iter().map(error).collect()));
    }

    /// The same by the state's name; one that is not of its way is taken for the last.
    pub(super) fn stick_at(&mut self, state: &str, errors: &[&str], when: i64) {
        let at = WAY.iter().position(|it| *it == state).unwrap_or(WAY.len() - 1);
        self.stick(at, errors, when);
    }

    /// Returns its state. A stuck one that was cancelled is so when its node can be asked.
    fn state(&self) -> &'static str {
        match &self.stuck {
            None if self.cancelled => "CANCELLED",
            Some((state, _)) => WAY[*state],
            None => WAY.get(self.seen).copied().unwrap_or("READY"),
        }
    }

    /// Tells whether a replica of the class is still on its way.
    pub(super) fn is_under_way(&self, class: &str) -> bool {
        self.class == class && !matches!(self.state(), "READY" | "CANCELLED")
    }

    /// Lets it go on, as far as it can.
    fn look(&mut self, running: &[String]) -> Look<'_> {
        if self.cancelled && running.contains(&self.source) && running.contains(&self.target) {
            self.stuck = None;
        }
        let state = self.state();
        let walked = self.stuck.as_ref().map_or(self.seen, |(at, _)| *at).min(WAY.len());
        self.seen += 1;
        Look { operation: self, state, walked }
    }
}

/// An operation at one moment.
struct Look<'a> {
    operation: &'a Operation,
    state: &'static str,
    walked: usize,
}

impl Look<'_> {
    fn shown(&self, history: bool) -> Value {
        let Operation { stuck, cancelled, kind, .. } = self.operation;
        let walked = WAY.iter().take(self.walked);
        let walked: Vec<Value> =
            walked.map(|state| json!({ "errors": [], "state": state })).collect();
        let errors = stuck.as_ref().map_or(&[][..], |(_, errors)| errors);
        let mut shown = json!({ "collection": self.operation.class, "id": self.operation.id });
        if *cancelled && self.state != "CANCELLED" {
            shown["scheduledForCancel"] = json!(true);
        }
        if self.operation.forgotten {
            shown["scheduledForDelete"] = json!(true);
        }
        shown["shard"] = json!(self.operation.shard);
        shown["sourceNode"] = json!(self.operation.source);
        shown["status"] = json!({ "errors": errors, "state": self.state });
        shown["statusHistory"] = if history { json!(walked) } else { json!(null) };
        shown["targetNode"] = json!(self.operation.target);
        shown["type"] = json!(if *kind == Kind::Copy { "COPY" } else { "MOVE" });
        if matches!(self.state, "INTEGRATING" | "READY") {
            shown["uncancelable"] = json!(true);
        }
        shown
    }
}

fn check(id: &str) -> Result<(), Reply> {
    if is_id(id) {
        return Ok(());
    }
    Err(Reply::invalid(422, 601, &format!("{PATH}: \"{id}\"")))
}
