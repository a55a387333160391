//! Statements behind one that leaves their block.

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::{MOST, bodies};
use crate::runbook::finding::Finding;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place, scope};

/// Finds the first statement of each block that is never run.
pub(super) fn check_unreachable(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    // A file of tests may have an `abort` of its own, which can return.
    let aborts = !ast.iter_fn_def().any(|function| function.name == "abort");
    for body in bodies(ast) {
        let mut outermost = Block::default();
        body.walk(&mut |path: &[ASTNode]| {
            if let [ASTNode::Stmt(statement)] = path {
                found.extend(outermost.next(source, statement, aborts));
            }
            for block in path.last().map(scope::blocks).unwrap_or_default() {
                let mut inner = Block::default();
                let statements = block.statements().iter();
                found.extend(statements.filter_map(|it| inner.next(source, it, aborts)));
            }
            found.len() < MOST
        });
    }
}

/// A block whose statements are looked at one after the other.
#[derive(Default)]
struct Block {
    /// The word that left it.
    left: Option<&'static str>,
    /// Whether that was told.
    told: bool,
}

impl Block {
    /// Looks at the next statement.
    fn next(&mut self, source: &Source, statement: &Stmt, aborts: bool) -> Option<Finding> {
        let Some(word) = self.left else {
            self.left = leaves(statement, aborts);
            return None;
        };
        if statement.is_noop() || std::mem::replace(&mut self.told, true) {
            return None;
        }
        let message = format!("this is never run: it stands behind `{word}`");
        let hint = format!("remove it, or let the `{word}` stand in an `if`");
        let place = place(source, start(statement));
        Some(Finding::at(Rule::Unreachable, place, message).hint(hint))
    }
}

/// Returns the word by which a statement leaves its block in every case.
fn leaves(statement: &Stmt, aborts: bool) -> Option<&'static str> {
    let is_abort = |call: &FnCallExpr| aborts && call.name == "abort" && !call.is_qualified();
    match statement {
        Stmt::Return(_, flags, _) if flags.intersects(ASTFlags::BREAK) => Some("throw"),
        Stmt::Return(..) => Some("return"),
        Stmt::BreakLoop(_, flags, _) if flags.intersects(ASTFlags::BREAK) => Some("break"),
        Stmt::BreakLoop(..) => Some("continue"),
        Stmt::FnCall(call, _) if is_abort(call) => Some("abort"),
        Stmt::Expr(expression) => match &**expression {
            Expr::FnCall(call, _) if is_abort(call) => Some("abort"),
            _ => None,
        },
        _ => None,
    }
}

/// Returns where a statement begins.
fn start(statement: &Stmt) -> Position {
    match statement {
        Stmt::Assignment(assignment) => assignment.1.lhs.start_position(),
        Stmt::FnCall(call, _) if call.is_operator_call() => {
            call.args.first().map_or(statement.position(), Expr::start_position)
        }
        other => other.position(),
    }
}
