//! Objects of a file into a class, window by window: what is there and newer stays.

use std::time::Duration;

use serde_json::value::RawValue;

use super::copies::{Copies, on_every_node};
use super::lines::{Line, Window, content};
use crate::weaviate::{Error, Node};

/// How often objects that were not taken are sent again, and after how long.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];

/// What became of the objects of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many were written.
    pub imported: u64,
    /// How many were there already: the same, or newer ones.
    pub kept: u64,
    /// How many of these are newer and other than those in the file.
    pub newer: u64,
    /// Those that were not taken, by id, with the server's reason.
    pub failed: Vec<(String, String)>,
}

/// Writes the objects of a window that the nodes lack, through the first of them.
///
/// # Errors
///
/// What is there could not be read, so nothing was written; or the cluster does not take batches.
pub async fn import(nodes: &[&Node], class: &str, window: &Window) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    let there = on_every_node(nodes, class, window).await?;
    let mut open = vec![];
    for line in &window.lines {
        match Place::of(line, &there) {
            Place::Lacking => open.push(line),
            Place::Same => imported.kept += 1,
            Place::Newer => {
                imported.kept += 1;
                imported.newer += 1;
            }
        }
    }
    let all = open.len();
    let mut failed: Vec<(&Line, String)> = vec![];
    for round in 0..=AGAIN.len() {
        if open.is_empty() {
            break;
        }
        if let Some(wait) = round.checked_sub(1) {
            tokio::time::sleep(AGAIN[wait]).await;
        }
        failed = match put(nodes[0], &open, round).await {
            Ok(failed) => failed,
            // A refusal of the batch as a whole is no better at the next one; anything else may
            // have written some of it, and writing the same once more does no harm.
            Err(error) if error.status().is_some_and(|s| (400..500).contains(&s) && s != 429) => {
                return Err(error);
            }
            Err(error) if round == AGAIN.len() => return Err(error),
            Err(_) => continue,
        };
        open = failed.iter().map(|(line, _)| *line).collect();
    }
    imported.imported = (all - open.len()) as u64;
    imported.failed = failed.into_iter().map(|(line, why)| (line.id.clone(), why)).collect();
    Ok(imported)
}

/// Sends objects: together, and in later rounds one by one, so that none fails for another's sake.
async fn put<'a>(
    node: &Node,
    lines: &[&'a Line],
    round: usize,
) -> Result<Vec<(&'a Line, String)>, Error> {
    let size = if round == 0 { lines.len() } else { 1 };
    let mut failed = vec![];
    for part in lines.chunks(size) {
        let objects: Vec<&RawValue> = part.iter().map(|line| &*line.raw).collect();
        let outcomes = node.put_objects(&objects).await?;
        failed.extend(part.iter().zip(outcomes).filter_map(|(line, why)| Some((*line, why?))));
    }
    Ok(failed)
}

/// Where an object of a file stands.
enum Place {
    /// A node lacks it, or has an older one.
    Lacking,
    /// Every node shows it as it is in the file.
    Same,
    /// A node shows another one that is as new or newer.
    Newer,
}

impl Place {
    fn of(line: &Line, there: &[Copies]) -> Self {
        if there.iter().all(|copies| !copies.contains_key(&line.id)) {
            return Self::Lacking;
        }
        let wanted = content(&line.raw);
        let copies = there.iter().map(|copies| copies.get(&line.id));
        let newer = copies
            .clone()
            .flatten()
            .any(|copy| copy.updated >= line.updated && copy.content != wanted);
        if newer {
            Self::Newer
        } else if copies.clone().all(|copy| copy.is_some_and(|copy| copy.content == wanted)) {
            Self::Same
        } else {
            Self::Lacking
        }
    }
}
