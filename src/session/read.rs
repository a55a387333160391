//! The questions a script can ask of the cluster.

use std::time::Instant;

use serde_json::Value;

use super::{Session, definition};
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::{self, Replicas, Survey};
use crate::weaviate::{Class, Error, Node, Tenant};

impl Session {
    /// Returns a class as the RAFT leader has it.
    ///
    /// # Errors
    ///
    /// `not_found` where it has none.
    pub fn get_schema(&self, class: &str) -> Result<Value, Halt> {
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        // Deleting it later is refused if somebody changed it since.
        let definition = found.value.clone();
        self.say(&Event::ClassRead { class: class.into(), definition: definition.clone() })?;
        self.state.borrow_mut().read.insert(class.into(), definition);
        Ok(found.value)
    }

    /// Tells whether the RAFT leader has the class.
    ///
    /// # Errors
    ///
    /// It could not be found out.
    pub fn class_exists(&self, class: &str) -> Result<bool, Halt> {
        self.class(class).map(|class| class.is_some())
    }

    /// Returns the names of all classes that the RAFT leader has.
    ///
    /// # Errors
    ///
    /// It could not be found out.
    pub fn list_classes(&self) -> Result<Vec<String>, Halt> {
        let classes = self.read_from_any(async |node| node.classes(false).await)?;
        Ok(classes.iter().filter_map(|class| class["class"].as_str().map(Into::into)).collect())
    }

    /// Returns the tenants of a class; `None` for a class without multi-tenancy.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such class.
    pub fn tenants(&self, class: &str) -> Result<Option<Vec<Tenant>>, Halt> {
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        self.tenants_of(class, &found.value)
    }

    pub(super) fn tenants_of(
        &self,
        class: &str,
        definition: &Value,
    ) -> Result<Option<Vec<Tenant>>, Halt> {
        if !definition::is_multi_tenant(definition) {
            return Ok(None);
        }
        self.read_from_any(async |node| node.tenants(class).await).map(Some)
    }

    /// Returns the number of objects, when every shard could be counted.
    ///
    /// # Errors
    ///
    /// `unverifiable` with every reason; `not_found` where there is no such class.
    pub fn count(&self, class: &str) -> Result<u64, Halt> {
        let tenants = self.tenants(class)?;
        let survey = self.look()?;
        if survey.leader().is_none() {
            let reasons: Vec<_> = survey
                .agreement(&self.repairing(class))
                .problems
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(Failure::new(
                Code::Unverifiable,
                format!("the objects of `{class}` could not be counted: {}", reasons.join("; ")),
            )
            .into());
        }
        self.read(async |cluster| {
            let replicas = Replicas::find(cluster, &survey, class).await?;
            survey::count(cluster, &survey, &replicas, class, tenants.as_deref()).await
        })
    }

    /// Tells whether this node's own schema has the class.
    ///
    /// # Errors
    ///
    /// `unreachable` where it does not answer; `invalid` for a node that was not named.
    pub fn node_has_class(&self, node: &str, class: &str) -> Result<bool, Halt> {
        check_class_name(class)?;
        self.check_node_name(node)?;
        self.read(async |cluster| match cluster.node(node) {
            Some(node) => node.own_class(class).await.map(|found| found.is_some()),
            None => Ok(false),
        })
    }

    /// Returns the command with which a person can delete a class.
    ///
    /// # Errors
    ///
    /// `invalid` for a name that no class can have.
    pub fn delete_command(&self, class: &str) -> Result<String, Halt> {
        check_class_name(class)?;
        Ok(self.curl("DELETE", &format!("/v1/schema/{class}"), None))
    }

    /// Fails for a node that was not named.
    pub(super) fn check_node_name(&self, node: &str) -> Result<(), Failure> {
        if self.cluster.node(node).is_some() {
            return Ok(());
        }
        let names = self.node_names().join(", ");
        let message = format!("`{node}` is no node of this cluster; there is {names}");
        Err(Failure::new(Code::Invalid, message))
    }

    /// Returns where the replicas of every shard are.
    ///
    /// # Errors
    ///
    /// `not_found` where there is no such class, or it could not be found out.
    pub fn replicas(&self, class: &str) -> Result<Replicas, Halt> {
        let survey = self.look()?;
        self.replicas_in(&survey, class)
    }

    pub(super) fn replicas_in(&self, survey: &Survey, class: &str) -> Result<Replicas, Halt> {
        let tenants = self.tenants(class)?;
        let mut replicas =
            self.read(async |cluster| Replicas::find(cluster, survey, class).await)?;
        replicas.mark_inactive(&tenants.unwrap_or_default());
        Ok(replicas)
    }

    /// Waits until every shard is on `factor` nodes; tells whether it came to that in time. A node
    /// has a new class in its schema a moment before it has its shards.
    ///
    /// # Errors
    ///
    /// As for [`Self::replicas`].
    pub fn wait_for_replicas(&self, class: &str, factor: usize) -> Result<bool, Halt> {
        let began = Instant::now();
        let deadline = began + self.cluster.answer_timeout() * 3;
        loop {
            let reached = self.replicas(class)?.reach(factor);
            if reached || Instant::now() >= deadline {
                return Ok(reached);
            }
            self.wait_between_looks(began)?;
        }
    }

    /// Records on how many of all nodes a class is replicated; a claim of more than can be seen is
    /// not recorded. With `detail` only the nodes' own schemas are looked at, not every shard.
    ///
    /// # Errors
    ///
    /// `conflict` where fewer nodes can be seen to have it, `invalid` for another number of nodes.
    pub fn tally(&self, class: &str, count: usize, total: usize, detail: &str) -> Result<(), Halt> {
        check_class_name(class)?;
        let survey = self.look()?;
        if total != survey.nodes.len() {
            let message = format!("there are {} nodes, not {total}", survey.nodes.len());
            return Err(Failure::new(Code::Invalid, message).into());
        }
        let mut seen = survey.nodes_with_class(class).len();
        if seen > 0 && detail.is_empty() {
            let replicas = self.replicas_in(&survey, class)?;
            seen = replicas.shards.iter().map(|s| s.known().len()).fold(seen, usize::min);
        }
        if count > seen {
            let message = format!("`{class}` can be seen on {seen}/{total} nodes, not on {count}");
            return Err(Failure::new(Code::Conflict, message)
                .hint("a tally can't claim more than the cluster shows")
                .into());
        }
        let (subject, detail) = (class.to_owned(), detail.to_owned());
        self.say(&Event::Tally { subject, count, total, detail })
    }

    /// Reads a class through the leader, from the first node that answers.
    pub(super) fn class(&self, class: &str) -> Result<Option<Class>, Halt> {
        check_class_name(class)?;
        let found = self.read_from_any(async |node| node.class(class).await)?;
        match found.as_ref().and_then(|found| found.value["class"].as_str()) {
            Some(name) if name != class => Err(Failure::new(
                Code::Invalid,
                format!("`{class}` is an alias of `{name}`, and no class"),
            )
            .hint("name the class itself")
            .into()),
            _ => Ok(found),
        }
    }

    /// Asks the nodes one after the other until one answers; those that did not answer last time
    /// come last, so that a node that hangs costs its timeout once and not at every question.
    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    pub(super) fn read_from_any<T>(
        &self,
        question: impl AsyncFn(&Node) -> Result<T, Error>,
    ) -> Result<T, Halt> {
        let silent = self.silent.borrow().clone();
        let answer = self.read(async |cluster| {
            let (last, first): (Vec<_>, Vec<_>) =
                cluster.nodes().iter().partition(|node| silent.contains(node.name()));
            let mut failed = vec![];
            for node in first.into_iter().chain(last) {
                match question(node).await {
                    // An answer that says no is an answer.
                    Err(error) if error.status().is_none_or(|status| status >= 500) => {
                        failed.push(error);
                    }
                    other => return Ok((other, failed)),
                }
            }
            let first = failed.first().cloned();
            Ok::<_, Error>((Err(first.expect("a cluster has nodes")), failed))
        });
        let (answer, failed) = answer?;
        let unheard = failed.into_iter().filter(|error| error.status().is_none());
        self.silent.borrow_mut().extend(unheard.map(|error| error.node));
        answer.map_err(|error| Halt::Failure(error.into()))
    }

    pub(super) fn not_found(&self, class: &str) -> Failure {
        let missing = Failure::new(Code::NotFound, format!("there is no class `{class}`"));
        let names = self.list_classes().unwrap_or_default();
        let near =
            names.iter().filter(|name| strsim::jaro_winkler(name, class) > 0.85).max_by(|a, b| {
                strsim::jaro_winkler(a, class).total_cmp(&strsim::jaro_winkler(b, class))
            });
        match near {
            Some(near) => missing.hint(format!("did you mean `{near}`?")),
            None => missing.hint(format!(
                "if it was there before, it can be created again from a backup: {}",
                self.curl("POST", "/v1/schema", Some(&format!("@{class}.schema.json")))
            )),
        }
    }
}

/// Fails for a name that no class can have.
pub(super) fn check_class_name(class: &str) -> Result<(), Failure> {
    if definition::is_class_name(class) {
        return Ok(());
    }
    let failure = Failure::new(Code::Invalid, format!("`{class}` is not a class name"));
    let mut capital = class.to_owned();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Err(if definition::is_class_name(&capital) {
        failure.hint(format!("class names start with a capital letter: `{capital}`"))
    } else {
        failure.hint("a class name is a capital letter followed by letters, digits and underscores")
    })
}
