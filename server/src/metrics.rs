//! What is counted, under the names of ZooKeeper 3.9.5: for `mntr`, the command `monitor` and
//! Prometheus. Protocol facts come from the peer's events, the rest is counted where it happens.

pub mod absent;
mod gauges;
mod observer;
mod prometheus;
mod report;
pub mod summary;

pub use gauges::{FileDescriptors, Gauges};
pub use observer::Observer;
pub use prometheus::Prometheus;
pub use report::{Number, PeerReport, Report};

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};
use summary::{Detail, Numbers, Summary};
use zabscope_core::{id::Zxid, peer::event::Phase};

/// A phase as ZooKeeper writes it.
#[must_use]
pub const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Election => "election",
        Phase::Discovery => "discovery",
        Phase::Synchronisation => "synchronization",
        Phase::Broadcast => "broadcast",
    }
}

/// A digest is kept of every so many zxids (`hash`).
const DIGEST_INTERVAL: i64 = 128;
/// So many digests are kept.
const DIGESTS: usize = 1024;

/// Only goes up, until it is reset.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! metrics {
    (
        counters { $($(#[$about_counter:meta])* $counter:ident,)* }
        summaries { $($(#[$about_summary:meta])* $summary:ident: $detail:ident,)* }
    ) => {
        /// All that is counted. A field is called as ZooKeeper calls the metric; times are in ms.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$about_counter])* pub $counter: Counter,)*
            $($(#[$about_summary])* pub $summary: Summary,)*
            digests: Mutex<VecDeque<(Zxid, u64)>>,
            /// How likely a client is turned away by chance: the bits of an f64, 0 being 0.
            drop_probability: AtomicU64,
            /// Since when it leads with a quorum, ms since 1970; 0 while it does not.
            leading_since: AtomicI64,
        }

        impl Metrics {
            /// The counters by name.
            #[must_use]
            pub fn counters(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($counter), self.$counter.get()),)*]
            }

            /// The summaries by name.
            #[must_use]
            pub fn summaries(&self) -> Vec<(&'static str, Detail, Numbers)> {
                vec![$((stringify!($summary), Detail::$detail, self.$summary.numbers()),)*]
            }

            /// Begins anew (`srst`).
            pub fn reset(&self) {
                $(self.$counter.0.store(0, Relaxed);)*
                $(self.$summary.reset();)*
            }
        }
    };
}

metrics! {
    counters {
        /// Bytes that clients sent.
        bytes_received_count,
        /// Bytes of replies.
        response_bytes,
        /// Bytes of watch events.
        watch_bytes,
        /// Clients that asked for a session, new or old.
        connection_request_count,
        /// Of them, those that came back to an old one.
        connection_revalidate_count,
        /// Connections turned away by maxClientCnxns or maxCnxns.
        connection_rejected,
        /// Clients that failed at TLS, or spoke it where it is not spoken.
        unsuccessful_handshake,
        /// Clients that went away without a word.
        connection_drop_count,
        /// Connections that never asked for a session.
        sessionless_connections_expired,
        /// Clients refused for want of a quorum.
        cnxn_closed_without_zk_server_running,
        /// Sessions that this server, leading, let expire.
        stale_sessions_expired,
        /// Sessions whose move learners asked this leader about.
        revalidate_count,
        /// Elections that this server took part in.
        looking_count,
        /// Learners that got what they missed (DIFF, also after TRUNC).
        diff_count,
        /// Learners that got the whole tree (SNAP).
        snap_count,
        /// Proposals of this leader.
        proposal_count,
        /// Of them, those committed.
        commit_count,
        /// Proposals received.
        learner_proposal_received_count,
        /// COMMIT and INFORM received.
        learner_commit_received_count,
        /// Transactions handed to the log.
        sync_processor_request_queued,
        /// Transactions after which the tree was not as the leader said.
        digest_mismatches_count,
        /// Snapshots over HTTP that failed.
        snapshot_error_count,
        /// Snapshots over HTTP refused as too frequent.
        snapshot_rate_limited_count,
        /// How often requests had to wait because too many were under way.
        request_throttle_wait_count,
        /// Requests answered with ThrottledOp.
        throttled_ops,
        /// Requests that were carried out although nobody waits for them any more.
        stale_requests,
        /// Those that were not.
        stale_requests_dropped,
        /// Connections closed because all large requests together were too large.
        large_requests_rejected,
        /// Restores over HTTP that failed.
        restore_error_count,
        /// Restores over HTTP refused as too frequent.
        restore_rate_limited_count,
    }
    summaries {
        /// From request to reply, of what changes nothing.
        readlatency: Advanced,
        /// From request to reply, of writes.
        updatelatency: Advanced,
        /// From a proposal to its commit, at the leader.
        quorum_ack_latency: Advanced,
        /// From the beginning of an election to its end.
        election_time: Basic,
        /// How long it took a follower to synchronise.
        follower_sync_time: Basic,
        /// How long it took an observer.
        observer_sync_time: Basic,
        /// From looking for a leader to serving.
        unavailable_time: Basic,
        /// The same of a server that then leads.
        leader_unavailable_time: Basic,
        /// How many watches a created node let ring.
        node_created_watch_count: Basic,
        /// A deleted one.
        node_deleted_watch_count: Basic,
        /// A changed one.
        node_changed_watch_count: Basic,
        /// A change among its children.
        node_children_watch_count: Basic,
        /// Transactions handed to the log together.
        sync_processor_batch_size: Basic,
        /// From handing them over to their being on disk.
        sync_processor_queue_and_flush_time_ms: Advanced,
        /// Writing to the log and syncing it.
        sync_processor_queue_flush_time_ms: Advanced,
        /// Syncing the log.
        fsynctime: Basic,
        /// Writing a snapshot.
        snapshottime: Basic,
        /// Loading the files at start.
        dbinittime: Basic,
        /// Of that, the snapshot.
        startup_snap_load_time: Basic,
        /// Transactions after it.
        startup_txns_loaded: Basic,
        /// Reading and applying them.
        startup_txns_load_time: Basic,
        /// How long requests waited until they were under way.
        request_throttle_queue_time_ms: Advanced,
        /// Tokens missing from the bucket when a client came in.
        connection_token_deficit: Basic,
        /// Restoring a snapshot over HTTP, from its first byte to its being in place.
        restore_time: Basic,
    }
}

impl Metrics {
    /// The leader serves since `wall_ms`, or nobody leads here any more.
    pub fn leads_since(&self, wall_ms: Option<i64>) {
        self.leading_since.store(wall_ms.unwrap_or(0), Relaxed);
    }

    /// Since when it leads, ms since 1970.
    #[must_use]
    pub fn leading_since(&self) -> Option<i64> {
        Some(self.leading_since.load(Relaxed)).filter(|at| *at != 0)
    }

    /// How likely a client is turned away by chance.
    pub fn drops_with(&self, probability: f64) {
        self.drop_probability.store(probability.to_bits(), Relaxed);
    }

    /// The same, asked.
    #[must_use]
    pub fn drop_probability(&self) -> f64 {
        f64::from_bits(self.drop_probability.load(Relaxed))
    }

    /// The tree's digest after a transaction; every 128th is kept.
    pub fn digest(&self, zxid: Zxid, digest: u64) {
        if zxid.0 % DIGEST_INTERVAL != 0 {
            return;
        }
        let mut kept = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((zxid, digest));
        if kept.len() > DIGESTS {
            kept.pop_front();
        }
    }

    /// The digests that are kept, oldest first.
    #[must_use]
    pub fn digests(&self) -> Vec<(Zxid, u64)> {
        let kept = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests;
