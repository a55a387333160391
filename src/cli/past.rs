//! What is asked of runs of the past. The doc comments are the help.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::completion;

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
