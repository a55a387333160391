//! Everything that an operator can get wrong: a message with what to do, the right exit code.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use elysia_runbook::sandbox::Scenario;
use support::{Stage, run};
use tempfile::TempDir;

fn repair_at(urls: &[String], arguments: &[&str]) -> support::Ended {
    let home = TempDir::new().unwrap();
    let nodes: Vec<String> =
        urls.iter().enumerate().map(|(n, url)| format!("node{}={url}", n + 1)).collect();
    let mut all = vec!["run", "config-replication", "--yes"];
    for node in &nodes {
        all.extend(["--node", node]);
    }
    all.extend(arguments);
    let replace: Vec<(String, String)> =
        urls.iter().zip(&nodes).map(|(url, node)| (url.clone(), node[..5].to_owned())).collect();
    support::ended(support::program(home.path()).args(&all).output().unwrap(), &replace)
}

/// Answers every request with the same bytes, until the test ends.
fn web_server(head: &str, body: &str) -> String {
    let answer = if head.starts_with("HTTP") {
        format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    } else {
        head.to_owned()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn parameters() {
    let stage = Stage::new(Scenario::FactorOne);
    for (name, set, code) in [
        ("class-name", "class=no such class", 1),
        ("class-lower-case", "class=eLYSIA_CONFIG__", 1),
        ("class-unknown", "class=ELYSIA_CONFIG_", 1),
        ("parameter-unknown", "klass=A", 2),
        ("parameter-type", "factor=three", 2),
        ("parameter-bool", "prove=maybe", 2),
        ("parameter-no-value", "factor", 2),
        ("factor-zero", "factor=0", 5),
        ("factor-too-high", "factor=4", 5),
    ] {
        stage.repair(&["--set", set]).exits(code).golden(&format!("bad_input/{name}.txt"));
    }
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn command_line() {
    let home = TempDir::new().unwrap();
    for (name, arguments) in [
        ("no-command", &["repair"][..]),
        ("unknown-flag", &["run", "config-replication", "--sett", "a=b"]),
        ("node-no-url", &["run", "config-replication", "--node", "localhost"]),
        ("node-other-scheme", &["run", "config-replication", "--node", "ftp://localhost"]),
        (
            "node-with-password",
            &["run", "config-replication", "--node", "http://me:secret@localhost"],
        ),
        (
            "node-twice",
            &["run", "config-replication", "--node", "http://localhost:1,http://localhost:1"],
        ),
        ("cluster-unknown", &["run", "config-replication", "--cluster", "prod"]),
        ("scenario-unknown", &["run", "config-replication", "--sandbox=nope"]),
        ("data-loss-pattern", &["run", "config-replication", "--accept-data-loss", "*"]),
        ("run-unknown", &["runs", "show", "2020"]),
        ("fault-unknown", &["sandbox", "--fault", "nonsense"]),
    ] {
        let ended = run(home.path(), arguments).exits(2);
        assert!(!ended.stderr.contains("secret"));
        ended.golden(&format!("bad_input/{name}.txt"));
    }
}

#[test]
fn hosts() {
    let closed: Vec<String> = (0..3)
        .map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            format!("http://127.0.0.1:{port}")
        })
        .collect();
    repair_at(&closed, &[]).exits(1).golden("bad_input/connection-refused.txt");
    let unknown = vec!["http://no-such-host.invalid:8080".to_owned()];
    repair_at(&unknown, &[]).exits(1).golden("bad_input/unknown-host.txt");
    for (name, head, body) in [
        ("web-page", "HTTP/1.1 200 OK", "<html>hi</html>"),
        ("web-page-404", "HTTP/1.1 404 Not Found", "<html>hi</html>"),
        ("other-json", "HTTP/1.1 200 OK", r#"{"ok":true}"#),
        ("no-http", "SSH-2.0-OpenSSH_9.9\r\n", ""),
        (
            "key-401",
            "HTTP/1.1 401 Unauthorized",
            r#"{"code":401,"message":"anonymous access not enabled"}"#,
        ),
        ("key-403", "HTTP/1.1 403 Forbidden", r#"{"error":[{"message":"forbidden: oops"}]}"#),
        ("redirect", "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/", ""),
    ] {
        let url = web_server(head, body);
        repair_at(&[url], &[]).exits(1).golden(&format!("bad_input/{name}.txt"));
    }
    let plain = web_server("HTTP/1.1 400 Bad Request", "").replace("http://", "https://");
    repair_at(&[plain], &[]).exits(1).golden("bad_input/tls.txt");
}

#[test]
fn an_endless_answer_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[b'x'; 1 << 13]).is_ok() {}
        }
    });
    repair_at(&[url], &[]).exits(1).golden("bad_input/endless.txt");
}

#[test]
fn configuration() {
    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::write(at("key"), "canary").unwrap();
    fs::write(at("no.pem"), "not a certificate").unwrap();
    for (name, text) in [
        ("config-broken", "[clusters.prod]\nnodes = "),
        ("config-unknown-field", "[clusters.prod]\nnodes = []\napikey = \"x\""),
        ("config-unknown-key", "[clusters.prod]\nnodes = []\nzebra = 1"),
        ("config-wrong-type", "[clusters.prod]\nnodes = \"http://localhost\""),
        ("config-nodes-missing", "[clusters.prod]\ndrain_seconds = 1"),
        (
            "config-other-cluster",
            "[clusters.prod]\nnodes = [\"http://localhost\"]\n[clusters.test]\nnodes = 3",
        ),
        ("config-no-nodes", "[clusters.prod]\nnodes = []"),
        ("config-address", "[clusters.prod]\nnodes = [\n  \"http://a\",\n  \"b=ftp://b\",\n]"),
        ("config-node-twice", "[clusters.prod]\nnodes = [\"a=http://x\", \"b=http://x/\"]"),
        (
            "config-two-keys",
            "[clusters.prod]\nnodes = [\"https://localhost\"]\napi_key_env = \"K\"\napi_key_file = \"key\"",
        ),
        (
            "config-key-over-http",
            "[clusters.prod]\nnodes = [\"http://db.example:8080\"]\napi_key_command = \"echo canary\"",
        ),
        (
            "config-key-readable",
            "[clusters.prod]\nnodes = [\"https://localhost\"]\napi_key_file = \"key\"",
        ),
        (
            "config-ca-missing",
            "[clusters.prod]\nnodes = [\"https://localhost\"]\nca_file = \"none.pem\"",
        ),
        (
            "config-ca-no-pem",
            "[clusters.prod]\nnodes = [\"https://localhost\"]\nca_file = \"no.pem\"",
        ),
        (
            "config-half-a-pair",
            "[clusters.prod]\nnodes = [\"https://localhost\"]\nclient_key = \"no.pem\"",
        ),
    ] {
        fs::write(at("elysia-runbook.toml"), text).unwrap();
        let ended = run(home.path(), &["run", "config-replication", "--cluster", "prod"]).exits(2);
        assert!(!ended.transcript().contains("canary"), "{name}");
        ended.golden(&format!("bad_input/{name}.txt"));
    }
}

#[test]
fn runbooks() {
    let home = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(home.path().join(name), bytes).unwrap();
    write("empty.rhai", b"");
    write("comment.rhai", b"// nothing\n");
    write("binary.rhai", &[0, 159, 146, 150, 0, 1]);
    write("broken.rhai", b"step \"One\" {\n    list_classes(\n}\n");
    fs::create_dir(home.path().join("folder")).unwrap();
    for (name, code) in [
        ("missing", 2),
        ("config-replicatoin", 2),
        ("./folder", 2),
        ("empty", 3),
        ("comment", 3),
        ("binary", 3),
        ("broken", 3),
    ] {
        let golden = format!("bad_input/runbook-{}.txt", name.trim_start_matches("./"));
        run(home.path(), &["run", name, "--sandbox"]).exits(code).golden(&golden);
    }
}

#[test]
fn a_home_that_cannot_be_written_stops_the_run_before_it_starts() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("runs"), "a file, not a folder").unwrap();
    run(home.path(), &["run", "config-replication", "--sandbox"]).exits(1).says("not started");
}
