//! What the stage reads of a world, and nothing else: plain data, so that a scene can be made of a
//! simulated world, of a recorded one or of one that a test invents.
//!
//! [`read`](super::read) fills it from the simulator's world and records.

use crate::scene::Pick;
use std::{collections::BTreeSet, sync::Arc};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::{MessageKind, Vote},
    peer::event::{IgnoreReason, Phase, SyncMode, SyncRule, TxnKind, VoteField},
    quorum::Quorum,
    sim::setup::ClientNo,
    time::{Moment, Span},
};

/// One moment of a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Virtual time.
    pub now: Moment,
    /// Voters and how they count.
    pub quorum: Quorum,
    /// All servers in order of id.
    pub servers: Vec<ServerSight>,
    /// Links that differ from a whole, quick one.
    pub faults: Vec<LinkFault>,
    /// Learner and leader, for each standing quorum connection.
    pub connections: Vec<(ServerId, ServerId)>,
    /// Messages under way, and those that stopped where their link was cut.
    pub messages: Vec<MessageSight>,
    /// Clients in order of number.
    pub clients: Vec<ClientSight>,
    /// The last votes that were compared, newest last; at most one for each server.
    pub compared: Vec<Compared>,
    /// How the leader of the discovery under way stands.
    pub discovery: Option<Discovery>,
    /// The last synchronisation of each learner of the present leader, newest last.
    pub syncs: Vec<SyncSight>,
    /// Who acknowledged NEWLEADER, the leader included.
    pub new_leader_acks: BTreeSet<ServerId>,
    /// Proposals that are open, and the last that were committed, oldest first.
    pub proposals: Vec<ProposalSight>,
    /// The last stale read.
    pub stale: Option<StaleRead>,
    /// What last happened that a card can show.
    pub latest: Option<Topic>,
}

/// What a card can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Two votes met at this server.
    Votes(ServerId),
    /// A leader gathers epochs.
    Discovery,
    /// A learner is brought up to date.
    Sync(ServerId),
    /// Proposals and their ACKs.
    Proposals,
    /// A read that showed an older state.
    Stale,
}

/// What a server does, seen from outside: also "down".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks for a leader.
    Looking,
    /// Follows, with a vote.
    Following,
    /// Leads.
    Leading,
    /// Follows, without a vote.
    Observing,
    /// Has no power.
    Down,
}

/// A server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSight {
    /// Its id.
    pub id: ServerId,
    /// Whether it votes.
    pub voter: bool,
    /// What it does.
    pub role: Role,
    /// It has not started yet, but will.
    pub starting: bool,
    /// How far it is.
    pub phase: Phase,
    /// currentEpoch; for a server that is down, what its disk says.
    pub epoch: Epoch,
    /// acceptedEpoch.
    pub accepted: Epoch,
    /// The last transaction that it has, or the beginning of its epoch if that is later.
    pub zxid: Zxid,
    /// Whom it follows; itself when it leads.
    pub leader: Option<ServerId>,
    /// Its election round.
    pub round: u64,
    /// LOOKING: what it votes for now. `None` for an observer.
    pub vote: Option<Vote>,
    /// LOOKING: servers whose votes equal its own, itself included.
    pub supporters: BTreeSet<ServerId>,
    /// LOOKING: its votes are a quorum, it waits whether a better one comes.
    pub finalizing: bool,
    /// Committed transactions that it has not applied yet.
    pub behind: u64,
    /// The process stands still.
    pub paused: bool,
    /// Added to each fsync; zero: normal.
    pub slow_disk: Span,
    /// The chosen znode as it has it; `None`: none is chosen, or it does not serve.
    pub znode: Option<ZnodeSight>,
}

/// A link that is not as it should be. `a < b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFault {
    /// One end.
    pub a: ServerId,
    /// The other.
    pub b: ServerId,
    /// Nothing passes from `a` to `b`.
    pub cut_ab: bool,
    /// Nothing passes from `b` to `a`.
    pub cut_ba: bool,
    /// Added to the latency; zero: normal.
    pub extra: Span,
}

impl LinkFault {
    /// Whether nothing passes at all.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut_ab && self.cut_ba
    }
}

/// One end of a message's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A server.
    Server(ServerId),
    /// A client.
    Client(ClientNo),
}

/// A message under way.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageSight {
    /// Its number in this world; the same as long as it is under way.
    pub id: u64,
    /// Sender.
    pub from: End,
    /// Receiver.
    pub to: End,
    /// What it says, as far as the stage shows it.
    pub what: What,
    /// When it left.
    pub sent: Moment,
    /// When it arrives.
    pub arrives: Moment,
    /// It was cut off then and stays where it was.
    pub stopped: Option<Moment>,
    /// Whose and which znode's story it belongs to.
    pub story: Story,
}

/// Which selections something belongs to: what is chosen lights it up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// The client whose session or request it is.
    pub client: Option<ClientNo>,
    /// The znode that it reads or changes.
    pub path: Option<Arc<str>>,
}

impl Story {
    /// Whether it is a part of what is chosen.
    #[must_use]
    pub fn is_of(&self, pick: &Pick) -> bool {
        match pick {
            Pick::Client(no) => self.client == Some(*no),
            Pick::Znode(path) => self.path.as_deref() == Some(&**path),
            Pick::Nothing | Pick::Server(_) | Pick::Link(..) | Pick::Message(_) => false,
        }
    }
}

/// The chosen znode as one server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZnodeSight {
    /// Its data, shortened, and its version; `None`: it is not there.
    pub data: Option<(String, i32)>,
    /// No server has a newer one.
    pub newest: bool,
}

/// What a message says, as far as the stage shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A vote, its round, and whether the sender still looks.
    Vote {
        /// For whom.
        vote: Vote,
        /// In which round.
        round: u64,
        /// The sender has not decided yet.
        looking: bool,
    },
    /// A packet of the quorum channel.
    Packet {
        /// Its name.
        kind: MessageKind,
        /// What it is about.
        zxid: Option<Zxid>,
        /// ACKEPOCH: the sender's currentEpoch.
        epoch: Option<Epoch>,
    },
    /// A client asks: `get /a`.
    Request(String),
    /// A server answers: `"blue"`.
    Reply(String),
    /// A watch rings: `/a has new data`.
    Watch(String),
    /// A client says that it is alive, or its server has heard so.
    ClientPing,
}

/// A client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSight {
    /// Its number.
    pub no: ClientNo,
    /// The server it is connected to, or calls.
    pub server: Option<ServerId>,
    /// The connection stands and the session is known.
    pub connected: bool,
    /// Its session is gone for good.
    pub over: bool,
    /// Its machine stands still.
    pub paused: bool,
    /// When its server last heard from it.
    pub heard: Moment,
    /// The session's time-out; zero when it has none yet.
    pub timeout: Span,
}

/// Two votes that met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Where.
    pub server: ServerId,
    /// Who sent the other vote.
    pub from: ServerId,
    /// It.
    pub theirs: Vote,
    /// What the server voted for until then.
    pub ours: Vote,
    /// The first field in which they differ.
    pub by: VoteField,
    /// The server changes its vote.
    pub changes: bool,
    /// What came after it at this server, if it was no comparison.
    pub aside: Option<Aside>,
}

/// What can happen to a vote instead of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It was dropped.
    Ignored {
        /// Whose.
        from: ServerId,
        /// Why.
        because: IgnoreReason,
    },
    /// A higher round cleared the tally.
    RoundAdvanced {
        /// Before.
        old: u64,
        /// Now.
        new: u64,
    },
}

/// A discovery under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    /// Who gathers.
    pub leader: ServerId,
    /// acceptedEpoch by server, the leader's first.
    pub infos: Vec<(ServerId, Epoch)>,
    /// The new epoch once it is known.
    pub epoch: Option<Epoch>,
    /// (who, last zxid, currentEpoch) of ACKEPOCHs, the leader's own first.
    pub acks: Vec<(ServerId, Zxid, Option<Epoch>)>,
}

/// One transaction in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Which.
    pub zxid: Zxid,
    /// It is on disk.
    pub durable: bool,
}

/// How a learner is brought up to date.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncSight {
    /// By whom.
    pub leader: ServerId,
    /// Whom.
    pub learner: ServerId,
    /// How.
    pub mode: SyncMode,
    /// The zxid in the packet.
    pub zxid: Zxid,
    /// Which rule chose.
    pub because: SyncRule,
    /// The learner's last zxid when it was chosen.
    pub peer: Zxid,
    /// Beginning of the leader's committedLog.
    pub min: Zxid,
    /// Its end.
    pub max: Zxid,
    /// The leader's last processed zxid.
    pub last_processed: Zxid,
    /// Transactions sent along.
    pub queued: u32,
    /// The end of the leader's log.
    pub leader_log: Vec<LogEntry>,
    /// The end of the learner's log.
    pub learner_log: Vec<LogEntry>,
    /// What the learner cut off.
    pub removed: Vec<Zxid>,
    /// Znodes of the snapshot it installed.
    pub installed: Option<u32>,
    /// How far it is.
    pub stage: SyncStage,
}

/// The steps of a synchronisation, seen by the learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncStage {
    /// The packet is on its way.
    Chosen,
    /// The learner follows it.
    Started,
    /// NEWLEADER came: it goes to disk.
    Complete,
    /// UPTODATE came: it serves.
    Serving,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalSight {
    /// Its place in the order.
    pub zxid: Zxid,
    /// What it does.
    pub txn: TxnKind,
    /// Where.
    pub path: Option<String>,
    /// It failed: nothing will change, the zxid is used all the same.
    pub failed: bool,
    /// How far each voter is with it.
    pub marks: Vec<(ServerId, Mark)>,
    /// A quorum has it.
    pub committed: bool,
    /// Whose it is, and which znode's.
    pub story: Story,
}

/// How far a voter is with a proposal, as the leader's tray shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It has not got it.
    None,
    /// Received, in its log, not on disk.
    Received,
    /// On its disk; the ACK is on its way.
    OnDisk,
    /// The leader counts its ACK.
    Acked,
}

/// A read that showed an older state than the newest.
#[derive(Clone, Debug, PartialEq)]
pub struct StaleRead {
    /// Who read.
    pub client: ClientNo,
    /// Where.
    pub server: ServerId,
    /// What.
    pub path: Option<String>,
    /// What the answer shows of it: its data, its children or its version; `None`: no such node, or no data.
    pub shown_value: Option<String>,
    /// What the answer shows.
    pub shown: Zxid,
    /// The value that is newest.
    pub newest_value: Option<String>,
    /// The newest transaction that is committed.
    pub newest: Zxid,
    /// Transactions between.
    pub behind: u64,
}
