//! What a server costs: from its start to its first answer, its memory, what it gets done in a second.
//! Ours, and Apache's from the same run if Java and its jars are there. `cargo xtask bench server`.
//!
//! An answer is the reply to a new session: that is a transaction, on disk before it is answered. Memory
//! is what the operating system calls resident. Compare the columns of one run: machines are noisy.

use std::fs;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use zabscope_clients::connection::{Connection, Hello, Received};
use zabscope_clients::jute::{Reader, Writer};
use zabscope_clients::server::{Kind, Options, Server};

/// Starts from an empty disk; the fastest, the middle and the slowest are told.
const STARTS: usize = 9;
/// Sessions that do nothing.
const SESSIONS: usize = 1_000;
/// Clients that each wait for the reply before they ask again.
const CLIENTS: usize = 32;
/// How long they ask.
const ASKING: Duration = Duration::from_secs(3);
/// The longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Apache's server takes connections before it is ready, and forgets some: then it is asked again.
const BEFORE_ASKING_AGAIN: Duration = Duration::from_millis(200);
/// What is written and read, in bytes.
const DATA: usize = 100;

const CREATE: i32 = 1;
const GET_DATA: i32 = 4;
const SET_DATA: i32 = 5;

/// What was measured of one kind of server.
struct Measured {
    starts: Vec<Duration>,
    idle: u64,
    with_sessions: u64,
    writes: f64,
    reads: f64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let ours = measure(Kind::Ours).context("ours")?;
    let apache = measure(Kind::Apache);
    if let Err(error) = &apache {
        println!("Apache's server is not measured: {error:#}");
    }
    let apache = apache.ok();
    println!("{:44} {:>18} {:>18}", "", "zabscope", "Apache 3.8.0");
    let row = |name: &str, tell: &dyn Fn(&Measured) -> String| {
        let beside = apache.as_ref().map_or("-".to_owned(), tell);
        println!("{name:44} {:>18} {beside:>18}", tell(&ours));
    };
    for (name, which) in [
        ("start to first answer, fastest, ms", 0),
        ("start to first answer, median, ms", STARTS / 2),
        ("start to first answer, slowest, ms", STARTS - 1),
    ] {
        row(name, &|m| {
            format!("{:.0}", m.starts[which].as_secs_f64() * 1e3)
        });
    }
    row("resident when idle, MB", &|m| megabytes(m.idle));
    row("more with 1,000 idle sessions, MB", &|m| {
        megabytes(m.with_sessions.saturating_sub(m.idle))
    });
    row("setData of 100 bytes, 32 clients, per second", &|m| {
        format!("{:.0}", m.writes)
    });
    row("getData of 100 bytes, 32 clients, per second", &|m| {
        format!("{:.0}", m.reads)
    });
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn measure(kind: Kind) -> Result<Measured> {
    let options = Options::default();
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let mut server = Server::down(kind, &options)?;
        starts.push(start(&mut server)?);
    }
    starts.sort_unstable();

    let mut server = Server::down(kind, &options)?;
    start(&mut server)?;
    let idle = settled(&server)?;
    let mut sessions = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        sessions.push(session(&server, LIMIT)?);
    }
    let with_sessions = settled(&server)?;
    drop(sessions);

    Ok(Measured {
        starts,
        idle,
        with_sessions,
        writes: per_second(&server, SET_DATA)?,
        reads: per_second(&server, GET_DATA)?,
    })
}

/// From the process's start to its first answer.
fn start(server: &mut Server) -> Result<Duration> {
    let began = Instant::now();
    server.start()?;
    while session(server, BEFORE_ASKING_AGAIN).is_err() {
        ensure!(
            server.is_up() && began.elapsed() < LIMIT,
            "it gives no answer:\n{}",
            server.log()
        );
        thread::sleep(Duration::from_millis(1));
    }
    Ok(began.elapsed())
}

fn session(server: &Server, limit: Duration) -> Result<Connection> {
    let mut connection = Connection::open(server.address(), limit)?;
    let welcome = connection.hello(&Hello::new(40_000), limit)?;
    ensure!(
        welcome.is_some_and(|w| w.timeout > 0),
        "the server refuses a session"
    );
    Ok(connection)
}

/// Resident memory in bytes, after a moment to come to rest.
fn settled(server: &Server) -> Result<u64> {
    thread::sleep(Duration::from_secs(2));
    let process = server.process().context("the server has ended")?;
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| {
        format!("{path} tells resident memory on Linux; elsewhere this is not measured")
    })?;
    let kilobytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("{path} says nothing of VmRSS"))?;
    Ok(kilobytes * 1024)
}

/// Replies in a second, all clients together, each with a znode of its own.
fn per_second(server: &Server, code: i32) -> Result<f64> {
    let begin = Barrier::new(CLIENTS + 1);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let begin = &begin;
                scope.spawn(move || -> Result<u64> {
                    let ready = prepared(server, number, code);
                    begin.wait();
                    let (mut connection, path) = ready?;
                    let until = Instant::now() + ASKING;
                    let mut replies = 0;
                    while Instant::now() < until {
                        ask(&mut connection, code, &body(code, &path))?;
                        replies += 1;
                    }
                    Ok(replies)
                })
            })
            .collect();
        begin.wait();
        let began = Instant::now();
        let mut replies = 0;
        for client in clients {
            replies += client.join().expect("a client does not panic")?;
        }
        Ok(replies as f64 / began.elapsed().as_secs_f64())
    })
}

/// A session with its znode.
fn prepared(server: &Server, number: usize, code: i32) -> Result<(Connection, String)> {
    let mut connection = session(server, LIMIT)?;
    let path = format!("/bench-{code}-{number}");
    ask(&mut connection, CREATE, &body(CREATE, &path))?;
    Ok((connection, path))
}

fn body(code: i32, path: &str) -> Vec<u8> {
    let mut body = Writer::new();
    body.string(Some(path));
    match code {
        CREATE => body
            .buffer(Some(&[b'x'; DATA]))
            .count(1)
            .int(31)
            .string(Some("world"))
            .string(Some("anyone"))
            .int(0),
        SET_DATA => body.buffer(Some(&[b'y'; DATA])).int(-1),
        _ => body.bool(false),
    };
    body.finish()
}

fn ask(connection: &mut Connection, code: i32, body: &[u8]) -> Result<()> {
    let mut request = Writer::new();
    request.int(1).int(code).raw(body);
    ensure!(connection.send(&request.finish()), "the connection is gone");
    let Received::Frame(reply) = connection.receive(LIMIT)? else {
        bail!("no reply to request {code}");
    };
    let mut reply = Reader::new(&reply);
    let (_xid, _zxid, error) = (reply.int()?, reply.long()?, reply.int()?);
    ensure!(error == 0, "request {code} is answered with error {error}");
    Ok(())
}
