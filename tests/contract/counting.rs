//! Counting by GraphQL, and everything that is not a number.

use serde_json::{Value, json};

use super::http::{assert_keys, count, make, post, remove, until};

const CLASS: &str = "ContractCount";

pub(super) async fn counts(nodes: &[String]) {
    make(nodes, json!({ "class": CLASS, "replicationConfig": { "factor": 3 } })).await;
    let objects: Vec<Value> = (0..7).map(|_| json!({ "class": CLASS })).collect();
    let batch = json!({ "objects": objects });
    post(&nodes[0], "/v1/batch/objects?consistency_level=ALL", &batch).await.is(200);
    for node in nodes {
        for query in [
            format!("{{Aggregate{{{CLASS}{{meta{{count}}}}}}}}"),
            format!("query {{\n  Aggregate {{\n    {CLASS} {{ meta {{ count }} }}\n  }}\n}}"),
        ] {
            let answer = count(node, &query).await.is(200);
            let expected =
                json!({ "data": { "Aggregate": { CLASS: [{ "meta": { "count": 7 } }] } } });
            assert_eq!(answer.body, expected);
        }
    }
    let query =
        format!("{{Aggregate{{b:{CLASS}{{meta{{count}}}} a:{CLASS}{{m:meta{{c:count}}}}}}}}");
    let answer = count(&nodes[0], &query).await.is(200);
    let expected = r#"{"data":{"Aggregate":{"a":[{"m":{"c":7}}],"b":[{"meta":{"count":7}}]}}}"#;
    assert_eq!(answer.text, expected);
    remove(nodes, CLASS).await;
}

pub(super) async fn counts_many_at_once(nodes: &[String]) {
    make(nodes, json!({ "class": CLASS, "replicationConfig": { "factor": 3 } })).await;
    let tenants = json!({ "class": "ContractCountMt", "multiTenancyConfig": { "enabled": true } });
    make(nodes, tenants).await;
    let path = "/v1/schema/ContractCountMt/tenants";
    let names = json!([{ "name": "t1" }, { "name": "t2", "activityStatus": "COLD" }]);
    post(&nodes[0], path, &names).await.is(200);
    let mut objects: Vec<Value> = (0..5).map(|_| json!({ "class": CLASS })).collect();
    objects.push(json!({ "class": "ContractCountMt", "tenant": "t1" }));
    let batch = json!({ "objects": objects });
    let sent = post(&nodes[0], "/v1/batch/objects?consistency_level=ALL", &batch).await.is(200);
    assert_eq!(sent.text.matches("SUCCESS").count(), 6, "{}", sent.text);

    let query = format!(
        "{{Aggregate{{a0:{CLASS}(limit:1){{meta{{count}}}} a1:{CLASS}{{meta{{count}}}} \
         b:ContractCountMt(tenant:\"t1\",limit:1){{meta{{count}}}} \
         c:ContractCountMt(tenant:\"t2\",limit:1){{meta{{count}}}} \
         d:ContractCountMt(tenant:\"t3\",limit:1){{meta{{count}}}} \
         e:ContractCountMt(limit:1){{meta{{count}}}} \
         f:{CLASS}(objectLimit:1){{meta{{count}}}}}}}}"
    );
    for node in nodes {
        let answer = until("every node has the tenants", || async {
            let answer = count(node, &query).await.is(200);
            (!answer.text.contains("tenant not found: \\\"t1")).then_some(answer)
        })
        .await;
        let five = json!([{ "meta": { "count": 5 } }]);
        let one = json!([{ "meta": { "count": 1 } }]);
        let data =
            json!({ "a0": five, "a1": five, "b": one, "c": null, "d": null, "e": null, "f": null });
        assert_eq!(answer.body["data"]["Aggregate"], data);
        // In no order: the server counts them side by side.
        let mut errors: Vec<_> = answer.body["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|error| (error["path"].to_string(), error["message"].to_string()))
            .collect();
        errors.sort();
        let expected = [
            ("c", "tenant not active: 't2'"),
            ("d", "tenant not found: \"t3\""),
            (
                "e",
                "class ContractCountMt has multi-tenancy enabled, but request was without tenant",
            ),
            ("f", "objectLimit can only be used with a near<Media> or hybrid filter"),
        ];
        let expected = expected.map(|(key, message)| {
            (json!(["Aggregate", key]).to_string(), json!(message).to_string())
        });
        assert_eq!(errors, expected);

        // One class that is not there, and nothing is counted.
        let query = format!(
            "{{Aggregate{{a:{CLASS}(limit:1){{meta{{count}}}} b:Quixotic{{meta{{count}}}}}}}}"
        );
        let answer = count(node, &query).await.is(200).body;
        assert_keys(&answer, &["errors"]);
        assert_eq!(answer["errors"][0]["path"], Value::Null);
    }
    remove(nodes, CLASS).await;
    remove(nodes, "ContractCountMt").await;
}

pub(super) async fn says_what_it_cannot_count(nodes: &[String]) {
    make(nodes, json!({ "class": CLASS })).await;
    let answer = count(&nodes[0], "{Aggregate{Quixotic{meta{count}}}}").await.is(200);
    let message = "Cannot query field \"Quixotic\" on type \"AggregateObjectsObj\".";
    let place = json!([{ "column": 12, "line": 1 }]);
    let expected = json!({ "errors": [{ "locations": place, "message": message, "path": null }] });
    assert_eq!(answer.body, expected);

    let query = format!("{{Aggregate{{{CLASS}(tenant:\"t\"){{meta{{count}}}}}}}}");
    let answer = count(&nodes[0], &query).await.is(200);
    let message = answer.body["errors"][0]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("Unknown argument \"tenant\" on field \"ContractCount\""),
        "{message}"
    );

    let answer = count(&nodes[0], "{Aggregate{Obj{meta{count}}}").await.is(200);
    let message = answer.body["errors"][0]["message"].as_str().expect("a message");
    assert_eq!(
        message,
        "Syntax Error GraphQL request (1:29) Expected Name, found EOF\n\n\
         1: {Aggregate{Obj{meta{count}}}\n                               ^\n"
    );
    count(&nodes[0], "").await.says(422, "query cannot be empty");
    remove(nodes, CLASS).await;
}
