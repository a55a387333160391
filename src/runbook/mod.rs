//! Find, read, compile, outline and check a runbook. Knows the language, runs nothing.

mod calls;
mod check;
mod check_tests;
mod find;
mod find_tests;
mod imports;
mod outline;
mod scope;
mod shipped;
mod test_file;

pub use find::{Source, find, folders, is_test, read, with_extension};
pub use find_tests::find_tests;
pub use outline::{Outline, Parameter, Step};
pub use shipped::{built_in, shipped};
pub use test_file::{Test, TestFile};

use std::collections::BTreeMap;

use rhai::{AST, Engine, ParseError, Position};

use crate::error::{Error, Place};
use crate::host::lower_first;

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

    /// Compiles and checks a runbook that was read.
    ///
    /// # Errors
    ///
    /// Every fault that was found, at least one.
    pub fn compile(engine: &mut Engine, source: Source) -> Result<Self, Vec<Error>> {
        let Compiled { ast, imports, libraries } =
            Compiled::of(engine, &source).map_err(|error| vec![error])?;
        let faults = check::check(engine, &source, &ast, &imports, &libraries);
        if !faults.is_empty() {
            return Err(faults);
        }
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
    fn of(engine: &mut Engine, source: &Source) -> Result<Self, Error> {
        let ast = compile(engine, source)?;
        let imports = imports::collect(engine, source, &ast)?;
        imports::resolve_only(engine, &imports);
        let library =
            |(path, library): (&String, &Source)| Ok((path.clone(), compile(engine, library)?));
        let libraries = imports.iter().map(library).collect::<Result<_, Error>>()?;
        Ok(Self { ast, imports, libraries })
    }
}

fn compile(engine: &Engine, source: &Source) -> Result<AST, Error> {
    let mut ast = engine
        .compile(without_shebang(&source.text))
        .map_err(|error| unparsable(source, &error))?;
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

fn unparsable(source: &Source, error: &ParseError) -> Error {
    use rhai::ParseErrorType as P;
    let what = error.err_type();
    let (message, hint) = match what {
        P::VariableUndefined(name) => (
            format!("there is no variable `{name}` here"),
            Some(
                "a variable must be declared before, with `let` at the top level or in the same step",
            ),
        ),
        P::ModuleUndefined(name) => (
            format!("there is no module `{name}`"),
            Some("import it first: `import \"lib/replication\" as replication;`"),
        ),
        P::MissingSymbol(wanted) if wanted == "Expecting a string" => (
            "a step's title must be a string".into(),
            Some("write `step \"Export the schema\" { … }`: titles are known without running"),
        ),
        P::WrongDocComment => (
            "`///` stands only above a function".into(),
            Some("write `//` above a step or a variable"),
        ),
        P::MissingToken(..) => (
            lower_first(&what.to_string()),
            Some("the mistake may be at the end of the line before"),
        ),
        P::BadInput(rhai::LexError::ImproperSymbol(symbol, _)) if symbol == "eval" => {
            ("`eval` is switched off in runbooks".into(), None)
        }
        P::Reserved(name) if name == "eval" => ("`eval` is switched off in runbooks".into(), None),
        other => (lower_first(&other.to_string()), None),
    };
    let error = Error::runbook(message).at(place(source, error.position()));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
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
