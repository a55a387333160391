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
    let (code, said) = answer(&mut session, &[(PLAN, "xY")]);
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

/// A bar tells how far long work has come, and is gone when something else is written.
#[test]
fn long_work_shows_how_far_it_has_come() {
    let stage = Stage::new(Scenario::WithData).fault("GET:/v1/objects=delay 100ms");
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
