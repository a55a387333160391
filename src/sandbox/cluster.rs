//! The running cluster that connections and the `Sandbox` share: the world,
//! the faults, the log and the doors.
//!
//! Knows no endpoint.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::call::Call;
use super::conversation;
use super::door::{Door, held};
use super::fault::Rules;
use super::world::{Power, World};

/// A request that reached the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The node that was asked.
    pub node: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// As the client sent it.
    pub path_and_query: String,
    /// The body of one that changes something, where it is short.
    pub body: Option<String>,
    /// The status that went out; `None` if no answer did, or not yet.
    pub status: Option<u16>,
}

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) world: Mutex<World>,
    pub(super) rules: Mutex<Rules>,
    pub(super) log: Mutex<Vec<Request>>,
    /// One a node, in the order of the world's nodes, each with what its requests wait for.
    doors: Vec<(Arc<Door>, watch::Sender<Power>)>,
    runtime: Handle,
}

impl Request {
    /// Tells whether it is one that changes something: all but reads, and questions that are asked by
    /// `POST`.
    #[must_use]
    pub fn changes(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
            && self.path_and_query != "/v1/graphql"
            && !self.path_and_query.ends_with("/weaviate.v1.Weaviate/Search")
    }
}

impl Cluster {
    /// Opens the doors of a world, on free ports where there is a 0.
    pub(super) fn start(mut world: World, ports: &[u16]) -> io::Result<Arc<Cluster>> {
        let mut doors = Vec::new();
        for (node, &port) in world.nodes.iter_mut().zip(ports) {
            let door = Door::bind(port)?;
            node.address = door.url();
            doors.push((Arc::new(door), watch::Sender::new(node.power)));
        }
        let stopped: Vec<usize> =
            (0..doors.len()).filter(|&node| world.nodes[node].power == Power::Stopped).collect();
        let cluster = Arc::new(Cluster {
            world: Mutex::new(world),
            rules: Mutex::default(),
            log: Mutex::default(),
            doors,
            runtime: Handle::current(),
        });
        for at in 0..cluster.doors.len() {
            if stopped.contains(&at) {
                cluster.doors[at].0.close();
            } else {
                cluster.serve(at);
            }
        }
        Ok(cluster)
    }

    /// Kills, hangs, resumes or starts a node.
    pub(super) fn set_power(self: &Arc<Cluster>, name: &str, power: Power) {
        let mut world = held(&self.world);
        let Some(at) = world.index(name) else { return };
        let before = std::mem::replace(&mut world.nodes[at].power, power);
        if before == Power::Stopped && power == Power::Running {
            world.restart(at);
        }
        if power == Power::Running {
            world.catch_up(at);
            if world.async_replication {
                world.repair(at);
            }
        }
        drop(world);
        let (door, waiting) = &self.doors[at];
        match (before, power) {
            (_, Power::Stopped) => door.close(),
            (Power::Stopped, _) => {
                let _inside = self.runtime.enter();
                // The port may be taken by now; then the node stays away, as a real one would.
                if door.open().is_ok() {
                    self.serve(at);
                }
            }
            _ => {}
        }
        waiting.send_replace(power);
    }

    /// Returns what a request waits for while its node hangs.
    pub(super) fn power(&self, at: usize) -> watch::Receiver<Power> {
        self.doors[at].1.subscribe()
    }

    /// Starts answering at a door that is open.
    fn serve(self: &Arc<Cluster>, at: usize) {
        // Weak, so that connections do not keep a sandbox alive which was dropped.
        let cluster = Arc::downgrade(self);
        let answer = move |call: Call| {
            let cluster = cluster.upgrade();
            async move {
                let cluster = cluster.ok_or(super::door::Cut)?;
                conversation::hold(&cluster, at, &call).await
            }
        };
        self.runtime.spawn(self.doors[at].0.serve(answer));
    }

    /// Returns the name of a node.
    pub(super) fn name(&self, at: usize) -> String {
        held(&self.world).nodes[at].name.clone()
    }

    /// Writes a request down; returns its place in the log.
    pub(super) fn note(&self, at: usize, call: &Call) -> usize {
        let node = self.name(at);
        let mut log = held(&self.log);
        log.push(Request {
            node,
            method: call.method.clone(),
            path_and_query: call.path_and_query.clone(),
            body: call.short_body(),
            status: None,
        });
        log.len() - 1
    }

    /// Writes down how a request was answered.
    pub(super) fn answered(&self, entry: usize, status: u16) {
        if let Some(request) = held(&self.log).get_mut(entry) {
            request.status = Some(status);
        }
    }

    /// Closes every door.
    pub(super) fn stop(&self) {
        for (door, waiting) in &self.doors {
            door.close();
            waiting.send_replace(Power::Stopped);
        }
    }
}
