//! Fewer replicas of a class in place. One is taken away only while writes are paused and every other one
//! has each object as it has it: so nothing is lost with it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Instant;

use super::Session;
use super::read::check_class_name;
use super::writes::shards;
use crate::change::Change;
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::{Sample, Survey};
use crate::text::{count, count_objects};
use crate::weaviate::{Node, ScalePlan, Writes};

/// How often writes are paused to find all replicas the same.
const TRIES: usize = 3;

/// The nodes (RAFT names) from which each shard is taken away.
pub type Removals = BTreeMap<String, BTreeSet<String>>;

impl Session {
    /// Asks the servers which replicas they would take away, so that every shard of a class has so many.
    ///
    /// # Errors
    ///
    /// `not_found`; `rejected` where the servers can't; `unverifiable` where too few would be left, or a
    /// tenant is not active.
    pub fn plan_removals(&self, class: &str, factor: u64) -> Result<Removals, Halt> {
        check_class_name(class)?;
        if factor == 0 {
            return Err(Failure::new(Code::Invalid, "a shard needs one replica").into());
        }
        self.refuse_inactive(class)?;
        let removals = self.scale_plan(class, factor)?.removals;
        let planned = self.planned(class)?;
        for (shard, from) in &removals {
            let nodes = planned.get(shard).into_iter().flatten();
            let left = nodes.filter(|node| !from.contains(*node)).count();
            if (left as u64) < factor {
                let left = count(left, "replica");
                let why = format!("the servers would leave {left} of shard {shard}, not {factor}");
                return Err(Failure::new(Code::Unverifiable, why).into());
            }
        }
        Ok(removals)
    }

    /// Gives a class a smaller factor and lets the servers take these replicas away. Writes are paused
    /// meanwhile, and every object is compared on every replica before.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `conflict` where replicas differ, or the servers plan others now;
    /// `rejected`. Writes are allowed again.
    pub fn remove_replicas(
        &self,
        class: &str,
        factor: u64,
        removals: &Removals,
    ) -> Result<(), Halt> {
        self.remember(class, self.lower(class, factor, removals))
    }

    fn lower(&self, class: &str, factor: u64, removals: &Removals) -> Result<(), Halt> {
        check_class_name(class)?;
        let survey = self.prepare(class, &|| {
            format!("pause writes to class {class} and remove replicas of it")
        })?;
        // A run that died may have done it.
        let removed = if self.are_removed(class, removals)? {
            self.change_factor(class, factor)
        } else {
            self.pause_where_all_are_the_same(class, survey).and_then(|survey| {
                self.change_factor(class, factor)?;
                self.take_away(class, factor, removals, &survey)
            })
        };
        if removed.is_err() {
            self.allow_writes_now(class);
            return removed;
        }
        self.allow_writes(class)
    }

    /// Pauses writes to a class whose replicas are the same. Nodes do not refuse writes in the very same
    /// moment, and what is written in between is on some replicas only: that is brought together by the
    /// servers, who can't while writes are paused, and then it is tried again.
    fn pause_where_all_are_the_same(
        &self,
        class: &str,
        survey: Rc<Survey>,
    ) -> Result<Rc<Survey>, Halt> {
        if let Some(difference) = self.difference_in(class)? {
            let resync = self.commands.run("resync-replicas", &[("class", class)]);
            let hint = format!("bring the replicas together: {resync}");
            return Err(differs(class, &difference).hint(hint).into());
        }
        let mut survey = survey;
        for left in (0..TRIES).rev() {
            self.pause_writes(class, survey)?;
            let difference = self.difference_in(class)?;
            survey = self.look()?;
            // A node that was started meanwhile takes writes again.
            let open = shards(&survey, class, Writes::Allowed);
            let open = open.first().map(|shard| format!("shard {shard} takes writes again"));
            match difference.or(open) {
                None => return Ok(survey),
                Some(difference) if left == 0 => {
                    let hint = "others write to it: stop them, and run it again";
                    return Err(differs(class, &difference).hint(hint).into());
                }
                Some(difference) => {
                    let text = format!("once more, as {difference}");
                    self.say(&Event::Note { text })?;
                }
            }
            self.allow_writes(class)?;
            self.resync(class)?;
            survey = self.prepare(class, &|| format!("pause writes to class {class}"))?;
        }
        Ok(survey)
    }

    /// Compares every object on every replica. Returns what is not the same, or could not be compared.
    fn difference_in(&self, class: &str) -> Result<Option<String>, Halt> {
        let (objects, issues) = self.compare_replicas(class, Sample::All)?;
        let difference = issues.into_iter().next().map(|issue| issue.text);
        if difference.is_none() {
            let text = format!("{} are the same on every replica", count_objects(objects));
            self.say(&Event::Note { text })?;
        }
        Ok(difference)
    }

    fn take_away(
        &self,
        class: &str,
        factor: u64,
        removals: &Removals,
        survey: &Survey,
    ) -> Result<(), Halt> {
        let plan = self.scale_plan(class, factor)?;
        if plan.removals != *removals {
            let why = format!("the servers would take other replicas of `{class}` away by now");
            return Err(Failure::new(Code::Conflict, why).hint("run it again").into());
        }
        let change = Change::RemoveReplicas { class: class.into(), removals: removals.clone() };
        let request = async |node: &Node| node.scale(&plan).await;
        self.send(&change, survey, request, || self.are_removed(class, removals))?;
        let began = Instant::now();
        while !self.are_removed(class, removals)? {
            if began.elapsed() > self.cluster.answer_timeout() {
                let why = format!("the leader still plans replicas of `{class}` that were removed");
                return Err(Failure::new(Code::Unverifiable, why).into());
            }
            self.wait_between_looks(began)?;
        }
        Ok(())
    }

    fn are_removed(&self, class: &str, removals: &Removals) -> Result<bool, Halt> {
        let planned = self.planned(class)?;
        Ok(removals.iter().all(|(shard, from)| {
            planned.get(shard).is_none_or(|nodes| nodes.iter().all(|node| !from.contains(node)))
        }))
    }

    fn scale_plan(&self, class: &str, factor: u64) -> Result<ScalePlan, Halt> {
        let plan = self.read_from_any(async |node| node.scale_plan(class, factor).await)?;
        plan.ok_or_else(|| {
            Failure::new(Code::Rejected, "the servers can't take replicas away")
                .hint(
                    "it needs 1.35 or newer, with REPLICA_MOVEMENT_ENABLED=true on every node; \
                     recreate-with-data.rhai lowers the factor without it",
                )
                .into()
        })
    }

    /// Gives classes their factor back that have all their replicas still.
    pub(super) fn raise_again(&self) {
        let lowered: Vec<(String, u64)> = {
            let state = self.state.borrow();
            let lowered = state.factors.iter().filter(|(_, (before, now))| now < before);
            lowered.map(|(class, (before, _))| (class.clone(), *before)).collect()
        };
        for (class, before) in lowered {
            let raised = self.planned(&class).and_then(|planned| {
                let all = planned.values().all(|nodes| nodes.len() as u64 >= before);
                if all && !planned.is_empty() { self.change_factor(&class, before) } else { Ok(()) }
            });
            if let Err(halt) = raised {
                self.warn(&format!("{class} could not get factor {before} back: {halt}"));
            }
        }
    }
}

fn differs(class: &str, difference: &str) -> Failure {
    let why = format!("`{class}` is not the same on every replica: {difference}");
    Failure::new(Code::Conflict, why)
}
