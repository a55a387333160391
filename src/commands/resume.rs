//! `resume`: go on with a run that died or was stopped, from its journal.

use super::execute::{Company, Start, disk, execute, permissions, runtime, with_stack};
use super::past::{self, Standing};
use super::place::Place;
use super::run::sources;
use super::{Ended, one};
use crate::cli::ResumeArgs;
use crate::error::Error;
use crate::event::{Event, Verdict};
use crate::host;
use crate::journal::{Home, Journal, Lock, Record, RunFolder, read};
use crate::runbook::{Runbook, place};
use crate::session::Carried;
use crate::terminal::print_aside;

pub(super) fn resume(args: &ResumeArgs) -> Ended {
    with_stack(|| resume_here(args))
}

fn resume_here(args: &ResumeArgs) -> Ended {
    let home = Home::find().map_err(|e| one(disk(e)))?;
    let unfinished = |records: &[Record]| {
        !records.is_empty() && !matches!(past::standing(records), Standing::Ended(_))
    };
    let folder =
        past::pick(&home, args.run.as_deref(), unfinished, "that could be resumed").map_err(one)?;
    refuse_running(&home, &folder).map_err(one)?;
    let reading = read(&folder.journal()).map_err(|e| one(disk(e)))?;
    let run = &folder.run;
    if let Standing::Ended(verdict) = past::standing(&reading.records) {
        let ended = Error::usage(format!("run {run} has ended: {}", verdict.as_str()));
        if matches!(verdict, Verdict::RolledBack | Verdict::RollbackFailed) {
            return Err(one(ended.hint("run the runbook again")));
        }
        return Err(one(ended.hint(format!(
            "there is nothing to go on with; `elysia-runbook rollback {run}` undoes what it changed"
        ))));
    }
    if reading.records.is_empty() {
        return Err(one(Error::usage(format!("run {run} died before it began"))
            .hint("nothing was done; run the runbook again")));
    }
    let carried = Carried::of(&reading.records).map_err(|why| one(unusable(run, &why)))?;
    if carried.rolling_back {
        let undone = Error::usage(format!("run {run} was being undone when it stopped"));
        return Err(one(undone.hint(format!("elysia-runbook rollback {run} goes on with that"))));
    }
    let Some(Event::RunStarted {
        runbook: name, origin, nodes, cluster, sandbox, parameters, ..
    }) = reading.records.first().map(|record| &record.event)
    else {
        return Err(one(unusable(run, "its journal has no beginning")));
    };
    if sandbox.is_some() {
        return Err(one(in_sandbox(run)));
    }
    let mut engine = host::engine();
    let runbook = Runbook::load_begun(&mut engine, name).map_err(|mut errors| {
        let saved = folder.path.join("runbook.rhai");
        errors[0].hints.push(format!("the text as it was run is {}", saved.display()));
        errors
    })?;
    refuse_edited(args, &folder, &runbook, origin, &carried).map_err(one)?;
    let runtime = runtime().map_err(one)?;
    let place = Place::again(&args.target, cluster.as_ref(), nodes, &runtime).map_err(one)?;
    let parameters = parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let permissions = permissions(&args.how).map_err(one)?;
    let (journal, _) =
        Journal::reopen(&folder.journal()).map_err(|e| one(unusable(run, &e.to_string())))?;
    // A runbook that changes nothing tells what is so now.
    let changes = runbook.outline.changes_anything();
    let start = Start {
        runbook,
        parameters,
        place,
        home,
        folder,
        journal,
        first: Event::RunResumed { program: env!("CARGO_PKG_VERSION").into(), rollback: false },
        carried: changes.then_some(carried),
        warning: None,
        instead: None,
    };
    let company = Company::at_terminal(&runtime, args.how.output)?;
    Ok(execute(engine, runtime, start, permissions, &args.how, company))
}

/// A run that goes on in its own process can't be taken over.
pub(super) fn refuse_running(home: &Home, folder: &RunFolder) -> Result<(), Error> {
    if Lock::is_any_held_by(home, &folder.run) {
        return Err(Error::usage(format!("run {} is still running", folder.run))
            .hint("wait until it has ended, or stop it with Ctrl-C where it runs"));
    }
    Ok(())
}

pub(super) fn unusable(run: &str, why: &str) -> Error {
    Error::failed(format!("run {run} can't be taken up again: {why}"))
        .hint(format!("`elysia-runbook runs verify {run}` says what is damaged"))
}

pub(super) fn in_sandbox(run: &str) -> Error {
    Error::usage(format!("run {run} was on a sandbox, which ended with it"))
        .hint("`elysia-runbook sandbox` starts one that stays, for --node")
}

/// Refuses where the text was changed before the first step that is still to be run: what was done
/// is not what the text now says. What comes later may be another.
fn refuse_edited(
    args: &ResumeArgs,
    folder: &RunFolder,
    runbook: &Runbook,
    origin: &str,
    carried: &Carried,
) -> Result<(), Error> {
    let mut early = false;
    let mut told = vec![];
    if runbook.source.origin() != *origin {
        told.push(format!("it was {origin}, and is {} now", runbook.source.origin()));
        early = true;
    }
    let next = runbook
        .outline
        .steps
        .iter()
        .find(|step| {
            !carried.finished.contains_key(&step.title) && !carried.skipped.contains(&step.title)
        })
        .map_or(usize::MAX, |step| place(&runbook.source, step.position).line);
    for (name, now) in sources(runbook) {
        let before = std::fs::read_to_string(folder.path.join(&name)).unwrap_or_default();
        for change in changed_lines(&before, now) {
            early |= name != "runbook.rhai" || change.line < next;
            told.push(format!("{name} {}", change.text));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    if early && !args.accept_edited {
        let mut edited = Error::usage("the runbook was changed in what this run has done already");
        edited.causes = told;
        return Err(edited
            .hint("undo the edit, or go on with the new text: --accept-edited")
            .hint(format!("elysia-runbook rollback {} undoes what was done", folder.run)));
    }
    print_aside("the runbook was changed since it was run:");
    for line in told {
        print_aside(&format!("  {line}"));
    }
    Ok(())
}

struct Changed {
    /// Where in the new text, from 1.
    line: usize,
    text: String,
}

/// Returns the lines that differ between two texts.
fn changed_lines(before: &str, now: &str) -> Vec<Changed> {
    let diff = similar::TextDiff::from_lines(before, now);
    let mut line = 1;
    let mut changed = vec![];
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            similar::ChangeTag::Equal => {
                line += 1;
                continue;
            }
            similar::ChangeTag::Delete => '-',
            similar::ChangeTag::Insert => '+',
        };
        let text = format!("line {line}: {sign} {}", change.value().trim_end());
        changed.push(Changed { line, text });
        if sign == '+' {
            line += 1;
        }
    }
    changed
}
