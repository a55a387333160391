//! The fault matrix: every request of every shipped runbook that changes something goes wrong in each
//! way; afterwards nothing is lost, and the report is true.
//!
//! `MATRIX_CASES` says how many cases are drawn (without it some dozens, `all` for every one),
//! `MATRIX_SEED` from which seed, which is printed.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use elysia_runbook::sandbox::{Fault, Scenario};
use serde_json::{Value, json};
use support::{Ended, Stage};

const CLASS: &str = "ELYSIA_CONFIG__";

/// In which ways a request goes wrong. Without effect, with effect, slow, and answers that are none.
const FAULTS: [&str; 23] = [
    "refuse",
    "cut-after",
    "hang",
    "delay 400ms",
    "delay 3s",
    "500 no",
    "done 500 leader not found",
    "400 no",
    "done 400 leader not found",
    "422 no",
    "done 422 timeout",
    "malformed",
    r#"200 {"errors":[{"message":"no"}]}"#,
    "200 []",
    "class-reappears",
    "trickle",
    "cut-body",
    "endless",
    "hang-after",
    "leader-lost 2s",
    "write",
    // The process is killed instead: before the request had an effect, and after it.
    "killed before",
    "killed after",
];

/// A runbook, the cluster that it begins on, and what it needs.
#[derive(Clone, Copy, Debug)]
enum Job {
    Repair,
    Lag,
    Force,
    Restore,
}

const JOBS: [Job; 4] = [Job::Repair, Job::Lag, Job::Force, Job::Restore];

impl Job {
    fn stage(self) -> Stage {
        match self {
            Self::Repair => Stage::new(Scenario::FactorOne),
            Self::Lag | Self::Force => Stage::new(Scenario::Healthy),
            Self::Restore => {
                let stage = Stage::new(Scenario::WithData);
                stage.run(&["run", "backup-nodes"]).exits(0);
                stage.delete(&format!("/v1/schema/{CLASS}"));
                stage
            }
        }
    }

    fn arguments(self) -> Vec<String> {
        let class = format!("class={CLASS}");
        let words: Vec<&str> = match self {
            Self::Repair => vec!["run", "config-replication", "--yes"],
            Self::Lag => vec!["run", "replication-lag", "--yes", "--set", "writes=2"],
            Self::Force => vec!["run", "force-schema-replication", "--yes"],
            Self::Restore => {
                vec!["run", "restore-class", "--yes", "--set", &class, "--set", "from=node1"]
            }
        };
        words.into_iter().map(Into::into).collect()
    }

    fn run(self, stage: &Stage) -> Ended {
        let arguments = self.arguments();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        stage.run(&words)
    }
}

/// A request, so that it can be met again: node, method, path, and the how manieth it is.
type Place = (String, String, String, usize);

/// The requests of a run in which nothing goes wrong.
fn places(job: Job) -> Vec<Place> {
    let stage = job.stage();
    let before = stage.sandbox.requests().len();
    job.run(&stage).exits(0);
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

struct Case {
    job: Job,
    place: Place,
    fault: &'static str,
}

/// Every case, or as many as are wanted: drawn, and each change with every fault.
fn cases() -> Vec<Case> {
    let seed = std::env::var("MATRIX_SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("MATRIX_SEED is a number"));
    let wanted = std::env::var("MATRIX_CASES").unwrap_or_else(|_| "60".into());
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut must, mut may) = (vec![], vec![]);
    for job in JOBS {
        for place in places(job) {
            for fault in FAULTS {
                // What is written in the moment of the deletion goes with the class: known, and said
                // in the README.
                if fault == "write" && place.1 == "DELETE" {
                    continue;
                }
                let case = Case { job, place: place.clone(), fault };
                let is_change = place.1 == "DELETE" || place.2 == "/v1/schema" && place.1 == "POST";
                if is_change && matches!(job, Job::Repair) {
                    must.push(case);
                } else {
                    may.push(case);
                }
            }
        }
    }
    random.shuffle(&mut may);
    if wanted != "all" {
        may.truncate(wanted.parse().expect("MATRIX_CASES is a number, or all"));
    }
    eprintln!("{} cases, the {} drawn with MATRIX_SEED={seed}", must.len() + may.len(), may.len());
    must.extend(may);
    must
}

#[test]
fn nothing_is_lost_whatever_goes_wrong() {
    let cases = cases();
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(BTreeMap::<i32, usize>::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let code = judge(case);
                    *ends.lock().unwrap().entry(code).or_default() += 1;
                }
            });
        }
    });
    eprintln!("{} cases by exit code: {:?}", cases.len(), ends.lock().unwrap());
}

/// Runs a case; the report must be true, and what is missing must have a backup that verifies.
fn judge(case: &Case) -> i32 {
    let stage = case.job.stage();
    let before = stage.sandbox.class("node1", CLASS);
    let (node, method, path, nth) = &case.place;
    let fault = match case.fault {
        "killed before" => "hang",
        "killed after" => "hang-after",
        fault => fault,
    };
    let spec = format!("{node}:{method}:{path}:{nth}={fault}");
    stage.sandbox.inject(spec.parse::<Fault>().unwrap());
    if case.fault.starts_with("killed") {
        return judge_killed(case, &stage, before.as_ref(), &spec);
    }
    let ended = case.job.run(&stage);
    let said = format!("{:?}, {spec}:\n{}", case.job, ended.transcript());
    let code = ended.code.unwrap_or_else(|| panic!("it was killed: {said}"));
    assert!(!said.contains("panicked"), "{said}");
    let after = stage.sandbox.class("node1", CLASS);
    match case.job {
        Job::Repair => judge_repair(&stage, code, before.as_ref(), after.as_ref(), &said),
        Job::Lag | Job::Force => {
            assert_eq!(after, before, "{said}");
            if case.fault == "write" {
                return code;
            }
            if code != 7 && !said.contains("is still there") {
                nothing_is_left(&stage, &said);
            }
        }
        Job::Restore => judge_restore(&stage, code, &said),
    }
    code
}

/// Kills the run at the request, and goes on with it or undoes it, each half of the time.
fn judge_killed(case: &Case, stage: &Stage, before: Option<&Value>, spec: &str) -> i32 {
    let arguments = case.job.arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = stage.start(&words);
    let began = std::time::Instant::now();
    // The first request that is not answered for a while is the one that hangs.
    let open = || stage.sandbox.requests().iter().position(|request| request.status.is_none());
    let mut since: Option<(usize, std::time::Instant)> = None;
    let mut killed = false;
    while child.try_wait().unwrap().is_none() {
        since = open().map(|at| match since {
            Some((before, when)) if before == at => (at, when),
            _ => (at, std::time::Instant::now()),
        });
        let long = std::time::Duration::from_millis(150);
        if since.is_some_and(|(_, since)| since.elapsed() > long) {
            child.kill().unwrap();
            killed = true;
        }
        assert!(began.elapsed().as_secs() < 60, "{spec} does not end");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let code = child.wait().unwrap().code();
    if !killed || code.is_some() {
        // It did not come to the request this time, or got over it.
        return code.unwrap();
    }
    let undo = spec.len().is_multiple_of(2);
    let what = if undo { "rollback" } else { "resume" };
    let ended = stage.run(&[what, "--yes"]);
    let said = format!("{:?}, {}, {spec}, {what}:\n{}", case.job, case.fault, ended.transcript());
    assert!(!said.contains("panicked"), "{said}");
    let nothing_to_do = ended.code == Some(2) && said.contains("there is no run");
    assert!(undo || !nothing_to_do, "{said}");
    // What was imported stays.
    let kept = matches!(case.job, Job::Restore) && said.contains("stay there");
    assert!(ended.code == Some(0) || nothing_to_do || kept, "{said}");
    let after = stage.sandbox.class("node1", CLASS);
    match (case.job, undo) {
        (Job::Repair, false) if !nothing_to_do => {
            assert_eq!(stage.factors(CLASS), [Some(3); 3], "{said}");
        }
        (Job::Repair | Job::Lag | Job::Force, _) => {
            assert_eq!(after.as_ref(), before, "{said}");
            nothing_is_left(stage, &said);
        }
        // As it was: the class that it had created, and imported nothing into, is gone again.
        (Job::Restore, true) if after.is_none() => {}
        (Job::Restore, _) if !nothing_to_do => judge_restore(stage, ended.code.unwrap(), &said),
        (Job::Restore, _) => {}
    }
    // A second time nothing is done.
    let changes = stage.changes().len();
    let folder = stage.home.path().join("runs");
    let mut runs: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    runs.sort();
    if matches!(case.job, Job::Repair) {
        let run = runs[0].file_name().unwrap().to_string_lossy().into_owned();
        stage.run(&[what, &run, "--yes"]);
        assert_eq!(stage.changes().len(), changes, "{said}");
    }
    ended.code.unwrap()
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
        let run = stage.run_folder().file_name().unwrap().to_string_lossy().into_owned();
        stage.run_bare(&["runs", "verify", &run]).exits(0);
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
            let job = Job::Restore.run(stage);
            let again = job.transcript();
            let taken = job.code == Some(0) || again.contains("is not as in the backup");
            assert!(taken, "{said}\n--- again:\n{again}");
        }
        _ => panic!("{said}"),
    }
}

/// No probe class and no test record is on any node.
fn nothing_is_left(stage: &Stage, said: &str) {
    for (node, _) in stage.sandbox.nodes() {
        assert_eq!(stage.sandbox.class(&node, "ElysiaRunbookLagProbe"), None, "{said}");
    }
    let list = stage.get(0, &format!("/v1/objects?class={CLASS}&limit=10&after="));
    assert_eq!(list["objects"], json!([]), "{said}");
}
