//! Whether a class holds objects: proof, not a count.
//!
//! A count of 0 proves nothing, since shards whose nodes are down are left out
//! of it with status 200. Empty is proven only when every member of the cluster
//! answers, every node whose own schema has the class lists no object in it (a
//! node reads its own replicas first), no node reports an object on disk, and
//! counting, where the server can count, finds none either.

use futures_util::StreamExt;
use futures_util::stream;

use super::{Replicas, Survey};
use crate::weaviate::{Cluster, Error, Listing, Node, Tenant};

/// How many tenants are looked at side by side on a node.
const TENANTS_AT_ONCE: usize = 16;

/// What is known of the objects of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emptiness {
    /// Proven: there is none on any replica.
    Empty,
    /// There are objects; where.
    Objects(String),
    /// It could not be found out; every reason.
    Unknown(Vec<String>),
}

/// How much has to be seen before a class counts as empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrutiny {
    /// Every member and every replica.
    Everyone,
    /// The nodes that answer: enough for a class that did not exist a moment ago.
    WhoeverAnswers,
}

/// Looks on every replica for an object. `tenants` is `None` for a class without tenants.
pub async fn look_for_objects(
    cluster: &Cluster,
    survey: &Survey,
    replicas: &Replicas,
    class: &str,
    tenants: Option<&[Tenant]>,
    scrutiny: Scrutiny,
) -> Emptiness {
    let mut unknown = match scrutiny {
        Scrutiny::Everyone => unseen(survey, replicas),
        Scrutiny::WhoeverAnswers => vec![],
    };
    let mut found: Option<String> = None;
    for (_, view) in survey.answered() {
        for status in &view.statuses {
            for shard in status.shards.iter().filter(|shard| shard.class == class) {
                if let Some(count @ 1..) = shard.object_count {
                    found.get_or_insert(format!(
                        "{} reports {count} objects in shard {}",
                        status.name, shard.name
                    ));
                }
            }
        }
    }
    for tenant in tenants.unwrap_or_default().iter().filter(|tenant| !tenant.is_active()) {
        unknown.push(format!(
            "tenant `{}` is {}, so its objects can't be seen",
            tenant.name, tenant.activity_status
        ));
    }
    for node in cluster.nodes() {
        if survey.node_has_class(node.name(), class) != Some(true) {
            continue;
        }
        for (place, listing) in look(node, class, tenants).await {
            match listing {
                Ok(Listing::Empty) => {}
                Ok(Listing::Objects) => {
                    found.get_or_insert(format!("`{}` lists objects{place}", node.name()));
                }
                Ok(Listing::NoClass) => {
                    unknown.push(format!("the class vanished from `{}` meanwhile", node.name()));
                }
                Err(error) => unknown.push(format!(
                    "`{}` can't list the objects{place}: {}",
                    node.name(),
                    error.reason()
                )),
            }
        }
    }
    // Where a member lacks the class, counting breaks: the listing of the others has to do.
    let everywhere = survey.nodes_with_class(class).len() == survey.nodes.len();
    if tenants.is_none() && everywhere && found.is_none() && unknown.is_empty() {
        for node in cluster.nodes() {
            match node.aggregate(class, None).await {
                Ok(0) => {}
                Ok(count) => {
                    found.get_or_insert(format!("`{}` counts {count} objects", node.name()));
                }
                Err(error) => unknown.push(format!("`{}` {}", node.name(), error.reason())),
            }
        }
    }
    match (found, unknown.is_empty()) {
        (Some(found), _) => Emptiness::Objects(found),
        (None, true) => Emptiness::Empty,
        (None, false) => Emptiness::Unknown(unknown),
    }
}

/// Returns every reason why a replica may exist that nobody can look at.
#[must_use]
pub fn unseen(survey: &Survey, replicas: &Replicas) -> Vec<String> {
    let mut reasons: Vec<String> = vec![];
    for (node, error) in survey.silent() {
        reasons.push(format!("node `{node}` does not answer: {}", error.reason()));
    }
    for (node, members) in survey.blind() {
        reasons.push(format!("node `{node}` does not see {}", members.join(", ")));
    }
    let entries = survey.own_entries();
    let members = survey.members();
    for node in replicas.nodes() {
        if !members.contains(node) {
            reasons.push(format!("{node}, which should hold a replica, is no RAFT member"));
        }
    }
    for member in &members {
        if entries.get(member.as_str()).is_none_or(|entry| entry.raft.is_none()) {
            reasons.push(format!("RAFT member {member} does not take part"));
        }
    }
    for shard in &replicas.shards {
        let missing: Vec<_> = shard.planned.difference(&shard.held).cloned().collect();
        if shard.held.is_empty() {
            reasons.push(format!(
                "no node holds shard {}, which should be on {}",
                shard.shard,
                missing.join(", ")
            ));
        }
    }
    if members.len() > survey.nodes.len() {
        reasons.push(format!(
            "the cluster has {} members, and {} were named with --node",
            members.len(),
            survey.nodes.len()
        ));
    }
    reasons
}

async fn look(
    node: &Node,
    class: &str,
    tenants: Option<&[Tenant]>,
) -> Vec<(String, Result<Listing, Error>)> {
    let Some(tenants) = tenants else {
        return vec![(String::new(), node.first_object(class, None).await)];
    };
    stream::iter(tenants.iter().filter(|tenant| tenant.is_active()))
        .map(|tenant| async move {
            let listing = node.first_object(class, Some(&tenant.name)).await;
            (format!(" of tenant `{}`", tenant.name), listing)
        })
        .buffer_unordered(TENANTS_AT_ONCE)
        .collect()
        .await
}
