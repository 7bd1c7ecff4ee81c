mod protocol;

use super::{
    keys::{Kind, Property, Use},
    *,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, env};
use zabscope_core::{
    config::{DigestAlgorithm, Release, Rights},
    id::Zxid,
    quorum::QuorumRule,
    time::Span,
};

/// A disk of a few files.
struct Disk(BTreeMap<PathBuf, Vec<u8>>);

impl Disk {
    fn new(files: &[(&str, &str)]) -> Disk {
        let files = files.iter();
        Disk(
            files
                .map(|(p, t)| (p.into(), t.as_bytes().to_vec()))
                .collect(),
        )
    }

    fn load(&self, jvm_flags: Option<&str>, sets: &[&str]) -> Result<Loaded, ConfigError> {
        let sets: Vec<String> = sets.iter().map(|s| (*s).to_owned()).collect();
        let sources = Sources {
            file: Some(Path::new("zoo.cfg")),
            jvm_flags,
            sets: &sets,
        };
        ServerConfig::load_with(&sources, &|path| {
            let found = self.0.get(path).cloned();
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        })
    }
}

fn load(text: &str) -> Result<Loaded, ConfigError> {
    Disk::new(&[("zoo.cfg", text)]).load(None, &[])
}

fn good(text: &str) -> ServerConfig {
    load(text).unwrap_or_else(|e| panic!("{e}")).config
}

/// The messages of what must fail.
fn errors(text: &str) -> Vec<String> {
    let error = load(text).expect_err("it is wrong");
    error.problems.iter().map(Problem::to_string).collect()
}

const MINIMAL: &str = "dataDir=/d\nclientPort=2181\n";

fn ids(ids: impl IntoIterator<Item = ServerId>) -> Vec<i64> {
    ids.into_iter().map(|id| id.0).collect()
}

// Real files.

#[test]
fn the_file_of_a_linux_package_starts_a_server_on_its_own() {
    let c = good(
        "# http://hadoop.apache.org/zookeeper/docs/current/zookeeperAdmin.html\n\n\
         # The number of milliseconds of each tick\ntickTime=2000\n# The number of ticks that the initial\n\
         # synchronization phase can take\ninitLimit=10\nsyncLimit=5\n\
         # the directory where the snapshot is stored.\ndataDir=/var/lib/zookeeper\n\
         # Place the dataLogDir to a separate physical disc for better performance\n# dataLogDir=/disk2/zookeeper\n\n\
         # the port at which the clients will connect\nclientPort=2181\n\n\
         #server.1=zookeeper1:2888:3888\n#server.2=zookeeper2:2888:3888\n\n\
         # To avoid seeks ZooKeeper allocates space in the transaction log file in\n# blocks\n#preAllocSize=65536\n\
         # leaderServes=yes\n",
    );
    assert_eq!(c.mode, Mode::Standalone);
    assert_eq!(c.core.tick, Span::millis(2000));
    assert_eq!(c.core.min_session_timeout, Span::millis(4000));
    assert_eq!(c.core.max_session_timeout, Span::millis(40_000));
    assert_eq!(c.storage.data_dir, Path::new("/var/lib/zookeeper"));
    assert_eq!(c.storage.data_log_dir, c.storage.data_dir);
    assert_eq!(
        c.clients.listen,
        Some(Listen {
            host: None,
            port: 2181
        })
    );
    assert_eq!(c.clients.max_client_cnxns, Some(60));
    assert_eq!(c.storage.pre_alloc_kib, 65_536);
    assert_eq!(c.core.my_id, ServerId(1));
}

const DOCKER: &str = "dataDir=/data\ndataLogDir=/datalog\ntickTime=2000\ninitLimit=5\nsyncLimit=2\n\
    autopurge.snapRetainCount=3\nautopurge.purgeInterval=0\nmaxClientCnxns=60\nstandaloneEnabled=true\n\
    admin.enableServer=true\n";

#[test]
fn the_file_of_a_container_image_takes_the_client_port_from_its_only_server_line() {
    let loaded = load(&format!("{DOCKER}server.1=localhost:2888:3888;2181\n")).expect("good");
    let c = loaded.config;
    assert_eq!(c.mode, Mode::Standalone);
    assert_eq!(
        c.clients.listen,
        Some(Listen {
            host: None,
            port: 2181
        })
    );
    assert_eq!(c.storage.purge_interval, None);
    assert_eq!(c.storage.data_log_dir, Path::new("/datalog"));
    let admin = c.admin.expect("it is on").listen;
    assert_eq!(admin.to_string(), "127.0.0.1:8080");
    let warned = loaded
        .warnings
        .iter()
        .any(|w| w.what.contains("only one server"));
    assert!(warned, "{:?}", loaded.warnings);
}

#[test]
fn three_containers_are_an_ensemble_and_myid_says_which_one_this_is() {
    let text = format!(
        "{DOCKER}server.1=zoo1:2888:3888;2181\nserver.2=zoo2:2888:3888;2182\n\
         server.3=zoo3:2888:3888:observer;2181\nserver.4=zoo4:2888:3888;2181"
    );
    let disk = Disk::new(&[("zoo.cfg", &text), ("/data/myid", "2\n")]);
    let c = disk.load(None, &[]).expect("good").config;
    assert_eq!(c.mode, Mode::Quorum);
    assert_eq!(c.core.my_id, ServerId(2));
    assert_eq!(ids(c.core.membership.quorum.voters().clone()), [1, 2, 4]);
    assert_eq!(ids(c.core.membership.observers.clone()), [3]);
    assert_eq!(
        c.clients.listen,
        Some(Listen {
            host: None,
            port: 2182
        })
    );
    let (_, me) = c.me().expect("a member");
    assert_eq!(me.to_string(), "zoo2:2888:3888:participant;0.0.0.0:2182");
    assert_eq!((c.core.init_limit, c.core.sync_limit), (5, 2));
}

#[test]
fn a_dynamic_file_holds_the_members_and_its_name_the_version() {
    let disk = Disk::new(&[
        (
            "zoo.cfg",
            "dataDir=/d\ninitLimit=10\nsyncLimit=5\nreconfigEnabled=true\nstandaloneEnabled=false\n\
             dynamicConfigFile=/conf/zoo.cfg.dynamic.1a00000003\n",
        ),
        (
            "/conf/zoo.cfg.dynamic.1a00000003",
            "server.1=h1:2888:3888:participant;0.0.0.0:2181\nserver.2=[::1]:2888:3888:observer;[::1]:2182",
        ),
        (
            "zoo.cfg.dynamic.next",
            "server.1=h1:1:2:participant\nversion=1a00000004",
        ),
        ("/d/myid", "1"),
    ]);
    let c = disk.load(None, &[]).expect("good").config;
    assert_eq!(c.ensemble.version, Zxid(0x1a_0000_0003));
    assert_eq!(c.mode, Mode::Quorum);
    assert!(c.service.reconfig);
    assert_eq!(
        c.quorum_text(),
        "server.1=h1:2888:3888:participant;0.0.0.0:2181\n\
         server.2=[::1]:2888:3888:observer;[::1]:2182\nversion=1a00000003"
    );
    assert_eq!(c.last_seen.expect("pending").version, Zxid(0x1a_0000_0004));
}

#[test]
fn groups_and_weights_are_a_hierarchical_quorum() {
    let servers: String = (1..=9)
        .map(|i| format!("server.{i}=h{i}:2888:3888\n"))
        .collect();
    let text = format!(
        "{MINIMAL}initLimit=10\nsyncLimit=5\n{servers}group.1=1:2:3\ngroup.2=4:5:6\ngroup.3=7:8:9\nweight.9=0\n"
    );
    let disk = Disk::new(&[("zoo.cfg", &text), ("/d/myid", "9")]);
    let c = disk.load(None, &[]).expect("good").config;
    let QuorumRule::Groups { group, weight } = c.core.membership.quorum.rule() else {
        panic!("a majority");
    };
    assert_eq!(group[&ServerId(6)], 2);
    assert_eq!((weight[&ServerId(9)], weight[&ServerId(8)]), (0, 1));
    let text = c.quorum_text();
    assert!(text.contains("\ngroup.3=7:8:9\nweight.1=1\n"), "{text}");
    assert_eq!(c.core.members_text.as_deref(), Some(text.as_str()));
    assert_eq!(Ensemble::parse_text(&text), Ok(c.ensemble));
}

#[test]
fn a_voter_without_a_group_and_a_server_in_two_are_errors() {
    let three = "dataDir=/d\nclientPort=1\ninitLimit=1\nsyncLimit=1\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n";
    let none = errors(&format!("{three}group.1=1:2\n"));
    assert!(
        none.iter()
            .any(|e| e.contains("server 3 votes and is in no group")),
        "{none:?}"
    );
    let two = errors(&format!("{three}group.1=1:2:3\ngroup.2=3\n"));
    assert_eq!(two[0], "zoo.cfg:9: group.2: server 3 is in two groups");
}

// Sources.

#[test]
fn set_goes_before_the_file_and_the_file_before_jvm_flags() {
    let disk = Disk::new(&[("zoo.cfg", "dataDir=/d\nclientPort=2181\nsnapCount=2000\n")]);
    let flags = "-Xmx1g -Dzookeeper.snapCount=1000 -Djute.maxbuffer=4194304 -Dzookeeper.preAllocSize=\"64\"";
    let c = disk.load(Some(flags), &[]).expect("good").config;
    assert_eq!((c.core.snap_count, c.core.max_buffer), (2000, 4_194_304));
    assert_eq!(c.storage.pre_alloc_kib, 64);
    let c = disk
        .load(Some(flags), &["snapCount=3000", "clientPort = 0"])
        .expect("good")
        .config;
    assert_eq!(c.core.snap_count, 3000);
    assert_eq!(c.clients.listen.expect("set").port, 0);
}

#[test]
fn flags_for_the_jvm_are_told_once_and_a_key_of_the_file_alone_is_no_property() {
    let disk = Disk::new(&[("zoo.cfg", MINIMAL)]);
    let flags =
        "-Xmx1g -Dcom.sun.management.jmxremote -Dzookeeper.tickTime=1 -Dzookeeper.snapCont=1";
    let loaded = disk.load(Some(flags), &[]).expect("good");
    assert_eq!(loaded.config.core.tick, Span::millis(3000));
    let warnings: Vec<String> = loaded.warnings.iter().map(Problem::to_string).collect();
    let has = |text: &str| warnings.iter().filter(|w| w.contains(text)).count();
    assert_eq!(
        has("-Xmx1g -Dcom.sun.management.jmxremote"),
        1,
        "{warnings:?}"
    );
    assert_eq!(
        has("zookeeper.tickTime: is no system property"),
        1,
        "{warnings:?}"
    );
    assert_eq!(has("did you mean snapCount?"), 1, "{warnings:?}");
}

#[test]
fn a_key_may_have_its_prefix_or_be_called_as_its_property() {
    for line in [
        "leader.maxConcurrentSnapSyncs=3",
        "zookeeper.leader.maxConcurrentSnapSyncs=3",
        "maxConcurrentSnapSyncs=3",
    ] {
        assert_eq!(
            good(&format!("{MINIMAL}{line}\n")).core.joining.snap_syncs,
            3,
            "{line}"
        );
    }
    assert!(
        !good(&format!("{MINIMAL}observer.syncEnabled=false\n"))
            .core
            .joining
            .observer_logs
    );
}

#[test]
fn without_a_file_only_this_machine_is_served() {
    let dir = Path::new("/data/ann/zabscope");
    let loaded = ServerConfig::default_standalone(dir, &Sources::default()).expect("good");
    let c = loaded.config;
    assert_eq!(c.clients.listen.expect("set").to_string(), "127.0.0.1:2181");
    assert_eq!(c.admin.expect("on").listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        c.metrics
            .expect("on")
            .listen
            .map(|at| at.to_string())
            .as_deref(),
        Some("127.0.0.1:7000")
    );
    assert_eq!((c.clients.secure, c.mode), (None, Mode::Standalone));
    assert_eq!(c.storage.data_dir, dir);
    assert_eq!(loaded.warnings, []);
    let sets = ["clientPort=2182".to_owned()];
    let sources = Sources {
        sets: &sets,
        ..Sources::default()
    };
    let c = ServerConfig::default_standalone(dir, &sources)
        .expect("good")
        .config;
    assert_eq!(c.clients.listen.expect("set").to_string(), "127.0.0.1:2182");
}

#[test]
fn user_data_is_where_xdg_says_or_below_home() {
    let at = |xdg: Option<&str>, home: Option<&str>| {
        user_data_dir(xdg.map(Path::new), home.map(Path::new))
    };
    assert_eq!(at(Some("/x"), Some("/h")), Some("/x/zabscope".into()));
    let home = Some(PathBuf::from("/h/.local/share/zabscope"));
    assert_eq!(at(Some("relative"), Some("/h")), home);
    assert_eq!(at(None, None), None);
}

// Errors.

#[test]
fn everything_wrong_is_told_at_once_with_file_line_and_key() {
    let found = errors(
        "tickTime=soon\ndataDir=/d\nclientPort=99999\nforceSync=false\nssl.keyStore.location=/k.jks\n",
    );
    assert_eq!(
        found,
        [
            "zoo.cfg:3: clientPort: \"99999\" is not accepted; write a whole number from 0 to 65535",
            "zoo.cfg:4: forceSync: \"false\" is not accepted; write yes or no",
            "zoo.cfg:1: tickTime: \"soon\" is not accepted; write a whole number from 1 to 2147483647",
            "configuration: clientPort: no port for clients is set; set clientPort=2181",
            "zoo.cfg:5: ssl.keyStore.location: /k.jks is a store of Java's own; convert it: keytool \
             -importkeystore -srckeystore /k.jks -destkeystore /k.p12 -deststoretype PKCS12",
        ]
    );
}

#[test]
fn an_unknown_key_warns_once_and_names_the_nearest() {
    let loaded = load(&format!("{MINIMAL}tickTme=5\ntickTme=6\nwhatever.x=1\n")).expect("good");
    let mine: Vec<String> = loaded
        .warnings
        .iter()
        .filter(|w| w.what.contains("is not a key"))
        .map(Problem::to_string)
        .collect();
    assert_eq!(
        mine,
        [
            "zoo.cfg:3: tickTme: is not a key and is ignored; did you mean tickTime?",
            "zoo.cfg:5: whatever.x: is not a key and is ignored; docs/configuration.md lists all keys",
        ]
    );
}

#[test]
fn an_ensemble_needs_its_limits_and_myid() {
    let three = "dataDir=/d\nclientPort=1\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n";
    let with = |myid: Option<&str>, text: &str| {
        let mut files = vec![("zoo.cfg", text)];
        files.extend(myid.map(|m| ("/d/myid", m)));
        let result = Disk::new(&files).load(None, &[]);
        result
            .map_err(|e| e.to_string())
            .map(|l| l.config.core.my_id)
    };
    let limits = format!("{three}initLimit=10\nsyncLimit=5\n");
    assert_eq!(with(Some(" 3 \nrest"), &limits), Ok(ServerId(3)));
    let missing = with(Some("1"), three).expect_err("no limits");
    assert!(
        missing.contains("set initLimit=10") && missing.contains("set syncLimit=5"),
        "{missing}"
    );
    for (myid, says) in [
        (
            None,
            "/d/myid: is missing; write this server's number into it",
        ),
        (Some(""), "is empty"),
        (Some("one"), "\"one\" is not a server id"),
        (Some("4"), "says 4, but there is no server.4 line"),
        (Some("256"), "\"256\" is not a server id"),
    ] {
        let error = with(myid, &limits).expect_err("a bad myid");
        assert!(error.contains(says), "{myid:?}: {error}");
    }
}

#[test]
fn members_stand_in_one_place_only() {
    let disk = Disk::new(&[
        (
            "zoo.cfg",
            "dataDir=/d\nclientPort=1\ndynamicConfigFile=/x.dynamic\nserver.1=a:1:2\n",
        ),
        ("/x.dynamic", "server.1=a:1:2\ntickTime=1\nversion=5\n"),
    ]);
    let error = disk.load(None, &[]).expect_err("twice").to_string();
    assert!(
        error.contains("zoo.cfg:4: server.1: must stand in the dynamic file"),
        "{error}"
    );
    assert!(
        error.contains("/x.dynamic:2: tickTime: \"tickTime\" has no place"),
        "{error}"
    );
    assert!(
        error.contains("/x.dynamic:3: version: has no place in a dynamic file"),
        "{error}"
    );
}

#[test]
fn a_client_port_that_contradicts_the_members_line_is_an_error() {
    let found = errors("dataDir=/d\nclientPort=2182\nserver.1=a:1:2;2181\n");
    assert!(
        found[0].starts_with("zoo.cfg:2: clientPort: *:2182 is not what server.1 says"),
        "{found:?}"
    );
    let c = good("dataDir=/d\nclientPort=2181\nserver.1=a:1:2;127.0.0.1:2181\n");
    assert_eq!(c.clients.listen.expect("set").to_string(), "127.0.0.1:2181");
}

#[test]
fn settings_that_contradict_each_other_are_errors() {
    for (lines, says) in [
        (
            "minSessionTimeout=9\nmaxSessionTimeout=8\n",
            "9 ms is more than maxSessionTimeout, 8 ms",
        ),
        (
            "quorum.auth.serverRequireSasl=true\n",
            "needs quorum.auth.enableSasl",
        ),
        (
            "enforce.auth.enabled=true\n",
            "enforce.auth.schemes names none",
        ),
        ("secureClientPortAddress=::1\n", "secureClientPort is not"),
        ("authProvider.1=com.example.Mine\n", "is a Java class"),
        (
            "metricsProvider.className=com.example.Mine\n",
            "is a Java class",
        ),
        (
            "sessionRequireClientSASLAuth=true\n",
            "needs the scheme sasl, which is off",
        ),
        (
            "enforce.auth.enabled=true\nenforce.auth.schemes=sasl\n",
            "enforce.auth.schemes: needs the scheme sasl",
        ),
        ("server.1=a:1:2|b:1:2\n", "has several addresses"),
        ("server.1=a\\\\b:1:2\n", "\"a\\b\" is not a host"),
        ("server.1=a\\nserver.2=b:1:2\n", "is not a host"),
        ("server.1=a:1:2;c d:3\n", "\"c d\" is not a host"),
        ("electionAlg=1\n", "write 3"),
        ("oraclePath=/o\n", "can lose acknowledged writes"),
        (
            "ssl.enabledProtocols=TLSv1.3,TLSv1.1\n",
            "\"TLSv1.1\" is not a version",
        ),
        (
            "ssl.crl=true\n",
            "lists of revoked certificates is not supported",
        ),
        ("ssl.quorum.ocsp=true\n", "OCSP is not supported"),
        ("ssl.authProvider=other\n", "\"other\" is not accepted"),
        ("server.1=a:1:2:observer\n", "observers need voters"),
        ("superDigest=secret\n", "not of the form user:hash"),
    ] {
        let found = errors(&format!("{MINIMAL}{lines}"));
        assert!(found.iter().any(|e| e.contains(says)), "{lines}: {found:?}");
    }
}

#[test]
fn values_that_apache_corrects_are_corrected_and_told() {
    let loaded = load(&format!(
        "{MINIMAL}autopurge.snapRetainCount=1\ncommitLogCount=10\n"
    ))
    .expect("good");
    assert_eq!(loaded.config.storage.snap_retain_count, 3);
    assert_eq!(loaded.config.core.commit_log_count, 500);
    let told = loaded
        .warnings
        .iter()
        .filter(|w| w.what.contains("as Apache does"));
    assert_eq!(told.count(), 2);
}

#[test]
fn schemes_come_from_apaches_class_names() {
    let c = good(&format!(
        "{MINIMAL}authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n\
         sessionRequireClientSASLAuth=true\nsuperUser=root\nsuperUser.1=other\n"
    ));
    assert_eq!(c.auth.providers, BTreeSet::from([Provider::Sasl]));
    assert_eq!(c.auth.enforced_schemes, Some(vec!["sasl".to_owned()]));
    assert_eq!(c.auth.sasl_super_users.len(), 2);
}

#[test]
fn zabscope_compatibility_switches_to_3_8() {
    assert_eq!(good(MINIMAL).compatibility, Compatibility::V39);
    let old = good(&format!("{MINIMAL}zabscope.compatibility=3.8\n"));
    assert_eq!(old.compatibility, Compatibility::V38);
    assert_eq!(old.core.release, Release::V38);
    assert_eq!(good(MINIMAL).core.release, Release::V39);
}

#[test]
fn rights_reach_the_protocol() {
    assert_eq!(good(MINIMAL).core.rights, Rights::default());
    let c = good(&format!(
        "{MINIMAL}skipACL=yes\nDigestAuthenticationProvider.superDigest=super:abc=\n\
         DigestAuthenticationProvider.digestAlg=sha-256\nletAnySaslUserDoX=all\n\
         authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n\
         authProvider.2=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n\
         authProvider.3=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider\n\
         ensembleAuthName=east,west\n\
         superUser=root\nsuperUser.2=admin\nallowSaslFailedClients=true\n\
         enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl\n"
    ));
    let expected = Rights {
        skip_acl: true,
        digest: Some(DigestAlgorithm::Sha256),
        super_digest: Some("super:abc=".to_owned()),
        x509: true,
        sasl: true,
        any_sasl: Some("all".to_owned()),
        sasl_super_users: ["root".to_owned(), "admin".to_owned()].into(),
        forgives_failed_sasl: true,
        ensemble: Some(["east".to_owned(), "west".to_owned()].into()),
        enforced_schemes: Some(vec!["digest".to_owned(), "sasl".to_owned()]),
    };
    assert_eq!(c.core.rights, expected);
    let off = good(&format!(
        "{MINIMAL}DigestAuthenticationProvider.enabled=false\n"
    ));
    assert_eq!(off.core.rights.digest, None);
    let tls = good(&format!("{MINIMAL}secureClientPort=2281\n"));
    assert!(tls.core.rights.x509, "a port with TLS brings it along");
    let both = good(&format!("{MINIMAL}client.portUnification=true\n"));
    assert!(both.core.rights.x509, "so does one for both");
}

#[test]
fn a_cipher_suite_that_is_not_there_is_passed_over_with_a_warning() {
    let text =
        format!("{MINIMAL}ssl.ciphersuites=TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA\n");
    let loaded = load(&text).expect("the rest is right");
    let warned: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warned.iter().any(
            |w| w.contains("\"TLS_RSA_WITH_AES_128_CBC_SHA\" is not offered")
                && w.contains("there are TLS_AES_256_GCM_SHA384, ")
        ),
        "{warned:?}"
    );
}

#[test]
fn the_service_reaches_the_protocol() {
    let core = good(&format!(
        "{MINIMAL}enforceQuota=true\ndigest.enabled=false\ncloseSessionTxn.enabled=false\n\
         znode.container.maxPerMinute=7\nznode.container.maxNeverUsedIntervalMs=9\n"
    ))
    .core;
    assert!(core.enforce_quota && !core.digest && !core.close_session_txn);
    assert_eq!(core.container_max_per_minute, 7);
    assert_eq!(core.container_max_never_used, Some(Span::millis(9)));
    assert_eq!(
        core.members_text, None,
        "a server of its own names no members"
    );
    let usual = good(MINIMAL).core;
    assert!(!usual.enforce_quota && usual.digest && usual.close_session_txn);
    assert_eq!(usual.container_max_never_used, None);
}

#[test]
fn hours_may_have_a_unit() {
    for (text, seconds) in [("1", 3600), ("90m", 5400), ("1d", 86_400), ("30 s", 30)] {
        let c = good(&format!("{MINIMAL}autopurge.purgeInterval={text}\n"));
        assert_eq!(
            c.storage.purge_interval,
            Some(Duration::from_secs(seconds)),
            "{text}"
        );
    }
}

// Members.

#[test]
fn a_server_line_is_read_as_apache_reads_it() {
    for (text, written) in [
        ("h:2888:3888", "h:2888:3888:participant"),
        ("h:2888:3888:OBSERVER", "h:2888:3888:observer"),
        ("h:2888:3888;2181", "h:2888:3888:participant;0.0.0.0:2181"),
        ("h:2888:3888;", "h:2888:3888:participant"),
        (
            "[fe80::1]:2888:3888;[::]:2181",
            "[fe80::1]:2888:3888:participant;[::]:2181",
        ),
        ("z2:1:2|z1:3:4:observer", "z1:3:4|z2:1:2:observer"),
    ] {
        assert_eq!(
            Member::parse(text).map(|m| m.to_string()).as_deref(),
            Ok(written),
            "{text}"
        );
    }
    for text in [
        "",
        "h",
        "h:1",
        ":1:2",
        "h:1:2:3:4",
        "h:1:1",
        "h:0:1",
        "h:1:70000",
        "h:1:2;a:b:c",
        "h:1:2;1;2",
        "[::1:1:2",
        "[::1]",
        "h:1:2:voter",
        "a:1:2:observer|b:1:2:participant",
        "h:1:2;x",
    ] {
        assert!(Member::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_configuration_text_comes_back_the_same() {
    let text = "server.1=zk1:2888:3888:participant;0.0.0.0:2181\nserver.2=zk2:2888:3888:observer\nversion=100000002";
    let ensemble = Ensemble::parse_text(text).expect("good");
    assert_eq!(ensemble.version, Zxid(0x1_0000_0002));
    assert_eq!(ensemble.quorum_text(), text);
    assert_eq!(ids(ensemble.membership().observers), [2]);
    for wrong in [
        "server.x=h:1:2",
        "tickTime=1",
        "version=xyz",
        "weight.1=-1\nserver.1=h:1:2",
        "server.1=\\u12",
    ] {
        assert!(Ensemble::parse_text(wrong).is_err(), "{wrong}");
    }
}

// The format.

#[test]
fn properties_are_read_as_java_reads_them() {
    let (entries, bad) = properties::parse(
        b"# comment\n! comment \\\na=1\r\n  b : 2\rc\t3\n\nd=a\\\n    b\\\n   # no comment\nkey\\ with\\:blank = \\u0041\\t|\\q\ne\nf==x\nempty=\n g=trailing  \n\\u00e4=1\nx=\\u12",
    );
    let found: Vec<(&str, &str, usize)> = entries
        .iter()
        .map(|e| (e.key.as_str(), e.value.as_str(), e.line))
        .collect();
    assert_eq!(
        found,
        [
            ("a", "1", 3),
            ("b", "2", 4),
            ("c", "3", 5),
            ("d", "ab# no comment", 7),
            ("key with:blank", "A\t|q", 10),
            ("e", "", 11),
            ("f", "=x", 12),
            ("empty", "", 13),
            ("g", "trailing", 14),
            ("ä", "1", 15),
        ]
    );
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].line, 16);
}

#[test]
fn text_is_utf_8_or_else_latin_1() {
    let value = |bytes: &[u8]| properties::parse(bytes).0[0].value.clone();
    assert_eq!(value("dataDir=/données".as_bytes()), "/données");
    assert_eq!(value(b"dataDir=/donn\xe9es"), "/données");
}

// The table.

#[test]
fn the_table_finds_every_key_by_every_name() {
    for key in keys::all() {
        if let Some(stem) = key.family() {
            let found = keys::find(&format!("{stem}any")).expect(stem);
            assert_eq!(found.name, key.name);
            continue;
        }
        let property = key.property_name();
        let names = key
            .also
            .iter()
            .copied()
            .chain([key.name])
            .chain(property.as_deref());
        for name in names {
            assert_eq!(keys::find(name).map(|k| k.name), Some(key.name), "{name}");
        }
        if key.property != Property::FileOnly {
            let short = property
                .as_deref()
                .and_then(|p| p.strip_prefix("zookeeper."));
            if let Some(short) = short {
                assert_eq!(keys::find(short).map(|k| k.name), Some(key.name), "{short}");
            }
        }
        if let Some(default) = key.default_value() {
            assert!(
                values::read(key.kind, default).is_some(),
                "{}: {default}",
                key.name
            );
        }
    }
}

#[test]
fn no_key_stands_in_the_table_twice_and_each_says_what_it_does() {
    let mut names = BTreeSet::new();
    for key in keys::all() {
        assert!(names.insert(key.name), "{} twice", key.name);
        assert!(key.about.ends_with('.'), "{}", key.name);
        let bounded = !matches!(key.kind, Kind::Int(min, max) if min > max);
        assert!(bounded, "{}", key.name);
    }
    assert!(names.len() > 180, "{}", names.len());
}

#[test]
fn configuration_md_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let made = markdown();
    if env::var_os("ZABSCOPE_WRITE_DOCS").is_some() {
        fs::write(&path, &made).expect("it can be written");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(
        made == found,
        "docs/configuration.md is not what the table says; first difference: {differs:?}; \
         ZABSCOPE_WRITE_DOCS=1 cargo test -p zabscope-server --lib configuration_md writes it"
    );
}

#[test]
fn an_ordinary_configuration_is_obeyed_without_a_warning() {
    // The keys of the zoo.cfg that Apache and its packages ship, and what people add first.
    let ordinary = "tickTime=2000\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=60\n\
                    autopurge.snapRetainCount=3\nautopurge.purgeInterval=1\n\
                    4lw.commands.whitelist=ruok, mntr\npreAllocSize=1024\nforceSync=no\n\
                    snapCount=1000\njute.maxbuffer=2097152\nadmin.serverPort=8080\n";
    let loaded = load(&format!("{MINIMAL}{ordinary}")).expect("good");
    assert_eq!(loaded.warnings, []);
}

#[test]
fn ignored_and_refused_keys_are_told_with_the_reason() {
    let loaded = load(&format!(
        "{MINIMAL}jvm.pause.monitor=true\nserverCnxnFactory=x.Netty\n"
    ))
    .expect("good");
    let told = loaded
        .warnings
        .iter()
        .filter(|w| w.what.contains("is ignored: "))
        .count();
    assert_eq!(told, 2);
    for key in keys::all() {
        if let Use::Refused(why) = key.used {
            let found = errors(&format!("{MINIMAL}{}=x\n", key.name));
            assert!(
                found.iter().any(|e| e.contains(why)),
                "{}: {found:?}",
                key.name
            );
        }
    }
}

// Anything from outside.

/// A line that looks like configuration: a key of the table, or nearly, with some value.
fn line() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = keys::all().map(|k| k.name).collect();
    let key = prop_oneof![
        proptest::sample::select(names).prop_map(|n| n.replace(['<', '>'], "")),
        Just("server.1".to_owned()),
        Just("group.1".to_owned()),
        ".{0,12}",
    ];
    let value = prop_oneof![
        "[-0-9]{1,20}",
        "true|false|yes|no",
        "[a-z:;|0-9.\\[\\]]{0,24}",
        Just("h:1:2:observer;3".to_owned()),
        ".{0,16}",
    ];
    (key, value).prop_map(|(k, v)| format!("{k}={v}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4000 }))]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let sources = Sources { file: Some(Path::new("zoo.cfg")), ..Sources::default() };
        let _ = ServerConfig::load_with(&sources, &|_| Ok(bytes.clone()));
        let _ = Ensemble::parse_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_settings_make_it_panic(lines in proptest::collection::vec(line(), 0..12), flags in ".{0,60}") {
        let text = format!("{MINIMAL}{}", lines.join("\n"));
        let sources = Sources {
            file: Some(Path::new("zoo.cfg")),
            jvm_flags: Some(&flags),
            sets: &lines,
        };
        if let Ok(loaded) = ServerConfig::load_with(&sources, &|_| Ok(text.clone().into_bytes())) {
            let text = loaded.config.quorum_text();
            prop_assert_eq!(Ensemble::parse_text(&text), Ok(loaded.config.ensemble));
        }
    }

    #[test]
    fn what_java_would_write_is_read_back(key in "[a-zA-Z.]{1,10}", value in "[!-~][ -~]{0,30}[!-~]") {
        let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect::<String>()
            .replace("\\t", "t").replace("\\n", "n").replace("\\r", "r").replace("\\f", "f").replace("\\u", "u");
        let (entries, bad) = properties::parse(format!("{key}={escaped}\n").as_bytes());
        prop_assert!(bad.is_empty());
        prop_assert_eq!(&entries[0].key, &key);
        prop_assert_eq!(&entries[0].value, &value);
    }
}
