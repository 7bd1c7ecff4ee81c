//! A 64-bit hash that is the same on every platform and in every version of the compiler's
//! standard library: the trace hash of a run.
//!
//! Derived `Hash` writes enum discriminants as `isize` and lengths as `usize`; both are widened to
//! 64 bits here, so that native and wasm32 agree.

use core::hash::Hasher;

/// Multiply, fold, rotate: each step is a bijection of the state, so a single difference is never
/// swallowed. Not for hash tables that strangers feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceHasher {
    state: u64,
}

impl Default for TraceHasher {
    fn default() -> Self {
        TraceHasher {
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }
}

impl TraceHasher {
    #[inline]
    fn fold(&mut self, word: u64) {
        let mixed = (self.state ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.state = (mixed ^ (mixed >> 32)).rotate_left(29);
    }
}

impl Hasher for TraceHasher {
    fn finish(&self) -> u64 {
        let mut h = self.state;
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.fold(u64::from_le_bytes(eight));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            // The length is part of it: "a" and "a\0" differ.
            self.fold(u64::from_le_bytes(eight) ^ ((rest.len() as u64) << 56));
        }
    }

    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.fold(u64::from(n));
    }
    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.fold(u64::from(n));
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.fold(u64::from(n));
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.fold(n);
    }
    #[inline]
    fn write_u128(&mut self, n: u128) {
        self.fold(n as u64);
        self.fold((n >> 64) as u64);
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.fold(n as u64);
    }
    #[inline]
    fn write_i8(&mut self, n: i8) {
        self.fold(i64::from(n) as u64);
    }
    #[inline]
    fn write_i16(&mut self, n: i16) {
        self.fold(i64::from(n) as u64);
    }
    #[inline]
    fn write_i32(&mut self, n: i32) {
        self.fold(i64::from(n) as u64);
    }
    #[inline]
    fn write_i64(&mut self, n: i64) {
        self.fold(n as u64);
    }
    #[inline]
    fn write_i128(&mut self, n: i128) {
        self.write_u128(n as u128);
    }
    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.fold(n as i64 as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hash::Hash;

    fn hash(value: impl Hash) -> u64 {
        let mut h = TraceHasher::default();
        value.hash(&mut h);
        h.finish()
    }

    #[test]
    fn widths_of_usize_and_isize_do_not_matter() {
        let (mut a, mut b) = (TraceHasher::default(), TraceHasher::default());
        a.write_usize(7);
        a.write_isize(-7);
        b.write_u64(7);
        b.write_i64(-7);
        assert_eq!(a.finish(), b.finish());
    }

    #[test]
    fn every_byte_counts_and_so_does_the_length() {
        assert_ne!(hash([1u8, 2, 3]), hash([1u8, 2, 4]));
        let (mut a, mut b) = (TraceHasher::default(), TraceHasher::default());
        a.write(b"a");
        b.write(b"a\0");
        assert_ne!(a.finish(), b.finish());
    }

    #[test]
    fn the_hash_is_the_same_for_ever() {
        // Recorded once; exported runs carry such numbers.
        assert_eq!(hash((1u64, "zxid", Some(-1i32))), FOR_EVER);
    }
    const FOR_EVER: u64 = 12_215_863_251_916_845_441;
}
