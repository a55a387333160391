//! Writing files that a person is going to edit; what is there stays.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Writes every file, with its folder where that is not there; none where one is there already.
///
/// # Errors
///
/// One is there already, or can't be written.
pub(super) fn write_all(files: &[(PathBuf, String)]) -> Result<(), Error> {
    for (path, _) in files {
        // A link that leads nowhere is there, too.
        if path.symlink_metadata().is_ok() {
            return Err(Error::usage(format!("`{}` is there already", path.display()))
                .hint("nothing was written; move it away, or take another name"));
        }
    }
    for (path, text) in files {
        write(path, text).map_err(|error| {
            Error::failed(format!("`{}` can't be written", path.display())).cause(error)
        })?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Somebody else may have written it meanwhile.
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
