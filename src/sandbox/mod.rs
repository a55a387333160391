//! A small Weaviate-compatible cluster in the process: three nodes that speak
//! HTTP on loopback, with scenarios to start from and faults to inject.
//!
//! For a first look without Docker, for tests of runbooks, and as the twin of
//! a real cluster. It behaves as Weaviate 1.39 was measured to, quirks
//! included; `tests/contract` is run against both. It knows nothing of
//! runbooks, and nothing else in the crate knows its inside.

mod auto_schema;
mod batch;
mod call;
mod checks;
mod class;
mod cluster;
mod conversation;
mod cursor;
mod defaults;
mod door;
mod fault;
mod fault_spec;
mod graphql;
mod grpc;
mod hooks;
mod level;
mod nodes;
mod objects;
mod operations;
mod placement;
mod properties;
mod query;
mod raft;
mod replica;
mod replication;
mod routes;
mod scale;
mod scenario;
mod schema;
mod setting;
mod shards;
mod snapshot;
mod statistics;
mod status;
mod tenants;
mod twin;
mod twin_data;
mod update;
mod view;
mod world;

use std::io;
use std::sync::Arc;

pub use cluster::Request;
pub use fault::{Action, Chance, Fault};
pub use scenario::Scenario;
pub use snapshot::Snapshot;
pub use status::ShardStatus;
pub use view::Placement;

use crate::survey::Saved;
use cluster::Cluster;
use door::held;
use world::Power;

/// A cluster that runs until this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    cluster: Arc<Cluster>,
}

impl Sandbox {
    /// Starts on free ports.
    ///
    /// # Errors
    ///
    /// Fails if no port can be opened.
    pub async fn start(scenario: Scenario) -> io::Result<Sandbox> {
        Sandbox::start_on(scenario, &[0, 0, 0]).await
    }

    /// Starts on the ports given, one a node.
    ///
    /// # Errors
    ///
    /// Fails if there are not as many ports as nodes, or one of them is taken.
    #[expect(
        clippy::unused_async,
        reason = "it needs a runtime, which only a future makes sure of"
    )]
    pub async fn start_on(scenario: Scenario, ports: &[u16]) -> io::Result<Sandbox> {
        let world = scenario.world();
        if ports.len() != world.nodes.len() {
            let why = format!("expected {} ports, found {}", world.nodes.len(), ports.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Sandbox { cluster: Cluster::start(world, ports)? })
    }

    /// Starts one that is like a cluster that was surveyed, on ports from `port` on, or on free ones.
    /// Returns it with what may be other than there, each a sentence.
    ///
    /// # Errors
    ///
    /// Fails if a port can't be opened, or the survey knows no node.
    #[expect(
        clippy::unused_async,
        reason = "it needs a runtime, which only a future makes sure of"
    )]
    pub async fn like(survey: &Saved, port: Option<u16>) -> io::Result<(Sandbox, Vec<String>)> {
        let (world, doubts) = twin::make(survey);
        if world.nodes.is_empty() {
            return Err(io::Error::other("the survey knows no node"));
        }
        let port_of = |nth: usize| {
            port.and_then(|first| first.checked_add(u16::try_from(nth).ok()?)).unwrap_or(0)
        };
        let ports: Vec<u16> = (0..world.nodes.len()).map(port_of).collect();
        Ok((Sandbox { cluster: Cluster::start(world, &ports)? }, doubts))
    }

    /// Returns name and URL of each node.
    #[must_use]
    pub fn nodes(&self) -> Vec<(String, String)> {
        let world = held(&self.cluster.world);
        world.nodes.iter().map(|node| (node.name.clone(), node.address.clone())).collect()
    }

    /// Lets requests go wrong from here on. Of several faults that fit, the first decides.
    pub fn inject(&self, fault: Fault) {
        held(&self.cluster.rules).add(fault);
    }

    /// Returns the requests so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        held(&self.cluster.log).clone()
    }

    /// Kills a node: its connections break, and the others forget it. Its disk stays.
    pub fn stop_node(&self, name: &str) {
        self.cluster.set_power(name, Power::Stopped);
    }

    /// Starts a node again; it takes over what it has missed.
    pub fn start_node(&self, name: &str) {
        self.cluster.set_power(name, Power::Running);
    }

    /// Lets a node hang: it accepts connections and does not answer.
    pub fn hang_node(&self, name: &str) {
        self.cluster.set_power(name, Power::Hanging);
    }

    /// Lets a node go on that hangs; it answers what has waited.
    pub fn resume_node(&self, name: &str) {
        self.cluster.set_power(name, Power::Running);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.cluster.stop();
    }
}
