//! What the host refuses, whatever the script says.
//!
//! Decides on a fresh survey. Every refusal says all its reasons and the way out.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Session;
use crate::error::{Code, Failure, Halt, Stop};
use crate::journal::write_new;
use crate::survey::{Emptiness, Problem, Replicas, Saved, Scrutiny, Survey, look_for_objects};
use crate::weaviate::Tenant;

/// How often a survey is taken again where what it shows may pass by itself, and how long is
/// waited between two: a change that was just made takes a moment to reach every node.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// What a class holds that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// No object, proven.
    Nothing,
    /// Objects that this run exported.
    Exported,
    /// Whatever it is, the operator gave it up.
    GivenUp,
}

impl Session {
    /// Looks at the cluster before the first step of a runbook that changes something, so that a
    /// cluster that can't agree is refused before anything is done.
    ///
    /// # Errors
    ///
    /// Refused with every reason; or a failure where no node answers.
    pub fn inspect(&self) -> Result<(), Halt> {
        let survey = self.look()?;
        let grave = |problem: &Problem| !problem.is_degradation();
        self.refuse_where("no change is safe on this cluster now", &survey, &BTreeSet::new(), grave)
            .map(drop)
    }

    /// Takes a survey. The first of a run is kept in its folder.
    ///
    /// # Errors
    ///
    /// No node answers.
    pub(super) fn look(&self) -> Result<Rc<Survey>, Halt> {
        let silent = self.silent.borrow().clone();
        let survey =
            self.read(async |cluster| Ok::<_, Failure>(Survey::take(cluster, &silent).await))?;
        let survey = Rc::new(survey);
        if self.seen.replace(Some(survey.clone())).is_none() {
            self.keep_survey(&self.folder.survey_before());
        }
        *self.silent.borrow_mut() = survey.silent().map(|(node, _)| node.to_owned()).collect();
        if survey.answered().next().is_some() {
            return Ok(survey);
        }
        let mut failure: Option<Failure> = None;
        let mut reasons = vec![];
        for (node, error) in survey.silent() {
            reasons.push(format!("`{node}` {}", error.reason()));
            failure.get_or_insert_with(|| error.clone().into());
        }
        let first = failure.unwrap_or_else(|| Failure::new(Code::Unreachable, "no nodes"));
        Err(Failure { message: format!("no node can be used: {}", reasons.join(", ")), ..first }
            .into())
    }

    /// Takes a survey and keeps it in the run's folder, as what the cluster came to: what the run saw
    /// last may be older than what it changed last.
    pub fn keep_last_survey(&self) {
        let path = self.folder.survey_after();
        // Of a run that is resumed or undone, what it comes to now counts.
        let _ = std::fs::remove_file(&path);
        // Who stops a run does not want to wait, and it is not over.
        if matches!(self.stopped(), Some(Stop::Interrupted(_))) {
            return;
        }
        let silent = self.silent.borrow().clone();
        let survey = self.runtime.block_on(Survey::take(&self.cluster, &silent));
        self.seen.replace(Some(Rc::new(survey)));
        self.keep_survey(&path);
    }

    /// Keeps the last survey, unless there is one already. It is there to be looked at, so a run goes
    /// on without it; a disk that is full is met by the journal.
    fn keep_survey(&self, path: &Path) {
        if let Some(survey) = &*self.seen.borrow()
            && !path.exists()
        {
            let _ = write_new(path, Saved::of(survey).text().as_bytes());
        }
    }

    /// Refuses while the cluster can't agree. `class` is what the change is about.
    ///
    /// # Errors
    ///
    /// Refused with every reason.
    pub(super) fn guard_agreement(&self, class: &str) -> Result<Rc<Survey>, Halt> {
        let survey = self.look()?;
        if self.is_restoring() {
            return self.guard_restoring(class, survey);
        }
        let degraded = self.permissions.degraded;
        self.refuse_where(
            &format!("no change of `{class}` is safe on this cluster now"),
            &survey,
            &self.repairing(class),
            |problem| !(degraded && problem.is_degradation()),
        )
        .map(|again| again.unwrap_or(survey))
    }

    /// Returns what a change of `class` is about: this class, and one that the script read whose name
    /// it begins with, as a probe for a repair is named after what is repaired.
    pub(super) fn repairing(&self, class: &str) -> BTreeSet<String> {
        let state = self.state.borrow();
        let read = state.read.keys().filter(|read| class.starts_with(read.as_str())).cloned();
        read.chain([class.to_owned()]).collect()
    }

    /// Putting things back is allowed on a cluster that lost a node: what is there afterwards
    /// is decided by the leader and a majority, and the node takes it over when it is back.
    fn guard_restoring(&self, class: &str, survey: Rc<Survey>) -> Result<Rc<Survey>, Halt> {
        let mut survey = survey;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let majority = survey.following() * 2 > survey.members().len().max(1);
            if survey.leader().is_some() && survey.leader_schema.is_ok() && majority {
                return Ok(survey);
            }
            if Instant::now() > deadline {
                return Err(Failure::new(
                    Code::Unreachable,
                    format!("`{class}` can't be put back: no RAFT leader with a majority is seen"),
                )
                .into());
            }
            std::thread::sleep(BETWEEN_LOOKS);
            survey = self.look()?;
        }
    }

    /// Refuses where a problem is left; returns the newer survey where one had to be taken.
    fn refuse_where(
        &self,
        message: &str,
        survey: &Survey,
        repairing: &BTreeSet<String>,
        counts: impl Fn(&Problem) -> bool,
    ) -> Result<Option<Rc<Survey>>, Halt> {
        let mut newer: Option<Rc<Survey>> = None;
        for look in 1.. {
            let agreement = newer.as_deref().unwrap_or(survey).agreement(repairing);
            let problems: Vec<_> = agreement.problems.into_iter().filter(&counts).collect();
            if problems.is_empty() {
                break;
            }
            if look >= LOOKS || !problems.iter().all(Problem::may_pass) {
                return Err(self.refuse(message, &problems));
            }
            self.wait(BETWEEN_LOOKS)?;
            newer = Some(self.look()?);
        }
        Ok(newer)
    }

    fn refuse(&self, message: &str, problems: &[Problem]) -> Halt {
        let mut hints: Vec<String> = vec![];
        for problem in problems {
            let remedy = problem.remedy(&self.commands);
            if !hints.contains(&remedy) {
                hints.push(remedy);
            }
        }
        if problems.iter().all(Problem::is_degradation) {
            hints.push(
                "where the change has to be made all the same, --accept-degraded gets past this"
                    .into(),
            );
        }
        self.stop(Stop::Refused {
            message: message.into(),
            reasons: problems.iter().map(ToString::to_string).collect(),
            hints,
        })
    }

    /// Refuses to delete what may hold objects that this run did not export. Returns what the class
    /// holds.
    ///
    /// # Errors
    ///
    /// Refused, with where objects are or why it could not be found out.
    pub(super) fn guard_objects(
        &self,
        class: &str,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
    ) -> Result<Held, Halt> {
        let restoring = self.is_restoring();
        if self.permissions.data_loss.contains(class) && !restoring {
            self.say(&crate::event::Event::Warning {
                text: format!("--accept-data-loss {class}: its objects are not looked for"),
            })?;
            return Ok(Held::GivenUp);
        }
        let scrutiny = if self.is_a_moment_old(class, survey) {
            Scrutiny::WhoeverAnswers
        } else {
            Scrutiny::Everyone
        };
        let mut emptiness = self.emptiness(class, survey, tenants, scrutiny)?;
        // Before it died the run may have created it this moment, and its shards are not open yet.
        let began = Instant::now();
        while self.state.borrow().resumed
            && matches!(emptiness, Emptiness::Unknown(_))
            && began.elapsed() < self.cluster.answer_timeout()
        {
            self.wait_between_looks(began)?;
            emptiness = self.emptiness(class, &*self.look()?, tenants, scrutiny)?;
        }
        let exported = !restoring && self.state.borrow().exported.contains_key(class);
        let (message, reasons, hint) = match emptiness {
            Emptiness::Empty => return Ok(Held::Nothing),
            // Whether really every one is told by the sweep.
            _ if exported => return Ok(Held::Exported),
            Emptiness::Objects(place) => (
                format!("`{class}` holds objects, so it is not deleted"),
                vec![place],
                "scale-replicas.rhai raises the factor of a class that holds objects, and \
                 recreate-with-data.rhai takes them along"
                    .to_owned(),
            ),
            Emptiness::Unknown(reasons) => (
                format!("`{class}` is not deleted: that it is empty can't be proven"),
                reasons,
                "bring back what does not answer, or activate the tenants, and run it again"
                    .to_owned(),
            ),
        };
        let hints = vec![
            hint,
            format!("if its objects may be lost for good, name it: --accept-data-loss {class}"),
        ];
        Err(self.stop(Stop::Refused { message, reasons, hints }))
    }

    fn emptiness(
        &self,
        class: &str,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
        scrutiny: Scrutiny,
    ) -> Result<Emptiness, Halt> {
        let emptiness = self.read(async |cluster| {
            let replicas = Replicas::find(cluster, survey, class).await?;
            Ok::<_, crate::weaviate::Error>(
                look_for_objects(cluster, survey, &replicas, class, tenants, scrutiny).await,
            )
        });
        match emptiness {
            Ok(emptiness) => Ok(emptiness),
            Err(Halt::Failure(failure)) => Ok(Emptiness::Unknown(vec![failure.message])),
            Err(stop) => Err(stop),
        }
    }

    /// Tells whether this run made the class, under a name that was free, some seconds ago, and the
    /// nodes that do not answer now did not answer then: they can't have got an object of it.
    /// Without this a probe could not be removed from a cluster with a node down.
    pub(super) fn is_a_moment_old(&self, class: &str, survey: &Survey) -> bool {
        let state = self.state.borrow();
        let Some((made, silent)) = state.made.get(class) else { return false };
        made.elapsed() < Duration::from_secs(10)
            && !state.deleted.contains_key(class)
            && survey.silent().all(|(node, _)| silent.contains(node))
    }

    /// Waits a moment before the cluster is looked at again: a change reaches the other nodes within
    /// some tenths of a second, or not soon.
    ///
    /// # Errors
    ///
    /// A signal came.
    pub(super) fn wait_between_looks(&self, began: Instant) -> Result<(), Halt> {
        let soon = began.elapsed() < Duration::from_secs(1);
        self.wait(Duration::from_millis(if soon { 10 } else { 250 }))
    }

    /// Waits; a signal ends the wait.
    ///
    /// # Errors
    ///
    /// A signal came.
    pub fn wait(&self, time: Duration) -> Result<(), Halt> {
        self.read(async |_| {
            tokio::time::sleep(time).await;
            Ok::<_, Failure>(())
        })
    }
}
