//! What was found, as text: issues with what to do about them, and tables.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize;

use super::style::{Styles, shown};
use crate::event::{Cell, CellState};
use crate::issue::{Issue, IssueCode, Severity};

/// How many issues of one code are told one by one.
const TOLD: usize = 10;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    told: BTreeMap<IssueCode, usize>,
    /// Codes and classes of which it was told what to do.
    remedies: BTreeSet<(IssueCode, Option<String>, String)>,
}

impl Findings {
    /// Returns the lines for an issue; none for one of many of its kind.
    pub(super) fn issue(&mut self, issue: &Issue, styles: Styles) -> Option<String> {
        let told = self.told.entry(issue.code).or_default();
        *told += 1;
        if *told > TOLD {
            return None;
        }
        let (mark, style) = match issue.severity {
            Severity::Problem => ("✗", styles.bad),
            Severity::Unknown => ("?", styles.caution),
            Severity::Note => ("·", styles.aside),
        };
        let about = match &issue.class {
            Some(class) if !issue.text.contains(class.as_str()) => format!("{class}: "),
            _ => String::new(),
        };
        let code = format!("[{}]", issue.code);
        let mut lines = format!(
            "  {} {}{} {}",
            mark.style(style),
            shown(&about),
            shown(&issue.text),
            code.style(styles.aside)
        );
        let new = !self.remedies.iter().any(|(code, class, remedy)| {
            *remedy == issue.remedy || (*code == issue.code && *class == issue.class)
        });
        if !issue.remedy.is_empty() && new {
            self.remedies.insert((issue.code, issue.class.clone(), issue.remedy.clone()));
            lines.push_str("\n      → ");
            lines.push_str(&shown(&issue.remedy));
        }
        Some(lines)
    }

    /// Returns a line for each code of which not all was told.
    pub(super) fn untold(&self) -> Vec<String> {
        let more = self.told.iter().filter(|(_, found)| **found > TOLD);
        more.map(|(code, found)| {
            format!("  … and {} more {code}; `--output ndjson` has them all", found - TOLD)
        })
        .collect()
    }
}

/// Returns a table without borders, coloured where the terminal is.
pub(super) fn table(title: &str, columns: &[String], rows: &[Vec<Cell>], styles: Styles) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| shown(column).style(styles.aside).to_string()));
    for row in rows {
        table.add_row(row.iter().map(|cell| {
            let style = match cell.state {
                CellState::Plain => owo_colors::Style::new(),
                CellState::Good => styles.good,
                CellState::Unknown => styles.caution,
                CellState::Bad => styles.bad,
            };
            shown(&cell.text).style(style).to_string()
        }));
    }
    let body = table.to_string();
    let lines = body.lines().map(|line| format!(" {}", line.trim_end()));
    let title = shown(title);
    std::iter::once(title).chain(lines).collect::<Vec<_>>().join("\n")
}
