//! The message bus: the envelope, the two channels, and what a network must keep.
//!
//! * **Election** (port 3888): at most one connection per pair of servers, made and kept by the
//!   network. Per receiver it keeps *one* message, the newest; what waits behind a broken link is
//!   replaced, and when a link comes up the last message to that peer is sent (again). Order is
//!   never changed. Messages to oneself never come here: a peer hands them to itself.
//! * **Quorum** (port 2888): a connection is made by a learner with
//!   [`Effect::Connect`](crate::peer::output::Effect), has a [`ConnId`] that both ends know, is FIFO,
//!   and breaks as a whole: what was in flight is lost, both ends get
//!   [`Input::Closed`](crate::peer::input::Input), nothing sent later on that connection arrives.
//!
//! Messages are typed; a network that has bytes puts `wire` in between.

use crate::{
    id::{ConnId, EventId, ServerId},
    message::{MessageKind, Notification, QuorumMessage},
};

/// Which of the two channels.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Channel {
    /// Notifications.
    Election,
    /// Everything between a learner and its leader.
    Quorum,
}

/// A message with its channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// On the election channel.
    Election(Notification),
    /// On this connection of the quorum channel.
    Quorum(ConnId, QuorumMessage),
}

impl Message {
    /// Its name.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match self {
            Message::Election(_) => MessageKind::Notification,
            Message::Quorum(_, m) => m.kind(),
        }
    }

    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Message::Election(_) => Channel::Election,
            Message::Quorum(..) => Channel::Quorum,
        }
    }
}

/// A message under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// Who sent it.
    pub from: ServerId,
    /// Who is to get it.
    pub to: ServerId,
    /// What it says.
    pub message: Message,
    /// The event that made the sender send it.
    pub cause: EventId,
}

/// What a network does for a server. Implemented by the simulator and by the server's sockets.
///
/// Neither call can fail: a message that can't be delivered is lost, and the connection it was sent
/// on is reported as closed to both ends.
pub trait Network {
    /// Takes a message; it is delivered later or never.
    fn send(&mut self, envelope: Envelope);
    /// Begins a quorum connection from `from` to `to`. Answered by `Input::Connected` or
    /// `Input::ConnectFailed` at `from`, and by `Input::Accepted` at `to`.
    fn connect(&mut self, from: ServerId, to: ServerId, cause: EventId);
    /// Ends a quorum connection; both ends hear of it.
    fn close(&mut self, by: ServerId, conn: ConnId, cause: EventId);
}
