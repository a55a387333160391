//! A survey as it is kept in a file: what a run saw first and last, what `survey` prints, and what a
//! sandbox can be made like.
//!
//! Holds what the servers answered, in their own words, so that it can be judged anew; what could not
//! be seen is there as the reason why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Classes, Seen, Survey, View};
use crate::weaviate::{Movement, NodeStatus, Statistics, Tenant};

/// The version of the format.
const VERSION: u32 = 1;

/// A survey as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The version of the format, 1.
    pub survey: u32,
    /// When it was taken: RFC 3339, UTC.
    pub taken: String,
    /// What each node answered, in the order in which the operator named them.
    pub nodes: Vec<SavedNode>,
    /// All classes as the RAFT leader has them, by name; absent where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_schema: Option<Classes>,
    /// Why the leader could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_unknown: Option<String>,
    /// Replica movements that are not over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub movements: Vec<Movement>,
    /// Whether the servers said that they move no replicas: it is off, or came later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub movement_off: bool,
    /// What could not be read of the cluster as a whole, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What was read of each class beyond the answers of the nodes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, SavedClass>,
}

/// What one node answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedNode {
    /// The node, by the name of `--node`.
    pub node: String,
    /// Its address.
    pub url: String,
    /// Its RAFT name, where it can be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raft_name: Option<String>,
    /// The RAFT name that it is taken for where that can't be known: the one that fits best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_for: Option<String>,
    /// Why it is unknown what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<SavedView>,
}

/// The answers of one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedView {
    /// `/v1/cluster/statistics`
    pub statistics: Statistics,
    /// `/v1/nodes?output=verbose`
    pub nodes: Vec<NodeStatus>,
    /// Classes that its own schema has just as the leader.
    pub same_as_leader: Vec<String>,
    /// The other classes of its own schema, by name.
    pub own_schema: Classes,
}

/// The nodes (RAFT names) that should hold each shard of a class.
pub type Plan = BTreeMap<String, Vec<String>>;

/// What was read of a class beyond the answers of the nodes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedClass {
    /// The plan; absent where no server tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Plan>,
    /// Other plans, by the RAFT name of the leader that has it: where nodes have come apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub planned_by: BTreeMap<String, Plan>,
    /// Its tenants; absent for a class without, and where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<Tenant>>,
    /// How many objects each replica holds, as well as that can be known: by shard, then by the RAFT
    /// name of the node.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// What could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl Saved {
    /// Returns what a survey has seen.
    #[must_use]
    pub fn of(survey: &Survey) -> Self {
        let (leader_schema, leader_unknown) = match &survey.leader_schema {
            Ok(classes) => (Some(classes.clone()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let nodes = survey.nodes.iter().map(|seen| node(survey, seen)).collect();
        let mut saved = Self {
            survey: VERSION,
            taken: jiff::Timestamp::now().to_string(),
            nodes,
            leader_schema,
            leader_unknown,
            movements: vec![],
            movement_off: false,
            unknown: vec![],
            classes: BTreeMap::new(),
        };
        survey.take_for(&mut saved);
        saved
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// It is no survey, or one of a later version; why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
        match value["survey"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(format!("it has version {version}, and this program reads {VERSION}"));
            }
            None => return Err("it is not what `elysia-runbook survey` prints".into()),
        }
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    /// Returns it as the text of a file.
    #[must_use]
    pub fn text(&self) -> String {
        // Maps have text for keys, so this can't fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl SavedNode {
    /// Returns the RAFT name that it has, or is taken for.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.raft_name.as_deref().or(self.taken_for.as_deref())
    }

    /// Returns the name that a twin gives it: its own, else that of `--node`.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name().unwrap_or(&self.node)
    }

    /// Returns the classes of the node's own schema; `None` where they are unknown.
    #[must_use]
    pub fn own_schema(&self, leader: Option<&Classes>) -> Option<Classes> {
        let view = self.view.as_ref()?;
        let mut classes = view.own_schema.clone();
        for name in &view.same_as_leader {
            let class = leader.and_then(|leader| leader.get(name))?;
            classes.insert(name.clone(), class.clone());
        }
        Some(classes)
    }
}

fn node(survey: &Survey, seen: &Seen) -> SavedNode {
    let (view, unknown) = match &seen.view {
        Ok(answers) => (Some(view(survey, answers)), None),
        Err(error) => (None, Some(error.to_string())),
    };
    SavedNode {
        node: seen.node.clone(),
        url: seen.url.clone(),
        raft_name: survey.raft_name(&seen.node).map(Into::into),
        taken_for: None,
        unknown,
        view,
    }
}

fn view(survey: &Survey, view: &View) -> SavedView {
    let leader = survey.leader_schema.as_ref().ok();
    let same = |name: &str, class: &Value| leader.and_then(|it| it.get(name)) == Some(class);
    let (same, own): (Vec<_>, Vec<_>) =
        view.own_schema.iter().partition(|(name, class)| same(name, class));
    SavedView {
        statistics: view.statistics.clone(),
        nodes: view.statuses.clone(),
        same_as_leader: same.into_iter().map(|(name, _)| name.clone()).collect(),
        own_schema: own.into_iter().map(|(name, class)| (name.clone(), class.clone())).collect(),
    }
}
