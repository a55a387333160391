//! Raising and lowering the factor of a class in place, in the sandbox.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use elysia_runbook::sandbox::{Scenario, ShardStatus};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

fn scale(stage: &Stage, more: &[&str]) -> Ended {
    let mut all = vec!["run", "scale-replicas", "--yes"];
    all.extend(more);
    stage.run(&all)
}

/// The objects of each node's own replicas.
fn objects(stage: &Stage) -> Vec<usize> {
    let nodes = stage.sandbox.nodes();
    nodes.iter().map(|(node, _)| stage.sandbox.objects(node, CLASS).len()).collect()
}

#[test]
fn a_class_with_objects_gets_its_replicas() {
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.set_replica_movement(true);
    let all: usize = objects(&stage).iter().sum();
    scale(&stage, &[]).exits(0).says("SUCCESS: ELYSIA_CONFIG__ is replicated on 3/3 nodes");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    assert_eq!(stage.fewest_replicas(CLASS), 3);
    assert_eq!(objects(&stage), [all; 3]);
    // There is nothing more to be done, and nothing is.
    let changes = stage.changes().len();
    scale(&stage, &[]).exits(0);
    assert_eq!(stage.changes().len(), changes);
    scale(&stage, &["--set", "factor=4"]).exits(5).says("takes 1 to 3 here");
}

#[test]
fn where_replicas_can_not_be_moved_it_says_what_helps() {
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.set_replica_movement(false);
    scale(&stage, &[]).exits(1).says("REPLICA_MOVEMENT_ENABLED=true").says("nothing was changed");
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn a_copy_that_goes_wrong_leaves_what_was_there() {
    for fault in ["POST:/v1/replication/replicate:2=500 no", "PUT:/v1/schema/*:1=422 no"] {
        let stage = Stage::new(Scenario::WithData).fault(fault);
        stage.sandbox.set_replica_movement(true);
        let all: usize = objects(&stage).iter().sum();
        scale(&stage, &[]).exits(1).says("stay where they are");
        assert_eq!(stage.factors(CLASS), [Some(1); 3]);
        assert!(objects(&stage).iter().sum::<usize>() >= all);
        // Once more goes on from there.
        scale(&stage, &[]).exits(0);
        assert_eq!(objects(&stage), [all; 3]);
    }
}

#[test]
fn a_copy_without_a_clean_answer_is_looked_up() {
    for fault in ["cut-after", "done 500 no", "hang-after"] {
        let stage = Stage::new(Scenario::WithData)
            .fault(&format!("POST:/v1/replication/replicate:1={fault}"));
        stage.sandbox.set_replica_movement(true);
        scale(&stage, &[]).exits(0).says("the cluster shows it");
        assert_eq!(stage.fewest_replicas(CLASS), 3);
    }
}

#[test]
fn silent_nodes_are_refused() {
    let stage = Stage::new(Scenario::NodeDown);
    stage.sandbox.set_replica_movement(true);
    let ended = scale(&stage, &[]);
    assert!(matches!(ended.code, Some(1 | 5)), "{}", ended.transcript());
    assert_eq!(stage.changes(), [""; 0]);
}

/// Nothing is known of a copy to a node that can't be reached but that it was not begun.
#[test]
fn a_copy_that_is_stuck_is_cancelled() {
    let stage = Stage::new(Scenario::WithData).fault("POST:/v1/replication/replicate:2=stop node3");
    stage.sandbox.set_replica_movement(true);
    scale(&stage, &[])
        .exits(1)
        .says("cancelled the copy of shard")
        .says("when every node is up, the servers end 4 cancelled movements")
        .says("stay where they are");
    assert_eq!(stage.sandbox.factor("node1", CLASS), Some(1));
    stage.sandbox.start_node("node3");
    scale(&stage, &[]).exits(0);
    assert_eq!(stage.fewest_replicas(CLASS), 3);
}

/// The servers go on with the copies while nobody leads.
#[test]
fn copies_are_waited_for_while_a_leader_is_elected() {
    let stage =
        Stage::new(Scenario::WithData).fault("GET:/v1/replication/replicate/list:8=leader-lost 4s");
    stage.sandbox.set_replica_movement(true);
    scale(&stage, &[]).exits(0);
    assert_eq!(stage.fewest_replicas(CLASS), 3);
}

/// A class with objects on three nodes.
fn everywhere() -> Stage {
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.set_replica_movement(true);
    scale(&stage, &[]).exits(0);
    stage
}

fn expect_writable(stage: &Stage) {
    for (node, _) in stage.sandbox.nodes() {
        let statuses = stage.sandbox.shard_statuses(&node, CLASS);
        let ready = statuses.values().all(|status| *status == ShardStatus::Ready);
        assert!(ready, "{node}: {statuses:?}");
    }
}

#[test]
fn replicas_are_taken_away_where_all_are_the_same() {
    let stage = everywhere();
    let all = objects(&stage)[0];
    // Without a yes nothing is taken away.
    let before = stage.changes().len();
    stage.run(&["run", "scale-replicas", "--set", "factor=1"]).exits(5);
    assert_eq!(stage.changes().len(), before);
    scale(&stage, &["--set", "factor=2"]).exits(0).golden("scale/lowered.txt");
    assert_eq!(stage.factors(CLASS), [Some(2); 3]);
    assert_eq!(objects(&stage).iter().sum::<usize>(), 2 * all);
    scale(&stage, &["--set", "factor=1"])
        .exits(0)
        .says("300 objects are the same on every replica");
    assert_eq!(objects(&stage).iter().sum::<usize>(), all);
    expect_writable(&stage);
    // What is taken away is not put back by itself.
    let back = "elysia-runbook run scale-replicas --set class=ELYSIA_CONFIG__ --set factor=2";
    stage.run(&["rollback", "--yes"]).exits(0).says("stays at factor 1").says(back);
    scale(&stage, &[]).exits(0);
    assert_eq!(objects(&stage), [all; 3]);
}

#[test]
fn a_replica_that_has_what_others_lack_is_not_taken_away() {
    let stage = everywhere();
    let object = serde_json::json!({"class": CLASS, "properties": {"config_key": "alone"}});
    stage.sandbox.insert(Some("node3"), &object).unwrap();
    let all = objects(&stage);
    scale(&stage, &["--set", "factor=1"])
        .exits(1)
        .says("is not the same on every replica")
        .says("elysia-runbook run resync-replicas --set class=ELYSIA_CONFIG__");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    assert_eq!(objects(&stage), all);
    expect_writable(&stage);
}

#[test]
fn what_can_not_be_taken_away_leaves_the_factor_as_it_was() {
    for (fault, code) in
        [("POST:/v1/replication/scale:1=500 no", 6), ("PUT:/v1/schema/ELYSIA_CONFIG__:1=422 no", 1)]
    {
        let stage = everywhere().fault(fault);
        let all = objects(&stage);
        scale(&stage, &["--set", "factor=1"]).exits(code);
        assert_eq!(stage.factors(CLASS), [Some(3); 3], "{fault}");
        assert_eq!(objects(&stage), all, "{fault}");
        expect_writable(&stage);
    }
}

#[test]
fn servers_that_can_not_take_replicas_away_say_so() {
    let stage = everywhere().fault("GET:/v1/replication/scale=404 path not found");
    scale(&stage, &["--set", "factor=1"])
        .exits(1)
        .says("the servers can't take replicas away")
        .says("recreate-with-data.rhai lowers the factor without it");
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
}

/// A node that was started while the replicas were compared takes writes again: what was seen proves
/// nothing.
#[test]
fn a_node_that_takes_writes_again_is_noticed() {
    let stage = everywhere().fault("GET:/v1/objects=delay 200ms");
    let all = objects(&stage)[0];
    let set = ["run", "scale-replicas", "--yes", "--set", "factor=1"];
    let mut running = stage.start(&set);
    let compares = || {
        let requests = stage.sandbox.requests();
        let mut after = requests
            .iter()
            .skip_while(|it| !(it.method == "PUT" && it.path_and_query.contains("/shards/")));
        after.any(|it| it.path_and_query.starts_with("/v1/objects?"))
    };
    while !compares() {
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(running.try_wait().unwrap().is_none(), "it ended");
    }
    stage.sandbox.set_shards("node3", CLASS, ShardStatus::Ready, 0);
    let ended = stage.ended(running.wait_with_output().unwrap());
    ended.exits(0).says("once more, as shard").says("takes writes again");
    assert_eq!(objects(&stage).iter().sum::<usize>(), all);
    expect_writable(&stage);
}
