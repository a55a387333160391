//! What a runbook says of itself without being run: doc, parameters, steps, and what each step
//! reads and changes.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, Position};
use serde_json::Value;

use super::calls::{call_of, closure_of, functions, plain_call};
use crate::host::{OPTIONAL, changing, primitives};

/// What a runbook says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Its `//!` text, without the slashes.
    pub doc: String,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its default, which gives its type; `None`: required, and text.
    pub default: Option<Value>,
    /// A line of help.
    pub help: Option<String>,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its title.
    pub title: String,
    /// Where it begins.
    pub position: Position,
    /// Primitives that it calls and that change nothing, directly or through functions.
    pub reads: BTreeSet<String>,
    /// Primitives that it calls and that change the cluster.
    pub changes: BTreeSet<String>,
    /// Whether it has a rollback.
    pub has_rollback: bool,
    /// Whether the operator may skip it.
    pub optional: bool,
}

impl Outline {
    /// Tells whether any step can change the cluster.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        self.steps.iter().any(|step| !step.changes.is_empty())
    }

    /// Returns the first line of the doc.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.doc.lines().next().unwrap_or_default()
    }
}

/// Outlines a script that passed the check.
pub(super) fn outline(engine: &Engine, ast: &AST, libraries: &BTreeMap<String, AST>) -> Outline {
    let (primitives, changing) = (primitives(engine), changing(engine));
    let all = Functions::of(ast, libraries);
    let mut parameters = vec![];
    let mut steps = vec![];
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(parameter) = path.last().and_then(parameter) {
            parameters.push(parameter);
        }
        if let Some((title, position, inputs)) = path.last().and_then(step_of) {
            let (changes, reads) = all
                .collect(&inputs[1])
                .into_iter()
                .filter(|name| primitives.contains(name))
                .partition(|name| changing.contains(name));
            steps.push(Step {
                title: title.into(),
                position,
                reads,
                changes,
                has_rollback: inputs.len() > 2,
                optional: path.last().is_some_and(is_optional),
            });
        }
        true
    });
    Outline { doc: doc(ast), parameters, steps }
}

/// Returns title, position and parts of the step that a node is.
pub(super) fn step_of<'a>(node: &ASTNode<'a>) -> Option<(&'a str, Position, &'a [Expr])> {
    match node {
        ASTNode::Expr(Expr::Custom(custom, position)) => match custom.inputs.first() {
            Some(Expr::StringConstant(title, _)) => {
                Some((title.as_str(), *position, &custom.inputs))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Tells whether a step is one that the operator may skip.
fn is_optional(step: &ASTNode) -> bool {
    matches!(step, ASTNode::Expr(Expr::Custom(custom, _))
        if custom.tokens.first().is_some_and(|word| word == OPTIONAL))
}

fn parameter(node: &ASTNode) -> Option<Parameter> {
    let (call, _) = plain_call(node, "param")?;
    let text = |expression: &Expr| match expression {
        Expr::StringConstant(text, _) => Some(text.to_string()),
        _ => None,
    };
    Some(Parameter {
        name: call.args.first().and_then(text)?,
        default: call.args.get(1).and_then(literal),
        help: call.args.get(2).and_then(text),
    })
}

/// Returns the value of a literal.
pub(super) fn literal(expression: &Expr) -> Option<Value> {
    match expression {
        Expr::StringConstant(text, _) => Some(text.as_str().into()),
        Expr::IntegerConstant(number, _) => Some((*number).into()),
        Expr::BoolConstant(truth, _) => Some((*truth).into()),
        Expr::FloatConstant(number, _) => Some((**number).into()),
        Expr::FnCall(call, _) if call.is_operator_call() && call.name == "-" => {
            match (call.args.len(), literal(&call.args[0])?) {
                (1, Value::Number(number)) => match number.as_i64() {
                    Some(number) => Some((-number).into()),
                    None => number.as_f64().map(|number| (-number).into()),
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn doc(ast: &AST) -> String {
    ast.doc()
        .lines()
        .map(|line| {
            let line = line.strip_prefix("//!").unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line).trim_end()
        })
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}

/// Functions and closures by name, each alone.
pub(super) struct Functions {
    bodies: BTreeMap<String, AST>,
}

impl Functions {
    pub(super) fn of(ast: &AST, libraries: &BTreeMap<String, AST>) -> Self {
        let scripts = std::iter::once(ast).chain(libraries.values());
        Self { bodies: scripts.flat_map(functions).collect() }
    }

    /// Returns the names of all functions that an expression calls, directly or not.
    pub(super) fn collect(&self, expression: &Expr) -> BTreeSet<String> {
        let mut open = vec![];
        expression.walk(&mut vec![], &mut |path: &[ASTNode]| {
            open.extend(path.last().and_then(name_of));
            true
        });
        self.follow(open)
    }

    /// Returns the names of all functions that are called where one is: itself, and what it calls.
    pub(super) fn follow(&self, mut open: Vec<String>) -> BTreeSet<String> {
        let mut called = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(body) = self.bodies.get(&name).filter(|_| !called.contains(&name)) {
                body.walk(&mut |path: &[ASTNode]| {
                    open.extend(path.last().and_then(name_of));
                    true
                });
            }
            called.insert(name);
        }
        called
    }
}

fn name_of(node: &ASTNode) -> Option<String> {
    if let Some((call, _)) = plain_call(node, "Fn")
        && let Some(Expr::StringConstant(name, _)) = call.args.first()
    {
        return Some(name.to_string());
    }
    call_of(node).map(|call| call.name).or_else(|| closure_of(node))
}
