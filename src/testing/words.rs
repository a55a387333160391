//! The words of a test: setting it up, running a runbook, looking at the cluster afterwards.
//!
//! What is looked at is what is really there, past every fault and any request.

use std::rc::Rc;

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{EvalAltResult, Position};

use super::Trial;
use crate::error::{Code, Failure};

type Throws<T> = Result<T, Box<EvalAltResult>>;

#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod words {
    use std::collections::BTreeSet;

    use clap::ValueEnum;
    use rhai::{Array, Dynamic, INT, Map};

    use super::{Throws, invalid, run_with, trial, with};
    use crate::sandbox::{Fault, Scenario};
    use crate::testing::{OnFailure, Outcome};

    /// Sets what the test's cluster is at first, as `elysia-runbook sandbox` does: `healthy`,
    /// `with-data`, … Without it, it is `missing-on-nodes`.
    #[rhai_fn(return_raw, volatile)]
    pub fn sandbox(context: NativeCallContext, scenario: &str) -> Throws<()> {
        let known = Scenario::from_str(scenario, false).map_err(|_| {
            let names = Scenario::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let names: Vec<_> = names
                .filter(|name| !name.is_hide_set())
                .map(|name| name.get_name().to_owned())
                .collect();
            invalid(
                &context,
                &format!("there is no scenario `{scenario}`"),
                &format!("there are {}", names.join(", ")),
            )
        })?;
        with(&context, |trial| trial.begin_with(known))
    }

    /// Lets a request go wrong, as `elysia-runbook sandbox --fault` does. A fault that no request
    /// meets fails the test.
    #[rhai_fn(return_raw, volatile)]
    pub fn fault(context: NativeCallContext, spec: &str) -> Throws<()> {
        let fault = spec.parse::<Fault>().map_err(|why| {
            invalid(&context, &why, "`elysia-runbook sandbox --help` has the grammar")
        })?;
        with(&context, |trial| trial.inject(spec, fault))
    }

    /// Answers every question that contains `text`. A question that no answer fits fails the test,
    /// and so does an answer that no question came for.
    #[rhai_fn(volatile)]
    pub fn answer(context: NativeCallContext, text: &str, yes: bool) {
        trial(&context).answers.give(text, yes);
    }

    /// Allows what `--accept-data-loss CLASS` allows.
    #[rhai_fn(volatile)]
    pub fn accept_data_loss(context: NativeCallContext, class: &str) {
        trial(&context).accept_data_loss.borrow_mut().push(class.into());
    }

    /// Allows what `--accept-degraded` allows.
    #[rhai_fn(volatile)]
    pub fn accept_degraded(context: NativeCallContext) {
        trial(&context).accept_degraded.set(true);
    }

    /// Sets what is done with changes when a step fails: `rollback`, the default, `keep` or `ask`.
    #[rhai_fn(return_raw, volatile)]
    pub fn on_failure(context: NativeCallContext, what: &str) -> Throws<()> {
        let known = OnFailure::from_str(what, false).map_err(|_| {
            let message = format!("`{what}` is not what can be done on a failure");
            invalid(&context, &message, "write rollback, keep or ask")
        })?;
        trial(&context).on_failure.set(known);
        Ok(())
    }

    /// Runs a runbook with the defaults of its parameters on the test's cluster. It is looked up in
    /// the folder of the test file, then as `elysia-runbook run` looks it up.
    #[rhai_fn(return_raw, volatile)]
    pub fn run(context: NativeCallContext, runbook: &str) -> Throws<Outcome> {
        run_with(&context, runbook, Map::new())
    }

    /// Runs a runbook with these parameters.
    #[rhai_fn(name = "run", return_raw, volatile)]
    pub fn run_with_parameters(
        context: NativeCallContext,
        runbook: &str,
        parameters: Map,
    ) -> Throws<Outcome> {
        run_with(&context, runbook, parameters)
    }

    /// Adds a line to what is shown where the test fails.
    #[rhai_fn(volatile)]
    pub fn note(context: NativeCallContext, text: &str) {
        trial(&context).note(text);
    }

    /// Returns the names of the nodes.
    #[rhai_fn(return_raw, volatile)]
    pub fn nodes(context: NativeCallContext) -> Throws<Array> {
        with(&context, |trial| {
            let nodes = trial.sandbox()?.nodes();
            Ok(nodes.into_iter().map(|(name, _)| Dynamic::from(name)).collect())
        })
    }

    /// Returns the names of the classes that a node has in its own schema.
    #[rhai_fn(return_raw, volatile)]
    pub fn list_classes(context: NativeCallContext) -> Throws<Array> {
        with(&context, |trial| {
            let sandbox = trial.sandbox()?;
            let nodes = sandbox.nodes();
            let all: BTreeSet<_> =
                nodes.iter().flat_map(|(node, _)| sandbox.classes(node)).collect();
            Ok(all.into_iter().map(Dynamic::from).collect())
        })
    }

    /// Tells whether a node has `class` in its own schema.
    #[rhai_fn(return_raw, volatile)]
    pub fn class_exists(context: NativeCallContext, class: &str) -> Throws<bool> {
        with(&context, |trial| Ok(!trial.nodes_with(class)?.is_empty()))
    }

    /// Returns the names of the nodes that have `class` in their own schema.
    #[rhai_fn(return_raw, volatile)]
    pub fn nodes_with(context: NativeCallContext, class: &str) -> Throws<Array> {
        with(&context, |trial| {
            Ok(trial.nodes_with(class)?.into_iter().map(Dynamic::from).collect())
        })
    }

    /// Returns the definition of `class` as the first node that has it shows it; `()` where none
    /// has.
    #[rhai_fn(return_raw, volatile)]
    pub fn get_schema(context: NativeCallContext, class: &str) -> Throws<Dynamic> {
        let schema = with(&context, |trial| {
            let Some(node) = trial.nodes_with(class)?.into_iter().next() else { return Ok(None) };
            Ok(trial.sandbox()?.class(&node, class))
        })?;
        schema.map_or(Ok(Dynamic::UNIT), |schema| rhai::serde::to_dynamic(&schema))
    }

    /// Returns the replication factor of `class` as every node that has it shows it; `()` where
    /// none has it or they differ.
    #[rhai_fn(return_raw, volatile)]
    pub fn factor(context: NativeCallContext, class: &str) -> Throws<Dynamic> {
        with(&context, |trial| {
            let sandbox = trial.sandbox()?;
            let nodes = trial.nodes_with(class)?;
            let all: BTreeSet<_> =
                nodes.iter().filter_map(|node| sandbox.factor(node, class)).collect();
            Ok(match Vec::from_iter(all)[..] {
                [factor] => INT::try_from(factor).unwrap_or(INT::MAX).into(),
                _ => Dynamic::UNIT,
            })
        })
    }

    /// Returns for each shard of `class` the nodes that hold a replica of it, running or not.
    #[rhai_fn(return_raw, volatile)]
    pub fn replicas(context: NativeCallContext, class: &str) -> Throws<Dynamic> {
        let replicas = with(&context, |trial| Ok(trial.sandbox()?.replicas(class)))?;
        rhai::serde::to_dynamic(&replicas)
    }

    /// Returns how many objects of `class` there are, wherever they are.
    #[rhai_fn(return_raw, volatile)]
    pub fn count(context: NativeCallContext, class: &str) -> Throws<INT> {
        with(&context, |trial| {
            let sandbox = trial.sandbox()?;
            let nodes = sandbox.nodes();
            let objects = nodes.iter().flat_map(|(node, _)| sandbox.objects(node, class));
            let ids: BTreeSet<_> = objects.map(|it| it["id"].to_string()).collect();
            Ok(INT::try_from(ids.len()).unwrap_or(INT::MAX))
        })
    }
}

fn trial(context: &NativeCallContext) -> Rc<Trial> {
    context
        .tag()
        .and_then(|tag| tag.clone().try_cast::<Rc<Trial>>())
        .expect("a word of tests was called without a trial: only `Trial::run` runs one")
}

/// Does the work of a word, and throws what keeps it from being done.
fn with<T>(
    context: &NativeCallContext,
    work: impl FnOnce(&Trial) -> Result<T, Failure>,
) -> Throws<T> {
    let trial = trial(context);
    let done = trial.memory.give(|| work(&trial));
    trial.resting.set(std::time::Instant::now());
    done.map_err(|failure| throw(&failure, context.call_position()))
}

fn run_with(
    context: &NativeCallContext,
    runbook: &str,
    parameters: rhai::Map,
) -> Throws<super::Outcome> {
    let mut set = vec![];
    for (name, value) in parameters {
        if !(value.is_string() || value.is_int() || value.is_float() || value.is_bool()) {
            let message = format!("parameter `{name}` can't be a value of {}", value.type_name());
            return Err(invalid(context, &message, "it is text, a number, true or false"));
        }
        set.push(format!("{name}={value}"));
    }
    let source = context.call_source().unwrap_or_default().to_owned();
    let position = context.call_position();
    with(context, |trial| trial.start(runbook, set, position, &source))
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed everywhere")]
fn invalid(context: &NativeCallContext, message: &str, hint: &str) -> Box<EvalAltResult> {
    throw(&Failure::new(Code::Invalid, message).hint(hint), context.call_position())
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed everywhere")]
fn throw(failure: &Failure, position: Position) -> Box<EvalAltResult> {
    let mut map = rhai::Map::new();
    map.insert("error".into(), failure.code.as_str().into());
    map.insert("message".into(), failure.message.clone().into());
    if let Some(hint) = &failure.hint {
        map.insert("hint".into(), hint.clone().into());
    }
    EvalAltResult::ErrorRuntime(map.into(), position).into()
}
