//! Assignments that leave a step or a closure: see `scope`.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Position, Stmt};

use crate::runbook::calls::functions;
use crate::runbook::finding::Finding;
use crate::runbook::outline::step_of;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place, scope};

/// Checks every assignment in a step or closure.
pub(super) fn check_assignments(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let mut fault = |who: &str, name: &str, position: Position| {
        let message = format!("{who} may not change `{name}`, which is declared outside of it");
        found.push(
            Finding::at(Rule::OuterAssignment, place(source, position), message)
                .hint("let the new value be the step's result: `let x = step \"…\" { … };`"),
        );
    };
    for statement in ast.statements() {
        statement.walk(&mut vec![], &mut |path: &[ASTNode]| {
            if let Some((name, position)) = scope::changed_variable(path)
                && let Some(inside) = path.iter().position(|node| step_of(node).is_some())
                && !scope::is_declared(&path[inside..], name)
            {
                fault("a step", name, position);
            }
            true
        });
    }
    // A closure's captured variables are its parameters, which it has no other reason to change.
    for (_, body) in functions(ast).into_iter().filter(|(name, _)| name.starts_with("anon$")) {
        let mut declared = BTreeSet::new();
        body.walk(&mut |path: &[ASTNode]| {
            if let [ASTNode::Stmt(Stmt::Var(var, ..))] = path {
                declared.insert(var.0.name.to_string());
            }
            if let Some((name, position)) = scope::changed_variable(path)
                && !declared.contains(name)
                && !scope::is_declared(path, name)
            {
                fault("a closure", name, position);
            }
            true
        });
    }
}
