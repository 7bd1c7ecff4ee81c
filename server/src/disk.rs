//! The log thread: it owns the [`Storage`], takes what the node wants stored as it comes, and makes one
//! batch of all that has come meanwhile: one write, one fdatasync (group commit).

mod gather;
#[cfg(test)]
mod tests;

use crate::{
    config::{self, ServerConfig},
    members::MembersFiles,
    metrics::Metrics,
    node::{Fatal, Inbox},
    storage::{self, Compression, Dirs, Done, Options, Room, Storage},
};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use zabscope_core::{
    id::StorageSeq,
    log::Stored,
    peer::{input::InputKind, output::StorageOp},
    tree::{Database, TtlOwners},
};

pub use crate::storage::StorageError;
pub use gather::Sharing;

use gather::Gathered;

/// How often a quiet log thread looks whether a snapshot is finished.
const LOOK: Duration = Duration::from_secs(1);

/// What the node hands over: operations with their numbers.
pub type Work = Vec<(StorageSeq, StorageOp)>;

/// Opens the data directory, with what is worth telling about it told.
///
/// # Errors
/// [`StorageError`]: which file, where, and what can be done.
pub fn open(config: &ServerConfig) -> Result<(Storage, Stored), StorageError> {
    let kept = &config.storage;
    let kib = |n: u64| n.saturating_mul(1024);
    let dirs = dirs(config);
    let options = Options {
        record_limit: config.core.txn_limit(),
        ttls: TtlOwners::of(&config.core),
        pre_alloc_size: kib(kept.pre_alloc_kib),
        txn_log_size_limit: kept.txn_log_size_limit_kib.map(kib),
        force_sync: kept.force_sync,
        compression: compression(config),
        trust_empty_snapshot: kept.trust_empty_snapshot,
        db_autocreate: kept.db_autocreate,
        datadir_autocreate: kept.create_directories,
        snapshot_size_percent: config.core.snapshot_size_percent.unwrap_or(0),
        last_zxid: kept.serialize_last_processed_zxid,
    };
    let (mut storage, stored) = storage::open(&dirs, &options)?;
    tell(&mut storage);
    Ok((storage, stored))
}

fn dirs(config: &ServerConfig) -> Dirs {
    let kept = &config.storage;
    let separate = (kept.data_log_dir != kept.data_dir).then(|| kept.data_log_dir.clone());
    Dirs::new(&kept.data_dir, separate)
}

fn compression(config: &ServerConfig) -> Compression {
    match config.storage.compression {
        config::Compression::None => Compression::Checked,
        config::Compression::Gzip => Compression::Gzip,
        config::Compression::Snappy => Compression::Snappy,
    }
}

/// Makes room on the disk for a tree that is to take the place of this server's.
///
/// # Errors
/// [`StorageError`]: there is none; nothing of it is left.
pub fn make_room(config: &ServerConfig, database: &Database) -> Result<Room, StorageError> {
    Room::make(&dirs(config), compression(config), database)
}

fn tell(storage: &mut Storage) {
    for notice in storage.take_notices() {
        tracing::info!("{notice}");
    }
}

/// The thread.
#[derive(Debug)]
pub struct LogThread {
    work: mpsc::Sender<Work>,
    thread: JoinHandle<Result<(), Fatal>>,
}

/// What the thread goes by.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// An fsync that takes longer is warned about (`fsync.warningthresholdms`).
    pub slow: Duration,
    /// How often old files are removed, and how many snapshots stay (`autopurge.`).
    pub purge: Option<(Duration, usize)>,
    /// Which transactions share an fsync.
    pub sharing: Sharing,
}

impl Habits {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &ServerConfig) -> Habits {
        let kept = &config.storage;
        Habits {
            slow: kept.fsync_warning,
            purge: kept
                .purge_interval
                .map(|every| (every, kept.snap_retain_count)),
            sharing: Sharing::of(kept),
        }
    }
}

impl LogThread {
    /// Starts it. What it has done it tells the node; when the disk fails it tells that, and ends.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        storage: Storage,
        habits: Habits,
        members: Option<MembersFiles>,
        metrics: Arc<Metrics>,
        inbox: mpsc::Sender<Inbox>,
    ) -> io::Result<LogThread> {
        let (work, received) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("zabscope-log".into())
            .spawn(move || {
                run(
                    storage,
                    habits,
                    members.as_ref(),
                    &metrics,
                    &received,
                    &inbox,
                )
            })?;
        Ok(LogThread { work, thread })
    }

    /// Where the node hands over its work. When all of these are gone, the thread ends.
    #[must_use]
    pub fn sender(&self) -> mpsc::Sender<Work> {
        self.work.clone()
    }

    /// Waits for its end: all that it was given is written.
    ///
    /// # Errors
    /// The disk failed.
    pub fn join(self) -> Result<(), Fatal> {
        drop(self.work);
        self.thread.join().unwrap_or(Err(Fatal::Thread("log")))
    }
}

fn run(
    mut storage: Storage,
    habits: Habits,
    members: Option<&MembersFiles>,
    metrics: &Metrics,
    work: &mpsc::Receiver<Work>,
    inbox: &mpsc::Sender<Inbox>,
) -> Result<(), Fatal> {
    // As Apache does, the first time soon after the start.
    let mut purge_at = habits.purge.map(|_| Instant::now());
    let mut gathered = Gathered::new(habits.sharing);
    loop {
        match work.recv_timeout(if gathered.is_empty() {
            LOOK
        } else {
            Duration::ZERO
        }) {
            Ok(first) => gathered.add(first),
            // The last batch left something over.
            Err(_) if !gathered.is_empty() => {}
            Err(RecvTimeoutError::Timeout) => {
                tell(&mut storage);
                measure(&mut storage, metrics);
                if let (Some((every, retain)), Some(at)) = (habits.purge, purge_at)
                    && Instant::now() >= at
                {
                    purge(&mut storage, retain);
                    purge_at = Some(Instant::now() + every);
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        gathered.wait(work);
        let batch = gathered.take();
        let newest = batch.iter().rev().find_map(|(_, op)| match op {
            StorageOp::Members(text) => Some(Arc::clone(text)),
            _ => None,
        });
        if let (Some(files), Some(text)) = (members, newest) {
            files.hold(&text);
        }
        let operations = batch.len();
        let began = Instant::now();
        let done = match storage.apply(batch) {
            Ok(done) => done,
            Err(error) => {
                tell(&mut storage);
                let why = error.to_string();
                // The node may be gone already: then whoever joins hears of it.
                let _ = inbox.send(Inbox::Failed(Fatal::Disk(why.clone())));
                return Err(Fatal::Disk(why));
            }
        };
        gathered.written();
        let took = began.elapsed();
        if took > habits.slow {
            tracing::warn!(
                "the disk took {} ms for {operations} operations; a slow disk makes all writes slow (fsync.warningthresholdms)",
                took.as_millis()
            );
        }
        tell(&mut storage);
        measure(&mut storage, metrics);
        for done in done {
            let input = match done {
                Done::Durable(seq) => InputKind::Durable(seq),
                Done::Truncated(stored) => InputKind::Truncated(stored),
                Done::LogRead { conn, read } => InputKind::LogRead { conn, read },
            };
            if inbox.send(Inbox::Peer(input)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What the files took goes into the metrics.
fn measure(storage: &mut Storage, metrics: &Metrics) {
    let timings = storage.take_timings();
    for (all, to) in [
        (timings.syncs, &metrics.fsynctime),
        (timings.flushes, &metrics.sync_processor_queue_flush_time_ms),
        (timings.snapshots, &metrics.snapshottime),
    ] {
        for took in all {
            to.add_time(took);
        }
    }
}

fn purge(storage: &mut Storage, retain: usize) {
    match storage.purge(retain) {
        Ok(removed) => {
            for path in removed {
                tracing::info!("{}: removed (autopurge)", path.display());
            }
        }
        // Old files that stay do no harm.
        Err(error) => tracing::warn!(%error, "old files were not removed"),
    }
}
