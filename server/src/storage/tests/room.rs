//! Room that is made before a tree is installed.

use super::*;
use faulty::Left;

fn make(
    files: &FaultyFiles,
    database: &Database,
    compression: Compression,
) -> Result<Room, StorageError> {
    Room::make_with(Arc::new(files.clone()), &dirs(), compression, database)
}

#[test]
fn a_tree_with_room_is_installed_on_a_full_disk() {
    for compression in [Compression::Checked, Compression::Gzip] {
        let files = disk(&[&[], &zxids(1..=3)], &[&zxids(1..=3), &zxids(4..=6)]);
        let options = Options {
            compression,
            ..options()
        };
        let open = || open_with(Arc::new(files.clone()), &dirs(), &options);
        let (mut storage, _) = open().expect("ours");
        let room = make(&files, &database(&zxids(1..=8)), compression).expect("there is room");
        files.leave_room(0);
        // Smaller and larger than what it was made for.
        let theirs = database(&zxids(1..=9));
        let install = vec![StorageOp::Install(Arc::clone(&theirs))];
        storage.apply(batch(1, install)).expect("it has its room");
        drop(room);
        drop(storage);
        let (_, stored) = open().expect("ours");
        assert_eq!(*stored.snapshot, *theirs);
        let paths = files.paths();
        assert_eq!(
            paths,
            [dirs().snapshot_path(z(1, 9), compression)],
            "{paths:?}"
        );
    }
}

#[test]
fn without_enough_room_nothing_is_left_of_it_and_nothing_is_changed() {
    let files = disk(&[&[], &zxids(1..=3)], &[&zxids(1..=3)]);
    let (mut storage, _) = reopen(&files).expect("ours");
    let before = files.paths();
    let large = database(&zxids(1..=100));
    // Not even for the tree, and not for what it needs more.
    for room in [100, 64 << 10] {
        files.leave_room(room);
        let error = make(&files, &large, Compression::Checked).expect_err("no room");
        assert!(matches!(error, StorageError::Io { .. }), "{error}");
        assert_eq!(files.paths(), before);
    }
    files.leave_room(10_000);
    storage.apply(batch(1, appends(4..=4))).expect("it goes on");
}

#[test]
fn room_that_is_not_used_goes() {
    let files = disk(&[&[], &zxids(1..=3)], &[]);
    let (storage, _) = reopen(&files).expect("ours");
    let before = files.paths();
    let room = make(&files, &database(&zxids(1..=3)), Compression::Checked).expect("room");
    assert_eq!(files.paths().len(), before.len() + 1);
    drop(room);
    assert_eq!(files.paths(), before);
    // Nor does it stay when the server is stopped meanwhile.
    let room = make(&files, &database(&zxids(1..=3)), Compression::Checked).expect("room");
    std::mem::forget(room);
    drop(storage);
    let (_storage, _) = reopen(&files).expect("ours");
    assert_eq!(files.paths(), before);
}

#[test]
fn a_crash_while_the_room_is_made_or_used_leaves_the_old_tree_or_the_new_one() {
    let on_disk = || disk(&[&[], &zxids(1..=3)], &[&zxids(1..=3), &zxids(4..=6)]);
    let (old, new) = (database(&zxids(1..=6)), database(&zxids(1..=9)));
    let restore = |files: &FaultyFiles| -> Result<(), StorageError> {
        let (mut storage, _) = reopen(files)?;
        let _room = make(files, &new, Compression::Checked)?;
        let install = vec![StorageOp::Install(Arc::clone(&new))];
        storage.apply(batch(1, install)).map(drop)
    };
    let whole = on_disk();
    restore(&whole).expect("no fault");
    for stop in 0..whole.operations() {
        let files = on_disk();
        files.stop_at(stop);
        let done = restore(&files).is_ok();
        for left in [Left::Nothing, Left::Half, Left::Everything] {
            let after = files.after_crash(left);
            let (_storage, stored) = reopen(&after).expect("no hole");
            let found = loaded(&stored);
            let what = format!("before operation {stop}, left {left:?}");
            assert!(found == *new || !done && found == *old, "{what}: {found:?}");
            let mut paths = after.paths().into_iter();
            assert!(
                !paths.any(|path| path.to_string_lossy().contains("tmp.")),
                "{what}"
            );
        }
    }
}
