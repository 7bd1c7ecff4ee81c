//! What must be the same on wasm32, in Node: `cargo test --target wasm32-unknown-unknown
//! -p zabscope-tests --test wasm`.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test;
use zabscope_tests::{chaos, prelude::*};

/// 200 runs with faults have the trace hashes that they have natively.
#[wasm_bindgen_test]
fn two_hundred_runs_with_faults_have_the_hashes_of_the_table() {
    chaos::compare(include_str!("../data/trace-hashes.txt"), &chaos::table());
}

/// The scenario language itself, with every invariant.
#[wasm_bindgen_test]
fn an_ensemble_elects_writes_loses_its_leader_and_recovers() {
    let mut s = Scenario::voters(5).observers(1).seed(7).start();
    let leader = s.until_leader();
    s.client("A").at(2).create("/a", "x").ok();
    s.crash(leader).until_another_leader(leader);
    s.client("A").connected();
    s.client("A").set("/a", "y").ok();
    s.restart(leader).settle().agree();
    assert_eq!(s.data(6, "/a").as_deref(), Some("y"));
    s.in_order(&[
        event!(leader, Established),
        world!(Crashed),
        event!(any, Established),
        event!(leader, Serving),
    ]);
}
