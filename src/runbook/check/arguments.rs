//! Literal arguments of primitives that are of a kind which the primitive can't take.

use rhai::{AST, ASTNode, Expr, Stmt};

use crate::host::{Kind, Kinds};
use crate::runbook::finding::Finding;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place};

/// Checks every argument whose kind is known without running anything.
pub(super) fn check_kinds(
    primitives: &Kinds,
    source: &Source,
    ast: &AST,
    found: &mut Vec<Finding>,
) {
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))) =
            path.last()
        else {
            return true;
        };
        let Some(functions) = primitives.get(call.name.as_str()).filter(|_| !call.is_qualified())
        else {
            return true;
        };
        let functions: Vec<_> = functions.iter().filter(|it| it.len() == call.args.len()).collect();
        for (at, argument) in call.args.iter().enumerate() {
            let Some((given, name)) = kind_of(argument) else { continue };
            let wanted: Vec<Kind> = functions.iter().map(|kinds| kinds[at]).collect();
            if wanted.is_empty() || wanted.iter().any(|it| [Kind::Any, given].contains(it)) {
                continue;
            }
            let message = format!("`{}` takes {} here, not {name}", call.name, any_of(&wanted));
            let finding =
                Finding::at(Rule::ArgumentKind, place(source, argument.start_position()), message);
            found.push(match argument {
                Expr::IntegerConstant(number, _) if wanted.contains(&Kind::Text) => {
                    finding.hint(format!("write `\"{number}\"`"))
                }
                Expr::CharConstant(character, _) if wanted.contains(&Kind::Text) => {
                    finding.hint(format!("a text stands in double quotes: `\"{character}\"`"))
                }
                _ => finding.hint(format!("elysia-runbook api {}", call.name)),
            });
        }
        true
    });
}

/// Returns the kind of a literal, and what it is called.
fn kind_of(argument: &Expr) -> Option<(Kind, &'static str)> {
    Some(match argument {
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => (Kind::Text, "a text"),
        Expr::IntegerConstant(..) => (Kind::Int, "a whole number"),
        Expr::FloatConstant(..) => (Kind::Float, "a number with fractions"),
        Expr::BoolConstant(..) => (Kind::Bool, "true or false"),
        Expr::Array(..) => (Kind::List, "a list"),
        Expr::Map(..) => (Kind::Map, "a map"),
        Expr::Unit(..) => (Kind::Unit, "`()`"),
        // A character is no kind of its own: no primitive takes one.
        Expr::CharConstant(..) => (Kind::Unit, "a single character"),
        _ => return None,
    })
}

fn any_of(kinds: &[Kind]) -> String {
    let mut names: Vec<&str> = vec![];
    for kind in kinds {
        let name = match kind {
            Kind::Text => "a text",
            Kind::Int => "a whole number",
            Kind::Float => "a number with fractions",
            Kind::Bool => "true or false",
            Kind::List => "a list",
            Kind::Map => "a map",
            Kind::Function => "a function",
            Kind::Unit | Kind::Any => "`()`",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.join(" or ")
}
