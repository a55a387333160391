//! What a shell is offered: asked as bash asks, for names of runbooks, parameters and clusters.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// Returns what bash is offered for the last of these words.
fn offered(home: &Path, words: &[&str]) -> Vec<String> {
    let output = support::program(home)
        .env("COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .args(["--", "elysia-runbook"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(Into::into).collect()
}

#[test]
fn runbooks_parameters_and_clusters() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("mine.rhai"), "step \"A\" { nodes() }").unwrap();
    fs::write(home.path().join("elysia-runbook.toml"), "[clusters.prod]\n[clusters.test]\n")
        .unwrap();
    assert_eq!(offered(home.path(), &["run", "mi"]), ["mine"]);
    assert_eq!(offered(home.path(), &["show", "config"]), ["config-replication"]);
    assert_eq!(offered(home.path(), &["eject", "scale"]), ["scale-replicas"]);
    assert_eq!(offered(home.path(), &["api", "delete_cl"]), ["delete_class"]);
    fs::create_dir_all(home.path().join("books/more")).unwrap();
    fs::write(home.path().join("books/own_test.rhai"), "").unwrap();
    fs::write(home.path().join("books/own.txt"), "").unwrap();
    for command in ["run", "check", "test"] {
        let books = offered(home.path(), &[command, "books/"]);
        assert_eq!(books, ["books/more/", "books/own_test.rhai"], "{command}");
    }
    assert_eq!(offered(home.path(), &["test", "bo"]), ["books/"]);
    let set = offered(home.path(), &["run", "config-replication", "--set", "cl"]);
    assert_eq!(set, ["class="]);
    assert_eq!(offered(home.path(), &["run", "mine", "--cluster", "p"]), ["prod"]);
}

#[test]
fn what_is_broken_is_not_offered_and_nothing_is_said() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("broken.rhai"), "step {").unwrap();
    fs::write(home.path().join("elysia-runbook.toml"), "[clusters").unwrap();
    assert!(offered(home.path(), &["run", "broken", "--set", "x"]).is_empty());
    assert!(offered(home.path(), &["run", "broken", "--cluster", "x"]).is_empty());
}

#[test]
fn every_shell_gets_a_script_and_man_a_page() {
    let home = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        support::run(home.path(), &["completions", shell]).exits(0).says("elysia-runbook");
    }
    support::run(home.path(), &["completions", "tcsh"]).exits(2);
    support::run(home.path(), &["man"]).exits(0).golden("completions/man.txt");
}

/// As a person has it: the script is sourced, and bash calls what it registered when tab is pressed.
#[test]
fn bash_itself_completes() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("elysia-runbook.toml"), "[clusters.prod]\nnodes = []\n").unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_elysia-runbook")).parent().unwrap();
    let script = r#"
        PATH="$1:$PATH"
        source <(elysia-runbook completions bash)
        registered=$(complete -p elysia-runbook)
        function=${registered#*-F }
        function=${function%% *}
        press_tab() {
            COMP_WORDS=(elysia-runbook "$@")
            COMP_CWORD=$#
            COMP_LINE="elysia-runbook $*"
            COMP_POINT=${#COMP_LINE}
            COMP_TYPE=9
            COMPREPLY=()
            "$function" elysia-runbook "${!#}" ""
            echo "${COMPREPLY[*]}"
        }
        press_tab run config-re
        press_tab run config-replication --set fac
        press_tab run config-replication --cluster p
        press_tab run config-replication --dry
    "#;
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .arg(bin)
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    assert_eq!(lines, ["config-replication", "factor=", "prod", "--dry-run"]);
}
