//! The reasons that speak against a change: what each says, and what to do about it.

use std::collections::BTreeSet;
use std::fmt;

use super::{Commands, Survey};
use crate::issue::{Issue, IssueCode};

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
    /// A node does not see members that take part: it writes and counts without them.
    Blind {
        /// The node, by the name of `--node`.
        node: String,
        /// The members, by their RAFT names.
        unseen: Vec<String>,
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

    /// Tells whether nodes have come apart: each goes on with a log of its own.
    #[must_use]
    pub fn is_coming_apart(&self) -> bool {
        matches!(
            self,
            Self::SeveralLeaders { .. } | Self::LeaderLacks { .. } | Self::Configurations { .. }
        )
    }

    /// Returns the class that it is about.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::LeaderLacks { class, .. }
            | Self::NodeLacks { class, .. }
            | Self::NodeDiffers { class, .. } => Some(class),
            _ => None,
        }
    }

    /// Returns the same as an issue.
    #[must_use]
    pub fn issue(&self, survey: &Survey, commands: &Commands) -> Issue {
        let (code, node) = match self {
            Self::SeveralLeaders { .. } => (IssueCode::SeveralLeaders, None),
            Self::NoLeader { .. } => (IssueCode::NoLeader, None),
            Self::Silent { node, .. } => (IssueCode::NodeSilent, Some(node)),
            Self::Blind { node, .. } => (IssueCode::MemberUnseen, Some(node)),
            Self::MemberMissing { member, .. } => (IssueCode::MemberMissing, Some(member)),
            Self::Configurations { .. } => (IssueCode::ConfigurationsDiffer, None),
            Self::NodesNamed { .. } => (IssueCode::NodesNamed, None),
            Self::LeaderLacks { nodes, .. } => (IssueCode::LeaderLacksClass, nodes.first()),
            Self::LeaderUnread { .. } => (IssueCode::LeaderUnread, None),
            Self::NodeLacks { nodes, .. } => (IssueCode::ClassMissingOnNode, nodes.first()),
            Self::NodeDiffers { nodes, .. } => (IssueCode::SchemaDiffers, nodes.first()),
        };
        let mut issue = match self {
            Self::LeaderUnread { .. } => Issue::unknown(code, self.to_string()),
            _ => Issue::problem(code, self.to_string()),
        };
        issue.node = node.map(|node| survey.raft_name(node).unwrap_or(node).to_owned());
        issue.class = self.class().map(Into::into);
        issue.remedy(match self {
            _ if self.is_coming_apart() => commands.way_out(),
            Self::MemberMissing { member, .. } if survey.unopened().contains(member) => format!(
                "if it was started a moment ago, wait: opening many shards takes minutes, and its \
                 log tells. Else the leader's log has taken the place of its own: classes that only \
                 it had are in no schema any more, and their objects still lie in its \
                 PERSISTENCE_DATA_PATH. The way out, as commands for this cluster: {}",
                commands.run("diagnose-raft", &[])
            ),
            // It answers, so it is not the one to be started.
            Self::MemberMissing { member, .. } if survey.answers(member) => {
                "it answers, and takes no part: start the members that are down first, and wait \
                 until they are ready; then read its log"
                    .into()
            }
            _ => self.remedy(commands),
        })
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn remedy(&self, commands: &Commands) -> String {
        match self {
            Self::SeveralLeaders { split: true, .. } => format!(
                "the nodes were started without RAFT_JOIN and RAFT_BOOTSTRAP_EXPECT, or with other \
                 names in it. Before you correct the settings, back up the schema and the objects \
                 of every node: restarting with the settings corrected can make classes vanish. \
                 Then stop all nodes, correct the settings, remove the folder `raft` in \
                 PERSISTENCE_DATA_PATH on every node whose own schema lacks classes that another \
                 has, keep it on the node that has them all, and start. The same as commands for \
                 this cluster: {}",
                commands.run("diagnose-raft", &[])
            ),
            Self::SeveralLeaders { .. }
            | Self::LeaderLacks { .. }
            | Self::Configurations { .. } => format!(
                "back up the schema and the objects of every node first. Then stop all nodes, \
                 remove the folder `raft` in PERSISTENCE_DATA_PATH on every node whose own schema \
                 lacks classes that another has, keep it on the node that has them all, and start: \
                 that node leads and the others take its schema. The same as commands for this \
                 cluster: {}",
                commands.run("diagnose-raft", &[])
            ),
            Self::NoLeader { .. } | Self::LeaderUnread { .. } => {
                "start the members that are down until a majority is up, and wait for an election"
                    .into()
            }
            Self::Blind { node, .. } => format!(
                "write nothing through {node} meanwhile. After a start it passes within a minute; \
                 if it stays, see to it that the ports of gossip and data are open between the \
                 nodes, name another node in CLUSTER_JOIN of {node}, and restart it"
            ),
            Self::Silent { .. } | Self::MemberMissing { .. } => {
                "start the node again and wait until it is ready".into()
            }
            Self::NodesNamed { members, .. } => {
                format!("name each of the {} members once with --node", members.len())
            }
            Self::NodeLacks { class, .. } | Self::NodeDiffers { class, .. } => format!(
                "wait a moment and try again; if it stays, repair `{class}` first: {}",
                commands.run("config-replication", &[("class", class)])
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
            Self::Blind { node, unseen } => write!(
                f,
                "`{node}` does not see {}: what is written through it does not get there, and it \
                 answers that it does",
                unseen.join(", ")
            ),
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
