//! Primitives on single objects: test records, and how long they take to reach every replica.

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Dynamic, ImmutableString, Map};

use super::throw::{Throws, ask, json, value};

/// Single objects: test records, and how long they take to arrive.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::{Dynamic, ImmutableString, Map};

    use crate::host::throw::{Throws, ask, value};

    /// Inserts an object into `class` and returns its id. It is written with consistency ONE, so
    /// that it can be done where replicas are missing. After a failure the host deletes it again.
    ///
    /// Changes the class: adds an object.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class or tenant, `invalid` for a property that the
    /// class lacks, as auto-schema would add it, `rejected` if the server said no, `unverifiable`
    /// if it is not known whether it was inserted.
    ///
    /// ```rhai
    /// let id = insert_object("Author", #{});
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn insert_object(
        context: NativeCallContext,
        class: &str,
        properties: Map,
    ) -> Throws<ImmutableString> {
        super::insert(&context, class, properties, "")
    }

    /// Like `insert_object(class, properties)`, for a `tenant` that is there and active; an empty
    /// one means none.
    ///
    /// ```rhai
    /// let id = insert_object("Author", #{}, "tenant1");
    /// ```
    #[rhai_fn(name = "insert_object", return_raw, volatile)]
    pub fn insert_object_of_tenant(
        context: NativeCallContext,
        class: &str,
        properties: Map,
        tenant: &str,
    ) -> Throws<ImmutableString> {
        super::insert(&context, class, properties, tenant)
    }

    /// Returns the copy of an object that the replica on `node` itself has, with its vector; `()`
    /// if it has none. `node` is a name as `replicas` has it. Repairs nothing, as other ways of
    /// reading may.
    ///
    /// Reads the replica of that node, and no other.
    ///
    /// Throws `unverifiable` if that replica can't be read, `invalid` if there is no such node,
    /// `not_found` if there is no such class.
    ///
    /// ```rhai
    /// let copy = get_object("node1", "Author", "f81bfe5e-16ba-4615-a516-46c2ae2e5a80");
    /// if copy == () { note("node1 does not have it"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn get_object(
        context: NativeCallContext,
        node: &str,
        class: &str,
        id: &str,
    ) -> Throws<Dynamic> {
        super::get(&context, node, class, id, "")
    }

    /// Like `get_object(node, class, id)`, for a tenant; an empty one means none.
    ///
    /// ```rhai
    /// get_object("node1", "Author", "f81bfe5e-16ba-4615-a516-46c2ae2e5a80", "tenant1");
    /// ```
    #[rhai_fn(name = "get_object", return_raw, volatile)]
    pub fn get_object_of_tenant(
        context: NativeCallContext,
        node: &str,
        class: &str,
        id: &str,
        tenant: &str,
    ) -> Throws<Dynamic> {
        super::get(&context, node, class, id, tenant)
    }

    /// Deletes an object that this run inserted, and waits until every replica is read to have lost
    /// it. Returns `false` if none had it.
    ///
    /// Changes the class: deletes the object.
    ///
    /// Refused for any other object, and if the cluster can't agree.
    ///
    /// Throws `unverifiable` if a replica can't be read or still has it, `rejected` if the server
    /// said no.
    ///
    /// ```rhai
    /// let id = insert_object("Author", #{});
    /// delete_object("Author", id);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn delete_object(context: NativeCallContext, class: &str, id: &str) -> Throws<bool> {
        ask(&context, |session| session.delete_object(class, id, ""))
    }

    /// Like `delete_object(class, id)`, for a tenant; an empty one means none.
    ///
    /// ```rhai
    /// let id = insert_object("Author", #{}, "tenant1");
    /// delete_object("Author", id, "tenant1");
    /// ```
    #[rhai_fn(name = "delete_object", return_raw, volatile)]
    pub fn delete_object_of_tenant(
        context: NativeCallContext,
        class: &str,
        id: &str,
        tenant: &str,
    ) -> Throws<bool> {
        ask(&context, |session| session.delete_object(class, id, tenant))
    }

    /// Inserts an object without properties with consistency ONE into `class`, which has one shard
    /// and no tenants, and measures until when each replica has it. Returns `#{ id, nodes: [#{
    /// node, milliseconds }] }`: the time from the answer to the write until the node's own replica
    /// returned it, `()` if it did not as long as an answer may take. The object stays until it is
    /// deleted.
    ///
    /// Changes the class: adds an object.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `invalid` if it has several shards or tenants,
    /// `rejected` if the server said no, `unverifiable` if the write had no clean answer.
    ///
    /// ```rhai
    /// let lag = replica_lag("Probe");
    /// for one in lag.nodes { note(`${one.node}: ${one.milliseconds} ms`); }
    /// delete_object("Probe", lag.id);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn replica_lag(context: NativeCallContext, class: &str) -> Throws<Map> {
        let lag = ask(&context, |session| session.replica_lag(class))?;
        value(&serde_json::json!(lag))
    }
}

fn insert(
    context: &NativeCallContext,
    class: &str,
    properties: Map,
    tenant: &str,
) -> Throws<ImmutableString> {
    let properties = json(&properties.into())?;
    ask(context, |session| session.insert_object(class, &properties, tenant)).map(Into::into)
}

fn get(
    context: &NativeCallContext,
    node: &str,
    class: &str,
    id: &str,
    tenant: &str,
) -> Throws<Dynamic> {
    let copy = ask(context, |session| session.get_object(node, class, id, tenant))?;
    copy.map_or(Ok(Dynamic::UNIT), |copy| value(&copy))
}
