//! What is wrong with one class as a whole: its schema on the nodes, its tenants, its objects.

use super::differences;
use super::health::Look;
use super::replica_counts::Counts;
use crate::issue::{Issue, IssueCode};
use crate::text::count;

impl Look<'_> {
    pub(super) fn judge_schemas(&self, class: &str, issues: &mut Vec<Issue>) {
        let Ok(leader) = &self.survey.leader_schema else { return };
        let repair =
            || self.unless_apart(self.commands.run("config-replication", &[("class", class)]));
        let Some(definition) = leader.get(class) else {
            let nodes = self.survey.nodes_with_class(class);
            if !nodes.is_empty() {
                issues.push(
                    Issue::problem(
                        IssueCode::LeaderLacksClass,
                        format!(
                            "the RAFT leader lacks {class}, which is in the own schema of {}",
                            nodes.join(", ")
                        ),
                    )
                    .of(class)
                    .at(nodes[0])
                    .remedy(self.commands.way_out()),
                );
            }
            return;
        };
        for (node, view) in self.survey.answered() {
            let known_as = self.survey.raft_name(node).unwrap_or(node);
            match view.own_schema.get(class) {
                None => issues.push(
                    Issue::problem(
                        IssueCode::ClassMissingOnNode,
                        format!("the own schema of {node} lacks {class}"),
                    )
                    .of(class)
                    .at(known_as)
                    .remedy(repair()),
                ),
                Some(own) if own != definition => issues.push(
                    Issue::problem(
                        IssueCode::SchemaDiffers,
                        format!(
                            "the own schema of {node} has another {class} than the leader: {}",
                            differences(own, definition)
                        ),
                    )
                    .of(class)
                    .at(known_as)
                    .remedy(self.unless_apart(
                        "restart the node: it takes the schema over from the leader; if it still \
                         differs then, its RAFT log is not the leader's"
                            .into(),
                    )),
                ),
                Some(_) => {}
            }
        }
    }

    pub(super) fn judge_tenants(&self, class: &str, issues: &mut Vec<Issue>) {
        let Some(tenants) = self.tenants.get(class) else { return };
        let inactive = tenants.iter().filter(|tenant| !tenant.is_active()).count();
        if inactive > 0 {
            issues.push(
                Issue::note(
                    IssueCode::TenantsInactive,
                    format!(
                        "{inactive} of {} are not active: their replicas and objects can't be seen",
                        count(tenants.len(), "tenant")
                    ),
                )
                .of(class),
            );
        }
    }

    pub(super) fn judge_counts(
        &self,
        class: &str,
        counted: Option<&Counts>,
        issues: &mut Vec<Issue>,
    ) {
        match counted {
            Some(Counts::Differ(numbers)) => {
                let each: Vec<_> =
                    numbers.iter().map(|(node, count)| format!("{node} {count}")).collect();
                let fewest = numbers.iter().min_by_key(|(_, count)| **count);
                let node = fewest.map(|(node, _)| self.survey.raft_name(node).unwrap_or(node));
                let mut issue = Issue::problem(
                    IssueCode::CountsDiffer,
                    format!("the replicas of {class} hold different numbers: {}", each.join(", ")),
                )
                .of(class)
                .remedy(format!(
                    "see which objects: {}. Asynchronous replication brings replicas together \
                     (ASYNC_REPLICATION_DISABLED=false, and replicationConfig.asyncEnabled)",
                    self.commands.run("cluster-health", &[("class", class), ("sample", "all")])
                ));
                issue.node = node.map(Into::into);
                issues.push(issue);
            }
            // Where a node is missing, that is told already.
            Some(Counts::Unknown(why))
                if self.survey.silent().next().is_none()
                    && self.survey.unseen_members().is_empty()
                    && self.survey.nodes_with_class(class).len() == self.survey.nodes.len() =>
            {
                issues.push(
                    Issue::unknown(
                        IssueCode::CountUnknown,
                        format!("the objects of {class} could not be counted: {why}"),
                    )
                    .of(class)
                    .remedy("run it again; if it stays, read the log of the node"),
                );
            }
            Some(Counts::NotLoaded) => issues.push(
                Issue::note(
                    IssueCode::CountUnknown,
                    format!("the objects of {class} were not counted: its tenants would be loaded"),
                )
                .of(class)
                .remedy(self.commands.run("cluster-health", &[("class", class)])),
            ),
            _ => {}
        }
    }
}
