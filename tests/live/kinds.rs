//! Objects of every kind: all types of properties, references, vectors of all sorts, tenants.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::data::create;

/// Classes with objects of every kind.
pub(super) const CLASSES: [&str; 3] = ["Types", "Named", "Many"];

/// Objects of a class, by id.
pub(super) type Objects = BTreeMap<String, Value>;

/// Three classes with so many objects each: one vector with properties of every type and references
/// among themselves, named vectors and multi-vectors, twenty tenants.
pub(super) fn create_classes(cluster: &Cluster, count: u32, factor: u32) {
    let property = |(name, kind): &(&str, &str)| json!({"name": name, "dataType": [kind]});
    let mut properties: Vec<Value> = [
        ("text", "text"),
        ("texts", "text[]"),
        ("number", "number"),
        ("numbers", "number[]"),
        ("int", "int"),
        ("yes", "boolean"),
        ("date", "date"),
        ("uuid", "uuid"),
        ("blob", "blob"),
        ("place", "geoCoordinates"),
        ("phone", "phoneNumber"),
    ]
    .iter()
    .map(property)
    .collect();
    let inner = [("text", "text"), ("int", "int"), ("beacon", "text")];
    let inner: Vec<Value> = inner.iter().map(property).collect();
    properties.push(json!({"name": "object", "dataType": ["object"], "nestedProperties": inner}));
    let factor = json!({"factor": factor});
    create(
        cluster,
        &json!({"class": "Types", "properties": properties, "replicationConfig": factor}),
    );
    let other = json!({"name": "other", "dataType": ["Types"]});
    assert_eq!(cluster.post(0, "/v1/schema/Types/properties", &other).status, 200);
    let none = |kind: &str| json!({"vectorizer": {"none": {}}, "vectorIndexType": kind});
    let mut multi = none("hnsw");
    multi["vectorIndexConfig"] = json!({"multivector": {"enabled": true}});
    create(
        cluster,
        &json!({"class": "Named", "replicationConfig": factor,
            "properties": [{"name": "n", "dataType": ["int"]}],
            "vectorConfig": {"a": none("hnsw"), "b": none("flat"), "many": multi}}),
    );
    create(
        cluster,
        &json!({"class": "Many", "replicationConfig": factor,
            "multiTenancyConfig": {"enabled": true}}),
    );
    let named_so: Vec<Value> = tenants().map(|name| json!({"name": name})).collect();
    assert_eq!(cluster.post(0, "/v1/schema/Many/tenants", &json!(named_so)).status, 200);
    put(cluster, (0..count).map(typed));
    put(cluster, (0..count).step_by(3).map(|n| referring(n, count)));
    put(cluster, (0..count).map(named));
    let tenants: Vec<String> = tenants().collect();
    put(
        cluster,
        (0..count).map(|n| {
            let tenant = &tenants[n as usize % tenants.len()];
            json!({"class": "Many", "id": id(n), "tenant": tenant, "vector": vector(n)})
        }),
    );
}

fn tenants() -> impl Iterator<Item = String> {
    (0..20).map(|number| format!("t-{number}"))
}

fn named(n: u32) -> Value {
    let vectors = match n % 4 {
        0 => json!({"a": vector(n), "b": [1e-7, -0.1]}),
        1 => json!({"a": vector(n)}),
        2 => json!({"many": [vector(n), vector(n + 1)]}),
        _ => json!({}),
    };
    json!({"class": "Named", "id": id(n), "vectors": vectors, "properties": {"n": n}})
}

fn referring(n: u32, count: u32) -> Value {
    let mut object = typed(n);
    let to = |n: u32| json!({"beacon": format!("weaviate://localhost/Types/{}", id(n % count))});
    object["properties"]["other"] = json!([to(n * 7 + 1), to(n + 2)]);
    object
}

fn typed(n: u32) -> Value {
    json!({"class": "Types", "id": id(n), "vector": vector(n), "properties": {
        "text": format!("zwölf \"{n}\"\n\t<&> 🐝"),
        "texts": ["", "b"],
        "number": 0.1 + f64::from(n) / 3.0,
        "numbers": [1e300, -2.5e-9],
        "int": i64::from(n) - 9_007_199_254_740_991,
        "yes": n.is_multiple_of(2),
        "date": "2026-01-02T03:04:05.678901Z",
        "uuid": id(n + 7),
        "blob": "AAEC/w==",
        "place": {"latitude": f64::from(n) / 10.0, "longitude": -f64::from(n) / 7.0},
        "phone": {"input": "0171 1234567", "defaultCountry": "DE"},
        "object": {"text": "in", "int": n, "beacon": "weaviate://localhost/no/reference"},
    }})
}

/// Writes other versions of the first objects of each class, done when one replica has them.
pub(super) fn change_some(cluster: &Cluster, count: u32) {
    let (from, tenants): (u32, Vec<String>) = (count * 10, tenants().collect());
    let other = |mut object: Value, n: u32| {
        object["id"] = json!(id(n));
        object
    };
    put_on(cluster, (0..count).map(|n| other(typed(from + n), n)), "ONE");
    put_on(cluster, (0..count).map(|n| other(named(from + n), n)), "ONE");
    let many = (0..count).map(|n| {
        let tenant = &tenants[n as usize % tenants.len()];
        json!({"class": "Many", "id": id(n), "tenant": tenant, "vector": vector(from + n)})
    });
    put_on(cluster, many, "ONE");
}

fn put(cluster: &Cluster, objects: impl Iterator<Item = Value>) {
    put_on(cluster, objects, "ALL");
}

fn put_on(cluster: &Cluster, objects: impl Iterator<Item = Value>, level: &str) {
    let objects: Vec<Value> = objects.collect();
    for part in objects.chunks(500) {
        let path = format!("/v1/batch/objects?consistency_level={level}");
        let reply = cluster.post(0, &path, &json!({"objects": part}));
        let taken = reply.body.as_array().unwrap().iter();
        let taken = taken.filter(|it| it["result"]["status"] == "SUCCESS").count();
        assert_eq!(taken, part.len(), "{:?}", reply.body[0]);
    }
}

/// What a node lists of a class, or of each of its tenants.
pub(super) fn look(cluster: &Cluster, node: usize, class: &str) -> Objects {
    if class == "Many" {
        tenants().flat_map(|tenant| objects(cluster, node, class, Some(&tenant))).collect()
    } else {
        objects(cluster, node, class, None)
    }
}

/// What a node lists, without times. It reads its own replica.
pub(super) fn objects(
    cluster: &Cluster,
    node: usize,
    class: &str,
    tenant: Option<&str>,
) -> Objects {
    let tenant = tenant.map_or_else(String::new, |tenant| format!("&tenant={tenant}"));
    let (mut found, mut after) = (Objects::new(), String::new());
    loop {
        let place = format!("class={class}&limit=500&after={after}&include=vector{tenant}");
        let reply = cluster.get(node, &format!("/v1/objects?{place}"));
        let page = reply.body["objects"].as_array().cloned().unwrap_or_default();
        let Some(last) = page.last() else { return found };
        last["id"].as_str().unwrap().clone_into(&mut after);
        for mut object in page {
            let fields = object.as_object_mut().unwrap();
            fields.shift_remove("creationTimeUnix");
            fields.shift_remove("lastUpdateTimeUnix");
            found.insert(fields["id"].as_str().unwrap().to_owned(), object);
        }
    }
}

#[track_caller]
pub(super) fn assert_same(now: &Objects, before: &Objects, what: &str) {
    assert_eq!(now.len(), before.len(), "{what}");
    for (id, object) in before {
        // As text, so that every bit of a number counts.
        assert_eq!(now[id].to_string(), object.to_string(), "{what}");
    }
}

pub(super) fn id(number: u32) -> String {
    let spread = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{spread:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

pub(super) fn vector(number: u32) -> Vec<f64> {
    (1..=8).map(|at| f64::from(number * at % 97) / 97.0 - 0.3).collect()
}
