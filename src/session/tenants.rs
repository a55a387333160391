//! Tenants that are not active: activated for as long as a run needs their objects, and put back.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;

use super::Session;
use super::backup::pretty;
use super::read::check_class_name;
use super::settle::SETTLING;
use crate::change::Change;
use crate::error::{Code, Failure, Halt};
use crate::survey::Replicas;
use crate::text::count;
use crate::weaviate::{Node, TENANTS_AT_ONCE, Tenant};

impl Session {
    /// Activates the tenants of a class that are `INACTIVE`, and waits until each of their replicas is
    /// open. What they were is saved first, and put back by [`Self::put_tenants_back`], or when things
    /// are put back. Returns how many it activated. Those that are offloaded stay as they are.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `rejected`; `unverifiable` where a replica does not open in time.
    pub fn activate_tenants(&self, class: &str) -> Result<usize, Halt> {
        self.remember(class, self.activate(class))
    }

    pub(super) fn activate(&self, class: &str) -> Result<usize, Halt> {
        check_class_name(class)?;
        let tenants = self.tenants(class)?.unwrap_or_default();
        let asleep: Vec<Tenant> = tenants.into_iter().filter(Tenant::is_inactive).collect();
        if asleep.is_empty() {
            return Ok(0);
        }
        let what = || format!("activate {} of class {class}", count(asleep.len(), "tenant"));
        let survey = self.prepare(class, &what)?;
        // Each file as it can be put back by hand: a server takes no more at once.
        for some in asleep.chunks(TENANTS_AT_ONCE) {
            self.save_anew(class, "inactive", &pretty(&json!(some)))?;
        }
        let awake = asleep.iter().map(|tenant| tenant.with("ACTIVE")).collect::<Vec<_>>();
        self.note_activated(class, &asleep);
        let change = Change::ActivateTenants { class: class.into(), tenants: asleep.clone() };
        let request = async |node: &Node| node.set_tenants(class, &awake).await;
        self.send(&change, &survey, request, || self.tenants_are(class, &awake))?;
        self.wait_until_open(class, &awake)?;
        Ok(asleep.len())
    }

    /// Puts the tenants of a class that this run activated back into the states that they had. Returns
    /// how many: none in a rollback, where their objects may still have to come back first.
    ///
    /// # Errors
    ///
    /// Refused by the guard; `rejected`.
    pub fn put_tenants_back(&self, class: &str) -> Result<usize, Halt> {
        if self.is_restoring() {
            return Ok(0);
        }
        self.remember(class, self.deactivate(class))
    }

    fn deactivate(&self, class: &str) -> Result<usize, Halt> {
        check_class_name(class)?;
        let before = self.state.borrow().activated.get(class).cloned().unwrap_or_default();
        if before.is_empty() {
            return Ok(0);
        }
        let there = self.tenants(class)?.unwrap_or_default();
        // Those that somebody put into another state since are not this run's any more.
        let tenants: Vec<Tenant> = before
            .into_iter()
            .filter(|it| there.iter().any(|now| now.name == it.name && now.is_active()))
            .collect();
        if !tenants.is_empty() {
            let what = || format!("deactivate {} of class {class}", count(tenants.len(), "tenant"));
            let survey = self.prepare(class, &what)?;
            let change =
                Change::DeactivateTenants { class: class.into(), tenants: tenants.clone() };
            let request = async |node: &Node| node.set_tenants(class, &tenants).await;
            self.send(&change, &survey, request, || self.tenants_are(class, &tenants))?;
        }
        self.state.borrow_mut().tenants_are_back(class, &tenants, &there);
        Ok(tenants.len())
    }

    /// Remembers what tenants were before this run activated them.
    fn note_activated(&self, class: &str, tenants: &[Tenant]) {
        let mut state = self.state.borrow_mut();
        state.activated.entry(class.into()).or_default().extend(tenants.iter().cloned());
    }

    fn tenants_are(&self, class: &str, wanted: &[Tenant]) -> Result<bool, Halt> {
        let there = self.tenants(class)?.unwrap_or_default();
        let is = |wanted: &Tenant| {
            let same = |now: &&Tenant| now.name == wanted.name;
            there.iter().find(same).is_some_and(|now| now.is_active() == wanted.is_active())
        };
        Ok(wanted.iter().all(is))
    }

    /// Waits until every planned replica of these tenants is open, on the nodes that answer.
    fn wait_until_open(&self, class: &str, tenants: &[Tenant]) -> Result<(), Halt> {
        let names: BTreeSet<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
        let began = Instant::now();
        loop {
            let survey = self.look()?;
            let replicas =
                self.read(async |cluster| Replicas::find(cluster, &survey, class).await)?;
            let unseen = survey.unseen_members();
            let closed =
                replicas.shards.iter().filter(|it| names.contains(it.shard.as_str())).find(
                    |shard| {
                        shard.planned.difference(&shard.held).any(|node| !unseen.contains(node))
                    },
                );
            let missing = match closed {
                Some(shard) => &shard.shard,
                None => return Ok(()),
            };
            if began.elapsed() > self.cluster.answer_timeout() * SETTLING {
                let why = format!("the replicas of tenant `{missing}` of `{class}` do not open");
                return Err(Failure::new(Code::Unverifiable, why)
                    .hint("read the log of the node; its memory may be full")
                    .into());
            }
            self.wait_between_looks(began)?;
        }
    }

    /// Puts back what tenants of every class were; what can't be is told by what is left. Every object
    /// was seen to be there before, and can't be seen any more then.
    pub(super) fn put_all_tenants_back(&self) {
        let classes: Vec<String> = self.state.borrow().activated.keys().cloned().collect();
        for class in classes {
            self.state.borrow_mut().import_done.insert(class.clone());
            if let Err(halt) = self.deactivate(&class) {
                self.warn(&format!("tenants of {class} that this run activated: {halt}"));
            }
        }
    }

    /// Returns what tells the operator of tenants that this run activated and did not put back: of each
    /// class how many, with the commands that do.
    #[must_use]
    pub fn still_active(&self) -> Vec<(String, Vec<String>)> {
        let activated = self.state.borrow().activated.clone();
        let told = activated.into_iter().map(|(class, tenants)| {
            let path = format!("/v1/schema/{class}/tenants");
            let commands = self
                .backups_of(&class, "inactive")
                .into_iter()
                .map(|file| self.curl("PUT", &path, Some(&format!("@{}", file.display()))));
            let number = count(tenants.len(), "tenant");
            let text = format!("{number} of {class} that this run activated may still be active");
            (text, commands.collect())
        });
        told.collect()
    }

    /// Warns of tenants that stay active although the run ended well, as the runbook lacks a step, and
    /// tells what puts them back.
    pub fn tell_active_tenants(&self) {
        for (text, commands) in self.still_active() {
            self.warn(&format!("{text}: `put_tenants_back` was not called for them"));
            for command in &commands {
                self.advise(command);
            }
        }
    }
}
