//! A class out of the backup of a node: created where it is missing, and the objects that are
//! missing put back. Nothing that is there is deleted, and what is newer stays.

use std::path::Path;

use serde_json::Value;

use super::Session;
use super::definition::same;
use super::read::check_class_name;
use crate::change::{Change, Outcome};
use crate::error::{Code, Failure, Halt, Stop};
use crate::event::{Event, count_objects};
use crate::survey::{self, Survey};
use crate::transfer::{BackedUp, Backup, Imported, Lines, Shown, Verification, import, verify};
use crate::weaviate::{Node, Tenant};

/// How many objects the server may refuse before the import is given up.
const MOST_FAILED: usize = 1_000;

/// How many of them are told with the error; each has a warning of its own.
const TOLD: usize = 5;

/// What became of a class and its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Objects in the backup.
    pub objects: u64,
    /// How many of them were written.
    pub imported: u64,
    /// How many were there already, the same or newer.
    pub kept: u64,
}

/// Tells whether a class is as another one was, but for properties that it has besides: auto-schema
/// adds them, and its objects fit all the same.
fn takes_objects_of(found: &Value, saved: &Value) -> bool {
    let without_properties = |definition: &Value| {
        let mut definition = definition.clone();
        definition["properties"] = Value::Null;
        definition
    };
    let properties =
        |definition: &Value| definition["properties"].as_array().cloned().unwrap_or_default();
    let there = properties(found);
    same(&without_properties(found), &without_properties(saved))
        && properties(saved).iter().all(|property| there.contains(property))
}

impl Session {
    /// Restores a class from the backup of a node. Whether every node then shows every object is
    /// told by a check for each.
    ///
    /// # Errors
    ///
    /// Refused where the backup is not as it was saved, or there is another class of this name, or
    /// by the guard; `not_found` where there is no such backup; `rejected` where the server does
    /// not take an object.
    pub fn restore_class(&self, class: &str, node: &str, folder: &Path) -> Result<Restored, Halt> {
        self.remember(class, self.restore_from(class, node, folder))
    }

    fn restore_from(&self, class: &str, node: &str, folder: &Path) -> Result<Restored, Halt> {
        check_class_name(class)?;
        let backup = Backup::open(folder, node).map_err(|error| {
            let there = Backup::nodes(folder);
            let folder = folder.display();
            let why = format!("the backup of {node} in {folder} can't be used: {error}");
            let hint = if there.is_empty() {
                "backup-nodes.rhai makes one".to_owned()
            } else {
                format!("there are backups of {}", there.join(", "))
            };
            Failure::new(Code::NotFound, why).hint(hint)
        })?;
        let saved = backup.class(class).ok_or_else(|| {
            let has: Vec<_> = backup.manifest.classes.iter().map(|it| it.class.as_str()).collect();
            let why = format!("the backup of {node} has no class {class}");
            Failure::new(Code::NotFound, why).hint(format!("it has {}", has.join(", ")))
        })?;
        let faults = backup.faults(saved);
        if !faults.is_empty() {
            let hint = "take the backup of another node";
            return Err(self.refused(&format!("the backup of {class} is damaged"), faults, hint));
        }
        if !saved.complete {
            self.say(&Event::Check {
                text: format!("the backup of {class} from {node} is complete"),
                passed: false,
                detail: "its manifest says that not all could be saved; what it has is restored"
                    .into(),
            })?;
        }
        let schema = self.make_class(&backup, saved)?;
        let restored = Restored { objects: saved.objects, ..Restored::default() };
        let Some(file) = saved.file("objects").filter(|_| saved.objects > 0) else {
            return Ok(restored);
        };
        let file = backup.path(file).map_err(|error| unreadable(&error))?;
        let factor = schema["replicationConfig"]["factor"].as_u64().unwrap_or(1);
        let factor = usize::try_from(factor).unwrap_or(usize::MAX);
        if !self.wait_for_replicas(class, factor)? {
            self.say(&Event::Warning {
                text: format!("not every replica of {class} is there yet"),
            })?;
        }
        let what = Change::ImportObjects {
            class: class.into(),
            objects: saved.objects,
            file: file.display().to_string(),
        };
        let survey = self.prepare(class, &|| what.imperative())?;
        let nodes = self.nodes_with(class, &survey);
        if nodes.is_empty() {
            let why = format!("no node that answers has {class}");
            return Err(Failure::new(Code::Unverifiable, why).into());
        }
        let imported = self.import_file(&what, &file, &nodes)?;
        self.verify_file(class, &file, &nodes, imported.newer)?;
        self.tell_unread(class, &survey)?;
        Ok(Restored { imported: imported.imported, kept: imported.kept, ..restored })
    }

    /// Creates the class and its tenants where they are missing; refuses where there is another.
    fn make_class(&self, backup: &Backup, saved: &BackedUp) -> Result<Value, Halt> {
        let class = &saved.class;
        let missing = || unreadable(&std::io::Error::other(format!("no schema of {class}")));
        let schema: Value = backup
            .json(saved.file("schema").ok_or_else(missing)?)
            .map_err(|error| unreadable(&error))?;
        if schema["class"] != class.as_str() {
            return Err(unreadable(&std::io::Error::other("its schema is of another class")).into());
        }
        match self.class(class)? {
            None => self.create_class(&schema)?,
            Some(found) if takes_objects_of(&found.value, &schema) => {}
            Some(found) => {
                let difference = survey::differences(&found.value, &schema);
                let hint =
                    "rename or delete one of them by hand; nothing is restored over another class";
                let message = format!("`{class}` is there, and is not as in the backup");
                let what = difference.replace("at the leader", "in the backup");
                return Err(self.refused(&message, vec![what], hint));
            }
        }
        if let Some(file) = saved.file("tenants") {
            let tenants: Vec<Tenant> = backup.json(file).map_err(|error| unreadable(&error))?;
            if !tenants.is_empty() {
                self.create_tenants(class, &tenants)?;
            }
        }
        Ok(schema)
    }

    /// Imports the objects. A signal is heeded between two batches, never within one.
    fn import_file(&self, change: &Change, file: &Path, nodes: &[&Node]) -> Result<Imported, Halt> {
        let class = change.class();
        let number = self.changes.get() + 1;
        self.changes.set(number);
        self.say(&Event::ChangeIntended {
            change: number,
            action: change.clone(),
            node: nodes[0].name().into(),
            rollback: self.is_restoring(),
        })?;
        let mut all = Imported::default();
        let ended = self.import_windows(class, file, nodes, &mut all);
        let told = format!("{} imported, {} kept", count_objects(all.imported), all.kept);
        for (id, why) in &all.failed {
            self.say(&Event::Warning { text: format!("object {id} was not taken: {why}") })?;
        }
        let answer = |outcome, detail| Event::ChangeAnswered { change: number, outcome, detail };
        if let Err(halt) = ended {
            self.say(&answer(Outcome::Partly, format!("{told}; {halt}")))?;
            return Err(halt);
        }
        if all.failed.is_empty() {
            self.say(&answer(Outcome::Done, told))?;
            return Ok(all);
        }
        let failed = count_objects(all.failed.len() as u64);
        self.say(&answer(Outcome::Partly, format!("{told}, {failed} not taken")))?;
        let some: Vec<_> =
            all.failed.iter().take(TOLD).map(|(id, why)| format!("{id} ({why})")).collect();
        let more = if all.failed.len() > TOLD { ", …" } else { "" };
        let why = format!("the server did not take {failed} of {class}: {}{more}", some.join(", "));
        Err(Failure::new(Code::Rejected, why)
            .hint("run it again when the reason is gone: what is there is not imported twice")
            .into())
    }

    fn import_windows(
        &self,
        class: &str,
        file: &Path,
        nodes: &[&Node],
        all: &mut Imported,
    ) -> Result<(), Halt> {
        let mut lines = Lines::open(file).map_err(|error| unreadable(&error))?;
        while let Some(window) = lines.window(class).map_err(|error| unreadable(&error))? {
            self.check_interrupt()?;
            // From here on objects may be there, whatever the answer says.
            self.state.borrow_mut().imported.entry(class.into()).or_default();
            let done = self.runtime.block_on(import(nodes, class, &window));
            let done = done.map_err(|error| {
                Failure::from(error).hint("run it again: what is there is not imported twice")
            })?;
            all.imported += done.imported;
            all.kept += done.kept;
            all.newer += done.newer;
            all.failed.extend(done.failed);
            let mut state = self.state.borrow_mut();
            // Where every answer was clean and nothing was written, there is nothing to keep.
            if all.imported == 0 {
                state.imported.remove(class);
            } else {
                state.imported.insert(class.into(), all.imported);
            }
            drop(state);
            if all.failed.len() >= MOST_FAILED {
                let why = format!("the server refused {} objects of {class}", all.failed.len());
                return Err(Failure::new(Code::Rejected, why).into());
            }
        }
        Ok(())
    }

    /// Checks that every node shows every object; `newer` were kept for being newer.
    fn verify_file(
        &self,
        class: &str,
        file: &Path,
        nodes: &[&Node],
        newer: u64,
    ) -> Result<(), Halt> {
        let mut lines = Lines::open(file).map_err(|error| unreadable(&error))?;
        let mut found = Verification::of(nodes);
        while let Some(window) = lines.window(class).map_err(|error| unreadable(&error))? {
            self.read(async |_| verify(nodes, class, &window, &mut found).await)?;
        }
        found.nodes.iter().try_for_each(|shown| {
            let detail = told(shown, newer);
            self.say(&Event::Check {
                text: format!("{} shows every object of {class} in the backup", shown.node),
                passed: detail.is_empty(),
                detail,
            })
        })
    }

    /// Says which nodes could not be looked at.
    fn tell_unread(&self, class: &str, survey: &Survey) -> Result<(), Halt> {
        for seen in &survey.nodes {
            let detail = match survey.node_has_class(&seen.node, class) {
                Some(true) => continue,
                Some(false) => "its own schema lacks the class",
                None => "it does not answer",
            };
            let text = format!("{} shows every object of {class} in the backup", seen.node);
            self.say(&Event::Check { text, passed: false, detail: detail.into() })?;
        }
        Ok(())
    }

    fn nodes_with(&self, class: &str, survey: &Survey) -> Vec<&Node> {
        let has = |node: &&Node| survey.node_has_class(node.name(), class) == Some(true);
        self.cluster.nodes().iter().filter(has).collect()
    }

    fn refused(&self, message: &str, reasons: Vec<String>, hint: &str) -> Halt {
        let (message, hints) = (message.to_owned(), vec![hint.to_owned()]);
        self.stop(Stop::Refused { message, reasons, hints })
    }
}

/// Returns what is wrong with what a node shows; empty: nothing.
fn told(shown: &Shown, newer: u64) -> String {
    let mut wrong = vec![];
    if shown.missing > 0 {
        wrong.push(format!("{} missing", shown.missing));
    }
    if shown.differing > 0 {
        wrong.push(format!("{} differ", shown.differing));
    }
    if shown.newer > newer {
        let more = shown.newer - newer;
        wrong.push(format!("{more} are other ones, written since or changed by the server"));
    }
    if !shown.told.is_empty() {
        let ids: Vec<_> = shown.told.iter().map(String::as_str).collect();
        let more = if shown.missing + shown.differing > ids.len() as u64 { ", …" } else { "" };
        wrong.push(format!("{}{more}", ids.join(", ")));
    }
    wrong.join(", ")
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(Code::Unexpected, format!("the backup can't be read: {error}"))
}
