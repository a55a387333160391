//! The reference for a terminal.

use owo_colors::OwoColorize;

use super::{WIDTH, wrap};
use crate::host::{Effect, Primitive, Reference, Syntax};
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
        for (number, call) in primitive.calls.iter().enumerate() {
            self.lines.push(call.signature.style(self.styles.step).to_string());
            self.paragraphs(&call.about, "    ");
            if number == 0 {
                self.effect(primitive);
                self.paragraphs(primitive.refused.as_slice(), "    ");
                self.paragraphs(std::slice::from_ref(&primitive.throws_text), "    ");
            }
            self.example(&call.example);
        }
    }

    fn effect(&mut self, primitive: &Primitive) {
        let begins = self.lines.len();
        self.paragraphs(std::slice::from_ref(&primitive.effect_text), "    ");
        if primitive.effect == Effect::Changes {
            let changes = "Changes".style(self.styles.caution).to_string();
            self.lines[begins] = self.lines[begins].replacen("Changes", &changes, 1);
        }
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
