//! Partitions, pauses, slow and lost disks, power failures.

use zabscope_tests::prelude::*;

/// Five servers led by 5, with /before written.
fn five() -> Scenario {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.client("A").at(1).create("/before", "x").ok();
    s.settle();
    s.from_here();
    s
}

/// 5 and 4 on one side, 1, 2 and 3 on the other.
#[test]
fn of_two_sides_the_larger_one_goes_on() {
    let mut s = five();
    s.partition(&[&[1, 2, 3], &[4, 5]]);
    let new = s.until_another_leader(5);
    assert_eq!(new, 3);
    s.client("A").connected().create("/majority", "").ok();
    s.until_that("5 does not serve", |s| !s.server(5).serving());
    s.happened(event!(
        5,
        SteppedDown {
            because: ElectionReason::QuorumLost {
                in_time: 2,
                need: 3
            },
            ..
        }
    ));
    assert!(!s.server(4).serving() && !s.server(5).serving());
    s.heal_all().settle().agree();
    assert_eq!(s.who_has("/majority"), [1, 2, 3, 4, 5]);
}

/// The leader is with the majority.
#[test]
fn a_leader_with_a_majority_does_not_mind_who_is_cut_off() {
    let mut s = five();
    s.partition(&[&[3, 4, 5], &[1, 2]]);
    s.for_ms(30_000);
    s.never(event!(5, SteppedDown)).never(event!(any, NewEpoch));
    assert!(!s.server(1).serving() && !s.server(2).serving());
    s.heal_all().settle().agree();
    s.never(event!(any, NewEpoch));
}

/// A client writes at the leader of a minority.
#[test]
fn a_minority_accepts_writes_and_never_answers_them() {
    let mut s = five();
    s.client("M").at(5).connected();
    s.partition(&[&[1, 2, 3], &[4, 5]]);
    s.client("M").create("/minority", "");
    s.until(event!(
        5,
        AckCounted {
            from: ServerId(4),
            have: 2,
            need: 3,
            ..
        }
    ));
    s.until_another_leader(5);
    s.client("M").loses_connection();
    s.heal_all().settle().agree();
    assert!(s.who_has("/minority").is_empty());
    let cut = [
        s.removed(4, RemovedBecause::Truncated),
        s.removed(5, RemovedBecause::Truncated),
    ];
    assert_eq!(cut, [[zx(1, 4)], [zx(1, 4)]]);
}

/// Nobody has a majority.
#[test]
fn five_islands_do_nothing_and_then_find_each_other() {
    let mut s = five();
    s.partition(&[]);
    s.for_ms(60_000);
    assert_eq!(s.leader(), None);
    assert!((1..=5).all(|id| !s.server(id).serving()));
    s.heal_all().settle().agree();
    assert_eq!(s.who_has("/before"), [1, 2, 3, 4, 5]);
}

/// The leader's process stands still for a minute.
#[test]
fn a_paused_leader_loses_its_crown() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.pause(5);
    let new = s.until_another_leader(5);
    s.client("B").reconnected().create("/new", "").ok();
    s.for_ms(30_000).resume(5).settle().agree();
    assert_eq!(s.leader(), Some(new));
    assert_eq!(s.server(5).state(), ServerState::Following);
    assert!(s.has(5, "/new"));
}

/// The paused leader has a client's write in its hands when it wakes up.
#[test]
fn a_stale_leader_proposes_to_nobody() {
    let mut s = five();
    s.client("B").at(5).connected();
    s.pause(5);
    s.client("B").create("/stale", "");
    s.until_another_leader(5);
    s.from_here().resume(5).settle().agree();
    assert!(s.who_has("/stale").is_empty());
    s.never(event!(5, Committed));
}

/// A pause that is shorter than syncLimit.
#[test]
fn a_short_pause_changes_nothing() {
    let mut s = five();
    s.pause(5).for_ms(6_000).resume(5).for_ms(20_000);
    s.never(event!(any, SteppedDown));
    s.pause(2).for_ms(6_000).resume(2).for_ms(20_000);
    s.never(event!(any, SteppedDown));
    s.settle().agree();
}

/// A follower's process stands still for a minute while the others write.
#[test]
fn a_paused_follower_catches_up() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.pause(3);
    s.client("B").load(50).answered();
    s.for_ms(60_000).resume(3).settle().agree();
    s.never(event!(5, SteppedDown));
}

/// All lose their power at once, in the middle of writing.
#[test]
fn what_was_answered_survives_a_power_failure_of_all() {
    for seed in 1..=10 {
        let mut s = Scenario::voters(5).seed(seed).start();
        s.settle();
        s.client("A").at(2).connected().load(60);
        s.for_ms(200 + 37 * seed);
        for id in 1..=5 {
            s.crash(id);
        }
        let answered = s.answers("A");
        for id in 1..=5 {
            s.restart(id);
        }
        s.settle().agree();
        let version = s.tree(1).stat("/load-1").map_or(-1, |stat| stat.version);
        // The first write creates; each other one adds a version.
        assert!(
            version + 1 >= i32::try_from(answered).unwrap(),
            "{version} of {answered}"
        );
    }
}

/// One follower loses its power with acknowledged and unacknowledged transactions.
#[test]
fn a_crash_takes_what_was_not_synced_and_nothing_that_was_acknowledged() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.client("B").create("/acked", "").ok();
    s.until_that("server 1 has acknowledged it", |s| {
        s.disk(1).durable_zxid() == zx(1, 4)
    });
    s.slow_disk(1, 2000);
    s.client("B").create("/unsynced", "").ok();
    s.until_that("it is written", |s| s.disk(1).last_zxid() == zx(1, 5));
    s.crash(1);
    assert_eq!(s.removed(1, RemovedBecause::LostInCrash), [zx(1, 5)]);
    assert_eq!(s.log(1).last(), Some(&zx(1, 4)));
    s.slow_disk(1, 0).restart(1).settle().agree();
    assert_eq!(s.log(1).last(), Some(&zx(1, 5)));
}

/// One after the other restarts, three rounds, with a client that writes.
#[test]
fn a_rolling_restart_loses_nothing() {
    let mut s = five();
    for round in 0..3 {
        for id in 1..=5 {
            s.client("A").connected();
            s.client("A")
                .create(&format!("/r{round}-{id}"), "")
                .answered();
            s.reboot(id).settle();
        }
    }
    s.agree();
    let answered = (1..=16)
        .filter(|n| matches!(s.reply("A", *n), Outcome::Reply { result: Ok(_), .. }))
        .count();
    let there = s.tree(1).children("/").filter(|p| p.contains("r")).count();
    assert!(there >= answered - 1, "{there} of {answered}");
}

/// The leader can't reach a follower; the follower can reach the leader.
#[test]
fn a_link_that_is_cut_in_one_direction_ends_like_one_that_is_cut_in_both() {
    let mut s = five();
    s.cut_direction(5, 2).until(event!(
        2,
        SteppedDown {
            because: ElectionReason::LeaderSilent { .. },
            ..
        }
    ));
    s.for_ms(10_000);
    assert!(!s.server(2).serving());
    s.heal_all().settle().agree();
}

/// The follower can't reach the leader; the leader can reach the follower.
#[test]
fn a_leader_drops_a_learner_that_it_does_not_hear() {
    let mut s = five();
    s.cut_direction(2, 5).until(event!(
        5,
        LinkDropped {
            with: ServerId(2),
            because: DropReason::Silent { .. },
        }
    ));
    s.never(event!(5, SteppedDown));
    s.heal_all().settle().agree();
}

/// A link comes and goes every 300 ms.
#[test]
fn a_flapping_link_harms_only_its_follower() {
    let mut s = five();
    s.client("B").at(3).connected();
    for n in 0..20 {
        s.cut(1, 5).for_ms(300).heal(1, 5).for_ms(300);
        s.client("B").create(&format!("/f{n}"), "").ok();
    }
    s.never(event!(5, SteppedDown)).never(event!(any, NewEpoch));
    s.settle().agree();
}

/// A link is a second slower than all others.
#[test]
fn a_slow_link_delays_one_follower_and_nobody_else() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.slow_link(1, 5, 1000);
    let began = s.world().now();
    s.client("B").set("/before", "y");
    s.until(event!(2, WriteAnswered));
    assert!((s.world().now() - began).as_millis() < 200);
    s.settle().agree();
    s.never(event!(any, SteppedDown));
}

/// Server 5 loses its disk; it would win every election by its id.
#[test]
fn a_server_that_lost_its_disk_has_no_say_until_it_was_given_a_history() {
    let mut s = five();
    s.crash(5).lose_disk(5).until_another_leader(5);
    for id in 1..=4 {
        s.crash(id);
    }
    s.from_here();
    for id in 1..=5 {
        s.restart(id);
    }
    s.settle().agree();
    s.never(event!(
        any,
        Elected {
            leader: ServerId(5),
            ..
        }
    ))
    .happened(event!(
        any,
        VoteIgnored {
            from: ServerId(5),
            because: IgnoreReason::Uninitialised,
            ..
        }
    ))
    .happened(event!(5, SnapshotInstalled));
    assert!(s.has(5, "/before"));
    assert!(s.disk(5).initialised());
}

/// Two of three lose their disks: the third alone is no quorum, and the two must not be one.
#[test]
fn servers_without_a_history_are_no_quorum_of_emptiness() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.client("A").at(1).create("/a", "").ok();
    s.settle();
    s.crash(1).crash(2).lose_disk(1).lose_disk(2);
    s.from_here().restart(1).restart(2);
    s.for_ms(60_000);
    assert_eq!(s.leader(), None);
    s.never(event!(any, Established));
}

/// The disk is lost and the server comes back twice, as a full member.
#[test]
fn a_server_with_a_new_disk_counts_again_when_it_has_the_history() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.client("A").at(3).create("/a", "").ok();
    s.settle();
    s.crash(1).lose_disk(1).restart(1).settle();
    s.crash(2);
    s.client("A").set("/a", "with 1 and 3").ok();
    assert_eq!(s.data(1, "/a").unwrap(), "with 1 and 3");
}

/// The leader's disk needs a second for each batch.
#[test]
fn a_leader_with_a_slow_disk_still_leads() {
    let mut s = five();
    s.slow_disk(5, 1000);
    s.client("A").load(20).answered();
    s.settle().agree();
    s.never(event!(5, SteppedDown));
}

/// Snapshots every few transactions, only one kept; then all restart from them.
#[test]
fn a_start_from_a_snapshot_and_a_log_is_the_same_as_one_from_the_whole_log() {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.snap_count = 6;
            setup.snap_retain = 1;
        })
        .start();
    s.settle();
    s.client("A").at(1).connected().load(60);
    s.client("A").ephemeral("/e").answered();
    s.settle().agree();
    let digest = s.server(1).database().digest();
    assert!(s.disk(1).snapshots().count() == 1);
    assert!(s.log(1).len() < 20, "{:?}", s.log(1));
    for id in 1..=3 {
        s.crash(id);
    }
    for id in 1..=3 {
        s.restart(id);
    }
    s.settle().agree();
    assert_eq!(s.server(2).database().digest(), digest);
    s.never(event!(any, DigestMismatch));
}

/// Server 1 sleeps through two hundred writes, in an ensemble that keeps little.
#[test]
fn who_was_away_too_long_gets_a_snapshot() {
    let mut s = Scenario::voters(3)
        .with(|setup| {
            setup.commit_log_count = 10;
            setup.snap_count = 20;
            setup.snap_retain = 1;
        })
        .start();
    s.settle();
    s.client("A").at(3).connected().load(5);
    s.client("A").answered();
    s.settle().crash(1);
    s.client("A").load(200).answered();
    s.from_here().restart(1).settle().agree();
    s.happened(event!(
        3,
        SyncChosen {
            learner: ServerId(1),
            mode: SyncMode::Snap,
            ..
        }
    ))
    .happened(event!(1, SnapshotInstalled));
}

/// The majority dies in the middle of an election, and comes back.
#[test]
fn an_election_may_be_interrupted_again_and_again() {
    let mut s = five();
    for n in 0..6 {
        s.crash(5)
            .for_ms(100 + n * 60)
            .crash(4)
            .for_ms(90)
            .restart(5);
        s.for_ms(120).crash(3).restart(4).for_ms(50 * n).restart(3);
    }
    s.settle().agree();
    assert_eq!(s.who_has("/before"), [1, 2, 3, 4, 5]);
}

/// It led an epoch in which nothing happened, and leads again: no TRUNC could meet the beginning of
/// that epoch.
#[test]
fn a_snapshot_is_named_after_a_transaction_and_not_after_the_beginning_of_an_epoch() {
    let mut s = Scenario::voters(3).start();
    s.client("A").anywhere().create("/a", "").ok();
    s.settle();
    for epoch in 1..=3 {
        s.partition(&[&[1], &[2], &[3]]);
        s.until_that("nobody leads", |s| s.leader().is_none());
        s.heal_all().until_epoch_above(epoch);
    }
    assert!(s.count(&event!(any, SnapshotTaken)) >= 4);
    s.never(event!(any, SnapshotTaken { zxid } if zxid.is_new_epoch() && *zxid > Zxid::ZERO));
}
