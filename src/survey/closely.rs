//! A survey with all that a twin of the cluster is made from: plans, tenants, movements, and how many
//! objects each replica holds. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::replica_counts::{Answer, ask};
use super::saved::{Plan, SavedClass};
use super::{Holdings, Saved, Survey};
use crate::weaviate::{Cluster, Countable, Node, ShardStatus};

/// How many classes are asked for side by side.
const SIDE_BY_SIDE: usize = 16;

impl Saved {
    /// Reads what a survey leaves out: of every class its plan and its tenants in a request each, and
    /// the objects in a request a node. What can't be read is there as the reason why.
    pub async fn closely(cluster: &Cluster, survey: &Survey) -> Self {
        let mut saved = Self::of(survey);
        let asked = askers(cluster, survey, &saved);
        read_movements(&mut saved, &asked).await;
        let classes = survey.classes();
        let read = stream::iter(classes.iter().map(|class| {
            let asked = &asked;
            async move { ((*class).to_owned(), class_of(survey, asked, class).await) }
        }));
        saved.classes = read.buffer_unordered(SIDE_BY_SIDE).collect().await;
        count(cluster, survey, &mut saved).await;
        saved
    }
}

/// Returns a node that answers for every RAFT leader that is followed, with the leader's name.
fn askers<'a>(cluster: &'a Cluster, survey: &Survey, saved: &Saved) -> BTreeMap<String, &'a Node> {
    let entries = survey.own_entries();
    let mut asked = BTreeMap::new();
    for (node, named) in cluster.nodes().iter().zip(&saved.nodes) {
        if named.view.is_some() {
            let own = named.name().and_then(|name| entries.get(name));
            let leader = own.and_then(|own| own.leader_id.clone()).unwrap_or_default();
            asked.entry(leader).or_insert(node);
        }
    }
    asked
}

async fn read_movements(saved: &mut Saved, asked: &BTreeMap<String, &Node>) {
    let Some(node) = asked.values().next() else { return };
    match node.movements().await {
        Ok(None) => saved.movement_off = true,
        Ok(Some(all)) => saved.movements = all.into_iter().filter(|it| !it.is_over()).collect(),
        Err(error) => saved.unknown.push(format!("replica movements: {error}")),
    }
}

async fn class_of(survey: &Survey, asked: &BTreeMap<String, &Node>, class: &str) -> SavedClass {
    let mut saved = SavedClass::default();
    let mut failed = vec![];
    for (leader, node) in asked {
        match node.placement(class).await {
            Ok(Some(placement)) => {
                let plan: Plan =
                    placement.shards.into_iter().map(|it| (it.shard, it.replicas)).collect();
                match &saved.planned {
                    None => saved.planned = Some(plan),
                    Some(first) if *first == plan => {}
                    Some(_) => drop(saved.planned_by.insert(leader.clone(), plan)),
                }
            }
            Ok(None) => {}
            Err(error) => failed.push(format!("its plan: {error}")),
        }
    }
    // A leader that lacks the class has no plan of it.
    if saved.planned.is_none() {
        saved.unknown = failed;
    }
    if survey.is_multi_tenant(class) {
        let mut failed = vec![];
        for node in asked.values() {
            match node.tenants(class).await {
                Ok(tenants) => {
                    saved.tenants = Some(tenants);
                    break;
                }
                Err(error) => failed.push(format!("its tenants: {error}")),
            }
        }
        if saved.tenants.is_none() {
            saved.unknown.extend(failed);
        }
    }
    saved
}

/// Counts what the replicas hold: each node is asked once for all classes that it has.
async fn count(cluster: &Cluster, survey: &Survey, saved: &mut Saved) {
    let holdings = survey.holdings();
    let mut answers: Vec<(String, Answer)> = vec![];
    for (node, named) in cluster.nodes().iter().zip(&saved.nodes) {
        let Some(name) = named.name() else { continue };
        let what: Vec<Countable> = survey
            .classes()
            .into_iter()
            .filter(|class| survey.node_has_class(node.name(), class) == Some(true))
            .flat_map(|class| countables(survey, &holdings, class, name))
            .collect();
        if named.view.is_some() {
            answers.push((name.to_owned(), ask(node, &what).await));
        }
    }
    for (class, into) in &mut saved.classes {
        let counts = Counts { class, holdings: &holdings, answers: &answers };
        if survey.is_multi_tenant(class) { counts.of_tenants(into) } else { counts.of_shards(into) }
    }
}

/// What is asked of a node: the class, or those of its tenants that the node has in memory, since
/// counting loads the others.
fn countables(survey: &Survey, holdings: &Holdings<'_>, class: &str, node: &str) -> Vec<Countable> {
    let countable =
        |tenant: Option<&str>| Countable { class: class.into(), tenant: tenant.map(Into::into) };
    if !survey.is_multi_tenant(class) {
        return vec![countable(None)];
    }
    let shards = holdings.of(class).iter();
    let loaded = shards.filter(|(_, on)| on.get(node).is_some_and(|it| it.loaded != Some(false)));
    loaded.map(|(tenant, _)| countable(Some(tenant))).collect()
}

/// What was counted of one class.
struct Counts<'a> {
    class: &'a str,
    holdings: &'a Holdings<'a>,
    answers: &'a [(String, Answer)],
}

impl Counts<'_> {
    /// Every tenant is a shard, and a node that holds it counts its own replica.
    fn of_tenants(&self, into: &mut SavedClass) {
        let mut failed = BTreeSet::new();
        for (shard, holders) in self.holdings.of(self.class) {
            for (node, replica) in holders {
                let counted = self.counted(node, Some(shard));
                let objects = match counted {
                    Some(Ok(count)) => Some(count),
                    Some(Err(why)) => {
                        failed.insert(format!("objects on {node}: {why}"));
                        known(replica)
                    }
                    None => known(replica),
                };
                let Some(objects) = objects else { continue };
                into.objects
                    .entry((*shard).to_owned())
                    .or_default()
                    .insert((*node).to_owned(), objects);
            }
        }
        into.unknown.extend(failed);
    }

    /// A node counts a class as a whole. How many each shard has is what nodes report of them, which
    /// lags: what is missing of the count is spread over the shards.
    fn of_shards(&self, into: &mut SavedClass) {
        // What lies on a disk and is in no plan is not counted by anybody.
        let planned = |shard: &&str| into.planned.as_ref().is_none_or(|it| it.contains_key(*shard));
        let mut shards = self.holdings.of(self.class).clone();
        shards.retain(|shard, _| planned(shard));
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        for (node, _) in self.answers {
            match self.counted(node, None) {
                Some(Ok(total)) => drop(totals.insert(node, total)),
                Some(Err(why)) => into.unknown.push(format!("objects on {node}: {why}")),
                None => {}
            }
        }
        let most = |holders: &BTreeMap<&str, &ShardStatus>| {
            holders.values().map(|it| reported(it)).max().unwrap_or(0)
        };
        let different: BTreeSet<u64> = totals.values().copied().collect();
        let same = different.len() == 1;
        for (shard, holders) in &shards {
            let each = holders.iter().filter_map(|(node, replica)| {
                let objects = match totals.get(node) {
                    // A replica that reports less than another has not flushed the rest.
                    _ if same => Some(most(holders)),
                    // What is missing of its count is added below.
                    Some(_) => Some(reported(replica)),
                    None => known(replica),
                };
                Some(((*node).to_owned(), objects?))
            });
            into.objects.insert((*shard).to_owned(), each.collect());
        }
        if same {
            let total = different.first().copied().unwrap_or(0);
            let seen: u64 = shards.values().map(most).sum();
            let nodes: BTreeSet<&str> = shards.values().flat_map(BTreeMap::keys).copied().collect();
            spread(&mut into.objects, &nodes, total, seen);
            return;
        }
        for (node, total) in totals {
            let seen = shards.values().map(|holders| match holders.get(node) {
                Some(own) => reported(own),
                None => most(holders),
            });
            let seen = seen.sum();
            spread(&mut into.objects, &BTreeSet::from([node]), total, seen);
        }
    }

    fn counted(&self, node: &str, tenant: Option<&str>) -> Option<Result<u64, String>> {
        let (_, answer) = self.answers.iter().find(|(name, _)| name == node)?;
        let what = Countable { class: self.class.into(), tenant: tenant.map(Into::into) };
        match answer {
            Ok(counts) => counts.get(&what).cloned(),
            Err(why) => Some(Err(why.clone())),
        }
    }
}

/// Returns what a replica that was not counted is known to hold: it reports none before the first objects
/// are written to disk, and where it is not loaded.
fn known(replica: &ShardStatus) -> Option<u64> {
    Some(reported(replica)).filter(|objects| *objects > 0)
}

fn reported(replica: &ShardStatus) -> u64 {
    replica.object_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
}

/// Adds what was counted and not seen to the replicas of these nodes, evenly; or takes away what was
/// seen and is not counted any more.
fn spread(
    objects: &mut BTreeMap<String, BTreeMap<String, u64>>,
    nodes: &BTreeSet<&str>,
    total: u64,
    seen: u64,
) {
    let on_them =
        |holders: &BTreeMap<String, u64>| nodes.iter().any(|it| holders.contains_key(*it));
    let mut left = objects.values().filter(|holders| on_them(holders)).count() as u64;
    let (mut more, mut fewer) = (total.saturating_sub(seen), seen.saturating_sub(total));
    for holders in objects.values_mut().filter(|holders| on_them(holders)) {
        let share = more.div_ceil(left.max(1));
        let mut taken = 0;
        for (_, count) in holders.iter_mut().filter(|(node, _)| nodes.contains(node.as_str())) {
            taken = fewer.min(*count);
            *count = *count + share - taken;
        }
        (more, fewer, left) = (more - share, fewer - taken, left - 1);
    }
}
