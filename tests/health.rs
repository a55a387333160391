//! The verification runbooks on the sandbox: what they say of each state, and every issue code.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(clippy::too_many_lines, reason = "one line for each issue code")]

mod support;

use std::collections::BTreeSet;

use elysia_runbook::issue::IssueCode;
use elysia_runbook::sandbox::Scenario;
use serde_json::{Value, json};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

/// Runs `cluster-health` on a scenario.
fn health(scenario: Scenario, arguments: &[&str]) -> Ended {
    run(&Stage::new(scenario), "cluster-health", arguments)
}

fn run(stage: &Stage, runbook: &str, arguments: &[&str]) -> Ended {
    let mut all = vec!["run", runbook];
    all.extend(arguments);
    stage.run(&all)
}

#[test]
fn nothing_is_found_on_a_healthy_cluster() {
    health(Scenario::Elysia, &[]).exits(0).golden("health/healthy.txt");
    health(Scenario::Elysia, &["--set", "sample=all"]).exits(0).says("30 objects compared");
}

#[test]
fn what_is_found_is_said_with_the_command_that_helps() {
    health(Scenario::FactorOne, &[]).exits(4).golden("health/factor-one.txt");
    health(Scenario::WithData, &[]).exits(4).golden("health/factor-one-with-data.txt");
    health(Scenario::SplitRaft, &[]).exits(4).golden("health/split-raft.txt");
    health(Scenario::ClassMissingOnNode, &[]).exits(4).golden("health/class-missing-on-node.txt");
    health(Scenario::LeaderLacksClass, &[]).exits(4).golden("health/leader-lacks-class.txt");
    health(Scenario::NodeDown, &[]).exits(4).golden("health/node-down.txt");
    health(Scenario::ReadOnlyShard, &[]).exits(4).golden("health/read-only-shard.txt");
    health(Scenario::StuckMovement, &[]).exits(4).golden("health/stuck-movement.txt");
    health(Scenario::ReplicasDiffer, &["--set", "sample=all"])
        .exits(4)
        .golden("health/replicas-differ.txt");
    health(Scenario::Tenants, &["--set", "class=Customers"]).exits(0).golden("health/tenants.txt");
}

/// A node that asks another one, which hangs, answers the next request at once when it has noticed.
#[test]
fn an_answer_that_hangs_is_asked_for_again() {
    let hanging = |times: usize| {
        let mut stage = Stage::new(Scenario::Elysia);
        for nth in 1..=times {
            stage = stage.fault(&format!("node1:GET:/v1/nodes:{nth}=hang"));
        }
        run(&stage, "cluster-health", &["--set", "quick=true"])
    };
    hanging(5).exits(0);
    hanging(6).exits(4).says("node1");
}

#[test]
fn a_part_of_the_cluster_can_be_looked_at() {
    health(Scenario::Elysia, &["--set", "prefix=ELYSIA_", "--set", "quick=true"])
        .exits(0)
        .golden("health/prefix-quick.txt");
    health(Scenario::Elysia, &["--set", "class=Article"]).exits(0).says("Article  ✓  3       30");
    health(Scenario::Elysia, &["--set", "class=Nowhere"]).exits(4).says("there is a class Nowhere");
    // A collection of the system that does not exist yet is normal; any other that is named is not.
    health(Scenario::Healthy, &["--set", "class=ELYSIA_TREES__"]).exits(0);
    health(Scenario::Elysia, &["--set", "factor=7"]).exits(5).says("takes 1 to 3 here");
    // Derived classes are held to their parent's factor, and the others with the prefix to this.
    let wrong = health(Scenario::Elysia, &["--set", "factor=2"]).exits(4);
    let wrong =
        wrong.says("ELYSIA_TREES__ has factor 3, and classes that begin with ELYSIA_ must have 2");
    assert!(!wrong.stdout.contains("CHUNKED_article__ has"), "{}", wrong.transcript());
    let stage = Stage::new(Scenario::Elysia);
    for (class, factor) in [("Book", 1), ("ELYSIA_CHUNKED_book__", 3)] {
        let class = json!({"class": class, "replicationConfig": {"factor": factor}});
        stage.sandbox.create_class(&class).unwrap();
    }
    run(&stage, "cluster-health", &[])
        .exits(4)
        .says("ELYSIA_CHUNKED_book__ has factor 3, and Book, which it is derived from, has 1")
        .says("FINDINGS: 1 problem");
    health(Scenario::Elysia, &["--set", "class=article"]).exits(1).says("capital letter");
    health(Scenario::Elysia, &["--set", "sample=some"]).exits(1).says("no sample");
}

#[test]
fn a_sample_compares_as_many_as_it_says_wherever_the_ids_lie() {
    let stage = Stage::new(Scenario::ReplicasDiffer);
    for number in 0..60 {
        let id = format!("00000000-0000-0000-0000-{number:012}");
        let object = json!({"class": CLASS, "id": id, "properties": {}});
        stage.sandbox.insert(None, &object).unwrap();
    }
    for sample in ["1", "50", "90"] {
        let set = format!("sample={sample}");
        let ended = run(&stage, "cluster-health", &["--set", &set]).exits(4);
        let objects = ended.stderr.split(" objects compared").next().unwrap();
        let objects: usize = objects.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(objects >= sample.parse().unwrap() && objects <= 100, "{sample}: {objects}");
    }
}

#[test]
fn nodes_that_nobody_asked_hold_nothing_that_is_known() {
    let stage = Stage::new(Scenario::ReplicasDiffer);
    let (name, url) = stage.sandbox.nodes().remove(0);
    let node = format!("[clusters.one]\nnodes = [\"{name}={url}\"]\n");
    std::fs::write(stage.home.path().join("elysia-runbook.toml"), node).unwrap();
    let home = stage.home.path();
    let arguments = ["run", "cluster-health", "--cluster", "one", "--output", "ndjson"];
    let ended = support::run(home, &arguments).exits(4);
    let survey =
        events(&ended).into_iter().find(|event| event["event"] == "step_finished").unwrap();
    let class = &survey["value"]["classes"][0];
    assert_eq!(class["data_count"], Value::Null);
    assert_eq!(class["node_distribution"]["node3"]["objects"], Value::Null);
}

#[test]
fn no_copying_is_advised_while_nodes_have_come_apart() {
    for scenario in [Scenario::SplitRaft, Scenario::TwoLeaders, Scenario::LeaderLacksClass] {
        let ended = health(scenario, &["--set", "factor=2"]).exits(4);
        assert!(!ended.stdout.contains("curl"), "{}", ended.transcript());
        assert!(!ended.stdout.contains("config-replication"), "{}", ended.transcript());
    }
    let lower = health(Scenario::Elysia, &["--set", "factor=2"]).exits(4);
    assert!(!lower.stdout.contains("curl"), "{}", lower.transcript());
}

#[test]
fn nothing_is_changed_through_a_node_that_does_not_see_the_others() {
    let stage = Stage::new(Scenario::FactorOne);
    let nodes = answer(&stage, "/v1/nodes?output=verbose", &|nodes| {
        nodes["nodes"].as_array_mut().unwrap().truncate(1);
    });
    let stage = stage.fault(&format!("node1:GET:/v1/nodes=200 {nodes}"));
    for allowed in [&["--yes"][..], &["--yes", "--accept-degraded"]] {
        run(&stage, "config-replication", allowed)
            .exits(5)
            .says("`node1` does not see node2, node3")
            .says("CLUSTER_JOIN");
    }
    assert!(stage.changes().is_empty(), "{:?}", stage.changes());
}

#[test]
fn what_could_not_be_found_out_is_no_success() {
    let stage = Stage::new(Scenario::Healthy).fault("POST:/v1/graphql=500 out of memory");
    run(&stage, "cluster-health", &[]).exits(1).golden("health/unknown.txt");
}

#[test]
fn shards_are_shown_replica_by_replica() {
    let stage = Stage::new(Scenario::ReplicasDiffer);
    run(&stage, "diagnose-shards", &[]).exits(4).golden("health/shards.txt");
    let stage = Stage::new(Scenario::NodeDown);
    run(&stage, "diagnose-shards", &["--set", &format!("class={CLASS}")])
        .exits(1)
        .golden("health/shards-node-down.txt");
}

#[test]
fn the_way_out_of_a_split_is_printed() {
    let stage = Stage::new(Scenario::Healthy);
    run(&stage, "diagnose-raft", &[]).exits(0).golden("health/raft.txt");
    let stage = Stage::new(Scenario::SplitRaft);
    run(&stage, "diagnose-raft", &[]).exits(4).golden("health/raft-split.txt");
    let stage = Stage::new(Scenario::TwoLeaders);
    run(&stage, "diagnose-raft", &[]).exits(4).golden("health/raft-two-leaders.txt");
    let stage = Stage::new(Scenario::DifferentClasses);
    run(&stage, "diagnose-raft", &["--set", "stop=systemctl stop weaviate@{node}"])
        .exits(4)
        .golden("health/raft-different-classes.txt");
    let stage = Stage::new(Scenario::SplitRaft);
    stage.sandbox.stop_node("node2");
    run(&stage, "diagnose-raft", &[]).exits(4).says("the way out can't be printed");
    // The leader's log has taken the place of its own; no other node is to be stopped.
    let stage = Stage::new(Scenario::Healthy);
    let statistics = answer(&stage, "/v1/cluster/statistics", &|statistics| {
        let entry = statistics["statistics"][1].as_object_mut().unwrap();
        entry.remove("ready");
        entry.remove("dbLoaded");
    });
    let stage = stage.fault(&format!("GET:/v1/cluster/statistics=200 {statistics}"));
    run(&stage, "diagnose-raft", &[]).exits(4).golden("health/raft-unopened.txt");
}

#[test]
fn ndjson_carries_all_of_it() {
    let ended = health(Scenario::FactorOne, &["--output", "ndjson"]).exits(4);
    let events = events(&ended);
    let found = events.iter().find(|event| event["event"] == "issue").unwrap();
    assert_eq!(found["code"], "wrong_factor");
    assert_eq!(found["severity"], "problem");
    assert_eq!(found["class"], CLASS);
    assert!(found["remedy"].as_str().unwrap().contains("config-replication"));
    let table = events.iter().rfind(|event| event["event"] == "table").unwrap();
    assert_eq!(
        table["columns"],
        json!(["class", "", "factor", "objects", "node1", "node2", "node3"])
    );
    assert_eq!(table["rows"][0][0]["text"], CLASS);
    let survey = events.iter().find(|event| event["event"] == "step_finished").unwrap();
    assert_eq!(survey["value"]["leader"], "node1");
    assert_eq!(survey["value"]["classes"][0]["node_distribution"]["node1"]["schema"], true);
}

#[test]
fn reading_changes_nothing() {
    for scenario in [Scenario::ReplicasDiffer, Scenario::SplitRaft, Scenario::FactorOne] {
        for runbook in ["cluster-health", "diagnose-raft", "diagnose-shards"] {
            let stage = Stage::new(scenario);
            let sample: &[&str] = &["--set", "sample=all"];
            run(&stage, runbook, if runbook == "cluster-health" { sample } else { &[] });
            assert!(stage.changes().is_empty(), "{:?}", stage.changes());
            // A reading that asks several replicas makes the server repair what differs.
            let repairs =
                |path: &str| path.starts_with("/v1/objects/") && !path.contains("node_name=");
            let requests = stage.sandbox.requests();
            assert!(!requests.iter().any(|request| repairs(&request.path_and_query)));
        }
    }
}

#[test]
fn a_thousand_classes_cost_six_requests_a_node() {
    let stage = Stage::new(Scenario::ManyClasses).patient();
    run(&stage, "cluster-health", &[]).exits(0).says("1000 of 1000 classes are as they should be");
    for (node, requests) in stage.sandbox.requests_by_node() {
        assert!(requests <= 6, "{node} got {requests} requests");
    }
}

#[test]
fn a_node_that_hangs_costs_its_timeout_once() {
    let stage = Stage::new(Scenario::Healthy).fault("node3:*=hang");
    let ended = run(&stage, "cluster-health", &["--output", "ndjson"]).exits(4);
    assert!(codes(&ended).contains("node_silent"));
    let asked = stage.sandbox.requests_by_node()["node3"];
    assert_eq!(asked, 1, "a node that hangs is asked once");
}

#[test]
fn every_issue_code_is_documented() {
    let codes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/issue-codes.md");
    let codes = std::fs::read_to_string(codes).unwrap();
    for code in IssueCode::ALL {
        assert!(codes.contains(&format!("| `{code}` |")), "`{code}` is missing");
    }
}

/// Every code is made to appear, and appears on no healthy cluster.
#[test]
fn every_issue_code_has_a_state_that_shows_it() {
    let healthy = health(Scenario::Elysia, &["--output", "ndjson", "--set", "sample=all"]);
    assert_eq!(codes(&healthy), BTreeSet::new());
    for code in IssueCode::ALL {
        let (stage, arguments) = shows(*code);
        let mut all = vec!["--output", "ndjson"];
        all.extend(arguments);
        let ended = run(&stage, "cluster-health", &all);
        let found = codes(&ended);
        assert!(
            found.contains(code.as_str()),
            "{code} is not in {found:?}\n{}",
            ended.transcript()
        );
    }
}

/// Returns a cluster that shows a code, and what `cluster-health` needs to see it.
fn shows(code: IssueCode) -> (Stage, Vec<&'static str>) {
    let on = |scenario| (Stage::new(scenario), vec![]);
    let healthy = || Stage::new(Scenario::Healthy);
    let without_node3 = || {
        let stage = healthy();
        stage.sandbox.stop_node("node3");
        stage
    };
    let with_nodes = |change: &dyn Fn(&mut Value)| {
        let stage = healthy();
        let nodes = answer(&stage, "/v1/nodes?output=verbose", change);
        stage.fault(&format!("GET:/v1/nodes=200 {nodes}"))
    };
    let with_statistics = |change: &dyn Fn(&mut Value)| {
        let stage = healthy();
        let statistics = answer(&stage, "/v1/cluster/statistics", change);
        stage.fault(&format!("GET:/v1/cluster/statistics=200 {statistics}"))
    };
    let each_shard = |nodes: &mut Value, change: &dyn Fn(&mut Value)| {
        for node in nodes["nodes"].as_array_mut().unwrap() {
            node["shards"].as_array_mut().unwrap().iter_mut().for_each(change);
        }
    };
    match code {
        IssueCode::SeveralLeaders => on(Scenario::SplitRaft),
        IssueCode::NoLeader => {
            let stage = without_node3();
            stage.sandbox.stop_node("node2");
            (stage, vec![])
        }
        IssueCode::LeaderUnread => {
            // Each look reads three own schemas, then the leader's through one node after the other.
            let unread = [4, 5, 6, 10, 11, 12];
            let fault =
                |stage: Stage, nth: &usize| stage.fault(&format!("GET:/v1/schema:{nth}=500"));
            (unread.iter().fold(healthy(), fault), vec![])
        }
        IssueCode::LeaderLacksClass => on(Scenario::LeaderLacksClass),
        IssueCode::NodeSilent | IssueCode::MemberMissing | IssueCode::ReplicaUnknown => {
            (without_node3(), vec![])
        }
        IssueCode::MemberUnseen => {
            let stage = healthy();
            let nodes = answer(&stage, "/v1/nodes?output=verbose", &|nodes| {
                nodes["nodes"].as_array_mut().unwrap().truncate(1);
            });
            (stage.fault(&format!("node1:GET:/v1/nodes=200 {nodes}")), vec![])
        }
        IssueCode::ConfigurationsDiffer => {
            let two = |statistics: &mut Value| {
                let entry = &mut statistics["statistics"][2]["raft"]["latestConfiguration"];
                entry.as_array_mut().unwrap().pop();
            };
            (with_statistics(&two), vec![])
        }
        IssueCode::NodesNamed => {
            let four = |statistics: &mut Value| {
                for entry in statistics["statistics"].as_array_mut().unwrap() {
                    let members = entry["raft"]["latestConfiguration"].as_array_mut().unwrap();
                    let address = members[0]["address"].clone();
                    members.push(json!({"id": "node4", "address": address, "suffrage": 0}));
                }
            };
            (with_statistics(&four), vec![])
        }
        IssueCode::VersionsDiffer => {
            let stage = healthy();
            stage.sandbox.set_version("node2", "1.38.2");
            (stage, vec![])
        }
        IssueCode::NotReadWrite => {
            let stage = healthy();
            stage.sandbox.set_operational_mode("node2", "ReadOnly");
            (stage, vec![])
        }
        IssueCode::ClassMissingOnNode => on(Scenario::ClassMissingOnNode),
        IssueCode::ReplicaMissing => {
            let less = |nodes: &mut Value| {
                nodes["nodes"][2]["shards"].as_array_mut().unwrap().pop();
            };
            (with_nodes(&less), vec![])
        }
        IssueCode::SchemaDiffers => {
            let stage = healthy();
            let mut class = stage.sandbox.class("node2", CLASS).unwrap();
            class["replicationConfig"]["factor"] = json!(1);
            let own = json!({"classes": [class]});
            (stage.fault(&format!("node2:GET:/v1/schema=200 {own}")), vec![])
        }
        IssueCode::WrongFactor => on(Scenario::FactorOne),
        IssueCode::TooFewReplicas => {
            let planned = |nodes: &mut Value| {
                each_shard(nodes, &|shard| shard["numberOfReplicas"] = json!(2));
            };
            (with_nodes(&planned), vec![])
        }
        IssueCode::TooManyReplicas => {
            let stage = Stage::new(Scenario::FactorOne);
            let more = |nodes: &mut Value| {
                each_shard(nodes, &|shard| shard["numberOfReplicas"] = json!(3));
            };
            let nodes = answer(&stage, "/v1/nodes?output=verbose", &more);
            (stage.fault(&format!("GET:/v1/nodes=200 {nodes}")), vec![])
        }
        IssueCode::ShardMissing => {
            let none = |nodes: &mut Value| {
                for node in nodes["nodes"].as_array_mut().unwrap() {
                    node["shards"].as_array_mut().unwrap().pop();
                }
            };
            (with_nodes(&none), vec![])
        }
        IssueCode::ShardUnknown => on(Scenario::NodeDown),
        IssueCode::ShardReadOnly => on(Scenario::ReadOnlyShard),
        IssueCode::ShardNotReady => {
            let loading = |nodes: &mut Value| {
                each_shard(nodes, &|shard| shard["vectorIndexingStatus"] = json!("LOADING"));
            };
            (with_nodes(&loading), vec![])
        }
        IssueCode::CountsDiffer => on(Scenario::ReplicasDiffer),
        IssueCode::CountUnknown => (healthy().fault("node2:POST:/v1/graphql=500 no"), vec![]),
        IssueCode::ObjectsDiffer => {
            (Stage::new(Scenario::ReplicasDiffer), vec!["--set", "sample=all"])
        }
        IssueCode::ObjectsUnknown => (without_node3(), vec!["--set", "sample=5"]),
        IssueCode::MovementStuck => on(Scenario::StuckMovement),
        IssueCode::PlacementUnknown => {
            (healthy().fault("GET:/v1/replication/replicate/list=500 no"), vec![])
        }
        IssueCode::TenantsInactive => {
            (Stage::new(Scenario::Tenants), vec!["--set", "class=Customers"])
        }
    }
}

/// Returns what node1 answers, changed.
fn answer(stage: &Stage, path: &str, change: &dyn Fn(&mut Value)) -> Value {
    let mut answer = stage.get(0, path);
    change(&mut answer);
    answer
}

fn events(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn codes(ended: &Ended) -> BTreeSet<String> {
    let events = events(ended);
    let issues = events.iter().filter(|event| event["event"] == "issue");
    issues.map(|event| event["code"].as_str().unwrap().to_owned()).collect()
}

/// A node that was named with a wrong address was asked for nothing, although the others see it.
#[test]
fn a_class_is_not_called_fine_that_a_node_was_not_asked_about() {
    let stage = Stage::new(Scenario::Healthy);
    let mut nodes = stage.nodes();
    nodes[2] = "node3=http://127.0.0.1:1".into();
    let mut words = vec!["run", "cluster-health"];
    for node in &nodes {
        words.extend(["--node", node]);
    }
    let ended = stage.run_bare(&words).exits(4);
    ended
        .says("node `node3` does not answer")
        .says("0 of 1 classes are not as they should be; of the others that is not known")
        .says("ELYSIA_CONFIG__  ?  3");
}
