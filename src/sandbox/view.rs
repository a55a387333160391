//! What tests look at, and set up, without a request: past the leader, past
//! the faults, past the log.
//!
//! Nothing in the sandbox itself uses this.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Sandbox;
use super::class::{Class, Shard};
use super::door::held;
use super::schema;
use super::status::ShardStatus;

/// Where a shard or tenant is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The nodes that are to have a replica.
    pub replicas: Vec<String>,
    /// False for a tenant that is put to sleep: no replica is open then.
    pub active: bool,
}

impl Sandbox {
    /// Returns a class from a node's own schema.
    #[must_use]
    pub fn class(&self, node: &str, class: &str) -> Option<Value> {
        self.look(node, class, |class| Value::Object(class.config.as_ref().clone()))
    }

    /// Returns the names of the classes in a node's own schema.
    #[must_use]
    pub fn classes(&self, node: &str) -> Vec<String> {
        let world = held(&self.cluster.world);
        let nodes = world.nodes.iter().filter(|found| found.name == node);
        nodes.flat_map(|found| found.schema.keys().cloned()).collect()
    }

    /// Returns how often each fault struck, in the order in which they were injected.
    #[must_use]
    pub fn strikes(&self) -> Vec<usize> {
        held(&self.cluster.rules).strikes()
    }

    /// Returns whether a node's own schema has a class.
    #[must_use]
    pub fn has_class(&self, node: &str, class: &str) -> bool {
        self.class(node, class).is_some()
    }

    /// Returns the replication factor in a node's own schema.
    #[must_use]
    pub fn factor(&self, node: &str, class: &str) -> Option<u64> {
        self.look(node, class, Class::factor)
    }

    /// Returns the tenants in a node's own schema, and whether each is active.
    #[must_use]
    pub fn tenants(&self, node: &str, class: &str) -> BTreeMap<String, bool> {
        let tenants = |class: &Class| {
            let shards = class.shards.iter().filter(|_| class.has_tenants());
            shards.map(|(name, shard)| (name.clone(), shard.active)).collect()
        };
        self.look(node, class, tenants).unwrap_or_default()
    }

    /// Returns for each shard the nodes that really hold a replica, running or not.
    #[must_use]
    pub fn replicas(&self, class: &str) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for node in &held(&self.cluster.world).nodes {
            for (_, shard) in node.replicas.keys().filter(|(of, _)| of == class) {
                found.entry(shard.clone()).or_default().push(node.name.clone());
            }
        }
        found
    }

    /// Returns the objects of a class that a node holds, in the order of their ids.
    #[must_use]
    pub fn objects(&self, node: &str, class: &str) -> Vec<Value> {
        let world = held(&self.cluster.world);
        let Some(at) = world.index(node) else { return Vec::new() };
        let replicas = world.nodes[at].replicas.iter().filter(|((of, _), _)| of == class);
        let mut objects: Vec<Value> = replicas
            .flat_map(|(_, held)| held.objects.values().cloned().map(Value::Object))
            .collect();
        objects.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        objects
    }

    /// Puts a class into the schema of one node, or of all, as it is: `config` is what
    /// `GET /v1/schema/CLASS` is to answer, and no default is filled in.
    ///
    /// # Errors
    ///
    /// Fails if `config` is not an object.
    pub fn place(
        &self,
        node: Option<&str>,
        config: &Value,
        shards: &BTreeMap<String, Placement>,
    ) -> Result<(), String> {
        let config = config.as_object().ok_or("a class is a JSON object")?.clone();
        let shards = shards.iter().map(|(name, placement)| {
            let Placement { replicas, active } = placement.clone();
            (name.clone(), Shard { replicas, active })
        });
        let class = Class { config: Arc::new(config), shards: shards.collect() };
        for found in &mut held(&self.cluster.world).nodes {
            if node.is_none_or(|node| node == found.name) {
                found.add(class.clone());
            }
        }
        Ok(())
    }

    /// Creates a class on every node, as `POST /v1/schema` does.
    ///
    /// # Errors
    ///
    /// Fails with the server's words where it would refuse the class.
    pub fn create_class(&self, config: &Value) -> Result<(), String> {
        let sent = config.as_object().ok_or("a class is a JSON object")?;
        let mut world = held(&self.cluster.world);
        schema::create_class(&mut world, 0, sent).map(drop)
    }

    /// Inserts an object (`{"class":…, "id":…, "tenant":…, "properties":…}`) on every
    /// replica, running or not, or only on that of `node`. Returns its id.
    ///
    /// # Errors
    ///
    /// Fails if no replica was found for it.
    pub fn insert(&self, node: Option<&str>, object: &Value) -> Result<String, String> {
        held(&self.cluster.world).place_object(object, node)
    }

    /// Returns the state of each replica of a class that a node holds, by shard.
    #[must_use]
    pub fn shard_statuses(&self, node: &str, class: &str) -> BTreeMap<String, ShardStatus> {
        let world = held(&self.cluster.world);
        let node = world.nodes.iter().filter(|found| found.name == node);
        let replicas = node.flat_map(|node| &node.replicas).filter(|((of, _), _)| of == class);
        replicas.map(|((_, shard), replica)| (shard.clone(), replica.status)).collect()
    }

    fn look<T>(&self, node: &str, class: &str, read: impl Fn(&Class) -> T) -> Option<T> {
        let world = held(&self.cluster.world);
        world.nodes[world.index(node)?].schema.get(class).map(read)
    }
}
