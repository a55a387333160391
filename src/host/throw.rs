//! From a halt to a Rhai error, and values both ways.

use std::rc::Rc;
use std::time::Instant;

use rhai::plugin::NativeCallContext;
use rhai::{Dynamic, EvalAltResult, Map, Position, Variant};
use serde::Serialize;
use serde_json::Value;

use super::Run;
use crate::error::{Code, Failure, Halt};
use crate::session::Session;

/// What a primitive returns: a value, or what it throws. Rhai prints the name in signatures.
pub(crate) type Throws<T> = Result<T, Box<EvalAltResult>>;

/// Returns the run behind a call.
pub(super) fn run(context: &NativeCallContext) -> Rc<Run> {
    context
        .tag()
        .and_then(|tag| tag.clone().try_cast::<Rc<Run>>())
        .expect("a primitive was called without a run: only a checked script is run")
}

/// Lets a primitive ask the session, and throws what stops it.
pub(super) fn ask<T>(
    context: &NativeCallContext,
    question: impl FnOnce(&Session) -> Result<T, Halt>,
) -> Throws<T> {
    let run = run(context);
    let answer = run.memory.give(|| question(&run.session));
    run.resting.set(Instant::now());
    answer.map_err(|halt| {
        run.stopped_in.replace(context.call_source().unwrap_or_default().to_owned());
        throw(halt, context.call_position())
    })
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed everywhere")]
/// Turns a halt into what a script sees: a map that it may catch, or an error that it may not.
pub(super) fn throw(halt: Halt, position: Position) -> Box<EvalAltResult> {
    match halt {
        Halt::Failure(failure) => EvalAltResult::ErrorRuntime(map(&failure).into(), position),
        // Rhai never lets `catch` see a termination.
        Halt::Stop(stop) => EvalAltResult::ErrorTerminated(stop.to_string().into(), position),
    }
    .into()
}

fn map(failure: &Failure) -> Map {
    let mut map = Map::new();
    map.insert("error".into(), failure.code.as_str().into());
    map.insert("message".into(), failure.message.clone().into());
    if let Some(node) = &failure.node {
        map.insert("node".into(), node.clone().into());
    }
    if let Some(status) = failure.status {
        map.insert("status".into(), i64::from(status).into());
    }
    if let Some(hint) = &failure.hint {
        map.insert("hint".into(), hint.clone().into());
    }
    map
}

/// Gives a script what a primitive found, however large it is.
pub(super) fn give<T: Variant + Clone>(
    context: &NativeCallContext,
    found: &impl Serialize,
) -> Throws<T> {
    run(context).memory.give(|| value(&serde_json::json!(found)))
}

/// Turns JSON into a script's value, of the type that the primitive's signature promises.
///
/// # Errors
///
/// `unexpected` where it is of another type.
pub(super) fn value<T: Variant + Clone>(json: &Value) -> Throws<T> {
    let value: Dynamic = rhai::serde::to_dynamic(json)?;
    value.try_cast_result().map_err(|other| {
        let message =
            format!("an answer of another kind was expected than `{}`", other.type_name());
        throw(Failure::new(Code::Unexpected, message).into(), Position::NONE)
    })
}

/// Turns a script's value into JSON.
///
/// # Errors
///
/// It holds a function or something else that is no data.
pub(super) fn json(value: &Dynamic) -> Throws<Value> {
    rhai::serde::from_dynamic(value).map_err(|_| {
        let failure = Failure::new(Code::Invalid, "this value holds a function, and is no data");
        throw(failure.into(), Position::NONE)
    })
}
