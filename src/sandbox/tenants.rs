//! `/v1/schema/CLASS/tenants`.
//!
//! A tenant is a shard with a name of the user's choice (`class::Shard`).

use serde_json::{Value, json};

use super::call::{Call, Outcome, Reply};
use super::class::{Class, Shard, class_name};
use super::placement::places;
use super::raft::Command;
use super::world::World;

const STATUSES: [&str; 10] = [
    "ACTIVE",
    "INACTIVE",
    "OFFLOADED",
    "OFFLOADING",
    "ONLOADING",
    "HOT",
    "COLD",
    "FROZEN",
    "FREEZING",
    "UNFREEZING",
];

/// How many tenants one `PUT` may change.
const MOST_UPDATED: usize = 100;

/// `GET /v1/schema/CLASS/tenants`
pub(super) fn list(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let name = class_name(class);
    let class = found(world, at, call, class).map_err(|refused| {
        if call.own_schema {
            Reply::error(422, &format!("class \"{name}\": not found"))
        } else {
            refused
        }
    })?;
    if call.own_schema {
        // Of its own schema the server lists the tenants that were named, and none was.
        return Ok(Reply::json(200, &json!([])));
    }
    let mut list: Vec<Value> =
        class.shards.iter().map(|(name, shard)| shown(name, shard)).collect();
    // As the server does, which keeps them in a map.
    fastrand::shuffle(&mut list);
    Ok(Reply::json(200, &Value::Array(list)))
}

/// `GET /v1/schema/CLASS/tenants/TENANT`
pub(super) fn get(world: &mut World, at: usize, call: &Call, class: &str, tenant: &str) -> Outcome {
    let class = found(world, at, call, class)
        .map_err(|refused| if call.own_schema { Reply::empty(404) } else { refused })?;
    let shard = class.shards.get(tenant);
    Ok(shard.map_or(Reply::empty(404), |shard| Reply::json(200, &shown(tenant, shard))))
}

/// `POST /v1/schema/CLASS/tenants`: a tenant that exists already stays as it is.
pub(super) fn add(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let sent = sent(call)?;
    for (index, tenant) in sent.iter().enumerate() {
        check_name(index, &tenant.name)?;
    }
    let class = changed(world, at, class, "TYPE_ADD_TENANT")?;
    let places = places(world, at, class.factor()).map_err(|error| Reply::error(422, &error))?;
    let mut tenants = Vec::new();
    for tenant in sent.iter().filter(|tenant| !class.shards.contains_key(&tenant.name)) {
        let replicas = places(class.shards.len() + tenants.len());
        tenants
            .push((tenant.name.clone(), Shard { replicas, active: tenant.active.unwrap_or(true) }));
    }
    let class = class.name().to_owned();
    commit(world, at, Command::SetTenants { class, tenants })?;
    Ok(Reply::json(200, &sent.iter().map(|tenant| tenant.json(false)).collect()))
}

/// `PUT /v1/schema/CLASS/tenants`
pub(super) fn update(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let sent = sent(call)?;
    if sent.len() > MOST_UPDATED {
        return Ok(Reply::error(
            422,
            &format!(
                "maximum number of tenants allowed to be updated simultaneously is {MOST_UPDATED}. \
                 Please reduce the number of tenants in your request and try again"
            ),
        ));
    }
    let class = changed(world, at, class, "TYPE_UPDATE_TENANT")?;
    let mut tenants = Vec::new();
    for tenant in &sent {
        let Some(shard) = class.shards.get(&tenant.name) else {
            let why = Why("NotFound", format!("shard not found: {}", tenant.name), "\nnot found");
            let why = why.relayed(world, at, "updating schema: TYPE_UPDATE_TENANT");
            return Ok(Reply::error(422, &why));
        };
        let active = tenant.active.unwrap_or(shard.active);
        tenants.push((tenant.name.clone(), Shard { active, ..shard.clone() }));
    }
    let class = class.name().to_owned();
    commit(world, at, Command::SetTenants { class, tenants })?;
    Ok(Reply::json(200, &sent.iter().map(|tenant| tenant.json(true)).collect()))
}

/// `DELETE /v1/schema/CLASS/tenants`: 200 for tenants that are not there, too.
pub(super) fn delete(world: &mut World, at: usize, call: &Call, class: &str) -> Outcome {
    let names = call.json("tenants")?;
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    let tenants: Vec<String> = names.map(str::to_owned).collect();
    let class = changed(world, at, class, "TYPE_DELETE_TENANT")?.name().to_owned();
    commit(world, at, Command::DeleteTenants { class, tenants })?;
    Ok(Reply::empty(200))
}

/// A tenant as a request names it.
struct Sent {
    name: String,
    active: Option<bool>,
}

impl Sent {
    /// Shows it as it came; a change also says the status in the older words.
    fn json(&self, always: bool) -> Value {
        match self.active.or(always.then_some(true)) {
            None => json!({ "name": self.name }),
            Some(active) => json!({ "activityStatus": word(active), "name": self.name }),
        }
    }
}

fn sent(call: &Call) -> Result<Vec<Sent>, Reply> {
    let list = call.json("body")?;
    let mut tenants = Vec::new();
    for tenant in list.as_array().into_iter().flatten() {
        let active = match tenant["activityStatus"].as_str().filter(|status| !status.is_empty()) {
            None => None,
            Some("ACTIVE" | "HOT") => Some(true),
            Some("INACTIVE" | "COLD") => Some(false),
            Some(status) if STATUSES.contains(&status) => {
                let why = "can't offload tenants, because offload-s3 module is not enabled";
                return Err(Reply::error(422, why));
            }
            Some(_) => {
                let all = STATUSES.join(" ");
                let message = format!("activityStatus in body should be one of [{all}]");
                return Err(Reply::invalid(422, 606, &message));
            }
        };
        tenants.push(Sent { name: tenant["name"].as_str().unwrap_or_default().to_owned(), active });
    }
    Ok(tenants)
}

fn check_name(index: usize, name: &str) -> Result<(), Reply> {
    let wrong = |why: &str| Err(Reply::error(422, &format!("tenant name at index {index}: {why}")));
    if name.is_empty() {
        return wrong("empty tenant name");
    }
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !letters || name.len() > 64 {
        return wrong(&format!(
            " '{name}' is not a valid tenant name. should only contain alphanumeric characters \
             (a-z, A-Z, 0-9), underscore (_), and hyphen (-), with a length between 1 and 64 characters"
        ));
    }
    Ok(())
}

fn found(world: &mut World, at: usize, call: &Call, class: &str) -> Result<Class, Reply> {
    let failed = |why: String| Reply::error(422, &format!("failed to execute query: {why}"));
    let source = if call.own_schema { at } else { world.leader(at).map_err(failed)? };
    class_of(world, source, class).map_err(|why| {
        failed(why.relayed(world, at, "could not get tenants: could not get tenants"))
    })
}

fn changed(world: &mut World, at: usize, class: &str, kind: &str) -> Result<Class, Reply> {
    let leader = world.leader(at).map_err(|error| Reply::error(422, &error))?;
    class_of(world, leader, class).map_err(|why| {
        Reply::error(422, &why.relayed(world, at, &format!("updating schema: {kind}")))
    })
}

/// Why a class has no tenants to speak of: the kind, the message, and what follows it.
struct Why(&'static str, String, &'static str);

impl Why {
    fn relayed(&self, world: &mut World, at: usize, what: &str) -> String {
        world.relayed(at, self.0, &format!("{what}: {}", self.1), self.2)
    }
}

fn class_of(world: &World, at: usize, class: &str) -> Result<Class, Why> {
    let name = class_name(class);
    match world.nodes[at].schema.get(&name) {
        None => Err(Why("NotFound", "class not found".to_owned(), "\nnot found")),
        Some(class) if !class.has_tenants() => {
            let why = format!("multi-tenancy is not enabled for class \"{name}\"");
            Err(Why("FailedPrecondition", why, "\nmulti-tenancy is not enabled"))
        }
        Some(class) => Ok(class.clone()),
    }
}

fn commit(world: &mut World, at: usize, command: Command) -> Result<(), Reply> {
    world.commit(at, command).map_err(|error| Reply::error(422, &error))
}

fn shown(name: &str, shard: &Shard) -> Value {
    json!({ "activityStatus": word(shard.active), "name": name })
}

fn word(active: bool) -> &'static str {
    if active { "HOT" } else { "COLD" }
}
