use super::*;
use crate::sasl::{ClientExchange, Users};
use std::{
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use zabscope_core::{
    request::{ConnectResponse, Reply, SaslOutcome, WatchEvent, WatchEventKind},
    wire::{
        client::{Connect, Connected, EventZxid, decode_request, encode_event, encode_reply},
        frame,
    },
};

const LIMIT: usize = 1 << 20;

/// A server's end of one connection.
struct End(TcpStream, Vec<u8>);

impl End {
    fn frame(&mut self) -> Vec<u8> {
        loop {
            if let Some((body, used)) = frame::read(&self.1, 0..=LIMIT).expect("a frame") {
                let body = body.to_vec();
                self.1.drain(..used);
                return body;
            }
            let mut chunk = [0; 4096];
            let n = self.0.read(&mut chunk).expect("bytes in time");
            assert!(n > 0, "the client closed");
            self.1.extend_from_slice(&chunk[..n]);
        }
    }

    fn say(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, body);
        self.0.write_all(&bytes).expect("the client listens");
    }

    fn request(&mut self) -> (i32, Request) {
        decode_request(&self.frame(), LIMIT).expect("a request")
    }

    /// The next token.
    fn token(&mut self) -> (i32, Vec<u8>) {
        match self.request() {
            (xid, Request::Sasl { token, .. }) => (xid, token.expect("no null").to_vec()),
            other => panic!("something else than SASL comes first: {other:?}"),
        }
    }

    /// Lets bob in.
    fn authenticate(&mut self) {
        let mut exchange = ClientExchange::new(Some(Arc::new(bob())));
        loop {
            let (xid, token) = self.token();
            match exchange.evaluate(&token) {
                SaslOutcome::Challenge(token) => {
                    self.reply(xid, 0, Ok(Response::Sasl(Some(token))));
                }
                SaslOutcome::Proved { token, id } => {
                    self.reply(xid, 0, Ok(Response::Sasl(Some(token))));
                    assert_eq!(&*id, "bob");
                    return;
                }
                other => panic!("it does not know the password: {other:?}"),
            }
        }
    }

    fn reply(&mut self, xid: i32, zxid: i64, result: Result<Response, ErrorCode>) {
        let reply = Reply {
            xid,
            zxid: Zxid(zxid),
            result,
        };
        self.say(|out| encode_reply(&reply, out));
    }
}

/// Accepts a client and gives it session 7.
fn accept(listener: &TcpListener, timeout_ms: i32) -> (End, Connect) {
    let (stream, _) = listener.accept().expect("a client");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time-out");
    let mut end = End(stream, Vec::new());
    let connect = Connect::decode(&end.frame(), LIMIT).expect("a connect request");
    let response = ConnectResponse {
        timeout_ms,
        session: SessionId(7),
        password: [9; 16],
        read_only: false,
    };
    let connected = Connected::to(&connect, response);
    end.say(|out| connected.encode(out));
    (end, connect)
}

fn listen() -> (TcpListener, Options) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let mut options = Options::parse(&address).expect("an address");
    options.request_timeout = Duration::from_secs(10);
    (listener, options)
}

type Events = Arc<Mutex<Vec<Event>>>;

fn recording() -> (Events, impl Fn(&Event) + Send + Sync + 'static) {
    let events = Events::default();
    let of_listener = Arc::clone(&events);
    (events, move |e: &Event| {
        of_listener.lock().expect("no panic").push(e.clone());
    })
}

#[test]
fn a_connect_string_is_read_as_apaches_clients_read_it() {
    let parsed = Options::parse("a:1, b,[::1]:3,fe80::2,[::4]/x/y").expect("good");
    let shown: Vec<String> = parsed.servers.iter().map(HostPort::to_string).collect();
    assert_eq!(
        shown,
        ["a:1", "b:2181", "[::1]:3", "[fe80::2]:2181", "[::4]:2181"]
    );
    assert_eq!(parsed.chroot, "/x/y");
    assert_eq!(Options::parse("a/").expect("good").chroot, "");
    for wrong in [
        "", "/a", "a:b", "a:0", ":1", "a/x/", "a/x//y", "[::1:2", "[::1]2", "[a]:1", "::a:b:",
        "a::1:x",
    ] {
        assert!(Options::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_lost_connection_is_found_again_with_session_identities_and_watches() {
    let (listener, mut options) = listen();
    options.chroot = "/c".to_owned();
    let server = thread::spawn(move || {
        let (mut end, _) = accept(&listener, 30_000);
        let (xid, request) = end.request();
        assert_eq!(request.kind(), zabscope_core::request::OpKind::Auth);
        end.reply(xid, 0, Ok(Response::Empty));
        let (xid, request) = end.request();
        let path = "/c/a".into();
        assert_eq!(request, Request::GetData { path, watch: true });
        end.reply(xid, 5, Ok(Response::Data(None, Stat::default())));
        let (xid, request) = end.request();
        let path = "/c".into();
        assert_eq!(request, Request::Exists { path, watch: true });
        end.reply(xid, 6, Err(ErrorCode::NoNode));
        drop(end);
        let (mut end, connect) = accept(&listener, 30_000);
        assert_eq!(connect.session, SessionId(7));
        assert_eq!(connect.password.as_deref(), Some(&[9; 16][..]));
        assert_eq!(connect.last_zxid_seen, Zxid(6));
        let (xid, _) = end.request();
        assert_eq!(xid, xid::AUTH);
        end.reply(xid, 0, Ok(Response::Empty));
        let (xid, request) = end.request();
        assert_eq!(xid, xid::SET_WATCHES);
        let Request::SetWatches(lists) = request else {
            panic!("{request:?}");
        };
        assert_eq!(lists.relative_zxid, Zxid(6));
        assert_eq!(
            (lists.data, lists.exist),
            (vec!["/c/a".into()], vec!["/c".into()])
        );
        end.reply(xid, 6, Ok(Response::Empty));
        let event = WatchEvent {
            kind: WatchEventKind::NodeDeleted,
            path: "/c/a".into(),
            zxid: Zxid(8),
        };
        end.say(|out| encode_event(&event, EventZxid::OfTransaction, out));
        // Nobody asked for this one.
        let other = WatchEvent {
            path: "/c/b".into(),
            ..event
        };
        end.say(|out| encode_event(&other, EventZxid::OfTransaction, out));
        let (xid, request) = end.request();
        let path = "/c/z".into();
        assert_eq!(request, Request::Sync { path });
        end.reply(xid, 9, Ok(Response::Sync("/c/z".into())));
        let (xid, request) = end.request();
        assert_eq!(request, Request::CloseSession);
        end.reply(xid, 10, Ok(Response::Empty));
    });
    let (events, listener) = recording();
    let mut client = Client::connect(options, listener).expect("a session");
    client.add_auth("digest", b"a:b").expect("good");
    assert_eq!(client.get_data("/a", true), Ok((None, Stat::default())));
    assert_eq!(client.exists("/", true), Ok(None));
    while !events
        .lock()
        .expect("no panic")
        .iter()
        .any(|e| e.zxid == Zxid(8))
    {
        thread::sleep(Duration::from_millis(5));
    }
    client.sync("/z").expect("good");
    client.close();
    server.join().expect("the server saw what it should");
    let events = events.lock().expect("no panic");
    let shown: Vec<String> = events.iter().map(Event::to_string).collect();
    assert_eq!(
        shown,
        [
            "WatchedEvent state:SyncConnected type:None path:null zxid: -1",
            "WatchedEvent state:Disconnected type:None path:null zxid: -1",
            "WatchedEvent state:SyncConnected type:None path:null zxid: -1",
            "WatchedEvent state:SyncConnected type:NodeDeleted path:/a zxid: 8",
            "WatchedEvent state:Closed type:None path:null zxid: -1",
        ]
    );
}

fn bob() -> Users {
    Users::new([("bob".to_owned(), "secret".to_owned())])
}

fn as_bob(options: &mut Options) {
    options.sasl = Some(Credentials {
        name: "bob".to_owned(),
        password: "secret".to_owned(),
    });
}

#[test]
fn sasl_comes_before_identities_and_watches_and_again_after_each_reconnect() {
    let (listener, mut options) = listen();
    as_bob(&mut options);
    let server = thread::spawn(move || {
        let (mut end, _) = accept(&listener, 30_000);
        end.authenticate();
        let (xid, _) = end.request();
        assert_eq!(xid, xid::AUTH);
        end.reply(xid, 0, Ok(Response::Empty));
        let (xid, _) = end.request();
        end.reply(xid, 5, Ok(Response::Data(None, Stat::default())));
        drop(end);
        // A connection that breaks in the middle is no refusal.
        let (mut end, _) = accept(&listener, 30_000);
        end.token();
        drop(end);
        let (mut end, connect) = accept(&listener, 30_000);
        assert_eq!(connect.session, SessionId(7));
        end.authenticate();
        let (xid, _) = end.request();
        assert_eq!(xid, xid::AUTH);
        end.reply(xid, 0, Ok(Response::Empty));
        let (xid, _) = end.request();
        assert_eq!(xid, xid::SET_WATCHES);
        end.reply(xid, 5, Ok(Response::Empty));
        let (xid, request) = end.request();
        assert_eq!(request, Request::CloseSession);
        end.reply(xid, 6, Ok(Response::Empty));
    });
    let (events, listener) = recording();
    let mut client = Client::connect(options, listener).expect("a session");
    client.add_auth("digest", b"a:b").expect("good");
    assert_eq!(client.get_data("/a", true), Ok((None, Stat::default())));
    let proved = |e: &&Event| e.state == SessionState::SaslAuthenticated;
    while events
        .lock()
        .expect("no panic")
        .iter()
        .filter(proved)
        .count()
        < 2
    {
        thread::sleep(Duration::from_millis(5));
    }
    client.close();
    server.join().expect("the server saw what it should");
    let events = events.lock().expect("no panic");
    let shown: Vec<&str> = events.iter().map(|e| e.state.event_name()).collect();
    let connected = ["SyncConnected", "SaslAuthenticated"];
    assert_eq!(
        shown,
        [&connected[..], &["Disconnected"], &connected, &["Closed"]].concat()
    );
}

#[test]
fn a_server_that_does_not_prove_that_it_knows_the_password_ends_the_session() {
    type Answers = [Result<Response, ErrorCode>; 2];
    let of = |token: &[u8]| Ok(Response::Sasl(Some(token.into())));
    let challenge = of(b"realm=\"zk-sasl-md5\",nonce=\"n\",algorithm=md5-sess,qop=\"auth\"");
    let all: [(Answers, &str); 4] = [
        (
            [
                challenge.clone(),
                of(b"rspauth=00000000000000000000000000000000"),
            ],
            "may not be the server",
        ),
        (
            [challenge, Err(ErrorCode::AuthFailed)],
            "does not know the user bob",
        ),
        ([of(b"nonsense"), of(b"")], "challenge can't be answered"),
        ([Err(ErrorCode::Unimplemented), of(b"")], "Unimplemented"),
    ];
    for (answers, says) in all {
        let (listener, mut options) = listen();
        as_bob(&mut options);
        let server = thread::spawn(move || {
            let (mut end, _) = accept(&listener, 30_000);
            for answer in answers {
                let mut bytes = [0];
                // The client has gone when it has heard enough.
                if end.1.is_empty() && !matches!(end.0.peek(&mut bytes), Ok(1..)) {
                    return;
                }
                let (xid, _) = end.token();
                end.reply(xid, 0, answer);
            }
            let mut rest = Vec::new();
            let _ = end.0.read_to_end(&mut rest);
            assert_eq!(rest, b"", "no request goes there");
        });
        let (events, told) = recording();
        let client = Client::start(options, told).expect("a thread");
        let error = client.sync("/").expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.is_unreachable());
        assert_eq!(client.refusal(), Some(error));
        assert_eq!(client.state(), SessionState::AuthFailed);
        drop(client);
        server.join().expect("no panic");
        let events = events.lock().expect("no panic");
        let states: Vec<_> = events.iter().map(|e| e.state).collect();
        assert_eq!(states, [SessionState::AuthFailed]);
    }
}

#[test]
fn an_expired_session_is_over_and_says_so() {
    let (listener, options) = listen();
    let server = thread::spawn(move || drop(accept(&listener, 0)));
    let (events, listener) = recording();
    let client = Client::start(options, listener).expect("a thread");
    assert_eq!(client.get_data("/", false), Err(ClientError::SessionOver));
    assert_eq!(client.state(), SessionState::Expired);
    server.join().expect("no panic");
    // Its thread, which tells of it, has ended then.
    drop(client);
    assert_eq!(events.lock().expect("no panic").len(), 1);
}

#[test]
fn a_silent_server_is_pinged_and_left() {
    let (listener, options) = listen();
    let server = thread::spawn(move || {
        let (mut end, _) = accept(&listener, 300);
        assert_eq!(end.request().0, xid::PING);
        // Says nothing; the client comes back by a new connection.
        let (mut next, connect) = accept(&listener, 30_000);
        assert_eq!(connect.session, SessionId(7));
        let (xid, _) = next.request();
        next.reply(xid, 1, Ok(Response::Count(3)));
        next
    });
    let (events, told) = recording();
    let client = Client::connect(options, told).expect("a session");
    while events.lock().expect("no panic").len() < 3 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.get_all_children_number("/"), Ok(3));
    drop(server.join());
}

#[test]
fn a_request_ends_when_its_connection_or_its_time_does() {
    let (listener, mut options) = listen();
    options.request_timeout = Duration::from_millis(300);
    let server = thread::spawn(move || {
        let (mut end, _) = accept(&listener, 30_000);
        end.request();
        let held = end.request();
        assert_eq!(held.1, Request::WhoAmI);
        drop(end);
    });
    let client = Client::connect(options, |_| {}).expect("a session");
    assert_eq!(client.sync("/"), Err(ClientError::NoAnswer));
    assert_eq!(client.who_am_i(), Err(ClientError::ConnectionLoss));
    server.join().expect("no panic");
    let error = client.who_am_i().expect_err("nobody is there");
    assert!(error.is_unreachable(), "{error}");
}

#[test]
fn what_makes_no_sense_ends_the_connection_and_not_the_client() {
    let (listener, options) = listen();
    let server = thread::spawn(move || {
        for nonsense in [
            &[0xff, 0xff, 0xff, 0xff][..],
            &[0, 0, 0, 4, 0, 0, 0, 99],
            &[0, 0, 0, 1, 1],
        ] {
            let (mut end, _) = accept(&listener, 30_000);
            end.0.write_all(nonsense).expect("it listens");
            let mut rest = Vec::new();
            // The client closes.
            let _ = end.0.read_to_end(&mut rest);
        }
        let (mut end, _) = accept(&listener, 30_000);
        let (xid, _) = end.request();
        end.reply(xid, 1, Ok(Response::Count(1)));
        end
    });
    let (events, told) = recording();
    let client = Client::start(options, told).expect("a thread");
    let connected = |e: &&Event| e.state == SessionState::Connected;
    while events
        .lock()
        .expect("no panic")
        .iter()
        .filter(connected)
        .count()
        < 4
    {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.get_all_children_number("/"), Ok(1));
    drop(server.join());
}

#[test]
fn a_path_that_is_none_is_refused_in_apaches_words() {
    for (path, says) in [
        ("", "Path length must be > 0"),
        ("a", "Path must start with / character"),
        ("/a/", "Path must not end with / character"),
        (
            "/a//b",
            "Invalid path string \"/a//b\" caused by empty node name specified @3",
        ),
        (
            "/a/../b",
            "Invalid path string \"/a/../b\" caused by relative paths not allowed @4",
        ),
        (
            "/a\u{1}",
            "Invalid path string \"/a\u{1}\" caused by invalid character @2",
        ),
    ] {
        assert_eq!(bad_path(path), says);
    }
}

#[test]
fn watches_are_restored_in_packets_of_bounded_length() {
    let mut watches = Watches::default();
    for i in 0..5000 {
        let path = format!("/{i:0>60}").into();
        watches.answered(&Request::GetData { path, watch: true }, None);
    }
    let packets = set_watches(&watches, Zxid(3));
    assert_eq!(packets.len(), 3);
    assert_eq!(packets.iter().map(|p| p.data.len()).sum::<usize>(), 5000);
    assert!(packets.iter().all(|p| p.relative_zxid == Zxid(3)));
}
