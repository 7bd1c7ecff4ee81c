//! Why something has *not* happened: answers that hold the very values that were compared.
//!
//! [`why_not`] is a pure function of a run at its cursor: it looks at the world as it stands and at
//! what has happened, and computes the answer anew each time. It knows the rules of the protocol only
//! as far as it must to say which of them lacks what; nothing here decides anything in a run.
//!
//! * `role`: who leads, who looks, who serves. * `commit`: transactions, requests, what a server has
//!   not applied yet. * `session`: expiry and watches. * `mode`: DIFF, TRUNC, SNAP.
//! * [`guarantees`]: what one client has seen, judged. * [`instead`]: one thing changed, and what
//!   comes of it.

mod commit;
pub mod guarantees;
pub mod instead;
mod mode;
mod role;
mod session;

use crate::{
    bus::Message,
    config::Config,
    id::{Epoch, EventId, ServerId, SessionId, Zxid},
    leader::{Leader, LeaderPhase},
    message::{MessageKind, Vote},
    peer::{
        Peer,
        event::{EventKind, SyncMode, SyncRule, VoteField},
    },
    request::WatchEventKind,
    sim::{
        ClientNo, ClientState, Fact, History, InFlight, Record, RemovedBecause, ServerStatus,
        World, WorldEventKind,
    },
    time::{Moment, Span},
};
use std::{collections::BTreeSet, sync::Arc};

/// What has not happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// This server does not lead.
    NotLeading(ServerId),
    /// This server is still LOOKING.
    StillLooking(ServerId),
    /// This server does not serve clients.
    NotServing(ServerId),
    /// This transaction is not committed.
    NotCommitted(Zxid),
    /// The oldest open request of this client is not answered.
    NotAnswered(ClientNo),
    /// What this server answers is old.
    NotNewest(ServerId),
    /// This read, named by its [`WorldEventKind::StaleRead`], did not show the newest.
    NotFresh(EventId),
    /// This session has not expired.
    NotExpired(SessionId),
    /// This client's watch on this znode, or a recursive one on a znode above it, has not rung.
    NotRung(ClientNo, Arc<str>),
    /// This learner was not brought up to date in this way when it last joined.
    NotThisMode(ServerId, SyncMode),
}

/// The answer, as of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// Steps taken when it was asked.
    pub step: u64,
    /// When, in virtual time.
    pub at: Moment,
    /// Why not.
    pub because: Because,
    /// The events that the answer rests on, the most important first.
    pub facts: Vec<EventId>,
}

/// Why one server's part is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It does not run.
    NotRunning(ServerStatus),
    /// Nothing passes between the two.
    Cut,
    /// What it has to get is under way.
    ToIt(MessageKind, Moment),
    /// What it has said is under way.
    FromIt(MessageKind, Moment),
    /// It votes for somebody else.
    VotesFor(Vote),
    /// It has a leader already.
    Follows(ServerId),
    /// It has no leader yet.
    Looks,
    /// It has got it, but its disk has not: slower than usual by so much.
    OnDisk(Span),
    /// Nothing has come from it yet.
    Silent,
}

/// A server whose part is missing, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub server: ServerId,
    /// Why.
    pub because: Absence,
}

/// What has come together and what a quorum needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Who is there.
    pub have: BTreeSet<ServerId>,
    /// How many a quorum needs at least.
    pub need: u32,
    /// The other voters.
    pub missing: Vec<Missing>,
}

/// Why a server has not applied a committed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It does not run.
    NotRunning(ServerStatus),
    /// It has no leader that it has caught up with.
    NotServing,
    /// Nothing passes to it from its leader.
    Cut(ServerId),
    /// A message from the leader is under way.
    OnTheWay(MessageKind, ServerId, Moment),
    /// It has it, but not on its disk, which is slower than usual by so much.
    OnDisk(Span),
    /// Its leader has not sent it.
    NotSent(ServerId),
}

/// What a learner waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// A connection to its leader; this is the attempt.
    Connection(u32),
    /// LEADERINFO.
    Epoch,
    /// DIFF, TRUNC or SNAP.
    Sync,
    /// Its own log is being cut.
    Truncation,
    /// The rest of the history, and NEWLEADER.
    History(SyncMode),
    /// UPTODATE.
    UpToDate,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    // ---- for every question -------------------------------------------------------------------
    /// It has happened: the question rests on something that is not so.
    ItHas,
    /// There is no such thing.
    NoSuchThing,
    /// The server does not run.
    NotRunning(ServerId, ServerStatus),

    // ---- roles ----------------------------------------------------------------------------------
    /// Without a vote, or with a weight of 0, it can't lead.
    HasNoVote(ServerId),
    /// Its vote was compared with the one that won, and lost.
    LostTheVote {
        /// What it stood for.
        own: Vote,
        /// What won.
        winner: Vote,
        /// The field that decides.
        by: VoteField,
        /// In which round.
        round: u64,
    },
    /// Its own vote is the better one, but a quorum was complete without it.
    NotHeardInTime {
        /// What it stood for.
        own: Vote,
        /// What won.
        winner: Vote,
        /// The field in which its own is better.
        by: VoteField,
    },
    /// It came when somebody led already, and nobody is voted out.
    CameLater {
        /// Who.
        leader: ServerId,
        /// Since when that one was elected.
        elected: Moment,
        /// When it began to look.
        came: Moment,
    },
    /// It votes for another itself: a better vote came in.
    Outvoted {
        /// What it stood for.
        own: Vote,
        /// What it votes for now.
        better: Vote,
        /// The field that decides.
        by: VoteField,
    },
    /// The votes are not a quorum.
    TooFewVotes {
        /// What it votes for.
        vote: Vote,
        /// In which round.
        round: u64,
        /// Who votes alike.
        count: Count,
    },
    /// The votes are a quorum, and it waits a last time for a better one.
    LastWait {
        /// What it votes for.
        vote: Vote,
        /// Who votes alike.
        count: Count,
        /// Until when.
        until: Moment,
    },
    /// It is elected, but a quorum has not done its part yet.
    LeaderWaits {
        /// Who.
        leader: ServerId,
        /// For what.
        phase: LeaderPhase,
        /// Who has done it.
        count: Count,
        /// The end of initLimit.
        until: Moment,
    },
    /// It has chosen a leader and waits for it.
    LearnerWaits {
        /// Whom it follows.
        leader: ServerId,
        /// For what.
        awaits: Awaits,
        /// Until when.
        until: Option<Moment>,
        /// What keeps the leader's part from it.
        leader_is: Absence,
        /// The quorum that the leader itself still waits for.
        count: Option<(LeaderPhase, Count)>,
    },
    /// It follows a leader that is gone, and has not noticed.
    StillFollows {
        /// Whom.
        leader: ServerId,
        /// What has become of that one.
        leader_is: Absence,
        /// When it will notice at the latest.
        until: Option<Moment>,
    },

    // ---- transactions and reads ------------------------------------------------------------------
    /// No leader has given out this zxid.
    NeverProposed {
        /// The leader, if there is one.
        leader: Option<ServerId>,
        /// The last zxid that was given out, as far as is known.
        last: Zxid,
    },
    /// It is proposed, and the ACKs are not a quorum.
    TooFewAcks {
        /// Which.
        zxid: Zxid,
        /// Who has it on disk, as far as the leader knows.
        count: Count,
    },
    /// It has its ACKs or not: an older one comes first.
    AfterAnOlder {
        /// Which.
        zxid: Zxid,
        /// The oldest that is not committed.
        oldest: Zxid,
        /// Who has that one on disk.
        count: Count,
    },
    /// Nobody leads: the next leader decides what becomes of it.
    NobodyDecides {
        /// Which.
        zxid: Zxid,
        /// Whose disks have it.
        holders: BTreeSet<ServerId>,
        /// How many a quorum needs at least.
        need: u32,
    },
    /// A new epoch began without it: it will never be committed.
    GivenUp {
        /// Which.
        zxid: Zxid,
        /// The leader that did not have it.
        leader: ServerId,
        /// Its epoch.
        epoch: Epoch,
        /// Where its history ended when it was elected.
        history: Zxid,
        /// Whose disks still have it.
        holders: BTreeSet<ServerId>,
        /// Who had to give it up, and how.
        removed: Vec<(ServerId, RemovedBecause)>,
    },
    /// The client has no connection to send it on.
    NotConnected {
        /// Which client.
        client: ClientNo,
        /// Where it stands.
        state: ClientState,
    },
    /// Something that belongs to it is between a client and a server.
    BetweenClientAndServer {
        /// Which client.
        client: ClientNo,
        /// Which server.
        server: ServerId,
        /// It goes to the server.
        to_server: bool,
        /// When it arrives.
        arrives: Moment,
    },
    /// The server has asked the leader; nothing was proposed yet.
    AskedTheLeader {
        /// Which client.
        client: ClientNo,
        /// Where it is connected.
        server: ServerId,
        /// The leader, if the server has one.
        leader: Option<ServerId>,
        /// When the request arrives there; `None`: it is not under way.
        arrives: Option<Moment>,
    },
    /// The server has not applied it.
    Behind {
        /// Which server.
        server: ServerId,
        /// What it has applied.
        applied: Zxid,
        /// The newest that is committed anywhere.
        newest: Zxid,
        /// Committed transactions in between, the newest included.
        by: u64,
        /// The first that it lacks.
        first: Zxid,
        /// Why it lacks it.
        lag: Lag,
    },
    /// The server had not applied it when it answered.
    WasBehind {
        /// Who asked.
        client: ClientNo,
        /// Who answered.
        server: ServerId,
        /// What the answer shows.
        shown: Zxid,
        /// The newest that was committed.
        newest: Zxid,
        /// Committed transactions in between, the newest included.
        by: u64,
        /// The first that it lacked.
        first: Zxid,
        /// When that was committed, if this is known.
        committed: Option<Moment>,
        /// When this server applied it, if it has.
        applied: Option<Moment>,
        /// When it answered.
        answered: Moment,
    },

    // ---- sessions and watches ----------------------------------------------------------------------
    /// Without a leader nobody counts the time.
    NobodyCounts,
    /// Its time is not over.
    TimeLeft {
        /// Who counts.
        leader: ServerId,
        /// The time-out.
        timeout: Span,
        /// When the leader last heard of it, if that was told.
        heard: Option<Moment>,
        /// When it expires if nothing is heard.
        deadline: Moment,
        /// Deadlines are rounded up to this.
        tick: Span,
    },
    /// The leader has ended it, but the transaction that says so is not committed.
    EndNotCommitted {
        /// The transaction.
        zxid: Zxid,
        /// Who has it on disk.
        count: Count,
    },
    /// The client has no watch there.
    NoWatch {
        /// The server that it is connected to.
        server: ServerId,
    },
    /// It rang already, and has nothing newer to ring for.
    RangAlready {
        /// It is there still and rings again at the next change; a standard watch rings once.
        stays: bool,
        /// What for.
        event: WatchEventKind,
        /// By which transaction, if it was not a catching up.
        zxid: Option<Zxid>,
        /// When.
        at: Moment,
    },
    /// The watch is there, and nothing has changed since.
    NothingChanged {
        /// Where it is kept.
        server: ServerId,
        /// What the server had applied when it was set.
        set: Zxid,
        /// The last change of the kind that it waits for; `None`: there is no such znode.
        changed: Option<Zxid>,
        /// What the server has applied now.
        applied: Zxid,
    },
    /// Something changed, but not what this watch waits for.
    OtherKind {
        /// It waits for the znode's data, not for its children.
        data: bool,
        /// The change that came.
        changed: Zxid,
        /// What the server had applied when the watch was set.
        set: Zxid,
    },
    /// It changed, but the server that keeps the watch has not applied that.
    ChangeNotHere {
        /// The change.
        changed: Zxid,
        /// Where the watch is kept.
        server: ServerId,
        /// What that server has applied.
        applied: Zxid,
        /// Why it has not applied the change.
        lag: Lag,
    },

    // ---- synchronisation -----------------------------------------------------------------------------
    /// Another mode was chosen.
    ModeChosen {
        /// By whom.
        leader: ServerId,
        /// For whom.
        learner: ServerId,
        /// What was asked for.
        wanted: SyncMode,
        /// What was chosen.
        chosen: SyncMode,
        /// By which rule.
        rule: SyncRule,
        /// The learner's last zxid.
        peer: Zxid,
        /// Where the leader's committedLog began.
        min: Zxid,
        /// Where it ended.
        max: Zxid,
        /// The leader's last processed zxid.
        last: Zxid,
    },
    /// Nothing was chosen for it yet.
    NoModeYet,
}

/// Why not. Pure: nothing is changed, and the same run at the same moment gives the same answer.
#[must_use]
pub fn why_not(history: &History, question: &Question) -> Answer {
    let mut asked = Asked {
        world: history.world(),
        history,
        facts: Vec::new(),
    };
    let because = match question {
        Question::NotLeading(server) => asked.not_leading(*server),
        Question::StillLooking(server) => asked.still_looking(*server),
        Question::NotServing(server) => asked.not_serving(*server),
        Question::NotCommitted(zxid) => asked.not_committed(*zxid),
        Question::NotAnswered(client) => asked.not_answered(*client),
        Question::NotNewest(server) => asked.not_newest(*server),
        Question::NotFresh(read) => asked.not_fresh(*read),
        Question::NotExpired(session) => asked.not_expired(*session),
        Question::NotRung(client, path) => asked.not_rung(*client, path),
        Question::NotThisMode(learner, mode) => asked.not_this_mode(*learner, *mode),
    };
    Answer {
        question: question.clone(),
        step: history.cursor(),
        at: history.world().now(),
        because,
        facts: asked.facts,
    }
}

/// A question under way.
struct Asked<'a> {
    world: &'a World,
    history: &'a History,
    facts: Vec<EventId>,
}

/// A server that does not run; `None`: there is no such server.
struct Away(ServerId, Option<ServerStatus>);

impl From<Away> for Because {
    fn from(Away(server, status): Away) -> Because {
        match status {
            Some(status) => Because::NotRunning(server, status),
            None => Because::NoSuchThing,
        }
    }
}

impl<'a> Asked<'a> {
    /// The newest record of which this holds, with its index.
    fn last(&self, mut is: impl FnMut(&Record) -> bool) -> Option<(usize, &'a Record)> {
        let mut index = self.history.records().len();
        for part in self.history.records().parts().iter().rev() {
            for record in part.iter().rev() {
                index -= 1;
                if is(record) {
                    return Some((index, record));
                }
            }
        }
        None
    }

    /// The newest event of a server of which this holds.
    fn last_of(
        &self,
        server: ServerId,
        mut is: impl FnMut(&EventKind) -> bool,
    ) -> Option<(usize, &'a Record)> {
        self.last(|r| match &r.source {
            Fact::Peer(e) => e.id.server == server && is(&e.kind),
            Fact::World(_) => false,
        })
    }

    /// The newest event of any server of which this holds.
    fn last_event(&self, mut is: impl FnMut(&EventKind) -> bool) -> Option<(usize, &'a Record)> {
        self.last(|r| matches!(&r.source, Fact::Peer(e) if is(&e.kind)))
    }

    /// The newest fact of the world of which this holds.
    fn last_world(
        &self,
        mut is: impl FnMut(&WorldEventKind) -> bool,
    ) -> Option<(usize, &'a Record)> {
        self.last(|r| matches!(&r.source, Fact::World(e) if is(&e.kind)))
    }

    /// The answer rests on this.
    fn rests_on(&mut self, found: Option<(usize, &Record)>) {
        if let Some((_, record)) = found {
            self.facts.push(record.id());
        }
    }

    /// The answer rests on what brought the server where it is: a crash, a pause.
    fn rests_on_fault(&mut self, server: ServerId) {
        let found = self.last_world(|w| {
            matches!(w, WorldEventKind::Crashed { server: s, .. }
                | WorldEventKind::Paused { server: s } if *s == server)
        });
        self.rests_on(found);
    }

    /// Whether the server runs; if not, that is the answer.
    fn runs(&mut self, server: ServerId) -> Result<&'a Peer, Away> {
        let Some(view) = self.world.server(server) else {
            return Err(Away(server, None));
        };
        match (view.status, view.peer) {
            (ServerStatus::Up, Some(peer)) => Ok(peer),
            (status, _) => {
                self.rests_on_fault(server);
                Err(Away(server, Some(status)))
            }
        }
    }

    /// Who leads or is about to: of several the one with the newest epoch, established ones first.
    fn leader(&self) -> Option<(&'a Peer, &'a Leader)> {
        self.world
            .servers()
            .filter_map(|v| v.peer)
            .filter_map(|p| p.leading().map(|l| (p, l)))
            .max_by_key(|(p, l)| (l.phase() == LeaderPhase::Established, p.accepted_epoch()))
    }

    /// Who leads and is established.
    fn established(&self) -> Option<(&'a Peer, &'a Leader)> {
        self.leader()
            .filter(|(_, l)| l.phase() == LeaderPhase::Established)
    }

    /// Whether nothing passes from one server to the other.
    fn is_cut(&self, from: ServerId, to: ServerId) -> bool {
        self.world
            .links()
            .any(|l| (l.a, l.b) == (from, to) && l.cut_ab || (l.a, l.b) == (to, from) && l.cut_ba)
    }

    /// The first message between the two of which this holds.
    fn under_way(
        &self,
        from: ServerId,
        to: ServerId,
        is: impl Fn(&Message) -> bool,
    ) -> Option<InFlight<'a>> {
        self.world
            .in_flight()
            .filter(|m| m.from() == from && m.to() == to && is(&m.envelope.message))
            .min_by_key(|m| (m.arrives_at, m.order))
    }

    /// What keeps a server from doing its part for `other`, as far as anybody can see from outside.
    fn absence(&self, server: ServerId, other: ServerId) -> Option<Absence> {
        let view = self.world.server(server)?;
        if view.status != ServerStatus::Up {
            return Some(Absence::NotRunning(view.status));
        }
        (self.is_cut(server, other) || self.is_cut(other, server)).then_some(Absence::Cut)
    }

    fn need(cfg: &Config) -> u32 {
        cfg.membership.quorum.smallest() as u32
    }
}
