//! What happened, step by step, and why it failed where it did.

use std::fmt::{self, Write};

use super::safe::{Safe, item};
use crate::event::{CellState, Reason};
use crate::issue::{Issue, Severity};
use crate::report::model::{End, Entry, Kind, Part, Report, State, Tone};
use crate::report::time::{clock, took};

pub(super) fn write_happened(page: &mut String, report: &Report) -> fmt::Result {
    writeln!(page, "<h2>What happened</h2>")?;
    report.parts.iter().try_for_each(|part| write_part(page, report, part))?;
    write_not_run(page, &report.not_run)
}

pub(super) fn write_reason(page: &mut String, reason: &Reason) -> fmt::Result {
    writeln!(page, "<p class=\"said\">{}</p>", Safe(&reason.message))?;
    if let Some(place) = &reason.place {
        let (file, line, text) = (Safe(&place.file), place.line, Safe(&place.text));
        writeln!(page, "<p class=\"quiet\">{file}, line {line}</p>\n<pre>{text}</pre>")?;
    }
    if !reason.causes.is_empty() || !reason.hints.is_empty() {
        writeln!(page, "<ul>")?;
        reason.causes.iter().try_for_each(|cause| item(page, None, "=", cause))?;
        reason.hints.iter().try_for_each(|hint| item(page, None, "→", hint))?;
        writeln!(page, "</ul>")?;
    }
    Ok(())
}

fn write_part(page: &mut String, report: &Report, part: &Part) -> fmt::Result {
    let mut aside = vec![clock(&part.at)];
    if !matches!(part.state, State::DoneBefore | State::Skipped) {
        aside.extend(part.milliseconds.and_then(took));
    }
    aside.extend(Some(part.word()).filter(|word| !word.is_empty()).map(Into::into));
    let title = match &part.kind {
        Kind::Step { step, title } => format!("{step}. {title}"),
        Kind::Beside => "Outside of the steps".into(),
        Kind::Rollback(title) => format!("Rolling back: {title}"),
        Kind::Resumed(program) => format!("The run goes on (elysia-runbook {program})"),
        Kind::Undone(program) => format!("The run is undone (elysia-runbook {program})"),
        Kind::Stopped(end) => return write_stopped(page, &part.at, end),
    };
    let tone = match part.state {
        State::Failed => " class=\"bad\"",
        State::Skipped => " class=\"caution\"",
        State::Open if !part.word().is_empty() => " class=\"bad\"",
        _ => "",
    };
    writeln!(
        page,
        "<h3{tone}>{} <span class=\"quiet\">{}</span></h3>",
        Safe(&title),
        Safe(&aside.join(", "))
    )?;
    if part.entries.is_empty() {
        return Ok(());
    }
    writeln!(page, "<ul>")?;
    part.entries.iter().try_for_each(|entry| write_entry(page, report, entry))?;
    writeln!(page, "</ul>")
}

fn write_stopped(page: &mut String, at: &str, end: &End) -> fmt::Result {
    writeln!(
        page,
        "<h3 class=\"caution\">Stopped <span class=\"quiet\">{}</span></h3>\n<p class=\"said\">{}</p>",
        Safe(&clock(at)),
        Safe(&end.summary)
    )?;
    end.error.as_ref().map_or(Ok(()), |reason| write_reason(page, reason))
}

fn write_entry(page: &mut String, report: &Report, entry: &Entry) -> fmt::Result {
    match entry {
        Entry::Note(text) => item(page, None, "", text),
        Entry::Warning(text) => item(page, Some(Tone::Caution), "!", text),
        Entry::Error(text) => item(page, Some(Tone::Bad), "✗", text),
        Entry::Check { text, passed, detail } => {
            let detail = if detail.is_empty() { "" } else { &format!(": {detail}") };
            let (mark, tone) = if *passed { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
            item(page, Some(tone), mark, &format!("{text}{detail}"))
        }
        Entry::Issue(issue) => write_issue(page, issue),
        Entry::Table { title, columns, rows } => {
            let heads = columns.iter().fold(String::new(), |heads, column| {
                format!("{heads}<th scope=\"col\">{}</th>", Safe(column))
            });
            writeln!(
                page,
                "<li><div class=\"wide\"><table><caption>{}</caption><thead><tr>{heads}</tr></thead><tbody>",
                Safe(title)
            )?;
            for row in rows {
                write!(page, "<tr>")?;
                for cell in row {
                    let tone = match cell.state {
                        CellState::Plain => "",
                        CellState::Good => " class=\"good\"",
                        CellState::Unknown => " class=\"caution\"",
                        CellState::Bad => " class=\"bad\"",
                    };
                    write!(page, "<td{tone}>{}</td>", Safe(&cell.text))?;
                }
                writeln!(page, "</tr>")?;
            }
            writeln!(page, "</tbody></table></div></li>")
        }
        Entry::Tally(text) => item(page, None, "=", text),
        Entry::Asked { question, answer } => item(page, None, "?", &format!("{question} {answer}")),
        Entry::Change(at) => report.changes.get(*at).map_or(Ok(()), |change| {
            let (outcome, tone) = change.outcome();
            let more = if tone == Tone::Good { String::new() } else { format!(": {outcome}") };
            item(page, Some(tone), "▸", &format!("{}{more}", change.text()))
        }),
        Entry::Saved(at) => report
            .saved
            .get(*at)
            .map_or(Ok(()), |saved| item(page, None, "↓", &format!("saved {}", saved.file))),
    }
}

fn write_issue(page: &mut String, issue: &Issue) -> fmt::Result {
    let (mark, tone) = match issue.severity {
        Severity::Problem => ("✗", Some(Tone::Bad)),
        Severity::Unknown => ("?", Some(Tone::Caution)),
        Severity::Note => ("·", None),
    };
    let about = match &issue.class {
        Some(class) if !issue.text.contains(class.as_str()) => format!("{class}: "),
        _ => String::new(),
    };
    item(page, tone, mark, &format!("{about}{} [{}]", issue.text, issue.code))?;
    if issue.remedy.is_empty() {
        return Ok(());
    }
    item(page, None, "", &format!("→ {}", issue.remedy))
}

fn write_not_run(page: &mut String, steps: &[(usize, String)]) -> fmt::Result {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(page, "<h3 class=\"quiet\">Steps that were not run</h3>\n<ul>")?;
    steps.iter().try_for_each(|(step, title)| item(page, None, "", &format!("{step}. {title}")))?;
    writeln!(page, "</ul>")
}
