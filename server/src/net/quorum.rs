//! Quorum traffic, port 2888 (ZooKeeper.md 3.1, 3.2): a learner dials its leader, packets come back
//! to back without a length before them.
//!
//! Two halves of one task per connection. What it reads goes to the node, at most `AHEAD` packets
//! before the node has taken them; what the node sends waits in a queue that ends the connection when
//! it grows beyond `BEHIND`: a learner so far behind is better off synchronising again.

use crate::{
    clock::millis,
    net::{
        socket::attempts,
        tls::{Dialer, Door, Reader, Stream, Writer},
    },
    node::Inbox,
    sasl::quorum::{self as sasl, Login},
};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc as std_mpsc,
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use zabscope_core::{
    id::{ConnId, ServerId, Zxid},
    members::LARGEST_ID,
    message::QuorumMessage,
    peer::input::InputKind,
    tree::TtlOwners,
    wire::{
        jute::DecodeError,
        quorum::{self, LearnerInfo, Packet, Sender},
        snapshot::{Encoder, Form, Loader, Options, SnapshotError},
    },
};

/// How many packets of one connection may wait for the node.
const AHEAD: usize = 1024;
/// How many packets may wait for one connection.
const BEHIND: usize = 100_000;
/// How long a learner may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(5);
/// How many strangers may stand at the door at once.
const DOOR: usize = 128;
/// How often a newcomer looks whether the connection before it has ended.
const WAIT: Duration = Duration::from_millis(20);
/// Packets are gathered into writes of about this size.
const WRITE: usize = 64 * 1024;
/// A read asks for so much.
const READ: usize = 16 * 1024;

/// What a server tells others about itself and its ensemble on these connections, and what it
/// accepts.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub me: ServerId,
    /// The membership's text (2.5), sent with NEWLEADER.
    pub config_text: String,
    /// The longest string or buffer that is read
    /// ([`txn_limit`](zabscope_core::config::Config::txn_limit)).
    pub record_limit: usize,
    /// Which owners are TTLs (1.7).
    pub ttls: TtlOwners,
    /// Whether servers that are no members may follow, to become members.
    pub open: bool,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long each of several addresses has first (`multiAddress.reachabilityCheckTimeoutMs`).
    pub reachability: Option<Duration>,
    /// A learner that was heard from within this time is there (`tickTime`; it is pinged twice as
    /// often).
    pub lively: Duration,
    /// How members prove themselves to each other; `None` if they don't.
    pub sasl: Option<Arc<Login>>,
}

/// The sending half: what the node uses.
pub struct QuorumNet {
    shared: Arc<Shared>,
    runtime: Option<Handle>,
}

struct Shared {
    identity: Identity,
    dialer: Dialer,
    members: Mutex<BTreeMap<ServerId, Vec<String>>>,
    inbox: std_mpsc::Sender<Inbox>,
    start: Instant,
    next: AtomicU64,
    lines: Mutex<HashMap<ConnId, Line>>,
}

/// One connection as the node sees it.
struct Line {
    /// The learner at its other end; `None` towards a leader, and before it has said who it is.
    learner: Option<ServerId>,
    /// When something came last, in ms since [`Shared::start`].
    heard: Arc<AtomicU64>,
    queue: mpsc::UnboundedSender<QuorumMessage>,
    waiting: Arc<AtomicUsize>,
    /// A permit for each packet that the node may still be given.
    ahead: Arc<Semaphore>,
}

impl Shared {
    fn new(
        identity: Identity,
        dialer: Dialer,
        members: BTreeMap<ServerId, Vec<String>>,
        inbox: std_mpsc::Sender<Inbox>,
    ) -> Shared {
        Shared {
            identity,
            dialer,
            members: Mutex::new(members),
            inbox,
            start: Instant::now(),
            next: AtomicU64::new(1),
            lines: Mutex::default(),
        }
    }

    fn members(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServerId, Vec<String>>> {
        // Nothing that holds it can panic half way; the map is whole.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ms(&self) -> u64 {
        millis(self.start.elapsed())
    }

    /// Whether `conn` may be the connection of learner `id`. Nobody takes the place of a learner that
    /// is there: whoever only says to be it would unseat it, and with it perhaps the leader. An old
    /// connection that is just ending, or whose other end has died in silence, is waited for.
    async fn takes_place(&self, id: ServerId, conn: ConnId) -> bool {
        let lively = millis(self.identity.lively);
        let until = self.ms().saturating_add(lively.saturating_mul(2));
        loop {
            {
                let mut lines = self.lines();
                let now = self.ms();
                let taken = lines.iter().any(|(other, line)| {
                    *other != conn
                        && line.learner == Some(id)
                        && now.saturating_sub(line.heard.load(Ordering::Relaxed)) <= lively
                });
                if !taken {
                    if let Some(line) = lines.get_mut(&conn) {
                        line.learner = Some(id);
                    }
                    return true;
                }
                if now >= until {
                    return false;
                }
            }
            tokio::time::sleep(WAIT).await;
        }
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, HashMap<ConnId, Line>> {
        // Nothing that holds it can panic half way; the map is whole.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, input: InputKind) -> Result<(), End> {
        self.inbox
            .send(Inbox::Peer(input))
            .map_err(|_| End::Stopped)
    }

    fn limit(&self) -> usize {
        self.identity.record_limit
    }
}

impl QuorumNet {
    /// For a server that stands alone.
    #[must_use]
    pub fn none(identity: Identity, inbox: std_mpsc::Sender<Inbox>) -> QuorumNet {
        QuorumNet {
            shared: Arc::new(Shared::new(
                identity,
                Dialer::plain(),
                BTreeMap::new(),
                inbox,
            )),
            runtime: None,
        }
    }

    /// A way to the members. Called on the runtime; learners come in by `listener`.
    #[must_use]
    pub fn start(
        identity: Identity,
        members: BTreeMap<ServerId, Vec<String>>,
        (dialer, door): (Dialer, Door),
        listener: TcpListener,
        inbox: std_mpsc::Sender<Inbox>,
    ) -> QuorumNet {
        let shared = Arc::new(Shared::new(identity, dialer, members, inbox));
        tokio::spawn(accept(Arc::clone(&shared), door, listener));
        QuorumNet {
            shared,
            runtime: Some(Handle::current()),
        }
    }

    /// Servers are reached there from now on; who has left still is where it was.
    pub fn reach(&self, addresses: BTreeMap<ServerId, Vec<String>>) {
        self.shared.members().extend(addresses);
    }

    /// Begins a connection; `Connected` or `ConnectFailed` follows.
    pub fn connect(&self, to: ServerId) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(dial(Arc::clone(&self.shared), to));
        }
    }

    /// Ends a connection, after what was sent before; `Closed` follows.
    pub fn close(&self, conn: ConnId) {
        self.shared.lines().remove(&conn);
    }

    /// Sends a packet. On a connection that is gone it is lost, as the bus has it.
    pub fn send(&self, conn: ConnId, message: QuorumMessage) {
        let mut lines = self.shared.lines();
        let Some(line) = lines.get(&conn) else { return };
        if line.waiting.fetch_add(1, Ordering::Relaxed) >= BEHIND {
            tracing::warn!(
                conn = conn.0,
                "closed: {BEHIND} packets wait for a server that does not read them"
            );
            lines.remove(&conn);
            return;
        }
        // A closed queue: the connection is gone and has said so.
        let _ = line.queue.send(message);
    }

    /// The node has taken one packet of this connection.
    pub fn taken(&self, conn: ConnId) {
        if let Some(line) = self.shared.lines().get(&conn) {
            line.ahead.add_permits(1);
        }
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a packet can't be read: {0}")]
    Decode(#[from] DecodeError),
    #[error("the leader's snapshot can't be read: {0}")]
    Snapshot(#[from] SnapshotError),
    #[error("a learner has to introduce itself first")]
    NotIntroduced,
    #[error("server {0} is no member of this ensemble")]
    Stranger(ServerId),
    #[error("the other side has closed it")]
    Closed,
    #[error("this server has closed it")]
    LetGo,
    #[error("the node has stopped")]
    Stopped,
}

async fn dial(shared: Arc<Shared>, to: ServerId) {
    let hosts = shared.members().get(&to).cloned().unwrap_or_default();
    let Identity {
        connect_timeout,
        reachability,
        ..
    } = shared.identity;
    for (host, limit) in attempts(&hosts, connect_timeout, reachability) {
        match timeout(limit, call(&shared, host)).await {
            Ok(Ok((stream, early))) => {
                let mut line = Connection::open(&shared, stream, early, Sender::Leader);
                let conn = line.conn;
                if shared.tell(InputKind::Connected { to, conn }).is_ok() {
                    line.run(to).await;
                }
                return;
            }
            Ok(Err(error)) => {
                tracing::debug!(to = to.0, %host, %error, "the leader was not reached")
            }
            Err(_) => tracing::debug!(to = to.0, %host, "the leader was not reached in time"),
        }
    }
    let _ = shared.tell(InputKind::ConnectFailed { to });
}

/// Connects, and proves who we are if that is asked for. What was read beyond that comes with it.
async fn call(shared: &Shared, host: &str) -> io::Result<(Stream, Vec<u8>)> {
    let mut stream = shared.dialer.connect(host).await?;
    let mut early = Vec::new();
    if let Some(login) = &shared.identity.sasl {
        sasl::connect(login, &mut stream, &mut early)
            .await
            .inspect_err(|error| tracing::warn!(%host, %error, "no SASL with the leader"))?;
    }
    Ok((stream, early))
}

/// Lets who has connected prove that it is a member, and reads who it says that it is.
async fn welcome(
    shared: &Arc<Shared>,
    mut stream: Stream,
) -> Result<(Connection, ServerId, LearnerInfo), End> {
    let mut early = Vec::new();
    if let Some(login) = &shared.identity.sasl {
        sasl::accept(login, &mut stream, &mut early).await?;
    }
    let mut line = Connection::open(shared, stream, early, Sender::Learner);
    let (id, info) = line.introduction().await?;
    Ok((line, id, info))
}

async fn accept(shared: Arc<Shared>, door: Door, listener: TcpListener) {
    let door = Arc::new(door);
    let places = Arc::new(Semaphore::new(DOOR));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, from)) => {
                let (shared, door) = (Arc::clone(&shared), Arc::clone(&door));
                tokio::spawn(async move {
                    let Some(stream) = come_in(&door, stream, from).await else {
                        return;
                    };
                    match timeout(INTRODUCTION, welcome(&shared, stream)).await {
                        Ok(Ok((mut line, id, info))) => {
                            let conn = line.conn;
                            if !shared.takes_place(id, conn).await {
                                tracing::warn!(
                                    %from,
                                    "turned away: it says that it is server {id}, which is connected and answers"
                                );
                                return;
                            }
                            let come = shared.tell(InputKind::Accepted { from: id, conn });
                            let said = Packet::LearnerInfo(info).into_message();
                            let heard = said.map(|said| shared.tell(InputKind::Quorum(conn, said)));
                            drop(place);
                            if come.is_ok() && heard.is_some_and(|heard| heard.is_ok()) {
                                line.run(id).await;
                            }
                        }
                        Ok(Err(error)) => tracing::warn!(%from, %error, "no learner came of it"),
                        Err(_) => tracing::warn!(
                            %from,
                            "nothing said on the quorum port for {} s",
                            INTRODUCTION.as_secs()
                        ),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the quorum port could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Through the door, within the time that an introduction may take.
async fn come_in(door: &Door, stream: TcpStream, from: SocketAddr) -> Option<Stream> {
    match timeout(INTRODUCTION, door.open(stream, from)).await {
        Ok(Ok(guest)) => Some(guest.stream),
        Ok(Err(error)) => {
            tracing::warn!(%from, %error, "no learner came of it");
            None
        }
        Err(_) => {
            tracing::warn!(
                %from,
                "nothing said on the quorum port for {} s",
                INTRODUCTION.as_secs()
            );
            None
        }
    }
}

/// One connection's task.
struct Connection {
    shared: Arc<Shared>,
    conn: ConnId,
    read: Reader,
    write: Writer,
    inbound: Vec<u8>,
    /// Who sends what we read.
    other: Sender,
    queue: mpsc::UnboundedReceiver<QuorumMessage>,
    waiting: Arc<AtomicUsize>,
    ahead: Arc<Semaphore>,
    heard: Arc<AtomicU64>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.lines().remove(&self.conn);
    }
}

impl Connection {
    fn open(shared: &Arc<Shared>, stream: Stream, inbound: Vec<u8>, other: Sender) -> Connection {
        // Best effort: without it packets are only slower.
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let conn = ConnId(shared.next.fetch_add(1, Ordering::Relaxed));
        let (sender, queue) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let heard = Arc::new(AtomicU64::new(shared.ms()));
        let line = Line {
            learner: None,
            heard: Arc::clone(&heard),
            queue: sender,
            waiting: Arc::clone(&waiting),
            ahead: Arc::clone(&ahead),
        };
        shared.lines().insert(conn, line);
        Connection {
            shared: Arc::clone(shared),
            conn,
            read,
            write,
            inbound,
            other,
            queue,
            waiting,
            ahead,
            heard,
        }
    }

    /// Reads the packet in which a learner says who it is.
    async fn introduction(&mut self) -> Result<(ServerId, LearnerInfo), End> {
        let Connection {
            read,
            inbound,
            shared,
            ..
        } = self;
        loop {
            if let Some((packet, used)) = quorum::decode(inbound, Sender::Learner, shared.limit())?
            {
                inbound.drain(..used);
                let Packet::LearnerInfo(info) = packet else {
                    return Err(End::NotIntroduced);
                };
                let id = info.id().ok_or(End::NotIntroduced)?;
                let known = shared.members().contains_key(&id);
                let open = shared.identity.open && (0..=LARGEST_ID).contains(&id.0);
                if id == shared.identity.me || !(known || open) {
                    return Err(End::Stranger(id));
                }
                return Ok((id, info));
            }
            more(read, inbound).await?;
        }
    }

    /// Both directions until one ends; then the node hears of it.
    async fn run(&mut self, with: ServerId) {
        let Connection {
            shared,
            conn,
            read,
            write,
            inbound,
            other,
            queue,
            waiting,
            ahead,
            heard,
        } = self;
        let ended = tokio::select! {
            ended = listen(shared, *conn, read, inbound, *other, ahead, heard) => ended,
            ended = speak(shared, write, queue, waiting) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(with = with.0, conn = conn.0, %error, "quorum connection ended");
        }
        let _ = shared.tell(InputKind::Closed { conn: *conn });
    }
}

async fn more(read: &mut Reader, inbound: &mut Vec<u8>) -> Result<(), End> {
    inbound.reserve(READ);
    match read.read_buf(inbound).await? {
        0 => Err(End::Closed),
        _ => Ok(()),
    }
}

async fn listen(
    shared: &Shared,
    conn: ConnId,
    read: &mut Reader,
    inbound: &mut Vec<u8>,
    other: Sender,
    ahead: &Semaphore,
    heard: &AtomicU64,
) -> Result<(), End> {
    loop {
        heard.store(shared.ms(), Ordering::Relaxed);
        let mut at = 0;
        while let Some((packet, used)) = quorum::decode(&inbound[at..], other, shared.limit())? {
            at += used;
            let message = match packet {
                Packet::Snap { zxid } => {
                    inbound.drain(..at);
                    at = 0;
                    receive_snapshot(shared, read, inbound, zxid).await?
                }
                Packet::Unexpected(packet) => {
                    tracing::warn!(
                        conn = conn.0,
                        kind = packet.kind,
                        "an unexpected packet was ignored"
                    );
                    continue;
                }
                packet @ (Packet::Message(_)
                | Packet::LearnerInfo(_)
                | Packet::NewLeader { .. }
                | Packet::Sync { .. }
                | Packet::CommitAndActivate { .. }
                | Packet::InformAndActivate { .. }) => match packet.into_message() {
                    Some(message) => message,
                    None => continue,
                },
            };
            // Given back when the node has taken the packet.
            ahead.acquire().await.map_err(|_| End::Stopped)?.forget();
            shared.tell(InputKind::Quorum(conn, message))?;
        }
        inbound.drain(..at);
        if inbound.is_empty() {
            inbound.shrink_to(READ);
        }
        more(read, inbound).await?;
    }
}

/// The database that follows SNAP. It is built as it comes: no more of it is held than it is large.
async fn receive_snapshot(
    shared: &Shared,
    read: &mut Reader,
    inbound: &mut Vec<u8>,
    zxid: Zxid,
) -> Result<QuorumMessage, End> {
    let options = Options {
        limit: shared.limit(),
        ttls: shared.identity.ttls,
    };
    let mut loader = Loader::new(Form::Wire, options);
    loop {
        let used = loader.feed(inbound)?;
        inbound.drain(..used);
        if loader.is_done() {
            break;
        }
        more(read, inbound).await?;
    }
    Ok(QuorumMessage::Snap {
        zxid,
        snapshot: Arc::new(loader.finish(zxid)?.database),
    })
}

async fn speak(
    shared: &Shared,
    write: &mut Writer,
    queue: &mut mpsc::UnboundedReceiver<QuorumMessage>,
    waiting: &AtomicUsize,
) -> Result<(), End> {
    let me = quorum::Identity {
        my_id: shared.identity.me,
        config: &shared.identity.config_text,
    };
    let mut bytes = Vec::new();
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(message) = next {
            waiting.fetch_sub(1, Ordering::Relaxed);
            let snapshot = match &message {
                QuorumMessage::Snap { snapshot, .. } => Some(Arc::clone(snapshot)),
                _ => None,
            };
            quorum::encode(&Packet::from_message(message, me), &mut bytes);
            if let Some(snapshot) = snapshot {
                let mut encoder = Encoder::new(&snapshot, Form::Wire);
                while encoder.next_chunk(&mut bytes) {
                    write.write_all(&bytes).await?;
                    bytes.clear();
                }
            }
            next = if bytes.len() < WRITE {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        write.write_all(&bytes).await?;
        bytes.clear();
        bytes.shrink_to(WRITE);
    }
    write.shutdown().await?;
    Err(End::LetGo)
}
