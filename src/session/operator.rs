//! Questions to the operator, and what becomes of them. Knows no terminal.

use std::time::{Duration, Instant};

use super::Session;
use crate::error::{Halt, Signal, Stop};
use crate::event::Event;

/// Whoever answers questions.
pub trait Operator {
    /// Asks a yes/no question.
    fn ask(&self, question: &str) -> Answer;

    /// Asks whether a step is to be run; only one that may be skipped is answered with [`Answer::Skip`].
    /// Who can't skip answers as to any question.
    fn ask_step(&self, question: &str, may_skip: bool) -> Answer {
        let _ = may_skip;
        self.ask(question)
    }
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Neither: go on without this step.
    Skip,
    /// Ctrl-C or a signal instead of an answer.
    Interrupted,
    /// There is no terminal to ask at.
    NoTerminal,
}

impl Session {
    /// Asks the operator, unless `--yes` or a dry run answers.
    ///
    /// # Errors
    ///
    /// There is no terminal: refused, since nobody can answer.
    pub fn ask(&self, question: &str) -> Result<bool, Halt> {
        let answer = self.heard(question, |operator| operator.ask(question))?;
        Ok(answer == Answer::Yes)
    }

    /// Asks whether a step is to be run, unless `--yes` answers: yes, no, or skip where it may be.
    ///
    /// # Errors
    ///
    /// There is no terminal: refused, since nobody can answer.
    pub fn ask_step(&self, question: &str, may_skip: bool) -> Result<Answer, Halt> {
        self.heard(question, |operator| operator.ask_step(question, may_skip))
    }

    fn heard(
        &self,
        question: &str,
        ask: impl FnOnce(&dyn Operator) -> Answer,
    ) -> Result<Answer, Halt> {
        self.check_interrupt()?;
        let (answer, by) = self.answer(ask);
        match answer {
            Answer::Yes | Answer::No | Answer::Skip => {}
            Answer::Interrupted => {
                let signal = self.interrupt.received().unwrap_or(Signal::Interrupt);
                return Err(self.stop(Stop::Interrupted(signal)));
            }
            Answer::NoTerminal => {
                let (plan, last) = question.rsplit_once('\n').unwrap_or(("", question));
                return Err(self.stop(Stop::Refused {
                    message: format!("there is no terminal to ask at: {last}"),
                    reasons: plan.lines().map(|line| line.trim().to_owned()).collect(),
                    hints: vec![
                        "run it at a terminal, or give --yes to answer every question with yes"
                            .into(),
                    ],
                }));
            }
        }
        self.check_interrupt()?;
        // That a step is skipped is an event of its own.
        if answer != Answer::Skip {
            let yes = answer == Answer::Yes;
            self.say(&Event::Asked { question: question.into(), yes, by: by.into() })?;
        }
        Ok(answer)
    }

    /// Asks, after a failure, whether what this run changed is to be put back. It is where nobody
    /// can be asked, or somebody presses Ctrl-C: only a clear no keeps it.
    pub fn ask_to_put_back(&self, failure: &str) -> bool {
        let question = format!("{failure}. Put things back as they were?");
        let (answer, by) = self.answer(|operator| operator.ask(&question));
        let yes = answer != Answer::No;
        let by = if answer == Answer::NoTerminal { "no terminal" } else { by };
        // A record that the disk refuses must not keep things from being put back.
        let _ = self.say(&Event::Asked { question, yes, by: by.into() });
        yes
    }

    /// Returns the answer to a question, and who gave it.
    fn answer(&self, ask: impl FnOnce(&dyn Operator) -> Answer) -> (Answer, &'static str) {
        if self.permissions.yes {
            return (Answer::Yes, "--yes");
        }
        if self.is_dry_run() {
            return (Answer::Yes, "dry run");
        }
        let asked = Instant::now();
        let answer = ask(&*self.operator);
        self.waited.set(self.waited.get() + asked.elapsed());
        (answer, "operator")
    }

    /// Returns how long questions have waited for an answer so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited.get()
    }
}
