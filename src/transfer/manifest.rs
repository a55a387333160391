//! What a backup of one node holds: `manifest.json`, written last.

use serde::{Deserialize, Serialize};

/// Version of the manifest and of the files that it lists. In those of version 1 every vector is a list of
/// numbers.
pub(super) const VERSION: u32 = 2;

/// A backup of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub version: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// When it was begun, in UTC.
    pub time: String,
    /// The node, by the name of `--node`.
    pub node: String,
    /// Each class that is in the node's own schema.
    pub classes: Vec<BackedUp>,
    /// What could not be reached or saved, one sentence fragment each.
    pub unreached: Vec<String>,
}

/// A class in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// The class.
    pub class: String,
    /// How many objects were saved.
    pub objects: u64,
    /// Whether these are all that this node could show. Why not is in [`Manifest::unreached`].
    pub complete: bool,
    /// The files.
    pub files: Vec<SavedFile>,
}

impl BackedUp {
    /// Returns the file with this content: `schema`, `postable`, `tenants` or `objects`.
    #[must_use]
    pub fn file(&self, content: &str) -> Option<&SavedFile> {
        self.files.iter().find(|file| file.content == content)
    }
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// `schema` (the server's answer byte for byte), `postable` (where the server refuses that),
    /// `tenants`, or `objects`.
    pub content: String,
    /// Its name in the folder.
    pub file: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}
