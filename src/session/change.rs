//! The change door. In this order: guard, question, backup, proof, record, send
//! once, look up what is unclear, record, wait until every node has it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use super::definition::{fulfils, same};
use super::read::check_class_name;
use super::{Session, definition};
use crate::error::{Code, Failure, Halt, Stop};
use crate::event::{Change, Event, Outcome};
use crate::survey::Survey;
use crate::weaviate::{Class, Error, Node, Tenant, What};

/// How many times longer than for an answer is waited until every node shows a change in its own
/// schema.
const SETTLING: u32 = 3;

impl Session {
    /// Creates a class and waits until every node's own schema has it. A node that does not show
    /// it in time becomes a check that did not pass.
    ///
    /// # Errors
    ///
    /// `conflict` where there is such a class, or where another one appeared meanwhile;
    /// `rejected` where the server said no; refused by the guard.
    pub fn create_class(&self, definition: &Value) -> Result<(), Halt> {
        let class = definition["class"].as_str().ok_or_else(|| {
            Failure::new(Code::Invalid, "a class definition needs a `class` with its name")
        })?;
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("create class {class}"))?;
        if self.class(class)?.is_some() {
            return Err(Failure::new(
                Code::Conflict,
                format!("there is a class `{class}` already"),
            )
            .hint(
                "if it came back by itself, a writer made it through auto-schema: stop the writer",
            )
            .into());
        }
        let postable = definition::postable(definition);
        let change = Change::CreateClass { class: class.into(), definition: postable.clone() };
        self.state.borrow_mut().created.insert(class.into(), postable.clone());
        let made = self.send(
            &change,
            &survey,
            async |node| node.create_class(&postable).await,
            || self.look_up_created(class, &postable),
        );
        let conflict =
            matches!(&made, Err(Halt::Failure(failure)) if failure.code == Code::Conflict);
        if was_not_made(&made) || conflict {
            // What is there now, if anything, is not ours to delete.
            self.state.borrow_mut().created.remove(class);
        }
        made?;
        self.settle_created(class, &postable, &survey)
    }

    /// Deletes a class that holds no object, and waits until every node's own schema lost it.
    /// Returns `false` where there was none.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `rejected`; `unverifiable` where a node does not show that it lost
    /// it; `conflict` where it came back.
    pub fn delete_class(&self, class: &str) -> Result<bool, Halt> {
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("delete class {class}"))?;
        let Some(found) = self.class(class)? else {
            self.say(&Event::Note {
                text: format!("there is no class {class}: nothing to delete"),
            })?;
            return Ok(false);
        };
        self.refuse_if_changed(class, &found)?;
        let ours = self.refuse_if_not_ours(class, &found)?;
        let tenants = self.tenants_of(class, &found.value)?;
        let backup = self.back_up(class, &found, tenants.as_deref())?;
        // The proof comes last, so that the time in which somebody can write is shortest.
        self.guard_objects(class, &survey, tenants.as_deref())?;
        if !ours {
            self.state.borrow_mut().deleted.entry(class.into()).or_insert(backup);
        }
        let change = Change::DeleteClass { class: class.into() };
        let sent = self.send(
            &change,
            &survey,
            async |node| node.delete_class(class).await,
            || self.look_up_deleted(class),
        );
        if was_not_made(&sent) && !ours {
            self.state.borrow_mut().deleted.remove(class);
        }
        sent?;
        self.state.borrow_mut().created.remove(class);
        self.settle_deleted(class, &survey)?;
        Ok(true)
    }

    /// Adds tenants to a class, those that it lacks.
    ///
    /// # Errors
    ///
    /// `not_found` for the class; `rejected`; refused by the guard.
    pub fn create_tenants(&self, class: &str, tenants: &[Tenant]) -> Result<(), Halt> {
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("create tenants of class {class}"))?;
        let there = self.tenants(class)?.ok_or_else(|| {
            Failure::new(
                Code::Invalid,
                format!("`{class}` has no multi-tenancy, so it has no tenants"),
            )
        })?;
        let missing: Vec<Tenant> = tenants
            .iter()
            .filter(|tenant| !there.iter().any(|t| t.name == tenant.name))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let change = Change::CreateTenants { class: class.into(), tenants: missing.clone() };
        self.send(
            &change,
            &survey,
            async |node| node.create_tenants(class, &missing).await,
            || {
                let there = self.tenants(class)?.unwrap_or_default();
                Ok(missing.iter().all(|tenant| there.iter().any(|t| t.name == tenant.name)))
            },
        )
    }

    /// Everything before a change: signals, an earlier stop, the guard, the operator.
    fn prepare(&self, class: &str, what: &dyn Fn() -> String) -> Result<Survey, Halt> {
        self.check_interrupt()?;
        let (restoring, stopped, approved) = {
            let state = self.state.borrow();
            (state.restoring, state.stopped.clone(), state.approved)
        };
        if let Some(stop) = stopped.filter(|_| !restoring) {
            return Err(stop.into());
        }
        let survey = self.guard_agreement(class)?;
        let Some(announcement) = self.announcement.as_ref().filter(|_| !approved && !restoring)
        else {
            return Ok(survey);
        };
        let question = format!("{announcement}\nFirst: {}. Go on?", what());
        if !self.ask(&question)? {
            return Err(self.stop(Stop::Refused {
                message: "the operator did not agree to change the cluster".into(),
                reasons: vec![],
                hints: vec![],
            }));
        }
        self.state.borrow_mut().approved = true;
        // Answering took time, in which the cluster may have changed.
        self.guard_agreement(class)
    }

    fn refuse_if_changed(&self, class: &str, found: &Class) -> Result<(), Halt> {
        let changed = self.state.borrow().read.get(class).is_some_and(|read| *read != found.value);
        let restoring = self.state.borrow().restoring;
        if !changed || restoring {
            return Ok(());
        }
        Err(self.stop(Stop::Refused {
            message: format!("`{class}` was changed since this run read its schema"),
            reasons: vec!["somebody, or auto-schema, changed its definition meanwhile".into()],
            hints: vec!["run it again: it starts from the definition that is there now".into()],
        }))
    }

    /// While putting things back, only what this run created may be deleted, as it created it.
    /// Returns whether this run created it.
    fn refuse_if_not_ours(&self, class: &str, found: &Class) -> Result<bool, Halt> {
        let state = self.state.borrow();
        let ours = state.created.get(class).is_some_and(|created| fulfils(&found.value, created));
        if state.restoring && !ours {
            return Err(Failure::new(
                Code::Conflict,
                format!("`{class}` is not the one that this run created, so it is not deleted"),
            )
            .into());
        }
        Ok(ours)
    }

    /// Records, sends once, finds out what became of it, records.
    fn send(
        &self,
        change: &Change,
        survey: &Survey,
        request: impl AsyncFnOnce(&Node) -> Result<(), Error>,
        look_up: impl Fn() -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        let node = self
            .cluster
            .nodes()
            .iter()
            .zip(&survey.nodes)
            .find(|(_, seen)| seen.view.is_ok())
            .map(|(node, _)| node)
            .ok_or_else(|| Failure::new(Code::Unreachable, "no node answers"))?;
        let number = self.changes.get() + 1;
        self.changes.set(number);
        self.say(&Event::ChangeIntended {
            change: number,
            action: change.clone(),
            node: node.name().into(),
            rollback: self.state.borrow().restoring,
        })?;
        // Not interruptible: a change that was sent is waited for and recorded.
        let Err(error) = self.runtime.block_on(request(node)) else {
            return self.answered(number, Outcome::Done, "");
        };
        let detail = error.to_string();
        // How long an unclear change may take to show itself before it counts as not made.
        let unclear = self.cluster.answer_timeout() / 2;
        let clear = matches!(&error.what, What::Status(status, _) if (400..500).contains(status));
        match self.look_up_until(if clear { Duration::ZERO } else { unclear }, look_up) {
            Ok(true) => self.answered(number, Outcome::FoundDone, &detail),
            Ok(false) => {
                self.answered(number, Outcome::NotDone, &detail)?;
                let mut failure = Failure::from(error);
                failure.code = match failure.code {
                    Code::Denied => Code::Denied,
                    _ => Code::Rejected,
                };
                Err(failure.into())
            }
            Err(Halt::Failure(failure)) if failure.code == Code::Conflict => {
                self.answered(number, Outcome::NotDone, &format!("{detail}; {failure}"))?;
                Err(failure.into())
            }
            Err(Halt::Failure(failure)) => {
                self.answered(number, Outcome::Unknown, &format!("{detail}; {failure}"))?;
                Err(Failure::new(
                    Code::Unverifiable,
                    format!(
                        "whether `{}` was made is not known: {detail}; {failure}",
                        change.imperative()
                    ),
                )
                .into())
            }
            Err(stop) => {
                self.answered(number, Outcome::Unknown, &detail)?;
                Err(stop)
            }
        }
    }

    fn answered(&self, change: usize, outcome: Outcome, detail: &str) -> Result<(), Halt> {
        self.say(&Event::ChangeAnswered { change, outcome, detail: detail.into() })
    }

    /// Looks until the change shows, or the time is over; unreadable is not "no".
    fn look_up_until(
        &self,
        time: Duration,
        look_up: impl Fn() -> Result<bool, Halt>,
    ) -> Result<bool, Halt> {
        let deadline = Instant::now() + time;
        loop {
            let seen = self.undisturbed(&look_up);
            let over = Instant::now() >= deadline;
            match seen {
                Ok(true) => return Ok(true),
                Err(Halt::Failure(failure)) if failure.code == Code::Conflict => {
                    return Err(failure.into());
                }
                other if over => return other,
                _ => std::thread::sleep(Duration::from_millis(250)),
            }
        }
    }

    /// Reads on although a signal came: a change is never left without its record.
    fn undisturbed<T>(&self, reading: impl Fn() -> Result<T, Halt>) -> Result<T, Halt> {
        let restoring = std::mem::replace(&mut self.state.borrow_mut().restoring, true);
        let result = reading();
        self.state.borrow_mut().restoring = restoring;
        result
    }

    fn look_up_created(&self, class: &str, asked: &Value) -> Result<bool, Halt> {
        match self.class(class)? {
            None => Ok(false),
            Some(found) if fulfils(&found.value, asked) => Ok(true),
            Some(_) => Err(came_back(class).into()),
        }
    }

    fn look_up_deleted(&self, class: &str) -> Result<bool, Halt> {
        let found = self.class(class)?;
        let state = self.state.borrow();
        match (found, state.deleted.get(class)) {
            (None, _) => Ok(true),
            (Some(found), Some(before)) if !same(&found.value, &before.definition) => {
                Err(came_back(class).into())
            }
            (Some(_), _) => Ok(false),
        }
    }

    /// Waits until every node that takes part has the class in its own schema.
    fn settle_created(&self, class: &str, asked: &Value, survey: &Survey) -> Result<(), Halt> {
        let late = self.wait_for_nodes(class, survey, |found| {
            Ok(found.is_some_and(|found| fulfils(&found.value, asked)))
        })?;
        // The leader decides: whatever is there now, is it what was asked for?
        if !self.look_up_created(class, asked)? {
            return Err(Failure::new(
                Code::Conflict,
                format!("`{class}` was created and is gone again: somebody else deleted it"),
            )
            .into());
        }
        for (node, why) in late {
            self.say(&Event::Check {
                text: format!("{node} has {class} in its own schema"),
                passed: false,
                detail: why,
            })?;
        }
        Ok(())
    }

    fn settle_deleted(&self, class: &str, survey: &Survey) -> Result<(), Halt> {
        let late = self.wait_for_nodes(class, survey, |found| Ok(found.is_none()))?;
        if self.class(class)?.is_some() {
            return Err(came_back(class).into());
        }
        if late.is_empty() {
            return Ok(());
        }
        let each: Vec<_> = late.iter().map(|(node, why)| format!("`{node}` {why}")).collect();
        Err(Failure::new(
            Code::Unverifiable,
            format!("not every node shows that it lost `{class}`: {}", each.join(", ")),
        )
        .into())
    }

    /// Asks each node for its own view until it is as wanted. Returns those that did not show it
    /// in time, each with what it showed.
    fn wait_for_nodes(
        &self,
        class: &str,
        survey: &Survey,
        wanted: impl Fn(Option<&Class>) -> Result<bool, Failure>,
    ) -> Result<Vec<(String, String)>, Halt> {
        let deadline = Instant::now() + self.cluster.answer_timeout() * SETTLING;
        // Nodes that were down before the change were accepted by the operator, or are what a
        // rollback has to live with.
        let (up, down): (Vec<_>, Vec<_>) =
            self.cluster.nodes().iter().zip(&survey.nodes).partition(|(_, seen)| seen.view.is_ok());
        for (node, _) in down {
            self.say(&Event::Warning {
                text: format!("`{}` did not answer before, so it is not waited for", node.name()),
            })?;
        }
        let mut waiting: Vec<&Node> = up.into_iter().map(|(node, _)| node).collect();
        let mut pause = Duration::from_millis(5);
        loop {
            let answers = self.read(async |_| {
                Ok::<_, Failure>(
                    join_all(
                        waiting
                            .iter()
                            .map(|node| async move { (*node, node.own_class(class).await) }),
                    )
                    .await,
                )
            })?;
            let mut late = vec![];
            for (node, answer) in answers {
                let why = match answer {
                    Ok(found) if wanted(found.as_ref())? => continue,
                    Ok(Some(_)) => "still has another one".to_owned(),
                    Ok(None) => "does not have it".to_owned(),
                    Err(error) => error.reason(),
                };
                late.push((node, why));
            }
            if late.is_empty() || Instant::now() >= deadline {
                return Ok(late
                    .into_iter()
                    .map(|(node, why)| (node.name().to_owned(), why))
                    .collect());
            }
            waiting = late.into_iter().map(|(node, _)| node).collect();
            self.wait(pause)?;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}

/// Tells whether the cluster shows that a change was not made.
fn was_not_made(sent: &Result<(), Halt>) -> bool {
    use Code::{Denied, Rejected};
    matches!(sent, Err(Halt::Failure(Failure { code: Rejected | Denied, .. })))
}

fn came_back(class: &str) -> Failure {
    Failure::new(
        Code::Conflict,
        format!("there is a class `{class}` that this run did not make: it came back meanwhile"),
    )
    .hint(
        "a writer recreated it through auto-schema; stop the writer, or set \
         AUTOSCHEMA_ENABLED=false on every node",
    )
}
