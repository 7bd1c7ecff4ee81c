//! Simulated clients, which behave as the Java client does (ClientCnxn).

use crate::{
    id::{ClientId, ServerId, SessionId, Zxid},
    request::{ErrorCode, Request, Response, WatchEvent},
    sim::setup::ClientNo,
    time::Moment,
};
use std::{collections::BTreeSet, sync::Arc};

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Not connected; calls the next server then.
    Waiting {
        /// When.
        until: Moment,
    },
    /// It called and waits for the answer.
    Connecting {
        /// Whom.
        server: ServerId,
        /// The connection.
        conn: ClientId,
        /// Since when.
        since: Moment,
    },
    /// It has its session at a server.
    Connected {
        /// Which.
        server: ServerId,
        /// The connection.
        conn: ClientId,
    },
    /// Its session expired; it does nothing any more.
    Expired,
    /// It closed its session; it does nothing any more.
    Closed,
}

/// The watches that a client believes to have, as ClientCnxn keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchLists {
    /// By getData, and by exists on a znode that was there.
    pub data: BTreeSet<Arc<str>>,
    /// By exists on a znode that was not there.
    pub exist: BTreeSet<Arc<str>>,
    /// By getChildren.
    pub child: BTreeSet<Arc<str>>,
    /// By addWatch.
    pub persistent: BTreeSet<Arc<str>>,
    /// By addWatch, recursive.
    pub recursive: BTreeSet<Arc<str>>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A reply.
    Reply {
        /// What the server had applied.
        zxid: Zxid,
        /// The answer.
        result: Result<Response, ErrorCode>,
    },
    /// The connection ended first: done or not, the client can't know.
    ConnectionLoss,
    /// The session had expired: not done after that.
    SessionExpired,
}

/// What a client saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The end of a request.
    Answer {
        /// Its number on the connection.
        xid: i32,
        /// What was asked.
        request: Request,
        /// When it was sent.
        sent_at: Moment,
        /// In which step.
        sent_step: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// A watch event.
    Watch(WatchEvent),
    /// A session begins, or goes on at a server.
    Connected {
        /// Which.
        session: SessionId,
    },
    /// The connection ended.
    Disconnected,
    /// The session is gone.
    Expired {
        /// Which.
        session: SessionId,
    },
}

/// One thing that a client saw, in the order in which it saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When.
    pub at: Moment,
    /// In which step.
    pub step: u64,
    /// From which server.
    pub server: ServerId,
    /// On which connection.
    pub conn: ClientId,
    /// The newest zxid it knew before.
    pub last_zxid_before: Zxid,
    /// What.
    pub seen: Seen,
}

/// How many observations are kept for each client.
pub const OBSERVATIONS_KEPT: usize = 4096;

/// A client, for those who look.
#[derive(Clone, Copy, Debug)]
pub struct ClientView<'a> {
    /// Which.
    pub no: ClientNo,
    /// Where it stands.
    pub state: ClientState,
    /// Its machine stands still.
    pub paused: bool,
    /// Its session; 0 while it has none.
    pub session: SessionId,
    /// Granted time-out in ms; what it wished for while it has no session.
    pub timeout_ms: i32,
    /// The newest state it has seen.
    pub last_zxid_seen: Zxid,
    /// When it last heard from a server: two thirds of the time-out later it gives up.
    pub last_heard: Moment,
    /// When it last sent: a third of the time-out later it pings.
    pub last_sent: Moment,
    /// The watches it believes to have.
    pub watches: &'a WatchLists,
    /// Requests sent and not answered.
    pub pending: usize,
    /// Requests that wait to be sent.
    pub queued: usize,
    /// Writes of its load that are still to be made.
    pub load: u32,
    /// What it saw, oldest first; the newest [`OBSERVATIONS_KEPT`].
    pub observations: &'a imbl::Vector<Arc<Observation>>,
}
