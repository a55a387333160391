//! `run`: find and check the runbook, find the cluster, start a session, run, conclude.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

use super::{Ended, conclude, one, parameters, target};
use crate::cli::{Output, RunArgs};
use crate::error::{Error, Halt};
use crate::event::{Event, Listener, NamedNode, VERSION};
use crate::host::{self, Run};
use crate::journal::{Home, Journal, RunFolder, sha256, write_new};
use crate::runbook::Runbook;
use crate::sandbox::Sandbox;
use crate::session::{Interrupt, Parts, Permissions, Recorder, Session, is_class_name};
use crate::survey::Commands;
use crate::terminal::{Ndjson, Prompt, Text, print_errors};
use crate::weaviate::{Access, Cluster};

/// Where a run happens.
struct Place {
    cluster: Cluster,
    /// Keeps the sandbox alive, where it is one.
    sandbox: Option<Sandbox>,
    commands: Commands,
}

/// Stack for a script: values nest as deep as the limit on operations lets them, and dropping a
/// nested value takes stack for each level. Only what is used costs memory.
const STACK: usize = 256 << 20;

pub(super) fn run(args: &RunArgs) -> Ended {
    let failed = || one(Error::failed("the program ended by a fault of its own"));
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || run_here(args))
            .map_err(|e| one(Error::failed("the program can't start its threads").cause(e)))?
            .join()
            .unwrap_or_else(|_| Err(failed()))
    })
}

fn run_here(args: &RunArgs) -> Ended {
    let mut engine = host::engine();
    let runbook = Runbook::load(&mut engine, &args.runbook)?;
    let values = parameters::resolve(&runbook.outline, &args.runbook, &args.set)?;
    let permissions = permissions(args).map_err(one)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| one(Error::failed("the program can't start its threads").cause(e)))?;
    let place = place(args, &runtime).map_err(one)?;
    let disk = |e: std::io::Error| {
        one(Error::failed("the run can't be recorded, so it is not started")
            .cause(e)
            .hint("set ELYSIA_RUNBOOK_HOME to a folder that can be written"))
    };
    let home = Home::find().map_err(disk)?;
    let folder = home.new_run().map_err(disk)?;
    let sources = save_sources(&runbook, &folder).map_err(disk)?;
    let journal = Journal::create(&folder.journal()).map_err(disk)?;
    let interrupt = Interrupt::listen(&runtime).map_err(disk)?;
    let listener: Box<dyn Listener> = match args.output {
        Output::Text => Box::new(Text::new()),
        Output::Ndjson => Box::new(Ndjson),
    };
    let started = started(args, &runbook, &folder, &place, &values, sources);
    let session = Session::new(Parts {
        announcement: place.sandbox.is_none().then(|| announcement(&runbook, &place.cluster)),
        runtime,
        cluster: place.cluster,
        permissions,
        operator: Box::new(Prompt),
        recorder: Recorder::new(Box::new(journal), vec![listener]),
        interrupt,
        folder: folder.clone(),
        commands: place.commands,
    });
    let run = Rc::new(Run {
        session,
        steps: runbook.outline.steps.iter().map(|step| step.title.clone()).collect(),
        parameters: values
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), rhai::serde::to_dynamic(value).ok()?)))
            .collect(),
        ask_each_step: args.step,
        rollbacks: RefCell::default(),
        current: Cell::new(None),
        resting: Cell::new(std::time::Instant::now()),
        stopped_in: RefCell::default(),
    });
    host::attach(&mut engine, &run);
    let ended = begin(&run, &runbook, &started).map(|()| run.run(&engine, &runbook.ast));
    let conclusion = conclude::conclude(&run, &engine, &runbook, ended, args.on_failure);
    if let Some(error) = &conclusion.error {
        print_errors(std::slice::from_ref(error));
    }
    // A journal that can't be written has been told already.
    let _ = run.session.say(&conclusion.event(&folder.run));
    Ok(conclusion.exit_code)
}

fn begin(run: &Run, runbook: &Runbook, started: &Event) -> Result<(), Halt> {
    run.session.say(started)?;
    if runbook.outline.changes_anything() { run.session.inspect() } else { Ok(()) }
}

fn permissions(args: &RunArgs) -> Result<Permissions, Error> {
    if let Some(wrong) = args.accept_data_loss.iter().find(|name| !is_class_name(name)) {
        return Err(Error::usage(format!("`--accept-data-loss {wrong}` names no class"))
            .hint("name each class whose objects may be lost; there is no pattern for all"));
    }
    Ok(Permissions {
        yes: args.yes,
        degraded: args.accept_degraded,
        data_loss: args.accept_data_loss.iter().cloned().collect(),
    })
}

fn place(args: &RunArgs, runtime: &Runtime) -> Result<Place, Error> {
    if let Some(scenario) = args.target.sandbox {
        let sandbox = runtime
            .block_on(Sandbox::start(scenario))
            .map_err(|e| Error::failed("the sandbox can't be started").cause(e))?;
        let nodes = sandbox
            .nodes()
            .into_iter()
            .map(|(name, url)| Ok((name, reqwest::Url::parse(&url)?)))
            .collect::<Result<Vec<_>, url::ParseError>>()
            .map_err(|e| Error::failed("the sandbox has no address").cause(e))?;
        let cluster = Cluster::new(nodes, &Access::default())?;
        let commands =
            Commands { target: format!(" --sandbox={scenario}"), curl_options: String::new() };
        return Ok(Place { cluster, sandbox: Some(sandbox), commands });
    }
    let target = target::find(&args.target)?;
    let cluster = Cluster::new(target.nodes, &target.access)?;
    let commands = Commands {
        target: target::flags(&args.target),
        curl_options: target.access.curl_options(),
    };
    Ok(Place { cluster, sandbox: None, commands })
}

/// Saves the texts that are run, so that the run can be understood and resumed without them.
fn save_sources(runbook: &Runbook, folder: &RunFolder) -> std::io::Result<Map<String, Value>> {
    let mut sums = Map::new();
    write_new(&folder.path.join("runbook.rhai"), runbook.source.text.as_bytes())?;
    sums.insert("runbook.rhai".into(), sha256(runbook.source.text.as_bytes()).into());
    for (path, import) in &runbook.imports {
        let name = format!("import.{}.rhai", path.replace('/', "."));
        write_new(&folder.path.join(&name), import.text.as_bytes())?;
        sums.insert(name, sha256(import.text.as_bytes()).into());
    }
    Ok(sums)
}

fn started(
    args: &RunArgs,
    runbook: &Runbook,
    folder: &RunFolder,
    place: &Place,
    values: &std::collections::BTreeMap<String, Value>,
    sha256: Map<String, Value>,
) -> Event {
    Event::RunStarted {
        version: VERSION,
        run: folder.run.clone(),
        program: env!("CARGO_PKG_VERSION").into(),
        runbook: args.runbook.clone(),
        origin: runbook.source.origin(),
        sha256,
        nodes: place
            .cluster
            .nodes()
            .iter()
            .map(|node| NamedNode { name: node.name().into(), url: node.url().into() })
            .collect(),
        sandbox: args.target.sandbox.map(|scenario| scenario.to_string()),
        parameters: values.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        steps: runbook.outline.steps.iter().map(|step| step.title.clone()).collect(),
    }
}

/// What the operator is told before the first change.
fn announcement(runbook: &Runbook, cluster: &Cluster) -> String {
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.url().to_owned()).collect();
    let steps: Vec<_> = runbook
        .outline
        .steps
        .iter()
        .filter(|step| !step.changes.is_empty())
        .map(|step| {
            let changes: Vec<_> = step.changes.iter().map(String::as_str).collect();
            format!("  \"{}\": {}", step.title, changes.join(", "))
        })
        .collect();
    format!(
        "{} changes the cluster of {} in these steps:\n{}",
        runbook.source.display,
        nodes.join(", "),
        steps.join("\n")
    )
}
