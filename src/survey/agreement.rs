//! Whether the cluster can agree: one RAFT leader, every member answers, one schema.
//!
//! Pure judgement on a [`Survey`]. The server's own `synchronized` is not
//! looked at: it is true with two leaders.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::Problem;
use super::{Survey, View};
use crate::weaviate::Member;

/// Every reason that speaks against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The reasons, the gravest first.
    pub problems: Vec<Problem>,
}

impl Agreement {
    /// Tells whether nodes have come apart, so that neither waiting nor starting one again helps.
    #[must_use]
    pub fn came_apart(&self) -> bool {
        self.problems.iter().any(Problem::is_coming_apart)
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

    /// Returns the members that do not take part, by their RAFT names.
    #[must_use]
    pub fn absent(&self) -> BTreeSet<String> {
        let entries = self.own_entries();
        let takes_part =
            |member: &String| entries.get(member.as_str()).is_some_and(|m| fault_of(m).is_none());
        self.members().into_iter().filter(|member| !takes_part(member)).collect()
    }

    /// Returns the members, by their RAFT names, that follow the one leader, have applied all of its
    /// log, and have not opened their data. So is a node for a while after its start, and for good
    /// where the leader's log has taken the place of its own.
    #[must_use]
    pub fn unopened(&self) -> BTreeSet<String> {
        let entries = self.own_entries();
        let leader = self.leader();
        let Some(log) = leader.as_deref().and_then(|leader| entries.get(leader)?.raft.as_ref())
        else {
            return BTreeSet::new();
        };
        let is_unopened = |member: &Member| {
            let Some(raft) = &member.raft else { return false };
            member.db_loaded != Some(true)
                && member.ready != Some(true)
                && raft.state.as_deref() == Some("Follower")
                && raft.applied_index.is_some()
                && raft.applied_index == log.last_log_index
        };
        let members = entries.iter().filter(|(_, member)| is_unopened(member));
        members.map(|(name, _)| (*name).to_owned()).collect()
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
        for (node, unseen) in self.blind() {
            problems.push(Problem::Blind { node: node.into(), unseen });
        }
        let members = self.members();
        let unopened = self.unopened();
        for member in &members {
            let why = match entries.get(member.as_str()) {
                None => Some("no node lists it; it is down or cut off".into()),
                Some(_) if unopened.contains(member) => {
                    Some("it has all of the leader's log, and has not opened its data".into())
                }
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
pub(super) fn fault_of(member: &Member) -> Option<String> {
    match member.status.as_deref() {
        Some("HEALTHY") => {}
        Some(status) => return Some(format!("its status is {status}")),
        None => return Some("it reports no status".into()),
    }
    if member.raft.is_none() {
        return Some("it reports no RAFT state; it may be starting".into());
    }
    // The server leaves out what is false.
    if member.ready != Some(true) {
        return Some("it is not ready".into());
    }
    if member.is_voter != Some(true) {
        return Some("it is no voter".into());
    }
    None
}
