//! What `serve` is told: Apache's zoo.cfg, its dynamic file, system properties and `--set`, as one
//! typed configuration with all that is wrong with it.
//!
//! Precedence, weakest first: the default, `-D` in SERVER_JVMFLAGS, the file, `--set`.

pub mod keys;
pub mod properties;

mod build;
mod client;
mod document;
mod problem;
mod settings;
#[cfg(test)]
mod tests;
mod values;

pub use build::SUITES;
pub use client::{ClientSasl, ClientSettings, client_settings};
pub use document::markdown;
pub use problem::{ConfigError, Origin, Problem};
pub use zabscope_core::members::{
    Address, Ensemble, HostPort, LARGEST_ID, Member, MemberError, Role,
};

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};
use zabscope_core::{config::Config, id::ServerId};

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources<'a> {
    /// zoo.cfg.
    pub file: Option<&'a Path>,
    /// The environment variable SERVER_JVMFLAGS.
    pub jvm_flags: Option<&'a str>,
    /// `key=value` of each `--set`, in order.
    pub sets: &'a [String],
}

/// Reads a file whole; what a test gives instead of a disk.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// A configuration, and what its reader should know.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: ServerConfig,
    /// Unknown keys, keys without effect, values that were corrected.
    pub warnings: Vec<Problem>,
}

/// Everything that `serve` needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// The file that it was read from.
    pub file: Option<PathBuf>,
    /// What the protocol depends on.
    pub core: Config,
    /// Alone, or one of an ensemble.
    pub mode: Mode,
    /// The members; empty for a server on its own without a `server.` line.
    pub ensemble: Ensemble,
    /// The members of a reconfiguration that was under way when the server ended
    /// (`zoo.cfg.dynamic.next`).
    pub last_seen: Option<Ensemble>,
    /// The file that names the members, if it is not zoo.cfg.
    pub dynamic_file: Option<PathBuf>,
    /// What is kept on disk.
    pub storage: Storage,
    /// Where clients come in.
    pub clients: Clients,
    /// What clients may do.
    pub service: Service,
    /// Who clients are.
    pub auth: Auth,
    /// Connections between members.
    pub peers: Peers,
    /// TLS with clients; with stores only if they are set.
    pub tls: Tls,
    /// TLS between members.
    pub quorum_tls: Tls,
    /// The HTTP service for administration; `None` if it is switched off.
    pub admin: Option<Admin>,
    /// Prometheus; `None` unless its provider is chosen.
    pub metrics: Option<Metrics>,
    /// Which release is followed where two differ.
    pub compatibility: Compatibility,
}

/// Whether a server needs others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It decides alone; no election and quorum ports.
    Standalone,
    /// It belongs to an ensemble.
    Quorum,
}

/// Which Apache release is followed where 3.8 and 3.9 differ (`zabscope.compatibility`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compatibility {
    /// 3.8.
    V38,
    /// 3.9.
    V39,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    /// A name or an address; `None` for all addresses of the machine.
    pub host: Option<String>,
    /// The port; 0 takes a free one.
    pub port: u16,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listen { host, port } = self;
        match host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Some(host) => write!(f, "{host}:{port}"),
            None => write!(f, "*:{port}"),
        }
    }
}

/// How snapshots are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Plain.
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
}

/// What is kept on disk. Sizes in KiB as in zoo.cfg.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Snapshots, myid, epoch files (`dataDir`).
    pub data_dir: PathBuf,
    /// Transaction logs (`dataLogDir`).
    pub data_log_dir: PathBuf,
    /// Whether missing directories are made.
    pub create_directories: bool,
    /// Whether an empty tree is believed (`db.autocreate`).
    pub db_autocreate: bool,
    /// Whether logs without a snapshot are believed.
    pub trust_empty_snapshot: bool,
    /// How snapshots are written.
    pub compression: Compression,
    /// Whether snapshots end with the zxid applied last.
    pub serialize_last_processed_zxid: bool,
    /// The log's size at which a new file begins; `None` for no limit.
    pub txn_log_size_limit_kib: Option<u64>,
    /// By how much the log file grows ahead.
    pub pre_alloc_kib: u64,
    /// Whether a transaction must be on the device.
    pub force_sync: bool,
    /// From which duration on an fsync is warned about.
    pub fsync_warning: Duration,
    /// Transactions that share one fsync at most; `None` for no limit.
    pub max_batch_size: Option<u64>,
    /// How long an fsync may be put off.
    pub flush_delay: Duration,
    /// With `flush_delay`: the silence after which it is not.
    pub max_write_queue_poll: Duration,
    /// Snapshots that stay; at least 3.
    pub snap_retain_count: usize,
    /// How often older files are deleted; `None` for never.
    pub purge_interval: Option<Duration>,
}

/// Where clients come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Clients {
    /// Plain (`clientPort`).
    pub listen: Option<Listen>,
    /// With TLS (`secureClientPort`).
    pub secure: Option<Listen>,
    /// Whether the plain port also speaks TLS.
    pub port_unification: bool,
    /// Connections that may wait; `None` leaves it to the system.
    pub backlog: Option<u64>,
    /// Connections of one address; `None` for no limit.
    pub max_client_cnxns: Option<u64>,
    /// Connections of a port; `None` for no limit.
    pub max_cnxns: Option<u64>,
    /// SO_KEEPALIVE.
    pub keep_alive: bool,
    /// How long a connection may stay without a session.
    pub sessionless_timeout: Duration,
    /// New connections.
    pub connection_throttle: ConnectionThrottle,
    /// Requests.
    pub request_throttle: RequestThrottle,
    /// Size from which on a request is large; `None` for none.
    pub large_request_threshold: Option<u64>,
    /// Bytes of all large requests under way.
    pub large_request_max_bytes: u64,
    /// The four-letter words that are answered; `*` stands for all.
    pub four_letter_words: BTreeSet<String>,
}

/// A bucket of tokens for new connections; off while `tokens` is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionThrottle {
    /// Its size.
    pub tokens: u64,
    /// How often it is filled.
    pub fill_time: Duration,
    /// By how many.
    pub fill_count: u64,
    /// How often the probability of dropping changes; `None` for no dropping by chance.
    pub freeze_time: Option<Duration>,
    /// By how much it grows.
    pub drop_increase: f64,
    /// By how much it shrinks.
    pub drop_decrease: f64,
    /// The part of the bucket that is full enough to shrink it.
    pub decrease_ratio: f64,
    /// What a global session, a local one and a return cost; `None` for one token each.
    pub weights: Option<[u64; 3]>,
}

/// Requests that wait; off while `max_requests` is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestThrottle {
    /// How many may be under way.
    pub max_requests: u64,
    /// How long one waits before it looks again.
    pub stall_time: Duration,
    /// Whether stale ones are dropped.
    pub drop_stale: bool,
    /// Stale: older than its session's time-out.
    pub stale_latency_check: bool,
    /// The wait after which the answer is ThrottledOp; `None` for never.
    pub throttled_op_wait: Option<Duration>,
}

/// What clients may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Requests that may wait in the whole ensemble.
    pub global_outstanding_limit: u64,
    /// Containers and TTL nodes deleted in a minute at most.
    pub container_max_per_minute: u64,
    /// When a container that was never used goes; `None` for never.
    pub container_max_never_used: Option<Duration>,
    /// Whether hard quotas are enforced.
    pub enforce_quota: bool,
    /// Whether sessions begin as local ones.
    pub local_sessions: bool,
    /// Whether they may become global.
    pub local_sessions_upgrading: bool,
    /// Whether reads are served without a quorum.
    pub read_only_mode: bool,
    /// Whether clients may change the ensemble.
    pub reconfig: bool,
    /// Whether digests are computed.
    pub digest: bool,
    /// Whether the end of a session lists its ephemerals.
    pub close_session_txn: bool,
    /// Whether changes are logged with who made them.
    pub audit: bool,
}

/// A scheme of authentication besides those that are always there (world, auth, digest, ip).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// sasl.
    Sasl,
    /// x509.
    X509,
    /// ensemble.
    Ensemble,
}

/// Who clients are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// ACLs are not checked.
    pub skip_acl: bool,
    /// The scheme digest exists.
    pub digest_enabled: bool,
    /// Its hash: SHA1, SHA-256 or SHA-512.
    pub digest_algorithm: String,
    /// `user:hash` of whoever may do everything.
    pub super_digest: Option<String>,
    /// Over HTTP, the address from X-Forwarded-For.
    pub use_x_forwarded_for: bool,
    /// The certificate subject of whoever may do everything.
    pub x509_super_user: Option<String>,
    /// SASL identities that may do everything.
    pub sasl_super_users: BTreeSet<String>,
    /// The password of super in DIGEST-MD5.
    pub sasl_super_password: Option<String>,
    /// An ACL for one SASL identity admits all.
    pub let_any_sasl_user_do_x: bool,
    /// Schemes that were switched on (`authProvider.`).
    pub providers: BTreeSet<Provider>,
    /// Schemes of which one is needed; `None` if nothing is enforced.
    pub enforced_schemes: Option<Vec<String>>,
    /// A failed SASL exchange is forgiven.
    pub allow_sasl_failed_clients: bool,
    /// The JAAS file.
    pub login_config: Option<PathBuf>,
    /// Its section for clients.
    pub server_section: String,
    /// Somebody has chosen that section: then it has to be there.
    pub server_section_is_set: bool,
    /// SASL between members.
    pub quorum_sasl: Option<QuorumSasl>,
}

/// SASL between members (`quorum.auth.`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumSasl {
    /// Who does not is not accepted.
    pub server_requires: bool,
    /// This server does when it connects.
    pub learner_requires: bool,
    /// The JAAS section for accepting.
    pub server_section: String,
    /// The JAAS section for connecting.
    pub learner_section: String,
}

/// Connections between members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// Listen on all addresses.
    pub listen_on_all: bool,
    /// How long connecting to an election port may take.
    pub connect_timeout: Duration,
    /// How long a caller at the election port may take to say who it is; `None` for syncLimit.
    pub greeting_timeout: Option<Duration>,
    /// SO_KEEPALIVE on election connections.
    pub keep_alive: bool,
    /// How often binding the election port is tried; `None` without end.
    pub bind_attempts: Option<u64>,
    /// Whether several addresses are allowed.
    pub multi_address: bool,
    /// How long each of several addresses has to answer before the next is tried; `None` for as long as
    /// a single one has.
    pub reachability_timeout: Option<Duration>,
    /// Use TLS (`sslQuorum`).
    pub tls: bool,
    /// Also accept plain connections (`portUnification`).
    pub port_unification: bool,
}

/// A store of keys or certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The file.
    pub location: PathBuf,
    /// Its password.
    pub password: Option<String>,
    /// A file with its password; it goes before `password`.
    pub password_path: Option<PathBuf>,
    /// Its format; `None` is known from the file's extension.
    pub format: Option<StoreFormat>,
}

/// The format of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreFormat {
    /// PEM.
    Pem,
    /// PKCS12.
    Pkcs12,
}

/// Whether who connects must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// Not asked.
    None,
    /// Asked.
    Want,
    /// Required.
    Need,
}

/// TLS of one kind of connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain and private key.
    pub key_store: Option<Store>,
    /// Trusted certificates.
    pub trust_store: Option<Store>,
    /// Whether who connects must show a certificate.
    pub client_auth: ClientAuth,
    /// TLS 1.2, TLS 1.3: which are offered.
    pub versions: [bool; 2],
    /// Cipher suites by their IANA names; `None` for the safe ones.
    pub cipher_suites: Option<Vec<String>>,
    /// Names are verified.
    pub hostname_verification: bool,
    /// Also of who connects.
    pub client_hostname_verification: bool,
    /// Names may be looked up from addresses.
    pub reverse_dns: bool,
    /// Lists of revoked certificates count.
    pub crl: bool,
    /// Revocation is asked for.
    pub ocsp: bool,
    /// How long to wait for the first bytes that tell TLS from plain text.
    pub handshake_detection: Duration,
    /// Stores are read again when they change.
    pub reload: bool,
}

/// The HTTP service for administration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: Listen,
    /// Whether somebody chose that port; if it is taken, a server whose port nobody chose goes on.
    pub port_is_set: bool,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
    /// Where its commands are.
    pub command_url: String,
    /// The shortest time between two snapshots or restores.
    pub rate_limit: Duration,
    /// The command snapshot is allowed.
    pub snapshot: bool,
    /// The command restore is allowed.
    pub restore: bool,
    /// HTTPS needs a certificate of the client.
    pub need_client_auth: bool,
    /// The port speaks HTTP and HTTPS.
    pub port_unification: bool,
    /// The port speaks HTTPS only.
    pub force_https: bool,
}

/// Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Where it listens without TLS.
    pub listen: Option<Listen>,
    /// Whether somebody chose that port; if it is taken, a server whose port nobody chose goes on.
    pub port_is_set: bool,
    /// Where it listens with TLS, and with what keys.
    pub https: Option<(Listen, Tls)>,
}

impl ServerConfig {
    /// Reads the configuration from files.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigError> {
        ServerConfig::load_with(sources, &read_bounded)
    }

    /// Reads the configuration; `read` reads files.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load_with(sources: &Sources<'_>, read: ReadFile<'_>) -> Result<Loaded, ConfigError> {
        build::load(sources, read)
    }

    /// A server on its own on 127.0.0.1:2181 with its data below `data_dir`: what `serve` runs
    /// without a file. Administration and metrics are on 127.0.0.1 too.
    ///
    /// # Errors
    /// What is wrong with `sets` and `jvm_flags`.
    pub fn default_standalone(
        data_dir: &Path,
        sources: &Sources<'_>,
    ) -> Result<Loaded, ConfigError> {
        build::default_standalone(data_dir, sources, &read_bounded)
    }

    /// The configuration text of the members (ZooKeeper.md 2.5).
    #[must_use]
    pub fn quorum_text(&self) -> String {
        self.ensemble.quorum_text()
    }

    /// The member that this server is; `None` for one on its own.
    #[must_use]
    pub fn me(&self) -> Option<(ServerId, &Member)> {
        let members: &BTreeMap<ServerId, Member> = &self.ensemble.members;
        members
            .get_key_value(&self.core.my_id)
            .map(|(id, member)| (*id, member))
    }
}

/// The directory below which a server without a file keeps its data: `zabscope` in XDG_DATA_HOME if
/// that is an absolute path, otherwise in `.local/share` of HOME; `None` if there is neither.
#[must_use]
pub fn user_data_dir(xdg_data_home: Option<&Path>, home: Option<&Path>) -> Option<PathBuf> {
    let absolute = |p: Option<&Path>| p.filter(|p| p.is_absolute()).map(Path::to_owned);
    absolute(xdg_data_home)
        .or_else(|| absolute(home).map(|h| h.join(".local/share")))
        .map(|base| base.join("zabscope"))
}

/// Reads a configuration file; one above a mebibyte is something else.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    const LARGEST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(
            "it is larger than 1 MiB, which no configuration is",
        ));
    }
    Ok(bytes)
}
