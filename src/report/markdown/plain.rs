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
        let characters: Vec<char> = self.0.chars().collect();
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
        let edge =
            |at: Option<char>| if at.is_none_or(|c| c == '`' || c == ' ') { " " } else { "" };
        let (first, last) = (edge(text.chars().next()), edge(text.chars().last()));
        // A space at one end alone would be shown.
        let pad = if first.is_empty() && last.is_empty() { "" } else { " " };
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
