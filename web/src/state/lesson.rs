//! The open lesson: its player watches the run, and leads it where a step wants that.

use super::{
    Motion, Notice, State, Tab,
    run::{Handle, Run, RunHandle},
};
use std::rc::Rc;
use zabscope_lessons::{Advanced, LessonError, Player, Status};

/// A handle to a player.
pub type LessonHandle = Handle<Player>;

/// What one can do in a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonAct {
    /// Open it at a step, from 0.
    Open(&'static str, usize),
    /// Close it; the world stays.
    Leave,
    /// To the next step.
    Next,
    /// To this step, as it was when it began.
    Enter(usize),
    /// One more hint.
    Hint,
    /// Show how it is done.
    ShowMe,
    /// Choose an answer, and try it out.
    Answer(usize),
    /// Let happen what the step wants.
    Run,
}

impl State {
    /// Whether the open lesson wants something to happen.
    #[must_use]
    pub fn lesson_runs(&self) -> bool {
        self.lesson.as_ref().is_some_and(|lesson| {
            matches!(
                lesson.get().status(),
                Status::Watching | Status::Running | Status::Showing
            )
        })
    }

    pub(super) fn lesson_act(&mut self, act: LessonAct) {
        self.motion = Motion::Still;
        let done = self.try_lesson_act(act);
        if let Some(lesson) = &mut self.lesson {
            lesson.touch();
        }
        if let Err(error) = done {
            self.lesson_failed(&error);
        }
    }

    fn try_lesson_act(&mut self, act: LessonAct) -> Result<(), LessonError> {
        if let LessonAct::Open(name, step) = act {
            let Some(lesson) = zabscope_lessons::load(name) else {
                self.notify(Notice::NoLesson);
                return Ok(());
            };
            let (player, history) = Player::open(lesson?, step)?;
            let own = self.lesson.is_none().then(|| self.run.clone());
            let left = self.left.take().or(own);
            self.show(Run::of(history));
            self.left = left;
            self.lesson = Some(Handle::new(player));
            self.tab = Tab::Lesson;
            return Ok(());
        }
        let Some(lesson) = self.lesson.clone() else {
            return Ok(());
        };
        let mut player = lesson.quietly();
        match act {
            LessonAct::Open(..) => {}
            LessonAct::Leave => {
                self.lesson = None;
                if let Some(own) = self.left.take() {
                    self.put(own);
                }
            }
            LessonAct::Next => {
                self.run
                    .change()
                    .with(|history| player.next(history).map(|_| ()))?;
                self.settle();
            }
            LessonAct::Enter(step) => {
                let history = player.enter(step)?;
                self.put(RunHandle::new(Run::of(history)));
            }
            LessonAct::Hint => {
                player.hint();
            }
            LessonAct::ShowMe => {
                player.show_me();
                self.motion = Motion::Lesson;
            }
            LessonAct::Answer(choice) => {
                player.answer(choice, self.run.get().history())?;
                self.motion = Motion::Lesson;
            }
            LessonAct::Run => self.motion = Motion::Lesson,
        }
        Ok(())
    }

    /// The world has changed: what was reached?
    pub(super) fn observe_lesson(&mut self) {
        let Some(lesson) = &mut self.lesson else {
            return;
        };
        let changed = lesson.quietly().observe(self.run.get().history());
        match changed {
            Ok(false) => {}
            Ok(true) => {
                lesson.touch();
                self.motion = Motion::Still;
                self.tab = Tab::Lesson;
            }
            Err(error) => self.lesson_failed(&error),
        }
    }

    /// Lets the next thing happen that the lesson wants. False: it wants nothing any more.
    pub(super) fn move_lesson(&mut self) -> bool {
        let Some(lesson) = &mut self.lesson else {
            return false;
        };
        let (before, moved, after) = {
            let mut player = lesson.quietly();
            let before = player.status();
            let moved = self.run.change().with(|history| player.advance(history));
            (before, moved, player.status())
        };
        if before != after {
            lesson.touch();
            self.motion = Motion::Still;
        }
        match moved {
            Ok(Advanced::Moved) => true,
            Ok(Advanced::Rests) => {
                self.motion = Motion::Still;
                false
            }
            Err(error) => {
                self.lesson_failed(&error);
                false
            }
        }
    }

    fn lesson_failed(&mut self, error: &LessonError) {
        self.motion = Motion::Still;
        self.notify(Notice::Lesson(Rc::from(error.to_string())));
    }
}
