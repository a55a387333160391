//! What changed of a class since it was exported: found, and saved, while nobody can write, so that the
//! class may be deleted.

use super::Session;
use super::export::{Export, names, next_late};
use crate::error::{Code, Failure, Halt};
use crate::event::{Event, count_objects};
use crate::survey::{Replicas, Survey};
use crate::transfer::{BackedUp, Lines, NewBackup, Sweep, Swept};
use crate::weaviate::{Node, Tenant};

impl Session {
    /// Compares what every replica has with what was exported, and saves what changed since: after that
    /// the class may be deleted. Writes must be paused.
    ///
    /// # Errors
    ///
    /// `unverifiable` where a replica can't be read, or a node counts more than all show.
    pub(super) fn sweep_late(
        &self,
        class: &str,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
    ) -> Result<(), Halt> {
        let export = self.state.borrow().exported.get(class).cloned();
        let Some(mut export) = export else { return Err(self.not_found(class).into()) };
        let replicas = self.replicas_that_can_be_read(class, survey, tenants)?;
        let folder = export.folder.clone();
        let disk = |error: std::io::Error| self.disk(&folder, &error);
        export.late = None;
        let exported = Lines::open(&export.files(class)?, class).map_err(disk)?;
        // What an earlier try saved is older.
        let last = Export::find(&folder, &export.name).late;
        let late = next_late(&export.name, last.as_deref());
        let mut new = NewBackup::begin(&folder, &late).map_err(disk)?;
        let nodes = self.who_show_every_replica(survey, &replicas, class);
        let file = new.objects(class).map_err(disk)?;
        let mut sweep = Sweep::new(nodes.clone(), class, tenants.map(names), exported, file);
        loop {
            let step = self.read(async |_| Ok::<_, Failure>(sweep.step().await))?;
            self.tell_progress("comparing", class, sweep.objects(), None)?;
            if !step.map_err(disk)?.map_err(Failure::from)? {
                break;
            }
        }
        let (swept, file) = sweep.end();
        self.refuse_more_than_seen(&nodes, class, tenants, swept.objects)?;
        self.tell_swept(class, swept)?;
        let objects = file.objects();
        let files = vec![file.finish().map_err(disk)?];
        new.add(BackedUp { class: class.into(), objects, complete: true, files });
        self.tell_saved(class, "late", new)?;
        export.late = Some(late);
        self.remember_export(class, &export);
        Ok(())
    }

    fn tell_swept(&self, class: &str, swept: Swept) -> Result<(), Halt> {
        let Swept { objects, changed, deleted, differing } = swept;
        let text = format!(
            "{} of {class} compared on every replica with what is exported: {changed} were written \
             since and are saved now, {deleted} were deleted",
            count_objects(objects)
        );
        self.say(&Event::Note { text })?;
        if differing > 0 {
            self.warn(&format!(
                "{} of {class} are not the same on every replica: the newest of each is kept",
                count_objects(differing)
            ));
        }
        Ok(())
    }

    /// Returns nodes that together show every replica: one is enough where each shard has but one, as
    /// any node reads it there.
    fn who_show_every_replica(
        &self,
        survey: &Survey,
        replicas: &Replicas,
        class: &str,
    ) -> Vec<&Node> {
        let mut nodes = self.nodes_with(class, survey);
        if replicas.shards.iter().all(|shard| shard.held.len() == 1) {
            nodes.truncate(1);
        }
        nodes
    }

    /// A node that counts more than all of them show has objects that no page shows.
    fn refuse_more_than_seen(
        &self,
        nodes: &[&Node],
        class: &str,
        tenants: Option<&[Tenant]>,
        seen: u64,
    ) -> Result<(), Halt> {
        for node in nodes {
            let counted = self.read(async |_| match tenants {
                None => node.aggregate(class, None).await,
                Some(tenants) => {
                    let mut sum = 0;
                    for tenant in tenants {
                        sum += node.aggregate(class, Some(&tenant.name)).await?;
                    }
                    Ok(sum)
                }
            })?;
            if counted > seen {
                let why = format!(
                    "`{}` counts {counted} objects of `{class}`, and all nodes together show {seen}",
                    node.name()
                );
                return Err(Failure::new(Code::Unverifiable, why).into());
            }
        }
        Ok(())
    }
}
