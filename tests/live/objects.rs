//! Test records on real servers: the lag of replicas, and forcing a schema to be replicated; and
//! that nothing of it is left, whatever happens to a node meanwhile.

use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::data::{create, create_class_with_factor_1};
use super::fault::Fault;
use super::incident::split;
use super::local::Settings;
use super::program::{Finished, Program};
use super::view::{Outcome, wait};

const CLASS: &str = "ELYSIA_CONFIG__";
const PROBE: &str = "ElysiaRunbookLagProbe";
const FORCE: &str = "force-schema-replication";

#[test]
#[ignore = "needs a Weaviate server"]
fn the_lag_of_every_node_is_measured() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let program = Program::new();
    for (factor, nodes) in [("0", NODES), ("2", 2), ("1", 1)] {
        let set = format!("factor={factor}");
        let finished = program.run(&cluster, "replication-lag", &["--set", &set]).expect(0);
        let told = notes(&finished, "median");
        assert_eq!(told.len(), nodes, "{told:?}");
        eprintln!("factor {factor}: {told:?}");
        assert_eq!(cluster.presence(PROBE), [false; NODES]);
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_fails_while_measuring_leaves_no_probe_or_is_told() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    for (fault, leads) in [(Fault::Hangs, false), (Fault::Down, true), (Fault::Down, false)] {
        let leader = cluster.leader();
        let victim = if leads { leader } else { (leader + 1) % NODES };
        let program = Program::new();
        let mut running = program.start_any(&cluster, "replication-lag", &[]);
        for _ in 0..3 {
            running.wait_for_change("insert_object", PROBE);
        }
        fault.befall(&mut cluster, victim);
        let finished = running.finish();
        eprintln!("{fault:?}, node {}, leader {leads}: {}", victim + 1, ending(&finished));
        fault.mend(&mut cluster, victim);
        assert!(matches!(finished.code, 6 | 7), "{finished:?}");
        if finished.code == 7 {
            obey(&finished);
        }
        let gone = || cluster.presence(PROBE) == [false; NODES];
        if finished.code == 6 {
            assert!(wait(Duration::from_secs(10), gone), "{:?}", cluster.presence(PROBE));
        }
        // A write that hung is still made by the server when the node is back, and auto-schema brings
        // the class back with it, at once or later. It was said that a person must act; acting once more
        // ends it.
        let stays_gone = || {
            std::thread::sleep(Duration::from_secs(2));
            if !gone() && finished.code == 7 {
                obey(&finished);
            }
            gone()
        };
        assert!(wait(Duration::from_secs(60), stays_gone), "{:?}", cluster.presence(PROBE));
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_schema_that_is_everywhere_cannot_be_forced_further() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let three = json!({"class": CLASS, "replicationConfig": {"factor": 3}});
    create(&cluster, &three);
    create_class_with_factor_1(&cluster, "Single");
    let tenants = json!({
        "class": "Tenants",
        "multiTenancyConfig": {"enabled": true, "autoTenantCreation": true},
        "replicationConfig": {"factor": 3},
    });
    assert_eq!(cluster.post(0, "/v1/schema", &tenants).status, 200);
    let named = json!([{"name": "t1"}]);
    assert_eq!(cluster.post(0, "/v1/schema/Tenants/tenants", &named).status, 200);
    cluster.wait_until_open("Tenants");
    let program = Program::new();
    for (class, tenant) in [(CLASS, ""), ("Single", ""), ("Tenants", "t1")] {
        let before = cluster.own_class(0, class);
        let (set, of) = (format!("class={class}"), format!("tenant={tenant}"));
        let finished = program.run(&cluster, FORCE, &["--set", &set, "--set", &of]).expect(0);
        finished.says(&["was on 3/3 nodes before and is on 3/3 now: nothing changed"]);
        assert_eq!(cluster.own_class(0, class), before, "auto-schema changed it");
        no_record_is_left(&cluster, &program, class);
    }
    let nope = ["--set", "class=Tenants", "--set", "tenant=nope"];
    program.run(&cluster, FORCE, &nope).expect(1).says(&["there is no tenant `nope`"]);
    assert_eq!(cluster.get(0, "/v1/schema/Tenants/tenants").body.as_array().unwrap().len(), 1);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_fails_between_insert_and_delete_is_told() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    create(&cluster, &json!({"class": CLASS, "replicationConfig": {"factor": 3}}));
    for (fault, moment) in [
        (Fault::Hangs, "delete_object"),
        (Fault::Down, "delete_object"),
        (Fault::Hangs, "insert_object"),
        (Fault::Down, "insert_object"),
    ] {
        let victim = (cluster.leader() + 1) % NODES;
        let program = Program::new();
        let mut running = program.start_any(&cluster, FORCE, &[]);
        running.wait_for_change(moment, CLASS);
        fault.befall(&mut cluster, victim);
        let finished = running.finish();
        eprintln!("{fault:?} at {moment}: {}", ending(&finished));
        fault.mend(&mut cluster, victim);
        match finished.code {
            // It was made before the node failed.
            0 | 6 => {}
            7 => obey(&finished),
            _ => panic!("{finished:?}"),
        }
        no_record_is_left(&cluster, &program, CLASS);
        std::thread::sleep(Duration::from_secs(3));
        no_record_is_left(&cluster, &program, CLASS);
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn nothing_is_written_while_raft_is_split() {
    let _turn = turn();
    let cluster = split(CLASS);
    let program = Program::new();
    for runbook in [FORCE, "replication-lag"] {
        program.run(&cluster, runbook, &["--accept-degraded"]).expect(5).says(&[
            "there are 3 RAFT leaders",
            "back up the schema and the objects of every node",
            "RAFT_JOIN and RAFT_BOOTSTRAP_EXPECT",
        ]);
        assert!(!program.changed_anything());
    }
    assert_eq!(cluster.presence(CLASS), [true, false, false]);
}

/// One leader that has the class, and a node that lacks it for good: the belief of Phase 2 put to
/// the test.
#[test]
#[ignore = "needs a Weaviate server"]
fn a_record_does_not_bring_a_schema_to_the_node_that_lacks_it() {
    let _turn = turn();
    let cluster = missing_on_node3();
    let program = Program::new();
    program
        .run(&cluster, FORCE, &[])
        .expect(4)
        .says(&["was on 2/3 nodes before and is on 2/3 now: nothing changed", "PARTIAL"]);
    assert_eq!(cluster.presence(CLASS), [true, true, false]);
    no_record_is_left(&cluster, &program, CLASS);
}

/// Makes each node's RAFT log as long as the others', so that none of them ever notices that node 3
/// has another entry where they have the class.
fn missing_on_node3() -> Cluster {
    for _ in 0..10 {
        let mut apart = Cluster::new(Settings::split());
        apart.start_apart();
        if apart.leaders() != NODES {
            continue;
        }
        let body = json!({"class": CLASS, "replicationConfig": {"factor": 3}});
        assert_eq!(apart.post(0, "/v1/schema", &body).status, 200);
        assert_eq!(apart.post(1, "/v1/schema", &body).status, 200);
        apart.request(2, Method::DELETE, "/v1/schema/Nothing").send();
        apart.stop();
        for _ in 0..3 {
            let mut cluster = apart.copy(Settings::default());
            cluster.launch_all();
            let outcome = cluster.outcome(CLASS);
            eprintln!("{outcome:?} {:?}", cluster.presence(CLASS));
            if outcome == Outcome::Partial && cluster.presence(CLASS) == [true, true, false] {
                return cluster;
            }
        }
    }
    panic!("node 3 never lacked the class alone");
}

/// Runs the commands that a run ended with, word for word.
fn obey(finished: &Finished) {
    let commands = finished.commands();
    assert!(!commands.is_empty(), "{finished:?}");
    for command in commands.iter().filter(|command| !command.starts_with('#')) {
        let output = Command::new("sh").args(["-c", &format!("{command} -sS --fail")]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

/// Asks each replica for each record that the latest run inserted.
fn no_record_is_left(cluster: &Cluster, program: &Program, class: &str) {
    let journal = program.journal();
    let of_insert = |record: &&Value| {
        record["event"] == "change_intended" && record["action"]["kind"] == "insert_object"
    };
    let inserted: Vec<&Value> = journal.iter().filter(of_insert).collect();
    assert!(!inserted.is_empty(), "{journal:?}");
    for record in inserted {
        let action = &record["action"];
        let id = action["id"].as_str().unwrap();
        let tenant = action["tenant"].as_str().map_or(String::new(), |it| format!("&tenant={it}"));
        for node in 1..=NODES {
            let path = format!("/v1/objects/{class}/{id}?node_name=node{node}{tenant}");
            // The node itself: the others do not see it as soon as it is back.
            let reply = cluster.get(node - 1, &path);
            assert_eq!(reply.status, 404, "node{node}: {reply:?}");
        }
    }
}

fn notes(finished: &Finished, word: &str) -> Vec<String> {
    let events = finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let notes = events.filter(|event| event["event"] == "note");
    let texts = notes.map(|note| note["text"].as_str().unwrap().to_owned());
    texts.filter(|text| text.contains(word)).collect()
}

fn ending(finished: &Finished) -> String {
    let last: Value = serde_json::from_str(finished.stdout.lines().last().unwrap()).unwrap();
    format!("exit {}, {}, {}", finished.code, last["summary"], last["commands"])
}
