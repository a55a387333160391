//! Test records, and the two runbooks that write some: whatever goes wrong, no record and no probe
//! class is left, or the run says what is.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::process::{Child, Command};
use std::time::Duration;

use elysia_runbook::sandbox::{Placement, Scenario};
use serde_json::json;
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";
const PROBE: &str = "ElysiaRunbookLagProbe";
const NODES: [&str; 3] = ["node1", "node2", "node3"];

fn lag(stage: &Stage, arguments: &[&str]) -> Ended {
    let mut all = vec!["run", "replication-lag", "--yes"];
    if !arguments.contains(&"writes=1") {
        all.extend(["--set", "writes=3"]);
    }
    all.extend(arguments);
    stage.run(&all)
}

fn force(stage: &Stage, arguments: &[&str]) -> Ended {
    let mut all = vec!["run", "force-schema-replication", "--yes"];
    all.extend(arguments);
    stage.run(&all)
}

/// Runs a script of the test's own.
fn script(stage: &Stage, text: &str) -> Ended {
    std::fs::write(stage.home.path().join("own.rhai"), text).unwrap();
    stage.run(&["run", "own", "--yes"])
}

/// How many copies of objects of a class are on all nodes together.
fn copies(stage: &Stage, class: &str) -> usize {
    NODES.iter().map(|node| stage.sandbox.objects(node, class).len()).sum()
}

#[track_caller]
fn nothing_is_left(stage: &Stage, why: &str) {
    assert_eq!(stage.factors(PROBE), [None; 3], "{why}");
    assert_eq!(copies(stage, CLASS), 0, "{why}");
}

/// Runs the commands that a run printed.
fn obey(stdout: &str) {
    let commands: Vec<_> = stdout.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(!commands.is_empty(), "{stdout}");
    for command in commands {
        let done = Command::new("sh").args(["-c", &format!("{command} -f")]).output().unwrap();
        assert!(done.status.success(), "{command}: {done:?}");
    }
}

fn raw(stage: &Stage, arguments: &[&str]) -> (Ended, String) {
    let output = stage.start(arguments).wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    (stage.ended(output), stdout)
}

#[test]
fn the_lag_of_every_node_is_measured_and_the_probe_is_gone() {
    let stage = Stage::new(Scenario::Healthy);
    let mut ended = lag(&stage, &[]).exits(0);
    for node in NODES {
        ended = ended
            .says(&format!("✓ {node} got every object"))
            .says(&format!("{node}: median "))
            .says(" ms, maximum ");
    }
    nothing_is_left(&stage, "success");
    let changes = stage.changes();
    assert_eq!(changes.len(), 8, "{changes:?}");
    assert_eq!(changes[1], "POST /v1/objects?consistency_level=ONE");
    assert!(changes[2].starts_with("DELETE /v1/objects/ElysiaRunbookLagProbe/"));
    assert!(changes[2].ends_with("?consistency_level=ALL"));
    let read = stage.sandbox.requests();
    let unnamed = read.iter().find(|request| {
        let path = &request.path_and_query;
        request.method == "GET" && path.starts_with("/v1/objects/") && !path.contains("node_name=")
    });
    assert!(unnamed.is_none(), "a reading that may repair replicas: {unnamed:?}");
}

#[test]
fn the_lag_with_fewer_replicas_than_nodes() {
    let stage = Stage::new(Scenario::Healthy);
    let said = lag(&stage, &["--set", "factor=2"]).exits(0).transcript();
    assert_eq!(said.matches("got every object").count(), 2, "{said}");
    let said = lag(&stage, &["--set", "factor=1"]).exits(0).transcript();
    assert_eq!(said.matches("got every object").count(), 1, "{said}");
    lag(&stage, &["--set", "factor=4"]).exits(5).says("--set factor=N takes 1 to 3 here");
    stage
        .run(&["run", "replication-lag", "--set", "writes=0"])
        .exits(5)
        .says("--set writes=N takes 1 to 1000");
    nothing_is_left(&stage, "factors");
}

#[test]
fn an_object_that_does_not_arrive_is_a_finding() {
    // The replica of node3 never shows what it has.
    let stage = Stage::new(Scenario::Healthy).fault("GET:/v1/objects/*?*node3*=404");
    lag(&stage, &["--set", "writes=1"])
        .exits(4)
        .says("✗ node3 got every object: 0 of 1 in time")
        .says("✓ node2 got every object");
    nothing_is_left(&stage, "late");
}

#[test]
fn a_probe_class_that_is_there_is_not_touched() {
    let stage = Stage::new(Scenario::Healthy);
    stage.post("/v1/schema", &json!({"class": PROBE, "replicationConfig": {"factor": 3}}));
    let before = stage.changes().len();
    let (ended, _) = raw(&stage, &["run", "replication-lag", "--yes"]);
    let ended =
        ended.exits(5).says("it was left by one that was killed; remove it: curl -X DELETE");
    assert_eq!(stage.changes().len(), before);
    let url = &stage.sandbox.nodes()[0].1;
    let command = ended.stderr.split("remove it: ").nth(1).unwrap();
    let command = command.lines().next().unwrap().replace("http://node1", url);
    obey(&command);
    lag(&stage, &[]).exits(0);
    nothing_is_left(&stage, "removed by hand");
}

#[test]
fn whatever_goes_wrong_while_measuring_nothing_is_left() {
    for (fault, code) in [
        ("DELETE:/v1/objects/*:1=500 boom", 6),
        ("DELETE:/v1/objects/*:2=422 no", 6),
        ("DELETE:/v1/objects/*:1=refuse", 6),
        ("DELETE:/v1/objects/*:1=cut-after", 0),
        ("DELETE:/v1/objects/*:1=done 500 timeout", 0),
        ("POST:/v1/objects:1=500 no", 6),
        ("POST:/v1/objects:2=422 no", 6),
        ("POST:/v1/objects:1=refuse", 6),
        ("POST:/v1/objects:1=cut-after", 6),
        ("POST:/v1/objects:2=done 500 timeout", 6),
        ("POST:/v1/schema:1=cut-after", 0),
        ("POST:/v1/schema:1=422 no", 1),
        ("DELETE:/v1/schema/*:1=500 no", 6),
        // Which replicas have a record can't be read, but the class is proven to be empty.
        ("GET:/v1/objects/*?*node3*=500 boom", 6),
    ] {
        let stage = Stage::new(Scenario::Healthy).fault(fault);
        lag(&stage, &[]).exits(code);
        nothing_is_left(&stage, fault);
    }
}

#[test]
fn a_probe_that_cannot_be_removed_is_named_with_its_command() {
    let mut stage = Stage::new(Scenario::Healthy);
    // The deletion, the restoration's at each of three nodes.
    for nth in 1..=4 {
        stage = stage.fault(&format!("DELETE:/v1/objects/*:{nth}=500 no"));
    }
    let (ended, stdout) = raw(&stage, &["run", "replication-lag", "--yes"]);
    ended
        .exits(7)
        .says("ElysiaRunbookLagProbe, which this run created, is still there")
        .says("deleting it loses them");
    obey(&stdout);
    nothing_is_left(&stage, "commands");
}

#[test]
fn a_node_that_dies_or_hangs_while_measuring() {
    for fault in ["POST:/v1/objects:2=stop node3", "POST:/v1/objects:2=hang node3"] {
        let stage = Stage::new(Scenario::Healthy).fault(fault);
        let (ended, stdout) = raw(&stage, &["run", "replication-lag", "--yes"]);
        let ended = ended.says("node3");
        stage.sandbox.start_node("node3");
        if ended.code == Some(7) {
            obey(&stdout);
        } else {
            ended.exits(6);
        }
        nothing_is_left(&stage, fault);
    }
}

#[test]
fn a_record_does_not_make_a_schema_appear() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let said = force(&stage, &[]).exits(4);
    said.says("ELYSIA_CONFIG__ was on 1/3 nodes before and is on 1/3 now: nothing changed")
        .says("run config-replication.rhai --set class=ELYSIA_CONFIG__")
        .says("PARTIAL: ELYSIA_CONFIG__ is on 1/3 nodes");
    nothing_is_left(&stage, "1/3");
    assert_eq!(stage.factors(CLASS), [Some(3), None, None]);

    let definition = stage.sandbox.class("node1", CLASS).unwrap();
    let all = || NODES.map(String::from).to_vec();
    let shards = stage.sandbox.replicas(CLASS).into_keys();
    let shards = shards.map(|shard| (shard, Placement { replicas: all(), active: true })).collect();
    stage.sandbox.place(Some("node2"), &definition, &shards).unwrap();
    force(&stage, &[]).exits(4).says("was on 2/3 nodes before and is on 2/3 now: nothing changed");
    nothing_is_left(&stage, "2/3");
}

#[test]
fn a_class_that_is_everywhere_stays_so() {
    for scenario in [Scenario::Healthy, Scenario::FactorOne] {
        let stage = Stage::new(scenario);
        force(&stage, &[])
            .exits(0)
            .says("was on 3/3 nodes before and is on 3/3 now: nothing changed")
            .says("✓ node3 does not have the record");
        nothing_is_left(&stage, "healthy");
        assert_eq!(stage.changes().len(), 2);
        let definition = stage.sandbox.class("node1", CLASS).unwrap();
        assert_eq!(definition["properties"].as_array().unwrap().len(), 2, "auto-schema added one");
    }
}

#[test]
fn whatever_goes_wrong_with_a_record_it_is_not_left() {
    for (fault, code) in [
        ("DELETE:/v1/objects/*:1=500 boom", 6),
        ("DELETE:/v1/objects/*:1=refuse", 6),
        ("DELETE:/v1/objects/*:1=cut-after", 0),
        ("DELETE:/v1/objects/*:1=done 500 timeout", 0),
        ("POST:/v1/objects:1=500 no", 6),
        ("POST:/v1/objects:1=422 no", 1),
        ("POST:/v1/objects:1=cut-after", 0),
        ("POST:/v1/objects:1=done 500 timeout", 0),
        ("POST:/v1/objects:1=hang", 6),
        ("POST:/v1/objects:1=malformed", 6),
    ] {
        let stage = Stage::new(Scenario::Healthy).fault(fault);
        force(&stage, &[]).exits(code);
        nothing_is_left(&stage, fault);
    }
}

#[test]
fn a_replica_that_cannot_be_read_is_told() {
    let stage = Stage::new(Scenario::Healthy).fault("GET:/v1/objects/*?*node3*=500 boom");
    let (ended, stdout) = raw(&stage, &["run", "force-schema-replication", "--yes"]);
    ended
        .exits(7)
        .says("which this run inserted, is still there is not known: node3: answered 500, boom")
        .says("when every node is up again");
    obey(&stdout);
    nothing_is_left(&stage, "unreadable");
}

#[test]
fn what_was_inserted_can_be_kept() {
    let stage = Stage::new(Scenario::Healthy)
        .fault("DELETE:/v1/objects/*:1=500 no")
        .with(&["--on-failure", "keep"]);
    let (ended, stdout) = raw(&stage, &["run", "force-schema-replication", "--yes"]);
    ended.exits(1).says("what was changed was kept").says("is still on node1, node2, node3");
    assert_eq!(copies(&stage, CLASS), 3);
    obey(&stdout);
    nothing_is_left(&stage, "kept");
}

#[test]
fn tenants() {
    let stage = Stage::new(Scenario::Healthy);
    let many = json!({"class": "Many", "multiTenancyConfig": {"enabled": true, "autoTenantCreation": true,
        "autoTenantActivation": true}, "replicationConfig": {"factor": 3}});
    stage.post("/v1/schema", &many);
    let tenants = json!([{"name": "hot"}, {"name": "cold", "activityStatus": "COLD"}]);
    stage.post("/v1/schema/Many/tenants", &tenants);
    let before = stage.sandbox.tenants("node1", "Many");
    let sent = stage.changes().len();
    for (tenant, says) in [
        ("", "`Many` has tenants; name one of them"),
        ("cold", "tenant `cold` of `Many` is COLD"),
        ("nope", "there is no tenant `nope` in `Many`"),
    ] {
        force(&stage, &["--set", "class=Many", "--set", &format!("tenant={tenant}")])
            .exits(1)
            .says(says);
    }
    force(&stage, &["--set", "tenant=hot"]).exits(1).says("`ELYSIA_CONFIG__` has no multi-tenancy");
    assert_eq!(stage.changes().len(), sent);
    force(&stage, &["--set", "class=Many", "--set", "tenant=hot"])
        .exits(0)
        .says("✓ node2 does not have the record");
    assert_eq!(copies(&stage, "Many"), 0);
    assert_eq!(stage.sandbox.tenants("node1", "Many"), before);
}

#[test]
fn nothing_is_made_by_auto_schema() {
    let stage = Stage::new(Scenario::Healthy);
    force(&stage, &["--set", "class=Nope"]).exits(1).says("there is no class `Nope`");
    script(&stage, r#"step "Insert" { insert_object("Nope", #{}); }"#)
        .exits(1)
        .says("there is no class `Nope`");
    script(&stage, r#"step "Insert" { insert_object("ELYSIA_CONFIG__", #{ other: 1 }); }"#)
        .exits(1)
        .says("`ELYSIA_CONFIG__` has no property `other`");
    assert_eq!(stage.changes(), [""; 0]);
    assert_eq!(stage.factors("Nope"), [None; 3]);
    script(&stage, r#"step "Insert" { insert_object("ELYSIA_CONFIG__", #{ config_key: "k" }); }"#)
        .exits(0);
    assert_eq!(copies(&stage, CLASS), 3);
}

#[test]
fn a_split_cluster_is_refused_with_what_helps() {
    for runbook in ["force-schema-replication", "replication-lag"] {
        let stage = Stage::new(Scenario::SplitRaft);
        stage
            .run(&["run", runbook, "--yes", "--accept-degraded"])
            .exits(5)
            .says("there are 3 RAFT leaders")
            .says("back up the schema and the objects of every node")
            .says("RAFT_JOIN and RAFT_BOOTSTRAP_EXPECT");
        assert_eq!(stage.changes(), [""; 0]);
    }
}

#[test]
fn only_what_the_run_inserted_is_deleted() {
    let stage = Stage::new(Scenario::Healthy);
    let id = stage.sandbox.insert(None, &json!({"class": CLASS})).unwrap();
    let delete = format!(r#"step "Delete" {{ delete_object("{CLASS}", "{id}"); }}"#);
    script(&stage, &delete).exits(5).says("was not inserted by this run, so it is not deleted");
    assert_eq!(copies(&stage, CLASS), 3);
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn a_class_that_the_run_created_goes_with_its_objects() {
    let stage = Stage::new(Scenario::Healthy);
    let text = r#"
        step "Create" { create_class(#{ class: "Mine", replicationConfig: #{ factor: 3 } }); }
        step "Insert" { insert_object("Mine", #{}); insert_object("Mine", #{}); }
        step "Fail" { throw "no"; }
    "#;
    script(&stage, text).exits(6).says("the original state was put back and verified");
    assert_eq!(stage.factors("Mine"), [None; 3]);
    let stage = Stage::new(Scenario::Healthy);
    let others = r#"
        step "Create" { create_class(#{ class: "Mine", replicationConfig: #{ factor: 3 } }); }
        step "Insert" { insert_object("Mine", #{}); sleep(2); }
        step "Fail" { throw "no"; }
    "#;
    std::fs::write(stage.home.path().join("own.rhai"), others).unwrap();
    let child = stage.start(&["run", "own", "--yes"]);
    wait_for(&stage, "POST /v1/objects");
    stage.post("/v1/objects", &json!({"class": "Mine"}));
    stage
        .ended(child.wait_with_output().unwrap())
        .exits(7)
        .says("Mine, which this run created, is still there");
    assert_eq!(copies(&stage, "Mine"), 3, "somebody else's object");
}

#[test]
fn a_replica_is_read_and_not_repaired() {
    let stage = Stage::new(Scenario::Healthy);
    let id = stage.sandbox.insert(Some("node1"), &json!({"class": CLASS})).unwrap();
    let read = |node: &str| format!(r#"get_object("{node}", "{CLASS}", "{id}")"#);
    let text = format!(
        r#"step "Read" {{
            check("node1 has it", {}.id == "{id}");
            check("node2 has none", {} == ());
            try {{ {}; }} catch (err) {{ note(err.error); note(err.message); }}
        }}"#,
        read("node1"),
        read("node2"),
        read("node9"),
    );
    script(&stage, &text)
        .exits(0)
        .says("invalid")
        .says("`node9` is no RAFT member; there is node1, node2, node3");
    assert_eq!(copies(&stage, CLASS), 1);

    let stage = Stage::new(Scenario::FactorOne);
    let id = stage.sandbox.insert(None, &json!({"class": CLASS})).unwrap();
    let text = format!(r#"step "Read" {{ get_object("node1", "{CLASS}", "{id}"); }}"#);
    script(&stage, &text).exits(1).says("on which node is not known, as shards have one replica");
}

#[test]
fn a_signal_leaves_nothing() {
    for (runbook, fault, moment) in [
        ("force-schema-replication", "POST:/v1/objects:1=delay 800ms", "POST /v1/objects"),
        ("force-schema-replication", "DELETE:/v1/objects/*:1=delay 800ms", "DELETE /v1/objects"),
        ("replication-lag", "POST:/v1/objects:2=delay 800ms", "POST /v1/objects"),
        ("replication-lag", "GET:/v1/objects/*?*node3*:1=hang", "POST /v1/objects"),
        ("replication-lag", "DELETE:/v1/schema/*:1=delay 800ms", "DELETE /v1/schema"),
    ] {
        let stage = Stage::new(Scenario::Healthy).fault(fault);
        let child = stage.start(&["run", runbook, "--yes"]);
        wait_for(&stage, moment);
        interrupt(&child);
        let ended = stage.ended(child.wait_with_output().unwrap());
        ended.exits(130);
        nothing_is_left(&stage, fault);
    }
    // While a step waits for the schema to appear.
    let stage = Stage::new(Scenario::MissingOnNodes);
    let child = stage.start(&["run", "force-schema-replication", "--yes"]);
    wait_for(&stage, "POST /v1/objects");
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    stage.ended(child.wait_with_output().unwrap()).exits(130).says("rolling back Wait a moment");
    nothing_is_left(&stage, "waiting");
}

fn wait_for(stage: &Stage, change: &str) {
    while !stage.changes().iter().any(|made| made.starts_with(change)) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn interrupt(child: &Child) {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
}
