//! Long seeded runs with faults and clients, whose trace hash must be the same on every platform.

use core::fmt::Write;
use zabscope_core::sim::{Checker, Plan, Run};

/// How many runs are compared.
pub const SEEDS: u64 = 200;
/// Steps with faults in each; then all faults end and the ensemble recovers.
pub const STEPS: u64 = 300;

/// One run: 1 to 9 voters, 0 to 2 observers, all faults.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    Plan {
        servers: 1 + u8::try_from(seed % 9).unwrap_or(0),
        observers: u8::try_from(seed % 3).unwrap_or(0),
        ..Plan::of_seed(seed, STEPS)
    }
}

/// What happened in a run: how many steps it took, and the hash of all of them.
///
/// # Panics
/// The run can't begin, or does not recover.
#[must_use]
pub fn run(seed: u64) -> (u64, u64) {
    let plan = plan(seed);
    let command = plan.command();
    let mut run = match Run::new(plan, Checker::empty()) {
        Ok(run) => run,
        Err(error) => panic!("{command}: {error}"),
    };
    if let Err(violation) = run.run(&mut |_, _| {}) {
        panic!("{}", run.report(&violation));
    }
    (run.world().steps(), run.world().trace_hash())
}

/// All runs, one line each: seed, steps, trace hash.
#[must_use]
pub fn table() -> String {
    let mut text = String::new();
    for seed in 1..=SEEDS {
        let (steps, hash) = run(seed);
        // Writing to a String does not fail.
        let _ = writeln!(text, "{seed} {steps} {hash:016x}");
    }
    text
}

/// Compares what was found with what is expected, line by line.
///
/// # Panics
/// They differ; says where first.
pub fn compare(expected: &str, found: &str) {
    let how = "if the protocol or the simulator was changed on purpose: \
               ZABSCOPE_WRITE_HASHES=1 cargo test -p zabscope-tests --test determinism";
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found, "seed, steps and trace hash differ; {how}");
    }
    assert_eq!(expected.lines().count(), found.lines().count(), "{how}");
}
