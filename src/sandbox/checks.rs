//! What the server refuses in a class, in its words.
//!
//! Looks only at the class as it was sent; what depends on the cluster (that
//! it exists already, that there are too few nodes) is said in `schema`.

use serde_json::Value;

use super::class::{Object, class_name};

const TYPES: [&str; 20] = [
    "text",
    "text[]",
    "string",
    "string[]",
    "int",
    "int[]",
    "number",
    "number[]",
    "boolean",
    "boolean[]",
    "date",
    "date[]",
    "uuid",
    "uuid[]",
    "blob",
    "blobHash",
    "geoCoordinates",
    "phoneNumber",
    "object",
    "object[]",
];

/// Modules that need no other service to be named in a class: a stock server has them.
const VECTORIZERS: [&str; 8] = [
    "none",
    "",
    "text2vec-openai",
    "text2vec-cohere",
    "text2vec-weaviate",
    "text2vec-huggingface",
    "text2vec-voyageai",
    "text2vec-google",
];

/// Refuses a class that no server would take.
pub(super) fn check(sent: &Object) -> Result<(), String> {
    let text = |key: &str| sent.get(key).and_then(Value::as_str).unwrap_or_default();
    let given = |key: &str| sent.get(key).is_some_and(|value| !value.is_null());
    let name = class_name(text("class"));

    if !is_name(&name, 255) || !name.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        return Err(format!("'{name}' is not a valid class name"));
    }
    check_properties(&name, sent.get("properties"))?;
    if !VECTORIZERS.contains(&text("vectorizer")) {
        return Err(format!("vectorizer: no module with name \"{}\" present", text("vectorizer")));
    }
    let kind = text("vectorIndexType");
    if !["", "hnsw", "flat", "dynamic"].contains(&kind) {
        return Err(format!("unrecognized or unsupported vectorIndexType \"{kind}\""));
    }
    let tenants = sent.get("multiTenancyConfig").and_then(|config| config.get("enabled"));
    if tenants == Some(&Value::Bool(true)) && given("shardingConfig") {
        return Err("cannot have both shardingConfig and multiTenancyConfig".to_owned());
    }
    Ok(())
}

fn check_properties(class: &str, sent: Option<&Value>) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    for property in sent.and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        let name = property.get("name").and_then(Value::as_str).unwrap_or_default();
        if !is_name(name, 231) {
            return Err(format!(
                "'{name}' is not a valid property name. Property names in Weaviate are restricted \
                 to valid GraphQL names, which must be “/[_A-Za-z][_0-9A-Za-z]{{0,230}}/”"
            ));
        }
        if seen.contains(&name.to_lowercase()) {
            return Err(format!(
                "class \"{class}\": conflict for property \"{name}\": already in use or provided \
                 multiple times"
            ));
        }
        seen.push(name.to_lowercase());
        check_type(name, property.get("dataType"))?;
    }
    Ok(())
}

fn check_type(property: &str, sent: Option<&Value>) -> Result<(), String> {
    let types: Vec<&str> =
        sent.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let listed = types.join(" ");
    let invalid =
        |why: &str| Err(format!("property '{property}': invalid dataType: [{listed}]: {why}"));
    match types.as_slice() {
        [] => invalid("dataType must have at least one element"),
        // A name with a capital letter is a reference to a class.
        [first, ..] if first.starts_with(|letter: char| letter.is_ascii_uppercase()) => Ok(()),
        [one] if TYPES.contains(one) => Ok(()),
        [first, ..] => invalid(&format!("unknown primitive data type '{first}'")),
    }
}

/// Returns whether a name is a letter or `_`, then those and digits, `longest` at most.
fn is_name(name: &str, longest: usize) -> bool {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    first && name.len() <= longest && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
