//! Accepting and connecting: what comes of a socket before the first byte of a protocol.

use super::{Context, Stream, explain, subject, verify};
use rustls::pki_types::ServerName;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The first byte of TLS: a record that carries a handshake.
const HANDSHAKE: u8 = 22;

/// What a port speaks.
#[derive(Clone, Debug)]
pub struct Door {
    tls: Option<Arc<Context>>,
    plain: bool,
    /// What would let the other kind in.
    advice: &'static str,
}

/// Who came in.
#[derive(Debug)]
pub struct Guest {
    /// The connection.
    pub stream: Stream,
    /// The subject of the certificate that it showed, if it did.
    pub subject: Option<String>,
}

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum TurnedAway {
    /// It went away by itself.
    #[error("{0}")]
    Gone(io::Error),
    /// It did what this port does not allow.
    #[error("{0}")]
    Refused(String),
}

impl Door {
    /// Plain connections only; `advice` is what to do for one that begins with TLS.
    #[must_use]
    pub fn plain(advice: &'static str) -> Door {
        Door {
            tls: None,
            plain: true,
            advice,
        }
    }

    /// TLS only; `advice` is what to do for one that begins without.
    #[must_use]
    pub fn secure(context: Arc<Context>, advice: &'static str) -> Door {
        Door {
            tls: Some(context),
            plain: false,
            advice,
        }
    }

    /// Both: the first byte tells.
    #[must_use]
    pub fn unified(context: Arc<Context>) -> Door {
        Door {
            tls: Some(context),
            plain: true,
            advice: "",
        }
    }

    /// Waits for the first byte and, if it is TLS, for the handshake. It has no deadline of its own but
    /// for the first byte at a door for both: who is silent there is taken as plain.
    ///
    /// # Errors
    /// Why nobody came in.
    pub async fn open(&self, stream: TcpStream, from: SocketAddr) -> Result<Guest, TurnedAway> {
        let refused = |what: &str| Err(TurnedAway::Refused(format!("{what}; {}", self.advice)));
        let plain = |stream| Guest {
            stream: Stream::Plain(stream),
            subject: None,
        };
        let mut byte = [0];
        let patience = match &self.tls {
            Some(context) if self.plain => context.settings().handshake_detection,
            Some(_) | None => Duration::MAX,
        };
        let first = match timeout(patience, stream.peek(&mut byte)).await {
            Ok(Ok(1)) => byte[0],
            Ok(Ok(_)) => return Err(TurnedAway::Gone(io::ErrorKind::UnexpectedEof.into())),
            Ok(Err(error)) => return Err(TurnedAway::Gone(error)),
            Err(_) => return Ok(plain(stream)),
        };
        match &self.tls {
            None if first == HANDSHAKE => refused("it speaks TLS on a port without TLS"),
            None => Ok(plain(stream)),
            Some(context) if first == HANDSHAKE => accept(context, stream, from).await,
            Some(_) if self.plain => Ok(plain(stream)),
            Some(_) => refused("it does not speak TLS, which this port asks for"),
        }
    }
}

async fn accept(
    context: &Context,
    stream: TcpStream,
    from: SocketAddr,
) -> Result<Guest, TurnedAway> {
    let refused = |what: &str| TurnedAway::Refused(what.to_owned());
    let config = context.server().ok_or_else(|| refused("there is no key"))?;
    let accepted = TlsAcceptor::from(config).accept(stream).await;
    let stream = accepted.map_err(|error| TurnedAway::Refused(explain(&error)))?;
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(<[_]>::first);
    let subject = match certificate {
        None => None,
        Some(certificate) => {
            let settings = context.settings();
            if settings.hostname_verification
                && settings.client_hostname_verification
                && !verify::names_client(certificate, from.ip(), settings.reverse_dns).await
            {
                let what = "its certificate does not name the address that it comes from \
                            (clientHostnameVerification)";
                return Err(refused(what));
            }
            let subject = subject::of(certificate);
            Some(subject.ok_or_else(|| refused("the subject of its certificate can't be read"))?)
        }
    };
    Ok(Guest {
        stream: Stream::secure(stream.into()),
        subject,
    })
}

/// Connects, with TLS or without.
#[derive(Clone, Debug, Default)]
pub struct Dialer(Option<Arc<Context>>);

impl Dialer {
    /// Without TLS.
    #[must_use]
    pub fn plain() -> Dialer {
        Dialer(None)
    }

    /// With TLS.
    #[must_use]
    pub fn secure(context: Arc<Context>) -> Dialer {
        Dialer(Some(context))
    }

    /// Connects to `host:port`, without a deadline. That a certificate of ours is refused may only show
    /// when the connection is read from.
    ///
    /// # Errors
    /// The system's, and in words why the handshake failed or the certificate is not accepted.
    pub async fn connect(&self, at: &str) -> io::Result<Stream> {
        let stream = TcpStream::connect(at).await?;
        let Some(context) = &self.0 else {
            return Ok(Stream::Plain(stream));
        };
        let address = stream.peer_addr()?.ip();
        let host = at.rsplit_once(':').map_or(at, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let config = context
            .client()
            .ok_or_else(|| io::Error::other("TLS is not set up"))?;
        let name = server_name(host);
        let connected = TlsConnector::from(config).connect(name, stream).await;
        let stream = connected.map_err(|error| io::Error::other(explain(&error)))?;
        let shown = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(<[_]>::first);
        if context.settings().hostname_verification {
            verify::names_server(shown, address, host)?;
        }
        Ok(Stream::secure(stream.into()))
    }
}

/// A name for the handshake; an address, which is not sent, where the host is none.
#[must_use]
pub fn server_name(host: &str) -> ServerName<'static> {
    ServerName::try_from(host.to_owned())
        .unwrap_or_else(|_| ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into()))
}
