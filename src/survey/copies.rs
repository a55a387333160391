//! Which replicas have an object: each member is asked for its own copy.
//!
//! A member that can't be read is kept with the reason, so that it can't be taken for one without
//! a copy.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::Survey;
use crate::weaviate::{Cluster, Node, ObjectName, Replica};

/// Where copies of an object are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// RAFT names of the members that have one; every one where the shard has a single replica.
    pub on: Vec<String>,
    /// Members that hold a replica of the shard, without one.
    pub lacking: Vec<String>,
    /// Members that could not be read, each with why.
    pub unread: Vec<(String, String)>,
}

impl Copies {
    /// Asks every member but `but` for its own copy of an object.
    pub async fn find(
        cluster: &Cluster,
        survey: &Survey,
        object: &ObjectName,
        but: &BTreeSet<String>,
    ) -> Self {
        if doors(cluster, survey, &object.class).is_empty()
            && survey.leader_schema.as_ref().is_ok_and(|schema| !schema.contains_key(&object.class))
        {
            // What was in a class went with it.
            return Self::default();
        }
        let mut copies = Self::default();
        if survey.members().is_empty() {
            copies.unread.push(("RAFT".into(), "names no members".into()));
        }
        let without = members_without(survey, &object.class);
        let asked = |member: &String| !but.contains(member) && !without.contains(member);
        let members: Vec<_> = survey.members().into_iter().filter(asked).collect();
        let asked = members.iter().map(|member| read(cluster, survey, object, member));
        for (member, answer) in members.iter().zip(join_all(asked).await) {
            match answer {
                Ok(Replica::Copy(_)) => copies.on.push(member.clone()),
                Ok(Replica::Absent) => copies.lacking.push(member.clone()),
                Ok(Replica::NoReplica) => {}
                Err(why) => copies.unread.push((member.clone(), why)),
            }
        }
        copies
    }

    /// Tells whether it is proven that there is none.
    #[must_use]
    pub fn are_gone(&self) -> bool {
        self.on.is_empty() && self.unread.is_empty()
    }

    /// Returns the members that could not be read, as text.
    #[must_use]
    pub fn why_unread(&self) -> String {
        let each: Vec<_> = self.unread.iter().map(|(who, why)| format!("{who}: {why}")).collect();
        each.join("; ")
    }
}

/// Reads the copy of one member: through the node of that name, else through all others at once,
/// as a node says at once what it does not hold itself, and takes seconds to say it of another.
///
/// # Errors
///
/// Nobody could tell, with the reason.
pub async fn read(
    cluster: &Cluster,
    survey: &Survey,
    object: &ObjectName,
    member: &str,
) -> Result<Replica, String> {
    if members_without(survey, &object.class).contains(member) {
        return Ok(Replica::NoReplica);
    }
    let doors = doors(cluster, survey, &object.class);
    let (own, others): (Vec<&Node>, Vec<&Node>) =
        doors.into_iter().partition(|node| node.name() == member);
    let mut why = "no node that answers has the class".to_owned();
    for doors in [own, others] {
        let mut asked: FuturesUnordered<_> =
            doors.into_iter().map(|door| door.replica(object, member)).collect();
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(replica) => return Ok(replica),
                Err(error) => why = error.reason(),
            }
        }
    }
    Err(why)
}

/// Returns the members that are known to hold no replica of a class as their own schema lacks it.
/// Asking another node about such a one takes it as long as an answer may take.
///
/// Nodes tell what they lack by the names of `--node`, and what they hold by their RAFT names. So
/// they are the members that take part and hold nothing of the class, if these are as many.
fn members_without(survey: &Survey, class: &str) -> BTreeSet<String> {
    let lacking = survey.answered().filter(|(_, view)| !view.own_schema.contains_key(class));
    let lacking = lacking.count();
    let statuses = survey.answered().flat_map(|(_, view)| &view.statuses);
    let holding: BTreeSet<_> = statuses
        .filter(|status| status.shards.iter().any(|shard| shard.class == class))
        .map(|status| status.name.clone())
        .collect();
    let without: BTreeSet<_> = survey.members().difference(&holding).cloned().collect();
    let all_answer = survey.silent().next().is_none() && survey.absent().is_empty();
    if all_answer && without.len() == lacking { without } else { BTreeSet::new() }
}

/// Returns the nodes that can be asked about objects of a class: those that answer and whose own
/// schema has it. Any other would say that there is no object, whoever has it.
#[must_use]
pub fn doors<'a>(cluster: &'a Cluster, survey: &Survey, class: &str) -> Vec<&'a Node> {
    let can_tell = |node: &&Node| survey.node_has_class(node.name(), class) == Some(true);
    cluster.nodes().iter().filter(can_tell).collect()
}
