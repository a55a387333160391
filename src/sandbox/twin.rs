//! A sandbox like a cluster that was surveyed: its nodes and who of them follows whom. What they hold is
//! in `twin_data`.
//!
//! What the survey does not tell is told as a doubt, and taken to be what asks for most care.

use std::collections::{BTreeMap, BTreeSet};

use super::raft::Group;
use super::world::{Power, World};
use super::{twin_data, world};
use crate::survey::{Saved, SavedNode};
use crate::weaviate::{Member, NodeStatus};

/// A cluster as a survey has it, sorted by RAFT names.
pub(super) struct Seen<'a> {
    pub(super) saved: &'a Saved,
    /// What the operator named, by RAFT name.
    pub(super) named: BTreeMap<&'a str, &'a SavedNode>,
    /// What each node says of RAFT itself.
    pub(super) entries: BTreeMap<&'a str, &'a Member>,
    /// What is said of each node, by itself where it is known which it is.
    pub(super) statuses: BTreeMap<&'a str, &'a NodeStatus>,
}

impl<'a> Seen<'a> {
    fn new(saved: &'a Saved) -> Self {
        let named: BTreeMap<&str, &SavedNode> =
            saved.nodes.iter().map(|node| (node.label(), node)).collect();
        let mut entries: BTreeMap<&str, &Member> = BTreeMap::new();
        let mut statuses: BTreeMap<&str, &NodeStatus> = BTreeMap::new();
        for node in &saved.nodes {
            let Some(view) = &node.view else { continue };
            for entry in &view.statistics.statistics {
                let better = node.name() == Some(&entry.name)
                    || entries.get(entry.name.as_str()).is_none_or(|it| it.raft.is_none());
                if better {
                    entries.insert(&entry.name, entry);
                }
            }
            for status in &view.nodes {
                let better = node.name() == Some(&status.name)
                    || statuses.get(status.name.as_str()).is_none_or(|it| !is_healthy(it));
                if better {
                    statuses.insert(&status.name, status);
                }
            }
        }
        Self { saved, named, entries, statuses }
    }

    /// Returns every node there is, members that nobody sees among them.
    fn names(&self) -> BTreeSet<&'a str> {
        let peers = self.entries.values().filter_map(|entry| entry.raft.as_ref());
        let peers = peers.flat_map(|raft| &raft.latest_configuration).map(|it| it.id.as_str());
        let all = self.named.keys().chain(self.entries.keys()).chain(self.statuses.keys());
        all.copied().chain(peers).collect()
    }

    /// Tells whether a node answers: the operator, or the others where the operator did not name it.
    fn is_up(&self, name: &str) -> bool {
        match self.named.get(name) {
            Some(node) => node.view.is_some(),
            None => self.statuses.get(name).is_some_and(|status| is_healthy(status)),
        }
    }

    /// Returns the members that a node knows.
    fn members(&self, name: &str) -> BTreeSet<&'a str> {
        let raft = self.entries.get(name).and_then(|entry| entry.raft.as_ref());
        raft.into_iter()
            .flat_map(|raft| &raft.latest_configuration)
            .map(|it| it.id.as_str())
            .collect()
    }

    /// Returns whom a node follows.
    pub(super) fn leader(&self, name: &str) -> Option<&'a str> {
        self.entries.get(name)?.leader_id.as_deref()
    }
}

/// Makes it; also returns what it is not sure to have as the cluster does.
pub(super) fn make(saved: &Saved) -> (World, Vec<String>) {
    let seen = Seen::new(saved);
    let names: Vec<&str> = seen.names().into_iter().collect();
    let mut world = World::of(&names, 1);
    world.clock = jiff::Timestamp::now().as_millisecond();
    world.movement = !saved.movement_off;
    let mut doubts: Vec<String> = saved.unknown.clone();
    for node in &mut world.nodes {
        nodes_doubts(&seen, &node.name, &mut doubts);
        set_up(&seen, node);
    }
    join(&seen, &mut world);
    twin_data::fill(&seen, &mut world, &mut doubts);
    (world, doubts)
}

fn nodes_doubts(seen: &Seen, name: &str, doubts: &mut Vec<String>) {
    let healthy = seen.statuses.get(name).is_some_and(|status| is_healthy(status));
    match seen.named.get(name) {
        None => doubts.push(format!(
            "{name} was not named with --node: its own schema is taken to be the leader's"
        )),
        Some(SavedNode { view: None, unknown, .. }) => {
            let why = unknown.clone().unwrap_or_default();
            let but = if healthy { ", although the others see it" } else { "" };
            doubts.push(format!("{name} did not answer, so it is down here{but}: {why}"));
        }
        Some(SavedNode { node, taken_for: Some(_), .. }) => {
            doubts.push(format!("no server tells which node `{node}` is: it is taken for {name}"));
        }
        Some(_) => {}
    }
}

fn set_up(seen: &Seen, node: &mut world::Node) {
    let name = node.name.as_str();
    node.power = if seen.is_up(name) { Power::Running } else { Power::Stopped };
    if let Some(status) = seen.statuses.get(name) {
        if let Some(version) = &status.version {
            node.version.clone_from(version);
        }
        if let Some(mode) = &status.operational_mode {
            node.mode.clone_from(mode);
        }
    }
    let peers = seen.entries.values().filter_map(|entry| entry.raft.as_ref());
    let peer = peers.flat_map(|raft| &raft.latest_configuration).find(|peer| peer.id == name);
    if let Some(peer) = peer {
        node.raft_address.clone_from(&peer.address);
    }
}

/// Puts the nodes into their RAFT clusters: those that follow the same leader and know the same members
/// are in one.
fn join(seen: &Seen, world: &mut World) {
    let mut groups: BTreeMap<(Option<&str>, BTreeSet<&str>), Vec<usize>> = BTreeMap::new();
    for (at, node) in world.nodes.iter().enumerate() {
        let Some((name, _)) = seen.entries.get_key_value(node.name.as_str()) else { continue };
        let members = seen.members(name);
        if !members.is_empty() {
            groups.entry((seen.leader(name), members)).or_default().push(at);
        }
    }
    world.leaderless = !groups.is_empty() && groups.keys().all(|(leader, _)| leader.is_none());
    if groups.is_empty() {
        return;
    }
    let made = groups.iter().map(|((leader, members), nodes)| {
        let mut group = Group::new(&members.iter().copied().collect::<Vec<_>>());
        group.leader = leader.map(str::to_owned);
        let rafts = nodes
            .iter()
            .filter_map(|at| seen.entries.get(world.nodes[*at].name.as_str())?.raft.as_ref());
        for raft in rafts {
            let number = |text: &Option<String>| text.as_ref().and_then(|it| it.parse().ok());
            group.term = group.term.max(number(&raft.term).unwrap_or(0));
            let applied = number(&raft.applied_index).unwrap_or(0);
            group.before = group.before.max(usize::try_from(applied).unwrap_or(0));
        }
        group
    });
    let made: Vec<Group> = made.collect();
    for (at, node) in world.nodes.iter_mut().enumerate() {
        let own = groups.values().position(|nodes| nodes.contains(&at));
        // One that is down joins those that expect it.
        let expects = |group: &Group| group.members.contains(&node.name);
        node.group = own.or_else(|| made.iter().position(expects)).unwrap_or(0);
    }
    world.groups = made;
}

fn is_healthy(status: &NodeStatus) -> bool {
    status.status.as_deref() == Some("HEALTHY")
}
