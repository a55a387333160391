//! The check before the first step: nothing that could have been seen before may surface after
//! a delete. What breaks a rule is found here; that a text is Rhai at all is for `syntax`.

mod arguments;
mod assignments;
mod functions;
mod parameters;
mod risks;
mod steps;
mod tests;
mod unreachable;
mod unused;
mod words;

pub(super) use tests::test_errors;

use rhai::{AST, Engine};

use functions::Arities;

use super::Compiled;
use super::calls;
use super::find::Source;
use super::finding::Finding;
use super::place_at;
use super::rule::Rule;
use super::syntax::open_comment;
use crate::host::{changing, kinds, primitives};

/// About how many warnings are told of a script: nobody reads more, and each holds its text.
const MOST: usize = 100;

/// Returns what a runbook is refused for.
pub(super) fn errors(engine: &Engine, source: &Source, script: &Compiled) -> Vec<Finding> {
    let mut found = vec![];
    if script.ast.statements().is_empty() {
        let message = format!("the runbook `{}` is empty", source.display);
        found.push(
            Finding::in_file(Rule::EmptyRunbook, &source.display, message)
                .hint("a runbook is steps: `step \"Look at the classes\" { list_classes() }`"),
        );
    }
    found.extend(library_errors(engine, source, script));
    steps::check_steps(source, &script.ast, &mut found);
    parameters::check_parameters(source, &script.ast, &mut found);
    assignments::check_assignments(source, &script.ast, &mut found);
    sorted(found)
}

/// Returns what a file of functions to import is refused for, and what it imports.
pub(super) fn library_errors(engine: &Engine, source: &Source, script: &Compiled) -> Vec<Finding> {
    let mut found = check_words(engine, &functions::built_in(engine), source, script);
    for (path, library) in &script.libraries {
        steps::check_library(&script.imports[path], library, &mut found);
    }
    sorted(found)
}

/// Checks what a file and all that it imports say.
fn check_words(
    engine: &Engine,
    built_in: &Arities,
    source: &Source,
    script: &Compiled,
) -> Vec<Finding> {
    let (primitives, kinds) = (primitives(engine), kinds(engine));
    let mut found = vec![];
    for (source, ast) in script.files(source) {
        functions::check_calls(built_in, source, ast, &script.libraries, &mut found);
        arguments::check_kinds(&kinds, source, ast, &mut found);
        words::check_names(&primitives, source, ast, &mut found);
        words::check_words(built_in, source, ast, &mut found);
    }
    found
}

/// Returns what is likely not meant, or risky, in a runbook that can be run.
pub(super) fn warnings(engine: &Engine, source: &Source, script: &Compiled) -> Vec<Finding> {
    let mut found = script_warnings(source, script);
    let changing = changing(engine);
    risks::check_changes(&changing, source, script, &mut found);
    risks::check_deletes(source, script, &mut found);
    sorted(found)
}

/// Returns what is likely not meant in any file.
pub(super) fn script_warnings(source: &Source, script: &Compiled) -> Vec<Finding> {
    let mut found = vec![];
    for (source, ast) in script.files(source) {
        unused::check_unused(source, ast, &mut found);
        unreachable::check_unreachable(source, ast, &mut found);
        for body in bodies(ast) {
            words::check_texts(source, &body, &mut found);
        }
        if let Some(offset) = open_comment(&source.text) {
            let place = place_at(source, offset);
            found.push(
                Finding::at(Rule::UnclosedComment, place, "this comment is not closed")
                    .hint("what follows is no part of the runbook; close it with `*/`"),
            );
        }
    }
    sorted(found)
}

/// Returns the statements of a script and the bodies of its functions and closures, each alone. Rhai
/// shows those of functions only to whoever walks them.
fn bodies(ast: &AST) -> impl Iterator<Item = AST> {
    let functions = calls::functions(ast).into_iter().map(|(_, body)| body);
    std::iter::once(ast.clone_statements_only()).chain(functions)
}

fn sorted(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|it| (it.place.is_some(), it.file.clone(), it.start()));
    found
}
