//! Variables and parameters whose value is never used. Where it can't be told, they are.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::{MOST, bodies};
use crate::runbook::calls::plain_call;
use crate::runbook::finding::Finding;
use crate::runbook::outline::step_of;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place, scope};

/// Finds variables that nothing reads.
pub(super) fn check_unused(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let Some(afar) = read_from_afar(ast) else { return };
    for body in bodies(ast) {
        let outermost = Reads::of_body(&body);
        let mut number = 0;
        body.walk(&mut |path: &[ASTNode]| {
            let mut unused = vec![];
            if let [ASTNode::Stmt(statement)] = path {
                number += 1;
                unused.extend(declared(statement).filter(|it| !outermost.has(it.name, number)));
            }
            if let [ASTNode::Stmt(Stmt::FnCall(..) | Stmt::Expr(_)), ..] = path
                && path.len() <= 2
                && let Some((call, position)) =
                    path.last().and_then(|node| plain_call(node, "param"))
            {
                found.extend(
                    parameter_of(call).map(|name| unused_parameter(source, position, name)),
                );
            }
            for block in path.last().map(scope::blocks).unwrap_or_default() {
                let statements = block.statements();
                if !statements.iter().any(|it| declared(it).is_some()) {
                    continue;
                }
                let reads = Reads::of_block(statements);
                let numbered = statements.iter().zip(1..);
                unused.extend(numbered.filter_map(|(statement, number)| {
                    declared(statement).filter(|it| !reads.has(it.name, number))
                }));
            }
            unused.retain(|it| !afar.contains(it.name));
            found.extend(unused.iter().map(|it| finding(source, it)));
            found.len() < MOST
        });
    }
}

/// A declaration.
struct Variable<'a> {
    name: &'a str,
    position: Position,
    value: &'a Expr,
}

/// Returns the variable that a statement declares, if it is to be used in this file.
fn declared(statement: &Stmt) -> Option<Variable<'_>> {
    match statement {
        Stmt::Var(var, flags, _)
            if !flags.intersects(ASTFlags::EXPORTED) && !var.0.name.starts_with('_') =>
        {
            Some(Variable { name: &var.0.name, position: var.0.pos, value: &var.1 })
        }
        _ => None,
    }
}

/// Which statement of a block or body, counted from 1, is the last that reads a variable.
#[derive(Default)]
struct Reads(BTreeMap<String, usize>);

impl Reads {
    fn of_body(body: &AST) -> Self {
        let (mut reads, mut number) = (Self::default(), 0);
        body.walk(&mut |path: &[ASTNode]| {
            number += usize::from(path.len() == 1);
            reads.note(path, number);
            true
        });
        reads
    }

    fn of_block(statements: &[Stmt]) -> Self {
        let mut reads = Self::default();
        for (statement, number) in statements.iter().zip(1..) {
            statement.walk(&mut vec![], &mut |path: &[ASTNode]| {
                reads.note(path, number);
                true
            });
        }
        reads
    }

    /// Notes what the end of a path reads, or does something with that may.
    fn note(&mut self, path: &[ASTNode], number: usize) {
        let name = match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, ..))) if !is_assigned(path) => {
                variable.1.as_str()
            }
            Some(ASTNode::Stmt(Stmt::Export(export, _))) => export.0.name.as_str(),
            _ => return,
        };
        self.0.insert(name.to_owned(), number);
    }

    /// Tells whether a statement behind this one reads a variable.
    fn has(&self, name: &str, number: usize) -> bool {
        self.0.get(name).is_some_and(|last| *last > number)
    }
}

/// Tells whether the variable at the end of a path is what is assigned to: `x = 1`, not `x.a = 1`.
fn is_assigned(path: &[ASTNode]) -> bool {
    let [.., ASTNode::Stmt(Stmt::Assignment(assignment)), ASTNode::Expr(last)] = path else {
        return false;
    };
    std::ptr::eq(&raw const assignment.1.lhs, *last)
}

/// Returns what functions read as `global::NAME`; `None` where variables are asked for by name.
fn read_from_afar(ast: &AST) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut by_name = false;
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, ..))) if !variable.2.is_empty() => {
                names.insert(variable.1.to_string());
            }
            Some(node) => by_name |= plain_call(node, "is_def_var").is_some(),
            None => {}
        }
        true
    });
    (!by_name).then_some(names)
}

fn finding(source: &Source, variable: &Variable) -> Finding {
    let (name, value) = (variable.name, variable.value);
    if let Expr::FnCall(call, _) = value
        && let Some(parameter) = parameter_of(call)
    {
        return unused_parameter(source, variable.position, parameter);
    }
    let message = format!("the variable `{name}` is never used");
    let finding = Finding::at(Rule::UnusedVariable, place(source, variable.position), message);
    if source.text.contains(&format!("${{{name}")) {
        return finding.hint("values are put only into texts in back-ticks");
    }
    if step_of(&ASTNode::Expr(value)).is_some() {
        return finding.hint("a step needs no variable: `step \"…\" { … }`");
    }
    finding.hint(format!("use it, remove it, or call it `_{name}`"))
}

fn unused_parameter(source: &Source, position: Position, name: &str) -> Finding {
    let message = format!("the parameter `{name}` is never used");
    Finding::at(Rule::UnusedParameter, place(source, position), message)
        .hint("whoever sets it is told nothing: use it, or remove it")
}

/// Returns the name of the parameter that a call declares.
fn parameter_of(call: &FnCallExpr) -> Option<&str> {
    match call.args.first() {
        Some(Expr::StringConstant(name, _)) if call.name == "param" => Some(name),
        _ => None,
    }
}
