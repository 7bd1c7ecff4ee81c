//! A server on its own: who gets in where, and as whom.

use super::*;
use crate::testing::TestServer;
use std::{
    io::{Read, Write},
    net::TcpStream,
};
use zabscope_core::request::{Acl, CreateMode, ErrorCode, perms};

const SECURE: &str = "secureClientPort=0\nsecureClientPortAddress=127.0.0.1\n";

fn secure(server: &TestServer) -> SocketAddr {
    server.server.secure_address().expect("it listens")
}

fn acl(scheme: &str, id: &str) -> Arc<[Acl]> {
    Arc::from([Acl {
        perms: perms::ALL,
        scheme: scheme.into(),
        id: id.into(),
    }])
}

fn no_auth<T: std::fmt::Debug>(result: Result<T, ClientError>) {
    assert_eq!(
        result.expect_err("it is not allowed"),
        ClientError::Server(ErrorCode::NoAuth)
    );
}

#[test]
fn a_certificate_proves_an_identity_that_acls_know() {
    let authority = Authority::new();
    let server = TestServer::start(&(authority.lines("ssl.") + SECURE));
    let enter = |name: &str| {
        let store = authority.issue(name, &[]);
        connect(secure(&server), Some(authority.client(Some(store))), LONG).expect("it comes in")
    };
    let (alice, bob) = (enter("alice"), enter("bob"));
    let who = alice.who_am_i().expect("an answer");
    let who: Vec<_> = who.iter().map(|id| (&*id.scheme, &*id.id)).collect();
    assert_eq!(who, [("ip", "127.0.0.1"), ("x509", "CN=alice,O=Example")]);

    // By name, and as whoever it is that asks.
    for (path, acl) in [
        ("/named", acl("x509", "CN=alice,O=Example")),
        ("/mine", acl("auth", "")),
    ] {
        create(&alice, path, acl).expect("created");
        assert_eq!(
            alice.get_data(path, false).expect("hers").0.as_deref(),
            Some(&b"data"[..])
        );
        let (stored, _) = alice.get_acl(path).expect("hers");
        assert_eq!(stored, self::acl("x509", "CN=alice,O=Example"));
        no_auth(bob.get_data(path, false));
    }
    let wrong = create(&alice, "/wrong", acl("x509", "not a name"));
    assert_eq!(
        wrong.expect_err("no subject"),
        ClientError::Server(ErrorCode::InvalidAcl)
    );
}

#[test]
fn the_super_user_of_x509_may_do_everything() {
    let authority = Authority::new();
    let lines = authority.lines("ssl.")
        + SECURE
        + "X509AuthenticationProvider.superUser=CN=root,O=Example\n";
    let server = TestServer::start(&lines);
    let enter = |name: &str| {
        let store = authority.issue(name, &[]);
        connect(secure(&server), Some(authority.client(Some(store))), LONG).expect("it comes in")
    };
    let (alice, root) = (enter("alice"), enter("root"));
    create(&alice, "/a", acl("auth", "")).expect("created");
    assert!(root.get_data("/a", false).is_ok());
    create(&root, "/r", acl("auth", "")).expect("created");
    no_auth(alice.get_data("/r", false));
}

#[test]
fn who_shows_no_certificate_gets_in_only_where_none_is_needed() {
    let authority = Authority::new();
    let none = || Some(authority.client(None));
    let need = TestServer::start(&(authority.lines("ssl.") + SECURE));
    let refused = connect(secure(&need), none(), SHORT).expect_err("it needs one");
    assert!(
        refused.to_string().contains("asks for a certificate"),
        "{refused}"
    );

    let want = TestServer::start(&(authority.lines("ssl.") + SECURE + "ssl.clientAuth=want\n"));
    let anonymous = connect(secure(&want), none(), LONG).expect("it need not");
    assert_eq!(
        anonymous.who_am_i().expect("an answer").len(),
        1,
        "its address"
    );
    // One that is shown must be good even then.
    let strangers = Authority::new();
    let settings = settings(Some(strangers.issue("eve", &[])), Some(authority.ca()));
    let sides = Sides {
        server: false,
        client: true,
    };
    let eve = Context::load(&settings, "ssl.", sides).expect("stores");
    assert!(connect(secure(&want), Some(eve), SHORT).is_err());

    let lines = authority.lines("ssl.") + SECURE + "ssl.clientAuth=none\n";
    let open = TestServer::start(&lines);
    let alice = authority.client(Some(authority.issue("alice", &[])));
    let alice = connect(secure(&open), Some(alice), LONG).expect("it comes in");
    assert_eq!(
        alice.who_am_i().expect("an answer").len(),
        1,
        "nobody asked who it is"
    );
}

#[test]
fn a_certificate_that_is_itself_in_the_trust_store_is_trusted() {
    let authority = Authority::new();
    // As `openssl req -x509` makes them: signed by itself, and allowed to sign.
    let mut own = params("self", &["127.0.0.1"]);
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = key();
    let certificate = own.self_signed(&key).expect("a certificate");
    let (both, cert) = (authority.path("both.pem"), authority.path("cert.pem"));
    fs::write(&both, certificate.pem() + &key.serialize_pem()).expect("a file");
    fs::write(&cert, certificate.pem()).expect("a file");
    let server = TestServer::start(&format!(
        "{SECURE}ssl.keyStore.location={}\nssl.trustStore.location={}\n",
        both.display(),
        cert.display()
    ));
    let sides = Sides {
        server: false,
        client: true,
    };
    let context = Context::load(&settings(Some(both), Some(cert)), "ssl.", sides).expect("stores");
    let client = connect(secure(&server), Some(context), LONG).expect("both trust it");
    assert!(
        client
            .who_am_i()
            .expect("an answer")
            .iter()
            .any(|id| &*id.id == "CN=self,O=Example")
    );
}

#[test]
fn a_client_believes_only_a_certificate_that_names_the_server() {
    let authority = Authority::new();
    let elsewhere = authority.issue("elsewhere", &["zk.example.org"]);
    let server = TestServer::start(&format!(
        "{SECURE}ssl.clientAuth=none\nssl.keyStore.location={}\n",
        elsewhere.display()
    ));
    let refused = connect(secure(&server), Some(authority.client(None)), SHORT);
    let refused = refused.expect_err("another name").to_string();
    assert!(refused.contains("names neither 127.0.0.1 nor"), "{refused}");
    let stranger = Authority::new();
    let refused = connect(secure(&server), Some(stranger.client(None)), SHORT);
    let refused = refused.expect_err("nobody it knows").to_string();
    assert!(
        refused.contains("nobody in the trust store has issued"),
        "{refused}"
    );
}

#[test]
fn a_name_of_a_client_is_verified_where_that_is_wanted() {
    let authority = Authority::new();
    let lines = authority.lines("ssl.") + SECURE + "ssl.clientHostnameVerification=true\n";
    let server = TestServer::start(&lines);
    let enter = |name: &str, others: &[&str], patience| {
        let store = authority.issue(name, others);
        connect(
            secure(&server),
            Some(authority.client(Some(store))),
            patience,
        )
    };
    assert!(enter("here", &["127.0.0.1"], LONG).is_ok());
    assert!(enter("elsewhere", &["10.1.2.3"], SHORT).is_err());
}

#[test]
fn unification_takes_both_kinds_on_one_port() {
    let authority = Authority::new();
    let server = TestServer::start(&(authority.lines("ssl.") + "client.portUnification=true\n"));
    let at = server.server.client_address().expect("it listens");
    let plain = connect(at, None, LONG).expect("plain");
    let alice = authority.client(Some(authority.issue("alice", &[])));
    let alice = connect(at, Some(alice), LONG).expect("with TLS");
    create(&alice, "/a", acl("auth", "")).expect("created");
    no_auth(plain.get_data("/a", false));
    assert!(
        server.word("srvr").contains("Mode: standalone"),
        "words too"
    );
    let (_, _, shown) = server.http("GET /commands/connections HTTP/1.0\r\n\r\n");
    let shown: serde_json::Value = serde_json::from_slice(&shown).expect("JSON");
    for (kind, client) in [("connections", &plain), ("secure_connections", &alice)] {
        let all = shown[kind].as_array().expect("a list");
        // That of the word may still be closing.
        let all: Vec<_> = all.iter().filter(|c| c["session_id"] != 0).collect();
        assert_eq!(
            (all.len(), &all[0]["session_id"]),
            (1, &client.session().0.into()),
            "{kind}"
        );
    }
}

/// What comes back before the connection is closed, which must happen soon.
fn says(at: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).expect("it accepts");
    stream.set_read_timeout(Some(LONG)).expect("a time-out");
    stream.write_all(bytes).expect("it reads");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        read => drop(read.expect("it closes")),
    }
    answer
}

#[test]
fn the_wrong_kind_of_connection_is_closed() {
    let authority = Authority::new();
    let server = TestServer::start(&(authority.lines("ssl.") + SECURE));
    let plain = server.server.client_address().expect("it listens");
    assert!(
        says(secure(&server), b"srvr").is_empty(),
        "plain text on the port with TLS"
    );
    assert!(
        says(plain, b"\x16\x03\x01\x02\x00\x01").is_empty(),
        "TLS on the plain port"
    );
    // No handshake comes of what only begins like one.
    let mut noise = vec![22, 3, 1, 0, 200];
    noise.extend([0xa5; 200]);
    says(secure(&server), &noise);
    assert_eq!(
        server.server.look(LONG, |_| ()),
        Some(()),
        "it is still there"
    );
    let (_, _, metrics) = server.metrics("GET /metrics HTTP/1.0\r\n\r\n");
    let metrics = String::from_utf8(metrics).expect("text");
    assert!(
        metrics.contains("\nunsuccessful_handshake 3.0\n"),
        "{metrics}"
    );
    let refused = connect(plain, Some(authority.client(None)), SHORT);
    assert!(refused.is_err(), "our client does not speak TLS to itself");
}

#[test]
fn a_silent_connection_keeps_nobody_else_out() {
    let authority = Authority::new();
    let server = TestServer::start(&(authority.lines("ssl.") + SECURE));
    let mut silent: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(secure(&server)).expect("it accepts"))
        .collect();
    for half in silent.iter_mut().take(10) {
        half.write_all(&[22, 3, 1]).expect("it reads");
    }
    let alice = authority.client(Some(authority.issue("alice", &[])));
    connect(secure(&server), Some(alice), LONG).expect("it comes in");
}

#[test]
fn much_data_goes_both_ways() {
    let authority = Authority::new();
    let server = TestServer::start(&(authority.lines("ssl.") + SECURE));
    let alice = authority.client(Some(authority.issue("alice", &[])));
    let alice = connect(secure(&server), Some(alice), LONG).expect("it comes in");
    let large: Arc<[u8]> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    let open = zabscope_core::tree::acl::open();
    for n in 0..4 {
        let path = format!("/large{n}");
        let made = alice.create(
            &path,
            Some(large.clone()),
            open.clone(),
            CreateMode::Persistent,
            0,
        );
        made.expect("created");
        assert_eq!(
            alice.get_data(&path, false).expect("there").0.as_deref(),
            Some(&*large)
        );
    }
}

#[test]
fn old_versions_of_tls_and_chosen_cipher_suites_are_spoken_alone() {
    let authority = Authority::new();
    let only = "ssl.enabledProtocols=TLSv1.2\nssl.clientAuth=none\n\
                ssl.ciphersuites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n";
    let server = TestServer::start(&(authority.lines("ssl.") + SECURE + only));
    let with = |versions, suites: &[&str]| {
        let settings = Tls {
            versions,
            cipher_suites: Some(suites.iter().map(|s| (*s).to_owned()).collect()),
            ..settings(None, Some(authority.ca()))
        };
        let sides = Sides {
            server: false,
            client: true,
        };
        Context::load(&settings, "ssl.", sides).expect("it is right")
    };
    let fits = with([true, false], &["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]);
    assert!(connect(secure(&server), Some(fits), LONG).is_ok());
    let newer = with([false, true], &["TLS_AES_128_GCM_SHA256"]);
    assert!(connect(secure(&server), Some(newer), SHORT).is_err());
    let other = with([true, false], &["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]);
    assert!(connect(secure(&server), Some(other), SHORT).is_err());
}

#[test]
fn administration_speaks_https_where_that_is_wanted() {
    let authority = Authority::new();
    let server =
        TestServer::start(&(authority.lines("ssl.quorum.") + "admin.portUnification=true\n"));
    let (status, ..) = server.http("GET /commands/ruok HTTP/1.0\r\n\r\n");
    assert_eq!(status, 200, "plain");
    let over_tls = |at: SocketAddr| {
        let config = authority.client(None).client().expect("for a client");
        let name = super::super::server_name("127.0.0.1");
        let session = rustls::ClientConnection::new(config, name).expect("a session");
        let socket = TcpStream::connect(at).expect("it accepts");
        let mut stream = rustls::StreamOwned::new(session, socket);
        stream
            .write_all(b"GET /commands/ruok HTTP/1.0\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    };
    let answer = over_tls(server.server.admin_address().expect("it listens"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let forced = TestServer::start(&(authority.lines("ssl.quorum.") + "admin.forceHttps=true\n"));
    let at = forced.server.admin_address().expect("it listens");
    assert!(over_tls(at).starts_with("HTTP/1.1 200"));
    assert!(says(at, b"GET /commands/ruok HTTP/1.0\r\n\r\n").is_empty());
}

#[test]
fn prometheus_reads_over_https_with_keys_of_its_own() {
    let authority = Authority::new();
    let lines = authority.lines("metricsProvider.ssl.") + "metricsProvider.httpsPort=0\n";
    let server = TestServer::start(&(lines.clone() + "metricsProvider.ssl.clientAuth=none\n"));
    let get = |server: &TestServer, key: Option<PathBuf>| {
        let config = authority.client(key).client().expect("for a client");
        let name = super::super::server_name("127.0.0.1");
        let session = rustls::ClientConnection::new(config, name).expect("a session");
        let at = server.server.metrics_https_address().expect("it listens");
        let socket = TcpStream::connect(at).expect("it accepts");
        let mut stream = rustls::StreamOwned::new(session, socket);
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n");
        asked
            .and_then(|()| stream.read_to_string(&mut answer))
            .map(|_| answer)
    };
    let answer = get(&server, None).expect("it answers");
    assert!(answer.contains("\nznode_count "), "{answer}");
    let (status, ..) = server.metrics("GET /metrics HTTP/1.0\r\n\r\n");
    assert_eq!(status, 200, "both ports were named");
    let at = server.server.metrics_https_address().expect("it listens");
    assert!(says(at, b"GET /metrics HTTP/1.0\r\n\r\n").is_empty());

    // With a trust store a certificate is asked for, as everywhere.
    let strict = TestServer::start(&lines);
    assert!(get(&strict, None).is_err());
    let known = authority.issue("prometheus", &[]);
    let answer = get(&strict, Some(known)).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn create(client: &Client, path: &str, acl: Arc<[Acl]>) -> Result<(), ClientError> {
    let made = client.create(
        path,
        Some(Arc::from(*b"data")),
        acl,
        CreateMode::Persistent,
        0,
    );
    made.map(drop)
}
