//! Reading and writing objects on the replicas of a shard, and when that fails.
//!
//! Knows no endpoint: the callers put their own words around the errors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::class::{Class, Object, class_name};
use super::level::Level;
use super::properties::stored;
use super::shards::nearest;
use super::status::ShardStatus;
use super::world::{Replica, World};

/// From which replicas an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// From so many of them.
    Level(Level),
    /// From this node's.
    Node(&'a str),
}

/// Why replicas could not do something, in the server's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The only replica is on a node that is gone.
    Unresolved(String),
    /// The only replica, on this node or another, does not do it.
    Only { local: bool, why: String },
    /// Too few of several replicas did it.
    TooFew(String),
}

impl Trouble {
    /// Returns the server's words.
    pub(super) fn text(&self) -> String {
        match self {
            Trouble::Unresolved(node) => format!("resolve node name \"{node}\" to host"),
            Trouble::Only { why, .. } | Trouble::TooFew(why) => why.clone(),
        }
    }
}

impl World {
    /// Changes a shard on all its replicas that can be found: on all that would take the
    /// change if these are enough, else on none.
    pub(super) fn write(
        &mut self,
        at: usize,
        class: &Class,
        shard: &str,
        level: Level,
        change: impl Fn(&mut Replica),
    ) -> Result<(), Trouble> {
        let (planned, visible) = self.holders(at, class, shard)?;
        let mut ready = Vec::new();
        let mut complaints = Vec::new();
        for node in visible {
            match self.nodes[node].replica(class.name(), shard) {
                Some(replica) if replica.status != ShardStatus::ReadOnly => ready.push(node),
                Some(_) => complaints.push((node, format!("read only \"{shard}\""))),
                None => complaints.push((node, format!("class not found \"{}\"", class.name()))),
            }
        }
        if let (1, [(node, _)]) = (planned, complaints.as_slice()) {
            let why = "store is read-only due to: manually set by user".to_owned();
            return Err(Trouble::Only { local: *node == at, why });
        }
        let (did, required) = (ready.len(), level.of(ready.len() + complaints.len()));
        if did < required {
            let complaints: Vec<String> = complaints
                .iter()
                .map(|(node, why)| (host(*node), why))
                .map(|(host, why)| format!("replica \"{host}\": \"{host}\": {why}"))
                .collect();
            return Err(Trouble::TooFew(format!(
                "cannot reach enough replicas: required {required} replicas, got {did}: {}",
                complaints.join("; ")
            )));
        }
        for node in ready {
            self.nodes[node].replica_mut(class.name(), shard).into_iter().for_each(&change);
        }
        Ok(())
    }

    /// Reads an object. Where several replicas are compared, those that lack it, or have an
    /// older one, get what the newest has.
    pub(super) fn read(
        &mut self,
        at: usize,
        class: &Class,
        shard: &str,
        id: &str,
        from: From<'_>,
    ) -> Result<Option<Object>, Trouble> {
        let (_, mut holders) = self.holders(at, class, shard)?;
        let missing = format!("class not found \"{}\"\n", class.name());
        let required = match from {
            // A class without replication has one place to read from, whatever was asked for.
            _ if class.factor() == 1 => 1,
            From::Level(level) => level.of(holders.len()),
            From::Node(name) => {
                holders.retain(|&node| self.nodes[node].name == name);
                let Some(&holder) = holders.first() else {
                    let why = format!("shard \"{shard}\" does not exist locally");
                    let here = self.nodes[at].name == name;
                    return Err(Trouble::TooFew(if here { why } else { remote(&why) }));
                };
                if self.nodes[holder].replica(class.name(), shard).is_none() {
                    return Err(Trouble::TooFew(remote(missing.trim_end())));
                }
                1
            }
        };
        holders.retain(|&node| self.nodes[node].replica(class.name(), shard).is_some());
        if let (true, From::Level(level)) = (holders.len() < required, from) {
            return Err(Trouble::TooFew(format!(
                "cannot achieve consistency level \"{}\": read error: status code: 500, error: \
                 digest objects: {missing}",
                level.word()
            )));
        }
        holders.truncate(required);
        let held = holders
            .iter()
            .filter_map(|&node| self.nodes[node].replica(class.name(), shard)?.objects.get(id));
        let Some(newest) = held.max_by_key(|object| written(object)).cloned() else {
            return Ok(None);
        };
        for node in holders {
            let Some(replica) = self.nodes[node].replica_mut(class.name(), shard) else { continue };
            let behind = replica.objects.get(id).is_none_or(|had| written(had) < written(&newest));
            if behind {
                replica.objects.insert(id.to_owned(), newest.clone());
            }
        }
        Ok(Some(newest))
    }

    /// Returns how many replicas of a shard are planned, and the nodes of those that can be
    /// found, the nearest first.
    fn holders(
        &self,
        at: usize,
        class: &Class,
        shard: &str,
    ) -> Result<(usize, Vec<usize>), Trouble> {
        let planned = class.shards.get(shard).map_or(&[][..], |shard| shard.replicas.as_slice());
        let visible = nearest(self, at, planned);
        match (planned, visible.as_slice()) {
            ([only], []) => Err(Trouble::Unresolved(only.clone())),
            _ => Ok((planned.len(), visible)),
        }
    }

    /// Returns how many objects each replica of a shard that can be found holds.
    pub(super) fn sizes(&self, at: usize, class: &Class, shard: &str) -> Vec<usize> {
        let planned = class.shards.get(shard).map_or(&[][..], |shard| shard.replicas.as_slice());
        let holders = nearest(self, at, planned).into_iter();
        let held = holders.filter_map(|node| self.nodes[node].replica(class.name(), shard));
        held.map(|replica| replica.objects.len()).collect()
    }

    /// Returns the objects of a shard from the nearest replica; `None` if there is none.
    pub(super) fn objects(
        &self,
        at: usize,
        class: &Class,
        shard: &str,
    ) -> Option<&BTreeMap<String, Object>> {
        let planned = class.shards.get(shard)?;
        let replica = nearest(self, at, &planned.replicas)
            .into_iter()
            .find_map(|node| self.nodes[node].replica(class.name(), shard))?;
        Some(&replica.objects)
    }

    /// Returns whether a replica that is planned on a node that runs is not there.
    pub(super) fn lacks_replica(&self, at: usize, class: &Class, shard: &str) -> bool {
        let planned = class.shards.get(shard).map_or(&[][..], |shard| shard.replicas.as_slice());
        let holders = nearest(self, at, planned);
        holders.iter().any(|&node| self.nodes[node].replica(class.name(), shard).is_none())
    }

    /// Lets the replicas of a node that came back take over what the others have.
    pub(super) fn repair(&mut self, at: usize) {
        let shards: Vec<(String, String)> = self.nodes[at].replicas.keys().cloned().collect();
        for (class, shard) in shards {
            let others = self.nodes.iter().filter_map(|node| node.replica(&class, &shard));
            let missing: Vec<(String, Object)> = others
                .flat_map(|replica| &replica.objects)
                .map(|(id, object)| (id.clone(), object.clone()))
                .collect();
            if let Some(replica) = self.nodes[at].replica_mut(&class, &shard) {
                for (id, object) in missing {
                    replica.objects.entry(id).or_insert(object);
                }
                replica.flush();
            }
        }
    }
}

/// Returns when an object was last written.
fn written(object: &Object) -> Option<i64> {
    object.get("lastUpdateTimeUnix").and_then(serde_json::Value::as_i64)
}

/// Words what another node says of its replica.
fn remote(why: &str) -> String {
    format!("status code: 500, error: {why}\n")
}

/// The address at which a node would have its port for data.
fn host(node: usize) -> String {
    format!("127.0.0.1:{}", 7101 + 2 * node)
}

impl World {
    /// Writes an object on every replica, running or not, or only on that of `node`: past the leader
    /// and the endpoints. Returns its id.
    pub(super) fn place_object(
        &mut self,
        object: &Value,
        node: Option<&str>,
    ) -> Result<String, String> {
        let sent = object.as_object().ok_or("an object is a JSON object")?;
        let name = class_name(object["class"].as_str().unwrap_or_default());
        let id = object["id"].as_str().map_or_else(|| self.id(), str::to_lowercase);
        let now = self.now();
        let stored = stored(sent, &name, &id, now);
        let mut count = 0;
        for found in
            self.nodes.iter_mut().filter(|found| node.is_none_or(|node| node == found.name))
        {
            let Some(class) = found.schema.get(&name).cloned() else { continue };
            let shard = class.shard_of(&id, object["tenant"].as_str())?;
            if let Some(replica) = found.replica_mut(&name, shard) {
                replica.objects.insert(id.clone(), stored.clone());
                replica.flush();
                count += 1;
            }
        }
        if count == 0 { Err(format!("no replica of {name} for {id}")) } else { Ok(id) }
    }
}
