//! Looking at the whole cluster, or at one class, and judging what is seen.
//!
//! What was changed a moment ago looks wrong until every node has it: whatever is
//! found is looked at a second time, and counts only if it is still there.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Session;
use crate::error::{Failure, Halt};
use crate::event::Event;
use crate::issue::{Issue, IssueCode, Severity};
use crate::survey::{
    ClassStatus, Comparison, Difference, Findings, Health, RaftStatus, Sample, Survey, compare,
};
use crate::text::count;

/// How long is waited before the second look: a class reaches every node within half a second.
const SECOND_LOOK: Duration = Duration::from_millis(700);

impl Session {
    /// Judges the whole cluster and every class. `quick`: without counting objects and without
    /// looking for replica movements.
    ///
    /// # Errors
    ///
    /// No node answers.
    pub fn health(&self, quick: bool) -> Result<Health, Halt> {
        let first = self.health_now(quick)?;
        let classes = first.classes.iter().flat_map(|class| &class.issues);
        if !first.issues.iter().chain(classes).any(may_pass) || self.someone_is_silent() {
            return Ok(first);
        }
        self.wait(SECOND_LOOK)?;
        let mut second = self.health_now(quick)?;
        retain(&mut second.issues, &first.issues);
        for class in &mut second.classes {
            let before = first.classes.iter().find(|before| before.name == class.name);
            class.keep_issues(before.map_or(&[], |before| &before.issues));
        }
        Ok(second)
    }

    /// Returns what is known of RAFT. What speaks against a change is looked at a second time.
    ///
    /// # Errors
    ///
    /// No node answers.
    pub fn raft(&self) -> Result<RaftStatus, Halt> {
        let first = self.look()?.raft(&self.commands);
        if !first.issues.iter().any(may_pass) || self.someone_is_silent() {
            return Ok(first);
        }
        self.wait(SECOND_LOOK)?;
        let mut second = self.look()?.raft(&self.commands);
        retain(&mut second.issues, &first.issues);
        second.agreed = second.issues.is_empty();
        if second.agreed {
            // What was seen only now is on its way.
            (second.way_out, second.no_way_out) = (None, None);
        }
        Ok(second)
    }

    /// Judges one class, its plan, its tenants and the number of its objects too.
    ///
    /// # Errors
    ///
    /// No node answers, or a name that no class has.
    pub fn collection_status(&self, class: &str) -> Result<ClassStatus, Halt> {
        super::read::check_class_name(class)?;
        let first = self.class_now(class)?;
        if !first.issues.iter().any(may_pass) || self.someone_is_silent() {
            return Ok(first);
        }
        self.wait(SECOND_LOOK)?;
        let mut second = self.class_now(class)?;
        second.keep_issues(&first.issues);
        Ok(second)
    }

    /// Compares the objects of a class on every replica. Returns how many, and an issue for each
    /// that differs.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such class; no node answers.
    pub fn compare_replicas(&self, class: &str, sample: Sample) -> Result<(u64, Vec<Issue>), Halt> {
        let tenants = self.tenants(class)?;
        let survey = self.look()?;
        let found = self.read(async |cluster| {
            let tenants = tenants.as_deref();
            Ok::<_, Failure>(compare(cluster, &survey, class, tenants, sample).await)
        })?;
        Ok((found.objects, self.issues_of(&survey, class, &found)))
    }

    /// Tells what comparing came to.
    pub(super) fn issues_of(&self, survey: &Survey, class: &str, found: &Comparison) -> Vec<Issue> {
        let mut issues: Vec<Issue> =
            found.differences.iter().map(|it| self.difference(survey, class, it)).collect();
        if found.more > 0 {
            let text = format!("{} more objects may differ between replicas", found.more);
            issues.push(Issue::problem(IssueCode::ObjectsDiffer, text).of(class));
        }
        if found.inactive > 0 {
            let tenants = count(found.inactive, "tenant");
            let text = format!("not compared: what {tenants} hold that are not active");
            issues.push(Issue::note(IssueCode::TenantsInactive, text).of(class));
        }
        for what in &found.unknown {
            let text = format!("not compared: {what}");
            issues.push(Issue::unknown(IssueCode::ObjectsUnknown, text).of(class));
        }
        issues
    }

    fn difference(&self, survey: &Survey, class: &str, it: &Difference) -> Issue {
        let each: Vec<_> =
            it.replicas.iter().map(|(node, what)| format!("{node}: {what}")).collect();
        let tenant = it.tenant.as_ref().map_or_else(String::new, |t| format!(" of tenant {t}"));
        let shards: Vec<_> = it.shards.iter().map(String::as_str).collect();
        let within = match shards[..] {
            [] => String::new(),
            [shard] => format!(" in shard {shard}"),
            _ => format!(" in one of the shards {}", shards.join(", ")),
        };
        let query = it.tenant.as_ref().map_or_else(String::new, |t| format!("&tenant={t}"));
        let path = format!("/v1/objects/{class}/{}?consistency_level=ALL{query}", it.id);
        let mut issue = Issue::problem(
            IssueCode::ObjectsDiffer,
            format!("object {}{tenant}{within} differs: {}", it.id, each.join(", ")),
        )
        .of(class)
        .remedy(format!(
            "reading it from all replicas makes the server repair it, the newest wins: {}",
            self.commands.curl("GET", self.an_address(survey), &path, None)
        ));
        issue.node =
            it.replicas.iter().find(|(_, what)| *what != "there").map(|(node, _)| node.clone());
        issue.shard = (shards.len() == 1).then(|| shards[0].to_owned());
        issue
    }

    /// Returns what gives a class another factor: created anew where it is empty, else in place.
    /// Where nodes were seen to have come apart: the way out of that, which comes first.
    pub fn factor_command(&self, class: &str, factor: i64, objects: Option<u64>) -> String {
        if self.apart.get() {
            return self.commands.way_out();
        }
        self.commands.raise(class, u64::try_from(factor).unwrap_or(1), objects)
    }

    /// Records something that was found.
    ///
    /// # Errors
    ///
    /// The journal can't be written.
    pub fn report(&self, issue: Issue) -> Result<(), Halt> {
        self.say(&Event::Issue(issue))
    }

    fn health_now(&self, quick: bool) -> Result<Health, Halt> {
        let survey = self.look()?;
        self.apart.set(survey.agreement(&BTreeSet::new()).came_apart());
        let found = self.read(async |cluster| {
            Ok::<_, Failure>(Findings::of_all(cluster, &survey, quick).await)
        })?;
        Ok(found.health(&survey, &self.commands, self.an_address(&survey)))
    }

    fn class_now(&self, class: &str) -> Result<ClassStatus, Halt> {
        let survey = self.look()?;
        self.apart.set(survey.agreement(&BTreeSet::new()).came_apart());
        let found = self.read(async |cluster| {
            Ok::<_, Failure>(Findings::of_class(cluster, &survey, class).await)
        })?;
        Ok(found.class(&survey, &self.commands, self.an_address(&survey), class))
    }

    /// A node that hangs costs its timeout once, so there is no second look.
    fn someone_is_silent(&self) -> bool {
        !self.silent.borrow().is_empty()
    }

    /// Returns the address of a node that answers, for commands.
    pub(super) fn an_address(&self, survey: &Survey) -> &str {
        let nodes = self.cluster.nodes();
        let answers = nodes.iter().zip(&survey.nodes).find(|(_, seen)| seen.view.is_ok());
        answers.map_or(nodes[0].url(), |(node, _)| node.url())
    }
}

impl ClassStatus {
    fn keep_issues(&mut self, before: &[Issue]) {
        let found = self.issues.len();
        retain(&mut self.issues, before);
        let gravest = self.issues.iter().map(|issue| issue.severity).min();
        if self.issues.len() < found && gravest.is_none_or(|severity| severity == Severity::Note) {
            let known = self.exists.is_some() && (self.data_count.is_some() || !self.multi_tenant);
            self.consistent = known.then_some(true);
        }
    }
}

fn retain(issues: &mut Vec<Issue>, before: &[Issue]) {
    issues.retain(|issue| !may_pass(issue) || before.iter().any(|it| it.is_same(issue)));
}

/// Tells whether this is what a change that was just made looks like for a moment. Counts were
/// taken several times already.
fn may_pass(issue: &Issue) -> bool {
    use IssueCode::{CountsDiffer, MovementStuck, NodeSilent, NodesNamed, NotReadWrite};
    use IssueCode::{ShardReadOnly, TooManyReplicas, VersionsDiffer};
    issue.severity != Severity::Note
        && !matches!(
            issue.code,
            CountsDiffer
                | MovementStuck
                | NodeSilent
                | NodesNamed
                | NotReadWrite
                | ShardReadOnly
                | TooManyReplicas
                | VersionsDiffer
        )
}
