//! What a person reads in place of what is so only in this process: ports, folders that do not last.

use crate::error::Error;
use crate::event::Event;

/// What is replaced, and by what, in this order.
#[derive(Debug, Clone, Default)]
pub(super) struct Disguise(Vec<(String, String)>);

impl Disguise {
    pub(super) fn new(replace: Vec<(String, String)>) -> Self {
        Self(replace)
    }

    pub(super) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    pub(super) fn event(&self, event: &Event) -> Event {
        let text = serde_json::to_string(event).unwrap_or_default();
        serde_json::from_str(&self.text(&text)).unwrap_or_else(|_| event.clone())
    }

    pub(super) fn error(&self, error: &Error) -> Error {
        let mut error = error.clone();
        error.message = self.text(&error.message);
        for text in error.causes.iter_mut().chain(&mut error.hints) {
            *text = self.text(text);
        }
        error
    }
}
