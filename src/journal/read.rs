//! Reading a journal back, as far as its chain of hashes holds.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::sha256;
use crate::event::Event;

/// One record of a journal.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// Number, from 0.
    pub number: u64,
    /// When, in UTC.
    pub time: String,
    /// SHA-256 of the record before, in hex.
    pub before: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a journal holds.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The records, as far as each follows the one before.
    pub records: Vec<Record>,
    /// Where and why reading ended early, if it did.
    pub broken: Option<Broken>,
    /// Bytes of these records.
    pub whole: u64,
    /// SHA-256 of the last of them, in hex; empty where there is none.
    pub last: String,
}

/// Where and why reading a journal ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Number of the record.
    pub record: usize,
    /// What is wrong with it.
    pub why: &'static str,
    /// Whether it is only the last one, cut off as it was written: the run died then. Anything else
    /// is no accident of a run.
    pub torn: bool,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} {}", self.record, self.why)
    }
}

/// Reads a journal.
///
/// # Errors
///
/// The file can't be read.
pub fn read(path: &Path) -> io::Result<Reading> {
    Ok(parse(&fs::read(path)?))
}

/// Reads the bytes of a journal, whatever they are.
#[must_use]
pub fn parse(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let record = reading.records.len();
        let is_last = lines.peek().is_none();
        let mut broken = |why, torn| reading.broken = Some(Broken { record, why, torn });
        let Some(text) = line.strip_suffix(b"\n") else {
            broken("is cut off", true);
            break;
        };
        let Ok(read) = serde_json::from_slice::<Record>(text) else {
            // A file system may have kept the length and lost the bytes.
            broken("can't be understood", is_last && text.contains(&0));
            break;
        };
        if read.before != reading.last || read.number != record as u64 {
            broken("does not follow the one before", false);
            break;
        }
        reading.last = sha256(text);
        reading.whole += line.len() as u64;
        reading.records.push(read);
    }
    reading
}
