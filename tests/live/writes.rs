//! Writes in the moments in which a class is proven to be empty and deleted.
//!
//! `LIVE_WRITES` says how many are tried.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, NODES, turn};
use super::data::{create_class_with_factor_1, delete, expect_writable, id, set_shards};
use super::program::{Program, number};
use super::view::wait;

const CLASS: &str = "Written";

#[test]
#[ignore = "needs a Weaviate server"]
fn a_write_that_was_acknowledged_is_never_lost_with_the_class() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let tries = number("LIVE_WRITES", 4);
    create_class_with_factor_1(&cluster, CLASS);
    let whole = {
        let program = Program::new();
        let mut running = program.start(&cluster, CLASS);
        running.wait_for_step(7);
        let began = Instant::now();
        running.wait_for_step(8);
        let whole = began.elapsed();
        running.finish().expect(0);
        whole
    };
    let mut acknowledged = 0;
    for each in 0..tries {
        delete(&cluster, CLASS);
        create_class_with_factor_1(&cluster, CLASS);
        let program = Program::patient();
        let mut running = program.start(&cluster, CLASS);
        running.wait_for_step(7);
        std::thread::sleep(whole * each / tries);
        let node = (each % 3) as usize;
        let object = json!({"class": CLASS, "id": id(each.into())});
        let written = cluster.post(node, "/v1/objects", &object).status == 200;
        let finished = running.finish();
        eprintln!("written at {each}/{tries} of the deletion: {written}, exit {}", finished.code);
        // It is only noticed; where auto-schema made it a class, that class is kept, too.
        let there = || {
            let path = format!("/v1/objects/{CLASS}/{}", id(each.into()));
            cluster.request(0, Method::GET, &path).send().status == 200
        };
        if written {
            acknowledged += 1;
            assert!(wait(Duration::from_secs(5), there), "lost: {finished:?}");
        }
        // Whatever became of it.
        expect_writable(&cluster, CLASS);
    }
    eprintln!("{acknowledged} of {tries} were acknowledged, and none of them is lost");
}

/// A node that is stopped while the class is deleted goes on with its writes when it is back: the wait
/// counts from then.
#[test]
#[ignore = "needs a Weaviate server"]
fn a_writer_that_was_stopped_meanwhile_loses_nothing() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let mut acknowledged = 0;
    let tries = number("LIVE_WRITES", 6).div_ceil(6);
    create_class_with_factor_1(&cluster, CLASS);
    for each in 0..tries {
        let writer = (cluster.leader() + 1) % NODES;
        // So that none is taken before the deletion.
        let shards: Vec<String> = cluster.planned_replicas(CLASS).into_keys().collect();
        set_shards(&cluster, CLASS, &shards, "READONLY");
        let program = Program::patient();
        let mut running = program.start(&cluster, CLASS);
        running.wait_for_step(7);
        let written = std::thread::scope(|scope| {
            let ids = (0..12).map(|number| id(u128::from(each) * 100 + number));
            let open: Vec<_> = ids
                .map(|id| {
                    let object = json!({"class": CLASS, "id": id});
                    let request =
                        cluster.request(writer, Method::POST, "/v1/objects").json(&object);
                    let request = request.timeout(Duration::from_secs(60));
                    scope.spawn(move || (request.send().status == 200).then_some(id))
                })
                .collect();
            running.wait_for_change("delete_class", CLASS);
            cluster.pause(writer);
            std::thread::sleep(Duration::from_secs(14));
            cluster.resume(writer);
            open.into_iter().filter_map(|write| write.join().unwrap()).collect::<Vec<_>>()
        });
        let finished = running.finish();
        eprintln!("{} of 12 written, exit {}", written.len(), finished.code);
        acknowledged += written.len();
        for id in written {
            let path = format!("/v1/objects/{CLASS}/{id}");
            let there = || cluster.request(0, Method::GET, &path).send().status == 200;
            assert!(wait(Duration::from_secs(5), there), "{id} is lost: {finished:?}");
        }
        delete(&cluster, CLASS);
        create_class_with_factor_1(&cluster, CLASS);
    }
    eprintln!("{acknowledged} were acknowledged, and none of them is lost");
}
