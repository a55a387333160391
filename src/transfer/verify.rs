//! Whether every node shows every object of a file.

use std::collections::BTreeSet;
use std::time::Duration;

use super::copies::{Copies, on_every_node};
use super::lines::{Window, is_same};
use crate::weaviate::{Error, Node};

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
    #[must_use]
    pub fn of(nodes: &[&Node]) -> Self {
        let shown = |node: &&Node| Shown { node: node.name().into(), ..Shown::default() };
        Self { nodes: nodes.iter().map(shown).collect() }
    }

    /// Adds what the same nodes showed of another window.
    pub fn add(&mut self, other: Self) {
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

/// Looks whether every node shows the objects of a window, and returns what it saw.
///
/// # Errors
///
/// A node could not be read.
pub async fn verify(nodes: &[&Node], class: &str, window: &Window) -> Result<Verification, Error> {
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
