//! Tenants of multi-tenant classes.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::{Node, encode};

/// A tenant and its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// Name; also the name of its shard.
    pub name: String,
    /// `ACTIVE`/`HOT`, `INACTIVE`/`COLD`, `OFFLOADED`/`FROZEN` and the states between.
    pub activity_status: String,
}

impl Tenant {
    /// Tells whether its objects can be read.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.activity_status.as_str(), "ACTIVE" | "HOT")
    }

    /// Tells whether its objects are on the disks of its nodes, and can't be read.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        matches!(self.activity_status.as_str(), "INACTIVE" | "COLD")
    }

    /// Returns it in another state.
    #[must_use]
    pub fn with(&self, activity_status: &str) -> Self {
        Self { name: self.name.clone(), activity_status: activity_status.into() }
    }
}

/// How many tenants a server takes in one request that changes their states: more are refused (422).
pub const TENANTS_AT_ONCE: usize = 100;

impl Node {
    /// Reads the tenants of a class through the leader.
    ///
    /// # Errors
    ///
    /// Anything but 200 with tenants; 422 for a class without multi-tenancy.
    pub async fn tenants(&self, class: &str) -> Result<Vec<Tenant>, Error> {
        self.read_tenants(class, false).await
    }

    pub(super) async fn read_tenants(
        &self,
        class: &str,
        own_view: bool,
    ) -> Result<Vec<Tenant>, Error> {
        let path = format!("/v1/schema/{}/tenants", encode(class));
        let raw = self.http.get(&path, own_view).await?;
        let value = self.http.json(Method::GET, &path, &raw)?;
        let value = if value.is_null() { Value::Array(vec![]) } else { value };
        let mut tenants: Vec<Tenant> = serde_json::from_value(value)
            .map_err(|e| self.http.not_weaviate(Method::GET, &path, e.to_string()))?;
        // The server gives them in another order each time.
        tenants.sort();
        Ok(tenants)
    }

    /// Adds tenants, once.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; the tenants may be there all the same.
    pub async fn create_tenants(&self, class: &str, tenants: &[Tenant]) -> Result<(), Error> {
        let path = format!("/v1/schema/{}/tenants", encode(class));
        self.http.change(Method::POST, &path, Some(&json!(tenants))).await.map(drop)
    }

    /// Puts tenants into the states that they name, once.
    ///
    /// # Errors
    ///
    /// Anything but 2xx; some of them may be in these states all the same.
    pub async fn set_tenants(&self, class: &str, tenants: &[Tenant]) -> Result<(), Error> {
        let path = format!("/v1/schema/{}/tenants", encode(class));
        for some in tenants.chunks(TENANTS_AT_ONCE) {
            self.http.change(Method::PUT, &path, Some(&json!(some))).await?;
        }
        Ok(())
    }
}
