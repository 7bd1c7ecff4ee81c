//! What the codecs' tests share: Apache's frames, ways to damage them, and arbitrary parts.

use crate::request::{Acl, AuthId, Data};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;

/// Large enough for every sample.
pub const LIMIT: usize = 1 << 20;

/// The bytes of a line of hexadecimal digits; spaces are for the reader.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("two digits")
        })
        .collect()
}

/// The lines of a recording, each with its bytes.
pub fn recording(lines: &str) -> Vec<(Value, Vec<u8>)> {
    lines
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let bytes = hex(line["hex"].as_str().expect("a line has hex"));
            (line, bytes)
        })
        .collect()
}

/// A text of a line.
pub fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

/// A hexadecimal number of a line.
pub fn number(line: &Value, key: &str) -> i64 {
    let digits = text(line, key).trim_start_matches("0x");
    u64::from_str_radix(digits, 16).expect("a number") as i64
}

/// Every sample with one byte turned, in several ways.
pub fn turned(sample: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..sample.len()).flat_map(move |at| {
        [0x01, 0x10, 0x80, 0xff].into_iter().map(move |bits| {
            let mut bytes = sample.to_vec();
            bytes[at] ^= bits;
            bytes
        })
    })
}

pub fn words() -> impl Strategy<Value = Arc<str>> {
    "[a-z/é]{0,6}".prop_map(Arc::from)
}

pub fn data() -> impl Strategy<Value = Data> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..9).prop_map(Arc::from))
}

pub fn bytes(most: usize) -> impl Strategy<Value = Arc<[u8]>> {
    prop::collection::vec(any::<u8>(), 0..most).prop_map(Arc::from)
}

pub fn acls() -> impl Strategy<Value = Arc<[Acl]>> {
    let acl =
        (any::<i32>(), words(), words()).prop_map(|(perms, scheme, id)| Acl { perms, scheme, id });
    prop::collection::vec(acl, 0..3).prop_map(Arc::from)
}

pub fn ids() -> impl Strategy<Value = Vec<AuthId>> {
    let id = (words(), words()).prop_map(|(scheme, id)| AuthId { scheme, id });
    prop::collection::vec(id, 0..3)
}
