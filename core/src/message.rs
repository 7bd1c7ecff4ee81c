//! What servers say to each other, in the order of the protocol (ZooKeeper.md 2.3, 3.1).

use crate::{
    id::{Epoch, ServerId, SessionId, StorageSeq, Zxid},
    request::{AuthId, Write},
    tree::Database,
    txn::Txn,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A server's state as it is told to others (2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServerState {
    /// Looks for a leader.
    Looking = 0,
    /// Follows, with a vote.
    Following = 1,
    /// Leads.
    Leading = 2,
    /// Follows, without a vote.
    Observing = 3,
}

/// A vote, compared as (peer epoch, zxid, id): the fields stand in that order.
///
/// [`Ord`] is exactly that comparison (2.4); the weight of the candidate is the election's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vote {
    /// currentEpoch of the proposed leader.
    pub epoch: Epoch,
    /// Last logged zxid of the proposed leader.
    pub zxid: Zxid,
    /// The proposed leader.
    pub leader: ServerId,
}

/// An election message (2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notification {
    /// The sender's state.
    pub state: ServerState,
    /// What it votes for, or whom it follows.
    pub vote: Vote,
    /// The election round (logical clock) in which it voted so.
    pub round: u64,
    /// Version of the sender's membership, [`crate::config::Membership::version`].
    pub config_version: Zxid,
    /// The text of that membership, where the ensemble can be reconfigured (2.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Arc<str>>,
}

/// A write or sync that a learner hands to the leader (REQUEST).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForwardedRequest {
    /// Whose; its own id for createSession.
    pub session: SessionId,
    /// The client's xid; 0 for createSession.
    pub cxid: i32,
    /// What is asked for.
    pub op: ForwardedOp,
    /// Who asks.
    pub auth: Arc<[AuthId]>,
}

/// What a learner may forward.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ForwardedOp {
    /// A change.
    Write(Write),
    /// "Tell me when I have all that you have committed." Answered by SYNC, in FIFO order.
    Sync,
}

/// An acknowledgement: it exists only where its bytes are on disk or about to be, and carries the
/// storage operation that it must wait for. See [`crate::log`] for the two ways to get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ack {
    pub(crate) zxid: Zxid,
    pub(crate) after: Option<StorageSeq>,
}

impl Ack {
    /// An ACK as read from the network: about another server's disk, so nothing to wait for here.
    #[must_use]
    pub fn received(zxid: Zxid) -> Ack {
        Ack { zxid, after: None }
    }

    /// One that waits for nothing, against the protocol: without [`Rule::DurableAck`](crate::rules::Rule).
    pub(crate) fn hasty(self) -> Ack {
        Ack::received(self.zxid)
    }

    /// What is acknowledged: a transaction, or `epoch << 32` for NEWLEADER.
    #[must_use]
    pub fn zxid(&self) -> Zxid {
        self.zxid
    }
}

/// A packet between learner and leader, in the order in which the protocol uses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QuorumMessage {
    /// 11 and 16, learner: "I last accepted this epoch". FOLLOWERINFO or OBSERVERINFO.
    LearnerInfo {
        /// acceptedEpoch.
        accepted_epoch: Epoch,
        /// OBSERVERINFO.
        observer: bool,
        /// Version of its membership; newer than the leader's: refused.
        config_version: Zxid,
    },
    /// 17, leader: "the new epoch is".
    LeaderInfo {
        /// max of all acceptedEpochs of a quorum, plus one.
        epoch: Epoch,
    },
    /// 18, learner: "accepted; my history ends here".
    AckEpoch {
        /// Last logged zxid.
        last_zxid: Zxid,
        /// currentEpoch; `None` (-1 on the wire) when the epoch had been accepted before.
        current_epoch: Option<Epoch>,
    },
    /// 13, leader: what follows is missing.
    Diff {
        /// Where the leader's committed history ends.
        zxid: Zxid,
    },
    /// 14, leader: cut the log after this.
    Trunc {
        /// The last transaction to keep.
        zxid: Zxid,
    },
    /// 15, leader: the whole tree.
    Snap {
        /// The last zxid that it contains.
        zxid: Zxid,
        /// Sessions and znodes.
        snapshot: Arc<Database>,
    },
    /// 10, leader: the history is complete; make it durable, then the epoch.
    NewLeader {
        /// `epoch << 32`.
        zxid: Zxid,
        /// The membership's text, where the ensemble can be reconfigured (2.5).
        members: Option<Arc<str>>,
    },
    /// 12, leader: a quorum did; serve.
    UpToDate,
    /// 1, learner: a client's write or sync.
    Request(ForwardedRequest),
    /// 2, leader: to be logged.
    Proposal(Arc<Txn>),
    /// 3, follower: it is on disk.
    Ack(Ack),
    /// 4, leader: a quorum has it on disk. No payload.
    Commit {
        /// Which.
        zxid: Zxid,
    },
    /// 8, leader to observer: proposal and commit in one.
    Inform(Arc<Txn>),
    /// 5, leader: are you there?
    Ping {
        /// Last proposed zxid.
        zxid: Zxid,
    },
    /// 5, learner: yes, and I heard from these sessions.
    Pong {
        /// Copied.
        zxid: Zxid,
        /// (session, time-out in ms).
        touched: Vec<(SessionId, i32)>,
    },
    /// 6, learner: a client came with this session; is it alive?
    Revalidate {
        /// Which.
        session: SessionId,
        /// Its time-out in ms.
        timeout_ms: i32,
    },
    /// 6, leader.
    Revalidated {
        /// Which.
        session: SessionId,
        /// Alive; the asking server is now its owner.
        valid: bool,
    },
    /// 7, leader: answers the oldest open sync of this learner.
    Sync,
    /// 9, leader: a quorum of the old and of the new membership has a reconfiguration on disk; it holds
    /// from now on.
    CommitAndActivate {
        /// Which.
        zxid: Zxid,
        /// Who should lead from now on.
        designated: ServerId,
    },
    /// 19, leader to observer: proposal of a reconfiguration, commit and activation in one.
    InformAndActivate {
        /// The transaction.
        txn: Arc<Txn>,
        /// Who should lead from now on.
        designated: ServerId,
    },
}

/// The name of a packet without its contents: for events, filters and traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // ZooKeeper's own names, explained at the variants above
pub enum MessageKind {
    Notification,
    FollowerInfo,
    ObserverInfo,
    LeaderInfo,
    AckEpoch,
    Diff,
    Trunc,
    Snap,
    NewLeader,
    UpToDate,
    Request,
    Proposal,
    Ack,
    Commit,
    Inform,
    Ping,
    Pong,
    Revalidate,
    Revalidated,
    Sync,
    CommitAndActivate,
    InformAndActivate,
}

impl MessageKind {
    /// As ZooKeeper writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::Notification => "NOTIFICATION",
            MessageKind::FollowerInfo => "FOLLOWERINFO",
            MessageKind::ObserverInfo => "OBSERVERINFO",
            MessageKind::LeaderInfo => "LEADERINFO",
            MessageKind::AckEpoch => "ACKEPOCH",
            MessageKind::Diff => "DIFF",
            MessageKind::Trunc => "TRUNC",
            MessageKind::Snap => "SNAP",
            MessageKind::NewLeader => "NEWLEADER",
            MessageKind::UpToDate => "UPTODATE",
            MessageKind::Request => "REQUEST",
            MessageKind::Proposal => "PROPOSAL",
            MessageKind::Ack => "ACK",
            MessageKind::Commit => "COMMIT",
            MessageKind::Inform => "INFORM",
            MessageKind::Ping => "PING",
            MessageKind::Pong => "PING reply",
            MessageKind::Revalidate => "REVALIDATE",
            MessageKind::Revalidated => "REVALIDATE reply",
            MessageKind::Sync => "SYNC",
            MessageKind::CommitAndActivate => "COMMITANDACTIVATE",
            MessageKind::InformAndActivate => "INFORMANDACTIVATE",
        }
    }

    /// Whether it only keeps something alive; the page folds these.
    #[must_use]
    pub const fn is_heartbeat(self) -> bool {
        matches!(self, MessageKind::Ping | MessageKind::Pong)
    }
}

impl QuorumMessage {
    /// Its name.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match self {
            QuorumMessage::LearnerInfo {
                observer: false, ..
            } => MessageKind::FollowerInfo,
            QuorumMessage::LearnerInfo { observer: true, .. } => MessageKind::ObserverInfo,
            QuorumMessage::LeaderInfo { .. } => MessageKind::LeaderInfo,
            QuorumMessage::AckEpoch { .. } => MessageKind::AckEpoch,
            QuorumMessage::Diff { .. } => MessageKind::Diff,
            QuorumMessage::Trunc { .. } => MessageKind::Trunc,
            QuorumMessage::Snap { .. } => MessageKind::Snap,
            QuorumMessage::NewLeader { .. } => MessageKind::NewLeader,
            QuorumMessage::UpToDate => MessageKind::UpToDate,
            QuorumMessage::Request(_) => MessageKind::Request,
            QuorumMessage::Proposal(_) => MessageKind::Proposal,
            QuorumMessage::Ack(_) => MessageKind::Ack,
            QuorumMessage::Commit { .. } => MessageKind::Commit,
            QuorumMessage::Inform(_) => MessageKind::Inform,
            QuorumMessage::Ping { .. } => MessageKind::Ping,
            QuorumMessage::Pong { .. } => MessageKind::Pong,
            QuorumMessage::Revalidate { .. } => MessageKind::Revalidate,
            QuorumMessage::Revalidated { .. } => MessageKind::Revalidated,
            QuorumMessage::Sync => MessageKind::Sync,
            QuorumMessage::CommitAndActivate { .. } => MessageKind::CommitAndActivate,
            QuorumMessage::InformAndActivate { .. } => MessageKind::InformAndActivate,
        }
    }

    /// The zxid it is about, if any.
    #[must_use]
    pub fn zxid(&self) -> Option<Zxid> {
        match self {
            QuorumMessage::LearnerInfo { accepted_epoch, .. } => Some(accepted_epoch.start()),
            QuorumMessage::LeaderInfo { epoch } => Some(epoch.start()),
            QuorumMessage::AckEpoch { last_zxid, .. } => Some(*last_zxid),
            QuorumMessage::Diff { zxid }
            | QuorumMessage::Trunc { zxid }
            | QuorumMessage::Snap { zxid, .. }
            | QuorumMessage::NewLeader { zxid, .. }
            | QuorumMessage::Commit { zxid }
            | QuorumMessage::CommitAndActivate { zxid, .. }
            | QuorumMessage::Ping { zxid }
            | QuorumMessage::Pong { zxid, .. } => Some(*zxid),
            QuorumMessage::Proposal(txn)
            | QuorumMessage::Inform(txn)
            | QuorumMessage::InformAndActivate { txn, .. } => Some(txn.zxid()),
            QuorumMessage::Ack(ack) => Some(ack.zxid()),
            QuorumMessage::UpToDate
            | QuorumMessage::Request(_)
            | QuorumMessage::Revalidate { .. }
            | QuorumMessage::Revalidated { .. }
            | QuorumMessage::Sync => None,
        }
    }
}
