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

/// Returns the class of an object, made or widened where the object needs it.
pub(super) fn class_for(world: &mut World, at: usize, object: &Object) -> Result<Class, String> {
    let name = class_name(object.get("class").and_then(Value::as_str).unwrap_or_default());
    let sent = object.get("properties");
    let day = today(world);
    match world.nodes[at].schema.get(&name) {
        None => make(world, at, &name, sent, &day)?,
        Some(class) => {
            let new = properties::unknown(class.properties(), sent, &day);
            if !new.is_empty() {
                let class = name.clone();
                world.commit(at, Command::AddProperties { class, properties: new })?;
            }
        }
    }
    let made = world.nodes[at].schema.get(&name).cloned();
    made.ok_or_else(|| format!("class '{name}' not present in schema"))
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
