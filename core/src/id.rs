//! The names of things: zxids, epochs, servers, sessions, connections, events.
//!
//! Each is a newtype so that an epoch can never be passed for a counter. Numbers have ZooKeeper's
//! own widths and signs.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A transaction id: the epoch in the high 32 bits, a counter in the low 32 bits.
///
/// Signed as on the wire. [`Zxid::UNINITIALISED`] (-1) is what a server reports that has lost its
/// database and must not vote for an empty history (ZooKeeper.md 4.8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zxid(pub i64);

impl Zxid {
    /// Before the first transaction of a fresh ensemble.
    pub const ZERO: Zxid = Zxid(0);
    /// An empty database that is not initialised; takes part in elections without a say.
    pub const UNINITIALISED: Zxid = Zxid(-1);

    /// The zxid `counter` of `epoch`.
    #[must_use]
    pub const fn new(epoch: Epoch, counter: u32) -> Zxid {
        Zxid((epoch.0 << 32) | counter as i64)
    }

    /// The high 32 bits.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        Epoch(self.0 >> 32)
    }

    /// The low 32 bits.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.0 as u32
    }

    /// The next zxid of the same epoch, or `None` when the counter is used up and a new epoch is
    /// needed (ZooKeeper.md 3.6, roll-over).
    #[must_use]
    pub const fn next(self) -> Option<Zxid> {
        if self.counter() == u32::MAX {
            None
        } else {
            Some(Zxid(self.0 + 1))
        }
    }

    /// Whether this is the zxid of an epoch's beginning, which no transaction has (3.4).
    #[must_use]
    pub const fn is_new_epoch(self) -> bool {
        self.counter() == 0
    }
}

/// `0x200000007`, as ZooKeeper prints it.
impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

/// `2·7`, short for traces.
impl fmt::Debug for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == -1 {
            f.write_str("none")
        } else {
            write!(f, "{}·{}", self.epoch().0, self.counter())
        }
    }
}

/// An epoch: the number of a leader's reign. -1 and `i64::MIN` occur on the wire for "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The zxid that stands for the beginning of this epoch (`epoch << 32`).
    #[must_use]
    pub const fn start(self) -> Zxid {
        Zxid::new(self, 0)
    }

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A server's id in the ensemble (`myid`), 1 to 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerId(pub i64);

impl ServerId {
    /// The candidate of an observer's vote: it never wins (2.4).
    pub const NOBODY: ServerId = ServerId(i64::MIN);
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// A session's id; the top byte is the id of the server that created it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

impl SessionId {
    /// No session: what a new client sends, and whose requests the server itself issues (1.14).
    pub const NONE: SessionId = SessionId(0);
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session 0x{:x}", self.0)
    }
}

/// One client connection at one server; given by the driver, never reused while the server runs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ClientId(pub u64);

/// One connection of the quorum channel, given by the network; both ends use the same number.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ConnId(pub u64);

/// An event's name: which server emitted it, and its number there (from 1, never reset, also not
/// by a restart: the driver hands the counter on). Server 0 is the world itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// Who emitted it; `ServerId(0)` for the world (simulator, driver).
    pub server: ServerId,
    /// Its number there.
    pub seq: u64,
}

/// The number of a storage operation of one server, from 1; a restart goes on counting from where
/// the driver says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct StorageSeq(pub u64);
