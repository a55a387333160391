//! The record of a run on disk: `runs/RUN/journal.ndjson`, appended and flushed record by record.
//!
//! A recovery log, not a debug log: a change is in it before it is sent and
//! after it was answered. Each record holds the SHA-256 of the one before, so
//! that a torn or edited journal is noticed. Knows events, and nothing of clusters.

mod home;
mod lock;
mod read;

pub use home::{Home, RunFolder, write_new};
pub use lock::{Holder, Lock, Locked};
pub use read::{Broken, Reading, Record, parse, read};

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::event::{Event, Listener};

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    number: u64,
    before: String,
}

#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    time: String,
    before: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl Journal {
    /// Starts the journal of a new run.
    ///
    /// # Errors
    ///
    /// The file can't be created, or is there already.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self { file, number: 0, before: String::new() })
    }
}

impl Journal {
    /// Opens the journal of a run that goes on, and drops a last record that was cut off as the run
    /// died. Returns what it holds.
    ///
    /// # Errors
    ///
    /// The file can't be read or written, or somebody else changed it.
    pub fn reopen(path: &Path) -> io::Result<(Self, Reading)> {
        let reading = read(path)?;
        if let Some(broken) = reading.broken.as_ref().filter(|broken| !broken.torn) {
            return Err(io::Error::other(format!("it was changed: {broken}")));
        }
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(reading.whole)?;
        file.sync_all()?;
        let (number, before) = (reading.records.len() as u64, reading.last.clone());
        Ok((Self { file, number, before }, reading))
    }
}

impl Listener for Journal {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        if !event.is_recorded() {
            return Ok(());
        }
        let line = Line {
            number: self.number,
            time: jiff::Timestamp::now().to_string(),
            before: &self.before,
            event,
        };
        let mut line = serde_json::to_vec(&line)?;
        let hash = hex(&Sha256::digest(&line));
        line.push(b'\n');
        self.file.write_all(&line)?;
        if event.must_be_durable() {
            self.file.sync_data()?;
        }
        self.number += 1;
        self.before = hash;
        Ok(())
    }
}

/// Returns bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the SHA-256 of bytes in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
