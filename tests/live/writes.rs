//! Writes in the moments in which a class is proven to be empty and deleted.
//!
//! `LIVE_WRITES` says how many are tried.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::cluster::{Cluster, turn};
use super::data::{create_class_with_factor_1, delete, expect_writable, id};
use super::program::{Program, number};
use super::view::wait;

const CLASS: &str = "Written";

#[test]
#[ignore = "needs a Weaviate server"]
fn a_write_that_was_acknowledged_is_never_lost_with_the_class() {
    let _turn = turn();
    let cluster = Cluster::healthy();
    let tries = number("LIVE_WRITES", 6);
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
