//! The primitives: each is documented, its example compiles, and the guide names it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::path::Path;

use elysia_runbook::host;

#[test]
fn every_primitive_is_documented_with_an_example_that_compiles() {
    let engine = host::engine();
    let all = engine.collect_fn_metadata(
        None,
        |function| {
            let comments: Vec<String> =
                function.metadata.comments.iter().map(ToString::to_string).collect();
            Some((function.metadata.name.to_string(), comments.join("\n")))
        },
        false,
    );
    assert!(all.len() > 20);
    for (name, comments) in all {
        let doc: Vec<&str> = comments
            .lines()
            .map(|line| line.trim_start_matches("///").strip_prefix(' ').unwrap_or_default())
            .collect();
        let doc = doc.join("\n");
        let example = doc.split("```rhai\n").nth(1).and_then(|rest| rest.split("```").next());
        let example = example.unwrap_or_else(|| panic!("`{name}` has no example"));
        assert!(example.contains(&name), "the example of `{name}` does not use it");
        engine.compile(example).unwrap_or_else(|error| panic!("example of `{name}`: {error}"));
    }
}

#[test]
fn the_guide_names_every_primitive() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/writing-runbooks.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let primitives = host::primitives(&host::engine());
    for name in &primitives {
        assert!(guide.contains(&format!("`{name}(")), "`{name}` is missing");
    }
    for name in host::CHANGING {
        assert!(primitives.contains(name), "`{name}` is no primitive");
    }
}
