//! A file of objects, read in windows of some lines: never as a whole.

use std::io::{self, BufRead};
use std::path::PathBuf;

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::objects_file;
use super::references::without;
use crate::weaviate::{self, as_bytes, uuid};

/// Objects in a window, and how many bytes they should not exceed.
const OBJECTS: usize = 200;
const BYTES: usize = 4 << 20;

/// The same of one of which each node shows its copies: as numbers these may be twice as long.
const LARGE_OBJECTS: usize = 500;
const LARGE_BYTES: usize = 2 << 20;

/// Files with the objects of a class, later ones with what changed since.
#[derive(Debug, Clone)]
pub struct ObjectFiles {
    /// The class of which they were saved.
    pub class: String,
    /// The files.
    pub paths: Vec<PathBuf>,
    /// How many objects are read of them; `None`: all.
    pub at_most: Option<u64>,
}

/// The lines of files of objects in the order of tenants and ids: of an object that is in several
/// files the one of the last, unless that tells that it was deleted.
pub struct Lines {
    /// The class of which they were saved.
    saved: String,
    /// The class that they are read for.
    class: String,
    files: Vec<ReadFile>,
    ahead: Option<Line>,
    /// How many are left to be read, where there is a limit.
    left: Option<u64>,
}

struct ReadFile {
    lines: Box<dyn BufRead + Send>,
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
    /// The tenant, in a multi-tenant class.
    pub tenant: Option<String>,
    deleted: bool,
}

/// What is read of a line.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Head {
    pub(super) id: String,
    class: String,
    #[serde(default)]
    pub(super) tenant: Option<String>,
    #[serde(default, rename = "lastUpdateTimeUnix")]
    updated: i64,
    /// It is not there any more, as a file of later changes tells.
    #[serde(default)]
    deleted: bool,
}

impl Lines {
    /// Opens files, to be read as objects of a class of this name.
    ///
    /// # Errors
    ///
    /// One can't be opened.
    pub fn open(files: &ObjectFiles, class: &str) -> io::Result<Self> {
        let (saved, left) = (files.class.clone(), files.at_most);
        let file = |path: &PathBuf| {
            let lines = objects_file::open(path)?;
            Ok(ReadFile { lines, number: 0, ahead: None })
        };
        let files = files.paths.iter().map(file).collect::<io::Result<_>>()?;
        Ok(Self { saved, class: class.into(), files, ahead: None, left })
    }

    /// Reads the next objects; `None` at the end.
    ///
    /// # Errors
    ///
    /// The file can't be read, or a line is no object of this class.
    pub fn window(&mut self) -> io::Result<Option<Window>> {
        self.window_of(OBJECTS, BYTES)
    }

    /// The same with more objects, of which every copy is to be read: larger windows make fewer requests.
    ///
    /// # Errors
    ///
    /// As for [`Self::window`].
    pub fn large_window(&mut self) -> io::Result<Option<Window>> {
        self.window_of(LARGE_OBJECTS, LARGE_BYTES)
    }

    fn window_of(&mut self, objects: usize, most: usize) -> io::Result<Option<Window>> {
        let Some(first) = self.line()? else { return Ok(None) };
        let mut bytes = first.raw.get().len();
        let mut window = Window { tenant: first.tenant.clone(), lines: vec![first] };
        while window.lines.len() < objects && bytes < most {
            let Some(line) = self.line()? else { break };
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

    /// Counts what is left.
    ///
    /// # Errors
    ///
    /// A file can't be read, or a line is no object of this class.
    pub fn count(mut self) -> io::Result<u64> {
        let mut objects = 0;
        while self.line()?.is_some() {
            objects += 1;
        }
        Ok(objects)
    }

    /// Passes over what is not behind this place.
    ///
    /// # Errors
    ///
    /// A file can't be read, or a line is no object of this class.
    pub fn pass(&mut self, tenant: Option<&str>, id: &str) -> io::Result<()> {
        while self.peek()?.is_some_and(|line| line.place() <= (tenant, id)) {
            self.line()?;
        }
        Ok(())
    }

    /// Returns the next object without taking it.
    pub(super) fn peek(&mut self) -> io::Result<Option<&Line>> {
        if self.ahead.is_none() {
            self.ahead = self.line()?;
        }
        Ok(self.ahead.as_ref())
    }

    /// Takes the next object.
    pub(super) fn line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.ahead.take() {
            return Ok(Some(line));
        }
        loop {
            for file in &mut self.files {
                file.fill(&self.saved, &self.class)?;
            }
            let next = self.files.iter().filter_map(|file| file.ahead.as_ref()).map(Line::place);
            let Some(place) = next.min().filter(|_| self.left != Some(0)) else { return Ok(None) };
            let place = (place.0.map(str::to_owned), place.1.to_owned());
            let is_it = |line: &mut Line| line.place() == (place.0.as_deref(), place.1.as_str());
            let found = self.files.iter_mut().filter_map(|file| file.ahead.take_if(is_it)).last();
            if let Some(line) = found.filter(|line| !line.deleted) {
                self.left = self.left.map(|left| left - 1);
                return Ok(Some(line));
            }
        }
    }
}

impl Line {
    fn place(&self) -> (Option<&str>, &str) {
        (self.tenant.as_deref(), &self.id)
    }
}

impl ReadFile {
    fn fill(&mut self, saved: &str, class: &str) -> io::Result<()> {
        let mut bytes = vec![];
        if self.ahead.is_some() || self.lines.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        self.number += 1;
        let wrong = |why: String| {
            let why = format!("line {} is no object of {saved}: {why}", self.number);
            io::Error::new(io::ErrorKind::InvalidData, why)
        };
        let raw: Box<RawValue> =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let head: Head = weaviate::head(&raw).map_err(|error| wrong(error.to_string()))?;
        if head.class != saved {
            return Err(wrong(format!("it is one of {}", head.class)));
        }
        let raw = if saved == class {
            raw
        } else {
            named(&raw, class).map_err(|error| wrong(error.to_string()))?
        };
        let has_times =
            weaviate::TIMES.iter().any(|name| memmem::find(&bytes, name.as_bytes()).is_some());
        let bare =
            if has_times { without(&raw, |name| weaviate::TIMES.contains(&name)) } else { None };
        let raw = bare.unwrap_or(raw);
        let Head { id, tenant, updated, deleted, .. } = head;
        self.ahead = Some(Line { id, updated, raw, tenant, deleted });
        Ok(())
    }
}

impl Window {
    /// Returns the id before the first one, after which a page begins with it.
    #[must_use]
    pub fn after(&self) -> String {
        self.lines.first().map_or_else(String::new, |line| id_before(&line.id))
    }
}

/// Returns an object as one of another class. All else stays as it is written.
fn named(object: &RawValue, class: &str) -> serde_json::Result<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        class: &'a RawValue,
    }
    let text = object.get();
    let Named { class: saved } = serde_json::from_str(text)?;
    let at = saved.get().as_ptr().addr() - text.as_ptr().addr();
    let (before, behind) = (&text[..at], &text[at + saved.get().len()..]);
    RawValue::from_string(format!("{before}{}{behind}", Value::from(class)))
}

/// Returns what must be the same wherever an object is.
pub(super) fn content(raw: &RawValue) -> Value {
    weaviate::content(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Tells whether two objects have the same content, whichever form their vectors have. Mostly it is the
/// same text.
pub(super) fn is_same(one: &RawValue, other: &RawValue) -> bool {
    fn tail(object: &RawValue) -> Option<&str> {
        weaviate::split(object).map(|(_, tail)| tail)
    }
    if tail(one).is_some_and(|it| Some(it) == tail(other)) {
        return true;
    }
    let (one, other) = (as_bytes(one), as_bytes(other));
    tail(&one).is_some_and(|it| Some(it) == tail(&other)) || content(&one) == content(&other)
}

/// Returns a UUID as a number.
pub(super) fn number(id: &str) -> Option<u128> {
    u128::from_str_radix(&id.replace('-', ""), 16).ok()
}

/// Returns the UUID before another one; empty before the first.
pub(super) fn id_before(id: &str) -> String {
    number(id).and_then(|number| number.checked_sub(1)).map_or_else(String::new, uuid)
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
