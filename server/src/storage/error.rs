//! What can go wrong with files: what happened, where, and what one can do.

use std::{fmt, io, path::PathBuf};
use zabscope_core::{
    id::{Epoch, Zxid},
    wire::{snapshot::SnapshotError, txnlog},
};

/// What an operator can do about damage.
const CHOICES: &str = "Choices: (1) if the other servers of the ensemble are whole, move version-2 of \
     dataDir and dataLogDir away and start this server empty with \
     zookeeper.db.autocreate=false, so that it has no vote until the leader has given it everything; \
     (2) restore both directories from one backup";

/// Why the files can't be used, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The system refused.
    #[error("can't {what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process uses the directory.
    #[error("{} is locked: another server uses this directory; stop it, or give this one its own", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// It should be there and is not.
    #[error("there is no directory {}, and zookeeper.datadir.autocreate is false: make it, or correct dataDir and dataLogDir", path.display())]
    NoDirectory {
        /// Which.
        path: PathBuf,
    },
    /// Nobody's data directory.
    #[error("{} holds no version-2: name the dataDir of a server, and its dataLogDir if it has one", path.display())]
    NoServersDirectory {
        /// Which.
        path: PathBuf,
    },
    /// dataLogDir holds a snapshot (ZOOKEEPER-2967).
    #[error("log directory {} has snapshot file {name}: check dataDir and dataLogDir", dir.display())]
    SnapshotInLogDir {
        /// The log directory.
        dir: PathBuf,
        /// The file.
        name: String,
    },
    /// dataDir holds a log (ZOOKEEPER-2967).
    #[error("snapshot directory {} has log file {name}: check dataDir and dataLogDir", dir.display())]
    LogInSnapshotDir {
        /// The snapshot directory.
        dir: PathBuf,
        /// The file.
        name: String,
    },
    /// Logs without anything that they could be applied to.
    #[error("no snapshot found, but there are log entries ({}): something is broken. {CHOICES}; (3) if these logs begin with the first transaction there ever was, as those of 3.4 may, start once with zookeeper.snapshot.trust.empty=true", log.display())]
    NoSnapshot {
        /// The first log.
        log: PathBuf,
    },
    /// A snapshot can't be loaded, and what is older does not reach as far.
    #[error("{} can't be loaded ({why}), and older snapshots with the logs after them reach only to {reached}. {CHOICES}", path.display())]
    SnapshotLost {
        /// The snapshot.
        path: PathBuf,
        /// Why it can't be loaded.
        why: BadSnapshot,
        /// How far the rest reaches.
        reached: Zxid,
    },
    /// A log is damaged.
    #[error("{}: {why}. Nothing was changed. {CHOICES}", path.display())]
    LogDamaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        why: txnlog::LogError,
    },
    /// A log is not whole and not the newest.
    #[error("{}: at byte {at}: {why}, though there are newer logs that do not go on from there: a part of the history is missing. Nothing was changed. {CHOICES}", path.display())]
    TornInside {
        /// The file.
        path: PathBuf,
        /// Where its last whole record ends.
        at: u64,
        /// What follows.
        why: txnlog::Torn,
    },
    /// Between the snapshot and the log there is a hole.
    #[error("{}: begins with transaction {found}, but what comes before ends with {previous}: a part of the history is missing. Nothing was changed. {CHOICES}", path.display())]
    Hole {
        /// The log.
        path: PathBuf,
        /// What comes before.
        previous: Zxid,
        /// Its first transaction that is not in the snapshot.
        found: Zxid,
    },
    /// A file of ours holds something else.
    #[error("{} holds {text:?}, which is no {what}: write the right number into it", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What should stand there.
        what: &'static str,
        /// What stands there.
        text: String,
    },
    /// currentEpoch is behind the log.
    #[error(
        "currentEpoch is {current}, but the last transaction on disk is {last}: an old file was restored, or a new one lost. {CHOICES}"
    )]
    CurrentEpoch {
        /// The file.
        current: Epoch,
        /// The last zxid.
        last: Zxid,
    },
    /// acceptedEpoch is behind currentEpoch.
    #[error(
        "acceptedEpoch is {accepted}, less than currentEpoch, which is {current}: an old file was restored. {CHOICES}"
    )]
    AcceptedEpoch {
        /// The one file.
        accepted: Epoch,
        /// The other.
        current: Epoch,
    },
    /// A transaction was to be appended where it can't follow: a log of which nothing could be loaded.
    #[error("transaction {found} can't be logged after {previous}")]
    Order {
        /// The last one.
        previous: Zxid,
        /// This one.
        found: Zxid,
    },
    /// After an error nothing is written any more: nobody knows what is on disk.
    #[error("nothing is written since an earlier error: {0}")]
    Failed(String),
}

impl StorageError {
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> StorageError {
        let path = path.into();
        move |error| StorageError::Io { what, path, error }
    }
}

/// Why a snapshot can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum BadSnapshot {
    /// It was not written to its end.
    #[error("it was not written to its end")]
    Unfinished,
    /// Its bytes are wrong.
    #[error(transparent)]
    Bytes(#[from] SnapshotError),
    /// It can't be read, or not be decompressed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What is worth a line in the server's log.
#[derive(Debug)]
pub enum Notice {
    /// What a power failure left of a write that nobody was told of was cut away.
    TailCut {
        /// The log.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What was there.
        why: txnlog::Torn,
    },
    /// The newest log held no transaction (ZOOKEEPER-2332).
    EmptyLogRemoved {
        /// Which.
        path: PathBuf,
    },
    /// What was left of an interrupted operation was removed.
    LeftoverRemoved {
        /// Which.
        path: PathBuf,
    },
    /// The leader's snapshot had been written when the server stopped; it was put in its place.
    InstallFinished {
        /// Up to where it reaches.
        zxid: Zxid,
    },
    /// A snapshot could not be loaded; an older one was, and the logs reach far enough.
    SnapshotSkipped {
        /// Which.
        path: PathBuf,
        /// Why.
        why: BadSnapshot,
    },
    /// The server was stopped in the middle of a synchronisation.
    EpochBehind {
        /// File currentEpoch.
        current: Epoch,
        /// The last zxid on disk.
        last: Zxid,
    },
    /// currentEpoch was taken from the file that was about to replace it.
    EpochAdopted {
        /// It.
        epoch: Epoch,
    },
    /// A snapshot's tree is not the one that was written (4.7); never fatal.
    DigestMismatch {
        /// The snapshot.
        path: PathBuf,
        /// At which zxid.
        zxid: Zxid,
        /// What the file says.
        expected: u64,
        /// What its tree has.
        found: u64,
    },
    /// A snapshot was written.
    SnapshotWritten {
        /// Which.
        path: PathBuf,
        /// How long the file is.
        bytes: u64,
    },
    /// A snapshot could not be written. The log still holds everything.
    SnapshotFailed {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log could not be read for a learner, which gets a snapshot instead.
    LogUnreadable {
        /// Why.
        why: String,
    },
    /// The log could not be cut so far back: the snapshots from before are gone. It stays as it is
    /// until the leader's tree replaces it.
    CannotTruncate {
        /// To where.
        to: Zxid,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::TailCut { path, at, why } => write!(
                f,
                "{}: cut at byte {at}: {why}; nobody was told that it is on disk",
                path.display()
            ),
            Notice::EmptyLogRemoved { path } => {
                write!(f, "{}: removed, it holds no transaction", path.display())
            }
            Notice::LeftoverRemoved { path } => {
                write!(f, "{}: removed, it was not finished", path.display())
            }
            Notice::InstallFinished { zxid } => write!(
                f,
                "the leader's snapshot {zxid} was put in its place; what was here before is gone"
            ),
            Notice::SnapshotSkipped { path, why } => write!(
                f,
                "{} can't be loaded ({why}); an older one and the logs after it hold the same",
                path.display()
            ),
            Notice::EpochBehind { current, last } => write!(
                f,
                "currentEpoch is {current} and the last transaction {last}: stopped in the middle of a synchronisation"
            ),
            Notice::EpochAdopted { epoch } => {
                write!(f, "currentEpoch {epoch} adopted from currentEpoch.tmp")
            }
            Notice::DigestMismatch {
                path,
                zxid,
                expected,
                found,
            } => write!(
                f,
                "{}: at {zxid} the digest is {found:#x}, but the file says {expected:#x}",
                path.display()
            ),
            Notice::SnapshotWritten { path, bytes } => {
                write!(f, "{}: written, {bytes} bytes", path.display())
            }
            Notice::SnapshotFailed { path, error } => write!(
                f,
                "{} could not be written: {error}; the log still holds everything",
                path.display()
            ),
            Notice::LogUnreadable { why } => {
                write!(f, "the log can't be read for a learner: {why}")
            }
            Notice::CannotTruncate { to } => write!(
                f,
                "the log can't be cut back to {to}: no snapshot from before is left; waiting for the leader's"
            ),
        }
    }
}
