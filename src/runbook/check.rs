//! The check before the first step: nothing that could have been seen before may surface after
//! a delete.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};

use super::calls::{Call, call_of, functions, plain_call};
use super::find::Source;
use super::outline::{literal, step_of};
use super::{place, scope};
use crate::error::Error;
use crate::host::primitives;

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

/// Returns every fault.
pub(super) fn check(
    engine: &Engine,
    source: &Source,
    ast: &AST,
    imports: &BTreeMap<String, Source>,
    libraries: &BTreeMap<String, AST>,
) -> Vec<Error> {
    let built_in = built_in_functions(engine);
    let mut faults = vec![];
    if ast.statements().is_empty() {
        faults.push(
            Error::runbook(format!("the runbook `{}` is empty", source.display))
                .hint("a runbook is steps: `step \"Look at the classes\" { list_classes() }`"),
        );
    }
    let primitives = primitives(engine);
    check_calls(&built_in, source, ast, libraries, &mut faults);
    check_names(&primitives, source, ast, &mut faults);
    check_words(&built_in, source, ast, &mut faults);
    check_steps(source, ast, &mut faults);
    check_parameters(source, ast, &mut faults);
    check_assignments(source, ast, &mut faults);
    for (path, library) in libraries {
        let source = &imports[path];
        check_calls(&built_in, source, library, libraries, &mut faults);
        check_names(&primitives, source, library, &mut faults);
        check_words(&built_in, source, library, &mut faults);
        check_library(source, library, &mut faults);
    }
    faults.sort_by_key(|fault| fault.place.as_ref().map(|p| (p.file.clone(), p.line, p.column)));
    faults
}

pub(super) fn built_in_functions(engine: &Engine) -> Arities {
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

fn own_functions(ast: &AST) -> Arities {
    let mut functions = Arities::new();
    for function in ast.iter_functions() {
        functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
    }
    functions
}

pub(super) fn check_calls(
    built_in: &Arities,
    source: &Source,
    ast: &AST,
    libraries: &BTreeMap<String, AST>,
    faults: &mut Vec<Error>,
) {
    let own = own_functions(ast);
    let aliases = aliases(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(call) = path.last().and_then(call_of) else { return true };
        let fault = match &call.module {
            Some(alias) => match aliases.get(alias).and_then(|path| libraries.get(path)) {
                Some(library) => fault_of(&call, &[&own_functions(library)]),
                None => None,
            },
            None if LANGUAGE.contains(&call.name.as_str()) => None,
            None => fault_of(&call, &[&own, built_in]),
        };
        faults.extend(fault.map(|fault| fault.at(place(source, call.position))));
        true
    });
}

/// Words of the language that would hide what a runbook does.
pub(super) fn check_words(built_in: &Arities, source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    let own = own_functions(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(node) = path.last() else { return true };
        let mut fault = |message: String, hint: &str, position: Position| {
            faults.push(Error::runbook(message).hint(hint).at(place(source, position)));
        };
        if let Some((call, position)) = plain_call(node, "Fn") {
            match call.args.first() {
                Some(Expr::StringConstant(name, _)) => {
                    if !own.contains_key(name.as_str()) && !built_in.contains_key(name.as_str()) {
                        fault(format!("there is no function `{name}`"), "see `Fn`", position);
                    }
                }
                _ => fault(
                    "`Fn` needs a literal name".into(),
                    "what a step calls must be known without running it",
                    position,
                ),
            }
        }
        for word in ["print", "debug"] {
            if let Some((_, position)) = plain_call(node, word) {
                let hint = "use `note(text)`, which goes to the operator and into the journal";
                fault(format!("`{word}` shows nothing"), hint, position);
            }
        }
        true
    });
}

/// A function with the name of a primitive would answer in its place.
pub(super) fn check_names(
    primitives: &BTreeSet<String>,
    source: &Source,
    ast: &AST,
    faults: &mut Vec<Error>,
) {
    for function in ast.iter_fn_def().filter(|f| primitives.contains(f.name.as_str())) {
        faults.push(
            Error::runbook(format!("the function `{}` hides a primitive", function.name))
                .hint("give it another name: what a primitive says must not be made up")
                .at(place(source, function.body.start_position())),
        );
    }
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

fn fault_of(call: &Call, known: &[&Arities]) -> Option<Error> {
    let arities: BTreeSet<usize> =
        known.iter().filter_map(|functions| functions.get(&call.name)).flatten().copied().collect();
    if arities.contains(&call.arguments) {
        return None;
    }
    if arities.is_empty() {
        let unknown = Error::runbook(format!("there is no function `{}`", call.name));
        let near = known
            .iter()
            .flat_map(|functions| functions.keys())
            .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
            .map(|name| (strsim::damerau_levenshtein(name, &call.name), name))
            .filter(|(distance, _)| *distance <= call.name.len() / 3 + 1)
            .min();
        return Some(match near {
            Some((_, near)) => unknown.hint(format!("did you mean `{near}`?")),
            None => unknown,
        });
    }
    let takes: Vec<_> = arities.iter().map(ToString::to_string).collect();
    Some(Error::runbook(format!(
        "`{}` takes {} argument{}, not {}",
        call.name,
        takes.join(" or "),
        if arities.len() == 1 && arities.contains(&1) { "" } else { "s" },
        call.arguments
    )))
}

fn check_steps(source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    let mut titles: BTreeMap<String, Position> = BTreeMap::new();
    let in_function = lines_in_functions(ast);
    ast.walk(&mut |path: &[ASTNode]| {
        let Some((node, above)) = path.split_last() else { return true };
        let Some((title, position, inputs)) = step_of(node) else { return true };
        let mut fault = |message: String, hint: &str| {
            faults.push(Error::runbook(message).hint(hint).at(place(source, position)));
        };
        if title.trim().is_empty() {
            fault("a step needs a title".into(), "write `step \"Export the schema\" { … }`");
        }
        if let Some(first) = titles.insert(title.to_owned(), position) {
            fault(
                format!("there is a step \"{title}\" already, in line {}", first.line().unwrap_or(0)),
                "titles are unique, so that a run can be resumed by step",
            );
        }
        if above.iter().any(|node| step_of(node).is_some()) {
            fault(format!("step \"{title}\" stands in another step"), "let it follow instead");
        } else if in_function.contains(&position.line().unwrap_or(0)) {
            fault(
                format!("step \"{title}\" stands in a function or closure"),
                "steps stand at the top level or in a top-level `if`, so that their list is known without running",
            );
        } else if above.iter().any(repeats) {
            fault(
                format!("step \"{title}\" stands in a loop or `try`"),
                "let the step contain the loop instead",
            );
        }
        if let Some(rollback) = inputs.get(2) {
            check_rollback(source, ast, rollback, faults);
        }
        true
    });
}

/// A rollback runs after the script is gone: it can't see imports.
fn check_rollback(source: &Source, ast: &AST, rollback: &Expr, faults: &mut Vec<Error>) {
    let mut closures = vec![];
    rollback.walk(&mut vec![], &mut |path: &[ASTNode]| {
        closures.extend(path.last().and_then(super::calls::closure_of));
        true
    });
    for (_, body) in functions(ast).into_iter().filter(|(name, _)| closures.contains(name)) {
        body.walk(&mut |path: &[ASTNode]| {
            if let Some(call) = path.last().and_then(call_of).filter(|c| c.module.is_some()) {
                faults.push(
                    Error::runbook(format!("a rollback can't call the imported `{}`", call.name))
                        .hint("rollbacks call primitives and functions of the runbook itself")
                        .at(place(source, call.position)),
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

fn check_parameters(source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let Some((node, above)) = path.split_last() else { return true };
        let Some((call, position)) = plain_call(node, "param") else { return true };
        let mut fault = |message: String, hint: &str| {
            faults.push(Error::runbook(message).hint(hint).at(place(source, position)));
        };
        let top_level =
            above.iter().all(|node| matches!(node, ASTNode::Stmt(Stmt::Var(..) | Stmt::Expr(..))));
        if !top_level {
            fault(
                "a parameter stands only at the top level".into(),
                "write `let class = param(\"class\", \"ELYSIA_CONFIG__\");` before the first step",
            );
        }
        if !call.args.iter().all(|argument| literal(argument).is_some()) {
            fault(
                "a parameter's name, default and help must be literals".into(),
                "so that `show` can list the parameters without running anything",
            );
        }
        if let Some(Expr::StringConstant(name, _)) = call.args.first()
            && !names.insert(name.to_string())
        {
            fault(format!("there is a parameter `{name}` already"), "keep its value in a variable");
        }
        true
    });
}

fn check_assignments(source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    let mut fault = |who: &str, name: &str, position: Position| {
        faults.push(
            Error::runbook(format!(
                "{who} may not change `{name}`, which is declared outside of it"
            ))
            .hint("let the new value be the step's result: `let x = step \"…\" { … };`")
            .at(place(source, position)),
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

fn check_library(source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(node) = path.last() else { return true };
        let step = step_of(node).map(|(_, position, _)| ("a step", position));
        let param = plain_call(node, "param").map(|(_, position)| ("a parameter", position));
        for (what, position) in step.into_iter().chain(param) {
            faults.push(
                Error::runbook(format!("{what} can't stand in an imported file"))
                    .hint("imported files hold functions; steps and parameters are the runbook's")
                    .at(place(source, position)),
            );
        }
        true
    });
}
