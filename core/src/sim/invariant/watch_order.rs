//! A client hears of a change before it sees it.

use super::{Invariant, Step, Violation};
use crate::{
    id::{ClientId, ServerId, Zxid},
    peer::event::{EventKind, OpKind},
    request::{WatchEventKind, WatchKind},
    sim::{ClientNo, WorldEventKind},
    txn::TxnKind,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// A watch that rang at a server, on its way to the client.
#[derive(Debug)]
struct Ringing {
    path: Arc<str>,
    event: WatchEventKind,
    /// `None`: caught up by setWatches.
    zxid: Option<Zxid>,
}

/// What rang and was not heard yet, and the watches on data that must ring.
#[derive(Debug, Default)]
pub struct WatchOrder {
    conns: BTreeMap<ClientNo, ClientId>,
    ringing: BTreeMap<(ServerId, ClientId), VecDeque<Ringing>>,
    /// Standard watches in the data table of each server.
    data: BTreeMap<(ServerId, Arc<str>), BTreeSet<ClientId>>,
}

impl WatchOrder {
    fn gone(&mut self, server: ServerId, conn: ClientId) {
        self.ringing.remove(&(server, conn));
        self.data.retain(|(s, _), conns| {
            if *s == server {
                conns.remove(&conn);
            }
            !conns.is_empty()
        });
    }

    fn all_gone(&mut self, server: ServerId) {
        self.data.retain(|(s, _), _| *s != server);
    }

    /// A change to a znode: every standard watch on its data rings in the same step.
    fn rang(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        // Watches that were set or given up in this step, and what must ring, in order.
        let mut due: Vec<(ServerId, ClientId, Arc<str>, Zxid)> = Vec::new();
        for (server, event) in step.events() {
            match event {
                EventKind::WatchSet { client, path, kind } if *kind == WatchKind::Data => {
                    let key = (server, Arc::clone(path));
                    self.data.entry(key).or_default().insert(*client);
                }
                EventKind::WatchRemoved { client, path } => {
                    if let Some(set) = self.data.get_mut(&(server, Arc::clone(path))) {
                        set.remove(client);
                    }
                }
                EventKind::Applied {
                    zxid,
                    txn: TxnKind::Create | TxnKind::Delete | TxnKind::SetData | TxnKind::Reconfig,
                    path: Some(path),
                    error: None,
                    ..
                } if !self.data.is_empty() => {
                    if let Some(watching) = self.data.remove(&(server, Arc::clone(path))) {
                        due.extend(
                            watching
                                .into_iter()
                                .map(|conn| (server, conn, Arc::clone(path), *zxid)),
                        );
                    }
                }
                EventKind::WatchFired {
                    client,
                    path,
                    event,
                    zxid,
                    withheld,
                    ..
                } => {
                    due.retain(|(s, c, p, z)| {
                        !(*s == server && c == client && p == path && Some(*z) == *zxid)
                    });
                    // Rung by what has no path of its own: a multi, a session that ended.
                    if let Some(set) = self.data.get_mut(&(server, Arc::clone(path)))
                        && *event != WatchEventKind::NodeChildrenChanged
                    {
                        set.remove(client);
                    }
                    if !withheld {
                        self.ringing
                            .entry((server, *client))
                            .or_default()
                            .push_back(Ringing {
                                path: Arc::clone(path),
                                event: *event,
                                zxid: *zxid,
                            });
                    }
                }
                EventKind::ClientLeft { client, .. } | EventKind::ClientRefused { client, .. } => {
                    due.retain(|(s, c, ..)| !(*s == server && c == client));
                    if !self.data.is_empty() {
                        self.data.retain(|(s, _), conns| {
                            if *s == server {
                                conns.remove(client);
                            }
                            !conns.is_empty()
                        });
                    }
                }
                EventKind::SteppedDown { .. } | EventKind::Started { .. } => {
                    self.all_gone(server);
                }
                _ => {}
            }
        }
        match due.first() {
            None => Ok(()),
            Some((server, conn, path, zxid)) => Err(Violation::new(self, step)
                .with("server", server)
                .with("applies", zxid)
                .with("which changes", path)
                .with("the watch of connection", conn.0)
                .with("rings", "not")),
        }
    }
}

impl Invariant for WatchOrder {
    fn name(&self) -> &'static str {
        "watch-order"
    }

    fn sentence(&self) -> &'static str {
        "A change rings the watches that wait for it, and the client hears of it before any reply \
         that shows it."
    }

    fn source(&self) -> &'static str {
        "ZooKeeper.md 1.11, 3.12"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        self.rang(step)?;
        for event in step.world() {
            match event {
                WorldEventKind::RequestSent { client, conn, .. } => {
                    self.conns.insert(*client, *conn);
                }
                WorldEventKind::WatchReceived {
                    client,
                    server,
                    event,
                    path,
                    ..
                } => {
                    let Some(conn) = self.conns.get(client) else {
                        continue;
                    };
                    let rang = self
                        .ringing
                        .get_mut(&(*server, *conn))
                        .and_then(VecDeque::pop_front);
                    let expected = rang.filter(|r| r.event == *event && r.path == *path);
                    if expected.is_none() {
                        return Err(Violation::new(self, step)
                            .with("client", client.0)
                            .with("hears from server", server)
                            .with("of", format_args!("{event:?} {path}"))
                            .with("which rang for it next", "not"));
                    }
                }
                WorldEventKind::ReplyReceived {
                    client,
                    server,
                    xid,
                    op,
                    zxid,
                    ..
                } => {
                    let Some(conn) = self.conns.get(client) else {
                        continue;
                    };
                    let unheard = self
                        .ringing
                        .get(&(*server, *conn))
                        .and_then(VecDeque::front)
                        .filter(|r| match r.zxid {
                            Some(z) => z <= *zxid,
                            None => *op == OpKind::SetWatches,
                        });
                    if let Some(r) = unheard {
                        return Err(Violation::new(self, step)
                            .with("client", client.0)
                            .with("gets from server", server)
                            .with("the reply to", format_args!("xid {xid} {op:?}"))
                            .with("which shows", zxid)
                            .with(
                                "before it hears of",
                                format_args!("{:?} {}", r.event, r.path),
                            )
                            .with("by", r.zxid.unwrap_or_default()));
                    }
                }
                WorldEventKind::ClientGaveUp { client, server, .. }
                | WorldEventKind::ClientExpired { client, server, .. } => {
                    if let Some(conn) = self.conns.remove(client) {
                        self.gone(*server, conn);
                    }
                }
                WorldEventKind::Crashed { server, .. } => self.all_gone(*server),
                _ => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        *self = WatchOrder::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::invariant::testing::{caught, clean, lie};

    #[test]
    fn a_healthy_run_is_clean() {
        clean(WatchOrder::default());
    }

    #[test]
    fn a_reply_that_shows_a_change_before_the_event_is_found() {
        let violation = caught(
            WatchOrder::default(),
            lie(|log, _| log.remove_world(|e| matches!(e, WorldEventKind::WatchReceived { .. }))),
        );
        assert!(
            violation
                .values
                .iter()
                .any(|(n, _)| n == "before it hears of")
        );
    }

    #[test]
    fn a_watch_that_does_not_ring_is_found() {
        let violation = caught(
            WatchOrder::default(),
            lie(|log, _| log.remove(|_, e| matches!(e, EventKind::WatchFired { .. }))),
        );
        assert!(violation.values.iter().any(|(n, _)| n == "rings"));
    }
}
