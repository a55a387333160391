//! `cluster-health` and its kin on real servers: what they find in each state, and that they find
//! nothing where nothing is wrong.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::classes::{create_with_named_vectors, create_with_one_vector, create_with_tenants};
use super::cluster::{Cluster, NODES, turn};
use super::damage::{
    set_shard_status, without_asynchronous_replication, write_behind_the_back_of_node_3,
};
use super::data::{create, create_class_with_factor_1, id, import, import_on_node};
use super::fault::Fault;
use super::local::Settings;
use super::program::{Finished, Program};
use super::view::wait;

const HEALTH: &str = "cluster-health";

#[test]
#[ignore = "needs a Weaviate server"]
fn health_of_each_kind_of_class_is_told() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let program = Program::new();
    program.run(&cluster, HEALTH, &[]).expect(0).says(&["0 of 0 classes"]);

    for class in ["ELYSIA_CONFIG__", "ELYSIA_FEEDBACK__", "Article", "ELYSIA_CHUNKED_article__"] {
        create(&cluster, &json!({"class": class, "replicationConfig": {"factor": 3}}));
    }
    create_with_one_vector(&cluster, "OneVector", 40);
    create_with_named_vectors(&cluster, "NamedVectors", 40);
    create_with_tenants(&cluster, "Tenants", &["t1", "t2"], &["asleep"], 10);
    create_class_with_factor_1(&cluster, "Single");
    import(&cluster, "Single", 30);
    let all = program.run(&cluster, HEALTH, &["--set", "sample=all"]).expect(0);
    let all = all.says(&["OneVector: 40 objects compared", "NamedVectors: 40 objects compared"]);
    assert_eq!(codes(&all), set(&["tenants_inactive"]), "{all:?}");
    let one = program.run(&cluster, HEALTH, &["--set", "class=Tenants"]).expect(0);
    assert_eq!(codes(&one), set(&["tenants_inactive"]));
    let status = class(&one, "Tenants");
    assert_eq!(status["data_count"], Value::Null, "what is asleep is not counted");
    assert_eq!(status["node_distribution"]["node2"]["objects"], 20);
    let system = ["--set", "prefix=ELYSIA_", "--set", "quick=true"];
    program.run(&cluster, HEALTH, &system).expect(0).says(&["3 of 3 classes", "ELYSIA_TREES__"]);

    // Three shards of one replica each are not three replicas.
    create_class_with_factor_1(&cluster, "ELYSIA_METADATA__");
    let found = program.run(&cluster, HEALTH, &[]).expect(4);
    assert_eq!(codes(&found), set(&["wrong_factor"]));
    let status = class(&found, "ELYSIA_METADATA__");
    assert_eq!(status["replication_factor"], 1);
    assert_eq!(status["node_distribution"]["node1"]["shards"], 1);
    let remedy = issue(&found, "wrong_factor")["remedy"].as_str().unwrap().to_owned();
    assert!(remedy.starts_with("elysia-runbook run config-replication"), "{remedy}");
    program.repair(&cluster, "ELYSIA_METADATA__", &["--yes"]).expect(0);
    program.run(&cluster, HEALTH, &[]).expect(0);

    let shard = cluster.planned_replicas("Article").into_keys().next().unwrap();
    set_shard_status(&cluster, "Article", &shard, "READONLY");
    let found = program.run(&cluster, HEALTH, &[]).expect(4);
    assert_eq!(codes(&found), set(&["shard_read_only"]));
    assert_eq!(issue(&found, "shard_read_only")["shard"], shard.as_str());
    obey(&issue(&found, "shard_read_only"));
    assert!(wait(Duration::from_secs(5), || program.run(&cluster, HEALTH, &[]).code == 0));
}

#[test]
#[ignore = "needs a Weaviate server"]
fn nothing_is_found_while_objects_are_written() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    create(&cluster, &json!({"class": "Busy", "replicationConfig": {"factor": 3}}));
    import(&cluster, "Busy", 200);
    let (over, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Inserts, updates and deletes, until the looking is over.
            for number in 200.. {
                if over.load(Ordering::Relaxed) || number > 20_000 {
                    return;
                }
                let node = usize::try_from(number % 3).unwrap();
                let object =
                    json!({"class": "Busy", "id": id(number), "properties": {"n": number.to_string()}});
                cluster.post(node, "/v1/objects", &object);
                let older = format!("/v1/objects/Busy/{}", id(number / 2));
                if number % 3 == 0 {
                    cluster.request(node, reqwest::Method::DELETE, &older).send();
                } else {
                    let change =
                        json!({"class": "Busy", "id": id(number / 2), "properties": {"n": "0"}});
                    cluster.request(node, reqwest::Method::PUT, &older).json(&change).send();
                }
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
        let program = Program::new();
        let looks: Vec<Finished> =
            (0..10).map(|_| program.run(&cluster, HEALTH, &["--set", "sample=all"])).collect();
        over.store(true, Ordering::Relaxed);
        for look in looks {
            assert_eq!(codes(&look), set(&[]), "{look:?}");
            look.expect(0);
        }
    });
    eprintln!("ten looks while {} objects were written", written.load(Ordering::Relaxed));
    assert!(written.load(Ordering::Relaxed) > 20);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn replicas_that_differ_are_found_object_by_object() {
    let _turn = turn();
    let mut cluster = Cluster::new(without_asynchronous_replication());
    cluster.start();
    cluster.wait_until_agreed();
    create(&cluster, &json!({"class": "Differs", "replicationConfig": {"factor": 3}}));
    import(&cluster, "Differs", 30);
    write_behind_the_back_of_node_3(&mut cluster, "Differs", 30..40);
    let program = Program::new();
    let found = program.run(&cluster, HEALTH, &["--set", "sample=all"]).expect(4);
    assert_eq!(codes(&found), set(&["counts_differ", "objects_differ"]), "{found:?}");
    let told: BTreeSet<String> = issues(&found)
        .filter(|it| it["code"] == "objects_differ")
        .map(|it| it["text"].as_str().unwrap()[7..43].to_owned())
        .collect();
    assert_eq!(told, (30..40).map(id).collect());
    assert_eq!(issue(&found, "objects_differ")["node"], "node3");
    let shards = program.run(&cluster, "diagnose-shards", &["--set", "class=Differs"]).expect(4);
    assert_eq!(codes(&shards), set(&["counts_differ"]));
    // A sample of a class that is not larger is all of it; looking has repaired nothing.
    let found = program.run(&cluster, HEALTH, &["--set", "sample=50"]).expect(4);
    assert_eq!(issues(&found).filter(|it| it["code"] == "objects_differ").count(), 10);
    issues(&found).filter(|it| it["code"] == "objects_differ").take(3).for_each(|it| obey(&it));
    let resync = ["--set", "class=Differs"];
    program.run(&cluster, "resync-replicas", &resync).expect(0).says(&["7 brought together"]);
    program.run(&cluster, HEALTH, &["--set", "sample=all"]).expect(0);
    // The newest wins, a deletion, too.
    cluster.end(2);
    let path = |number| format!("/v1/objects/Differs/{}", id(number));
    assert_eq!(cluster.request(0, Method::DELETE, &path(0)).send().status, 204);
    let newer = json!({"class": "Differs", "id": id(1), "properties": {"config_key": "newer"}});
    assert_eq!(cluster.request(0, Method::PUT, &path(1)).json(&newer).send().status, 200);
    cluster.launch(2);
    cluster.wait_until_ready(2);
    cluster.wait_until_agreed();
    let done = program.run(&cluster, "resync-replicas", &resync).expect(0);
    done.says(&["2 brought together", "1 object of Differs had been deleted", &id(0)]);
    for node in 1..=NODES {
        let at = |number| cluster.get(0, &format!("{}?node_name=node{node}", path(number)));
        assert_eq!(at(0).status, 404, "node{node}");
        assert_eq!(at(1).body["properties"]["config_key"], "newer", "node{node}");
    }
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_is_missing_makes_what_it_holds_unknown() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    create(&cluster, &json!({"class": "Everywhere", "replicationConfig": {"factor": 3}}));
    create_class_with_factor_1(&cluster, "Hidden");
    import_on_node(&cluster, "Hidden", 2, "node3");
    let program = Program::new();
    for fault in [Fault::Hangs, Fault::Down] {
        let began = std::time::Instant::now();
        fault.befall(&mut cluster, 2);
        let found = program.run(&cluster, HEALTH, &[]).expect(4);
        eprintln!("{fault:?}: {:.1?}, {:?}", began.elapsed(), codes(&found));
        assert!(codes(&found).contains("node_silent"), "{found:?}");
        assert_eq!(class(&found, "Hidden")["data_count"], Value::Null, "a count of 0 is a lie");
        // Shards may take no writes meanwhile, which is seen; else nothing is known.
        let seen = codes(&found).contains("shard_read_only");
        let consistent = if seen { json!(false) } else { Value::Null };
        assert_eq!(class(&found, "Hidden")["consistent"], consistent, "{found:?}");
        let nothing = |it: &Value| it["code"] == "shard_missing" || it["code"] == "replica_missing";
        assert!(!issues(&found).any(|it| nothing(&it)), "unknown is not absent: {found:?}");
        if fault == Fault::Down {
            let shards = program.run(&cluster, "diagnose-shards", &["--set", "class=Hidden"]);
            assert_eq!(codes(&shards.expect(1)), set(&["shard_unknown"]));
        }
        fault.mend(&mut cluster, 2);
        let well = || {
            let found = program.run(&cluster, HEALTH, &[]);
            found.code == 0 && class(&found, "Hidden")["data_count"] == 2
        };
        assert!(wait(Duration::from_secs(30), well));
    }
}

/// The first node joins no other, so that after a restart it is alone until they look for it. It then
/// takes writes for all replicas, makes them on its own, and says that all went well.
#[test]
#[ignore = "needs a Weaviate server"]
fn a_node_that_does_not_see_the_others_is_told() {
    let _turn = turn();
    let mut cluster = Cluster::healthy();
    create_class_with_factor_1(&cluster, "Hidden");
    import_on_node(&cluster, "Hidden", 2, "node3");
    let program = Program::new();
    let mut met = 0;
    for _ in 0..5 {
        cluster.end(0);
        cluster.launch_with(0, &Settings::default());
        cluster.wait_until_ready(0);
        let began = std::time::Instant::now();
        if !wait(Duration::from_secs(5), || cluster.sight()[0] == 1 && cluster.is_agreed()) {
            continue;
        }
        let found = program.run(&cluster, HEALTH, &[]);
        let repaired = program.repair(&cluster, "Hidden", &["--yes"]);
        if cluster.sight()[0] != 1 {
            continue;
        }
        met += 1;
        eprintln!("alone for {:.1?} at least", began.elapsed());
        let found = found.expect(4);
        assert!(codes(&found).contains("member_unseen"), "{found:?}");
        assert!(!codes(&found).contains("counts_differ"), "{found:?}");
        assert_eq!(class(&found, "Hidden")["data_count"], Value::Null);
        repaired.expect(5).says(&["does not see", "node2, node3"]);
        break;
    }
    assert!(met > 0, "node 1 saw the others at once, each time");
    cluster.wait_until_agreed();
    let found = program.run(&cluster, HEALTH, &[]).expect(0);
    assert_eq!(class(&found, "Hidden")["data_count"], 2);
}

/// Runs the last line of what an issue says is to be done.
fn obey(issue: &Value) {
    let remedy = issue["remedy"].as_str().unwrap();
    let command = &remedy[remedy.find("curl").expect("no command")..];
    let output =
        std::process::Command::new("sh").args(["-c", &format!("{command} -sS --fail")]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

pub(super) fn events(finished: &Finished) -> impl Iterator<Item = Value> {
    finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap())
}

fn issues(finished: &Finished) -> impl Iterator<Item = Value> {
    events(finished).filter(|event| event["event"] == "issue")
}

fn issue(finished: &Finished, code: &str) -> Value {
    issues(finished).find(|issue| issue["code"] == code).unwrap()
}

/// The codes of all that was found.
pub(super) fn codes(finished: &Finished) -> BTreeSet<String> {
    issues(finished).map(|issue| issue["code"].as_str().unwrap().to_owned()).collect()
}

/// What was judged of a class.
fn class(finished: &Finished, name: &str) -> Value {
    let judged = events(finished)
        .filter(|event| event["event"] == "step_finished" && event["title"] == "Judge the classes");
    let classes = judged.flat_map(|event| event["value"].as_array().cloned().unwrap());
    classes.into_iter().find(|class| class["name"] == name).unwrap()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(ToString::to_string).collect()
}
