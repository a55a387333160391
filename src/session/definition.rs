//! Class definitions: names, comparing what was asked for with what is there.

use serde_json::Value;

/// Tells whether a name can be a class's: a capital letter, then letters, digits, underscores.
///
/// The server would take a lower-case name and store another.
#[must_use]
pub fn is_class_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_uppercase())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 255
}

/// Tells whether the class has tenants.
pub(super) fn is_multi_tenant(definition: &Value) -> bool {
    definition["multiTenancyConfig"]["enabled"].as_bool() == Some(true)
}

/// Returns the definition without what the server derives from other settings, and refuses or
/// ignores when it is sent.
pub(super) fn postable(definition: &Value) -> Value {
    let mut definition = definition.clone();
    if is_multi_tenant(&definition)
        && let Some(fields) = definition.as_object_mut()
    {
        fields.shift_remove("shardingConfig");
    }
    definition
}

/// Tells whether a class is as another one was: the same but for what the server derives.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    without_derived(a) == without_derived(b)
}

/// Tells whether a class is as it was asked for. What was not asked for is the server's choice.
pub(super) fn fulfils(found: &Value, asked: &Value) -> bool {
    contains(&without_derived(found), &without_derived(asked))
}

fn contains(found: &Value, asked: &Value) -> bool {
    match (found, asked) {
        (Value::Object(found), Value::Object(asked)) => {
            asked.iter().all(|(key, asked)| contains(found.get(key).unwrap_or(&Value::Null), asked))
        }
        (Value::Array(found), Value::Array(asked)) => {
            found.len() == asked.len() && found.iter().zip(asked).all(|(f, a)| contains(f, a))
        }
        // The server leaves out what is empty.
        (Value::Null, Value::Array(asked)) => asked.is_empty(),
        (Value::Null, Value::Object(asked)) => asked.values().all(|a| contains(&Value::Null, a)),
        // The server writes 1.0 as 1, and what is null it chooses itself.
        (Value::Number(found), Value::Number(asked)) => found.as_f64() == asked.as_f64(),
        (_, Value::Null) => true,
        (found, asked) => found == asked,
    }
}

fn without_derived(definition: &Value) -> Value {
    let mut definition = postable(definition);
    let derived = [
        ("/replicationConfig", "asyncEnabled"),
        ("/shardingConfig", "actualCount"),
        ("/shardingConfig", "actualVirtualCount"),
    ];
    for (place, key) in derived {
        if let Some(fields) = definition.pointer_mut(place).and_then(Value::as_object_mut) {
            fields.shift_remove(key);
        }
    }
    definition
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names() {
        for good in ["A", "ELYSIA_CONFIG__", "Ab9"] {
            assert!(is_class_name(good), "{good}");
        }
        for bad in ["", "a", "1A", "A b", "A/../B", "Ä", "A-B"] {
            assert!(!is_class_name(bad), "{bad}");
        }
    }

    #[test]
    fn the_factor_matters_and_what_follows_from_it_does_not() {
        let one = json!({"class": "A", "replicationConfig": {"factor": 1, "asyncEnabled": false}});
        let derived =
            json!({"class": "A", "replicationConfig": {"factor": 1, "asyncEnabled": true}});
        let three = json!({"class": "A", "replicationConfig": {"factor": 3, "asyncEnabled": true}});
        assert!(same(&one, &derived));
        assert!(!same(&one, &three));
    }

    #[test]
    fn more_than_was_asked_for_is_fine_and_something_else_is_not() {
        let found = json!({"class": "A", "vectorizer": "none", "properties": [{"name": "p"}]});
        assert!(fulfils(&found, &json!({"class": "A"})));
        assert!(fulfils(&found, &json!({"class": "A", "properties": [{"name": "p"}]})));
        assert!(fulfils(&found, &json!({"class": "A", "vectorizer": null})));
        assert!(!fulfils(&found, &json!({"class": "A", "properties": []})));
        assert!(!fulfils(&found, &json!({"class": "A", "vectorizer": "text2vec"})));
    }
}
