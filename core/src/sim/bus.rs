//! The simulated network between servers: see [`crate::bus`] for what it must keep.

use crate::{
    bus::{Channel, Envelope},
    id::{ConnId, ServerId},
    sim::fact::LostBecause,
    time::{Moment, Span},
};

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct InFlight<'a> {
    /// A number of its own in this run; stays the same while it is under way and when it is lost.
    pub number: u64,
    /// When it left.
    pub sent_at: Moment,
    /// When it will arrive.
    pub arrives_at: Moment,
    /// Its place among all messages ever sent on this channel from this sender to this receiver:
    /// a lower number arrives earlier.
    pub order: u64,
    /// The message.
    pub envelope: &'a Envelope,
}

impl InFlight<'_> {
    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.envelope.message.channel()
    }
    /// Its sender.
    #[must_use]
    pub fn from(&self) -> ServerId {
        self.envelope.from
    }
    /// Its receiver.
    #[must_use]
    pub fn to(&self) -> ServerId {
        self.envelope.to
    }
}

/// A message that stopped on its way. The newest [`DROPPED_KEPT`] are kept for drawing.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// As in [`InFlight::number`].
    pub number: u64,
    /// The message.
    pub envelope: Envelope,
    /// When it left.
    pub sent_at: Moment,
    /// When it would have arrived.
    pub arrives_at: Moment,
    /// When it was lost; with the two above: where on the link it stopped.
    pub cut_at: Moment,
    /// Why.
    pub because: LostBecause,
}

/// How many lost messages are kept for drawing.
pub const DROPPED_KEPT: usize = 64;

/// A link between two servers, `a` < `b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// One end.
    pub a: ServerId,
    /// The other.
    pub b: ServerId,
    /// Nothing passes from `a` to `b`.
    pub cut_ab: bool,
    /// Nothing passes from `b` to `a`.
    pub cut_ba: bool,
    /// Added to the latency.
    pub extra: Span,
    /// The connection of the election channel stands.
    pub election_up: bool,
    /// Quorum connections that both ends have open.
    pub conns: Vec<ConnId>,
}
