//! Nodes that are down or hang, before a run and during one.
//!
//! `LIVE_STEPS=1` lets a node be killed, stopped, and the leader be killed, in each step of the repair.

use std::time::Duration;

use serde_json::Value;

use super::cluster::{Cluster, NODES, turn};
use super::data::{count, create_class_with_factor_1, expect_writable, import_on_node};
use super::fault::Fault;
use super::program::{Program, number};
use super::view::wait;

#[test]
#[ignore = "needs a Weaviate server"]
fn a_count_of_zero_is_not_believed_while_a_node_is_down() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    let class = "Hidden";
    create_class_with_factor_1(&cluster, class);
    import_on_node(&cluster, class, 2, "node3");
    assert!(wait(Duration::from_secs(10), || count(&cluster, class) == Some(2)));
    let before = cluster.own_class(0, class);

    cluster.kill(2);
    // The server says 0, with HTTP 200 and without an error: this is the trap. It takes gossip some
    // seconds to forget the node, and until then counting hangs.
    assert!(wait(Duration::from_secs(30), || count(&cluster, class) == Some(0)));
    let program = Program::new();
    let port = cluster.port(2);
    program.repair(&cluster, class, &["--yes"]).expect(5).says(&[&port]);
    assert!(!program.changed_anything());
    // Going on without the node is one permission, losing what it holds another.
    program.repair(&cluster, class, &["--yes", "--accept-degraded"]).expect(5).says(&[&port]);
    assert_eq!(cluster.own_class(0, class), before);

    cluster.launch(2);
    cluster.wait_until_ready(2);
    cluster.wait_until_agreed();
    program.repair(&cluster, class, &["--yes"]).expect(5).says(&["2 objects"]);
    assert_eq!(cluster.own_class(0, class), before);
    assert_eq!(count(&cluster, class), Some(2));
}

/// When it happens, as the run tells of it.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// As this step begins.
    Step(u64),
    /// Just before a change of this kind is sent.
    Change(&'static str),
}

/// The steps of the repair where the factor is wrong; the fourth is another branch.
const STEPS: [u64; 8] = [1, 2, 3, 5, 6, 7, 8, 9];

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_fails_during_the_run_loses_no_class() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    // Whether it is the leader, whose end stops all changes for some seconds.
    let mut cases = vec![
        (Moment::Change("delete_class"), Fault::Down, false),
        (Moment::Change("create_class"), Fault::Down, true),
        (Moment::Change("delete_class"), Fault::Hangs, false),
        (Moment::Change("create_class"), Fault::Hangs, true),
    ];
    if number("LIVE_STEPS", 0) > 0 {
        for step in STEPS {
            let faults = [(Fault::Down, false), (Fault::Hangs, false), (Fault::Down, true)];
            cases.extend(faults.map(|(fault, leads)| (Moment::Step(step), fault, leads)));
        }
    }
    for (number, (moment, fault, leads)) in cases.into_iter().enumerate() {
        let leader = cluster.leader();
        let victim = if leads { leader } else { (leader + 1) % NODES };
        fail_during_the_run(&mut cluster, &format!("Class{number}"), moment, fault, victim);
    }
}

/// Runs the repair, lets a node fail at a moment of it, and looks what became of the class when the
/// node is back.
fn fail_during_the_run(
    cluster: &mut Cluster,
    class: &str,
    moment: Moment,
    fault: Fault,
    victim: usize,
) {
    create_class_with_factor_1(cluster, class);
    let before = cluster.own_class(0, class).unwrap();
    let program = Program::new();
    let mut running = program.start(cluster, class);
    match moment {
        Moment::Step(step) => running.wait_for_step(step),
        Moment::Change(kind) => running.wait_for_change(kind, class),
    }
    fault.befall(cluster, victim);
    let finished = running.finish();
    let code = finished.code;
    eprintln!("{fault:?} at {moment:?}, node {}: exit {code}", victim + 1);
    fault.mend(cluster, victim);

    let is_deletion = |event: &Value| {
        event["action"]["kind"] == "delete_class" && event["action"]["class"] == class
    };
    let deleted = program.journal().iter().any(is_deletion);
    // Whatever the run could see of it, it names the node that failed, unless it was over by then.
    let last = matches!(moment, Moment::Step(9));
    let finished =
        if code == 0 && last { finished } else { finished.says(&[&cluster.port(victim)]) };
    cluster.wait_until_present(class);
    let after = cluster.own_class(0, class).unwrap();
    match code {
        // Finished, though it may have been seen on two nodes only.
        0 | 4 => cluster.expect_everywhere(class),
        // Put back, or never deleted because the node that was asked had gone.
        1 | 6 => assert_eq!(after, before, "{finished:?}"),
        5 if !deleted => assert_eq!(after, before, "{finished:?}"),
        _ => panic!("neither finished nor put back: {finished:?}"),
    }
    assert!(!deleted || !program.backups(class).is_empty(), "no backup of what was deleted");
    let probe = format!("{class}RunbookProbe");
    let gone = || cluster.presence(&probe) == [false; NODES];
    assert!(wait(Duration::from_secs(30), gone), "{:?}", cluster.presence(&probe));
    expect_writable(cluster, class);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_hangs_before_the_run_is_named() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let class = "Hanging";
    create_class_with_factor_1(&cluster, class);
    let before = cluster.own_class(0, class);
    cluster.pause(1);
    let program = Program::new();
    let finished = program.repair(&cluster, class, &["--yes"]);
    cluster.resume(1);
    // On a busy machine the healthy ones may not answer in time either, for some seconds.
    assert!(matches!(finished.code, 1 | 5), "{finished:?}");
    finished.says(&[&cluster.port(1)]);
    assert!(!program.changed_anything());
    assert_eq!(cluster.own_class(0, class), before);
}
