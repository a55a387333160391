//! What differs between two texts, as people know it from `diff -u`.

use owo_colors::{OwoColorize, Style};

use super::style::{Styles, shown};

/// Returns the lines that differ, with some around them; nothing where none do.
#[must_use]
pub fn diff(before: (&str, &str), after: (&str, &str), styles: Styles) -> String {
    let ((old_name, old), (new_name, new)) = (before, after);
    if old == new {
        return String::new();
    }
    let diff = similar::TextDiff::from_lines(old, new);
    let unified = diff.unified_diff().header(old_name, new_name).to_string();
    let lines = unified.lines().map(|line| {
        let style = match line.chars().next() {
            Some('+') => styles.good,
            Some('-') => styles.bad,
            Some('@') => styles.aside,
            _ => Style::new(),
        };
        format!("{}", shown(line).style(style))
    });
    lines.collect::<Vec<_>>().join("\n")
}
