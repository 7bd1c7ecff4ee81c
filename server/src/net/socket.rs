//! Options of sockets that the system's defaults do not decide.

use socket2::{Domain, SockRef, Socket, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    time::Duration,
};
use tokio::net::TcpStream;

/// Asks the system to look now and then whether the other end of a silent connection is still there
/// (SO_KEEPALIVE). Best effort: without it a dead end is only noticed later.
pub fn keep_alive(stream: &TcpStream, on: bool) {
    if on && let Err(error) = SockRef::from(stream).set_keepalive(true) {
        tracing::debug!(%error, "SO_KEEPALIVE could not be set");
    }
}

/// Listens at the first of these addresses that can be bound. `backlog` connections may wait to be
/// accepted; `None` leaves that to the system.
///
/// # Errors
/// The system's, of the last address; none at all.
pub fn listen(at: impl ToSocketAddrs, backlog: Option<u64>) -> io::Result<TcpListener> {
    let Some(backlog) = backlog else {
        return TcpListener::bind(at);
    };
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    let mut failed = io::Error::new(io::ErrorKind::AddrNotAvailable, "it names no address");
    for address in at.to_socket_addrs()? {
        match listen_at(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen_at(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: a restart need not wait for old connections to be forgotten.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// The attempts to reach a member: at which of its addresses, and how long each may take. Of several
/// addresses each has only `first`; if none answers in that time they are tried once more.
pub fn attempts(
    hosts: &[String],
    limit: Duration,
    first: Option<Duration>,
) -> impl Iterator<Item = (&str, Duration)> {
    let quick = first.filter(|first| hosts.len() > 1 && *first < limit);
    let all = move |limit| hosts.iter().map(move |host| (host.as_str(), limit));
    quick.into_iter().flat_map(all).chain(all(limit))
}

#[cfg(test)]
mod tests;
