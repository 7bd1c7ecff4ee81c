//! Frames: an `i32` length, then that many bytes. Clients and elections use them (ZooKeeper.md 1.3,
//! 2.1), the quorum channel does not.

use super::jute::{DecodeError, Writer};
use std::ops::RangeInclusive;

/// The first frame of `bytes`, without its length, and how many bytes it takes with it; `None` when
/// it is not there in full. A length outside of `allowed` is an error as soon as it can be seen:
/// the connection ends.
pub fn read(
    bytes: &[u8],
    allowed: RangeInclusive<usize>,
) -> Result<Option<(&[u8], usize)>, DecodeError> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*length);
    match usize::try_from(length) {
        Ok(n) if allowed.contains(&n) => Ok(rest.get(..n).map(|frame| (frame, 4 + n))),
        _ => Err(DecodeError::Length {
            what: "a frame",
            at: 0,
            length,
            limit: *allowed.end(),
        }),
    }
}

/// Appends what `body` writes as a frame.
pub fn write(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_i32(0);
    body(out);
    let mut length = Vec::with_capacity(4);
    length.put_len(out.len() - at - 4);
    out[at..at + 4].copy_from_slice(&length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_when_all_of_it_is_there() {
        let mut bytes = vec![7];
        write(&mut bytes, |out| out.extend_from_slice(b"abc"));
        write(&mut bytes, |_| {});
        let stream = &bytes[1..];
        for end in 0..7 {
            assert_eq!(read(&stream[..end], 0..=3), Ok(None), "{end} bytes");
        }
        assert_eq!(read(stream, 0..=3), Ok(Some((&b"abc"[..], 7))));
        assert_eq!(read(&stream[7..], 0..=3), Ok(Some((&[][..], 4))));
    }

    #[test]
    fn a_length_that_is_not_allowed_is_refused_before_anything_follows_it() {
        for (length, allowed) in [(-1, 0..=9), (10, 0..=9), (0, 1..=9), (i32::MAX, 0..=9)] {
            assert!(matches!(
                read(&length.to_be_bytes(), allowed),
                Err(DecodeError::Length { at: 0, .. })
            ));
        }
    }
}
