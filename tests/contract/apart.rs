//! Replicas that differ: what was written while node3 was away is not there
//! when it comes back, where asynchronous replication is off.
//!
//! In three parts, because only the caller can stop and start a node.

use serde_json::{Value, json};

use super::http::{count, delete, get, get_own, head, make, post, remove, try_send, until};

const CLASS: &str = "ContractApart";
const NAMES: [&str; 3] = ["node1", "node2", "node3"];

fn path(nth: usize) -> String {
    format!("/v1/objects/{CLASS}/00000000-0000-0000-0000-{nth:012}")
}

fn object(nth: usize) -> Value {
    json!({ "class": CLASS, "id": format!("00000000-0000-0000-0000-{nth:012}"), "vector": [nth] })
}

/// With all nodes: makes the class and an object on every replica.
pub(crate) async fn before(nodes: &[String]) {
    let one = json!({ "desiredCount": 1 });
    let class =
        json!({ "class": CLASS, "replicationConfig": { "factor": 3 }, "shardingConfig": one });
    make(nodes, class).await;
    post(&nodes[0], "/v1/objects?consistency_level=ALL", &object(1)).await.is(200);
}

/// While node3 is away: writes on the other two.
pub(crate) async fn during(nodes: &[String]) {
    known(&nodes[..2], 2).await;
    for nth in 2..=6 {
        write(&nodes[0], nth).await;
    }
}

/// Writes an object, again where no answer comes: for a while after a node died, requests hang.
async fn write(node: &str, nth: usize) {
    let url = format!("{node}/v1/objects?consistency_level=ONE");
    for _ in 0..5 {
        match try_send("POST", &url, Some(&object(nth)), false).await {
            Ok(answer) if answer.status == 200 => return,
            Ok(answer) if answer.text.contains("already exists") => return,
            Ok(answer) => assert_eq!(answer.status, 500, "{}", answer.text),
            Err(_) => {}
        }
    }
    panic!("object {nth} could not be written");
}

/// With node3 back: tells what each replica has, and what brings them together.
pub(crate) async fn after(nodes: &[String]) {
    known(nodes, 3).await;
    until("node3 has its replica open", || async {
        let shown = get_own(&nodes[2], &format!("/v1/schema/{CLASS}")).await.status == 200;
        (shown && own(&nodes[2]).await.is_number()).then_some(())
    })
    .await;

    assert_eq!(owns(nodes).await, [6, 6, 1]);
    for node in nodes {
        // Most replicas have six, so that is what all nodes say.
        assert_eq!(counted(node, CLASS).await, 6);
        assert_eq!(holders(node, 2).await, [200, 200, 404]);
    }
    let list = format!("/v1/objects?class={CLASS}&limit=9&after=");
    for (node, listed) in nodes.iter().zip([6, 6, 1]) {
        assert_eq!(get(node, &list).await.is(200).body["totalResults"], listed);
    }

    get(&nodes[0], &format!("{}?consistency_level=ONE", path(2))).await.is(200);
    get(&nodes[2], &format!("{}?consistency_level=ONE", path(2))).await.is(404);
    assert_eq!(holders(&nodes[0], 2).await, [200, 200, 404], "ONE repairs nothing");
    get(&nodes[0], &format!("{}?consistency_level=ALL", path(2))).await.is(200);
    repaired(&nodes[0], 2).await;
    get(&nodes[2], &format!("{}?consistency_level=QUORUM", path(3))).await.is(200);
    repaired(&nodes[0], 3).await;
    get(&nodes[2], &path(4)).await.is(200);
    repaired(&nodes[0], 4).await;
    head(&nodes[2], &path(5)).await.is(204);
    repaired(&nodes[0], 5).await;
    assert_eq!(owns(nodes).await, [6, 6, 5]);
    delete(&nodes[0], &format!("{}?consistency_level=ALL", path(6))).await.is(204);
    assert_eq!(owns(nodes).await, [5, 5, 5]);
    remove(nodes, CLASS).await;
}

async fn known(nodes: &[String], count: usize) {
    for node in nodes {
        until("the nodes that run are known", || async {
            let list = get(node, "/v1/nodes").await.body;
            (list["nodes"].as_array().map(Vec::len) == Some(count)).then_some(())
        })
        .await;
    }
}

async fn repaired(node: &str, nth: usize) {
    until("the reading repaired node3", || async {
        (holders(node, nth).await == [200, 200, 200]).then_some(())
    })
    .await;
}

/// Returns what each replica answers for an object.
async fn holders(node: &str, nth: usize) -> [u16; 3] {
    let mut found = [0; 3];
    for (status, name) in found.iter_mut().zip(NAMES) {
        *status = get(node, &format!("{}?node_name={name}", path(nth))).await.status;
    }
    found
}

/// Returns how many objects the replica of each node has.
async fn owns(nodes: &[String]) -> Vec<Value> {
    let mut found = Vec::new();
    for node in nodes {
        found.push(own(node).await);
    }
    found
}

async fn own(node: &str) -> Value {
    counted(node, &format!("{CLASS}(limit:1)")).await
}

async fn counted(node: &str, field: &str) -> Value {
    let answer = count(node, &format!("{{Aggregate{{{field}{{meta{{count}}}}}}}}")).await.is(200);
    answer.body["data"]["Aggregate"][CLASS][0]["meta"]["count"].clone()
}
