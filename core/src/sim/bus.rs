//! The simulated network between servers: see [`crate::bus`] for what it must keep.
//!
//! Both channels are FIFO: a message arrives at the later of "latency after it left" and "when the
//! one before it arrived". A connection breaks as a whole: what is under way is lost, both ends
//! hear of it, nothing sent later on it arrives. When only one direction is cut, messages vanish
//! silently; a connection that has lost one is never used again once the link heals, because its
//! stream has a gap: it breaks then, if nobody gave up before.

use crate::{
    bus::{Channel, Envelope, Message},
    id::{ConnId, EventId, ServerId},
    sim::{
        fact::{LostBecause, Sent, StepLog, WorldEventKind},
        queue::{Base, Flight, Happening},
    },
    time::{Moment, Span},
};
use std::collections::{BTreeMap, VecDeque};

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct InFlight<'a> {
    /// A number of its own in this run; the same while it is under way and when it is lost.
    pub number: u64,
    /// When it left.
    pub sent_at: Moment,
    /// When it will arrive.
    pub arrives_at: Moment,
    /// Its place among all messages that ever left this sender for this receiver on this channel:
    /// a lower number arrives earlier.
    pub order: u64,
    /// The message.
    pub envelope: &'a Envelope,
}

impl InFlight<'_> {
    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.envelope.message.channel()
    }

    /// Its sender.
    #[must_use]
    pub fn from(&self) -> ServerId {
        self.envelope.from
    }

    /// Its receiver.
    #[must_use]
    pub fn to(&self) -> ServerId {
        self.envelope.to
    }
}

/// A message that stopped on its way. The newest [`DROPPED_KEPT`] are kept for drawing.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// As in [`InFlight::number`].
    pub number: u64,
    /// The message.
    pub envelope: Envelope,
    /// When it left.
    pub sent_at: Moment,
    /// When it would have arrived.
    pub arrives_at: Moment,
    /// When it was lost; with the two above: where on the link it stopped.
    pub cut_at: Moment,
    /// Why.
    pub because: LostBecause,
}

/// How many lost messages are kept for drawing.
pub const DROPPED_KEPT: usize = 64;

/// A link between two servers, `a` < `b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// One end.
    pub a: ServerId,
    /// The other.
    pub b: ServerId,
    /// Nothing passes from `a` to `b`.
    pub cut_ab: bool,
    /// Nothing passes from `b` to `a`.
    pub cut_ba: bool,
    /// Added to the latency.
    pub extra: Span,
    /// The connection of the election channel stands.
    pub election_up: bool,
    /// A vote of `a` waits for it.
    pub waiting_ab: bool,
    /// A vote of `b` waits for it.
    pub waiting_ba: bool,
    /// Quorum connections that both ends have open.
    pub conns: Vec<ConnId>,
}

/// One direction between two servers.
#[derive(Clone, Debug, Default)]
struct Direction {
    cut: bool,
    /// Votes never overtake.
    last_arrival: Moment,
    /// Messages ever sent, by channel: election, quorum.
    sent: [u64; 2],
    /// A vote that waits for the connection: the newest.
    mailbox: Option<Envelope>,
    /// Sent again when the connection comes up and nothing waits.
    last_vote: Option<Envelope>,
    /// A vote vanished since this direction was cut.
    lost_vote: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Election {
    #[default]
    Down,
    Connecting(u32),
    Up,
}

#[derive(Clone, Debug, Default)]
struct Pair {
    extra: Span,
    election: Election,
    tag: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndState {
    /// It does not know yet whether there will be a connection.
    Opening,
    Open,
    /// It knows that there is none (any more).
    Closed,
}

#[derive(Clone, Debug)]
struct End {
    id: ServerId,
    state: EndState,
    /// What this end sends never arrives earlier than this.
    last_arrival: Moment,
    /// That the connection is gone is on its way to this end.
    told: bool,
    /// What this end sent has vanished: its stream has a gap.
    gap: bool,
}

/// A quorum connection: the learner's end first.
#[derive(Clone, Debug)]
struct Conn {
    ends: [End; 2],
    began: Moment,
    cause: EventId,
    /// Nothing sent from now on arrives.
    broken: bool,
}

impl Conn {
    fn is_between(&self, a: ServerId, b: ServerId) -> bool {
        let [x, y] = [self.ends[0].id, self.ends[1].id];
        (x, y) == (a, b) || (x, y) == (b, a)
    }

    fn end(&self, id: ServerId) -> usize {
        usize::from(self.ends[1].id == id)
    }

    fn is_over(&self) -> bool {
        self.ends.iter().all(|e| e.state == EndState::Closed)
    }
}

/// What an arriving connection event means for a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Accepted {
        at: ServerId,
        from: ServerId,
        cause: EventId,
    },
    Connected {
        at: ServerId,
        to: ServerId,
        cause: EventId,
    },
    ConnectFailed {
        at: ServerId,
        to: ServerId,
        cause: EventId,
    },
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    /// Servers are 1 to `n`.
    n: usize,
    /// Of each direction, `from` * n + `to`.
    directions: Vec<Direction>,
    /// Of each pair, smaller * n + larger.
    pairs: Vec<Pair>,
    up: Vec<bool>,
    conns: BTreeMap<ConnId, Conn>,
    next_conn: u64,
    next_number: u64,
    connect_timeout: Span,
    pub(crate) dropped: VecDeque<Dropped>,
}

impl Net {
    pub(crate) fn new(n: usize, connect_timeout: Span) -> Net {
        Net {
            n,
            directions: vec![Direction::default(); n * n],
            pairs: vec![Pair::default(); n * n],
            up: vec![false; n],
            conns: BTreeMap::new(),
            next_conn: 1,
            next_number: 1,
            connect_timeout,
            dropped: VecDeque::new(),
        }
    }

    fn index(&self, id: ServerId) -> usize {
        debug_assert!(id.0 >= 1 && id.0 as usize <= self.n, "no server {id}");
        (id.0 - 1) as usize
    }

    fn direction(&self, from: ServerId, to: ServerId) -> &Direction {
        &self.directions[self.index(from) * self.n + self.index(to)]
    }

    fn direction_mut(&mut self, from: ServerId, to: ServerId) -> &mut Direction {
        let at = self.index(from) * self.n + self.index(to);
        &mut self.directions[at]
    }

    fn pair(&self, a: ServerId, b: ServerId) -> &Pair {
        &self.pairs[self.index(a.min(b)) * self.n + self.index(a.max(b))]
    }

    fn pair_mut(&mut self, a: ServerId, b: ServerId) -> &mut Pair {
        let at = self.index(a.min(b)) * self.n + self.index(a.max(b));
        &mut self.pairs[at]
    }

    fn is_up(&self, id: ServerId) -> bool {
        self.up[self.index(id)]
    }

    fn others(&self, id: ServerId) -> impl Iterator<Item = ServerId> + use<> {
        (1..=self.n as i64)
            .map(ServerId)
            .filter(move |other| *other != id)
    }

    /// All links, each once.
    pub(crate) fn links(&self) -> impl Iterator<Item = LinkState> + '_ {
        let ids = || (1..=self.n as i64).map(ServerId);
        ids().flat_map(move |a| {
            ids().filter(move |b| a < *b).map(move |b| {
                let (ab, ba) = (self.direction(a, b), self.direction(b, a));
                LinkState {
                    a,
                    b,
                    cut_ab: ab.cut,
                    cut_ba: ba.cut,
                    extra: self.pair(a, b).extra,
                    election_up: self.pair(a, b).election == Election::Up,
                    waiting_ab: ab.mailbox.is_some(),
                    waiting_ba: ba.mailbox.is_some(),
                    conns: self
                        .conns
                        .iter()
                        .filter(|(_, c)| {
                            c.is_between(a, b)
                                && !c.broken
                                && c.ends.iter().all(|e| e.state == EndState::Open)
                        })
                        .map(|(id, _)| *id)
                        .collect(),
                }
            })
        })
    }

    /// Whether anything is cut or slow.
    pub(crate) fn is_whole(&self) -> bool {
        self.directions.iter().all(|d| !d.cut) && self.pairs.iter().all(|p| p.extra == Span(0))
    }

    // ---- sending ------------------------------------------------------------------------------

    /// Takes a message. What does not leave at once waits (a vote) or is lost, and said so.
    pub(crate) fn send(&mut self, base: &mut Base, log: &mut StepLog, envelope: Envelope) {
        debug_assert_ne!(
            envelope.from, envelope.to,
            "a server hands itself its own messages"
        );
        let (from, to) = (envelope.from, envelope.to);
        let (conn, channel) = match &envelope.message {
            Message::Election(_) => (None, Channel::Election),
            Message::Quorum(conn, _) => (Some(*conn), Channel::Quorum),
        };
        let sent = log.sent.len();
        log.sent.push(Sent {
            from,
            to,
            channel,
            conn,
            kind: envelope.message.kind(),
            zxid: zxid_of(&envelope.message),
            at: base.now,
            arrives_at: None,
        });
        let arrives_at = match conn {
            None => self.send_vote(base, log, envelope),
            Some(conn) => self.send_packet(base, log, conn, envelope),
        };
        log.sent[sent].arrives_at = arrives_at;
    }

    fn send_vote(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        envelope: Envelope,
    ) -> Option<Moment> {
        let (from, to) = (envelope.from, envelope.to);
        let up = self.pair(from, to).election == Election::Up;
        let d = self.direction_mut(from, to);
        d.last_vote = Some(envelope.clone());
        if !up {
            if let Some(old) = d.mailbox.replace(envelope) {
                let cause = Some(old.cause);
                report_lost(base, log, &old, LostBecause::ReplacedByNewerVote, cause);
            }
            return None;
        }
        if d.cut {
            d.lost_vote = true;
            self.lose_now(base, log, envelope, LostBecause::LinkCut);
            return None;
        }
        Some(self.fly_vote(base, envelope))
    }

    fn fly_vote(&mut self, base: &mut Base, envelope: Envelope) -> Moment {
        let (from, to) = (envelope.from, envelope.to);
        let trip = base.trip(self.pair(from, to).extra);
        let d = self.direction_mut(from, to);
        let arrives_at = (base.now + trip).max(d.last_arrival);
        d.last_arrival = arrives_at;
        self.fly(base, envelope, arrives_at);
        arrives_at
    }

    fn send_packet(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        id: ConnId,
        envelope: Envelope,
    ) -> Option<Moment> {
        let (from, to) = (envelope.from, envelope.to);
        let cut = self.direction(from, to).cut;
        let extra = self.pair(from, to).extra;
        let Some(conn) = self
            .conns
            .get_mut(&id)
            .filter(|c| !c.broken && c.ends[c.end(from)].state == EndState::Open)
        else {
            self.lose_now(base, log, envelope, LostBecause::ConnectionClosed);
            return None;
        };
        let index = conn.end(from);
        let end = &mut conn.ends[index];
        if cut {
            end.gap = true;
            self.lose_now(base, log, envelope, LostBecause::LinkCut);
            return None;
        }
        let arrives_at = (base.now + base.trip(extra)).max(end.last_arrival);
        end.last_arrival = arrives_at;
        self.fly(base, envelope, arrives_at);
        Some(arrives_at)
    }

    fn fly(&mut self, base: &mut Base, envelope: Envelope, arrives_at: Moment) {
        let channel = usize::from(envelope.message.channel() == Channel::Quorum);
        let d = self.direction_mut(envelope.from, envelope.to);
        let order = d.sent[channel];
        d.sent[channel] += 1;
        let number = self.next_number;
        self.next_number += 1;
        base.queue.push(
            arrives_at,
            Happening::Message(Flight {
                envelope,
                number,
                order,
                sent_at: base.now,
                arrives_at,
            }),
        );
    }

    /// Whether a message that arrives now may be handed over. A server's being down is dealt with
    /// when it goes down, so what arrives here fails only by its connection.
    pub(crate) fn arrives(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        flight: Flight,
    ) -> Option<Envelope> {
        let because = match &flight.envelope.message {
            Message::Election(_) => None,
            Message::Quorum(id, _) => {
                let to = flight.envelope.to;
                let open = self
                    .conns
                    .get(id)
                    .is_some_and(|c| !c.broken && c.ends[c.end(to)].state == EndState::Open);
                (!open).then_some(LostBecause::ConnectionClosed)
            }
        };
        match because {
            None => Some(flight.envelope),
            Some(because) => {
                self.lose(base, log, flight, because, None);
                None
            }
        }
    }

    // ---- losing -------------------------------------------------------------------------------

    /// A message that waited for the disk of a server that lost its power.
    pub(crate) fn never_left(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        envelope: &Envelope,
        cause: EventId,
    ) {
        report_lost(base, log, envelope, LostBecause::SenderDown, Some(cause));
    }

    fn lose_now(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        envelope: Envelope,
        because: LostBecause,
    ) {
        let number = self.next_number;
        self.next_number += 1;
        let extra = self.pair(envelope.from, envelope.to).extra;
        let flight = Flight {
            number,
            order: 0,
            sent_at: base.now,
            arrives_at: base.now + base.latency + extra,
            envelope,
        };
        self.lose(base, log, flight, because, None);
    }

    fn lose(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        flight: Flight,
        because: LostBecause,
        cause: Option<EventId>,
    ) {
        let cause = cause.or(Some(flight.envelope.cause));
        report_lost(base, log, &flight.envelope, because, cause);
        if self.dropped.len() == DROPPED_KEPT {
            self.dropped.pop_front();
        }
        self.dropped.push_back(Dropped {
            number: flight.number,
            envelope: flight.envelope,
            sent_at: flight.sent_at,
            arrives_at: flight.arrives_at,
            cut_at: base.now,
            because,
        });
    }

    /// Loses all that is under way and that `which` says; how many.
    fn lose_flights(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        because: LostBecause,
        cause: Option<EventId>,
        which: impl Fn(&Envelope) -> bool,
    ) -> u32 {
        let lost = base
            .queue
            .extract(|what| matches!(what, Happening::Message(f) if which(&f.envelope)));
        let count = lost.len() as u32;
        for what in lost {
            if let Happening::Message(flight) = what {
                self.lose(base, log, flight, because, cause);
            }
        }
        count
    }

    // ---- servers come and go --------------------------------------------------------------------

    /// A server's process runs and listens.
    pub(crate) fn server_up(&mut self, base: &mut Base, id: ServerId) {
        let at = self.index(id);
        self.up[at] = true;
        for other in self.others(id) {
            self.refresh_election(base, id, other);
        }
    }

    /// A server lost its power: all its connections break.
    pub(crate) fn server_down(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        id: ServerId,
        cause: EventId,
    ) {
        let at = self.index(id);
        self.up[at] = false;
        base.queue
            .extract(|w| matches!(w, Happening::Closed { server, .. } if *server == id));
        let conns: Vec<ConnId> = self
            .conns
            .iter()
            .filter(|(_, c)| c.ends.iter().any(|e| e.id == id))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in conns {
            self.break_for_crash(base, log, conn, id, cause);
        }
        for other in self.others(id) {
            let out = self.direction_mut(id, other);
            out.mailbox = None;
            out.last_vote = None;
            out.lost_vote = false;
            self.pair_mut(id, other).election = Election::Down;
        }
        let is_vote = |e: &Envelope| e.message.channel() == Channel::Election;
        self.lose_flights(base, log, LostBecause::SenderDown, Some(cause), |e| {
            is_vote(e) && e.from == id
        });
        self.lose_flights(base, log, LostBecause::ReceiverDown, Some(cause), |e| {
            is_vote(e) && e.to == id
        });
    }

    fn break_for_crash(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        id: ConnId,
        crashed: ServerId,
        cause: EventId,
    ) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let index = conn.end(crashed);
        let (learner, leader) = (conn.ends[0].id, conn.ends[1].id);
        let was_opening = conn.ends[index].state == EndState::Opening;
        conn.ends[index].state = EndState::Closed;
        if was_opening && index == 1 {
            // The call has not arrived: it will find nobody there.
            conn.ends[index].state = EndState::Opening;
            return;
        }
        conn.broken = true;
        let other = conn.ends[1 - index].id;
        let because = LostBecause::SenderDown;
        let lost = self.lose_flights(base, log, because, Some(cause), |e| {
            e.from == crashed && matches!(e.message, Message::Quorum(c, _) if c == id)
        }) + self.lose_flights(base, log, LostBecause::ReceiverDown, Some(cause), |e| {
            e.to == crashed && matches!(e.message, Message::Quorum(c, _) if c == id)
        });
        if was_opening {
            base.queue
                .extract(|w| matches!(w, Happening::Syn(c) | Happening::SynAck(c) | Happening::ConnectFails(c) if *c == id));
        } else {
            let broken = WorldEventKind::ConnectionBroken {
                conn: id,
                from: learner,
                to: leader,
                because,
                lost,
            };
            base.emit(log, Some(cause), broken);
        }
        if !self.direction(crashed, other).cut {
            self.tell_end(base, id, other, Some(cause));
        }
        self.forget_if_over(id);
    }

    // ---- links ------------------------------------------------------------------------------

    /// Nothing passes from one to the other. When both directions are cut, connections break.
    pub(crate) fn cut(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        from: ServerId,
        to: ServerId,
        cause: EventId,
    ) {
        if self.direction(from, to).cut {
            return;
        }
        self.direction_mut(from, to).cut = true;
        if self.direction(to, from).cut {
            self.break_link(base, log, from, to, cause);
            return;
        }
        // Silently: who sends knows nothing.
        let cut = LostBecause::LinkCut;
        let votes = self.lose_flights(base, log, cut, Some(cause), |e| {
            e.from == from && e.to == to && e.message.channel() == Channel::Election
        });
        if votes > 0 {
            self.direction_mut(from, to).lost_vote = true;
        }
        if let Election::Connecting(_) = self.pair(from, to).election {
            self.pair_mut(from, to).election = Election::Down;
        }
        let between: Vec<ConnId> = self.conns_between(from, to);
        for id in between {
            let lost = self.lose_flights(base, log, cut, Some(cause), |e| {
                e.from == from && matches!(e.message, Message::Quorum(c, _) if c == id)
            });
            let timeout = self.connect_timeout;
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            let index = conn.end(from);
            if lost > 0 {
                conn.ends[index].gap = true;
            }
            // A call, or the answer to it, is lost: the caller waits in vain.
            let lost_call = base.queue.extract(|w| match w {
                Happening::Syn(c) => *c == id && index == 0,
                Happening::SynAck(c) => *c == id && index == 1,
                _ => false,
            });
            if !lost_call.is_empty() {
                let gives_up = (conn.began + timeout).max(base.now);
                base.queue.push(gives_up, Happening::ConnectFails(id));
            }
            // Word that the connection is gone does not get through either.
            let other = &mut conn.ends[1 - index];
            if other.told && other.state == EndState::Open {
                extract_word(base, id, to);
                other.told = false;
            }
        }
    }

    /// Both directions are cut: everything between the two breaks.
    fn break_link(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        a: ServerId,
        b: ServerId,
        cause: EventId,
    ) {
        self.pair_mut(a, b).election = Election::Down;
        for (from, to) in [(a, b), (b, a)] {
            self.lose_flights(base, log, LostBecause::LinkCut, Some(cause), |e| {
                e.from == from && e.to == to && e.message.channel() == Channel::Election
            });
        }
        for id in self.conns_between(a, b) {
            self.break_conn(base, log, id, LostBecause::LinkCut, Some(cause));
        }
    }

    fn conns_between(&self, a: ServerId, b: ServerId) -> Vec<ConnId> {
        self.conns
            .iter()
            .filter(|(_, c)| c.is_between(a, b))
            .map(|(id, _)| *id)
            .collect()
    }

    /// A connection breaks as a whole: what is under way is lost, both ends hear of it.
    fn break_conn(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        id: ConnId,
        because: LostBecause,
        cause: Option<EventId>,
    ) {
        let timeout = self.connect_timeout;
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if conn.broken {
            return;
        }
        conn.broken = true;
        let (began, learner, leader) = (conn.began, conn.ends[0].id, conn.ends[1].id);
        let calling = conn.ends[0].state == EndState::Opening;
        let accepted = conn.ends[1].state != EndState::Opening;
        let lost = self.lose_flights(
            base,
            log,
            because,
            cause,
            |e| matches!(e.message, Message::Quorum(c, _) if c == id),
        );
        if calling {
            base.queue
                .extract(|w| matches!(w, Happening::Syn(c) | Happening::SynAck(c) | Happening::ConnectFails(c) if *c == id));
            let gives_up = (began + timeout).max(base.now);
            base.queue.push(gives_up, Happening::ConnectFails(id));
        } else {
            self.tell_end(base, id, learner, cause);
        }
        if accepted {
            self.tell_end(base, id, leader, cause);
            base.emit(
                log,
                cause,
                WorldEventKind::ConnectionBroken {
                    conn: id,
                    from: learner,
                    to: leader,
                    because,
                    lost,
                },
            );
        }
        self.forget_if_over(id);
    }

    /// Word that a connection is gone goes to one end, unless it knows.
    fn tell_end(&mut self, base: &mut Base, id: ConnId, end: ServerId, cause: Option<EventId>) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let index = conn.end(end);
        let other = &conn.ends[1 - index];
        let earliest = match conn.broken {
            true => Moment(0),
            false => other.last_arrival,
        };
        let other_id = other.id;
        let end = &mut conn.ends[index];
        if end.told {
            return;
        }
        match end.state {
            EndState::Closed => {}
            EndState::Open => {
                end.told = true;
                let server = end.id;
                let extra = self.pair(server, other_id).extra;
                let at = (base.now + base.trip(extra)).max(earliest);
                base.queue.push(
                    at,
                    Happening::Closed {
                        server,
                        conn: id,
                        cause,
                    },
                );
            }
            EndState::Opening if index == 0 => {
                end.told = true;
                let server = end.id;
                let extra = self.pair(server, other_id).extra;
                let wait = base.trip(extra);
                base.queue.extract(
                    |w| matches!(w, Happening::SynAck(c) | Happening::ConnectFails(c) if *c == id),
                );
                base.after(wait, Happening::ConnectFails(id));
            }
            // The call that is still on its way will find the connection broken.
            EndState::Opening => end.state = EndState::Closed,
        }
    }

    fn forget_if_over(&mut self, id: ConnId) {
        if self.conns.get(&id).is_some_and(Conn::is_over) {
            self.conns.remove(&id);
        }
    }

    /// Both directions work again.
    pub(crate) fn heal(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        a: ServerId,
        b: ServerId,
        cause: EventId,
    ) {
        let was_up = self.pair(a, b).election == Election::Up;
        for (from, to) in [(a, b), (b, a)] {
            let d = self.direction_mut(from, to);
            d.cut = false;
            if core::mem::take(&mut d.lost_vote) && was_up {
                if let Some(vote) = d.last_vote.clone() {
                    self.fly_vote(base, vote);
                }
            }
        }
        self.refresh_election(base, a, b);
        for id in self.conns_between(a, b) {
            let Some(conn) = self.conns.get(&id) else {
                continue;
            };
            // One end is gone and the other was not told, or could not be.
            let half_open = conn.ends.iter().any(|e| e.state == EndState::Closed)
                && conn
                    .ends
                    .iter()
                    .any(|e| e.state == EndState::Open && !e.told);
            if half_open || conn.ends.iter().any(|e| e.gap) {
                if conn.broken {
                    for end in [conn.ends[0].id, conn.ends[1].id] {
                        self.tell_end(base, id, end, Some(cause));
                    }
                } else {
                    self.break_conn(base, log, id, LostBecause::ConnectionClosed, Some(cause));
                }
            }
        }
    }

    /// Messages take this much longer between two servers.
    pub(crate) fn slow(&mut self, a: ServerId, b: ServerId, extra: Span) {
        self.pair_mut(a, b).extra = extra;
    }

    pub(crate) fn is_cut(&self, from: ServerId, to: ServerId) -> bool {
        self.direction(from, to).cut
    }

    // ---- the election channel ---------------------------------------------------------------------

    /// Begins the election connection of a pair if it can stand and does not.
    fn refresh_election(&mut self, base: &mut Base, a: ServerId, b: ServerId) {
        let possible = self.is_up(a)
            && self.is_up(b)
            && !self.direction(a, b).cut
            && !self.direction(b, a).cut;
        if !possible || self.pair(a, b).election != Election::Down {
            return;
        }
        let extra = self.pair(a, b).extra;
        let wait = Span(base.trip(extra).0 + base.trip(extra).0);
        let pair = self.pair_mut(a, b);
        pair.tag += 1;
        let tag = pair.tag;
        pair.election = Election::Connecting(tag);
        base.after(wait, Happening::ElectionUp { a, b, tag });
    }

    /// The election connection stands: what waits is sent, or else the last vote again (2.1).
    pub(crate) fn election_up(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        a: ServerId,
        b: ServerId,
        tag: u32,
    ) {
        if self.pair(a, b).election != Election::Connecting(tag) {
            return;
        }
        self.pair_mut(a, b).election = Election::Up;
        for (from, to) in [(a.min(b), a.max(b)), (a.max(b), a.min(b))] {
            let d = self.direction_mut(from, to);
            d.lost_vote = false;
            let vote = d.mailbox.take().or_else(|| d.last_vote.clone());
            if let Some(vote) = vote {
                let (kind, zxid) = (vote.message.kind(), zxid_of(&vote.message));
                let arrives_at = Some(self.fly_vote(base, vote));
                log.sent.push(Sent {
                    from,
                    to,
                    channel: Channel::Election,
                    conn: None,
                    kind,
                    zxid,
                    at: base.now,
                    arrives_at,
                });
            }
        }
    }

    // ---- connections of the quorum channel ------------------------------------------------------

    /// A learner calls a leader.
    pub(crate) fn connect(
        &mut self,
        base: &mut Base,
        from: ServerId,
        to: ServerId,
        cause: EventId,
    ) {
        let id = ConnId(self.next_conn);
        self.next_conn += 1;
        let end = |id| End {
            id,
            state: EndState::Opening,
            last_arrival: Moment(0),
            told: false,
            gap: false,
        };
        self.conns.insert(
            id,
            Conn {
                ends: [end(from), end(to)],
                began: base.now,
                cause,
                broken: false,
            },
        );
        if self.direction(from, to).cut {
            base.after(self.connect_timeout, Happening::ConnectFails(id));
        } else {
            let extra = self.pair(from, to).extra;
            let wait = base.trip(extra);
            base.after(wait, Happening::Syn(id));
        }
    }

    /// The call reaches the leader.
    pub(crate) fn syn(&mut self, base: &mut Base, id: ConnId) -> Option<Told> {
        let conn = self.conns.get(&id)?;
        let (from, to, began, cause) = (conn.ends[0].id, conn.ends[1].id, conn.began, conn.cause);
        let back_cut = self.direction(to, from).cut;
        let gives_up = (began + self.connect_timeout).max(base.now);
        let extra = self.pair(from, to).extra;
        if !self.is_up(to) {
            // Nobody listens there: refused, if the refusal gets through.
            let at = if back_cut {
                gives_up
            } else {
                base.now + base.trip(extra)
            };
            base.queue.push(at, Happening::ConnectFails(id));
            return None;
        }
        let answer_at = base.now + base.trip(extra);
        let conn = self.conns.get_mut(&id)?;
        conn.ends[1].state = EndState::Open;
        if back_cut {
            base.queue.push(gives_up, Happening::ConnectFails(id));
        } else {
            conn.ends[1].last_arrival = answer_at;
            base.queue.push(answer_at, Happening::SynAck(id));
        }
        Some(Told::Accepted {
            at: to,
            from,
            cause,
        })
    }

    /// The answer reaches the learner.
    pub(crate) fn syn_ack(&mut self, id: ConnId) -> Option<Told> {
        let conn = self.conns.get_mut(&id)?;
        if conn.ends[0].state != EndState::Opening {
            return None;
        }
        conn.ends[0].state = EndState::Open;
        Some(Told::Connected {
            at: conn.ends[0].id,
            to: conn.ends[1].id,
            cause: conn.cause,
        })
    }

    /// The learner hears, or finds out, that it will not get this connection.
    pub(crate) fn connect_fails(&mut self, base: &mut Base, id: ConnId) -> Option<Told> {
        let conn = self.conns.get_mut(&id)?;
        if conn.ends[0].state != EndState::Opening {
            return None;
        }
        conn.ends[0].state = EndState::Closed;
        let told = Told::ConnectFailed {
            at: conn.ends[0].id,
            to: conn.ends[1].id,
            cause: conn.cause,
        };
        let (from, to) = (conn.ends[0].id, conn.ends[1].id);
        if conn.ends[1].state == EndState::Opening {
            conn.ends[1].state = EndState::Closed;
        } else if !self.direction(from, to).cut {
            // It had accepted, and nobody is there.
            self.tell_end(base, id, to, None);
        }
        self.forget_if_over(id);
        Some(told)
    }

    /// One end closes: it hears of it at once, the other end after what was sent to it before.
    /// What was on its way to the closing end is lost.
    pub(crate) fn close(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        by: ServerId,
        id: ConnId,
        cause: EventId,
    ) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let index = conn.end(by);
        let end = &mut conn.ends[index];
        if end.state != EndState::Open {
            return;
        }
        if end.told {
            extract_word(base, id, by);
        }
        end.told = true;
        base.queue.push(
            base.now,
            Happening::Closed {
                server: by,
                conn: id,
                cause: Some(cause),
            },
        );
        let other = conn.ends[1 - index].id;
        conn.ends[index].state = EndState::Closed;
        self.lose_flights(base, log, LostBecause::ConnectionClosed, Some(cause), |e| {
            e.to == by && matches!(e.message, Message::Quorum(c, _) if c == id)
        });
        if !self.direction(by, other).cut {
            self.tell_end(base, id, other, Some(cause));
        }
        self.forget_if_over(id);
    }

    /// Word that a connection is gone reaches one end. Whether the server is to be told.
    pub(crate) fn closed(
        &mut self,
        base: &mut Base,
        log: &mut StepLog,
        server: ServerId,
        id: ConnId,
        cause: Option<EventId>,
    ) -> bool {
        if !self.is_up(server) {
            return false;
        }
        let Some(conn) = self.conns.get_mut(&id) else {
            // It had closed itself, and nothing else was left to do.
            return true;
        };
        let index = conn.end(server);
        conn.ends[index].state = EndState::Closed;
        let other = &conn.ends[1 - index];
        let other_id = other.id;
        if !conn.broken && other.state != EndState::Closed {
            let cut = self.direction(server, other_id).cut;
            self.lose_flights(base, log, LostBecause::ConnectionClosed, cause, |e| {
                e.to == server && matches!(e.message, Message::Quorum(c, _) if c == id)
            });
            if !cut {
                self.tell_end(base, id, other_id, cause);
            }
        }
        self.forget_if_over(id);
        true
    }
}

/// Takes back the word that a connection is gone.
fn extract_word(base: &mut Base, id: ConnId, end: ServerId) {
    base.queue.extract(
        |w| matches!(w, Happening::Closed { server, conn, .. } if *conn == id && *server == end),
    );
}

fn zxid_of(message: &Message) -> Option<crate::id::Zxid> {
    match message {
        Message::Election(n) => Some(n.vote.zxid),
        Message::Quorum(_, m) => m.zxid(),
    }
}

fn report_lost(
    base: &mut Base,
    log: &mut StepLog,
    envelope: &Envelope,
    because: LostBecause,
    cause: Option<EventId>,
) {
    base.emit(
        log,
        cause,
        WorldEventKind::MessageLost {
            from: envelope.from,
            to: envelope.to,
            message: envelope.message.kind(),
            zxid: zxid_of(&envelope.message),
            because,
        },
    );
}
