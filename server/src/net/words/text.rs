//! The texts, in Apache's format: programs read them.

use crate::{
    clock::Clock,
    config::{Ensemble, Role},
    inspect::{Inspector, node_count},
    metrics::Report,
    node::View,
    stats::{ConnectionStats, ServerStats, op_name},
};
use std::{collections::BTreeMap, fmt::Write as _, io, net::SocketAddr, sync::Arc};
use zabscope_core::{
    id::{ClientId, SessionId, Zxid},
    leader::ProposalSizes,
    peer::Mode,
    time::Moment,
    tree::{Database, watch::WatchTable},
};

// Writing into a string can't fail: what `write!` returns is dropped.

/// `srvr` and `stat`: what the node says.
pub(super) struct Server {
    outstanding: usize,
    zxid: Zxid,
    mode: Mode,
    nodes: usize,
    sizes: Option<ProposalSizes>,
}

impl Server {
    pub(super) fn of(view: &View<'_>) -> Server {
        let peer = view.peer;
        Server {
            outstanding: peer.outstanding(),
            zxid: peer.last_applied(),
            mode: peer.mode(),
            nodes: node_count(peer.database()),
            sizes: peer.leading().and_then(|leader| leader.proposal_sizes()),
        }
    }

    pub(super) fn text(
        &self,
        stats: &ServerStats,
        count: usize,
        connections: Option<&[Arc<ConnectionStats>]>,
    ) -> String {
        let mut text = format!("Zookeeper version: {}\n", crate::VERSION);
        if let Some(connections) = connections {
            text += "Clients:\n";
            for connection in connections {
                text += &brief(connection);
                text += ")\n";
            }
            text += "\n";
        }
        let _ = write!(
            text,
            "Latency min/avg/max: {}/{:?}/{}\nReceived: {}\nSent: {}\nConnections: {count}\n\
             Outstanding: {}\nZxid: {}\nMode: {}\nNode count: {}\n",
            stats.latency.min(),
            stats.latency.mean(),
            stats.latency.max(),
            stats.packets_received(),
            stats.packets_sent(),
            self.outstanding,
            self.zxid,
            self.mode.name(),
            self.nodes,
        );
        if self.mode == Mode::Leader {
            let sizes = match self.sizes {
                Some(s) => format!("{}/{}/{}", s.last, s.min, s.max),
                None => "-1/-1/-1".into(),
            };
            let _ = writeln!(text, "Proposal sizes last/min/max: {sizes}");
        }
        text
    }
}

/// As Java writes a socket's address.
fn java_address(at: &SocketAddr) -> String {
    let at = SocketAddr::new(at.ip().to_canonical(), at.port());
    match at {
        SocketAddr::V4(_) => format!("/{at}"),
        SocketAddr::V6(v6) => {
            let parts = v6.ip().segments().map(|part| format!("{part:x}"));
            format!("/[{}]:{}", parts.join(":"), v6.port())
        }
    }
}

/// A connection up to where the bracket may close.
fn brief(connection: &ConnectionStats) -> String {
    let n = connection.numbers();
    format!(
        " {}[{}](queued={},recved={},sent={}",
        java_address(&connection.from),
        u8::from(!n.word),
        n.outstanding,
        n.received,
        n.sent
    )
}

pub(super) fn cons(connections: &[Arc<ConnectionStats>]) -> String {
    let mut text = String::new();
    for connection in connections {
        let n = connection.numbers();
        text += &brief(connection);
        if n.session.0 != 0 {
            let _ = write!(
                text,
                ",sid={},lop={},est={},to={}",
                n.session,
                op_name(n.last_op),
                connection.since_ms,
                n.timeout_ms
            );
            if n.last_cxid >= 0 {
                let _ = write!(text, ",lcxid=0x{:x}", n.last_cxid);
            }
            let _ = write!(
                text,
                ",lzxid=0x{:x},lresp={},llat={},minlat={},avglat={},maxlat={}",
                n.last_zxid,
                n.last_response_ms,
                n.last_latency_ms,
                connection.latency.min(),
                connection.latency.mean() as u64,
                connection.latency.max()
            );
        }
        text += ")\n";
    }
    text + "\n"
}

pub(super) fn mntr(report: &Report) -> String {
    let mut text = format!(
        "zk_version\t{}\nzk_server_state\t{}\n",
        crate::VERSION,
        report.peer.state
    );
    if let Some(detail) = &report.peer.detail {
        let _ = writeln!(text, "zk_peer_state\t{detail}");
    }
    for (name, value) in report.flat() {
        let _ = writeln!(text, "zk_{name}\t{value}");
    }
    text
}

pub(super) fn envi(environment: &[(&str, String)]) -> String {
    let mut text = String::from("Environment:\n");
    for (name, value) in environment {
        let _ = writeln!(text, "{name}={value}");
    }
    text
}

pub(super) fn dirs((snapshots, logs): (u64, u64)) -> String {
    format!("datadir_size: {snapshots}\nlogdir_size: {logs}\n")
}

pub(super) fn conf(of: &Inspector, members: &Ensemble, (snapshots, logs): (u64, u64)) -> String {
    let config = &of.config;
    let core = &config.core;
    let mut text = format!(
        "clientPort={}\nsecureClientPort={}\ndataDir={}\ndataDirSize={snapshots}\n\
         dataLogDir={}\ndataLogSize={logs}\ntickTime={}\nmaxClientCnxns={}\n\
         minSessionTimeout={}\nmaxSessionTimeout={}\nclientPortListenBacklog={}\nserverId={}\n",
        of.client_port(false),
        of.client_port(true),
        of.snapshot_dir().display(),
        of.log_dir().display(),
        core.tick.0 / 1000,
        config.clients.max_client_cnxns.unwrap_or(0),
        core.min_session_timeout.0 / 1000,
        core.max_session_timeout.0 / 1000,
        backlog(of),
        of.server_id(),
    );
    let me = members.members.get(&core.my_id);
    let me = me.or_else(|| config.me().map(|(_, me)| me));
    let Some(me) = me.filter(|_| !core.standalone) else {
        return text;
    };
    let ports = |port: fn(&crate::config::Address) -> u16| {
        let all: Vec<String> = me.addresses.iter().map(|a| port(a).to_string()).collect();
        all.join("|")
    };
    let _ = write!(
        text,
        "initLimit={}\nsyncLimit={}\nelectionAlg=3\nelectionPort={}\nquorumPort={}\n\
         peerType={}\nmembership: \n{}",
        core.init_limit,
        core.sync_limit,
        ports(|a| a.election_port),
        ports(|a| a.quorum_port),
        u8::from(me.role == Role::Observer),
        members.quorum_text(),
    );
    text
}

/// `clientPortListenBacklog`; -1 leaves it to the system.
pub(crate) fn backlog(of: &Inspector) -> i64 {
    let backlog = of.config.clients.backlog;
    backlog.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX))
}

pub(super) fn hash(digests: &[(Zxid, u64)]) -> String {
    let mut text = String::new();
    for (zxid, digest) in digests {
        // Java's long is signed.
        let _ = writeln!(text, "{:x}: {}", zxid.0, digest.cast_signed());
    }
    text
}

pub(super) fn wchs(watches: &WatchTable) -> String {
    format!(
        "{} connections watching {} paths\nTotal watches:{}\n",
        watches.data_clients(),
        watches.data_paths(),
        watches.data_len()
    )
}

/// The watches of all connections and whose they are.
pub(crate) struct Watches {
    table: WatchTable,
    sessions: BTreeMap<ClientId, SessionId>,
}

impl Watches {
    /// Asked on the node's thread: the table is shared, not copied.
    pub(crate) fn of(view: &View<'_>) -> Watches {
        let clients = view.peer.clients();
        Watches {
            table: clients.watches().clone(),
            sessions: clients
                .connections()
                .map(|(client, connection)| (client, connection.session()))
                .collect(),
        }
    }

    fn session(&self, client: ClientId) -> SessionId {
        self.sessions.get(&client).copied().unwrap_or_default()
    }

    /// Paths of the data table in order, each with who watches it.
    pub(crate) fn paths(&self) -> BTreeMap<&str, Vec<SessionId>> {
        let mut all: BTreeMap<&str, Vec<SessionId>> = BTreeMap::new();
        for watch in self.table.iter().filter(|w| !w.data.is_empty()) {
            let sessions = all.entry(watch.path).or_default();
            sessions.push(self.session(watch.client));
        }
        all
    }

    /// Sessions in order, each with what it watches in the data table.
    pub(crate) fn watchers(&self) -> BTreeMap<SessionId, Vec<&str>> {
        let mut all: BTreeMap<SessionId, Vec<&str>> = BTreeMap::new();
        for watch in self.table.iter().filter(|w| !w.data.is_empty()) {
            let paths = all.entry(self.session(watch.client)).or_default();
            paths.push(watch.path);
        }
        all
    }

    pub(super) fn by_path(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for (path, sessions) in self.paths() {
            writeln!(out, "{path}")?;
            for session in sessions {
                writeln!(out, "\t{session}")?;
            }
        }
        writeln!(out)
    }

    pub(super) fn by_session(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for (session, paths) in self.watchers() {
            writeln!(out, "{session}")?;
            for path in paths {
                writeln!(out, "\t{path}")?;
            }
        }
        writeln!(out)
    }
}

/// Sessions and ephemerals.
pub(crate) struct Dump {
    /// With their deadlines, at a leader or a server on its own; only that keeps them.
    tracked: Option<Vec<(SessionId, Moment)>>,
    db: Database,
    clock: Clock,
}

impl Dump {
    /// Asked on the node's thread: the tree is shared, the sessions' deadlines are copied.
    pub(crate) fn of(view: &View<'_>) -> Dump {
        Dump {
            tracked: view.peer.leading().map(|leader| {
                let all = leader.sessions().iter();
                all.map(|(session, _, at, _)| (session, at)).collect()
            }),
            db: view.peer.database().clone(),
            clock: view.clock,
        }
    }

    /// When sessions expire, ms since 1970; empty at a server that does not lead.
    pub(crate) fn expiries(&self) -> BTreeMap<i64, Vec<SessionId>> {
        let now = self.clock.now();
        let mut all: BTreeMap<i64, Vec<SessionId>> = BTreeMap::new();
        for (session, at) in self.tracked.iter().flatten() {
            // A deadline may have passed a moment ago.
            let (at, now_ms) = (at.0.cast_signed() / 1000, now.at.0.cast_signed() / 1000);
            let sessions = all.entry(now.wall_ms + (at - now_ms)).or_default();
            sessions.push(*session);
        }
        all
    }

    /// The owners of ephemerals in order.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (SessionId, Vec<&str>)> {
        self.db.tree.owners().map(|owner| {
            let paths = self.db.tree.ephemerals(owner).map(|path| &**path);
            (owner, paths.collect())
        })
    }

    pub(super) fn write(
        &self,
        connections: &[Arc<ConnectionStats>],
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        writeln!(out, "SessionTracker dump:")?;
        match &self.tracked {
            Some(tracked) => {
                write!(out, "Session ")?;
                let sets = self.expiries();
                expiries(out, &sets, tracked.len(), |out, session| {
                    writeln!(out, "\t{session}")
                })?;
            }
            None => {
                writeln!(out, "Global Sessions({}):", self.db.sessions.len())?;
                for (session, timeout) in &self.db.sessions {
                    writeln!(out, "{session}\t{timeout}ms")?;
                }
            }
        }
        writeln!(out, "ephemeral nodes dump:")?;
        let owners = self.db.tree.owners().count();
        writeln!(out, "Sessions with Ephemerals ({owners}):")?;
        for (owner, paths) in self.owners() {
            writeln!(out, "{owner}:")?;
            for path in paths {
                writeln!(out, "\t{path}")?;
            }
        }
        write!(out, "Connections dump:\nConnections ")?;
        // Apache closes a silent connection then; here its session expires.
        const BUCKET: i64 = 10_000;
        const WITHOUT_SESSION: i32 = 10_000;
        let mut sets: BTreeMap<i64, Vec<&ConnectionStats>> = BTreeMap::new();
        for connection in connections {
            let n = connection.numbers();
            let timeout = match n.timeout_ms {
                0 => WITHOUT_SESSION,
                ms => ms,
            };
            let at = n.heard_ms.saturating_add(i64::from(timeout)) / BUCKET;
            sets.entry((at + 1) * BUCKET).or_default().push(connection);
        }
        expiries(out, &sets, connections.len(), |out, connection| {
            let from = java_address(&connection.from);
            let session = connection.numbers().session;
            writeln!(out, "\tip: {from} sessionId: {session}")
        })
    }
}

fn expiries<T>(
    out: &mut dyn io::Write,
    sets: &BTreeMap<i64, Vec<T>>,
    count: usize,
    one: impl Fn(&mut dyn io::Write, &T) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "Sets ({})/({count}):", sets.len())?;
    for (at, set) in sets {
        writeln!(out, "{} expire at {}:", set.len(), java_date(*at))?;
        for member in set {
            one(out, member)?;
        }
    }
    Ok(())
}

/// Milliseconds since 1970 as Java writes a date, in UTC: `Sat Nov 21 07:18:50 UTC 2026`.
fn java_date(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The civil calendar from days: years begin in March, so that leap days are at their end.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    format!(
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year}",
        DAYS[days.rem_euclid(7) as usize],
        MONTHS[month as usize],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_as_java_writes_them() {
        for (ms, date) in [
            (0, "Thu Jan 01 00:00:00 UTC 1970"),
            (951_782_400_000, "Tue Feb 29 00:00:00 UTC 2000"),
            (1_795_245_530_000, "Sat Nov 21 07:18:50 UTC 2026"),
            (1_735_689_599_999, "Tue Dec 31 23:59:59 UTC 2024"),
        ] {
            assert_eq!(java_date(ms), date);
        }
    }

    #[test]
    fn addresses_are_as_java_writes_them() {
        let shown = |text: &str| java_address(&text.parse().expect("an address"));
        assert_eq!(shown("127.0.0.1:49988"), "/127.0.0.1:49988");
        assert_eq!(shown("[::ffff:10.1.2.3]:5"), "/10.1.2.3:5");
        assert_eq!(shown("[::1]:5"), "/[0:0:0:0:0:0:0:1]:5");
    }
}
