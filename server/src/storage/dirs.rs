//! Which files there are and what they are called (ZooKeeper.md 4.1), the epochs (3.8), myid.

use super::{
    error::StorageError,
    files::{Files, Lock, write_all_at},
};
use std::{
    io::Read,
    path::{Path, PathBuf},
};
use zabscope_core::id::{Epoch, ServerId, Zxid};

const VERSION: &str = "version-2";
const LOCK: &str = "zabscope.lock";
/// In dataLogDir: this server may begin with nothing (4.8).
const INITIALIZE: &str = "initialize";
const MY_ID: &str = "myid";
pub(super) const ACCEPTED: &str = "acceptedEpoch";
pub(super) const CURRENT: &str = "currentEpoch";
/// What is being written; whoever finds it removes it. Not `snapshot.…`, which Apache would load.
pub(super) const TEMPORARY: &str = "tmp.";
/// A leader's snapshot that is whole and not yet in its place, see `Storage::install`.
pub(super) const INSTALL: &str = "install";
/// Transactions are being logged on nothing: until an epoch is sealed behind them this server has no say
/// (4.8).
const UNINITIALISED: &str = "uninitialised";
/// No number of ours is longer.
const MAX_NUMBER: u64 = 64;

/// Where a server's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    data: PathBuf,
    log: PathBuf,
}

/// How snapshots are compressed (`snapshot.compression.method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    Checked,
    /// `.gz`
    Gzip,
    /// `.snappy`
    Snappy,
}

impl Compression {
    fn suffix(self) -> &'static str {
        match self {
            Compression::Checked => "",
            Compression::Gzip => ".gz",
            Compression::Snappy => ".snappy",
        }
    }
}

/// A snapshot's or log's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) zxid: Zxid,
    pub(super) path: PathBuf,
    pub(super) compression: Compression,
}

impl Dirs {
    /// `dataDir`, and `dataLogDir` if the logs have their own.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, data_log_dir: Option<PathBuf>) -> Dirs {
        let data = data_dir.into();
        Dirs {
            log: data_log_dir.unwrap_or_else(|| data.clone()),
            data,
        }
    }

    /// Where snapshots and epochs are.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.data.join(VERSION)
    }

    /// Where logs are.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.log.join(VERSION)
    }

    /// Reads `myid`.
    ///
    /// # Errors
    /// [`StorageError`] when it is not there or holds no number from 1 to 255.
    pub fn my_id(&self, files: &dyn Files) -> Result<ServerId, StorageError> {
        let path = self.data.join(MY_ID);
        let what = "server id from 1 to 255";
        match read_number(files, &path, what)? {
            Some(id @ 1..=255) => Ok(ServerId(id)),
            Some(id) => Err(StorageError::Text {
                path,
                what,
                text: id.to_string(),
            }),
            None => Err(StorageError::io("read", path)(
                std::io::ErrorKind::NotFound.into(),
            )),
        }
    }

    /// Makes the directories, or says which is missing; locks them; refuses a log among the
    /// snapshots and the other way round.
    pub(super) fn prepare(
        &self,
        files: &dyn Files,
        autocreate: bool,
    ) -> Result<Vec<Lock>, StorageError> {
        let mut roots = vec![&self.data];
        if self.log != self.data {
            roots.push(&self.log);
        }
        let mut locks = Vec::new();
        for root in roots {
            let dir = root.join(VERSION);
            let there = files.exists(&dir).map_err(StorageError::io("see", &dir))?;
            if !there && !autocreate {
                return Err(StorageError::NoDirectory { path: dir });
            }
            files
                .make_dirs(&dir)
                .map_err(StorageError::io("make", &dir))?;
            let path = root.join(LOCK);
            match files.lock(&path).map_err(StorageError::io("lock", &path))? {
                Some(lock) => locks.push(lock),
                None => return Err(StorageError::Locked { path }),
            }
        }
        if self.log != self.data {
            let named = |dir: PathBuf, prefix: &str| -> Result<_, StorageError> {
                let names = list(files, &dir)?;
                let name = names.into_iter().find(|n| parse(n, prefix).is_some());
                Ok((dir, name))
            };
            if let (dir, Some(name)) = named(self.logs(), "snapshot")? {
                return Err(StorageError::SnapshotInLogDir { dir, name });
            }
            if let (dir, Some(name)) = named(self.snapshots(), "log")? {
                return Err(StorageError::LogInSnapshotDir { dir, name });
            }
        }
        Ok(locks)
    }

    /// Takes the marker `initialize` away; whether it was there.
    pub(super) fn take_initialize(&self, files: &dyn Files) -> Result<bool, StorageError> {
        let path = self.log.join(INITIALIZE);
        let there = files
            .exists(&path)
            .map_err(StorageError::io("see", &path))?;
        if there {
            files
                .remove(&path)
                .map_err(StorageError::io("remove", &path))?;
        }
        Ok(there)
    }

    /// Whether the history here counts for nothing yet.
    pub(super) fn is_uninitialised(&self, files: &dyn Files) -> Result<bool, StorageError> {
        let path = self.snapshots().join(UNINITIALISED);
        files.exists(&path).map_err(StorageError::io("see", &path))
    }

    /// Says on disk whether the history here counts.
    pub(super) fn set_uninitialised(
        &self,
        files: &dyn Files,
        uninitialised: bool,
    ) -> Result<(), StorageError> {
        let dir = self.snapshots();
        let path = dir.join(UNINITIALISED);
        let change = || {
            if uninitialised {
                files.create(&path, false)?.sync()?;
            } else if files.exists(&path)? {
                files.remove(&path)?;
            } else {
                return Ok(());
            }
            files.sync_dir(&dir)
        };
        change().map_err(StorageError::io("mark", &path))
    }

    pub(super) fn log_path(&self, first: Zxid) -> PathBuf {
        self.logs().join(format!("log.{:x}", first.0))
    }

    pub(super) fn snapshot_path(&self, zxid: Zxid, compression: Compression) -> PathBuf {
        let suffix = compression.suffix();
        self.snapshots()
            .join(format!("snapshot.{:x}{suffix}", zxid.0))
    }

    pub(super) fn install_path(&self, zxid: Zxid, compression: Compression) -> PathBuf {
        let suffix = compression.suffix();
        self.snapshots()
            .join(format!("{INSTALL}.{:x}{suffix}", zxid.0))
    }

    pub(super) fn temporary_path(&self, zxid: Zxid) -> PathBuf {
        self.snapshots()
            .join(format!("{TEMPORARY}snapshot.{:x}", zxid.0))
    }

    /// Room that is kept for a tree which an operator restores, see [`super::room`].
    pub(super) fn room_path(&self) -> PathBuf {
        self.snapshots().join(format!("{TEMPORARY}room"))
    }

    /// The same while it is being made.
    pub(super) fn unfinished_room_path(&self) -> PathBuf {
        self.snapshots().join(format!("{TEMPORARY}room.unfinished"))
    }

    /// The logs, oldest first.
    pub(super) fn list_logs(&self, files: &dyn Files) -> Result<Vec<Named>, StorageError> {
        let mut logs = named(files, &self.logs(), "log")?;
        logs.retain(|log| log.compression == Compression::Checked);
        Ok(logs)
    }

    /// The snapshots, oldest first.
    pub(super) fn list_snapshots(&self, files: &dyn Files) -> Result<Vec<Named>, StorageError> {
        named(files, &self.snapshots(), "snapshot")
    }

    /// Snapshots of a leader's that are not in their place.
    pub(super) fn list_installs(&self, files: &dyn Files) -> Result<Vec<Named>, StorageError> {
        named(files, &self.snapshots(), INSTALL)
    }

    pub(super) fn read_epoch(
        &self,
        files: &dyn Files,
        name: &str,
    ) -> Result<Option<Epoch>, StorageError> {
        let path = self.snapshots().join(name);
        Ok(read_number(files, &path, "epoch")?.map(Epoch))
    }

    /// Written beside, synced, renamed, the directory synced: either the old number or the new one is
    /// there at any time.
    pub(super) fn write_epoch(
        &self,
        files: &dyn Files,
        name: &str,
        epoch: Epoch,
    ) -> Result<(), StorageError> {
        let dir = self.snapshots();
        let (path, temporary) = (dir.join(name), dir.join(format!("{name}.tmp")));
        let mut file = files
            .create(&temporary, false)
            .map_err(StorageError::io("make", &temporary))?;
        write_all_at(&mut *file, 0, epoch.to_string().as_bytes())
            .map_err(StorageError::io("write", &temporary))?;
        file.sync().map_err(StorageError::io("sync", &temporary))?;
        files
            .rename(&temporary, &path)
            .map_err(StorageError::io("rename", &temporary))?;
        files.sync_dir(&dir).map_err(StorageError::io("sync", &dir))
    }
}

pub(super) fn list(files: &dyn Files, dir: &Path) -> Result<Vec<String>, StorageError> {
    files.list(dir).map_err(StorageError::io("list", dir))
}

/// `log.1f`, `snapshot.0.gz`.
fn parse(name: &str, prefix: &str) -> Option<(Zxid, Compression)> {
    let rest = name.strip_prefix(prefix)?.strip_prefix('.')?;
    let (hex, compression) = [Compression::Gzip, Compression::Snappy]
        .into_iter()
        .find_map(|c| Some((rest.strip_suffix(c.suffix())?, c)))
        .unwrap_or((rest, Compression::Checked));
    let digits = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let zxid = digits
        .then(|| i64::from_str_radix(hex, 16).ok())
        .flatten()?;
    Some((Zxid(zxid), compression))
}

fn named(files: &dyn Files, dir: &Path, prefix: &str) -> Result<Vec<Named>, StorageError> {
    let mut all: Vec<Named> = list(files, dir)?
        .into_iter()
        .filter_map(|name| {
            let (zxid, compression) = parse(&name, prefix)?;
            Some(Named {
                zxid,
                path: dir.join(name),
                compression,
            })
        })
        .collect();
    // As numbers: 9 comes before 10.
    all.sort_by(|a, b| (a.zxid, &a.path).cmp(&(b.zxid, &b.path)));
    Ok(all)
}

fn read_number(
    files: &dyn Files,
    path: &Path,
    what: &'static str,
) -> Result<Option<i64>, StorageError> {
    let input = match files.read(path) {
        Ok(input) => input,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StorageError::io("read", path)(error)),
    };
    let mut bytes = Vec::new();
    input
        .take(MAX_NUMBER)
        .read_to_end(&mut bytes)
        .map_err(StorageError::io("read", path))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match text.lines().next().unwrap_or_default().trim().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(StorageError::Text {
            path: path.to_owned(),
            what,
            text,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_numbers_and_others_ignored() {
        for (name, prefix, expected) in [
            ("log.1f", "log", Some((0x1f, Compression::Checked))),
            (
                "log.100000001",
                "log",
                Some((0x1_0000_0001, Compression::Checked)),
            ),
            ("snapshot.0.gz", "snapshot", Some((0, Compression::Gzip))),
            (
                "snapshot.a.snappy",
                "snapshot",
                Some((10, Compression::Snappy)),
            ),
            ("snapshot.a.tmp", "snapshot", None),
            ("snapshot.", "snapshot", None),
            ("snapshot.-1", "snapshot", None),
            ("snapshot.+1", "snapshot", None),
            ("snapshot.fffffffffffffffff", "snapshot", None),
            ("tmp.snapshot.1", "snapshot", None),
            ("logs.1", "log", None),
        ] {
            let expected = expected.map(|(zxid, c)| (Zxid(zxid), c));
            assert_eq!(parse(name, prefix), expected, "{name}");
        }
    }
}
