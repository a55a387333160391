//! One run of a script: its parameters, its steps, and how it ended.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};
use serde_json::Value;

use super::memory::Allowance;
use super::step::Rollback;
use crate::error::{Halt, Stop};
use crate::event::Event;
use crate::session::{Answer, Session};

/// What stands behind an engine while a script runs.
pub struct Run {
    /// The run's session.
    pub session: Session,
    /// Titles of all steps, in order.
    pub steps: Vec<String>,
    /// Values of all parameters.
    pub parameters: BTreeMap<String, Dynamic>,
    /// Whether the operator is asked before each step.
    pub ask_each_step: bool,
    /// Values of the steps that ended well before the run was resumed, by title.
    pub finished: RefCell<BTreeMap<String, Value>>,
    /// Titles of the steps that the operator skipped, also before the run was resumed.
    pub skipped: RefCell<Vec<String>>,
    /// What undoes the steps that began, in order.
    pub rollbacks: RefCell<Vec<Rollback>>,
    /// The step that is running.
    pub current: Cell<Option<Current>>,
    /// How much memory the script may hold.
    pub memory: Allowance,
    /// When the last primitive ended, or the run began.
    pub resting: Cell<Instant>,
    /// The imported file whose call failed last; empty: the runbook itself.
    pub stopped_in: RefCell<String>,
}

/// The step that is running.
#[derive(Debug, Clone, Copy)]
pub struct Current {
    /// Its number from 1.
    step: usize,
    began: Instant,
    /// How long questions had waited for an answer before.
    waited: Duration,
}

/// A step that failed.
#[derive(Debug)]
pub struct FailedStep {
    /// Its number from 1.
    pub step: usize,
    /// Its title.
    pub title: String,
    /// How long it took.
    pub milliseconds: u64,
}

/// What becomes of a step that a script has got to.
pub(super) enum Entered {
    /// It is to be run.
    Begun,
    /// It ended well before the run was resumed, with this value.
    Before(Value),
    /// The operator skips it, or did so before the run was resumed.
    Skipped,
}

/// How a script ended.
pub enum Ended {
    /// By its last line, or by `return` at the top level.
    Well,
    /// By a fault of this program: what was changed has to be put back all the same.
    Panicked,
    /// By an error, with the step in which it happened.
    Badly {
        /// The error.
        error: Box<EvalAltResult>,
        /// The step.
        step: Option<FailedStep>,
    },
}

impl Run {
    /// Runs the script to its end.
    pub fn run(&self, engine: &Engine, ast: &AST) -> Ended {
        self.resting.set(Instant::now());
        let run = AssertUnwindSafe(|| engine.run_ast_with_scope(&mut Scope::new(), ast));
        match catch_unwind(run) {
            Err(_) => Ended::Panicked,
            Ok(Ok(())) => Ended::Well,
            Ok(Err(error)) => {
                let step = self.current.get().map(|current| FailedStep {
                    step: current.step,
                    title: self.steps[current.step - 1].clone(),
                    milliseconds: self.took(current),
                });
                Ended::Badly { error, step }
            }
        }
    }

    /// Runs the rollback blocks of the steps that began, last first.
    pub fn roll_back(&self, engine: &Engine, ast: &AST) {
        self.session.begin_restoring();
        self.resting.set(Instant::now());
        let rollbacks = std::mem::take(&mut *self.rollbacks.borrow_mut());
        for Rollback { title, undo } in rollbacks.into_iter().rev() {
            // What is said here is told again by the restoration that follows.
            let _ = self.session.say(&Event::RollbackStarted { title: title.clone() });
            let error = undo
                .call::<Dynamic>(engine, ast, ())
                .err()
                .filter(|error| !error.is_pseudo_error())
                .map(|error| describe(&error).0);
            let _ = self.session.say(&Event::RollbackFinished { title, error });
        }
    }

    pub(super) fn parameter(&self, name: &str) -> Dynamic {
        self.parameters.get(name).cloned().unwrap_or_default()
    }

    /// Begins a step, unless it is done already or skipped.
    pub(super) fn enter_step(&self, title: &str, optional: bool) -> Result<Entered, Halt> {
        let step = self.steps.iter().position(|it| it == title).map_or(0, |at| at + 1);
        let (of, title) = (self.steps.len(), title.to_owned());
        self.session.check_interrupt()?;
        let done = self.finished.borrow_mut().remove(&title);
        if let Some(value) = done {
            self.session.say(&Event::StepReplayed { step, of, title })?;
            return Ok(Entered::Before(value));
        }
        let skipped = optional && self.skipped.borrow().contains(&title);
        if skipped || self.ask_each_step && self.is_skipped_now(step, &title, optional)? {
            if !skipped {
                self.skipped.borrow_mut().push(title.clone());
            }
            self.session.say(&Event::StepSkipped { step, of, title })?;
            return Ok(Entered::Skipped);
        }
        let waited = self.session.waited();
        self.current.set(Some(Current { step, began: Instant::now(), waited }));
        self.session.say(&Event::StepStarted { step, of, title })?;
        Ok(Entered::Begun)
    }

    /// Asks whether a step is run or skipped; where it is neither, the run stops.
    fn is_skipped_now(&self, step: usize, title: &str, optional: bool) -> Result<bool, Halt> {
        let which = format!("step {step}/{} \"{title}\"", self.steps.len());
        match self.session.ask_step(&format!("Run {which}?"), optional)? {
            Answer::Yes => Ok(false),
            Answer::Skip if optional => Ok(true),
            _ => Err(self.session.stop(Stop::Refused {
                message: format!("the operator stopped before {which}"),
                reasons: vec![],
                hints: vec![],
            })),
        }
    }

    /// Ends the step that is running well, with its value.
    pub(super) fn finish_step(&self, value: Value) -> Result<(), Halt> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let (step, milliseconds) = (current.step, Some(self.took(current)));
        let title = self.steps[step - 1].clone();
        self.session.say(&Event::StepFinished { step, title, value, milliseconds })
    }

    /// Returns how long a step has taken so far, in milliseconds.
    fn took(&self, current: Current) -> u64 {
        let waited = self.session.waited().saturating_sub(current.waited);
        let took = current.began.elapsed().saturating_sub(waited);
        u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Returns an error's message, hint, innermost position and the file that it is in (empty: the
/// runbook itself).
#[must_use]
pub fn describe(error: &EvalAltResult) -> (String, Option<String>, Position, String) {
    let mut file = String::new();
    let mut innermost = error;
    while let EvalAltResult::ErrorInFunctionCall(_, source, inner, _)
    | EvalAltResult::ErrorInModule(source, inner, _) = innermost
    {
        if !source.is_empty() {
            file.clone_from(source);
        }
        innermost = inner;
    }
    let position = innermost.position();
    let (message, hint) = match innermost {
        EvalAltResult::ErrorRuntime(thrown, _) => match thrown.as_map_ref() {
            Ok(map) => {
                let text = |key: &str| map.get(key).map(ToString::to_string);
                (text("message").unwrap_or_else(|| thrown.to_string()), text("hint"))
            }
            Err(_) => (thrown.to_string(), None),
        },
        EvalAltResult::ErrorTerminated(token, _) => (token.to_string(), None),
        EvalAltResult::ErrorFunctionNotFound(call, _) => (
            format!("no function takes these arguments: {}", call.replacen(" (", "(", 1)),
            Some("types can't be checked before; see what the arguments are".into()),
        ),
        EvalAltResult::ErrorTooManyOperations(_) => (
            format!("the script ran for more than {} operations", super::OPERATIONS),
            Some("a loop without end? wait with wait_until(seconds, || condition)".into()),
        ),
        other => {
            let mut other = other.to_string();
            if let Some(at) = other.rfind(" (line ") {
                other.truncate(at);
            }
            (lower_first(&other), None)
        }
    };
    (message, hint, position, file)
}

/// Returns a text with its first letter in lower case, as all our messages have it.
pub(crate) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}
