//! A run that a test wants: by the one way on which every run goes, with a sandbox, an operator and a
//! home of the test's own.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::disguise::Disguise;
use super::execute::{Company, runtime};
use super::place::Place;
use super::run::{New, begin};
use super::{one, parameters};
use crate::cli::{HowArgs, Output};
use crate::error::Error;
use crate::event::{Event, Listener};
use crate::host;
use crate::journal::Home;
use crate::runbook::{Runbook, with_extension};
use crate::session::Interrupt;
use crate::terminal::{Page, Text, error_text};
use crate::testing::{Order, Outcome};
use crate::weaviate::Access;

/// How long an answer may take: a fault that has to be waited for does not hold up a test for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs what a test wants. A runbook is looked up in the folder of the test's file first.
pub(super) fn run(
    beside: Option<&Path>,
    interrupt: &Interrupt,
    order: &Order,
) -> Result<Outcome, Vec<Error>> {
    let mut engine = host::engine();
    let runbook = Runbook::load(&mut engine, &found(beside, &order.runbook))?;
    let parameters = parameters::resolve(&runbook.outline, &order.runbook, &order.set)?;
    let how = HowArgs {
        yes: false,
        step: false,
        on_failure: order.on_failure,
        accept_data_loss: order.accept_data_loss.clone(),
        accept_degraded: order.accept_degraded,
        output: Output::Text,
    };
    let access = Access { drain: Duration::ZERO, answer_timeout: PATIENCE, ..Access::default() };
    let place =
        Place::sandbox(order.sandbox.clone(), &order.scenario.to_string(), &access).map_err(one)?;
    let heard = Heard::default();
    let errors: Rc<RefCell<Option<String>>> = Rc::default();
    let company = Company {
        interrupt: interrupt.clone(),
        operator: Box::new(order.answers.clone()),
        listener: Box::new(Both { text: Text::kept(&heard.page), heard: heard.clone() }),
        errors: {
            let (page, kept) = (heard.page.clone(), errors.clone());
            Box::new(move |error| {
                page.add(&error_text(error, false));
                kept.borrow_mut().get_or_insert_with(|| error.message.clone());
            })
        },
    };
    let home = Home::at(order.folder.clone());
    let past = home.clone();
    let new = New {
        name: &order.runbook,
        runbook,
        parameters,
        place,
        cluster: None,
        home,
        past,
        instead: None,
    };
    let back = Elsewhere::go(&order.folder).map_err(one)?;
    let runtime = runtime().map_err(one)?;
    let begun = begin(engine, runtime, new, &how, company);
    drop(back);
    begun?;
    let events = heard.events.take();
    let same = same(&events, order);
    let error = errors.take().map(|error| same.text(&error));
    Ok(Outcome::new(
        events.iter().map(|event| same.event(event)).collect(),
        error,
        same.text(&heard.page.text()),
    ))
}

/// Returns what names the runbook: the file beside the test, or what the test calls it.
fn found(beside: Option<&Path>, name: &str) -> String {
    let file = beside.map(|folder| folder.join(with_extension(name)));
    match file.filter(|file| file.is_file()) {
        // A path, and not a name that is looked up, also where it is in this folder.
        Some(file) if file.components().count() == 1 => format!("./{}", file.display()),
        Some(file) => file.display().to_string(),
        None => name.into(),
    }
}

/// What a run said.
#[derive(Debug, Clone, Default)]
struct Heard {
    events: Rc<RefCell<Vec<Event>>>,
    page: Page,
}

struct Both {
    text: Text,
    heard: Heard,
}

impl Listener for Both {
    fn hear(&mut self, event: &Event) -> std::io::Result<()> {
        if event.is_recorded() {
            self.heard.events.borrow_mut().push(event.clone());
        }
        self.text.hear(event)
    }
}

/// This process in another folder, until it is dropped: what a runbook saves in a folder of its own
/// choice is the test's, and gone with it.
struct Elsewhere {
    before: PathBuf,
}

impl Elsewhere {
    fn go(folder: &Path) -> Result<Self, Error> {
        let failed =
            |error| Error::failed("the test can't be run in a folder of its own").cause(error);
        let before = std::env::current_dir().map_err(failed)?;
        std::env::set_current_dir(folder).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // Where the folder was taken away meanwhile, nothing relative is found any more, and said so.
        let _ = std::env::set_current_dir(&self.before);
    }
}

/// Returns what differs between two runs of a test, replaced so that a test can compare.
fn same(events: &[Event], order: &Order) -> Disguise {
    let nodes = order.sandbox.nodes().into_iter();
    let mut replace: Vec<_> = nodes.map(|(name, url)| (url, format!("http://{name}"))).collect();
    replace.push((order.folder.display().to_string(), "FOLDER".into()));
    if let Some(Event::RunStarted { run, .. }) = events.first() {
        replace.push((run.clone(), "RUN".into()));
    }
    Disguise::new(replace)
}
