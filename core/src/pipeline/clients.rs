//! A member's side of the pipeline: its clients, their sessions, and the order of each session
//! (ZooKeeper.md 1.4, 1.5).
//!
//! Each connection has a queue of requests that can't be answered yet. A write is handed to the
//! leader at once and keeps its place in the queue until its transaction is applied *here*; a read
//! behind it waits. What is at the head of the queue and ready is answered, so replies leave in the
//! order of the requests, and a read never overtakes a write of its own session.

use crate::{
    config::Config,
    id::{ClientId, SessionId, Zxid},
    message::{ForwardedOp, ForwardedRequest},
    peer::{
        event::{EventKind, RefuseReason},
        output::{Effect, Output},
    },
    pipeline::read,
    request::{
        AuthId, ConnectRequest, ConnectResponse, ErrorCode, OpKind, OpResult, Reply, Request,
        Response, Write,
    },
    session,
    time::Span,
    tree::{Applied, Database, acl, watch::WatchTable},
    txn::Txn,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

mod auth;

/// What stands in a session's queue.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A read behind something that is not answered yet.
    Read {
        /// Its number.
        xid: i32,
        /// It.
        request: Request,
    },
    /// A write that the leader was asked for.
    Write {
        /// Its number.
        xid: i32,
        /// What it is.
        op: OpKind,
        /// The answer, once its transaction was applied here.
        done: Option<(Zxid, Result<Response, ErrorCode>)>,
    },
    /// A sync that the leader was asked for.
    Sync {
        /// Its number.
        xid: i32,
        /// Echoed.
        path: Arc<str>,
        /// What must be applied here before it is answered, once the leader has answered.
        until: Option<Zxid>,
    },
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// Its createSession is under way.
    Creating,
    /// The leader is asked whether its session is alive.
    Validating,
    /// It has its session.
    Attached,
}

/// One client's connection.
#[derive(Clone, Debug)]
pub struct Connection {
    session: SessionId,
    timeout_ms: i32,
    /// Shared with the requests that carry it to the leader.
    auth: Arc<[AuthId]>,
    attach: Attach,
    queue: VecDeque<Pending>,
}

impl Connection {
    /// Its session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The time-out granted, in ms.
    #[must_use]
    pub fn timeout_ms(&self) -> i32 {
        self.timeout_ms
    }

    /// How far it has come.
    #[must_use]
    pub fn attach(&self) -> Attach {
        self.attach
    }

    /// How many requests are not answered yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// What it has proved, in order: for display.
    #[must_use]
    pub fn auth(&self) -> &[AuthId] {
        &self.auth
    }

    /// Requests that are not answered yet, in their order.
    pub fn queue(&self) -> impl Iterator<Item = &Pending> {
        self.queue.iter()
    }
}

/// What the leader has to be asked before a client's connect request can be answered.
#[derive(Clone, Debug)]
pub enum Connect {
    /// Nothing: it was answered, or refused.
    Answered,
    /// A session is to be created.
    Create(ForwardedRequest),
    /// A session is to be validated.
    Validate {
        /// Which.
        session: SessionId,
        /// Its time-out.
        timeout_ms: i32,
    },
}

/// All clients of one server.
#[derive(Clone, Debug)]
pub struct Clients {
    connections: BTreeMap<ClientId, Connection>,
    /// The connection that has, or is about to get, a session here.
    by_session: BTreeMap<SessionId, ClientId>,
    /// Requests of all connections that are not answered yet.
    outstanding: usize,
    /// Syncs that the leader has answered and that wait for what is to be applied here.
    syncs_due: usize,
    /// Syncs that the leader has not answered, oldest first; SYNC carries no id (trap 17).
    syncs: VecDeque<(ClientId, i32)>,
    /// Sessions heard from since the last ping of the leader.
    touched: BTreeMap<SessionId, i32>,
    watches: WatchTable,
    next_session: SessionId,
}

/// What a client's call needs to know of its server.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    /// The configuration.
    pub cfg: &'a Config,
    /// The tree and the sessions as applied here.
    pub db: &'a Database,
}

impl Clients {
    /// No clients yet. Session ids start at a place that only this server at this time uses.
    #[must_use]
    pub fn new(cfg: &Config, wall_ms: i64) -> Clients {
        Clients {
            connections: BTreeMap::new(),
            by_session: BTreeMap::new(),
            outstanding: 0,
            syncs_due: 0,
            syncs: VecDeque::new(),
            touched: BTreeMap::new(),
            watches: WatchTable::of(cfg.release),
            next_session: session::first_id(wall_ms, cfg.my_id),
        }
    }

    /// The connections in order.
    pub fn connections(&self) -> impl Iterator<Item = (ClientId, &Connection)> {
        self.connections.iter().map(|(id, c)| (*id, c))
    }

    /// One of them.
    #[must_use]
    pub fn connection(&self, client: ClientId) -> Option<&Connection> {
        self.connections.get(&client)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The connection that has a session here.
    #[must_use]
    pub fn of_session(&self, session: SessionId) -> Option<ClientId> {
        self.by_session.get(&session).copied()
    }

    /// Requests of all connections that are not answered yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// The watches of all of them.
    #[must_use]
    pub fn watches(&self) -> &WatchTable {
        &self.watches
    }

    /// Hands over the sessions heard from since this was last asked, one by one.
    pub fn drain_touched(&mut self, mut each: impl FnMut(SessionId, i32)) {
        while let Some((session, timeout_ms)) = self.touched.pop_first() {
            each(session, timeout_ms);
        }
    }

    /// The sessions heard from since this was last asked.
    pub fn take_touched(&mut self) -> Vec<(SessionId, i32)> {
        std::mem::take(&mut self.touched).into_iter().collect()
    }

    /// A client's first packet, at a server that serves.
    pub fn connect(
        &mut self,
        here: Here<'_>,
        client: ClientId,
        request: &ConnectRequest,
        auth: Arc<[AuthId]>,
        out: &mut Output,
    ) -> Connect {
        if self.connections.contains_key(&client) {
            // One connection asks for a session once.
            self.end(
                client,
                RefuseReason::Protocol(ErrorCode::MarshallingError),
                out,
            );
            return Connect::Answered;
        }
        let have = here.db.last_processed;
        if request.last_zxid_seen > have {
            // It has seen more than we have: here it would travel back in time.
            refuse(
                client,
                RefuseReason::ClientAhead {
                    seen: request.last_zxid_seen,
                    have,
                },
                out,
            );
            return Connect::Answered;
        }
        let millis = |span: Span| i32::try_from(span.as_millis()).unwrap_or(i32::MAX);
        let (low, high) = (
            millis(here.cfg.min_session_timeout),
            millis(here.cfg.max_session_timeout),
        );
        let timeout_ms = request.timeout_ms.clamp(low.min(high), high);
        let mut connection = Connection {
            session: request.session,
            timeout_ms,
            auth: Arc::clone(&auth),
            attach: Attach::Validating,
            queue: VecDeque::new(),
        };
        if request.session == SessionId::NONE {
            let id = self.next_session;
            self.next_session = session::next_id(id);
            connection.session = id;
            connection.attach = Attach::Creating;
            self.connections.insert(client, connection);
            self.by_session.insert(id, client);
            out.emit(EventKind::SessionProposed {
                session: id,
                timeout_ms,
            });
            return Connect::Create(ForwardedRequest {
                session: id,
                cxid: 0,
                op: ForwardedOp::Write(Write::CreateSession { timeout_ms }),
                auth,
            });
        }
        // The password first, then the old connection: whoever only knows an id cuts nobody off.
        if request.password != session::password(request.session) {
            expired(client, RefuseReason::WrongPassword, out);
            return Connect::Answered;
        }
        self.connections.insert(client, connection);
        Connect::Validate {
            session: request.session,
            timeout_ms,
        }
    }

    /// The leader has said whether a session is alive.
    pub fn validated(&mut self, session: SessionId, valid: bool, out: &mut Output) {
        let waiting: Vec<ClientId> = self
            .connections
            .iter()
            .filter(|(_, c)| c.session == session && c.attach == Attach::Validating)
            .map(|(id, _)| *id)
            .collect();
        let Some((newest, older)) = waiting.split_last() else {
            return;
        };
        for client in older {
            self.end(*client, RefuseReason::SessionTakenOver, out);
        }
        if valid {
            self.attach(*newest, true, out);
        } else {
            self.connections.remove(newest);
            expired(*newest, RefuseReason::SessionUnknown, out);
        }
    }

    fn attach(&mut self, client: ClientId, moved: bool, out: &mut Output) {
        let Some(session) = self.connections.get(&client).map(|c| c.session) else {
            return;
        };
        if let Some(old) = self
            .by_session
            .insert(session, client)
            .filter(|old| *old != client)
        {
            self.end(old, RefuseReason::SessionTakenOver, out);
        }
        if let Some(c) = self.connections.get_mut(&client) {
            c.attach = Attach::Attached;
            let timeout_ms = c.timeout_ms;
            out.emit(EventKind::SessionAttached {
                session,
                client,
                moved,
                timeout_ms,
            });
            let response = ConnectResponse {
                timeout_ms,
                session,
                password: session::password(session),
            };
            out.effect(|cause| Effect::ClientConnected {
                client,
                response,
                cause,
            });
        }
    }

    /// A client asks. Returns what the leader has to be asked; `Err` if the connection is unknown
    /// or ends because of it.
    pub fn request(
        &mut self,
        here: Here<'_>,
        client: ClientId,
        xid: i32,
        request: Request,
        out: &mut Output,
    ) -> Option<ForwardedRequest> {
        let session = self
            .connections
            .get(&client)
            .filter(|c| c.attach == Attach::Attached)?
            .session;
        out.because(EventKind::RequestReceived {
            client,
            session,
            xid,
            op: request.kind(),
        });
        let connection = self.connections.get_mut(&client)?;
        self.touched.insert(session, connection.timeout_ms);
        let introduces = matches!(request, Request::Auth { .. } | Request::Sasl { .. });
        if !introduces && !acl::may_come_in(&here.cfg.rights, &connection.auth) {
            let code = ErrorCode::SessionClosedRequireSaslAuth;
            let reply = Reply {
                xid,
                zxid: Zxid::ZERO,
                result: Err(code),
            };
            out.effect(|cause| Effect::ClientReply {
                client,
                reply,
                cause,
            });
            self.end(client, RefuseReason::Protocol(code), out);
            return None;
        }
        let forward = |op| ForwardedRequest {
            session,
            cxid: xid,
            op,
            auth: Arc::clone(&connection.auth),
        };
        match request {
            Request::Auth { scheme, auth } => {
                self.authenticate(here.cfg, client, xid, scheme, &auth, out);
                None
            }
            Request::Sasl { outcome, .. } => {
                self.authenticate_by_sasl(here.cfg, client, xid, outcome, out);
                None
            }
            Request::CloseSession => {
                let forwarded = forward(ForwardedOp::Write(Write::CloseSession));
                self.outstanding += 1;
                connection.queue.push_back(Pending::Write {
                    xid,
                    op: OpKind::CloseSession,
                    done: None,
                });
                Some(forwarded)
            }
            Request::Sync { path } => {
                let forwarded = forward(ForwardedOp::Sync);
                self.outstanding += 1;
                connection.queue.push_back(Pending::Sync {
                    xid,
                    path,
                    until: None,
                });
                self.syncs.push_back((client, xid));
                Some(forwarded)
            }
            read @ (Request::Write(
                // Not operations that a client has: refused like an unknown opcode.
                Write::Check { .. }
                | Write::DeleteContainer { .. }
                | Write::CreateSession { .. }
                | Write::CloseSession,
            )
            | Request::Refused { .. }
            | Request::Ping
            | Request::Exists { .. }
            | Request::GetData { .. }
            | Request::GetAcl { .. }
            | Request::GetChildren { .. }
            | Request::GetAllChildrenNumber { .. }
            | Request::GetEphemerals { .. }
            | Request::MultiRead(_)
            | Request::AddWatch { .. }
            | Request::CheckWatches { .. }
            | Request::RemoveWatches { .. }
            | Request::SetWatches(_)
            | Request::WhoAmI) => {
                if connection.queue.is_empty() {
                    self.serve(here, client, xid, &read, out);
                } else {
                    out.emit(EventKind::RequestQueued {
                        session,
                        xid,
                        op: read.kind(),
                    });
                    self.outstanding += 1;
                    connection
                        .queue
                        .push_back(Pending::Read { xid, request: read });
                }
                None
            }
            Request::Write(write) => {
                let op = write.kind();
                let forwarded = forward(ForwardedOp::Write(write));
                self.outstanding += 1;
                connection.queue.push_back(Pending::Write {
                    xid,
                    op,
                    done: None,
                });
                Some(forwarded)
            }
        }
    }

    /// Answers a read from this server's memory.
    fn serve(
        &mut self,
        here: Here<'_>,
        client: ClientId,
        xid: i32,
        request: &Request,
        out: &mut Output,
    ) {
        let Some(connection) = self.connections.get(&client) else {
            return;
        };
        let session = connection.session;
        let ends = ends_connection(request);
        // Apache answers what never enters its pipeline with no zxid.
        let zxid = match ends {
            Some(_) => Zxid::UNINITIALISED,
            None => here.db.last_processed,
        };
        let result = match request {
            Request::CheckWatches { path, kind } => self
                .watches
                .check(client, path, *kind)
                .map(|()| Response::Empty),
            Request::RemoveWatches { path, kind } => {
                self.watches.remove(client, path, *kind).map(|()| {
                    out.emit(EventKind::WatchRemoved {
                        client,
                        path: Arc::clone(path),
                    });
                    Response::Empty
                })
            }
            Request::SetWatches(lists) => {
                for event in self.watches.set_watches(client, lists, &here.db.tree) {
                    let fired = EventKind::WatchFired {
                        client,
                        path: Arc::clone(&event.path),
                        event: event.kind,
                        zxid: None,
                        consumed: true,
                        withheld: false,
                    };
                    out.emit(fired);
                    out.effect(|cause| Effect::ClientWatch {
                        client,
                        event,
                        cause,
                    });
                }
                Ok(Response::Empty)
            }
            Request::Ping
            | Request::Exists { .. }
            | Request::GetData { .. }
            | Request::GetAcl { .. }
            | Request::GetChildren { .. }
            | Request::GetAllChildrenNumber { .. }
            | Request::GetEphemerals { .. }
            | Request::MultiRead(_)
            | Request::Sync { .. }
            | Request::AddWatch { .. }
            | Request::WhoAmI
            | Request::Auth { .. }
            | Request::Sasl { .. }
            | Request::CloseSession
            | Request::Write(_)
            | Request::Refused { .. } => {
                read::read(here.cfg, here.db, request, session, &connection.auth)
            }
        };
        if let Some((path, kind)) = read::watch_of(request, &result) {
            self.watches.register(client, &path, kind);
            out.emit(EventKind::WatchSet { client, path, kind });
        }
        let served = EventKind::ReadServed {
            client,
            session,
            xid,
            op: request.kind(),
            path: request.path().cloned(),
            zxid,
            error: result.as_ref().err().copied(),
        };
        out.emit(served);
        out.effect(|cause| Effect::ClientReply {
            client,
            reply: Reply { xid, zxid, result },
            cause,
        });
        if let Some(code) = ends {
            self.end(client, RefuseReason::Protocol(code), out);
        }
    }

    /// A client's connection is gone; its session lives on until it expires.
    pub fn gone(&mut self, client: ClientId) -> Option<SessionId> {
        self.watches.drop_client(client);
        let connection = self.connections.remove(&client)?;
        let due = |p: &&Pending| matches!(p, Pending::Sync { until: Some(_), .. });
        self.syncs_due -= connection.queue.iter().filter(due).count();
        self.outstanding -= connection.queue.len();
        let session = connection.session;
        if self.by_session.get(&session) == Some(&client) {
            self.by_session.remove(&session);
        }
        Some(session)
    }

    /// The leader has answered the oldest sync: it is done when `until` is applied here.
    pub fn synced(&mut self, until: Zxid) {
        let Some((client, number)) = self.syncs.pop_front() else {
            return;
        };
        let queue = self
            .connections
            .get_mut(&client)
            .map(|c| c.queue.iter_mut());
        for pending in queue.into_iter().flatten() {
            if let Pending::Sync {
                xid,
                until: open @ None,
                ..
            } = pending
                && *xid == number
            {
                *open = Some(until);
                self.syncs_due += 1;
                return;
            }
        }
    }

    /// A transaction was applied here: watches ring first, then whoever asked is answered.
    pub fn applied(&mut self, here: Here<'_>, txn: &Txn, applied: Applied, out: &mut Output) {
        for change in &applied.changes {
            let connections = &self.connections;
            let ids = |client: ClientId| connections.get(&client).map_or(&[][..], |c| &*c.auth);
            for fired in self.watches.trigger(&here.cfg.rights, change, ids) {
                out.emit(EventKind::WatchFired {
                    client: fired.client,
                    path: Arc::clone(&fired.event.path),
                    event: fired.event.kind,
                    zxid: Some(fired.event.zxid),
                    consumed: fired.consumed,
                    withheld: fired.withheld,
                });
                if !fired.withheld {
                    out.effect(|cause| Effect::ClientWatch {
                        client: fired.client,
                        event: fired.event,
                        cause,
                    });
                }
            }
        }
        let session = txn.header.session;
        let Some(client) = self.by_session.get(&session).copied() else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&client) else {
            return;
        };
        if connection.attach == Attach::Creating {
            if txn.header.cxid == 0 {
                self.attach(client, false, out);
            }
            return;
        }
        let ended = matches!(txn.body, crate::txn::TxnBody::CloseSession { .. });
        let asked = connection
            .queue
            .iter_mut()
            .find_map(|pending| match pending {
                // The end of a session answers only who asked for it, not whoever has that number.
                Pending::Write {
                    xid,
                    op,
                    done: done @ None,
                } if *xid == txn.header.cxid && (*op == OpKind::CloseSession) == ended => {
                    Some(done)
                }
                Pending::Write { .. } | Pending::Read { .. } | Pending::Sync { .. } => None,
            });
        match asked {
            Some(done) => {
                *done = Some((txn.zxid(), applied.result));
                self.drain(here, client, out);
            }
            // Expired by the leader: no farewell, the client learns of it when it comes back.
            None if ended => self.end(client, RefuseReason::SessionClosed, out),
            None => {}
        }
    }

    /// Answers what is ready, in order, for every client that waits for a sync.
    pub fn release_syncs(&mut self, here: Here<'_>, out: &mut Output) {
        if self.syncs_due == 0 {
            return;
        }
        let waiting: Vec<ClientId> = self
            .connections
            .iter()
            .filter(|(_, c)| matches!(c.queue.front(), Some(Pending::Sync { until: Some(z), .. }) if *z <= here.db.last_processed))
            .map(|(id, _)| *id)
            .collect();
        for client in waiting {
            self.drain(here, client, out);
        }
    }

    fn drain(&mut self, here: Here<'_>, client: ClientId, out: &mut Output) {
        loop {
            let Some(connection) = self.connections.get_mut(&client) else {
                return;
            };
            let session = connection.session;
            let here_zxid = here.db.last_processed;
            match connection.queue.front() {
                None
                | Some(Pending::Write { done: None, .. } | Pending::Sync { until: None, .. }) => {
                    return;
                }
                Some(Pending::Sync { until: Some(z), .. }) if *z > here_zxid => return,
                Some(Pending::Sync { .. } | Pending::Write { .. } | Pending::Read { .. }) => {}
            }
            let next = connection.queue.pop_front();
            self.outstanding -= usize::from(next.is_some());
            match next {
                Some(Pending::Read { xid, request }) => {
                    self.serve(here, client, xid, &request, out)
                }
                Some(Pending::Sync { xid, path, .. }) => {
                    self.syncs_due -= 1;
                    out.emit(EventKind::SyncAnswered {
                        client,
                        session,
                        xid,
                        zxid: here_zxid,
                    });
                    let reply = Reply {
                        xid,
                        zxid: here_zxid,
                        result: Ok(Response::Sync(path)),
                    };
                    out.effect(|cause| Effect::ClientReply {
                        client,
                        reply,
                        cause,
                    });
                }
                Some(Pending::Write {
                    xid,
                    op,
                    done: Some((zxid, result)),
                }) => {
                    if session_moved(&result) {
                        // The client that has moved on is not to be disturbed (trap 8).
                        self.end(client, RefuseReason::SessionMoved, out);
                        return;
                    }
                    let error = result.as_ref().err().copied();
                    out.emit(EventKind::WriteAnswered {
                        client,
                        session,
                        xid,
                        op,
                        zxid,
                        error,
                    });
                    out.effect(|cause| Effect::ClientReply {
                        client,
                        reply: Reply {
                            xid,
                            zxid: here_zxid,
                            result,
                        },
                        cause,
                    });
                    if op == OpKind::CloseSession {
                        self.end(client, RefuseReason::SessionClosed, out);
                        return;
                    }
                }
                Some(Pending::Write { done: None, .. }) | None => return,
            }
        }
    }

    /// Ends all connections: the server stops serving.
    pub fn end_all(&mut self, out: &mut Output) {
        let all: Vec<ClientId> = self.connections.keys().copied().collect();
        for client in all {
            self.end(client, RefuseReason::ServerStopsServing, out);
        }
        self.syncs.clear();
        self.syncs_due = 0;
        self.touched.clear();
    }

    fn end(&mut self, client: ClientId, because: RefuseReason, out: &mut Output) {
        self.gone(client);
        refuse(client, because, out);
    }
}

/// Why a connection ends as soon as this is answered (trap 9).
fn ends_connection(request: &Request) -> Option<ErrorCode> {
    match request {
        Request::Refused {
            code, close: true, ..
        } => Some(*code),
        Request::Write(_) => Some(ErrorCode::Unimplemented),
        Request::Refused { close: false, .. }
        | Request::Ping
        | Request::Exists { .. }
        | Request::GetData { .. }
        | Request::GetAcl { .. }
        | Request::GetChildren { .. }
        | Request::GetAllChildrenNumber { .. }
        | Request::GetEphemerals { .. }
        | Request::MultiRead(_)
        | Request::Sync { .. }
        | Request::AddWatch { .. }
        | Request::CheckWatches { .. }
        | Request::RemoveWatches { .. }
        | Request::SetWatches(_)
        | Request::WhoAmI
        | Request::Auth { .. }
        | Request::Sasl { .. }
        | Request::CloseSession => None,
    }
}

/// Refuses or ends a connection without a word.
pub fn refuse(client: ClientId, because: RefuseReason, out: &mut Output) {
    out.emit(EventKind::ClientRefused { client, because });
    out.effect(|cause| Effect::ClientClose { client, cause });
}

/// "Your session is gone", and good-bye.
fn expired(client: ClientId, because: RefuseReason, out: &mut Output) {
    out.effect(|cause| Effect::ClientConnected {
        client,
        response: ConnectResponse::EXPIRED,
        cause,
    });
    refuse(client, because, out);
}

/// Whether the session asked through a server that it has left; in a multi the first entry says so.
fn session_moved(result: &Result<Response, ErrorCode>) -> bool {
    match result {
        Err(code) => *code == ErrorCode::SessionMoved,
        Ok(Response::Multi(all)) => all.contains(&OpResult::Error(ErrorCode::SessionMoved)),
        Ok(_) => false,
    }
}

#[cfg(test)]
mod tests;
