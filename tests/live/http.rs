//! Plain HTTP to a node: what was answered, without any judgement of it.
//!
//! Blocking towards the tests. Shares nothing with the program's own client, so that a mistake
//! there can't hide itself.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    // Fails when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        // The runtime only runs while a request does, so a kept connection would not notice its end.
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
});

/// Waits for something asynchronous.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// An answer, or none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    /// The HTTP status; 0 where there was no answer.
    pub(super) status: u16,
    /// The body; `Null` where it is not JSON.
    pub(super) body: Value,
}

/// A request to one node. A new one for every call.
#[must_use]
pub(super) struct Request(reqwest::RequestBuilder);

impl Request {
    pub(super) fn new(method: Method, url: &str) -> Self {
        Self(CLIENT.request(method, url))
    }

    /// Asks for the node's own view instead of the RAFT leader's.
    pub(super) fn own_view(self) -> Self {
        self.header("consistency", "false")
    }

    pub(super) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(super) fn timeout(self, limit: Duration) -> Self {
        Self(self.0.timeout(limit))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// Returns an answer that is not JSON.
    pub(super) fn text(self) -> String {
        block_on(async { self.0.send().await.unwrap().text().await.unwrap() })
    }

    pub(super) fn send(self) -> Reply {
        block_on(async {
            let Ok(response) = self.0.send().await else {
                return Reply { status: 0, body: Value::Null };
            };
            let status = response.status().as_u16();
            let body = response.bytes().await.unwrap_or_default();
            Reply { status, body: serde_json::from_slice(&body).unwrap_or_default() }
        })
    }
}
