//! Reading a journal back, as far as its chain of hashes holds.

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

/// Reads the records, and says where and why reading ended early, if it did.
///
/// # Errors
///
/// The file can't be read.
pub fn read(path: &Path) -> io::Result<(Vec<Record>, Option<String>)> {
    let bytes = fs::read(path)?;
    let mut records: Vec<Record> = vec![];
    let mut before = String::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let broken = |why: &str| Some(format!("record {} {why}", records.len()));
        let Some(line) = line.strip_suffix(b"\n") else {
            return Ok((records.clone(), broken("is cut off")));
        };
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            return Ok((records.clone(), broken("can't be understood")));
        };
        if record.before != before || record.number != records.len() as u64 {
            return Ok((records.clone(), broken("does not follow the one before")));
        }
        before = sha256(line);
        records.push(record);
    }
    Ok((records, None))
}
