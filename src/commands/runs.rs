//! `runs`: the runs of the past, from their journals; `runs show` tells one again with the code
//! that told it live.

use comfy_table::{Table, presets};

use super::{Ended, one};
use crate::cli::{RunsArgs, RunsCommand};
use crate::error::Error;
use crate::event::{Event, Listener, count};
use crate::journal::{Home, Record, RunFolder, read};
use crate::terminal::{Text, print, print_aside, shown};

pub(super) fn runs(args: &RunsArgs) -> Ended {
    let unreadable = |e: std::io::Error| one(Error::failed("the runs can't be read").cause(e));
    let home = Home::find().map_err(unreadable)?;
    let runs = home.runs().map_err(unreadable)?;
    match &args.command {
        None => Ok(list(&home, &runs)),
        Some(RunsCommand::Show { run }) => show(&runs, run),
    }
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
            Ok(read) => read,
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
        (Some(Event::RunFinished { verdict, exit_code, .. }), None) => {
            format!("{} ({exit_code})", verdict.as_str())
        }
        (_, Some(why)) => format!("journal broken: {why}"),
        _ => "did not end".into(),
    };
    [folder.run.clone(), runbook, cluster, changes.to_string(), end].map(|cell| shown(&cell))
}

fn show(runs: &[RunFolder], id: &str) -> Ended {
    let found: Vec<_> = runs.iter().filter(|folder| folder.run.starts_with(id)).collect();
    let folder = match found[..] {
        [folder] => folder,
        [] => {
            return Err(one(Error::usage(format!("there is no run `{id}`"))
                .hint("`elysia-runbook runs` lists them")));
        }
        _ => {
            return Err(one(Error::usage(format!(
                "`{id}` is the beginning of {}",
                count(found.len(), "run")
            ))
            .hint("give more of the id")));
        }
    };
    let (records, broken) = read(&folder.journal())
        .map_err(|e| one(Error::failed("the journal can't be read").cause(e)))?;
    let mut text = Text::new();
    for record in &records {
        // A closed pipe is no error here either.
        let _ = text.hear(&record.event);
    }
    if let Some(why) = broken {
        print_aside(&format!("the journal is broken: {}", shown(&why)));
        return Ok(1);
    }
    Ok(0)
}
