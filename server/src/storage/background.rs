//! Snapshots: the leader's, which replaces everything, and our own, written in the background.

use super::{
    Storage,
    dirs::Named,
    error::{Notice, StorageError},
    files::Output,
    snapshots,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use zabscope_core::tree::Database;

/// A snapshot that is being written in the background.
#[derive(Debug)]
pub(super) struct Worker {
    thread: JoinHandle<io::Result<(u64, Duration)>>,
    cancel: Arc<AtomicBool>,
    path: PathBuf,
    temporary: PathBuf,
}

impl Storage {
    pub(super) fn install(&mut self, database: &Arc<Database>) -> Result<(), StorageError> {
        self.roll()?;
        self.stop_worker();
        let zxid = database.last_processed;
        let compression = self.options.compression;
        let temporary = self.dirs.temporary_path(zxid);
        let install = self.dirs.install_path(zxid, compression);
        let began = Instant::now();
        let kind = (self.options.form(), compression);
        let file = self
            .empty_or_with_room(&temporary)
            .map_err(StorageError::io("make", &temporary))?;
        self.snapshot_bytes = snapshots::write_over(file, database, kind)
            .map_err(StorageError::io("write", &temporary))?;
        snapshots::publish(&*self.files, &self.dirs, &temporary, &install)
            .map_err(StorageError::io("rename", &temporary))?;
        self.place().finish_install(&Named {
            zxid,
            path: install,
            compression,
        })?;
        self.timings.snapshots.push(began.elapsed());
        self.last = zxid;
        self.detached = false;
        Ok(())
    }

    /// A file of this name: the one that keeps the room on the disk, if that was made.
    fn empty_or_with_room(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let room = self.dirs.room_path();
        match self.files.rename(&room, path) {
            Ok(()) => self.files.open(path),
            Err(_) => self.files.create(path, false),
        }
    }

    pub(super) fn snapshot(&mut self, database: Arc<Database>) -> Result<(), StorageError> {
        self.roll()?;
        if self.detached {
            // As good as the leader's: nothing here may contradict it.
            return self.install(&database);
        }
        self.waiting = Some(database);
        self.start_worker();
        Ok(())
    }

    fn start_worker(&mut self) {
        if self.worker.is_some() {
            return;
        }
        let Some(database) = self.waiting.take() else {
            return;
        };
        let zxid = database.last_processed;
        let compression = self.options.compression;
        let path = self.dirs.snapshot_path(zxid, compression);
        let temporary = self.dirs.temporary_path(zxid);
        let kind = (self.options.form(), compression);
        let cancel = Arc::new(AtomicBool::new(false));
        let files = Arc::clone(&self.files);
        let (to, flag) = (temporary.clone(), Arc::clone(&cancel));
        let spawned = std::thread::Builder::new()
            .name("snapshot".into())
            .spawn(move || {
                let began = Instant::now();
                snapshots::write(&*files, &to, &database, kind, &flag)
                    .map(|bytes| (bytes, began.elapsed()))
            });
        match spawned {
            Ok(thread) => {
                self.worker = Some(Worker {
                    thread,
                    cancel,
                    path,
                    temporary,
                });
            }
            Err(error) => self.notices.push(Notice::SnapshotFailed { path, error }),
        }
    }

    /// Puts a snapshot that is ready in its place, and begins the next.
    pub(super) fn poll_worker(&mut self) {
        if self.worker.as_ref().is_some_and(|w| w.thread.is_finished()) {
            self.join_worker();
        }
        self.start_worker();
    }

    /// Waits until no snapshot is being written.
    pub fn finish_snapshots(&mut self) {
        while self.failed.is_none() && (self.worker.is_some() || self.waiting.is_some()) {
            self.start_worker();
            self.join_worker();
        }
    }

    fn join_worker(&mut self) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        let written = worker
            .thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that wrote it panicked")))
            .and_then(|written| {
                snapshots::publish(&*self.files, &self.dirs, &worker.temporary, &worker.path)?;
                Ok(written)
            });
        match written {
            Ok((bytes, took)) => {
                self.snapshot_bytes = bytes;
                self.timings.snapshots.push(took);
                self.notices.push(Notice::SnapshotWritten {
                    path: worker.path,
                    bytes,
                });
            }
            // The log holds everything, so this stops nobody; what was begun makes room.
            Err(error) => {
                self.remove_quietly(&worker.temporary);
                self.notices.push(Notice::SnapshotFailed {
                    path: worker.path,
                    error,
                });
            }
        }
    }

    /// The tree of which a snapshot is being written counts no more.
    pub(super) fn stop_worker(&mut self) {
        self.waiting = None;
        let Some(worker) = self.worker.take() else {
            return;
        };
        worker.cancel.store(true, Ordering::Relaxed);
        // Whatever became of it: the file goes.
        let _ = worker.thread.join();
        self.remove_quietly(&worker.temporary);
    }

    /// A temporary file that can't be removed goes at the next start.
    fn remove_quietly(&self, path: &Path) {
        let _ = self.files.remove(path);
    }
}
