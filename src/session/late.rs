//! What changed of a class since it was exported: found, and saved, while nobody can write, so that the
//! class may be deleted.

use std::rc::Rc;

use super::Session;
use super::export::{Export, names, next_late};
use super::writes::shards;
use crate::error::{Code, Failure, Halt};
use crate::event::Event;
use crate::survey::{Replicas, Survey};
use crate::text::count_objects;
use crate::transfer::{BackedUp, Lines, NewBackup, Sweep, Swept};
use crate::weaviate::{Class, Node, Tenant, Writes};

impl Session {
    /// Compares what every replica has with what was exported, and saves what changed since: after that
    /// the class may be deleted. Writes must be paused.
    ///
    /// # Errors
    ///
    /// `unverifiable` where a replica can't be read, or a node counts more than all show; `conflict`
    /// where an object is not on every replica, where a node was away or took writes meanwhile, or the
    /// definition or the tenants changed. Returns the survey that shows that none of it was.
    pub(super) fn sweep_late(
        &self,
        found: &Class,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
    ) -> Result<Rc<Survey>, Halt> {
        let class = found.value["class"].as_str().unwrap_or_default();
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
        // Each, as only its own node shows a replica without fail: another one passes over a shard
        // whose node it does not see.
        let nodes = self.nodes_with(class, survey);
        let file = new.objects(class).map_err(disk)?;
        let mut sweep = Sweep::new(nodes.clone(), class, tenants.map(names), exported, file);
        loop {
            let step = self.read(async |_| Ok::<_, Failure>(sweep.step().await))?;
            self.pace("comparing", class, sweep.objects(), None)?;
            if !step.map_err(disk)?.map_err(Failure::from)? {
                break;
            }
        }
        let (swept, file) = sweep.end();
        self.refuse_lacking(class, &swept)?;
        self.refuse_more_than_seen(&nodes, class, tenants, swept.objects)?;
        self.refuse_if_other_now(found, tenants)?;
        let after = self.look()?;
        self.refuse_if_disturbed(class, &replicas, &after, tenants)?;
        self.tell_swept(class, &swept)?;
        let objects = file.objects();
        let files = vec![file.finish().map_err(disk)?];
        new.add(BackedUp { class: class.into(), objects, complete: true, files });
        self.tell_saved(class, "late", new)?;
        export.late = Some(late);
        self.remember_export(class, &export);
        Ok(after)
    }

    /// An object that only some replicas show may have been deleted on the others, or could not be seen
    /// by a node: to decide that is not for a copy of the class.
    fn refuse_lacking(&self, class: &str, swept: &Swept) -> Result<(), Halt> {
        let Swept { lacking, told, .. } = swept;
        if *lacking == 0 {
            return Ok(());
        }
        let more = if *lacking > told.len() as u64 { ", …" } else { "" };
        let number = count_objects(*lacking);
        let why = format!("{number} of `{class}`, not on every replica: {}{more}", told.join(", "));
        let resync = self.commands.run("resync-replicas", &[("class", class)]);
        Err(Failure::new(Code::Conflict, why)
            .hint(format!("a replica may have deleted them; bring the replicas together: {resync}"))
            .into())
    }

    /// A node that was started again takes writes again, and one that was away was not compared: what
    /// was seen proves nothing then.
    fn refuse_if_disturbed(
        &self,
        class: &str,
        before: &Replicas,
        survey: &Survey,
        tenants: Option<&[Tenant]>,
    ) -> Result<(), Halt> {
        let now = self.replicas_that_can_be_read(class, survey, tenants)?;
        let open = shards(survey, class, Writes::Allowed);
        if now.shards == before.shards && open.is_empty() {
            return Ok(());
        }
        let why = format!(
            "a node was away, or a shard came, while the replicas of `{class}` were compared"
        );
        Err(Failure::new(Code::Conflict, why).hint("run it again when all nodes are up").into())
    }

    fn tell_swept(&self, class: &str, swept: &Swept) -> Result<(), Halt> {
        let Swept { objects, changed, deleted, differing, .. } = swept;
        let text = format!(
            "{} of {class} compared on every replica with what is exported: {changed} were written \
             since and are saved now, {deleted} were deleted",
            count_objects(*objects)
        );
        self.say(&Event::Note { text })?;
        if *differing > 0 {
            self.warn(&format!(
                "replicas have different versions of {} of {class}: the newest is taken",
                count_objects(*differing)
            ));
        }
        Ok(())
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
