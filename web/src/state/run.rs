//! The run that is shown: its history, an index over it, and a scout ahead of it.

use super::{
    scout::{Ahead, Scout},
    track::{Told, Track},
};
use crate::text::Importance;
use std::{
    cell::{Ref, RefCell, RefMut},
    rc::Rc,
};
use zabscope_core::sim::{ActError, Action, BranchNo, History, Setup, SetupError, World};

/// A run with all that is kept beside it.
pub struct Run {
    history: History,
    track: Track,
    scout: Option<Scout>,
}

impl Run {
    /// A run before its first step.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(setup: &Setup) -> Result<Run, SetupError> {
        Ok(Run::of(History::new(setup)?))
    }

    /// A run that exists already.
    #[must_use]
    pub fn of(history: History) -> Run {
        let mut run = Run {
            history,
            track: Track::default(),
            scout: None,
        };
        run.track.extend(&run.history.records());
        run
    }

    /// Its history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The world at the cursor.
    #[must_use]
    pub fn world(&self) -> &World {
        self.history.world()
    }

    /// What is told of it, beyond the cursor too where it is known.
    #[must_use]
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// How many records there are up to the cursor.
    #[must_use]
    pub fn len(&self) -> usize {
        self.history.records().len()
    }

    /// Whether nothing has happened yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last record up to the cursor that matters at least so much.
    #[must_use]
    pub fn last(&self, least: Importance) -> Option<Told> {
        self.track.before(self.len(), least)
    }

    /// One step on. False: nothing can happen any more.
    pub fn step(&mut self) -> bool {
        // Actions of the past are done again on the way; the scout does not know of them.
        let known = self.history.cursor() < self.history.end();
        if self.history.step().is_none() {
            return false;
        }
        if known {
            self.scout = None;
        } else if let Some(scout) = &mut self.scout {
            scout.stepped();
        }
        self.track.extend(&self.history.records());
        true
    }

    /// Does something at the cursor.
    ///
    /// # Errors
    /// It is impossible; nothing was changed.
    pub fn act(&mut self, action: Action) -> Result<(), ActError> {
        let (before, branch) = (self.len(), self.history.branch());
        self.history.act(action)?;
        self.scout = None;
        if self.history.branch() != branch {
            self.track.truncate(before);
        }
        self.track.extend(&self.history.records());
        Ok(())
    }

    /// Goes to the moment after this step.
    pub fn goto(&mut self, step: u64) {
        self.history.goto(step);
        self.scout = None;
        self.track.extend(&self.history.records());
    }

    /// Undoes the last step or action. False at the beginning.
    pub fn back(&mut self) -> bool {
        self.scout = None;
        self.history.back()
    }

    /// Goes to the end of another branch.
    pub fn switch(&mut self, branch: BranchNo) -> bool {
        let went = self.history.switch(branch);
        if went {
            self.scout = None;
            self.track = Track::default();
            self.track.extend(&self.history.records());
        }
        went
    }

    /// When the next thing happens, and the next that matters at least so much.
    pub fn ahead(&mut self, least: Importance) -> Ahead {
        let world = self.history.world();
        self.scout
            .get_or_insert_with(|| Scout::new(world))
            .look(least)
    }
}

/// A run that many components look at. Two handles are equal when they show the same moment of the
/// same run, so that a component is drawn again only when there is something new.
#[derive(Clone)]
pub struct RunHandle {
    run: Rc<RefCell<Run>>,
    revision: u64,
}

impl PartialEq for RunHandle {
    fn eq(&self, other: &RunHandle) -> bool {
        Rc::ptr_eq(&self.run, &other.run) && self.revision == other.revision
    }
}

impl RunHandle {
    /// A handle to a run.
    #[must_use]
    pub fn new(run: Run) -> RunHandle {
        RunHandle {
            run: Rc::new(RefCell::new(run)),
            revision: 0,
        }
    }

    /// To look at it.
    #[must_use]
    pub fn get(&self) -> Ref<'_, Run> {
        self.run.borrow()
    }

    /// To change it: all who hold older handles see that it is not the same any more.
    pub(super) fn change(&mut self) -> RefMut<'_, Run> {
        self.revision += 1;
        self.run.borrow_mut()
    }

    /// To let the scout look ahead, which changes nothing that one can see.
    pub(super) fn quietly(&self) -> RefMut<'_, Run> {
        self.run.borrow_mut()
    }

    /// Grows with every change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
