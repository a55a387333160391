//! Objects through the change door: a run inserts test records, and deletes those and no others.
//!
//! Every object that a run inserted is remembered until it is proven, replica by replica, that
//! none has it any more.

use std::time::Instant;

use serde_json::Value;

use super::Session;
use super::auto_schema::refuse_unknown;
use super::inserted::Inserted;
use super::read::check_class_name;
use super::settle::SETTLING;
use crate::change::Change;
use crate::error::{Code, Failure, Halt, Stop};
use crate::survey::{Copies, Survey};
use crate::weaviate::{Error, Level, Node, ObjectName, uuid};

impl Session {
    /// Inserts an object and returns its id. One replica that has it is enough, so that it can be
    /// done where others are missing. An empty tenant means none.
    ///
    /// # Errors
    ///
    /// `not_found` for the class or the tenant, `invalid` for a property that the class lacks, as
    /// auto-schema would add it; `rejected` where the server said no; refused by the guard.
    pub fn insert_object(
        &self,
        class: &str,
        properties: &Value,
        tenant: &str,
    ) -> Result<String, Halt> {
        let object = named(class, &new_id(), tenant);
        let made = self.insert(&object, properties, async |node, _| {
            node.insert_object(&object, properties, Level::One).await
        });
        self.remember(class, made.and_then(|()| self.settle_inserted(&object)))?;
        Ok(object.id)
    }

    /// Everything around the request that inserts an object.
    pub(super) fn insert(
        &self,
        object: &ObjectName,
        properties: &Value,
        request: impl AsyncFn(&Node, &Survey) -> Result<(), Error>,
    ) -> Result<(), Halt> {
        self.remember(&object.class, self.insert_unremembered(object, properties, request))
    }

    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    fn insert_unremembered(
        &self,
        object: &ObjectName,
        properties: &Value,
        request: impl AsyncFn(&Node, &Survey) -> Result<(), Error>,
    ) -> Result<(), Halt> {
        let class = &object.class;
        check_class_name(class)?;
        let survey = self.prepare(class, &|| format!("insert an object into class {class}"))?;
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        refuse_unknown(class, properties, &found.value["properties"])?;
        self.refuse_tenant(object, &found.value)?;
        let known = Inserted::now(&survey);
        self.state.borrow_mut().inserted.insert(object.clone(), known);
        let change = Change::InsertObject(object.clone());
        let made = self.send(
            &change,
            &survey,
            async |node| request(node, &survey).await,
            || {
                let copies = self.copies(object)?;
                if copies.on.is_empty() && !copies.unread.is_empty() {
                    return Err(unreadable(object, &copies).into());
                }
                Ok(!copies.on.is_empty())
            },
        );
        // After an answer that said no it can't come any more; after any other a replica that hung
        // may still make it, so that it has to be looked for again.
        if matches!(&made, Err(Halt::Failure(Failure { status: Some(400..=499), .. }))) {
            self.state.borrow_mut().inserted.remove(object);
        }
        made
    }

    /// Deletes an object that this run inserted, and waits until every replica shows that it has
    /// lost it. Returns `false` where no replica had it.
    ///
    /// # Errors
    ///
    /// Refused for any other object, or by the guard; `rejected`; `unverifiable` where a replica
    /// can't be read or still has it.
    pub fn delete_object(&self, class: &str, id: &str, tenant: &str) -> Result<bool, Halt> {
        self.remember(class, self.remove(&named(class, id, tenant)))
    }

    pub(super) fn remove(&self, object: &ObjectName) -> Result<bool, Halt> {
        let class = &object.class;
        check_class_name(class)?;
        let Some(known) = self.state.borrow().inserted.get(object).cloned() else {
            return Err(self.stop(Stop::Refused {
                message: format!("{object} was not inserted by this run, so it is not deleted"),
                reasons: vec![],
                hints: vec!["a runbook deletes its own test records and no other object".into()],
            }));
        };
        if known.is_gone() {
            return Ok(false);
        }
        let survey = self.prepare(class, &|| format!("delete {object}"))?;
        if self.class(class)?.is_none() {
            // Its objects went with it.
            self.is_gone(object);
            return Ok(false);
        }
        let copies = self.copies_in(&survey, object)?;
        if copies.are_gone() {
            self.is_gone(object);
            return Ok(false);
        }
        let everywhere = survey.nodes_with_class(class).len() == survey.nodes.len();
        let complete = everywhere && survey.absent().is_empty();
        // Where replicas are missing, `ALL` deletes none. What counts is the proof that follows.
        let level = if complete { Level::All } else { Level::One };
        for last in [false, true] {
            self.send(
                &Change::DeleteObject(object.clone()),
                &survey,
                async |node| node.delete_object(object, level).await,
                || {
                    let copies = self.copies(object)?;
                    if copies.on.is_empty() && !copies.unread.is_empty() {
                        return Err(unreadable(object, &copies).into());
                    }
                    Ok(copies.on.is_empty())
                },
            )?;
            let copies = self.settle_removed(object)?;
            if copies.are_gone() {
                break;
            }
            if copies.on.is_empty() {
                return Err(unreadable(object, &copies).into());
            }
            // A replica that was slow to insert it may have done so after it deleted it.
            if last {
                let on = copies.on.join(", ");
                let message = format!("{object} was deleted and is still on {on}");
                return Err(Failure::new(Code::Unverifiable, message).into());
            }
        }
        self.is_gone(object);
        Ok(true)
    }

    /// Waits until some replica shows the object, as an answer alone proves nothing; and a while for
    /// all others, as one that gets it only after it was deleted would keep it.
    fn settle_inserted(&self, object: &ObjectName) -> Result<(), Halt> {
        let began = Instant::now();
        loop {
            let copies = self.copies(object)?;
            let waited = began.elapsed();
            if !copies.on.is_empty() {
                if copies.lacking.is_empty() || waited > self.cluster.answer_timeout() / 4 {
                    return Ok(());
                }
            } else if waited > self.cluster.answer_timeout() {
                let message = format!("{object} was inserted, and no replica shows it");
                return Err(Failure::new(Code::Unverifiable, message).into());
            }
            self.wait_between_looks(began)?;
        }
    }

    /// Waits until every replica shows that it lost the object. Returns what is there when it is
    /// waited no longer.
    fn settle_removed(&self, object: &ObjectName) -> Result<Copies, Halt> {
        let began = Instant::now();
        let deadline = began + self.cluster.answer_timeout() * SETTLING / 2;
        loop {
            let copies = self.copies(object)?;
            if copies.on.is_empty() || Instant::now() >= deadline {
                return Ok(copies);
            }
            self.wait_between_looks(began)?;
        }
    }
}

/// An empty tenant means none.
pub(super) fn named(class: &str, id: &str, tenant: &str) -> ObjectName {
    let tenant = (!tenant.is_empty()).then(|| tenant.into());
    ObjectName { class: class.into(), id: id.into(), tenant }
}

fn unreadable(object: &ObjectName, copies: &Copies) -> Failure {
    let why = copies.why_unread();
    Failure::new(
        Code::Unverifiable,
        format!("whether every replica is without {object} is not known: {why}"),
    )
}

/// Returns a random UUID (version 4).
pub(super) fn new_id() -> String {
    let random = fastrand::u128(..) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    uuid(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        let (one, other) = (new_id(), new_id());
        assert_ne!(one, other);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
