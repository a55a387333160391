//! The incident of the seeds, made on purpose: a class on one node of a cluster whose RAFT is split.

use serde_json::json;

use super::cluster::{Cluster, NODES, Settings};

/// Starts cluster after cluster until each node's RAFT is one of its own, and creates the class at
/// node 1 with factor 3: it is then on 1/3 nodes.
pub(super) fn split(class: &str) -> Cluster {
    for _ in 0..20 {
        let mut cluster = Cluster::new(Settings::split());
        cluster.start_apart();
        if cluster.leaders() == NODES {
            let body = json!({"class": class, "replicationConfig": {"factor": 3}});
            let reply = cluster.post(0, "/v1/schema", &body);
            assert_eq!(reply.status, 200, "{:?}", reply.body);
            return cluster;
        }
        eprintln!("started with {} leaders; again", cluster.leaders());
    }
    panic!("20 starts without the RAFT settings, and none was split");
}
