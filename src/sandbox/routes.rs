//! Which endpoint answers which request: the whole API of the sandbox on one
//! page.
//!
//! Knows no endpoint's inside.

use serde_json::json;

use super::call::{Call, Outcome, Reply};
use super::nodes::VERSION;
use super::world::World;
use super::{
    batch, cursor, graphql, grpc, nodes, objects, operations, replication, scale, schema, shards,
    statistics, tenants,
};

/// Answers a request that reached the node `at`.
pub(super) fn answer(world: &mut World, at: usize, call: &Call) -> Reply {
    let Some(path) = call.path.strip_prefix("/v1/") else { return unknown(call) };
    let path: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    endpoint(world, at, call, &path).unwrap_or_else(|reply| reply)
}

fn endpoint(world: &mut World, at: usize, call: &Call, path: &[&str]) -> Outcome {
    match (call.method.as_str(), path) {
        ("GET" | "HEAD", [".well-known", "live"]) => Ok(Reply::empty(200)),
        ("GET" | "HEAD", [".well-known", "ready"]) => {
            Ok(Reply::empty(if world.leader_of(at).is_some() { 200 } else { 503 }))
        }
        ("GET", ["meta"]) => {
            let hostname = world.nodes[at].address.clone();
            let meta = json!({
                "grpcMaxMessageSize": 104_858_000, "hostname": hostname, "modules": {},
                "version": VERSION,
            });
            Ok(Reply::json(200, &meta))
        }
        ("GET", ["nodes"]) => Ok(nodes::list(world, at, call, None)),
        ("GET", ["nodes", class]) => Ok(nodes::list(world, at, call, Some(class))),
        ("GET", ["cluster", "statistics"]) => Ok(statistics::show(world)),

        ("GET", ["schema"]) => schema::list(world, at, call),
        ("POST", ["schema"]) => schema::create(world, at, call),
        ("GET", ["schema", class]) => schema::get(world, at, call, class),
        ("PUT", ["schema", class]) => schema::update(world, at, call, class),
        ("DELETE", ["schema", class]) => schema::delete(world, at, class),
        ("GET", ["schema", class, "shards"]) => Ok(shards::list(world, at, call, class)),
        ("PUT", ["schema", class, "shards", shard]) => {
            shards::update(world, at, call, class, shard)
        }
        ("GET", ["schema", class, "tenants"]) => tenants::list(world, at, call, class),
        ("POST", ["schema", class, "tenants"]) => tenants::add(world, at, call, class),
        ("PUT", ["schema", class, "tenants"]) => tenants::update(world, at, call, class),
        ("DELETE", ["schema", class, "tenants"]) => tenants::delete(world, at, call, class),
        ("GET", ["schema", class, "tenants", tenant]) => {
            tenants::get(world, at, call, class, tenant)
        }

        ("POST", ["graphql"]) => graphql::answer(world, at, call),
        ("GET", ["objects"]) => cursor::list(world, at, call),
        ("POST", ["objects"]) => objects::create(world, at, call),
        ("GET" | "HEAD", ["objects", class, id]) => objects::get(world, at, call, class, id),
        ("DELETE", ["objects", class, id]) => objects::delete(world, at, call, class, id),
        // The seeds' mistake: the class belongs into the body of `POST /v1/objects`.
        ("POST", ["objects", _]) => {
            let why = "method POST is not allowed, but [PATCH,GET,HEAD,PUT,DELETE] are";
            Ok(Reply::invalid(405, 405, why))
        }
        ("POST", ["batch", "objects"]) => batch::create(world, at, call),
        ("POST", ["grpc-web", "weaviate.v1.Weaviate", "Search"]) => grpc::search(world, at, call),
        ("POST", ["grpc-web", "weaviate.v1.Weaviate", "BatchObjects"]) => {
            grpc::batch(world, at, call)
        }

        ("GET", ["replication", "sharding-state"]) => replication::sharding_state(world, at, call),
        ("GET", ["replication", "scale"]) => scale::plan(world, at, call),
        ("POST", ["replication", "scale"]) => scale::apply(world, at, call),
        ("POST", ["replication", "replicate"]) => operations::start(world, at, call),
        ("GET", ["replication", "replicate", "list"]) => operations::list(world, call),
        ("GET", ["replication", "replicate", id]) => operations::get(world, call, id),
        ("POST", ["replication", "replicate", id, "cancel"]) => operations::cancel(world, id),
        _ => Ok(unknown(call)),
    }
}

fn unknown(call: &Call) -> Reply {
    let Call { method, path, .. } = call;
    Reply::error(501, &format!("the sandbox has no endpoint {method} {path}"))
}
