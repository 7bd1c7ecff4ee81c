//! To move in time by something else than one event: until something happens, by message, by phase, by
//! epoch; and what is kept of moments.
//!
//! A search takes steps of the run itself, so many in a slice, so that the page stays alive; where it
//! ends without having found anything, one is back where it began.

mod search;

#[cfg(test)]
mod tests;

pub use search::{Failure, MOST, Missed, Search, SearchHandle};

use super::{Motion, Notice, State, rest::Toward, run::Handle};
use crate::text::{Importance, Lang, NoContext, short};
use std::rc::Rc;
use zabscope_core::{
    id::ServerId,
    peer::event::EventKind,
    sim::{BranchNo, Fact, Record},
};

/// What one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A server is something else than before; `None`: any server.
    Role(Option<ServerId>),
    /// A znode begins, changes or ends on some server.
    Znode(Rc<str>),
    /// An invariant fails.
    Invariant,
    /// An event whose line holds this text.
    Text(Rc<str>),
    /// A message arrives.
    Message,
    /// A turning point.
    Phase,
    /// A new epoch is established.
    Epoch,
}

/// By what *Step* and *Back* move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unit {
    /// What is told.
    #[default]
    Event,
    /// Arrivals.
    Message,
    /// Turning points.
    Phase,
    /// Epochs.
    Epoch,
}

impl Unit {
    /// All.
    pub const ALL: [Unit; 4] = [Unit::Event, Unit::Message, Unit::Phase, Unit::Epoch];

    /// As it stands in the page's own values.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Event => "event",
            Unit::Message => "message",
            Unit::Phase => "phase",
            Unit::Epoch => "epoch",
        }
    }

    fn goal(self) -> Option<Goal> {
        match self {
            Unit::Event => None,
            Unit::Message => Some(Goal::Message),
            Unit::Phase => Some(Goal::Phase),
            Unit::Epoch => Some(Goal::Epoch),
        }
    }
}

/// A tab of the lower part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeTab {
    /// The event list; beside it the logs, where there is room.
    #[default]
    Events,
    /// The space-time diagram.
    Diagram,
    /// The logs side by side.
    Logs,
    /// Branches and bookmarks.
    Branches,
}

impl TimeTab {
    /// All, in their order.
    pub const ALL: [TimeTab; 4] = [
        TimeTab::Events,
        TimeTab::Diagram,
        TimeTab::Logs,
        TimeTab::Branches,
    ];
}

/// How one moves in time.
#[derive(Clone, PartialEq, Default)]
pub struct TimeView {
    /// By what *Step* and *Back* move.
    pub unit: Unit,
    /// The open tab.
    pub tab: TimeTab,
    /// What is being looked for.
    pub search: Option<SearchHandle>,
}

/// What one can do about time.
#[derive(Clone, Debug)]
pub enum TimeAct {
    /// Go on until this happens.
    Until(Goal),
    /// Don't look for it any more, and be where it began.
    Stop,
    /// By what *Step* and *Back* move.
    Unit(Unit),
    /// Open a tab.
    Tab(TimeTab),
    /// Keep this moment under this name; an empty one: under a name of its own.
    Bookmark(Rc<str>),
    /// Give a bookmark another name.
    NameBookmark(u32, Rc<str>),
    /// Forget a bookmark.
    Forget(u32),
    /// Go to a bookmark.
    Visit(u32),
    /// Give a branch another name.
    NameBranch(BranchNo, Rc<str>),
    /// To a moment, in µs of virtual time.
    Moment(u64),
    /// To where this message of the diagram is under way, and choose it.
    Message(u32, u64),
}

/// Whether a fact is what a search by facts looks for.
fn tells(goal: &Goal, record: &Record, importance: Importance, lang: Lang) -> bool {
    match goal {
        Goal::Message => {
            importance > Importance::Heartbeat
                && matches!(&record.source, Fact::Peer(e) if matches!(e.kind, EventKind::Received { .. }))
        }
        Goal::Phase => importance >= Importance::Headline,
        Goal::Epoch => {
            matches!(&record.source, Fact::Peer(e) if matches!(e.kind, EventKind::Established { .. }))
        }
        Goal::Text(wanted) => {
            let line = short(&record.source, lang, &NoContext).text;
            line.to_lowercase().contains(&**wanted)
        }
        Goal::Role(_) | Goal::Znode(_) | Goal::Invariant => false,
    }
}

impl State {
    pub(super) fn time_act(&mut self, act: TimeAct) {
        match act {
            TimeAct::Until(goal) => self.look_for(goal),
            TimeAct::Stop => self.stop_looking(),
            TimeAct::Unit(unit) => self.times.unit = unit,
            TimeAct::Tab(tab) => self.times.tab = tab,
            TimeAct::Bookmark(name) => {
                if !self.run.change().add_bookmark(&name) {
                    self.notify(Notice::Bookmarks);
                }
            }
            TimeAct::NameBookmark(no, name) => self.run.change().name_bookmark(no, &name),
            TimeAct::Forget(no) => self.run.change().forget_bookmark(no),
            TimeAct::Visit(no) => {
                self.motion = Motion::Still;
                self.together.clear();
                self.run.change().visit_bookmark(no);
                self.observe();
                self.settle();
            }
            TimeAct::NameBranch(branch, name) => {
                self.run.change().name_branch(branch, &name);
            }
            TimeAct::Moment(at) => {
                let step = self.run.get().step_at(at);
                self.goto(step);
            }
            TimeAct::Message(arrow, at) => self.show_message(arrow, at),
        }
    }

    /// *Step* by what was chosen.
    pub(super) fn move_by_unit(&mut self, toward: Toward) {
        match (toward, self.times.unit.goal()) {
            (Toward::Past, Some(goal)) => self.back_to(&goal),
            (Toward::Future, Some(goal)) => self.look_for(goal),
            (_, None) => {}
        }
    }

    fn back_to(&mut self, goal: &Goal) {
        if self.moves() {
            self.motion = Motion::Still;
            self.settle();
        }
        let before = {
            let run = self.run.get();
            let (records, told) = (run.history().records(), run.track().told());
            let end = self.focus.unwrap_or(0).min(told.len());
            let found = told[..end].iter().rev().find(|t| {
                let record = records.get(t.index);
                record.is_some_and(|r| tells(goal, r, t.importance, self.lang))
            });
            found.map(|t| t.index)
        };
        match before {
            Some(index) => self.tell(index),
            None => self.first(),
        }
    }

    /// To the last moment at or before `at` at which a message is under way; then it is chosen.
    fn show_message(&mut self, arrow: u32, at: u64) {
        let found = self.run.get().message_moment(arrow, at);
        let Some(step) = found else { return };
        self.goto(step);
        let number = self.run.get().message_number(arrow);
        if let Some(number) = number {
            self.apply(super::Action::Select(super::Selection::Message(number)));
        }
    }

    // ---- looking for something ------------------------------------------------------------------------

    fn look_for(&mut self, goal: Goal) {
        self.finish();
        self.motion = Motion::Still;
        let goal = match goal {
            Goal::Text(text) => Goal::Text(Rc::from(text.trim().to_lowercase())),
            other => other,
        };
        let search = {
            let run = self.run.get();
            // What was told already is not found again.
            let from = self.focus.map_or(0, |f| f + 1);
            Search::new(&run, goal, from, self.lang)
        };
        self.times.search = Some(Handle::new(search));
        self.motion = Motion::Searching;
        if self.reduced {
            // There is nothing to be seen on the way: what is near is found at once.
            self.slice();
        }
    }

    /// A slice of the search.
    pub(super) fn take_slice(&mut self) {
        let Some(mut handle) = self.times.search.clone() else {
            self.motion = Motion::Still;
            return;
        };
        let found = {
            let mut search = handle.quietly();
            let mut run = self.run.quietly();
            search.slice(&mut run)
        };
        match found {
            search::Sliced::Goes => {
                handle.touch();
                self.times.search = Some(handle);
            }
            search::Sliced::Found(index) => {
                self.ended();
                self.focus = Some(index);
            }
            search::Sliced::Failed(failure) => {
                self.ended();
                self.notify(Notice::Broken(failure));
            }
            search::Sliced::Missed(missed) => {
                self.stop_looking();
                self.notify(Notice::Missed(missed));
            }
        }
    }

    fn ended(&mut self) {
        self.times.search = None;
        self.motion = Motion::Still;
        self.run.touch();
        self.observe();
        self.settle();
    }

    /// Ends a search where it began.
    pub(super) fn end_looking(&mut self) {
        let Some(handle) = self.times.search.clone() else {
            return;
        };
        let focus = self.focus;
        handle.get().back(&mut self.run.quietly());
        self.ended();
        self.focus = focus;
    }
}
