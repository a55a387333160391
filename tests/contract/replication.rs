//! Replicas: how many, where, and how there come to be more.

use serde_json::{Value, json};

use super::http::{assert_keys, get, get_own, make, post, put, remove, until};

pub(super) async fn factor_three_is_on_every_node(nodes: &[String]) {
    let class = json!({ "class": "ContractThree", "replicationConfig": { "factor": 3 } });
    make(nodes, class).await;
    for node in nodes {
        let shards = until("three shards on every node", || async {
            let found = shards(node, "ContractThree").await?;
            found.iter().all(|shards| shards.len() == 3).then_some(found)
        })
        .await;
        let shard = &shards[0][0];
        assert_keys(
            shard,
            &[
                "asyncReplicationStatus",
                "class",
                "compressed",
                "loaded",
                "name",
                "numberOfReplicas",
                "objectCount",
                "replicationFactor",
                "vectorIndexingStatus",
                "vectorQueueLength",
            ],
        );
        assert_eq!(shard["numberOfReplicas"], 3);
        assert_eq!(shard["replicationFactor"], 3);
        assert_eq!(shard["vectorIndexingStatus"], "READY");
        let name = shard["name"].as_str().expect("a name");
        assert!(name.len() == 12 && name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    }
    remove(nodes, "ContractThree").await;
}

pub(super) async fn factor_one_has_one_replica(nodes: &[String]) {
    make(nodes, json!({ "class": "ContractOne" })).await;
    let shards = until("one shard on every node", || async {
        let found = shards(&nodes[0], "ContractOne").await?;
        found.iter().all(|shards| shards.len() == 1).then_some(found)
    })
    .await;
    for shard in shards.iter().flatten() {
        assert_eq!(shard["numberOfReplicas"], 1);
        assert_eq!(shard["replicationFactor"], 1);
    }
    for node in nodes {
        get_own(node, "/v1/schema/ContractOne").await.is(200);
    }
    remove(nodes, "ContractOne").await;
}

pub(super) async fn says_where_replicas_are_planned(nodes: &[String]) {
    let path = "/v1/replication/sharding-state";
    get(&nodes[0], path).await.says(400, "collection is required");
    get(&nodes[0], &format!("{path}?collection=ContractNone")).await.is(404);

    for (factor, count) in [(1, 1), (3, 3)] {
        let class = json!({ "class": "ContractPlan", "replicationConfig": { "factor": factor } });
        make(nodes, class).await;
        for node in nodes {
            let answer = get(node, &format!("{path}?collection=ContractPlan")).await.is(200).body;
            assert_keys(&answer, &["shardingState"]);
            assert_keys(&answer["shardingState"], &["collection", "shards"]);
            let shards = answer["shardingState"]["shards"].as_array().expect("shards");
            assert_eq!(shards.len(), 3);
            for shard in shards {
                assert_keys(shard, &["replicas", "shard"]);
                assert_eq!(shard["replicas"].as_array().map(Vec::len), Some(count));
            }
        }
        let none = format!("{path}?collection=ContractPlan&shard=none");
        get(&nodes[0], &none).await.is(404);
        remove(nodes, "ContractPlan").await;
    }
}

pub(super) async fn scales_in_place(nodes: &[String]) {
    let class = json!({ "class": "ContractScale", "shardingConfig": { "desiredCount": 1 } });
    make(nodes, class).await;
    let id = "00000000-0000-0000-0000-000000000001";
    let object = json!({ "class": "ContractScale", "id": id });
    post(&nodes[0], "/v1/objects", &object).await.is(200);

    let path = "/v1/replication/scale";
    let query =
        |class: &str, factor: u8| format!("{path}?collection={class}&replicationFactor={factor}");
    get(&nodes[0], &query("ContractNone", 3)).await.says(500, "class not found: ContractNone");
    get(&nodes[0], &query("ContractScale", 4))
        .await
        .says(500, "not enough storage replicas: found 3 want 4");
    get(&nodes[0], &format!("{path}?collection=ContractScale"))
        .await
        .says(422, "replicationFactor in query is required");

    let plan = get(&nodes[0], &query("ContractScale", 3)).await.is(200).body;
    assert_keys(&plan, &["collection", "planId", "shardScaleActions"]);
    let actions = plan["shardScaleActions"].as_object().expect("actions");
    let (_, action) = actions.iter().next().expect("one shard");
    assert_keys(action, &["addNodes", "removeNodes"]);
    assert_eq!(action["addNodes"].as_object().map(serde_json::Map::len), Some(2));

    let answer = post(&nodes[0], path, &plan).await.is(200).body;
    assert_keys(&answer, &["collection", "operationIds", "planId"]);
    post(&nodes[0], path, &plan).await.says(500, "ongoing replications for collection");
    let ids = answer["operationIds"].as_array().expect("ids").clone();
    assert_eq!(ids.len(), 2);
    until("every operation is READY", || async {
        let list = get(&nodes[0], "/v1/replication/replicate/list?includeHistory=true").await.body;
        let list = list.as_array()?;
        let mine: Vec<&Value> = list.iter().filter(|entry| ids.contains(&entry["id"])).collect();
        assert!(mine.iter().all(|entry| entry["type"] == "COPY"));
        (mine.len() == 2 && mine.iter().all(|entry| entry["status"]["state"] == "READY"))
            .then_some(())
    })
    .await;

    let mut config = get(&nodes[0], "/v1/schema/ContractScale").await.is(200).body;
    assert_eq!(config["replicationConfig"]["factor"], 1, "the factor does not follow by itself");
    config["replicationConfig"]["factor"] = json!(3);
    let config = put(&nodes[0], "/v1/schema/ContractScale", &config).await.is(200).body;
    assert_eq!(config["replicationConfig"]["factor"], 3);
    until("every node shows the replica and the factor", || async {
        let found = shards(&nodes[0], "ContractScale").await?;
        let good = |shards: &Vec<Value>| {
            shards.len() == 1
                && shards[0]["numberOfReplicas"] == 3
                && shards[0]["replicationFactor"] == 3
        };
        found.iter().all(good).then_some(())
    })
    .await;
    for name in ["node1", "node2", "node3"] {
        let object = format!("/v1/objects/ContractScale/{id}?node_name={name}");
        get(&nodes[0], &object).await.is(200);
    }
    lowers_in_place(nodes, config).await;
    remove(nodes, "ContractScale").await;
}

/// The other way round: the factor first, then the replicas, which go at once.
async fn lowers_in_place(nodes: &[String], mut config: Value) {
    let path = "/v1/replication/scale";
    let query = format!("{path}?collection=ContractScale&replicationFactor=1");
    let plan = get(&nodes[0], &query).await.is(200).body;
    let (_, action) =
        plan["shardScaleActions"].as_object().and_then(|it| it.iter().next()).expect("an action");
    assert_eq!(action["removeNodes"].as_array().map(Vec::len), Some(2));
    post(&nodes[0], path, &plan).await.says(500, "minimum replication factor 3");
    config["replicationConfig"]["factor"] = json!(1);
    put(&nodes[0], "/v1/schema/ContractScale", &config).await.is(200);
    let plan = get(&nodes[0], &query).await.is(200).body;
    let answer = post(&nodes[0], path, &plan).await.is(200).body;
    assert_eq!(answer["operationIds"], Value::Null);
    until("one replica is left", || async {
        let state = "/v1/replication/sharding-state?collection=ContractScale";
        let state = get(&nodes[0], state).await.is(200).body;
        let left = state["shardingState"]["shards"][0]["replicas"].as_array().map(Vec::len);
        (left == Some(1)).then_some(())
    })
    .await;
}

pub(super) async fn stops_and_allows_writing(nodes: &[String]) {
    let class = json!({
        "class": "ContractReadonly", "replicationConfig": { "factor": 3 },
        "shardingConfig": { "desiredCount": 1 },
    });
    make(nodes, class).await;
    let path = "/v1/schema/ContractReadonly/shards";
    let listed = get(&nodes[0], path).await.is(200).body;
    assert_keys(&listed[0], &["name", "status", "vectorQueueSize"]);
    assert_eq!(listed[0]["status"], "READY");
    let shard = format!("{path}/{}", listed[0]["name"].as_str().expect("a name"));

    for status in ["READONLY", "READY"] {
        let answer = put(&nodes[0], &shard, &json!({ "status": status })).await.is(200).body;
        assert_eq!(answer, json!({ "status": status }));
        for node in nodes {
            until("the status is on every node", || async {
                let shown = shards(node, "ContractReadonly").await?;
                let shown =
                    shown.iter().flatten().all(|shard| shard["vectorIndexingStatus"] == status);
                (shown && get(node, path).await.body[0]["status"] == status).then_some(())
            })
            .await;
        }
        let id = "00000000-0000-0000-0000-000000000002";
        let object = json!({ "class": "ContractReadonly", "id": id });
        let answer = post(&nodes[0], "/v1/objects", &object).await;
        if status == "READY" {
            answer.is(200);
        } else {
            answer
                .says(500, "cannot reach enough replicas: required 2 replicas, got 0")
                .says(500, "read only");
        }
    }
    put(&nodes[0], &shard, &json!({ "status": "INDEXING" })).await.is(200);
    put(&nodes[0], &shard, &json!({ "status": "SOME" })).await.says(500, "SOME: invalid storage");
    let sent = json!({ "status": "READONLY" });
    put(&nodes[0], &format!("{path}/none"), &sent).await.is(200);
    put(&nodes[0], "/v1/schema/ContractNone/shards/none", &sent).await.says(
        404,
        "cannot update shard status to a non-existing index for ContractNone: not found",
    );
    get(&nodes[0], "/v1/schema/ContractNone/shards")
        .await
        .says(404, "cannot get shards status for a non-existing index for ContractNone: not found");
    remove(nodes, "ContractReadonly").await;
}

pub(super) async fn copies_a_replica(nodes: &[String]) {
    let (shard, source, target) = single(nodes).await;
    post(&nodes[0], "/v1/objects", &json!({ "class": "ContractMove" })).await.is(200);
    let sent = json!({
        "collection": "ContractMove", "shard": shard, "sourceNode": source, "targetNode": target,
        "type": "COPY",
    });
    let with = |key: &str, value: &str| {
        let mut sent = sent.clone();
        sent[key] = json!(value);
        sent
    };
    post(&nodes[0], REPLICATE, &json!({})).await.says(422, "collection in body is required");
    for (wrong, message) in [
        (with("shard", "none"), "invalid request: shard not found"),
        (with("collection", "ContractNone"), "collection ContractNone does not exists"),
        (with("targetNode", &source), "source and target node are the same"),
        (with("type", "SOME"), "type in body should be one of [COPY MOVE]"),
    ] {
        post(&nodes[0], REPLICATE, &wrong).await.says(422, message);
    }
    let id = post(&nodes[1], REPLICATE, &sent).await.is(200).body["id"].clone();
    let path = format!("{REPLICATE}/{}", id.as_str().expect("an id"));
    let done = until("it is done", || async {
        let shown = get(&nodes[0], &format!("{path}?includeHistory=true")).await;
        (shown.status == 200 && shown.body["status"]["state"] == "READY").then_some(shown.body)
    })
    .await;
    let status = ["collection", "id", "shard", "sourceNode", "status", "statusHistory"];
    assert_keys(&done, &[&status[..], &["targetNode", "type", "uncancelable"]].concat());
    assert_keys(&done["status"], &["errors", "state"]);
    let walked: Vec<_> = done["statusHistory"]
        .as_array()
        .expect("a history")
        .iter()
        .map(|step| step["state"].clone())
        .collect();
    assert_eq!(walked, ["REGISTERED", "HYDRATING", "FINALIZING", "INTEGRATING"]);
    assert_eq!(get(&nodes[0], &path).await.is(200).body["statusHistory"], Value::Null);
    for (query, found) in [
        ("collection=ContractMove", true),
        ("collection=ContractNone", false),
        ("collection=ContractMove&shard=none", false),
        // With a class the target is not looked at.
        ("collection=ContractMove&targetNode=none", true),
        ("targetNode=none", false),
    ] {
        let list = get(&nodes[0], &format!("{REPLICATE}/list?{query}")).await.is(200).body;
        let there = list.as_array().expect("a list").iter().any(|entry| entry["id"] == id);
        assert_eq!(there, found, "{query}: {list}");
    }
    get(&nodes[0], &format!("{REPLICATE}/list?shard={shard}"))
        .await
        .says(400, "shard id provided without collection id");
    post(&nodes[0], &format!("{path}/cancel"), &json!({}))
        .await
        .says(409, "execute cancel replication: cancellation impossible");
    let none = format!("{REPLICATE}/00000000-0000-0000-0000-00000000000f");
    get(&nodes[0], &none).await.is(404);
    post(&nodes[0], &format!("{none}/cancel"), &json!({})).await.is(204);
    get(&nodes[0], &format!("{REPLICATE}/nope")).await.says(422, "id in path must be of type uuid");
    remove(nodes, "ContractMove").await;
    until("it went with its class", || async {
        (get(&nodes[0], &path).await.status == 404).then_some(())
    })
    .await;
}

pub(super) async fn waits_for_a_node_that_is_not_there(nodes: &[String]) {
    let (shard, source, _) = single(nodes).await;
    let sent = json!({
        "collection": "ContractMove", "shard": shard, "sourceNode": source, "targetNode": "node9",
    });
    let id = post(&nodes[0], REPLICATE, &sent).await.is(200).body["id"].clone();
    let path = format!("{REPLICATE}/{}", id.as_str().expect("an id"));
    post(&nodes[0], &format!("{path}/cancel"), &json!({})).await.is(204);
    let shown = until("it is marked", || async {
        let shown = get(&nodes[0], &format!("{path}?includeHistory=true")).await.body;
        (shown["scheduledForCancel"] == true).then_some(shown)
    })
    .await;
    assert_eq!(shown["status"], json!({ "errors": [], "state": "REGISTERED" }));
    assert_eq!(shown["statusHistory"], json!([]));
    remove(nodes, "ContractMove").await;
    let shown = until("it is marked once more", || async {
        let shown = get(&nodes[0], &path).await.body;
        (shown["scheduledForDelete"] == true).then_some(shown)
    })
    .await;
    assert_eq!(shown["status"]["state"], "REGISTERED", "it stays for good");
}

const REPLICATE: &str = "/v1/replication/replicate";

/// Makes a class with one shard; returns the shard, its node and another.
async fn single(nodes: &[String]) -> (String, String, String) {
    let class = json!({ "class": "ContractMove", "shardingConfig": { "desiredCount": 1 } });
    make(nodes, class).await;
    let path = "/v1/replication/sharding-state?collection=ContractMove";
    let state = get(&nodes[0], path).await.is(200).body;
    let shard = &state["shardingState"]["shards"][0];
    let source = shard["replicas"][0].as_str().expect("a node").to_owned();
    let target = if source == "node1" { "node2" } else { "node1" };
    (shard["shard"].as_str().expect("a name").to_owned(), source, target.to_owned())
}

/// Returns the shards of a class on each node; `None` if not all nodes answer for it yet.
async fn shards(node: &str, class: &str) -> Option<Vec<Vec<Value>>> {
    let answer = get(node, &format!("/v1/nodes/{class}?output=verbose")).await;
    let list = answer.body["nodes"].as_array()?;
    list.iter().map(|entry| entry["shards"].as_array().cloned()).collect()
}
