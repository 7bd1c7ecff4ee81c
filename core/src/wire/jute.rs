//! Jute, ZooKeeper's encoding of records: big-endian integers, counted strings, buffers and vectors,
//! no tags, no lengths of records (ZooKeeper.md 1.1).

use std::sync::Arc;

/// `jute.maxbuffer`: the largest frame that a client may send, 1,048,575 bytes.
pub const MAX_BUFFER: usize = 0xf_ffff;

/// The largest string or buffer inside a record, for a given `jute.maxbuffer`: twice that, because a
/// transaction is larger than the request that made it (`jute.maxbuffer.extrasize`).
#[must_use]
pub const fn record_limit(max_buffer: usize) -> usize {
    let extra = if max_buffer > 1024 { max_buffer } else { 1024 };
    max_buffer.saturating_add(extra)
}

/// Why bytes could not be read. `at` is the offset in the input of the field that was being read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends inside a field.
    #[error("{what} at byte {at} needs {needed} bytes, {left} are left")]
    End {
        /// The field.
        what: &'static str,
        /// Where it begins.
        at: usize,
        /// How many bytes it takes, as far as known.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// A length is negative or larger than allowed; ZooKeeper says "Unreasonable length" too.
    #[error("Unreasonable length = {length} of {what} at byte {at}; at most {limit} are allowed")]
    Length {
        /// The field.
        what: &'static str,
        /// Where it begins.
        at: usize,
        /// What stands there.
        length: i32,
        /// What may.
        limit: usize,
    },
    /// A string that is not UTF-8.
    #[error("{what} at byte {at} is not UTF-8")]
    Utf8 {
        /// The field.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A null where there must be something.
    #[error("{what} at byte {at} is null")]
    Null {
        /// The field.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A number that stands for nothing known.
    #[error("{value} at byte {at} is no {what}")]
    Unknown {
        /// What it should name.
        what: &'static str,
        /// Where it stands.
        at: usize,
        /// The number.
        value: i64,
    },
    /// Bytes follow where nothing should.
    #[error("{left} bytes too many after {what}, from byte {at} on")]
    Trailing {
        /// After what.
        what: &'static str,
        /// The first of them.
        at: usize,
        /// How many.
        left: usize,
    },
    /// Each part can be read, but together they make no sense.
    #[error("{what} at byte {at}: {why}")]
    Malformed {
        /// The field.
        what: &'static str,
        /// Where it begins.
        at: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads fields one after the other, with an eye on what is left.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    limit: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; no string or buffer in them may be longer than `limit`, see [`record_limit`].
    #[must_use]
    pub fn new(bytes: &'a [u8], limit: usize) -> Reader<'a> {
        Reader {
            bytes,
            at: 0,
            limit,
        }
    }

    /// How many bytes were read.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The limit it was made with.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `n` bytes.
    pub fn take(&mut self, what: &'static str, n: usize) -> Result<&'a [u8], DecodeError> {
        let at = self.at;
        let left = self.left();
        match at.checked_add(n).and_then(|end| self.bytes.get(at..end)) {
            Some(taken) => {
                self.at += n;
                Ok(taken)
            }
            None => Err(DecodeError::End {
                what,
                at,
                needed: n,
                left,
            }),
        }
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// A reader of `n` bytes that begin at offset `from`, with offsets as in the whole: for a record
    /// inside a buffer. It ends where the input ends.
    #[must_use]
    pub fn part(&self, from: usize, n: usize) -> Reader<'a> {
        let end = from.saturating_add(n).min(self.bytes.len());
        Reader {
            bytes: &self.bytes[..end],
            at: from.min(end),
            limit: self.limit,
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(what, N)?);
        Ok(out)
    }

    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// One byte; everything but 0 is true.
    pub fn bool(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        Ok(self.u8(what)? != 0)
    }

    /// Four bytes.
    pub fn i32(&mut self, what: &'static str) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array(what)?))
    }

    /// Eight bytes.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// A counted run of bytes; -1 is null.
    pub fn buffer(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        let at = self.at;
        let length = self.i32(what)?;
        if length == -1 {
            return Ok(None);
        }
        match usize::try_from(length) {
            Ok(n) if n <= self.limit => self.take(what, n).map(Some),
            _ => Err(DecodeError::Length {
                what,
                at,
                length,
                limit: self.limit,
            }),
        }
    }

    /// A counted run of UTF-8; -1 is null.
    pub fn string(&mut self, what: &'static str) -> Result<Option<&'a str>, DecodeError> {
        let at = self.at;
        self.buffer(what)?
            .map(|bytes| std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8 { what, at }))
            .transpose()
    }

    /// A string as Java reads it: what is no UTF-8 becomes U+FFFD. For what clients and other
    /// servers say, where Apache goes on with such a string; -1 is null.
    pub fn lossy(&mut self, what: &'static str) -> Result<Option<Arc<str>>, DecodeError> {
        let bytes = self.buffer(what)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into()))
    }

    /// A string that may not be null.
    pub fn text(&mut self, what: &'static str) -> Result<Arc<str>, DecodeError> {
        let at = self.at;
        match self.string(what)? {
            Some(text) => Ok(Arc::from(text)),
            None => Err(DecodeError::Null { what, at }),
        }
    }

    /// A znode's data: null is not empty (trap 24).
    pub fn data(&mut self, what: &'static str) -> Result<Option<Arc<[u8]>>, DecodeError> {
        Ok(self.buffer(what)?.map(Arc::from))
    }

    /// The number of elements of a vector; -1 is null. `smallest` is the least number of bytes that
    /// an element takes: a count that can't fit in what is left is refused before anything is
    /// allocated for it.
    pub fn count(
        &mut self,
        what: &'static str,
        smallest: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let at = self.at;
        let length = self.i32(what)?;
        if length == -1 {
            return Ok(None);
        }
        let limit = self.left() / smallest.max(1);
        match usize::try_from(length) {
            Ok(n) if n <= limit => Ok(Some(n)),
            _ => Err(DecodeError::Length {
                what,
                at,
                length,
                limit,
            }),
        }
    }

    /// Nothing may be left.
    pub fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing {
                what,
                at: self.at,
                left,
            }),
        }
    }
}

/// Writes fields at the end of a byte vector.
pub trait Writer {
    /// One byte.
    fn put_u8(&mut self, value: u8);
    /// One byte, 0 or 1.
    fn put_bool(&mut self, value: bool);
    /// Four bytes.
    fn put_i32(&mut self, value: i32);
    /// Eight bytes.
    fn put_i64(&mut self, value: i64);
    /// A length or count. What is longer than an `i32` can say is a broken promise of the caller's:
    /// all that we write was held to `jute.maxbuffer` before.
    fn put_len(&mut self, len: usize);
    /// A counted run of bytes, or null.
    fn put_buffer(&mut self, value: Option<&[u8]>);
    /// A counted string.
    fn put_str(&mut self, value: &str);
    /// A vector of strings.
    fn put_strs(&mut self, values: &[Arc<str>]);
}

impl Writer for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_bool(&mut self, value: bool) {
        self.push(u8::from(value));
    }

    fn put_i32(&mut self, value: i32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_len(&mut self, len: usize) {
        #[allow(clippy::expect_used)] // see the trait
        self.put_i32(i32::try_from(len).expect("lengths are bounded by jute.maxbuffer"));
    }

    fn put_buffer(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.put_i32(-1),
            Some(bytes) => {
                self.put_len(bytes.len());
                self.extend_from_slice(bytes);
            }
        }
    }

    fn put_str(&mut self, value: &str) {
        self.put_buffer(Some(value.as_bytes()));
    }

    fn put_strs(&mut self, values: &[Arc<str>]) {
        self.put_len(values.len());
        for value in values {
            self.put_str(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_different() {
        let mut bytes = Vec::new();
        bytes.put_buffer(None);
        bytes.put_buffer(Some(&[]));
        let mut reader = Reader::new(&bytes, 10);
        assert_eq!(reader.buffer("a"), Ok(None));
        assert_eq!(reader.buffer("b"), Ok(Some(&[][..])));
        assert_eq!(reader.finish("record"), Ok(()));
    }

    #[test]
    fn a_length_below_minus_one_or_above_the_limit_is_unreasonable() {
        for length in [-2, i32::MIN, 11, i32::MAX] {
            let mut bytes = Vec::new();
            bytes.put_i32(length);
            bytes.extend_from_slice(&[0; 20]);
            assert_eq!(
                Reader::new(&bytes, 10).buffer("data"),
                Err(DecodeError::Length {
                    what: "data",
                    at: 0,
                    length,
                    limit: 10
                })
            );
        }
    }

    #[test]
    fn a_count_is_bounded_by_what_is_left() {
        let mut bytes = Vec::new();
        bytes.put_i32(3);
        bytes.extend_from_slice(&[0; 8]);
        assert_eq!(Reader::new(&bytes, 10).count("list", 2), Ok(Some(3)));
        assert!(Reader::new(&bytes, 10).count("list", 4).is_err());
    }

    #[test]
    fn an_error_says_where_it_stopped() {
        let mut reader = Reader::new(&[0, 0, 0, 1, 0xff, 0], 10);
        assert_eq!(
            reader.string("path"),
            Err(DecodeError::Utf8 {
                what: "path",
                at: 0
            })
        );
        assert_eq!(
            reader.i32("version").map_err(|e| e.to_string()),
            Err("version at byte 5 needs 4 bytes, 1 are left".into())
        );
    }
}
