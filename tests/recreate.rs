//! Recreating a class with its objects, in the sandbox.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use elysia_runbook::sandbox::{Scenario, ShardStatus};
use serde_json::{Value, json};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";
const RECREATE: [&str; 5] =
    ["run", "recreate-with-data", "--yes", "--set", "class=ELYSIA_CONFIG__"];

/// The same where there may be writers: objects are imported one by one until none was seen for so long.
const RECREATE_FOR_WRITERS: [&str; 7] =
    ["run", "recreate-with-data", "--yes", "--set", "class=ELYSIA_CONFIG__", "--drain", "1"];

fn recreate(stage: &Stage) -> Ended {
    stage.run(&RECREATE)
}

/// The properties of a node's own objects, by id.
fn objects(stage: &Stage, node: &str) -> BTreeMap<String, Value> {
    let objects = stage.sandbox.objects(node, CLASS).into_iter();
    objects.map(|it| (it["id"].as_str().unwrap().into(), it["properties"].clone())).collect()
}

/// The properties of all objects, by id.
fn all(stage: &Stage) -> BTreeMap<String, Value> {
    stage.sandbox.nodes().iter().flat_map(|(node, _)| objects(stage, node)).collect()
}

/// Acts when the program waits for its first request of this kind.
fn meanwhile(stage: &Stage, method: &str, path: &str, act: impl FnOnce()) -> Ended {
    let running = stage.start(&RECREATE_FOR_WRITERS);
    let is_it = |request: &elysia_runbook::sandbox::Request| {
        request.method == method && request.path_and_query.starts_with(path)
    };
    while !stage.sandbox.requests().iter().any(is_it) {
        std::thread::sleep(Duration::from_millis(5));
    }
    act();
    stage.ended(running.wait_with_output().unwrap())
}

fn expect_everywhere(stage: &Stage, wanted: &BTreeMap<String, Value>) {
    assert_eq!(stage.factors(CLASS), [Some(3); 3]);
    for (node, _) in stage.sandbox.nodes() {
        assert!(objects(stage, &node) == *wanted, "{node} holds others");
    }
}

#[test]
fn a_class_is_recreated_with_every_object() {
    let stage = Stage::new(Scenario::WithData);
    let before = all(&stage);
    recreate(&stage).exits(0).golden("recreate/done.txt");
    expect_everywhere(&stage, &before);
}

#[test]
fn what_is_written_after_the_export_is_kept() {
    let stage = Stage::new(Scenario::WithData).fault("POST:/v1/schema:1=delay 700ms");
    let mut wanted = all(&stage);
    let ids: Vec<String> = wanted.keys().cloned().collect();
    let ended = meanwhile(&stage, "POST", "/v1/schema", || {
        let newer = json!({"config_key": "newer", "config_value": "x"});
        for id in ["00000000-0000-4000-8000-000000000000", &ids[150], &ids[299]] {
            let object = json!({"class": CLASS, "id": id, "properties": newer});
            stage.post("/v1/batch/objects", &json!({"objects": [object]}));
            wanted.insert(id.into(), newer.clone());
        }
        for id in [&ids[0], &ids[200]] {
            stage.delete(&format!("/v1/objects/{CLASS}/{id}"));
            wanted.remove(id);
        }
    });
    ended.exits(0).says("3 were written since and are saved now, 2 were deleted");
    expect_everywhere(&stage, &wanted);
}

#[test]
fn replicas_that_differ_lose_nothing() {
    let stage = Stage::new(Scenario::Healthy);
    let object = |number: u32, text: &str| {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        json!({"class": CLASS, "id": id, "properties": {"config_key": text}})
    };
    stage.post("/v1/objects?consistency_level=ALL", &object(1, "everywhere"));
    stage.sandbox.insert(Some("node2"), &object(2, "on node2")).unwrap();
    stage.sandbox.insert(Some("node3"), &object(1, "newer on node3")).unwrap();
    let words = [&RECREATE[..], &["--set", "factor=2"]].concat();
    // A replica that lacks one may have deleted it: that is not for a copy of the class to decide.
    let before = stage.sandbox.class("node1", CLASS);
    let ended = stage.run(&words).exits(1);
    ended
        .says("not on every replica: 00000000-0000-4000-8000-000000000002")
        .says("run resync-replicas");
    assert_eq!(stage.sandbox.class("node1", CLASS), before);
    stage.run(&["run", "resync-replicas", "--yes", "--set", "class=ELYSIA_CONFIG__"]).exits(0);
    stage.sandbox.insert(Some("node3"), &object(1, "newest on node3")).unwrap();
    let ended = stage.run(&words);
    ended.exits(0).says("replicas have different versions of 1 object of ELYSIA_CONFIG__");
    let texts: Vec<_> = all(&stage).values().map(|it| it["config_key"].clone()).collect();
    assert_eq!(texts, ["newest on node3", "on node2"]);
}

/// A node that was started again takes writes, and what was compared proves nothing.
#[test]
fn a_node_that_is_away_during_the_comparison_ends_it() {
    let stage = Stage::new(Scenario::WithData).fault("GET:/v1/objects=delay 100ms");
    let before = all(&stage);
    let ended = meanwhile(&stage, "PUT", "/v1/schema", || {
        let compares = || {
            let requests = stage.sandbox.requests();
            let mut after = requests.iter().skip_while(|it| it.method != "PUT");
            after.any(|it| it.path_and_query.starts_with("/v1/objects?"))
        };
        while !compares() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stage.sandbox.stop_node("node3");
    });
    assert!(matches!(ended.code, Some(1 | 5)), "{}", ended.transcript());
    stage.sandbox.start_node("node3");
    std::thread::sleep(Duration::from_secs(1));
    assert!(all(&stage) == before);
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

/// What appears or goes while the replicas are compared is noticed.
#[test]
fn a_tenant_that_appears_while_it_is_exported_comes_along() {
    let stage = Stage::new(Scenario::Healthy).fault("POST:/v1/schema:2=delay 700ms");
    stage.post("/v1/schema", &json!({"class": "Many", "multiTenancyConfig": {"enabled": true}}));
    stage.post("/v1/schema/Many/tenants", &json!([{"name": "one"}, {"name": "two"}]));
    let words = ["run", "recreate-with-data", "--yes", "--set", "class=Many"];
    let running = stage.start(&words);
    let probe = |it: &elysia_runbook::sandbox::Request| {
        it.method == "POST" && it.path_and_query == "/v1/schema"
    };
    while stage.sandbox.requests().iter().filter(|it| probe(it)).count() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.post("/v1/schema/Many/tenants", &json!([{"name": "new"}]));
    let object = json!({"class": "Many", "tenant": "new"});
    stage.post("/v1/batch/objects", &json!({"objects": [object]}));
    stage.ended(running.wait_with_output().unwrap()).exits(0);
    let tenants: Vec<String> = stage.sandbox.tenants("node1", "Many").into_keys().collect();
    assert_eq!(tenants, ["new", "one", "two"]);
    assert_eq!(stage.sandbox.objects("node2", "Many").len(), 1);
}

#[test]
fn where_not_every_object_can_be_read_nothing_is_changed() {
    let stage = Stage::new(Scenario::WithData);
    stage.sandbox.stop_node("node3");
    recreate(&stage).exits(1).says("node `node3` does not answer").says("nothing was changed");
    assert_eq!(stage.changes(), [""; 0]);
}

/// What is exported already is not read again.
#[test]
fn an_export_that_was_killed_goes_on() {
    let stage = Stage::new(Scenario::WithData);
    let text = "x".repeat(2000);
    let object = |number: u32| {
        let id = format!("ffffffff-0000-4000-8000-{number:012}");
        json!({"class": CLASS, "id": id, "properties": {"config_key": text}})
    };
    for part in 0..10 {
        let part: Vec<Value> = (part * 200..part * 200 + 200).map(object).collect();
        stage.post("/v1/batch/objects", &json!({"objects": part}));
    }
    let before = all(&stage);
    // The third page: the second has 200 small ones and 800 of these.
    let stage = stage.fault("GET:/v1/objects?*after*-000000000799*:1=hang");
    let mut running = stage.start(&RECREATE);
    let is_it = |it: &elysia_runbook::sandbox::Request| {
        it.status.is_none() && it.path_and_query.contains("-000000000799")
    };
    let hangs = |stage: &Stage| stage.sandbox.requests().iter().any(is_it);
    let mut seen = 0;
    while seen < 40 {
        std::thread::sleep(Duration::from_millis(5));
        seen = if hangs(&stage) { seen + 1 } else { 0 };
        assert!(running.try_wait().unwrap().is_none(), "it ended");
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let ended = stage.run(&["resume", "--yes"]).exits(0);
    // Frames of a MiB: 500 of these.
    let said = ended.transcript();
    assert!(said.contains("going on after"), "{said}");
    expect_everywhere(&stage, &before);
}

#[test]
fn an_import_that_fails_is_finished_by_the_command_that_is_told() {
    let stage = Stage::new(Scenario::WithData).fault("POST:/v1/objects:150=401 key revoked");
    let before = all(&stage);
    let ended = stage.run(&RECREATE_FOR_WRITERS);
    // Putting things back has imported the rest.
    ended.exits(7).golden("recreate/half-way.txt");
    expect_everywhere(&stage, &before);
}

#[test]
fn a_deletion_of_what_was_not_exported_is_refused() {
    let stage = Stage::new(Scenario::WithData);
    let text = r#"
        step "Export another" { export_class("Author", "exported"); }
        step "Delete" { delete_class("ELYSIA_CONFIG__"); } rollback { note("nothing"); }
    "#;
    stage.post("/v1/schema", &json!({"class": "Author"}));
    let path = stage.home.path().join("other.rhai");
    std::fs::write(&path, text).unwrap();
    let ended = stage.run(&["run", path.to_str().unwrap(), "--yes"]);
    ended.exits(5).says("`ELYSIA_CONFIG__` holds objects, so it is not deleted");
    assert_eq!(all(&stage).len(), 300);
}

/// Acts while the replicas are compared: when the first page is read after writes were paused.
fn while_compared(stage: &Stage, class: &str, act: impl FnOnce()) -> Ended {
    let class = format!("class={class}");
    let running = stage.start(&["run", "recreate-with-data", "--yes", "--set", &class]);
    let is_compared = || {
        let requests = stage.sandbox.requests();
        let paused = requests.iter().position(|it| it.method == "PUT");
        paused
            .is_some_and(|at| requests[at..].iter().any(|it| it.path_and_query.contains("&after=")))
    };
    while !is_compared() {
        std::thread::sleep(Duration::from_millis(2));
    }
    act();
    stage.ended(running.wait_with_output().unwrap())
}

/// So that there is time for something while replicas are compared: one node is slow.
fn slow() -> Stage {
    Stage::new(Scenario::WithData).fault("node2:GET:/v1/objects=delay 300ms")
}

/// A node that is started again takes writes again: what was compared proves nothing.
#[test]
fn a_shard_that_takes_writes_again_ends_it() {
    let stage = slow();
    let before = all(&stage);
    let ended = while_compared(&stage, CLASS, || {
        stage.sandbox.set_shards("node1", CLASS, ShardStatus::Ready, 0);
    });
    ended.exits(1).says("a node was away, or a shard came, while").says("nothing was changed");
    assert!(all(&stage) == before);
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

#[test]
fn a_property_that_appears_while_replicas_are_compared_ends_it() {
    let stage = slow();
    let ended = while_compared(&stage, CLASS, || {
        // The property comes by auto-schema, although the object is refused.
        let object = json!({"class": CLASS, "properties": {"added": "text"}});
        stage.try_post("/v1/objects", &object);
    });
    ended.exits(1).says("the definition of `ELYSIA_CONFIG__` changed meanwhile");
    assert_eq!(stage.factors(CLASS), [Some(1); 3]);
}

/// What writers write into the new class before an object of it is imported is not replaced.
#[test]
fn what_is_written_before_an_object_is_imported_stays() {
    let stage = Stage::new(Scenario::WithData).fault("POST:/v1/objects:1=delay 700ms");
    let ids: Vec<String> = all(&stage).into_keys().collect();
    let ended = meanwhile(&stage, "POST", "/v1/objects", || {
        let newer = json!({"config_key": "newer"});
        let object = |id: &String| json!({"class": CLASS, "id": id, "properties": newer});
        let objects: Vec<Value> = ids.iter().map(object).collect();
        stage.post("/v1/batch/objects", &json!({"objects": objects}));
    });
    assert!(matches!(ended.code, Some(0 | 4)), "{}", ended.transcript());
    let now = all(&stage);
    assert_eq!(now.len(), 300);
    let replaced = now.values().filter(|it| it["config_key"] != "newer").count();
    assert_eq!(replaced, 0, "{}", ended.transcript());
}

/// A resumed run sends no object again that was on the way before the last window, wherever it is resumed.
#[test]
fn an_import_that_was_killed_goes_on_from_another_folder() {
    let stage = Stage::new(Scenario::WithData).fault("POST:/v1/objects:250=hang");
    let before = all(&stage);
    let inserts = |stage: &Stage| {
        let requests = stage.sandbox.requests();
        requests
            .iter()
            .filter(|it| it.method == "POST" && it.path_and_query.starts_with("/v1/objects"))
            .count()
    };
    let mut running = stage.start(&RECREATE_FOR_WRITERS);
    while inserts(&stage) < 265 {
        std::thread::sleep(Duration::from_millis(5));
        assert!(running.try_wait().unwrap().is_none(), "it ended");
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let settings = "elysia-runbook.toml";
    std::fs::copy(stage.home.path().join(settings), elsewhere.path().join(settings)).unwrap();
    let mut command = stage.command(&["resume", "--yes"]);
    let ended = stage.ended(command.current_dir(elsewhere.path()).output().unwrap());
    ended.exits(0).says("going on after 200 objects that are done");
    expect_everywhere(&stage, &before);
    assert!(inserts(&stage) <= 265 + 100, "{}", inserts(&stage));
}

/// An object that the server says it took and did not is found, and the report ends with the command.
#[test]
fn an_insertion_that_was_none_is_found() {
    let lie = r#"POST:/v1/objects:7=200 {"id":"00000000-0000-4000-8000-000000000000"}"#;
    let stage = Stage::new(Scenario::WithData).fault(lie);
    let ended = stage.run(&RECREATE_FOR_WRITERS);
    ended
        .exits(4)
        .says("1 missing")
        .says("elysia-runbook run restore-class --set class=ELYSIA_CONFIG__");
}

/// A run is held at the next page, and goes on when it is released.
#[test]
fn a_run_is_held_and_released() {
    let stage = Stage::new(Scenario::WithData).fault("GET:/v1/objects:1=delay 700ms");
    let before = all(&stage);
    let mut running = stage.start(&RECREATE);
    let asks =
        |it: &elysia_runbook::sandbox::Request| it.path_and_query.starts_with("/v1/objects?");
    while !stage.sandbox.requests().iter().any(asks) {
        std::thread::sleep(Duration::from_millis(5));
        assert!(running.try_wait().unwrap().is_none(), "it ended");
    }
    let run = stage.newest_run().unwrap();
    stage.run_bare(&["runs", "hold", &run]).exits(0).says("is held at the next page");
    // Its pages would be read and the class deleted by then.
    std::thread::sleep(Duration::from_secs(3));
    assert!(running.try_wait().unwrap().is_none(), "it ended");
    assert_eq!(stage.changes().iter().filter(|it| it.starts_with("DELETE")).count(), 0);
    stage.run_bare(&["runs", "release", &run]).exits(0).says("goes on");
    let ended = stage.ended(running.wait_with_output().unwrap());
    ended.exits(0).says("held; `elysia-runbook runs release RUN` lets it go on");
    expect_everywhere(&stage, &before);
    stage.run_bare(&["runs", "release", &run]).exits(2).says("is not held");
    stage.run_bare(&["runs", "hold", &run]).exits(2).says("has ended");
}

/// Not faster than is allowed: 300 objects are exported, compared, imported and verified.
#[test]
fn objects_are_moved_no_faster_than_the_rate() {
    let stage = Stage::new(Scenario::WithData);
    let before = all(&stage);
    let began = std::time::Instant::now();
    stage.run(&[&RECREATE[..], &["--rate", "200"]].concat()).exits(0);
    assert!(began.elapsed() > Duration::from_secs(4), "{:?}", began.elapsed());
    expect_everywhere(&stage, &before);
    stage.run(&[&RECREATE[..], &["--rate", "0"]].concat()).exits(2).says("--rate");
}
