//! Any bytes as a journal: read as far as they hold, and what the run had done rebuilt from it.

#![no_main]

use elysia_runbook::journal::parse;
use elysia_runbook::session::Carried;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let reading = parse(bytes);
    let _ = Carried::of(&reading.records);
});
