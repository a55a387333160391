//! Objects of files into a class, window by window: what is there and newer stays.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;

use super::copies::{Copies, on_every_node};
use super::lines::{Line, Window, content};
use super::references::{has_references, missing_target, without_references};
use crate::weaviate::{Error, Node};

/// How often objects that were not taken are sent again, and after how long.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];

/// How many references to objects that are nowhere an object may lose.
const MOST_DANGLING: usize = 100;

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Objects, without their references where they refer to others that are not there yet.
    Objects,
    /// The references, once every object is there.
    References,
}

/// What became of the objects of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many were written.
    pub imported: u64,
    /// How many were there already: the same, or newer ones.
    pub kept: u64,
    /// How many of these are newer and other than those in the file.
    pub newer: u64,
    /// How many were written without their references, which are to follow.
    pub postponed: u64,
    /// Those that refer to an object that is nowhere, by id, with that one's: they were written without.
    pub dangling: Vec<(String, String)>,
    /// Those that were not taken, by id, with the server's reason.
    pub failed: Vec<(String, String)>,
}

impl Imported {
    /// Adds what became of another window. References were counted with their objects.
    pub fn add(&mut self, other: Self, pass: Pass) {
        if pass == Pass::Objects {
            self.imported += other.imported;
            self.kept += other.kept;
            self.newer += other.newer;
            self.postponed += other.postponed;
        }
        self.dangling.extend(other.dangling);
        self.failed.extend(other.failed);
    }
}

/// Writes the objects of a window that the nodes lack, through the first of them.
///
/// # Errors
///
/// What is there could not be read, so nothing was written; or the cluster does not take batches.
pub async fn import(
    nodes: &[&Node],
    class: &str,
    window: &Window,
    pass: Pass,
) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    let there = on_every_node(nodes, class, window).await?;
    let mut open = vec![];
    // One that is not there any more was deleted since the first pass.
    let is_there = |line: &Line| there.iter().any(|copies| copies.contains_key(&line.id));
    let wanted =
        |line: &&Line| pass == Pass::Objects || has_references(&line.raw) && is_there(line);
    for line in window.lines.iter().filter(wanted) {
        match Place::of(line, &there) {
            Place::Lacking => open.push(Sent { line, raw: Cow::Borrowed(&line.raw) }),
            Place::Same => imported.kept += 1,
            Place::Newer => {
                imported.kept += 1;
                imported.newer += 1;
            }
        }
    }
    let all = open.len();
    let mut failed: Vec<(Sent, String)> = vec![];
    let mut round: usize = 0;
    while !open.is_empty() {
        if let Some(wait) = round.checked_sub(1) {
            tokio::time::sleep(AGAIN[wait]).await;
        }
        failed = match put_with_references(nodes[0], open, round, pass, &mut imported).await {
            Ok(failed) => failed,
            Err((error, _)) if round == AGAIN.len() || is_refusal(&error) => return Err(error),
            Err((_, again)) => {
                open = again;
                round += 1;
                continue;
            }
        };
        if round == AGAIN.len() {
            break;
        }
        open = failed.drain(..).map(|(sent, _)| sent).collect();
        round += 1;
    }
    imported.imported = (all - failed.len()) as u64;
    imported.failed = failed.into_iter().map(|(sent, why)| (sent.line.id.clone(), why)).collect();
    Ok(imported)
}

/// A refusal of the batch as a whole is no better at the next one; anything else may have written some
/// of it, and writing the same once more does no harm.
fn is_refusal(error: &Error) -> bool {
    error.status().is_some_and(|status| (400..500).contains(&status) && status != 429)
}

/// An object as it is sent.
struct Sent<'a> {
    line: &'a Line,
    raw: Cow<'a, RawValue>,
}

type Failed<'a> = Vec<(Sent<'a>, String)>;

/// Sends objects; those that refer to an object that is not there, once more without that.
async fn put_with_references<'a>(
    node: &Node,
    open: Vec<Sent<'a>>,
    round: usize,
    pass: Pass,
    imported: &mut Imported,
) -> Result<Failed<'a>, (Error, Vec<Sent<'a>>)> {
    let mut failed = put(node, open, round).await?;
    for _ in 0..MOST_DANGLING {
        let mut others = vec![];
        let mut without = vec![];
        for (sent, why) in failed {
            let target = missing_target(&why);
            let raw = target.and_then(|target| {
                let is_dropped = |beacon: &str| pass == Pass::Objects || beacon.ends_with(target);
                without_references(&sent.raw, is_dropped).ok()
            });
            match raw.filter(|raw| raw.get().len() < sent.raw.get().len()) {
                Some(raw) => without.push((Sent { line: sent.line, raw: Cow::Owned(raw) }, why)),
                None => others.push((sent, why)),
            }
        }
        if without.is_empty() {
            return Ok(others);
        }
        for (sent, why) in &without {
            match (pass, missing_target(why)) {
                (Pass::Objects, _) => imported.postponed += 1,
                (Pass::References, target) => {
                    let target = target.unwrap_or_default().to_owned();
                    imported.dangling.push((sent.line.id.clone(), target));
                }
            }
        }
        failed = put(node, without.into_iter().map(|(sent, _)| sent).collect(), 0).await?;
        failed.append(&mut others);
    }
    Ok(failed)
}

/// Sends objects: together, and in later rounds one by one, so that none fails for another's sake.
async fn put<'a>(
    node: &Node,
    open: Vec<Sent<'a>>,
    round: usize,
) -> Result<Failed<'a>, (Error, Vec<Sent<'a>>)> {
    let size = if round == 0 { open.len().max(1) } else { 1 };
    let mut outcomes = vec![];
    for part in open.chunks(size) {
        let objects: Vec<&RawValue> = part.iter().map(|sent| &*sent.raw).collect();
        match node.put_objects(&objects).await {
            Ok(each) => outcomes.extend(each),
            Err(error) => return Err((error, open)),
        }
    }
    let failed = open.into_iter().zip(outcomes).filter_map(|(sent, why)| Some((sent, why?)));
    Ok(failed.collect())
}

/// Where an object of a file stands.
enum Place {
    /// A node lacks it, or has an older one, or has it without its references.
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
        if copies.clone().all(|copy| copy.is_some_and(|copy| copy.content == wanted)) {
            return Self::Same;
        }
        // As an earlier pass wrote it.
        let without = has_references(&line.raw)
            .then(|| without_references(&line.raw, |_| true).ok())
            .flatten()
            .map(|raw| content(&raw));
        let is_newer = copies.flatten().any(|copy| {
            copy.updated >= line.updated
                && copy.content != wanted
                && Some(&copy.content) != without.as_ref()
        });
        if is_newer { Self::Newer } else { Self::Lacking }
    }
}
