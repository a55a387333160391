//! The repair killed at many moments on real servers, then resumed or undone; and two at once.
//!
//! `LIVE_KILLS` says at how many moments, `LIVE_RACES` how often two are started.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, NODES, turn};
use super::data::{create_class_with_factor_1, delete, expect_writable};
use super::program::{Program, number};
use super::view::wait;

const CLASS: &str = "ELYSIA_CONFIG__";
const PROBE: &str = "ELYSIA_CONFIG__RunbookProbe";

#[test]
#[ignore = "needs a Weaviate server"]
fn a_run_killed_at_any_moment_goes_on_or_is_undone() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    let whole = {
        let (program, began) = (Program::new(), Instant::now());
        program.repair(&cluster, CLASS, &["--yes"]).expect(0);
        began.elapsed()
    };
    let kills = number("LIVE_KILLS", 6);
    for kill in 0..kills {
        for undo in [false, true] {
            let what = if undo { "rollback" } else { "resume" };
            delete(&cluster, CLASS);
            create_class_with_factor_1(&cluster, CLASS);
            let before = cluster.own_class(0, CLASS).unwrap();
            let program = Program::new();
            let mut child = program.spawn(&cluster, CLASS);
            std::thread::sleep(whole * (kill + 1) / (kills + 1));
            // It may have ended just now.
            let _ = child.kill();
            child.wait().unwrap();
            let there = cluster.presence(CLASS);
            let changed = has_sent_a_change(&program);
            let ended = program.go_on(what);
            eprintln!(
                "killed at {kill}/{kills}, the class was on {there:?}; {what}: {} {}",
                ended.code,
                ended.stdout.lines().last().unwrap_or_default()
            );
            let nothing_to_do = ended.code == 2 && ended.stderr.contains("there is no run");
            if undo {
                assert!(ended.code == 0 || nothing_to_do && !changed, "{ended:?}");
                let now = || cluster.own_class(0, CLASS).as_ref() == Some(&before);
                assert!(wait(Duration::from_secs(5), now), "{ended:?}");
            } else {
                assert!(ended.code == 0 || nothing_to_do, "{ended:?}");
                if ended.code == 0 {
                    cluster.expect_everywhere(CLASS);
                }
            }
            // Where the run died just after the leader had deleted it, the others follow in a moment.
            let no_probe = || cluster.presence(PROBE) == [false; NODES];
            assert!(wait(Duration::from_secs(5), no_probe), "{ended:?}");
            assert!(cluster.presence(CLASS).contains(&true), "the class is lost: {ended:?}");
            expect_writable(&cluster, CLASS);
        }
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn of_two_runs_at_once_one_changes_the_cluster() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, CLASS);
    let (mut refused, races) = (0, number("LIVE_RACES", 8));
    for _ in 0..races {
        let program = Program::new();
        let both = [program.spawn(&cluster, CLASS), program.spawn(&cluster, CLASS)];
        let codes = both.map(|child| child.wait_with_output().unwrap().status.code().unwrap());
        // The later one finds all done where the first was already over.
        assert!(codes.contains(&0), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, 0 | 5)), "{codes:?}");
        refused += codes.iter().filter(|code| **code == 5).count();
        cluster.expect_everywhere(CLASS);
        assert_eq!(cluster.presence(PROBE), [false; NODES]);
        delete(&cluster, CLASS);
        create_class_with_factor_1(&cluster, CLASS);
    }
    eprintln!("{races} races, {refused} refused");
    assert!(refused > 0);
}

/// It may have died before there was a journal, or within a record.
fn has_sent_a_change(program: &Program) -> bool {
    let runs = std::fs::read_dir(program.home().join("runs")).into_iter().flatten().flatten();
    let texts = runs.map(|run| std::fs::read_to_string(run.path().join("journal.ndjson")));
    texts.flatten().any(|text| text.contains("change_intended"))
}
