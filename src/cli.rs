//! The command line as types; the doc comments are the help. No logic.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::completion;
use crate::examples;
use crate::sandbox::Scenario;

/// Repair Weaviate clusters with short runbooks that cannot lose data
#[derive(Debug, Parser)]
#[command(name = "elysia-runbook", version, max_term_width = 100, after_help = examples::ALL)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a runbook
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// List the runbooks that can be found
    List,
    /// Show what a runbook does, step by step, without running it
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// Check runbooks without running them
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Tell what a runbook can say: the primitives and the step syntax
    #[command(after_help = examples::API)]
    Api(ApiArgs),
    /// Test runbooks in the sandbox, by their `*_test.rhai` files
    #[command(after_help = examples::TEST)]
    Test(TestArgs),
    /// Write a new runbook from a template, with its test
    #[command(after_help = examples::NEW)]
    New(NewArgs),
    /// Copy a shipped runbook into ./runbooks, to be edited
    #[command(after_help = examples::EJECT)]
    Eject(EjectArgs),
    /// Go on with a run that died or was interrupted
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Undo what a run changed
    #[command(after_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// List the runs of the past, show one, or verify its record
    #[command(after_help = examples::RUNS)]
    Runs(RunsArgs),
    /// Look at the cluster, and print all that can be seen but for the objects, as JSON
    #[command(after_help = examples::SURVEY)]
    Survey(SurveyArgs),
    /// Start a cluster in this process to try things on, until Ctrl-C
    #[command(after_help = examples::SANDBOX)]
    Sandbox(SandboxArgs),
    /// Print what makes a shell complete runbooks, parameters, clusters and runs
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells that can be taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

impl std::fmt::Display for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        })
    }
}

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

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A path or a name, as for `run`
    #[arg(add = ArgValueCompleter::new(completion::runbooks))]
    pub runbook: String,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Runbooks, by path or name as for `run`, their tests, or folders of both; without any, all that
    /// `list` shows
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(completion::runbooks))]
    pub paths: Vec<String>,

    /// Fail on warnings, too
    #[arg(long)]
    pub strict: bool,

    /// How to tell what was found
    #[arg(long, value_enum, default_value_t = CheckOutput::Text, value_name = "FORMAT")]
    pub output: CheckOutput,
}

/// How to tell what `check` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// For people
    Text,
    /// For editors: docs/editors.md tells its shape
    Json,
}

/// Arguments of `api`.
#[derive(Debug, Args)]
pub struct ApiArgs {
    /// Primitives, topics, or `step`; without any, everything
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// How to tell it
    #[arg(long, value_enum, default_value_t = ApiFormat::Text)]
    pub format: ApiFormat,
}

/// How to tell what a runbook can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApiFormat {
    /// For a terminal
    Text,
    /// For programs: docs/editors.md tells its shape
    Json,
    /// As docs/api.md
    Markdown,
    /// As a definition file of Rhai, for editors
    Definitions,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files of tests, folders of them, or runbooks that have one; without any, what is here and in
    /// ./runbooks
    pub paths: Vec<String>,

    /// Run only tests whose title contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,

    /// Write what became of each test to this file, as XML in the format of `JUnit`
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The runbook's name; a folder may stand before it
    pub name: String,
}

/// Arguments of `eject`.
#[derive(Debug, Args)]
pub struct EjectArgs {
    /// The name of a shipped runbook
    pub runbook: String,
}

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// What to do; without it, list the runs
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// What to do with runs of the past.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show what happened in a run
    Show {
        /// The run's id, or as much of its beginning as is unique
        #[arg(add = ArgValueCompleter::new(completion::runs))]
        run: String,
    },
    /// Write a report of a run: one page for a browser or paper, or a text for the incident's ticket
    Report(ReportArgs),
    /// Hold a run that exports, compares or imports objects, at the next page
    Hold {
        /// The run's id, or as much of its beginning as is unique
        #[arg(add = ArgValueCompleter::new(completion::runs))]
        run: String,
    },
    /// Let a run go on that is held
    Release {
        /// The run's id, or as much of its beginning as is unique
        #[arg(add = ArgValueCompleter::new(completion::runs))]
        run: String,
    },
    /// Verify that the journal and every backup of a run are as they were written
    Verify {
        /// The run's id, or as much of its beginning as is unique
        #[arg(add = ArgValueCompleter::new(completion::runs))]
        run: String,
    },
}

/// Arguments of `runs report`.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("format").args(["html", "markdown"]).required(true).multiple(true)))]
pub struct ReportArgs {
    /// The run's id, or as much of its beginning as is unique
    #[arg(add = ArgValueCompleter::new(completion::runs))]
    pub run: String,

    /// Write one HTML page, which needs nothing else, to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,

    /// Write Markdown to this file, or to stdout
    #[arg(long, value_name = "FILE", num_args = 0..=1, value_hint = ValueHint::FilePath)]
    pub markdown: Option<Option<PathBuf>>,
}

/// Arguments of `survey`.
#[derive(Debug, Args)]
pub struct SurveyArgs {
    /// Which cluster
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// What is wrong with the cluster
    #[arg(value_enum, default_value_t = Scenario::MissingOnNodes)]
    pub scenario: Scenario,

    /// Like a cluster that was surveyed: a file that `survey` printed, or one of a run's folder
    #[arg(long, value_name = "SURVEY", conflicts_with = "scenario", value_hint = ValueHint::FilePath)]
    pub like: Option<PathBuf>,

    /// Port of the first node; the others follow. The default is any that is free
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// Let requests go wrong: [NODE:]METHOD:PATH[:NTH]=WHAT
    #[arg(long = "fault", value_name = "SPEC")]
    pub faults: Vec<String>,
}
