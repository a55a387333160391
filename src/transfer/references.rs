//! References in objects: the server takes none to an object that is not there yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize, Serialize)]
struct Reference {
    beacon: String,
}

/// Returns the id of the object that a server's message misses.
pub(super) fn missing_target(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("no object with id ")?;
    rest.split_whitespace().next()
}

/// Tells whether an object may have references.
pub(super) fn has_references(object: &RawValue) -> bool {
    object.get().contains("\"beacon\"")
}

/// Returns the references of an object's properties: the name of each and the beacons.
pub(super) fn references_of(properties: &Value) -> BTreeMap<String, Vec<String>> {
    let beacons = |value: &Value| -> Option<Vec<String>> {
        let list = value.as_array().filter(|list| !list.is_empty())?;
        list.iter().map(|one| one["beacon"].as_str().map(str::to_owned)).collect()
    };
    let properties = properties.as_object().into_iter().flatten();
    properties.filter_map(|(name, value)| Some((name.clone(), beacons(value)?))).collect()
}

/// Returns an object without some of its references: those whose beacon is to be dropped. Numbers stay
/// as they are written.
pub(super) fn without_references(
    object: &RawValue,
    is_dropped: impl Fn(&str) -> bool,
) -> serde_json::Result<Box<RawValue>> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(object.get())?;
    if let Some(properties) = fields.get_mut("properties") {
        let mut each: BTreeMap<String, Box<RawValue>> = serde_json::from_str(properties.get())?;
        let mut emptied = vec![];
        for (name, value) in each.iter_mut().filter(|(_, value)| has_references(value)) {
            // Anything else, a nested object perhaps, is no reference.
            let Ok(mut references) = serde_json::from_str::<Vec<Reference>>(value.get()) else {
                continue;
            };
            references.retain(|reference| !is_dropped(&reference.beacon));
            *value = serde_json::value::to_raw_value(&references)?;
            emptied.extend((references.is_empty()).then(|| name.clone()));
        }
        each.retain(|name, _| !emptied.contains(name));
        *properties = serde_json::value::to_raw_value(&each)?;
    }
    serde_json::value::to_raw_value(&fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_go_and_the_rest_stays() {
        let object = r#"{"id":"a","properties":{"text":"\"beacon\"","number":1.10,
            "one":[{"beacon":"weaviate://localhost/B/x","href":"/v1"}],
            "two":[{"beacon":"weaviate://localhost/B/x"},{"beacon":"weaviate://localhost/B/y"}]}}"#;
        let object: Box<RawValue> = serde_json::from_str(object).expect("works");
        let without = without_references(&object, |beacon| beacon.ends_with("/x")).expect("works");
        assert_eq!(
            without.get(),
            r#"{"id":"a","properties":{"number":1.10,"text":"\"beacon\"","two":[{"beacon":"weaviate://localhost/B/y"}]}}"#
        );
        let message = "invalid cref: 'cref' Ref:other: no object with id d09f found";
        assert_eq!(missing_target(message), Some("d09f"));
    }
}
