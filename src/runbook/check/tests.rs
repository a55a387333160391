//! The check of a file of tests: its words as those of a runbook, and its tests.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Engine, Position};

use super::{check_words, functions, sorted};
use crate::runbook::calls;
use crate::runbook::finding::Finding;
use crate::runbook::rule::Rule;
use crate::runbook::test_file::test_of;
use crate::runbook::{Compiled, Source, place};

/// Returns what a file of tests is refused for.
pub(in crate::runbook) fn test_errors(
    engine: &Engine,
    source: &Source,
    script: &Compiled,
) -> Vec<Finding> {
    let mut built_in = functions::built_in(engine);
    // No function, but what somebody means who writes `expct(…)`.
    built_in.entry("expect".into()).or_default();
    let mut found = check_words(engine, &built_in, source, script);
    check_titles(source, &script.ast, &mut found);
    sorted(found)
}

fn check_titles(source: &Source, ast: &AST, found: &mut Vec<Finding>) {
    let top = ast.statements().len();
    let mut titles: BTreeMap<String, Position> = BTreeMap::new();
    let inside = calls::functions(ast);
    let scripts = std::iter::once((ast, true)).chain(inside.iter().map(|(_, body)| (body, false)));
    for (script, is_file) in scripts {
        script.walk(&mut |path: &[ASTNode]| {
            let Some((title, position)) = path.last().and_then(test_of) else { return true };
            let mut fault = |rule, message: String, hint: &str| {
                found.push(Finding::at(rule, place(source, position), message).hint(hint));
            };
            // The statement that a test is, and the test.
            if !is_file || path.len() > 2 {
                fault(
                    Rule::MisplacedTest,
                    format!("test \"{title}\" does not stand at the top level"),
                    "so that the list of tests is known without running them",
                );
            } else if title.trim().is_empty() {
                let hint = "write `test \"a class comes back\" { … }`";
                fault(Rule::TestTitle, "a test needs a title".into(), hint);
            } else if let Some(first) = titles.insert(title.to_owned(), position) {
                fault(
                    Rule::RepeatedTest,
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
    if top == 0 || titles.is_empty() && found.is_empty() {
        let message = format!("`{}` has no test", source.display);
        found.push(
            Finding::in_file(Rule::NoTest, &source.display, message)
                .hint("write `test \"a class comes back\" { … }`"),
        );
    }
}
