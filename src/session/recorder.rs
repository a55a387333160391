//! Where events go: first the journal, then whoever listens; and what they add up to.

use std::io;

use crate::event::{Event, Listener};
use crate::issue::Severity;

/// The journal, the listeners, and running counts.
pub struct Recorder {
    journal: Box<dyn Listener>,
    listeners: Vec<Box<dyn Listener>>,
    counts: Counts,
}

/// On how many of all nodes something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What.
    pub subject: String,
    /// On how many.
    pub count: usize,
    /// Of how many.
    pub total: usize,
    /// What else is to be known.
    pub detail: String,
}

/// What the checks and tallies of a run add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checks that did not pass.
    pub failed_checks: usize,
    /// Issues that are problems.
    pub problems: usize,
    /// Issues that could not be found out.
    pub unknown: usize,
    /// Tallies.
    pub tallies: Vec<Tally>,
}

impl Counts {
    /// Tells whether nothing was found wrong.
    #[must_use]
    pub fn all_well(&self) -> bool {
        self.failed_checks + self.problems + self.unknown == 0
            && self.tallies.iter().all(|tally| tally.count == tally.total)
    }
}

impl Recorder {
    /// Returns a recorder.
    #[must_use]
    pub fn new(journal: Box<dyn Listener>, listeners: Vec<Box<dyn Listener>>) -> Self {
        Self { journal, listeners, counts: Counts::default() }
    }

    /// Records an event, then passes it on.
    ///
    /// # Errors
    ///
    /// The journal could not be written; the listeners hear the event all the same.
    pub fn say(&mut self, event: &Event) -> io::Result<()> {
        self.count(std::slice::from_ref(event));
        let recorded = self.journal.hear(event);
        for listener in &mut self.listeners {
            // A terminal or pipe that went away must not end a run half-way.
            let _ = listener.hear(event);
        }
        recorded
    }

    /// Adds events to the counts: also those that were recorded before a run was resumed.
    pub(super) fn count(&mut self, events: &[Event]) {
        for event in events {
            self.count_one(event);
        }
    }

    fn count_one(&mut self, event: &Event) {
        match event {
            Event::Check { passed: false, .. } => self.counts.failed_checks += 1,
            Event::Issue(issue) => match issue.severity {
                Severity::Problem => self.counts.problems += 1,
                Severity::Unknown => self.counts.unknown += 1,
                Severity::Note => {}
            },
            Event::Tally { subject, count, total, detail } => self.counts.tallies.push(Tally {
                subject: subject.clone(),
                count: *count,
                total: *total,
                detail: detail.clone(),
            }),
            _ => {}
        }
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }
}
