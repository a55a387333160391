//! A class out of the backup of a node: created where it is missing, and the objects that are
//! missing put back. Nothing that is there is deleted, and what is newer stays.

use std::path::Path;

use serde_json::Value;

use super::definition::same;
use super::import::unreadable;
use super::read::check_class_name;
use super::{Export, Session};
use crate::error::{Code, Failure, Halt, Stop};
use crate::event::Event;
use crate::survey;
use crate::text::count_objects;
use crate::transfer::{BackedUp, Backup};
use crate::weaviate::Tenant;

/// How many objects of a backup a dry run imports: a twin holds them in memory, with their vectors.
const REHEARSED: u64 = 2_000;

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

/// Tells whether a class is as another one was, but for where its replicas are, and for properties that
/// it has besides: auto-schema adds them, and its objects fit all the same.
fn takes_objects_of(found: &Value, saved: &Value) -> bool {
    let without_properties = |definition: &Value| {
        let mut definition = definition.clone();
        for key in ["properties", "replicationConfig", "shardingConfig"] {
            definition[key] = Value::Null;
        }
        definition
    };
    let properties =
        |definition: &Value| definition["properties"].as_array().cloned().unwrap_or_default();
    let there = properties(found);
    same(&without_properties(found), &without_properties(saved))
        && properties(saved).iter().all(|property| there.contains(property))
}

/// Tells whether a property refers to a class.
fn refers_to(definition: &Value, class: &str) -> bool {
    let properties = definition["properties"].as_array().into_iter().flatten();
    let mut types = properties.flat_map(|it| it["dataType"].as_array().into_iter().flatten());
    types.any(|it| it == class)
}

impl Session {
    /// Restores a class from the backup of a node, under its own or another name. Whether every node then shows every object is
    /// told by a check for each.
    ///
    /// # Errors
    ///
    /// Refused where the backup is not as it was saved, or there is another class of this name, or
    /// by the guard; `not_found` where there is no such backup; `rejected` where the server does
    /// not take an object.
    pub fn restore_class(
        &self,
        class: &str,
        node: &str,
        folder: &Path,
        name: &str,
    ) -> Result<Restored, Halt> {
        self.remember(name, self.restore_from(class, node, folder, name))
    }

    fn restore_from(
        &self,
        class: &str,
        node: &str,
        folder: &Path,
        name: &str,
    ) -> Result<Restored, Halt> {
        check_class_name(class)?;
        check_class_name(name)?;
        let (folder, from_before) = &self.reads_from(folder, node);
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
        let schema = self.make_class(&backup, saved, name)?;
        let restored = Restored { objects: saved.objects, ..Restored::default() };
        if saved.file("objects").is_none() {
            return Ok(restored);
        }
        let mut files = Export::find(folder, node).files(class)?;
        if *from_before {
            files.at_most = Some(REHEARSED);
            if saved.objects > REHEARSED {
                let (all, some) = (count_objects(saved.objects), REHEARSED);
                let text =
                    format!("of {all} the first {some} are imported here: a twin is in memory");
                self.say(&Event::Warning { text })?;
            }
        }
        let (imported, _) = self.import(name, &schema, &files)?;
        Ok(Restored { imported: imported.imported, kept: imported.kept, ..restored })
    }

    /// Creates the class and its tenants where they are missing; refuses where there is another.
    fn make_class(&self, backup: &Backup, saved: &BackedUp, class: &str) -> Result<Value, Halt> {
        let of = &saved.class;
        let missing = || unreadable(&std::io::Error::other(format!("no schema of {of}")));
        let mut schema: Value = backup
            .json(saved.file("schema").ok_or_else(missing)?)
            .map_err(|error| unreadable(&error))?;
        if schema["class"] != of.as_str() {
            return Err(unreadable(&std::io::Error::other("its schema is of another class")).into());
        }
        if of != class && refers_to(&schema, of) {
            self.say(&Event::Warning {
                text: format!("references of {class} to itself go on referring to {of}"),
            })?;
        }
        schema["class"] = class.into();
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

    fn refused(&self, message: &str, reasons: Vec<String>, hint: &str) -> Halt {
        let (message, hints) = (message.to_owned(), vec![hint.to_owned()]);
        self.stop(Stop::Refused { message, reasons, hints })
    }
}
