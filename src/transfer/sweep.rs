//! What nodes show of a class against what was exported of it: read side by side in the order of
//! tenants and ids, and what is other goes into a second file. After that both files together hold
//! what the nodes show, the newest of each object, as long as nobody writes meanwhile.

use std::collections::VecDeque;
use std::io;

use futures_util::future::try_join_all;
use serde_json::value::RawValue;

use super::export::{add, prefix};
use super::lines::{Line, Lines, is_same};
use super::objects_file::ObjectsFile;
use super::pages::Pages;
use crate::weaviate::{Error, Node, RawObject};

/// How many objects are looked at in a step.
const STEP: usize = 200;

/// How many objects are told that not every replica has.
const TOLD: usize = 20;

/// What a sweep came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects that the nodes show.
    pub objects: u64,
    /// How many of them were written or changed since they were exported.
    pub changed: u64,
    /// Objects that were exported and are not there any more.
    pub deleted: u64,
    /// Objects of which replicas have different versions: the newest counts.
    pub differing: u64,
    /// Objects that not every replica has.
    pub lacking: u64,
    /// The ids of the first of them.
    pub told: Vec<String>,
}

/// A sweep in progress.
pub struct Sweep<'a> {
    nodes: Vec<&'a Node>,
    class: &'a str,
    tenants: VecDeque<Option<String>>,
    /// What each node shows of the tenant that is looked at.
    shown: Vec<Pages>,
    exported: Lines,
    late: ObjectsFile,
    found: Swept,
}

impl<'a> Sweep<'a> {
    /// Begins a sweep. `nodes` must show every replica; `tenants` are all that are there, in the order
    /// of their names.
    #[must_use]
    pub fn new(
        nodes: Vec<&'a Node>,
        class: &'a str,
        tenants: Option<Vec<String>>,
        exported: Lines,
        late: ObjectsFile,
    ) -> Self {
        let tenants = tenants.map_or_else(
            || VecDeque::from([None]),
            |tenants| tenants.into_iter().map(Some).collect(),
        );
        Self { nodes, class, tenants, shown: vec![], exported, late, found: Swept::default() }
    }

    /// Looks at the next objects. Returns whether there may be more.
    ///
    /// # Errors
    ///
    /// A file could not be read or written; within it, a node could not be read.
    pub async fn step(&mut self) -> io::Result<Result<bool, Error>> {
        let Some(tenant) = self.tenants.front().cloned() else {
            // Of tenants that are not there any more.
            while let Some(line) = self.exported.line()? {
                self.tell_deleted(&line)?;
            }
            return Ok(Ok(false));
        };
        if self.shown.is_empty() {
            let pages =
                |node: &&Node| Pages::new(node, self.class, tenant.as_deref(), String::new());
            self.shown = self.nodes.iter().map(pages).collect();
        }
        for _ in 0..STEP {
            let next = match try_join_all(self.shown.iter_mut().map(Pages::peek)).await {
                Err(error) => return Ok(Err(error)),
                Ok(next) => next.into_iter().flatten().map(|object| &object.id).min().cloned(),
            };
            let Some(id) = next else {
                while self.exported.peek()?.is_some_and(|line| line.tenant <= tenant) {
                    self.tell_next_deleted()?;
                }
                self.tenants.pop_front();
                self.shown.clear();
                break;
            };
            let copies: Vec<RawObject> =
                self.shown.iter_mut().filter_map(|pages| pages.take_if(&id)).collect();
            self.compare(tenant.as_deref(), &id, &copies)?;
        }
        Ok(Ok(true))
    }

    /// Returns how many objects were looked at.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.found.objects
    }

    /// Ends a sweep that came to its end. Returns what it found, and the file with what is other than
    /// in the export.
    #[must_use]
    pub fn end(self) -> (Swept, ObjectsFile) {
        (self.found, self.late)
    }

    fn compare(&mut self, tenant: Option<&str>, id: &str, copies: &[RawObject]) -> io::Result<()> {
        self.found.objects += 1;
        let Some(newest) = copies.iter().max_by_key(|copy| copy.updated) else { return Ok(()) };
        if copies.len() < self.nodes.len() {
            self.found.lacking += 1;
            if self.found.told.len() < TOLD {
                self.found.told.push(id.to_owned());
            }
        }
        if !copies.iter().all(|copy| is_same(&copy.raw, &newest.raw)) {
            self.found.differing += 1;
        }
        let place = (tenant, id);
        while let Some(line) = self.exported.peek()? {
            if (line.tenant.as_deref(), line.id.as_str()) >= place {
                break;
            }
            self.tell_next_deleted()?;
        }
        let exported = match self.exported.peek()? {
            Some(line) if (line.tenant.as_deref(), line.id.as_str()) == place => {
                self.exported.line()?
            }
            _ => None,
        };
        if exported.is_some_and(|line| is_exported(&line, &newest.raw)) {
            return Ok(());
        }
        self.found.changed += 1;
        add(&mut self.late, tenant, newest.raw.get())
    }

    fn tell_next_deleted(&mut self) -> io::Result<()> {
        match self.exported.line()? {
            Some(line) => self.tell_deleted(&line),
            None => Ok(()),
        }
    }

    fn tell_deleted(&mut self, line: &Line) -> io::Result<()> {
        self.found.deleted += 1;
        let gone = serde_json::json!({"class": self.class, "id": line.id, "deleted": true});
        add(&mut self.late, line.tenant.as_deref(), &gone.to_string())
    }
}

/// Tells whether an object is in a file as a node shows it.
fn is_exported(line: &Line, shown: &RawValue) -> bool {
    let prefix = prefix(line.tenant.as_deref());
    line.raw.get().strip_prefix(&prefix) == Some(&shown.get()[1..]) || is_same(&line.raw, shown)
}
