//! The README's outputs are real: every command in it that shows an output is run, and must say it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

#[test]
fn shows_what_the_program_says() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let home = TempDir::new().unwrap();
    // The repository is where the README's commands are run.
    std::os::unix::fs::symlink(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks"),
        home.path().join("runbooks"),
    )
    .unwrap();
    let script = block(&readme, "```rhai\n").next().unwrap();
    fs::write(home.path().join("check-all.rhai"), script).unwrap();
    let mut compared = 0;
    // Where nothing was copied yet.
    let fresh = TempDir::new().unwrap();
    for console in block(&readme, "```console\n") {
        for (command, shown) in commands(console) {
            let words: Vec<_> = command.split_whitespace().collect();
            let (["cargo", "run", "--release", "--", arguments @ ..]
            | ["elysia-runbook", arguments @ ..]) = &words[..]
            else {
                continue;
            };
            if shown.is_empty() && !arguments.contains(&"--sandbox=healthy") {
                continue;
            }
            // What is shown of `cluster-health` has something to find.
            let code = if arguments.contains(&"cluster-health") { 4 } else { 0 };
            let here = if arguments.contains(&"eject") { &fresh } else { &home };
            let ended = support::run(here.path(), arguments).exits(code);
            // Progress and results are two streams; which line comes first is the terminal's.
            let said: BTreeSet<_> = ended.stdout.lines().chain(ended.stderr.lines()).collect();
            for line in &shown {
                assert!(said.contains(line), "{line:?} is not in\n{}", ended.transcript());
            }
            if !shown.is_empty() {
                let shown: BTreeSet<_> = shown.into_iter().collect();
                assert_eq!(said.len(), shown.len(), "{}", ended.transcript());
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 8);
}

fn block<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split("```").next())
}

fn commands(console: &str) -> Vec<(String, Vec<&str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = vec![];
    for line in console.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.into(), vec![])),
            (None, Some((command, _))) if command.ends_with('\\') => command.push_str(line),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => {}
        }
    }
    commands
}
