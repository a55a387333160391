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
    /// could not be looked for, there may be more.
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
        match (node.aggregate(class, tenant).await, before) {
            (Ok(objects), Some((_, expected))) if objects != expected => self.seen = true,
            (Ok(objects), _) => self.expected = Some((tenant.map(Into::into), objects)),
            (Err(_), _) => self.seen = true,
        }
        !self.seen && self.began.elapsed() >= self.quiet
    }

    /// Takes note of objects that the import added.
    pub(super) fn added(&mut self, objects: u64) {
        if let Some((_, expected)) = &mut self.expected {
            *expected += objects;
        }
    }
}
