//! The objects that a run inserted, and what each replica has of an object.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Session;
use super::object::named;
use crate::error::{Code, Failure, Halt};
use crate::survey::{Copies, ShardReplicas, Survey, read};
use crate::weaviate::{ObjectName, Replica};

/// What is known of an object that this run inserted.
#[derive(Debug, Clone)]
pub(super) struct Inserted {
    /// Members that took no part when it was inserted, by their RAFT names.
    absent: BTreeSet<String>,
    /// Whether it is proven that no replica has it any more.
    gone: bool,
}

impl Inserted {
    /// Returns what is known of one that is about to be inserted.
    pub(super) fn now(survey: &Survey) -> Self {
        Self { absent: survey.absent(), gone: false }
    }

    /// Returns what is known of one that this run inserted in another process: any member may have it.
    pub(super) fn some_time() -> Self {
        Self { absent: BTreeSet::new(), gone: false }
    }

    /// Tells whether it is proven that no replica has it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }
}

impl Session {
    /// Returns the copy of an object that the replica on a member (a RAFT name) itself has.
    ///
    /// # Errors
    ///
    /// `not_found` for the class, `invalid` for a node that is no member, `unverifiable` where that
    /// replica can't be read.
    pub fn get_object(
        &self,
        member: &str,
        class: &str,
        id: &str,
        tenant: &str,
    ) -> Result<Option<Value>, Halt> {
        if self.class(class)?.is_none() {
            return Err(self.not_found(class).into());
        }
        let object = named(class, id, tenant);
        let survey = self.look()?;
        let members = survey.members();
        if !members.contains(member) {
            let names: Vec<_> = members.into_iter().collect();
            return Err(Failure::new(
                Code::Invalid,
                format!("`{member}` is no RAFT member; there is {}", names.join(", ")),
            )
            .into());
        }
        let copy = self.read(async |cluster| {
            read(cluster, &survey, &object, member).await.map_err(|why| {
                Failure::new(
                    Code::Unverifiable,
                    format!("the replica of {object} on {member} could not be read: {why}"),
                )
            })
        })?;
        let Replica::Copy(copy) = copy else { return Ok(None) };
        // Where a shard has a single replica, that one answers whichever node is named.
        let mut shards = self.replicas_in(&survey, class)?.shards;
        shards.retain(|shard| object.tenant.as_ref().is_none_or(|name| *name == shard.shard));
        let holds = |shard: &ShardReplicas| shard.known().contains(member);
        if shards.iter().all(|shard| shard.known().len() > 1) || shards.iter().all(holds) {
            return Ok(Some(copy));
        }
        if !shards.iter().any(holds) {
            return Ok(None);
        }
        Err(Failure::new(
            Code::Unverifiable,
            format!("{object} is there; on which node is not known, as shards have one replica"),
        )
        .into())
    }

    /// Returns which replicas have an object.
    pub(super) fn copies(&self, object: &ObjectName) -> Result<Copies, Halt> {
        let survey = self.look()?;
        self.copies_in(&survey, object)
    }

    /// Members that took no part when the object was inserted and take none now can't have got it,
    /// and are not asked.
    pub(super) fn copies_in(&self, survey: &Survey, object: &ObjectName) -> Result<Copies, Halt> {
        let absent = survey.absent();
        let but: BTreeSet<String> = match self.state.borrow().inserted.get(object) {
            Some(known) => known.absent.intersection(&absent).cloned().collect(),
            None => BTreeSet::new(),
        };
        self.read(async |cluster| {
            Ok::<_, Failure>(Copies::find(cluster, survey, object, &but).await)
        })
    }

    pub(super) fn is_gone(&self, object: &ObjectName) {
        if let Some(known) = self.state.borrow_mut().inserted.get_mut(object) {
            known.gone = true;
        }
    }

    /// The objects of a class that was deleted went with it.
    pub(super) fn are_gone_with(&self, class: &str) {
        let mut state = self.state.borrow_mut();
        for (object, known) in &mut state.inserted {
            known.gone |= object.class == class;
        }
    }

    /// Deletes what a step had inserted that died half-way: it inserts others when it runs again.
    ///
    /// # Errors
    ///
    /// As for [`Self::delete_object`].
    pub fn remove_strays(&self) -> Result<(), Halt> {
        let stray = std::mem::take(&mut self.state.borrow_mut().stray);
        stray.iter().try_for_each(|object| self.remove(object).map(drop))
    }

    /// Returns how many of the objects of a class this run inserted itself.
    pub(super) fn still_there(&self, class: &str) -> Result<u64, Halt> {
        let mut there = 0;
        for object in self.still_inserted().iter().filter(|object| object.class == class) {
            there += u64::from(!self.copies(object)?.on.is_empty());
        }
        Ok(there)
    }

    /// Returns the objects that this run inserted and that may still be there.
    pub(super) fn still_inserted(&self) -> Vec<ObjectName> {
        let state = self.state.borrow();
        let there = state.inserted.iter().filter(|(_, known)| !known.gone);
        there.map(|(object, _)| object.clone()).collect()
    }
}
