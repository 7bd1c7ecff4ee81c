//! Four-letter words (ZooKeeper.md 1.18), over TLS too. They need no session, and so no SASL.

use super::wire::Wire;
use crate::net::tls::Context;
use std::{
    io::{self, ErrorKind, Write},
    net::ToSocketAddrs,
    time::{Duration, Instant},
};
use zabscope_core::members::HostPort;

/// No answer is longer, in bytes.
const LONGEST: usize = 1 << 20;

/// Sends a word and reads the answer.
///
/// # Errors
/// The system's, or in words why there is no TLS; too late; too long.
pub fn word(
    server: &HostPort,
    word: &str,
    tls: Option<&Context>,
    until: Instant,
) -> io::Result<String> {
    exchange(server, word, tls, until).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            io::Error::new(ErrorKind::TimedOut, "no answer in time")
        }
        _ => error,
    })
}

fn exchange(
    server: &HostPort,
    word: &str,
    tls: Option<&Context>,
    until: Instant,
) -> io::Result<String> {
    let host = server.host.as_str();
    let mut connected = Err(io::Error::new(
        ErrorKind::NotFound,
        "the name has no address",
    ));
    for at in (host, server.port).to_socket_addrs()? {
        connected = Wire::connect(&at, host, tls, until);
        if connected.is_ok() {
            break;
        }
    }
    let mut wire = connected?;
    let left = until.saturating_duration_since(Instant::now());
    wire.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
    wire.write_all(word.as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        match wire.read_until(&mut chunk, until) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(error),
            // A server may close with something of ours unread.
            Err(_) if !answer.is_empty() => break,
            Err(error) => return Err(error),
        }
        if answer.len() > LONGEST {
            return Err(io::Error::other("the answer has no end"));
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
