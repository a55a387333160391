//! What the server would add by itself for an object: properties and tenants. Such an object is not
//! inserted.

use serde_json::Value;

use super::Session;
use super::definition::is_multi_tenant;
use crate::error::{Code, Failure, Halt};
use crate::weaviate::ObjectName;

impl Session {
    /// Fails where the tenant is not there or not active: the server may create or activate it.
    pub(super) fn refuse_tenant(
        &self,
        object: &ObjectName,
        definition: &Value,
    ) -> Result<(), Halt> {
        let class = &object.class;
        let failure = match (&object.tenant, is_multi_tenant(definition)) {
            (None, false) => return Ok(()),
            (None, true) => {
                Failure::new(Code::Invalid, format!("`{class}` has tenants; name one of them"))
            }
            (Some(_), false) => {
                Failure::new(Code::Invalid, format!("`{class}` has no multi-tenancy"))
            }
            (Some(name), true) => {
                let tenants = self.tenants_of(class, definition)?.unwrap_or_default();
                match tenants.iter().find(|tenant| tenant.name == *name) {
                    Some(tenant) if tenant.is_active() => return Ok(()),
                    Some(tenant) => Failure::new(
                        Code::Invalid,
                        format!("tenant `{name}` of `{class}` is {}", tenant.activity_status),
                    ),
                    None => Failure::new(
                        Code::NotFound,
                        format!("there is no tenant `{name}` in `{class}`"),
                    ),
                }
            }
        };
        Err(failure.into())
    }
}

/// Fails for a property that the class lacks.
pub(super) fn refuse_unknown(
    class: &str,
    properties: &Value,
    known: &Value,
) -> Result<(), Failure> {
    let Some(properties) = properties.as_object() else { return Ok(()) };
    for (name, value) in properties {
        let property = known.as_array().into_iter().flatten().find(|known| known["name"] == **name);
        let Some(property) = property else {
            let message = format!("`{class}` has no property `{name}`");
            return Err(Failure::new(Code::Invalid, message)
                .hint("auto-schema would add it to the class, so the object is not inserted"));
        };
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter(|_| property["nestedProperties"].is_array()) {
            refuse_unknown(class, value, &property["nestedProperties"])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_that_auto_schema_would_add() {
        let known = json!([
            { "name": "t" },
            { "name": "o", "nestedProperties": [{ "name": "x" }] },
        ]);
        let refused = |properties| refuse_unknown("C", &properties, &known).is_err();
        assert!(!refused(json!({})));
        assert!(!refused(json!({ "t": "a", "o": { "x": 1 } })));
        assert!(refused(json!({ "u": "a" })));
        assert!(refused(json!({ "o": { "y": 1 } })));
        assert!(refused(json!({ "o": [{ "x": 1 }, { "y": 1 }] })));
        assert!(refuse_unknown("C", &json!({ "t": 1 }), &Value::Null).is_err());
    }
}
