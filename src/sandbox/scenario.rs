//! The states in which a sandbox can start.
//!
//! Only sets them up; a scenario has no say in what happens later.

use std::fmt;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::class::{Class, Object};
use super::defaults;
use super::placement::placed;
use super::properties::stored;
use super::raft::Group;
use super::world::{Power, World};

/// The class of the runbooks' examples.
const CLASS: &str = "ELYSIA_CONFIG__";

/// The state in which a sandbox starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// RAFT agrees, and the class with factor 3 is on one node of three: empty, repairable
    #[default]
    MissingOnNodes,
    /// Every node leads a RAFT cluster of its own; the class is on the first
    SplitRaft,
    /// The class is on every node, with one replica for each shard: empty
    FactorOne,
    /// The same with 300 objects
    WithData,
    /// The same with two objects, both on node3, and node3 is down
    NodeDown,
    /// The class is on every node, with factor 3: nothing is wrong
    Healthy,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

impl Scenario {
    /// Sets the scenario up.
    pub(super) fn world(self) -> World {
        // Each has its own names of shards, the same at every start.
        let mut world = World::new(self as u64 + 1);
        match self {
            Scenario::MissingOnNodes => {
                let class = class(&mut world, 3);
                world.nodes[0].add(class);
            }
            Scenario::SplitRaft => {
                let class = class(&mut world, 3);
                world.nodes[0].add(class);
                split(&mut world);
            }
            Scenario::FactorOne => everywhere(&mut world, 1),
            Scenario::WithData => {
                everywhere(&mut world, 1);
                for nth in 0..300 {
                    let id = world.id();
                    insert(&mut world, &id, nth, None);
                }
            }
            Scenario::NodeDown => {
                everywhere(&mut world, 1);
                for nth in 0..2 {
                    // The first id that falls into the shard of node3 will do.
                    while {
                        let id = world.id();
                        !insert(&mut world, &id, nth, Some("node3"))
                    } {}
                }
                world.nodes[2].power = Power::Stopped;
            }
            Scenario::Healthy => everywhere(&mut world, 3),
        }
        world
    }
}

/// Makes the class with its shards planned on the three nodes.
fn class(world: &mut World, factor: u64) -> Class {
    let text = |name: &str| json!({ "name": name, "dataType": ["text"] });
    let sent = json!({
        "class": CLASS,
        "properties": [text("config_key"), text("config_value")],
        "replicationConfig": { "factor": factor },
        "vectorizer": "none",
    });
    let config = defaults::complete(&object(sent), world.nodes.len());
    placed(world, 0, config).unwrap_or_else(|_| unreachable!("three nodes have room for {factor}"))
}

fn everywhere(world: &mut World, factor: u64) {
    let class = class(world, factor);
    for node in &mut world.nodes {
        node.add(class.clone());
    }
}

fn split(world: &mut World) {
    world.groups = world.nodes.iter().map(|node| Group::new(&[node.name.as_str()])).collect();
    for (group, node) in world.nodes.iter_mut().enumerate() {
        node.group = group;
    }
}

/// Inserts an object; with `only`, if its shard is on that node. Returns whether it did.
fn insert(world: &mut World, id: &str, nth: usize, only: Option<&str>) -> bool {
    let class = world.nodes[0].schema[CLASS].clone();
    let Ok(shard) = class.shard_of(id, None) else { return false };
    if only.is_some_and(|node| class.shards[shard].replicas != [node]) {
        return false;
    }
    let now = world.now();
    let properties = json!({
        "properties": { "config_key": format!("key-{nth:03}"), "config_value": format!("value {nth}") },
    });
    let stored = stored(&object(properties), CLASS, id, now);
    for node in &mut world.nodes {
        if let Some(replica) = node.replica_mut(CLASS, shard) {
            replica.objects.insert(id.to_owned(), stored.clone());
            replica.flush();
        }
    }
    true
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
