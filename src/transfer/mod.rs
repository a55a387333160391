//! Export and import of objects as streams, and the folder in which a backup of a node lies.
//!
//! A file of objects is NDJSON in zstd: one object a line, as the server answered it. Objects pass through
//! page by page and are never held as a whole. Knows nothing of runs, scripts and guards: whether
//! something may be written is decided by the session.

mod copies;
mod export;
mod folder;
mod import;
mod lines;
mod manifest;
mod objects_file;
mod others;
mod pages;
mod references;
mod sweep;
mod verify;

pub use export::{Exported, export, go_on_exporting};
pub use folder::{Backup, NewBackup, safe_name};
pub use import::{Imported, Pass, Target, import};
pub use lines::{Lines, ObjectFiles, Window};
pub use manifest::{BackedUp, Manifest, SavedFile};
pub use objects_file::ObjectsFile;
pub use others::Others;
pub use sweep::{Sweep, Swept};
pub use verify::{Shown, Verification, verify};
