//! Virtual time: what will happen, in the order of (moment, sequence), and the one generator.

use crate::{
    bus::Envelope,
    id::{ClientId, ConnId, EventId, ServerId},
    log::LogRead,
    request::{ConnectRequest, ConnectResponse, Reply, Request, WatchEvent},
    sim::{
        fact::{Fact, GaveUpBecause, Record, StepLog, WorldEvent, WorldEventKind},
        setup::ClientNo,
    },
    time::{Moment, Span},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// The generator, with integer arithmetic of our own: the same draws on every platform.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to `n` - 1; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        match u32::try_from(n) {
            Ok(n) => (u64::from(self.0.next_u32()) * u64::from(n)) >> 32,
            Err(_) => ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64,
        }
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; `None` of none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }

    /// Brings them into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// A message under way between two servers.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) envelope: Envelope,
    pub(crate) number: u64,
    pub(crate) order: u64,
    pub(crate) sent_at: Moment,
    pub(crate) arrives_at: Moment,
}

/// When something left and when it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trip {
    pub(crate) sent_at: Moment,
    pub(crate) arrives_at: Moment,
}

/// From a client to its server.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Connect(ConnectRequest),
    Request { xid: i32, request: Request },
    Gone,
}

/// From a server to a client.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Connected(ConnectResponse),
    Reply(Reply),
    Watch(WatchEvent),
    Closed(GaveUpBecause),
}

/// What will happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A server starts for the first time.
    Start(ServerId),
    /// A server takes the next input from what piled up.
    Drain(ServerId),
    /// A message arrives.
    Message(Flight),
    /// The election connection of this pair stands.
    ElectionUp { a: ServerId, b: ServerId, tag: u32 },
    /// A call for a quorum connection reaches the leader.
    Syn(ConnId),
    /// The answer reaches the learner: accepted.
    SynAck(ConnId),
    /// The learner hears, or finds out, that it will not get this connection.
    ConnectFails(ConnId),
    /// One end hears that the connection is gone.
    Closed {
        server: ServerId,
        conn: ConnId,
        cause: Option<EventId>,
    },
    /// The disk has finished a batch.
    DiskDone { server: ServerId, life: u32 },
    /// The disk has read the log.
    DiskRead {
        server: ServerId,
        life: u32,
        conn: ConnId,
        read: LogRead,
        cause: EventId,
    },
    /// From a client, at its server.
    ToServer {
        conn: ClientId,
        call: Call,
        cause: Option<EventId>,
        when: Trip,
    },
    /// From a server, at its client.
    ToClient {
        conn: ClientId,
        answer: Answer,
        cause: Option<EventId>,
        when: Trip,
    },
    /// A client looks at its clock.
    ClientTimer { client: ClientNo, tag: u32 },
    /// The schedule of faults wants to be asked; `tag`: which schedule.
    Fault { tag: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    at: Moment,
    seq: u64,
    slot: u32,
}

/// The priority queue. What will happen lies in a slab, so that the heap moves small keys and what
/// is cancelled leaves at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Key>>,
    slots: Vec<Option<(u64, Happening)>>,
    free: Vec<u32>,
    next_seq: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: Moment, what: Happening) {
        let seq = self.next_seq;
        self.next_seq += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some((seq, what));
                slot
            }
            None => {
                self.slots.push(Some((seq, what)));
                (self.slots.len() - 1) as u32
            }
        };
        self.heap.push(Reverse(Key { at, seq, slot }));
    }

    fn is_live(&self, key: Key) -> bool {
        matches!(&self.slots[key.slot as usize], Some((seq, _)) if *seq == key.seq)
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&mut self) -> Option<Moment> {
        while let Some(Reverse(key)) = self.heap.peek() {
            if self.is_live(*key) {
                return Some(key.at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the next thing; call [`Queue::next_at`] before.
    pub(crate) fn pop(&mut self) -> Option<(Moment, Happening)> {
        while let Some(Reverse(key)) = self.heap.pop() {
            if self.is_live(key) {
                self.free.push(key.slot);
                let (_, what) = self.slots[key.slot as usize].take()?;
                return Some((key.at, what));
            }
        }
        None
    }

    /// All that will happen, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Happening> + '_ {
        self.slots.iter().flatten().map(|(_, what)| what)
    }

    /// Takes out what `which` says, in the order in which it was put in.
    pub(crate) fn extract(&mut self, mut which: impl FnMut(&Happening) -> bool) -> Vec<Happening> {
        let mut out = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.as_ref().is_some_and(|(_, what)| which(what)) {
                out.extend(slot.take());
                self.free.push(index as u32);
            }
        }
        in_order(out)
    }
}

/// In the order in which they were put in. By itself, so that it is there once, and not once for each
/// caller of [`Queue::extract`]: a sort is five kilobytes of the page.
#[inline(never)]
fn in_order(mut out: Vec<(u64, Happening)>) -> Vec<Happening> {
    out.sort_by_key(|(seq, _)| *seq);
    out.into_iter().map(|(_, what)| what).collect()
}

/// What all parts of the world share: time, the queue, the generator, the names of world events.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) now: Moment,
    pub(crate) queue: Queue,
    pub(crate) dice: Dice,
    pub(crate) latency: Span,
    pub(crate) jitter: Span,
    next_event: u64,
}

impl Base {
    pub(crate) fn new(now: Moment, seed: u64, latency: Span, jitter: Span) -> Base {
        Base {
            now,
            queue: Queue::default(),
            dice: Dice::new(seed),
            latency,
            jitter,
            next_event: 1,
        }
    }

    /// How long a message takes that leaves now.
    pub(crate) fn trip(&mut self, extra: Span) -> Span {
        let jitter = match self.jitter.0 {
            0 => 0,
            j => self.dice.below(j + 1),
        };
        Span(self.latency.0 + jitter + extra.0)
    }

    /// `what` happens this much later.
    pub(crate) fn after(&mut self, wait: Span, what: Happening) {
        self.queue.push(self.now + wait, what);
    }

    /// A world event.
    pub(crate) fn emit(
        &mut self,
        log: &mut StepLog,
        cause: Option<EventId>,
        kind: WorldEventKind,
    ) -> EventId {
        let id = EventId {
            server: ServerId(0),
            seq: self.next_event,
        };
        self.next_event += 1;
        log.records.push(Record {
            step: log.step,
            at: self.now,
            source: Fact::World(WorldEvent { id, cause, kind }),
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_at_the_same_moment_happens_in_the_order_of_its_making() {
        let mut q = Queue::default();
        for n in 1..=50 {
            q.push(Moment(10), Happening::Start(ServerId(n)));
        }
        q.push(Moment(5), Happening::Start(ServerId(99)));
        let order: Vec<i64> = core::iter::from_fn(|| q.pop())
            .map(|(_, what)| match what {
                Happening::Start(id) => id.0,
                other => panic!("expected a start, found {other:?}"),
            })
            .collect();
        assert_eq!(order[0], 99);
        assert_eq!(order[1..], (1..=50).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_extracted_never_happens_even_when_its_slot_is_used_again() {
        let mut q = Queue::default();
        q.push(Moment(1), Happening::Start(ServerId(1)));
        q.push(Moment(2), Happening::Start(ServerId(2)));
        let out = q.extract(|w| matches!(w, Happening::Start(ServerId(1))));
        assert_eq!(out.len(), 1);
        q.push(Moment(3), Happening::Drain(ServerId(3)));
        assert_eq!(q.next_at(), Some(Moment(2)));
        assert!(matches!(
            q.pop(),
            Some((Moment(2), Happening::Start(ServerId(2))))
        ));
        assert!(matches!(
            q.pop(),
            Some((Moment(3), Happening::Drain(ServerId(3))))
        ));
        assert!(q.pop().is_none());
    }

    #[test]
    fn dice_stay_within_bounds() {
        let mut dice = Dice::new(7);
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.below(1), 0);
        for _ in 0..1000 {
            assert!((3..=9).contains(&dice.between(3, 9)));
            assert!(dice.below(u64::MAX) < u64::MAX);
        }
    }
}
