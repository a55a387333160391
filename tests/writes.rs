//! Writes while a class is proven to be empty and deleted: none that was acknowledged is lost, and
//! whatever goes wrong, they are allowed again.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use elysia_runbook::sandbox::{Scenario, ShardStatus};
use serde_json::json;
use support::Stage;

const CLASS: &str = "ELYSIA_CONFIG__";
const SHARDS: &str = "/v1/schema/ELYSIA_CONFIG__/shards/*";

fn repair(stage: &Stage) -> support::Ended {
    stage.repair(&["--set", "prove=false"])
}

/// Every replica takes writes.
fn are_allowed(stage: &Stage) {
    for (node, _) in stage.sandbox.nodes() {
        let statuses = stage.sandbox.shard_statuses(&node, CLASS);
        assert!(statuses.values().all(|status| *status == ShardStatus::Ready), "{statuses:?}");
    }
}

fn objects(stage: &Stage) -> usize {
    stage.sandbox.objects("node1", CLASS).len()
}

#[test]
fn a_write_in_the_moment_of_the_deletion_is_refused() {
    let stage = Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/ELYSIA_CONFIG__:1=write");
    repair(&stage).exits(0).says("paused writes to class ELYSIA_CONFIG__");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    let writes = stage.sandbox.shard_statuses("node1", CLASS);
    assert_eq!(writes.len(), 3, "{writes:?}");
    are_allowed(&stage);
}

#[test]
fn a_write_just_before_is_seen_and_kept() {
    let stage = Stage::new(Scenario::FactorOne);
    let before = stage.sandbox.class("node1", CLASS);
    let stage = stage.fault(&format!("PUT:{SHARDS}:1=write"));
    repair(&stage).exits(5).says("holds objects, so it is not deleted").says("allowed writes");
    assert_eq!(stage.sandbox.class("node1", CLASS), before);
    assert_eq!(objects(&stage), 1);
    are_allowed(&stage);
}

#[test]
fn writes_are_allowed_again_where_the_class_is_not_deleted() {
    for (fault, code, says) in [
        (format!("PUT:{SHARDS}:1=500 no"), 1, "nothing was changed"),
        (format!("PUT:{SHARDS}:2=500 no"), 1, "nothing was changed"),
        (format!("PUT:{SHARDS}:2=done 500 no"), 0, "SUCCESS"),
        (format!("PUT:{SHARDS}:3=cut-after"), 0, "SUCCESS"),
        ("DELETE:/v1/schema/ELYSIA_CONFIG__:1=422 no".into(), 1, "nothing was changed"),
    ] {
        let stage = Stage::new(Scenario::FactorOne).fault(&fault);
        repair(&stage).exits(code).says(says);
        are_allowed(&stage);
        let factor = if code == 0 { 3 } else { 1 };
        assert_eq!(stage.factors(CLASS), [Some(factor); 3], "{fault}");
    }
}

/// Where that goes wrong, too, the next node is asked, and in the end a person.
#[test]
fn what_can_not_be_allowed_again_is_told() {
    let failing =
        || Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/ELYSIA_CONFIG__:1=422 no");
    let stage = failing().fault(&format!("PUT:{SHARDS}:4=500 no"));
    repair(&stage).exits(1).says("nothing was changed");
    are_allowed(&stage);

    let mut stage = failing();
    for nth in 1..=3 {
        stage = stage.fault(&format!("PUT:{SHARDS}:{nth}=delay 1ms"));
    }
    let stage = stage.fault(&format!("PUT:{SHARDS}=500 no"));
    repair(&stage)
        .exits(7)
        .says("writes to ELYSIA_CONFIG__ are still paused, on shard")
        .says(r#"-d '{"status":"READY"}'"#);
}

/// A server tries some writes again for seconds, and to a class of the name that is new by then.
#[test]
fn a_class_stays_away_until_no_server_writes_to_it() {
    let waits = "waiting 1 s for the end of writes to the deleted ELYSIA_CONFIG__";
    let stage = Stage::new(Scenario::FactorOne);
    let ended = stage.repair(&["--drain", "1"]).exits(0).says(waits);
    // Not for the probe, whose name nobody knows.
    assert_eq!(ended.transcript().matches("waiting").count(), 1);
    // The time that passed counts, and putting it back waits, too.
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    let ended = stage.repair(&["--set", "prove=false", "--drain", "1"]).exits(6).says(waits);
    assert_eq!(ended.transcript().matches("waiting").count(), 1);
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
    // Another process does not know how long ago it was.
    let stage = Stage::new(Scenario::FactorOne);
    stage.repair(&["--set", "prove=false", "--on-failure", "keep"]).exits(0);
    let run = stage.newest_run().unwrap();
    stage.run(&["rollback", &run, "--yes", "--drain", "1"]).exits(0).says(waits);
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn a_class_with_objects_is_refused_before_its_writers_notice() {
    let stage = Stage::new(Scenario::WithData);
    repair(&stage).exits(5);
    assert_eq!(stage.changes(), [""; 0]);
}

/// A tenant that a writer makes meanwhile is in no backup.
#[test]
fn a_tenant_that_appears_meanwhile_is_kept() {
    let stage = Stage::new(Scenario::Healthy);
    let class = json!({"class": "Tenants", "replicationConfig": {"factor": 3}, "multiTenancyConfig": {"enabled": true}});
    stage.post("/v1/schema", &class);
    stage.post("/v1/schema/Tenants/tenants", &json!([{"name": "first"}]));
    let script = stage.home.path().join("delete.rhai");
    let text = r#"step "Delete" { delete_class("Tenants"); } rollback { note("nothing"); }"#;
    std::fs::write(&script, text).unwrap();
    let stage = stage.fault("PUT:/v1/schema/Tenants/shards/first:1=delay 500ms");
    let running = stage.start(&["run", script.to_str().unwrap(), "--yes"]);
    while !stage.sandbox.requests().iter().any(|request| request.method == "PUT") {
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.post("/v1/schema/Tenants/tenants", &json!([{"name": "second"}]));
    let ended = stage.ended(running.wait_with_output().unwrap());
    ended.exits(1).says("the tenants of `Tenants` changed meanwhile").says("nothing was changed");
    for (node, _) in stage.sandbox.nodes() {
        let statuses = stage.sandbox.shard_statuses(&node, "Tenants");
        assert_eq!(statuses.len(), 2, "{statuses:?}");
        assert!(statuses.values().all(|status| *status == ShardStatus::Ready), "{statuses:?}");
    }
}

/// A request of the test while the program waits for an answer to one of its own.
fn while_it_waits(
    stage: &Stage,
    method: &str,
    words: &[&str],
    act: impl FnOnce(),
) -> support::Ended {
    let running = stage.start(words);
    while !stage.sandbox.requests().iter().any(|request| request.method == method) {
        std::thread::sleep(Duration::from_millis(5));
    }
    act();
    stage.ended(running.wait_with_output().unwrap())
}

const REPAIR: [&str; 5] = ["run", "config-replication", "--yes", "--set", "prove=false"];

/// A property that is added meanwhile is in no backup, and the server may make no index for it.
#[test]
fn a_property_that_appears_meanwhile_is_kept() {
    let stage = Stage::new(Scenario::FactorOne).fault(&format!("PUT:{SHARDS}:1=delay 500ms"));
    let object = json!({"class": CLASS, "properties": {"important": "text"}});
    let ended = while_it_waits(&stage, "PUT", &REPAIR, || {
        // The property comes by auto-schema, whether the object is taken or not.
        stage.try_post("/v1/objects", &object);
    });
    ended
        .exits(1)
        .says("the definition of `ELYSIA_CONFIG__` changed meanwhile")
        .says("somebody added important")
        .says("nothing was changed");
    are_allowed(&stage);
    let now = stage.sandbox.class("node1", CLASS).unwrap();
    assert!(now["properties"].to_string().contains("important"));
}

/// It is the class that was to be deleted, with another property: not one that came back.
#[test]
fn a_class_that_changed_and_was_not_deleted_takes_writes_again() {
    let stage = Stage::new(Scenario::FactorOne);
    stage.sandbox.inject("DELETE:/v1/schema/ELYSIA_CONFIG__=503 no".parse().unwrap());
    let object = json!({"class": CLASS, "properties": {"important": "text"}});
    let ended = while_it_waits(&stage, "DELETE", &REPAIR, || {
        // The property comes by auto-schema, whether the object is taken or not.
        stage.try_post("/v1/objects", &object);
    });
    assert!(!ended.transcript().contains("came back"), "{}", ended.transcript());
    ended.exits(1).says("allowed writes");
    are_allowed(&stage);
}

/// What a writer made while the class stayed away is theirs.
#[test]
fn a_class_that_a_writer_makes_meanwhile_is_not_taken_for_ours() {
    let stage = Stage::new(Scenario::FactorOne);
    let mut words = REPAIR.to_vec();
    words.extend(["--set", "factor=2", "--drain", "2"]);
    let theirs = json!({"class": CLASS, "replicationConfig": {"factor": 2}});
    let ended = while_it_waits(&stage, "DELETE", &words, || {
        while stage.sandbox.class("node1", CLASS).is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stage.post("/v1/schema", &theirs);
    });
    assert!(!ended.transcript().contains("SUCCESS"), "{}", ended.transcript());
    ended.exits(7).says("there is a class `ELYSIA_CONFIG__` already");
}

/// Allowing writes again where a deletion failed is not the undoing of the run.
#[test]
fn a_run_that_allowed_writes_again_can_be_resumed() {
    let stage = Stage::new(Scenario::Healthy);
    for class in ["First", "Second"] {
        stage.post("/v1/schema", &json!({"class": class, "replicationConfig": {"factor": 3}}));
    }
    let script = stage.home.path().join("two.rhai");
    let text = r#"
        step "First" { delete_class("First"); }
        step "Second" {
            try { delete_class("Second"); } catch (err) { note(err.message); }
            delete_class("Second");
        }
        step "Third" { create_class(#{ class: "Third" }); }
    "#;
    std::fs::write(&script, text).unwrap();
    let stage = stage.fault("DELETE:/v1/schema/Second:1=422 no").fault("POST:/v1/schema:1=hang");
    let mut running = stage.start(&["run", script.to_str().unwrap(), "--yes"]);
    let creates = |request: &elysia_runbook::sandbox::Request| {
        request.method == "POST" && request.path_and_query == "/v1/schema"
    };
    while stage.sandbox.requests().iter().filter(|it| creates(it)).count() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    stage.run(&["resume", "--yes"]).exits(0);
    assert!(stage.sandbox.class("node1", "Third").is_some());
}

/// Where the rest can't be undone, as somebody changed the class since, its writers must not wait.
#[test]
fn undoing_that_is_refused_still_allows_writes() {
    let stage = Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/ELYSIA_CONFIG__:1=hang");
    let mut running = stage.start(&REPAIR);
    while !stage.sandbox.requests().iter().any(|request| request.method == "DELETE") {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let paused = stage.sandbox.shard_statuses("node1", CLASS);
    assert!(paused.values().all(|status| *status == ShardStatus::ReadOnly), "{paused:?}");
    let object = json!({"class": CLASS, "properties": {"important": "text"}});
    stage.try_post("/v1/objects", &object);
    let run = stage.newest_run().unwrap();
    stage
        .run(&["run", "config-replication"])
        .says("did not end")
        .says("ELYSIA_CONFIG__ may refuse writes until then");
    stage
        .run(&["rollback", &run, "--yes"])
        .exits(5)
        .says("somebody changed it since")
        .says("allowed writes to class ELYSIA_CONFIG__")
        .says("no class and no object was changed");
    are_allowed(&stage);
}
