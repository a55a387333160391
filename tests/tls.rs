//! TLS with a certificate authority and client certificates of one's own, and an API key: they reach
//! the server, and the key reaches nothing else.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use elysia_runbook::sandbox::Scenario;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use support::{Ended, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Part of every API key of these tests; must be found nowhere but at the server.
const CANARY: &str = "canary-4711";

/// A certificate authority and what it has signed.
struct Certificates {
    ca: CertificateDer<'static>,
    server: (CertificateDer<'static>, PrivateKeyDer<'static>),
}

impl Certificates {
    /// Makes new ones and writes those that the program needs into a folder.
    fn new(folder: &Path) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let sign = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &issuer).unwrap(), key)
        };
        let (server, server_key) = sign("localhost");
        let (client, client_key) = sign("operator");
        fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
        fs::write(folder.join("client.pem"), client.pem()).unwrap();
        fs::write(folder.join("client.key"), client_key.serialize_pem()).unwrap();
        Self {
            ca: ca.der().clone(),
            server: (server.der().clone(), PrivateKeyDer::Pkcs8(server_key.serialize_der().into())),
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![self.server.0.clone()], self.server.1.clone_key())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Puts TLS in front of an address; returns the port, and collects what each connection began with.
async fn front(acceptor: TlsAcceptor, address: String, heard: Arc<Mutex<String>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, address, heard) = (acceptor.clone(), address.clone(), heard.clone());
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let mut first = vec![0; 2048];
                let Ok(length) = tls.read(&mut first).await else { return };
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&first[..length]));
                let mut node = TcpStream::connect(address).await.unwrap();
                node.write_all(&first[..length]).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut node).await;
            });
        }
    });
    port
}

#[test]
fn own_authority_client_certificate_and_key() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stage = Stage::new(Scenario::FactorOne);
    let home = stage.home.path();
    let certificates = Certificates::new(home);
    let heard = Arc::new(Mutex::new(String::new()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let nodes: Vec<String> = stage
        .sandbox
        .nodes()
        .iter()
        .map(|(name, url)| {
            let address = url.trim_start_matches("http://").to_owned();
            let port = runtime.block_on(front(certificates.acceptor(), address, heard.clone()));
            format!("\"{name}=https://localhost:{port}\"")
        })
        .collect();
    let nodes = nodes.join(", ");
    let run = |more: &str| -> Ended {
        let text = format!("[clusters.tls]\nnodes = [{nodes}]\ndrain_seconds = 0\n{more}");
        fs::write(home.join("elysia-runbook.toml"), text).unwrap();
        let mut command = support::program(home);
        command.args(["run", "config-replication", "--yes", "--cluster", "tls"]);
        command.env("WEAVIATE_API_KEY", CANARY);
        support::ended(command.output().unwrap(), &[])
    };
    let all =
        "ca_file = \"ca.pem\"\nclient_certificate = \"client.pem\"\nclient_key = \"client.key\"";

    run("").exits(1).says("ca_file");
    run("ca_file = \"ca.pem\"").exits(1).says("no node can be used");
    assert!(!heard.lock().unwrap().contains(CANARY), "sent before the server was known");
    run(all).exits(0).says("SUCCESS");
    assert!(heard.lock().unwrap().contains(&format!("Bearer {CANARY}")));
    assert_eq!(stage.factors("ELYSIA_CONFIG__"), [Some(3); 3]);

    // A failure that prints commands names the variable and not the key.
    stage.sandbox.inject("POST:/v1/schema=422 no".parse().unwrap());
    let text = format!("{all}\nanswer_timeout_seconds = 1");
    fs::write(
        home.join("delete.rhai"),
        "step \"A\" { delete_class(\"ELYSIA_CONFIG__\"); throw \"x\"; }",
    )
    .unwrap();
    fs::write(
        home.join("elysia-runbook.toml"),
        format!("[clusters.tls]\nnodes = [{nodes}]\ndrain_seconds = 0\n{text}"),
    )
    .unwrap();
    let mut command = support::program(home);
    command.args(["run", "delete", "--yes", "--cluster", "tls"]).env("WEAVIATE_API_KEY", CANARY);
    let ended = support::ended(command.output().unwrap(), &[]).exits(7);
    let ended = ended
        .says("Bearer $WEAVIATE_API_KEY")
        .says("--cacert ca.pem --cert client.pem --key client.key");
    assert!(!ended.transcript().contains(CANARY));
    assert!(!files(home).contains(CANARY), "the key is in a file");
}

/// Everything below a folder, as text.
fn files(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&files(&path));
        } else {
            all.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
    all
}
