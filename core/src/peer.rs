//! The whole boundary of a server, and nothing but dispatch.

pub mod event;
pub mod input;
pub mod output;

use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// What a deadline is for. Every timer has a reason, and both can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WaitReason {
    /// LOOKING: no notification came for so long, repeat the vote.
    RepeatVote,
    /// LOOKING: votes are a quorum, does a better one come?
    FinalizeWait,
    /// Learner: try again to reach the leader.
    RetryConnect,
    /// Learner: the leader has initLimit for discovery and synchronisation.
    LearnerInitLimit,
    /// Learner: the leader may be silent for syncLimit.
    LearnerSyncLimit,
    /// Leader: a quorum must tell its acceptedEpochs within initLimit.
    QuorumOfLearnerInfo,
    /// Leader: a quorum must accept the epoch within initLimit.
    QuorumOfEpochAcks,
    /// Leader: a quorum must acknowledge NEWLEADER within initLimit.
    QuorumOfNewLeaderAcks,
    /// Leader: half a tick has passed; ping, and check the quorum every second time.
    HalfTick,
    /// Leader: look for sessions that have expired.
    SessionExpiry,
    /// Leader: look for empty containers and outdated TTL nodes.
    ContainerCheck,
}

/// A deadline with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// When.
    pub at: Moment,
    /// What for.
    pub reason: WaitReason,
}
