//! What a server counts for those who operate it: packets, latencies, connections. Written by the
//! connections' tasks, read by the four-letter words, the admin service and the metrics.

use crate::clock::millis;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use zabscope_core::{
    id::{ClientId, SessionId, Zxid},
    request::{OpKind, Reply},
};

/// Smallest, mean and largest of times in milliseconds.
#[derive(Debug)]
pub struct Latency {
    min: AtomicU64,
    max: AtomicU64,
    total: AtomicU64,
    count: AtomicU64,
}

impl Default for Latency {
    fn default() -> Self {
        Latency {
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            total: AtomicU64::new(0),
            count: AtomicU64::new(0),
        }
    }
}

impl Latency {
    fn add(&self, time: Duration) {
        let ms = millis(time);
        self.min.fetch_min(ms, Relaxed);
        self.max.fetch_max(ms, Relaxed);
        self.total.fetch_add(ms, Relaxed);
        self.count.fetch_add(1, Relaxed);
    }

    fn reset(&self) {
        self.min.store(u64::MAX, Relaxed);
        self.max.store(0, Relaxed);
        self.total.store(0, Relaxed);
        self.count.store(0, Relaxed);
    }

    /// Milliseconds; 0 before anything was measured.
    #[must_use]
    pub fn min(&self) -> u64 {
        match self.min.load(Relaxed) {
            u64::MAX => 0,
            ms => ms,
        }
    }

    /// Milliseconds.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }

    /// Milliseconds, to four places; 0 before anything was measured.
    #[must_use]
    pub fn mean(&self) -> f64 {
        crate::metrics::summary::mean(self.total.load(Relaxed), self.count.load(Relaxed))
    }
}

/// How large replies were, in bytes; -1 for none, as ZooKeeper has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The last one.
    pub last: i64,
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
}

impl Default for Sizes {
    fn default() -> Self {
        let (last, min, max) = (-1, -1, -1);
        Sizes { last, min, max }
    }
}

/// A whole server's counters.
#[derive(Debug, Default)]
pub struct ServerStats {
    received: AtomicU64,
    sent: AtomicU64,
    sizes: Mutex<Sizes>,
    /// From request to reply.
    pub latency: Latency,
}

impl ServerStats {
    /// A packet came in.
    pub fn received(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    /// A packet went out.
    pub fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    /// A reply went out, so long after its request.
    pub fn replied(&self, latency: Option<Duration>) {
        self.sent();
        if let Some(latency) = latency {
            self.latency.add(latency);
        }
    }

    /// A reply of so many bytes went out.
    pub fn replied_with(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        *sizes = Sizes {
            last: bytes,
            min: if sizes.min < 0 {
                bytes
            } else {
                sizes.min.min(bytes)
            },
            max: sizes.max.max(bytes),
        };
    }

    /// How large replies were.
    #[must_use]
    pub fn response_sizes(&self) -> Sizes {
        *self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packets in.
    #[must_use]
    pub fn packets_received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Packets out.
    #[must_use]
    pub fn packets_sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// `srst`.
    pub fn reset(&self) {
        self.received.store(0, Relaxed);
        self.sent.store(0, Relaxed);
        self.latency.reset();
        *self.sizes.lock().unwrap_or_else(PoisonError::into_inner) = Sizes::default();
    }
}

/// One connection's counters, for `cons`.
#[derive(Debug)]
pub struct ConnectionStats {
    /// Where it comes from.
    pub from: SocketAddr,
    /// When it came, ms since 1970.
    pub since_ms: i64,
    heard_ms: AtomicI64,
    /// It asks a four-letter word and nothing else.
    word: AtomicBool,
    secure: AtomicBool,
    session: AtomicI64,
    timeout_ms: AtomicI32,
    received: AtomicU64,
    sent: AtomicU64,
    outstanding: AtomicU64,
    last_op: Mutex<Option<OpKind>>,
    last_cxid: AtomicI32,
    last_zxid: AtomicI64,
    last_response_ms: AtomicI64,
    last_latency: AtomicU64,
    /// From request to reply.
    pub latency: Latency,
}

/// A connection's counters at one moment.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionNumbers {
    /// Its session; 0 before it has one.
    pub session: SessionId,
    /// Granted, in ms.
    pub timeout_ms: i32,
    /// When it said something last, ms since 1970.
    pub heard_ms: i64,
    /// It asks a four-letter word and nothing else.
    pub word: bool,
    /// Packets in.
    pub received: u64,
    /// Packets out.
    pub sent: u64,
    /// Asked and not answered.
    pub outstanding: u64,
    /// What it did last.
    pub last_op: Option<OpKind>,
    /// With which xid; -1 before the first.
    pub last_cxid: i32,
    /// The zxid of the last reply; -1 before the first.
    pub last_zxid: i64,
    /// When that was, ms since 1970; 0 for never.
    pub last_response_ms: i64,
    /// How long it took, in ms.
    pub last_latency_ms: u64,
}

impl ConnectionStats {
    fn new(from: SocketAddr) -> ConnectionStats {
        let now = crate::clock::wall_ms();
        ConnectionStats {
            from,
            since_ms: now,
            heard_ms: AtomicI64::new(now),
            word: AtomicBool::new(false),
            secure: AtomicBool::new(false),
            session: AtomicI64::new(0),
            timeout_ms: AtomicI32::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            outstanding: AtomicU64::new(0),
            last_op: Mutex::new(None),
            last_cxid: AtomicI32::new(-1),
            last_zxid: AtomicI64::new(-1),
            last_response_ms: AtomicI64::new(0),
            last_latency: AtomicU64::new(0),
            latency: Latency::default(),
        }
    }

    /// It has said what it wants: a session, or a four-letter word.
    pub fn introduced(&self, word: bool) {
        self.received.fetch_add(1, Relaxed);
        self.word.store(word, Relaxed);
        self.heard_ms.store(crate::clock::wall_ms(), Relaxed);
    }

    /// It speaks TLS.
    pub fn secured(&self) {
        self.secure.store(true, Relaxed);
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure.load(Relaxed)
    }

    /// It has its session.
    pub fn attached(&self, session: SessionId, timeout_ms: i32) {
        self.session.store(session.0, Relaxed);
        self.timeout_ms.store(timeout_ms, Relaxed);
        self.did(OpKind::CreateSession, None, Duration::ZERO);
        self.sent();
    }

    /// It asked for something.
    pub fn received(&self) {
        self.received.fetch_add(1, Relaxed);
        self.outstanding.fetch_add(1, Relaxed);
        self.heard_ms.store(crate::clock::wall_ms(), Relaxed);
    }

    /// It was answered; `asked` is what, and how long ago.
    pub fn replied(&self, reply: &Reply, asked: Option<(OpKind, Duration)>) {
        self.sent();
        let before = self.outstanding.load(Relaxed);
        self.outstanding.store(before.saturating_sub(1), Relaxed);
        if let Some((op, latency)) = asked {
            self.latency.add(latency);
            self.did(op, Some((reply.xid, reply.zxid)), latency);
        }
    }

    fn did(&self, op: OpKind, reply: Option<(i32, Zxid)>, latency: Duration) {
        if let Some((xid, zxid)) = reply {
            // A ping has none.
            if xid >= 0 {
                self.last_cxid.store(xid, Relaxed);
            }
            self.last_zxid.store(zxid.0, Relaxed);
        }
        *self.last_op.lock().unwrap_or_else(PoisonError::into_inner) = Some(op);
        self.last_response_ms
            .store(crate::clock::wall_ms(), Relaxed);
        self.last_latency.store(millis(latency), Relaxed);
    }

    /// A packet went out.
    pub fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    /// `crst`.
    pub fn reset(&self) {
        self.received.store(0, Relaxed);
        self.sent.store(0, Relaxed);
        self.latency.reset();
    }

    /// All of them.
    #[must_use]
    pub fn numbers(&self) -> ConnectionNumbers {
        ConnectionNumbers {
            session: SessionId(self.session.load(Relaxed)),
            timeout_ms: self.timeout_ms.load(Relaxed),
            heard_ms: self.heard_ms.load(Relaxed),
            word: self.word.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            outstanding: self.outstanding.load(Relaxed),
            last_op: *self.last_op.lock().unwrap_or_else(PoisonError::into_inner),
            last_cxid: self.last_cxid.load(Relaxed),
            last_zxid: self.last_zxid.load(Relaxed),
            last_response_ms: self.last_response_ms.load(Relaxed),
            last_latency_ms: self.last_latency.load(Relaxed),
        }
    }
}

/// What `cons` calls an operation.
#[must_use]
pub fn op_name(op: Option<OpKind>) -> &'static str {
    let Some(op) = op else { return "NA" };
    match op {
        OpKind::Ping => "PING",
        OpKind::Exists => "EXIS",
        OpKind::GetData => "GETD",
        OpKind::GetAcl => "GETA",
        OpKind::GetChildren => "GETC",
        OpKind::GetAllChildrenNumber => "GETACN",
        OpKind::GetEphemerals => "GETE",
        OpKind::MultiRead => "MLTR",
        OpKind::Sync => "SYNC",
        OpKind::AddWatch => "ADDW",
        OpKind::CheckWatches => "CHKW",
        OpKind::RemoveWatches => "REMW",
        OpKind::SetWatches => "SETW",
        OpKind::WhoAmI => "HOMI",
        OpKind::CreateSession => "SESS",
        OpKind::CloseSession => "CLOS",
        OpKind::Create => "CREA",
        OpKind::Delete | OpKind::DeleteContainer => "DELE",
        OpKind::SetData => "SETD",
        OpKind::SetAcl => "SETA",
        OpKind::Check => "CHEC",
        OpKind::Multi => "MULT",
        OpKind::Reconfig => "RECO",
        OpKind::Auth | OpKind::Sasl | OpKind::Unreadable | OpKind::Refused => "NA",
    }
}

/// Whether an operation's latency counts as that of an update.
#[must_use]
pub fn is_update(op: OpKind) -> bool {
    match op {
        OpKind::CreateSession
        | OpKind::CloseSession
        | OpKind::Create
        | OpKind::Delete
        | OpKind::DeleteContainer
        | OpKind::SetData
        | OpKind::SetAcl
        | OpKind::Check
        | OpKind::Multi
        | OpKind::Reconfig
        | OpKind::Unreadable => true,
        OpKind::Ping
        | OpKind::Exists
        | OpKind::GetData
        | OpKind::GetAcl
        | OpKind::GetChildren
        | OpKind::GetAllChildrenNumber
        | OpKind::GetEphemerals
        | OpKind::MultiRead
        | OpKind::Sync
        | OpKind::AddWatch
        | OpKind::CheckWatches
        | OpKind::RemoveWatches
        | OpKind::SetWatches
        | OpKind::WhoAmI
        | OpKind::Auth
        | OpKind::Sasl
        | OpKind::Refused => false,
    }
}

/// Who is connected.
#[derive(Debug, Default)]
pub struct Roster {
    all: Mutex<BTreeMap<ClientId, Arc<ConnectionStats>>>,
}

impl Roster {
    /// A connection comes.
    pub fn enter(&self, client: ClientId, from: SocketAddr) -> Arc<ConnectionStats> {
        let stats = Arc::new(ConnectionStats::new(from));
        self.locked().insert(client, Arc::clone(&stats));
        stats
    }

    /// It goes.
    pub fn leave(&self, client: ClientId) {
        self.locked().remove(&client);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    /// All of them, in the order in which they came.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<ConnectionStats>> {
        self.locked().values().cloned().collect()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<ClientId, Arc<ConnectionStats>>> {
        // Nothing that holds it can panic half way; the map is whole.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
