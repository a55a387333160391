//! Scripts that want out of their box, under a limit of memory and time; and a key that is looked for
//! wherever it could have got to.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use elysia_runbook::sandbox::Scenario;
use support::{Ended, Stage};

/// Address space of a hostile run, in KiB: 512 MiB.
const MEMORY: usize = 512 << 10;
/// How long it may take.
const TIME: Duration = Duration::from_secs(10);

/// Runs a script in a shell with these limits, on a class that holds objects.
fn hostile(script: &str) -> (Stage, Ended) {
    let stage = Stage::new(Scenario::WithData);
    fs::write(stage.home.path().join("hostile.rhai"), script).unwrap();
    let program = env!("CARGO_BIN_EXE_elysia-runbook");
    let command = format!("ulimit -v {MEMORY}; exec {program} run hostile --yes --cluster stage");
    let began = Instant::now();
    let output = Command::new("bash")
        .args(["-c", &command])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", stage.home.path())
        .env("ELYSIA_RUNBOOK_HOME", stage.home.path())
        .current_dir(stage.home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(began.elapsed() < TIME, "it took {:?}: {script:.200}", began.elapsed());
    let ended = stage.ended(output);
    assert!(!ended.transcript().contains("panicked"), "{}", ended.transcript());
    (stage, ended)
}

/// It ends with this code and says this, and nothing was changed.
#[track_caller]
fn ends(script: &str, code: i32, says: &str) {
    let (stage, ended) = hostile(script);
    let ended = ended.exits(code).says(says);
    assert!(!ended.transcript().contains("went on"), "{}", ended.transcript());
    assert_eq!(stage.changes(), [""; 0], "{script:.200}");
}

#[test]
fn loops_recursion_and_time() {
    ends(r#"step "A" { loop { } }"#, 1, "operations");
    ends(r#"step "A" { try { loop { } } catch { } note("went " + "on"); }"#, 1, "operations");
    ends(r#"fn f(n) { f(n + 1) } step "A" { f(0); }"#, 1, "stack");
    ends(r#"step "A" { sleep(1e9); }"#, 1, "0 to 3600 seconds");
    ends(r#"step "A" { let long = 1e12; wait_until(long, || false); }"#, 1, "");
}

#[test]
fn memory() {
    ends(r#"step "A" { let s = "x"; loop { s += s; } }"#, 1, "too large");
    ends(r#"step "A" { let s = "x"; s.pad(100000000, "x"); }"#, 1, "");
    ends(r#"step "A" { let m = #{}; for i in 0..10000000 { m[`k${i}`] = i; } }"#, 1, "");
    ends(r#"step "A" { let a = []; for i in 0..10000000 { a.push("some text"); } }"#, 1, "");
    ends(r#"step "A" { let a = []; for i in 0..1000000 { a = [a]; } }"#, 1, "");
    ends(r#"step "A" { let b = blob(1000000000, 1); }"#, 1, "");
    // Many large strings, each below its own limit.
    let script = r#"step "A" { let s = "x"; s.pad(1000000, "x"); let a = [];
        for i in 0..10000 { a.push(s + i); } }"#;
    ends(script, 1, "");
    let script = r#"step "A" { let s = "x"; s.pad(1000000, "x"); let m = #{};
        for i in 0..10000 { m[`k${i}`] = s + i; } }"#;
    ends(script, 1, "");
}

#[test]
fn files_imports_and_other_hosts() {
    for path in ["/etc/passwd", "../../x", "lib/../../../etc/passwd", "lib/none"] {
        ends(&format!(r#"import "{path}" as m; step "A" {{ m::f() }}"#), 3, "import");
    }
    ends(r#"step "A" { eval("1") }"#, 3, "eval");
    for call in [
        "open(\"/etc/passwd\")",
        "http_get(\"http://127.0.0.1/\")",
        "exec(\"id\")",
        "env(\"HOME\")",
    ] {
        ends(&format!(r#"step "A" {{ {call} }}"#), 3, "there is no function");
    }
    for folder in ["/etc/cron.d/x", "../../etc/cron.d/x", "a/../../x", "", "/", "~/\\u0000"] {
        let says = if folder.contains("u0000") { "" } else { "is no folder for a backup" };
        ends(&format!(r#"step "A" {{ backup_node("node1", "{folder}"); }}"#), 1, says);
    }
    // A class is a piece of a path, and of a file's name.
    for class in ["../../etc/cron.d/x", "A/../B", "/etc/x", "A?x=y", "A\\u0000", "*"] {
        ends(&format!(r#"step "A" {{ delete_class("{class}"); }}"#), 1, "is not a class name");
        ends(&format!(r#"step "A" {{ get_schema("{class}"); }}"#), 1, "is not a class name");
    }
}

/// Whatever a script names, nothing but the operator's nodes is connected to.
#[test]
fn no_script_chooses_whom_to_talk_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let elsewhere = listener.local_addr().unwrap();
    for node in [format!("http://{elsewhere}"), format!("evil@{elsewhere}"), elsewhere.to_string()]
    {
        for call in [
            format!(r#"node_has_class("{node}", "ELYSIA_CONFIG__")"#),
            format!(r#"backup_node("{node}", "weaviate-backup")"#),
            format!(
                r#"get_object("{node}", "ELYSIA_CONFIG__", "11111111-1111-1111-1111-111111111111")"#
            ),
        ] {
            ends(&format!(r#"step "A" {{ {call} }}"#), 1, "node1");
        }
        // Classes, ids and tenants are pieces of an address.
        ends(&format!(r#"step "A" {{ count("{node}/v1") }}"#), 1, "is not a class name");
        let id =
            r#"get_object("node1", "ELYSIA_CONFIG__", "../..//NODE/x")"#.replace("NODE", &node);
        ends(&format!(r#"step "A" {{ {id} }}"#), 1, "");
        let script = r#"let nodes = nodes(); nodes[0] = "NODE"; const URLS = ["NODE"];
            let given = param("node", "NODE"); step "A" { get_schema("ELYSIA_CONFIG__"); }"#;
        ends(&script.replace("NODE", &node), 0, "SUCCESS");
    }
    assert!(listener.accept().is_err(), "somebody else was asked");
}

#[test]
fn refusals_are_final() {
    let delete = r#"delete_class("ELYSIA_CONFIG__")"#;
    for script in [
        format!(r#"step "A" {{ try {{ {delete}; }} catch {{ }} note("went " + "on"); }}"#),
        format!(
            r#"step "A" {{ try {{ abort("no"); }} catch {{ }} {delete}; note("went " + "on"); }}"#
        ),
        format!(
            r#"step "A" {{ [1, 2].sort(|a, b| {{ {delete}; 0 }}); }} step "B" {{ note("went " + "on"); }}"#
        ),
        format!(
            r#"step "A" {{ [1, 2].filter(|a| {{ try {{ {delete}; }} catch {{ }} true }}); {delete}; }}"#
        ),
        format!(r#"step "A" {{ for i in 0..100 {{ try {{ {delete}; }} catch {{ }} }} }}"#),
    ] {
        ends(&script, 5, "REFUSED");
    }
}

#[test]
fn texts_cannot_forge_what_is_said() {
    let script = r#"
        step "A" {
            note("\x1b[2J\x1b]52;c;aGk=\x07 fine\nSUCCESS: all is well\r\u{202e}");
            check("\nSUCCESS", true);
            throw "\x1b[32mSUCCESS\x1b[0m";
        }"#;
    let (_, ended) = hostile(&script.replace("\\u{202e}", "\\u202e"));
    let said = ended.exits(1).transcript();
    assert!(!said.contains(['\x1b', '\x07', '\r', '\u{202e}']), "{said:?}");
    assert!(!said.lines().any(|line| line.starts_with("SUCCESS")), "{said}");
}

#[test]
fn scripts_that_are_too_much() {
    let mut deep = "step \"A\" { let x = ".to_owned();
    deep.push_str(&"(".repeat(10_000));
    deep.push('1');
    deep.push_str(&")".repeat(10_000));
    deep.push_str("; }");
    ends(&deep, 3, "");
    let mut wide = String::new();
    for number in 0..40_000 {
        writeln!(wide, "let v{number} = \"some text to make it long\";").unwrap();
    }
    ends(&wide, 2, "are allowed");
    let mut braces = "step \"A\" ".to_owned();
    braces.push_str(&"{".repeat(50_000));
    ends(&braces, 3, "");
    ends(&format!("step \"A\" {{ {} }}", "nodes();".repeat(20_000)), 0, "");
}

const CANARY: &str = "canary-7f3a9c2e51d84b60";

/// A server that answers with what it was asked, in one way of writing it or another.
fn echo(write: fn(&str) -> String, status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let asked = String::from_utf8_lossy(&request[..length]).into_owned();
            let line = asked.lines().find(|line| line.to_lowercase().starts_with("authorization"));
            let said = write(line.unwrap_or("nothing"));
            let body = serde_json::json!({"error": [{"message": said}]}).to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let number = three.iter().chain(&[0, 0]).take(3).fold(0, |sum, b| sum << 8 | u32::from(*b));
        for place in 0..=three.len() {
            let six = usize::try_from(number >> (18 - 6 * place) & 63).unwrap();
            encoded.push(char::from(LETTERS[six]));
        }
    }
    encoded
}

/// What the key may look like.
fn disguises() -> Vec<String> {
    let reversed: String = CANARY.chars().rev().collect();
    let mut all = vec![CANARY.into(), reversed, hex(CANARY), hex(CANARY).to_uppercase()];
    // Within a longer text its letters fall in three ways.
    for before in ["", "x", "xx"] {
        let whole = base64(&format!("{before}{CANARY}"));
        all.push(whole[4..whole.len() - 4].to_owned());
    }
    all
}

#[test]
fn a_key_gets_nowhere_but_to_its_cluster() {
    let ways: [fn(&str) -> String; 5] = [
        ToString::to_string,
        |line| line.chars().rev().collect(),
        hex,
        |line| hex(line).to_uppercase(),
        base64,
    ];
    for way in ways {
        for status in ["200 OK", "401 Unauthorized", "403 Forbidden", "422 No", "500 No"] {
            let url = echo(way, status);
            let home = tempfile::TempDir::new().unwrap();
            let script = r#"step "A" {
                try { get_schema("A"); } catch (err) { note(err.message); warn(`${err}`); }
                try { survey(); } catch (err) { note(err.message); }
                create_class(#{ class: "A" });
            }"#;
            fs::write(home.path().join("ask.rhai"), script).unwrap();
            let mut command = support::program(home.path());
            command.args(["run", "ask", "--yes", "--node", &url, "--output", "ndjson"]);
            let output = command.env("WEAVIATE_API_KEY", CANARY).output().unwrap();
            let mut all = String::from_utf8(output.stdout).unwrap();
            all.push_str(&String::from_utf8(output.stderr).unwrap());
            all.push_str(&everything_in(home.path()));
            for disguise in disguises() {
                assert!(!all.contains(&disguise), "{status}: {disguise} in {all}");
            }
        }
    }
}

/// Every file below a folder, as text.
fn everything_in(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&everything_in(&path));
        } else {
            all.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
    all
}
