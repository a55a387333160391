//! A class with an inactive tenant, in which nobody can look for objects.

use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, turn};
use super::data::create;
use super::program::Program;

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
