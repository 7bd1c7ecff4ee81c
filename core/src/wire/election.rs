//! The election port: the greeting of a connection, then framed notifications (ZooKeeper.md 2.1, 2.3).
//!
//! A greeting that can't be read ends the connection, and so does a frame whose length is not
//! within [`FRAME`]. A notification that can't be read is dropped, as in Apache; the connection stays.

use super::jute::{DecodeError, Reader, Writer};
use crate::{
    id::{Epoch, ServerId, Zxid},
    message::{Notification, ServerState, Vote},
};
use std::{fmt, net::IpAddr, ops::RangeInclusive, sync::Arc};

/// The lengths that a notification's frame may have; see [`super::frame`].
pub const FRAME: RangeInclusive<usize> = 1..=524_288;

/// The longest that the addresses of a greeting may be.
const MOST_ADDRESSES: usize = 2048;

/// The version of a greeting with one address.
const V1: i64 = -65_536;
/// The version of a greeting with several.
const V2: i64 = -65_535;

/// The id that observers give which have none: the acceptor makes up a negative one.
pub const ANONYMOUS: ServerId = ServerId(i64::MAX);

/// The first that the initiator of a connection says: who it is, and where to call back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Before 3.5: nothing but the id.
    Legacy(ServerId),
    /// One address.
    V1 {
        /// Who calls.
        from: ServerId,
        /// Where it can be reached. Apache reads several here as well, and never writes them.
        addresses: Vec<Address>,
    },
    /// Several addresses; only with multiAddress.enabled.
    V2 {
        /// Who calls.
        from: ServerId,
        /// Where it can be reached.
        addresses: Vec<Address>,
    },
}

/// `host:port`; an IPv6 address stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// A name, or an address without brackets.
    pub host: Arc<str>,
    /// The election port.
    pub port: u16,
}

impl Address {
    /// Whether it is an address to listen on only (0.0.0.0, ::); nobody can be called back there.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        let ip: Result<IpAddr, _> = self.host.parse();
        ip.is_ok_and(|ip| ip.is_unspecified())
    }

    fn parse(text: &str) -> Option<Address> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once("]:")?,
            None => text.split_once(':')?,
        };
        let bracketed = text.starts_with('[');
        let port_is_plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if host.is_empty() || !port_is_plain || (host.contains(':') && !bracketed) {
            return None;
        }
        Some(Address {
            host: host.into(),
            port: port.parse().ok()?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Greeting {
    /// Who calls.
    #[must_use]
    pub fn from(&self) -> ServerId {
        match self {
            Greeting::Legacy(from) | Greeting::V1 { from, .. } | Greeting::V2 { from, .. } => *from,
        }
    }

    /// Where it can be called back: its addresses without wildcards.
    pub fn call_back(&self) -> impl Iterator<Item = &Address> {
        let addresses = match self {
            Greeting::Legacy(_) => &[][..],
            Greeting::V1 { addresses, .. } | Greeting::V2 { addresses, .. } => addresses,
        };
        addresses.iter().filter(|address| !address.is_wildcard())
    }

    /// The greeting at the beginning of `bytes`, and how many bytes it takes; `None` when it is not
    /// there in full.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Greeting, usize)>, DecodeError> {
        let mut r = Reader::new(bytes, MOST_ADDRESSES);
        match greeting(&mut r) {
            Ok(greeting) => Ok(Some((greeting, r.at()))),
            // The input ends, and what is missing was found to be allowed.
            Err(DecodeError::End { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (version, from, addresses) = match self {
            Greeting::Legacy(from) => return out.put_i64(from.0),
            Greeting::V1 { from, addresses } => (V1, from, addresses),
            Greeting::V2 { from, addresses } => (V2, from, addresses),
        };
        let texts: Vec<String> = addresses.iter().map(Address::to_string).collect();
        out.put_i64(version);
        out.put_i64(from.0);
        out.put_str(&texts.join("|"));
    }
}

fn greeting(r: &mut Reader<'_>) -> Result<Greeting, DecodeError> {
    let version = r.i64("version of a greeting")?;
    if version >= 0 {
        return Ok(Greeting::Legacy(ServerId(version)));
    }
    if version != V1 && version != V2 {
        return Err(DecodeError::Unknown {
            what: "version of a greeting",
            at: 0,
            value: version,
        });
    }
    let from = ServerId(r.i64("id of a server")?);
    let what = "addresses of a greeting";
    let at = r.at();
    // Neither null nor empty.
    let text = match r.string(what)? {
        Some(text) if !text.is_empty() => text,
        none => {
            return Err(DecodeError::Length {
                what,
                at,
                length: none.map_or(-1, |_| 0),
                limit: MOST_ADDRESSES,
            });
        }
    };
    let addresses = text
        .split('|')
        .map(Address::parse)
        .collect::<Option<Vec<Address>>>()
        .ok_or(DecodeError::Malformed {
            what,
            at,
            why: "an address is host:port, or [IPv6]:port",
        })?;
    Ok(match version {
        V1 => Greeting::V1 { from, addresses },
        _ => Greeting::V2 { from, addresses },
    })
}

/// A notification as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the election works with. Its config_version is that of `format`'s text.
    pub notification: Notification,
    /// The layout that it came in.
    pub format: Format,
}

/// The layouts of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// 28 bytes: without the candidate's epoch, which is then that of its zxid.
    WithoutEpoch,
    /// 40 bytes of 3.4, whose last four count for nothing: version 0.
    WithoutVersion {
        /// What stands there; 3.4 writes 1.
        last: i32,
    },
    /// A version below 2, and no configuration. In bytes it needs to be longer than the one before.
    Bare {
        /// The version.
        version: i32,
    },
    /// 2, and whatever comes after it: with the sender's configuration.
    Configured {
        /// The version.
        version: i32,
        /// The sender's configuration as it is written (2.5); in UTF-8 since 3.9.4.
        config: Arc<[u8]>,
    },
}

impl Format {
    /// Its version: 0 counts votes differently (2.4).
    #[must_use]
    pub fn version(&self) -> i32 {
        match self {
            Format::WithoutEpoch | Format::WithoutVersion { .. } => 0,
            Format::Bare { version } | Format::Configured { version, .. } => *version,
        }
    }
}

impl Message {
    /// What we send: version 2 with the text of our configuration.
    #[must_use]
    pub fn new(notification: Notification, config: &str) -> Message {
        Message {
            notification,
            format: Format::Configured {
                version: 2,
                config: config.as_bytes().into(),
            },
        }
    }

    /// Reads a frame's body. What follows is ignored, as in Apache.
    pub fn decode(frame: &[u8]) -> Result<Message, DecodeError> {
        let mut r = Reader::new(frame, frame.len());
        let r = &mut r;
        let state = state(r)?;
        let leader = ServerId(r.i64("proposed leader")?);
        let zxid = Zxid(r.i64("zxid of the proposed leader")?);
        let round = r.i64("election epoch")? as u64;
        let (epoch, format) = match frame.len() {
            28 => (zxid.epoch(), Format::WithoutEpoch),
            len => {
                let epoch = Epoch(r.i64("epoch of the proposed leader")?);
                let version = r.i32("version of a notification")?;
                let format = match (len, version) {
                    (40, last) => Format::WithoutVersion { last },
                    (_, ..=1) => Format::Bare { version },
                    (_, 2..) => Format::Configured {
                        version,
                        config: config(r)?,
                    },
                };
                (epoch, format)
            }
        };
        let config_version = match &format {
            Format::Configured { config, .. } => config_version(config),
            Format::WithoutEpoch | Format::WithoutVersion { .. } | Format::Bare { .. } => None,
        };
        Ok(Message {
            notification: Notification {
                state,
                vote: Vote {
                    epoch,
                    zxid,
                    leader,
                },
                round,
                config_version: config_version.unwrap_or(Zxid::ZERO),
                members: None,
            },
            format,
        })
    }

    /// Writes a frame's body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Notification {
            state,
            vote,
            round,
            config_version: _,
            members: _,
        } = self.notification;
        out.put_i32(state as i32);
        out.put_i64(vote.leader.0);
        out.put_i64(vote.zxid.0);
        out.put_i64(round as i64);
        match &self.format {
            Format::WithoutEpoch => {}
            Format::WithoutVersion { last } => {
                out.put_i64(vote.epoch.0);
                out.put_i32(*last);
            }
            Format::Bare { version } => {
                out.put_i64(vote.epoch.0);
                out.put_i32(*version);
                // So that it is not taken for the older one.
                out.put_i32(0);
            }
            Format::Configured { version, config } => {
                out.put_i64(vote.epoch.0);
                out.put_i32(*version);
                out.put_buffer(Some(config));
            }
        }
    }
}

fn state(r: &mut Reader<'_>) -> Result<ServerState, DecodeError> {
    let at = r.at();
    let number = r.i32("state of a server")?;
    [
        ServerState::Looking,
        ServerState::Following,
        ServerState::Leading,
        ServerState::Observing,
    ]
    .into_iter()
    .find(|state| *state as i32 == number)
    .ok_or(DecodeError::Unknown {
        what: "state of a server",
        at,
        value: number.into(),
    })
}

fn config(r: &mut Reader<'_>) -> Result<Arc<[u8]>, DecodeError> {
    let what = "configuration of a notification";
    let at = r.at();
    r.data(what)?.ok_or(DecodeError::Length {
        what,
        at,
        length: -1,
        limit: r.limit(),
    })
}

/// The version that a configuration's text says it has: a line `version=` with hexadecimal digits.
/// `None` for a text that has none, or not in this way.
#[must_use]
pub fn config_version(text: &[u8]) -> Option<Zxid> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let digits = std::str::from_utf8(line.strip_prefix(b"version=")?).ok()?;
        i64::from_str_radix(digits.trim_end(), 16).ok().map(Zxid)
    })
}

#[cfg(test)]
mod tests;
