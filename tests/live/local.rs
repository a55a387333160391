//! The environment of `docker-compose.yaml`, made to work on one machine.
//!
//! As containers have, each node has an address of its own (127.0.0.1 to 127.0.0.3) and the same
//! ports for gossip and RAFT. Only what the server can bind to every address alone (REST, gRPC, data)
//! gets a port per node. So the file's own settings are what runs, and the data of one cluster can be
//! started again as another: the nodes know each other by name. (Elsewhere than on Linux the two
//! other loopback addresses must be added to the machine first.)

use std::path::Path;

use super::cluster::NODES;
use super::compose::{self, Environment};
use super::ports::Ports;

/// Decides the race that the seeds' fault leaves open, so that a test need not be started a dozen
/// times. Without RAFT settings a node makes a RAFT cluster of its own *and*, until that has a leader,
/// asks every node that it sees through gossip to be let in; whoever leads first may take it in.
/// Asking takes 26 bytes (two fields of text, five and 15 long, and one flag), announcing oneself,
/// which founding a cluster needs, takes 24.
const JOIN_REFUSED: &str = "25";

/// What is changed in the environment of the file.
#[derive(Clone, Default)]
pub(super) struct Settings {
    without: Vec<&'static str>,
    file: Environment,
    with: Environment,
}

impl Settings {
    /// The seeds' fault: each node's RAFT is told of no other.
    pub(super) fn split() -> Self {
        let without = vec!["RAFT_JOIN", "RAFT_BOOTSTRAP_EXPECT"];
        Self { without, ..Self::default() }.refusing_to_be_joined()
    }

    /// Leaves a variable of the file out.
    pub(super) fn without(mut self, variable: &'static str) -> Self {
        self.without.push(variable);
        self
    }

    /// Sets a variable as if the file said so: its addresses become local ones.
    pub(super) fn saying(mut self, variable: &str, value: &str) -> Self {
        self.file.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Refuses to let other nodes into this one's RAFT cluster.
    pub(super) fn refusing_to_be_joined(self) -> Self {
        self.with("RAFT_GRPC_MESSAGE_MAX_SIZE", JOIN_REFUSED)
    }

    /// Sets a variable to exactly this.
    pub(super) fn with(mut self, variable: &str, value: &str) -> Self {
        self.with.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// The file's environment for one node, its container addresses replaced by local ones.
    pub(super) fn environment(&self, node: usize, ports: Ports, data: &Path) -> Environment {
        let file = compose::environments();
        assert_eq!(file.len(), NODES, "nodes in docker-compose.yaml");
        let mut said = file[node].clone();
        said.extend(self.file.clone());
        let mut environment: Environment = said
            .iter()
            .filter(|(variable, _)| !self.without.contains(&variable.as_str()))
            .map(|(variable, value)| {
                let value = match variable.as_str() {
                    "CLUSTER_GOSSIP_BIND_PORT" => ports.gossip().to_string(),
                    "CLUSTER_DATA_BIND_PORT" => ports.data(node).to_string(),
                    "CLUSTER_JOIN" => join_address(value, &file, ports),
                    "RAFT_JOIN" => with_port(value, ports.raft()),
                    "PERSISTENCE_DATA_PATH" => data.to_str().unwrap().to_owned(),
                    _ => value.clone(),
                };
                (variable.clone(), value)
            })
            .collect();
        let local = [
            // Advertised too. Named for that, it would make gossip take the cluster for one across
            // continents, which waits much longer before it gives a node up.
            ("CLUSTER_BIND_ADDR", address(node)),
            ("RAFT_PORT", ports.raft().to_string()),
            ("RAFT_INTERNAL_RPC_PORT", ports.raft_rpc().to_string()),
            ("GRPC_PORT", ports.grpc(node).to_string()),
            ("PROMETHEUS_MONITORING_PORT", ports.metrics(node).to_string()),
            ("GO_PROFILING_DISABLE", "true".to_owned()),
            // A nearly full disk would make the shards read-only.
            ("DISK_USE_WARNING_PERCENTAGE", "98".to_owned()),
            ("DISK_USE_READONLY_PERCENTAGE", "99".to_owned()),
        ];
        environment.extend(local.map(|(variable, value)| (variable.to_owned(), value)));
        environment.extend(self.with.clone());
        environment
    }
}

/// Turns `node1:7100` into the address of that node here. The port must be its gossip port in the
/// file, which is what a container would find.
fn join_address(join: &str, file: &[Environment], ports: Ports) -> String {
    let (host, port) = join.split_once(':').unwrap();
    let peer = file.iter().position(|it| it["CLUSTER_HOSTNAME"] == host).unwrap();
    assert_eq!(port, file[peer]["CLUSTER_GOSSIP_BIND_PORT"], "the port in CLUSTER_JOIN={join}");
    format!("{}:{}", address(peer), ports.gossip())
}

/// Adds RAFT's port to each of the names, because it is not the default one here.
fn with_port(names: &str, port: u16) -> String {
    names.split(',').map(|name| format!("{name}:{port}")).collect::<Vec<_>>().join(",")
}

/// The address that a node has alone.
pub(super) fn address(node: usize) -> String {
    format!("127.0.0.{}", node + 1)
}
