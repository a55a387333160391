//! `test`: run files of tests, one test after the other, and tell what did not hold.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use owo_colors::OwoColorize;
use tokio::runtime::Runtime;

use super::execute::{disk, runtime, with_stack};
use super::{Ended, one, trial};
use crate::cli::TestArgs;
use crate::error::Error;
use crate::runbook::{Test, TestFile, find_tests};
use crate::session::Interrupt;
use crate::terminal::{Styles, error_text, print, shown};
use crate::testing::{self, Case, Runner, Trial, Verdict, junit};
use crate::text::count;

pub(super) fn test(args: &TestArgs) -> Ended {
    with_stack(|| test_here(args))
}

fn test_here(args: &TestArgs) -> Ended {
    let files = load(args)?;
    let wanted = |test: &Test| args.filter.as_ref().is_none_or(|text| test.title.contains(text));
    let all = files.iter().flat_map(|file| &file.tests).filter(|test| wanted(test)).count();
    if all == 0 {
        let filter = args.filter.as_deref().unwrap_or_default();
        return Err(one(Error::usage(format!("no test has `{filter}` in its title"))
            .hint("without --filter every test is run, and its title is shown")));
    }
    let runtime = Rc::new(runtime().map_err(one)?);
    let interrupt = Interrupt::listen(&runtime).map_err(|e| one(disk(e)))?;
    let styles = Styles::for_stdout();
    let mut cases = vec![];
    for file in files {
        let mut told = false;
        for test in file.tests.iter().filter(|test| wanted(test)) {
            if interrupt.received().is_some() {
                break;
            }
            if !told {
                print(&shown(&file.source.display));
                told = true;
            }
            cases.push(run(&file, test, &runtime, &interrupt, styles)?);
        }
    }
    for (case, failures) in cases.iter().filter(|(_, failures)| !failures.is_empty()) {
        print(&format!("\n{}", told(case, failures, styles)));
    }
    let (cases, failures): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let failed = failures.iter().filter(|failures| !failures.is_empty()).count();
    print(&format!("\n{}", tally(cases.len(), failed, all - cases.len(), styles)));
    if let Some(path) = &args.junit {
        write_junit(path, &cases)?;
    }
    Ok(match interrupt.received() {
        Some(signal) => signal.exit_code(),
        None => u8::from(failed > 0),
    })
}

/// Reads and checks every file, before anything is run.
fn load(args: &TestArgs) -> Result<Vec<Rc<TestFile>>, Vec<Error>> {
    let mut files = vec![];
    let mut faults = vec![];
    for source in find_tests(&args.paths).map_err(one)? {
        match TestFile::compile(&mut testing::engine(), source) {
            Ok(file) => files.push(Rc::new(file)),
            Err(more) => faults.extend(more),
        }
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

/// Runs a test, with an engine, a cluster and a folder of its own.
fn run(
    file: &Rc<TestFile>,
    test: &Test,
    runtime: &Rc<Runtime>,
    interrupt: &Interrupt,
    styles: Styles,
) -> Result<(Case, Vec<Error>), Vec<Error>> {
    let begun = Instant::now();
    let failed = |e| one(Error::failed("a test can't have a folder of its own").cause(e));
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().canonicalize().map_err(failed)?;
    let runner: Runner = {
        let (beside, interrupt) = (file.source.folder.clone(), interrupt.clone());
        Rc::new(move |order| trial::run(beside.as_deref(), &interrupt, order))
    };
    let mut engine = testing::engine();
    file.resolve(&mut engine);
    let trial = Rc::new(Trial::new(file, &test.title, runtime, path, &runner));
    testing::attach(&mut engine, &trial);
    let Verdict { mut failures, said } = trial.run(&engine);
    if let Some(signal) = interrupt.received() {
        failures.push(Error::failed(format!("interrupted by {signal}")));
    }
    let mark = if failures.is_empty() {
        format!("{}", "✓".style(styles.good))
    } else {
        format!("{}", "✗".style(styles.bad))
    };
    print(&format!("  {mark} {}", shown(&test.title)));
    let details: Vec<_> = failures.iter().map(|error| error_text(error, false)).collect();
    let output: Vec<_> = said.iter().map(|it| format!("{} said:\n{}", it.by, it.text)).collect();
    let case = Case {
        file: file.source.display.clone(),
        title: test.title.clone(),
        took: begun.elapsed(),
        failures: failures.iter().map(|error| error.message.clone()).collect(),
        details: details.join("\n"),
        output: output.join("\n"),
    };
    Ok((case, failures))
}

/// Returns a failure as it is told: what did not hold, and what the runs said, so that it needn't be
/// run again to be understood.
fn told(case: &Case, failures: &[Error], styles: Styles) -> String {
    let head = format!("{} {}", "✗".style(styles.bad), shown(&case.title).style(styles.step));
    let failures = failures.iter().map(|error| error_text(error, styles.coloured));
    let said = case.output.lines().map(|line| {
        let bar = "│".style(styles.aside);
        // Also what the test itself notes must not act on a terminal.
        if line.is_empty() { format!("  {bar}") } else { format!("  {bar} {}", shown(line)) }
    });
    std::iter::once(head).chain(failures).chain(said).collect::<Vec<_>>().join("\n")
}

fn tally(run: usize, failed: usize, left_out: usize, styles: Styles) -> String {
    let tests = count(run, "test");
    if failed + left_out == 0 {
        return format!("{}", format!("{tests}, all passed").style(styles.good));
    }
    let interrupted = match left_out {
        0 => String::new(),
        more => format!("; interrupted before {more} more"),
    };
    let text = format!("{tests}, {} passed, {failed} failed{interrupted}", run - failed);
    format!("{}", text.style(styles.bad))
}

fn write_junit(path: &Path, cases: &[Case]) -> Result<(), Vec<Error>> {
    std::fs::write(path, junit(cases)).map_err(|error| {
        one(Error::failed(format!("`{}` can't be written", path.display())).cause(error))
    })
}
