//! The objects of many classes, counted on every node by its own replicas and compared.
//!
//! Replicas that are written to meanwhile show other numbers at other moments:
//! they differ only where what one node showed over a while and what another showed
//! in the same while have nothing in common.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Holdings, Survey};
use crate::weaviate::{Cluster, Countable, Node};

/// What counting a class on every node came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counts {
    /// All nodes count the same, as well as that can be told while it is written to.
    Same(u64),
    /// The replicas hold different numbers: by the name of `--node`.
    Differ(BTreeMap<String, u64>),
    /// It could not be counted; why.
    Unknown(String),
    /// It was not counted: its shards are not in memory, and counting would load them.
    NotLoaded,
}

/// How long is waited before nodes that differ are asked again: shorter than any repair that the
/// server makes by itself, longer than any write under way.
const BETWEEN: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];

/// How many classes may go while they are counted.
const MOST_GONE: usize = 10;

/// How many classes and tenants go into one question.
const AT_ONCE: usize = 2_000;

/// What a node showed over all rounds.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: u64,
    most: u64,
}

/// Counts every class that is on every node. `load`: also those whose shards are not in memory.
pub(super) async fn count_all(
    cluster: &Cluster,
    survey: &Survey,
    holdings: &Holdings<'_>,
    classes: &BTreeSet<&str>,
    load: bool,
) -> BTreeMap<String, Counts> {
    let mut counts = BTreeMap::new();
    let unseen: Vec<String> =
        survey
            .silent()
            .map(|(node, _)| format!("node `{node}` does not answer"))
            .chain(survey.unseen_members().into_iter().map(|m| format!("{m} can't be seen")))
            .chain(survey.blind().into_iter().map(|(node, members)| {
                format!("node `{node}` does not see {}", members.join(", "))
            }))
            .chain((survey.members().len() > survey.nodes.len()).then(|| {
                let (members, named) = (survey.members().len(), survey.nodes.len());
                format!("the cluster has {members} members, and {named} were asked")
            }))
            .collect();
    let mut open: BTreeMap<&str, Vec<Countable>> = BTreeMap::new();
    for class in classes {
        let shards = holdings.of(class);
        let why = if !unseen.is_empty() {
            Some(Counts::Unknown(unseen.join(", ")))
        } else if survey.nodes_with_class(class).len() < survey.nodes.len() {
            Some(Counts::Unknown("not every node has it in its own schema".into()))
        } else if !load
            && survey.is_multi_tenant(class)
            && shards.values().flat_map(BTreeMap::values).any(|r| r.loaded == Some(false))
        {
            Some(Counts::NotLoaded)
        } else {
            None
        };
        match why {
            Some(why) => drop(counts.insert((*class).to_owned(), why)),
            None => drop(open.insert(class, countables(survey, class, shards.keys()))),
        }
    }
    let mut ranges: BTreeMap<String, BTreeMap<String, Range>> = BTreeMap::new();
    for round in 0..=BETWEEN.len() {
        if let Some(wait) = round.checked_sub(1) {
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(BETWEEN[wait]).await;
        }
        let what: Vec<Countable> = open.values().flatten().cloned().collect();
        let each = join_all(cluster.nodes().iter().map(|node| ask(node, &what))).await;
        open.retain(|class, what| {
            let seen = ranges.entry((*class).to_owned()).or_default();
            let mut failed = vec![];
            for (node, answer) in cluster.nodes().iter().zip(&each) {
                match total(answer, what) {
                    Err(why) => failed.push(format!("`{}`: {why}", node.name())),
                    Ok(count) => {
                        let range = seen
                            .entry(node.name().to_owned())
                            .or_insert(Range { least: count, most: count });
                        range.least = range.least.min(count);
                        range.most = range.most.max(count);
                    }
                }
            }
            let last = round == BETWEEN.len();
            let verdict = if !failed.is_empty() {
                last.then(|| Counts::Unknown(failed.join(", ")))
            } else if in_common(seen) {
                seen.values().map(|range| range.most).max().map(Counts::Same)
            } else {
                let differ =
                    || seen.iter().map(|(node, range)| (node.clone(), range.most)).collect();
                last.then(|| Counts::Differ(differ()))
            };
            match verdict {
                Some(verdict) => {
                    counts.insert((*class).to_owned(), verdict);
                    false
                }
                None => true,
            }
        });
    }
    counts
}

/// Tells whether there is a number that every node may have held at one moment.
fn in_common(seen: &BTreeMap<String, Range>) -> bool {
    let least = seen.values().map(|range| range.least).max();
    let most = seen.values().map(|range| range.most).min();
    least <= most
}

fn countables<'a>(
    survey: &Survey,
    class: &str,
    shards: impl Iterator<Item = &'a &'a str>,
) -> Vec<Countable> {
    let countable =
        |tenant: Option<&str>| Countable { class: class.into(), tenant: tenant.map(Into::into) };
    if survey.is_multi_tenant(class) {
        shards.map(|shard| countable(Some(shard))).collect()
    } else {
        vec![countable(None)]
    }
}

/// What a node counted of each, or why it did not answer at all.
pub(super) type Answer = Result<BTreeMap<Countable, Result<u64, String>>, String>;

/// Lets a node count its own replicas of all of these.
pub(super) async fn ask(node: &Node, what: &[Countable]) -> Answer {
    let mut all = BTreeMap::new();
    for part in what.chunks(AT_ONCE) {
        let mut open = part.to_vec();
        // A class that is gone meanwhile fails the whole question: it is asked again without it.
        for _ in 0..MOST_GONE {
            let counted = node.own_counts(&open).await.map_err(|error| error.reason())?;
            let gone = counted.values().find_map(|count| unknown_class(count.as_ref().err()?));
            let Some(gone) = gone.filter(|gone| open.iter().any(|it| it.class == *gone)) else {
                all.extend(counted);
                break;
            };
            open.retain(|it| it.class != gone);
        }
    }
    Ok(all)
}

/// Returns the class that a server's message says it does not know.
fn unknown_class(message: &str) -> Option<String> {
    let rest = message.split_once("Cannot query field \"")?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

fn total(answer: &Answer, what: &[Countable]) -> Result<u64, String> {
    let counted = answer.as_ref().map_err(Clone::clone)?;
    what.iter().try_fold(0, |sum, what| match counted.get(what) {
        Some(Ok(count)) => Ok(sum + count),
        Some(Err(why)) => Err(why.clone()),
        None => Err("it was not answered".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ranges: &[(u64, u64)]) -> BTreeMap<String, Range> {
        let range = |(at, (least, most)): (usize, &(u64, u64))| {
            (format!("node{at}"), Range { least: *least, most: *most })
        };
        ranges.iter().enumerate().map(range).collect()
    }

    #[test]
    fn replicas_under_writes_are_told_from_replicas_that_differ() {
        assert!(in_common(&seen(&[(5, 5), (5, 5), (5, 5)])));
        assert!(in_common(&seen(&[(10, 14), (11, 15), (14, 14)])));
        assert!(!in_common(&seen(&[(10, 14), (10, 14), (0, 4)])));
        assert!(!in_common(&seen(&[(30, 30), (30, 30), (20, 20)])));
    }
}
