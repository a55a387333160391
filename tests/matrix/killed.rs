//! The process is killed before and after every request has its effect, then once more while it goes on
//! or is undone.

use std::process::Child;
use std::time::{Duration, Instant};

use elysia_runbook::sandbox::Fault;

use crate::draw::{draw, each, random};
use crate::job::{Job, Place, class};
use crate::support::Stage;

struct Case {
    job: Job,
    place: Place,
    /// The request has its effect all the same.
    after: bool,
    undo: bool,
    /// At which of its requests the second process is killed.
    again: Option<usize>,
}

#[test]
fn nothing_is_lost_whenever_the_process_is_killed() {
    let mut random = random();
    let mut cases = vec![];
    for job in Job::all() {
        for place in job.places() {
            for (after, undo) in [(false, false), (false, true), (true, false), (true, true)] {
                for again in [None, Some(random.usize(1..30))] {
                    cases.push(Case { job, place: place.clone(), after, undo, again });
                }
            }
        }
    }
    each(&draw(&mut random, cases, 60), judge);
}

fn judge(case: &Case) -> String {
    let stage = case.job.stage();
    let before = class(&stage);
    let (node, method, path, nth) = &case.place;
    let fault = if case.after { "hang-after" } else { "hang" };
    let spec = format!("{node}:{method}:{path}:{nth}={fault}");
    stage.sandbox.inject(spec.parse::<Fault>().unwrap());
    let mut said = format!("{:?}, killed at {spec}", case.job);
    if let Some(code) = die_hanging(&stage, stage.start(case.job.words()), &said) {
        // It did not come to the request this time, or got over it.
        return format!("exit {code}");
    }
    if let Some(again) = case.again {
        let what = if case.undo { "rollback" } else { "resume" };
        let killed = die_at(&stage, stage.start(&[what, "--yes"]), again, &said);
        said = format!("{said}, {what} killed at its request {again}: {killed}");
    }
    let end = case.job.settle(&stage, before.as_ref(), case.undo, &said);
    if case.again.is_some() { format!("{end} after a second kill") } else { end }
}

/// Kills it at the first request that is not answered for a while, which is the one that hangs.
/// Returns its exit code where it ended by itself.
fn die_hanging(stage: &Stage, mut child: Child, said: &str) -> Option<i32> {
    let began = Instant::now();
    let open = || stage.sandbox.requests().iter().position(|request| request.status.is_none());
    let mut since: Option<(usize, Instant)> = None;
    while child.try_wait().unwrap().is_none() {
        since = open().map(|at| match since {
            Some((before, when)) if before == at => (at, when),
            _ => (at, Instant::now()),
        });
        if since.is_some_and(|(_, since)| since.elapsed() > Duration::from_millis(150)) {
            child.kill().unwrap();
            // It may have ended just now.
            return child.wait().unwrap().code();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end: {said}");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait().unwrap().code()
}

/// Kills it when it has sent so many requests; tells whether it did.
fn die_at(stage: &Stage, mut child: Child, nth: usize, said: &str) -> bool {
    let (before, began) = (stage.sandbox.requests().len(), Instant::now());
    while child.try_wait().unwrap().is_none() {
        if stage.sandbox.requests().len() >= before + nth {
            child.kill().unwrap();
            return child.wait().unwrap().code().is_none();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end: {said}");
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}
