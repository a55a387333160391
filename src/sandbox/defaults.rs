//! What the server adds to the configuration of a class: every default, in
//! the order in which it writes them.
//!
//! Only fills in; what is not allowed is refused in `checks`.

use serde_json::{Map, Value, json};

use super::class::{Object, class_name};

/// Completes a class as it was sent, for a cluster in which `nodes` nodes can be found.
pub(super) fn complete(sent: &Object, nodes: usize) -> Object {
    let given = |key: &str| sent.get(key).filter(|value| !value.is_null()).cloned();
    let mut class = Map::new();
    let name = class_name(sent.get("class").and_then(Value::as_str).unwrap_or_default());
    class.insert("class".into(), json!(name));
    if let Some(description) = given("description").filter(|text| text != "") {
        class.insert("description".into(), description);
    }
    class.insert("invertedIndexConfig".into(), inverted_index(sent.get("invertedIndexConfig")));
    if let Some(modules) = given("moduleConfig") {
        class.insert("moduleConfig".into(), modules);
    }
    let tenancy = json!({
        "autoTenantActivation": false, "autoTenantCreation": false, "enabled": false,
    });
    let tenancy = overlaid(tenancy, sent.get("multiTenancyConfig"));
    let has_tenants = tenancy["enabled"] == true;
    class.insert("multiTenancyConfig".into(), tenancy);
    class.insert("properties".into(), properties(sent.get("properties")));
    let sharding =
        if has_tenants { no_sharding() } else { sharding(sent.get("shardingConfig"), nodes) };
    class.insert("shardingConfig".into(), sharding);
    let vectors = sent.get("vectorConfig").and_then(Value::as_object);
    if let Some(vectors) = vectors.filter(|vectors| !vectors.is_empty()) {
        let vectors = vectors.iter().map(|(name, vector)| (name.clone(), named_vector(vector)));
        class.insert("vectorConfig".into(), Value::Object(vectors.collect()));
    } else {
        let kind = given("vectorIndexType").unwrap_or(json!("hnsw"));
        let config = overlaid(vector_index(&kind), sent.get("vectorIndexConfig"));
        class.insert("vectorIndexConfig".into(), config);
        class.insert("vectorIndexType".into(), kind);
        class.insert("vectorizer".into(), given("vectorizer").unwrap_or(json!("none")));
    }
    class.insert("replicationConfig".into(), replication(sent.get("replicationConfig")));
    class
}

/// Completes properties; `null` where none were sent.
fn properties(sent: Option<&Value>) -> Value {
    let Some(list) = sent.and_then(Value::as_array) else { return Value::Null };
    list.iter().map(property).collect()
}

/// Completes one property, nested ones included.
pub(super) fn property(sent: &Value) -> Value {
    let given = |key: &str| sent.get(key).filter(|value| !value.is_null()).cloned();
    let data_type = given("dataType").unwrap_or(json!([]));
    let text = matches!(data_type[0].as_str(), Some("text" | "text[]" | "string" | "string[]"));
    let mut property = Map::new();
    property.insert("dataType".into(), data_type);
    if let Some(description) = given("description").filter(|text| text != "") {
        property.insert("description".into(), description);
    }
    for (key, default) in
        [("indexFilterable", true), ("indexRangeFilters", false), ("indexSearchable", text)]
    {
        property.insert(key.into(), given(key).unwrap_or(json!(default)));
    }
    if let Some(modules) = given("moduleConfig") {
        property.insert("moduleConfig".into(), modules);
    }
    property.insert("name".into(), given("name").unwrap_or(json!("")));
    if let Some(nested) = given("nestedProperties") {
        property.insert("nestedProperties".into(), properties(Some(&nested)));
    }
    if text {
        let tokenization = given("tokenization").filter(|text| text != "");
        property.insert("tokenization".into(), tokenization.unwrap_or(json!("word")));
    }
    Value::Object(property)
}

fn inverted_index(sent: Option<&Value>) -> Value {
    let defaults = json!({
        "bm25": { "b": 0.75, "k1": 1.2 },
        "cleanupIntervalSeconds": 60,
        "indexNullState": false,
        "indexPropertyLength": false,
        "indexTimestamps": false,
        "stopwords": { "additions": null, "preset": "en", "removals": null },
        "usingBlockMaxWAND": true,
    });
    let mut config = overlaid(defaults, sent);
    if let Some(config) = config.as_object_mut() {
        // Go leaves these three out when they are false.
        config.retain(|key, value| !key.starts_with("index") || *value == true);
    }
    config
}

fn sharding(sent: Option<&Value>, nodes: usize) -> Value {
    let sent_number = |key: &str| sent.and_then(|sent| sent.get(key)).and_then(Value::as_u64);
    let per_shard = sent_number("virtualPerPhysical").filter(|&count| count > 0).unwrap_or(128);
    let count = sent_number("desiredCount").filter(|&count| count > 0).unwrap_or(nodes as u64);
    let virtuals = count * per_shard;
    json!({
        "virtualPerPhysical": per_shard,
        "desiredCount": count,
        "actualCount": count,
        "desiredVirtualCount": virtuals,
        "actualVirtualCount": virtuals,
        "key": "_id",
        "strategy": "hash",
        "function": "murmur3",
    })
}

fn no_sharding() -> Value {
    json!({
        "virtualPerPhysical": 0,
        "desiredCount": 0,
        "actualCount": 0,
        "desiredVirtualCount": 0,
        "actualVirtualCount": 0,
        "key": "",
        "strategy": "",
        "function": "",
    })
}

/// The factor as sent, at least 1; whether replicas repair themselves follows from it.
fn replication(sent: Option<&Value>) -> Value {
    let get = |key: &str| sent.and_then(|sent| sent.get(key)).filter(|value| !value.is_null());
    let factor = get("factor").and_then(Value::as_u64).unwrap_or(1).max(1);
    let strategy = get("deletionStrategy").cloned().unwrap_or(json!("TimeBasedResolution"));
    json!({ "deletionStrategy": strategy, "factor": factor, "asyncEnabled": factor > 1 })
}

fn named_vector(sent: &Value) -> Value {
    let kind =
        sent.get("vectorIndexType").filter(|kind| *kind != "").cloned().unwrap_or(json!("hnsw"));
    json!({
        "vectorIndexConfig": overlaid(vector_index(&kind), sent.get("vectorIndexConfig")),
        "vectorIndexType": kind,
        "vectorizer": sent.get("vectorizer").cloned().unwrap_or(json!({ "none": {} })),
    })
}

fn vector_index(kind: &Value) -> Value {
    let small = json!({ "enabled": false, "rescoreLimit": -1, "cache": false });
    if kind == "flat" {
        return json!({
            "distance": "cosine",
            "vectorCacheMaxObjects": 1_000_000_000_000_u64,
            "pq": small,
            "bq": small,
            "sq": small,
            "rq": { "enabled": false, "rescoreLimit": -1, "cache": false, "bits": 8 },
            "skipDefaultQuantization": false,
            "trackDefaultQuantization": false,
        });
    }
    json!({
        "skip": false,
        "cleanupIntervalSeconds": 300,
        "maxConnections": 32,
        "efConstruction": 128,
        "ef": -1,
        "dynamicEfMin": 100,
        "dynamicEfMax": 500,
        "dynamicEfFactor": 8,
        "vectorCacheMaxObjects": 1_000_000_000_000_u64,
        "flatSearchCutoff": 40000,
        "distance": "cosine",
        "pq": {
            "enabled": false, "bitCompression": false, "segments": 0, "centroids": 256,
            "trainingLimit": 100_000,
            "encoder": { "type": "kmeans", "distribution": "log-normal" },
        },
        "bq": { "enabled": false },
        "sq": { "enabled": false, "trainingLimit": 100_000, "rescoreLimit": 20 },
        "rq": { "enabled": false, "bits": 8, "rescoreLimit": 20 },
        "filterStrategy": "acorn",
        "multivector": {
            "enabled": false,
            "muvera": { "enabled": false, "ksim": 4, "dprojections": 16, "repetitions": 10 },
            "aggregation": "maxSim",
        },
        "skipDefaultQuantization": false,
        "trackDefaultQuantization": false,
    })
}

/// Puts what was sent over the defaults; keys which the server does not know are dropped.
fn overlaid(mut defaults: Value, sent: Option<&Value>) -> Value {
    let Some(sent) = sent.and_then(Value::as_object) else { return defaults };
    if let Some(defaults) = defaults.as_object_mut() {
        for (key, default) in defaults.iter_mut() {
            match sent.get(key) {
                None | Some(Value::Null) => {}
                Some(value) if default.is_object() => {
                    *default = overlaid(default.take(), Some(value));
                }
                Some(value) => *default = value.clone(),
            }
        }
    }
    defaults
}
