//! What happened, as one stream: what servers report and what the world around them does.

use crate::{
    bus::Channel,
    id::{ClientId, ConnId, EventId, ServerId, SessionId, Zxid},
    message::MessageKind,
    peer::{
        WaitReason,
        event::{Event, OpKind},
        output::StorageSeq,
    },
    request::{ErrorCode, WatchEventKind},
    rules::Rules,
    sim::setup::ClientNo,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// One fact at its place in the run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// The step in which it happened, from 1; what an action leads to has the number of the last
    /// step before it, which is 0 at the beginning.
    pub step: u64,
    /// In virtual time.
    pub at: Moment,
    /// What.
    pub source: Fact,
}

impl Record {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> EventId {
        match &self.source {
            Fact::Peer(e) => e.id,
            Fact::World(e) => e.id,
        }
    }

    /// What led to it.
    #[must_use]
    pub fn cause(&self) -> Option<EventId> {
        match &self.source {
            Fact::Peer(e) => e.cause,
            Fact::World(e) => e.cause,
        }
    }
}

/// A fact of a server or of the world around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fact {
    /// A server says so.
    Peer(Event),
    /// The simulated world says so: what no server can know.
    World(WorldEvent),
}

/// A fact about the world: a fault, a loss, a client. `id.server` is 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorldEvent {
    /// Its name.
    pub id: EventId,
    /// What led to it; `None` for what a person or a schedule did.
    pub cause: Option<EventId>,
    /// What it is.
    pub kind: WorldEventKind,
}

/// Why a message never arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LostBecause {
    /// The link was cut while it was under way, or before.
    LinkCut,
    /// The receiver is down.
    ReceiverDown,
    /// The sender went down while it was under way, or before it could leave.
    SenderDown,
    /// Its connection was closed by one end.
    ConnectionClosed,
    /// It waited for a link, and a newer vote took its place.
    ReplacedByNewerVote,
}

/// Why a client ended its connection, or why it was ended under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GaveUpBecause {
    /// The server is down: connection refused.
    Refused,
    /// The server did not answer the connect request in time.
    ConnectTimeout {
        /// How long it waited.
        waited: Span,
    },
    /// Two thirds of the session time-out without a byte from the server.
    Silent {
        /// How long it waited.
        waited: Span,
    },
    /// The server closed the connection.
    ClosedByServer,
    /// The server crashed.
    ServerCrashed,
    /// Someone broke the connection ([`Action::DropClient`](crate::sim::Action)).
    Dropped,
    /// It goes to another server ([`Action::MoveClient`](crate::sim::Action)).
    Moves,
    /// A reply came that does not answer the oldest open request.
    ReplyOutOfOrder {
        /// The reply's.
        xid: i32,
    },
}

/// All kinds of world event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorldEventKind {
    // ---- servers and disks --------------------------------------------------------------------
    /// A server lost its power.
    Crashed {
        /// Which.
        server: ServerId,
        /// The transactions of its log that were not on disk and are gone.
        lost: Arc<[Zxid]>,
    },
    /// It starts again.
    Restarted {
        /// Which.
        server: ServerId,
    },
    /// It stops for a while.
    Paused {
        /// Which.
        server: ServerId,
    },
    /// It goes on.
    Resumed {
        /// Which.
        server: ServerId,
        /// Inputs that piled up.
        waiting: u32,
    },
    /// Its disk is slower from now on; zero: normal again.
    DiskSlowed {
        /// Whose.
        server: ServerId,
        /// Added to each batch.
        extra: Span,
    },
    /// Its disk is lost.
    DiskLost {
        /// Whose.
        server: ServerId,
    },

    // ---- links ----------------------------------------------------------------------------------
    /// Nothing passes between two servers.
    LinkCut {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
    },
    /// Nothing passes from one server to another.
    DirectionCut {
        /// Sender.
        from: ServerId,
        /// Receiver.
        to: ServerId,
    },
    /// Both directions work again.
    LinkHealed {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
    },
    /// Messages take longer; zero: normal again.
    LinkSlowed {
        /// One end.
        a: ServerId,
        /// The other.
        b: ServerId,
        /// How much longer.
        extra: Span,
    },
    /// Only servers of one group reach each other.
    Partitioned {
        /// The groups, each server in exactly one.
        groups: Arc<[BTreeSet<ServerId>]>,
    },
    /// All links work again.
    AllHealed,
    /// A quorum connection broke as a whole; both ends will hear of it.
    ConnectionBroken {
        /// Which.
        conn: ConnId,
        /// The learner.
        from: ServerId,
        /// The leader.
        to: ServerId,
        /// Why.
        because: LostBecause,
        /// Messages that were under way and are lost.
        lost: u32,
    },
    /// A message will never arrive.
    MessageLost {
        /// Its sender.
        from: ServerId,
        /// Who should have got it.
        to: ServerId,
        /// What it was.
        message: MessageKind,
        /// What it was about.
        zxid: Option<Zxid>,
        /// Why.
        because: LostBecause,
    },

    // ---- clients --------------------------------------------------------------------------------
    /// A client appeared.
    ClientAdded {
        /// Which.
        client: ClientNo,
    },
    /// A client's machine stops for a while.
    ClientPaused {
        /// Which.
        client: ClientNo,
    },
    /// It goes on.
    ClientResumed {
        /// Which.
        client: ClientNo,
    },
    /// A client calls a server.
    ClientConnecting {
        /// Which.
        client: ClientNo,
        /// Whom.
        server: ServerId,
        /// The session it comes with; `None`: it wants a new one.
        session: Option<SessionId>,
        /// The newest state it has seen.
        last_zxid_seen: Zxid,
    },
    /// A client has its session at a server.
    ClientConnected {
        /// Which.
        client: ClientNo,
        /// Where.
        server: ServerId,
        /// Its session.
        session: SessionId,
        /// It had this session before.
        resumed: bool,
        /// Granted time-out in ms.
        timeout_ms: i32,
    },
    /// A client's connection ended; it will try another server.
    ClientGaveUp {
        /// Which.
        client: ClientNo,
        /// Whom it had called.
        server: ServerId,
        /// Why.
        because: GaveUpBecause,
        /// Requests that it will never get an answer to: done or not, it can't know.
        unanswered: u32,
    },
    /// A server told a client that its session is gone. The client ends.
    ClientExpired {
        /// Which.
        client: ClientNo,
        /// Who told it.
        server: ServerId,
        /// The session.
        session: SessionId,
    },
    /// A client closed its session. It ends.
    ClientClosed {
        /// Which.
        client: ClientNo,
        /// The session.
        session: SessionId,
    },
    /// A request leaves.
    RequestSent {
        /// Which client.
        client: ClientNo,
        /// To whom.
        server: ServerId,
        /// The connection.
        conn: ClientId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
        /// Where, if there is one place.
        path: Option<Arc<str>>,
    },
    /// A reply arrives.
    ReplyReceived {
        /// Which client.
        client: ClientNo,
        /// From whom.
        server: ServerId,
        /// Its number.
        xid: i32,
        /// What was asked.
        op: OpKind,
        /// What the server had applied.
        zxid: Zxid,
        /// The answer is this error.
        error: Option<ErrorCode>,
    },
    /// A watch event arrives.
    WatchReceived {
        /// Which client.
        client: ClientNo,
        /// From whom.
        server: ServerId,
        /// What happened.
        event: WatchEventKind,
        /// Where.
        path: Arc<str>,
        /// By which transaction; -1 when caught up after a reconnect.
        zxid: Zxid,
    },
    /// A read shows less than what is committed. Allowed: ZooKeeper promises each client that it
    /// never goes back, not that it sees the newest.
    StaleRead {
        /// Which client.
        client: ClientNo,
        /// Who answered.
        server: ServerId,
        /// What was read, if there is one place.
        path: Option<Arc<str>>,
        /// What the answer shows.
        shown: Zxid,
        /// The newest transaction that is committed anywhere.
        newest: Zxid,
        /// Transactions in between.
        behind_by: u64,
    },
    /// Other rules of the protocol hold from now on.
    RulesSet {
        /// These.
        rules: Rules,
    },
    /// From now on the world makes faults by itself, or no more.
    FaultsSet {
        /// So many of them repeat.
        repeat: u8,
        /// Others come by chance.
        random: bool,
    },
}

/// What reached a server, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputSummary {
    /// It starts.
    Start,
    /// A deadline came.
    Timer(WaitReason),
    /// A message.
    Message {
        /// From whom.
        from: ServerId,
        /// On which channel.
        channel: Channel,
        /// On which connection of the quorum channel.
        conn: Option<ConnId>,
        /// What.
        kind: MessageKind,
        /// What it is about.
        zxid: Option<Zxid>,
    },
    /// Its connect worked.
    Connected {
        /// To whom.
        to: ServerId,
        /// The connection.
        conn: ConnId,
    },
    /// Its connect did not work.
    ConnectFailed {
        /// To whom.
        to: ServerId,
    },
    /// A learner connected.
    Accepted {
        /// Who.
        from: ServerId,
        /// The connection.
        conn: ConnId,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// Bytes are on disk.
    Durable(StorageSeq),
    /// The log was cut.
    Truncated,
    /// The log was read.
    LogRead {
        /// For which connection.
        conn: ConnId,
        /// Transactions found.
        found: u32,
    },
    /// A client wants to connect.
    ClientConnect {
        /// The connection.
        client: ClientId,
    },
    /// A client asks.
    ClientRequest {
        /// The connection.
        client: ClientId,
        /// Its number.
        xid: i32,
        /// What.
        op: OpKind,
    },
    /// A client's connection is gone.
    ClientGone {
        /// The connection.
        client: ClientId,
    },
}

/// A message that left a server in this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// By whom.
    pub from: ServerId,
    /// To whom.
    pub to: ServerId,
    /// On which channel.
    pub channel: Channel,
    /// On which connection of the quorum channel.
    pub conn: Option<ConnId>,
    /// What.
    pub kind: MessageKind,
    /// What it is about.
    pub zxid: Option<Zxid>,
    /// When.
    pub at: Moment,
    /// When it would arrive; `None`: lost at once, or waiting for a link.
    pub arrives_at: Option<Moment>,
}

/// All that happened in one step or by one action. Reused from call to call.
#[derive(Clone, Debug, Default)]
pub struct StepLog {
    /// Steps taken, this one included.
    pub step: u64,
    /// Virtual time after it.
    pub at: Moment,
    /// The server that handled an input.
    pub server: Option<ServerId>,
    /// The input.
    pub input: Option<InputSummary>,
    /// Facts, in order.
    pub records: Vec<Record>,
    /// Messages that left servers, in order, those included that were held back for the disk.
    pub sent: Vec<Sent>,
}

impl StepLog {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.server = None;
        self.input = None;
        self.records.clear();
        self.sent.clear();
    }

    /// What servers said, in order.
    pub fn peer_events(&self) -> impl Iterator<Item = &Event> {
        self.records.iter().filter_map(|r| match &r.source {
            Fact::Peer(e) => Some(e),
            Fact::World(_) => None,
        })
    }

    /// What the world said, in order.
    pub fn world_events(&self) -> impl Iterator<Item = &WorldEvent> {
        self.records.iter().filter_map(|r| match &r.source {
            Fact::World(e) => Some(e),
            Fact::Peer(_) => None,
        })
    }
}
