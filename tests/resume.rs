//! Runs that are interrupted, go on and are undone.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::process::{Child, Command};
use std::time::Duration;

use elysia_runbook::sandbox::Scenario;
use serde_json::{Value, json};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

fn kill(child: &Child, signal: &str) {
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
}

const REPAIR: [&str; 3] = ["run", "config-replication", "--yes"];

fn schema(stage: &Stage) -> Option<Value> {
    stage.sandbox.class("node1", CLASS)
}

#[test]
fn a_signal_stops_between_two_changes_and_says_what_is_next() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let stage = interrupted(&[signal], code);
        let ended = stage.run(&["resume", "--yes"]).exits(0);
        ended.says("(done before)").says("SUCCESS");
        assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    }
    // The second ends it at once, while the first change is under way.
    let stage = interrupted(&["INT", "INT"], 130);
    stage.run(&["rollback", "--yes"]).exits(0).says("ROLLED BACK: all is as it was");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

/// Interrupts the repair while it deletes the class.
fn interrupted(signals: &[&str], code: i32) -> Stage {
    let stage = Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/*:1=delay 800ms");
    let child = stage.start(&["run", "config-replication", "--yes", "--set", "prove=false"]);
    while !stage.changes().iter().any(|change| change.starts_with("DELETE")) {
        std::thread::sleep(Duration::from_millis(10));
    }
    for signal in signals {
        kill(&child, signal);
        std::thread::sleep(Duration::from_millis(100));
    }
    let ended = stage.ended(child.wait_with_output().unwrap()).exits(code);
    if signals.len() == 1 {
        ended
            .says("what was changed so far stays as it is")
            .says("elysia-runbook resume")
            .says("elysia-runbook rollback");
        assert_eq!(stage.factors(CLASS), [None; 3]);
    }
    stage
}

#[test]
fn what_has_ended_is_not_resumed_and_can_be_undone() {
    let stage = Stage::new(Scenario::FactorOne);
    let before = schema(&stage).unwrap();
    stage.run(&REPAIR).exits(0);
    let run = stage.run_folder().file_name().unwrap().to_string_lossy().into_owned();
    stage.run(&["resume"]).exits(2).says("there is no run that could be resumed");
    stage.run(&["resume", &run]).exits(2).says("has ended: succeeded");
    stage.run(&["rollback", &run]).exits(5).says("there is no terminal to ask at");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    stage.run(&["rollback", &run, "--yes"]).exits(0).says("all is as it was before the run");
    assert_eq!(schema(&stage), Some(before));
    let changes = stage.changes().len();
    stage.run(&["rollback", &run, "--yes"]).exits(0);
    assert_eq!(stage.changes().len(), changes, "a second time there is nothing to undo");
}

#[test]
fn what_others_did_since_is_not_undone() {
    // Somebody wrote to it.
    let stage = Stage::new(Scenario::FactorOne);
    stage.run(&REPAIR).exits(0);
    stage.sandbox.insert(None, &json!({"class": CLASS})).unwrap();
    let changes = stage.changes().len();
    stage.run(&["rollback", "--yes"]).exits(5).says("holds 1 object now").says("schema.json");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    // Somebody changed it.
    let stage_2 = Stage::new(Scenario::FactorOne);
    stage_2.run(&REPAIR).exits(0);
    let mut class = schema(&stage_2).unwrap();
    class["description"] = json!("mine");
    stage_2.put(&format!("/v1/schema/{CLASS}"), &class);
    stage_2.run(&["rollback", "--yes"]).exits(5).says("somebody changed it since");
    assert_eq!(schema(&stage_2).unwrap()["description"], "mine");
    assert_eq!(stage.changes().len(), changes);
}

#[test]
fn an_edited_runbook_goes_on_only_where_what_was_done_is_the_same() {
    let text = |first: &str, last: &str| {
        format!(
            "let schema = step \"Read\" {{ {first} get_schema(\"{CLASS}\") }};\n\
             step \"Delete\" {{ delete_class(\"{CLASS}\"); }}\n\
             step \"Create\" {{ {last} create_class(schema); }}\n"
        )
    };
    let run = |now: &str, arguments: &[&str]| -> (Stage, Ended) {
        let stage = Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/*:1=delay 800ms");
        let file = stage.home.path().join("mine.rhai");
        std::fs::write(&file, text("", "")).unwrap();
        let child = stage.start(&["run", "mine", "--yes"]);
        while !stage.changes().iter().any(|change| change.starts_with("DELETE")) {
            std::thread::sleep(Duration::from_millis(10));
        }
        kill(&child, "INT");
        stage.ended(child.wait_with_output().unwrap()).exits(130);
        std::fs::write(&file, now).unwrap();
        let mut all = vec!["resume", "--yes"];
        all.extend(arguments);
        let ended = stage.run(&all);
        (stage, ended)
    };
    let (stage, ended) = run(&text("", "note(\"new\");"), &[]);
    ended.exits(0).says("the runbook was changed since").says("+ step \"Create\"").says("new");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
    let (stage, ended) = run(&text("note(\"new\");", ""), &[]);
    ended.exits(2).says("changed in what this run has done already").says("--accept-edited");
    assert_eq!(stage.factors(CLASS), [None; 3]);
    let (stage, ended) = run(&text("note(\"new\");", ""), &["--accept-edited"]);
    ended.exits(0);
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

/// A step that hid the failure of a change is over, and the failure is not forgotten with it.
#[test]
fn a_change_that_was_not_made_is_remembered() {
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    let script = format!(
        "let schema = step \"Read\" {{ get_schema(\"{CLASS}\") }};\n\
         step \"Delete\" {{ delete_class(\"{CLASS}\"); }}\n\
         step \"Hide\" {{ try {{ create_class(schema); }} catch {{ }} }}\n\
         step \"Wait\" {{ wait_until(2, || false); }}\n"
    );
    std::fs::write(stage.home.path().join("mine.rhai"), script).unwrap();
    let child = stage.start(&["run", "mine", "--yes"]);
    while !stage.changes().iter().any(|change| change.starts_with("POST")) {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_secs(1));
    kill(&child, "INT");
    stage.ended(child.wait_with_output().unwrap()).exits(130);
    stage
        .run(&["resume", "--yes"])
        .exits(6)
        .says("Hide (done before)")
        .says("the runbook ended although a change was not made");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn one_run_at_a_time_changes_a_cluster() {
    let stage = Stage::new(Scenario::FactorOne).fault("DELETE:/v1/schema/*:1=delay 2s");
    let mut child = stage.start(&REPAIR);
    while stage.sandbox.requests().len() < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    stage
        .run(&REPAIR)
        .exits(5)
        .says("another run is changing this cluster")
        .says("has the lock since");
    stage.run(&["resume"]).exits(2).says("still running");
    // Whoever only reads is not kept waiting.
    stage.run(&["run", "cluster-health"]).exits(4);
    kill(&child, "KILL");
    child.wait().unwrap();
    // A run that is to go on waits for its turn, and can still be resumed.
    let other = interrupted(&["INT"], 130);
    let locks: Vec<_> = std::fs::read_dir(other.home.path().join("locks")).unwrap().collect();
    let lock = std::fs::File::open(locks[0].as_ref().unwrap().path()).unwrap();
    std::fs::write(locks[0].as_ref().unwrap().path(), r#"{"run":"x","process":1,"since":"now"}"#)
        .unwrap();
    lock.lock().unwrap();
    other.run(&["resume", "--yes"]).exits(5).says("another run is changing this cluster");
    drop(lock);
    other.run(&["resume", "--yes"]).exits(0).says("SUCCESS");
    // It ends with its process.
    stage.run(&REPAIR).says("did not end");
    stage.run(&["resume", "--yes"]).exits(0);
}

#[test]
fn a_damaged_record_is_noticed() {
    let damaged = |damage: &dyn Fn(&Stage)| -> (Stage, String) {
        let stage = interrupted(&["INT"], 130);
        damage(&stage);
        let run = stage.run_folder().file_name().unwrap().to_string_lossy().into_owned();
        (stage, run)
    };
    let journal = |stage: &Stage| stage.run_folder().join("journal.ndjson");
    // Cut off in the middle of a record: it goes on from there.
    let (stage, run) = damaged(&|stage| {
        let bytes = std::fs::read(journal(stage)).unwrap();
        std::fs::write(journal(stage), &bytes[..bytes.len() - 40]).unwrap();
    });
    stage.run_bare(&["runs", "verify", &run]).exits(0).says("the run died as it wrote one more");
    stage.run(&["resume", "--yes"]).exits(0).says("SUCCESS");
    // A record that somebody changed.
    let (stage, run) = damaged(&|stage| {
        let text = std::fs::read_to_string(journal(stage)).unwrap();
        std::fs::write(journal(stage), text.replacen("step_started", "step_finishd", 1)).unwrap();
    });
    stage.run_bare(&["runs", "verify", &run]).exits(4).says("can't be understood");
    stage.run(&["resume", "--yes"]).exits(1).says("runs verify");
    assert_eq!(stage.factors(CLASS), [None; 3]);
    // A backup that somebody changed.
    let (stage, run) = damaged(&|stage| {
        let backup = stage.run_folder().join(format!("backups/{CLASS}.schema.json"));
        std::fs::write(backup, "{}").unwrap();
    });
    stage.run_bare(&["runs", "verify", &run]).exits(4).says("is not as it was written");
    for what in ["resume", "rollback"] {
        stage.run(&[what, "--yes"]).exits(1).says("is not as it was saved");
    }
}

/// What was tried in a sandbox since is not what there is to undo.
#[test]
fn a_try_in_the_sandbox_is_not_what_is_undone() {
    let stage = Stage::new(Scenario::FactorOne);
    stage.repair(&[]).exits(0);
    stage.run_bare(&["run", "config-replication", "--sandbox"]).exits(0);
    stage.run(&["rollback", "--yes"]).exits(0).says("ROLLED BACK");
    assert_eq!(stage.factors("ELYSIA_CONFIG__"), [Some(1); 3]);
}
