//! The machine stops before every single operation of a story, with nothing, half or all of what was
//! not synced left on the disk. What was acknowledged must be there, and nothing that never was.

use super::*;
use faulty::Left;

/// What may be found after a crash: the tree and the epochs.
type State = (Database, Epoch, Epoch);

/// Runs the story, one batch after the other, until it stops. Returns how many batches were
/// acknowledged, or `None` if not even the opening went through.
fn run(files: &FaultyFiles, story: &[Vec<StorageOp>]) -> Option<usize> {
    let (mut storage, _) = reopen(files).ok()?;
    for (n, ops) in story.iter().enumerate() {
        if storage.apply(batch(1, ops.clone())).is_err() {
            return Some(n);
        }
        storage.finish_snapshots();
    }
    Some(story.len())
}

/// The state after each single operation, and for each batch how many operations are then done.
fn model(start: &State, story: &[Vec<StorageOp>]) -> (Vec<State>, Vec<usize>) {
    let mut states = vec![start.clone()];
    let mut ends = vec![0];
    let mut history: Vec<Txn> = Vec::new();
    for ops in story {
        for op in ops {
            let (mut db, mut accepted, mut current) = states[states.len() - 1].clone();
            match op {
                StorageOp::Append(txn) => {
                    db.apply(txn);
                    history.push((**txn).clone());
                }
                StorageOp::Truncate(to) => {
                    // Record after record goes.
                    while history.last().is_some_and(|txn| txn.zxid() > *to) {
                        history.pop();
                        db = start.0.clone();
                        for txn in &history {
                            db.apply(txn);
                        }
                        states.push((db.clone(), accepted, current));
                    }
                }
                StorageOp::Install(theirs) => {
                    db = (**theirs).clone();
                    history.clear();
                }
                StorageOp::AcceptedEpoch(epoch) => accepted = *epoch,
                StorageOp::CurrentEpoch(epoch) => current = *epoch,
                StorageOp::Snapshot(_) | StorageOp::Members(_) | StorageOp::ReadLog { .. } => {}
            }
            states.push((db, accepted, current));
        }
        ends.push(states.len() - 1);
    }
    (states, ends)
}

fn check(disk: &dyn Fn() -> FaultyFiles, start: &State, story: &[Vec<StorageOp>]) {
    let (states, ends) = model(start, story);
    let whole = disk();
    assert_eq!(run(&whole, story), Some(story.len()));
    let operations = whole.operations();
    assert!(operations > story.len());
    for stop in 0..operations {
        let files = disk();
        files.stop_at(stop);
        let acknowledged = run(&files, story).unwrap_or(0);
        for left in [Left::Nothing, Left::Half, Left::Everything] {
            let after = files.after_crash(left);
            // The second start may be interrupted too.
            for again in [None, Some(1), Some(3)] {
                let after = after.after_crash(Left::Everything);
                let after = match again {
                    None => after,
                    Some(more) => {
                        after.stop_at(more);
                        let _ = reopen(&after);
                        after.after_crash(left)
                    }
                };
                let what = format!("before operation {stop}, left {left:?}, again {again:?}");
                let (_, stored) = match reopen(&after) {
                    Ok(opened) => opened,
                    Err(error) => panic!("{what}: {error}"),
                };
                assert!(stored.initialised, "{what}");
                let default = Epoch(0);
                let found = (
                    loaded(&stored),
                    stored.accepted_epoch.unwrap_or(default),
                    stored.current_epoch.unwrap_or(default),
                );
                let least = ends[acknowledged];
                // Of the batch that was interrupted any part may be there, of later ones nothing.
                let most = ends[(acknowledged + 1).min(story.len())];
                assert!(
                    states[least..=most].contains(&found),
                    "{what}: found {found:?}, acknowledged {:?}",
                    states[least]
                );
            }
        }
    }
}

fn empty() -> State {
    (Database::new(), Epoch(0), Epoch(0))
}

#[test]
fn no_crash_loses_an_acknowledged_transaction() {
    let story = vec![
        appends(1..=1),
        appends(2..=5),
        vec![StorageOp::Snapshot(database(&zxids(1..=5)))],
        appends(6..=7),
        appends(8..=8),
    ];
    check(&FaultyFiles::default, &empty(), &story);
}

#[test]
fn no_crash_loses_an_acknowledged_epoch_or_tears_one() {
    let story = vec![
        vec![StorageOp::AcceptedEpoch(Epoch(1))],
        [appends(1..=3), vec![StorageOp::CurrentEpoch(Epoch(1))]].concat(),
        appends(4..=4),
        vec![StorageOp::AcceptedEpoch(Epoch(2))],
        vec![append(z(2, 1)), StorageOp::CurrentEpoch(Epoch(2))],
    ];
    check(&FaultyFiles::default, &empty(), &story);
}

#[test]
fn a_crash_in_a_truncation_leaves_a_part_of_the_history_without_a_hole() {
    // A newer snapshot hides a hole before it, so once without.
    let newest = zxids(1..=7);
    for snapshots in [&[&[], &newest[..1], &newest][..], &[&[], &newest[..1]]] {
        crash_in_truncations(snapshots);
    }
}

fn crash_in_truncations(snapshots: &[&[Zxid]]) {
    let on_disk = || {
        disk(
            snapshots,
            &[&zxids(1..=2), &zxids(3..=4), &zxids(5..=6), &zxids(7..=8)],
        )
    };
    for to in [8, 7, 6, 5, 3, 2, 1] {
        let story = vec![
            vec![StorageOp::Truncate(z(1, to))],
            vec![append(z(2, 1)), append(z(2, 2))],
        ];
        let all_of_it = database(&zxids(1..=8));
        let whole = on_disk();
        assert_eq!(run(&whole, &story), Some(2));
        for stop in 0..whole.operations() {
            let files = on_disk();
            files.stop_at(stop);
            let acknowledged = run(&files, &story).unwrap_or(0);
            for left in [Left::Nothing, Left::Half, Left::Everything] {
                let after = files.after_crash(left);
                let (_, stored) = reopen(&after).expect("no hole");
                let found = loaded(&stored);
                let what = format!("to {to}, before operation {stop}, left {left:?}");
                let mut expected = zxids(1..=to);
                if acknowledged == 0 {
                    let n = found.last_processed;
                    if n.epoch() == Epoch(1) {
                        assert!(n >= z(1, to), "{what}: too short");
                        assert_eq!(found, *database(&zxids(1..=n.counter())), "{what}");
                        assert!(n <= all_of_it.last_processed);
                        continue;
                    }
                    panic!("{what}: {found:?}");
                }
                if acknowledged == 1 && found.last_processed <= z(1, to) {
                    assert_eq!(found, *database(&expected), "{what}");
                    continue;
                }
                expected.push(z(2, 1));
                if found.last_processed == z(2, 2) || acknowledged == 2 {
                    expected.push(z(2, 2));
                }
                assert_eq!(found, *database(&expected), "{what}");
            }
        }
    }
}

#[test]
fn a_crash_in_an_installation_leaves_the_old_history_or_the_new_one() {
    let on_disk = || disk(&[&[], &zxids(1..=3)], &[&zxids(1..=3), &zxids(4..=6)]);
    let start = ((*database(&zxids(1..=6))).clone(), Epoch(0), Epoch(0));
    // With fewer transactions than we have, and with a name that is there already.
    for theirs in [vec![z(1, 1), z(2, 1)], zxids(1..=3), zxids(1..=9)] {
        let next = theirs[theirs.len() - 1].next().expect("small");
        let story = vec![
            vec![
                StorageOp::AcceptedEpoch(Epoch(2)),
                StorageOp::Install(database(&theirs)),
                StorageOp::CurrentEpoch(Epoch(2)),
            ],
            vec![append(next)],
        ];
        // Without epoch files the epoch is that of the log; the model begins with those.
        let with_epochs = || {
            let files = on_disk();
            for name in ["acceptedEpoch", "currentEpoch"] {
                files.put(&PathBuf::from(format!("data/version-2/{name}")), b"1");
            }
            files
        };
        let start = (start.0.clone(), Epoch(1), Epoch(1));
        check(&with_epochs, &start, &story);
    }
}
