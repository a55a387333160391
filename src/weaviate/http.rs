//! One request and its answer: timeouts, size limit, retries of reads, no redirects.
//!
//! Knows HTTP and nothing of what the paths mean. A change is sent once and
//! never repeated here: whoever sends it looks up what became of it.

use std::error::Error as _;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Url};
use serde_json::Value;

use super::access::{Access, Secret};
use super::error::{Error, What};
use crate::error::Error as CommandError;

/// The largest answer that is read, in bytes. A schema of 10,000 classes is about 20 MB.
const LARGEST_ANSWER: u64 = 64 << 20;

/// How many times longer than a read a change may take: creating a class is a RAFT write and takes
/// seconds under load.
const CHANGE_PATIENCE: u32 = 6;

/// One node's REST address and the connection pool that all nodes share.
#[derive(Debug, Clone)]
pub(super) struct Http {
    name: String,
    url: Url,
    /// Where requests go: elsewhere than to its address only in a dry run.
    door: Url,
    client: Client,
    answer_timeout: Duration,
    /// The key that goes with each request, to keep it out of what comes back.
    key: Option<Secret>,
}

/// The type of a message of the gRPC API.
const MESSAGE: &str = "application/proto";

/// What a request carries.
enum Body {
    Json(String),
    /// A message of the gRPC API.
    Message(Vec<u8>),
}

/// Builds the connection pool. HTTPS roots are loaded only when a node uses HTTPS.
///
/// # Errors
///
/// A CA file or client certificate that can't be read or isn't PEM; a key that can't be a header.
pub(super) fn client(access: &Access, https: bool) -> Result<Client, CommandError> {
    // A second installation is refused by rustls and harmless: it is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    if let Some(key) = &access.api_key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
            .map_err(|_| CommandError::usage("the API key holds characters that no key has"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let mut builder = Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        // Keys must not travel through a proxy that an environment variable happens to name.
        .no_proxy()
        .connect_timeout(access.connect_timeout)
        .tcp_keepalive(Duration::from_secs(30))
        .user_agent(concat!("elysia-runbook/", env!("CARGO_PKG_VERSION")));
    if https {
        if let Some(roots) = access.ca_certificates()? {
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = access.client_identity()? {
            builder = builder.identity(identity);
        }
    } else {
        // Loading the system's roots takes longer than all requests of a small run.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|e| CommandError::usage("the HTTP client could not be set up").cause(chain(&e)))
}

impl Http {
    /// Returns the way to one node.
    #[must_use]
    pub(super) fn new(name: String, url: Url, door: Url, client: Client, access: &Access) -> Self {
        let answer_timeout = access.answer_timeout;
        Self { name, url, door, client, answer_timeout, key: access.api_key.clone() }
    }

    /// Returns the node's name.
    #[must_use]
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the node's base address.
    #[must_use]
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Reads, trying again after a short while where that can help.
    ///
    /// # Errors
    ///
    /// What happened at the last try.
    pub(super) async fn get(&self, path: &str, own_view: bool) -> Result<Bytes, Error> {
        self.read(Method::GET, path, own_view, None, self.answer_timeout).await
    }

    /// Reads what the node itself has to ask of others. Until they have noticed that one of them
    /// hangs (some five seconds, twice that on a busy machine), such a request waits for it without
    /// end, and the next one after that is answered at once: so each try is short, and there are six.
    ///
    /// # Errors
    ///
    /// What happened at the last try.
    pub(super) async fn get_of_all(&self, path: &str) -> Result<Bytes, Error> {
        let short = self.answer_timeout / 3;
        for _ in 0..5 {
            match self.read(Method::GET, path, false, None, short).await {
                Err(Error { what: What::Timeout, .. }) => {}
                other => return other,
            }
        }
        self.read(Method::GET, path, false, None, short).await
    }

    /// Reads from a node that did not answer last time: a short while is enough to see it back.
    ///
    /// # Errors
    ///
    /// What happened.
    pub(super) async fn get_of_silent(&self, path: &str, own_view: bool) -> Result<Bytes, Error> {
        self.send(Method::GET, path, own_view, None, self.answer_timeout / 5).await
    }

    /// Asks a question by `POST` (GraphQL): a read, so it may be repeated.
    ///
    /// # Errors
    ///
    /// What happened at the last try.
    pub(super) async fn ask(&self, path: &str, body: &Value) -> Result<Bytes, Error> {
        self.read(Method::POST, path, false, Some(body), self.answer_timeout).await
    }

    async fn read(
        &self,
        method: Method,
        path: &str,
        own_view: bool,
        body: Option<&Value>,
        timeout: Duration,
    ) -> Result<Bytes, Error> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_millis(500))
            .with_max_times(2)
            .with_jitter();
        let json = |body: &Value| Body::Json(body.to_string());
        (|| self.send(method.clone(), path, own_view, body.map(json), timeout))
            .retry(backoff)
            .when(Error::is_transient)
            .await
    }

    /// Sends a change once.
    ///
    /// # Errors
    ///
    /// Anything but a 2xx answer that was read to its end. The change may have
    /// been made all the same: look it up.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Bytes, Error> {
        let body = body.map(|body| Body::Json(body.to_string()));
        self.send(method, path, false, body, self.answer_timeout * CHANGE_PATIENCE).await
    }

    /// Sends a change once, with a body that is JSON already.
    ///
    /// # Errors
    ///
    /// As for [`Self::change`].
    pub(super) async fn change_with(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Bytes, Error> {
        let body = Some(Body::Json(body));
        self.send(method, path, false, body, self.answer_timeout * CHANGE_PATIENCE).await
    }

    /// Calls a method of the gRPC API once, with an encoded message; returns the one that was answered.
    ///
    /// # Errors
    ///
    /// As for [`Self::change`].
    pub(super) async fn call(
        &self,
        path: &str,
        message: Vec<u8>,
        changes: bool,
    ) -> Result<Bytes, Error> {
        let patience = if changes { CHANGE_PATIENCE } else { 1 };
        let timeout = self.answer_timeout * patience;
        self.send(Method::POST, path, false, Some(Body::Message(message)), timeout).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        own_view: bool,
        body: Option<Body>,
        timeout: Duration,
    ) -> Result<Bytes, Error> {
        let failed = |what| Error {
            node: self.name.clone(),
            method: method.clone(),
            path: path.into(),
            what,
        };
        let mut url = self.door.clone();
        let (bare, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        url.set_path(&format!("{}{bare}", self.door.path().trim_end_matches('/')));
        url.set_query(query);
        let mut request = self.client.request(method.clone(), url).timeout(timeout);
        if own_view {
            request = request.header("consistency", "false");
        }
        let is_message = matches!(body, Some(Body::Message(_)));
        request = match body {
            None => request,
            Some(Body::Json(text)) => request.header(CONTENT_TYPE, "application/json").body(text),
            // As Connect, which knows no trailers: the status is that of HTTP.
            Some(Body::Message(message)) => request
                .header(CONTENT_TYPE, MESSAGE)
                .header("connect-protocol-version", "1")
                .body(message),
        };
        let answer = request.send().await.map_err(|e| failed(what_of(&e)))?;
        let status = answer.status();
        let kind = answer.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_owned());
        let body = collect(answer).await.map_err(&failed)?;
        if self.key.as_ref().is_some_and(|key| key.is_in(&body)) {
            // Nothing of such an answer may reach a message, the journal or a script.
            let why = "the answer repeats the API key".into();
            return Err(failed(if status.is_success() {
                What::NotWeaviate(why)
            } else {
                What::Status(status.as_u16(), why)
            }));
        }
        // An answer without a body would be a message in which nothing is said.
        if status.is_success() && is_message && kind.as_deref() != Some(MESSAGE.as_bytes()) {
            Err(failed(What::NotWeaviate("the answer is no message of the gRPC API".into())))
        } else if status.is_success() {
            Ok(body)
        } else if status.is_redirection() {
            Err(failed(What::Redirect(status.as_u16())))
        } else {
            Err(failed(What::Status(status.as_u16(), server_message(&body))))
        }
    }

    /// Parses an answer.
    ///
    /// # Errors
    ///
    /// [`What::NotWeaviate`] where the body isn't JSON.
    pub(super) fn json(&self, method: Method, path: &str, body: &Bytes) -> Result<Value, Error> {
        serde_json::from_slice(body).map_err(|e| {
            let why = if body.trim_ascii_start().starts_with(b"<") {
                "the answer is a web page".into()
            } else {
                format!("the answer is not JSON ({e})")
            };
            self.not_weaviate(method, path, why)
        })
    }

    /// Returns the error for an answer that is not what Weaviate sends.
    #[must_use]
    pub(super) fn not_weaviate(&self, method: Method, path: &str, why: impl Into<String>) -> Error {
        Error {
            node: self.name.clone(),
            method,
            path: path.into(),
            what: What::NotWeaviate(why.into()),
        }
    }
}

async fn collect(answer: reqwest::Response) -> Result<Bytes, What> {
    let mut body = BytesMut::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| what_of(&e))?;
        if body.len() as u64 + chunk.len() as u64 > LARGEST_ANSWER {
            return Err(What::TooLarge(LARGEST_ANSWER));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn what_of(error: &reqwest::Error) -> What {
    let text = chain(error);
    if text.contains("ertificate") || text.contains("TLS") || text.contains("tls") {
        return What::Tls(last(error));
    }
    // A web server that speaks no TLS answers the handshake with plain text.
    if text.contains("corrupt message") || text.contains("InvalidContentType") {
        return What::Tls(
            "the server does not speak TLS; is its address http:// and not https://?".into(),
        );
    }
    if error.is_timeout() {
        return if error.is_connect() {
            What::Connect("no connection in time".into())
        } else {
            What::Timeout
        };
    }
    if error.is_connect() {
        let why = if text.contains("onnection refused") {
            "connection refused".into()
        } else if text.contains("dns error") || text.contains("failed to lookup") {
            "no such host".into()
        } else {
            last(error)
        };
        return What::Connect(why);
    }
    What::Broken(format!("the connection broke ({})", last(error)))
}

/// The errors from the outermost to the innermost, without the address: it may hold a secret.
fn chain(error: &reqwest::Error) -> String {
    let mut parts = vec![];
    let mut source = error.source();
    while let Some(error) = source {
        parts.push(error.to_string());
        source = error.source();
    }
    parts.join(": ")
}

fn last(error: &reqwest::Error) -> String {
    let mut innermost: Option<String> = None;
    let mut source = error.source();
    while let Some(error) = source {
        innermost = Some(error.to_string());
        source = error.source();
    }
    innermost.unwrap_or_else(|| "no reason given".into())
}

/// Returns Weaviate's `{"error":[{"message":…}]}`, or the start of whatever came instead.
fn server_message(body: &[u8]) -> String {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let messages: Vec<_> = value["error"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|e| e["message"].as_str())
            .collect();
        if !messages.is_empty() {
            return messages.join("; ");
        }
        if let Some(message) = value["message"].as_str() {
            return message.into();
        }
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        return "a web page".into();
    }
    text.chars().take(200).collect()
}
