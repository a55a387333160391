//! A three-node cluster on this machine, from the environment in `docker-compose.yaml`.
//!
//! Knows processes, folders and addresses; what the nodes say is for `view`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use tempfile::TempDir;

use super::http::{Reply, Request};
use super::local::{Settings, address};
use super::ports::Ports;
use super::server::{Server, start_line};
use super::view::wait;

/// Nodes in a cluster.
pub(super) const NODES: usize = 3;
const START: Duration = Duration::from_secs(90);

/// Lets one test at a time have the machine: a cluster next to another is too slow for timeouts to
/// mean anything. Held by a test from its first line on.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has put its cluster away all the same.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Returns the port of a node's REST API.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(super) fn http(&self, node: usize) -> u16 {
        self.ports.http(node)
    }

    /// Returns the port of a node's gRPC.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(super) fn grpc(&self, node: usize) -> u16 {
        self.ports.grpc(node)
    }

    /// Returns what a node counts of itself, in the format of Prometheus, where it was told to.
    pub(super) fn metrics(&self, node: usize) -> String {
        let url = format!("http://{}:{}/metrics", address(node), self.ports.metrics(node));
        Request::new(Method::GET, &url).text()
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

    /// Starts one node without waiting for it. The first one joins no other, and those forget it half
    /// a minute after it has gone: where they run, it is told of one of them.
    pub(super) fn launch(&mut self, node: usize) {
        let others_run = self.servers.iter().any(Option::is_some);
        let settings = self.settings.clone();
        let settings = if node == 0 && others_run {
            settings.saying("CLUSTER_JOIN", "node2:7100")
        } else {
            settings
        };
        self.launch_with(node, &settings);
    }

    /// Starts one node with settings of its own, without waiting for it.
    pub(super) fn launch_with(&mut self, node: usize, settings: &Settings) {
        assert!(self.servers[node].is_none(), "node {} runs already", node + 1);
        let data = self.data(node);
        let environment = settings.environment(node, self.ports, &data);
        let server = Server::start(self.ports.http(node), &environment, &data, self.log(node));
        self.servers[node] = Some(server);
    }

    /// The line for a shell that starts a node with these settings and becomes its process.
    pub(super) fn start_line(&self, node: usize, settings: &Settings) -> String {
        let data = self.data(node);
        let environment = settings.environment(node, self.ports, &data);
        start_line(self.ports.http(node), &environment, &data)
    }

    /// The process of a node that this cluster started, and that still runs.
    pub(super) fn process(&mut self, node: usize) -> Option<u32> {
        if !self.servers[node].as_mut()?.is_running() {
            self.servers[node] = None;
        }
        self.servers[node].as_ref().map(Server::id)
    }

    /// Whether it is this cluster's own process that a node runs in, or ran in last.
    pub(super) fn has_started(&self, node: usize) -> bool {
        self.servers[node].is_some()
    }

    /// Where a node's log is.
    fn log(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("node{}.log", node + 1))
    }

    /// The port that gossip uses on every node.
    pub(super) fn gossip_port(&self) -> u16 {
        self.ports.gossip()
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

    /// Ends one node in order, so that it takes its leave of the others.
    pub(super) fn end(&mut self, node: usize) {
        self.servers[node].take().unwrap().terminate(Duration::from_secs(20));
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
