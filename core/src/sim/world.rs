//! The world: a priority queue of (virtual time, sequence) over servers, disks, links and clients.

use crate::{
    bus::{Channel, Envelope, Message},
    config::{Config, Membership},
    id::{ClientId, EventId, ServerId, Zxid},
    peer::{
        Peer,
        event::{Event, EventKind},
        input::{Input, InputKind},
        output::{Effect, Output, StorageSeq},
    },
    quorum::Quorum,
    request::ConnectResponse,
    rules::Rules,
    sim::{
        ask::{askable, request_bytes},
        bus::{Dropped, InFlight, LinkState, Net, Told},
        client::{Around, Client, ClientFlight, ClientView, Links, QUEUE_LIMIT},
        disk::Disk,
        fact::{Fact, InputSummary, Record, StepLog, WorldEventKind},
        hash::TraceHasher,
        members,
        queue::{Answer, Base, Call, Happening},
        schedule::{Keeping, Schedule, ScheduleError},
        setup::{Action, BEGINNING, ClientNo, MAX_CLIENTS, MAX_EXTRA, MAX_LOAD, Setup},
    },
    time::{Moment, Now, Span},
};
use core::hash::{Hash, Hasher};
use imbl::Vector;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

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
    /// A schedule of faults that it can't keep.
    #[error("this schedule of faults: {0}")]
    Faults(#[from] ScheduleError),
    /// A client can't ask for that.
    #[error("a client can't ask for that: {0}")]
    NotAskable(&'static str),
}

/// What a server's clock showed at the beginning of the world: 2026-01-01T00:00:00Z.
const WALL_BEGINNING_MS: i64 = 1_767_225_600_000;
/// Wall clocks are wrong by up to this much.
const MAX_SKEW_MS: u64 = 250;
/// When so much has happened without an input to any server, the step ends without one.
const MAX_FOLDED: usize = 10_000;

/// An input that reaches a server.
#[derive(Clone, Debug)]
struct Arrival {
    summary: InputSummary,
    input: Input,
}

/// A message that waits for the disk.
#[derive(Clone, Debug)]
struct Held {
    after: StorageSeq,
    envelope: Envelope,
}

#[derive(Clone)]
struct Server {
    id: ServerId,
    cfg: Arc<Config>,
    status: ServerStatus,
    peer: Option<Peer>,
    disk: Disk,
    /// Inputs that piled up while it was paused; they come before all others.
    inbox: VecDeque<Arrival>,
    held: VecDeque<Held>,
    /// The disk has told it that everything up to here is durable.
    synced: StorageSeq,
    starts: u32,
    next_event: u64,
    storage: StorageSeq,
    wall_skew_ms: i64,
    /// When it wants to be called, if it can be.
    timer: Option<Moment>,
}

impl Server {
    fn runs(&self) -> bool {
        matches!(self.status, ServerStatus::Up | ServerStatus::Paused)
    }

    fn now(&self, at: Moment) -> Now {
        Now {
            at,
            wall_ms: WALL_BEGINNING_MS + (at.0 / 1000) as i64 + self.wall_skew_ms,
        }
    }

    /// Its timer counts only while it runs and nothing older waits for it.
    fn set_timer(&mut self) {
        self.timer = match self.status {
            ServerStatus::Up if self.inbox.is_empty() => {
                self.peer.as_ref().and_then(Peer::deadline).map(|w| w.at)
            }
            ServerStatus::Up
            | ServerStatus::NotStarted
            | ServerStatus::Paused
            | ServerStatus::Down => None,
        };
    }

    fn view(&self) -> ServerView<'_> {
        ServerView {
            id: self.id,
            status: self.status,
            wall_skew_ms: self.wall_skew_ms,
            peer: self.peer.as_ref(),
            disk: &self.disk,
            waiting: self.inbox.len(),
            held: self.held.len(),
            starts: self.starts,
        }
    }
}

/// A simulated world. `clone` shares what it can: a checkpoint.
#[derive(Clone)]
pub struct World {
    setup: Arc<Setup>,
    base: Base,
    servers: Vec<Server>,
    net: Net,
    links: Links,
    clients: Vec<Client>,
    steps: u64,
    hasher: TraceHasher,
    /// All transactions that are committed, in order.
    committed: Vector<Zxid>,
    /// The newest members that hold.
    members: Arc<Membership>,
    /// The rules that hold.
    rules: Rules,
    /// The schedule of faults that is kept.
    keeping: Option<Keeping>,
    /// How many schedules there were.
    schedules: u32,
    /// What the schedule's actions come from.
    blame: Option<EventId>,
    /// Reused from step to step.
    out: Output,
}

impl World {
    /// A world before its first step.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(setup: &Setup) -> Result<World, SetupError> {
        setup.validate()?;
        let n = usize::from(setup.voters) + usize::from(setup.observers);
        let mut membership = Membership::simple(setup.voters, setup.observers);
        membership.quorum = Quorum::new(membership.quorum.voters().clone(), setup.rule.clone());
        let mut base = Base::new(BEGINNING, setup.seed, setup.latency, setup.jitter);
        let servers = (1..=n as i64)
            .map(ServerId)
            .map(|id| {
                let mut cfg = Config::new(id, membership.clone(), setup.tick);
                cfg.standalone = setup.standalone;
                cfg.init_limit = setup.init_limit;
                cfg.sync_limit = setup.sync_limit;
                cfg.leader_serves = setup.leader_serves;
                cfg.commit_log_count = setup.commit_log_count;
                cfg.snapshot_size_percent = setup.snapshot_size_percent;
                cfg.snap_count = setup.snap_count;
                cfg.extended_types = setup.extended_types;
                cfg.local_sessions = setup.local_sessions;
                cfg.local_sessions_upgrading = setup.local_sessions;
                cfg.last_counter = setup.last_counter;
                cfg.rules = setup.rules;
                if setup.reconfig {
                    cfg.reconfig_enabled = true;
                    cfg.rights.skip_acl = true;
                    cfg.members_text = Some(members::text(&membership));
                }
                Server {
                    id,
                    cfg: Arc::new(cfg),
                    status: ServerStatus::NotStarted,
                    peer: None,
                    disk: Disk::new(setup.fsync, setup.snap_retain),
                    inbox: VecDeque::new(),
                    held: VecDeque::new(),
                    synced: StorageSeq(0),
                    starts: 0,
                    next_event: 1,
                    storage: StorageSeq(0),
                    wall_skew_ms: base.dice.between(0, 2 * MAX_SKEW_MS) as i64 - MAX_SKEW_MS as i64,
                    timer: None,
                }
            })
            .collect();
        for id in 1..=n as i64 {
            let at = base.dice.below(setup.start_spread.0 + 1);
            base.after(Span(at), Happening::Start(ServerId(id)));
        }
        let mut hasher = TraceHasher::default();
        setup.hash(&mut hasher);
        let mut world = World {
            setup: Arc::new(setup.clone()),
            base,
            servers,
            net: Net::new(n, setup.tick),
            links: Links::new(),
            clients: Vec::new(),
            steps: 0,
            hasher,
            committed: Vector::new(),
            members: Arc::new(membership),
            rules: setup.rules,
            keeping: None,
            schedules: 0,
            blame: None,
            out: Output::default(),
        };
        world.keep(setup.faults.clone(), None);
        Ok(world)
    }

    // ---- for those who look -------------------------------------------------------------------

    /// What it is made of.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The rules of the protocol that hold.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// The faults that it makes by itself.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        self.keeping
            .as_ref()
            .map_or_else(Schedule::default, |k| k.schedule.clone())
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.base.now
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A hash of everything that has happened, actions included.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// A server's protocol; `None` when it is down or there is no such server.
    #[must_use]
    pub fn peer(&self, id: ServerId) -> Option<&Peer> {
        self.at(id)?.peer.as_ref()
    }

    /// A server's configuration, with the members that it knows; while it is down, as it began.
    #[must_use]
    pub fn config(&self, id: ServerId) -> Option<&Config> {
        let server = self.at(id)?;
        Some(
            server
                .peer
                .as_ref()
                .map_or(&*server.cfg, |peer| peer.config()),
        )
    }

    /// The newest members that hold.
    #[must_use]
    pub fn members(&self) -> &Membership {
        &self.members
    }

    /// One server.
    #[must_use]
    pub fn server(&self, id: ServerId) -> Option<ServerView<'_>> {
        self.at(id).map(Server::view)
    }

    /// All servers, in order of id.
    pub fn servers(&self) -> impl ExactSizeIterator<Item = ServerView<'_>> + '_ {
        self.servers.iter().map(Server::view)
    }

    /// A server's disk.
    #[must_use]
    pub fn disk(&self, id: ServerId) -> Option<&Disk> {
        self.at(id).map(|s| &s.disk)
    }

    /// Messages on links, in no particular order; see [`InFlight::order`].
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight<'_>> + '_ {
        self.base.queue.iter().filter_map(|what| match what {
            Happening::Message(f) => Some(InFlight {
                number: f.number,
                sent_at: f.sent_at,
                arrives_at: f.arrives_at,
                order: f.order,
                envelope: &f.envelope,
            }),
            _ => None,
        })
    }

    /// What is on its way between clients and servers, in no particular order; FIFO by connection
    /// and direction.
    pub fn client_flights(&self) -> impl Iterator<Item = ClientFlight<'_>> + '_ {
        self.base.queue.iter().filter_map(|w| self.links.flight(w))
    }

    /// Messages of a server that wait for its disk, oldest first, each with the operation it waits
    /// for.
    pub fn held(&self, id: ServerId) -> impl Iterator<Item = (StorageSeq, &Envelope)> + '_ {
        self.at(id)
            .into_iter()
            .flat_map(|s| s.held.iter().map(|h| (h.after, &h.envelope)))
    }

    /// Messages that were lost lately, oldest first.
    pub fn dropped(&self) -> impl DoubleEndedIterator<Item = &Dropped> + '_ {
        self.net.dropped.iter()
    }

    /// All links, each once.
    pub fn links(&self) -> impl Iterator<Item = LinkState> + '_ {
        self.net.links()
    }

    /// Whether every link works with normal latency.
    #[must_use]
    pub fn links_are_whole(&self) -> bool {
        self.net.is_whole()
    }

    /// All clients, in order.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = ClientView<'_>> + '_ {
        self.clients.iter().map(Client::view)
    }

    /// One client.
    #[must_use]
    pub fn client(&self, no: ClientNo) -> Option<ClientView<'_>> {
        let index = usize::from(no.0).checked_sub(1)?;
        self.clients.get(index).map(Client::view)
    }

    /// The client and the server of a client's connection, while either end has it open.
    #[must_use]
    pub fn client_connection(&self, conn: ClientId) -> Option<(ClientNo, ServerId)> {
        self.links.get(conn).map(|l| (l.client, l.server))
    }

    /// The newest transaction that is committed anywhere; no server need know it.
    #[must_use]
    pub fn newest_committed(&self) -> Zxid {
        self.committed.last().copied().unwrap_or(Zxid::ZERO)
    }

    /// How many committed transactions are newer than `zxid`.
    #[must_use]
    pub fn behind_by(&self, zxid: Zxid) -> u64 {
        let seen = match self.committed.binary_search(&zxid) {
            Ok(index) => index + 1,
            Err(index) => index,
        };
        (self.committed.len() - seen) as u64
    }

    fn at(&self, id: ServerId) -> Option<&Server> {
        let index = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.servers.get(index)
    }

    fn index(&self, id: ServerId) -> Result<usize, ActError> {
        match self.at(id) {
            Some(_) => Ok((id.0 - 1) as usize),
            None => Err(ActError::NoServer(id)),
        }
    }

    // ---- stepping -----------------------------------------------------------------------------

    /// Lets the next thing happen: one input to one server. What happens before without one (a
    /// client looks at its clock, a message is lost) belongs to the same step. `log` is cleared
    /// first. False: nothing can happen any more until someone acts.
    pub fn step(&mut self, log: &mut StepLog) -> bool {
        log.clear();
        log.step = self.steps;
        log.at = self.base.now;
        let alive = |s: &Server| matches!(s.status, ServerStatus::Up | ServerStatus::NotStarted);
        let mended = || self.keeping.as_ref().is_some_and(Keeping::mends);
        if !self.servers.iter().any(alive) && !mended() {
            return false;
        }
        log.step += 1;
        for _ in 0..MAX_FOLDED {
            let timer = self.next_timer();
            // At the same moment what was sent comes before what is only waited for.
            match (self.base.queue.next_at(), timer) {
                (None, None) => {
                    log.step -= 1;
                    return false;
                }
                (Some(at), None) => self.advance(at),
                (Some(at), Some((due, _))) if at <= due => self.advance(at),
                (_, Some((due, index))) => {
                    self.advance(due);
                    self.fire(log, index);
                    break;
                }
            }
            if let Some((_, what)) = self.base.queue.pop()
                && self.happen(log, what)
            {
                break;
            }
        }
        self.steps += 1;
        log.at = self.base.now;
        self.fold(log);
        true
    }

    fn advance(&mut self, to: Moment) {
        self.base.now = self.base.now.max(to);
    }

    fn next_timer(&self) -> Option<(Moment, usize)> {
        let mut next: Option<(Moment, usize)> = None;
        for (index, server) in self.servers.iter().enumerate() {
            if let Some(due) = server.timer
                && next.is_none_or(|(best, _)| due < best)
            {
                next = Some((due, index));
            }
        }
        next
    }

    /// Everything in the log becomes part of the trace hash.
    fn fold(&mut self, log: &StepLog) {
        let h = &mut self.hasher;
        h.write_u64(log.step);
        h.write_u64(log.at.0);
        log.server.hash(h);
        log.input.hash(h);
        for record in &log.records {
            h.write_u64(record.at.0);
            record.source.hash(h);
        }
        for sent in &log.sent {
            sent.hash(h);
        }
    }

    /// Something is due. True when a server got an input.
    fn happen(&mut self, log: &mut StepLog, what: Happening) -> bool {
        match what {
            Happening::Start(id) => match self.index(id) {
                Ok(index) if self.servers[index].status == ServerStatus::NotStarted => {
                    self.start(log, index, None);
                    true
                }
                Ok(_) | Err(_) => false,
            },
            Happening::Drain(id) => self.drain(log, id),
            Happening::Message(flight) => {
                let Some(envelope) = self.net.arrives(&mut self.base, log, flight) else {
                    return false;
                };
                self.deliver(log, envelope)
            }
            Happening::ElectionUp { a, b, tag } => {
                self.net.election_up(&mut self.base, log, a, b, tag);
                false
            }
            Happening::Syn(conn) => {
                let told = self.net.syn(&mut self.base, conn);
                self.tell(log, told, conn)
            }
            Happening::SynAck(conn) => {
                let told = self.net.syn_ack(conn);
                self.tell(log, told, conn)
            }
            Happening::ConnectFails(conn) => {
                let told = self.net.connect_fails(&mut self.base, conn);
                self.tell(log, told, conn)
            }
            Happening::Closed {
                server,
                conn,
                cause,
            } => {
                self.net.closed(&mut self.base, log, server, conn, cause)
                    && self.arrive(
                        log,
                        server,
                        InputSummary::Closed { conn },
                        InputKind::Closed { conn },
                        cause,
                    )
            }
            Happening::DiskDone { server, life } => self.disk_done(log, server, life),
            Happening::DiskRead {
                server,
                life,
                conn,
                read,
                cause,
            } => {
                let same_life = self
                    .at(server)
                    .is_some_and(|s| s.starts == life && s.runs());
                let found = read.entries.len() as u32;
                same_life
                    && self.arrive(
                        log,
                        server,
                        InputSummary::LogRead { conn, found },
                        InputKind::LogRead { conn, read },
                        Some(cause),
                    )
            }
            Happening::ToServer {
                conn, call, cause, ..
            } => self.call(log, conn, call, cause),
            Happening::ToClient {
                conn,
                answer,
                cause,
                ..
            } => {
                if let Some(no) = self.links.get(conn).map(|l| l.client) {
                    self.with_client(log, no, |client, w| {
                        client.on_answer(w, conn, answer, cause);
                    });
                }
                false
            }
            Happening::Fault { tag } => tag == self.schedules && self.fault_due(log),
            Happening::ClientTimer { client, tag } => {
                self.with_client(log, client, |client, w| client.on_timer(w, tag));
                false
            }
        }
    }

    // ---- faults that it makes by itself -----------------------------------------------------------

    /// Keeps this schedule from now on; what the one before has broken is mended.
    fn keep(&mut self, schedule: Schedule, cause: Option<EventId>) {
        self.schedules += 1;
        let before = self.keeping.take();
        let now = self.base.now;
        let mut next = Keeping::new(schedule, now, cause);
        if let Some(before) = before {
            next.take_over(before, now);
        }
        self.await_fault(next);
    }

    fn await_fault(&mut self, keeping: Keeping) {
        if keeping.is_over() {
            return;
        }
        let tag = self.schedules;
        if let Some(at) = keeping.wakes() {
            self.base
                .queue
                .push(at.max(self.base.now), Happening::Fault { tag });
        }
        self.keeping = Some(keeping);
    }

    /// The schedule has something to do. What it does is a step of its own.
    fn fault_due(&mut self, log: &mut StepLog) -> bool {
        let Some(mut keeping) = self.keeping.take() else {
            return false;
        };
        let action = keeping.next(self);
        let cause = keeping.cause;
        self.await_fault(keeping);
        let Some(action) = action else { return false };
        self.blame = cause;
        self.carry_out_action(&action, log);
        self.blame = None;
        true
    }

    fn with_client(
        &mut self,
        log: &mut StepLog,
        no: ClientNo,
        f: impl FnOnce(&mut Client, &mut Around<'_>),
    ) {
        let Some(client) = usize::from(no.0)
            .checked_sub(1)
            .and_then(|index| self.clients.get_mut(index))
        else {
            return;
        };
        f(
            client,
            &mut Around {
                base: &mut self.base,
                log,
                links: &mut self.links,
            },
        );
    }

    fn deliver(&mut self, log: &mut StepLog, envelope: Envelope) -> bool {
        let Envelope {
            from,
            to,
            message,
            cause,
        } = envelope;
        let kind = message.kind();
        let (summary, input) = match message {
            Message::Election(n) => (
                InputSummary::Message {
                    from,
                    channel: Channel::Election,
                    conn: None,
                    kind,
                    zxid: Some(n.vote.zxid),
                },
                InputKind::Notification(from, n),
            ),
            Message::Quorum(conn, m) => (
                InputSummary::Message {
                    from,
                    channel: Channel::Quorum,
                    conn: Some(conn),
                    kind,
                    zxid: m.zxid(),
                },
                InputKind::Quorum(conn, m),
            ),
        };
        self.arrive(log, to, summary, input, Some(cause))
    }

    fn tell(&mut self, log: &mut StepLog, told: Option<Told>, conn: crate::id::ConnId) -> bool {
        match told {
            None => false,
            Some(Told::Accepted { at, from, cause }) => self.arrive(
                log,
                at,
                InputSummary::Accepted { from, conn },
                InputKind::Accepted { from, conn },
                Some(cause),
            ),
            Some(Told::Connected { at, to, cause }) => self.arrive(
                log,
                at,
                InputSummary::Connected { to, conn },
                InputKind::Connected { to, conn },
                Some(cause),
            ),
            Some(Told::ConnectFailed { at, to, cause }) => self.arrive(
                log,
                at,
                InputSummary::ConnectFailed { to },
                InputKind::ConnectFailed { to },
                Some(cause),
            ),
        }
    }

    fn disk_done(&mut self, log: &mut StepLog, id: ServerId, life: u32) -> bool {
        let now = self.base.now;
        let Ok(index) = self.index(id) else {
            return false;
        };
        let server = &mut self.servers[index];
        if server.starts != life || !server.runs() {
            return false;
        }
        let mut done = Vec::new();
        server.disk.finish(now, |d| done.push(d));
        if let Some(at) = server.disk.begin(now) {
            self.base
                .queue
                .push(at, Happening::DiskDone { server: id, life });
        }
        // One input to one server in each step: what else the batch has to tell waits its turn.
        let mut handled = false;
        for d in done {
            let summary = match &d.input {
                InputKind::Durable(seq) => InputSummary::Durable(*seq),
                _ => InputSummary::Truncated,
            };
            let arrival = Arrival {
                summary,
                input: Input {
                    kind: d.input,
                    cause: Some(d.cause),
                },
            };
            if handled {
                self.pile_up(index, arrival);
            } else {
                handled = self.take(log, index, arrival);
            }
        }
        handled
    }

    fn call(
        &mut self,
        log: &mut StepLog,
        conn: ClientId,
        call: Call,
        cause: Option<EventId>,
    ) -> bool {
        let Some((no, server)) = self.links.get(conn).map(|l| (l.client, l.server)) else {
            return false;
        };
        let runs = self.at(server).is_some_and(Server::runs);
        let Some(server) = self.links.reaches_server(&mut self.base, conn, &call, runs) else {
            return false;
        };
        let (summary, input) = match call {
            Call::Connect(request) => {
                let auth = match self.clients.get(usize::from(no.0) - 1) {
                    Some(client) => Arc::clone(&client.address),
                    None => return false,
                };
                (
                    InputSummary::ClientConnect { client: conn },
                    InputKind::ClientConnect {
                        client: conn,
                        request,
                        auth,
                    },
                )
            }
            Call::Request { xid, request } => (
                InputSummary::ClientRequest {
                    client: conn,
                    xid,
                    op: request.kind(),
                },
                InputKind::ClientRequest {
                    client: conn,
                    xid,
                    request,
                },
            ),
            Call::Gone => (
                InputSummary::ClientGone { client: conn },
                InputKind::ClientGone { client: conn },
            ),
        };
        self.arrive(log, server, summary, input, cause)
    }

    // ---- inputs to servers ----------------------------------------------------------------------

    fn arrive(
        &mut self,
        log: &mut StepLog,
        id: ServerId,
        summary: InputSummary,
        kind: InputKind,
        cause: Option<EventId>,
    ) -> bool {
        let Ok(index) = self.index(id) else {
            return false;
        };
        let input = Input { kind, cause };
        self.take(log, index, Arrival { summary, input })
    }

    /// Hands an input to a server, or lets it pile up. True when it was handled.
    fn take(&mut self, log: &mut StepLog, index: usize, arrival: Arrival) -> bool {
        let server = &mut self.servers[index];
        match server.status {
            ServerStatus::Up if server.inbox.is_empty() => {
                self.handle(log, index, arrival);
                true
            }
            ServerStatus::Up | ServerStatus::Paused => {
                self.pile_up(index, arrival);
                false
            }
            ServerStatus::NotStarted | ServerStatus::Down => false,
        }
    }

    fn pile_up(&mut self, index: usize, arrival: Arrival) {
        let server = &mut self.servers[index];
        let first = server.inbox.is_empty();
        server.inbox.push_back(arrival);
        server.set_timer();
        if first && server.status == ServerStatus::Up {
            let id = server.id;
            self.base.queue.push(self.base.now, Happening::Drain(id));
        }
    }

    /// The next of what piled up.
    fn drain(&mut self, log: &mut StepLog, id: ServerId) -> bool {
        let Ok(index) = self.index(id) else {
            return false;
        };
        let server = &mut self.servers[index];
        if server.status != ServerStatus::Up {
            return false;
        }
        let Some(arrival) = server.inbox.pop_front() else {
            return false;
        };
        if !server.inbox.is_empty() {
            self.base.queue.push(self.base.now, Happening::Drain(id));
        }
        self.handle(log, index, arrival);
        true
    }

    /// A server's deadline has come.
    fn fire(&mut self, log: &mut StepLog, index: usize) {
        let server = &mut self.servers[index];
        let Some(wait) = server.peer.as_ref().and_then(Peer::deadline) else {
            server.timer = None;
            return;
        };
        let arrival = Arrival {
            summary: InputSummary::Timer(wait.reason),
            input: Input {
                kind: InputKind::Timer,
                cause: None,
            },
        };
        self.handle(log, index, arrival);
    }

    fn handle(&mut self, log: &mut StepLog, index: usize, arrival: Arrival) {
        let Arrival { summary, input } = arrival;
        // What waited for these bytes leaves before the server thinks about them.
        if let InputSummary::Durable(seq) = summary {
            self.release(log, index, seq);
        }
        let server = &mut self.servers[index];
        let Some(peer) = server.peer.as_mut() else {
            return;
        };
        let at = self.base.now;
        let now = Now {
            at,
            wall_ms: WALL_BEGINNING_MS + (at.0 / 1000) as i64 + server.wall_skew_ms,
        };
        let mut out = core::mem::take(&mut self.out);
        out.clear();
        peer.handle(now, input, &mut out);
        log.server = Some(server.id);
        log.input = Some(summary);
        self.finish(log, index, out);
    }

    /// Sends what waited for the disk.
    fn release(&mut self, log: &mut StepLog, index: usize, seq: StorageSeq) {
        let server = &mut self.servers[index];
        server.synced = server.synced.max(seq);
        if server.held.is_empty() {
            return;
        }
        let synced = server.synced;
        // Almost always all of the front and nothing else.
        let mut waiting = core::mem::take(&mut server.held);
        let mut rest = VecDeque::new();
        for held in waiting.drain(..) {
            if held.after <= synced {
                self.net.send(&mut self.base, log, held.envelope);
            } else {
                rest.push_back(held);
            }
        }
        if rest.is_empty() {
            // Keep the memory.
            rest = waiting;
        }
        self.servers[index].held = rest;
    }

    fn start(&mut self, log: &mut StepLog, index: usize, cause: Option<EventId>) {
        let server = &mut self.servers[index];
        server.status = ServerStatus::Up;
        server.starts += 1;
        let id = server.id;
        let mut out = core::mem::take(&mut self.out);
        out.clear();
        server.peer = Some(Peer::start(
            Arc::clone(&server.cfg),
            &server.disk.stored(),
            server.now(self.base.now),
            server.next_event,
            server.storage,
            &mut out,
        ));
        if let (Some(first), Some(cause)) = (out.events.first_mut(), cause) {
            first.cause = first.cause.or(Some(cause));
        }
        log.server = Some(id);
        log.input = Some(InputSummary::Start);
        self.net.server_up(&mut self.base, id);
        self.finish(log, index, out);
    }

    /// Carries out what a server wants, and notes what it said.
    fn finish(&mut self, log: &mut StepLog, index: usize, mut out: Output) {
        for event in out.events.drain(..) {
            self.note(log, index, event);
        }
        let id = self.servers[index].id;
        for effect in out.effects.drain(..) {
            self.carry_out(log, index, id, effect);
        }
        self.out = out;
        let server = &mut self.servers[index];
        if let Some(at) = server.disk.begin(self.base.now) {
            let life = server.starts;
            self.base
                .queue
                .push(at, Happening::DiskDone { server: id, life });
        }
        server.set_timer();
    }

    /// Notes an event, and what the world makes of it.
    fn note(&mut self, log: &mut StepLog, index: usize, event: Event) {
        let (id, kind) = (event.id, &event.kind);
        let mut stale = None;
        match kind {
            EventKind::Committed { zxid, .. } => self.now_committed(*zxid),
            EventKind::MembersActivated { version, .. } if *version > self.members.version => {
                let server = &self.servers[index];
                if let Some(peer) = &server.peer {
                    self.members = Arc::new(peer.config().membership.clone());
                }
            }
            EventKind::Established { .. } | EventKind::ServingAlone { .. } => {
                // A quorum has its whole history: all of it is committed.
                let newest = self.newest_committed();
                let server = &self.servers[index];
                let new: Vec<Zxid> = server
                    .disk
                    .entries()
                    .map(|e| e.txn.zxid())
                    .chain([server.disk.last_zxid()])
                    .filter(|z| *z > newest)
                    .collect();
                new.into_iter().for_each(|z| self.now_committed(z));
            }
            EventKind::ReadServed {
                client, path, zxid, ..
            } if *zxid < self.newest_committed() => {
                stale = self.links.get(*client).map(|link| {
                    (
                        id,
                        WorldEventKind::StaleRead {
                            client: link.client,
                            server: link.server,
                            path: path.clone(),
                            shown: *zxid,
                            newest: self.newest_committed(),
                            behind_by: self.behind_by(*zxid),
                        },
                    )
                });
            }
            _ => {}
        }
        log.records.push(Record {
            step: log.step,
            at: self.base.now,
            source: Fact::Peer(event),
        });
        if let Some((cause, kind)) = stale {
            self.base.emit(log, Some(cause), kind);
        }
    }

    fn now_committed(&mut self, zxid: Zxid) {
        if zxid > self.newest_committed() {
            self.committed.push_back(zxid);
        }
    }

    fn carry_out(&mut self, log: &mut StepLog, index: usize, id: ServerId, effect: Effect) {
        match effect {
            Effect::Send {
                to,
                message,
                after,
                cause,
            } => {
                if to == id || self.at(to).is_none() {
                    return;
                }
                let envelope = Envelope {
                    from: id,
                    to,
                    message,
                    cause,
                };
                let server = &mut self.servers[index];
                match after.filter(|after| *after > server.synced) {
                    Some(after) => server.held.push_back(Held { after, envelope }),
                    None => self.net.send(&mut self.base, log, envelope),
                }
            }
            Effect::Connect { to, cause } => {
                if to != id && self.at(to).is_some() {
                    self.net.connect(&mut self.base, id, to, cause);
                }
            }
            Effect::Close { conn, cause } => {
                self.net.close(&mut self.base, log, id, conn, cause);
            }
            Effect::Store { seq, op, cause } => {
                let server = &mut self.servers[index];
                if let Some(reading) = server.disk.submit(seq, op, cause) {
                    let life = server.starts;
                    self.base.after(
                        reading.takes,
                        Happening::DiskRead {
                            server: id,
                            life,
                            conn: reading.conn,
                            read: reading.read,
                            cause,
                        },
                    );
                }
            }
            Effect::ClientConnected {
                client,
                response,
                cause,
            } => {
                let refused = response.timeout_ms <= 0;
                let response: ConnectResponse = response;
                self.links
                    .answer(&mut self.base, client, Answer::Connected(response), cause);
                if refused {
                    self.links.close_by_server(&mut self.base, client, cause);
                }
            }
            Effect::ClientReply {
                client,
                reply,
                cause,
            } => self
                .links
                .answer(&mut self.base, client, Answer::Reply(reply), cause),
            Effect::ClientWatch {
                client,
                event,
                cause,
            } => self
                .links
                .answer(&mut self.base, client, Answer::Watch(event), cause),
            // Here everybody finds everybody.
            Effect::Members { .. } => {}
            Effect::ClientClose { client, cause } => {
                self.links.close_by_server(&mut self.base, client, cause);
            }
        }
    }

    // ---- acting ---------------------------------------------------------------------------------

    /// Does something to the world. `log` is cleared first.
    ///
    /// # Errors
    /// The action is impossible now; nothing was changed.
    pub fn act(&mut self, action: &Action, log: &mut StepLog) -> Result<(), ActError> {
        log.clear();
        log.step = self.steps;
        log.at = self.base.now;
        self.possible(action)?;
        action.hash(&mut self.hasher);
        self.carry_out_action(action, log);
        self.fold(log);
        Ok(())
    }

    /// Whether an action can be done now.
    ///
    /// # Errors
    /// Why not.
    pub fn possible(&self, action: &Action) -> Result<(), ActError> {
        let server = |id: ServerId| self.at(id).ok_or(ActError::NoServer(id));
        let running = |id: ServerId| match server(id)?.runs() {
            true => Ok(()),
            false => Err(ActError::NotRunning(id)),
        };
        let link = |a: ServerId, b: ServerId| {
            server(a)?;
            server(b)?;
            match a == b {
                true => Err(ActError::SameServer(a)),
                false => Ok(()),
            }
        };
        let client = |no: ClientNo| {
            usize::from(no.0)
                .checked_sub(1)
                .and_then(|index| self.clients.get(index))
                .ok_or(ActError::NoClient(no))
        };
        let alive = |no: ClientNo| match client(no)?.is_over() {
            true => Err(ActError::ClientOver(no)),
            false => client(no),
        };
        let at_most = |what: &'static str, got: u64, limit: u64| match got > limit {
            true => Err(ActError::TooMuch { what, got, limit }),
            false => Ok(()),
        };
        match action {
            Action::Crash { server, .. } => running(*server),
            Action::Restart { server: id } => match server(*id)?.runs() {
                true => Err(ActError::Running(*id)),
                false => Ok(()),
            },
            Action::Pause { server: id } => {
                running(*id)?;
                match server(*id)?.status {
                    ServerStatus::Paused => Err(ActError::Paused(*id)),
                    _ => Ok(()),
                }
            }
            Action::Resume { server: id } => match server(*id)?.status {
                ServerStatus::Paused => Ok(()),
                _ => Err(ActError::NotPaused(*id)),
            },
            Action::CutLink { a, b } | Action::HealLink { a, b } => link(*a, *b),
            Action::CutDirection { from, to } => link(*from, *to),
            Action::Partition { groups } => {
                at_most("groups", groups.len() as u64, self.servers.len() as u64 + 1)?;
                let mut seen = BTreeSet::new();
                for id in groups.iter().flatten() {
                    server(*id)?;
                    if !seen.insert(*id) {
                        return Err(ActError::InTwoGroups(*id));
                    }
                }
                Ok(())
            }
            Action::HealAll => Ok(()),
            Action::SlowLink { a, b, extra } => {
                link(*a, *b)?;
                at_most("extra latency in µs", extra.0, MAX_EXTRA.0)
            }
            Action::SlowDisk { server: id, extra } => {
                server(*id)?;
                at_most("extra disk time in µs", extra.0, MAX_EXTRA.0)
            }
            Action::LoseDisk { server: id } => match server(*id)?.runs() {
                true => Err(ActError::Running(*id)),
                false => Ok(()),
            },
            Action::AddClient {
                server: id,
                timeout_ms,
            } => {
                if let Some(id) = id {
                    server(*id)?;
                }
                at_most(
                    "clients",
                    self.clients.len() as u64 + 1,
                    u64::from(MAX_CLIENTS),
                )?;
                at_most(
                    "session time-out in ms",
                    u64::from(timeout_ms.unsigned_abs()),
                    3_600_000,
                )?;
                match *timeout_ms > 0 {
                    true => Ok(()),
                    false => Err(ActError::NotAskable("a session time-out must be positive")),
                }
            }
            Action::MoveClient { client, server: id } => {
                server(*id)?;
                match alive(*client)?.is_paused() {
                    true => Err(ActError::ClientPaused(*client)),
                    false => Ok(()),
                }
            }
            Action::DropClient { client } => match alive(*client)?.connection() {
                Some(_) => Ok(()),
                None => Err(ActError::ClientNotConnected(*client)),
            },
            Action::PauseClient { client } => match alive(*client)?.is_paused() {
                true => Err(ActError::ClientPaused(*client)),
                false => Ok(()),
            },
            Action::ResumeClient { client: no } => match client(*no)?.is_paused() {
                true => Ok(()),
                false => Err(ActError::ClientNotPaused(*no)),
            },
            Action::Ask { client, request } => {
                let waiting = alive(*client)?.waiting() as u64;
                at_most("waiting requests", waiting + 1, QUEUE_LIMIT as u64)?;
                askable(request)?;
                let bytes = request_bytes(request);
                at_most("bytes in a request", bytes, self.max_buffer())
            }
            Action::Load { client, writes } => {
                let load = u64::from(alive(*client)?.view().load);
                at_most("writes", load + u64::from(*writes), u64::from(MAX_LOAD))
            }
            Action::SetRules { .. } => Ok(()),
            Action::SetFaults { schedule } => Ok(schedule.validate(self.servers.len())?),
        }
    }

    fn max_buffer(&self) -> u64 {
        self.servers.first().map_or(0, |s| s.cfg.max_buffer as u64)
    }

    /// The action is possible.
    fn carry_out_action(&mut self, action: &Action, log: &mut StepLog) {
        match action {
            Action::Crash {
                server,
                lose_unsynced,
            } => self.crash(log, *server, *lose_unsynced),
            Action::Restart { server } => {
                let cause = self.emit(log, WorldEventKind::Restarted { server: *server });
                if let Ok(index) = self.index(*server) {
                    self.start(log, index, Some(cause));
                }
            }
            Action::Pause { server } => {
                self.emit(log, WorldEventKind::Paused { server: *server });
                if let Ok(index) = self.index(*server) {
                    self.servers[index].status = ServerStatus::Paused;
                    self.servers[index].set_timer();
                }
            }
            Action::Resume { server } => {
                if let Ok(index) = self.index(*server) {
                    let s = &mut self.servers[index];
                    s.status = ServerStatus::Up;
                    s.set_timer();
                    let waiting = s.inbox.len() as u32;
                    self.emit(
                        log,
                        WorldEventKind::Resumed {
                            server: *server,
                            waiting,
                        },
                    );
                    if waiting > 0 {
                        self.base
                            .queue
                            .push(self.base.now, Happening::Drain(*server));
                    }
                }
            }
            Action::CutLink { a, b } => {
                let cause = self.emit(log, WorldEventKind::LinkCut { a: *a, b: *b });
                self.cut(log, *a, *b, cause);
                self.cut(log, *b, *a, cause);
            }
            Action::CutDirection { from, to } => {
                let cause = self.emit(
                    log,
                    WorldEventKind::DirectionCut {
                        from: *from,
                        to: *to,
                    },
                );
                self.cut(log, *from, *to, cause);
            }
            Action::HealLink { a, b } => {
                let cause = self.emit(log, WorldEventKind::LinkHealed { a: *a, b: *b });
                self.net.heal(&mut self.base, log, *a, *b, cause);
            }
            Action::Partition { groups } => self.partition(log, groups),
            Action::HealAll => {
                let cause = self.emit(log, WorldEventKind::AllHealed);
                for (a, b) in self.pairs() {
                    self.net.slow(a, b, Span(0));
                    self.net.heal(&mut self.base, log, a, b, cause);
                }
            }
            Action::SlowLink { a, b, extra } => {
                self.net.slow(*a, *b, *extra);
                let (a, b, extra) = (*a, *b, *extra);
                self.emit(log, WorldEventKind::LinkSlowed { a, b, extra });
            }
            Action::SlowDisk { server, extra } => {
                if let Ok(index) = self.index(*server) {
                    self.servers[index].disk.extra = *extra;
                }
                let (server, extra) = (*server, *extra);
                self.emit(log, WorldEventKind::DiskSlowed { server, extra });
            }
            Action::LoseDisk { server } => {
                if let Ok(index) = self.index(*server) {
                    self.servers[index].disk.lose(self.base.now);
                }
                self.emit(log, WorldEventKind::DiskLost { server: *server });
            }
            Action::AddClient { server, timeout_ms } => {
                let no = ClientNo(self.clients.len() as u16 + 1);
                let servers: Vec<ServerId> = self.servers.iter().map(|s| s.id).collect();
                let client = Client::new(no, *timeout_ms, *server, &servers, &mut self.base);
                self.clients.push(client);
                self.emit(log, WorldEventKind::ClientAdded { client: no });
                self.with_client(log, no, |client, w| client.begin(w));
            }
            Action::MoveClient { client, server } => {
                self.with_client(log, *client, |client, w| client.move_to(w, *server));
            }
            Action::DropClient { client } => {
                self.with_client(log, *client, |client, w| client.drop_connection(w));
            }
            Action::PauseClient { client } => {
                self.emit(log, WorldEventKind::ClientPaused { client: *client });
                self.with_client(log, *client, |client, _| client.pause());
            }
            Action::ResumeClient { client } => {
                self.emit(log, WorldEventKind::ClientResumed { client: *client });
                self.with_client(log, *client, |client, w| client.resume(w));
            }
            Action::Ask { client, request } => {
                self.with_client(log, *client, |client, w| client.ask(w, request.clone()));
            }
            Action::Load { client, writes } => {
                self.with_client(log, *client, |client, w| client.add_load(w, *writes));
            }
            Action::SetRules { rules } => {
                self.rules = *rules;
                for server in &mut self.servers {
                    Arc::make_mut(&mut server.cfg).rules = *rules;
                    if let Some(peer) = &mut server.peer {
                        Arc::make_mut(&mut peer.me.cfg).rules = *rules;
                    }
                }
                self.emit(log, WorldEventKind::RulesSet { rules: *rules });
            }
            Action::SetFaults { schedule } => {
                let cause = self.emit(
                    log,
                    WorldEventKind::FaultsSet {
                        repeat: schedule.repeat.len() as u8,
                        random: schedule.random.is_some(),
                    },
                );
                self.keep(schedule.clone(), Some(cause));
            }
        }
    }

    fn emit(&mut self, log: &mut StepLog, kind: WorldEventKind) -> EventId {
        self.base.emit(log, self.blame, kind)
    }

    fn pairs(&self) -> Vec<(ServerId, ServerId)> {
        let ids: Vec<ServerId> = self.servers.iter().map(|s| s.id).collect();
        let mut pairs = Vec::new();
        for (i, a) in ids.iter().enumerate() {
            pairs.extend(ids[i + 1..].iter().map(|b| (*a, *b)));
        }
        pairs
    }

    fn cut(&mut self, log: &mut StepLog, from: ServerId, to: ServerId, cause: EventId) {
        self.net.cut(&mut self.base, log, from, to, cause);
    }

    fn partition(&mut self, log: &mut StepLog, groups: &[BTreeSet<ServerId>]) {
        let mut all: Vec<BTreeSet<ServerId>> =
            groups.iter().filter(|g| !g.is_empty()).cloned().collect();
        // Servers that no group names are alone.
        for server in &self.servers {
            if !all.iter().any(|g| g.contains(&server.id)) {
                all.push(BTreeSet::from([server.id]));
            }
        }
        let cause = self.emit(
            log,
            WorldEventKind::Partitioned {
                groups: Arc::from(all.clone()),
            },
        );
        for (a, b) in self.pairs() {
            let together = all.iter().any(|g| g.contains(&a) && g.contains(&b));
            if together {
                if self.net.is_cut(a, b) || self.net.is_cut(b, a) {
                    self.net.heal(&mut self.base, log, a, b, cause);
                }
            } else {
                self.cut(log, a, b, cause);
                self.cut(log, b, a, cause);
            }
        }
    }

    fn crash(&mut self, log: &mut StepLog, id: ServerId, lose_unsynced: bool) {
        let Ok(index) = self.index(id) else {
            return;
        };
        let now = self.base.now;
        let server = &mut self.servers[index];
        let lost = server.disk.crash(now, lose_unsynced);
        if let Some(peer) = server.peer.take() {
            server.next_event = peer.next_event();
            server.storage = peer.last_storage();
        }
        // Restarted operations are numbered after these, so all before count as done.
        server.synced = server.storage;
        server.status = ServerStatus::Down;
        server.inbox.clear();
        let held = core::mem::take(&mut server.held);
        server.set_timer();
        let cause = self.emit(
            log,
            WorldEventKind::Crashed {
                server: id,
                lost: Arc::from(lost),
            },
        );
        for Held { envelope, .. } in held {
            self.net.never_left(&mut self.base, log, &envelope, cause);
        }
        self.net.server_down(&mut self.base, log, id, cause);
        self.links.server_down(&mut self.base, id, cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Request, Write};
    use crate::sim::{
        fault::{FaultPlan, Faults, swarm},
        queue::Dice,
        workload::Workload,
    };

    fn world(seed: u64) -> World {
        World::new(&Setup {
            seed,
            ..Setup::default()
        })
        .expect("a world")
    }

    /// A run with faults and clients: its trace hash.
    fn eventful(seed: u64, steps: u64) -> World {
        let mut world = World::new(&swarm(seed, 5, 1)).expect("a world");
        let mut faults = Faults::new(FaultPlan::all(), seed);
        let mut workload = Workload::new(seed, 3);
        let mut log = StepLog::default();
        while world.steps() < steps {
            while let Some(action) = faults.next(&world).or_else(|| workload.next(&world)) {
                world.act(&action, &mut log).expect("a possible action");
            }
            if !world.step(&mut log) {
                faults.stop();
            }
        }
        world
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        for seed in 0..20 {
            let (a, b) = (eventful(seed, 1500), eventful(seed, 1500));
            assert_eq!(a.trace_hash(), b.trace_hash(), "seed {seed}");
            assert_eq!(a.now(), b.now());
        }
    }

    #[test]
    fn another_seed_gives_another_run() {
        assert_ne!(eventful(1, 500).trace_hash(), eventful(2, 500).trace_hash());
    }

    #[test]
    fn a_copy_goes_on_as_the_original_does() {
        let mut log = StepLog::default();
        let mut a = eventful(3, 800);
        let mut b = a.clone();
        for _ in 0..500 {
            a.step(&mut log);
        }
        for _ in 0..500 {
            b.step(&mut log);
        }
        assert_eq!(a.trace_hash(), b.trace_hash());
    }

    #[test]
    fn five_servers_elect_a_leader_and_serve() {
        let mut world = world(1);
        let mut log = StepLog::default();
        let serving = |w: &World| w.servers().all(|s| s.peer.is_some_and(Peer::serving));
        while !serving(&world) {
            assert!(world.step(&mut log));
            assert!(world.steps() < 1000, "it takes about a hundred steps");
        }
    }

    #[test]
    fn a_step_is_one_input_to_one_server() {
        let mut world = eventful(5, 100);
        let mut log = StepLog::default();
        for _ in 0..1000 {
            let before = world.steps();
            assert!(world.step(&mut log));
            assert_eq!(world.steps(), before + 1);
            let servers: BTreeSet<ServerId> = log.peer_events().map(|e| e.id.server).collect();
            assert!(servers.len() <= 1, "{servers:?}");
            assert!(servers.iter().all(|s| Some(*s) == log.server));
        }
    }

    #[test]
    fn time_never_goes_back() {
        let mut world = eventful(6, 50);
        let mut log = StepLog::default();
        let mut last = world.now();
        for _ in 0..2000 {
            assert!(world.step(&mut log));
            assert!(log.records.iter().all(|r| r.at >= last));
            last = world.now();
        }
    }

    #[test]
    fn when_all_servers_are_down_nothing_happens_until_someone_acts() {
        let mut world = eventful(7, 0);
        let mut log = StepLog::default();
        for _ in 0..100 {
            world.step(&mut log);
        }
        world
            .act(
                &Action::AddClient {
                    server: None,
                    timeout_ms: 4000,
                },
                &mut log,
            )
            .expect("a client");
        for id in 1..=6 {
            let crash = Action::Crash {
                server: ServerId(id),
                lose_unsynced: true,
            };
            world.act(&crash, &mut log).expect("it ran");
        }
        let hash = world.trace_hash();
        assert!(!world.step(&mut log));
        assert_eq!(world.trace_hash(), hash);
        let restart = Action::Restart {
            server: ServerId(2),
        };
        world.act(&restart, &mut log).expect("it was down");
        assert!(world.step(&mut log));
    }

    #[test]
    fn a_paused_server_handles_nothing_and_then_everything_in_order() {
        let mut world = world(8);
        let mut log = StepLog::default();
        for _ in 0..200 {
            world.step(&mut log);
        }
        let id = ServerId(2);
        world
            .act(&Action::Pause { server: id }, &mut log)
            .expect("it ran");
        for _ in 0..20 {
            assert!(world.step(&mut log));
            assert_ne!(log.server, Some(id));
        }
        let waiting = world.server(id).map_or(0, |s| s.waiting);
        assert!(waiting > 0, "pings at least");
        world
            .act(&Action::Resume { server: id }, &mut log)
            .expect("it was paused");
        for _ in 0..waiting {
            assert!(world.step(&mut log));
            assert_eq!(log.server, Some(id), "first what piled up");
            assert!(!matches!(log.input, Some(InputSummary::Timer(_))));
        }
    }

    #[test]
    fn messages_wait_for_the_disk() {
        let mut world = world(9);
        let mut log = StepLog::default();
        let mut held = 0;
        for _ in 0..3000 {
            world.step(&mut log);
            for sent in &log.sent {
                if sent.kind == crate::message::MessageKind::Ack {
                    let disk = world.disk(sent.from).expect("a disk");
                    let zxid = sent.zxid.expect("an ACK is about something");
                    let durable = if zxid.is_new_epoch() {
                        disk.current_epoch() == Some(zxid.epoch())
                    } else {
                        disk.is_durable(zxid)
                    };
                    assert!(durable, "{zxid:?} of {:?}", sent.from);
                    held += 1;
                }
            }
        }
        assert!(held > 0);
    }

    #[test]
    fn an_impossible_action_says_why_and_changes_nothing() {
        let mut world = eventful(10, 300);
        let mut log = StepLog::default();
        let hash = world.trace_hash();
        let far = ServerId(i64::MAX);
        let no_client = ClientNo(65_535);
        for (action, error) in [
            (Action::Restart { server: far }, ActError::NoServer(far)),
            (
                Action::CutLink {
                    a: ServerId(1),
                    b: ServerId(1),
                },
                ActError::SameServer(ServerId(1)),
            ),
            (
                Action::Partition {
                    groups: vec![
                        BTreeSet::from([ServerId(1), ServerId(2)]),
                        BTreeSet::from([ServerId(2)]),
                    ],
                },
                ActError::InTwoGroups(ServerId(2)),
            ),
            (
                Action::DropClient { client: no_client },
                ActError::NoClient(no_client),
            ),
            (
                Action::SlowDisk {
                    server: ServerId(1),
                    extra: Span(u64::MAX),
                },
                ActError::TooMuch {
                    what: "extra disk time in µs",
                    got: u64::MAX,
                    limit: MAX_EXTRA.0,
                },
            ),
        ] {
            assert_eq!(world.act(&action, &mut log), Err(error));
        }
        assert_eq!(world.trace_hash(), hash);
    }

    /// Actions as a hostile link could hold them.
    fn hostile(dice: &mut Dice) -> Action {
        let mut server = || ServerId(dice.below(9) as i64 - 1);
        let (a, b) = (server(), server());
        let client = ClientNo(dice.below(5) as u16);
        let extra = Span(dice.below(4) * 30_000_000_000);
        let path: Arc<str> = Arc::from(
            *dice
                .pick(&["", "/", "//", "a", "/a\0", "/a/../b"])
                .expect("one"),
        );
        match dice.below(22) {
            0 | 1 => Action::Crash {
                server: a,
                lose_unsynced: true,
            },
            2 | 3 => Action::Restart { server: a },
            4 => Action::Pause { server: a },
            5 => Action::Resume { server: a },
            6 => Action::CutLink { a, b },
            7 => Action::CutDirection { from: a, to: b },
            8 => Action::HealLink { a, b },
            9 => Action::Partition {
                groups: vec![BTreeSet::from([a, b]), BTreeSet::new()],
            },
            10 => Action::HealAll,
            11 => Action::SlowLink { a, b, extra },
            12 => Action::SlowDisk { server: a, extra },
            13 => Action::LoseDisk { server: a },
            14 => Action::AddClient {
                server: Some(a),
                timeout_ms: dice.pick(&[-5, 0, 7, i32::MAX]).copied().unwrap_or(0),
            },
            15 => Action::AddClient {
                server: None,
                timeout_ms: 3000,
            },
            16 => Action::MoveClient { client, server: a },
            17 => Action::DropClient { client },
            18 => Action::PauseClient { client },
            19 => Action::ResumeClient { client },
            20 => Action::Load {
                client,
                writes: u32::MAX >> dice.below(32),
            },
            _ => Action::Ask {
                client,
                request: match dice.below(5) {
                    0 => Request::GetData { path, watch: true },
                    1 => Request::Write(Write::Delete { path, version: -7 }),
                    2 => Request::Write(Write::Multi(vec![Write::Multi(Vec::new())])),
                    3 => Request::Write(Write::CreateSession { timeout_ms: -1 }),
                    _ => Request::Write(Write::Create(crate::request::Create {
                        path,
                        data: Some(Arc::from(vec![0; dice.below(3) as usize * 700_000])),
                        acl: Arc::from([]),
                        mode: crate::request::CreateMode::PersistentWithTtl,
                        op: crate::request::CreateOp::Ttl(i64::MIN),
                    })),
                },
            },
        }
    }

    #[test]
    fn no_action_makes_it_panic() {
        for seed in 0..60 {
            let mut dice = Dice::new(seed);
            let mut world = eventful(seed, 40);
            let mut log = StepLog::default();
            for _ in 0..400 {
                let action = hostile(&mut dice);
                let possible = world.possible(&action);
                assert_eq!(world.act(&action, &mut log), possible);
                for _ in 0..dice.below(5) {
                    world.step(&mut log);
                }
            }
        }
    }

    #[test]
    fn a_setup_out_of_bounds_is_refused() {
        let bad = |change: &dyn Fn(&mut Setup)| {
            let mut setup = Setup::default();
            change(&mut setup);
            World::new(&setup).err().map(|e| e.to_string())
        };
        assert_eq!(bad(&|_| ()), None);
        assert_eq!(
            bad(&|s| s.voters = 0).as_deref(),
            Some("voters is 0; it must be from 1 to 9")
        );
        assert!(bad(&|s| s.observers = 5).is_some());
        assert!(bad(&|s| s.latency = Span(u64::MAX)).is_some());
        assert!(bad(&|s| s.tick = Span(0)).is_some());
        assert!(bad(&|s| s.snap_retain = 0).is_some());
        let groups = |id: i64, weight: u64| crate::quorum::QuorumRule::Groups {
            group: [(ServerId(id), 1)].into(),
            weight: [(ServerId(id), weight)].into(),
        };
        assert_eq!(bad(&|s| s.rule = groups(1, 1)), None);
        assert!(bad(&|s| s.rule = groups(6, 1)).is_some());
        assert!(bad(&|s| s.rule = groups(1, 0)).is_some());
    }

    #[test]
    fn what_was_not_synced_is_lost_and_named() {
        let mut log = StepLog::default();
        for seed in 0..50 {
            let mut world = eventful(seed, 600);
            let busy: Vec<ServerId> = world
                .servers()
                .filter(|s| s.peer.is_some() && s.disk.entries().any(|e| !e.durable))
                .map(|s| s.id)
                .collect();
            for server in busy {
                let unsynced: Vec<Zxid> = world
                    .disk(server)
                    .expect("a disk")
                    .entries()
                    .filter(|e| !e.durable)
                    .map(|e| e.txn.zxid())
                    .collect();
                let crash = Action::Crash {
                    server,
                    lose_unsynced: true,
                };
                world.act(&crash, &mut log).expect("it ran");
                let lost = log.world_events().find_map(|e| match &e.kind {
                    WorldEventKind::Crashed { lost, .. } => Some(lost.to_vec()),
                    _ => None,
                });
                assert_eq!(lost, Some(unsynced.clone()));
                let disk = world.disk(server).expect("a disk");
                assert!(unsynced.iter().all(|z| !disk.is_durable(*z)));
            }
        }
    }
}
