//! The change door. In this order: guard, question, backup, proof, record, send
//! once, look up what is unclear, record, wait until every node has it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value;

use super::definition::fulfils;
use super::guard::Held;
use super::read::check_class_name;
use super::send::came_back;
use super::{Session, definition};
use crate::change::Change;
use crate::error::{Code, Failure, Halt, Stop};
use crate::event::Event;
use crate::survey::Survey;
use crate::weaviate::{Class, Error, Tenant};

impl Session {
    /// Creates a class and waits until every node's own schema has it. A node that does not show
    /// it in time becomes a check that did not pass.
    ///
    /// # Errors
    ///
    /// `conflict` where there is such a class, or where another one appeared meanwhile;
    /// `rejected` where the server said no; refused by the guard.
    pub fn create_class(&self, definition: &Value) -> Result<(), Halt> {
        let class = definition["class"].as_str().unwrap_or_default();
        self.remember(class, self.create(definition))
    }

    fn create(&self, definition: &Value) -> Result<(), Halt> {
        let class = definition["class"].as_str().ok_or_else(|| {
            Failure::new(Code::Invalid, "a class definition needs a `class` with its name")
        })?;
        check_class_name(class)?;
        self.wait_for_writers(class)?;
        let survey = self.prepare(class, &|| format!("create class {class}"))?;
        if let Some(found) = self.class(class)? {
            if self.is_made_already(class, definition, &found.value) {
                self.say(&Event::Note { text: format!("class {class} is created already") })?;
                return self.settle_created(class, &found.value, &survey);
            }
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
        // Whose it is that is there already: it was not a moment ago, and ours was not sent before.
        let theirs = Cell::new(false);
        let made = self.send(
            &change,
            &survey,
            async |node| {
                let made = node.create_class(&postable).await;
                theirs.set(made.as_ref().is_err_and(Error::is_taken));
                made
            },
            || match self.look_up_created(class, &postable)? {
                true if theirs.get() => Err(came_back(class).into()),
                made => Ok(made),
            },
        );
        let conflict =
            matches!(&made, Err(Halt::Failure(failure)) if failure.code == Code::Conflict);
        if was_not_made(&made) || conflict {
            // What is there now, if anything, is not ours to delete.
            self.state.borrow_mut().created.remove(class);
        }
        made?;
        let silent = self.silent.borrow().clone();
        self.state.borrow_mut().made.insert(class.into(), (Instant::now(), silent));
        // What the server made of the definition is what this run created: it corrects some values.
        let now = self.class(class)?.map_or(postable, |found| found.value);
        self.state.borrow_mut().created.insert(class.into(), now.clone());
        self.say(&Event::ClassMade { class: class.into(), definition: now.clone() })?;
        self.settle_created(class, &now, &survey)
    }

    /// Deletes a class that holds no object, or of which this run exported every one, and waits until
    /// every node's own schema lost it. Returns `false` where there was none.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `rejected`; `unverifiable` where a node does not show that it lost
    /// it; `conflict` where it came back.
    pub fn delete_class(&self, class: &str) -> Result<bool, Halt> {
        self.remember(class, self.delete(class))
    }

    fn delete(&self, class: &str) -> Result<bool, Halt> {
        check_class_name(class)?;
        let survey =
            self.prepare(class, &|| format!("pause writes to class {class} and delete it"))?;
        let Some(found) = self.class(class)? else {
            let before = {
                let state = self.state.borrow();
                state.resumed && state.deleted.contains_key(class)
            };
            let text = if before {
                format!("class {class} is deleted already")
            } else {
                format!("there is no class {class}: nothing to delete")
            };
            self.say(&Event::Note { text })?;
            return Ok(before);
        };
        self.refuse_if_changed(class, &found)?;
        let ours = self.refuse_if_not_ours(class, &found)?;
        let tenants = self.tenants_of(class, &found.value)?;
        let mut backup = self.back_up(class, &found, tenants.as_deref())?;
        let (survey, held) = self.secure(&found, survey, tenants.as_deref())?;
        backup.was_empty = held == Held::Nothing;
        if held == Held::Exported {
            backup.export = self.state.borrow().exported.get(class).cloned();
        }
        if !ours {
            self.state.borrow_mut().deleted.entry(class.into()).or_insert(backup);
        }
        let known = !self.is_a_moment_old(class, &survey);
        let change = Change::DeleteClass {
            class: class.into(),
            empty: held == Held::Nothing,
            exported: held == Held::Exported,
        };
        let sent = self.send(
            &change,
            &survey,
            async |node| node.delete_class(class).await,
            || self.look_up_deleted(class),
        );
        let not_made = was_not_made(&sent);
        if not_made {
            if !ours {
                self.state.borrow_mut().deleted.remove(class);
            }
            self.allow_writes_now(class);
            self.warn_of_changes(&found);
        }
        let settled = sent.and_then(|()| {
            self.state.borrow_mut().created.remove(class);
            self.are_gone_with(class);
            self.settle_deleted(class, &survey)
        });
        if known && !not_made {
            // From when the last node lost it, or was seen not to.
            self.state.borrow_mut().draining.insert(class.into(), Instant::now());
        }
        settled?;
        // Not before it was seen to be gone: a server can answer 200 and delete nothing.
        self.state.borrow_mut().paused.remove(class);
        Ok(true)
    }

    /// Proves that nothing is lost with a class: that it holds no object, or that every one is exported;
    /// then once more while nobody can write to it. Returns the newer survey, and what the class holds.
    /// Where it can't be proven, writes are allowed as before.
    fn secure(
        &self,
        found: &Class,
        survey: Rc<Survey>,
        tenants: Option<&[Tenant]>,
    ) -> Result<(Rc<Survey>, Held), Halt> {
        let class = found.value["class"].as_str().unwrap_or_default();
        // A class with objects is refused before its writers notice anything.
        let held = self.guard_objects(class, &survey, tenants)?;
        // Nobody knows the name of a class that was made a moment ago.
        if held == Held::GivenUp || self.is_a_moment_old(class, &survey) {
            return Ok((survey, held));
        }
        let proven = self.pause_writes(class, survey).and_then(|survey| {
            self.refuse_if_other_now(found, tenants)?;
            let held = self.guard_objects(class, &survey, tenants)?;
            if held != Held::Exported {
                return Ok((survey, held));
            }
            self.sweep_late(found, &survey, tenants).map(|survey| (survey, held))
        });
        if proven.is_err() {
            self.allow_writes_now(class);
            self.warn_of_changes(found);
        }
        proven
    }

    /// Refuses where the definition or the tenants are not as they were saved.
    pub(super) fn refuse_if_other_now(
        &self,
        found: &Class,
        tenants: Option<&[Tenant]>,
    ) -> Result<(), Halt> {
        let class = found.value["class"].as_str().unwrap_or_default();
        let now = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        let what = if now.value != found.value {
            "definition"
        } else if self.tenants_of(class, &now.value)?.as_deref() != tenants {
            "tenants"
        } else {
            return Ok(());
        };
        let message = format!("the {what} of `{class}` changed meanwhile");
        Err(Failure::new(Code::Conflict, message).hint("run it again").into())
    }

    /// Warns of properties that a writer added while writes were paused: the server adds them to the
    /// schema although it refuses the object, and makes no index for them.
    fn warn_of_changes(&self, found: &Class) {
        let class = found.value["class"].as_str().unwrap_or_default();
        let Ok(Some(now)) = self.undisturbed(|| self.class(class)) else { return };
        let name = |property: &Value| property["name"].as_str().map(str::to_owned);
        let names = |definition: &Value| -> BTreeSet<String> {
            definition["properties"].as_array().into_iter().flatten().filter_map(name).collect()
        };
        let new: Vec<String> =
            names(&now.value).difference(&names(&found.value)).cloned().collect();
        if !new.is_empty() {
            self.warn(&format!(
                "while writes to {class} were paused, somebody added {}: the servers may have made no \
                 index for it, and refuse objects with it then (`no bucket for prop`)",
                new.join(", ")
            ));
        }
    }

    /// Tells whether a class is there because this run created it just so before it was resumed.
    fn is_made_already(&self, class: &str, asked: &Value, found: &Value) -> bool {
        self.state.borrow_mut().made_before.remove(class) && fulfils(found, asked)
    }

    /// Adds tenants to a class, those that it lacks.
    ///
    /// # Errors
    ///
    /// `not_found` for the class; `rejected`; refused by the guard.
    pub fn create_tenants(&self, class: &str, tenants: &[Tenant]) -> Result<(), Halt> {
        self.remember(class, self.add_tenants(class, tenants))
    }

    pub(super) fn add_tenants(&self, class: &str, tenants: &[Tenant]) -> Result<(), Halt> {
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

    /// Remembers a change that failed until one of the same class is made.
    pub(super) fn remember<T>(&self, class: &str, made: Result<T, Halt>) -> Result<T, Halt> {
        let mut state = self.state.borrow_mut();
        match &made {
            Ok(_) => drop(state.unmade.remove(class)),
            Err(halt) => drop(state.unmade.insert(class.into(), halt.to_string())),
        }
        drop(state);
        made
    }

    /// Everything before a change: signals, an earlier stop, the guard, the operator.
    pub(super) fn prepare(
        &self,
        class: &str,
        what: &dyn Fn() -> String,
    ) -> Result<Rc<Survey>, Halt> {
        self.check_interrupt()?;
        let (restoring, approved) = {
            let state = self.state.borrow();
            (state.restoring, state.approved)
        };
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
        let restoring = self.is_restoring();
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
}

/// Tells whether the cluster shows that a change was not made.
pub(super) fn was_not_made(sent: &Result<(), Halt>) -> bool {
    use Code::{Denied, Rejected};
    matches!(sent, Err(Halt::Failure(Failure { code: Rejected | Denied, .. })))
}
