//! Requests and what is asserted of answers, in few words.
//!
//! Plain HTTP without the crate's own client, which is under test elsewhere.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// An answer: status and body, `null` where there is none.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// Returns the one client. It keeps no connections, so that it can be used by every test.
fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // Even plain HTTP wants a provider; that there is one already is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client")
    })
}

/// Sends a request; `own` asks for the node's own schema.
pub(crate) async fn send(method: &str, url: &str, body: Option<&Value>, own: bool) -> Answer {
    let answer = try_send(method, url, body, own).await;
    answer.unwrap_or_else(|error| panic!("{method} {url}: {error:?}"))
}

/// Sends a request that may find no answer.
pub(crate) async fn try_send(
    method: &str,
    url: &str,
    body: Option<&Value>,
    own: bool,
) -> reqwest::Result<Answer> {
    let method = method.parse().expect("a method");
    let mut request = client().request(method, url).timeout(Duration::from_secs(30));
    if own {
        request = request.header("consistency", "false");
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?.trim_end().to_owned();
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
}

pub(crate) async fn get(node: &str, path: &str) -> Answer {
    send("GET", &format!("{node}{path}"), None, false).await
}

pub(crate) async fn get_own(node: &str, path: &str) -> Answer {
    send("GET", &format!("{node}{path}"), None, true).await
}

pub(crate) async fn post(node: &str, path: &str, body: &Value) -> Answer {
    send("POST", &format!("{node}{path}"), Some(body), false).await
}

pub(crate) async fn put(node: &str, path: &str, body: &Value) -> Answer {
    send("PUT", &format!("{node}{path}"), Some(body), false).await
}

pub(crate) async fn head(node: &str, path: &str) -> Answer {
    send("HEAD", &format!("{node}{path}"), None, false).await
}

pub(crate) async fn delete(node: &str, path: &str) -> Answer {
    send("DELETE", &format!("{node}{path}"), None, false).await
}

impl Answer {
    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts the status and a part of the message. Only a part, because a node that is not
    /// the leader puts words of its own around the leader's.
    #[track_caller]
    pub(crate) fn says(self, status: u16, part: &str) -> Answer {
        let answer = self.is(status);
        let message = answer.body["error"][0]["message"].as_str().unwrap_or_else(|| {
            answer.body["message"].as_str().unwrap_or_else(|| panic!("no message: {}", answer.text))
        });
        assert!(message.contains(part), "`{message}` does not contain `{part}`");
        answer
    }
}

/// Asserts which keys an object has, in their order.
#[track_caller]
pub(crate) fn assert_keys(value: &Value, expected: &[&str]) {
    let found: Vec<&str> =
        value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    assert_eq!(found, expected, "{value}");
}

/// Asks again until an answer is as wanted: followers apply a change a moment later.
pub(crate) async fn until<F, T>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "still not: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A class that a test made, with its name and what the server answered.
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) config: Value,
}

/// Makes a class and waits until every node has it.
pub(crate) async fn make(nodes: &[String], config: Value) -> Made {
    let config = post(&nodes[0], "/v1/schema", &config).await.is(200).body;
    let name = config["class"].as_str().expect("a name").to_owned();
    for node in nodes {
        let path = format!("/v1/schema/{name}");
        until("every node has the class", || async {
            (get_own(node, &path).await.status == 200).then_some(())
        })
        .await;
        until("every node can count", || async {
            let counted = count(node, &format!("{{Aggregate{{{name}{{meta{{count}}}}}}}}")).await;
            let unknown = counted.text.contains("Cannot query field") || counted.status != 200;
            (!unknown).then_some(())
        })
        .await;
    }
    Made { name, config }
}

/// Removes a class and waits until no node has it.
pub(crate) async fn remove(nodes: &[String], name: &str) {
    let path = format!("/v1/schema/{name}");
    delete(&nodes[0], &path).await.is(200);
    for node in nodes {
        until("no node has the class", || async {
            (get_own(node, &path).await.status == 404).then_some(())
        })
        .await;
    }
}

/// Removes what an earlier run that failed has left.
pub(crate) async fn remove_leftovers(nodes: &[String]) {
    let classes = get(&nodes[0], "/v1/schema").await.is(200).body;
    for class in classes["classes"].as_array().expect("classes") {
        let name = class["class"].as_str().expect("a name");
        if name.starts_with("Contract") {
            remove(nodes, name).await;
        }
    }
}

/// Asks GraphQL.
pub(crate) async fn count(node: &str, query: &str) -> Answer {
    post(node, "/v1/graphql", &json!({ "query": query })).await
}
