//! Runs a runbook that was found and checked, from its first step or from where it had got to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use rhai::Engine;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::place::Place;
use super::{Ended, conclude, one};
use crate::cli::{HowArgs, Output};
use crate::error::{Error, Halt, Stop};
use crate::event::{Event, Listener, Verdict};
use crate::host::{self, Allowance, Run};
use crate::journal::{Home, Journal, Lock, RunFolder};
use crate::runbook::Runbook;
use crate::session::{
    Carried, Interrupt, Operator, Parts, Permissions, Recorder, Session, is_class_name,
};
use crate::terminal::{Ndjson, Prompt, Text, print_errors};
use crate::weaviate::Cluster;

/// Stack for a script: values nest as deep as the limit on operations lets them, and dropping a
/// nested value takes stack for each level. Only what is used costs memory.
const STACK: usize = 256 << 20;

/// What is run, and where.
pub(super) struct Start {
    pub(super) runbook: Runbook,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) place: Place,
    pub(super) home: Home,
    pub(super) folder: RunFolder,
    pub(super) journal: Journal,
    /// What the run says first.
    pub(super) first: Event,
    /// What it had done before it was resumed.
    pub(super) carried: Option<Carried>,
    /// What the operator is to know first.
    pub(super) warning: Option<String>,
    /// The folder that stands for all others that files would be saved in: in a dry run.
    pub(super) instead: Option<PathBuf>,
}

/// With whom a run speaks.
pub(super) struct Company {
    /// The signals that end it early.
    pub(super) interrupt: Interrupt,
    /// Answers its questions.
    pub(super) operator: Box<dyn Operator>,
    /// Hears its events, after the journal.
    pub(super) listener: Box<dyn Listener>,
    /// Takes why it did not succeed, before its last event.
    pub(super) errors: Box<dyn Fn(&Error)>,
}

impl Company {
    /// Returns whoever sits at the terminal.
    pub(super) fn at_terminal(runtime: &Runtime, output: Output) -> Result<Self, Vec<Error>> {
        let interrupt = Interrupt::listen(runtime).map_err(|e| one(disk(e)))?;
        Ok(Self {
            operator: Box::new(Prompt::new(&interrupt)),
            interrupt,
            listener: listener(output),
            errors: Box::new(|error| print_errors(std::slice::from_ref(error))),
        })
    }
}

/// Does work that runs scripts on a thread that has the stack for it.
pub(super) fn with_stack(work: impl FnOnce() -> Ended + Send) -> Ended {
    let failed = || one(Error::failed("the program ended by a fault of its own"));
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|e| one(Error::failed("the program can't start its threads").cause(e)))?
            .join()
            .unwrap_or_else(|_| Err(failed()))
    })
}

/// Returns what runs requests.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Error::failed("the program can't start its threads").cause(e))
}

/// Makes of an error of the disk why a run is not started.
pub(super) fn disk(error: std::io::Error) -> Error {
    Error::failed("the run can't be recorded, so it is not started")
        .cause(error)
        .hint("set ELYSIA_RUNBOOK_HOME to a folder that can be written")
}

/// Returns who tells the operator what happens.
pub(super) fn listener(output: Output) -> Box<dyn Listener> {
    match output {
        Output::Text => Box::new(Text::new()),
        Output::Ndjson => Box::new(Ndjson),
    }
}

/// Runs it to its end, and returns its exit code.
pub(super) fn execute(
    mut engine: Engine,
    runtime: Runtime,
    start: Start,
    permissions: Permissions,
    how: &HowArgs,
    company: Company,
) -> u8 {
    let Start {
        runbook,
        parameters,
        place,
        home,
        folder,
        journal,
        first,
        carried,
        warning,
        instead,
    } = start;
    let Company { interrupt, operator, listener, errors } = company;
    let lock = || place.lock(&home, &folder.run);
    let lock = if runbook.outline.changes_anything() { lock() } else { Ok(None) };
    if let (Err(Stop::Refused { message, reasons, hints }), true) = (&lock, carried.is_some()) {
        // The run stands as it did, and so does its record: it can be resumed when the lock is free.
        let mut error = Error::failed(message);
        error.causes.clone_from(reasons);
        error.hints.clone_from(hints);
        errors(&error);
        return Verdict::Refused.exit_code();
    }
    let Place { cluster, sandbox, twin, commands, .. } = place;
    let session = Session::new(Parts {
        announcement: sandbox.is_none().then(|| announcement(&runbook, &cluster)),
        runtime,
        cluster,
        permissions,
        operator,
        recorder: Recorder::new(Box::new(journal), vec![listener]),
        interrupt,
        folder: folder.clone(),
        commands,
        instead,
    });
    let finished = carried.as_ref().map(|carried| carried.finished.clone()).unwrap_or_default();
    let skipped = carried.as_ref().map(|carried| carried.skipped.clone()).unwrap_or_default();
    let run = Rc::new(Run {
        session,
        steps: runbook.outline.steps.iter().map(|step| step.title.clone()).collect(),
        parameters: parameters
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), rhai::serde::to_dynamic(value).ok()?)))
            .collect(),
        ask_each_step: how.step,
        finished: RefCell::new(finished),
        skipped: RefCell::new(skipped),
        rollbacks: RefCell::default(),
        current: Cell::new(None),
        memory: Allowance::begin(),
        resting: Cell::new(std::time::Instant::now()),
        stopped_in: RefCell::default(),
    });
    host::attach(&mut engine, &run);
    let mut held: Option<Lock> = None;
    let begun = run.session.say(&first).and_then(|()| {
        held = lock.map_err(|stop| run.session.stop(stop))?;
        if let Some(text) = warning {
            run.session.say(&Event::Warning { text })?;
        }
        begin(&run, &runbook, carried.as_ref())
    });
    let ended = begun.map(|()| run.run(&engine, &runbook.ast));
    let conclusion = conclude::conclude(&run, &engine, &runbook, ended, how.on_failure);
    if let Some(error) = &conclusion.error {
        errors(error);
    }
    if run.session.changes() > 0 {
        run.session.keep_last_survey();
    }
    let harmless = match (&twin, &sandbox) {
        (Some(twin), _) => twin.harmless(),
        (None, Some(sandbox)) => sandbox.harmless(),
        (None, None) => vec![],
    };
    for spec in harmless {
        let text = format!("the fault `{spec}` struck nothing: there was no such request");
        // A journal that can't be written has been told already.
        let _ = run.session.say(&Event::Warning { text });
    }
    // Of one that was broken off it would tell half.
    if let Some(twin) = twin.as_ref().filter(|_| conclusion.verdict != Verdict::Interrupted) {
        let _ = run.session.say(&Event::DryRun(twin.forecast()));
    }
    let _ = run.session.say(&conclusion.event(&folder.run, twin.is_some()));
    drop(held);
    conclusion.exit_code
}

fn begin(run: &Run, runbook: &Runbook, carried: Option<&Carried>) -> Result<(), Halt> {
    if let Some(carried) = carried {
        run.session.carry(carried);
    }
    if !runbook.outline.changes_anything() {
        return Ok(());
    }
    run.session.inspect()?;
    run.session.remove_strays()
}

/// Returns what the operator allows.
pub(super) fn permissions(args: &HowArgs) -> Result<Permissions, Error> {
    if let Some(wrong) = args.accept_data_loss.iter().find(|name| !is_class_name(name)) {
        return Err(Error::usage(format!("`--accept-data-loss {wrong}` names no class"))
            .hint("name each class whose objects may be lost; there is no pattern for all"));
    }
    Ok(Permissions {
        yes: args.yes,
        degraded: args.accept_degraded,
        data_loss: args.accept_data_loss.iter().cloned().collect(),
    })
}

/// What the operator is told before the first change.
fn announcement(runbook: &Runbook, cluster: &Cluster) -> String {
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.url().to_owned()).collect();
    let steps: Vec<_> = runbook
        .outline
        .steps
        .iter()
        .filter(|step| !step.changes.is_empty())
        .map(|step| {
            let changes: Vec<_> = step.changes.iter().map(String::as_str).collect();
            format!("  \"{}\": {}", step.title, changes.join(", "))
        })
        .collect();
    format!(
        "{} changes the cluster of {} in these steps:\n{}",
        runbook.source.display,
        nodes.join(", "),
        steps.join("\n")
    )
}
