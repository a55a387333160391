//! Brackets that do not fit: which one was meant to be closed is told from how lines are indented.

use super::tokens::Token;

/// What is wrong with the brackets of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit<'a> {
    /// One is not closed; where another one is closed in its place, that.
    Unclosed(Token<'a>, Option<Token<'a>>),
    /// One closes nothing.
    Stray(Token<'a>),
}

/// Returns what is wrong with the brackets of a text, where something is.
pub(super) fn misfit<'a>(text: &str, tokens: &[Token<'a>]) -> Option<Misfit<'a>> {
    let mut open: Vec<Token> = vec![];
    // The first block that the end of another one seems to close.
    let mut suspect = None;
    for token in tokens {
        if let Some(closed) = token.closes() {
            let Some(last) = open.pop() else { return Some(Misfit::Stray(*token)) };
            if closing(last.text) != closed {
                // Where nothing waits for it, it is what is wrong.
                let awaited = open.iter().any(|it| closing(it.text) == closed);
                if !awaited {
                    return Some(Misfit::Stray(*token));
                }
                let bracket = Token { text: &token.text[..1], ..*token };
                return Some(Misfit::Unclosed(last, Some(bracket)));
            }
            if is_first(text, token) && indent(text, &last) > indent(text, token) {
                suspect = suspect.or(Some(last));
            }
        }
        open.extend(token.opens());
    }
    open.pop().map(|last| Misfit::Unclosed(suspect.unwrap_or(last), None))
}

/// Returns what closes a bracket.
pub(super) fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

/// Tells whether nothing stands before a token in its line.
pub(super) fn is_first(text: &str, token: &Token) -> bool {
    text[line_start(text, token)..token.start].trim().is_empty()
}

/// Returns how far the line of a token is indented.
fn indent(text: &str, token: &Token) -> usize {
    let line = &text[line_start(text, token)..];
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn line_start(text: &str, token: &Token) -> usize {
    text[..token.start].rfind('\n').map_or(0, |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::{Misfit, misfit};

    fn unclosed(text: &str) -> Option<usize> {
        match misfit(text, &tokens(text)) {
            Some(Misfit::Unclosed(token, _)) => Some(token.start),
            _ => None,
        }
    }

    #[test]
    fn the_line_tells_what_is_not_closed() {
        assert_eq!(unclosed("{ ( }"), Some(2));
        assert_eq!(unclosed("a {\n  b {\n}\nc {\n}\n"), Some(8));
        assert_eq!(unclosed("a {\n  b\n\nc {\n}\n"), Some(2));
        assert_eq!(unclosed("a { \"}\" /* } */ `}${ #{} }` }"), None);
        assert_eq!(unclosed("a(`${b(1}`)"), Some(6));
    }

    #[test]
    fn what_nothing_waits_for_is_too_much() {
        for (text, at) in [("a { b) }", 5), ("a }", 2), ("{ } }", 4)] {
            match misfit(text, &tokens(text)) {
                Some(Misfit::Stray(token)) => assert_eq!(token.start, at),
                other => panic!("{other:?}"),
            }
        }
    }
}
