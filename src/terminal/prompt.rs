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

    fn takes(self, answer: Answer) -> bool {
        answer != Answer::Skip || self == Self::RunSkipOrStop
    }
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pressed {
    Answer(Answer),
    Enter,
    Other,
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
            if pressed()? == Some(Pressed::Answer(Answer::Interrupted)) {
                return Ok(Answer::Interrupted);
            }
        }
        let ask = || write!(stderr(), "{question} [{}] ", keys.shown());
        ask()?;
        // The first key decides. Of a word that begins otherwise no letter is an answer, up to Enter.
        let mut word = false;
        while self.interrupt.received().is_none() {
            if !poll(SIGNAL_CHECK)? {
                continue;
            }
            match pressed()? {
                None => {}
                Some(Pressed::Answer(Answer::Interrupted)) => return Ok(Answer::Interrupted),
                Some(Pressed::Enter) if word => {
                    word = false;
                    write!(stderr(), "\r\n")?;
                    ask()?;
                }
                Some(_) if word => {}
                Some(Pressed::Enter) => return Ok(Answer::No),
                Some(Pressed::Answer(answer)) if keys.takes(answer) => return Ok(answer),
                Some(_) => {
                    word = true;
                    write!(stderr(), "that is no answer; Enter asks again ")?;
                }
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

/// Reads a key and returns what it means; `None` for what is no key that is pressed.
fn pressed() -> std::io::Result<Option<Pressed>> {
    let Event::Key(KeyEvent { code, modifiers, .. }) = read()? else { return Ok(None) };
    if modifiers.contains(KeyModifiers::CONTROL) {
        let ends = matches!(code, KeyCode::Char('c' | 'd'));
        return Ok(ends.then_some(Pressed::Answer(Answer::Interrupted)));
    }
    Ok(Some(match code {
        KeyCode::Char('y' | 'Y') => Pressed::Answer(Answer::Yes),
        KeyCode::Char('n' | 'N') => Pressed::Answer(Answer::No),
        KeyCode::Char('s' | 'S') => Pressed::Answer(Answer::Skip),
        KeyCode::Enter => Pressed::Enter,
        _ => Pressed::Other,
    }))
}
