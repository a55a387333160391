//! One changing run on a cluster at a time: a lock on each of its nodes.
//!
//! It is the operating system's lock on an open file, so it ends with the process that holds it,
//! however that ends; what stands in the file only tells who that is.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use serde::{Deserialize, Serialize};

use super::{Home, sha256};

/// The lock, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run's id.
    pub run: String,
    /// Its process.
    pub process: u32,
    /// Since when, in UTC.
    pub since: String,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum Locked {
    /// Another run has it; who, where that can be read.
    By(Option<Holder>),
    /// It can't be taken or recorded.
    Disk(io::Error),
}

impl Lock {
    /// Takes the lock of every node, or none. `nodes` are texts that are the same for every way of
    /// writing a node's address.
    ///
    /// # Errors
    ///
    /// Another run has one of them, or the disk does not let it.
    pub fn take(home: &Home, nodes: &[String], run: &str) -> Result<Self, Locked> {
        let folder = home.path().join("locks");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(Locked::Disk)?;
        // In one order, so that two runs never hold a part each and refuse each other.
        let mut nodes = nodes.to_vec();
        nodes.sort();
        nodes.dedup();
        let holder = Holder {
            run: run.into(),
            process: std::process::id(),
            since: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        };
        let mut files = vec![];
        for node in nodes {
            let path = folder.join(format!("{}.lock", &sha256(node.as_bytes())[..32]));
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(Locked::Disk)?;
            match try_lock(&file) {
                Ok(()) => record(&mut file, &holder).map_err(Locked::Disk)?,
                Err(TryLockError::WouldBlock) => return Err(Locked::By(holder_of(&mut file))),
                Err(TryLockError::Error(error)) => return Err(Locked::Disk(error)),
            }
            files.push(file);
        }
        Ok(Self { _files: files })
    }

    /// Tells whether some run holds a lock of this home now.
    #[must_use]
    pub fn is_any_held_by(home: &Home, run: &str) -> bool {
        let Ok(entries) = fs::read_dir(home.path().join("locks")) else { return false };
        entries.flatten().any(|entry| {
            let Ok(mut file) = File::open(entry.path()) else { return false };
            matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
                && holder_of(&mut file).is_some_and(|holder| holder.run == run)
        })
    }
}

/// Takes a lock that is free, or is in a moment: `resume` looks for an instant whether it is held.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            other => return other,
        }
    }
    file.try_lock()
}

fn record(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&serde_json::to_vec(holder)?)?;
    file.flush()
}

/// Reads who holds a lock; it may have been taken this moment, and not say so yet.
fn holder_of(file: &mut File) -> Option<Holder> {
    for _ in 0..10 {
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).ok()?;
        file.read_to_string(&mut text).ok()?;
        if let Ok(holder) = serde_json::from_str(&text) {
            return Some(holder);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    None
}
