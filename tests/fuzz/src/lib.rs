//! What everything that reads bytes from outside must bear: whatever the bytes are, no panic, no memory
//! beyond a fixed multiple of what came, and what was read is read the same again.
//!
//! `cargo xtask fuzz` lets libFuzzer look for bytes that it does not bear. The same targets run with
//! recorded and damaged bytes in the ordinary tests (`server/tests/fuzz_targets.rs`).

pub mod meter;
pub mod seeds;
pub mod targets;

/// Runs one target with one input; for the programs in `fuzz_targets`.
///
/// # Panics
/// If something was found.
pub fn run(name: &str, bytes: &[u8]) {
    let target = targets::ALL.iter().find(|target| target.name == name);
    target.expect("a target of this name").run(bytes);
}

/// Writes what a target begins with into the directory that ZABSCOPE_SEEDS names, if it does.
///
/// # Panics
/// If they can't be written.
pub fn sow(name: &str) {
    let Some(directory) = std::env::var_os("ZABSCOPE_SEEDS") else {
        return;
    };
    for (n, seed) in seeds::of(name).into_iter().enumerate() {
        let file = std::path::Path::new(&directory).join(format!("seed-{n}"));
        std::fs::write(file, seed).expect("a seed can be written");
    }
}
