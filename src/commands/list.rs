//! `list`: the runbooks that can be found by name.

use std::collections::BTreeSet;

use comfy_table::{Table, presets};

use super::copy::Copy;
use crate::host;
use crate::runbook::{Runbook, folders, is_test, shipped};
use crate::terminal::{print, shown};

pub(super) fn list() -> u8 {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["runbook", "where", "what it does"]);
    for name in names() {
        match Runbook::load(&mut host::engine(), &name) {
            Ok(runbook) => {
                let origin = runbook.source.origin();
                let origin = match Copy::of(&runbook.source) {
                    Some(copy) => format!("{origin} ({})", copy.verdict()),
                    None => origin,
                };
                table.add_row([&name, &origin, runbook.outline.summary()]);
            }
            Err(errors) => {
                let fault = errors.first().map(|e| shown(&e.message)).unwrap_or_default();
                table.add_row([&name, "", &format!("does not pass `check`: {fault}")]);
            }
        }
    }
    print(&table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    0
}

/// Returns the names of all runbooks, those of the folders and the built-in ones.
pub(crate) fn names() -> Vec<String> {
    let mut names: BTreeSet<String> = shipped().map(Into::into).collect();
    for folder in folders() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".rhai").filter(|name| !is_test(name)) {
                names.insert(name.into());
            }
        }
    }
    names.into_iter().collect()
}
