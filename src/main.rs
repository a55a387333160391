//! Parses, dispatches, exits; nothing else.

use std::process::ExitCode;

use clap::Parser;
use elysia_runbook::cli::Cli;
use elysia_runbook::commands::dispatch;

fn main() -> ExitCode {
    dispatch(&Cli::parse())
}
