//! What a run had done when it died or ended, from its journal: what a run that is resumed or undone
//! begins with.
//!
//! A change that was sent and not answered counts as made and as not made: what is there is looked
//! up when it matters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use super::inserted::Inserted;
use super::state::{Deleted, Factors, note_factor};
use super::{Export, Session};
use crate::change::{Change, Outcome};
use crate::event::{Event, Reached};
use crate::journal::{Record, sha256};
use crate::weaviate::{ObjectName, ReplicaCopy, Tenant};

/// What a run had done.
#[derive(Debug, Default)]
pub struct Carried {
    /// The values of the steps that ended well, by title.
    pub finished: BTreeMap<String, Value>,
    /// Titles of the steps that the operator skipped.
    pub skipped: Vec<String>,
    /// Whether it was being undone.
    pub rolling_back: bool,
    deleted: BTreeMap<String, Deleted>,
    created: BTreeMap<String, Value>,
    /// Those of them of which only what was asked for is known, not what the server made of it.
    unsure: BTreeSet<String>,
    exported: BTreeMap<String, Export>,
    import_done: BTreeSet<String>,
    reached: BTreeMap<String, Reached>,
    imported: BTreeMap<String, u64>,
    paused: BTreeMap<String, BTreeSet<String>>,
    activated: BTreeMap<String, BTreeSet<Tenant>>,
    copying: BTreeMap<String, BTreeSet<ReplicaCopy>>,
    factors: Factors,
    inserted: BTreeSet<ObjectName>,
    /// Objects that steps inserted which did not end: such a step inserts others when it runs again.
    stray: Vec<ObjectName>,
    unmade: BTreeMap<String, String>,
    read: BTreeMap<String, Value>,
    /// What the finished steps found.
    found: Vec<Event>,
    changes: usize,
}

/// Reads the records of a run from first to last.
#[derive(Default)]
struct Reader {
    carried: Carried,
    files: BTreeMap<(String, String), (PathBuf, String)>,
    open: BTreeMap<usize, Change>,
    /// Classes that the open deletions added to what was deleted.
    added: BTreeMap<usize, String>,
    /// What the step that is running found, read and inserted so far.
    found: Vec<Event>,
    read: BTreeMap<String, Value>,
    inserting: Vec<ObjectName>,
}

impl Carried {
    /// Reads what a run had done.
    ///
    /// # Errors
    ///
    /// A backup that a deletion rests on is not there as it was saved.
    pub fn of(records: &[Record]) -> Result<Self, String> {
        let mut reader = Reader::default();
        for record in records {
            reader.take(&record.event)?;
        }
        let mut carried = reader.carried;
        carried.stray = reader.inserting;
        Ok(carried)
    }

    /// Returns the classes that may refuse writes because of it.
    #[must_use]
    pub fn paused_classes(&self) -> Vec<String> {
        self.paused.keys().cloned().collect()
    }

    /// Tells whether the cluster may be other than it was before the run.
    #[must_use]
    pub fn has_changed_anything(&self) -> bool {
        !(self.deleted.is_empty()
            && self.created.is_empty()
            && self.imported.is_empty()
            && self.paused.is_empty()
            && self.activated.is_empty()
            && self.copying.is_empty()
            && self.factors.is_empty()
            && self.inserted.is_empty())
    }
}

impl Reader {
    fn take(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::StepStarted { .. } => {
                self.found.clear();
                self.read.clear();
                self.inserting.clear();
            }
            Event::StepFinished { title, value, .. } => {
                self.carried.finished.insert(title.clone(), value.clone());
                self.carried.found.append(&mut self.found);
                self.carried.read.append(&mut self.read);
                self.inserting.clear();
            }
            Event::StepSkipped { title, .. } if !self.carried.skipped.contains(title) => {
                self.carried.skipped.push(title.clone());
            }
            Event::Check { .. } | Event::Issue(_) | Event::Tally { .. } => {
                self.found.push(event.clone());
            }
            Event::ClassRead { class, definition } => {
                self.read.insert(class.clone(), definition.clone());
            }
            Event::ImportReached(reached) => {
                self.carried.reached.insert(reached.class.clone(), reached.clone());
            }
            Event::ClassMade { class, definition } => {
                self.carried.reached.remove(class);
                self.carried.created.insert(class.clone(), definition.clone());
                self.carried.unsure.remove(class);
                // Its shards are others.
                self.carried.paused.remove(class);
            }
            Event::BackupSaved { class, content, file, sha256, .. } => {
                let exported = &mut self.carried.exported;
                match (content.as_str(), Export::of_manifest(file.as_ref())) {
                    ("export", Some(export)) => drop(exported.insert(class.clone(), export)),
                    ("late", Some(late)) => {
                        exported.entry(class.clone()).and_modify(|it| it.late = Some(late.name));
                    }
                    _ => {}
                }
                let key = (class.clone(), content.clone());
                self.files.insert(key, (file.into(), sha256.clone()));
            }
            Event::ChangeIntended { change, action, rollback, .. } => {
                // These are undone where they fail, and the run goes on.
                let at_once =
                    matches!(action, Change::AllowWrites { .. } | Change::CancelCopy { .. });
                self.carried.rolling_back |= *rollback && !at_once;
                if let Change::DeactivateTenants { class, .. } = action
                    && *rollback
                {
                    // The last thing that undoing does: every object was seen to be back before.
                    self.carried.import_done.insert(class.clone());
                }
                self.intended(*change, action)?;
            }
            Event::ChangeAnswered { change, outcome, detail } => {
                self.answered(*change, *outcome, detail);
            }
            Event::RollbackStarted { .. } | Event::RunResumed { rollback: true, .. } => {
                self.carried.rolling_back = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn intended(&mut self, change: usize, action: &Change) -> Result<(), String> {
        let carried = &mut self.carried;
        carried.changes = carried.changes.max(change);
        match action {
            Change::CreateClass { class, definition } => {
                carried.created.insert(class.clone(), definition.clone());
                carried.unsure.insert(class.clone());
            }
            Change::DeleteClass { class, empty, exported } => {
                let ours = carried.created.contains_key(class);
                if !ours && !carried.deleted.contains_key(class) {
                    let deleted = self.deleted(class, *empty, *exported)?;
                    self.carried.deleted.insert(class.clone(), deleted);
                    self.added.insert(change, class.clone());
                }
            }
            Change::InsertObject(object) => {
                carried.inserted.insert(object.clone());
                self.inserting.push(object.clone());
            }
            Change::ImportObjects { class, .. } => {
                carried.imported.entry(class.clone()).or_default();
            }
            Change::PauseWrites { class, shards } => {
                carried.paused.entry(class.clone()).or_default().extend(shards.iter().cloned());
            }
            Change::ActivateTenants { class, tenants } => {
                carried.activated.entry(class.clone()).or_default().extend(tenants.iter().cloned());
            }
            Change::CopyReplica { class, copy } => {
                carried.copying.entry(class.clone()).or_default().insert(copy.clone());
            }
            Change::SetFactor { class, before, factor } => {
                note_factor(&mut carried.factors, class, *before, *factor);
            }
            Change::CreateTenants { .. }
            | Change::DeactivateTenants { .. }
            | Change::BringTogether { .. }
            | Change::AllowWrites { .. }
            | Change::CancelCopy { .. }
            | Change::RemoveReplicas { .. }
            | Change::DeleteObject(_) => {}
        }
        self.open.insert(change, action.clone());
        Ok(())
    }

    fn answered(&mut self, change: usize, outcome: Outcome, detail: &str) {
        let Some(action) = self.open.remove(&change) else { return };
        let added = self.added.remove(&change);
        let carried = &mut self.carried;
        let class = action.class();
        match outcome {
            Outcome::Done | Outcome::FoundDone => {
                carried.unmade.remove(class);
                if matches!(action, Change::AllowWrites { .. }) {
                    carried.paused.remove(class);
                }
                if let Change::DeactivateTenants { tenants, .. } = &action {
                    if let Some(activated) = carried.activated.get_mut(class) {
                        activated.retain(|tenant| !tenants.contains(tenant));
                        if activated.is_empty() {
                            carried.activated.remove(class);
                        }
                    }
                    if let Some(deleted) = carried.deleted.get_mut(class) {
                        deleted.put_tenants_back(tenants);
                    }
                }
                if matches!(action, Change::ImportObjects { .. }) && !carried.rolling_back {
                    carried.import_done.insert(class.into());
                }
                if matches!(action, Change::DeleteClass { .. }) {
                    carried.created.remove(class);
                    carried.inserted.retain(|object| object.class != class);
                    self.inserting.retain(|object| object.class != class);
                }
            }
            Outcome::NotDone => {
                carried.unmade.insert(class.into(), detail.into());
                match action {
                    Change::CreateClass { .. } => drop(carried.created.remove(class)),
                    Change::SetFactor { before, .. } => {
                        note_factor(&mut carried.factors, class, before, before);
                    }
                    Change::CopyReplica { ref copy, .. } => {
                        carried.copying.entry(class.into()).or_default().remove(copy);
                    }
                    Change::DeleteClass { .. } => {
                        added.and_then(|class| carried.deleted.remove(&class));
                    }
                    _ => {}
                }
            }
            Outcome::Partly | Outcome::Unknown => {
                carried.unmade.insert(class.into(), detail.into());
            }
        }
    }

    /// Reads the backups of a class, which must be as they were saved.
    fn deleted(&self, class: &str, was_empty: bool, exported: bool) -> Result<Deleted, String> {
        let read = |content: &str| {
            let Some((path, sum)) = self.files.get(&(class.into(), content.into())) else {
                return Ok(None);
            };
            let file = path.display();
            let bytes = std::fs::read(path)
                .map_err(|error| format!("the backup {file} can't be read: {error}"))?;
            if sha256(&bytes) != *sum {
                return Err(format!("the backup {file} is not as it was saved"));
            }
            Ok(Some((path.clone(), bytes)))
        };
        let json = |bytes: &[u8]| {
            serde_json::from_slice::<Value>(bytes)
                .map_err(|error| format!("a backup of {class} can't be understood: {error}"))
        };
        let (schema, bytes) =
            read("schema")?.ok_or_else(|| format!("{class} was deleted without a backup"))?;
        let tenants = read("tenants")?;
        let names = match &tenants {
            Some((_, bytes)) => Some(
                serde_json::from_value::<Vec<Tenant>>(json(bytes)?)
                    .map_err(|error| format!("the tenants of {class}: {error}"))?,
            ),
            None => None,
        };
        Ok(Deleted {
            definition: json(&bytes)?,
            tenants: names,
            postable: read("postable")?.map_or(schema, |(path, _)| path),
            tenants_file: tenants.map(|(path, _)| path),
            was_empty,
            export: if exported { self.carried.exported.get(class).cloned() } else { None },
        })
    }
}

impl Session {
    /// Begins with what the run had done in another process.
    pub fn carry(&self, carried: &Carried) {
        self.changes.set(carried.changes);
        self.recorder.borrow_mut().count(&carried.found);
        let mut state = self.state.borrow_mut();
        state.resumed = true;
        state.deleted.clone_from(&carried.deleted);
        state.created.clone_from(&carried.created);
        state.made_before = carried.created.keys().cloned().collect();
        state.unsure.clone_from(&carried.unsure);
        state.exported.clone_from(&carried.exported);
        state.import_done.clone_from(&carried.import_done);
        state.reached.clone_from(&carried.reached);
        state.imported.clone_from(&carried.imported);
        state.paused.clone_from(&carried.paused);
        state.activated.clone_from(&carried.activated);
        state.copying.clone_from(&carried.copying);
        state.factors.clone_from(&carried.factors);
        let now = Instant::now();
        state.draining = carried.deleted.keys().map(|class| (class.clone(), now)).collect();
        state.unmade.clone_from(&carried.unmade);
        state.read.clone_from(&carried.read);
        let known = |object: &ObjectName| (object.clone(), Inserted::some_time());
        state.inserted = carried.inserted.iter().map(known).collect();
        state.stray.clone_from(&carried.stray);
    }
}
