//! Which cluster: `--node`, `--cluster` with `elysia-runbook.toml`, or the default.

use std::time::Duration;

use super::address::{self, Address, canonical};
use super::config::{self, Described, Entry};
use super::key;
use crate::cli::TargetArgs;
use crate::error::Error;
use crate::weaviate::{Access, shell_word};

/// The nodes of a real cluster and how they are reached.
#[derive(Debug)]
pub(super) struct Target {
    /// Name and address of each.
    pub(super) nodes: Vec<Address>,
    /// Key, certificates, timeouts.
    pub(super) access: Access,
}

const DEFAULT: [&str; 3] =
    ["http://localhost:8080", "http://localhost:8081", "http://localhost:8082"];

impl Target {
    /// Returns each node's address, the same however it was written.
    pub(super) fn addresses(&self) -> Vec<String> {
        let address = |(_, url): &Address| {
            let (host, port, path) = canonical(url);
            format!("{host}:{}{path}", port.unwrap_or_default())
        };
        self.nodes.iter().map(address).collect()
    }
}

/// Finds the cluster that the command line means.
pub(super) fn find(args: &TargetArgs) -> Result<Target, Error> {
    let mut target = match &args.cluster {
        Some(name) => described(&config::find(name)?)?,
        None => named(args)?,
    };
    if let Some(drain) = args.drain {
        target.access.drain = Duration::from_secs(drain);
    }
    target.access.rate = args.rate;
    Ok(target)
}

/// Returns the nodes of the command line or of the environment.
fn named(args: &TargetArgs) -> Result<Target, Error> {
    let variable = std::env::var("ELYSIA_RUNBOOK_NODES").ok().filter(|nodes| !nodes.is_empty());
    let listed: Vec<String> = match variable {
        _ if !args.nodes.is_empty() => args.nodes.clone(),
        Some(nodes) => nodes.split(',').map(|node| node.trim().to_owned()).collect(),
        None => DEFAULT.iter().map(ToString::to_string).collect(),
    };
    let nodes = listed.iter().map(|node| address::parse(node)).collect::<Result<Vec<_>, _>>()?;
    let api_key = key::usual();
    let exposed = address::exposed(&nodes).filter(|_| api_key.is_some());
    match address::repeated(&nodes).or(exposed) {
        Some((_, error)) => Err(error),
        None => Ok(Target { nodes, access: Access { api_key, ..Access::default() } }),
    }
}

/// Returns the cluster of the file.
fn described(cluster: &Described) -> Result<Target, Error> {
    let nodes = cluster.nodes()?;
    let api_key = cluster.key(&nodes)?;
    let (client_certificate, client_key) = cluster.identity()?.unzip();
    let Entry { ca_file, connect_timeout_seconds, answer_timeout_seconds, drain_seconds, .. } =
        &cluster.entry;
    let usual = Access::default();
    let access = Access {
        api_key,
        ca_file: ca_file.clone(),
        client_certificate,
        client_key,
        connect_timeout: seconds(*connect_timeout_seconds, usual.connect_timeout),
        answer_timeout: seconds(*answer_timeout_seconds, usual.answer_timeout),
        drain: drain_seconds.map_or(usual.drain, Duration::from_secs),
        rate: None,
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

fn seconds(given: Option<u64>, default: Duration) -> Duration {
    given.filter(|seconds| *seconds > 0).map_or(default, Duration::from_secs)
}
