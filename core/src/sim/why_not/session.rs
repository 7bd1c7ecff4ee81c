//! Sessions that have not expired, watches that have not rung.

use super::{Asked, Because};
use crate::{
    id::{ClientId, SessionId, Zxid},
    peer::{Peer, event::EventKind},
    request::WatchEventKind,
    sim::{ClientNo, ClientState, Fact, WorldEventKind},
    time::Span,
    tree::{path, watch::Modes},
    txn::{TxnBody, TxnKind},
};
use std::sync::Arc;

impl Asked<'_> {
    pub(super) fn not_expired(&mut self, session: SessionId) -> Because {
        let known = self
            .world
            .servers()
            .filter_map(|v| v.peer)
            .any(|p| p.database().sessions.contains_key(&session));
        let expired = self.last_event(
            |k| matches!(k, EventKind::SessionExpired { session: s, .. } if *s == session),
        );
        let ended = self.last_event(
            |k| matches!(k, EventKind::SessionEnded { session: s, .. } if *s == session),
        );
        if session == SessionId::NONE || (!known && ended.is_none()) {
            return Because::NoSuchThing;
        }
        let Some((peer, leader)) = self.established() else {
            return Because::NobodyCounts;
        };
        self.rests_on(expired);
        let closing = leader.outstanding().find(|o| {
            let txn = o.txn();
            txn.body.kind() == TxnKind::CloseSession && txn.header.session == session
        });
        if let Some(o) = closing {
            return Because::EndNotCommitted {
                zxid: o.txn().zxid(),
                count: self.acks(peer, o),
            };
        }
        let tracked = leader.sessions().iter().find(|(id, ..)| *id == session);
        let Some((_, timeout_ms, deadline, _)) = tracked else {
            self.rests_on(ended);
            return Because::ItHas;
        };
        let heard = self.last_of(peer.id(), |k| {
            matches!(k, EventKind::SessionTouched { session: s }
                | EventKind::RequestReceived { session: s, .. }
                | EventKind::SessionAttached { session: s, .. }
                | EventKind::SessionValidated { session: s, .. }
                | EventKind::Proposed { session: s, .. } if *s == session)
        });
        self.rests_on(heard);
        Because::TimeLeft {
            leader: peer.id(),
            timeout: Span::millis(u64::try_from(timeout_ms).unwrap_or(0)),
            heard: heard.map(|(_, r)| r.at),
            deadline,
            tick: peer.config().tick,
        }
    }

    pub(super) fn not_rung(&mut self, client: ClientNo, path: &str) -> Because {
        let Some(view) = self.world.client(client) else {
            return Because::NoSuchThing;
        };
        let ClientState::Connected { server, conn } = view.state else {
            let ended = self.last_world(
                |w| matches!(w, WorldEventKind::ClientGaveUp { client: c, .. } if *c == client),
            );
            self.rests_on(ended);
            return Because::NotConnected {
                client,
                state: view.state,
            };
        };
        let kept = self.world.peer(server).and_then(|p| kept(p, conn, path));
        let deep = kept.as_ref().is_some_and(|k| k.deep);
        let under_way = self.world.client_flights().find(|f| {
            f.conn == conn
                && matches!(&f.packet, crate::sim::ClientPacket::Watch(e) if concerns(&e.path, path, deep))
        });
        if let Some(f) = under_way {
            return Because::BetweenClientAndServer {
                client,
                server,
                to_server: false,
                arrives: f.arrives_at,
            };
        }
        let peer = match self.runs(server) {
            Ok(peer) => peer,
            Err(away) => return away.into(),
        };
        match kept {
            Some(kept) => self.unrung(peer, client, conn, path, &kept),
            None => self
                .rang(client, path, false, None)
                .unwrap_or(Because::NoWatch { server }),
        }
    }

    /// When the client last heard from a watch on this znode, or only of this transaction.
    fn rang(
        &mut self,
        client: ClientNo,
        path: &str,
        deep: bool,
        by: Option<Zxid>,
    ) -> Option<Because> {
        let heard = self.last_world(|w| {
            matches!(w, WorldEventKind::WatchReceived { client: c, path: p, zxid, .. }
                if *c == client && concerns(p, path, deep) && by.is_none_or(|by| by == *zxid))
        });
        self.rests_on(heard);
        let (_, record) = heard?;
        match &record.source {
            Fact::World(e) => match &e.kind {
                WorldEventKind::WatchReceived { event, zxid, .. } => Some(Because::RangAlready {
                    stays: by.is_some(),
                    event: *event,
                    zxid: (zxid.0 >= 0).then_some(*zxid),
                    at: record.at,
                }),
                _ => None,
            },
            Fact::Peer(_) => None,
        }
    }

    /// The watch is there and has not rung, or not again.
    fn unrung(
        &mut self,
        peer: &Peer,
        client: ClientNo,
        conn: ClientId,
        path: &str,
        kept: &Kept,
    ) -> Because {
        let server = peer.id();
        let set_record = self.last_of(server, |k| {
            matches!(k, EventKind::WatchSet { client, path: p, .. } if *client == conn && *p == kept.at)
        });
        self.rests_on(set_record);
        let set = self.applied_before(peer, set_record.map_or(0, |(index, _)| index));
        let applied = peer.last_applied();
        // What has happened to this znode above what this server has applied, anywhere; what the watch has
        // rung for, if it stays; what it does not wait for.
        let (mut elsewhere, mut rang, mut other) = (None::<Zxid>, None::<Zxid>, None::<Zxid>);
        for view in self.world.servers() {
            for entry in view.disk.entries() {
                let zxid = entry.txn.zxid();
                if zxid <= set || !self.is_committed(zxid) {
                    continue;
                }
                let (mut hears, mut changes) = (false, false);
                touches(&entry.txn.body, path, kept.deep, &mut |kind| {
                    changes = true;
                    hears |= kept.hears(kind);
                });
                if zxid > applied {
                    if hears {
                        elsewhere = Some(elsewhere.map_or(zxid, |z| z.min(zxid)));
                    }
                } else if hears {
                    rang = rang.max(Some(zxid));
                } else if changes {
                    other = other.max(Some(zxid));
                }
            }
        }
        if let Some(changed) = elsewhere {
            let committed = self
                .last_event(|k| matches!(k, EventKind::Committed { zxid, .. } if *zxid == changed));
            self.rests_on(committed);
            return Because::ChangeNotHere {
                changed,
                server,
                applied,
                lag: self.lag(server, changed),
            };
        }
        if let Some(because) = rang
            .filter(|rang| Some(*rang) > other)
            .and_then(|rang| self.rang(client, path, kept.deep, Some(rang)))
        {
            return because;
        }
        if let Some(changed) = other {
            let here = self.last_of(
                server,
                |k| matches!(k, EventKind::Applied { zxid, .. } if *zxid == changed),
            );
            self.rests_on(here);
            return Because::OtherKind {
                data: !kept.data.is_empty(),
                changed,
                set,
            };
        }
        let node = peer.database().tree.stat(path);
        Because::NothingChanged {
            server,
            set,
            changed: node.map(|stat| {
                if kept.data.is_empty() {
                    stat.pzxid
                } else {
                    stat.mzxid
                }
            }),
            applied,
        }
    }

    /// What a server had applied before a record.
    fn applied_before(&self, peer: &Peer, index: usize) -> Zxid {
        let id = peer.id();
        let mut at = self.history.records().len();
        let found = self.last(|r| {
            at -= 1;
            at < index
                && matches!(&r.source, Fact::Peer(e) if e.id.server == id
                    && matches!(e.kind, EventKind::Applied { .. } | EventKind::Serving { .. }))
        });
        match found.map(|(_, r)| &r.source) {
            Some(Fact::Peer(e)) => match e.kind {
                EventKind::Applied { zxid, .. } => zxid,
                EventKind::Serving { last_zxid, .. } => last_zxid,
                _ => Zxid::ZERO,
            },
            _ => Zxid::ZERO,
        }
    }
}

/// A connection's watch that rings for a znode.
struct Kept {
    /// Where it was set: there, or above.
    at: Arc<str>,
    data: Modes,
    child: Modes,
    /// It was set there and is recursive: what is below it counts too.
    deep: bool,
}

impl Kept {
    fn hears(&self, kind: WatchEventKind) -> bool {
        // A recursive watch hears of the children themselves, not that there are others.
        let of_children = self.child.has(Modes::STANDARD.with(Modes::PERSISTENT));
        match kind {
            WatchEventKind::NodeCreated | WatchEventKind::NodeDataChanged => !self.data.is_empty(),
            WatchEventKind::NodeDeleted => !self.data.is_empty() || of_children,
            WatchEventKind::NodeChildrenChanged => of_children,
        }
    }
}

/// The watch on a znode; without one, the nearest recursive watch above it.
fn kept(peer: &Peer, conn: ClientId, path: &str) -> Option<Kept> {
    let mut at = Some(path);
    while let Some(here) = at {
        let watch = peer.clients().watches().at(here).find(|w| w.client == conn);
        let recursive = |data: Modes| data.has(Modes::RECURSIVE);
        if let Some(w) = watch.filter(|w| here == path || recursive(w.data)) {
            let above = here != path;
            return Some(Kept {
                at: Arc::clone(w.path),
                data: if above { Modes::RECURSIVE } else { w.data },
                child: if above { Modes::NONE } else { w.child },
                deep: !above && recursive(w.data),
            });
        }
        // The root is its own parent.
        at = path::parent(here).filter(|_| here.len() > 1);
    }
    None
}

/// Whether what happens at `at` is for a watch on `path`, which may be a recursive one.
fn concerns(at: &str, path: &str, deep: bool) -> bool {
    at == path || deep && path::is_below(at, path)
}

/// What a transaction does to the znode at this path, or, `deep`, to one below it, as watches see it.
fn touches(body: &TxnBody, path: &str, deep: bool, each: &mut impl FnMut(WatchEventKind)) {
    let mut at = |at: &str, kind| {
        if concerns(at, path, deep) {
            each(kind);
        }
        let of_children = matches!(
            kind,
            WatchEventKind::NodeCreated | WatchEventKind::NodeDeleted
        );
        if of_children && path::parent(at) == Some(path) {
            each(WatchEventKind::NodeChildrenChanged);
        }
    };
    match body {
        TxnBody::Multi(all) => {
            for one in all.iter() {
                touches(one, path, deep, each);
            }
        }
        TxnBody::CloseSession { paths } => {
            for gone in paths.iter() {
                at(gone, WatchEventKind::NodeDeleted);
            }
        }
        _ => {
            let kind = match body.kind() {
                TxnKind::Create => WatchEventKind::NodeCreated,
                TxnKind::Delete => WatchEventKind::NodeDeleted,
                TxnKind::SetData => WatchEventKind::NodeDataChanged,
                _ => return,
            };
            if let Some(changed) = body.path() {
                at(changed, kind);
            }
        }
    }
}
