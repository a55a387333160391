//! The end of a run: put things back where it failed, and say what became of it.

use rhai::Engine;

use crate::cli::OnFailure;
use crate::error::{Error, Halt, Stop};
use crate::event::{Event, Reason, Spot, Verdict};
use crate::host::{Ended, FailedStep, Run, describe};
use crate::runbook::{Runbook, place};
use crate::session::{Counts, Restoration, Session, Tally};
use crate::text::count;

/// What became of a run.
pub(super) struct Conclusion {
    pub(super) verdict: Verdict,
    pub(super) exit_code: u8,
    summary: String,
    commands: Vec<String>,
    /// Whether `resume` can go on from here.
    resumable: bool,
    /// Why it did not succeed.
    pub(super) error: Option<Error>,
}

impl Conclusion {
    /// Returns the run's last event.
    pub(super) fn event(&self, run: &str, dry_run: bool) -> Event {
        Event::RunFinished {
            verdict: self.verdict,
            exit_code: self.exit_code,
            run: run.into(),
            summary: self.summary.clone(),
            commands: self.commands.clone(),
            resumable: self.resumable,
            error: self.error.as_ref().map(reason),
            dry_run,
        }
    }
}

fn reason(error: &Error) -> Reason {
    let Error { message, causes, hints, .. } = error.clone();
    let place = error.place.as_ref().map(|place| Spot {
        file: place.file.clone(),
        line: place.line,
        column: place.column,
        text: place.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default().into(),
    });
    Reason { message, place, causes, hints }
}

/// Concludes a run.
pub(super) fn conclude(
    run: &Run,
    engine: &Engine,
    runbook: &Runbook,
    ended: Result<Ended, Halt>,
    on_failure: OnFailure,
) -> Conclusion {
    let session = &run.session;
    let begun = ended.is_ok();
    let error = match ended {
        Ok(Ended::Well) if run.session.stopped().is_some() => {
            // The script can't catch a stop, but Rhai's `sort` loses one in its closure.
            let stop = run.session.stopped().map(|stop| stop.to_string());
            Error::failed(stop.unwrap_or_default())
        }
        Ok(Ended::Well) => match run.session.unmade() {
            None => {
                session.tell_active_tenants();
                return well(session, &run.skipped.borrow());
            }
            Some(why) => Error::failed("the runbook ended although a change was not made")
                .cause(why)
                .hint("a `catch` that goes on after a change failed hides it"),
        },
        Ok(Ended::Badly { error, step }) => {
            let (message, hint, position, file) = describe(&error);
            let file = if file.is_empty() { run.stopped_in.borrow().clone() } else { file };
            let source = runbook.imports.get(&file).unwrap_or(&runbook.source);
            let mut told = Error::failed(message);
            if !position.is_none() {
                told = told.at(place(source, position));
            }
            if let Some(FailedStep { step, title, milliseconds }) = step {
                let _ = run.session.say(&Event::StepFailed {
                    step,
                    title: title.clone(),
                    message: told.message.clone(),
                    milliseconds: Some(milliseconds),
                });
                told = told.cause(format!("in step {step}/{} \"{title}\"", run.steps.len()));
            }
            told.hints.extend(hint);
            told
        }
        Ok(Ended::Panicked) => {
            Error::failed("the program itself has a fault; what it said is above")
                .hint("report it with the run's journal")
        }
        Err(Halt::Failure(failure)) => {
            let mut told = Error::failed(failure.message);
            told.hints.extend(failure.hint);
            told
        }
        Err(Halt::Stop(stop)) => Error::failed(stop.to_string()),
    };
    badly(run, engine, runbook, error, begun, on_failure)
}

fn well(session: &Session, skipped: &[String]) -> Conclusion {
    let (counts, gone) = (&session.counts(), session.gone());
    let place = |tally: &Tally| {
        let Tally { subject, count, total, detail } = tally;
        let comma = if detail.is_empty() { "" } else { ", " };
        format!("{subject} is on {count}/{total} nodes{comma}{detail}")
    };
    let partial = counts.tallies.iter().find(|tally| tally.count < tally.total);
    let (verdict, mut summary) = if counts.all_well() {
        let summary = match &counts.tallies[..] {
            [] if skipped.is_empty() => "SUCCESS: every step and check passed".into(),
            [] => "SUCCESS: every other step and check passed".into(),
            [Tally { subject, count, total, detail }] if detail.is_empty() => {
                format!("SUCCESS: {subject} is replicated on {count}/{total} nodes")
            }
            [tally] => format!("SUCCESS: {}", place(tally)),
            many => format!("SUCCESS: {} are on every node", count_classes(many.len())),
        };
        (Verdict::Succeeded, summary)
    } else if let Some(tally) = partial {
        (Verdict::Findings, format!("PARTIAL: {}", place(tally)))
    } else if counts.problems + counts.failed_checks == 0 {
        let unknown = count(counts.unknown, "thing");
        (Verdict::Failed, format!("UNKNOWN: {unknown} could not be found out, and no problem was"))
    } else {
        let found = found(counts);
        let summary = match counts.tallies.first() {
            Some(tally) => format!("PARTIAL: {}, and {found}", place(tally)),
            None => format!("FINDINGS: {found}"),
        };
        (Verdict::Findings, summary)
    };
    if !skipped.is_empty() {
        let titles: Vec<_> = skipped.iter().map(|title| format!("\"{title}\"")).collect();
        summary.push_str("; the operator skipped ");
        summary.push_str(&titles.join(", "));
    }
    if !gone.is_empty() {
        summary.push_str("; deleted for good: ");
        summary.push_str(&gone.join(", "));
    }
    Conclusion {
        verdict,
        exit_code: verdict.exit_code(),
        summary,
        commands: session.advice(),
        resumable: false,
        error: None,
    }
}

/// Returns what was found, in words.
fn found(counts: &Counts) -> String {
    let mut found = vec![];
    if counts.problems > 0 {
        found.push(count(counts.problems, "problem"));
    }
    if counts.failed_checks > 0 {
        found.push(format!("{} did not pass", count(counts.failed_checks, "check")));
    }
    if counts.unknown > 0 {
        found.push(format!("{} could not be found out", count(counts.unknown, "thing")));
    }
    found.join(", ")
}

fn count_classes(number: usize) -> String {
    if number == 1 { "1 class".into() } else { format!("{number} classes") }
}

fn badly(
    run: &Run,
    engine: &Engine,
    runbook: &Runbook,
    mut error: Error,
    begun: bool,
    on_failure: OnFailure,
) -> Conclusion {
    let session = &run.session;
    let (mut verdict, mut exit_code, word) = match session.stopped() {
        Some(Stop::Refused { reasons, hints, .. }) => {
            error.causes.extend(reasons);
            error.hints.extend(hints);
            (Verdict::Refused, Verdict::Refused.exit_code(), "REFUSED")
        }
        Some(Stop::Interrupted(signal)) => {
            (Verdict::Interrupted, signal.exit_code(), "INTERRUPTED")
        }
        Some(Stop::Disk(_)) | None => (Verdict::Failed, Verdict::Failed.exit_code(), "FAILED"),
    };
    let message = error.message.clone();
    let interrupted = verdict == Verdict::Interrupted && session.is_half_way();
    // A run that was resumed and did not get to its first step stands as it did.
    if interrupted || !begun && session.has_changed_anything() {
        error.hints.extend(session.backups().into_iter().map(|file| format!("backup: {file}")));
        return Conclusion {
            verdict,
            exit_code,
            summary: format!("{word}: {message}; what was changed so far stays as it is"),
            commands: session.ways_on(),
            resumable: true,
            error: Some(error),
        };
    }
    if !session.has_changed_anything() {
        let summary = format!("{word}: {message}; nothing was changed");
        return Conclusion {
            verdict,
            exit_code,
            summary,
            commands: vec![],
            resumable: false,
            error: Some(error),
        };
    }
    let keep = match on_failure {
        OnFailure::Rollback => false,
        OnFailure::Keep => true,
        OnFailure::Ask => !session.ask_to_put_back(&message),
    };
    let Restoration { problems, commands, kept, given_up } = if keep {
        session.what_is_left()
    } else {
        run.roll_back(engine, &runbook.ast);
        session.restore()
    };
    error.hints.extend(session.backups().into_iter().map(|file| format!("backup: {file}")));
    let summary = if keep {
        let problems: Vec<_> = problems.into_iter().chain(kept).collect();
        format!("{word}: {message}; what was changed was kept: {}", list(&problems))
    } else if problems.is_empty() && !kept.is_empty() {
        format!("{word}: {message}; {}", kept.join(", "))
    } else if problems.is_empty() {
        if verdict != Verdict::Interrupted {
            verdict = Verdict::RolledBack;
            exit_code = verdict.exit_code();
        }
        let but = if given_up.is_empty() {
            String::new()
        } else {
            format!(", but for objects of {} (--accept-data-loss)", given_up.join(", "))
        };
        format!("ROLLED BACK: {message}; the original state was put back and verified{but}")
    } else {
        verdict = Verdict::RollbackFailed;
        exit_code = verdict.exit_code();
        format!("ROLLBACK FAILED: {message}; a person must act: {}", list(&problems))
    };
    Conclusion { verdict, exit_code, summary, commands, resumable: false, error: Some(error) }
}

/// Concludes the undoing of a run, or that it was not begun.
pub(super) fn undone(session: &Session, restored: Result<Restoration, Halt>) -> Conclusion {
    let (verdict, summary, commands, error) = match restored {
        Ok(Restoration { problems, commands, kept, given_up }) => {
            let files = session.backups().into_iter().map(|file| format!("backup: {file}"));
            let mut but = kept;
            if !given_up.is_empty() {
                but.push(format!("objects of {} are gone", given_up.join(", ")));
            }
            let done = if but.is_empty() {
                "all is as it was before the run"
            } else {
                "what could be undone is undone"
            };
            let but = if but.is_empty() { String::new() } else { format!("; {}", but.join("; ")) };
            if problems.is_empty() {
                let summary = format!("ROLLED BACK: {done}{but}");
                (Verdict::RolledBack, summary, commands, None)
            } else {
                let summary =
                    format!("ROLLBACK FAILED: a person must act: {}{but}", list(&problems));
                let mut error = Error::failed("not all could be undone");
                error.causes = problems;
                error.hints.extend(files);
                (Verdict::RollbackFailed, summary, commands, Some(error))
            }
        }
        Err(halt) => {
            let mut error = Error::failed(halt.to_string());
            let (verdict, word) = match session.stopped() {
                Some(Stop::Refused { reasons, hints, .. }) => {
                    error.causes.extend(reasons);
                    error.hints.extend(hints);
                    (Verdict::Refused, "REFUSED")
                }
                Some(Stop::Interrupted(_)) => (Verdict::Interrupted, "INTERRUPTED"),
                _ => (Verdict::Failed, "FAILED"),
            };
            let summary = format!("{word}: {halt}; no class and no object was changed");
            (verdict, summary, vec![], Some(error))
        }
    };
    // Undoing was asked for: having done it is success.
    let exit_code = if verdict == Verdict::RolledBack { 0 } else { verdict.exit_code() };
    Conclusion { verdict, exit_code, summary, commands, resumable: false, error }
}

fn list(problems: &[String]) -> String {
    if problems.is_empty() { "all is as it was".into() } else { problems.join("; ") }
}
