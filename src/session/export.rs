//! Every object of a class in files, exported while it may be written to.

use std::path::{Path, PathBuf};

use super::Session;
use super::definition::is_multi_tenant;
use super::read::check_class_name;
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::{self, Replicas, Survey};
use crate::text::{count, count_objects};
use crate::transfer::{BackedUp, Backup, NewBackup, ObjectFiles, go_on_exporting};
use crate::weaviate::{Class, Node, Tenant};

/// Where the objects of a class are that this run exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The folder of backups.
    pub folder: PathBuf,
    /// The name of the export in it.
    pub name: String,
    /// The name of what changed until writes were paused, once they were.
    pub late: Option<String>,
}

impl Export {
    /// Finds the export whose manifest this is.
    pub(super) fn of_manifest(manifest: &Path) -> Option<Self> {
        let own = manifest.parent()?;
        let name = own.file_name()?.to_str()?.to_owned();
        Some(Self { folder: own.parent()?.to_owned(), name, late: None })
    }

    /// Finds the export of a name, with what changed after it, in a folder of backups.
    pub(super) fn find(folder: &Path, name: &str) -> Self {
        let mut late = None;
        loop {
            let next = next_late(name, late.as_deref());
            if !folder.join(&next).exists() {
                break;
            }
            late = Some(next);
        }
        Self { folder: folder.to_owned(), name: name.to_owned(), late }
    }

    /// Returns the files with the objects of a class, what changed last.
    ///
    /// # Errors
    ///
    /// One is not as it was saved.
    pub(super) fn files(&self, class: &str) -> Result<ObjectFiles, Failure> {
        let names = std::iter::once(&self.name).chain(&self.late);
        let paths = names.map(|name| objects_file(&self.folder, name, class));
        let paths = paths.collect::<Result<_, _>>()?;
        Ok(ObjectFiles { class: class.into(), paths, at_most: None })
    }
}

impl Session {
    /// Exports every object of a class into `folder`, while it may be written to: what changes
    /// meanwhile is found when the class is deleted. Goes on with what this run has exported before
    /// it was resumed. Returns where it is, and how many objects it has.
    ///
    /// # Errors
    ///
    /// `not_found`; `unverifiable` where a replica can't be read or a tenant is not active. A full
    /// disk ends the run.
    pub fn export_class(&self, class: &str, folder: &Path) -> Result<(Export, u64), Halt> {
        check_class_name(class)?;
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        let tenants = self.tenants_of(class, &found.value)?;
        let survey = self.look()?;
        let name = format!("{class}-{}", self.folder.run);
        // The run may be resumed, or undone, in another folder.
        let folder = self.writes_to(folder);
        let folder = &std::path::absolute(&folder).map_err(|error| self.disk(&folder, &error))?;
        let export = Export { folder: folder.to_owned(), name: name.clone(), late: None };
        if let Some(saved) =
            Backup::open(folder, &name).ok().and_then(|it| it.class(class).cloned())
        {
            let exported = count_objects(saved.objects);
            self.say(&Event::Note { text: format!("{exported} of {class} are exported already") })?;
            // It may have died before it was recorded.
            let manifest = folder.join(&name).join("manifest.json");
            let bytes = std::fs::read(&manifest).map_err(|error| self.disk(folder, &error))?;
            self.say(&Event::BackupSaved {
                class: class.into(),
                content: "export".into(),
                file: manifest.display().to_string(),
                sha256: crate::journal::sha256(&bytes),
                bytes: bytes.len() as u64,
            })?;
            self.remember_export(class, &export);
            return Ok((export, saved.objects));
        }
        let replicas = self.replicas_that_can_be_read(class, &survey, tenants.as_deref())?;
        let disk = |error: std::io::Error| self.disk(folder, &error);
        let mut new = NewBackup::take_up(folder, &name).map_err(disk)?;
        let mut files = save_schema(&new, class, &found).map_err(disk)?;
        if let Some(tenants) = &tenants {
            let tenants = super::backup::pretty(&serde_json::json!(tenants));
            files.push(new.save(class, "tenants", &tenants).map_err(disk)?);
        }
        let mut file = new.objects(class).map_err(disk)?;
        if file.objects() > 0 {
            let text =
                format!("going on after {} that are exported", count_objects(file.objects()));
            self.say(&Event::Note { text })?;
        }
        let names = tenants.as_ref().map(|tenants| names(tenants));
        let node = self.who_has_most(&survey, &replicas, class)?;
        let of = self.count(class).ok();
        self.go_on_from("exporting", class, file.objects());
        let exported = self.read(async |_| {
            // What can't be said now is said with the next.
            let due = |done| self.due("exporting", class, done, of).unwrap_or_default();
            let tenants = names.as_deref();
            Ok::<_, Failure>(go_on_exporting(node, class, tenants, &mut file, &due).await)
        })?;
        exported.map_err(disk)?.map_err(Failure::from)?;
        let objects = file.objects();
        files.push(file.finish().map_err(disk)?);
        new.add(BackedUp { class: class.into(), objects, complete: true, files });
        self.tell_saved(class, "export", new)?;
        self.remember_export(class, &export);
        Ok((export, objects))
    }

    pub(super) fn remember_export(&self, class: &str, export: &Export) {
        self.state.borrow_mut().exported.insert(class.into(), export.clone());
    }

    pub(super) fn tell_saved(
        &self,
        class: &str,
        content: &str,
        new: NewBackup,
    ) -> Result<(), Halt> {
        let (_, path, file) = new.finish().map_err(|error| self.disk(Path::new(class), &error))?;
        self.say(&Event::BackupSaved {
            class: class.into(),
            content: content.into(),
            file: path.display().to_string(),
            sha256: file.sha256,
            bytes: file.bytes,
        })
    }

    /// Returns where the replicas of a class are, if every one can be read.
    pub(super) fn replicas_that_can_be_read(
        &self,
        class: &str,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
    ) -> Result<Replicas, Halt> {
        let replicas = self.read(async |cluster| Replicas::find(cluster, survey, class).await)?;
        let mut reasons = survey::unseen(survey, &replicas);
        let inactive: Vec<&Tenant> =
            tenants.unwrap_or_default().iter().filter(|tenant| !tenant.is_active()).collect();
        if let Some(first) = inactive.first() {
            reasons.push(format!(
                "{} not active, the first is `{}`",
                count(inactive.len(), "tenant"),
                first.name
            ));
        }
        if reasons.is_empty() {
            return Ok(replicas);
        }
        let why = format!("not every object of `{class}` can be read: {}", reasons.join("; "));
        Err(Failure::new(Code::Unverifiable, why)
            .hint("bring back what does not answer, or activate the tenants, and run it again")
            .into())
    }

    /// Returns the node that reads most shards from its own disk.
    fn who_has_most(
        &self,
        survey: &Survey,
        replicas: &Replicas,
        class: &str,
    ) -> Result<&Node, Halt> {
        let held = |node: &&Node| {
            let name = survey.raft_name(node.name());
            let holds =
                |shard: &&survey::ShardReplicas| name.is_some_and(|it| shard.held.contains(it));
            replicas.shards.iter().filter(holds).count()
        };
        let nodes = self.nodes_with(class, survey).into_iter();
        let why = || Failure::new(Code::Unverifiable, format!("no node that answers has {class}"));
        nodes.max_by_key(held).ok_or_else(|| why().into())
    }
}

/// The name of what changed after an export, as the next try to delete the class finds it.
pub(super) fn next_late(export: &str, last: Option<&str>) -> String {
    let number = last.and_then(|last| last.rsplit_once("-late")?.1.parse::<u32>().ok());
    format!("{export}-late{}", number.unwrap_or(0) + 1)
}

/// Returns the file with the objects of a class in a backup, if it is as it was saved.
fn objects_file(folder: &Path, name: &str, class: &str) -> Result<PathBuf, Failure> {
    let unusable = |error: std::io::Error| {
        let place = folder.join(name);
        Failure::new(
            Code::Unexpected,
            format!("the export {} can't be used: {error}", place.display()),
        )
    };
    let backup = Backup::open(folder, name).map_err(unusable)?;
    let missing = || unusable(std::io::Error::other(format!("it has no objects of {class}")));
    let saved = backup.class(class).ok_or_else(missing)?;
    if let Some(fault) = backup.faults(saved).into_iter().next() {
        return Err(unusable(std::io::Error::other(fault)));
    }
    let file = saved.file("objects").ok_or_else(missing)?;
    backup.path(file).map_err(unusable)
}

pub(super) fn names(tenants: &[Tenant]) -> Vec<String> {
    tenants.iter().map(|tenant| tenant.name.clone()).collect()
}

/// Saves the schema of a class byte for byte, and for one with tenants the file that can be posted.
pub(super) fn save_schema(
    new: &NewBackup,
    class: &str,
    found: &Class,
) -> std::io::Result<Vec<crate::transfer::SavedFile>> {
    let mut files = vec![new.save(class, "schema", &found.raw)?];
    if is_multi_tenant(&found.value) {
        // The server refuses its own answer for these.
        let postable = super::definition::postable(&found.value);
        files.push(new.save(class, "postable", &super::backup::pretty(&postable))?);
    }
    Ok(files)
}
