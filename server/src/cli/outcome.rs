//! What a command comes to.

use super::commands::usage;
use crate::client::ClientError;
use serde_json::{Value, json};
use std::fmt;
use zabscope_core::request::ErrorCode;

/// What a command prints: text on both streams, or one JSON object.
#[derive(Debug)]
pub struct Outcome {
    /// For stdout.
    pub out: String,
    /// For stderr: zkCli says some things there.
    pub err: String,
    /// For stdout with `--json`.
    pub json: Value,
}

impl Default for Outcome {
    fn default() -> Outcome {
        Outcome::both(String::new(), json!({ "ok": true }))
    }
}

impl Outcome {
    pub fn both(out: String, json: Value) -> Outcome {
        Outcome {
            out,
            err: String::new(),
            json,
        }
    }

    pub fn text(out: impl Into<String>) -> Outcome {
        let out = out.into();
        let json = json!({ "text": out.trim_end() });
        Outcome::both(out, json)
    }

    pub fn note(err: String) -> Outcome {
        let json = json!({ "note": err.trim_end() });
        Outcome {
            out: String::new(),
            err,
            json,
        }
    }
}

/// Why a command did nothing, or not all.
#[derive(Debug)]
pub enum Failure {
    /// It is written wrongly.
    Wrong(String),
    /// There is no such command: all of them are shown.
    Unknown(String),
    /// The client says so, of this path.
    Client(ClientError, String),
    /// Another one, after some lines.
    Noted(String, Box<Failure>),
}

impl Failure {
    pub fn wrong(text: &str) -> Failure {
        Failure::Wrong(text.to_owned())
    }

    pub fn unknown(text: &str) -> Failure {
        Failure::Unknown(text.to_owned())
    }

    pub fn client(error: ClientError, path: &str) -> Failure {
        Failure::Client(error, path.to_owned())
    }

    /// 1, or 3 if no server answered.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Client(e, _) if e.is_unreachable() => 3,
            Failure::Noted(_, failure) => failure.exit_code(),
            Failure::Wrong(_) | Failure::Unknown(_) | Failure::Client(..) => 1,
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Failure::Wrong(text) | Failure::Unknown(text) => {
                json!({ "error": "usage", "message": text })
            }
            Failure::Noted(_, failure) => failure.json(),
            Failure::Client(e, path) => {
                let name = e.code().map_or("client", ErrorCode::name);
                let code = e.code().map(ErrorCode::code);
                json!({ "error": name, "code": code, "path": path, "message": self.to_string() })
            }
        }
    }
}

/// zkCli's words.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, path) = match self {
            Failure::Wrong(text) => return f.write_str(text),
            Failure::Unknown(text) => return write!(f, "{}{text}", usage()),
            Failure::Noted(notes, failure) => return write!(f, "{notes}{failure}"),
            Failure::Client(error, path) => (error, path),
        };
        let Some(code) = error
            .code()
            .filter(|_| !matches!(error, ClientError::Sasl(..)))
        else {
            return write!(f, "{error}");
        };
        match code {
            ErrorCode::NoNode => write!(f, "Node does not exist: {path}"),
            ErrorCode::NoChildrenForEphemerals => write!(f, "Ephemerals cannot have children: {path}"),
            ErrorCode::NodeExists => write!(f, "Node already exists: {path}"),
            ErrorCode::NotEmpty => write!(f, "Node not empty: {path}"),
            ErrorCode::NotReadOnly => write!(f, "Not a read-only call: {path}"),
            ErrorCode::InvalidAcl => write!(f, "Acl is not valid : {path}"),
            ErrorCode::NoAuth => write!(f, "Insufficient permission : {path}"),
            ErrorCode::BadArguments => write!(f, "Arguments are not valid : {path}"),
            ErrorCode::BadVersion => write!(f, "version No is not valid : {path}"),
            ErrorCode::ReconfigInProgress => f.write_str(
                "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)",
            ),
            ErrorCode::NewConfigNoQuorum => f.write_str(
                "No quorum of new config is connected and up-to-date with the leader of last commmitted \
                 config - try invoking reconfiguration after new servers are connected and synced",
            ),
            ErrorCode::QuotaExceeded => write!(f, "Quota has exceeded : {path}"),
            _ if path.is_empty() => write!(f, "{error}"),
            _ => write!(f, "{error} for {path}"),
        }
    }
}
