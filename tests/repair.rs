//! The main job in the sandbox: what it does where all goes well, what it refuses, and what it
//! puts back. What only a real server can prove is in `live.rs`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::process::Command;
use std::time::Duration;

use elysia_runbook::journal::{self, Reading};
use elysia_runbook::sandbox::Scenario;
use elysia_runbook::survey::{Saved, SavedNode};
use serde_json::json;
use support::Stage;

const CLASS: &str = "ELYSIA_CONFIG__";

#[test]
fn repairs_a_class_that_is_on_one_node() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    stage.repair(&[]).exits(0).golden("repair/missing-on-nodes.txt");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    assert_eq!(stage.fewest_replicas(CLASS), 3);
    assert_eq!(
        stage.changes(),
        [
            "POST /v1/schema",
            "DELETE /v1/schema/ELYSIA_CONFIG__RunbookProbe",
            "PUT /v1/schema/ELYSIA_CONFIG__/shards/*",
            "DELETE /v1/schema/ELYSIA_CONFIG__",
            "POST /v1/schema",
        ]
    );
    let Reading { records, broken, .. } =
        journal::read(&stage.run_folder().join("journal.ndjson")).unwrap();
    assert_eq!(broken, None);
    assert!(records.len() > 20);
}

/// What the cluster was first, and what it came to.
#[test]
fn the_first_and_the_last_survey_are_kept() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    let with_the_class = |file: &str| -> Vec<String> {
        let text = std::fs::read_to_string(stage.run_folder().join(file)).unwrap();
        let survey = Saved::parse(&text).unwrap();
        let leader = survey.leader_schema.clone();
        let has = |node: &SavedNode| node.own_schema(leader.as_ref()).unwrap().contains_key(CLASS);
        survey.nodes.iter().filter(|node| has(node)).map(|node| node.node.clone()).collect()
    };
    stage.repair(&[]).exits(0);
    assert_eq!(with_the_class("survey-before.json"), ["node1"]);
    assert_eq!(with_the_class("survey-after.json"), ["node1", "node2", "node3"]);
    stage.run(&["rollback", "--yes"]).exits(0);
    assert_eq!(with_the_class("survey-before.json"), ["node1"]);
}

#[test]
fn a_second_run_changes_nothing() {
    let stage = Stage::new(Scenario::FactorOne);
    stage
        .repair(&["--set", "prove=false"])
        .exits(0)
        .says("SUCCESS: ELYSIA_CONFIG__ is replicated on 3/3 nodes");
    let before = stage.changes();
    assert_eq!(
        before,
        [
            "PUT /v1/schema/ELYSIA_CONFIG__/shards/*",
            "DELETE /v1/schema/ELYSIA_CONFIG__",
            "POST /v1/schema"
        ]
    );
    stage.repair(&[]).exits(0).golden("repair/again.txt");
    assert_eq!(stage.changes(), before);
}

#[test]
fn other_factors_and_classes() {
    let stage = Stage::new(Scenario::Healthy);
    stage
        .repair(&["--set", "factor=2"])
        .exits(0)
        .says("has 2/2 replicas")
        .says("is on 3/3 nodes, factor 2 on every shard");
    assert_eq!(stage.factors(CLASS), [Some(2); 3]);
    stage.post("/v1/schema", &json!({"class": "Other", "replicationConfig": {"factor": 1}}));
    stage.repair(&["--set", "class=Other"]).exits(0).says("Other is replicated on 3/3 nodes");
    assert_eq!(stage.fewest_replicas("Other"), 3);
}

#[test]
fn refuses_what_it_must() {
    for (scenario, arguments, golden) in [
        (Scenario::WithData, &[][..], "with-data"),
        (Scenario::SplitRaft, &[], "split-raft"),
        (Scenario::NodeDown, &[], "node-down"),
        (Scenario::NodeDown, &["--accept-degraded"], "node-down-degraded"),
    ] {
        let stage = Stage::new(scenario);
        stage.repair(arguments).exits(5).golden(&format!("repair/{golden}.txt"));
        let probing = arguments.contains(&"--accept-degraded");
        assert_eq!(stage.changes().len(), if probing { 2 } else { 0 }, "{golden}");
        assert!(stage.sandbox.class("node1", CLASS).is_some(), "{golden}");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_done() {
    let stage = Stage::new(Scenario::FactorOne);
    stage.run(&["run", "config-replication"]).exits(5).golden("repair/nobody-to-ask.txt");
    assert_eq!(stage.changes(), [""; 0]);
    let stage = Stage::new(Scenario::NodeDown);
    stage.run(&["run", "config-replication"]).exits(5).says("Continue anyway?");
    let stage = Stage::new(Scenario::FactorOne);
    stage.run(&["run", "config-replication", "--step"]).exits(5).says("Run step 1/9");
}

#[test]
fn a_yes_is_not_enough_to_lose_objects_and_naming_the_class_is() {
    let stage = Stage::new(Scenario::NodeDown);
    stage
        .repair(&["--accept-degraded", "--accept-data-loss", "Other"])
        .exits(5)
        .says("that it is empty can't be proven");
    assert_eq!(stage.factors(CLASS)[0], Some(1));
    stage
        .repair(&["--accept-degraded", "--accept-data-loss", CLASS])
        .exits(4)
        .says("PARTIAL: ELYSIA_CONFIG__ is on 2/3 nodes");
    assert_eq!(stage.factors(CLASS)[..2], [Some(3); 2]);
}

#[test]
fn an_inactive_tenant_may_hold_objects() {
    let stage = with_tenants();
    stage
        .run(&["run", "config-replication", "--set", "class=Many"])
        .exits(5)
        .says("tenant `cold` is COLD")
        .says("Continue anyway?");
    stage
        .repair(&["--set", "class=Many"])
        .exits(5)
        .says("tenant `cold` is COLD, so its objects can't be seen");
    stage.repair(&["--set", "class=Many", "--accept-data-loss", "Many"]).exits(0);
    assert_eq!(stage.factors("Many"), [Some(3); 3]);
    let tenants = stage.sandbox.tenants("node1", "Many");
    assert_eq!(
        tenants.into_iter().collect::<Vec<_>>(),
        [("cold".into(), false), ("hot".into(), true)]
    );
}

fn with_tenants() -> Stage {
    let stage = Stage::new(Scenario::Healthy);
    stage.post("/v1/schema", &json!({"class": "Many", "multiTenancyConfig": {"enabled": true}}));
    stage.post(
        "/v1/schema/Many/tenants",
        &json!([{"name": "hot"}, {"name": "cold", "activityStatus": "COLD"}]),
    );
    stage
}

/// What the server can answer to the creation after the delete. The first `POST` is meant, since
/// `prove=false` leaves the probe out.
#[test]
fn a_failed_creation_puts_the_class_back() {
    for answer in [
        "422 class name ELYSIA_CONFIG__ already exists",
        "422 could not find enough weaviate nodes for replication: 3 available, 4 requested",
        "422 vectorizer: no module with name \"text2vec-nope\" present",
        "422 leader not found",
        "429 too many requests",
        "500 internal",
        "503 not ready",
        "302 moved",
        "refuse",
        "malformed",
        "401 unauthorized",
        "403 forbidden",
    ] {
        let stage = Stage::new(Scenario::FactorOne)
            .fault(&format!("POST:/v1/schema:1={answer}"))
            .with(&["--set", "prove=false"]);
        let before = stage.sandbox.class("node1", CLASS);
        let ended = stage.repair(&[]);
        if answer == "malformed" {
            // 200 with a body that is not read: what counts is that the class is not there.
            ended.exits(6).says("gone again");
        } else {
            ended
                .exits(6)
                .says("ROLLED BACK")
                .says("backup: $HOME/runs/RUN/backups/ELYSIA_CONFIG__.schema.json");
        }
        assert_eq!(stage.sandbox.class("node1", CLASS), before, "{answer}");
        assert_eq!(stage.factors(CLASS), [Some(1); 3], "{answer}");
    }
    let stage = Stage::new(Scenario::FactorOne)
        .fault("POST:/v1/schema:1=422 no such vectorizer")
        .with(&["--set", "prove=false"]);
    stage.repair(&[]).exits(6).golden("repair/rolled-back.txt");
}

#[test]
fn a_change_that_was_made_without_a_clean_answer_is_found_out() {
    for fault in [
        "POST:/v1/schema:1=cut-after",
        "POST:/v1/schema:1=done 500 timeout",
        "POST:/v1/schema:1=done 422 leader not found",
        "DELETE:/v1/schema/*:1=cut-after",
        "DELETE:/v1/schema/*:1=done 400 leader not found",
        "DELETE:/v1/schema/*:1=done 302 moved",
    ] {
        let stage = Stage::new(Scenario::FactorOne).fault(fault).with(&["--set", "prove=false"]);
        stage.repair(&[]).exits(0).says("the cluster shows it");
        assert_eq!(stage.factors(CLASS), [Some(3); 3], "{fault}");
        assert_eq!(stage.changes().len(), 3, "{fault}: sent once each");
    }
}

#[test]
fn a_delete_that_was_not_made_leaves_everything_as_it_is() {
    for answer in ["400 nope", "refuse", "500 internal", "403 forbidden"] {
        let stage = Stage::new(Scenario::FactorOne)
            .fault(&format!("DELETE:/v1/schema/*:1={answer}"))
            .with(&["--set", "prove=false"]);
        stage.repair(&[]).exits(1).says("nothing was changed");
        assert_eq!(stage.factors(CLASS), [Some(1); 3], "{answer}");
    }
}

#[test]
fn a_failed_rollback_prints_commands_that_work() {
    let mut stage = Stage::new(Scenario::FactorOne).with(&["--set", "prove=false"]);
    // The creation, then the rollback and the restoration at each of three nodes.
    for nth in 1..=7 {
        stage = stage.fault(&format!("POST:/v1/schema:{nth}=500 no"));
    }
    let before = stage.sandbox.class("node1", CLASS);
    let output = stage.start(&["run", "config-replication", "--yes"]).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    stage.ended(output).exits(7).golden("repair/rollback-failed.txt");
    assert_eq!(stage.factors(CLASS), [None; 3]);
    let commands: Vec<_> = said.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(commands.len(), 1, "{said}");
    for command in commands {
        let status = Command::new("sh").args(["-c", command]).output().unwrap();
        assert!(status.status.success());
    }
    assert_eq!(stage.sandbox.class("node1", CLASS), before);
}

#[test]
fn a_class_that_comes_back_is_never_taken_for_success() {
    let stage = Stage::new(Scenario::FactorOne)
        .fault("DELETE:/v1/schema/*:1=class-reappears")
        .with(&["--set", "prove=false"]);
    stage.repair(&[]).exits(7).golden("repair/class-reappears.txt");
}

#[test]
fn a_script_without_rollback_loses_nothing() {
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    std::fs::write(
        stage.home.path().join("careless.rhai"),
        r#"
            let schema = get_schema("ELYSIA_CONFIG__");
            step "Delete" { delete_class("ELYSIA_CONFIG__"); }
            step "Create" {
                try { create_class(schema); } catch (err) { note(`caught: ${err.message}`); }
                throw "giving up";
            }
        "#,
    )
    .unwrap();
    stage.run(&["run", "careless.rhai", "--yes"]).exits(6).says("caught: ").says("giving up");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn a_script_that_hides_a_failed_change_does_not_end_well() {
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    std::fs::write(
        stage.home.path().join("liar.rhai"),
        r#"
            let schema = get_schema("ELYSIA_CONFIG__");
            step "Repair" {
                delete_class("ELYSIA_CONFIG__");
                try { create_class(schema); } catch { note("never mind"); }
            }
        "#,
    )
    .unwrap();
    stage
        .run(&["run", "liar", "--yes"])
        .exits(6)
        .says("never mind")
        .says("the runbook ended although a change was not made");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn a_script_cannot_claim_a_repair_that_did_not_happen() {
    for (script, says) in [
        ("tally(\"ELYSIA_CONFIG__\", 3, 3);", "can be seen on 1/3 nodes, not on 3"),
        ("tally(\"Nope\", 3, 3);", "can be seen on 0/3 nodes, not on 3"),
        ("tally(\"ELYSIA_CONFIG__\", 1, 1);", "there are 3 nodes, not 1"),
    ] {
        let stage = Stage::new(Scenario::FactorOne);
        let script = format!("step \"Claim\" {{ {script} }}");
        std::fs::write(stage.home.path().join("claim.rhai"), script).unwrap();
        stage.run(&["run", "claim"]).exits(1).says(says);
    }
}

#[test]
fn objects_that_were_given_up_are_not_called_restored() {
    let stage = Stage::new(Scenario::WithData)
        .fault("DELETE:/v1/schema/*:1=class-reappears")
        .with(&["--accept-data-loss", CLASS]);
    std::fs::write(
        stage.home.path().join("give-up.rhai"),
        r#"step "Delete" { delete_class("ELYSIA_CONFIG__"); } step "Fail" { throw "no"; }"#,
    )
    .unwrap();
    stage.run(&["run", "give-up", "--yes"]).exits(7);
    let stage = Stage::new(Scenario::WithData).with(&["--accept-data-loss", CLASS]);
    std::fs::write(
        stage.home.path().join("give-up.rhai"),
        r#"step "Delete" { delete_class("ELYSIA_CONFIG__"); } step "Fail" { throw "no"; }"#,
    )
    .unwrap();
    stage
        .run(&["run", "give-up", "--yes"])
        .exits(6)
        .says("but for objects of ELYSIA_CONFIG__ (--accept-data-loss)");
}

#[test]
fn what_was_changed_can_be_kept() {
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no").with(&[
        "--set",
        "prove=false",
        "--on-failure",
        "keep",
    ]);
    stage.repair(&[]).exits(1).says("what was changed was kept").says("curl -X POST");
    assert_eq!(stage.factors(CLASS), [None; 3]);
}

#[test]
fn a_schema_that_somebody_changed_meanwhile_is_not_overwritten() {
    let stage = Stage::new(Scenario::FactorOne);
    std::fs::write(
        stage.home.path().join("slow.rhai"),
        r#"
            let schema = get_schema("ELYSIA_CONFIG__");
            step "Wait" { wait_until(2, || false); }
            step "Delete" { delete_class("ELYSIA_CONFIG__"); }
        "#,
    )
    .unwrap();
    let child = stage.start(&["run", "slow.rhai", "--yes"]);
    std::thread::sleep(Duration::from_millis(800));
    // Auto-schema adds the property that it does not know.
    stage.post("/v1/objects", &json!({"class": CLASS, "properties": {"new_one": "x"}}));
    stage
        .ended(child.wait_with_output().unwrap())
        .exits(5)
        .says("was changed since this run read its schema");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn a_node_that_dies_or_hangs_between_delete_and_creation() {
    for (fault, code) in [
        ("POST:/v1/schema:1=stop node3", 4),
        ("POST:/v1/schema:1=hang node3", 4),
        ("DELETE:/v1/schema/*:1=stop node3", 6),
        ("DELETE:/v1/schema/*:1=hang node3", 6),
    ] {
        let stage = Stage::new(Scenario::FactorOne).fault(fault).with(&["--set", "prove=false"]);
        stage.repair(&[]).exits(code).says("node3");
        let wanted = if code == 6 { 1 } else { 3 };
        assert_eq!(stage.factors(CLASS)[..2], [Some(wanted); 2], "{fault}");
    }
}

#[test]
fn a_disk_that_is_full_loses_no_class() {
    let stage = Stage::new(Scenario::FactorOne);
    let script = r#"
        let line = "x";
        line.pad(1000, "x");
        let schema = get_schema("ELYSIA_CONFIG__");
        step "Delete" { delete_class("ELYSIA_CONFIG__"); }
        step "Fill" { for i in 0..20 { note(line); } }
        step "Create" { create_class(schema); }
    "#;
    std::fs::write(stage.home.path().join("full.rhai"), script).unwrap();
    for blocks in [8, 16, 24, 32, 48, 64] {
        // The shell's limit on the size of files stands in for a full disk.
        let command = format!(
            "ulimit -f {blocks}; trap '' XFSZ; exec {} run full --yes --cluster stage",
            env!("CARGO_BIN_EXE_elysia-runbook")
        );
        let mut shell = Command::new("bash");
        shell.args(["-c", &command]).env("HOME", stage.home.path());
        shell.env("ELYSIA_RUNBOOK_HOME", stage.home.path()).current_dir(stage.home.path());
        let ended = stage.ended(shell.output().unwrap());
        let said = ended.transcript();
        assert!(matches!(ended.code, Some(0 | 1 | 6)), "{blocks}: {said}");
        assert!(!said.contains("panicked"), "{blocks}: {said}");
        assert_eq!(stage.factors(CLASS), [Some(1); 3], "{blocks}: {said}");
    }
}

#[test]
fn ndjson_is_one_event_a_line() {
    let stage = Stage::new(Scenario::FactorOne);
    let ended = stage.repair(&["--output", "ndjson"]);
    let events: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events[0]["version"], 1);
    let last = events.last().unwrap();
    assert_eq!(last["event"], "run_finished");
    assert_eq!(last["verdict"], "succeeded");
    assert_eq!(last["exit_code"], 0);
    assert!(events.iter().any(|e| e["event"] == "tally" && e["count"] == 3));
}
