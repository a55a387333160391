//! Replicas that differ, brought together by the servers: each object that differs is read from all of
//! them, and the newest version wins.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::Session;
use super::read::check_class_name;
use crate::change::{Change, Outcome};
use crate::error::{Failure, Halt};
use crate::event::{Event, count_objects};
use crate::issue::Issue;
use crate::survey::{Comparison, Sample, compare};
use crate::transfer::{BackedUp, NewBackup};
use crate::weaviate::ObjectName;

/// How often a class is gone through: more objects may differ than are looked at in one go.
const PASSES: usize = 100;

/// How many objects are told of that turned out to be deleted.
const TOLD: usize = 20;

impl Session {
    /// Compares every object of a class on every replica, and lets the servers bring together those that
    /// differ. One that a replica lacks may have been deleted there: it is saved first, and whether it
    /// stays is for the servers to find. Returns how many objects there are, how many were brought
    /// together, and what is left.
    ///
    /// # Errors
    ///
    /// `not_found`; refused by the guard. A full disk ends the run.
    pub fn resync(&self, class: &str) -> Result<(u64, u64, Vec<Issue>), Halt> {
        self.remember(class, self.bring_together(class))
    }

    fn bring_together(&self, class: &str) -> Result<(u64, u64, Vec<Issue>), Halt> {
        check_class_name(class)?;
        let survey =
            self.prepare(class, &|| format!("bring the replicas of class {class} together"))?;
        let tenants = self.tenants(class)?;
        let backups = self.folder.backups();
        let disk = |error: std::io::Error| self.disk(&backups, &error);
        let mut number = 1;
        while backups.join(format!("{class}-resync{number}")).exists() {
            number += 1;
        }
        let name = format!("{class}-resync{number}");
        let mut new = NewBackup::begin(&backups, &name).map_err(disk)?;
        let saved = RefCell::new((new.objects(class).map_err(disk)?, None));
        let save = |name: &ObjectName, object: &Value| {
            let mut line = object.clone();
            line["id"] = json!(name.id);
            line["class"] = json!(name.class);
            if let Some(tenant) = &name.tenant {
                line["tenant"] = json!(tenant);
            }
            let (file, failed) = &mut *saved.borrow_mut();
            let written = file.line(&[line.to_string().as_bytes()]);
            *failed = written.err();
            failed.is_none()
        };
        let change = self.changes.get() + 1;
        self.changes.set(change);
        self.say(&Event::ChangeIntended {
            change,
            action: Change::BringTogether { class: class.into() },
            node: self.cluster.nodes()[0].name().into(),
            rollback: false,
        })?;
        let (mut brought, mut gone) = (0, vec![]);
        let mut found = Comparison::default();
        let ended = (0..PASSES).try_for_each(|_| {
            found = self.read(async |cluster| {
                let (tenants, all) = (tenants.as_deref(), Sample::All);
                Ok::<_, Failure>(compare(cluster, &survey, class, tenants, all, Some(&save)).await)
            })?;
            brought += found.brought_together;
            gone.append(&mut found.gone);
            // Nothing more can be done, or all is.
            let over = found.more == 0 || found.brought_together == 0;
            if over { Err(None) } else { Ok(()) }
        });
        let halt: Option<Halt> = ended.err().flatten();
        let (file, failed) = saved.into_inner();
        let lacked = file.objects();
        let files = vec![file.finish().map_err(disk)?];
        if lacked > 0 {
            new.add(BackedUp { class: class.into(), objects: lacked, complete: true, files });
            self.tell_saved(class, "resync", new)?;
        }
        let outcome =
            if halt.is_some() || failed.is_some() { Outcome::Partly } else { Outcome::Done };
        let detail = format!("{} brought together", count_objects(brought));
        self.say(&Event::ChangeAnswered { change, outcome, detail })?;
        if !gone.is_empty() {
            let some: Vec<_> = gone.iter().take(TOLD).map(|name| name.id.as_str()).collect();
            let more = if gone.len() > TOLD { ", …" } else { "" };
            self.warn(&format!(
                "{} of {class} had been deleted on a replica after their last change, and are gone \
                 from all now: {}{more}; they are saved in {}",
                count_objects(gone.len() as u64),
                some.join(", "),
                backups.join(&name).display()
            ));
        }
        if let Some(error) = failed {
            return Err(disk(error));
        }
        halt.map_or(Ok((found.objects, brought, self.issues_of(&survey, class, &found))), Err)
    }
}
