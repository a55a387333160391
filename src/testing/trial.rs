//! One test in progress: its cluster, what it has set up, and what did not hold.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use rhai::{Engine, Position, Scope};
use tokio::runtime::Runtime;

use super::{Answers, Outcome};
use crate::error::{Code, Error, Failure};
use crate::host::{Allowance, describe};
use crate::runbook::{TestFile, place};
use crate::sandbox::{Fault, Sandbox, Scenario};

/// What is done with changes when a step fails: `--on-failure`.
pub use crate::cli::OnFailure;

/// A run that a test wants.
#[derive(Debug)]
pub struct Order {
    /// The runbook, as the test calls it.
    pub runbook: String,
    /// `NAME=VALUE` of each parameter.
    pub set: Vec<String>,
    /// Where.
    pub sandbox: Rc<Sandbox>,
    /// What the sandbox was when it was started.
    pub scenario: Scenario,
    /// Who answers.
    pub answers: Answers,
    /// `--accept-data-loss`, each.
    pub accept_data_loss: Vec<String>,
    /// `--accept-degraded`.
    pub accept_degraded: bool,
    /// `--on-failure`.
    pub on_failure: OnFailure,
    /// The test's own folder, in which it runs.
    pub folder: PathBuf,
}

/// Runs what tests want. Its errors are why a run could not begin.
pub type Runner = Rc<dyn Fn(&Order) -> Result<Outcome, Vec<Error>>>;

/// What a run said, for those who read why a test failed.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who: the call of the run.
    pub by: String,
    /// The text.
    pub text: String,
}

/// What became of a test.
#[derive(Debug)]
pub struct Verdict {
    /// What did not hold; empty: it passed.
    pub failures: Vec<Error>,
    /// What its runs said, in order.
    pub said: Vec<Said>,
}

/// One test in progress.
pub struct Trial {
    /// The title of the only test that is run.
    pub(super) title: String,
    file: Rc<TestFile>,
    runtime: Rc<Runtime>,
    runner: Runner,
    folder: PathBuf,
    pub(super) scenario: Cell<Scenario>,
    sandbox: RefCell<Option<Rc<Sandbox>>>,
    /// The faults, as they were written, in the order of the sandbox.
    faults: RefCell<Vec<String>>,
    pub(super) answers: Answers,
    pub(super) accept_data_loss: RefCell<Vec<String>>,
    pub(super) accept_degraded: Cell<bool>,
    pub(super) on_failure: Cell<OnFailure>,
    /// Whether the test's block is running.
    pub(super) inside: Cell<bool>,
    reached: Cell<bool>,
    /// Whether anything was expected: a test that expects nothing can't fail.
    pub(super) expected: Cell<bool>,
    failures: RefCell<Vec<Error>>,
    pub(super) said: RefCell<Vec<Said>>,
    /// When the last word of ours ended, or the test began.
    pub(super) resting: Cell<Instant>,
    pub(super) memory: Allowance,
}

impl Trial {
    /// Sets a test up: a test of this title in a file, with a folder of its own.
    #[must_use]
    pub fn new(
        file: &Rc<TestFile>,
        title: &str,
        runtime: &Rc<Runtime>,
        folder: PathBuf,
        runner: &Runner,
    ) -> Self {
        Self {
            title: title.into(),
            file: file.clone(),
            runtime: runtime.clone(),
            runner: runner.clone(),
            folder,
            scenario: Cell::default(),
            sandbox: RefCell::default(),
            faults: RefCell::default(),
            answers: Answers::default(),
            accept_data_loss: RefCell::default(),
            accept_degraded: Cell::default(),
            on_failure: Cell::new(OnFailure::Rollback),
            inside: Cell::default(),
            reached: Cell::default(),
            expected: Cell::default(),
            failures: RefCell::default(),
            said: RefCell::default(),
            resting: Cell::new(Instant::now()),
            memory: Allowance::begin(),
        }
    }

    /// Runs the test.
    #[must_use]
    pub fn run(&self, engine: &Engine) -> Verdict {
        self.resting.set(Instant::now());
        let ended = engine.run_ast_with_scope(&mut Scope::new(), &self.file.ast);
        if let Err(error) = ended {
            let (message, hint, position, source) = describe(&error);
            let mut failure = Error::failed(message);
            failure.hints.extend(hint);
            self.fail(failure, position, &source);
        } else if !self.reached.get() {
            self.fail(Error::failed("the file ended before this test"), self.position(), "");
        }
        for text in self.answers.unused() {
            let failure = Error::failed(format!("nobody asked for the answer to {text:?}"));
            self.fail(failure, self.position(), "");
        }
        let struck = self.sandbox.borrow().as_ref().map(|it| it.strikes()).unwrap_or_default();
        for (spec, struck) in self.faults.borrow().iter().zip(struck) {
            if struck == 0 {
                let failure = Error::failed(format!("the fault {spec:?} did not strike"))
                    .hint("no request of the runs was the one that it means");
                self.fail(failure, self.position(), "");
            }
        }
        if self.failures.borrow().is_empty() && !self.expected.get() {
            let failure = Error::failed("nothing was expected, so this test can't fail")
                .hint("say what has to hold: expect(run.verdict == \"succeeded\");");
            self.fail(failure, self.position(), "");
        }
        Verdict { failures: self.failures.take(), said: self.said.take() }
    }

    /// Notes what did not hold; `source` is the imported file, empty for the test file itself.
    pub(super) fn fail(&self, failure: Error, position: Position, source: &str) {
        let source = self.file.imports.get(source).unwrap_or(&self.file.source);
        let failure =
            if position.is_none() { failure } else { failure.at(place(source, position)) };
        self.failures.borrow_mut().push(failure);
    }

    /// Tells whether the test of this title is the one that is run.
    pub(super) fn is_meant(&self, title: &str) -> bool {
        let meant = self.title == title;
        if meant {
            self.reached.set(true);
        }
        meant
    }

    /// Returns the test's cluster, and starts it where it does not run yet.
    pub(super) fn sandbox(&self) -> Result<Rc<Sandbox>, Failure> {
        if !self.inside.get() {
            return Err(Failure::new(Code::Invalid, "there is a cluster only within a test"));
        }
        if let Some(sandbox) = &*self.sandbox.borrow() {
            return Ok(sandbox.clone());
        }
        let started = self.runtime.block_on(Sandbox::start(self.scenario.get()));
        let sandbox = Rc::new(started.map_err(|error| {
            Failure::new(Code::Unreachable, format!("the sandbox can't be started: {error}"))
        })?);
        *self.sandbox.borrow_mut() = Some(sandbox.clone());
        Ok(sandbox)
    }

    /// Sets what the cluster is at first.
    pub(super) fn begin_with(&self, scenario: Scenario) -> Result<(), Failure> {
        if self.sandbox.borrow().is_some() {
            return Err(Failure::new(Code::Invalid, "the test has its cluster already")
                .hint("`sandbox(…)` stands before everything else in a test"));
        }
        self.scenario.set(scenario);
        self.sandbox().map(drop)
    }

    /// Lets requests go wrong from here on.
    pub(super) fn inject(&self, spec: &str, fault: Fault) -> Result<(), Failure> {
        self.sandbox()?.inject(fault);
        self.faults.borrow_mut().push(spec.into());
        Ok(())
    }

    /// Adds a line to what is shown where the test fails.
    pub(super) fn note(&self, text: &str) {
        self.said.borrow_mut().push(Said { by: "the test".into(), text: text.into() });
    }

    /// Returns the nodes whose own schema has a class.
    pub(super) fn nodes_with(&self, class: &str) -> Result<Vec<String>, Failure> {
        let sandbox = self.sandbox()?;
        let nodes = sandbox.nodes().into_iter().map(|(name, _)| name);
        Ok(nodes.filter(|node| sandbox.has_class(node, class)).collect())
    }

    /// Runs a runbook on the test's cluster.
    pub(super) fn start(
        &self,
        runbook: &str,
        set: Vec<String>,
        position: Position,
        source: &str,
    ) -> Result<Outcome, Failure> {
        let order = Order {
            runbook: runbook.into(),
            set,
            sandbox: self.sandbox()?,
            scenario: self.scenario.get(),
            answers: self.answers.clone(),
            accept_data_loss: self.accept_data_loss.borrow().clone(),
            accept_degraded: self.accept_degraded.get(),
            on_failure: self.on_failure.get(),
            folder: self.folder.clone(),
        };
        let ran = self.memory.give(|| (self.runner)(&order));
        for question in self.answers.take_unanswered() {
            let last = question.lines().last().unwrap_or_default();
            let failure = Error::failed(format!("no answer fits the question {last:?}"))
                .hint(format!("answer it before the run: answer({last:?}, true);"));
            self.fail(failure, position, source);
        }
        match ran {
            Ok(outcome) => {
                let by = format!("run({runbook:?})");
                self.said.borrow_mut().push(Said { by, text: outcome.output() });
                Ok(outcome)
            }
            Err(errors) => Err(self.not_begun(runbook, errors)),
        }
    }

    /// Notes every error of a run that could not begin but the one that ends the test.
    fn not_begun(&self, runbook: &str, mut errors: Vec<Error>) -> Failure {
        let message = format!("the run of `{runbook}` did not begin");
        if errors.iter().any(|error| error.place.is_some()) {
            self.failures.borrow_mut().append(&mut errors);
            return Failure::new(Code::Invalid, message);
        }
        let why = errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ");
        let failure = Failure::new(Code::Invalid, format!("{message}: {why}"));
        let hint = errors.iter().flat_map(|error| &error.hints).next();
        hint.map_or(failure.clone(), |hint| failure.hint(hint))
    }

    /// Returns where the test begins.
    fn position(&self) -> Position {
        let tests = &self.file.tests;
        tests.iter().find(|it| it.title == self.title).map_or(Position::NONE, |it| it.position)
    }
}
