//! For who writes runbooks. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::completion;

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
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::primitives))]
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
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(completion::files))]
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
    #[arg(add = ArgValueCompleter::new(completion::shipped))]
    pub runbook: String,
}
