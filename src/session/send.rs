//! Sending one change: recorded before and after, sent once, and looked up in the cluster where its
//! answer is not clean.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Session;
use super::definition::{fulfils, same};
use crate::change::{Change, Outcome};
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::{Survey, View};
use crate::weaviate::{Error, Node, What};

impl Session {
    /// Records, sends once, finds out what became of it, records.
    #[expect(clippy::needless_pass_by_value, reason = "closures are written where they are passed")]
    pub(super) fn send(
        &self,
        change: &Change,
        survey: &Survey,
        request: impl AsyncFn(&Node) -> Result<(), Error>,
        look_up: impl Fn() -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        let restoring = self.is_restoring();
        let mut nodes: Vec<&Node> = self
            .cluster
            .nodes()
            .iter()
            .zip(&survey.nodes)
            .filter(|(_, seen)| seen.view.as_ref().is_ok_and(|view| can_make(view, change)))
            .map(|(node, _)| node)
            .collect();
        // A change goes to one node. Only while putting things back, and only when the cluster
        // shows that it was not made, the next node is tried.
        nodes.truncate(if restoring { nodes.len() } else { 1 });
        let mut last = Failure::new(Code::Unreachable, "no node answers");
        for node in nodes {
            match self.send_to(node, change, &request, &look_up) {
                Err(Halt::Failure(failure)) if failure.code == Code::Rejected => last = failure,
                other => return other,
            }
        }
        Err(last.into())
    }

    fn send_to(
        &self,
        node: &Node,
        change: &Change,
        request: &impl AsyncFn(&Node) -> Result<(), Error>,
        look_up: &impl Fn() -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        let restoring = self.is_restoring();
        let number = self.changes.get() + 1;
        self.changes.set(number);
        self.say(&Event::ChangeIntended {
            change: number,
            action: change.clone(),
            node: node.name().into(),
            rollback: restoring,
        })?;
        // Not interruptible: a change that was sent is waited for and recorded.
        let Err(error) = self.runtime.block_on(request(node)) else {
            return self.answered(number, Outcome::Done, "");
        };
        let detail = error.to_string();
        // How long an unclear change may take to show itself before it counts as not made.
        let unclear = self.cluster.answer_timeout() / 2;
        let clear = matches!(&error.what, What::Status(status, _) if (400..500).contains(status));
        match self.look_up_until(if clear { Duration::ZERO } else { unclear }, look_up) {
            Ok(true) => self.answered(number, Outcome::FoundDone, &detail),
            Ok(false) => {
                self.answered(number, Outcome::NotDone, &detail)?;
                let mut failure = Failure::from(error);
                failure.code = match failure.code {
                    Code::Denied => Code::Denied,
                    _ => Code::Rejected,
                };
                Err(failure.into())
            }
            Err(Halt::Failure(failure)) if failure.code == Code::Conflict => {
                self.answered(number, Outcome::NotDone, &format!("{detail}; {failure}"))?;
                Err(failure.into())
            }
            Err(Halt::Failure(failure)) => {
                self.answered(number, Outcome::Unknown, &format!("{detail}; {failure}"))?;
                Err(Failure::new(
                    Code::Unverifiable,
                    format!(
                        "whether `{}` was made is not known: {detail}; {failure}",
                        change.imperative()
                    ),
                )
                .into())
            }
            Err(stop) => {
                self.answered(number, Outcome::Unknown, &detail)?;
                Err(stop)
            }
        }
    }

    fn answered(&self, change: usize, outcome: Outcome, detail: &str) -> Result<(), Halt> {
        self.say(&Event::ChangeAnswered { change, outcome, detail: detail.into() })
    }

    /// Looks until the change shows, or the time is over; unreadable is not "no".
    fn look_up_until(
        &self,
        time: Duration,
        look_up: impl Fn() -> Result<bool, Halt>,
    ) -> Result<bool, Halt> {
        let deadline = Instant::now() + time;
        loop {
            let seen = self.undisturbed(&look_up);
            let over = Instant::now() >= deadline;
            match seen {
                Ok(true) => return Ok(true),
                Err(Halt::Failure(failure)) if failure.code == Code::Conflict => {
                    return Err(failure.into());
                }
                other if over => return other,
                _ => std::thread::sleep(Duration::from_millis(250)),
            }
        }
    }

    /// Reads on although a signal came: a change is never left without its record.
    pub(super) fn undisturbed<T>(&self, reading: impl Fn() -> Result<T, Halt>) -> Result<T, Halt> {
        let restoring = std::mem::replace(&mut self.state.borrow_mut().restoring, true);
        let result = reading();
        self.state.borrow_mut().restoring = restoring;
        result
    }

    pub(super) fn look_up_created(&self, class: &str, asked: &Value) -> Result<bool, Halt> {
        match self.class(class)? {
            None => Ok(false),
            Some(found) if fulfils(&found.value, asked) => Ok(true),
            Some(_) => Err(came_back(class).into()),
        }
    }

    pub(super) fn look_up_deleted(&self, class: &str) -> Result<bool, Halt> {
        let Some(found) = self.class(class)? else { return Ok(true) };
        let another = {
            let state = self.state.borrow();
            let before = state.deleted.get(class);
            before.is_some_and(|before| !same(&found.value, &before.definition))
        };
        // Auto-schema may have given it another property: it is the same while its shards are.
        if another && self.still_paused(class)?.is_empty() {
            return Err(came_back(class).into());
        }
        Ok(false)
    }
}

/// Tells whether a change can be sent through a node: an object only through one that has the class,
/// as another one's auto-schema might create it.
fn can_make(view: &View, change: &Change) -> bool {
    match change {
        Change::InsertObject(object) | Change::DeleteObject(object) => {
            view.own_schema.contains_key(&object.class)
        }
        _ => true,
    }
}

pub(super) fn came_back(class: &str) -> Failure {
    Failure::new(
        Code::Conflict,
        format!("there is a class `{class}` that this run did not make: it came back meanwhile"),
    )
    .hint(
        "a writer recreated it through auto-schema; stop the writer, or set \
         AUTOSCHEMA_ENABLED=false on every node",
    )
}
