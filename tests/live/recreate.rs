//! Recreating classes with everything in them: compared object by object on every node.
//!
//! `LIVE_OBJECTS` says how many objects each class has.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;

use super::cluster::{Cluster, NODES, turn};
use super::data::{
    create_class_with_factor_1, expect_writable, id, import, write as write_objects,
};
use super::kinds::{CLASSES, assert_same, create_classes, look};
use super::local::Settings;
use super::program::{Program, Running, number};
use super::stream::{Acknowledged, count_on, expect_acknowledged, write};
use super::view::wait;

/// A run is killed when it exports, when it compares, when it imports, and when all is imported; at last
/// a node is.
#[test]
#[ignore = "needs a Weaviate server"]
fn every_object_comes_along_whenever_the_run_is_killed() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    let count = number("LIVE_OBJECTS", 400);
    create_classes(&cluster, count, 1);
    let before = CLASSES.map(|class| look(&cluster, 0, class));
    let moments: [fn(&mut Running, &str); 4] = [
        |run, _| run.wait_for_step(3),
        |run, class| run.wait_for_change("pause_writes", class),
        |run, class| run.wait_for_change("import_objects", class),
        |run, _| run.wait_for_check(),
    ];
    for (at, (class, before)) in CLASSES.iter().zip(&before).enumerate() {
        // Four moments for three classes: the first is killed twice.
        let moments =
            if at == 0 { vec![moments[0], moments[2]] } else { vec![moments[at * 2 - 1]] };
        let program = Program::new();
        let set = ["--set", &format!("class={class}")];
        let mut running = program.start_any(&cluster, "recreate-with-data", &set);
        for moment in moments {
            moment(&mut running, class);
            std::thread::sleep(Duration::from_millis(20));
            assert!(running.kill(), "it ended before it was killed");
            running = program.start_again("resume");
        }
        let finished = running.finish().expect(0);
        cluster.expect_everywhere(class);
        for node in 0..NODES {
            let what = format!("{class} at node {}: {finished:?}", node + 1);
            assert_same(&look(&cluster, node, class), before, &what);
        }
    }
    // Once more, and a node dies while the objects come back.
    let victim = (cluster.leader() + 1) % NODES;
    let program = Program::new();
    let set = ["--set", "class=Types", "--set", "factor=3"];
    let mut running = program.start_any(&cluster, "recreate-with-data", &set);
    running.wait_for_change("import_objects", "Types");
    cluster.kill(victim);
    let finished = running.finish();
    eprintln!("node {} died: exit {}", victim + 1, finished.code);
    cluster.launch(victim);
    cluster.wait_until_ready(victim);
    cluster.wait_until_agreed();
    if finished.code != 0 {
        // The report names the command.
        let commands = finished.commands();
        let restore = commands.iter().find(|it| it.contains("restore-class")).cloned();
        let restore = restore.unwrap_or_else(|| panic!("{commands:?}: {finished:?}"));
        program.run_line(&restore).expect(0);
    }
    cluster.expect_everywhere("Types");
    for node in 0..NODES {
        let what = format!("node {}: {finished:?}", node + 1);
        assert_same(&look(&cluster, node, "Types"), &before[0], &what);
    }
}

/// A node that is restarted in order is left out of answers with status 200 meanwhile, and takes writes
/// again when it is back.
#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_is_restarted_while_replicas_are_compared_loses_nothing() {
    const CLASS: &str = "Restarted";
    const OBJECTS: u128 = 6000;
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    for from in (0..OBJECTS).step_by(1000) {
        write_objects(&cluster, 0, CLASS, from..from + 1000, "ALL");
    }
    let victim = (cluster.leader() + 1) % NODES;
    let program = Program::new();
    let set = ["--set", &format!("class={CLASS}")];
    let mut running = program.start_any(&cluster, "recreate-with-data", &set);
    running.wait_for_progress("comparing", 200);
    cluster.end(victim);
    cluster.launch(victim);
    let finished = running.finish();
    eprintln!("node {} was restarted: exit {}", victim + 1, finished.code);
    cluster.wait_until_ready(victim);
    cluster.wait_until_agreed();
    cluster.wait_until_open(CLASS);
    let there = || count_on(&cluster, CLASS, 1) == OBJECTS as usize;
    assert!(wait(Duration::from_secs(20), there), "{finished:?}");
    expect_writable(&cluster, CLASS);
}

/// What the servers acknowledge before the class goes, and once it is there again. But for a deletion of
/// an object that is not back yet: there is nothing to delete, which the servers acknowledge, too.
#[test]
#[ignore = "needs a Weaviate server"]
fn writes_that_are_acknowledged_are_kept() {
    const CLASS: &str = "Streamed";
    const IMPORTED: u128 = 1000;
    let _turn = turn();
    let mut cluster = Cluster::new(Settings::default().saying("AUTOSCHEMA_ENABLED", "false"));
    cluster.start();
    cluster.wait_until_agreed();
    create_class_with_factor_1(&cluster, CLASS);
    import(&cluster, CLASS, IMPORTED);
    let program = Program::patient();
    let (stop, written) = (AtomicBool::new(false), Mutex::new(Acknowledged::new()));
    let (away, finished) = std::thread::scope(|scope| {
        scope.spawn(|| write(&cluster, CLASS, IMPORTED, &stop, &written));
        std::thread::sleep(Duration::from_secs(1));
        let set = ["--set", &format!("class={CLASS}")];
        let mut running = program.start_any(&cluster, "recreate-with-data", &set);
        running.wait_for_change("delete_class", CLASS);
        let from = Instant::now();
        running.wait_for_step(8);
        let away = from..Instant::now();
        let finished = running.finish();
        stop.store(true, Ordering::SeqCst);
        (away, finished)
    });
    eprintln!("exit {}", finished.code);
    cluster.expect_everywhere(CLASS);
    let written = written.into_inner().unwrap();
    let back = written.iter().filter(|(_, it)| it.now.is_none() && away.contains(&it.at));
    for (number, _) in back {
        let path = format!("/v1/objects/{CLASS}/{}", id(*number));
        cluster.request(0, Method::DELETE, &path).send();
    }
    expect_acknowledged(&cluster, CLASS, IMPORTED, &written);
    assert!(matches!(finished.code, 0 | 4), "{finished:?}");
}
