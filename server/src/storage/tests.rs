mod crash;
mod faulty;
mod real;
mod room;

use super::*;
use faulty::FaultyFiles;
use std::path::Path;
use zabscope_core::{
    id::SessionId,
    request::Acl,
    txn::{CreateKind, CreateTxn, TxnBody, TxnHeader},
    wire::txnlog::encode_record,
};

fn z(epoch: i64, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

/// Makes a znode that is named after its zxid.
fn txn(zxid: Zxid) -> Txn {
    Txn {
        header: TxnHeader {
            session: SessionId(1),
            cxid: 1,
            zxid,
            time_ms: 5,
        },
        body: TxnBody::Create(CreateTxn {
            path: format!("/{:x}", zxid.0).into(),
            data: Some(Arc::from(*b"data")),
            acl: Arc::from([Acl {
                perms: 31,
                scheme: "world".into(),
                id: "anyone".into(),
            }]),
            parent_cversion: -1,
            kind: CreateKind::Persistent { create2: false },
        }),
        digest: None,
    }
}

/// The tree after these.
fn database(zxids: &[Zxid]) -> Arc<Database> {
    let mut database = Database::new();
    for zxid in zxids {
        database.apply(&txn(*zxid));
    }
    Arc::new(database)
}

/// The tree that a server has which loads this.
fn loaded(stored: &Stored) -> Database {
    let mut database = (*stored.snapshot).clone();
    let start = database.last_processed;
    for txn in stored.log.iter().filter(|txn| txn.zxid() > start) {
        database.apply(txn);
    }
    database
}

fn dirs() -> Dirs {
    Dirs::new("data", None)
}

fn options() -> Options {
    Options {
        pre_alloc_size: 8192,
        ..Options::default()
    }
}

fn reopen(files: &FaultyFiles) -> Result<(Storage, Stored), StorageError> {
    open_with(Arc::new(files.clone()), &dirs(), &options())
}

fn append(zxid: Zxid) -> StorageOp {
    StorageOp::Append(Arc::new(txn(zxid)))
}

/// Gives operations numbers from `seq` on.
fn batch(seq: u64, ops: Vec<StorageOp>) -> Vec<(StorageSeq, StorageOp)> {
    (seq..).map(StorageSeq).zip(ops).collect()
}

fn zxids(range: std::ops::RangeInclusive<u32>) -> Vec<Zxid> {
    range.map(|counter| z(1, counter)).collect()
}

fn appends(range: std::ops::RangeInclusive<u32>) -> Vec<StorageOp> {
    zxids(range).into_iter().map(append).collect()
}

/// A log's bytes without padding.
fn log_bytes(zxids: &[Zxid]) -> Vec<u8> {
    let mut bytes = Vec::new();
    FileHeader::LOG.encode(&mut bytes);
    for zxid in zxids {
        encode_record(&txn(*zxid), &mut bytes);
    }
    bytes
}

fn snapshot_bytes(database: &Database) -> Vec<u8> {
    let files = FaultyFiles::default();
    let path = Path::new("snapshot");
    let never = AtomicBool::new(false);
    let kind = (Form::FILE, Compression::Checked);
    snapshots::write(&files, path, database, kind, &never).expect("no fault");
    files.bytes(path).expect("written")
}

fn log_path(zxid: Zxid) -> PathBuf {
    dirs().log_path(zxid)
}

fn snapshot_path(zxid: Zxid) -> PathBuf {
    dirs().snapshot_path(zxid, Compression::Checked)
}

/// A disk with these snapshots and logs.
fn disk(snapshots: &[&[Zxid]], logs: &[&[Zxid]]) -> FaultyFiles {
    let mut contents = Vec::new();
    for zxids in snapshots {
        let database = database(zxids);
        let path = snapshot_path(database.last_processed);
        contents.push((path, snapshot_bytes(&database)));
    }
    for zxids in logs {
        contents.push((log_path(zxids[0]), log_bytes(zxids)));
    }
    FaultyFiles::with(&contents)
}

#[test]
fn a_fresh_directory_gets_an_empty_snapshot() {
    let files = FaultyFiles::default();
    let (storage, stored) = reopen(&files).expect("empty");
    assert_eq!(stored, Stored::fresh());
    assert_eq!(storage.last_zxid(), Zxid::ZERO);
    drop(storage);
    assert!(files.bytes(&snapshot_path(Zxid::ZERO)).is_some());
}

#[test]
fn an_empty_directory_has_no_say_without_autocreate_or_marker() {
    let options = Options {
        db_autocreate: false,
        ..options()
    };
    let files = FaultyFiles::default();
    let open = || open_with(Arc::new(files.clone()), &dirs(), &options);
    assert!(!open().expect("empty").1.initialised);
    assert!(files.paths().is_empty(), "and nothing is claimed on disk");
    files.put(Path::new("data/initialize"), b"");
    assert!(open().expect("empty").1.initialised);
    assert!(
        files.bytes(Path::new("data/initialize")).is_none(),
        "used up"
    );
}

#[test]
fn what_was_appended_is_there_again() {
    let files = FaultyFiles::default();
    let (mut storage, _) = reopen(&files).expect("empty");
    let done = storage.apply(batch(1, appends(1..=5))).expect("no fault");
    assert_eq!(done, [Done::Durable(StorageSeq(5))]);
    drop(storage);
    let (_, stored) = reopen(&files).expect("ours");
    assert_eq!(loaded(&stored), *database(&zxids(1..=5)));
}

#[test]
fn a_batch_is_one_write_and_one_sync() {
    let files = FaultyFiles::default();
    let (mut storage, _) = reopen(&files).expect("empty");
    storage.apply(batch(1, appends(1..=1))).expect("no fault");
    let (operations, syncs) = (files.operations(), files.syncs());
    storage.apply(batch(2, appends(2..=20))).expect("no fault");
    assert_eq!(files.operations() - operations, 2);
    assert_eq!(files.syncs() - syncs, 1);
}

#[test]
fn without_force_sync_the_log_is_not_synced() {
    let files = FaultyFiles::default();
    let options = Options {
        force_sync: false,
        ..options()
    };
    let (mut storage, _) = open_with(Arc::new(files.clone()), &dirs(), &options).expect("empty");
    let syncs = files.syncs();
    storage.apply(batch(1, appends(1..=9))).expect("no fault");
    assert_eq!(files.syncs(), syncs);
}

#[test]
fn the_log_is_extended_ahead_and_a_new_one_begun_with_every_snapshot() {
    let files = FaultyFiles::default();
    let (mut storage, _) = reopen(&files).expect("empty");
    storage.apply(batch(1, appends(1..=3))).expect("no fault");
    let log = files.bytes(&log_path(z(1, 1))).expect("a log");
    assert_eq!(log.len(), 8192);
    assert!(log.starts_with(&log_bytes(&zxids(1..=3))));
    let snapshot = StorageOp::Snapshot(database(&zxids(1..=3)));
    storage.apply(batch(4, vec![snapshot])).expect("no fault");
    storage.apply(batch(5, appends(4..=4))).expect("no fault");
    assert!(files.bytes(&log_path(z(1, 4))).is_some());
    storage.finish_snapshots();
    assert!(files.bytes(&snapshot_path(z(1, 3))).is_some());
    drop(storage);
    let (_, stored) = reopen(&files).expect("ours");
    assert_eq!(stored.snapshot.last_processed, z(1, 3));
    assert_eq!(loaded(&stored), *database(&zxids(1..=4)));
}

#[test]
fn a_log_that_grows_too_long_is_followed_by_another() {
    let files = FaultyFiles::default();
    let options = Options {
        txn_log_size_limit: Some(300),
        ..options()
    };
    let open = || open_with(Arc::new(files.clone()), &dirs(), &options);
    let (mut storage, _) = open().expect("empty");
    for n in 1..=9 {
        let seq = u64::from(n);
        storage.apply(batch(seq, appends(n..=n))).expect("no fault");
    }
    drop(storage);
    let logs = dirs().list_logs(&files).expect("a list");
    assert!(logs.len() > 2, "{logs:?}");
    assert_eq!(loaded(&open().expect("ours").1), *database(&zxids(1..=9)));
}

#[test]
fn only_the_logs_from_the_snapshot_on_are_read() {
    let files = disk(
        &[&[], &zxids(1..=5)],
        &[&zxids(1..=3), &zxids(4..=6), &zxids(7..=8)],
    );
    let (_, stored) = reopen(&files).expect("whole");
    let read: Vec<Zxid> = stored.log.iter().map(|txn| txn.zxid()).collect();
    assert_eq!(read, zxids(4..=8));
}

#[test]
fn a_torn_tail_of_the_newest_log_is_cut_at_every_byte() {
    let whole = log_bytes(&zxids(1..=2));
    let full = log_bytes(&zxids(1..=3));
    for cut in whole.len() + 1..full.len() {
        for padding in [0, 4096] {
            let files = disk(&[&[]], &[]);
            let mut torn = full[..cut].to_vec();
            torn.resize(torn.len() + padding, 0);
            files.put(&log_path(z(1, 1)), &torn);
            let (mut storage, stored) = reopen(&files).expect("a torn tail is no damage");
            assert_eq!(loaded(&stored), *database(&zxids(1..=2)), "cut at {cut}");
            // A record begins with four zeros, and zeros are padding.
            if full[whole.len()..cut].iter().any(|byte| *byte != 0) {
                let notices = storage.take_notices();
                let at = whole.len() as u64;
                assert!(
                    matches!(notices[..], [Notice::TailCut { at: found, .. }] if found == at),
                    "cut at {cut}: {notices:?}"
                );
                assert_eq!(files.bytes(&log_path(z(1, 1))), Some(whole.clone()));
            }
            storage.apply(batch(1, appends(3..=4))).expect("it goes on");
            drop(storage);
            let (_, stored) = reopen(&files).expect("ours");
            assert_eq!(loaded(&stored), *database(&zxids(1..=4)));
        }
    }
}

#[test]
fn an_empty_newest_log_is_removed() {
    for bytes in [vec![], vec![0; 8192], log_bytes(&[])] {
        let files = disk(&[&[]], &[&zxids(1..=2)]);
        files.put(&log_path(z(1, 3)), &bytes);
        let (mut storage, stored) = reopen(&files).expect("nothing is missing");
        assert_eq!(loaded(&stored), *database(&zxids(1..=2)));
        let notices = storage.take_notices();
        assert!(matches!(notices[..], [Notice::EmptyLogRemoved { .. }]));
        storage
            .apply(batch(1, appends(3..=3)))
            .expect("under the same name");
    }
}

#[test]
fn damage_elsewhere_refuses_with_file_offset_and_choices_and_changes_nothing() {
    let first = log_bytes(&zxids(1..=3));
    let record = u64::try_from(log_bytes(&zxids(1..=1)).len()).expect("small");
    let mut flipped = first.clone();
    flipped[usize::try_from(record).expect("small") + 40] ^= 1;
    let cases: [(&str, Vec<u8>); 3] = [
        ("Adler-32", flipped),
        (
            "a part of the history is missing",
            first[..first.len() - 3].to_vec(),
        ),
        ("\"ZKLG\"", b"something else entirely".to_vec()),
    ];
    for (what, bytes) in cases {
        let files = disk(&[&[]], &[&zxids(4..=5)]);
        files.put(&log_path(z(1, 1)), &bytes);
        let error = reopen(&files).expect_err(what).to_string();
        let shown = log_path(z(1, 1)).display().to_string();
        assert!(error.contains(&shown) && error.contains(what), "{error}");
        assert!(error.contains("Choices: (1)"), "{error}");
        assert_eq!(files.bytes(&log_path(z(1, 1))), Some(bytes));
        assert_eq!(files.operations(), 0);
    }
}

#[test]
fn a_wrong_checksum_in_the_newest_log_is_damage_too() {
    let mut bytes = log_bytes(&zxids(1..=2));
    let end = bytes.len();
    bytes[end - 4] ^= 1;
    let files = disk(&[&[]], &[]);
    files.put(&log_path(z(1, 1)), &bytes);
    assert!(matches!(
        reopen(&files),
        Err(StorageError::LogDamaged { .. })
    ));
}

#[test]
fn apaches_torn_log_with_the_next_one_going_on_is_whole() {
    let torn = log_bytes(&zxids(1..=3));
    let files = disk(&[&[]], &[&zxids(3..=4)]);
    files.put(&log_path(z(1, 1)), &torn[..torn.len() - 9]);
    let (_, stored) = reopen(&files).expect("nothing is missing");
    assert_eq!(loaded(&stored), *database(&zxids(1..=4)));
}

#[test]
fn a_torn_log_before_a_leaders_snapshot_hides_nothing() {
    let torn = log_bytes(&zxids(1..=3));
    let files = disk(&[&zxids(1..=6)], &[&zxids(7..=8)]);
    files.put(&log_path(z(1, 1)), &torn[..torn.len() - 9]);
    let (_, stored) = reopen(&files).expect("the snapshot holds it");
    assert_eq!(loaded(&stored), *database(&zxids(1..=8)));
}

#[test]
fn a_hole_between_logs_is_refused() {
    let files = disk(&[&[]], &[&zxids(1..=2), &zxids(4..=5)]);
    assert!(matches!(
        reopen(&files),
        Err(StorageError::LogDamaged {
            why: txnlog::LogError::Order { .. },
            ..
        })
    ));
}

#[test]
fn a_hole_that_a_snapshot_fills_is_none() {
    let files = disk(&[&[], &zxids(1..=6)], &[&zxids(1..=2), &zxids(7..=8)]);
    let (_, stored) = reopen(&files).expect("a leader's snapshot stands between");
    assert_eq!(loaded(&stored), *database(&zxids(1..=8)));
    let files = disk(&[&zxids(1..=6)], &[&zxids(8..=9)]);
    assert!(matches!(reopen(&files), Err(StorageError::Hole { .. })));
}

#[test]
fn a_bad_snapshot_is_skipped_only_if_the_logs_hold_the_same() {
    let bad = snapshot_bytes(&database(&zxids(1..=4)));
    for bytes in [&bad[..bad.len() - 1], &bad[..40], b""] {
        let files = disk(&[&[]], &[&zxids(1..=3), &zxids(4..=5)]);
        files.put(&snapshot_path(z(1, 4)), bytes);
        let (mut storage, stored) = reopen(&files).expect("the logs reach far enough");
        assert_eq!(loaded(&stored), *database(&zxids(1..=5)));
        let notices = storage.take_notices();
        assert!(matches!(notices[..], [Notice::SnapshotSkipped { .. }]));
        for logs in [vec![zxids(1..=3)], vec![zxids(1..=3), zxids(5..=6)], vec![]] {
            let logs: Vec<&[Zxid]> = logs.iter().map(Vec::as_slice).collect();
            let files = disk(&[&[]], &logs);
            files.put(&snapshot_path(z(1, 4)), bytes);
            assert!(reopen(&files).is_err(), "{logs:?}");
        }
    }
}

#[test]
fn an_unreadable_snapshot_is_skipped_and_an_unreadable_log_refused() {
    let files = disk(&[&[], &zxids(1..=2)], &[&zxids(1..=3)]);
    files.make_unreadable(&snapshot_path(z(1, 2)));
    let (_, stored) = reopen(&files).expect("the logs hold the same");
    assert_eq!(loaded(&stored), *database(&zxids(1..=3)));
    files.make_unreadable(&log_path(z(1, 1)));
    let error = reopen(&files).expect_err("unreadable").to_string();
    assert!(error.contains("a bad sector"), "{error}");
}

#[test]
fn logs_without_a_snapshot_are_refused_unless_trusted() {
    let files = disk(&[], &[&zxids(1..=3)]);
    assert!(matches!(
        reopen(&files),
        Err(StorageError::NoSnapshot { .. })
    ));
    let options = Options {
        trust_empty_snapshot: true,
        ..options()
    };
    let (_, stored) = open_with(Arc::new(files), &dirs(), &options).expect("trusted");
    assert_eq!(loaded(&stored), *database(&zxids(1..=3)));
}

#[test]
fn a_snapshot_that_is_all_there_is_and_bad_is_refused() {
    let files = FaultyFiles::default();
    files.put(&snapshot_path(z(1, 4)), b"");
    assert!(matches!(
        reopen(&files),
        Err(StorageError::SnapshotLost { .. })
    ));
    let files = FaultyFiles::default();
    files.put(&snapshot_path(Zxid::ZERO), b"");
    assert!(
        reopen(&files)
            .expect("of the first nothing is lost")
            .1
            .initialised
    );
}

#[test]
fn a_snapshot_with_another_tree_than_it_says_is_reported() {
    let mut wrong = (*database(&zxids(1..=2))).clone();
    let bytes = snapshot_bytes(&wrong);
    wrong.tree.set_config(Some(Arc::from(*b"x")), z(1, 1), 0);
    let files = FaultyFiles::with(&[(snapshot_path(z(1, 2)), bytes.clone())]);
    let (mut storage, _) = reopen(&files).expect("whole");
    assert!(storage.take_notices().is_empty(), "the digest is right");
    // The same file under an older name, as if it had been written while 1·2 was applied; the log's 1·2
    // is another one.
    let mut other = txn(z(1, 2));
    other.header.time_ms = 6;
    other.body = TxnBody::SetData {
        path: "/100000001".into(),
        data: None,
        version: 7,
    };
    let mut log = log_bytes(&zxids(1..=1));
    encode_record(&other, &mut log);
    let files = FaultyFiles::with(&[(snapshot_path(z(1, 1)), bytes), (log_path(z(1, 1)), log)]);
    let (mut storage, _) = reopen(&files).expect("never fatal");
    let notices = storage.take_notices();
    assert!(
        matches!(notices[..], [Notice::DigestMismatch { .. }]),
        "{notices:?}"
    );
}

#[test]
fn epochs_are_checked_at_the_start() {
    let epoch = |name: &str| PathBuf::from(format!("data/version-2/{name}"));
    let open = |given: &[(&str, &str)]| {
        let files = disk(&[&[]], &[&zxids(1..=2)]);
        for (name, text) in given {
            files.put(&epoch(name), text.as_bytes());
        }
        reopen(&files).map(|(_, stored)| (stored.accepted_epoch, stored.current_epoch))
    };
    let e = |n| Some(Epoch(n));
    assert_eq!(open(&[]).expect("defaults apply"), (None, None));
    let both = [("acceptedEpoch", "3"), ("currentEpoch", "2\n")];
    assert_eq!(open(&both).expect("fine"), (e(3), e(2)));
    let behind = [("acceptedEpoch", "1"), ("currentEpoch", "2")];
    assert!(matches!(
        open(&behind),
        Err(StorageError::AcceptedEpoch { .. })
    ));
    let old = [("acceptedEpoch", "0"), ("currentEpoch", "0")];
    assert!(matches!(open(&old), Err(StorageError::CurrentEpoch { .. })));
    let stopped = [("acceptedEpoch", "1"), ("currentEpoch", "0")];
    assert_eq!(open(&stopped).expect("in a synchronisation"), (e(1), e(0)));
    let adopt = [
        ("acceptedEpoch", "1"),
        ("currentEpoch", "0"),
        ("currentEpoch.tmp", "1"),
    ];
    assert_eq!(open(&adopt).expect("adopted"), (e(1), e(1)));
    for text in ["", "x", "99999999999999999999"] {
        let given = [("currentEpoch", text)];
        assert!(
            matches!(open(&given), Err(StorageError::Text { .. })),
            "{text}"
        );
    }
}

#[test]
fn the_log_is_cut_after_the_transaction_asked_for() {
    for to in 2..=8 {
        let files = disk(
            &[&[], &zxids(1..=2), &zxids(1..=6)],
            &[&zxids(1..=3), &zxids(4..=5), &zxids(6..=7)],
        );
        let (mut storage, _) = reopen(&files).expect("whole");
        let done = storage
            .apply(batch(9, vec![StorageOp::Truncate(z(1, to))]))
            .expect("no fault");
        let [Done::Durable(StorageSeq(9)), Done::Truncated(stored)] = &done[..] else {
            panic!("{done:?}");
        };
        let expected = database(&zxids(1..=to.min(7)));
        assert_eq!(loaded(stored), *expected, "to {to}");
        let next = to.min(7) + 1;
        storage
            .apply(batch(10, appends(next..=next)))
            .expect("goes on");
        drop(storage);
        let (_, again) = reopen(&files).expect("whole");
        assert_eq!(loaded(&again), *database(&zxids(1..=next)), "to {to}");
    }
}

#[test]
fn an_absent_transaction_is_cut_before_the_next() {
    let mut log = zxids(1..=3);
    log.push(z(4, 1));
    let files = disk(&[&[]], &[&log]);
    let (mut storage, _) = reopen(&files).expect("whole");
    let ops = vec![StorageOp::Truncate(z(2, 0))];
    let done = storage.apply(batch(1, ops)).expect("no fault");
    assert!(
        matches!(&done[1], Done::Truncated(stored) if loaded(stored) == *database(&zxids(1..=3)))
    );
}

#[test]
fn a_cut_without_a_base_changes_nothing_until_something_replaces_it() {
    let files = disk(&[&zxids(1..=4)], &[&zxids(3..=6)]);
    let before = files.paths();
    let (mut storage, _) = reopen(&files).expect("whole");
    let cut = || vec![StorageOp::Truncate(z(1, 3))];
    let done = storage.apply(batch(1, cut())).expect("no fault");
    assert!(matches!(&done[1], Done::Truncated(stored) if !stored.initialised));
    let read = StorageOp::ReadLog {
        from: z(1, 3),
        conn: ConnId(1),
    };
    let done = storage.apply(batch(2, vec![read])).expect("no fault");
    assert!(matches!(&done[1], Done::LogRead { read, .. } if read.entries.is_empty()));
    assert_eq!(files.paths(), before);
    let (_, stored) = reopen(&files).expect("as before");
    assert_eq!(loaded(&stored), *database(&zxids(1..=6)));
    // Transactions instead of a snapshot: they count when their epoch is sealed, not before.
    storage.apply(batch(3, appends(1..=2))).expect("no fault");
    let crashed = files.after_crash(faulty::Left::Everything);
    let (_, stored) = reopen(&crashed).expect("whole");
    assert!(!stored.initialised && stored.log.is_empty());
    let seal = vec![
        StorageOp::AcceptedEpoch(Epoch(1)),
        StorageOp::CurrentEpoch(Epoch(1)),
    ];
    storage.apply(batch(5, seal)).expect("no fault");
    drop(storage);
    let (_, stored) = reopen(&files).expect("whole");
    assert!(stored.initialised);
    assert_eq!(loaded(&stored), *database(&zxids(1..=2)));
}

#[test]
fn an_epoch_never_seals_a_history_that_could_not_be_cut() {
    let files = disk(&[&zxids(1..=4)], &[&zxids(3..=6)]);
    let (mut storage, _) = reopen(&files).expect("whole");
    let ops = vec![
        StorageOp::Truncate(z(1, 3)),
        StorageOp::AcceptedEpoch(Epoch(2)),
        StorageOp::CurrentEpoch(Epoch(2)),
    ];
    storage.apply(batch(1, ops)).expect("no fault");
    drop(storage);
    let (_, stored) = reopen(&files).expect("whole");
    assert_eq!(loaded(&stored), Database::new());
    assert_eq!(stored.current_epoch, Some(Epoch(2)));
}

#[test]
fn the_leaders_tree_replaces_everything() {
    let files = disk(&[&[], &zxids(1..=4)], &[&zxids(1..=9)]);
    let (mut storage, _) = reopen(&files).expect("whole");
    let theirs = database(&[z(1, 1), z(1, 2), z(2, 1)]);
    let ops = vec![StorageOp::Install(theirs.clone()), append(z(2, 2))];
    storage.apply(batch(1, ops)).expect("no fault");
    drop(storage);
    let (_, stored) = reopen(&files).expect("whole");
    assert_eq!(stored.snapshot, theirs);
    assert_eq!(stored.log.len(), 1);
    assert!(files.bytes(&snapshot_path(Zxid::ZERO)).is_none());
}

#[test]
fn a_log_is_read_for_a_learner_from_before_what_it_has() {
    let files = disk(&[&[]], &[&zxids(1..=3), &zxids(4..=6)]);
    let options = Options {
        snapshot_size_percent: 0,
        ..options()
    };
    let (mut storage, _) = open_with(Arc::new(files), &dirs(), &options).expect("whole");
    storage.apply(batch(1, appends(7..=8))).expect("no fault");
    let mut read = |from| {
        let conn = ConnId(3);
        let done = storage.apply(batch(9, vec![StorageOp::ReadLog { from, conn }]));
        match done.as_deref() {
            Ok([Done::Durable(_), Done::LogRead { read, .. }]) => read
                .entries
                .iter()
                .map(|txn| txn.zxid())
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(z(1, 2)), zxids(2..=8));
    assert_eq!(read(z(1, 5)), zxids(5..=8));
    assert_eq!(read(z(0, 7)), zxids(1..=8));
    assert_eq!(read(z(2, 0)), zxids(8..=8));
}

#[test]
fn reading_for_a_learner_stops_when_it_is_too_much() {
    let files = disk(&[&[]], &[&zxids(1..=200)]);
    let (mut storage, _) = reopen(&files).expect("whole");
    let op = StorageOp::ReadLog {
        from: z(1, 1),
        conn: ConnId(3),
    };
    let done = storage.apply(batch(1, vec![op])).expect("no fault");
    let Some(Done::LogRead { read, .. }) = done.last() else {
        panic!("{done:?}");
    };
    let bytes: usize = read.entries[1..]
        .iter()
        .map(|t| t.approximate_bytes())
        .sum();
    let limit = usize::try_from(read.snapshot_bytes * 33 / 100).expect("small");
    assert!(
        bytes > limit && read.entries.len() < 10,
        "{bytes} of {limit}"
    );
}

#[test]
fn short_writes_are_finished() {
    let files = FaultyFiles::default();
    files.write_in_pieces(7);
    let (mut storage, _) = reopen(&files).expect("empty");
    storage.apply(batch(1, appends(1..=9))).expect("no fault");
    drop(storage);
    let (_, stored) = reopen(&files).expect("ours");
    assert_eq!(loaded(&stored), *database(&zxids(1..=9)));
}

#[test]
fn a_full_disk_in_a_batch_is_final_and_takes_nothing_that_was_acknowledged() {
    let record = log_bytes(&zxids(1..=1)).len() as u64;
    for room in 0..3 * record {
        let files = FaultyFiles::default();
        let (mut storage, _) = reopen(&files).expect("empty");
        storage
            .apply(batch(1, appends(1..=2)))
            .expect("room enough");
        files.leave_room(room);
        let failed = storage.apply(batch(3, appends(3..=6)));
        assert!(matches!(failed, Err(StorageError::Io { .. })), "{failed:?}");
        files.leave_room(1 << 20);
        assert!(matches!(
            storage.apply(batch(7, appends(7..=7))),
            Err(StorageError::Failed(_))
        ));
        drop(storage);
        let (_, stored) = reopen(&files).expect("at most a torn tail");
        let n = loaded(&stored).last_processed.counter();
        assert!((2..6).contains(&n));
        assert_eq!(loaded(&stored), *database(&zxids(1..=n)));
    }
}

#[test]
fn after_a_failed_sync_nothing_is_written_or_synced_again() {
    let files = FaultyFiles::default();
    let (mut storage, _) = reopen(&files).expect("empty");
    storage.apply(batch(1, appends(1..=2))).expect("no fault");
    files.fail_next_sync();
    assert!(storage.apply(batch(3, appends(3..=3))).is_err());
    let operations = files.operations();
    for op in [
        append(z(1, 4)),
        StorageOp::CurrentEpoch(Epoch(1)),
        StorageOp::Snapshot(database(&[])),
    ] {
        let error = storage.apply(batch(4, vec![op])).expect_err("final");
        assert!(error.to_string().contains("an earlier error"), "{error}");
    }
    storage.finish_snapshots();
    drop(storage);
    assert_eq!(files.operations(), operations);
}

#[test]
fn a_snapshot_that_can_not_be_written_stops_nobody() {
    let files = FaultyFiles::default();
    let (mut storage, _) = reopen(&files).expect("empty");
    storage.apply(batch(1, appends(1..=2))).expect("no fault");
    files.leave_room(10);
    let op = StorageOp::Snapshot(database(&zxids(1..=2)));
    storage
        .apply(batch(3, vec![op]))
        .expect("in the background");
    storage.finish_snapshots();
    let notices = storage.take_notices();
    assert!(
        matches!(notices[..], [Notice::SnapshotFailed { .. }]),
        "{notices:?}"
    );
    files.leave_room(1 << 20);
    storage.apply(batch(4, appends(3..=3))).expect("it goes on");
    drop(storage);
    let (_, stored) = reopen(&files).expect("ours");
    assert_eq!(loaded(&stored), *database(&zxids(1..=3)));
    assert!(
        files
            .paths()
            .iter()
            .all(|path| !path.display().to_string().contains("tmp."))
    );
}

#[test]
fn a_transaction_that_can_not_follow_is_refused_before_it_is_written() {
    for wrong in [z(1, 1), z(1, 2), z(1, 4), z(2, 2), z(0, 9)] {
        let files = disk(&[&[]], &[&zxids(1..=2)]);
        let (mut storage, _) = reopen(&files).expect("whole");
        let operations = files.operations();
        assert!(matches!(
            storage.apply(batch(1, vec![append(wrong)])),
            Err(StorageError::Order { .. })
        ));
        assert_eq!(files.operations(), operations);
    }
}

#[test]
fn old_files_go_and_three_snapshots_with_their_logs_stay() {
    let files = disk(
        &[
            &[],
            &zxids(1..=2),
            &zxids(1..=4),
            &zxids(1..=6),
            &zxids(1..=8),
        ],
        &[&zxids(1..=2), &zxids(3..=3), &zxids(4..=6), &zxids(7..=9)],
    );
    files.put(&snapshot_path(z(1, 9)), b"torn");
    let (mut storage, _) = reopen(&files).expect("whole");
    let removed = storage.purge(1).expect("no fault");
    assert_eq!(
        removed,
        [
            snapshot_path(Zxid::ZERO),
            snapshot_path(z(1, 2)),
            log_path(z(1, 1)),
            log_path(z(1, 3)),
        ]
    );
    assert!(storage.purge(1).expect("no fault").is_empty());
    drop(storage);
    let (_, stored) = reopen(&files).expect("whole");
    assert_eq!(loaded(&stored), *database(&zxids(1..=9)));
}

#[test]
fn a_snapshot_ends_with_the_last_zxid_unless_that_is_switched_off() {
    for last_zxid in [true, false] {
        let files = FaultyFiles::default();
        let options = Options {
            last_zxid,
            ..options()
        };
        let (mut storage, _) =
            open_with(Arc::new(files.clone()), &dirs(), &options).expect("empty");
        let ours = database(&zxids(1..=2));
        storage
            .apply(batch(1, vec![StorageOp::Install(ours)]))
            .expect("no fault");
        drop(storage);
        let named = dirs::Named {
            zxid: z(1, 2),
            path: snapshot_path(z(1, 2)),
            compression: Compression::Checked,
        };
        let loaded = snapshots::load(&files, &named, &options).expect("whole");
        assert_eq!(loaded.last_zxid, last_zxid.then_some(z(1, 2)));
        // Whatever is written, both are read.
        let stored = reopen(&files).expect("good").1;
        assert_eq!(stored.snapshot.last_processed, z(1, 2));
    }
}
