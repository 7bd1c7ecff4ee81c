//! A moment of a run is decided by its setup, its actions and its steps: however one came to it, by steps,
//! by going back, from another branch, or from a file, it is the same moment.

use std::collections::BTreeMap;
use zabscope_core::{
    id::ServerId,
    sim::{Action, BranchNo, Exported, FaultPlan, Faults, History, Workload, fault::swarm},
    time::Span,
};

const SEEDS: u64 = 40;
const ACTS: usize = 120;
/// So many moments of each run are made anew from their file.
const IMPORTED: usize = 6;

/// A generator of our own: the simulator's is part of the world.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// The moment by what decides it, and what was found there.
fn moment(history: &History) -> (String, Exported) {
    let mut exported = history.export();
    let trace = exported.trace.take();
    let key = exported.to_json();
    exported.trace = trace;
    (key, exported)
}

#[test]
fn a_moment_is_the_same_however_one_came_to_it() {
    for seed in 0..SEEDS {
        let setup = swarm(seed, 3 + (seed % 3) as u8, (seed % 2) as u8);
        let mut history = History::new(&setup).expect("a world");
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut faults = Faults::new(FaultPlan::all(), seed);
        let mut clients = Workload::new(seed, 3);
        let mut seen: BTreeMap<String, Exported> = BTreeMap::new();
        let mut before = Vec::new();
        for act in 0..ACTS {
            let end = history.end();
            match dice.below(10) {
                0..=3 => {
                    for _ in 0..=dice.below(60) {
                        history.step();
                    }
                }
                4..=5 => {
                    let action = match dice.below(2) {
                        0 => faults.next(history.world()),
                        _ => clients.next(history.world()),
                    };
                    // What the past makes impossible is refused, and changes nothing.
                    if let Some(action) = action {
                        let (key, _) = moment(&history);
                        if history.act(action).is_err() {
                            assert_eq!(moment(&history).0, key, "seed {seed}, act {act}");
                        }
                    }
                }
                6 => {
                    history.goto(dice.below(end + 1));
                }
                7 => {
                    for _ in 0..=dice.below(5) {
                        history.back();
                    }
                }
                8 => {
                    for _ in 0..=dice.below(5) {
                        history.forward();
                    }
                }
                _ => {
                    let all = history.branches();
                    let no = dice.below(all.len() as u64) as u16;
                    assert!(history.switch(BranchNo(no)));
                }
            }
            let (key, found) = moment(&history);
            if let Some(known) = seen.get(&key) {
                assert_eq!(&found, known, "seed {seed}, act {act}");
            }
            seen.insert(key, found);
            // What other branches hold does not change by what is done in this one.
            let ends: Vec<_> = history.branches().into_iter().map(|b| b.no).collect();
            assert!(ends.starts_with(&before), "seed {seed}, act {act}");
            before = ends;
        }
        assert!(before.len() > 1, "seed {seed} has no branches");
        let every = (seen.len() / IMPORTED).max(1);
        for exported in seen.values().step_by(every) {
            let imported = History::import(exported).expect("a run of ours");
            assert_eq!(imported.mismatch, None, "seed {seed}");
            assert_eq!(&imported.history.export(), exported, "seed {seed}");
        }
    }
}

/// What one sees of a run who looks at all of its branches.
fn tree(history: &History) -> Vec<(String, Option<BranchNo>, u64, u64, u64, usize)> {
    let of = |b: zabscope_core::sim::Branch| {
        let end = history.world_at_end_of(b.no).expect("it is there");
        let records = history.records_of(b.no).expect("it is there").len();
        (
            b.name,
            b.parent,
            b.forked_at,
            b.end,
            end.trace_hash(),
            records,
        )
    };
    history.branches().into_iter().map(of).collect()
}

#[test]
fn a_run_with_branches_names_and_bookmarks_is_the_same_after_it_was_written_and_read() {
    let mut most = 0;
    for seed in 0..SEEDS {
        let setup = swarm(seed, 3 + (seed % 3) as u8, (seed % 2) as u8);
        let mut history = History::new(&setup).expect("a world");
        let mut dice = Dice(seed.wrapping_mul(0xD134_2543_DE82_EF95) | 1);
        let mut faults = Faults::new(FaultPlan::all(), seed);
        let mut marks = Vec::new();
        for act in 0..ACTS {
            match dice.below(10) {
                0..=2 => {
                    for _ in 0..=dice.below(60) {
                        history.step();
                    }
                }
                3..=4 => {
                    if dice.below(2) == 0 {
                        history.goto(dice.below(history.end() + 1));
                    }
                    let slower = Action::SlowDisk {
                        server: ServerId(1),
                        extra: Span::millis(act as u64 + 1),
                    };
                    history.act(slower).expect("it is always possible");
                }
                5 => {
                    if let Some(action) = faults.next(history.world()) {
                        // What the past makes impossible is refused.
                        let _ = history.act(action);
                    }
                }
                6..=7 => {
                    history.goto(dice.below(history.end() + 1));
                    for _ in 0..dice.below(3) {
                        history.back();
                    }
                }
                8 => {
                    let all = history.branches();
                    let no = BranchNo(dice.below(all.len() as u64) as u16);
                    history.rename(no, &format!("“{act}”, 分支 {}", no.0));
                    history.switch(no);
                }
                _ => marks.push((history.here(), format!("at {act}"))),
            }
        }
        marks.truncate(zabscope_core::sim::history::sharing::MAX_BOOKMARKS);
        let mut exported = history.export_all();
        exported.bookmarks.clone_from(&marks);
        let read = Exported::from_json(&exported.to_json()).expect("our own text");
        assert_eq!(read, exported, "seed {seed}");
        let imported = History::import(&read).expect("a run of ours");
        assert_eq!(imported.mismatch, None, "seed {seed}");
        assert_eq!(imported.bookmarks, marks, "seed {seed}");
        let mut again = imported.history;
        assert_eq!(again.export_all(), history.export_all(), "seed {seed}");
        assert_eq!(tree(&again), tree(&history), "seed {seed}");
        for (spot, _) in &marks {
            let at = |h: &History| (h.time_of(*spot), h.is_on_the_way(*spot));
            assert_eq!(at(&again), at(&history), "seed {seed}");
            assert!(again.visit_spot(*spot), "seed {seed}");
            let there = again.world().trace_hash();
            let then = history.world_of(*spot).expect("it was kept");
            assert_eq!(there, then.trace_hash(), "seed {seed}");
            assert_eq!(Some(again.world().now()), again.time_of(*spot));
            assert!(again.visit_spot(history.here()), "seed {seed}");
            assert_eq!(again.export(), history.export(), "seed {seed}");
        }
        most = most.max(history.branches().len());
    }
    assert!(most >= 16, "no run has 16 branches, at most {most}");
}

#[test]
fn virtual_time_never_goes_back_in_a_branch() {
    let mut history = History::new(&swarm(7, 5, 1)).expect("a world");
    let mut now = history.world().now();
    for _ in 0..2000 {
        history.step();
        assert!(history.world().now() >= now);
        now = history.world().now();
    }
    assert!(now.0 > Span::millis(1).0);
}
