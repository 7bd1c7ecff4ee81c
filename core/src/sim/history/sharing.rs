//! A run as it is shared: seed, setup and what was done, on one branch or on all.

use super::{
    BranchNo, History, MAIN, MAX_ACTIONS, MAX_ALL_STEPS, MAX_BRANCHES, MAX_JSON, MAX_STEPS, Track,
    VERSION, branches::Spot,
};
use crate::sim::{
    setup::{Setup, TimedAction},
    world::{ActError, SetupError},
};
use serde::{Deserialize, Serialize};

/// More bookmarks are not imported.
pub const MAX_BOOKMARKS: usize = 64;

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
    /// [`World::trace_hash`](crate::sim::World::trace_hash) there, in hex; absent: not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// All branches as far as they are known, in the order in which they began; none: there is but one,
    /// and nothing is known of it beyond the cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<ExportedBranch>,
    /// The branch on which the cursor stands.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shown: BranchNo,
    /// Moments with names: where they are, and what they are called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookmarks: Vec<(Spot, String)>,
}

/// A branch as it is shared: what it owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedBranch {
    /// What it is called.
    pub name: String,
    /// The moment of an earlier branch at which it left that. Nothing but zeros for the first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub left: Spot,
    /// What was done since then, in order.
    pub actions: Vec<TimedAction>,
    /// How far it goes: steps from the beginning of the run.
    pub steps: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// Too many actions, those of all branches.
    #[error("{0} actions, at most {max}", max = MAX_ACTIONS)]
    Actions(usize),
    /// Too many steps on the way to one moment.
    #[error("{0} steps, at most {max}", max = MAX_STEPS)]
    Steps(u64),
    /// Too many steps of all branches, each counted once.
    #[error("{0} steps of all branches, at most {max}", max = MAX_ALL_STEPS)]
    AllSteps(u64),
    /// Too many branches.
    #[error("{0} branches, at most {max}", max = MAX_BRANCHES)]
    Branches(usize),
    /// A branch must leave an earlier one at a moment that this one owns.
    #[error("it leaves no moment of an earlier branch")]
    Left,
    /// What is wrong with one of several branches.
    #[error("branch {}: {error}", index + 1)]
    In {
        /// Which, from 0.
        index: usize,
        /// What.
        error: Box<ImportError>,
    },
    /// The actions and steps that are said to lead to the cursor do not stand on the shown branch.
    #[error("the moment that is shown is on none of its branches")]
    Shown,
    /// Too many bookmarks.
    #[error("{0} bookmarks, at most {max}", max = MAX_BOOKMARKS)]
    Bookmarks(usize),
    /// A bookmark of a moment that no branch has.
    #[error("bookmark {index} is on none of its branches")]
    Bookmark {
        /// Which, from 0.
        index: usize,
    },
    /// Actions must stand in the order of their steps, none after the cursor or the branch's end.
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
    /// The text is not such a run.
    #[error("not a run of zabscope: {0}")]
    Json(String),
    /// The text is too long to be read.
    #[error("{0} bytes, at most {max}", max = MAX_JSON)]
    Bytes(usize),
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
    /// The bookmarks as they were shared. Their names may be anybody's.
    pub bookmarks: Vec<(Spot, String)>,
}

impl Exported {
    /// A run of one branch, of which nothing is known beyond the cursor; `trace` is the hash there.
    #[must_use]
    pub fn of(setup: Setup, actions: Vec<TimedAction>, steps: u64, trace: Option<u64>) -> Exported {
        Exported {
            version: VERSION,
            setup,
            actions,
            steps,
            trace: trace.map(|hash| format!("{hash:016x}")),
            branches: Vec::new(),
            shown: BranchNo(0),
            bookmarks: Vec::new(),
        }
    }

    /// How many steps it takes to import it.
    #[must_use]
    pub fn work(&self) -> u64 {
        let own = self
            .branches
            .iter()
            .map(|b| b.steps.saturating_sub(b.left.1));
        own.fold(0_u64, u64::saturating_add).max(self.steps)
    }

    /// As JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // The types hold nothing that JSON can't say: map keys are numbers or strings.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads JSON text. The version is looked at first, so that a run of another format is called
    /// that, whatever else it holds.
    ///
    /// # Errors
    /// It is too long, not JSON, of another format, or has unknown fields.
    pub fn from_json(text: &str) -> Result<Exported, ImportError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        if text.len() > MAX_JSON {
            return Err(ImportError::Bytes(text.len()));
        }
        let json = |e: serde_json::Error| ImportError::Json(e.to_string());
        let Version { version } = serde_json::from_str(text).map_err(json)?;
        if version != VERSION {
            return Err(ImportError::Version { found: version });
        }
        serde_json::from_str(text).map_err(json)
    }
}

impl History {
    /// The current branch up to the cursor, to be shared.
    #[must_use]
    pub fn export(&self) -> Exported {
        Exported::of(
            self.world.setup().clone(),
            self.actions(),
            self.cursor(),
            Some(self.world.trace_hash()),
        )
    }

    /// All branches with their names, as far as they are known, and where the cursor is.
    #[must_use]
    pub fn export_all(&self) -> Exported {
        let mut exported = self.export();
        let alone = self.tracks.len() == 1 && self.tracks[0].name == MAIN && self.at_end();
        if alone {
            return exported;
        }
        exported.shown = self.branch();
        let own = |(no, track): (usize, &Track)| ExportedBranch {
            name: track.name.clone(),
            left: track.parent.map_or_else(Spot::default, |(parent, at)| {
                let step = self.steps_on(no, at);
                (BranchNo(parent as u16), step, at as u64 - step)
            }),
            actions: track
                .moves
                .iter()
                .filter_map(|m| {
                    Some(TimedAction {
                        step: u64::from(m.step),
                        action: track.actions.get(m.action? as usize)?.clone(),
                    })
                })
                .collect(),
            steps: self.steps_on(no, track.end()),
        };
        exported.branches = self.tracks.iter().enumerate().map(own).collect();
        exported
    }

    /// Runs what was shared.
    ///
    /// # Errors
    /// It can't be read, is out of bounds or impossible.
    pub fn import(exported: &Exported) -> Result<Imported, ImportError> {
        let mut importing = Importing::new(exported)?;
        while importing.run(MAX_STEPS)? {}
        Ok(importing.finish())
    }

    /// Begins the branch that this describes, at its beginning.
    fn begin(&mut self, left: Spot) -> Result<(), ImportError> {
        let (parent, step, actions) = left;
        let (parent, at) = (usize::from(parent.0), (step + actions) as usize);
        match self.tracks.get(parent) {
            Some(track) if at <= track.end() && self.owner(parent, at) == parent => {}
            Some(_) | None => return Err(ImportError::Left),
        }
        self.visit(parent, at);
        match self.cursor() == step && self.fork().is_ok() {
            true => Ok(()),
            false => Err(ImportError::Left),
        }
    }
}

/// An import under way: a page runs it a piece at a time and stays alive.
pub struct Importing {
    history: History,
    /// Those that are still to be made.
    branches: std::vec::IntoIter<ExportedBranch>,
    /// The number of the one that is being made, and how many there are.
    no: usize,
    several: bool,
    actions: std::vec::IntoIter<TimedAction>,
    next: Option<TimedAction>,
    index: usize,
    /// How far this one goes.
    steps: u64,
    /// What was done, and what there is to do.
    progress: (u64, u64),
    /// Where the cursor is to stand.
    shown: (BranchNo, u64, Vec<TimedAction>),
    trace: Option<u64>,
    bookmarks: Vec<(Spot, String)>,
}

/// What can be seen of branches before they are run: how many steps they take.
fn check(branches: &[ExportedBranch]) -> Result<u64, ImportError> {
    if branches.len() > MAX_BRANCHES {
        return Err(ImportError::Branches(branches.len()));
    }
    let actions = branches.iter().map(|b| b.actions.len()).sum();
    if actions > MAX_ACTIONS {
        return Err(ImportError::Actions(actions));
    }
    let mut all = 0;
    for (index, branch) in branches.iter().enumerate() {
        let wrong = |error| in_branch(branches.len() > 1, index, error);
        let (parent, from, before) = branch.left;
        let first = index == 0 && is_default(&branch.left);
        if branch.steps > MAX_STEPS {
            return Err(wrong(ImportError::Steps(branch.steps)));
        }
        let earlier = usize::from(parent.0) < index && before <= MAX_ACTIONS as u64;
        if !(first || earlier) || from > branch.steps {
            return Err(wrong(ImportError::Left));
        }
        all += branch.steps - from;
        let mut last = from;
        for (index, timed) in branch.actions.iter().enumerate() {
            if timed.step < last || timed.step > branch.steps {
                return Err(wrong(ImportError::Order { index }));
            }
            last = timed.step;
        }
    }
    match all > MAX_ALL_STEPS {
        true => Err(ImportError::AllSteps(all)),
        false => Ok(all),
    }
}

fn in_branch(several: bool, index: usize, error: ImportError) -> ImportError {
    match several {
        true => ImportError::In {
            index,
            error: Box::new(error),
        },
        false => error,
    }
}

impl Importing {
    /// Looks at what was shared, and begins.
    ///
    /// # Errors
    /// It is of another format or out of bounds.
    pub fn new(exported: &Exported) -> Result<Importing, ImportError> {
        if exported.version != VERSION {
            return Err(ImportError::Version {
                found: exported.version,
            });
        }
        let mut branches = exported.branches.clone();
        if branches.is_empty() {
            branches.push(ExportedBranch {
                name: MAIN.to_owned(),
                left: Default::default(),
                actions: exported.actions.clone(),
                steps: exported.steps,
            });
        }
        let all = check(&branches)?;
        let has = |no: BranchNo, step: u64| {
            let branch = branches.get(usize::from(no.0));
            branch.is_some_and(|b| step <= b.steps)
        };
        if !has(exported.shown, exported.steps) {
            return Err(ImportError::Shown);
        }
        if exported.bookmarks.len() > MAX_BOOKMARKS {
            return Err(ImportError::Bookmarks(exported.bookmarks.len()));
        }
        let trace = match &exported.trace {
            None => None,
            Some(text) if text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Some(u64::from_str_radix(text, 16).map_err(|_| ImportError::Trace)?)
            }
            Some(_) => return Err(ImportError::Trace),
        };
        let mut importing = Importing {
            history: History::new(&exported.setup)?,
            no: 0,
            several: branches.len() > 1,
            branches: branches.into_iter(),
            actions: Vec::new().into_iter(),
            next: None,
            index: 0,
            steps: 0,
            progress: (0, all),
            shown: (exported.shown, exported.steps, exported.actions.clone()),
            trace,
            bookmarks: exported.bookmarks.clone(),
        };
        importing.take();
        Ok(importing)
    }

    /// Takes up the next branch, which has begun. False: there is none.
    fn take(&mut self) -> bool {
        let Some(branch) = self.branches.next() else {
            return false;
        };
        // A name of which nothing is left stays what it is.
        self.history.rename(BranchNo(self.no as u16), &branch.name);
        self.actions = branch.actions.into_iter();
        self.next = self.actions.next();
        self.index = 0;
        self.steps = branch.steps;
        true
    }

    /// Steps done and steps to do, in all branches.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        self.progress
    }

    /// Runs on for at most so many steps, and no further than to the end of a branch. False: it is done.
    ///
    /// # Errors
    /// A branch leaves no moment of another, an action is impossible, the world came to rest before the
    /// end of a branch, or the cursor is on none.
    pub fn run(&mut self, at_most: u64) -> Result<bool, ImportError> {
        let (several, no) = (self.several, self.no);
        let more = self.run_branch(at_most);
        if more.map_err(|error| in_branch(several, no, error))? {
            return Ok(true);
        }
        if let Some(next) = self.branches.as_slice().first() {
            self.no += 1;
            let begun = self.history.begin(next.left);
            begun.map_err(|error| in_branch(several, self.no, error))?;
            return Ok(self.take());
        }
        let (no, steps, actions) = &self.shown;
        let (no, at) = (usize::from(no.0), *steps as usize + actions.len());
        if at > self.history.tracks[no].end() {
            return Err(ImportError::Shown);
        }
        self.history.visit(no, at);
        if self.history.cursor() != *steps || self.history.actions() != *actions {
            return Err(ImportError::Shown);
        }
        let mut bookmarks = self.bookmarks.iter();
        let missing = bookmarks.position(|(spot, _)| self.history.time_of(*spot).is_none());
        missing.map_or(Ok(false), |index| Err(ImportError::Bookmark { index }))
    }

    /// The same for the branch that is being made.
    fn run_branch(&mut self, at_most: u64) -> Result<bool, ImportError> {
        for _ in 0..at_most {
            let at = self.history.cursor();
            while let Some(timed) = self.next.take_if(|timed| timed.step == at) {
                self.history
                    .act(timed.action)
                    .map_err(|error| ImportError::Act {
                        index: self.index,
                        error,
                    })?;
                self.index += 1;
                self.next = self.actions.next();
            }
            if at == self.steps {
                return Ok(false);
            }
            if self.history.step().is_none() {
                return Err(ImportError::Ended {
                    at,
                    steps: self.steps,
                });
            }
            self.progress.0 += 1;
        }
        Ok(true)
    }

    /// The run; call it when [`Importing::run`] is done.
    #[must_use]
    pub fn finish(self) -> Imported {
        let found = self.history.world().trace_hash();
        Imported {
            history: self.history,
            mismatch: self
                .trace
                .filter(|recorded| *recorded != found)
                .map(|recorded| (recorded, found)),
            bookmarks: self.bookmarks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Move;
    use super::*;
    use crate::{id::ServerId, sim::Action, time::Moment};

    fn pause(server: i64) -> Action {
        Action::Pause {
            server: ServerId(server),
        }
    }

    fn steps(history: &mut History, n: u64) {
        for _ in 0..n {
            history.step().expect("something happens");
        }
    }

    /// Main, two branches that left it within one step, and one that left the second of these.
    fn tree() -> History {
        let mut h = History::new(&Setup::default()).expect("a world");
        steps(&mut h, 300);
        h.act(pause(1)).expect("it runs");
        h.act(pause(2)).expect("it runs");
        steps(&mut h, 100);
        // Between the two pauses, and before them.
        for (back, server) in [(1, 3), (2, 4)] {
            h.switch(BranchNo(0));
            h.goto(300);
            for _ in 0..back {
                h.back();
            }
            h.act(pause(server)).expect("it runs");
            steps(&mut h, 150 * back);
        }
        h.goto(350);
        h.act(pause(5)).expect("it runs");
        steps(&mut h, 20);
        h.rename(BranchNo(1), "between");
        h.switch(BranchNo(2));
        h.goto(340);
        h
    }

    fn error(change: impl FnOnce(&mut Exported)) -> Option<ImportError> {
        let mut exported = tree().export_all();
        change(&mut exported);
        History::import(&exported).err()
    }

    fn within(index: usize, error: ImportError) -> Option<ImportError> {
        Some(in_branch(true, index, error))
    }

    #[test]
    fn all_branches_are_the_same_after_import() {
        let h = tree();
        let mut exported = h.export_all();
        exported.bookmarks = vec![((BranchNo(1), 310, 2), "calm".to_owned())];
        let lefts: Vec<_> = exported.branches.iter().map(|b| b.left).collect();
        let main = BranchNo(0);
        assert_eq!(
            lefts,
            [
                (main, 0, 0),
                (main, 300, 1),
                (main, 300, 0),
                (BranchNo(2), 350, 1)
            ]
        );
        let read = Exported::from_json(&exported.to_json()).expect("our own text");
        assert_eq!(read, exported);
        let imported = History::import(&read).expect("our own run");
        assert_eq!(
            (imported.mismatch, &imported.bookmarks),
            (None, &exported.bookmarks)
        );
        let again = imported.history;
        assert_eq!(again.branches(), h.branches());
        assert_eq!((again.branch(), again.cursor()), (BranchNo(2), 340));
        assert_eq!(again.log().records, h.log().records);
        for branch in h.branches() {
            let end = |h: &History| h.world_at_end_of(branch.no).map(|w| w.trace_hash());
            assert_eq!(end(&again), end(&h), "{branch:?}");
        }
    }

    #[test]
    fn a_run_of_one_branch_that_is_shown_to_its_end_is_written_as_it_always_was() {
        let mut h = History::new(&Setup::default()).expect("a world");
        steps(&mut h, 30);
        let exported = h.export_all();
        assert_eq!(exported, h.export());
        let text = exported.to_json();
        for new in ["branches", "shown", "bookmarks"] {
            assert!(!text.contains(new), "{text}");
        }
        // What is known of the future is kept.
        h.goto(10);
        let imported = History::import(&h.export_all()).expect("our own run");
        assert_eq!(
            (imported.history.cursor(), imported.history.end()),
            (10, 30)
        );
    }

    #[test]
    fn an_import_stops_at_the_end_of_each_piece_and_of_each_branch() {
        let exported = tree().export_all();
        let mut importing = Importing::new(&exported).expect("our own run");
        let (mut pieces, mut before) = (0, 0);
        while importing.run(50).expect("our own run") {
            let (done, all) = importing.progress();
            assert!(done - before <= 50 && all == 400 + 150 + 300 + 20);
            (pieces, before) = (pieces + 1, done);
        }
        assert_eq!(importing.progress().0, exported.work());
        assert!(pieces >= 870 / 50, "{pieces}");
    }

    #[test]
    fn branches_that_can_not_be_are_refused_with_a_reason() {
        let far = ImportError::Left;
        for left in [
            (BranchNo(1), 310, 2),
            (BranchNo(9), 0, 0),
            (BranchNo(0), 300, 9_999),
            (BranchNo(0), 300, u64::MAX),
            (BranchNo(0), 9_999, 0),
            // Main was there after 299 steps and no action, but not after one.
            (BranchNo(0), 299, 1),
        ] {
            assert_eq!(
                error(|e| e.branches[1].left = left),
                within(1, far.clone()),
                "{left:?}"
            );
        }
        // That moment is main's, and not the second branch's.
        let early = (BranchNo(2), 200, 0);
        assert_eq!(
            error(|e| e.branches[3].left = early),
            within(3, far.clone())
        );
        assert_eq!(error(|e| e.branches[0].left.1 = 1), within(0, far));
        assert_eq!(
            error(|e| e.branches[1].actions[0].step = 299),
            within(1, ImportError::Order { index: 0 })
        );
        assert!(matches!(
            error(|e| e.branches[1].actions[0].action = pause(1)),
            Some(ImportError::In { index: 1, error }) if matches!(*error, ImportError::Act { index: 0, .. })
        ));
        for (change, refused) in [
            (
                &(|e: &mut Exported| e.shown = BranchNo(4)) as &dyn Fn(&mut Exported),
                ImportError::Shown,
            ),
            (&|e| e.shown = BranchNo(1), ImportError::Shown),
            (&|e| e.steps = 9_999, ImportError::Shown),
            (&|e| e.actions.clear(), ImportError::Shown),
            (
                &|e| e.bookmarks = vec![((BranchNo(4), 0, 0), String::new())],
                ImportError::Bookmark { index: 0 },
            ),
            (
                &|e| e.bookmarks = vec![((BranchNo(0), 401, 0), String::new())],
                ImportError::Bookmark { index: 0 },
            ),
        ] {
            assert_eq!(error(change), Some(refused));
        }
        assert_eq!(
            within(1, ImportError::Left)
                .map(|e| e.to_string())
                .as_deref(),
            Some("branch 2: it leaves no moment of an earlier branch")
        );
    }

    #[test]
    fn too_much_in_all_branches_is_refused_before_anything_is_run() {
        let one = |steps| ExportedBranch {
            name: String::new(),
            left: Default::default(),
            actions: Vec::new(),
            steps,
        };
        let acted = TimedAction {
            step: 0,
            action: Action::HealAll,
        };
        let mark = || ((BranchNo(0), 0, 0), String::new());
        for (change, refused) in [
            (
                &(|e: &mut Exported| e.branches = vec![one(0); MAX_BRANCHES + 1])
                    as &dyn Fn(&mut Exported),
                ImportError::Branches(MAX_BRANCHES + 1),
            ),
            (
                &|e| e.branches = vec![one(MAX_STEPS); 3],
                ImportError::AllSteps(3 * MAX_STEPS),
            ),
            (
                &|e| {
                    e.branches
                        .iter_mut()
                        .for_each(|b| b.actions = vec![acted.clone(); MAX_ACTIONS / 3])
                },
                ImportError::Actions(MAX_ACTIONS / 3 * 4),
            ),
            (
                &|e| e.bookmarks = vec![mark(); MAX_BOOKMARKS + 1],
                ImportError::Bookmarks(MAX_BOOKMARKS + 1),
            ),
        ] {
            let mut exported = tree().export_all();
            change(&mut exported);
            assert_eq!(Importing::new(&exported).err(), Some(refused));
        }
    }

    #[test]
    fn a_history_takes_no_more_than_can_be_imported() {
        let mut h = tree();
        h.goto(u64::MAX);
        assert!(h.step().is_some());
        // As if the first branch had gone on for long.
        let all = MAX_ALL_STEPS - h.all_steps();
        let after = *h.tracks[0].moves.last().expect("it has moves");
        h.tracks[0].moves.extend((1..=all).map(|n| Move {
            step: after.step + n as u32,
            at: Moment(after.at.0 + n),
            action: None,
            ..after
        }));
        let cursor = h.cursor();
        assert_eq!((h.step(), h.cursor()), (None, cursor));
    }

    #[test]
    fn what_is_refused_for_its_number_begins_no_branch() {
        let mut h = History::new(&Setup::default()).expect("a world");
        steps(&mut h, 3);
        for _ in 0..MAX_ACTIONS {
            h.act(Action::HealAll).expect("it is possible");
        }
        h.goto(2);
        assert!(matches!(
            h.act(Action::HealAll),
            Err(ActError::TooMuch { .. })
        ));
        assert_eq!((h.branches().len(), h.cursor()), (1, 2));
    }
}
