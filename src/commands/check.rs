//! `check`: compile and check runbooks without a cluster.

use super::{Ended, list};
use crate::cli::CheckArgs;
use crate::error::Error;
use crate::host;
use crate::runbook::{Runbook, TestFile, find_tests, is_test};
use crate::terminal::print;
use crate::testing;

pub(super) fn check(args: &CheckArgs) -> Ended {
    let names = if args.runbooks.is_empty() { list::names() } else { args.runbooks.clone() };
    let mut errors = vec![];
    for name in names {
        if is_test(&name) {
            errors.extend(check_test(&name).err().into_iter().flatten());
            continue;
        }
        match Runbook::load(&mut host::engine(), &name) {
            Ok(runbook) => {
                let steps = crate::text::count(runbook.outline.steps.len(), "step");
                print(&format!("{}: {steps}, no fault found", runbook.source.display));
            }
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(0) } else { Err(errors) }
}

/// Checks a file of tests, which has words of its own.
fn check_test(name: &str) -> Result<(), Vec<Error>> {
    for source in find_tests(&[name.to_owned()]).map_err(|error| vec![error])? {
        let file = TestFile::compile(&mut testing::engine(), source)?;
        let tests = crate::text::count(file.tests.len(), "test");
        print(&format!("{}: {tests}, no fault found", file.source.display));
    }
    Ok(())
}
