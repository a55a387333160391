//! What differs between two definitions of a class, in words.

use serde_json::Value;

/// How many differences are told; more help nobody.
const TOLD: usize = 5;

/// Returns the places that differ, each with both values: `replicationConfig.factor is 3, not 1`.
#[must_use]
pub fn differences(theirs: &Value, leaders: &Value) -> String {
    let mut found = vec![];
    compare(theirs, leaders, "", &mut found);
    let more = found.len().saturating_sub(TOLD);
    found.truncate(TOLD);
    let told = found.join("; ");
    if more > 0 { format!("{told}; and {more} more") } else { told }
}

/// Returns the places that differ, without the values: these may be anybody's data.
#[must_use]
pub(super) fn places(theirs: &Value, others: &Value) -> String {
    let (Some(a), Some(b)) = (theirs.as_object(), others.as_object()) else {
        return "differs".into();
    };
    let mut places = vec![];
    for key in ["properties", "vector", "vectors", "tenant"] {
        match (a.get(key), b.get(key)) {
            (a, b) if a == b => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
                let differing = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
                places.extend(differing.map(|inner| format!("{key}.{inner}")));
            }
            _ => places.push(key.to_owned()),
        }
    }
    format!("another {}", places.join(", "))
}

fn compare(theirs: &Value, leaders: &Value, place: &str, found: &mut Vec<String>) {
    match (theirs, leaders) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                let side = |of: &serde_json::Map<String, Value>| {
                    of.get(key).cloned().unwrap_or(Value::Null)
                };
                compare(&side(a), &side(b), &place, found);
            }
        }
        // Properties are told by their names, as their order differs when some were added apart.
        (Value::Array(a), Value::Array(b)) if is_named(a) && is_named(b) => {
            let name = |entry: &Value| entry["name"].as_str().unwrap_or_default().to_owned();
            let mut names: Vec<_> = a.iter().chain(b).map(name).collect();
            names.sort();
            names.dedup();
            for name in names {
                let entry =
                    |of: &[Value]| of.iter().find(|entry| entry["name"] == name.as_str()).cloned();
                let (a, b) = (entry(a), entry(b));
                let place = format!("{place}[{name}]");
                match (a, b) {
                    (Some(a), Some(b)) => compare(&a, &b, &place, found),
                    (Some(_), None) => {
                        found.push(format!("{place} is there, and not at the leader"));
                    }
                    _ => found.push(format!("{place} is missing")),
                }
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{place} is {a}, not {b}")),
    }
}

fn is_named(entries: &[Value]) -> bool {
    entries.iter().all(|entry| entry["name"].is_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn places_are_named() {
        let theirs =
            json!({"a": {"factor": 3}, "properties": [{"name": "x", "t": 1}, {"name": "y"}]});
        let leaders =
            json!({"a": {"factor": 1}, "properties": [{"name": "z"}, {"name": "x", "t": 2}]});
        assert_eq!(
            differences(&theirs, &leaders),
            "a.factor is 3, not 1; properties[x].t is 1, not 2; properties[y] is there, and not at \
             the leader; properties[z] is missing"
        );
        assert_eq!(differences(&leaders, &leaders), "");
    }
}
