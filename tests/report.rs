//! The report of a run, from folders that are made here, so that every time and sum in it is known.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use elysia_runbook::journal::sha256;
use elysia_runbook::sandbox::Scenario;
use serde_json::{Map, Value};
use support::{Stage, ended};
use tempfile::TempDir;

const RUN: &str = "20261122-021704-3f9a";

/// The text of the runbook in every folder.
const TEXT: &str = "//! Recreate a class with the replication factor it should have had.\n\n\
    step \"Export the schema\" { get_schema(\"ELYSIA_CONFIG__\") } // <script>alert(1)</script>\n";

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report")
}

/// Makes a home with a run that said these events, each with its time.
fn home(events: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("runs").join(RUN);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("runbook.rhai"), TEXT).unwrap();
    let (mut journal, mut before) = (String::new(), String::new());
    for (number, line) in events.lines().enumerate() {
        let mut record: Map<String, Value> = serde_json::from_str(line).unwrap();
        record.insert("number".into(), number.into());
        record.insert("before".into(), before.into());
        let line = serde_json::to_string(&record).unwrap();
        before = sha256(line.as_bytes());
        journal.push_str(&line);
        journal.push('\n');
    }
    fs::write(folder.join("journal.ndjson"), journal).unwrap();
    home
}

fn events(name: &str) -> String {
    fs::read_to_string(goldens().join(format!("{name}.ndjson"))).unwrap()
}

/// Adds a survey to the run's folder.
fn add_survey(home: &TempDir, name: &str, file: &str) {
    let to = home.path().join("runs").join(RUN).join(file);
    fs::copy(goldens().join(format!("{name}.json")), to).unwrap();
}

fn report(home: &TempDir, arguments: &[&str]) -> support::Ended {
    let mut all = vec!["runs", "report", "2026"];
    all.extend(arguments);
    support::run(home.path(), &all)
}

/// Writes both reports and returns the page; both are goldens, the page without its style.
#[track_caller]
fn both(home: &TempDir, name: &str, code: i32) -> String {
    report(home, &["--html", "page.html", "--markdown", "ticket.md"])
        .exits(code)
        .says("wrote page.html")
        .says("wrote ticket.md");
    let read = |file: &str| {
        let text = fs::read_to_string(home.path().join(file)).unwrap();
        text.replace(&home.path().display().to_string(), "$HOME")
    };
    let (page, ticket) = (read("page.html"), read("ticket.md"));
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    golden(&format!("{name}.html"), &format!("{head}<style>…</style>{body}"));
    golden(&format!("{name}.md"), &ticket);
    page
}

#[track_caller]
fn golden(file: &str, text: &str) {
    let path = goldens().join(file);
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(text.to_owned(), snapbox::Data::read_from(&path, None).raw());
}

#[test]
fn a_repair_is_told_with_the_shards_before_and_after() {
    let home = home(&events("repaired"));
    add_survey(&home, "repaired.before", "survey-before.json");
    add_survey(&home, "repaired.after", "survey-after.json");
    both(&home, "repaired", 0);
}

#[test]
fn what_was_found_is_told() {
    both(&home(&events("found")), "found", 0);
}

/// Interrupted, resumed, failed, not put back; every text in it is hostile.
#[test]
fn a_run_that_went_wrong_is_told_and_texts_stay_texts() {
    let home = home(&events("stopped"));
    add_survey(&home, "repaired.before", "survey-before.json");
    add_survey(&home, "stopped.after", "survey-after.json");
    let page = both(&home, "stopped", 0);
    let (_, body) = page.split_once("</style>").unwrap();
    let ours = [
        "body",
        "caption",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
        "html",
        "i",
        "li",
        "p",
        "pre",
        "span",
        "strong",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let mut open = vec![];
    for tag in body.split('<').skip(1) {
        let name = tag.split([' ', '>']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) if ["head", "body", "html"].contains(&name) => {}
            Some(name) => assert_eq!(open.pop(), Some(name), "{tag}"),
            None if name == "body" => {}
            None => {
                assert!(ours.contains(&name), "<{tag}");
                open.push(name);
            }
        }
    }
    assert_eq!(open, [""; 0]);
    for (what, is_there) in [("\u{202e}", false), ("\u{1b}", false), ("\\u{202e}", true)] {
        assert_eq!(page.contains(what), is_there, "{what:?}");
    }
    for outside in ["src=", "href=", "url(", "@import", "<link", "<script", "<img"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_run_that_died_has_no_verdict() {
    let all = events("repaired");
    let until: Vec<_> = all.lines().take(23).collect();
    let home = home(&until.join("\n"));
    report(&home, &["--markdown"])
        .exits(0)
        .says("## NOT ENDED: the run is under way, or it died; the last record is of 2026-11-22 02:17:23 UTC")
        .says(&format!("elysia-runbook resume {RUN}\nelysia-runbook rollback {RUN}"))
        .says("| no answer is recorded: whether it was done is not known |")
        .says("| 7\\. Delete the class | did not end |  |");
}

#[test]
fn a_journal_that_was_changed_is_not_believed() {
    let home = home(&events("repaired"));
    let journal = home.path().join("runs").join(RUN).join("journal.ndjson");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("node2 has", "node9 has", 1)).unwrap();
    let ended = report(&home, &["--markdown"]).exits(1);
    let ended = ended.says("## JOURNAL BROKEN: record 33 does not follow the one before");
    assert!(!ended.transcript().contains("SUCCESS"), "{}", ended.transcript());
    // Where it breaks before any change, that there was none is not known.
    fs::write(&journal, text.replacen("\"Export the schema\"", "\"Export\"", 2)).unwrap();
    let ended = report(&home, &["--markdown", "--html", "broken.html"]).exits(1);
    let unknown = "whether it changed anything is not known";
    let page = fs::read_to_string(home.path().join("broken.html")).unwrap();
    assert!(page.contains(unknown) && !page.contains("changed nothing"), "{page}");
    let ended = ended.says(unknown);
    assert!(!ended.transcript().contains("changed nothing"), "{}", ended.transcript());
    fs::write(&journal, "{}\n").unwrap();
    report(&home, &["--markdown"]).exits(1).says("can't be told: its journal has no beginning");
}

#[test]
fn a_report_is_never_written_over_a_file() {
    let home = home(&events("found"));
    report(&home, &[]).exits(2).says("--html <FILE>");
    fs::write(home.path().join("page.html"), "mine").unwrap();
    report(&home, &["--html", "page.html"]).exits(2).says("`page.html` is there already");
    assert_eq!(fs::read_to_string(home.path().join("page.html")).unwrap(), "mine");
    report(&home, &["--html", "nowhere/page.html"]).exits(1).says("can't be written");
    report(&home, &["--html", "a", "--markdown"]).exits(0).says("## FINDINGS").says("wrote a");
    // A survey that can't be read is left out, and that is said.
    fs::write(home.path().join("runs").join(RUN).join("survey-before.json"), "no").unwrap();
    report(&home, &["--markdown"]).exits(0).says("is left out: it is not JSON");
}

/// A ticket stays short, and what is wrong comes first; the page has all.
#[test]
fn of_much_that_was_found_the_ticket_tells_some() {
    let all = events("repaired");
    let mut lines: Vec<String> = all.lines().map(Into::into).collect();
    let check = |number: usize, passed| {
        let text = format!("shard {number}");
        let time = "2026-11-22T02:17:31.000Z";
        serde_json::json!({"time": time, "event": "check", "text": text, "passed": passed})
            .to_string()
    };
    let many = (0..500).map(|number| check(number, number % 2 == 0));
    lines.splice(31..31, many);
    let home = home(&lines.join("\n"));
    let ended = report(&home, &["--markdown", "--html", "page.html"]).exits(0);
    let ended = ended.says("\n### Found\n\n- ✗ shard 1\n").says("- … and 150 more, which the page");
    let told = |mark: &str| ended.transcript().matches(mark).count();
    assert_eq!((told("- ✗ "), told("- ✓ ")), (100, 30));
    let page = fs::read_to_string(home.path().join("page.html")).unwrap();
    assert!(page.contains("shard 499") && page.contains("shard 498"));
}

/// What the program itself records: its reasons, its times, what the cluster came to.
#[test]
fn a_run_is_reported_with_what_it_recorded() {
    let stage = Stage::new(Scenario::MissingOnNodes);
    stage.repair(&[]).exits(0);
    let run = stage.newest_run().unwrap();
    let told = stage.run_bare(&["runs", "report", &run, "--markdown"]).exits(0);
    told.says("| ELYSIA_CONFIG\\_\\_ | 3 | 3 | no schema | no schema |")
        .says("| ELYSIA_CONFIG\\_\\_ | 3 | 3 | 3 | 3 |")
        .says("| 5 |");
    // What was put back is there afterwards.
    let stage = Stage::new(Scenario::FactorOne).fault("POST:/v1/schema:1=422 no");
    stage.repair(&["--set", "prove=false"]).exits(6);
    let run = stage.newest_run().unwrap();
    let told = stage.run_bare(&["runs", "report", &run, "--markdown"]).exits(0);
    told.says("## ROLLED BACK").says("### Why").says("in step 8/9").says("| 3 | 1 | 1 | 1 |");
    // Every reason of a refusal.
    let stage = Stage::new(Scenario::SplitRaft);
    stage.repair(&[]).exits(5);
    let run = stage.newest_run().unwrap();
    let told = stage.run_bare(&["runs", "report", &run, "--markdown"]).exits(0);
    told.says("## REFUSED").says("this run changed nothing").says("leader");
    stage.run_bare(&["runs", "show", &run]).exits(0).says("leader").says("error: ");
}

/// Nodes that were named by addresses alone are drawn once each.
#[test]
fn nodes_without_names_are_no_others() {
    let stage = Stage::new(Scenario::FactorOne);
    let mut words = vec!["run", "config-replication", "--yes", "--drain", "0"];
    let nodes = stage.sandbox.nodes();
    for (_, url) in &nodes {
        words.extend(["--node", url]);
    }
    stage.run_bare(&words).exits(0);
    let run = stage.newest_run().unwrap();
    let told = stage.run_bare(&["runs", "report", &run, "--markdown"]).exits(0);
    told.says("| class | shards | node1 | node2 | node3 |\n")
        .says("| 3 | 1 | 1 | 1 |")
        .says("| 3 | 3 | 3 | 3 |");
}

/// A browser makes a picture of the page, in light and dark, wide and narrow, and on paper.
#[test]
fn a_browser_shows_the_page() {
    let names = ["chromium-headless-shell", "chromium", "google-chrome", "chromium-browser"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    let Some(browser) = found else {
        println!("no browser was found, so the page was not opened: {}", names.join(", "));
        return;
    };
    let home = home(&events("stopped"));
    add_survey(&home, "repaired.before", "survey-before.json");
    add_survey(&home, "stopped.after", "survey-after.json");
    report(&home, &["--html", "page.html"]).exits(0);
    let page = format!("file://{}", home.path().join("page.html").display());
    let open = |more: &[&str]| {
        let mut command = std::process::Command::new(&browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        // The page needs nothing from elsewhere, and the browser is to ask for nothing.
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.args(["--disable-sync", "--disable-quic", "--no-first-run"]);
        command.arg(format!("--user-data-dir={}", home.path().join("profile").display()));
        command.env("HOME", home.path()).current_dir(home.path());
        ended(command.args(more).arg(&page).output().unwrap(), &[]).exits(0)
    };
    // What the browser made of it holds the whole page, and no script ran in it.
    let shown = open(&["--dump-dom"]).transcript();
    for text in ["ROLLBACK FAILED", "Nodes and shards", "Changes that were sent", "</footer>"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("<script"), "{shown}");
    let mut pictures = vec![];
    for (name, size, scheme) in
        [("light", "1000,1400", "1"), ("dark", "1000,1400", "0"), ("narrow", "360,1400", "1")]
    {
        let file = home.path().join(format!("{name}.png"));
        open(&[
            &format!("--screenshot={}", file.display()),
            &format!("--window-size={size}"),
            &format!("--blink-settings=preferredColorScheme={scheme}"),
        ]);
        pictures.push(fs::read(file).unwrap());
    }
    assert!(pictures.iter().all(|picture| picture.starts_with(b"\x89PNG")));
    assert_ne!(pictures[0], pictures[1], "dark is not dark");
    open(&["--print-to-pdf=page.pdf", "--no-pdf-header-footer"]);
    assert!(fs::read(home.path().join("page.pdf")).unwrap().starts_with(b"%PDF"));
}
