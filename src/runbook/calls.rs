//! Every function call of a script, with name, number of arguments and position.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The function.
    pub(super) name: String,
    /// The module's alias, where it is qualified.
    pub(super) module: Option<String>,
    /// Number of arguments; the object before the dot counts.
    pub(super) arguments: usize,
    /// Where.
    pub(super) position: Position,
}

/// Returns the call that a node is, if it is one.
pub(super) fn call_of(node: &ASTNode) -> Option<Call> {
    let (call, position, method) = match node {
        ASTNode::Stmt(Stmt::FnCall(call, position))
        | ASTNode::Expr(Expr::FnCall(call, position)) => (call, position, false),
        ASTNode::Expr(Expr::MethodCall(call, position)) => (call, position, true),
        _ => return None,
    };
    if call.is_operator_call() {
        return None;
    }
    Some(Call {
        name: call.name.to_string(),
        module: (!call.namespace.is_empty()).then(|| call.namespace.root().to_owned()),
        arguments: call.args.len() + usize::from(method),
        position: *position,
    })
}

/// Returns the plain call behind a node: `name(…)`, not `x.name(…)`.
pub(super) fn plain_call<'a>(node: &ASTNode<'a>, name: &str) -> Option<(&'a FnCallExpr, Position)> {
    match node {
        ASTNode::Stmt(Stmt::FnCall(call, position))
        | ASTNode::Expr(Expr::FnCall(call, position))
            if call.name == name =>
        {
            Some((call, *position))
        }
        _ => None,
    }
}

/// Returns the name of the closure that a node is.
pub(super) fn closure_of(node: &ASTNode) -> Option<String> {
    match node {
        ASTNode::Expr(Expr::DynamicConstant(value, _)) => {
            let pointer = value.read_lock::<rhai::FnPtr>()?;
            Some(pointer.fn_name().to_owned())
        }
        _ => None,
    }
}

/// Returns every function and closure of a script by name, each as a script without statements,
/// so that walking it walks its body.
pub(super) fn functions(ast: &AST) -> Vec<(String, AST)> {
    ast.iter_fn_def()
        .map(|function| {
            let name = function.name.to_string();
            // `clone_functions_only_filtered` of Rhai 1.27.0 does not filter.
            let mut alone = ast.clone_functions_only();
            alone.retain_functions(|_, _, other, _| other == name);
            (name, alone)
        })
        .collect()
}
