//! How much memory a script may hold: what it makes itself is counted, what primitives give it is added
//! to what it may hold.
//!
//! Rhai limits the size of each text, list and map, not their number.

use std::alloc::System;
use std::cell::Cell;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that a script may hold besides what primitives gave it.
const OWN: usize = 128 << 20;

/// Bytes that a script may hold at all.
const ALL: usize = 1 << 30;

/// What a script may hold.
#[derive(Debug)]
pub struct Allowance {
    begun: usize,
    bytes: Cell<usize>,
}

impl Allowance {
    /// Begins to count.
    #[must_use]
    pub fn begin() -> Self {
        Self { begun: ALLOCATOR.allocated(), bytes: Cell::new(OWN) }
    }

    /// Does the work of a primitive, and allows what it leaves behind.
    pub(crate) fn give<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = ALLOCATOR.allocated();
        let done = work();
        let given = ALLOCATOR.allocated().saturating_sub(before);
        self.bytes.set((self.bytes.get() + given).min(ALL));
        done
    }

    /// Returns how many bytes are allowed, where a script holds more.
    pub(crate) fn exceeded(&self) -> Option<usize> {
        let held = ALLOCATOR.allocated().saturating_sub(self.begun);
        (held > self.bytes.get()).then(|| self.bytes.get())
    }
}
