//! The changes that were sent and the files that were saved, as tables.

use std::fmt::{self, Write};

use super::safe::{Safe, class};
use crate::report::model::Report;
use crate::report::time::clock;

pub(super) fn write_changes(page: &mut String, report: &Report) -> fmt::Result {
    writeln!(page, "<h2>Changes that were sent</h2>")?;
    if report.changes.is_empty() {
        return writeln!(page, "<p>{}</p>", Safe(report.no_change()));
    }
    writeln!(
        page,
        "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">No.</th><th scope=\"col\">at</th>\
         <th scope=\"col\">what</th><th scope=\"col\">node</th><th scope=\"col\">what became of it</th></tr></thead>\n<tbody>"
    )?;
    for change in &report.changes {
        let (outcome, tone) = change.outcome();
        let undoing = if change.rollback { " (putting things back)" } else { "" };
        let detail = match change.detail() {
            "" => String::new(),
            detail => format!(" <span class=\"quiet\">{}</span>", Safe(detail)),
        };
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"any\">{}{undoing}</td><td>{}</td><td class=\"any\"><span class=\"{}\">{outcome}</span>{detail}</td></tr>",
            change.number,
            Safe(&clock(&change.at)),
            Safe(&change.wanted),
            Safe(&change.node),
            class(tone),
        )?;
    }
    writeln!(page, "</tbody></table></div>")
}

pub(super) fn write_saved(page: &mut String, report: &Report) -> fmt::Result {
    if report.saved.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "<h2>Files that were saved</h2>\n<p class=\"quiet\">{}</p>\n<div class=\"wide\"><table class=\"sums\">\n\
         <thead><tr><th scope=\"col\">file</th><th scope=\"col\">content</th><th scope=\"col\">bytes</th><th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>",
        Safe(&format!(
            "`elysia-runbook runs verify {}` looks whether they are as they were written.",
            report.run
        )),
    )?;
    for file in &report.saved {
        let what = if file.class.is_empty() { "all classes" } else { &file.class };
        writeln!(
            page,
            "<tr><td class=\"any\"><code>{}</code></td><td>{} of {}</td><td>{}</td><td class=\"any\"><code>{}</code></td></tr>",
            Safe(&file.file),
            Safe(&file.content),
            Safe(what),
            file.bytes,
            Safe(&file.sha256)
        )?;
    }
    writeln!(page, "</tbody></table></div>")
}
