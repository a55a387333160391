//! Colours, plain unless a terminal wants them; and text from elsewhere made harmless.

use std::io::IsTerminal;

use owo_colors::Style;

use crate::text::is_harmful;

/// Styles by what they mean. The default is plain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    /// Titles of steps.
    pub step: Style,
    /// What went well.
    pub good: Style,
    /// What needs attention.
    pub caution: Style,
    /// What went wrong.
    pub bad: Style,
    /// What is less important.
    pub aside: Style,
    /// Whether there are colours at all.
    pub coloured: bool,
}

impl Styles {
    /// Returns the styles for stdout.
    #[must_use]
    pub fn for_stdout() -> Self {
        Self::coloured_if(std::io::stdout().is_terminal())
    }

    /// Returns the styles for stderr.
    #[must_use]
    pub fn for_stderr() -> Self {
        Self::coloured_if(std::io::stderr().is_terminal())
    }

    fn coloured_if(terminal: bool) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if !terminal || set("NO_COLOR") || dumb {
            return Self::default();
        }
        Self {
            step: Style::new().bold(),
            good: Style::new().green(),
            caution: Style::new().yellow(),
            bad: Style::new().red().bold(),
            aside: Style::new().dimmed(),
            coloured: true,
        }
    }
}

/// Returns text from a script or a server so that it can't act on a terminal or look like a line
/// of ours: control and direction characters become visible, further lines are indented.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\n        "),
            '\t' => shown.push(' '),
            c if is_harmful(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn text_from_elsewhere_cannot_forge_output() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("fine\nSUCCESS: all"), "fine\n        SUCCESS: all");
        assert_eq!(shown("\u{202e}abc\r"), "\\u{202e}abc\\u{d}");
    }
}
