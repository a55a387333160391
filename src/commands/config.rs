//! `elysia-runbook.toml`: named clusters. What is wrong with one is told at its line.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use toml::Spanned;

use super::address::{self, Address};
use super::key;
use crate::error::{Error, Place};
use crate::weaviate::Secret;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    clusters: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    nodes: Spanned<Vec<Spanned<String>>>,
    api_key_env: Option<Spanned<String>>,
    api_key_file: Option<Spanned<PathBuf>>,
    api_key_command: Option<Spanned<String>>,
    pub(super) ca_file: Option<PathBuf>,
    client_certificate: Option<Spanned<PathBuf>>,
    client_key: Option<Spanned<PathBuf>>,
    pub(super) connect_timeout_seconds: Option<u64>,
    pub(super) answer_timeout_seconds: Option<u64>,
    pub(super) drain_seconds: Option<u64>,
    #[serde(default)]
    allow_key_over_http: bool,
}

/// A cluster as the file describes it.
pub(super) struct Described {
    pub(super) entry: Entry,
    source: Text,
}

/// A file, to point at its lines.
struct Text {
    file: PathBuf,
    text: String,
}

impl Described {
    /// Returns the nodes, each once.
    pub(super) fn nodes(&self) -> Result<Vec<Address>, Error> {
        let listed = self.entry.nodes.get_ref();
        if listed.is_empty() {
            let error =
                Error::usage("the cluster has no nodes").hint("list them as `nodes = [\"…\"]`");
            return Err(self.at(error, &self.entry.nodes));
        }
        let parse = |node: &Spanned<String>| {
            address::parse(node.get_ref()).map_err(|error| self.at(error, node))
        };
        let nodes = listed.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        match address::repeated(&nodes) {
            Some((at, error)) => Err(self.at(error, &listed[at])),
            None => Ok(nodes),
        }
    }

    /// Returns the key, which must not travel where others can read it.
    pub(super) fn key(&self, nodes: &[Address]) -> Result<Option<Secret>, Error> {
        let Entry { api_key_env, api_key_file, api_key_command, .. } = &self.entry;
        let given = [
            api_key_env.as_ref().map(Spanned::span),
            api_key_file.as_ref().map(Spanned::span),
            api_key_command.as_ref().map(Spanned::span),
        ];
        if let Some(second) = given.into_iter().flatten().nth(1) {
            let error = Error::usage(
                "only one of `api_key_env`, `api_key_file` and `api_key_command` can be given",
            );
            return Err(error.at(self.source.place(&second)));
        }
        let key = if let Some(name) = api_key_env {
            key::variable(name.get_ref()).map_err(|error| self.at(error, name))?
        } else if let Some(file) = api_key_file {
            key::file(file.get_ref()).map_err(|error| self.at(error, file))?
        } else if let Some(command) = api_key_command {
            key::command(command.get_ref()).map_err(|error| self.at(error, command))?
        } else {
            key::usual()
        };
        if key.is_some()
            && !self.entry.allow_key_over_http
            && let Some((at, error)) = address::exposed(nodes)
        {
            return Err(self.at(error, &self.entry.nodes.get_ref()[at]));
        }
        Ok(key)
    }

    /// Returns the client's certificate and key; both or none.
    pub(super) fn identity(&self) -> Result<Option<(PathBuf, PathBuf)>, Error> {
        let alone = |given: &Spanned<PathBuf>| {
            let error = Error::usage(
                "`client_certificate` and `client_key` belong together; one is missing",
            );
            Err(self.at(error, given))
        };
        match (&self.entry.client_certificate, &self.entry.client_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some((certificate.get_ref().clone(), key.get_ref().clone())))
            }
            (Some(given), None) | (None, Some(given)) => alone(given),
        }
    }

    fn at<T>(&self, error: Error, value: &Spanned<T>) -> Error {
        error.at(self.source.place(&value.span()))
    }
}

impl Text {
    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or_default();
        Place {
            file: self.file.display().to_string(),
            text: self.text.clone(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
        }
    }
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

/// Finds the cluster of this name.
pub(super) fn find(name: &str) -> Result<Described, Error> {
    let places = places();
    let mut known = vec![];
    for place in places.iter().filter(|place| place.is_file()) {
        let source = read(place)?;
        let mut file: File =
            toml::from_str(&source.text).map_err(|error| misread(&source, &error))?;
        if let Some(entry) = file.clusters.remove(name) {
            return Ok(Described { entry, source });
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

fn read(file: &Path) -> Result<Text, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Error::usage(format!("{} can't be read", file.display())).cause(e))?;
    Ok(Text { file: file.to_owned(), text })
}

/// Returns what is wrong with the file, with its line.
fn misread(source: &Text, error: &toml::de::Error) -> Error {
    let place = source.place(&error.span().unwrap_or_default());
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
