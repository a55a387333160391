//! Tests of runbooks: what a `*_test.rhai` file can say, one test in progress, and what became of it.
//!
//! A second engine with the language and the limits of runbooks and words of its
//! own. It changes no cluster: it sets up a sandbox, has runbooks run there by
//! whoever it is given for that, and looks at what is there afterwards. Knows
//! nothing of the command line, and prints nothing.

mod answers;
mod explain;
mod junit;
mod outcome;
mod syntax;
mod trial;
mod words;

pub use answers::Answers;
pub use junit::{Case, junit};
pub use outcome::Outcome;
pub use trial::{OnFailure, Order, Runner, Said, Trial, Verdict};

use std::rc::Rc;

use rhai::{Dynamic, Engine, exported_module};

use crate::host::{COMPUTING, language};

/// Builds the engine of tests. Without a test behind it, files can be compiled and checked, and
/// nothing can be run.
#[must_use]
pub fn engine() -> Engine {
    let mut engine = language();
    engine.register_global_module(exported_module!(words::words).into());
    outcome::register(&mut engine);
    syntax::register(&mut engine);
    engine
}

/// Puts a test behind an engine.
pub fn attach(engine: &mut Engine, trial: &Rc<Trial>) {
    engine.set_default_tag(Dynamic::from(trial.clone()));
    let progress = trial.clone();
    engine.on_progress(move |_| {
        if progress.resting.get().elapsed() > COMPUTING {
            let seconds = COMPUTING.as_secs();
            return Some(format!("the test computed for {seconds} seconds on end").into());
        }
        let exceeded = progress.memory.exceeded();
        exceeded
            .map(|bytes| format!("the test holds more than {} MiB of memory", bytes >> 20).into())
    });
}
