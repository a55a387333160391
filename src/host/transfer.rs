//! Primitives that move objects between nodes and files. A script never sees an object, and reaches
//! no other file.

use std::path::{Component, Path, PathBuf};

use rhai::plugin::{NativeCallContext, export_module};

use super::throw::run;
use crate::error::{Code, Failure};

/// Objects to files and back. A script sees none, and no other file.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::Map;

    use super::folder_of;
    use crate::host::throw::{Throws, ask, value};

    /// Saves what `node` has itself, in a new folder in `folder`: of every class in its own schema
    /// the definition, the tenants and the objects that it shows, with a `manifest.json` that has
    /// the SHA-256 of each file. Returns `#{ classes, objects, unreached }`; `unreached` says what
    /// could not be saved, and is empty if everything was. Works while RAFT is split.
    ///
    /// Reads that node: its own schema, and every object that it shows.
    ///
    /// Throws `unreachable` if the node does not answer, `conflict` if `folder` has a backup of it
    /// already, `invalid` for a folder outside of the current one that is no parameter, or if there
    /// is no such node.
    ///
    /// ```rhai
    /// for node in nodes() {
    ///     let saved = backup_node(node, "weaviate-backup");
    ///     check(`${node} is saved`, saved.unreached.is_empty());
    /// }
    /// ```
    #[rhai_fn(name = "backup_node", return_raw, volatile)]
    pub fn backup_all(context: NativeCallContext, node: &str, folder: &str) -> Throws<Map> {
        super::backup(&context, node, folder, None)
    }

    /// Like `backup_node(node, folder)`, for one class.
    ///
    /// ```rhai
    /// let saved = backup_node("node1", "weaviate-backup", "Author");
    /// ```
    #[rhai_fn(name = "backup_node", return_raw, volatile)]
    pub fn backup_one(
        context: NativeCallContext,
        node: &str,
        folder: &str,
        class: &str,
    ) -> Throws<Map> {
        super::backup(&context, node, folder, Some(class))
    }

    /// Exports every object of `class` into a new folder in `folder`, while it may be written to.
    /// From then on `delete_class` deletes it although it holds objects: while writes are paused it
    /// finds and saves what changed since, and compares every replica with what is saved. Returns
    /// `#{ from, folder, objects }`, with which `restore_class` brings it back at any time.
    ///
    /// Reads every object, and where the replicas are.
    ///
    /// Throws `not_found` if there is no such class, `unverifiable` if a replica can't be read or a
    /// tenant is not active, `invalid` for a folder outside of the current one that is no
    /// parameter.
    ///
    /// ```rhai
    /// let saved = export_class("Author", "weaviate-export");
    /// note(`${saved.objects} objects are in ${saved.folder}/${saved.from}`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn export_class(context: NativeCallContext, class: &str, folder: &str) -> Throws<Map> {
        let place = folder_of(&context, folder);
        let (export, objects) = ask(&context, |session| session.export_class(class, &place?))?;
        value(&serde_json::json!({ "from": export.name, "folder": folder, "objects": objects }))
    }

    /// Imports what this run exported of `class` into the class of that name that is there now, and
    /// checks that every node shows every object. What writers wrote meanwhile stays. Creates the
    /// tenants that it had when it was deleted. Returns `#{ imported, kept }`.
    ///
    /// Changes the class: adds objects and, where they are missing, tenants.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `invalid` if this run has not exported it, `not_found` if there is no such class,
    /// `rejected` if the server does not take an object, `unverifiable` if no node that answers has
    /// it.
    ///
    /// ```rhai
    /// import_class("Author");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn import_class(context: NativeCallContext, class: &str) -> Throws<Map> {
        let done = ask(&context, |session| session.import_class(class))?;
        value(&serde_json::json!({ "imported": done.imported, "kept": done.kept }))
    }

    /// Restores `class` from what `backup_node` saved of `node` in `folder`: creates it with its
    /// tenants if it is missing, writes the objects that a node lacks or has an older version of,
    /// and checks that every node shows every one. Nothing newer is overwritten. Returns `#{
    /// objects, imported, kept }`.
    ///
    /// Changes the class: creates it where it is missing, and adds tenants and objects.
    ///
    /// Refused if a file is not as it was saved, if there is another class of this name, or if the
    /// cluster can't agree.
    ///
    /// Throws `not_found` if there is no such backup, `rejected` if the server does not take an
    /// object, `invalid` for a folder outside of the current one that is no parameter.
    ///
    /// ```rhai
    /// let restored = restore_class("Author", "node1", "weaviate-backup");
    /// note(`${restored.imported} of ${restored.objects} objects imported`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn restore_class(
        context: NativeCallContext,
        class: &str,
        node: &str,
        folder: &str,
    ) -> Throws<Map> {
        super::restore(&context, class, node, folder, class)
    }

    /// Like `restore_class(class, node, folder)`, under another name. References to the class itself go
    /// on referring to the one of the old name.
    ///
    /// ```rhai
    /// let restored = restore_class("Author", "node1", "weaviate-backup", "AuthorOfMay");
    /// ```
    #[rhai_fn(name = "restore_class", return_raw, volatile)]
    pub fn restore_as(
        context: NativeCallContext,
        class: &str,
        node: &str,
        folder: &str,
        name: &str,
    ) -> Throws<Map> {
        super::restore(&context, class, node, folder, name)
    }
}

fn restore(
    context: &NativeCallContext,
    class: &str,
    node: &str,
    folder: &str,
    name: &str,
) -> super::throw::Throws<rhai::Map> {
    let folder = folder_of(context, folder);
    let restored =
        |session: &crate::session::Session| session.restore_class(class, node, &folder?, name);
    let done = super::throw::ask(context, restored)?;
    super::throw::value(&serde_json::json!({
        "objects": done.objects, "imported": done.imported, "kept": done.kept,
    }))
}

fn backup(
    context: &NativeCallContext,
    node: &str,
    folder: &str,
    class: Option<&str>,
) -> super::throw::Throws<rhai::Map> {
    let folder = folder_of(context, folder);
    let saved = super::throw::ask(context, |session| session.backup_node(node, &folder?, class))?;
    super::throw::value(&serde_json::json!({
        "classes": saved.classes, "objects": saved.objects, "unreached": saved.unreached,
    }))
}

/// Returns the folder: one below the current folder, or what the operator can see as a parameter.
fn folder_of(context: &NativeCallContext, folder: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(folder);
    let below = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    let run = run(context);
    let named = run
        .parameters
        .values()
        .any(|value| value.clone().into_string().is_ok_and(|value| value == folder));
    if folder.is_empty() || !(named || path.components().all(below)) {
        let why = format!("`{folder}` is no folder for a backup");
        return Err(Failure::new(Code::Invalid, why)
            .hint("one outside of the current folder has to be a parameter: --set folder=DIR"));
    }
    Ok(path.to_owned())
}
