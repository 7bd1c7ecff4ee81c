//! What one client has seen, in its order, judged against the five guarantees that ZooKeeper gives
//! its clients: sequential consistency, atomicity, a single system image, reliability, timeliness.
//!
//! [`judge`] collects what is known from outside, [`Eye::see`] judges one observation after the other
//! and can be told lies in a test. A verdict holds what was compared.

use crate::{
    id::{ClientId, EventId, ServerId, Zxid},
    peer::event::EventKind,
    request::{ErrorCode, Request, Response},
    sim::{
        BranchNo, ClientNo, Fact, History, Look as _, Observation, Outcome, Seen, WorldEventKind,
    },
    time::Span,
};
use std::{collections::BTreeMap, sync::Arc};

/// What ZooKeeper promises each client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// Its requests take effect, and are answered, in the order in which it sent them; a watch is
    /// heard before any answer that shows the change.
    SequentialConsistency,
    /// A write is done as a whole or not at all.
    Atomicity,
    /// It never sees an older state than it has seen, whichever server it goes to.
    SingleSystemImage,
    /// What was acknowledged stays.
    Reliability,
    /// What it sees is old only within a bound.
    Timeliness,
}

impl Guarantee {
    /// All five, in the order in which ZooKeeper's documentation names them.
    pub const ALL: [Guarantee; 5] = [
        Guarantee::SequentialConsistency,
        Guarantee::Atomicity,
        Guarantee::SingleSystemImage,
        Guarantee::Reliability,
        Guarantee::Timeliness,
    ];
}

/// What an observation says about a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answered in its turn: after request `before` (0: the first) comes this one.
    InTurn {
        /// The last that was answered on this connection.
        before: i32,
        /// This one.
        xid: i32,
    },
    /// Answered out of turn. Forbidden.
    OutOfTurn {
        /// The last that was answered on this connection.
        before: i32,
        /// This one.
        xid: i32,
    },
    /// It heard of the change before it saw it.
    HeardFirst {
        /// The newest that it had seen.
        seen: Zxid,
        /// The change.
        change: Zxid,
    },
    /// It had seen something newer before it heard of the change. Forbidden.
    HeardLate {
        /// The newest that it had seen.
        seen: Zxid,
        /// The change.
        change: Zxid,
    },
    /// The whole write was done.
    Done,
    /// Nothing of it was done, and it was told why.
    NotDone(ErrorCode),
    /// The connection was lost: all of it was done, or nothing, and it can't know.
    Unknown,
    /// A part of it was done. Forbidden.
    Torn,
    /// It sees at least what it had seen.
    NotBack {
        /// The newest that it had seen.
        seen: Zxid,
        /// What this shows.
        shown: Zxid,
    },
    /// It sees an older state than before. Forbidden.
    Back {
        /// The newest that it had seen.
        seen: Zxid,
        /// What this shows.
        shown: Zxid,
    },
    /// What was acknowledged is on the disks of a quorum.
    Kept {
        /// What the answer shows.
        zxid: Zxid,
        /// So many voters have it on disk.
        on: u32,
        /// So many are needed.
        need: u32,
    },
    /// What was acknowledged is not on the disks of a quorum. Forbidden.
    Lost {
        /// What the answer shows.
        zxid: Zxid,
        /// So many voters have it on disk.
        on: u32,
        /// So many are needed.
        need: u32,
    },
    /// Nothing newer was committed anywhere.
    Newest {
        /// What this shows.
        shown: Zxid,
    },
    /// Something newer was committed. Allowed: a server answers from what it has applied, and may be
    /// behind for so long before it must stop to serve.
    Older {
        /// Who answered.
        server: ServerId,
        /// What this shows, which is what that server had applied.
        shown: Zxid,
        /// The newest that was committed.
        newest: Zxid,
        /// Committed transactions in between, the newest included.
        by: u64,
        /// syncLimit.
        bound: Span,
    },
}

impl Verdict {
    /// Which guarantee it is about.
    #[must_use]
    pub const fn of(&self) -> Guarantee {
        match self {
            Verdict::InTurn { .. }
            | Verdict::OutOfTurn { .. }
            | Verdict::HeardFirst { .. }
            | Verdict::HeardLate { .. } => Guarantee::SequentialConsistency,
            Verdict::Done | Verdict::NotDone(_) | Verdict::Unknown | Verdict::Torn => {
                Guarantee::Atomicity
            }
            Verdict::NotBack { .. } | Verdict::Back { .. } => Guarantee::SingleSystemImage,
            Verdict::Kept { .. } | Verdict::Lost { .. } => Guarantee::Reliability,
            Verdict::Newest { .. } | Verdict::Older { .. } => Guarantee::Timeliness,
        }
    }

    /// Whether the guarantee forbids it.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(
            self,
            Verdict::OutOfTurn { .. }
                | Verdict::HeardLate { .. }
                | Verdict::Torn
                | Verdict::Back { .. }
                | Verdict::Lost { .. }
        )
    }

    /// Whether it is allowed, but surprising.
    #[must_use]
    pub const fn is_surprising(&self) -> bool {
        matches!(self, Verdict::Older { .. } | Verdict::Unknown)
    }
}

/// An observation with what it says about the guarantees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the client saw.
    pub seen: Arc<Observation>,
    /// What that says.
    pub verdicts: Vec<Verdict>,
    /// The server's event that led to it, if there is one.
    pub event: Option<EventId>,
}

/// What is known from outside about an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The newest that was committed when it was given, and how many were in between; `None`: the
    /// answer shows the newest.
    pub newer: Option<(Zxid, u64)>,
    /// How many voters have what it shows on disk.
    pub on_disk: u32,
    /// Whether these are a quorum.
    pub quorum: bool,
    /// How many a quorum needs at least.
    pub need: u32,
    /// syncLimit.
    pub bound: Span,
}

/// Judges the observations of one client, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Eye {
    conn: ClientId,
    xid: i32,
    newest: Zxid,
}

impl Eye {
    /// Judges what comes next.
    pub fn see(&mut self, o: &Observation, known: &Known) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if self.conn != o.conn {
            (self.conn, self.xid) = (o.conn, 0);
        }
        match &o.seen {
            Seen::Answer {
                xid,
                request,
                outcome,
                ..
            } => self.answer(o, *xid, request, outcome, known, &mut verdicts),
            Seen::Watch(event) if event.zxid.0 > 0 => {
                let (seen, change) = (self.newest, event.zxid);
                verdicts.push(if change >= seen {
                    Verdict::HeardFirst { seen, change }
                } else {
                    Verdict::HeardLate { seen, change }
                });
                self.newest = self.newest.max(change);
            }
            Seen::Watch(_) | Seen::Connected { .. } | Seen::Disconnected | Seen::Expired { .. } => {
            }
        }
        verdicts
    }

    fn answer(
        &mut self,
        o: &Observation,
        xid: i32,
        request: &Request,
        outcome: &Outcome,
        known: &Known,
        verdicts: &mut Vec<Verdict>,
    ) {
        let write = matches!(request, Request::Write(_));
        let Outcome::Reply { zxid, result } = outcome else {
            if write {
                verdicts.push(match outcome {
                    Outcome::SessionExpired => Verdict::NotDone(ErrorCode::SessionExpired),
                    Outcome::ConnectionLoss | Outcome::Reply { .. } => Verdict::Unknown,
                });
            }
            return;
        };
        if xid > 0 {
            let before = self.xid;
            verdicts.push(if xid > before {
                Verdict::InTurn { before, xid }
            } else {
                Verdict::OutOfTurn { before, xid }
            });
            self.xid = xid;
        }
        if write {
            verdicts.push(whole(result));
        }
        let (seen, shown) = (self.newest, *zxid);
        // The answer to an authentication carries no zxid.
        if shown.0 > 0 {
            verdicts.push(if shown >= seen {
                Verdict::NotBack { seen, shown }
            } else {
                Verdict::Back { seen, shown }
            });
            self.newest = seen.max(shown);
        }
        if write && result.is_ok() {
            let (zxid, on, need) = (shown, known.on_disk, known.need);
            verdicts.push(if known.quorum {
                Verdict::Kept { zxid, on, need }
            } else {
                Verdict::Lost { zxid, on, need }
            });
        } else if !write && shown.0 > 0 {
            verdicts.push(match known.newer {
                Some((newest, by)) => Verdict::Older {
                    server: o.server,
                    shown,
                    newest,
                    by,
                    bound: known.bound,
                },
                None => Verdict::Newest { shown },
            });
        }
    }
}

/// A multi is done as a whole: either no result is an error, or all are.
fn whole(result: &Result<Response, ErrorCode>) -> Verdict {
    use crate::request::OpResult;
    match result {
        Err(code) => Verdict::NotDone(*code),
        Ok(Response::Multi(all)) => {
            let failed: Vec<ErrorCode> = all
                .iter()
                .filter_map(|r| match r {
                    OpResult::Error(code) => Some(*code),
                    _ => None,
                })
                .collect();
            // The one that failed has a code of its own; the others only failed with it.
            let along = [ErrorCode::Ok, ErrorCode::RuntimeInconsistency];
            let own = failed.iter().find(|c| !along.contains(c));
            match own.or(failed.first()) {
                None => Verdict::Done,
                Some(_) if failed.len() < all.len() => Verdict::Torn,
                Some(code) => Verdict::NotDone(*code),
            }
        }
        Ok(_) => Verdict::Done,
    }
}

/// What servers said to connections, and what was newer then: read once from a branch's records, and read
/// on where these go on.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    branch: BranchNo,
    /// So many records were read.
    read: usize,
    said: BTreeMap<(ClientId, i32), EventId>,
    newer: BTreeMap<EventId, (Zxid, u64)>,
}

impl Heard {
    /// Reads up to the cursor, only what is new if that went on in its branch; and says how many records
    /// were read. Not for another history than before.
    pub fn read(&mut self, history: &History) -> usize {
        let records = history.records();
        if self.branch != history.branch() || self.read > records.len() {
            *self = Heard {
                branch: history.branch(),
                ..Heard::default()
            };
        }
        let mut known = self.read;
        let new = records.len() - known;
        for part in records.parts() {
            for record in part.get(known..).unwrap_or_default() {
                self.hear(&record.source);
            }
            known = known.saturating_sub(part.len());
        }
        self.read = records.len();
        new
    }

    fn hear(&mut self, fact: &Fact) {
        match fact {
            Fact::Peer(e) => match &e.kind {
                EventKind::ReadServed { client, xid, .. }
                | EventKind::WriteAnswered { client, xid, .. }
                | EventKind::SyncAnswered { client, xid, .. } => {
                    self.said.insert((*client, *xid), e.id);
                }
                _ => {}
            },
            Fact::World(e) => {
                if let (
                    Some(cause),
                    WorldEventKind::StaleRead {
                        newest, behind_by, ..
                    },
                ) = (e.cause, &e.kind)
                {
                    self.newer.insert(cause, (*newest, *behind_by));
                }
            }
        }
    }
}

/// Everything that is kept of what a client saw, judged, oldest first.
#[must_use]
pub fn judge(history: &History, client: ClientNo) -> Vec<Judged> {
    judge_on(history, client, &mut Heard::default())
}

/// The same by somebody who has heard of this run before.
#[must_use]
pub fn judge_on(history: &History, client: ClientNo, heard: &mut Heard) -> Vec<Judged> {
    let world = history.world();
    let Some(view) = world.client(client) else {
        return Vec::new();
    };
    heard.read(history);
    let Heard { said, newer, .. } = heard;
    let setup = world.setup();
    let voters = world.members().quorum.voters();
    let mut eye = Eye::default();
    // What was forgotten is not held against it.
    if let Some(first) = view.observations.front() {
        eye.newest = first.last_zxid_before;
    }
    view.observations
        .iter()
        .map(|o| {
            let (event, shown) = match &o.seen {
                Seen::Answer { xid, outcome, .. } => (
                    said.get(&(o.conn, *xid)).copied(),
                    match outcome {
                        Outcome::Reply { zxid, .. } => *zxid,
                        Outcome::ConnectionLoss | Outcome::SessionExpired => Zxid::ZERO,
                    },
                ),
                Seen::Watch(_)
                | Seen::Connected { .. }
                | Seen::Disconnected
                | Seen::Expired { .. } => (None, Zxid::ZERO),
            };
            let acknowledged = matches!(
                &o.seen,
                Seen::Answer {
                    request: Request::Write(_),
                    outcome: Outcome::Reply { result: Ok(_), .. },
                    ..
                }
            );
            // Asked of nothing else: there may be thousands of reads.
            let has =
                |id: ServerId| acknowledged && world.disk(id).is_some_and(|d| d.is_durable(shown));
            let known = Known {
                newer: event.and_then(|id| newer.get(&id).copied()),
                on_disk: voters.iter().filter(|id| has(**id)).count() as u32,
                quorum: acknowledged && world.is_quorum(&has),
                need: world.members().quorum.smallest() as u32,
                bound: setup.tick.times(setup.sync_limit),
            };
            Judged {
                seen: Arc::clone(o),
                verdicts: eye.see(o, &known),
                event,
            }
        })
        .collect()
}
