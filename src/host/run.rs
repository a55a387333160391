//! One run of a script: its parameters, its steps, and how it ended.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};
use serde_json::Value;

use super::memory::Allowance;
use super::step::Rollback;
use crate::error::{Halt, Stop};
use crate::event::Event;
use crate::session::Session;

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
    /// What undoes the steps that began, in order.
    pub rollbacks: RefCell<Vec<Rollback>>,
    /// The step that is running, by its number from 1.
    pub current: Cell<Option<usize>>,
    /// How much memory the script may hold.
    pub memory: Allowance,
    /// When the last primitive ended, or the run began.
    pub resting: Cell<Instant>,
    /// The imported file whose call failed last; empty: the runbook itself.
    pub stopped_in: RefCell<String>,
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
        /// The step's number from 1 and title.
        step: Option<(usize, String)>,
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
                let step = self.current.get().map(|step| (step, self.steps[step - 1].clone()));
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

    /// Returns the value of a step that ended well before the run was resumed.
    pub(super) fn replay(&self, title: &str) -> Result<Option<Value>, Halt> {
        let Some(value) = self.finished.borrow_mut().remove(title) else { return Ok(None) };
        self.session.check_interrupt()?;
        let (step, of) = (self.number(title), self.steps.len());
        self.session.say(&Event::StepReplayed { step, of, title: title.into() })?;
        Ok(Some(value))
    }

    fn number(&self, title: &str) -> usize {
        self.steps.iter().position(|it| it == title).map_or(0, |at| at + 1)
    }

    pub(super) fn begin_step(&self, title: &str) -> Result<usize, Halt> {
        let step = self.number(title);
        self.session.check_interrupt()?;
        let of = self.steps.len();
        if self.ask_each_step && !self.session.ask(&format!("Run step {step}/{of} \"{title}\"?"))? {
            return Err(self.session.stop(Stop::Refused {
                message: format!("the operator stopped before step {step}/{of} \"{title}\""),
                reasons: vec![],
                hints: vec![],
            }));
        }
        self.current.set(Some(step));
        self.session.say(&Event::StepStarted { step, of, title: title.into() })?;
        Ok(step)
    }

    pub(super) fn finish_step(&self, step: usize, title: &str, value: Value) -> Result<(), Halt> {
        self.current.set(None);
        self.session.say(&Event::StepFinished { step, title: title.into(), value })
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
