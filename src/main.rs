//! Completes for a shell, parses, dispatches, exits; nothing else.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use elysia_runbook::cli::Cli;
use elysia_runbook::commands::dispatch;

fn main() -> ExitCode {
    // Ends the process where a shell asks for completions.
    CompleteEnv::with_factory(Cli::command).complete();
    dispatch(&Cli::parse())
}
