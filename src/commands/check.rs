//! `check`: compile and check runbooks without a cluster.

use super::{Ended, list};
use crate::cli::CheckArgs;
use crate::host;
use crate::runbook::Runbook;
use crate::terminal::print;

pub(super) fn check(args: &CheckArgs) -> Ended {
    let names = if args.runbooks.is_empty() { list::names() } else { args.runbooks.clone() };
    let mut errors = vec![];
    for name in names {
        match Runbook::load(&mut host::engine(), &name) {
            Ok(runbook) => {
                let steps = crate::event::count(runbook.outline.steps.len(), "step");
                print(&format!("{}: {steps}, no fault found", runbook.source.display));
            }
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(0) } else { Err(errors) }
}
