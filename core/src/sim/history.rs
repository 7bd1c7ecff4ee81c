//! Any moment of a run can be reached, left in another direction, and kept.

use crate::sim::{
    fact::Record,
    setup::{Action, Setup, TimedAction},
    world::{ActError, SetupError, World},
};
use serde::{Deserialize, Serialize};

/// The format that [`History::export`] writes, and the only one that [`History::import`] reads.
pub const VERSION: u32 = 1;
/// More actions are not imported.
pub const MAX_ACTIONS: usize = 10_000;
/// More steps are not imported, and a history takes no more.
pub const MAX_STEPS: u64 = 200_000;

/// A branch: the first is 0, "main".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BranchNo(pub u16);

/// A branch of the tree of futures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its number.
    pub no: BranchNo,
    /// "main", "branch 2", …
    pub name: String,
    /// Where it came from; `None` for the first.
    pub parent: Option<BranchNo>,
    /// The step after which it left its parent.
    pub forked_at: u64,
    /// Its last known step.
    pub end: u64,
}

/// The facts of the current branch up to the cursor, oldest first, without copying.
#[derive(Clone)]
pub struct Records<'a> {
    parts: Vec<&'a [Record]>,
    len: usize,
}

impl<'a> Records<'a> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// The fact with this index.
    #[must_use]
    pub fn get(&self, mut index: usize) -> Option<&'a Record> {
        for part in &self.parts {
            match part.get(index) {
                Some(record) => return Some(record),
                None => index -= part.len(),
            }
        }
        None
    }
    /// All, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a Record> + Clone + use<'a, '_> {
        self.parts.iter().flat_map(|part| part.iter())
    }
    /// The newest `n` or fewer, in order.
    #[must_use]
    pub fn last(&self, n: usize) -> Vec<&'a Record> {
        let mut newest: Vec<_> = self.iter().rev().take(n).collect();
        newest.reverse();
        newest
    }
    /// The contiguous parts: one for each branch on the way.
    #[must_use]
    pub fn parts(&self) -> &[&'a [Record]] {
        &self.parts
    }
}

/// A run as it is shared: seed, setup and actions, and where the reader is to stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// [`VERSION`].
    pub version: u32,
    /// The world before its first step.
    pub setup: Setup,
    /// What was done, in order.
    pub actions: Vec<TimedAction>,
    /// The cursor: steps taken.
    pub steps: u64,
    /// [`World::trace_hash`] there, in hex; absent: not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Why a run can't be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Another format.
    #[error("this run has format {found}; this build reads format {max}", max = VERSION)]
    Version {
        /// Its number.
        found: u32,
    },
    /// The setup is out of bounds.
    #[error("the setup: {0}")]
    Setup(#[from] SetupError),
    /// Too many actions.
    #[error("{0} actions, at most {max}", max = MAX_ACTIONS)]
    Actions(usize),
    /// Too many steps.
    #[error("{0} steps, at most {max}", max = MAX_STEPS)]
    Steps(u64),
    /// Actions must stand in the order of their steps, none after the cursor.
    #[error("action {index} is out of order")]
    Order {
        /// Which, from 0.
        index: usize,
    },
    /// An action that was impossible at its moment.
    #[error("action {index} is impossible: {error}")]
    Act {
        /// Which, from 0.
        index: usize,
        /// Why.
        error: ActError,
    },
    /// The world came to rest before the cursor.
    #[error("nothing can happen after step {at}, but the run has {steps} steps")]
    Ended {
        /// The last possible step.
        at: u64,
        /// What the run says.
        steps: u64,
    },
    /// The trace hash is not a hexadecimal number of 64 bits.
    #[error("the trace hash can't be read")]
    Trace,
}

/// An imported run.
pub struct Imported {
    /// It.
    pub history: History,
    /// The recorded trace hash differs from what this build computed: (recorded, found). The run
    /// is good, but it is not the run that was recorded: another version of zabscope wrote it.
    pub mismatch: Option<(u64, u64)>,
}

/// A run with all its moments and branches.
#[derive(Clone)]
pub struct History {
    world: World,
}

#[allow(clippy::todo, unused_variables)] // the skeleton
impl History {
    /// A run before its first step.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(setup: &Setup) -> Result<History, SetupError> {
        todo!()
    }
    /// The world at the cursor.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
    /// The cursor: steps taken.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        todo!()
    }
    /// The last known step of the current branch.
    #[must_use]
    pub fn end(&self) -> u64 {
        todo!()
    }
    /// One step on. In the past that is the step that was taken then. The records of the step, and
    /// of actions that follow it, are `records().last(..)`; their number is returned. `None`:
    /// nothing can happen any more, or the run is too long.
    pub fn step(&mut self) -> Option<usize> {
        todo!()
    }
    /// Does something at the cursor. In the past, and when it is not what was done then, this
    /// begins a branch; the old future is kept.
    ///
    /// # Errors
    /// The action is impossible; nothing was changed.
    pub fn act(&mut self, action: Action) -> Result<usize, ActError> {
        todo!()
    }
    /// Undoes the last step or action. False at the beginning.
    pub fn back(&mut self) -> bool {
        todo!()
    }
    /// Goes to the moment after this step and the actions that followed it, or to the end of the
    /// branch if that is earlier. Says where it arrived.
    pub fn goto(&mut self, step: u64) -> u64 {
        todo!()
    }
    /// All branches, in the order in which they began.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        todo!()
    }
    /// The current one.
    #[must_use]
    pub fn branch(&self) -> BranchNo {
        todo!()
    }
    /// Goes to the end of another branch. False: there is no such branch.
    pub fn switch(&mut self, branch: BranchNo) -> bool {
        todo!()
    }
    /// The facts of the current branch up to the cursor.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        todo!()
    }
    /// The actions of the current branch up to the cursor.
    #[must_use]
    pub fn actions(&self) -> Vec<TimedAction> {
        todo!()
    }
    /// The current branch up to the cursor, to be shared.
    #[must_use]
    pub fn export(&self) -> Exported {
        todo!()
    }
    /// Runs what was shared.
    ///
    /// # Errors
    /// It can't be read, is out of bounds or impossible.
    pub fn import(exported: &Exported) -> Result<Imported, ImportError> {
        todo!()
    }
}
