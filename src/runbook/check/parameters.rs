//! Parameters: known without running the runbook, and each declared once.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Stmt};

use crate::runbook::calls::plain_call;
use crate::runbook::finding::Finding;
use crate::runbook::outline::literal;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place};

/// Checks every parameter.
pub(super) fn check_parameters(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let Some((node, above)) = path.split_last() else { return true };
        let Some((call, position)) = plain_call(node, "param") else { return true };
        let mut fault = |rule, message: String, hint: &str| {
            found.push(Finding::at(rule, place(source, position), message).hint(hint));
        };
        let top_level =
            above.iter().all(|node| matches!(node, ASTNode::Stmt(Stmt::Var(..) | Stmt::Expr(..))));
        if !top_level {
            fault(
                Rule::MisplacedParameter,
                "a parameter stands only at the top level".into(),
                "write `let class = param(\"class\", \"ELYSIA_CONFIG__\");` before the first step",
            );
        }
        if !call.args.iter().all(|argument| literal(argument).is_some()) {
            fault(
                Rule::ComputedParameter,
                "a parameter's name, default and help must be literals".into(),
                "so that `show` can list the parameters without running anything",
            );
        }
        if let Some(Expr::StringConstant(name, _)) = call.args.first()
            && !names.insert(name.to_string())
        {
            let message = format!("there is a parameter `{name}` already");
            fault(Rule::RepeatedParameter, message, "keep its value in a variable");
        }
        true
    });
}
