//! What *Step* stops at, and what is folded away.

use zabscope_core::{
    message::ServerState,
    peer::{
        WaitReason,
        event::{EventKind, IgnoreReason, OpKind, SyncMode, VoteField},
    },
    sim::{Fact, GaveUpBecause, WorldEventKind},
};

/// How much a fact matters to somebody who watches; the higher, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Importance {
    /// Keeps something alive, or a disk's tick: folded unless asked for.
    Heartbeat,
    /// A detail of what is told elsewhere: in the list, but *Step* passes over it.
    Detail,
    /// *Step* stops here.
    Step,
    /// A turning point: *Next phase* stops here, the timeline marks it.
    Headline,
}

/// How much this fact matters.
#[must_use]
#[allow(clippy::too_many_lines)] // one arm for each kind
pub fn importance(fact: &Fact) -> Importance {
    use EventKind as K;
    use Importance::{Detail, Headline, Heartbeat, Step};
    use WorldEventKind as W;
    let event = match fact {
        Fact::Peer(event) => event,
        Fact::World(event) => {
            return match &event.kind {
                W::Crashed { .. }
                | W::Restarted { .. }
                | W::Paused { .. }
                | W::Resumed { .. }
                | W::DiskSlowed { .. }
                | W::DiskLost { .. }
                | W::LinkCut { .. }
                | W::DirectionCut { .. }
                | W::LinkHealed { .. }
                | W::LinkSlowed { .. }
                | W::Partitioned { .. }
                | W::AllHealed
                | W::ClientPaused { .. }
                | W::ClientResumed { .. }
                | W::ClientExpired { .. }
                | W::StaleRead { .. }
                | W::RulesSet { .. }
                | W::FaultsSet { .. } => Headline,
                W::ClientAdded { .. }
                | W::ClientConnected { .. }
                | W::ClientClosed { .. }
                | W::WatchReceived { .. } => Step,
                W::ClientGaveUp { because, .. } => match because {
                    // An attempt of many while there is no leader.
                    GaveUpBecause::Refused | GaveUpBecause::ConnectTimeout { .. } => Detail,
                    GaveUpBecause::Silent { .. }
                    | GaveUpBecause::ClosedByServer
                    | GaveUpBecause::ServerCrashed
                    | GaveUpBecause::Dropped
                    | GaveUpBecause::Moves
                    | GaveUpBecause::ReplyOutOfOrder { .. } => Step,
                },
                W::RequestSent { op, .. } | W::ReplyReceived { op, .. } => request(*op, Step),
                W::MessageLost { message, .. } if message.is_heartbeat() => Heartbeat,
                W::ConnectionBroken { .. } | W::MessageLost { .. } | W::ClientConnecting { .. } => {
                    Detail
                }
            };
        }
    };
    match &event.kind {
        K::Received { message, .. } => {
            if message.is_heartbeat() {
                Heartbeat
            } else {
                Detail
            }
        }
        K::TimerFired { reason } => match reason {
            WaitReason::HalfTick | WaitReason::SessionExpiry | WaitReason::ContainerCheck => {
                Heartbeat
            }
            WaitReason::RepeatVote
            | WaitReason::ReadOnlyService
            | WaitReason::FinalizeWait
            | WaitReason::RetryConnect
            | WaitReason::ObserverRest
            | WaitReason::LearnerInitLimit
            | WaitReason::LearnerSyncLimit
            | WaitReason::QuorumOfLearnerInfo
            | WaitReason::QuorumOfEpochAcks
            | WaitReason::QuorumOfNewLeaderAcks => Detail,
        },
        K::DiskSynced { .. } | K::PingsSent { .. } | K::SessionTouched { .. } => Heartbeat,
        K::RequestReceived { op, .. } => request(*op, Detail),
        K::LinkUp { .. }
        | K::LinkDown { .. }
        | K::ConnectFailed { .. }
        | K::DiskRead { .. }
        | K::ClientArrived { .. }
        | K::ClientLeft { .. } => Detail,

        K::Started { .. } | K::ElectionStarted { .. } => Step,
        K::VoteCompared {
            from,
            theirs,
            by,
            changes,
            ..
        } => match by {
            VoteField::Same => Detail,
            VoteField::Epoch | VoteField::Zxid | VoteField::Id | VoteField::Weight => {
                // A change is told by the event that follows. A vote that is kept matters when a
                // candidate itself stands against it; later echoes of the same vote do not.
                if !*changes && theirs.leader == *from {
                    Step
                } else {
                    Detail
                }
            }
        },
        K::VoteChanged { .. }
        | K::RoundAdvanced { .. }
        | K::QuorumOfVotes { .. }
        | K::QuorumOvertaken { .. } => Step,
        K::VoteIgnored { because, .. } => match because {
            IgnoreReason::OlderRound { .. } | IgnoreReason::Uninitialised => Step,
            IgnoreReason::SenderNoVoter
            | IgnoreReason::CandidateNoVoter
            | IgnoreReason::NobodyLooking
            | IgnoreReason::SenderObserves => Detail,
        },
        K::VoteRecorded { .. } | K::VoteAnswered { .. } | K::VoteRepeated { .. } => Detail,
        K::Elected { state, .. } => match state {
            ServerState::Leading => Headline,
            ServerState::Following | ServerState::Observing | ServerState::Looking => Step,
        },

        K::Connecting { .. } | K::LearnerInfoSent { .. } | K::EpochAckCounted { .. } => Detail,
        K::LearnerInfoCounted { .. }
        | K::AcceptedEpochSet { .. }
        | K::EpochAcked { .. }
        | K::CurrentEpochSet { .. } => Step,
        K::NewEpoch { .. } => Headline,

        K::SyncChosen { mode, .. } => match mode {
            SyncMode::Diff => Step,
            SyncMode::Trunc | SyncMode::Snap => Headline,
        },
        K::LogTruncated { count, .. } => {
            if *count > 0 {
                Headline
            } else {
                Detail
            }
        }
        K::SnapshotInstalled { .. }
        | K::HistoryComplete { .. }
        | K::NewLeaderAckCounted { .. }
        | K::Serving { .. } => Step,
        K::Established { .. } | K::ServingAlone { .. } => Headline,
        K::ReadingDiskLog { .. }
        | K::OutstandingForwarded { .. }
        | K::SyncStarted { .. }
        | K::UpToDateSent { .. } => Detail,

        K::RequestForwarded { .. }
        | K::Proposed { .. }
        | K::RequestRefused { .. }
        | K::AckSent { .. }
        | K::AckCounted { .. } => Step,
        K::Committed { .. } | K::DigestMismatch { .. } => Headline,
        K::Logged { .. } | K::AckIgnored { .. } | K::Applied { .. } | K::SnapshotTaken { .. } => {
            Detail
        }

        K::QuorumChecked { in_time, need } => {
            if in_time < need {
                Step
            } else {
                Heartbeat
            }
        }
        K::LinkDropped { .. } => Step,
        K::SteppedDown { .. } | K::SessionExpired { .. } => Headline,

        K::ReadOnlyBegan { .. } | K::MembersSeen { .. } => Step,
        K::MembersActivated { .. } => Headline,
        K::SessionProposed { .. }
        | K::LocalSessionBegan { .. }
        | K::LocalSessionEnded { .. }
        | K::SessionUpgraded { .. }
        | K::SessionAttached { .. }
        | K::SessionValidated { .. }
        | K::WatchRemoved { .. }
        | K::Authenticated { .. } => Detail,
        K::SessionEnded { .. }
        | K::ClientRefused { .. }
        | K::RequestQueued { .. }
        | K::SyncAnswered { .. }
        | K::WatchSet { .. }
        | K::WatchFired { .. }
        | K::ContainerFound { .. } => Step,
        K::ReadServed { op, .. } | K::WriteAnswered { op, .. } => request(*op, Step),
    }
}

fn request(op: OpKind, other: Importance) -> Importance {
    match op {
        OpKind::Ping => Importance::Heartbeat,
        OpKind::Exists
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
        | OpKind::CreateSession
        | OpKind::CloseSession
        | OpKind::Create
        | OpKind::Delete
        | OpKind::DeleteContainer
        | OpKind::SetData
        | OpKind::SetAcl
        | OpKind::Check
        | OpKind::Multi
        | OpKind::Reconfig
        | OpKind::Sasl
        | OpKind::Unreadable
        | OpKind::Refused => other,
    }
}
