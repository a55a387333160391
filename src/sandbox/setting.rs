//! What scenarios are set up with: classes and objects put where they are to
//! be, past RAFT and past the requests.
//!
//! Knows no scenario.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};

use super::class::{Class, Object, Shard};
use super::defaults;
use super::placement::placed;
use super::properties::stored;
use super::world::World;

/// The class of the runbooks' examples.
pub(super) const CLASS: &str = "ELYSIA_CONFIG__";

/// The classes that Elysia makes for itself.
pub(super) const ELYSIA: [&str; 4] =
    [CLASS, "ELYSIA_FEEDBACK__", "ELYSIA_METADATA__", "ELYSIA_TREES__"];

/// A world that is being set up.
pub(super) struct Setting {
    pub(super) world: World,
}

impl Setting {
    /// Three nodes, nothing stored.
    pub(super) fn new(seed: u64) -> Setting {
        Setting { world: World::new(seed) }
    }

    /// Returns the world; what was put into it counts as having gone through the logs.
    pub(super) fn done(mut self) -> World {
        for node in &self.world.nodes {
            let group = &mut self.world.groups[node.group];
            group.before = group.before.max(2 + node.schema.len());
        }
        self.world
    }

    /// Makes a class with its shards planned on the three nodes, and puts it on some of them.
    pub(super) fn class(&mut self, name: &str, factor: u64, nodes: &[usize]) {
        let class = planned(&mut self.world, name, factor, false);
        for &node in nodes {
            self.world.nodes[node].add(class.clone());
        }
    }

    /// Makes a class with tenants, each active or not, on every node.
    pub(super) fn tenants(&mut self, name: &str, factor: u64, tenants: &[(&str, bool)]) {
        let mut class = planned(&mut self.world, name, factor, true);
        let replicas: Vec<String> = self.world.visible_names();
        let shards = tenants.iter().map(|(tenant, active)| {
            ((*tenant).to_owned(), Shard { replicas: replicas.clone(), active: *active })
        });
        class.shards = shards.collect::<BTreeMap<_, _>>();
        for node in &mut self.world.nodes {
            node.add(class.clone());
        }
    }

    /// Inserts objects with made-up ids on the replicas of some nodes.
    pub(super) fn fill(
        &mut self,
        class: &str,
        tenant: Option<&str>,
        numbers: Range<usize>,
        nodes: &[usize],
    ) {
        for nth in numbers {
            self.insert(class, tenant, nth, nodes);
        }
    }

    /// Inserts an object. Returns whether one of the nodes has a replica for it.
    pub(super) fn insert(
        &mut self,
        class: &str,
        tenant: Option<&str>,
        nth: usize,
        nodes: &[usize],
    ) -> bool {
        let world = &mut self.world;
        let id = world.id();
        let found = nodes.first().and_then(|&node| world.nodes[node].schema.get(class)).cloned();
        let Some(found) = found else { return false };
        let Ok(shard) = found.shard_of(&id, tenant) else { return false };
        if !nodes.iter().any(|&node| world.nodes[node].replica(class, shard).is_some()) {
            return false;
        }
        let now = world.now();
        let mut sent = json!({ "properties": {
            "config_key": format!("key-{nth:03}"), "config_value": format!("value {nth}"),
        } });
        if let Some(tenant) = tenant {
            sent["tenant"] = json!(tenant);
        }
        let stored = stored(&object(sent), class, &id, now);
        for &node in nodes {
            if let Some(replica) = world.nodes[node].replica_mut(class, shard) {
                replica.objects.insert(id.clone(), stored.clone());
                replica.flush();
            }
        }
        true
    }

    /// Writes the first object anew on the replicas of some nodes.
    pub(super) fn rewrite_one(&mut self, class: &str, nodes: &[usize]) {
        let shard = self.first_shard(class);
        let now = self.world.now();
        for &node in nodes {
            let replica = self.world.nodes[node].replica_mut(class, &shard);
            let Some(object) = replica.and_then(|replica| replica.objects.values_mut().next())
            else {
                continue;
            };
            object.insert("lastUpdateTimeUnix".into(), json!(now));
            object["properties"]["config_value"] = json!("written later");
        }
    }

    /// Returns the name of a class's first shard.
    pub(super) fn first_shard(&self, class: &str) -> String {
        let found = self.world.nodes.iter().find_map(|node| node.schema.get(class));
        found.and_then(|class| class.shards.keys().next()).cloned().unwrap_or_default()
    }
}

fn planned(world: &mut World, name: &str, factor: u64, tenants: bool) -> Class {
    let text = |name: &str| json!({ "name": name, "dataType": ["text"] });
    let mut sent = json!({
        "class": name,
        "properties": [text("config_key"), text("config_value")],
        "replicationConfig": { "factor": factor },
        "vectorizer": "none",
    });
    if tenants {
        sent["multiTenancyConfig"] = json!({ "enabled": true });
    }
    let config = defaults::complete(&object(sent), world.nodes.len());
    placed(world, 0, config).unwrap_or_else(|_| unreachable!("three nodes have room for {factor}"))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
