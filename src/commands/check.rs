//! `check`: compile and check runbooks without a cluster, and tell what was found.

use std::path::Path;

use serde_json::json;

use super::list;
use crate::cli::{CheckArgs, CheckOutput};
use crate::error::{Error, Kind};
use crate::host;
use crate::runbook::{
    Checked, Finding, Holds, Rule, Source, files_in, find, find_tests, is_test, leave_imports, read,
};
use crate::terminal::{print, print_errors, print_warning};
use crate::testing;
use crate::text::count;

pub(super) fn check(args: &CheckArgs) -> u8 {
    let paths = if args.paths.is_empty() { list::names() } else { args.paths.clone() };
    let mut sources: Vec<Source> = vec![];
    let mut findings = vec![];
    let mut errors = vec![];
    for source in paths.iter().flat_map(|path| sources_of(path)) {
        match source {
            Ok(source) if sources.iter().any(|it| it.display == source.display) => {}
            Ok(source) => sources.push(source),
            Err((file, error)) if error.kind == Kind::Runbook => {
                let finding = Finding::in_file(Rule::NotText, &file, error.message);
                findings.push(Finding { hints: error.hints, ..finding });
            }
            Err((_, error)) => errors.push(error),
        }
    }
    let mut files: Vec<Checked> = sources.iter().map(checked).collect();
    leave_imports(&mut files);
    findings.extend(files.iter().flat_map(|file| file.findings.clone()));
    findings.sort_by_key(|it| (it.file.clone(), it.start(), it.rule, it.message.clone()));
    // What several runbooks import is found with each.
    findings.dedup();
    match args.output {
        CheckOutput::Text => {
            files.iter().filter_map(|file| summary(file, &findings)).for_each(|line| print(&line));
            findings.iter().for_each(show);
        }
        CheckOutput::Json => {
            let all: Vec<_> = findings.iter().map(as_json).collect();
            print(&format!("{:#}", json!(all)));
        }
    }
    print_errors(&errors);
    let fails = findings.iter().any(|it| args.strict || it.is_error());
    let fails = fails.then_some(Kind::Runbook.exit_code());
    errors.iter().map(|error| error.kind.exit_code()).chain(fails).max().unwrap_or(0)
}

/// Reads what a path or name stands for: a runbook, a file of tests, or all of a folder. What can't be
/// read comes with its file.
fn sources_of(path: &str) -> Vec<Result<Source, (String, Error)>> {
    let folder = Path::new(path);
    let found = if is_test(path) && !folder.is_dir() {
        find_tests(&[path.to_owned()])
    } else {
        find(path).map(|source| vec![source])
    };
    match found {
        Ok(sources) => sources.into_iter().map(Ok).collect(),
        Err(_) if folder.is_dir() => match files_in(folder) {
            Ok(files) => files.iter().map(|file| read_file(file)).collect(),
            Err(error) => vec![Err((path.to_owned(), error))],
        },
        Err(error) => vec![Err((path.to_owned(), error))],
    }
}

fn read_file(file: &Path) -> Result<Source, (String, Error)> {
    let name = file.to_string_lossy();
    read(file, &name).map_err(|error| (name.into_owned(), error))
}

fn checked(source: &Source) -> Checked {
    if is_test(&source.display) {
        Checked::of_tests(&mut testing::engine(), source)
    } else {
        Checked::of_runbook(&mut host::engine(), source)
    }
}

/// Returns the line for a file that passed. What is found in it may have been found with what imports it.
fn summary(file: &Checked, findings: &[Finding]) -> Option<String> {
    let holds = match file.holds? {
        Holds::Steps(number) => count(number, "step"),
        Holds::Tests(number) => count(number, "test"),
        Holds::Functions(number) => count(number, "function"),
    };
    let here = || findings.iter().filter(|finding| finding.file == file.file);
    if file.findings.iter().chain(here()).any(Finding::is_error) {
        return None;
    }
    let found = match here().count() {
        0 => "no fault found".into(),
        warnings => count(warnings, "warning"),
    };
    Some(format!("{}: {holds}, {found}", file.file))
}

fn show(finding: &Finding) {
    let error = finding.clone().into();
    if finding.is_error() {
        print_errors(&[error]);
    } else {
        print_warning(finding.rule.as_str(), &error);
    }
}

/// Returns a finding as `docs/editors.md` tells.
fn as_json(finding: &Finding) -> serde_json::Value {
    let (line, column) = finding.start();
    let length = finding.place.as_ref().map_or(0, |it| it.text[it.span()].chars().count());
    json!({
        "file": finding.file,
        "line": line,
        "column": column,
        "end_line": line,
        "end_column": column + length,
        "severity": finding.rule.severity().as_str(),
        "code": finding.rule.as_str(),
        "message": finding.message,
        "hints": finding.hints,
    })
}
