//! Everything a server does to the world: effects for the driver, events for those who watch.
//!
//! Order matters and is kept: effects are carried out in the order of the list. A message that
//! must not leave before bytes are on disk says so (`after`); the driver holds it back until
//! [`InputKind::Durable`](crate::peer::input::InputKind) of that operation, and sends what it held in
//! order.

use crate::{
    bus::Message,
    id::{ClientId, ConnId, Epoch, EventId, ServerId, Zxid},
    message::{Ack, Notification, QuorumMessage},
    peer::event::{Event, EventKind},
    request::{ConnectResponse, Reply, WatchEvent},
    tree::Database,
    txn::Txn,
};
use std::sync::Arc;

pub use crate::id::StorageSeq;

/// What the disk is to do. Operations take effect in order; each is durable when
/// `Durable(seq)` for it or a later one has arrived. None of them can be skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageOp {
    /// Append to the log.
    Append(Arc<Txn>),
    /// Cut the log after this zxid, and take the snapshots beyond it away; then load what is left:
    /// answered by `Truncated`. When no snapshot reaches down to it and the log does not begin with the
    /// first transaction, nothing is touched and `Truncated` says what is there: the server asks its
    /// leader for a whole tree then, and until that is on disk nothing is lost that it has acknowledged.
    Truncate(Zxid),
    /// The leader's whole tree replaces everything, log included.
    Install(Arc<Database>),
    /// A snapshot of our own tree, so that start-up need not replay the whole log.
    Snapshot(Arc<Database>),
    /// The file acceptedEpoch.
    AcceptedEpoch(Epoch),
    /// The file currentEpoch.
    CurrentEpoch(Epoch),
    /// Read the log from this zxid on, for the learner at this connection: answered by `LogRead`.
    ReadLog {
        /// The learner's last zxid.
        from: Zxid,
        /// Its connection.
        conn: ConnId,
    },
    /// The text of the members that hold from now on (`zoo.cfg.dynamic.<version>`); the next start begins
    /// with them.
    Members(Arc<str>),
}

/// One thing the driver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send to another server, once `after` is durable.
    ///
    /// A driver's queue for a server that reads too slowly must have a bound; beyond it the driver
    /// closes the connection and says so, as if it had broken: what is queued is lost as a whole, and a
    /// learner comes back and is synchronised anew.
    Send {
        /// Who.
        to: ServerId,
        /// What.
        message: Message,
        /// The storage operation that must be on disk before; if it is already, send at once.
        after: Option<StorageSeq>,
        /// The event behind it.
        cause: EventId,
    },
    /// Open a quorum connection.
    Connect {
        /// To whom.
        to: ServerId,
        /// The event behind it.
        cause: EventId,
    },
    /// Close a quorum connection.
    Close {
        /// Which.
        conn: ConnId,
        /// The event behind it.
        cause: EventId,
    },
    /// For the disk.
    Store {
        /// Its number.
        seq: StorageSeq,
        /// What.
        op: StorageOp,
        /// The event behind it.
        cause: EventId,
    },
    /// Servers are to be reached, and clients served, where these texts say (2.5). The newest counts.
    Members {
        /// Of the members that hold.
        current: Arc<str>,
        /// Of those to come, while a reconfiguration is under way.
        next: Option<Arc<str>>,
        /// The event behind it.
        cause: EventId,
    },
    /// Answer to a client's connect request.
    ClientConnected {
        /// The connection.
        client: ClientId,
        /// The answer. With time-out 0 the driver closes afterwards.
        response: ConnectResponse,
        /// The event behind it.
        cause: EventId,
    },
    /// Answer to a client's request.
    ClientReply {
        /// The connection.
        client: ClientId,
        /// The answer.
        reply: Reply,
        /// The event behind it.
        cause: EventId,
    },
    /// A watch fired.
    ClientWatch {
        /// The connection.
        client: ClientId,
        /// The notification.
        event: WatchEvent,
        /// The event behind it.
        cause: EventId,
    },
    /// Close a client's connection, after what was sent to it before.
    ClientClose {
        /// The connection.
        client: ClientId,
        /// The event behind it.
        cause: EventId,
    },
}

/// Collects what one input leads to. Reused from call to call: [`Output::clear`].
#[derive(Clone, Debug)]
pub struct Output {
    /// For the driver, in order.
    pub effects: Vec<Effect>,
    /// For those who watch, in order.
    pub events: Vec<Event>,
    pub(crate) server: ServerId,
    pub(crate) next_event: u64,
    pub(crate) cause: Option<EventId>,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            effects: Vec::new(),
            events: Vec::new(),
            server: ServerId(0),
            next_event: 1,
            cause: None,
        }
    }
}

impl Output {
    /// Forgets what was collected, keeps the memory.
    pub fn clear(&mut self) {
        self.effects.clear();
        self.events.clear();
    }

    /// Emits an event caused by what is being handled; later effects and events are caused by
    /// what was handled, not by this event, unless [`Output::because`] says so.
    pub(crate) fn emit(&mut self, kind: EventKind) -> EventId {
        self.emit_caused(kind, self.cause)
    }

    /// Emits an event with a cause of its own.
    pub(crate) fn emit_caused(&mut self, kind: EventKind, cause: Option<EventId>) -> EventId {
        let id = EventId {
            server: self.server,
            seq: self.next_event,
        };
        self.next_event += 1;
        self.events.push(Event { id, cause, kind });
        id
    }

    /// Emits an event and makes it the cause of all that follows in this call.
    pub(crate) fn because(&mut self, kind: EventKind) -> EventId {
        let id = self.emit(kind);
        self.cause = Some(id);
        id
    }

    /// What `act` makes the cause is the cause only in there: for one of several things that one
    /// input leads to.
    pub(crate) fn scoped<R>(&mut self, act: impl FnOnce(&mut Output) -> R) -> R {
        let before = self.cause;
        let result = act(self);
        self.cause = before;
        result
    }

    /// The cause of what is done now. Every call of `handle` begins with an event, so there is
    /// always one.
    pub(crate) fn cause(&self) -> EventId {
        self.cause.unwrap_or(EventId {
            server: self.server,
            seq: 0,
        })
    }

    pub(crate) fn notify(&mut self, to: ServerId, n: Notification) {
        let cause = self.cause();
        self.effects.push(Effect::Send {
            to,
            message: Message::Election(n),
            after: None,
            cause,
        });
    }

    /// Sends a packet that depends on nothing of our disk.
    pub(crate) fn send(&mut self, to: ServerId, conn: ConnId, message: QuorumMessage) {
        debug_assert!(
            !matches!(message, QuorumMessage::Ack(_)),
            "an ACK goes through Output::ack"
        );
        let cause = self.cause();
        self.effects.push(Effect::Send {
            to,
            message: Message::Quorum(conn, message),
            after: None,
            cause,
        });
    }

    /// Sends a packet that must not leave before `after` is on disk.
    pub(crate) fn send_after(
        &mut self,
        to: ServerId,
        conn: ConnId,
        message: QuorumMessage,
        after: Option<StorageSeq>,
    ) {
        let cause = self.cause();
        self.effects.push(Effect::Send {
            to,
            message: Message::Quorum(conn, message),
            after,
            cause,
        });
    }

    /// Sends an ACK; it knows itself what it waits for.
    pub(crate) fn ack(&mut self, to: ServerId, conn: ConnId, ack: Ack) {
        let cause = self.cause();
        self.effects.push(Effect::Send {
            to,
            message: Message::Quorum(conn, QuorumMessage::Ack(ack)),
            after: ack.after,
            cause,
        });
    }

    pub(crate) fn effect(&mut self, make: impl FnOnce(EventId) -> Effect) {
        let cause = self.cause();
        self.effects.push(make(cause));
    }
}
