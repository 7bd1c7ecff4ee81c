//! A member's side of the pipeline: its clients, their sessions, and the order of each session
//! (ZooKeeper.md 1.4, 1.5).
//!
//! Each connection has a queue of requests that can't be answered yet. A write is handed to the
//! leader at once and keeps its place in the queue until its transaction is applied *here*; a read
//! behind it waits. What is at the head of the queue and ready is answered, so replies leave in the
//! order of the requests, and a read never overtakes a write of its own session.

mod answers;
mod local;

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
        AuthId, ConnectRequest, ConnectResponse, ErrorCode, OpKind, Reply, Request, Response, Write,
    },
    rules::Rule,
    session::{self, tracker::SessionTracker},
    time::{Moment, Span},
    tree::{Database, acl, watch::WatchTable},
};
use local::{answered_in_turn, ends_connection, refused_in_turn};
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
    /// Sessions that only this server knows.
    local: SessionTracker,
    /// The server has no quorum, and only reads.
    only_reads: bool,
}

/// What the leader has to be asked because of one request: to make the session a global one first, and
/// then what the client wants.
pub type Forward = [Option<ForwardedRequest>; 2];

const NOTHING: Forward = [None, None];

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
            local: SessionTracker::new(cfg.tick, Moment(0), std::iter::empty()),
            only_reads: false,
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
        now: Moment,
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
            if self.only_reads || here.cfg.begins_local_sessions() {
                self.connections.insert(client, connection);
                self.local.track(now, id, timeout_ms, None);
                out.emit(EventKind::LocalSessionBegan {
                    session: id,
                    timeout_ms,
                });
                self.attach(client, false, out);
                return Connect::Answered;
            }
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
        if self.local.touch(now, request.session, Some(timeout_ms)) {
            self.connections.insert(client, connection);
            self.attach(client, true, out);
            return Connect::Answered;
        }
        if self.only_reads {
            // Whether a global session is alive only a quorum can say. One that is not known as such was
            // a local one of a server that does not serve it any more, where there are such.
            let was_local =
                here.cfg.local_sessions && !here.db.sessions.contains_key(&request.session);
            match was_local {
                true => expired(client, RefuseReason::SessionUnknown, out),
                false => refuse(client, RefuseReason::SessionNeedsQuorum, out),
            }
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
                read_only: self.only_reads,
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
        now: Moment,
        here: Here<'_>,
        client: ClientId,
        xid: i32,
        request: Request,
        out: &mut Output,
    ) -> Forward {
        let attached = |c: &&Connection| c.attach == Attach::Attached;
        let Some(session) = self
            .connections
            .get(&client)
            .filter(attached)
            .map(|c| c.session)
        else {
            return NOTHING;
        };
        out.because(EventKind::RequestReceived {
            client,
            session,
            xid,
            op: request.kind(),
        });
        let Some(connection) = self.connections.get_mut(&client) else {
            return NOTHING;
        };
        let is_local = self.local.touch(now, session, Some(connection.timeout_ms));
        if !is_local {
            self.touched.insert(session, connection.timeout_ms);
        }
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
            return NOTHING;
        }
        if answered_in_turn(self.only_reads, is_local, here.cfg, &request) {
            self.in_turn(here, client, xid, request, out);
            return NOTHING;
        }
        let ask = |cxid, op| {
            Some(ForwardedRequest {
                session,
                cxid,
                op,
                auth: Arc::clone(&connection.auth),
            })
        };
        match request {
            Request::Auth { scheme, auth } => {
                self.authenticate(here.cfg, client, xid, scheme, &auth, out);
                NOTHING
            }
            Request::Sasl { outcome, .. } => {
                self.authenticate_by_sasl(here.cfg, client, xid, outcome, out);
                NOTHING
            }
            Request::CloseSession => {
                let forwarded = ask(xid, ForwardedOp::Write(Write::CloseSession));
                self.outstanding += 1;
                connection.queue.push_back(Pending::Write {
                    xid,
                    op: OpKind::CloseSession,
                    done: None,
                });
                [None, forwarded]
            }
            Request::Sync { path } => {
                let forwarded = ask(xid, ForwardedOp::Sync);
                self.outstanding += 1;
                connection.queue.push_back(Pending::Sync {
                    xid,
                    path,
                    until: None,
                });
                self.syncs.push_back((client, xid));
                [None, forwarded]
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
                self.in_turn(here, client, xid, read, out);
                NOTHING
            }
            Request::Write(write) => {
                let op = write.kind();
                // An ephemeral belongs to a session that all servers know (1.4). From now on it is the
                // leader's, as it would be if it had begun so.
                let upgrade = (is_local && write.makes_ephemeral())
                    .then(|| {
                        self.local.remove(session);
                        self.touched.insert(session, connection.timeout_ms);
                        out.emit(EventKind::SessionUpgraded { session });
                        let timeout_ms = connection.timeout_ms;
                        ask(0, ForwardedOp::Write(Write::CreateSession { timeout_ms }))
                    })
                    .flatten();
                let forwarded = ask(xid, ForwardedOp::Write(write));
                self.outstanding += 1;
                connection.queue.push_back(Pending::Write {
                    xid,
                    op,
                    done: None,
                });
                [upgrade, forwarded]
            }
        }
    }

    /// Answers from this server's memory, now or when it is its turn.
    fn in_turn(
        &mut self,
        here: Here<'_>,
        client: ClientId,
        xid: i32,
        request: Request,
        out: &mut Output,
    ) {
        let Some(connection) = self.connections.get_mut(&client) else {
            return;
        };
        // Behind its own session's writes, so that a client reads what it wrote (1.5).
        if connection.queue.is_empty() || !here.cfg.rules.has(Rule::SessionFifo) {
            return self.serve(here, client, xid, &request, out);
        }
        out.emit(EventKind::RequestQueued {
            session: connection.session,
            xid,
            op: request.kind(),
        });
        self.outstanding += 1;
        connection.queue.push_back(Pending::Read { xid, request });
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
        let is_local = self.local.contains(session);
        let refused = refused_in_turn(self.only_reads, is_local, here.cfg, request);
        let ends = match refused {
            Some(_) => None,
            None => ends_connection(request),
        };
        // Apache answers what never enters its pipeline with no zxid.
        let zxid = match ends {
            Some(_) => Zxid::UNINITIALISED,
            None => here.db.last_processed,
        };
        let answered = match request {
            Request::CloseSession if is_local => Ok(Response::Empty),
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
        let result = refused.map_or(answered, Err);
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
        } else if is_local && *request == Request::CloseSession {
            self.local.remove(session);
            out.emit(EventKind::LocalSessionEnded {
                session,
                expired: false,
            });
            self.end(client, RefuseReason::SessionClosed, out);
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

    /// Ends all connections: the server stops serving.
    pub fn end_all(&mut self, out: &mut Output) {
        let all: Vec<ClientId> = self.connections.keys().copied().collect();
        for client in all {
            self.end(client, RefuseReason::ServerStopsServing, out);
        }
        self.syncs.clear();
        self.syncs_due = 0;
        self.touched.clear();
        // Local sessions do not outlive the service, as little as a move (1.4).
        self.local.clear();
        self.only_reads = false;
    }

    fn end(&mut self, client: ClientId, because: RefuseReason, out: &mut Output) {
        self.gone(client);
        refuse(client, because, out);
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

#[cfg(test)]
mod tests;
