//! What a transaction or the leader's answer to a sync means for the clients here (ZooKeeper.md 1.5,
//! 1.11): watches ring, and what is ready in a queue is answered.

use super::{Attach, Clients, Here, Pending};
use crate::{
    id::{ClientId, Zxid},
    peer::{
        event::{EventKind, RefuseReason},
        output::{Effect, Output},
    },
    request::{ErrorCode, OpKind, OpResult, Reply, Response},
    rules::Rule,
    tree::{Applied, Change},
    txn::{Txn, TxnBody},
};
use std::sync::Arc;

impl Clients {
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

    /// A transaction was applied here: watches ring first, then whoever asked is answered. So a client
    /// hears of a change before it sees it (1.11).
    pub fn applied(&mut self, here: Here<'_>, txn: &Txn, applied: Applied, out: &mut Output) {
        let Applied { changes, result } = applied;
        if here.cfg.rules.has(Rule::WatchFirst) {
            self.ring(here, &changes, out);
            self.answer(here, txn, result, out);
        } else {
            self.answer(here, txn, result, out);
            self.ring(here, &changes, out);
        }
    }

    fn ring(&mut self, here: Here<'_>, changes: &[Change], out: &mut Output) {
        for change in changes {
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
    }

    fn answer(
        &mut self,
        here: Here<'_>,
        txn: &Txn,
        result: Result<Response, ErrorCode>,
        out: &mut Output,
    ) {
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
        if matches!(txn.body, TxnBody::CreateSession { .. }) {
            // A local session has become a global one. What it wanted that for comes next.
            return;
        }
        let ended = matches!(txn.body, TxnBody::CloseSession { .. });
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
                *done = Some((txn.zxid(), result));
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
}

/// Whether the session asked through a server that it has left; in a multi the first entry says so.
fn session_moved(result: &Result<Response, ErrorCode>) -> bool {
    match result {
        Err(code) => *code == ErrorCode::SessionMoved,
        Ok(Response::Multi(all)) => all.contains(&OpResult::Error(ErrorCode::SessionMoved)),
        Ok(_) => false,
    }
}
