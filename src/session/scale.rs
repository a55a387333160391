//! More replicas of a class in place, with its objects and without downtime: the servers copy each
//! replica themselves, and the factor follows when every copy is there.
//!
//! Nothing is ever taken away here: a copy that does not get there is cancelled, and one that is there
//! stays, whatever fails later.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Session;
use super::read::check_class_name;
use super::settle::SETTLING;
use super::state::note_factor;
use crate::change::Change;
use crate::error::{Code, Failure, Halt};
use crate::survey::Replicas;
use crate::text::count;
use crate::weaviate::{Movement, Node, ReplicaCopy};

/// How many times longer than for an answer a copy may go on with errors, or without having been begun:
/// its source or its target can't be reached then. One that is under way takes as long as it takes.
const STUCK: u32 = 6;

/// How long is waited between two looks at the copies.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

impl Session {
    /// Plans the copies that give every shard of a class so many replicas. A node that has fewest of
    /// the class gets the next.
    ///
    /// # Errors
    ///
    /// `not_found`; `invalid` for more replicas than there are nodes; `unverifiable` where a node does
    /// not answer, the plan of the servers can't be read, or a tenant is not active.
    pub fn plan_copies(&self, class: &str, factor: usize) -> Result<Vec<ReplicaCopy>, Halt> {
        check_class_name(class)?;
        self.refuse_inactive(class)?;
        let survey = self.look()?;
        if let Some((node, error)) = survey.silent().next() {
            let why = format!("`{node}` does not answer: {}", error.reason());
            return Err(Failure::new(Code::Unverifiable, why).into());
        }
        let nodes: BTreeSet<String> = survey
            .answered()
            .flat_map(|(_, view)| &view.statuses)
            .map(|status| status.name.clone())
            .collect();
        if factor > nodes.len() {
            let why = format!("factor {factor} needs {factor} nodes; there are {}", nodes.len());
            return Err(Failure::new(Code::Invalid, why).into());
        }
        let replicas = self.read(async |cluster| Replicas::find(cluster, &survey, class).await)?;
        if !replicas.planned_known {
            return Err(no_movement().into());
        }
        let mut load: BTreeMap<&String, usize> = nodes.iter().map(|node| (node, 0)).collect();
        for node in replicas.shards.iter().flat_map(|shard| &shard.planned) {
            load.entry(node).and_modify(|load| *load += 1);
        }
        let mut copies = vec![];
        for shard in &replicas.shards {
            let Some(from) = shard.held.intersection(&shard.planned).next() else {
                let why = format!("no node that answers holds shard {}", shard.shard);
                return Err(Failure::new(Code::Unverifiable, why).into());
            };
            let mut free: Vec<&String> = nodes.difference(&shard.planned).collect();
            free.sort_by_key(|node| load[*node]);
            for to in free.into_iter().take(factor.saturating_sub(shard.planned.len())) {
                load.entry(to).and_modify(|load| *load += 1);
                let (shard, from, to) = (shard.shard.clone(), from.clone(), to.clone());
                copies.push(ReplicaCopy { shard, from, to });
            }
        }
        Ok(copies)
    }

    /// Of a tenant that is not active no replica can be copied, nor compared with others.
    pub(super) fn refuse_inactive(&self, class: &str) -> Result<(), Halt> {
        let tenants = self.tenants(class)?.unwrap_or_default();
        let Some(tenant) = tenants.iter().find(|tenant| !tenant.is_active()) else { return Ok(()) };
        let why = format!(
            "tenant `{}` is {}, so its replicas can't be copied or compared",
            tenant.name, tenant.activity_status
        );
        Err(Failure::new(Code::Unverifiable, why).hint("activate it").into())
    }

    /// Lets the servers make these copies, and waits until all are there. Copies that are under way
    /// already are waited for. Where one fails, all that are not there yet are cancelled.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `rejected` where replica movement is off, or a copy does not get there.
    pub fn copy_replicas(&self, class: &str, copies: &[ReplicaCopy]) -> Result<(), Halt> {
        self.remember(class, self.copy_and_wait(class, copies))
    }

    fn copy_and_wait(&self, class: &str, copies: &[ReplicaCopy]) -> Result<(), Halt> {
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("copy replicas of class {class}"))?;
        let begun = copies.iter().try_for_each(|copy| {
            if self.is_copied_or_under_way(class, copy)? {
                return Ok(());
            }
            self.state.borrow_mut().copying.entry(class.into()).or_default().insert(copy.clone());
            let change = Change::CopyReplica { class: class.into(), copy: copy.clone() };
            let ReplicaCopy { shard, from, to } = copy;
            let request =
                async |node: &Node| node.copy_replica(class, shard, from, to).await.map(drop);
            self.send(&change, &survey, request, || self.is_copied_or_under_way(class, copy))
        });
        let made = begun.and_then(|()| self.wait_for_copies(class, copies));
        match &made {
            Ok(()) => {
                let mut state = self.state.borrow_mut();
                let copying = state.copying.remove(class).unwrap_or_default();
                *state.copied.entry(class.into()).or_default() += copying.len();
            }
            // They go on, and so can the run.
            Err(Halt::Stop(_)) => {}
            Err(Halt::Failure(_)) => self.undisturbed(|| {
                self.cancel_copies(class);
                Ok(())
            })?,
        }
        made
    }

    fn wait_for_copies(&self, class: &str, copies: &[ReplicaCopy]) -> Result<(), Halt> {
        let timeout = self.cluster.answer_timeout();
        let mut seen = Instant::now();
        let mut troubled: BTreeMap<ReplicaCopy, Instant> = BTreeMap::new();
        loop {
            let look = self.movements_of(class).and_then(|it| Ok((it, self.planned(class)?)));
            let (movements, planned) = match look {
                Ok(look) => look,
                // The servers go on while they elect a leader, and can't tell.
                Err(Halt::Failure(_)) if seen.elapsed() < timeout * STUCK => {
                    self.wait(BETWEEN_LOOKS)?;
                    continue;
                }
                Err(halt) => return Err(halt),
            };
            seen = Instant::now();
            let mut left = 0;
            for copy in copies {
                let found = movements.iter().rfind(|it| copy.is(class, it));
                let there = planned.get(&copy.shard).is_some_and(|it| it.contains(&copy.to));
                if there && found.is_none_or(Movement::is_over) {
                    continue;
                }
                left += 1;
                let state = found.map_or("gone", |it| it.status.state.as_str());
                let errors = found.map(|it| it.status.errors.as_slice()).unwrap_or_default();
                let idle = matches!(state, "gone" | "REGISTERED" | "CANCELLED");
                if !idle && errors.is_empty() {
                    troubled.remove(copy);
                    continue;
                }
                let since = *troubled.entry(copy.clone()).or_insert_with(Instant::now);
                // The list and the plan are not read in one moment.
                let over = matches!(state, "gone" | "CANCELLED") && since.elapsed() > timeout / 2;
                if over || since.elapsed() > timeout * STUCK {
                    let ReplicaCopy { shard, to, .. } = copy;
                    let why = errors.last().map(|it| format!(": {it}")).unwrap_or_default();
                    let why = format!("the copy of shard {shard} to {to} is {state}{why}");
                    return Err(Failure::new(Code::Rejected, why)
                        .hint(format!("see whether {to} is up and has room, and run it again"))
                        .into());
                }
            }
            if left == 0 {
                return Ok(());
            }
            let (done, all) = ((copies.len() - left) as u64, copies.len() as u64);
            self.tell_progress("copying", class, "replicas", (done, Some(all)))?;
            self.wait(BETWEEN_LOOKS)?;
        }
    }

    /// Cancels the copies of this run that are not there yet, and waits until they have ended.
    pub(super) fn cancel_copies(&self, class: &str) {
        let copies = self.state.borrow().copying.get(class).cloned().unwrap_or_default();
        let cancelled = self.cancel_each(class, &copies);
        match cancelled {
            Ok(()) => drop(self.state.borrow_mut().copying.remove(class)),
            Err(halt) => self.warn(&format!("copies of replicas of {class} may go on: {halt}")),
        }
    }

    fn cancel_each(&self, class: &str, copies: &BTreeSet<ReplicaCopy>) -> Result<(), Halt> {
        let began = Instant::now();
        let told = RefCell::new(BTreeSet::new());
        loop {
            let mut movements = self.movements_of(class)?;
            movements.retain(|it| !it.is_over() && copies.iter().any(|copy| copy.is(class, it)));
            if movements.is_empty() {
                return self.count_copied(class, copies);
            }
            let cancellable = |it: &&Movement| !(it.scheduled_for_cancel || it.uncancelable);
            for movement in movements.iter().filter(cancellable) {
                if !told.borrow_mut().insert(movement.id.clone()) {
                    continue;
                }
                let survey = self.prepare(class, &|| "cancel a copy".into())?;
                let change = Change::CancelCopy {
                    class: class.into(),
                    id: movement.id.clone(),
                    shard: movement.shard.clone(),
                    to: movement.target_node.clone(),
                };
                let request = async |node: &Node| node.cancel_movement(&movement.id).await;
                let sent = self.send(&change, &survey, request, || {
                    let movements = self.movements_of(class)?;
                    let found = movements.iter().find(|it| it.id == movement.id);
                    Ok(found.is_none_or(|it| it.is_over() || it.scheduled_for_cancel))
                });
                // Of one that was nearly there, the next look shows that it can't be cancelled.
                if !super::change::was_not_made(&sent) {
                    sent?;
                }
            }
            if began.elapsed() > self.cluster.answer_timeout() * SETTLING {
                let (ending, left): (Vec<_>, Vec<_>) = movements
                    .into_iter()
                    .partition(|it| it.scheduled_for_cancel || it.uncancelable);
                if left.is_empty() {
                    let nearly = ending.iter().filter(|it| it.uncancelable).count();
                    let cancelled = ending.len() - nearly;
                    self.warn(&format!(
                        "when every node is up, the servers end {} of replicas of {class} and \
                         finish {nearly} that can't be cancelled any more",
                        count(cancelled, "cancelled movement")
                    ));
                    return self.count_copied(class, copies);
                }
                let left = count(left.len(), "movement");
                let why = format!("{left} of replicas of {class} did not end when cancelled");
                return Err(Failure::new(Code::Unverifiable, why).into());
            }
            self.wait(BETWEEN_LOOKS)?;
        }
    }

    /// Remembers how many of these copies got there before the others were cancelled.
    fn count_copied(&self, class: &str, copies: &BTreeSet<ReplicaCopy>) -> Result<(), Halt> {
        let planned = self.planned(class)?;
        let is_there = |copy: &&ReplicaCopy| {
            planned.get(&copy.shard).is_some_and(|nodes| nodes.contains(&copy.to))
        };
        let there = copies.iter().filter(is_there).count();
        *self.state.borrow_mut().copied.entry(class.into()).or_default() += there;
        Ok(())
    }

    fn is_copied_or_under_way(&self, class: &str, copy: &ReplicaCopy) -> Result<bool, Halt> {
        let planned = self.planned(class)?;
        if planned.get(&copy.shard).is_some_and(|it| it.contains(&copy.to)) {
            return Ok(true);
        }
        let movements = self.movements_of(class)?;
        Ok(movements
            .iter()
            .any(|it| copy.is(class, it) && !it.is_over() && !it.scheduled_for_cancel))
    }

    fn movements_of(&self, class: &str) -> Result<Vec<Movement>, Halt> {
        let movements = self.read_from_any(async |node| node.movements().await)?;
        let mut movements = movements.ok_or_else(no_movement)?;
        movements.retain(|movement| movement.collection == class);
        Ok(movements)
    }

    /// Returns the nodes that are to have each shard, as the leader plans it.
    pub(super) fn planned(&self, class: &str) -> Result<BTreeMap<String, Vec<String>>, Halt> {
        let placement = self.read_from_any(async |node| node.placement(class).await)?;
        let shards = placement.ok_or_else(no_movement)?.shards;
        Ok(shards.into_iter().map(|shard| (shard.shard, shard.replicas)).collect())
    }

    /// Gives a class another factor, which every shard must have replicas for, and waits until every
    /// node's own schema has it. Copies no replica and takes none away.
    ///
    /// # Errors
    ///
    /// `not_found`; `rejected` where a shard has fewer replicas; refused by the guard.
    pub fn set_factor(&self, class: &str, factor: u64) -> Result<(), Halt> {
        self.remember(class, self.change_factor(class, factor))
    }

    pub(super) fn change_factor(&self, class: &str, factor: u64) -> Result<(), Halt> {
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("set the factor of class {class}"))?;
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        let before = found.value["replicationConfig"]["factor"].as_u64().unwrap_or(1);
        let mut wanted = found.value;
        wanted["replicationConfig"]["factor"] = factor.into();
        if before == factor {
            return Ok(());
        }
        let change = Change::SetFactor { class: class.into(), before, factor };
        note_factor(&mut self.state.borrow_mut().factors, class, before, factor);
        let has_it = || {
            let found = self.class(class)?;
            Ok(found.is_some_and(|it| it.value["replicationConfig"]["factor"] == factor))
        };
        let request = async |node: &Node| node.update_class(class, &wanted).await;
        let sent = self.send(&change, &survey, request, has_it);
        if super::change::was_not_made(&sent) {
            note_factor(&mut self.state.borrow_mut().factors, class, before, before);
        }
        sent?;
        // Reading it again later is no change by somebody else.
        if let Some(read) = self.state.borrow_mut().read.get_mut(class) {
            read["replicationConfig"]["factor"] = factor.into();
        }
        self.settle_factor(class, factor, &survey)
    }
}

fn no_movement() -> Failure {
    Failure::new(Code::Rejected, "the servers can't copy replicas: their replica movement is off")
        .hint(
            "set REPLICA_MOVEMENT_ENABLED=true on every node and restart them one by one (1.32 or \
             newer); config-replication.rhai repairs an empty class without it",
        )
}
