//! The world: a priority queue of (virtual time, sequence) over servers, disks, links and clients.

use crate::{
    config::Config,
    id::{ServerId, Zxid},
    peer::Peer,
    sim::{
        bus::{Dropped, InFlight, LinkState},
        client::ClientView,
        disk::Disk,
        fact::StepLog,
        setup::{Action, ClientNo, Setup},
    },
    time::Moment,
};
use std::sync::Arc;

pub use crate::sim::setup::SetupError;

/// Whether a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerStatus {
    /// It has not started yet; it will.
    NotStarted,
    /// It runs.
    Up,
    /// Its process stands still; its connections and its disk do not.
    Paused,
    /// No power.
    Down,
}

/// A server, for those who look.
#[derive(Clone, Copy)]
pub struct ServerView<'a> {
    /// Which.
    pub id: ServerId,
    /// Whether it runs.
    pub status: ServerStatus,
    /// How far its wall clock is from the truth, in ms.
    pub wall_skew_ms: i64,
    /// The protocol; `None` when down.
    pub peer: Option<&'a Peer>,
    /// Its disk.
    pub disk: &'a Disk,
    /// Inputs that wait because it was paused.
    pub waiting: usize,
    /// Messages that wait for its disk.
    pub held: usize,
    /// How often it has started.
    pub starts: u32,
}

/// Why an action is impossible. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// There is no such server.
    #[error("there is no server {0}")]
    NoServer(ServerId),
    /// There is no such client.
    #[error("there is no client {}", .0.0)]
    NoClient(ClientNo),
    /// The server is down, or was not started yet.
    #[error("server {0} is not running")]
    NotRunning(ServerId),
    /// The server runs already.
    #[error("server {0} is running already")]
    Running(ServerId),
    /// The server is paused already.
    #[error("server {0} is paused already")]
    Paused(ServerId),
    /// The server is not paused.
    #[error("server {0} is not paused")]
    NotPaused(ServerId),
    /// A server has no link to itself.
    #[error("server {0} has no link to itself")]
    SameServer(ServerId),
    /// In a partition each server is in one group only.
    #[error("server {0} is in two groups")]
    InTwoGroups(ServerId),
    /// The client's session is over.
    #[error("client {}'s session is over", .0.0)]
    ClientOver(ClientNo),
    /// The client is paused already.
    #[error("client {} is paused already", .0.0)]
    ClientPaused(ClientNo),
    /// The client is not paused.
    #[error("client {} is not paused", .0.0)]
    ClientNotPaused(ClientNo),
    /// The client has no connection.
    #[error("client {} has no connection", .0.0)]
    ClientNotConnected(ClientNo),
    /// Too much of something.
    #[error("{what}: {got}, at most {limit}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much.
        got: u64,
        /// What is allowed.
        limit: u64,
    },
    /// A client can't ask for that.
    #[error("a client can't ask for that: {0}")]
    NotAskable(&'static str),
}

/// A simulated world. `clone` shares what it can: a checkpoint.
#[derive(Clone)]
pub struct World {
    setup: Arc<Setup>,
}

#[allow(clippy::todo, unused_variables)] // the skeleton
impl World {
    /// A world before its first step.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(setup: &Setup) -> Result<World, SetupError> {
        todo!()
    }
    /// What it is made of.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }
    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Moment {
        todo!()
    }
    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        todo!()
    }
    /// A hash of everything that has happened.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        todo!()
    }
    /// Lets the next thing happen: one input to one server. `log` is cleared first. False: nothing
    /// can happen any more until someone acts.
    pub fn step(&mut self, log: &mut StepLog) -> bool {
        todo!()
    }
    /// Does something to the world. `log` is cleared first.
    ///
    /// # Errors
    /// The action is impossible now; nothing was changed.
    pub fn act(&mut self, action: &Action, log: &mut StepLog) -> Result<(), ActError> {
        todo!()
    }
    /// A server's protocol; `None` when it is down or there is no such server.
    #[must_use]
    pub fn peer(&self, id: ServerId) -> Option<&Peer> {
        todo!()
    }
    /// A server's configuration.
    #[must_use]
    pub fn config(&self, id: ServerId) -> Option<&Config> {
        todo!()
    }
    /// One server.
    #[must_use]
    pub fn server(&self, id: ServerId) -> Option<ServerView<'_>> {
        todo!()
    }
    /// All servers, in order of id.
    pub fn servers(&self) -> impl Iterator<Item = ServerView<'_>> + '_ {
        core::iter::empty()
    }
    /// A server's disk.
    #[must_use]
    pub fn disk(&self, id: ServerId) -> Option<&Disk> {
        todo!()
    }
    /// Messages on links, in no particular order; see [`InFlight::order`].
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight<'_>> + '_ {
        core::iter::empty()
    }
    /// Messages that were lost lately, oldest first.
    pub fn dropped(&self) -> impl DoubleEndedIterator<Item = &Dropped> + '_ {
        core::iter::empty()
    }
    /// All links, each once.
    pub fn links(&self) -> impl Iterator<Item = LinkState> + '_ {
        core::iter::empty()
    }
    /// All clients, in order.
    pub fn clients(&self) -> impl Iterator<Item = ClientView<'_>> + '_ {
        core::iter::empty()
    }
    /// One client.
    #[must_use]
    pub fn client(&self, no: ClientNo) -> Option<ClientView<'_>> {
        todo!()
    }
    /// The newest transaction that is committed anywhere; no server need know it.
    #[must_use]
    pub fn newest_committed(&self) -> Zxid {
        todo!()
    }
    /// How many committed transactions are newer than `zxid`.
    #[must_use]
    pub fn behind_by(&self, zxid: Zxid) -> u64 {
        todo!()
    }
}
