//! A file of tests: read, compiled and checked as runbooks are, and not run here.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Engine, Expr, Position};

use super::find::Source;
use super::{Compiled, check, imports};
use crate::error::Error;

/// A file of tests that passed every check.
#[derive(Debug)]
pub struct TestFile {
    /// The file.
    pub source: Source,
    /// The imported files, by the path in the `import`.
    pub imports: BTreeMap<String, Source>,
    /// The compiled script.
    pub ast: AST,
    /// Its tests, in order.
    pub tests: Vec<Test>,
}

/// A test in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Its title.
    pub title: String,
    /// Where it begins.
    pub position: Position,
}

impl TestFile {
    /// Compiles and checks a file that was read. The engine is one of `testing`; it gets a resolver
    /// that knows the file's imports and nothing else.
    ///
    /// # Errors
    ///
    /// Every fault that was found, at least one.
    pub fn compile(engine: &mut Engine, source: Source) -> Result<Self, Vec<Error>> {
        let script = Compiled::of(engine, &source).map_err(|fault| vec![fault.into()])?;
        let faults = check::test_errors(engine, &source, &script);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(Into::into).collect());
        }
        let Compiled { ast, imports, .. } = script;
        let tests = tests(&ast);
        Ok(Self { source, imports, ast, tests })
    }

    /// Makes its imports the only ones that the engine can resolve.
    pub fn resolve(&self, engine: &mut Engine) {
        imports::resolve_only(engine, &self.imports);
    }
}

/// Returns the tests of a script, in order.
pub(super) fn tests(ast: &AST) -> Vec<Test> {
    let mut tests = vec![];
    ast.walk(&mut |path: &[ASTNode]| {
        tests.extend(
            path.last()
                .and_then(test_of)
                .map(|(title, position)| Test { title: title.into(), position }),
        );
        true
    });
    tests
}

/// Returns title and position of the test that a node is.
pub(super) fn test_of<'a>(node: &ASTNode<'a>) -> Option<(&'a str, Position)> {
    match node {
        ASTNode::Expr(Expr::Custom(custom, position)) if custom.tokens.first()? == "test" => {
            match custom.inputs.first() {
                Some(Expr::StringConstant(title, _)) => Some((title.as_str(), *position)),
                _ => None,
            }
        }
        _ => None,
    }
}
