//! What was asked beside the sentence: why not, what if, why this number; and the way along causes.

use super::{Action, Notice, Selection, State, Tab};
use crate::text::{NoContext, why_not_if};
use std::rc::Rc;
use zabscope_core::{
    id::{EventId, ServerId},
    message::MessageKind,
    peer::event::EventKind as K,
    sim::{
        Fact, History, Records, WorldEventKind as W,
        why_not::{
            Answer, Question,
            instead::{Differs, WhatIf, what_if},
            why_not,
        },
    },
};

/// What one can ask.
#[derive(Clone, Debug)]
pub enum WhyAct {
    /// Why not?
    Not(Question),
    /// What if?
    If(WhatIf),
    /// Why has this server this value?
    Value(ServerId, Value),
    /// Go to this event and choose where it happened.
    Event(EventId),
    /// Go to this record and choose where it happened.
    Record(usize),
    /// Enough of the answer.
    Close,
}

/// The last answer: as of the moment at which it was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Why not.
    Not(Answer),
    /// What if.
    If(Differs),
}

/// A value of a server, in the order in which its inspector shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// What it is.
    Role,
    /// File acceptedEpoch.
    AcceptedEpoch,
    /// File currentEpoch.
    CurrentEpoch,
    /// The logical clock.
    Round,
    /// Its vote.
    Vote,
    /// The last zxid of its log.
    LastLogged,
    /// The last zxid on its disk.
    Durable,
    /// What it knows to be committed.
    Committed,
    /// What its tree shows.
    Applied,
}

impl Value {
    /// All of them.
    pub const ALL: [Value; 9] = [
        Value::Role,
        Value::AcceptedEpoch,
        Value::CurrentEpoch,
        Value::Round,
        Value::Vote,
        Value::LastLogged,
        Value::Durable,
        Value::Committed,
        Value::Applied,
    ];

    /// Whether an event of the server sets it.
    const fn set_by(self, kind: &K) -> bool {
        if let K::Started { .. } = kind {
            // What its disk had.
            return true;
        }
        match self {
            Value::Role => matches!(kind, K::ElectionStarted { .. } | K::Elected { .. }),
            Value::AcceptedEpoch => matches!(kind, K::AcceptedEpochSet { .. }),
            Value::CurrentEpoch => matches!(kind, K::CurrentEpochSet { .. }),
            Value::Round => matches!(
                kind,
                K::ElectionStarted { .. } | K::RoundAdvanced { .. } | K::Elected { .. }
            ),
            Value::Vote => matches!(
                kind,
                K::ElectionStarted { .. }
                    | K::RoundAdvanced { .. }
                    | K::VoteChanged { .. }
                    | K::Elected { .. }
                    | K::Serving { .. }
                    | K::Established { .. }
            ),
            Value::LastLogged => matches!(
                kind,
                K::Logged { .. } | K::LogTruncated { .. } | K::SnapshotInstalled { .. }
            ),
            Value::Durable => matches!(
                kind,
                K::DiskSynced { .. } | K::LogTruncated { .. } | K::SnapshotInstalled { .. }
            ),
            Value::Committed => matches!(
                kind,
                K::Committed { .. }
                    | K::Established { .. }
                    | K::Serving { .. }
                    | K::Received {
                        message: MessageKind::Commit
                            | MessageKind::Inform
                            | MessageKind::CommitAndActivate
                            | MessageKind::InformAndActivate,
                        ..
                    }
            ),
            Value::Applied => matches!(
                kind,
                K::Applied { .. }
                    | K::Serving { .. }
                    | K::Established { .. }
                    | K::SnapshotInstalled { .. }
            ),
        }
    }
}

/// The last record up to the cursor of which this holds.
fn last(history: &History, is: impl Fn(&Fact, EventId) -> bool) -> Option<usize> {
    let records = history.records();
    let mut index = records.len();
    for part in records.parts().iter().rev() {
        for record in part.iter().rev() {
            index -= 1;
            if is(&record.source, record.id()) {
                return Some(index);
            }
        }
    }
    None
}

/// The event that set this value of a server, or the fault that took the server away.
#[must_use]
pub fn set_by(history: &History, server: ServerId, value: Value) -> Option<usize> {
    last(history, |fact, _| match fact {
        Fact::Peer(e) => e.id.server == server && value.set_by(&e.kind),
        Fact::World(e) => {
            value == Value::Role
                && matches!(&e.kind, W::Crashed { server: s, .. }
                    | W::Paused { server: s }
                    | W::Resumed { server: s, .. } if *s == server)
        }
    })
}

/// The causes of a record, the nearest first, and whether the last of them has none itself. A cause
/// stands before its effect, so one walk back finds them all.
#[must_use]
pub fn causes(records: &Records<'_>, from: usize, most: usize) -> (Vec<usize>, bool) {
    let mut found = Vec::new();
    let mut next = records.get(from).and_then(|r| r.cause());
    let mut end = records.len();
    for part in records.parts().iter().rev() {
        let first = end - part.len();
        for (at, record) in part.iter().enumerate().rev() {
            let index = first + at;
            if index >= from {
                continue;
            }
            let Some(wanted) = next else {
                return (found, true);
            };
            if found.len() == most {
                return (found, false);
            }
            if record.id() == wanted {
                found.push(index);
                next = record.cause();
            }
        }
        end = first;
    }
    (found, next.is_none())
}

/// What a record is about, as far as it can be chosen.
fn place(fact: &Fact, run: &super::run::Run) -> Option<Selection> {
    match fact {
        Fact::Peer(e) => Some(Selection::Server(e.id.server)),
        Fact::World(e) => Some(match &e.kind {
            W::Crashed { server, .. }
            | W::Restarted { server }
            | W::Paused { server }
            | W::Resumed { server, .. }
            | W::DiskSlowed { server, .. }
            | W::DiskLost { server } => Selection::Server(*server),
            W::LinkCut { a, b } | W::LinkHealed { a, b } | W::LinkSlowed { a, b, .. } => {
                Selection::Link(*a.min(b), *a.max(b))
            }
            W::DirectionCut { from, to }
            | W::ConnectionBroken { from, to, .. }
            | W::MessageLost { from, to, .. } => Selection::Link(*from.min(to), *from.max(to)),
            W::ClientAdded { client }
            | W::ClientPaused { client }
            | W::ClientResumed { client }
            | W::ClientConnecting { client, .. }
            | W::ClientConnected { client, .. }
            | W::ClientGaveUp { client, .. }
            | W::ClientExpired { client, .. }
            | W::ClientClosed { client, .. }
            | W::RequestSent { client, .. }
            | W::ReplyReceived { client, .. }
            | W::WatchReceived { client, .. }
            | W::StaleRead { client, .. } => Selection::Client(*client),
            W::Partitioned { .. } | W::AllHealed | W::RulesSet { .. } | W::FaultsSet { .. } => {
                return None;
            }
        }),
    }
    .filter(|place| match place {
        Selection::Client(no) => run.world().client(*no).is_some(),
        _ => true,
    })
}

impl State {
    /// Does what was asked.
    pub(super) fn why(&mut self, act: WhyAct) {
        match act {
            WhyAct::Not(question) => {
                // The answer is about a moment: it stands.
                self.apply(Action::Pause);
                let answer = why_not(self.run.get().history(), &question);
                self.asked_on = self.run.get().history().branch();
                self.asked = Some(Rc::new(Asked::Not(answer)));
                self.tab = Tab::Why;
            }
            WhyAct::If(what) => self.what_if(&what),
            WhyAct::Value(server, value) => {
                let found = set_by(self.run.get().history(), server, value);
                if let Some(index) = found {
                    self.go(index);
                }
            }
            WhyAct::Event(event) => {
                let found = last(self.run.get().history(), |_, id| id == event);
                if let Some(index) = found {
                    self.go(index);
                }
            }
            WhyAct::Record(index) => self.go(index),
            WhyAct::Close => self.asked = None,
        }
    }

    /// Moves to a record, chooses where it happened, and explains it.
    fn go(&mut self, index: usize) {
        self.tell(index);
        let place = {
            let run = self.run.get();
            let records = run.history().records();
            records.get(index).and_then(|r| place(&r.source, &run))
        };
        if let Some(place) = place {
            self.selection = place;
        }
        self.tab = Tab::Why;
    }

    fn what_if(&mut self, what: &WhatIf) {
        self.apply(Action::Pause);
        self.together.clear();
        let name = why_not_if::change(&what.change, self.lang, &NoContext).text;
        let done = self
            .run
            .change()
            .with(|history| what_if(history, what, &name));
        match done {
            Ok(differs) => {
                self.settle();
                self.asked = Some(Rc::new(Asked::If(differs)));
                if let Some(now) = &differs.now {
                    let event = now.event;
                    let found = last(self.run.get().history(), |_, id| id == event);
                    self.focus = found.or(self.focus);
                }
                self.tab = Tab::Why;
            }
            Err(error) => {
                self.settle();
                self.notify(Notice::Impossible(error));
            }
        }
    }
}
