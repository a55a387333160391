//! What a report tells, in the order in which it is told.

use super::builder::Builder;
use super::grid::Grid;
use super::time::{between, moment, took};
use crate::change::Outcome;
use crate::event::{Cell, NamedNode, Reason, Verdict};
use crate::issue::Issue;
use crate::journal::Reading;

/// What a report tells of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The run's id.
    pub run: String,
    /// The run's folder, where its journal and its backups are.
    pub folder: String,
    /// The runbook as the operator named it.
    pub runbook: String,
    /// Where it was found.
    pub origin: String,
    /// Version of the program.
    pub program: String,
    /// Name and address of each node.
    pub nodes: Vec<NamedNode>,
    /// The name of `--cluster`.
    pub cluster: Option<String>,
    /// The sandbox's scenario.
    pub sandbox: Option<String>,
    /// Each parameter with its value.
    pub parameters: Vec<(String, String)>,
    /// When it began.
    pub began: String,
    /// When the last thing was recorded.
    pub last: String,
    /// How it ended; `None` while it is under way, or where it died.
    pub end: Option<End>,
    /// Why its journal can't be trusted from some record on.
    pub broken: Option<String>,
    /// What happened, in order.
    pub parts: Vec<Part>,
    /// Steps that were not run, with their numbers.
    pub not_run: Vec<(usize, String)>,
    /// What was warned of, also where no step ran.
    pub warnings: Vec<String>,
    /// The changes that were sent.
    pub changes: Vec<SentChange>,
    /// The files that were saved.
    pub saved: Vec<SavedFile>,
    /// The texts that were run.
    pub sources: Vec<Source>,
    /// The cluster before it, where that was kept.
    pub before: Option<Grid>,
    /// The cluster after it, where that was kept.
    pub after: Option<Grid>,
    /// Classes that it read, saved, changed or judged.
    pub touched: Vec<String>,
}

/// How a run ended, or was stopped.
#[derive(Debug, Clone)]
pub struct End {
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code.
    pub exit_code: u8,
    /// The last line.
    pub summary: String,
    /// Whether `resume` can go on from there.
    pub resumable: bool,
    /// Commands for the operator.
    pub commands: Vec<String>,
    /// Why it did not succeed.
    pub error: Option<Reason>,
}

/// A step, or what happened beside one.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// When it began.
    pub at: String,
    /// What became of it.
    pub state: State,
    /// How long it took, in milliseconds.
    pub milliseconds: Option<u64>,
    /// What was said meanwhile, in order.
    pub entries: Vec<Entry>,
}

/// What a part of a report is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A step.
    Step {
        /// Its number, from 1.
        step: usize,
        /// Its title.
        title: String,
    },
    /// What happened outside of steps.
    Beside,
    /// The rollback of the step with this title.
    Rollback(String),
    /// The run went on in another process, of this version of the program.
    Resumed(String),
    /// It was undone by `rollback`, of this version of the program.
    Undone(String),
    /// It had stopped, before it went on.
    Stopped(Box<End>),
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It did not end: the run died, or is there now.
    Open,
    /// It ended well.
    Done,
    /// It had ended well before the run went on.
    DoneBefore,
    /// The operator skipped it.
    Skipped,
    /// It failed.
    Failed,
}

/// Something that was said.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A note.
    Note(String),
    /// A warning.
    Warning(String),
    /// Why a step or a rollback failed.
    Error(String),
    /// A check.
    Check {
        /// What was looked at.
        text: String,
        /// Whether it is as it should be.
        passed: bool,
        /// What was found instead.
        detail: String,
    },
    /// Something that was found.
    Issue(Issue),
    /// A table.
    Table {
        /// What it shows.
        title: String,
        /// Headings of the columns.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Vec<Cell>>,
    },
    /// On how many nodes something is.
    Tally(String),
    /// A question and its answer.
    Asked {
        /// The question.
        question: String,
        /// The answer, and who gave it.
        answer: String,
    },
    /// A change, by its place in [`Report::changes`].
    Change(usize),
    /// A file that was saved, by its place in [`Report::saved`].
    Saved(usize),
}

/// A change that was sent.
#[derive(Debug, Clone)]
pub struct SentChange {
    /// Its number in the run.
    pub number: usize,
    /// When it was sent.
    pub at: String,
    /// What, as something to do.
    pub wanted: String,
    /// What, as something done.
    pub done: String,
    /// To which node.
    pub node: String,
    /// Whether it is part of putting things back.
    pub rollback: bool,
    /// What became of it; `None` where no answer is recorded.
    pub answer: Option<Answered>,
}

/// What became of a change.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Whether it was made.
    pub outcome: Outcome,
    /// What else is known of it.
    pub detail: String,
}

/// A file that was saved.
#[derive(Debug, Clone)]
pub struct SavedFile {
    /// The class; empty for all.
    pub class: String,
    /// What it holds.
    pub content: String,
    /// Its path.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
}

/// A text that was run.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the file in the run's folder.
    pub name: String,
    /// SHA-256 as it was run, in hex.
    pub sha256: String,
    /// The text, where it is known.
    pub text: Option<String>,
}

/// How something is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// To be looked at.
    Caution,
    /// Wrong.
    Bad,
}

impl Report {
    /// Makes the report of a run from what its journal holds.
    ///
    /// # Errors
    ///
    /// The journal has no beginning: nothing can be told.
    pub fn of(reading: &Reading) -> Result<Self, &'static str> {
        let mut report = Builder::read(&reading.records)?;
        report.broken = match &reading.broken {
            Some(broken) if !broken.torn => Some(broken.to_string()),
            _ => None,
        };
        Ok(report)
    }

    /// Returns the headline: the last line of the run, or that there is none.
    #[must_use]
    pub fn headline(&self) -> String {
        match (&self.broken, &self.end) {
            (Some(broken), _) => format!(
                "JOURNAL BROKEN: {broken}; what is told here ends before it, and how the run ended is \
                 not known"
            ),
            (None, Some(end)) => end.summary.clone(),
            (None, None) => format!(
                "NOT ENDED: the run is under way, or it died; the last record is of {}",
                moment(&self.last)
            ),
        }
    }

    /// Returns the verdict in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        match &self.end {
            Some(end) if self.broken.is_none() => {
                let more = if end.resumable { ", can be resumed" } else { "" };
                format!("{}, exit code {}{more}", end.verdict.as_str(), end.exit_code)
            }
            _ => "no verdict".into(),
        }
    }

    /// Returns how the headline is to be taken.
    #[must_use]
    pub fn tone(&self) -> Tone {
        match &self.end {
            Some(end) if self.broken.is_none() => tone(end.verdict),
            _ => Tone::Bad,
        }
    }

    /// Returns the commands that the operator is told to run, and what they are for.
    #[must_use]
    pub fn commands(&self) -> Option<(&'static str, Vec<String>)> {
        let Some(end) = self.end.as_ref().filter(|_| self.broken.is_none()) else {
            let ways =
                ["resume", "rollback"].map(|way| format!("elysia-runbook {way} {}", self.run));
            let known = self.sandbox.is_none() && self.broken.is_none();
            return known.then(|| ("If it died, one of these", ways.into()));
        };
        let what = match end.verdict {
            _ if end.resumable => "What to run next, one of these",
            Verdict::Succeeded | Verdict::Findings => {
                "What to run, in this order, after a look at each"
            }
            _ => "Put it right by hand, in this order, after a look at each",
        };
        (!end.commands.is_empty()).then(|| (what, end.commands.clone()))
    }

    /// Returns what is said where no change is recorded.
    #[must_use]
    pub fn no_change(&self) -> &'static str {
        match self.broken {
            Some(_) => {
                "None is recorded before the journal breaks: whether it changed anything is not known."
            }
            None => "None: this run changed nothing.",
        }
    }

    /// Returns where it ran.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.sandbox, &self.cluster) {
            (Some(scenario), _) => format!("the sandbox {scenario}, which ended with the run"),
            (None, Some(name)) => format!("{name}, of elysia-runbook.toml"),
            (None, None) => "named on the command line".into(),
        }
    }

    /// Returns how long it took from the first record to the last, where that can be known.
    #[must_use]
    pub fn took(&self) -> Option<String> {
        between(&self.began, &self.last).and_then(took)
    }
}

impl SentChange {
    /// Returns what became of it, and how that is to be taken.
    #[must_use]
    pub fn outcome(&self) -> (&'static str, Tone) {
        match self.answer.as_ref().map(|answer| answer.outcome) {
            Some(Outcome::Done) => ("done", Tone::Good),
            Some(Outcome::FoundDone) => {
                ("done: the answer was not clean, and the cluster shows it", Tone::Caution)
            }
            Some(Outcome::NotDone) => ("not done", Tone::Bad),
            Some(Outcome::Partly) => ("not all was done", Tone::Bad),
            Some(Outcome::Unknown) => ("whether it was done is not known", Tone::Bad),
            None => ("no answer is recorded: whether it was done is not known", Tone::Bad),
        }
    }

    /// Returns it as something done, where it was, or as something to do.
    #[must_use]
    pub fn text(&self) -> &str {
        let done = matches!(
            self.answer.as_ref().map(|answer| answer.outcome),
            Some(Outcome::Done | Outcome::FoundDone)
        );
        if done { &self.done } else { &self.wanted }
    }

    /// Returns what else is known of it.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.answer.as_ref().map(|answer| answer.detail.as_str()).unwrap_or_default()
    }
}

impl Part {
    /// Returns what became of a step, in words; nothing where it ended well.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Open if matches!(self.kind, Kind::Step { .. } | Kind::Rollback(_)) => {
                "did not end"
            }
            State::Open | State::Done => "",
            State::DoneBefore => "done before",
            State::Skipped => "skipped by the operator",
            State::Failed => "failed",
        }
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Succeeded => Tone::Good,
        Verdict::Findings | Verdict::Refused | Verdict::RolledBack => Tone::Caution,
        Verdict::Failed | Verdict::RollbackFailed | Verdict::Interrupted => Tone::Bad,
    }
}
