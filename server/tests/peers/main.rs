//! Strangers at the ports of members: real ensembles, real sockets on 127.0.0.1.

mod hostile;
mod sasl;

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};
use zabscope_core::{
    id::{ServerId, Zxid},
    wire::{
        election::{Address, Greeting},
        quorum::{self, About, LearnerInfo, Packet},
    },
};
use zabscope_server::embedded::Ensemble;

/// The longest that anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

/// Of one member: for learners, for elections.
#[derive(Clone, Copy)]
enum Port {
    Quorum,
    Election,
}

const BOTH: [Port; 2] = [Port::Quorum, Port::Election];

/// Connects to a port of a member.
fn knock(ensemble: &Ensemble, id: u8, port: Port) -> TcpStream {
    let file = ensemble.directory().join(format!("server.{id}/zoo.cfg"));
    let text = fs::read_to_string(file).expect("its configuration");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("server.{id}=127.0.0.1:")))
        .expect("its addresses");
    let mut ports = line.split([':', ';']);
    let at = match port {
        Port::Quorum => ports.next(),
        Port::Election => ports.nth(1),
    };
    let at: u16 = at.and_then(|at| at.parse().ok()).expect("a port");
    let stream = TcpStream::connect(("127.0.0.1", at)).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time-out");
    stream
}

/// What it still says, and how long it takes to close the connection.
fn until_closed(stream: &mut TcpStream) -> (Vec<u8>, Duration) {
    let began = Instant::now();
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        // What it did not read any more was thrown away.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("it does not close: {error}"),
    }
    (said, began.elapsed())
}

/// Says something; it may close before it has read all.
fn say(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// The greeting of a member at the election port.
fn greeting(id: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    Greeting::V1 {
        from: ServerId(id),
        addresses: vec![Address {
            host: "127.0.0.1".into(),
            port: 1,
        }],
    }
    .encode(&mut bytes);
    bytes
}

/// The first packet of a learner.
fn introduction(id: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let info = LearnerInfo {
        observer: false,
        accepted: Zxid(0),
        about: About::Configured {
            id: ServerId(id),
            protocol: 0x10000,
            config: Zxid(0),
        },
    };
    quorum::encode(&Packet::LearnerInfo(info), &mut bytes);
    bytes
}

/// What an ensemble is, as far as strangers could disturb it: who leads, and of each member whether it
/// serves, its election's round and its epochs.
#[derive(Debug, PartialEq, Eq)]
struct State(Vec<Option<Member>>);

/// Whether it serves, its leader, round, acceptedEpoch, currentEpoch.
type Member = (bool, Option<ServerId>, u64, i64, i64);

impl State {
    fn of(ensemble: &Ensemble) -> State {
        let look = |id| {
            ensemble.server(id)?.look(Duration::from_secs(10), |view| {
                let peer = view.peer;
                (
                    peer.serving(),
                    peer.leader(),
                    peer.round(),
                    peer.accepted_epoch().0,
                    peer.current_epoch().0,
                )
            })
        };
        State(ensemble.ids().map(look).collect())
    }
}

/// Whether this member serves clients.
fn serves(ensemble: &Ensemble, id: u8) -> bool {
    let look = |server: &zabscope_server::Server| {
        server.look(Duration::from_secs(10), |view| view.peer.serving())
    };
    ensemble.server(id).and_then(look) == Some(true)
}

/// Waits until something is so.
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < LIMIT, "{what} does not happen");
        thread::sleep(Duration::from_millis(5));
    }
}
