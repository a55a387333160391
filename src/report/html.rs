//! A report as one HTML page that needs nothing else: no script, no other file, no network.
//!
//! Every text passes [`Safe`], whoever it comes from.

mod happened;
mod safe;
mod squares;
mod tables;

use std::fmt::{self, Write};

use super::model::{Report, Tone};
use super::time::moment;
use happened::{write_happened, write_reason};
use safe::{Safe, class, item};
use squares::write_grids;
use tables::{write_changes, write_saved};

/// Returns the page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, report);
    page
}

fn write_page(page: &mut String, report: &Report) -> fmt::Result {
    let headline = report.headline();
    writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}: run {}</title>\n<style>\n{}</style>\n</head>\n<body>",
        Safe(&report.verdict()),
        Safe(&report.run),
        include_str!("html/style.css"),
    )?;
    writeln!(
        page,
        "<header class=\"{}\">\n<p>Run {}: {}</p>\n<h1>{}</h1>\n</header>",
        class(report.tone()),
        Safe(&report.run),
        Safe(&report.verdict()),
        Safe(&headline)
    )?;
    write_facts(page, report)?;
    if let Some((what, commands)) = report.commands() {
        writeln!(page, "<h2>{}</h2>\n<pre>{}</pre>", Safe(what), Safe(&commands.join("\n")))?;
    }
    let error = report.end.as_ref().and_then(|end| end.error.as_ref());
    if let Some(reason) = error {
        writeln!(page, "<h2>Why</h2>")?;
        write_reason(page, reason)?;
    }
    if !report.warnings.is_empty() {
        writeln!(page, "<h2>Warnings</h2>\n<ul>")?;
        for warning in &report.warnings {
            item(page, Some(Tone::Caution), "!", warning)?;
        }
        writeln!(page, "</ul>")?;
    }
    write_grids(page, report)?;
    write_happened(page, report)?;
    write_changes(page, report)?;
    write_saved(page, report)?;
    write_sources(page, report)?;
    writeln!(
        page,
        "<footer>Written by elysia-runbook {} from the journal in {}. Times are UTC.</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION"),
        Safe(&report.folder)
    )
}

fn write_facts(page: &mut String, report: &Report) -> fmt::Result {
    let mut when = format!("{} to {}", moment(&report.began), moment(&report.last));
    if let Some(took) = report.took() {
        write!(when, ", {took}")?;
    }
    let lines = |lines: Vec<String>| lines.join("\n");
    let nodes = report.nodes.iter().map(|node| format!("{} {}", node.name, node.url)).collect();
    let parameters = report.parameters.iter().map(|(name, value)| format!("{name}={value}"));
    writeln!(page, "<dl>")?;
    for (name, value) in [
        ("Runbook", format!("{} ({})", report.runbook, report.origin)),
        ("When", when),
        ("Cluster", report.place()),
        ("Nodes", lines(nodes)),
        ("Parameters", lines(parameters.collect())),
        ("Program", format!("elysia-runbook {}", report.program)),
        ("Folder", report.folder.clone()),
    ] {
        if !value.is_empty() {
            writeln!(page, "<dt>{name}</dt><dd class=\"said\">{}</dd>", Safe(&value))?;
        }
    }
    writeln!(page, "</dl>")
}

fn write_sources(page: &mut String, report: &Report) -> fmt::Result {
    writeln!(page, "<h2>The runbook as it ran</h2>")?;
    for source in &report.sources {
        let (name, sum) = (Safe(&source.name), Safe(&source.sha256));
        writeln!(
            page,
            "<details><summary>{name} <span class=\"quiet\">SHA-256 <code>{sum}</code></span></summary>"
        )?;
        match &source.text {
            Some(text) => writeln!(page, "<pre>{}</pre></details>", Safe(text))?,
            None => {
                writeln!(page, "<p>It is not in the run's folder as it was run.</p></details>")?;
            }
        }
    }
    Ok(())
}
