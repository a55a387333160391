//! Backups of nodes and what is restored from them, compared object by object on every node.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::data::create;
use super::incident::split;
use super::local::Settings;
use super::program::{Finished, Program};
use super::view::wait;

/// Objects of a class, by id.
type Objects = BTreeMap<String, Value>;

#[test]
#[ignore = "needs a Weaviate server"]
fn every_object_of_a_class_comes_back_on_every_node() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create_classes(&cluster);
    let scopes = [("Types", None), ("Named", None), ("Many", Some("t1")), ("Many", Some("t-2"))];
    let look = |node| scopes.map(|(class, tenant)| objects(&cluster, node, class, tenant));
    let before = look(0);
    assert_eq!(before.each_ref().map(BTreeMap::len), [200, 200, 60, 40]);

    let program = Program::new();
    let finished = back_up(&program, &cluster).expect(0);
    assert!(finished.commands().is_empty());
    for class in ["Types", "Named", "Many"] {
        let path = format!("/v1/schema/{class}");
        assert_eq!(cluster.request(0, Method::DELETE, &path).send().status, 200);
    }
    for (class, from) in [("Types", "node1"), ("Named", "node2"), ("Many", "node3")] {
        restore(&program, &cluster, class, from).expect(0).says(&["0 there already"]);
        cluster.expect_everywhere(class);
    }
    for node in 0..NODES {
        for ((now, before), scope) in look(node).iter().zip(&before).zip(scopes) {
            assert_same(now, before, &format!("{scope:?} at node {}", node + 1));
        }
    }
    // Once more: nothing is written twice, and what was written since stays.
    let (lost, newer) = {
        let mut ids = before[0].keys();
        (ids.next().unwrap().clone(), ids.next().unwrap().clone())
    };
    let path = format!("/v1/objects/Types/{lost}");
    assert_eq!(cluster.request(0, Method::DELETE, &path).send().status, 204);
    let change = json!({"class": "Types", "id": newer, "properties": {"text": "since"}});
    let path = format!("/v1/objects/Types/{newer}?consistency_level=ALL");
    assert_eq!(cluster.request(0, Method::PUT, &path).json(&change).send().status, 200);
    let again = ["1 imported, 199 there already"];
    restore(&program, &cluster, "Types", "node3").expect(0).says(&again);
    let now = objects(&cluster, 1, "Types", None);
    assert_eq!(now[&lost], before[0][&lost]);
    assert_eq!(now[&newer]["properties"], json!({"text": "since"}));
}

#[test]
#[ignore = "needs a Weaviate server"]
fn what_only_one_node_of_a_split_cluster_had_comes_back_after_the_repair() {
    let _turn = turn();
    let mut broken = split("OnOne");
    let only_two = json!({"class": "OnTwo", "replicationConfig": {"factor": 3},
        "properties": [{"name": "n", "dataType": ["int"]}]});
    assert_eq!(broken.post(1, "/v1/schema", &only_two).status, 200);
    for (node, class) in [(0, "OnOne"), (1, "OnTwo")] {
        let objects: Vec<Value> = (0..250)
            .map(|n| json!({"class": class, "id": id(n), "vector": vector(n), "properties": {}}))
            .collect();
        let path = "/v1/batch/objects?consistency_level=ONE";
        let reply = broken.post(node, path, &json!({"objects": objects}));
        let failed = reply.body.as_array().unwrap().iter();
        let failed = failed.filter(|it| it["result"]["status"] != "SUCCESS").count();
        assert_eq!(failed, 0, "{:?}", reply.body[0]);
    }
    let before = objects(&broken, 1, "OnTwo", None);
    assert_eq!(before.len(), 250);
    let program = Program::new();
    let began = std::time::Instant::now();
    back_up(&program, &broken).expect(0).says(&["1 classes with 250 objects"]);
    eprintln!("saved a split cluster in {:?}", began.elapsed());
    broken.stop();

    let mut cluster = broken.copy(Settings::default());
    for node in [1, 2] {
        std::fs::remove_dir_all(cluster.data(node).join("raft")).unwrap();
    }
    cluster.start();
    cluster.wait_until_agreed();
    cluster.wait_until_present("OnOne");
    assert_eq!(cluster.presence("OnTwo"), [false; NODES]);
    restore(&program, &cluster, "OnTwo", "node2").expect(0).says(&["250 imported"]);
    cluster.expect_everywhere("OnTwo");
    for node in 0..NODES {
        assert_same(&objects(&cluster, node, "OnTwo", None), &before, "OnTwo");
    }
    // What was written to one node alone reaches the others some time, or when it is restored too.
    let there = |node| objects(&cluster, node, "OnOne", None).len();
    let began = std::time::Instant::now();
    let all = wait(Duration::from_secs(20), || (0..NODES).all(|node| there(node) == 250));
    let there: Vec<_> = (0..NODES).map(there).collect();
    eprintln!("OnOne after {:?}: {there:?}, all: {all}", began.elapsed());
    restore(&program, &cluster, "OnOne", "node1").expect(0);
    for node in 0..NODES {
        assert_eq!(objects(&cluster, node, "OnOne", None).len(), 250, "at node {}", node + 1);
    }
}

fn back_up(program: &Program, cluster: &Cluster) -> Finished {
    program.start_any(cluster, "backup-nodes", &["--set", "folder=saved"]).finish()
}

fn restore(program: &Program, cluster: &Cluster, class: &str, from: &str) -> Finished {
    let (class, from) = (format!("class={class}"), format!("from={from}"));
    let set = ["--set", &class, "--set", &from, "--set", "folder=saved"];
    program.run(cluster, "restore-class", &set)
}

/// Three classes with 500 objects: one vector with properties of every type, named vectors, tenants.
fn create_classes(cluster: &Cluster) {
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
    let inner = [("text", "text"), ("int", "int")];
    let inner: Vec<Value> = inner.iter().map(property).collect();
    properties.push(json!({"name": "object", "dataType": ["object"], "nestedProperties": inner}));
    let factor = json!({"factor": 3});
    create(
        cluster,
        &json!({"class": "Types", "properties": properties, "replicationConfig": factor}),
    );
    let none = |kind: &str| json!({"vectorizer": {"none": {}}, "vectorIndexType": kind});
    create(
        cluster,
        &json!({"class": "Named", "replicationConfig": factor,
            "vectorConfig": {"a": none("hnsw"), "b": none("flat")}}),
    );
    create(
        cluster,
        &json!({"class": "Many", "replicationConfig": factor,
            "multiTenancyConfig": {"enabled": true}}),
    );
    let tenants = json!([{"name": "t1"}, {"name": "t-2"}]);
    assert_eq!(cluster.post(0, "/v1/schema/Many/tenants", &tenants).status, 200);
    put(cluster, &(0..200).map(typed).collect::<Vec<_>>());
    put(
        cluster,
        &(0..200)
            .map(|n| {
                let vectors = match n % 3 {
                    0 => json!({"a": vector(n), "b": [1e-7, -0.1]}),
                    1 => json!({"a": vector(n)}),
                    _ => json!({}),
                };
                json!({"class": "Named", "id": id(n), "vectors": vectors, "properties": {"n": n}})
            })
            .collect::<Vec<_>>(),
    );
    let tenant = |n| if n < 60 { "t1" } else { "t-2" };
    let of_tenant =
        |n| json!({"class": "Many", "id": id(n), "tenant": tenant(n), "vector": vector(n)});
    put(cluster, &(0..100).map(of_tenant).collect::<Vec<_>>());
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
        "object": {"text": "in", "int": n},
    }})
}

fn put(cluster: &Cluster, objects: &[Value]) {
    let count = objects.len();
    let path = "/v1/batch/objects?consistency_level=ALL";
    let reply = cluster.post(0, path, &json!({"objects": objects}));
    let taken = reply.body.as_array().unwrap().iter();
    let taken = taken.filter(|it| it["result"]["status"] == "SUCCESS").count();
    assert_eq!(taken, count, "{:?}", reply.body[0]);
}

/// What a node lists, without times. It reads its own replica.
fn objects(cluster: &Cluster, node: usize, class: &str, tenant: Option<&str>) -> Objects {
    let tenant = tenant.map_or_else(String::new, |tenant| format!("&tenant={tenant}"));
    let path = format!("/v1/objects?class={class}&limit=1000&after=&include=vector{tenant}");
    let reply = cluster.get(node, &path);
    let objects = reply.body["objects"].as_array().cloned().unwrap_or_default();
    objects
        .into_iter()
        .map(|mut object| {
            let fields = object.as_object_mut().unwrap();
            fields.shift_remove("creationTimeUnix");
            fields.shift_remove("lastUpdateTimeUnix");
            (fields["id"].as_str().unwrap().to_owned(), object)
        })
        .collect()
}

fn assert_same(now: &Objects, before: &Objects, what: &str) {
    assert_eq!(now.len(), before.len(), "{what}");
    for (id, object) in before {
        // As text, so that every bit of a number counts.
        assert_eq!(now[id].to_string(), object.to_string(), "{what}");
    }
}

fn id(number: u32) -> String {
    let spread = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{spread:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn vector(number: u32) -> Vec<f64> {
    (1..=8).map(|at| f64::from(number * at % 97) / 97.0 - 0.3).collect()
}
