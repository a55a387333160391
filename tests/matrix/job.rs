//! The shipped runbooks that change something, and what has to be there after each of them.

use std::collections::BTreeMap;

use elysia_runbook::sandbox::{Scenario, ShardStatus};
use serde_json::{Value, json};

use crate::support::{Ended, Stage};

/// Objects of the class in the scenario with data.
const WITH_DATA: usize = 300;

/// Objects of the class in the scenario whose replicas differ.
const DIFFERING: usize = 40;

/// Tenants, and whether each is active.
const TENANTS: [(&str, bool); 3] = [("a", true), ("b", false), ("c", false)];

pub(crate) const CLASS: &str = "ELYSIA_CONFIG__";

/// A runbook, the cluster that it begins on, and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Repair,
    Lag,
    Force,
    Restore,
    Scale,
    Lower,
    Recreate,
    Tenants,
    Resync,
}

/// A request, so that it can be met again: node, method, path, and the how manieth it is.
pub(crate) type Place = (String, String, String, usize);

impl Job {
    /// Returns all, or the one that `MATRIX_JOB` names.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Repair,
            Self::Lag,
            Self::Force,
            Self::Restore,
            Self::Scale,
            Self::Lower,
            Self::Recreate,
            Self::Tenants,
            Self::Resync,
        ];
        if let Ok(only) = std::env::var("MATRIX_JOB") {
            all.retain(|job| format!("{job:?}") == only);
            assert!(!all.is_empty(), "MATRIX_JOB={only} is none of the jobs");
        }
        all
    }

    pub(crate) fn stage(self) -> Stage {
        match self {
            Self::Repair => Stage::new(Scenario::FactorOne),
            Self::Lag | Self::Force => Stage::new(Scenario::Healthy),
            Self::Scale => {
                let stage = Stage::new(Scenario::WithData);
                stage.sandbox.set_replica_movement(true);
                stage
            }
            Self::Lower => {
                let stage = Self::Scale.stage();
                stage.run(Self::Scale.words()).exits(0);
                // Not a run that could be gone on with, or undone.
                std::fs::remove_dir_all(stage.home.path().join("runs")).unwrap();
                stage
            }
            Self::Recreate => Stage::new(Scenario::WithData),
            Self::Tenants => with_tenants(),
            Self::Resync => Stage::new(Scenario::ReplicasDiffer),
            Self::Restore => {
                let stage = Stage::new(Scenario::WithData);
                stage.run(&["run", "backup-nodes"]).exits(0);
                stage.delete(&format!("/v1/schema/{CLASS}"));
                stage
            }
        }
    }

    /// Returns the arguments of the program.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Repair => &["run", "config-replication", "--yes"],
            Self::Lag => &["run", "replication-lag", "--yes", "--set", "writes=2"],
            Self::Force => &["run", "force-schema-replication", "--yes"],
            Self::Scale => &["run", "scale-replicas", "--yes"],
            Self::Lower => &["run", "scale-replicas", "--yes", "--set", "factor=1"],
            Self::Recreate | Self::Tenants => {
                &["run", "recreate-with-data", "--yes", "--set", "class=ELYSIA_CONFIG__"]
            }
            Self::Resync => &["run", "resync-replicas", "--yes", "--set", "class=ELYSIA_CONFIG__"],
            Self::Restore => &[
                "run",
                "restore-class",
                "--yes",
                "--set",
                "class=ELYSIA_CONFIG__",
                "--set",
                "from=node1",
            ],
        }
    }

    /// Returns the requests of a run in which nothing goes wrong.
    pub(crate) fn places(self) -> Vec<Place> {
        let stage = self.stage();
        let before = stage.sandbox.requests().len();
        stage.run(self.words()).exits(0);
        let mut seen = BTreeMap::<(String, String, String), usize>::new();
        let requests = stage.sandbox.requests();
        let mut places = vec![];
        for request in &requests[before..] {
            let path = request.path_and_query.split('?').next().unwrap();
            // The id of a test record is another one each time.
            let path = match path.rsplit_once('/') {
                Some((head, last)) if last.len() == 36 => format!("{head}/*"),
                _ => path.to_owned(),
            };
            let key = (request.node.clone(), request.method.clone(), path);
            let nth = seen.entry(key.clone()).or_default();
            *nth += 1;
            places.push((key.0, key.1, key.2, *nth));
        }
        places
    }

    /// Judges a run that ended by itself: the report must be true, and what is missing must have a
    /// backup that verifies.
    pub(crate) fn judge(self, stage: &Stage, before: Option<&Value>, ended: &Ended, said: &str) {
        let code = ended.code.unwrap_or_else(|| panic!("it was killed: {said}"));
        assert!(!said.contains("panicked"), "{said}");
        let after = class(stage);
        if !said.contains("still paused") {
            writes_are_allowed(stage, said);
        }
        match self {
            Self::Repair => judge_repair(stage, code, before, after.as_ref(), said),
            Self::Lag | Self::Force => {
                assert_eq!(after.as_ref(), before, "{said}");
                // What a writer brought back is theirs.
                let theirs = said.contains("came back meanwhile");
                if code != 7 && !theirs && !said.contains("is still there") {
                    nothing_is_left(stage, said);
                }
            }
            Self::Restore => judge_restore(stage, code, said),
            Self::Scale => judge_scale(stage, code, 3, said),
            Self::Lower => judge_scale(stage, code, 1, said),
            Self::Recreate => judge_recreate(stage, code, before, said),
            Self::Tenants => {
                judge_recreate(stage, code, before, said);
                tenants_are_as_before(stage, said);
            }
            Self::Resync => judge_resync(stage, code, said),
        }
    }

    /// Goes on with a run that died, or undoes it; then all must be as wanted, or as before, and a
    /// second time nothing is done.
    pub(crate) fn settle(
        self,
        stage: &Stage,
        before: Option<&Value>,
        undo: bool,
        said: &str,
    ) -> String {
        let what = if undo { "rollback" } else { "resume" };
        let run = stage.newest_run();
        let ended = stage.run(&[what, "--yes"]);
        let said = format!("{said}\n--- {what}:\n{}", ended.transcript());
        assert!(!said.contains("panicked"), "{said}");
        let nothing_to_do = ended.code == Some(2) && said.contains("there is no run");
        // What was imported stays.
        let kept = self == Self::Restore && said.contains("stay there")
            || matches!(self, Self::Recreate | Self::Tenants)
                && said.contains("with another definition");
        assert!(ended.code == Some(0) || nothing_to_do || kept, "{said}");
        let after = class(stage);
        match (self, undo) {
            (Self::Repair, false) if !nothing_to_do => {
                assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}");
            }
            (Self::Repair | Self::Lag | Self::Force, true) => {
                assert_eq!(after.as_ref(), before, "{said}");
            }
            // The whole of what it had to do may have been done before it died.
            (Self::Repair | Self::Lag | Self::Force, false) => assert!(after.is_some(), "{said}"),
            // As it was: the class that it had created, and imported nothing into, is gone again.
            (Self::Restore, true) if after.is_none() => {}
            (Self::Restore, _) if !nothing_to_do => {
                judge_restore(stage, ended.code.unwrap(), &said);
            }
            (Self::Scale, false) if !nothing_to_do => {
                judge_scale(stage, ended.code.unwrap(), 3, &said);
                assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}");
            }
            (Self::Lower, false) if !nothing_to_do => judge_scale(stage, 0, 1, &said),
            (Self::Scale | Self::Lower, _) => judge_scale(stage, 1, 0, &said),
            // All of it was done before it died.
            (Self::Recreate | Self::Tenants, _) if nothing_to_do => {
                assert!(everywhere(stage), "{said}");
            }
            (Self::Recreate | Self::Tenants, false) => judge_recreate(stage, 0, before, &said),
            (Self::Recreate | Self::Tenants, _) => {
                judge_recreate(stage, if kept { 7 } else { 6 }, before, &said);
            }
            (Self::Resync, false) if !nothing_to_do => judge_resync(stage, 0, &said),
            (Self::Resync, _) => judge_resync(stage, 1, &said),
            (Self::Restore, _) => {}
        }
        if matches!(self, Self::Repair | Self::Lag | Self::Force) {
            nothing_is_left(stage, &said);
        }
        if self == Self::Tenants {
            tenants_are_as_before(stage, &said);
        }
        writes_are_allowed(stage, &said);
        if let Some(run) = run.filter(|_| !nothing_to_do) {
            let changes = stage.changes().len();
            let again = stage.run(&[what, &run, "--yes"]).transcript();
            assert_eq!(stage.changes().len(), changes, "{said}\n--- again:\n{again}");
            stage.run_bare(&["runs", "verify", &run]).exits(0).says("all is as it was written");
        }
        format!("killed, {what} {:?}", ended.code)
    }
}

/// A class with as many objects, in tenants of which two are not active.
fn with_tenants() -> Stage {
    let stage = Stage::new(Scenario::WithData);
    stage.delete(&format!("/v1/schema/{CLASS}"));
    let class = json!({"class": CLASS, "multiTenancyConfig": {"enabled": true}});
    stage.post("/v1/schema", &class);
    let path = format!("/v1/schema/{CLASS}/tenants");
    let named = |name: &str, state: &str| json!({"name": name, "activityStatus": state});
    stage.post(&path, &TENANTS.iter().map(|(name, _)| named(name, "HOT")).collect());
    for (tenant, _) in TENANTS {
        let object = |n: usize| json!({"class": CLASS, "tenant": tenant, "properties": {"n": n}});
        let objects: Vec<Value> = (0..WITH_DATA / TENANTS.len()).map(object).collect();
        stage.post("/v1/batch/objects", &json!({"objects": objects}));
    }
    let asleep = TENANTS.iter().filter(|(_, active)| !active);
    stage.put(&path, &asleep.map(|(name, _)| named(name, "COLD")).collect());
    stage
}

/// The tenants are in the states in which they were, or the report says that they are not. What a
/// person brings back from the export is active.
fn tenants_are_as_before(stage: &Stage, said: &str) {
    let told = ["that this run activated", "has them in another state", "--set from="];
    if class(stage).is_none() || told.iter().any(|it| said.contains(it)) {
        return;
    }
    let before: BTreeMap<String, bool> = TENANTS.map(|(name, active)| (name.into(), active)).into();
    assert_eq!(stage.sandbox.tenants("node1", CLASS), before, "{said}");
}

/// Returns the class, as the first node has it.
pub(crate) fn class(stage: &Stage) -> Option<Value> {
    stage.sandbox.class("node1", CLASS)
}

fn judge_repair(
    stage: &Stage,
    code: i32,
    before: Option<&Value>,
    after: Option<&Value>,
    said: &str,
) {
    let reappeared = said.contains("came back meanwhile") || said.contains("is another one now");
    match (code, after) {
        (0, Some(_)) => assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}"),
        (7, _) => {
            assert!(said.contains("backups/") && said.contains("curl"), "{said}");
        }
        // Somebody wrote to it meanwhile, so it is kept as it is.
        (1 | 5 | 6, Some(_)) if stage.sandbox.objects("node1", CLASS).len() == 1 => {}
        // A writer brought it back, and nothing of ours takes it away.
        (_, Some(_)) if reappeared => {}
        (4, Some(after)) => {
            assert!(said.contains("PARTIAL") || said.contains("FINDINGS"), "{said}");
            assert_eq!(after["replicationConfig"]["factor"], 3, "{said}");
        }
        (1 | 5 | 6, after) => assert_eq!(after, before, "{said}"),
        _ => panic!("{said}"),
    }
    if after.is_none() {
        let run = stage.newest_run().unwrap();
        stage.run_bare(&["runs", "verify", &run]).exits(0);
    }
}

/// Every object is there, and no factor is promised that the replicas do not keep.
fn judge_scale(stage: &Stage, code: i32, wanted: u64, said: &str) {
    let ids = ids(stage);
    assert!(ids.len() >= WITH_DATA, "{} objects: {said}", ids.len());
    let factors = stage.factors(CLASS);
    let replicas = stage.fewest_replicas(CLASS);
    match code {
        0 => {
            let seen = (factors, replicas as u64);
            assert_eq!(seen, (vec![Some(wanted); 3], wanted), "{said}");
        }
        1 | 4 | 5 | 6 | 7 | 130 => {
            let promised = factors.iter().flatten().max().copied().unwrap_or_default();
            assert!(replicas as u64 >= promised, "{factors:?}, {replicas}: {said}");
        }
        _ => panic!("{said}"),
    }
}

/// Every object is there, or comes back with the command that the report names.
fn judge_recreate(stage: &Stage, code: i32, before: Option<&Value>, said: &str) {
    let reappeared = said.contains("came back meanwhile") || said.contains("is another one now");
    match code {
        _ if reappeared => {}
        0 => assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}"),
        1 | 5 | 6 => assert_eq!(class(stage).as_ref(), before, "{said}"),
        4 => assert!(said.contains("PARTIAL") || said.contains("FINDINGS"), "{said}"),
        7 => {}
        _ => panic!("{said}"),
    }
    if everywhere(stage) {
        return;
    }
    assert_eq!(code, 7, "{} objects: {said}", ids(stage).len());
    let from = said.split("--set from=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let from = format!("from={}", from.unwrap_or_else(|| panic!("no command: {said}")));
    // A leader that was lost is elected by then.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let class = format!("class={CLASS}");
    let words = ["run", "restore-class", "--yes", "--set", &class, "--set", &from];
    let restored = stage.run(&[&words[..], &["--set", "folder=weaviate-export"]].concat());
    let again = restored.transcript();
    let theirs = again.contains("is not as in the backup");
    assert!(theirs || restored.code == Some(0) && everywhere(stage), "{said}\n--- again:\n{again}");
}

/// No object is lost, and where all went well every replica has each.
fn judge_resync(stage: &Stage, code: i32, said: &str) {
    let all = ids(stage).len();
    assert!(all >= DIFFERING, "{all} objects: {said}");
    if code == 0 {
        for (node, _) in stage.sandbox.nodes() {
            assert!(stage.sandbox.objects(&node, CLASS).len() >= DIFFERING, "{node}: {said}");
        }
    }
}

/// The objects of the class on all nodes.
fn ids(stage: &Stage) -> std::collections::BTreeSet<String> {
    let nodes = stage.sandbox.nodes().into_iter();
    let objects = nodes.flat_map(|(node, _)| stage.sandbox.objects(&node, CLASS));
    objects.map(|object| object["id"].to_string()).collect()
}

/// Every object is there, on every node where there are to be three replicas.
fn everywhere(stage: &Stage) -> bool {
    let factor = class(stage).map(|class| class["replicationConfig"]["factor"].clone());
    match factor {
        Some(factor) if factor == 3 => {
            let mut nodes = stage.sandbox.nodes().into_iter();
            nodes.all(|(node, _)| stage.sandbox.objects(&node, CLASS).len() >= WITH_DATA)
        }
        Some(_) => ids(stage).len() >= WITH_DATA,
        None => false,
    }
}

fn judge_restore(stage: &Stage, code: i32, said: &str) {
    match code {
        0 => {
            let count = stage.sandbox.objects("node1", CLASS).len();
            assert!(count > 0, "{said}");
            let again = stage.run(&["run", "cluster-health", "--set", "sample=all"]);
            assert!(!again.transcript().contains("differ"), "{said}\n{}", again.transcript());
        }
        // What was imported stays; it can be run again.
        1 | 4 | 5 | 6 | 7 => {
            // A leader that was lost is elected by then.
            std::thread::sleep(std::time::Duration::from_secs(2));
            let job = stage.run(Job::Restore.words());
            let again = job.transcript();
            let taken = job.code == Some(0) || again.contains("is not as in the backup");
            assert!(taken, "{said}\n--- again:\n{again}");
        }
        _ => panic!("{said}"),
    }
}

/// Every replica takes writes.
fn writes_are_allowed(stage: &Stage, said: &str) {
    for (node, _) in stage.sandbox.nodes() {
        let statuses = stage.sandbox.shard_statuses(&node, CLASS);
        let ready = statuses.values().all(|status| *status == ShardStatus::Ready);
        assert!(ready, "{node}: {statuses:?}: {said}");
    }
}

/// No probe class and no test record is on any node.
fn nothing_is_left(stage: &Stage, said: &str) {
    for (node, _) in stage.sandbox.nodes() {
        for probe in ["ElysiaRunbookLagProbe", "ELYSIA_CONFIG__RunbookProbe"] {
            assert_eq!(stage.sandbox.class(&node, probe), None, "{said}");
        }
    }
    let list = stage.get(0, &format!("/v1/objects?class={CLASS}&limit=10&after="));
    assert_eq!(list["objects"], json!([]), "{said}");
}
