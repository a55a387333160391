//! The doc comment of a primitive: paragraphs and an example. Knows how they begin, and nothing of the
//! function below.

use super::Effect;
use crate::error::Code;

/// A doc comment.
#[derive(Debug, Clone, Default)]
pub(super) struct Doc {
    /// All paragraphs, each in one line.
    pub(super) about: Vec<String>,
    /// The example.
    pub(super) example: String,
}

/// How the paragraph begins that says what a primitive does to the cluster.
const EFFECTS: [(&str, Effect); 3] =
    [("Changes", Effect::Changes), ("Reads", Effect::Reads), ("Asks no node", Effect::Nothing)];

impl Doc {
    /// Reads the text of a comment, without its slashes.
    pub(super) fn parse(text: &str) -> Self {
        let (about, example) = text.split_once("```rhai\n").unwrap_or((text, ""));
        let about = about.split("\n\n").map(|it| it.trim().replace('\n', " "));
        let example = example.split("```").next().unwrap_or_default().trim_end();
        Self { about: about.filter(|it| !it.is_empty()).collect(), example: example.into() }
    }

    /// Returns the paragraph that begins with one of these.
    pub(super) fn paragraph(&self, beginnings: &[&str]) -> Option<String> {
        let begins = |it: &&String| beginnings.iter().any(|begin| it.starts_with(begin));
        self.about.iter().find(begins).cloned()
    }

    /// Returns the paragraph that says what is done to the cluster.
    pub(super) fn effect_text(&self) -> Option<String> {
        self.paragraph(&EFFECTS.map(|(begin, _)| begin))
    }

    /// Returns what is done to the cluster, where it is said.
    pub(super) fn effect(&self) -> Option<Effect> {
        let text = self.effect_text()?;
        EFFECTS.iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, effect)| *effect)
    }

    /// Returns the paragraphs that have no place of their own.
    pub(super) fn own(&self) -> Vec<String> {
        let other = ["Changes", "Reads", "Asks no node", "Refused", "Throws"];
        let own = |it: &&String| !other.iter().any(|begin| it.starts_with(begin));
        self.about.iter().filter(own).cloned().collect()
    }
}

/// Returns the words in back-ticks that are codes of failures.
pub(super) fn codes(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut found: Vec<String> = vec![];
    for code in quoted.filter(|word| codes.contains(word)) {
        if !found.iter().any(|there| there == code) {
            found.push(code.into());
        }
    }
    found
}
