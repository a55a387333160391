//! What the docs show can be used: YAML is YAML, and the configuration is one that the program takes.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;

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
