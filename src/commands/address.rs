//! Addresses of nodes: reading them, and what must not be among them.

use reqwest::Url;

use crate::error::Error;

/// Name and address of a node.
pub(super) type Address = (String, Url);

/// Reads `[NAME=]URL`.
pub(super) fn parse(node: &str) -> Result<Address, Error> {
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

/// Finds a node that is named a second time, with why that can't be. Asking one node twice would count it
/// as two.
pub(super) fn repeated(nodes: &[Address]) -> Option<(usize, Error)> {
    let is_like = |(name, url): &Address, (other, others): &Address| {
        name == other || canonical(url) == canonical(others)
    };
    let second = |at: &usize| nodes[..*at].iter().any(|other| is_like(&nodes[*at], other));
    let at = (0..nodes.len()).find(second)?;
    let error = Error::usage(format!("the node `{}` is named twice", nodes[at].0))
        .hint("name each node of the cluster once");
    Some((at, error))
}

/// Returns an address in which the names of this machine are one.
pub(super) fn canonical(url: &Url) -> (String, Option<u16>, String) {
    let host = match url.host() {
        Some(url::Host::Domain("localhost")) => "127.0.0.1".into(),
        Some(url::Host::Ipv6(address)) if address.is_loopback() => "127.0.0.1".into(),
        Some(host) => host.to_string(),
        None => String::new(),
    };
    (host, url.port_or_known_default(), url.path().trim_end_matches('/').to_owned())
}

/// Finds a node to which a key would travel unencrypted, with why that is refused.
pub(super) fn exposed(nodes: &[Address]) -> Option<(usize, Error)> {
    let loopback = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let at = nodes.iter().position(|(_, url)| url.scheme() == "http" && !loopback(url))?;
    let error = Error::usage(format!("the API key would travel unencrypted to `{}`", nodes[at].0))
        .hint("use https://, or allow it for this cluster in elysia-runbook.toml: allow_key_over_http = true");
    Some((at, error))
}
