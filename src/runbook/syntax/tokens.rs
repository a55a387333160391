//! The words and signs of a text that need not be Rhai, with where each ends, which Rhai's parser does
//! not tell. Comments are left out.

/// A word, a text, or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// As it is written. Of a text in back-ticks only the parts between what is put into it.
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Whether it is a text that is not closed.
    pub(super) is_open: bool,
}

impl Token<'_> {
    /// Returns where it ends, in bytes.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Tells whether it is a name, a word of the language or a number.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(is_of_word)
    }

    /// Tells whether it is a text.
    pub(super) fn is_text(&self) -> bool {
        self.text.starts_with(['"', '`', '\''])
    }

    /// Returns the closing bracket that it is, or that it begins with as a part of a text.
    pub(super) fn closes(&self) -> Option<&str> {
        self.text.get(..1).filter(|first| [")", "]", "}"].contains(first))
    }

    /// Returns the opening bracket that it is, or that it ends with as a part of a text.
    pub(super) fn opens(&self) -> Option<Self> {
        if ["(", "[", "{"].contains(&self.text) {
            return Some(*self);
        }
        let is_part = self.text.starts_with(['`', '}']) && self.text.ends_with("${");
        is_part.then(|| Self { text: "${", start: self.end() - 2, is_open: false })
    }
}

/// Signs of two characters.
const PAIRS: [&str; 12] = ["==", "!=", "<=", ">=", "=>", "&&", "||", "::", "->", "++", "--", "+="];

/// Tells whether a text ends in a comment that is not closed, which Rhai does not mind.
pub(in crate::runbook) fn open_comment(text: &str) -> Option<usize> {
    let tokens = tokens(text);
    let last = tokens.last().map_or(0, Token::end);
    let rest = &text[last..];
    let mut at = 0;
    while let Some(begin) = rest[at..].find(['/', '\n']) {
        at += begin;
        let here = &rest[at..];
        at += match here {
            _ if here.starts_with("//") => end_of_line(here),
            _ if here.starts_with("/*") => match end_of_comment(here) {
                (_, true) => return Some(last + at),
                (length, false) => length,
            },
            _ => 1,
        };
    }
    None
}

/// Returns the tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    // For each text in back-ticks that is interrupted by `${`: how many braces are open since.
    let mut interrupted: Vec<usize> = vec![];
    let mut at = if text.starts_with("#!") { end_of_line(text) } else { 0 };
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, is_open) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if rest.starts_with("//") {
            at += end_of_line(rest);
            continue;
        } else if rest.starts_with("/*") {
            at += end_of_comment(rest).0;
            continue;
        } else if first == '`' || first == '}' && interrupted.last() == Some(&0) {
            if first == '}' {
                interrupted.pop();
            }
            let (length, how) = template(rest);
            if how == Ends::Interrupted {
                interrupted.push(0);
            }
            (length, how == Ends::Never)
        } else if first == '"' || first == '\'' {
            quoted(rest, first)
        } else if is_of_word(first) {
            (rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()), false)
        } else {
            match (first, interrupted.last_mut()) {
                ('{', Some(open)) => *open += 1,
                ('}', Some(open)) => *open -= 1,
                _ => {}
            }
            let pair = PAIRS.iter().any(|pair| rest.starts_with(pair));
            (if pair { 2 } else { first.len_utf8() }, false)
        };
        tokens.push(Token { text: &rest[..length], start: at, is_open });
        at += length;
    }
    tokens
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Returns how long a comment is, and whether it is open.
fn end_of_comment(text: &str) -> (usize, bool) {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return (at, false);
        }
    }
    (text.len(), true)
}

/// Returns how long a text in quotes is, and whether it is open: it ends with its line, unless a `\`
/// stands there.
fn quoted(text: &str, quote: char) -> (usize, bool) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' if !escaped => return (at, true),
            c if c == quote && !escaped => return (at + 1, false),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    (text.len(), true)
}

#[derive(PartialEq, Eq)]
enum Ends {
    Closed,
    Interrupted,
    Never,
}

/// Returns how long a part of a text in back-ticks is that begins with a back-tick, or with the `}` of
/// what is put into it.
fn template(text: &str) -> (usize, Ends) {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match &bytes[at..] {
            // Two back-ticks stand for one.
            [b'`', b'`', ..] => at += 2,
            [b'`', ..] => return (at + 1, Ends::Closed),
            [b'$', b'{', ..] => return (at + 2, Ends::Interrupted),
            _ => at += 1,
        }
    }
    (bytes.len(), Ends::Never)
}

#[cfg(test)]
mod tests {
    use super::{open_comment, tokens};

    fn words(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn are_words_texts_and_signs() {
        assert_eq!(
            words("let x = 1.5; // y\n/* a /* b */ c */ x=>y"),
            ["let", "x", "=", "1", ".", "5", ";", "x", "=>", "y"]
        );
        assert_eq!(
            words("note(\"a \\\" b\", 'c')"),
            ["note", "(", "\"a \\\" b\"", ",", "'c'", ")"]
        );
        assert_eq!(words("#!/usr/bin/env x\nfn"), ["fn"]);
    }

    #[test]
    fn of_a_text_in_back_ticks_what_is_put_in_has_its_own() {
        assert_eq!(
            words("`a ${ #{ b: `${c}` }.b } d` e"),
            ["`a ${", "#", "{", "b", ":", "`${", "c", "}`", "}", ".", "b", "} d`", "e"]
        );
    }

    #[test]
    fn a_text_that_is_not_closed_is_open() {
        let open: Vec<_> =
            tokens("\"a\n'b\n`c\nd").iter().map(|it| (it.text, it.is_open)).collect();
        assert_eq!(open, [("\"a", true), ("'b", true), ("`c\nd", true)]);
        assert_eq!(words("/* a"), [""; 0]);
        for (text, at) in [
            ("/* a", Some(0)),
            ("b // /*\n/* a */ /* /* c */", Some(16)),
            ("/* a */ \"/*\"", None),
            ("b /* a */ // /*", None),
        ] {
            assert_eq!(open_comment(text), at, "{text}");
        }
        assert_eq!(words("} ``"), ["}", "``"]);
    }
}
