//! From settings to a configuration: what depends on more than one key.

mod parts;

pub use parts::SUITES;

use super::{
    Auth, Compatibility, ConfigError, Ensemble, Listen, Loaded, Mode, Origin, Problem, Provider,
    ReadFile, Role, ServerConfig, Sources, Tls, properties, settings::Settings,
};
use crate::clock::millis;
use std::{
    io,
    path::{Path, PathBuf},
};
use zabscope_core::{
    config::{Config, DigestAlgorithm, Release, Rights},
    id::{ServerId, Zxid},
    members::{Lines, server_id, shown},
    quorum::{Quorum, QuorumRule},
    time::Span,
};

pub(super) fn load(sources: &Sources<'_>, read: ReadFile<'_>) -> Result<Loaded, ConfigError> {
    let mut s = Settings::default();
    if let Some(flags) = sources.jvm_flags {
        s.add_jvm_flags(flags);
    }
    if let Some(path) = sources.file {
        match read(path) {
            Ok(bytes) => s.add_file(path, &bytes),
            Err(e) => {
                let todo = "check the path and its rights";
                s.error(Origin::File(path.to_owned()), "", unreadable(&e), todo);
                return Err(ConfigError { problems: s.errors });
            }
        }
    }
    finish(s, sources, read)
}

pub(super) fn default_standalone(
    data_dir: &Path,
    sources: &Sources<'_>,
    read: ReadFile<'_>,
) -> Result<Loaded, ConfigError> {
    let mut s = Settings::default();
    match data_dir.to_str() {
        Some(dir) => s.add_default("dataDir", dir),
        None => {
            let todo = "name another with --set dataDir=…";
            let what = format!("{} is not UTF-8", data_dir.display());
            s.error(Origin::Nowhere, "dataDir", what, todo);
        }
    }
    s.add_default("clientPort", "2181");
    s.add_default("clientPortAddress", "127.0.0.1");
    s.add_default(
        "metricsProvider.className",
        "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
    );
    if let Some(flags) = sources.jvm_flags {
        s.add_jvm_flags(flags);
    }
    finish(s, sources, read)
}

fn finish(
    mut s: Settings,
    sources: &Sources<'_>,
    read: ReadFile<'_>,
) -> Result<Loaded, ConfigError> {
    for set in sources.sets {
        s.add_set(set);
    }
    s.check();
    let config = assemble(&mut s, sources.file, read);
    if s.errors.is_empty() {
        Ok(Loaded {
            config,
            warnings: s.warnings,
        })
    } else {
        Err(ConfigError { problems: s.errors })
    }
}

/// The configuration; if errors were found it is to be thrown away.
fn assemble(s: &mut Settings, file: Option<&Path>, read: ReadFile<'_>) -> ServerConfig {
    let dynamic_file = s.text("dynamicConfigFile").map(PathBuf::from);
    let ensemble = members(s, dynamic_file.as_deref(), read);
    let voters = ensemble.with_role(Role::Participant).len();
    let mode = if voters > 1 || (voters == 1 && !s.flag("standaloneEnabled")) {
        Mode::Quorum
    } else {
        Mode::Standalone
    };
    check_members(s, &ensemble, mode);
    let storage = parts::storage(s);
    let my_id = my_id(s, mode, &ensemble, &storage.data_dir, read);
    let mut core = core(s, mode, &ensemble, my_id);
    let mut clients = parts::clients(s);
    client_port(s, &mut clients.listen, &ensemble, mode, my_id);
    if clients.listen.is_none() && clients.secure.is_none() {
        let todo = "set clientPort=2181";
        s.error(
            Origin::Nowhere,
            "clientPort",
            "no port for clients is set",
            todo,
        );
    }
    let last_seen = match (&dynamic_file, file) {
        (Some(_), Some(file)) => next(s, file, read),
        _ => None,
    };
    let compatibility = match s.text("zabscope.compatibility").as_deref() {
        Some("3.8") => Compatibility::V38,
        _ => Compatibility::V39,
    };
    let (service, auth) = (parts::service(s), parts::auth(s));
    core.release = match compatibility {
        Compatibility::V38 => Release::V38,
        Compatibility::V39 => Release::V39,
    };
    let speaks_tls = clients.secure.is_some() || clients.port_unification;
    core.rights = rights(s, &auth, speaks_tls);
    core.enforce_quota = service.enforce_quota;
    core.reconfig_enabled = service.reconfig;
    core.standalone_enabled = s.flag("standaloneEnabled");
    core.local_sessions = service.local_sessions;
    core.local_sessions_upgrading = service.local_sessions_upgrading;
    core.read_only_mode = service.read_only_mode;
    core.digest = service.digest;
    core.close_session_txn = service.close_session_txn;
    core.container_max_per_minute = service.container_max_per_minute;
    core.container_max_never_used = service
        .container_max_never_used
        .map(|t| Span::millis(millis(t)));
    core.members_text = (mode == Mode::Quorum).then(|| ensemble.quorum_text().into());
    ServerConfig {
        file: file.map(Path::to_owned),
        core,
        mode,
        ensemble,
        last_seen,
        dynamic_file,
        storage,
        clients,
        service,
        auth,
        peers: parts::peers(s),
        tls: tls_of_clients(s),
        quorum_tls: parts::tls(s, "ssl.quorum.", "sslQuorumReloadCertFiles"),
        admin: parts::admin(s),
        metrics: parts::metrics(s),
        compatibility,
    }
}

/// `ssl.` alone.
pub(super) fn tls_of_clients(s: &mut Settings) -> Tls {
    parts::tls(s, "ssl.", "client.certReload")
}

fn unreadable(e: &io::Error) -> String {
    format!("can't be read: {e}")
}

/// The members, from the dynamic file or from zoo.cfg itself.
fn members(s: &mut Settings, dynamic: Option<&Path>, read: ReadFile<'_>) -> Ensemble {
    let stems = ["server.", "group.", "weight."];
    let lines: Vec<_> = stems.into_iter().flat_map(|stem| s.family(stem)).collect();
    let mut of_file = Vec::new();
    let Some(path) = dynamic else {
        for (name, given) in lines {
            of_file.push((name, given.text, given.origin));
        }
        return collect(s, of_file, Zxid::ZERO);
    };
    for (name, given) in lines {
        let what = "must stand in the dynamic file, as dynamicConfigFile is set";
        s.error(
            given.origin,
            &name,
            what,
            format!("move it to {}", path.display()),
        );
    }
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(e) => {
            let origin = s.origin("dynamicConfigFile");
            let what = format!("{}: {}", path.display(), unreadable(&e));
            s.error(
                origin,
                "dynamicConfigFile",
                what,
                "name the file with the members",
            );
            return Ensemble::empty();
        }
    };
    let (entries, bad) = properties::parse(&bytes);
    for line in bad {
        let origin = Origin::Line(path.to_owned(), line.line);
        s.error(
            origin,
            "",
            "a broken escape \\u",
            "write four hexadecimal digits",
        );
    }
    for e in entries {
        let origin = Origin::Line(path.to_owned(), e.line);
        if e.key == "version" {
            let todo = "remove it: the version is the end of the file's name";
            s.error(origin, "version", "has no place in a dynamic file", todo);
        } else {
            of_file.push((e.key, e.value, origin));
        }
    }
    collect(s, of_file, version_of(path))
}

/// The version at the end of a dynamic file's name; 0 without one.
fn version_of(path: &Path) -> Zxid {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let hex = name
        .as_deref()
        .and_then(|n| n.rsplit_once('.'))
        .map(|p| p.1);
    let version = hex.and_then(|h| i64::from_str_radix(h, 16).ok());
    version.map_or(Zxid::ZERO, Zxid)
}

fn collect(s: &mut Settings, list: Vec<(String, String, Origin)>, version: Zxid) -> Ensemble {
    let mut lines = Lines::default();
    lines.ensemble.version = version;
    let mut all_good = true;
    for (name, text, origin) in list {
        if let Err(e) = lines.add(&name, &text) {
            all_good = false;
            s.error(origin, &name, e.to_string(), "");
        }
    }
    match lines.finish() {
        Ok(ensemble) => ensemble,
        Err(e) => {
            // Without its line a voter may only seem to lack a group.
            if all_good {
                s.error(
                    Origin::Nowhere,
                    "group.",
                    e.to_string(),
                    "name every voter in one group",
                );
            }
            Ensemble::empty()
        }
    }
}

/// The pending members beside the file. Apache too goes on without them if they can't be read.
fn next(s: &mut Settings, file: &Path, read: ReadFile<'_>) -> Option<Ensemble> {
    let mut name = file.as_os_str().to_owned();
    name.push(".dynamic.next");
    let path = PathBuf::from(name);
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(e) => {
            s.warn(
                Origin::File(path),
                "",
                format!("ignored, {}", unreadable(&e)),
                "",
            );
            return None;
        }
    };
    match Ensemble::parse_text(&String::from_utf8_lossy(&bytes)) {
        Ok(ensemble) => Some(ensemble),
        Err(e) => {
            s.warn(Origin::File(path), "", format!("ignored: {e}"), "");
            None
        }
    }
}

fn check_members(s: &mut Settings, ensemble: &Ensemble, mode: Mode) {
    let voters = ensemble.with_role(Role::Participant).len();
    let observers = ensemble.with_role(Role::Observer).len();
    let at = Origin::Nowhere;
    if observers > 0 && mode == Mode::Standalone {
        let what = "observers need voters to observe";
        let todo = "add voters, or set standaloneEnabled=false beside a single one";
        s.error(at.clone(), "server.", what, todo);
    } else if voters == 0 && !s.flag("standaloneEnabled") && s.errors.is_empty() {
        let what = "is false, and no server. line names a voter";
        let todo = "add server. lines, or remove it";
        s.error(
            s.origin("standaloneEnabled"),
            "standaloneEnabled",
            what,
            todo,
        );
    } else if voters == 1 && mode == Mode::Standalone {
        let what = "only one server is named: it runs on its own";
        s.warn(
            at.clone(),
            "server.",
            what,
            "set standaloneEnabled=false to let others join",
        );
    } else if mode == Mode::Quorum && voters == 2 {
        let what = "with two voters no failure is tolerated";
        s.warn(at.clone(), "server.", what, "name three");
    } else if mode == Mode::Quorum && voters.is_multiple_of(2) {
        let what = format!(
            "{voters} voters tolerate no more failures than {}",
            voters - 1
        );
        s.warn(at.clone(), "server.", what, "name an odd number of voters");
    }
    if !s.flag("multiAddress.enabled") {
        for (id, member) in &ensemble.members {
            if member.addresses.len() > 1 {
                let name = format!("server.{}", id.0);
                let todo = "set multiAddress.enabled=true";
                s.error(s.origin(&name), &name, "has several addresses", todo);
            }
        }
    }
    if s.flag("extendedTypesEnabled") && ensemble.members.contains_key(&ServerId(255)) {
        let what = "an id above 254 can't be told from a time to live";
        s.error(at.clone(), "server.255", what, "take a smaller id");
    }
    if mode == Mode::Quorum {
        for name in ["initLimit", "syncLimit"] {
            if !s.is_set(name) {
                let usual = if name == "initLimit" { 10 } else { 5 };
                let todo = format!("set {name}={usual}");
                s.error(
                    at.clone(),
                    name,
                    "is not set, and an ensemble needs it",
                    todo,
                );
            }
        }
    }
}

/// Who this server is: the number in dataDir/myid.
fn my_id(
    s: &mut Settings,
    mode: Mode,
    ensemble: &Ensemble,
    data_dir: &Path,
    read: ReadFile<'_>,
) -> ServerId {
    // A server on its own is number 1 in session ids, whatever myid says.
    if mode == Mode::Standalone || data_dir.as_os_str().is_empty() {
        return ServerId(1);
    }
    let path = data_dir.join("myid");
    let todo = "write this server's number into it, the N of its server.N line";
    let problem = match read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => "is missing".to_owned(),
        Err(e) => unreadable(&e),
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let first = text.lines().next().unwrap_or_default().trim();
            match server_id(first) {
                Ok(id) if ensemble.members.contains_key(&id) => {
                    check_role(s, ensemble, id);
                    return id;
                }
                Ok(id) => format!("says {}, but there is no server.{} line", id.0, id.0),
                Err(_) if first.is_empty() => "is empty".to_owned(),
                Err(e) => e.to_string(),
            }
        }
    };
    s.error(Origin::File(path), "", problem, todo);
    ServerId(1)
}

fn check_role(s: &mut Settings, ensemble: &Ensemble, id: ServerId) {
    let observes = ensemble
        .members
        .get(&id)
        .is_some_and(|m| m.role == Role::Observer);
    let says = s.text("peerType").as_deref() == Some("observer");
    if says != observes {
        let what = format!(
            "does not agree with the line server.{}, which decides: this server is {}",
            id.0,
            if observes {
                "an observer"
            } else {
                "a participant"
            }
        );
        s.warn(
            s.origin("peerType"),
            "peerType",
            what,
            "let both say the same",
        );
    }
}

/// The plain port for clients: the member's own line goes before clientPort.
fn client_port(
    s: &mut Settings,
    listen: &mut Option<Listen>,
    ensemble: &Ensemble,
    mode: Mode,
    my_id: ServerId,
) {
    let me = match mode {
        Mode::Quorum => ensemble.members.get_key_value(&my_id),
        Mode::Standalone => ensemble.members.first_key_value(),
    };
    let Some((id, Some(line))) = me.map(|(id, m)| (id, m.client.clone())) else {
        return;
    };
    let any = |host: &str| matches!(host, "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0");
    let of_line = Listen {
        host: Some(line.host.clone()).filter(|h| !any(h)),
        port: line.port,
    };
    if let Some(fixed) = listen
        && (fixed.port != line.port || (fixed.host.is_some() && fixed.host != of_line.host))
    {
        let what = format!("{fixed} is not what server.{} says: {line}", id.0);
        let todo = "remove clientPort and clientPortAddress, or let both say the same";
        s.error(s.origin("clientPort"), "clientPort", what, todo);
    }
    *listen = Some(of_line);
}

fn span(s: &Settings, name: &str) -> Span {
    Span::millis(s.count(name))
}

/// What the protocol depends on.
fn core(s: &mut Settings, mode: Mode, ensemble: &Ensemble, my_id: ServerId) -> Config {
    let tick = span(s, "tickTime");
    let mut core = match mode {
        Mode::Standalone => {
            let mut alone = Config::standalone(tick);
            alone.my_id = my_id;
            alone.membership.quorum = Quorum::new([my_id].into(), QuorumRule::Majority);
            alone
        }
        Mode::Quorum => Config::new(my_id, ensemble.membership(), tick),
    };
    if let Some(n) = s.positive("initLimit") {
        core.init_limit = n;
    }
    if let Some(n) = s.positive("syncLimit") {
        core.sync_limit = n;
    }
    if let Some(n) = s.positive("minSessionTimeout") {
        core.min_session_timeout = Span::millis(n);
    }
    if let Some(n) = s.positive("maxSessionTimeout") {
        core.max_session_timeout = Span::millis(n);
    }
    if core.min_session_timeout > core.max_session_timeout {
        let what = format!(
            "{} ms is more than maxSessionTimeout, {} ms",
            core.min_session_timeout.as_millis(),
            core.max_session_timeout.as_millis()
        );
        let name = if s.is_set("minSessionTimeout") {
            "minSessionTimeout"
        } else {
            "maxSessionTimeout"
        };
        s.error(s.origin(name), name, what, "let it be at most that");
    }
    core.leader_serves = s.flag("leaderServes");
    core.commit_log_count = usize::try_from(s.count("commitLogCount")).unwrap_or(usize::MAX);
    if core.commit_log_count < 500 {
        let what = "less than 500 is taken as 500, as Apache does";
        s.warn(s.origin("commitLogCount"), "commitLogCount", what, "");
        core.commit_log_count = 500;
    }
    let factor = s.real("snapshotSizeFactor");
    // At most 1000 by the table, so that the percentage fits.
    core.snapshot_size_percent = (factor >= 0.0).then_some((factor * 100.0).round() as u32);
    core.snap_count = s.count("snapCount");
    core.snap_size_limit = s
        .positive("snapSizeLimitInKb")
        .filter(|kib| *kib > 0)
        .map(|kib| kib.saturating_mul(1024));
    core.joining = parts::joining(s);
    core.min_notification_interval = span(s, "fastleader.minNotificationInterval");
    core.max_notification_interval = span(s, "fastleader.maxNotificationInterval");
    if core.min_notification_interval > core.max_notification_interval {
        let name = "fastleader.minNotificationInterval";
        let what = "is more than fastleader.maxNotificationInterval";
        s.error(s.origin(name), name, what, "let it be at most that");
    }
    core.extended_types = s.flag("extendedTypesEnabled");
    core.emulate_353_ttl = s.flag("emulate353TTLNodes");
    if core.emulate_353_ttl && !core.extended_types {
        let name = "emulate353TTLNodes";
        let what = "has no effect without extendedTypesEnabled=true";
        s.warn(s.origin(name), name, what, "set both, or neither");
    }
    core.container_check_interval = span(s, "znode.container.checkIntervalMs");
    core.global_outstanding_limit =
        usize::try_from(s.count("globalOutstandingLimit")).unwrap_or(usize::MAX);
    core.max_buffer = usize::try_from(s.count("jute.maxbuffer")).unwrap_or(usize::MAX);
    core.max_buffer_extra = s
        .positive("jute.maxbuffer.extrasize")
        .map(|extra| usize::try_from(extra).unwrap_or(usize::MAX));
    core
}

/// Who clients may be. A port with TLS brings the scheme x509 with it, as in Apache.
fn rights(s: &Settings, auth: &Auth, tls: bool) -> Rights {
    let algorithm = match auth.digest_algorithm.as_str() {
        "SHA-256" => DigestAlgorithm::Sha256,
        "SHA-512" => DigestAlgorithm::Sha512,
        _ => DigestAlgorithm::Sha1,
    };
    Rights {
        skip_acl: auth.skip_acl,
        digest: auth.digest_enabled.then_some(algorithm),
        super_digest: auth.super_digest.clone(),
        x509: tls || auth.providers.contains(&Provider::X509),
        sasl: auth.providers.contains(&Provider::Sasl),
        any_sasl: s.text("letAnySaslUserDoX"),
        sasl_super_users: auth.sasl_super_users.clone(),
        forgives_failed_sasl: auth.allow_sasl_failed_clients,
        ensemble: auth.providers.contains(&Provider::Ensemble).then(|| {
            let names = s.list("ensembleAuthName").unwrap_or_default();
            names.into_iter().collect()
        }),
        enforced_schemes: auth.enforced_schemes.clone(),
    }
}

/// A problem that belongs to a key which was set.
fn at(s: &Settings, name: &str, what: impl Into<String>, todo: impl Into<String>) -> Problem {
    Problem::new(s.origin(name), name, what, todo)
}

/// A value in a message.
fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}
