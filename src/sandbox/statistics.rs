//! `/v1/cluster/statistics`: what each node that can be found thinks of RAFT.
//!
//! Only shows; who leads is decided in `raft`.

use serde_json::{Value, json};

use super::call::Reply;
use super::world::World;

/// `GET /v1/cluster/statistics`
pub(super) fn show(world: &mut World) -> Reply {
    let running: Vec<usize> = (0..world.nodes.len()).filter(|&node| world.visible(node)).collect();
    let entries: Vec<Value> = running.iter().map(|&node| entry(world, node)).collect();
    // The server compares the indexes and the health, and nothing else: a split passes.
    let index = |entry: &Value| entry["raft"]["appliedIndex"].clone();
    let synchronized = entries
        .iter()
        .all(|entry| entry["status"] == "HEALTHY" && index(entry) == index(&entries[0]));
    Reply::json(200, &json!({ "statistics": entries, "synchronized": synchronized }))
}

fn entry(world: &mut World, at: usize) -> Value {
    let leader = world.leader_of(at);
    let node = &world.nodes[at];
    let group = &world.groups[node.group];
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|name| json!({ "address": address(world, name), "id": name, "suffrage": 0 }))
        .collect();
    let leader_id = leader.map_or("", |leader| world.nodes[leader].name.as_str());
    let (state, contact) = match leader {
        Some(leader) if leader == at => ("Leader", "0"),
        _ => ("Follower", "25ms"),
    };
    let index = (group.before + node.applied).to_string();
    let term = group.term.to_string();
    // Only in its first life does a node say that it founded the cluster.
    let mut entry = if node.restarted { json!({}) } else { json!({ "bootstrapped": true }) };
    let rest = json!({
        "candidates": {},
        "dbLoaded": true,
        "isVoter": true,
        "leaderAddress": if leader_id.is_empty() { String::new() } else { address(world, leader_id) },
        "leaderId": leader_id,
        "name": node.name,
        "open": true,
        "raft": {
            "appliedIndex": index,
            "commitIndex": index,
            "fsmPending": "0",
            "lastContact": contact,
            "lastLogIndex": index,
            "lastLogTerm": term,
            "lastSnapshotIndex": "0",
            "lastSnapshotTerm": "0",
            "latestConfiguration": members,
            "latestConfigurationIndex": "0",
            "numPeers": (group.members.len() - 1).to_string(),
            "protocolVersion": "3",
            "protocolVersionMax": "3",
            "protocolVersionMin": "0",
            "snapshotVersionMax": "1",
            "snapshotVersionMin": "0",
            "state": state,
            "term": term,
        },
    });
    let rest = rest.as_object().into_iter().flatten();
    for (key, value) in rest {
        entry[key] = value.clone();
        if key == "dbLoaded" && node.restarted {
            entry["initialLastAppliedIndex"] = json!(node.restored);
        }
    }
    if leader.is_some() {
        entry["ready"] = json!(true);
        entry["status"] = json!("HEALTHY");
    } else {
        entry["status"] = json!("UNHEALTHY");
    }
    entry
}

/// The address at which a node would have its RAFT port.
fn address(world: &World, name: &str) -> String {
    world.index(name).map_or_else(String::new, |node| world.nodes[node].raft_address.clone())
}
