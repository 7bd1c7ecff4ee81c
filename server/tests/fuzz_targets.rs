//! The targets of `tests/fuzz` with recordings of Apache's servers and clients, cut and damaged in ways
//! that are the same each time; and with everything that fuzzing has found.

#[path = "../../tests/fuzz/src/meter.rs"]
mod meter;
#[path = "../../tests/fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../tests/fuzz/src/targets.rs"]
mod targets;

use std::{fs, path::Path};

/// So many damaged inputs for each target, at least.
const DAMAGED: usize = 3000;

/// Seeds with a piece taken away, a byte turned, or a number made large.
fn damaged(seeds: &[Vec<u8>]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let all: usize = seeds.iter().map(Vec::len).sum();
    let step = (all * 4 / DAMAGED).max(1);
    seeds.iter().flat_map(move |seed| {
        (0..seed.len()).step_by(step).flat_map(move |at| {
            let turned = |bits: u8| {
                let mut bytes = seed.clone();
                bytes[at] ^= bits;
                bytes
            };
            let mut large = seed.clone();
            for byte in large.iter_mut().skip(at).take(4) {
                *byte = if *byte == 0 { 0x7f } else { 0xff };
            }
            [seed[..at].to_vec(), turned(0x01), turned(0x80), large]
        })
    })
}

#[test]
fn every_target_bears_recordings_whole_and_damaged() {
    for target in targets::ALL {
        let seeds = seeds::of(target.name);
        assert!(
            !seeds.is_empty(),
            "{} has something to begin with",
            target.name
        );
        target.run(&[]);
        for bytes in seeds.iter().cloned().chain(damaged(&seeds)) {
            target.run(&bytes);
        }
    }
}

#[test]
fn what_fuzzing_has_found_stays_found() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/found");
    for target in targets::ALL {
        // Most have found nothing.
        let Ok(files) = fs::read_dir(directory.join(target.name)) else {
            continue;
        };
        for file in files {
            let path = file.expect("a directory that can be read").path();
            target.run(&fs::read(path).expect("a file that can be read"));
        }
    }
}
