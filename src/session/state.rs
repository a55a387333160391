//! What a run knows of what it has done: what putting things back, going on and the report start from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use super::Export;
use super::inserted::Inserted;
use crate::error::Stop;
use crate::event::Reached;
use crate::weaviate::{ObjectName, ReplicaCopy, Tenant};

/// A class that this run deleted.
#[derive(Debug, Clone)]
pub(crate) struct Deleted {
    /// As the leader had it.
    pub(super) definition: Value,
    /// Its tenants, for a multi-tenant class.
    pub(super) tenants: Option<Vec<Tenant>>,
    /// The file that can be posted.
    pub(super) postable: PathBuf,
    /// The file with the tenants.
    pub(super) tenants_file: Option<PathBuf>,
    /// Whether it was proven to hold no object.
    pub(super) was_empty: bool,
    /// Where its objects are, every one.
    pub(super) export: Option<Export>,
}

impl Deleted {
    /// Takes note that tenants are in these states now, and are to be, as they were before the run.
    pub(super) fn put_tenants_back(&mut self, tenants: &[Tenant]) {
        for tenant in self.tenants.iter_mut().flatten() {
            if let Some(before) = tenants.iter().find(|it| it.name == tenant.name) {
                tenant.clone_from(before);
            }
        }
    }
}

/// What factor classes had, and have now because of a run.
pub(super) type Factors = BTreeMap<String, (u64, u64)>;

/// Takes note of a factor that a class was given. Given back the first one, it is as it was.
pub(super) fn note_factor(factors: &mut Factors, class: &str, before: u64, now: u64) {
    let first = factors.get(class).map_or(before, |(first, _)| *first);
    if first == now {
        factors.remove(class);
    } else {
        factors.insert(class.into(), (first, now));
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The operator has agreed to changes of this cluster.
    pub(super) approved: bool,
    /// What stopped the run; nothing is changed after it but to put things back.
    pub(super) stopped: Option<Stop>,
    /// Rollbacks are running.
    pub(super) restoring: bool,
    /// Classes as the script read them, to notice that somebody changed one since.
    pub(super) read: BTreeMap<String, Value>,
    /// Classes that were there before the run and that it deleted, as they were.
    pub(super) deleted: BTreeMap<String, Deleted>,
    /// Classes that this run created: as it asked for them, then as the leader shows them.
    pub(super) created: BTreeMap<String, Value>,
    /// The run was resumed.
    pub(super) resumed: bool,
    /// Classes that it created before it was resumed: creating one again finds it.
    pub(super) made_before: BTreeSet<String>,
    /// Those of them of which only what was asked for is known, not what the server made of it.
    pub(super) unsure: BTreeSet<String>,
    /// Copies of replicas that this run began and has not seen to be there, by class.
    pub(super) copying: BTreeMap<String, BTreeSet<ReplicaCopy>>,
    /// How many it has, by class: these stay, whatever fails later.
    pub(super) copied: BTreeMap<String, usize>,
    /// The factors that classes had, and that this run gave them.
    pub(super) factors: Factors,
    /// Tenants that this run activated, as they were, by class.
    pub(super) activated: BTreeMap<String, BTreeSet<Tenant>>,
    /// Shards of classes that refuse writes because of this run.
    pub(super) paused: BTreeMap<String, BTreeSet<String>>,
    /// When classes were deleted to which a server may still try to write.
    pub(super) draining: BTreeMap<String, Instant>,
    /// When this run created a class, and which nodes did not answer then.
    pub(super) made: BTreeMap<String, (Instant, BTreeSet<String>)>,
    /// Classes of which this run exported the objects.
    pub(super) exported: BTreeMap<String, Export>,
    /// Classes of which every object was imported: what is missing of them later was deleted since.
    pub(super) import_done: BTreeSet<String>,
    /// How far imports had come when the run died, by class.
    pub(super) reached: BTreeMap<String, Reached>,
    /// Objects that this run imported, by class: these stay, whatever fails later.
    pub(super) imported: BTreeMap<String, u64>,
    /// Commands for the operator to run when the run is over.
    pub(super) advice: Vec<String>,
    /// Objects that this run inserted, or tried to.
    pub(super) inserted: BTreeMap<ObjectName, Inserted>,
    /// Those of them that a step inserted which died half-way, and that nobody will ask for.
    pub(super) stray: Vec<ObjectName>,
    /// Changes that failed and were not made since, by class: the script may have caught the error.
    pub(super) unmade: BTreeMap<String, String>,
}

impl State {
    /// Takes note that tenants that this run activated are as they were, of those that are `there`: others
    /// come back with their class.
    pub(super) fn tenants_are_back(&mut self, class: &str, tenants: &[Tenant], there: &[Tenant]) {
        let is_deleted = self.deleted.contains_key(class);
        let waits = |it: &Tenant| is_deleted && there.iter().all(|now| now.name != it.name);
        let activated = self.activated.entry(class.into()).or_default();
        activated.retain(waits);
        if activated.is_empty() {
            self.activated.remove(class);
        }
        if let Some(deleted) = self.deleted.get_mut(class) {
            deleted.put_tenants_back(tenants);
        }
    }

    /// Returns the classes that this run created and imported nothing into: deleting them is what
    /// undoes it. What was imported is never deleted.
    pub(super) fn made_empty(&self) -> Vec<String> {
        let made = self.created.keys();
        made.filter(|class| !self.imported.contains_key(*class)).cloned().collect()
    }
}
