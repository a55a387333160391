//! Primitives that talk to the operator, and parameters.

use rhai::plugin::{NativeCallContext, export_module};

use std::time::Duration;

use rhai::{FLOAT, INT};

use super::throw::{Throws, ask};
use crate::error::{Code, Failure};
use crate::event::Event;

/// What is asked of the operator and told, and parameters.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use std::time::Duration;

    use rhai::{Dynamic, FLOAT, FnPtr, INT};

    use crate::error::Stop;
    use crate::event::Event;
    use crate::host::throw::{Throws, ask, run};

    /// Returns the value of the parameter `name`, which must be given with `--set`.
    ///
    /// ```rhai
    /// let class = param("class");
    /// ```
    #[rhai_fn(name = "param", volatile)]
    pub fn param_required(context: NativeCallContext, name: &str) -> Dynamic {
        run(&context).parameter(name)
    }

    /// Returns the value of the parameter `name`: what `--set` says, else `default_value`, whose
    /// type it has. Stands at the top level, with literals.
    ///
    /// Asks no node.
    ///
    /// Throws nothing: `--set` is checked before the run.
    ///
    /// ```rhai
    /// let factor = param("factor", 3);
    /// ```
    #[rhai_fn(name = "param", volatile)]
    pub fn param_with_default(
        context: NativeCallContext,
        name: &str,
        _default_value: Dynamic,
    ) -> Dynamic {
        run(&context).parameter(name)
    }

    /// Like `param(name, default_value)`, with a line of help for `show`.
    ///
    /// ```rhai
    /// let factor = param("factor", 3, "replicas that every shard must have");
    /// ```
    #[rhai_fn(name = "param", volatile)]
    pub fn param_with_help(
        context: NativeCallContext,
        name: &str,
        _default_value: Dynamic,
        _help: &str,
    ) -> Dynamic {
        run(&context).parameter(name)
    }

    /// Asks the operator a yes/no question. `--yes` answers yes; without a terminal the run ends as
    /// refused.
    ///
    /// Asks no node.
    ///
    /// Refused if there is no terminal and `--yes` was not given.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// confirm("Continue anyway?") || abort("not confirmed");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn confirm(context: NativeCallContext, question: &str) -> Throws<bool> {
        ask(&context, |session| session.ask(question))
    }

    /// Tells the operator something.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// note("nothing to do");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn note(context: NativeCallContext, text: &str) -> Throws<()> {
        ask(&context, |session| session.say(&Event::Note { text: text.into() }))
    }

    /// Warns the operator.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// warn("the cluster is degraded");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn warn(context: NativeCallContext, text: &str) -> Throws<()> {
        ask(&context, |session| session.say(&Event::Warning { text: text.into() }))
    }

    /// Records a yes/no observation and returns it. One that is `false` makes the run end with
    /// findings.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// check("there are three nodes", nodes().len() == 3);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn check(context: NativeCallContext, text: &str, passed: bool) -> Throws<bool> {
        super::observe(&context, text, passed, "")
    }

    /// Like `check(text, passed)`, with what was found instead.
    ///
    /// ```rhai
    /// let found = nodes().len();
    /// check("there are three nodes", found == 3, `found ${found}`);
    /// ```
    #[rhai_fn(name = "check", return_raw, volatile)]
    pub fn check_with_detail(
        context: NativeCallContext,
        text: &str,
        passed: bool,
        detail: &str,
    ) -> Throws<bool> {
        super::observe(&context, text, passed, if passed { "" } else { detail })
    }

    /// Records on how many of all nodes the class `subject` is replicated: the run's last line.
    /// Fewer than all make the run end with findings.
    ///
    /// Reads every node: schemas and replicas of the class.
    ///
    /// Throws `conflict` if the cluster shows it on fewer nodes, `invalid` for numbers that can't
    /// be, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// tally("Author", 3, nodes().len());
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn tally(context: NativeCallContext, subject: &str, count: INT, total: INT) -> Throws<()> {
        super::record(&context, subject, count, total, "")
    }

    /// Like `tally(subject, count, total)`, with what else is to be known.
    ///
    /// ```rhai
    /// tally("Author", nodes().len(), nodes().len(), "factor 3 on every shard");
    /// ```
    #[rhai_fn(name = "tally", return_raw, volatile)]
    pub fn tally_with_detail(
        context: NativeCallContext,
        subject: &str,
        count: INT,
        total: INT,
        detail: &str,
    ) -> Throws<()> {
        super::record(&context, subject, count, total, detail)
    }

    /// Ends the run as refused, with the reason. What was changed before is put back.
    ///
    /// Asks no node.
    ///
    /// Throws nothing that could be caught.
    ///
    /// ```rhai
    /// if nodes().len() < 3 { abort("three nodes are needed"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn abort(context: NativeCallContext, reason: &str) -> Throws<bool> {
        ask(&context, |session| {
            Err(session.stop(Stop::Refused {
                message: reason.into(),
                reasons: vec![],
                hints: vec![],
            }))
        })
    }

    /// Waits for `seconds`, at most an hour; a signal ends the wait.
    ///
    /// Asks no node.
    ///
    /// Throws `invalid` for less than nothing and for more than an hour.
    ///
    /// ```rhai
    /// sleep(1);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn sleep(context: NativeCallContext, seconds: INT) -> Throws<()> {
        #[expect(clippy::cast_precision_loss, reason = "checked against an hour")]
        super::rest(&context, seconds as FLOAT)
    }

    /// Like `sleep(seconds)`, with fractions of a second.
    ///
    /// ```rhai
    /// sleep(0.5);
    /// ```
    #[rhai_fn(name = "sleep", return_raw, volatile)]
    pub fn sleep_fraction(context: NativeCallContext, seconds: FLOAT) -> Throws<()> {
        super::rest(&context, seconds)
    }

    /// Calls `condition` until it returns `true`, for at most `seconds`; returns whether it did.
    ///
    /// Reads what `condition` reads, every fifth of a second.
    ///
    /// Throws what `condition` throws.
    ///
    /// ```rhai
    /// wait_until(30, || node_has_class(nodes()[0], "Author"));
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn wait_until(context: NativeCallContext, seconds: INT, condition: FnPtr) -> Throws<bool> {
        let seconds = u64::try_from(seconds).unwrap_or(0).min(3600);
        let deadline = std::time::Instant::now() + Duration::from_secs(seconds);
        loop {
            if condition.call_within_context::<bool>(&context, ())? {
                return Ok(true);
            }
            if std::time::Instant::now() >= deadline {
                return Ok(false);
            }
            ask(&context, |session| session.wait(Duration::from_millis(200)))?;
        }
    }
}

fn observe(context: &NativeCallContext, text: &str, passed: bool, detail: &str) -> Throws<bool> {
    let event = Event::Check { text: text.into(), passed, detail: detail.into() };
    ask(context, |session| session.say(&event))?;
    Ok(passed)
}

fn record(
    context: &NativeCallContext,
    subject: &str,
    count: INT,
    total: INT,
    detail: &str,
) -> Throws<()> {
    ask(context, |session| {
        let (Ok(count), Ok(total)) = (usize::try_from(count), usize::try_from(total)) else {
            return Err(Failure::new(Code::Invalid, "a tally can't be negative").into());
        };
        session.tally(subject, count, total, detail)
    })
}

/// Rhai's own `sleep` can't be interrupted.
fn rest(context: &NativeCallContext, seconds: FLOAT) -> Throws<()> {
    ask(context, |session| {
        if !(0.0..=3600.0).contains(&seconds) {
            let message = format!("a script can sleep for 0 to 3600 seconds, not {seconds}");
            return Err(Failure::new(Code::Invalid, message).into());
        }
        session.wait(Duration::from_secs_f64(seconds))
    })
}
