//! Imports: confined to the runbook's own folder and the built-in `lib/`.
//!
//! All imports are read before the first step and never again, so that a run
//! executes what was checked and what its journal holds.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use rhai::{
    AST, ASTNode, Engine, EvalAltResult, Expr, Module, ModuleResolver, Position, Scope, Shared,
    Stmt,
};

use super::find::{Source, read, with_extension};
use super::finding::Finding;
use super::place;
use super::rule::Rule;
use super::shipped::built_in;

/// Reads everything that a runbook imports, directly or not.
pub(super) fn collect(
    engine: &Engine,
    source: &Source,
    ast: &AST,
) -> Result<BTreeMap<String, Source>, Finding> {
    let mut imports = BTreeMap::new();
    let mut open = vec![(source.clone(), ast.clone())];
    while let Some((importing, ast)) = open.pop() {
        for (path, position) in paths(&importing, &ast)? {
            if imports.contains_key(&path) {
                continue;
            }
            let found = locate(source, &path).map_err(|(message, hints)| {
                let place = place(&importing, position);
                Finding { hints, ..Finding::at(Rule::Import, place, message) }
            })?;
            let ast = super::compile(engine, &found)?;
            imports.insert(path, found.clone());
            open.push((found, ast));
        }
    }
    Ok(imports)
}

/// Makes these imports the only ones that the engine can resolve.
pub(super) fn resolve_only(engine: &mut Engine, imports: &BTreeMap<String, Source>) {
    engine.set_module_resolver(Known { imports: imports.clone() });
}

/// Returns the paths of all `import` statements, which must be literals.
fn paths(source: &Source, ast: &AST) -> Result<Vec<(String, Position)>, Finding> {
    let mut paths = vec![];
    let mut computed = None;
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = nodes.last() {
            match &import.0 {
                Expr::StringConstant(path, position) => paths.push((path.to_string(), *position)),
                _ => computed = Some(*position),
            }
        }
        true
    });
    match computed {
        Some(position) => {
            let place = place(source, position);
            Err(Finding::at(Rule::Import, place, "an import needs a literal path")
                .hint("write `import \"lib/replication\" as replication;`"))
        }
        None => Ok(paths),
    }
}

/// Why a file can't be imported, and what to do.
type Refused = (String, Vec<String>);

fn locate(runbook: &Source, path: &str) -> Result<Source, Refused> {
    let refused = |message: String, hint: &str| Err((message, vec![hint.to_owned()]));
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || path.contains(['\\', '\0']) {
        return refused(
            format!("the import `{path}` leaves the runbook's folder"),
            "imports are paths below the runbook's own folder, without `..`",
        );
    }
    let file = with_extension(path);
    if let Some(folder) = &runbook.folder {
        let candidate = folder.join(&file);
        if candidate.is_file() {
            // A link may lead out of the folder although its path does not.
            let inside = match (candidate.canonicalize(), folder.canonicalize()) {
                (Ok(candidate), Ok(folder)) => candidate.starts_with(folder),
                _ => false,
            };
            if !inside {
                let message =
                    format!("the import `{path}` is a link that leaves the runbook's folder");
                return Err((message, vec![]));
            }
            let mut found = read(&candidate, path).map_err(|error| (error.message, error.hints))?;
            found.is_import = true;
            return Ok(found);
        }
    }
    match built_in(&file) {
        Some(mut found) if found.is_import => {
            found.name = path.into();
            Ok(found)
        }
        _ => refused(
            format!("there is nothing to import at `{path}`"),
            "imports are looked up in the runbook's own folder, then in the built-in `lib/`",
        ),
    }
}

struct Known {
    imports: BTreeMap<String, Source>,
}

impl ModuleResolver for Known {
    fn resolve(
        &self,
        engine: &Engine,
        _: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let missing = || EvalAltResult::ErrorModuleNotFound(path.into(), position);
        let source = self.imports.get(path).ok_or_else(missing)?;
        let mut ast = engine.compile(&source.text).map_err(|_| missing())?;
        ast.set_source(source.name.clone());
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Into::into)
    }
}
