//! Pausing the writes to a class while it is proven to be empty and deleted: what the server has
//! acknowledged is seen by the proof, and nothing is acknowledged after it.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

use futures_util::{StreamExt, stream};

use super::Session;
use crate::change::Change;
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::Survey;
use crate::weaviate::{Error, Node, Writes};

/// How many shards are told side by side.
const SHARDS_AT_ONCE: usize = 16;

impl Session {
    /// Makes every shard of a class refuse writes, and waits until each replica says that it does.
    /// Returns the survey that shows it.
    ///
    /// # Errors
    ///
    /// `unverifiable` where a replica does not show it in time; `rejected`. Writes may be paused then.
    pub(super) fn pause_writes(&self, class: &str, survey: Rc<Survey>) -> Result<Rc<Survey>, Halt> {
        let mut survey = survey;
        let mut told = BTreeSet::new();
        let began = Instant::now();
        loop {
            let open = shards(&survey, class, Writes::Allowed);
            if open.is_empty() {
                return Ok(survey);
            }
            // A writer may have made another tenant since.
            let new = &open - &told;
            if !new.is_empty() {
                told.extend(new.clone());
                self.state.borrow_mut().paused.entry(class.into()).or_default().extend(new.clone());
                let change = Change::PauseWrites { class: class.into(), shards: new.clone() };
                self.set_writes(&change, &survey, &new, Writes::Paused)?;
            } else if began.elapsed() > self.cluster.answer_timeout() {
                return Err(still(class, &open, "take writes"));
            } else {
                self.wait_between_looks(began)?;
            }
            survey = self.look()?;
        }
    }

    /// Lets the shards of a class take writes again that refuse them because of this run. Where the
    /// class is gone there are none.
    ///
    /// # Errors
    ///
    /// No leader; `rejected`; `unverifiable` where a replica does not show it in time.
    pub(super) fn allow_writes(&self, class: &str) -> Result<(), Halt> {
        let Some(shards) = self.state.borrow().paused.get(class).cloned() else { return Ok(()) };
        if self.class(class)?.is_some() && self.may_be_paused(class)? {
            let survey = self.prepare(class, &|| format!("allow writes to class {class}"))?;
            let change = Change::AllowWrites { class: class.into(), shards: shards.clone() };
            self.set_writes(&change, &survey, &shards, Writes::Allowed)?;
            let began = Instant::now();
            loop {
                let closed = self.still_paused(class)?;
                if closed.is_empty() {
                    break;
                }
                if began.elapsed() > self.cluster.answer_timeout() {
                    return Err(still(class, &closed, "refuse writes"));
                }
                self.wait_between_looks(began)?;
            }
        }
        self.state.borrow_mut().paused.remove(class);
        Ok(())
    }

    /// Lets them at once, whatever happened: a writer must not wait for the end of the run. What
    /// can't be done now is tried again when things are put back.
    pub(super) fn allow_writes_now(&self, class: &str) {
        let allowed = self.undisturbed(|| self.allow_writes(class));
        if let Err(halt) = allowed {
            self.warn(&format!("writes to {class} are still paused: {halt}"));
        }
    }

    /// Waits until no server tries any more to write to a class that this run deleted. A node that is
    /// asked to write to the shard of another one tries again for seconds where that one refuses. Were
    /// a class of the name there by then, it would make a shard for it that belongs to nothing, and the
    /// object, acknowledged, would never be seen again.
    ///
    /// # Errors
    ///
    /// A signal came.
    pub(super) fn wait_for_writers(&self, class: &str) -> Result<(), Halt> {
        let Some(deleted) = self.state.borrow().draining.get(class).copied() else { return Ok(()) };
        let left = self.cluster.drain().saturating_sub(deleted.elapsed());
        if !left.is_zero() {
            let seconds = left.as_secs_f64().ceil();
            let text = format!("waiting {seconds} s for the end of writes to the deleted {class}");
            self.say(&Event::Note { text })?;
            self.wait(left)?;
        }
        self.state.borrow_mut().draining.remove(class);
        Ok(())
    }

    /// Tells whether a shard refuses writes because of this run, or no node tells of any: another class
    /// of the name, made since, has other shards.
    fn may_be_paused(&self, class: &str) -> Result<bool, Halt> {
        let none_seen = self.look()?.replicas_of(class).next().is_none();
        Ok(none_seen || !self.still_paused(class)?.is_empty())
    }

    /// Returns the shards that refuse writes because of this run, as far as nodes tell.
    pub(super) fn still_paused(&self, class: &str) -> Result<BTreeSet<String>, Halt> {
        let closed = shards(&*self.look()?, class, Writes::Paused);
        let state = self.state.borrow();
        let ours = state.paused.get(class);
        Ok(closed.into_iter().filter(|shard| ours.is_some_and(|it| it.contains(shard))).collect())
    }

    fn set_writes(
        &self,
        change: &Change,
        survey: &Survey,
        shards_of: &BTreeSet<String>,
        writes: Writes,
    ) -> Result<(), Halt> {
        let class = change.class();
        let request = async |node: &Node| -> Result<(), Error> {
            let answers: Vec<Result<(), Error>> = stream::iter(shards_of)
                .map(|shard| node.set_writes(class, shard, writes))
                .buffer_unordered(SHARDS_AT_ONCE)
                .collect()
                .await;
            // All were sent before it is looked up what became of one that failed.
            answers.into_iter().collect()
        };
        let other = match writes {
            Writes::Allowed => Writes::Paused,
            Writes::Paused => Writes::Allowed,
        };
        self.send(change, survey, request, || {
            Ok(shards(&*self.look()?, class, other).is_disjoint(shards_of))
        })
    }
}

/// Returns the shards of a class of which a replica does this with writes, as far as nodes tell.
pub(super) fn shards(survey: &Survey, class: &str, writes: Writes) -> BTreeSet<String> {
    let replicas = survey.replicas_of(class);
    let found = replicas.filter(|replica| replica.is_read_only() == (writes == Writes::Paused));
    found.map(|replica| replica.name.clone()).collect()
}

fn still(class: &str, shards: &BTreeSet<String>, what: &str) -> Halt {
    let shards: Vec<&str> = shards.iter().map(String::as_str).collect();
    let message = format!("shards of `{class}` still {what}: {}", shards.join(", "));
    Failure::new(Code::Unverifiable, message).into()
}
