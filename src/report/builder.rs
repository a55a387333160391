//! From the records of a journal to a report.

use serde_json::{Map, Value};

use super::model::{
    Answered, End, Entry, Kind, Part, Report, SavedFile, SentChange, Source, State,
};
use super::time::between;
use crate::event::Event;
use crate::journal::Record;

/// Reads the records of a run from first to last.
#[derive(Default)]
pub(super) struct Builder {
    report: Report,
    /// Titles of the runbook's steps.
    steps: Vec<String>,
    /// Whether the last part is still under way.
    open: bool,
}

impl Builder {
    /// Makes a report of the records.
    pub(super) fn read(records: &[Record]) -> Result<Report, &'static str> {
        let Some(Record { event: Event::RunStarted { .. }, .. }) = records.first() else {
            return Err("its journal has no beginning");
        };
        let mut builder = Self::default();
        for record in records {
            builder.report.last.clone_from(&record.time);
            builder.take(&record.time, &record.event);
        }
        Ok(builder.finish())
    }

    fn finish(mut self) -> Report {
        let Report { parts, .. } = &mut self.report;
        // How it ended last is the headline.
        if matches!(parts.last(), Some(Part { kind: Kind::Stopped(_), .. }))
            && let Some(Part { kind: Kind::Stopped(end), .. }) = parts.pop()
        {
            self.report.end = Some(*end);
        }
        let was_reached = |at: usize| {
            let is_it = |part: &Part| matches!(part.kind, Kind::Step { step, .. } if step == at);
            self.report.parts.iter().any(is_it)
        };
        let steps = self.steps.iter().enumerate().map(|(at, title)| (at + 1, title.clone()));
        self.report.not_run = steps.filter(|(step, _)| !was_reached(*step)).collect();
        self.report
    }

    fn take(&mut self, at: &str, event: &Event) {
        match event {
            Event::RunStarted { .. } => self.started(at, event),
            Event::RunResumed { program, rollback } => {
                let kind = if *rollback { Kind::Undone } else { Kind::Resumed };
                self.begin(at, kind(program.clone()));
            }
            Event::StepStarted { step, title, .. } => {
                self.begin(at, Kind::Step { step: *step, title: title.clone() });
            }
            Event::StepReplayed { step, title, .. } => {
                self.begin(at, Kind::Step { step: *step, title: title.clone() });
                self.end(State::DoneBefore, None);
            }
            Event::StepSkipped { step, title, .. } => {
                self.begin(at, Kind::Step { step: *step, title: title.clone() });
                self.end(State::Skipped, None);
            }
            Event::StepFinished { milliseconds, .. } => {
                self.end(State::Done, milliseconds.or(self.since(at)));
            }
            Event::StepFailed { message, milliseconds, .. } => {
                self.add(at, Entry::Error(message.clone()));
                self.end(State::Failed, milliseconds.or(self.since(at)));
            }
            Event::RollbackStarted { title } => self.begin(at, Kind::Rollback(title.clone())),
            Event::RollbackFinished { error, .. } => {
                let state = if error.is_some() { State::Failed } else { State::Done };
                if let Some(error) = error {
                    self.add(at, Entry::Error(error.clone()));
                }
                self.end(state, self.since(at));
            }
            Event::RunFinished {
                verdict, exit_code, summary, resumable, commands, error, ..
            } => {
                let end = End {
                    verdict: *verdict,
                    exit_code: *exit_code,
                    summary: summary.clone(),
                    resumable: *resumable,
                    commands: commands.clone(),
                    error: error.clone(),
                };
                self.begin(at, Kind::Stopped(Box::new(end)));
                self.end(State::Done, None);
            }
            Event::ClassRead { class, .. } => self.touch(class),
            Event::ClassMade { .. } | Event::ImportReached(_) | Event::Progress { .. } => {}
            said => self.said(at, said),
        }
    }

    fn started(&mut self, at: &str, event: &Event) {
        let Event::RunStarted {
            run,
            program,
            runbook,
            origin,
            sha256,
            nodes,
            sandbox,
            parameters,
            cluster,
            steps,
            ..
        } = event
        else {
            return;
        };
        let report = &mut self.report;
        report.run.clone_from(run);
        report.program.clone_from(program);
        report.runbook.clone_from(runbook);
        report.origin.clone_from(origin);
        report.nodes.clone_from(nodes);
        report.sandbox.clone_from(sandbox);
        report.cluster.clone_from(cluster);
        report.parameters = texts(parameters);
        report.sources = texts(sha256)
            .into_iter()
            .map(|(name, sha256)| Source { name, sha256, text: None })
            .collect();
        report.began = at.into();
        self.steps.clone_from(steps);
    }

    /// Adds what is said in a step or beside one.
    fn said(&mut self, at: &str, event: &Event) {
        match event {
            Event::Note { text } => self.add(at, Entry::Note(text.clone())),
            Event::Warning { text } => {
                self.report.warnings.push(text.clone());
                self.add(at, Entry::Warning(text.clone()));
            }
            Event::Check { text, passed, detail } => {
                let (text, detail) = (text.clone(), detail.clone());
                self.add(at, Entry::Check { text, passed: *passed, detail });
            }
            Event::Issue(issue) => self.add(at, Entry::Issue(issue.clone())),
            Event::Table { title, columns, rows } => {
                let (title, columns, rows) = (title.clone(), columns.clone(), rows.clone());
                self.add(at, Entry::Table { title, columns, rows });
            }
            Event::Tally { subject, count, total, detail } => {
                self.touch(subject);
                let comma = if detail.is_empty() { "" } else { ", " };
                let text = format!("{subject} is on {count}/{total} nodes{comma}{detail}");
                self.add(at, Entry::Tally(text));
            }
            Event::Asked { question, yes, by } => {
                let answer = format!("{} ({by})", if *yes { "yes" } else { "no" });
                self.add(at, Entry::Asked { question: question.clone(), answer });
            }
            Event::BackupSaved { class, content, file, sha256, bytes } => {
                self.touch(class);
                self.add(at, Entry::Saved(self.report.saved.len()));
                self.report.saved.push(SavedFile {
                    class: class.clone(),
                    content: content.clone(),
                    file: file.clone(),
                    bytes: *bytes,
                    sha256: sha256.clone(),
                });
            }
            Event::ChangeIntended { change, action, node, rollback } => {
                self.touch(action.class());
                self.add(at, Entry::Change(self.report.changes.len()));
                self.report.changes.push(SentChange {
                    number: *change,
                    at: at.into(),
                    wanted: action.imperative(),
                    done: action.past(),
                    node: node.clone(),
                    rollback: *rollback,
                    answer: None,
                });
            }
            Event::ChangeAnswered { change, outcome, detail } => {
                let mut changes = self.report.changes.iter_mut().rev();
                let open = |it: &&mut SentChange| it.number == *change && it.answer.is_none();
                if let Some(change) = changes.find(open) {
                    let detail = detail.clone();
                    change.answer = Some(Answered { outcome: *outcome, detail });
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: &str, kind: Kind) {
        let (at, entries) = (at.to_owned(), vec![]);
        self.report.parts.push(Part { kind, at, state: State::Open, milliseconds: None, entries });
        self.open = true;
    }

    fn end(&mut self, state: State, milliseconds: Option<u64>) {
        self.open = false;
        // A step that failed is told when what came after it has begun.
        let part = self.report.parts.iter_mut().rev().find(|part| part.state == State::Open);
        if let Some(part) = part {
            part.state = state;
            part.milliseconds = milliseconds;
        }
    }

    fn add(&mut self, at: &str, entry: Entry) {
        if !self.open {
            self.begin(at, Kind::Beside);
        }
        if let Some(part) = self.report.parts.last_mut() {
            part.entries.push(entry);
        }
    }

    /// Returns how long the part that is under way has taken, for journals that do not say.
    fn since(&self, at: &str) -> Option<u64> {
        let part = self.report.parts.last().filter(|part| part.state == State::Open)?;
        between(&part.at, at)
    }

    fn touch(&mut self, class: &str) {
        let touched = &mut self.report.touched;
        if !class.is_empty() && !touched.iter().any(|it| it == class) {
            touched.push(class.into());
        }
    }
}

/// Returns values as text: a text as it is, everything else as JSON.
fn texts(values: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), Into::into);
    values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
