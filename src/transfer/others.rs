//! Whether others write to a class while it is imported, as the number of its objects tells.

use std::time::{Duration, Instant};

use crate::weaviate::Node;

/// What is known of others.
#[derive(Debug, Clone)]
pub struct Others {
    began: Instant,
    quiet: Duration,
    /// How many objects there are of a tenant, if nobody but the import writes.
    expected: Option<(Option<String>, u64)>,
    seen: bool,
}

impl Others {
    /// Begins to look for them. Nobody must have been seen for as long as `quiet` before it is believed
    /// that there are none.
    #[must_use]
    pub fn look(quiet: Duration) -> Self {
        Self { began: Instant::now(), quiet, expected: None, seen: false }
    }

    /// Tells whether somebody was seen.
    #[must_use]
    pub fn were_seen(&self) -> bool {
        self.seen
    }

    /// Looks for them, and tells whether it may be believed that there are none. Once one was seen, or
    /// could not be looked for, there may be more. Of a tenant with objects from before nothing is known
    /// until it is looked at again.
    pub(super) async fn are_absent(
        &mut self,
        node: &Node,
        class: &str,
        tenant: Option<&str>,
    ) -> bool {
        if self.seen {
            return false;
        }
        let before = self.expected.take().filter(|(of, _)| of.as_deref() == tenant);
        let was_known = before.is_some();
        let known = before.map_or(0, |(_, expected)| expected);
        match node.aggregate(class, tenant).await {
            Ok(objects) if objects == known || !was_known => {
                self.expected = Some((tenant.map(Into::into), objects));
                objects == known && self.began.elapsed() >= self.quiet
            }
            Ok(_) | Err(_) => {
                self.seen = true;
                false
            }
        }
    }

    /// Takes note of objects that the import added.
    pub(super) fn added(&mut self, objects: u64) {
        if let Some((_, expected)) = &mut self.expected {
            *expected += objects;
        }
    }
}
