//! Primitives on classes and their tenants.

use rhai::plugin::{NativeCallContext, export_module};

/// Classes and their tenants.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::{Array, INT, ImmutableString, Map};

    use crate::host::throw::{Throws, ask, json, value};
    use crate::weaviate::Tenant;

    /// Returns the definition of `class` as the RAFT leader has it.
    ///
    /// Reads the schema of the RAFT leader, through the first node that answers.
    ///
    /// Throws `not_found` if there is no such class, `invalid` for an alias of one, `unreachable`
    /// if no node answers.
    ///
    /// ```rhai
    /// let schema = get_schema("Author");
    /// note(`factor ${schema.replicationConfig.factor}`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn get_schema(context: NativeCallContext, class: &str) -> Throws<Map> {
        let schema = ask(&context, |session| session.get_schema(class))?;
        value(&schema)
    }

    /// Returns the number of objects in `class`, when every shard could be counted.
    ///
    /// Reads every node: schemas, RAFT, where the replicas are, and what each node counts.
    ///
    /// Throws `unverifiable` if a node, a shard's replica or a tenant could not be looked at;
    /// unknown is never 0. Throws `not_found` if there is no such class.
    ///
    /// ```rhai
    /// if count("Author") == 0 { note("nothing to export"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn count(context: NativeCallContext, class: &str) -> Throws<INT> {
        let count = ask(&context, |session| session.count(class))?;
        Ok(INT::try_from(count).unwrap_or(INT::MAX))
    }

    /// Deletes `class`, which must hold no object, or only what this run exported, and waits until
    /// every node's own schema has lost it. Returns `false` if there was none.
    ///
    /// Changes the class. Its schema and its tenants are saved first, and its shards take no writes
    /// from the last look for objects on.
    ///
    /// Refused if the cluster can't agree, if the class may hold objects, or if it was changed
    /// since this run read its schema.
    ///
    /// Throws `rejected` if the server said no, `unverifiable` if a node does not show that it lost
    /// it, `conflict` if it changed meanwhile or came back.
    ///
    /// ```rhai
    /// delete_class("Author");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn delete_class(context: NativeCallContext, class: &str) -> Throws<bool> {
        ask(&context, |session| session.delete_class(class))
    }

    /// Creates the class that `schema` defines, and waits until every node's own schema has it. One
    /// that this run deleted stays away for 12 seconds first, unless `--drain` says otherwise.
    ///
    /// Changes the schema: adds the class.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `conflict` if there is such a class or another one appeared meanwhile, `invalid` for
    /// a definition without a name, `rejected` if the server said no, `unverifiable` if it is not
    /// known whether it was created.
    ///
    /// ```rhai
    /// create_class(#{ class: "Author", replicationConfig: #{ factor: 3 } });
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn create_class(context: NativeCallContext, schema: Map) -> Throws<()> {
        let definition = json(&schema.into())?;
        ask(&context, |session| session.create_class(&definition))
    }

    /// Returns the command with which a person can delete `class`, for messages.
    ///
    /// Asks no node.
    ///
    /// Throws `invalid` for a name that no class can have.
    ///
    /// ```rhai
    /// note(`Probe was left by another run; remove it: ${delete_command("Probe")}`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn delete_command(context: NativeCallContext, class: &str) -> Throws<ImmutableString> {
        ask(&context, |session| session.delete_command(class)).map(Into::into)
    }

    /// Tells whether the RAFT leader has `class`.
    ///
    /// Reads the schema of the RAFT leader, through the first node that answers.
    ///
    /// Throws `unreachable` if no node answers, `invalid` for a name that no class can have.
    ///
    /// ```rhai
    /// if !class_exists("Author") { note("no authors yet"); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn class_exists(context: NativeCallContext, class: &str) -> Throws<bool> {
        ask(&context, |session| session.class_exists(class))
    }

    /// Returns the names of all classes that the RAFT leader has.
    ///
    /// Reads the schema of the RAFT leader, through the first node that answers.
    ///
    /// Throws `unreachable` if no node answers.
    ///
    /// ```rhai
    /// for class in list_classes() { note(class); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn list_classes(context: NativeCallContext) -> Throws<Array> {
        let classes = ask(&context, crate::session::Session::list_classes)?;
        Ok(classes.into_iter().map(Into::into).collect())
    }

    /// Returns the tenants of `class`, each with `name` and `activityStatus`; none for a class
    /// without multi-tenancy.
    ///
    /// Reads the class and its tenants as the RAFT leader has them.
    ///
    /// Throws `not_found` if there is no such class, `unreachable` if no node answers.
    ///
    /// ```rhai
    /// note(`${tenants("Author").len()} tenants`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn tenants(context: NativeCallContext, class: &str) -> Throws<Array> {
        let tenants = ask(&context, |session| session.tenants(class))?.unwrap_or_default();
        tenants.iter().map(rhai::serde::to_dynamic).collect()
    }

    /// Creates those of `tenants` that `class` lacks, in the states that they name.
    ///
    /// Changes the class: adds tenants.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `invalid` if it has no multi-tenancy or a
    /// tenant lacks `name` or `activityStatus`, `rejected` if the server said no, `unverifiable` if
    /// it is not known whether they were created.
    ///
    /// ```rhai
    /// create_tenants("Author", [#{ name: "t1", activityStatus: "HOT" }]);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn create_tenants(context: NativeCallContext, class: &str, tenants: Array) -> Throws<()> {
        if tenants.is_empty() {
            return Ok(());
        }
        let tenants: Vec<Tenant> = rhai::serde::from_dynamic(&tenants.into())?;
        ask(&context, |session| session.create_tenants(class, &tenants))
    }

    /// Activates the tenants of `class` that are inactive, and waits until their replicas are open: their
    /// objects can be read then. Returns how many. What they were is saved, and put back by
    /// `put_tenants_back`, or when a step fails. Offloaded ones stay as they are.
    ///
    /// Changes the states of tenants.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `rejected` if the server said no, `unverifiable`
    /// if a replica does not open.
    ///
    /// ```rhai
    /// note(`${activate_tenants("Author")} tenants activated`);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn activate_tenants(context: NativeCallContext, class: &str) -> Throws<INT> {
        let activated = ask(&context, |session| session.activate_tenants(class))?;
        Ok(INT::try_from(activated).unwrap_or(INT::MAX))
    }

    /// Puts the tenants of `class` that this run activated back into the states that they had. Returns how
    /// many; those that somebody deleted or changed since are left as they are. When a step fails it is
    /// done without it, after all else.
    ///
    /// Changes the states of tenants.
    ///
    /// Refused if the cluster can't agree.
    ///
    /// Throws `not_found` if there is no such class, `rejected` if the server said no.
    ///
    /// ```rhai
    /// put_tenants_back("Author");
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn put_tenants_back(context: NativeCallContext, class: &str) -> Throws<INT> {
        let put_back = ask(&context, |session| session.put_tenants_back(class))?;
        Ok(INT::try_from(put_back).unwrap_or(INT::MAX))
    }
}
