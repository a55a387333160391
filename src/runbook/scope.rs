//! Assignments that leave a step. A resumed run replays a step's recorded value
//! instead of running it, so whatever else the step did to variables would be lost.

use rhai::{ASTNode, Expr, Position, Stmt, StmtBlock};

/// Methods of arrays, maps and strings that change them in place.
const MUTATING: [&str; 22] = [
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "mixin",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "shift",
    "sort",
    "splice",
    "trim",
    "truncate",
];

/// Returns the variable that a node changes, with the place; `path` leads to the node.
pub(super) fn changed_variable<'a>(path: &[ASTNode<'a>]) -> Option<(&'a str, Position)> {
    match path.last()? {
        ASTNode::Stmt(Stmt::Assignment(assignment)) => root(&assignment.1.lhs),
        ASTNode::Expr(Expr::Dot(dot, ..)) => match last_of_chain(&dot.rhs) {
            Expr::MethodCall(call, _) if MUTATING.contains(&call.name.as_str()) => root(&dot.lhs),
            _ => None,
        },
        _ => None,
    }
}

fn root(expression: &Expr) -> Option<(&str, Position)> {
    match expression {
        Expr::Variable(variable, _, position) => Some((variable.1.as_str(), *position)),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        _ => None,
    }
}

fn last_of_chain(expression: &Expr) -> &Expr {
    match expression {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => last_of_chain(&chain.rhs),
        other => other,
    }
}

/// Tells whether `name` is declared between the first node of `path` and its last.
pub(super) fn is_declared(path: &[ASTNode], name: &str) -> bool {
    path.windows(2).any(|pair| {
        let ASTNode::Stmt(child) = &pair[1] else { return declares_for_all(&pair[0], name) };
        declares_for_all(&pair[0], name)
            || blocks(&pair[0]).into_iter().any(|block| declares_before(block, child, name))
    })
}

fn declares_before(block: &StmtBlock, child: &Stmt, name: &str) -> bool {
    let statements = block.statements();
    let Some(at) = statements.iter().position(|statement| std::ptr::eq(statement, child)) else {
        return false;
    };
    statements[..at]
        .iter()
        .any(|statement| matches!(statement, Stmt::Var(var, ..) if var.0.name == name))
}

/// Loop variables and caught errors.
fn declares_for_all(node: &ASTNode, name: &str) -> bool {
    match node {
        ASTNode::Stmt(Stmt::For(x, _)) => {
            x.0.name == name || x.1.as_ref().is_some_and(|counter| counter.name == name)
        }
        ASTNode::Stmt(Stmt::TryCatch(x, _)) => {
            matches!(&x.expr, Expr::Variable(variable, ..) if variable.1 == name)
        }
        _ => false,
    }
}

/// Returns the blocks of statements that stand directly in a node.
pub(super) fn blocks<'a>(node: &ASTNode<'a>) -> Vec<&'a StmtBlock> {
    match node {
        ASTNode::Stmt(
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) | Stmt::TryCatch(flow, _),
        ) => vec![&flow.body, &flow.branch],
        ASTNode::Stmt(Stmt::For(x, _)) => vec![&x.2.body],
        ASTNode::Stmt(Stmt::Block(block)) | ASTNode::Expr(Expr::Stmt(block)) => vec![block],
        _ => vec![],
    }
}
