//! Waiting after a change until every node shows it in its own schema: the leader has it first.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::Value;

use super::Session;
use super::definition::fulfils;
use super::send::came_back;
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::Survey;
use crate::weaviate::Node;

/// How many times longer than for an answer is waited until every node shows a change in its own
/// schema.
pub(super) const SETTLING: u32 = 3;

impl Session {
    /// Waits until every node that takes part has the class in its own schema.
    pub(super) fn settle_created(
        &self,
        class: &str,
        asked: &Value,
        survey: &Survey,
    ) -> Result<(), Halt> {
        let late = self.wait_for_nodes(class, survey, |found| {
            found.is_some_and(|found| fulfils(found, asked))
        })?;
        // The leader decides: whatever is there now, is it what was asked for?
        if !self.look_up_created(class, asked)? {
            return Err(Failure::new(
                Code::Conflict,
                format!("`{class}` was created and is gone again: somebody else deleted it"),
            )
            .into());
        }
        for (node, why) in late {
            self.say(&Event::Check {
                text: format!("{node} has {class} in its own schema"),
                passed: false,
                detail: why,
            })?;
        }
        Ok(())
    }

    /// Waits until every node that takes part shows the factor in its own schema.
    pub(super) fn settle_factor(
        &self,
        class: &str,
        factor: u64,
        survey: &Survey,
    ) -> Result<(), Halt> {
        let late = self.wait_for_nodes(class, survey, |found| {
            found.is_some_and(|found| found["replicationConfig"]["factor"] == factor)
        })?;
        late.into_iter().try_for_each(|(node, why)| {
            let text = format!("{node} has factor {factor} of {class} in its own schema");
            self.say(&Event::Check { text, passed: false, detail: why })
        })
    }

    pub(super) fn settle_deleted(&self, class: &str, survey: &Survey) -> Result<(), Halt> {
        let late = self.wait_for_nodes(class, survey, |found| found.is_none())?;
        if self.class(class)?.is_some() {
            return Err(came_back(class).into());
        }
        if late.is_empty() {
            return Ok(());
        }
        let each: Vec<_> = late.iter().map(|(node, why)| format!("`{node}` {why}")).collect();
        Err(Failure::new(
            Code::Unverifiable,
            format!("not every node shows that it lost `{class}`: {}", each.join(", ")),
        )
        .into())
    }

    /// Asks each node for its own view until it is as wanted. Returns those that did not show it
    /// in time, each with what it showed.
    fn wait_for_nodes(
        &self,
        class: &str,
        survey: &Survey,
        wanted: impl Fn(Option<&Value>) -> bool,
    ) -> Result<Vec<(String, String)>, Halt> {
        let began = Instant::now();
        let deadline = began + self.cluster.answer_timeout() * SETTLING;
        // Nodes that were down before the change were accepted by the operator, or are what a
        // rollback has to live with.
        let (up, down): (Vec<_>, Vec<_>) =
            self.cluster.nodes().iter().zip(&survey.nodes).partition(|(_, seen)| seen.view.is_ok());
        for (node, _) in down {
            self.say(&Event::Warning {
                text: format!("`{}` did not answer before, so it is not waited for", node.name()),
            })?;
        }
        let mut waiting: Vec<&Node> = up.into_iter().map(|(node, _)| node).collect();
        loop {
            let answers =
                self.read(async |_| {
                    Ok::<_, Failure>(
                        join_all(waiting.iter().map(|node| async move {
                            (*node, node.own_class_listed(class).await)
                        }))
                        .await,
                    )
                })?;
            let mut late = vec![];
            for (node, answer) in answers {
                let why = match answer {
                    Ok(found) if wanted(found.as_ref()) => continue,
                    Ok(Some(_)) => "still has another one".to_owned(),
                    Ok(None) => "does not have it".to_owned(),
                    Err(error) => error.reason(),
                };
                late.push((node, why));
            }
            if late.is_empty() || Instant::now() >= deadline {
                return Ok(late
                    .into_iter()
                    .map(|(node, why)| (node.name().to_owned(), why))
                    .collect());
            }
            waiting = late.into_iter().map(|(node, _)| node).collect();
            self.wait_between_looks(began)?;
        }
    }
}
