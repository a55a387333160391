//! Each way in which the seeds' settings can be wrong: what `diagnose-raft` makes of it.

use std::time::Duration;

use super::cluster::{Cluster, NODES, turn};
use super::local::Settings;
use super::program::Program;
use super::view::wait;

#[test]
#[ignore = "needs a Weaviate server"]
fn each_wrong_setting_is_recognized() {
    let _turn = turn();
    let good = Settings::default;
    let five = good().saying("RAFT_JOIN", "node1,node2,node3,node4,node5");
    let five = five.saying("RAFT_BOOTSTRAP_EXPECT", "5");
    let others = good().saying("RAFT_JOIN", "weaviate1,weaviate2,weaviate3");
    let cases: [(&str, [Settings; NODES], &[&str]); 5] = [
        ("as they should be", [good(), good(), good()], &[]),
        (
            "no RAFT_BOOTSTRAP_EXPECT",
            [good(), good(), good()].map(|it| it.without("RAFT_BOOTSTRAP_EXPECT")),
            &["has no vote", "RAFT_BOOTSTRAP_EXPECT is missing"],
        ),
        (
            "five are expected",
            [five.clone(), five.clone(), five],
            &["no RAFT cluster was founded", "higher than the number of nodes"],
        ),
        (
            "other names in RAFT_JOIN",
            [others.clone(), others.clone(), others],
            &["no RAFT cluster was founded", "not in RAFT_JOIN as CLUSTER_HOSTNAME calls it"],
        ),
        (
            "node 3 joins nobody",
            [good(), good(), good().without("CLUSTER_JOIN")],
            &["sees through gossip only", "CLUSTER_JOIN is missing"],
        ),
    ];
    for (what, settings, words) in cases {
        let mut cluster = Cluster::new(good());
        for (node, settings) in settings.iter().enumerate() {
            cluster.launch_with(node, settings);
        }
        let answers = |node| cluster.get(node, "/v1/cluster/statistics").status == 200;
        assert!(wait(Duration::from_secs(60), || (0..NODES).all(answers)), "{what}: not started");
        let program = Program::new();
        let code = if words.is_empty() { 0 } else { 4 };
        let told = || {
            let finished = program.run(&cluster, "diagnose-raft", &[]);
            let said = words.iter().all(|word| finished.stdout.contains(word));
            (said && finished.code == code).then_some(()).ok_or(finished)
        };
        let mut last = told();
        let recognized = wait(Duration::from_secs(30), || {
            last = told();
            last.is_ok()
        });
        assert!(recognized, "{what}: {last:?}");
        eprintln!("{what}: recognized");
    }
}
