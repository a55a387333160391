//! Putting things back after a failure, and finding out whether they are.
//!
//! The rollback blocks of the steps run first; they know best. What they leave
//! undone is done here from the backups: a script without rollbacks loses nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::definition::{fulfils, same};
use super::state::Deleted;
use super::{Restoration, Session};
use crate::error::Halt;
use crate::event::Event;
use crate::text::count_objects;

impl Session {
    /// Begins putting things back: changes are allowed again, but only those that restore.
    pub fn begin_restoring(&self) {
        self.state.borrow_mut().restoring = true;
    }

    /// Tells whether things are being put back. The state is not borrowed longer than for this.
    pub(super) fn is_restoring(&self) -> bool {
        self.state.borrow().restoring
    }

    /// Begins undoing a run that ended or died some time ago: what somebody else did since is not
    /// undone, so all is looked at first, and the operator is asked.
    ///
    /// # Errors
    ///
    /// Refused with every reason; nothing was undone.
    pub fn begin_undoing(&self, question: &str) -> Result<(), Halt> {
        let (created, deleted) = {
            let state = self.state.borrow();
            (state.created.clone(), state.deleted.clone())
        };
        let mut reasons = vec![];
        let names: std::collections::BTreeSet<_> = created.keys().chain(deleted.keys()).collect();
        for class in names {
            let Some(found) = self.class(class)? else { continue };
            if deleted.get(class).is_some_and(|before| same(&found.value, &before.definition)) {
                continue;
            }
            if self.state.borrow().imported.contains_key(class) {
                continue;
            }
            let unsure = self.state.borrow().unsure.contains(class);
            let is_ours =
                |made: &Value| same(&found.value, made) || (unsure && fulfils(&found.value, made));
            if !created.get(class).is_some_and(is_ours) {
                reasons
                    .push(format!("{class} is not as this run left it: somebody changed it since"));
                continue;
            }
            let count = self.count_of_new(class);
            let ours = match &count {
                Ok(1..) => self.still_there(class)?,
                _ => 0,
            };
            match count {
                Ok(objects) if objects <= ours => {}
                Ok(objects) => reasons.push(format!(
                    "{class}, which this run created, holds {} now",
                    count_objects(objects)
                )),
                Err(halt) => reasons.push(halt.to_string()),
            }
        }
        if !reasons.is_empty() {
            // Whatever else somebody did, nobody else will do this.
            self.allow_all_writes();
            return Err(self.stop(crate::error::Stop::Refused {
                message: "undoing this run would touch what others did since".into(),
                reasons,
                hints: self
                    .backups()
                    .into_iter()
                    .map(|file| format!("as it was before the run: {file}"))
                    .collect(),
            }));
        }
        if !self.ask(question)? {
            return Err(self.stop(crate::error::Stop::Refused {
                message: "the operator did not agree to undo it".into(),
                reasons: vec![],
                hints: vec![],
            }));
        }
        self.begin_restoring();
        Ok(())
    }

    /// Counts the objects of a class that may have been created as the run died: its shards take a
    /// moment to open.
    fn count_of_new(&self, class: &str) -> Result<u64, Halt> {
        let began = std::time::Instant::now();
        loop {
            match self.count(class) {
                Err(Halt::Failure(_)) if began.elapsed() < self.cluster.answer_timeout() => {
                    self.wait_between_looks(began)?;
                }
                counted => return counted,
            }
        }
    }

    /// Puts back what the rollback blocks did not, then looks whether all is as it was.
    pub fn restore(&self) -> Restoration {
        self.begin_restoring();
        self.forget_imports_of_nothing();
        let (created, deleted) = {
            let state = self.state.borrow();
            (state.made_empty(), state.deleted.clone())
        };
        // First, so that a class that this run created can be proven to be empty.
        for object in self.still_inserted() {
            if let Err(halt) = self.remove(&object) {
                self.warn(&format!("{object} that this run inserted: {halt}"));
            }
        }
        for class in created.iter().filter(|class| !self.is_original(class, &deleted)) {
            if let Err(halt) = self.undo_create(class) {
                self.warn(&format!("{class} that this run created is still there: {halt}"));
            }
        }
        let copying: Vec<String> = self.state.borrow().copying.keys().cloned().collect();
        for class in copying {
            self.cancel_copies(&class);
        }
        self.raise_again();
        self.allow_all_writes();
        for (class, before) in &deleted {
            if let Err(halt) = self.undo_delete(class, before) {
                self.warn(&format!("{class} could not be put back: {halt}"));
            }
        }
        let mut left = self.left_of(&created, &deleted);
        // Last, as nobody can see, or bring back, what is in a tenant that is not active.
        if left.problems.is_empty() {
            self.put_all_tenants_back();
        }
        self.tenants_left(&mut left);
        left
    }

    /// A run that died as it sent the first objects does not know whether they came: where the class
    /// that it created for them is empty, they did not.
    pub(super) fn forget_imports_of_nothing(&self) {
        let unknown: Vec<String> = {
            let state = self.state.borrow();
            let unknown = state.imported.iter().filter(|(_, objects)| **objects == 0);
            unknown.map(|(class, _)| class.clone()).collect()
        };
        for class in unknown {
            if matches!(self.count_of_new(&class), Ok(0)) {
                self.state.borrow_mut().imported.remove(&class);
            }
        }
    }

    fn allow_all_writes(&self) {
        let paused: Vec<String> = self.state.borrow().paused.keys().cloned().collect();
        for class in paused {
            self.allow_writes_now(&class);
        }
    }

    /// A class that was deleted, and is there again as it was.
    fn is_original(&self, class: &str, deleted: &BTreeMap<String, Deleted>) -> bool {
        let Some(before) = deleted.get(class) else { return false };
        matches!(self.class(class), Ok(Some(found)) if same(&found.value, &before.definition))
    }

    fn undo_create(&self, class: &str) -> Result<(), Halt> {
        let Some(found) = self.class(class)? else { return Ok(()) };
        let ours = self
            .state
            .borrow()
            .created
            .get(class)
            .is_some_and(|created| fulfils(&found.value, created));
        if ours { self.delete_class(class).map(drop) } else { Ok(()) }
    }

    fn undo_delete(&self, class: &str, before: &Deleted) -> Result<(), Halt> {
        if self.class(class)?.is_none() {
            self.create_class(&before.definition)?;
        }
        if let Some(tenants) = before.tenants.as_ref().filter(|tenants| !tenants.is_empty()) {
            self.create_tenants(class, tenants)?;
        }
        match (&before.export, self.class(class)?) {
            // What was deleted since must not come back.
            (Some(_), Some(_)) if self.state.borrow().import_done.contains(class) => Ok(()),
            (Some(export), Some(found)) => {
                // Where the run had put its tenants back before it failed.
                self.activate(class)?;
                self.import_export(class, &found.value, export).map(drop)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn warn(&self, text: &str) {
        // What follows tells the same again, so a journal that can't be written hides nothing.
        let _ = self.say(&Event::Warning { text: text.into() });
    }
}
