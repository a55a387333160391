//! What a shell may offer for an argument: runbooks, their parameters, clusters, runs.
//!
//! Reads files only, never a cluster. Whatever can't be read is not offered, and
//! nothing is said of it: a half-typed line is no place for an error.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use crate::commands::{cluster_names, runbook_names};
use crate::host;
use crate::journal::Home;
use crate::runbook::{Runbook, find};

/// Offers the names of runbooks; behind a `/`, the files and folders that are there.
#[must_use]
pub fn runbooks(typed: &OsStr) -> Vec<CompletionCandidate> {
    if typed.to_string_lossy().contains('/') {
        return files(typed);
    }
    beginning(typed, runbook_names())
}

/// Offers the names of the runbooks that are shipped.
#[must_use]
pub fn shipped(typed: &OsStr) -> Vec<CompletionCandidate> {
    beginning(typed, crate::runbook::shipped().map(Into::into))
}

/// Offers the names of primitives.
#[must_use]
pub fn primitives(typed: &OsStr) -> Vec<CompletionCandidate> {
    beginning(typed, host::primitives(&host::engine()))
}

/// Offers files of runbooks and tests, and folders.
#[must_use]
pub fn files(typed: &OsStr) -> Vec<CompletionCandidate> {
    let text = typed.to_string_lossy();
    let folder = text.rfind('/').map_or("", |end| &text[..=end]);
    let entries = std::fs::read_dir(if folder.is_empty() { "." } else { folder });
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        if entry.path().is_dir() {
            return Some(format!("{folder}{name}/"));
        }
        let is_rhai = entry.path().extension().is_some_and(|it| it == "rhai");
        is_rhai.then(|| format!("{folder}{name}"))
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    beginning(typed, names)
}

/// Offers `NAME=` for each parameter of the runbook that is on the command line.
#[must_use]
pub fn parameters(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words = std::env::args().skip_while(|word| word != "run").skip(1);
    let chosen = words.filter(|word| !word.starts_with('-')).find(|word| find(word).is_ok());
    let loaded = chosen.and_then(|name| Runbook::load(&mut host::engine(), &name).ok());
    let parameters = loaded.map(|runbook| runbook.outline.parameters).unwrap_or_default();
    let typed = typed.to_string_lossy();
    parameters
        .into_iter()
        .filter(|parameter| format!("{}=", parameter.name).starts_with(&*typed))
        .map(|parameter| {
            CompletionCandidate::new(format!("{}=", parameter.name))
                .help(parameter.help.map(Into::into))
        })
        .collect()
}

/// Offers the clusters of `elysia-runbook.toml`.
#[must_use]
pub fn clusters(typed: &OsStr) -> Vec<CompletionCandidate> {
    beginning(typed, cluster_names())
}

/// Offers the ids of runs, the newest first.
#[must_use]
pub fn runs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let runs = Home::find().and_then(|home| home.runs()).unwrap_or_default();
    beginning(typed, runs.into_iter().map(|folder| folder.run))
}

fn beginning(typed: &OsStr, names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    names
        .into_iter()
        .filter(|name| name.starts_with(&*typed))
        .enumerate()
        .map(|(at, name)| CompletionCandidate::new(name).display_order(Some(at)))
        .collect()
}
