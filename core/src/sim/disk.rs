//! A simulated disk: what is durable, what is only written, what was cut away.

use crate::{
    id::{Epoch, Zxid},
    peer::output::StorageSeq,
    time::Moment,
    txn::Txn,
};
use std::sync::Arc;

/// A transaction in a log.
#[derive(Clone, Copy, Debug)]
pub struct LogEntry<'a> {
    /// It.
    pub txn: &'a Arc<Txn>,
    /// On disk, or only written: lost in a crash.
    pub durable: bool,
}

/// Why a transaction is not in a log any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemovedBecause {
    /// TRUNC: the leader does not have it.
    Truncated,
    /// SNAP: the leader's tree replaced everything.
    Replaced,
    /// It was not on disk when the server crashed.
    LostInCrash,
    /// The disk was lost.
    DiskLost,
}

/// A transaction that a log once had. The newest [`REMOVED_KEPT`] are kept for drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Which.
    pub zxid: Zxid,
    /// When it went.
    pub at: Moment,
    /// Why.
    pub because: RemovedBecause,
}

/// How many removed transactions are kept for drawing.
pub const REMOVED_KEPT: usize = 256;

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {}

impl Disk {
    /// The log as the server sees it, unsynced tail included, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = LogEntry<'_>> + '_ {
        core::iter::empty()
    }
    /// Last zxid that a crash can't take away; 0 if the disk is fresh.
    #[must_use]
    pub fn durable_zxid(&self) -> Zxid {
        Zxid::ZERO
    }
    /// Last zxid that was written.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        Zxid::ZERO
    }
    /// Whether a transaction would survive a crash now: in the durable log or in a snapshot.
    #[must_use]
    pub fn is_durable(&self, zxid: Zxid) -> bool {
        zxid == Zxid::ZERO
    }
    /// All operations up to this one are on disk.
    #[must_use]
    pub fn durable_seq(&self) -> StorageSeq {
        StorageSeq(0)
    }
    /// File acceptedEpoch, as durable.
    #[must_use]
    pub fn accepted_epoch(&self) -> Option<Epoch> {
        None
    }
    /// File currentEpoch, as durable.
    #[must_use]
    pub fn current_epoch(&self) -> Option<Epoch> {
        None
    }
    /// Up to where each durable snapshot reaches, oldest first.
    pub fn snapshots(&self) -> impl Iterator<Item = Zxid> + '_ {
        core::iter::empty()
    }
    /// Operations that are not on disk yet.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        0
    }
    /// When the batch under way will be on disk.
    #[must_use]
    pub fn busy_until(&self) -> Option<Moment> {
        None
    }
    /// What was in the log once, oldest removal first.
    pub fn removed(&self) -> impl DoubleEndedIterator<Item = &Removed> + '_ {
        core::iter::empty()
    }
}
