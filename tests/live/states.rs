//! The ways in which a cluster's RAFT can be split, each made surely, with objects in the classes.
//!
//! Knows how to make them and what lies where; what is to be done about them is for the tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, NODES};
use super::data::{self, id};
use super::gossip::introduce;
use super::incident::three_of_one;
use super::local::Settings;
use super::view::wait;

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// Each node leads itself; node 1 has a class.
    ThreeOfOne,
    /// Nodes 1 and 2 follow one of them and have a class; node 3 leads itself.
    TwoAndOne,
    /// The same, but that one node has the class, and that all call themselves synchronized.
    TwoLeadersInStep,
    /// All follow one leader that lacks a class; node 1 has it in its own schema, and not in its log.
    LeaderLacksIt,
    /// Each node leads itself, and has classes that the others lack.
    DifferentClasses,
    /// All follow one leader, and node 3 believes that it is a RAFT cluster of its own: the next
    /// start splits it off.
    FollowsAsAStranger,
}

/// All of them.
pub(super) const STATES: [State; 6] = [
    State::ThreeOfOne,
    State::TwoAndOne,
    State::TwoLeadersInStep,
    State::LeaderLacksIt,
    State::DifferentClasses,
    State::FollowsAsAStranger,
];

/// A cluster in such a state.
pub(super) struct Made {
    pub(super) cluster: Cluster,
    /// The ids of the objects in each class, wherever they are.
    pub(super) objects: BTreeMap<String, Vec<String>>,
}

const OBJECTS: u128 = 30;

/// Makes it.
pub(super) fn make(state: State) -> Made {
    match state {
        State::ThreeOfOne => fill(three_of_one(), &[(0, "Alpha")]),
        State::TwoAndOne => two_and_one(2),
        State::TwoLeadersInStep => two_leaders_in_step(),
        State::LeaderLacksIt => leader_lacks_it(),
        State::DifferentClasses => {
            let classes = [(0, "Alpha"), (0, "Beta"), (1, "Gamma"), (2, "Delta")];
            fill(three_of_one(), &classes)
        }
        State::FollowsAsAStranger => follows_as_a_stranger(),
    }
}

/// One node leads itself, the other two have agreed on a leader, and the first of the nodes has the
/// class.
fn two_and_one(single: usize) -> Made {
    let mut cluster = Cluster::new(Settings::default());
    cluster.launch_with(single, &Settings::split().without("CLUSTER_JOIN"));
    cluster.wait_until_ready(single);
    let settings = pair(single).saying("CLUSTER_JOIN", &format!("{}:7100", name(single)));
    for node in others(single) {
        cluster.launch_with(node, &settings);
    }
    for node in others(single) {
        cluster.wait_until_ready(node);
    }
    fill(cluster, &[(0, "Alpha")])
}

/// What makes the nodes but one a RAFT cluster.
fn pair(single: usize) -> Settings {
    let names: Vec<String> = others(single).map(name).collect();
    Settings::default().saying("RAFT_JOIN", &names.join(",")).saying("RAFT_BOOTSTRAP_EXPECT", "2")
}

fn two_leaders_in_step() -> Made {
    let made = two_and_one(0);
    // "Synchronized" compares nothing but how far each node is in its own log.
    let leader = pair_leader(&made.cluster);
    let passing = json!({"class": "Passing", "replicationConfig": {"factor": 1}});
    assert_eq!(made.cluster.post(leader, "/v1/schema", &passing).status, 200);
    let gone = made.cluster.request(leader, Method::DELETE, "/v1/schema/Passing").send();
    assert_eq!(gone.status, 200, "{:?}", gone.body);
    let mut class = made.cluster.own_class(0, "Alpha").unwrap();
    for number in 0..4 {
        if wait(Duration::from_secs(2), || is_in_step(&made.cluster)) {
            assert_eq!(made.cluster.leaders(), 2);
            return made;
        }
        class["description"] = json!(format!("change {number}"));
        let put = made.cluster.request(0, Method::PUT, "/v1/schema/Alpha").json(&class).send();
        assert_eq!(put.status, 200, "{:?}", put.body);
    }
    panic!("the two RAFT clusters do not call themselves synchronized");
}

fn is_in_step(cluster: &Cluster) -> bool {
    let says = |node| cluster.get(node, "/v1/cluster/statistics").body["synchronized"] == true;
    (0..NODES).all(says)
}

fn leader_lacks_it() -> Made {
    for _ in 0..5 {
        match try_leader_lacks_it() {
            Ok(made) => return made,
            Err(why) => eprintln!("{why}; again"),
        }
    }
    panic!("five times, and the leader never lacked the class that node 1 has");
}

/// On a machine that is busy, node 1 may be let in before it has read its log.
fn try_leader_lacks_it() -> Result<Made, String> {
    let mut made = two_and_one(0);
    let cluster = &mut made.cluster;
    cluster.stop();
    // Node 1 becomes the leader of itself and reads its log, which has the class; then it asks to be
    // let into the RAFT cluster of the other two. Their log takes the place of its own, and what it
    // has already read stays in its memory. It must not find itself in its list, or it would ask
    // itself first and be content; the server takes every name that begins like its own for a sign
    // that it has a vote.
    cluster.launch_with(0, &Settings::default().saying("RAFT_JOIN", "node1-elsewhere,node2,node3"));
    let settings = pair(0);
    cluster.launch_with(1, &settings.clone().without("CLUSTER_JOIN"));
    cluster.launch_with(2, &settings.saying("CLUSTER_JOIN", "node2:7100"));
    cluster.wait_until_ready(1);
    cluster.wait_until_ready(2);
    let waits = || {
        let own = cluster.raft()[0].clone();
        own.is_some_and(|own| own.is_leader) && cluster.own_class(0, "Alpha").is_some()
    };
    if !wait(Duration::from_secs(20), waits) {
        return Err(format!("node 1 does not lead itself: {:?}", cluster.raft()));
    }
    for node in [1, 2] {
        introduce(cluster, node, 0);
        introduce(cluster, 0, node);
    }
    let is_made = || {
        cluster.is_agreed()
            && cluster.leader() != 0
            && cluster.is_ready(0)
            && is_in_step(cluster)
            && cluster.presence("Alpha") == [true, false, false]
    };
    if !wait(Duration::from_secs(30), is_made) {
        let presence = cluster.presence("Alpha");
        return Err(format!("the class is on {presence:?} of {:?}", cluster.raft()));
    }
    Ok(made)
}

fn follows_as_a_stranger() -> Made {
    for _ in 0..20 {
        let mut cluster = Cluster::new(Settings::default());
        let alone = Settings::default().without("RAFT_JOIN").without("RAFT_BOOTSTRAP_EXPECT");
        cluster.launch(0);
        cluster.launch(1);
        cluster.launch_with(2, &alone);
        for node in 0..NODES {
            cluster.wait_until_ready(node);
        }
        let raft = cluster.raft();
        let strange = raft.iter().flatten().filter(|member| member.members != NODES).count();
        if cluster.leaders() == 1 && strange == 1 {
            let leader = cluster.leader();
            return fill(cluster, &[(leader, "Alpha")]);
        }
        eprintln!("not what was wanted: {raft:?}; again");
    }
    panic!("20 starts without the RAFT settings of node 3, and it was never a stranger");
}

/// The one of nodes 2 and 3 that leads.
fn pair_leader(cluster: &Cluster) -> usize {
    let raft = cluster.raft();
    [1, 2].into_iter().find(|node| raft[*node].as_ref().is_some_and(|it| it.is_leader)).unwrap()
}

/// Creates each class at its node with factor 3, and writes objects there with ONE.
fn fill(cluster: Cluster, classes: &[(usize, &str)]) -> Made {
    let mut objects = BTreeMap::<String, Vec<String>>::new();
    for (node, class) in classes {
        let definition = json!({
            "class": class,
            "properties": [{"name": "config_key", "dataType": ["text"]}],
            "replicationConfig": {"factor": 3},
        });
        let reply = cluster.post(*node, "/v1/schema", &definition);
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        assert!(wait(Duration::from_secs(10), || cluster.own_class(*node, class).is_some()));
        let numbers = 0..OBJECTS;
        objects.insert((*class).to_owned(), ids(&numbers));
        data::write(&cluster, *node, class, numbers, "ONE");
    }
    Made { cluster, objects }
}

fn ids(numbers: &Range<u128>) -> Vec<String> {
    numbers.clone().map(id).collect()
}

fn others(single: usize) -> impl Iterator<Item = usize> {
    (0..NODES).filter(move |node| *node != single)
}

fn name(node: usize) -> String {
    format!("node{}", node + 1)
}

impl Made {
    /// Checks that every object has a replica on every node, as soon as replication has got there.
    pub(super) fn expect_objects_everywhere(&self) {
        for (class, ids) in &self.objects {
            let missing = || -> Vec<String> {
                let places = ids.iter().flat_map(|id| (0..NODES).map(move |node| (id, name(node))));
                let absent = places.filter(|(id, node)| !self.has(class, id, node));
                absent.map(|(id, node)| format!("{id} on {node}")).collect()
            };
            // What was written to one node is found missing on the others every half minute.
            let there = wait(Duration::from_secs(90), || missing().is_empty());
            assert!(there, "{class} lacks {:?}", missing());
        }
    }

    /// Whether the node's replica has the object with all that belongs to it.
    fn has(&self, class: &str, id: &str, node: &str) -> bool {
        let path = format!("/v1/objects/{class}/{id}?node_name={node}&include=vector");
        let object = self.cluster.get(0, &path).body;
        object["properties"]["config_key"].is_string()
            && object["vector"].as_array().is_some_and(|vector| vector.len() == 3)
    }
}
