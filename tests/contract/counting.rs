//! Counting by GraphQL, and everything that is not a number.

use serde_json::{Value, json};

use super::http::{count, make, post, remove};

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
