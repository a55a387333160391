//! A run as text: progress to stderr, results (checks, the last line, commands) to stdout; or all of
//! it to a page, to be shown later.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

use owo_colors::OwoColorize;

use super::bar::Bar;
use super::findings::{self, Findings};
use super::forecast;
use super::style::{Styles, shown};
use crate::change::{Change, Outcome};
use crate::event::{Event, Listener, Verdict};
use crate::text::duration;

/// From how many milliseconds on it is told how long a step took.
const WORTH_TELLING: u64 = 1_000;

/// Writes a run for people.
#[derive(Debug)]
pub struct Text {
    out: Styles,
    aside: Styles,
    /// Changes that were intended and not yet answered.
    open: BTreeMap<usize, Change>,
    findings: Findings,
    bar: Bar,
    /// Where it is kept instead of being shown.
    page: Option<Page>,
}

/// What a run said, kept as plain text; its clones are the same page.
#[derive(Debug, Clone, Default)]
pub struct Page(Rc<RefCell<String>>);

impl Page {
    /// Adds lines.
    pub fn add(&self, lines: &str) {
        let mut text = self.0.borrow_mut();
        text.push_str(lines);
        text.push('\n');
    }

    /// Returns what is on it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.borrow().clone()
    }
}

impl Text {
    /// Returns a listener that writes to stdout and stderr.
    #[must_use]
    pub fn new() -> Self {
        Self {
            out: Styles::for_stdout(),
            aside: Styles::for_stderr(),
            open: BTreeMap::new(),
            findings: Findings::default(),
            bar: Bar::default(),
            page: None,
        }
    }

    /// Returns a listener that writes to a page, what goes to stdout and what goes to stderr.
    #[must_use]
    pub fn kept(page: &Page) -> Self {
        Self {
            out: Styles::default(),
            aside: Styles::default(),
            page: Some(page.clone()),
            ..Self::new()
        }
    }

    fn progress(&self, text: &str) -> io::Result<()> {
        match &self.page {
            None => writeln!(io::stderr().lock(), "{text}"),
            Some(page) => {
                page.add(text);
                Ok(())
            }
        }
    }

    fn result(&self, text: &str) -> io::Result<()> {
        match &self.page {
            None => writeln!(io::stdout().lock(), "{text}"),
            Some(page) => {
                page.add(text);
                Ok(())
            }
        }
    }

    fn started(&self, event: &Event) -> io::Result<()> {
        let Event::RunStarted { run, runbook, origin, nodes, sandbox, dry_run, .. } = event else {
            return Ok(());
        };
        let cluster = match sandbox {
            Some(scenario) => format!("the sandbox `{scenario}`"),
            None => nodes.iter().map(|n| n.url.as_str()).collect::<Vec<_>>().join(", "),
        };
        let (what, of) = if *dry_run { ("dry run", "a twin of ") } else { ("run", "") };
        let text = format!("{what} {run}: {runbook} ({origin}) on {of}{cluster}");
        self.progress(&format!("{}", shown(&text).style(self.aside.aside)))
    }

    fn finished(&mut self, event: &Event) -> io::Result<()> {
        let Event::RunFinished { verdict, summary, commands, resumable, dry_run, .. } = event
        else {
            return Ok(());
        };
        let summary = match (dry_run, verdict) {
            (false, _) => summary.clone(),
            (true, Verdict::Interrupted) => format!("DRY RUN, which changed nothing: {summary}"),
            (true, _) => format!("DRY RUN: it would end with {summary}"),
        };
        let out = self.out;
        self.findings.untold().iter().try_for_each(|line| self.result(line))?;
        let style = match verdict {
            Verdict::Succeeded => out.good,
            Verdict::Findings | Verdict::Refused | Verdict::RolledBack => out.caution,
            _ => out.bad,
        };
        self.result(&format!("{}", shown(&summary).style(style)))?;
        if !commands.is_empty() {
            let well = matches!(verdict, Verdict::Succeeded | Verdict::Findings);
            let what = match (*dry_run, *resumable, well) {
                (true, _, true) => "It would tell to run, in this order, after a look at each:",
                (true, _, false) => {
                    "Nothing was changed, so run none of this now. It would tell to put it right by hand:"
                }
                (false, true, _) => "What to run next, one of these:",
                (false, _, true) => "What to run, in this order, after a look at each:",
                (false, _, false) => "Put it right by hand, in this order, after a look at each:",
            };
            self.result(what)?;
        }
        commands.iter().try_for_each(|command| self.result(&shown(command)))
    }

    fn answered(&mut self, change: usize, outcome: Outcome, detail: &str) -> io::Result<()> {
        let Some(action) = self.open.remove(&change) else { return Ok(()) };
        let detail = shown(detail);
        let done = shown(&action.past());
        let wanted = shown(&action.imperative());
        let (text, style) = match outcome {
            Outcome::Done => (done, self.aside.good),
            Outcome::FoundDone => (
                format!("{done} (the answer was not clean, and the cluster shows it: {detail})"),
                self.aside.caution,
            ),
            Outcome::NotDone => (format!("{wanted}: not done: {detail}"), self.aside.bad),
            Outcome::Partly => (format!("{wanted}: not all was done: {detail}"), self.aside.bad),
            Outcome::Unknown => {
                (format!("{wanted}: whether it was done is not known: {detail}"), self.aside.bad)
            }
        };
        self.progress(&format!("      {}", text.style(style)))
    }
}

/// Returns how long a step took, where that is worth telling.
fn took(milliseconds: Option<u64>) -> Option<String> {
    milliseconds.filter(|took| *took >= WORTH_TELLING).map(duration)
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Listener for Text {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        if let Event::Progress { doing, class, unit, done, of } = event {
            if self.page.is_none() {
                self.bar.show(&shown(&format!("{doing} {class}")), unit, *done, *of);
            }
            return Ok(());
        }
        if !matches!(event, Event::ImportReached(_)) {
            self.bar.clear();
        }
        let (out, aside) = (self.out, self.aside);
        match event {
            Event::RunStarted { .. } => self.started(event),
            Event::StepStarted { step, of, title } => {
                self.progress(&format!("{step}/{of} {}", shown(title).style(aside.step)))
            }
            Event::StepFailed { step, title, milliseconds, .. } => {
                let after = took(*milliseconds).map(|took| format!(" after {took}"));
                let after = after.unwrap_or_default();
                let text = format!("step {step} \"{}\" failed{after}", shown(title));
                self.progress(&format!("      {}", text.style(aside.bad)))
            }
            Event::StepFinished { milliseconds, .. } => {
                took(*milliseconds).map_or(Ok(()), |took| {
                    self.progress(&format!("      {}", format!("took {took}").style(aside.aside)))
                })
            }
            Event::StepSkipped { step, of, title } => {
                let text = format!("{step}/{of} {} (skipped)", shown(title));
                self.progress(&format!("{}", text.style(aside.caution)))
            }
            Event::Note { text } => self.progress(&format!("      {}", shown(text))),
            Event::Warning { text } => {
                self.progress(&format!("      {} {}", "warning:".style(aside.caution), shown(text)))
            }
            Event::Check { text, passed, detail } => {
                let mark = if *passed { "✓" } else { "✗" };
                let style = if *passed { out.good } else { out.bad };
                let detail =
                    if detail.is_empty() { String::new() } else { format!(": {}", shown(detail)) };
                self.result(&format!("  {} {}{detail}", mark.style(style), shown(text)))
            }
            Event::Issue(issue) => {
                self.findings.issue(issue, out).map_or(Ok(()), |lines| self.result(&lines))
            }
            Event::Table { title, columns, rows } => {
                self.result(&findings::table(title, columns, rows, out))
            }
            // A tally is told by the last line.
            Event::Progress { .. }
            | Event::Tally { .. }
            | Event::ImportReached(_)
            | Event::ClassRead { .. }
            | Event::ClassMade { .. } => Ok(()),
            Event::RunResumed { rollback, .. } => {
                let text = if *rollback { "the run is undone" } else { "the run goes on" };
                self.progress(&format!("{}", text.style(aside.caution)))
            }
            Event::StepReplayed { step, of, title } => {
                let text = format!("{step}/{of} {} (done before)", shown(title));
                self.progress(&format!("{}", text.style(aside.aside)))
            }
            Event::Asked { question, yes, by } => {
                let answer = if *yes { "yes" } else { "no" };
                let question = question.lines().last().unwrap_or_default();
                self.progress(&format!(
                    "      {} {answer} ({by})",
                    shown(question).style(aside.caution)
                ))
            }
            Event::BackupSaved { file, .. } => self.progress(&format!(
                "      {}",
                format!("saved {}", shown(file)).style(aside.aside)
            )),
            Event::ChangeIntended { change, action, .. } => {
                self.open.insert(*change, action.clone());
                Ok(())
            }
            Event::ChangeAnswered { change, outcome, detail } => {
                self.answered(*change, *outcome, detail)
            }
            Event::RollbackStarted { title } => self.progress(&format!(
                "{} {}",
                "rolling back".style(aside.caution),
                shown(title).style(aside.step)
            )),
            Event::RollbackFinished { error, .. } => match error {
                None => Ok(()),
                Some(error) => self.progress(&format!("      {}", shown(error).style(aside.bad))),
            },
            Event::DryRun(forecast) => self.result(&forecast::text(forecast, out)),
            Event::RunFinished { .. } => self.finished(event),
        }
    }
}
