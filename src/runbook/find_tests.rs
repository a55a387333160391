//! Where files of tests come from: `NAME_test.rhai` beside the runbook, or built in.

use std::fs;
use std::path::{Path, PathBuf};

use super::find::{Source, folders, read};
use super::shipped::built_in;
use crate::error::Error;

/// Finds and reads files of tests. Each path is such a file, a folder of some, or a runbook whose
/// test is meant; without any it is what is here and in `./runbooks`.
///
/// # Errors
///
/// A path leads to no test, or there is none at all, or one can't be read.
pub fn find_tests(paths: &[String]) -> Result<Vec<Source>, Error> {
    let mut found: Vec<Source> = vec![];
    if paths.is_empty() {
        for folder in [".", "runbooks"] {
            found.extend(in_folder(Path::new(folder))?);
        }
        if found.is_empty() {
            return Err(Error::usage("there is no `*_test.rhai` here, and none in ./runbooks")
                .hint("`elysia-runbook new NAME` writes a runbook with its test")
                .hint("`elysia-runbook test cluster-health` runs that of a shipped runbook"));
        }
    }
    for path in paths {
        for source in of_path(path)? {
            if found.iter().all(|it| it.display != source.display) {
                found.push(source);
            }
        }
    }
    Ok(found)
}

fn of_path(name: &str) -> Result<Vec<Source>, Error> {
    let path = Path::new(name);
    if path.is_dir() {
        let found = in_folder(path)?;
        if found.is_empty() {
            return Err(Error::usage(format!("there is no `*_test.rhai` in `{name}`"))
                .hint("folders in it are not looked into; name each"));
        }
        return Ok(found);
    }
    if name.ends_with('/') {
        return Err(Error::usage(format!("there is no folder `{name}`")));
    }
    let plain = name.strip_suffix(".rhai").unwrap_or(name);
    let plain = plain.strip_suffix("_test").unwrap_or(plain);
    let file = format!("{plain}_test.rhai");
    let places: Vec<PathBuf> = if name.contains('/') {
        vec![PathBuf::from(&file)]
    } else {
        folders().iter().map(|folder| folder.join(&file)).collect()
    };
    if let Some(path) = places.iter().find(|path| path.is_file()) {
        return Ok(vec![read(path, name)?]);
    }
    match built_in(&file) {
        Some(source) if !name.contains('/') => Ok(vec![source]),
        _ => Err(Error::usage(format!("there is no test `{file}`"))
            .hint("the test of a runbook lies beside it: NAME.rhai, NAME_test.rhai")),
    }
}

/// Reads the files of tests in a folder, by name; a folder that is not there has none.
fn in_folder(folder: &Path) -> Result<Vec<Source>, Error> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with("_test.rhai"));
    names.sort();
    names.iter().map(|name| read(&folder.join(name), name)).collect()
}
