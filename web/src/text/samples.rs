//! At least one fact of every kind, with values as long as they get.

use std::{collections::BTreeSet, sync::Arc};
use zabscope_core::{
    id::{ClientId, ConnId, Epoch, EventId, ServerId, SessionId, Zxid},
    message::{MessageKind, ServerState, Vote},
    peer::{
        WaitReason,
        event::{
            DecidedBy, DropReason, ElectionReason, Event, EventKind as K, IgnoreReason, OpKind,
            Phase, RefuseReason, SyncMode, SyncRule, TxnKind, VoteField,
        },
    },
    request::{ErrorCode, WatchEventKind, WatchKind},
    sim::{ClientNo, Fact, GaveUpBecause, LostBecause, WorldEvent, WorldEventKind as W},
    time::Span,
};

const ME: ServerId = ServerId(10);
const S: ServerId = ServerId(11);
const S2: ServerId = ServerId(12);
const CLIENT: ClientId = ClientId(123_456);
const CONN: ConnId = ConnId(1234);
const SESSION: SessionId = SessionId(0x0a01_8f3b_2c4d_0012);
const NO: ClientNo = ClientNo(3);

pub(super) fn zxid(epoch: i64, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

pub(super) fn vote(epoch: i64, counter: u32, leader: i64) -> Vote {
    Vote {
        epoch: Epoch(epoch),
        zxid: zxid(epoch, counter),
        leader: ServerId(leader),
    }
}

fn path() -> Arc<str> {
    Arc::from("/config/replicas")
}

pub(super) fn peer(server: ServerId, kind: K) -> Fact {
    Fact::Peer(Event {
        id: EventId { server, seq: 1 },
        cause: None,
        kind,
    })
}

pub(super) fn world(kind: W) -> Fact {
    Fact::World(WorldEvent {
        id: EventId {
            server: ServerId(0),
            seq: 1,
        },
        cause: None,
        kind,
    })
}

pub(super) const MESSAGES: [MessageKind; 22] = [
    MessageKind::Notification,
    MessageKind::FollowerInfo,
    MessageKind::ObserverInfo,
    MessageKind::LeaderInfo,
    MessageKind::AckEpoch,
    MessageKind::Diff,
    MessageKind::Trunc,
    MessageKind::Snap,
    MessageKind::NewLeader,
    MessageKind::UpToDate,
    MessageKind::Request,
    MessageKind::Proposal,
    MessageKind::Ack,
    MessageKind::Commit,
    MessageKind::Inform,
    MessageKind::Ping,
    MessageKind::Pong,
    MessageKind::Revalidate,
    MessageKind::Revalidated,
    MessageKind::Sync,
    MessageKind::CommitAndActivate,
    MessageKind::InformAndActivate,
];

pub(super) const WAITS: [WaitReason; 13] = [
    WaitReason::RepeatVote,
    WaitReason::FinalizeWait,
    WaitReason::RetryConnect,
    WaitReason::ObserverRest,
    WaitReason::LearnerInitLimit,
    WaitReason::LearnerSyncLimit,
    WaitReason::QuorumOfLearnerInfo,
    WaitReason::QuorumOfEpochAcks,
    WaitReason::QuorumOfNewLeaderAcks,
    WaitReason::HalfTick,
    WaitReason::SessionExpiry,
    WaitReason::ContainerCheck,
    WaitReason::ReadOnlyService,
];

pub(super) const ERRORS: [ErrorCode; 32] = [
    ErrorCode::Ok,
    ErrorCode::RuntimeInconsistency,
    ErrorCode::MarshallingError,
    ErrorCode::Unimplemented,
    ErrorCode::BadArguments,
    ErrorCode::NoNode,
    ErrorCode::NoAuth,
    ErrorCode::BadVersion,
    ErrorCode::NoChildrenForEphemerals,
    ErrorCode::NodeExists,
    ErrorCode::NotEmpty,
    ErrorCode::SessionExpired,
    ErrorCode::InvalidAcl,
    ErrorCode::AuthFailed,
    ErrorCode::SessionMoved,
    ErrorCode::NotReadOnly,
    ErrorCode::EphemeralOnLocalSession,
    ErrorCode::NoWatcher,
    ErrorCode::ReconfigDisabled,
    ErrorCode::QuotaExceeded,
    ErrorCode::ThrottledOp,
    ErrorCode::SystemError,
    ErrorCode::DataInconsistency,
    ErrorCode::ConnectionLoss,
    ErrorCode::OperationTimeout,
    ErrorCode::UnknownSession,
    ErrorCode::NewConfigNoQuorum,
    ErrorCode::ReconfigInProgress,
    ErrorCode::ApiError,
    ErrorCode::InvalidCallback,
    ErrorCode::RequestTimeout,
    ErrorCode::SessionClosedRequireSaslAuth,
];

fn election_reasons() -> Vec<ElectionReason> {
    let leader = S;
    let mut out = vec![
        ElectionReason::Started,
        ElectionReason::LeaderConnectionLost { leader },
        ElectionReason::LeaderSilent {
            leader,
            waited: Span::millis(10_000),
        },
        ElectionReason::VoterLooksAgain {
            voter: leader,
            waited: Span::millis(10_000),
        },
        ElectionReason::LeaderUnreachable {
            leader,
            attempts: 5,
        },
        ElectionReason::LeaderStale {
            leader,
            offered: Epoch(11),
            accepted: Epoch(12),
        },
        ElectionReason::LeaderBroke {
            leader,
            message: MessageKind::FollowerInfo,
        },
        ElectionReason::QuorumLost {
            in_time: 2,
            need: 3,
        },
        ElectionReason::TruncationFailed {
            to: zxid(12, 7),
            last: Zxid::ZERO,
        },
        ElectionReason::FollowerMoreRecent {
            follower: S2,
            epoch: Epoch(12),
            zxid: zxid(12, 1234),
        },
        ElectionReason::Restored { zxid: zxid(12, 7) },
        ElectionReason::Reconfigured {
            version: zxid(12, 7),
        },
        ElectionReason::ZxidRollOver {
            zxid: zxid(12, u32::MAX),
        },
    ];
    out.extend(
        [
            Phase::Election,
            Phase::Discovery,
            Phase::Synchronisation,
            Phase::Broadcast,
        ]
        .map(|phase| ElectionReason::NoQuorumInTime { phase }),
    );
    out
}

#[allow(clippy::too_many_lines)]
fn peer_kinds() -> Vec<K> {
    let (z, z2) = (zxid(12, 1234), zxid(12, 1299));
    let mut out = Vec::new();
    for message in MESSAGES {
        for zxid in [None, Some(z)] {
            out.push(K::Received {
                from: S,
                message,
                zxid,
            });
        }
    }
    out.push(K::Received {
        from: ME,
        message: MessageKind::Notification,
        zxid: None,
    });
    out.extend(WAITS.map(|reason| K::TimerFired { reason }));
    out.extend([
        K::LinkUp {
            with: S,
            conn: CONN,
        },
        K::LinkDown {
            with: Some(S),
            conn: CONN,
        },
        K::LinkDown {
            with: None,
            conn: CONN,
        },
        K::ConnectFailed { to: S },
        K::DiskSynced { durable: z },
        K::DiskRead { found: 1 },
        K::DiskRead { found: 1234 },
        K::ClientArrived {
            client: CLIENT,
            session: SessionId::NONE,
        },
        K::ClientArrived {
            client: CLIENT,
            session: SESSION,
        },
        K::RequestReceived {
            client: CLIENT,
            session: SESSION,
            xid: 12,
            op: OpKind::GetAllChildrenNumber,
        },
        K::ClientLeft {
            client: CLIENT,
            session: Some(SESSION),
        },
        K::ClientLeft {
            client: CLIENT,
            session: None,
        },
    ]);
    for last_zxid in [Zxid::ZERO, Zxid::UNINITIALISED, z] {
        out.push(K::Started {
            last_zxid,
            current_epoch: Epoch(12),
            accepted_epoch: Epoch(13),
        });
    }
    for because in election_reasons() {
        for leader in [10, i64::MIN] {
            out.push(K::ElectionStarted {
                round: 12,
                vote: vote(12, 1234, leader),
                because,
            });
        }
        for was in [ServerState::Leading, ServerState::Following] {
            out.push(K::SteppedDown { was, because });
        }
    }
    for by in [
        VoteField::Epoch,
        VoteField::Zxid,
        VoteField::Id,
        VoteField::Same,
        VoteField::Weight,
    ] {
        for changes in [true, false] {
            out.push(K::VoteCompared {
                from: S2,
                theirs: vote(12, 1234, 12),
                ours: vote(12, 1200, 10),
                by,
                changes,
            });
        }
        for old in [10, 11] {
            out.push(K::VoteChanged {
                old: vote(12, 1200, old),
                new: vote(12, 1234, 12),
                from: S2,
                by,
            });
        }
    }
    out.push(K::VoteCompared {
        from: ME,
        theirs: vote(12, 1234, 10),
        ours: vote(12, 1234, 10),
        by: VoteField::Same,
        changes: false,
    });
    out.push(K::RoundAdvanced {
        old: 12,
        new: 13,
        from: S,
        vote: vote(12, 1234, 10),
    });
    for because in [
        IgnoreReason::OlderRound {
            theirs: 12,
            ours: 13,
        },
        IgnoreReason::SenderNoVoter,
        IgnoreReason::CandidateNoVoter,
        IgnoreReason::Uninitialised,
        IgnoreReason::NobodyLooking,
        IgnoreReason::SenderObserves,
    ] {
        out.push(K::VoteIgnored {
            from: S,
            vote: vote(12, 1234, 12),
            because,
        });
    }
    for state in [
        ServerState::Looking,
        ServerState::Following,
        ServerState::Leading,
        ServerState::Observing,
    ] {
        for from in [ME, S] {
            out.push(K::VoteRecorded {
                from,
                vote: vote(12, 1234, 12),
                state,
                supporters: 2,
                need: 3,
            });
        }
        out.push(K::VoteAnswered {
            to: S,
            state,
            vote: vote(12, 1234, 12),
            round: 13,
        });
        for by in [
            DecidedBy::QuorumThisRound,
            DecidedBy::SameRoundDecided,
            DecidedBy::RunningEnsemble,
        ] {
            out.push(K::Elected {
                leader: S,
                state,
                round: 13,
                vote: vote(12, 1234, 11),
                by,
            });
        }
    }
    out.extend([
        K::QuorumOfVotes {
            vote: vote(12, 1234, 12),
            supporters: 3,
            wait: Span::millis(200),
        },
        K::QuorumOvertaken {
            by: vote(12, 1234, 12),
        },
        K::VoteRepeated {
            next: Span::millis(51_200),
        },
        K::Connecting {
            leader: S,
            attempt: 1,
        },
        K::Connecting {
            leader: S,
            attempt: 5,
        },
        K::LearnerInfoSent {
            leader: S,
            accepted_epoch: Epoch(12),
        },
        K::LearnerInfoCounted {
            from: S,
            accepted_epoch: Epoch(12),
            have: 2,
            need: 3,
        },
        K::LearnerInfoCounted {
            from: ME,
            accepted_epoch: Epoch(12),
            have: 3,
            need: 3,
        },
        K::NewEpoch {
            epoch: Epoch(13),
            highest: Epoch(12),
        },
        K::AcceptedEpochSet {
            old: Epoch(12),
            new: Epoch(13),
        },
        K::EpochAcked {
            epoch: Epoch(13),
            last_zxid: z,
            current_epoch: Some(Epoch(12)),
        },
        K::EpochAcked {
            epoch: Epoch(13),
            last_zxid: z,
            current_epoch: None,
        },
        K::EpochAckCounted {
            from: S,
            last_zxid: z,
            current_epoch: Some(Epoch(12)),
            counted: true,
            have: 2,
            need: 3,
        },
        K::EpochAckCounted {
            from: S,
            last_zxid: z,
            current_epoch: None,
            counted: false,
            have: 2,
            need: 3,
        },
        K::CurrentEpochSet {
            old: Epoch(12),
            new: Epoch(13),
        },
        K::ReadingDiskLog {
            learner: S,
            from: z,
            min: z2,
        },
    ]);
    for because in [
        SyncRule::Equal,
        SyncRule::AheadOfLeader,
        SyncRule::InCommittedLog,
        SyncRule::WrongTail,
        SyncRule::WrongTailOtherEpoch,
        SyncRule::NewEpochOnly,
        SyncRule::FromDiskLog,
        SyncRule::DiskLogPurged,
        SyncRule::DiskLogTooLarge,
        SyncRule::DiskLogGap,
        SyncRule::DiskLogOff,
        SyncRule::NothingFits,
        SyncRule::Forced,
    ] {
        for mode in [SyncMode::Diff, SyncMode::Trunc, SyncMode::Snap] {
            out.push(K::SyncChosen {
                learner: S,
                mode,
                zxid: z2,
                because,
                peer: z,
                min: z,
                max: z2,
                last_processed: z2,
                queued: 1234,
            });
        }
    }
    for mode in [SyncMode::Diff, SyncMode::Trunc, SyncMode::Snap] {
        out.push(K::SyncStarted {
            mode,
            zxid: z2,
            ours: z,
        });
    }
    out.extend([
        K::OutstandingForwarded {
            learner: S,
            first: z,
            last: z2,
        },
        K::OutstandingForwarded {
            learner: S,
            first: z,
            last: z,
        },
        K::LogTruncated {
            to: z,
            first: Some(z),
            last: Some(z2),
            count: 66,
        },
        K::LogTruncated {
            to: z,
            first: Some(z2),
            last: Some(z2),
            count: 1,
        },
        K::LogTruncated {
            to: z,
            first: None,
            last: None,
            count: 0,
        },
        K::SnapshotInstalled {
            zxid: z,
            znodes: 1234,
        },
        K::HistoryComplete {
            epoch: Epoch(13),
            last_zxid: z,
        },
        K::NewLeaderAckCounted {
            from: S,
            have: 2,
            need: 3,
        },
        K::NewLeaderAckCounted {
            from: ME,
            have: 1,
            need: 3,
        },
        K::Established {
            epoch: Epoch(13),
            with: 3,
        },
        K::UpToDateSent { learner: S },
        K::ServingAlone { last_zxid: z },
        K::Serving {
            leader: S,
            epoch: Epoch(13),
            last_zxid: z,
        },
        K::RequestForwarded {
            leader: S,
            session: SESSION,
            xid: 12,
            op: OpKind::DeleteContainer,
        },
        K::RequestForwarded {
            leader: S,
            session: SESSION,
            xid: 12,
            op: OpKind::Sync,
        },
        K::Proposed {
            zxid: z,
            session: SESSION,
            cxid: 12,
            txn: TxnKind::SetData,
            path: Some(path()),
            error: None,
        },
        K::Logged { zxid: z },
        K::AckSent { zxid: z, to: S },
        K::AckCounted {
            zxid: z,
            from: S,
            have: 2,
            need: 3,
        },
        K::AckCounted {
            zxid: z,
            from: ME,
            have: 3,
            need: 3,
        },
        K::AckIgnored { zxid: z, from: S },
        K::Committed {
            zxid: z,
            acks: 3,
            need: 3,
        },
        K::DigestMismatch {
            zxid: z,
            expected: u64::MAX,
            found: u64::MAX - 1,
        },
        K::SnapshotTaken { zxid: z },
        K::PingsSent { learners: 1 },
        K::PingsSent { learners: 4 },
        K::QuorumChecked {
            in_time: 2,
            need: 3,
        },
        K::QuorumChecked {
            in_time: 3,
            need: 3,
        },
        K::SessionProposed {
            session: SESSION,
            timeout_ms: 40_000,
        },
        K::LocalSessionBegan {
            session: SESSION,
            timeout_ms: 40_000,
        },
        K::LocalSessionEnded {
            session: SESSION,
            expired: true,
        },
        K::LocalSessionEnded {
            session: SESSION,
            expired: false,
        },
        K::SessionUpgraded { session: SESSION },
        K::MembersSeen {
            version: z,
            voters: 3,
            observers: 1,
        },
        K::MembersActivated {
            version: z,
            voters: 3,
            observers: 1,
        },
        K::ReadOnlyBegan { last_zxid: z },
        K::SessionTouched { session: SESSION },
        K::SessionExpired {
            session: SESSION,
            timeout_ms: 40_000,
        },
        K::SessionEnded {
            session: SESSION,
            ephemerals: 1,
        },
        K::RequestQueued {
            session: SESSION,
            xid: 12,
            op: OpKind::GetAllChildrenNumber,
        },
        K::SyncAnswered {
            client: CLIENT,
            session: SESSION,
            xid: 12,
            zxid: z,
        },
        K::WatchRemoved {
            client: CLIENT,
            path: path(),
        },
        K::Authenticated {
            client: CLIENT,
            scheme: Arc::from("digest"),
        },
        K::ContainerFound { path: path() },
    ]);
    for error in ERRORS {
        out.push(K::Proposed {
            zxid: z,
            session: SESSION,
            cxid: 12,
            txn: TxnKind::Error,
            path: None,
            error: Some(error),
        });
        out.push(K::RequestRefused {
            session: SESSION,
            cxid: 12,
            error,
        });
        out.push(K::WriteAnswered {
            client: CLIENT,
            session: SESSION,
            xid: 12,
            op: OpKind::DeleteContainer,
            zxid: z,
            error: Some(error),
        });
        out.push(K::ReadServed {
            client: CLIENT,
            session: SESSION,
            xid: 12,
            op: OpKind::GetData,
            path: Some(path()),
            zxid: z,
            error: Some(error),
        });
    }
    for txn in [
        TxnKind::CreateSession,
        TxnKind::CloseSession,
        TxnKind::Create,
        TxnKind::Delete,
        TxnKind::SetData,
        TxnKind::Reconfig,
        TxnKind::SetAcl,
        TxnKind::Check,
        TxnKind::Multi,
        TxnKind::Error,
    ] {
        for error in [None, Some(ErrorCode::NoNode)] {
            out.push(K::Applied {
                zxid: z,
                txn,
                path: Some(path()),
                error,
                digest: 1,
            });
        }
    }
    for because in [
        DropReason::NotLeading,
        DropReason::Replaced,
        DropReason::NewerConfig,
        DropReason::Silent {
            waited: Span::millis(10_000),
        },
        DropReason::ProposalUnacked { zxid: z },
        DropReason::Unexpected(MessageKind::UpToDate),
        DropReason::TooMuchWaits,
        DropReason::TooManySyncs,
        DropReason::SteppingDown,
    ] {
        out.push(K::LinkDropped { with: S, because });
    }
    for yes in [true, false] {
        out.push(K::SessionAttached {
            session: SESSION,
            client: CLIENT,
            moved: yes,
            timeout_ms: 40_000,
        });
        out.push(K::SessionValidated {
            session: SESSION,
            at: S,
            valid: yes,
        });
    }
    for because in [
        RefuseReason::NotServing,
        RefuseReason::LeaderDoesNotServe,
        RefuseReason::OnlyReads,
        RefuseReason::SessionNeedsQuorum,
        RefuseReason::ClientAhead { seen: z2, have: z },
        RefuseReason::WrongPassword,
        RefuseReason::SessionUnknown,
        RefuseReason::SessionTakenOver,
        RefuseReason::SessionMoved,
        RefuseReason::SessionClosed,
        RefuseReason::ServerStopsServing,
        RefuseReason::Protocol(ErrorCode::Unimplemented),
    ] {
        out.push(K::ClientRefused {
            client: CLIENT,
            because,
        });
    }
    out.push(K::ReadServed {
        client: CLIENT,
        session: SESSION,
        xid: 12,
        op: OpKind::GetChildren,
        path: Some(path()),
        zxid: z,
        error: None,
    });
    out.push(K::WriteAnswered {
        client: CLIENT,
        session: SESSION,
        xid: 12,
        op: OpKind::SetData,
        zxid: z,
        error: None,
    });
    for kind in [
        WatchKind::Data,
        WatchKind::Child,
        WatchKind::Persistent,
        WatchKind::Recursive,
    ] {
        out.push(K::WatchSet {
            client: CLIENT,
            path: path(),
            kind,
        });
    }
    for event in [
        WatchEventKind::NodeCreated,
        WatchEventKind::NodeDeleted,
        WatchEventKind::NodeDataChanged,
        WatchEventKind::NodeChildrenChanged,
    ] {
        for zxid in [None, Some(z)] {
            for consumed in [true, false] {
                for withheld in [true, false] {
                    out.push(K::WatchFired {
                        client: CLIENT,
                        path: path(),
                        event,
                        zxid,
                        consumed,
                        withheld,
                    });
                }
            }
        }
    }
    out
}

fn world_kinds() -> Vec<W> {
    let (z, z2) = (zxid(12, 1234), zxid(12, 1299));
    let (slow, normal) = (Span::millis(400), Span(0));
    let mut out = vec![
        W::Crashed {
            server: S,
            lost: Arc::from([]),
        },
        W::Crashed {
            server: S,
            lost: Arc::from([z]),
        },
        W::Crashed {
            server: S,
            lost: Arc::from([z, z2]),
        },
        W::Restarted { server: S },
        W::Paused { server: S },
        W::Resumed {
            server: S,
            waiting: 1,
        },
        W::Resumed {
            server: S,
            waiting: 12,
        },
        W::DiskLost { server: S },
        W::LinkCut { a: S, b: S2 },
        W::DirectionCut { from: S, to: S2 },
        W::LinkHealed { a: S, b: S2 },
        W::Partitioned {
            groups: Arc::from([
                (1..=6).map(ServerId).collect::<BTreeSet<_>>(),
                (7..=13).map(ServerId).collect(),
            ]),
        },
        W::AllHealed,
        W::RulesSet {
            rules: zabscope_core::rules::Rules::ALL,
        },
        W::RulesSet {
            rules: zabscope_core::rules::Rules::ALL
                .without(zabscope_core::rules::Rule::Quorum)
                .without(zabscope_core::rules::Rule::DurableAck),
        },
        W::FaultsSet {
            repeat: 0,
            random: false,
        },
        W::FaultsSet {
            repeat: 0,
            random: true,
        },
        W::FaultsSet {
            repeat: 2,
            random: false,
        },
        W::FaultsSet {
            repeat: 1,
            random: true,
        },
        W::ClientAdded { client: NO },
        W::ClientPaused { client: NO },
        W::ClientResumed { client: NO },
        W::ClientExpired {
            client: NO,
            server: S,
            session: SESSION,
        },
        W::ClientClosed {
            client: NO,
            session: SESSION,
        },
    ];
    for extra in [slow, normal] {
        out.push(W::DiskSlowed { server: S, extra });
        out.push(W::LinkSlowed { a: S, b: S2, extra });
    }
    for because in [
        LostBecause::LinkCut,
        LostBecause::ReceiverDown,
        LostBecause::SenderDown,
        LostBecause::ConnectionClosed,
        LostBecause::ReplacedByNewerVote,
    ] {
        out.push(W::ConnectionBroken {
            conn: CONN,
            from: S,
            to: S2,
            because,
            lost: 1,
        });
        for (message, zxid) in [
            (MessageKind::Notification, None),
            (MessageKind::Proposal, Some(z)),
            (MessageKind::Ping, Some(z)),
        ] {
            out.push(W::MessageLost {
                from: S,
                to: S2,
                message,
                zxid,
                because,
            });
        }
    }
    for session in [None, Some(SESSION)] {
        out.push(W::ClientConnecting {
            client: NO,
            server: S,
            session,
            last_zxid_seen: z,
        });
    }
    for resumed in [true, false] {
        out.push(W::ClientConnected {
            client: NO,
            server: S,
            session: SESSION,
            resumed,
            timeout_ms: 40_000,
        });
    }
    for because in [
        GaveUpBecause::Refused,
        GaveUpBecause::ConnectTimeout {
            waited: Span::millis(13_333),
        },
        GaveUpBecause::Silent {
            waited: Span::millis(26_666),
        },
        GaveUpBecause::ClosedByServer,
        GaveUpBecause::ServerCrashed,
        GaveUpBecause::Dropped,
        GaveUpBecause::Moves,
        GaveUpBecause::ReplyOutOfOrder { xid: 12 },
    ] {
        out.push(W::ClientGaveUp {
            client: NO,
            server: S,
            because,
            unanswered: 12,
        });
    }
    for op in [OpKind::Ping, OpKind::SetData] {
        out.push(W::RequestSent {
            client: NO,
            server: S,
            conn: CLIENT,
            xid: 12,
            op,
            path: Some(path()),
        });
        for error in [None, Some(ErrorCode::RuntimeInconsistency)] {
            out.push(W::ReplyReceived {
                client: NO,
                server: S,
                xid: 12,
                op,
                zxid: z,
                error,
            });
        }
    }
    for zxid in [Zxid(-1), z] {
        out.push(W::WatchReceived {
            client: NO,
            server: S,
            event: WatchEventKind::NodeChildrenChanged,
            path: path(),
            zxid,
        });
    }
    for path in [None, Some(path())] {
        out.push(W::StaleRead {
            client: NO,
            server: S,
            path,
            shown: z,
            newest: z2,
            behind_by: 65,
        });
    }
    out
}

/// All of them.
pub(super) fn all() -> Vec<Fact> {
    peer_kinds()
        .into_iter()
        .map(|kind| peer(ME, kind))
        .chain(world_kinds().into_iter().map(world))
        .collect()
}
