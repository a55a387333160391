//! What a node can do wrong, with node, method, path and status.
//!
//! Knows nothing of runbooks; turning it into a script's failure is one `From`.

use std::fmt;

use reqwest::Method;

use crate::error::{Code, Failure};

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// No connection: refused, no route, no such host.
    Connect(String),
    /// TLS: certificate, name, protocol.
    Tls(String),
    /// No answer within the time given.
    Timeout,
    /// The connection broke before the whole answer was there.
    Broken(String),
    /// A status that is not 2xx, with the server's own message.
    Status(u16, String),
    /// A redirect: never followed, as keys would travel along.
    Redirect(u16),
    /// The answer is larger than any answer should be.
    TooLarge(u64),
    /// 2xx, and the body is not what Weaviate sends.
    NotWeaviate(String),
}

/// A request that did not get a usable answer.
#[derive(Debug, Clone)]
pub struct Error {
    /// The node, by the name of `--node`.
    pub node: String,
    /// The request's method.
    pub method: Method,
    /// The request's path and query.
    pub path: String,
    /// What happened.
    pub what: What,
}

impl Error {
    /// Returns the HTTP status, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.what {
            What::Status(status, _) | What::Redirect(status) => Some(status),
            _ => None,
        }
    }

    /// Tells whether the server said that there is a class of the name already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(&self.what, What::Status(422, text) if text.contains("already exists"))
    }

    /// Tells whether the same read may succeed when asked again soon.
    ///
    /// A timeout is not among them: a node that hangs costs its timeout once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.what {
            What::Connect(_) | What::Broken(_) => true,
            What::Status(status, _) => matches!(status, 429 | 502 | 503),
            _ => false,
        }
    }

    /// Returns the one-word reason, for lists: `connection refused`, `no answer`, `answered 500`.
    #[must_use]
    pub fn reason(&self) -> String {
        match &self.what {
            What::Connect(why) | What::Broken(why) => why.clone(),
            What::Tls(why) => format!("TLS failed: {why}"),
            What::Timeout => "no answer in time".into(),
            What::Status(status, text) if text.is_empty() => format!("answered {status}"),
            What::Status(status, text) => format!("answered {status}, {text}"),
            What::Redirect(status) => format!("answered {status}, a redirect"),
            What::TooLarge(limit) => format!("answered more than {limit} bytes"),
            What::NotWeaviate(why) => format!("is not Weaviate: {why}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} {}: {}", self.node, self.method, self.path, self.reason())
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, hint) = match &error.what {
            What::Connect(_) => (
                Code::Unreachable,
                Some("is the node up, and is this its REST address? `--node URL` names each node"),
            ),
            What::Tls(_) => (
                Code::Unreachable,
                Some(
                    "elysia-runbook.toml names the authority to trust as `ca_file`, and what the \
                     server wants to see as `client_certificate` and `client_key`",
                ),
            ),
            What::Timeout => (Code::Unreachable, None),
            What::Broken(_) => (
                Code::Unreachable,
                Some("is this the REST port? gRPC and RAFT have ports of their own"),
            ),
            What::Status(401, _) => (
                Code::Denied,
                Some(
                    "set WEAVIATE_API_KEY, or `api_key_…` in elysia-runbook.toml, to a key of this cluster",
                ),
            ),
            What::Status(403, _) => {
                (Code::Denied, Some("the key is known but lacks the right to do this"))
            }
            What::Status(404, text) if text == "a web page" => {
                (Code::Unexpected, Some("`--node` takes the address of Weaviate's REST API"))
            }
            What::Status(404, _) => (Code::NotFound, None),
            What::Status(..) if error.method != Method::GET => (Code::Rejected, None),
            What::Redirect(_) => (
                Code::Unexpected,
                Some(
                    "redirects are not followed; give the address that it leads to, if it is yours",
                ),
            ),
            What::Status(..) | What::TooLarge(_) => (Code::Unexpected, None),
            What::NotWeaviate(_) => {
                (Code::Unexpected, Some("`--node` takes the address of Weaviate's REST API"))
            }
        };
        Failure {
            code,
            message: error.to_string(),
            status: error.status(),
            node: Some(error.node),
            hint: hint.map(Into::into),
        }
    }
}
