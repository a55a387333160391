//! `run --dry-run`: the run itself, on the twin of the cluster, with nothing left of it at the end.

use std::path::Path;

use rhai::Engine;
use tokio::runtime::Runtime;

use super::disguise::Disguise;
use super::execute::Company;
use super::run::{New, begin};
use super::{Ended, one};
use crate::cli::HowArgs;
use crate::error::Error;
use crate::event::{Event, Listener};
use crate::journal::Home;

/// Runs what is placed on a twin, in a home and in folders that last no longer.
pub(super) fn dry_run(
    engine: Engine,
    runtime: Runtime,
    new: New,
    how: &HowArgs,
    mut company: Company,
) -> Ended {
    let folder = tempfile::tempdir().map_err(|error| one(no_folder(&error)))?;
    let (home, instead) = (folder.path().join("home"), folder.path().join("files"));
    let disguise = disguise(&home, new.past.path(), &instead);
    company.listener = Box::new(Disguised { to: company.listener, as_: disguise.clone() });
    let errors = company.errors;
    company.errors = Box::new(move |error| errors(&disguise.error(error)));
    let new = New { home: Home::at(home), instead: Some(instead), ..new };
    begin(engine, runtime, new, how, company)
}

fn no_folder(error: &std::io::Error) -> Error {
    Error::failed("a dry run needs a folder for as long as it takes")
        .cause(error)
        .hint("set TMPDIR to a folder that can be written")
}

/// Files are told as if they were where the run would put them.
fn disguise(home: &Path, real: &Path, instead: &Path) -> Disguise {
    let text = |path: &Path| path.display().to_string();
    Disguise::new(vec![(text(home), text(real)), (text(instead), String::new())])
}

/// Passes on what is said, disguised.
struct Disguised {
    to: Box<dyn Listener>,
    as_: Disguise,
}

impl Listener for Disguised {
    fn hear(&mut self, event: &Event) -> std::io::Result<()> {
        self.to.hear(&self.as_.event(event))
    }
}
