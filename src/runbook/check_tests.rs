//! The check of a file of tests: its words as those of a runbook, and its tests.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Engine, Position};

use super::calls::functions;
use super::check::{built_in_functions, check_calls, check_names, check_words};
use super::find::Source;
use super::place;
use super::test_file::test_of;
use crate::error::Error;
use crate::host::primitives;

/// Returns every fault of a file of tests.
pub(super) fn check_tests(
    engine: &Engine,
    source: &Source,
    ast: &AST,
    imports: &BTreeMap<String, Source>,
    libraries: &BTreeMap<String, AST>,
) -> Vec<Error> {
    let mut built_in = built_in_functions(engine);
    // No function, but what somebody means who writes `expct(…)`.
    built_in.entry("expect".into()).or_default();
    let words = primitives(engine);
    let mut faults = vec![];
    for (source, ast) in std::iter::once((source, ast))
        .chain(libraries.iter().map(|(path, library)| (&imports[path], library)))
    {
        check_calls(&built_in, source, ast, libraries, &mut faults);
        check_names(&words, source, ast, &mut faults);
        check_words(&built_in, source, ast, &mut faults);
    }
    check_titles(source, ast, &mut faults);
    faults.sort_by_key(|fault| fault.place.as_ref().map(|p| (p.file.clone(), p.line, p.column)));
    faults
}

fn check_titles(source: &Source, ast: &AST, faults: &mut Vec<Error>) {
    let top = ast.statements().len();
    let mut titles: BTreeMap<String, Position> = BTreeMap::new();
    let inside = functions(ast);
    let scripts = std::iter::once((ast, true)).chain(inside.iter().map(|(_, body)| (body, false)));
    for (script, is_file) in scripts {
        script.walk(&mut |path: &[ASTNode]| {
            let Some((title, position)) = path.last().and_then(test_of) else { return true };
            let mut fault = |message: String, hint: &str| {
                faults.push(Error::runbook(message).hint(hint).at(place(source, position)));
            };
            // The statement that a test is, and the test.
            if !is_file || path.len() > 2 {
                fault(
                    format!("test \"{title}\" does not stand at the top level"),
                    "so that the list of tests is known without running them",
                );
            } else if title.trim().is_empty() {
                fault("a test needs a title".into(), "write `test \"a class comes back\" { … }`");
            } else if let Some(first) = titles.insert(title.to_owned(), position) {
                fault(
                    format!(
                        "there is a test \"{title}\" already, in line {}",
                        first.line().unwrap_or(0)
                    ),
                    "titles are unique, so that one can be run alone",
                );
            }
            true
        });
    }
    if top == 0 || titles.is_empty() && faults.is_empty() {
        faults.push(
            Error::runbook(format!("`{}` has no test", source.display))
                .hint("write `test \"a class comes back\" { … }`"),
        );
    }
}
