//! A stream of writes, and whether each that was acknowledged is on every node.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES};
use super::data::{id, vector};

/// What the servers acknowledged last of each object that was written: its text, or that it is gone.
pub(super) type Acknowledged = BTreeMap<u128, Written>;

/// What was acknowledged of an object.
#[derive(Debug)]
pub(super) struct Written {
    /// Its text; `None`: it is gone.
    pub(super) now: Option<String>,
    /// When it was acknowledged.
    pub(super) at: Instant,
}

/// Inserts, updates and deletes, some fifty a second in all, until it is told to stop.
pub(super) fn write(
    cluster: &Cluster,
    class: &str,
    imported: u128,
    stop: &AtomicBool,
    written: &Mutex<Acknowledged>,
) {
    let began = Instant::now();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let due = Duration::from_millis(20) * u32::try_from(number).unwrap();
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let node = (number % 3) as usize;
        let object = |number: u128, text: &str| {
            json!({
                "class": class, "id": id(number), "vector": vector(number % 1000, 3),
                "properties": {"config_key": "written", "config_value": text},
            })
        };
        let (at, now, reply) = match number % 4 {
            // An insert, one more, an update of an object that was there, a deletion of another one.
            0 | 1 => {
                let at = imported + number;
                let reply = cluster.post(node, "/v1/objects", &object(at, "new"));
                (at, Some("new"), reply)
            }
            2 => {
                let at = number % imported;
                let path = format!("/v1/objects/{class}/{}", id(at));
                let request = cluster.request(node, Method::PUT, &path);
                (at, Some("changed"), request.json(&object(at, "changed")).send())
            }
            _ => {
                let at = number % imported;
                let path = format!("/v1/objects/{class}/{}", id(at));
                (at, None, cluster.request(node, Method::DELETE, &path).send())
            }
        };
        // One that was not acknowledged may have been made or not.
        let mut written = written.lock().unwrap();
        if matches!(reply.status, 200 | 204) {
            written.insert(at, Written { now: now.map(str::to_owned), at: Instant::now() });
        } else {
            written.remove(&at);
            eprintln!("{at} -> {}: {}", reply.status, reply.body);
        }
    }
}

/// Checks, of a class with single replicas, what was acknowledged.
pub(super) fn expect_there(cluster: &Cluster, class: &str, written: &Acknowledged) {
    assert!(written.len() > 100, "only {} were written", written.len());
    eprintln!("{} writes were acknowledged meanwhile", written.len());
    for (number, Written { now: wanted, .. }) in written {
        let reply = cluster.get(0, &format!("/v1/objects/{class}/{}", id(*number)));
        // One of before has no such text, and is there.
        let text = reply.body["properties"]["config_value"].as_str().unwrap_or("");
        let found = (reply.status != 404).then(|| text.to_owned());
        assert_eq!(found, *wanted, "{number}: {}", reply.body);
    }
}

/// Checks each replica by itself, once the servers have brought them together: what was acknowledged, and
/// what was there before.
pub(super) fn expect_acknowledged(
    cluster: &Cluster,
    class: &str,
    imported: u128,
    written: &Acknowledged,
) {
    assert!(written.len() > 100, "only {} were written", written.len());
    eprintln!("{} writes were acknowledged meanwhile", written.len());
    // Each replica by itself, once the servers have brought them together.
    let differing = || {
        let mut differing = vec![];
        for (number, Written { now: wanted, .. }) in written {
            for node in 1..=NODES {
                let path = format!("/v1/objects/{class}/{}?node_name=node{node}", id(*number));
                let reply = cluster.get(0, &path);
                let found = match reply.status {
                    // One of before has no such text, and is there.
                    200 => {
                        Some(reply.body["properties"]["config_value"].as_str().unwrap_or("").into())
                    }
                    404 => None,
                    other => Some(format!("status {other}")),
                };
                if found != *wanted {
                    differing.push((*number, node, wanted.clone(), found));
                }
            }
        }
        differing
    };
    let mut left = differing();
    for _ in 0..10 {
        if left.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_secs(2));
        left = differing();
    }
    assert!(left.is_empty(), "{left:?}");
    // And what was there before, but for what was deleted since.
    let deleted = written.iter().filter(|(number, now)| **number < imported && now.now.is_none());
    let new = written.iter().filter(|(number, now)| **number >= imported && now.now.is_some());
    let wanted = imported as usize - deleted.count() + new.count();
    for node in 1..=NODES {
        let found = count_on(cluster, class, node);
        assert_eq!(found, wanted, "objects on node{node}");
    }
}

/// Counts the objects in a node's own replicas by listing them.
pub(super) fn count_on(cluster: &Cluster, class: &str, node: usize) -> usize {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let path = format!("/v1/objects?class={class}&limit=500&after={after}");
        let page = cluster.get(node - 1, &path).body;
        let objects: Vec<Value> = page["objects"].as_array().cloned().unwrap_or_default();
        let Some(last) = objects.last() else { return count };
        last["id"].as_str().unwrap().clone_into(&mut after);
        count += objects.len();
    }
}
