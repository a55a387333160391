//! What `check` looks at, and how it tells.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::run;

fn write(home: &TempDir, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const LIBRARY: &str = "import \"lib/base\" as base;\nfn all() { base::every() }";

#[test]
fn a_folder_is_looked_into() {
    let home = TempDir::new().unwrap();
    write(
        &home,
        &[
            ("mine/a.rhai", "import \"lib/tools\" as tools;\nstep \"A\" { tools::all() }"),
            ("mine/a_test.rhai", "test \"A\" { expect(true); }"),
            ("mine/lib/tools.rhai", LIBRARY),
            ("mine/lib/base.rhai", "fn every() { nodes() }\nfn unused() { let x = 1; }"),
            ("mine/team/b.rhai", "step \"B\" { let found = nodes(); }"),
            ("mine/team/lib/base.rhai", "fn every() { nodes() }"),
            // Imported by none: its imports are looked up from the folder above.
            ("mine/team/lib/tools.rhai", LIBRARY),
            ("mine/.hidden/c.rhai", "nonsense"),
            ("mine/elysia.d.rhai", "nonsense"),
            ("mine/readme.md", "nonsense"),
            ("empty/.hidden/c.rhai", "nonsense"),
        ],
    );
    std::os::unix::fs::symlink("..", home.path().join("mine/loop")).unwrap();
    run(home.path(), &["check", "mine"]).exits(0).golden("check/folder.txt");
    run(home.path(), &["check", "mine", "--output", "json"])
        .exits(0)
        .golden("check/folder-json.txt");
    run(home.path(), &["check", "mine", "--strict", "mine/a.rhai"]).exits(3);
    run(home.path(), &["check", "empty"]).exits(2).golden("check/folder-empty.txt");
    run(home.path(), &["check", "mine/lib/tools.rhai"]).exits(0).says("tools.rhai: 1 function, no");
    // A folder and a shipped runbook of one name: as `run` has it.
    fs::create_dir(home.path().join("cluster-health")).unwrap();
    run(home.path(), &["check", "cluster-health"]).exits(0).says("5 steps, no fault found");
    run(home.path(), &["check", "cluster-health/"]).exits(2).says("there is no `*.rhai`");
}

#[test]
fn every_fault_is_told_once_and_the_worst_counts() {
    let home = TempDir::new().unwrap();
    write(
        &home,
        &[
            ("all/a.rhai", "import \"lib/bad\" as bad;\nstep \"A\" { bad::f() }"),
            ("all/b.rhai", "import \"lib/bad\" as bad;\nstep \"B\" { let n = bad::f(); }"),
            ("all/lib/bad.rhai", "fn f() { nodse() }"),
            ("all/c.rhai", "step \"C\" { note(\"äöü\") nodes() }"),
            ("all/d.rhai", ""),
        ],
    );
    fs::write(home.path().join("all/e.rhai"), b"\xff").unwrap();
    run(home.path(), &["check", "all"]).exits(3).golden("check/faults.txt");
    run(home.path(), &["check", "all", "--output", "json"])
        .exits(3)
        .golden("check/faults-json.txt");
    // What can't be found is told beside it.
    run(home.path(), &["check", "none", "all", "--output", "json"])
        .exits(3)
        .says("there is no runbook `none`")
        .says("\"unknown-function\"");
    run(home.path(), &["check", "none", "--output", "json"]).exits(2).says("[]");
}

/// The docs tell the shape of what an editor reads.
#[test]
fn the_fields_are_documented() {
    let home = TempDir::new().unwrap();
    write(&home, &[("a.rhai", "step \"A\" { nodse() }")]);
    let said = run(home.path(), &["check", "a", "--output", "json"]).exits(3).stdout;
    let found: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(&said).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/editors.md");
    let docs = fs::read_to_string(docs).unwrap();
    for field in found[0].keys() {
        assert!(docs.contains(&format!("`{field}`")), "{field}");
    }
}
