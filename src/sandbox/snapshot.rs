//! The classes of the whole cluster at one moment, to be compared with those of another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Sandbox;
use super::door::held;
use super::world::World;
use crate::forecast::{ClassChange, ClassState};

/// Classes by name.
#[derive(Debug, Clone, Default)]
pub struct Snapshot(BTreeMap<String, ClassState>);

impl Sandbox {
    /// Looks at all classes.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let world = held(&self.cluster.world);
        let names: BTreeSet<&String> =
            world.nodes.iter().flat_map(|node| node.schema.keys()).collect();
        let states =
            names.into_iter().filter_map(|name| Some((name.clone(), state(&world, name)?)));
        Snapshot(states.collect())
    }
}

impl Snapshot {
    /// Returns the classes that are otherwise in a later one.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<ClassChange> {
        let names: BTreeSet<&String> = self.0.keys().chain(later.0.keys()).collect();
        let change = |class: &String| ClassChange {
            class: class.clone(),
            before: self.0.get(class).cloned(),
            after: later.0.get(class).cloned(),
        };
        names.into_iter().map(change).filter(|it| it.before != it.after).collect()
    }
}

fn state(world: &World, name: &str) -> Option<ClassState> {
    let with: Vec<_> = world.nodes.iter().filter(|node| node.schema.contains_key(name)).collect();
    let first = with.first()?.schema.get(name)?;
    let mut holders: BTreeMap<&str, usize> = first
        .shards
        .iter()
        .filter(|(_, it)| it.active)
        .map(|(name, _)| (name.as_str(), 0))
        .collect();
    let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, shard), replica) in
        with.iter().flat_map(|node| &node.replicas).filter(|((class, _), _)| class == name)
    {
        if let Some(holders) = holders.get_mut(shard.as_str()) {
            *holders += 1;
        }
        let most = objects.entry(shard).or_default();
        *most = (*most).max(replica.objects.len());
    }
    Some(ClassState {
        definition: Value::Object(first.config.as_ref().clone()),
        nodes: with.iter().map(|node| node.name.clone()).collect(),
        replicas: holders.into_values().min(),
        objects: objects.into_values().sum(),
    })
}
