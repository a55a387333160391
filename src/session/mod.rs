//! One run in progress. Everything a script can do goes through one of two doors:
//! `read`, which can be interrupted, and `change`, which is guarded, recorded
//! before and after, and looked up when its answer is not clean.
//!
//! Knows nothing of Rhai and prints nothing.

mod auto_schema;
mod backup;
mod backup_node;
mod carried;
mod change;
mod definition;
mod examine;
mod export;
mod files;
mod guard;
mod import;
mod inserted;
mod interrupt;
mod lag;
mod late;
mod left;
mod lower;
mod object;
mod operator;
mod pace;
mod read;
mod recorder;
mod restore;
mod restore_class;
mod resync;
mod scale;
mod send;
mod settle;
mod state;
mod tenants;
mod writes;

pub use backup_node::NodeBackup;
pub use carried::Carried;
pub use definition::is_class_name;
pub use export::Export;
pub use interrupt::Interrupt;
pub use lag::{Arrival, Lag};
pub use left::Restoration;
pub use lower::Removals;
pub use operator::{Answer, Operator};
pub use recorder::{Counts, Recorder, Tally};
pub use restore_class::Restored;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::error::{Failure, Halt, Signal, Stop};
use crate::event::Event;
use crate::journal::RunFolder;
use crate::survey::{Commands, Survey};
use crate::weaviate::Cluster;
use pace::Pace;
use state::State;

/// What the operator allowed on the command line.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// `--yes`: answers questions, never refusals.
    pub yes: bool,
    /// `--accept-degraded`.
    pub degraded: bool,
    /// `--accept-data-loss CLASS`, each.
    pub data_loss: BTreeSet<String>,
}

/// One run in progress.
pub struct Session {
    runtime: Runtime,
    cluster: Cluster,
    permissions: Permissions,
    operator: Box<dyn Operator>,
    recorder: RefCell<Recorder>,
    interrupt: Interrupt,
    folder: RunFolder,
    /// What the operator is told before the first change; `None` in the sandbox: nothing to ask.
    announcement: Option<String>,
    /// How commands for the operator reach the cluster.
    commands: Commands,
    /// The folder that stands for all others: in a dry run.
    instead: Option<PathBuf>,
    changes: Cell<usize>,
    /// Whether nodes were seen to have come apart.
    apart: Cell<bool>,
    /// Nodes that did not answer when they were asked last.
    silent: RefCell<BTreeSet<String>>,
    /// The last survey.
    seen: RefCell<Option<Rc<Survey>>>,
    /// When long work was told of last.
    told: Cell<Option<Instant>>,
    /// How long questions have waited for an answer.
    waited: Cell<Duration>,
    pace: RefCell<Pace>,
    state: RefCell<State>,
}

/// What a session is made of.
pub struct Parts {
    /// Runs the requests.
    pub runtime: Runtime,
    /// The nodes.
    pub cluster: Cluster,
    /// What is allowed.
    pub permissions: Permissions,
    /// Whom to ask.
    pub operator: Box<dyn Operator>,
    /// Where events go.
    pub recorder: Recorder,
    /// Signals.
    pub interrupt: Interrupt,
    /// The run's folder.
    pub folder: RunFolder,
    /// What the operator is told before the first change; `None`: do not ask.
    pub announcement: Option<String>,
    /// How commands for the operator reach the cluster.
    pub commands: Commands,
    /// The folder that stands for all others that files would be saved in: in a dry run.
    pub instead: Option<PathBuf>,
}

impl Session {
    /// Starts a session.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts {
            runtime,
            cluster,
            permissions,
            operator,
            recorder,
            interrupt,
            folder,
            announcement,
            commands,
            instead,
        } = parts;
        Self {
            runtime,
            cluster,
            permissions,
            operator,
            recorder: RefCell::new(recorder),
            interrupt,
            folder,
            announcement,
            commands,
            instead,
            changes: Cell::new(0),
            apart: Cell::new(false),
            silent: RefCell::default(),
            seen: RefCell::default(),
            told: Cell::new(None),
            waited: Cell::default(),
            pace: RefCell::default(),
            state: RefCell::default(),
        }
    }

    /// Says something to the journal and all listeners.
    ///
    /// # Errors
    ///
    /// The journal can't be written: the run must not go on.
    pub fn say(&self, event: &Event) -> Result<(), Halt> {
        let said = self.recorder.borrow_mut().say(event);
        match said {
            // Putting things back matters more than telling of it.
            Err(_) if self.is_restoring() => Ok(()),
            Err(error) => {
                Err(self.stop(Stop::Disk(format!("the journal can't be written: {error}"))))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Tells how far long work has come, some times a second.
    ///
    /// # Errors
    ///
    /// None; as everything that is said.
    pub(super) fn tell_progress(
        &self,
        doing: &str,
        class: &str,
        unit: &str,
        (done, of): (u64, Option<u64>),
    ) -> Result<(), Halt> {
        if self.told.get().is_some_and(|told| told.elapsed() < Duration::from_millis(200)) {
            return Ok(());
        }
        self.told.set(Some(Instant::now()));
        let (doing, class, unit) = (doing.into(), class.into(), unit.into());
        self.say(&Event::Progress { doing, class, unit, done, of })
    }

    /// Ends the run: no change is possible after this but to put things back.
    pub fn stop(&self, stop: Stop) -> Halt {
        self.state.borrow_mut().stopped.get_or_insert_with(|| stop.clone());
        Halt::Stop(stop)
    }

    /// Returns what stopped the run.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.state.borrow().stopped.clone()
    }

    /// Returns a change that failed and was not made since. A script that caught the error can't
    /// end well with it.
    #[must_use]
    pub fn unmade(&self) -> Option<String> {
        self.state.borrow().unmade.values().next().cloned()
    }

    /// Adds a command that the operator is told to run when the run is over.
    pub fn advise(&self, command: &str) {
        self.state.borrow_mut().advice.push(command.into());
    }

    /// Returns the commands that the operator is told to run.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        self.state.borrow().advice.clone()
    }

    /// Returns how commands for the operator reach the cluster.
    #[must_use]
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// Returns how many changes were sent.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes.get()
    }

    /// Returns checks and tallies so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.recorder.borrow().counts()
    }

    /// Returns the files from which the classes that this run deleted can be created again.
    pub fn backups(&self) -> Vec<String> {
        let state = self.state.borrow();
        state.deleted.values().map(|deleted| deleted.postable.display().to_string()).collect()
    }

    /// Returns an error if a signal came or the run was stopped; rollbacks are not interrupted.
    ///
    /// # Errors
    ///
    /// A signal came.
    pub fn check_interrupt(&self) -> Result<(), Halt> {
        if self.is_restoring() {
            return Ok(());
        }
        // Rhai's `sort` goes on after an error in its closure: nothing else may.
        if let Some(stop) = self.stopped() {
            return Err(stop.into());
        }
        match self.interrupt.received() {
            Some(signal) => Err(self.stop(Stop::Interrupted(signal))),
            None => Ok(()),
        }
    }

    /// Returns the names of the nodes.
    pub fn node_names(&self) -> Vec<String> {
        self.cluster.nodes().iter().map(|node| node.name().to_owned()).collect()
    }

    /// The read door: waits for an answer, or for a signal.
    fn read<T, E: Into<Failure>>(
        &self,
        request: impl AsyncFnOnce(&Cluster) -> Result<T, E>,
    ) -> Result<T, Halt> {
        self.check_interrupt()?;
        let restoring = self.is_restoring();
        let answer = self.runtime.block_on(async {
            tokio::select! {
                biased;
                answer = request(&self.cluster) => Some(answer),
                () = self.interrupt.arrival(), if !restoring => None,
            }
        });
        if let Some(answer) = answer {
            answer.map_err(|error| Halt::Failure(error.into()))
        } else {
            self.check_interrupt()?;
            // `arrival` returns only when a signal is recorded.
            Err(self.stop(Stop::Interrupted(Signal::Interrupt)))
        }
    }
}
