//! The reference: every primitive is documented, its example passes the check and runs, it changes the
//! cluster only if it says so, and docs/api.md and the editors' grammars know it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use elysia_runbook::host::{self, Call, Effect, Primitive, Reference};
use elysia_runbook::runbook::{Runbook, Source};
use elysia_runbook::sandbox::Scenario;
use expectrl::{Eof, Expect, Session};
use serde_json::{Value, json};
use support::{Stage, run};
use tempfile::TempDir;

fn primitives() -> Vec<Primitive> {
    Reference::of_all().topics.into_iter().flat_map(|topic| topic.primitives).collect()
}

#[test]
fn every_primitive_says_what_it_does_changes_and_throws() {
    let all = primitives();
    assert!(all.len() > 40);
    for Primitive { name, effect_text, throws, throws_text, calls, .. } in &all {
        assert!(!effect_text.is_empty(), "`{name}` does not say what it changes or reads");
        assert!(throws_text.starts_with("Throws "), "`{name}` does not say what it throws");
        let none = ["Throws nothing", "Throws what"].iter().any(|it| throws_text.starts_with(it));
        assert_eq!(throws.is_empty(), none, "what `{name}` throws is no code: {throws_text}");
        for call in calls {
            assert!(!call.about.is_empty(), "`{}` has no text", call.signature);
            assert!(call.example.contains(name), "`{}` has no example of its use", call.signature);
            for parameter in &call.parameters {
                // A word of the language would not do in a definition file.
                let variable = format!("let {} = 1;", parameter.name);
                assert!(host::engine().compile(&variable).is_ok(), "{}", call.signature);
            }
        }
    }
    for topic in Reference::of_all().topics {
        assert!(topic.about.ends_with('.'), "topic `{}` has no text", topic.name);
    }
}

#[test]
fn every_example_passes_the_check() {
    let step = Reference::of_all().step.unwrap();
    check("step", &step.example);
    for primitive in primitives() {
        primitive.calls.iter().for_each(|it| check(&it.signature, &as_runbook("", &it.example)));
    }
}

fn check(name: &str, text: &str) {
    let source = Source {
        name: name.into(),
        display: name.into(),
        folder: None,
        text: text.into(),
        is_import: false,
    };
    if let Err(faults) = Runbook::compile(&mut host::engine(), source) {
        panic!("the example of `{name}`: {}\n{text}", faults[0].message);
    }
}

/// Parameters stand at the top level, everything else in a step.
fn as_runbook(before: &str, example: &str) -> String {
    if example.contains("param(") {
        return format!("{example}\nstep \"Example\" {{ }}");
    }
    format!("step \"Before\" {{ {before} }}\nstep \"Example\" {{\n{example}\n}}")
}

/// What an example relies on: its beginning, and what has to be done before.
const BEFORE: [(&str, &str); 4] = [
    ("put_tenants_back(", r#"activate_tenants("Author");"#),
    (
        "import_class(",
        r#"let it = get_schema("Author"); export_class("Author", "e"); delete_class("Author"); create_class(it);"#,
    ),
    ("let restored = restore_class(\"Author\", \"node1\", \"weaviate-backup\");", BACKUP),
    ("let restored = restore_class(\"Author\", \"node1\", \"weaviate-backup\", ", BACKUP),
];

const BACKUP: &str = r#"backup_node("node1", "weaviate-backup"); delete_class("Author");"#;

/// That a primitive changes the cluster is known from its comment alone: whether the cluster is asked for
/// changes has to be as it says.
#[test]
fn every_example_runs_and_changes_what_it_says() {
    std::thread::scope(|scope| {
        for topic in Reference::of_all().topics {
            scope.spawn(move || {
                for primitive in topic.primitives {
                    primitive.calls.iter().for_each(|call| run_example(primitive.effect, call));
                }
            });
        }
    });
}

fn run_example(effect: Effect, call: &Call) {
    let (name, example) = (&call.signature, &call.example);
    let before = BEFORE.iter().find(|(begin, _)| example.starts_with(begin));
    let stage = stage(example);
    let script = as_runbook(before.map_or("", |(_, before)| before), example);
    fs::write(stage.home.path().join("try.rhai"), script).unwrap();
    let mut arguments = vec!["run", "try", "--yes", "--output", "ndjson"];
    if example.contains("param(\"class\")") {
        arguments.extend(["--set", "class=Author"]);
    }
    let asked = stage.changes().len();
    let ended = stage.run(&arguments);
    assert!(matches!(ended.code, Some(0 | 4)), "`{name}`: {}", ended.transcript());
    let (_, said) = ended.stdout.split_once("\"title\":\"Example\"").unwrap();
    let changes = said.matches("\"event\":\"change_intended\"").count();
    if effect == Effect::Changes {
        assert!(changes > 0, "`{name}` changes nothing");
    } else {
        assert_eq!(changes, 0, "`{name}` changes something");
        assert_eq!(stage.changes().len(), asked, "`{name}`: {:?}", stage.changes());
    }
}

/// A cluster with the classes that an example names, but for one that it creates.
fn stage(example: &str) -> Stage {
    let stage = Stage::new(Scenario::Healthy);
    let factor = if example.contains("plan_copies(") { 1 } else { 3 };
    let inactive = ["activate_tenants(", "put_tenants_back("].iter().any(|it| example.contains(it));
    let tenants = inactive || example.contains("tenant1") || example.contains("create_tenants(");
    for class in ["Author", "Probe"] {
        if !example.contains(class) || example.contains("create_class(") {
            continue;
        }
        let mut definition = json!({ "class": class, "replicationConfig": { "factor": factor } });
        if tenants {
            definition["multiTenancyConfig"] = json!({ "enabled": true });
        } else {
            definition["shardingConfig"] = json!({ "desiredCount": 1 });
        }
        stage.post("/v1/schema", &definition);
        if inactive || example.contains("tenant1") {
            let status = if inactive { "COLD" } else { "HOT" };
            let tenant = json!([{ "name": "tenant1", "activityStatus": status }]);
            stage.post(&format!("/v1/schema/{class}/tenants"), &tenant);
        }
    }
    if example.contains("import_class(") {
        stage.post("/v1/objects", &json!({ "class": "Author" }));
    }
    stage
}

#[test]
fn is_told_in_each_format() {
    let home = TempDir::new().unwrap();
    let names = ["step", "delete_class", "get_object", "param", "sleep", "wait_until"];
    for format in ["text", "json", "markdown", "definitions"] {
        let mut arguments = vec!["api", "--format", format];
        arguments.extend(names);
        run(home.path(), &arguments).exits(0).golden(&format!("api/{format}.txt"));
    }
    // All of a topic, as everything has it.
    let topic = run(home.path(), &["api", "transfer"]).exits(0).stdout;
    let all = run(home.path(), &["api"]).exits(0).stdout;
    assert!(all.contains(topic.trim()) && topic.contains("restore_class("));
    for line in all.lines() {
        assert!(line.chars().count() <= 80 || line.starts_with("        "), "{line}");
    }
    let whole = run(home.path(), &["api", "--format", "json"]).exits(0).stdout;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["topics"].as_array().unwrap().len(), 7);
}

#[test]
fn is_coloured_on_a_terminal_only() {
    let home = TempDir::new().unwrap();
    let mut command = support::program(home.path());
    command.args(["api", "delete_class"]).stdin(std::process::Stdio::inherit());
    let mut session = Session::spawn(command).unwrap();
    let said = String::from_utf8(session.expect(Eof).unwrap().as_bytes().to_vec()).unwrap();
    assert!(said.contains("\u{1b}[33mChanges\u{1b}[0m the class"), "{said:?}");
    assert!(!run(home.path(), &["api"]).exits(0).stdout.contains('\u{1b}'));
}

#[test]
fn a_name_that_is_none_has_a_suggestion() {
    let home = TempDir::new().unwrap();
    for (name, arguments) in [
        ("misspelt", &["api", "count", "delet_class"][..]),
        ("unknown", &["api", "Ünïcödé\u{1b}[31m"]),
        ("empty", &["api", ""]),
        ("format", &["api", "--format", "html"]),
    ] {
        run(home.path(), arguments).exits(2).golden(&format!("api/{name}.txt"));
    }
}

#[test]
fn docs_api_is_what_the_program_says() {
    let home = TempDir::new().unwrap();
    let said = run(home.path(), &["api", "--format", "markdown"]).exits(0).stdout;
    golden(&said, "docs/api.md");
}

/// Each grammar has three lists of names: primitives that change the cluster, that read it, and others.
#[test]
fn the_grammars_know_every_primitive() {
    for path in
        ["editors/vscode/syntaxes/runbook.tmLanguage.json", "editors/sublime/Rhai.sublime-syntax"]
    {
        let grammar = fs::read_to_string(file(path)).unwrap();
        let (begin, end) = (".:])(?:", ")(?=");
        let mut parts = grammar.split(begin);
        let mut text = parts.next().unwrap().to_owned();
        let lists = [Effect::Changes, Effect::Reads, Effect::Nothing].map(names);
        assert_eq!(parts.clone().count(), lists.len(), "{path}");
        for (list, part) in lists.iter().zip(parts) {
            let (_, rest) = part.split_once(end).unwrap();
            text.extend([begin, list, end, rest]);
        }
        golden(&text, path);
    }
}

fn names(effect: Effect) -> String {
    let named = primitives().into_iter().filter(|it| it.effect == effect).map(|it| it.name);
    named.collect::<Vec<_>>().join("|")
}

#[test]
fn the_files_for_editors_can_be_read() {
    let json = |path: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(file(path)).unwrap())
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let package = json("editors/vscode/package.json");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    let grammars = package["contributes"]["grammars"].as_array().unwrap();
    assert_eq!(grammars.len(), 2);
    for grammar in grammars {
        let found = json(&format!("editors/vscode/{}", grammar["path"].as_str().unwrap()));
        assert_eq!(found["scopeName"], grammar["scopeName"]);
    }
    json("editors/vscode/language-configuration.json");
    let sublime = fs::read_to_string(file("editors/sublime/Rhai.sublime-syntax")).unwrap();
    let sublime: Value = serde_saphyr::from_str(&sublime).unwrap();
    assert_eq!(sublime["scope"], "source.rhai");
}

fn golden(text: &str, path: &str) {
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(text, snapbox::Data::read_from(&file(path), None).raw());
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
