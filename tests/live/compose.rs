//! Reads `docker-compose.yaml`: the environment that each node of a cluster is started with.
//!
//! Knows the file and nothing of this machine; `cluster` turns its container addresses into local
//! ones.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The environment of one node, by variable.
pub(super) type Environment = BTreeMap<String, String>;

#[derive(Deserialize)]
struct File {
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    environment: Environment,
}

/// Returns the environments of the nodes in the order of their names, anchors and merge keys resolved.
pub(super) fn environments() -> Vec<Environment> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let file: File = serde_saphyr::from_str(&text)
        .unwrap_or_else(|error| panic!("{path} is not valid: {error}"));
    file.services.into_values().map(|service| service.environment).collect()
}
