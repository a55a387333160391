//! Events to text or NDJSON, errors to text, questions to the operator.
//!
//! The only room that writes to stdout and stderr. Knows events and errors, and
//! nothing of how they come about.

mod bar;
mod diff;
mod error;
mod findings;
mod forecast;
mod ndjson;
mod prompt;
mod style;
mod text;

pub use diff::diff;
pub use error::{error_text, print_errors, print_warning};
pub use ndjson::Ndjson;
pub use prompt::Prompt;
pub use style::{Styles, shown};
pub use text::{Page, Text};

use std::io::Write;

/// Writes lines to stdout. A closed pipe is no error: whoever reads has seen enough.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}");
}

/// Writes lines to stderr.
pub fn print_aside(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}
