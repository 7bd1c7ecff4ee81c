//! Why a client got no answer, or not the one it hoped for.

use thiserror::Error;
use zabscope_core::request::ErrorCode;

/// What can go wrong for a client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClientError {
    /// The connect string is none.
    #[error("\"{0}\" is not host:port,…[/chroot]: {1}")]
    ConnectString(String, String),
    /// The path is none; the reason in the words of Apache's client.
    #[error("{1}")]
    Path(String, String),
    /// The server refused.
    #[error("KeeperErrorCode = {}", code_message(*.0))]
    Server(ErrorCode),
    /// SASL came to nothing at this server, for this reason: the session is over.
    #[error("{0}: {1}")]
    Sasl(String, String),
    /// The connection broke before the answer: nobody knows whether it was done.
    #[error("KeeperErrorCode = ConnectionLoss")]
    ConnectionLoss,
    /// No server could be reached.
    #[error("no server can be reached: {0}")]
    NotConnected(String),
    /// The answer did not come in time.
    #[error("no answer in time")]
    NoAnswer,
    /// The session is over.
    #[error("KeeperErrorCode = Session expired")]
    SessionOver,
    /// The server said something that makes no sense.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
    /// The system gave no thread.
    #[error("no thread could be started: {0}")]
    Thread(String),
}

impl ClientError {
    /// Whether no server was there to refuse anything.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            ClientError::NotConnected(_) | ClientError::ConnectionLoss | ClientError::NoAnswer => {
                true
            }
            ClientError::ConnectString(..)
            | ClientError::Path(..)
            | ClientError::Server(_)
            | ClientError::Sasl(..)
            | ClientError::SessionOver
            | ClientError::Protocol(_)
            | ClientError::Thread(_) => false,
        }
    }

    /// The server's code, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Server(code) => Some(*code),
            ClientError::Sasl(..) => Some(ErrorCode::AuthFailed),
            ClientError::ConnectionLoss => Some(ErrorCode::ConnectionLoss),
            ClientError::SessionOver => Some(ErrorCode::SessionExpired),
            _ => None,
        }
    }
}

/// A code in the words of Apache's exceptions.
#[must_use]
pub fn code_message(code: ErrorCode) -> String {
    match code {
        ErrorCode::Ok => "ok".to_owned(),
        ErrorCode::NotEmpty => "Directory not empty".to_owned(),
        ErrorCode::SessionExpired => "Session expired".to_owned(),
        ErrorCode::InvalidCallback => "Invalid callback".to_owned(),
        ErrorCode::SessionMoved => "Session moved".to_owned(),
        ErrorCode::NotReadOnly => "Not a read-only call".to_owned(),
        ErrorCode::EphemeralOnLocalSession => "Ephemeral node on local session".to_owned(),
        ErrorCode::NoWatcher => "No such watcher".to_owned(),
        ErrorCode::ReconfigDisabled => "Reconfig is disabled".to_owned(),
        ErrorCode::SessionClosedRequireSaslAuth => {
            "Session closed because client failed to authenticate".to_owned()
        }
        ErrorCode::QuotaExceeded => "Quota has exceeded".to_owned(),
        ErrorCode::ThrottledOp => "Op throttled due to high load".to_owned(),
        other => other.name().to_owned(),
    }
}
