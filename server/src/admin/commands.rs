//! The commands and what they say.

use crate::{
    config::{self, HostPort, Mode, Role},
    http::Request,
    inspect::{self, Inspector, Job},
    metrics::{Number, phase_name},
    net::words::text::{Dump, Watches, backlog},
    stats::{ConnectionStats, op_name},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::{cell::Cell, fs, io, net::SocketAddr, path::Path, time::UNIX_EPOCH};
use zabscope_core::{
    id::{ServerId, SessionId, Zxid},
    leader::ProposalSizes,
    peer::Peer,
};

/// What a command says.
pub(super) enum Said {
    /// Members beside `command` and `error`.
    Members(Map<String, Value>),
    /// A whole object, perhaps a large one.
    Long(Job),
}

macro_rules! commands {
    ($($command:ident = $($name:literal)+,)*) => {
        /// The commands that exist.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Command {
            $($command,)*
        }

        impl Command {
            pub(super) const ALL: &[Command] = &[$(Command::$command,)*];

            /// What it is called; the first is its name.
            const fn names(self) -> &'static [&'static str] {
                match self {
                    $(Command::$command => &[$($name),+],)*
                }
            }
        }
    };
}

commands! {
    ConnectionStatReset = "connection_stat_reset" "crst",
    Configuration = "configuration" "conf" "config",
    Connections = "connections" "cons",
    Dirs = "dirs",
    Dump = "dump",
    Environment = "environment" "env" "envi",
    GetTraceMask = "get_trace_mask" "gtmk",
    Hash = "hash",
    InitialConfiguration = "initial_configuration" "icfg",
    IsReadOnly = "is_read_only" "isro",
    LastSnapshot = "last_snapshot" "lsnp",
    Leader = "leader" "lead",
    Monitor = "monitor" "mntr",
    ObserverConnectionStatReset = "observer_connection_stat_reset" "orst",
    Observers = "observers" "obsr",
    Restore = "restore" "rest",
    Ruok = "ruok",
    ServerStats = "server_stats" "srvr",
    SetTraceMask = "set_trace_mask" "stmk",
    Snapshot = "snapshot" "snap",
    StatReset = "stat_reset" "srst",
    Stats = "stats" "stat",
    SystemProperties = "system_properties" "sysp",
    VotingView = "voting_view",
    WatchSummary = "watch_summary" "wchs",
    Watches = "watches" "wchc",
    WatchesByPath = "watches_by_path" "wchp",
    Zabstate = "zabstate",
}

impl Command {
    pub(super) fn called(name: &str) -> Option<Command> {
        let mut all = Command::ALL.iter().copied();
        all.find(|command| command.names().contains(&name))
    }

    pub(super) fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// Whether it is answered only while the server serves.
    pub(super) fn needs_server(self) -> bool {
        !matches!(
            self,
            Command::Environment
                | Command::GetTraceMask
                | Command::SetTraceMask
                | Command::Monitor
                | Command::SystemProperties
                | Command::Zabstate
        )
    }

    /// Whether whoever asks needs all permissions on `/`.
    pub(super) fn needs_rights(self) -> bool {
        matches!(self, Command::Snapshot | Command::Restore)
    }

    /// What it says; `None` when the node does not answer.
    pub(super) async fn run(
        self,
        of: &Inspector,
        request: &Request,
        initial_config: &str,
    ) -> Option<Said> {
        let members = match self {
            Command::ConnectionStatReset => {
                of.reset_connections();
                json!({})
            }
            Command::StatReset => {
                of.reset();
                json!({})
            }
            // Connections of observers are not counted.
            Command::ObserverConnectionStatReset | Command::Ruok => json!({}),
            // Both have their own way.
            Command::Snapshot | Command::Restore => json!({}),
            Command::Configuration => configuration(of),
            Command::Connections => json!({
                "connections": connections(of, false, false),
                "secure_connections": connections(of, true, false),
            }),
            Command::Dirs => {
                let (snapshots, logs) = of.directory_sizes().await;
                json!({ "datadir_size": snapshots, "logdir_size": logs })
            }
            Command::Environment => environment(|_| true).await,
            Command::SystemProperties => {
                environment(|name| !name.starts_with("zookeeper.") && name != "host.name").await
            }
            Command::GetTraceMask => json!({ "tracemask": of.trace_mask() }),
            Command::SetTraceMask => set_trace_mask(of, request),
            Command::Hash => {
                let digest = |(zxid, digest): &(Zxid, u64)| {
                    json!({
                        "zxid": zxid.0,
                        "digest": digest.cast_signed(),
                        "digest_version": 2,
                    })
                };
                let all: Vec<Value> = of.metrics.digests().iter().map(digest).collect();
                json!({ "digests": all })
            }
            Command::InitialConfiguration => json!({ "initial_configuration": initial_config }),
            Command::IsReadOnly => json!({ "read_only": false }),
            Command::LastSnapshot => {
                let directory = of.snapshot_dir();
                let last = tokio::task::spawn_blocking(move || last_snapshot(&directory)).await;
                let (zxid, timestamp) = last.ok().flatten().unwrap_or((-1, -1));
                json!({ "zxid": format!("{zxid:x}"), "timestamp": timestamp })
            }
            Command::Leader => leader(of).await?,
            Command::Monitor => monitor(of).await?,
            Command::Observers => {
                let observers = of.ask(|view| observers(view.peer)).await?;
                json!({ "synced_observers": observers.0, "observers": observers.1 })
            }
            Command::ServerStats => server_stats(of).await?,
            Command::Stats => {
                let mut all = server_stats(of).await?;
                all["connections"] = connections(of, false, true);
                all["secure_connections"] = connections(of, true, true);
                all
            }
            Command::VotingView => voting_view(of),
            Command::Zabstate => zabstate(of).await?,
            Command::WatchSummary => {
                of.ask(|view| {
                    let watches = view.peer.clients().watches();
                    json!({
                        "num_connections": watches.data_clients(),
                        "num_paths": watches.data_paths(),
                        "num_total_watches": watches.data_len(),
                    })
                })
                .await?
            }
            Command::Watches => {
                let watches = of.ask(Watches::of).await?;
                return Some(self.long(move |all| {
                    let pairs = watches.watchers().into_iter();
                    let pairs = pairs.map(|(session, paths)| (session.0, paths));
                    all.member("session_id_to_watched_paths", &Pairs::of(pairs))
                }));
            }
            Command::WatchesByPath => {
                let watches = of.ask(Watches::of).await?;
                return Some(self.long(move |all| {
                    let pairs = watches.paths().into_iter();
                    let pairs = pairs.map(|(path, sessions)| (path, numbers(&sessions)));
                    all.member("path_to_session_ids", &Pairs::of(pairs))
                }));
            }
            Command::Dump => {
                let dump = of.ask(Dump::of).await?;
                return Some(self.long(move |all| {
                    let sets = dump.expiries().into_iter();
                    let sets = sets.map(|(at, sessions)| (at, numbers(&sessions)));
                    all.member("expiry_time_to_session_ids", &Pairs::of(sets))?;
                    let owners = dump.owners().map(|(owner, paths)| (owner.0, paths));
                    all.member("session_id_to_ephemeral_paths", &Pairs::of(owners))
                }));
            }
        };
        match members {
            Value::Object(members) => Some(Said::Members(members)),
            _ => None,
        }
    }

    /// An answer that is written as it is made.
    fn long<F>(self, members: F) -> Said
    where
        F: FnOnce(&mut Long<'_>) -> io::Result<()> + Send + 'static,
    {
        let name = self.name();
        Said::Long(Box::new(move |out| {
            write!(out, "{{\n\"command\": \"{name}\",\n\"error\": null")?;
            members(&mut Long(out))?;
            out.write_all(b"\n}\n")
        }))
    }
}

/// An object that is being written.
struct Long<'a>(&'a mut dyn io::Write);

impl Long<'_> {
    /// One more member; `name` needs no escapes.
    fn member(&mut self, name: &'static str, value: &impl Serialize) -> io::Result<()> {
        write!(self.0, ",\n\"{name}\": ")?;
        Ok(serde_json::to_writer_pretty(&mut *self.0, value)?)
    }
}

/// Writes pairs as an object, each as it comes.
struct Pairs<I>(Cell<Option<I>>);

impl<I> Pairs<I> {
    fn of(pairs: I) -> Pairs<I> {
        Pairs(Cell::new(Some(pairs)))
    }
}

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>> Serialize for Pairs<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.take().into_iter().flatten())
    }
}

fn numbers(sessions: &[SessionId]) -> Vec<i64> {
    sessions.iter().map(|session| session.0).collect()
}

fn number(n: Number) -> Value {
    match n {
        Number::Int(n) => n.into(),
        Number::Real(x) => x.into(),
    }
}

fn configuration(of: &Inspector) -> Value {
    let core = &of.config.core;
    json!({
        "client_port": of.client_port(false),
        "data_dir": of.snapshot_dir(),
        "data_log_dir": of.log_dir(),
        "tick_time": core.tick.0 / 1000,
        "max_client_cnxns": of.config.clients.max_client_cnxns.unwrap_or(0),
        "min_session_timeout": core.min_session_timeout.0 / 1000,
        "max_session_timeout": core.max_session_timeout.0 / 1000,
        "server_id": of.server_id(),
        "client_port_listen_backlog": backlog(of),
    })
}

fn address(at: SocketAddr) -> String {
    SocketAddr::new(at.ip().to_canonical(), at.port()).to_string()
}

fn connections(of: &Inspector, secure: bool, brief: bool) -> Value {
    let all = of.roster.all();
    let chosen = all.iter().filter(|c| c.is_secure() == secure);
    chosen.map(|c| connection(c, brief)).collect()
}

fn connection(connection: &ConnectionStats, brief: bool) -> Value {
    let n = connection.numbers();
    let mut all = json!({
        "remote_socket_address": address(connection.from),
        "interest_ops": u8::from(!n.word),
        "outstanding_requests": n.outstanding,
        "packets_received": n.received,
        "packets_sent": n.sent,
    });
    if !brief {
        all["session_id"] = n.session.0.into();
        all["last_operation"] = op_name(n.last_op).into();
        all["established"] = connection.since_ms.into();
        all["session_timeout"] = n.timeout_ms.into();
        all["last_cxid"] = n.last_cxid.into();
        all["last_zxid"] = n.last_zxid.into();
        all["last_response_time"] = n.last_response_ms.into();
        all["last_latency"] = n.last_latency_ms.into();
        all["min_latency"] = connection.latency.min().into();
        all["avg_latency"] = (connection.latency.mean() as u64).into();
        all["max_latency"] = connection.latency.max().into();
    }
    all
}

async fn environment(wanted: fn(&str) -> bool) -> Value {
    let all = tokio::task::spawn_blocking(inspect::environment).await;
    let all = all.unwrap_or_default().into_iter();
    let all = all.filter(|(name, _)| wanted(name));
    Value::Object(
        all.map(|(name, value)| (name.into(), value.into()))
            .collect(),
    )
}

fn set_trace_mask(of: &Inspector, request: &Request) -> Value {
    let Some(text) = request.query("traceMask") else {
        return json!({ "error": "setTraceMask requires long traceMask argument" });
    };
    match text.parse() {
        Ok(mask) => {
            of.set_trace_mask(mask);
            json!({ "tracemask": mask })
        }
        Err(_) => json!({
            "error": format!("setTraceMask requires long traceMask argument, got {text}"),
        }),
    }
}

/// The zxid in the name of the newest snapshot, and when it was written, in ms since 1970.
fn last_snapshot(directory: &Path) -> Option<(i64, i64)> {
    let entries = fs::read_dir(directory).ok()?.filter_map(Result::ok);
    let named = entries.filter_map(|entry| {
        let name = entry.file_name();
        let name = name.to_str()?.strip_prefix("snapshot.")?;
        // A compressed one has its method behind the zxid.
        let zxid = name.split('.').next()?;
        Some((i64::from_str_radix(zxid, 16).ok()?, entry.path()))
    });
    let (zxid, path) = named.max()?;
    let written = fs::metadata(path).ok()?.modified().ok()?;
    let since = written.duration_since(UNIX_EPOCH).ok()?;
    Some((zxid, i64::try_from(since.as_millis()).ok()?))
}

async fn leader(of: &Inspector) -> Option<Value> {
    if of.config.mode == Mode::Standalone {
        return Some(json!({ "error": "server is not initialized" }));
    }
    let (me, leader) = of.ask(|view| (view.peer.id(), view.peer.leader())).await?;
    let member = leader.and_then(|id| of.config.ensemble.members.get(&id));
    let host = member
        .and_then(|m| m.addresses.first())
        .map(|a| a.host.as_str());
    Some(json!({
        "is_leader": leader == Some(me),
        "leader_id": leader.map_or(-1, |id| id.0),
        "leader_ip": host.unwrap_or_default(),
    }))
}

async fn monitor(of: &Inspector) -> Option<Value> {
    let report = of.report().await?;
    let mut all = Map::new();
    all.insert("version".into(), crate::VERSION.into());
    all.insert("server_state".into(), report.peer.state.into());
    if let Some(detail) = &report.peer.detail {
        all.insert("peer_state".into(), detail.as_str().into());
    }
    all.extend(report.flat().into_iter().map(|(name, n)| (name, number(n))));
    Some(Value::Object(all))
}

/// How many observers are in time, and what is known of each.
fn observers(peer: &Peer) -> (usize, Vec<Value>) {
    let Some(leader) = peer.leading() else {
        return (0, Vec::new());
    };
    let all = leader.learners().filter(|(_, link)| link.is_observer());
    let each = all
        .map(|(_, link)| json!({ "sid": link.id().0, "last_zxid": link.last_zxid().to_string() }));
    (leader.synced().1, each.collect())
}

/// What only the node knows of `server_stats`.
struct Node {
    outstanding: usize,
    zxid: Zxid,
    state: &'static str,
    nodes: usize,
    leads: bool,
    sizes: Option<ProposalSizes>,
    uptime_ms: u128,
}

async fn server_stats(of: &Inspector) -> Option<Value> {
    let look = of.ask(|view| {
        let peer = view.peer;
        let leading = peer.leading().filter(|leader| !leader.is_alone());
        Node {
            outstanding: peer.outstanding(),
            zxid: peer.last_applied(),
            state: peer.mode().name(),
            nodes: inspect::node_count(peer.database()),
            leads: leading.is_some(),
            sizes: leading.and_then(|leader| leader.proposal_sizes()),
            uptime_ms: view.clock.uptime().as_millis(),
        }
    });
    let node = look.await?;
    let (snapshots, logs) = of.directory_sizes().await;
    let stats = &of.stats;
    let responses = stats.response_sizes();
    let sizes = |last: i64, min: i64, max: i64| json!({ "last_buffer_size": last, "min_buffer_size": min, "max_buffer_size": max });
    let client_response = sizes(responses.last, responses.min, responses.max);
    let mut all = json!({
        "version": crate::VERSION,
        "read_only": false,
        "server_stats": {
            "packets_sent": stats.packets_sent(),
            "packets_received": stats.packets_received(),
            "client_response_stats": client_response,
            "provider_null": false,
            "uptime": number(node.uptime_ms.into()),
            "server_state": node.state,
            "outstanding_requests": node.outstanding,
            "min_latency": stats.latency.min(),
            "avg_latency": stats.latency.mean(),
            "max_latency": stats.latency.max(),
            "data_dir_size": snapshots,
            "log_dir_size": logs,
            "last_processed_zxid": node.zxid.0,
            "num_alive_client_connections": of.roster.len(),
        },
        "client_response": client_response,
        "node_count": node.nodes,
    });
    if node.leads {
        let size = |size: fn(ProposalSizes) -> usize| {
            let size = node.sizes.map(size);
            size.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX))
        };
        all["proposal_stats"] = sizes(size(|s| s.last), size(|s| s.min), size(|s| s.max));
    }
    Some(all)
}

fn host_port(host: &str, port: u16) -> String {
    let host = host.to_owned();
    HostPort { host, port }.to_string()
}

fn voting_view(of: &Inspector) -> Value {
    let members = of.config.ensemble.members.iter();
    let voters = members
        .filter(|(_, member)| of.config.mode == Mode::Quorum && member.role == Role::Participant);
    let view = voters.map(|(id, member)| {
        let addresses = |port: fn(&config::Address) -> u16| {
            let all = member.addresses.iter();
            Value::from_iter(all.map(|a| host_port(&a.host, port(a))))
        };
        let client = member.client.as_ref().map(ToString::to_string);
        let view = json!({
            "server_addresses": addresses(|a| a.quorum_port),
            "election_addresses": addresses(|a| a.election_port),
            "client_address": client.unwrap_or_default(),
            "learner_type": "participant",
        });
        (id.0.to_string(), view)
    });
    json!({ "current_config": Map::from_iter(view) })
}

/// Addresses as Jackson writes Apache's class for them; which of them can be reached is not tried.
fn addresses(member: &config::Member, port: fn(&config::Address) -> u16) -> Value {
    let all = || member.addresses.iter();
    let full = |a: &config::Address| host_port(&a.host, port(a));
    json!({
        "empty": member.addresses.is_empty(),
        "one": all().next().map(full),
        "all_addresses": Value::from_iter(all().map(full)),
        "all_host_strings": Value::from_iter(all().map(|a| a.host.as_str())),
        "all_ports": Value::from_iter(all().map(port)),
        "wildcard_addresses": Value::from_iter(all().map(|a| host_port("0.0.0.0", port(a)))),
    })
}

async fn zabstate(of: &Inspector) -> Option<Value> {
    let look = of.ask(|view| {
        let peer = view.peer;
        (peer.id(), peer.leader(), peer.last_applied(), peer.phase())
    });
    let (me, leader, zxid, phase) = look.await?;
    let Some((_, member)) = of.config.me().filter(|_| of.config.mode == Mode::Quorum) else {
        return Some(json!({ "voting": false, "zabstate": "" }));
    };
    let own = |id: Option<ServerId>| id == Some(me);
    Some(json!({
        "myid": of.server_id(),
        "is_leader": own(leader),
        "quorum_address": addresses(member, |a| a.quorum_port),
        "election_address": addresses(member, |a| a.election_port),
        "client_address": of.client_addresses.0.map(address),
        "voting": member.role == Role::Participant,
        "last_zxid": zxid.to_string(),
        "zab_epoch": zxid.epoch().0,
        "zab_counter": zxid.counter(),
        "zabstate": phase_name(phase),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_snapshot_is_the_last() {
        let directory = std::env::temp_dir().join(format!("zabscope-lsnp-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for name in [
            "snapshot.9",
            "snapshot.1d",
            "snapshot.a.gz",
            "log.ff",
            "snapshot.",
            "x",
        ] {
            fs::write(directory.join(name), b"").expect("a file");
        }
        let last = last_snapshot(&directory);
        fs::remove_dir_all(&directory).expect("it is ours");
        assert_eq!(last.map(|(zxid, _)| zxid), Some(0x1d));
        assert!(last.is_some_and(|(_, at)| at > 1_600_000_000_000));
        assert_eq!(last_snapshot(&directory), None);
    }

    #[test]
    fn no_two_commands_have_one_name() {
        let mut names: Vec<&str> = Command::ALL
            .iter()
            .flat_map(|c| c.names())
            .copied()
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
