//! That each ill cluster to start from is ill in the way it says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use elysia_runbook::sandbox::Scenario;
use serde_json::{Value, json};

use super::contract::http::{count, get, get_own, post, try_send};
use super::{CLASS, COUNT, PATH, leaders, start};

/// Returns what `statistics` says of each node: leader, state, number of members.
async fn raft(node: &str) -> Vec<(String, String, usize)> {
    let body = get(node, "/v1/cluster/statistics").await.is(200).body;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = body["statistics"].as_array().expect("a list");
    let seen = entries.iter().map(|entry| {
        let members = entry["raft"]["latestConfiguration"].as_array().map_or(0, Vec::len);
        (text(&entry["leaderId"]), text(&entry["raft"]["state"]), members)
    });
    seen.collect()
}

async fn own(node: &str, class: &str) -> Value {
    let answer = count(node, &format!("{{Aggregate{{{class}(limit:1){{meta{{count}}}}}}}}")).await;
    answer.body["data"]["Aggregate"][class][0]["meta"]["count"].clone()
}

async fn presence(nodes: &[String], path: &str) -> Vec<bool> {
    let mut found = Vec::new();
    for node in nodes {
        found.push(get_own(node, path).await.status == 200);
    }
    found
}

#[tokio::test]
async fn leader_can_lack_a_class() {
    let (_sandbox, nodes) = start(Scenario::LeaderLacksClass).await;
    assert_eq!(leaders(&nodes[0]).await, ["node2", "node2", "node2"]);
    get(&nodes[0], PATH).await.is(404);
    assert_eq!(presence(&nodes, PATH).await, [true, false, false]);
    assert_eq!(own(&nodes[0], CLASS).await, 30);
    let list = get(&nodes[0], &format!("/v1/objects?class={CLASS}&limit=99&after=")).await;
    assert_eq!(list.is(200).body["totalResults"], 30);
}

#[tokio::test]
async fn two_leaders_think_they_are_synchronized() {
    let (_sandbox, nodes) = start(Scenario::TwoLeaders).await;
    let seen = raft(&nodes[0]).await;
    let expected = [("node1", "Leader", 1), ("node2", "Leader", 2), ("node2", "Follower", 2)]
        .map(|(leader, state, members)| (leader.to_owned(), state.to_owned(), members));
    assert_eq!(seen, expected);
    assert_eq!(presence(&nodes, PATH).await, [true, false, false]);
}

#[tokio::test]
async fn class_missing_on_one_node_counts_on_the_others() {
    let (_sandbox, nodes) = start(Scenario::ClassMissingOnNode).await;
    assert_eq!(presence(&nodes, PATH).await, [true, true, false]);
    assert_eq!(own(&nodes[0], CLASS).await, 0);
    let query = json!({ "query": COUNT });
    try_send("POST", &format!("{}/v1/graphql", nodes[0]), Some(&query), false)
        .await
        .expect_err("counting all replicas breaks the connection");
}

#[tokio::test]
async fn different_classes_are_on_different_nodes() {
    let (_sandbox, nodes) = start(Scenario::DifferentClasses).await;
    for (nth, class) in [CLASS, "ELYSIA_FEEDBACK__", "Article"].into_iter().enumerate() {
        let path = format!("/v1/schema/{class}");
        let mut expected = [false; 3];
        expected[nth] = true;
        assert_eq!(presence(&nodes, &path).await, expected);
        assert_eq!(own(&nodes[nth], class).await, 5);
    }
}

#[tokio::test]
async fn differing_replicas_differ_in_two_ways() {
    let (sandbox, nodes) = start(Scenario::ReplicasDiffer).await;
    assert_eq!([own(&nodes[0], CLASS).await, own(&nodes[2], CLASS).await], [40, 30]);
    let objects = ["node1", "node3"].map(|node| sandbox.objects(node, CLASS));
    let older = objects[1].iter().filter(|object| !objects[0].contains(object)).count();
    assert_eq!(older, 1);
    sandbox.stop_node("node3");
    sandbox.start_node("node3");
    assert_eq!(own(&nodes[2], CLASS).await, 30, "no one compares them");
    for object in &objects[0] {
        let path = format!("/v1/objects/{CLASS}/{}", object["id"].as_str().expect("an id"));
        get(&nodes[0], &format!("{path}?consistency_level=ALL")).await.is(200);
    }
    assert_eq!(sandbox.objects("node3", CLASS), sandbox.objects("node1", CLASS));
}

#[tokio::test]
async fn read_only_is_forgotten_at_a_restart() {
    let (sandbox, nodes) = start(Scenario::ReadOnlyShard).await;
    let read_only = async || {
        let body = get(&nodes[0], "/v1/nodes?output=verbose").await.is(200).body;
        let nodes = body["nodes"].as_array().expect("nodes").clone();
        let count = |node: &Value| node["shards"].to_string().matches("READONLY").count();
        nodes.iter().map(count).collect::<Vec<_>>()
    };
    assert_eq!(read_only().await, [1, 1, 1]);
    sandbox.stop_node("node2");
    sandbox.start_node("node2");
    assert_eq!(read_only().await, [1, 0, 1]);
}

#[tokio::test]
async fn stuck_movements_end_when_cancelled() {
    let (sandbox, nodes) = start(Scenario::StuckMovement).await;
    let list = "/v1/replication/replicate/list?includeHistory=true";
    for _ in 0..6 {
        let shown = get(&nodes[1], list).await.is(200).body[0].clone();
        assert_eq!(shown["status"]["state"], "HYDRATING");
        assert_eq!(shown["status"]["errors"].as_array().map(Vec::len), Some(2));
        assert_eq!(shown["statusHistory"][0]["state"], "REGISTERED");
    }
    let id = get(&nodes[1], list).await.body[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/replication/replicate/{id}");
    post(&nodes[0], &format!("{path}/cancel"), &json!({})).await.is(204);
    assert_eq!(get(&nodes[0], &path).await.is(200).body["status"]["state"], "CANCELLED");

    let shard = sandbox.replicas(CLASS).into_keys().next().expect("a shard");
    let id = sandbox.stick_movement(CLASS, &shard, "node1", "node9", &[]);
    let shown = get(&nodes[0], &format!("/v1/replication/replicate/{id}")).await.is(200).body;
    assert_eq!(shown["status"], json!({ "errors": [], "state": "REGISTERED" }));
}

#[tokio::test]
async fn some_tenants_are_not_active() {
    let (_sandbox, nodes) = start(Scenario::Tenants).await;
    let query = "{Aggregate{a:Customers(tenant:\"acme\",limit:1){meta{count}} b:Customers(tenant:\"globex\"){meta{count}} c:Customers(tenant:\"old\"){meta{count}}}}";
    let answer = count(&nodes[2], query).await.is(200).body;
    let counts = ["a", "b", "c"].map(|key| &answer["data"]["Aggregate"][key][0]["meta"]["count"]);
    assert_eq!(counts, [&json!(10), &json!(5), &Value::Null]);
    assert_eq!(answer["errors"][0]["message"], "tenant not active: 'old'");
}

#[tokio::test]
async fn elysia_has_its_classes() {
    let (_sandbox, nodes) = start(Scenario::Elysia).await;
    let schema = get(&nodes[0], "/v1/schema").await.is(200).body;
    let classes = schema["classes"].as_array().expect("classes");
    let names: Vec<_> = classes.iter().filter_map(|class| class["class"].as_str()).collect();
    let expected = [
        "Article",
        "ELYSIA_CHUNKED_article__",
        CLASS,
        "ELYSIA_FEEDBACK__",
        "ELYSIA_METADATA__",
        "ELYSIA_TREES__",
    ];
    assert_eq!(names, expected);
    assert_eq!(own(&nodes[1], "Article").await, 30);
}

#[tokio::test]
async fn many_classes_are_quick() {
    let before = Instant::now();
    let (sandbox, nodes) = start(Scenario::ManyClasses).await;
    let started = before.elapsed();
    let schema = get(&nodes[0], "/v1/schema").await.is(200).body;
    let read = before.elapsed();
    assert_eq!(schema["classes"].as_array().map(Vec::len), Some(1000));
    let verbose = get(&nodes[1], "/v1/nodes?output=verbose").await.is(200).body;
    let shown = before.elapsed();
    assert_eq!(verbose["nodes"][2]["shards"].as_array().map(Vec::len), Some(3000));
    let fields: Vec<_> =
        (0..1000).map(|nth| format!("a{nth}:Many{nth:04}(limit:1){{meta{{count}}}}")).collect();
    let answer = count(&nodes[2], &format!("{{Aggregate{{{}}}}}", fields.join(" "))).await;
    let counted = before.elapsed();
    assert_eq!(answer.is(200).body["data"]["Aggregate"]["a999"][0]["meta"]["count"], 0);
    // Generous, for a machine that is busy with other tests.
    assert!(counted < Duration::from_secs(10), "{started:?} {read:?} {shown:?} {counted:?}");
    let requests = BTreeMap::from(["node1", "node2", "node3"].map(|name| (name.to_owned(), 1)));
    assert_eq!(sandbox.requests_by_node(), requests);
}
