//! Members that change while real servers run: their sockets, their files, their clients' ports.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};
use zabscope_core::id::ServerId;
use zabscope_server::{
    Server,
    client::{Client, Options},
    embedded::Ensemble,
};

/// The longest that anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

fn four() -> Ensemble {
    let builder = Server::builder()
        .servers(4)
        .tick(Duration::from_millis(500))
        .set("reconfigEnabled", "true")
        .set("skipACL", "yes");
    let ensemble = builder.start().expect("started");
    ensemble.wait_until_serving(LIMIT).expect("serves");
    ensemble
}

fn client(at: &str) -> Client {
    let options = Options::parse(at).expect("an address");
    Client::connect(options, |_| {}).expect("connected")
}

/// Asks until it is done: between two leaders nobody answers.
fn change(ensemble: &Ensemble, joining: Option<&str>, leaving: Option<&str>) {
    let list = |words: Option<&str>| words.map(Arc::<str>::from);
    let until = Instant::now() + LIMIT;
    let client = client(&ensemble.connect_string());
    while let Err(error) = client.reconfig(list(joining), list(leaving), None, -1) {
        assert!(Instant::now() < until, "{error}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Who votes, as server `of` knows.
fn voters(ensemble: &Ensemble, of: u8) -> Vec<i64> {
    let look = |view: &zabscope_server::node::View<'_>| {
        let voters = view.peer.config().membership.quorum.voters();
        voters.iter().map(|id| id.0).collect()
    };
    let server = ensemble.server(of).expect("it runs");
    server.look(LIMIT, look).expect("it answers")
}

fn until(what: &str, is: impl Fn() -> bool) {
    let until = Instant::now() + LIMIT;
    while !is() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn members_leave_and_come_the_leader_too_and_a_restart_finds_them() {
    let mut ensemble = four();
    let leader = ensemble.leader().expect("serves");
    let follower = ensemble.ids().find(|id| *id != leader).expect("another");
    let directory = ensemble.directory().to_owned();
    let read = |id: u8, name: &str| {
        fs::read_to_string(directory.join(format!("server.{id}")).join(name)).unwrap_or_default()
    };
    let line = |id: u8| {
        let of = format!("server.{id}=");
        let text = read(id, "zoo.cfg.bak");
        let line = text.lines().find(|l| l.starts_with(&of)).map(str::to_owned);
        line.expect("its line")
    };
    // The first leader has given the members a version, and that is written beside what follows.
    until("its files are written", || {
        read(leader, "zoo.cfg").contains("dynamicConfigFile=")
    });
    let leader_line = line(leader);

    // The leader leaves, and follows without a vote.
    change(&ensemble, None, Some(&leader.to_string()));
    let rest: Vec<i64> = ensemble
        .ids()
        .filter(|id| *id != leader)
        .map(i64::from)
        .collect();
    until("another leads", || {
        ensemble.leader().is_some_and(|new| new != leader)
    });
    until("all know", || {
        ensemble.ids().all(|id| voters(&ensemble, id) == rest)
    });

    // Its files name them, and a start finds them.
    let left = format!("server.{leader}=");
    until("the files are written", || {
        let zoo_cfg = read(follower, "zoo.cfg");
        let dynamic = zoo_cfg
            .lines()
            .find_map(|l| l.strip_prefix("dynamicConfigFile="));
        dynamic.is_some_and(|file| fs::read_to_string(file).is_ok_and(|t| !t.contains(&left)))
    });
    let zoo_cfg = read(follower, "zoo.cfg");
    let names_members = zoo_cfg.lines().any(|l| l.starts_with("server."));
    assert!(!names_members, "{zoo_cfg}");
    let dynamic = zoo_cfg
        .lines()
        .find_map(|l| l.strip_prefix("dynamicConfigFile="))
        .expect("a pointer");
    let text = fs::read_to_string(dynamic).expect("a file");
    assert!(!text.contains(&format!("server.{leader}=")), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    ensemble.stop(follower).expect("stopped");
    ensemble.restart(follower).expect("restarted");
    assert_eq!(voters(&ensemble, follower), rest);

    // It comes back, and serves clients at another port from now on.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
    let port = free.expect("a port").port();
    let (servers, _) = leader_line.split_once(';').expect("a client port");
    let moved = format!("{servers};127.0.0.1:{port}");
    change(&ensemble, Some(&moved), None);
    until("it votes again", || {
        voters(&ensemble, leader).contains(&i64::from(leader))
    });
    until("it serves there", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let through = client(&format!("127.0.0.1:{port}"));
    let (text, _) = through.get_config(false).expect("the configuration");
    let text = String::from_utf8(text.expect("data").to_vec()).expect("text");
    assert!(text.contains(&format!(";127.0.0.1:{port}\n")), "{text}");
    assert!(ensemble.server(leader).is_some_and(|s| {
        s.look(LIMIT, |view| view.peer.id()) == Some(ServerId(leader.into()))
    }));
}
