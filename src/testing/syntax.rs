//! The syntax of tests: `test "title" { … }`, and `expect(condition)`, which tells what it found
//! where the condition is false.

use std::rc::Rc;

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression};

use super::Trial;
use super::explain::{explain, start};
use crate::error::Error;

/// Registers the syntax.
pub(super) fn register(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw(
        "test",
        |symbols, _, _| {
            Ok(match symbols.len() {
                1 => Some("$string$".into()),
                2 => Some("$block$".into()),
                _ => None,
            })
        },
        false,
        |context, inputs, _| test(context, inputs),
    );
    engine.register_custom_syntax_with_state_raw(
        "expect",
        |symbols, _, _| Ok((symbols.len() == 1).then(|| "$expr$".into())),
        false,
        |context, inputs, _| expect(context, inputs),
    );
}

fn trial(context: &EvalContext) -> Rc<Trial> {
    context
        .tag()
        .clone()
        .try_cast::<Rc<Trial>>()
        .expect("a test was run without a trial: only `Trial::run` runs one")
}

/// Runs a test's block, if it is the one that is meant: each has a cluster and limits of its own.
fn test(context: &mut EvalContext, inputs: &[Expression]) -> Result<Dynamic, Box<EvalAltResult>> {
    let trial = trial(context);
    if !trial.is_meant(inputs[0].get_string_value().unwrap_or_default()) {
        return Ok(Dynamic::UNIT);
    }
    trial.inside.set(true);
    let ended = context.eval_expression_tree(&inputs[1]);
    trial.inside.set(false);
    match ended {
        // `return` ends the test, not the file.
        Err(flow) if !flow.is_pseudo_error() => Err(flow),
        _ => Ok(Dynamic::UNIT),
    }
}

fn expect(context: &mut EvalContext, inputs: &[Expression]) -> Result<Dynamic, Box<EvalAltResult>> {
    let trial = trial(context);
    trial.expected.set(true);
    let value = context.eval_expression_tree(&inputs[0])?;
    let failure = match value.as_bool() {
        Ok(true) => return Ok(Dynamic::UNIT),
        Ok(false) => explain(context, &inputs[0])?,
        Err(kind) => Error::failed(format!("`expect` takes true or false, not a value of {kind}"))
            .hint("write a comparison: expect(run.verdict == \"succeeded\");"),
    };
    let source = context.source().unwrap_or_default().to_owned();
    trial.fail(failure, start(&inputs[0]), &source);
    Ok(Dynamic::UNIT)
}
