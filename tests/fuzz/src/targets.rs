//! The targets: one for each thing that reads bytes which somebody else has written.

use crate::meter;
use std::{io, path::Path, sync::Arc};
use zabscope_core::{
    id::Zxid,
    request::Request,
    tree::TtlOwners,
    txn::TxnBody,
    wire::{
        client::{self, Connect, Connected},
        election::{Greeting, Message},
        frame,
        jute::record_limit,
        quorum::{self, Packet, Sender},
        snapshot::{Encoder, Form, Loader, Options},
        txn,
        txnlog::LogReader,
    },
};
use zabscope_server::{
    config::{Ensemble, ServerConfig, Sources},
    http,
    net::words::Word,
    sasl::{
        CLIENTS, Credentials, Users,
        digest_md5::{Acceptor, Answer, Initiator},
        jaas::{self, Jaas},
        quorum::Packet as AuthPacket,
    },
};

/// `jute.maxbuffer`: small enough that a promise which is believed shows.
const LIMIT: usize = 1 << 20;

/// Something that reads bytes from outside.
pub struct Target {
    /// Its name: that of its program, and of its corpus.
    pub name: &'static str,
    /// Memory that is allowed for each byte that came; a fixed part comes to it.
    each: usize,
    /// What it always may hold: tables, messages.
    fixed: usize,
    read: fn(&[u8]),
}

impl Target {
    /// Gives it these bytes.
    ///
    /// # Panics
    /// If it does not bear them.
    pub fn run(&self, bytes: &[u8]) {
        let most = meter::most(|| (self.read)(bytes));
        let allowed = self.fixed + self.each * bytes.len();
        assert!(
            most <= allowed,
            "{}: {most} bytes held for {} that came",
            self.name,
            bytes.len()
        );
    }
}

const fn target(name: &'static str, read: fn(&[u8])) -> Target {
    Target {
        name,
        // What was read is held beside what is written of it and read again.
        each: 128,
        fixed: 64 << 10,
        read,
    }
}

/// All of them.
pub const ALL: &[Target] = &[
    target("client_request", client_request),
    target("client_reply", client_reply),
    target("connect", connect),
    target("notification", notification),
    target("quorum_packet", quorum_packet),
    target("txn", read_txn),
    Target {
        // A disk is read in large pieces.
        fixed: 256 << 10,
        ..target("txn_log", txn_log)
    },
    Target {
        // A node of eighty bytes is an entry in several maps.
        each: 512,
        ..target("snapshot", snapshot)
    },
    Target {
        // All keys, with what is wrong with each.
        fixed: 4 << 20,
        each: 512,
        ..target("zoo_cfg", zoo_cfg)
    },
    target("members", members),
    target("jaas", jaas_file),
    target("sasl", sasl),
    target("http_head", http_head),
];

/// The first byte chooses among `n` ways to read the rest.
fn choose(bytes: &[u8], n: u8) -> Option<(u8, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((first % n, rest))
}

fn client_request(frame: &[u8]) {
    let Ok((xid, request)) = client::decode_request(frame, LIMIT) else {
        return;
    };
    let mut again = Vec::new();
    client::encode_request(xid, &request, &mut again);
    // U+FFFD takes more room than the byte for which it stands.
    let (xid_again, request_again) =
        client::decode_request(&again, 4 * LIMIT).expect("what we write can be read");
    assert_eq!(xid_again, xid);
    if !matches!(request, Request::Refused { .. }) {
        assert_eq!(request_again, request);
    }
}

/// Every opcode whose reply has a form of its own.
const OPCODES: [i32; 24] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 18, 19, 22, 100, 102, 103, 104, 106, 107, -11,
];

fn client_reply(bytes: &[u8]) {
    let Some((n, frame)) = choose(bytes, 24) else {
        return;
    };
    let _ = client::decode_from_server(frame, LIMIT, |_| Some(OPCODES[usize::from(n)]));
}

fn connect(bytes: &[u8]) {
    if let Some(first) = bytes.first_chunk()
        && let Some(word) = Word::of(i32::from_be_bytes(*first))
    {
        assert_eq!(word.name().as_bytes(), first);
        return;
    }
    if let Ok(Some((frame, used))) = frame::read(bytes, 0..=LIMIT) {
        assert!(used <= bytes.len());
        if let Ok(connect) = Connect::decode(frame, LIMIT) {
            let mut again = Vec::new();
            connect.encode(&mut again);
            assert_eq!(Connect::decode(&again, LIMIT).as_ref(), Ok(&connect));
        }
        let _ = Connected::decode(frame, LIMIT);
    }
}

fn notification(bytes: &[u8]) {
    match choose(bytes, 2) {
        Some((0, bytes)) => {
            if let Ok(Some((greeting, used))) = Greeting::decode(bytes) {
                assert!(used <= bytes.len());
                let mut again = Vec::new();
                greeting.encode(&mut again);
                let read = Greeting::decode(&again).expect("what we write can be read");
                assert_eq!(read, Some((greeting, again.len())));
            }
        }
        Some((_, frame)) => {
            if let Ok(message) = Message::decode(frame) {
                let mut again = Vec::new();
                message.encode(&mut again);
                assert_eq!(Message::decode(&again).as_ref(), Ok(&message));
            }
        }
        None => {}
    }
}

fn quorum_packet(bytes: &[u8]) {
    let Some((n, mut bytes)) = choose(bytes, 2) else {
        return;
    };
    let sender = [Sender::Learner, Sender::Leader][usize::from(n)];
    while let Ok(Some((packet, used))) = quorum::decode(bytes, sender, record_limit(LIMIT)) {
        assert!(0 < used && used <= bytes.len());
        bytes = &bytes[used..];
        if !matches!(packet, Packet::Unexpected(_)) {
            let mut again = Vec::new();
            quorum::encode(&packet, &mut again);
            let read = quorum::decode(&again, sender, 4 * record_limit(LIMIT));
            assert_eq!(read, Ok(Some((packet.clone(), again.len()))));
        }
        let _ = packet.into_message();
    }
}

fn read_txn(bytes: &[u8]) {
    let _ = txn::decode_header(bytes);
    if let Ok(read) = txn::decode(bytes, record_limit(LIMIT)) {
        // Two paths that are empty look like the digest 0 behind no paths: an old format's ambiguity.
        if matches!(read.body, TxnBody::CloseSession { .. }) {
            return;
        }
        let mut again = Vec::new();
        txn::encode(&read, &mut again);
        assert_eq!(txn::decode(&again, 4 * record_limit(LIMIT)), Ok(read));
    }
}

fn txn_log(bytes: &[u8]) {
    let Ok(mut reader) = LogReader::open(bytes, LIMIT, None) else {
        return;
    };
    for record in reader.by_ref() {
        if record.is_err() {
            return;
        }
    }
    assert!(reader.at() <= bytes.len() as u64);
    assert!(reader.end().is_some(), "it says how it ended");
}

const fn file(digest: bool, last_zxid: bool) -> Form {
    Form::File { digest, last_zxid }
}

fn snapshot(bytes: &[u8]) {
    let Some((n, bytes)) = choose(bytes, 8) else {
        return;
    };
    let form = match n % 4 {
        0 => Form::Wire,
        1 => file(false, false),
        2 => file(true, false),
        _ => file(true, true),
    };
    let mut loader = Loader::new(
        form,
        Options {
            limit: record_limit(LIMIT),
            ttls: match n >= 4 {
                true => TtlOwners::Extended,
                false => TtlOwners::None,
            },
        },
    );
    // In pieces, as it comes from a disk or a peer.
    for piece in bytes.chunks(64) {
        match loader.feed(piece) {
            Ok(used) => assert!(used <= piece.len()),
            Err(_) => return,
        }
    }
    if let Ok(loaded) = loader.finish(Zxid(1)) {
        // What was loaded can be sent on.
        let mut encoder = Encoder::new(&loaded.database, Form::Wire);
        let mut out = Vec::new();
        while encoder.next_chunk(&mut out) {
            out.clear();
        }
    }
}

/// zoo.cfg up to a zero byte, SERVER_JVMFLAGS after it.
fn zoo_cfg(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let flags = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let path = Path::new("zoo.cfg");
    let read = |asked: &Path| {
        if asked == path {
            Ok(file.to_vec())
        } else if asked.ends_with("myid") {
            Ok(b"1".to_vec())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    };
    let sources = Sources {
        file: Some(path),
        jvm_flags: (!flags.is_empty()).then_some(&*flags),
        sets: &[],
    };
    match ServerConfig::load_with(&sources, &read) {
        Ok(loaded) => {
            let _ = loaded.config.quorum_text();
            for warning in &loaded.warnings {
                let _ = warning.to_string();
            }
        }
        Err(error) => assert!(!error.to_string().is_empty(), "it says what is wrong"),
    }
}

fn members(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(ensemble) = Ensemble::parse_text(text) {
        let again = ensemble.quorum_text();
        let read = Ensemble::parse_text(&again).expect("what we write can be read");
        assert_eq!(read.quorum_text(), again);
    }
}

fn jaas_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Jaas::parse(&text) {
        Ok(file) => {
            for name in ["Server", "QuorumServer", "QuorumLearner"] {
                let modules = file.section(name).unwrap_or_default();
                let _ = (jaas::users(modules), jaas::credentials(modules));
            }
        }
        Err(problem) => assert!(problem.line <= text.matches('\n').count() + 1),
    }
}

/// `NONCE` in the bytes stands for the server's, so that more is read than that.
fn sasl(bytes: &[u8]) {
    let own = || Credentials {
        name: "bob".to_owned(),
        password: "bobsecret".to_owned(),
    };
    match choose(bytes, 3) {
        Some((0, token)) => {
            let users = Users::new([("bob".to_owned(), "bobsecret".to_owned())]);
            let mut acceptor = Acceptor::new(CLIENTS, Arc::new(users));
            let Ok(Answer::Challenge(challenge)) = acceptor.evaluate(b"") else {
                panic!("there is always a challenge");
            };
            let nonce = challenge.split(|byte| *byte == b'"').nth(3);
            let token = replaced(token, b"NONCE", nonce.expect("it has a nonce"));
            assert!(
                acceptor.evaluate(&token).is_err(),
                "nobody knows the password"
            );
        }
        Some((1, token)) => {
            let mut initiator = Initiator::new(CLIENTS, own());
            let _ = initiator.respond(token);
            assert!(
                initiator.verify(token).is_err(),
                "nobody knows the password"
            );
        }
        Some((_, bytes)) => {
            if let Ok(Some((packet, used))) = AuthPacket::decode(bytes) {
                assert!(used <= bytes.len());
                let mut again = Vec::new();
                packet.encode(&mut again);
                let read = AuthPacket::decode(&again).expect("what we write can be read");
                assert_eq!(read, Some((packet, again.len())));
            }
        }
        None => {}
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match bytes.windows(from.len()).position(|part| part == from) {
        Some(at) => [&bytes[..at], to, &bytes[at + from.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

fn http_head(bytes: &[u8]) {
    let _ = http::parse(bytes);
}
