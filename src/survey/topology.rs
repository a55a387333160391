//! The nodes: which there should be, which there are, what they run, and which address is whose.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Survey, View};
use crate::issue::{Issue, IssueCode};
use crate::weaviate::NodeStatus;

/// One node as the cluster shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopologyNode {
    /// Its RAFT name.
    pub node: String,
    /// The name of `--node`, where it is known which of them it is.
    pub named: Option<String>,
    /// Whether it is a member of the RAFT configuration: it is expected.
    pub expected: bool,
    /// `HEALTHY` or what else the others say of it; unknown where none lists it.
    pub status: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// `ReadWrite` or another mode; older servers do not tell.
    pub mode: Option<String>,
    /// `Leader`, `Follower`, `Candidate`.
    pub raft: Option<String>,
    /// Replicas that it holds.
    pub shards: Option<usize>,
}

impl Survey {
    /// Returns every node that is a member or is listed by another, by RAFT name.
    #[must_use]
    pub fn topology(&self) -> Vec<TopologyNode> {
        let members = self.members();
        let statuses = self.statuses();
        let entries = self.own_entries();
        let names: BTreeSet<&str> = members
            .iter()
            .map(String::as_str)
            .chain(statuses.keys().copied())
            .chain(entries.keys().copied())
            .collect();
        names
            .into_iter()
            .map(|name| {
                let status = statuses.get(name);
                let raft = entries.get(name).and_then(|entry| entry.raft.as_ref());
                TopologyNode {
                    node: name.into(),
                    named: self.named(name).map(Into::into),
                    expected: members.contains(name),
                    status: status.and_then(|status| status.status.clone()),
                    version: status.and_then(|status| status.version.clone()),
                    mode: status.and_then(|status| status.operational_mode.clone()),
                    raft: raft.and_then(|raft| raft.state.clone()),
                    shards: status.filter(|s| is_healthy(s)).map(|status| status.shards.len()),
                }
            })
            .collect()
    }

    /// Returns what speaks against the nodes themselves, beyond RAFT.
    #[must_use]
    pub fn topology_issues(&self) -> Vec<Issue> {
        let mut issues = vec![];
        let topology = self.topology();
        let versions: BTreeMap<&str, Vec<&str>> = topology.iter().fold(
            BTreeMap::new(),
            |mut versions: BTreeMap<&str, Vec<&str>>, node| {
                if let Some(version) = &node.version {
                    versions.entry(version).or_default().push(&node.node);
                }
                versions
            },
        );
        if versions.len() > 1 {
            let each: Vec<_> = versions
                .iter()
                .map(|(version, nodes)| format!("{version} on {}", nodes.join(", ")))
                .collect();
            issues.push(
                Issue::problem(
                    IssueCode::VersionsDiffer,
                    format!("the nodes run different versions: {}", each.join("; ")),
                )
                .remedy("bring all nodes to one version"),
            );
        }
        for node in &topology {
            if let Some(mode) = node.mode.as_ref().filter(|mode| *mode != "ReadWrite") {
                issues.push(
                    Issue::problem(
                        IssueCode::NotReadWrite,
                        format!("{} is in the operational mode {mode}", node.node),
                    )
                    .at(&node.node)
                    .remedy(
                        "set OPERATIONAL_MODE=READ_WRITE on it, or leave it out, and restart it",
                    ),
                );
            }
        }
        issues
    }

    /// Returns the RAFT names of nodes that are members and whose replicas can't be seen now.
    #[must_use]
    pub fn unseen_members(&self) -> BTreeSet<String> {
        let statuses = self.statuses();
        self.members()
            .into_iter()
            .filter(|member| {
                !statuses.get(member.as_str()).is_some_and(|status| is_healthy(status))
            })
            .collect()
    }

    /// Returns the nodes, by the names of `--node`, that do not see members that take part, with
    /// these. Such a node writes, reads and counts without them, and says that all went well. A node
    /// that others had dropped from gossip is so for some seconds after its start.
    #[must_use]
    pub fn blind(&self) -> Vec<(&str, Vec<String>)> {
        let absent = self.absent();
        let there: Vec<_> = self.members().into_iter().filter(|it| !absent.contains(it)).collect();
        let unseen = |view: &View| {
            let sees =
                |name: &String| view.statuses.iter().any(|it| it.name == *name && is_healthy(it));
            there.iter().filter(|name| !sees(name)).cloned().collect::<Vec<_>>()
        };
        let all = self.answered().map(|(node, view)| (node, unseen(view)));
        all.filter(|(_, unseen)| !unseen.is_empty()).collect()
    }

    /// Returns each node's entry in `/v1/nodes`, by RAFT name. The view of a node that can see it
    /// is taken before that of one that can't.
    fn statuses(&self) -> BTreeMap<&str, &NodeStatus> {
        let mut statuses: BTreeMap<&str, &NodeStatus> = BTreeMap::new();
        for status in self.answered().flat_map(|(_, view)| &view.statuses) {
            let known = statuses.entry(&status.name).or_insert(status);
            if !is_healthy(known) && is_healthy(status) {
                *known = status;
            }
        }
        statuses
    }

    /// Returns the RAFT name of a node of `--node`, where it can be known: no server tells its own.
    /// It is the same name, or the only one with this host in its RAFT address.
    #[must_use]
    pub fn raft_name(&self, named: &str) -> Option<&str> {
        let entries = self.own_entries();
        if let Some((name, _)) = entries.get_key_value(named) {
            return Some(*name);
        }
        let host = self.nodes.iter().find(|seen| seen.node == named)?.host.as_str();
        if self.nodes.iter().filter(|seen| seen.host == host).count() != 1 {
            return None;
        }
        let peers = entries
            .values()
            .filter_map(|entry| entry.raft.as_ref())
            .flat_map(|raft| &raft.latest_configuration);
        let members: BTreeSet<&str> = peers
            .filter(|peer| peer.address.rsplit_once(':').is_some_and(|(at, _)| at == host))
            .map(|peer| peer.id.as_str())
            .collect();
        let mut members = members.into_iter();
        match (members.next(), members.next()) {
            (Some(name), None) => Some(name),
            _ => None,
        }
    }

    /// Tells whether a node that RAFT knows by this name is known to answer.
    #[must_use]
    pub fn answers(&self, raft_name: &str) -> bool {
        let named = self.named(raft_name);
        self.answered().any(|(node, _)| Some(node) == named)
    }

    /// Returns the name of `--node` of a node that RAFT knows by another, where it can be known.
    #[must_use]
    pub fn named(&self, raft_name: &str) -> Option<&str> {
        let named = |seen: &&super::Seen| self.raft_name(&seen.node) == Some(raft_name);
        self.nodes.iter().find(named).map(|seen| seen.node.as_str())
    }
}

fn is_healthy(status: &NodeStatus) -> bool {
    status.status.as_deref() == Some("HEALTHY")
}
