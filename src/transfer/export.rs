//! Objects of one node into a file, page by page.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::objects_file::ObjectsFile;
use super::pages::Pages;
use crate::weaviate::{Countable, Error, Node};

/// What became of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Objects that were written to the file.
    pub objects: u64,
    /// Why these are not all; empty: they are.
    pub missing: Vec<String>,
}

/// Writes the objects that a node shows of a class, or of each of these tenants, into a file. What
/// can't be read is told in [`Exported::missing`], and what follows is read all the same. `due` tells how
/// long is to be waited when so many objects are there.
///
/// # Errors
///
/// The file could not be written.
pub async fn export(
    node: &Node,
    class: &str,
    tenants: Option<&[String]>,
    file: &mut ObjectsFile,
    due: &dyn Fn(u64) -> Option<Duration>,
) -> io::Result<Exported> {
    let mut exported = Exported::default();
    let each: Vec<Option<&str>> = match tenants {
        None => vec![None],
        Some(tenants) => tenants.iter().map(|tenant| Some(tenant.as_str())).collect(),
    };
    for tenant in each {
        let of = tenant.map_or_else(String::new, |tenant| format!(" of tenant `{tenant}`"));
        let before = count(node, class, tenant).await;
        let began = file.objects();
        let read = pages(node, class, tenant, String::new(), file, due).await?;
        let objects = file.objects() - began;
        exported.objects += objects;
        if let Err(error) = read {
            exported
                .missing
                .push(format!("the objects of {class}{of} after the first {objects}: {error}"));
            continue;
        }
        let after = count(node, class, tenant).await;
        match (before, after) {
            (Ok(before), Ok(after)) if before == objects && after == objects => {}
            (Ok(before), Ok(after)) => exported.missing.push(format!(
                "objects of {class}{of}: {objects} were saved, and the node counted {before} \
                 before and {after} after it; it is written to meanwhile"
            )),
            (Err(error), _) | (_, Err(error)) => exported.missing.push(format!(
                "the number of objects of {class}{of}, of which {objects} were saved: {error}"
            )),
        }
    }
    Ok(exported)
}

/// Goes on with a file where it was cut off, or begins it, and tells how many objects it has. Whether it
/// holds every object is for a sweep to tell. Tenants are in the order of their names. `due` tells how long
/// is to be waited when so many objects are there.
///
/// # Errors
///
/// The file could not be written; within it, a page could not be read.
pub async fn go_on_exporting(
    node: &Node,
    class: &str,
    tenants: Option<&[String]>,
    file: &mut ObjectsFile,
    due: &dyn Fn(u64) -> Option<Duration>,
) -> io::Result<Result<(), Error>> {
    let last = file.last().map(|last| (last.tenant.clone(), last.id.clone()));
    let last = last.as_ref().map(|(tenant, id)| (tenant.as_deref(), id));
    let each: Vec<Option<&str>> = match tenants {
        None => vec![None],
        Some(tenants) => tenants.iter().map(|tenant| Some(tenant.as_str())).collect(),
    };
    for tenant in each {
        let after = match last {
            Some((done, _)) if tenant < done => continue,
            Some((done, id)) if tenant == done => id.clone(),
            _ => String::new(),
        };
        if let Err(error) = pages(node, class, tenant, after, file, due).await? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

async fn pages(
    node: &Node,
    class: &str,
    tenant: Option<&str>,
    after: String,
    file: &mut ObjectsFile,
    due: &dyn Fn(u64) -> Option<Duration>,
) -> io::Result<Result<(), Error>> {
    let mut pages = Pages::new(node, class, tenant, after);
    loop {
        match pages.next_page().await {
            Err(error) => return Ok(Err(error)),
            Ok(page) if page.is_empty() => return Ok(Ok(())),
            Ok(page) => {
                for object in &page {
                    add(file, tenant, object.raw.get())?;
                }
                while let Some(time) = due(file.objects()) {
                    tokio::time::sleep(time).await;
                }
            }
        }
    }
}

/// Adds an object as the server showed it, with its tenant, which pages leave out.
pub(super) fn add(file: &mut ObjectsFile, tenant: Option<&str>, object: &str) -> io::Result<()> {
    // Only between tokens can JSON hold a line break as such.
    let text = if memchr::memchr2(b'\n', b'\r', object.as_bytes()).is_some() {
        Cow::Owned(object.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(object)
    };
    file.line(&[prefix(tenant).as_bytes(), &text.as_bytes()[1..]])
}

/// What a line begins with in place of the brace of the object.
pub(super) fn prefix(tenant: Option<&str>) -> String {
    match tenant {
        Some(tenant) => format!("{{\"tenant\":{},", serde_json::Value::from(tenant)),
        None => "{".to_owned(),
    }
}

/// Counts what this node shows. Where it does not count, as can happen while RAFT is split, its
/// pages are read for it.
async fn count(node: &Node, class: &str, tenant: Option<&str>) -> Result<u64, Error> {
    let what = Countable { class: class.into(), tenant: tenant.map(Into::into) };
    let counted = node.own_counts(std::slice::from_ref(&what)).await;
    if let Ok(counts) = counted
        && let Some(Ok(count)) = counts.get(&what)
    {
        return Ok(*count);
    }
    let mut pages = Pages::new(node, class, tenant, String::new());
    let mut objects = 0;
    loop {
        let page = pages.next_page().await?;
        if page.is_empty() {
            return Ok(objects);
        }
        objects += page.len() as u64;
    }
}
