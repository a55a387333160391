//! What a run says. The terminal, the journal and NDJSON only listen.
//!
//! One type for all three, so that a journal can be shown again by the code that
//! showed the run live. Adding a field is compatible; renaming one is a new
//! [`VERSION`].

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::change::{Change, Outcome};
use crate::forecast::Forecast;
use crate::issue::Issue;

/// Version of the events and of the journal.
pub const VERSION: u32 = 1;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First event of every run.
    RunStarted {
        /// Version of the events.
        version: u32,
        /// The run's id.
        run: String,
        /// Version of this program.
        program: String,
        /// The runbook as the operator named it.
        runbook: String,
        /// Where it was found: a path, or `built in`.
        origin: String,
        /// SHA-256 of its text and of each import's, in hex.
        sha256: Map<String, Value>,
        /// Name and address of each node.
        nodes: Vec<NamedNode>,
        /// The sandbox's scenario; absent on a real cluster.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sandbox: Option<String>,
        /// Whether it is run on a twin of the cluster, and changes nothing there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dry_run: bool,
        /// Every parameter with its value.
        parameters: Map<String, Value>,
        /// The name of `--cluster`, where one was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster: Option<String>,
        /// Titles of the steps, in order.
        steps: Vec<String>,
    },
    /// The run goes on, or is undone, in another process: `resume`, `rollback`.
    RunResumed {
        /// Version of this program.
        program: String,
        /// Whether it is undone.
        rollback: bool,
    },
    /// A step begins.
    StepStarted {
        /// Its number, from 1.
        step: usize,
        /// How many the runbook has.
        of: usize,
        /// Its title.
        title: String,
    },
    /// A step ended well.
    StepFinished {
        /// Its number, from 1.
        step: usize,
        /// Its title.
        title: String,
        /// Its result; what a resumed run takes instead of running it.
        value: Value,
        /// How long it took, but for the time in which questions waited for an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        milliseconds: Option<u64>,
    },
    /// The operator skipped a step: it was not run, nor is it in a run that is resumed.
    StepSkipped {
        /// Its number, from 1.
        step: usize,
        /// How many the runbook has.
        of: usize,
        /// Its title.
        title: String,
    },
    /// A step ended well before the run was resumed: its result is taken from the journal.
    StepReplayed {
        /// Its number, from 1.
        step: usize,
        /// How many the runbook has.
        of: usize,
        /// Its title.
        title: String,
    },
    /// A step ended otherwise.
    StepFailed {
        /// Its number, from 1.
        step: usize,
        /// Its title.
        title: String,
        /// Why.
        message: String,
        /// How long it took, as for one that ended well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        milliseconds: Option<u64>,
    },
    /// The runbook or the host tells something.
    Note {
        /// The text.
        text: String,
    },
    /// The runbook or the host warns.
    Warning {
        /// The text.
        text: String,
    },
    /// One yes/no observation.
    Check {
        /// What was looked at.
        text: String,
        /// Whether it is as it should be.
        passed: bool,
        /// What was found instead.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// Something that a look at the cluster found.
    Issue(Issue),
    /// What was found, to be read at a glance.
    Table {
        /// What it shows.
        title: String,
        /// Headings of the columns.
        columns: Vec<String>,
        /// The rows, each with a cell for every column.
        rows: Vec<Vec<Cell>>,
    },
    /// How many of how many.
    Tally {
        /// What it is about: a class.
        subject: String,
        /// Number that is as it should be.
        count: usize,
        /// Of how many.
        total: usize,
        /// What else is to be known: the factor, where it is less than the number of nodes.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A question and its answer.
    Asked {
        /// The question.
        question: String,
        /// The answer.
        yes: bool,
        /// `operator`, `--yes` or `dry run`.
        by: String,
    },
    /// The definition of a class as the runbook read it: whether it was changed since is seen by it.
    ClassRead {
        /// Its name.
        class: String,
        /// As the leader has it.
        definition: Value,
    },
    /// What the server made of a class that the run created: whether somebody changed it since is seen
    /// by it.
    ClassMade {
        /// Its name.
        class: String,
        /// As the leader has it.
        definition: Value,
    },
    /// A file was written, flushed, read back and compared.
    BackupSaved {
        /// The class; empty for a manifest of all classes.
        class: String,
        /// `schema`, `postable` or `tenants`; `manifest` for the backup of a node, which lists
        /// every file of it with its sum.
        content: String,
        /// Path of the file.
        file: String,
        /// SHA-256 of the file, in hex.
        sha256: String,
        /// Its length.
        bytes: u64,
    },
    /// A change is about to be sent.
    ChangeIntended {
        /// Number of the change in this run, from 1.
        change: usize,
        /// What.
        action: Change,
        /// To which node.
        node: String,
        /// Whether it is part of putting things back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rollback: bool,
    },
    /// How far an import has come: what is before it is not imported again by a run that is resumed.
    ImportReached(Reached),
    /// How far long work has come; not in the journal.
    Progress {
        /// What is done: `exporting`, `importing`, `comparing`, `copying`.
        doing: String,
        /// With which class.
        class: String,
        /// What is counted: `objects`, `replicas`.
        unit: String,
        /// How many of them are done.
        done: u64,
        /// Of how many, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
    },
    /// What became of a change.
    ChangeAnswered {
        /// Its number.
        change: usize,
        /// Whether it was made; see [`Outcome`].
        outcome: Outcome,
        /// The server's answer where it was not a clean one, and what was found out.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// A rollback begins.
    RollbackStarted {
        /// Title of the step that is undone.
        title: String,
    },
    /// A rollback ended.
    RollbackFinished {
        /// Title of the step that is undone.
        title: String,
        /// Why it failed; absent if it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// What a dry run came to; just before its last event.
    DryRun(Forecast),
    /// Last event of every run.
    RunFinished {
        /// The verdict.
        verdict: Verdict,
        /// The exit code.
        exit_code: u8,
        /// The run's id.
        run: String,
        /// The last line for people.
        summary: String,
        /// Whether `resume` can go on from here.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumable: bool,
        /// Commands for putting things right by hand, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        commands: Vec<String>,
        /// Why it did not succeed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Reason>,
        /// Whether it was run on a twin: so it would end on the cluster.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dry_run: bool,
    },
}

/// Why a run did not succeed: what the operator was told with the error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The error, a lower-case fragment.
    pub message: String,
    /// Where in a runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Spot>,
    /// What led to it, or every reason why the host refused, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do, and where the backups are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// A place in a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// The file as the operator knows it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 means the whole line.
    pub column: usize,
    /// What stands in the line.
    pub text: String,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How that is to be taken.
    #[serde(default, skip_serializing_if = "CellState::is_plain")]
    pub state: CellState,
}

/// How a cell is to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// As it is.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Not known.
    Unknown,
    /// Wrong.
    Bad,
}

impl CellState {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// The place that an import has reached in its files, and what it has done up to there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The class.
    pub class: String,
    /// The first of the files.
    pub file: String,
    /// Whether the objects are there, and references are under way.
    pub references: bool,
    /// The tenant of the last object, in a multi-tenant class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The id of the last object.
    pub id: String,
    /// Objects that were written.
    pub imported: u64,
    /// Objects that were there already.
    pub kept: u64,
    /// How many of these are newer.
    pub newer: u64,
    /// Objects that were written without their references, which are to follow.
    pub postponed: u64,
}

/// Name and address of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNode {
    /// The name of `--node`.
    pub name: String,
    /// The address.
    pub url: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every step and check passed.
    Succeeded,
    /// It ran to the end, and checks found problems.
    Findings,
    /// A step failed, and there was nothing to put back or it was to be kept.
    Failed,
    /// The operator said no, or the host refused; nothing was changed by that step.
    Refused,
    /// A step failed, and the original state was put back and verified.
    RolledBack,
    /// A person must act.
    RollbackFailed,
    /// Stopped by a signal.
    Interrupted,
}

impl Verdict {
    /// Returns the exit code; for an interrupted run the signal decides between 130, 143 and 129.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::Findings => 4,
            Self::Refused => 5,
            Self::RolledBack => 6,
            Self::RollbackFailed => 7,
            Self::Interrupted => 130,
        }
    }

    /// Returns the word of `docs/exit-codes.md`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Findings => "findings",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::RolledBack => "rolled back",
            Self::RollbackFailed => "rollback failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Event {
    /// Tells whether it belongs into the journal.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        !matches!(self, Self::Progress { .. })
    }

    /// Tells whether the next thing must not happen before this is on disk.
    #[must_use]
    pub fn must_be_durable(&self) -> bool {
        matches!(
            self,
            Self::RunStarted { .. }
                | Self::RunResumed { .. }
                | Self::ClassRead { .. }
                | Self::ClassMade { .. }
                | Self::StepFinished { .. }
                | Self::StepSkipped { .. }
                | Self::BackupSaved { .. }
                | Self::ChangeIntended { .. }
                | Self::ChangeAnswered { .. }
                | Self::RunFinished { .. }
        )
    }
}

/// Whoever wants to know what happens in a run.
pub trait Listener {
    /// Takes an event.
    ///
    /// # Errors
    ///
    /// The event could not be written. A run ends where its journal can't be written; a terminal
    /// that went away ends nothing.
    fn hear(&mut self, event: &Event) -> io::Result<()>;
}
