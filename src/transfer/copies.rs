//! What each node shows of the objects in a window.
//!
//! A node reads its own replica of a shard where it has one. So what every node shows tells what
//! every replica holds, without naming one, and nothing is repaired by reading.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;

use super::lines::{Line, Window, id_before};
use crate::weaviate::{Error, Node, PageAt, RawObject};

/// How many objects are asked for at once that a page did not reach.
const AT_ONCE: usize = 8;

/// An object as a node shows it.
#[derive(Debug)]
pub(super) struct Copy {
    /// When it was written last.
    pub(super) updated: i64,
    /// The object.
    pub(super) raw: Box<RawValue>,
}

/// What a node shows, by id.
pub(super) type Copies = BTreeMap<String, Copy>;

/// Asks all nodes at once. One page covers a window, unless the class holds other objects in
/// between; those are asked for one by one, so that a large class is not read for a small file.
pub(super) async fn on_every_node(
    nodes: &[&Node],
    class: &str,
    window: &Window,
) -> Result<Vec<Copies>, Error> {
    try_join_all(nodes.iter().map(|node| on_node(node, class, window))).await
}

async fn on_node(node: &Node, class: &str, window: &Window) -> Result<Copies, Error> {
    let tenant = window.tenant.as_deref();
    let (after, limit) = (window.after(), window.lines.len());
    let page = node.raw_page(PageAt { class, tenant, after: &after, limit }).await?;
    let end = page.last().filter(|_| page.len() >= limit).map(|last| last.id.clone());
    let mut copies: Copies = page.into_iter().map(copy).collect();
    let beyond: Vec<&Line> =
        window.lines.iter().filter(|line| end.as_ref().is_some_and(|end| line.id > *end)).collect();
    let singles: Vec<Option<(String, Copy)>> = stream::iter(beyond)
        .map(|line| async move {
            let after = id_before(&line.id);
            let at = PageAt { class, tenant, after: &after, limit: 1 };
            let found = node.raw_page(at).await?.into_iter().find(|found| found.id == line.id);
            Ok::<_, Error>(found.map(copy))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    copies.extend(singles.into_iter().flatten());
    Ok(copies)
}

fn copy(object: RawObject) -> (String, Copy) {
    (object.id, Copy { updated: object.updated, raw: object.raw })
}
