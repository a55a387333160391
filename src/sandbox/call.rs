//! One request as an endpoint sees it, and what it may answer.
//!
//! Must not know of sockets or of the cluster: the wire is in `server`, the
//! meaning in the endpoints.

use hyper::body::Bytes;
use prost::Message;
use serde_json::{Value, json};

/// How long a body may be that is kept, in bytes.
const SHORT: usize = 160;

/// A request, taken apart once.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    /// As it came, for the log and for rules that look at the query too.
    pub(super) path_and_query: String,
    query: Vec<(String, String)>,
    /// The header `consistency: false`: this node's own schema is wanted.
    pub(super) own_schema: bool,
    body: Bytes,
}

impl Call {
    /// Takes a request apart.
    pub(super) fn new(method: &str, target: &str, own_schema: bool, body: Bytes) -> Call {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(value))
            })
            .collect();

        Call {
            method: method.to_owned(),
            path: decoded(path),
            path_and_query: target.to_owned(),
            query,
            own_schema,
            body,
        }
    }

    /// Returns the first value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body for the log, where it is short.
    pub(super) fn short_body(&self) -> Option<String> {
        let short = !self.body.is_empty() && self.body.len() <= SHORT;
        short.then(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// Reads the body; `what` is the name that the server's message gives it.
    pub(super) fn json(&self, what: &str) -> Result<Value, Reply> {
        if self.body.is_empty() {
            return Err(Reply::invalid(422, 602, &format!("{what} in body is required")));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("parsing {what} body from \"\" failed, because {error}");
            Reply::invalid(400, 400, &message)
        })
    }

    /// Reads the body as a message of the gRPC API.
    pub(super) fn message<M: Message + Default>(&self) -> Result<M, Reply> {
        M::decode(self.body.clone()).map_err(|error| {
            Reply::json(400, &json!({ "code": "invalid_argument", "message": error.to_string() }))
        })
    }
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Payload {
    Json(String),
    /// A message of the gRPC API.
    Message(Vec<u8>),
}

/// What an endpoint wants done with the connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// An answer; without a body for `None`.
    Answer { status: u16, body: Option<Payload> },
    /// No answer: the connection breaks, as where the real server panics.
    Cut,
    /// No answer, and no end.
    Hang,
}

impl Reply {
    /// Answers with JSON.
    pub(super) fn json(status: u16, body: &Value) -> Reply {
        Reply::Answer { status, body: Some(Payload::Json(format!("{body}\n"))) }
    }

    /// Answers with a message of the gRPC API.
    pub(super) fn message(message: &impl Message) -> Reply {
        Reply::Answer { status: 200, body: Some(Payload::Message(message.encode_to_vec())) }
    }

    /// Answers without a body.
    pub(super) fn empty(status: u16) -> Reply {
        Reply::Answer { status, body: None }
    }

    /// Answers with an error as most endpoints word it.
    pub(super) fn error(status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({ "error": [{ "message": message }] }))
    }

    /// Answers 422 as the endpoints for classes word it, with the key that no one fills.
    pub(super) fn refused(message: &str) -> Reply {
        Reply::json(422, &json!({ "allowed": null, "error": [{ "message": message }] }))
    }

    /// Answers as the layer does which checks requests before an endpoint sees them.
    pub(super) fn invalid(status: u16, code: u16, message: &str) -> Reply {
        Reply::json(status, &json!({ "code": code, "message": message }))
    }
}

/// An answer that may end early: both sides go to the client.
pub(super) type Outcome = Result<Reply, Reply>;

/// Decodes `%41` and `+`; what is malformed stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_query_apart() {
        let call = Call::new("GET", "/v1/objects?class=A%20b&after=&x", false, Bytes::new());
        assert_eq!(call.path, "/v1/objects");
        assert_eq!(call.query("class"), Some("A b"));
        assert_eq!(call.query("after"), Some(""));
        assert_eq!(call.query("x"), Some(""));
        assert_eq!(call.query("limit"), None);
    }
}
