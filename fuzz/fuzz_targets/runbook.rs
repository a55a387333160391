//! Any text as a runbook: checked, never run.

#![no_main]

use elysia_runbook::host;
use elysia_runbook::runbook::{Checked, Runbook, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source {
        name: "fuzz".into(),
        display: "fuzz.rhai".into(),
        folder: None,
        text: text.into(),
        is_import: false,
    };
    let _ = Checked::of_runbook(&mut host::engine(), &source);
    let _ = Runbook::compile(&mut host::engine(), source);
});
