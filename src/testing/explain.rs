//! Why an expectation does not hold: what was expected, and what was found instead.

use rhai::{Dynamic, EvalAltResult, EvalContext, Expr, Expression, FnCallExpr, Position};

use crate::error::Error;

/// The longest value that is shown whole.
const LONGEST: usize = 400;

/// Explains an expression that is false. Its parts are evaluated once more.
pub(super) fn explain(
    context: &mut EvalContext,
    expression: &Expr,
) -> Result<Error, Box<EvalAltResult>> {
    match expression {
        Expr::And(sides, _) => {
            for side in sides.iter() {
                if value(context, side)?.as_bool() == Ok(false) {
                    return explain(context, side);
                }
            }
        }
        Expr::FnCall(call, _) if is_comparison(call) => {
            let (left, right) = (value(context, &call.args[0])?, value(context, &call.args[1])?);
            return Ok(comparison(&call.name, &left, &right));
        }
        // `!in`, and the negation of anything else.
        Expr::FnCall(call, _) if call.is_operator_call() && call.args.len() == 1 => {
            if let Expr::FnCall(inner, _) = &call.args[0]
                && is_comparison(inner)
                && inner.name == "contains"
            {
                let (place, what) =
                    (value(context, &inner.args[0])?, value(context, &inner.args[1])?);
                return Ok(Error::failed(format!("expected no {} here", shown(&what)))
                    .cause(format!("found {}", shown(&place))));
            }
            return Ok(Error::failed("expected this to be false, and it is true"));
        }
        _ => {}
    }
    Ok(Error::failed("expected this to be true, and it is false"))
}

/// Returns where an expression begins, which for an operator is not where Rhai says.
pub(super) fn start(expression: &Expr) -> Position {
    match expression {
        Expr::FnCall(call, _) if is_comparison(call) => {
            start(&call.args[usize::from(call.name == "contains")])
        }
        Expr::And(sides, _) | Expr::Or(sides, _) => sides.first().map_or(Position::NONE, start),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => start(&chain.lhs),
        other => other.start_position(),
    }
}

/// Tells whether a call has two sides; `a in b` is a call of `contains` with its sides changed.
fn is_comparison(call: &FnCallExpr) -> bool {
    call.args.len() == 2 && (call.is_operator_call() || call.name == "contains")
}

fn value(context: &mut EvalContext, expression: &Expr) -> Result<Dynamic, Box<EvalAltResult>> {
    context.eval_expression_tree(&Expression::from(expression)).map(Dynamic::flatten)
}

fn comparison(operator: &str, left: &Dynamic, right: &Dynamic) -> Error {
    match operator {
        "==" => match (list(left), list(right)) {
            (Some(found), Some(expected)) => lists(&expected, &found),
            _ => Error::failed(format!("expected {}, found {}", shown(right), shown(left))),
        },
        "!=" => Error::failed(format!("expected anything but {}", shown(right))),
        "contains" => Error::failed(format!("expected {} here, and it is not", shown(right)))
            .cause(format!("found {}", shown(left))),
        _ => Error::failed(format!("expected {operator} {}, found {}", shown(right), shown(left))),
    }
}

fn list(value: &Dynamic) -> Option<Vec<String>> {
    let list = value.as_array_ref().ok()?;
    Some(list.iter().map(shown).collect())
}

/// Tells two lists apart line by line: `-` was expected and is not there, `+` is there instead.
fn lists(expected: &[String], found: &[String]) -> Error {
    let diff = similar::TextDiff::from_slices(
        &expected.iter().map(String::as_str).collect::<Vec<_>>(),
        &found.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .iter_all_changes()
    .map(|change| format!("{} {}", change.tag(), change.value()))
    .collect::<Vec<_>>();
    let mut error = Error::failed("expected another list (`-` was expected, `+` was found)");
    error.causes = diff;
    error
}

/// Returns a value as a test would write it, a long one cut off.
fn shown(value: &Dynamic) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
