//! Inactive tenants: nobody can look for objects in them until they are activated.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Cluster, NODES, turn};
use super::data::create;
use super::kinds::{self, Objects, assert_same};
use super::program::{Program, Running};

#[test]
#[ignore = "needs a Weaviate server"]
fn an_inactive_tenant_is_unknown_and_not_empty() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let class = "Tenants";
    let multi_tenant = json!({"class": class, "multiTenancyConfig": {"enabled": true}});
    create(&cluster, &multi_tenant);
    let path = format!("/v1/schema/{class}/tenants");
    let tenants = json!([{"name": "awake"}, {"name": "asleep"}]);
    assert_eq!(cluster.post(0, &path, &tenants).status, 200);
    // What nobody can see is there: a run that takes "can't be counted" for "empty" loses it.
    let object = json!({"class": class, "tenant": "asleep", "properties": {}});
    assert_eq!(cluster.post(0, "/v1/objects", &object).status, 200);
    let asleep = json!([{"name": "asleep", "activityStatus": "INACTIVE"}]);
    assert_eq!(cluster.request(0, Method::PUT, &path).json(&asleep).send().status, 200);
    let before = cluster.own_class(0, class);

    let program = Program::new();
    let question = "could not be counted. Continue anyway?";
    program.repair(&cluster, class, &[]).expect(5).says(&["asleep", question]);
    assert!(!program.changed_anything());
    program.repair(&cluster, class, &["--yes"]).expect(5).says(&["asleep", "--accept-data-loss"]);
    assert_eq!(cluster.own_class(0, class), before);
    // Naming another class allows nothing for this one.
    program.repair(&cluster, class, &["--yes", "--accept-data-loss", "Other"]).expect(5);
    assert_eq!(cluster.own_class(0, class), before);

    program.repair(&cluster, class, &["--yes", "--accept-data-loss", class]).expect(0);
    cluster.expect_everywhere(class);
    let mut kept: Vec<String> = cluster
        .get(0, &path)
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| format!("{} {}", tenant["name"], tenant["activityStatus"]))
        .collect();
    kept.sort();
    assert_eq!(kept, ["\"asleep\" \"COLD\"", "\"awake\" \"HOT\""]);
}

/// More of them than a server takes in one request, each with an object. The run is killed when they
/// are active, and when their objects come back; another is undone.
#[test]
#[ignore = "needs a Weaviate server"]
fn inactive_tenants_come_along_and_are_put_back() {
    const ACTIVE: usize = 5;
    const ALL: usize = 130;
    let _turn = turn();
    let cluster = Cluster::healthy();
    let class = "Sleepers";
    create(&cluster, &json!({"class": class, "multiTenancyConfig": {"enabled": true}}));
    let path = format!("/v1/schema/{class}/tenants");
    let names: Vec<String> = (0..ALL).map(|number| format!("t-{number:03}")).collect();
    let list = |names: &[String], status: &str| -> Value {
        names.iter().map(|name| json!({"name": name, "activityStatus": status})).collect()
    };
    let set = |names: &[String], status: &str| {
        for some in names.chunks(100) {
            let reply = cluster.request(0, Method::PUT, &path).json(&list(some, status)).send();
            assert_eq!(reply.status, 200, "{:?}", reply.body);
        }
    };
    assert_eq!(cluster.post(0, &path, &list(&names, "ACTIVE")).status, 200);
    let object = |name: &String| json!({"class": class, "tenant": name, "vector": [0.25, -1.5]});
    let objects: Vec<Value> = names.iter().map(object).collect();
    let batch = cluster.post(0, "/v1/batch/objects", &json!({"objects": objects}));
    assert_eq!(batch.status, 200);
    let look = |node: usize| -> Objects {
        names.iter().flat_map(|it| kinds::objects(&cluster, node, class, Some(it))).collect()
    };
    let states = || -> BTreeMap<String, String> {
        let listed = cluster.get(0, &path).body;
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let tenants = listed.as_array().unwrap().iter();
        tenants.map(|it| (text(&it["name"]), text(&it["activityStatus"]))).collect()
    };
    let before = look(0);
    assert_eq!(before.len(), ALL);
    let asleep = &names[ACTIVE..];
    set(asleep, "INACTIVE");
    let states_before = states();
    assert_eq!(states_before.values().filter(|it| *it == "COLD").count(), ALL - ACTIVE);
    let expect_as_before = |what: &str| {
        assert_eq!(states(), states_before, "{what}");
        set(asleep, "ACTIVE");
        cluster.wait_until_agreed();
        for node in 0..NODES {
            assert_same(&look(node), &before, &format!("{what}, node {}", node + 1));
        }
        set(asleep, "INACTIVE");
    };

    let program = Program::new();
    let words = ["--set", "class=Sleepers", "--set", "factor=3"];
    let mut running = program.start_any(&cluster, "recreate-with-data", &words);
    let moments: [fn(&mut Running); 2] = [
        |run| run.wait_for_change("activate_tenants", "Sleepers"),
        |run| run.wait_for_change("import_objects", "Sleepers"),
    ];
    for moment in moments {
        moment(&mut running);
        assert!(running.kill(), "it ended before it was killed");
        running = program.start_again("resume");
    }
    running.finish().expect(0);
    cluster.expect_everywhere(class);
    expect_as_before("recreated");

    let program = Program::new();
    let mut running = program.start_any(&cluster, "recreate-with-data", &words);
    running.wait_for_change("delete_class", class);
    assert!(running.kill(), "it ended before it was killed");
    program.start_again("rollback").finish().expect(0);
    expect_as_before("undone");
}
