//! The sandbox: that it behaves as a real cluster does (`contract`), and that
//! its scenarios and faults are what they say.

mod contract;

use elysia_runbook::sandbox::{Sandbox, Scenario};

fn urls(sandbox: &Sandbox) -> Vec<String> {
    sandbox.nodes().into_iter().map(|(_, url)| url).collect()
}

#[tokio::test]
async fn behaves_as_the_contract_says() {
    let sandbox = Sandbox::start(Scenario::Healthy).await.expect("free ports");
    let ran = contract::all(&urls(&sandbox)).await;
    assert!(ran > 20, "{ran} tests ran");
}

/// `CONTRACT_NODES=http://…,http://…,http://… cargo test --test sandbox -- --ignored`
#[tokio::test]
#[ignore = "needs a real cluster, named in CONTRACT_NODES"]
async fn a_real_cluster_behaves_as_the_contract_says() {
    let nodes = std::env::var("CONTRACT_NODES").expect("CONTRACT_NODES names the nodes");
    let nodes: Vec<String> = nodes.split(',').map(str::to_owned).collect();
    assert_eq!(nodes.len(), 3, "three nodes");
    let ran = contract::all(&nodes).await;
    assert!(ran > 20, "{ran} tests ran");
}
