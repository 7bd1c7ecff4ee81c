//! One raw connection of a client: the handshake and frames, nothing clever.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::jute::{Reader, Writer};

/// No frame of a server is longer than this.
const FRAME_LIMIT: usize = 64 << 20;

/// What a client asks for when it connects.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The largest zxid it has seen.
    pub last_zxid: i64,
    /// The session time-out that it wants, in milliseconds.
    pub timeout: i32,
    /// 0 for a new session.
    pub session: i64,
    /// The session's password; 16 zero bytes for a new one.
    pub password: Vec<u8>,
    /// The last byte of newer clients; `None` for one that does not send it.
    pub read_only: Option<bool>,
}

impl Hello {
    /// A new session.
    pub fn new(timeout: i32) -> Self {
        Self {
            last_zxid: 0,
            timeout,
            session: 0,
            password: vec![0; 16],
            read_only: Some(false),
        }
    }
}

/// What the server answers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// 0.
    pub version: i32,
    /// The negotiated time-out in milliseconds; 0 if there is no such session.
    pub timeout: i32,
    /// The session.
    pub session: i64,
    /// Its password.
    pub password: Vec<u8>,
    /// Whether the server is in read-only mode, if it says so at all.
    pub read_only: Option<bool>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The body of a frame.
    Frame(Vec<u8>),
    /// The server has closed the connection.
    Closed,
    /// Nothing within the limit.
    Silence,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, without the handshake.
    pub fn open(address: SocketAddr, limit: Duration) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, limit)
            .with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(limit))?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// The handshake. `None` if the server closes the connection without an answer.
    pub fn hello(&mut self, hello: &Hello, limit: Duration) -> Result<Option<Welcome>> {
        let mut body = Writer::new();
        body.int(0)
            .long(hello.last_zxid)
            .int(hello.timeout)
            .long(hello.session)
            .buffer(Some(&hello.password));
        if let Some(read_only) = hello.read_only {
            body.bool(read_only);
        }
        if !self.send(&body.finish()) {
            return Ok(None);
        }
        match self.receive(limit)? {
            Received::Frame(frame) => {
                let mut reader = Reader::new(&frame);
                let mut welcome = Welcome {
                    version: reader.int()?,
                    timeout: reader.int()?,
                    session: reader.long()?,
                    password: reader.buffer()?.unwrap_or_default().to_vec(),
                    read_only: None,
                };
                if !reader.rest().is_empty() {
                    welcome.read_only = Some(reader.bool()?);
                }
                ensure!(
                    reader.rest().is_empty(),
                    "the server's greeting is too long: {frame:?}"
                );
                Ok(Some(welcome))
            }
            Received::Closed => Ok(None),
            Received::Silence => anyhow::bail!("no answer to the handshake within {limit:?}"),
        }
    }

    /// Sends a frame. False if the connection is gone.
    pub fn send(&mut self, body: &[u8]) -> bool {
        let mut frame = Writer::new();
        frame.buffer(Some(body));
        self.send_raw(&frame.finish())
    }

    /// Sends bytes as they are. False if the connection is gone.
    pub fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next frame.
    pub fn receive(&mut self, limit: Duration) -> Result<Received> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some((length, rest)) = self.buffer.split_first_chunk::<4>() {
                let length = usize::try_from(i32::from_be_bytes(*length))
                    .ok()
                    .filter(|length| *length <= FRAME_LIMIT)
                    .with_context(|| format!("the server sent the length {length:?}"))?;
                if rest.len() >= length {
                    let frame = rest[..length].to_vec();
                    self.buffer.drain(..4 + length);
                    return Ok(Received::Frame(frame));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Received::Silence);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 16 << 10];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(Received::Closed),
                Ok(length) => self.buffer.extend(&chunk[..length]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    // Reset, aborted, broken: the other side is gone.
                    _ => return Ok(Received::Closed),
                },
            }
        }
    }

    /// Cuts the connection.
    pub fn cut(self) {
        // If it is cut already, all the better.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// The password that belongs to a session id (ZOOKEEPER's rule: Java's generator of random numbers,
/// seeded with the id and a constant).
pub fn password_of(session: i64) -> Vec<u8> {
    let mut state = ((session ^ 0xB341_5C00) ^ 0x5_DEEC_E66D) & ((1 << 48) - 1);
    let mut password = Vec::new();
    for _ in 0..4 {
        state = state.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
        // Bits 16 to 47: the cast keeps just these.
        password.extend(((state >> 16) as u32).to_le_bytes());
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_those_of_the_specification() {
        let hex = |session: i64| {
            let bytes = password_of(session);
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(hex(0), "f22acd4a97e69d6d20a49bb638eadb38");
        assert_eq!(hex(1), "054cc74a37327db215e702e20c73f005");
        assert_eq!(
            hex(0x100_0123_4567_8901),
            "da1700ba9f6dfabfdbb8dae9d73cb0b6"
        );
    }
}
