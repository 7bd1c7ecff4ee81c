//! What the diagram is made of: lanes with their states and facts, and messages.

use super::End;
use zabscope_core::{
    id::{Epoch, Zxid},
    message::MessageKind,
    peer::event::OpKind,
};

/// What a server or client is for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandKind {
    /// It looks for a leader.
    Looking,
    /// It has found one, or is one, and does not serve yet.
    Joining,
    /// It leads an established epoch.
    Leading,
    /// It follows and serves.
    Following,
    /// It observes and serves.
    Observing,
    /// It stands still.
    Paused,
    /// A client that has its session at a server.
    Connected,
}

/// A stretch of time in one state. Where there is none, a server is down: a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// From this moment on, in µs.
    pub from: u64,
    /// Up to this moment; `u64::MAX`: still.
    pub to: u64,
    /// Which.
    pub kind: BandKind,
    /// The epoch in which it leads or follows; -1: none.
    pub epoch: Epoch,
}

/// A fact that is worth a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// When, in µs.
    pub at: u64,
    /// Its index among the records of the branch.
    pub record: u32,
    /// A turning point.
    pub headline: bool,
}

/// A server or client.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Which.
    pub end: End,
    bands: Vec<Band>,
    pub(super) told: Vec<Told>,
    /// What it goes on with when it is no longer paused.
    pub(super) after_pause: Option<(BandKind, Epoch)>,
    pub(super) observes: bool,
}

impl Lane {
    pub(super) fn new(end: End) -> Lane {
        Lane {
            end,
            bands: Vec::new(),
            told: Vec::new(),
            after_pause: None,
            observes: false,
        }
    }

    /// The states between two moments, in order.
    pub fn bands(&self, from: u64, to: u64) -> impl Iterator<Item = &Band> {
        let first = self.bands.partition_point(|b| b.to < from);
        self.bands[first..].iter().take_while(move |b| b.from <= to)
    }

    /// What happened between two moments, in order.
    pub fn facts(&self, from: u64, to: u64) -> impl Iterator<Item = &Told> {
        let first = self.told.partition_point(|t| t.at < from);
        self.told[first..].iter().take_while(move |t| t.at <= to)
    }

    pub(super) fn close(&mut self, at: u64) {
        if let Some(last) = self.bands.last_mut().filter(|b| b.to == u64::MAX) {
            last.to = at;
        }
    }

    pub(super) fn become_(&mut self, at: u64, kind: BandKind, epoch: Epoch) {
        self.close(at);
        self.bands.push(Band {
            from: at,
            to: u64::MAX,
            kind,
            epoch,
        });
    }

    /// It stands still.
    pub(super) fn pause(&mut self, at: u64) {
        let open = self.bands.last().filter(|b| b.to == u64::MAX);
        if let Some(band) = open.filter(|b| b.kind != BandKind::Paused) {
            self.after_pause = Some((band.kind, band.epoch));
            self.become_(at, BandKind::Paused, Epoch(-1));
        }
    }

    /// It goes on as what it was.
    pub(super) fn resume(&mut self, at: u64) {
        if let Some((kind, epoch)) = self.after_pause.take() {
            self.become_(at, kind, epoch);
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Between servers.
    Packet(MessageKind),
    /// A client calls.
    Connect,
    /// A client asks.
    Request(OpKind),
    /// A server accepts, or says that the session is over.
    Session,
    /// A server answers.
    Reply(OpKind),
    /// A watch rang.
    Watch,
}

/// What became of a message, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody knows yet.
    UnderWay,
    /// It arrived.
    Arrived,
    /// It never will.
    Lost,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The lane of its sender.
    pub from: u16,
    /// The lane of its receiver.
    pub to: u16,
    /// What it is.
    pub what: Carried,
    /// What it is about.
    pub zxid: Option<Zxid>,
    /// When it left, in µs.
    pub sent: u64,
    /// When it was to arrive; when it left if nobody could say.
    pub arrives: u64,
    /// When it arrived or was lost; else as `arrives`.
    pub end: u64,
    /// What became of it.
    pub fate: Fate,
    /// It only keeps something alive.
    pub heartbeat: bool,
    /// The record that made its sender send it.
    pub cause: Option<u32>,
    /// The record of its arrival or loss.
    pub done: Option<u32>,
    /// The message whose arrival led to it.
    pub parent: Option<u32>,
}
