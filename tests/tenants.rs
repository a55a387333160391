//! Tenants that are not active: activated for a repair, and put back, in the sandbox.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use elysia_runbook::sandbox::{Placement, Scenario};
use serde_json::{Value, json};
use support::Stage;

const RECREATE: [&str; 5] = ["run", "recreate-with-data", "--yes", "--set", "class=Customers"];

/// A class with tenants of which two are not active, with objects in one of these.
fn stage() -> Stage {
    let stage = Stage::new(Scenario::Tenants);
    stage.put("/v1/schema/Customers/tenants", &json!([{"name": "acme", "activityStatus": "COLD"}]));
    stage
}

/// Every object of a node: those of tenants that are not active are on its disk all the same.
fn objects(stage: &Stage, node: &str) -> BTreeMap<String, Value> {
    let objects = stage.sandbox.objects(node, "Customers").into_iter();
    objects.map(|it| (it["id"].as_str().unwrap().into(), it["properties"].clone())).collect()
}

fn states(stage: &Stage) -> Vec<(String, bool)> {
    stage.sandbox.tenants("node2", "Customers").into_iter().collect()
}

/// Runs it, and sees that tenants and objects are as they were.
fn expect_as_before(stage: &Stage, words: &[&str], code: i32) -> support::Ended {
    let (objects_before, states_before) = (objects(stage, "node1"), states(stage));
    assert_eq!(objects_before.len(), 15);
    let ended = stage.run(words).exits(code);
    assert_eq!(states(stage), states_before, "{}", ended.transcript());
    for node in ["node1", "node2", "node3"] {
        assert_eq!(objects(stage, node), objects_before, "{node}\n{}", ended.transcript());
    }
    ended
}

#[test]
fn a_class_is_recreated_with_what_its_inactive_tenants_hold() {
    let ended = expect_as_before(&stage(), &RECREATE, 0);
    ended.says("activated 2 tenants of class Customers").says("deactivated 2 tenants");
}

#[test]
fn replicas_of_inactive_tenants_are_taken_away_and_copied() {
    let stage = stage();
    stage.sandbox.set_replica_movement(true);
    let words = ["run", "scale-replicas", "--yes", "--set", "class=Customers", "--set"];
    let before = states(&stage);
    for factor in ["factor=1", "factor=3"] {
        stage.run(&[&words[..], &[factor]].concat()).exits(0);
        assert_eq!(states(&stage), before);
    }
    stage.put("/v1/schema/Customers/tenants", &json!([{"name": "acme", "activityStatus": "HOT"}]));
    assert_eq!(objects(&stage, "node3").len(), 15);
}

/// Whatever fails, they are put back after everything else: an inactive tenant takes no objects.
#[test]
fn they_are_put_back_where_a_step_fails() {
    for fault in [
        "PUT:/v1/schema/Customers/tenants:2=422 no",
        "POST:/v1/schema:1=422 no",
        "POST:/v1/schema:2=422 no",
        "POST:/v1/schema/Customers/tenants:1=422 no",
    ] {
        let stage = stage().fault(fault);
        let (objects_before, states_before) = (objects(&stage, "node1"), states(&stage));
        let ended = stage.run(&RECREATE);
        assert!(matches!(ended.code, Some(1 | 6)), "{fault}\n{}", ended.transcript());
        assert_eq!(states(&stage), states_before, "{fault}\n{}", ended.transcript());
        assert_eq!(objects(&stage, "node3"), objects_before, "{fault}\n{}", ended.transcript());
    }
}

/// The request that puts them back is refused: the operator is told how to do it.
#[test]
fn where_they_can_not_be_put_back_the_command_is_printed() {
    let stage = (2..6).fold(stage(), |stage, nth| {
        stage.fault(&format!("PUT:/v1/schema/Customers/tenants:{nth}=422 no"))
    });
    let ended = stage.run(&RECREATE).exits(7);
    ended
        .says("2 tenants of Customers that this run activated may still be active")
        .says("curl -X PUT")
        .says("backups/Customers.inactive.json");
}

/// A server takes a hundred in one request: the commands are such that it takes each.
#[test]
fn of_many_each_command_is_one_that_a_server_takes() {
    let stage = Stage::new(Scenario::Healthy);
    stage.post("/v1/schema", &json!({"class": "Many", "multiTenancyConfig": {"enabled": true}}));
    let tenant = |n: usize| json!({"name": format!("t{n}"), "activityStatus": "COLD"});
    stage.post("/v1/schema/Many/tenants", &(0..150).map(tenant).collect());
    let runbook = stage.home.path().join("forgets.rhai");
    std::fs::write(&runbook, r#"step "Wake" { activate_tenants("Many"); }"#).unwrap();
    let ended = stage.run(&["run", runbook.to_str().unwrap(), "--yes"]).exits(0);
    let ended = ended.says("150 tenants of Many that this run activated may still be active");
    let active = || stage.sandbox.tenants("node1", "Many").values().filter(|it| **it).count();
    assert_eq!(active(), 150);
    let commands = ended.stdout.lines().filter(|line| line.starts_with("curl -X PUT"));
    let files: Vec<&str> = commands.map(|line| line.rsplit_once('@').unwrap().1).collect();
    assert_eq!(files.len(), 2, "{}", ended.transcript());
    for file in files {
        // As the command does it.
        let folder = stage.run_folder().join("backups");
        let text = std::fs::read(folder.join(file.rsplit_once('/').unwrap().1)).unwrap();
        let body: Value = serde_json::from_slice(&text).unwrap();
        stage.put("/v1/schema/Many/tenants", &body);
    }
    assert_eq!(active(), 0);
}

/// A class can have thousands: not each is told, but where one is short of replicas.
#[test]
fn of_many_those_are_told_that_are_short_of_replicas() {
    let stage = Stage::new(Scenario::Healthy);
    let class = json!({
        "class": "Many", "multiTenancyConfig": {"enabled": true}, "replicationConfig": {"factor": 1}
    });
    stage.post("/v1/schema", &class);
    for from in [0, 100] {
        let tenants = (from..from + 100).map(|n| json!({"name": format!("t{n}")}));
        stage.post("/v1/schema/Many/tenants", &tenants.collect());
    }
    let words = ["run", "config-replication", "--yes", "--set", "class=Many", "--set"];
    let ended = stage.run(&[&words[..], &["factor=3"]].concat()).exits(0);
    ended.says("  ✓ each of 200 shards has 3 replicas\nSUCCESS: Many is replicated on 3/3 nodes\n");
    let tenants = stage.sandbox.tenants("node1", "Many").into_keys();
    let place = |(nth, name): (usize, String)| {
        let replicas = if nth < 30 { vec!["node1"] } else { vec!["node1", "node2", "node3"] };
        let replicas = replicas.into_iter().map(Into::into).collect();
        (name, Placement { replicas, active: true })
    };
    let shards = tenants.enumerate().map(place).collect();
    let definition = stage.sandbox.class("node1", "Many").unwrap();
    let stage = Stage::new(Scenario::Healthy);
    stage.sandbox.place(None, &definition, &shards).unwrap();
    let runbook = stage.home.path().join("look.rhai");
    let text = r#"
        import "lib/replication" as replication;
        step "Look" { replication::expect_everywhere("Many", 3); }
    "#;
    std::fs::write(&runbook, text).unwrap();
    let ended = stage.run(&["run", runbook.to_str().unwrap()]).exits(4);
    assert_eq!(ended.stdout.matches("has 1/3 replicas").count(), 20, "{}", ended.transcript());
    ended
        .says("✗ each of 200 shards has 3 replicas: 30 have fewer")
        .says("PARTIAL: Many is on 1/3 nodes");
}

/// What is put back before its class is there again comes back with the class, and is put back then.
#[test]
fn put_back_too_early_is_put_back_in_the_end() {
    let stage = stage();
    let (objects_before, states_before) = (objects(&stage, "node1"), states(&stage));
    let runbook = stage.home.path().join("early.rhai");
    let text = r#"
        let schema = step "Read" { activate_tenants("Customers"); get_schema("Customers") };
        step "Export" { export_class("Customers", "e"); }
        step "Delete" { delete_class("Customers"); }
        step "Create" { create_class(schema); put_tenants_back("Customers"); }
        step "Fail" { abort("on purpose"); }
    "#;
    std::fs::write(&runbook, text).unwrap();
    let ended = stage.run(&["run", runbook.to_str().unwrap(), "--yes"]).exits(6);
    assert_eq!(states(&stage), states_before, "{}", ended.transcript());
    assert_eq!(objects(&stage, "node2"), objects_before, "{}", ended.transcript());
}

/// A rollback that dies with its last request sent, or with that and its answer: the next finds tenants
/// in which nobody can see an object any more.
#[test]
fn a_rollback_that_died_at_its_last_change_is_done_when_it_is_undone_again() {
    for answered in [false, true] {
        // The class is gone when it fails: its objects come back by the rollback.
        let stage = stage().fault("POST:/v1/schema:2=422 no");
        let (objects_before, states_before) = (objects(&stage, "node1"), states(&stage));
        stage.run(&RECREATE).exits(6);
        let journal = stage.run_folder().join("journal.ndjson");
        let text = std::fs::read_to_string(&journal).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().rposition(|line| line.contains("deactivate_tenants")).unwrap();
        let kept = lines[..=last + usize::from(answered)].join("\n") + "\n";
        std::fs::write(&journal, kept).unwrap();
        let again = stage.run(&["rollback", "--yes"]).exits(0);
        assert_eq!(states(&stage), states_before, "{}", again.transcript());
        assert_eq!(objects(&stage, "node3"), objects_before, "{}", again.transcript());
    }
}

#[test]
fn a_runbook_that_forgets_them_is_told_so() {
    let stage = stage();
    let runbook = stage.home.path().join("forgets.rhai");
    std::fs::write(&runbook, r#"step "Wake" { activate_tenants("Customers"); }"#).unwrap();
    let ended = stage.run(&["run", runbook.to_str().unwrap(), "--yes"]).exits(0);
    ended
        .says("2 tenants of Customers that this run activated may still be active")
        .says("curl -X PUT");
    let before = vec![("acme".into(), false), ("globex".into(), true), ("old".into(), false)];
    assert_ne!(states(&stage), before);
    stage.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(states(&stage), before);
}
