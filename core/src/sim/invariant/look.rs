//! What a property may see of a world. Methods that are marked *rare* read a whole log: they are for
//! the steps in which a server begins to serve, starts, or has its log cut.

use crate::{
    id::{Epoch, ServerId, Zxid},
    sim::{LogEntry, World},
    txn::Txn,
};
use std::sync::Arc;

/// The epoch files of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochFiles {
    /// acceptedEpoch; `None`: no such file.
    pub accepted: Option<Epoch>,
    /// currentEpoch; `None`: no such file.
    pub current: Option<Epoch>,
}

/// A tree: up to where, and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeMark {
    /// The last transaction in it, or the beginning of an epoch.
    pub zxid: Zxid,
    /// Its digest.
    pub digest: u64,
}

/// What a property may see.
pub trait Look {
    /// The run's seed.
    fn seed(&self) -> u64;
    /// Whether the voters for which `has` holds are a quorum.
    fn is_quorum(&self, has: &dyn Fn(ServerId) -> bool) -> bool;
    /// A transaction that this server has proposed, applied or logged lately.
    fn txn(&self, server: ServerId, zxid: Zxid) -> Option<Arc<Txn>>;
    /// Rare: its log as written, unsynced tail included, oldest first.
    fn log(&self, server: ServerId) -> Vec<Arc<Txn>>;
    /// Its newest durable snapshot.
    fn newest_snapshot(&self, server: ServerId) -> Option<Zxid>;
    /// Whether its log and snapshots reach back to the very first transaction.
    fn reaches_back(&self, server: ServerId) -> bool;
    /// The last zxid of its log or of the snapshot that replaced it, as written.
    fn last_logged(&self, server: ServerId) -> Zxid;
    /// Its tree; `None` when it is down.
    fn tree(&self, server: ServerId) -> Option<TreeMark>;
    /// Its epoch files, as durable.
    fn epochs(&self, server: ServerId) -> EpochFiles;
    /// Whether a crash now would leave this transaction.
    fn is_durable(&self, server: ServerId, zxid: Zxid) -> bool;
    /// False while it has lost its disk and got nothing back: it has no say (4.8).
    fn initialised(&self, server: ServerId) -> bool;
}

impl Look for World {
    fn seed(&self) -> u64 {
        self.setup().seed
    }

    fn is_quorum(&self, has: &dyn Fn(ServerId) -> bool) -> bool {
        self.members().quorum.contains_where(has)
    }

    fn txn(&self, server: ServerId, zxid: Zxid) -> Option<Arc<Txn>> {
        let here = |peer: &crate::peer::Peer| {
            let committed = peer.log().committed();
            if let Ok(at) = committed.binary_search_by(|t| t.zxid().cmp(&zxid)) {
                return committed.get(at).cloned();
            }
            let mut open = peer.leading()?.outstanding();
            let first = open.next()?;
            if first.txn().zxid() == zxid {
                return Some(Arc::clone(first.txn()));
            }
            // Zxids of one epoch have no gaps.
            let place = usize::try_from(zxid.0.checked_sub(first.txn().zxid().0)?).ok()?;
            let found = open.nth(place.checked_sub(1)?)?;
            (found.txn().zxid() == zxid).then(|| Arc::clone(found.txn()))
        };
        self.peer(server).and_then(here).or_else(|| {
            // Not in memory any more, or not yet: mostly near the end of the log.
            let disk = self.disk(server)?;
            let is = |e: &LogEntry<'_>| e.txn.zxid() == zxid;
            let newest = disk.last_entries(64);
            let near = newest.iter().rev().find(|e| is(e)).copied();
            near.or_else(|| disk.entries().find(is))
                .map(|e| Arc::clone(e.txn))
        })
    }

    fn log(&self, server: ServerId) -> Vec<Arc<Txn>> {
        self.disk(server).map_or_else(Vec::new, |disk| {
            disk.entries().map(|e| Arc::clone(e.txn)).collect()
        })
    }

    fn newest_snapshot(&self, server: ServerId) -> Option<Zxid> {
        self.disk(server)?.snapshots().last()
    }

    fn reaches_back(&self, server: ServerId) -> bool {
        self.disk(server).is_some_and(|d| {
            d.initialised() && d.snapshots().next().is_none_or(|z| z <= Zxid::ZERO)
        })
    }

    fn last_logged(&self, server: ServerId) -> Zxid {
        match self.peer(server) {
            Some(peer) => peer.last_logged(),
            None => self.disk(server).map_or(Zxid::ZERO, |d| d.last_zxid()),
        }
    }

    fn tree(&self, server: ServerId) -> Option<TreeMark> {
        let database = self.peer(server)?.database();
        Some(TreeMark {
            zxid: database.last_processed,
            digest: database.digest(),
        })
    }

    fn epochs(&self, server: ServerId) -> EpochFiles {
        self.disk(server)
            .map_or_else(EpochFiles::default, |disk| EpochFiles {
                accepted: disk.accepted_epoch(),
                current: disk.current_epoch(),
            })
    }

    fn is_durable(&self, server: ServerId, zxid: Zxid) -> bool {
        self.disk(server).is_some_and(|d| d.is_durable(zxid))
    }

    fn initialised(&self, server: ServerId) -> bool {
        self.disk(server).is_some_and(|d| d.initialised())
    }
}
