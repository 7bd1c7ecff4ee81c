//! From the bytes of a snapshot to a database.

use super::{
    DIGEST_VERSION, END_OF_NODES, Form, Item, MAGIC, NO_ACL, NodeItem, SIGNATURE, SnapshotError,
};
use crate::{
    id::{SessionId, Zxid},
    request::Acl,
    tree::{Database, Tree, TtlOwners},
    wire::{
        jute::{DecodeError, Reader},
        record::read_stat_persisted,
        txnlog::FileHeader,
    },
};
use adler2::Adler32;
use imbl::OrdMap;
use std::{collections::BTreeMap, sync::Arc};

/// A seal: eight bytes and the string `/`.
const SEAL_BYTES: usize = 13;
/// The longest that may follow the first seal: two trailers, one of them with a digest as text.
const MAX_TAIL: usize = 256;
/// The last zxid and its seal.
const LAST_ZXID_TAIL: usize = 8 + SEAL_BYTES;

/// What comes next.
#[derive(Clone, Debug)]
enum State {
    Header,
    SessionCount,
    Sessions {
        left: usize,
    },
    AclCount,
    Acls {
        left: usize,
    },
    /// Inside a list: its entries come one by one, so that no count is believed.
    AclEntries {
        key: i64,
        list: Vec<Acl>,
        left_in_list: usize,
        left: usize,
    },
    Nodes,
    Seal,
    /// All up to the end of the file.
    Tail,
    Signature,
    Done,
}

/// Finds the items in bytes that come in pieces. It holds one incomplete item at most.
#[derive(Debug)]
pub struct Parser {
    state: State,
    /// Came and was not used yet: `pending[used..]`.
    pending: Vec<u8>,
    used: usize,
    /// The offset of the next item.
    at: u64,
    sum: Adler32,
    limit: usize,
    file: bool,
}

impl Parser {
    /// For a snapshot of this form (which trailers a file has is seen); no string or buffer may be
    /// longer than `limit`.
    #[must_use]
    pub fn new(form: Form, limit: usize) -> Parser {
        let file = matches!(form, Form::File { .. });
        Parser {
            state: if file {
                State::Header
            } else {
                State::SessionCount
            },
            pending: Vec::new(),
            used: 0,
            at: 0,
            sum: Adler32::new(),
            limit,
            file,
        }
    }

    /// Whether the signature has come (never in a file, whose end is its end).
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes bytes and gives the items that are complete. Returns how many of the bytes belong to the
    /// snapshot: on the wire something else may follow.
    ///
    /// # Errors
    /// [`SnapshotError`]; what `each` returns goes through. After an error nothing more can be fed.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Item) -> Result<(), SnapshotError>,
    ) -> Result<usize, SnapshotError> {
        if self.is_done() {
            return Ok(0);
        }
        self.pending.extend_from_slice(bytes);
        while !matches!(self.state, State::Done | State::Tail) {
            let mut r = Reader::new(&self.pending[self.used..], self.limit);
            let item = match step(&mut self.state, &mut r) {
                Ok(item) => item,
                Err(Stop::Decode(DecodeError::End { .. })) => break,
                Err(Stop::Decode(error)) => {
                    return Err(SnapshotError::Decode { at: self.at, error });
                }
                Err(Stop::Magic(found)) => return Err(SnapshotError::Magic { found }),
                Err(Stop::Seal(expected)) => {
                    let found = self.sum.checksum();
                    if expected != i64::from(found) {
                        return Err(SnapshotError::Checksum {
                            at: self.at,
                            expected,
                            found,
                        });
                    }
                    self.state = State::Tail;
                    Some(Item::Seal)
                }
            };
            let n = r.at();
            self.sum
                .write_slice(&self.pending[self.used..self.used + n]);
            self.used += n;
            self.at += n as u64;
            if let Some(item) = item {
                // The terminator of the nodes is followed by other things in the two forms.
                if item == Item::EndOfNodes && !self.file {
                    self.state = State::Signature;
                }
                each(item)?;
            }
        }
        let left = self.pending.len() - self.used;
        if self.is_done() {
            self.pending.clear();
            return Ok(bytes.len().saturating_sub(left));
        }
        if matches!(self.state, State::Tail) && left > MAX_TAIL {
            return Err(SnapshotError::Trailing { at: self.at });
        }
        self.pending.drain(..self.used);
        self.used = 0;
        Ok(bytes.len())
    }

    /// The bytes have ended: gives what follows the first seal.
    ///
    /// # Errors
    /// [`SnapshotError::Short`] in the middle of the snapshot; everything that may be wrong with the
    /// trailers.
    pub fn finish(
        mut self,
        mut each: impl FnMut(Item) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        match self.state {
            State::Done => return Ok(()),
            State::Tail => {}
            _ => {
                let at = self.at + self.pending.len() as u64;
                return Err(SnapshotError::Short { at });
            }
        }
        let tail = core::mem::take(&mut self.pending);
        let mut r = Reader::new(&tail, self.limit);
        // A file with the last zxid and without a digest is told by its length: a digest is longer.
        if r.left() > 0 && r.left() != LAST_ZXID_TAIL {
            let from = r.at();
            let digest = read_digest(&mut r).map_err(|error| self.in_tail(error))?;
            self.sum.write_slice(&tail[from..r.at()]);
            if let Some((zxid, digest)) = digest {
                each(Item::Digest(zxid, digest))?;
            }
            self.seal(&mut r, &tail)?;
            each(Item::Seal)?;
        }
        if r.left() > 0 {
            let from = r.at();
            let zxid = Zxid(r.i64("last zxid").map_err(|error| self.in_tail(error))?);
            self.sum.write_slice(&tail[from..r.at()]);
            each(Item::LastZxid(zxid))?;
            self.seal(&mut r, &tail)?;
            each(Item::Seal)?;
        }
        if r.left() > 0 {
            return Err(SnapshotError::Trailing {
                at: self.at + r.at() as u64,
            });
        }
        Ok(())
    }

    fn in_tail(&self, error: DecodeError) -> SnapshotError {
        SnapshotError::Decode { at: self.at, error }
    }

    fn seal(&mut self, r: &mut Reader<'_>, tail: &[u8]) -> Result<(), SnapshotError> {
        let from = r.at();
        let expected = read_seal(r).map_err(|error| self.in_tail(error))?;
        let found = self.sum.checksum();
        if expected != i64::from(found) {
            return Err(SnapshotError::Checksum {
                at: self.at + from as u64,
                expected,
                found,
            });
        }
        self.sum.write_slice(&tail[from..r.at()]);
        Ok(())
    }
}

/// Why a step gives no item.
enum Stop {
    Decode(DecodeError),
    Magic(i32),
    /// A seal that says this; whether it is right, the parser knows.
    Seal(i64),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Stop {
        Stop::Decode(error)
    }
}

/// Reads one piece. Changes the state only when it was there as a whole.
fn step(state: &mut State, r: &mut Reader<'_>) -> Result<Option<Item>, Stop> {
    match state {
        State::Header => {
            let header = FileHeader::decode(r)?;
            if header.magic != MAGIC {
                return Err(Stop::Magic(header.magic));
            }
            *state = State::SessionCount;
            Ok(Some(Item::Header))
        }
        State::SessionCount => {
            let left = count(r, "sessions")?;
            *state = State::Sessions { left };
            Ok(Some(Item::Sessions(left)))
        }
        State::Sessions { left: 0 } => {
            *state = State::AclCount;
            Ok(None)
        }
        State::Sessions { left } => {
            let session = SessionId(r.i64("session")?);
            let timeout = r.i32("time-out of a session")?;
            *left -= 1;
            Ok(Some(Item::Session(session, timeout)))
        }
        State::AclCount => {
            let left = count(r, "access control lists")?;
            *state = State::Acls { left };
            Ok(Some(Item::Acls(left)))
        }
        State::Acls { left: 0 } => {
            *state = State::Nodes;
            Ok(None)
        }
        State::Acls { left } => {
            let key = r.i64("key of an access control list")?;
            let left_in_list = count(r, "entries of an access control list")?;
            *state = State::AclEntries {
                key,
                list: Vec::new(),
                left_in_list,
                left: *left,
            };
            Ok(None)
        }
        State::AclEntries {
            key,
            list,
            left_in_list: 0,
            left,
        } => {
            let item = Item::Acl(*key, Arc::from(core::mem::take(list)));
            *state = State::Acls { left: *left - 1 };
            Ok(Some(item))
        }
        State::AclEntries {
            list, left_in_list, ..
        } => {
            let entry = Acl {
                perms: r.i32("permissions of an ACL entry")?,
                scheme: r.text("scheme of an ACL entry")?,
                id: r.text("id of an ACL entry")?,
            };
            list.push(entry);
            *left_in_list -= 1;
            Ok(None)
        }
        State::Nodes => {
            let path = r.text("path of a znode")?;
            if &*path == END_OF_NODES {
                *state = State::Seal;
                return Ok(Some(Item::EndOfNodes));
            }
            Ok(Some(Item::Node(NodeItem {
                path,
                data: r.data("data of a znode")?,
                acl: r.i64("key of a znode's ACL")?,
                stat: read_stat_persisted(r)?,
            })))
        }
        State::Seal => Err(Stop::Seal(read_seal(r)?)),
        State::Signature => {
            let at = r.at();
            if r.string("signature")? != Some(SIGNATURE) {
                return Err(Stop::Decode(DecodeError::Malformed {
                    what: "signature of a snapshot",
                    at,
                    why: "the leader ends a snapshot with BenWasHere",
                }));
            }
            *state = State::Done;
            Ok(Some(Item::Signature))
        }
        State::Tail | State::Done => Ok(None),
    }
}

/// How many entries follow. They come one by one, so a count that lies costs nothing.
fn count(r: &mut Reader<'_>, what: &'static str) -> Result<usize, DecodeError> {
    let at = r.at();
    let length = r.i32(what)?;
    usize::try_from(length).map_err(|_| DecodeError::Length {
        what,
        at,
        length,
        limit: i32::MAX as usize,
    })
}

fn read_seal(r: &mut Reader<'_>) -> Result<i64, DecodeError> {
    let sum = r.i64("checksum of a seal")?;
    let at = r.at();
    if r.string("end of a seal")? != Some("/") {
        return Err(DecodeError::Malformed {
            what: "seal",
            at,
            why: "a seal ends with the string \"/\"",
        });
    }
    Ok(sum)
}

/// The digest, unless it is of another version or of no zxid.
fn read_digest(r: &mut Reader<'_>) -> Result<Option<(Zxid, u64)>, DecodeError> {
    let zxid = Zxid(r.i64("zxid of the digest")?);
    let version = r.i32("version of the digest")?;
    if version < DIGEST_VERSION {
        r.string("digest as text")?;
        return Ok(None);
    }
    let digest = r.i64("digest")? as u64;
    Ok((version == DIGEST_VERSION).then_some((zxid, digest)))
}

/// What a loader must know.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The longest string or buffer, see [`record_limit`](crate::wire::jute::record_limit).
    pub limit: usize,
    /// Which owners are known as TTLs.
    pub ttls: TtlOwners,
}

/// A snapshot that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The tree and the sessions, at the zxid that was asked for.
    pub database: Database,
    /// The digest that the file says its tree had, and when: later than the file's zxid if
    /// transactions were applied while it was written (4.6).
    pub digest: Option<(Zxid, u64)>,
    /// The last zxid, if the file says it (3.9).
    pub last_zxid: Option<Zxid>,
    /// Znodes whose list is not in the file. Replaying the log gives them theirs (4.6); until then
    /// nobody may do anything with them.
    pub without_acl: usize,
}

/// Builds a database from the bytes of a snapshot as they come.
#[derive(Debug)]
pub struct Loader {
    parser: Parser,
    build: Build,
}

impl Loader {
    /// For a snapshot of this form.
    #[must_use]
    pub fn new(form: Form, options: Options) -> Loader {
        Loader {
            parser: Parser::new(form, options.limit),
            build: Build {
                tree: Tree::bare(),
                sessions: OrdMap::new(),
                acls: BTreeMap::new(),
                root: false,
                digest: None,
                last_zxid: None,
                without_acl: 0,
                ttls: options.ttls,
            },
        }
    }

    /// Takes the next bytes. Returns how many of them belong to the snapshot: on the wire something
    /// else may follow.
    ///
    /// # Errors
    /// [`SnapshotError`]; the loader is of no use afterwards.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, SnapshotError> {
        let Loader { parser, build } = self;
        parser.feed(bytes, |item| build.take(item))
    }

    /// Whether the signature has come (never in a file, whose end is its end).
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.parser.is_done()
    }

    /// All bytes were fed: the database, with `zxid` as its last (in the file's name, in the packet
    /// SNAP).
    ///
    /// # Errors
    /// [`SnapshotError`] when it is not whole.
    pub fn finish(self, zxid: Zxid) -> Result<Loaded, SnapshotError> {
        let Loader { parser, mut build } = self;
        parser.finish(|item| build.take(item))?;
        build.tree.ensure_system_nodes();
        build.tree.recount_quotas();
        Ok(Loaded {
            database: Database {
                tree: build.tree,
                sessions: build.sessions,
                last_processed: zxid,
            },
            digest: build.digest,
            last_zxid: build.last_zxid,
            without_acl: build.without_acl,
        })
    }
}

#[derive(Debug)]
struct Build {
    tree: Tree,
    sessions: OrdMap<SessionId, i32>,
    acls: BTreeMap<i64, Arc<[Acl]>>,
    root: bool,
    digest: Option<(Zxid, u64)>,
    last_zxid: Option<Zxid>,
    without_acl: usize,
    ttls: TtlOwners,
}

impl Build {
    fn take(&mut self, item: Item) -> Result<(), SnapshotError> {
        match item {
            Item::Session(session, timeout_ms) => {
                self.sessions.insert(session, timeout_ms);
            }
            Item::Acl(key, list) => {
                if self.acls.insert(key, list).is_some() {
                    return Err(SnapshotError::TwoAcls(key));
                }
            }
            Item::Node(node) => self.node(node)?,
            Item::EndOfNodes => {
                if !self.root {
                    return Err(SnapshotError::NoRoot(Arc::from(END_OF_NODES)));
                }
            }
            // An empty one, before the first transaction, says nothing.
            Item::Digest(zxid, digest) => {
                self.digest = (zxid > Zxid::ZERO).then_some((zxid, digest));
            }
            Item::LastZxid(zxid) => self.last_zxid = Some(zxid),
            Item::Header | Item::Sessions(_) | Item::Acls(_) | Item::Seal | Item::Signature => {}
        }
        Ok(())
    }

    fn node(&mut self, node: NodeItem) -> Result<(), SnapshotError> {
        let is_root = node.path.is_empty();
        if !self.root && !is_root {
            return Err(SnapshotError::NoRoot(node.path));
        }
        if self.root && is_root {
            return Err(crate::tree::LoadError::Twice(node.path).into());
        }
        self.root = true;
        let acl: Arc<[Acl]> = if node.acl == NO_ACL {
            Arc::from([])
        } else if let Some(list) = self.acls.get(&node.acl) {
            list.clone()
        } else {
            self.without_acl += 1;
            nobody()
        };
        self.tree
            .load(&node.path, node.data, &acl, node.stat, self.ttls)?;
        Ok(())
    }
}

/// A list that allows nothing: what is not known is not open.
fn nobody() -> Arc<[Acl]> {
    Arc::from([Acl {
        perms: 0,
        scheme: "world".into(),
        id: "anyone".into(),
    }])
}
