//! A simulated disk: what is durable, what is only written, what was cut away.
//!
//! Operations take effect in order. While the disk works on a batch, new ones gather and become
//! the next batch: group commit. A crash loses all that is not durable, epoch files included.

use crate::{
    id::{ConnId, Epoch, EventId, Zxid},
    log::{self, LogRead, Stored},
    peer::{
        input::InputKind,
        output::{StorageOp, StorageSeq},
    },
    time::{Moment, Span},
    tree::Database,
    txn::Txn,
};
use imbl::Vector;
use std::{collections::VecDeque, sync::Arc};

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

/// A transaction that a log once had. The newest [`REMOVED_KEPT`] are kept for drawing. What is
/// purged because a snapshot covers it is not among them.
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

/// What lies on the platter.
#[derive(Clone, Debug)]
struct Content {
    log: Vector<Arc<Txn>>,
    /// Oldest first; a fresh disk has none.
    snapshots: Vec<(Zxid, Arc<Database>)>,
    accepted: Option<Epoch>,
    current: Option<Epoch>,
    members: Option<Arc<str>>,
    initialised: bool,
    /// The log begins with the first transaction that there ever was.
    from_beginning: bool,
}

impl Content {
    fn fresh() -> Content {
        Content {
            log: Vector::new(),
            snapshots: Vec::new(),
            accepted: None,
            current: None,
            members: None,
            initialised: true,
            from_beginning: true,
        }
    }

    fn last(&self) -> Zxid {
        let log = self.log.back().map_or(Zxid::ZERO, |t| t.zxid());
        let snapshot = self.snapshots.last().map_or(Zxid::ZERO, |(z, _)| *z);
        log.max(snapshot)
    }

    fn stored(&self) -> Stored {
        Stored {
            snapshot: match self.snapshots.last() {
                Some((_, snapshot)) => Arc::clone(snapshot),
                None => Arc::new(Database::new()),
            },
            log: self.log.iter().cloned().collect(),
            accepted_epoch: self.accepted,
            current_epoch: self.current,
            members: self.members.clone(),
            initialised: self.initialised,
        }
    }

    /// Carries out one operation; transactions that leave the log go to `removed`.
    fn apply(
        &mut self,
        op: &StorageOp,
        retain: usize,
        mut removed: impl FnMut(Zxid, RemovedBecause),
    ) {
        match op {
            StorageOp::Append(txn) => self.log.push_back(Arc::clone(txn)),
            StorageOp::Truncate(to) => {
                if !self.from_beginning && self.snapshots.iter().all(|(zxid, _)| zxid > to) {
                    // Nothing from which what is left could be rebuilt.
                    return;
                }
                let keep = position_after(&self.log, *to);
                for txn in self.log.split_off(keep) {
                    removed(txn.zxid(), RemovedBecause::Truncated);
                }
                // A snapshot beyond the cut holds what must not be seen again.
                self.snapshots.retain(|(zxid, _)| zxid <= to);
            }
            StorageOp::Install(database) => {
                for txn in core::mem::take(&mut self.log) {
                    removed(txn.zxid(), RemovedBecause::Replaced);
                }
                self.snapshots = vec![(snapshot_zxid(database), Arc::clone(database))];
                self.from_beginning = false;
                self.initialised = true;
            }
            StorageOp::Snapshot(database) => {
                let zxid = snapshot_zxid(database);
                self.snapshots.retain(|(z, _)| *z < zxid);
                self.snapshots.push((zxid, Arc::clone(database)));
                self.initialised = true;
                let ends: Vec<Zxid> = self.snapshots.iter().map(|(z, _)| *z).collect();
                if let Some(goes) = log::purge(&ends, retain) {
                    self.snapshots.drain(..goes.snapshots);
                    let purge = position_after(&self.log, goes.log_up_to);
                    if purge > 0 {
                        self.log = self.log.split_off(purge);
                        self.from_beginning = false;
                    }
                }
            }
            StorageOp::AcceptedEpoch(epoch) => self.accepted = Some(*epoch),
            StorageOp::CurrentEpoch(epoch) => self.current = Some(*epoch),
            StorageOp::Members(text) => self.members = Some(Arc::clone(text)),
            StorageOp::ReadLog { .. } => {}
        }
    }
}

/// The index of the first transaction after `zxid`.
fn position_after(log: &Vector<Arc<Txn>>, zxid: Zxid) -> usize {
    match log.binary_search_by(|t| t.zxid().cmp(&zxid)) {
        Ok(index) => index + 1,
        Err(index) => index,
    }
}

/// Up to where a snapshot reaches.
fn snapshot_zxid(database: &Database) -> Zxid {
    database.last_processed
}

/// About how many bytes its file has.
fn snapshot_bytes(database: &Database) -> u64 {
    database.approximate_bytes()
}

#[derive(Clone, Debug)]
struct Pending {
    seq: StorageSeq,
    op: StorageOp,
    cause: EventId,
}

/// What the disk hands to the server when a batch is done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) input: InputKind,
    pub(crate) cause: EventId,
}

/// A log read that begins now.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) conn: ConnId,
    pub(crate) read: LogRead,
    pub(crate) takes: Span,
}

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    durable: Content,
    /// Written, not durable; the first `batch` of them are being synced.
    pending: VecDeque<Pending>,
    batch: usize,
    busy_until: Option<Moment>,
    durable_seq: StorageSeq,
    /// Snapshots kept.
    retain: usize,
    fsync: Span,
    pub(crate) extra: Span,
    removed: VecDeque<Removed>,
}

impl Disk {
    pub(crate) fn new(fsync: Span, retain: usize) -> Disk {
        Disk {
            durable: Content::fresh(),
            pending: VecDeque::new(),
            batch: 0,
            busy_until: None,
            durable_seq: StorageSeq(0),
            retain,
            fsync,
            extra: Span(0),
            removed: VecDeque::new(),
        }
    }

    // ---- for those who look -----------------------------------------------------------------

    /// The log as the server sees it, unsynced tail included, oldest first. What a snapshot covers
    /// and was purged is not there.
    pub fn entries(&self) -> impl Iterator<Item = LogEntry<'_>> + '_ {
        let (kept, tail) = self.written();
        self.durable
            .log
            .iter()
            .take(kept)
            .map(|txn| LogEntry { txn, durable: true })
            .chain(tail.map(|txn| LogEntry {
                txn,
                durable: false,
            }))
    }

    /// The newest `n` entries, oldest first: cheap however long the log is.
    #[must_use]
    pub fn last_entries(&self, n: usize) -> Vec<LogEntry<'_>> {
        let (kept, tail) = self.written();
        let tail: Vec<_> = tail.collect();
        let from_tail = tail.len().min(n);
        let from_kept = kept.min(n - from_tail);
        self.durable
            .log
            .iter()
            .skip(kept - from_kept)
            .take(from_kept)
            .map(|txn| LogEntry { txn, durable: true })
            .chain(tail[tail.len() - from_tail..].iter().map(|txn| LogEntry {
                txn,
                durable: false,
            }))
            .collect()
    }

    /// How many of the durable entries are still there when all pending operations are carried
    /// out, and the appended ones after them.
    fn written(&self) -> (usize, impl Iterator<Item = &Arc<Txn>> + '_) {
        // Rare: a truncation or installation waits. Then what it cuts is not shown.
        let last_cut = self
            .pending
            .iter()
            .rposition(|p| matches!(p.op, StorageOp::Truncate(_) | StorageOp::Install(_)));
        let kept = match last_cut.map(|index| &self.pending[index].op) {
            Some(StorageOp::Truncate(to)) => position_after(&self.durable.log, *to),
            Some(StorageOp::Install(_)) => 0,
            _ => self.durable.log.len(),
        };
        let skip = last_cut.map_or(0, |index| index + 1);
        let tail = self.pending.iter().skip(skip).filter_map(|p| match &p.op {
            StorageOp::Append(txn) => Some(txn),
            StorageOp::Truncate(_)
            | StorageOp::Install(_)
            | StorageOp::Snapshot(_)
            | StorageOp::AcceptedEpoch(_)
            | StorageOp::CurrentEpoch(_)
            | StorageOp::Members(_)
            | StorageOp::ReadLog { .. } => None,
        });
        (kept, tail)
    }

    /// Last zxid that a crash can't take away, in the log or in a snapshot; 0 if there is none.
    #[must_use]
    pub fn durable_zxid(&self) -> Zxid {
        self.durable.last()
    }

    /// Last zxid that was written.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        let (kept, tail) = self.written();
        tail.last()
            .map(|t| t.zxid())
            .or_else(|| match kept {
                0 => self.durable.snapshots.last().map(|(z, _)| *z),
                n => self.durable.log.get(n - 1).map(|t| t.zxid()),
            })
            .unwrap_or(Zxid::ZERO)
    }

    /// Whether a transaction would survive a crash now: it is in the durable log, or a durable
    /// snapshot covers its place in the order.
    #[must_use]
    pub fn is_durable(&self, zxid: Zxid) -> bool {
        zxid == Zxid::ZERO
            || self.durable.snapshots.iter().any(|(z, _)| *z >= zxid)
            || self
                .durable
                .log
                .binary_search_by(|t| t.zxid().cmp(&zxid))
                .is_ok()
    }

    /// All operations up to this one are on disk.
    #[must_use]
    pub fn durable_seq(&self) -> StorageSeq {
        self.durable_seq
    }

    /// File acceptedEpoch, as durable.
    #[must_use]
    pub fn accepted_epoch(&self) -> Option<Epoch> {
        self.durable.accepted
    }

    /// File currentEpoch, as durable.
    #[must_use]
    pub fn current_epoch(&self) -> Option<Epoch> {
        self.durable.current
    }

    /// False after a disk was lost, until a snapshot is on it (4.8).
    #[must_use]
    pub fn initialised(&self) -> bool {
        self.durable.initialised
    }

    /// Up to where each durable snapshot reaches, oldest first.
    pub fn snapshots(&self) -> impl Iterator<Item = Zxid> + '_ {
        self.durable.snapshots.iter().map(|(zxid, _)| *zxid)
    }

    /// How much longer than usual each batch takes.
    #[must_use]
    pub fn slower_by(&self) -> Span {
        self.extra
    }

    /// Operations that are not on disk yet.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.pending.len()
    }

    /// When the batch under way will be on disk.
    #[must_use]
    pub fn busy_until(&self) -> Option<Moment> {
        self.busy_until
    }

    /// What was in the log once, oldest removal first.
    pub fn removed(&self) -> impl DoubleEndedIterator<Item = &Removed> + '_ {
        self.removed.iter()
    }

    /// What a server that starts now finds.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.durable.stored()
    }

    // ---- for the world ------------------------------------------------------------------------

    /// Takes an operation. A read is carried out at once, on what is written so far; its answer
    /// takes time.
    pub(crate) fn submit(
        &mut self,
        seq: StorageSeq,
        op: StorageOp,
        cause: EventId,
    ) -> Option<Reading> {
        let reading = match &op {
            StorageOp::ReadLog { from, conn } => Some(self.read(*from, *conn)),
            StorageOp::Append(_)
            | StorageOp::Truncate(_)
            | StorageOp::Install(_)
            | StorageOp::Snapshot(_)
            | StorageOp::AcceptedEpoch(_)
            | StorageOp::CurrentEpoch(_)
            | StorageOp::Members(_) => None,
        };
        self.pending.push_back(Pending { seq, op, cause });
        reading
    }

    fn read(&self, from: Zxid, conn: ConnId) -> Reading {
        let (kept, tail) = self.written();
        let start = position_after(&self.durable.log, from).saturating_sub(1);
        let mut entries: Vec<Arc<Txn>> = self
            .durable
            .log
            .iter()
            .take(kept)
            .skip(start)
            .cloned()
            .collect();
        for txn in tail {
            // The last one at or before `from` comes first; that may be in the tail.
            if txn.zxid() <= from {
                entries.clear();
            }
            entries.push(Arc::clone(txn));
        }
        Reading {
            conn,
            takes: Span(self.fsync.0 + self.extra.0 + 10 * entries.len() as u64),
            read: LogRead {
                entries,
                snapshot_bytes: self
                    .durable
                    .snapshots
                    .last()
                    .map_or(0, |(_, s)| snapshot_bytes(s)),
            },
        }
    }

    /// Begins a batch if there is something to do and the disk is idle: when it will be done.
    pub(crate) fn begin(&mut self, now: Moment) -> Option<Moment> {
        if self.busy_until.is_some() || self.pending.is_empty() {
            return None;
        }
        self.batch = self.pending.len();
        let done = now + Span(self.fsync.0 + self.extra.0);
        self.busy_until = Some(done);
        Some(done)
    }

    /// The batch is on disk. What the server is told, in order, goes to `tell`.
    pub(crate) fn finish(&mut self, now: Moment, mut tell: impl FnMut(Done)) {
        let Some(last) = self.batch.checked_sub(1).and_then(|i| self.pending.get(i)) else {
            return;
        };
        self.busy_until = None;
        self.durable_seq = last.seq;
        tell(Done {
            input: InputKind::Durable(last.seq),
            cause: last.cause,
        });
        for _ in 0..core::mem::take(&mut self.batch) {
            let Some(Pending { op, cause, .. }) = self.pending.pop_front() else {
                break;
            };
            self.carry_out(&op, now);
            if matches!(op, StorageOp::Truncate(_)) {
                tell(Done {
                    input: InputKind::Truncated(Box::new(self.durable.stored())),
                    cause,
                });
            }
        }
    }

    fn carry_out(&mut self, op: &StorageOp, now: Moment) {
        let removed = &mut self.removed;
        self.durable.apply(op, self.retain, |zxid, because| {
            note(removed, zxid, now, because);
        });
    }

    /// Power off: the transactions that are lost.
    pub(crate) fn crash(&mut self, now: Moment, lose_unsynced: bool) -> Vec<Zxid> {
        let mut lost = Vec::new();
        for Pending { seq, op, .. } in core::mem::take(&mut self.pending) {
            if !lose_unsynced {
                self.carry_out(&op, now);
                self.durable_seq = seq;
            } else if let StorageOp::Append(txn) = &op {
                lost.push(txn.zxid());
                note(
                    &mut self.removed,
                    txn.zxid(),
                    now,
                    RemovedBecause::LostInCrash,
                );
            }
        }
        self.batch = 0;
        self.busy_until = None;
        lost
    }

    /// Everything is gone.
    pub(crate) fn lose(&mut self, now: Moment) {
        for txn in &self.durable.log {
            note(&mut self.removed, txn.zxid(), now, RemovedBecause::DiskLost);
        }
        self.durable = Content {
            initialised: false,
            ..Content::fresh()
        };
    }
}

fn note(removed: &mut VecDeque<Removed>, zxid: Zxid, at: Moment, because: RemovedBecause) {
    if removed.len() == REMOVED_KEPT {
        removed.pop_front();
    }
    removed.push_back(Removed { zxid, at, because });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::SessionId,
        request::ErrorCode,
        txn::{TxnBody, TxnHeader},
    };

    const FSYNC: Span = Span::millis(4);
    const CAUSE: EventId = EventId {
        server: crate::id::ServerId(1),
        seq: 1,
    };

    fn zxid(n: u32) -> Zxid {
        Zxid::new(Epoch(1), n)
    }

    fn txn(n: u32) -> Arc<Txn> {
        Arc::new(Txn {
            header: TxnHeader {
                session: SessionId::NONE,
                cxid: 0,
                zxid: zxid(n),
                time_ms: 0,
            },
            body: TxnBody::Error(ErrorCode::NoNode),
            digest: None,
        })
    }

    fn tree(n: u32) -> Arc<Database> {
        let mut database = Database::new();
        database.last_processed = zxid(n);
        Arc::new(database)
    }

    /// A disk that counts operations for its server.
    struct Driver {
        disk: Disk,
        seq: u64,
        now: Moment,
    }

    impl Driver {
        fn new() -> Driver {
            Driver {
                disk: Disk::new(FSYNC, 2),
                seq: 0,
                now: Moment(0),
            }
        }

        fn submit(&mut self, op: StorageOp) -> Option<Reading> {
            self.seq += 1;
            self.disk.submit(StorageSeq(self.seq), op, CAUSE)
        }

        fn append(&mut self, numbers: core::ops::RangeInclusive<u32>) {
            for n in numbers {
                self.submit(StorageOp::Append(txn(n)));
            }
        }

        /// Begins a batch and lets it end.
        fn sync(&mut self) -> Vec<InputKind> {
            self.now = self.disk.begin(self.now).expect("something to do");
            self.finish()
        }

        fn finish(&mut self) -> Vec<InputKind> {
            let mut told = Vec::new();
            self.disk.finish(self.now, |done| told.push(done.input));
            told
        }

        fn log(&self) -> Vec<(u32, bool)> {
            self.disk
                .entries()
                .map(|e| (e.txn.zxid().counter(), e.durable))
                .collect()
        }
    }

    #[test]
    fn an_unsynced_tail_is_lost_in_a_crash() {
        let mut d = Driver::new();
        d.append(1..=2);
        d.sync();
        d.append(3..=4);
        d.submit(StorageOp::AcceptedEpoch(Epoch(7)));
        assert_eq!(d.log(), [(1, true), (2, true), (3, false), (4, false)]);
        assert_eq!(d.disk.last_zxid(), zxid(4));
        assert_eq!(d.disk.crash(d.now, true), [zxid(3), zxid(4)]);
        assert_eq!(d.log(), [(1, true), (2, true)]);
        assert_eq!(d.disk.accepted_epoch(), None, "files are lost as well");
        assert!(
            d.disk
                .removed()
                .all(|r| r.because == RemovedBecause::LostInCrash)
        );
        assert_eq!(d.disk.removed().count(), 2, "and stay visible as history");
    }

    #[test]
    fn a_crash_may_spare_the_unsynced_tail() {
        let mut d = Driver::new();
        d.append(1..=2);
        d.submit(StorageOp::AcceptedEpoch(Epoch(7)));
        assert_eq!(d.disk.crash(d.now, false), []);
        assert_eq!(d.log(), [(1, true), (2, true)]);
        assert_eq!(d.disk.accepted_epoch(), Some(Epoch(7)));
    }

    #[test]
    fn what_gathers_while_the_disk_works_becomes_durable_together_and_in_order() {
        let mut d = Driver::new();
        d.append(1..=1);
        let first = d.disk.begin(d.now).expect("a batch");
        assert_eq!(first, d.now + FSYNC);
        d.append(2..=5);
        assert_eq!(d.disk.begin(d.now), None, "one batch at a time");
        d.now = first;
        assert_eq!(d.finish(), [InputKind::Durable(StorageSeq(1))]);
        assert!(d.disk.is_durable(zxid(1)) && !d.disk.is_durable(zxid(2)));
        assert_eq!(d.sync(), [InputKind::Durable(StorageSeq(5))]);
        assert_eq!(d.disk.durable_zxid(), zxid(5));
        assert_eq!(d.disk.durable_seq(), StorageSeq(5));
    }

    #[test]
    fn a_slow_disk_needs_longer_for_each_batch() {
        let mut d = Driver::new();
        d.disk.extra = Span::millis(100);
        d.append(1..=1);
        assert_eq!(d.disk.begin(d.now), Some(Moment(104_000)));
    }

    #[test]
    fn a_truncation_is_answered_when_it_is_durable_and_stays_visible() {
        let mut d = Driver::new();
        d.append(1..=5);
        d.sync();
        d.submit(StorageOp::Truncate(zxid(3)));
        assert_eq!(d.log().len(), 3, "it is cut for those who look");
        assert!(d.disk.is_durable(zxid(5)), "and still on the platter");
        let told = d.sync();
        assert_eq!(told[0], InputKind::Durable(StorageSeq(6)));
        let InputKind::Truncated(stored) = &told[1] else {
            panic!("expected what is left, found {:?}", told[1]);
        };
        assert_eq!(stored.log.last().map(|t| t.zxid()), Some(zxid(3)));
        assert!(!d.disk.is_durable(zxid(4)));
        let removed: Vec<_> = d.disk.removed().map(|r| (r.zxid, r.because)).collect();
        assert_eq!(
            removed,
            [
                (zxid(4), RemovedBecause::Truncated),
                (zxid(5), RemovedBecause::Truncated)
            ]
        );
    }

    #[test]
    fn a_truncation_takes_snapshots_beyond_it_away() {
        let mut d = Driver::new();
        d.append(1..=5);
        d.submit(StorageOp::Snapshot(tree(2)));
        d.submit(StorageOp::Snapshot(tree(5)));
        d.submit(StorageOp::Truncate(zxid(4)));
        d.sync();
        assert_eq!(d.disk.snapshots().collect::<Vec<_>>(), [zxid(2)]);
        assert!(d.disk.initialised());
    }

    #[test]
    fn a_truncation_below_all_that_is_left_changes_nothing() {
        let mut d = Driver::new();
        d.submit(StorageOp::Install(tree(5)));
        d.append(6..=7);
        d.sync();
        d.submit(StorageOp::Truncate(zxid(3)));
        let told = d.sync();
        assert_eq!(d.log(), [(6, true), (7, true)]);
        assert!(d.disk.initialised() && d.disk.is_durable(zxid(5)));
        let InputKind::Truncated(stored) = &told[1] else {
            panic!("expected what is there, found {:?}", told[1]);
        };
        assert_eq!(stored.log.last().map(|t| t.zxid()), Some(zxid(7)));
    }

    #[test]
    fn an_installed_tree_replaces_everything() {
        let mut d = Driver::new();
        d.append(1..=3);
        d.sync();
        d.submit(StorageOp::Install(tree(9)));
        d.append(10..=10);
        d.sync();
        assert_eq!(d.log(), [(10, true)]);
        let stored = d.disk.stored();
        assert_eq!(stored.snapshot.last_processed, zxid(9));
        assert!(d.disk.is_durable(zxid(9)));
        assert!(
            d.disk
                .removed()
                .all(|r| r.because == RemovedBecause::Replaced)
        );
    }

    #[test]
    fn logs_reach_back_to_the_oldest_snapshot_that_is_kept() {
        let mut d = Driver::new();
        for n in 1..=3 {
            d.append(n * 10..=n * 10 + 9);
            d.submit(StorageOp::Snapshot(tree(n * 10 + 9)));
        }
        d.sync();
        assert_eq!(d.disk.snapshots().collect::<Vec<_>>(), [zxid(29), zxid(39)]);
        assert_eq!(d.log().first(), Some(&(30, true)));
    }

    #[test]
    fn a_read_begins_with_the_last_one_at_or_before_and_finds_the_unsynced_tail() {
        let mut d = Driver::new();
        d.append(2..=4);
        d.sync();
        d.append(6..=7);
        let mut read = |from: u32| -> Vec<u32> {
            let op = StorageOp::ReadLog {
                from: zxid(from),
                conn: ConnId(1),
            };
            let reading = d.submit(op).expect("an answer");
            let entries = reading.read.entries;
            entries.iter().map(|t| t.zxid().counter()).collect()
        };
        assert_eq!(read(3), [3, 4, 6, 7]);
        assert_eq!(read(5), [4, 6, 7]);
        assert_eq!(read(1), [2, 3, 4, 6, 7], "the log begins later");
        assert_eq!(read(6), [6, 7]);
        assert_eq!(read(9), [7]);
    }

    #[test]
    fn a_lost_disk_is_empty_and_not_initialised() {
        let mut d = Driver::new();
        d.append(1..=2);
        d.submit(StorageOp::CurrentEpoch(Epoch(3)));
        d.sync();
        d.disk.lose(d.now);
        let stored = d.disk.stored();
        assert!(stored.log.is_empty() && !stored.initialised);
        assert_eq!(stored.current_epoch, None);
        assert_eq!(d.disk.removed().count(), 2);
    }

    #[test]
    fn the_newest_entries_are_the_end_of_all_entries() {
        let mut d = Driver::new();
        d.append(1..=5);
        d.sync();
        d.append(6..=8);
        let all = d.log();
        for n in 0..=9 {
            let newest: Vec<_> = d
                .disk
                .last_entries(n)
                .iter()
                .map(|e| (e.txn.zxid().counter(), e.durable))
                .collect();
            assert_eq!(newest, all[all.len() - n.min(8)..]);
        }
    }
}
