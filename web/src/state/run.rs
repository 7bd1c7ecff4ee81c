//! The run that is shown: its history, an index over it, and a scout ahead of it.

use super::{
    Title,
    bookmark::Bookmark,
    scout::{Ahead, Scout},
    track::{Told, Track},
    watch::Watch,
};
use crate::{scene::diagram::Index, text::Importance};
use std::{
    cell::{Ref, RefCell, RefMut},
    rc::Rc,
};
use zabscope_core::sim::{
    ActError, Action, BranchNo, Exported, History, Imported, Setup, SetupError, World,
};

/// A run with all that is kept beside it.
pub struct Run {
    history: History,
    track: Track,
    scout: Option<Scout>,
    /// Made when somebody looks at the diagram.
    diagram: RefCell<Index>,
    pub(super) bookmarks: Vec<Bookmark>,
    /// What it is called; `None`: it is the visitor's own.
    pub title: Option<Title>,
    watch: Option<Watch>,
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
            diagram: RefCell::default(),
            bookmarks: Vec::new(),
            title: None,
            watch: None,
        };
        run.track.extend(&run.history.records());
        run
    }

    /// A run that was read, with its bookmarks.
    #[must_use]
    pub fn imported(imported: Imported) -> Run {
        let mut run = Run::of(imported.history);
        for (spot, name) in imported.bookmarks {
            run.mark(spot, &name);
        }
        run
    }

    /// All of it, as a file has it: branches, names, bookmarks, and where the cursor is.
    #[must_use]
    pub fn export(&self) -> Exported {
        let mut exported = self.history.export_all();
        let all = self.bookmarks.iter();
        exported.bookmarks = all.map(|b| (b.spot, b.name.clone())).collect();
        exported
    }

    /// The shown branch up to the cursor, as a link has it, with the bookmarks on the way.
    #[must_use]
    pub fn shared(&self) -> Exported {
        let mut exported = self.history.export();
        let all = self.bookmarks.iter();
        exported.bookmarks = all
            .filter(|b| self.history.is_on_the_way(b.spot))
            .map(|b| ((BranchNo(0), b.spot.1, b.spot.2), b.name.clone()))
            .collect();
        exported
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

    /// What stands in the space-time diagram, up to this moment's known future.
    #[must_use]
    pub fn diagram(&self) -> Ref<'_, Index> {
        // Whoever looks at it already has it as it is now: meanwhile the run does not change.
        if let Ok(mut index) = self.diagram.try_borrow_mut() {
            index.extend(&self.history);
        }
        self.diagram.borrow()
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
        self.with(|history| history.step().is_some())
    }

    /// One move on, be it a step or what was done then. False: nothing can happen any more.
    pub fn advance(&mut self) -> bool {
        self.with(|history| history.forward() || history.step().is_some())
    }

    /// Gives a branch another name.
    pub fn name_branch(&mut self, branch: BranchNo, name: &str) -> bool {
        self.history.rename(branch, name)
    }

    /// Does something at the cursor.
    ///
    /// # Errors
    /// It is impossible; nothing was changed.
    pub fn act(&mut self, action: Action) -> Result<(), ActError> {
        self.with(|history| history.act(action).map(|_| ()))
    }

    /// Lets somebody else lead the history on, and takes in what that brought.
    pub fn with<T>(&mut self, lead: impl FnOnce(&mut History) -> T) -> T {
        let before = (self.history.branch(), self.history.cursor());
        let was_new = self.history.at_end();
        let out = lead(&mut self.history);
        let (branch, cursor) = before;
        if self.history.branch() != branch {
            self.track = Track::default();
        }
        match &mut self.scout {
            // Exactly one step on, into what nobody knew.
            Some(scout)
                if was_new
                    && self.history.branch() == branch
                    && self.history.cursor() == cursor + 1 =>
            {
                scout.stepped();
            }
            _ => self.scout = None,
        }
        self.track.extend(&self.history.records());
        out
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

    /// What is known of the invariants; nothing before somebody has asked for it.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    /// What is needed to check them.
    pub(super) fn watching(&mut self) -> (&History, &mut Option<Watch>) {
        (&self.history, &mut self.watch)
    }

    /// When the next thing happens, and the next that matters at least so much.
    pub fn ahead(&mut self, least: Importance) -> Ahead {
        let world = self.history.world();
        self.scout
            .get_or_insert_with(|| Scout::new(world))
            .look(least)
    }
}

/// What many components look at and the state alone changes. Two handles are equal when they show the
/// same moment of the same thing, so that a component is drawn again only when there is something new.
pub struct Handle<T> {
    shared: Rc<RefCell<T>>,
    revision: u64,
}

/// A handle to a run.
pub type RunHandle = Handle<Run>;

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Handle<T> {
        Handle {
            shared: Rc::clone(&self.shared),
            revision: self.revision,
        }
    }
}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Handle<T>) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared) && self.revision == other.revision
    }
}

impl<T> Handle<T> {
    /// A handle.
    #[must_use]
    pub fn new(shared: T) -> Handle<T> {
        Handle {
            shared: Rc::new(RefCell::new(shared)),
            revision: 0,
        }
    }

    /// Whether both show the same thing, be it at different moments.
    #[must_use]
    pub fn is_of(&self, other: &Handle<T>) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    /// A number that nothing else has as long as this is there.
    #[must_use]
    pub fn key(&self) -> usize {
        Rc::as_ptr(&self.shared).addr()
    }

    /// To look at it.
    #[must_use]
    pub fn get(&self) -> Ref<'_, T> {
        self.shared.borrow()
    }

    /// To change it: all who hold older handles see that it is not the same any more.
    pub(super) fn change(&mut self) -> RefMut<'_, T> {
        self.revision += 1;
        self.shared.borrow_mut()
    }

    /// To change what one can't see, such as how far the scout looks.
    pub(super) fn quietly(&self) -> RefMut<'_, T> {
        self.shared.borrow_mut()
    }

    /// It is not the same any more.
    pub(super) fn touch(&mut self) {
        self.revision += 1;
    }
}
