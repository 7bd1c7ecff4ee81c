//! Quotas: ordinary nodes that the client tool makes (ZooKeeper.md 1.16).

use super::{
    commands::open_acl,
    outcome::{Failure, Outcome},
};
use crate::client::{Client, ClientError};
use serde_json::json;
use std::{collections::BTreeMap, fmt, sync::Arc};
use zabscope_core::{
    request::{CreateMode, Data, ErrorCode},
    tree::path,
};

pub const ROOT: &str = "/zookeeper/quota";
pub const COUNT: &str = "count";
pub const BYTES: &str = "bytes";
pub const COUNT_HARD: &str = "countHardLimit";
pub const BYTES_HARD: &str = "byteHardLimit";
const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

type Done = Result<Outcome, Failure>;

/// The text of limits and of usage; what is missing is -1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track(BTreeMap<String, i64>);

impl Track {
    pub fn parse(text: &str) -> Track {
        let pairs = text
            .split([',', ';'])
            .filter_map(|pair| pair.split_once('='));
        Track(
            pairs
                .filter(|(key, _)| !key.is_empty())
                // `bytes=5=` is how the soft limits end when hard ones follow.
                .map(|(key, n)| (key.to_owned(), n.trim_end_matches('=').parse().unwrap_or(-1)))
                .collect(),
        )
    }

    pub fn set(&mut self, key: &str, n: i64) {
        self.0.insert(key.to_owned(), n);
    }

    pub fn get(&self, key: &str) -> i64 {
        self.0.get(key).copied().unwrap_or(-1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As zkCli makes it: all four limits are there.
    fn all_limits(&self) -> Track {
        let keys = [COUNT, BYTES, COUNT_HARD, BYTES_HARD];
        Track(keys.map(|k| (k.to_owned(), self.get(k))).into())
    }

    fn data(&self) -> Data {
        Some(Arc::from(self.to_string().as_bytes()))
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.get(COUNT), self.get(BYTES))?;
        let mut others = self
            .0
            .iter()
            .filter(|(k, _)| *k != COUNT && *k != BYTES)
            .peekable();
        if others.peek().is_some() {
            f.write_str("=")?;
        }
        others.try_for_each(|(key, n)| write!(f, ";{key}={n}"))
    }
}

/// Where a path's quota is.
fn quota_path(of: &str) -> String {
    if of == "/" {
        ROOT.to_owned()
    } else {
        format!("{ROOT}{of}")
    }
}

fn failed(path: &str) -> impl Fn(ClientError) -> Failure + '_ {
    move |e| Failure::client(e, path)
}

fn read(client: &Client, at: &str) -> Result<Track, Failure> {
    let (data, _) = client.get_data(at, false).map_err(failed(at))?;
    let text = data.map(|d| String::from_utf8_lossy(&d).into_owned());
    Ok(Track::parse(text.as_deref().unwrap_or_default()))
}

fn has_limits(client: &Client, at: &str) -> Result<Option<Vec<Arc<str>>>, Failure> {
    match client.get_children(at, false) {
        Ok((names, _)) => Ok(Some(names)),
        Err(ClientError::Server(ErrorCode::NoNode)) => Ok(None),
        Err(e) => Err(Failure::client(e, at)),
    }
}

/// Quotas do not nest: neither above nor below may be one.
fn check_alone(client: &Client, of: &str) -> Result<(), Failure> {
    let own = quota_path(of);
    let mut open = vec![own.clone()];
    while let Some(at) = open.pop() {
        for name in has_limits(client, &at)?.unwrap_or_default() {
            if &*name == LIMITS && at != own {
                let child = at.strip_prefix(ROOT).unwrap_or(&at);
                return Err(Failure::Wrong(format!(
                    "{of} has a child {child} which has a quota"
                )));
            }
            open.push(path::child(&at, &name));
        }
    }
    let mut above = path::parent(of);
    let mut parents = Vec::new();
    while let Some(at) = above.filter(|p| *p != "/") {
        parents.push(at);
        above = path::parent(at);
    }
    for at in parents.into_iter().rev() {
        let names = has_limits(client, &quota_path(at))?.unwrap_or_default();
        if names.iter().any(|n| &**n == LIMITS) {
            return Err(Failure::Wrong(format!(
                "{of} has a parent {at} which has a quota"
            )));
        }
    }
    Ok(())
}

/// Makes a node; somebody else may have made it meanwhile.
fn make(client: &Client, at: &str, data: Data) -> Result<(), Failure> {
    match client.create(at, data, open_acl(), CreateMode::Persistent, 0) {
        Ok(_) | Err(ClientError::Server(ErrorCode::NodeExists)) => Ok(()),
        Err(e) => Err(Failure::client(e, at)),
    }
}

/// `setquota`
pub fn set(client: &Client, of: &str, limits: &Track) -> Done {
    if client.exists(of, false).map_err(failed(of))?.is_none() {
        return Err(Failure::Wrong(format!("{of} does not exist.")));
    }
    check_alone(client, of)?;
    let own = quota_path(of);
    let (limit_path, stat_path) = (format!("{own}/{LIMITS}"), format!("{own}/{STATS}"));
    let mut at = ROOT.to_owned();
    for name in of.split('/').filter(|n| !n.is_empty()) {
        at = path::child(&at, name);
        if client.exists(&at, false).map_err(failed(&at))?.is_none() {
            make(client, &at, None)?;
        }
    }
    let limits = if client
        .exists(&limit_path, false)
        .map_err(failed(&limit_path))?
        .is_none()
    {
        let limits = limits.all_limits();
        make(client, &limit_path, limits.data())?;
        let mut none = Track::default();
        none.set(COUNT, 0);
        none.set(BYTES, 0);
        make(client, &stat_path, none.data())?;
        limits
    } else {
        let mut all = read(client, &limit_path)?;
        for (key, n) in &limits.0 {
            all.set(key, *n);
        }
        let written = client.set_data(&limit_path, all.data(), -1);
        written.map_err(failed(&limit_path))?;
        all
    };
    let used = read(client, &stat_path)?;
    let mut text = String::new();
    for (soft, hard, what) in [(COUNT, COUNT_HARD, "count"), (BYTES, BYTES_HARD, "bytes")] {
        let n = used.get(soft);
        if [soft, hard].iter().any(|k| (0..n).contains(&limits.get(k))) {
            text += &format!(
                "[Warning]: the {what} quota you create is less than the existing {what}:{n}\n"
            );
        }
    }
    Ok(Outcome::both(
        text,
        json!({ "path": of, "limits": limits.0 }),
    ))
}

/// `listquota`
pub fn list(client: &Client, of: &str) -> Done {
    let own = quota_path(of);
    let limit_path = format!("{own}/{LIMITS}");
    let err = format!("absolute path is {limit_path}\n");
    let both =
        read(client, &limit_path).and_then(|l| Ok((l, read(client, &format!("{own}/{STATS}"))?)));
    let mut outcome = match both {
        Ok((limits, used)) => {
            let text = format!("Output quota for {of} {limits}\nOutput stat for {of} {used}\n");
            Outcome::both(
                text,
                json!({ "path": of, "limits": limits.0, "used": used.0 }),
            )
        }
        Err(Failure::Client(ClientError::Server(ErrorCode::NoNode), _)) => {
            Outcome::note(format!("quota for {of} does not exist.\n"))
        }
        Err(e) => return Err(e),
    };
    outcome.err.insert_str(0, &err);
    Ok(outcome)
}

/// `delquota`: one limit, or all of it with the nodes that nothing else needs.
pub fn delete(client: &Client, of: &str, key: Option<&str>) -> Done {
    let own = quota_path(of);
    let limit_path = format!("{own}/{LIMITS}");
    if client
        .exists(&limit_path, false)
        .map_err(failed(&limit_path))?
        .is_none()
    {
        return Ok(Outcome::text(format!("Quota does not exist for {of}\n")));
    }
    if let Some(key) = key {
        let mut limits = read(client, &limit_path)?;
        limits.set(key, -1);
        let written = client.set_data(&limit_path, limits.data(), -1);
        written.map_err(failed(&limit_path))?;
        return Ok(Outcome::default());
    }
    for name in has_limits(client, &own)?.unwrap_or_default() {
        let child = path::child(&own, &name);
        client.delete(&child, -1).map_err(failed(&child))?;
    }
    let mut at = own.as_str();
    while at != ROOT && has_limits(client, at)?.is_some_and(|names| names.is_empty()) {
        client.delete(at, -1).map_err(failed(at))?;
        at = path::parent(at).unwrap_or(ROOT);
    }
    Ok(Outcome::default())
}
