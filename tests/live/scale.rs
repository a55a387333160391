//! Raising the factor of a class in place, under a stream of writes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::data::{create_class_with_factor_1, id, import, vector};
use super::program::Program;
use super::view::wait;

const CLASS: &str = "Scaled";

/// What is there before, and which numbers the writer takes.
const IMPORTED: u128 = 2000;

/// What the servers acknowledged last of each object that was written: its text, or that it is gone.
type Acknowledged = BTreeMap<u128, Option<String>>;

#[test]
#[ignore = "needs a Weaviate server"]
fn a_class_is_scaled_in_place_under_a_stream_of_writes() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    import(&cluster, CLASS, IMPORTED);
    let program = Program::new();
    let (stop, written) = (AtomicBool::new(false), Mutex::new(Acknowledged::new()));
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| write(&cluster, &stop, &written));
        std::thread::sleep(Duration::from_secs(1));
        let set = ["--set", &format!("class={CLASS}")];
        let finished = program.run(&cluster, "scale-replicas.rhai", &set);
        stop.store(true, Ordering::SeqCst);
        finished
    });
    let finished = finished.expect(0);
    assert_eq!(cluster.own_class(0, CLASS).unwrap()["replicationConfig"]["factor"], 3);
    cluster.expect_everywhere(CLASS);
    let written = written.into_inner().unwrap();
    assert!(written.len() > 100, "only {} were written", written.len());
    eprintln!("{} writes were acknowledged meanwhile", written.len());
    // Each replica by itself, once the servers have brought them together.
    let differing = || {
        let mut differing = vec![];
        for (number, wanted) in &written {
            for node in 1..=NODES {
                let path = format!("/v1/objects/{CLASS}/{}?node_name=node{node}", id(*number));
                let reply = cluster.get(0, &path);
                let found = match reply.status {
                    200 => reply.body["properties"]["config_value"].as_str().map(str::to_owned),
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
    assert!(wait(Duration::from_secs(20), || differing().is_empty()), "{:?}", differing());
    // And what was there before, but for what was deleted since.
    let deleted = written.iter().filter(|(number, now)| **number < IMPORTED && now.is_none());
    let new = written.iter().filter(|(number, now)| **number >= IMPORTED && now.is_some());
    let wanted = IMPORTED as usize - deleted.count() + new.count();
    for node in 1..=NODES {
        let found = count_on(&cluster, node);
        assert_eq!(found, wanted, "objects on node{node}: {finished:?}");
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_run_that_is_killed_goes_on_with_the_copies_that_are_under_way() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    import(&cluster, CLASS, IMPORTED);
    let set = ["--set", &format!("class={CLASS}")];
    let program = Program::new();
    let mut running = program.start_any(&cluster, "scale-replicas.rhai", &set);
    running.wait_for_change("copy_replica", CLASS);
    running.wait_for_change("copy_replica", CLASS);
    running.kill();
    program.go_on("resume").expect(0).says(&["objects compared on every replica"]);
    cluster.expect_everywhere(CLASS);
    for node in 1..=NODES {
        assert_eq!(count_on(&cluster, node), IMPORTED as usize, "objects on node{node}");
    }
    // Undoing takes no replica away, and says so.
    program.go_on("rollback").expect(0).says(&["stays at factor 3"]);
    cluster.expect_everywhere(CLASS);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_dies_meanwhile_costs_no_object_and_the_next_run_goes_on() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    import(&cluster, CLASS, IMPORTED);
    let victim = (cluster.leader() + 1) % NODES;
    let set = ["--set", &format!("class={CLASS}")];
    let program = Program::new();
    let mut running = program.start_any(&cluster, "scale-replicas.rhai", &set);
    running.wait_for_change("copy_replica", CLASS);
    cluster.kill(victim);
    let finished = running.finish();
    eprintln!("node {} died: exit {}", victim + 1, finished.code);
    // The copies to it, and from it, do not get there.
    let finished = finished.expect(1);
    cluster.launch(victim);
    cluster.wait_until_ready(victim);
    cluster.wait_until_agreed();
    let own = cluster.own_class(0, CLASS).unwrap();
    assert_eq!(own["replicationConfig"]["factor"], 1, "{finished:?}");
    // What was cancelled ends when the node is back.
    let done = || {
        let list = cluster.get(0, "/v1/replication/replicate/list").body;
        let list: Vec<Value> = list.as_array().cloned().unwrap_or_default();
        list.iter().all(|it| matches!(it["status"]["state"].as_str(), Some("READY" | "CANCELLED")))
    };
    assert!(wait(Duration::from_secs(60), done), "a movement goes on: {finished:?}");
    program.run(&cluster, "scale-replicas.rhai", &set).expect(0);
    for node in 1..=NODES {
        assert_eq!(count_on(&cluster, node), IMPORTED as usize, "objects on node{node}");
    }
}

/// Inserts, updates and deletes, some fifty a second in all, until it is told to stop.
fn write(cluster: &Cluster, stop: &AtomicBool, written: &Mutex<Acknowledged>) {
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
                "class": CLASS, "id": id(number), "vector": vector(number % 1000, 3),
                "properties": {"config_key": "written", "config_value": text},
            })
        };
        let (at, now, reply) = match number % 4 {
            // An insert, one more, an update of an object that was there, a deletion of another one.
            0 | 1 => {
                let at = IMPORTED + number;
                let reply = cluster.post(node, "/v1/objects", &object(at, "new"));
                (at, Some("new"), reply)
            }
            2 => {
                let at = number % IMPORTED;
                let path = format!("/v1/objects/{CLASS}/{}", id(at));
                let request = cluster.request(node, Method::PUT, &path);
                (at, Some("changed"), request.json(&object(at, "changed")).send())
            }
            _ => {
                let at = number % IMPORTED;
                let path = format!("/v1/objects/{CLASS}/{}", id(at));
                (at, None, cluster.request(node, Method::DELETE, &path).send())
            }
        };
        // One that was not acknowledged may have been made or not.
        let mut written = written.lock().unwrap();
        if matches!(reply.status, 200 | 204) {
            written.insert(at, now.map(str::to_owned));
        } else {
            written.remove(&at);
            eprintln!("{at} -> {}: {}", reply.status, reply.body);
        }
    }
}

/// Counts the objects in a node's own replicas by listing them.
fn count_on(cluster: &Cluster, node: usize) -> usize {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let path = format!("/v1/objects?class={CLASS}&limit=500&after={after}");
        let page = cluster.get(node - 1, &path).body;
        let objects: Vec<Value> = page["objects"].as_array().cloned().unwrap_or_default();
        let Some(last) = objects.last() else { return count };
        last["id"].as_str().unwrap().clone_into(&mut after);
        count += objects.len();
    }
}
