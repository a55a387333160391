//! A file that takes objects: NDJSON in frames of zstd, which `zstdcat` reads as one text. A file
//! that was cut off is good up to its last whole frame, and can be gone on with from there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zstd::bulk::Compressor;

use super::folder::sum_of;
use super::lines::Head;
use super::manifest::SavedFile;
use crate::journal::hex;

/// How much text goes into a frame, in bytes: what is done again at most after the process was killed.
const FRAME: usize = 1 << 20;

/// Objects are seldom read again, and vectors hardly shrink: the fastest level.
const LEVEL: i32 = 1;

/// A file that takes objects, one a line.
pub struct ObjectsFile {
    file: File,
    compressor: Compressor<'static>,
    frame: Vec<u8>,
    written: Written,
    name: String,
    path: PathBuf,
}

/// What whole frames are on disk.
#[derive(Clone, Default)]
struct Written {
    sum: Sha256,
    bytes: u64,
    objects: u64,
    last: Option<Head>,
}

impl ObjectsFile {
    /// Creates a file.
    ///
    /// # Errors
    ///
    /// It is there already, or could not be created.
    pub(super) fn create(path: PathBuf, name: String) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Self::with(file, Written::default(), path, name)
    }

    /// Opens a file that was not finished: what follows its last whole frame is cut off.
    ///
    /// # Errors
    ///
    /// It can't be read or written.
    pub(super) fn reopen(path: PathBuf, name: String) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let written = whole_frames(&file)?;
        file.set_len(written.bytes)?;
        file.seek(SeekFrom::End(0))?;
        Self::with(file, written, path, name)
    }

    fn with(file: File, written: Written, path: PathBuf, name: String) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self { file, compressor, frame: vec![], written, name, path })
    }

    /// Adds an object.
    ///
    /// # Errors
    ///
    /// It could not be written.
    pub fn line(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        for part in parts {
            self.frame.extend_from_slice(part);
        }
        self.frame.push(b'\n');
        self.written.objects += 1;
        if self.frame.len() >= FRAME { self.end_frame() } else { Ok(()) }
    }

    /// Returns how many objects were added.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.written.objects
    }

    /// Returns the last object that was there when the file was opened again.
    pub(super) fn last(&self) -> Option<&Head> {
        self.written.last.as_ref()
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let frame = self.compressor.compress(&self.frame)?;
        self.file.write_all(&frame)?;
        self.written.sum.update(&frame);
        self.written.bytes += frame.len() as u64;
        self.frame.clear();
        Ok(())
    }

    /// Sees to it that what was added is on disk.
    ///
    /// # Errors
    ///
    /// It could not be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.frame.is_empty() {
            self.end_frame()?;
        }
        self.file.sync_data()
    }

    /// Flushes it to disk, reads it back and compares.
    ///
    /// # Errors
    ///
    /// It could not be written, or holds something else.
    pub fn finish(mut self) -> io::Result<SavedFile> {
        // Common tools take a file without any frame for one that was cut off.
        if !self.frame.is_empty() || self.written.bytes == 0 {
            self.end_frame()?;
        }
        self.file.sync_all()?;
        let sha256 = hex(&self.written.sum.finalize());
        let bytes = self.written.bytes;
        if sum_of(&self.path)? != (sha256.clone(), bytes) {
            return Err(io::Error::other("what was read back is not what was written"));
        }
        Ok(SavedFile { content: "objects".into(), file: self.name, sha256, bytes })
    }
}

/// Reads the lines of a file of objects.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let reader = zstd::stream::read::Decoder::with_buffer(file)?;
    Ok(Box::new(BufReader::with_capacity(1 << 18, reader)))
}

fn whole_frames(file: &File) -> io::Result<Written> {
    let mut written = Written::default();
    let mut reader = Summed { reader: BufReader::new(file), sum: Sha256::new(), bytes: 0 };
    let mut text = vec![];
    while !reader.fill_buf()?.is_empty() {
        text.clear();
        let mut frame = zstd::stream::read::Decoder::with_buffer(&mut reader)?.single_frame();
        // Whatever is wrong with it: what was written before it is good.
        if frame.read_to_end(&mut text).is_err() {
            break;
        }
        drop(frame);
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let Some(Ok(last)) = lines.clone().next_back().map(serde_json::from_slice) else { break };
        written = Written {
            sum: reader.sum.clone(),
            bytes: reader.bytes,
            objects: written.objects + lines.count() as u64,
            last: Some(last),
        };
    }
    Ok(written)
}

/// A reader with the sum of what was read.
struct Summed<R> {
    reader: R,
    sum: Sha256,
    bytes: u64,
}

impl<R: BufRead> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let length = from.len().min(into.len());
        into[..length].copy_from_slice(&from[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Summed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        // What is in the buffer can be asked for again.
        if let Ok(buffer) = self.reader.fill_buf() {
            self.sum.update(&buffer[..length]);
        }
        self.bytes += length as u64;
        self.reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> String {
        format!(r#"{{"id":"{number:08}","class":"Author","text":"{}"}}"#, "x".repeat(1 << 18))
    }

    fn text(path: &Path) -> String {
        let mut text = String::new();
        open(path).expect("works").read_to_string(&mut text).expect("works");
        text
    }

    /// Cut off anywhere, it is gone on with, and is at last as if it had been written at once.
    #[test]
    fn a_file_that_was_cut_off_is_gone_on_with() {
        let folder = tempfile::tempdir().expect("works");
        let path = folder.path().join("whole");
        let mut file = ObjectsFile::create(path.clone(), "whole".into()).expect("works");
        for number in 0..10 {
            file.line(&[line(number).as_bytes()]).expect("works");
        }
        let whole = file.finish().expect("works");
        let bytes = std::fs::read(&path).expect("works");
        for cut in (0..=bytes.len()).step_by(7) {
            let path = folder.path().join("cut");
            std::fs::write(&path, &bytes[..cut]).expect("works");
            let mut file = ObjectsFile::reopen(path.clone(), "whole".into()).expect("works");
            let there = file.objects();
            assert_eq!(file.last().map(|last| last.id.clone()), {
                there.checked_sub(1).map(|last| format!("{last:08}"))
            });
            // Frames of four objects.
            assert!(there.is_multiple_of(4) || there == 10, "{there}");
            for number in there..10 {
                file.line(&[line(usize::try_from(number).expect("works")).as_bytes()])
                    .expect("works");
            }
            assert_eq!(file.finish().expect("works"), whole, "cut at {cut}");
        }
        let lines: Vec<String> = text(&path).lines().map(Into::into).collect();
        assert_eq!(lines, (0..10).map(line).collect::<Vec<_>>());
    }
}
