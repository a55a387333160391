//! The hooks: what is staged is checked, and a fault keeps it from being committed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const GOOD: &str = "step \"A\" { nodes() }\n";
const BAD: &str = "step \"A\" { nodse() }\n";

struct Repository {
    folder: TempDir,
    path: String,
}

impl Repository {
    fn new() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_elysia-runbook")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.display());
        let repository = Self { folder: TempDir::new().unwrap(), path };
        assert!(repository.git(&["init", "--quiet"]).0);
        repository
    }

    fn git(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) -> (bool, String) {
        self.git(&["commit", "--quiet", "--message", "x"])
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_hook_of_the_docs_keeps_a_fault_from_being_committed() {
    let docs = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let hook = docs.split("```sh\n").find(|block| block.starts_with("#!/bin/sh")).unwrap();
    let hook = hook.split("```").next().unwrap();
    let repository = Repository::new();
    repository.write(".git/hooks/pre-commit", hook);
    let path = repository.folder.path().join(".git/hooks/pre-commit");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();

    // Where there is no runbook yet, there is nothing to check.
    repository.write("README.md", "Ours.\n");
    repository.git(&["add", "."]);
    assert_eq!(repository.commit(), (true, String::new()));

    repository.write("runbooks/mine.rhai", BAD);
    repository.git(&["add", "."]);
    // What lies in the folder is not what would be committed.
    repository.write("runbooks/mine.rhai", GOOD);
    let (committed, said) = repository.commit();
    assert!(!committed);
    assert!(said.contains("there is no function `nodse`"), "{said}");
    assert!(said.contains("--> runbooks/mine.rhai:1:12"), "{said}");

    repository.git(&["add", "."]);
    repository.write("runbooks/mine.rhai", BAD);
    let (committed, said) = repository.commit();
    assert!(committed, "{said}");

    // A commit that takes the last runbook away.
    repository.git(&["rm", "--quiet", "--force", "runbooks/mine.rhai"]);
    let (committed, said) = repository.commit();
    assert!(committed, "{said}");
}

/// `.pre-commit-hooks.yaml` names a command that does it.
#[test]
fn the_hooks_for_pre_commit_run_the_check() {
    let text = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Vec<serde_json::Value> = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in &hooks {
        let entry: Vec<_> = hook["entry"].as_str().unwrap().split(' ').collect();
        let arguments = hook["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join("runbooks")).unwrap();
        let all: Vec<_> = entry[1..].iter().copied().chain(arguments).collect();
        assert_eq!(entry[0], "elysia-runbook");
        for (text, code) in [(GOOD, 0), (BAD, 3)] {
            fs::write(home.path().join("runbooks/mine.rhai"), text).unwrap();
            crate::support::run(home.path(), &all).exits(code);
        }
    }
    let docs = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for hook in &hooks {
        assert!(docs.contains(&format!("`{}`", hook["id"].as_str().unwrap())));
    }
}
