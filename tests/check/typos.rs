//! What somebody gets to read who made a slip: for each a golden, with the line where it was made.

use std::fs;

use tempfile::TempDir;

use crate::support::run;

const TYPOS: [(&str, &str); 90] = [
    (
        "missing-semicolon-let",
        "let class = param(\"class\", \"X\")\n\nstep \"A\" {\n    count(class)\n}\n",
    ),
    ("missing-semicolon-call", "step \"A\" {\n    note(\"x\")\n    count(\"X\")\n}\n"),
    (
        "missing-semicolon-step",
        "let found = step \"A\" {\n    nodes()\n}\n\nstep \"B\" { note(`${found}`); }\n",
    ),
    (
        "missing-semicolon-comment",
        "step \"A\" {\n    let n = count(\"X\") // how many\n    // then\n    note(`${n}`);\n}\n",
    ),
    (
        "missing-semicolon-import",
        "import \"lib/replication\" as replication\nstep \"A\" { replication::nodes_of(1) }",
    ),
    ("missing-brace-step", "step \"A\" {\n    note(\"x\");\n\nstep \"B\" {\n    note(\"y\");\n}\n"),
    (
        "missing-brace-if",
        "step \"A\" {\n    if count(\"X\") > 0 {\n        note(\"x\");\n}\n\nstep \"B\" {\n    note(\"y\");\n}\n",
    ),
    ("missing-brace-end", "step \"A\" {\n    note(\"x\");\n"),
    ("missing-brace-fn", "fn f(x) {\n    x + 1\n\nstep \"A\" { f(1) }\n"),
    ("extra-brace", "step \"A\" {\n    note(\"x\");\n}\n}\nstep \"B\" { 1 }"),
    ("missing-paren", "step \"A\" {\n    note(\"x\";\n}\n"),
    ("missing-paren-nested", "step \"A\" {\n    note(`${max(1, 2}`);\n}\n"),
    (
        "missing-paren-if",
        "step \"A\" {\n    if (count(\"X\") > 0 {\n        note(\"x\");\n    }\n}\n",
    ),
    ("extra-paren", "step \"A\" {\n    note(\"x\"));\n}\n"),
    ("missing-bracket", "step \"A\" {\n    let l = [1, 2;\n    l\n}\n"),
    ("missing-comma", "step \"A\" { check(\"x\" true); }"),
    (
        "missing-comma-map",
        "step \"A\" {\n    create_class(#{\n        class: \"X\"\n        vectorizer: \"none\",\n    });\n}",
    ),
    ("missing-comma-list", "step \"A\" { [1 2] }"),
    ("assign-in-if", "let x = 1;\nstep \"A\" { if x = 1 { note(\"x\"); } }"),
    ("single-quotes", "step \"A\" { count('Author') }"),
    ("single-quotes-title", "step 'Look' { nodes() }"),
    ("smart-quotes-in", "step \"A\" { count(“X”) }"),
    ("unclosed-text", "step \"A\" {\n    note(\"x);\n    note(\"y\");\n}\n"),
    ("unclosed-template", "step \"A\" {\n    note(`x);\n}\n"),
    ("unclosed-title", "step \"A {\n    note(\"x\");\n}\n"),
    ("elif", "step \"A\" {\n    let n = 1;\n    if n == 1 { 1 } elif n == 2 { 2 }\n}"),
    ("then", "step \"A\" { if true then { 1 } }"),
    ("and", "step \"A\" {\n    if true and false { 1 }\n}"),
    ("or", "step \"A\" {\n    let x = true or false;\n    x }"),
    ("not", "step \"A\" { if not true { 1 } }"),
    ("null", "step \"A\" { let x = null; x }"),
    ("none", "step \"A\" { let x = None; x }"),
    ("true", "step \"A\" { check(\"x\", True); }"),
    ("var", "var x = 1;\nstep \"A\" { x }"),
    ("def", "def f(x) { x }\nstep \"A\" { f(1) }"),
    ("increment", "step \"A\" { let i = 0; i++; i }"),
    ("if-colon", "step \"A\" {\n    if true:\n        note(\"x\");\n}"),
    ("hash-comment", "# Look\nstep \"A\" { nodes() }"),
    ("dashes", "-- Look\nstep \"A\" { nodes() }"),
    ("step-no-title", "step { nodes() }"),
    ("step-capital", "Step \"A\" { nodes() }"),
    ("stpe", "stpe \"A\" { nodes() }"),
    ("rolback", "step \"A\" { nodes() } rolback { 1 }"),
    ("rollback-semicolon", "step \"A\" { nodes() };\nrollback { note(\"x\"); }"),
    ("rollback-no-brace", "step \"A\" { nodes() } rollback note(\"x\");"),
    ("optional-order", "step optional \"A\" { nodes() }"),
    ("no-parens", "step \"A\" { for n in nodes { note(n); } }"),
    ("variable-in-function", "let class = \"X\";\nfn f() { count(class) }\nstep \"A\" { f() }"),
    (
        "variable-of-step",
        "step \"A\" {\n    let found = nodes();\n}\nstep \"B\" {\n    note(`${found}`);\n}",
    ),
    ("variable-later", "step \"A\" { count(class) }\nlet class = \"X\";"),
    ("unquoted", "step \"A\" { count(Author) }"),
    ("param-unquoted", "let factor = param(factor, 3);\nstep \"A\" { factor }"),
    ("let-missing", "class = param(\"class\", \"X\");\nstep \"A\" { count(class) }"),
    ("for-of", "step \"A\" { for n of nodes() { note(n); } }"),
    ("for-paren", "step \"A\" { for (let i = 0; i < 3; i += 1) { note(\"x\"); } }"),
    ("foreach", "step \"A\" { foreach n in nodes() { note(n); } }"),
    ("f-string", "step \"A\" { note(f\"{1}\"); }"),
    ("dollar", "step \"A\" { let $x = 1; $x }"),
    ("arrow", "step \"A\" { nodes().map(n => n) }"),
    ("lambda", "step \"A\" { nodes().map(lambda n: n) }"),
    ("map-no-hash", "step \"A\" { create_class({ class: \"X\" }); }"),
    ("map-json", "step \"A\" { create_class(#{ \"class\" = \"X\" }); }"),
    ("import-no-as", "import \"lib/replication\";\nstep \"A\" { replication::nodes_of(1) }"),
    ("from-import", "from \"lib/replication\" import nodes_of;\nstep \"A\" { 1 }"),
    (
        "module-dot",
        "import \"lib/replication\" as replication;\nstep \"A\" { replication.nodes_of(1) }",
    ),
    (
        "module-typo",
        "import \"lib/replication\" as replication;\nstep \"A\" { replicaton::nodes_of(1) }",
    ),
    ("double-colon", "step \"A\" { nodes()::len() }"),
    ("except", "step \"A\" { try { count(\"X\"); } except { } }"),
    ("catch-no-paren", "step \"A\" { try { count(\"X\"); } catch err { } }"),
    ("return-fn", "fn f() -> int { 1 }\nstep \"A\" { f() }"),
    ("let-type", "step \"A\" { let x: int = 1; x }"),
    ("question", "step \"A\" { let x = true ? 1 : 2; x }"),
    ("not-equal", "step \"A\" { if 1 <> 2 { 1 } }"),
    ("unfinished", "step \"A\" {\n    count(\n}"),
    ("fn-in-step", "step \"A\" {\n    fn f() { 1 }\n    f()\n}"),
    ("reserved-name", "let match = 1;\nstep \"A\" { match }"),
    ("escape", "step \"A\" { note(\"C:\\data\"); }"),
    ("variable-near", "let class = \"X\";\nfor node in nodes() { step \"A\" { count(clas) } }"),
    ("variable-near-loop", "step \"A\" { for node in nodes() { note(nod); } }"),
    ("variable-near-parameter", "fn f(class) { count(clas) }\nstep \"A\" { f(\"X\") }"),
    ("variable-near-closure", "step \"A\" { nodes().map(|node| noed) }"),
    (
        "missing-brace-deep",
        "step \"A\" {\n    for node in nodes() {\n        if node == \"a\" {\n            note(\"x\");\n    }\n}\n\nstep \"B\" {\n    note(\"y\");\n}\n",
    ),
    ("crlf", "step \"A\" {\r\n    note(\"x\")\r\n    nodes()\r\n}\r\n"),
    ("umlauts", "step \"Größe\" { note(\"äöü\") note(\"x\"); }"),
    ("shebang", "#!/usr/bin/env -S elysia-runbook run\nlet n = 1\nstep \"A\" { n }"),
    ("optional", "optonal step \"A\" { nodes() }"),
    ("condition", "step \"A\" { if stop { 1 } }"),
    ("one-letter", "let n = 1;\nstep \"A\" { x + n }"),
    ("variable-of-closure", "step \"A\" { nodes().map(|node| node); note(node); }"),
    ("name-of-another-language", "let from = 1;\nfn f() { from }\nstep \"A\" { f() }"),
];

#[test]
fn every_slip_is_told_where_it_was_made() {
    let home = TempDir::new().unwrap();
    for (name, script) in TYPOS {
        let file = format!("{name}.rhai");
        fs::write(home.path().join(&file), script).unwrap();
        run(home.path(), &["check", &file]).exits(3).golden(&format!("check/typo/{name}.txt"));
    }
}
