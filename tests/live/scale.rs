//! Raising the factor of a class in place, under a stream of writes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::cluster::{Cluster, NODES, turn};
use super::damage::{while_node_3_is_down, without_asynchronous_replication};
use super::data::{create_class_with_factor_1, import};
use super::kinds::{CLASSES, Objects, assert_same, change_some, create_classes, look};
use super::program::{Program, number};
use super::stream::{Acknowledged, count_on, expect_acknowledged, expect_there, write};
use super::view::wait;

const CLASS: &str = "Scaled";

/// What is there before, and which numbers the writer takes.
const IMPORTED: u128 = 2000;

/// Behind all that was written while it was raised.
const LOWERED: u128 = 1_000_000;

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
        scope.spawn(|| write(&cluster, CLASS, IMPORTED, &stop, &written));
        std::thread::sleep(Duration::from_secs(1));
        let set = ["--set", &format!("class={CLASS}")];
        let finished = program.run(&cluster, "scale-replicas.rhai", &set);
        stop.store(true, Ordering::SeqCst);
        finished
    });
    // A replica may lag behind a write of the last moment, which is told, and ends as below.
    let lags = finished.code == 4 && finished.stdout.contains("objects_differ");
    assert!(finished.code == 0 || lags, "{finished:?}");
    assert_eq!(cluster.own_class(0, CLASS).unwrap()["replicationConfig"]["factor"], 3);
    cluster.expect_everywhere(CLASS);
    expect_acknowledged(&cluster, CLASS, IMPORTED, &written.into_inner().unwrap());
    // And down again. Nodes do not refuse writes in the same moment: where a replica lacks one of those
    // that were written in between, none is taken away.
    let resync = || {
        let set = ["--set", &format!("class={CLASS}")];
        program.run(&cluster, "resync-replicas", &set).expect(0);
    };
    let lower = || {
        let set = ["--set", &format!("class={CLASS}"), "--set", "factor=1"];
        program.run(&cluster, "scale-replicas.rhai", &set)
    };
    resync();
    let (stop, written) = (AtomicBool::new(false), Mutex::new(Acknowledged::new()));
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| write(&cluster, CLASS, LOWERED, &stop, &written));
        std::thread::sleep(Duration::from_secs(3));
        let finished = lower();
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::SeqCst);
        finished
    });
    eprintln!("lowered while others write: exit {}", finished.code);
    let written = written.into_inner().unwrap();
    if finished.code != 0 {
        finished.expect(1).says(&["is not the same on every replica"]);
        assert_eq!(cluster.own_class(0, CLASS).unwrap()["replicationConfig"]["factor"], 3);
        expect_there(&cluster, CLASS, &written);
        resync();
        lower().expect(0);
    }
    assert_eq!(cluster.own_class(0, CLASS).unwrap()["replicationConfig"]["factor"], 1);
    expect_there(&cluster, CLASS, &written);
}

/// Up to every node, together again where a replica missed some, and down to one: every property, vector
/// and reference stays as it is. `LIVE_OBJECTS` says how many objects each class has.
#[test]
#[ignore = "needs a Weaviate server"]
fn objects_of_every_kind_stay_as_they_are() {
    let _turn = turn();
    let mut cluster = Cluster::new(without_asynchronous_replication());
    cluster.start();
    cluster.wait_until_agreed();
    let count = number("LIVE_OBJECTS", 200);
    create_classes(&cluster, count, 1);
    let before = CLASSES.map(|class| look(&cluster, 0, class));
    assert_eq!(before.each_ref().map(Objects::len), [count as usize; 3]);
    let program = Program::new();
    let scale = |cluster: &Cluster, factor: &str| {
        for class in CLASSES {
            let set = ["--set", &format!("class={class}"), "--set", &format!("factor={factor}")];
            program.run(cluster, "scale-replicas", &set).expect(0);
        }
    };
    let expect = |cluster: &Cluster, wanted: &[Objects; 3], when: &str| {
        for (class, wanted) in CLASSES.iter().zip(wanted) {
            for node in 0..NODES {
                assert_same(
                    &look(cluster, node, class),
                    wanted,
                    &format!("{when}: {class} {node}"),
                );
            }
        }
    };
    scale(&cluster, "3");
    expect(&cluster, &before, "raised");
    while_node_3_is_down(&mut cluster, |cluster| change_some(cluster, 20));
    for class in CLASSES {
        cluster.wait_until_open(class);
    }
    let changed = CLASSES.map(|class| look(&cluster, 0, class));
    assert!(look(&cluster, 2, "Types") != changed[0], "node 3 got them after all");
    for class in CLASSES {
        let set = ["--set", &format!("class={class}")];
        program.run(&cluster, "resync-replicas", &set).expect(0).says(&["20 brought together"]);
    }
    expect(&cluster, &changed, "together");
    scale(&cluster, "1");
    expect(&cluster, &changed, "lowered");
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
        assert_eq!(count_on(&cluster, CLASS, node), IMPORTED as usize, "objects on node{node}");
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
        assert_eq!(count_on(&cluster, CLASS, node), IMPORTED as usize, "objects on node{node}");
    }
}
