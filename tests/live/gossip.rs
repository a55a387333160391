//! One message of gossip, sent by hand: "this node lives at this address".
//!
//! A running node can't be told of another one in any other way, and one that is started looks for
//! RAFT clusters as soon as it knows of nodes. So nodes that must meet *after* they have each decided
//! who leads are introduced like this. Knows nothing of what they make of it.

use std::net::UdpSocket;

use super::cluster::Cluster;
use super::local::address;

/// Tells one node that another one lives. They exchange all else they know by themselves.
pub(super) fn introduce(cluster: &Cluster, node: usize, to: usize) {
    let port = cluster.gossip_port();
    let socket = UdpSocket::bind((address(0), 0)).unwrap();
    socket.send_to(&alive(node, port), (address(to), port)).unwrap();
}

/// The message as the library `memberlist` has it: its kind, then a `MessagePack` map.
fn alive(node: usize, port: u16) -> Vec<u8> {
    let mut message = vec![4, 0x80 | 6];
    let mut field = |name: &str, value: &[u8]| {
        message.extend(short(name.as_bytes()));
        message.extend(value);
    };
    let last = u8::try_from(node + 1).unwrap();
    let [high, low] = port.to_be_bytes();
    // Lower than what the node says of itself, which therefore corrects the rest.
    field("Incarnation", &[1]);
    field("Node", &short(format!("node{last}").as_bytes()));
    field("Addr", &short(&[127, 0, 0, last]));
    field("Port", &[0xcd, high, low]);
    field("Meta", &short(&[]));
    field("Vsn", &short(&[1, 5, 2, 2, 5, 4]));
    message
}

/// Fewer than 32 bytes, or that much text.
fn short(bytes: &[u8]) -> Vec<u8> {
    let mut value = vec![0xa0 | u8::try_from(bytes.len()).unwrap()];
    value.extend(bytes);
    value
}
