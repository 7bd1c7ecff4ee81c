//! The same seed gives the same run: twice here, and natively and on wasm32 (tests/wasm.rs compares
//! with the same table).
#![cfg(not(target_arch = "wasm32"))]

use std::{env, fs, path::Path};
use zabscope_tests::chaos;

/// What tests/tests/wasm.rs compares with.
const TABLE: &str = include_str!("../data/trace-hashes.txt");

/// 200 runs with faults, against the table that wasm32 is compared with.
#[test]
fn two_hundred_runs_with_faults_have_the_hashes_of_the_table() {
    let found = chaos::table();
    if env::var_os("ZABSCOPE_WRITE_HASHES").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/trace-hashes.txt");
        fs::write(path, &found).expect("the table can be written");
        return;
    }
    chaos::compare(TABLE, &found);
}

/// A run, and the same run again.
#[test]
fn a_run_repeats_itself() {
    for seed in 1..=20 {
        assert_eq!(chaos::run(seed), chaos::run(seed), "seed {seed}");
    }
}

/// If all runs had one hash, the comparison would say nothing.
#[test]
fn no_two_runs_of_the_table_are_alike() {
    let mut hashes: Vec<&str> = TABLE
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len() as u64, chaos::SEEDS);
}
