//! Which cluster: `--node`, `--cluster` with `elysia-runbook.toml`, or the default.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use reqwest::Url;
use serde::Deserialize;

use crate::cli::TargetArgs;
use crate::error::{Error, Place};
use crate::weaviate::{Access, Secret, shell_word};

/// The nodes of a real cluster and how they are reached.
#[derive(Debug)]
pub(super) struct Target {
    /// Name and address of each.
    pub(super) nodes: Vec<(String, Url)>,
    /// Key, certificates, timeouts.
    pub(super) access: Access,
}

const DEFAULT: [&str; 3] =
    ["http://localhost:8080", "http://localhost:8081", "http://localhost:8082"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    clusters: BTreeMap<String, Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    nodes: Vec<String>,
    api_key_env: Option<String>,
    api_key_file: Option<PathBuf>,
    api_key_command: Option<String>,
    ca_file: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    connect_timeout_seconds: Option<u64>,
    answer_timeout_seconds: Option<u64>,
    drain_seconds: Option<u64>,
    #[serde(default)]
    allow_key_over_http: bool,
}

impl Target {
    /// Returns each node's address, the same however it was written.
    pub(super) fn addresses(&self) -> Vec<String> {
        let address = |(_, url): &(String, Url)| {
            let (host, port, path) = canonical(url);
            format!("{host}:{}{path}", port.unwrap_or_default())
        };
        self.nodes.iter().map(address).collect()
    }
}

/// Finds the cluster that the command line means.
pub(super) fn find(args: &TargetArgs) -> Result<Target, Error> {
    let entry = match &args.cluster {
        Some(name) => entry(name)?,
        None => Entry::default(),
    };
    let listed = if args.cluster.is_some() {
        entry.nodes.clone()
    } else if args.nodes.is_empty() {
        match std::env::var("ELYSIA_RUNBOOK_NODES").ok().filter(|nodes| !nodes.is_empty()) {
            Some(nodes) => nodes.split(',').map(|node| node.trim().to_owned()).collect(),
            None => DEFAULT.iter().map(ToString::to_string).collect(),
        }
    } else {
        args.nodes.clone()
    };
    let nodes = listed.iter().map(|node| parse(node)).collect::<Result<Vec<_>, _>>()?;
    if nodes.is_empty() {
        return Err(Error::usage("the cluster has no nodes").hint("list them as `nodes = [\"…\"]`"));
    }
    for (at, (name, url)) in nodes.iter().enumerate() {
        for (other, other_url) in &nodes[..at] {
            // Asking one node twice would count it as two.
            if canonical(url) == canonical(other_url) || name == other {
                return Err(Error::usage(format!("the node `{name}` is named twice"))
                    .hint("name each node of the cluster once"));
            }
        }
    }
    let api_key = api_key(&entry)?;
    if api_key.is_some() && !entry.allow_key_over_http {
        refuse_plain_http(&nodes)?;
    }
    let access = Access {
        api_key,
        ca_file: entry.ca_file,
        client_certificate: entry.client_certificate,
        client_key: entry.client_key,
        connect_timeout: seconds(entry.connect_timeout_seconds, Access::default().connect_timeout),
        answer_timeout: seconds(entry.answer_timeout_seconds, Access::default().answer_timeout),
        drain: args
            .drain
            .or(entry.drain_seconds)
            .map_or(Access::default().drain, Duration::from_secs),
        rate: args.rate,
    };
    Ok(Target { nodes, access })
}

/// Returns the flags that name the cluster again, for commands that are printed.
pub(super) fn flags(args: &TargetArgs) -> String {
    let cluster = args.cluster.iter().map(|name| ("--cluster", name));
    let nodes = args.nodes.iter().map(|node| ("--node", node));
    let flags: Vec<_> = cluster
        .chain(nodes)
        .map(|(flag, value)| format!(" {flag} {}", shell_word(value)))
        .collect();
    flags.concat()
}

/// Returns an address in which the names of this machine are one.
fn canonical(url: &Url) -> (String, Option<u16>, String) {
    let host = match url.host() {
        Some(url::Host::Domain("localhost")) => "127.0.0.1".into(),
        Some(url::Host::Ipv6(address)) if address.is_loopback() => "127.0.0.1".into(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    (host, url.port_or_known_default(), url.path().trim_end_matches('/').to_owned())
}

fn seconds(given: Option<u64>, default: Duration) -> Duration {
    given.filter(|seconds| *seconds > 0).map_or(default, Duration::from_secs)
}

fn parse(node: &str) -> Result<(String, Url), Error> {
    let (name, address) = match node.split_once('=') {
        Some((name, address)) if !name.contains("://") => (Some(name.trim()), address),
        _ => (None, node),
    };
    let address = address.trim();
    let wrong = |why: &str| {
        Error::usage(format!("`{address}` is not the address of a node: {why}"))
            .hint("write `--node http://HOST:PORT`, or `--node NAME=http://HOST:PORT`")
    };
    let url = Url::parse(address).map_err(|e| wrong(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it does not begin with http:// or https://"));
    }
    let host = url.host_str().ok_or_else(|| wrong("it has no host"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::usage("an address must not hold a user or a password")
            .hint("set WEAVIATE_API_KEY instead"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or fragment"));
    }
    let name = match name {
        Some("") => return Err(wrong("its name is empty")),
        Some(name) => name.to_owned(),
        None => match url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        },
    };
    Ok((name, url))
}

fn refuse_plain_http(nodes: &[(String, Url)]) -> Result<(), Error> {
    let loopback = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match nodes.iter().find(|(_, url)| url.scheme() == "http" && !loopback(url)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::usage(format!(
            "the API key would travel unencrypted to `{name}`"
        ))
        .hint("use https://, or allow it for this cluster in elysia-runbook.toml: allow_key_over_http = true")),
    }
}

fn api_key(entry: &Entry) -> Result<Option<Secret>, Error> {
    let given = [
        entry.api_key_env.is_some(),
        entry.api_key_file.is_some(),
        entry.api_key_command.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() > 1 {
        return Err(Error::usage(
            "only one of `api_key_env`, `api_key_file` and `api_key_command` can be given",
        ));
    }
    let key = if let Some(name) = &entry.api_key_env {
        Some(std::env::var(name).map_err(|_| {
            Error::usage(format!("the environment variable `{name}` of `api_key_env` is not set"))
        })?)
    } else if let Some(path) = &entry.api_key_file {
        Some(key_file(path)?)
    } else if let Some(command) = &entry.api_key_command {
        Some(key_command(command)?)
    } else {
        std::env::var("WEAVIATE_API_KEY").ok()
    };
    Ok(key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).map(Secret::new))
}

fn key_file(path: &Path) -> Result<String, Error> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Error::usage(format!("`api_key_file` {} can't be used", path.display())).cause(why)
    };
    let mode = std::fs::metadata(path).map_err(|e| unreadable(&e))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(unreadable(&"others may read it").hint(format!("chmod 600 {}", path.display())));
    }
    std::fs::read_to_string(path).map_err(|e| unreadable(&e))
}

fn key_command(command: &str) -> Result<String, Error> {
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| Error::usage("`api_key_command` can't be run").cause(e))?;
    if !output.status.success() {
        return Err(Error::usage(format!("`api_key_command` failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::usage("`api_key_command` printed no text"))
}

/// Returns where clusters are described, the first that knows a name wins.
fn places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("elysia-runbook.toml")];
    if let Ok(base) = etcetera::choose_base_strategy() {
        places.push(base.config_dir().join("elysia-runbook/elysia-runbook.toml"));
    }
    places
}

/// Returns the names of all clusters that can be read.
pub(crate) fn names() -> Vec<String> {
    let texts = places().into_iter().filter_map(|place| std::fs::read_to_string(place).ok());
    let files = texts.filter_map(|text| toml::from_str::<toml::Table>(&text).ok());
    let clusters = files.filter_map(|file| Some(file.get("clusters")?.as_table()?.clone()));
    let names: BTreeSet<String> =
        clusters.flat_map(|table| table.into_iter().map(|(name, _)| name)).collect();
    names.into_iter().collect()
}

fn entry(name: &str) -> Result<Entry, Error> {
    let places = places();
    let mut known = vec![];
    for place in places.iter().filter(|place| place.is_file()) {
        let text = std::fs::read_to_string(place)
            .map_err(|e| Error::usage(format!("{} can't be read", place.display())).cause(e))?;
        let mut file: File = toml::from_str(&text).map_err(|e| misread(place, &text, &e))?;
        if let Some(entry) = file.clusters.remove(name) {
            return Ok(entry);
        }
        known.extend(file.clusters.into_keys());
    }
    let unknown = Error::usage(format!("there is no cluster `{name}` in elysia-runbook.toml"));
    Err(if known.is_empty() {
        let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        unknown.hint(format!(
            "write it to {}: [clusters.{name}] with nodes = [\"http://…\"]",
            places.join(" or ")
        ))
    } else {
        unknown.hint(format!("there is {}", known.join(", ")))
    })
}

/// Returns what is wrong with the file, with its line.
fn misread(file: &Path, text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let place = Place {
        file: file.display().to_string(),
        text: text.into(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
    };
    // The names that are known are many; the one that was meant is what helps.
    let (message, known) = match error.message().split_once(", expected one of ") {
        Some((message, known)) if message.starts_with("unknown field") => {
            (message.replace("unknown field", "unknown key"), known)
        }
        _ => (error.message().to_owned(), ""),
    };
    let wrong = message.split('`').nth(1).unwrap_or_default();
    let near = known
        .split('`')
        .filter(|name| !name.is_empty() && !name.starts_with(','))
        .map(|name| (strsim::jaro_winkler(name, wrong), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let found = Error::usage(message).at(place);
    match near {
        Some((_, near)) => found.hint(format!("did you mean `{near}`?")),
        None if !known.is_empty() => found.hint(format!("there are {known}")),
        None => found,
    }
}
