//! The state of the whole cluster: nodes, what each has on its disk, and who
//! of them can be reached.
//!
//! Knows no endpoint. Everything is changed under one lock, so each request
//! happens at one moment.

use std::collections::BTreeMap;

use super::class::{Class, Object};
use super::nodes::VERSION;
use super::operations::Operation;
use super::raft::Group;
use super::status::ShardStatus;

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    /// The RAFT clusters: one, if all is well.
    pub(super) groups: Vec<Group>,
    /// `REPLICA_MOVEMENT_ENABLED`.
    pub(super) movement: bool,
    /// Whether replicas compare themselves in the background: while it is off, a node that
    /// comes back stays behind until its objects are read.
    pub(super) async_replication: bool,
    /// Whether no RAFT cluster finds a leader.
    pub(super) leaderless: bool,
    pub(super) operations: Vec<Operation>,
    /// The time in milliseconds. It moves with the changes, so that outputs repeat.
    pub(super) clock: i64,
    dice: fastrand::Rng,
}

/// Whether a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// It answers.
    Running,
    /// It accepts connections and does not answer (`SIGSTOP`).
    Hanging,
    /// It is gone (`SIGKILL`); what it had on its disk stays.
    Stopped,
}

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// `http://127.0.0.1:PORT`
    pub(super) address: String,
    /// Where its RAFT port is said to be; nothing listens there.
    pub(super) raft_address: String,
    pub(super) power: Power,
    pub(super) version: String,
    /// `OPERATIONAL_MODE`
    pub(super) mode: String,
    /// Whether it was started with data: such a node did not found the RAFT cluster.
    pub(super) restarted: bool,
    /// The index of the log up to which its disk was when it was last started.
    pub(super) restored: usize,
    /// Index of its RAFT cluster in `World::groups`.
    pub(super) group: usize,
    /// How much of that cluster's log it has applied.
    pub(super) applied: usize,
    /// Its own schema.
    pub(super) schema: BTreeMap<String, Class>,
    /// What it holds, by class and shard.
    pub(super) replicas: BTreeMap<(String, String), Replica>,
}

/// The objects of one shard on one node, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) status: ShardStatus,
    /// How many vectors wait for the index.
    pub(super) queue: usize,
    /// How many objects `/v1/nodes` tells of: what was on disk at the last flush, not what
    /// was written since.
    pub(super) flushed: usize,
}

impl Replica {
    /// Writes to disk what is only in memory, as when a node starts or copies a shard.
    pub(super) fn flush(&mut self) {
        self.flushed = self.objects.len();
    }
}

impl World {
    /// Three nodes in one RAFT cluster, nothing stored.
    pub(super) fn new(seed: u64) -> World {
        World::of(&["node1", "node2", "node3"], seed)
    }

    /// The same with other nodes.
    pub(super) fn of(names: &[&str], seed: u64) -> World {
        World {
            nodes: names.iter().enumerate().map(|(nth, name)| Node::new(name, nth)).collect(),
            groups: vec![Group::new(names)],
            movement: true,
            async_replication: true,
            leaderless: false,
            operations: Vec::new(),
            clock: 1_790_000_000_000,
            dice: fastrand::Rng::with_seed(seed),
        }
    }

    /// Returns the index of a node.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// Returns whether a node can be found: gossip forgets the ones that are gone or hang.
    pub(super) fn visible(&self, at: usize) -> bool {
        self.nodes[at].power == Power::Running
    }

    /// Returns the names of the nodes that can be found.
    pub(super) fn visible_names(&self) -> Vec<String> {
        let visible = self.nodes.iter().filter(|node| node.power == Power::Running);
        visible.map(|node| node.name.clone()).collect()
    }

    /// Starts a node with what is on its disk. The states of its replicas were never there.
    pub(super) fn restart(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.restarted = true;
        node.restored = self.groups[node.group].before + node.applied;
        for replica in node.replicas.values_mut() {
            replica.status = ShardStatus::Ready;
            replica.queue = 0;
            replica.flush();
        }
    }

    /// Returns the time; every call is a millisecond later.
    pub(super) fn now(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// Makes up the name of a shard.
    pub(super) fn shard_name(&mut self) -> String {
        std::iter::repeat_with(|| self.dice.alphanumeric()).take(12).collect()
    }

    /// Makes up an id.
    pub(super) fn id(&mut self) -> String {
        let hex = format!("{:032x}", self.dice.u128(..));
        let (a, b, c, d) = (&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20]);
        format!("{a}-{b}-4{c}-8{d}-{}", &hex[20..])
    }
}

impl Node {
    fn new(name: &str, nth: usize) -> Node {
        Node {
            name: name.to_owned(),
            address: String::new(),
            raft_address: format!("127.0.0.1:{}", 8300 + 2 * nth),
            power: Power::Running,
            version: VERSION.to_owned(),
            mode: "ReadWrite".to_owned(),
            restarted: false,
            restored: 0,
            group: 0,
            applied: 0,
            schema: BTreeMap::new(),
            replicas: BTreeMap::new(),
        }
    }

    /// Returns a replica that the node has and has open.
    pub(super) fn replica(&self, class: &str, shard: &str) -> Option<&Replica> {
        let planned = self.schema.get(class)?.shards.get(shard)?;
        planned.active.then(|| self.replicas.get(&(class.to_owned(), shard.to_owned()))).flatten()
    }

    /// The same, to be changed.
    pub(super) fn replica_mut(&mut self, class: &str, shard: &str) -> Option<&mut Replica> {
        self.replica(class, shard)?;
        self.replicas.get_mut(&(class.to_owned(), shard.to_owned()))
    }
}
