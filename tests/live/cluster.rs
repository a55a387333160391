//! A three-node cluster on this machine, from the environment in `docker-compose.yaml`.
//!
//! As containers have, each node has an address of its own (127.0.0.1 to 127.0.0.3) and the same
//! ports for gossip and RAFT. Only what the server can bind to every address alone (REST, gRPC, data)
//! gets a port per node. So the file's own settings are what runs, and the data of one cluster can be
//! started again as another: the nodes know each other by name. (Elsewhere than on Linux the two
//! other loopback addresses must be added to the machine first.)

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use tempfile::TempDir;

use super::compose::{self, Environment};
use super::http::{Reply, Request};
use super::ports::Ports;
use super::server::Server;
use super::view::wait;

/// Nodes in a cluster.
pub(super) const NODES: usize = 3;
const START: Duration = Duration::from_secs(90);

/// Decides the race that the seeds' fault leaves open, so that a test need not be started a dozen
/// times. Without RAFT settings a node makes a RAFT cluster of its own *and*, until that has a leader,
/// asks every node that it sees through gossip to be let in; whoever leads first may take it in.
/// Asking takes 26 bytes (two fields of text, five and 15 long, and one flag), announcing oneself,
/// which founding a cluster needs, takes 24.
const JOIN_REFUSED: &str = "25";

/// Lets one test at a time have the machine: a cluster next to another is too slow for timeouts to
/// mean anything. Held by a test from its first line on.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has put its cluster away all the same.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is changed in the environment of the file.
#[derive(Clone, Default)]
pub(super) struct Settings {
    without: Vec<&'static str>,
    with: Environment,
}

impl Settings {
    /// The seeds' fault: each node's RAFT is told of no other.
    pub(super) fn split() -> Self {
        let without = vec!["RAFT_JOIN", "RAFT_BOOTSTRAP_EXPECT"];
        Self { without, ..Self::default() }.with("RAFT_GRPC_MESSAGE_MAX_SIZE", JOIN_REFUSED)
    }

    pub(super) fn with(mut self, variable: &str, value: &str) -> Self {
        self.with.insert(variable.to_owned(), value.to_owned());
        self
    }
}

/// The processes, their ports and their data. Ends and removes all of it when dropped.
pub(super) struct Cluster {
    // Before the folder, because fields are dropped in this order.
    servers: [Option<Server>; NODES],
    ports: Ports,
    settings: Settings,
    folder: TempDir,
}

impl Cluster {
    /// A cluster without data, of which nothing runs yet.
    pub(super) fn new(settings: Settings) -> Self {
        let folder = tempfile::Builder::new().prefix("weaviate-live-").tempdir().unwrap();
        Self { servers: [None, None, None], ports: Ports::free(), settings, folder }
    }

    /// A cluster as the file describes it, up and agreed on its leader.
    pub(super) fn healthy() -> Self {
        let mut cluster = Self::new(Settings::default());
        cluster.start();
        cluster.wait_until_agreed();
        cluster
    }

    /// Another cluster with a copy of the data and ports of its own. This one must be stopped.
    pub(super) fn copy(&self, settings: Settings) -> Self {
        assert!(self.servers.iter().all(Option::is_none), "copying data that is in use");
        let copy = Self::new(settings);
        for node in 0..NODES {
            copy_folder(&self.data(node), &copy.data(node));
        }
        copy
    }

    /// Starts all nodes and waits until they are ready.
    pub(super) fn start(&mut self) {
        self.launch_all();
        for node in 0..NODES {
            self.wait_until_ready(node);
        }
    }

    /// Starts all nodes without waiting for them.
    pub(super) fn launch_all(&mut self) {
        for node in 0..NODES {
            self.launch(node);
        }
    }

    /// Starts the nodes one after the other, each when the one before has founded a RAFT cluster, and
    /// waits until they are ready. One that has founded none could be pulled into another's.
    pub(super) fn start_apart(&mut self) {
        for node in 0..NODES {
            self.launch(node);
            let server = self.servers[node].as_mut().unwrap();
            let decided = || server.log().contains("starting cluster bootstrapping");
            wait(Duration::from_secs(10), decided);
        }
        for node in 0..NODES {
            self.wait_until_ready(node);
        }
    }

    /// Starts one node without waiting for it.
    pub(super) fn launch(&mut self, node: usize) {
        assert!(self.servers[node].is_none(), "node {} runs already", node + 1);
        let log = self.folder.path().join(format!("node{}.log", node + 1));
        let environment = self.environment(node);
        let server = Server::start(self.ports.http(node), &environment, &self.data(node), log);
        self.servers[node] = Some(server);
    }

    /// Whether the node answers that it is ready.
    pub(super) fn is_ready(&self, node: usize) -> bool {
        self.get(node, "/v1/.well-known/ready").status == 200
    }

    /// Waits until it does.
    pub(super) fn wait_until_ready(&mut self, node: usize) {
        let end = Instant::now() + START;
        while !self.is_ready(node) {
            let server = self.servers[node].as_mut().unwrap();
            let why = if !server.is_running() {
                "has ended"
            } else if Instant::now() > end {
                "is not ready in time"
            } else {
                std::thread::sleep(Duration::from_millis(100));
                continue;
            };
            panic!("node {} {why}; its log ends with:\n{}", node + 1, server.log_tail());
        }
    }

    /// Ends one node at once.
    pub(super) fn kill(&mut self, node: usize) {
        self.servers[node].take().unwrap().kill();
    }

    /// Ends all nodes in order, each writing what it has to disk.
    pub(super) fn stop(&mut self) {
        for server in self.servers.iter_mut().filter_map(Option::take).rev() {
            let mut server = server;
            server.terminate(Duration::from_secs(20));
        }
    }

    /// Makes one node hang.
    pub(super) fn pause(&self, node: usize) {
        self.servers[node].as_ref().unwrap().pause();
    }

    /// Lets a hanging node go on.
    pub(super) fn resume(&self, node: usize) {
        self.servers[node].as_ref().unwrap().resume();
    }

    /// The node's `PERSISTENCE_DATA_PATH`.
    pub(super) fn data(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("node{}", node + 1))
    }

    pub(super) fn url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports.http(node))
    }

    /// The REST port as text: what an operator knows the node by.
    pub(super) fn port(&self, node: usize) -> String {
        self.ports.http(node).to_string()
    }

    pub(super) fn urls(&self) -> Vec<String> {
        (0..NODES).map(|node| self.url(node)).collect()
    }

    pub(super) fn request(&self, node: usize, method: Method, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.url(node)))
    }

    pub(super) fn get(&self, node: usize, path: &str) -> Reply {
        self.request(node, Method::GET, path).send()
    }

    pub(super) fn post(&self, node: usize, path: &str, body: &serde_json::Value) -> Reply {
        self.request(node, Method::POST, path).json(body).send()
    }

    /// The file's environment for one node, its container addresses replaced by local ones.
    fn environment(&self, node: usize) -> Environment {
        let file = compose::environments();
        assert_eq!(file.len(), NODES, "nodes in docker-compose.yaml");
        let names: Vec<&str> = file.iter().map(|it| it["CLUSTER_HOSTNAME"].as_str()).collect();
        let mut environment = Environment::new();
        for (variable, value) in &file[node] {
            if self.settings.without.contains(&variable.as_str()) {
                continue;
            }
            let value = match variable.as_str() {
                "CLUSTER_GOSSIP_BIND_PORT" => self.ports.gossip().to_string(),
                "CLUSTER_DATA_BIND_PORT" => self.ports.data(node).to_string(),
                "CLUSTER_JOIN" => {
                    let (host, port) = value.split_once(':').unwrap();
                    let peer = names.iter().position(|name| *name == host).unwrap();
                    assert_eq!(port, file[peer]["CLUSTER_GOSSIP_BIND_PORT"], "CLUSTER_JOIN's port");
                    format!("{}:{}", address(peer), self.ports.gossip())
                }
                "RAFT_JOIN" => {
                    let port = self.ports.raft();
                    value
                        .split(',')
                        .map(|name| format!("{name}:{port}"))
                        .collect::<Vec<_>>()
                        .join(",")
                }
                "PERSISTENCE_DATA_PATH" => self.data(node).to_str().unwrap().to_owned(),
                _ => value.clone(),
            };
            environment.insert(variable.clone(), value);
        }
        let local = [
            // Advertised too. Named for that, it would make gossip take the cluster for one across
            // continents, which waits much longer before it gives a node up.
            ("CLUSTER_BIND_ADDR", address(node)),
            ("RAFT_PORT", self.ports.raft().to_string()),
            ("RAFT_INTERNAL_RPC_PORT", self.ports.raft_rpc().to_string()),
            ("GRPC_PORT", self.ports.grpc(node).to_string()),
            ("GO_PROFILING_DISABLE", "true".to_owned()),
            // A nearly full disk would make the shards read-only.
            ("DISK_USE_WARNING_PERCENTAGE", "98".to_owned()),
            ("DISK_USE_READONLY_PERCENTAGE", "99".to_owned()),
        ];
        environment.extend(local.map(|(variable, value)| (variable.to_owned(), value)));
        environment.extend(self.settings.with.clone());
        environment
    }
}

fn address(node: usize) -> String {
    format!("127.0.0.{}", node + 1)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
