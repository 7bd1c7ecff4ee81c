//! Clients: accepting, framing, order and bounds (ZooKeeper.md 1.3, 1.4).
//!
//! One task per connection. It reads while there is nothing to write and writes as long as there is:
//! a client that does not read is not read from either, and nobody waits for it. What is decoded goes
//! to the node; a frame that can't be decoded ends the connection and changes nothing.

use crate::{
    metrics::Metrics,
    net::{
        socket,
        throttle::{Bucket, Hold, LargeRequests},
        tls::{Door, Guest, Stream, TurnedAway},
        words::{Word, Words},
    },
    node::{ClientReceiver, Inbox, ToClient, client_channel},
    sasl::{ClientExchange, Users},
    stats::{self, ConnectionStats, Roster, ServerStats},
};
use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc as std_mpsc,
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use zabscope_core::{
    id::{ClientId, SessionId},
    members::HostPort,
    request::{AuthId, OpKind, Request, SaslOutcome},
    wire::{
        client::{self, Connect, Connected, EventZxid},
        frame,
        jute::{DecodeError, Writer},
    },
};

/// How long a closing connection may take to read its last packets.
const FAREWELL: Duration = Duration::from_secs(5);
/// Replies are gathered into writes of about this size.
const WRITE: usize = 64 * 1024;
/// What a quiet connection keeps of its buffers.
const KEEP: usize = 4 * 1024;

/// What a server allows its clients.
#[derive(Debug)]
pub struct Limits {
    /// `jute.maxbuffer`: the largest request.
    pub max_buffer: usize,
    /// `maxClientCnxns`: connections from one address; 0 for no limit.
    pub per_address: usize,
    /// `maxCnxns`: connections in all; 0 for no limit.
    pub in_all: usize,
    /// `nio.sessionlessCnxnTimeout`: how long a connection may take to say who it is.
    pub introduction: Duration,
    /// `clientPortListenBacklog`: how many may wait to be accepted; `None` leaves that to the system.
    pub backlog: Option<u64>,
    /// `clientTcpKeepAlive`: SO_KEEPALIVE.
    pub keep_alive: bool,
    /// New connections.
    pub bucket: Bucket,
    /// Whether sessions begin as local ones, which cost less of it.
    pub local_sessions: bool,
    /// Requests that are large.
    pub large: LargeRequests,
    /// What the header of a watch event says: versions differ.
    pub event_zxid: EventZxid,
    /// Who may come in by SASL; `None` if there is none.
    pub sasl_users: Option<Arc<Users>>,
    /// `X509AuthenticationProvider.superUser`: the subject of whoever may do everything.
    pub x509_super_user: Option<String>,
}

/// What all connections share.
pub struct ClientNet {
    limits: Limits,
    inbox: std_mpsc::Sender<Inbox>,
    gate: Arc<Semaphore>,
    next: AtomicU64,
    open: Mutex<Open>,
    words: Words,
    stats: Arc<ServerStats>,
    roster: Arc<Roster>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection that is counted; uncounted when it goes.
struct Counted {
    net: Arc<ClientNet>,
    address: IpAddr,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.net.open();
        open.all -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

impl ClientNet {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(
        limits: Limits,
        inbox: std_mpsc::Sender<Inbox>,
        gate: Arc<Semaphore>,
        words: Words,
        stats: Arc<ServerStats>,
        roster: Arc<Roster>,
        metrics: Arc<Metrics>,
    ) -> Arc<ClientNet> {
        Arc::new(ClientNet {
            limits,
            inbox,
            gate,
            next: AtomicU64::new(1),
            open: Mutex::new(Open::default()),
            words,
            stats,
            roster,
            metrics,
        })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        // Nothing that holds it can panic half way; the counts are whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection said nothing in time.
    fn silent(&self, from: SocketAddr) {
        self.metrics.sessionless_connections_expired.one();
        let waited = self.limits.introduction.as_millis();
        tracing::debug!(%from, "nothing said for {waited} ms");
    }

    fn count(self: &Arc<Self>, address: IpAddr) -> Result<Counted, String> {
        let mut open = self.open();
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if self.limits.per_address > 0 && here >= self.limits.per_address {
            return Err(format!(
                "{here} connections from {address} are open already (maxClientCnxns)"
            ));
        }
        if self.limits.in_all > 0 && open.all >= self.limits.in_all {
            return Err(format!(
                "{} connections are open already (maxCnxns)",
                open.all
            ));
        }
        open.all += 1;
        *open.by_address.entry(address).or_default() += 1;
        drop(open);
        Ok(Counted {
            net: Arc::clone(self),
            address,
        })
    }
}

/// Accepts clients until the runtime ends.
pub async fn accept(net: Arc<ClientNet>, door: Door, listener: TcpListener) {
    let door = Arc::new(door);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => match net.count(from.ip()) {
                Ok(counted) => {
                    let door = Arc::clone(&door);
                    tokio::spawn(async move {
                        let _ = stream.set_nodelay(true);
                        socket::keep_alive(&stream, counted.net.limits.keep_alive);
                        serve(&counted.net, &door, stream, from).await;
                    });
                }
                Err(why) => {
                    net.metrics.connection_rejected.one();
                    tracing::warn!(%from, "a client was turned away: {why}");
                }
            },
            Err(error) => {
                // Too many open files, most likely: it passes when others close.
                tracing::warn!(%error, "a client's connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves clients at this port, and after each change of this server's line at the one that it names.
/// Connections stay; a port that can't be had is told, and the one before stays (3.9).
pub async fn accept_where(
    net: Arc<ClientNet>,
    door: Door,
    listener: TcpListener,
    mut moves: mpsc::UnboundedReceiver<HostPort>,
) {
    let mut port = listener.local_addr().map_or(0, |at| at.port());
    // Where the line said before; of the first, which the start has obeyed, only the port is compared.
    let mut before: Option<HostPort> = None;
    let mut accepting = tokio::spawn(accept(Arc::clone(&net), door.clone(), listener));
    while let Some(to) = moves.recv().await {
        let any = matches!(to.host.as_str(), "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0");
        let same_host = before.as_ref().is_none_or(|before| before.host == to.host);
        before = Some(to.clone());
        if port == to.port && same_host {
            continue;
        }
        let backlog = net.limits.backlog;
        let bound = match any {
            true => match bind("::", to.port, backlog).await {
                Ok(listener) => Ok(listener),
                Err(_) => bind("0.0.0.0", to.port, backlog).await,
            },
            false => bind(&to.host, to.port, backlog).await,
        };
        match bound {
            Ok(listener) => {
                accepting.abort();
                port = to.port;
                tracing::info!("clients are served at {to} from now on");
                accepting = tokio::spawn(accept(Arc::clone(&net), door.clone(), listener));
            }
            Err(error) => tracing::error!(
                "clients can't be served at {to}, as the members say: {error}. They still are where they were"
            ),
        }
    }
    // The node has ended; those that are connected end by themselves.
    let _ = accepting.await;
}

async fn bind(host: &str, port: u16, backlog: Option<u64>) -> io::Result<TcpListener> {
    // A name may have to be looked up.
    let host = host.to_owned();
    let bound = tokio::task::spawn_blocking(move || socket::listen((host.as_str(), port), backlog));
    let listener = bound.await.map_err(io::Error::other)??;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Why a connection ends early.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Decode(#[from] DecodeError),
    #[error("a frame of {0} bytes; the largest allowed is {1} (jute.maxbuffer)")]
    Frame(i32, usize),
    #[error(
        "a large request of {0} bytes, while others are under way that take the rest of \
         largeRequestMaxBytes"
    )]
    Large(usize),
    #[error("the node has stopped")]
    Stopped,
}

/// What a connection wants.
enum First {
    Session(Connect),
    Word(Word),
}

/// A connection in the roster; taken out of it when it goes.
struct Entered<'a> {
    roster: &'a Roster,
    id: ClientId,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.roster.leave(self.id);
    }
}

async fn serve(net: &Arc<ClientNet>, door: &Door, stream: TcpStream, from: SocketAddr) {
    let id = ClientId(net.next.fetch_add(1, Ordering::Relaxed));
    let stats = net.roster.enter(id, from);
    let _entered = Entered {
        roster: &net.roster,
        id,
    };
    let Some(Guest {
        mut stream,
        subject,
    }) = come_in(net, door, stream, from).await
    else {
        return;
    };
    if stream.is_secure() {
        stats.secured();
    }
    let introduced = match timeout(net.limits.introduction, introduce(net, &mut stream)).await {
        Ok(Ok(First::Session(connect))) => connect,
        Ok(Ok(First::Word(word))) => {
            stats.introduced(true);
            if let Err(error) = net.words.answer(word, &mut stream).await {
                tracing::debug!(%from, %error, "{} was not read to its end", word.name());
            }
            return;
        }
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "no client came of it");
            return;
        }
        Err(_) => {
            net.silent(from);
            return;
        }
    };
    if !may_come(net, &introduced) {
        net.metrics.connection_rejected.one();
        tracing::debug!(%from, "a client was turned away: too many come at a time (connection_throttle_tokens)");
        return;
    }
    stats.introduced(false);
    let (to, mail) = client_channel();
    let ip = from.ip().to_canonical().to_string();
    let mut auth = vec![identity("ip", &ip)];
    auth.extend(of_certificate(
        subject.as_deref(),
        net.limits.x509_super_user.as_deref(),
    ));
    let connect = Inbox::Connect {
        client: id,
        request: introduced.request(),
        auth: auth.into(),
        to,
    };
    if net.inbox.send(connect).is_err() {
        return;
    }
    let (read, write) = stream.into_split();
    let mut connection = Connection {
        net,
        id,
        introduced,
        sasl: ClientExchange::new(net.limits.sasl_users.clone()),
        sasl_failed: None,
        stats,
        read,
        write,
        inbound: Vec::new(),
        outbound: Vec::new(),
        asked: VecDeque::new(),
        attached: false,
    };
    if let Err(error) = connection.run(mail).await {
        tracing::debug!(%from, %error, "a client's connection ended");
    }
    let _ = net.inbox.send(Inbox::Gone(id));
}

/// Whether the bucket has tokens for this client.
fn may_come(net: &ClientNet, introduced: &Connect) -> bool {
    let bucket = &net.limits.bucket;
    let kind = match introduced.request().session {
        SessionId::NONE if net.limits.local_sessions => bucket.costs.local,
        SessionId::NONE => bucket.costs.global,
        _ => bucket.costs.renew,
    };
    let came = bucket.take(Instant::now(), kind);
    net.metrics.drops_with(bucket.drop_probability());
    if came {
        net.metrics.connection_token_deficit.add(bucket.deficit());
    }
    came
}

/// Through the door, within the time that an introduction may take.
async fn come_in(
    net: &ClientNet,
    door: &Door,
    stream: TcpStream,
    from: SocketAddr,
) -> Option<Guest> {
    match timeout(net.limits.introduction, door.open(stream, from)).await {
        Ok(Ok(guest)) => Some(guest),
        Ok(Err(TurnedAway::Gone(error))) => {
            tracing::debug!(%from, %error, "no client came of it");
            None
        }
        Ok(Err(TurnedAway::Refused(why))) => {
            net.metrics.unsuccessful_handshake.one();
            tracing::warn!(%from, "a client was turned away: {why}");
            None
        }
        Err(_) => {
            net.silent(from);
            None
        }
    }
}

fn identity(scheme: &str, id: &str) -> AuthId {
    AuthId {
        scheme: scheme.into(),
        id: id.into(),
    }
}

/// What a certificate proves: its subject, and perhaps that this is whoever may do everything.
fn of_certificate(subject: Option<&str>, super_user: Option<&str>) -> Vec<AuthId> {
    let Some(subject) = subject else {
        return Vec::new();
    };
    let is_super = super_user == Some(subject);
    let of_super = is_super.then(|| identity("super", subject));
    of_super
        .into_iter()
        .chain([identity("x509", subject)])
        .collect()
}

/// Reads the first packet.
async fn introduce(net: &ClientNet, stream: &mut Stream) -> Result<First, End> {
    let first = stream.read_i32().await?;
    net.metrics.bytes_received_count.add(4);
    if let Some(word) = Word::of(first) {
        net.stats.received();
        return Ok(First::Word(word));
    }
    let length = frame_length(first, net.limits.max_buffer)?;
    let mut frame = Vec::new();
    // Grows with what arrives, not with what is promised.
    stream.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    net.metrics.bytes_received_count.add(length as u64);
    net.stats.received();
    let connect = Connect::decode(&frame, net.limits.max_buffer)?;
    Ok(First::Session(connect))
}

fn frame_length(length: i32, max_buffer: usize) -> Result<usize, End> {
    match usize::try_from(length) {
        Ok(n) if n <= max_buffer => Ok(n),
        _ => Err(End::Frame(length, max_buffer)),
    }
}

/// How long the frame will be that has begun.
fn announced(inbound: &[u8]) -> Option<usize> {
    let length = inbound.first_chunk()?;
    usize::try_from(i32::from_be_bytes(*length)).ok()
}

struct Connection<'a, R, W> {
    net: &'a ClientNet,
    id: ClientId,
    /// Its first packet; the answer mirrors its form.
    introduced: Connect,
    sasl: ClientExchange,
    /// The xid of the token with which its exchange failed.
    sasl_failed: Option<i32>,
    stats: Arc<ConnectionStats>,
    read: R,
    write: W,
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    /// What is not answered yet, when it was asked, and what it counts as a large one, oldest first:
    /// replies come in this order.
    asked: VecDeque<(OpKind, Instant, Option<Hold>)>,
    attached: bool,
}

/// Whether to go on.
enum Next {
    More,
    Close,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Connection<'_, R, W> {
    async fn run(&mut self, mut mail: ClientReceiver) -> Result<(), End> {
        loop {
            tokio::select! {
                biased;
                packet = mail.recv() => {
                    let Some(packet) = packet else { return Ok(()) };
                    if let Next::Close = self.deliver(packet, &mut mail).await? {
                        return Ok(());
                    }
                }
                // Until its session is there a client has nothing to say that could be answered.
                read = self.read.read_buf(&mut self.inbound), if self.attached => {
                    let read = read.inspect_err(|_| self.net.metrics.connection_drop_count.one())?;
                    if read == 0 {
                        self.net.metrics.connection_drop_count.one();
                        return Ok(());
                    }
                    self.net.metrics.bytes_received_count.add(read as u64);
                    self.take_frames().await?;
                }
            }
        }
    }

    /// Writes this packet and all that wait behind it.
    async fn deliver(&mut self, first: ToClient, mail: &mut ClientReceiver) -> Result<Next, End> {
        let mut next = Some(first);
        loop {
            while let Some(packet) = next {
                if let Next::Close = self.encode(packet) {
                    // It may not read at all: its last words are not waited for for ever.
                    let _ = timeout(FAREWELL, async {
                        self.write.write_all(&self.outbound).await?;
                        self.write.shutdown().await
                    })
                    .await;
                    return Ok(Next::Close);
                }
                next = if self.outbound.len() < WRITE {
                    mail.try_recv()
                } else {
                    None
                };
            }
            tokio::select! {
                written = self.write.write_all(&self.outbound) => written?,
                // Nobody waits for long for a client that does not read once its session has ended.
                () = async {
                    mail.let_go().await;
                    tokio::time::sleep(FAREWELL).await;
                } => return Ok(Next::Close),
            }
            self.outbound.clear();
            self.outbound.shrink_to(KEEP);
            next = mail.try_recv();
            if next.is_none() {
                return Ok(Next::More);
            }
        }
    }

    fn encode(&mut self, packet: ToClient) -> Next {
        match packet {
            ToClient::Connected(response) => {
                self.attached = response.timeout_ms > 0;
                self.stats.attached(response.session, response.timeout_ms);
                let connected = Connected::to(&self.introduced, response);
                frame::write(&mut self.outbound, |body| connected.encode(body));
                self.net.stats.sent();
            }
            ToClient::Reply { reply, introduces } => {
                // These are answered at once, before what was asked earlier (trap 10).
                let failed = introduces && reply.result.is_err();
                let sasl_failed = failed && self.sasl_failed == Some(reply.xid);
                let asked = if introduces {
                    None
                } else {
                    let first = self.asked.pop_front();
                    first.map(|(op, at, _)| (op, at.elapsed()))
                };
                self.stats.replied(&reply, asked);
                self.net.stats.replied(asked.map(|(_, latency)| latency));
                if let Some((op, latency)) = asked {
                    let times = if stats::is_update(op) {
                        &self.net.metrics.updatelatency
                    } else {
                        &self.net.metrics.readlatency
                    };
                    times.add_time(latency);
                }
                let before = self.outbound.len();
                frame::write(&mut self.outbound, |body| {
                    client::encode_reply(&reply, body);
                    if sasl_failed {
                        // The one error with a record: Java's client reads it before the error.
                        body.put_buffer(None);
                    }
                });
                let bytes = self.outbound.len() - before;
                self.net.stats.replied_with(bytes);
                self.net.metrics.response_bytes.add(bytes as u64);
            }
            ToClient::Watch(event) => {
                let zxid = self.net.limits.event_zxid;
                let before = self.outbound.len();
                frame::write(&mut self.outbound, |body| {
                    client::encode_event(&event, zxid, body);
                });
                let bytes = self.outbound.len() - before;
                self.net.metrics.watch_bytes.add(bytes as u64);
                self.stats.sent();
                self.net.stats.sent();
            }
            ToClient::Close => return Next::Close,
        }
        Next::More
    }

    fn too_large(&self, bytes: usize) -> End {
        self.net.metrics.large_requests_rejected.one();
        End::Large(bytes)
    }

    /// Hands over all whole frames that have arrived.
    async fn take_frames(&mut self) -> Result<(), End> {
        let mut at = 0;
        let allowed = 0..=self.net.limits.max_buffer;
        while let Some((body, used)) = frame::read(&self.inbound[at..], allowed.clone())? {
            let (xid, mut request) = client::decode_request(body, self.net.limits.max_buffer)?;
            if let Request::Sasl { token, outcome } = &mut request {
                *outcome = self.sasl.evaluate(token.as_deref().unwrap_or_default());
                if *outcome == SaslOutcome::Failed {
                    self.sasl_failed = Some(xid);
                }
            }
            let Ok(hold) = self.net.limits.large.hold(body.len()) else {
                return Err(self.too_large(body.len()));
            };
            at += used;
            self.stats.received();
            self.net.stats.received();
            if !matches!(request, Request::Auth { .. } | Request::Sasl { .. }) {
                self.asked.push_back((request.kind(), Instant::now(), hold));
            }
            let permit = self.net.gate.acquire().await.map_err(|_| End::Stopped)?;
            let request = Inbox::Request {
                client: self.id,
                xid,
                request,
            };
            // The node gives it back when it answers.
            permit.forget();
            self.net.inbox.send(request).map_err(|_| End::Stopped)?;
        }
        self.inbound.drain(..at);
        // What has only begun is refused before it is kept.
        if let Some(announced) = announced(&self.inbound)
            && !self.net.limits.large.fits(announced)
        {
            return Err(self.too_large(announced));
        }
        if self.inbound.is_empty() {
            self.inbound.shrink_to(KEEP);
        }
        Ok(())
    }
}
