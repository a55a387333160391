//! Words of the language that would hide what a runbook does.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Position};

use super::MOST;
use super::functions::{Arities, own_functions};
use crate::runbook::calls::plain_call;
use crate::runbook::finding::Finding;
use crate::runbook::near::near;
use crate::runbook::rule::Rule;
use crate::runbook::syntax::names;
use crate::runbook::{Source, place};

/// Checks `Fn`, and that nothing is printed to nowhere.
pub(super) fn check_words(
    built_in: &Arities,
    source: &Source,
    ast: &AST,
    found: &mut Vec<Finding>,
) {
    let own = own_functions(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(node) = path.last() else { return true };
        let mut fault = |rule, position: Position, message: String, hint: &str| {
            found.push(Finding::at(rule, place(source, position), message).hint(hint));
        };
        if let Some((call, position)) = plain_call(node, "Fn") {
            match call.args.first() {
                Some(Expr::StringConstant(name, _)) => {
                    if !own.contains_key(name.as_str()) && !built_in.contains_key(name.as_str()) {
                        let message = format!("there is no function `{name}`");
                        let names = own.keys().chain(built_in.keys()).map(String::as_str);
                        let hint = match near(name, names) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => {
                                "write the name of a primitive or of a function of this file".into()
                            }
                        };
                        fault(Rule::UnknownFunction, position, message, &hint);
                    }
                }
                _ => fault(
                    Rule::ComputedFunction,
                    position,
                    "`Fn` needs a literal name".into(),
                    "what a step calls must be known without running it",
                ),
            }
        }
        for word in ["print", "debug"] {
            if let Some((_, position)) = plain_call(node, word) {
                let hint = "use `note(text)`, which goes to the operator and into the journal";
                fault(Rule::Print, position, format!("`{word}` shows nothing"), hint);
            }
        }
        true
    });
}

/// Finds texts in double quotes that have `${…}` in them, with a name that stands elsewhere in the file: one
/// of another language stays as it is.
pub(super) fn check_texts(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let names = names(&source.text);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::StringConstant(text, position))) = path.last() else {
            return true;
        };
        let place = place(source, *position);
        // The parts of a text in back-ticks are texts as well.
        let quoted = source.text[place.span().start..].starts_with('"');
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let mut inside = text.split("${").skip(1).map(|rest| {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            &rest[..end]
        });
        if quoted && inside.any(|name| names.contains(name)) {
            let message = "`${…}` stays as it is in a text in double quotes";
            let hint = "values are put only into texts in back-ticks";
            found.push(Finding::at(Rule::PlainInterpolation, place, message).hint(hint));
        }
        found.len() < MOST
    });
}

/// A function with the name of a primitive would answer in its place.
pub(super) fn check_names(
    primitives: &BTreeSet<String>,
    source: &Source,
    ast: &AST,
    found: &mut Vec<Finding>,
) {
    for function in ast.iter_fn_def().filter(|f| primitives.contains(f.name.as_str())) {
        let message = format!("the function `{}` hides a primitive", function.name);
        let place = place(source, function.body.start_position());
        found.push(
            Finding::at(Rule::HiddenPrimitive, place, message)
                .hint("give it another name: what a primitive says must not be made up"),
        );
    }
}
