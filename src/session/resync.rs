//! Replicas that differ, brought together by the servers: each object that differs is read from all of
//! them, and the newest version wins.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::Session;
use super::read::check_class_name;
use crate::change::{Change, Outcome};
use crate::error::{Halt, Stop};
use crate::event::Event;
use crate::issue::Issue;
use crate::survey::{Comparing, Comparison, Difference, Survey};
use crate::text::count_objects;
use crate::transfer::{BackedUp, NewBackup, ObjectsFile};
use crate::weaviate::{Node, ObjectName, Tenant};

/// How many objects are asked for side by side.
const AT_ONCE: usize = 8;

/// How many objects are told of that turned out to be deleted.
const TOLD: usize = 20;

/// What bringing replicas together has come to.
#[derive(Default)]
struct Resynced {
    brought_together: u64,
    /// Objects that are on no replica now: one had deleted them after their last change.
    gone: Vec<ObjectName>,
    /// What is left.
    found: Comparison,
    /// Where objects are saved that a replica lacks, once there was one.
    saved: Option<(NewBackup, ObjectsFile)>,
    /// The name of that.
    name: String,
}

/// What each replica has of an object, by RAFT name.
type Copies = BTreeMap<String, Option<Value>>;

impl Session {
    /// Compares every object of a class on every replica, and lets the servers bring together those that
    /// differ. One that a replica lacks may have been deleted there: it is on disk before, and whether it
    /// stays is for the servers to find. Returns how many objects there are, how many were brought
    /// together, and what is left.
    ///
    /// # Errors
    ///
    /// `not_found`; `unreachable` where a node can't be read; refused by the guard. A full disk ends
    /// the run.
    pub fn resync(&self, class: &str) -> Result<(u64, u64, Vec<Issue>), Halt> {
        self.remember(class, self.bring_together(class))
    }

    fn bring_together(&self, class: &str) -> Result<(u64, u64, Vec<Issue>), Halt> {
        check_class_name(class)?;
        let survey =
            self.prepare(class, &|| format!("bring the replicas of class {class} together"))?;
        let tenants = self.tenants(class)?;
        let nodes = self.nodes_with(class, &survey);
        let Some(node) = nodes.first() else { return Err(self.not_found(class).into()) };
        let change = self.changes.get() + 1;
        self.changes.set(change);
        self.say(&Event::ChangeIntended {
            change,
            action: Change::BringTogether { class: class.into() },
            node: node.name().into(),
            rollback: false,
        })?;
        let mut done = Resynced::default();
        let ended = self.resync_all(class, &survey, tenants.as_deref(), node, &mut done);
        // What was saved has its place whatever happened.
        let ended = ended.and(self.keep_saved(class, &mut done));
        let outcome = if ended.is_ok() { Outcome::Done } else { Outcome::Partly };
        let detail = format!("{} brought together", count_objects(done.brought_together));
        self.say(&Event::ChangeAnswered { change, outcome, detail })?;
        self.tell_gone(class, &done);
        ended?;
        let issues = self.issues_of(&survey, class, &done.found);
        Ok((done.found.objects, done.brought_together, issues))
    }

    fn resync_all(
        &self,
        class: &str,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
        node: &Node,
        done: &mut Resynced,
    ) -> Result<(), Halt> {
        let comparing = Comparing::new(&self.cluster, survey, class);
        let (active, inactive): (Vec<&Tenant>, Vec<_>) =
            tenants.unwrap_or_default().iter().partition(|tenant| tenant.is_active());
        done.found.inactive = inactive.len();
        let each: Vec<Option<&str>> = match tenants {
            None => vec![None],
            Some(_) => active.iter().map(|tenant| Some(tenant.name.as_str())).collect(),
        };
        for tenant in each {
            let mut after = Some(String::new());
            while let Some(from) = after {
                let page = self.read(async |_| comparing.next_page(tenant, &from).await)?;
                done.found.objects += page.objects;
                self.resync_page(&comparing, &page.suspects, node, done)?;
                self.pace("comparing", class, done.found.objects, None)?;
                after = page.end;
            }
        }
        Ok(())
    }

    /// Brings together the objects of a page. A signal is heeded between two pages, never within one.
    fn resync_page(
        &self,
        comparing: &Comparing,
        suspects: &[ObjectName],
        node: &Node,
        done: &mut Resynced,
    ) -> Result<(), Halt> {
        self.check_interrupt()?;
        let looked_at: Vec<Result<Copies, String>> = self.runtime.block_on(
            stream::iter(suspects).map(|name| comparing.copies(name)).buffered(AT_ONCE).collect(),
        );
        let mut differing = vec![];
        for (name, copies) in suspects.iter().zip(looked_at) {
            match copies {
                Err(error) => done.found.add(Err(error)),
                Ok(copies) if are_same(&copies) => {}
                Ok(copies) => {
                    self.save_lacked(name, &copies, done)?;
                    differing.push(name);
                }
            }
        }
        if let Some((_, file)) = &mut done.saved {
            file.flush().map_err(|error| self.disk(&self.folder.backups(), &error))?;
        }
        let ended: Vec<Result<Ended, String>> = self.runtime.block_on(
            stream::iter(differing)
                .map(|name| settle(comparing, node, name))
                .buffered(AT_ONCE)
                .collect(),
        );
        for ended in ended {
            match ended {
                Err(error) => done.found.add(Err(error)),
                Ok(Ended::Differs(difference)) => done.found.add(Ok(Some(difference))),
                Ok(Ended::Together) => done.brought_together += 1,
                Ok(Ended::Gone(name)) => {
                    done.brought_together += 1;
                    done.gone.push(name);
                }
            }
        }
        Ok(())
    }

    /// Saves every version of an object that a replica lacks: the servers may find that it was deleted
    /// there.
    fn save_lacked(
        &self,
        name: &ObjectName,
        copies: &Copies,
        done: &mut Resynced,
    ) -> Result<(), Halt> {
        if copies.values().all(Option::is_some) {
            return Ok(());
        }
        let backups = self.folder.backups();
        let disk = |error: std::io::Error| self.disk(&backups, &error);
        if done.saved.is_none() {
            let mut number = 1;
            while backups.join(format!("{}-resync{number}", name.class)).exists() {
                number += 1;
            }
            done.name = format!("{}-resync{number}", name.class);
            let new = NewBackup::take_up(&backups, &done.name).map_err(disk)?;
            let file = new.objects(&name.class).map_err(disk)?;
            done.saved = Some((new, file));
        }
        let Some((_, file)) = &mut done.saved else { return Ok(()) };
        let mut versions: Vec<&Value> = vec![];
        for version in copies.values().flatten() {
            if !versions.contains(&version) {
                versions.push(version);
                let mut line = version.clone();
                line["id"] = json!(name.id);
                line["class"] = json!(name.class);
                if let Some(tenant) = &name.tenant {
                    line["tenant"] = json!(tenant);
                }
                file.line(&[line.to_string().as_bytes()]).map_err(disk)?;
            }
        }
        Ok(())
    }

    fn keep_saved(&self, class: &str, done: &mut Resynced) -> Result<(), Halt> {
        let Some((mut new, file)) = done.saved.take() else { return Ok(()) };
        let objects = file.objects();
        let files = vec![file.finish().map_err(|error| {
            let folder = self.folder.backups();
            self.stop(Stop::Disk(format!(
                "what was saved in {} can't be written: {error}",
                folder.display()
            )))
        })?];
        new.add(BackedUp { class: class.into(), objects, complete: true, files });
        self.tell_saved(class, "resync", new)
    }

    fn tell_gone(&self, class: &str, done: &Resynced) {
        let gone = &done.gone;
        if gone.is_empty() {
            return;
        }
        let some: Vec<_> = gone.iter().take(TOLD).map(|name| name.id.as_str()).collect();
        let more = if gone.len() > TOLD { ", …" } else { "" };
        self.warn(&format!(
            "{} of {class} had been deleted on a replica after their last change, and are gone from \
             all now: {}{more}; they are saved in {}",
            count_objects(gone.len() as u64),
            some.join(", "),
            self.folder.backups().join(&done.name).display()
        ));
    }
}

/// What became of an object that differed.
enum Ended {
    Differs(Difference),
    Together,
    /// It is on no replica now.
    Gone(ObjectName),
}

async fn settle(
    comparing: &Comparing<'_>,
    node: &Node,
    name: &ObjectName,
) -> Result<Ended, String> {
    node.bring_together(name).await.map_err(|error| format!("{name}: {error}"))?;
    if let Some(left) = comparing.difference_of(name).await? {
        return Ok(Ended::Differs(left));
    }
    let is_gone = comparing.copies(name).await?.values().all(Option::is_none);
    Ok(if is_gone { Ended::Gone(name.clone()) } else { Ended::Together })
}

fn are_same(copies: &Copies) -> bool {
    let mut values = copies.values();
    let first = values.next();
    values.all(|copy| Some(copy) == first)
}
