//! Text in a page, from wherever it comes: nothing in it can be more than text.

use std::fmt::{self, Display, Write};

use super::Tone;
use crate::text::is_harmful;

/// Text that can't be anything but text in a page.
pub(super) struct Safe<'a>(pub(super) &'a str);

impl Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(character)?,
                c if is_harmful(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Writes an item of a list, with its mark.
pub(super) fn item(page: &mut String, tone: Option<Tone>, mark: &str, text: &str) -> fmt::Result {
    let tone = tone.map(|tone| format!(" {}", class(tone))).unwrap_or_default();
    let text = Safe(text);
    writeln!(
        page,
        "<li><span class=\"mark{tone}\">{mark}</span><span class=\"said\">{text}</span></li>"
    )
}

/// Returns the class for how something is to be taken.
pub(super) fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Caution => "caution",
        Tone::Bad => "bad",
    }
}
