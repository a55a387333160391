//! What a healthy three-node cluster of Weaviate does, as tests that take only
//! the URLs of its nodes.
//!
//! They run against the sandbox and against the real server, so that the
//! sandbox cannot drift. Each makes classes of its own, named `Contract…`, and
//! removes them.

pub(crate) mod apart;
mod cluster;
mod counting;
pub(crate) mod http;
mod objects;
mod replication;
mod schema;
mod tenants;

/// Runs each test, with its name, and counts.
macro_rules! run {
    ($nodes:ident: $($test:path),* $(,)?) => {{
        let mut ran = 0;
        $(
            say(stringify!($test));
            $test($nodes).await;
            ran += 1;
        )*
        ran
    }};
}

/// Runs every contract test against the nodes of a cluster; returns how many ran.
pub(crate) async fn all(nodes: &[String]) -> usize {
    http::remove_leftovers(nodes).await;
    run!(nodes:
        cluster::is_ready,
        cluster::tells_its_version,
        cluster::lists_its_nodes,
        cluster::agrees_on_one_leader,
        schema::fills_in_the_defaults,
        schema::keeps_what_was_sent,
        schema::is_the_same_on_every_node,
        schema::sorts_what_comes_from_the_leader,
        schema::refuses_what_is_wrong,
        schema::capitalises_names,
        schema::deletes_what_is_not_there,
        schema::takes_back_what_it_gave,
        schema::updates_little,
        replication::factor_three_is_on_every_node,
        replication::factor_one_has_one_replica,
        replication::says_where_replicas_are_planned,
        replication::scales_in_place,
        replication::stops_and_allows_writing,
        replication::copies_a_replica,
        replication::waits_for_a_node_that_is_not_there,
        objects::are_created_read_and_deleted,
        objects::are_refused,
        objects::are_read_from_one_node,
        objects::are_not_where_no_replica_is,
        objects::are_written_at_every_level,
        objects::are_listed_in_order,
        objects::are_taken_in_batches,
        objects::carry_vectors_as_bytes,
        objects::make_their_class,
        counting::counts,
        counting::counts_many_at_once,
        counting::says_what_it_cannot_count,
        tenants::come_and_go,
        tenants::sleep,
        tenants::are_refused,
    )
}

#[expect(clippy::print_stdout, reason = "the names show how far a live run came")]
fn say(test: &str) {
    println!("contract: {test}");
}
