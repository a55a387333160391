//! The way out of every kind of split: commands are followed word for word, and then nothing is left
//! to be done.
//!
//! `LIVE_REPEATS` says how often each state is made, `LIVE_STATES` which (names with commas between).

use serde_json::Value;

use super::cluster::{Cluster, NODES, turn};
use super::control::Control;
use super::local::Settings;
use super::program::{Finished, Program};
use super::states::{Made, STATES, State, make};
use super::view::Outcome;

/// How often each state is made and mended.
fn repeats() -> usize {
    let given = std::env::var("LIVE_REPEATS").ok();
    given.map_or(1, |number| number.parse().expect("LIVE_REPEATS is no number"))
}

/// The states to make: all, or those whose name is in `LIVE_STATES`, with commas between.
fn states() -> Vec<State> {
    let wanted = std::env::var("LIVE_STATES").unwrap_or_default();
    let names: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let is_wanted = |state: &State| names.is_empty() || names.contains(&&*format!("{state:?}"));
    STATES.into_iter().filter(is_wanted).collect()
}

#[test]
#[ignore = "needs a Weaviate server"]
fn the_way_out_that_diagnose_raft_prints_works() {
    let _turn = turn();
    for state in states() {
        for number in 1..=repeats() {
            let began = std::time::Instant::now();
            let mut made = make(state);
            let made_after = began.elapsed();
            // Correcting the settings is what a start does here. Replicas are compared more often than
            // every half minute, as the default is: the commands wait for it.
            let settings = Settings::default().with("ASYNC_REPLICATION_FREQUENCY", "3s");
            let control = Control::new(&mut made.cluster, &settings);
            let program = Program::new();
            let commands = printed(&made.cluster, &control, &program);
            control.follow(&mut made.cluster, &commands, program.home());
            let followed_after = began.elapsed();
            expect_mended(&made);
            program.run(&made.cluster, "cluster-health", &[]).expect(0);
            eprintln!(
                "{state:?} {number}: made {made_after:.1?}, followed {followed_after:.1?}, mended {:.1?}",
                began.elapsed()
            );
        }
    }
}

/// The settings corrected and all restarted, as the seeds' users did it: the class is gone everywhere,
/// and the node that had it is never ready. Only a backup of before has it.
#[test]
#[ignore = "needs a Weaviate server"]
fn a_class_that_vanished_comes_back_from_the_backup() {
    let _turn = turn();
    let mut made = make(State::ThreeOfOne);
    let program = Program::new();
    let folder = ["--set", "folder=raft-backup"];
    program.run(&made.cluster, "backup-nodes", &folder).expect(0);
    made.cluster.stop();
    made.cluster = vanished(&made.cluster);

    let settings = Settings::default();
    let control = Control::new(&mut made.cluster, &settings);
    let commands = printed(&made.cluster, &control, &program);
    let stops = |line: &&String| line.contains(" stop ");
    let stopped: Vec<_> = commands.iter().filter(stops).collect();
    assert!(stopped.len() == 1 && stopped[0].ends_with("node1"), "{stopped:?}");
    control.follow(&mut made.cluster, &commands, program.home());
    let restore = commands.iter().find(|line| line.contains("restore-class")).unwrap();
    let restore = restore.trim_start_matches(['#', ' ']).replace("CLASS", "Alpha") + " --yes";
    control.follow(&mut made.cluster, &[restore], program.home());
    expect_mended(&made);
}

/// A copy, restarted with the settings corrected until the class is nowhere: every second time.
fn vanished(broken: &Cluster) -> Cluster {
    for _ in 0..20 {
        let mut cluster = broken.copy(Settings::default());
        cluster.launch_all();
        if cluster.outcome("Alpha") == Outcome::Vanished && !cluster.is_ready(0) {
            assert_eq!(cluster.presence("Alpha"), [false; NODES]);
            return cluster;
        }
    }
    panic!("20 restarts, and the class never vanished");
}

/// One leader, one configuration, and every class, shard and object on every node.
fn expect_mended(made: &Made) {
    let cluster = &made.cluster;
    cluster.wait_until_agreed();
    for class in made.objects.keys() {
        cluster.wait_until_present(class);
        cluster.expect_everywhere(class);
    }
    made.expect_objects_everywhere();
    assert_eq!(cluster.leaders(), 1);
}

/// What `diagnose-raft` prints for the cluster, comments included.
fn printed(cluster: &Cluster, control: &Control, program: &Program) -> Vec<String> {
    let parameters: Vec<String> = ["stop", "start", "copy", "remove"]
        .map(|what| format!("{what}={}", control.template(what)))
        .to_vec();
    let mut arguments = vec![];
    for parameter in &parameters {
        arguments.extend(["--set", parameter]);
    }
    let finished = program.run(cluster, "diagnose-raft", &arguments).expect(4);
    let last = last_event(&finished);
    assert_eq!(last["event"], "run_finished", "{last}");
    let commands = last["commands"].as_array().unwrap_or_else(|| panic!("no commands in {last}"));
    commands.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

fn last_event(finished: &Finished) -> Value {
    serde_json::from_str(finished.stdout.lines().last().unwrap()).unwrap()
}
