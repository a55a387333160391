//! One event a line on stdout, for programs.

use std::io::{self, Write};

use crate::event::{Event, Listener};

/// Writes events as they happen.
#[derive(Debug)]
pub struct Ndjson;

impl Listener for Ndjson {
    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        io::stdout().lock().write_all(&line)
    }
}
