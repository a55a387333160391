//! A class as one node has it: its configuration and where its shards are.
//!
//! Knows no endpoint and no other class.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// One class in one node's own schema.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// The answer to `GET /v1/schema/CLASS`, keys in the server's order. Shared, because every
    /// node has it.
    pub(super) config: Arc<Object>,
    /// Shards by name; for a class with tenants, the tenants.
    pub(super) shards: BTreeMap<String, Shard>,
}

/// Where one shard is planned to be.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    /// Names of the nodes which should have a replica.
    pub(super) replicas: Vec<String>,
    /// False for a tenant that was put to sleep (`COLD`): no replica is open then.
    pub(super) active: bool,
}

impl Class {
    /// Returns the name of the class.
    pub(super) fn name(&self) -> &str {
        self.config.get("class").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the replication factor of the schema.
    pub(super) fn factor(&self) -> u64 {
        self.config
            .get("replicationConfig")
            .and_then(|config| config.get("factor"))
            .and_then(Value::as_u64)
            .unwrap_or(1)
    }

    /// Returns whether the class has tenants.
    pub(super) fn has_tenants(&self) -> bool {
        self.tenancy("enabled")
    }

    /// Returns a switch of `multiTenancyConfig`.
    pub(super) fn tenancy(&self, key: &str) -> bool {
        self.config
            .get("multiTenancyConfig")
            .and_then(|config| config.get(key))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Returns the properties; none where the schema says `null`.
    pub(super) fn properties(&self) -> &[Value] {
        self.config.get("properties").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the shard that holds an object: the tenant's, or the one its id falls into.
    pub(super) fn shard_of(&self, id: &str, tenant: Option<&str>) -> Result<&str, String> {
        let name = self.name();
        match (self.has_tenants(), tenant.filter(|tenant| !tenant.is_empty())) {
            (true, None) => Err(format!(
                "class {name} has multi-tenancy enabled, but request was without tenant"
            )),
            (false, Some(_)) => {
                Err(format!("class {name} has multi-tenancy disabled, but request was with tenant"))
            }
            (true, Some(tenant)) => match self.shards.get_key_value(tenant) {
                None => Err(format!("tenant not found: \"{tenant}\"")),
                Some((_, shard)) if !shard.active => Err(format!("tenant not active: '{tenant}'")),
                Some((tenant, _)) => Ok(tenant),
            },
            (false, None) => {
                let nth = hash(id) % self.shards.len().max(1);
                self.shards
                    .keys()
                    .nth(nth)
                    .map(String::as_str)
                    .ok_or_else(|| "no shards".to_owned())
            }
        }
    }
}

/// Upper-cases the first letter, as the server does with every name of a class.
pub(super) fn class_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Spreads ids evenly over the shards: FNV-1a, enough for that.
fn hash(id: &str) -> usize {
    let wide = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(wide >> 33).unwrap_or(0)
}
