//! `--set NAME=VALUE` against what a runbook declares.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;
use crate::runbook::{Outline, Parameter};

/// Returns a value for every parameter.
///
/// # Errors
///
/// Every fault: unknown names, wrong types, required ones that are missing.
pub(super) fn resolve(
    outline: &Outline,
    runbook: &str,
    set: &[String],
) -> Result<BTreeMap<String, Value>, Vec<Error>> {
    let mut errors = vec![];
    let mut values = BTreeMap::new();
    for pair in set {
        let Some((name, text)) = pair.split_once('=') else {
            errors.push(
                Error::usage(format!("`--set {pair}` has no value"))
                    .hint("write `--set NAME=VALUE`"),
            );
            continue;
        };
        let Some(parameter) = outline.parameters.iter().find(|p| p.name == name) else {
            errors.push(unknown(outline, runbook, name));
            continue;
        };
        match parse(parameter, text) {
            Ok(value) => {
                if values.insert(name.to_owned(), value).is_some() {
                    errors.push(Error::usage(format!("parameter `{name}` is set twice")));
                }
            }
            Err(error) => errors.push(error),
        }
    }
    for parameter in &outline.parameters {
        if values.contains_key(&parameter.name) {
            continue;
        }
        match &parameter.default {
            Some(default) => {
                values.insert(parameter.name.clone(), default.clone());
            }
            None if errors.is_empty() => errors.push(
                Error::usage(format!("parameter `{}` is required", parameter.name))
                    .hint(format!("give it with `--set {}=VALUE`", parameter.name)),
            ),
            None => {}
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn unknown(outline: &Outline, runbook: &str, name: &str) -> Error {
    let error = Error::usage(format!("`{runbook}` has no parameter `{name}`"));
    let near = outline
        .parameters
        .iter()
        .map(|p| p.name.as_str())
        .find(|known| strsim::jaro_winkler(known, name) > 0.8);
    let all: Vec<_> = outline.parameters.iter().map(|p| format!("`{}`", p.name)).collect();
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if all.is_empty() => error.hint("it has no parameters at all"),
        None => error.hint(format!("it has {}", all.join(", "))),
    }
}

fn parse(parameter: &Parameter, text: &str) -> Result<Value, Error> {
    let wrong = |wanted: &str| {
        Error::usage(format!("parameter `{}` is {wanted}, not `{text}`", parameter.name))
    };
    match &parameter.default {
        None | Some(Value::String(_)) => Ok(text.into()),
        Some(Value::Bool(_)) => match text {
            "true" | "yes" => Ok(true.into()),
            "false" | "no" => Ok(false.into()),
            _ => Err(wrong("true or false")),
        },
        Some(Value::Number(number)) if number.is_f64() => text
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .map(Into::into)
            .ok_or_else(|| wrong("a number")),
        Some(_) => text.parse::<i64>().map(Into::into).map_err(|_| wrong("a whole number")),
    }
}
