//! Dry runs of every shipped runbook: the servers count the requests that change something, and how
//! each ends is how the run ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::data::create;
use super::local::Settings;
use super::program::{Finished, Program};

/// The counter of the server's own requests, by method, route and status.
const COUNTER: &str = "weaviate_http_request_duration_seconds_count{";

/// The counter of batches of objects that came by gRPC, which the other leaves out.
const BATCHES: &str = "batch_size_bytes_count{api=\"grpc\"}";

/// Returns how many changing requests each route of each node has had: all of its API but reads and
/// the questions that are asked by `POST`.
fn changes(cluster: &Cluster) -> BTreeMap<String, u64> {
    let mut changes = BTreeMap::new();
    for node in 0..NODES {
        let metrics = cluster.metrics(node);
        let counters: Vec<&str> = metrics.lines().filter(|it| it.starts_with(COUNTER)).collect();
        assert!(!counters.is_empty(), "the server does not count its requests:\n{metrics}");
        let batches = metrics.lines().filter(|it| it.starts_with(BATCHES));
        for line in counters.into_iter().chain(batches) {
            let (what, number) = line.rsplit_once(' ').unwrap();
            let reads = what.contains("method=\"GET\"") || what.contains("method=\"HEAD\"");
            let changes_something =
                what.contains("route=\"/v1/") && !reads && !what.contains("/v1/graphql");
            if changes_something || what == BATCHES {
                changes.insert(format!("node{} {what}", node + 1), number.parse().unwrap());
            }
        }
    }
    changes
}

/// Returns the runbooks that are shipped, by name.
fn shipped() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    let names = files.filter_map(|it| Some(it.to_str()?.strip_suffix(".rhai")?.to_owned()));
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("_test")).collect();
    names.sort();
    names
}

/// Returns the verdict, the last line and the exit code.
fn end(finished: &Finished) -> (Value, Value, i32) {
    let last: Value = serde_json::from_str(finished.stdout.lines().last().unwrap()).unwrap();
    (last["verdict"].clone(), last["summary"].clone(), finished.code)
}

/// Returns the classes in each node's own schema, which it lists in any order.
fn state(cluster: &Cluster) -> Vec<BTreeMap<String, Value>> {
    let classes = |node| {
        let answer = cluster.request(node, Method::GET, "/v1/schema").own_view().send().body;
        let classes = answer["classes"].as_array().unwrap().iter();
        classes.map(|class| (class["class"].to_string(), class.clone())).collect()
    };
    (0..NODES).map(classes).collect()
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_dry_run_of_every_runbook_changes_nothing_and_ends_as_the_run() {
    let _turn = turn();
    let settings = Settings::default().with("PROMETHEUS_MONITORING_ENABLED", "true");
    let mut cluster = Cluster::new(settings);
    cluster.start();
    cluster.wait_until_agreed();
    for (class, factor) in [("Empty", 1), ("Filled", 1), ("Spread", 3)] {
        create(&cluster, &json!({ "class": class, "replicationConfig": { "factor": factor } }));
    }
    create(&cluster, &json!({ "class": "Tenants", "multiTenancyConfig": { "enabled": true } }));
    let tenants =
        json!([{"name": "a"}, {"name": "b"}, {"name": "c", "activityStatus": "INACTIVE"}]);
    assert_eq!(cluster.post(0, "/v1/schema/Tenants/tenants", &tenants).status, 200);
    for number in 0..120 {
        let class = if number % 2 == 0 { "Filled" } else { "Spread" };
        let object = json!({ "class": class, "vector": [number, 1], "properties": { "k": "v" } });
        let path = "/v1/objects?consistency_level=ALL";
        assert_eq!(cluster.post(number % NODES, path, &object).status, 200);
    }
    for tenant in ["a", "b"] {
        let object = json!({ "class": "Tenants", "tenant": tenant, "properties": {} });
        assert_eq!(cluster.post(0, "/v1/objects", &object).status, 200);
    }
    let program = Program::new();
    // It says that it lacks what is in a tenant that is not active.
    program.run(&cluster, "backup-nodes", &[]).expect(4);

    // What a run does not change, or does so that the next one finds it as it was, comes first.
    let parameters: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("backup-nodes", &["--set", "folder=second"][..]),
        ("cluster-health", &[]),
        ("config-replication", &["--set", "class=Empty"]),
        ("diagnose-raft", &[]),
        ("diagnose-shards", &[]),
        ("force-schema-replication", &["--set", "class=Filled"]),
        ("recreate-with-data", &["--set", "class=Filled"]),
        ("replication-lag", &["--set", "writes=2"]),
        (
            "restore-class",
            &["--set", "class=Filled", "--set", "from=node1", "--set", "into=Restored"],
        ),
        ("resync-replicas", &["--set", "class=Spread"]),
        ("scale-replicas", &["--set", "class=Tenants"]),
    ]);
    assert_eq!(shipped(), parameters.keys().copied().collect::<Vec<_>>());
    let (before, there) = (changes(&cluster), state(&cluster));
    let mut ends = BTreeMap::new();
    for (runbook, parameters) in &parameters {
        let dry = program.run(&cluster, runbook, &[parameters, &["--dry-run"][..]].concat());
        assert_eq!(changes(&cluster), before, "{runbook}\n{}", dry.stdout);
        ends.insert(*runbook, end(&dry));
    }
    assert_eq!(state(&cluster), there);
    for (runbook, parameters) in &parameters {
        let real = program.run(&cluster, runbook, parameters);
        let (dry, real) = (&ends[runbook], end(&real));
        eprintln!("{runbook}: {}", real.1);
        assert_eq!((&dry.0, dry.2), (&real.0, real.2), "{runbook}: {} and {}", dry.1, real.1);
    }
    // The counters count.
    let after = changes(&cluster);
    let of_batches = |it: &BTreeMap<String, u64>| -> u64 {
        it.iter().filter(|(what, _)| what.contains(BATCHES)).map(|(_, number)| number).sum()
    };
    assert!(of_batches(&after) > of_batches(&before), "{after:?}");
    assert!(after.len() > before.len(), "{after:?}");

    // A cluster that can't agree.
    cluster.kill(2);
    for (runbook, class, verdict) in
        [("recreate-with-data", "Filled", "failed"), ("config-replication", "Empty", "refused")]
    {
        let words = ["--set", &format!("class={class}"), "--set", "factor=2"];
        let dry = program.run(&cluster, runbook, &[&words[..], &["--dry-run"]].concat());
        let real = program.run(&cluster, runbook, &words);
        assert_eq!((end(&dry).0, end(&real).0), (json!(verdict), json!(verdict)), "{}", dry.stdout);
    }
}
