//! Any moment of a run can be reached, left in another direction, and kept.
//!
//! A run is a list of *moves*: steps and actions. A branch owns the moves, records and checkpoints
//! since it left its parent; what came before is the parent's. A moment is the world at the nearest
//! checkpoint before it, run on: exact, because a run is decided by seed, setup and actions.

pub mod branches;
pub mod sharing;

use crate::{
    sim::{
        fact::{Record, Sent, StepLog},
        setup::{Action, Setup, TimedAction},
        world::{ActError, SetupError, World},
    },
    time::Moment,
};
use serde::{Deserialize, Serialize};
pub use sharing::{Exported, ExportedBranch, ImportError, Imported, Importing};

/// The format that [`History::export`] writes, and the only one that [`History::import`] reads.
pub const VERSION: u32 = 1;
/// More actions are not imported, and a history takes no more: those of all branches.
pub const MAX_ACTIONS: usize = 10_000;
/// More steps lead to no moment.
pub const MAX_STEPS: u64 = 200_000;
/// More steps are not imported, and a history takes no more: those of all branches, each counted once.
pub const MAX_ALL_STEPS: u64 = 400_000;
/// What the first branch is called.
const MAIN: &str = "main";

/// Longer texts are not imported.
pub const MAX_JSON: usize = 16 << 20;
/// How many branches a history keeps.
pub const MAX_BRANCHES: usize = 256;
/// A checkpoint is made after so many moves: small enough that any moment is reached at once, large
/// enough that a long run fits in memory.
const CHECKPOINT: usize = 256;

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

/// A step or an action.
#[derive(Clone, Copy, Debug)]
struct Move {
    /// Steps taken after it.
    step: u32,
    /// Records of its branch after it.
    records: u32,
    /// Messages that had left servers on its branch after it.
    sent: u32,
    /// In virtual time.
    at: Moment,
    /// The action of its branch; `None`: a step.
    action: Option<u32>,
}

/// A branch with what it owns.
#[derive(Clone)]
struct Track {
    name: String,
    /// The branch it left, and after how many moves from the beginning of the run.
    parent: Option<(usize, usize)>,
    moves: Vec<Move>,
    actions: Vec<Action>,
    records: Vec<Record>,
    sent: Vec<Sent>,
    /// Worlds, by the number of moves from the beginning of the run; the first is where the branch
    /// begins.
    checkpoints: Vec<(usize, World)>,
}

impl Track {
    fn base(&self) -> usize {
        self.parent.map_or(0, |(_, at)| at)
    }

    fn end(&self) -> usize {
        self.base() + self.moves.len()
    }
}

/// A run with all its moments and branches.
#[derive(Clone)]
pub struct History {
    tracks: Vec<Track>,
    current: usize,
    /// Moves from the beginning of the run.
    at: usize,
    world: World,
    log: StepLog,
}

impl History {
    /// A run before its first step.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(setup: &Setup) -> Result<History, SetupError> {
        let world = World::new(setup)?;
        Ok(History {
            tracks: vec![Track {
                name: MAIN.to_owned(),
                parent: None,
                moves: Vec::new(),
                actions: Vec::new(),
                records: Vec::new(),
                sent: Vec::new(),
                checkpoints: vec![(0, world.clone())],
            }],
            current: 0,
            at: 0,
            world,
            log: StepLog::default(),
        })
    }

    // ---- for those who look -------------------------------------------------------------------

    /// The world at the cursor.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What happened in the last step or action before the cursor.
    #[must_use]
    pub fn log(&self) -> &StepLog {
        &self.log
    }

    /// The cursor: steps taken.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.world.steps()
    }

    /// The last known step of the current branch.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.steps_at(self.tracks[self.current].end())
    }

    /// Whether the cursor is at the end of the current branch, so that a step is a new one.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.at == self.tracks[self.current].end()
    }

    /// All branches, in the order in which they began.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        self.tracks
            .iter()
            .enumerate()
            .map(|(no, track)| Branch {
                no: BranchNo(no as u16),
                name: track.name.clone(),
                parent: track.parent.map(|(parent, _)| BranchNo(parent as u16)),
                forked_at: self.steps_on(no, track.base()),
                end: self.steps_on(no, track.end()),
            })
            .collect()
    }

    /// The current one.
    #[must_use]
    pub fn branch(&self) -> BranchNo {
        BranchNo(self.current as u16)
    }

    /// The facts of the current branch up to the cursor.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        self.records_until(self.at)
    }

    /// All facts of the current branch, those after the cursor too: what is known of the future.
    #[must_use]
    pub fn all_records(&self) -> Records<'_> {
        self.records_until(self.tracks[self.current].end())
    }

    fn records_until(&self, at: usize) -> Records<'_> {
        self.records_on(self.current, at)
    }

    fn records_on(&self, no: usize, at: usize) -> Records<'_> {
        let parts = self.parts_on(no, at, |track, last| {
            &track.records[..last.records as usize]
        });
        let len = parts.iter().map(|p| p.len()).sum();
        Records { parts, len }
    }

    /// What the branches on the way to a moment of branch `no` own, oldest first; `own` says what a
    /// branch has up to one of its moves.
    fn parts_on<'a, T>(
        &'a self,
        mut no: usize,
        mut until: usize,
        own: impl Fn(&'a Track, &Move) -> &'a [T],
    ) -> Vec<&'a [T]> {
        let mut parts = Vec::new();
        loop {
            let track = &self.tracks[no];
            let moves = until.saturating_sub(track.base());
            if let Some(last) = moves.checked_sub(1).and_then(|i| track.moves.get(i)) {
                parts.push(own(track, last));
            }
            match track.parent {
                Some((parent, base)) => (no, until) = (parent, until.min(base)),
                None => break,
            }
        }
        parts.reverse();
        parts.retain(|p| !p.is_empty());
        parts
    }

    /// The actions of the current branch up to the cursor.
    #[must_use]
    pub fn actions(&self) -> Vec<TimedAction> {
        (1..=self.at)
            .filter_map(|at| {
                let (track, m) = self.move_before(self.current, at)?;
                let action = track.actions.get(m.action? as usize)?.clone();
                Some(TimedAction {
                    step: u64::from(m.step),
                    action,
                })
            })
            .collect()
    }

    /// The move that leads to the moment `at` on the way to branch `no`.
    fn move_before(&self, no: usize, at: usize) -> Option<(&Track, &Move)> {
        let mut track = self.tracks.get(no)?;
        while at <= track.base() {
            track = self.tracks.get(track.parent?.0)?;
        }
        Some((track, track.moves.get(at - track.base() - 1)?))
    }

    /// What was done in the move that leads there: an action, or a step.
    fn action_before(&self, no: usize, at: usize) -> Option<Option<Action>> {
        let (track, m) = self.move_before(no, at)?;
        Some(m.action.map(|no| track.actions[no as usize].clone()))
    }

    fn steps_on(&self, no: usize, at: usize) -> u64 {
        self.move_before(no, at)
            .map_or(0, |(_, m)| u64::from(m.step))
    }

    fn steps_at(&self, at: usize) -> u64 {
        self.steps_on(self.current, at)
    }

    /// The steps of all branches, each counted once.
    fn all_steps(&self) -> u64 {
        let own = |t: &Track| (t.moves.len() - t.actions.len()) as u64;
        self.tracks.iter().map(own).sum()
    }

    // ---- moving ---------------------------------------------------------------------------------

    /// One step on. In the past that is the step that was taken then, and the actions that
    /// followed it. Says how many records that brought: they are the last of
    /// [`History::records`]. `None`: nothing can happen any more, or the run is too long.
    pub fn step(&mut self) -> Option<usize> {
        let before = self.records().len();
        if !self.at_end() {
            let target = self.cursor() + 1;
            self.goto(target);
            return Some(self.records().len() - before);
        }
        let full = self.cursor() >= MAX_STEPS || self.all_steps() >= MAX_ALL_STEPS;
        if full || !self.world.step(&mut self.log) {
            return None;
        }
        Some(self.push(None))
    }

    /// Does something at the cursor. In the past this begins a branch and the old future is kept,
    /// unless it is just what was done then: that is repeated. Says how many records that brought.
    ///
    /// # Errors
    /// The action is impossible; nothing was changed.
    pub fn act(&mut self, action: Action) -> Result<usize, ActError> {
        if !self.at_end() {
            self.world.possible(&action)?;
            let next = self
                .move_before(self.current, self.at + 1)
                .and_then(|(track, m)| track.actions.get(m.action? as usize));
            if next == Some(&action) {
                let before = self.records().len();
                self.run_to(self.at + 1);
                return Ok(self.records().len() - before);
            }
        }
        let done: usize = self.tracks.iter().map(|t| t.actions.len()).sum();
        if done >= MAX_ACTIONS {
            return Err(ActError::TooMuch {
                what: "actions",
                got: MAX_ACTIONS as u64 + 1,
                limit: MAX_ACTIONS as u64,
            });
        }
        if !self.at_end() {
            self.fork()?;
        }
        let no = self.tracks[self.current].actions.len() as u32;
        self.world.act(&action, &mut self.log)?;
        self.tracks[self.current].actions.push(action);
        Ok(self.push(Some(no)))
    }

    /// Notes a new move at the end of the current branch.
    fn push(&mut self, action: Option<u32>) -> usize {
        let track = &mut self.tracks[self.current];
        let new = self.log.records.len();
        track.records.extend(self.log.records.iter().cloned());
        track.sent.extend_from_slice(&self.log.sent);
        track.moves.push(Move {
            step: self.world.steps() as u32,
            records: track.records.len() as u32,
            sent: track.sent.len() as u32,
            at: self.world.now(),
            action,
        });
        self.at += 1;
        let since = track.checkpoints.last().map_or(0, |(at, _)| *at);
        if self.at - since >= CHECKPOINT {
            track.checkpoints.push((self.at, self.world.clone()));
        }
        new
    }

    /// Leaves the current branch at the cursor.
    fn fork(&mut self) -> Result<(), ActError> {
        if self.tracks.len() >= MAX_BRANCHES {
            return Err(ActError::TooMuch {
                what: "branches",
                got: MAX_BRANCHES as u64 + 1,
                limit: MAX_BRANCHES as u64,
            });
        }
        let owner = self.owner(self.current, self.at);
        self.tracks.push(Track {
            name: format!("branch {}", self.tracks.len() + 1),
            parent: Some((owner, self.at)),
            moves: Vec::new(),
            actions: Vec::new(),
            records: Vec::new(),
            sent: Vec::new(),
            checkpoints: vec![(self.at, self.world.clone())],
        });
        self.current = self.tracks.len() - 1;
        Ok(())
    }

    /// The branch that owns a moment on the way to the end of branch `no`: what leaves there is its child.
    fn owner(&self, mut no: usize, at: usize) -> usize {
        while let Some((parent, base)) = self.tracks[no].parent {
            if at > base {
                break;
            }
            no = parent;
        }
        no
    }

    /// Gives the current branch another name, as [`History::rename`] does.
    pub fn name_branch(&mut self, name: &str) {
        self.rename(self.branch(), name);
    }

    /// Undoes the last step or action. False at the beginning.
    pub fn back(&mut self) -> bool {
        match self.at.checked_sub(1) {
            Some(at) => {
                self.run_to(at);
                true
            }
            None => false,
        }
    }

    /// Redoes one step or action of the known future. False at the end of the branch.
    pub fn forward(&mut self) -> bool {
        let more = !self.at_end();
        if more {
            self.run_to(self.at + 1);
        }
        more
    }

    /// Goes to the moment after this step and the actions that followed it, or to the end of the
    /// branch if that is earlier. Says where it arrived.
    pub fn goto(&mut self, step: u64) -> u64 {
        self.run_to(self.moment(self.current, step));
        self.cursor()
    }

    /// The last moment of a branch with so many steps or fewer.
    fn moment(&self, no: usize, step: u64) -> usize {
        let (mut low, mut high) = (0, self.tracks[no].end());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.steps_on(no, middle) <= step {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Goes to the end of another branch. False: there is no such branch.
    pub fn switch(&mut self, branch: BranchNo) -> bool {
        let no = usize::from(branch.0);
        if no >= self.tracks.len() {
            return false;
        }
        self.visit(no, self.tracks[no].end());
        true
    }

    /// Goes to a moment of a branch.
    fn visit(&mut self, no: usize, at: usize) {
        self.current = no;
        self.at = usize::MAX; // nothing of the present world is of use
        self.run_to(at);
    }

    /// Makes the world of this moment of the current branch.
    fn run_to(&mut self, at: usize) {
        // From before the moment, so that what happened last is known there.
        let (from, start) = self.checkpoint(self.current, at.saturating_sub(1));
        // The present if that is nearer.
        if !(from <= self.at && self.at <= at) {
            self.world = start.clone();
            self.at = from;
        }
        while self.at < at {
            let Some(action) = self.action_before(self.current, self.at + 1) else {
                return;
            };
            repeat(action, self.at + 1, &mut self.world, &mut self.log);
            self.at += 1;
        }
        if self.at == 0 {
            self.log = StepLog::default();
        }
    }

    /// The nearest checkpoint on the way to branch `no`, at or before a moment: after how many moves,
    /// and the world there.
    fn checkpoint(&self, mut no: usize, at: usize) -> (usize, &World) {
        loop {
            let track = &self.tracks[no];
            let found = track.checkpoints.partition_point(|(c, _)| *c <= at);
            match (found.checked_sub(1), track.parent) {
                (Some(index), _) => {
                    let (after, world) = &track.checkpoints[index];
                    return (*after, world);
                }
                (None, Some((parent, _))) => no = parent,
                // The first branch begins with a checkpoint.
                (None, None) => return (0, &track.checkpoints[0].1),
            }
        }
    }
}

/// Does once more what was done, as the `number`-th move of a run.
fn repeat(action: Option<Action>, number: usize, world: &mut World, log: &mut StepLog) {
    let same = match action {
        None => world.step(log),
        Some(action) => world.act(&action, log).is_ok(),
    };
    assert!(
        same,
        "a run is decided by seed, setup and actions; move {number} was possible and is not"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::ServerId, sim::setup::ClientNo, sim::world::ServerStatus};

    fn small() -> Setup {
        Setup {
            voters: 3,
            ..Setup::default()
        }
    }

    fn crash(server: i64) -> Action {
        Action::Crash {
            server: ServerId(server),
            lose_unsynced: true,
        }
    }

    fn steps(history: &mut History, n: u64) {
        for _ in 0..n {
            history.step().expect("something happens");
        }
    }

    /// A run with a crash, a client and a restart.
    fn eventful() -> History {
        let mut h = History::new(&small()).expect("a world");
        steps(&mut h, 120);
        h.act(Action::AddClient {
            server: None,
            timeout_ms: 8000,
        })
        .expect("a client");
        h.act(Action::Load {
            client: ClientNo(1),
            writes: 1000,
        })
        .expect("load");
        steps(&mut h, 300);
        h.act(crash(3)).expect("it ran");
        steps(&mut h, 400);
        h.act(Action::Restart {
            server: ServerId(3),
        })
        .expect("it was down");
        steps(&mut h, 400);
        h
    }

    /// What must be equal at equal moments.
    fn moment(h: &History) -> (u64, u64, u64, usize, Vec<u64>) {
        (
            h.world().trace_hash(),
            h.world().now().0,
            h.cursor(),
            h.records().len(),
            h.world()
                .servers()
                .map(|s| s.peer.map_or(0, |p| p.database().digest()))
                .collect(),
        )
    }

    #[test]
    fn what_happened_last_is_known_at_every_moment() {
        let mut h = eventful();
        let end = h.at;
        let last = |h: &History| (h.log().step, h.log().at, h.log().records.len());
        let mut logs = Vec::new();
        for at in 0..=end {
            h.run_to(at);
            let owned = h.records().last(h.log().records.len());
            assert!(
                owned.into_iter().eq(h.log().records.iter()),
                "after move {at}"
            );
            logs.push(last(&h));
        }
        for at in (0..=end).rev() {
            h.run_to(at);
            assert_eq!(last(&h), logs[at], "back after move {at}");
        }
        // Checkpoints are among these.
        assert!(end > 3 * CHECKPOINT);
    }

    #[test]
    fn going_back_is_exact() {
        let mut h = History::new(&small()).expect("a world");
        let mut moments = vec![moment(&h)];
        for _ in 0..700 {
            h.step().expect("something happens");
            moments.push(moment(&h));
        }
        while let Some(expected) = moments.pop() {
            assert_eq!(moment(&h), expected);
            assert_eq!(h.back(), !moments.is_empty());
        }
    }

    #[test]
    fn any_moment_is_reached_from_any_other() {
        let mut h = eventful();
        let end = moment(&h);
        for step in [
            0, 1, 119, 120, 121, 419, 420, 700, 820, 900, 3, 1220, 256, 257,
        ] {
            assert_eq!(h.goto(step), step);
            let there = moment(&h);
            let mut again = eventful();
            again.goto(step);
            assert_eq!(moment(&again), there);
        }
        assert_eq!(h.goto(u64::MAX), 1220);
        assert_eq!(moment(&h), end);
    }

    #[test]
    fn stepping_in_the_past_repeats_what_was() {
        let mut h = eventful();
        let end = moment(&h);
        h.goto(400);
        while !h.at_end() {
            h.step().expect("it happened before");
        }
        assert_eq!(moment(&h), end);
        assert_eq!(h.branches().len(), 1);
    }

    #[test]
    fn back_undoes_an_action_by_itself() {
        let mut h = eventful();
        h.goto(420);
        let status = |h: &History| h.world().server(ServerId(3)).map(|s| s.status);
        assert_eq!(
            status(&h),
            Some(ServerStatus::Down),
            "the crash after step 420"
        );
        assert!(h.back());
        assert_eq!(h.cursor(), 420);
        assert_eq!(status(&h), Some(ServerStatus::Up));
        assert!(h.forward());
        assert_eq!(status(&h), Some(ServerStatus::Down));
    }

    #[test]
    fn another_action_in_the_past_begins_a_branch_and_the_old_future_is_kept() {
        let mut h = eventful();
        let end = moment(&h);
        let known = h.all_records().len();
        h.goto(300);
        h.act(crash(1)).expect("it ran");
        steps(&mut h, 200);
        let other_end = moment(&h);
        let names: Vec<_> = h.branches().into_iter().map(|b| b.name).collect();
        assert_eq!(names, ["main", "branch 2"]);
        assert_eq!(h.branch(), BranchNo(1));
        assert_eq!(h.branches()[1].forked_at, 300);
        assert_eq!(h.branches()[1].end, 500);
        assert!(h.switch(BranchNo(0)));
        assert_eq!(moment(&h), end);
        assert_eq!(h.all_records().len(), known);
        assert!(h.switch(BranchNo(1)));
        assert_eq!(moment(&h), other_end);
        assert!(!h.switch(BranchNo(2)));
    }

    #[test]
    fn branches_of_branches_share_their_past() {
        let mut h = eventful();
        h.goto(300);
        h.act(crash(1)).expect("it ran");
        steps(&mut h, 100);
        h.goto(350);
        h.act(Action::Pause {
            server: ServerId(2),
        })
        .expect("it ran");
        steps(&mut h, 50);
        // Before the point where branch 2 began: a child of main, not of branch 3.
        h.goto(200);
        h.act(crash(2)).expect("it ran");
        let parents: Vec<_> = h.branches().into_iter().map(|b| b.parent).collect();
        assert_eq!(
            parents,
            [
                None,
                Some(BranchNo(0)),
                Some(BranchNo(1)),
                Some(BranchNo(0))
            ]
        );
        assert!(h.switch(BranchNo(2)));
        assert_eq!(h.actions().len(), 4, "client, load, crash, pause");
        let steps: Vec<u64> = h.records().iter().map(|r| r.step).collect();
        assert!(steps.is_sorted());
        let by_index: Vec<u64> = (0..h.records().len())
            .filter_map(|i| h.records().get(i).map(|r| r.step))
            .collect();
        assert_eq!(by_index, steps);
    }

    #[test]
    fn doing_again_what_was_done_begins_no_branch() {
        let mut h = eventful();
        h.goto(420);
        h.back();
        h.act(crash(3)).expect("it ran");
        assert_eq!(h.branches().len(), 1);
        assert_eq!(h.end(), 1220);
    }

    #[test]
    fn an_impossible_action_changes_nothing() {
        let mut h = eventful();
        h.goto(300);
        let before = moment(&h);
        let error = h.act(Action::Restart {
            server: ServerId(1),
        });
        assert_eq!(error, Err(ActError::Running(ServerId(1))));
        assert!(h.act(crash(9)).is_err());
        assert_eq!(moment(&h), before);
        assert_eq!(h.branches().len(), 1, "not even a branch");
    }

    #[test]
    fn what_is_exported_is_imported() {
        let mut h = eventful();
        h.goto(600);
        let exported = h.export();
        let text = exported.to_json();
        let read = Exported::from_json(&text).expect("our own text");
        assert_eq!(read, exported);
        let imported = History::import(&read).expect("our own run");
        assert_eq!(imported.mismatch, None);
        assert_eq!(moment(&imported.history), moment(&h));
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let text = r#"{"version":2,"colour":"green"}"#;
        let error = Exported::from_json(text).expect_err("not ours");
        assert_eq!(error, ImportError::Version { found: 2 });
        assert_eq!(
            error.to_string(),
            "this run has format 2; this build reads format 1"
        );
        let mut exported = eventful().export();
        exported.version = 7;
        assert!(History::import(&exported).is_err());
    }

    #[test]
    fn what_is_not_a_run_is_refused_with_a_reason() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"version":1}"#,
            r#"{"version":1,"setup":{"voters":77},"actions":[],"steps":1,"more":1}"#,
        ] {
            let error = Exported::from_json(text).expect_err("not a run");
            assert!(matches!(error, ImportError::Json(_)), "{text}: {error}");
        }
        let too_long = " ".repeat(MAX_JSON + 1);
        assert!(matches!(
            Exported::from_json(&too_long),
            Err(ImportError::Bytes(_))
        ));
    }

    #[test]
    fn a_run_out_of_bounds_is_refused() {
        let good = eventful().export();
        let bad = |change: &dyn Fn(&mut Exported)| {
            let mut run = good.clone();
            change(&mut run);
            History::import(&run).err()
        };
        assert_eq!(
            bad(&|r| r.steps = MAX_STEPS + 1),
            Some(ImportError::Steps(MAX_STEPS + 1))
        );
        assert!(matches!(
            bad(&|r| r.actions = vec![r.actions[0].clone(); MAX_ACTIONS + 1]),
            Some(ImportError::Actions(_))
        ));
        assert!(matches!(
            bad(&|r| r.setup.voters = 10),
            Some(ImportError::Setup(_))
        ));
        assert_eq!(
            bad(&|r| r.actions.swap(0, 3)),
            Some(ImportError::Order { index: 1 })
        );
        assert!(matches!(
            bad(&|r| r.actions[2].action = Action::Restart {
                server: ServerId(1)
            }),
            Some(ImportError::Act { index: 2, .. })
        ));
        assert_eq!(
            bad(&|r| r.trace = Some("beef".to_owned())),
            Some(ImportError::Trace)
        );
    }

    #[test]
    fn another_trace_hash_is_a_warning() {
        let mut exported = eventful().export();
        exported.trace = Some("0000000000000001".to_owned());
        let imported = History::import(&exported).expect("the run is good");
        assert!(matches!(imported.mismatch, Some((1, _))));
    }

    #[test]
    fn a_run_that_rests_too_early_is_refused() {
        let mut exported = History::new(&small()).expect("a world").export();
        exported.steps = 50;
        exported.trace = None;
        exported.actions = (1..=3)
            .map(|n| TimedAction {
                step: 40,
                action: crash(n),
            })
            .collect();
        assert_eq!(
            History::import(&exported).err(),
            Some(ImportError::Ended { at: 40, steps: 50 })
        );
    }
}
