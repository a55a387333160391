//! `api`: what a runbook can say, as text, JSON, Markdown, or definitions for editors.

mod definitions;
mod markdown;
mod text;

use serde_json::json;

use super::{Ended, one};
use crate::cli::{ApiArgs, ApiFormat};
use crate::error::Error;
use crate::host::Reference;
use crate::terminal::{Styles, print};

/// How many columns a line of text has at most.
const WIDTH: usize = 80;

pub(super) fn api(args: &ApiArgs) -> Ended {
    let mut reference = Reference::of_all();
    if !args.names.is_empty() {
        refuse_unknown(&reference, &args.names)?;
        reference.retain(&args.names);
    }
    let whole = args.names.is_empty();
    let text = match args.format {
        ApiFormat::Text => text::render(&reference, whole, Styles::for_stdout()),
        ApiFormat::Json => format!("{:#}", json!(reference)),
        ApiFormat::Markdown => markdown::render(&reference, whole),
        ApiFormat::Definitions => definitions::render(&reference),
    };
    print(text.trim_end());
    Ok(0)
}

fn refuse_unknown(reference: &Reference, names: &[String]) -> Result<(), Vec<Error>> {
    let Some(unknown) = names.iter().find(|name| reference.names().all(|known| known != *name))
    else {
        return Ok(());
    };
    let error = Error::usage(format!("there is no primitive `{unknown}`"));
    let near = reference
        .names()
        .map(|known| (strsim::damerau_levenshtein(known, unknown), known))
        .filter(|(distance, _)| *distance <= unknown.chars().count() / 3 + 1)
        .min();
    Err(one(match near {
        Some((_, near)) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`elysia-runbook api` shows all"),
    }))
}

/// Breaks a paragraph into lines that are no longer than `width`, where that can be done between words.
fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}
