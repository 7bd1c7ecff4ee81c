//! On the real file system.

use super::*;
use crate::storage::files::RealFiles;
use std::fs;
use tempfile::TempDir;

fn temporary() -> (TempDir, Dirs) {
    let dir = TempDir::new().expect("a temporary directory");
    let dirs = Dirs::new(dir.path().join("data"), None);
    (dir, dirs)
}

fn apache() -> (TempDir, Dirs) {
    let (dir, dirs) = temporary();
    fs::create_dir_all(dirs.logs()).expect("made");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/fixtures/files");
    for name in ["log.1", "log.1e", "snapshot.0", "snapshot.1d"] {
        fs::copy(fixtures.join(name), dirs.logs().join(name)).expect("copied");
    }
    (dir, dirs)
}

#[test]
fn a_data_directory_of_apache_is_opened_and_continued() {
    let (_dir, dirs) = apache();
    let (mut storage, stored) = open(&dirs, &Options::default()).expect("Apache's");
    assert!(storage.take_notices().is_empty());
    assert_eq!(stored.snapshot.last_processed, Zxid(0x1d));
    assert_eq!(stored.log.len(), 31);
    let mut database = loaded(&stored);
    assert_eq!(database.digest(), 0x7_c2ab_08ab);
    let next = txn(Zxid(0x20));
    database.apply(&next);
    let op = StorageOp::Append(Arc::new(next));
    storage.apply(batch(1, vec![op])).expect("written");
    let op = StorageOp::Snapshot(Arc::new(database.clone()));
    storage.apply(batch(2, vec![op])).expect("written");
    storage.finish_snapshots();
    drop(storage);
    let (_storage, stored) = open(&dirs, &Options::default()).expect("ours");
    assert_eq!(*stored.snapshot, database);
    let log = fs::metadata(dirs.log_path(Zxid(0x20))).expect("a log");
    assert_eq!(log.len(), 64 << 20, "preAllocSize");
}

#[test]
fn a_data_directory_of_apache_without_its_newest_snapshot_is_the_same() {
    let (_dir, dirs) = apache();
    fs::remove_file(dirs.snapshot_path(Zxid(0x1d), Compression::Checked)).expect("there");
    let (_storage, stored) = open(&dirs, &Options::default()).expect("Apache's");
    assert_eq!(loaded(&stored).digest(), 0x7_c2ab_08ab);
}

#[test]
fn two_processes_never_use_one_directory() {
    let (_dir, dirs) = temporary();
    let first = open(&dirs, &Options::default()).expect("free");
    let error = open(&dirs, &Options::default()).expect_err("in use");
    assert!(matches!(error, StorageError::Locked { .. }));
    assert!(error.to_string().contains("another server"), "{error}");
    drop(first);
    open(&dirs, &Options::default()).expect("free again");
}

#[test]
fn logs_and_snapshots_have_their_own_directories() {
    let dir = TempDir::new().expect("a temporary directory");
    let dirs = Dirs::new(dir.path().join("data"), Some(dir.path().join("logs")));
    let (mut storage, _) = open(&dirs, &Options::default()).expect("empty");
    storage.apply(batch(1, appends(1..=2))).expect("written");
    drop(storage);
    assert!(dir.path().join("data/version-2/snapshot.0").exists());
    assert!(dir.path().join("logs/version-2/log.100000001").exists());
    let swapped = Dirs::new(dir.path().join("logs"), Some(dir.path().join("data")));
    let error = open(&swapped, &Options::default()).expect_err("swapped");
    assert!(
        matches!(error, StorageError::SnapshotInLogDir { .. }),
        "{error}"
    );
    fs::remove_file(dir.path().join("data/version-2/snapshot.0")).expect("there");
    let error = open(&swapped, &Options::default()).expect_err("swapped");
    assert!(
        matches!(error, StorageError::LogInSnapshotDir { .. }),
        "{error}"
    );
}

#[test]
fn a_missing_directory_is_made_only_if_that_is_allowed() {
    let (_dir, dirs) = temporary();
    let options = Options {
        datadir_autocreate: false,
        ..Options::default()
    };
    let error = open(&dirs, &options).expect_err("not there");
    assert!(matches!(error, StorageError::NoDirectory { .. }), "{error}");
    assert!(!dirs.snapshots().exists());
}

#[test]
fn my_id_is_a_number_from_1_to_255() {
    let (dir, dirs) = temporary();
    assert!(dirs.my_id(&RealFiles).is_err(), "not there");
    fs::create_dir_all(dir.path().join("data")).expect("made");
    for (text, id) in [
        ("3\n", Some(3)),
        ("255", Some(255)),
        ("0", None),
        ("256", None),
        ("three", None),
    ] {
        fs::write(dir.path().join("data/myid"), text).expect("written");
        assert_eq!(dirs.my_id(&RealFiles).ok().map(|id| id.0), id, "{text:?}");
    }
}

#[test]
fn compressed_snapshots_are_written_and_loaded() {
    for (compression, suffix) in [(Compression::Gzip, ".gz"), (Compression::Snappy, ".snappy")] {
        let (_dir, dirs) = temporary();
        let options = Options {
            compression,
            ..Options::default()
        };
        let (mut storage, _) = open(&dirs, &options).expect("empty");
        storage.apply(batch(1, appends(1..=500))).expect("written");
        let op = StorageOp::Snapshot(database(&zxids(1..=500)));
        storage.apply(batch(501, vec![op])).expect("written");
        storage.finish_snapshots();
        drop(storage);
        let path = dirs.snapshots().join(format!("snapshot.1000001f4{suffix}"));
        let compressed = fs::metadata(&path).expect("there").len();
        let plain = snapshot_bytes(&database(&zxids(1..=500))).len() as u64;
        assert!(compressed < plain / 2, "{compressed} of {plain}");
        let (mut storage, stored) = open(&dirs, &Options::default()).expect("ours");
        assert!(storage.take_notices().is_empty());
        assert_eq!(stored.snapshot, database(&zxids(1..=500)), "{suffix}");
    }
}

#[test]
fn snapshots_do_not_stop_the_log() {
    let (_dir, dirs) = temporary();
    let (mut storage, _) = open(&dirs, &Options::default()).expect("empty");
    for n in 1..=50 {
        let mut ops = appends(n..=n);
        if n % 10 == 0 {
            ops.push(StorageOp::Snapshot(database(&zxids(1..=n))));
        }
        storage.apply(batch(u64::from(n), ops)).expect("written");
    }
    storage.finish_snapshots();
    let notices = storage.take_notices();
    assert!(
        notices
            .iter()
            .all(|n| matches!(n, Notice::SnapshotWritten { .. })),
        "{notices:?}"
    );
    drop(storage);
    let (_storage, stored) = open(&dirs, &Options::default()).expect("ours");
    assert_eq!(stored.snapshot.last_processed, z(1, 50));
    assert_eq!(loaded(&stored), *database(&zxids(1..=50)));
}
