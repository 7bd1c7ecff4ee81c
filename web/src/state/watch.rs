//! The invariants, checked beside the run: its steps are repeated in slices, and each property looks at
//! every one of them. What is not checked yet is said so.

use super::run::{Run, RunHandle};
use zabscope_core::{
    id::Zxid,
    peer::event::EventKind as K,
    sim::{Checker, Fact, History, Property, Records, StepLog, TimedAction, Violation, World},
};

/// What is known of the invariants.
pub struct Watch {
    checker: Checker,
    properties: Vec<Property>,
    world: World,
    log: StepLog,
    /// The actions that were repeated.
    done: Vec<TimedAction>,
    violation: Option<Violation>,
}

impl Watch {
    /// Nothing is checked yet.
    #[must_use]
    pub fn new(history: &History) -> Option<Watch> {
        Watch::with(history, Checker::of(history.world().setup()))
    }

    /// With these properties.
    #[must_use]
    pub fn with(history: &History, checker: Checker) -> Option<Watch> {
        Some(Watch {
            properties: checker.properties().collect(),
            checker,
            world: World::new(history.world().setup()).ok()?,
            log: StepLog::default(),
            done: Vec::new(),
            violation: None,
        })
    }

    /// What is checked, in order.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// Every step up to this one was checked.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.world.steps()
    }

    /// Nothing up to this cursor, to which so many actions led, is unchecked.
    fn has_seen(&self, actions: usize, cursor: u64) -> bool {
        self.violation.is_some()
            || self.checked() > cursor
            || (self.checked(), self.done.len()) == (cursor, actions)
    }

    /// What does not hold, if it is so at this step already. Nothing is checked after it.
    #[must_use]
    pub fn violation(&self, cursor: u64) -> Option<&Violation> {
        self.violation.as_ref().filter(|v| v.step <= cursor)
    }

    /// Whether what was repeated is still the way to the cursor.
    fn is_on_the_way(&self, actions: &[TimedAction], cursor: u64) -> bool {
        let same = self.done.iter().zip(actions).all(|(a, b)| a == b);
        let next_here = actions.get(self.done.len());
        let next_there = self.done.get(actions.len());
        same && next_here.is_none_or(|a| a.step >= self.world.steps())
            && next_there.is_none_or(|a| a.step >= cursor)
            && (next_there.is_none() || self.world.steps() >= cursor)
    }

    /// Checks so many steps more at most, up to the cursor. `None`: another run or branch, so this one
    /// is of no use. True: something was checked, look again.
    fn go(&mut self, history: &History, at_most: u64) -> Option<bool> {
        let (actions, cursor) = (history.actions(), history.cursor());
        let same_world = self.world.setup() == history.world().setup();
        if !same_world || !self.is_on_the_way(&actions, cursor) {
            return None;
        }
        let before = (self.checked(), self.done.len());
        let mut left = at_most;
        while self.violation.is_none() {
            let due = actions
                .get(self.done.len())
                .filter(|a| a.step == self.world.steps());
            if let Some(due) = due {
                if self.world.act(&due.action, &mut self.log).is_err() {
                    break;
                }
                self.done.push(due.clone());
            } else if self.world.steps() >= cursor || left == 0 {
                break;
            } else if self.world.step(&mut self.log) {
                left -= 1;
            } else {
                break;
            }
            self.violation = self.checker.check(&self.world, &self.log).err();
        }
        Some(before != (self.checked(), self.done.len()))
    }
}

/// Checks on, so many steps at most. True: there is something new to show.
pub fn check(run: &RunHandle, at_most: u64) -> bool {
    check_in(&mut run.quietly(), at_most)
}

fn check_in(run: &mut Run, at_most: u64) -> bool {
    let (history, watch) = run.watching();
    if let Some(watch) = watch
        && let Some(went) = watch.go(history, at_most)
    {
        return went;
    }
    *watch = Watch::new(history);
    watch.is_some()
}

/// What is known of the run up to its cursor.
pub(super) enum Checked {
    /// There is more to be checked.
    Partly,
    /// Everything holds.
    Holds,
    /// This does not.
    Broken(Violation),
}

/// Checks on, so many steps at most, and says how it stands at the cursor.
pub(super) fn look(run: &mut Run, at_most: u64) -> Checked {
    let went = check_in(run, at_most);
    let (history, watch) = run.watching();
    let (actions, cursor) = (history.actions().len(), history.cursor());
    let Some(watch) = watch else {
        return Checked::Partly;
    };
    match watch.violation(cursor) {
        Some(violation) => Checked::Broken(violation.clone()),
        None if !went || watch.has_seen(actions, cursor) => Checked::Holds,
        None => Checked::Partly,
    }
}

/// The two facts behind a violation: the one in its step, and the one before that it contradicts, as
/// indices of the records.
#[must_use]
pub fn facts(records: &Records<'_>, violation: &Violation) -> (Option<usize>, Option<usize>) {
    let at = |i: usize| records.get(i).map(|r| &r.source);
    let in_step: Vec<usize> = (0..records.len())
        .rev()
        .skip_while(|i| records.get(*i).is_some_and(|r| r.step > violation.step))
        .take_while(|i| records.get(*i).is_some_and(|r| r.step == violation.step))
        .collect();
    let about = |i: usize| at(i).and_then(zxid);
    let first = in_step.last().copied().unwrap_or(0);
    // What only came in says nothing yet; what is about a transaction says most.
    let said = in_step.iter().rev().copied();
    let mut said: Vec<usize> = said.filter(|i| at(*i).is_some_and(says)).collect();
    said.sort_by_key(|i| about(*i).is_none());
    let earlier = |shows: usize, same: bool| {
        (0..first).rev().find(|i| {
            at(*i).zip(at(shows)).is_some_and(|(a, b)| alike(a, b))
                && (!same || about(*i) == about(shows))
        })
    };
    for same in [true, false] {
        let found = said.iter().find_map(|i| Some((*i, earlier(*i, same)?)));
        if let Some((shows, before)) = found {
            return (Some(shows), Some(before));
        }
    }
    (said.first().or(in_step.first()).copied(), None)
}

/// Whether a fact is more than an input that came.
fn says(fact: &Fact) -> bool {
    !matches!(fact, Fact::Peer(e) if matches!(
        e.kind,
        K::Received { .. }
            | K::TimerFired { .. }
            | K::LinkUp { .. }
            | K::LinkDown { .. }
            | K::DiskSynced { .. }
            | K::RequestReceived { .. }
    ))
}

/// Whether two facts are of one kind.
fn alike(a: &Fact, b: &Fact) -> bool {
    use core::mem::discriminant;
    match (a, b) {
        (Fact::Peer(a), Fact::Peer(b)) => discriminant(&a.kind) == discriminant(&b.kind),
        (Fact::World(a), Fact::World(b)) => discriminant(&a.kind) == discriminant(&b.kind),
        (Fact::Peer(_), Fact::World(_)) | (Fact::World(_), Fact::Peer(_)) => false,
    }
}

/// The transaction that a fact is about.
fn zxid(fact: &Fact) -> Option<Zxid> {
    let Fact::Peer(e) = fact else { return None };
    match &e.kind {
        K::Applied { zxid, .. }
        | K::Committed { zxid, .. }
        | K::Proposed { zxid, .. }
        | K::Logged { zxid }
        | K::AckSent { zxid, .. }
        | K::ReadServed { zxid, .. }
        | K::WriteAnswered { zxid, .. } => Some(*zxid),
        K::Serving { last_zxid, .. } => Some(*last_zxid),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
