//! Looking at a running server from outside its node: what the four-letter words, the admin service and
//! Prometheus share.

use crate::{
    config::{Ensemble, Listen, Mode, ServerConfig},
    metrics::{FileDescriptors, Metrics, PeerReport, Report},
    node::{Inbox, View},
    stats::{Roster, ServerStats},
};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
        mpsc as std_mpsc,
    },
    time::Duration,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{Semaphore, mpsc, oneshot},
    time::timeout,
};
use zabscope_core::{id::Zxid, peer::CannotRestore, tree::Database};

/// How long the node may take to answer a question.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a reader may take for one piece of a long answer.
const READ: Duration = Duration::from_secs(30);
/// So many long answers are written at a time; others wait.
const LONG_ANSWERS: usize = 4;
/// About how large the pieces of a long answer are.
const PIECE: usize = 64 * 1024;
/// The trace mask that ZooKeeper begins with: requests, packets of servers, sessions, warnings.
const TRACE_MASK: i64 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8;

/// What an answer is made from.
pub struct Inspector {
    inbox: std_mpsc::Sender<Inbox>,
    /// The server's counters.
    pub stats: Arc<ServerStats>,
    /// Who is connected.
    pub roster: Arc<Roster>,
    /// Everything else that is counted.
    pub metrics: Arc<Metrics>,
    /// As it was started.
    pub config: Arc<ServerConfig>,
    /// Where clients come in.
    pub client_addresses: (Option<SocketAddr>, Option<SocketAddr>),
    /// ZooKeeper's switch of trace messages; kept and shown, nothing here reads it.
    trace_mask: AtomicI64,
    long_answers: Arc<Semaphore>,
}

impl Inspector {
    /// Of a server with this inbox.
    #[must_use]
    pub fn new(
        inbox: std_mpsc::Sender<Inbox>,
        stats: Arc<ServerStats>,
        roster: Arc<Roster>,
        metrics: Arc<Metrics>,
        config: Arc<ServerConfig>,
        client_addresses: (Option<SocketAddr>, Option<SocketAddr>),
    ) -> Inspector {
        Inspector {
            inbox,
            stats,
            roster,
            metrics,
            config,
            client_addresses,
            trace_mask: AtomicI64::new(TRACE_MASK),
            long_answers: Arc::new(Semaphore::new(LONG_ANSWERS)),
        }
    }

    /// Looks at the node on its own thread; `None` if it does not answer in time. What is large there is
    /// shared and cheap to clone: the look takes it along and works on it elsewhere.
    pub async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = oneshot::channel();
        let question = Inbox::Ask(Box::new(move |view| {
            let _ = answer.send(look(view));
        }));
        self.inbox.send(question).ok()?;
        timeout(ANSWER, wait).await.ok()?.ok()
    }

    /// Hands a snapshot to the node, and waits until it has taken the tree's place, on disk too.
    pub async fn restore(&self, database: Arc<Database>) -> Restored {
        let (answer, wait) = oneshot::channel();
        if self
            .inbox
            .send(Inbox::Restore { database, answer })
            .is_err()
        {
            return Restored::Unknown;
        }
        // However long the disk takes: an answer that is not waited for helps nobody.
        match wait.await {
            Ok(Ok(zxid)) => Restored::At(zxid),
            Ok(Err(why)) => Restored::Not(why),
            Err(_) => Restored::Unknown,
        }
    }

    /// The members that hold now; where they can't change, as it was started.
    pub async fn members(&self) -> Option<Ensemble> {
        let text = self
            .ask(|view| view.peer.config().members_text.clone())
            .await?;
        let read = text.and_then(|text| Ensemble::parse_text(&text).ok());
        Some(read.unwrap_or_else(|| self.config.ensemble.clone()))
    }

    /// All metrics.
    pub async fn report(&self) -> Option<Report> {
        let metrics = Arc::clone(&self.metrics);
        let peer = self.ask(move |view| PeerReport::of(view, &metrics)).await?;
        let files = tokio::task::spawn_blocking(FileDescriptors::read).await;
        Some(Report::new(
            peer,
            files.unwrap_or_default(),
            &self.stats,
            &self.roster,
            &self.metrics,
        ))
    }

    /// `srst`: the server's statistics and all metrics begin anew.
    pub fn reset(&self) {
        self.stats.reset();
        self.metrics.reset();
    }

    /// `crst`: every connection's statistics begin anew.
    pub fn reset_connections(&self) {
        for connection in self.roster.all() {
            connection.reset();
        }
    }

    /// The trace mask.
    #[must_use]
    pub fn trace_mask(&self) -> i64 {
        self.trace_mask.load(Relaxed)
    }

    /// Sets the trace mask.
    pub fn set_trace_mask(&self, mask: i64) {
        self.trace_mask.store(mask, Relaxed);
    }

    /// Where snapshots are.
    #[must_use]
    pub fn snapshot_dir(&self) -> PathBuf {
        version_2(&self.config.storage.data_dir)
    }

    /// Where logs are.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        version_2(&self.config.storage.data_log_dir)
    }

    /// The bytes of all files with snapshots, and of all with logs.
    pub async fn directory_sizes(&self) -> (u64, u64) {
        let (snapshots, logs) = (self.snapshot_dir(), self.log_dir());
        tokio::task::spawn_blocking(move || (size_of(&snapshots), size_of(&logs)))
            .await
            .unwrap_or_default()
    }

    /// `serverId`: 0 for a server on its own.
    #[must_use]
    pub fn server_id(&self) -> i64 {
        match self.config.mode {
            Mode::Standalone => 0,
            Mode::Quorum => self.config.core.my_id.0,
        }
    }

    /// The client port; -1 without one. With TLS: the other one.
    #[must_use]
    pub fn client_port(&self, tls: bool) -> i64 {
        let port = |listen: &Listen| i64::from(listen.port);
        let clients = &self.config.clients;
        let (bound, said) = match tls {
            false => (self.client_addresses.0, &clients.listen),
            true => (self.client_addresses.1, &clients.secure),
        };
        let bound = bound.map(|at| i64::from(at.port()));
        bound.unwrap_or_else(|| said.as_ref().map_or(-1, port))
    }

    /// Writes a long answer to `out` piece by piece, as it is made on a thread of its own: it is never
    /// in memory as a whole.
    ///
    /// # Errors
    /// The reader is gone, or takes nothing for half a minute.
    pub async fn write_long<W: AsyncWrite + Unpin>(&self, job: Job, out: &mut W) -> io::Result<()> {
        let _permit = self
            .long_answers
            .acquire()
            .await
            .map_err(io::Error::other)?;
        let (sender, mut pieces) = mpsc::channel(2);
        let maker = tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces {
                sender,
                piece: Vec::new(),
            };
            job(&mut pieces).and_then(|()| pieces.send())
        });
        while let Some(piece) = pieces.recv().await {
            timeout(READ, out.write_all(&piece)).await??;
        }
        maker.await.map_err(io::Error::other)?
    }
}

/// What became of a snapshot that was to be restored.
#[derive(Debug)]
pub enum Restored {
    /// It stands for all up to this.
    At(Zxid),
    /// Nothing was changed.
    Not(CannotRestore),
    /// The server ended meanwhile.
    Unknown,
}

/// Makes a long answer.
pub type Job = Box<dyn FnOnce(&mut dyn io::Write) -> io::Result<()> + Send>;

/// Collects what is written into pieces.
struct Pieces {
    sender: mpsc::Sender<Vec<u8>>,
    piece: Vec<u8>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(std::mem::take(&mut self.piece))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of znodes as ZooKeeper tells it, whose table holds the root under two names: members of
/// one ensemble tell one number, whoever made them.
#[must_use]
pub fn node_count(db: &Database) -> usize {
    db.tree.node_count() + 1
}

fn version_2(directory: &Path) -> PathBuf {
    let below = directory.join("version-2");
    std::path::absolute(&below).unwrap_or(below)
}

/// What can't be read counts as nothing: files come and go.
fn size_of(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some(match about.is_dir() {
                true => size_of(&entry.path()),
                false => about.len(),
            })
        })
        .sum()
}

/// `envi`: names and values as Java's properties are called; what only a Java virtual machine has is
/// `<NA>`, ZooKeeper's own word for it.
#[must_use]
pub fn environment() -> Vec<(&'static str, String)> {
    const ABSENT: &str = "<NA>";
    let file = |path: &str| {
        let text = fs::read_to_string(path).ok();
        text.map_or_else(|| ABSENT.to_owned(), |text| text.trim().to_owned())
    };
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| ABSENT.to_owned());
    let kib = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next());
        let kib: Option<u64> = number.and_then(|n| n.parse().ok());
        kib.map_or_else(|| ABSENT.to_owned(), |kib| format!("{}MB", kib / 1024))
    };
    let here = std::env::current_dir();
    vec![
        ("zookeeper.version", crate::VERSION.to_owned()),
        ("host.name", file("/proc/sys/kernel/hostname")),
        ("java.version", ABSENT.to_owned()),
        ("java.vendor", ABSENT.to_owned()),
        ("java.home", ABSENT.to_owned()),
        ("java.class.path", ABSENT.to_owned()),
        ("java.library.path", ABSENT.to_owned()),
        ("java.io.tmpdir", std::env::temp_dir().display().to_string()),
        ("java.compiler", ABSENT.to_owned()),
        ("os.name", file("/proc/sys/kernel/ostype")),
        ("os.arch", java_arch().to_owned()),
        ("os.version", file("/proc/sys/kernel/osrelease")),
        ("user.name", variable("USER")),
        ("user.home", variable("HOME")),
        (
            "user.dir",
            here.map_or_else(|_| ABSENT.to_owned(), |dir| dir.display().to_string()),
        ),
        // Of the machine, and what this process has of it.
        ("os.memory.free", kib("/proc/meminfo", "MemAvailable:")),
        ("os.memory.max", kib("/proc/meminfo", "MemTotal:")),
        ("os.memory.total", kib("/proc/self/status", "VmRSS:")),
    ]
}

fn java_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        other => other,
    }
}
