//! Keys of zoo.cfg that are the system's to obey, as the system shows them.

use super::*;
use crate::{
    Server,
    config::ServerConfig,
    layout::listen_anywhere,
    server::{Listeners, StartError},
    testing::{Directory, TestServer, config},
};
use std::{
    fs,
    io::{ErrorKind, Read},
    net::TcpStream,
    thread,
    time::Instant,
};

const LONG: Duration = Duration::from_secs(20);

/// How many of four connections come about at a port where nobody accepts.
fn that_wait(lines: &str) -> usize {
    let directory = Directory::new();
    let listeners = Listeners::bind(&config(&directory, lines)).expect("free ports");
    let port = listeners.client.expect("a client port");
    let port = port.local_addr().expect("it listens");
    let patience = Duration::from_millis(300);
    let all: Vec<_> = (0..4)
        .map(|_| TcpStream::connect_timeout(&port, patience))
        .collect();
    all.iter().filter(|c| c.is_ok()).count()
}

#[cfg(target_os = "linux")]
#[test]
fn no_more_connections_wait_than_client_port_listen_backlog_allows() {
    // Linux lets one more in.
    assert_eq!(that_wait("clientPortListenBacklog=1\n"), 2);
    assert_eq!(that_wait(""), 4);
}

/// Whether the system looks after this connection's other end at `port`, here in the same machine.
#[cfg(target_os = "linux")]
fn is_kept_alive(stream: &TcpStream) -> bool {
    let hex = |at: io::Result<SocketAddr>| format!(":{:04X}", at.expect("connected").port());
    let (far, near) = (hex(stream.peer_addr()), hex(stream.local_addr()));
    let until = Instant::now() + Duration::from_millis(500);
    while Instant::now() < until {
        let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
        let timer = table.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[1].ends_with(&far) && words[2].ends_with(&near)).then(|| words[5].to_owned())
        });
        // The kind of timer: 02 is that of SO_KEEPALIVE.
        if timer.is_some_and(|timer| timer.starts_with("02:")) {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

#[cfg(target_os = "linux")]
#[test]
fn client_tcp_keep_alive_looks_after_clients() {
    for on in [true, false] {
        let server = TestServer::start(&format!("clientTcpKeepAlive={on}\n"));
        assert_eq!(is_kept_alive(&server.session().into_stream()), on);
    }
}

/// One of three members, the others of which do not run; and its election port.
fn member(directory: &Directory, lines: &str) -> (ServerConfig, u16) {
    fs::write(directory.path().join("myid"), "1\n").expect("a file can be written");
    let port = || listen_anywhere().expect("a free port").1;
    let election = port();
    let mut text = format!("initLimit=5\nsyncLimit=5\n{lines}");
    for (id, election) in [(1, election), (2, port()), (3, port())] {
        text += &format!("server.{id}=127.0.0.1:{}:{election}\n", port());
    }
    (config(directory, &text), election)
}

#[test]
fn election_port_bind_retry_waits_for_a_port_that_becomes_free() {
    let directory = Directory::new();
    let (once, port) = member(&directory, "electionPortBindRetry=1\n");
    let (config, again) = (once.clone(), port);
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("free");
    let began = Instant::now();
    assert!(matches!(
        Listeners::bind(&once),
        Err(StartError::Listen {
            what: "election",
            ..
        })
    ));
    assert!(began.elapsed() < Duration::from_millis(900), "once is once");
    let mut thrice = config;
    thrice.peers.bind_attempts = Some(3);
    let freeing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(taken);
    });
    let bound = Listeners::bind(&thrice).expect("it waits");
    freeing.join().expect("it only waits");
    let at = bound.election.expect("an election port").local_addr();
    assert_eq!(at.expect("it listens").port(), again);
}

#[test]
fn election_port_bind_retry_is_three_times_unless_said_otherwise() {
    let directory = Directory::new();
    let attempts = |lines: &str| member(&directory, lines).0.peers.bind_attempts;
    assert_eq!(attempts(""), Some(3));
    assert_eq!(attempts("electionPortBindRetry=0\n"), None);
}

#[test]
fn who_says_nothing_at_the_election_port_is_sent_away_after_quorum_cnxn_timeout_ms() {
    let closes = |lines: &str| {
        let directory = Directory::new();
        let (config, port) = member(&directory, lines);
        let _server = Server::start(&config).expect("it starts");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it accepts");
        let patience = Duration::from_millis(1500);
        stream.set_read_timeout(Some(patience)).expect("a time-out");
        match stream.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    };
    assert!(closes("quorumCnxnTimeoutMs=100\n"));
    assert!(closes("tickTime=20\n"), "syncLimit, which is 100 ms there");
    assert!(!closes(""), "syncLimit, which is 15 s");
}

#[cfg(target_os = "linux")]
#[test]
fn tcp_keep_alive_looks_after_members() {
    for on in [true, false] {
        let directory = Directory::new();
        let (config, port) = member(&directory, &format!("tcpKeepAlive={on}\n"));
        let _server = Server::start(&config).expect("it starts");
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it accepts");
        assert_eq!(is_kept_alive(&stream), on);
    }
}

#[test]
fn of_several_addresses_each_has_a_moment_to_answer_before_all_are_tried_again() {
    let (limit, first) = (LONG, Duration::from_millis(7));
    let hosts = ["a:1".to_owned(), "b:2".to_owned()];
    let all: Vec<_> = attempts(&hosts, limit, Some(first)).collect();
    assert_eq!(
        all,
        [
            ("a:1", first),
            ("b:2", first),
            ("a:1", limit),
            ("b:2", limit)
        ]
    );
    let without: Vec<_> = attempts(&hosts, limit, None).collect();
    assert_eq!(without, [("a:1", limit), ("b:2", limit)]);
    let one: Vec<_> = attempts(&hosts[..1], limit, Some(first)).collect();
    assert_eq!(one, [("a:1", limit)], "there is nothing to choose from");
}
