//! Where a runbook comes from: a path, or a name in one of the known folders.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::shipped::{built_in, shipped};
use crate::error::Error;

/// The largest runbook that is read, in bytes: it is meant to be read in a minute.
const LARGEST: u64 = 1 << 20;

/// A file of a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the operator or an `import` called it.
    pub name: String,
    /// What messages call it: its path, or its name where it is built in.
    pub display: String,
    /// Its folder; `None` for what is built in.
    pub folder: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// Whether it was imported.
    pub is_import: bool,
}

impl Source {
    /// Returns where it was found, for `show` and the journal.
    #[must_use]
    pub fn origin(&self) -> String {
        if self.folder.is_some() { self.display.clone() } else { "built in".into() }
    }
}

/// Returns the folders in which names are looked up, in this order; the built-in ones come last.
#[must_use]
pub fn folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("."), PathBuf::from("runbooks")];
    if let Ok(base) = etcetera::choose_base_strategy() {
        folders.push(base.config_dir().join("elysia-runbook/runbooks"));
    }
    folders
}

/// Finds and reads a runbook by path or name; `.rhai` may be left out.
///
/// # Errors
///
/// There is none, or it can't be read, or it is no text.
pub fn find(name: &str) -> Result<Source, Error> {
    if is_test(name) {
        return Err(Error::usage(format!("`{name}` is a file of tests, and no runbook"))
            .hint(format!("elysia-runbook test {name}")));
    }
    let with_extension = with_extension(name);
    let is_path = name.contains('/');
    if is_path {
        for path in [Path::new(name), Path::new(&with_extension)] {
            if path.is_file() {
                return read(path, name);
            }
        }
    } else {
        for folder in folders() {
            let path = folder.join(&with_extension);
            if path.is_file() {
                return read(&path, name);
            }
        }
        if let Some(source) = built_in(name).filter(|source| !source.is_import) {
            return Ok(source);
        }
    }
    let missing = Error::usage(format!("there is no runbook `{name}`"));
    if Path::new(name).is_dir() {
        return Err(missing.hint("this is a folder; name a file in it"));
    }
    let plain = name.strip_suffix(".rhai").unwrap_or(name);
    let near = shipped().find(|shipped| strsim::jaro_winkler(shipped, plain) > 0.8);
    Err(match near {
        Some(near) => missing.hint(format!("did you mean `{near}`?")),
        None => missing.hint("`elysia-runbook list` shows all that can be found"),
    })
}

/// Tells whether a path or name is that of a file of tests.
#[must_use]
pub fn is_test(name: &str) -> bool {
    name.strip_suffix(".rhai").unwrap_or(name).ends_with("_test")
}

/// Returns a name with `.rhai` at its end.
#[must_use]
pub fn with_extension(name: &str) -> String {
    format!("{}.rhai", name.strip_suffix(".rhai").unwrap_or(name))
}

/// Reads a file as a runbook.
///
/// # Errors
///
/// It can't be read, or it is no text.
pub fn read(path: &Path, name: &str) -> Result<Source, Error> {
    let display = path.strip_prefix(".").unwrap_or(path).display().to_string();
    let unreadable =
        |why: String| Error::usage(format!("the runbook `{display}` can't be read: {why}"));
    let length = fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
    if length > LARGEST {
        return Err(unreadable(format!("it has {length} bytes, and {LARGEST} are allowed")));
    }
    let bytes = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    let text =
        String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(|| {
            Error::runbook(format!("`{display}` is no text"))
                .hint("a runbook is a Rhai script in UTF-8")
        })?;
    let folder = path.parent().map(|folder| {
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
    });
    Ok(Source { name: name.into(), display, folder, text, is_import: false })
}
