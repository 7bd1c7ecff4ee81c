//! The audit log (`audit.enable`): who changed what, one line each, in the words and the order of Apache's.
//!
//! Lines are written where a client is connected, when its request is answered; what of a session's end goes
//! is written by every server, as Apache's do.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    fs,
    net::IpAddr,
    sync::{Arc, OnceLock},
};
use zabscope_core::{
    id::{ClientId, SessionId, Zxid},
    peer::{
        Peer,
        event::EventKind,
        output::{Effect, Output, StorageOp},
    },
    request::{Acl, AuthId, CreateMode, OpResult, Reply, Request, Response, Write, perms},
    tree::{acl, path},
    txn::TxnBody,
};

/// The target of the audit log's lines, by which they are told from all others.
pub const TARGET: &str = "audit";

/// A change that is asked for, as far as a line tells of it.
#[derive(Debug)]
enum What {
    Create { path: Arc<str>, mode: CreateMode },
    Delete { path: Arc<str> },
    SetData { path: Arc<str> },
    SetAcl { path: Arc<str>, acl: Arc<[Acl]> },
    Multi(Vec<Option<What>>),
    Reconfig,
}

/// A request that is not answered.
#[derive(Debug)]
struct Asked {
    session: SessionId,
    users: String,
    ip: String,
    what: What,
}

/// Lives on the node's thread.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// All that is not answered, in the order of the answers; `None` for what changes nothing.
    asked: HashMap<ClientId, VecDeque<(i32, Option<Asked>)>>,
    /// Who is just saying who it is: that is answered at once, whatever was asked before.
    introducing: Option<ClientId>,
    /// Ends of sessions that are logged and not applied, oldest first, with their ephemerals: what the log
    /// keeps for them until then, too.
    ends: VecDeque<(Zxid, SessionId, Vec<Arc<str>>)>,
}

impl Audit {
    /// A client's request goes to the peer.
    pub(crate) fn asks(&mut self, peer: &Peer, client: ClientId, xid: i32, request: &Request) {
        if matches!(request, Request::Auth { .. } | Request::Sasl { .. }) {
            self.introducing = Some(client);
            return;
        }
        let Some(connection) = peer.clients().connection(client) else {
            return;
        };
        let what = match request {
            Request::Write(write) => what(write),
            _ => None,
        };
        let asked = what.map(|what| {
            let ip = connection.auth().iter().find(|id| &*id.scheme == "ip");
            Asked {
                session: connection.session(),
                users: users(connection.auth()),
                ip: ip.map(|id| id.id.to_string()).unwrap_or_default(),
                what,
            }
        });
        self.asked
            .entry(client)
            .or_default()
            .push_back((xid, asked));
    }

    /// A client has gone: what it asked for has no answer.
    pub(crate) fn gone(&mut self, client: ClientId) {
        self.asked.remove(&client);
    }

    /// Looks at what one input led to.
    pub(crate) fn look(&mut self, out: &Output) {
        for line in self.lines(out) {
            line.write();
        }
    }

    fn lines(&mut self, out: &Output) -> Vec<Line> {
        let mut lines = Vec::new();
        for effect in &out.effects {
            match effect {
                Effect::ClientReply { client, reply, .. } => {
                    self.answered(*client, reply, &mut lines);
                }
                Effect::Store {
                    op: StorageOp::Append(txn),
                    ..
                } => {
                    if let TxnBody::CloseSession { paths } = &txn.body
                        && !paths.is_empty()
                    {
                        let session = txn.header.session;
                        self.ends.push_back((txn.zxid(), session, paths.clone()));
                    }
                }
                Effect::Send { .. }
                | Effect::Connect { .. }
                | Effect::Close { .. }
                | Effect::Store { .. }
                | Effect::Members { .. }
                | Effect::ClientConnected { .. }
                | Effect::ClientWatch { .. }
                | Effect::ClientClose { .. } => {}
            }
        }
        self.introducing = None;
        for event in &out.events {
            if let EventKind::Applied { zxid, .. } = &event.kind {
                self.ended(*zxid, &mut lines);
            }
        }
        lines
    }

    fn answered(&mut self, client: ClientId, reply: &Reply, lines: &mut Vec<Line>) {
        if self.introducing == Some(client) {
            return;
        }
        let Some(waiting) = self.asked.get_mut(&client) else {
            return;
        };
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.asked.remove(&client);
        }
        let Some((_, Some(asked))) = first.filter(|(xid, _)| *xid == reply.xid) else {
            return;
        };
        let made = match &reply.result {
            Ok(Response::Path(path) | Response::PathStat(path, _)) => Some(path),
            _ => None,
        };
        let done = reply.result.is_ok();
        match (&asked.what, &reply.result) {
            (What::Multi(all), Ok(Response::Multi(results))) => {
                if results.iter().any(|r| matches!(r, OpResult::Error(_))) {
                    lines.push(asked.line("multiOperation", None, None, None, false));
                    return;
                }
                for (what, result) in all.iter().zip(results) {
                    let made = match result {
                        OpResult::Create { path } | OpResult::Create2 { path, .. } => Some(path),
                        _ => None,
                    };
                    lines.extend(what.iter().map(|what| asked.of(what, made, true)));
                }
            }
            (What::Multi(_), _) => {
                lines.push(asked.line("multiOperation", None, None, None, done));
            }
            (what, _) => lines.push(asked.of(what, made, done)),
        }
    }

    fn ended(&mut self, applied: Zxid, lines: &mut Vec<Line>) {
        while self.ends.front().is_some_and(|(zxid, ..)| *zxid <= applied) {
            let Some((zxid, session, paths)) = self.ends.pop_front() else {
                return;
            };
            // One before it was cut away and never applied.
            if zxid != applied {
                continue;
            }
            lines.extend(paths.iter().map(|path| {
                let operation = "ephemeralZNodeDeletionOnSessionCloseOrExpire";
                Line::new(
                    &[
                        ("session", Some(&hex(session))),
                        ("user", Some(server_user())),
                        ("operation", Some(operation)),
                        ("znode", Some(path)),
                    ],
                    true,
                )
            }));
        }
    }
}

impl Asked {
    fn of(&self, what: &What, made: Option<&Arc<str>>, done: bool) -> Line {
        match what {
            What::Create { path, mode } => {
                let path = made.unwrap_or(path);
                self.line("create", Some(path), Some(mode_name(*mode)), None, done)
            }
            What::Delete { path } => self.line("delete", Some(path), None, None, done),
            What::SetData { path } => self.line("setData", Some(path), None, None, done),
            What::SetAcl { path, acl } => {
                self.line("setAcl", Some(path), None, Some(&acl_text(acl)), done)
            }
            What::Multi(_) => self.line("multiOperation", None, None, None, done),
            What::Reconfig => self.line("reconfig", done.then_some(path::CONFIG), None, None, done),
        }
    }

    fn line(
        &self,
        operation: &str,
        znode: Option<&str>,
        kind: Option<&str>,
        acl: Option<&str>,
        done: bool,
    ) -> Line {
        Line::new(
            &[
                ("session", Some(&hex(self.session))),
                ("user", Some(&self.users)),
                ("ip", Some(&self.ip)),
                ("operation", Some(operation)),
                ("znode", znode),
                ("znode_type", kind),
                ("acl", acl),
            ],
            done,
        )
    }
}

/// What is audited of a write; `None` for what is not.
fn what(write: &Write) -> Option<What> {
    Some(match write {
        Write::Create(create) => What::Create {
            path: Arc::clone(&create.path),
            mode: create.mode,
        },
        Write::Delete { path, .. } => What::Delete {
            path: Arc::clone(path),
        },
        Write::SetData { path, .. } => What::SetData {
            path: Arc::clone(path),
        },
        Write::SetAcl { path, acl, .. } => What::SetAcl {
            path: Arc::clone(path),
            acl: Arc::clone(acl),
        },
        Write::Multi(all) => What::Multi(all.iter().map(what).collect()),
        Write::Reconfig { .. } => What::Reconfig,
        Write::Check { .. }
        | Write::DeleteContainer { .. }
        | Write::CreateSession { .. }
        | Write::CloseSession
        | Write::Unreadable { .. } => return None,
    })
}

/// The server started, or is to end.
pub fn of_server(operation: &str, result: &'static str) {
    let all = [
        ("user", Some(server_user())),
        ("operation", Some(operation)),
    ];
    Line::with_result(&all, result).write();
}

/// Somebody restored a snapshot over HTTP, or tried to: ours, Apache's server has no line for that.
pub(crate) fn of_restore(user: &str, from: IpAddr, done: bool) {
    Line::new(
        &[
            ("user", Some(user)),
            ("ip", Some(&from.to_string())),
            ("operation", Some("restore")),
        ],
        done,
    )
    .write();
}

/// A line, and whether it tells of a failure.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    text: String,
    failed: bool,
}

impl Line {
    fn new(all: &[(&str, Option<&str>)], done: bool) -> Line {
        Line::with_result(all, if done { "success" } else { "failure" })
    }

    fn with_result(all: &[(&str, Option<&str>)], result: &str) -> Line {
        let text = fields(&[all, &[("result", Some(result))]].concat());
        let failed = result == "failure";
        Line { text, failed }
    }

    /// With the levels that Apache's have.
    fn write(&self) {
        match self.failed {
            true => tracing::error!(target: TARGET, "{}", self.text),
            false => tracing::info!(target: TARGET, "{}", self.text),
        }
    }
}

/// As whom this process runs: nothing of its environment, which anybody may have set.
fn server_user() -> &'static str {
    static USER: OnceLock<String> = OnceLock::new();
    USER.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        user_of(&status, &known).unwrap_or_else(|| "zookeeper".to_owned())
    })
}

/// The effective user's name, or its number if it has none here.
fn user_of(status: &str, known: &str) -> Option<String> {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let id = ids.split_whitespace().nth(1)?;
    let name = known.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _, number) = (parts.next()?, parts.next()?, parts.next()?);
        (number == id).then_some(name)
    });
    Some(name.unwrap_or(id).to_owned())
}

fn hex(session: SessionId) -> String {
    format!("0x{:x}", session.0)
}

/// The names of identities, those that have one, separated by commas.
pub(crate) fn users(auth: &[AuthId]) -> String {
    let names = auth.iter().map(|id| acl::shown(id).id);
    let names: Vec<Arc<str>> = names.filter(|name| !name.is_empty()).collect();
    names.join(",")
}

const fn mode_name(mode: CreateMode) -> &'static str {
    match mode {
        CreateMode::Persistent => "persistent",
        CreateMode::Ephemeral => "ephemeral",
        CreateMode::PersistentSequential => "persistent_sequential",
        CreateMode::EphemeralSequential => "ephemeral_sequential",
        CreateMode::Container => "container",
        CreateMode::PersistentWithTtl => "persistent_with_ttl",
        CreateMode::PersistentSequentialWithTtl => "persistent_sequential_with_ttl",
    }
}

/// `world:anyone:cdrwa`, separated by commas.
fn acl_text(acl: &[Acl]) -> String {
    let mut text = String::new();
    for (n, entry) in acl.iter().enumerate() {
        let before = if n == 0 { "" } else { "," };
        // A string takes everything.
        let _ = write!(text, "{before}{}:{}:", entry.scheme, entry.id);
        for (bit, letter) in [
            (perms::CREATE, 'c'),
            (perms::DELETE, 'd'),
            (perms::READ, 'r'),
            (perms::WRITE, 'w'),
            (perms::ADMIN, 'a'),
        ] {
            if entry.perms & bit != 0 {
                text.push(letter);
            }
        }
    }
    text
}

/// `name=value` with tabs between them. Nobody makes a line of its own with a path.
fn fields(all: &[(&str, Option<&str>)]) -> String {
    let mut line = String::new();
    for (name, value) in all {
        let Some(value) = value else { continue };
        if !line.is_empty() {
            line.push('\t');
        }
        line.push_str(name);
        line.push('=');
        line.extend(value.chars().filter(|c| !c.is_control()));
    }
    line
}

#[cfg(test)]
mod tests;
