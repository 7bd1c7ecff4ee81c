//! Everything that can reach a server.

use crate::{
    id::{ClientId, ConnId, EventId, ServerId},
    log::{LogRead, Stored},
    message::{Notification, QuorumMessage},
    peer::output::StorageSeq,
    request::{AuthId, ConnectRequest, Request},
    tree::Database,
};
use std::sync::Arc;

/// One input to a [`Peer`](crate::peer::Peer); handled completely before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What arrives.
    pub kind: InputKind,
    /// The event elsewhere that caused it; `None` for timers and for the outside world.
    pub cause: Option<EventId>,
}

/// The kinds of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// The moment of [`Peer::deadline`](crate::peer::Peer::deadline) has come. Early or repeated
    /// calls do no harm.
    Timer,
    /// An election message.
    Notification(ServerId, Notification),
    /// Our `Connect` worked.
    Connected {
        /// The leader.
        to: ServerId,
        /// The connection.
        conn: ConnId,
    },
    /// Our `Connect` did not work.
    ConnectFailed {
        /// Who could not be reached.
        to: ServerId,
    },
    /// A learner connected to us.
    Accepted {
        /// Who.
        from: ServerId,
        /// The connection.
        conn: ConnId,
    },
    /// A quorum connection is gone, whoever ended it.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// A packet on a quorum connection.
    Quorum(ConnId, QuorumMessage),
    /// All storage operations up to and including this one are on disk.
    Durable(StorageSeq),
    /// Answer to [`StorageOp::Truncate`](crate::peer::output::StorageOp): what is on disk now.
    Truncated(Box<Stored>),
    /// Answer to [`StorageOp::ReadLog`](crate::peer::output::StorageOp).
    LogRead {
        /// The connection of the learner it was read for.
        conn: ConnId,
        /// What was found.
        read: LogRead,
    },
    /// A client opened a connection and said who it is.
    ClientConnect {
        /// The connection.
        client: ClientId,
        /// Its first packet.
        request: ConnectRequest,
        /// What the connection itself proves: its address (scheme `ip`).
        auth: Arc<[AuthId]>,
    },
    /// A client asks.
    ClientRequest {
        /// The connection.
        client: ClientId,
        /// Echoed in the reply.
        xid: i32,
        /// What.
        request: Request,
    },
    /// An operator's snapshot takes the place of this server's tree, if
    /// [`Peer::restored_as`](crate::peer::Peer::restored_as) allows it; otherwise nothing happens.
    Restore(Arc<Database>),
    /// A client's connection is gone.
    ClientGone {
        /// The connection.
        client: ClientId,
    },
}
