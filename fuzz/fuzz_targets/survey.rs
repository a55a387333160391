//! Any answers of a node: a list of statistics, nodes and own schema, judged.

#![no_main]

use std::collections::BTreeSet;

use elysia_runbook::survey::{Classes, Commands, Seen, Survey, View};
use elysia_runbook::weaviate::{NodeStatus, Statistics};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((statistics, statuses, own_schema)) =
        serde_json::from_slice::<(Statistics, Vec<NodeStatus>, Classes)>(bytes)
    else {
        return;
    };
    let leader_schema = Ok(own_schema.clone());
    let view = View { statistics, statuses, own_schema };
    let seen = Seen { node: "node1".into(), url: "http://h".into(), host: "h".into(), view: Ok(view) };
    let survey = Survey { nodes: vec![seen], leader_schema };
    for problem in &survey.agreement(&BTreeSet::new()).problems {
        let _ = problem.issue(&survey, &Commands::default());
    }
    let _ = (survey.raft(&Commands::default()), survey.topology_issues(), survey.blind());
});
