//! Classes of every make, each with some objects, for whatever looks at classes.

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::data::{create, id, vector};

/// Creates a class on every node with one vector to an object, as before vectors had names.
pub(super) fn create_with_one_vector(cluster: &Cluster, class: &str, objects: u128) {
    create(cluster, &replicated(class, json!({"vectorizer": "none"})));
    insert(cluster, class, objects, |number| json!({"vector": vector(number, 3)}));
}

/// Creates a class on every node with two vectors to an object, of different lengths.
pub(super) fn create_with_named_vectors(cluster: &Cluster, class: &str, objects: u128) {
    let vector_config = json!({
        "short": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"},
        "long": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"},
    });
    create(cluster, &replicated(class, json!({"vectorConfig": vector_config})));
    insert(
        cluster,
        class,
        objects,
        |number| json!({"vectors": {"short": vector(number, 2), "long": vector(number, 5)}}),
    );
}

/// Creates a class on every node with these tenants, each with so many objects; those that are not
/// to be active are closed afterwards.
pub(super) fn create_with_tenants(
    cluster: &Cluster,
    class: &str,
    active: &[&str],
    inactive: &[&str],
    objects: u128,
) {
    create(cluster, &replicated(class, json!({"multiTenancyConfig": {"enabled": true}})));
    let path = format!("/v1/schema/{class}/tenants");
    let named = |names: &[&str], status: &str| -> Vec<Value> {
        names.iter().map(|name| json!({"name": name, "activityStatus": status})).collect()
    };
    let all = [active, inactive].concat();
    let made = cluster.post(0, &path, &json!(named(&all, "ACTIVE")));
    assert_eq!(made.status, 200, "{:?}", made.body);
    for tenant in &all {
        insert(cluster, class, objects, |_| json!({"tenant": tenant}));
    }
    if !inactive.is_empty() {
        let closed = json!(named(inactive, "INACTIVE"));
        let reply = cluster.request(0, Method::PUT, &path).json(&closed).send();
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }
}

/// A class with factor 3.
fn replicated(class: &str, more: Value) -> Value {
    let mut definition = json!({
        "class": class,
        "properties": [{"name": "config_key", "dataType": ["text"]}],
        "replicationConfig": {"factor": 3},
    });
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    definition.as_object_mut().unwrap().extend(more);
    definition
}

/// Inserts objects on every replica, each with what is special about it.
fn insert(cluster: &Cluster, class: &str, count: u128, special: impl Fn(u128) -> Value) {
    let objects: Vec<Value> = (0..count)
        .map(|number| {
            let mut object = special(number);
            object["class"] = json!(class);
            object["id"] = json!(id(number));
            object["properties"] = json!({"config_key": format!("key {number}")});
            object
        })
        .collect();
    let path = "/v1/batch/objects?consistency_level=ALL";
    let reply = cluster.post(0, path, &json!({"objects": objects}));
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let results = reply.body.as_array().unwrap();
    assert!(results.iter().all(|it| it["result"]["status"] == "SUCCESS"), "{results:?}");
}
