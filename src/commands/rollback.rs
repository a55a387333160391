//! `rollback`: undo what a run changed, from its journal and its backups.

use super::execute::{disk, listener, runtime};
use super::past;
use super::place::Place;
use super::resume::{in_sandbox, refuse_running, unusable};
use super::{Ended, conclude, one};
use crate::change::Change;
use crate::cli::RollbackArgs;
use crate::event::Event;
use crate::journal::{Home, Journal, Record, read};
use crate::session::{Carried, Interrupt, Parts, Permissions, Recorder, Session};
use crate::terminal::{Prompt, print, print_errors};

pub(super) fn rollback(args: &RollbackArgs) -> Ended {
    let home = Home::find().map_err(|e| one(disk(e)))?;
    let changed = |records: &[Record]| {
        let sandbox =
            |record: &Record| matches!(&record.event, Event::RunStarted { sandbox: Some(_), .. });
        !records.iter().any(sandbox)
            && records.iter().any(|record| matches!(record.event, Event::ChangeIntended { .. }))
    };
    let folder =
        past::pick(&home, args.run.as_deref(), changed, "that changed something on a cluster")
            .map_err(one)?;
    refuse_running(&home, &folder).map_err(one)?;
    let run = folder.run.clone();
    let reading = read(&folder.journal()).map_err(|e| one(disk(e)))?;
    let carried = Carried::of(&reading.records).map_err(|why| one(unusable(&run, &why)))?;
    let Some(Event::RunStarted { nodes, cluster, sandbox, .. }) =
        reading.records.first().map(|record| &record.event)
    else {
        return Err(one(unusable(&run, "its journal has no beginning")));
    };
    if sandbox.is_some() {
        return Err(one(in_sandbox(&run)));
    }
    if !carried.has_changed_anything() {
        print(&format!("run {run} changed nothing that is still so: there is nothing to undo"));
        return Ok(0);
    }
    let runtime = runtime().map_err(one)?;
    let place = Place::again(&args.target, cluster.as_ref(), nodes, &runtime).map_err(one)?;
    let (journal, _) =
        Journal::reopen(&folder.journal()).map_err(|e| one(unusable(&run, &e.to_string())))?;
    let interrupt = Interrupt::listen(&runtime).map_err(|e| one(disk(e)))?;
    let lock = place.lock(&home, &run);
    let session = Session::new(Parts {
        announcement: None,
        runtime,
        cluster: place.cluster,
        permissions: Permissions { yes: args.yes, ..Permissions::default() },
        operator: Box::new(Prompt::new(&interrupt)),
        recorder: Recorder::new(Box::new(journal), vec![listener(args.output)]),
        interrupt,
        folder,
        commands: place.commands,
        instead: None,
    });
    let mut held = None;
    let begun = lock.map_err(|stop| session.stop(stop)).and_then(|lock| {
        held = lock;
        session.carry(&carried);
        session.inspect()?;
        session.begin_undoing(&question(&run, &reading.records))
    });
    let undoing = begun.is_ok();
    let restored = begun.and_then(|()| {
        let first = Event::RunResumed { program: env!("CARGO_PKG_VERSION").into(), rollback: true };
        session.say(&first)?;
        Ok(session.restore())
    });
    let conclusion = conclude::undone(&session, restored);
    if let Some(error) = &conclusion.error {
        print_errors(std::slice::from_ref(error));
    }
    if undoing {
        session.keep_last_survey();
        // A journal that can't be written has been told already.
        let _ = session.say(&conclusion.event(&run, false));
    } else {
        // The run stands as it did, so its record does, too.
        let _ = listener(args.output).hear(&conclusion.event(&run, false));
    }
    drop(held);
    Ok(conclusion.exit_code)
}

/// What the operator is asked: what the run did, and whether that is to be undone.
fn question(run: &str, records: &[Record]) -> String {
    let started = records.first().map(|record| record.time.as_str()).unwrap_or_default();
    let changes = records.iter().filter_map(|record| match &record.event {
        Event::ChangeIntended { action, rollback: false, .. } => Some(Change::past(action)),
        _ => None,
    });
    let changes: Vec<_> = changes.map(|change| format!("  {change}")).collect();
    format!("run {run} of {started}:\n{}\nUndo what is left of it?", changes.join("\n"))
}
