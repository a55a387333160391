//! What a run is told: the runbook, the cluster, and how. The doc comments are the help.

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::completion;
use crate::sandbox::Scenario;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A path, or a name that is looked up in ., ./runbooks, your runbooks folder and the built-in ones
    #[arg(add = ArgValueCompleter::new(completion::runbooks))]
    pub runbook: String,

    /// Set a parameter of the runbook
    #[arg(
        long = "set",
        value_name = "NAME=VALUE",
        add = ArgValueCompleter::new(completion::parameters)
    )]
    pub set: Vec<String>,

    /// Change nothing: survey the cluster, and run on a twin of it in this process. Questions are
    /// answered with yes
    #[arg(long, conflicts_with = "step")]
    pub dry_run: bool,

    /// Let requests to the twin or the sandbox go wrong: [NODE:]METHOD:PATH[:NTH]=WHAT
    #[arg(long = "fault", value_name = "SPEC")]
    pub faults: Vec<String>,

    /// Which cluster
    #[command(flatten)]
    pub target: TargetArgs,

    /// How it is run
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run's id, or as much of its beginning as is unique; the default is the newest that did not
    /// end
    #[arg(add = ArgValueCompleter::new(completion::runs))]
    pub run: Option<String>,

    /// Go on although the runbook was changed in what was run already
    #[arg(long)]
    pub accept_edited: bool,

    /// Which cluster; the default is the nodes that the run had
    #[command(flatten)]
    pub target: TargetArgs,

    /// How it is run
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The run's id, or as much of its beginning as is unique; the default is the newest that changed
    /// something
    #[arg(add = ArgValueCompleter::new(completion::runs))]
    pub run: Option<String>,

    /// Which cluster; the default is the nodes that the run had
    #[command(flatten)]
    pub target: TargetArgs,

    /// Answer every question with yes; never overrides a refusal
    #[arg(long)]
    pub yes: bool,

    /// How to tell what happens
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub output: Output,
}

/// How a runbook is run.
#[derive(Debug, Args)]
pub struct HowArgs {
    /// Answer every question with yes; never overrides a refusal
    #[arg(long)]
    pub yes: bool,

    /// Ask before each step: run it, skip it where it is optional, or stop
    #[arg(long)]
    pub step: bool,

    /// What to do with changes when a step fails
    #[arg(long, value_enum, default_value_t = OnFailure::Rollback, value_name = "WHAT")]
    pub on_failure: OnFailure,

    /// Allow deleting this class although it holds objects or may hold some
    #[arg(long, value_name = "CLASS")]
    pub accept_data_loss: Vec<String>,

    /// Allow changes although a member does not answer or schemas differ between nodes
    #[arg(long)]
    pub accept_degraded: bool,

    /// How to tell what happens
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub output: Output,
}

/// Where the cluster is.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// REST address of a node, once for each node; the default is `ELYSIA_RUNBOOK_NODES`, a list with
    /// commas, else localhost, ports 8080 to 8082
    #[arg(
        long = "node",
        value_name = "[NAME=]URL",
        value_delimiter = ',',
        conflicts_with_all = ["cluster", "sandbox"]
    )]
    pub nodes: Vec<String>,

    /// A cluster of elysia-runbook.toml
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "sandbox",
        add = ArgValueCompleter::new(completion::clusters)
    )]
    pub cluster: Option<String>,

    /// How long a deleted class stays away before it is created again, so that writes which were under
    /// way end: servers try some again for 11 s. 0 where nothing writes to it [default: 12, in the
    /// sandbox 0]
    #[arg(long, value_name = "SECONDS", env = "ELYSIA_RUNBOOK_DRAIN")]
    pub drain: Option<u64>,

    /// How many objects are saved, imported, or compared with what is saved, in a second at most. The
    /// default is as many as the servers take; less where they become slow
    #[arg(long, value_name = "OBJECTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,

    /// A cluster in this process instead of a real one
    #[arg(
        long,
        value_enum,
        value_name = "SCENARIO",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "missing-on-nodes"
    )]
    pub sandbox: Option<Scenario>,
}

/// What to do with changes when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Ask; without a terminal, put things back
    Ask,
    /// Put things back
    Rollback,
    /// Keep what was changed
    Keep,
}

/// How to tell what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// One event a line
    Ndjson,
}
