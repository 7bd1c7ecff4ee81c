//! The quorum protocol's packets (ZooKeeper.md 3.1): a stream of records without lengths around them.
//!
//! A [`Packet`] is what travels. Most packets are a [`QuorumMessage`] and nothing else; the others say
//! more than the protocol's core works with, and keep it for the server around it: who a learner is,
//! the text of a configuration, who leads after a reconfiguration. What a packet means can depend on
//! who sent it, so [`decode`] is told.
//!
//! After [`Packet::Snap`] comes the database itself, also without a length: the bytes behind the packet
//! go to a [`super::snapshot::Loader`] of [`super::snapshot::Form::Wire`], or to its parser for whoever
//! wants to keep them elsewhere, which says where the snapshot ends and packets begin again.

mod packet;

pub use packet::{RawPacket, decode, encode};

use crate::{
    id::{Epoch, ServerId, Zxid},
    message::{ForwardedOp, ForwardedRequest, QuorumMessage},
    txn::Txn,
};
use std::sync::Arc;

/// The protocol's version in LearnerInfo and LEADERINFO.
pub const PROTOCOL_VERSION: i32 = 0x1_0000;

/// Who sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A follower or an observer.
    Learner,
    /// The leader, or an observer master.
    Leader,
}

/// How a learner introduces itself (FOLLOWERINFO, OBSERVERINFO). Older ones say less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerInfo {
    /// Whether it is an observer.
    pub observer: bool,
    /// The beginning of acceptedEpoch; before protocol version 0x10000 its last zxid.
    pub accepted: Zxid,
    /// What follows.
    pub about: About,
}

/// What a learner says about itself; each says all that the one before it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing: the leader makes up a negative id.
    Anonymous,
    /// 8 bytes.
    Id(ServerId),
    /// 12 bytes.
    Versioned {
        /// Its id.
        id: ServerId,
        /// The version of its protocol.
        protocol: i32,
    },
    /// 20 bytes, as every ZooKeeper since 3.5.
    Configured {
        /// Its id.
        id: ServerId,
        /// The version of its protocol.
        protocol: i32,
        /// The version of its configuration.
        config: Zxid,
    },
}

impl LearnerInfo {
    /// Its id, if it says one.
    #[must_use]
    pub fn id(&self) -> Option<ServerId> {
        match self.about {
            About::Anonymous => None,
            About::Id(id) | About::Versioned { id, .. } | About::Configured { id, .. } => Some(id),
        }
    }

    /// The version of its protocol; 0 if it does not say. Below [`PROTOCOL_VERSION`] it knows nothing
    /// of LEADERINFO and ACKEPOCH.
    #[must_use]
    pub fn protocol(&self) -> i32 {
        match self.about {
            About::Anonymous | About::Id(_) => 0,
            About::Versioned { protocol, .. } | About::Configured { protocol, .. } => protocol,
        }
    }

    /// The version of its configuration; 0 if it does not say.
    #[must_use]
    pub fn config(&self) -> Zxid {
        match self.about {
            About::Anonymous | About::Id(_) | About::Versioned { .. } => Zxid::ZERO,
            About::Configured { config, .. } => config,
        }
    }
}

/// One packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    /// A packet that is a message and nothing else. Never one of those below.
    Message(QuorumMessage),
    /// 11 and 16: FOLLOWERINFO and OBSERVERINFO.
    LearnerInfo(LearnerInfo),
    /// 10: NEWLEADER.
    NewLeader {
        /// `epoch << 32`.
        zxid: Zxid,
        /// The text of the leader's configuration; leaders before 3.5 have none.
        config: Option<Arc<[u8]>>,
    },
    /// 1: REQUEST with a sync in it.
    Sync {
        /// Whose sync, and who asks; its op is [`ForwardedOp::Sync`].
        request: ForwardedRequest,
        /// The record as the client sent it: its path. No leader reads it.
        record: Arc<[u8]>,
    },
    /// 9: COMMITANDACTIVATE, the COMMIT of a reconfiguration.
    CommitAndActivate {
        /// Which transaction.
        zxid: Zxid,
        /// Who should lead from now on.
        designated_leader: ServerId,
    },
    /// 19: INFORMANDACTIVATE, the INFORM of a reconfiguration.
    InformAndActivate {
        /// The transaction.
        txn: Arc<Txn>,
        /// Who should lead from now on.
        designated_leader: ServerId,
    },
    /// 15: SNAP. The database follows on the stream.
    Snap {
        /// The last zxid that it contains.
        zxid: Zxid,
    },
    /// A packet that its sender has no business to send, or of an unknown type. Apache notes it and
    /// goes on.
    Unexpected(RawPacket),
}

/// What packets say of a server that its messages do not.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Its id.
    pub my_id: ServerId,
    /// The text of its configuration, with its version line.
    pub config: &'a str,
}

impl Packet {
    /// The packet of a message. Of [`QuorumMessage::Snap`] it is the head only: the database goes
    /// after it, as [`super::snapshot::Encoder`] writes it.
    #[must_use]
    pub fn from_message(message: QuorumMessage, me: Identity<'_>) -> Packet {
        match message {
            QuorumMessage::LearnerInfo {
                accepted_epoch,
                observer,
                config_version,
            } => Packet::LearnerInfo(LearnerInfo {
                observer,
                accepted: accepted_epoch.start(),
                about: About::Configured {
                    id: me.my_id,
                    protocol: PROTOCOL_VERSION,
                    config: config_version,
                },
            }),
            QuorumMessage::NewLeader { zxid, members } => Packet::NewLeader {
                zxid,
                config: Some(members.as_deref().unwrap_or(me.config).as_bytes().into()),
            },
            QuorumMessage::CommitAndActivate { zxid, designated } => Packet::CommitAndActivate {
                zxid,
                designated_leader: designated,
            },
            QuorumMessage::InformAndActivate { txn, designated } => Packet::InformAndActivate {
                txn,
                designated_leader: designated,
            },
            QuorumMessage::Snap { zxid, snapshot: _ } => Packet::Snap { zxid },
            QuorumMessage::Request(request) if request.op == ForwardedOp::Sync => Packet::Sync {
                request,
                // The path "/": nobody looks at it, but a record has to be there.
                record: Arc::from(*b"\0\0\0\x01/"),
            },
            message @ (QuorumMessage::LeaderInfo { .. }
            | QuorumMessage::AckEpoch { .. }
            | QuorumMessage::Diff { .. }
            | QuorumMessage::Trunc { .. }
            | QuorumMessage::UpToDate
            | QuorumMessage::Request(_)
            | QuorumMessage::Proposal(_)
            | QuorumMessage::Ack(_)
            | QuorumMessage::Commit { .. }
            | QuorumMessage::Inform(_)
            | QuorumMessage::Ping { .. }
            | QuorumMessage::Pong { .. }
            | QuorumMessage::Revalidate { .. }
            | QuorumMessage::Revalidated { .. }
            | QuorumMessage::Sync) => Packet::Message(message),
        }
    }

    /// What the protocol's core makes of it; what it does not carry is lost, so look at it before.
    /// `None` for [`Packet::Snap`], whose database is still to come, and for what is unexpected.
    #[must_use]
    pub fn into_message(self) -> Option<QuorumMessage> {
        match self {
            Packet::Message(message) => Some(message),
            Packet::LearnerInfo(info) => Some(QuorumMessage::LearnerInfo {
                accepted_epoch: info.accepted.epoch(),
                observer: info.observer,
                config_version: info.config(),
            }),
            Packet::NewLeader { zxid, config } => Some(QuorumMessage::NewLeader {
                zxid,
                members: config.and_then(|text| std::str::from_utf8(&text).ok().map(Arc::from)),
            }),
            Packet::Sync { request, record: _ } => Some(QuorumMessage::Request(request)),
            Packet::CommitAndActivate {
                zxid,
                designated_leader,
            } => Some(QuorumMessage::CommitAndActivate {
                zxid,
                designated: designated_leader,
            }),
            Packet::InformAndActivate {
                txn,
                designated_leader,
            } => Some(QuorumMessage::InformAndActivate {
                txn,
                designated: designated_leader,
            }),
            Packet::Snap { .. } | Packet::Unexpected(_) => None,
        }
    }
}

/// An epoch as four bytes: it is the upper half of a zxid, so nothing is lost.
fn epoch_number(epoch: Epoch) -> i32 {
    epoch.0 as i32
}

#[cfg(test)]
mod tests;
