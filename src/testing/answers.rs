//! The operator of a test: answers questions by what they say, from a list.

use std::cell::RefCell;
use std::rc::Rc;

use crate::session::{Answer, Operator};

/// What a test answers, and what it was asked; clones are the same operator.
#[derive(Debug, Clone, Default)]
pub struct Answers(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    given: Vec<Given>,
    unanswered: Vec<String>,
}

#[derive(Debug)]
struct Given {
    /// What the question says.
    text: String,
    yes: bool,
    used: bool,
}

impl Answers {
    /// Answers every question that says `text`. Of several that fit, the last one given decides.
    pub fn give(&self, text: &str, yes: bool) {
        self.0.borrow_mut().given.push(Given { text: text.into(), yes, used: false });
    }

    /// Takes the questions that no answer fits.
    #[must_use]
    pub fn take_unanswered(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().unanswered)
    }

    /// Returns the answers that no question came for.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let inner = self.0.borrow();
        inner.given.iter().filter(|it| !it.used).map(|it| it.text.clone()).collect()
    }
}

impl Operator for Answers {
    fn ask(&self, question: &str) -> Answer {
        let mut inner = self.0.borrow_mut();
        let fits = |it: &&mut Given| question.contains(&it.text);
        if let Some(answer) = inner.given.iter_mut().rev().find(fits) {
            answer.used = true;
            return if answer.yes { Answer::Yes } else { Answer::No };
        }
        inner.unanswered.push(question.into());
        Answer::NoTerminal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_that_fits_decides() {
        let answers = Answers::default();
        answers.give("anyway", true);
        answers.give("Continue", false);
        answers.give("never asked", true);
        assert_eq!(answers.ask("Continue anyway?"), Answer::No);
        assert_eq!(answers.ask("Delete it?"), Answer::NoTerminal);
        assert_eq!(answers.take_unanswered(), ["Delete it?"]);
        assert_eq!(answers.unused(), ["anyway", "never asked"]);
    }
}
