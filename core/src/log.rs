//! What is on disk, what is in the log, and the witnesses that an ACK needs.
//!
//! **Send after durable is data.** An [`Ack`] can only be made here, from a [`Written`] (one
//! transaction was handed to the log) or from a [`HistoryWritten`] (a whole history, and after it the
//! epoch). Both carry the storage operation that must be on disk before the ACK may leave, so "ACK
//! NEWLEADER means durable history" (ZooKeeper.md 3.5; ZOOKEEPER-3911, 4643, 4646) is a type: there
//! is no way to write an ACK that forgets it.

use crate::{
    id::{ConnId, Epoch, EventId, Zxid},
    message::Ack,
    peer::{
        event::EventKind,
        output::{Effect, Output, StorageOp, StorageSeq},
    },
    tree::Database,
    txn::Txn,
};
use std::{collections::VecDeque, sync::Arc};

/// What a driver found on disk when a server starts, or after a truncation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The newest valid snapshot; a fresh database if there is none.
    pub snapshot: Arc<Database>,
    /// Every transaction of the log that is still there, in order, those before the snapshot too.
    pub log: Vec<Arc<Txn>>,
    /// File acceptedEpoch.
    pub accepted_epoch: Option<Epoch>,
    /// File currentEpoch.
    pub current_epoch: Option<Epoch>,
    /// The text of the members that held last, if it was written (3.9); otherwise the configuration's hold.
    pub members: Option<Arc<str>>,
    /// False for a disk that was lost: the server takes part in elections without a say (4.8).
    pub initialised: bool,
}

impl Stored {
    /// The disk of a server that starts for the first time.
    #[must_use]
    pub fn fresh() -> Stored {
        Stored {
            snapshot: Arc::new(Database::new()),
            log: Vec::new(),
            accepted_epoch: None,
            current_epoch: None,
            members: None,
            initialised: true,
        }
    }
}

/// What a disk may throw away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// So many snapshots, the oldest first.
    pub snapshots: usize,
    /// Transactions of the log up to here, inclusive: the oldest snapshot that is kept holds them.
    pub log_up_to: Zxid,
}

/// What goes when the newest `keep` snapshots are enough; `snapshots` is where each ends, oldest first.
/// `None`: nothing goes. At least one is kept (4.9).
///
/// No later TRUNC can need what goes. A server writes a snapshot of its own only of committed
/// transactions, every leader has those, and so none cuts below a snapshot. The one exception is a tree
/// that a leader sent before it was established; see
/// [`StorageOp::Truncate`](crate::peer::output::StorageOp) for what happens then.
#[must_use]
pub fn purge(snapshots: &[Zxid], keep: usize) -> Option<Purge> {
    let first = snapshots.len().checked_sub(keep.max(1))?;
    (first > 0).then(|| Purge {
        snapshots: first,
        log_up_to: snapshots[first],
    })
}

/// What a driver found in the log for a learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRead {
    /// Transactions in order to the end of the log, beginning with the last one at or before the
    /// zxid asked for; if the log begins later, with its first.
    pub entries: Vec<Arc<Txn>>,
    /// Size of the newest snapshot in bytes (for `snapshotSizeFactor`).
    pub snapshot_bytes: u64,
}

/// Witness: this transaction was handed to the log.
#[derive(Clone, Copy, Debug)]
#[must_use = "a logged proposal is acknowledged, or its witness is dropped knowingly"]
pub struct Written {
    zxid: Zxid,
    seq: StorageSeq,
}

impl Written {
    /// The ACK of this proposal; it waits for the log's fsync.
    #[must_use]
    pub fn ack(self) -> Ack {
        Ack {
            zxid: self.zxid,
            after: Some(self.seq),
        }
    }
}

/// Witness: all that this server claims as history was handed to the disk, and after it the epoch.
#[derive(Clone, Copy, Debug)]
#[must_use = "this is what NEWLEADER is acknowledged with"]
pub struct HistoryWritten {
    epoch: Epoch,
    seq: Option<StorageSeq>,
}

impl HistoryWritten {
    /// The ACK of NEWLEADER; it waits for the history and the epoch.
    #[must_use]
    pub fn ack(self) -> Ack {
        Ack {
            zxid: self.epoch.start(),
            after: self.seq,
        }
    }

    /// The operation that makes it durable; `None` if it is already.
    #[must_use]
    pub fn seq(self) -> Option<StorageSeq> {
        self.seq
    }
}

/// A server's log as the protocol sees it: what was appended, how much of it is on disk, and the
/// last committed transactions in memory.
#[derive(Clone, Debug)]
pub struct Log {
    accepted_epoch: Epoch,
    current_epoch: Epoch,
    last_seq: StorageSeq,
    durable_seq: StorageSeq,
    last_logged: Zxid,
    durable: Zxid,
    /// Appended and not yet durable, oldest first.
    unsynced: VecDeque<(StorageSeq, Zxid, EventId)>,
    /// The last committed transactions, for DIFF (`committedLog`).
    committed: imbl::Vector<Arc<Txn>>,
    keep: usize,
    since_snapshot: u64,
    bytes_since_snapshot: u64,
    /// Transactions were taken in and not logged: the disk ends before `last_logged`.
    skipped: bool,
}

impl Log {
    /// The log of a server that starts. `last_logged` is the last zxid that was found on disk.
    #[must_use]
    pub fn open(stored: &Stored, last_logged: Zxid, keep: usize, last_seq: StorageSeq) -> Log {
        // A missing epoch file: the epoch of the last zxid (3.8).
        let default = last_logged.epoch().max(Epoch(0));
        Log {
            accepted_epoch: stored.accepted_epoch.unwrap_or(default),
            current_epoch: stored.current_epoch.unwrap_or(default),
            last_seq,
            durable_seq: last_seq,
            last_logged,
            durable: last_logged,
            unsynced: VecDeque::new(),
            committed: imbl::Vector::new(),
            keep,
            since_snapshot: 0,
            bytes_since_snapshot: 0,
            skipped: false,
        }
    }

    /// File acceptedEpoch, as last written.
    #[must_use]
    pub fn accepted_epoch(&self) -> Epoch {
        self.accepted_epoch
    }

    /// File currentEpoch, as last written.
    #[must_use]
    pub fn current_epoch(&self) -> Epoch {
        self.current_epoch
    }

    /// The last transaction that was handed to the log.
    #[must_use]
    pub fn last_logged(&self) -> Zxid {
        self.last_logged
    }

    /// The last transaction that is on disk.
    #[must_use]
    pub fn durable(&self) -> Zxid {
        self.durable
    }

    /// The last storage operation that was given out.
    #[must_use]
    pub fn last_seq(&self) -> StorageSeq {
        self.last_seq
    }

    /// What a message must wait for that speaks of all that was written so far; `None` if all of it
    /// is on disk.
    #[must_use]
    pub fn unsynced(&self) -> Option<StorageSeq> {
        (self.last_seq > self.durable_seq).then_some(self.last_seq)
    }

    /// Whether this operation is on disk.
    #[must_use]
    pub fn is_durable(&self, seq: StorageSeq) -> bool {
        seq <= self.durable_seq
    }

    /// The last committed transactions, oldest first.
    #[must_use]
    pub fn committed(&self) -> &imbl::Vector<Arc<Txn>> {
        &self.committed
    }

    /// Appends to the log.
    pub fn append(&mut self, txn: &Arc<Txn>, out: &mut Output) -> Written {
        let zxid = txn.zxid();
        let event = out.emit(EventKind::Logged { zxid });
        let seq = self.store(StorageOp::Append(Arc::clone(txn)), out);
        self.last_logged = zxid;
        self.since_snapshot += 1;
        let bytes = u64::try_from(txn.approximate_bytes()).unwrap_or(u64::MAX);
        self.bytes_since_snapshot = self.bytes_since_snapshot.saturating_add(bytes);
        self.unsynced.push_back((seq, zxid, event));
        Written { zxid, seq }
    }

    /// Takes a transaction in without writing it, for an observer that keeps no log: nobody counts on what
    /// it has on disk.
    pub fn pass(&mut self, zxid: Zxid, out: &Output) {
        self.last_logged = zxid;
        self.skipped = true;
        // Not before what was written before it.
        match self.unsynced.back().map(|(seq, ..)| *seq) {
            Some(seq) => self.unsynced.push_back((seq, zxid, out.cause())),
            None => self.durable = zxid,
        }
    }

    /// Whether the disk ends before what was taken in: nothing can be appended to it then, only a whole
    /// tree can be installed.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        self.skipped
    }

    /// A committed transaction was applied: it belongs to what DIFF can send.
    pub fn note_committed(&mut self, txn: Arc<Txn>) {
        self.committed.push_back(txn);
        while self.committed.len() > self.keep {
            self.committed.pop_front();
        }
    }

    /// Writes acceptedEpoch.
    pub fn accept_epoch(&mut self, epoch: Epoch, out: &mut Output) -> StorageSeq {
        out.emit(EventKind::AcceptedEpochSet {
            old: self.accepted_epoch,
            new: epoch,
        });
        self.accepted_epoch = epoch;
        self.store(StorageOp::AcceptedEpoch(epoch), out)
    }

    /// Declares all that was appended or installed so far to be the history of `epoch`: writes
    /// currentEpoch behind it.
    pub fn seal_history(&mut self, epoch: Epoch, out: &mut Output) -> HistoryWritten {
        out.emit(EventKind::CurrentEpochSet {
            old: self.current_epoch,
            new: epoch,
        });
        self.current_epoch = epoch;
        let seq = Some(self.store(StorageOp::CurrentEpoch(epoch), out));
        HistoryWritten { epoch, seq }
    }

    /// The history is `epoch`'s already, and on disk or on its way: the second ACK after UPTODATE
    /// (trap 16).
    pub fn sealed_history(&self) -> HistoryWritten {
        HistoryWritten {
            epoch: self.current_epoch,
            seq: self.unsynced(),
        }
    }

    /// The history of `epoch` as an observer has it that keeps no log: it is not sealed, for what is on
    /// disk is not that history.
    pub fn unsealed_history(&self, epoch: Epoch) -> HistoryWritten {
        HistoryWritten {
            epoch,
            seq: self.unsynced(),
        }
    }

    /// Cuts the log; the driver answers with what is left.
    pub fn truncate(&mut self, to: Zxid, out: &mut Output) {
        self.store(StorageOp::Truncate(to), out);
    }

    /// The driver has cut the log and loaded the rest; `last_logged` is where it ends now.
    pub fn reopened(&mut self, last_logged: Zxid) {
        self.last_logged = last_logged;
        self.durable = last_logged;
        self.skipped = false;
        self.unsynced.clear();
        self.committed.clear();
    }

    /// The leader's tree replaces everything.
    pub fn install(&mut self, database: Arc<Database>, zxid: Zxid, out: &mut Output) {
        let event = out.cause();
        let seq = self.store(StorageOp::Install(database), out);
        self.last_logged = zxid;
        self.durable = self.durable.min(zxid);
        self.committed.clear();
        self.unsynced.clear();
        self.unsynced.push_back((seq, zxid, event));
        self.skipped = false;
        self.snapshot_begins();
    }

    fn snapshot_begins(&mut self) {
        self.since_snapshot = 0;
        self.bytes_since_snapshot = 0;
    }

    /// Writes a snapshot of our own tree.
    pub fn snapshot(&mut self, database: &Database, out: &mut Output) {
        out.emit(EventKind::SnapshotTaken {
            zxid: database.last_processed,
        });
        self.store(StorageOp::Snapshot(Arc::new(database.clone())), out);
        self.snapshot_begins();
    }

    /// Writes the members that hold from now on.
    pub fn store_members(&mut self, text: Arc<str>, out: &mut Output) {
        self.store(StorageOp::Members(text), out);
    }

    /// How many transactions were logged since the last snapshot.
    #[must_use]
    pub fn since_snapshot(&self) -> u64 {
        self.since_snapshot
    }

    /// About how many bytes these have.
    #[must_use]
    pub fn bytes_since_snapshot(&self) -> u64 {
        self.bytes_since_snapshot
    }

    /// Asks for the log on disk.
    pub fn read(&mut self, from: Zxid, conn: ConnId, out: &mut Output) {
        self.store(StorageOp::ReadLog { from, conn }, out);
    }

    /// The disk says that everything up to `seq` is durable. Returns the zxids that became so, each
    /// with the event of its append, oldest first.
    pub fn on_durable(&mut self, seq: StorageSeq) -> Vec<(Zxid, EventId)> {
        self.durable_seq = self.durable_seq.max(seq.min(self.last_seq));
        let mut done = Vec::new();
        while let Some(&(at, zxid, event)) = self.unsynced.front() {
            if at > seq {
                break;
            }
            self.unsynced.pop_front();
            self.durable = zxid;
            done.push((zxid, event));
        }
        done
    }

    fn store(&mut self, op: StorageOp, out: &mut Output) -> StorageSeq {
        self.last_seq = StorageSeq(self.last_seq.0 + 1);
        let seq = self.last_seq;
        out.effect(|cause| Effect::Store { seq, op, cause });
        seq
    }
}
