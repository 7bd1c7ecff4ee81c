//! The first frame of a connection and its answer (ZooKeeper.md 1.4).

use super::super::jute::{DecodeError, Reader, Writer};
use crate::{
    id::{SessionId, Zxid},
    request::{ConnectRequest, ConnectResponse},
};
use std::sync::Arc;

/// Stands for a password that is not of 16 bytes: it is no session's (`session` proves it).
pub const NOBODYS_PASSWORD: [u8; 16] = [0xff; 16];

/// A connect request as it travels: what the protocol works with, and what only the wire knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// 0 from all clients.
    pub protocol_version: i32,
    /// The newest state the client has seen.
    pub last_zxid_seen: Zxid,
    /// The time-out wished for.
    pub timeout_ms: i32,
    /// 0 for a new session.
    pub session: SessionId,
    /// The session's password: 16 bytes of zeros for a new session, but clients send what they like.
    pub password: Option<Arc<[u8]>>,
    /// Whether a server without a quorum is good enough. `None`: a client so old that it does not
    /// send the byte, and must not get one in the answer either.
    pub read_only: Option<bool>,
}

impl Connect {
    /// Reads a frame. What follows the last field is ignored, as Apache does.
    pub fn decode(frame: &[u8], limit: usize) -> Result<Connect, DecodeError> {
        let mut r = Reader::new(frame, limit);
        Ok(Connect {
            protocol_version: r.i32("protocolVersion")?,
            last_zxid_seen: Zxid(r.i64("lastZxidSeen")?),
            timeout_ms: r.i32("timeOut")?,
            session: SessionId(r.i64("sessionId")?),
            password: r.data("passwd")?,
            read_only: match r.left() {
                0 => None,
                _ => Some(r.bool("readOnly")?),
            },
        })
    }

    /// Writes a frame's body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_i32(self.protocol_version);
        out.put_i64(self.last_zxid_seen.0);
        out.put_i32(self.timeout_ms);
        out.put_i64(self.session.0);
        out.put_buffer(self.password.as_deref());
        if let Some(read_only) = self.read_only {
            out.put_bool(read_only);
        }
    }

    /// What a client of ours sends.
    #[must_use]
    pub fn new(request: &ConnectRequest) -> Connect {
        Connect {
            protocol_version: 0,
            last_zxid_seen: request.last_zxid_seen,
            timeout_ms: request.timeout_ms,
            session: request.session,
            password: Some(Arc::from(request.password)),
            read_only: Some(request.read_only),
        }
    }

    /// What the protocol works with. A password that is not of 16 bytes can't be right, so
    /// [`NOBODYS_PASSWORD`] stands for it.
    #[must_use]
    pub fn request(&self) -> ConnectRequest {
        let given = self.password.as_deref().and_then(|p| p.try_into().ok());
        ConnectRequest {
            last_zxid_seen: self.last_zxid_seen,
            timeout_ms: self.timeout_ms,
            session: self.session,
            password: given.unwrap_or(NOBODYS_PASSWORD),
            read_only: self.read_only == Some(true),
        }
    }
}

/// The answer as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// What the protocol says.
    pub response: ConnectResponse,
    /// Whether the server is a read-only one; `None` for a client whose request had no such byte.
    pub read_only: Option<bool>,
}

impl Connected {
    /// Answers `request` in the layout that it came in.
    #[must_use]
    pub fn to(request: &Connect, response: ConnectResponse) -> Connected {
        Connected {
            read_only: request.read_only.map(|_| response.read_only),
            response,
        }
    }

    /// Writes a frame's body; protocolVersion is 0.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_i32(0);
        out.put_i32(self.response.timeout_ms);
        out.put_i64(self.response.session.0);
        out.put_buffer(Some(&self.response.password));
        if let Some(read_only) = self.read_only {
            out.put_bool(read_only);
        }
    }

    /// Reads a frame. Passwords are of 16 bytes in every ZooKeeper.
    pub fn decode(frame: &[u8], limit: usize) -> Result<Connected, DecodeError> {
        let mut r = Reader::new(frame, limit);
        r.i32("protocolVersion")?;
        let timeout_ms = r.i32("timeOut")?;
        let session = SessionId(r.i64("sessionId")?);
        let at = r.at();
        let password =
            r.buffer("passwd")?
                .and_then(|p| p.try_into().ok())
                .ok_or(DecodeError::Malformed {
                    what: "passwd",
                    at,
                    why: "a password has 16 bytes",
                })?;
        let read_only = match r.left() {
            0 => None,
            _ => Some(r.bool("readOnly")?),
        };
        Ok(Connected {
            response: ConnectResponse {
                timeout_ms,
                session,
                password,
                read_only: read_only == Some(true),
            },
            read_only,
        })
    }
}
