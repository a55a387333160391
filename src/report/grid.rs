//! Which node has what of which class: a survey as a picture's squares.
//!
//! From a survey as it is kept in a run's folder. What could not be seen is unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::survey::{Saved, SavedNode, SavedView};

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
    /// Draws what was seen.
    #[must_use]
    pub fn of(survey: &Saved) -> Self {
        let nodes = nodes(survey);
        let mut held: BTreeMap<&str, Held> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for status in views(survey).flat_map(|view| &view.nodes) {
            if status.status.as_deref() == Some("HEALTHY") {
                seen.insert(status.name.as_str());
            }
            for replica in &status.shards {
                let shards = held.entry(&replica.class).or_default();
                shards.entry(&replica.name).or_default().insert(&status.name);
            }
        }
        let none = Held::new();
        let classes = classes(survey).into_iter().map(|class| {
            let held = held.get(class).unwrap_or(&none);
            class_grid(survey, class, &nodes, held, &seen)
        });
        let classes = classes.collect();
        Self { taken: survey.taken.clone(), nodes, classes, other_classes: 0 }
    }

    /// Leaves the classes that a run touched, where it touched any, also one that is only in the other
    /// survey of the run, of which these are `known`; and not more shards than a page can show.
    #[must_use]
    pub fn only(mut self, touched: &[String], known: &[String]) -> Self {
        let all = self.classes.len();
        if !touched.is_empty() {
            self.classes.retain(|it| touched.contains(&it.class));
        }
        self.other_classes = all - self.classes.len();
        let mut gone: BTreeSet<&String> = known.iter().filter(|it| touched.contains(it)).collect();
        gone.retain(|class| self.classes.iter().all(|it| it.class != **class));
        for class in gone {
            self.classes.push(ClassGrid {
                class: class.clone(),
                factor: None,
                own_schema: vec![Holding::None; self.nodes.len()],
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
        self
    }

    /// Returns the names of the classes.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.classes.iter().map(|class| class.class.clone())
    }
}

fn class_grid(
    survey: &Saved,
    class: &str,
    nodes: &[String],
    held: &Held,
    seen: &BTreeSet<&str>,
) -> ClassGrid {
    let more = survey.classes.get(class);
    let planned = more.and_then(|it| it.planned.as_ref());
    let tenants = more.and_then(|it| it.tenants.as_deref()).unwrap_or_default();
    let asleep: BTreeSet<&str> =
        tenants.iter().filter(|it| !it.is_active()).map(|it| it.name.as_str()).collect();
    let mut shards: BTreeSet<&str> = held.keys().copied().collect();
    shards.extend(planned.iter().flat_map(|planned| planned.keys()).map(String::as_str));
    shards.extend(tenants.iter().map(|tenant| tenant.name.as_str()));
    let cell = |shard: &str, node: &String| {
        if held.get(shard).is_some_and(|nodes| nodes.contains(node.as_str())) {
            Holding::Has
        } else if !seen.contains(node.as_str()) || asleep.contains(shard) {
            // Nodes do not tell what they hold of a tenant that is not active.
            Holding::Unknown
        } else if planned.and_then(|it| it.get(shard)).is_some_and(|it| it.contains(node)) {
            Holding::Lacks
        } else {
            Holding::None
        }
    };
    let definition = survey
        .leader_schema
        .iter()
        .chain(views(survey).map(|view| &view.own_schema))
        .find_map(|classes| classes.get(class));
    ClassGrid {
        class: class.into(),
        // Without a word the server takes 1.
        factor: definition.map(|it| it["replicationConfig"]["factor"].as_u64().unwrap_or(1)),
        own_schema: nodes.iter().map(|node| own_schema(survey, node, class)).collect(),
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
fn own_schema(survey: &Saved, node: &str, class: &str) -> Holding {
    let entry = survey.nodes.iter().find(|entry| entry.label() == node);
    let Some(view) = entry.and_then(|entry| entry.view.as_ref()) else { return Holding::Unknown };
    let has_it =
        view.own_schema.contains_key(class) || view.same_as_leader.iter().any(|it| it == class);
    let wanted = survey.leader_schema.as_ref().is_some_and(|it| it.contains_key(class));
    match (has_it, wanted) {
        (true, _) => Holding::Has,
        (false, true) => Holding::Lacks,
        (false, false) => Holding::None,
    }
}

fn views(survey: &Saved) -> impl Iterator<Item = &SavedView> {
    survey.nodes.iter().filter_map(|node| node.view.as_ref())
}

fn nodes(survey: &Saved) -> Vec<String> {
    let named = survey.nodes.iter().map(SavedNode::label);
    let listed = views(survey).flat_map(|view| &view.nodes).map(|status| status.name.as_str());
    let all: BTreeSet<&str> = named.chain(listed).collect();
    all.into_iter().map(Into::into).collect()
}

/// Returns the classes that the leader or any node has.
fn classes(survey: &Saved) -> BTreeSet<&str> {
    let own = views(survey).flat_map(|view| view.own_schema.keys().chain(&view.same_as_leader));
    let leader = survey.leader_schema.iter().flat_map(|classes| classes.keys());
    own.chain(leader).map(String::as_str).collect()
}
