//! The files of a server: logs, snapshots, epochs (ZooKeeper.md 3.8, 4).
//!
//! One thread owns a [`Storage`] and gives it operations in batches. What a batch appends is written
//! with one call and synced with one fdatasync (group commit), then the answers come back.
//!
//! **After an error nothing is written any more.** A failed fsync leaves nobody knowing what is on disk,
//! and a second one may lie; a failed write leaves half a record. Every later call says so, and the
//! server stops. What it acknowledged is on disk, and the next start sorts out the rest.
//!
//! **The leader's snapshot** ([`StorageOp::Install`]) replaces everything, and must not be contradicted
//! by older logs at the next start. It is written as `tmp.snapshot.…`, synced, and renamed to
//! `install.…`: that decides. Then logs and other snapshots are removed, and it is renamed to
//! `snapshot.…`. Who finds an `install.…` at start-up does the rest. So at any moment either the old
//! history is there as a whole or the new one is.
//!
//! **A server without a say** (4.8) that is given transactions and no snapshot logs them on nothing. Until
//! an epoch is sealed behind them the file `uninitialised` says so, and the next start throws them away:
//! none of them was acknowledged.
//!
//! **Cutting the log** ([`StorageOp::Truncate`]) is tried without changing anything first: if no snapshot
//! from before the cut is left, all stays as it is, and the answer is that there is no history. Else newer
//! logs are removed, newest first, then the one is cut, then newer snapshots are removed: after each
//! step a part of the old history is there without a hole.

mod background;
mod compress;
mod dirs;
mod error;
pub mod files;
mod purge;
mod recover;
mod room;
mod snapshots;

pub use dirs::{Compression, Dirs};
pub use error::{BadSnapshot, Notice, StorageError};
pub use room::Room;

use background::Worker;
use dirs::{ACCEPTED, CURRENT};
use files::{Files, Lock, Output, write_all_at};
use recover::{Found, Place};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use zabscope_core::{
    id::{ConnId, Epoch, StorageSeq, Zxid},
    log::{LogRead, Stored},
    peer::output::StorageOp,
    tree::{Database, TtlOwners},
    txn::Txn,
    wire::{
        jute::{MAX_BUFFER, record_limit},
        snapshot::Form,
        txnlog::{self, FILE_HEADER_BYTES, FileHeader, LogReader, follows},
    },
};

/// When fewer bytes than this are left, the log is extended.
const PADDING_MARGIN: u64 = 4096;

/// How the files are kept; the names are ZooKeeper's.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest string or buffer that is read: of `jute.maxbuffer`, see
    /// [`record_limit`].
    pub record_limit: usize,
    /// Which owners are TTLs (`zookeeper.extendedTypesEnabled`, `zookeeper.emulate353TTLNodes`).
    pub ttls: TtlOwners,
    /// `zookeeper.preAllocSize`, in bytes; 0 for none.
    pub pre_alloc_size: u64,
    /// `zookeeper.txnLogSizeLimitInKb`, in bytes.
    pub txn_log_size_limit: Option<u64>,
    /// `zookeeper.forceSync`: whether the log is synced. Without, a power failure takes what was
    /// acknowledged.
    pub force_sync: bool,
    /// `zookeeper.snapshot.compression.method`
    pub compression: Compression,
    /// `zookeeper.snapshot.trust.empty`
    pub trust_empty_snapshot: bool,
    /// `zookeeper.db.autocreate`
    pub db_autocreate: bool,
    /// `zookeeper.datadir.autocreate`
    pub datadir_autocreate: bool,
    /// `zookeeper.snapshotSizeFactor` in percent: a log that is longer than so much of the snapshot is
    /// not read for a learner to its end; 0 for no limit.
    pub snapshot_size_percent: u32,
    /// `zookeeper.serializeLastProcessedZxid.enabled`: snapshots end with the zxid applied last (3.9).
    pub last_zxid: bool,
}

impl Options {
    /// What a snapshot's file holds.
    fn form(&self) -> Form {
        Form::File {
            digest: true,
            last_zxid: self.last_zxid,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            record_limit: record_limit(MAX_BUFFER),
            ttls: TtlOwners::None,
            pre_alloc_size: 64 << 20,
            txn_log_size_limit: None,
            force_sync: true,
            compression: Compression::Checked,
            trust_empty_snapshot: false,
            db_autocreate: true,
            datadir_autocreate: true,
            snapshot_size_percent: 33,
            last_zxid: true,
        }
    }
}

/// What the storage has to tell the server, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// All operations up to this one are on disk.
    Durable(StorageSeq),
    /// Answer to [`StorageOp::Truncate`].
    Truncated(Box<Stored>),
    /// Answer to [`StorageOp::ReadLog`].
    LogRead {
        /// The connection of the learner it was read for.
        conn: ConnId,
        /// What was found.
        read: LogRead,
    },
}

/// How long it took since this was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Each fsync of the log.
    pub syncs: Vec<Duration>,
    /// Each time that something was written to the log and synced.
    pub flushes: Vec<Duration>,
    /// Each snapshot that was written.
    pub snapshots: Vec<Duration>,
    /// What was found at the start.
    pub loaded: Option<LoadedIn>,
}

/// What was found at the start, and how long it took to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedIn {
    /// The snapshot.
    pub snapshot: Duration,
    /// Transactions after it.
    pub txns: u64,
    /// Reading them.
    pub log: Duration,
}

/// The log that is being written.
#[derive(Debug)]
struct OpenLog {
    path: PathBuf,
    file: Box<dyn Output>,
    /// Where the next byte goes.
    at: u64,
    /// How long the file is.
    len: u64,
    /// Its name is on disk.
    named: bool,
}

/// The open files of a server.
pub struct Storage {
    files: Arc<dyn Files>,
    dirs: Dirs,
    options: Options,
    log: Option<OpenLog>,
    /// Encoded and not yet written; its first transaction if no log is open.
    buffer: Vec<u8>,
    first: Option<Zxid>,
    /// The last zxid that was appended or found.
    last: Zxid,
    snapshot_bytes: u64,
    accepted: Option<Epoch>,
    current: Option<Epoch>,
    /// The log could not be cut: it counts for nothing until something replaces it.
    detached: bool,
    worker: Option<Worker>,
    /// The next snapshot; a newer one takes its place.
    waiting: Option<Arc<Database>>,
    notices: Vec<Notice>,
    timings: Timings,
    failed: Option<String>,
    _locks: Vec<Lock>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage")
            .field("dirs", &self.dirs)
            .field("last", &self.last)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Opens a server's files: makes the directories, locks them, cuts off what a power failure left, and
/// reads what is there.
///
/// # Errors
/// [`StorageError`]: the files are not ours, not readable, or damaged in a way that a power failure does
/// not explain. Then nothing was changed but what an interrupted operation had left.
pub fn open(dirs: &Dirs, options: &Options) -> Result<(Storage, Stored), StorageError> {
    open_with(Arc::new(files::RealFiles), dirs, options)
}

/// [`open`] on another file system.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    files: Arc<dyn Files>,
    dirs: &Dirs,
    options: &Options,
) -> Result<(Storage, Stored), StorageError> {
    let locks = dirs.prepare(&*files, options.datadir_autocreate)?;
    let mut notices = Vec::new();
    let place = Place {
        files: &*files,
        dirs,
        options,
    };
    place.tidy(&mut notices)?;
    let marker = dirs.take_initialize(&*files)?;
    let mut stored = Stored {
        snapshot: Arc::new(Database::new()),
        log: Vec::new(),
        accepted_epoch: dirs.read_epoch(&*files, ACCEPTED)?,
        current_epoch: dirs.read_epoch(&*files, CURRENT)?,
        // Of these the configuration has read.
        members: None,
        initialised: true,
    };
    let accepted = stored.accepted_epoch;
    let check = |last, current: &mut Option<Epoch>, notices: &mut Vec<Notice>| {
        place.check_epochs(accepted, current, last, notices)
    };
    let (mut last, mut snapshot_bytes) = (Zxid::ZERO, 0);
    let mut detached = false;
    let mut timings = Timings::default();
    let lost = dirs.is_uninitialised(&*files)?;
    if lost {
        // Nothing of it was acknowledged.
        place.wipe()?;
    }
    match place.find(None, &mut notices)? {
        Found::History(history) => {
            (last, snapshot_bytes) = (history.last, history.snapshot_bytes);
            let start = history.snapshot.last_processed;
            let after = history.log.iter().filter(|t| t.zxid() > start);
            timings.loaded = Some(LoadedIn {
                snapshot: history.snapshot_took,
                txns: after.count() as u64,
                log: history.log_took,
            });
            stored.snapshot = history.snapshot;
            stored.log = history.log;
            check(last, &mut stored.current_epoch, &mut notices)?;
            if let Some(cut) = history.cut {
                place.cut(&cut)?;
                if let Some(why) = cut.why {
                    notices.push(Notice::TailCut {
                        path: cut.path,
                        at: cut.at,
                        why,
                    });
                }
            }
        }
        Found::Nothing => {
            check(Zxid::ZERO, &mut stored.current_epoch, &mut notices)?;
            stored.initialised = marker || (options.db_autocreate && !lost);
            detached = !stored.initialised;
            if stored.initialised {
                snapshot_bytes = first_snapshot(place)?;
                dirs.set_uninitialised(&*files, false)?;
            }
        }
    }
    let storage = Storage {
        dirs: dirs.clone(),
        options: options.clone(),
        log: None,
        buffer: Vec::new(),
        first: None,
        last,
        snapshot_bytes,
        accepted: stored.accepted_epoch,
        current: stored.current_epoch,
        detached,
        worker: None,
        waiting: None,
        notices,
        timings,
        failed: None,
        _locks: locks,
        files,
    };
    Ok((storage, stored))
}

/// Removes old snapshots and logs of a server that does not run, as [`Storage::purge`] does. Makes and
/// changes nothing else.
///
/// # Errors
/// [`StorageError`]: a server of ours runs there, there is no such directory, a file can't be removed.
pub fn purge_stopped(dirs: &Dirs, retain: usize) -> Result<Vec<PathBuf>, StorageError> {
    let files = files::RealFiles;
    let _locks = dirs.prepare(&files, false).map_err(|error| match error {
        // What a server's start would say is no help here.
        StorageError::NoDirectory { mut path } => {
            path.pop();
            StorageError::NoServersDirectory { path }
        }
        other => other,
    })?;
    let place = Place {
        files: &files,
        dirs,
        options: &Options::default(),
    };
    purge::purge(place, retain)
}

/// Opens a snapshot for reading, decompressed if its first bytes say that it is compressed.
///
/// # Errors
/// The system's; a compressed stream that is none.
pub fn open_snapshot(path: &Path) -> io::Result<Box<dyn Read>> {
    compress::open(files::RealFiles.read(path)?)
}

/// An empty snapshot, before the first transaction; its bytes.
fn first_snapshot(place: Place<'_>) -> Result<u64, StorageError> {
    let Place {
        files,
        dirs,
        options,
    } = place;
    let compression = options.compression;
    let temporary = dirs.temporary_path(Zxid::ZERO);
    let path = dirs.snapshot_path(Zxid::ZERO, compression);
    let never = AtomicBool::new(false);
    let kind = (options.form(), compression);
    snapshots::write(files, &temporary, &Database::new(), kind, &never)
        .and_then(|bytes| {
            snapshots::publish(files, dirs, &temporary, &path)?;
            Ok(bytes)
        })
        .map_err(StorageError::io("write", &path))
}

impl Storage {
    /// What happened that is worth a line in the server's log, since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        if self.failed.is_none() {
            self.poll_worker();
        }
        core::mem::take(&mut self.notices)
    }

    /// What was measured since the last call.
    pub fn take_timings(&mut self) -> Timings {
        core::mem::take(&mut self.timings)
    }

    /// Carries out operations in their order. When it returns, all of them are on disk (snapshots of our
    /// own tree excepted: they are written in the background, and the log holds what they hold).
    ///
    /// # Errors
    /// The first one is final: nobody may be told that anything of this batch is durable, and the server
    /// has to stop.
    pub fn apply(
        &mut self,
        batch: impl IntoIterator<Item = (StorageSeq, StorageOp)>,
    ) -> Result<Vec<Done>, StorageError> {
        if let Some(why) = &self.failed {
            return Err(StorageError::Failed(why.clone()));
        }
        let result = self.carry_out(batch);
        if let Err(error) = &result {
            self.failed = Some(error.to_string());
            self.stop_worker();
        }
        result
    }

    fn carry_out(
        &mut self,
        batch: impl IntoIterator<Item = (StorageSeq, StorageOp)>,
    ) -> Result<Vec<Done>, StorageError> {
        self.poll_worker();
        let mut done = Vec::new();
        let mut durable = None;
        for (seq, op) in batch {
            let answer = match op {
                StorageOp::Append(txn) => {
                    self.append(&txn)?;
                    None
                }
                StorageOp::Truncate(to) => Some(self.truncate(to)?),
                StorageOp::Install(database) => {
                    self.install(&database)?;
                    None
                }
                StorageOp::Snapshot(database) => {
                    self.snapshot(database)?;
                    None
                }
                StorageOp::AcceptedEpoch(epoch) => {
                    self.write_epoch(ACCEPTED, epoch)?;
                    self.accepted = Some(epoch);
                    None
                }
                StorageOp::CurrentEpoch(epoch) => {
                    if self.detached {
                        // The history that is sealed is none, not the one that could not be cut.
                        self.reset()?;
                    }
                    self.write_epoch(CURRENT, epoch)?;
                    self.current = Some(epoch);
                    // Now all that was logged is a history that counts.
                    self.dirs.set_uninitialised(&*self.files, false)?;
                    None
                }
                // Files of the configuration, not of the data: see the log thread.
                StorageOp::Members(_) => None,
                StorageOp::ReadLog { from, conn } => {
                    self.flush()?;
                    let read = self.read_log(from);
                    Some(Done::LogRead { conn, read })
                }
            };
            durable = Some(seq);
            if let Some(answer) = answer {
                done.push(Done::Durable(seq));
                done.push(answer);
                durable = None;
            }
        }
        self.flush()?;
        done.extend(durable.map(Done::Durable));
        Ok(done)
    }

    fn place(&self) -> Place<'_> {
        Place {
            files: &*self.files,
            dirs: &self.dirs,
            options: &self.options,
        }
    }

    // --- The log ---

    /// What could not be cut may not come back behind what follows; and what is logged now is no history
    /// until its epoch is sealed.
    fn reset(&mut self) -> Result<(), StorageError> {
        self.dirs.set_uninitialised(&*self.files, true)?;
        self.place().wipe()?;
        self.snapshot_bytes = first_snapshot(self.place())?;
        self.last = Zxid::ZERO;
        self.detached = false;
        Ok(())
    }

    fn append(&mut self, txn: &Txn) -> Result<(), StorageError> {
        if self.detached {
            self.reset()?;
        }
        let zxid = txn.zxid();
        // Our own writers take a new zxid each (1.8).
        if zxid == self.last || !follows(self.last, zxid) {
            return Err(StorageError::Order {
                previous: self.last,
                found: zxid,
            });
        }
        if self.log.is_none() && self.buffer.is_empty() {
            self.first = Some(zxid);
            FileHeader::LOG.encode(&mut self.buffer);
        }
        txnlog::encode_record(txn, &mut self.buffer);
        self.last = zxid;
        Ok(())
    }

    /// Writes and syncs all that was appended.
    fn flush(&mut self) -> Result<(), StorageError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.log.is_none() {
            let path = self.dirs.log_path(self.first.unwrap_or(self.last));
            let file = self
                .files
                .create(&path, true)
                .map_err(StorageError::io("make", &path))?;
            self.log = Some(OpenLog {
                path,
                file,
                at: 0,
                len: 0,
                named: false,
            });
        }
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let began = Instant::now();
        let end = log.at + self.buffer.len() as u64;
        if self.options.pre_alloc_size > 0 && end + PADDING_MARGIN > log.len {
            let size = self.options.pre_alloc_size;
            let len = (end + PADDING_MARGIN).div_ceil(size).saturating_mul(size);
            log.file
                .set_len(len)
                .map_err(StorageError::io("extend", &log.path))?;
            log.len = len;
        }
        write_all_at(&mut *log.file, log.at, &self.buffer)
            .map_err(StorageError::io("write", &log.path))?;
        if self.options.force_sync {
            let syncing = Instant::now();
            log.file
                .sync()
                .map_err(StorageError::io("sync", &log.path))?;
            self.timings.syncs.push(syncing.elapsed());
            if !log.named {
                let dir = self.dirs.logs();
                self.files
                    .sync_dir(&dir)
                    .map_err(StorageError::io("sync", dir))?;
            }
        }
        self.timings.flushes.push(began.elapsed());
        log.named = true;
        log.at = end;
        self.buffer.clear();
        // One batch that was large once need not stay.
        self.buffer.shrink_to(1 << 20);
        if self
            .options
            .txn_log_size_limit
            .is_some_and(|most| end > most)
        {
            self.log = None;
        }
        Ok(())
    }

    /// The next append begins a new file.
    fn roll(&mut self) -> Result<(), StorageError> {
        self.flush()?;
        self.log = None;
        Ok(())
    }

    fn truncate(&mut self, to: Zxid) -> Result<Done, StorageError> {
        self.roll()?;
        self.stop_worker();
        let mut notices = Vec::new();
        let found = if self.detached {
            Ok(Found::Nothing)
        } else {
            self.place().find(Some(to), &mut notices)
        };
        let history = match found {
            Ok(Found::History(history)) => history,
            Ok(Found::Nothing)
            | Err(
                StorageError::NoSnapshot { .. }
                | StorageError::SnapshotLost { .. }
                | StorageError::Hole { .. },
            ) => {
                self.detached = true;
                self.notices.push(Notice::CannotTruncate { to });
                return Ok(Done::Truncated(Box::new(Stored {
                    snapshot: Arc::new(Database::new()),
                    log: Vec::new(),
                    accepted_epoch: self.accepted,
                    current_epoch: self.current,
                    members: None,
                    initialised: false,
                })));
            }
            Err(error) => return Err(error),
        };
        let place = self.place();
        if let Some(cut) = &history.cut {
            place.cut(cut)?;
        }
        let snapshots = self.dirs.list_snapshots(&*self.files)?;
        for newer in snapshots.iter().rev().filter(|s| s.zxid > to) {
            place.remove(&newer.path)?;
            place.sync(&self.dirs.snapshots())?;
        }
        self.notices.append(&mut notices);
        self.last = history.last;
        self.snapshot_bytes = history.snapshot_bytes;
        Ok(Done::Truncated(Box::new(Stored {
            snapshot: history.snapshot,
            log: history.log,
            accepted_epoch: self.accepted,
            current_epoch: self.current,
            members: None,
            initialised: true,
        })))
    }

    /// The log from the last transaction at or before `from`. A log that can't be read is none: the
    /// learner gets a snapshot.
    fn read_log(&mut self, from: Zxid) -> LogRead {
        let entries = if self.detached {
            Ok(Vec::new())
        } else {
            self.read_entries(from)
        };
        let entries = entries.unwrap_or_else(|error| {
            self.notices.push(Notice::LogUnreadable {
                why: error.to_string(),
            });
            Vec::new()
        });
        LogRead {
            entries,
            snapshot_bytes: self.snapshot_bytes,
        }
    }

    fn read_entries(&self, from: Zxid) -> Result<Vec<Arc<Txn>>, StorageError> {
        let logs = self.dirs.list_logs(&*self.files)?;
        let percent = u128::from(self.options.snapshot_size_percent);
        let limit = u128::from(self.snapshot_bytes) * percent / 100;
        let mut entries: Vec<Arc<Txn>> = Vec::new();
        let mut bytes = 0;
        for named in &logs[recover::start(&logs, from).min(logs.len())..] {
            let damaged = |why| StorageError::LogDamaged {
                path: named.path.clone(),
                why,
            };
            let input = self
                .files
                .read(&named.path)
                .map_err(StorageError::io("read", &named.path))?;
            let reader =
                LogReader::open(input, self.options.record_limit, None).map_err(damaged)?;
            for record in reader {
                let txn = record.map_err(damaged)?.txn;
                // The last one at or before `from` comes first; and behind a hole, which a leader's
                // snapshot once filled, the log begins anew.
                let hole = entries
                    .last()
                    .is_some_and(|last| !follows(last.zxid(), txn.zxid()));
                if txn.zxid() <= from || hole {
                    entries.clear();
                    bytes = 0;
                }
                if txn.zxid() > from {
                    bytes += txn.approximate_bytes() as u128;
                }
                entries.push(txn);
                // Too much for DIFF: whoever adds up sees that too (3.4).
                if limit > 0 && bytes > limit {
                    return Ok(entries);
                }
            }
        }
        Ok(entries)
    }

    // --- Epochs ---

    fn write_epoch(&mut self, name: &str, epoch: Epoch) -> Result<(), StorageError> {
        // The history before the epoch that it belongs to (3.5).
        self.flush()?;
        self.dirs.write_epoch(&*self.files, name, epoch)
    }

    /// Removes old snapshots and logs (4.9): keeps the newest `retain` whole snapshots, at least 3, and
    /// all logs that may hold transactions after the oldest of them. Returns what was removed.
    ///
    /// # Errors
    /// [`StorageError::Io`]; what is left is still whole.
    pub fn purge(&mut self, retain: usize) -> Result<Vec<PathBuf>, StorageError> {
        self.poll_worker();
        purge::purge(self.place(), retain)
    }

    /// Where the next byte of the open log goes; the header's end if none is open.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.log
            .as_ref()
            .map_or(FILE_HEADER_BYTES as u64, |log| log.at)
    }

    /// The last zxid on disk or about to be.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.last
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // The lock goes with us: nobody may still be writing.
        self.stop_worker();
    }
}

#[cfg(test)]
mod tests;
