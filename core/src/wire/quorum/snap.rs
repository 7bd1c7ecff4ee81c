//! The end of a database on the stream (ZooKeeper.md 3.1, 4.4, trap 19).
//!
//! After SNAP comes what a snapshot file has between header and seal, then a string that says that
//! all of it was there. There is no length, so the end can only be found by walking through the
//! records. That needs a few bytes of memory, however large the database is; the bytes themselves can
//! go to a file meanwhile.

use super::super::jute::{DecodeError, Writer};

/// What stands after a database.
pub const SIGNATURE: &str = "BenWasHere";

/// Bytes of a session: id and time-out.
const SESSION: u64 = 12;
/// Bytes of a node after its data: the key of its ACL, and its stat.
const AFTER_DATA: u64 = 8 + 60;

/// Writes what stands after a database.
pub fn end_snapshot(out: &mut Vec<u8>) {
    out.put_str(SIGNATURE);
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The number of sessions.
    Sessions,
    /// The number of lists.
    Lists,
    /// The key of a list and its number of entries; so many lists are to come.
    List(u64),
    /// An entry's permissions and the length of its scheme; so many entries and lists are to come.
    Scheme(u64, u64),
    /// The length of an entry's id.
    Id(u64, u64),
    /// The length of a node's path.
    Path,
    /// The one byte of a path.
    ShortPath,
    /// The length of a node's data.
    Data,
    /// The signature.
    Signature,
    /// All was seen.
    End,
}

/// Finds the end of a database while its bytes go by.
#[derive(Clone, Debug)]
pub struct SnapshotEnd {
    next: Next,
    /// Bytes to let pass before that.
    skip: u64,
    /// The beginning of what comes next.
    held: [u8; Self::MOST],
    have: usize,
    /// How many bytes went by.
    at: u64,
    limit: usize,
}

impl SnapshotEnd {
    /// The longest that has to be seen at once: the signature with its length.
    const MOST: usize = 4 + SIGNATURE.len();

    /// At the beginning of a database. No string or buffer in it may be longer than `limit`.
    #[must_use]
    pub fn new(limit: usize) -> SnapshotEnd {
        SnapshotEnd {
            next: Next::Sessions,
            skip: 0,
            held: [0; Self::MOST],
            have: 0,
            at: 0,
            limit,
        }
    }

    /// How many bytes went by, signature included.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How many of them are the database; known once it has ended.
    #[must_use]
    pub fn database_bytes(&self) -> Option<u64> {
        (self.next == Next::End).then(|| self.at - Self::MOST as u64)
    }

    /// Takes the next bytes of the stream. Returns how many of them belong to the database and its
    /// signature, and whether it ends with them; if not, these were all.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(usize, bool), DecodeError> {
        let mut rest = bytes;
        loop {
            let passed = usize::try_from(self.skip).map_or(rest.len(), |n| n.min(rest.len()));
            self.pass(passed, &mut rest);
            self.skip -= passed as u64;
            let want = match self.next {
                Next::End => return Ok((bytes.len() - rest.len(), true)),
                Next::Sessions | Next::Lists | Next::Id(..) | Next::Path | Next::Data => 4,
                Next::List(_) => 12,
                Next::Scheme(..) => 8,
                Next::ShortPath => 1,
                Next::Signature => Self::MOST,
            };
            if rest.is_empty() {
                return Ok((bytes.len(), false));
            }
            let n = rest.len().min(want - self.have);
            self.held[self.have..self.have + n].copy_from_slice(&rest[..n]);
            self.have += n;
            self.pass(n, &mut rest);
            if self.have == want {
                self.have = 0;
                self.step(want)?;
            }
        }
    }

    fn pass(&mut self, n: usize, rest: &mut &[u8]) {
        *rest = &rest[n..];
        self.at += n as u64;
    }

    /// What comes next was seen: `want` bytes in `held`.
    fn step(&mut self, want: usize) -> Result<(), DecodeError> {
        self.next = match self.next {
            Next::Sessions => {
                self.skip = SESSION * self.count("sessions", 4)?;
                Next::Lists
            }
            Next::Lists => list(self.count("ACLs", 4)?),
            Next::List(lists) => entry(self.count("entries of an ACL", want)?, lists - 1),
            Next::Scheme(entries, lists) => {
                self.skip = self.length("scheme of an ACL entry", want)?;
                Next::Id(entries, lists)
            }
            Next::Id(entries, lists) => {
                self.skip = self.length("id of an ACL entry", want)?;
                entry(entries - 1, lists)
            }
            Next::Path => match self.length("path of a znode", want)? {
                1 => Next::ShortPath,
                n => {
                    self.skip = n;
                    Next::Data
                }
            },
            // The path of no node: the root goes by "" here (trap 20).
            Next::ShortPath if self.held[0] == b'/' => Next::Signature,
            Next::ShortPath => Next::Data,
            Next::Data => {
                self.skip = self.length("data of a znode", want)? + AFTER_DATA;
                Next::Path
            }
            Next::Signature | Next::End => {
                let (length, text) = self.held.split_at(4);
                let right = length == (SIGNATURE.len() as u32).to_be_bytes();
                if !right || text != SIGNATURE.as_bytes() {
                    return Err(DecodeError::Malformed {
                        what: "signature after a snapshot",
                        at: self.begin(want),
                        why: "it is not BenWasHere, so the leader did not send all of it",
                    });
                }
                Next::End
            }
        };
        Ok(())
    }

    /// Where what was just seen began.
    fn begin(&self, want: usize) -> usize {
        usize::try_from(self.at).map_or(usize::MAX, |at| at.saturating_sub(want))
    }

    /// The number in the last four of `want` bytes.
    fn number(&self, want: usize) -> i32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.held[want - 4..want]);
        i32::from_be_bytes(bytes)
    }

    /// A count; what it counts goes by one at a time, so it needs no limit. -1 is none.
    fn count(&self, what: &'static str, want: usize) -> Result<u64, DecodeError> {
        match self.number(want) {
            -1 => Ok(0),
            length => u64::try_from(length).map_err(|_| DecodeError::Length {
                what,
                at: self.begin(4),
                length,
                limit: i32::MAX as usize,
            }),
        }
    }

    /// The length of a string or buffer; -1, null, has no bytes.
    fn length(&self, what: &'static str, want: usize) -> Result<u64, DecodeError> {
        let length = self.number(want);
        match usize::try_from(length) {
            Ok(n) if n <= self.limit => Ok(n as u64),
            Err(_) if length == -1 => Ok(0),
            _ => Err(DecodeError::Length {
                what,
                at: self.begin(4),
                length,
                limit: self.limit,
            }),
        }
    }
}

fn list(lists: u64) -> Next {
    match lists {
        0 => Next::Path,
        lists => Next::List(lists),
    }
}

fn entry(entries: u64, lists: u64) -> Next {
    match entries {
        0 => list(lists),
        entries => Next::Scheme(entries, lists),
    }
}
