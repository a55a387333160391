//! Where the shards of a new class, or new tenants, go.
//!
//! Pure planning: nothing is made here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class::{Class, Object, Shard};
use super::world::World;

/// Plans the shards of a new class.
pub(super) fn placed(world: &mut World, at: usize, config: Object) -> Result<Class, String> {
    let count = config["shardingConfig"]["actualCount"].as_u64().unwrap_or(0);
    let mut class = Class { config: Arc::new(config), shards: BTreeMap::new() };
    let places = places(world, at, class.factor())?;
    let names: Vec<String> = (0..count).map(|_| world.shard_name()).collect();
    for (nth, name) in names.into_iter().enumerate() {
        class.shards.insert(name, Shard { replicas: places(nth), active: true });
    }
    Ok(class)
}

/// Returns where the nth shard goes: round the nodes, `factor` of them each.
///
/// The members of the RAFT cluster count, also those that are gone; these come last. Where
/// gossip knows more nodes, as in a split, the ones it knows count.
pub(super) fn places(
    world: &World,
    at: usize,
    factor: u64,
) -> Result<impl Fn(usize) -> Vec<String> + use<>, String> {
    let mut nodes = world.visible_names();
    let members = &world.groups[world.nodes[at].group].members;
    if members.len() >= nodes.len() {
        nodes.clone_from(members);
        nodes.sort_by_key(|name| world.index(name).is_none_or(|node| !world.visible(node)));
    }
    let factor = usize::try_from(factor).unwrap_or(usize::MAX);
    if factor > nodes.len() {
        return Err(format!(
            "init sharding state: could not find enough weaviate nodes for replication: {} \
             available, {factor} requested",
            nodes.len()
        ));
    }
    Ok(move |nth: usize| {
        nodes.iter().cycle().skip(nth % nodes.len()).take(factor).cloned().collect()
    })
}
