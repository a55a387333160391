//! What `check` finds: the rule that is broken, where, and what to do. Knows nobody who shows it.

use super::rule::{Rule, Severity};
use crate::error::{Error, Place};

/// A place in a runbook that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Lower-case fragment, names in back-ticks, no full stop.
    pub message: String,
    /// The file as the operator knows it.
    pub file: String,
    /// Where in the file; `None` where it is about all of it.
    pub place: Option<Box<Place>>,
    /// What to do.
    pub hints: Vec<String>,
}

impl Finding {
    /// Returns a finding about a place.
    #[must_use]
    pub fn at(rule: Rule, place: Place, message: impl Into<String>) -> Self {
        let (file, message) = (place.file.clone(), message.into());
        Self { rule, message, file, place: Some(Box::new(place)), hints: vec![] }
    }

    /// Returns a finding about a whole file.
    #[must_use]
    pub fn in_file(rule: Rule, file: &str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), file: file.into(), place: None, hints: vec![] }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Tells whether `run` refuses the runbook for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.rule.severity() == Severity::Error
    }

    /// Returns line and column, from 1; the first where it is about the whole file or line.
    #[must_use]
    pub fn start(&self) -> (usize, usize) {
        self.place.as_ref().map_or((1, 1), |place| (place.line, place.column.max(1)))
    }
}

impl From<Finding> for Error {
    fn from(finding: Finding) -> Self {
        let mut error = Self::runbook(finding.message);
        error.place = finding.place;
        error.hints = finding.hints;
        error
    }
}
