use super::*;
use std::{
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use zabscope_core::{
    request::{ConnectResponse, Reply, WatchEvent, WatchEventKind},
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
