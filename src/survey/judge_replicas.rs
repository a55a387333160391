//! What is wrong with the replicas of one shard: promised and not planned, planned and not held.

use super::health::Look;
use super::holdings::Holders;
use crate::issue::{Issue, IssueCode};
use crate::text::count;

impl Look<'_> {
    /// Compares what is promised with what is planned, and that with what is held.
    pub(super) fn judge_replicas(
        &self,
        class: &str,
        shard: &str,
        holders: &Holders<'_>,
        promised: u64,
        issues: &mut Vec<Issue>,
    ) {
        let factor = usize::try_from(promised).unwrap_or(usize::MAX);
        let plan = self.plans.get(class).filter(|plan| plan.planned_known);
        let by_name = plan.and_then(|plan| plan.shards.iter().find(|it| it.shard == shard));
        // By name where the plan was read, else by the number that the holders tell.
        let told = || holders.values().filter_map(|replica| replica.number_of_replicas).max();
        let planned = by_name.map_or_else(|| told().unwrap_or(factor), |it| it.planned.len());
        if planned < factor {
            issues.push(self.too_few(class, shard, holders, planned, promised));
        }
        if planned > factor {
            issues.push(
                Issue::note(
                    IssueCode::TooManyReplicas,
                    format!("shard {shard} has {planned} replicas, and {class} promises {factor}"),
                )
                .of(class)
                .shard(shard)
                .remedy(format!(
                    "if this is wanted, set replicationConfig.factor to {planned} in its schema"
                )),
            );
        }
        let unseen = self.survey.unseen_members();
        let absent: Vec<&str> = by_name
            .map_or(&unseen, |it| &it.planned)
            .iter()
            .map(String::as_str)
            .filter(|node| !holders.contains_key(node))
            .collect();
        let (hidden, lost): (Vec<&str>, Vec<&str>) =
            absent.into_iter().partition(|node| unseen.contains(*node));
        let short = planned.saturating_sub(holders.len());
        for node in hidden.iter().take(short) {
            issues.push(
                Issue::unknown(
                    IssueCode::ReplicaUnknown,
                    format!("the replica of shard {shard} on {node} can't be seen"),
                )
                .of(class)
                .shard(shard)
                .at(node)
                .remedy("start the node again, and run this once more"),
            );
        }
        // That a node without the class holds none of its replicas is told already.
        let lacking = self.survey.answered().count() - self.survey.nodes_with_class(class).len();
        if short > hidden.len() + lacking {
            issues.push(self.lost(class, shard, (holders.len(), planned), &lost));
        }
    }

    fn too_few(
        &self,
        class: &str,
        shard: &str,
        holders: &Holders<'_>,
        planned: usize,
        promised: u64,
    ) -> Issue {
        let on: Vec<&str> = holders.keys().copied().collect();
        Issue::problem(
            IssueCode::TooFewReplicas,
            format!(
                "shard {shard} has {} planned, and {class} promises {promised}: it is on {}",
                count(planned, "replica"),
                on.join(", ")
            ),
        )
        .of(class)
        .shard(shard)
        .remedy(self.unless_apart(self.commands.raise(
            class,
            promised,
            self.data_count(class),
        )))
    }

    /// Returns the issue for replicas that nodes which answer do not hold. `lost`: which nodes, where
    /// the plan was read.
    fn lost(
        &self,
        class: &str,
        shard: &str,
        (held, planned): (usize, usize),
        lost: &[&str],
    ) -> Issue {
        let not_by =
            if lost.is_empty() { String::new() } else { format!(": not by {}", lost.join(", ")) };
        let mut issue = Issue::problem(
            IssueCode::ReplicaMissing,
            format!("shard {shard} is held by {held} of the {planned} nodes that should{not_by}"),
        )
        .of(class)
        .shard(shard)
        .remedy(self.unless_apart(format!(
            "restart the node that lacks it, and read its log if that does not help; a class \
             without objects can be created anew: {}",
            self.commands.run("config-replication", &[("class", class)])
        )));
        issue.node = lost.first().map(|node| (*node).to_owned());
        issue
    }
}
