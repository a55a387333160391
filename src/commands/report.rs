//! `runs report`: a run of the past as a page or as text, from its folder alone.

use std::io::ErrorKind;
use std::path::Path;

use super::{Ended, one};
use crate::cli::ReportArgs;
use crate::error::Error;
use crate::journal::{RunFolder, read, sha256, write_new};
use crate::report::{Grid, Report, html, markdown};
use crate::survey::Saved;
use crate::terminal::{print, print_aside, shown};

pub(super) fn report(folder: &RunFolder, args: &ReportArgs) -> Ended {
    let reading = read(&folder.journal())
        .map_err(|e| one(Error::failed("the journal can't be read").cause(e)))?;
    let mut report = Report::of(&reading)
        .map_err(|why| one(Error::failed(format!("run {} can't be told: {why}", folder.run))))?;
    report.folder = folder.path.display().to_string();
    for source in &mut report.sources {
        // What the journal says is its name may lead elsewhere.
        let Some(name) = Path::new(&source.name).file_name() else { continue };
        let text = std::fs::read_to_string(folder.path.join(name)).ok();
        source.text = text.filter(|text| sha256(text.as_bytes()) == source.sha256);
    }
    add_grids(&mut report, folder);
    if let Some(file) = &args.html {
        write(file, &html(&report)).map_err(one)?;
    }
    match &args.markdown {
        Some(Some(file)) => write(file, &format!("{}\n", markdown(&report))).map_err(one)?,
        Some(None) => print(&markdown(&report)),
        None => {}
    }
    if let Some(broken) = &report.broken {
        print_aside(&format!("the journal is broken: {broken}"));
        return Ok(1);
    }
    Ok(0)
}

/// Adds what the cluster was seen to be before and after, where the run kept it.
fn add_grids(report: &mut Report, folder: &RunFolder) {
    let grid = |path: &Path| {
        let text = std::fs::read_to_string(path).ok()?;
        let survey = Saved::parse(&text);
        let left_out = |why| print_aside(&shown(&format!("{} is left out: {why}", path.display())));
        survey.map_err(left_out).ok().as_ref().map(Grid::of)
    };
    let (before, after) = (grid(&folder.survey_before()), grid(&folder.survey_after()));
    let known: Vec<_> = before.iter().chain(&after).flat_map(Grid::names).collect();
    report.before = before.map(|grid| grid.only(&report.touched, &known));
    report.after = after.map(|grid| grid.only(&report.touched, &known));
}

/// Writes a report to a file that is not there yet.
fn write(file: &Path, text: &str) -> Result<(), Error> {
    let name = file.display();
    let failed = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return Error::usage(format!("`{name}` is there already"))
                .hint("give another name: a report is never written over a file");
        }
        Error::failed(format!("the report can't be written to `{name}`")).cause(error)
    };
    let path = std::path::absolute(file).map_err(failed)?;
    write_new(&path, text.as_bytes()).map_err(failed)?;
    print_aside(&format!("wrote {}", shown(&name.to_string())));
    Ok(())
}
