//! The sandbox: that it behaves as a real cluster does (`contract`), and that
//! its scenarios and faults are what they say.

mod contract;
mod scenarios;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::http::{Answer, count, delete, get, get_own, post, try_send};
use elysia_runbook::sandbox::{Fault, Placement, Sandbox, Scenario, ShardStatus};
use serde_json::{Value, json};

const CLASS: &str = "ELYSIA_CONFIG__";
const PATH: &str = "/v1/schema/ELYSIA_CONFIG__";
const COUNT: &str = "{Aggregate{ELYSIA_CONFIG__{meta{count}}}}";

async fn start(scenario: Scenario) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::start(scenario).await.expect("free ports");
    let urls = sandbox.nodes().into_iter().map(|(_, url)| url).collect();
    (sandbox, urls)
}

fn inject(sandbox: &Sandbox, fault: &str) {
    sandbox.inject(fault.parse::<Fault>().expect("a fault"));
}

async fn try_get(node: &str, path: &str) -> reqwest::Result<Answer> {
    try_send("GET", &format!("{node}{path}"), None, false).await
}

async fn try_delete(node: &str, path: &str) -> reqwest::Result<Answer> {
    try_send("DELETE", &format!("{node}{path}"), None, false).await
}

/// Returns the leader that each entry of the statistics names.
async fn leaders(node: &str) -> Vec<Value> {
    let body = get(node, "/v1/cluster/statistics").await.is(200).body;
    let entries = body["statistics"].as_array().expect("a list").clone();
    entries.into_iter().map(|entry| entry["leaderId"].clone()).collect()
}

#[tokio::test]
async fn behaves_as_the_contract_says() {
    let (_sandbox, nodes) = start(Scenario::Healthy).await;
    let ran = contract::all(&nodes).await;
    assert!(ran > 20, "{ran} tests ran");
}

/// `CONTRACT_NODES=http://…,http://…,http://… cargo test --test sandbox -- --ignored`
#[tokio::test]
#[ignore = "needs a real cluster, named in CONTRACT_NODES"]
async fn a_real_cluster_behaves_as_the_contract_says() {
    let nodes = std::env::var("CONTRACT_NODES").expect("CONTRACT_NODES names the nodes");
    let nodes: Vec<String> = nodes.split(',').map(str::to_owned).collect();
    assert_eq!(nodes.len(), 3, "three nodes");
    let ran = contract::all(&nodes).await;
    assert!(ran > 20, "{ran} tests ran");
}

#[tokio::test]
async fn missing_on_nodes_can_be_repaired() {
    let (sandbox, nodes) = start(Scenario::MissingOnNodes).await;
    assert_eq!(leaders(&nodes[2]).await, ["node1", "node1", "node1"]);
    for (node, status) in nodes.iter().zip([200, 404, 404]) {
        get(node, PATH).await.is(200);
        get_own(node, PATH).await.is(status);
        get(node, &format!("/v1/nodes/{CLASS}?output=verbose")).await.is(404);
        get(node, &format!("/v1/objects?class={CLASS}&limit=9&after=")).await.is(status);
    }
    let all = get(&nodes[1], "/v1/nodes?output=verbose").await.is(200).body;
    let shards: Vec<_> =
        (0..3).map(|n| all["nodes"][n]["shards"].as_array().map(Vec::len)).collect();
    assert_eq!(shards, [Some(3), None, None]);
    let query = json!({ "query": COUNT });
    try_send("POST", &format!("{}/v1/graphql", nodes[0]), Some(&query), false)
        .await
        .expect_err("counting where the class is breaks the connection");
    count(&nodes[1], COUNT).await.says(422, "no graphql provider present");
    let object = json!({ "class": CLASS });
    let write = "/v1/objects?consistency_level=ALL";
    post(&nodes[0], write, &object).await.says(500, "class not found");
    post(&nodes[1], write, &object).await.says(500, "import into non-existing index");

    let schema = get(&nodes[0], PATH).await.is(200).body;
    delete(&nodes[0], PATH).await.is(200);
    post(&nodes[0], "/v1/schema", &schema).await.is(200);
    for name in ["node1", "node2", "node3"] {
        assert_eq!(sandbox.factor(name, CLASS), Some(3));
    }
    assert!(sandbox.replicas(CLASS).values().all(|nodes| nodes.len() == 3));
    post(&nodes[1], write, &object).await.is(200);
}

#[tokio::test]
async fn split_raft_has_three_leaders() {
    let (sandbox, nodes) = start(Scenario::SplitRaft).await;
    assert_eq!(leaders(&nodes[0]).await, ["node1", "node2", "node3"]);
    let list = get(&nodes[0], "/v1/nodes").await.is(200).body;
    assert!(
        list["nodes"].as_array().expect("a list").iter().all(|node| node["status"] == "HEALTHY")
    );
    get(&nodes[1], PATH).await.is(404);

    // Deleting and recreating changes nothing here.
    let schema = get(&nodes[0], PATH).await.is(200).body;
    delete(&nodes[0], PATH).await.is(200);
    post(&nodes[0], "/v1/schema", &schema).await.is(200);
    let there = ["node1", "node2", "node3"].map(|node| sandbox.has_class(node, CLASS));
    assert_eq!(there, [true, false, false]);
}

#[tokio::test]
async fn node_down_counts_what_is_left() {
    let (sandbox, nodes) = start(Scenario::NodeDown).await;
    assert!(try_get(&nodes[2], "/v1/meta").await.expect_err("it is down").is_connect());
    assert_eq!(sandbox.objects("node3", CLASS).len(), 2);
    let answer = count(&nodes[0], COUNT).await.is(200).body;
    assert_eq!(answer, json!({ "data": { "Aggregate": { CLASS: [{ "meta": { "count": 0 } }] } } }));
    let list = get(&nodes[0], "/v1/nodes").await.is(200).body;
    assert_eq!(list["nodes"].as_array().map(Vec::len), Some(2));
    let statistics = get(&nodes[0], "/v1/cluster/statistics").await.is(200).body;
    assert_eq!(statistics["statistics"].as_array().map(Vec::len), Some(2));
    let members = &statistics["statistics"][0]["raft"]["latestConfiguration"];
    assert_eq!(members[2]["id"], "node3");
    let state = get(&nodes[0], &format!("/v1/replication/sharding-state?collection={CLASS}")).await;
    assert!(state.is(200).text.contains("node3"));

    sandbox.start_node("node3");
    let answer = count(&nodes[0], COUNT).await.is(200).body;
    assert_eq!(answer["data"]["Aggregate"][CLASS][0]["meta"]["count"], 2);
}

#[tokio::test]
async fn with_data_is_the_same_at_every_start() {
    let (first, nodes) = start(Scenario::WithData).await;
    let answer = count(&nodes[1], COUNT).await.is(200).body;
    assert_eq!(answer["data"]["Aggregate"][CLASS][0]["meta"]["count"], 300);
    let (second, _) = start(Scenario::WithData).await;
    assert_eq!(first.replicas(CLASS), second.replicas(CLASS));
    for node in ["node1", "node2", "node3"] {
        assert_eq!(first.objects(node, CLASS), second.objects(node, CLASS));
        assert!(first.objects(node, CLASS).len() > 50);
    }
}

#[tokio::test]
async fn a_node_that_was_down_catches_up() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    sandbox.stop_node("node1");
    assert_eq!(leaders(&nodes[1]).await, ["node2", "node2"]);
    delete(&nodes[1], PATH).await.is(200);
    let class = json!({ "class": "Later", "replicationConfig": { "factor": 3 } });
    // A node that is down gets its replicas, but no shard for its own sake.
    let made = post(&nodes[1], "/v1/schema", &class).await.is(200).body;
    assert_eq!(made["shardingConfig"]["desiredCount"], 2);
    post(&nodes[1], "/v1/objects?consistency_level=ALL", &json!({ "class": "Later" }))
        .await
        .is(200);
    assert!(sandbox.has_class("node1", CLASS));
    sandbox.start_node("node1");
    assert!(!sandbox.has_class("node1", CLASS));
    assert!(sandbox.replicas("Later").values().all(|nodes| nodes.len() == 3));
    assert_eq!(sandbox.objects("node1", "Later").len(), 1);
    get(&nodes[0], PATH).await.is(404);

    sandbox.stop_node("node2");
    sandbox.stop_node("node3");
    get(&nodes[0], "/v1/.well-known/ready").await.is(503);
    delete(&nodes[0], PATH)
        .await
        .says(400, "leader not found, can not resolve nodes [node2,node3]");
    get(&nodes[0], PATH).await.says(500, "leader not found");
    get_own(&nodes[0], PATH).await.is(404);
}

#[tokio::test]
async fn a_node_that_hangs_answers_later() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    sandbox.hang_node("node2");
    let soon = Duration::from_millis(200);
    tokio::time::timeout(soon, try_get(&nodes[1], PATH)).await.expect_err("it hangs");
    let waiting = tokio::spawn({
        let node = nodes[1].clone();
        async move { get(&node, PATH).await.status }
    });
    get(&nodes[0], PATH).await.is(200);
    sandbox.resume_node("node2");
    assert_eq!(waiting.await.expect("an answer"), 200);
}

#[tokio::test]
async fn faults_hit_the_request_they_name() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    inject(&sandbox, "node1:DELETE:/v1/schema/*:1=refuse");
    inject(&sandbox, "node1:DELETE:/v1/schema/*:2=422 not today");
    inject(&sandbox, "node1:DELETE:/v1/schema/*:3=cut-after");
    try_delete(&nodes[0], PATH).await.expect_err("refused");
    assert!(sandbox.has_class("node1", CLASS));
    delete(&nodes[0], PATH).await.says(422, "not today");
    assert!(sandbox.has_class("node1", CLASS));
    try_delete(&nodes[0], PATH).await.expect_err("cut");
    assert!(!sandbox.has_class("node3", CLASS));
    delete(&nodes[0], PATH).await.is(200);

    let log = sandbox.requests();
    let statuses: Vec<_> = log.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [None, Some(422), None, Some(200)]);
    assert_eq!((log[0].node.as_str(), log[0].method.as_str()), ("node1", "DELETE"));
    assert_eq!(log[0].path_and_query, PATH);
}

#[tokio::test]
async fn faults_do_what_they_say() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    inject(&sandbox, "GET:/v1/meta:1=malformed");
    inject(&sandbox, "GET:/v1/meta:2=delay 100ms");
    inject(&sandbox, "GET:/v1/meta:3=hang");
    let broken = get(&nodes[0], "/v1/meta").await.is(200);
    assert_eq!((broken.text.as_str(), broken.body), ("{\"broken\":", Value::Null));
    let before = Instant::now();
    get(&nodes[0], "/v1/meta").await.is(200);
    assert!(before.elapsed() >= Duration::from_millis(100));
    let soon = Duration::from_millis(100);
    tokio::time::timeout(soon, try_get(&nodes[0], "/v1/meta")).await.expect_err("it hangs");

    inject(&sandbox, "POST:/v1/schema=done 500 timeout");
    post(&nodes[0], "/v1/schema", &json!({ "class": "Done" })).await.says(500, "timeout");
    assert!(sandbox.has_class("node2", "Done"));

    inject(&sandbox, "DELETE:/v1/schema/*:1=class-reappears");
    delete(&nodes[0], PATH).await.is(200);
    assert_eq!(sandbox.factor("node3", CLASS), Some(1));

    inject(&sandbox, "GET:/v1/nodes:1=stop node3");
    let list = get(&nodes[0], "/v1/nodes").await.is(200).body;
    assert_eq!(list["nodes"].as_array().map(Vec::len), Some(2));
    inject(&sandbox, "node2:GET:/v1/nodes:1=stop node2");
    try_get(&nodes[1], "/v1/nodes").await.expect_err("it died of the request");
    assert!(try_get(&nodes[1], "/v1/nodes").await.expect_err("it is gone").is_connect());
}

#[tokio::test]
async fn tests_can_set_up_what_no_request_would() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    let config = json!({ "class": "Mt", "multiTenancyConfig": { "enabled": true } });
    let on = |node: &str, active| Placement { replicas: vec![node.to_owned()], active };
    let tenants =
        BTreeMap::from([("a".into(), on("node2", true)), ("b".into(), on("node2", false))]);
    sandbox.place(Some("node2"), &config, &tenants).expect("a class");
    assert_eq!(sandbox.class("node2", "Mt"), Some(config));
    assert!(!sandbox.has_class("node1", "Mt"));
    assert_eq!(
        sandbox.tenants("node2", "Mt"),
        BTreeMap::from([("a".into(), true), ("b".into(), false)])
    );
    let object = json!({ "class": "Mt", "tenant": "a" });
    sandbox.insert(Some("node2"), &object).expect("a replica");
    sandbox.insert(Some("node1"), &object).expect_err("no replica there");
    let query = "{Aggregate{Mt(tenant:\"a\"){meta{count}}}}";
    let answer = count(&nodes[1], query).await.is(200).body;
    assert_eq!(answer["data"]["Aggregate"]["Mt"][0]["meta"]["count"], 1);

    // Replicas can differ.
    let id = sandbox.insert(Some("node3"), &json!({ "class": CLASS })).expect("a replica");
    let held = ["node1", "node2", "node3"].map(|node| sandbox.objects(node, CLASS).len());
    assert_eq!(held, [0, 0, 1]);
    for (node, status) in [("node1", 404), ("node3", 200)] {
        get(&nodes[0], &format!("/v1/objects/{CLASS}/{id}?node_name={node}")).await.is(status);
    }
}

#[tokio::test]
async fn object_counts_of_nodes_lag() {
    let (sandbox, nodes) = start(Scenario::FactorOne).await;
    post(&nodes[0], "/v1/objects", &json!({ "class": CLASS })).await.is(200);
    let total = async || {
        let list = get(&nodes[0], "/v1/nodes?output=verbose").await.is(200).body;
        let list = list["nodes"].as_array().expect("a list").clone();
        list.iter().filter_map(|node| node["stats"]["objectCount"].as_u64()).sum::<u64>()
    };
    assert_eq!(total().await, 0, "it is not on disk yet");
    for (node, _) in sandbox.nodes() {
        sandbox.stop_node(&node);
        sandbox.start_node(&node);
    }
    assert_eq!(total().await, 1);
}

#[tokio::test]
async fn what_it_has_not_it_says() {
    let (sandbox, nodes) = start(Scenario::FactorOne).await;
    get(&nodes[0], "/v1/authz/roles")
        .await
        .says(501, "the sandbox has no endpoint GET /v1/authz/roles");
    sandbox.set_replica_movement(false);
    get(&nodes[0], &format!("/v1/replication/sharding-state?collection={CLASS}")).await.is(501);
    drop(sandbox);
    assert!(try_get(&nodes[0], "/v1/meta").await.expect_err("it is gone").is_connect());
}

#[test]
fn scenarios_have_names() {
    assert_eq!(Scenario::default().to_string(), "missing-on-nodes");
    assert_eq!(Scenario::SplitRaft.to_string(), "split-raft");
}

#[tokio::test]
async fn replicas_stay_apart_as_the_contract_says() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    sandbox.set_async_replication(false);
    contract::apart::before(&nodes).await;
    sandbox.stop_node("node3");
    contract::apart::during(&nodes).await;
    sandbox.start_node("node3");
    contract::apart::after(&nodes).await;
}

#[tokio::test]
async fn nodes_say_what_they_were_told_to() {
    let (sandbox, nodes) = start(Scenario::Healthy).await;
    sandbox.set_version("node2", "1.38.2");
    sandbox.set_operational_mode("node3", "ReadOnly");
    sandbox.set_shards("node1", CLASS, ShardStatus::LazyLoading, 0);
    sandbox.set_shards("node2", CLASS, ShardStatus::Indexing, 7);
    let list = get(&nodes[0], "/v1/nodes?output=verbose").await.is(200).body;
    assert_eq!(list["nodes"][1]["version"], "1.38.2");
    assert_eq!(list["nodes"][2]["operationalMode"], "ReadOnly");
    let lazy = &list["nodes"][0]["shards"][0];
    assert_eq!(
        (&lazy["vectorIndexingStatus"], &lazy["loaded"]),
        (&json!("LAZY_LOADING"), &json!(false))
    );
    assert_eq!(lazy["asyncReplicationStatus"], Value::Null);
    assert_eq!(list["nodes"][1]["shards"][0]["vectorQueueLength"], 7);
}
