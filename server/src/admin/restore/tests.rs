use super::*;
use crate::{
    Server,
    http::Framing,
    testing::{Directory, TestClient, TestServer, config},
};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};
use zabscope_core::{
    id::Zxid,
    request::{CreateMode, ErrorCode, Request},
    tree::Database,
    wire::snapshot::{Encoder, Form},
};

const NO_LIMIT: &str = "admin.rateLimiterIntervalInMS=0\n4lw.commands.whitelist=mntr\n";

fn restore_as(s: &TestServer, more: &str, body: &[u8]) -> (u16, Value) {
    let head =
        format!("POST /commands/restore HTTP/1.1\r\nAuthorization: digest me:secret\r\n{more}\r\n");
    let (status, _, said) = s.post(&head, body);
    let said: Value = serde_json::from_slice(&said).expect("JSON");
    assert_eq!(said["command"], "restore");
    (status, said)
}

fn restore(s: &TestServer, body: &[u8]) -> (u16, Value) {
    let more = format!(
        "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
        body.len()
    );
    restore_as(s, &more, body)
}

/// A server that looks for the others of its ensemble.
fn looking() -> TestServer {
    let directory = Directory::new();
    fs::write(directory.path().join("myid"), "1\n").expect("a file can be written");
    let free = || {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        port.expect("there is a port").port()
    };
    let mut lines = "initLimit=10\nsyncLimit=5\n4lw.commands.whitelist=mntr\n".to_owned();
    for id in 1..=3 {
        lines += &format!("server.{id}=127.0.0.1:{}:{}\n", free(), free());
    }
    let server = Server::start(&config(&directory, &lines)).expect("it starts");
    TestServer { server, directory }
}

#[test]
fn nothing_is_restored_or_copied_by_who_does_not_serve_and_its_status_says_so() {
    let s = looking();
    let (status, said) = restore(&s, b"ZKSN");
    let not_serving = "This ZooKeeper instance is not currently serving requests";
    assert_eq!((status, &said["error"]), (503, &not_serving.into()));
    for _ in 0..2 {
        let request = "GET /commands/snapshot HTTP/1.1\r\nAuthorization: digest me:secret\r\n\r\n";
        let (status, _, body) = s.http(request);
        let said: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((status, &said["error"]), (503, &not_serving.into()));
    }
    let (_, _, metrics) = s.metrics("GET /metrics HTTP/1.1\r\n\r\n");
    let metrics = String::from_utf8(metrics).expect("text");
    for line in ["restore_error_count 1.0", "snapshot_error_count 2.0"] {
        assert!(metrics.lines().any(|l| l == line), "{line}: {metrics}");
    }
    // The others say it as Apache's do.
    let (status, _, body) = s.http("GET /commands/stats HTTP/1.1\r\n\r\n");
    let said: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &said["error"]), (200, &not_serving.into()));
}

fn snapshot(s: &TestServer) -> Vec<u8> {
    let request = "GET /commands/snapshot HTTP/1.1\r\nAuthorization: digest me:secret\r\n\r\n";
    let (status, head, body) = s.http(request);
    assert_eq!(status, 200, "{head}");
    body
}

fn encoded(db: &Database, form: Form) -> Vec<u8> {
    let (mut all, mut encoder) = (Vec::new(), Encoder::new(db, form));
    while encoder.next_chunk(&mut all) {}
    all
}

fn database(s: &TestServer) -> Database {
    let look = s
        .server
        .look(Duration::from_secs(5), |view| view.peer.database().clone());
    look.expect("it answers")
}

fn exists(client: &mut TestClient, path: &str) -> bool {
    let reply = client.ask(Request::Exists {
        path: path.into(),
        watch: false,
    });
    match reply.result {
        Ok(_) => true,
        Err(ErrorCode::NoNode) => false,
        Err(other) => panic!("{path}: {other:?}"),
    }
}

#[test]
fn a_restored_server_has_the_snapshots_tree_and_never_goes_back_in_zxids() {
    let s = TestServer::start(NO_LIMIT);
    let mut before = s.session();
    before.create("/old", CreateMode::Persistent);
    before.create("/of-before", CreateMode::Ephemeral);
    let copy = snapshot(&s);
    let mut after = s.session();
    after.create("/new", CreateMode::Persistent);
    let was = database(&s);
    let (status, said) = restore(&s, &copy);
    assert_eq!((status, &said["error"]), (200, &Value::Null), "{said}");
    // What came after the copy is gone; its number is not given out again.
    assert_eq!(said["last_zxid"], was.last_processed.0);
    assert!(before.is_closed() && after.is_closed());
    let now = database(&s);
    assert_eq!(now.last_processed, was.last_processed);
    let sessions: Vec<_> = now.sessions.keys().copied().collect();
    assert_eq!(sessions, [before.session]);
    let mut client = s.session();
    assert!(exists(&mut client, "/old") && exists(&mut client, "/of-before"));
    assert!(!exists(&mut client, "/new"));
    client.create("/new", CreateMode::Persistent);
    assert!(database(&s).last_processed > was.last_processed);
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_cnt_restore_time\t1\n"), "{mntr}");
}

#[test]
fn what_was_restored_is_there_after_a_restart_with_what_followed() {
    let s = TestServer::start(NO_LIMIT);
    let mut client = s.session();
    client.create("/old", CreateMode::Persistent);
    let copy = snapshot(&s);
    client.create("/lost", CreateMode::Persistent);
    assert_eq!(restore(&s, &copy).0, 200);
    s.session().create("/next", CreateMode::Persistent);
    let TestServer { server, directory } = s;
    let config = config(&directory, NO_LIMIT);
    server.stop().expect("it ends well");
    let server = Server::start(&config).expect("it starts again");
    let s = TestServer { server, directory };
    let mut client = s.session();
    assert!(exists(&mut client, "/old") && exists(&mut client, "/next"));
    assert!(!exists(&mut client, "/lost"));
}

#[test]
fn a_server_of_its_own_goes_on_after_a_later_snapshot() {
    let s = TestServer::start(NO_LIMIT);
    let mut db = Database::new();
    db.last_processed = Zxid(0x5_0000_0007);
    let (status, said) = restore(&s, &encoded(&db, Form::FILE));
    assert_eq!(
        (status, &said["last_zxid"]),
        (200, &0x5_0000_0007_i64.into())
    );
    s.session().create("/a", CreateMode::Persistent);
    assert_eq!(database(&s).last_processed, Zxid(0x5_0000_0009));
}

#[test]
fn an_upload_that_is_cut_or_turned_anywhere_changes_nothing() {
    let s = TestServer::start(NO_LIMIT);
    s.session().create("/a", CreateMode::Persistent);
    let copy = snapshot(&s);
    let mut client = s.session();
    client.create("/b", CreateMode::Persistent);
    let was = database(&s);
    let step = copy.len() / 24;
    for at in (0..copy.len()).step_by(step.max(1)) {
        let (status, said) = restore(&s, &copy[..at]);
        assert_eq!(status, 400, "{at}: {said}");
        let mut turned = copy.clone();
        turned[at] ^= 0x40;
        let (status, said) = restore(&s, &turned);
        assert_eq!(status, 400, "{at}: {said}");
        let why = said["error"].as_str().expect("it says why");
        assert!(why.ends_with("; nothing was changed"), "{why}");
    }
    let more = format!(
        "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
        copy.len() + 1
    );
    let (status, said) = restore_as(&s, &more, &copy);
    let why = said["error"].as_str().expect("it says why");
    assert!(
        status == 400 && why.contains("ended in the middle"),
        "{why}"
    );
    let mut longer = copy.clone();
    longer.extend([0; 1000]);
    assert_eq!(restore(&s, &longer).0, 400);
    assert_eq!(database(&s), was);
    // And the client of before is still served.
    assert!(exists(&mut client, "/b"));
}

#[test]
fn an_upload_may_come_in_chunks_and_after_a_word_of_encouragement() {
    let s = TestServer::start(NO_LIMIT);
    let copy = snapshot(&s);
    let mut chunks = Vec::new();
    for piece in copy.chunks(100) {
        chunks.extend(format!("{:x}\r\n", piece.len()).as_bytes());
        chunks.extend(piece);
        chunks.extend(b"\r\n");
    }
    chunks.extend(b"0\r\n\r\n");
    let (status, said) = restore_as(&s, "Transfer-Encoding: chunked\r\n", &chunks);
    assert_eq!(status, 200, "{said}");
    let head = format!(
        "POST /commands/rest HTTP/1.1\r\nAuthorization: digest me:secret\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        copy.len()
    );
    let at = s.server.admin_address().expect("it listens");
    let mut stream = TcpStream::connect(at).expect("it accepts");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a time-out");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut word = [0; 25];
    stream.read_exact(&mut word).expect("it answers");
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&copy).expect("it reads");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("it answers");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[tokio::test]
async fn an_upload_that_only_trickles_is_ended() {
    use tokio::io::AsyncWriteExt;
    let pace = Pace {
        grace: Duration::from_millis(50),
        bytes_per_second: 1 << 20,
    };
    let (mut client, mut server) = tokio::io::duplex(64);
    let trickle = tokio::spawn(async move {
        while client.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let idle = Duration::from_secs(20);
    let framing = Framing::Length(LARGEST);
    let mut upload = Upload::new(&mut server, Vec::new(), framing, false, idle);
    let (pieces, mut received) = mpsc::channel(PIECES);
    let reads = tokio::spawn(async move { while received.recv().await.is_some() {} });
    let ended = send(&mut upload, pieces, LARGEST, pace).await;
    let failed = ended.expect_err("each byte comes in time, but not all do");
    assert!(matches!(failed, Failed::Slow { .. }), "{failed}");
    assert_eq!(failed.status(), 408);
    drop(server);
    trickle.await.expect("it ends when nobody reads");
    reads.await.expect("it ends with the upload");
    // The more has come the longer it may take.
    assert_eq!(PACE.allows(0), Duration::from_secs(60));
    assert_eq!(
        PACE.allows(LARGEST),
        Duration::from_secs(60 + (LARGEST >> 16))
    );
}

/// Whatever the disk refuses: here the name is taken by a directory.
#[test]
fn a_tree_without_room_on_the_disk_is_refused_and_the_server_goes_on() {
    let s = TestServer::start(NO_LIMIT);
    let copy = snapshot(&s);
    let mut client = s.session();
    client.create("/b", CreateMode::Persistent);
    let was = database(&s);
    let taken = s.directory.path().join("version-2/tmp.room.unfinished");
    fs::create_dir(&taken).expect("made");
    let (status, said) = restore(&s, &copy);
    let why = said["error"].as_str().expect("it says why");
    assert!(
        status == 507 && why.contains("no room") && why.ends_with("; nothing was changed"),
        "{status} {why}"
    );
    assert_eq!(database(&s), was);
    assert!(exists(&mut client, "/b"), "its connection is there too");
    fs::remove_dir(&taken).expect("it was left alone");
    assert_eq!(restore(&s, &copy).0, 200);
    let left = s.directory.path().join("version-2/tmp.room");
    assert!(!left.exists());
}

#[test]
fn what_is_no_whole_snapshot_says_what_is_missing() {
    let s = TestServer::start(NO_LIMIT);
    let db = Database::new();
    let old = Form::File {
        digest: true,
        last_zxid: false,
    };
    for (body, wanted) in [
        (b"#!/bin/sh\necho hello\n".to_vec(), "is no snapshot"),
        (encoded(&db, old), "serializeLastProcessedZxid.enabled"),
        (Vec::new(), "in the middle"),
    ] {
        let (status, said) = restore(&s, &body);
        let why = said["error"].as_str().expect("it says why");
        assert!(status == 400 && why.contains(wanted), "{why}");
    }
    let mut last = Database::new();
    last.last_processed = Zxid(i64::MAX);
    let (status, said) = restore(&s, &encoded(&last, Form::FILE));
    assert!(status == 409, "{said}");
    let mntr = s.word("mntr");
    assert!(mntr.contains("\nzk_restore_error_count\t4\n"), "{mntr}");
}

#[test]
fn more_than_is_taken_is_refused_before_it_is_read() {
    let s = TestServer::start(NO_LIMIT);
    let (status, said) = restore_as(&s, "Content-Length: 5000000000\r\n", b"ZKSN");
    let why = said["error"].as_str().expect("it says why");
    assert!(status == 413 && why.contains("4294967296 bytes"), "{why}");
}

#[test]
fn a_form_of_a_web_page_restores_nothing() {
    let s = TestServer::start(NO_LIMIT);
    let copy = snapshot(&s);
    let more = format!(
        "Content-Type: text/plain\r\nContent-Length: {}\r\n",
        copy.len()
    );
    let (status, said) = restore_as(&s, &more, &copy);
    assert!(status == 415, "{said}");
}

#[test]
fn restores_come_no_faster_than_the_interval_and_failures_do_not_count() {
    let s = TestServer::start("4lw.commands.whitelist=mntr\n");
    let copy = snapshot(&s);
    assert_eq!(restore(&s, b"nonsense").0, 400);
    assert_eq!(restore(&s, &copy).0, 200);
    let (status, said) = restore(&s, &copy);
    let why = said["error"].as_str().expect("it says why");
    assert!(
        status == 429 && why.contains("less than 300 s ago"),
        "{why}"
    );
    let mntr = s.word("mntr");
    assert!(
        mntr.contains("\nzk_restore_rate_limited_count\t1\n"),
        "{mntr}"
    );
}
