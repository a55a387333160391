//! Changes that can be made, and are likely to hurt whoever resumes a run or has to undo it.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Stmt};

use super::MOST;
use crate::runbook::calls::{call_of, closure_of, functions};
use crate::runbook::finding::Finding;
use crate::runbook::outline::{Functions, step_of};
use crate::runbook::rule::Rule;
use crate::runbook::{Compiled, Source, place};

/// Finds what changes the cluster outside of the steps: it is done again when the run is resumed.
pub(super) fn check_changes(
    changing: &BTreeSet<String>,
    source: &Source,
    script: &Compiled,
    found: &mut Vec<Finding>,
) {
    let all = Functions::of(&script.ast, &script.libraries);
    let own: BTreeSet<&str> = script.ast.iter_fn_def().map(|it| it.name.as_str()).collect();
    for statement in script.ast.statements() {
        statement.walk(&mut vec![], &mut |path: &[ASTNode]| {
            if path.iter().any(|node| step_of(node).is_some()) {
                return true;
            }
            let Some(call) = path.last().and_then(call_of) else { return true };
            let is_primitive = call.module.is_none() && !own.contains(call.name.as_str());
            let called = if is_primitive {
                BTreeSet::from([call.name.clone()])
            } else {
                all.follow(vec![call.name.clone()])
            };
            let Some(change) = called.intersection(changing).next() else { return true };
            let through = if is_primitive { "" } else { &format!(" by `{change}`") };
            let message = format!("`{}` changes the cluster{through} outside of a step", call.name);
            found.push(
                Finding::at(Rule::ChangeOutsideStep, place(source, call.position), message).hint(
                    "what stands outside of steps is done again when a run is resumed; let it stand in one",
                ),
            );
            found.len() < MOST
        });
    }
}

/// Finds steps that delete a class and have no rollback. A class is left out that the runbook made for
/// itself: one that is created in the same step, or that a step before takes away again when it is
/// undone.
pub(super) fn check_deletes(source: &Source, script: &Compiled, found: &mut Vec<Finding>) {
    let all = Functions::of(&script.ast, &script.libraries);
    let mut own: Vec<String> = vec![];
    script.ast.walk(&mut |path: &[ASTNode]| {
        let Some((title, position, inputs)) = path.last().and_then(step_of) else { return true };
        if let Some(rollback) = inputs.get(2) {
            own.extend(undone(&all, &script.ast, rollback));
            return true;
        }
        let called = all.collect(&inputs[1]);
        if !called.contains("delete_class") || called.contains("create_class") {
            return true;
        }
        let deleted = deleted(&all, &inputs[1]);
        let is_own = |classes: &Vec<String>| classes.iter().any(|class| own.contains(class));
        if !deleted.is_empty() && deleted.iter().all(is_own) {
            return true;
        }
        let message = format!("step \"{title}\" deletes a class and has no rollback");
        found.push(
            Finding::at(Rule::DeleteWithoutRollback, place(source, position), message)
                .hint("say how it comes back: `rollback { if !class_exists(class) { create_class(schema); } }`"),
        );
        found.len() < MOST
    });
}

/// Returns what each call that deletes a class is given.
fn deleted(all: &Functions, expression: &Expr) -> Vec<Vec<String>> {
    let mut calls = vec![];
    expression.walk(&mut vec![], &mut |path: &[ASTNode]| {
        calls.extend(path.last().and_then(|node| given_to_delete(all, node)));
        true
    });
    calls
}

/// Returns what a rollback gives to calls that delete a class.
fn undone(all: &Functions, ast: &AST, rollback: &Expr) -> Vec<String> {
    let mut closures = vec![];
    rollback.walk(&mut vec![], &mut |path: &[ASTNode]| {
        closures.extend(path.last().and_then(closure_of));
        true
    });
    let mut classes = vec![];
    for (_, body) in functions(ast).into_iter().filter(|(name, _)| closures.contains(name)) {
        body.walk(&mut |path: &[ASTNode]| {
            let given = path.last().and_then(|node| given_to_delete(all, node));
            classes.extend(given.into_iter().flatten());
            true
        });
    }
    classes
}

/// Returns the variables and texts that a node gives to a function, where that deletes a class.
fn given_to_delete(all: &Functions, node: &ASTNode) -> Option<Vec<String>> {
    let (ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _))) = node else {
        return None;
    };
    if call.is_operator_call() || !all.follow(vec![call.name.to_string()]).contains("delete_class")
    {
        return None;
    }
    let given = |argument: &Expr| match argument {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::StringConstant(text, _) => Some(format!("{text:?}")),
        _ => None,
    };
    Some(call.args.iter().filter_map(given).collect())
}
