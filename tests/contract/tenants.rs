//! Classes with tenants.

use serde_json::{Value, json};

use super::http::{count, delete, get, get_own, head, make, post, put, remove, send, until};

const CLASS: &str = "ContractTenants";
const PATH: &str = "/v1/schema/ContractTenants/tenants";

async fn class(nodes: &[String]) {
    let class = json!({
        "class": CLASS, "multiTenancyConfig": { "enabled": true },
        "replicationConfig": { "factor": 3 },
    });
    let made = make(nodes, class).await;
    assert_eq!(made.config["shardingConfig"]["desiredCount"], 0);
    let tenants = json!([{ "name": "t1" }, { "name": "t2", "activityStatus": "COLD" }]);
    let answer = post(&nodes[0], PATH, &tenants).await.is(200).body;
    assert_eq!(answer, json!([{ "name": "t1" }, { "activityStatus": "COLD", "name": "t2" }]));
    for node in nodes {
        until("every node has the tenants", || async {
            (get_own(node, &format!("{PATH}/t2")).await.status == 200).then_some(())
        })
        .await;
    }
}

async fn statuses(node: &str) -> Vec<(String, String)> {
    sorted(&get(node, PATH).await.is(200).body)
}

/// Returns names and statuses in an order: the server gives them in none.
fn sorted(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = list.as_array().expect("a list");
    let mut list: Vec<_> = list
        .iter()
        .map(|tenant| (text(&tenant["name"]), text(&tenant["activityStatus"])))
        .collect();
    list.sort();
    list
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

pub(super) async fn come_and_go(nodes: &[String]) {
    class(nodes).await;
    for node in nodes {
        assert_eq!(statuses(node).await, pairs(&[("t1", "HOT"), ("t2", "COLD")]));
    }
    post(&nodes[0], PATH, &json!([{ "name": "t1", "activityStatus": "COLD" }])).await.is(200);
    assert_eq!(statuses(&nodes[0]).await[0].1, "HOT", "one that exists stays as it is");
    let answer = get(&nodes[0], &format!("{PATH}/t1")).await.is(200).body;
    assert_eq!(answer, json!({ "activityStatus": "HOT", "name": "t1" }));
    get(&nodes[0], &format!("{PATH}/none")).await.is(404);
    let own = get_own(&nodes[0], PATH).await.is(200).body;
    assert_eq!(own, json!([]), "a node lists none of its own tenants");

    let state = get(&nodes[0], "/v1/replication/sharding-state?collection=ContractTenants").await;
    let shards = state.is(200).body["shardingState"]["shards"].as_array().expect("shards").clone();
    assert_eq!(shards.len(), 2);

    let names = json!(["t1", "none"]);
    send("DELETE", &format!("{}{PATH}", nodes[0]), Some(&names), false).await.is(200);
    assert_eq!(statuses(&nodes[0]).await, pairs(&[("t2", "COLD")]));
    remove(nodes, CLASS).await;
}

pub(super) async fn sleep(nodes: &[String]) {
    class(nodes).await;
    let id = "00000000-0000-0000-0000-000000000001";
    let object = |tenant: &str| json!({ "class": CLASS, "id": id, "tenant": tenant });
    // On every replica, as the readings below ask only the nearest.
    let all = "/v1/objects?consistency_level=ALL";
    let made = post(&nodes[0], all, &object("t1")).await.is(200).body;
    assert_eq!(made["tenant"], "t1");
    let cold = "tenant not active: 't2'";
    post(&nodes[0], "/v1/objects", &object("t2")).await.says(422, cold);

    let path = format!("/v1/objects/{CLASS}/{id}");
    let read = get(&nodes[0], &format!("{path}?tenant=t1")).await.is(200).body;
    assert_eq!(read["tenant"], "t1");
    get(&nodes[0], &format!("{path}?tenant=t2")).await.says(422, cold);
    head(&nodes[0], &format!("{path}?tenant=t1")).await.is(204);
    let list = format!("/v1/objects?class={CLASS}&limit=9&after=");
    let page = get(&nodes[0], &format!("{list}&tenant=t1")).await.is(200).body;
    assert_eq!(page["objects"][0]["id"], json!(id));
    assert_eq!(page["objects"][0].get("tenant"), None);
    get(&nodes[0], &format!("{list}&tenant=t2")).await.says(422, cold);
    delete(&nodes[0], &format!("{path}?tenant=t2")).await.says(422, cold);

    let query = "{Aggregate{a:ContractTenants(tenant:\"t1\"){meta{count}} b:ContractTenants(tenant:\"t2\"){meta{count}}}}";
    let answer = count(&nodes[0], query).await.is(200);
    let error = json!([{ "locations": [{ "column": 56, "line": 1 }], "message": cold, "path": ["Aggregate", "b"] }]);
    let data = json!({ "Aggregate": { "a": [{ "meta": { "count": 1 } }], "b": null } });
    assert_eq!(answer.body, json!({ "data": data, "errors": error }));

    // A tenant that sleeps is no open shard anywhere.
    until("each node has the one shard open", || async {
        let path = format!("/v1/nodes/{CLASS}?output=verbose");
        let verbose = get(&nodes[0], &path).await.is(200).body;
        let open = |node: &Value| {
            node["shards"].as_array().is_some_and(|open| open.len() == 1 && open[0]["name"] == "t1")
        };
        verbose["nodes"].as_array()?.iter().all(open).then_some(())
    })
    .await;

    let change = json!([{ "name": "t1", "activityStatus": "INACTIVE" }, { "name": "t2", "activityStatus": "ACTIVE" }]);
    let answer = put(&nodes[0], PATH, &change).await.is(200).body;
    assert_eq!(sorted(&answer), pairs(&[("t1", "COLD"), ("t2", "HOT")]));
    assert_eq!(statuses(&nodes[0]).await, pairs(&[("t1", "COLD"), ("t2", "HOT")]));
    let many: Vec<Value> =
        (0..101).map(|n| json!({ "name": format!("m{n}"), "activityStatus": "COLD" })).collect();
    let most = "maximum number of tenants allowed to be updated simultaneously is 100. \
                Please reduce the number of tenants in your request and try again";
    put(&nodes[0], PATH, &json!(many)).await.says(422, most);
    put(&nodes[0], PATH, &json!([{ "name": "t1", "activityStatus": "HOT" }])).await.is(200);
    until("what slept is there again", || async {
        (get(&nodes[0], &format!("{path}?tenant=t1")).await.status == 200).then_some(())
    })
    .await;
    remove(nodes, CLASS).await;
}

pub(super) async fn are_refused(nodes: &[String]) {
    class(nodes).await;
    let without = "class ContractTenants has multi-tenancy enabled, but request was without tenant";
    let unknown = "tenant not found: \"none\"";
    let id = "00000000-0000-0000-0000-000000000001";
    let path = format!("/v1/objects/{CLASS}/{id}");
    let list = format!("/v1/objects?class={CLASS}&limit=9&after=");
    post(&nodes[0], "/v1/objects", &json!({ "class": CLASS })).await.says(422, without);
    post(&nodes[0], "/v1/objects", &json!({ "class": CLASS, "tenant": "none" }))
        .await
        .says(422, unknown);
    get(&nodes[0], &path).await.says(422, without);
    get(&nodes[0], &format!("{path}?tenant=none")).await.says(422, unknown);
    get(&nodes[0], &list).await.says(422, without);
    get(&nodes[0], &format!("{list}&tenant=none")).await.says(422, unknown);
    for (field, message) in [(CLASS, without), ("ContractTenants(tenant:\"none\")", unknown)] {
        let answer =
            count(&nodes[0], &format!("{{Aggregate{{{field}{{meta{{count}}}}}}}}")).await.is(200);
        assert_eq!(answer.body["data"]["Aggregate"], json!({ CLASS: null }));
        assert_eq!(answer.body["errors"][0]["message"], message);
    }
    let batch = json!({ "objects": [{ "class": CLASS, "id": id }] });
    let answer = post(&nodes[0], "/v1/batch/objects", &batch).await.is(200).body;
    assert_eq!(answer[0]["result"]["errors"]["error"][0]["message"], without);

    post(&nodes[0], PATH, &json!([{ "name": "a b" }]))
        .await
        .says(422, "'a b' is not a valid tenant name");
    post(&nodes[0], PATH, &json!([{ "name": "" }])).await.says(422, "empty tenant name");
    post(&nodes[0], PATH, &json!([{ "name": "t", "activityStatus": "WHAT" }]))
        .await
        .says(422, "activityStatus in body should be one of [ACTIVE INACTIVE OFFLOADED");
    put(&nodes[0], PATH, &json!([{ "name": "none", "activityStatus": "HOT" }]))
        .await
        .says(422, "shard not found: none");
    remove(nodes, CLASS).await;

    make(nodes, json!({ "class": "ContractTenants" })).await;
    let disabled = "multi-tenancy is not enabled for class \"ContractTenants\"";
    get(&nodes[0], PATH).await.says(422, disabled);
    post(&nodes[0], PATH, &json!([{ "name": "t" }])).await.says(422, disabled);
    remove(nodes, CLASS).await;
    get(&nodes[0], PATH).await.says(422, "class not found");
    post(&nodes[0], PATH, &json!([{ "name": "t" }])).await.says(422, "class not found");
}
