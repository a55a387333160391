//! Find, read, compile, outline and check a runbook. Knows the language, runs nothing.

mod calls;
mod check;
mod checked;
mod find;
mod find_tests;
mod finding;
mod imports;
mod near;
mod outline;
mod rule;
mod scope;
mod shipped;
mod syntax;
mod test_file;
mod walk;

pub use checked::{Checked, Holds, leave_imports};
pub use find::{Source, find, folders, is_test, read, with_extension};
pub use find_tests::find_tests;
pub use finding::Finding;
pub use outline::{Outline, Parameter, Step};
pub use rule::{Rule, Severity};
pub use shipped::{built_in, shipped};
pub use test_file::{Test, TestFile};
pub use walk::files_in;

use std::collections::BTreeMap;

use rhai::{AST, Engine, Position};

use crate::error::{Error, Place};

/// A runbook that passed every check: it may be run.
#[derive(Debug)]
pub struct Runbook {
    /// The file.
    pub source: Source,
    /// The imported files, by the path in the `import`.
    pub imports: BTreeMap<String, Source>,
    /// The compiled script.
    pub ast: AST,
    /// What it says of itself.
    pub outline: Outline,
}

impl Runbook {
    /// Finds a runbook, reads it with its imports, compiles and checks it. The engine gets a
    /// resolver that knows these imports and nothing else.
    ///
    /// # Errors
    ///
    /// Every fault that was found, at least one.
    pub fn load(engine: &mut Engine, name: &str) -> Result<Self, Vec<Error>> {
        let source = find(name).map_err(|error| vec![error])?;
        Self::compile(engine, source)
    }

    /// Loads a runbook that a run was begun with. What was not refused then is not refused now, when
    /// the cluster may be half-way: the rules that came later are left out.
    ///
    /// # Errors
    ///
    /// Every fault that was found, at least one.
    pub fn load_begun(engine: &mut Engine, name: &str) -> Result<Self, Vec<Error>> {
        let source = find(name).map_err(|error| vec![error])?;
        Self::unless(engine, source, |finding| finding.rule != Rule::ArgumentKind)
    }

    /// Compiles and checks a runbook that was read.
    ///
    /// # Errors
    ///
    /// Every fault that was found, at least one.
    pub fn compile(engine: &mut Engine, source: Source) -> Result<Self, Vec<Error>> {
        Self::unless(engine, source, |_| true)
    }

    /// Compiles a runbook, unless something is found that matters.
    fn unless(
        engine: &mut Engine,
        source: Source,
        matters: impl FnMut(&Finding) -> bool,
    ) -> Result<Self, Vec<Error>> {
        let script = Compiled::of(engine, &source).map_err(|fault| vec![fault.into()])?;
        let mut faults = check::errors(engine, &source, &script);
        faults.retain(matters);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(Into::into).collect());
        }
        let Compiled { ast, imports, libraries } = script;
        let outline = outline::outline(engine, &ast, &libraries);
        Ok(Self { source, imports, ast, outline })
    }
}

/// A script with everything that it imports, which is all that the engine can resolve then.
struct Compiled {
    ast: AST,
    /// The imported files, by the path in the `import`.
    imports: BTreeMap<String, Source>,
    /// The same, compiled.
    libraries: BTreeMap<String, AST>,
}

impl Compiled {
    fn of(engine: &mut Engine, source: &Source) -> Result<Self, Finding> {
        let ast = compile(engine, source)?;
        let imports = imports::collect(engine, source, &ast)?;
        imports::resolve_only(engine, &imports);
        let library =
            |(path, library): (&String, &Source)| Ok((path.clone(), compile(engine, library)?));
        let libraries = imports.iter().map(library).collect::<Result<_, Finding>>()?;
        Ok(Self { ast, imports, libraries })
    }

    /// Returns the file itself, and all that it imports.
    fn files<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = (&'a Source, &'a AST)> {
        let libraries = self.libraries.iter().map(|(path, ast)| (&self.imports[path], ast));
        std::iter::once((source, &self.ast)).chain(libraries)
    }
}

fn compile(engine: &Engine, source: &Source) -> Result<AST, Finding> {
    let mut ast = engine
        .compile(without_shebang(&source.text))
        .map_err(|error| syntax::unparsable(engine, source, &error))?;
    if source.is_import {
        // Errors in an imported file name it.
        ast.set_source(source.name.clone());
    }
    Ok(ast)
}

/// Returns the text with a first line `#!…` emptied, so that lines keep their numbers.
fn without_shebang(text: &str) -> &str {
    if !text.starts_with("#!") {
        return text;
    }
    text.find('\n').map_or("", |end| &text[end..])
}

/// Returns a position as a place in a source.
#[must_use]
pub fn place(source: &Source, position: Position) -> Place {
    Place {
        file: source.display.clone(),
        text: source.text.clone(),
        // A fault at the end of the text has no line of its own.
        line: position.line().unwrap_or_else(|| source.text.lines().count().max(1)),
        column: position.position().unwrap_or(0),
    }
}

/// Returns a place in a source by its distance from the beginning, in bytes.
fn place_at(source: &Source, offset: usize) -> Place {
    let before = &source.text[..offset];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Place {
        file: source.display.clone(),
        text: source.text.clone(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
