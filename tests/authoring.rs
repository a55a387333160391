//! What an author of runbooks has at hand: `test`, `new`, `eject`, and what `list` and `show` say of a
//! copy.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use elysia_runbook::host::primitives;
use elysia_runbook::testing;
use expectrl::process::unix::{Signal, WaitStatus};
use expectrl::{Eof, Expect, Session};
use support::{Ended, program, run};
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs one file of tests.
fn test_of(script: &str) -> Ended {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("try_test.rhai"), script).unwrap();
    fs::write(home.path().join("broken.rhai"), "step \"A\" { nodse() }").unwrap();
    fs::write(home.path().join("asks.rhai"), "step \"A\" { confirm(\"Really?\"); }").unwrap();
    run(home.path(), &["test"])
}

#[test]
fn every_shipped_runbook_passes_its_test() {
    let home = TempDir::new().unwrap();
    let folder = root().join("runbooks").display().to_string();
    let output = program(home.path()).args(["test", &folder]).output().unwrap();
    let replace = [(folder, "runbooks".to_owned())];
    support::ended(output, &replace).exits(0).golden("authoring/shipped.txt");
    // Nothing is left of the runs, not where it was called either.
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    // The built-in ones are found by name.
    run(home.path(), &["test", "diagnose-shards"]).exits(0).says("3 tests, all passed");
}

/// Found before anything is run.
const FAULTS: [(&str, &str); 10] = [
    ("function", "test \"A\" { nodez() }"),
    ("expect", "test \"A\" { expct(true); }"),
    ("variable", "test \"A\" { expect(runn == 1); }"),
    ("arguments", "test \"A\" { fault(); }"),
    ("primitive", "test \"A\" { delete_class(\"A\"); }"),
    ("step", "step \"A\" { 1 }"),
    ("nested", "test \"A\" { test \"B\" { 1 } }\nfn f() { test \"C\" { 1 } }"),
    ("in-if", "if true { test \"A\" { 1 } }"),
    ("twice", "test \"A\" { 1 }\ntest \"A\" { 1 }\ntest \" \" { 1 }"),
    ("none", "let x = 1;"),
];

#[test]
fn a_test_file_is_checked_first() {
    for (name, script) in FAULTS {
        test_of(script).exits(3).golden(&format!("authoring/check-{name}.txt"));
    }
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("try_test.rhai"), "test \"A\" { nodez() }").unwrap();
    run(home.path(), &["check", "try_test.rhai"]).exits(3).says("did you mean `nodes`?");
    run(home.path(), &["run", "try_test", "--sandbox"]).exits(2).says("a file of tests");
    fs::write(home.path().join("try_test.rhai"), "test \"A\" { nodes() }").unwrap();
    run(home.path(), &["check", "try_test"]).exits(0).says("try_test.rhai: 1 test, no fault");
    // It is no runbook.
    assert!(!run(home.path(), &["list"]).transcript().contains("try_test"));
    assert!(!run(home.path(), &["list"]).transcript().contains("_test"));
}

/// Failures, each as it is told.
const FAILURES: [(&str, &str); 17] = [
    ("value", "test \"A\" { expect(1 + 1 == 3); expect(2 > 3); expect(nodes().len() != 3); }"),
    ("list", "test \"A\" { expect([\"a\", \"b\", \"c\"] == [\"a\", \"x\", \"c\"]); }"),
    ("in", "test \"A\" { expect(\"x\" in \"abc\"); expect(1 in [2]); expect(\"a\" !in \"abc\"); }"),
    ("and", "test \"A\" { expect(1 == 1 && 1 == 2); expect(!true); expect(false); }"),
    ("not-bool", "test \"A\" { expect(3); }"),
    ("thrown", "test \"A\" { throw \"no\"; }\ntest \"B\" { expect(true); }"),
    ("property", "test \"A\" { let r = run(\"diagnose-shards\"); expect(r.verdit == \"\"); }"),
    ("unanswered", "test \"A\" { run(\"asks\"); }"),
    ("unasked", "test \"A\" { answer(\"Never\", true); run(\"diagnose-shards\"); }"),
    ("idle-fault", "test \"A\" { fault(\"DELETE:*=refuse\"); run(\"diagnose-shards\"); }"),
    ("no-fault", "test \"A\" { fault(\"nonsense\"); }"),
    ("scenario", "test \"A\" { sandbox(\"nope\"); }"),
    ("sandbox-late", "test \"A\" { nodes(); sandbox(\"healthy\"); }"),
    ("outside", "let n = nodes();\ntest \"A\" { expect(true); }"),
    ("runbook", "test \"A\" { run(\"no-such\"); }\ntest \"B\" { run(\"broken\"); }"),
    (
        "parameter",
        "test \"A\" { run(\"config-replication\", #{ factor: \"x\" }); }\ntest \"B\" { run(\"config-replication\", #{ class: [1] }); }",
    ),
    ("not-reached", "return;\ntest \"A\" { expect(true); }"),
];

#[test]
fn a_failure_says_what_was_expected_and_what_was_found() {
    for (name, script) in FAILURES {
        test_of(script).exits(1).golden(&format!("authoring/fails-{name}.txt"));
    }
}

#[test]
fn a_test_that_expects_nothing_fails() {
    let ended = test_of("test \"A\" { run(\"cluster-health\"); }").exits(1);
    ended.says("nothing was expected, so this test can't fail");
    test_of("fn holds() { expect(true); }\ntest \"A\" { holds(); }").exits(0);
}

#[test]
fn a_test_stays_in_its_box() {
    for (script, says) in [
        ("test \"A\" { loop { } }", "operations"),
        ("fn f(n) { f(n + 1) } test \"A\" { f(0); }", "stack"),
        ("test \"A\" { let s = \"x\"; loop { s += s; } }", "length of string"),
        ("test \"A\" { let a = []; for i in 0..100000 { a = [a]; } }", "the test"),
    ] {
        test_of(script).exits(1).says(says);
    }
    // Each has limits and a cluster of its own.
    let script =
        "test \"A\" { loop { } }\ntest \"B\" { expect(class_exists(\"ELYSIA_CONFIG__\")); }";
    test_of(script).exits(1).says("✓ B");
    // Nor can it act on the terminal.
    let ended =
        test_of("test \"A\\u001b[2J\" { note(\"B\\u001b[2J\"); expect(\"C\\u001b[2J\" == 1); }");
    let said = ended.exits(1).says("B\\u{1b}[2J").transcript();
    assert!(!said.contains('\u{1b}'), "{said}");
    // What it can say can't run a program or read a file.
    test_of("import \"../x\" as x;\ntest \"A\" { 1 }").exits(3).says("leaves the runbook's folder");
}

#[test]
fn which_tests_are_run() {
    let home = TempDir::new().unwrap();
    run(home.path(), &["test"]).exits(2).golden("authoring/no-tests.txt");
    let folder = home.path().join("runbooks");
    fs::create_dir(&folder).unwrap();
    run(home.path(), &["test", "runbooks"])
        .exits(2)
        .says("there is no `*_test.rhai` in `runbooks`");
    run(home.path(), &["test", "none/"]).exits(2).says("there is no folder `none/`");
    run(home.path(), &["test", "no-such"]).exits(2).says("there is no test `no-such_test.rhai`");
    let script = "test \"first\" { expect(true); }\ntest \"second <&>\" { expect(1 == 2); }";
    fs::write(home.path().join("a_test.rhai"), script).unwrap();
    fs::write(
        folder.join("b_test.rhai"),
        "test \"third\" { let run = run(\"b\"); expect(run.verdict == \"succeeded\"); }",
    )
    .unwrap();
    // Beside the test: a runbook of this name that is nowhere else.
    fs::write(folder.join("b.rhai"), "step \"A\" { nodes() }").unwrap();
    run(home.path(), &["test"]).exits(1).golden("authoring/two-files.txt");
    for path in ["runbooks/b.rhai", "runbooks/b_test.rhai", "b", "runbooks"] {
        run(home.path(), &["test", path]).exits(0).says("1 test, all passed");
    }
    run(home.path(), &["test", "--filter", "ir"]).exits(0).says("2 tests, all passed");
    run(home.path(), &["test", "--filter", "zzz"]).exits(2).says("no test has `zzz` in its title");
    run(home.path(), &["test", "--junit", "out.xml"]).exits(1);
    let xml = fs::read_to_string(home.path().join("out.xml")).unwrap();
    let xml =
        xml.split(" time=\"").enumerate().map(|(at, part)| match (at, part.split_once('"')) {
            (1.., Some((_, rest))) => format!(" time=\"T\"{rest}"),
            _ => part.to_owned(),
        });
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(
        xml.collect::<String>(),
        snapbox::Data::read_from(&root().join("tests/golden/authoring/junit.xml"), None).raw(),
    );
    run(home.path(), &["test", "--junit", "no/such/out.xml"]).exits(1).says("can't be written");
}

#[test]
fn a_new_runbook_passes_its_check_and_its_test() {
    let home = TempDir::new().unwrap();
    run(home.path(), &["new", "add-twin"]).exits(0).golden("authoring/new.txt");
    run(home.path(), &["check", "add-twin", "add-twin_test"]).exits(0);
    run(home.path(), &["test", "add-twin"]).exits(0).golden("authoring/new-test.txt");
    run(home.path(), &["run", "add-twin", "--sandbox=healthy"]).exits(0).says("SUCCESS: ");
    // In a folder that is made for it.
    run(home.path(), &["new", "team/other.rhai"]).exits(0);
    run(home.path(), &["test", "team/other.rhai"]).exits(0);
    // Nothing is overwritten, and where one file is there, the other is not written either.
    let before = fs::read_to_string(home.path().join("add-twin.rhai")).unwrap();
    run(home.path(), &["new", "add-twin"]).exits(2).golden("authoring/new-there.txt");
    fs::remove_file(home.path().join("add-twin.rhai")).unwrap();
    run(home.path(), &["new", "add-twin"]).exits(2).says("`add-twin_test.rhai` is there already");
    assert!(!home.path().join("add-twin.rhai").exists());
    std::os::unix::fs::symlink("nowhere", home.path().join("link.rhai")).unwrap();
    run(home.path(), &["new", "link"]).exits(2).says("is there already");
    assert!(before.contains("rollback"));
    for (name, says) in [
        ("", "can't be the name"),
        ("a b", "can't be the name"),
        ("..", "can't be the name"),
        ("x/", "can't be the name"),
        ("ä", "can't be the name"),
        ("one_test", "is the name of a test"),
        ("config-replication", "there is a shipped runbook"),
    ] {
        run(home.path(), &["new", name]).exits(2).says(says);
    }
}

#[test]
fn a_shipped_runbook_is_copied_and_compared() {
    let home = TempDir::new().unwrap();
    run(home.path(), &["eject", "config-replication"]).exits(0).golden("authoring/eject.txt");
    let copy = home.path().join("runbooks/config-replication.rhai");
    let shipped = fs::read(root().join("runbooks/config-replication.rhai")).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), shipped);
    run(home.path(), &["list"]).says("runbooks/config-replication.rhai (same as the shipped one)");
    run(home.path(), &["show", "config-replication"])
        .says("from: runbooks/config-replication.rhai (same as the shipped one)");
    // Its imports and its test go on working.
    run(home.path(), &["test", "config-replication", "--filter", "comes to all"]).exits(0);
    run(home.path(), &["eject", "config-replication"]).exits(2).says("is there already");
    // Edited.
    let text = String::from_utf8(shipped).unwrap().replace("\"factor\", 3", "\"factor\", 2");
    fs::write(&copy, text).unwrap();
    run(home.path(), &["list"]).says("(differs from the shipped one)");
    run(home.path(), &["show", "config-replication"]).exits(0).golden("authoring/differs.txt");
    run(home.path(), &["test", "config-replication"]).exits(1).says("expected 3, found 2");
    // A library stands in for the built-in one.
    run(home.path(), &["eject", "lib/replication"]).exits(0).says("runbooks/lib/replication.rhai");
    run(home.path(), &["check", "config-replication"]).exits(0);
    run(home.path(), &["eject", "config-replicatoin"]).exits(2).says("did you mean");
    run(home.path(), &["eject", "../x"]).exits(2).says("there is no shipped runbook");
}

#[test]
fn colours_are_for_terminals() {
    let home = TempDir::new().unwrap();
    run(home.path(), &["eject", "diagnose-shards"]).exits(0);
    let copy = home.path().join("runbooks/diagnose-shards.rhai");
    let text = fs::read_to_string(&copy).unwrap().replace("\"most\", 20", "\"most\", 30");
    fs::write(&copy, text).unwrap();
    fs::write(home.path().join("try_test.rhai"), "test \"A\" { expect(1 == 2); }").unwrap();
    for (arguments, coloured) in [
        (&["show", "diagnose-shards"][..], "\u{1b}[32m+let most"),
        (&["test", "try"], "\u{1b}[31;1m✗\u{1b}[0m A"),
    ] {
        let mut command = program(home.path());
        command.args(arguments).env("TERM", "xterm").stdin(std::process::Stdio::inherit());
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(30)));
        let said = session.expect(Eof).unwrap();
        let said = String::from_utf8_lossy(said.as_bytes()).into_owned();
        assert!(said.contains(coloured), "{said:?}");
        let plain = run(home.path(), arguments).transcript();
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
    }
}

#[test]
fn the_documentation_is_what_is_there() {
    let text = fs::read_to_string(root().join("docs/testing-runbooks.md")).unwrap();
    // Every word is in it.
    let words = primitives(&testing::engine());
    for word in words.iter().filter(|word| !word.starts_with("index$")) {
        let wanted = match word.strip_prefix("get$") {
            Some(property) => format!("`run.{property}`"),
            None => format!("`{word}("),
        };
        assert!(text.contains(&wanted), "{wanted} is not in docs/testing-runbooks.md");
    }
    // Its tests do what it says.
    let blocks = text.split("```rhai\n").skip(1).map(|it| it.split("```").next().unwrap());
    let [passing @ .., failing] = &blocks.collect::<Vec<_>>()[..] else { panic!("no snippets") };
    assert_eq!(passing.len(), 2);
    for script in passing {
        test_of(script).exits(0);
    }
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("mine_test.rhai"), failing).unwrap();
    let shown = text.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(run(home.path(), &["test"]).exits(1).stdout, shown);
}

/// A signal ends the test that is running, and what follows is not taken for passed.
#[test]
fn a_signal_ends_the_tests() {
    let home = TempDir::new().unwrap();
    let script = "test \"slow\" { fault(\"GET:/v1/nodes*=delay 1500ms\"); run(\"cluster-health\"); }\ntest \"after\" { expect(true); }";
    fs::write(home.path().join("try_test.rhai"), script).unwrap();
    let mut command = program(home.path());
    command.args(["test"]).stdin(std::process::Stdio::inherit());
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("try_test.rhai").unwrap();
    session.get_process_mut().signal(Signal::SIGINT).unwrap();
    let said = session.expect(Eof).unwrap();
    let said = String::from_utf8_lossy(said.as_bytes()).into_owned();
    assert!(said.contains("interrupted before 1 more"), "{said:?}");
    assert!(!said.contains("after"), "{said:?}");
    match session.get_process().wait().unwrap() {
        WaitStatus::Exited(_, code) => assert_eq!(code, 130, "{said:?}"),
        other => panic!("{other:?}: {said:?}"),
    }
}
