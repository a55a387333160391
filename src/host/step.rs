//! The one piece of syntax of our own: `step "title" { … } rollback { … }`, with `optional` before it
//! where the operator may skip it.
//!
//! A step's block shares the scope of the script; its value is its result. The
//! rollback is a closure, made before the block runs, so that a step that failed
//! half-way is undone too, after the block and the script are gone.

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression, FnPtr, Position};

use super::Run;
use super::run::Entered;
use super::throw::{json, throw, value};
use crate::error::{Code, Failure};

/// What undoes a step.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The step's title.
    pub title: String,
    /// The closure.
    pub undo: FnPtr,
}

/// What the reference says of the syntax, as a doc comment would.
pub(super) const REFERENCE: &str = "\
Runs the block and records its value, which is the value of the whole: data (text, numbers, lists,
maps), no function. If this step or a later one fails, the block behind `rollback`, which may be left
out, undoes it: the last step first. It can run although the step did not do everything, so it asks
before it acts.

Stands at the top level, or in an `if` at the top level. Its title is a literal and unique. It changes no
variable that is declared outside of it. A rollback calls primitives and functions of the runbook itself,
no imported ones. `return` ends the runbook well. A step that begins with `optional step` may be skipped
by the operator where `--step` asks; its value is `()` then.

```rhai
let schema = step \"Export the schema\" { get_schema(\"Author\") };

step \"Delete the class\" {
    delete_class(\"Author\");
} rollback {
    if !class_exists(\"Author\") { create_class(schema); }
}
```
";

/// The word before a step that the operator may skip.
pub const OPTIONAL: &str = "optional";

/// Registers the syntax. Nothing is added to the scope, so that the variables around a step stay
/// visible to the checker.
pub(super) fn register(engine: &mut Engine) {
    for (word, before) in [("step", 0), (OPTIONAL, 1)] {
        engine.register_custom_syntax_with_state_raw(
            word,
            move |symbols, ahead, _| {
                Ok(match symbols.len() - before {
                    0 => Some("step".into()),
                    1 => Some("$string$".into()),
                    2 => Some("$block$".into()),
                    3 if ahead == "rollback" => Some("rollback".into()),
                    4 => Some("$func$".into()),
                    _ => None,
                })
            },
            false,
            move |context, inputs, _| evaluate(context, inputs, word == OPTIONAL),
        );
    }
}

fn evaluate(
    context: &mut EvalContext,
    inputs: &[Expression],
    optional: bool,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let run = context
        .tag()
        .clone()
        .try_cast::<std::rc::Rc<Run>>()
        .expect("a step was run without a run: only a checked script is run");
    let title = inputs[0].get_string_value().unwrap_or_default().to_owned();
    let begins = inputs[0].position();
    run.resting.set(std::time::Instant::now());
    let entered = run.enter_step(&title, optional).map_err(|halt| throw(halt, begins))?;
    if matches!(entered, Entered::Skipped) {
        return Ok(Dynamic::UNIT);
    }
    if let Some(undo) = inputs.get(2) {
        let undo = context.eval_expression_tree(undo)?;
        if let Some(undo) = undo.try_cast::<FnPtr>() {
            run.rollbacks.borrow_mut().push(Rollback { title: title.clone(), undo });
        }
    }
    if let Entered::Before(done) = entered {
        return value(&done);
    }
    run.resting.set(std::time::Instant::now());
    match context.eval_expression_tree(&inputs[1]) {
        Ok(value) => {
            let recorded = json(&value).map_err(|_| not_data(&title, inputs[1].position()))?;
            run.finish_step(recorded).map_err(|halt| throw(halt, begins))?;
            Ok(value)
        }
        // `return`, `break` and `exit` arrive as errors and are none: the step has ended well.
        Err(flow) if flow.is_pseudo_error() => {
            run.finish_step(serde_json::Value::Null).map_err(|halt| throw(halt, begins))?;
            Err(flow)
        }
        Err(error) => Err(error),
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed everywhere")]
fn not_data(title: &str, position: Position) -> Box<EvalAltResult> {
    let failure = Failure::new(
        Code::Invalid,
        format!("the value of step \"{title}\" is no data, so it can't be recorded"),
    )
    .hint("end the step's block with `;` if its value is not needed");
    throw(failure.into(), position)
}
