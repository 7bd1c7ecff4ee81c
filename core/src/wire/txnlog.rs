//! Transaction log files: a header, framed records, zeros (ZooKeeper.md 4.3).
//!
//! Reading tells four ends apart that Apache takes for one: the clean end, the torn tail that a power
//! failure leaves, damage, and a hole. Who reads knows whether the file is the newest, and so which of
//! them may be.

use super::{
    jute::{DecodeError, Reader, Writer},
    txn,
};
use crate::{id::Zxid, txn::Txn};
use adler2::Adler32;
use std::{
    io::{self, Read},
    sync::Arc,
};

/// `ZKLG`.
pub const MAGIC: i32 = 0x5a4b_4c47;
/// The only version there is; Apache does not check it.
pub const VERSION: i32 = 2;
/// The bytes of a file header, snapshots' included.
pub const FILE_HEADER_BYTES: usize = 16;
/// What a record takes besides its payload: checksum and length before, one byte behind.
pub const FRAME_BYTES: usize = 13;
/// The byte that ends a record.
const END_OF_RECORD: u8 = 0x42;
const PREFIX_BYTES: usize = 12;
/// How much is asked of the input at a time.
const CHUNK: usize = 64 * 1024;

/// The header of a log or a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// What kind of file.
    pub magic: i32,
    /// [`VERSION`].
    pub version: i32,
    /// 0 in logs, -1 in snapshots.
    pub dbid: i64,
}

impl FileHeader {
    /// The header of our logs.
    pub const LOG: FileHeader = FileHeader {
        magic: MAGIC,
        version: VERSION,
        dbid: 0,
    };

    /// Writes it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_i32(self.magic);
        out.put_i32(self.version);
        out.put_i64(self.dbid);
    }

    /// Reads it; whose header it is, is for the caller to say.
    ///
    /// # Errors
    /// [`DecodeError::End`]
    pub fn decode(r: &mut Reader<'_>) -> Result<FileHeader, DecodeError> {
        Ok(FileHeader {
            magic: r.i32("magic number of the file")?,
            version: r.i32("version of the file")?,
            dbid: r.i64("dbid")?,
        })
    }
}

/// Writes one record: Adler-32 of the payload, its length, the payload, one byte. Returns how many
/// bytes that were.
pub fn encode_record(txn: &Txn, out: &mut Vec<u8>) -> usize {
    let from = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    txn::encode(txn, out);
    let payload = from + PREFIX_BYTES;
    let mut prefix = Vec::with_capacity(PREFIX_BYTES);
    prefix.put_i64(adler2::adler32_slice(&out[payload..]).into());
    prefix.put_len(out.len() - payload);
    out[from..payload].copy_from_slice(&prefix);
    out.push(END_OF_RECORD);
    out.len() - from
}

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it begins in the file.
    pub at: u64,
    /// Where the next one begins.
    pub end: u64,
    /// What it says.
    pub txn: Arc<Txn>,
}

/// How a log ends, when it is not damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// End of file, or nothing but zeros to it.
    Clean {
        /// Where the last record ends.
        at: u64,
    },
    /// A record that was not written to its end. Legal in the newest file only: what a power failure
    /// leaves of writes that nobody was told of.
    Torn {
        /// Where the last whole record ends.
        at: u64,
        /// What is wrong with what follows.
        why: Torn,
    },
}

/// How one sees that a record was not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Torn {
    /// The file ends inside it.
    #[error("the file ends inside a record")]
    Short,
    /// Zeros or something else stand where its last byte should be.
    #[error("the byte that ends a record is missing")]
    NoEnd,
    /// No length, but something behind it.
    #[error("a record without a length, and something behind it")]
    Hole,
}

/// Damage: what a power failure does not explain.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The input could not be read.
    #[error("can't be read at byte {at}: {error}")]
    Io {
        /// Where.
        at: u64,
        /// Why.
        error: io::Error,
    },
    /// It is no transaction log.
    #[error("is no transaction log: it begins with {found:#010x}, not with \"ZKLG\"")]
    Magic {
        /// What it begins with.
        found: i32,
    },
    /// Shorter than a header, or nothing but zeros where it should be: no record was ever synced.
    #[error("has no header")]
    NoHeader,
    /// The checksum is not that of the payload.
    #[error("the record at byte {at} says its Adler-32 is {expected:#x}, but it is {found:#x}")]
    Checksum {
        /// Where the record begins.
        at: u64,
        /// What it says.
        expected: i64,
        /// What is true.
        found: u32,
    },
    /// A length that can't be.
    #[error("the record at byte {at} has length {length}; at most {limit} are allowed")]
    Length {
        /// Where the record begins.
        at: u64,
        /// What it says.
        length: i32,
        /// What may be.
        limit: usize,
    },
    /// The payload is no transaction, though its checksum is right.
    #[error("the record at byte {at} is no transaction: {error}")]
    Txn {
        /// Where the record begins.
        at: u64,
        /// Why; offsets count from the payload's beginning.
        error: DecodeError,
    },
    /// A transaction is missing, or stands where it can't.
    #[error("the record at byte {at} is transaction {found}, after {previous}")]
    Order {
        /// Where the record begins.
        at: u64,
        /// What comes before.
        previous: Zxid,
        /// What comes here.
        found: Zxid,
    },
}

/// Whether `next` may follow `previous` in a log: the next of its epoch, the first of a later one, or
/// the same once more, which Apache's logs may have (1.8).
#[must_use]
pub fn follows(previous: Zxid, next: Zxid) -> bool {
    next == previous
        || previous.next() == Some(next)
        || (next.epoch() > previous.epoch() && next.counter() == 1)
}

/// Reads the records of one file, one after the other, without holding more than one of them.
///
/// As an iterator it ends after the last whole record or after the first error; then
/// [`LogReader::end`] says how.
#[derive(Debug)]
pub struct LogReader<R> {
    input: R,
    /// Read and not yet used: `buffer[used..]`; the first of them is byte `at` of the file.
    buffer: Vec<u8>,
    used: usize,
    at: u64,
    limit: usize,
    previous: Option<Zxid>,
    end: Option<LogEnd>,
    failed: bool,
}

impl<R: Read> LogReader<R> {
    /// Reads the header of a log. No payload may be longer than twice `limit` and a little, no string
    /// or buffer in it longer than `limit`. If `previous` is given the first record must follow it.
    ///
    /// # Errors
    /// [`LogError::NoHeader`], [`LogError::Magic`], [`LogError::Io`]
    pub fn open(input: R, limit: usize, previous: Option<Zxid>) -> Result<Self, LogError> {
        let mut reader = LogReader {
            input,
            buffer: Vec::new(),
            used: 0,
            at: 0,
            limit,
            previous,
            end: None,
            failed: false,
        };
        if !reader.fill(FILE_HEADER_BYTES)? {
            return Err(LogError::NoHeader);
        }
        let header = &reader.buffer[..FILE_HEADER_BYTES];
        if header.iter().all(|byte| *byte == 0) {
            return Err(LogError::NoHeader);
        }
        match FileHeader::decode(&mut Reader::new(header, 0)) {
            Ok(header) if header.magic == MAGIC => {}
            Ok(header) => {
                return Err(LogError::Magic {
                    found: header.magic,
                });
            }
            Err(_) => return Err(LogError::NoHeader),
        }
        reader.pass(FILE_HEADER_BYTES);
        Ok(reader)
    }

    /// How it ended; `None` before that, and after an error.
    #[must_use]
    pub fn end(&self) -> Option<LogEnd> {
        self.end
    }

    /// Where the last whole record that was returned ends.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The last zxid that was returned, or the one that the first had to follow.
    #[must_use]
    pub fn previous(&self) -> Option<Zxid> {
        self.previous
    }

    /// Makes sure that `n` bytes are there; false at the end of the input.
    fn fill(&mut self, n: usize) -> Result<bool, LogError> {
        while self.buffer.len() - self.used < n {
            self.buffer.drain(..self.used);
            self.used = 0;
            let from = self.buffer.len();
            // A step at a time: a length that lies costs no more than the file has.
            self.buffer.resize(from + CHUNK, 0);
            let read = match self.input.read(&mut self.buffer[from..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.buffer.truncate(from);
                    continue;
                }
                Err(error) => {
                    self.buffer.truncate(from);
                    return Err(LogError::Io {
                        at: self.at + from as u64,
                        error,
                    });
                }
            };
            self.buffer.truncate(from + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn pass(&mut self, n: usize) {
        self.used += n;
        self.at += n as u64;
    }

    /// Whether all that is left is zeros.
    fn only_zeros(&mut self) -> Result<bool, LogError> {
        // Only to look: where the log ends stays where it was.
        let at = self.at;
        let result = loop {
            let rest = &self.buffer[self.used..];
            if rest.iter().any(|byte| *byte != 0) {
                break Ok(false);
            }
            let n = rest.len();
            self.pass(n);
            match self.fill(1) {
                Ok(true) => {}
                Ok(false) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.at = at;
        result
    }

    fn torn(&mut self, why: Torn) -> Result<Option<Record>, LogError> {
        self.end = Some(LogEnd::Torn { at: self.at, why });
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<Record>, LogError> {
        let at = self.at;
        if !self.fill(PREFIX_BYTES)? {
            return if self.only_zeros()? {
                self.end = Some(LogEnd::Clean { at });
                Ok(None)
            } else {
                self.torn(Torn::Short)
            };
        }
        let mut prefix = Reader::new(&self.buffer[self.used..self.used + PREFIX_BYTES], 0);
        let decoded = |error| LogError::Txn { at, error };
        let expected = prefix.i64("checksum").map_err(decoded)?;
        let length = prefix.i32("length").map_err(decoded)?;
        if length == 0 {
            return if expected == 0 && self.only_zeros()? {
                self.end = Some(LogEnd::Clean { at });
                Ok(None)
            } else {
                self.torn(Torn::Hole)
            };
        }
        // A transaction may hold several strings and buffers, each within the limit.
        let most = self.limit.saturating_mul(4).saturating_add(4096);
        let payload = match usize::try_from(length) {
            Ok(n) if n <= most => n,
            _ => {
                return Err(LogError::Length {
                    at,
                    length,
                    limit: most,
                });
            }
        };
        let whole = payload + FRAME_BYTES;
        if !self.fill(whole)? {
            return self.torn(Torn::Short);
        }
        let bytes = &self.buffer[self.used..self.used + whole];
        if bytes[whole - 1] != END_OF_RECORD {
            return self.torn(Torn::NoEnd);
        }
        let payload = &bytes[PREFIX_BYTES..whole - 1];
        let mut sum = Adler32::new();
        sum.write_slice(payload);
        let found = sum.checksum();
        if i64::from(found) != expected {
            return Err(LogError::Checksum {
                at,
                expected,
                found,
            });
        }
        let txn = txn::decode(payload, self.limit).map_err(decoded)?;
        let zxid = txn.zxid();
        if let Some(previous) = self.previous
            && !follows(previous, zxid)
        {
            return Err(LogError::Order {
                at,
                previous,
                found: zxid,
            });
        }
        self.previous = Some(zxid);
        self.pass(whole);
        Ok(Some(Record {
            at,
            end: self.at,
            txn: Arc::new(txn),
        }))
    }
}

impl<R: Read> Iterator for LogReader<R> {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.end.is_some() || self.failed {
            return None;
        }
        let record = self.read();
        self.failed = record.is_err();
        record.transpose()
    }
}

#[cfg(test)]
mod tests;
