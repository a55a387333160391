//! What is wrong with the shards of one class: those that nobody shows, and states that keep one
//! from being used.

use std::collections::BTreeSet;

use super::health::Look;
use super::holdings::Shards;
use crate::issue::{Issue, IssueCode};
use crate::text::count;

impl Look<'_> {
    pub(super) fn judge_shards(&self, class: &str, promised: u64, issues: &mut Vec<Issue>) {
        let shards = self.holdings.of(class);
        self.judge_missing_shards(class, shards, issues);
        for (shard, holders) in shards {
            self.judge_replicas(class, shard, holders, promised, issues);
            let in_state = |wanted: &dyn Fn(&str) -> bool| -> Vec<&str> {
                holders
                    .iter()
                    .filter(|(_, r)| r.vector_indexing_status.as_deref().is_some_and(wanted))
                    .map(|(node, _)| *node)
                    .collect()
            };
            let read_only = in_state(&|status| status == "READONLY");
            if let Some(first) = read_only.first() {
                let path = format!("/v1/schema/{class}/shards/{shard}");
                let ready = Some("{\"status\":\"READY\"}");
                issues.push(
                    Issue::problem(
                        IssueCode::ShardReadOnly,
                        format!("shard {shard} takes no writes on {}", read_only.join(", ")),
                    )
                    .of(class)
                    .at(first)
                    .shard(shard)
                    .remedy(format!(
                        "a disk that is nearly full does this, an operator, or a run of this program \
                         that died: `elysia-runbook runs` lists them. When the cause is \
                         gone: {}",
                        self.commands.curl("PUT", self.url, &path, ready)
                    )),
                );
            }
            let not_ready = in_state(&|status| {
                !matches!(status, "READONLY" | "READY" | "INDEXING" | "LAZY_LOADING")
            });
            if let Some(first) = not_ready.first() {
                issues.push(
                    Issue::problem(
                        IssueCode::ShardNotReady,
                        format!("shard {shard} is not ready on {}", not_ready.join(", ")),
                    )
                    .of(class)
                    .at(first)
                    .shard(shard)
                    .remedy("wait until it is loaded; if it stays, read the log of the node"),
                );
            }
        }
    }

    /// Shards that nobody shows: by the plan where it is known, else by their number.
    fn judge_missing_shards(&self, class: &str, shards: &Shards<'_>, issues: &mut Vec<Issue>) {
        if let Some(plan) = self.plans.get(class).filter(|plan| plan.planned_known) {
            let missing = plan.shards.iter().filter(|shard| {
                !shards.contains_key(shard.shard.as_str()) && !self.is_inactive(class, &shard.shard)
            });
            for shard in missing {
                let places = shard.planned.iter().map(String::as_str).collect();
                let issue = self.missing(class, &format!("shard {}", shard.shard), &places);
                issues.push(issue.shard(&shard.shard));
            }
        } else if !self.survey.is_multi_tenant(class) {
            let promised = self.survey.definition(class).map_or(0, promised_shards);
            let missing = promised.saturating_sub(shards.len());
            if missing > 0 {
                let what = format!("{missing} of {}", count(promised, "shard"));
                issues.push(self.missing(class, &what, &BTreeSet::new()));
            }
        }
    }

    /// Returns the issue for shards that nobody shows. `places`: the nodes that should hold them,
    /// by RAFT name; empty where these are not known.
    fn missing(&self, class: &str, what: &str, places: &BTreeSet<&str>) -> Issue {
        let unseen = self.survey.unseen_members();
        let hidden: Vec<&str> = unseen
            .iter()
            .map(String::as_str)
            .filter(|node| places.is_empty() || places.contains(node))
            .collect();
        let silent = self.survey.silent().next().is_some();
        if hidden.is_empty() && !(silent && places.is_empty()) {
            return Issue::problem(
                IssueCode::ShardMissing,
                format!("no node holds {what} of {class}"),
            )
            .of(class)
            .remedy(self.unless_apart(
                "do not delete anything. If a node was replaced or its disk was, bring the old one \
                 back; else restore the objects from a backup"
                    .into(),
            ));
        }
        let place = if hidden.is_empty() {
            "it may be where no answer comes from".into()
        } else {
            format!("it may be on {}", hidden.join(", "))
        };
        let mut issue = Issue::unknown(
            IssueCode::ShardUnknown,
            format!("no node that answers holds {what} of {class}; {place}"),
        )
        .of(class)
        .remedy("start the node again: its objects are counted by nobody until then");
        issue.node = hidden.first().map(|node| (*node).to_owned());
        issue
    }
}

/// Returns how many shards a class without tenants has.
fn promised_shards(definition: &serde_json::Value) -> usize {
    let config = &definition["shardingConfig"];
    let number = config["actualCount"].as_u64().or_else(|| config["desiredCount"].as_u64());
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}
