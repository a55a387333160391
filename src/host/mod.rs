//! What a runbook can say: one file a topic of primitives, and the step syntax.
//!
//! The only place with Rhai's types besides `runbook`, which reads scripts but
//! runs nothing. A primitive is one documented function in the file of its topic;
//! it calls one method of the session and turns what comes back into a script's value.
//! Its doc comment is kept at run time: `reference` reads from it what it changes.

mod class;
mod cluster;
mod findings;
mod memory;
mod object;
mod operator;
mod reference;
mod replication;
mod run;
mod step;
mod throw;
mod transfer;

pub use memory::Allowance;
pub use reference::{
    Call, Effect, Kind, Kinds, Parameter, Primitive, Reference, Syntax, Topic, changing, kinds,
};
pub(crate) use run::lower_first;
pub use run::{Ended, FailedStep, Run, describe};
pub use step::{OPTIONAL, Rollback};

use std::collections::BTreeSet;
use std::time::Duration;

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine, FuncInfo, Module, OptimizationLevel, exported_module};

/// Operations of one script: some thousand are usual. Also bounds how deep values can nest, which
/// costs stack when they are dropped (see `commands::run`).
const OPERATIONS: u64 = 500_000;

/// How long a script may compute between two primitives: some operations on large values are slow.
pub(crate) const COMPUTING: Duration = Duration::from_secs(5);

/// Returns the primitives by topic, each topic a file of this folder.
fn topics() -> [(&'static str, Module); 7] {
    [
        ("class", exported_module!(class::primitives)),
        ("cluster", exported_module!(cluster::primitives)),
        ("object", exported_module!(object::primitives)),
        ("replication", exported_module!(replication::primitives)),
        ("transfer", exported_module!(transfer::primitives)),
        ("operator", exported_module!(operator::primitives)),
        ("findings", exported_module!(findings::primitives)),
    ]
}

/// Returns the names of the primitives: what scripts can say beyond the language itself.
#[must_use]
pub fn primitives(engine: &Engine) -> BTreeSet<String> {
    let name = |function: FuncInfo| Some(function.metadata.name.to_string());
    engine.collect_fn_metadata(None, name, false).into_iter().collect()
}

/// Builds the language with its limits, and no word of ours.
#[must_use]
pub fn language() -> Engine {
    let mut engine = Engine::new_raw();
    StandardPackage::new().register_into_engine(&mut engine);
    // Optimizing evaluates functions while compiling; with `Full` that includes `delete_class`.
    engine.set_optimization_level(OptimizationLevel::None);
    // A misspelt variable or property must not surface after the delete.
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    engine.disable_symbol("eval");
    // Every limit is set here: Rhai's own defaults differ between debug and release builds.
    engine.set_max_operations(OPERATIONS);
    engine.set_max_call_levels(32);
    engine.set_max_expr_depths(64, 32);
    engine.set_max_string_size(1 << 20);
    // The tenants of a class are an array, and a survey has some twenty entries for each class.
    engine.set_max_array_size(200_000);
    engine.set_max_map_size(200_000);
    engine.set_max_variables(1_000);
    engine.set_max_functions(500);
    engine.set_max_modules(32);
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    engine
}

/// Builds the engine: language, limits, primitives, steps. Without a run behind it, scripts can
/// be compiled and checked, and nothing can be run.
#[must_use]
pub fn engine() -> Engine {
    let mut engine = language();
    for (_, primitives) in topics() {
        engine.register_global_module(primitives.into());
    }
    step::register(&mut engine);
    engine
}

/// Puts a run behind an engine.
pub fn attach(engine: &mut Engine, run: &std::rc::Rc<Run>) {
    engine.set_default_tag(Dynamic::from(run.clone()));
    let progress = run.clone();
    engine.on_progress(move |_| {
        if progress.resting.get().elapsed() > COMPUTING {
            let seconds = COMPUTING.as_secs();
            return Some(format!("the script computed for {seconds} seconds on end").into());
        }
        if let Some(bytes) = progress.memory.exceeded() {
            return Some(
                format!("the script holds more than {} MiB of memory", bytes >> 20).into(),
            );
        }
        progress.session.check_interrupt().err().map(|halt| halt.to_string().into())
    });
}
