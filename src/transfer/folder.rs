//! The folder of a backup: `FOLDER/NODE/`, complete or not there, readable by its owner alone.
//!
//! Everything is written into a folder of another name, which gets its own when all is on disk.
//! Nothing is ever overwritten.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{BackedUp, Manifest, SavedFile, VERSION};
use super::objects_file::ObjectsFile;
use crate::journal::{hex, sha256, write_new};

/// The largest manifest, schema or list of tenants that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// A backup that is being written. Dropped before its end, it leaves nothing, unless it is to be gone
/// on with.
#[derive(Debug)]
pub struct NewBackup {
    temporary: PathBuf,
    stays: bool,
    target: PathBuf,
    manifest: Manifest,
}

impl NewBackup {
    /// Begins the backup of a node.
    ///
    /// # Errors
    ///
    /// There is one of this node in the folder already, or the folder can't be written.
    pub fn begin(folder: &Path, node: &str) -> io::Result<Self> {
        let (name, target) = Self::place(folder, node)?;
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".new")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(folder)?;
        Ok(Self::at(temporary.keep(), false, target, node))
    }

    /// Begins a backup of this name, or goes on with one that was begun. Whatever becomes of it, what
    /// it has stays for the next time.
    ///
    /// # Errors
    ///
    /// It is finished already, or the folder can't be written.
    pub fn take_up(folder: &Path, name: &str) -> io::Result<Self> {
        let (safe, target) = Self::place(folder, name)?;
        let temporary = folder.join(format!(".{safe}.new"));
        DirBuilder::new().recursive(true).mode(0o700).create(&temporary)?;
        Ok(Self::at(temporary, true, target, name))
    }

    fn place(folder: &Path, node: &str) -> io::Result<(String, PathBuf)> {
        let name = safe_name(node);
        let target = folder.join(&name);
        if target.symlink_metadata().is_ok() {
            let why = format!("{} is there already; name another folder", target.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok((name, target))
    }

    fn at(temporary: PathBuf, stays: bool, target: PathBuf, node: &str) -> Self {
        let manifest = Manifest {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            time: jiff::Timestamp::now().to_string(),
            node: node.into(),
            classes: vec![],
            unreached: vec![],
        };
        Self { temporary, stays, target, manifest }
    }

    /// Saves what is small: a schema, tenants.
    ///
    /// # Errors
    ///
    /// It could not be written, flushed, or read back the same.
    pub fn save(&self, class: &str, content: &str, bytes: &[u8]) -> io::Result<SavedFile> {
        let file = format!("{}.{content}.json", safe_name(class));
        self.write(&file, bytes)?;
        Ok(SavedFile {
            content: content.into(),
            file,
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
        })
    }

    fn write(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.temporary.join(file);
        if self.stays && path.exists() {
            // Of the time before it was gone on with.
            fs::remove_file(&path)?;
        }
        write_new(&path, bytes)
    }

    /// Opens the file for the objects of a class, at its end where it was begun.
    ///
    /// # Errors
    ///
    /// It could not be created or opened.
    pub fn objects(&self, class: &str) -> io::Result<ObjectsFile> {
        let name = format!("{}.objects.ndjson.zst", safe_name(class));
        let path = self.temporary.join(&name);
        if self.stays && path.exists() {
            ObjectsFile::reopen(path, name)
        } else {
            ObjectsFile::create(path, name)
        }
    }

    /// Adds a class to the manifest.
    pub fn add(&mut self, class: BackedUp) {
        self.manifest.classes.push(class);
    }

    /// Adds to the manifest what could not be reached.
    pub fn unreached(&mut self, what: String) {
        self.manifest.unreached.push(what);
    }

    /// Writes the manifest and gives the folder its name. Returns the manifest, its path and sum.
    ///
    /// # Errors
    ///
    /// Something could not be written, or such a folder has come meanwhile.
    pub fn finish(self) -> io::Result<(Manifest, PathBuf, SavedFile)> {
        let mut bytes = serde_json::to_vec_pretty(&self.manifest)?;
        bytes.push(b'\n');
        self.write("manifest.json", &bytes)?;
        File::open(&self.temporary)?.sync_all()?;
        if self.target.symlink_metadata().is_ok() {
            let why = format!("{} has come meanwhile", self.target.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        fs::rename(&self.temporary, &self.target)?;
        if let Some(folder) = self.target.parent() {
            File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?
                .sync_all()?;
        }
        let saved = SavedFile {
            content: "manifest".into(),
            file: "manifest.json".into(),
            sha256: sha256(&bytes),
            bytes: bytes.len() as u64,
        };
        Ok((self.manifest.clone(), self.target.join("manifest.json"), saved))
    }
}

impl Drop for NewBackup {
    fn drop(&mut self) {
        if !self.stays {
            // A finished one has another name by now.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// A backup of a node, on disk.
#[derive(Debug)]
pub struct Backup {
    folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

impl Backup {
    /// Opens the backup of a node.
    ///
    /// # Errors
    ///
    /// There is none, or its manifest can't be read, or this program is too old for it.
    pub fn open(folder: &Path, node: &str) -> io::Result<Self> {
        let folder = folder.join(safe_name(node));
        let bytes = read_small(&folder.join("manifest.json"))?;
        let manifest: Manifest = serde_json::from_slice(&bytes)?;
        let Manifest { version, node: of, program, .. } = &manifest;
        let why = if !(1..=VERSION).contains(version) {
            let most =
                format!("this one reads versions up to {VERSION}, so use that or a later one");
            format!("it is of version {version}, written by elysia-runbook {program}: {most}")
        } else if of != node {
            format!("it is of node {of}")
        } else {
            return Ok(Self { folder, manifest });
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }

    /// Returns the nodes of which there are backups in a folder, by the names of their folders.
    #[must_use]
    pub fn nodes(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut nodes: Vec<String> = entries
            .filter(|entry| entry.path().join("manifest.json").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        nodes.sort();
        nodes
    }

    /// Returns a class of it.
    #[must_use]
    pub fn class(&self, class: &str) -> Option<&BackedUp> {
        self.manifest.classes.iter().find(|found| found.class == class)
    }

    /// Returns where a file of it is.
    ///
    /// # Errors
    ///
    /// The manifest names a place outside of its folder.
    pub fn path(&self, file: &SavedFile) -> io::Result<PathBuf> {
        if file.file != safe_name(&file.file) {
            let why = format!("{:?} is no name of a file in a backup", file.file);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(self.folder.join(&file.file))
    }

    /// Returns what is wrong with the files of a class: they are not as they were saved.
    #[must_use]
    pub fn faults(&self, class: &BackedUp) -> Vec<String> {
        let fault = |file: &SavedFile| {
            let path = match self.path(file) {
                Ok(path) => path,
                Err(error) => return Some(error.to_string()),
            };
            let shown = path.display();
            match sum_of(&path) {
                Err(error) => Some(format!("{shown} can't be read: {error}")),
                Ok((_, bytes)) if bytes != file.bytes => {
                    Some(format!("{shown} has {bytes} bytes, and was saved with {}", file.bytes))
                }
                Ok((sum, _)) if sum != file.sha256 => {
                    Some(format!("{shown} is not as it was saved: its SHA-256 is another"))
                }
                Ok(_) => None,
            }
        };
        class.files.iter().filter_map(fault).collect()
    }

    /// Reads a small file of it.
    ///
    /// # Errors
    ///
    /// It can't be read, or is no JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, file: &SavedFile) -> io::Result<T> {
        Ok(serde_json::from_slice(&read_small(&self.path(file)?)?)?)
    }
}

/// Returns a name of a class or a node as the name of a file: it can't lead elsewhere. Two names
/// that become one are noticed, as nothing is overwritten.
#[must_use]
pub fn safe_name(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with('.') { format!("_{name}") } else { name }
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn sum_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut part = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let length = file.read(&mut part)?;
        if length == 0 {
            return Ok((hex(&sum.finalize()), bytes));
        }
        sum.update(&part[..length]);
        bytes += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(safe_name("node1"), "node1");
        assert_eq!(safe_name("localhost:8080"), "localhost_8080");
        assert_eq!(safe_name("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(safe_name(".."), "_..");
        assert_eq!(safe_name(""), "_");
        assert_eq!(safe_name("a\0b\nc"), "a_b_c");
    }
}
