//! `man`: the manual page, made from the command line's own help.

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Ended, one};
use crate::cli::Cli;
use crate::error::Error;
use crate::terminal::print;

const EXIT_CODES: [(&str, &str); 9] = [
    ("0", "every step and check passed"),
    ("1", "a step failed, or something could not be looked at"),
    ("2", "command line or configuration"),
    ("3", "the runbook does not pass check; nothing was run"),
    ("4", "it ran to the end, and checks found problems"),
    ("5", "refused, by the operator or by the program"),
    ("6", "a step failed, and the original state was put back and verified"),
    ("7", "putting things back failed: a person must act"),
    ("130, 143, 129", "interrupted between two changes"),
];

const ENVIRONMENT: [(&str, &str); 5] = [
    ("ELYSIA_RUNBOOK_NODES", "the nodes, with commas, where neither --node nor --cluster is given"),
    ("ELYSIA_RUNBOOK_HOME", "the folder in which runs are kept"),
    ("ELYSIA_RUNBOOK_DRAIN", "as --drain"),
    ("WEAVIATE_API_KEY", "the API key"),
    ("NO_COLOR", "no colour, whatever its value"),
];

const FILES: [(&str, &str); 2] = [
    ("elysia-runbook.toml", "named clusters; here, then in the user's configuration folder"),
    ("runs/RUN/", "below the home: a run's journal, its runbook, its backups"),
];

pub(super) fn man() -> Ended {
    page()
        .map(|page| print(page.trim_end()))
        .map_err(|error| one(Error::failed("the manual page can't be written").cause(error)))?;
    Ok(0)
}

fn page() -> std::io::Result<String> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone());
    let mut page = vec![];
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for (path, command) in commands(&command, "") {
        let man = Man::new(command.clone());
        let mut roff = Roff::new();
        roff.control("SH", [format!("elysia-runbook{path}").to_uppercase().as_str()]);
        roff.to_writer(&mut page)?;
        let mut part = vec![];
        man.render_description_section(&mut part)?;
        if command.get_arguments().any(|argument| !argument.is_hide_set()) {
            man.render_options_section(&mut part)?;
        }
        if let Some(examples) = command.get_after_help() {
            let mut roff = Roff::new();
            roff.control("SH", ["EXAMPLES"]);
            roff.control("nf", []);
            for line in examples.to_string().lines().skip(1) {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
            roff.to_writer(&mut part)?;
        }
        // Its sections are parts of the command's.
        page.extend(String::from_utf8_lossy(&part).replace(".SH ", ".SS ").into_bytes());
    }
    for (title, entries) in
        [("EXIT STATUS", &EXIT_CODES[..]), ("ENVIRONMENT", &ENVIRONMENT), ("FILES", &FILES)]
    {
        let mut roff = Roff::new();
        roff.control("SH", [title]);
        for (name, text) in entries {
            roff.control("TP", []);
            roff.text([bold(*name)]);
            roff.text([roman(*text)]);
        }
        roff.to_writer(&mut page)?;
    }
    String::from_utf8(page).map_err(std::io::Error::other)
}

/// Returns every command below this one, with its path.
fn commands<'a>(command: &'a clap::Command, path: &str) -> Vec<(String, &'a clap::Command)> {
    let mut all = vec![];
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        let path = format!("{path} {}", child.get_name());
        all.push((path.clone(), child));
        all.extend(commands(child, &path));
    }
    all
}
