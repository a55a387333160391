//! Classes: what the server makes of them, and what it refuses.

use serde_json::{Value, json};

use super::http::{assert_keys, delete, get, get_own, make, post, put, remove};

/// The answer to the smallest class with two texts, factor 3, as the server writes it.
const DEFAULTS: &str = concat!(
    r#"{"class":"ContractDefaults","invertedIndexConfig":{"bm25":{"b":0.75,"k1":1.2},"#,
    r#""cleanupIntervalSeconds":60,"stopwords":{"additions":null,"preset":"en","removals":null},"#,
    r#""usingBlockMaxWAND":true},"multiTenancyConfig":{"autoTenantActivation":false,"#,
    r#""autoTenantCreation":false,"enabled":false},"properties":[{"dataType":["text"],"#,
    r#""indexFilterable":true,"indexRangeFilters":false,"indexSearchable":true,"name":"config_key","#,
    r#""tokenization":"word"},{"dataType":["int"],"indexFilterable":true,"#,
    r#""indexRangeFilters":false,"indexSearchable":false,"name":"number"}],"#,
    r#""shardingConfig":{"virtualPerPhysical":128,"desiredCount":3,"actualCount":3,"#,
    r#""desiredVirtualCount":384,"actualVirtualCount":384,"key":"_id","strategy":"hash","#,
    r#""function":"murmur3"},"vectorIndexConfig":{"skip":false,"cleanupIntervalSeconds":300,"#,
    r#""maxConnections":32,"efConstruction":128,"ef":-1,"dynamicEfMin":100,"dynamicEfMax":500,"#,
    r#""dynamicEfFactor":8,"vectorCacheMaxObjects":1000000000000,"flatSearchCutoff":40000,"#,
    r#""distance":"cosine","pq":{"enabled":false,"bitCompression":false,"segments":0,"#,
    r#""centroids":256,"trainingLimit":100000,"encoder":{"type":"kmeans","#,
    r#""distribution":"log-normal"}},"bq":{"enabled":false},"sq":{"enabled":false,"#,
    r#""trainingLimit":100000,"rescoreLimit":20},"rq":{"enabled":false,"bits":8,"#,
    r#""rescoreLimit":20},"filterStrategy":"acorn","multivector":{"enabled":false,"#,
    r#""muvera":{"enabled":false,"ksim":4,"dprojections":16,"repetitions":10},"#,
    r#""aggregation":"maxSim"},"skipDefaultQuantization":false,"#,
    r#""trackDefaultQuantization":false},"vectorIndexType":"hnsw","vectorizer":"none","#,
    r#""replicationConfig":{"deletionStrategy":"TimeBasedResolution","factor":3,"#,
    r#""asyncEnabled":true}}"#,
);

pub(super) async fn fills_in_the_defaults(nodes: &[String]) {
    let class = json!({
        "class": "ContractDefaults",
        "properties": [
            { "name": "config_key", "dataType": ["text"] },
            { "name": "number", "dataType": ["int"] },
        ],
        "replicationConfig": { "factor": 3 },
    });
    let answer = post(&nodes[0], "/v1/schema", &class).await.is(200);
    assert_eq!(answer.text, DEFAULTS);
    remove(nodes, "ContractDefaults").await;

    // Nothing but a name, and a factor that is none.
    let class = json!({ "class": "ContractDefaults", "replicationConfig": { "factor": 0 } });
    let answer = post(&nodes[0], "/v1/schema", &class).await.is(200).body;
    assert_eq!(answer["properties"], Value::Null);
    assert_eq!(answer["replicationConfig"]["factor"], 1);
    assert_eq!(answer["replicationConfig"]["asyncEnabled"], false);
    remove(nodes, "ContractDefaults").await;
}

pub(super) async fn keeps_what_was_sent(nodes: &[String]) {
    let sent = json!({
        "class": "ContractSent",
        "description": "what it is for",
        "invertedIndexConfig": { "bm25": { "b": 0.5, "k1": 1.5 }, "indexTimestamps": true },
        "moduleConfig": { "generative-openai": {} },
        "properties": [{
            "name": "parts", "dataType": ["object"], "description": "nested",
            "nestedProperties": [{ "name": "part", "dataType": ["text"], "tokenization": "field" }],
        }],
        "shardingConfig": { "desiredCount": 2 },
        "vectorConfig": { "a": { "vectorizer": { "none": {} }, "vectorIndexConfig": { "ef": 7 } } },
        "replicationConfig": { "factor": 1, "asyncEnabled": true },
    });
    let class = make(nodes, sent).await.config;
    assert_keys(
        &class,
        &[
            "class",
            "description",
            "invertedIndexConfig",
            "moduleConfig",
            "multiTenancyConfig",
            "properties",
            "shardingConfig",
            "vectorConfig",
            "replicationConfig",
        ],
    );
    assert_eq!(class["invertedIndexConfig"]["bm25"], json!({ "b": 0.5, "k1": 1.5 }));
    assert_keys(
        &class["invertedIndexConfig"],
        &["bm25", "cleanupIntervalSeconds", "indexTimestamps", "stopwords", "usingBlockMaxWAND"],
    );
    assert_eq!(class["moduleConfig"], json!({ "generative-openai": {} }));
    let nested = &class["properties"][0]["nestedProperties"][0];
    assert_eq!(nested["tokenization"], "field");
    assert_eq!(nested["indexSearchable"], true);
    assert_eq!(class["shardingConfig"]["actualCount"], 2);
    assert_eq!(class["shardingConfig"]["desiredVirtualCount"], 256);
    let vector = &class["vectorConfig"]["a"];
    assert_keys(vector, &["vectorIndexConfig", "vectorIndexType", "vectorizer"]);
    assert_eq!(vector["vectorIndexConfig"]["ef"], 7);
    assert_eq!(class["replicationConfig"]["asyncEnabled"], false, "it follows the factor");
    remove(nodes, "ContractSent").await;
}

pub(super) async fn is_the_same_on_every_node(nodes: &[String]) {
    let made = make(nodes, json!({ "class": "ContractSame" })).await;
    for node in nodes {
        assert_eq!(get_own(node, "/v1/schema/ContractSame").await.is(200).body, made.config);
        assert_eq!(get(node, "/v1/schema/ContractSame").await.is(200).body, made.config);
        let list = get(node, "/v1/schema").await.is(200).body;
        assert_keys(&list, &["classes"]);
        assert!(list["classes"].as_array().expect("a list").contains(&made.config));
    }
    remove(nodes, &made.name).await;
    for node in nodes {
        let answer = get(node, "/v1/schema/ContractSame").await.is(404);
        assert_eq!(answer.text, "");
    }
}

pub(super) async fn sorts_what_comes_from_the_leader(nodes: &[String]) {
    let made = make(nodes, json!({ "class": "ContractSorted" })).await;
    let own = get_own(&nodes[0], "/v1/schema/ContractSorted").await.is(200);
    assert_eq!(own.text, made.config.to_string());
    let read = get(&nodes[0], "/v1/schema/ContractSorted").await.is(200);
    let mut sorted = made.config.clone();
    for part in ["shardingConfig", "vectorIndexConfig"] {
        sorted[part].sort_all_objects();
    }
    assert_eq!(read.text, sorted.to_string());
    remove(nodes, &made.name).await;
}

pub(super) async fn refuses_what_is_wrong(nodes: &[String]) {
    make(nodes, json!({ "class": "ContractTaken" })).await;
    let with = |key: &str, value: Value| {
        let mut class = json!({ "class": "ContractWrong" });
        class[key] = value;
        class
    };
    let property = |name: &str, kind: Value| json!([{ "name": name, "dataType": kind }]);
    let cases = [
        (json!({ "class": "ContractTaken" }), "class name ContractTaken already exists"),
        (json!({ "class": "No good" }), "'No good' is not a valid class name"),
        (json!({}), "'' is not a valid class name"),
        (
            with("replicationConfig", json!({ "factor": 4 })),
            "could not find enough weaviate nodes for replication: 3 available, 4 requested",
        ),
        (
            with("vectorizer", json!("text2vec-nope")),
            "vectorizer: no module with name \"text2vec-nope\" present",
        ),
        (
            with("vectorIndexType", json!("nope")),
            "unrecognized or unsupported vectorIndexType \"nope\"",
        ),
        (
            with("properties", property("x", json!(["texxt"]))),
            "property 'x': invalid dataType: [texxt]: unknown primitive data type 'texxt'",
        ),
        (
            with("properties", property("x", json!([]))),
            "property 'x': invalid dataType: []: dataType must have at least one element",
        ),
        (
            with("properties", property("x y", json!(["text"]))),
            "'x y' is not a valid property name",
        ),
        (
            with(
                "properties",
                json!([{ "name": "x", "dataType": ["int"] }, { "name": "x", "dataType": ["int"] }]),
            ),
            "class \"ContractWrong\": conflict for property \"x\": already in use or provided",
        ),
        (
            json!({
                "class": "ContractWrong", "shardingConfig": { "desiredCount": 1 },
                "multiTenancyConfig": { "enabled": true },
            }),
            "cannot have both shardingConfig and multiTenancyConfig",
        ),
    ];
    for (class, message) in cases {
        let answer = post(&nodes[0], "/v1/schema", &class).await.says(422, message);
        assert_keys(&answer.body, &["allowed", "error"]);
    }
    let answer = post(&nodes[0], "/v1/schema", &json!([])).await.is(400);
    assert_keys(&answer.body, &["code", "message"]);
    get(&nodes[0], "/v1/schema/ContractWrong").await.is(404);
    remove(nodes, "ContractTaken").await;
}

pub(super) async fn capitalises_names(nodes: &[String]) {
    let made = make(nodes, json!({ "class": "contractLower" })).await;
    assert_eq!(made.name, "ContractLower");
    get(&nodes[0], "/v1/schema/contractLower").await.is(200);
    delete(&nodes[0], "/v1/schema/contractLower").await.is(200);
    get(&nodes[0], "/v1/schema/ContractLower").await.is(404);
}

pub(super) async fn deletes_what_is_not_there(nodes: &[String]) {
    let answer = delete(&nodes[0], "/v1/schema/ContractNone").await.is(200);
    assert_eq!(answer.text, "");
}

pub(super) async fn takes_back_what_it_gave(nodes: &[String]) {
    let sent = json!({
        "class": "ContractBack", "description": "kept", "replicationConfig": { "factor": 3 },
        "properties": [{ "name": "t", "dataType": ["text"], "tokenization": "field" }],
    });
    make(nodes, sent).await;
    let read = get(&nodes[0], "/v1/schema/ContractBack").await.is(200).body;
    remove(nodes, "ContractBack").await;
    make(nodes, read.clone()).await;
    assert_eq!(get(&nodes[0], "/v1/schema/ContractBack").await.is(200).body, read);
    remove(nodes, "ContractBack").await;
}

pub(super) async fn updates_little(nodes: &[String]) {
    let made = make(nodes, json!({ "class": "ContractUpdate" })).await;
    let path = "/v1/schema/ContractUpdate";
    let with = |key: &str, value: Value| {
        let mut class = made.config.clone();
        class[key] = value;
        class
    };
    let answer = put(&nodes[0], path, &with("description", json!("new"))).await.is(200).body;
    assert_eq!(answer["description"], "new");

    let factor = with("replicationConfig", json!({ "factor": 3 }));
    let message = "to increase replication factor to 3 for class \"ContractUpdate\"";
    put(&nodes[0], path, &factor).await.says(422, message);
    let message =
        "class name is immutable: attempted change from \"ContractUpdate\" to \"ContractOther\"";
    put(&nodes[0], path, &with("class", json!("ContractOther"))).await.says(422, message);
    let message = "vectorizer is immutable: attempted change from \"none\" to \"text2vec-openai\"";
    put(&nodes[0], path, &with("vectorizer", json!("text2vec-openai"))).await.says(422, message);
    let properties = json!([{ "name": "x", "dataType": ["text"] }]);
    let message = "property fields other than description cannot be updated";
    put(&nodes[0], path, &with("properties", properties)).await.says(422, message);
    put(&nodes[0], "/v1/schema/ContractNone", &made.config).await.is(404);
    remove(nodes, &made.name).await;
}
