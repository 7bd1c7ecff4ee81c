//! Election traffic, port 3888 (ZooKeeper.md 2.1): one TCP connection for each pair of servers, the
//! one that the larger id made, kept open; per peer one message waits, the newest.
//!
//! One task per peer owns the connection to it. A greeting is read by a task of its own with a
//! deadline, so that silent strangers keep nobody out.

use crate::{
    net::{
        socket::{self, attempts},
        tls::{Dialer, Door, Reader, Stream, TurnedAway, Writer},
    },
    node::Inbox,
    sasl::quorum::{self as sasl, Login},
};
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{Notify, Semaphore, mpsc},
    time::timeout,
};
use zabscope_core::{
    id::ServerId,
    members::LARGEST_ID,
    message::Notification,
    peer::input::InputKind,
    wire::election::{Address, FRAME, Format, Greeting, Message},
    wire::frame,
};

/// How many connections may stand at the door at once.
const DOOR: usize = 128;
/// How many notifications of one peer may wait for the node (Apache: 100 of all, the oldest go).
const AHEAD: usize = 100;
/// The first and the longest pause between two attempts to reach a peer that has mail waiting.
const REDIAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is known about a member's election address: `host:port` each.
#[derive(Clone, Debug, Default)]
pub struct Addresses(pub BTreeMap<ServerId, Vec<String>>);

/// The sending half: what the node uses.
pub struct ElectionNet {
    lines: Option<Arc<Lines>>,
    config_text: String,
}

/// The lines to all servers that are known; more come when members change, and when a server that wants to
/// join calls (2.1). None goes: a server that has left is still told who leads.
struct Lines {
    me: ServerId,
    own_address: Address,
    connect_timeout: Duration,
    reachability: Option<Duration>,
    keep_alive: bool,
    dialer: Dialer,
    login: Option<Arc<Login>>,
    inbox: std_mpsc::Sender<Inbox>,
    runtime: Handle,
    /// Whether servers that are no members may call.
    open: bool,
    all: Mutex<BTreeMap<ServerId, Known>>,
}

/// A line as the others see it.
#[derive(Clone)]
struct Known {
    post: Arc<Post>,
    door: mpsc::Sender<Knock>,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServerId, Known>> {
        // Nothing that holds it can panic half way; the map is whole.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Server `id` is reached there from now on.
    fn reach(self: &Arc<Self>, id: ServerId, hosts: Vec<String>) {
        if id == self.me {
            return;
        }
        let mut all = self.all();
        if let Some(known) = all.get(&id) {
            *known.hosts.lock().unwrap_or_else(PoisonError::into_inner) = hosts;
            return;
        }
        let post = Arc::new(Post {
            newest: Mutex::new(Letters::default()),
            mail: Notify::new(),
            ahead: Semaphore::new(AHEAD),
        });
        // One connection at the door, a newer one replaces it: see `accept`.
        let (door, knocks) = mpsc::channel(4);
        let hosts = Arc::new(Mutex::new(hosts));
        let known = Known {
            post: Arc::clone(&post),
            door,
            hosts: Arc::clone(&hosts),
        };
        all.insert(id, known);
        let line = Line {
            me: self.me,
            peer: id,
            hosts,
            own_address: self.own_address.clone(),
            connect_timeout: self.connect_timeout,
            reachability: self.reachability,
            keep_alive: self.keep_alive,
            dialer: self.dialer.clone(),
            login: self.login.clone(),
            post,
            inbox: self.inbox.clone(),
        };
        self.runtime.spawn(line.run(knocks));
    }

    /// The door of a server that calls; one that is no member is let in where members may change, and
    /// reached where it says.
    fn door(self: &Arc<Self>, greeting: &Greeting) -> Option<mpsc::Sender<Knock>> {
        let id = greeting.from();
        let known = |lines: &Lines| lines.all().get(&id).map(|k| k.door.clone());
        if let Some(door) = known(self) {
            return Some(door);
        }
        if !self.open || !(0..=LARGEST_ID).contains(&id.0) {
            return None;
        }
        let hosts = greeting.call_back().map(Address::to_string).collect();
        tracing::info!("server {id} called, which is no member yet");
        self.reach(id, hosts);
        known(self)
    }
}

/// One peer's letter box.
struct Post {
    newest: Mutex<Letters>,
    mail: Notify,
    /// A permit for each notification that the node may still be given.
    ahead: Semaphore,
}

#[derive(Default)]
struct Letters {
    /// Not yet handed to a connection.
    unsent: Option<Vec<u8>>,
    /// The last that was: sent again on a new connection, the peer may have missed it.
    sent: Option<Vec<u8>>,
}

impl Post {
    fn letters(&self) -> std::sync::MutexGuard<'_, Letters> {
        // Nothing that holds it can panic half way; what it holds is whole.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, message: Vec<u8>) {
        self.letters().unsent = Some(message);
        self.mail.notify_one();
    }

    fn has_mail(&self) -> bool {
        self.letters().unsent.is_some()
    }

    fn take(&self) -> Option<Vec<u8>> {
        let mut letters = self.letters();
        let message = letters.unsent.take()?;
        letters.sent = Some(message.clone());
        Some(message)
    }

    /// A new connection begins with the newest message, sent before or not.
    fn renew(&self) {
        let mut letters = self.letters();
        if letters.unsent.is_none() {
            letters.unsent = letters.sent.take();
        }
    }
}

impl ElectionNet {
    /// For a server without peers.
    #[must_use]
    pub fn none() -> ElectionNet {
        ElectionNet {
            lines: None,
            config_text: String::new(),
        }
    }

    fn known(&self, id: ServerId) -> Option<Arc<Post>> {
        let lines = self.lines.as_ref()?;
        lines.all().get(&id).map(|known| Arc::clone(&known.post))
    }

    /// Servers are reached there from now on.
    pub fn reach(&self, addresses: Addresses) {
        if let Some(lines) = &self.lines {
            for (id, hosts) in addresses.0 {
                lines.reach(id, hosts);
            }
        }
    }

    /// Puts a notification into a peer's letter box; an older one that waits there is replaced.
    pub fn send(&self, to: ServerId, notification: Notification) {
        if let Some(post) = self.known(to) {
            post.put(framed(notification, &self.config_text));
        }
    }

    /// The node has taken one notification of this peer.
    pub fn taken(&self, from: ServerId) {
        if let Some(post) = self.known(from) {
            post.ahead.add_permits(1);
        }
    }
}

fn framed(notification: Notification, config: &str) -> Vec<u8> {
    // Where members can change the notification brings their text along.
    let members = notification.members.clone();
    let message = Message::new(notification, members.as_deref().unwrap_or(config));
    let mut bytes = Vec::new();
    frame::write(&mut bytes, |body| message.encode(body));
    bytes
}

/// How this server reaches the others, and they it.
#[derive(Debug)]
pub struct Sockets {
    /// How long connecting may take, a TLS handshake included.
    pub connect_timeout: Duration,
    /// How long each of several addresses has first (`multiAddress.reachabilityCheckTimeoutMs`).
    pub reachability: Option<Duration>,
    /// How long a caller may take to say who it is (`quorumCnxnTimeoutMs`).
    pub greeting: Duration,
    /// `tcpKeepAlive`: SO_KEEPALIVE.
    pub keep_alive: bool,
    /// With TLS or without.
    pub dialer: Dialer,
    /// With TLS, without, or both.
    pub door: Door,
    /// How members prove themselves to each other; `None` if they don't.
    pub sasl: Option<Arc<Login>>,
    /// This server's election port.
    pub listener: TcpListener,
    /// Servers that are no members may call too: members may change.
    pub open: bool,
}

/// The whole of it: called on the runtime; tasks end with the runtime.
///
/// `own_address` is what it tells others as its own.
#[must_use]
pub fn start(
    me: ServerId,
    addresses: &Addresses,
    own_address: Address,
    config_text: String,
    sockets: Sockets,
    inbox: std_mpsc::Sender<Inbox>,
) -> ElectionNet {
    let lines = Arc::new(Lines {
        me,
        own_address,
        connect_timeout: sockets.connect_timeout,
        reachability: sockets.reachability,
        keep_alive: sockets.keep_alive,
        dialer: sockets.dialer,
        login: sockets.sasl.clone(),
        inbox,
        runtime: Handle::current(),
        open: sockets.open,
        all: Mutex::default(),
    });
    for (id, hosts) in &addresses.0 {
        lines.reach(*id, hosts.clone());
    }
    let entrance = Entrance {
        patience: sockets.greeting,
        keep_alive: sockets.keep_alive,
        door: sockets.door,
        login: sockets.sasl,
    };
    tokio::spawn(accept(Arc::clone(&lines), entrance, sockets.listener));
    ElectionNet {
        lines: Some(lines),
        config_text,
    }
}

/// A connection with what was read from it already.
struct Caller {
    stream: Stream,
    early: Vec<u8>,
}

/// What an acceptor tells a peer's task.
enum Knock {
    /// A larger server's connection: it is to be used.
    Use(Caller),
    /// A smaller server asks to be called back.
    CallBack,
}

async fn accept(lines: Arc<Lines>, entrance: Entrance, listener: TcpListener) {
    let me = lines.me;
    let entrance = Arc::new(entrance);
    let places = Arc::new(Semaphore::new(DOOR));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, from)) => {
                let (entrance, lines) = (Arc::clone(&entrance), Arc::clone(&lines));
                tokio::spawn(async move {
                    let _place = place;
                    socket::keep_alive(&stream, entrance.keep_alive);
                    let patience = entrance.patience;
                    match timeout(patience, greeting(&entrance, stream, from)).await {
                        Ok(Ok((greeting, caller))) => {
                            let server = greeting.from();
                            let knock = if server > me {
                                Knock::Use(caller)
                            } else if server < me {
                                drop(caller);
                                Knock::CallBack
                            } else {
                                tracing::warn!(%from, "a server with our own id ({me}) called: is a myid used twice?");
                                return;
                            };
                            match lines.door(&greeting) {
                                Some(door) => {
                                    let _ = door.send(knock).await;
                                }
                                None => tracing::warn!(
                                    %from,
                                    "server {server} called, which is no member of this ensemble"
                                ),
                            }
                        }
                        Ok(Err(error)) => {
                            tracing::warn!(%from, %error, "no greeting on the election port");
                        }
                        Err(_) => tracing::warn!(
                            %from,
                            "nothing said on the election port for {} ms (quorumCnxnTimeoutMs)",
                            patience.as_millis()
                        ),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the election port could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// How a caller comes in.
struct Entrance {
    patience: Duration,
    keep_alive: bool,
    door: Door,
    login: Option<Arc<Login>>,
}

/// Reads the initial message, lets the caller prove that it is a member, and takes what may have come
/// right behind it.
async fn greeting(
    entrance: &Entrance,
    stream: TcpStream,
    from: SocketAddr,
) -> io::Result<(Greeting, Caller)> {
    let mut stream = match entrance.door.open(stream, from).await {
        Ok(guest) => guest.stream,
        Err(TurnedAway::Gone(error)) => return Err(error),
        Err(refused @ TurnedAway::Refused(_)) => return Err(io::Error::other(refused)),
    };
    let mut early = Vec::with_capacity(128);
    loop {
        if let Some((greeting, used)) = Greeting::decode(&early).map_err(invalid)? {
            early.drain(..used);
            if let Some(login) = &entrance.login {
                sasl::accept(login, &mut stream, &mut early).await?;
            }
            return Ok((greeting, Caller { stream, early }));
        }
        if stream.read_buf(&mut early).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A notification with the text of the sender's members.
fn with_members(message: Message) -> Notification {
    let members = match &message.format {
        Format::Configured { config, .. } => std::str::from_utf8(config).ok().map(Arc::from),
        Format::WithoutEpoch | Format::WithoutVersion { .. } | Format::Bare { .. } => None,
    };
    Notification {
        members,
        ..message.notification
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The connection to one peer, and all that is needed to get it.
struct Line {
    me: ServerId,
    peer: ServerId,
    hosts: Arc<Mutex<Vec<String>>>,
    own_address: Address,
    connect_timeout: Duration,
    reachability: Option<Duration>,
    keep_alive: bool,
    dialer: Dialer,
    login: Option<Arc<Login>>,
    post: Arc<Post>,
    inbox: std_mpsc::Sender<Inbox>,
}

impl Line {
    async fn run(self, mut knocks: mpsc::Receiver<Knock>) {
        let mut pause = REDIAL.0;
        let mut stream: Option<Caller> = None;
        loop {
            match stream.take() {
                Some(connected) => {
                    pause = REDIAL.0;
                    self.post.renew();
                    tokio::select! {
                        ended = self.talk(connected) => {
                            if let Err(error) = ended {
                                tracing::debug!(peer = self.peer.0, %error, "election connection ended");
                            }
                        }
                        knock = knocks.recv() => match knock {
                            Some(Knock::Use(newer)) => stream = Some(newer),
                            Some(Knock::CallBack) => stream = self.dial().await,
                            None => return,
                        },
                    }
                }
                None => {
                    let mail = self.post.has_mail();
                    tokio::select! {
                        knock = knocks.recv() => match knock {
                            Some(Knock::Use(newer)) => stream = Some(newer),
                            Some(Knock::CallBack) => stream = self.dial().await,
                            None => return,
                        },
                        () = self.post.mail.notified(), if !mail => {}
                        dialled = self.dial(), if mail => {
                            stream = dialled;
                            if stream.is_none() {
                                // A smaller server has only knocked; either way the other side is
                                // given time before the next attempt.
                                tokio::select! {
                                    () = tokio::time::sleep(pause) => {}
                                    knock = knocks.recv() => match knock {
                                        Some(Knock::Use(newer)) => stream = Some(newer),
                                        Some(Knock::CallBack) => stream = self.dial().await,
                                        None => return,
                                    },
                                }
                                pause = (pause * 2).min(REDIAL.1);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Calls the peer. Gives the connection if it is to be kept: that is the larger server's right.
    async fn dial(&self) -> Option<Caller> {
        let mut hello = Vec::new();
        Greeting::V1 {
            from: self.me,
            addresses: vec![self.own_address.clone()],
        }
        .encode(&mut hello);
        let hosts = self
            .hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (host, limit) in attempts(&hosts, self.connect_timeout, self.reachability) {
            let attempt = timeout(limit, async {
                let mut stream = self.dialer.connect(host).await?;
                stream.set_nodelay(true)?;
                socket::keep_alive(stream.socket(), self.keep_alive);
                stream.write_all(&hello).await?;
                let mut early = Vec::new();
                if let Some(login) = &self.login {
                    sasl::connect(login, &mut stream, &mut early)
                        .await
                        .inspect_err(|error| {
                            tracing::warn!(peer = self.peer.0, %error, "no SASL for an election");
                        })?;
                }
                Ok::<_, io::Error>(Caller { stream, early })
            });
            match attempt.await {
                Ok(Ok(mut caller)) => {
                    if self.peer < self.me {
                        return Some(caller);
                    }
                    // Only a knock: the larger one calls back.
                    let _ = caller.stream.shutdown().await;
                    return None;
                }
                Ok(Err(error)) => {
                    tracing::debug!(peer = self.peer.0, %host, %error, "not reached for an election");
                }
                Err(_) => {
                    tracing::debug!(peer = self.peer.0, %host, "not reached for an election in time");
                }
            }
        }
        None
    }

    /// Both directions, until one of them ends.
    async fn talk(&self, caller: Caller) -> io::Result<()> {
        let Caller { stream, early } = caller;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        tokio::select! {
            ended = self.listen(read, early) => ended,
            ended = self.speak(write) => ended,
        }
    }

    async fn listen(&self, mut read: Reader, mut bytes: Vec<u8>) -> io::Result<()> {
        loop {
            let mut at = 0;
            while let Some((message, used)) = frame::read(&bytes[at..], FRAME).map_err(invalid)? {
                match Message::decode(message) {
                    Ok(message) => {
                        // Given back when the node has taken it.
                        let Ok(permit) = self.post.ahead.acquire().await else {
                            return Ok(());
                        };
                        permit.forget();
                        let input = InputKind::Notification(self.peer, with_members(message));
                        if self.inbox.send(Inbox::Peer(input)).is_err() {
                            return Ok(());
                        }
                    }
                    Err(error) => {
                        tracing::warn!(peer = self.peer.0, %error, "an election message was dropped");
                    }
                }
                at += used;
            }
            bytes.drain(..at);
            if read.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn speak(&self, mut write: Writer) -> io::Result<()> {
        loop {
            let mail = self.post.mail.notified();
            match self.post.take() {
                Some(message) => write.write_all(&message).await?,
                None => mail.await,
            }
        }
    }
}
