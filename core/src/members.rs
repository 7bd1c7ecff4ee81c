//! The members of an ensemble as zoo.cfg, the dynamic file and the configuration text write them
//! (ZooKeeper.md 2.5).

use crate::{
    config::Membership,
    id::{ServerId, Zxid},
    quorum::{Quorum, QuorumRule},
};
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The largest server id: it is the top byte of session ids.
pub const LARGEST_ID: i64 = 255;

/// Text from outside, in a message: on one line and not endless.
#[must_use]
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", bracketed(&self.host), self.port)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// One address of a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// Where a leader listens for learners.
    pub quorum_port: u16,
    /// Where elections are held.
    pub election_port: u16,
}

/// Whether a member votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Votes, can lead.
    Participant,
    /// Follows without a vote.
    Observer,
}

/// A member of the ensemble: the value of a `server.N`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// At least one; more than one only with multiAddress.enabled.
    pub addresses: Vec<Address>,
    /// Whether it votes.
    pub role: Role,
    /// Where it serves clients, if its line says so; 0.0.0.0 for a bare port.
    pub client: Option<HostPort>,
}

/// Why a `server.N`, a `group.N` or a configuration text can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MemberError {
    /// The parts are not those of a member.
    #[error("\"{0}\" is not of the form host:quorumPort:electionPort[:role][;[host:]clientPort]")]
    Form(String),
    /// A host has letters that none has.
    #[error("\"{0}\" is not a host: no name or address has blanks, backslashes or brackets")]
    Host(String),
    /// A port is not one.
    #[error("\"{0}\" is not a port between 1 and 65535")]
    Port(String),
    /// A role is neither of the two.
    #[error("\"{0}\" is neither participant nor observer")]
    Role(String),
    /// Addresses with different roles.
    #[error("its addresses have different roles")]
    Roles,
    /// One port for two purposes.
    #[error("quorum port and election port are both {0}")]
    SamePort(u16),
    /// An id is not a number that may be one.
    #[error("\"{0}\" is not a server id, a number from 0 to 255")]
    Id(String),
    /// A group or a version is not a number.
    #[error("\"{0}\" is not a number")]
    Number(String),
    /// A server stands in two groups.
    #[error("server {0} is in two groups")]
    TwoGroups(i64),
    /// A voter stands in none.
    #[error("server {0} votes and is in no group")]
    NoGroup(i64),
    /// A key that a configuration text does not have.
    #[error("\"{0}\" has no place among the members")]
    Unknown(String),
    /// A line of the text is no pair.
    #[error("line {0} is not of the form name=value")]
    Line(usize),
}

impl Member {
    /// Reads the value of a `server.N`.
    ///
    /// # Errors
    /// What is wrong with it, in terms of its parts.
    pub fn parse(text: &str) -> Result<Member, MemberError> {
        let form = || MemberError::Form(shown(text));
        // Java's split drops empty parts at the end: a trailing `;` says nothing.
        let mut halves = text.trim_end_matches(';').split(';');
        let servers = halves.next().ok_or_else(form)?;
        let client = halves.next().map(client_address).transpose()?;
        if halves.next().is_some() {
            return Err(form());
        }
        let mut addresses = Vec::new();
        let mut role = None;
        for one in servers.split('|') {
            let parts = host_and_rest(one.trim()).ok_or_else(form)?;
            let (host, quorum, election, named) = match parts.as_slice() {
                [h, q, e] => (*h, *q, *e, None),
                [h, q, e, r] => (*h, *q, *e, Some(*r)),
                _ => return Err(form()),
            };
            if host.is_empty() {
                return Err(form());
            }
            let address = Address {
                host: self::host(host)?,
                quorum_port: port(quorum)?,
                election_port: port(election)?,
            };
            if address.quorum_port == address.election_port {
                return Err(MemberError::SamePort(address.quorum_port));
            }
            addresses.push(address);
            if let Some(named) = named {
                let named = match named.to_lowercase().as_str() {
                    "participant" => Role::Participant,
                    "observer" => Role::Observer,
                    _ => return Err(MemberError::Role(shown(named))),
                };
                if role.is_some_and(|r| r != named) {
                    return Err(MemberError::Roles);
                }
                role = Some(named);
            }
        }
        Ok(Member {
            addresses,
            role: role.unwrap_or(Role::Participant),
            client,
        })
    }
}

/// As Apache writes it: addresses in order of their hosts, the role always.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut addresses: Vec<&Address> = self.addresses.iter().collect();
        addresses.sort_by(|a, b| a.host.cmp(&b.host));
        for (i, a) in addresses.into_iter().enumerate() {
            let bar = if i > 0 { "|" } else { "" };
            let host = bracketed(&a.host);
            write!(f, "{bar}{host}:{}:{}", a.quorum_port, a.election_port)?;
        }
        f.write_str(match self.role {
            Role::Participant => ":participant",
            Role::Observer => ":observer",
        })?;
        match &self.client {
            Some(client) => write!(f, ";{client}"),
            None => Ok(()),
        }
    }
}

/// `[host:]port` of the clients' half.
fn client_address(text: &str) -> Result<HostPort, MemberError> {
    let form = || MemberError::Form(shown(text));
    match host_and_rest(text.trim()).ok_or_else(form)?.as_slice() {
        [bare] => Ok(HostPort {
            host: "0.0.0.0".to_owned(),
            port: port(bare)?,
        }),
        [host, p] if !host.is_empty() => Ok(HostPort {
            host: self::host(host)?,
            port: port(p)?,
        }),
        _ => Err(form()),
    }
}

/// A host, if it can stand in a configuration text as it is: an escape that was read once would be read
/// again by the next server, as another host or another line.
fn host(text: &str) -> Result<String, MemberError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\\[]=,".contains(c);
    if text.contains(odd) {
        return Err(MemberError::Host(shown(text)));
    }
    Ok(text.to_owned())
}

/// Splits at colons, but not inside brackets, which are removed.
fn host_and_rest(text: &str) -> Option<Vec<&str>> {
    let Some(inside) = text.strip_prefix('[') else {
        return Some(text.split(':').map(str::trim).collect());
    };
    let (host, rest) = inside.split_once(']')?;
    let mut parts = vec![host];
    parts.extend(rest.strip_prefix(':')?.split(':').map(str::trim));
    Some(parts)
}

fn port(text: &str) -> Result<u16, MemberError> {
    let number = text.parse::<u16>().ok().filter(|p| *p > 0);
    number.ok_or_else(|| MemberError::Port(shown(text)))
}

/// A server id, as in `server.N` and myid.
///
/// # Errors
/// It is no number from 0 to 255.
pub fn server_id(text: &str) -> Result<ServerId, MemberError> {
    let number = text.parse::<i64>().ok();
    let id = number.filter(|n| (0..=LARGEST_ID).contains(n));
    id.map(ServerId).ok_or_else(|| MemberError::Id(shown(text)))
}

/// The members and how their votes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ensemble {
    /// By server id.
    pub members: BTreeMap<ServerId, Member>,
    /// Majority, or groups with weights.
    pub rule: QuorumRule,
    /// The zxid of the reconfiguration that made it; 0 at first.
    pub version: Zxid,
}

impl Ensemble {
    /// No members.
    #[must_use]
    pub fn empty() -> Ensemble {
        Ensemble {
            members: BTreeMap::new(),
            rule: QuorumRule::Majority,
            version: Zxid::ZERO,
        }
    }

    /// Those with a role.
    #[must_use]
    pub fn with_role(&self, role: Role) -> BTreeSet<ServerId> {
        let of_role = self.members.iter().filter(|(_, m)| m.role == role);
        of_role.map(|(id, _)| *id).collect()
    }

    /// What the core needs to know of it.
    #[must_use]
    pub fn membership(&self) -> Membership {
        Membership {
            quorum: Quorum::new(self.with_role(Role::Participant), self.rule.clone()),
            observers: self.with_role(Role::Observer),
            version: self.version,
        }
    }

    /// The configuration text: what `/zookeeper/config`, notifications and NEWLEADER carry. No line
    /// feed at its end.
    #[must_use]
    pub fn quorum_text(&self) -> String {
        let mut out = String::new();
        for (id, member) in &self.members {
            out += &format!("server.{}={member}\n", id.0);
        }
        if let QuorumRule::Groups { group, weight } = &self.rule {
            let mut groups: BTreeMap<u32, Vec<String>> = BTreeMap::new();
            for (id, g) in group {
                groups.entry(*g).or_default().push(id.0.to_string());
            }
            for (g, ids) in groups {
                out += &format!("group.{g}={}\n", ids.join(":"));
            }
            for (id, w) in weight {
                out += &format!("weight.{}={w}\n", id.0);
            }
        }
        out + &format!("version={:x}", self.version.0)
    }

    /// Reads a configuration text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse_text(text: &str) -> Result<Ensemble, MemberError> {
        let mut lines = Lines::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = line.split_once('=').ok_or(MemberError::Line(number))?;
            let (key, value) = (key.trim(), value.trim());
            if key == "version" {
                let version = i64::from_str_radix(value, 16);
                let version = version.map_err(|_| MemberError::Number(shown(value)))?;
                lines.ensemble.version = Zxid(version);
            } else {
                lines.add(key, value)?;
            }
        }
        lines.finish()
    }
}

/// `server.`, `group.` and `weight.` lines on their way to an [`Ensemble`].
#[derive(Debug)]
pub struct Lines {
    /// What they say so far, groups and weights aside.
    pub ensemble: Ensemble,
    hierarchical: bool,
    group: BTreeMap<ServerId, u32>,
    weight: BTreeMap<ServerId, u64>,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines {
            ensemble: Ensemble::empty(),
            hierarchical: false,
            group: BTreeMap::new(),
            weight: BTreeMap::new(),
        }
    }
}

impl Lines {
    /// Adds one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, key: &str, value: &str) -> Result<(), MemberError> {
        if let Some(id) = key.strip_prefix("server.") {
            let member = Member::parse(value)?;
            self.ensemble.members.insert(server_id(id)?, member);
        } else if let Some(group) = key.strip_prefix("group.") {
            let number = group
                .parse()
                .map_err(|_| MemberError::Number(shown(group)))?;
            self.hierarchical = true;
            for id in value.split(':') {
                let id = server_id(id.trim())?;
                if self.group.insert(id, number).is_some() {
                    return Err(MemberError::TwoGroups(id.0));
                }
            }
        } else if let Some(id) = key.strip_prefix("weight.") {
            let weight = value.parse::<u64>().ok().filter(|w| *w <= 1 << 31);
            let weight = weight.ok_or_else(|| MemberError::Number(shown(value)))?;
            self.hierarchical = true;
            self.weight.insert(server_id(id)?, weight);
        } else {
            return Err(MemberError::Unknown(shown(key)));
        }
        Ok(())
    }

    /// The ensemble, when all lines are known.
    ///
    /// # Errors
    /// A voter is in no group.
    pub fn finish(mut self) -> Result<Ensemble, MemberError> {
        if self.hierarchical {
            for id in self.ensemble.with_role(Role::Participant) {
                if !self.group.contains_key(&id) {
                    return Err(MemberError::NoGroup(id.0));
                }
                // As Apache's: the text then names every weight.
                self.weight.entry(id).or_insert(1);
            }
            self.ensemble.rule = QuorumRule::Groups {
                group: self.group,
                weight: self.weight,
            };
        }
        Ok(self.ensemble)
    }
}
