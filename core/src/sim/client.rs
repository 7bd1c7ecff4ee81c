//! Simulated clients, which behave as the Java client does (ClientCnxn): one connection at a time,
//! a FIFO queue of requests, a ping at a third of the time-out, giving up after two thirds without
//! a word, rotation through the servers, watches kept here and set again after a reconnect.

use crate::{
    id::{ClientId, EventId, ServerId, SessionId, Zxid},
    request::{
        Acl, AddWatchMode, AuthId, ConnectRequest, ConnectResponse, Create, CreateMode, CreateOp,
        ErrorCode, Reply, Request, Response, SetWatches, WatchEvent, WatchEventKind, WatcherType,
        Write, perms,
    },
    sim::{
        fact::{GaveUpBecause, StepLog, WorldEventKind},
        queue::{Answer, Base, Call, Happening, Trip},
        setup::ClientNo,
    },
    time::{Moment, Span},
};
use imbl::Vector;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

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

impl WatchLists {
    /// A request was answered: what it registered or removed.
    fn answered(&mut self, request: &Request, result: &Result<Response, ErrorCode>) {
        match (request, result) {
            (Request::GetData { path, watch: true }, Ok(_))
            | (Request::Exists { path, watch: true }, Ok(_)) => {
                self.data.insert(Arc::clone(path));
            }
            (Request::Exists { path, watch: true }, Err(ErrorCode::NoNode)) => {
                self.exist.insert(Arc::clone(path));
            }
            (
                Request::GetChildren {
                    path, watch: true, ..
                },
                Ok(_),
            ) => {
                self.child.insert(Arc::clone(path));
            }
            (Request::AddWatch { path, mode }, Ok(_)) => {
                let list = match mode {
                    AddWatchMode::Persistent => &mut self.persistent,
                    AddWatchMode::PersistentRecursive => &mut self.recursive,
                };
                list.insert(Arc::clone(path));
            }
            (Request::RemoveWatches { path, kind }, Ok(_)) => {
                let (data, child, persistent, recursive) = match kind {
                    WatcherType::Children => (false, true, false, false),
                    WatcherType::Data => (true, false, false, false),
                    WatcherType::Any => (true, true, true, true),
                    WatcherType::Persistent => (false, false, true, false),
                    WatcherType::PersistentRecursive => (false, false, false, true),
                };
                if data {
                    self.data.remove(path);
                    self.exist.remove(path);
                }
                if child {
                    self.child.remove(path);
                }
                if persistent {
                    self.persistent.remove(path);
                }
                if recursive {
                    self.recursive.remove(path);
                }
            }
            _ => {}
        }
    }

    /// A watch rang: one-shot watches are gone.
    fn rang(&mut self, event: &WatchEvent) {
        let path = &event.path;
        match event.kind {
            WatchEventKind::NodeCreated | WatchEventKind::NodeDataChanged => {
                self.data.remove(path);
                self.exist.remove(path);
            }
            WatchEventKind::NodeDeleted => {
                self.data.remove(path);
                self.exist.remove(path);
                self.child.remove(path);
            }
            WatchEventKind::NodeChildrenChanged => {
                self.child.remove(path);
            }
        }
    }

    /// The packets that set them all again, none larger than Java clients send (1.11).
    fn set_again(&self, relative_zxid: Zxid) -> Vec<SetWatches> {
        const PACKET_BYTES: usize = 128 * 1024;
        let empty = || SetWatches {
            relative_zxid,
            ..SetWatches::default()
        };
        let (mut packets, mut packet, mut bytes) = (Vec::new(), empty(), 0);
        type Pick = fn(&mut SetWatches) -> &mut Vec<Arc<str>>;
        let lists: [(&BTreeSet<Arc<str>>, Pick); 5] = [
            (&self.data, |p| &mut p.data),
            (&self.exist, |p| &mut p.exist),
            (&self.child, |p| &mut p.child),
            (&self.persistent, |p| &mut p.persistent),
            (&self.recursive, |p| &mut p.recursive),
        ];
        for (paths, list) in lists {
            for path in paths {
                if bytes > PACKET_BYTES {
                    packets.push(core::mem::replace(&mut packet, empty()));
                    bytes = 0;
                }
                bytes += 4 + path.len();
                list(&mut packet).push(Arc::clone(path));
            }
        }
        if bytes > 0 {
            packets.push(packet);
        }
        packets
    }
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
    /// The session was over before it was sent: not done.
    SessionExpired,
}

/// What a client saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The end of a request.
    Answer {
        /// Its number on the connection; 0 if it was never sent.
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
/// How many requests one client may have waiting.
pub const QUEUE_LIMIT: usize = 1000;

/// How many identities a client proves again after a reconnect.
const IDENTITIES_LIMIT: usize = 16;

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
    pub observations: &'a Vector<Arc<Observation>>,
    /// How many observations there were in all, forgotten ones included.
    pub observed: u64,
}

/// Something on its way between a client and a server.
#[derive(Clone, Copy, Debug)]
pub struct ClientFlight<'a> {
    /// The client.
    pub client: ClientNo,
    /// The server.
    pub server: ServerId,
    /// The connection.
    pub conn: ClientId,
    /// When it left.
    pub sent_at: Moment,
    /// When it will arrive.
    pub arrives_at: Moment,
    /// What.
    pub packet: ClientPacket<'a>,
}

/// What goes between a client and a server; the first three go to the server.
#[derive(Clone, Copy, Debug)]
pub enum ClientPacket<'a> {
    /// "This is me."
    Connect(&'a ConnectRequest),
    /// A request with its number.
    Request(i32, &'a Request),
    /// Word that the client closed.
    Gone,
    /// The answer to the first packet.
    Connected(&'a ConnectResponse),
    /// A reply.
    Reply(&'a Reply),
    /// A watch event.
    Watch(&'a WatchEvent),
    /// Word that the server closed, refused or crashed.
    Closed(GaveUpBecause),
}

impl ClientPacket<'_> {
    /// Whether it goes to the server.
    #[must_use]
    pub const fn goes_to_server(&self) -> bool {
        matches!(
            self,
            ClientPacket::Connect(_) | ClientPacket::Request(..) | ClientPacket::Gone
        )
    }
}

/// A connection between a client and a server: FIFO in both directions.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) client: ClientNo,
    pub(crate) server: ServerId,
    /// The server has heard of it and not closed it.
    pub(crate) server_open: bool,
    /// The client has not given it up.
    pub(crate) client_open: bool,
    /// Nothing that is under way arrives, except word that it is gone.
    broken: bool,
    to_server: Moment,
    to_client: Moment,
}

/// All connections between clients and servers.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    links: BTreeMap<ClientId, Link>,
    next: u64,
}

impl Links {
    pub(crate) fn new() -> Links {
        Links {
            links: BTreeMap::new(),
            next: 1,
        }
    }

    /// What is under way, as those see it who look.
    pub(crate) fn flight<'a>(&self, what: &'a Happening) -> Option<ClientFlight<'a>> {
        let (conn, when, packet) = match what {
            Happening::ToServer {
                conn, call, when, ..
            } => {
                let packet = match call {
                    Call::Connect(request) => ClientPacket::Connect(request),
                    Call::Request { xid, request } => ClientPacket::Request(*xid, request),
                    Call::Gone => ClientPacket::Gone,
                };
                (conn, when, packet)
            }
            Happening::ToClient {
                conn, answer, when, ..
            } => {
                let packet = match answer {
                    Answer::Connected(response) => ClientPacket::Connected(response),
                    Answer::Reply(reply) => ClientPacket::Reply(reply),
                    Answer::Watch(event) => ClientPacket::Watch(event),
                    Answer::Closed(because) => ClientPacket::Closed(*because),
                };
                (conn, when, packet)
            }
            _ => return None,
        };
        let link = self.get(*conn)?;
        // What a broken connection had under way will not be heard.
        let heard = !link.broken || matches!(packet, ClientPacket::Closed(_) | ClientPacket::Gone);
        heard.then_some(ClientFlight {
            client: link.client,
            server: link.server,
            conn: *conn,
            sent_at: when.sent_at,
            arrives_at: when.arrives_at,
            packet,
        })
    }

    pub(crate) fn get(&self, conn: ClientId) -> Option<&Link> {
        self.links.get(&conn)
    }

    fn open(&mut self, client: ClientNo, server: ServerId) -> ClientId {
        let conn = ClientId(self.next);
        self.next += 1;
        self.links.insert(
            conn,
            Link {
                client,
                server,
                server_open: false,
                client_open: true,
                broken: false,
                to_server: Moment(0),
                to_client: Moment(0),
            },
        );
        conn
    }

    fn forget_if_over(&mut self, conn: ClientId) {
        if self
            .links
            .get(&conn)
            .is_some_and(|l| !l.client_open && !l.server_open)
        {
            self.links.remove(&conn);
        }
    }

    /// The client says something.
    fn call(&mut self, base: &mut Base, conn: ClientId, call: Call, cause: Option<EventId>) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.to_server = (base.now + base.trip(Span(0))).max(link.to_server);
        let when = Trip {
            sent_at: base.now,
            arrives_at: link.to_server,
        };
        let call = Happening::ToServer {
            conn,
            call,
            cause,
            when,
        };
        base.queue.push(when.arrives_at, call);
    }

    /// The server says something.
    pub(crate) fn answer(
        &mut self,
        base: &mut Base,
        conn: ClientId,
        answer: Answer,
        cause: EventId,
    ) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        if link.broken || !link.server_open {
            return;
        }
        link.to_client = (base.now + base.trip(Span(0))).max(link.to_client);
        let arrives_at = link.to_client;
        word(base, conn, answer, Some(cause), arrives_at);
    }

    /// The server closes, after what it said before.
    pub(crate) fn close_by_server(&mut self, base: &mut Base, conn: ClientId, cause: EventId) {
        self.answer(
            base,
            conn,
            Answer::Closed(GaveUpBecause::ClosedByServer),
            cause,
        );
        if let Some(link) = self.links.get_mut(&conn) {
            link.server_open = false;
        }
        self.forget_if_over(conn);
    }

    /// A call reaches the server's machine, whose process runs or not. Whether the server hears it.
    pub(crate) fn reaches_server(
        &mut self,
        base: &mut Base,
        conn: ClientId,
        call: &Call,
        runs: bool,
    ) -> Option<ServerId> {
        let link = self.links.get_mut(&conn)?;
        let server = link.server;
        match call {
            Call::Connect(_) if !runs => {
                // Refused.
                let at = base.now + base.trip(Span(0));
                word(base, conn, Answer::Closed(GaveUpBecause::Refused), None, at);
                None
            }
            Call::Connect(_) => {
                link.server_open = true;
                Some(server)
            }
            Call::Request { .. } => (link.server_open && !link.broken && runs).then_some(server),
            Call::Gone => {
                let tell = link.server_open && runs;
                link.server_open = false;
                self.forget_if_over(conn);
                tell.then_some(server)
            }
        }
    }

    /// An answer reaches the client's machine. Whether the client hears it.
    fn reaches_client(&self, conn: ClientId, answer: &Answer) -> bool {
        self.links
            .get(&conn)
            .is_some_and(|l| l.client_open && (!l.broken || matches!(answer, Answer::Closed(_))))
    }

    /// The server lost its power: its clients will hear of it.
    pub(crate) fn server_down(&mut self, base: &mut Base, server: ServerId, cause: EventId) {
        let conns: Vec<ClientId> = self
            .links
            .iter()
            .filter(|(_, l)| l.server == server && l.server_open)
            .map(|(conn, _)| *conn)
            .collect();
        for conn in conns {
            let at = base.now + base.trip(Span(0));
            if let Some(link) = self.links.get_mut(&conn) {
                link.server_open = false;
                link.broken = true;
                let crashed = Answer::Closed(GaveUpBecause::ServerCrashed);
                word(base, conn, crashed, Some(cause), at);
            }
            self.forget_if_over(conn);
        }
    }

    /// The client gives the connection up; the server will hear of it, unless it knows.
    fn close_by_client(&mut self, base: &mut Base, conn: ClientId, broken: bool, cause: EventId) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.client_open = false;
            link.broken |= broken;
        }
        // Also when the server has not heard of the connection yet: the call is before it.
        self.call(base, conn, Call::Gone, Some(cause));
    }
}

/// Something goes to a client.
fn word(
    base: &mut Base,
    conn: ClientId,
    answer: Answer,
    cause: Option<EventId>,
    arrives_at: Moment,
) {
    let when = Trip {
        sent_at: base.now,
        arrives_at,
    };
    base.queue.push(
        arrives_at,
        Happening::ToClient {
            conn,
            answer,
            cause,
            when,
        },
    );
}

#[derive(Clone, Debug)]
struct Asked {
    xid: i32,
    request: Request,
    sent_at: Moment,
    sent_step: u64,
    by: Asker,
}

/// Who wants to know the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// A person, a lesson, a schedule.
    User,
    /// The client's load.
    Load,
    /// The client itself: identities and watches after a reconnect.
    Itself,
}

/// A client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    no: ClientNo,
    state: ClientState,
    paused: bool,
    session: SessionId,
    password: [u8; 16],
    wished_ms: i32,
    timeout_ms: i32,
    last_zxid: Zxid,
    last_heard: Moment,
    last_sent: Moment,
    /// In the order in which it tries them.
    hosts: Vec<ServerId>,
    next_host: usize,
    /// Calls in vain since it was last connected.
    in_vain: usize,
    xid: i32,
    queue: VecDeque<Request>,
    pending: VecDeque<Asked>,
    closing: bool,
    watches: WatchLists,
    identities: Vec<(Arc<str>, Arc<[u8]>)>,
    load: u32,
    load_made: u32,
    load_ready: bool,
    loading: bool,
    /// What piled up while paused.
    inbox: VecDeque<(ClientId, Answer, Option<EventId>)>,
    timer: Option<Moment>,
    timer_tag: u32,
    observations: Vector<Arc<Observation>>,
    observed: u64,
    pub(crate) address: Arc<[AuthId]>,
}

/// What a client needs of the world.
pub(crate) struct Around<'a> {
    pub(crate) base: &'a mut Base,
    pub(crate) log: &'a mut StepLog,
    pub(crate) links: &'a mut Links,
}

impl Client {
    /// A client that tries the servers in an order that the dice decide, `first` first.
    pub(crate) fn new(
        no: ClientNo,
        wished_ms: i32,
        first: Option<ServerId>,
        servers: &[ServerId],
        base: &mut Base,
    ) -> Client {
        let mut hosts = servers.to_vec();
        base.dice.shuffle(&mut hosts);
        if let Some(at) = first.and_then(|f| hosts.iter().position(|h| *h == f)) {
            hosts.rotate_left(at);
        }
        Client {
            no,
            state: ClientState::Waiting { until: base.now },
            paused: false,
            session: SessionId::NONE,
            password: [0; 16],
            wished_ms,
            timeout_ms: wished_ms,
            last_zxid: Zxid::ZERO,
            last_heard: base.now,
            last_sent: base.now,
            hosts,
            next_host: 0,
            in_vain: 0,
            xid: 0,
            queue: VecDeque::new(),
            pending: VecDeque::new(),
            closing: false,
            watches: WatchLists::default(),
            identities: Vec::new(),
            load: 0,
            load_made: 0,
            load_ready: false,
            loading: false,
            inbox: VecDeque::new(),
            timer: None,
            timer_tag: 0,
            observations: Vector::new(),
            observed: 0,
            address: Arc::from([AuthId {
                scheme: Arc::from("ip"),
                id: Arc::from(format!("10.1.{}.{}", no.0 / 250, no.0 % 250 + 1)),
            }]),
        }
    }

    pub(crate) fn view(&self) -> ClientView<'_> {
        ClientView {
            no: self.no,
            state: self.state,
            paused: self.paused,
            session: self.session,
            timeout_ms: self.timeout_ms,
            last_zxid_seen: self.last_zxid,
            last_heard: self.last_heard,
            last_sent: self.last_sent,
            watches: &self.watches,
            pending: self.pending.len(),
            queued: self.queue.len(),
            load: self.load,
            observations: &self.observations,
            observed: self.observed,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, ClientState::Expired | ClientState::Closed)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn connection(&self) -> Option<(ServerId, ClientId)> {
        match self.state {
            ClientState::Connecting { server, conn, .. }
            | ClientState::Connected { server, conn } => Some((server, conn)),
            ClientState::Waiting { .. } | ClientState::Expired | ClientState::Closed => None,
        }
    }

    // ---- what others do to it -----------------------------------------------------------------

    pub(crate) fn begin(&mut self, w: &mut Around<'_>) {
        let first = self.hosts.first().copied();
        if let Some(server) = first {
            self.next_host = 1 % self.hosts.len();
            self.connect(w, server);
        }
    }

    pub(crate) fn ask(&mut self, w: &mut Around<'_>, request: Request) {
        self.queue.push_back(request);
        self.pump(w);
    }

    pub(crate) fn add_load(&mut self, w: &mut Around<'_>, writes: u32) {
        self.load = self.load.saturating_add(writes);
        self.pump(w);
    }

    pub(crate) fn move_to(&mut self, w: &mut Around<'_>, server: ServerId) {
        if self.connection().is_some() {
            self.give_up(w, GaveUpBecause::Moves, None);
        }
        if let Some(at) = self.hosts.iter().position(|h| *h == server) {
            self.next_host = (at + 1) % self.hosts.len();
        }
        if !self.is_over() {
            self.connect(w, server);
        }
    }

    pub(crate) fn drop_connection(&mut self, w: &mut Around<'_>) {
        self.give_up(w, GaveUpBecause::Dropped, None);
    }

    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    pub(crate) fn resume(&mut self, w: &mut Around<'_>) {
        self.paused = false;
        while let Some((conn, answer, cause)) = self.inbox.pop_front() {
            self.hear(w, conn, answer, cause);
        }
        self.pump(w);
        self.look_at_clock(w);
    }

    // ---- what happens to it -------------------------------------------------------------------

    pub(crate) fn on_timer(&mut self, w: &mut Around<'_>, tag: u32) {
        if tag == self.timer_tag {
            self.timer = None;
            if !self.paused {
                self.look_at_clock(w);
            }
        }
    }

    pub(crate) fn on_answer(
        &mut self,
        w: &mut Around<'_>,
        conn: ClientId,
        answer: Answer,
        cause: Option<EventId>,
    ) {
        if !w.links.reaches_client(conn, &answer) {
            return;
        }
        if self.paused {
            self.inbox.push_back((conn, answer, cause));
        } else {
            self.hear(w, conn, answer, cause);
        }
    }

    fn hear(&mut self, w: &mut Around<'_>, conn: ClientId, answer: Answer, cause: Option<EventId>) {
        let Some((server, current)) = self.connection() else {
            return;
        };
        if current != conn {
            return;
        }
        self.last_heard = w.base.now;
        match answer {
            Answer::Connected(response) => self.connected(w, server, conn, &response, cause),
            Answer::Reply(reply) => self.reply(w, server, conn, reply, cause),
            Answer::Watch(event) => self.watch(w, server, conn, event, cause),
            Answer::Closed(because) => {
                self.give_up(w, because, cause);
            }
        }
    }

    // ---- connecting -----------------------------------------------------------------------------

    fn connect(&mut self, w: &mut Around<'_>, server: ServerId) {
        let conn = w.links.open(self.no, server);
        let session = (self.session != SessionId::NONE).then_some(self.session);
        let event = w.base.emit(
            w.log,
            None,
            WorldEventKind::ClientConnecting {
                client: self.no,
                server,
                session,
                last_zxid_seen: self.last_zxid,
            },
        );
        let request = ConnectRequest {
            last_zxid_seen: self.last_zxid,
            timeout_ms: self.wished_ms,
            session: self.session,
            password: self.password,
            read_only: false,
        };
        w.links
            .call(w.base, conn, Call::Connect(request), Some(event));
        self.state = ClientState::Connecting {
            server,
            conn,
            since: w.base.now,
        };
        self.last_heard = w.base.now;
        self.last_sent = w.base.now;
        self.arm(w.base);
    }

    fn connected(
        &mut self,
        w: &mut Around<'_>,
        server: ServerId,
        conn: ClientId,
        response: &ConnectResponse,
        cause: Option<EventId>,
    ) {
        if !matches!(self.state, ClientState::Connecting { .. }) {
            return;
        }
        if response.timeout_ms <= 0 {
            let session = self.session;
            let event = w.base.emit(
                w.log,
                cause,
                WorldEventKind::ClientExpired {
                    client: self.no,
                    server,
                    session,
                },
            );
            self.see(w, server, conn, Seen::Expired { session });
            self.end(w, server, conn, ClientState::Expired, event);
            return;
        }
        let resumed = self.session == response.session;
        self.session = response.session;
        self.password = response.password;
        self.timeout_ms = response.timeout_ms;
        self.in_vain = 0;
        self.state = ClientState::Connected { server, conn };
        w.base.emit(
            w.log,
            cause,
            WorldEventKind::ClientConnected {
                client: self.no,
                server,
                session: self.session,
                resumed,
                timeout_ms: self.timeout_ms,
            },
        );
        let session = self.session;
        self.see(w, server, conn, Seen::Connected { session });
        // Identities first, then watches, then what waits: ClientCnxn.primeConnection.
        for (scheme, auth) in self.identities.clone() {
            self.send(w, Request::Auth { scheme, auth }, Asker::Itself);
        }
        for packet in self.watches.set_again(self.last_zxid) {
            self.send(w, Request::SetWatches(Box::new(packet)), Asker::Itself);
        }
        self.pump(w);
        self.arm(w.base);
    }

    /// The connection ends; what was sent and not answered is lost.
    fn give_up(&mut self, w: &mut Around<'_>, because: GaveUpBecause, cause: Option<EventId>) {
        let Some((server, conn)) = self.connection() else {
            return;
        };
        let was_connected = matches!(self.state, ClientState::Connected { .. });
        let event = w.base.emit(
            w.log,
            cause,
            WorldEventKind::ClientGaveUp {
                client: self.no,
                server,
                because,
                unanswered: self
                    .pending
                    .iter()
                    .filter(|a| a.by != Asker::Itself)
                    .count() as u32,
            },
        );
        let broken = matches!(because, GaveUpBecause::Dropped);
        w.links.close_by_client(w.base, conn, broken, event);
        if was_connected {
            self.see(w, server, conn, Seen::Disconnected);
        }
        self.fail_pending(w, server, conn);
        if self.closing {
            self.state = ClientState::Closed;
            return;
        }
        // Up to a second before each attempt, a second more after each round (ClientCnxn,
        // StaticHostProvider).
        self.in_vain += 1;
        let mut wait = w.base.dice.below(1_000_000);
        if self.in_vain.is_multiple_of(self.hosts.len().max(1)) {
            wait += 1_000_000;
        }
        self.state = ClientState::Waiting {
            until: w.base.now + Span(wait),
        };
        self.arm(w.base);
    }

    fn fail_pending(&mut self, w: &mut Around<'_>, server: ServerId, conn: ClientId) {
        self.loading = false;
        for asked in core::mem::take(&mut self.pending) {
            if asked.by != Asker::Itself {
                self.see(w, server, conn, asked.seen(Outcome::ConnectionLoss));
            }
        }
    }

    /// The session is over.
    fn end(
        &mut self,
        w: &mut Around<'_>,
        server: ServerId,
        conn: ClientId,
        state: ClientState,
        event: EventId,
    ) {
        w.links.close_by_client(w.base, conn, false, event);
        self.fail_pending(w, server, conn);
        for request in core::mem::take(&mut self.queue) {
            let never_sent = Asked {
                xid: 0,
                request,
                sent_at: w.base.now,
                sent_step: w.log.step,
                by: Asker::User,
            };
            self.see(w, server, conn, never_sent.seen(Outcome::SessionExpired));
        }
        self.load = 0;
        self.state = state;
    }

    // ---- asking -----------------------------------------------------------------------------------

    /// Sends what waits, if it is connected.
    fn pump(&mut self, w: &mut Around<'_>) {
        if self.paused || !matches!(self.state, ClientState::Connected { .. }) {
            return;
        }
        while let Some(request) = self.queue.pop_front() {
            if let Request::Auth { scheme, auth } = &request {
                let identity = (Arc::clone(scheme), Arc::clone(auth));
                if self.identities.len() < IDENTITIES_LIMIT && !self.identities.contains(&identity)
                {
                    self.identities.push(identity);
                }
            }
            self.closing |= matches!(request, Request::CloseSession);
            self.send(w, request, Asker::User);
        }
        if self.load > 0 && !self.loading && !self.closing {
            self.load -= 1;
            self.loading = true;
            let request = self.next_load();
            self.send(w, request, Asker::Load);
        }
    }

    fn next_load(&mut self) -> Request {
        self.load_made += 1;
        let path = Arc::from(format!("/load-{}", self.no.0));
        let data = Some(Arc::from(self.load_made.to_string().into_bytes()));
        Request::Write(if self.load_ready {
            Write::SetData {
                path,
                data,
                version: -1,
            }
        } else {
            Write::Create(Create {
                path,
                data,
                acl: open_acl(),
                mode: CreateMode::Persistent,
                op: CreateOp::Create,
            })
        })
    }

    fn send(&mut self, w: &mut Around<'_>, request: Request, by: Asker) {
        let ClientState::Connected { server, conn } = self.state else {
            return;
        };
        let xid = match &request {
            Request::Ping => -2,
            Request::Auth { .. } => -4,
            Request::SetWatches(_) => -8,
            _ => {
                self.xid = self.xid.checked_add(1).unwrap_or(1);
                self.xid
            }
        };
        let event = w.base.emit(
            w.log,
            None,
            WorldEventKind::RequestSent {
                client: self.no,
                server,
                conn,
                xid,
                op: request.kind(),
                path: path_of(&request).cloned(),
            },
        );
        let call = Call::Request {
            xid,
            request: request.clone(),
        };
        w.links.call(w.base, conn, call, Some(event));
        self.last_sent = w.base.now;
        self.pending.push_back(Asked {
            xid,
            request,
            sent_at: w.base.now,
            sent_step: w.log.step,
            by,
        });
    }

    /// Takes the request that this reply answers: the oldest with an own number, or the oldest
    /// with that special number.
    fn take_pending(&mut self, xid: i32) -> Option<Asked> {
        let at = self.pending.iter().position(|a| match xid {
            ..0 => a.xid == xid,
            0.. => a.xid >= 0,
        })?;
        if self.pending[at].xid != xid {
            return None;
        }
        self.pending.remove(at)
    }

    fn reply(
        &mut self,
        w: &mut Around<'_>,
        server: ServerId,
        conn: ClientId,
        reply: Reply,
        cause: Option<EventId>,
    ) {
        let Some(asked) = self.take_pending(reply.xid) else {
            self.give_up(w, GaveUpBecause::ReplyOutOfOrder { xid: reply.xid }, cause);
            return;
        };
        let event = w.base.emit(
            w.log,
            cause,
            WorldEventKind::ReplyReceived {
                client: self.no,
                server,
                xid: reply.xid,
                op: asked.request.kind(),
                zxid: reply.zxid,
                error: reply.result.as_ref().err().copied(),
            },
        );
        self.watches.answered(&asked.request, &reply.result);
        let closed = matches!(asked.request, Request::CloseSession);
        match asked.by {
            Asker::Load => {
                self.loading = false;
                match (&asked.request, &reply.result) {
                    (_, Err(ErrorCode::NoNode)) => self.load_ready = false,
                    (_, Ok(_) | Err(ErrorCode::NodeExists)) => self.load_ready = true,
                    (_, Err(_)) => {}
                }
            }
            Asker::User | Asker::Itself => {}
        }
        let zxid = reply.zxid;
        if asked.by != Asker::Itself {
            let outcome = Outcome::Reply {
                zxid,
                result: reply.result,
            };
            self.see(w, server, conn, asked.seen(outcome));
        }
        self.last_zxid = self.last_zxid.max(zxid);
        if closed {
            let session = self.session;
            let over = w.base.emit(
                w.log,
                Some(event),
                WorldEventKind::ClientClosed {
                    client: self.no,
                    session,
                },
            );
            self.end(w, server, conn, ClientState::Closed, over);
            return;
        }
        self.pump(w);
    }

    fn watch(
        &mut self,
        w: &mut Around<'_>,
        server: ServerId,
        conn: ClientId,
        event: WatchEvent,
        cause: Option<EventId>,
    ) {
        w.base.emit(
            w.log,
            cause,
            WorldEventKind::WatchReceived {
                client: self.no,
                server,
                event: event.kind,
                path: Arc::clone(&event.path),
                zxid: event.zxid,
            },
        );
        self.watches.rang(&event);
        let zxid = event.zxid;
        self.see(w, server, conn, Seen::Watch(event));
        self.last_zxid = self.last_zxid.max(zxid);
    }

    fn see(&mut self, w: &Around<'_>, server: ServerId, conn: ClientId, seen: Seen) {
        if self.observations.len() == OBSERVATIONS_KEPT {
            self.observations.pop_front();
        }
        self.observed += 1;
        self.observations.push_back(Arc::new(Observation {
            at: w.base.now,
            step: w.log.step,
            server,
            conn,
            last_zxid_before: self.last_zxid,
            seen,
        }));
    }

    // ---- the clock ----------------------------------------------------------------------------

    fn third(&self) -> Span {
        Span(self.timeout_ms.max(0) as u64 * 1000 / 3)
    }

    /// When it has to look at the clock again.
    fn due(&self) -> Option<Moment> {
        match self.state {
            ClientState::Waiting { until } => Some(until),
            ClientState::Connecting { since, .. } => Some(since + self.connect_timeout()),
            ClientState::Connected { .. } => {
                let third = self.third();
                Some((self.last_sent + third).min(self.last_heard + third.times(2)))
            }
            ClientState::Expired | ClientState::Closed => None,
        }
    }

    /// The time-out divided among the servers (ClientCnxn: sessionTimeout / hostProvider.size()).
    fn connect_timeout(&self) -> Span {
        let each = self.timeout_ms.max(0) as u64 * 1000 / self.hosts.len().max(1) as u64;
        Span(each.max(10_000))
    }

    fn arm(&mut self, base: &mut Base) {
        if self.paused {
            return;
        }
        let Some(due) = self.due() else {
            return;
        };
        let due = due.max(base.now);
        if self.timer.is_none_or(|armed| due < armed) {
            self.timer = Some(due);
            self.timer_tag += 1;
            base.queue.push(
                due,
                Happening::ClientTimer {
                    client: self.no,
                    tag: self.timer_tag,
                },
            );
        }
    }

    fn look_at_clock(&mut self, w: &mut Around<'_>) {
        let now = w.base.now;
        match self.state {
            ClientState::Waiting { until } if until <= now => {
                let next = self.hosts.get(self.next_host).copied();
                if let Some(server) = next {
                    self.next_host = (self.next_host + 1) % self.hosts.len();
                    self.connect(w, server);
                }
            }
            ClientState::Connecting { since, .. } if since + self.connect_timeout() <= now => {
                let because = GaveUpBecause::ConnectTimeout {
                    waited: now - since,
                };
                self.give_up(w, because, None);
            }
            ClientState::Connected { .. } => {
                let third = self.third();
                if self.last_heard + third.times(2) <= now {
                    let because = GaveUpBecause::Silent {
                        waited: now - self.last_heard,
                    };
                    self.give_up(w, because, None);
                } else if self.last_sent + third <= now {
                    self.send(w, Request::Ping, Asker::Itself);
                }
            }
            ClientState::Waiting { .. }
            | ClientState::Connecting { .. }
            | ClientState::Expired
            | ClientState::Closed => {}
        }
        self.arm(w.base);
    }
}

impl Asked {
    fn seen(self, outcome: Outcome) -> Seen {
        Seen::Answer {
            xid: self.xid,
            request: self.request,
            sent_at: self.sent_at,
            sent_step: self.sent_step,
            outcome,
        }
    }
}

/// world:anyone may do everything.
pub(crate) fn open_acl() -> Arc<[Acl]> {
    Arc::from([Acl {
        perms: perms::ALL,
        scheme: Arc::from("world"),
        id: Arc::from("anyone"),
    }])
}

/// The one place that a request is about; for getEphemerals the prefix stands for it.
fn path_of(request: &Request) -> Option<&Arc<str>> {
    if let Request::GetEphemerals { prefix } = request {
        return prefix.as_ref();
    }
    request.path()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        fact::{Fact, Record},
        setup::{Action, Setup},
        world::World,
    };

    const ONE: ClientNo = ClientNo(1);

    /// A world of three with its records.
    struct Town {
        world: World,
        log: StepLog,
        records: Vec<Record>,
    }

    impl Town {
        /// Three servers that serve.
        fn serving() -> Town {
            let setup = Setup {
                voters: 3,
                tick: Span::millis(500),
                ..Setup::default()
            };
            let mut town = Town {
                world: World::new(&setup).expect("a world"),
                log: StepLog::default(),
                records: Vec::new(),
            };
            town.until("all serve", |w| {
                w.servers().all(|s| s.peer.is_some_and(|p| p.serving()))
            });
            town
        }

        fn act(&mut self, action: Action) {
            self.world
                .act(&action, &mut self.log)
                .expect("a possible action");
            self.records.append(&mut self.log.records);
        }

        fn until(&mut self, what: &str, reached: impl Fn(&World) -> bool) {
            for _ in 0..20_000 {
                if reached(&self.world) {
                    return;
                }
                assert!(
                    self.world.step(&mut self.log),
                    "all is at rest before: {what}"
                );
                self.records.append(&mut self.log.records);
            }
            panic!("not reached: {what}");
        }

        fn add(&mut self, server: i64, timeout_ms: i32) {
            self.act(Action::AddClient {
                server: Some(ServerId(server)),
                timeout_ms,
            });
            self.until("connected", |w| connected(w).is_some());
        }

        fn ask(&mut self, request: Request) -> Outcome {
            let before = self.client().observed;
            self.act(Action::Ask {
                client: ONE,
                request,
            });
            self.until("answered", |w| {
                w.client(ONE).is_some_and(|c| {
                    c.observed > before
                        && c.observations
                            .last()
                            .is_some_and(|o| matches!(o.seen, Seen::Answer { .. }))
                })
            });
            match self.client().observations.last().map(|o| o.seen.clone()) {
                Some(Seen::Answer { outcome, .. }) => outcome,
                other => panic!("expected an answer, found {other:?}"),
            }
        }

        fn client(&self) -> ClientView<'_> {
            self.world.client(ONE).expect("a client")
        }

        fn said(&self, which: impl Fn(&WorldEventKind) -> bool) -> usize {
            self.records
                .iter()
                .filter(|r| matches!(&r.source, Fact::World(e) if which(&e.kind)))
                .count()
        }
    }

    fn connected(world: &World) -> Option<ServerId> {
        match world.client(ONE)?.state {
            ClientState::Connected { server, .. } => Some(server),
            _ => None,
        }
    }

    fn create(path: &str) -> Request {
        Request::Write(Write::Create(Create {
            path: Arc::from(path),
            data: None,
            acl: open_acl(),
            mode: CreateMode::Persistent,
            op: CreateOp::Create,
        }))
    }

    fn exists(path: &str) -> Request {
        Request::Exists {
            path: Arc::from(path),
            watch: true,
        }
    }

    #[test]
    fn a_client_pings_at_a_third_of_its_time_out_and_keeps_its_session() {
        let mut town = Town::serving();
        town.add(1, 3000);
        let begin = town.world.now();
        town.until("ten time-outs", |w| w.now() - begin > Span::millis(30_000));
        let pings = town.said(|k| matches!(k, WorldEventKind::RequestSent { xid: -2, .. }));
        assert!((25..=33).contains(&pings), "{pings} pings");
        assert_eq!(connected(&town.world), Some(ServerId(1)));
    }

    #[test]
    fn a_client_gives_up_after_two_thirds_and_goes_on_elsewhere_with_its_session() {
        let mut town = Town::serving();
        town.add(1, 9000);
        let session = town.client().session;
        town.act(Action::Pause {
            server: ServerId(1),
        });
        town.until("gave up", |w| connected(w).is_none());
        let waited = town.records.iter().find_map(|r| match &r.source {
            Fact::World(e) => match &e.kind {
                WorldEventKind::ClientGaveUp {
                    because: GaveUpBecause::Silent { waited },
                    ..
                } => Some(*waited),
                _ => None,
            },
            Fact::Peer(_) => None,
        });
        assert_eq!(waited, Some(Span::millis(6000)));
        town.until("elsewhere", |w| connected(w).is_some());
        assert_ne!(connected(&town.world), Some(ServerId(1)));
        assert_eq!(town.client().session, session);
    }

    #[test]
    fn what_was_sent_and_not_answered_fails_with_connection_loss() {
        let mut town = Town::serving();
        town.add(1, 2000);
        town.act(Action::Ask {
            client: ONE,
            request: create("/a"),
        });
        town.act(Action::DropClient { client: ONE });
        let last = town.client().observations.last().cloned();
        let seen = last.map(|o| o.seen.clone());
        assert!(
            matches!(
                seen,
                Some(Seen::Answer {
                    outcome: Outcome::ConnectionLoss,
                    ..
                })
            ),
            "{seen:?}"
        );
    }

    #[test]
    fn what_was_not_sent_yet_waits_for_the_next_connection() {
        let mut town = Town::serving();
        town.add(1, 2000);
        town.act(Action::DropClient { client: ONE });
        let outcome = town.ask(create("/a"));
        assert!(matches!(outcome, Outcome::Reply { result: Ok(_), .. }));
    }

    #[test]
    fn watches_are_set_again_after_a_reconnect_and_ring_for_what_was_missed() {
        let mut town = Town::serving();
        town.add(1, 4000);
        town.ask(exists("/a"));
        assert!(town.client().watches.exist.contains("/a"));
        // Another client makes the znode while the first is away.
        town.act(Action::PauseClient { client: ONE });
        town.act(Action::DropClient { client: ONE });
        town.act(Action::AddClient {
            server: Some(ServerId(2)),
            timeout_ms: 4000,
        });
        town.act(Action::Ask {
            client: ClientNo(2),
            request: create("/a"),
        });
        town.until("made", |w| {
            w.client(ClientNo(2)).is_some_and(|c| c.observed >= 2)
        });
        town.act(Action::ResumeClient { client: ONE });
        town.until("told", |w| {
            w.client(ONE).is_some_and(|c| {
                c.observations
                    .iter()
                    .any(|o| matches!(&o.seen, Seen::Watch(e) if &*e.path == "/a"))
            })
        });
        assert!(town.client().watches.exist.is_empty(), "one-shot");
    }

    #[test]
    fn a_client_that_slept_too_long_is_told_that_its_session_expired() {
        let mut town = Town::serving();
        town.add(1, 1000);
        town.act(Action::PauseClient { client: ONE });
        let begin = town.world.now();
        town.until("long after", |w| w.now() - begin > Span::millis(5000));
        town.act(Action::ResumeClient { client: ONE });
        town.until("told", |w| {
            w.client(ONE)
                .is_some_and(|c| c.state == ClientState::Expired)
        });
        assert_eq!(
            town.said(|k| matches!(k, WorldEventKind::ClientExpired { .. })),
            1
        );
        let error = town.world.possible(&Action::Ask {
            client: ONE,
            request: Request::WhoAmI,
        });
        assert!(error.is_err(), "it ends");
    }

    #[test]
    fn a_client_that_says_good_bye_ends() {
        let mut town = Town::serving();
        town.add(2, 2000);
        let outcome = town.ask(Request::CloseSession);
        assert!(matches!(outcome, Outcome::Reply { result: Ok(_), .. }));
        assert_eq!(town.client().state, ClientState::Closed);
    }

    #[test]
    fn a_crash_sends_clients_to_another_server() {
        let mut town = Town::serving();
        town.add(1, 2000);
        town.act(Action::Crash {
            server: ServerId(1),
            lose_unsynced: true,
        });
        town.until("elsewhere", |w| {
            connected(w).is_some_and(|s| s != ServerId(1))
        });
        assert_eq!(
            town.said(|k| matches!(
                k,
                WorldEventKind::ClientGaveUp {
                    because: GaveUpBecause::ServerCrashed,
                    ..
                }
            )),
            1
        );
    }

    #[test]
    fn load_writes_one_after_the_other() {
        let mut town = Town::serving();
        town.add(3, 2000);
        town.act(Action::Load {
            client: ONE,
            writes: 20,
        });
        town.until("all written", |w| {
            w.client(ONE).is_some_and(|c| c.load == 0 && c.pending == 0)
        });
        let answered = town
            .client()
            .observations
            .iter()
            .filter(|o| {
                matches!(
                    o.seen,
                    Seen::Answer {
                        outcome: Outcome::Reply { result: Ok(_), .. },
                        ..
                    }
                )
            })
            .count();
        assert_eq!(answered, 20);
    }

    #[test]
    fn a_read_from_a_lagging_server_is_called_stale() {
        let mut town = Town::serving();
        let lagging = town
            .world
            .servers()
            .find(|s| s.peer.is_some_and(|p| p.leader() != Some(s.id)))
            .expect("a follower")
            .id;
        let leader = town
            .world
            .peer(lagging)
            .and_then(crate::peer::Peer::leader)
            .expect("a leader");
        town.add(lagging.0, 4000);
        town.act(Action::SlowLink {
            a: leader,
            b: lagging,
            extra: Span::millis(200),
        });
        town.act(Action::AddClient {
            server: Some(leader),
            timeout_ms: 4000,
        });
        town.act(Action::Load {
            client: ClientNo(2),
            writes: 3,
        });
        town.until("two are committed", |w| {
            w.client(ClientNo(2)).is_some_and(|c| c.load == 0)
        });
        town.ask(exists("/load-2"));
        let behind = town.records.iter().find_map(|r| match &r.source {
            Fact::World(e) => match &e.kind {
                WorldEventKind::StaleRead {
                    client, behind_by, ..
                } => Some((*client, *behind_by)),
                _ => None,
            },
            Fact::Peer(_) => None,
        });
        assert!(matches!(behind, Some((ONE, 1..))), "{behind:?}");
    }
}
