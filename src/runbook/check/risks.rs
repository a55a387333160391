//! Changes that can be made, and are likely to hurt whoever resumes a run or has to undo it.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr};

use super::MOST;
use crate::runbook::calls::{call_of, closure_of, functions, plain_call};
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
            own.extend(undone(&script.ast, rollback));
            return true;
        }
        let called = all.collect(&inputs[1]);
        if !called.contains("delete_class") || called.contains("create_class") {
            return true;
        }
        let deleted = deleted(&inputs[1]);
        if !deleted.is_empty() && deleted.iter().all(|class| own.contains(class)) {
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

/// Returns the classes that an expression deletes.
fn deleted(expression: &Expr) -> Vec<String> {
    let mut classes = vec![];
    expression.walk(&mut vec![], &mut |path: &[ASTNode]| {
        classes.extend(path.last().and_then(deleted_by));
        true
    });
    classes
}

/// Returns the classes that a rollback deletes, as far as they are known.
fn undone(ast: &AST, rollback: &Expr) -> Vec<String> {
    let mut closures = vec![];
    rollback.walk(&mut vec![], &mut |path: &[ASTNode]| {
        closures.extend(path.last().and_then(closure_of));
        true
    });
    let mut classes = vec![];
    for (_, body) in functions(ast).into_iter().filter(|(name, _)| closures.contains(name)) {
        body.walk(&mut |path: &[ASTNode]| {
            classes.extend(path.last().and_then(deleted_by));
            true
        });
    }
    classes
}

/// Returns the class that a node deletes, where it is a call that does: a variable or a text, or where
/// it is on the page if it is neither, as no other is the same then.
fn deleted_by(node: &ASTNode) -> Option<String> {
    let (call, position) = plain_call(node, "delete_class")?;
    Some(match call.args.first()? {
        Expr::Variable(variable, ..) => variable.1.to_string(),
        Expr::StringConstant(text, _) => format!("{text:?}"),
        _ => format!("{position:?}"),
    })
}
