//! The client's connection, encrypted or not. One thread reads; whoever asks writes.

use crate::net::tls::{Context, explain, names_server, server_name};
use rustls::ClientConnection;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How much is read from the socket at a time.
const READ: usize = 16 * 1024;

/// A connection. A clone of it is the same connection, for writing.
pub struct Wire {
    socket: TcpStream,
    tls: Option<Tls>,
}

struct Tls {
    session: Arc<Mutex<ClientConnection>>,
    /// What was read and not decrypted.
    raw: Vec<u8>,
}

impl Wire {
    /// Connects, and shakes hands where there is TLS, until the deadline.
    ///
    /// # Errors
    /// The system's, and in words why the handshake failed or the certificate is not accepted.
    pub fn connect(
        address: &SocketAddr,
        host: &str,
        tls: Option<&Context>,
        deadline: Instant,
    ) -> io::Result<Wire> {
        let socket = TcpStream::connect_timeout(address, left(deadline)?)?;
        socket.set_nodelay(true)?;
        let Some(context) = tls else {
            return Ok(Wire { socket, tls: None });
        };
        socket.set_write_timeout(Some(left(deadline)?))?;
        let config = context
            .client()
            .ok_or_else(|| io::Error::other("TLS is not set up"))?;
        let session = ClientConnection::new(config, server_name(host)).map_err(failed)?;
        let mut wire = Wire {
            socket,
            tls: Some(Tls {
                session: Arc::new(Mutex::new(session)),
                raw: Vec::new(),
            }),
        };
        while wire.is_handshaking() {
            if wire.fill(Some(deadline))? == 0 {
                return Err(io::Error::other(explain(&ErrorKind::UnexpectedEof.into())));
            }
        }
        if let Some(tls) = wire
            .tls
            .as_ref()
            .filter(|_| context.settings().hostname_verification)
        {
            let session = lock(&tls.session);
            let shown = session.peer_certificates().and_then(<[_]>::first);
            names_server(shown, address.ip(), host)?;
        }
        Ok(wire)
    }

    fn is_handshaking(&mut self) -> bool {
        self.tls
            .as_ref()
            .is_some_and(|tls| lock(&tls.session).is_handshaking())
    }

    /// The same connection, to write to or to end it.
    ///
    /// # Errors
    /// The system's.
    pub fn try_clone(&self) -> io::Result<Wire> {
        let tls = self.tls.as_ref().map(|tls| Tls {
            session: Arc::clone(&tls.session),
            raw: Vec::new(),
        });
        Ok(Wire {
            socket: self.socket.try_clone()?,
            tls,
        })
    }

    /// As of a socket.
    ///
    /// # Errors
    /// The system's.
    pub fn set_read_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(time)
    }

    /// As of a socket.
    ///
    /// # Errors
    /// The system's.
    pub fn set_write_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(time)
    }

    /// Ends it, both ways.
    pub fn shutdown(&self) {
        // It may be gone already.
        if let Some(tls) = &self.tls {
            let mut session = lock(&tls.session);
            session.send_close_notify();
            let _ = send(&mut session, &self.socket);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Reads what there is, and waits for it until the deadline, however slowly it comes.
    ///
    /// # Errors
    /// The system's; too late.
    pub fn read_until(&mut self, buf: &mut [u8], deadline: Instant) -> io::Result<usize> {
        self.next(buf, Some(deadline)).map_err(|e| match e.kind() {
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => e,
        })
    }

    /// Without a deadline, the socket's own time-out counts for each of its reads.
    fn next(&mut self, buf: &mut [u8], deadline: Option<Instant>) -> io::Result<usize> {
        loop {
            let Some(tls) = &self.tls else {
                self.wait_until(deadline)?;
                return self.socket.read(buf);
            };
            match lock(&tls.session).reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if self.fill(deadline)? == 0 {
                return Ok(0);
            }
        }
    }

    fn wait_until(&self, deadline: Option<Instant>) -> io::Result<()> {
        match deadline {
            Some(deadline) => self.socket.set_read_timeout(Some(left(deadline)?)),
            None => Ok(()),
        }
    }

    /// Sends what TLS has to say, then reads once from the socket: how much came.
    fn fill(&mut self, deadline: Option<Instant>) -> io::Result<usize> {
        self.wait_until(deadline)?;
        let Some(tls) = &mut self.tls else {
            return Ok(0);
        };
        send(&mut lock(&tls.session), &self.socket)?;
        if tls.raw.is_empty() {
            let mut chunk = vec![0; READ];
            let n = self.socket.read(&mut chunk)?;
            chunk.truncate(n);
            tls.raw = chunk;
        }
        let mut session = lock(&tls.session);
        let mut rest = &*tls.raw;
        let n = session.read_tls(&mut rest)?;
        let used = tls.raw.len() - rest.len();
        tls.raw.drain(..used);
        let understood = session.process_new_packets();
        // An alert that says what is wrong.
        let sent = send(&mut session, &self.socket);
        understood.map_err(failed)?;
        sent?;
        Ok(n)
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.next(buf, None)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else {
            return self.socket.write(buf);
        };
        let mut session = lock(&tls.session);
        let n = session.writer().write(buf)?;
        send(&mut session, &self.socket)?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

fn lock(session: &Mutex<ClientConnection>) -> MutexGuard<'_, ClientConnection> {
    // Whatever happened to another thread, rustls keeps its state whole.
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(session: &mut ClientConnection, mut socket: &TcpStream) -> io::Result<()> {
    while session.wants_write() {
        session.write_tls(&mut socket)?;
    }
    Ok(())
}

fn failed(error: rustls::Error) -> io::Error {
    io::Error::other(explain(&io::Error::other(error)))
}
