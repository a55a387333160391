//! A file of objects, read in windows of some lines: never as a whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::weaviate::{self, uuid};

/// Objects in a window, and how many bytes they should not exceed: what goes into one batch.
const OBJECTS: usize = 100;
const BYTES: usize = 4 << 20;

/// The lines of a file of objects.
#[derive(Debug)]
pub struct Lines {
    file: BufReader<File>,
    number: u64,
    ahead: Option<Line>,
}

/// Some objects of one tenant, in the order of their ids.
#[derive(Debug)]
pub struct Window {
    /// The tenant, in a multi-tenant class.
    pub tenant: Option<String>,
    /// The objects.
    pub lines: Vec<Line>,
}

/// One object.
#[derive(Debug)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// When it was written last, in milliseconds.
    pub updated: i64,
    /// The line.
    pub raw: Box<RawValue>,
    tenant: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    class: String,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default, rename = "lastUpdateTimeUnix")]
    updated: i64,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// It can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::with_capacity(1 << 18, File::open(path)?);
        Ok(Self { file, number: 0, ahead: None })
    }

    /// Reads the next objects; `None` at the end.
    ///
    /// # Errors
    ///
    /// The file can't be read, or a line is no object of this class.
    pub fn window(&mut self, class: &str) -> io::Result<Option<Window>> {
        let Some(first) = self.line(class)? else { return Ok(None) };
        let mut bytes = first.raw.get().len();
        let mut window = Window { tenant: first.tenant.clone(), lines: vec![first] };
        while window.lines.len() < OBJECTS && bytes < BYTES {
            let Some(line) = self.line(class)? else { break };
            let follows = window.lines.last().is_some_and(|last| last.id < line.id);
            if line.tenant != window.tenant || !follows {
                self.ahead = Some(line);
                break;
            }
            bytes += line.raw.get().len();
            window.lines.push(line);
        }
        Ok(Some(window))
    }

    fn line(&mut self, class: &str) -> io::Result<Option<Line>> {
        if let Some(line) = self.ahead.take() {
            return Ok(Some(line));
        }
        let mut bytes = vec![];
        if self.file.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let wrong = |why: String| {
            let why = format!("line {} is no object of {class}: {why}", self.number);
            io::Error::new(io::ErrorKind::InvalidData, why)
        };
        let raw: Box<RawValue> =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let head: Head =
            serde_json::from_str(raw.get()).map_err(|error| wrong(error.to_string()))?;
        if head.class != class {
            return Err(wrong(format!("it is one of {}", head.class)));
        }
        Ok(Some(Line { id: head.id, updated: head.updated, tenant: head.tenant, raw }))
    }
}

impl Window {
    /// Returns the id before the first one, after which a page begins with it.
    #[must_use]
    pub fn after(&self) -> String {
        self.lines.first().map_or_else(String::new, |line| id_before(&line.id))
    }
}

/// Returns what must be the same wherever an object is.
pub(super) fn content(raw: &RawValue) -> Value {
    weaviate::content(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Returns the UUID before another one; empty before the first.
pub(super) fn id_before(id: &str) -> String {
    let number = u128::from_str_radix(&id.replace('-', ""), 16).ok();
    let Some(before) = number.and_then(|number| number.checked_sub(1)) else {
        return String::new();
    };
    uuid(before)
}

#[cfg(test)]
mod tests {
    use super::id_before;

    #[test]
    fn the_id_before() {
        assert_eq!(
            id_before("00000000-0000-0000-0001-000000000000"),
            "00000000-0000-0000-0000-ffffffffffff"
        );
        assert_eq!(id_before("00000000-0000-0000-0000-000000000000"), "");
    }
}
