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
    remove(nodes, "ContractScale").await;
}

pub(super) async fn stops_and_allows_writing(nodes: &[String]) {
    let class = json!({
        "class": "ContractReadonly", "replicationConfig": { "factor": 3 },
        "shardingConfig": { "desiredCount": 1 },
    });
    make(nodes, class).await;
    let path = "/v1/schema/ContractReadonly/shards";
    let shards = get(&nodes[0], path).await.is(200).body;
    assert_keys(&shards[0], &["name", "status", "vectorQueueSize"]);
    assert_eq!(shards[0]["status"], "READY");
    let shard = format!("{path}/{}", shards[0]["name"].as_str().expect("a name"));

    for status in ["READONLY", "READY"] {
        let answer = put(&nodes[0], &shard, &json!({ "status": status })).await.is(200).body;
        assert_eq!(answer, json!({ "status": status }));
        for node in nodes {
            until("the status is on every node", || async {
                (get(node, path).await.body[0]["status"] == status).then_some(())
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

/// Returns the shards of a class on each node; `None` if not all nodes answer for it yet.
async fn shards(node: &str, class: &str) -> Option<Vec<Vec<Value>>> {
    let answer = get(node, &format!("/v1/nodes/{class}?output=verbose")).await;
    let list = answer.body["nodes"].as_array()?;
    list.iter().map(|entry| entry["shards"].as_array().cloned()).collect()
}
