//! Where runs are kept, and writing a file so that it is whole or not there.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The folder of all runs: `$ELYSIA_RUNBOOK_HOME`, else the user's state folder.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// The run's id.
    pub run: String,
    /// The folder.
    pub path: PathBuf,
}

impl Home {
    /// Finds the folder; creates nothing.
    ///
    /// # Errors
    ///
    /// No variable is set and the user has no home folder.
    pub fn find() -> io::Result<Self> {
        if let Some(path) = std::env::var_os("ELYSIA_RUNBOOK_HOME").filter(|path| !path.is_empty())
        {
            return std::path::absolute(path).map(Self::at);
        }
        let base = etcetera::choose_base_strategy().map_err(io::Error::other)?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Self::at(state.join("elysia-runbook")))
    }

    /// Returns the home that is this folder; creates nothing.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the folder of a new run, for nobody else to read.
    ///
    /// # Errors
    ///
    /// The folder can't be created.
    pub fn new_run(&self) -> io::Result<RunFolder> {
        let runs = self.path.join("runs");
        DirBuilder::new().recursive(true).mode(0o700).create(&runs)?;
        loop {
            let run = new_id();
            let path = runs.join(&run);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    DirBuilder::new().mode(0o700).create(path.join("backups"))?;
                    flush_folder(&path)?;
                    flush_folder(&runs)?;
                    return Ok(RunFolder { run, path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns all runs, the newest first.
    ///
    /// # Errors
    ///
    /// The folder is there and can't be read.
    pub fn runs(&self) -> io::Result<Vec<RunFolder>> {
        let entries = match fs::read_dir(self.path.join("runs")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error),
        };
        let mut runs = vec![];
        for entry in entries {
            let entry = entry?;
            if entry.path().join("journal.ndjson").is_file() {
                let run = entry.file_name().to_string_lossy().into_owned();
                runs.push(RunFolder { run, path: entry.path() });
            }
        }
        runs.sort_by(|a, b| b.run.cmp(&a.run));
        Ok(runs)
    }
}

impl RunFolder {
    /// Returns the journal's path.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.ndjson")
    }

    /// Returns the file that holds the run while it is there.
    #[must_use]
    pub fn hold(&self) -> PathBuf {
        self.path.join("hold")
    }

    /// Returns the file with what the cluster was seen to be first.
    #[must_use]
    pub fn survey_before(&self) -> PathBuf {
        self.path.join("survey-before.json")
    }

    /// Returns the file with what it was seen to be last, when the run had ended.
    #[must_use]
    pub fn survey_after(&self) -> PathBuf {
        self.path.join("survey-after.json")
    }

    /// Returns the folder of the backups.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.path.join("backups")
    }
}

/// Returns an id that sorts by time: `20261122-051704-3f9a`, in UTC, the last in parts of a second, of
/// which it has 65,536.
fn new_id() -> String {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let part = i64::from(now.subsec_nanosecond()) * 65_536 / 1_000_000_000;
    format!("{}-{part:04x}", now.strftime("%Y%m%d-%H%M%S"))
}

/// Writes a file that is not there yet: whole, flushed to disk, readable by the owner alone,
/// read back and compared. Never overwrites.
///
/// # Errors
///
/// Any of this failed; then there is no file of this name.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a path without a folder"))?;
    // `tempfile` opens with 0600.
    let mut file = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    if fs::read(file.path())? != content {
        return Err(io::Error::other("what was read back is not what was written"));
    }
    file.persist_noclobber(path).map_err(|error| error.error)?;
    flush_folder(folder)
}

fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
