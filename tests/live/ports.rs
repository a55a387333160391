//! Chooses ports for one cluster, so that several can run side by side.

use std::net::TcpListener;

/// How many ports one cluster of three nodes takes.
const BLOCK: u16 = 15;
/// Below the range from which the system gives ports to outgoing connections, so that no client
/// takes one away while a node is down.
const RANGE: std::ops::Range<u16> = 10_000..30_000;

/// A block of ports, the first of which is this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports(u16);

impl Ports {
    /// Finds a block in which every port is free.
    pub(super) fn free() -> Self {
        for _ in 0..100 {
            let first = fastrand::u16(RANGE);
            let free = |port| TcpListener::bind(("0.0.0.0", port)).is_ok();
            if (first..first + BLOCK).all(free) {
                return Self(first);
            }
        }
        panic!("found no {BLOCK} consecutive free ports in {RANGE:?}");
    }

    /// Gossip: the same on every node, as in containers, because each has an address of its own.
    pub(super) fn gossip(self) -> u16 {
        self.0
    }

    /// RAFT: the same on every node.
    pub(super) fn raft(self) -> u16 {
        self.0 + 1
    }

    /// RAFT's own calls: always the port after `raft`.
    pub(super) fn raft_rpc(self) -> u16 {
        self.0 + 2
    }

    /// Data exchange: differs, because the server listens for it on every address of the machine.
    pub(super) fn data(self, node: usize) -> u16 {
        self.of_node(3, node)
    }

    /// REST.
    pub(super) fn http(self, node: usize) -> u16 {
        self.of_node(6, node)
    }

    /// gRPC: on every address of the machine too.
    pub(super) fn grpc(self, node: usize) -> u16 {
        self.of_node(9, node)
    }

    /// What a node counts of itself, where it is told to: on every address of the machine too.
    pub(super) fn metrics(self, node: usize) -> u16 {
        self.of_node(12, node)
    }

    fn of_node(self, offset: u16, node: usize) -> u16 {
        assert!(node < 3, "a cluster has three nodes");
        self.0 + offset + u16::try_from(node).unwrap()
    }
}
