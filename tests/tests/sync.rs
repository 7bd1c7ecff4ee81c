//! Synchronisation: DIFF, TRUNC, SNAP (ZooKeeper.md 3.4, 3.5). The rows of 6.7 with real logs: each
//! scenario makes the histories by the protocol itself, in the epochs and with the zxids of the
//! table; then the packets that really left, and the learner's log afterwards.

use zabscope_tests::prelude::*;

/// Three servers whose committedLog keeps `keep` transactions and whose log on disk is always small
/// enough to be sent, in epoch `epoch`, led by server 3, with nothing written yet.
fn three(keep: usize, epoch: i64) -> Scenario {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.commit_log_count = keep;
            setup.snapshot_size_percent = Some(10_000);
        })
        .start();
    next_epochs(&mut s, epoch);
    s
}

/// Reboots all until epoch `epoch` begins; the server with the highest id leads.
fn next_epochs(s: &mut Scenario, epoch: i64) {
    while s.settle().leader().map(|id| s.epoch(id)) != Some(epoch) {
        let all: Vec<i64> = s.running().collect();
        for id in all {
            s.reboot(id);
        }
    }
}

/// Client A writes through the leader until its log ends here.
fn write_to(s: &mut Scenario, zxid: Zxid) {
    let leader = s.leader().expect("there is one");
    if s.world().clients().len() == 0 {
        s.client("A").at(leader).connected();
        s.client("A").create("/n", "0");
    }
    s.client("A").answered();
    while s.server(leader).last_logged() < zxid {
        s.client("A").set("/n", &format!("{zxid:?}")).ok();
    }
    s.settle();
    assert_eq!(s.server(leader).last_logged(), zxid);
}

/// Only the session of client A: 1 transaction.
fn write_session(s: &mut Scenario) {
    s.client("A").at(3).connected();
    s.settle();
}

/// Proposals of leader 3 that reach server 1 and nobody else: 2 is cut off, 3 loses them in a crash,
/// and 1 is off as well.
fn tail_on_server_1(s: &mut Scenario, last: Zxid) {
    s.slow_disk(3, 900).cut(2, 3);
    let n = last.counter() - s.server(3).last_logged().counter();
    for _ in 0..n {
        s.client("A").set("/n", "tail");
    }
    s.until_that("they are on server 1's disk", |s| {
        s.disk(1).durable_zxid() == last
    });
    s.crash(3).crash(1).slow_disk(3, 0).heal(2, 3);
    assert_eq!(s.disk(3).last_zxid().counter() + n, last.counter());
}

/// The zxids `from` to `to` of an epoch.
fn row(epoch: i64, from: u32, to: u32) -> Vec<Zxid> {
    (from..=to).map(|n| zx(epoch, n)).collect()
}

/// Server 1 follows 3 again: what 3 chose, by which rule, and with which packets.
fn synced(s: &mut Scenario, mode: SyncMode, rule: SyncRule, packets: &str) {
    s.until(event!(1, Serving));
    let leader = s.leader().expect("there is one");
    let chosen = s
        .events_of(leader)
        .filter_map(|e| match e {
            EventKind::SyncChosen {
                learner: ServerId(1),
                mode,
                because,
                ..
            } => Some((*mode, *because)),
            _ => None,
        })
        .last();
    if chosen != Some((mode, rule)) {
        s.fail(&format!("{mode:?} by {rule:?}; chosen was {chosen:?}"));
    }
    assert_eq!(s.sync_packets(leader, 1), packets);
    s.settle().agree();
}

/// Follower at 5:9, all reboot.
#[test]
fn row_1_a_learner_that_has_everything_gets_an_empty_diff() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 9));
    for id in 1..=3 {
        s.reboot(id);
    }
    s.from_here();
    synced(&mut s, SyncMode::Diff, SyncRule::Equal, "DIFF 5:9");
    assert_eq!(s.log(1), row(5, 1, 9));
}

/// Follower at 5:7, two transactions are missing.
#[test]
fn row_2_what_is_missing_comes_from_the_committed_log() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 7));
    s.crash(1);
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    synced(
        &mut s,
        SyncMode::Diff,
        SyncRule::InCommittedLog,
        "DIFF 5:9, PROPOSAL 5:8, COMMIT 5:8, PROPOSAL 5:9, COMMIT 5:9",
    );
    assert_eq!(s.log(1), row(5, 1, 9));
}

/// Follower at 5:11, two transactions that nobody else has.
#[test]
fn row_3_a_follower_ahead_of_the_leader_is_truncated() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 9));
    tail_on_server_1(&mut s, zx(5, 11));
    s.restart(3).until_leader();
    s.from_here().restart(1);
    synced(
        &mut s,
        SyncMode::Trunc,
        SyncRule::AheadOfLeader,
        "TRUNC 5:9",
    );
    assert_eq!(s.removed(1, RemovedBecause::Truncated), row(5, 10, 11));
    assert_eq!(s.log(1), row(5, 1, 9));
    s.happened(event!(1, LogTruncated { count: 2, .. }));
}

/// Follower at 5:0, the beginning of an epoch; the leader's log on disk reaches below it.
#[test]
fn row_4_the_beginning_of_an_epoch_is_no_transaction_to_cut() {
    let mut s = three(7, 4);
    write_to(&mut s, zx(4, 2));
    next_epochs(&mut s, 5);
    s.crash(1).lose_disk(1).restart(1).until(event!(1, Serving));
    assert_eq!(s.server(1).last_zxid(), zx(5, 0));
    s.crash(1);
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    let all: String = (1..=9)
        .map(|n| format!(", PROPOSAL 5:{n}, COMMIT 5:{n}"))
        .collect();
    synced(
        &mut s,
        SyncMode::Diff,
        SyncRule::NewEpochOnly,
        &format!("DIFF 5:9{all}"),
    );
    assert_eq!(s.log(1), row(5, 1, 9));
}

/// Follower at 5:0; the leader's log on disk begins with 5:1.
#[test]
fn row_4_without_a_log_that_reaches_back_the_beginning_of_an_epoch_needs_a_snapshot() {
    let mut s = three(7, 5);
    s.crash(1).lose_disk(1).restart(1).until(event!(1, Serving));
    s.crash(1);
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    synced(&mut s, SyncMode::Snap, SyncRule::DiskLogPurged, "SNAP 5:9");
}

/// Follower at 4:20; the leader's log goes from 4:18 to 5:1.
#[test]
fn row_5_a_truncation_never_crosses_the_border_of_an_epoch() {
    let mut s = three(7, 4);
    write_to(&mut s, zx(4, 18));
    tail_on_server_1(&mut s, zx(4, 20));
    s.restart(3).settle();
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    synced(
        &mut s,
        SyncMode::Snap,
        SyncRule::WrongTailOtherEpoch,
        "SNAP 5:9",
    );
    s.happened(event!(3, ReadingDiskLog { from, min, .. }
        if *from == zx(4, 20) && *min == zx(5, 3)));
    assert_eq!(
        s.removed(1, RemovedBecause::Replaced).last(),
        Some(&zx(4, 20))
    );
    assert!(s.log(1).is_empty());
}

/// Follower at 5:1, older than the committedLog.
#[test]
fn row_6_what_the_committed_log_has_forgotten_comes_from_the_log_on_disk() {
    let mut s = three(7, 5);
    write_session(&mut s);
    assert_eq!(s.log(1), [zx(5, 1)]);
    s.crash(1);
    s.client("A").create("/n", "").ok();
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    let all: String = (2..=9)
        .map(|n| format!(", PROPOSAL 5:{n}, COMMIT 5:{n}"))
        .collect();
    synced(
        &mut s,
        SyncMode::Diff,
        SyncRule::FromDiskLog,
        &format!("DIFF 5:9{all}"),
    );
    assert_eq!(s.log(1), row(5, 1, 9));
}

/// Server 3 led epoch 6 and wrote nothing; 1 and 2 went on without it.
#[test]
fn row_7_a_new_epoch_above_everything_needs_a_snapshot() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 9));
    next_epochs(&mut s, 6);
    s.isolate(3);
    assert_eq!(s.until_another_leader(3), 2);
    assert_eq!(s.server(3).last_zxid(), zx(6, 0));
    s.from_here().heal_all().until(event!(3, Serving));
    s.happened(event!(
        2,
        SyncChosen {
            learner: ServerId(3),
            mode: SyncMode::Snap,
            because: SyncRule::NothingFits,
            peer: Zxid(0x6_0000_0000),
            ..
        }
    ));
    s.settle().agree();
}

/// Server 1 was never there; the others have thrown their old logs away.
#[test]
fn row_8_a_newcomer_gets_a_snapshot_when_logs_are_purged() {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.commit_log_count = 3;
            setup.snap_count = 6;
            setup.snap_retain = 1;
        })
        .down(&[1])
        .start();
    s.client("A").at(3).create("/n", "").ok();
    write_to(&mut s, zx(1, 30));
    assert!(s.log(3)[0] > zx(1, 1), "{:?}", s.log(3));
    s.from_here().restart(1);
    synced(&mut s, SyncMode::Snap, SyncRule::DiskLogPurged, "SNAP 1:30");
    assert_eq!(s.data(1, "/n").unwrap(), "1·30");
}

/// Server 1 lost its disk: its last zxid is -1.
#[test]
fn row_8_an_uninitialised_server_gets_a_snapshot() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 9));
    s.crash(1).lose_disk(1).from_here().restart(1);
    synced(&mut s, SyncMode::Snap, SyncRule::DiskLogPurged, "SNAP 5:9");
    s.happened(event!(1, SnapshotInstalled { zxid, .. } if *zxid == zx(5, 9)));
}

/// Follower at 5:1; the leader itself came by a snapshot at 5:2, so its log begins with 5:3.
#[test]
fn row_9_a_log_that_begins_above_the_learner_is_no_help() {
    let mut s = Scenario::voters(5)
        .with(|setup| {
            setup.commit_log_count = 7;
            setup.snapshot_size_percent = Some(10_000);
        })
        .start();
    next_epochs(&mut s, 5);
    s.client("A").at(5).connected();
    s.settle().crash(1);
    s.client("A").create("/n", "").ok();
    s.settle();
    s.crash(2).lose_disk(2).restart(2).until(event!(2, Serving));
    assert!(s.log(2).is_empty());
    write_to(&mut s, zx(5, 8));
    s.crash(3);
    write_to(&mut s, zx(5, 9));
    assert_eq!(s.log(2), row(5, 3, 9));
    // Of 1, 2 and 3 only server 2 has everything.
    s.crash(5).crash(4).crash(2).from_here();
    s.restart(1).restart(2).restart(3);
    synced(&mut s, SyncMode::Snap, SyncRule::DiskLogPurged, "SNAP 5:9");
    assert_eq!(s.leader(), Some(2));
}

/// Follower at 4:19; the committedLog is 4:18, 5:1, 5:2.
#[test]
fn row_10_a_wrong_tail_of_an_older_epoch_needs_a_snapshot() {
    let mut s = three(3, 4);
    write_to(&mut s, zx(4, 18));
    tail_on_server_1(&mut s, zx(4, 19));
    s.restart(3).settle();
    write_to(&mut s, zx(5, 2));
    s.from_here().restart(1);
    synced(
        &mut s,
        SyncMode::Snap,
        SyncRule::WrongTailOtherEpoch,
        "SNAP 5:2",
    );
}

/// What the log would send is more than a part of the snapshot.
#[test]
fn a_long_log_gives_way_to_a_snapshot() {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.commit_log_count = 3;
            setup.snapshot_size_percent = Some(33);
        })
        .start();
    s.settle();
    write_session(&mut s);
    s.crash(1);
    s.client("A").create("/n", "").ok();
    write_to(&mut s, zx(1, 30));
    s.from_here().restart(1);
    synced(
        &mut s,
        SyncMode::Snap,
        SyncRule::DiskLogTooLarge,
        "SNAP 1:30",
    );
}

/// snapshotSizeFactor is off.
#[test]
fn without_snapshot_size_factor_the_log_on_disk_is_not_used() {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.commit_log_count = 3;
            setup.snapshot_size_percent = None;
        })
        .start();
    s.settle();
    write_session(&mut s);
    s.crash(1);
    s.client("A").create("/n", "").ok();
    write_to(&mut s, zx(1, 9));
    s.from_here().restart(1);
    synced(&mut s, SyncMode::Snap, SyncRule::DiskLogOff, "SNAP 1:9");
}

/// Follower at 5:11 joins while 6:1 is proposed and not committed.
#[test]
fn after_a_truncation_comes_what_is_outstanding() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 9));
    tail_on_server_1(&mut s, zx(5, 11));
    s.restart(3).settle();
    s.slow_disk(2, 4000);
    s.client("A").set("/n", "new");
    s.until(event!(3, Proposed { zxid, .. } if *zxid == zx(6, 1)));
    s.from_here().restart(1).until(event!(1, Serving));
    assert_eq!(s.sync_packets(3, 1), "TRUNC 5:9, PROPOSAL 6:1");
    s.happened(event!(
        3,
        OutstandingForwarded {
            learner: ServerId(1),
            ..
        }
    ));
    s.settle().agree();
    let mut expected = row(5, 1, 9);
    expected.push(zx(6, 1));
    assert_eq!(s.log(1), expected);
}

/// A learner joins while proposals wait for a quorum that only it can complete.
#[test]
fn outstanding_proposals_are_forwarded_to_a_joining_learner_and_its_ack_counts() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.client("A").at(3).create("/a", "").ok();
    s.settle();
    s.crash(1).slow_disk(2, 8000);
    s.client("A").create("/b", "").create("/c", "");
    s.until(event!(3, AckCounted { zxid, from: ServerId(3), .. } if *zxid == zx(1, 4)));
    s.from_here().restart(1);
    s.until(event!(3, Committed { zxid, .. } if *zxid == zx(1, 4)));
    s.in_order(&[
        event!(
            3,
            OutstandingForwarded {
                learner: ServerId(1),
                ..
            }
        ),
        event!(
            3,
            AckCounted {
                from: ServerId(1),
                have: 2,
                ..
            }
        ),
        event!(3, Committed),
    ])
    .never(event!(
        3,
        AckCounted {
            from: ServerId(2),
            ..
        }
    ));
    s.settle().agree();
}

/// The learner's disk is slow; it gets a history.
#[test]
fn newleader_is_acknowledged_when_the_history_is_on_disk_and_then_the_epoch() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 3));
    s.crash(1);
    write_to(&mut s, zx(5, 9));
    s.from_here().restart(1);
    s.until(event!(1, SyncStarted));
    s.slow_disk(1, 900).until(event!(1, HistoryComplete));
    assert_eq!(s.disk(1).durable_zxid(), zx(5, 3));
    s.until(sent(1, 3, MessageKind::Ack));
    assert_eq!(s.disk(1).durable_zxid(), zx(5, 9));
    assert_eq!(s.disk(1).current_epoch(), Some(Epoch(5)));
}

/// The learner loses its power with the whole history written and none of it on disk.
#[test]
fn a_history_that_was_not_acknowledged_may_be_lost() {
    let mut s = three(7, 5);
    write_to(&mut s, zx(5, 3));
    s.crash(1);
    write_to(&mut s, zx(5, 9));
    s.restart(1).until(event!(1, SyncStarted));
    s.slow_disk(1, 900)
        .from_here()
        .until(event!(1, HistoryComplete));
    s.crash(1);
    s.never(sent(1, 3, MessageKind::Ack));
    assert_eq!(s.log(1), row(5, 1, 3));
    s.slow_disk(1, 0).restart(1).settle().agree();
    assert_eq!(s.log(1), row(5, 1, 9));
}

/// The only follower's disk stands still when it gets NEWLEADER.
#[test]
fn a_leader_whose_history_no_quorum_takes_gives_up_after_init_limit() {
    let mut s = Scenario::voters(3).down(&[1]).start();
    s.until(sent(2, 3, MessageKind::AckEpoch));
    s.slow_disk(2, 60_000);
    s.until(event!(
        3,
        SteppedDown {
            because: ElectionReason::NoQuorumInTime {
                phase: Phase::Synchronisation
            },
            ..
        }
    ));
    s.never(event!(any, Established));
    s.slow_disk(2, 0).settle().agree();
}

/// A client writes without a break while a follower leaves and comes back.
#[test]
fn forwarding_begins_exactly_where_synchronisation_ends() {
    for seed in 1..=8 {
        let mut s = Scenario::voters(3).seed(seed).start();
        s.settle();
        s.client("A").at(3).connected().load(120);
        s.client("B").at(2).connected().load(120);
        s.for_ms(150).crash(1);
        s.for_ms(200).restart(1);
        s.client("A").answered();
        s.client("B").answered();
        s.settle().agree();
        let log = s.log(1);
        assert!(log.windows(2).all(|w| w[1].0 == w[0].0 + 1), "{log:?}");
    }
}

/// Old leader 3 has a tail that nobody wants, and its disk is slow; while it cuts, its new leader
/// dies.
#[test]
fn a_server_that_is_cutting_its_log_does_not_stand_for_what_it_cuts() {
    for slow in [30, 300, 700, 1500, 3000] {
        let mut s = Scenario::voters(3).start();
        s.settle();
        s.client("A").at(3).create("/a", "").ok();
        s.settle();
        s.isolate(3);
        s.client("A").create("/b", "").create("/c", "");
        s.until(event!(3, AckCounted { zxid, .. } if *zxid == zx(1, 4)));
        assert_eq!(s.until_another_leader(3), 2);
        s.heal_all().until(event!(3, EpochAcked));
        s.until(sent(3, 2, MessageKind::AckEpoch));
        s.slow_disk(3, slow).until(event!(
            3,
            SyncStarted {
                mode: SyncMode::Trunc,
                ..
            }
        ));
        s.crash(2).from_here();
        s.until_epoch_above(2);
        s.slow_disk(3, 0);
        s.settle().agree();
        assert!(s.who_has("/b").is_empty());
        s.restart(2).settle().agree();
        assert_eq!(s.log(3), [zx(1, 1), zx(1, 2)]);
    }
}

/// Server 3 is told to cut its tail; before its disk has done it, the leader dies, and 3 would win the
/// next election by the very tail that it is cutting.
#[test]
fn nobody_leads_with_a_history_that_its_disk_is_cutting() {
    for slow in [50, 400, 1500, 4000, 15_000] {
        let mut s = Scenario::voters(3).start();
        s.settle();
        s.client("A").at(3).create("/a", "").ok();
        s.settle();
        s.isolate(3);
        s.client("A").create("/b", "").create("/c", "");
        s.until(event!(3, AckCounted { zxid, .. } if *zxid == zx(1, 4)));
        // 2 has the ACKEPOCH of 1, and its NEWLEADER does not get through to 1.
        s.until(sent(1, 2, MessageKind::AckEpoch))
            .slow_link(1, 2, 60_000);
        s.until(sent(2, 1, MessageKind::NewLeader));
        s.heal(1, 3).heal(2, 3);
        s.until(sent(3, 2, MessageKind::AckEpoch));
        s.slow_disk(3, slow);
        s.until(event!(
            3,
            SyncStarted {
                mode: SyncMode::Trunc,
                ..
            }
        ));
        s.crash(2).reboot(1).until(event!(any, Elected));
        s.slow_disk(3, 0);
        s.until_epoch_above(1);
        s.settle().agree();
        for id in [3, 1] {
            s.reboot(id).settle().agree();
        }
        s.heal_all();
        s.restart(2).settle().agree();
        assert!(s.who_has("/b").is_empty(), "slow {slow}");
    }
}

/// A false alarm of durable-acks: 2 leads epoch 3 with 1·03 as the last of its log, and 3 gets its tree as 3·00.
/// What 2 alone logs next it has to cut, "to 3·00". It starts again with 1·03, and has lost nothing that it had
/// to keep.
#[test]
fn who_cuts_its_log_to_the_beginning_of_an_epoch_has_what_was_before_it() {
    let mut s = Scenario::voters(3)
        .with(|setup| setup.snapshot_size_percent = None)
        .start();
    s.settle();
    s.client("A").at(1).create("/a", "0").ok();
    s.client("B").at(2).connected();
    s.settle();
    s.crash(3).until_epoch_above(1);
    s.settle().for_ms(100).reboot(2);
    assert_eq!((s.until_epoch_above(2), s.epoch(2)), (2, 3));
    s.restart(3).settle();
    assert_eq!(s.server(3).last_zxid(), zx(3, 0));
    s.client("B").at(2).connected();
    s.isolate(2).client("B").set("/a", "of 2 alone");
    s.until(event!(2, AckCounted));
    // 3 has begun with 1, which gets no further; so the epoch is not established when 2 comes.
    s.until(sent(3, 1, MessageKind::NewLeader));
    s.pause(1).heal_all();
    s.until(event!(2, LogTruncated { to, .. } if *to == zx(3, 0)));
    s.crash(2).restart(2).resume(1).until(event!(2, Serving));
    assert_eq!(s.data(2, "/a").as_deref(), Some("0"));
}
