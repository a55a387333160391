//! The objects that a node shows, in the order of their ids. Pages are asked for ahead, so that the server
//! works while what it answered is worked on.

use std::collections::VecDeque;
use std::vec::IntoIter;

use tokio::task::JoinHandle;

use super::lines::number;
use crate::weaviate::{Error, Node, PageAt, RawObject, What, uuid};

/// How many objects the first page takes, and any at most.
const FIRST: usize = 100;
const MOST: usize = 1_000;

/// How many bytes a page should have: enough for a request not to matter, and little to hold.
const BYTES: usize = 2 << 20;

/// How many pages are asked for side by side.
const SIDE_BY_SIDE: usize = 3;

/// A node's objects of a class, or of one tenant.
pub(super) struct Pages {
    node: Node,
    class: String,
    tenant: Option<String>,
    /// The id of the last object of the pages that were taken.
    after: String,
    limit: usize,
    /// How many pages were taken.
    taken: usize,
    /// How far the ids of a page are expected to reach.
    span: Option<u128>,
    asked: VecDeque<Asked>,
    page: IntoIter<RawObject>,
    ended: bool,
}

struct Asked {
    after: String,
    limit: usize,
    answer: JoinHandle<Result<Vec<RawObject>, Error>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl Pages {
    /// Begins behind an id; empty: with the first.
    pub(super) fn new(node: &Node, class: &str, tenant: Option<&str>, after: String) -> Self {
        Self {
            node: node.clone(),
            class: class.into(),
            tenant: tenant.map(Into::into),
            after,
            limit: FIRST,
            taken: 0,
            span: None,
            asked: VecDeque::new(),
            page: vec![].into_iter(),
            ended: false,
        }
    }

    /// Returns the next object without taking it; `None` at the end.
    ///
    /// # Errors
    ///
    /// A page could not be read.
    pub(super) async fn peek(&mut self) -> Result<Option<&RawObject>, Error> {
        if self.page.as_slice().is_empty() {
            self.page = self.next_page().await?.into_iter();
        }
        Ok(self.page.as_slice().first())
    }

    /// Takes the object that was looked at, if it has this id.
    pub(super) fn take_if(&mut self, id: &str) -> Option<RawObject> {
        let is_it = self.page.as_slice().first().is_some_and(|object| object.id == id);
        if is_it { self.page.next() } else { None }
    }

    /// Takes the next objects; none at the end.
    ///
    /// # Errors
    ///
    /// A page could not be read.
    pub(super) async fn next_page(&mut self) -> Result<Vec<RawObject>, Error> {
        while !self.ended {
            self.ask();
            let Some(mut asked) = self.asked.pop_front() else { break };
            let answer = match (&mut asked.answer).await {
                Ok(answer) => answer,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            let mut page = match answer {
                Err(Error { what: What::TooLarge(_), .. }) if asked.limit > 1 => {
                    self.limit = self.limit.min(asked.limit / 2);
                    continue;
                }
                other => other?,
            };
            self.ended = page.len() < asked.limit;
            self.taken += 1;
            self.learn(&page);
            // It may begin with some that the last one ended with.
            page.retain(|object| object.id > self.after);
            if let Some(last) = page.last() {
                self.after.clone_from(&last.id);
                return Ok(page);
            }
        }
        Ok(vec![])
    }

    /// Asks for what comes next, and for some pages behind it, from where they are expected to begin. What
    /// was expected wrongly does no harm: what lies before it is asked for first.
    fn ask(&mut self) {
        if self.asked.front().is_none_or(|front| front.after > self.after) {
            let asked = self.page_after(self.after.clone());
            self.asked.push_front(asked);
        }
        let Some(span) = self.span else { return };
        while self.asked.len() < SIDE_BY_SIDE {
            let last = self.asked.back().and_then(|asked| number(&asked.after)).unwrap_or(0);
            let Some(next) = last.checked_add(span) else { return };
            let asked = self.page_after(uuid(next));
            self.asked.push_back(asked);
        }
    }

    fn page_after(&self, after: String) -> Asked {
        let (node, class, tenant) = (self.node.clone(), self.class.clone(), self.tenant.clone());
        let limit = self.limit;
        let from = after.clone();
        let answer = tokio::spawn(async move {
            let at = PageAt { class: &class, tenant: tenant.as_deref(), after: &from, limit };
            node.raw_page(at).await
        });
        Asked { after, limit, answer }
    }

    /// Learns from a page how large the next ones should be and how far they reach.
    fn learn(&mut self, page: &[RawObject]) {
        let bytes: usize = page.iter().map(|object| object.raw.get().len()).sum();
        let Some(each) = bytes.checked_div(page.len()) else { return };
        self.limit = (BYTES / each.max(1)).clamp(1, MOST);
        let number = |object: Option<&RawObject>| object.and_then(|object| number(&object.id));
        let (Some(first), Some(last)) = (number(page.first()), number(page.last())) else { return };
        // Somewhat less, so that two pages meet where ids lie a bit apart.
        let of_each = last.saturating_sub(first) / page.len() as u128;
        let span = of_each.saturating_mul(self.limit as u128) / 10 * 9;
        // A class that ends with the second page needs nothing from behind it.
        self.span = (span > 0 && self.taken > 1).then_some(span);
    }
}
