//! What of a run stands in the diagram: lanes with their states, and messages. It grows with the run:
//! each new fact is looked at once.

mod parts;

pub use parts::{Arrow, Band, BandKind, Carried, Fate, Lane, Told};

use super::End;
use crate::text::{Importance, importance};
use std::collections::{BTreeMap, VecDeque};
use zabscope_core::{
    id::{Epoch, EventId, ServerId, Zxid},
    message::{MessageKind, ServerState},
    peer::event::{EventKind, OpKind},
    sim::{BranchNo, ClientNo, Fact, History, Record, Sent, World, WorldEventKind},
};

/// So many arrows are judged at once by when they are.
const BLOCK: usize = 128;
/// So many messages of one pair wait for their end at most.
const PENDING: usize = 512;
/// So many causes are followed to find the message that led to another.
const CAUSES: usize = 24;

/// An event's place.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: u64,
    at: u64,
    record: u32,
    cause: Option<EventId>,
}

/// The index.
#[derive(Clone, Debug, Default)]
pub struct Index {
    branch: Option<BranchNo>,
    lanes: Vec<Lane>,
    servers: usize,
    arrows: Vec<Arrow>,
    /// When the first of a block leaves and the last of it ends.
    blocks: Vec<(u64, u64)>,
    pending: BTreeMap<(u16, u16), VecDeque<u32>>,
    /// Requests of clients by the record that sent them.
    asked: BTreeMap<u64, u32>,
    places: BTreeMap<ServerId, Vec<Place>>,
    /// Arrivals, by record.
    arrivals: Vec<(u32, u32)>,
    records: usize,
    sent: usize,
    end: u64,
}

impl Index {
    /// Takes in what is new in the current branch, its known future too; all of it if it is another
    /// branch.
    pub fn extend(&mut self, history: &History) {
        let records = history.all_records();
        if self.branch != Some(history.branch()) || records.len() < self.records {
            *self = Index::default();
            self.branch = Some(history.branch());
            self.begin(history.world());
        }
        let sent = history.all_sent();
        let mut sent = rest(&sent, self.sent).peekable();
        for record in rest(records.parts(), self.records) {
            while let Some(next) = sent.next_if(|s| s.at <= record.at) {
                self.leaves(next);
            }
            self.take(record);
        }
        for next in sent {
            self.leaves(next);
        }
        self.records = records.len();
        self.sent = history.all_sent().iter().map(|p| p.len()).sum();
    }

    fn begin(&mut self, world: &World) {
        self.lanes = world
            .servers()
            .map(|s| Lane::new(End::Server(s.id)))
            .collect();
        self.servers = self.lanes.len();
    }

    /// The lanes: servers, then clients.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// All messages, in the order in which they became known.
    #[must_use]
    pub fn arrows(&self) -> &[Arrow] {
        &self.arrows
    }

    /// How far the run is known, in µs.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Calls `see` with all messages that are under way between two moments.
    pub fn visible<'a>(&'a self, from: u64, to: u64, mut see: impl FnMut(u32, &'a Arrow)) {
        for (block, (first, last)) in self.blocks.iter().enumerate() {
            if *first > to || *last < from {
                continue;
            }
            let start = block * BLOCK;
            for (no, arrow) in self.arrows[start..].iter().take(BLOCK).enumerate() {
                if arrow.sent <= to && arrow.end >= from {
                    see((start + no) as u32, arrow);
                }
            }
        }
    }

    /// What led to a message, the nearest first, and what its arrival led to.
    #[must_use]
    pub fn related(&self, arrow: u32) -> Vec<u32> {
        let mut out = Vec::new();
        let mut next = self.arrows.get(arrow as usize).and_then(|a| a.parent);
        while let Some(no) = next.filter(|_| out.len() < CAUSES) {
            out.push(no);
            next = self.arrows.get(no as usize).and_then(|a| a.parent);
        }
        let effects = (arrow as usize + 1..self.arrows.len())
            .take(4000)
            .filter(|no| self.arrows[*no].parent == Some(arrow));
        out.extend(effects.take(64).map(|no| no as u32));
        out
    }

    /// The message between two at that moment: what is known of one that is chosen elsewhere.
    #[must_use]
    pub fn find(
        &self,
        from: End,
        to: End,
        sent: u64,
        what: impl Fn(&Arrow) -> bool,
    ) -> Option<u32> {
        let mut found = None;
        self.visible(sent, sent, |no, arrow| {
            let ends = |lane: u16| self.lanes.get(usize::from(lane)).map(|l| l.end);
            if arrow.sent == sent
                && ends(arrow.from) == Some(from)
                && ends(arrow.to) == Some(to)
                && what(arrow)
            {
                found = found.or(Some(no));
            }
        });
        found
    }

    // ---- building ----------------------------------------------------------------------------------

    fn lane(&mut self, end: End) -> u16 {
        let at = match end {
            // Ids are 1, 2, …
            End::Server(id) => (id.0 - 1).max(0) as usize,
            End::Client(no) => self.servers + usize::from(no.0).max(1) - 1,
        };
        while self.lanes.len() <= at {
            let no = self.lanes.len() - self.servers + 1;
            self.lanes.push(Lane::new(End::Client(ClientNo(no as u16))));
        }
        at as u16
    }

    fn push(&mut self, arrow: Arrow) -> u32 {
        let no = self.arrows.len();
        if no.is_multiple_of(BLOCK) {
            self.blocks.push((u64::MAX, 0));
        }
        self.arrows.push(arrow);
        self.measure(no);
        no as u32
    }

    fn measure(&mut self, no: usize) {
        let arrow = &self.arrows[no];
        if let Some((first, last)) = self.blocks.get_mut(no / BLOCK) {
            *first = (*first).min(arrow.sent);
            *last = (*last).max(arrow.end);
        }
    }

    fn leaves(&mut self, sent: &Sent) {
        let (from, to) = (
            self.lane(End::Server(sent.from)),
            self.lane(End::Server(sent.to)),
        );
        let arrives = sent.arrives_at.map_or(sent.at.0, |at| at.0);
        let no = self.push(Arrow {
            from,
            to,
            what: Carried::Packet(sent.kind),
            zxid: sent.zxid,
            sent: sent.at.0,
            arrives,
            end: arrives,
            fate: Fate::UnderWay,
            heartbeat: sent.kind.is_heartbeat(),
            cause: None,
            done: None,
            parent: None,
        });
        let waiting = self.pending.entry((from, to)).or_default();
        waiting.push_back(no);
        if waiting.len() > PENDING {
            waiting.pop_front();
        }
    }

    /// A message between servers has arrived or is lost.
    fn settle(
        &mut self,
        (from, to): (ServerId, ServerId),
        kind: MessageKind,
        zxid: Option<Zxid>,
        (at, record): (u64, u32),
        fate: Fate,
        cause: Option<EventId>,
    ) {
        let pair = (self.lane(End::Server(from)), self.lane(End::Server(to)));
        let arrows = &self.arrows;
        let same = |no: &u32| {
            let arrow = &arrows[*no as usize];
            arrow.what == Carried::Packet(kind)
                && (arrow.zxid == zxid || zxid.is_none() || arrow.zxid.is_none())
        };
        let waiting = self.pending.entry(pair).or_default();
        let in_time = |no: &u32| same(no) && arrows[*no as usize].arrives == at;
        let place = match fate {
            Fate::Arrived => waiting.iter().position(in_time),
            Fate::Lost | Fate::UnderWay => None,
        };
        let place = place.or_else(|| match fate {
            // The one that left last can't leave any more before one that left first is lost.
            Fate::Lost => {
                let now = |no: &u32| same(no) && arrows[*no as usize].sent == at;
                waiting
                    .iter()
                    .position(same)
                    .filter(|_| !waiting.iter().any(now))
                    .or_else(|| waiting.iter().rposition(now))
            }
            Fate::Arrived | Fate::UnderWay => waiting.iter().position(same),
        });
        let found = place.and_then(|place| waiting.remove(place));
        // It had not even left: it waited for a disk.
        let no = found.unwrap_or_else(|| {
            self.push(Arrow {
                from: pair.0,
                to: pair.1,
                what: Carried::Packet(kind),
                zxid,
                sent: at,
                arrives: at,
                end: at,
                fate,
                heartbeat: kind.is_heartbeat(),
                cause: None,
                done: None,
                parent: None,
            })
        });
        self.ends(no, at, record, fate, cause);
    }

    /// Notes the end of a message; `cause` made its sender send it.
    fn ends(&mut self, no: u32, at: u64, record: u32, fate: Fate, cause: Option<EventId>) {
        let place = cause.and_then(|id| self.place(id));
        let parent = place.and_then(|p| self.led_to(p));
        if let Some(arrow) = self.arrows.get_mut(no as usize) {
            arrow.end = at;
            arrow.arrives = match fate {
                Fate::Arrived => at,
                Fate::Lost | Fate::UnderWay => arrow.arrives,
            };
            arrow.fate = fate;
            arrow.done = Some(record);
            arrow.cause = place.map(|p| p.record);
            arrow.parent = parent.filter(|p| *p != no);
        }
        self.measure(no as usize);
        if fate == Fate::Arrived {
            self.arrivals.push((record, no));
        }
    }

    fn place(&self, id: EventId) -> Option<Place> {
        let places = self.places.get(&id.server)?;
        let at = places.binary_search_by_key(&id.seq, |p| p.seq).ok()?;
        places.get(at).copied()
    }

    /// The message whose arrival led, over other facts, to this one.
    fn led_to(&self, mut place: Place) -> Option<u32> {
        for _ in 0..CAUSES {
            let arrived = self
                .arrivals
                .binary_search_by_key(&place.record, |(record, _)| *record);
            if let Ok(at) = arrived {
                return Some(self.arrivals[at].1);
            }
            place = self.place(place.cause?)?;
        }
        None
    }

    fn take(&mut self, record: &Record) {
        let no = self.records as u32;
        self.records += 1;
        let at = record.at.0;
        self.end = self.end.max(at);
        let id = record.id();
        self.places.entry(id.server).or_default().push(Place {
            seq: id.seq,
            at,
            record: no,
            cause: record.cause(),
        });
        let told = importance(&record.source);
        let whose = match &record.source {
            Fact::Peer(event) => {
                self.peer(event.id.server, &event.kind, (at, no), event.cause);
                Some(End::Server(event.id.server))
            }
            Fact::World(event) => self.world(&event.kind, (at, no), id, event.cause),
        };
        if let Some(end) = whose.filter(|_| told >= Importance::Step) {
            let lane = self.lane(end);
            self.lanes[usize::from(lane)].told.push(Told {
                at,
                record: no,
                headline: told == Importance::Headline,
            });
        }
    }

    fn server(&mut self, id: ServerId) -> &mut Lane {
        let lane = self.lane(End::Server(id));
        &mut self.lanes[usize::from(lane)]
    }

    fn client(&mut self, no: ClientNo) -> &mut Lane {
        let lane = self.lane(End::Client(no));
        &mut self.lanes[usize::from(lane)]
    }

    fn peer(&mut self, id: ServerId, kind: &EventKind, when: (u64, u32), cause: Option<EventId>) {
        let at = when.0;
        match kind {
            EventKind::Received {
                from,
                message,
                zxid,
            } => self.settle((*from, id), *message, *zxid, when, Fate::Arrived, cause),
            EventKind::ClientArrived { .. } | EventKind::RequestReceived { .. } => {
                let asked = cause.filter(|c| c.server.0 == 0);
                if let Some(no) = asked.and_then(|c| self.asked.remove(&c.seq)) {
                    self.ends(no, at, when.1, Fate::Arrived, cause);
                }
            }
            EventKind::Started { .. }
            | EventKind::ElectionStarted { .. }
            | EventKind::SteppedDown { .. } => {
                self.server(id).become_(at, BandKind::Looking, Epoch(-1));
            }
            EventKind::Elected { state, .. } => {
                let lane = self.server(id);
                lane.observes = *state == ServerState::Observing;
                lane.become_(at, BandKind::Joining, Epoch(-1));
            }
            EventKind::Established { epoch, .. } => {
                self.server(id).become_(at, BandKind::Leading, *epoch);
            }
            EventKind::ServingAlone { last_zxid } => {
                self.server(id)
                    .become_(at, BandKind::Leading, last_zxid.epoch());
            }
            EventKind::Serving { epoch, .. } => {
                let lane = self.server(id);
                let kind = match lane.observes {
                    true => BandKind::Observing,
                    false => BandKind::Following,
                };
                lane.become_(at, kind, *epoch);
            }
            _ => {}
        }
    }

    /// Takes in what the world says; whose lane it belongs to.
    fn world(
        &mut self,
        kind: &WorldEventKind,
        when: (u64, u32),
        id: EventId,
        cause: Option<EventId>,
    ) -> Option<End> {
        let at = when.0;
        Some(match kind {
            WorldEventKind::Crashed { server, .. } => {
                let lane = self.server(*server);
                lane.close(at);
                lane.after_pause = None;
                End::Server(*server)
            }
            WorldEventKind::Paused { server } => {
                self.server(*server).pause(at);
                End::Server(*server)
            }
            WorldEventKind::Resumed { server, .. } => {
                self.server(*server).resume(at);
                End::Server(*server)
            }
            WorldEventKind::ClientPaused { client } => {
                self.client(*client).pause(at);
                End::Client(*client)
            }
            WorldEventKind::ClientResumed { client } => {
                self.client(*client).resume(at);
                End::Client(*client)
            }
            WorldEventKind::Restarted { server }
            | WorldEventKind::DiskSlowed { server, .. }
            | WorldEventKind::DiskLost { server } => End::Server(*server),
            WorldEventKind::MessageLost {
                from,
                to,
                message,
                zxid,
                ..
            } => {
                self.settle((*from, *to), *message, *zxid, when, Fate::Lost, cause);
                return None;
            }
            WorldEventKind::ClientAdded { client } => {
                self.lane(End::Client(*client));
                End::Client(*client)
            }
            WorldEventKind::ClientConnecting { client, server, .. } => {
                self.asks(*client, *server, Carried::Connect, when, id);
                End::Client(*client)
            }
            WorldEventKind::RequestSent {
                client, server, op, ..
            } => {
                self.asks(*client, *server, Carried::Request(*op), when, id);
                End::Client(*client)
            }
            WorldEventKind::ClientConnected { client, server, .. } => {
                self.answers(*client, *server, Carried::Session, None, when, cause);
                self.client(*client)
                    .become_(at, BandKind::Connected, Epoch(-1));
                End::Client(*client)
            }
            WorldEventKind::ClientExpired { client, server, .. } => {
                self.answers(*client, *server, Carried::Session, None, when, cause);
                self.client(*client).close(at);
                End::Client(*client)
            }
            WorldEventKind::ClientClosed { client, .. } => {
                self.client(*client).close(at);
                End::Client(*client)
            }
            WorldEventKind::ClientGaveUp { client, .. } => {
                self.client(*client).close(at);
                self.gives_up(*client, when);
                End::Client(*client)
            }
            WorldEventKind::ReplyReceived {
                client,
                server,
                op,
                zxid,
                ..
            } => {
                let what = Carried::Reply(*op);
                self.answers(*client, *server, what, Some(*zxid), when, cause);
                End::Client(*client)
            }
            WorldEventKind::WatchReceived {
                client,
                server,
                zxid,
                ..
            } => {
                let what = Carried::Watch;
                self.answers(*client, *server, what, Some(*zxid), when, cause);
                End::Client(*client)
            }
            WorldEventKind::StaleRead { client, .. } => End::Client(*client),
            WorldEventKind::LinkCut { .. }
            | WorldEventKind::DirectionCut { .. }
            | WorldEventKind::LinkHealed { .. }
            | WorldEventKind::LinkSlowed { .. }
            | WorldEventKind::Partitioned { .. }
            | WorldEventKind::AllHealed
            | WorldEventKind::RulesSet { .. }
            | WorldEventKind::FaultsSet { .. }
            | WorldEventKind::ConnectionBroken { .. } => return None,
        })
    }

    /// A client's message leaves.
    fn asks(
        &mut self,
        client: ClientNo,
        server: ServerId,
        what: Carried,
        (at, record): (u64, u32),
        id: EventId,
    ) {
        let (from, to) = (
            self.lane(End::Client(client)),
            self.lane(End::Server(server)),
        );
        let no = self.push(Arrow {
            from,
            to,
            what,
            zxid: None,
            sent: at,
            arrives: at,
            end: at,
            fate: Fate::UnderWay,
            heartbeat: what == Carried::Request(OpKind::Ping),
            cause: Some(record),
            done: None,
            parent: None,
        });
        self.asked.insert(id.seq, no);
    }

    /// A server's message to a client has arrived: it left with the event that caused it.
    fn answers(
        &mut self,
        client: ClientNo,
        server: ServerId,
        what: Carried,
        zxid: Option<Zxid>,
        (at, record): (u64, u32),
        cause: Option<EventId>,
    ) {
        let Some(left) = cause
            .filter(|c| c.server == server)
            .and_then(|id| self.place(id))
        else {
            return;
        };
        let (from, to) = (
            self.lane(End::Server(server)),
            self.lane(End::Client(client)),
        );
        let no = self.push(Arrow {
            from,
            to,
            what,
            zxid,
            sent: left.at,
            arrives: at,
            end: at,
            fate: Fate::Arrived,
            heartbeat: what == Carried::Reply(OpKind::Ping),
            cause: None,
            done: None,
            parent: None,
        });
        self.ends(no, at, record, Fate::Arrived, cause);
    }

    /// What a client had under way when its connection ended is lost, unless it arrives all the same.
    fn gives_up(&mut self, client: ClientNo, (at, record): (u64, u32)) {
        let lane = self.lane(End::Client(client));
        for no in self.asked.values() {
            if let Some(arrow) = self.arrows.get_mut(*no as usize)
                && arrow.from == lane
                && arrow.fate == Fate::UnderWay
            {
                arrow.fate = Fate::Lost;
                arrow.end = at;
                arrow.arrives = at;
                arrow.done = Some(record);
            }
        }
        let lost: Vec<u32> = self.asked.values().copied().collect();
        for no in lost {
            self.measure(no as usize);
        }
        // What was not heard of for so long will not be.
        while self.asked.len() > PENDING {
            self.asked.pop_first();
        }
    }
}

/// What comes after the first `skip` things of several parts.
fn rest<'a, T>(parts: &'a [&'a [T]], mut skip: usize) -> impl Iterator<Item = &'a T> {
    parts.iter().flat_map(move |part| {
        let from = skip.min(part.len());
        skip -= from;
        part[from..].iter()
    })
}
