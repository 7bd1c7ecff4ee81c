//! Transactions that are not committed, requests that are not answered, what a server has not applied.

use super::{Absence, Asked, Because, Count, Lag, Missing};
use crate::{
    bus::Message,
    id::{EventId, ServerId, Zxid},
    leader::Outstanding,
    message::{MessageKind, QuorumMessage, ServerState},
    peer::{Peer, event::EventKind},
    pipeline::clients::Pending,
    sim::{ClientNo, ClientState, Fact, ServerStatus, WorldEventKind},
};
use std::collections::BTreeSet;

impl Asked<'_> {
    pub(super) fn is_committed(&self, zxid: Zxid) -> bool {
        // Behind by one more just below it: it is one of them.
        let below = Zxid(zxid.0.saturating_sub(1));
        self.world.behind_by(below) > self.world.behind_by(zxid)
    }

    pub(super) fn not_committed(&mut self, zxid: Zxid) -> Because {
        if self.is_committed(zxid) {
            let committed = self
                .last_event(|k| matches!(k, EventKind::Committed { zxid: z, .. } if *z == zxid));
            self.rests_on(committed);
            return Because::ItHas;
        }
        let proposed =
            self.last_event(|k| matches!(k, EventKind::Proposed { zxid: z, .. } if *z == zxid));
        if let Some((peer, leader)) = self.established() {
            let waiting: Vec<&Outstanding> = leader.outstanding().collect();
            if let Some(own) = waiting.iter().find(|o| o.txn().zxid() == zxid) {
                self.rests_on(proposed);
                let oldest = waiting.first().map_or(*own, |o| *o);
                let count = self.acks(peer, oldest);
                let oldest = oldest.txn().zxid();
                return if oldest == zxid {
                    Because::TooFewAcks { zxid, count }
                } else {
                    Because::AfterAnOlder {
                        zxid,
                        oldest,
                        count,
                    }
                };
            }
            if proposed.is_none() || zxid.epoch() > peer.current_epoch() {
                return Because::NeverProposed {
                    leader: Some(peer.id()),
                    last: leader.last_proposed(),
                };
            }
            return self.given_up(peer, zxid);
        }
        let holders = self.holders(zxid);
        if holders.is_empty() && proposed.is_none() {
            let last = self.world.servers().map(|v| v.disk.last_zxid()).max();
            return Because::NeverProposed {
                leader: None,
                last: last.unwrap_or_default(),
            };
        }
        self.rests_on(proposed);
        Because::NobodyDecides {
            zxid,
            holders,
            need: self.world.members().quorum.smallest() as u32,
        }
    }

    /// Whose disks have it.
    fn holders(&self, zxid: Zxid) -> BTreeSet<ServerId> {
        let has = |d: &crate::sim::Disk| d.entries().any(|e| e.durable && e.txn.zxid() == zxid);
        self.world
            .servers()
            .filter(|v| has(v.disk))
            .map(|v| v.id)
            .collect()
    }

    fn given_up(&mut self, peer: &Peer, zxid: Zxid) -> Because {
        let leader = peer.id();
        let elected = self.last_of(leader, |k| {
            matches!(
                k,
                EventKind::Elected {
                    state: ServerState::Leading,
                    ..
                }
            )
        });
        self.rests_on(elected);
        let history = match elected.map(|(_, r)| &r.source) {
            Some(Fact::Peer(e)) => match &e.kind {
                EventKind::Elected { vote, .. } => vote.zxid,
                _ => Zxid::ZERO,
            },
            _ => Zxid::ZERO,
        };
        let cut = self.last_event(|k| {
            matches!(k, EventKind::LogTruncated { to, last: Some(last), .. }
                if *to < zxid && zxid <= *last)
        });
        self.rests_on(cut);
        let removed = self
            .world
            .servers()
            .filter_map(|v| {
                let gone = v.disk.removed().rev().find(|r| r.zxid == zxid)?;
                Some((v.id, gone.because))
            })
            .collect();
        Because::GivenUp {
            zxid,
            leader,
            epoch: peer.current_epoch(),
            history,
            holders: self.holders(zxid),
            removed,
        }
    }

    /// The ACKs that a proposal has, and those it lacks.
    pub(super) fn acks(&self, leader: &Peer, o: &Outstanding) -> Count {
        let (id, zxid, cfg) = (leader.id(), o.txn().zxid(), leader.config());
        let missing = cfg
            .voters()
            .into_iter()
            .filter(|v| !o.acks().contains(v))
            .map(|server| Missing {
                server,
                because: self.no_ack(server, id, zxid),
            })
            .collect();
        Count {
            have: o.acks().clone(),
            need: Self::need(cfg),
            missing,
        }
    }

    fn no_ack(&self, server: ServerId, leader: ServerId, zxid: Zxid) -> Absence {
        let Some(view) = self.world.server(server) else {
            return Absence::Silent;
        };
        if server == leader {
            return Absence::OnDisk(view.disk.slower_by());
        }
        if let Some(absence) = self.absence(server, leader) {
            return absence;
        }
        let about = |m: &Message, kind| m.kind() == kind && of(m) == Some(zxid);
        if let Some(m) = self.under_way(leader, server, |m| about(m, MessageKind::Proposal)) {
            return Absence::ToIt(MessageKind::Proposal, m.arrives_at);
        }
        if let Some(m) = self.under_way(server, leader, |m| about(m, MessageKind::Ack)) {
            return Absence::FromIt(MessageKind::Ack, m.arrives_at);
        }
        match view.peer {
            Some(p) if p.leader() != Some(leader) => match p.leader() {
                Some(other) => Absence::Follows(other),
                None => Absence::Looks,
            },
            Some(p) if p.last_logged() >= zxid && !view.disk.is_durable(zxid) => {
                Absence::OnDisk(view.disk.slower_by())
            }
            Some(_) | None => Absence::Silent,
        }
    }

    // ---- requests -------------------------------------------------------------------------------

    pub(super) fn not_answered(&mut self, client: ClientNo) -> Because {
        let Some(view) = self.world.client(client) else {
            return Because::NoSuchThing;
        };
        if view.pending + view.queued == 0 {
            let reply = self.last_world(
                |w| matches!(w, WorldEventKind::ReplyReceived { client: c, .. } if *c == client),
            );
            self.rests_on(reply);
            return Because::ItHas;
        }
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
        let under_way = |to_server: bool| {
            self.world
                .client_flights()
                .filter(|f| f.conn == conn && f.packet.goes_to_server() == to_server)
                .map(|f| f.arrives_at)
                .min()
        };
        // The oldest comes first: a reply under way is nearest, then what the server holds.
        let (replies, requests) = (under_way(false), under_way(true));
        let between = |to_server, arrives| Because::BetweenClientAndServer {
            client,
            server,
            to_server,
            arrives,
        };
        if let Some(arrives) = replies {
            return between(false, arrives);
        }
        let held = self
            .world
            .peer(server)
            .and_then(|p| p.clients().connection(conn))
            .and_then(|c| Some((c.session(), c.queue().next()?)));
        let Some((session, oldest)) = held else {
            return match (requests, self.runs(server)) {
                (_, Err(away)) => away.into(),
                (Some(arrives), Ok(_)) => between(true, arrives),
                (None, Ok(_)) => Because::NoSuchThing,
            };
        };
        let cxid = match oldest {
            Pending::Read { .. } => return self.not_newest(server),
            Pending::Sync {
                until: Some(until), ..
            } => return self.behind(server, *until),
            Pending::Write {
                done: Some((zxid, _)),
                ..
            } => return self.behind(server, *zxid),
            Pending::Sync { xid, .. } | Pending::Write { xid, .. } => *xid,
        };
        let proposed = self.last_event(|k| {
            matches!(k, EventKind::Proposed { session: s, cxid: x, .. } if (*s, *x) == (session, cxid))
        });
        if let Some((_, record)) = proposed
            && let Fact::Peer(e) = &record.source
            && let EventKind::Proposed { zxid, .. } = e.kind
        {
            return if self.is_committed(zxid) {
                self.rests_on(proposed);
                self.behind(server, zxid)
            } else {
                self.not_committed(zxid)
            };
        }
        if let Err(away) = self.runs(server) {
            return away.into();
        }
        let leader = self.world.peer(server).and_then(Peer::leader);
        let forwarded = self.last_of(server, |k| {
            matches!(k, EventKind::RequestForwarded { session: s, xid, .. } if (*s, *xid) == (session, cxid))
        });
        self.rests_on(forwarded);
        Because::AskedTheLeader {
            client,
            server,
            leader,
            arrives: leader
                .and_then(|l| self.under_way(server, l, |m| m.kind() == MessageKind::Request))
                .map(|m| m.arrives_at),
        }
    }

    // ---- what a server has not applied ------------------------------------------------------------

    pub(super) fn not_newest(&mut self, server: ServerId) -> Because {
        let newest = self.world.newest_committed();
        self.behind(server, newest)
    }

    /// Why a server has not applied everything up to `until`.
    pub(super) fn behind(&mut self, server: ServerId, until: Zxid) -> Because {
        let peer = match self.runs(server) {
            Ok(peer) => peer,
            Err(away) => return away.into(),
        };
        let (applied, newest) = (peer.last_applied(), self.world.newest_committed());
        let by = self.world.behind_by(applied);
        if applied >= until || by == 0 {
            let last = self.last_of(
                server,
                |k| matches!(k, EventKind::Applied { zxid, .. } if *zxid == applied),
            );
            self.rests_on(last);
            return Because::ItHas;
        }
        let first = self.first_after(applied);
        let committed =
            self.last_event(|k| matches!(k, EventKind::Committed { zxid, .. } if *zxid == first));
        self.rests_on(committed);
        Because::Behind {
            server,
            applied,
            newest,
            by,
            first,
            lag: self.lag(server, first),
        }
    }

    /// The first committed transaction above this, as some disk has it.
    fn first_after(&self, applied: Zxid) -> Zxid {
        self.world
            .servers()
            .flat_map(|v| v.disk.entries().map(|e| e.txn.zxid()))
            .filter(|z| *z > applied && self.is_committed(*z))
            .min()
            .unwrap_or_else(|| self.world.newest_committed())
    }

    /// Why a server lacks a committed transaction.
    pub(super) fn lag(&self, server: ServerId, zxid: Zxid) -> Lag {
        let Some(view) = self.world.server(server) else {
            return Lag::NotServing;
        };
        let Some(peer) = view.peer.filter(|_| view.status == ServerStatus::Up) else {
            return Lag::NotRunning(view.status);
        };
        if !peer.serving() {
            return Lag::NotServing;
        }
        let has = peer.last_logged() >= zxid;
        if has && !view.disk.is_durable(zxid) {
            return Lag::OnDisk(view.disk.slower_by());
        }
        let Some(leader) = peer.leader().filter(|l| *l != server) else {
            return Lag::NotServing;
        };
        if self.is_cut(leader, server) {
            return Lag::Cut(leader);
        }
        let brings = |m: &Message| {
            matches!(m, Message::Quorum(_, q) if matches!(
                q.kind(),
                MessageKind::Proposal
                    | MessageKind::Commit
                    | MessageKind::Inform
                    | MessageKind::CommitAndActivate
                    | MessageKind::InformAndActivate
            )) && of(m).is_some_and(|z| z >= zxid)
        };
        // What it lacks first: the transaction itself, or the word that it is committed.
        let next = |m: &Message| brings(m) && (has || m.kind() != MessageKind::Commit);
        match self
            .under_way(leader, server, next)
            .or_else(|| self.under_way(leader, server, brings))
        {
            Some(m) => Lag::OnTheWay(m.envelope.message.kind(), leader, m.arrives_at),
            None => Lag::NotSent(leader),
        }
    }

    pub(super) fn not_fresh(&mut self, read: EventId) -> Because {
        let Some((_, record)) = self.last(|r| r.id() == read) else {
            return Because::NoSuchThing;
        };
        let Fact::World(event) = &record.source else {
            return Because::NoSuchThing;
        };
        let WorldEventKind::StaleRead {
            client,
            server,
            shown,
            newest,
            behind_by,
            ..
        } = &event.kind
        else {
            return Because::NoSuchThing;
        };
        let first = self.first_after(*shown);
        let committed =
            self.last_event(|k| matches!(k, EventKind::Committed { zxid, .. } if *zxid == first));
        let applied = self.last_of(
            *server,
            |k| matches!(k, EventKind::Applied { zxid, .. } if *zxid == first),
        );
        self.rests_on(committed);
        self.facts.push(read);
        self.rests_on(applied);
        Because::WasBehind {
            client: *client,
            server: *server,
            shown: *shown,
            newest: *newest,
            by: *behind_by,
            first,
            committed: committed.map(|(_, r)| r.at),
            applied: applied.map(|(_, r)| r.at),
            answered: record.at,
        }
    }
}

/// What a message is about.
fn of(m: &Message) -> Option<Zxid> {
    match m {
        Message::Election(_) => None,
        Message::Quorum(_, packet) => QuorumMessage::zxid(packet),
    }
}
