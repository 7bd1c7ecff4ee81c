//! Undo: what was done last is not done.

use super::{Motion, State};
use zabscope_core::sim;

/// Acts that were done at once and are undone at once: how many actions led to the cursor before and after.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Together(Vec<(usize, usize)>);

impl Together {
    /// Nothing is known of this branch's actions.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Only the first `actions` are what they were.
    pub(super) fn still_known(&mut self, actions: usize) {
        self.0.retain(|(_, after)| *after <= actions);
    }

    fn before(&self, after: usize) -> Option<usize> {
        let mut all = self.0.iter();
        all.find(|(_, known)| *known == after)
            .map(|(before, _)| *before)
    }
}

impl State {
    /// How many actions lead to the cursor.
    pub(super) fn actions(&self) -> usize {
        self.run.get().history().actions().len()
    }

    /// What was done last is not done; what came of it is kept as a branch.
    pub(super) fn undo(&mut self) {
        self.motion = Motion::Still;
        let last = self.run.get().history().actions().last().map(|a| a.step);
        if let Some(step) = last {
            if self.run.get().history().cursor() > step {
                self.run.change().goto(step);
            }
            let done = self.actions();
            let left = self.together.before(done).unwrap_or(done - 1);
            while self.actions() > left && self.run.change().back() {}
            self.observe();
        }
        self.settle();
    }

    /// Does several things at one moment, which are undone together.
    pub(super) fn act_all(&mut self, actions: impl Iterator<Item = sim::Action>) {
        let before = self.actions();
        for action in actions {
            self.act(action);
        }
        let after = self.actions();
        if after > before + 1 {
            self.together.0.push((before, after));
        }
    }
}
