//! Counting what a node's own replicas hold, of many classes in one question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use super::Node;
use super::error::Error;

/// What is counted: a class, or one tenant of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Countable {
    /// The class.
    pub class: String,
    /// The tenant, for a class that has some.
    pub tenant: Option<String>,
}

impl Node {
    /// Counts the objects of each, by GraphQL. This node answers from its own replicas where it
    /// has some: with a `limit`, which is of no effect, the server does not ask the others for
    /// their counts. (Without one it answers what most replicas count.)
    ///
    /// Shards whose replicas can't be reached are left out without an error: a number means
    /// something only where every member answers.
    ///
    /// # Errors
    ///
    /// No answer to the question as a whole; else each has its number or the server's reason.
    pub async fn own_counts(
        &self,
        what: &[Countable],
    ) -> Result<BTreeMap<Countable, Result<u64, String>>, Error> {
        if what.is_empty() {
            return Ok(BTreeMap::new());
        }
        let path = "/v1/graphql";
        let mut query = String::from("{ Aggregate {");
        for (at, Countable { class, tenant }) in what.iter().enumerate() {
            let tenant = tenant.as_ref().map_or_else(String::new, |name| {
                // A GraphQL string has JSON's escapes.
                format!("tenant: {}, ", Value::from(name.as_str()))
            });
            // Writing to a string cannot fail.
            let _ = write!(query, " a{at}: {class}({tenant}limit: 1) {{ meta {{ count }} }}");
        }
        query.push_str(" } }");
        let raw = self.http.ask(path, &json!({ "query": query })).await?;
        let answer = self.http.json(Method::POST, path, &raw)?;
        let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let counted = &answer["data"]["Aggregate"];
        let each = what.iter().enumerate().map(|(at, what)| {
            let alias = format!("a{at}");
            let count = counted[&alias][0]["meta"]["count"].as_u64();
            (what.clone(), count.ok_or_else(|| reason(errors, &alias)))
        });
        Ok(each.collect())
    }
}

/// Returns the error that belongs to an alias, else those that belong to none.
fn reason(errors: &[Value], alias: &str) -> String {
    let message = |error: &Value| error["message"].as_str().unwrap_or_default().to_owned();
    let own = errors.iter().find(|error| {
        error["path"].as_array().is_some_and(|path| path.iter().any(|part| part == alias))
    });
    match own {
        Some(error) => message(error),
        None if errors.is_empty() => "the answer has no count".into(),
        None => errors.iter().map(message).collect::<Vec<_>>().join("; "),
    }
}
