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
            let again = core::mem::take(&mut d.lost_vote) && was_up;
            if let (true, Some(vote)) = (again, d.last_vote.clone()) {
                self.fly_vote(base, vote);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{Epoch, Zxid},
        message::{Notification, QuorumMessage, ServerState, Vote},
    };

    const A: ServerId = ServerId(1);
    const B: ServerId = ServerId(2);
    const TIMEOUT: Span = Span::millis(2000);
    const CAUSE: EventId = EventId {
        server: ServerId(0),
        seq: 0,
    };

    #[derive(Debug, PartialEq, Eq)]
    enum Heard {
        Number(ServerId, u32),
        Accepted(ServerId),
        Connected(ServerId),
        Failed(ServerId),
        Closed(ServerId),
    }

    /// A network without servers.
    struct Wire {
        net: Net,
        base: Base,
        log: StepLog,
    }

    impl Wire {
        fn new(seed: u64) -> Wire {
            let mut wire = Wire {
                net: Net::new(2, TIMEOUT),
                base: Base::new(Moment(0), seed, Span::millis(10), Span::millis(50)),
                log: StepLog::default(),
            };
            wire.net.server_up(&mut wire.base, A);
            wire.net.server_up(&mut wire.base, B);
            wire.run();
            wire
        }

        /// A connection from A to B.
        fn connected(seed: u64) -> (Wire, ConnId) {
            let mut wire = Wire::new(seed);
            wire.net.connect(&mut wire.base, A, B, CAUSE);
            assert_eq!(wire.heard(), [Heard::Accepted(B), Heard::Connected(A)]);
            (wire, ConnId(1))
        }

        fn packet(&mut self, conn: ConnId, from: ServerId, number: u32) {
            let zxid = Zxid::new(Epoch(1), number);
            let to = if from == A { B } else { A };
            let message = Message::Quorum(conn, QuorumMessage::Commit { zxid });
            self.send(from, to, message);
        }

        fn vote(&mut self, from: ServerId, number: u32) {
            let to = if from == A { B } else { A };
            let message = Message::Election(Notification {
                state: ServerState::Looking,
                vote: Vote {
                    epoch: Epoch(1),
                    zxid: Zxid::new(Epoch(1), number),
                    leader: from,
                },
                round: 1,
                config_version: Zxid::ZERO,
                members: None,
            });
            self.send(from, to, message);
        }

        fn send(&mut self, from: ServerId, to: ServerId, message: Message) {
            let envelope = Envelope {
                from,
                to,
                message,
                cause: CAUSE,
            };
            self.net.send(&mut self.base, &mut self.log, envelope);
        }

        fn cut(&mut self, from: ServerId, to: ServerId) {
            self.net.cut(&mut self.base, &mut self.log, from, to, CAUSE);
        }

        fn heal(&mut self) {
            self.net.heal(&mut self.base, &mut self.log, A, B, CAUSE);
        }

        fn crash(&mut self, id: ServerId) {
            self.net
                .server_down(&mut self.base, &mut self.log, id, CAUSE);
        }

        /// Lets everything happen that is due until then.
        fn run_until(&mut self, until: Moment) -> Vec<(Moment, Heard)> {
            let mut heard = Vec::new();
            while self.base.queue.next_at().is_some_and(|at| at <= until) {
                let Some((at, what)) = self.base.queue.pop() else {
                    break;
                };
                self.base.now = at;
                let (net, base, log) = (&mut self.net, &mut self.base, &mut self.log);
                let told = match what {
                    Happening::Message(flight) => net.arrives(base, log, flight).map(|e| {
                        let zxid = zxid_of(&e.message).expect("a numbered message");
                        Heard::Number(e.to, zxid.counter())
                    }),
                    Happening::ElectionUp { a, b, tag } => {
                        net.election_up(base, log, a, b, tag);
                        None
                    }
                    Happening::Syn(conn) => name(net.syn(base, conn)),
                    Happening::SynAck(conn) => name(net.syn_ack(conn)),
                    Happening::ConnectFails(conn) => name(net.connect_fails(base, conn)),
                    Happening::Closed {
                        server,
                        conn,
                        cause,
                    } => net
                        .closed(base, log, server, conn, cause)
                        .then_some(Heard::Closed(server)),
                    other => panic!("expected something of the network, found {other:?}"),
                };
                heard.extend(told.map(|h| (at, h)));
            }
            heard
        }

        fn run(&mut self) -> Vec<(Moment, Heard)> {
            self.run_until(Moment(u64::MAX))
        }

        fn heard(&mut self) -> Vec<Heard> {
            self.run().into_iter().map(|(_, heard)| heard).collect()
        }
    }

    fn name(told: Option<Told>) -> Option<Heard> {
        told.map(|t| match t {
            Told::Accepted { at, .. } => Heard::Accepted(at),
            Told::Connected { at, .. } => Heard::Connected(at),
            Told::ConnectFailed { at, .. } => Heard::Failed(at),
        })
    }

    fn numbers(at: ServerId, range: core::ops::Range<u32>) -> Vec<Heard> {
        range.map(|n| Heard::Number(at, n)).collect()
    }

    #[test]
    fn messages_of_a_connection_never_overtake() {
        for seed in 0..20 {
            let (mut wire, conn) = Wire::connected(seed);
            for n in 0..100 {
                wire.packet(conn, A, n);
            }
            assert_eq!(wire.heard(), numbers(B, 0..100));
        }
    }

    #[test]
    fn votes_never_overtake() {
        for seed in 0..20 {
            let mut wire = Wire::new(seed);
            for n in 0..100 {
                wire.vote(B, n);
            }
            assert_eq!(wire.heard(), numbers(A, 0..100));
        }
    }

    #[test]
    fn a_cut_link_loses_all_in_flight_and_both_ends_learn() {
        let (mut wire, conn) = Wire::connected(1);
        wire.packet(conn, A, 1);
        wire.packet(conn, B, 2);
        wire.vote(A, 3);
        wire.cut(A, B);
        wire.cut(B, A);
        let mut heard = wire.heard();
        heard.sort_by_key(|h| format!("{h:?}"));
        assert_eq!(heard, [Heard::Closed(A), Heard::Closed(B)]);
        assert_eq!(wire.net.dropped.len(), 3);
        assert!(wire.net.conns.is_empty(), "both ends know: forgotten");
    }

    #[test]
    fn nothing_sent_on_a_broken_connection_arrives_even_when_the_link_heals_at_once() {
        let (mut wire, conn) = Wire::connected(2);
        wire.cut(A, B);
        wire.cut(B, A);
        wire.heal();
        wire.packet(conn, A, 1);
        wire.packet(conn, B, 2);
        assert!(wire.heard().iter().all(|h| matches!(h, Heard::Closed(_))));
    }

    #[test]
    fn one_direction_cut_is_silent_and_the_other_goes_on() {
        let (mut wire, conn) = Wire::connected(3);
        wire.packet(conn, A, 1);
        wire.cut(A, B);
        wire.packet(conn, A, 2);
        wire.packet(conn, B, 3);
        assert_eq!(wire.heard(), [Heard::Number(A, 3)]);
        assert_eq!(wire.net.dropped.len(), 2);
    }

    #[test]
    fn a_stream_with_a_gap_breaks_when_the_link_heals() {
        let (mut wire, conn) = Wire::connected(4);
        wire.cut(A, B);
        wire.packet(conn, A, 1);
        wire.heal();
        wire.packet(conn, A, 2);
        let mut heard = wire.heard();
        heard.sort_by_key(|h| format!("{h:?}"));
        assert_eq!(heard, [Heard::Closed(A), Heard::Closed(B)]);
    }

    #[test]
    fn a_stream_without_a_gap_goes_on_when_the_link_heals() {
        let (mut wire, conn) = Wire::connected(5);
        wire.cut(A, B);
        wire.heal();
        wire.packet(conn, A, 1);
        assert_eq!(wire.heard(), [Heard::Number(B, 1)]);
    }

    #[test]
    fn who_gives_up_over_a_cut_direction_is_not_heard_until_it_heals() {
        let (mut wire, conn) = Wire::connected(6);
        wire.cut(A, B);
        let (net, base, log) = (&mut wire.net, &mut wire.base, &mut wire.log);
        net.close(base, log, A, conn, CAUSE);
        assert_eq!(wire.heard(), [Heard::Closed(A)]);
        wire.heal();
        assert_eq!(wire.heard(), [Heard::Closed(B)]);
    }

    #[test]
    fn what_was_sent_before_a_close_arrives_before_word_of_it() {
        let (mut wire, conn) = Wire::connected(7);
        wire.packet(conn, A, 1);
        wire.packet(conn, B, 2);
        let (net, base, log) = (&mut wire.net, &mut wire.base, &mut wire.log);
        net.close(base, log, A, conn, CAUSE);
        assert_eq!(
            wire.heard(),
            [Heard::Closed(A), Heard::Number(B, 1), Heard::Closed(B)],
            "what was on its way to the closing end is lost"
        );
    }

    #[test]
    fn when_both_ends_close_each_hears_of_it_once() {
        let (mut wire, conn) = Wire::connected(8);
        for end in [A, B] {
            let (net, base, log) = (&mut wire.net, &mut wire.base, &mut wire.log);
            net.close(base, log, end, conn, CAUSE);
        }
        assert_eq!(wire.heard(), [Heard::Closed(A), Heard::Closed(B)]);
    }

    #[test]
    fn a_crash_reaches_the_other_end_after_the_latency() {
        let (mut wire, conn) = Wire::connected(9);
        wire.packet(conn, A, 1);
        let crashed_at = wire.base.now;
        wire.crash(A);
        let heard = wire.run();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].1, Heard::Closed(B));
        assert!(heard[0].0 - crashed_at >= Span::millis(10));
    }

    #[test]
    fn a_server_that_is_down_refuses_after_a_round_trip() {
        let mut wire = Wire::new(10);
        wire.crash(B);
        let called_at = wire.base.now;
        wire.net.connect(&mut wire.base, A, B, CAUSE);
        let heard = wire.run();
        assert_eq!(heard[0].1, Heard::Failed(A));
        assert!(heard[0].0 - called_at < TIMEOUT);
    }

    #[test]
    fn a_call_over_a_cut_link_fails_after_the_time_out() {
        let mut wire = Wire::new(11);
        wire.cut(A, B);
        wire.cut(B, A);
        let called_at = wire.base.now;
        wire.net.connect(&mut wire.base, A, B, CAUSE);
        assert_eq!(wire.run(), [(called_at + TIMEOUT, Heard::Failed(A))]);
    }

    #[test]
    fn a_call_that_is_cut_on_its_way_fails_after_the_time_out() {
        let mut wire = Wire::new(12);
        let called_at = wire.base.now;
        wire.net.connect(&mut wire.base, A, B, CAUSE);
        wire.cut(A, B);
        wire.cut(B, A);
        assert_eq!(wire.run(), [(called_at + TIMEOUT, Heard::Failed(A))]);
    }

    #[test]
    fn who_accepted_a_call_whose_answer_was_lost_learns_of_it() {
        let mut wire = Wire::new(13);
        wire.net.connect(&mut wire.base, A, B, CAUSE);
        wire.cut(B, A);
        assert_eq!(
            wire.heard(),
            [Heard::Accepted(B), Heard::Failed(A), Heard::Closed(B)]
        );
    }

    #[test]
    fn of_votes_that_wait_for_a_link_only_the_newest_is_sent() {
        let mut wire = Wire::new(14);
        wire.cut(A, B);
        wire.cut(B, A);
        wire.vote(A, 1);
        wire.vote(A, 2);
        wire.vote(A, 3);
        assert_eq!(wire.heard(), []);
        wire.heal();
        assert_eq!(wire.heard(), [Heard::Number(B, 3)]);
    }

    #[test]
    fn the_last_vote_is_sent_again_when_a_link_comes_up() {
        let mut wire = Wire::new(15);
        wire.vote(A, 1);
        assert_eq!(wire.heard(), [Heard::Number(B, 1)]);
        wire.crash(B);
        wire.net.server_up(&mut wire.base, B);
        assert_eq!(wire.heard(), [Heard::Number(B, 1)]);
    }

    #[test]
    fn a_server_that_crashed_does_not_remember_its_vote() {
        let mut wire = Wire::new(16);
        wire.vote(A, 1);
        wire.heard();
        wire.crash(A);
        wire.net.server_up(&mut wire.base, A);
        assert_eq!(wire.heard(), []);
    }

    #[test]
    fn a_vote_that_vanished_is_sent_again_when_its_direction_heals() {
        let mut wire = Wire::new(17);
        wire.cut(A, B);
        wire.vote(A, 1);
        wire.vote(B, 2);
        assert_eq!(wire.heard(), [Heard::Number(A, 2)]);
        wire.heal();
        assert_eq!(wire.heard(), [Heard::Number(B, 1)]);
    }

    #[test]
    fn a_slow_link_delays_and_keeps_the_order() {
        let (mut wire, conn) = Wire::connected(18);
        wire.net.slow(A, B, Span::millis(500));
        let sent_at = wire.base.now;
        wire.packet(conn, A, 0);
        wire.net.slow(A, B, Span(0));
        wire.packet(conn, A, 1);
        let heard = wire.run();
        assert_eq!(heard[0].1, Heard::Number(B, 0));
        assert_eq!(heard[1].1, Heard::Number(B, 1));
        assert!(heard[0].0 - sent_at >= Span::millis(510));
    }

    #[test]
    fn where_a_lost_message_stopped_is_known() {
        let (mut wire, conn) = Wire::connected(19);
        wire.packet(conn, A, 1);
        let sent_at = wire.base.now;
        wire.base.now = sent_at + Span::millis(4);
        wire.cut(A, B);
        let dropped = wire.net.dropped.back().expect("one was lost");
        assert_eq!(dropped.sent_at, sent_at);
        assert_eq!(dropped.cut_at, sent_at + Span::millis(4));
        assert!(dropped.cut_at < dropped.arrives_at);
        assert_eq!(dropped.because, LostBecause::LinkCut);
    }
}
