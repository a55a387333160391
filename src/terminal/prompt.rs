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
        // The answer is told by the event that follows.
        let prompt = Confirm::new().with_prompt(shown(last)).default(false).report(false);
        match prompt.interact() {
            Ok(true) => Answer::Yes,
            Ok(false) => Answer::No,
            Err(_) => {
                // Ctrl-C leaves the cursor hidden.
                let _ = dialoguer::console::Term::stderr().show_cursor();
                Answer::Interrupted
            }
        }
    }
}
