//! A whole server: the node, its log thread and its sockets, started and ended together.

mod secure;

use crate::{
    admin::Admin,
    clock::Clock,
    config::{self, Compatibility, Listen, Mode, ServerConfig},
    disk::{self, Habits, LogThread, StorageError},
    embedded::Builder,
    http,
    inspect::Inspector,
    members::MembersFiles,
    metrics::{Metrics, Prometheus},
    net::{
        client::{self, ClientNet, Limits},
        election::{self, Addresses, ElectionNet},
        quorum::{Identity, QuorumNet},
        socket,
        throttle::{Bucket, LargeRequests},
        tls::{Dialer, Door, TlsError},
        words::Words,
    },
    node::{Fatal, Inbox, MembersWatch, Node, Parts, addresses},
    sasl::{self, Users},
    stats::{Roster, ServerStats},
};
use secure::Secure;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::Semaphore,
};
use zabscope_core::{
    tree::TtlOwners,
    wire::{client::EventZxid, election::Address},
};

/// How long a connection to the metrics port may be silent.
const METRICS_IDLE: Duration = Duration::from_secs(30);
/// How long connections are given to send their last packets.
const FAREWELL: Duration = Duration::from_millis(500);
/// The pause between two attempts to bind the election port, as Apache's.
const BIND_AGAIN: Duration = Duration::from_secs(1);

/// Why a server did not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its data directory.
    #[error("{0}")]
    Storage(#[from] StorageError),
    /// A port.
    #[error("the {what} port {address} can't be listened on: {error}. {advice}")]
    Listen {
        /// Which of the ports.
        what: &'static str,
        /// As configured.
        address: String,
        /// What the system says.
        error: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A key or trust store of TLS.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The system gives no thread.
    #[error("a thread could not be started: {0}. Look at the limits of processes (ulimit -u)")]
    Thread(io::Error),
    /// The configuration does not fit together.
    #[error("{0}")]
    Config(String),
}

/// The sockets that a server listens on, bound before anything else happens.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For clients.
    pub client: Option<TcpListener>,
    /// For clients with TLS; bound at the start if the configuration names a port and this is `None`.
    pub secure: Option<TcpListener>,
    /// For learners.
    pub quorum: Option<TcpListener>,
    /// For elections.
    pub election: Option<TcpListener>,
    /// For administration.
    pub admin: Option<TcpListener>,
    /// For Prometheus.
    pub metrics: Option<TcpListener>,
    /// For Prometheus with TLS.
    pub metrics_https: Option<TcpListener>,
}

impl Listeners {
    /// Binds what the configuration names.
    ///
    /// # Errors
    /// A port that is taken, or an address that is not this machine's.
    pub fn bind(config: &ServerConfig) -> Result<Listeners, StartError> {
        let backlog = config.clients.backlog;
        let for_clients = |what, at: &Option<Listen>| {
            let at = at.as_ref();
            at.map(|at| bind_with(what, at, backlog)).transpose()
        };
        let client = for_clients("client", &config.clients.listen)?;
        let secure = for_clients("secure client", &config.clients.secure)?;
        let (mut quorum, mut election) = (None, None);
        if let (Mode::Quorum, Some((_, me))) = (config.mode, config.me()) {
            let Some(address) = me.addresses.first() else {
                return Err(StartError::Config("this server has no address".into()));
            };
            let host = (!config.peers.listen_on_all).then(|| address.host.clone());
            let at = |port| Listen {
                host: host.clone(),
                port,
            };
            quorum = Some(bind("quorum", &at(address.quorum_port))?);
            let at = at(address.election_port);
            election = Some(bind_again("election", &at, config.peers.bind_attempts)?);
        }
        let admin = match &config.admin {
            Some(admin) => bind_service("admin", &admin.listen, admin.port_is_set)?,
            None => None,
        };
        let metrics = match &config.metrics {
            Some(config::Metrics {
                listen: Some(at),
                port_is_set,
                ..
            }) => bind_service("metrics", at, *port_is_set)?,
            _ => None,
        };
        let metrics_https = match &config.metrics {
            Some(config::Metrics {
                https: Some((at, _)),
                ..
            }) => Some(bind("metrics HTTPS", at)?),
            _ => None,
        };
        Ok(Listeners {
            client,
            secure,
            quorum,
            election,
            admin,
            metrics,
            metrics_https,
        })
    }
}

/// A port that nobody chose and that is taken stops no server: several on one machine, of which none
/// says where its administration is, all start, as Apache's do.
fn bind_service(
    what: &'static str,
    at: &Listen,
    is_set: bool,
) -> Result<Option<TcpListener>, StartError> {
    match bind(what, at) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if is_set => Err(error),
        Err(error) => {
            tracing::warn!("{error}. This server goes on without that port");
            Ok(None)
        }
    }
}

/// A port that whoever had it may just be letting go of: it is tried `attempts` times, `None` without end.
fn bind_again(
    what: &'static str,
    at: &Listen,
    attempts: Option<u64>,
) -> Result<TcpListener, StartError> {
    let mut attempt = 1;
    loop {
        match bind(what, at) {
            Err(error) if attempts.is_none_or(|most| attempt < most) => {
                tracing::warn!("{error}. It is tried again (electionPortBindRetry)");
                thread::sleep(BIND_AGAIN);
                attempt += 1;
            }
            done => return done,
        }
    }
}

fn bind(what: &'static str, at: &Listen) -> Result<TcpListener, StartError> {
    bind_with(what, at, None)
}

/// Connections that wait to be accepted are at most `backlog`; `None` leaves that to the system.
fn bind_with(
    what: &'static str,
    at: &Listen,
    backlog: Option<u64>,
) -> Result<TcpListener, StartError> {
    let bound = match &at.host {
        Some(host) => socket::listen((host.as_str(), at.port), backlog),
        // Both families where the machine has both.
        None => socket::listen(("::", at.port), backlog).or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
            _ => socket::listen(("0.0.0.0", at.port), backlog),
        }),
    };
    bound.map_err(|error| StartError::Listen {
        what,
        address: at.to_string(),
        advice: match error.kind() {
            io::ErrorKind::AddrInUse => {
                "Something listens there already: end it, or choose another port"
            }
            io::ErrorKind::PermissionDenied => "Choose a port above 1023",
            _ => "Choose an address of this machine",
        },
        error,
    })
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    inbox: mpsc::Sender<Inbox>,
    node: Option<JoinHandle<Result<(), Fatal>>>,
    log: Option<LogThread>,
    sockets: Sockets,
    client_address: Option<SocketAddr>,
    secure_address: Option<SocketAddr>,
    admin_address: Option<SocketAddr>,
    metrics_address: Option<SocketAddr>,
    metrics_https_address: Option<SocketAddr>,
}

/// All that happens at the sockets. tokio refuses to end a runtime on a thread that runs a future, and
/// that is where a test may let go of its server.
#[derive(Debug)]
struct Sockets(Option<Runtime>);

impl Sockets {
    /// Closes them all, and waits for that.
    fn close(&mut self) {
        let Some(runtime) = self.0.take() else {
            return;
        };
        if Handle::try_current().is_err() {
            return runtime.shutdown_timeout(FAREWELL);
        }
        let (hand_over, received) = mpsc::sync_channel::<Runtime>(1);
        let closing = thread::Builder::new().spawn(move || {
            if let Ok(runtime) = received.recv() {
                runtime.shutdown_timeout(FAREWELL);
            }
        });
        match closing {
            Ok(closing) => {
                if let Err(mpsc::SendError(runtime)) = hand_over.send(runtime) {
                    runtime.shutdown_background();
                }
                let _ = closing.join();
            }
            // No thread: they close a little later.
            Err(_) => runtime.shutdown_background(),
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.close();
    }
}

impl Server {
    /// A server or a whole ensemble for the tests of a program, on free ports and in a temporary
    /// directory unless told otherwise; see [`Builder`].
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Starts what a configuration says.
    ///
    /// # Errors
    /// [`StartError`]; nothing of it is left running.
    pub fn start(config: &ServerConfig) -> Result<Server, StartError> {
        // Before a port is bound: what is wrong with them is wrong with the configuration.
        let secure = Secure::load(config)?;
        Server::start_with(config, &secure, Listeners::bind(config)?)
    }

    /// Starts on sockets that are bound already.
    ///
    /// # Errors
    /// [`StartError`]; nothing of it is left running.
    pub fn start_on(config: &ServerConfig, listeners: Listeners) -> Result<Server, StartError> {
        Server::start_with(config, &Secure::load(config)?, listeners)
    }

    fn start_with(
        config: &ServerConfig,
        secure: &Secure,
        listeners: Listeners,
    ) -> Result<Server, StartError> {
        let (sasl_users, sasl_login) = sasl(config)?;
        let (inbox, received) = mpsc::channel();
        let metrics = Arc::new(Metrics::default());
        let loading = Instant::now();
        let (mut storage, stored) = disk::open(config)?;
        let found = storage.take_timings().loaded;
        if let Some(found) = found {
            metrics.startup_snap_load_time.add_time(found.snapshot);
            metrics.startup_txns_loaded.add(found.txns);
        }
        metrics.dbinittime.add_time(loading.elapsed());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(thread::available_parallelism().map_or(2, |n| n.get().clamp(1, 4)))
            .thread_name("zabscope-io")
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        // Whatever fails from here on, it is ended in a way that is allowed everywhere.
        let sockets = Sockets(Some(runtime));
        let Some(runtime) = sockets.0.as_ref() else {
            return Err(StartError::Config("the sockets are closed".into()));
        };
        let clock = Clock::start();
        let gate = Arc::new(Semaphore::new(config.core.outstanding_limit().max(1)));
        let stats = Arc::new(ServerStats::default());
        let roster = Arc::new(Roster::default());

        let entered = runtime.enter();
        secure.keep_up();
        let way = secure.peers(config);
        let ports = (listeners.quorum, listeners.election);
        let (election, quorum) = peers(config, sasl_login, way, ports, &inbox)?;
        let (client_address, listener) = with_address(listeners.client, "client")?;
        // Whoever brings sockets of its own need not bring this one.
        let secure_listener = match (listeners.secure, &config.clients.secure) {
            (None, Some(at)) => Some(bind_with("secure client", at, config.clients.backlog)?),
            (given, _) => given,
        };
        let (secure_address, secure_listener) = with_address(secure_listener, "secure client")?;
        let (admin_address, admin_listener) = with_address(listeners.admin, "admin")?;
        let (metrics_address, metrics_listener) = with_address(listeners.metrics, "metrics")?;
        let (metrics_https_address, metrics_https) =
            with_address(listeners.metrics_https, "metrics HTTPS")?;
        drop(entered);

        let changes = config.mode == Mode::Quorum && config.core.reconfig_enabled;
        let me = config.core.my_id;
        let files = config.file.as_deref().filter(|_| changes);
        let files = files.map(|file| MembersFiles::new(file, me));
        let (client_port, moves) = tokio::sync::mpsc::unbounded_channel();
        let log = LogThread::start(
            storage,
            Habits::of(config),
            files.clone(),
            Arc::clone(&metrics),
            inbox.clone(),
        )
        .map_err(StartError::Thread)?;
        let parts = Parts {
            config: Arc::new(config.core.clone()),
            stored,
            log_read_in: found.map(|found| found.log),
            inbox: received,
            log: log.sender(),
            gate: Arc::clone(&gate),
            throttle: config.clients.request_throttle.clone(),
            audit: config.service.audit,
            election,
            quorum,
            members: MembersWatch {
                me,
                files,
                client_port,
            },
            clock,
            metrics: Arc::clone(&metrics),
        };
        let node = thread::Builder::new()
            .name("zabscope-node".into())
            .spawn(move || Node::start(parts).run())
            .map_err(StartError::Thread)?;

        let inspector = Arc::new(Inspector::new(
            inbox.clone(),
            Arc::clone(&stats),
            Arc::clone(&roster),
            Arc::clone(&metrics),
            Arc::new(config.clone()),
            (client_address, secure_address),
        ));
        if let (Some(listener), Some(settings)) = (admin_listener, &config.admin) {
            let service = Arc::new(Admin::new(Arc::clone(&inspector), settings.clone()));
            let (inspector, idle) = (Arc::clone(&inspector), settings.idle_timeout);
            let door = secure.admin(config);
            runtime.spawn(http::serve(listener, door, inspector, idle, service));
        }
        let plain = metrics_listener.map(|listener| (listener, Door::plain("use http://")));
        let encrypted = metrics_https.map(|listener| (listener, secure.metrics()));
        for (listener, door) in plain.into_iter().chain(encrypted) {
            let service = Arc::new(Prometheus::new(Arc::clone(&inspector)));
            let inspector = Arc::clone(&inspector);
            runtime.spawn(http::serve(
                listener,
                door,
                inspector,
                METRICS_IDLE,
                service,
            ));
        }
        if listener.is_some() || secure_listener.is_some() {
            let words = Words::new(inspector);
            let limit = |n: Option<u64>| n.map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
            let limits = Limits {
                max_buffer: config.core.max_buffer,
                per_address: limit(config.clients.max_client_cnxns),
                in_all: limit(config.clients.max_cnxns),
                introduction: config.clients.sessionless_timeout,
                backlog: config.clients.backlog,
                keep_alive: config.clients.keep_alive,
                bucket: Bucket::new(&config.clients.connection_throttle, Instant::now()),
                local_sessions: config.core.begins_local_sessions(),
                large: LargeRequests::new(
                    config.clients.large_request_threshold,
                    config.clients.large_request_max_bytes,
                ),
                event_zxid: match config.compatibility {
                    Compatibility::V38 => EventZxid::None,
                    Compatibility::V39 => EventZxid::OfTransaction,
                },
                sasl_users,
                x509_super_user: config.auth.x509_super_user.clone(),
            };
            let net = ClientNet::new(limits, inbox.clone(), gate, words, stats, roster, metrics);
            if let Some(listener) = listener {
                let (net, door) = (Arc::clone(&net), secure.clients(config));
                runtime.spawn(client::accept_where(net, door, listener, moves));
            }
            if let Some(listener) = secure_listener {
                runtime.spawn(client::accept(net, secure.secure_clients(), listener));
            }
        }
        Ok(Server {
            inbox,
            node: Some(node),
            log: Some(log),
            sockets,
            client_address,
            secure_address,
            admin_address,
            metrics_address,
            metrics_https_address,
        })
    }

    /// Where administration over HTTP is; `None` if it is off.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Where Prometheus reads; `None` if that is off.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Where Prometheus reads with TLS; `None` if there is no such port.
    #[must_use]
    pub fn metrics_https_address(&self) -> Option<SocketAddr> {
        self.metrics_https_address
    }

    /// Where clients come in with TLS; `None` if the configuration has no such port.
    #[must_use]
    pub fn secure_address(&self) -> Option<SocketAddr> {
        self.secure_address
    }

    /// Where clients come in; `None` if the configuration has no client port.
    #[must_use]
    pub fn client_address(&self) -> Option<SocketAddr> {
        self.client_address
    }

    /// A way to end it from elsewhere, a signal's handler for one.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.inbox.clone())
    }

    /// Looks at the server from its own thread; `None` if it has ended or does not answer in time.
    pub fn look<T: Send + 'static>(
        &self,
        limit: Duration,
        look: impl FnOnce(&crate::node::View<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = mpsc::sync_channel(1);
        let question = Inbox::Ask(Box::new(move |view| {
            let _ = answer.send(look(view));
        }));
        self.inbox.send(question).ok()?;
        wait.recv_timeout(limit).ok()
    }

    /// Waits for its end, whatever brings it.
    ///
    /// # Errors
    /// What made it end, if nobody asked it to.
    pub fn wait(mut self) -> Result<(), Fatal> {
        self.join()
    }

    /// Ends it, and waits for that: what was acknowledged is on disk.
    ///
    /// # Errors
    /// What had made it end before.
    pub fn stop(mut self) -> Result<(), Fatal> {
        let _ = self.inbox.send(Inbox::Stop);
        self.join()
    }

    /// Ends it as if the process had been killed: connections break first, and nobody is told anything.
    /// What had been handed to the log is still written, which after a kill the system does.
    ///
    /// # Errors
    /// What had made it end before.
    pub fn kill(mut self) -> Result<(), Fatal> {
        self.sockets.close();
        let _ = self.inbox.send(Inbox::Stop);
        self.join()
    }

    fn join(&mut self) -> Result<(), Fatal> {
        let ended = match self.node.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(Fatal::Thread("node")),
        };
        // The node's end lets the log thread end: all that it was given is written first.
        let written = self.log.take().map_or(Ok(()), LogThread::join);
        self.sockets.close();
        ended.and(written)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.inbox.send(Inbox::Stop);
        if let Err(error) = self.join() {
            tracing::error!(%error, "the server had ended before");
        }
    }
}

/// Ends a server from elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper(mpsc::Sender<Inbox>);

impl Stopper {
    /// Asks it to end.
    pub fn stop(&self) {
        // A closed inbox: it has ended.
        let _ = self.0.send(Inbox::Stop);
    }
}

/// A listener for the runtime, and where it is; called on the runtime.
fn with_address(
    listener: Option<TcpListener>,
    what: &'static str,
) -> Result<(Option<SocketAddr>, Option<tokio::net::TcpListener>), StartError> {
    let Some(listener) = listener else {
        return Ok((None, None));
    };
    let address = listener.local_addr().ok();
    Ok((address, Some(into_tokio(listener, what)?)))
}

fn into_tokio(
    listener: TcpListener,
    what: &'static str,
) -> Result<tokio::net::TcpListener, StartError> {
    let address = listener
        .local_addr()
        .map_or_else(|_| "?".to_owned(), |at| at.to_string());
    listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener))
        .map_err(|error| StartError::Listen {
            what,
            address,
            error,
            advice: "Look at the limits of open files (ulimit -n)",
        })
}

/// Ports 2888 and 3888; called on the runtime.
/// Who may come in by SASL, as a client and as a member.
fn sasl(config: &ServerConfig) -> Result<Sasl, StartError> {
    let failed = |error: sasl::SaslError| StartError::Config(error.to_string());
    let users = sasl::client_users(&config.auth).map_err(failed)?;
    let login = match config.mode {
        Mode::Quorum => sasl::quorum_login(&config.auth).map_err(failed)?,
        Mode::Standalone => None,
    };
    let section = &config.auth.server_section;
    match (config.core.rights.sasl, &users) {
        (true, None) => tracing::warn!(
            "the scheme sasl is on, but nobody can prove such an identity: \
             java.security.auth.login.config names no JAAS file with a section {section}"
        ),
        (false, Some(_)) => tracing::warn!(
            "the JAAS file has users for clients, but no ACL can name them: \
             authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider switches \
             the scheme sasl on"
        ),
        (true, Some(users)) if users.is_empty() => tracing::warn!(
            "the section {section} of the JAAS file has no user (user_<name>=\"password\")"
        ),
        (_, _) => {}
    }
    Ok((users, login))
}

/// Clients' users, members' login.
type Sasl = (Option<Arc<Users>>, Option<Arc<sasl::quorum::Login>>);

fn peers(
    config: &ServerConfig,
    login: Option<Arc<sasl::quorum::Login>>,
    way: (Dialer, Door),
    (quorum, election): (Option<TcpListener>, Option<TcpListener>),
    inbox: &mpsc::Sender<Inbox>,
) -> Result<(ElectionNet, QuorumNet), StartError> {
    let me = config.core.my_id;
    let identity = Identity {
        me,
        config_text: config.quorum_text(),
        record_limit: config.core.txn_limit(),
        ttls: TtlOwners::of(&config.core),
        open: config.core.reconfig_enabled,
        connect_timeout: config.peers.connect_timeout,
        reachability: config.peers.reachability_timeout,
        lively: Duration::from_millis(config.core.tick.as_millis()),
        sasl: login.clone(),
    };
    let (Mode::Quorum, Some(quorum), Some(election)) = (config.mode, quorum, election) else {
        return Ok((
            ElectionNet::none(),
            QuorumNet::none(identity, inbox.clone()),
        ));
    };
    let quorum_addresses = addresses(&config.ensemble, |a| a.quorum_port);
    let election_addresses = addresses(&config.ensemble, |a| a.election_port);
    let own = config.me().and_then(|(_, member)| member.addresses.first());
    let own = own.ok_or_else(|| StartError::Config("this server has no address".into()))?;
    let own = Address {
        host: own.host.as_str().into(),
        port: own.election_port,
    };
    let election = election::start(
        me,
        &Addresses(election_addresses),
        own,
        config.quorum_text(),
        election::Sockets {
            connect_timeout: config.peers.connect_timeout,
            reachability: config.peers.reachability_timeout,
            greeting: config
                .peers
                .greeting_timeout
                .unwrap_or_else(|| Duration::from_millis(config.core.sync_span().as_millis())),
            keep_alive: config.peers.keep_alive,
            dialer: way.0.clone(),
            door: way.1.clone(),
            sasl: login,
            listener: into_tokio(election, "election")?,
            open: config.core.reconfig_enabled,
        },
        inbox.clone(),
    );
    let quorum = into_tokio(quorum, "quorum")?;
    let quorum = QuorumNet::start(identity, quorum_addresses, way, quorum, inbox.clone());
    Ok((election, quorum))
}
