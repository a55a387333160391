//! Text in Markdown, from wherever it comes: nothing in it can be more than text, also in a table.

use std::fmt::{self, Display, Write};

use crate::text::is_harmful;

/// Text that can't be anything but text on one line, also in a table.
pub(super) struct Plain<'a>(pub(super) &'a str);

/// Text in the letters of a machine, on one line. Not for tables: see [`CodeCell`].
pub(super) struct Code<'a>(pub(super) &'a str);

/// The same in a table.
pub(super) struct CodeCell<'a>(pub(super) &'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters: Vec<char> = self.0.trim_start().chars().collect();
        let is_word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
        for (at, character) in characters.iter().enumerate() {
            match character {
                // Between letters it means nothing, and names are full of it.
                '_' if is_word(at.checked_sub(1).and_then(|at| characters.get(at)))
                    && is_word(characters.get(at + 1)) =>
                {
                    f.write_char('_')?;
                }
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                    write!(f, "\\{character}")?;
                }
                // What would make a list or a heading of it at the beginning of a line.
                '-' | '+' | '=' if at == 0 => write!(f, "\\{character}")?,
                '.' | ')' if at > 0 && characters[..at].iter().all(char::is_ascii_digit) => {
                    write!(f, "\\{character}")?;
                }
                '\n' | '\t' => f.write_char(' ')?,
                c if is_harmful(*c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(*c)?,
            }
        }
        Ok(())
    }
}

impl Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for character in self.0.chars() {
            match character {
                '\n' | '\t' => text.push(' '),
                c if is_harmful(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        let fence = "`".repeat(longest_run(&text) + 1);
        // A space at one end alone would be shown.
        let needs_room = |c: char| c == '`' || c == ' ';
        let pad = if text.is_empty() || text.starts_with(needs_room) || text.ends_with(needs_room) {
            " "
        } else {
            ""
        };
        write!(f, "{fence}{pad}{text}{pad}{fence}")
    }
}

impl Display for CodeCell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A table looks for its lines before anything else.
        f.write_str(&Code(self.0).to_string().replace('|', "\\|"))
    }
}

/// Returns the length of the longest run of back-ticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Writes lines that are to be copied as they are.
pub(super) fn write_block(text: &mut String, lines: &str) -> fmt::Result {
    let visible = |c: char| {
        if c != '\n' && is_harmful(c) { c.escape_unicode().to_string() } else { c.into() }
    };
    let lines: String = lines.chars().map(visible).collect();
    let fence = "`".repeat(longest_run(&lines).max(2) + 1);
    writeln!(text, "{fence}sh\n{lines}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        for (text, plain) in [
            ("  - no list", "\\- no list"),
            ("12. no list either", "12\\. no list either"),
            ("1.39.0 of a_b__ <b>", "1\\.39.0 of a_b\\_\\_ &lt;b&gt;"),
            ("# a|b\n\u{202e}`c`", "\\# a\\|b \\u{202e}\\`c\\`"),
        ] {
            assert_eq!(Plain(text).to_string(), plain);
        }
        for (text, code) in [
            ("a|b", "`a|b`"),
            ("", "`  `"),
            ("`", "`` ` ``"),
            ("a``b", "```a``b```"),
            (" a", "`  a `"),
        ] {
            assert_eq!(Code(text).to_string(), code);
        }
        assert_eq!(CodeCell("a|`").to_string(), "`` a\\|` ``");
    }
}
