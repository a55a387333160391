//! Auto-schema: an object of an unknown class makes the class, an unknown
//! property the property.
//!
//! The switch is on, as it is by default on the real server.

use serde_json::{Map, Value, json};

use super::class::{Class, Object, class_name};
use super::raft::Command;
use super::schema::create_class;
use super::world::World;
use super::{checks, properties};

/// Makes or widens the class of an object where the object needs it.
///
/// Returns the class from the node's own schema. It may still lack it: where the leader has
/// the class and this node does not, there is nothing to make.
pub(super) fn class_for(world: &mut World, at: usize, object: &Object) -> Result<Class, Missing> {
    let name = class_name(object.get("class").and_then(Value::as_str).unwrap_or_default());
    let sent = object.get("properties");
    let day = today(world);
    let leader = world.leader(at).map_err(Missing::Refused)?;
    match world.nodes[at].schema.get(&name) {
        None if world.nodes[leader].schema.contains_key(&name) => {}
        None => make(world, at, &name, sent, &day).map_err(Missing::Refused)?,
        Some(class) => {
            let properties = properties::unknown(class.properties(), sent, &day);
            if !properties.is_empty() {
                let command = Command::AddProperties { class: name.clone(), properties };
                world.commit(at, command).map_err(Missing::Refused)?;
            }
        }
    }
    world.nodes[at].schema.get(&name).cloned().ok_or(Missing::Here(name))
}

/// Why there is no class for an object.
#[derive(Debug)]
pub(super) enum Missing {
    /// Auto-schema was refused it.
    Refused(String),
    /// The cluster has it, and this node does not.
    Here(String),
}

impl Missing {
    /// Returns the server's words.
    pub(super) fn text(&self) -> String {
        match self {
            Missing::Refused(why) => why.clone(),
            Missing::Here(class) => format!("import into non-existing index for {class}"),
        }
    }
}

/// Makes a class, with the factor 1 that no one asked for.
pub(super) fn make(
    world: &mut World,
    at: usize,
    name: &str,
    sent: Option<&Value>,
    day: &str,
) -> Result<(), String> {
    let mut class = Map::new();
    class.insert("class".into(), json!(name));
    checks::check(&class)?;
    class.insert("description".into(), json!(properties::generated("property", day)));
    class.insert("properties".into(), Value::Array(properties::unknown(&[], sent, day)));
    create_class(world, at, &class).map(drop)
}

/// Returns the date in the words of Go's ANSIC layout.
pub(super) fn today(world: &mut World) -> String {
    let now = jiff::Timestamp::from_millisecond(world.now()).unwrap_or_default();
    now.strftime("%a %b %e %H:%M:%S %Y").to_string()
}
