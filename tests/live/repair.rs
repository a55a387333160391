//! The main job on a healthy cluster: a class whose shards have one replica each.

use serde_json::{Value, json};

use super::cluster::{Cluster, turn};
use super::data::{count, create_class_with_factor_1, import};
use super::program::Program;

#[test]
#[ignore = "needs a Weaviate server"]
fn an_empty_class_is_replicated_everywhere_and_then_left_alone() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let class = "ELYSIA_CONFIG__";
    create_class_with_factor_1(&cluster, class);
    let before = cluster.own_class(0, class).unwrap();
    assert!(cluster.planned_replicas(class).values().all(|nodes| nodes.len() == 1));

    let program = Program::new();
    program
        .repair(&cluster, class, &["--yes"])
        .expect(0)
        .says(&[&format!("SUCCESS: {class} is replicated on 3/3 nodes")]);
    cluster.expect_everywhere(class);
    let after = cluster.own_class(0, class).unwrap();
    assert_eq!(after["replicationConfig"]["factor"], 3);
    assert_eq!(but_for_the_factor(&after), but_for_the_factor(&before));
    let classes = cluster.get(0, "/v1/schema").body;
    assert_eq!(classes["classes"].as_array().unwrap().len(), 1, "a probe was left: {classes}");

    let backups = program.backups(class);
    let text = std::fs::read_to_string(&backups[0]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), before);
    restore_with_the_seeds_command(&cluster, class, &backups[0]);
    assert_eq!(cluster.own_class(0, class).unwrap(), before);

    // From the restored class once more, so that the second of two runs finds nothing to do.
    program.repair(&cluster, class, &["--yes", "--set", "prove=false"]).expect(0);
    cluster.expect_everywhere(class);
    let repaired = cluster.own_class(0, class);
    program.repair(&cluster, class, &[]).expect(0).says(&["3/3 nodes"]);
    assert!(!program.changed_anything(), "{:?}", program.journal());
    assert_eq!(cluster.own_class(0, class), repaired);
}

#[test]
#[ignore = "needs a Weaviate server"]
fn a_class_with_objects_is_not_touched() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let class = "Filled";
    create_class_with_factor_1(&cluster, class);
    import(&cluster, class, 300);
    let before = cluster.own_class(0, class);

    let program = Program::new();
    program.repair(&cluster, class, &["--yes"]).expect(5).says(&["300", "scale-replicas"]);
    assert!(!program.changed_anything(), "{:?}", program.journal());
    assert_eq!(cluster.own_class(0, class), before);
    assert_eq!(count(&cluster, class), Some(300));
}

/// Deletes the class, and creates it again by the line in the seed's rollback plan.
fn restore_with_the_seeds_command(cluster: &Cluster, class: &str, backup: &std::path::Path) {
    let path = format!("/v1/schema/{class}");
    assert_eq!(cluster.request(0, reqwest::Method::DELETE, &path).send().status, 200);
    super::incident::post_with_curl(&cluster.url(0), backup);
    cluster.wait_until_present(class);
    cluster.wait_until_open(class);
}

/// The definition without the factor and what the server derives from it.
fn but_for_the_factor(class: &Value) -> Value {
    let mut class = class.clone();
    class["replicationConfig"]["factor"] = json!(null);
    class["replicationConfig"]["asyncEnabled"] = json!(null);
    class
}
