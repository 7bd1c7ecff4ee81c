//! Snapshots, as files and as a leader sends them (ZooKeeper.md 3.1, 4.4).
//!
//! [`Encoder`] gives a database piece by piece, [`Loader`] takes one piece by piece; neither ever holds
//! the whole file. Below them both are the [`Item`]s of the format.

mod read;
mod write;

pub use read::{Loaded, Loader, Options, Parser};
pub use write::{Encoder, ItemWriter};

use super::jute::DecodeError;
use crate::{
    id::{SessionId, Zxid},
    request::Acl,
    tree::{LoadError, StatPersisted},
    txn::Data,
};
use std::sync::Arc;

/// `ZKSN`.
pub const MAGIC: i32 = 0x5a4b_534e;
/// The only version there is; Apache does not check it.
pub const VERSION: i32 = 2;
/// The last five bytes of every whole file: the string `/` of a seal.
pub const LAST_BYTES: [u8; 5] = [0, 0, 0, 1, b'/'];
/// What ends a snapshot on the wire.
pub const SIGNATURE: &str = "BenWasHere";
/// The key of no list (nodes that the server made itself).
pub const NO_ACL: i64 = -1;
const DBID: i64 = -1;
const DIGEST_VERSION: i32 = 2;
const END_OF_NODES: &str = "/";

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Header, body, seal, and what follows it.
    File {
        /// The tree's digest (3.6 and later).
        digest: bool,
        /// The last zxid once more (3.9).
        last_zxid: bool,
    },
    /// Body and `BenWasHere`.
    Wire,
}

impl Form {
    /// A file as 3.9 writes it.
    pub const FILE: Form = Form::File {
        digest: true,
        last_zxid: true,
    };
}

/// One piece of a snapshot, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The file's header.
    Header,
    /// So many sessions follow.
    Sessions(usize),
    /// A global session and its time-out in ms.
    Session(SessionId, i32),
    /// So many ACLs follow.
    Acls(usize),
    /// A list and its key in this file.
    Acl(i64, Arc<[Acl]>),
    /// A znode.
    Node(NodeItem),
    /// No more znodes.
    EndOfNodes,
    /// A checksum over all that comes before it.
    Seal,
    /// The tree's digest at a zxid.
    Digest(Zxid, u64),
    /// The last zxid.
    LastZxid(Zxid),
    /// The end on the wire.
    Signature,
}

/// A znode in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeItem {
    /// Its path; the root's is empty.
    pub path: Arc<str>,
    /// Its data.
    pub data: Data,
    /// The key of its list, or [`NO_ACL`].
    pub acl: i64,
    /// Its stat as stored.
    pub stat: StatPersisted,
}

/// Why a snapshot can't be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is no snapshot.
    #[error("is no snapshot: it begins with {found:#010x}, not with \"ZKSN\"")]
    Magic {
        /// What it begins with.
        found: i32,
    },
    /// A piece can't be read.
    #[error("the piece of the snapshot at byte {at} can't be read: {error}")]
    Decode {
        /// Where the piece begins.
        at: u64,
        /// Why; offsets count from there.
        error: DecodeError,
    },
    /// It ends too early.
    #[error("the snapshot ends at byte {at}, in the middle")]
    Short {
        /// Where.
        at: u64,
    },
    /// The seal is not that of the bytes before it.
    #[error("the seal at byte {at} says that the Adler-32 is {expected:#x}, but it is {found:#x}")]
    Checksum {
        /// Where the seal begins.
        at: u64,
        /// What it says.
        expected: i64,
        /// What is true.
        found: u32,
    },
    /// The first znode is not the root.
    #[error("the first znode is {0:?}, not the root")]
    NoRoot(Arc<str>),
    /// A znode can't be put into the tree.
    #[error(transparent)]
    Tree(#[from] LoadError),
    /// Two lists have one key.
    #[error("two access control lists have the key {0}")]
    TwoAcls(i64),
    /// Something follows the end.
    #[error("something follows the end of the snapshot at byte {at}")]
    Trailing {
        /// Where.
        at: u64,
    },
}

#[cfg(test)]
mod tests;
