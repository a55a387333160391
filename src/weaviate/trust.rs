//! How far the gRPC API of a node is trusted: while it works at all, and with a class once it was seen to
//! show the vectors that REST shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// After how many failures in a row it is not tried any more.
const MOST_FAILURES: u32 = 3;

/// What is known of one node, the same for everyone who asks it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    failures: u32,
    /// Whether it showed the same of a class as REST.
    classes: BTreeMap<String, bool>,
}

impl Trust {
    /// Tells whether it is to be tried at all.
    pub(super) fn is_tried(&self) -> bool {
        self.with(|known| known.failures < MOST_FAILURES)
    }

    /// Tells whether it shows of a class what REST shows; `None` where that was not looked at.
    pub(super) fn of(&self, class: &str) -> Option<bool> {
        let judged = self.with(|known| known.classes.get(class).copied());
        if self.is_tried() { judged } else { Some(false) }
    }

    /// Takes note of whether it shows of a class what REST shows. Once it did not, it stays so.
    pub(super) fn judge(&self, class: &str, is_same: bool) {
        self.with(|known| *known.classes.entry(class.into()).or_insert(true) &= is_same);
    }

    /// Takes note of an answer, or of none.
    pub(super) fn answered(&self, is_answer: bool) {
        self.with(|known| {
            if known.failures < MOST_FAILURES {
                known.failures = if is_answer { 0 } else { known.failures + 1 };
            }
        });
    }

    /// It is not there.
    pub(super) fn give_up(&self) {
        self.with(|known| known.failures = MOST_FAILURES);
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_up_after_failures_in_a_row() {
        let trust = Trust::default();
        for is_answer in [false, false, true, false, false] {
            trust.answered(is_answer);
            assert!(trust.is_tried());
        }
        trust.judge("A", true);
        assert_eq!(trust.of("A"), Some(true));
        trust.answered(false);
        trust.answered(true);
        assert!(!trust.is_tried());
        assert_eq!((trust.of("A"), trust.of("B")), (Some(false), Some(false)));
    }

    #[test]
    fn a_class_that_differed_once_is_not_trusted_again() {
        let trust = Trust::default();
        assert_eq!(trust.of("A"), None);
        trust.judge("A", true);
        trust.judge("A", false);
        trust.judge("A", true);
        assert_eq!((trust.of("A"), trust.of("B")), (Some(false), None));
    }
}
