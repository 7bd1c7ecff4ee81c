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

/// A stand-in with the signature of the real one, so that the simulator compiles until that lands.
mod shim {
    use super::{
        Wait,
        event::Phase,
        input::Input,
        output::{Output, StorageSeq},
    };
    use crate::{
        config::Config,
        id::{Epoch, ServerId, Zxid},
        log::Stored,
        message::{ServerState, Vote},
        time::Now,
        tree::Database,
    };
    use std::sync::Arc;

    /// A server.
    #[derive(Clone)]
    pub struct Peer {
        cfg: Arc<Config>,
        next_event: u64,
        storage: StorageSeq,
        database: Database,
    }

    #[allow(missing_docs)]
    impl Peer {
        pub fn start(
            cfg: Arc<Config>,
            _stored: Stored,
            _now: Now,
            next_event: u64,
            storage: StorageSeq,
            _out: &mut Output,
        ) -> Peer {
            Peer {
                cfg,
                next_event,
                storage,
                database: Database::new(),
            }
        }
        pub fn handle(&mut self, _now: Now, _input: Input, _out: &mut Output) {}
        #[must_use]
        pub fn deadline(&self) -> Option<Wait> {
            None
        }
        #[must_use]
        pub fn next_event(&self) -> u64 {
            self.next_event
        }
        #[must_use]
        pub fn last_storage(&self) -> StorageSeq {
            self.storage
        }
        #[must_use]
        pub fn id(&self) -> ServerId {
            self.cfg.my_id
        }
        #[must_use]
        pub fn state(&self) -> ServerState {
            ServerState::Looking
        }
        #[must_use]
        pub fn phase(&self) -> Phase {
            Phase::Election
        }
        #[must_use]
        pub fn serving(&self) -> bool {
            false
        }
        #[must_use]
        pub fn accepted_epoch(&self) -> Epoch {
            Epoch(0)
        }
        #[must_use]
        pub fn current_epoch(&self) -> Epoch {
            Epoch(0)
        }
        #[must_use]
        pub fn round(&self) -> u64 {
            0
        }
        #[must_use]
        pub fn vote(&self) -> Vote {
            Vote {
                epoch: Epoch(0),
                zxid: Zxid::ZERO,
                leader: self.cfg.my_id,
            }
        }
        #[must_use]
        pub fn leader(&self) -> Option<ServerId> {
            None
        }
        #[must_use]
        pub fn last_logged(&self) -> Zxid {
            Zxid::ZERO
        }
        #[must_use]
        pub fn last_committed(&self) -> Zxid {
            Zxid::ZERO
        }
        #[must_use]
        pub fn last_applied(&self) -> Zxid {
            Zxid::ZERO
        }
        #[must_use]
        pub fn database(&self) -> &Database {
            &self.database
        }
    }
}
pub use shim::Peer;
