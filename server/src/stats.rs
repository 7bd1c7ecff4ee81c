//! What a server counts for those who operate it: packets, latencies, connections. Written by the
//! connections' tasks, read by the four-letter words, the admin service and the metrics.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use zabscope_core::{
    id::{ClientId, SessionId},
    request::{OpKind, Reply, Request},
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
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
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

    /// Milliseconds; 0 before anything was measured.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self.count.load(Relaxed) {
            0 => 0.0,
            count => self.total.load(Relaxed) as f64 / count as f64,
        }
    }
}

/// A whole server's counters.
#[derive(Debug, Default)]
pub struct ServerStats {
    received: AtomicU64,
    sent: AtomicU64,
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
    }
}

/// One connection's counters, for `cons`.
#[derive(Debug)]
pub struct ConnectionStats {
    /// Where it comes from.
    pub from: SocketAddr,
    /// When it came, ms since 1970.
    pub since_ms: i64,
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
    /// Packets in.
    pub received: u64,
    /// Packets out.
    pub sent: u64,
    /// Asked and not answered.
    pub outstanding: u64,
    /// What it did last.
    pub last_op: Option<OpKind>,
    /// With which xid.
    pub last_cxid: i32,
    /// The zxid of the last reply.
    pub last_zxid: i64,
    /// When that was, ms since 1970; 0 for never.
    pub last_response_ms: i64,
    /// How long it took, in ms.
    pub last_latency_ms: u64,
}

impl ConnectionStats {
    fn new(from: SocketAddr) -> ConnectionStats {
        ConnectionStats {
            from,
            since_ms: crate::clock::wall_ms(),
            session: AtomicI64::new(0),
            timeout_ms: AtomicI32::new(0),
            // Its connect request.
            received: AtomicU64::new(1),
            sent: AtomicU64::new(0),
            outstanding: AtomicU64::new(0),
            last_op: Mutex::new(None),
            last_cxid: AtomicI32::new(0),
            last_zxid: AtomicI64::new(0),
            last_response_ms: AtomicI64::new(0),
            last_latency: AtomicU64::new(0),
            latency: Latency::default(),
        }
    }

    /// It has its session.
    pub fn attached(&self, session: SessionId, timeout_ms: i32) {
        self.session.store(session.0, Relaxed);
        self.timeout_ms.store(timeout_ms, Relaxed);
        self.sent();
    }

    /// It asked for something.
    pub fn received(&self, xid: i32, request: &Request) {
        self.received.fetch_add(1, Relaxed);
        self.outstanding.fetch_add(1, Relaxed);
        self.last_cxid.store(xid, Relaxed);
        *self.last_op.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.kind());
    }

    /// It was answered.
    pub fn replied(&self, reply: &Reply, latency: Option<Duration>) {
        self.sent();
        let before = self.outstanding.load(Relaxed);
        self.outstanding.store(before.saturating_sub(1), Relaxed);
        self.last_zxid.store(reply.zxid.0, Relaxed);
        self.last_response_ms
            .store(crate::clock::wall_ms(), Relaxed);
        if let Some(latency) = latency {
            self.latency.add(latency);
            let ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
            self.last_latency.store(ms, Relaxed);
        }
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
