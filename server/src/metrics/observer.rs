//! Counts what the peer says that happened.

use super::{Metrics, summary::Summary};
use std::{collections::VecDeque, sync::Arc};
use zabscope_core::{
    id::{ServerId, Zxid},
    message::{MessageKind, ServerState},
    peer::event::{Event, EventKind, RefuseReason, SyncMode},
    request::WatchEventKind,
    time::{Moment, Now},
};

/// Lives on the node's thread and reads every event once.
#[derive(Debug)]
pub struct Observer {
    metrics: Arc<Metrics>,
    me: ServerId,
    /// It has no ensemble: what it proposes to itself is no proposal.
    alone: bool,
    /// As what it was elected last.
    state: ServerState,
    looking_since: Option<Moment>,
    unavailable_since: Option<Moment>,
    syncing_since: Option<Moment>,
    /// Proposals that are not committed, oldest first.
    proposed: VecDeque<(Zxid, Moment)>,
    /// Watches that rang for one change so far: where, what, how many.
    rang: Option<(Arc<str>, WatchEventKind, u64)>,
}

impl Observer {
    /// Of this server.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, me: ServerId, alone: bool) -> Observer {
        Observer {
            metrics,
            me,
            alone,
            state: ServerState::Looking,
            looking_since: None,
            unavailable_since: None,
            syncing_since: None,
            proposed: VecDeque::new(),
            rang: None,
        }
    }

    /// What one input led to.
    pub fn observe(&mut self, now: Now, events: &[Event]) {
        for event in events {
            self.one(now, &event.kind);
        }
        self.end_of_ring();
    }

    fn one(&mut self, now: Now, event: &EventKind) {
        let m = Arc::clone(&self.metrics);
        match event {
            EventKind::Received { message, .. } => match message {
                MessageKind::Proposal => m.learner_proposal_received_count.one(),
                MessageKind::Commit
                | MessageKind::Inform
                | MessageKind::CommitAndActivate
                | MessageKind::InformAndActivate => m.learner_commit_received_count.one(),
                MessageKind::Notification
                | MessageKind::FollowerInfo
                | MessageKind::ObserverInfo
                | MessageKind::LeaderInfo
                | MessageKind::AckEpoch
                | MessageKind::Diff
                | MessageKind::Trunc
                | MessageKind::Snap
                | MessageKind::NewLeader
                | MessageKind::UpToDate
                | MessageKind::Request
                | MessageKind::Ack
                | MessageKind::Ping
                | MessageKind::Pong
                | MessageKind::Revalidate
                | MessageKind::Revalidated
                | MessageKind::Sync => {}
            },
            EventKind::ClientArrived { session, .. } => {
                m.connection_request_count.one();
                if session.0 != 0 {
                    m.connection_revalidate_count.one();
                }
            }
            EventKind::ElectionStarted { .. } => {
                m.looking_count.one();
                self.looking_since = Some(now.at);
                self.unavailable_since.get_or_insert(now.at);
            }
            EventKind::Elected { state, .. } => {
                self.state = *state;
                add_since(&m.election_time, self.looking_since.take(), now.at);
            }
            EventKind::EpochAcked { .. } => self.syncing_since = Some(now.at),
            EventKind::SyncChosen { mode, .. } => match mode {
                SyncMode::Diff | SyncMode::Trunc => m.diff_count.one(),
                SyncMode::Snap => m.snap_count.one(),
            },
            EventKind::Serving { .. } => {
                let time = match self.state {
                    ServerState::Observing => &m.observer_sync_time,
                    ServerState::Following | ServerState::Leading | ServerState::Looking => {
                        &m.follower_sync_time
                    }
                };
                add_since(time, self.syncing_since.take(), now.at);
                add_since(&m.unavailable_time, self.unavailable_since.take(), now.at);
            }
            EventKind::Established { .. } => {
                add_since(&m.leader_unavailable_time, self.unavailable_since, now.at);
                add_since(&m.unavailable_time, self.unavailable_since.take(), now.at);
                m.leads_since(Some(now.wall_ms));
            }
            EventKind::SteppedDown { .. } => {
                self.proposed.clear();
                self.syncing_since = None;
                m.leads_since(None);
            }
            EventKind::Proposed { zxid, .. } => {
                if !self.alone {
                    m.proposal_count.one();
                    self.proposed.push_back((*zxid, now.at));
                }
            }
            EventKind::Committed { zxid, .. } => {
                while self
                    .proposed
                    .front()
                    .is_some_and(|(first, _)| first <= zxid)
                {
                    let since = self.proposed.pop_front().map(|(_, at)| at);
                    add_since(&m.quorum_ack_latency, since, now.at);
                    m.commit_count.one();
                }
            }
            EventKind::Logged { .. } => m.sync_processor_request_queued.one(),
            EventKind::Applied { zxid, digest, .. } => m.digest(*zxid, *digest),
            EventKind::DigestMismatch {
                zxid,
                expected,
                found,
            } => {
                m.digest_mismatches_count.one();
                // Once it differs, every transaction says so: one line in a thousand is enough.
                if m.digest_mismatches_count.get() % 1000 == 1 {
                    tracing::error!(
                        "this server's tree differs from the leader's: after {zxid} its digest is {found:#x}, the \
                         leader's {expected:#x}. Unless a snapshot is being restored on the members one after the other: \
                         stop it, empty its dataDir/version-2 and dataLogDir/version-2, and start it: it gets everything \
                         from the leader"
                    );
                }
            }
            EventKind::SessionExpired { .. }
            | EventKind::LocalSessionEnded { expired: true, .. } => m.stale_sessions_expired.one(),
            EventKind::SessionValidated { at, .. } => {
                if *at != self.me {
                    m.revalidate_count.one();
                }
            }
            EventKind::ClientRefused { because, .. } => match because {
                RefuseReason::NotServing => m.cnxn_closed_without_zk_server_running.one(),
                RefuseReason::Protocol(_)
                | RefuseReason::LeaderDoesNotServe
                | RefuseReason::OnlyReads
                | RefuseReason::SessionNeedsQuorum
                | RefuseReason::ClientAhead { .. }
                | RefuseReason::WrongPassword
                | RefuseReason::SessionUnknown
                | RefuseReason::SessionTakenOver
                | RefuseReason::SessionMoved
                | RefuseReason::SessionClosed
                | RefuseReason::ServerStopsServing => {}
            },
            EventKind::WatchFired { path, event, .. } => self.ring(path, *event),
            EventKind::TimerFired { .. }
            | EventKind::LinkUp { .. }
            | EventKind::LinkDown { .. }
            | EventKind::ConnectFailed { .. }
            | EventKind::DiskSynced { .. }
            | EventKind::DiskRead { .. }
            | EventKind::RequestReceived { .. }
            | EventKind::ClientLeft { .. }
            | EventKind::Started { .. }
            | EventKind::VoteCompared { .. }
            | EventKind::VoteChanged { .. }
            | EventKind::RoundAdvanced { .. }
            | EventKind::VoteIgnored { .. }
            | EventKind::VoteRecorded { .. }
            | EventKind::QuorumOfVotes { .. }
            | EventKind::QuorumOvertaken { .. }
            | EventKind::VoteAnswered { .. }
            | EventKind::VoteRepeated { .. }
            | EventKind::Connecting { .. }
            | EventKind::LearnerInfoSent { .. }
            | EventKind::LearnerInfoCounted { .. }
            | EventKind::NewEpoch { .. }
            | EventKind::AcceptedEpochSet { .. }
            | EventKind::EpochAckCounted { .. }
            | EventKind::CurrentEpochSet { .. }
            | EventKind::ReadingDiskLog { .. }
            | EventKind::OutstandingForwarded { .. }
            | EventKind::SyncStarted { .. }
            | EventKind::LogTruncated { .. }
            | EventKind::SnapshotInstalled { .. }
            | EventKind::HistoryComplete { .. }
            | EventKind::NewLeaderAckCounted { .. }
            | EventKind::UpToDateSent { .. }
            | EventKind::ServingAlone { .. }
            | EventKind::RequestForwarded { .. }
            | EventKind::RequestRefused { .. }
            | EventKind::AckSent { .. }
            | EventKind::AckCounted { .. }
            | EventKind::AckIgnored { .. }
            | EventKind::SnapshotTaken { .. }
            | EventKind::PingsSent { .. }
            | EventKind::QuorumChecked { .. }
            | EventKind::LinkDropped { .. }
            | EventKind::SessionProposed { .. }
            | EventKind::LocalSessionBegan { .. }
            | EventKind::LocalSessionEnded { expired: false, .. }
            | EventKind::SessionUpgraded { .. }
            | EventKind::ReadOnlyBegan { .. }
            | EventKind::MembersSeen { .. }
            | EventKind::MembersActivated { .. }
            | EventKind::SessionAttached { .. }
            | EventKind::SessionTouched { .. }
            | EventKind::SessionEnded { .. }
            | EventKind::RequestQueued { .. }
            | EventKind::ReadServed { .. }
            | EventKind::WriteAnswered { .. }
            | EventKind::SyncAnswered { .. }
            | EventKind::WatchSet { .. }
            | EventKind::WatchRemoved { .. }
            | EventKind::Authenticated { .. }
            | EventKind::ContainerFound { .. } => {}
        }
    }

    /// Watches that one change lets ring come one after the other.
    fn ring(&mut self, path: &Arc<str>, event: WatchEventKind) {
        match &mut self.rang {
            Some((at, what, count)) if *at == *path && *what == event => *count += 1,
            Some(_) | None => {
                self.end_of_ring();
                self.rang = Some((Arc::clone(path), event, 1));
            }
        }
    }

    fn end_of_ring(&mut self) {
        let Some((_, event, count)) = self.rang.take() else {
            return;
        };
        let m = &self.metrics;
        match event {
            WatchEventKind::NodeCreated => m.node_created_watch_count.add(count),
            WatchEventKind::NodeDeleted => m.node_deleted_watch_count.add(count),
            WatchEventKind::NodeDataChanged => m.node_changed_watch_count.add(count),
            WatchEventKind::NodeChildrenChanged => m.node_children_watch_count.add(count),
        }
    }
}

fn add_since(summary: &Summary, since: Option<Moment>, now: Moment) {
    if let Some(since) = since {
        summary.add(now.0.saturating_sub(since.0) / 1000);
    }
}
