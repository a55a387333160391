//! `show`: what a runbook does, without running it.

use std::fmt::Write as _;

use owo_colors::OwoColorize;
use serde_json::Value;

use super::Ended;
use super::copy::Copy;
use crate::cli::ShowArgs;
use crate::host;
use crate::runbook::{Outline, Runbook};
use crate::terminal::{Styles, print, shown};

pub(super) fn show(args: &ShowArgs) -> Ended {
    let runbook = Runbook::load(&mut host::engine(), &args.runbook)?;
    let styles = Styles::for_stdout();
    let copy = Copy::of(&runbook.source);
    let origin = runbook.source.origin();
    let origin = match &copy {
        Some(copy) => format!("{origin} ({})", copy.verdict()),
        None => origin,
    };
    print(render(&origin, &runbook.outline, styles).trim_end());
    let difference = copy.map(|copy| copy.difference(styles)).unwrap_or_default();
    if !difference.is_empty() {
        print(&format!("\n{difference}"));
    }
    Ok(0)
}

fn render(origin: &str, outline: &Outline, styles: Styles) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}\n", shown_lines(&outline.doc));
    let _ = writeln!(text, "from: {}\n", shown(origin));
    if !outline.parameters.is_empty() {
        let _ = writeln!(text, "parameters:");
    }
    for parameter in &outline.parameters {
        let default = match &parameter.default {
            Some(Value::String(value)) => format!("={}", shown(value)),
            Some(value) => format!("={value}"),
            None => " (required)".into(),
        };
        let set = format!("--set {}{default}", shown(&parameter.name));
        let help = parameter.help.as_deref().map(shown).unwrap_or_default();
        let _ = writeln!(text, "  {set:<34}  {help}");
    }
    let _ = writeln!(text, "\nsteps:");
    for (number, step) in outline.steps.iter().enumerate() {
        let optional = if step.optional { " (optional: `--step` can skip it)" } else { "" };
        let title = shown(&step.title);
        let _ = writeln!(text, "  {}. {}{optional}", number + 1, title.style(styles.step));
        let join = |names: &std::collections::BTreeSet<String>| {
            names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        if !step.reads.is_empty() {
            let _ = writeln!(text, "     uses {}", join(&step.reads));
        }
        if !step.changes.is_empty() {
            let undo = if step.has_rollback { "has a rollback" } else { "no rollback of its own" };
            let changes = join(&step.changes);
            let _ =
                writeln!(text, "     {} {} ({undo})", "changes:".style(styles.caution), changes);
        }
    }
    text
}

fn shown_lines(doc: &str) -> String {
    doc.lines().map(shown).collect::<Vec<_>>().join("\n")
}
