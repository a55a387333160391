//! Finding a run of the past, and what its journal says of it.

use crate::error::Error;
use crate::event::{Event, Verdict};
use crate::journal::{Home, Record, RunFolder, read};
use crate::session::Carried;
use crate::text::count;

/// How many runs are looked at, the newest first, for one that did not end.
const LOOKED_AT: usize = 50;

/// Returns all runs, the newest first.
pub(super) fn all(home: &Home) -> Result<Vec<RunFolder>, Error> {
    home.runs().map_err(|e| Error::failed("the runs can't be read").cause(e))
}

/// Returns the run with this id, or with this beginning of one.
pub(super) fn find(runs: &[RunFolder], id: &str) -> Result<RunFolder, Error> {
    let found: Vec<_> = runs.iter().filter(|folder| folder.run.starts_with(id)).collect();
    match found[..] {
        [folder] => Ok(folder.clone()),
        [] => Err(Error::usage(format!("there is no run `{id}`"))
            .hint("`elysia-runbook runs` lists them")),
        _ => Err(Error::usage(format!("`{id}` is the beginning of {}", count(found.len(), "run")))
            .hint("give more of the id")),
    }
}

/// Returns the run with this id, or the newest that is `wanted`.
pub(super) fn pick(
    home: &Home,
    id: Option<&str>,
    wanted: impl Fn(&[Record]) -> bool,
    none: &str,
) -> Result<RunFolder, Error> {
    let runs = all(home)?;
    if let Some(id) = id {
        return find(&runs, id);
    }
    let is_wanted =
        |folder: &&RunFolder| read(&folder.journal()).is_ok_and(|reading| wanted(&reading.records));
    runs.iter().find(is_wanted).cloned().ok_or_else(|| {
        Error::usage(format!("there is no run {none}")).hint("`elysia-runbook runs` lists all")
    })
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It died: there is no last record.
    Died,
    /// It stopped, and can go on.
    Stopped,
    /// It ended.
    Ended(Verdict),
}

/// Returns how a run stands.
pub(super) fn standing(records: &[Record]) -> Standing {
    match records.last().map(|record| &record.event) {
        Some(Event::RunFinished { resumable: true, .. }) => Standing::Stopped,
        Some(Event::RunFinished { verdict, .. }) => Standing::Ended(*verdict),
        _ => Standing::Died,
    }
}

/// Returns a warning where another run on a node of this one changed something and did not end.
pub(super) fn half_way(home: &Home, first: &Event) -> Option<String> {
    let nodes_of = |event: &Event| match event {
        Event::RunStarted { nodes, .. } => nodes.clone(),
        _ => vec![],
    };
    let ours = nodes_of(first);
    for folder in home.runs().ok()?.into_iter().take(LOOKED_AT) {
        let Ok(reading) = read(&folder.journal()) else { continue };
        let Some(started) = reading.records.first() else { continue };
        let theirs = nodes_of(&started.event);
        let same = theirs.iter().any(|node| ours.iter().any(|our| our.url == node.url));
        let changed = |record: &Record| matches!(record.event, Event::ChangeIntended { .. });
        if same
            && reading.records.iter().any(changed)
            && !matches!(standing(&reading.records), Standing::Ended(_))
        {
            let run = folder.run;
            let paused = Carried::of(&reading.records).map(|carried| carried.paused_classes());
            let paused = match paused.unwrap_or_default() {
                paused if paused.is_empty() => String::new(),
                paused => format!("; {} may refuse writes until then", paused.join(", ")),
            };
            return Some(format!(
                "run {run} of {} changed this cluster and did not end: `elysia-runbook resume {run}` \
                 goes on with it, `elysia-runbook rollback {run}` undoes it{paused}",
                started.time
            ));
        }
    }
    None
}
