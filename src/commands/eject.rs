//! `eject`: a shipped runbook with its test, copied into `./runbooks` to be edited.

use std::path::Path;

use super::write::write_all;
use super::{Ended, one};
use crate::cli::EjectArgs;
use crate::error::Error;
use crate::host;
use crate::runbook::{Runbook, built_in, shipped};
use crate::terminal::print;

pub(super) fn eject(args: &EjectArgs) -> Ended {
    let name = args.runbook.strip_suffix(".rhai").unwrap_or(&args.runbook);
    let name = name.strip_suffix("_test").unwrap_or(name);
    let source = built_in(name).ok_or_else(|| one(unknown(name)))?;
    let file = |name: &str| Path::new("runbooks").join(format!("{name}.rhai"));
    let mut files = vec![(file(name), source.text.clone())];
    if let Some(test) = built_in(&format!("{name}_test")) {
        files.push((file(&format!("{name}_test")), test.text));
    }
    write_all(&files).map_err(one)?;
    let paths: Vec<_> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    print(&format!("wrote {}", paths.join(" and ")));
    if source.is_import {
        print("It stands in for the built-in one in every runbook in ./runbooks.");
        return Ok(0);
    }
    // The copy itself may be preceded by another of its name: it is the built-in one that was copied.
    let runbook = Runbook::compile(&mut host::engine(), source)?;
    for import in runbook.imports.keys() {
        print(&format!(
            "It imports {import}, which stays built in; `elysia-runbook eject {import}` copies it, too."
        ));
    }
    print("What to do next, in any order, as often as you like:");
    print(&format!("elysia-runbook show {name}"));
    print(&format!("elysia-runbook check {name}"));
    print(&format!("elysia-runbook test {name}"));
    Ok(0)
}

fn unknown(name: &str) -> Error {
    let error = Error::usage(format!("there is no shipped runbook `{name}`"));
    let near = shipped().find(|shipped| strsim::jaro_winkler(shipped, name) > 0.8);
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there is {}", shipped().collect::<Vec<_>>().join(", "))),
    }
}
