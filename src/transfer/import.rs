//! Objects of files into a class, window by window: what is there and newer stays.
//!
//! What no node has is inserted one by one where others write, as the server then looks whether there is
//! one; where nobody does they go together, which is some times faster.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::value::RawValue;

use super::copies::{Copies, Copy, on_every_node};
use super::lines::{Line, Window, content, is_same, number};
use super::others::Others;
use super::references::{lacks_target, references_of, without_references};
use crate::weaviate::{Error, Inserted, Node};

/// How often objects that were not taken are sent again, and after how long.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];

/// How many objects are inserted side by side.
const AT_ONCE: usize = 16;

/// How many objects go into one request, and how many requests are sent side by side.
const BATCH: usize = 100;
const BATCHES_AT_ONCE: usize = 2;

/// How many references go into one request.
const REFERENCES: usize = 1_000;

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
    /// The ids of those that this process wrote so, as numbers.
    pub without: BTreeSet<u128>,
    /// References to objects that are nowhere, as beacons from and to: they were left out.
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
            self.without.extend(other.without);
        }
        self.dangling.extend(other.dangling);
        self.failed.extend(other.failed);
    }
}

/// Into what is imported.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The nodes that show the class; what is written goes through the first.
    pub nodes: &'a [&'a Node],
    /// The class.
    pub class: &'a str,
    /// Its properties that are references.
    pub references: &'a BTreeSet<String>,
}

/// Writes the objects of a window that the nodes lack; in the second pass the references that they lack,
/// where the first pass wrote them `without`. What was done is added to `imported`, also where it failed;
/// what is seen of `others` decides how objects are written.
///
/// # Errors
///
/// What is there could not be read, so nothing was written; or the cluster does not take objects.
pub async fn import(
    target: Target<'_>,
    window: &Window,
    pass: Pass,
    without: &BTreeSet<u128>,
    others: &mut Others,
    imported: &mut Imported,
) -> Result<(), Error> {
    let there = on_every_node(target.nodes, target.class, window).await?;
    if pass == Pass::References {
        return add_references(target, window, &there, without, imported).await;
    }
    let (mut absent, mut behind) = (vec![], vec![]);
    for line in &window.lines {
        let sent = || Sent { line, raw: Cow::Borrowed(&*line.raw), unclear: false };
        match Place::of(line, &there) {
            Place::Nowhere => absent.push(sent()),
            Place::Behind => behind.push(sent()),
            Place::Same => imported.kept += 1,
            Place::Newer => {
                imported.kept += 1;
                imported.newer += 1;
            }
        }
    }
    if !absent.is_empty() {
        let before = imported.imported;
        let Target { nodes, class, .. } = target;
        // Looked for last, so that nobody has written since the nodes were asked.
        let together = others.are_absent(nodes[0], class, window.tenant.as_deref()).await;
        send(target, absent, if together { Way::Together } else { Way::IfAbsent }, imported)
            .await?;
        others.added(imported.imported - before);
    }
    send(target, behind, Way::Replacing, imported).await
}

/// How objects are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One by one, and not over others of their ids.
    IfAbsent,
    /// Together; those that were not taken, one by one and not over others.
    Together,
    /// Over others of their ids.
    Replacing,
}

/// An object as it is sent.
struct Sent<'a> {
    line: &'a Line,
    raw: Cow<'a, RawValue>,
    /// It was sent, and the answer did not tell what became of it.
    unclear: bool,
}

/// Sends objects until each is taken, or was refused as often as that is tried.
async fn send(
    target: Target<'_>,
    objects: Vec<Sent<'_>>,
    way: Way,
    imported: &mut Imported,
) -> Result<(), Error> {
    let node = target.nodes[0];
    let mut open = objects;
    for round in 0..=AGAIN.len() {
        if open.is_empty() {
            return Ok(());
        }
        if let Some(wait) = round.checked_sub(1) {
            tokio::time::sleep(AGAIN[wait]).await;
        }
        let last = round == AGAIN.len();
        let outcomes = match way {
            Way::Together if round == 0 => put(node, &open, BATCH).await,
            // So that none fails for another's sake.
            Way::Replacing => put(node, &open, if round == 0 { BATCH } else { 1 }).await,
            Way::IfAbsent | Way::Together => insert(node, &open).await,
        };
        let mut again = vec![];
        let mut failed = None;
        for (mut sent, outcome) in open.into_iter().zip(outcomes) {
            match outcome {
                Ok(Inserted::New) => imported.imported += 1,
                Ok(Inserted::WasThere) if sent.unclear => imported.imported += 1,
                Ok(Inserted::WasThere) => {
                    imported.kept += 1;
                    imported.newer += 1;
                }
                Ok(Inserted::Refused(why)) => {
                    let without = lacks_target(&why)
                        .then(|| without_references(&sent.raw, target.references))
                        .flatten();
                    let strips = without.is_some();
                    if let Some(raw) = without {
                        imported.postponed += 1;
                        imported.without.extend(number(&sent.line.id));
                        sent.raw = Cow::Owned(raw);
                    }
                    if last && !strips {
                        imported.failed.push((sent.line.id.clone(), why));
                    } else {
                        again.push(sent);
                    }
                }
                Err(error) if last || is_refusal(&error) => failed = Some(error),
                Err(_) => {
                    sent.unclear = true;
                    again.push(sent);
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        open = again;
    }
    // Refused at last for its references alone.
    let why = "it refers to an object that is not there";
    imported.failed.extend(open.into_iter().map(|sent| (sent.line.id.clone(), why.into())));
    Ok(())
}

/// A refusal of a request as a whole is no better at the next one; anything else may have written some
/// of it, and writing the same once more does no harm.
fn is_refusal(error: &Error) -> bool {
    error.status().is_some_and(|status| (400..500).contains(&status) && status != 429)
}

type Outcomes = Vec<Result<Inserted, Error>>;

/// Inserts objects one by one, some side by side.
async fn insert(node: &Node, open: &[Sent<'_>]) -> Outcomes {
    let inserts = open.iter().map(|sent| node.insert_if_absent(&sent.raw));
    stream::iter(inserts).buffered(AT_ONCE).collect().await
}

/// Puts objects, so many together, whatever is there.
async fn put(node: &Node, open: &[Sent<'_>], together: usize) -> Outcomes {
    let parts = open.chunks(together).map(|part| async move {
        let objects: Vec<&RawValue> = part.iter().map(|sent| &*sent.raw).collect();
        match node.put_objects(&objects).await {
            Ok(each) => each
                .into_iter()
                .map(|why| Ok(why.map_or(Inserted::New, Inserted::Refused)))
                .collect(),
            Err(error) => vec![Err(error); part.len()],
        }
    });
    let outcomes: Vec<Outcomes> = stream::iter(parts).buffered(BATCHES_AT_ONCE).collect().await;
    outcomes.into_iter().flatten().collect()
}

/// Adds the references that objects have in the file and lack on the nodes, and changes nothing else of
/// them. One that is not there any more was deleted since the first pass.
async fn add_references(
    target: Target<'_>,
    window: &Window,
    there: &[Copies],
    without: &BTreeSet<u128>,
    imported: &mut Imported,
) -> Result<(), Error> {
    let Target { nodes, class, references } = target;
    let mut open = vec![];
    for line in &window.lines {
        let Some(copy) = there.iter().find_map(|copies| copies.get(&line.id)) else { continue };
        let Some(bare) = without_references(&line.raw, references) else { continue };
        // Another one that somebody wrote has the references that they gave it.
        let is_ours =
            number(&line.id).is_some_and(|id| without.contains(&id)) || is_same(&bare, &copy.raw);
        if !is_ours {
            continue;
        }
        let properties = content(&copy.raw)["properties"].take();
        let has = references_of(&properties, references);
        for (property, beacons) in references_of(&content(&line.raw)["properties"], references) {
            // Somebody took them away since; the server would not take them either.
            if properties[property.as_str()].as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            let there = has.get(&property).cloned().unwrap_or_default();
            let from = format!("weaviate://localhost/{class}/{}/{property}", line.id);
            let lacking = beacons.into_iter().filter(|beacon| !there.contains(beacon));
            open.extend(lacking.map(|beacon| (from.clone(), beacon)));
        }
    }
    for part in open.chunks(REFERENCES) {
        let outcomes = nodes[0].add_references(part, window.tenant.as_deref()).await?;
        for ((from, to), why) in part.iter().zip(outcomes) {
            match why {
                None => {}
                Some(why) if lacks_target(&why) => {
                    imported.dangling.push((from.clone(), to.clone()));
                }
                Some(why) => imported.failed.push((from.clone(), why)),
            }
        }
    }
    Ok(())
}

/// Where an object of a file stands.
enum Place {
    /// No node has it.
    Nowhere,
    /// A node lacks it or has an older one, and none a newer.
    Behind,
    /// Every node shows it as it is in the file.
    Same,
    /// A node shows another one that is as new or newer.
    Newer,
}

impl Place {
    fn of(line: &Line, there: &[Copies]) -> Self {
        if there.iter().all(|copies| !copies.contains_key(&line.id)) {
            return Self::Nowhere;
        }
        let copies = there.iter().map(|copies| copies.get(&line.id));
        let same = |copy: &Copy| is_same(&copy.raw, &line.raw);
        if copies.clone().all(|copy| copy.is_some_and(same)) {
            return Self::Same;
        }
        let is_newer = copies.flatten().any(|copy| copy.updated >= line.updated && !same(copy));
        if is_newer { Self::Newer } else { Self::Behind }
    }
}
