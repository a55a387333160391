//! Saving what one node has itself: the schema, tenants and objects of every class, as it shows
//! them. Reads only, and works while RAFT is split: that is when it is needed.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use super::backup::pretty;
use super::definition::{is_class_name, is_multi_tenant};
use super::export::save_schema;
use super::read::check_class_name;
use crate::error::{Code, Failure, Halt, Stop};
use crate::event::Event;
use crate::survey::Survey;
use crate::text::count;
use crate::transfer::{BackedUp, NewBackup, export};
use crate::weaviate::{Error, Node};

/// What was saved of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeBackup {
    /// Classes in the node's own schema.
    pub classes: usize,
    /// Objects.
    pub objects: u64,
    /// What could not be reached or saved; empty: everything was.
    pub unreached: Vec<String>,
}

impl Session {
    /// Saves a node's own schemas, tenants and objects, or those of one class, in `folder/NODE`.
    ///
    /// # Errors
    ///
    /// `unreachable` where the node does not answer; `conflict` where there is a backup of it in
    /// the folder; `invalid` for a node that was not named. A full disk ends the run.
    pub fn backup_node(
        &self,
        node: &str,
        folder: &Path,
        only: Option<&str>,
    ) -> Result<NodeBackup, Halt> {
        only.map_or(Ok(()), check_class_name)?;
        self.check_node_name(node)?;
        let folder = &self.writes_to(folder);
        let survey = self.look()?;
        // What can't be said now is said with the next.
        let due = |class: &str, done| self.due("saving", class, done, None).unwrap_or_default();
        let saved = self.read(async |cluster| match cluster.node(node) {
            Some(node) => save(node, &survey, folder, only, &due).await.map_err(Failure::from),
            None => Err(Failure::new(Code::Invalid, format!("`{node}` is no node"))),
        })?;
        let new = saved.map_err(|error| self.disk(folder, &error))?;
        let (manifest, path, file) = new.finish().map_err(|error| self.disk(folder, &error))?;
        self.say(&Event::BackupSaved {
            class: only.unwrap_or_default().into(),
            content: file.content,
            file: path.display().to_string(),
            sha256: file.sha256,
            bytes: file.bytes,
        })?;
        Ok(NodeBackup {
            classes: manifest.classes.len(),
            objects: manifest.classes.iter().map(|class| class.objects).sum(),
            unreached: manifest.unreached,
        })
    }

    pub(super) fn disk(&self, folder: &Path, error: &io::Error) -> Halt {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return Failure::new(Code::Conflict, format!("no backup is overwritten: {error}"))
                .hint("--set folder=NAME names another folder")
                .into();
        }
        self.stop(Stop::Disk(format!(
            "the backup in {} can't be written: {error}",
            folder.display()
        )))
    }
}

/// Tells how long is to be waited when so many objects of a class are saved.
type Due<'a> = &'a dyn Fn(&str, u64) -> Option<Duration>;

/// Saves what a node has. The outer error: it shows nothing at all.
async fn save(
    node: &Node,
    survey: &Survey,
    folder: &Path,
    only: Option<&str>,
    due: Due<'_>,
) -> Result<io::Result<NewBackup>, Error> {
    let mut classes: Vec<String> = node
        .classes(true)
        .await?
        .iter()
        .filter_map(|class| class["class"].as_str().map(Into::into))
        .filter(|class| only.is_none_or(|only| only == class))
        .collect();
    classes.sort();
    let mut new = match NewBackup::begin(folder, node.name()) {
        Ok(new) => new,
        Err(error) => return Ok(Err(error)),
    };
    for (at, class) in classes.iter().enumerate() {
        match save_class(node, survey, class, &mut new, due).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ok(Err(error)),
            Err(error) => {
                new.unreached(format!("class {class}: {error}"));
                let left = classes.len() - at - 1;
                if error.status().is_none() && left > 0 {
                    // A node that is gone would cost its timeout for each.
                    new.unreached(format!("{left} more classes, as it does not answer any more"));
                    break;
                }
            }
        }
    }
    Ok(Ok(new))
}

async fn save_class(
    node: &Node,
    survey: &Survey,
    class: &str,
    new: &mut NewBackup,
    due: Due<'_>,
) -> Result<io::Result<()>, Error> {
    if !is_class_name(class) {
        new.unreached(format!("class {class:?}, which has no name that a class can have"));
        return Ok(Ok(()));
    }
    let Some(found) = node.own_class(class).await? else {
        new.unreached(format!("class {class}, which was deleted meanwhile"));
        return Ok(Ok(()));
    };
    let mut missing = vec![];
    let tenants = if is_multi_tenant(&found.value) {
        Some(tenants(node, survey, class, &mut missing).await)
    } else {
        missing.extend(unseen_shards(survey, class, &found.value));
        None
    };
    let saved = async {
        let mut files = save_schema(new, class, &found)?;
        if let Some((all, _)) = &tenants {
            files.push(new.save(class, "tenants", &pretty(all))?);
        }
        let mut file = new.objects(class)?;
        let active = tenants.as_ref().map(|(_, active)| active.as_slice());
        let exported = export(node, class, active, &mut file, &|done| due(class, done)).await?;
        missing.extend(exported.missing);
        files.push(file.finish()?);
        new.add(BackedUp {
            class: class.into(),
            objects: exported.objects,
            complete: missing.is_empty(),
            files,
        });
        for what in missing {
            new.unreached(what);
        }
        Ok(())
    };
    Ok(saved.await)
}

/// Returns the tenants, and the names of those whose objects can be read. A node that leads nobody
/// may show none in its own view, so whoever knows any is asked.
async fn tenants(
    node: &Node,
    survey: &Survey,
    class: &str,
    missing: &mut Vec<String>,
) -> (Value, Vec<String>) {
    let mut tenants = vec![];
    let (led, own) = (node.tenants(class).await, node.own_tenants(class).await);
    if let (Err(error), Err(_)) = (&led, &own) {
        missing.push(format!("the tenants of {class}: {error}"));
    }
    for tenant in led.into_iter().chain(own).flatten() {
        let known = |known: &crate::weaviate::Tenant| known.name == tenant.name;
        if !tenants.iter().any(known) {
            tenants.push(tenant);
        }
    }
    tenants.sort();
    for shard in survey.shard_names(class) {
        if !tenants.iter().any(|tenant| tenant.name == shard) {
            missing
                .push(format!("tenant `{shard}` of {class}, which {} does not list", node.name()));
        }
    }
    let (active, inactive): (Vec<_>, Vec<_>) = tenants.iter().partition(|t| t.is_active());
    if !inactive.is_empty() {
        let names: Vec<_> = inactive.iter().map(|tenant| tenant.name.as_str()).collect();
        let number = count(names.len(), "tenant");
        missing.push(format!(
            "the objects of {number} of {class} that are not active: {}",
            names.join(", ")
        ));
    }
    let active = active.into_iter().map(|tenant| tenant.name.clone()).collect();
    (json!(tenants), active)
}

/// Tells that shards are on no node that can be seen: the server passes over them without a word.
fn unseen_shards(survey: &Survey, class: &str, definition: &Value) -> Option<String> {
    let sharding = &definition["shardingConfig"];
    let planned = sharding["actualCount"].as_u64().or_else(|| sharding["desiredCount"].as_u64())?;
    let seen: BTreeSet<_> = survey.shard_names(class).collect();
    let seen = seen.len() as u64;
    (seen < planned).then(|| {
        format!("objects of {class} in shards that no node shows: {seen} of {planned} are shown")
    })
}
