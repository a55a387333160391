//! A text that is not Rhai: what is wrong with it and where, in the words of whoever writes runbooks. Rhai
//! reports the token at which it gave up, which is often behind the mistake.

mod brackets;
mod tokens;
mod variables;

pub(super) use tokens::open_comment;

use rhai::{Engine, LexError, ParseError, ParseErrorType as P};

use brackets::{Misfit, closing, is_first, misfit};
use tokens::{Token, tokens};

use super::find::Source;
use super::finding::Finding;
use super::near::near;
use super::rule::Rule;
use super::{place, place_at};
use crate::error::Place;
use crate::host::{lower_first, primitives};

/// Returns every word that stands in a text outside of texts and comments.
pub(super) fn names(text: &str) -> std::collections::BTreeSet<&str> {
    tokens(text).into_iter().filter(Token::is_word).map(|token| token.text).collect()
}

/// Returns what is wrong with a text that Rhai does not take.
pub(super) fn unparsable(engine: &Engine, source: &Source, error: &ParseError) -> Finding {
    let given_up = place(source, error.position());
    let text = source.text.as_str();
    let tokens = tokens(text);
    let offset = error.position().line().map(|_| given_up.span().start);
    let at = offset.map_or(tokens.len(), |offset| tokens.partition_point(|it| it.start < offset));
    let failed = Failed { source, tokens: &tokens, at, place: given_up };
    failed
        .misfit(error.err_type())
        .or_else(|| failed.open_text(error.err_type()))
        .or_else(|| failed.missing(error.err_type()))
        .unwrap_or_else(|| failed.other(engine, error.err_type()))
}

/// A text that Rhai does not take.
struct Failed<'a> {
    source: &'a Source,
    tokens: &'a [Token<'a>],
    /// The token at which Rhai gave up; behind the last one where it is the end.
    at: usize,
    /// Where that is.
    place: Place,
}

impl Failed<'_> {
    fn text(&self) -> &str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    fn text_before(&self) -> &str {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or("", |token| token.text)
    }

    fn finding(&self, rule: Rule, message: impl Into<String>) -> Finding {
        Finding::at(rule, self.place.clone(), message)
    }

    /// Returns a finding about another place, in bytes.
    fn finding_at(&self, rule: Rule, offset: usize, message: impl Into<String>) -> Finding {
        Finding::at(rule, place_at(self.source, offset), message)
    }

    fn line(&self, token: &Token) -> usize {
        self.source.text[..token.start].matches('\n').count() + 1
    }

    /// Brackets that do not fit, where Rhai stumbled over something that they can be the reason of.
    fn misfit(&self, error: &P) -> Option<Finding> {
        let unexpected = [")", "]", "}"].contains(&self.text());
        let likely = matches!(error, P::MissingToken(..) | P::UnexpectedEOF)
            || unexpected && matches!(error, P::BadInput(..) | P::ExprExpected(..));
        match misfit(&self.source.text, self.tokens).filter(|_| likely)? {
            Misfit::Unclosed(open, closed) if self.is_before(&open) => {
                let message =
                    format!("the `{}` of line {} is not closed", open.text, self.line(&open));
                let finding = self.finding_at(Rule::UnclosedBracket, open.start, message);
                Some(match closed {
                    Some(other) => finding.hint(format!(
                        "the `{}` of line {} comes before its `{}`",
                        other.text,
                        self.line(&other),
                        closing(open.text)
                    )),
                    None => finding.hint(format!("a `{}` is missing", closing(open.text))),
                })
            }
            Misfit::Stray(stray) if unexpected => {
                let message = format!("this `{}` closes nothing", stray.text);
                let hint = "remove it, or look whether an earlier one closes too much";
                Some(self.finding_at(Rule::UnclosedBracket, stray.start, message).hint(hint))
            }
            _ => None,
        }
    }

    fn is_before(&self, token: &Token) -> bool {
        self.tokens.get(self.at).is_none_or(|at| token.start < at.start)
    }

    fn open_text(&self, error: &P) -> Option<Finding> {
        let token = self.tokens.get(self.at)?;
        let is_open = token.is_open || matches!(error, P::BadInput(LexError::UnterminatedString));
        is_open.then(|| {
            let quote = match token.text.chars().next() {
                Some('`' | '}') => "a back-tick",
                Some('\'') => "a `'`",
                _ => "a `\"`",
            };
            self.finding(Rule::UnclosedText, "this text is not closed")
                .hint(format!("{quote} is missing at its end"))
        })
    }

    /// Something that has to stand between two tokens.
    fn missing(&self, error: &P) -> Option<Finding> {
        let P::MissingToken(wanted, why) = error else { return None };
        let before = self.tokens.get(self.at.checked_sub(1)?)?;
        let next = self.tokens.get(self.at)?;
        let instead = match next.text {
            "and" => Some("write `&&`"),
            "or" => Some("write `||`"),
            "then" | ":" if wanted == "{" => Some("a block stands in braces: `if done { … }`"),
            ":" if wanted == ";" => Some("a variable is declared without its type: `let x = 1;`"),
            "=" if wanted == ":" => {
                Some("in a map a value follows a `:`: `#{ class: \"Author\" }`")
            }
            "of" if wanted == "in" => Some("write `for node in nodes() { … }`"),
            "::" => Some("a method follows a `.`; `::` is for what is imported"),
            _ if before.text == "catch" => Some("write `catch (err) { … }`"),
            _ => None,
        };
        if let Some(instead) = instead {
            let message = format!("unexpected `{}`", next.text);
            return Some(self.finding(Rule::Syntax, message).hint(instead));
        }
        let begins = next.is_word() || next.is_text() || ["{", "(", "#", "!"].contains(&next.text);
        match wanted.as_str() {
            ";" if begins => Some(
                self.finding_at(Rule::MissingSemicolon, before.end(), "a `;` is missing here")
                    .hint("a statement ends with `;`, unless it ends with a block or is the last of one"),
            ),
            "," if begins => {
                let message = format!("a `,` is missing here, {}", why.replace('\'', "`"));
                Some(self.finding_at(Rule::Syntax, before.end(), message))
            }
            _ => {
                let finding = self.finding(Rule::Syntax, lower_first(&error.to_string()));
                Some(if is_first(&self.source.text, next) {
                    finding.hint("the mistake may be at the end of the line before")
                } else {
                    finding
                })
            }
        }
    }

    fn other(&self, engine: &Engine, error: &P) -> Finding {
        match error {
            P::VariableUndefined(name) => self.unknown_variable(engine, name),
            P::ModuleUndefined(name) => self.unknown_module(name),
            P::MissingSymbol(wanted) if wanted == "Expecting a string" => {
                self.finding(Rule::StepTitle, "a step's title must be a string").hint(
                    match self.text().chars().next() {
                        Some('\'' | '“' | '”' | '„') => {
                            "a title stands in straight double quotes: `step \"Export the schema\" { … }`"
                        }
                        _ => "write `step \"Export the schema\" { … }`: titles are known without running",
                    },
                )
            }
            P::MissingSymbol(wanted) if wanted.starts_with("Expecting '{'") => self
                .finding(Rule::Syntax, lower_first(wanted))
                .hint("a rollback is a block: `rollback { … }`"),
            P::WrongDocComment => self
                .finding(Rule::DocComment, "`///` stands only above a function")
                .hint("write `//` above a step or a variable"),
            P::BadInput(LexError::ImproperSymbol(name, _)) | P::Reserved(name)
                if name == "eval" =>
            {
                self.finding(Rule::Eval, "`eval` is switched off in runbooks")
            }
            other => self.slip(other),
        }
    }

    fn unknown_variable(&self, engine: &Engine, name: &str) -> Finding {
        let message = format!("there is no variable `{name}` here");
        let finding = self.finding(Rule::UnknownVariable, message);
        if self.text() != name {
            return finding;
        }
        let line = |token: &Token| self.line(token);
        finding.hint(variables::advice(self.tokens, self.at, &primitives(engine), &line))
    }

    fn unknown_module(&self, name: &str) -> Finding {
        let finding = self.finding(Rule::UnknownModule, format!("there is no module `{name}`"));
        let pairs = self.tokens.windows(2).filter(|pair| pair[0].text == "as");
        finding.hint(match near(name, pairs.map(|pair| pair[1].text)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "import it first: `import \"lib/replication\" as replication;`".into(),
        })
    }

    /// What other languages have and Rhai has not.
    fn slip(&self, error: &P) -> Finding {
        let word = match error {
            P::BadInput(LexError::MalformedChar(text)) => {
                return self
                    .finding(Rule::Syntax, "a text stands in double quotes")
                    .hint(format!("write `\"{text}\"`"));
            }
            P::BadInput(LexError::ImproperSymbol(word, _) | LexError::UnexpectedInput(word))
            | P::UnknownOperator(word)
            | P::Reserved(word) => word.as_str(),
            P::FnMissingBody(..) | P::VariableExpected => self.text(),
            P::BadInput(LexError::MalformedEscapeSequence(_)) => "\\",
            _ => "",
        };
        let (message, hint) = match word {
            ">" if self.text_before() == "<" => ("there is no `<>`".into(), "write `!=`"),
            "$" => (lower_first(&error.to_string()), "a name has no `$`: `let node = …`"),
            "let" => (lower_first(&error.to_string()), "write `for i in 0..3 { … }`"),
            "\\" => (lower_first(&error.to_string()), "a back-slash in a text is written `\\\\`"),
            "=" => ("`=` gives a variable its value".into(), "to compare, write `==`"),
            "“" | "”" | "„" | "‘" | "’" => {
                (format!("`{word}` is no quote"), "a text stands in straight quotes: `\"Author\"`")
            }
            "null" | "nil" | "void" => {
                (format!("there is no `{word}`"), "write `()`, which stands for nothing or unknown")
            }
            "var" => ("a variable is not declared by `var`".into(), "write `let`"),
            "match" | "case" => (
                format!("`{word}` is a reserved keyword"),
                "to choose between values, write `switch`",
            ),
            "++" => ("there is no `++`".into(), "write `i += 1`"),
            "--" => ("there is no `--`".into(), "write `i -= 1`; a comment begins with `//`"),
            "#" => ("a comment does not begin with `#`".into(), "write `//`; `#{ … }` is a map"),
            "?" => ("there is no `?`".into(), "write `if … { … } else { … }`, which has a value"),
            "->" | ":" => (
                format!("unexpected `{word}`"),
                "a function does not say what it returns: `fn f() { … }`",
            ),
            _ => return self.finding(Rule::Syntax, lower_first(&error.to_string())),
        };
        self.finding(Rule::Syntax, message).hint(hint)
    }
}
