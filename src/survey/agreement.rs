//! Whether the cluster can agree: one RAFT leader, every member answers, one schema.
//!
//! Pure judgement on a [`Survey`]. The server's own `synchronized` is not
//! looked at: it is true with two leaders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Survey, View};
use crate::weaviate::Member;

/// Every reason that speaks against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The reasons, the gravest first.
    pub problems: Vec<Problem>,
}

/// One reason that speaks against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nodes follow different leaders, or several lead.
    SeveralLeaders {
        /// Node (by its RAFT name) and the leader that it names.
        leaders: Vec<(String, String)>,
        /// Whether each RAFT configuration holds less than all the nodes that gossip knows.
        split: bool,
    },
    /// A node knows no leader.
    NoLeader {
        /// The nodes, by their RAFT names.
        nodes: Vec<String>,
    },
    /// A node of `--node` does not answer.
    Silent {
        /// The node, by the name of `--node`.
        node: String,
        /// Why.
        why: String,
    },
    /// A member of the RAFT configuration does not take part.
    MemberMissing {
        /// RAFT name.
        member: String,
        /// What is known: not listed, its status, not ready.
        why: String,
    },
    /// Nodes hold different RAFT configurations, or one is no voter.
    Configurations {
        /// Node and the members that it knows, by RAFT names.
        members: Vec<(String, Vec<String>)>,
    },
    /// The number of `--node` is not the number of members.
    NodesNamed {
        /// Members of the RAFT configuration.
        members: Vec<String>,
        /// How many addresses were named.
        named: usize,
    },
    /// The leader lacks a class that a node's own schema has.
    LeaderLacks {
        /// The class.
        class: String,
        /// Nodes that have it, by the names of `--node`.
        nodes: Vec<String>,
    },
    /// The leader's schema could not be read.
    LeaderUnread {
        /// Why.
        why: String,
    },
    /// A node's own schema lacks a class that the leader has.
    NodeLacks {
        /// The class.
        class: String,
        /// Nodes that lack it, by the names of `--node`.
        nodes: Vec<String>,
    },
    /// A node's own schema has another definition of a class than the leader.
    NodeDiffers {
        /// The class.
        class: String,
        /// Nodes that differ, by the names of `--node`.
        nodes: Vec<String>,
    },
}

impl Problem {
    /// Tells whether this is only a schema not yet, or no longer, the same everywhere: what a
    /// change that has just been made looks like for a moment.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Silent { .. } | Self::NodesNamed { .. } | Self::LeaderUnread { .. })
    }

    /// Tells whether `--accept-degraded` gets past it: there is one leader that a majority
    /// follows, so what is done will hold, but not everyone can be seen to have it.
    #[must_use]
    pub fn is_degradation(&self) -> bool {
        matches!(
            self,
            Self::Silent { .. }
                | Self::MemberMissing { .. }
                | Self::NodesNamed { .. }
                | Self::NodeLacks { .. }
                | Self::NodeDiffers { .. }
        )
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::SeveralLeaders { split: true, .. } => {
                "the nodes were started without RAFT_JOIN and RAFT_BOOTSTRAP_EXPECT, or with other \
                 names in it. Before you correct the settings, back up the schema and the objects \
                 of every node: restarting with the settings corrected can make classes vanish. \
                 Then stop all nodes, correct the settings, remove the folder `raft` in \
                 PERSISTENCE_DATA_PATH on every node whose own schema lacks classes that another \
                 has, keep it on the node that has them all, and start"
                    .into()
            }
            Self::SeveralLeaders { .. } | Self::LeaderLacks { .. } => {
                "back up the schema and the objects of every node first. Then stop all nodes, \
                 remove the folder `raft` in PERSISTENCE_DATA_PATH on every node whose own schema \
                 lacks classes that another has, keep it on the node that has them all, and start: \
                 that node leads and the others take its schema"
                    .into()
            }
            Self::NoLeader { .. } | Self::LeaderUnread { .. } => {
                "start the members that are down until a majority is up, and wait for an election"
                    .into()
            }
            Self::Silent { .. } | Self::MemberMissing { .. } => {
                "start the node again and wait until it is ready".into()
            }
            Self::Configurations { .. } => {
                "compare RAFT_JOIN and RAFT_BOOTSTRAP_EXPECT of all nodes; they must be the same"
                    .into()
            }
            Self::NodesNamed { members, .. } => {
                format!("name each of the {} members once with --node", members.len())
            }
            Self::NodeLacks { class, .. } | Self::NodeDiffers { class, .. } => format!(
                "wait a moment and try again; if it stays, repair `{class}` first \
                 (run config-replication.rhai --set class={class})"
            ),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeveralLeaders { leaders, split } => {
                let names: BTreeSet<_> = leaders.iter().map(|(_, leader)| leader).collect();
                write!(f, "there are {} RAFT leaders: ", names.len())?;
                let each: Vec<_> = leaders
                    .iter()
                    .map(|(node, leader)| {
                        if node == leader {
                            format!("{node} leads itself")
                        } else {
                            format!("{node} follows {leader}")
                        }
                    })
                    .collect();
                f.write_str(&each.join(", "))?;
                if *split {
                    f.write_str(
                        "; the RAFT configurations are separate, as they are when RAFT_JOIN and \
                         RAFT_BOOTSTRAP_EXPECT are missing",
                    )?;
                }
                Ok(())
            }
            Self::NoLeader { nodes } => {
                write!(f, "no RAFT leader is known to {}", nodes.join(", "))
            }
            Self::Silent { node, why } => write!(f, "node `{node}` does not answer: {why}"),
            Self::MemberMissing { member, why } => {
                write!(f, "RAFT member {member} does not take part: {why}")
            }
            Self::Configurations { members } => {
                let each: Vec<_> = members
                    .iter()
                    .map(|(node, members)| format!("{node} knows {}", members.join(" ")))
                    .collect();
                write!(f, "the RAFT configurations differ: {}", each.join(", "))
            }
            Self::NodesNamed { members, named } => write!(
                f,
                "the cluster has {} members ({}), and {named} addresses were named with --node",
                members.len(),
                members.join(", ")
            ),
            Self::LeaderLacks { class, nodes } => write!(
                f,
                "the RAFT leader lacks the class `{class}`, which is in the own schema of {}",
                nodes.join(", ")
            ),
            Self::LeaderUnread { why } => {
                write!(f, "the RAFT leader's schema could not be read: {why}")
            }
            Self::NodeLacks { class, nodes } => {
                write!(f, "the own schema of {} lacks the class `{class}`", nodes.join(", "))
            }
            Self::NodeDiffers { class, nodes } => write!(
                f,
                "the own schema of {} has another definition of the class `{class}` than the leader",
                nodes.join(", ")
            ),
        }
    }
}

impl Survey {
    /// Judges whether the cluster can agree. `repairing` are the classes whose presence on nodes is
    /// what the change is about: they may be missing or differ on nodes, but never at the leader.
    #[must_use]
    pub fn agreement(&self, repairing: &BTreeSet<String>) -> Agreement {
        let mut problems = vec![];
        self.judge_leaders(&mut problems);
        self.judge_members(&mut problems);
        self.judge_schemas(repairing, &mut problems);
        Agreement { problems }
    }

    /// Returns the one leader that every answering node follows.
    #[must_use]
    pub fn leader(&self) -> Option<String> {
        let own = self.own_entries();
        let leaders: BTreeSet<_> = own.values().map(|member| member.leader_id.as_deref()).collect();
        let mut leaders = leaders.into_iter();
        match (leaders.next(), leaders.next()) {
            (Some(Some(leader)), None) => Some(leader.into()),
            _ => None,
        }
    }

    /// Returns the members of the RAFT configuration, by their RAFT names.
    #[must_use]
    pub fn members(&self) -> BTreeSet<String> {
        self.own_entries()
            .values()
            .filter_map(|member| member.raft.as_ref())
            .flat_map(|raft| raft.latest_configuration.iter().map(|peer| peer.id.clone()))
            .collect()
    }

    /// Returns how many answering nodes name a leader and are ready.
    #[must_use]
    pub fn following(&self) -> usize {
        self.own_entries().values().filter(|member| fault_of(member).is_none()).count()
    }

    /// Returns every member's own entry. Each node answers with the entries of all, written by
    /// each of them, so one answer has them; they are merged so that none is overlooked.
    pub(super) fn own_entries(&self) -> BTreeMap<&str, &Member> {
        let mut entries: BTreeMap<&str, &Member> = BTreeMap::new();
        for member in self.answered().flat_map(|(_, view)| &view.statistics.statistics) {
            // An entry with RAFT state tells more than one that a timeout left empty.
            let slot = entries.entry(&member.name).or_insert(member);
            if slot.raft.is_none() && member.raft.is_some() {
                *slot = member;
            }
        }
        entries
    }

    fn judge_leaders(&self, problems: &mut Vec<Problem>) {
        let entries = self.own_entries();
        let leaders: Vec<(String, String)> = entries
            .values()
            .filter_map(|member| Some((member.name.clone(), member.leader_id.clone()?)))
            .collect();
        let named: BTreeSet<String> = leaders.iter().map(|(_, leader)| leader.clone()).collect();
        let leading: BTreeSet<_> = entries
            .values()
            .filter(|member| {
                member.raft.as_ref().and_then(|raft| raft.state.as_deref()) == Some("Leader")
            })
            .map(|member| member.name.clone())
            .collect();
        if named.len() > 1 || leading.len() > 1 {
            let split = entries
                .values()
                .filter_map(|member| member.raft.as_ref())
                .all(|raft| raft.latest_configuration.len() < entries.len());
            problems.push(Problem::SeveralLeaders { leaders: leaders.clone(), split });
        }
        let without: Vec<_> = entries
            .values()
            .filter(|member| member.raft.is_some() && member.leader_id.is_none())
            .map(|member| member.name.clone())
            .collect();
        let any_answer = self.answered().next().is_some();
        if !without.is_empty() || (any_answer && named.is_empty()) {
            problems.push(Problem::NoLeader { nodes: without });
        } else if named.len() == 1 && leading.len() == 1 && named != leading {
            problems.push(Problem::SeveralLeaders { leaders, split: false });
        }
    }

    fn judge_members(&self, problems: &mut Vec<Problem>) {
        for (node, error) in self.silent() {
            problems.push(Problem::Silent { node: node.into(), why: error.reason() });
        }
        let entries = self.own_entries();
        let configurations: BTreeMap<String, Vec<String>> = entries
            .values()
            .filter_map(|member| {
                let mut members: Vec<_> = member
                    .raft
                    .as_ref()?
                    .latest_configuration
                    .iter()
                    .map(|peer| peer.id.clone())
                    .collect();
                members.sort();
                Some((member.name.clone(), members))
            })
            .collect();
        let split = problems.iter().any(|p| matches!(p, Problem::SeveralLeaders { .. }));
        let distinct: BTreeSet<_> = configurations.values().collect();
        if distinct.len() > 1 && !split {
            problems.push(Problem::Configurations {
                members: configurations.clone().into_iter().collect(),
            });
        }
        let members = self.members();
        for member in &members {
            let why = match entries.get(member.as_str()) {
                None => Some("no node lists it; it is down or cut off".into()),
                Some(entry) => fault_of(entry),
            };
            if let Some(why) = why {
                problems.push(Problem::MemberMissing { member: member.clone(), why });
            }
        }
        if !split && !members.is_empty() && members.len() != self.nodes.len() {
            problems.push(Problem::NodesNamed {
                members: members.into_iter().collect(),
                named: self.nodes.len(),
            });
        }
    }

    fn judge_schemas(&self, repairing: &BTreeSet<String>, problems: &mut Vec<Problem>) {
        let leader = match &self.leader_schema {
            Ok(schema) => schema,
            Err(error) => {
                problems.push(Problem::LeaderUnread { why: error.reason() });
                return;
            }
        };
        let nodes_where = |test: &dyn Fn(&View) -> bool| -> Vec<String> {
            self.answered().filter(|(_, view)| test(view)).map(|(node, _)| node.into()).collect()
        };
        let own: BTreeSet<_> =
            self.answered().flat_map(|(_, view)| view.own_schema.keys()).collect();
        for class in own.into_iter().filter(|class| !leader.contains_key(*class)) {
            problems.push(Problem::LeaderLacks {
                class: class.clone(),
                nodes: nodes_where(&|view| view.own_schema.contains_key(class)),
            });
        }
        for (class, definition) in leader {
            if repairing.contains(class) {
                continue;
            }
            let lacking = nodes_where(&|view| !view.own_schema.contains_key(class));
            if !lacking.is_empty() {
                problems.push(Problem::NodeLacks { class: class.clone(), nodes: lacking });
            }
            let differing = nodes_where(&|view| {
                view.own_schema.get(class).is_some_and(|own| own != definition)
            });
            if !differing.is_empty() {
                problems.push(Problem::NodeDiffers { class: class.clone(), nodes: differing });
            }
        }
    }
}

/// Returns why a member does not take part, if so.
fn fault_of(member: &Member) -> Option<String> {
    match member.status.as_deref() {
        Some("HEALTHY") => {}
        Some(status) => return Some(format!("its status is {status}")),
        None => return Some("it reports no status".into()),
    }
    if member.raft.is_none() {
        return Some("it reports no RAFT state; it may be starting".into());
    }
    if member.ready == Some(false) {
        return Some("it is not ready".into());
    }
    if member.is_voter == Some(false) {
        return Some("it is no voter".into());
    }
    None
}
