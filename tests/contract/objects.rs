//! Objects: one by one, listed, and in batches.

use elysia_runbook::weaviate::{Access, Cluster, PageAt, as_bytes};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::http::{Answer, assert_keys, delete, get, get_own, head, make, post, remove, until};

const CLASS: &str = "ContractObjects";

fn id(nth: usize) -> String {
    format!("00000000-0000-0000-0000-{nth:012}")
}

async fn class(nodes: &[String]) {
    let text = json!([{ "name": "t", "dataType": ["text"] }, { "name": "n", "dataType": ["int"] }]);
    let class = json!({ "class": CLASS, "properties": text, "replicationConfig": { "factor": 3 } });
    make(nodes, class).await;
}

async fn list(node: &str, query: &str) -> Answer {
    get(node, &format!("/v1/objects?class={CLASS}&{query}")).await
}

pub(super) async fn are_created_read_and_deleted(nodes: &[String]) {
    class(nodes).await;
    let path = format!("/v1/objects/{CLASS}/{}", id(1));
    let object = json!({ "class": CLASS, "id": id(1), "properties": { "t": "a", "n": 1 }, "vector": [1, 2.5] });
    let made = post(&nodes[0], "/v1/objects?consistency_level=ALL", &object).await.is(200).body;
    let times = ["creationTimeUnix", "lastUpdateTimeUnix"];
    let keys = ["class", times[0], "id", times[1], "properties", "vector"];
    assert_keys(&made, &keys);
    assert_eq!(made["properties"].to_string(), r#"{"n":1,"t":"a"}"#);
    assert_eq!(made["vector"], json!([1, 2.5]));
    assert!(made[times[0]].is_i64());

    for node in nodes {
        let read = get(node, &path).await.is(200).body;
        assert_keys(&read, &["class", times[0], "id", times[1], "properties", "vectorWeights"]);
        let read = get(node, &format!("{path}?include=vector")).await.is(200).body;
        assert_eq!(read["vector"], json!([1, 2.5]));
        head(node, &path).await.is(204);
    }
    post(&nodes[0], "/v1/objects", &object)
        .await
        .says(422, &format!("id '{}' already exists", id(1)));

    for _ in 0..2 {
        assert_eq!(delete(&nodes[0], &path).await.is(204).text, "");
    }
    get(&nodes[0], &path).await.is(404);
    head(&nodes[0], &path).await.is(404);
    let made = post(&nodes[0], "/v1/objects", &json!({ "class": CLASS })).await.is(200).body;
    assert_eq!(made["id"].as_str().map(str::len), Some(36));
    assert_eq!(made["properties"], json!({}));
    remove(nodes, CLASS).await;
}

pub(super) async fn are_refused(nodes: &[String]) {
    class(nodes).await;
    let invalid = "invalid object: ";
    let cases = [
        (json!({ "class": CLASS, "id": "nope" }), "id in body must be of type uuid: \"nope\""),
        (json!({ "properties": {} }), "invalid object: the given class is empty"),
        (
            json!({ "class": CLASS, "properties": { "n": "one" } }),
            "invalid integer property 'n' on class 'ContractObjects': requires an integer, the given value is 'one'",
        ),
        (
            json!({ "class": CLASS, "properties": { "t": true } }),
            "invalid text property 't' on class 'ContractObjects': not a string, but bool",
        ),
        (
            json!({ "class": CLASS, "properties": [] }),
            "could not recognize object's properties: []",
        ),
        (
            json!({ "class": CLASS, "tenant": "x" }),
            "class ContractObjects has multi-tenancy disabled, but request was with tenant",
        ),
    ];
    for (object, message) in cases {
        let answer = post(&nodes[0], "/v1/objects", &object).await.says(422, message);
        assert!(answer.text.contains(invalid) || !message.contains("property "), "{}", answer.text);
    }
    let object = json!({ "class": CLASS, "id": id(1) });
    post(&nodes[0], "/v1/objects?consistency_level=SOME", &object)
        .await
        .says(400, "unrecognized consistency level 'SOME'");
    let elsewhere = format!("/v1/objects/{CLASS}");
    post(&nodes[0], &elsewhere, &object).await.says(405, "method POST is not allowed");

    let no_id = format!("/v1/objects/{CLASS}/nope");
    get(&nodes[0], &no_id).await.says(422, "id in path must be of type uuid: \"nope\"");
    delete(&nodes[0], &no_id).await.says(422, "id in path must be of type uuid: \"nope\"");
    let no_class = format!("/v1/objects/ContractNone/{}", id(1));
    get(&nodes[0], &no_class).await.is(404);
    head(&nodes[0], &no_class).await.is(404);
    delete(&nodes[0], &no_class).await.says(500, "delete from non-existing index for ContractNone");
    remove(nodes, CLASS).await;
}

pub(super) async fn are_read_from_one_node(nodes: &[String]) {
    class(nodes).await;
    let object = json!({ "class": CLASS, "id": id(1) });
    post(&nodes[0], "/v1/objects?consistency_level=ALL", &object).await.is(200);
    let path = format!("/v1/objects/{CLASS}/{}", id(1));
    for node in nodes {
        for name in ["node1", "node2", "node3"] {
            get(node, &format!("{path}?node_name={name}")).await.is(200);
        }
        get(node, &format!("{path}?node_name=node9"))
            .await
            .says(500, "cannot resolve node name: node9");
        get(node, &format!("{path}?consistency_level=ALL")).await.is(200);
        get(node, &format!("{path}?consistency_level=ALL&node_name=node1"))
            .await
            .says(400, "consistency_level and node_name are mutually exclusive");
    }
    remove(nodes, CLASS).await;
}

pub(super) async fn are_not_where_no_replica_is(nodes: &[String]) {
    let path = format!("/v1/objects/{CLASS}/{}", id(1));
    for factor in [1, 2] {
        let one = json!({ "desiredCount": 1 });
        let factor_of = json!({ "factor": factor });
        let class =
            json!({ "class": CLASS, "replicationConfig": factor_of, "shardingConfig": one });
        make(nodes, class).await;
        post(
            &nodes[0],
            "/v1/objects?consistency_level=ALL",
            &json!({ "class": CLASS, "id": id(1) }),
        )
        .await
        .is(200);
        let state = format!("/v1/replication/sharding-state?collection={CLASS}");
        let state = get(&nodes[0], &state).await.is(200).body;
        let shard = state["shardingState"]["shards"][0].clone();
        for name in ["node1", "node2", "node3", "node9"] {
            let holds = shard["replicas"].as_array().expect("replicas").contains(&json!(name));
            let answer = get(&nodes[0], &format!("{path}?node_name={name}")).await;
            if holds || factor == 1 {
                // With factor 1 the name is not looked at.
                answer.is(200);
            } else if name == "node9" {
                answer.says(500, "cannot resolve node name: node9");
            } else {
                let why = format!("shard {} does not exist locally", shard["shard"]);
                answer.says(500, &why);
            }
        }
        remove(nodes, CLASS).await;
    }
}

pub(super) async fn are_written_at_every_level(nodes: &[String]) {
    class(nodes).await;
    let everywhere = async |nth: usize| {
        let mut found = Vec::new();
        for name in ["node1", "node2", "node3"] {
            let path = format!("/v1/objects/{CLASS}/{}?node_name={name}", id(nth));
            found.push(get(&nodes[0], &path).await.status);
        }
        found
    };
    for (nth, level) in ["ONE", "QUORUM", "ALL"].into_iter().enumerate() {
        let query = format!("consistency_level={level}");
        let object = json!({ "class": CLASS, "id": id(nth) });
        post(&nodes[nth], &format!("/v1/objects?{query}"), &object).await.is(200);
        until("it is on every replica", || async {
            (everywhere(nth).await == [200; 3]).then_some(())
        })
        .await;
        let path = format!("/v1/objects/{CLASS}/{}?{query}", id(nth));
        get(&nodes[nth], &path).await.is(200);
        head(&nodes[nth], &path).await.is(204);
        delete(&nodes[nth], &path).await.is(204);
        until("it is on no replica", || async {
            (everywhere(nth).await == [404; 3]).then_some(())
        })
        .await;
    }
    let path = format!("/v1/objects/{CLASS}/{}?consistency_level=SOME", id(1));
    delete(&nodes[0], &path).await.says(400, "unrecognized consistency level 'SOME'");
    get(&nodes[0], &path).await.says(400, "unrecognized consistency level 'SOME'");
    remove(nodes, CLASS).await;
}

pub(super) async fn are_listed_in_order(nodes: &[String]) {
    class(nodes).await;
    let objects: Vec<Value> = (0..25)
        .rev()
        .map(|nth| json!({ "class": CLASS, "id": id(nth), "vector": [nth] }))
        .collect();
    let batch = json!({ "objects": objects });
    post(&nodes[0], "/v1/batch/objects?consistency_level=ALL", &batch).await.is(200);

    let mut after = String::new();
    let mut found = Vec::new();
    loop {
        let page =
            list(&nodes[1], &format!("limit=10&after={after}&include=vector")).await.is(200).body;
        let objects = page["objects"].as_array().expect("objects").clone();
        if objects.is_empty() {
            break;
        }
        assert_keys(&page, &["deprecations", "objects", "totalResults"]);
        assert_eq!(page["totalResults"], objects.len());
        for object in objects {
            object["id"].as_str().expect("an id").clone_into(&mut after);
            assert_eq!(object["vector"], json!([found.len()]));
            found.push(after.clone());
        }
    }
    assert_eq!(found, (0..25).map(id).collect::<Vec<_>>());

    // Any id will do to start from.
    let page =
        list(&nodes[0], "limit=1&after=00000000-0000-0000-0000-00000000000a").await.is(200).body;
    assert_eq!(page["objects"][0]["id"], json!(id(10)));
    let page = list(&nodes[0], "limit=0&after=").await.is(200).body;
    assert_keys(&page, &["deprecations", "objects"]);

    let message = "after parameter 'nope' is not a valid uuid: invalid UUID length: 4";
    list(&nodes[0], "limit=1&after=nope").await.says(422, message);
    list(&nodes[0], &format!("after={}", id(1))).await.says(422, "limit parameter must be set");
    list(&nodes[0], "limit=x").await.says(422, "limit in query must be of type int64: \"x\"");
    list(&nodes[0], "limit=10001").await.says(422, "query maximum results exceeded");
    get(&nodes[0], "/v1/objects?class=ContractNone&limit=1&after=").await.is(404);
    remove(nodes, CLASS).await;
}

pub(super) async fn are_taken_in_batches(nodes: &[String]) {
    class(nodes).await;
    let batch = json!({ "objects": [
        { "class": CLASS, "id": id(1), "properties": { "t": "x" } },
        { "class": CLASS, "id": id(2), "properties": { "n": "x" } },
    ] });
    for _ in 0..2 {
        let answer = post(&nodes[0], "/v1/batch/objects", &batch).await.is(200).body;
        let times = ["creationTimeUnix", "lastUpdateTimeUnix"];
        let keys = ["class", times[0], "id", times[1], "properties", "deprecations", "result"];
        assert_keys(&answer[0], &keys);
        assert_eq!(answer[0]["result"], json!({ "status": "SUCCESS" }));
        let result = &answer[1]["result"];
        assert_keys(result, &["errors", "status"]);
        assert_eq!(result["status"], "FAILED");
        let why = "invalid integer property 'n' on class 'ContractObjects': requires an integer, the given value is 'x'";
        assert_eq!(result["errors"]["error"][0]["message"], why);
    }
    let batch = json!({ "objects": [{ "class": CLASS, "id": "bad" }] });
    post(&nodes[0], "/v1/batch/objects", &batch)
        .await
        .says(422, "body.objects.0.id in body must be of type uuid: \"bad\"");
    post(&nodes[0], "/v1/batch/objects", &json!({ "objects": [] }))
        .await
        .says(422, "cannot be empty, need at least one object for batching");
    remove(nodes, CLASS).await;
}

/// Vectors come and go as bytes, and are those that REST shows and takes as numbers.
pub(super) async fn carry_vectors_as_bytes(nodes: &[String]) {
    #[derive(serde::Deserialize)]
    struct Shown {
        objects: Vec<Box<RawValue>>,
    }
    let none = |index: &Value| json!({ "vectorizer": { "none": {} }, "vectorIndexType": "hnsw", "vectorIndexConfig": index });
    let multi = none(&json!({ "multivector": { "enabled": true } }));
    let named = json!({ "a": none(&json!({})), "b": none(&json!({})) });
    let properties = json!([{ "name": "n", "dataType": ["int"] }]);
    let factor = json!({ "factor": 3 });
    let common = json!({ "class": CLASS, "properties": properties, "replicationConfig": factor });
    let (mut single, mut several, mut multiple) = (common.clone(), common.clone(), common);
    single["vectorizer"] = json!("none");
    several["vectorConfig"] = named;
    multiple["vectorConfig"] = json!({ "m": multi });
    let urls = nodes.iter().map(|url| (url.clone(), url.parse().expect("an address"))).collect();
    let cluster = Cluster::new(urls, &Access::default()).expect("works");
    for (kind, class) in [("vector", single), ("a", several), ("m", multiple)] {
        make(nodes, class).await;
        let object = |nth: usize| {
            let mut object = json!({ "class": CLASS, "id": id(nth), "properties": { "n": nth } });
            match (kind, nth % 3) {
                ("vector", 1 | 2) => object["vector"] = json!([0.1, -1e-7, nth]),
                ("a", 1) => object["vectors"] = json!({ "a": [0.708_412_95, nth] }),
                ("a", 2) => object["vectors"] = json!({ "b": [1, nth], "a": [0.3, 3e-45] }),
                ("m", 1 | 2) => object["vectors"] = json!({ "m": [[1, nth], [0.3, 3e-45]] }),
                _ => {}
            }
            object
        };
        let mut sent: Vec<Value> = (1..13).map(object).collect();
        sent[4]["properties"]["n"] = json!("five");
        sent[5]["id"] = json!("six");
        let raw: Vec<_> = sent.iter().map(|it| to_raw_value(it).expect("works")).collect();
        let raw: Vec<&RawValue> = raw.iter().map(|it| &**it).collect();
        let outcomes = cluster.nodes()[0].put_objects(&raw).await.expect("an answer");
        let refused: Vec<usize> = (0..12).filter(|at| outcomes[*at].is_some()).collect();
        assert_eq!(refused, [4, 5], "{outcomes:?}");
        let why = outcomes[4].as_deref().unwrap_or_default();
        assert!(why.contains("requires an integer, the given value is 'five'"), "{why}");

        for node in cluster.nodes() {
            let at = PageAt { class: CLASS, tenant: None, after: "", limit: 100 };
            let page = node.raw_page(at).await.expect("a page");
            assert_eq!(page.len(), 10);
            // The vectors of a multi-vector may be of different lengths, which no message tells.
            let is_bytes = page[0].raw.get().contains(&format!("\"{kind}\":\""));
            assert_eq!(is_bytes, kind != "m", "{}", page[0].raw);
            let shown = list(node.url(), "limit=100&include=vector").await.is(200).text;
            let shown: Shown = serde_json::from_str(&shown).expect("works");
            for (shown, object) in shown.objects.iter().zip(&page) {
                assert_eq!(as_bytes(shown).get(), as_bytes(&object.raw).get());
            }
            let behind = PageAt { after: &id(3), limit: 9, ..at };
            let ids: Vec<String> =
                node.raw_page(behind).await.expect("a page").into_iter().map(|it| it.id).collect();
            assert_eq!(ids, [4, 7, 8, 9, 10, 11, 12].map(id));
        }
        remove(nodes, CLASS).await;
    }
    let gone = PageAt { class: CLASS, tenant: None, after: "", limit: 9 };
    let error = cluster.nodes()[0].raw_page(gone).await.expect_err("there is no such class");
    assert_eq!(error.status(), Some(404), "{error}");
}

pub(super) async fn make_their_class(nodes: &[String]) {
    let object = json!({
        "class": "contractAuto",
        "properties": { "s": "x", "n": 1, "d": "2020-01-01T00:00:00Z", "o": { "x": true } },
    });
    post(&nodes[0], "/v1/objects", &object).await.is(200);
    let class = get(&nodes[0], "/v1/schema/ContractAuto").await.is(200).body;
    assert_eq!(class["replicationConfig"]["factor"], 1);
    let description = class["description"].as_str().expect("a description");
    let prefix = "This property was generated by Weaviate's auto-schema feature on ";
    assert!(description.starts_with(prefix), "{description}");
    let kind = |name: &str| {
        let properties = class["properties"].as_array().expect("properties");
        properties.iter().find(|p| p["name"] == name).expect("the property")["dataType"][0].clone()
    };
    assert_eq!([kind("s"), kind("n"), kind("d"), kind("o")], ["text", "number", "date", "object"]);

    until("every node has the class", || async {
        let mut there = true;
        for node in nodes {
            there &= get_own(node, "/v1/schema/ContractAuto").await.status == 200;
        }
        there.then_some(())
    })
    .await;
    let object = json!({ "class": "ContractAuto", "properties": { "late": true } });
    post(&nodes[0], "/v1/objects", &object).await.is(200);
    let class = get(&nodes[0], "/v1/schema/ContractAuto").await.is(200).body;
    let late = class["properties"].as_array().and_then(|list| list.last()).cloned().expect("one");
    assert_eq!((&late["name"], &late["dataType"][0]), (&json!("late"), &json!("boolean")));
    remove(nodes, "ContractAuto").await;
}
