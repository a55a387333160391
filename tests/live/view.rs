//! What a cluster looks like, asked of each node directly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::cluster::{Cluster, NODES};

/// One node's part in RAFT.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Member {
    pub(super) is_leader: bool,
    /// Whom it follows; itself where it leads. Empty where it knows none.
    pub(super) leader: String,
    /// How many nodes its latest configuration names.
    pub(super) members: usize,
}

/// What became of a class and of RAFT when a split cluster was started with the right settings.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Outcome {
    /// All follow one leader, and no node has the class.
    Vanished,
    /// All follow one leader, and every node has the class.
    Everywhere,
    /// All follow one leader that has the class, and a node lacks it.
    Partial,
    /// All follow one leader without the class, and a node has it.
    LeaderLacksIt,
    /// Several leaders, or a node that follows none.
    Divided,
}

impl Cluster {
    /// The class in the node's own schema; `None` where the node does not show it.
    pub(super) fn own_class(&self, node: usize, class: &str) -> Option<Value> {
        let path = format!("/v1/schema/{class}");
        let reply = self.request(node, Method::GET, &path).own_view().send();
        (reply.status == 200).then_some(reply.body)
    }

    /// Which nodes have the class in their own schema.
    pub(super) fn presence(&self, class: &str) -> [bool; NODES] {
        std::array::from_fn(|node| self.own_class(node, class).is_some())
    }

    /// The nodes that hold a replica of each shard of the class, as they report it themselves.
    pub(super) fn replicas(&self, class: &str) -> BTreeMap<String, Vec<String>> {
        let reply = self.get(0, "/v1/nodes?output=verbose");
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let mut shards = BTreeMap::<String, Vec<String>>::new();
        for node in reply.body["nodes"].as_array().unwrap() {
            for shard in node["shards"].as_array().into_iter().flatten() {
                if shard["class"] == class {
                    let holders = shards.entry(text(&shard["name"])).or_default();
                    holders.push(text(&node["name"]));
                }
            }
        }
        for holders in shards.values_mut() {
            holders.sort();
        }
        shards
    }

    /// The nodes on which each shard of the class is meant to be.
    pub(super) fn planned_replicas(&self, class: &str) -> BTreeMap<String, Vec<String>> {
        let reply = self.get(0, &format!("/v1/replication/sharding-state?collection={class}"));
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let shards = reply.body["shardingState"]["shards"].as_array().unwrap();
        let holders = |shard: &Value| {
            let mut names: Vec<String> =
                shard["replicas"].as_array().unwrap().iter().map(text).collect();
            names.sort();
            names
        };
        shards.iter().map(|shard| (text(&shard["shard"]), holders(shard))).collect()
    }

    /// Each node's part in RAFT, as it says itself; `None` where it does not say.
    pub(super) fn raft(&self) -> [Option<Member>; NODES] {
        std::array::from_fn(|node| {
            let reply = self.get(node, "/v1/cluster/statistics");
            let entries = reply.body["statistics"].as_array()?;
            let entry = entries.iter().find(|it| it["name"] == format!("node{}", node + 1))?;
            Some(Member {
                is_leader: entry["raft"]["state"] == "Leader",
                leader: text(&entry["leaderId"]),
                members: entry["raft"]["latestConfiguration"].as_array().map_or(0, Vec::len),
            })
        })
    }

    /// Waits until every node has the class in its own schema.
    pub(super) fn wait_until_present(&self, class: &str) {
        let present = wait(Duration::from_secs(20), || self.presence(class) == [true; NODES]);
        assert!(present, "{class} is present on {:?}", self.presence(class));
    }

    /// Waits until every shard is open where it is meant to be, which is a moment after the schema.
    pub(super) fn wait_until_open(&self, class: &str) {
        let planned = self.planned_replicas(class);
        let open = wait(Duration::from_secs(20), || self.replicas(class) == planned);
        assert!(open, "planned {planned:?}, open {:?}", self.replicas(class));
    }

    /// Checks that every node has the class, and every shard a replica on every node, as planned and
    /// as reported.
    pub(super) fn expect_everywhere(&self, class: &str) {
        assert_eq!(self.presence(class), [true; NODES], "own schemas with {class}");
        let all: Vec<String> = (1..=NODES).map(|number| format!("node{number}")).collect();
        let everywhere = |shards: &BTreeMap<String, Vec<String>>| {
            !shards.is_empty() && shards.values().all(|holders| *holders == all)
        };
        let planned = self.planned_replicas(class);
        assert!(everywhere(&planned), "planned: {planned:?}");
        // A node that was away opens its shards a moment after it is ready.
        let held = wait(Duration::from_secs(10), || everywhere(&self.replicas(class)));
        assert!(held, "held: {:?}", self.replicas(class));
    }

    /// The node that leads.
    pub(super) fn leader(&self) -> usize {
        self.raft().iter().position(|it| it.as_ref().is_some_and(|it| it.is_leader)).unwrap()
    }

    /// How many nodes call themselves leader.
    pub(super) fn leaders(&self) -> usize {
        self.raft().iter().flatten().filter(|member| member.is_leader).count()
    }

    /// Whether all nodes follow one leader in one configuration of all.
    pub(super) fn is_agreed(&self) -> bool {
        let raft = self.raft();
        let Some(first) = &raft[0] else { return false };
        let same = raft.iter().all(|it| {
            it.as_ref().is_some_and(|it| it.leader == first.leader && it.members == NODES)
        });
        same && !first.leader.is_empty() && self.leaders() == 1
    }

    /// How many nodes each node sees through gossip, as healthy.
    pub(super) fn sight(&self) -> [usize; NODES] {
        std::array::from_fn(|node| {
            let reply = self.get(node, "/v1/nodes");
            let nodes = reply.body["nodes"].as_array().cloned().unwrap_or_default();
            nodes.iter().filter(|it| it["status"] == "HEALTHY").count()
        })
    }

    /// Waits until they do, and see each other: one that was stopped in order is not seen for up to
    /// half a minute after its start.
    pub(super) fn wait_until_agreed(&self) {
        let all = || self.is_agreed() && self.sight() == [NODES; NODES];
        let agreed = wait(Duration::from_secs(60), all);
        assert!(agreed, "the nodes do not agree: {:?}; each sees {:?}", self.raft(), self.sight());
    }

    /// Classifies a restart, once the cluster has stopped changing.
    ///
    /// Not once every node is ready: where the class has vanished, the node that had it never is.
    pub(super) fn outcome(&self, class: &str) -> Outcome {
        let look = || (self.raft(), self.presence(class));
        let mut last = look();
        let mut since = Instant::now();
        let end = since + Duration::from_secs(45);
        let led = |it: &Option<Member>| it.as_ref().is_some_and(|it| !it.leader.is_empty());
        // One that is still without a leader by then stays so.
        while (!last.0.iter().all(led) || since.elapsed() < Duration::from_secs(4))
            && Instant::now() < end
        {
            std::thread::sleep(Duration::from_millis(300));
            let now = look();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        let presence = last.1;
        if !self.is_agreed() {
            return Outcome::Divided;
        }
        match presence.iter().filter(|has| **has).count() {
            0 => Outcome::Vanished,
            NODES => Outcome::Everywhere,
            _ if presence[self.leader()] => Outcome::Partial,
            _ => Outcome::LeaderLacksIt,
        }
    }
}

/// Tries until it holds, and says whether it ever did.
pub(super) fn wait(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
