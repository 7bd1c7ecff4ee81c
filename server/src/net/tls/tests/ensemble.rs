//! Members among themselves.

use super::*;
use crate::embedded::{Builder, Ensemble};
use std::{
    io::{Read, Write},
    net::TcpStream,
};
use zabscope_core::{
    request::{Acl, CreateMode, ErrorCode, perms},
    tree::acl,
};

fn builder(authority: &Authority, lines: &[(&str, &str)]) -> Builder {
    let key = authority.issue("server", &["127.0.0.1"]);
    let mut builder = Builder::new().servers(3).tick(Duration::from_millis(200));
    for (name, value) in [
        ("ssl.quorum.keyStore.location", key.to_str().expect("text")),
        (
            "ssl.quorum.trustStore.location",
            authority.ca().to_str().expect("text"),
        ),
    ] {
        builder = builder.set(name, value);
    }
    for (name, value) in lines {
        builder = builder.set(name, value);
    }
    builder
}

/// It elects, commits, loses its leader, and does both again.
fn serves(ensemble: &mut Ensemble) {
    ensemble.wait_until_serving(LONG * 2).expect("it serves");
    let write = |ensemble: &Ensemble, path: &str| {
        let options = Options::parse(&ensemble.connect_string()).expect("servers");
        let client = Client::connect(options, |_| {}).expect("a session");
        let made = client.create(path, None, acl::open(), CreateMode::Persistent, 0);
        made.expect("committed");
    };
    write(ensemble, "/a");
    let leader = ensemble.leader().expect("it serves");
    ensemble.kill(leader).expect("it ran");
    ensemble.wait_until_serving(LONG * 2).expect("two serve");
    write(ensemble, "/b");
    ensemble.restart(leader).expect("it starts");
    ensemble.wait_until_serving(LONG * 2).expect("three serve");
}

/// The peer ports of one server, from the text of all members.
fn peer_ports(ensemble: &Ensemble) -> Vec<SocketAddr> {
    let options = Options::parse(&ensemble.connect_string()).expect("servers");
    let client = Client::connect(options, |_| {}).expect("a session");
    let (text, _) = client.get_config(false).expect("the members");
    let text = String::from_utf8(text.expect("text").to_vec()).expect("text");
    let mut ports = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("server.")) {
        let parts: Vec<&str> = line.split(':').collect();
        for port in &parts[1..3] {
            ports.push(format!("127.0.0.1:{port}").parse().expect("an address"));
        }
    }
    assert_eq!(ports.len(), 6, "{text}");
    ports
}

#[test]
fn members_with_tls_elect_and_commit_and_let_no_stranger_in() {
    let authority = Authority::new();
    let mut ensemble = builder(&authority, &[("sslQuorum", "true")])
        .start()
        .expect("it starts");
    serves(&mut ensemble);

    let eve = Authority::new();
    let foreign = eve.client(Some(eve.issue("eve", &["127.0.0.1"])));
    for at in peer_ports(&ensemble) {
        // Only the leader listens at its quorum port for learners.
        let Ok(mut stream) = TcpStream::connect(at) else {
            continue;
        };
        stream.set_read_timeout(Some(LONG)).expect("a time-out");
        // A greeting as a server of id 9 says it to an election port.
        let _ = stream.write_all(&[
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
        ]);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "plain text gets no answer from {at}");
        let tls = super::super::Dialer::secure(Arc::clone(&foreign));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let refused = runtime
            .expect("a runtime")
            .block_on(tls.connect(&at.to_string()));
        assert!(
            refused.is_err(),
            "certificates of others count for nothing at {at}"
        );
    }
    ensemble.wait_until_serving(LONG).expect("it still serves");
}

#[test]
fn an_ensemble_changes_to_tls_one_server_after_the_other() {
    let authority = Authority::new();
    let mut ensemble = builder(&authority, &[]).start().expect("it starts");
    ensemble.wait_until_serving(LONG * 2).expect("without TLS");
    for stage in [
        "portUnification=true\n",
        "sslQuorum=true\n",
        "portUnification=false\n",
    ] {
        for id in [1, 2, 3] {
            ensemble.stop(id).expect("it ran");
            let file = ensemble.directory().join(format!("server.{id}/zoo.cfg"));
            let text = fs::read_to_string(&file).expect("a file");
            let kept = text
                .lines()
                .filter(|line| !stage.starts_with(line.split('=').next().unwrap_or("")));
            let kept: Vec<&str> = kept.collect();
            fs::write(&file, kept.join("\n") + "\n" + stage).expect("a file");
            ensemble.restart(id).expect("it starts");
            ensemble
                .wait_until_serving(LONG * 2)
                .expect("all three, of two kinds");
        }
    }
    let plain = TcpStream::connect(peer_ports(&ensemble)[1]).expect("it accepts");
    let mut plain = plain;
    plain.set_read_timeout(Some(LONG)).expect("a time-out");
    plain.write_all(&[0; 16]).expect("it reads");
    let read = plain.read(&mut [0; 1]);
    assert!(
        matches!(read, Ok(0) | Err(_)),
        "plain text is not let in any more"
    );
}

#[test]
fn an_identity_of_x509_counts_on_every_server() {
    let authority = Authority::new();
    let key = authority.issue("server", &["127.0.0.1"]);
    let ensemble = builder(
        &authority,
        &[
            ("secureClientPort", "0"),
            ("secureClientPortAddress", "127.0.0.1"),
            ("ssl.keyStore.location", key.to_str().expect("text")),
            (
                "ssl.trustStore.location",
                authority.ca().to_str().expect("text"),
            ),
        ],
    );
    let ensemble = ensemble.start().expect("it starts");
    ensemble.wait_until_serving(LONG * 2).expect("it serves");
    let alice = authority.client(Some(authority.issue("alice", &[])));
    let bob = authority.client(Some(authority.issue("bob", &[])));
    let own = Arc::from([Acl {
        perms: perms::ALL,
        scheme: "auth".into(),
        id: "".into(),
    }]);
    for id in ensemble.ids() {
        let server = ensemble.server(id).expect("it runs");
        let at = server.secure_address().expect("it listens");
        let enter =
            |who: &Arc<Context>| connect(at, Some(Arc::clone(who)), LONG).expect("it comes in");
        let (alice, bob) = (enter(&alice), enter(&bob));
        // Followers forward who it is together with what is written.
        let path = format!("/of-{id}");
        let made = alice.create(&path, None, Arc::clone(&own), CreateMode::Persistent, 0);
        made.expect("she may");
        let (acl, _) = alice.get_acl(&path).expect("hers");
        assert_eq!(
            (&*acl[0].scheme, &*acl[0].id),
            ("x509", "CN=alice,O=Example")
        );
        let refused = bob.set_data(&path, None, -1).expect_err("it is hers");
        assert_eq!(refused, ClientError::Server(ErrorCode::NoAuth));
        alice.set_data(&path, None, -1).expect("she may");
    }
}
