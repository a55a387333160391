//! What is built into the program: the shipped runbooks, their tests and their libraries.

use super::Source;

/// The shipped files, by name without `.rhai`.
const SHIPPED: &[(&str, &str)] = &[
    ("backup-nodes", include_str!("../../runbooks/backup-nodes.rhai")),
    ("backup-nodes_test", include_str!("../../runbooks/backup-nodes_test.rhai")),
    ("cluster-health", include_str!("../../runbooks/cluster-health.rhai")),
    ("cluster-health_test", include_str!("../../runbooks/cluster-health_test.rhai")),
    ("config-replication", include_str!("../../runbooks/config-replication.rhai")),
    ("config-replication_test", include_str!("../../runbooks/config-replication_test.rhai")),
    ("diagnose-raft", include_str!("../../runbooks/diagnose-raft.rhai")),
    ("diagnose-raft_test", include_str!("../../runbooks/diagnose-raft_test.rhai")),
    ("diagnose-shards", include_str!("../../runbooks/diagnose-shards.rhai")),
    ("diagnose-shards_test", include_str!("../../runbooks/diagnose-shards_test.rhai")),
    ("force-schema-replication", include_str!("../../runbooks/force-schema-replication.rhai")),
    (
        "force-schema-replication_test",
        include_str!("../../runbooks/force-schema-replication_test.rhai"),
    ),
    ("recreate-with-data", include_str!("../../runbooks/recreate-with-data.rhai")),
    ("recreate-with-data_test", include_str!("../../runbooks/recreate-with-data_test.rhai")),
    ("replication-lag", include_str!("../../runbooks/replication-lag.rhai")),
    ("replication-lag_test", include_str!("../../runbooks/replication-lag_test.rhai")),
    ("restore-class", include_str!("../../runbooks/restore-class.rhai")),
    ("restore-class_test", include_str!("../../runbooks/restore-class_test.rhai")),
    ("resync-replicas", include_str!("../../runbooks/resync-replicas.rhai")),
    ("resync-replicas_test", include_str!("../../runbooks/resync-replicas_test.rhai")),
    ("scale-replicas", include_str!("../../runbooks/scale-replicas.rhai")),
    ("scale-replicas_test", include_str!("../../runbooks/scale-replicas_test.rhai")),
    ("lib/health", include_str!("../../runbooks/lib/health.rhai")),
    ("lib/raft", include_str!("../../runbooks/lib/raft.rhai")),
    ("lib/replication", include_str!("../../runbooks/lib/replication.rhai")),
];

/// Returns the names of the shipped runbooks.
pub fn shipped() -> impl Iterator<Item = &'static str> {
    let is_runbook = |name: &&str| !name.starts_with("lib/") && !name.ends_with("_test");
    SHIPPED.iter().map(|(name, _)| *name).filter(is_runbook)
}

/// Returns a shipped file: a runbook, its test (`NAME_test`), or a library (`lib/NAME`).
#[must_use]
pub fn built_in(name: &str) -> Option<Source> {
    let name = name.strip_suffix(".rhai").unwrap_or(name);
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(name, text)| Source {
        name: (*name).into(),
        display: format!("{name}.rhai"),
        folder: None,
        text: (*text).into(),
        is_import: name.starts_with("lib/"),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_runbook_and_its_test_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
        for (folder, before) in [(folder.clone(), ""), (folder.join("lib"), "lib/")] {
            for entry in std::fs::read_dir(folder).expect("the folder") {
                let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
                let Some(name) = name.strip_suffix(".rhai") else { continue };
                assert!(built_in(&format!("{before}{name}")).is_some(), "{name} is not built in");
            }
        }
        for name in shipped() {
            assert!(built_in(&format!("{name}_test")).is_some(), "{name} has no test");
        }
    }
}
