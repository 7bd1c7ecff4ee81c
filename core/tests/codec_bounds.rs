//! What comes from outside can't make a decoder take more memory than a fixed multiple of what came
//! (DESIGN.md, rule 6): damaged frames of Apache, and counts and lengths that promise far too much.

#[path = "../../tests/fuzz/src/meter.rs"]
mod meter;

use meter::most;
use zabscope_core::wire::{
    client::{Connect, Connected, decode_from_server, decode_request},
    election::{Greeting, Message},
    quorum::{Sender, decode},
    snapshot::{Form, Parser},
};

const LIMIT: usize = 1 << 20;

/// The smallest thing on the wire is an empty string of four bytes; it becomes an entry of a vector
/// that was grown by doubling, and an allocation of its own. A fixed part covers errors and the like.
fn allowed(bytes: usize) -> usize {
    1024 + 32 * bytes
}

fn decode_all(frame: &[u8]) {
    let _ = decode_request(frame, LIMIT);
    let _ = Connect::decode(frame, LIMIT);
    let _ = Connected::decode(frame, LIMIT);
    for opcode in [1, 3, 4, 6, 8, 12, 14, 15, 22, 100, 102, 103, 104, 106, 107] {
        let _ = decode_from_server(frame, LIMIT, |_| Some(opcode));
    }
    for from in [Sender::Learner, Sender::Leader] {
        let _ = decode(frame, from, LIMIT);
    }
    let _ = Parser::new(Form::Wire, LIMIT).feed(frame, |_| Ok(()));
    let _ = Greeting::decode(frame);
    let _ = Message::decode(frame);
}

fn assert_bounded(frame: &[u8]) {
    let most = most(|| decode_all(frame));
    assert!(
        most <= allowed(frame.len()),
        "{most} bytes held for {} bytes: {frame:02x?}",
        frame.len()
    );
}

fn samples() -> Vec<Vec<u8>> {
    [
        (include_str!("fixtures/client.jsonl"), 4),
        (include_str!("fixtures/election-second-election.jsonl"), 4),
        (include_str!("fixtures/election-second-election.jsonl"), 0),
        (include_str!("fixtures/quorum-diff.jsonl"), 0),
        (include_str!("fixtures/quorum-reconfig.jsonl"), 0),
    ]
    .into_iter()
    .flat_map(|(lines, skip)| {
        lines.lines().map(move |line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let digits = line["hex"].as_str().expect("hex");
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
            (2 * skip..digits.len()).step_by(2).map(byte).collect()
        })
    })
    .collect()
}

#[test]
fn what_is_held_is_counted() {
    let held = || drop(std::hint::black_box(Vec::<u8>::with_capacity(1000)));
    assert_eq!(most(held), 1000);
}

#[test]
fn damaged_frames_take_memory_in_proportion() {
    for frame in samples() {
        assert_bounded(&frame);
        for at in 0..frame.len() {
            assert_bounded(&frame[..at]);
            for bits in [0x01, 0x7f, 0x80, 0xff] {
                let mut turned = frame.clone();
                turned[at] ^= bits;
                assert_bounded(&turned);
            }
        }
    }
}

#[test]
fn numbers_that_promise_too_much_take_nothing() {
    for frame in samples() {
        for at in 0..frame.len().saturating_sub(3) {
            for number in [i32::MAX, 0x00ff_ffff, 0x000f_ffff, -2] {
                let mut lying = frame.clone();
                lying[at..at + 4].copy_from_slice(&number.to_be_bytes());
                assert_bounded(&lying);
            }
        }
    }
}

#[test]
fn the_densest_frames_take_memory_in_proportion() {
    let count = 20_000_u32;
    let zeros = vec![0; 12 * count as usize];
    let head = |parts: &[&[u8]]| [&parts.concat()[..], &zeros].concat();
    let n = &count.to_be_bytes()[..];
    for frame in [
        // setWatches with empty paths, setACL with empty entries, identities of a REQUEST.
        head(&[&[0; 4], &101_u32.to_be_bytes(), &[0; 8], n]),
        head(&[&[0; 4], &7_u32.to_be_bytes(), &[0; 4], n]),
        head(&[&1_u32.to_be_bytes(), &[0xff; 12], n]),
        // Names of children, whoAmI.
        head(&[&[0; 16], n]),
        // A multi of deletes; the zeros after it end it.
        [
            &[&[0; 4][..], &14_u32.to_be_bytes()].concat()[..],
            &[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(count as usize),
        ]
        .concat(),
    ] {
        assert_bounded(&frame);
    }
}
