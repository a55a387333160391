//! A report as Markdown for the incident's ticket: short, and complete in what was changed and saved.
//!
//! Every text passes [`Plain`] or [`Code`], whoever it comes from.

mod plain;

use std::fmt::{self, Write};

use super::grid::{Grid, Holding};
use super::model::{Entry, Kind, Part, Report, State};
use super::time::{clock, moment, took};
use crate::issue::Severity;
use plain::{Code, CodeCell, Plain, write_block};

/// How many things are told that are not as they should be.
const WRONG: usize = 100;

/// How many things are told that are.
const RIGHT: usize = 30;

/// Returns the report; without a newline at its end.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut text, report);
    text.trim_end().to_owned()
}

fn write_all(text: &mut String, report: &Report) -> fmt::Result {
    writeln!(text, "## {}\n", Plain(&report.headline()))?;
    let took = report.took().map(|took| format!(", {took}")).unwrap_or_default();
    writeln!(text, "- Run {}: {}", Code(&report.run), Plain(&report.verdict()))?;
    writeln!(
        text,
        "- Runbook: {} ({}), {}",
        Code(&report.runbook),
        Plain(&report.origin),
        Code(&format!("elysia-runbook {}", report.program))
    )?;
    let nodes: Vec<_> = report
        .nodes
        .iter()
        .map(|node| format!("{} {}", Plain(&node.name), Code(&node.url)))
        .collect();
    writeln!(text, "- Cluster: {}: {}", Plain(&report.place()), nodes.join(", "))?;
    let parameters = report.parameters.iter().map(|(name, value)| format!("{name}={value}"));
    let parameters: Vec<_> = parameters.map(|it| Code(&it).to_string()).collect();
    if !parameters.is_empty() {
        writeln!(text, "- Parameters: {}", parameters.join(", "))?;
    }
    writeln!(text, "- When: {} to {}{took}", moment(&report.began), moment(&report.last))?;
    writeln!(text, "- Journal and backups: {}", Code(&report.folder))?;
    if let Some((what, commands)) = report.commands() {
        writeln!(text, "\n### {what}\n")?;
        write_block(text, &commands.join("\n"))?;
    }
    write_why(text, report)?;
    write_list(text, "Warnings", report.warnings.iter().map(|it| Plain(it).to_string()))?;
    write_found(text, report)?;
    write_grids(text, report)?;
    write_steps(text, report)?;
    write_changes(text, report)?;
    write_saved(text, report)
}

fn write_why(text: &mut String, report: &Report) -> fmt::Result {
    let Some(reason) = report.end.as_ref().and_then(|end| end.error.as_ref()) else {
        return Ok(());
    };
    writeln!(text, "\n### Why\n\n{}", Plain(&reason.message))?;
    if let Some(place) = &reason.place {
        writeln!(
            text,
            "\n{}, line {}: {}",
            Plain(&place.file),
            place.line,
            Code(place.text.trim())
        )?;
    }
    let causes = reason.causes.iter().map(|cause| format!("- {}", Plain(cause)));
    let hints = reason.hints.iter().map(|hint| format!("- → {}", Plain(hint)));
    let lines: Vec<_> = causes.chain(hints).collect();
    if lines.is_empty() { Ok(()) } else { writeln!(text, "\n{}", lines.join("\n")) }
}

fn write_list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    let lines: Vec<_> = lines.map(|line| format!("- {line}")).collect();
    if lines.is_empty() { Ok(()) } else { writeln!(text, "\n### {title}\n\n{}", lines.join("\n")) }
}

/// Writes what is not as it should be, then the rest; of many only some.
fn write_found(text: &mut String, report: &Report) -> fmt::Result {
    let all = report.parts.iter().flat_map(|part| &part.entries).filter_map(found);
    let (wrong, right): (Vec<_>, Vec<_>) = all.partition(|(is_wrong, _)| *is_wrong);
    let mut lines = vec![];
    for (found, most) in [(wrong, WRONG), (right, RIGHT)] {
        let more = found.len().saturating_sub(most);
        lines.extend(found.into_iter().take(most).map(|(_, line)| line));
        if more > 0 {
            lines.push(format!("… and {more} more, which the page of `--html` has"));
        }
    }
    write_list(text, "Found", lines.into_iter())
}

/// Returns whether something that was found is not as it should be, and the line for it.
fn found(entry: &Entry) -> Option<(bool, String)> {
    match entry {
        Entry::Check { text, passed, detail } => {
            let detail = if detail.is_empty() { "" } else { &format!(": {detail}") };
            let mark = if *passed { "✓" } else { "✗" };
            Some((!passed, format!("{mark} {}", Plain(&format!("{text}{detail}")))))
        }
        Entry::Issue(issue) => {
            let mark = match issue.severity {
                Severity::Problem => "✗",
                Severity::Unknown => "?",
                Severity::Note => "·",
            };
            let about = match &issue.class {
                Some(class) if !issue.text.contains(class.as_str()) => format!("{class}: "),
                _ => String::new(),
            };
            let said = format!("{about}{} [{}]", issue.text, issue.code);
            let remedy = match issue.remedy.as_str() {
                "" => String::new(),
                remedy => format!(" → {}", Code(remedy)),
            };
            let is_wrong = issue.severity != Severity::Note;
            Some((is_wrong, format!("{mark} {}{remedy}", Plain(&said))))
        }
        Entry::Tally(text) => Some((false, format!("= {}", Plain(text)))),
        _ => None,
    }
}

fn write_grids(text: &mut String, report: &Report) -> fmt::Result {
    for (when, grid) in [("Before", &report.before), ("After", &report.after)] {
        if let Some(grid) = grid {
            write_grid(text, when, grid)?;
        }
    }
    Ok(())
}

/// Writes on how many nodes each class is: the squares are for the page.
fn write_grid(text: &mut String, when: &str, grid: &Grid) -> fmt::Result {
    let nodes: Vec<_> = grid.nodes.iter().map(|node| Plain(node).to_string()).collect();
    let nodes = nodes.join(" | ");
    let rules = "---|".repeat(grid.nodes.len());
    writeln!(
        text,
        "\n### {when}: shards that each node has\n\n| class | shards | {nodes} |\n|---|---|{rules}"
    )?;
    for class in &grid.classes {
        let all = class.shards.len() + class.other_shards;
        let cells = class.own_schema.iter().enumerate().map(|(at, own)| {
            let count = |holding| class.shards.iter().filter(|it| it.cells[at] == holding).count();
            let (has, unknown) = (count(Holding::Has), count(Holding::Unknown));
            let mut said = match own {
                Holding::Unknown => "?".to_owned(),
                Holding::Has => has.to_string(),
                Holding::Lacks | Holding::None if has > 0 => format!("{has}, no schema"),
                Holding::Lacks | Holding::None => "no schema".into(),
            };
            if unknown > 0 && *own != Holding::Unknown {
                let _ = write!(said, ", {unknown} unknown");
            }
            format!(" {said} |")
        });
        let cells: String = cells.collect();
        let more = match class.other_shards {
            0 => String::new(),
            more => format!(" ({more} not counted)"),
        };
        writeln!(text, "| {} | {all}{more} |{cells}", Plain(&class.class))?;
    }
    Ok(())
}

fn write_steps(text: &mut String, report: &Report) -> fmt::Result {
    writeln!(text, "\n### Steps\n\n| step | | took |\n|---|---|---|")?;
    for part in &report.parts {
        let Part { kind, state, milliseconds, .. } = part;
        let title = match kind {
            Kind::Step { step, title } => format!("{step}\\. {}", Plain(title)),
            Kind::Rollback(title) => format!("rolling back: {}", Plain(title)),
            Kind::Resumed(_) => format!("the run goes on, {}", moment(&part.at)),
            Kind::Undone(_) => format!("the run is undone, {}", moment(&part.at)),
            Kind::Stopped(end) => format!("stopped: {}", Plain(&end.summary)),
            Kind::Beside => continue,
        };
        let word = match (kind, state) {
            (Kind::Step { .. } | Kind::Rollback(_), State::Done) => "done",
            _ => part.word(),
        };
        let took = milliseconds.and_then(took).unwrap_or_default();
        writeln!(text, "| {title} | {word} | {took} |")?;
    }
    for (step, title) in &report.not_run {
        writeln!(text, "| {step}\\. {} | not run | |", Plain(title))?;
    }
    Ok(())
}

fn write_changes(text: &mut String, report: &Report) -> fmt::Result {
    if report.changes.is_empty() {
        return writeln!(text, "\n### Changes\n\n{}", report.no_change());
    }
    writeln!(
        text,
        "\n### Changes\n\n| | UTC | what | node | what became of it |\n|---|---|---|---|---|"
    )?;
    for change in &report.changes {
        let undoing = if change.rollback { " (putting things back)" } else { "" };
        let detail = match change.detail() {
            "" => String::new(),
            detail => format!(": {}", Plain(detail)),
        };
        writeln!(
            text,
            "| {} | {} | {}{undoing} | {} | {}{detail} |",
            change.number,
            clock(&change.at),
            Plain(&change.wanted),
            Plain(&change.node),
            change.outcome().0,
        )?;
    }
    Ok(())
}

fn write_saved(text: &mut String, report: &Report) -> fmt::Result {
    if report.saved.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n### Saved\n\n| file | bytes | SHA-256 |\n|---|---|---|")?;
    for file in &report.saved {
        writeln!(
            text,
            "| {} | {} | {} |",
            CodeCell(&file.file),
            file.bytes,
            CodeCell(&file.sha256)
        )?;
    }
    Ok(())
}
