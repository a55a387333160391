//! Export, import and verification of objects with vectors, beside weaviate-client for Python; and
//! the memory of an export of a few and of a million.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use elysia_runbook::sandbox::{Sandbox, Scenario};
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::{PROGRAM, median_of};

/// How many objects of 768 dimensions are moved on the real cluster, where every node indexes each.
const OBJECTS: u32 = 20_000;

/// How many lie in the sandbox whose export is measured, the larger number unless told otherwise.
const FEW: usize = 10_000;
const MANY: usize = 1_000_000;

/// What moving objects took.
#[derive(Clone, Copy)]
struct Took {
    seconds: f64,
    cpu: f64,
}

pub(crate) fn transfer(home: &Path, runs: usize) {
    memory(home);
    let Some(python) = python_with_client() else {
        println!(
            "export and import: not measured, as there is no Python with weaviate-client (pip \
             install weaviate-client)"
        );
        return;
    };
    let objects = number("FIGURES_OBJECTS", OBJECTS as usize);
    let cluster = Cluster::healthy();
    let client = |what: &str, class: &str| -> Took {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/client.py");
        let mut command = Command::new(&python);
        command.arg(script).args([what, &cluster.http(0).to_string()]);
        command.args([&cluster.grpc(0).to_string(), class, &objects.to_string()]);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["objects"], objects);
        Took { seconds: told["seconds"].as_f64().unwrap(), cpu: told["cpu"].as_f64().unwrap() }
    };
    let rounds = runs.min(3);
    let (mut ours, mut theirs, mut verified) = (vec![], vec![], vec![]);
    let (mut ours_in, mut theirs_in, mut peaks) = (vec![], vec![], (0.0_f64, 0.0_f64));
    for round in 0..rounds {
        // Each import finds a cluster without another class.
        theirs_in.push(client("import", "Theirs"));
        theirs.push(client("export", "Theirs"));
        let folder = format!("export-{round}");
        let (exported, peak) = export(home, &cluster.urls(), "Theirs", objects, &folder);
        ours.push(exported);
        peaks.0 = peaks.0.max(peak);
        delete(&cluster, "Theirs");
        let (imported, seconds, peak) = import(home, &cluster.urls(), &folder);
        ours_in.push(imported);
        peaks.1 = peaks.1.max(peak);
        verified.push(seconds);
        delete(&cluster, "Ours");
    }
    println!(
        "{objects} objects of 768 dimensions on three nodes, factor 3, {rounds} rounds in turn:"
    );
    tell("export", &ours, &theirs, objects);
    tell("import", &ours_in, &theirs_in, objects);
    let times: Vec<f64> =
        ours.iter().zip(&verified).map(|(it, verified)| it.seconds / verified).collect();
    let verified = median_of(verified);
    println!(
        "  verification on every node: {:.0} objects/s, {:.0} copies/s, {:.2} and {:.2} times our \
         export (at least 1)",
        per_second(objects, verified),
        per_second(objects * 3, verified),
        median_of(times.clone()),
        median_of(times.into_iter().map(|it| it * 3.0).collect()),
    );
    println!(
        "  peak of memory: export {:.0} MiB, import and verification {:.0} MiB (at most 96)",
        peaks.0, peaks.1
    );
}

fn delete(cluster: &Cluster, class: &str) {
    let path = format!("/v1/schema/{class}");
    assert_eq!(cluster.request(0, reqwest::Method::DELETE, &path).send().status, 200);
    // The servers take some time to put away what they had in memory.
    std::thread::sleep(Duration::from_secs(3));
}

/// Prints one comparison. Ratios are of rounds in turn.
fn tell(what: &str, ours: &[Took], theirs: &[Took], objects: usize) {
    let ratio = |part: fn(&Took) -> f64| {
        median_of(ours.iter().zip(theirs).map(|(a, b)| part(a) / part(b)).collect())
    };
    let speed =
        |all: &[Took]| median_of(all.iter().map(|it| per_second(objects, it.seconds)).collect());
    println!(
        "  {what}: {:.0} objects/s, Python {:.0}: {:.2} times as fast (at least 1); CPU time {:.2} of \
         Python's (at most 0.2)",
        speed(ours),
        speed(theirs),
        1.0 / ratio(|it| it.seconds),
        ratio(|it| it.cpu),
    );
}

#[expect(clippy::cast_precision_loss, reason = "some thousand objects")]
fn per_second(objects: usize, seconds: f64) -> f64 {
    objects as f64 / seconds
}

/// Exports a class; returns what it took, and the peak of memory in MiB.
fn export(home: &Path, urls: &[String], class: &str, objects: usize, folder: &str) -> (Took, f64) {
    let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/export.rhai");
    let set = [format!("class={class}"), format!("folder={folder}")];
    let marks = run(home, urls, runbook.to_str().unwrap(), &set);
    assert_eq!(marks.1, Some(objects as u64));
    let (from, to) = (marks.at("step_started"), marks.at("backup_saved"));
    (between(from, to), to.peak)
}

/// Imports an export under another name; returns what that took, the seconds of the verification, and the
/// peak of memory in MiB.
fn import(home: &Path, urls: &[String], folder: &str) -> (Took, f64, f64) {
    let folder = home.join(folder);
    let from = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().file_name();
    let set = [
        "class=Theirs".to_owned(),
        "into=Ours".to_owned(),
        format!("from={}", from.to_str().unwrap()),
        format!("folder={}", folder.display()),
    ];
    let marks = run(home, urls, "restore-class", &set);
    let (begun, done) = (marks.at("import_objects"), marks.at("import_answered"));
    let checked = marks.at("check");
    (between(begun, done), checked.seconds - done.seconds, checked.peak)
}

/// The peak of memory of an export: of a few objects, and of very many.
fn memory(home: &Path) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(Scenario::Healthy)).unwrap();
    let urls: Vec<String> = sandbox.nodes().into_iter().map(|(_, url)| url).collect();
    let mut there = 0;
    for objects in [FEW, number("FIGURES_MANY", MANY)] {
        for number in there..objects {
            let text = format!("the text of object {number}, which is as long as some are");
            let object = json!({"class": "ELYSIA_CONFIG__", "properties": {"config_value": text}});
            sandbox.insert(None, &object).unwrap();
        }
        there = objects;
        let began = Instant::now();
        let (_, peak) =
            export(home, &urls, "ELYSIA_CONFIG__", objects, &format!("sandbox-{objects}"));
        println!(
            "export of {objects} objects in the sandbox: peak {peak:.0} MiB (at most 96), {:.0} s",
            began.elapsed().as_secs_f64()
        );
    }
}

/// A moment in a run.
#[derive(Clone, Copy)]
struct Mark {
    seconds: f64,
    cpu: f64,
    peak: f64,
}

/// The moments in which each was said, and how many objects a step ended with.
struct Marks(Vec<(String, Mark)>, Option<u64>);

impl Marks {
    fn at(&self, name: &str) -> Mark {
        self.0.iter().find(|(said, _)| said == name).unwrap_or_else(|| panic!("no {name}")).1
    }
}

fn between(from: Mark, to: Mark) -> Took {
    Took { seconds: to.seconds - from.seconds, cpu: to.cpu - from.cpu }
}

/// Runs a runbook, and looks at its process each time it says something.
fn run(home: &Path, urls: &[String], runbook: &str, set: &[String]) -> Marks {
    let mut command = Command::new(PROGRAM);
    command.args(["run", runbook, "--yes", "--output", "ndjson"]);
    command.env("ELYSIA_RUNBOOK_HOME", home).current_dir(home).stdout(Stdio::piped());
    for (flag, values) in [("--node", urls), ("--set", set)] {
        for value in values {
            command.args([flag, value]);
        }
    }
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let mut marks = vec![];
    let (mut importing, mut objects) = (false, None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        objects = objects.or(event["value"]["objects"].as_u64());
        let kind = event["action"]["kind"].as_str().or(event["event"].as_str()).unwrap().to_owned();
        let name = match kind.as_str() {
            "change_answered" if importing => "import_answered".to_owned(),
            _ => kind,
        };
        importing = importing && name != "import_answered" || name == "import_objects";
        // A process that has ended by now tells nothing more.
        if let Some((cpu, peak)) = usage(child.id()) {
            marks.push((name, Mark { seconds: began.elapsed().as_secs_f64(), cpu, peak }));
        }
    }
    assert!(child.wait().unwrap().success());
    Marks(marks, objects)
}

/// CPU time in seconds, and the peak of memory in MiB, of a process on Linux.
fn usage(process: u32) -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // In hundredths, behind the name of the program.
    let ticks: f64 = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    Some((ticks / 100.0, peak / 1024.0))
}

/// Returns a Python that has weaviate-client: `PYTHON`, else `python3`.
fn python_with_client() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(&python);
    command.args(["-c", "import weaviate"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success()).then_some(python)
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}
