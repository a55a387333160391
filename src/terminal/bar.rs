//! A bar for long work, with its rate and the time left; only where stderr is a terminal.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::text::duration;

/// For how long a bar is shown before it tells a rate.
const MEASURED: Duration = Duration::from_millis(300);

/// At most one bar, below everything else.
#[derive(Debug, Default)]
pub(super) struct Bar {
    bar: Option<(String, ProgressBar)>,
}

impl Bar {
    /// Shows how far it has come.
    pub(super) fn show(&mut self, what: &str, unit: &str, done: u64, of: Option<u64>) {
        let bar = match &self.bar {
            Some((shown, bar)) if shown == what => bar,
            _ => {
                self.clear();
                &self.bar.insert((what.to_owned(), new(what, unit, done, of))).1
            }
        };
        bar.set_position(done);
    }

    /// Takes it away, so that something else can be written.
    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new(what: &str, unit: &str, done: u64, of: Option<u64>) -> ProgressBar {
    let (bar, template) = match of {
        Some(of) => {
            (ProgressBar::new(of), "      {msg} {bar:30} {human_pos}/{human_len} {prefix}{pace}")
        }
        None => (ProgressBar::no_length(), "      {msg}: {human_pos} {prefix}{pace}"),
    };
    let bar = bar.with_position(done).with_message(what.to_owned()).with_prefix(unit.to_owned());
    let Ok(style) = ProgressStyle::with_template(template) else { return bar };
    bar.with_style(style.with_key("pace", move |state: &ProgressState, to: &mut dyn Write| {
        // What was done before it was shown counts for nothing in the rate.
        let shown = state.pos().saturating_sub(done);
        let left = of.map(|of| of.saturating_sub(state.pos()));
        let _ = to.write_str(&pace(shown, left, state.elapsed()));
    }))
}

/// Returns the rate and the time left, once they can be known; the rate of what is slow by the minute.
#[expect(
    clippy::cast_precision_loss,
    reason = "of more than 2^52 objects nobody needs the last one"
)]
fn pace(done: u64, left: Option<u64>, elapsed: Duration) -> String {
    if done == 0 || elapsed < MEASURED {
        return String::new();
    }
    let per_second = done as f64 / elapsed.as_secs_f64();
    let rate = match per_second {
        fast if fast >= 10.0 => format!(", {fast:.0}/s"),
        some if some >= 1.0 => format!(", {some:.1}/s"),
        slow => format!(", {:.1}/min", slow * 60.0),
    };
    let left = left.and_then(|left| Duration::try_from_secs_f64(left as f64 / per_second).ok());
    let left = left.and_then(|left| u64::try_from(left.as_millis()).ok());
    let left = left.map(|left| format!(", {} left", duration(left))).unwrap_or_default();
    format!("{rate}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_told_when_it_is_known() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(pace(0, Some(6), minutes(3)), "");
        assert_eq!(pace(2, Some(4), Duration::from_millis(10)), "");
        assert_eq!(pace(2, Some(4), minutes(3)), ", 0.7/min, 6 min 0 s left");
        assert_eq!(pace(6_000, Some(300), minutes(1)), ", 100/s, 3 s left");
        assert_eq!(pace(90, Some(1_000_000), minutes(1)), ", 1.5/s, 185 h 11 min left");
        assert_eq!(pace(600, None, minutes(1)), ", 10/s");
    }
}
