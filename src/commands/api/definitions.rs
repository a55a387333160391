//! The reference as a definition file of Rhai (`.d.rhai`), for editors.

use crate::host::{Call, Kind, Primitive, Reference};

/// Renders the reference. The syntax of steps has no definition, and is told in a comment.
pub(super) fn render(reference: &Reference) -> String {
    let mut parts = vec!["module static;".to_owned()];
    if let Some(step) = &reference.step {
        let lines = step.about.iter().map(String::as_str);
        parts.push(comment("//", std::iter::once(step.signature.as_str()).chain(lines)));
    }
    for topic in &reference.topics {
        parts.push(comment("//", [format!("{}: {}", topic.name, topic.about).as_str()]));
        parts.extend(topic.primitives.iter().flat_map(primitive));
    }
    parts.join("\n\n")
}

fn primitive(primitive: &Primitive) -> Vec<String> {
    let of_all: Vec<&str> = std::iter::once(&primitive.effect_text)
        .chain(&primitive.refused)
        .chain(std::iter::once(&primitive.throws_text))
        .map(String::as_str)
        .collect();
    let function = |call: &Call| {
        let example = format!("```rhai\n{}\n```", call.example);
        let about = call.about.iter().map(String::as_str);
        let doc = comment("///", about.chain(of_all.iter().copied()).chain([example.as_str()]));
        let parameters: Vec<String> =
            call.parameters.iter().map(|it| format!("{}: {}", it.name, type_of(it.kind))).collect();
        let (name, parameters) = (&primitive.name, parameters.join(", "));
        format!("{doc}\nfn {name}({parameters}) -> {};", type_of(call.returns))
    };
    primitive.calls.iter().map(function).collect()
}

fn comment<'a>(slashes: &str, paragraphs: impl IntoIterator<Item = &'a str>) -> String {
    let mut lines: Vec<String> = vec![];
    for paragraph in paragraphs {
        if !lines.is_empty() {
            lines.push(slashes.into());
        }
        let wrapped: Vec<String> = if paragraph.starts_with("```") {
            paragraph.lines().map(Into::into).collect()
        } else {
            super::wrap(paragraph, super::WIDTH)
        };
        lines.extend(wrapped.iter().map(|line| format!("{slashes} {line}").trim_end().to_owned()));
    }
    lines.join("\n")
}

/// Returns what definition files call a kind.
fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "String",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Bool => "bool",
        Kind::List => "Array",
        Kind::Map => "Map",
        Kind::Function => "FnPtr",
        Kind::Unit => "()",
        Kind::Any => "?",
    }
}
