//! `new`: a runbook from a template that teaches, and its test.

use std::path::PathBuf;

use super::write::write_all;
use super::{Ended, one};
use crate::cli::NewArgs;
use crate::error::Error;
use crate::runbook::built_in;
use crate::terminal::print;

const RUNBOOK: &str = include_str!("templates/runbook.rhai");
const TEST: &str = include_str!("templates/test.rhai");

pub(super) fn new(args: &NewArgs) -> Ended {
    let given = args.name.strip_suffix(".rhai").unwrap_or(&args.name);
    let (folder, name) = given.rsplit_once('/').map_or((None, given), |(a, b)| (Some(a), b));
    refuse(name).map_err(one)?;
    let path = |file: String| match folder {
        Some(folder) => PathBuf::from(format!("{folder}/{file}")),
        None => PathBuf::from(file),
    };
    let files = [
        (path(format!("{name}.rhai")), RUNBOOK.to_owned()),
        (path(format!("{name}_test.rhai")), TEST.replace("NAME", name)),
    ];
    write_all(&files).map_err(one)?;
    let [(runbook, _), (test, _)] = &files;
    print(&format!("wrote {} and {}", runbook.display(), test.display()));
    // A name is looked up here and in ./runbooks, any other folder has to be said.
    let call = match folder {
        None | Some("runbooks" | "./runbooks" | ".") => name.to_owned(),
        Some(_) => runbook.display().to_string(),
    };
    print("What to do next, in any order, as often as you like:");
    print(&format!("elysia-runbook check {call}"));
    print(&format!("elysia-runbook test {call}"));
    print(&format!("elysia-runbook run {call} --sandbox=healthy"));
    Ok(0)
}

/// Refuses a name that would not be found again, or that another runbook has.
fn refuse(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('-') {
        return Err(Error::usage(format!("`{name}` can't be the name of a runbook"))
            .hint("take letters, digits, `-` and `_`: add-replicas"));
    }
    if name.ends_with("_test") {
        return Err(Error::usage(format!("`{name}` is the name of a test"))
            .hint("name the runbook; its test is written with it"));
    }
    if built_in(name).is_some() {
        return Err(Error::usage(format!("there is a shipped runbook `{name}`"))
            .hint(format!("`elysia-runbook eject {name}` copies it to be edited")));
    }
    Ok(())
}
