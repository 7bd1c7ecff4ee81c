//! TLS, at one place: who accepts holds a [`Door`], who connects a [`Dialer`], and both give a
//! [`Stream`] that is read and written alike whether it is encrypted or not (ZooKeeper.md 1.15).
//!
//! In every protocol here the side that connects speaks first, so the first byte tells TLS (22, a
//! handshake) from plain text: no frame that may be so long and no packet begins with it.

mod context;
mod door;
mod reload;
pub mod store;
mod stream;
mod subject;
#[cfg(test)]
mod tests;
mod verify;

pub use context::{Context, Sides};
pub use door::{Dialer, Door, Guest, TurnedAway, server_name};
pub use stream::{Reader, Stream, Writer};
pub use verify::names_server;

use std::fmt;

/// What is wrong with the settings of TLS or the files that they name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TlsError {
    /// Which key of zoo.cfg.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.what, self.todo)
    }
}

/// A handshake's failure in words, where rustls' own leave open what to do.
#[must_use]
pub fn explain(error: &std::io::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};
    let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<Error>()) else {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the other side closed the connection during the \
                 TLS handshake: its log may say why"
                .to_owned(),
            _ => error.to_string(),
        };
    };
    let what = match tls {
        Error::InvalidMessage(_) => "what it says is not TLS",
        Error::NoCertificatesPresented => {
            "it shows no certificate, and clientAuth=need asks for one"
        }
        Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => "nobody in the trust store has issued its certificate",
            Bad::BadSignature => {
                "nobody in the trust store has issued its certificate; one of its issuer's name has \
                 another key"
            }
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "its certificate is not valid yet: do the clocks agree?"
            }
            Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => {
                "its certificate is not for this use: its extended key usage lacks clientAuth or \
                 serverAuth"
            }
            Bad::Other(other) => return format!("its certificate is refused: {}", other.0),
            _ => return format!("its certificate is refused: {bad:?}"),
        },
        Error::AlertReceived(alert) => match alert {
            Alert::UnknownCA => "the other side does not trust the issuer of our certificate",
            Alert::CertificateRequired => "the other side asks for a certificate",
            Alert::BadCertificate | Alert::CertificateUnknown | Alert::UnsupportedCertificate => {
                "the other side refuses our certificate"
            }
            Alert::CertificateExpired => "the other side finds our certificate expired",
            Alert::HandshakeFailure | Alert::ProtocolVersion => {
                "the other side shares no version of TLS or no cipher suite with us"
            }
            _ => return format!("the other side ended the TLS handshake: {alert:?}"),
        },
        Error::PeerIncompatible(why) => {
            return format!("it shares no version of TLS or no cipher suite with us ({why:?})");
        }
        _ => return tls.to_string(),
    };
    what.to_owned()
}
