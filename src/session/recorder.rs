//! Where events go: first the journal, then whoever listens; and what they add up to.

use std::io;

use crate::event::{Event, Listener};

/// The journal, the listeners, and running counts.
pub struct Recorder {
    journal: Box<dyn Listener>,
    listeners: Vec<Box<dyn Listener>>,
    counts: Counts,
}

/// What the checks and tallies of a run add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checks that did not pass.
    pub failed_checks: usize,
    /// Tallies: subject, count, total.
    pub tallies: Vec<(String, usize, usize)>,
}

impl Counts {
    /// Tells whether nothing was found wrong.
    #[must_use]
    pub fn all_well(&self) -> bool {
        self.failed_checks == 0 && self.tallies.iter().all(|(_, count, total)| count == total)
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
        match event {
            Event::Check { passed: false, .. } => self.counts.failed_checks += 1,
            Event::Tally { subject, count, total } => {
                self.counts.tallies.push((subject.clone(), *count, *total));
            }
            _ => {}
        }
        let recorded = self.journal.hear(event);
        for listener in &mut self.listeners {
            // A terminal or pipe that went away must not end a run half-way.
            let _ = listener.hear(event);
        }
        recorded
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }
}
