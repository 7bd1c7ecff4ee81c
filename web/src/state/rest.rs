//! What can be done that the first picture does not need; see [`crate::later`].

use super::{
    Action, HOLD_HEADLINE_MS, Motion, Notice, STEPS_AT_ONCE, State, Tab, hand, run::Run, search,
};
use crate::{later::Later, text::Importance};
use std::rc::Rc;
use zabscope_core::sim::{self, ClientNo};

/// The functions.
pub struct Rest {
    act: fn(&mut State, Action),
    by_unit: fn(&mut State, Toward),
    observe: fn(&mut State),
    lesson_move: fn(&mut State) -> bool,
    slice: fn(&mut State),
    stop_looking: fn(&mut State),
}

/// All of them.
pub static REST: Rest = Rest {
    act: State::do_rest,
    by_unit: State::move_by_unit,
    observe: State::observe_lesson,
    lesson_move: State::move_lesson,
    slice: State::take_slice,
    stop_looking: State::end_looking,
};

thread_local! {
    pub(crate) static LATER: Later<Rest> = const { Later::new(&REST) };
}

fn get() -> Option<&'static Rest> {
    LATER.with(Later::get)
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// To what comes.
    Future,
    /// To what was.
    Past,
}

impl Action {
    /// Whether it can't be done before all of the page is here.
    #[must_use]
    pub fn needs_rest(&self) -> bool {
        match self {
            Action::Lesson(_)
            | Action::Time(_)
            | Action::Undo
            | Action::Act(_)
            | Action::ActAll(_)
            | Action::Blow(..)
            | Action::Switch(_)
            | Action::Why(_)
            | Action::NewWorld(_)
            | Action::Load(_)
            | Action::Searched(_)
            | Action::OpenFound
            | Action::Await(_) => true,
            Action::Play
            | Action::Pause
            | Action::Toggle
            | Action::Step
            | Action::Back
            | Action::NextPhase
            | Action::Frame(_)
            | Action::Tick
            | Action::Goto(_)
            | Action::Tell(_)
            | Action::First
            | Action::Last
            | Action::Speed(_)
            | Action::Heartbeats(_)
            | Action::Select(_)
            | Action::Tab(_)
            | Action::Lang(_)
            | Action::Theme(_)
            | Action::Reduced(_)
            | Action::Notify(_)
            | Action::Dismiss
            | Action::Dialog(_)
            | Action::Forget
            | Action::Here => false,
        }
    }
}

// ---- where the first file calls the second; nothing of this can be under way before that is here --------

impl State {
    pub(super) fn rest(&mut self, action: Action) {
        if let Some(rest) = get() {
            (rest.act)(self, action);
        }
    }

    pub(super) fn by_unit(&mut self, toward: Toward) {
        if let Some(rest) = get() {
            (rest.by_unit)(self, toward);
        }
    }

    pub(super) fn observe(&mut self) {
        if self.lesson.is_some()
            && let Some(rest) = get()
        {
            (rest.observe)(self);
        }
    }

    pub(super) fn lesson_move(&mut self) -> bool {
        self.lesson.is_some() && get().is_some_and(|rest| (rest.lesson_move)(self))
    }

    pub(super) fn slice(&mut self) {
        if let Some(rest) = get() {
            (rest.slice)(self);
        }
    }

    pub(super) fn stop_looking(&mut self) {
        if self.times.search.is_some()
            && let Some(rest) = get()
        {
            (rest.stop_looking)(self);
        }
    }
}

// ---- the second file -----------------------------------------------------------------------------------

impl State {
    fn do_rest(&mut self, action: Action) {
        match action {
            Action::Lesson(act) => self.lesson_act(act),
            Action::Time(act) => self.time_act(act),
            Action::Undo => self.undo(),
            Action::Act(action) => self.act(action),
            Action::ActAll(actions) => self.act_all(actions.iter().cloned()),
            Action::Blow(to, blow) => {
                let to = to.unwrap_or_else(|| self.selection.clone());
                let actions = hand::blow(self.run.get().world(), &to, blow);
                self.act_all(actions.into_iter());
            }
            Action::Switch(branch) => {
                self.motion = Motion::Still;
                self.together.clear();
                self.run.change().switch(branch);
                self.settle();
            }
            Action::Why(act) => self.why(act),
            Action::NewWorld(setup) => match Run::new(&setup) {
                Ok(run) => self.show(run),
                Err(error) => self.notify(Notice::Setup(error)),
            },
            Action::Load(loaded) => {
                if let Some(imported) = loaded.run.take() {
                    let other = imported.mismatch.is_some();
                    let mut run = Run::imported(imported);
                    run.title = loaded.title;
                    self.show(run);
                    if other {
                        self.notify(Notice::OtherVersion);
                    }
                }
            }
            Action::Searched(news) => self.searched(news),
            Action::OpenFound => self.open_found(),
            Action::Await(client) => self.wait_for(client),
            // State::apply does the others.
            _ => {}
        }
    }

    fn searched(&mut self, news: Rc<search::Searched>) {
        let found = matches!(*news, search::Searched::Found(..));
        self.search = news;
        // Who takes a lesson is not taken away from it.
        if found && self.lesson.is_none() {
            self.open_found();
        }
    }

    fn open_found(&mut self) {
        if let search::Searched::Found(_, found) = &*self.search {
            match found.open() {
                Ok(history) => {
                    self.show(Run::of(history));
                    self.tab = Tab::Act;
                }
                Err(error) => self.notify(Notice::Import(error)),
            }
        }
    }

    /// Takes steps until a client waits for nothing, or as many as one act may take.
    fn wait_for(&mut self, client: ClientNo) {
        if self.moves() {
            return;
        }
        let waits = |state: &State| {
            let run = state.run.get();
            let view = run.world().client(client);
            view.is_some_and(|c| c.pending + c.queued > 0)
        };
        for _ in 0..STEPS_AT_ONCE {
            if !waits(self) || !self.take_step() {
                break;
            }
        }
        self.settle();
    }

    pub(super) fn act(&mut self, action: sim::Action) {
        self.finish();
        self.together.still_known(self.actions());
        let told = self.run.get().len();
        let done = self.run.change().act(action);
        match done {
            Ok(()) => {
                self.observe();
                self.notice = None;
                self.time = self.run.get().world().now().max(self.time);
                self.refocus();
                let first = {
                    let run = self.run.get();
                    run.track().after(told, run.len(), Importance::Step)
                };
                if let Some(first) = first {
                    self.focus = Some(first.index);
                    self.hold_ms = HOLD_HEADLINE_MS;
                }
            }
            Err(error) => self.notify(Notice::Impossible(error)),
        }
    }
}
