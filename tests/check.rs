//! The check before the first step: every fault of a runbook has a message with its line, and a
//! golden. And what a script can't do although it passes.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

mod check {
    mod files;
    mod hook;
    mod rules;
    mod typos;
}

use std::fs;

use elysia_runbook::sandbox::Scenario;
use support::{Stage, run};
use tempfile::TempDir;

const FAULTS: [(&str, &str); 31] = [
    ("computed-function", r#"step "A" { Fn("delete" + "_class").call("X"); }"#),
    ("misspelt-function-pointer", r#"step "A" { Fn("delet_class").call("X"); }"#),
    ("print", r#"step "A" { print("x"); }"#),
    ("hidden-primitive", "fn count(class) { 0 }\nstep \"A\" { count(\"X\") }"),
    ("unknown-function", r#"step "A" { delet_class("X"); }"#),
    ("unknown-function-in-function", r#"fn f() { nodse() } step "A" { f() }"#),
    ("unknown-method", r#"step "A" { nodes().lenght() }"#),
    ("argument-count", r#"step "A" { count(); count("A", "B"); note() }"#),
    (
        "argument-kind",
        r#"step "A" { count(3); sleep("1"); create_class("X"); tally("X", 1.5, []); note('x') }"#,
    ),
    (
        "argument-kind-method",
        r#"fn f(x) { note(x, 1) } step "A" { check(true, "x", ()); "X".count() }"#,
    ),
    ("own-function-argument-count", r#"fn f(a) { a } step "A" { f(1, 2) }"#),
    ("unknown-variable", r#"step "A" { count(clas) }"#),
    ("variable-of-another-step", r#"step "A" { let x = 1; } step "B" { x }"#),
    ("nested-step", "step \"A\" {\n    step \"B\" { nodes() }\n}"),
    ("repeated-step", "step \"A\" { nodes() }\nstep \"A\" { nodes() }"),
    ("computed-title", "let t = \"A\";\nstep t { nodes() }"),
    ("interpolated-title", "step `A ${1}` { nodes() }"),
    ("empty-title", "step \" \" { nodes() }"),
    ("step-in-loop", "for n in nodes() { step \"A\" { n } }"),
    ("step-in-function", "fn f() { step \"A\" { 1 } }\nf();"),
    ("step-in-closure", "let f = || { step \"A\" { 1 } };\nstep \"B\" { 1 }"),
    ("step-in-try", "try { step \"A\" { 1 } } catch { }"),
    ("assignment", "let x = 1;\nstep \"A\" { x = 2; }"),
    ("assignment-to-property", "let x = #{ a: 1 };\nstep \"A\" { if true { x.a = 2; } }"),
    ("mutating-method", "let x = [];\nstep \"A\" { x.push(1); }"),
    ("assignment-in-closure", "let x = 0;\nstep \"A\" { nodes().for_each(|n| x += 1); }"),
    ("doc-comment", "/// says\nstep \"A\" { nodes() }"),
    ("eval", "step \"A\" { eval(\"1\") }"),
    ("parameter-computed", "let d = 3;\nlet f = param(\"f\", d);\nstep \"A\" { f }"),
    ("parameter-in-step", "step \"A\" { param(\"f\", 1) }"),
    ("parameter-twice", "let f = param(\"f\", 1);\nlet g = param(\"f\", 2);\nstep \"A\" { f + g }"),
];

#[test]
fn every_fault_is_found_before_the_first_step() {
    let home = TempDir::new().unwrap();
    for (name, script) in FAULTS {
        let file = format!("{name}.rhai");
        fs::write(home.path().join(&file), script).unwrap();
        run(home.path(), &["check", &file]).exits(3).golden(&format!("check/{name}.txt"));
        // `run` says the same, and runs nothing.
        let ended = run(home.path(), &["run", &file, "--sandbox"]).exits(3);
        assert!(!ended.transcript().contains("run RUN"));
    }
    assert!(!home.path().join("runs").exists());
}

#[test]
fn imports_stay_in_their_box() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("mine");
    fs::create_dir_all(folder.join("lib")).unwrap();
    fs::write(home.path().join("outside.rhai"), "fn f() { 1 }").unwrap();
    fs::write(folder.join("lib/good.rhai"), "fn f() { nodes().len() }").unwrap();
    fs::write(folder.join("lib/bad.rhai"), "fn f() { nodse() }").unwrap();
    fs::write(folder.join("lib/steps.rhai"), "step \"A\" { 1 }").unwrap();
    std::os::unix::fs::symlink("../../outside.rhai", folder.join("lib/link.rhai")).unwrap();
    for (name, path) in [
        ("parent", "../outside"),
        ("absolute", "/etc/passwd"),
        ("missing", "lib/none"),
        ("link", "lib/link"),
        ("bad", "lib/bad"),
        ("steps", "lib/steps"),
    ] {
        let script = format!("import \"{path}\" as m;\nstep \"A\" {{ m::f() }}");
        fs::write(folder.join("try.rhai"), script).unwrap();
        run(home.path(), &["check", "mine/try.rhai"])
            .exits(3)
            .golden(&format!("check/import-{name}.txt"));
    }
    let script = "import \"lib/\" + \"good\" as m;\nstep \"A\" { m::f() }";
    fs::write(folder.join("try.rhai"), script).unwrap();
    run(home.path(), &["check", "mine/try.rhai"]).exits(3).says("literal path");
    let script = "import \"lib/good\" as m;\nstep \"A\" { m::f() }\nstep \"B\" { nodes() } rollback { m::f() }";
    fs::write(folder.join("try.rhai"), script).unwrap();
    run(home.path(), &["check", "mine/try.rhai"])
        .exits(3)
        .says("a rollback can't call the imported `f`");
    let script = "import \"lib/good\" as m;\nstep \"A\" { note(`${m::f()} nodes`); }";
    fs::write(folder.join("try.rhai"), script).unwrap();
    run(home.path(), &["run", "mine/try.rhai", "--sandbox"]).exits(0).says("3 nodes");
}

#[test]
fn what_is_shipped_passes_and_is_shown() {
    let home = TempDir::new().unwrap();
    run(home.path(), &["check"]).exits(0).golden("check/shipped.txt");
    run(home.path(), &["list"]).exits(0).golden("check/list.txt");
    run(home.path(), &["show", "config-replication"]).exits(0).golden("check/show.txt");
}

#[test]
fn good_idioms_pass() {
    let home = TempDir::new().unwrap();
    let script = r#"
        const LIMIT = 3;
        fn twice(x) { x * 2 }
        let class = param("class");
        let low = param("low", -1, "a negative default");
        let share = param("share", 0.5);
        if low < 0 {
            let found = step "Collect" {
                let all = [];
                for (node, number) in nodes() { all.push(`${number} ${node}`); }
                let copy = all;
                copy.sort();
                try { throw "x"; } catch (err) { err = "y"; note(err); }
                all.map(|name| { let n = name; n += "!"; n })
            };
            note(`${found} ${twice(2)} ${share} ${class}`);
        }
        step "Leave early" { return; }
        step "Never" { abort("not reached"); }
    "#;
    fs::write(home.path().join("good.rhai"), script).unwrap();
    run(home.path(), &["check", "good"]).exits(0);
    run(home.path(), &["run", "good", "--sandbox", "--set", "class=A"]).exits(0).says("0 node1!");
    run(home.path(), &["run", "good", "--sandbox"]).exits(2).says("parameter `class` is required");
}

#[test]
fn a_script_cannot_catch_what_ends_it() {
    for (script, code, says) in [
        // A refusal, then a change all the same.
        (
            r#"step "A" { try { abort("no"); } catch { } delete_class("ELYSIA_CONFIG__"); }"#,
            5,
            "REFUSED: no",
        ),
        (
            r#"step "A" { try { delete_class("ELYSIA_CONFIG__"); } catch { } note("went " + "on"); }"#,
            5,
            "holds objects",
        ),
        (r#"step "A" { try { loop { } } catch { } note("went " + "on"); }"#, 1, "operations"),
        (r#"fn f(n) { f(n + 1) } step "A" { try { f(0); } catch { } }"#, 1, "stack"),
        (
            r#"step "A" { let s = "x"; try { loop { s += s; } } catch { } }"#,
            1,
            "length of string too large",
        ),
        (r#"step "A" { let a = []; try { loop { a.push(1); } } catch { } }"#, 1, "the script"),
        (
            r#"step "A" { let m = #{}; let i = 0; try { loop { m[`k${i}`] = i; i += 1; } } catch { } }"#,
            1,
            "the script",
        ),
        // Rhai's `sort` loses what its closure throws.
        (r#"step "A" { [1, 2].sort(|a, b| { abort("stop"); 0 }); }"#, 5, "REFUSED: stop"),
        (
            r#"step "A" { [1, 2].sort(|a, b| { delete_class("ELYSIA_CONFIG__"); 0 }); }"#,
            5,
            "holds objects",
        ),
        (
            r#"step "A" { let f = || 0; for i in 0..200000 { let g = f; f = || g; } }"#,
            1,
            "the script",
        ),
        (r#"step "A" { let a = []; for i in 0..100000 { a = [a]; } }"#, 1, "the script"),
        (r#"step "A" { sleep(1000000); }"#, 1, "0 to 3600 seconds"),
        (r#"step "A" { sleep(-1.0 / 0.0); }"#, 1, "0 to 3600 seconds"),
    ] {
        let stage = Stage::new(Scenario::WithData);
        fs::write(stage.home.path().join("hostile.rhai"), script).unwrap();
        let ended = stage.run(&["run", "hostile", "--yes"]).exits(code).says(says);
        assert!(!ended.transcript().contains("went on"), "{script}");
        assert_eq!(stage.changes(), [""; 0], "{script}");
    }
}

#[test]
fn errors_of_a_run_show_the_line_and_the_step() {
    let stage = Stage::new(Scenario::Healthy);
    for (name, script) in [
        ("thrown", "step \"A\" { throw \"because\"; }"),
        ("not-found", "step \"A\" {\n    get_schema(\"Nope\")\n}"),
        ("in-function", "fn f(c) {\n    count(c)\n}\nstep \"A\" { f(\"Nope\") }"),
        ("wrong-type", "step \"A\" { let class = 3; count(class) }"),
        ("no-property", "step \"A\" { get_schema(\"ELYSIA_CONFIG__\").nope }"),
        ("not-data", "step \"A\" { |x| x }"),
        ("forged", "step \"A\" { note(\"fine\\nSUCCESS: all \\u001b[2J\"); }"),
    ] {
        fs::write(stage.home.path().join("try.rhai"), script).unwrap();
        stage.run(&["run", "try"]).golden(&format!("check/run-{name}.txt"));
    }
}
