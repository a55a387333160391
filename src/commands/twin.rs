//! The twin of a cluster: a sandbox made from a survey of it, which has the names and addresses of its
//! nodes, while every request goes to this process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::place::harmless;
use super::sandbox::Wrong;
use super::survey;
use crate::error::Error;
use crate::forecast::{Forecast, Sent};
use crate::sandbox::{Request, Sandbox, Snapshot};
use crate::survey::{Problem, Survey};
use crate::weaviate::{Access, Cluster};

/// What no twin can tell.
const UNPREDICTABLE: [&str; 3] = [
    "what is in objects: those of the twin are made up, without properties, vectors and references",
    "how long it takes, and what others write or change meanwhile; another run that is under way by then",
    "what the servers themselves refuse or fail at: their modules, limits, disks and memory",
];

/// The twin of a cluster.
pub(super) struct Twin {
    sandbox: Sandbox,
    /// The classes before the run.
    before: Snapshot,
    /// What it may have otherwise than the cluster.
    doubts: Vec<String>,
    /// The names of `--node`, by those in the twin.
    names: BTreeMap<String, String>,
    /// What was to go wrong, as it was given.
    faults: Vec<String>,
}

impl Twin {
    /// Surveys a cluster and makes its twin. The cluster is only read.
    pub(super) fn of(
        real: &Cluster,
        faults: Vec<Wrong>,
        runtime: &Runtime,
    ) -> Result<(Self, Cluster), Error> {
        let (survey, saved) = survey::take(real, runtime)?;
        let failed = |e: &dyn std::fmt::Display| {
            Error::failed("the twin of the cluster can't be started").cause(e)
        };
        let (sandbox, mut doubts) =
            runtime.block_on(Sandbox::like(&saved, None)).map_err(|e| failed(&e))?;
        let doors: BTreeMap<String, String> = sandbox.nodes().into_iter().collect();
        let mut nodes = vec![];
        for node in &saved.nodes {
            let door = doors.get(node.label()).ok_or_else(|| failed(&"a node has no door"))?;
            let parse = |url: &str| reqwest::Url::parse(url).map_err(|e| failed(&e));
            nodes.push((node.node.clone(), parse(&node.url)?, parse(door)?));
        }
        // Nobody else writes to it, and no key has to leave this process.
        let answer_timeout = real.answer_timeout();
        let access = Access { drain: Duration::ZERO, answer_timeout, ..Access::default() };
        let cluster = Cluster::through(nodes, &access)?;
        let twins = runtime.block_on(Survey::take(&cluster, &BTreeSet::new()));
        doubts.extend(differences(&survey, &twins));
        let mut specs = vec![];
        for Wrong { spec, fault } in faults {
            sandbox.inject(fault);
            specs.push(spec);
        }
        let names = saved.nodes.iter().map(|it| (it.label().to_owned(), it.node.clone())).collect();
        Ok((Self { before: sandbox.snapshot(), sandbox, doubts, names, faults: specs }, cluster))
    }

    /// Returns the faults that struck nothing.
    pub(super) fn harmless(&self) -> Vec<String> {
        harmless(&self.faults, &self.sandbox)
    }

    /// Returns what the run would do, from what it did here.
    pub(super) fn forecast(&self) -> Forecast {
        let mut requests: Vec<Sent> = vec![];
        for request in self.sandbox.requests().iter().filter(|request| request.changes()) {
            let sent = self.sent(request);
            match requests.last_mut().filter(|last| is_like(last, &sent)) {
                Some(last) => {
                    last.times += 1;
                    last.nodes.extend(sent.nodes);
                    last.nodes.sort();
                    last.nodes.dedup();
                }
                None => requests.push(sent),
            }
        }
        let unpredictable = UNPREDICTABLE.iter().map(ToString::to_string);
        Forecast {
            requests,
            classes: self.before.changes(&self.sandbox.snapshot()),
            unpredictable: unpredictable.chain(shortly(&self.doubts)).collect(),
        }
    }

    fn sent(&self, request: &Request) -> Sent {
        let name = self.names.get(&request.node).unwrap_or(&request.node);
        Sent {
            method: request.method.clone(),
            path: without_names(&request.path_and_query),
            // Of objects there are many, each with another body.
            body: request.body.clone().filter(|_| !request.path_and_query.contains("/objects")),
            nodes: vec![name.clone()],
            times: 1,
            failed: match request.status {
                Some(200..=299) => None,
                other => Some(other.unwrap_or(0)),
            },
        }
    }
}

/// How many doubts are told, and how long each is at most.
const MOST: usize = 20;
const LONGEST: usize = 240;

/// Returns doubts as lines: servers answer in several, and of a large cluster there are many.
fn shortly(doubts: &[String]) -> Vec<String> {
    let line = |doubt: &String| -> String {
        let words = doubt.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut = words.char_indices().nth(LONGEST).map(|(at, _)| at);
        cut.map_or(words.clone(), |at| format!("{}…", &words[..at]))
    };
    let mut lines: Vec<String> = doubts.iter().take(MOST).map(line).collect();
    if doubts.len() > MOST {
        lines.push(format!("… and {} more; `survey` has all", doubts.len() - MOST));
    }
    lines
}

fn is_like(one: &Sent, other: &Sent) -> bool {
    let key = |it: &Sent| (it.method.clone(), it.path.clone(), it.body.clone(), it.failed);
    key(one) == key(other)
}

/// Returns a path in which the ids of objects are one, and so are the shards of a class.
fn without_names(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    let is_id = |part: &str| part.len() == 36 && part.matches('-').count() == 4;
    let mut parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["", "v1", "schema", _, "shards", _] => parts[5] = "*",
        ["", "v1", "objects", ..] => {
            parts.iter_mut().filter(|part| is_id(part)).for_each(|part| *part = "*");
        }
        _ => {}
    }
    let path = parts.join("/");
    query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"))
}

/// Returns what is judged otherwise of the cluster than of its twin.
fn differences(cluster: &Survey, twin: &Survey) -> Vec<String> {
    let problems = |survey: &Survey| -> BTreeSet<String> {
        let all = survey.agreement(&BTreeSet::new()).problems;
        all.iter()
            .map(|problem| match problem {
                // Why it does not answer differs: in the twin its door is closed.
                Problem::Silent { node, .. } => format!("node `{node}` does not answer"),
                Problem::MemberMissing { member, .. } => {
                    format!("RAFT member {member} does not take part")
                }
                other => other.to_string(),
            })
            .collect()
    };
    let (there, here) = (problems(cluster), problems(twin));
    let lacks = there.difference(&here).map(|it| format!("the twin does not show that {it}"));
    let more = here.difference(&there).map(|it| format!("only the twin shows that {it}"));
    lacks.chain(more).collect()
}
