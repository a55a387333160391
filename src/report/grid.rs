//! Which node has what of which class: a survey as a picture's squares.
//!
//! From the file of a survey as it is kept in a run's folder. What could not be seen is unknown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How many shards are drawn of all classes together.
const SHARDS: usize = 300;

/// Which node has what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// When it was seen.
    pub taken: String,
    /// The nodes, by RAFT name; by the name of `--node` where that is all that is known.
    pub nodes: Vec<String>,
    /// The classes, by name.
    pub classes: Vec<ClassGrid>,
    /// Classes that are not drawn.
    pub other_classes: usize,
}

/// Which node has what of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassGrid {
    /// The class.
    pub class: String,
    /// The replicas that its schema promises for each shard.
    pub factor: Option<u64>,
    /// Whether the own schema of each node has it.
    pub own_schema: Vec<Holding>,
    /// Its shards, by name.
    pub shards: Vec<ShardGrid>,
    /// Shards that are not drawn.
    pub other_shards: usize,
}

/// Which node holds a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardGrid {
    /// The shard's name; the tenant's, where shards are tenants.
    pub shard: String,
    /// For each node.
    pub cells: Vec<Holding>,
}

/// Whether a node has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holding {
    /// It has it.
    Has,
    /// It has not, and should.
    Lacks,
    /// It has not, and none is planned there or the plan is not known.
    None,
    /// It could not be seen.
    Unknown,
}

impl Holding {
    /// Returns the sign that stands for it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Has => "●",
            Self::Lacks => "✗",
            Self::None => "·",
            Self::Unknown => "?",
        }
    }

    /// Returns it in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Has => "has it",
            Self::Lacks => "lacks it",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// Shards of a class with the nodes that hold each.
type Held<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl Grid {
    /// Reads the file of a survey.
    ///
    /// # Errors
    ///
    /// It is none; why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let survey: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if survey["survey"] != 1 {
            return Err("it is not a survey of version 1".into());
        }
        Ok(Self::of(&survey))
    }

    fn of(survey: &Value) -> Self {
        let nodes = nodes(survey);
        let mut held: BTreeMap<&str, Held> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let statuses = list(&survey["nodes"]).flat_map(|node| list(&node["view"]["nodes"]));
        for status in statuses {
            let Some(name) = status["name"].as_str() else { continue };
            if status["status"] == "HEALTHY" {
                seen.insert(name);
            }
            for replica in list(&status["shards"]) {
                let (Some(class), Some(shard)) =
                    (replica["class"].as_str(), replica["name"].as_str())
                else {
                    continue;
                };
                held.entry(class).or_default().entry(shard).or_default().insert(name);
            }
        }
        let none = Held::new();
        let classes = classes(survey).into_iter().map(|class| {
            let held = held.get(class).unwrap_or(&none);
            class_grid(survey, class, &nodes, held, &seen)
        });
        let classes = classes.collect();
        let taken = survey["taken"].as_str().unwrap_or_default().to_owned();
        Self { taken, nodes, classes, other_classes: 0 }
    }

    /// Leaves the classes that a run touched, where it touched any; and not more shards than a page
    /// can show.
    #[must_use]
    pub fn only(mut self, touched: &[String], there: &[String]) -> Self {
        let all = self.classes.len();
        if !touched.is_empty() {
            self.classes.retain(|it| touched.contains(&it.class));
        }
        self.other_classes = all - self.classes.len();
        let lacks =
            |grid: &Self, class: &&String| !grid.classes.iter().any(|it| it.class == **class);
        let missing: Vec<_> = there.iter().filter(|class| lacks(&self, class)).cloned().collect();
        for class in missing.into_iter().filter(|class| touched.contains(class)) {
            let own_schema = vec![Holding::None; self.nodes.len()];
            self.classes.push(ClassGrid {
                class,
                factor: None,
                own_schema,
                shards: vec![],
                other_shards: 0,
            });
        }
        self.classes.sort_by(|a, b| a.class.cmp(&b.class));
        let mut room = SHARDS;
        for class in &mut self.classes {
            class.other_shards = class.shards.len().saturating_sub(room);
            class.shards.truncate(room);
            room -= class.shards.len();
        }
        // Of a class without room for a single shard there is a line that says how many.
        self
    }

    /// Returns the names of the classes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.classes.iter().map(|class| class.class.clone()).collect()
    }
}

fn class_grid(
    survey: &Value,
    class: &str,
    nodes: &[String],
    held: &Held,
    seen: &BTreeSet<&str>,
) -> ClassGrid {
    let more = &survey["classes"][class];
    let planned = more["planned"].as_object();
    let inactive: BTreeSet<&str> = list(&more["tenants"])
        .filter(|tenant| {
            !matches!(tenant["activityStatus"].as_str(), Some("HOT" | "ACTIVE") | None)
        })
        .filter_map(|tenant| tenant["name"].as_str())
        .collect();
    let mut shards: BTreeSet<&str> = held.keys().copied().collect();
    shards.extend(planned.iter().flat_map(|planned| planned.keys()).map(String::as_str));
    shards.extend(list(&more["tenants"]).filter_map(|tenant| tenant["name"].as_str()));
    let cell = |shard: &str, node: &str| {
        let wanted = planned.and_then(|planned| planned.get(shard));
        if held.get(shard).is_some_and(|nodes| nodes.contains(node)) {
            Holding::Has
        } else if !seen.contains(node) || inactive.contains(shard) {
            Holding::Unknown
        } else if wanted.is_some_and(|nodes| list(nodes).any(|it| it == node)) {
            Holding::Lacks
        } else {
            Holding::None
        }
    };
    let there = &survey["leader_schema"][class];
    let own_schema: Vec<_> =
        nodes.iter().map(|node| own_schema(survey, node, class, !there.is_null())).collect();
    let definition = list(&survey["nodes"]).map(|node| &node["view"]["own_schema"][class]);
    let definition = std::iter::once(there).chain(definition).find(|it| !it.is_null());
    ClassGrid {
        class: class.into(),
        factor: definition
            .map(|definition| definition["replicationConfig"]["factor"].as_u64().unwrap_or(1)),
        own_schema,
        shards: shards
            .into_iter()
            .map(|shard| ShardGrid {
                shard: shard.into(),
                cells: nodes.iter().map(|node| cell(shard, node)).collect(),
            })
            .collect(),
        other_shards: 0,
    }
}

/// Tells whether the own schema of a node has a class, which it should where the leader has it.
fn own_schema(survey: &Value, node: &str, class: &str, wanted: bool) -> Holding {
    let Some(entry) = list(&survey["nodes"]).find(|entry| name_of(entry) == Some(node)) else {
        return Holding::Unknown;
    };
    let view = &entry["view"];
    if view.is_null() {
        return Holding::Unknown;
    }
    let same = list(&view["same_as_leader"]).any(|name| name == class);
    match (same || !view["own_schema"][class].is_null(), wanted) {
        (true, _) => Holding::Has,
        (false, true) => Holding::Lacks,
        (false, false) => Holding::None,
    }
}

fn nodes(survey: &Value) -> Vec<String> {
    let named = list(&survey["nodes"]).filter_map(name_of);
    let listed = list(&survey["nodes"])
        .flat_map(|node| list(&node["view"]["nodes"]))
        .filter_map(|status| status["name"].as_str());
    let all: BTreeSet<&str> = named.chain(listed).collect();
    all.into_iter().map(Into::into).collect()
}

/// Returns the RAFT name of a node, or else the name of `--node`.
fn name_of(node: &Value) -> Option<&str> {
    node["raft_name"].as_str().or_else(|| node["node"].as_str())
}

/// Returns the classes that the leader or any node has.
fn classes(survey: &Value) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = keys(&survey["leader_schema"]).collect();
    for node in list(&survey["nodes"]) {
        names.extend(keys(&node["view"]["own_schema"]));
        names.extend(list(&node["view"]["same_as_leader"]).filter_map(Value::as_str));
    }
    names
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str)
}
