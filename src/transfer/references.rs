//! References in objects: the server takes none to an object that is not there yet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// Tells whether a server refuses something as the target of a reference is not there. References of a
/// class with tenants are refused in other words.
pub(super) fn lacks_target(message: &str) -> bool {
    message.contains("no object with id ") || message.contains("not found for tenant")
}

/// Returns the beacons of an object's references, by property. `names` are the properties of the class
/// that are references: an object with a field called `beacon` is none.
pub(super) fn references_of(
    properties: &Value,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Vec<String>> {
    let beacons = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(|one| one["beacon"].as_str().map(str::to_owned)).collect()
    };
    let each = names.iter().map(|name| (name.clone(), beacons(&properties[name.as_str()])));
    each.filter(|(_, beacons)| !beacons.is_empty()).collect()
}

/// Returns an object without its references; `None` where it has none. Numbers stay as they are written.
pub(super) fn without_references(
    object: &RawValue,
    names: &BTreeSet<String>,
) -> Option<Box<RawValue>> {
    if names.is_empty() { None } else { without(object, |name| names.contains(name)) }
}

/// Returns an object without some of its properties; `None` where it has none of them.
pub(super) fn without(object: &RawValue, goes: impl Fn(&str) -> bool) -> Option<Box<RawValue>> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(object.get()).ok()?;
    let properties = fields.get_mut("properties")?;
    let mut each: BTreeMap<String, Box<RawValue>> = serde_json::from_str(properties.get()).ok()?;
    let all = each.len();
    each.retain(|name, _| !goes(name));
    if each.len() == all {
        return None;
    }
    *properties = to_raw_value(&each).ok()?;
    to_raw_value(&fields).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_go_and_the_rest_stays() {
        let object = r#"{"id":"a","properties":{"text":"\"beacon\"","number":1.10,"empty":[],
            "nested":[{"beacon":"weaviate://localhost/B/x"}],
            "one":[{"beacon":"weaviate://localhost/B/x","href":"/v1"}]}}"#;
        let names = BTreeSet::from(["one".to_owned(), "two".to_owned()]);
        let raw: Box<RawValue> = serde_json::from_str(object).expect("works");
        let without = without_references(&raw, &names).expect("it has some");
        assert_eq!(
            without.get(),
            r#"{"id":"a","properties":{"empty":[],"nested":[{"beacon":"weaviate://localhost/B/x"}],"number":1.10,"text":"\"beacon\""}}"#
        );
        assert!(without_references(&without, &names).is_none());
        let value: Value = serde_json::from_str(object).expect("works");
        let found = references_of(&value["properties"], &names);
        assert_eq!(found["one"], ["weaviate://localhost/B/x"]);
        assert_eq!(found.len(), 1);
        assert!(lacks_target("invalid cref: 'cref' Ref:other: no object with id d09f found"));
        assert!(!lacks_target("read-only"));
    }
}
