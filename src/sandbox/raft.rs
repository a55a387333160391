//! How a change of the schema reaches the nodes: a log, a leader, and nodes
//! that apply what they have not applied yet.
//!
//! Knows no endpoint, and nothing of objects but that replicas come and go.

use std::sync::Arc;

use serde_json::{Value, json};

use super::class::{Class, Object, Shard};
use super::status::ShardStatus;
use super::world::{Node, Power, World};

/// One change of the schema.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Add(Class),
    Update {
        class: String,
        config: Object,
    },
    Delete {
        class: String,
    },
    AddProperties {
        class: String,
        properties: Vec<Value>,
    },
    /// New tenants, or new settings of tenants that exist.
    SetTenants {
        class: String,
        tenants: Vec<(String, Shard)>,
    },
    DeleteTenants {
        class: String,
        tenants: Vec<String>,
    },
    SetStatus {
        class: String,
        shard: String,
        status: ShardStatus,
    },
    SetReplicas {
        class: String,
        shard: String,
        replicas: Vec<String>,
    },
}

/// A RAFT cluster: in a split there are several.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) members: Vec<String>,
    pub(super) leader: Option<String>,
    pub(super) term: u64,
    /// Entries that its log had before the sandbox started.
    pub(super) before: usize,
    pub(super) log: Vec<Command>,
}

impl Group {
    /// A cluster led by the first of its members.
    pub(super) fn new(members: &[&str]) -> Group {
        Group {
            members: members.iter().map(|&name| name.to_owned()).collect(),
            leader: members.first().map(|&name| name.to_owned()),
            term: 2,
            // The members, and the start of the first leader.
            before: 2,
            log: Vec::new(),
        }
    }

    /// The same, led by one of its members, in a later term: as after an election.
    pub(super) fn led_by(mut self, leader: &str) -> Group {
        self.leader = Some(leader.to_owned());
        self.term += 1;
        self
    }
}

impl World {
    /// Returns the leader of a node's RAFT cluster, after an election where one is due.
    pub(super) fn leader_of(&mut self, at: usize) -> Option<usize> {
        let group = self.nodes[at].group;
        let members: Vec<usize> =
            self.groups[group].members.iter().filter_map(|name| self.index(name)).collect();
        let running: Vec<usize> =
            members.iter().copied().filter(|&node| self.visible(node)).collect();

        let leader = self.groups[group].leader.as_deref().and_then(|name| self.index(name));
        let majority = running.len() > members.len() / 2;
        let elected = match leader {
            _ if !majority || self.leaderless => None,
            Some(leader) if running.contains(&leader) => Some(leader),
            // The members are in step, so any will do; the first keeps it repeatable.
            _ => {
                self.groups[group].term += 1;
                running.first().copied()
            }
        };
        self.groups[group].leader = elected.map(|node| self.nodes[node].name.clone());
        elected
    }

    /// Returns the leader, or the server's words for there being none.
    pub(super) fn leader(&mut self, at: usize) -> Result<usize, String> {
        self.leader_of(at).ok_or_else(|| {
            let members = &self.groups[self.nodes[at].group].members;
            let me = &self.nodes[at].name;
            let others: Vec<&str> =
                members.iter().filter(|name| *name != me).map(String::as_str).collect();
            format!("leader not found, can not resolve nodes [{}]", others.join(","))
        })
    }

    /// Words a refusal of the leader: one that another node passes on tells of the call
    /// between them, with `kind` and once more what `class` of error it was.
    pub(super) fn relayed(&mut self, at: usize, kind: &str, why: &str, class: &str) -> String {
        if self.leader_of(at) == Some(at) {
            return why.to_owned();
        }
        format!("rpc error: code = {kind} desc = {why}{class}")
    }

    /// Changes the schema of every node in the RAFT cluster of `at`.
    pub(super) fn commit(&mut self, at: usize, command: Command) -> Result<(), String> {
        self.leader(at)?;
        self.groups[self.nodes[at].group].log.push(command);
        for node in 0..self.nodes.len() {
            self.catch_up(node);
        }
        Ok(())
    }

    /// Lets a node apply what it has missed; one that does not run misses it until it does.
    pub(super) fn catch_up(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.power != Power::Running {
            return;
        }
        for command in self.groups[node.group].log.iter().skip(node.applied) {
            node.apply(command);
        }
        node.applied = self.groups[node.group].log.len();
    }
}

impl Node {
    /// Does what a command says. A class that this node lacks is left alone, as in a
    /// cluster whose nodes differ: the change counts as done there too.
    fn apply(&mut self, command: &Command) {
        match command {
            Command::Add(class) => self.add(class.clone()),
            Command::Delete { class } => {
                self.schema.remove(class);
                self.replicas.retain(|(of, _), _| of != class);
            }
            Command::Update { class, config } => {
                if let Some(class) = self.schema.get_mut(class) {
                    class.config = Arc::new(config.clone());
                }
            }
            Command::AddProperties { class, properties } => {
                if let Some(class) = self.schema.get_mut(class) {
                    let mut all = class.properties().to_vec();
                    all.extend(properties.iter().cloned());
                    Arc::make_mut(&mut class.config).insert("properties".into(), json!(all));
                }
            }
            Command::SetTenants { class, tenants } => {
                let Some(found) = self.schema.get_mut(class) else { return };
                found.shards.extend(tenants.iter().cloned());
                self.open(class);
            }
            Command::DeleteTenants { class, tenants } => {
                let Some(found) = self.schema.get_mut(class) else { return };
                found.shards.retain(|name, _| !tenants.contains(name));
                self.replicas.retain(|(of, shard), _| of != class || !tenants.contains(shard));
            }
            Command::SetStatus { class, shard, status } => {
                if let Some(replica) = self.replica_mut(class, shard) {
                    replica.status = *status;
                }
            }
            Command::SetReplicas { class, shard, replicas } => {
                let planned =
                    self.schema.get_mut(class).and_then(|found| found.shards.get_mut(shard));
                let Some(planned) = planned else { return };
                planned.replicas.clone_from(replicas);
                if !replicas.contains(&self.name) {
                    self.replicas.remove(&(class.clone(), shard.clone()));
                }
                self.open(class);
            }
        }
    }

    /// Takes a class into the node's own schema and makes its replicas.
    pub(super) fn add(&mut self, class: Class) {
        let name = class.name().to_owned();
        self.schema.insert(name.clone(), class);
        self.open(&name);
    }

    /// Makes the replicas which should be here and are not.
    fn open(&mut self, class: &str) {
        let Some(found) = self.schema.get(class) else { return };
        for (shard, planned) in &found.shards {
            if planned.active && planned.replicas.contains(&self.name) {
                self.replicas.entry((class.to_owned(), shard.clone())).or_default();
            }
        }
    }
}
