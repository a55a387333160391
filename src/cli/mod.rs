//! The command line as types; the doc comments are the help. No logic.

mod author;
mod past;
mod run;

pub use author::{
    ApiArgs, ApiFormat, CheckArgs, CheckOutput, EjectArgs, NewArgs, ShowArgs, TestArgs,
};
pub use past::{ReportArgs, RunsArgs, RunsCommand};
pub use run::{HowArgs, OnFailure, Output, ResumeArgs, RollbackArgs, RunArgs, TargetArgs};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

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
