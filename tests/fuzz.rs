//! What comes from outside may be anything: journals, runbooks, configuration, and what servers answer.
//! Nothing panics, nothing hangs, and no change is sent on an answer that can't be understood.
//!
//! `FUZZ_CASES` says how many runs are made on answers that were changed, from `FUZZ_SEED`, which is
//! printed; `PROPTEST_CASES` how often the rest is tried.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "tests")]

mod support;

use std::fs;

use elysia_runbook::host;
use elysia_runbook::journal::parse;
use elysia_runbook::runbook::{Checked, Finding, Holds, Runbook, Source, find, shipped};
use elysia_runbook::sandbox::{Fault, Scenario};
use elysia_runbook::session::Carried;
use elysia_runbook::survey::{Classes, Commands, Seen, Survey, View};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::Stage;

const CLASS: &str = "ELYSIA_CONFIG__";

/// So many cases, or as many as `PROPTEST_CASES` says; what fails is printed and kept nowhere.
fn cases(number: u32) -> ProptestConfig {
    let given = std::env::var("PROPTEST_CASES").ok().map(|cases| cases.parse().unwrap());
    let cases = given.unwrap_or(number);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The journal of a repair, byte for byte.
fn journal() -> Vec<u8> {
    let stage = Stage::new(Scenario::FactorOne);
    stage.run(&["run", "config-replication", "--yes"]).exits(0);
    fs::read(stage.run_folder().join("journal.ndjson")).unwrap()
}

#[test]
fn a_journal_is_read_as_far_as_it_holds() {
    let whole = journal();
    let all = parse(&whole).records.len();
    proptest!(cases(256), |(at in 0..whole.len(), byte: u8, cut: bool)| {
        let mut bytes = whole.clone();
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        let reading = parse(&bytes);
        // No record from the one that was changed on is believed, but for the last line, which no
        // other vouches for.
        let line = whole[..at].split(|byte| *byte == b'\n').count() - 1;
        if bytes == whole {
            prop_assert_eq!(reading.records.len(), all);
        } else {
            prop_assert!(reading.records.len() <= line + 1, "{} of {}", reading.records.len(), line);
        }
        prop_assert!(usize::try_from(reading.whole).unwrap() <= bytes.len());
        let _ = Carried::of(&reading.records);
    });
    proptest!(cases(256), |(bytes: Vec<u8>)| {
        let reading = parse(&bytes);
        let _ = Carried::of(&reading.records);
    });
}

fn check(text: String) {
    let mut engine = host::engine();
    let source = Source {
        name: "fuzz".into(),
        display: "fuzz.rhai".into(),
        folder: None,
        text,
        is_import: false,
    };
    let checked = Checked::of_runbook(&mut engine, &source);
    for finding in &checked.findings {
        // What a place points at can be shown.
        let _ = finding.place.as_ref().map(|place| &place.text[place.span()]);
    }
    // `run` refuses what `check` finds to be wrong, and nothing else; a file of functions is no runbook.
    let is_wrong = checked.findings.iter().any(Finding::is_error);
    let is_refused = Runbook::compile(&mut engine, source).is_err();
    if !matches!(checked.holds, Some(Holds::Functions(_))) {
        assert_eq!(is_wrong, is_refused, "{:?}", checked.findings);
    }
}

#[test]
fn any_text_is_checked() {
    let texts: Vec<String> = shipped().map(|name| find(name).unwrap().text).collect();
    proptest!(cases(48), |(
        which in 0..texts.len(), from: prop::sample::Index, length in 0usize..40, put in "\\PC{0,12}"
    )| {
        let mut text: Vec<char> = texts[which].chars().collect();
        let from = from.index(text.len());
        let to = (from + length).min(text.len());
        text.splice(from..to, put.chars());
        check(text.into_iter().collect());
    });
    proptest!(cases(48), |(text in "\\PC*")| check(text));
    let words = [
        "step", "\"A\"", "{", "}", "rollback", "let", "x", "=", "param(", ")", ";", "fn", "|",
        "if", "loop", "import", "as", "try", "catch", "`${", "}`", "#{", "[", "]", "return", "1",
    ];
    proptest!(cases(96), |(picks in prop::collection::vec(0..words.len(), 0..60))| {
        check(picks.into_iter().map(|pick| words[pick]).collect::<Vec<_>>().join(" "));
    });
}

#[test]
fn any_configuration_is_read_or_refused() {
    let home = tempfile::TempDir::new().unwrap();
    let whole = "[clusters.a]\nnodes = [\"node1=http://127.0.0.1:1\"]\napi_key_env = \"X\"\n\
                 ca_file = \"ca.pem\"\nanswer_timeout_seconds = 1\nallow_key_over_http = true\n";
    proptest!(cases(64), |(
        at in 0..whole.len(), length in 0usize..20, put in "[\\PC\n\"=\\[\\]]{0,6}"
    )| {
        let mut text: Vec<char> = whole.chars().collect();
        let to = (at + length).min(text.len());
        text.splice(at..to, put.chars());
        fs::write(home.path().join("elysia-runbook.toml"), text.into_iter().collect::<String>()).unwrap();
        let ended = support::run(home.path(), &["run", "cluster-health", "--cluster", "a"]);
        prop_assert!(matches!(ended.code, Some(1 | 2)), "{}", ended.transcript());
        prop_assert!(!ended.transcript().contains("panicked"), "{}", ended.transcript());
    });
}

/// JSON like what servers send: the same keys, with anything in them.
fn anything() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "statistics",
        "name",
        "status",
        "leaderId",
        "raft",
        "state",
        "latestConfiguration",
        "id",
        "address",
        "isVoter",
        "ready",
        "dbLoaded",
        "nodes",
        "shards",
        "class",
        "objectCount",
        "numberOfReplicas",
        "version",
        "replicationConfig",
        "factor",
        "multiTenancyConfig",
        "enabled",
        "appliedIndex",
        "lastLogIndex",
        "term",
        "candidates",
        "synchronized",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["node1", "node2", "Leader", "Follower", "HEALTHY", "", "3", "A"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6).prop_map(|fields| {
                let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

#[test]
fn any_cluster_is_judged() {
    let stage = Stage::new(Scenario::ReplicasDiffer);
    let real = [
        stage.get(0, "/v1/cluster/statistics"),
        stage.get(0, "/v1/nodes?output=verbose")["nodes"].clone(),
        json!({ CLASS: stage.sandbox.class("node1", CLASS) }),
    ];
    let judged = std::cell::Cell::new(0);
    proptest!(cases(256), |(views in prop::collection::vec((0usize..3, any::<prop::sample::Index>(), anything()), 1..4))| {
        let nodes: Vec<Seen> = views.iter().enumerate().filter_map(|(number, (part, place, put))| {
            let mut parts = real.clone();
            let mut places = vec![];
            pointers(&parts[*part], String::new(), &mut places);
            let place = &places[place.index(places.len())];
            *parts[*part].pointer_mut(place)? = put.clone();
            let [statistics, statuses, schema] = parts;
            let own_schema: Classes = serde_json::from_value(schema).ok()?;
            let view = View {
                statistics: serde_json::from_value(statistics).ok()?,
                statuses: serde_json::from_value(statuses).ok()?,
                own_schema,
            };
            let number = number + 1;
            Some(Seen {
                node: format!("node{number}"),
                url: format!("http://h{number}"),
                host: format!("h{number}"),
                view: Ok(view),
            })
        }).collect();
        let Some(first) = nodes.first() else { return Ok(()) };
        let leader_schema = Ok(first.view.as_ref().unwrap().own_schema.clone());
        let survey = Survey { nodes, leader_schema };
        judged.set(judged.get() + 1);
        let agreement = survey.agreement(&std::collections::BTreeSet::new());
        let commands = Commands::default();
        for problem in &agreement.problems {
            let _ = (problem.to_string(), problem.issue(&survey, &commands));
        }
        let _ = (survey.raft(&commands), survey.topology(), survey.topology_issues(), survey.blind());
    });
    assert!(judged.get() > 10, "hardly any could be read: {judged:?}");
}

/// The places in a value, as JSON pointers.
fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                pointers(value, format!("{at}/{place}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}

/// A real answer with one thing changed, for one reading of the repair.
#[test]
fn no_change_is_sent_on_an_answer_that_says_something_else() {
    let number = |variable: &str| std::env::var(variable).ok().map(|it| it.parse::<u64>().unwrap());
    let seed = number("FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("FUZZ_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let wrong = [
        json!(null),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(""),
        json!("node9"),
        json!(true),
    ];
    let paths = [
        "/v1/cluster/statistics".to_owned(),
        "/v1/nodes?output=verbose".into(),
        "/v1/schema".into(),
        format!("/v1/schema/{CLASS}"),
        format!("/v1/replication/sharding-state?collection={CLASS}"),
        format!("/v1/objects?class={CLASS}&limit=1"),
    ];
    for _ in 0..number("FUZZ_CASES").unwrap_or(30) {
        let stage = Stage::new(Scenario::FactorOne);
        let before = stage.sandbox.class("node1", CLASS);
        let path = random.choice(&paths).unwrap();
        let mut answer = stage.get(0, path);
        let mut places = vec![];
        pointers(&answer, String::new(), &mut places);
        let place = random.choice(&places).unwrap().clone();
        *answer.pointer_mut(&place).unwrap() = random.choice(&wrong).unwrap().clone();
        let bare = path.split('?').next().unwrap();
        let (node, nth) = (random.u8(1..=3), random.u8(1..4));
        let spec = format!("node{node}:GET:{bare}:{nth}=200 {answer}");
        stage.sandbox.inject(spec.parse::<Fault>().unwrap());
        let ended = stage.run(&["run", "config-replication", "--yes"]);
        let said = format!("{place} of {spec}:\n{}", ended.transcript());
        assert!(!said.contains("panicked"), "{said}");
        let after = stage.sandbox.class("node1", CLASS);
        match ended.code {
            Some(0) => assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}"),
            Some(4) => assert!(after.is_some(), "{said}"),
            Some(1 | 5 | 6) => assert_eq!(after, before, "{said}"),
            _ => panic!("{said}"),
        }
    }
}
