//! A bar for long work, with its rate and the time left; only where stderr is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// At most one bar, below everything else.
#[derive(Debug, Default)]
pub(super) struct Bar {
    bar: Option<(String, ProgressBar)>,
}

impl Bar {
    /// Shows how far it has come.
    pub(super) fn show(&mut self, what: &str, done: u64, of: Option<u64>) {
        let bar = match &self.bar {
            Some((shown, bar)) if shown == what => bar,
            _ => {
                self.clear();
                &self.bar.insert((what.to_owned(), new(what, done, of))).1
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

fn new(what: &str, done: u64, of: Option<u64>) -> ProgressBar {
    let (bar, template) = match of {
        Some(of) => (
            ProgressBar::new(of),
            "      {msg} {bar:30} {human_pos}/{human_len} objects, {per_sec}, {eta} left",
        ),
        None => (ProgressBar::no_length(), "      {msg}: {human_pos} objects, {per_sec}"),
    };
    let style = ProgressStyle::with_template(template);
    // What was done before it was shown counts for nothing in the rate.
    let bar = bar.with_position(done).with_message(what.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
