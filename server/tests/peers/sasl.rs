//! Members that prove themselves to each other (`quorum.auth.enableSasl`).

use super::*;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zabscope_server::{
    Server,
    sasl::{
        Credentials,
        digest_md5::Initiator,
        quorum::{Packet as AuthPacket, QUORUM, Status},
    },
};

/// A JAAS file whose members say this password when they connect.
fn write_jaas(directory: &Path, says: &str) -> PathBuf {
    let file = directory.join("jaas.conf");
    let module = "org.apache.zookeeper.server.auth.DigestLoginModule required";
    let text = format!(
        "QuorumServer {{ {module} user_member=\"secret\"; }};\n\
         QuorumLearner {{ {module} username=\"member\" password=\"{says}\"; }};\n"
    );
    fs::write(&file, text).expect("a file can be written");
    file
}

/// Three members that let nobody in without the secret.
fn strict() -> (Ensemble, TempDir) {
    let directory = TempDir::new().expect("a directory");
    let file = write_jaas(directory.path(), "secret");
    let ensemble = Server::builder()
        .servers(3)
        .set(
            "java.security.auth.login.config",
            file.to_str().expect("a name"),
        )
        .set("quorum.auth.enableSasl", "true")
        .set("quorum.auth.learnerRequireSasl", "true")
        .set("quorum.auth.serverRequireSasl", "true")
        .start()
        .expect("started");
    (ensemble, directory)
}

/// Answers a member's challenge with a name and a password; what it says in the end.
fn prove(stream: &mut TcpStream, name: &str, password: &str) -> AuthPacket {
    let own = Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    };
    let mut initiator = Initiator::new(QUORUM, own);
    let mut token = Vec::new();
    loop {
        let mut bytes = Vec::new();
        let status = Status::InProgress;
        AuthPacket { status, token }.encode(&mut bytes);
        stream.write_all(&bytes).expect("it reads");
        let packet = receive(stream);
        if packet.status != Status::InProgress {
            return packet;
        }
        token = initiator.respond(&packet.token).expect("a challenge");
    }
}

fn receive(stream: &mut TcpStream) -> AuthPacket {
    let mut bytes = Vec::new();
    loop {
        if let Some((packet, used)) = AuthPacket::decode(&bytes).expect("a packet") {
            assert_eq!(used, bytes.len(), "nothing follows");
            return packet;
        }
        let mut next = [0];
        stream.read_exact(&mut next).expect("it answers");
        bytes.extend(next);
    }
}

#[test]
fn members_that_know_the_secret_form_an_ensemble_and_nobody_else_joins() {
    let (mut ensemble, directory) = strict();
    ensemble.wait_until_serving(LIMIT).expect("serves");

    // A member that has lost the secret stays outside, whoever it is; the others go on.
    write_jaas(directory.path(), "guess");
    ensemble.kill(3).expect("killed");
    wait_until("an ensemble of two", || {
        serves(&ensemble, 1) && serves(&ensemble, 2)
    });
    ensemble.restart(3).expect("started");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        assert!(!serves(&ensemble, 3), "it does not know the secret");
        assert!(serves(&ensemble, 1) && serves(&ensemble, 2));
        thread::sleep(Duration::from_millis(20));
    }
    write_jaas(directory.path(), "secret");
    ensemble.stop(3).expect("stopped");
    ensemble.restart(3).expect("started");
    ensemble.wait_until_serving(LIMIT).expect("all serve");
}

#[test]
fn a_liar_without_the_secret_is_refused_at_both_ports() {
    let (ensemble, _directory) = strict();
    ensemble.wait_until_serving(LIMIT).expect("serves");
    let before = State::of(&ensemble);
    for id in [1, 2, 3] {
        for claim in [1, 2, 3] {
            // It does not even try: what follows is a notification's frame, or a learner's packet.
            let mut election = knock(&ensemble, id, Port::Election);
            say(&mut election, &greeting(claim));
            say(&mut election, &[0, 0, 0, 40]);
            say(&mut election, &[0; 40]);
            let (said, took) = until_closed(&mut election);
            assert_eq!(said, b"", "no word about the election");
            assert!(took < Duration::from_secs(4), "at once: {took:?}");
            let mut learner = knock(&ensemble, id, Port::Quorum);
            say(&mut learner, &introduction(claim));
            let (said, took) = until_closed(&mut learner);
            assert_eq!(said, b"", "no LEADERINFO");
            assert!(took < Duration::from_secs(4), "at once: {took:?}");
        }
        // It guesses.
        for port in BOTH {
            for (name, password) in [("member", "guess"), ("other", "secret"), ("x", "")] {
                let mut stream = knock(&ensemble, id, port);
                if let Port::Election = port {
                    say(&mut stream, &greeting(3));
                }
                let packet = prove(&mut stream, name, password);
                assert_eq!(packet.status, Status::Error, "{name}");
                assert_eq!(until_closed(&mut stream).0, b"");
            }
        }
    }
    assert_eq!(State::of(&ensemble), before);
}

#[test]
fn who_knows_the_secret_is_heard_after_it() {
    let (ensemble, _directory) = strict();
    ensemble.wait_until_serving(LIMIT).expect("serves");
    let leader = ensemble.leader().expect("it serves");
    let mut stream = knock(&ensemble, leader, Port::Quorum);
    assert_eq!(
        prove(&mut stream, "member", "secret").status,
        Status::Success
    );
    // No member has this id: refused, but for that reason.
    say(&mut stream, &introduction(77));
    assert_eq!(until_closed(&mut stream).0, b"");
    // The election port answers with the last notification.
    let mut stream = knock(&ensemble, 1, Port::Election);
    say(&mut stream, &greeting(3));
    assert_eq!(
        prove(&mut stream, "member", "secret").status,
        Status::Success
    );
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a notification");
    assert!(u32::from_be_bytes(length) > 40);
}
