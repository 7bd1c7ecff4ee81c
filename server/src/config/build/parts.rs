//! The parts of a configuration that follow from their own keys.

use super::{
    super::{
        Admin, Auth, ClientAuth, Clients, Compression, ConnectionThrottle, Listen, Metrics, Peers,
        Provider, QuorumSasl, RequestThrottle, Service, Storage, Store, StoreFormat, Tls,
    },
    at, quoted,
};
use crate::config::settings::Settings;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use zabscope_core::{config::Joining, time::Span};

/// 0 stands for no limit.
fn limit(s: &Settings, name: &str) -> Option<u64> {
    Some(s.count(name)).filter(|n| *n > 0)
}

fn ms(s: &Settings, name: &str) -> Option<Duration> {
    s.positive(name).map(Duration::from_millis)
}

pub(super) fn storage(s: &mut Settings) -> Storage {
    let data_dir = s.text("dataDir").map(PathBuf::from).unwrap_or_default();
    if data_dir.as_os_str().is_empty() {
        let todo = "name the directory of snapshots, for example dataDir=/var/lib/zookeeper";
        let problem = at(s, "dataDir", "is not set", todo);
        s.errors.push(problem);
    }
    let data_log_dir = s.text("dataLogDir").map(PathBuf::from);
    let flush_delay = s.ms("flushDelay");
    let retain = s.count("autopurge.snapRetainCount");
    if retain < 3 {
        let what = "less than 3 is taken as 3, as Apache does";
        s.warn(
            s.origin("autopurge.snapRetainCount"),
            "autopurge.snapRetainCount",
            what,
            "",
        );
    }
    Storage {
        data_log_dir: data_log_dir.unwrap_or_else(|| data_dir.clone()),
        data_dir,
        create_directories: s.flag("datadir.autocreate"),
        db_autocreate: s.flag("db.autocreate"),
        trust_empty_snapshot: s.flag("snapshot.trust.empty"),
        compression: match s.text("snapshot.compression.method").as_deref() {
            Some("gz") => Compression::Gzip,
            Some("snappy") => Compression::Snappy,
            _ => Compression::None,
        },
        serialize_last_processed_zxid: s.flag("serializeLastProcessedZxid.enabled"),
        txn_log_size_limit_kib: s.positive("txnLogSizeLimitInKb").filter(|n| *n > 0),
        pre_alloc_kib: s.count("preAllocSize"),
        force_sync: s.flag("forceSync"),
        fsync_warning: s.ms("fsync.warningthresholdms"),
        max_batch_size: limit(s, "maxBatchSize"),
        flush_delay,
        max_write_queue_poll: ms(s, "maxWriteQueuePollTime").unwrap_or(flush_delay / 3),
        snap_retain_count: usize::try_from(retain.max(3)).unwrap_or(usize::MAX),
        purge_interval: Some(s.time("autopurge.purgeInterval")).filter(|t| !t.is_zero()),
    }
}

fn listen(s: &mut Settings, port: &str, address: &str) -> Option<Listen> {
    let host = s.text(address);
    match (s.port(port), host) {
        (Some(port), host) => Some(Listen { host, port }),
        (None, Some(_)) => {
            let problem = at(
                s,
                address,
                format!("is set, but {port} is not"),
                format!("set {port}"),
            );
            s.errors.push(problem);
            None
        }
        (None, None) => None,
    }
}

pub(super) fn clients(s: &mut Settings) -> Clients {
    let freeze = ms(s, "connection_throttle_freeze_time");
    let [global, local, renew] = ["global", "local", "renew"]
        .map(|kind| s.count(&format!("connection_throttle_{kind}_session_weight")));
    if local > global || local > renew {
        let name = "connection_throttle_local_session_weight";
        let what = "a local session may not cost more than a global one or a return";
        let problem = at(s, name, what, "lower it");
        s.errors.push(problem);
    }
    let mut words: BTreeSet<String> = s
        .list("4lw.commands.whitelist")
        .unwrap_or_default()
        .into_iter()
        .collect();
    if s.flag("readonlymode.enabled") && !s.is_set("4lw.commands.whitelist") {
        words.insert("isro".to_owned());
    }
    Clients {
        listen: listen(s, "clientPort", "clientPortAddress"),
        secure: listen(s, "secureClientPort", "secureClientPortAddress"),
        port_unification: s.flag("client.portUnification"),
        backlog: s.positive("clientPortListenBacklog").filter(|n| *n > 0),
        max_client_cnxns: limit(s, "maxClientCnxns"),
        max_cnxns: limit(s, "maxCnxns"),
        keep_alive: s.flag("clientTcpKeepAlive"),
        sessionless_timeout: s.ms("nio.sessionlessCnxnTimeout"),
        connection_throttle: ConnectionThrottle {
            tokens: s.count("connection_throttle_tokens"),
            fill_time: s.ms("connection_throttle_fill_time"),
            fill_count: s.count("connection_throttle_fill_count"),
            freeze_time: freeze,
            drop_increase: s.real("connection_throttle_drop_increase"),
            drop_decrease: s.real("connection_throttle_drop_decrease"),
            decrease_ratio: s.real("connection_throttle_decrease_ratio"),
            weights: s
                .flag("connection_throttle_weight_enabled")
                .then_some([global, local, renew]),
        },
        request_throttle: RequestThrottle {
            max_requests: s.count("request_throttle_max_requests"),
            stall_time: s.ms("request_throttle_stall_time"),
            drop_stale: s.flag("request_throttle_drop_stale"),
            stale_latency_check: s.flag("request_stale_latency_check"),
            throttled_op_wait: limit(s, "throttled_op_wait_time").map(Duration::from_millis),
        },
        large_request_threshold: s.positive("largeRequestThreshold"),
        large_request_max_bytes: s.count("largeRequestMaxBytes"),
        four_letter_words: words,
    }
}

pub(super) fn service(s: &Settings) -> Service {
    Service {
        global_outstanding_limit: s.count("globalOutstandingLimit"),
        container_max_per_minute: s.count("znode.container.maxPerMinute"),
        container_max_never_used: limit(s, "znode.container.maxNeverUsedIntervalMs")
            .map(Duration::from_millis),
        enforce_quota: s.flag("enforceQuota"),
        local_sessions: s.flag("localSessionsEnabled"),
        local_sessions_upgrading: s.flag("localSessionsUpgradingEnabled"),
        read_only_mode: s.flag("readonlymode.enabled"),
        reconfig: s.flag("reconfigEnabled"),
        digest: s.flag("digest.enabled"),
        close_session_txn: s.flag("closeSessionTxn.enabled"),
        audit: s.flag("audit.enable"),
    }
}

/// The Java classes of Apache's own that stand for schemes; `None` for one that is always there.
fn provider(class: &str) -> Option<Option<Provider>> {
    match class.strip_prefix("org.apache.zookeeper.server.auth.")? {
        "SASLAuthenticationProvider" => Some(Some(Provider::Sasl)),
        "X509AuthenticationProvider" => Some(Some(Provider::X509)),
        "EnsembleAuthenticationProvider" => Some(Some(Provider::Ensemble)),
        "DigestAuthenticationProvider" | "IPAuthenticationProvider" => Some(None),
        _ => None,
    }
}

pub(super) fn auth(s: &mut Settings) -> Auth {
    let mut providers = BTreeSet::new();
    for (name, given) in s.family("authProvider.") {
        match provider(&given.text) {
            Some(known) => providers.extend(known),
            None => {
                let what = format!(
                    "{} can't be loaded: it is a Java class",
                    quoted(&given.text)
                );
                let todo = "use a class of org.apache.zookeeper.server.auth";
                s.error(given.origin, &name, what, todo);
            }
        }
    }
    let further = s.family("superUser.").into_iter().map(|(_, g)| g.text);
    let super_users = s.text("superUser").into_iter().chain(further);
    let enforced = if s.flag("sessionRequireClientSASLAuth") {
        Some(vec!["sasl".to_owned()])
    } else if s.flag("enforce.auth.enabled") {
        let schemes = s.list("enforce.auth.schemes").unwrap_or_default();
        if schemes.is_empty() {
            let todo = "set enforce.auth.schemes, for example to sasl";
            let what = "is true, but enforce.auth.schemes names none";
            let problem = at(s, "enforce.auth.enabled", what, todo);
            s.errors.push(problem);
        }
        Some(schemes)
    } else {
        None
    };
    let sasl_is_enforced = enforced.iter().flatten().any(|scheme| scheme == "sasl");
    if sasl_is_enforced && !providers.contains(&Provider::Sasl) {
        let name = if s.flag("sessionRequireClientSASLAuth") {
            "sessionRequireClientSASLAuth"
        } else {
            "enforce.auth.schemes"
        };
        let class = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";
        let todo = format!("set authProvider.1={class}");
        let problem = at(s, name, "needs the scheme sasl, which is off", todo);
        s.errors.push(problem);
    }
    if s.is_set("ensembleAuthName") && !providers.contains(&Provider::Ensemble) {
        let class = "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider";
        let name = "ensembleAuthName";
        let what = "has no effect: the scheme ensemble is off";
        s.warn(
            s.origin(name),
            name,
            what,
            format!("set authProvider.1={class}"),
        );
    }
    let super_digest = s.text("DigestAuthenticationProvider.superDigest");
    if super_digest
        .as_deref()
        .is_some_and(|d| d.split(':').count() != 2)
    {
        let name = "DigestAuthenticationProvider.superDigest";
        let problem = at(
            s,
            name,
            "is not of the form user:hash",
            "hash user:password with SHA-1 and base64",
        );
        s.errors.push(problem);
    }
    Auth {
        skip_acl: s.flag("skipACL"),
        digest_enabled: s.flag("DigestAuthenticationProvider.enabled"),
        digest_algorithm: match s.text("DigestAuthenticationProvider.digestAlg") {
            Some(name) if name != "SHA-1" => name,
            _ => "SHA1".to_owned(),
        },
        super_digest,
        use_x_forwarded_for: s.flag("IPAuthenticationProvider.usexforwardedfor"),
        x509_super_user: s.text("X509AuthenticationProvider.superUser"),
        sasl_super_users: super_users.filter(|u| !u.is_empty()).collect(),
        sasl_super_password: s.text("SASLAuthenticationProvider.superPassword"),
        let_any_sasl_user_do_x: s.is_set("letAnySaslUserDoX"),
        providers,
        enforced_schemes: enforced,
        allow_sasl_failed_clients: s.flag("allowSaslFailedClients"),
        login_config: s.text("java.security.auth.login.config").map(PathBuf::from),
        server_section: s.text("sasl.serverconfig").unwrap_or_default(),
        server_section_is_set: s.is_set("sasl.serverconfig"),
        quorum_sasl: quorum_sasl(s),
    }
}

fn quorum_sasl(s: &mut Settings) -> Option<QuorumSasl> {
    let enabled = s.flag("quorum.auth.enableSasl");
    let server = s.flag("quorum.auth.serverRequireSasl");
    let learner = s.flag("quorum.auth.learnerRequireSasl");
    for (name, needs, has) in [
        ("serverRequireSasl", "enableSasl", !server || enabled),
        ("learnerRequireSasl", "enableSasl", !learner || enabled),
        (
            "serverRequireSasl",
            "learnerRequireSasl",
            !server || learner,
        ),
    ] {
        if !has {
            let needs = format!("quorum.auth.{needs}");
            let what = format!("needs {needs}");
            let name = format!("quorum.auth.{name}");
            let problem = at(s, &name, what, format!("set {needs}=true"));
            s.errors.push(problem);
        }
    }
    enabled.then(|| QuorumSasl {
        server_requires: server,
        learner_requires: learner,
        server_section: s
            .text("quorum.auth.server.saslLoginContext")
            .unwrap_or_default(),
        learner_section: s
            .text("quorum.auth.learner.saslLoginContext")
            .unwrap_or_default(),
    })
}

pub(super) fn joining(s: &Settings) -> Joining {
    let span = |name| Span::millis(s.count(name));
    let at_most = |name| usize::try_from(s.count(name)).unwrap_or(usize::MAX);
    Joining {
        connect_retry: span("leaderConnectDelayDuringRetryMs"),
        connect_limit: s.positive("connectToLearnerMasterLimit").filter(|n| *n > 0),
        epoch_patience: s.positive("leader.maxTimeToWaitForEpoch").map(Span::millis),
        force_snapshot: s.flag("forceSnapshotSync"),
        snap_syncs: at_most("leader.maxConcurrentSnapSyncs"),
        diff_syncs: at_most("leader.maxConcurrentDiffSyncs"),
        observer_reconnect: span("observer.reconnectDelayMs"),
        observer_rest: span("observer.election.DelayMs"),
        observer_logs: s.flag("syncEnabled"),
    }
}

pub(super) fn peers(s: &Settings) -> Peers {
    Peers {
        listen_on_all: s.flag("quorumListenOnAllIPs"),
        connect_timeout: s.ms("cnxTimeout"),
        greeting_timeout: ms(s, "quorumCnxnTimeoutMs").filter(|t| !t.is_zero()),
        keep_alive: s.flag("tcpKeepAlive"),
        bind_attempts: limit(s, "electionPortBindRetry"),
        multi_address: s.flag("multiAddress.enabled"),
        reachability_timeout: s
            .flag("multiAddress.reachabilityCheckEnabled")
            .then(|| s.ms("multiAddress.reachabilityCheckTimeoutMs")),
        tls: s.flag("sslQuorum"),
        port_unification: s.flag("portUnification"),
    }
}

/// A store, `kind` is keyStore or trustStore.
fn store(s: &mut Settings, prefix: &str, kind: &str) -> Option<Store> {
    let name = |part: &str| format!("{prefix}{kind}.{part}");
    let location = s.text(&name("location")).map(PathBuf::from)?;
    let by_extension = location
        .extension()
        .map(|e| e.to_string_lossy().to_uppercase());
    let given = s.text(&name("type")).filter(|t| !t.is_empty());
    let format = match given.clone().or(by_extension).as_deref() {
        Some("PEM") => Some(StoreFormat::Pem),
        Some("PKCS12" | "P12" | "PFX") => Some(StoreFormat::Pkcs12),
        Some("JKS" | "BCFKS") => {
            let file = location.display();
            let what = format!("{file} is a store of Java's own");
            let todo = format!(
                "convert it: keytool -importkeystore -srckeystore {file} -destkeystore {} -deststoretype PKCS12",
                location.with_extension("p12").display()
            );
            let which = if given.is_some() { "type" } else { "location" };
            let problem = at(s, &name(which), what, todo);
            s.errors.push(problem);
            None
        }
        _ => None,
    };
    Some(Store {
        location,
        password: s.text(&name("password")),
        password_path: s.text(&name("passwordPath")).map(PathBuf::from),
        format,
    })
}

/// The cipher suites that there are, by their IANA names.
pub const SUITES: [&str; 9] = [
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

pub(super) fn tls(s: &mut Settings, prefix: &str, reload: &str) -> Tls {
    let name = |part: &str| format!("{prefix}{part}");
    let key_store = store(s, prefix, "keyStore");
    let trust_store = store(s, prefix, "trustStore");
    let enabled = name("enabledProtocols");
    let versions = match s.list(&enabled) {
        None => [
            true,
            s.text(&name("protocol")).as_deref() != Some("TLSv1.2"),
        ],
        Some(list) => {
            let has = |v: &str| list.iter().any(|l| l.eq_ignore_ascii_case(v));
            let old = list
                .iter()
                .find(|l| !["TLSV1.2", "TLSV1.3"].contains(&l.to_uppercase().as_str()));
            if let Some(old) = old {
                let what = format!("{} is not a version that is safe to speak", quoted(old));
                let problem = at(s, &enabled, what, "write TLSv1.3, TLSv1.2");
                s.errors.push(problem);
            }
            [has("TLSv1.2"), has("TLSv1.3")]
        }
    };
    for (part, how) in [("crl", "lists of revoked certificates"), ("ocsp", "OCSP")] {
        if s.flag(&name(part)) {
            let what = format!("{how} is not supported, and to ignore it would not be safe");
            let todo = "remove it; issue certificates that do not live long instead";
            let problem = at(s, &name(part), what, todo);
            s.errors.push(problem);
        }
    }
    let cipher_suites = s.list(&name("ciphersuites"));
    for unknown in cipher_suites
        .iter()
        .flatten()
        .filter(|suite| !SUITES.contains(&suite.as_str()))
    {
        let what = format!("{} is not offered and is passed over", quoted(unknown));
        let todo = format!("there are {}", SUITES.join(", "));
        s.warn(
            s.origin(&name("ciphersuites")),
            &name("ciphersuites"),
            what,
            todo,
        );
    }
    Tls {
        key_store,
        trust_store,
        client_auth: match s.text(&name("clientAuth")).as_deref() {
            Some("none") => ClientAuth::None,
            Some("want") => ClientAuth::Want,
            _ => ClientAuth::Need,
        },
        versions,
        cipher_suites,
        hostname_verification: s.flag(&name("hostnameVerification")),
        client_hostname_verification: s.flag(&name("clientHostnameVerification")),
        reverse_dns: s.flag(&name("allowReverseDnsLookup")),
        crl: s.flag(&name("crl")),
        ocsp: s.flag(&name("ocsp")),
        handshake_detection: s.ms(&name("handshakeDetectionTimeoutMillis")),
        reload: s.flag(reload),
    }
}

pub(super) fn admin(s: &Settings) -> Option<Admin> {
    s.flag("admin.enableServer").then(|| Admin {
        listen: Listen {
            host: s.text("admin.serverAddress"),
            port: s.port("admin.serverPort").unwrap_or(8080),
        },
        port_is_set: s.is_set("admin.serverPort"),
        idle_timeout: s.ms("admin.idleTimeout"),
        command_url: s.text("admin.commandURL").unwrap_or_default(),
        rate_limit: s.ms("admin.rateLimiterIntervalInMS"),
        snapshot: s.flag("admin.snapshot.enabled"),
        restore: s.flag("admin.restore.enabled"),
        need_client_auth: s.flag("admin.needClientAuth"),
        port_unification: s.flag("admin.portUnification"),
        force_https: s.flag("admin.forceHttps"),
    })
}

pub(super) fn metrics(s: &mut Settings) -> Option<Metrics> {
    let class = s.text("metricsProvider.className").unwrap_or_default();
    let known = class.strip_prefix("org.apache.zookeeper.metrics.");
    match known {
        Some("prometheus.PrometheusMetricsProvider") => {
            let host = s.text("metricsProvider.httpHost");
            let https = s.port("metricsProvider.httpsPort").map(|port| Listen {
                host: host.clone(),
                port,
            });
            let port = s.port("metricsProvider.httpPort");
            let port = port.or(https.is_none().then_some(7000));
            let https = https.map(|listen| {
                let mut tls = tls(s, "metricsProvider.ssl.", "client.certReload");
                if tls.trust_store.is_none() && !s.is_set("metricsProvider.ssl.clientAuth") {
                    tls.client_auth = ClientAuth::None;
                }
                (listen, tls)
            });
            Some(Metrics {
                listen: port.map(|port| Listen { host, port }),
                port_is_set: s.is_set("metricsProvider.httpPort"),
                https,
            })
        }
        Some("impl.DefaultMetricsProvider" | "impl.NullMetricsProvider") => None,
        _ => {
            let name = "metricsProvider.className";
            let what = format!("{} can't be loaded: it is a Java class", quoted(&class));
            let todo = "use org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
            let problem = at(s, name, what, todo);
            s.errors.push(problem);
            None
        }
    }
}
