//! `run`: find and check the runbook, find the cluster, begin a record, run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rhai::Engine;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::dry_run::dry_run;
use super::execute::{Company, Start, disk, execute, permissions, runtime, with_stack};
use super::past::half_way;
use super::place::Place;
use super::sandbox::faults;
use super::{Ended, one, parameters};
use crate::cli::{HowArgs, RunArgs};
use crate::error::Error;
use crate::event::{Event, NamedNode, VERSION};
use crate::host;
use crate::journal::{Home, Journal, RunFolder, sha256, write_new};
use crate::runbook::Runbook;

pub(super) fn run(args: &RunArgs) -> Ended {
    with_stack(|| run_here(args))
}

fn run_here(args: &RunArgs) -> Ended {
    run_in(host::engine(), args, || Home::find().map_err(|error| one(disk(error))))
}

/// Runs it with this engine; `home` is found when all else is in order.
fn run_in(
    mut engine: Engine,
    args: &RunArgs,
    home: impl FnOnce() -> Result<Home, Vec<Error>>,
) -> Ended {
    let runbook = Runbook::load(&mut engine, &args.runbook)?;
    let parameters = parameters::resolve(&runbook.outline, &args.runbook, &args.set)?;
    permissions(&args.how).map_err(one)?;
    let runtime = runtime().map_err(one)?;
    let mut place = Place::find(&args.target, &runtime).map_err(one)?;
    let faults = faults(&args.faults)?;
    if !faults.is_empty() && !args.dry_run && place.sandbox.is_none() {
        return Err(one(Error::usage("`--fault` is for a dry run or the sandbox")
            .hint("add --dry-run, or --sandbox")));
    }
    let cluster = args.target.cluster.clone();
    if args.dry_run {
        place = place.twin(faults, &runtime).map_err(one)?;
    } else {
        place.inject(faults);
    }
    let home = home()?;
    let company = Company::at_terminal(&runtime, args.how.output)?;
    let (name, past) = (args.runbook.as_str(), home.clone());
    let new = New { name, runbook, parameters, place, cluster, home, past, instead: None };
    if args.dry_run {
        return dry_run(engine, runtime, new, &args.how, company);
    }
    begin(engine, runtime, new, &args.how, company)
}

/// A run that has not begun.
pub(super) struct New<'a> {
    /// The runbook as the operator named it.
    pub(super) name: &'a str,
    pub(super) runbook: Runbook,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) place: Place,
    /// The name of `--cluster`.
    pub(super) cluster: Option<String>,
    pub(super) home: Home,
    /// Where the runs of the past are.
    pub(super) past: Home,
    /// The folder that stands for all others that files would be saved in: in a dry run.
    pub(super) instead: Option<PathBuf>,
}

/// Begins the record of a run, and runs it.
pub(super) fn begin(
    engine: Engine,
    runtime: Runtime,
    new: New,
    how: &HowArgs,
    company: Company,
) -> Ended {
    let New { name, runbook, parameters, place, cluster, home, past, instead } = new;
    let permissions = permissions(how).map_err(one)?;
    let disk = |error| one(disk(error));
    let folder = home.new_run().map_err(disk)?;
    let sources = save_sources(&runbook, &folder).map_err(disk)?;
    let journal = Journal::create(&folder.journal()).map_err(disk)?;
    let first = Event::RunStarted {
        version: VERSION,
        run: folder.run.clone(),
        program: env!("CARGO_PKG_VERSION").into(),
        runbook: name.into(),
        origin: runbook.source.origin(),
        sha256: sources,
        nodes: place
            .cluster
            .nodes()
            .iter()
            .map(|node| NamedNode { name: node.name().into(), url: node.url().into() })
            .collect(),
        sandbox: place.sandbox.as_ref().map(|sandbox| sandbox.name.clone()),
        dry_run: place.twin.is_some(),
        parameters: parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        cluster,
        steps: runbook.outline.steps.iter().map(|step| step.title.clone()).collect(),
    };
    let changes = runbook.outline.changes_anything() && place.sandbox.is_none();
    let warning = changes.then(|| half_way(&past, &first)).flatten();
    let carried = None;
    let start = Start {
        runbook,
        parameters,
        place,
        home,
        folder,
        journal,
        first,
        carried,
        warning,
        instead,
    };
    Ok(execute(engine, runtime, start, permissions, how, company))
}

/// Saves the texts that are run, so that the run can be understood and resumed without them.
fn save_sources(runbook: &Runbook, folder: &RunFolder) -> std::io::Result<Map<String, Value>> {
    let mut sums = Map::new();
    for (name, text) in sources(runbook) {
        write_new(&folder.path.join(&name), text.as_bytes())?;
        sums.insert(name, sha256(text.as_bytes()).into());
    }
    Ok(sums)
}

/// Returns the texts of a runbook and its imports, by the names of the files that they are saved in.
pub(super) fn sources(runbook: &Runbook) -> impl Iterator<Item = (String, &str)> {
    let imports = runbook.imports.iter().map(|(path, import)| {
        (format!("import.{}.rhai", path.replace('/', ".")), import.text.as_str())
    });
    std::iter::once(("runbook.rhai".to_owned(), runbook.source.text.as_str())).chain(imports)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::event::Verdict;
    use crate::journal::read;

    #[test]
    fn a_panic_of_ours_is_followed_by_the_rollback() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("panics.rhai");
        let text = r#"
            step "Delete" { delete_class("ELYSIA_CONFIG__"); } rollback { note("nothing"); }
            step "Panic" { fault_of_ours(); }
        "#;
        std::fs::write(&file, text).expect("the runbook");
        let mut engine = host::engine();
        engine.register_fn("fault_of_ours", || -> () { panic!("on purpose") });
        let words = ["elysia-runbook", "run", file.to_str().expect("text"), "--yes"];
        let cli = Cli::parse_from(words.iter().chain(&["--sandbox=factor-one"]));
        let Command::Run(args) = cli.command else { panic!("not `run`") };
        let home = Home::at(folder.path().join("home"));

        let ended = run_in(engine, &args, || Ok(home.clone()));
        assert_eq!(ended.expect("a verdict"), Verdict::RolledBack.exit_code());
        let run = home.runs().expect("the runs").remove(0);
        let records = read(&run.journal()).expect("its journal").records;
        let put_back = records.iter().any(|record| {
            matches!(&record.event, Event::ChangeIntended { action, rollback: true, .. }
                if action.past().starts_with("created class ELYSIA_CONFIG__"))
        });
        assert!(put_back, "{records:?}");
    }
}
