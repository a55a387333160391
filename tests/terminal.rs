//! Questions at a terminal: a pseudo-terminal answers them.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use elysia_runbook::sandbox::Scenario;
use expectrl::process::unix::{Signal, WaitStatus};
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};
use support::Stage;

const CLASS: &str = "ELYSIA_CONFIG__";

/// Starts the repair at a terminal of its own.
fn repair(stage: &Stage, arguments: &[&str]) -> OsSession {
    let mut command = support::program(stage.home.path());
    command.args(["run", "config-replication", "--cluster", "stage"]).args(arguments);
    command.stdin(std::process::Stdio::inherit());
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session
}

/// Answers the questions, in their order, and returns the exit code and what was said after the last.
fn answer(session: &mut OsSession, answers: &[(&str, &str)]) -> (i32, String) {
    for (question, answer) in answers {
        session.expect(*question).unwrap();
        session.send(*answer).unwrap();
    }
    let rest = session.expect(Eof).unwrap();
    let said = String::from_utf8_lossy(rest.as_bytes()).into_owned();
    match session.get_process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (code, said),
        other => panic!("{other:?}: {said}"),
    }
}

/// Asked once, before the first change.
const PLAN: &str = "Go on?";

#[test]
fn a_question_is_answered_at_the_terminal() {
    let stage = Stage::new(Scenario::FactorOne);
    let (code, said) = answer(&mut repair(&stage, &[]), &[(PLAN, "n")]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
    let (code, said) = answer(&mut repair(&stage, &[]), &[(PLAN, "\u{3}")]);
    assert_eq!(code, 130, "{said}");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
    // Other keys, and what was typed before the question was seen, answer nothing.
    let mut session = repair(&stage, &[]);
    session.send("n").unwrap();
    // Nor does a letter of a word that begins otherwise, such as this `y`.
    let answers = [(PLAN, "maybe\r"), ("that is no answer; Enter asks again", ""), (PLAN, "Y")];
    let (code, said) = answer(&mut session, &answers);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("SUCCESS"), "{said}");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
}

/// A question does not keep the program from ending.
#[test]
fn a_signal_ends_a_question() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let stage = Stage::new(Scenario::FactorOne);
        let mut session = repair(&stage, &[]);
        session.expect(PLAN).unwrap();
        session.get_process_mut().signal(signal).unwrap();
        let (ended, said) = answer(&mut session, &[]);
        assert_eq!(ended, code, "{said}");
        assert_eq!(stage.factors(CLASS), [Some(1); 3]);
    }
}

/// What a failed run had changed is kept only after a clear no.
#[test]
fn whether_things_are_put_back_can_be_asked() {
    let failing = || Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    let ask = ["--set", "prove=false", "--on-failure", "ask"];
    let back = "Put things back as they were?";
    for (key, code, factor) in [("n", 1, None), ("y", 6, Some(1)), ("\u{3}", 6, Some(1))] {
        let stage = failing();
        let (ended, said) = answer(&mut repair(&stage, &ask), &[(PLAN, "y"), (back, key)]);
        assert_eq!(ended, code, "{said}");
        assert_eq!(stage.factors(CLASS), [factor; 3], "{said}");
        let journal = std::fs::read_to_string(stage.run_folder().join("journal.ndjson")).unwrap();
        assert!(journal.contains(back), "the question is not in the journal");
        let run = stage.newest_run().unwrap();
        stage.run_bare(&["runs", "verify", &run]).exits(0);
    }
    // Where nobody can be asked they are put back.
    let stage = failing();
    stage.repair(&ask).exits(6).says("(--yes)");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

/// Starts a runbook with two optional steps at a terminal, which is asked before each step.
fn step_by_step(stage: &Stage, command: &[&str]) -> OsSession {
    let text = r#"
        let count = step "Read" { list_classes().len() };
        let found = optional step "Look closer" { check("all is well", false); count } rollback { note("undone"); };
        optional step "Look again" { check("found again", found == ()); }
        step "Wait" { sleep(1); }
    "#;
    std::fs::write(stage.home.path().join("mine.rhai"), text).unwrap();
    let mut program = support::program(stage.home.path());
    program.args(command).args(["--step", "--cluster", "stage"]);
    program.stdin(std::process::Stdio::inherit());
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session
}

#[test]
fn steps_are_run_skipped_or_stopped_at_one_by_one() {
    let stage = Stage::new(Scenario::Healthy);
    // `s` answers only where the runbook allows it.
    let answers = [
        ("Run step 1/4 \"Read\"? [y: run, N: stop]", "s\ry"),
        ("Run step 2/4 \"Look closer\"? [y: run, s: skip, N: stop]", "s"),
        ("Run step 3/4 \"Look again\"? [y: run, s: skip, N: stop]", "n"),
    ];
    let (code, said) = answer(&mut step_by_step(&stage, &["run", "mine"]), &answers);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("the operator stopped before step 3/4 \"Look again\""), "{said}");
    // What was skipped has no value, and the last line says so.
    let answers = [("Run step 1/4", "y"), ("2/4", "s"), ("3/4", "y"), ("4/4", "y")];
    let (code, said) = answer(&mut step_by_step(&stage, &["run", "mine"]), &answers);
    assert_eq!(code, 0, "{said}");
    let summary =
        "SUCCESS: every other step and check passed; the operator skipped \"Look closer\"";
    assert!(said.contains(summary), "{said}");
    assert!(said.contains("took 1 s"), "{said}");
    let run = stage.newest_run().unwrap();
    let shown = stage.run_bare(&["runs", "show", &run]).exits(0);
    shown.says("2/4 Look closer (skipped)").says("✓ found again").says(summary);
    // Whoever answers all with yes skips nothing.
    stage.run(&["run", "mine", "--step", "--yes"]).exits(4).says("FINDINGS: 2 checks did not pass");
}

/// A run that goes on does not run what was skipped, nor is it forgotten at the end.
#[test]
fn what_was_skipped_stays_skipped_when_the_run_goes_on() {
    let stage = Stage::new(Scenario::FactorOne);
    let text = r#"
        let schema = step "Read" { get_schema("ELYSIA_CONFIG__") };
        optional step "Prove" { abort("never"); } rollback { abort("never"); }
        step "Delete" { delete_class("ELYSIA_CONFIG__"); }
        step "Create" { create_class(schema); }
    "#;
    std::fs::write(stage.home.path().join("mine.rhai"), text).unwrap();
    let start = |arguments: &[&str]| {
        let mut command = support::program(stage.home.path());
        command.args(arguments).args(["--cluster", "stage"]);
        command.stdin(std::process::Stdio::inherit());
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(30)));
        session
    };
    let mut session = start(&["run", "mine", "--step"]);
    let stop = [("1/4", "y"), ("2/4", "s"), ("3/4", "y"), (PLAN, "y"), ("4/4", "\u{3}")];
    let (code, said) = answer(&mut session, &stop);
    assert_eq!(code, 130, "{said}");
    let (code, said) = answer(&mut start(&["resume", "--yes"]), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("2/4 Prove (skipped)"), "{said}");
    assert!(said.contains("the operator skipped \"Prove\""), "{said}");
}

/// A bar tells how far long work has come, and is gone when something else is written.
#[test]
fn long_work_shows_how_far_it_has_come() {
    let stage = Stage::new(Scenario::WithData).fault("GET:/v1/objects=delay 350ms");
    let mut command = support::program(stage.home.path());
    command.args(["run", "recreate-with-data", "--yes", "--cluster", "stage"]);
    command.args(["--set", "class=ELYSIA_CONFIG__"]).stdin(std::process::Stdio::inherit());
    command.env("TERM", "xterm");
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    let (code, said) = answer(&mut session, &[]);
    assert_eq!(code, 0, "{said}");
    for shown in
        ["exporting ELYSIA_CONFIG__", "/300 objects", "left", "comparing ELYSIA_CONFIG__: "]
    {
        assert!(said.contains(shown), "{shown}: {said:?}");
    }
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("SUCCESS"), "{said:?}");
}

/// The copying of replicas is counted in replicas.
#[test]
fn copies_of_replicas_show_how_far_they_have_come() {
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.set_replica_movement(true);
    let mut command = support::program(stage.home.path());
    command.args(["run", "scale-replicas", "--yes", "--cluster", "stage"]);
    command.stdin(std::process::Stdio::inherit()).env("TERM", "xterm");
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    let (code, said) = answer(&mut session, &[]);
    assert_eq!(code, 0, "{said}");
    for shown in ["copying ELYSIA_CONFIG__", "/6 replicas"] {
        assert!(said.contains(shown), "{shown}: {said:?}");
    }
    // Without a terminal there is no bar, and programs are told.
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.set_replica_movement(true);
    let ended = stage.run(&["run", "scale-replicas", "--yes", "--output", "ndjson"]).exits(0);
    ended.says(
        r#"{"event":"progress","doing":"copying","class":"ELYSIA_CONFIG__","unit":"replicas","#,
    );
}
