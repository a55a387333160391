//! The states in which a sandbox can start.
//!
//! Only sets them up; a scenario has no say in what happens later.

use std::fmt;

use clap::ValueEnum;

use super::operations::{Kind, Operation};
use super::raft::Group;
use super::setting::{CLASS, ELYSIA, Setting};
use super::status::ShardStatus;
use super::world::{Power, World};

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
    /// RAFT agrees on a leader that lacks the class; it is on node1 alone, with 30 objects
    LeaderLacksClass,
    /// RAFT agrees, and the class with factor 3 is on node1 and node2
    #[value(hide = true)]
    ClassMissingOnNode,
    /// node1 leads itself, node2 the other two; the class is on node1 alone
    TwoLeaders,
    /// The class with factor 3 and 40 objects; node3 lacks ten and has an older state of one
    ReplicasDiffer,
    /// The class with factor 3 and 30 objects; a shard can't be written to
    ReadOnlyShard,
    /// The class with factor 1 and 30 objects; a replica that was to be copied never arrives
    StuckMovement,
    /// A class with two tenants that are active and one that is not
    #[value(hide = true)]
    Tenants,
    /// Every node leads a RAFT cluster of its own, and has a class that the others lack
    DifferentClasses,
    /// 1,000 classes with factor 3
    #[value(hide = true)]
    ManyClasses,
    /// The classes that Elysia makes, and one of a user's with its chunks: nothing is wrong
    #[value(hide = true)]
    Elysia,
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
        let mut setting = Setting::new(self as u64 + 1);
        match self {
            Scenario::MissingOnNodes => setting.class(CLASS, 3, &[0]),
            Scenario::SplitRaft => {
                setting.class(CLASS, 3, &[0]);
                split(&mut setting.world);
            }
            Scenario::FactorOne => setting.class(CLASS, 1, &[0, 1, 2]),
            Scenario::WithData => {
                setting.class(CLASS, 1, &[0, 1, 2]);
                setting.fill(CLASS, None, 0..300, &[0, 1, 2]);
            }
            Scenario::NodeDown => {
                setting.class(CLASS, 1, &[0, 1, 2]);
                for nth in 0..2 {
                    // The first id that falls into the shard of node3 will do.
                    while !setting.insert(CLASS, None, nth, &[2]) {}
                }
                setting.world.nodes[2].power = Power::Stopped;
            }
            Scenario::Healthy => setting.class(CLASS, 3, &[0, 1, 2]),
            Scenario::LeaderLacksClass => {
                setting.class(CLASS, 3, &[0]);
                setting.fill(CLASS, None, 0..30, &[0]);
                let all = Group::new(&["node1", "node2", "node3"]);
                setting.world.groups = vec![all.led_by("node2")];
            }
            Scenario::ClassMissingOnNode => setting.class(CLASS, 3, &[0, 1]),
            Scenario::TwoLeaders => {
                setting.class(CLASS, 3, &[0]);
                let others = Group::new(&["node2", "node3"]).led_by("node2");
                setting.world.groups = vec![Group::new(&["node1"]), others];
                setting.world.nodes[1].group = 1;
                setting.world.nodes[2].group = 1;
            }
            Scenario::ReplicasDiffer => {
                setting.class(CLASS, 3, &[0, 1, 2]);
                setting.fill(CLASS, None, 0..30, &[0, 1, 2]);
                setting.rewrite_one(CLASS, &[0, 1]);
                setting.fill(CLASS, None, 30..40, &[0, 1]);
                setting.world.async_replication = false;
            }
            Scenario::ReadOnlyShard => {
                setting.class(CLASS, 3, &[0, 1, 2]);
                setting.fill(CLASS, None, 0..30, &[0, 1, 2]);
                let shard = setting.first_shard(CLASS);
                for node in &mut setting.world.nodes {
                    if let Some(replica) = node.replica_mut(CLASS, &shard) {
                        replica.status = ShardStatus::ReadOnly;
                    }
                }
            }
            Scenario::StuckMovement => {
                setting.class(CLASS, 1, &[0, 1, 2]);
                setting.fill(CLASS, None, 0..30, &[0, 1, 2]);
                stick(&mut setting);
            }
            Scenario::Tenants => {
                setting.tenants(
                    "Customers",
                    3,
                    &[("acme", true), ("globex", true), ("old", false)],
                );
                setting.fill("Customers", Some("acme"), 0..10, &[0, 1, 2]);
                setting.fill("Customers", Some("globex"), 10..15, &[0, 1, 2]);
            }
            Scenario::DifferentClasses => {
                for (node, class) in [CLASS, ELYSIA[1], "Article"].into_iter().enumerate() {
                    setting.class(class, 3, &[node]);
                    setting.fill(class, None, 0..5, &[node]);
                }
                split(&mut setting.world);
            }
            Scenario::ManyClasses => {
                for nth in 0..1000 {
                    setting.class(&format!("Many{nth:04}"), 3, &[0, 1, 2]);
                }
            }
            Scenario::Elysia => {
                for class in ELYSIA.into_iter().chain(["Article", "ELYSIA_CHUNKED_article__"]) {
                    setting.class(class, 3, &[0, 1, 2]);
                }
                setting.fill("Article", None, 0..30, &[0, 1, 2]);
            }
        }
        setting.done()
    }
}

fn split(world: &mut World) {
    world.groups = world.nodes.iter().map(|node| Group::new(&[node.name.as_str()])).collect();
    for (group, node) in world.nodes.iter_mut().enumerate() {
        node.group = group;
    }
}

/// Lets the first shard be on its way from its node to the next, and get no further.
fn stick(setting: &mut Setting) {
    let shard = setting.first_shard(CLASS);
    let source = setting.world.nodes[0].schema[CLASS].shards[&shard].replicas[0].clone();
    let target = if source == "node3" { "node1" } else { "node3" };
    let (id, now) = (setting.world.id(), setting.world.now());
    let mut operation = Operation::new(id, CLASS, &shard, &source, target, Kind::Copy);
    let why = format!("failed to get gRPC port for source node {source}: node not found: {source}");
    operation.stick(1, &[&why, &why], now);
    setting.world.operations.push(operation);
}
