//! Whether every node shows every object of a file.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::copies::{Copies, on_every_node};
use super::lines::{Lines, Window, is_same};
use crate::weaviate::{Error, Node};

/// How large windows are, in objects and bytes, and how many are looked at side by side: larger ones than
/// those of an import make fewer requests, and of every one there are the copies of all nodes.
const OBJECTS: usize = 500;
const BYTES: usize = 2 << 20;
const SIDE_BY_SIDE: usize = 3;

/// How often a window is looked at again where something is missing, and how long is waited.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// How many ids are told; the others are counted.
const TOLD: usize = 20;

/// What one node shows of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The node, by the name of `--node`.
    pub node: String,
    /// Objects that are as in the file.
    pub same: u64,
    /// Objects that are other ones and newer.
    pub newer: u64,
    /// Objects that are missing.
    pub missing: u64,
    /// Objects that are other ones and not newer.
    pub differing: u64,
    /// The first ids of those that are missing or differ.
    pub told: BTreeSet<String>,
}

/// What all nodes show of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Each node.
    pub nodes: Vec<Shown>,
}

impl Verification {
    /// Begins to look at these nodes.
    fn of(nodes: &[&Node]) -> Self {
        let shown = |node: &&Node| Shown { node: node.name().into(), ..Shown::default() };
        Self { nodes: nodes.iter().map(shown).collect() }
    }

    /// Adds what the same nodes showed of another window.
    fn add(&mut self, other: Self) {
        for (shown, more) in self.nodes.iter_mut().zip(other.nodes) {
            shown.same += more.same;
            shown.newer += more.newer;
            shown.missing += more.missing;
            shown.differing += more.differing;
            for id in more.told {
                shown.tell(id);
            }
        }
    }
}

/// Looks whether every node shows the objects of files, some windows side by side, and returns what it
/// saw. `due` tells how long is to be waited when so many objects were looked at.
///
/// # Errors
///
/// A file could not be read; within it, a node could not be read.
pub async fn verify(
    nodes: &[&Node],
    class: &str,
    mut lines: Lines,
    due: &dyn Fn(u64) -> Option<Duration>,
) -> io::Result<Result<Verification, Error>> {
    let windows = stream::iter(std::iter::from_fn(|| lines.window_of(OBJECTS, BYTES).transpose()));
    let mut seen = windows
        .map(|window| async move {
            let window = window?;
            let seen = look(nodes, class, &window).await;
            io::Result::Ok(seen.map(|seen| (window.lines.len() as u64, seen)))
        })
        .buffered(SIDE_BY_SIDE);
    let mut found = Verification::of(nodes);
    let mut done = 0;
    while let Some(seen) = seen.next().await {
        match seen? {
            Err(error) => return Ok(Err(error)),
            Ok((objects, seen)) => {
                found.add(seen);
                done += objects;
            }
        }
        while let Some(time) = due(done) {
            tokio::time::sleep(time).await;
        }
    }
    Ok(Ok(found))
}

/// Looks whether every node shows the objects of a window.
async fn look(nodes: &[&Node], class: &str, window: &Window) -> Result<Verification, Error> {
    let settled = |there: &[Copies]| {
        there.iter().all(|copies| {
            window.lines.iter().all(|line| {
                copies.get(&line.id).is_some_and(|copy| {
                    copy.updated > line.updated || is_same(&copy.raw, &line.raw)
                })
            })
        })
    };
    let mut there = on_every_node(nodes, class, window).await?;
    for _ in 1..LOOKS {
        if settled(&there) {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        there = on_every_node(nodes, class, window).await?;
    }
    let mut found = Verification::of(nodes);
    for (shown, copies) in found.nodes.iter_mut().zip(&there) {
        for line in &window.lines {
            match copies.get(&line.id) {
                Some(copy) if is_same(&copy.raw, &line.raw) => shown.same += 1,
                Some(copy) if copy.updated > line.updated => shown.newer += 1,
                Some(_) => {
                    shown.differing += 1;
                    shown.tell(line.id.clone());
                }
                None => {
                    shown.missing += 1;
                    shown.tell(line.id.clone());
                }
            }
        }
    }
    Ok(found)
}

impl Shown {
    fn tell(&mut self, id: String) {
        if self.told.len() < TOLD {
            self.told.insert(id);
        }
    }
}
