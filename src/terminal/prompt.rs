//! Questions to the operator, at the terminal.

use std::io::IsTerminal;

use dialoguer::Confirm;

use super::print_aside;
use super::style::shown;
use crate::session::{Answer, Operator};

/// Asks at the terminal; where there is none, nothing is asked.
#[derive(Debug)]
pub struct Prompt;

impl Operator for Prompt {
    fn ask(&self, question: &str) -> Answer {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Answer::NoTerminal;
        }
        // The prompt itself is one line: what comes before is shown above it.
        let (before, last) = question.rsplit_once('\n').unwrap_or(("", question));
        if !before.is_empty() {
            print_aside(&shown(before));
        }
        // No answer, as after Ctrl-C, is no.
        match Confirm::new().with_prompt(shown(last)).default(false).interact() {
            Ok(true) => Answer::Yes,
            _ => Answer::No,
        }
    }
}
