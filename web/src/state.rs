//! What the page shows and how it changes: [`State`], [`Action`], [`State::apply`]. Plain Rust, tested
//! natively; no browser is known here.
//!
//! * [`until`]: moving in time by something else than one event. * [`bookmark`], [`compare`]: moments that are
//!   kept, branches side by side.
//! * [`asked`]: why not, what if. * [`watch`]: the invariants.
//! * `lesson`: what a lesson wants. * [`run`]: the history, with an index over it. * [`track`]: what is told, and where it stands on the
//!   scrubber. * [`scout`]: when the next thing happens. * [`pace`]: how fast virtual time passes. * [`rest`]: what
//!   comes after the first picture.

pub mod asked;
pub mod bookmark;
pub mod compare;
pub mod hand;
mod lesson;
pub mod pace;
pub mod rest;
pub mod run;
pub mod scout;
pub mod search;
pub mod track;
mod undo;
pub mod until;
pub mod watch;

#[cfg(test)]
mod tests;

use crate::text::{Importance, Lang};
use asked::{Asked, WhyAct};
pub use lesson::{LessonAct, LessonHandle};
use pace::Speed;
use rest::Toward;
use run::{Run, RunHandle};
use std::rc::Rc;
use zabscope_core::{
    id::ServerId,
    sim::{self, ActError, BranchNo, ClientNo, ImportError, Setup, SetupError},
    time::Moment,
};

/// What is chosen. One selection lights up in all views at once. A session is chosen with the client
/// that owns it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Selection {
    /// Nothing.
    #[default]
    Nothing,
    /// A server.
    Server(ServerId),
    /// A client.
    Client(ClientNo),
    /// The link between two servers, the smaller id first.
    Link(ServerId, ServerId),
    /// A message: [`sim::InFlight::number`], or
    /// [`client_message`](crate::scene::read::client_message).
    Message(u64),
    /// A znode, by its path: as every server has it.
    Znode(Rc<str>),
}

/// A tab of the side panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tab {
    /// A lesson, or what one can try.
    Lesson,
    /// What is selected: a server, a client, a link, a message.
    Chosen,
    /// The tree.
    Tree,
    /// A client's commands.
    Console,
    /// Faults and clients.
    Act,
    /// Why what the sentence says happened.
    Why,
    /// Sessions and watches.
    Sessions,
    /// The invariants.
    Invariants,
}

/// Whether virtual time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// It stands.
    Still,
    /// It passes until someone stops it.
    Playing,
    /// It passes until the world comes to rest: the opening.
    Opening,
    /// It passes as far as the lesson wants.
    Lesson,
    /// It passes until something that matters so much has happened; so many ms are left for that.
    Until(Importance, f64),
    /// Steps are taken, as fast as they can be, until something is found.
    Searching,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Theme {
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

/// Something that could not be done, or was done otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An action is impossible now.
    Impossible(ActError),
    /// A setup is out of bounds.
    Setup(SetupError),
    /// A link or file can't be read; the default world is shown instead.
    Unreadable(crate::link::LinkError),
    /// A run can't be repeated.
    Import(ImportError),
    /// A link names a lesson that is not there.
    NoLesson,
    /// A link names a world that is not in the gallery.
    NoWorld,
    /// A file of the page can't be fetched: which, and why.
    Unfetched(&'static str, Rc<str>),
    /// A lesson can't be taken.
    Lesson(Rc<str>),
    /// The run was recorded by another version: it goes on, but differently.
    OtherVersion,
    /// The link is in the clipboard; with its length.
    Copied(usize),
    /// A text is in the clipboard.
    TextCopied,
    /// A file could not be made: why.
    NotSaved(Rc<str>),
    /// The link could not be copied: it is in the address bar.
    NotCopied,
    /// The run is too long for a link.
    TooLong,
    /// Nothing can happen any more, or the run has its greatest length.
    End,
    /// The host has a newer page.
    Newer,
    /// A part of the page could not be fetched.
    Incomplete,
    /// What was looked for was not found.
    Missed(until::Missed),
    /// An invariant does not hold.
    Broken(until::Failure),
    /// There are too many bookmarks.
    Bookmarks,
}

impl Notice {
    /// It was read as soon as one does something else; a refusal stays until it is closed or mended.
    fn is_news(&self) -> bool {
        matches!(
            self,
            Notice::Copied(_)
                | Notice::TextCopied
                | Notice::NotCopied
                | Notice::End
                | Notice::OtherVersion
                | Notice::Missed(_)
                | Notice::Bookmarks
        )
    }
}

/// A dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialog {
    /// The keys.
    Keys,
    /// A new world.
    World,
    /// What to go on until.
    Until,
    /// Which servers stand on which side.
    Partition,
    /// Worlds to begin with.
    Gallery,
    /// The run as a file or a picture.
    Export,
    /// What the header has no room for.
    Menu,
}

/// All that can be done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Let virtual time pass.
    Play,
    /// Stop it.
    Pause,
    /// The one or the other.
    Toggle,
    /// To the next thing that matters.
    Step,
    /// To the one before.
    Back,
    /// To the next turning point.
    NextPhase,
    /// So many ms passed on the wall.
    Frame(f64),
    /// The next of the discrete frames that stand for motion.
    Tick,
    /// Something about a lesson.
    Lesson(LessonAct),
    /// Something about moving in time.
    Time(until::TimeAct),
    /// To the moment after this step.
    Goto(u64),
    /// To what this record tells.
    Tell(usize),
    /// To before the last thing that was done to the world.
    Undo,
    /// To the beginning.
    First,
    /// To the end of the branch.
    Last,
    /// Do something to the world.
    Act(sim::Action),
    /// Do several things at one moment.
    ActAll(Rc<[sim::Action]>),
    /// A fault by hand: to this, or to what is chosen.
    Blow(Option<Selection>, hand::Blow),
    /// To the end of another branch.
    Switch(BranchNo),
    /// How fast.
    Speed(Speed),
    /// Whether heartbeats and disk ticks are told too.
    Heartbeats(bool),
    /// Choose something.
    Select(Selection),
    /// Open a tab.
    Tab(Tab),
    /// Ask why not, what if, why this value; go along causes.
    Why(WhyAct),
    /// The language.
    Lang(Lang),
    /// The theme.
    Theme(Theme),
    /// Whether motion is to be avoided.
    Reduced(bool),
    /// Another world, from its first step.
    NewWorld(Box<Setup>),
    /// Another run.
    Load(Loaded),
    /// What a search says of itself; what it has found is opened.
    Searched(Rc<search::Searched>),
    /// Open what the search found.
    OpenFound,
    /// Say something.
    Notify(Notice),
    /// Enough of it.
    Dismiss,
    /// Open a dialog, or close it.
    Dialog(Option<Dialog>),
    /// The run that was kept is not wanted any more.
    Forget,
    /// Let time pass until a client has its answers.
    Await(ClientNo),
    /// All of the page is here.
    Here,
}

/// A run that was read.
#[derive(Clone)]
pub struct Loaded {
    run: Rc<std::cell::Cell<Option<sim::Imported>>>,
    title: Option<Title>,
}

/// What a run is called, in English and in Chinese.
pub type Title = Rc<[String; 2]>;

/// The one of this language.
#[must_use]
pub fn title_in(title: &Title, lang: Lang) -> &str {
    match lang {
        Lang::En => &title[0],
        Lang::Zh => &title[1],
    }
}

impl Loaded {
    /// Wraps it, to be taken once.
    #[must_use]
    pub fn new(imported: sim::Imported) -> Loaded {
        Loaded {
            run: Rc::new(std::cell::Cell::new(Some(imported))),
            title: None,
        }
    }

    /// The same as a world that has a name.
    #[must_use]
    pub fn titled(self, en: &str, zh: &str) -> Loaded {
        Loaded {
            title: Some(Rc::new([en.to_owned(), zh.to_owned()])),
            ..self
        }
    }
}

impl Action {
    /// A person asked for it; time did not.
    fn is_of_a_person(&self) -> bool {
        !matches!(
            self,
            Action::Frame(_)
                | Action::Tick
                | Action::Notify(_)
                | Action::Reduced(_)
                | Action::Searched(_)
                | Action::Here
        )
    }
}

impl core::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Loaded")
    }
}

/// What the page shows.
#[derive(Clone, PartialEq)]
pub struct State {
    /// The run.
    pub run: RunHandle,
    /// Virtual time as it is shown, between the cursor's and the next step's.
    pub time: Moment,
    /// Parts of a microsecond that are left over.
    rest_us: f64,
    /// Whether it passes.
    pub motion: Motion,
    /// How fast.
    pub speed: Speed,
    /// Heartbeats and disk ticks are told too.
    pub heartbeats: bool,
    /// How one moves in time.
    pub times: until::TimeView,
    /// The record that the sentence is about; `None`: nothing has happened yet.
    pub focus: Option<usize>,
    /// How long the sentence stands still, in ms on the wall.
    hold_ms: f64,
    /// What is chosen.
    pub selection: Selection,
    /// The answer to the last *why not* or *what if*.
    pub asked: Option<Rc<Asked>>,
    /// The branch on which that was asked.
    asked_on: BranchNo,
    /// The open tab.
    pub tab: Tab,
    /// The open lesson.
    pub lesson: Option<LessonHandle>,
    /// The run that was left for it, to come back to.
    left: Option<RunHandle>,
    /// The language.
    pub lang: Lang,
    /// The theme.
    pub theme: Theme,
    /// Discrete frames instead of motion.
    pub reduced: bool,
    /// What was done at once: how many actions there were before and after.
    together: undo::Together,
    /// What is to be said.
    pub notice: Option<Rc<Notice>>,
    /// What is known of the last search.
    pub search: Rc<search::Searched>,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// Inside somebody's article: only the stage, the sentence and the controls.
    pub embed: bool,
    /// The run of an earlier visit, as it was kept.
    pub kept: Option<Rc<str>>,
    /// All of the page is here; see [`crate::later`].
    pub here: bool,
}

/// So many steps are taken in one frame at most.
const STEPS_PER_FRAME: usize = 400;
/// So many steps are taken by one *Step* or *Next phase* at most.
const STEPS_AT_ONCE: usize = 3000;
/// While time passes, a sentence stands at least so long.
const HOLD_MS: f64 = 550.0;
/// A turning point stands longer.
const HOLD_HEADLINE_MS: f64 = 1300.0;

/// The world that the page opens with: five servers, an election about to begin.
#[must_use]
pub fn opening() -> Setup {
    Setup {
        seed: 7,
        ..Setup::default()
    }
}

impl State {
    /// A page that shows this run.
    #[must_use]
    pub fn new(run: Run) -> State {
        let time = run.world().now();
        let mut state = State {
            run: RunHandle::new(run),
            time,
            rest_us: 0.0,
            motion: Motion::Still,
            speed: Speed::default(),
            heartbeats: false,
            times: until::TimeView::default(),
            focus: None,
            hold_ms: 0.0,
            selection: Selection::Nothing,
            asked: None,
            asked_on: BranchNo(0),
            tab: Tab::Lesson,
            lesson: None,
            left: None,
            lang: Lang::En,
            theme: Theme::Light,
            reduced: false,
            search: Rc::default(),
            together: undo::Together::default(),
            notice: None,
            dialog: None,
            embed: false,
            kept: None,
            here: crate::later::is_here(),
        };
        state.refocus();
        state
    }

    /// What is told at least.
    #[must_use]
    pub fn least(&self) -> Importance {
        if self.heartbeats {
            Importance::Heartbeat
        } else {
            Importance::Step
        }
    }

    /// What is open, by its name: a lesson, or a world that has one. `None`: a run of the visitor's own.
    #[must_use]
    pub fn title(&self) -> Option<Title> {
        let Some(lesson) = &self.lesson else {
            return self.run.get().title.clone();
        };
        let lesson = lesson.get();
        let text = |lang| lesson.lesson().text(lang).title.to_owned();
        Some(Rc::new([
            text(zabscope_lessons::Lang::En),
            text(zabscope_lessons::Lang::Zh),
        ]))
    }

    /// Whether virtual time passes.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.motion != Motion::Still
    }

    /// Whether it passes until someone stops it.
    #[must_use]
    pub fn plays(&self) -> bool {
        matches!(
            self.motion,
            Motion::Playing | Motion::Opening | Motion::Lesson | Motion::Searching
        )
    }

    /// Does it.
    pub fn apply(&mut self, action: Action) {
        if self.times.search.is_some() && action.is_of_a_person() {
            // Whatever one does, it is done where one stood.
            self.stop_looking();
        }
        if action.is_of_a_person() && self.notice.as_ref().is_some_and(|n| n.is_news()) {
            self.notice = None;
        }
        let (said, was) = (self.notice.clone(), self.standing());
        self.do_it(action);
        // What is said of a moment is said as long as one is there.
        if let (Some(said), Some(now)) = (said, &self.notice)
            && matches!(*said, Notice::Broken(_))
            && Rc::ptr_eq(&said, now)
            && was != self.standing()
        {
            self.notice = None;
        }
        // What an answer rests on did not happen elsewhere, where other events have the same numbers.
        if let Some(Asked::Not(_)) = self.asked.as_deref()
            && self.asked_on != self.run.get().history().branch()
        {
            self.asked = None;
        }
    }

    /// Where one is, and of what the sentence tells.
    fn standing(&self) -> (sim::history::branches::Spot, Option<usize>) {
        (self.run.get().history().here(), self.focus)
    }

    fn do_it(&mut self, action: Action) {
        match action {
            Action::Play => self.play(),
            Action::Pause => self.pause(),
            Action::Toggle if self.plays() => self.pause(),
            Action::Toggle => self.play(),
            Action::Step => match self.times.unit {
                until::Unit::Event => self.step(),
                until::Unit::Phase => self.next_phase(),
                until::Unit::Message | until::Unit::Epoch => self.by_unit(Toward::Future),
            },
            Action::Back => match self.times.unit {
                until::Unit::Event => self.back(),
                _ => self.by_unit(Toward::Past),
            },
            Action::NextPhase => self.next_phase(),
            Action::Frame(ms) => self.frame(ms),
            Action::Tick => self.tick(),
            Action::Goto(step) => self.goto(step),
            Action::Tell(index) => self.tell(index),
            Action::First => self.first(),
            Action::Last => {
                let end = self.run.get().history().end();
                self.goto(end);
            }
            Action::Speed(speed) => self.speed = speed,
            Action::Heartbeats(on) => {
                self.heartbeats = on;
                self.refocus();
            }
            // Escape, while the dialog itself is on its way.
            Action::Select(Selection::Nothing) if !self.here && self.dialog.is_some() => {
                self.dialog = None;
            }
            Action::Select(selection) => {
                self.tab = match &selection {
                    Selection::Nothing => self.tab,
                    // It is chosen in the tree and stays in sight there.
                    Selection::Znode(_) => Tab::Tree,
                    Selection::Server(_)
                    | Selection::Client(_)
                    | Selection::Link(..)
                    | Selection::Message(_) => Tab::Chosen,
                };
                self.selection = selection;
            }
            Action::Tab(tab) => self.tab = tab,
            Action::Lang(lang) => self.lang = lang,
            Action::Theme(theme) => self.theme = theme,
            Action::Reduced(reduced) => self.reduced = reduced,
            Action::Notify(notice) => self.notify(notice),
            Action::Dismiss => self.notice = None,
            Action::Forget => self.kept = None,
            Action::Here => {
                self.here = true;
                self.notice = self.notice.take().filter(|n| **n != Notice::Incomplete);
            }
            // What is embedded has none.
            Action::Dialog(_) if self.embed => {}
            Action::Dialog(dialog) => {
                self.dialog = dialog;
                if dialog.is_some() {
                    self.pause();
                }
            }
            // Those of Action::needs_rest.
            _ => self.rest(action),
        }
    }

    fn notify(&mut self, notice: Notice) {
        self.notice = Some(Rc::new(notice));
    }

    /// Another run takes the place of the shown one: nothing that was about that one is left.
    fn put(&mut self, run: RunHandle) {
        self.run = run;
        self.together.clear();
        self.motion = Motion::Still;
        self.times.search = None;
        self.selection = Selection::Nothing;
        self.asked = None;
        self.settle();
    }

    fn show(&mut self, run: Run) {
        self.put(RunHandle::new(run));
        if matches!(self.tab, Tab::Chosen | Tab::Why) {
            self.tab = Tab::Lesson;
        }
        self.notice = None;
        self.dialog = None;
        self.lesson = None;
        self.left = None;
    }

    // ---- where the sentence stands -----------------------------------------------------------------

    /// The shown time is the cursor's, and the sentence tells the last thing that matters.
    fn settle(&mut self) {
        self.time = self.run.get().world().now();
        self.rest_us = 0.0;
        self.refocus();
    }

    fn refocus(&mut self) {
        let told = self.run.get().last(self.least());
        self.focus = told.map(|t| t.index);
        self.hold_ms = 0.0;
    }

    fn play(&mut self) {
        self.finish();
        self.motion = if self.lesson_runs() {
            Motion::Lesson
        } else {
            Motion::Playing
        };
    }

    fn pause(&mut self) {
        if self.moves() {
            self.motion = Motion::Still;
            // What was held back is told now.
            self.refocus();
        }
    }

    // ---- moving ------------------------------------------------------------------------------------

    /// Ends what is under way, at once.
    fn finish(&mut self) {
        if let Motion::Until(least, _) = self.motion {
            self.motion = Motion::Still;
            self.run_until(least);
        }
    }

    fn step(&mut self) {
        if let Motion::Until(..) = self.motion {
            // However fast one steps, everything that is stepped to is shown.
            self.finish();
            return;
        }
        self.motion = Motion::Still;
        let (least, from) = (self.least(), self.focus.map_or(0, |f| f + 1));
        let here = {
            let run = self.run.get();
            run.track().after(from, run.len(), least)
        };
        if let Some(told) = here {
            // Several things happened in one step of the world: one after the other.
            self.focus = Some(told.index);
            self.time = self.run.get().world().now();
            return;
        }
        // At rest there are only heartbeats: then one of them is shown, and why it comes.
        let least = if self.comes(least) {
            least
        } else {
            Importance::Heartbeat
        };
        self.until(least, pace::STEP_MS);
    }

    fn next_phase(&mut self) {
        self.finish();
        self.motion = Motion::Still;
        if self.comes(Importance::Headline) {
            self.until(Importance::Headline, pace::PHASE_MS);
        } else if self.comes(self.least()) {
            self.run_to_rest();
        } else {
            self.until(Importance::Heartbeat, pace::STEP_MS);
        }
    }

    /// Whether something that matters so much happens soon if nobody acts.
    fn comes(&self, least: Importance) -> bool {
        self.run.quietly().ahead(least).matters.is_some()
    }

    /// Takes steps until only heartbeats are left.
    fn run_to_rest(&mut self) {
        let least = self.least();
        for _ in 0..STEPS_AT_ONCE {
            if !self.comes(least) || !self.take_step() {
                break;
            }
        }
        self.settle();
    }

    fn until(&mut self, least: Importance, within_ms: f64) {
        if self.reduced {
            self.run_until(least);
        } else {
            self.motion = Motion::Until(least, within_ms);
        }
    }

    /// Takes steps until something happens that matters so much, and tells it.
    fn run_until(&mut self, least: Importance) {
        let from = self.run.get().len();
        let mut taken = 0;
        let found = loop {
            if taken >= STEPS_AT_ONCE || !self.take_step() {
                break None;
            }
            taken += 1;
            let run = self.run.get();
            if let Some(told) = run.track().after(from, run.len(), least) {
                break Some(told);
            }
        };
        self.settle();
        match found {
            Some(told) => self.focus = Some(told.index),
            None if taken == 0 => self.notify(Notice::End),
            None => {}
        }
    }

    fn first(&mut self) {
        self.motion = Motion::Still;
        self.run.change().goto(0);
        // What was done before the first step is undone, too.
        while self.run.change().back() {}
        self.settle();
    }

    fn goto(&mut self, step: u64) {
        self.motion = Motion::Still;
        self.run.change().goto(step);
        self.observe();
        self.settle();
    }

    /// One step of the world. False: nothing can happen any more.
    fn take_step(&mut self) -> bool {
        let took = self.run.change().step();
        if took {
            self.observe();
        }
        took
    }

    fn tell(&mut self, index: usize) {
        self.motion = Motion::Still;
        let step = {
            let run = self.run.get();
            run.track().told().get(index).map(|t| t.step)
        };
        let Some(step) = step else { return };
        let cursor = self.run.get().history().cursor();
        if step != cursor {
            self.run.change().goto(step);
        }
        // What an action did after this step is undone as far as the record stays.
        self.undo_after(index);
        self.settle();
        self.focus = Some(index);
    }

    /// Undoes actions that were done at the cursor's step and after record `index`.
    fn undo_after(&mut self, index: usize) {
        loop {
            let (step, acted) = {
                let run = self.run.get();
                let step = run.history().cursor();
                let acted = run
                    .history()
                    .actions()
                    .last()
                    .is_some_and(|a| a.step == step);
                (step, acted && run.len() > index + 1)
            };
            if !acted {
                return;
            }
            self.run.change().back();
            if self.run.get().len() <= index {
                // It was this action that the record tells of.
                self.run.change().goto(step);
                return;
            }
        }
    }

    fn back(&mut self) {
        if self.moves() {
            let was_still = matches!(self.motion, Motion::Until(..));
            self.motion = Motion::Still;
            if was_still {
                // The step had not happened yet: that is undone, and nothing else.
                self.settle();
                return;
            }
            self.refocus();
        }
        let before = {
            let run = self.run.get();
            let from = self.focus.unwrap_or(0);
            run.track().before(from, self.least())
        };
        match before {
            Some(told) => self.tell(told.index),
            None => self.first(),
        }
    }

    // ---- virtual time ------------------------------------------------------------------------------

    fn frame(&mut self, ms: f64) {
        if !self.moves() {
            return;
        }
        if self.motion == Motion::Searching {
            self.slice();
            return;
        }
        // A page that was hidden does not catch up.
        let ms = ms.clamp(0.0, 100.0);
        let goal = match self.motion {
            Motion::Until(least, _) => least,
            Motion::Still
            | Motion::Playing
            | Motion::Opening
            | Motion::Lesson
            | Motion::Searching => self.least(),
        };
        let ahead = self.run.quietly().ahead(goal);
        let Some(next) = ahead.next else {
            // What the lesson does itself can happen all the same.
            if self.motion != Motion::Lesson || !self.lesson_move() {
                self.motion = Motion::Still;
                self.refocus();
                self.notify(Notice::End);
            }
            return;
        };
        let gap = |at: Moment| (at - self.time).0 as f64;
        let velocity = match self.motion {
            Motion::Until(least, left) => {
                if left <= ms {
                    self.motion = Motion::Still;
                    self.run_until(least);
                    return;
                }
                self.motion = Motion::Until(least, left - ms);
                match ahead.matters {
                    Some(at) => gap(at) / (left - ms).max(ms),
                    None => gap(next) / ms,
                }
            }
            Motion::Opening if ahead.matters.is_none() => {
                self.motion = Motion::Still;
                self.refocus();
                return;
            }
            Motion::Still
            | Motion::Playing
            | Motion::Opening
            | Motion::Lesson
            | Motion::Searching => pace::velocity(self.speed, ahead.matters.map(gap)),
        };
        let us = velocity * ms + self.rest_us;
        self.rest_us = us.fract();
        self.time = self.time + zabscope_core::time::Span(us as u64);
        self.catch_up(goal);
        self.hold_ms -= ms;
        if !matches!(self.motion, Motion::Until(..)) && self.moves() {
            self.follow();
        }
    }

    /// Takes the steps whose time has come.
    fn catch_up(&mut self, goal: Importance) {
        let from = self.run.get().len();
        for _ in 0..STEPS_PER_FRAME {
            let next = self.run.quietly().ahead(Importance::Heartbeat).next;
            if next.is_none_or(|at| at > self.time) {
                return;
            }
            let moved = if self.motion == Motion::Lesson {
                self.lesson_move()
            } else {
                self.take_step()
            };
            if !self.moves() {
                // The lesson has got what it wanted.
                self.settle();
                return;
            }
            if !moved {
                self.motion = Motion::Still;
                self.settle();
                self.notify(Notice::End);
                return;
            }
            if matches!(self.motion, Motion::Until(..)) {
                let found = {
                    let run = self.run.get();
                    run.track().after(from, run.len(), goal)
                };
                if let Some(told) = found {
                    self.motion = Motion::Still;
                    self.settle();
                    self.focus = Some(told.index);
                    return;
                }
            }
        }
        self.time = self.run.get().world().now();
    }

    /// One of the discrete frames that stand for motion.
    fn tick(&mut self) {
        match self.motion {
            Motion::Still | Motion::Until(..) => {}
            Motion::Searching => self.slice(),
            Motion::Lesson => {
                let (from, least) = (self.run.get().len(), self.least());
                for _ in 0..STEPS_AT_ONCE {
                    if !self.lesson_move() || !self.moves() {
                        break;
                    }
                    let run = self.run.get();
                    if run.track().after(from, run.len(), least).is_some() {
                        break;
                    }
                }
                self.settle();
            }
            motion @ (Motion::Playing | Motion::Opening) => {
                if motion == Motion::Opening && !self.comes(self.least()) {
                    self.motion = Motion::Still;
                    return;
                }
                let lesson = self.lesson.clone();
                self.step();
                // Unless a lesson has got what it wanted.
                if self.lesson == lesson {
                    self.motion = motion;
                }
            }
        }
    }

    /// While time passes, the sentence follows, but not faster than one can read its beginning.
    fn follow(&mut self) {
        let (headline, last) = {
            let run = self.run.get();
            let from = self.focus.map_or(0, |f| f + 1);
            (
                run.track().after(from, run.len(), Importance::Headline),
                run.last(self.least()),
            )
        };
        if let Some(headline) = headline {
            self.focus = Some(headline.index);
            self.hold_ms = HOLD_HEADLINE_MS;
        } else if self.hold_ms <= 0.0
            && let Some(last) = last
            && self.focus != Some(last.index)
        {
            self.focus = Some(last.index);
            self.hold_ms = HOLD_MS;
        }
    }
}
