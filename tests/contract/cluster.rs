//! What a cluster says of itself.

use serde_json::{Value, json};

use super::http::{assert_keys, get, head, until};

pub(super) async fn is_ready(nodes: &[String]) {
    for node in nodes {
        for path in ["/v1/.well-known/ready", "/v1/.well-known/live"] {
            let answer = get(node, path).await.is(200);
            assert_eq!(answer.text, "");
            head(node, path).await.is(200);
        }
    }
}

pub(super) async fn tells_its_version(nodes: &[String]) {
    let meta = get(&nodes[0], "/v1/meta").await.is(200).body;
    assert_keys(&meta, &["grpcMaxMessageSize", "hostname", "modules", "version"]);
    assert_eq!(meta["hostname"], json!(nodes[0]));
    assert!(meta["modules"].is_object());
}

pub(super) async fn lists_its_nodes(nodes: &[String]) {
    let version = get(&nodes[0], "/v1/meta").await.body["version"].clone();
    for node in nodes {
        let list = get(node, "/v1/nodes").await.is(200).body;
        assert_keys(&list, &["nodes"]);
        for (nth, entry) in list["nodes"].as_array().expect("a list").iter().enumerate() {
            let keys = ["batchStats", "name", "operationalMode", "shards", "status", "version"];
            assert_keys(entry, &keys);
            assert_eq!(entry["name"], json!(format!("node{}", nth + 1)));
            assert_eq!(entry["status"], "HEALTHY");
            assert_eq!(entry["shards"], Value::Null);
            assert_eq!(entry["version"], version);
        }
        assert_eq!(list["nodes"].as_array().map(Vec::len), Some(3));
    }
    let verbose = get(&nodes[0], "/v1/nodes?output=verbose").await.is(200).body;
    let keys = ["batchStats", "name", "operationalMode", "shards", "stats", "status", "version"];
    assert_keys(&verbose["nodes"][0], &keys);
    assert_keys(&verbose["nodes"][0]["stats"], &["objectCount", "shardCount"]);

    for path in ["/v1/nodes/ContractNone", "/v1/nodes/ContractNone?output=verbose"] {
        get(&nodes[0], path).await.says(404, "class \"ContractNone\" not found");
    }
    get(&nodes[0], "/v1/nodes?output=all")
        .await
        .says(422, "invalid output: \"all\", possible values are: \"minimal\", \"verbose\"");
}

pub(super) async fn agrees_on_one_leader(nodes: &[String]) {
    let mut leaders = Vec::new();
    for node in nodes {
        // It compares the applied indexes, which differ for a moment after any change.
        let body = until("the nodes are in step", || async {
            let body = get(node, "/v1/cluster/statistics").await.is(200).body;
            (body["synchronized"] == true).then_some(body)
        })
        .await;
        assert_keys(&body, &["statistics", "synchronized"]);
        let entries = body["statistics"].as_array().expect("a list");
        assert_eq!(entries.len(), 3);
        for entry in entries {
            leaders.push(entry["leaderId"].clone());
            assert_eq!(entry["isVoter"], true);
            assert_eq!(entry["ready"], true);
            assert_eq!(entry["status"], "HEALTHY");
            assert_eq!(entry["open"], true);
            assert_eq!(entry["candidates"], json!({}));
            assert_eq!(entry["dbLoaded"], true);
            assert!(entry["leaderAddress"].as_str().is_some_and(|address| address.contains(':')));
            let raft = &entry["raft"];
            let raft_keys = [
                "appliedIndex",
                "commitIndex",
                "fsmPending",
                "lastContact",
                "lastLogIndex",
                "lastLogTerm",
                "lastSnapshotIndex",
                "lastSnapshotTerm",
                "latestConfiguration",
                "latestConfigurationIndex",
                "numPeers",
                "protocolVersion",
                "protocolVersionMax",
                "protocolVersionMin",
                "snapshotVersionMax",
                "snapshotVersionMin",
                "state",
                "term",
            ];
            assert_keys(raft, &raft_keys);
            assert_eq!(raft["lastContact"] == "0", entry["leaderId"] == entry["name"]);
            assert_eq!(raft["numPeers"], "2");
            let leads = entry["leaderId"] == entry["name"];
            assert_eq!(raft["state"], if leads { "Leader" } else { "Follower" });
            let members = raft["latestConfiguration"].as_array().expect("members");
            let mut names: Vec<&str> = members.iter().filter_map(|m| m["id"].as_str()).collect();
            names.sort_unstable();
            assert_eq!(names, ["node1", "node2", "node3"]);
            assert_keys(&members[0], &["address", "id", "suffrage"]);
            for number in ["appliedIndex", "commitIndex", "lastLogIndex", "term"] {
                let text = raft[number].as_str().expect("a number as text");
                assert!(text.parse::<u64>().is_ok(), "{number}: {text}");
            }
        }
    }
    assert!(leaders.iter().all(|leader| *leader == leaders[0]), "{leaders:?}");
}
