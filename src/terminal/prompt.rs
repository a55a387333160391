//! Questions to the operator, at the terminal.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::print_aside;
use super::style::shown;
use crate::session::{Answer, Interrupt, Operator};

/// How soon a signal ends a question.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// Which keys answer a question, and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    YesOrNo,
    RunOrStop,
    RunSkipOrStop,
}

impl Keys {
    fn shown(self) -> &'static str {
        match self {
            Self::YesOrNo => "y/N",
            Self::RunOrStop => "y: run, N: stop",
            Self::RunSkipOrStop => "y: run, s: skip, N: stop",
        }
    }
}

/// Asks at the terminal; where there is none, nothing is asked.
#[derive(Debug)]
pub struct Prompt {
    interrupt: Interrupt,
}

impl Prompt {
    /// Creates a prompt whose questions end with the signals that `interrupt` listens for.
    #[must_use]
    pub fn new(interrupt: &Interrupt) -> Self {
        Self { interrupt: interrupt.clone() }
    }

    /// Shows the question and waits for a key that answers it, or for a signal.
    fn answer(&self, question: &str, keys: Keys) -> std::io::Result<Answer> {
        // What was typed before the question was seen does not answer it; Ctrl-C is always meant.
        while poll(Duration::ZERO)? {
            if pressed()? == Some(Answer::Interrupted) {
                return Ok(Answer::Interrupted);
            }
        }
        write!(stderr(), "{question} [{}] ", keys.shown())?;
        while self.interrupt.received().is_none() {
            if poll(SIGNAL_CHECK)?
                && let Some(answer) = pressed()?
                && (answer != Answer::Skip || keys == Keys::RunSkipOrStop)
            {
                return Ok(answer);
            }
        }
        Ok(Answer::Interrupted)
    }

    fn put(&self, question: &str, keys: Keys) -> Answer {
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return Answer::NoTerminal;
        }
        // The prompt itself is one line: what comes before is shown above it.
        let (before, last) = question.rsplit_once('\n').unwrap_or(("", question));
        if !before.is_empty() {
            print_aside(&shown(before));
        }
        // Keys are taken one by one from before the question is seen: one that is pressed at once
        // must not wait for Enter, nor Ctrl-C become a signal.
        if enable_raw_mode().is_err() {
            return Answer::NoTerminal;
        }
        // A terminal that can't be written to or read from has gone away.
        let answer = self.answer(&shown(last), keys).unwrap_or(Answer::Interrupted);
        let _ = disable_raw_mode();
        // What was answered is told by the event that follows.
        let _ = writeln!(stderr());
        answer
    }
}

impl Operator for Prompt {
    fn ask(&self, question: &str) -> Answer {
        self.put(question, Keys::YesOrNo)
    }

    fn ask_step(&self, question: &str, may_skip: bool) -> Answer {
        self.put(question, if may_skip { Keys::RunSkipOrStop } else { Keys::RunOrStop })
    }
}

/// Reads a key and returns what it answers; most answer nothing.
fn pressed() -> std::io::Result<Option<Answer>> {
    let Event::Key(KeyEvent { code, modifiers, .. }) = read()? else { return Ok(None) };
    if modifiers.contains(KeyModifiers::CONTROL) {
        return Ok(matches!(code, KeyCode::Char('c' | 'd')).then_some(Answer::Interrupted));
    }
    Ok(match code {
        KeyCode::Char('y' | 'Y') => Some(Answer::Yes),
        KeyCode::Char('n' | 'N') | KeyCode::Enter => Some(Answer::No),
        KeyCode::Char('s' | 'S') => Some(Answer::Skip),
        _ => None,
    })
}
