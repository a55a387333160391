//! The rules: each has a text that breaks it and a row in the docs, and good runbooks break none.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use elysia_runbook::host;
use elysia_runbook::runbook::{Rule, Runbook, Severity};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ended, run};

/// Returns the codes of what was found.
fn codes(ended: &Ended) -> BTreeSet<String> {
    let found: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    found.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_rule_is_broken_by_its_example() {
    let home = TempDir::new().unwrap();
    for rule in Rule::ALL {
        let is_test = rule.example().contains("test \"") || *rule == Rule::NoTest;
        let file = if is_test { "try_test.rhai" } else { "try.rhai" };
        let example = match rule {
            Rule::NotText => &b"\xff"[..],
            rule => rule.example().as_bytes(),
        };
        fs::write(home.path().join(file), example).unwrap();
        let ended = run(home.path(), &["check", file, "--output", "json"]);
        assert_eq!(codes(&ended), BTreeSet::from([rule.to_string()]), "{}", rule.example());
        let command = if is_test { ["test", file] } else { ["show", file] };
        let refused = run(home.path(), &command);
        match rule.severity() {
            Severity::Error => {
                ended.exits(3);
                refused.exits(3);
            }
            Severity::Warning => {
                ended.exits(0);
                refused.exits(0);
                run(home.path(), &["check", file, "--strict"])
                    .exits(3)
                    .says(&format!("warning[{rule}]: "));
            }
        }
    }
}

#[test]
fn docs_check_codes_is_what_the_program_goes_by() {
    let mut text = String::from(
        "# Check codes\n\n\
         What `elysia-runbook check` finds, as `--output json` names it ([editors.md](editors.md)). `run` refuses a\n\
         runbook with an *error* (exit code 3) and takes one with a *warning*, which `check --strict` fails on.\n\n\
         | code | severity | what is wrong | for example |\n|---|---|---|---|\n",
    );
    for rule in Rule::ALL {
        let example = rule.example().replace('\n', "␤ ").replace('|', "\\|");
        let example = if example.is_empty() { example } else { format!("`` {example} ``") };
        let severity = rule.severity();
        writeln!(text, "| `{rule}` | {severity} | {} | {example} |", rule.meaning()).unwrap();
    }
    text.push_str(
        "\n`␤` is the end of a line. Warnings come where there is no error, which can be the reason of some.\n\
         `argument-kind` does not keep a run from being resumed.\n",
    );
    let path = root().join("docs/check-codes.md");
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(text, snapbox::Data::read_from(&path, None).raw());
}

#[test]
fn warnings_are_told_with_line_and_hint() {
    for (name, script) in [
        (
            "unused",
            "let class = param(\"class\", \"X\");\nlet other = param(\"other\", 1);\nlet _quiet = param(\"quiet\", 1);\nparam(\"alone\", 1);\n\
             let all = step \"A\" { let found = nodes(); let found = nodes(); count(class) };\n\
             fn f(x) { let y = x; y = 2; 1 }\nstep \"B\" { f(1) } rollback { let z = 1; note(\"${z}\"); }",
        ),
        (
            "unreachable",
            "fn f(x) {\n    return x;\n    nodes()\n}\n\
             step \"A\" {\n    for node in nodes() { if f(1) == 1 { break; note(node); } else { continue; f(2); } }\n    \
             throw \"x\";\n    let x = 1;\n    note(`${x}`);\n}\nreturn;\nfn g() { 1 }\nstep \"B\" { g() }",
        ),
        (
            "change-outside-step",
            "let class = \"X\";\nfn put(class) { create_class(#{ class: class }); }\nput(class);\n\
             if class_exists(class) { delete_class(class); }\nstep \"A\" { put(class); }",
        ),
        (
            "delete-without-rollback",
            "let class = \"X\";\nlet probe = \"Probe\";\nfn remove(class) { delete_class(class) }\n\
             step \"Make a probe\" { create_class(#{ class: probe }); } rollback { delete_class(probe); }\n\
             step \"Delete the class\" { delete_class(class); }\nstep \"Delete another\" { remove(\"Y\"); }\n\
             step \"Delete the probe\" { delete_class(probe); }",
        ),
    ] {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("try.rhai"), script).unwrap();
        run(home.path(), &["check", "try"]).exits(0).golden(&format!("check/warn-{name}.txt"));
    }
}

/// What looks like breaking a rule and is right.
#[test]
fn good_runbooks_break_no_rule() {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join("lib")).unwrap();
    fs::write(
        home.path().join("lib/own.rhai"),
        "const WAIT = 3;\nexport const LIMIT = 5;\nfn wait() { global::WAIT }\nfn early(x) { if x { return 1; } 2 }",
    )
    .unwrap();
    let script = r#"
        import "lib/own" as own;
        const FACTOR = 3;
        let class = param("class", "X");
        let _old = param("old", 1);
        let probe = "Probe";
        let clean = || delete_class(probe);
        fn factor() { global::FACTOR }
        fn remove(class, quiet) { if !quiet { note(class); } delete_class(class) }
        fn pick(x) { switch x { 1 => { let y = 2; y } _ => throw "no" } }

        let schema = step "Read" { get_schema(class) };
        let nodes = step "Look" {
            let found = [];
            let count = 0;
            for node in nodes() { found.push(node); count += 1; }
            let twice = found.map(|it| { let more = it; more += count; more });
            let message = `${own::wait()} ${own::LIMIT} ${factor()} ${pick(1)}`;
            note(message);
            let done = false;
            while !done { done = true; if done { break; } note("again"); }
            do { let last = 1; note(`${last}`); } while false;
            let deep = #{ a: #{ b: 1 } };
            deep.a.b = 2;
            note(`${deep}`);
            twice
        };
        if nodes.is_empty() { return; }
        step "Try" {
            try { count(class); } catch (err) { note(err.message); }
            let waited = 0;
            loop { if waited > own::early(true) { break; } waited += 1; }
            confirm("Go on?") || abort("no");
        }
        step "Make a probe" { create_class(#{ class: probe }); } rollback { delete_class(probe); }
        step "Remove it" { clean.call(); delete_class(probe); } rollback { note(`${nodes}`); }
        step "Make another" { create_class(#{ class: "Z" }); } rollback { remove("Z", true); }
        step "Remove that" { remove("Z", false); }
        step "Make and remove one" { create_class(#{ class: "Y" }); delete_class("Y"); }
        step "Delete" {
            delete_class(class);
        } rollback {
            if !class_exists(class) { create_class(schema); }
        }
        if own::early(false) == 2 {
            step "Leave" { return; }
        } else {
            abort("no");
        }
        step "Tell" { tally(class, 3, 3, "on every node"); check("x", true, `${1}`); sleep(1); sleep(0.5); }
    "#;
    fs::write(home.path().join("good.rhai"), script).unwrap();
    let said = run(home.path(), &["check", "good", "lib", "--strict"]).exits(0);
    assert_eq!(said.stderr, "", "{}", said.transcript());
}

/// What is shipped, what `new` writes, and what the docs show.
#[test]
fn our_own_runbooks_break_no_rule() {
    let home = TempDir::new().unwrap();
    let runbooks = root().join("runbooks");
    run(home.path(), &["check", "--strict", runbooks.to_str().unwrap()]).exits(0);
    run(home.path(), &["check", "--strict"]).exits(0);
    run(home.path(), &["new", "mine"]).exits(0);
    run(home.path(), &["check", "--strict", "."]).exits(0).says("mine_test.rhai: 3 tests");
}

/// A run that was begun is not kept from going on by a rule that came later.
#[test]
fn a_run_goes_on_that_was_begun_before_a_rule() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("try.rhai");
    fs::write(&file, "step \"A\" { nodes() }\nstep \"B\" { count(3) }").unwrap();
    let path = file.to_str().unwrap();
    assert!(Runbook::load(&mut host::engine(), path).is_err());
    assert_eq!(Runbook::load_begun(&mut host::engine(), path).unwrap().outline.steps.len(), 2);
    fs::write(&file, "step \"A\" { nodse() }").unwrap();
    assert!(Runbook::load_begun(&mut host::engine(), path).is_err());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
