//! SASL between members (ZooKeeper.md 2.2): the first that happens on a quorum connection, and what
//! follows the greeting on an election connection. Who connects is the mechanism's client.
//!
//! It proves that the other side knows a password of the ensemble, not which member it is: the users
//! are the ensemble's, so a member that has fallen into wrong hands can still lie about its id.

use super::{
    Credentials, Users,
    digest_md5::{Acceptor, Answer, Initiator, LONGEST, Refused, Service},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use zabscope_core::wire::jute::{DecodeError, Reader, Writer};

/// What a member speaks to.
pub const QUORUM: Service = Service {
    protocol: "zookeeper-quorum",
    name: "zk-quorum-sasl-md5",
};
/// A packet of this kind begins with it. Java's literal is negative already, so this is positive.
const MAGIC: i64 = 0xa0db_cafe_cafe_1234_u64.cast_signed().wrapping_neg();
/// How many challenges are answered; this mechanism has one.
const MOST: usize = 5;
/// Who says nothing for so long does not want to authenticate: where that is allowed, it goes on.
const QUIET: Duration = Duration::from_secs(1);

/// How this server and others prove themselves to each other.
#[derive(Debug)]
pub struct Login {
    /// Who may come in.
    pub users: Arc<Users>,
    /// Who does not authenticate is not let in (`quorum.auth.serverRequireSasl`).
    pub required: bool,
    /// Who this server is when it connects; `None` if it then does not authenticate
    /// (`quorum.auth.learnerRequireSasl`).
    pub own: Option<Credentials>,
}

/// How far an exchange has come, for its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    InProgress,
    /// The connecting side has proved itself.
    Success,
    /// It has not, or a number that nobody knows.
    Error,
}

/// One packet: a record without a length before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// How far.
    pub status: Status,
    /// The mechanism's.
    pub token: Vec<u8>,
}

impl Packet {
    /// Writes it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_i64(MAGIC);
        out.put_i32(match self.status {
            Status::InProgress => 0,
            Status::Success => 1,
            Status::Error => -1,
        });
        out.put_buffer(Some(&self.token));
    }

    /// Reads one and how long it was; `None` if more bytes are needed.
    ///
    /// # Errors
    /// It is none, or its token is longer than any.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Packet, usize)>, DecodeError> {
        const HEAD: usize = 16;
        let mut r = Reader::new(bytes, LONGEST);
        if bytes.len() < HEAD {
            return Ok(None);
        }
        let magic = r.i64("magic")?;
        if magic != MAGIC {
            return Err(DecodeError::Unknown {
                what: "magic of an authentication packet",
                at: 0,
                value: magic,
            });
        }
        let status = match r.i32("status")? {
            0 => Status::InProgress,
            1 => Status::Success,
            _ => Status::Error,
        };
        let length = r.clone().i32("token")?;
        // Null is -1 and has no bytes; a length that is none of these is the reader's to refuse.
        let wanted = HEAD + usize::try_from(length).unwrap_or(0);
        if wanted <= HEAD + LONGEST && bytes.len() < wanted {
            return Ok(None);
        }
        let token = r.buffer("token")?.unwrap_or_default().to_vec();
        Ok(Some((Packet { status, token }, wanted)))
    }
}

/// Lets the other side prove itself; `early` is what was read of it already, and keeps what is not of
/// this exchange. The caller sees to it that this does not take for ever.
///
/// # Errors
/// It has not, and has to.
pub async fn accept<S>(login: &Login, stream: &mut S, early: &mut Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let wants = if login.required {
        begins_with_magic(stream, early).await?
    } else {
        // A connection that ends is its owner's affair.
        matches!(
            timeout(QUIET, begins_with_magic(stream, early)).await,
            Ok(Ok(true))
        )
    };
    if !wants {
        return if login.required {
            Err(refused(
                "it does not authenticate, and quorum.auth.serverRequireSasl is true",
            ))
        } else {
            Ok(())
        };
    }
    match answer(login, stream, early).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let packet = Packet {
                status: Status::Error,
                token: Vec::new(),
            };
            // It may be gone.
            let _ = send(stream, &packet).await;
            if login.required {
                return Err(error);
            }
            tracing::warn!(
                %error,
                "a member did not prove itself and is let in: quorum.auth.serverRequireSasl is false"
            );
            Ok(())
        }
    }
}

async fn begins_with_magic<S>(stream: &mut S, early: &mut Vec<u8>) -> io::Result<bool>
where
    S: AsyncRead + Unpin,
{
    loop {
        if let Some(first) = early.first_chunk() {
            return Ok(i64::from_be_bytes(*first) == MAGIC);
        }
        more(stream, early).await?;
    }
}

async fn answer<S>(login: &Login, stream: &mut S, early: &mut Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut acceptor = Acceptor::new(QUORUM, Arc::clone(&login.users));
    for _ in 0..MOST {
        let token = receive(stream, early).await?.token;
        match acceptor.evaluate(&token)? {
            Answer::Challenge(token) => {
                let status = Status::InProgress;
                send(stream, &Packet { status, token }).await?;
            }
            Answer::Complete {
                token,
                user,
                authorised,
            } => {
                // Unlike clients: nobody is anybody else here.
                if user != authorised {
                    return Err(Refused::Other("authzid").into());
                }
                let status = Status::Success;
                return send(stream, &Packet { status, token }).await;
            }
        }
    }
    Err(Refused::Over.into())
}

/// Proves this server to whom it has connected to, if it is to; `early` gets what was read beyond that.
/// The caller sees to it that this does not take for ever.
///
/// # Errors
/// The other side does not accept it, or does not know the password itself.
pub async fn connect<S>(login: &Login, stream: &mut S, early: &mut Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(own) = &login.own else {
        return Ok(());
    };
    let mut initiator = Initiator::new(QUORUM, own.clone());
    let mut token = Vec::new();
    for _ in 0..MOST {
        let status = Status::InProgress;
        send(stream, &Packet { status, token }).await?;
        let packet = receive(stream, early).await?;
        match packet.status {
            Status::InProgress => token = initiator.respond(&packet.token)?,
            Status::Success => return Ok(initiator.verify(&packet.token)?),
            Status::Error => {
                return Err(refused(
                    "it does not accept this server's name and password (the section that \
                     quorum.auth.learner.saslLoginContext names)",
                ));
            }
        }
    }
    Err(Refused::Over.into())
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

async fn receive<S>(stream: &mut S, early: &mut Vec<u8>) -> io::Result<Packet>
where
    S: AsyncRead + Unpin,
{
    loop {
        match Packet::decode(early) {
            Ok(Some((packet, used))) => {
                early.drain(..used);
                return Ok(packet);
            }
            Ok(None) => more(stream, early).await?,
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

async fn more<S>(stream: &mut S, early: &mut Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + Unpin,
{
    match stream.read_buf(early).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

async fn send<S>(stream: &mut S, packet: &Packet) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let mut bytes = Vec::new();
    packet.encode(&mut bytes);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests;
