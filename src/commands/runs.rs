//! `runs`: the runs of the past, from their journals; `runs show` tells one again with the code
//! that told it live, `runs verify` looks whether its record holds.

use comfy_table::{Table, presets};

use std::path::Path;

use super::{Ended, one, past, report};
use crate::cli::{RunsArgs, RunsCommand};
use crate::error::{Error, Place};
use crate::event::{Event, Listener, Reason, Spot, Verdict};
use crate::journal::{Home, Reading, Record, RunFolder, read, sha256};
use crate::terminal::{Text, print, print_aside, print_errors, shown};
use crate::text::count;

pub(super) fn runs(args: &RunsArgs) -> Ended {
    let unreadable = |e: std::io::Error| one(Error::failed("the runs can't be read").cause(e));
    let home = Home::find().map_err(unreadable)?;
    let runs = past::all(&home).map_err(one)?;
    let find = |run: &str| past::find(&runs, run).map_err(one);
    match &args.command {
        None => Ok(list(&home, &runs)),
        Some(RunsCommand::Show { run }) => show(&find(run)?),
        Some(RunsCommand::Report(args)) => report::report(&find(&args.run)?, args),
        Some(RunsCommand::Verify { run }) => verify(&find(run)?),
        Some(RunsCommand::Hold { run }) => hold(&find(run)?),
        Some(RunsCommand::Release { run }) => release(&find(run)?),
    }
}

/// Holds a run until it is released: its process looks for the file.
fn hold(folder: &RunFolder) -> Ended {
    let ended = |record: &Record| matches!(record.event, Event::RunFinished { .. });
    if read(&folder.journal()).is_ok_and(|it| it.records.last().is_some_and(ended)) {
        let why = format!("run {} has ended: there is nothing to hold", folder.run);
        return Err(one(Error::usage(why)));
    }
    std::fs::write(folder.hold(), "")
        .map_err(|e| one(Error::failed("the run can't be held").cause(e)))?;
    print(&format!(
        "{} is held at the next page; `elysia-runbook runs release {}` lets it go on",
        folder.run, folder.run
    ));
    Ok(0)
}

fn release(folder: &RunFolder) -> Ended {
    match std::fs::remove_file(folder.hold()) {
        Ok(()) => print(&format!("{} goes on", folder.run)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(one(Error::usage(format!("run {} is not held", folder.run))));
        }
        Err(error) => return Err(one(Error::failed("the run can't be released").cause(error))),
    }
    Ok(0)
}

fn list(home: &Home, runs: &[RunFolder]) -> u8 {
    if runs.is_empty() {
        print(&format!("there are no runs yet in {}", home.path().display()));
        return 0;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "run",
        "runbook",
        "cluster",
        "changes",
        "how it ended",
    ]);
    for folder in runs {
        let (records, broken) = match read(&folder.journal()) {
            Ok(Reading { records, broken, .. }) => {
                (records, broken.filter(|broken| !broken.torn).map(|broken| broken.to_string()))
            }
            Err(error) => (vec![], Some(error.to_string())),
        };
        table.add_row(row(folder, &records, broken));
    }
    print(&table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    0
}

fn row(folder: &RunFolder, records: &[Record], broken: Option<String>) -> [String; 5] {
    let (runbook, cluster) = match records.first().map(|record| &record.event) {
        Some(Event::RunStarted { runbook, nodes, sandbox, .. }) => (
            runbook.clone(),
            match sandbox {
                Some(scenario) => format!("sandbox {scenario}"),
                None => nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>().join(" "),
            },
        ),
        _ => (String::new(), String::new()),
    };
    let changes =
        records.iter().filter(|r| matches!(r.event, Event::ChangeIntended { .. })).count();
    let end = match (records.last().map(|record| &record.event), broken) {
        (Some(Event::RunFinished { resumable: true, verdict, .. }), None) => {
            format!("{}, can be resumed", verdict.as_str())
        }
        (Some(Event::RunFinished { verdict, exit_code, .. }), None) => {
            format!("{} ({exit_code})", verdict.as_str())
        }
        (_, Some(why)) => format!("journal broken: {why}"),
        (None, None) => "died before it began".into(),
        _ => "did not end, can be resumed".into(),
    };
    [folder.run.clone(), runbook, cluster, changes.to_string(), end].map(|cell| shown(&cell))
}

fn show(folder: &RunFolder) -> Ended {
    let reading = reading(folder)?;
    let mut text = Text::new();
    for record in &reading.records {
        if let Event::RunFinished { error: Some(reason), .. } = &record.event {
            print_errors(&[told(reason)]);
        }
        // A closed pipe is no error here either.
        let _ = text.hear(&record.event);
    }
    if let Some(broken) = reading.broken {
        print_aside(&format!("the journal is broken: {broken}"));
        return Ok(1);
    }
    Ok(0)
}

/// Returns the error with which a run ended, as the operator was told it.
fn told(reason: &Reason) -> Error {
    let mut error = Error::failed(&reason.message);
    error.causes.clone_from(&reason.causes);
    error.hints.clone_from(&reason.hints);
    let Some(Spot { file, line, column, text }) = reason.place.clone() else { return error };
    // Of the text there is this line alone.
    let text = format!("{}{text}", "\n".repeat(line.saturating_sub(1)));
    error.at(Place { file, text, line, column })
}

/// Looks whether the chain of records holds, and every backup is as it was saved.
fn verify(folder: &RunFolder) -> Ended {
    let reading = reading(folder)?;
    let mut well = true;
    let mut tell = |passed: bool, text: String| {
        well &= passed;
        print(&format!("  {} {}", if passed { "✓" } else { "✗" }, shown(&text)));
    };
    let records = count(reading.records.len(), "record");
    match &reading.broken {
        None => tell(true, format!("journal: {records}, each follows the one before")),
        Some(broken) if broken.torn => {
            tell(true, format!("journal: {records}; the run died as it wrote one more"));
        }
        Some(broken) => tell(false, format!("journal: {broken}; {records} before it hold")),
    }
    for record in &reading.records {
        match &record.event {
            Event::BackupSaved { file, sha256, .. } => {
                tell_file(&mut tell, Path::new(file), sha256);
            }
            Event::RunStarted { sha256, .. } => {
                for (name, sum) in sha256 {
                    let sum = sum.as_str().unwrap_or_default();
                    tell_file(&mut tell, &folder.path.join(name), sum);
                }
            }
            _ => {}
        }
    }
    let verdict = if well { Verdict::Succeeded } else { Verdict::Findings };
    let text = if well { "all is as it was written" } else { "not all is as it was written" };
    print(&format!("run {}: {text}", folder.run));
    Ok(verdict.exit_code())
}

fn tell_file(tell: &mut impl FnMut(bool, String), file: &Path, sum: &str) {
    let name = file.display();
    match std::fs::read(file) {
        Ok(bytes) if sha256(&bytes) == sum => tell(true, format!("{name}")),
        Ok(_) => tell(false, format!("{name} is not as it was written")),
        Err(error) => tell(false, format!("{name} can't be read: {error}")),
    }
}

fn reading(folder: &RunFolder) -> Result<Reading, Vec<Error>> {
    read(&folder.journal()).map_err(|e| one(Error::failed("the journal can't be read").cause(e)))
}
