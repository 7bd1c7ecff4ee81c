//! From the files of a stopped server to what it knew (ZooKeeper.md 4.3, 4.4, 4.6, 4.8).

use super::{
    Options,
    dirs::{Dirs, Named, TEMPORARY, list},
    error::{BadSnapshot, Notice, StorageError},
    files::Files,
    snapshots,
};
use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use zabscope_core::{
    id::{Epoch, Zxid},
    tree::Database,
    txn::Txn,
    wire::{
        snapshot::Loaded,
        txnlog::{FILE_HEADER_BYTES, LogEnd, LogError, LogReader, Torn, follows},
    },
};

/// Apache gives up after so many snapshots.
const CANDIDATES: usize = 100;

/// Where to look.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) dirs: &'a Dirs,
    pub(super) options: &'a Options,
}

/// A history: a snapshot and the log after it.
pub(super) struct History {
    pub(super) snapshot: Arc<Database>,
    pub(super) snapshot_bytes: u64,
    pub(super) log: Vec<Arc<Txn>>,
    /// The last zxid.
    pub(super) last: Zxid,
    /// What is to be cut away: the end of the last good record of a file, and why.
    pub(super) cut: Option<Cut>,
    /// How long loading the snapshot took.
    pub(super) snapshot_took: Duration,
    /// How long reading the log took.
    pub(super) log_took: Duration,
}

/// Where a log ends.
pub(super) struct Cut {
    pub(super) path: PathBuf,
    pub(super) at: u64,
    /// `None` when it is cut because the leader says so.
    pub(super) why: Option<Torn>,
    /// Newer logs, oldest first.
    pub(super) later: Vec<PathBuf>,
}

/// What is on disk.
pub(super) enum Found {
    /// Neither snapshots nor logs.
    Nothing,
    /// A history.
    History(History),
}

/// The log after a snapshot, as far as it goes.
struct Tail {
    log: Vec<Arc<Txn>>,
    last: Zxid,
    cut: Option<Cut>,
}

impl Place<'_> {
    /// Removes what interrupted operations left, and finishes an installation that had been decided.
    pub(super) fn tidy(self, notices: &mut Vec<Notice>) -> Result<(), StorageError> {
        let dir = self.dirs.snapshots();
        for name in list(self.files, &dir)? {
            if name.starts_with(TEMPORARY) {
                let path = dir.join(name);
                self.remove(&path)?;
                notices.push(Notice::LeftoverRemoved { path });
            }
        }
        // Should there be two, the last one was the last decision.
        if let Some(install) = self.dirs.list_installs(self.files)?.pop() {
            if let Err(why) = snapshots::load(self.files, &install, self.options) {
                return Err(StorageError::SnapshotLost {
                    path: install.path,
                    why,
                    reached: Zxid::ZERO,
                });
            }
            self.finish_install(&install)?;
            notices.push(Notice::InstallFinished { zxid: install.zxid });
        }
        self.remove_empty_newest_log(notices)
    }

    /// The leader's snapshot is on disk under its temporary name, so all else may go; then it takes its
    /// place. Can be repeated from any point.
    pub(super) fn finish_install(self, install: &Named) -> Result<(), StorageError> {
        self.wipe()?;
        let to = self.dirs.snapshot_path(install.zxid, install.compression);
        snapshots::publish(self.files, self.dirs, &install.path, &to)
            .map_err(StorageError::io("rename", &install.path))?;
        for older in self.dirs.list_installs(self.files)? {
            self.remove(&older.path)?;
        }
        self.sync(&self.dirs.snapshots())?;
        self.dirs.set_uninitialised(self.files, false)
    }

    /// Removes all logs and snapshots.
    pub(super) fn wipe(self) -> Result<(), StorageError> {
        for log in self.dirs.list_logs(self.files)?.iter().rev() {
            self.remove(&log.path)?;
        }
        self.sync(&self.dirs.logs())?;
        for snapshot in self.dirs.list_snapshots(self.files)?.iter().rev() {
            self.remove(&snapshot.path)?;
        }
        self.sync(&self.dirs.snapshots())
    }

    fn remove_empty_newest_log(self, notices: &mut Vec<Notice>) -> Result<(), StorageError> {
        let Some(newest) = self.dirs.list_logs(self.files)?.pop() else {
            return Ok(());
        };
        let input = self
            .files
            .read(&newest.path)
            .map_err(StorageError::io("read", &newest.path))?;
        let empty = match LogReader::open(input, self.options.record_limit, None) {
            // A header and nothing else, or not even that: no record of it was ever synced.
            Ok(mut reader) => reader.next().is_none() && reader.at() == FILE_HEADER_BYTES as u64,
            Err(LogError::NoHeader) => true,
            Err(_) => false,
        };
        if empty {
            self.remove(&newest.path)?;
            self.sync(&self.dirs.logs())?;
            notices.push(Notice::EmptyLogRemoved { path: newest.path });
        }
        Ok(())
    }

    /// Finds the newest history that is whole; up to `to` if that is given. Changes nothing.
    pub(super) fn find(
        self,
        to: Option<Zxid>,
        notices: &mut Vec<Notice>,
    ) -> Result<Found, StorageError> {
        let logs = self.dirs.list_logs(self.files)?;
        let mut candidates = self.dirs.list_snapshots(self.files)?;
        if let Some(to) = to {
            candidates.retain(|snapshot| snapshot.zxid <= to);
        }
        let mut skipped: Vec<(Named, BadSnapshot)> = Vec::new();
        for named in candidates.into_iter().rev().take(CANDIDATES) {
            let began = Instant::now();
            let loaded = match snapshots::load(self.files, &named, self.options) {
                Ok(loaded) => loaded,
                Err(why) => {
                    skipped.push((named, why));
                    continue;
                }
            };
            let snapshot_took = began.elapsed();
            let began = Instant::now();
            let tail = match self.tail(&logs, Some(named.zxid), to) {
                // The logs that a newer snapshot made superfluous are gone; it is the newer one that
                // is missing.
                Err(StorageError::Hole { .. }) if !skipped.is_empty() => {
                    let (newer, why) = skipped.swap_remove(0);
                    return Err(StorageError::SnapshotLost {
                        path: newer.path,
                        why,
                        reached: named.zxid,
                    });
                }
                tail => tail?,
            };
            let log_took = began.elapsed();
            // An older one is as good only if the logs after it hold what the newer ones did. (The
            // beginning of an epoch is in no log.)
            let missing = skipped
                .iter()
                .position(|(newer, _)| newer.zxid > tail.last && !newer.zxid.is_new_epoch());
            if let Some(at) = missing {
                let (newer, why) = skipped.swap_remove(at);
                return Err(StorageError::SnapshotLost {
                    path: newer.path,
                    why,
                    reached: tail.last,
                });
            }
            notices.extend(
                skipped
                    .into_iter()
                    .map(|(skipped, why)| Notice::SnapshotSkipped {
                        path: skipped.path,
                        why,
                    }),
            );
            compare_digests(&named, &loaded, &tail.log, notices);
            let bytes = snapshots::size(self.files, &named.path)?;
            return Ok(Found::History(History {
                snapshot: Arc::new(loaded.database),
                snapshot_bytes: bytes,
                log: tail.log,
                last: tail.last,
                cut: tail.cut,
                snapshot_took,
                log_took,
            }));
        }
        if let Some(first) = logs.first() {
            if !self.options.trust_empty_snapshot || to.is_some() {
                return Err(StorageError::NoSnapshot {
                    log: first.path.clone(),
                });
            }
            let began = Instant::now();
            let tail = self.tail(&logs, None, to)?;
            return Ok(Found::History(History {
                snapshot: Arc::new(Database::new()),
                snapshot_bytes: 0,
                log: tail.log,
                last: tail.last,
                cut: tail.cut,
                snapshot_took: Duration::ZERO,
                log_took: began.elapsed(),
            }));
        }
        // Of the very first snapshot nothing is lost, it is empty. Of any other, everything is.
        match skipped
            .into_iter()
            .find(|(named, _)| named.zxid > Zxid::ZERO)
        {
            Some((named, why)) => Err(StorageError::SnapshotLost {
                path: named.path,
                why,
                reached: Zxid::ZERO,
            }),
            None => Ok(Found::Nothing),
        }
    }

    /// Reads the logs from the newest that begins at or before the snapshot.
    fn tail(
        self,
        logs: &[Named],
        snapshot: Option<Zxid>,
        to: Option<Zxid>,
    ) -> Result<Tail, StorageError> {
        let from = start(logs, snapshot.unwrap_or(Zxid::ZERO));
        let mut tail = Tail {
            log: Vec::new(),
            last: snapshot.unwrap_or(Zxid::ZERO),
            cut: None,
        };
        // The last record that was read, and where a torn file before this one ends.
        let mut previous: Option<Zxid> = None;
        let mut torn: Option<(PathBuf, u64, Torn)> = None;
        for (index, named) in logs.iter().enumerate().skip(from) {
            let newest = index + 1 == logs.len();
            let input = self
                .files
                .read(&named.path)
                .map_err(StorageError::io("read", &named.path))?;
            let damaged = |why| StorageError::LogDamaged {
                path: named.path.clone(),
                why,
            };
            // What is at or before the snapshot needs no connection with the log before it: a leader's
            // snapshot may stand between them.
            let reached = previous.filter(|last| snapshot.is_none_or(|s| *last >= s));
            // Behind a torn log the rule is stricter, and the error is of that log.
            let must_follow = reached.filter(|_| torn.is_none());
            let limit = self.options.record_limit;
            let mut reader = LogReader::open(input, limit, must_follow).map_err(damaged)?;
            let mut first = true;
            let mut good = FILE_HEADER_BYTES as u64;
            for record in reader.by_ref() {
                let record = record.map_err(damaged)?;
                let zxid = record.txn.zxid();
                if first {
                    first = false;
                    let torn = torn.take();
                    if reached.is_some() || snapshot.is_none() {
                        check_torn(torn, reached, zxid)?;
                    }
                }
                if to.is_some_and(|to| zxid > to) {
                    tail.cut = Some(Cut {
                        path: named.path.clone(),
                        at: good,
                        why: None,
                        later: logs[index + 1..].iter().map(|l| l.path.clone()).collect(),
                    });
                    return Ok(tail);
                }
                // The first record behind the snapshot must follow it.
                if let Some(snapshot) = snapshot
                    && zxid > snapshot
                    && previous.is_none_or(|last| last < snapshot)
                    && !follows(snapshot, zxid)
                {
                    return Err(StorageError::Hole {
                        path: named.path.clone(),
                        previous: snapshot,
                        found: zxid,
                    });
                }
                previous = Some(zxid);
                good = record.end;
                tail.last = tail.last.max(zxid);
                tail.log.push(record.txn);
            }
            match reader.end() {
                Some(LogEnd::Torn { at, why }) if newest => {
                    tail.cut = Some(Cut {
                        path: named.path.clone(),
                        at,
                        why: Some(why),
                        later: Vec::new(),
                    });
                }
                Some(LogEnd::Torn { at, why }) => torn = Some((named.path.clone(), at, why)),
                Some(LogEnd::Clean { .. }) | None => {}
            }
        }
        Ok(tail)
    }

    /// Cuts a log, newer ones first: after every step there is a history without a hole.
    pub(super) fn cut(self, cut: &Cut) -> Result<(), StorageError> {
        let dir = self.dirs.logs();
        for later in cut.later.iter().rev() {
            self.remove(later)?;
            self.sync(&dir)?;
        }
        if cut.at <= FILE_HEADER_BYTES as u64 {
            self.remove(&cut.path)?;
            return self.sync(&dir);
        }
        let shorten = || -> io::Result<()> {
            let mut file = self.files.open(&cut.path)?;
            file.set_len(cut.at)?;
            file.sync()
        };
        shorten().map_err(StorageError::io("cut", &cut.path))
    }

    pub(super) fn remove(self, path: &std::path::Path) -> Result<(), StorageError> {
        self.files
            .remove(path)
            .map_err(StorageError::io("remove", path))
    }

    pub(super) fn sync(self, dir: &std::path::Path) -> Result<(), StorageError> {
        self.files
            .sync_dir(dir)
            .map_err(StorageError::io("sync", dir))
    }

    /// The rules of 3.8. `last` is the last zxid on disk.
    ///
    /// One state that Apache refuses is accepted: currentEpoch behind the log while acceptedEpoch is
    /// not. A server that is stopped between the transactions of a synchronisation and NEWLEADER is in
    /// it (ZOOKEEPER-4643): it has a part of the new history and votes as one that has the old one.
    pub(super) fn check_epochs(
        self,
        accepted: Option<Epoch>,
        current: &mut Option<Epoch>,
        last: Zxid,
        notices: &mut Vec<Notice>,
    ) -> Result<(), StorageError> {
        if let Some(epoch) = *current
            && last.epoch() > epoch
        {
            let name = format!("{}.tmp", super::dirs::CURRENT);
            // What was being written when the server stopped.
            let coming = self.dirs.read_epoch(self.files, &name).unwrap_or(None);
            match coming.filter(|coming| *coming >= last.epoch()) {
                Some(coming) => {
                    self.dirs
                        .write_epoch(self.files, super::dirs::CURRENT, coming)?;
                    *current = Some(coming);
                    notices.push(Notice::EpochAdopted { epoch: coming });
                }
                None if accepted.is_some_and(|accepted| accepted >= last.epoch()) => {
                    notices.push(Notice::EpochBehind {
                        current: epoch,
                        last,
                    });
                }
                None => {
                    return Err(StorageError::CurrentEpoch {
                        current: epoch,
                        last,
                    });
                }
            }
        }
        let default = last.epoch().max(Epoch(0));
        let (accepted, current) = (accepted.unwrap_or(default), current.unwrap_or(default));
        if accepted < current {
            return Err(StorageError::AcceptedEpoch { accepted, current });
        }
        Ok(())
    }
}

/// The newest log that begins at or before `zxid`; the first if all begin later.
pub(super) fn start(logs: &[Named], zxid: Zxid) -> usize {
    logs.iter()
        .rposition(|log| log.zxid <= zxid)
        .unwrap_or_default()
}

/// A log of Apache's may be torn and not the newest: it never cuts one, it begins a new file. If that
/// goes on with the very next transaction, nothing is missing.
fn check_torn(
    torn: Option<(PathBuf, u64, Torn)>,
    previous: Option<Zxid>,
    next: Zxid,
) -> Result<(), StorageError> {
    let Some((path, at, why)) = torn else {
        return Ok(());
    };
    let goes_on = previous.is_some_and(|last| last == next || last.next() == Some(next));
    if goes_on {
        Ok(())
    } else {
        Err(StorageError::TornInside { path, at, why })
    }
}

/// Whether the tree is the one that was written, at the zxid for which the file knows.
fn compare_digests(named: &Named, loaded: &Loaded, log: &[Arc<Txn>], notices: &mut Vec<Notice>) {
    let Some((zxid, expected)) = loaded.digest.filter(|(zxid, _)| *zxid >= named.zxid) else {
        return;
    };
    // A clone shares everything; only the window in which the file was written is replayed.
    let mut database = loaded.database.clone();
    for txn in log
        .iter()
        .filter(|txn| txn.zxid() > named.zxid && txn.zxid() <= zxid)
    {
        database.apply(txn);
    }
    let found = database.digest();
    if database.last_processed == zxid && found != expected {
        notices.push(Notice::DigestMismatch {
            path: named.path.clone(),
            zxid,
            expected,
            found,
        });
    }
}
