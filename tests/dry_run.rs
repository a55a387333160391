//! A dry run ends as the run would, sends nothing to the cluster, and leaves nothing behind; and a twin
//! is like the cluster that was surveyed.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;
use elysia_runbook::sandbox::{Sandbox, Scenario, ShardStatus};
use elysia_runbook::survey::{Saved, Survey};
use elysia_runbook::weaviate::{Access, Cluster};
use expectrl::{Eof, Expect, Session};
use serde_json::{Value, json};
use support::{Ended, Stage, run};
use tempfile::TempDir;

/// Every shipped runbook, with the parameters that it can't do without.
const RUNBOOKS: [(&str, &[&str]); 11] = [
    ("backup-nodes", &[]),
    ("cluster-health", &[]),
    ("config-replication", &[]),
    ("diagnose-raft", &[]),
    ("diagnose-shards", &[]),
    ("force-schema-replication", &["--set", "class=ELYSIA_CONFIG__"]),
    ("recreate-with-data", &["--set", "class=ELYSIA_CONFIG__"]),
    ("replication-lag", &["--set", "writes=2"]),
    ("restore-class", &["--set", "class=ELYSIA_CONFIG__", "--set", "from=node1"]),
    ("resync-replicas", &["--set", "class=ELYSIA_CONFIG__"]),
    ("scale-replicas", &[]),
];

/// Where runbooks are tried that only read.
const SOME: [Scenario; 3] =
    [Scenario::MissingOnNodes, Scenario::LeaderLacksClass, Scenario::NodeDown];

fn only_reads(runbook: &str) -> bool {
    runbook.starts_with("diagnose") || matches!(runbook, "backup-nodes" | "cluster-health")
}

fn survey(stage: &Stage) -> Saved {
    let ended = stage.command(&["survey"]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Saved::parse(&String::from_utf8(ended.stdout).unwrap()).unwrap()
}

/// Surveys a twin as a cluster of its own.
fn survey_of_twin(saved: &Saved) -> Saved {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (twin, _) = Sandbox::like(saved, None).await.unwrap();
        let nodes = twin.nodes().into_iter();
        let nodes = nodes.map(|(name, url)| (name, reqwest::Url::parse(&url).unwrap())).collect();
        let cluster = Cluster::new(nodes, &Access::default()).unwrap();
        let survey = Survey::take(&cluster, &BTreeSet::new()).await;
        Saved::closely(&cluster, &survey).await
    })
}

/// Returns a survey without what is each process's own.
fn comparable(saved: &Saved) -> Value {
    let mut value = serde_json::to_value(saved).unwrap();
    value["taken"] = Value::Null;
    for node in value["nodes"].as_array_mut().unwrap() {
        node["url"] = Value::Null;
        // Why it does not answer: once more, with the other address.
        node["unknown"] = json!(node["unknown"].is_string());
    }
    value
}

#[test]
fn a_twin_is_like_the_cluster() {
    for scenario in Scenario::value_variants() {
        let stage = Stage::new(*scenario).patient();
        let saved = survey(&stage);
        let twins = survey_of_twin(&saved);
        let (there, here) = (comparable(&saved), comparable(&twins));
        let text = |value: &Value| format!("{value:#}\n");
        let (there, here) = (text(&there), text(&here));
        let differ = similar::TextDiff::from_lines(&there, &here);
        assert!(there == here, "{scenario}:\n{}", differ.unified_diff());
        assert_eq!(stage.changes(), [""; 0]);
    }
}

/// Returns how a run ended, without what differs between two.
fn end(ended: &Ended) -> (Option<i32>, String) {
    let last = ended.stdout.lines().find(|line| {
        let words = ["SUCCESS", "PARTIAL", "FINDINGS", "UNKNOWN", "FAILED", "REFUSED", "ROLL"];
        let line = line.strip_prefix("DRY RUN: it would end with ").unwrap_or(line);
        words.iter().any(|word| line.starts_with(word))
    });
    let last = last.unwrap_or_else(|| panic!("{}", ended.transcript()));
    let last = last.strip_prefix("DRY RUN: it would end with ").unwrap_or(last);
    // The ids of the twin's objects are its own.
    let is_id = |word: &&str| word.matches('-').count() != 4;
    (ended.code, last.split(' ').filter(is_id).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_dry_run_ends_as_the_run_does_and_sends_nothing() {
    let mut cases = vec![];
    for scenario in Scenario::value_variants().iter().filter(|it| **it != Scenario::ManyClasses) {
        for (runbook, parameters) in RUNBOOKS {
            // One shard in three takes no writes: that is a throw of the dice.
            let random =
                (*scenario, runbook) == (Scenario::ReadOnlyShard, "force-schema-replication");
            if !random && (!only_reads(runbook) || SOME.contains(scenario)) {
                cases.push((*scenario, runbook, parameters));
            }
        }
    }
    // They wait more than they work.
    let next = AtomicUsize::new(0);
    let codes = Mutex::new(BTreeMap::<Option<i32>, usize>::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((scenario, runbook, parameters)) =
                    cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let code = compare(*scenario, runbook, parameters);
                    *codes.lock().unwrap().entry(code).or_default() += 1;
                }
            });
        }
    });
    let codes = codes.into_inner().unwrap();
    // Else nothing was compared.
    for code in [0, 1, 4, 5] {
        assert!(codes.contains_key(&Some(code)), "{codes:?}");
    }
}

fn compare(scenario: Scenario, runbook: &str, parameters: &[&str]) -> Option<i32> {
    let stage = Stage::new(scenario);
    let words = |more: &'static str| [&["run", runbook], parameters, &[more]].concat();
    let dry = stage.run(&words("--dry-run"));
    assert_eq!(stage.changes(), [""; 0], "{scenario} {runbook}");
    let left: Vec<_> = fs::read_dir(stage.home.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{scenario} {runbook} left {left:?}");
    let real = stage.run(&words("--yes"));
    let same = if scenario == Scenario::ReplicasDiffer {
        // One of the objects differs, in what is in it: that no twin knows.
        dry.code == real.code
    } else {
        end(&dry) == end(&real)
    };
    assert!(same, "{scenario} {runbook}\n{}\n{}", dry.transcript(), real.transcript());
    dry.code
}

#[test]
fn what_would_be_sent_and_changed_is_told() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    stage.run(&["run", "config-replication", "--dry-run"]).golden("dry_run/repair.txt");
    let stage = Stage::new(Scenario::WithData);
    let class = ["--set", "class=ELYSIA_CONFIG__"];
    stage
        .run(&["run", "recreate-with-data", "--dry-run", class[0], class[1]])
        .golden("dry_run/recreate.txt");
    let stage = Stage::new(Scenario::NodeDown);
    stage.run(&["run", "config-replication", "--dry-run"]).golden("dry_run/node-down.txt");
}

#[test]
fn a_backup_is_read_and_none_is_written() {
    let stage = Stage::new(Scenario::WithData);
    stage.run(&["run", "backup-nodes"]).exits(0);
    let count = || fs::read_dir(stage.home.path().join("weaviate-backup")).unwrap().count();
    assert_eq!(count(), 3);
    let words = ["run", "restore-class", "--dry-run", "--set", "class=ELYSIA_CONFIG__"];
    let more = ["--set", "from=node1", "--set", "into=Restored"];
    stage.run(&[&words[..], &more].concat()).exits(0).says("imported").says(
        "Restored would be there: on node1, node2, node3, 1 replica of each shard, 300 objects",
    );
    // There is one already: told as it would be.
    stage.run(&["run", "backup-nodes", "--dry-run"]).exits(0);
    assert_eq!(count(), 3);
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn a_repair_that_goes_wrong_is_rehearsed() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let fault = "POST:/v1/schema:2=500 disk full";
    let words = ["run", "config-replication", "--dry-run", "--fault", fault];
    stage.run(&words).golden("dry_run/fault.txt");
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn programs_are_told_that_it_is_one() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let ended = stage.run(&["run", "config-replication", "--dry-run", "--output", "ndjson"]);
    let events: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().find(|event| event["event"] == kind).unwrap();
    assert_eq!(of("run_started")["dry_run"], true);
    assert_eq!(of("run_finished")["dry_run"], true);
    let forecast = of("dry_run");
    assert_eq!(forecast["requests"][0]["method"], "POST");
    assert_eq!(forecast["classes"][0]["class"], "ELYSIA_CONFIG__");
    assert_eq!(forecast["classes"][0]["before"]["nodes"], json!(["node1"]));
    assert_eq!(forecast["classes"][0]["after"]["nodes"], json!(["node1", "node2", "node3"]));
    let real = stage.run(&["run", "config-replication", "--yes", "--output", "ndjson"]).exits(0);
    assert!(!real.stdout.contains("dry_run"), "{}", real.stdout);
}

#[test]
fn a_broken_cluster_is_reproduced_from_a_file() {
    let stage = Stage::new(Scenario::LeaderLacksClass);
    let file = stage.home.path().join("broken.json");
    fs::write(&file, survey(&stage).text()).unwrap();
    let home = TempDir::new().unwrap();
    let mut sandbox = support::program(home.path())
        .args(["sandbox", "--like"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(sandbox.stdout.take().unwrap()).lines();
    let nodes: Vec<String> =
        lines.by_ref().take(3).map(|line| line.unwrap().replacen(' ', "=", 1)).collect();
    let mut words = vec!["run", "diagnose-raft"];
    for node in &nodes {
        words.extend(["--node", node]);
    }
    let there = stage.run(&["run", "diagnose-raft"]);
    let here = run(home.path(), &words);
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert_eq!((here.code, end(&here)), (Some(4), end(&there)), "{}", here.transcript());
}

#[test]
fn a_survey_of_a_run_can_be_used_too() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    stage.repair(&[]).exits(0);
    let text = fs::read_to_string(stage.run_folder().join("survey-before.json")).unwrap();
    let twin = survey_of_twin(&Saved::parse(&text).unwrap());
    let has: Vec<bool> = twin
        .nodes
        .iter()
        .map(|node| {
            let own = node.own_schema(twin.leader_schema.as_ref()).unwrap();
            own.contains_key("ELYSIA_CONFIG__")
        })
        .collect();
    assert_eq!(has, [true, false, false]);
}

#[test]
fn what_can_not_be_used_is_told() {
    let stage = Stage::new(Scenario::Healthy);
    let fault = "GET:/v1/schema=refuse";
    stage
        .run(&["run", "cluster-health", "--fault", fault])
        .exits(2)
        .says("`--fault` is for a dry run or the sandbox");
    stage
        .run(&["run", "cluster-health", "--dry-run", "--fault", "nonsense"])
        .exits(2)
        .says("`--fault nonsense` can't be understood");
    stage.run(&["run", "cluster-health", "--dry-run", "--step"]).exits(2).says("--step");
    let home = TempDir::new().unwrap();
    for (text, why) in [
        (None, "No such file"),
        (Some("{}"), "it is not what `elysia-runbook survey` prints"),
        (Some("no"), "it is not JSON"),
        (Some("{\"survey\":9}"), "it has version 9"),
        (Some("{\"survey\":1,\"taken\":\"\",\"nodes\":[]}"), "the survey knows no node"),
    ] {
        let file = home.path().join("survey.json");
        let _ = fs::remove_file(&file);
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let ended = run(home.path(), &["sandbox", "--like", "survey.json"]);
        assert!(matches!(ended.code, Some(1 | 2)), "{}", ended.transcript());
        ended.says(why);
    }
    let dead = ["--node", "http://127.0.0.1:1"];
    run(home.path(), &["survey", dead[0], dead[1]]).exits(1).says("no node can be used");
    run(home.path(), &["run", "cluster-health", "--dry-run", dead[0], dead[1]])
        .exits(1)
        .says("no node can be used");
}

#[test]
fn the_difference_is_coloured_on_a_terminal() {
    let home = TempDir::new().unwrap();
    let words = ["run", "config-replication", "--dry-run", "--sandbox=factor-one"];
    let mut command = support::program(home.path());
    command.args(words).stdin(Stdio::inherit());
    let mut session = Session::spawn(command).unwrap();
    let said = String::from_utf8(session.expect(Eof).unwrap().as_bytes().to_vec()).unwrap();
    assert!(said.contains("\u{1b}[31;1m-    \"factor\": 1\u{1b}[0m"), "{said:?}");
    assert!(said.contains("\u{1b}[32m+    \"factor\": 3\u{1b}[0m"), "{said:?}");
    assert!(!run(home.path(), &words).exits(0).stdout.contains('\u{1b}'));
}

/// Where no server tells the plan, nobody knows where a tenant that sleeps has its replicas: it has some.
#[test]
fn a_tenant_that_sleeps_somewhere_is_taken_to_hold_something() {
    let stage = Stage::new(Scenario::Tenants);
    stage.sandbox.set_replica_movement(false);
    let words = ["run", "recreate-with-data", "--set", "class=Customers", "--set", "factor=2"];
    let dry = stage.run(&[&words[..], &["--dry-run"]].concat()).exits(0);
    let dry = dry
        .says("how many objects 1 tenant of Customers may hold is not known: one each, here")
        .says("16 objects of Customers compared on every replica");
    let real = stage.run(&[&words[..], &["--yes"]].concat()).exits(0);
    assert_eq!(end(&dry), end(&real));
    stage.run(&["run", "diagnose-shards", "--set", "class=Customers"]).exits(0);
}

/// A fault that no request was like has shown nothing.
#[test]
fn a_fault_that_strikes_nothing_is_told() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let words = ["run", "config-replication", "--dry-run", "--fault"];
    let spec = "POST:/v1/shema:2=500 disk full";
    let told = format!("the fault `{spec}` struck nothing");
    stage.run(&[&words[..], &[spec]].concat()).exits(0).says(&told);
    let words = ["run", "config-replication", "--sandbox", "--fault", spec];
    stage.run_bare(&words).exits(0).says(&told);
}

/// What a run left half-way is told before the next is tried.
#[test]
fn a_run_that_did_not_end_is_told() {
    let stage = Stage::new(Scenario::FactorOne);
    stage.repair(&[]).exits(0);
    let journal = stage.run_folder().join("journal.ndjson");
    let text = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = text.lines().take_while(|it| !it.contains("run_finished")).collect();
    fs::write(&journal, kept.join("\n") + "\n").unwrap();
    let ended = stage.run(&["run", "config-replication", "--dry-run"]);
    ended.says("did not end");
}

/// What could not be counted, and that nodes report as none as it is not on their disks yet, is not none.
#[test]
fn what_nobody_could_count_is_not_forecast_to_be_deleted() {
    let stage = Stage::new(Scenario::FactorOne);
    stage.post("/v1/objects", &json!({ "class": "ELYSIA_CONFIG__", "properties": {} }));
    let stage = stage.fault("POST:/v1/graphql=500 no");
    let words = ["run", "config-replication", "--dry-run"];
    let ended = stage.run(&words).exits(5).says("holds").says("It would send no changing request");
    ended.says("how many objects");
}

/// The commands of a repair that only would have failed are for no cluster.
#[test]
fn commands_of_a_rehearsal_are_told_not_to_be_run() {
    let stage = Stage::new(Scenario::FactorOne);
    let words = ["run", "config-replication", "--dry-run", "--set", "prove=false"];
    let faults = ["--fault", "POST:/v1/schema=500 disk full"];
    let ended = stage.run(&[&words[..], &faults].concat()).exits(7);
    ended.says("Nothing was changed, so run none of this now.").says("curl -X POST");
    assert_eq!(stage.changes(), [""; 0]);
}

/// Named by addresses alone, in any order: what a node has tells which it is.
#[test]
fn nodes_without_names_are_taken_for_those_that_they_fit() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let mut words = vec!["survey".to_owned()];
    for (_, url) in stage.sandbox.nodes().into_iter().rev() {
        words.extend(["--node".to_owned(), url]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = stage.run_bare(&words).exits(0);
    let saved: Value = serde_json::from_str(&ended.stdout).unwrap();
    let taken: Vec<_> = (0..3).map(|at| saved["nodes"][at]["taken_for"].clone()).collect();
    assert_eq!(taken, ["node2", "node3", "node1"]);
    // The class is on the node that was named last, and so it is in the twin.
    let twin = survey_of_twin(&Saved::parse(&ended.stdout).unwrap());
    let has = |node: &str| {
        let node = twin.nodes.iter().find(|it| it.node == node).unwrap();
        node.own_schema(twin.leader_schema.as_ref()).unwrap().contains_key("ELYSIA_CONFIG__")
    };
    assert_eq!(["node1", "node2", "node3"].map(has), [true, false, false]);
}

/// A replica that no plan has can't be in the twin, and that is told.
#[test]
fn replicas_in_no_plan_are_told() {
    let mut saved = survey(&Stage::new(Scenario::Healthy));
    let view = saved.nodes[0].view.as_mut().unwrap();
    let status = view.nodes.iter_mut().find(|it| it.name == "node1").unwrap();
    let mut ghost = status.shards[0].clone();
    ghost.name = "ghost".into();
    status.shards.push(ghost);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_, doubts) = runtime.block_on(Sandbox::like(&saved, None)).unwrap();
    let told =
        "nodes hold replicas of 1 shard of ELYSIA_CONFIG__ that the plan lacks, such as ghost";
    assert!(doubts.iter().any(|doubt| doubt.starts_with(told)), "{doubts:?}");
}

/// A replica that takes no writes can't be copied: the server wants to flush it first.
#[test]
fn a_copy_of_a_replica_that_takes_no_writes_is_forecast_to_fail() {
    let stage = Stage::new(Scenario::FactorOne);
    for node in ["node1", "node2", "node3"] {
        stage.sandbox.set_shards(node, "ELYSIA_CONFIG__", ShardStatus::ReadOnly, 0);
    }
    let ended = stage.run(&["run", "scale-replicas", "--dry-run"]).exits(1);
    ended.says("store is read-only").says("DRY RUN: it would end with FAILED");
}
