//! Discovery: the new epoch (ZooKeeper.md 3.3, 3.8).

use zabscope_tests::prelude::*;

/// Leader 3 of epoch 1 is gone; 1 accepts epoch 2 from 2, which dies; then 3 comes back and knows
/// of epoch 1 only.
#[test]
fn the_new_epoch_is_the_highest_accepted_one_plus_one() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.crash(3);
    s.until(sent(1, 2, MessageKind::AckEpoch));
    s.crash(2).from_here().restart(3);
    s.until(event!(
        any,
        NewEpoch {
            epoch: Epoch(3),
            highest: Epoch(2)
        }
    ));
    s.settle().agree();
    s.never(event!(
        any,
        NewEpoch {
            epoch: Epoch(2),
            ..
        }
    ));
    assert_eq!((s.epoch(1), s.epoch(3)), (3, 3));
}

/// Server 1 accepted epoch 3 in attempts that failed; the others, who know nothing of it, begin
/// epoch 2.
#[test]
fn a_stale_leader_is_fenced_by_its_old_epoch() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    // 4 wins, and only 1 hears of its epoch; twice.
    s.crash(5).until(event!(
        4,
        NewEpoch {
            epoch: Epoch(2),
            ..
        }
    ));
    s.cut(4, 2)
        .cut(4, 3)
        .until(sent(1, 4, MessageKind::AckEpoch));
    s.crash(4).partition(&[&[1, 2, 4]]).restart(4);
    s.until(event!(
        4,
        NewEpoch {
            epoch: Epoch(3),
            ..
        }
    ));
    s.cut(4, 2).until(sent(1, 4, MessageKind::AckEpoch));
    assert_eq!(s.server(1).accepted_epoch(), Epoch(3));
    s.crash(4).partition(&[&[2, 3, 5], &[1]]).restart(5);
    assert_eq!(s.until_leader(), 5);
    assert_eq!(s.epoch(5), 2);
    s.heal_all().from_here();
    s.until(event!(
        1,
        SteppedDown {
            because: ElectionReason::LeaderStale {
                offered: Epoch(2),
                accepted: Epoch(3),
                ..
            },
            ..
        }
    ));
    s.for_ms(10_000);
    s.never(event!(1, Serving)).never(event!(5, SteppedDown));
    // The next leader learns of it and goes above.
    s.reboot(5).until_epoch_above(3);
    s.settle().agree();
}

/// The first ACKEPOCH of server 1 is lost; it comes again and has nothing more to promise.
#[test]
fn an_epoch_that_was_accepted_before_does_not_count_again() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.crash(5).until(event!(4, NewEpoch));
    s.slow_link(4, 2, 3000).slow_link(4, 3, 3000);
    s.until(event!(
        1,
        EpochAcked {
            current_epoch: Some(Epoch(1)),
            ..
        }
    ));
    s.cut(1, 4).heal(1, 4).from_here();
    s.until(event!(
        4,
        EpochAckCounted {
            from: ServerId(1),
            current_epoch: None,
            have: 1,
            ..
        }
    ));
    s.in_order(&[
        event!(
            1,
            EpochAcked {
                epoch: Epoch(2),
                current_epoch: None,
                ..
            }
        ),
        event!(
            4,
            EpochAckCounted {
                from: ServerId(1),
                have: 1,
                ..
            }
        ),
    ])
    .never(event!(4, CurrentEpochSet));
    s.settle().agree();
}

/// The new leader's disk is slow.
#[test]
fn the_epoch_is_on_the_leaders_disk_before_anybody_hears_of_it() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.slow_disk(2, 700).crash(3);
    s.until(event!(2, NewEpoch));
    assert_eq!(s.disk(2).accepted_epoch(), Some(Epoch(1)));
    s.until(sent(2, 1, MessageKind::LeaderInfo));
    assert_eq!(s.disk(2).accepted_epoch(), Some(Epoch(2)));
}

/// The follower's disk is slow.
#[test]
fn an_epoch_is_on_disk_before_its_acceptance_leaves() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.slow_disk(1, 700).crash(3);
    s.until(event!(1, EpochAcked));
    assert_eq!(s.disk(1).accepted_epoch(), Some(Epoch(1)));
    s.until(sent(1, 2, MessageKind::AckEpoch));
    assert_eq!(s.disk(1).accepted_epoch(), Some(Epoch(2)));
}

/// The follower loses its power after LEADERINFO, before the epoch is on its disk.
#[test]
fn an_acceptance_that_never_left_binds_nobody() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.slow_disk(1, 700).crash(3);
    s.until(event!(1, EpochAcked));
    s.crash(1);
    assert_eq!(s.disk(1).accepted_epoch(), Some(Epoch(1)));
    s.restart(1).settle().agree();
}

/// The new leader is cut off as soon as it is elected.
#[test]
fn a_leader_that_no_quorum_finds_gives_up_after_init_limit() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.crash(3).until(event!(
        2,
        Elected {
            leader: ServerId(2),
            ..
        }
    ));
    let began = s.world().now();
    s.cut(1, 2).until(event!(
        2,
        SteppedDown {
            because: ElectionReason::NoQuorumInTime {
                phase: Phase::Discovery
            },
            ..
        }
    ));
    assert_eq!((s.world().now() - began).as_millis(), 20_000);
    s.heal_all().settle().agree();
}

/// A follower loses its link to the new leader: five attempts, then it looks again.
#[test]
fn a_learner_tries_five_times_to_reach_its_leader() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.crash(3).until(event!(
        1,
        Elected {
            leader: ServerId(2),
            ..
        }
    ));
    s.cut(1, 2).from_here().until(event!(
        1,
        SteppedDown {
            because: ElectionReason::LeaderUnreachable { attempts: 5, .. },
            ..
        }
    ));
    s.happened(event!(1, Connecting { attempt: 5, .. }));
    s.heal_all().settle().agree();
}

/// Server 5, with a proposal that nobody else has, comes back while 4 is about to lead without a
/// quorum of its own.
#[test]
fn a_follower_with_a_newer_history_ends_a_leadership_before_it_begins() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.client("A").at(5).create("/a", "").ok();
    s.settle();
    s.isolate(5);
    s.client("A").create("/b", "");
    s.until(event!(
        5,
        AckCounted {
            from: ServerId(5),
            ..
        }
    ));
    s.crash(5);
    s.until(event!(
        4,
        Elected {
            leader: ServerId(4),
            ..
        }
    ));
    s.cut(4, 1).cut(4, 2).from_here();
    s.heal(5, 1).heal(5, 2).heal(5, 3).heal(5, 4).restart(5);
    s.until(event!(
        4,
        SteppedDown {
            because: ElectionReason::FollowerMoreRecent {
                follower: ServerId(5),
                ..
            },
            ..
        }
    ));
    s.never(event!(4, Established));
    s.heal_all().settle().agree();
    assert_eq!(s.leader(), Some(5));
    assert_eq!(s.who_has("/b"), [1, 2, 3, 4, 5]);
}

/// A learner comes to a leader that is established.
#[test]
fn a_late_learner_gets_the_stored_epoch_at_once() {
    let mut s = Scenario::voters(3).down(&[1]).start();
    s.settle();
    s.from_here().restart(1).until(event!(1, Serving));
    s.happened(event!(1, AcceptedEpochSet { new: Epoch(1), .. }))
        .never(event!(any, NewEpoch))
        .never(event!(any, LearnerInfoCounted));
}

/// No fault; every server's epochs, at every step of three elections.
#[test]
fn current_epoch_never_exceeds_accepted_epoch_on_disk() {
    let mut s = Scenario::voters(3).start();
    for epoch in 1..=3 {
        s.until_that("the epoch begins", |s| {
            for id in 1..=3 {
                let disk = s.disk(id);
                if disk.current_epoch() > disk.accepted_epoch() {
                    s.fail("currentEpoch <= acceptedEpoch");
                }
            }
            s.leader().is_some_and(|id| s.epoch(id) == epoch)
        });
        let leader = s.until_leader();
        s.reboot(leader);
    }
}
