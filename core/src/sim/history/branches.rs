//! Branches looked at without going there: what two futures share, where each leads, what they are
//! called.

use super::{BranchNo, History, Records, repeat};
use crate::{
    sim::{
        fact::{Sent, StepLog},
        setup::BEGINNING,
        world::World,
    },
    time::Moment,
};

/// A moment: a branch, and how many steps and how many actions lead to it from the beginning of the run.
pub type Spot = (BranchNo, u64, u64);

/// A name of a branch has at most so many characters.
pub const MAX_NAME: usize = 80;

/// Whether a character turns the direction of what follows it: in a name it would turn what stands around it.
#[must_use]
pub const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl History {
    /// Gives a branch another name: without control characters and spaces around it, and cut where it is
    /// longer than [`MAX_NAME`]. False: there is no such branch, or nothing is left of the name.
    pub fn rename(&mut self, branch: BranchNo, name: &str) -> bool {
        let name: String = name
            .trim()
            .chars()
            .filter(|c| !c.is_control() && !turns(*c))
            .take(MAX_NAME)
            .collect();
        match self.tracks.get_mut(usize::from(branch.0)) {
            Some(track) if !name.is_empty() => {
                track.name = name;
                true
            }
            Some(_) | None => false,
        }
    }

    /// All messages that left servers on the current branch, those after the cursor too, oldest first:
    /// one part for each branch on the way. A message that waited for a disk stands at the moment when
    /// it left.
    #[must_use]
    pub fn all_sent(&self) -> Vec<&[Sent]> {
        let end = self.tracks[self.current].end();
        self.parts_on(self.current, end, |track, last| {
            &track.sent[..last.sent as usize]
        })
    }

    /// All facts of a branch up to its end, oldest first. `None`: there is no such branch.
    #[must_use]
    pub fn records_of(&self, branch: BranchNo) -> Option<Records<'_>> {
        let no = usize::from(branch.0);
        let track = self.tracks.get(no)?;
        Some(self.records_on(no, track.end()))
    }

    /// The world at the end of a branch; the cursor stays where it is. `None`: there is no such branch.
    #[must_use]
    pub fn world_at_end_of(&self, branch: BranchNo) -> Option<World> {
        let no = usize::from(branch.0);
        let end = self.tracks.get(no)?.end();
        self.world_on(no, end)
    }

    /// The world of a branch after so many steps, and after the actions that followed the last of them; the
    /// cursor stays where it is. `None`: there is no such branch.
    #[must_use]
    pub fn world_at(&self, branch: BranchNo, step: u64) -> Option<World> {
        let no = usize::from(branch.0);
        self.tracks.get(no)?;
        self.world_on(no, self.moment(no, step))
    }

    /// The moment of a branch to which so many steps and actions lead: after how many moves. `None`: there
    /// is none.
    fn spot(&self, (branch, steps, actions): Spot) -> Option<usize> {
        let (no, at) = (
            usize::from(branch.0),
            usize::try_from(steps.checked_add(actions)?).ok()?,
        );
        let there = at <= self.tracks.get(no)?.end() && self.steps_on(no, at) == steps;
        there.then_some(at)
    }

    /// Where the cursor is.
    #[must_use]
    pub fn here(&self) -> Spot {
        let steps = self.cursor();
        (self.branch(), steps, self.at as u64 - steps)
    }

    /// Goes to a moment. False: it is not there.
    pub fn visit_spot(&mut self, spot: Spot) -> bool {
        let found = self.spot(spot);
        if let Some(at) = found {
            self.visit(usize::from(spot.0.0), at);
        }
        found.is_some()
    }

    /// The world of a moment; the cursor stays where it is. `None`: it is not there.
    #[must_use]
    pub fn world_of(&self, spot: Spot) -> Option<World> {
        self.world_on(usize::from(spot.0.0), self.spot(spot)?)
    }

    /// A moment in virtual time. `None`: it is not there.
    #[must_use]
    pub fn time_of(&self, spot: Spot) -> Option<Moment> {
        let last = self.move_before(usize::from(spot.0.0), self.spot(spot)?);
        Some(last.map_or(BEGINNING, |(_, m)| m.at))
    }

    /// Whether a moment is on the way to the cursor.
    #[must_use]
    pub fn is_on_the_way(&self, spot: Spot) -> bool {
        let owner = |no, at| self.owner(no, at);
        self.spot(spot).is_some_and(|at| {
            at <= self.at && owner(usize::from(spot.0.0), at) == owner(self.current, at)
        })
    }

    fn world_on(&self, no: usize, end: usize) -> Option<World> {
        let (mut at, start) = self.checkpoint(no, end);
        let (mut world, mut log) = (start.clone(), StepLog::default());
        while at < end {
            let action = self.action_before(no, at + 1)?;
            repeat(action, at + 1, &mut world, &mut log);
            at += 1;
        }
        Some(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::ServerId,
        sim::setup::{Action, Setup},
    };

    fn steps(history: &mut History, n: u64) {
        for _ in 0..n {
            history.step().expect("something happens");
        }
    }

    #[test]
    fn the_world_of_any_moment_is_the_one_that_was_there() {
        let mut h = two_branches();
        let branch = h.branch();
        let mut spots = Vec::new();
        for step in [0, 1, 400, h.end() / 2, h.end()] {
            h.goto(step);
            // Before an action and after it.
            for _ in 0..2 {
                spots.push((h.here(), h.world().trace_hash(), h.world().now()));
                h.back();
            }
        }
        for (spot, there, now) in spots {
            assert_eq!(h.time_of(spot), Some(now));
            let world = h.world_of(spot).expect("it was there");
            assert_eq!((world.steps(), world.trace_hash()), (spot.1, there));
            assert!(h.visit_spot(spot) && h.here() == spot);
            assert_eq!(h.world().trace_hash(), there);
        }
        for step in [0, 399, 400, h.end()] {
            h.goto(step);
            let there = h.world().trace_hash();
            let world = h.world_at(branch, step).expect("there is such a branch");
            assert_eq!((world.steps(), world.trace_hash()), (step, there));
        }
        assert!(h.world_at(BranchNo(99), 0).is_none());
        let here = h.here();
        for none in [
            (BranchNo(99), 0, 0),
            (branch, 0, 1),
            (branch, 9999, 0),
            (branch, u64::MAX, u64::MAX),
        ] {
            assert!(h.world_of(none).is_none() && h.time_of(none).is_none());
            assert!(!h.visit_spot(none) && !h.is_on_the_way(none) && h.here() == here);
        }
    }

    #[test]
    fn what_two_branches_share_is_on_the_way_to_both_and_nothing_else_is() {
        let mut h = two_branches();
        let (one, two) = (BranchNo(0), BranchNo(1));
        h.goto(500);
        for (spot, is) in [
            ((two, 500, 1), true),
            ((two, 501, 1), false),
            ((one, 300, 0), true),
            ((two, 300, 0), true),
            ((one, 400, 0), true),
            // The crash, where here is the pause.
            ((one, 400, 1), false),
            ((two, 400, 1), true),
        ] {
            assert_eq!(h.is_on_the_way(spot), is, "{spot:?}");
        }
    }

    /// Two futures: with a crash, and with a pause at the same moment.
    fn two_branches() -> History {
        let mut h = History::new(&Setup::default()).expect("a world");
        steps(&mut h, 400);
        h.act(Action::Crash {
            server: ServerId(1),
            lose_unsynced: true,
        })
        .expect("it runs");
        steps(&mut h, 300);
        h.goto(399);
        h.step();
        h.back();
        h.act(Action::Pause {
            server: ServerId(2),
        })
        .expect("it runs");
        steps(&mut h, 350);
        h
    }

    #[test]
    fn a_branch_is_looked_at_as_if_one_went_there() {
        let mut h = two_branches();
        let here = (h.branch(), h.cursor(), h.world().trace_hash());
        assert_eq!(h.branches().len(), 2);
        for branch in [BranchNo(0), BranchNo(1)] {
            let seen = h.world_at_end_of(branch).expect("it is there").trace_hash();
            let records = h.records_of(branch).expect("it is there");
            let facts: Vec<_> = records.iter().cloned().collect();
            assert_eq!(here, (h.branch(), h.cursor(), h.world().trace_hash()));
            let mut other = h.clone();
            other.switch(branch);
            assert_eq!(seen, other.world().trace_hash());
            assert!(facts.iter().eq(other.all_records().iter()));
        }
        h.switch(BranchNo(0));
        assert!(h.records_of(BranchNo(2)).is_none());
        assert!(h.world_at_end_of(BranchNo(2)).is_none());
    }

    #[test]
    fn messages_that_left_are_kept_with_the_branch_that_sent_them() {
        let h = two_branches();
        for branch in [BranchNo(0), BranchNo(1)] {
            let mut there = h.clone();
            there.switch(branch);
            let kept: Vec<Sent> = there.all_sent().concat();
            // What a run that was never left says.
            let mut again = History::import(&there.export())
                .expect("it is ours")
                .history;
            assert_eq!(kept, again.all_sent().concat());
            assert!(kept.is_sorted_by_key(|s| s.at));
            let before = kept.len();
            again.step();
            assert!(again.all_sent().concat().len() >= before);
        }
    }

    #[test]
    fn a_name_is_what_is_left_when_nothing_odd_is_in_it() {
        let mut h = two_branches();
        assert!(h.rename(BranchNo(1), "  the\u{7} pause \n"));
        assert_eq!(h.branches()[1].name, "the pause");
        assert!(h.rename(BranchNo(1), &"长".repeat(100)));
        assert_eq!(h.branches()[1].name.chars().count(), MAX_NAME);
        assert!(!h.rename(BranchNo(1), " \n "));
        assert!(!h.rename(BranchNo(9), "none"));
        assert_eq!(h.branches()[0].name, "main");
    }
}
