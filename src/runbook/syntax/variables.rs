//! What somebody meant who wrote a name that is no variable, or none that can be seen there.

use std::collections::BTreeSet;

use super::super::near::near;
use super::tokens::Token;

/// Words of other languages, and what to write instead.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["elif", "elsif", "elseif"], "write `else if`"),
    (&["not"], "write `!`: `if !done { … }`"),
    (&["None", "NULL", "Null", "undefined"], "write `()`, which stands for nothing or unknown"),
    (&["True", "TRUE"], "write `true`"),
    (&["False", "FALSE"], "write `false`"),
    (&["def", "func", "function", "fun"], "a function begins with `fn`: `fn twice(x) { x * 2 }`"),
    (&["foreach"], "write `for`: `for node in nodes() { … }`"),
    (&["lambda"], "a function without a name is `|x| x * 2`"),
    (&["from"], "write `import \"lib/replication\" as replication;`"),
    (&["rollback"], "`rollback { … }` follows the `}` of its step at once, without `;`"),
    (&["test", "expect"], "tests stand in a file of their own: NAME_test.rhai"),
];

/// The words of our own that stand before a title or a block.
const OWN: [&str; 3] = ["step", "optional", "rollback"];

/// Names that are declared in a text.
#[derive(Default)]
struct Names<'a> {
    /// Those that can be seen at the place, with where they are declared.
    visible: Vec<Token<'a>>,
    /// All others.
    hidden: Vec<Token<'a>>,
    /// What is imported.
    modules: Vec<&'a str>,
    /// Whether the place is in a function.
    in_function: bool,
}

/// Returns what to do about the token `at`, which is no variable. `functions` are the primitives;
/// `line_of` tells the line of a token.
pub(super) fn advice<'a>(
    tokens: &[Token<'a>],
    at: usize,
    functions: &BTreeSet<String>,
    line_of: &dyn Fn(&Token) -> usize,
) -> String {
    let name = tokens[at].text;
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", |it| it.text);
    let (before, after) = (text(at.checked_sub(1)), text(Some(at + 1)));
    let next_is_text = tokens.get(at + 1).is_some_and(Token::is_text);
    let names = names(tokens, at);
    // A parameter of a closure without a block is taken for visible behind it.
    let hidden = names.hidden.iter().chain(&names.visible).find(|it| it.text == name);
    // What is declared somewhere is meant as a name.
    if let Some((_, advice)) = FOREIGN.iter().find(|(words, _)| words.contains(&name))
        && hidden.is_none()
    {
        return (*advice).into();
    }
    if name == "step" || name == "optional" {
        return "steps stand in a runbook; a test runs it: `let run = run(\"NAME\");`".into();
    }
    let begins = matches!(before, "" | ";" | "{" | "}");
    if begins
        && (next_is_text || matches!(after, "{" | "step"))
        && let Some(word) = near(&name.to_lowercase(), OWN.into_iter())
    {
        return format!("did you mean `{word}`?");
    }
    if next_is_text && tokens[at].end() == tokens[at + 1].start {
        return "a text that values are put into stands in back-ticks: `${count} of ${all}`".into();
    }
    if before == "(" && text(at.checked_sub(2)) == "param" {
        return format!("a parameter's name is a text: `param(\"{name}\", …)`");
    }
    if before == "{" && after == ":" {
        return format!("a map begins with `#`: `#{{ {name}: … }}`");
    }
    if after == "=>" || after == "->" {
        return format!("a function without a name is `|{name}| …`");
    }
    if names.modules.contains(&name) {
        return format!("`{name}` is a module: its functions are `{name}::…`");
    }
    if functions.contains(name) {
        return format!("`{name}` is a function: write `{name}()`");
    }
    if let Some(other) = hidden {
        let line = line_of(other);
        if other.start > tokens[at].start {
            return format!("it is declared only in line {line}");
        }
        if names.in_function {
            return format!(
                "the `{name}` of line {line} can't be seen here: a function sees its parameters only"
            );
        }
        return format!(
            "the `{name}` of line {line} ends with its block; to keep it, let it be the value of its step: `let {name} = step \"…\" {{ … }};`"
        );
    }
    if let Some(near) = near(name, names.visible.iter().map(|it| it.text)) {
        return format!("did you mean `{near}`?");
    }
    if after == "=" {
        return format!("declare it: `let {name} = …;`");
    }
    if let Some(near) = near(name, functions.iter().map(String::as_str)) {
        return format!("did you mean `{near}()`?");
    }
    if name.starts_with(char::is_uppercase) && ["(", ",", "=="].contains(&before) {
        return format!("a text stands in quotes: `\"{name}\"`");
    }
    "a variable must be declared before, with `let` at the top level or in the same step".into()
}

/// Returns the names that are declared in a text, as they can be seen at the token `at` or not.
fn names<'a>(tokens: &[Token<'a>], at: usize) -> Names<'a> {
    let mut names = Names::default();
    // The blocks that are open, each with what is declared in it and whether it is a function's.
    let mut blocks: Vec<(Vec<Token>, bool)> = vec![(vec![], false)];
    // What is declared for the next block, and whether that is a function's.
    let mut coming: (Vec<Token>, bool) = (vec![], false);
    for (now, token) in tokens.iter().enumerate() {
        if now == at {
            let from = blocks.iter().rposition(|(_, is_function)| *is_function);
            names.in_function = from.is_some();
            for (depth, (declared, _)) in blocks.iter().enumerate() {
                let seen = from.is_none_or(|from| depth >= from);
                let to = if seen { &mut names.visible } else { &mut names.hidden };
                to.extend(declared);
            }
        }
        let word = |ahead: usize| tokens.get(now + ahead).filter(|it| it.is_word()).copied();
        match token.text {
            "let" | "const" => {
                let Some((block, _)) = blocks.last_mut() else { continue };
                block.extend(word(1));
                if now > at {
                    names.hidden.extend(word(1));
                }
            }
            "as" => names.modules.extend(word(1).map(|it| it.text)),
            "for" => coming.0.extend(listed(&tokens[now + 1..], "in")),
            "catch" => coming.0.extend(listed(&tokens[now + 1..], "{")),
            "fn" => coming = (listed(tokens.get(now + 2..).unwrap_or_default(), "{"), true),
            "|" if tokens[..now].last().is_none_or(|it| !it.is_word() && it.text != ")") => {
                coming.0.extend(listed(&tokens[now + 1..], "|"));
                // It may have no block.
                if let Some((block, _)) = blocks.last_mut() {
                    block.extend(listed(&tokens[now + 1..], "|"));
                }
            }
            "{" => blocks.push(std::mem::take(&mut coming)),
            "}" if blocks.len() > 1 => {
                let closed = blocks.pop().unwrap_or_default().0;
                if now < at {
                    names.hidden.extend(closed);
                }
            }
            _ => {}
        }
    }
    names
}

/// Returns the names before `end`, of which there are but a few.
fn listed<'a>(tokens: &[Token<'a>], end: &str) -> Vec<Token<'a>> {
    let before = tokens.iter().take(32).take_while(|token| token.text != end);
    before.filter(|token| token.is_word()).copied().collect()
}
