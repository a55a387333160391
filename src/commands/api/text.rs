//! The reference for a terminal.

use owo_colors::OwoColorize;

use super::{WIDTH, wrap};
use crate::host::{Call, Effect, Primitive, Reference, Syntax};
use crate::terminal::Styles;

/// Renders the reference; `whole`: with what holds for all primitives, and the topics.
pub(super) fn render(reference: &Reference, whole: bool, styles: Styles) -> String {
    let mut page = Page { lines: vec![], styles };
    if whole {
        page.paragraphs(&reference.about, "");
    }
    if let Some(step) = &reference.step {
        page.syntax(step);
    }
    for topic in &reference.topics {
        if whole {
            let about = topic.about.trim_end_matches('.');
            page.lines.push(format!("{}: {about}", topic.name.style(styles.aside)));
            page.lines.push(String::new());
        }
        topic.primitives.iter().for_each(|primitive| page.primitive(primitive));
    }
    page.lines.join("\n")
}

struct Page {
    lines: Vec<String>,
    styles: Styles,
}

impl Page {
    fn syntax(&mut self, step: &Syntax) {
        self.lines.push(step.signature.style(self.styles.step).to_string());
        self.paragraphs(&step.about, "    ");
        self.example(&step.example);
    }

    fn primitive(&mut self, primitive: &Primitive) {
        let mut calls = primitive.calls.iter();
        if let Some(first) = calls.next() {
            self.call(first);
            let effect = primitive.effect_text.split_once(' ').unwrap_or(("", ""));
            let verb = match primitive.effect {
                Effect::Changes => effect.0.style(self.styles.caution).to_string(),
                Effect::Reads | Effect::Nothing => effect.0.to_owned(),
            };
            let rest = wrap(&primitive.effect_text, WIDTH - 4);
            for (number, line) in rest.iter().enumerate() {
                let line = match line.strip_prefix(effect.0).filter(|_| number == 0) {
                    Some(rest) => format!("{verb}{rest}"),
                    None => line.clone(),
                };
                self.lines.push(format!("    {line}"));
            }
            self.lines.push(String::new());
            self.paragraphs(primitive.refused.as_slice(), "    ");
            self.paragraphs(std::slice::from_ref(&primitive.throws_text), "    ");
            self.example(&first.example);
        }
        for other in calls {
            self.call(other);
            self.example(&other.example);
        }
    }

    fn call(&mut self, call: &Call) {
        self.lines.push(call.signature.style(self.styles.step).to_string());
        self.paragraphs(&call.about, "    ");
    }

    fn paragraphs(&mut self, paragraphs: &[String], indent: &str) {
        for paragraph in paragraphs.iter().filter(|it| !it.is_empty()) {
            let lines = wrap(paragraph, WIDTH - indent.len());
            self.lines.extend(lines.into_iter().map(|line| format!("{indent}{line}")));
            self.lines.push(String::new());
        }
    }

    fn example(&mut self, example: &str) {
        for line in example.lines() {
            let line = format!("        {}", line.style(self.styles.aside));
            self.lines.push(if self.styles.coloured { line } else { line.trim_end().into() });
        }
        self.lines.push(String::new());
    }
}
