//! How a run and a violation are told in text: one aligned line for each fact.

use crate::{
    id::{Epoch, ServerId, Zxid},
    message::{MessageKind, ServerState},
    peer::{
        WaitReason,
        event::{EventKind, OpKind},
    },
    sim::{
        fact::{Fact, Record, StepLog, WorldEventKind},
        invariant::Violation,
        world::{ServerStatus, World},
    },
    time::Moment,
};
use core::fmt::{self, Debug, Write as _};
use std::collections::VecDeque;

/// What a server was when it said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who; 0 is the world.
    pub server: ServerId,
    /// `L`eading, `F`ollowing, `O`bserving, `?` looking, `x` down, `.` the world.
    pub role: char,
    /// currentEpoch.
    pub epoch: Epoch,
    /// Last logged.
    pub last: Zxid,
}

impl Standing {
    /// Of a server now; of the world for server 0.
    #[must_use]
    pub fn of(world: &World, server: ServerId) -> Standing {
        let nobody = Standing {
            server,
            role: '.',
            epoch: Epoch(0),
            last: Zxid::ZERO,
        };
        match world.server(server) {
            None => nobody,
            Some(view) => match view.peer {
                Some(peer) => Standing {
                    server,
                    role: match (view.status, peer.state()) {
                        (ServerStatus::Paused, _) => 'z',
                        (_, ServerState::Looking) => '?',
                        (_, ServerState::Following) => 'F',
                        (_, ServerState::Leading) => 'L',
                        (_, ServerState::Observing) => 'O',
                    },
                    epoch: peer.current_epoch(),
                    last: peer.last_logged(),
                },
                None => Standing {
                    role: 'x',
                    ..nobody
                },
            },
        }
    }
}

/// One line: step, time, server, role, epoch, last logged, what.
#[must_use]
pub fn line(record: &Record, standing: Standing) -> String {
    let Record { step, at, source } = record;
    let what = match source {
        Fact::Peer(event) => compact(&event.kind),
        Fact::World(event) => compact(&event.kind),
    };
    let mut line = format!("{step:>7} {:>12} ", Millis(*at));
    let _ = match standing.role {
        '.' => write!(line, "{:22}", "·"),
        role => write!(
            line,
            "{:<4}{role} {:<5}{:<11}",
            format!("{:?}", standing.server),
            format!("{:?}", standing.epoch),
            format!("{:?}", standing.last),
        ),
    };
    line + &what
}

struct Millis(Moment);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}ms", self.0.0 / 1000, self.0.0 % 1000);
        f.pad(&text)
    }
}

/// A value's debug text without what one can do without: `VoteChanged old=(e1 1·7 s2) …`.
fn compact(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    // Votes: only their values, in the order in which they are compared.
    let mut votes = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Vote { epoch: ") {
        votes.push_str(before);
        votes.push('(');
        let (vote, after) = after.split_once(" }").unwrap_or((after, ""));
        votes.push_str(&vote.replace(", zxid: ", " ").replace(", leader: ", " "));
        votes.push(')');
        rest = after;
    }
    votes.push_str(rest);
    let text = votes.replace(": ", "=").replace(", ", " ");
    // The outermost braces go, inner ones become brackets.
    let text = match (text.split_once(" { "), text.strip_suffix(" }")) {
        (Some((name, _)), Some(_)) if !name.contains(' ') => {
            let inner = &text[name.len() + 3..text.len() - 2];
            format!("{name} {inner}")
        }
        _ => text,
    };
    text.replace(" { ", "(").replace(" }", ")")
}

/// Whether a fact tells more than "still alive".
#[must_use]
pub fn is_relevant(record: &Record) -> bool {
    match &record.source {
        Fact::Peer(event) => match &event.kind {
            EventKind::Received { message, .. } => !message.is_heartbeat(),
            EventKind::TimerFired { reason } => {
                !matches!(reason, WaitReason::HalfTick | WaitReason::SessionExpiry)
            }
            EventKind::RequestReceived { op, .. } => *op != OpKind::Ping,
            EventKind::PingsSent { .. }
            | EventKind::QuorumChecked { .. }
            | EventKind::SessionTouched { .. } => false,
            _ => true,
        },
        Fact::World(event) => match &event.kind {
            WorldEventKind::RequestSent { op, .. } | WorldEventKind::ReplyReceived { op, .. } => {
                *op != OpKind::Ping
            }
            WorldEventKind::MessageLost { message, .. } => !MessageKind::is_heartbeat(*message),
            _ => true,
        },
    }
}

/// The last relevant facts of a run.
#[derive(Clone, Debug)]
pub struct Trace {
    keep: usize,
    last: VecDeque<(Record, Standing)>,
}

impl Trace {
    /// Keeps so many.
    #[must_use]
    pub fn new(keep: usize) -> Trace {
        Trace {
            keep,
            last: VecDeque::new(),
        }
    }

    /// After a step or an action.
    pub fn note(&mut self, world: &World, log: &StepLog) {
        for record in log.records.iter().filter(|r| is_relevant(r)) {
            if self.last.len() >= self.keep {
                self.last.pop_front();
            }
            let standing = Standing::of(world, record.id().server);
            self.last.push_back((record.clone(), standing));
        }
    }

    /// As text, one line each.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.last
            .iter()
            .map(|(record, standing)| line(record, *standing))
    }
}

/// A violation: seed, step, property, the values, the last facts, the command that repeats it.
#[must_use]
pub fn violation(violation: &Violation, trace: &Trace, command: &str) -> String {
    let Violation {
        property,
        sentence,
        source,
        step,
        at,
        seed,
        values,
    } = violation;
    let mut text = String::new();
    let _ = writeln!(text, "VIOLATION of {property} ({source})");
    let _ = writeln!(text, "  {sentence}");
    let _ = writeln!(text, "  seed {seed}, step {step}, at {}", Millis(*at));
    for (name, value) in values {
        let _ = writeln!(text, "  {name}: {value}");
    }
    let _ = writeln!(text, "  the last {} facts:", trace.last.len());
    for line in trace.lines() {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "  repeat: {command}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::EventId,
        message::Vote,
        peer::event::{Event, VoteField},
    };

    #[test]
    fn a_fact_is_one_aligned_line() {
        let vote = |zxid, leader| Vote {
            epoch: Epoch(1),
            zxid: Zxid::new(Epoch(1), zxid),
            leader: ServerId(leader),
        };
        let record = Record {
            step: 17,
            at: Moment(12_345),
            source: Fact::Peer(Event {
                id: EventId {
                    server: ServerId(3),
                    seq: 9,
                },
                cause: None,
                kind: EventKind::VoteChanged {
                    old: vote(7, 3),
                    new: vote(9, 2),
                    from: ServerId(2),
                    by: VoteField::Zxid,
                },
            }),
        };
        let standing = Standing {
            server: ServerId(3),
            role: '?',
            epoch: Epoch(1),
            last: Zxid::new(Epoch(1), 7),
        };
        assert_eq!(
            line(&record, standing),
            "     17     12.345ms s3  ? e1   1·7        \
             VoteChanged old=(e1 1·7 s3) new=(e1 1·9 s2) from=s2 by=Zxid"
        );
    }
}
