//! What befalls a node, and how it comes back from it.

use super::cluster::Cluster;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its process is killed.
    Down,
    /// Its process is stopped: connections are taken, and never answered.
    Hangs,
}

impl Fault {
    pub(super) fn befall(self, cluster: &mut Cluster, node: usize) {
        match self {
            Self::Down => cluster.kill(node),
            Self::Hangs => cluster.pause(node),
        }
    }

    /// Brings the node back, and waits until all agree.
    pub(super) fn mend(self, cluster: &mut Cluster, node: usize) {
        match self {
            Self::Down => cluster.launch(node),
            Self::Hangs => cluster.resume(node),
        }
        cluster.wait_until_ready(node);
        cluster.wait_until_agreed();
    }
}
