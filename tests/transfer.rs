//! Saving nodes and putting classes back, in the sandbox: files, sums, faults half-way.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use elysia_runbook::sandbox::{Scenario, ShardStatus};
use serde_json::{Value, json};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

fn back_up(stage: &Stage) -> Ended {
    stage.run(&["run", "backup-nodes", "--set", "folder=saved"])
}

/// Where nobody writes: objects go together.
fn restore(stage: &Stage, class: &str, from: &str) -> Ended {
    restore_with(stage, class, from, "0")
}

/// Where there may be writers: objects go one by one until none was seen for a second.
fn restore_for_writers(stage: &Stage, class: &str, from: &str) -> Ended {
    restore_with(stage, class, from, "1")
}

fn restore_with(stage: &Stage, class: &str, from: &str, drain: &str) -> Ended {
    let (class, from) = (format!("class={class}"), format!("from={from}"));
    let set = ["--set", &class, "--set", &from, "--set", "folder=saved", "--drain", drain];
    stage.run(&[&["run", "restore-class", "--yes"], &set[..]].concat())
}

fn saved(stage: &Stage, file: &str) -> PathBuf {
    stage.home.path().join("saved").join(file)
}

fn manifest(stage: &Stage, node: &str) -> Value {
    let text = fs::read(saved(stage, &format!("{node}/manifest.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn lines(stage: &Stage, file: &str) -> Vec<Value> {
    let bytes = zstd::decode_all(fs::File::open(saved(stage, file)).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The objects of a class as a node lists them, without their times.
fn objects(stage: &Stage, node: usize, query: &str) -> Vec<Value> {
    let answer = stage.get(node, &format!("/v1/objects?limit=1000&include=vector&after=&{query}"));
    let mut objects = answer["objects"].as_array().cloned().unwrap_or_default();
    for object in &mut objects {
        let object = object.as_object_mut().unwrap();
        object.shift_remove("creationTimeUnix");
        object.shift_remove("lastUpdateTimeUnix");
    }
    objects
}

#[test]
fn every_node_is_saved_as_it_sees_itself_while_raft_is_split() {
    let stage = Stage::new(Scenario::SplitRaft);
    let put = |id: u32| json!({"class": CLASS, "id": id_of(id), "properties": {"config_key": "k"}});
    let objects: Vec<_> = (1..=450).map(put).collect();
    // Only node1 has the class, so it alone takes them.
    stage.post("/v1/batch/objects?consistency_level=ONE", &json!({"objects": objects}));
    back_up(&stage).exits(0).golden("transfer/backup-split.txt");
    assert_eq!(stage.changes().len(), 1, "nothing but the objects of the test was written");
    assert_eq!(manifest(&stage, "node1")["classes"][0]["objects"], 450);
    assert_eq!(manifest(&stage, "node2")["classes"], json!([]));
    let ids: Vec<_> = lines(&stage, "node1/ELYSIA_CONFIG__.objects.ndjson.zst")
        .iter()
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, (1..=450).map(id_of).collect::<Vec<_>>());
    let schema = fs::read(saved(&stage, "node1/ELYSIA_CONFIG__.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    assert_eq!(Some(schema), stage.sandbox.class("node1", CLASS));
}

#[test]
fn files_are_for_the_owner_alone_and_never_overwritten() {
    let stage = Stage::new(Scenario::WithData);
    back_up(&stage).exits(0);
    for (file, mode) in [
        ("", 0o700),
        ("node1", 0o700),
        ("node1/manifest.json", 0o600),
        ("node1/ELYSIA_CONFIG__.schema.json", 0o600),
        ("node1/ELYSIA_CONFIG__.objects.ndjson.zst", 0o600),
    ] {
        let found = fs::metadata(saved(&stage, file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    let before = fs::read(saved(&stage, "node1/manifest.json")).unwrap();
    back_up(&stage).exits(4).says("no backup is overwritten");
    assert_eq!(fs::read(saved(&stage, "node1/manifest.json")).unwrap(), before);
    let left: Vec<_> = fs::read_dir(saved(&stage, "")).unwrap().collect();
    assert_eq!(left.len(), 3, "a folder for each node and nothing else: {left:?}");
}

#[test]
fn a_class_comes_back_with_every_object() {
    let stage = Stage::new(Scenario::WithData);
    let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
    assert_eq!(before.len(), 300);
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    restore(&stage, CLASS, "node2").exits(0).golden("transfer/restore.txt");
    for node in 0..3 {
        assert_eq!(objects(&stage, node, "class=ELYSIA_CONFIG__"), before, "node {node}");
    }
    // Again, with some that were changed since and some that were lost.
    let gone = before[7]["id"].as_str().unwrap();
    let newer = before[8]["id"].as_str().unwrap();
    stage.delete(&format!("/v1/objects/ELYSIA_CONFIG__/{gone}"));
    let change = json!({"class": CLASS, "id": newer, "properties": {"config_key": "newer"}});
    stage.post("/v1/batch/objects", &json!({"objects": [change]}));
    restore(&stage, CLASS, "node1").exits(0).says("1 imported, 299 there already");
    let after = objects(&stage, 1, "class=ELYSIA_CONFIG__");
    assert_eq!(after[7], before[7]);
    assert_eq!(after[8]["properties"], json!({"config_key": "newer"}));
}

#[test]
fn tenants_come_first_and_inactive_ones_are_said_to_be_missing() {
    let stage = Stage::new(Scenario::Healthy);
    stage.post("/v1/schema", &json!({"class": "Many", "multiTenancyConfig": {"enabled": true}}));
    let tenants = json!([{"name": "a"}, {"name": "b_2-"}, {"name": "c", "activityStatus": "COLD"}]);
    stage.post("/v1/schema/Many/tenants", &tenants);
    let object = |id, tenant| json!({"class": "Many", "id": id_of(id), "tenant": tenant, "vector": [0.1, -3e-8]});
    let objects_sent = [object(1, "a"), object(2, "a"), object(1, "b_2-")];
    stage.post("/v1/batch/objects", &json!({"objects": objects_sent}));
    let before =
        [objects(&stage, 0, "class=Many&tenant=a"), objects(&stage, 0, "class=Many&tenant=b_2-")];
    back_up(&stage).exits(4).says("1 tenant of Many that are not active: c");
    assert_eq!(manifest(&stage, "node1")["classes"][1]["complete"], false);
    assert_eq!(lines(&stage, "node1/Many.objects.ndjson.zst")[2]["tenant"], "b_2-");
    stage.delete("/v1/schema/Many");
    restore(&stage, "Many", "node3")
        .exits(4)
        .says("its manifest says that not all could be saved")
        .says("3 imported");
    let tenants: Vec<_> = stage.sandbox.tenants("node2", "Many").into_iter().collect();
    assert_eq!(tenants, [("a".into(), true), ("b_2-".into(), true), ("c".into(), false)]);
    for node in 0..3 {
        assert_eq!(objects(&stage, node, "class=Many&tenant=a"), before[0]);
        assert_eq!(objects(&stage, node, "class=Many&tenant=b_2-"), before[1]);
    }
}

#[test]
fn what_can_not_be_read_is_said() {
    for (fault, says) in [
        ("node1:GET:/v1/objects:2=500 out of memory", "objects of ELYSIA_CONFIG__"),
        ("node1:GET:/v1/objects=refuse", "the objects of ELYSIA_CONFIG__ after the first 0"),
        ("node1:GET:/v1/objects:1=malformed", "ELYSIA_CONFIG__"),
        ("node1:GET:/v1/schema/ELYSIA_CONFIG__=500 no", "class ELYSIA_CONFIG__"),
    ] {
        let stage = Stage::new(Scenario::WithData).fault(fault);
        let ended = back_up(&stage).exits(4).says(says).says("✗ node1 is saved");
        assert!(ended.transcript().contains("✓ node2 is saved"), "{fault}");
        let classes = manifest(&stage, "node1")["classes"].clone();
        assert!(classes == json!([]) || classes[0]["complete"] == false, "{fault}: {classes}");
    }
    let stage = Stage::new(Scenario::NodeDown);
    back_up(&stage)
        .exits(4)
        .says("objects of ELYSIA_CONFIG__ in shards that no node shows: 2 of 3 are shown")
        .says("✗ node3 is saved");
}

#[test]
fn a_class_that_is_written_to_meanwhile_is_not_called_complete() {
    let stage = Stage::new(Scenario::WithData).fault("GET:/v1/objects=delay 200ms");
    let child = stage.start(&["run", "backup-nodes", "--set", "folder=saved"]);
    for id in 1..=60 {
        let object = json!({"class": CLASS, "id": id_of(id), "properties": {"config_key": "k"}});
        stage.post("/v1/objects", &object);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ended = stage.ended(child.wait_with_output().unwrap());
    ended.exits(4).says("it is written to meanwhile");
    assert_eq!(manifest(&stage, "node1")["classes"][0]["complete"], false);
}

#[test]
fn a_signal_leaves_no_half_backup() {
    let stage = Stage::new(Scenario::WithData).fault("node2:GET:/v1/objects=hang");
    let mut child = stage.start(&["run", "backup-nodes", "--set", "folder=saved"]);
    while !saved(&stage, "node1").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let left: Vec<_> = fs::read_dir(saved(&stage, "")).unwrap().collect();
    assert_eq!(left.len(), 1, "node1 alone: {left:?}");
}

#[test]
fn a_short_fault_costs_nothing() {
    for fault in [
        "GET:/v1/objects:2=refuse",
        "GET:/v1/objects:4=503 busy",
        "POST:/v1/objects:1=500 out of memory",
        "POST:/v1/objects:2=done 500 timeout",
        "POST:/v1/objects:3=cut-after",
        "POST:/v1/objects:1=refuse",
        "POST:*/BatchObjects:1=500 out of memory",
        "POST:*/BatchObjects:2=done 500 timeout",
        "POST:*/BatchObjects:1=cut-after",
        "POST:*/BatchObjects:2=refuse",
    ] {
        let stage = Stage::new(Scenario::WithData);
        let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
        let stage = stage.fault(fault);
        back_up(&stage).exits(0);
        stage.delete("/v1/schema/ELYSIA_CONFIG__");
        let one_by_one = fault.starts_with("POST:/v1/objects");
        let restore = if one_by_one { restore_for_writers } else { restore };
        restore(&stage, CLASS, "node1").exits(0).says("3/3 nodes");
        assert_eq!(objects(&stage, 2, "class=ELYSIA_CONFIG__"), before, "{fault}");
    }
}

#[test]
fn objects_that_the_server_refuses_are_listed_and_the_others_stay() {
    let stage = Stage::new(Scenario::WithData);
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    let schema = fs::read(saved(&stage, "node1/ELYSIA_CONFIG__.schema.json")).unwrap();
    stage.post("/v1/schema", &serde_json::from_slice(&schema).unwrap());
    let shard = stage.sandbox.replicas(CLASS).into_keys().next().unwrap();
    let path = format!("/v1/schema/{CLASS}/shards/{shard}");
    stage.put(&path, &json!({"status": "READONLY"}));
    let ended = restore(&stage, CLASS, "node1").exits(1).says("read-only").says("not all was done");
    let there: usize =
        (0..3).map(|node| objects(&stage, node, "class=ELYSIA_CONFIG__").len()).max().unwrap();
    assert!((150..300).contains(&there), "{there}");
    let warned = ended.transcript().matches("was not taken").count();
    assert_eq!(warned, 300 - there, "each that is missing has its line");
    stage.put(&path, &json!({"status": "READY"}));
    restore(&stage, CLASS, "node1").exits(0).says(&format!("{} imported", 300 - there));
}

#[test]
fn a_success_that_was_none_is_found() {
    let stage = Stage::new(Scenario::WithData);
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    let stage =
        stage.fault(r#"POST:/v1/objects:2=200 {"id":"00000000-0000-4000-8000-000000000000"}"#);
    restore_for_writers(&stage, CLASS, "node1")
        .exits(4)
        .says("✗ node1 shows every object of ELYSIA_CONFIG__ in the backup: 1 missing");
    restore(&stage, CLASS, "node1").exits(0).says("1 imported, 299 there already");
}

#[test]
fn an_import_that_fails_half_way_keeps_what_it_has_and_goes_on_when_run_again() {
    let stage = Stage::new(Scenario::WithData);
    let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    let stage = stage.fault("POST:/v1/objects:150=401 key revoked");
    restore_for_writers(&stage, CLASS, "node1").exits(1).golden("transfer/half-way.txt");
    assert_eq!(objects(&stage, 0, "class=ELYSIA_CONFIG__").len(), 199);
    restore(&stage, CLASS, "node1").exits(0).says("101 imported, 199 there already");
    assert_eq!(objects(&stage, 0, "class=ELYSIA_CONFIG__"), before);
}

#[test]
fn a_backup_that_was_touched_is_refused() {
    type Touch = fn(&mut Vec<u8>);
    let objects_file = "node1/ELYSIA_CONFIG__.objects.ndjson.zst";
    let touch: [(&str, Touch, &str); 4] = [
        (objects_file, |bytes| bytes.truncate(bytes.len() - 1), "and was saved with"),
        (objects_file, |bytes| bytes[1000] ^= 1, "its SHA-256 is another"),
        (objects_file, |bytes| bytes.extend(b"{}\n"), "and was saved with"),
        ("node1/ELYSIA_CONFIG__.schema.json", |bytes| bytes[10] ^= 1, "its SHA-256 is another"),
    ];
    for (file, touch, says) in touch {
        let stage = Stage::new(Scenario::WithData);
        back_up(&stage).exits(0);
        stage.delete("/v1/schema/ELYSIA_CONFIG__");
        let mut bytes = fs::read(saved(&stage, file)).unwrap();
        touch(&mut bytes);
        fs::write(saved(&stage, file), bytes).unwrap();
        let before = stage.changes();
        restore(&stage, CLASS, "node1").exits(5).says("is damaged").says(says);
        assert_eq!(stage.changes(), before);
        fs::remove_file(saved(&stage, file)).unwrap();
        restore(&stage, CLASS, "node1").exits(5).says("can't be read");
        // Another node's backup is as good.
        restore(&stage, CLASS, "node2").exits(0);
    }
}

#[test]
fn nothing_is_restored_over_another_class_or_on_a_cluster_that_can_not_agree() {
    let stage = Stage::new(Scenario::WithData);
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    stage.post("/v1/schema", &json!({"class": CLASS, "replicationConfig": {"factor": 3}}));
    let before = stage.changes();
    restore(&stage, CLASS, "node1").exits(5).golden("transfer/another-class.txt");
    restore(&stage, "Nope", "node1").exits(1).says("the backup of node1 has no class Nope");
    restore(&stage, CLASS, "node9")
        .exits(1)
        .says("the backup of node9 in saved can't be used")
        .says("there are backups of node1, node2, node3");
    restore(&stage, CLASS, "../saved/node1").exits(1).says("can't be used");
    assert_eq!(stage.changes(), before);
    let split = Stage::new(Scenario::SplitRaft);
    back_up(&split).exits(0);
    restore(&split, CLASS, "node1").exits(5).says("RAFT leaders");
}

#[test]
fn only_the_operator_names_another_folder() {
    let stage = Stage::new(Scenario::WithData);
    // What a script may not name is in `hostile.rs`.
    let absolute = stage.home.path().join("outside");
    let set = format!("folder={}", absolute.display());
    stage.run(&["run", "backup-nodes", "--set", &set]).exits(0);
    assert!(absolute.join("node1/manifest.json").exists());
    // A manifest can't point elsewhere.
    back_up(&stage).exits(0);
    let file = saved(&stage, "node1/manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    let elsewhere = text.replace(
        "\"ELYSIA_CONFIG__.objects.ndjson.zst\"",
        "\"../node2/ELYSIA_CONFIG__.objects.ndjson.zst\"",
    );
    fs::write(&file, elsewhere).unwrap();
    restore(&stage, CLASS, "node1").exits(5).says("is no name of a file in a backup");
}

fn id_of(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

#[test]
fn a_class_comes_back_under_another_name() {
    let stage = Stage::new(Scenario::WithData);
    let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
    back_up(&stage).exits(0);
    let set = ["--set", "class=ELYSIA_CONFIG__", "--set", "from=node1", "--set", "folder=saved"];
    let words = [&["run", "restore-class", "--yes"], &set[..], &["--set", "into=Copied"]].concat();
    stage.run(&words).exits(0).says("300 imported").says("Copied is on 3/3 nodes");
    let copied = objects(&stage, 0, "class=Copied");
    assert_eq!(copied.len(), 300);
    for (copied, before) in copied.iter().zip(&before) {
        assert_eq!(copied["class"], "Copied");
        for key in ["id", "properties", "vector"] {
            assert_eq!(copied[key], before[key]);
        }
    }
    // The one that is there stays as it is.
    assert_eq!(objects(&stage, 0, "class=ELYSIA_CONFIG__"), before);
    let words = [&["run", "restore-class", "--yes"], &set[..], &["--set", "into=lower"]].concat();
    stage.run(&words).exits(1).says("`lower`");
}

/// A cluster whose class has 300 objects with vectors.
fn with_vectors() -> Stage {
    let stage = Stage::new(Scenario::Healthy);
    let object = |number| json!({"class": CLASS, "id": id_of(number), "vector": [0.3, number]});
    let objects: Vec<Value> = (0..300).map(object).collect();
    stage.post("/v1/batch/objects", &json!({"objects": objects}));
    stage
}

/// As bytes by gRPC where the cluster has that, else as numbers by REST; and of files of version 1, which
/// knows numbers alone.
#[test]
fn vectors_come_back_bit_by_bit_whichever_way_they_travel() {
    const NO_GRPC: &str = "POST:/v1/grpc-web/*=404";
    let new = |has_grpc: bool| {
        let stage = Stage::new(Scenario::Healthy);
        if has_grpc { stage } else { stage.fault(NO_GRPC) }
    };
    for (saved_by, restored_by) in [(true, true), (true, false), (false, true), (false, false)] {
        let saver = new(saved_by);
        let none = json!({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"});
        let class = json!({
            "class": "Vectors",
            "replicationConfig": {"factor": 3},
            "vectorConfig": {"a": none.clone(), "b": none.clone()},
        });
        saver.post("/v1/schema", &class);
        let object = |number: u32| {
            let vectors = match number % 3 {
                0 => json!({"a": [0.1, -1e-7, 3e-45]}),
                1 => json!({"b": [0.708_412_95, number, 16_777_216]}),
                _ => Value::Null,
            };
            json!({"class": "Vectors", "id": id_of(number), "vectors": vectors})
        };
        let sent: Vec<Value> = (0..30).map(object).collect();
        saver.post("/v1/batch/objects", &json!({"objects": sent}));
        let multi = json!({
            "class": "Multi", "replicationConfig": {"factor": 3}, "vectorConfig": {"m": none},
        });
        saver.post("/v1/schema", &multi);
        // Of different lengths, which a message does not tell.
        let object = |number: u32| {
            let vectors = json!({"m": [[0.5, number], [1, 2, 3, 4]]});
            json!({"class": "Multi", "id": id_of(number), "vectors": vectors})
        };
        let sent: Vec<Value> = (0..30).map(object).collect();
        saver.post("/v1/batch/objects", &json!({"objects": sent}));
        let single = (0..30)
            .map(|number| json!({"class": CLASS, "id": id_of(number), "vector": [0.3, number]}));
        saver.post("/v1/batch/objects", &json!({"objects": single.collect::<Vec<_>>()}));
        back_up(&saver).exits(0);
        let first = &lines(&saver, "node1/Vectors.objects.ndjson.zst")[0];
        assert_eq!(first["vectors"]["a"].is_string(), saved_by, "{first}");
        if saved_by {
            assert_eq!(first["vectors"]["a"], "zczMPZW/1rMCAAAA");
        }

        let restorer = new(restored_by);
        restorer.delete("/v1/schema/ELYSIA_CONFIG__");
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .args([saver.home.path().join("saved"), restorer.home.path().join("saved")])
            .status();
        assert!(copied.unwrap().success());
        if !saved_by {
            let path = saved(&restorer, "node1/manifest.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replacen("\"version\": 2", "\"version\": 1", 1)).unwrap();
            assert_eq!(manifest(&restorer, "node1")["version"], 1);
        }
        for class in [CLASS, "Vectors", "Multi"] {
            restore(&restorer, class, "node1").exits(0).says("30 imported");
            for node in 0..3 {
                let query = format!("class={class}");
                let (before, now) = (objects(&saver, 0, &query), objects(&restorer, node, &query));
                assert_eq!(before.len(), 30);
                // As text, so that every bit counts.
                let floats = |objects: &[Value]| -> Vec<String> {
                    objects.iter().map(|it| format!("{} {}", it["vector"], it["vectors"])).collect()
                };
                assert_eq!(floats(&now), floats(&before), "{saved_by} {restored_by}");
            }
        }
        let by_grpc = restorer
            .sandbox
            .requests()
            .iter()
            .any(|it| it.path_and_query.ends_with("/BatchObjects") && it.status == Some(200));
        assert_eq!(by_grpc, restored_by);
    }
}

/// Whatever is wrong with gRPC: REST is there. It is tried three times at most.
#[test]
fn a_grpc_that_goes_wrong_costs_nothing() {
    for (path, what) in [
        ("Search", "500 no"),
        ("Search", "403 no"),
        ("Search", "200"),
        ("Search", "malformed"),
        ("Search", "cut-body"),
        ("Search", "refuse"),
        ("Search", "302"),
        ("BatchObjects", "400 no"),
        ("BatchObjects", "403 no"),
        ("BatchObjects", "429 slowly"),
        ("BatchObjects", "501"),
        ("BatchObjects", "500 no"),
        ("BatchObjects", "done 500 timeout"),
        ("BatchObjects", "200"),
        ("BatchObjects", "204"),
        ("BatchObjects", "302"),
        ("BatchObjects", "malformed"),
        ("BatchObjects", "cut-after"),
    ] {
        let stage = with_vectors();
        let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
        let stage = stage.fault(&format!("POST:*/{path}={what}"));
        back_up(&stage).exits(0);
        stage.delete("/v1/schema/ELYSIA_CONFIG__");
        let ended = restore(&stage, CLASS, "node1").exits(0);
        ended.says("3/3 nodes");
        assert_eq!(objects(&stage, 2, "class=ELYSIA_CONFIG__"), before, "{path} {what}");
        let requests = stage.sandbox.requests();
        let tried = requests.iter().filter(|it| it.path_and_query.ends_with(path));
        // Of each node, by each of two runs, and more where pages are asked for side by side.
        let most = if path == "Search" { 2 * 3 * 5 } else { 5 };
        assert!((1..=most).contains(&tried.count()), "{path} {what}");
    }
}

/// What is gone on with by REST lies in the same file.
#[test]
fn vectors_of_both_forms_lie_in_one_file() {
    let stage = with_vectors();
    let before = objects(&stage, 0, "class=ELYSIA_CONFIG__");
    let stage = stage.fault("node1:POST:*/Search:2=404");
    back_up(&stage).exits(0);
    let lines = lines(&stage, "node1/ELYSIA_CONFIG__.objects.ndjson.zst");
    let of_bytes = lines.iter().filter(|line| line["vector"].is_string()).count();
    assert!((1..300).contains(&of_bytes), "{of_bytes}");
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    restore(&stage, CLASS, "node1").exits(0).says("300 imported").says("3/3 nodes");
    assert_eq!(objects(&stage, 2, "class=ELYSIA_CONFIG__"), before);
}

/// An older program must not take bytes for numbers, nor this one what comes after it.
#[test]
fn a_backup_of_a_later_version_is_refused() {
    let stage = Stage::new(Scenario::WithData);
    back_up(&stage).exits(0);
    let path = saved(&stage, "node1/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replacen("\"version\": 2", "\"version\": 3", 1)).unwrap();
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    restore(&stage, CLASS, "node1").exits(1).says("it is of version 3").says("versions up to 2");
}

/// Servers leave times among the properties of some objects; auto-schema would make properties of them.
#[test]
fn times_among_the_properties_are_not_sent_back() {
    let stage = Stage::new(Scenario::WithData);
    let id = "00000000-0000-4000-8000-000000000001";
    let times = json!({"_creationTimeUnix": 1, "_lastUpdateTimeUnix": 2, "config_key": "x"});
    let object = json!({"class": CLASS, "id": id, "properties": times});
    stage.sandbox.insert(None, &object).unwrap();
    back_up(&stage).exits(0);
    stage.delete("/v1/schema/ELYSIA_CONFIG__");
    restore(&stage, CLASS, "node1").exits(0).says("3/3 nodes");
    let own = stage.sandbox.class("node1", CLASS).unwrap();
    let names = own["properties"].as_array().unwrap().iter().map(|it| &it["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["config_key", "config_value"]);
    let found = stage.get(0, &format!("/v1/objects/{CLASS}/{id}"));
    assert_eq!(found["properties"], json!({"config_key": "x"}));
}

/// Objects go together until somebody else is seen to write.
#[test]
fn where_others_write_objects_go_one_by_one() {
    let inserts = |stage: &Stage| {
        let requests = stage.sandbox.requests();
        let insert = |it: &&elysia_runbook::sandbox::Request| {
            it.method == "POST" && it.path_and_query.starts_with("/v1/objects?")
        };
        requests.iter().filter(insert).count()
    };
    for (fault, alone) in [("POST:*/BatchObjects:9=hang", 0), ("POST:*/BatchObjects:1=write", 100)]
    {
        let stage = Stage::new(Scenario::WithData).fault(fault);
        back_up(&stage).exits(0);
        stage.delete("/v1/schema/ELYSIA_CONFIG__");
        let ended = restore(&stage, CLASS, "node1").exits(0);
        let seen = ended
            .transcript()
            .contains("others write to ELYSIA_CONFIG__: its objects go one by one");
        assert_eq!((seen, inserts(&stage)), (alone > 0, alone), "{}", ended.transcript());
    }
}

/// A server that indexes its vectors in the background takes more than it can index: it is waited for.
#[test]
fn a_long_queue_of_vectors_is_waited_for() {
    let stage = Stage::new(Scenario::WithData).patient();
    back_up(&stage).exits(0);
    let set = ["--set", "class=ELYSIA_CONFIG__", "--set", "from=node1", "--set", "into=Restored"];
    // So slow that the queue is looked at: after the first window.
    let words = ["run", "restore-class", "--yes", "--set", "folder=saved", "--rate", "30"];
    let running = stage.start(&[&words[..], &set].concat());
    let began = std::time::Instant::now();
    while !stage.sandbox.has_class("node1", "Restored") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let queue = |length| stage.sandbox.set_shards("node1", "Restored", ShardStatus::Ready, length);
    queue(30_000);
    let waits = std::time::Duration::from_secs(12);
    std::thread::sleep(waits);
    let there = stage.sandbox.objects("node1", "Restored").len();
    queue(0);
    let ended = stage.ended(running.wait_with_output().unwrap()).exits(0);
    assert!(began.elapsed() > waits);
    let all = stage.sandbox.objects("node1", "Restored").len();
    assert!(there < all, "it went on: {}", ended.transcript());
    // Every node tells of it.
    ended.says("waiting, as the vectors of 30000 objects wait to be indexed");
}
