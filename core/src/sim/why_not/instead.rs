//! What if: one thing is changed, a branch beside runs on, and the two are compared.

use crate::{
    id::{Epoch, EventId, ServerId, SessionId, Zxid},
    message::MessageKind,
    peer::event::EventKind,
    sim::{
        ActError, Action, BranchNo, ClientNo, Fact, History, Record, StepLog, WorldEventKind,
        history::MAX_STEPS,
    },
    time::{Moment, Span},
};

/// How much slower a link or disk is made.
pub const SLOWER: Span = Span::millis(1500);
/// A branch runs on for so long at most before one says that it does not happen.
pub const PATIENCE: Span = Span::millis(60_000);
/// And for so many steps.
pub const PATIENCE_STEPS: u64 = 20_000;

/// What could have been otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The link breaks before this message arrives, and is whole again at once.
    Lost {
        /// Its sender.
        from: ServerId,
        /// Who does not get it.
        to: ServerId,
        /// What it was.
        message: MessageKind,
    },
    /// Their link is slow from before it was sent.
    SlowLink {
        /// Its sender.
        from: ServerId,
        /// Who gets it later.
        to: ServerId,
    },
    /// The disk is slow from before it was written to.
    SlowDisk(ServerId),
    /// The server loses its power a step earlier, and what was not on its disk.
    Crash(ServerId),
}

/// A change at its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// What.
    pub change: Change,
    /// After this step.
    pub step: u64,
    /// The record that it starts from, as an index of [`History::records`].
    pub record: usize,
}

/// What one waits for in both branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Somebody is established as leader.
    Leader,
    /// This server serves.
    Serves(ServerId),
    /// This transaction is committed.
    Commit(Zxid),
    /// This client has an answer.
    Answer(ClientNo),
    /// This session ends.
    End(SessionId),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When.
    pub at: Moment,
    /// The event.
    pub event: EventId,
    /// Who leads, serves, commits, answers.
    pub server: ServerId,
    /// The epoch that it is in, where that is said.
    pub epoch: Option<Epoch>,
}

/// The two branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differs {
    /// What was changed.
    pub what: WhatIf,
    /// What was waited for.
    pub awaited: Awaited,
    /// When the change was made.
    pub since: Moment,
    /// Where it came from.
    pub from: BranchNo,
    /// As it was; `None`: it does not happen within [`PATIENCE`].
    pub before: Option<Outcome>,
    /// As it is now.
    pub now: Option<Outcome>,
}

/// What could have been otherwise about this record.
#[must_use]
pub fn changes(history: &History, index: usize) -> Vec<WhatIf> {
    let records = history.records();
    let Some(record) = records.get(index) else {
        return Vec::new();
    };
    let (Fact::Peer(event), Some(before)) = (&record.source, record.step.checked_sub(1)) else {
        return Vec::new();
    };
    let server = event.id.server;
    let mut all = Vec::new();
    let mut add = |change, step| {
        all.push(WhatIf {
            change,
            step,
            record: index,
        });
    };
    // What reached the server in this step: the first thing that it says of it.
    let input = (0..=index)
        .rev()
        .map_while(|i| records.get(i).filter(|r| r.step == record.step))
        .filter_map(|r| match &r.source {
            Fact::Peer(e) if e.id.server == server => Some((r, e)),
            Fact::Peer(_) | Fact::World(_) => None,
        })
        .last();
    match input.map(|(r, e)| (r, &e.kind)) {
        Some((input, EventKind::Received { from, message, .. })) => {
            let (from, to, message) = (*from, server, *message);
            add(Change::Lost { from, to, message }, before);
            if let Some(sent) = step_of(history, input.cause()) {
                add(Change::SlowLink { from, to }, sent);
            }
        }
        Some((input, EventKind::DiskSynced { .. })) => {
            if let Some(written) = step_of(history, input.cause()) {
                add(Change::SlowDisk(server), written);
            }
        }
        _ => {}
    }
    if writes(&event.kind) {
        add(Change::SlowDisk(server), before);
    }
    add(Change::Crash(server), before);
    all
}

/// The moment before the step in which this happened.
fn step_of(history: &History, event: Option<EventId>) -> Option<u64> {
    let event = event?;
    let found = history.records();
    let record = found.iter().rev().find(|r| r.id() == event)?;
    record.step.checked_sub(1)
}

/// Whether the disk has something to do after this.
const fn writes(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Logged { .. }
            | EventKind::Proposed { .. }
            | EventKind::AcceptedEpochSet { .. }
            | EventKind::CurrentEpochSet { .. }
            | EventKind::HistoryComplete { .. }
    )
}

/// What one waits for after this record.
#[must_use]
pub fn awaited(record: &Record) -> Awaited {
    let event = match &record.source {
        Fact::Peer(event) => event,
        Fact::World(e) => {
            return match &e.kind {
                WorldEventKind::ReplyReceived { client, .. }
                | WorldEventKind::RequestSent { client, .. }
                | WorldEventKind::StaleRead { client, .. } => Awaited::Answer(*client),
                _ => Awaited::Leader,
            };
        }
    };
    match &event.kind {
        EventKind::Proposed { zxid, .. }
        | EventKind::Logged { zxid }
        | EventKind::AckSent { zxid, .. }
        | EventKind::AckCounted { zxid, .. }
        | EventKind::AckIgnored { zxid, .. }
        | EventKind::Committed { zxid, .. }
        | EventKind::Applied { zxid, .. }
        | EventKind::DiskSynced { durable: zxid }
        | EventKind::Received {
            message: MessageKind::Proposal | MessageKind::Ack | MessageKind::Commit,
            zxid: Some(zxid),
            ..
        } if !zxid.is_new_epoch() && zxid.0 > 0 => Awaited::Commit(*zxid),
        EventKind::SyncChosen { learner, .. }
        | EventKind::UpToDateSent { learner }
        | EventKind::ReadingDiskLog { learner, .. } => Awaited::Serves(*learner),
        EventKind::SyncStarted { .. }
        | EventKind::LogTruncated { .. }
        | EventKind::SnapshotInstalled { .. }
        | EventKind::HistoryComplete { .. }
        | EventKind::Serving { .. } => Awaited::Serves(event.id.server),
        EventKind::SessionExpired { session, .. }
        | EventKind::SessionTouched { session }
        | EventKind::SessionEnded { session, .. } => Awaited::End(*session),
        _ => Awaited::Leader,
    }
}

impl Awaited {
    /// Whether this record is it.
    fn is(self, record: &Record) -> Option<Outcome> {
        let found = |server, epoch| {
            Some(Outcome {
                at: record.at,
                event: record.id(),
                server,
                epoch,
            })
        };
        match (&record.source, self) {
            (Fact::Peer(e), _) => match (&e.kind, self) {
                (EventKind::Established { epoch, .. }, Awaited::Leader) => {
                    found(e.id.server, Some(*epoch))
                }
                (EventKind::Serving { epoch, .. }, Awaited::Serves(server))
                | (EventKind::Established { epoch, .. }, Awaited::Serves(server))
                    if e.id.server == server =>
                {
                    found(server, Some(*epoch))
                }
                (EventKind::Committed { zxid, .. }, Awaited::Commit(z)) if *zxid == z => {
                    found(e.id.server, Some(zxid.epoch()))
                }
                (EventKind::SessionEnded { session, .. }, Awaited::End(s)) if *session == s => {
                    found(e.id.server, None)
                }
                _ => None,
            },
            (Fact::World(e), Awaited::Answer(no)) => match &e.kind {
                WorldEventKind::ReplyReceived { client, server, .. } if *client == no => {
                    found(*server, None)
                }
                _ => None,
            },
            (Fact::World(_), _) => None,
        }
    }
}

/// Makes the change in a branch of its own, named so, and runs both branches until what is awaited has
/// happened or patience ends. The cursor stands there in the new branch.
///
/// # Errors
/// The change is impossible at its moment; the cursor is where it was.
pub fn what_if(history: &mut History, what: &WhatIf, name: &str) -> Result<Differs, ActError> {
    let cursor = history.cursor();
    let awaited = match history.records().get(what.record) {
        Some(record) => awaited(record),
        None => Awaited::Leader,
    };
    let from = history.branch();
    let known = history.all_records();
    let mut before = known
        .iter()
        .filter(|r| r.step > what.step)
        .find_map(|r| awaited.is(r));
    if before.is_none() {
        // Nobody knows yet: a copy of the world runs on.
        let end = history.end();
        history.goto(end);
        let mut world = history.world().clone();
        let mut log = StepLog::default();
        let (first, began) = (world.now(), world.steps());
        while before.is_none()
            && world.now() - first <= PATIENCE
            && world.steps() - began < PATIENCE_STEPS
            && world.step(&mut log)
        {
            before = log.records.iter().find_map(|r| awaited.is(r));
        }
    }
    history.goto(what.step);
    let since = history.world().now();
    let actions = match what.change {
        Change::Lost { from, to, .. } => vec![
            Action::CutLink { a: from, b: to },
            Action::HealLink { a: from, b: to },
        ],
        Change::SlowLink { from, to } => vec![Action::SlowLink {
            a: from,
            b: to,
            extra: SLOWER,
        }],
        Change::SlowDisk(server) => vec![Action::SlowDisk {
            server,
            extra: SLOWER,
        }],
        Change::Crash(server) => vec![Action::Crash {
            server,
            lose_unsynced: true,
        }],
    };
    for action in actions {
        if let Err(error) = history.act(action) {
            history.goto(cursor);
            return Err(error);
        }
    }
    if history.branch() != from {
        history.name_branch(name);
    }
    let mut now = history.log().records.iter().find_map(|r| awaited.is(r));
    let first = history.cursor();
    while now.is_none()
        && history.world().now() - since <= PATIENCE
        && history.cursor() - first < PATIENCE_STEPS
        && history.cursor() < MAX_STEPS
    {
        let Some(new) = history.step() else { break };
        now = history
            .records()
            .last(new)
            .into_iter()
            .find_map(|r| awaited.is(r));
    }
    Ok(Differs {
        what: *what,
        awaited,
        since,
        from,
        before,
        now,
    })
}
