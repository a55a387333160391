//! Objects: counting, and looking whether there is any.

use reqwest::Method;
use serde_json::{Value, json};

use super::error::{Error, What};
use super::{Node, encode};

/// What the first page of a node's cursor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// No object.
    Empty,
    /// At least one object.
    Objects,
    /// This node's own schema has no such class.
    NoClass,
}

impl Node {
    /// Looks through the cursor whether this node can see any object of a class, or of one
    /// tenant. The cursor reads this node's own replica of a shard where it has one.
    ///
    /// # Errors
    ///
    /// Anything else, among them an inactive tenant.
    pub async fn first_object(&self, class: &str, tenant: Option<&str>) -> Result<Listing, Error> {
        let mut path = format!("/v1/objects?class={}&limit=1", encode(class));
        if let Some(tenant) = tenant {
            path.push_str("&tenant=");
            path.push_str(&encode(tenant));
        }
        let raw = match self.http.get(&path, false).await {
            Err(Error { what: What::Status(404, _), .. }) => return Ok(Listing::NoClass),
            other => other?,
        };
        match self.http.json(Method::GET, &path, &raw)?["objects"].as_array() {
            Some(objects) if objects.is_empty() => Ok(Listing::Empty),
            Some(_) => Ok(Listing::Objects),
            None => Err(self.http.not_weaviate(Method::GET, &path, "the answer has no `objects`")),
        }
    }

    /// Counts the objects of a class, or of one tenant, by GraphQL.
    ///
    /// The number leaves out shards whose replicas can't be reached, without an error: it means
    /// something only where every member answers.
    ///
    /// # Errors
    ///
    /// No answer, or `errors` in an answer with status 200, as [`What::Status`] 200.
    pub async fn aggregate(&self, class: &str, tenant: Option<&str>) -> Result<u64, Error> {
        let path = "/v1/graphql";
        let tenant = tenant.map_or_else(String::new, |name| {
            // A GraphQL string has JSON's escapes.
            format!("tenant: {}, ", Value::from(name))
        });
        // With a limit, which is of no effect, the node counts its own replicas; without one it
        // answers what most replicas count.
        let query =
            format!("{{ Aggregate {{ {class}({tenant}limit: 1) {{ meta {{ count }} }} }} }}");
        let raw = self.http.ask(path, &json!({ "query": query })).await?;
        let answer = self.http.json(Method::POST, path, &raw)?;
        if let Some(errors) = answer["errors"].as_array().filter(|errors| !errors.is_empty()) {
            let text: Vec<_> = errors.iter().filter_map(|e| e["message"].as_str()).collect();
            return Err(Error {
                node: self.name().into(),
                method: Method::POST,
                path: path.into(),
                what: What::Status(200, text.join("; ")),
            });
        }
        answer["data"]["Aggregate"][class][0]["meta"]["count"]
            .as_u64()
            .ok_or_else(|| self.http.not_weaviate(Method::POST, path, "the answer has no count"))
    }
}
