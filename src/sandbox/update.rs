//! What `PUT /v1/schema/CLASS` may change in a class, and what it makes of it.
//!
//! Pure: knows the class as it is and as it was sent, not the cluster.

use serde_json::Value;

use super::class::{Class, Object};
use super::defaults;

/// Why a class cannot be changed so.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Said by the node that was asked.
    Here(String),
    /// Said by the leader, and passed on.
    Leader(String),
}

/// Returns the new configuration, or why this cannot be changed.
pub(super) fn updated(class: &Class, sent: &Object) -> Result<Object, Refusal> {
    let mut config = defaults::complete(sent, class.shards.len());
    // What was decided when the class was made stays.
    config.insert("shardingConfig".into(), part(&class.config, "shardingConfig"));
    forget(&mut config, sent);

    let new = config["class"].as_str().unwrap_or_default();
    if new != class.name() {
        return Err(Refusal::Here(immutable("class name", class.name(), new)));
    }
    let text = |config: &Object, key: &str| {
        config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (old, new) = (text(&class.config, "vectorizer"), text(&config, "vectorizer"));
    if old != new {
        return Err(Refusal::Leader(immutable("vectorizer", &old, &new)));
    }
    let (old, new) = (part(&class.config, "properties"), part(&config, "properties"));
    if without_descriptions(&old) != without_descriptions(&new) {
        return Err(Refusal::Leader(
            "property fields other than description cannot be updated through updating the class. \
             Use the add property feature (e.g. \"POST /v1/schema/{className}/properties\") to add \
             additional properties"
                .to_owned(),
        ));
    }
    let factor = config["replicationConfig"]["factor"].as_u64().unwrap_or(1);
    let short = class.shards.iter().find(|(_, shard)| (shard.replicas.len() as u64) < factor);
    if let Some((shard, _)) = short {
        return Err(Refusal::Here(format!(
            "not enough replicas in shard \"{shard}\" to increase replication factor to {factor} \
             for class \"{}\"",
            class.name()
        )));
    }
    Ok(config)
}

/// Leaves out what was not sent of the settings for tenants and replication: the server
/// keeps these two as they came.
fn forget(config: &mut Object, sent: &Object) {
    if sent.get("multiTenancyConfig").is_none_or(Value::is_null) {
        config.shift_remove("multiTenancyConfig");
    }
    let strategy = sent.get("replicationConfig").and_then(|sent| sent.get("deletionStrategy"));
    let replication = config.get_mut("replicationConfig").and_then(Value::as_object_mut);
    if let (None, Some(replication)) = (strategy, replication) {
        replication.shift_remove("deletionStrategy");
    }
}

fn part(config: &Object, key: &str) -> Value {
    config.get(key).cloned().unwrap_or_default()
}

fn immutable(what: &str, old: &str, new: &str) -> String {
    format!("{what} is immutable: attempted change from \"{old}\" to \"{new}\"")
}

fn without_descriptions(properties: &Value) -> Vec<Value> {
    let mut properties = properties.as_array().cloned().unwrap_or_default();
    for property in properties.iter_mut().filter_map(Value::as_object_mut) {
        property.shift_remove("description");
    }
    properties
}
