//! What the nodes of a twin hold: schemas, plans, replicas, and objects in the number that was counted.
//!
//! The objects are made up, as a survey reads none: the same ids on every replica of a shard, and fewer
//! where a replica holds fewer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::class::{Class, Object, Shard};
use super::operations::{Kind, Operation};
use super::properties::stored;
use super::status::ShardStatus;
use super::twin::Seen;
use super::world::{Node, Power, World};
use crate::survey::{Classes, Plan, SavedClass};
use crate::text::{count, count_objects};
use crate::weaviate::{ShardStatus as Reported, Tenant};

/// How many objects are made of one class, and of all, at most: enough for pages and windows, and little
/// enough for the memory of this process.
const MOST_OF_ONE: u64 = 5_000;
const MOST: u64 = 20_000;

/// Puts everything where it is.
pub(super) fn fill(seen: &Seen, world: &mut World, doubts: &mut Vec<String>) {
    for node in &mut world.nodes {
        for (name, definition) in own_schema(seen, &node.name) {
            let Value::Object(config) = definition else { continue };
            let shards = shards(seen, &node.name, &name, &config);
            node.add(Class { config: Arc::new(config), shards });
        }
        as_reported(seen, node);
    }
    let names = class_names(world);
    let each = (MOST / (names.len() as u64).max(1)).clamp(1, MOST_OF_ONE);
    for class in &names {
        let saved =
            &seen.saved.classes.get(class).cloned().unwrap_or_else(|| reported(seen, class));
        doubts.extend(saved.unknown.iter().map(|why| format!("{class}: {why}")));
        unplanned(seen, world, class, doubts);
        insert(saved, world, class, each, doubts);
    }
    for group in &mut world.groups {
        group.before = group.before.max(2);
    }
    move_replicas(seen, world);
}

/// Tells of replicas that nodes hold of shards that no plan has: a twin can't have them.
fn unplanned(seen: &Seen, world: &World, class: &str, doubts: &mut Vec<String>) {
    let planned: BTreeSet<&String> = world
        .nodes
        .iter()
        .filter_map(|node| node.schema.get(class))
        .flat_map(|class| class.shards.keys())
        .collect();
    let held = seen.statuses.values().flat_map(|status| &status.shards);
    let shards: BTreeSet<&str> = held
        .filter(|shard| shard.class == class && !planned.contains(&shard.name))
        .map(|shard| shard.name.as_str())
        .collect();
    if let Some(first) = shards.first() {
        let number = count(shards.len(), "shard");
        doubts.push(format!(
            "nodes hold replicas of {number} of {class} that the plan lacks, such as {first}: the twin has none of them"
        ));
    }
}

fn class_names(world: &World) -> BTreeSet<String> {
    world.nodes.iter().flat_map(|node| node.schema.keys().cloned()).collect()
}

/// Returns what a node has in its own schema; of one that was not asked, what the leader has.
fn own_schema(seen: &Seen, node: &str) -> Classes {
    let leader = seen.saved.leader_schema.as_ref();
    let own = seen.named.get(node).and_then(|named| named.own_schema(leader));
    own.or_else(|| leader.cloned()).unwrap_or_default()
}

/// Returns the shards of a class as a node has them planned.
fn shards(seen: &Seen, node: &str, class: &str, config: &Object) -> BTreeMap<String, Shard> {
    let saved = seen.saved.classes.get(class);
    let planned = saved.and_then(|saved| {
        let own = seen.leader(node).and_then(|leader| saved.planned_by.get(leader));
        own.or(saved.planned.as_ref())
    });
    let plan = planned.cloned().unwrap_or_else(|| guessed(seen, class, config));
    let tenants: &[Tenant] = saved.and_then(|it| it.tenants.as_deref()).unwrap_or_default();
    let somewhere = somewhere(seen, config);
    let mut shards: BTreeMap<String, Shard> =
        plan.into_iter().map(|(name, replicas)| (name, Shard { replicas, active: true })).collect();
    for tenant in tenants {
        // Where it sleeps no node tells, and what it holds is somewhere.
        let unplanned = || Shard { replicas: somewhere.clone(), active: true };
        shards.entry(tenant.name.clone()).or_insert_with(unplanned).active = tenant.is_active();
    }
    shards
}

/// Returns as many nodes as the class is to have replicas, those first that answer.
fn somewhere(seen: &Seen, config: &Object) -> Vec<String> {
    let factor = config.get("replicationConfig").and_then(|it| it["factor"].as_u64()).unwrap_or(1);
    let nodes = seen.statuses.keys().chain(seen.named.keys());
    let mut replicas: Vec<String> = vec![];
    for node in nodes.map(|name| (*name).to_owned()) {
        if (replicas.len() as u64) < factor && !replicas.contains(&node) {
            replicas.push(node);
        }
    }
    replicas
}

/// Returns the plan of a class of which no server told it: where it is, and as many other nodes, those that
/// are down first, as its shards have replicas more.
fn guessed(seen: &Seen, class: &str, config: &Object) -> Plan {
    let mut plan = Plan::new();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for (node, status) in &seen.statuses {
        for shard in status.shards.iter().filter(|shard| shard.class == class) {
            plan.entry(shard.name.clone()).or_default().push((*node).to_owned());
            let most = wanted.entry(shard.name.clone()).or_default();
            *most = (*most).max(shard.number_of_replicas.unwrap_or(0));
        }
    }
    let down = || seen.named.iter().filter(|(_, node)| node.view.is_none()).map(|(name, _)| *name);
    for (shard, replicas) in &mut plan {
        let wanted = wanted.get(shard).copied().unwrap_or(0);
        for node in down().chain(seen.statuses.keys().copied()) {
            if replicas.len() < wanted && !replicas.iter().any(|it| it == node) {
                replicas.push(node.to_owned());
            }
        }
    }
    // Shards of which every replica is down are seen by nobody.
    let all = config.get("shardingConfig").and_then(|it| it["actualCount"].as_u64()).unwrap_or(0);
    let unseen = all.saturating_sub(plan.len() as u64);
    for nth in 0..unseen {
        let replicas: Vec<String> = down().map(str::to_owned).take(1).collect();
        if !replicas.is_empty() {
            plan.insert(format!("unseen{nth}"), replicas);
        }
    }
    plan
}

/// Returns what the nodes themselves report of a class that was not looked at closely. They report none
/// before the first objects are written to disk, which is not known to be none.
fn reported(seen: &Seen, class: &str) -> SavedClass {
    let mut saved = SavedClass::default();
    for (node, status) in &seen.statuses {
        for shard in status.shards.iter().filter(|shard| shard.class == class) {
            let objects = shard.object_count.and_then(|it| u64::try_from(it).ok());
            if let Some(objects) = objects.filter(|objects| *objects > 0) {
                let on = saved.objects.entry(shard.name.clone()).or_default();
                on.insert((*node).to_owned(), objects);
            }
        }
    }
    saved
}

/// Leaves a node that answers the replicas that it says it has, in their states.
fn as_reported(seen: &Seen, node: &mut Node) {
    let Some(status) = seen.statuses.get(node.name.as_str()) else { return };
    if node.power != Power::Running {
        return;
    }
    let reported: BTreeMap<(&str, &str), &Reported> =
        status.shards.iter().map(|it| ((it.class.as_str(), it.name.as_str()), it)).collect();
    node.replicas.retain(|(class, shard), replica| {
        let Some(reported) = reported.get(&(class.as_str(), shard.as_str())) else { return false };
        replica.status = match reported.vector_indexing_status.as_deref() {
            _ if reported.loaded == Some(false) => ShardStatus::LazyLoading,
            Some("READONLY") => ShardStatus::ReadOnly,
            Some("INDEXING") => ShardStatus::Indexing,
            _ => ShardStatus::Ready,
        };
        replica.queue =
            reported.vector_queue_length.and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        true
    });
}

/// Makes up as many objects as were counted in each replica, but no more than `most` of the class.
fn insert(saved: &SavedClass, world: &mut World, class: &str, most: u64, doubts: &mut Vec<String>) {
    let counted: u64 = saved.objects.values().filter_map(|on| on.values().max()).sum();
    let scaled = |objects: u64| {
        // A replica that holds some is never made empty, nor the same as one that holds more.
        if counted <= most { objects } else { (objects * most).div_ceil(counted.max(1)) }
    };
    let (mut unknown, mut made) = (0, 0);
    // Nodes that have come apart may each have shards of their own.
    let mut done: BTreeSet<String> = BTreeSet::new();
    let definitions: Vec<Class> =
        world.nodes.iter().filter_map(|node| node.schema.get(class)).cloned().collect();
    let all = definitions.iter().flat_map(|it| it.shards.iter().map(move |shard| (it, shard)));
    for (definition, (shard, planned)) in all {
        if !done.insert(shard.clone()) {
            continue;
        }
        let on = saved.objects.get(shard);
        let largest = on.and_then(|on| on.values().max()).copied();
        // What nobody could count is taken to hold something.
        let others = largest.unwrap_or(1);
        if largest.is_none() && !planned.replicas.is_empty() {
            unknown += 1;
        }
        let ids = ids(world, definition, shard, scaled(others));
        made += ids.len() as u64;
        let tenant = definition.has_tenants().then_some(shard.as_str());
        let now = world.now();
        for node in &mut world.nodes {
            let known = on.and_then(|on| on.get(&node.name)).copied();
            let holds = usize::try_from(scaled(known.unwrap_or(others))).unwrap_or(0);
            let key = (class.to_owned(), shard.clone());
            // A tenant that is asleep has its objects on disk, where nobody sees them.
            if !planned.active && planned.replicas.contains(&node.name) {
                node.replicas.entry(key.clone()).or_default();
            }
            let Some(replica) = node.replicas.get_mut(&key) else { continue };
            for id in ids.iter().take(holds) {
                let sent = tenant.map_or_else(|| json!({}), |it| json!({ "tenant": it }));
                let sent = sent.as_object().cloned().unwrap_or_default();
                replica.objects.insert(id.clone(), stored(&sent, class, id, now));
            }
            replica.flush();
            if replica.status == ShardStatus::LazyLoading {
                replica.flushed = 0;
            }
        }
    }
    if counted > most {
        let all = count_objects(counted);
        doubts.push(format!("{class} holds {all}, of which {made} are here"));
    }
    if unknown > 0 {
        let tenants = definitions.iter().any(Class::has_tenants);
        let what = if tenants { "tenant" } else { "shard" };
        doubts.push(format!(
            "how many objects {} of {class} may hold is not known: one each, here",
            count(unknown, what)
        ));
    }
}

/// Makes up ids that fall into a shard.
fn ids(world: &mut World, class: &Class, shard: &str, wanted: u64) -> Vec<String> {
    let tenant = class.has_tenants().then_some(shard);
    let mut ids = vec![];
    while (ids.len() as u64) < wanted {
        let id = world.id();
        // A tenant that is asleep takes any.
        if tenant.is_some() || class.shard_of(&id, None).is_ok_and(|of| of == shard) {
            ids.push(id);
        }
    }
    ids
}

/// Lets movements that are under way stay where they are.
fn move_replicas(seen: &Seen, world: &mut World) {
    let now = world.now();
    for movement in &seen.saved.movements {
        let mut operation = Operation::new(
            movement.id.clone(),
            &movement.collection,
            &movement.shard,
            &movement.source_node,
            &movement.target_node,
            Kind::Copy,
        );
        let errors: Vec<&str> = movement.status.errors.iter().map(String::as_str).collect();
        operation.stick_at(&movement.status.state, &errors, now);
        operation.cancelled = movement.scheduled_for_cancel;
        world.operations.push(operation);
    }
}
