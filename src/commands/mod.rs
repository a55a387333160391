//! One file a command: thin, wires the rooms together.

mod address;
mod api;
mod check;
mod completions;
mod conclude;
mod config;
mod copy;
mod disguise;
mod dry_run;
mod eject;
mod execute;
mod key;
mod list;
mod man;
mod new;
mod parameters;
mod past;
mod place;
mod report;
mod resume;
mod rollback;
mod run;
mod runs;
mod sandbox;
mod show;
mod survey;
mod target;
mod test;
mod trial;
mod twin;
mod write;

pub(crate) use config::names as cluster_names;
pub(crate) use list::names as runbook_names;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::terminal::print_errors;

/// What a command ends with: its exit code, or why it could not do its work.
type Ended = Result<u8, Vec<Error>>;

/// Runs a command. The one place that prints a command's errors.
#[must_use]
pub fn dispatch(cli: &Cli) -> ExitCode {
    let ended = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::List => Ok(list::list()),
        Command::Show(args) => show::show(args),
        Command::Check(args) => Ok(check::check(args)),
        Command::Api(args) => api::api(args),
        Command::Test(args) => test::test(args),
        Command::New(args) => new::new(args),
        Command::Eject(args) => eject::eject(args),
        Command::Resume(args) => resume::resume(args),
        Command::Rollback(args) => rollback::rollback(args),
        Command::Runs(args) => runs::runs(args),
        Command::Survey(args) => survey::survey(args),
        Command::Sandbox(args) => sandbox::sandbox(args),
        Command::Completions(args) => completions::completions(args),
        Command::Man => man::man(),
    };
    ExitCode::from(ended.unwrap_or_else(|errors| {
        print_errors(&errors);
        errors.iter().map(|error| error.kind.exit_code()).max().unwrap_or(1)
    }))
}

/// Lets one error be what a command ends with.
fn one(error: Error) -> Vec<Error> {
    vec![error]
}
