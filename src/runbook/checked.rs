//! What `check` finds in a file, whatever the file is: a runbook, a file of functions to import, or a file
//! of tests. Refuses nothing; `Runbook` and `TestFile` do.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rhai::{AST, ASTNode, Engine, Stmt};

use super::calls::plain_call;
use super::find::Source;
use super::finding::Finding;
use super::outline::step_of;
use super::rule::Rule;
use super::{Compiled, check, compile, test_file};

/// A file that was checked.
#[derive(Debug)]
pub struct Checked {
    /// What messages call it.
    pub file: String,
    /// What is in it; `None` where it can't be read as Rhai.
    pub holds: Option<Holds>,
    /// What was found in it and in what it imports.
    pub findings: Vec<Finding>,
    /// The files that it imports, with their links resolved.
    imports: BTreeSet<PathBuf>,
}

/// What a file has in it, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A runbook's.
    Steps(usize),
    /// A file of tests'.
    Tests(usize),
    /// Those of a file to import.
    Functions(usize),
}

impl Checked {
    /// Checks a runbook, or a file of functions to import.
    #[must_use]
    pub fn of_runbook(engine: &mut Engine, source: &Source) -> Self {
        match compile(engine, source) {
            Ok(ast) if is_library(&ast) => Self::of_library(engine, source),
            Ok(_) => match Compiled::of(engine, source) {
                Ok(script) => {
                    let errors = check::errors(engine, source, &script);
                    let warnings = || check::warnings(engine, source, &script);
                    Self::new(source, Holds::Steps(steps(&script.ast)), &script, errors, warnings)
                }
                Err(fault) => Self::failed(source, fault),
            },
            Err(fault) => Self::failed(source, fault),
        }
    }

    /// Checks a file of tests. The engine is one of `testing`.
    #[must_use]
    pub fn of_tests(engine: &mut Engine, source: &Source) -> Self {
        match Compiled::of(engine, source) {
            Ok(script) => {
                let errors = check::test_errors(engine, source, &script);
                let warnings = || check::script_warnings(source, &script);
                let tests = test_file::tests(&script.ast).len();
                Self::new(source, Holds::Tests(tests), &script, errors, warnings)
            }
            Err(fault) => Self::failed(source, fault),
        }
    }

    fn of_library(engine: &mut Engine, source: &Source) -> Self {
        let mut script = Compiled::of(engine, source);
        // What it imports is looked up from the runbook's folder, which is often the one above.
        let above = source.folder.as_ref().and_then(|folder| Some(folder.parent()?.to_owned()));
        if script.as_ref().is_err_and(|fault| fault.rule == Rule::Import)
            && let Some(above) = above
            && let Ok(found) =
                Compiled::of(engine, &Source { folder: Some(above), ..source.clone() })
        {
            script = Ok(found);
        }
        match script {
            Ok(script) => {
                let errors = check::library_errors(engine, source, &script);
                let warnings = || check::script_warnings(source, &script);
                let functions = functions(&script.ast);
                Self::new(source, Holds::Functions(functions), &script, errors, warnings)
            }
            Err(fault) => Self::failed(source, fault),
        }
    }

    /// Warnings come where there are no errors, which can be the reason of some.
    fn new(
        source: &Source,
        holds: Holds,
        script: &Compiled,
        errors: Vec<Finding>,
        warnings: impl FnOnce() -> Vec<Finding>,
    ) -> Self {
        let findings = if errors.is_empty() { warnings() } else { errors };
        let imports = script.imports.values().filter(|it| it.folder.is_some());
        let imports = imports.filter_map(|it| fs::canonicalize(&it.display).ok()).collect();
        Self { file: source.display.clone(), holds: Some(holds), findings, imports }
    }

    fn failed(source: &Source, fault: Finding) -> Self {
        let (file, imports) = (source.display.clone(), BTreeSet::new());
        Self { file, holds: None, findings: vec![fault], imports }
    }
}

/// Leaves to the runbooks what they import: it is checked with them, and what it imports is looked up
/// from their folders.
pub fn leave_imports(all: &mut [Checked]) {
    let imported: BTreeSet<PathBuf> = all.iter().flat_map(|it| it.imports.clone()).collect();
    for file in all.iter_mut() {
        if fs::canonicalize(&file.file).is_ok_and(|path| imported.contains(&path)) {
            file.findings.clear();
        }
    }
}

/// Tells whether a script is there to be imported: it declares, and does nothing.
fn is_library(ast: &AST) -> bool {
    let declares = |it: &Stmt| matches!(it, Stmt::Import(..) | Stmt::Export(..) | Stmt::Var(..));
    let mut is_runbook = false;
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(node) = path.last() else { return true };
        is_runbook |= step_of(node).is_some() || plain_call(node, "param").is_some();
        !is_runbook
    });
    functions(ast) > 0 && !is_runbook && ast.statements().iter().all(declares)
}

fn functions(ast: &AST) -> usize {
    ast.iter_fn_def().filter(|function| !function.name.starts_with("anon$")).count()
}

fn steps(ast: &AST) -> usize {
    let mut steps = 0;
    ast.walk(&mut |path: &[ASTNode]| {
        steps += usize::from(path.last().is_some_and(|node| step_of(node).is_some()));
        true
    });
    steps
}
