//! The incident of the seeds: what the program does while RAFT is split, and after the settings were
//! corrected, whichever way the race of that restart ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::cluster::{Cluster, NODES, turn};
use super::health::codes;
use super::incident::{back_up_with_curl, post_with_curl, split};
use super::local::Settings;
use super::program::Program;
use super::view::{Outcome, wait};

const CLASS: &str = "ELYSIA_CONFIG__";

/// How many restarts are tried at most. One takes some 13 s, and one in ten ends in each of the
/// rarer outcomes, so that more of them are seen with more patience than a test run has.
fn restarts() -> usize {
    let given = std::env::var("LIVE_RESTARTS").ok();
    given.map_or(24, |number| number.parse().expect("LIVE_RESTARTS is no number"))
}

#[test]
#[ignore = "needs a Weaviate server"]
fn nothing_is_changed_while_raft_is_split() {
    let _turn = turn();
    let cluster = split(CLASS);
    let program = Program::new();
    for allowed in [&["--yes"][..], &["--yes", "--accept-degraded", "--accept-data-loss", CLASS]] {
        program.repair(&cluster, CLASS, allowed).expect(5).says(&[
            "node1",
            "node2",
            "node3",
            "RAFT_JOIN",
            "RAFT_BOOTSTRAP_EXPECT",
            "back up",
            "every node",
        ]);
        assert!(!program.changed_anything());
    }
    let found = program.run(&cluster, "cluster-health", &[]).expect(4);
    assert!(codes(&found).contains("several_leaders"), "{found:?}");
    assert!(codes(&found).contains("class_missing_on_node"), "{found:?}");
    let found = found.stdout;
    assert!(
        found.contains("diagnose-raft") && !found.contains("config-replication --set"),
        "{found}"
    );
    assert_eq!(cluster.presence(CLASS), [true, false, false]);
    assert_eq!(cluster.leaders(), NODES);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn every_end_of_the_restart_with_the_settings_is_met_rightly() {
    let _turn = turn();
    let mut broken = split(CLASS);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.json");
    back_up_with_curl(&broken.url(0), CLASS, &backup);
    broken.stop();

    let mut seen = BTreeMap::<Outcome, usize>::new();
    for _ in 0..restarts() {
        let mut cluster = broken.copy(Settings::default());
        cluster.launch_all();
        let outcome = cluster.outcome(CLASS);
        eprintln!("{outcome:?}: {:?} {:?}", cluster.presence(CLASS), cluster.raft());
        *seen.entry(outcome).or_default() += 1;
        expect_the_right_end(&cluster, outcome, &backup);
        let both = seen.contains_key(&Outcome::Vanished) && seen.contains_key(&Outcome::Everywhere);
        if both && seen.len() > 3 {
            break;
        }
    }
    eprintln!("restarts by outcome: {seen:?}");
    // One alone of the outcomes in which some nodes have it can stay away for long.
    let some_have_it = [Outcome::Partial, Outcome::Divided, Outcome::LeaderLacksIt];
    assert!(seen.contains_key(&Outcome::Vanished), "{seen:?}");
    assert!(seen.contains_key(&Outcome::Everywhere), "{seen:?}");
    assert!(some_have_it.iter().any(|outcome| seen.contains_key(outcome)), "{seen:?}");
}

/// Runs the repair on a cluster that was restarted, and judges how it ends.
fn expect_the_right_end(cluster: &Cluster, outcome: Outcome, backup: &Path) {
    let program = Program::new();
    let before = cluster.presence(CLASS);
    expect_the_right_findings(cluster, outcome, &program);
    let finished = program.repair(cluster, CLASS, &["--yes"]);
    match outcome {
        Outcome::Everywhere | Outcome::Partial => {
            finished.expect(0).says(&["SUCCESS", "3/3 nodes"]);
            cluster.expect_everywhere(CLASS);
        }
        Outcome::Vanished => {
            finished.expect(1).says(&["there is no class", CLASS, "backup", "curl -X POST"]);
            assert!(!program.changed_anything());
            let leader = cluster.leader();
            post_with_curl(&cluster.url(leader), backup);
            // The node that had the class waits for its old log and is not ready; the others are.
            let back = || {
                let presence = cluster.presence(CLASS);
                (0..NODES).all(|node| presence[node] || !cluster.is_ready(node))
            };
            assert!(wait(Duration::from_secs(10), back), "{:?}", cluster.presence(CLASS));
            assert!(cluster.presence(CLASS)[leader]);
        }
        Outcome::LeaderLacksIt | Outcome::Divided => {
            finished.expect(5).says(&["back up", "`raft`", "PERSISTENCE_DATA_PATH"]);
            assert!(!program.changed_anything());
            assert_eq!(cluster.presence(CLASS), before);
        }
    }
}

/// Looks at a cluster that was restarted: what is wrong with it is seen although all are synchronized.
fn expect_the_right_findings(cluster: &Cluster, outcome: Outcome, program: &Program) {
    let health = program.run(cluster, "cluster-health", &[]);
    let raft = program.run(cluster, "diagnose-raft", &[]);
    let found = codes(&health);
    eprintln!("  health exits {}: {found:?}; diagnose-raft {}", health.code, raft.code);
    let any = |codes: &[&str]| codes.iter().any(|code| found.contains(*code));
    match outcome {
        // A node may still be on its way.
        Outcome::Everywhere => assert!(matches!(health.code, 0 | 4), "{health:?}"),
        Outcome::Partial => assert!(any(&["class_missing_on_node"]), "{health:?}"),
        Outcome::LeaderLacksIt => assert!(any(&["leader_lacks_class"]), "{health:?}"),
        // The node that had the class waits for its old log and is never ready.
        Outcome::Vanished => {
            assert!(any(&["member_missing"]), "{health:?}");
            raft.expect(4).says(&["has not opened its data", "restore-class"]);
        }
        Outcome::Divided => {
            assert!(any(&["several_leaders", "no_leader", "member_missing"]), "{health:?}");
            raft.expect(4);
        }
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn the_way_out_that_a_refusal_names_works() {
    let _turn = turn();
    let mut broken = split(CLASS);
    broken.stop();
    let mut cluster = broken.copy(Settings::default());
    for node in [1, 2] {
        std::fs::remove_dir_all(cluster.data(node).join("raft")).unwrap();
    }
    cluster.start();
    cluster.wait_until_agreed();
    cluster.wait_until_present(CLASS);
    cluster.wait_until_open(CLASS);
    let program = Program::new();
    program.repair(&cluster, CLASS, &[]).expect(0).says(&["3/3 nodes"]);
    assert!(!program.changed_anything());
    cluster.expect_everywhere(CLASS);
}
