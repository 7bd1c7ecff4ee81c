//! What becomes of a reconfiguration that is asked for: the checks, in ZooKeeper's order, and the
//! members that come of it (ZooKeeper.md 1.13).

use crate::{
    config::{Config, Next},
    id::{ServerId, Zxid},
    members::{Address, Ensemble, HostPort, LARGEST_ID, Member, Role},
    pipeline::prepare::Context,
    quorum::QuorumRule,
    request::{ErrorCode, perms},
    tree::{Database, acl, path},
};
use std::{collections::BTreeSet, sync::Arc};

/// A reconfiguration as it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// `server.N=…` of those that join, separated by commas.
    pub joining: Option<&'a str>,
    /// The ids of those that leave, separated by commas.
    pub leaving: Option<&'a str>,
    /// The whole new list; if it is there, the other two do not count.
    pub new_members: Option<&'a str>,
    /// The version of the configuration that is to be replaced; -1: any.
    pub cur_config_id: i64,
}

/// Decides on it. `synced` are the servers that have the leader's history and follow it with their log,
/// the leader itself among them.
///
/// # Errors
/// What the client is told.
pub fn decide(
    predicted: &Database,
    wish: Wish<'_>,
    synced: &BTreeSet<ServerId>,
    ctx: &Context<'_>,
) -> Result<Next, ErrorCode> {
    let cfg = ctx.cfg;
    if !cfg.reconfig_enabled {
        return Err(ErrorCode::ReconfigDisabled);
    }
    let Some(text) = cfg.members_text.as_ref().filter(|_| !cfg.standalone) else {
        return Err(ErrorCode::Unimplemented);
    };
    // One at a time: what holds while two are under way nobody could say.
    if cfg.next.is_some() {
        return Err(ErrorCode::ReconfigInProgress);
    }
    if wish.cur_config_id != -1 && wish.cur_config_id != cfg.membership.version.0 {
        return Err(ErrorCode::BadVersion);
    }
    let mut ensemble = match wish.new_members {
        Some(list) => whole(list)?,
        None => {
            let current = Ensemble::parse_text(text).map_err(|_| ErrorCode::SystemError)?;
            changed(current, wish)?
        }
    };
    ensemble.version = ctx.header.zxid;
    let voters = ensemble.with_role(Role::Participant).len();
    if voters < if cfg.standalone_enabled { 2 } else { 1 } {
        return Err(ErrorCode::BadArguments);
    }
    let next = next_of(&ensemble);
    if !next.membership.quorum.contains(synced) {
        return Err(ErrorCode::NewConfigNoQuorum);
    }
    let node = predicted.tree.node(path::CONFIG);
    let node = node.ok_or(ErrorCode::NoNode)?;
    acl::check(&cfg.rights, node.acl(), perms::WRITE, ctx.auth)?;
    // Last, for Apache has no such limit: its refusals come first. The id is a byte of session ids.
    if ensemble.members.keys().any(|id| id.0 > LARGEST_ID) {
        return Err(ErrorCode::BadArguments);
    }
    Ok(next)
}

/// What the protocol needs of a list of members.
fn next_of(ensemble: &Ensemble) -> Next {
    Next {
        membership: ensemble.membership(),
        text: ensemble.quorum_text().into(),
    }
}

/// A configuration's text, of a transaction, a notification or NEWLEADER; `None` if it is none, or has no
/// voter.
#[must_use]
pub fn read(text: &[u8]) -> Option<Next> {
    let text = std::str::from_utf8(text).ok()?;
    let ensemble = Ensemble::parse_text(text).ok()?;
    let next = Next {
        membership: ensemble.membership(),
        text: text.into(),
    };
    (!next.membership.quorum.voters().is_empty()).then_some(next)
}

/// The same members in a version of their own: what a leader makes of a configuration that no
/// reconfiguration has made (ZOOKEEPER-1783).
#[must_use]
pub fn renumbered(cfg: &Config, version: Zxid) -> Option<Next> {
    let mut ensemble = Ensemble::parse_text(cfg.members_text.as_ref()?).ok()?;
    ensemble.version = version;
    Some(next_of(&ensemble))
}

/// Whether a server is reached for elections and as a leader in both in the same way: a leader that is
/// not is one that nobody would find (3.9).
#[must_use]
pub fn same_place(old: &str, new: &str, id: ServerId) -> bool {
    let place = |text: &str| {
        let mut members = Ensemble::parse_text(text).ok()?.members;
        let quorum = |a: &Address| (a.host.clone(), a.quorum_port);
        let addresses = members.remove(&id)?.addresses;
        Some(addresses.iter().map(quorum).collect::<BTreeSet<_>>())
    };
    let place_now = place(old);
    place_now.is_some() && place_now == place(new)
}

fn whole(list: &str) -> Result<Ensemble, ErrorCode> {
    let bad = |_| ErrorCode::BadArguments;
    let ensemble = Ensemble::parse_text(&list.replace(',', "\n")).map_err(bad)?;
    ensemble
        .members
        .iter()
        .try_for_each(|(_, m)| one_place(m))?;
    Ok(ensemble)
}

/// Several addresses of a member would need the multi-address form of greetings, which members to come
/// may not know.
fn one_place(member: &Member) -> Result<(), ErrorCode> {
    match member.addresses.len() {
        1 => Ok(()),
        _ => Err(ErrorCode::BadArguments),
    }
}

/// First those that leave, then those that join; the rest stay. Only a majority system can be changed so.
fn changed(mut ensemble: Ensemble, wish: Wish<'_>) -> Result<Ensemble, ErrorCode> {
    if ensemble.rule != QuorumRule::Majority {
        return Err(ErrorCode::BadArguments);
    }
    for id in words(wish.leaving) {
        // Any number; of a server that is no member nothing is left to do.
        let id = id.parse::<i64>().map_err(|_| ErrorCode::BadArguments)?;
        ensemble.members.remove(&ServerId(id));
    }
    for joiner in words(wish.joining) {
        let (name, spec) = joiner.split_once('=').ok_or(ErrorCode::BadArguments)?;
        let id = name.rsplit('.').next().unwrap_or(name);
        let id = id.trim().parse::<i64>().ok().filter(|id| *id >= 0);
        let id = ServerId(id.ok_or(ErrorCode::BadArguments)?);
        let member = Member::parse(spec.trim()).map_err(|_| ErrorCode::BadArguments)?;
        one_place(&member)?;
        if member.client.is_none() {
            return Err(ErrorCode::BadArguments);
        }
        let places = places(&member);
        let taken = ensemble.members.iter().any(|(other, m)| {
            *other != id && self::places(m).intersection(&places).next().is_some()
        });
        if taken {
            return Err(ErrorCode::BadArguments);
        }
        ensemble.members.insert(id, member);
    }
    Ok(ensemble)
}

fn words(list: Option<&str>) -> impl Iterator<Item = &str> {
    let parts = list.unwrap_or_default().split(',');
    parts.map(str::trim).filter(|word| !word.is_empty())
}

/// Where a member listens; all addresses of a machine and those of the machine itself say nothing.
fn places(member: &Member) -> BTreeSet<(Arc<str>, u16)> {
    let special = |host: &str| {
        matches!(
            host,
            "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0" | "::1" | "localhost"
        ) || host.starts_with("127.")
    };
    let servers = member.addresses.iter();
    let servers = servers.flat_map(|a| [(&a.host, a.quorum_port), (&a.host, a.election_port)]);
    let client = member
        .client
        .iter()
        .map(|HostPort { host, port }| (host, *port));
    let all = servers.chain(client).filter(|(host, _)| !special(host));
    all.map(|(host, port)| (Arc::from(host.as_str()), port))
        .collect()
}

#[cfg(test)]
mod tests;
