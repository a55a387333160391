//! The files of a folder and of the folders in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Returns every `*.rhai` in a folder and below it, sorted. Left out are what is hidden, folders that are
/// links, and definition files for editors.
///
/// # Errors
///
/// There is none, or a folder can't be read.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![];
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let unreadable = |error: std::io::Error| {
            Error::usage(format!("the folder `{}` can't be read", folder.display())).cause(error)
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type().map_err(unreadable)?.is_dir() {
                open.push(path);
            } else if name.ends_with(".rhai") && !name.ends_with(".d.rhai") && path.is_file() {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(Error::usage(format!("there is no `*.rhai` in `{}`", folder.display()))
            .hint("folders in it are looked into, but for hidden ones"));
    }
    found.sort();
    Ok(found)
}
