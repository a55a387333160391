//! Saving a class before it is deleted: written, flushed, read back, compared, recorded.

use std::path::PathBuf;

use serde_json::json;

use super::Session;
use super::definition::{is_multi_tenant, postable};
use super::state::Deleted;
use crate::error::{Halt, Stop};
use crate::event::Event;
use crate::journal::{sha256, write_new};
use crate::weaviate::{Class, Tenant};

impl Session {
    /// Saves a class: the server's answer byte for byte, and for a multi-tenant class the file
    /// that can be posted and its tenants.
    pub(super) fn back_up(
        &self,
        class: &str,
        found: &Class,
        tenants: Option<&[Tenant]>,
    ) -> Result<Deleted, Halt> {
        let number = self.next_number(class, "schema");
        let mut file = self.save(class, "schema", number, &found.raw)?;
        if is_multi_tenant(&found.value) {
            // The server refuses its own answer for these.
            file = self.save(class, "postable", number, &pretty(&postable(&found.value)))?;
        }
        let tenants_file = match tenants {
            Some(tenants) => Some(self.save(class, "tenants", number, &pretty(&json!(tenants)))?),
            None => None,
        };
        Ok(Deleted {
            definition: found.value.clone(),
            tenants: tenants.map(<[Tenant]>::to_vec),
            postable: file,
            tenants_file,
            was_empty: false,
            export: None,
        })
    }

    /// Saves something else of a class, beside what was saved of it before.
    pub(super) fn save_anew(&self, class: &str, content: &str, bytes: &[u8]) -> Result<(), Halt> {
        let number = self.next_number(class, content);
        self.save(class, content, number, bytes).map(drop)
    }

    /// Returns the files in which something of a class was saved, in order.
    pub(super) fn backups_of(&self, class: &str, content: &str) -> Vec<PathBuf> {
        let numbers = 1..self.next_number(class, content);
        numbers.map(|number| self.backup_path(class, content, number)).collect()
    }

    fn next_number(&self, class: &str, content: &str) -> usize {
        let mut number = 1;
        while self.backup_path(class, content, number).exists() {
            number += 1;
        }
        number
    }

    fn save(
        &self,
        class: &str,
        content: &str,
        number: usize,
        bytes: &[u8],
    ) -> Result<PathBuf, Halt> {
        let path = self.backup_path(class, content, number);
        write_new(&path, bytes).map_err(|error| {
            self.stop(Stop::Disk(format!(
                "the backup {} can't be written: {error}; what needs it is not done",
                path.display()
            )))
        })?;
        self.say(&Event::BackupSaved {
            class: class.into(),
            content: content.into(),
            file: path.display().to_string(),
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
        })?;
        Ok(path)
    }

    /// Names are never used twice: a second backup of a class in a run gets a number.
    fn backup_path(&self, class: &str, content: &str, number: usize) -> PathBuf {
        let number = if number == 1 { String::new() } else { format!(".{number}") };
        self.folder.backups().join(format!("{class}.{content}{number}.json"))
    }
}

pub(super) fn pretty(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
