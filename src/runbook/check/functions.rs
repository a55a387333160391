//! Calls of functions that are not there, and with a number of arguments that they don't take.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, Stmt};

use crate::runbook::calls::{Call, call_of};
use crate::runbook::finding::Finding;
use crate::runbook::near::near;
use crate::runbook::rule::Rule;
use crate::runbook::{Source, place};

/// Functions of the language itself, which no list of functions has, with any number of arguments.
const LANGUAGE: [&str; 13] = [
    "Fn",
    "call",
    "curry",
    "debug",
    "exit",
    "is_anonymous",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "name",
    "print",
    "tag",
    "type_of",
];

/// Names of functions, each with the numbers of arguments that it can take.
pub(super) type Arities = BTreeMap<String, BTreeSet<usize>>;

/// Returns the functions of an engine.
pub(super) fn built_in(engine: &Engine) -> Arities {
    let mut functions = Arities::new();
    let all = engine.collect_fn_metadata(
        None,
        |function| Some((function.metadata.name.to_string(), function.metadata.num_params)),
        true,
    );
    for (name, arguments) in all {
        functions.entry(name).or_default().insert(arguments);
    }
    functions
}

/// Returns the functions of a script.
pub(super) fn own_functions(ast: &AST) -> Arities {
    let mut functions = Arities::new();
    for function in ast.iter_functions() {
        functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
    }
    functions
}

/// Checks every call.
pub(super) fn check_calls(
    built_in: &Arities,
    source: &Source,
    ast: &AST,
    libraries: &BTreeMap<String, AST>,
    found: &mut Vec<Finding>,
) {
    let own = own_functions(ast);
    let aliases = aliases(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(call) = path.last().and_then(call_of) else { return true };
        let fault = match &call.module {
            Some(alias) => match aliases.get(alias).and_then(|path| libraries.get(path)) {
                Some(library) => fault_of(source, &call, &[&own_functions(library)]),
                None => None,
            },
            None if LANGUAGE.contains(&call.name.as_str()) => None,
            None => fault_of(source, &call, &[&own, built_in]),
        };
        found.extend(fault);
        true
    });
}

/// Returns the aliases of imports with their paths.
fn aliases(ast: &AST) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(path, _) = &import.0
        {
            aliases.insert(import.1.name.to_string(), path.to_string());
        }
        true
    });
    aliases
}

fn fault_of(source: &Source, call: &Call, known: &[&Arities]) -> Option<Finding> {
    let arities: BTreeSet<usize> =
        known.iter().filter_map(|functions| functions.get(&call.name)).flatten().copied().collect();
    if arities.contains(&call.arguments) {
        return None;
    }
    let place = place(source, call.position);
    if arities.is_empty() {
        let message = format!("there is no function `{}`", call.name);
        let unknown = Finding::at(Rule::UnknownFunction, place, message);
        let names = known.iter().flat_map(|functions| functions.keys()).map(String::as_str);
        return Some(match near(&call.name, names) {
            Some(near) => unknown.hint(format!("did you mean `{near}`?")),
            None => unknown,
        });
    }
    let takes: Vec<_> = arities.iter().map(ToString::to_string).collect();
    let message = format!(
        "`{}` takes {} argument{}, not {}",
        call.name,
        takes.join(" or "),
        if arities.len() == 1 && arities.contains(&1) { "" } else { "s" },
        call.arguments
    );
    Some(Finding::at(Rule::ArgumentCount, place, message))
}
