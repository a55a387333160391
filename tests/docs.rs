//! What the docs show can be used: YAML is YAML, and the configuration is one that the program takes.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

#[test]
fn yaml_can_be_read() {
    for (file, blocks) in [("kubernetes.md", 1), ("ci.md", 3)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
        let text = fs::read_to_string(path).unwrap();
        let shown: Vec<_> = text.split("```yaml\n").skip(1).collect();
        assert_eq!(shown.len(), blocks, "{file}");
        for block in shown {
            let yaml = block.split("```").next().unwrap();
            for document in yaml.split("---\n") {
                serde_saphyr::from_str::<serde_json::Value>(document).unwrap();
            }
        }
    }
}

#[test]
fn the_configuration_is_understood() {
    let home = TempDir::new().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/elysia-runbook.toml");
    fs::copy(path, home.path().join("elysia-runbook.toml")).unwrap();
    // All of it is understood where the first that is missing is the key's file.
    run_prod(&home).says("`api_key_file` /etc/elysia-runbook/key can't be used");
}

fn run_prod(home: &TempDir) -> support::Ended {
    support::run(home.path(), &["run", "cluster-health", "--cluster", "prod"]).exits(2)
}

/// Every runbook and test of the first parts of writing-runbooks.md is written where the text says, and
/// every command is run there and says what is shown; those of the other parts are checked.
#[test]
fn what_writing_runbooks_shows_is_so() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/writing-runbooks.md");
    let text = fs::read_to_string(path).unwrap();
    let home = TempDir::new().unwrap();
    let (mut written, mut run, mut before) = (0, 0, String::new());
    for (nth, part) in text.split("```").enumerate() {
        if nth % 2 == 0 {
            part.clone_into(&mut before);
        } else if let Some(script) = part.strip_prefix("rhai\n") {
            let named = before.rsplit('`').find(|name| name.starts_with("runbooks/"));
            match named {
                Some(file) => {
                    fs::write(home.path().join(file), script).unwrap();
                    written += 1;
                }
                None => check_snippet(script),
            }
        } else if let Some(console) = part.strip_prefix("console\n") {
            run += run_all(&home, console);
        }
    }
    assert_eq!((written, run), (2, 7));
}

/// What is shown of the language alone is a part of a runbook.
fn check_snippet(script: &str) {
    let home = TempDir::new().unwrap();
    let whole =
        format!("let class = param(\"class\", \"Article\");\n{script}\nstep \"End\" {{ class }}");
    let whole = whole.replace("let objects = ();", "step \"Count\" { let objects = ();");
    let whole = if whole.contains("{ let objects") {
        whole.replace("}\n\nstep \"End\"", "} }\nstep \"End\"")
    } else {
        whole
    };
    fs::write(home.path().join("part.rhai"), &whole).unwrap();
    support::run(home.path(), &["check", "part"]).exits(0);
}

/// Runs the commands that a reader without a cluster of that name can run. Returns how many.
fn run_all(home: &TempDir, console: &str) -> usize {
    let mut run = 0;
    for entry in console.split("$ ").skip(1) {
        let (command, shown) = entry.split_once('\n').unwrap();
        if command.contains("--cluster prod") {
            continue;
        }
        run += 1;
        let Some(words) = command.strip_prefix("elysia-runbook ") else {
            let status = Command::new("sh").args(["-c", command]).current_dir(home.path()).status();
            assert!(status.unwrap().success(), "{command}");
            continue;
        };
        let words: Vec<&str> = words.split(' ').collect();
        let ended = support::run(home.path(), &words);
        let refused = words.contains(&"--dry-run");
        assert_eq!(ended.code, Some(if refused { 5 } else { 0 }), "{}", ended.transcript());
        if !shown.is_empty() {
            assert_eq!(ended.stdout, shown, "{command}\n{}", ended.stderr);
        }
    }
    run
}
