//! The reference as Markdown: `docs/api.md`.

use crate::host::{Effect, Primitive, Reference, Syntax, Topic};

/// Renders the reference; `whole`: as a page of its own, with contents.
pub(super) fn render(reference: &Reference, whole: bool) -> String {
    let mut parts: Vec<String> = vec![];
    if whole {
        parts.push("# What a runbook can say".into());
        parts.push(
            "<!-- Made by `elysia-runbook api --format markdown` from the comments in src/host/. -->".into(),
        );
        parts.push(
            "Beyond the language itself, which is [Rhai](https://rhai.rs/book). \
             [writing-runbooks.md](writing-runbooks.md) tells how a runbook is written, \
             [editors.md](editors.md) how an editor comes to know this, and `elysia-runbook api NAME` shows \
             one of these on a terminal."
                .into(),
        );
        parts.extend(reference.about.iter().cloned());
    }
    if let Some(step) = &reference.step {
        parts.extend(syntax(step));
    }
    for topic in &reference.topics {
        if whole {
            parts.push(format!("## {}", topic.name));
            parts.push(topic.about.clone());
            parts.push(contents(topic));
        }
        parts.extend(topic.primitives.iter().flat_map(primitive));
    }
    parts.join("\n\n")
}

fn syntax(step: &Syntax) -> Vec<String> {
    let mut parts = vec!["## step".into(), format!("`{}`", step.signature)];
    parts.extend(step.about.iter().cloned());
    parts.push(example(&step.example));
    parts
}

fn contents(topic: &Topic) -> String {
    let row = |primitive: &Primitive| {
        let (name, effect) = (&primitive.name, word(primitive.effect));
        let summary = primitive.summary().replace('|', "\\|");
        format!("| [`{name}`](#{name}) | {effect} | {summary} |")
    };
    let head = ["| primitive | | what it does |", "|---|---|---|"].map(String::from);
    head.into_iter().chain(topic.primitives.iter().map(row)).collect::<Vec<_>>().join("\n")
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Changes => "**changes**",
        Effect::Reads => "reads",
        Effect::Nothing => "",
    }
}

fn primitive(primitive: &Primitive) -> Vec<String> {
    let mut parts = vec![format!("### {}", primitive.name)];
    for (number, call) in primitive.calls.iter().enumerate() {
        parts.push(format!("`{}`", call.signature));
        parts.extend(call.about.iter().cloned());
        if number == 0 {
            parts.push(match primitive.effect {
                Effect::Changes => primitive.effect_text.replacen("Changes", "**Changes**", 1),
                Effect::Reads | Effect::Nothing => primitive.effect_text.clone(),
            });
            parts.extend(primitive.refused.clone());
            parts.push(primitive.throws_text.clone());
        }
        parts.push(example(&call.example));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn example(text: &str) -> String {
    format!("```rhai\n{text}\n```")
}
