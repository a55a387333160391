//! Steps: each has a title of its own, and stands where it is known without running the runbook.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use crate::runbook::calls::{call_of, closure_of, functions, plain_call};
use crate::runbook::finding::Finding;
use crate::runbook::outline::step_of;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place};

/// Checks every step of a runbook.
pub(super) fn check_steps(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let mut titles: BTreeMap<String, Position> = BTreeMap::new();
    let in_function = lines_in_functions(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some((node, above)) = path.split_last() else { return true };
        let Some((title, position, inputs)) = step_of(node) else { return true };
        let mut fault = |rule, message: String, hint: &str| {
            found.push(Finding::at(rule, place(source, position), message).hint(hint));
        };
        if title.trim().is_empty() {
            let hint = "write `step \"Export the schema\" { … }`";
            fault(Rule::StepTitle, "a step needs a title".into(), hint);
        }
        if let Some(first) = titles.insert(title.to_owned(), position) {
            fault(
                Rule::RepeatedStep,
                format!("there is a step \"{title}\" already, in line {}", first.line().unwrap_or(0)),
                "titles are unique, so that a run can be resumed by step",
            );
        }
        if above.iter().any(|node| step_of(node).is_some()) {
            let message = format!("step \"{title}\" stands in another step");
            fault(Rule::MisplacedStep, message, "let it follow instead");
        } else if in_function.contains(&position.line().unwrap_or(0)) {
            fault(
                Rule::MisplacedStep,
                format!("step \"{title}\" stands in a function or closure"),
                "steps stand at the top level or in a top-level `if`, so that their list is known without running",
            );
        } else if above.iter().any(repeats) {
            fault(
                Rule::MisplacedStep,
                format!("step \"{title}\" stands in a loop or `try`"),
                "let the step contain the loop instead",
            );
        }
        if let Some(rollback) = inputs.get(2) {
            check_rollback(source, ast, rollback, found);
        }
        true
    });
}

/// A rollback runs after the script is gone: it can't see imports.
fn check_rollback(source: &Source, ast: &AST, rollback: &Expr, found: &mut Vec<Finding>) {
    let mut closures = vec![];
    rollback.walk(&mut vec![], &mut |path: &[ASTNode]| {
        closures.extend(path.last().and_then(closure_of));
        true
    });
    for (_, body) in functions(ast).into_iter().filter(|(name, _)| closures.contains(name)) {
        body.walk(&mut |path: &[ASTNode]| {
            if let Some(call) = path.last().and_then(call_of).filter(|c| c.module.is_some()) {
                let message = format!("a rollback can't call the imported `{}`", call.name);
                found.push(
                    Finding::at(Rule::RollbackImport, place(source, call.position), message)
                        .hint("rollbacks call primitives and functions of the runbook itself"),
                );
            }
            true
        });
    }
}

/// Returns the lines in which steps begin that stand in a function or closure.
fn lines_in_functions(ast: &AST) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for (_, body) in functions(ast) {
        body.walk(&mut |path: &[ASTNode]| {
            lines.extend(path.last().and_then(step_of).and_then(|(_, at, _)| at.line()));
            true
        });
    }
    lines
}

fn repeats(node: &ASTNode) -> bool {
    matches!(
        node,
        ASTNode::Stmt(
            Stmt::While(..) | Stmt::Do(..) | Stmt::For(..) | Stmt::TryCatch(..) | Stmt::Switch(..)
        )
    )
}

/// Checks that a file that is imported has neither steps nor parameters.
pub(super) fn check_library(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(node) = path.last() else { return true };
        let step = step_of(node).map(|(_, at, _)| (Rule::MisplacedStep, "a step", at));
        let param = plain_call(node, "param");
        let param = param.map(|(_, at)| (Rule::MisplacedParameter, "a parameter", at));
        for (rule, what, at) in step.into_iter().chain(param) {
            let message = format!("{what} can't stand in an imported file");
            found.push(
                Finding::at(rule, place(source, at), message)
                    .hint("imported files hold functions; steps and parameters are the runbook's"),
            );
        }
        true
    });
}
