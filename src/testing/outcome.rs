//! What became of a run, as a test sees it: `run.verdict`, `run.changes`, `run.output`.

use std::rc::Rc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, Position};
use serde::Serialize;
use serde_json::{Value, json};

use crate::change::Outcome as Became;
use crate::event::Event;

/// What became of a run; clones are the same.
#[derive(Debug, Clone)]
pub struct Outcome(Rc<Ran>);

#[derive(Debug)]
struct Ran {
    events: Vec<Event>,
    error: Option<String>,
    output: String,
}

impl Outcome {
    /// Returns the outcome of a run that said this: its events, why it did not succeed, and all of
    /// it as text.
    #[must_use]
    pub fn new(events: Vec<Event>, error: Option<String>, output: String) -> Self {
        Self(Rc::new(Ran { events, error, output }))
    }

    /// Everything that it said, as text.
    #[must_use]
    pub fn output(&self) -> String {
        self.0.output.clone()
    }

    fn list<T: Into<Dynamic>>(&self, pick: impl Fn(&Event) -> Option<T>) -> Array {
        self.0.events.iter().filter_map(pick).map(Into::into).collect()
    }

    fn maps(&self, pick: impl Fn(&Event) -> Option<Value>) -> Array {
        self.list(|event| pick(event).map(|json| map(&json)))
    }

    fn last<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.0.events.iter().rev().find_map(pick)
    }

    /// The changes that were sent, in order, those of a rollback too: `deleted class Author`, or
    /// `delete class Author: not done`.
    fn changes(&self) -> Array {
        let mut open = std::collections::BTreeMap::new();
        let mut changes = vec![];
        for event in &self.0.events {
            match event {
                Event::ChangeIntended { change, action, .. } => {
                    open.insert(*change, action.clone());
                }
                Event::ChangeAnswered { change, outcome, .. } => {
                    let Some(action) = open.remove(change) else { continue };
                    changes.push(match outcome {
                        Became::Done | Became::FoundDone => action.past(),
                        Became::NotDone => format!("{}: not done", action.imperative()),
                        Became::Partly => format!("{}: not all was done", action.imperative()),
                        Became::Unknown => format!("{}: not known", action.imperative()),
                    });
                }
                _ => {}
            }
        }
        changes.into_iter().map(Dynamic::from).collect()
    }
}

/// What a test can ask of a run.
impl Outcome {
    /// How it ended, as `docs/exit-codes.md` calls it: `succeeded`, `rolled back`, …
    fn verdict(&self) -> String {
        let verdict = self.last(|event| match event {
            Event::RunFinished { verdict, .. } => Some(verdict.as_str().to_owned()),
            _ => None,
        });
        verdict.unwrap_or_default()
    }

    /// The exit code.
    fn exit_code(&self) -> INT {
        let code = self.last(|event| match event {
            Event::RunFinished { exit_code, .. } => Some(INT::from(*exit_code)),
            _ => None,
        });
        code.unwrap_or_default()
    }

    /// The last line: `SUCCESS: …`.
    fn summary(&self) -> String {
        let summary = self.last(|event| match event {
            Event::RunFinished { summary, .. } => Some(summary.clone()),
            _ => None,
        });
        summary.unwrap_or_default()
    }

    /// Why it did not succeed; empty if it did.
    fn error(&self) -> String {
        self.0.error.clone().unwrap_or_default()
    }

    /// The titles of the steps that began, in order.
    fn steps(&self) -> Array {
        self.list(|event| match event {
            Event::StepStarted { title, .. } => Some(title.clone()),
            _ => None,
        })
    }

    /// The checks, each `#{ text, passed, detail }`.
    fn checks(&self) -> Array {
        self.maps(|event| match event {
            Event::Check { text, passed, detail } => {
                Some(json!({ "text": text, "passed": passed, "detail": detail }))
            }
            _ => None,
        })
    }

    /// The issues that were reported, each with `code`, `severity`, `text` and what else is known.
    fn issues(&self) -> Array {
        self.maps(|event| match event {
            Event::Issue(issue) => Some(json!(issue)),
            _ => None,
        })
    }

    /// The tallies, each `#{ subject, count, total, detail }`.
    fn tallies(&self) -> Array {
        self.maps(|event| match event {
            Event::Tally { subject, count, total, detail } => Some(
                json!({ "subject": subject, "count": count, "total": total, "detail": detail }),
            ),
            _ => None,
        })
    }

    /// The questions, each `#{ question, yes }`.
    fn questions(&self) -> Array {
        self.maps(|event| match event {
            Event::Asked { question, yes, .. } => Some(json!({ "question": question, "yes": yes })),
            _ => None,
        })
    }

    /// The files that were saved and verified, each `#{ class, content, file, bytes }`.
    fn backups(&self) -> Array {
        self.maps(|event| match event {
            Event::BackupSaved { class, content, file, bytes, .. } => {
                Some(json!({ "class": class, "content": content, "file": file, "bytes": bytes }))
            }
            _ => None,
        })
    }

    /// What was noted.
    fn notes(&self) -> Array {
        self.list(|event| match event {
            Event::Note { text } => Some(text.clone()),
            _ => None,
        })
    }

    /// What was warned of.
    fn warnings(&self) -> Array {
        self.list(|event| match event {
            Event::Warning { text } => Some(text.clone()),
            _ => None,
        })
    }

    /// The commands that the operator is told to run.
    fn commands(&self) -> Array {
        let commands = self.last(|event| match event {
            Event::RunFinished { commands, .. } => Some(commands.clone()),
            _ => None,
        });
        commands.unwrap_or_default().into_iter().map(Dynamic::from).collect()
    }
}

/// Returns what a test asks of a run.
type Getter = fn(&Outcome) -> Dynamic;

/// What a test can ask of a run.
const PROPERTIES: [(&str, Getter); 15] = [
    ("verdict", |run| run.verdict().into()),
    ("exit_code", |run| run.exit_code().into()),
    ("summary", |run| run.summary().into()),
    ("error", |run| run.error().into()),
    ("output", |run| run.output().into()),
    ("steps", |run| run.steps().into()),
    ("changes", |run| run.changes().into()),
    ("checks", |run| run.checks().into()),
    ("issues", |run| run.issues().into()),
    ("tallies", |run| run.tallies().into()),
    ("questions", |run| run.questions().into()),
    ("backups", |run| run.backups().into()),
    ("notes", |run| run.notes().into()),
    ("warnings", |run| run.warnings().into()),
    ("commands", |run| run.commands().into()),
];

/// Registers what a test can ask of a run.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Outcome>("run");
    for (name, get) in PROPERTIES {
        engine.register_get(name, move |run: &mut Outcome| get(run));
    }
    // What has no getter is looked up so.
    engine.register_indexer_get(|_: &mut Outcome, name: &str| Err::<Dynamic, _>(unknown(name)));
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed everywhere")]
fn unknown(name: &str) -> Box<EvalAltResult> {
    let names = PROPERTIES.map(|(name, _)| name);
    let near = names.iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", names.join(", ")),
    };
    let mut thrown = rhai::Map::new();
    thrown.insert("message".into(), format!("a run has no `{name}`").into());
    thrown.insert("hint".into(), hint.into());
    EvalAltResult::ErrorRuntime(thrown.into(), Position::NONE).into()
}

/// Turns what is data into a script's value.
fn map(data: &impl Serialize) -> Dynamic {
    rhai::serde::to_dynamic(data).unwrap_or_default()
}
