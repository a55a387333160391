//! What is left of a run in the cluster, and how a person puts it right by hand. Changes nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::same;
use super::state::Deleted;
use super::{Export, Session};
use crate::text::{count, count_objects};
use crate::weaviate::{Node, Tenant};

/// What became of putting things back.
#[derive(Debug, Clone, Default)]
pub struct Restoration {
    /// What is not as it was, one sentence each; empty: all is as it was, verified.
    pub problems: Vec<String>,
    /// Commands that put it right by hand, in order.
    pub commands: Vec<String>,
    /// What stays on purpose although a step failed.
    pub kept: Vec<String>,
    /// Classes that are back without objects that they may have held: `--accept-data-loss`.
    pub given_up: Vec<String>,
}

impl Session {
    /// Tells whether the cluster may be other than it was before the run.
    #[must_use]
    pub fn has_changed_anything(&self) -> bool {
        let state = self.state.borrow();
        let inserted = state.inserted.values().any(|known| !known.is_gone());
        inserted
            || !state.deleted.is_empty()
            || !state.created.is_empty()
            || !state.imported.is_empty()
            || !state.paused.is_empty()
            || !state.activated.is_empty()
            || !state.copying.is_empty()
            || state.copied.values().any(|copied| *copied > 0)
            || !state.factors.is_empty()
    }

    /// Returns the classes that this run deleted and did not create again, each with its backup.
    #[must_use]
    pub fn gone(&self) -> Vec<String> {
        let state = self.state.borrow();
        let gone = state.deleted.iter().filter(|(class, _)| !state.created.contains_key(*class));
        gone.map(|(class, deleted)| format!("{class} (backup: {})", deleted.postable.display()))
            .collect()
    }

    /// Tells whether the run took something from the cluster or put objects into it: that waits to be
    /// gone on with, or undone. What it only made for itself is removed where it is interrupted.
    #[must_use]
    pub fn is_half_way(&self) -> bool {
        let state = self.state.borrow();
        // The sandbox ends with the run, and so does a twin.
        self.announcement.is_some()
            && !self.is_dry_run()
            && !(state.deleted.is_empty() && state.imported.is_empty() && state.copying.is_empty())
    }

    /// Returns the commands that go on with this run, or undo it.
    #[must_use]
    pub fn ways_on(&self) -> Vec<String> {
        let run = &self.folder.run;
        ["resume", "rollback"].map(|what| format!("elysia-runbook {what} {run}")).to_vec()
    }

    /// Tells what is not as it was, and how to put it right by hand. Changes nothing.
    pub fn what_is_left(&self) -> Restoration {
        self.begin_restoring();
        self.forget_imports_of_nothing();
        let (created, deleted) = {
            let state = self.state.borrow();
            (state.made_empty(), state.deleted.clone())
        };
        let mut left = self.left_of(&created, &deleted);
        self.tenants_left(&mut left);
        left
    }

    /// Tenants that this run activated and did not put back; told last, as that is done last.
    pub(super) fn tenants_left(&self, left: &mut Restoration) {
        for (problem, commands) in self.still_active() {
            left.problems.push(problem);
            left.commands.extend(commands);
        }
    }

    pub(super) fn left_of(
        &self,
        created: &[String],
        deleted: &BTreeMap<String, Deleted>,
    ) -> Restoration {
        let mut left = Restoration::default();
        let imported = self.state.borrow().imported.clone();
        // What was exported is looked for below.
        let is_exported = |class: &String| deleted.get(class).is_some_and(|it| it.export.is_some());
        for (class, objects) in imported.iter().filter(|(class, _)| !is_exported(class)) {
            let more = if *objects == 0 { "the " } else { "" };
            let objects = if *objects == 0 { "objects".into() } else { count_objects(*objects) };
            left.kept.push(format!("{more}{objects} imported into {class} so far stay there"));
        }
        self.pauses_left(&mut left);
        self.copies_left(&mut left);
        let new: Vec<&String> = created.iter().filter(|c| !deleted.contains_key(*c)).collect();
        self.objects_left(&new, &mut left);
        for class in new {
            match self.class_exists(class) {
                Ok(false) => {}
                Ok(true) => {
                    left.problems.push(format!("{class}, which this run created, is still there"));
                    left.commands
                        .push(format!("# {class} may hold objects by now; deleting it loses them"));
                    left.commands.push(self.curl("DELETE", &format!("/v1/schema/{class}"), None));
                }
                Err(halt) => left.problems.push(format!(
                    "whether {class}, which this run created, is still there is not known: {halt}"
                )),
            }
        }
        for (class, before) in deleted {
            let now = self.class(class);
            let problem = match now {
                Ok(Some(found)) if same(&found.value, &before.definition) => {
                    if before.export.is_none() && !before.was_empty {
                        left.given_up.push(class.clone());
                    }
                    self.objects_missing(class, before, &mut left);
                    if let Some(problem) = self.missing_tenants(class, &found.value, before) {
                        left.problems.push(problem);
                        left.commands.extend(self.tenants_command(class, before));
                    }
                    continue;
                }
                Ok(Some(_)) if before.export.is_some() => {
                    let all = if self.objects_missing(class, before, &mut left) {
                        ""
                    } else {
                        ", and its objects are imported"
                    };
                    left.problems.push(format!(
                        "{class} is there with another definition, as it was created anew{all}"
                    ));
                    let factor = &before.definition["replicationConfig"]["factor"];
                    let parameters = [("class", class.as_str()), ("factor", &factor.to_string())];
                    left.commands.push(self.commands.run("recreate-with-data", &parameters));
                    continue;
                }
                Ok(Some(_)) => {
                    left.commands.push(format!(
                        "# {class} is another one now; deleting it loses whatever was written to it"
                    ));
                    left.commands.push(self.curl("DELETE", &format!("/v1/schema/{class}"), None));
                    format!("{class} is there, but not as it was")
                }
                Ok(None) => format!("{class} is deleted and not put back"),
                Err(halt) => format!("whether {class} is back is not known: {halt}"),
            };
            left.problems.push(format!("{problem}; its backup is {}", before.postable.display()));
            let drain = self.cluster.drain().as_secs();
            if drain > 0 && self.state.borrow().draining.contains_key(class) {
                left.commands.push(format!(
                    "# not within {drain} s of its deletion: a server may still try to write to it"
                ));
            }
            if let Some(export) = &before.export {
                left.commands.push(self.restoring(class, export));
                continue;
            }
            left.commands.push(self.curl(
                "POST",
                "/v1/schema",
                Some(&format!("@{}", before.postable.display())),
            ));
            left.commands.extend(self.tenants_command(class, before));
        }
        left
    }

    /// Objects that were exported and are not back. Tells whether there are any.
    fn objects_missing(&self, class: &str, before: &Deleted, left: &mut Restoration) -> bool {
        let Some(export) = &before.export else { return false };
        if self.state.borrow().import_done.contains(class) {
            return false;
        }
        let problem = match self.lacks(class, export) {
            Ok(lacks) if lacks.is_empty() => return false,
            Ok(lacks) => format!("{class} is not back with every object: {lacks}"),
            Err(halt) => format!("whether every object of {class} is back is not known: {halt}"),
        };
        let place = export.folder.join(&export.name);
        left.problems.push(format!("{problem}; they are in {}", place.display()));
        left.commands.push(self.restoring(class, export));
        true
    }

    /// Returns the command that brings back a class with what was exported of it.
    pub(super) fn restoring(&self, class: &str, export: &Export) -> String {
        let folder = export.folder.display().to_string();
        let parameters = [("class", class), ("from", &export.name), ("folder", &folder)];
        self.commands.run("restore-class", &parameters)
    }

    /// Copies of replicas that this run began: those that are there stay.
    fn copies_left(&self, left: &mut Restoration) {
        let state = self.state.borrow();
        for (class, copies) in &state.copying {
            let copies = count(copies.len(), "replica");
            left.problems.push(format!("{copies} of {class} may still be copied"));
            left.commands.push(self.curl("GET", "/v1/replication/replicate/list", None));
        }
        for (class, copied) in state.copied.iter().filter(|(_, copied)| **copied > 0) {
            let copies = count(*copied, "more replica");
            left.kept.push(format!("{copies} of {class} stay where they are"));
        }
        for (class, (before, factor)) in &state.factors {
            let way_back = if factor < before {
                let parameters = [("class", class.as_str()), ("factor", &before.to_string())];
                let command = self.commands.run("scale-replicas", &parameters);
                format!("; to copy its replicas again: {command}")
            } else {
                String::new()
            };
            left.kept.push(format!("{class} stays at factor {factor}{way_back}"));
        }
    }

    /// Shards that refuse writes because of this run.
    fn pauses_left(&self, left: &mut Restoration) {
        let paused = self.state.borrow().paused.clone();
        for (class, shards) in paused {
            let problem = match self.class_exists(&class).and_then(|_| self.still_paused(&class)) {
                Ok(closed) if closed.is_empty() => continue,
                Ok(closed) => {
                    let closed: Vec<String> = closed.into_iter().collect();
                    format!("writes to {class} are still paused, on shard {}", closed.join(", "))
                }
                Err(halt) => {
                    format!("whether writes to {class} are still paused is not known: {halt}")
                }
            };
            left.problems.push(problem);
            left.commands.extend(shards.iter().map(|shard| {
                let path = format!("/v1/schema/{class}/shards/{shard}");
                self.curl("PUT", &path, Some(r#"{"status":"READY"}"#))
            }));
        }
    }

    /// Objects that this run inserted; those of a class that it created go with the class.
    fn objects_left(&self, new: &[&String], left: &mut Restoration) {
        let objects = self.still_inserted().into_iter();
        for object in objects.filter(|object| !new.contains(&&object.class)) {
            let problem = match self.copies(&object) {
                Ok(copies) if copies.are_gone() => continue,
                Ok(copies) if copies.on.is_empty() => format!(
                    "whether {object}, which this run inserted, is still there is not known: {}",
                    copies.why_unread()
                ),
                Ok(copies) => format!(
                    "{object}, which this run inserted, is still on {}",
                    copies.on.join(", ")
                ),
                Err(halt) => format!(
                    "whether {object}, which this run inserted, is still there is not known: {halt}"
                ),
            };
            left.problems.push(problem);
            // A node deletes its own copy in any case, those of others only where it sees them, and
            // one that was away is not seen by all as soon as it is back.
            left.commands.push("# when every node is up again, each:".into());
            let path = object.path("consistency_level=ALL");
            let nodes = self.cluster.nodes().iter();
            left.commands.extend(nodes.map(|node| self.curl_to(node, "DELETE", &path, None)));
        }
    }

    /// Tells which tenants a class lacks that it had.
    fn missing_tenants(&self, class: &str, found: &Value, before: &Deleted) -> Option<String> {
        let had = before.tenants.as_ref()?;
        let has = match self.tenants_of(class, found) {
            Ok(tenants) => tenants.unwrap_or_default(),
            Err(halt) => {
                return Some(format!("whether {class} has its tenants back is not known: {halt}"));
            }
        };
        // Those that a process had put back that died then are as they are to be.
        let state = self.state.borrow();
        let activated = state.activated.get(class);
        let was = |tenant: &Tenant| {
            activated.and_then(|all| all.iter().find(|it| it.name == tenant.name))
        };
        let is_back = |tenant: &Tenant| {
            has.contains(tenant) || was(tenant).is_some_and(|was| has.contains(was))
        };
        let missing = had.iter().filter(|tenant| !is_back(tenant)).count();
        (missing > 0).then(|| {
            let tenants = count(missing, "tenant");
            format!("{class} is back but lacks {tenants}, or has them in another state")
        })
    }

    fn tenants_command(&self, class: &str, before: &Deleted) -> Option<String> {
        let file = before.tenants_file.as_ref()?;
        before.tenants.as_ref().filter(|tenants| !tenants.is_empty())?;
        Some(self.curl(
            "POST",
            &format!("/v1/schema/{class}/tenants"),
            Some(&format!("@{}", file.display())),
        ))
    }

    /// Returns a command that a person can run as it is.
    pub(super) fn curl(&self, method: &str, path: &str, data: Option<&str>) -> String {
        let silent = self.silent.borrow();
        let nodes = self.cluster.nodes();
        let node = nodes.iter().find(|node| !silent.contains(node.name())).unwrap_or(&nodes[0]);
        self.curl_to(node, method, path, data)
    }

    fn curl_to(&self, node: &Node, method: &str, path: &str, data: Option<&str>) -> String {
        self.commands.curl(method, node.url(), path, data)
    }
}
