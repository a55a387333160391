//! The live suite: the program against real three-node Weaviate clusters.
//!
//! `cargo test --test live -- --ignored`. Every cluster is started from the environment in
//! `docker-compose.yaml`, on loopback, with ports of its own and data in a temporary folder; the
//! server is found as `live::server` says. Nothing here reads the program's internals: it is run
//! as a child process, and what it did is looked up at the nodes over plain HTTP.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![expect(clippy::print_stderr, reason = "outcomes that differ from run to run are worth a line")]

mod contract;

/// What the tests stand on, then the tests, in `tests/live/`.
mod live {
    mod classes;
    mod cluster;
    mod compose;
    mod control;
    mod damage;
    mod data;
    mod fault;
    mod gossip;
    mod http;
    mod incident;
    mod kinds;
    mod local;
    mod ports;
    mod program;
    mod server;
    mod states;
    mod stream;
    mod view;

    mod diagnose;
    mod dry_run;
    mod faults;
    mod harness;
    mod health;
    mod killed;
    mod objects;
    mod recreate;
    mod repair;
    mod scale;
    mod settings;
    mod split;
    mod tenants;
    mod transfer;
    mod writes;
}
