//! `run --dry-run`: the run itself, on the twin of the cluster, with nothing left of it at the end.

use std::collections::BTreeMap;
use std::path::Path;

use rhai::Engine;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::disguise::Disguise;
use super::execute::Company;
use super::place::Place;
use super::run::{New, begin};
use super::{Ended, one};
use crate::cli::HowArgs;
use crate::error::Error;
use crate::event::{Event, Listener};
use crate::journal::Home;
use crate::runbook::Runbook;

/// A run that is only tried.
pub(super) struct DryRun<'a> {
    /// The runbook as the operator named it.
    pub(super) name: &'a str,
    pub(super) runbook: Runbook,
    pub(super) parameters: BTreeMap<String, Value>,
    /// The twin.
    pub(super) place: Place,
    /// The name of `--cluster`.
    pub(super) cluster: Option<String>,
}

impl DryRun<'_> {
    pub(super) fn run(self, engine: Engine, runtime: Runtime, how: &HowArgs) -> Ended {
        let Self { name, runbook, parameters, place, cluster } = self;
        let folder = tempfile::tempdir().map_err(|error| one(no_folder(&error)))?;
        let (home, instead) = (folder.path().join("home"), folder.path().join("files"));
        let disguise = disguise(&home, &instead);
        let mut company = Company::at_terminal(&runtime, how.output)?;
        company.listener = Box::new(Disguised { to: company.listener, as_: disguise.clone() });
        let errors = company.errors;
        company.errors = Box::new(move |error| errors(&disguise.error(error)));
        let (home, instead) = (Home::at(home), Some(instead));
        let new = New { name, runbook, parameters, place, cluster, home, instead };
        begin(engine, runtime, new, how, company)
    }
}

fn no_folder(error: &std::io::Error) -> Error {
    Error::failed("a dry run needs a folder for as long as it takes")
        .cause(error)
        .hint("set TMPDIR to a folder that can be written")
}

/// Files are told as if they were where the run would put them.
fn disguise(home: &Path, instead: &Path) -> Disguise {
    let real = Home::find().map(|home| home.path().to_owned());
    let real = real.unwrap_or_else(|_| "$ELYSIA_RUNBOOK_HOME".into());
    let text = |path: &Path| path.display().to_string();
    Disguise::new(vec![(text(home), text(&real)), (text(instead), String::new())])
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
