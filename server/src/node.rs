//! The thread that owns the [`Peer`]: it takes inputs in batches and carries out what the peer wants
//! done, in order. Nothing of the protocol is decided here.

use crate::{
    audit::{self, Audit},
    clock::Clock,
    config::RequestThrottle,
    members::MembersFiles,
    metrics::{Metrics, Observer},
    net::election::{Addresses, ElectionNet},
    net::quorum::QuorumNet,
    quota::QuotaWarnings,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use throttle::Throttle;
use tokio::sync::{Semaphore, mpsc as tokio_mpsc, oneshot};
use zabscope_core::{
    bus::Message,
    config::Config,
    id::{ClientId, ServerId, StorageSeq, Zxid},
    log::Stored,
    members::{Address, Ensemble, HostPort},
    peer::{
        CannotRestore, Peer,
        input::{Input, InputKind},
        output::{Effect, Output, StorageOp},
    },
    request::{AuthId, ConnectRequest, Request},
    time::Moment,
    tree::Database,
};

mod line;
#[cfg(test)]
mod tests;
mod throttle;

pub use line::{ClientReceiver, ClientSender, ToClient, client_channel};

/// How many inputs are handled before what they want stored is handed to the log. More make larger
/// batches for one fdatasync, fewer a quicker first reply.
const BATCH: usize = 512;

/// What reaches the thread.
pub enum Inbox {
    /// From the network or the disk.
    Peer(InputKind),
    /// A client's first packet.
    Connect {
        /// The new connection.
        client: ClientId,
        /// What it asked for.
        request: ConnectRequest,
        /// What its connection proves.
        auth: Arc<[AuthId]>,
        /// Where answers go.
        to: ClientSender,
    },
    /// A client's request. Its sender holds one permit of the node's gate for it.
    Request {
        /// The connection.
        client: ClientId,
        /// Its number.
        xid: i32,
        /// What.
        request: Request,
    },
    /// A client's connection is gone.
    Gone(ClientId),
    /// Somebody wants to look.
    Ask(Question),
    /// An operator's snapshot is to take the place of the tree. Answered when it has, on disk too, with
    /// the zxid that it stands for; without an answer nobody knows.
    Restore {
        /// The snapshot.
        database: Arc<Database>,
        /// Where the answer goes.
        answer: RestoreAnswer,
    },
    /// The disk can't be trusted any more: the end.
    Failed(Fatal),
    /// An orderly end.
    Stop,
}

/// Where the answer to a restore goes.
pub type RestoreAnswer = oneshot::Sender<Result<Zxid, CannotRestore>>;

/// A look at the peer from its own thread.
pub type Question = Box<dyn FnOnce(&View<'_>) + Send>;

/// What a [`Question`] sees.
pub struct View<'a> {
    /// The protocol's state.
    pub peer: &'a Peer,
    /// Since when.
    pub clock: Clock,
}

/// Why a server had to end.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The disk failed. What was not durable was not acknowledged; trying again is not safe.
    #[error("the disk failed, so this server stops: {0}")]
    Disk(String),
    /// A thread ended that must not.
    #[error("the {0} thread ended unexpectedly")]
    Thread(&'static str),
}

/// One client as the node knows it.
struct Client {
    to: ClientSender,
    /// Requests that came and are not answered: each holds a permit of the gate.
    outstanding: usize,
    /// Of them, those that wait until the peer may have them (`request_throttle_max_requests`).
    waiting: usize,
}

/// A message that waits for the disk.
struct Held {
    after: StorageSeq,
    to: ServerId,
    message: Message,
}

/// The node: the peer and its hands.
pub struct Node {
    peer: Peer,
    out: Output,
    clock: Clock,
    inbox: mpsc::Receiver<Inbox>,
    log: mpsc::Sender<Vec<(StorageSeq, StorageOp)>>,
    batch: Vec<(StorageSeq, StorageOp)>,
    durable: StorageSeq,
    /// Batches that the log has and that are not durable: the last of each, and since when.
    writing: VecDeque<(StorageSeq, Moment)>,
    observer: Observer,
    quotas: QuotaWarnings,
    /// Who changes what is logged, if it is to be.
    audit: Option<Audit>,
    metrics: Arc<Metrics>,
    held: VecDeque<Held>,
    /// Restored and not yet on disk: who waits to hear of it.
    restored: Vec<(StorageSeq, Zxid, RestoreAnswer)>,
    clients: HashMap<ClientId, Client>,
    /// Who is just saying who it is.
    introducing: Option<ClientId>,
    gate: Arc<Semaphore>,
    throttle: Throttle,
    election: ElectionNet,
    quorum: QuorumNet,
    members: MembersWatch,
}

/// Told of members that change.
pub struct MembersWatch {
    /// This server.
    pub me: ServerId,
    /// The files beside zoo.cfg, if there is one.
    pub files: Option<MembersFiles>,
    /// Where clients are to be served.
    pub client_port: tokio_mpsc::UnboundedSender<HostPort>,
}

/// What a node is made of.
pub struct Parts {
    /// The protocol's configuration.
    pub config: Arc<Config>,
    /// What was on disk.
    pub stored: Stored,
    /// How long reading its log took, if there was one.
    pub log_read_in: Option<Duration>,
    /// Where inputs come from.
    pub inbox: mpsc::Receiver<Inbox>,
    /// Where the disk takes its work.
    pub log: mpsc::Sender<Vec<(StorageSeq, StorageOp)>>,
    /// One permit for each request that may be outstanding (`globalOutstandingLimit`).
    pub gate: Arc<Semaphore>,
    /// How many of them may be under way.
    pub throttle: RequestThrottle,
    /// `audit.enable`
    pub audit: bool,
    /// Port 3888.
    pub election: ElectionNet,
    /// Port 2888.
    pub quorum: QuorumNet,
    /// Who else is told of members that change.
    pub members: MembersWatch,
    /// Time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Where each member listens, of all its addresses.
pub(crate) fn addresses(
    ensemble: &Ensemble,
    port: impl Fn(&Address) -> u16,
) -> BTreeMap<ServerId, Vec<String>> {
    let at = |a: &Address| {
        let (host, port) = (a.host.clone(), port(a));
        HostPort { host, port }.to_string()
    };
    let all = ensemble.members.iter();
    all.map(|(id, member)| (*id, member.addresses.iter().map(at).collect()))
        .collect()
}

impl Node {
    /// A node that has started, with its first effects carried out.
    #[must_use]
    pub fn start(parts: Parts) -> Node {
        let mut out = Output::default();
        let config = &parts.config;
        let observer = Observer::new(Arc::clone(&parts.metrics), config.my_id, config.standalone);
        let applying = Instant::now();
        let peer = Peer::start(
            parts.config,
            &parts.stored,
            parts.clock.now(),
            1,
            StorageSeq(0),
            &mut out,
        );
        if let Some(read_in) = parts.log_read_in {
            let took = (read_in + applying.elapsed()).as_millis();
            let took = u64::try_from(took).unwrap_or(u64::MAX);
            parts.metrics.startup_txns_load_time.add(took);
        }
        let mut node = Node {
            peer,
            out,
            clock: parts.clock,
            inbox: parts.inbox,
            log: parts.log,
            batch: Vec::new(),
            durable: StorageSeq(0),
            writing: VecDeque::new(),
            observer,
            quotas: QuotaWarnings::default(),
            audit: parts.audit.then(Audit::default),
            metrics: parts.metrics,
            held: VecDeque::new(),
            restored: Vec::new(),
            clients: HashMap::new(),
            introducing: None,
            gate: parts.gate,
            throttle: Throttle::new(parts.throttle),
            election: parts.election,
            quorum: parts.quorum,
            members: parts.members,
        };
        if node.audit.is_some() {
            audit::of_server("serverStart", "success");
        }
        node.carry_out();
        node
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// The disk failed.
    pub fn run(mut self) -> Result<(), Fatal> {
        loop {
            self.flush()?;
            let peers = self.peer.deadline().map(|wait| self.clock.until(wait.at));
            // Those that wait may have waited for too long.
            let first = match peers.into_iter().chain(self.throttle.look_after()).min() {
                Some(wait) => match self.inbox.recv_timeout(wait) {
                    Ok(first) => Some(first),
                    Err(mpsc::RecvTimeoutError::Timeout) => None,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                },
                None => match self.inbox.recv() {
                    Ok(first) => Some(first),
                    Err(mpsc::RecvError) => return Ok(()),
                },
            };
            self.timer();
            self.let_in();
            let mut next = first;
            for _ in 0..BATCH {
                let Some(item) = next.take() else { break };
                if !self.take(item)? {
                    return self.flush();
                }
                self.let_in();
                next = self.inbox.try_recv().ok();
            }
            // The last one of a full batch was taken out of the queue already.
            if let Some(item) = next
                && !self.take(item)?
            {
                return self.flush();
            }
        }
    }

    fn flush(&mut self) -> Result<(), Fatal> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let appends = self
            .batch
            .iter()
            .filter(|(_, op)| matches!(op, StorageOp::Append(_)))
            .count();
        if appends > 0 {
            self.metrics.sync_processor_batch_size.add(appends as u64);
            let last = self.batch.last().map(|(seq, _)| *seq);
            self.writing
                .extend(last.map(|seq| (seq, self.clock.now().at)));
        }
        self.log
            .send(std::mem::take(&mut self.batch))
            .map_err(|_| Fatal::Thread("log"))
    }

    fn timer(&mut self) {
        let now = self.clock.now();
        if self.peer.deadline().is_some_and(|wait| wait.at <= now.at) {
            self.handle(InputKind::Timer);
        }
    }

    /// False when it is time to end.
    fn take(&mut self, item: Inbox) -> Result<bool, Fatal> {
        match item {
            Inbox::Peer(input) => {
                match &input {
                    InputKind::Quorum(conn, _) => self.quorum.taken(*conn),
                    InputKind::Notification(from, _) => self.election.taken(*from),
                    InputKind::Durable(seq) => self.release(*seq),
                    InputKind::Timer
                    | InputKind::Connected { .. }
                    | InputKind::ConnectFailed { .. }
                    | InputKind::Accepted { .. }
                    | InputKind::Closed { .. }
                    | InputKind::Truncated(_)
                    | InputKind::LogRead { .. }
                    | InputKind::ClientConnect { .. }
                    | InputKind::ClientRequest { .. }
                    | InputKind::Restore(_)
                    | InputKind::ClientGone { .. } => {}
                }
                self.handle(input);
            }
            Inbox::Connect {
                client,
                request,
                auth,
                to,
            } => {
                let known = Client {
                    to,
                    outstanding: 0,
                    waiting: 0,
                };
                self.clients.insert(client, known);
                self.handle(InputKind::ClientConnect {
                    client,
                    request,
                    auth,
                });
            }
            Inbox::Request {
                client,
                xid,
                request,
            } => match self.clients.get_mut(&client) {
                Some(known) => {
                    known.outstanding += 1;
                    if self.throttle.lets_pass(&request) {
                        self.begin(client, xid, request);
                    } else {
                        known.waiting += 1;
                        let since = self.clock.now().at;
                        self.throttle.wait(client, xid, request, since);
                        self.let_in();
                        if self.throttle.is_waited_at() {
                            self.metrics.request_throttle_wait_count.one();
                        }
                    }
                }
                // It was closed while this was under way.
                None => self.gate.add_permits(1),
            },
            Inbox::Gone(client) => self.lose(client),
            Inbox::Ask(question) => question(&View {
                peer: &self.peer,
                clock: self.clock,
            }),
            Inbox::Restore { database, answer } => match self.peer.restored_as(&database) {
                Ok(zxid) => {
                    self.handle(InputKind::Restore(database));
                    let after = self.peer.last_storage();
                    self.restored.push((after, zxid, answer));
                }
                Err(why) => {
                    let _ = answer.send(Err(why));
                }
            },
            Inbox::Failed(fatal) => return Err(fatal),
            Inbox::Stop => {
                if self.audit.is_some() {
                    audit::of_server("serverStop", "invoked");
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The peer gets a client's request.
    fn begin(&mut self, client: ClientId, xid: i32, request: Request) {
        self.throttle.begun();
        if let Some(audit) = &mut self.audit {
            audit.asks(&self.peer, client, xid, &request);
        }
        let introduces = matches!(request, Request::Auth { .. } | Request::Sasl { .. });
        self.introducing = introduces.then_some(client);
        self.handle(InputKind::ClientRequest {
            client,
            xid,
            request,
        });
        self.introducing = None;
    }

    /// Lets go of a client's connection; false if that has happened before.
    fn forget(&mut self, client: ClientId) -> bool {
        match self.clients.remove(&client) {
            Some(known) => {
                self.gate.add_permits(known.outstanding);
                self.throttle.ended(known.outstanding - known.waiting);
                let dropped = self.throttle.forget(client);
                self.metrics.stale_requests_dropped.add(dropped);
                if let Some(audit) = &mut self.audit {
                    audit.gone(client);
                }
                true
            }
            None => false,
        }
    }

    /// Others are reached, and clients served, where these texts say.
    fn reach_members(&mut self, current: &str, next: Option<&str>) {
        let read = |text: &str| match Ensemble::parse_text(text) {
            Ok(ensemble) => Some(ensemble),
            Err(error) => {
                tracing::error!(%error, "a text of members can't be read");
                None
            }
        };
        let (current, to_come) = (read(current), next.and_then(read));
        // Where both name a server, the newer one is right: there it will be.
        for ensemble in [&current, &to_come].into_iter().flatten() {
            self.election
                .reach(Addresses(addresses(ensemble, |a| a.election_port)));
            self.quorum.reach(addresses(ensemble, |a| a.quorum_port));
        }
        let me = current.and_then(|mut c| c.members.remove(&self.members.me));
        if let Some(client) = me.and_then(|m| m.client) {
            // Nobody listens any more: the server ends.
            let _ = self.members.client_port.send(client);
        }
        if let Some(files) = &self.members.files {
            files.await_next(next);
        }
    }

    fn handle(&mut self, kind: InputKind) {
        let now = self.clock.now();
        self.peer
            .handle(now, Input { kind, cause: None }, &mut self.out);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        self.observer.observe(self.clock.now(), &self.out.events);
        if let Some(audit) = &mut self.audit {
            audit.look(&self.out);
        }
        self.quotas.look(self.clock.now().at, &self.peer, &self.out);
        let mut deaf = Vec::new();
        let mut effects = std::mem::take(&mut self.out.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send {
                    to, message, after, ..
                } => match after.filter(|after| *after > self.durable) {
                    Some(after) => self.held.push_back(Held { after, to, message }),
                    None => self.send(to, message),
                },
                Effect::Connect { to, .. } => self.quorum.connect(to),
                Effect::Close { conn, .. } => {
                    self.held
                        .retain(|h| !matches!(h.message, Message::Quorum(c, _) if c == conn));
                    self.quorum.close(conn);
                }
                Effect::Store { seq, op, .. } => self.batch.push((seq, op)),
                Effect::Members { current, next, .. } => {
                    self.reach_members(&current, next.as_deref());
                }
                Effect::ClientConnected {
                    client, response, ..
                } => {
                    let refused = response.timeout_ms <= 0;
                    self.tell(client, ToClient::Connected(response), &mut deaf);
                    if refused {
                        self.tell(client, ToClient::Close, &mut deaf);
                        self.forget(client);
                    }
                }
                Effect::ClientReply { client, reply, .. } => {
                    if let Some(known) = self.clients.get_mut(&client)
                        && known.outstanding > 0
                    {
                        known.outstanding -= 1;
                        self.throttle.ended(1);
                        self.gate.add_permits(1);
                    }
                    let introduces = self.introducing == Some(client);
                    self.tell(client, ToClient::Reply { reply, introduces }, &mut deaf);
                }
                Effect::ClientWatch { client, event, .. } => {
                    self.tell(client, ToClient::Watch(event), &mut deaf);
                }
                Effect::ClientClose { client, .. } => {
                    self.tell(client, ToClient::Close, &mut deaf);
                    self.forget(client);
                }
            }
        }
        // Its memory is used again.
        self.out.effects = effects;
        for client in deaf {
            // Letting go of its queue ends the connection.
            if self.clients.contains_key(&client) {
                tracing::warn!(
                    client = client.0,
                    "closed: it does not read what it asked for"
                );
                self.lose(client);
            }
        }
    }

    fn tell(&self, client: ClientId, packet: ToClient, deaf: &mut Vec<ClientId>) {
        if let Some(known) = self.clients.get(&client)
            && !known.to.send(packet)
        {
            deaf.push(client);
        }
    }

    fn send(&mut self, to: ServerId, message: Message) {
        match message {
            Message::Election(notification) => self.election.send(to, notification),
            Message::Quorum(conn, message) => self.quorum.send(conn, message),
        }
    }

    /// What waited for the disk may leave, in order.
    fn release(&mut self, durable: StorageSeq) {
        self.durable = self.durable.max(durable);
        let now = self.clock.now().at;
        while let Some((seq, since)) = self.writing.front()
            && *seq <= durable
        {
            let ms = now.0.saturating_sub(since.0) / 1000;
            self.metrics.sync_processor_queue_and_flush_time_ms.add(ms);
            self.writing.pop_front();
        }
        for (after, zxid, answer) in std::mem::take(&mut self.restored) {
            match after <= self.durable {
                true => {
                    let _ = answer.send(Ok(zxid));
                }
                false => self.restored.push((after, zxid, answer)),
            }
        }
        if self.held.is_empty() {
            return;
        }
        for held in std::mem::take(&mut self.held) {
            if held.after <= self.durable {
                self.send(held.to, held.message);
            } else {
                self.held.push_back(held);
            }
        }
    }
}
