//! Sessions that have not expired, watches that have not rung.

use super::{Asked, Because};
use crate::{
    id::{ClientId, SessionId, Zxid},
    peer::{Peer, event::EventKind},
    request::WatchEventKind,
    sim::{ClientNo, ClientState, Fact, WorldEventKind},
    time::Span,
    tree::watch::Modes,
    txn::{TxnBody, TxnKind},
};

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
        let under_way = self.world.client_flights().find(|f| {
            f.conn == conn
                && matches!(&f.packet, crate::sim::ClientPacket::Watch(e) if *e.path == *path)
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
        let watch = peer
            .clients()
            .watches()
            .at(path)
            .find(|w| w.client == conn)
            .map(|w| (w.data, w.child));
        let Some((data, child)) = watch else {
            return self.no_watch(peer, client, path);
        };
        self.unrung(peer, conn, path, data, child)
    }

    /// There is no watch (any more).
    fn no_watch(&mut self, peer: &Peer, client: ClientNo, path: &str) -> Because {
        let rang = self.last_world(|w| {
            matches!(w, WorldEventKind::WatchReceived { client: c, path: p, .. }
                if *c == client && **p == *path)
        });
        self.rests_on(rang);
        match rang {
            Some((_, record)) => match &record.source {
                Fact::World(e) => match &e.kind {
                    WorldEventKind::WatchReceived { event, zxid, .. } => Because::RangAlready {
                        event: *event,
                        zxid: (zxid.0 >= 0).then_some(*zxid),
                        at: record.at,
                    },
                    _ => Because::NoWatch { server: peer.id() },
                },
                Fact::Peer(_) => Because::NoWatch { server: peer.id() },
            },
            None => Because::NoWatch { server: peer.id() },
        }
    }

    /// The watch is there and has not rung.
    fn unrung(
        &mut self,
        peer: &Peer,
        conn: ClientId,
        path: &str,
        data: Modes,
        child: Modes,
    ) -> Because {
        let server = peer.id();
        let set_record = self.last_of(server, |k| {
            matches!(k, EventKind::WatchSet { client, path: p, .. } if *client == conn && **p == *path)
        });
        self.rests_on(set_record);
        let set = self.applied_before(peer, set_record.map_or(0, |(index, _)| index));
        let applied = peer.last_applied();
        let wants = |kind: WatchEventKind| match kind {
            WatchEventKind::NodeCreated | WatchEventKind::NodeDataChanged => !data.is_empty(),
            WatchEventKind::NodeDeleted => !data.is_empty() || !child.is_empty(),
            WatchEventKind::NodeChildrenChanged => !child.is_empty(),
        };
        // What has happened to this znode above what this server has applied, anywhere.
        let (mut elsewhere, mut other): (Option<Zxid>, Option<Zxid>) = (None, None);
        for view in self.world.servers() {
            for entry in view.disk.entries() {
                let zxid = entry.txn.zxid();
                let Some(kind) = touches(&entry.txn.body, path) else {
                    continue;
                };
                if !self.is_committed(zxid) {
                    continue;
                }
                if zxid > applied && wants(kind) {
                    elsewhere = Some(elsewhere.map_or(zxid, |z| z.min(zxid)));
                } else if zxid > set && zxid <= applied && !wants(kind) {
                    other = Some(other.map_or(zxid, |z| z.max(zxid)));
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
        if let Some(changed) = other {
            let here = self.last_of(
                server,
                |k| matches!(k, EventKind::Applied { zxid, .. } if *zxid == changed),
            );
            self.rests_on(here);
            return Because::OtherKind {
                data: !data.is_empty(),
                changed,
                set,
            };
        }
        let node = peer.database().tree.stat(path);
        Because::NothingChanged {
            server,
            set,
            changed: node.map(|stat| {
                if data.is_empty() {
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

/// What a transaction does to the znode at this path, as watches see it.
fn touches(body: &TxnBody, path: &str) -> Option<WatchEventKind> {
    let below = |child: &str| crate::tree::path::split(child).is_some_and(|(p, _)| p == path);
    match body {
        TxnBody::Multi(all) => all.iter().find_map(|one| touches(one, path)),
        TxnBody::CloseSession { paths } if paths.iter().any(|p| **p == *path) => {
            Some(WatchEventKind::NodeDeleted)
        }
        TxnBody::CloseSession { paths } if paths.iter().any(|p| below(p)) => {
            Some(WatchEventKind::NodeChildrenChanged)
        }
        _ => {
            let at = body.path()?;
            match body.kind() {
                TxnKind::Create if **at == *path => Some(WatchEventKind::NodeCreated),
                TxnKind::Delete if **at == *path => Some(WatchEventKind::NodeDeleted),
                TxnKind::SetData if **at == *path => Some(WatchEventKind::NodeDataChanged),
                TxnKind::Create | TxnKind::Delete if below(at) => {
                    Some(WatchEventKind::NodeChildrenChanged)
                }
                _ => None,
            }
        }
    }
}
