//! Where the files are that a runbook saves outside of the run's folder: in a dry run, nowhere that
//! lasts.

use std::path::{Path, PathBuf};

use super::Session;

impl Session {
    /// Tells whether nothing of this run lasts.
    pub(super) fn is_dry_run(&self) -> bool {
        self.instead.is_some()
    }

    /// Returns the folder that is written to where a runbook names this one.
    pub(super) fn writes_to(&self, folder: &Path) -> PathBuf {
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        match &self.instead {
            None => folder.to_owned(),
            Some(instead) => instead.join(whole.strip_prefix("/").unwrap_or(&whole)),
        }
    }

    /// Returns the folder in which a backup of this name is that a runbook reads, and whether a dry run
    /// reads what was there before it.
    pub(super) fn reads_from(&self, folder: &Path, name: &str) -> (PathBuf, bool) {
        let own = self.writes_to(folder);
        if !self.is_dry_run() || own.join(name).exists() {
            return (own, false);
        }
        (folder.to_owned(), true)
    }
}
