//! RAFT in detail: who leads and follows, in which term, how far each log is; and the way out of a
//! cluster that has come apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::agreement::fault_of;
use super::{Commands, Seen, Survey};
use crate::issue::Issue;
use crate::weaviate::{Member, NodeStatus};

/// What is known of RAFT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RaftStatus {
    /// The leader that every node follows.
    pub leader: Option<String>,
    /// Whether nothing speaks against a change. The server's own `synchronized` is no part of it.
    pub agreed: bool,
    /// What the servers say themselves; true with two leaders.
    pub synchronized: bool,
    /// Every node that gossip knows, by RAFT name.
    pub nodes: Vec<RaftNode>,
    /// What is in each node's own schema, by the name of `--node`.
    pub schemas: Vec<OwnSchema>,
    /// What speaks against a change.
    pub issues: Vec<Issue>,
    /// The way out, where nodes have come apart.
    pub way_out: Option<WayOut>,
    /// Why no way out can be named although nodes have come apart.
    pub no_way_out: Option<String>,
}

/// One node's part in RAFT, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RaftNode {
    /// Its RAFT name.
    pub node: String,
    /// The name of `--node`, where it is known which of them it is.
    pub named: Option<String>,
    /// `Leader`, `Follower`, `Candidate`.
    pub state: Option<String>,
    /// Whom it follows.
    pub leader: Option<String>,
    /// The term that it is in.
    pub term: Option<u64>,
    /// The last entry in its log.
    pub last_log_index: Option<u64>,
    /// The last entry that it knows a majority to have.
    pub commit_index: Option<u64>,
    /// The last entry that it has applied.
    pub applied_index: Option<u64>,
    /// When it last heard from the leader, in the server's words.
    pub last_contact: Option<String>,
    /// Whether it may vote.
    pub voter: Option<bool>,
    /// Whether it is ready.
    pub ready: Option<bool>,
    /// The members of its configuration, by RAFT name.
    pub members: Vec<String>,
    /// The members that it has heard of while it waits for enough to found a RAFT cluster.
    pub candidates: Vec<String>,
}

/// What a node answers of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnSchema {
    /// The node, by the name of `--node`.
    pub node: String,
    /// Its address.
    pub url: String,
    /// The classes in its own schema; unknown where it does not answer.
    pub classes: Option<Vec<String>>,
    /// The nodes that gossip has told it of, by RAFT name.
    pub sees: Vec<String>,
    /// Those of them whose shards it can't reach.
    pub cut_off: Vec<String>,
}

/// How a cluster that has come apart is put together: the nodes in `stop` are stopped, those in
/// `remove` lose the folder `raft` in `PERSISTENCE_DATA_PATH`, and what was stopped is started. What
/// only they had is put back from a backup. All by the names of `--node`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WayOut {
    /// Nodes that are stopped: all, or where nothing has come apart those in `remove`.
    pub stop: Vec<String>,
    /// The node whose log decides.
    pub keep: String,
    /// Nodes that keep their logs too: they follow it, and have the same.
    pub also_keep: Vec<String>,
    /// Nodes whose logs are removed.
    pub remove: Vec<String>,
    /// Those of them that are not ready: what they had cannot be seen.
    pub unseen: Vec<String>,
    /// What has to be put back afterwards.
    pub restore: Vec<Restore>,
}

/// Something that the node whose log decides does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Restore {
    /// The class.
    pub class: String,
    /// The node that has it, or has other shards of it.
    pub node: String,
}

impl Survey {
    /// Returns what is known of RAFT.
    #[must_use]
    pub fn raft(&self, commands: &Commands) -> RaftStatus {
        let agreement = self.agreement(&BTreeSet::new());
        let apart = agreement.came_apart();
        let ill = apart || !self.unopened().is_empty();
        let (way_out, no_way_out) = match ill.then(|| self.way_out(apart)) {
            None => (None, None),
            Some(Ok(way_out)) => (Some(way_out), None),
            Some(Err(why)) => (None, Some(why)),
        };
        let synchronized =
            |(_, view): (&str, &super::View)| view.statistics.synchronized == Some(true);
        RaftStatus {
            leader: self.leader(),
            agreed: agreement.problems.is_empty(),
            synchronized: self.answered().all(synchronized),
            nodes: self.own_entries().values().map(|entry| self.raft_node(entry)).collect(),
            schemas: self
                .nodes
                .iter()
                .map(|seen| OwnSchema {
                    node: seen.node.clone(),
                    url: seen.url.clone(),
                    classes: seen
                        .view
                        .as_ref()
                        .ok()
                        .map(|view| view.own_schema.keys().cloned().collect()),
                    sees: statuses_of(seen, |_| true),
                    cut_off: statuses_of(seen, |status| {
                        matches!(status.status.as_deref(), Some("UNAVAILABLE" | "TIMEOUT"))
                    }),
                })
                .collect(),
            issues: agreement.problems.iter().map(|it| it.issue(self, commands)).collect(),
            way_out,
            no_way_out,
        }
    }

    fn raft_node(&self, entry: &Member) -> RaftNode {
        let raft = entry.raft.as_ref();
        let number = |text: Option<&String>| text.and_then(|text| text.parse().ok());
        RaftNode {
            node: entry.name.clone(),
            named: self.named(&entry.name).map(Into::into),
            state: raft.and_then(|raft| raft.state.clone()),
            leader: entry.leader_id.clone(),
            term: number(raft.and_then(|raft| raft.term.as_ref())),
            last_log_index: number(raft.and_then(|raft| raft.last_log_index.as_ref())),
            commit_index: number(raft.and_then(|raft| raft.commit_index.as_ref())),
            applied_index: number(raft.and_then(|raft| raft.applied_index.as_ref())),
            last_contact: raft.and_then(|raft| raft.last_contact.clone()),
            voter: entry.is_voter,
            ready: entry.ready,
            members: raft.map(members).unwrap_or_default(),
            candidates: entry.candidates.keys().cloned().collect(),
        }
    }

    /// Finds the way out. Of the nodes that lead, the one with the most classes keeps its log: a
    /// leader's own schema is what its log says, and that of a follower need not be. So do those
    /// that follow it with the same configuration and the same schema. All others start without one.
    fn way_out(&self, apart: bool) -> Result<WayOut, String> {
        if let Some((node, error)) = self.silent().next() {
            return Err(format!(
                "`{node}` does not answer ({}), and what it has is not known",
                error.reason()
            ));
        }
        let entries = self.own_entries();
        let mut places: Vec<Place<'_>> = vec![];
        for (node, view) in self.answered() {
            let entry = self.raft_name(node).and_then(|name| entries.get(name)).ok_or_else(|| {
                format!(
                    "which RAFT member `{node}` is can't be known: name each node as RAFT does ({}): \
                     --node NAME=URL",
                    entries.keys().copied().collect::<Vec<_>>().join(", ")
                )
            })?;
            places.push(Place { node, entry, classes: &view.own_schema });
        }
        let strangers: Vec<_> =
            entries.keys().filter(|name| self.named(name).is_none()).copied().collect();
        if !strangers.is_empty() {
            return Err(format!("not named with --node: {}", strangers.join(", ")));
        }
        let followers = |name: &str| {
            places.iter().filter(|it| it.entry.leader_id.as_deref() == Some(name)).count()
        };
        let rank = |place: &&Place<'_>| {
            (place.classes.len(), followers(&place.entry.name), place.last_log_index())
        };
        let keeper = places
            .iter()
            .filter(|place| place.leads())
            // Of those that are alike the first one, whatever the order of the comparison.
            .rev()
            .max_by_key(rank)
            .ok_or("no node leads, so there is no log to keep: start the members that are down")?;
        let keeps = |place: &&Place<'_>| {
            fault_of(place.entry).is_none()
                && place.entry.leader_id.as_deref() == Some(&keeper.entry.name)
                && place.members() == keeper.members()
                && place.classes == keeper.classes
        };
        let name = |place: &Place<'_>| place.node.to_owned();
        let others = || places.iter().filter(|place| place.node != keeper.node);
        let mut restore = BTreeSet::new();
        for place in others().filter(|place| !keeps(place)) {
            for class in place.classes.keys() {
                let theirs = self.shards_of(class, &place.entry.name);
                let kept = self.shards_of(class, &keeper.entry.name);
                if !keeper.classes.contains_key(class) || !theirs.is_subset(&kept) {
                    restore.insert(Restore { class: class.clone(), node: name(place) });
                }
            }
        }
        let remove: Vec<_> = others().filter(|place| !keeps(place)).collect();
        let stop = if apart { places.iter().collect() } else { remove.clone() };
        let unseen = remove.iter().filter(|place| fault_of(place.entry).is_some());
        Ok(WayOut {
            stop: stop.into_iter().map(name).collect(),
            keep: name(keeper),
            also_keep: others().filter(keeps).map(name).collect(),
            unseen: unseen.copied().map(name).collect(),
            remove: remove.into_iter().map(name).collect(),
            restore: restore.into_iter().collect(),
        })
    }

    /// Returns the shards of a class that a node holds.
    fn shards_of(&self, class: &str, raft_name: &str) -> BTreeSet<&str> {
        self.answered()
            .flat_map(|(_, view)| &view.statuses)
            .filter(|status| status.name == raft_name)
            .flat_map(|status| &status.shards)
            .filter(|shard| shard.class == class)
            .map(|shard| shard.name.as_str())
            .collect()
    }
}

/// A node with both its names and what its own schema has.
struct Place<'a> {
    node: &'a str,
    entry: &'a Member,
    classes: &'a BTreeMap<String, serde_json::Value>,
}

impl Place<'_> {
    fn leads(&self) -> bool {
        self.entry.raft.as_ref().and_then(|raft| raft.state.as_deref()) == Some("Leader")
    }

    fn last_log_index(&self) -> u64 {
        let raft = self.entry.raft.as_ref();
        let index = raft.and_then(|raft| raft.last_log_index.as_ref());
        index.and_then(|index| index.parse().ok()).unwrap_or(0)
    }

    fn members(&self) -> Vec<String> {
        self.entry.raft.as_ref().map(members).unwrap_or_default()
    }
}

/// Returns the RAFT names of the nodes in a node's own `/v1/nodes` that are so.
fn statuses_of(seen: &Seen, wanted: impl Fn(&NodeStatus) -> bool) -> Vec<String> {
    let statuses = seen.view.iter().flat_map(|view| &view.statuses);
    statuses.filter(|status| wanted(status)).map(|status| status.name.clone()).collect()
}

fn members(raft: &crate::weaviate::Raft) -> Vec<String> {
    let mut members: Vec<_> =
        raft.latest_configuration.iter().map(|peer| peer.id.clone()).collect();
    members.sort();
    members
}
