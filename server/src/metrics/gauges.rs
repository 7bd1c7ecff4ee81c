//! What is the case now: read from the peer, or from the system.

use super::Number;
use crate::{
    clock::wall_ms,
    inspect::node_count,
    node::View,
    stats::{Roster, ServerStats},
};
use std::fs;
use zabscope_core::peer::Mode;

/// Gauges by name, in the order in which they are shown.
pub type Gauges = Vec<(&'static str, Number)>;

/// The peer's part; asked on its own thread, so it is quick.
pub(super) fn of_peer(view: &View<'_>, leading_since: Option<i64>) -> Gauges {
    let peer = view.peer;
    let db = peer.database();
    let mut all: Gauges = vec![
        ("outstanding_requests", peer.outstanding().into()),
        ("uptime", Number::from(view.clock.uptime().as_millis())),
        ("znode_count", node_count(db).into()),
        ("watch_count", peer.clients().watches().len().into()),
        ("ephemerals_count", db.tree.ephemeral_count().into()),
        ("approximate_data_size", Number::from(db.tree.data_bytes())),
        ("global_sessions", db.sessions.len().into()),
        ("local_sessions", peer.clients().local_sessions().into()),
    ];
    if peer.mode() == Mode::Standalone {
        return all;
    }
    let voters = peer.config().membership.quorum.voters();
    all.push(("quorum_size", voters.len().into()));
    let Some(leader) = peer.leading() else {
        return all;
    };
    let (followers, observers) = leader.synced();
    let strangers = leader
        .learners()
        .filter(|(_, link)| !link.is_observer() && !voters.contains(&link.id()))
        .count();
    let sizes = leader.proposal_sizes();
    let size = |size: Option<usize>| size.map_or(Number::Int(-1), Number::from);
    let since = leading_since.map_or(0, |at| wall_ms().saturating_sub(at));
    all.extend([
        ("learners", leader.learners().count().into()),
        ("synced_followers", followers.into()),
        ("synced_non_voting_followers", strangers.into()),
        ("synced_observers", observers.into()),
        ("pending_syncs", leader.pending_syncs().into()),
        ("leader_uptime", Number::Int(since)),
        ("last_proposal_size", size(sizes.map(|s| s.last))),
        ("max_proposal_size", size(sizes.map(|s| s.max))),
        ("min_proposal_size", size(sizes.map(|s| s.min))),
    ]);
    all
}

/// The connections' part.
pub(super) fn of_connections(stats: &ServerStats, roster: &Roster) -> Gauges {
    let sizes = stats.response_sizes();
    vec![
        ("avg_latency", Number::Real(stats.latency.mean())),
        ("max_latency", stats.latency.max().into()),
        ("min_latency", stats.latency.min().into()),
        ("packets_received", stats.packets_received().into()),
        ("packets_sent", stats.packets_sent().into()),
        ("num_alive_connections", roster.len().into()),
        ("last_client_response_size", Number::Int(sizes.last)),
        ("max_client_response_size", Number::Int(sizes.max)),
        ("min_client_response_size", Number::Int(sizes.min)),
    ]
}

/// How many files this process has open, and may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileDescriptors {
    /// Open; `None` where the system does not tell.
    pub open: Option<i64>,
    /// The limit; `None` where the system does not tell.
    pub max: Option<i64>,
}

impl FileDescriptors {
    /// As Linux tells it in /proc.
    #[must_use]
    pub fn read() -> FileDescriptors {
        FileDescriptors {
            // Less the one that reading the directory takes.
            open: fs::read_dir("/proc/self/fd")
                .ok()
                .and_then(|all| i64::try_from(all.count()).ok())
                .map(|n| n - 1),
            max: fs::read_to_string("/proc/self/limits")
                .ok()
                .and_then(|limits| soft_limit(&limits)),
        }
    }

    pub(super) fn gauges(self) -> Gauges {
        let open = self
            .open
            .map(|n| ("open_file_descriptor_count", Number::Int(n)));
        let max = self
            .max
            .map(|n| ("max_file_descriptor_count", Number::Int(n)));
        open.into_iter().chain(max).collect()
    }
}

fn soft_limit(limits: &str) -> Option<i64> {
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(i64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             100                  200                  processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        let unlimited = "Max open files            unlimited            unlimited            files";
        assert_eq!(soft_limit(unlimited), Some(i64::MAX));
        assert_eq!(soft_limit("nothing of the kind"), None);
    }
}
