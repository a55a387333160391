//! The whole cluster looked at: a survey, the replica movements, the counts, and for single
//! classes the plan and the tenants; and everything that is wrong with it.
//!
//! Costs at most six requests a node, however many classes there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::replica_counts::{Counts, count_all};
use super::topology::TopologyNode;
use super::{ClassStatus, Commands, Holdings, Replicas, Survey};
use crate::issue::{Issue, IssueCode};
use crate::weaviate::{Cluster, Error, Movement, Tenant};

/// How long a movement may stay in one state before it counts as stuck, in milliseconds.
const STUCK_AFTER: i64 = 5 * 60 * 1000;

/// What was read beyond the survey.
#[derive(Debug, Default)]
pub struct Findings {
    /// Replica movements; `None` where this server has none.
    movements: Option<Result<Option<Vec<Movement>>, Error>>,
    counts: BTreeMap<String, Counts>,
    plans: BTreeMap<String, Replicas>,
    tenants: BTreeMap<String, Vec<Tenant>>,
    /// What could not be read for a class.
    unread: Vec<Issue>,
}

/// A survey and what was found beside it, ready to be judged.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) survey: &'a Survey,
    pub(super) commands: &'a Commands,
    pub(super) holdings: Holdings<'a>,
    pub(super) topology: &'a [TopologyNode],
    pub(super) counts: &'a BTreeMap<String, Counts>,
    pub(super) plans: &'a BTreeMap<String, Replicas>,
    pub(super) tenants: &'a BTreeMap<String, Vec<Tenant>>,
    pub(super) movements: &'a [Movement],
    /// Whether nodes have come apart.
    pub(super) apart: bool,
    /// Address of a node that answers, for commands.
    pub(super) url: &'a str,
    movements_unread: Option<&'a Error>,
    unread: &'a [Issue],
}

/// What is wrong with a cluster, and what was seen of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Health {
    /// The nodes.
    pub nodes: Vec<TopologyNode>,
    /// The RAFT leader that every node follows.
    pub leader: Option<String>,
    /// Whether the cluster agrees: nothing speaks against a change.
    pub agreed: bool,
    /// Every class.
    pub classes: Vec<ClassStatus>,
    /// What is wrong with the cluster itself.
    pub issues: Vec<Issue>,
}

impl Findings {
    /// Reads what all classes need: movements, from a node that has not been asked for the leader's
    /// schema, and unless `quick` the number of objects on each node.
    pub async fn of_all(cluster: &Cluster, survey: &Survey, quick: bool) -> Self {
        if quick {
            return Self::default();
        }
        let classes = survey.classes();
        let (movements, counts) = tokio::join!(movements(cluster, survey), async {
            count_all(cluster, survey, &survey.holdings(), &classes, false).await
        });
        Self { movements: Some(movements), counts, ..Self::default() }
    }

    /// Reads what is known of one class, its plan and its tenants too.
    pub async fn of_class(cluster: &Cluster, survey: &Survey, class: &str) -> Self {
        let mut found = Self::default();
        let one = BTreeSet::from([class]);
        let (movements, counts, plan, tenants) = tokio::join!(
            movements(cluster, survey),
            async { count_all(cluster, survey, &survey.holdings(), &one, true).await },
            Replicas::find(cluster, survey, class),
            tenants(cluster, survey, class)
        );
        found.movements = Some(movements);
        found.counts = counts;
        let exists = survey.leader_schema.as_ref().is_ok_and(|schema| schema.contains_key(class));
        match plan {
            Ok(plan) => drop(found.plans.insert(class.into(), plan)),
            // A class that the leader lacks has no plan.
            Err(_) if !exists => {}
            Err(error) => found.unread.push(
                Issue::unknown(
                    IssueCode::PlacementUnknown,
                    format!("where the replicas of {class} should be could not be read: {error}"),
                )
                .of(class)
                .remedy("run it again; if it stays, read the log of the node"),
            ),
        }
        match tenants {
            Ok(Some(tenants)) => drop(found.tenants.insert(class.into(), tenants)),
            Ok(None) => {}
            Err(error) => found.unread.push(
                Issue::unknown(
                    IssueCode::PlacementUnknown,
                    format!("the tenants of {class} could not be read: {error}"),
                )
                .of(class)
                .remedy("run it again; if it stays, read the log of the node"),
            ),
        }
        found
    }

    /// Judges one class.
    #[must_use]
    pub fn class(
        &self,
        survey: &Survey,
        commands: &Commands,
        url: &str,
        class: &str,
    ) -> ClassStatus {
        let topology = survey.topology();
        let look = self.look(survey, commands, url, &topology);
        let mut status = look.class(class);
        for issue in look.unread {
            status.issues.push(issue.clone());
            status.consistent = status.consistent.filter(|consistent| !consistent);
        }
        status
    }

    /// Judges everything.
    #[must_use]
    pub fn health(&self, survey: &Survey, commands: &Commands, url: &str) -> Health {
        let nodes = survey.topology();
        let look = self.look(survey, commands, url, &nodes);
        let agreement = survey.agreement(&BTreeSet::new());
        let agreed = agreement.problems.is_empty();
        let mut issues: Vec<Issue> = agreement
            .problems
            .iter()
            // Told with each class.
            .filter(|problem| problem.class().is_none())
            .map(|problem| problem.issue(survey, commands))
            .collect();
        issues.extend(survey.topology_issues());
        if let Some(error) = look.movements_unread {
            issues.push(
                Issue::unknown(
                    IssueCode::PlacementUnknown,
                    format!("the replica movements could not be read: {error}"),
                )
                .remedy("run it again; if it stays, read the log of the node"),
            );
        }
        let classes = survey.classes().into_iter().map(|class| look.class(class)).collect();
        drop(look);
        Health { leader: survey.leader(), agreed, classes, issues, nodes }
    }

    fn look<'a>(
        &'a self,
        survey: &'a Survey,
        commands: &'a Commands,
        url: &'a str,
        topology: &'a [TopologyNode],
    ) -> Look<'a> {
        let (movements, movements_unread) = match &self.movements {
            Some(Ok(Some(movements))) => (movements.as_slice(), None),
            Some(Ok(None)) | None => (&[][..], None),
            Some(Err(error)) => (&[][..], Some(error)),
        };
        Look {
            survey,
            commands,
            holdings: survey.holdings(),
            topology,
            counts: &self.counts,
            plans: &self.plans,
            tenants: &self.tenants,
            movements,
            apart: survey.agreement(&BTreeSet::new()).came_apart(),
            url,
            movements_unread,
            unread: &self.unread,
        }
    }
}

impl Look<'_> {
    /// Movements that fail again and again, or that stand still.
    pub(super) fn judge_movements(&self, class: &str, issues: &mut Vec<Issue>) {
        let open = self.movements.iter().filter(|m| m.collection == class && !m.is_over());
        for movement in open {
            let status = &movement.status;
            let since = now() - status.when_started_unix_ms;
            let why = match status.errors.last() {
                Some(error) => format!("it fails: {error}"),
                None if status.when_started_unix_ms > 0 && since > STUCK_AFTER => {
                    format!("it stands still for {} minutes", since / 60_000)
                }
                None => continue,
            };
            let path = format!("/v1/replication/replicate/{}/cancel", movement.id);
            issues.push(
                Issue::problem(
                    IssueCode::MovementStuck,
                    format!(
                        "the copy of shard {} from {} to {} is {} and does not end: {why}",
                        movement.shard, movement.source_node, movement.target_node, status.state
                    ),
                )
                .of(class)
                .at(&movement.target_node)
                .shard(&movement.shard)
                .remedy(format!(
                    "what was there stays when it is cancelled: {}",
                    self.commands.curl("POST", self.url, &path, None)
                )),
            );
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Asks the last node that answers: the first was asked for the leader's schema.
async fn movements(cluster: &Cluster, survey: &Survey) -> Result<Option<Vec<Movement>>, Error> {
    let mut last = None;
    for (node, seen) in cluster.nodes().iter().zip(&survey.nodes).rev() {
        if seen.view.is_ok() {
            match node.movements().await {
                Ok(movements) => return Ok(movements),
                Err(error) => last = Some(error),
            }
        }
    }
    last.map_or(Ok(None), Err)
}

async fn tenants(
    cluster: &Cluster,
    survey: &Survey,
    class: &str,
) -> Result<Option<Vec<Tenant>>, Error> {
    if !survey.is_multi_tenant(class) {
        return Ok(None);
    }
    let mut last = None;
    for (node, seen) in cluster.nodes().iter().zip(&survey.nodes) {
        if seen.view.is_ok() {
            match node.tenants(class).await {
                Ok(tenants) => return Ok(Some(tenants)),
                Err(error) => last = Some(error),
            }
        }
    }
    last.map_or(Ok(None), Err)
}
