//! Clients: accepting, framing, order and bounds (ZooKeeper.md 1.3, 1.4).
//!
//! One task per connection. It reads while there is nothing to write and writes as long as there is:
//! a client that does not read is not read from either, and nobody waits for it. What is decoded goes
//! to the node; a frame that can't be decoded ends the connection and changes nothing.

use crate::{
    net::words::Words,
    node::{ClientReceiver, Inbox, ToClient, client_channel},
    stats::{ConnectionStats, Roster, ServerStats},
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
    sync::Semaphore,
    time::timeout,
};
use zabscope_core::{
    id::ClientId,
    request::{AuthId, Request},
    wire::{
        client::{self, Connect, Connected, EventZxid},
        frame,
        jute::DecodeError,
    },
};

/// How long a connection may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How long a closing connection may take to read its last packets.
const FAREWELL: Duration = Duration::from_secs(5);
/// Replies are gathered into writes of about this size.
const WRITE: usize = 64 * 1024;
/// What a quiet connection keeps of its buffers.
const KEEP: usize = 4 * 1024;

/// What a server allows its clients.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `jute.maxbuffer`: the largest request.
    pub max_buffer: usize,
    /// `maxClientCnxns`: connections from one address; 0 for no limit.
    pub per_address: usize,
    /// `maxCnxns`: connections in all; 0 for no limit.
    pub in_all: usize,
    /// What the header of a watch event says: versions differ.
    pub event_zxid: EventZxid,
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
        })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        // Nothing that holds it can panic half way; the counts are whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
pub async fn accept(net: Arc<ClientNet>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => match net.count(from.ip()) {
                Ok(counted) => {
                    tokio::spawn(async move {
                        let _ = stream.set_nodelay(true);
                        serve(&counted.net, stream, from).await;
                    });
                }
                Err(why) => tracing::warn!(%from, "a client was turned away: {why}"),
            },
            Err(error) => {
                // Too many open files, most likely: it passes when others close.
                tracing::warn!(%error, "a client's connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
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
    #[error("the node has stopped")]
    Stopped,
}

async fn serve(net: &Arc<ClientNet>, mut stream: TcpStream, from: SocketAddr) {
    let introduced = match timeout(INTRODUCTION, introduce(net, &mut stream)).await {
        Ok(Ok(Some(first))) => first,
        // A four-letter word, answered.
        Ok(Ok(None)) => return,
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "no client came of it");
            return;
        }
        Err(_) => {
            tracing::debug!(%from, "nothing said for {} s", INTRODUCTION.as_secs());
            return;
        }
    };
    let id = ClientId(net.next.fetch_add(1, Ordering::Relaxed));
    let (to, mail) = client_channel();
    let auth = Arc::from([AuthId {
        scheme: "ip".into(),
        id: from.ip().to_canonical().to_string().into(),
    }]);
    let connect = Inbox::Connect {
        client: id,
        request: introduced.request(),
        auth,
        to,
    };
    if net.inbox.send(connect).is_err() {
        return;
    }
    let stats = net.roster.enter(id, from);
    let (read, write) = stream.into_split();
    let mut connection = Connection {
        net,
        id,
        introduced,
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
    net.roster.leave(id);
    let _ = net.inbox.send(Inbox::Gone(id));
}

/// Reads the first packet; `None` if it was a four-letter word.
async fn introduce(
    net: &ClientNet,
    stream: &mut TcpStream,
) -> Result<Option<Connect>, End> {
    let first = stream.read_i32().await?;
    if let Some(answer) = net.words.answer(first).await {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        return Ok(None);
    }
    let length = frame_length(first, net.limits.max_buffer)?;
    let mut frame = Vec::new();
    // Grows with what arrives, not with what is promised.
    stream.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    net.stats.received();
    Ok(Some(Connect::decode(&frame, net.limits.max_buffer)?))
}

fn frame_length(length: i32, max_buffer: usize) -> Result<usize, End> {
    match usize::try_from(length) {
        Ok(n) if n <= max_buffer => Ok(n),
        _ => Err(End::Frame(length, max_buffer)),
    }
}

struct Connection<'a, R, W> {
    net: &'a ClientNet,
    id: ClientId,
    /// Its first packet; the answer mirrors its form.
    introduced: Connect,
    stats: Arc<ConnectionStats>,
    read: R,
    write: W,
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    /// When what is not answered yet was asked, oldest first: replies come in this order.
    asked: VecDeque<Instant>,
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
                    if read? == 0 {
                        return Ok(());
                    }
                    self.take_frames().await?;
                }
            }
        }
    }

    /// Writes this packet and all that wait behind it.
    async fn deliver(
        &mut self,
        first: ToClient,
        mail: &mut ClientReceiver,
    ) -> Result<Next, End> {
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
                let connected = Connected::to(&self.introduced, response, false);
                frame::write(&mut self.outbound, |body| connected.encode(body));
                self.net.stats.sent();
            }
            ToClient::Reply(reply) => {
                // An auth packet is answered at once, before what was asked earlier (trap 10).
                let latency = if reply.xid == client::xid::AUTH {
                    None
                } else {
                    self.asked.pop_front().map(|at| at.elapsed())
                };
                self.stats.replied(&reply, latency);
                self.net.stats.replied(latency);
                frame::write(&mut self.outbound, |body| client::encode_reply(&reply, body));
            }
            ToClient::Watch(event) => {
                let zxid = self.net.limits.event_zxid;
                frame::write(&mut self.outbound, |body| {
                    client::encode_event(&event, zxid, body);
                });
                self.stats.sent();
                self.net.stats.sent();
            }
            ToClient::Close => return Next::Close,
        }
        Next::More
    }

    /// Hands over all whole frames that have arrived.
    async fn take_frames(&mut self) -> Result<(), End> {
        let mut at = 0;
        let allowed = 0..=self.net.limits.max_buffer;
        while let Some((body, used)) = frame::read(&self.inbound[at..], allowed.clone())? {
            let (xid, request) = client::decode_request(body, self.net.limits.max_buffer)?;
            at += used;
            self.stats.received(xid, &request);
            self.net.stats.received();
            if !matches!(request, Request::Auth { .. }) {
                self.asked.push_back(Instant::now());
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
        if self.inbound.is_empty() {
            self.inbound.shrink_to(KEEP);
        }
        Ok(())
    }
}
