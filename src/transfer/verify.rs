//! Whether every node shows every object of a file.

use std::collections::BTreeSet;
use std::time::Duration;

use super::copies::{Copies, on_every_node};
use super::lines::{Line, Window, content};
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
}

/// Looks whether every node shows the objects of a window, and adds what it saw.
///
/// # Errors
///
/// A node could not be read.
pub async fn verify(
    nodes: &[&Node],
    class: &str,
    window: &Window,
    found: &mut Verification,
) -> Result<(), Error> {
    let wanted: Vec<_> = window.lines.iter().map(|line| content(&line.raw)).collect();
    let settled = |there: &[Copies]| {
        there.iter().all(|copies| {
            window.lines.iter().zip(&wanted).all(|(line, wanted)| {
                copies
                    .get(&line.id)
                    .is_some_and(|copy| copy.content == *wanted || copy.updated > line.updated)
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
    for (shown, copies) in found.nodes.iter_mut().zip(&there) {
        for (line, wanted) in window.lines.iter().zip(&wanted) {
            match copies.get(&line.id) {
                Some(copy) if copy.content == *wanted => shown.same += 1,
                Some(copy) if copy.updated > line.updated => shown.newer += 1,
                Some(_) => {
                    shown.differing += 1;
                    shown.tell(line);
                }
                None => {
                    shown.missing += 1;
                    shown.tell(line);
                }
            }
        }
    }
    Ok(())
}

impl Shown {
    fn tell(&mut self, line: &Line) {
        if self.told.len() < TOLD {
            self.told.insert(line.id.clone());
        }
    }
}
