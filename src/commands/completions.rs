//! `completions`: what a shell needs to ask this program for completions.

use clap_complete::env::Shells;

use super::{Ended, one};
use crate::cli::CompletionsArgs;
use crate::error::Error;
use crate::terminal::print;

const NAME: &str = "elysia-runbook";

/// The variable by which a shell tells that it asks for completions.
const VARIABLE: &str = "COMPLETE";

pub(super) fn completions(args: &CompletionsArgs) -> Ended {
    let failed = |why: &dyn std::fmt::Display| {
        one(Error::failed("the completions can't be written").cause(why))
    };
    let shells = Shells::builtins();
    let shell = shells
        .completer(&args.shell.to_string())
        .ok_or_else(|| failed(&"the shell is not known"))?;
    let mut script = vec![];
    shell
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .map_err(|error| failed(&error))?;
    print(String::from_utf8_lossy(&script).trim_end());
    Ok(0)
}
