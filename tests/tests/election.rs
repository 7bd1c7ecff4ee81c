//! Fast leader election (ZooKeeper.md 2.3 to 2.6).

use zabscope_tests::prelude::*;

/// Five fresh servers, no fault.
#[test]
fn equal_histories_are_decided_by_the_highest_id() {
    let mut s = Scenario::voters(5).start();
    assert_eq!(s.until_leader(), 5);
    s.happened(event!(
        any,
        VoteChanged {
            by: VoteField::Id,
            ..
        }
    ));
    s.settle().agree();
    s.client("A").at(2).create("/a", "x").ok();
    s.settle().agree();
    assert_eq!(s.data(4, "/a").unwrap(), "x");
}

/// One server, nobody to ask.
#[test]
fn a_single_voter_elects_itself_and_serves() {
    let mut s = Scenario::voters(1).start();
    assert_eq!(s.until_leader(), 1);
    s.client("A").at(1).create("/a", "x").ok();
    assert_eq!(s.client("A").read("/a").data(), "x");
}

/// Server 5 was down while something was written; then all lose their power at once.
#[test]
fn a_newer_zxid_beats_a_higher_id() {
    let mut s = Scenario::voters(5).down(&[5]).start();
    assert_eq!(s.until_leader(), 4);
    s.restart(5).settle();
    s.crash(5);
    s.client("A").at(1).create("/a", "x").ok();
    for id in 1..=4 {
        s.crash(id);
    }
    s.from_here();
    for id in 1..=5 {
        s.restart(id);
    }
    assert_ne!(s.until_leader(), 5);
    s.happened(event!(
        5,
        VoteChanged {
            by: VoteField::Zxid,
            ..
        }
    ))
    .never(event!(
        any,
        Elected {
            leader: ServerId(5),
            ..
        }
    ));
    s.settle().agree();
    assert_eq!(s.who_has("/a"), [1, 2, 3, 4, 5]);
}

/// Leader 3 is cut off with two proposals that nobody else has; 1 and 2 begin epoch 2; then 2 dies,
/// and 1 and 3 must agree: 3 has the longer log, 1 the newer epoch.
#[test]
fn a_newer_epoch_beats_a_longer_log() {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.client("A").at(3).create("/a", "x").ok();
    s.settle();
    s.isolate(3);
    s.client("A").create("/b", "").create("/c", "");
    s.until_that("both are on the old leader's disk", |s| {
        s.disk(3).durable_zxid() == zx(1, 4)
    });
    assert_eq!(s.until_another_leader(3), 2);
    s.crash(2).heal_all().from_here();
    assert_eq!(s.until_epoch_above(2), 1);
    s.happened(event!(
        3,
        VoteChanged {
            by: VoteField::Epoch,
            ..
        }
    ));
    s.settle().agree();
    assert_eq!(
        s.removed(3, RemovedBecause::Truncated),
        [zx(1, 3), zx(1, 4)]
    );
    assert!(s.who_has("/b").is_empty());
}

/// Server 1 comes back in round 1 to server 2, which is alone in round 2.
fn a_server_of_an_older_round_comes_back() -> Scenario {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.crash(3).crash(1);
    s.until(event!(2, ElectionStarted { round: 2, .. }));
    s.from_here().restart(1);
    assert_eq!(s.until_leader(), 2);
    s
}

/// A vote of round 1 reaches a server in round 2.
#[test]
fn a_vote_of_an_older_round_is_answered_and_not_counted() {
    let s = a_server_of_an_older_round_comes_back();
    s.in_order(&[
        event!(
            2,
            VoteIgnored {
                because: IgnoreReason::OlderRound { theirs: 1, ours: 2 },
                ..
            }
        ),
        event!(2, Elected { .. }),
    ])
    .happened(event!(
        2,
        VoteAnswered {
            to: ServerId(1),
            ..
        }
    ));
}

/// A vote of round 2 reaches a server in round 1.
#[test]
fn a_newer_round_voids_the_votes_so_far() {
    let s = a_server_of_an_older_round_comes_back();
    s.in_order(&[
        event!(1, RoundAdvanced { old: 1, new: 2, .. }),
        event!(1, Elected { round: 2, .. }),
    ]);
}

/// Servers 1 and 2 agree; server 3 starts within finalizeWait.
#[test]
fn a_quorum_of_votes_waits_for_a_better_one() {
    let mut s = Scenario::voters(3).down(&[3]).start();
    s.until(event!(any, QuorumOfVotes));
    s.restart(3);
    s.until(event!(any, QuorumOvertaken { by } if by.leader == ServerId(3)));
    assert_eq!(s.until_leader(), 3);
    s.never(event!(
        any,
        Elected {
            leader: ServerId(2),
            ..
        }
    ));
}

/// Server 5 starts when the others have decided, in the same round.
#[test]
fn a_late_joiner_of_the_same_round_takes_the_decision_over() {
    let mut s = Scenario::voters(5).down(&[5]).start();
    assert_eq!(s.until_leader(), 4);
    s.settle();
    s.from_here().restart(5).until(event!(5, Serving));
    s.happened(event!(
        5,
        Elected {
            by: DecidedBy::SameRoundDecided,
            leader: ServerId(4),
            ..
        }
    ))
    .never(event!(any, NewEpoch))
    .never(event!(4, SteppedDown));
    s.settle().agree();
}

/// Server 1 looks for a leader in a later round than that in which the others found theirs.
#[test]
fn a_server_of_a_newer_round_joins_the_running_ensemble_of_an_older_one() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.isolate(1)
        .until(event!(1, ElectionStarted { round: 2, .. }));
    s.from_here().heal_all().until(event!(1, Serving));
    s.happened(event!(
        1,
        Elected {
            by: DecidedBy::RunningEnsemble,
            leader: ServerId(5),
            round: 1,
            ..
        }
    ))
    .never(event!(any, NewEpoch));
    assert_eq!(s.server(1).round(), 1);
    s.settle().agree();
}

/// The winner of the first election restarts: it would win again by its id.
#[test]
fn a_running_leader_is_not_deposed_by_a_higher_id() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.crash(5);
    assert_eq!(s.until_another_leader(5), 4);
    s.from_here().restart(5).until(event!(5, Serving));
    s.never(event!(4, SteppedDown));
    assert_eq!(s.leader(), Some(4));
}

/// Three of five servers never start.
#[test]
fn two_of_five_elect_nobody() {
    let mut s = Scenario::voters(5).down(&[3, 4, 5]).start();
    s.for_ms(120_000);
    s.never(event!(any, QuorumOfVotes))
        .never(event!(any, Elected));
    assert_eq!(s.leader(), None);
    s.restart(3);
    assert_eq!(s.until_leader(), 3);
}

/// Half of an even number is no majority.
#[test]
fn two_of_four_elect_nobody_and_three_do() {
    let mut s = Scenario::voters(4).down(&[3, 4]).start();
    s.for_ms(60_000).never(event!(any, Elected));
    s.restart(3);
    assert_eq!(s.until_leader(), 3);
}

/// Server 1 is alone for minutes.
#[test]
fn a_lonely_voter_repeats_its_vote_ever_more_seldom() {
    let mut s = Scenario::voters(3).down(&[2, 3]).start();
    s.for_ms(250_000);
    let waits: Vec<u64> = s
        .events_of(1)
        .filter_map(|e| match e {
            EventKind::VoteRepeated { next } => Some(next.as_millis()),
            _ => None,
        })
        .collect();
    let expected = [400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000];
    assert_eq!(waits[..9], expected);
    assert!(waits[9..].iter().all(|w| *w == 60_000), "{waits:?}");
}

/// Server 1 loses its link to leader 5 only: all others tell it to follow 5.
#[test]
fn nobody_follows_a_leader_whose_own_word_is_missing() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.from_here().cut(1, 5);
    s.until(event!(1, ElectionStarted));
    s.for_ms(20_000);
    assert_eq!(s.server(1).state(), ServerState::Looking);
    s.never(event!(1, Elected)).never(event!(any, NewEpoch));
    assert_eq!(s.leader(), Some(5));
    s.heal(1, 5).until(event!(1, Serving));
    s.settle().agree();
}

/// Some elected the leader, one joined it later: a newcomer must be able to count their votes.
#[test]
fn servers_that_joined_in_different_ways_report_equal_votes() {
    let mut s = Scenario::voters(5).down(&[1]).start();
    s.settle();
    s.restart(1).until(event!(1, Serving));
    s.reboot(2).until(event!(2, Serving));
    s.settle();
    let votes: Vec<_> = (1..=5)
        .map(|id| (s.server(id).vote().leader, s.server(id).vote().epoch))
        .collect();
    assert_eq!(votes, [(ServerId(5), Epoch(1)); 5]);
}

/// Nine voters in three groups: four of them are a quorum when they are the right ones.
#[test]
fn two_of_three_groups_are_a_quorum() {
    let groups: [&[_]; 3] = [
        &[(1, 1), (2, 1), (3, 1)],
        &[(4, 1), (5, 1), (6, 1)],
        &[(7, 1), (8, 1), (9, 1)],
    ];
    let mut s = Scenario::voters(9)
        .groups(&groups)
        .down(&[3, 6, 7, 8, 9])
        .start();
    assert_eq!(s.until_leader(), 5);
    s.client("A").at(1).create("/a", "x").ok();
    s.settle().agree();
}

/// Nine voters in three groups: five of them are none when they are the wrong ones.
#[test]
fn a_majority_of_servers_without_a_majority_of_groups_is_no_quorum() {
    let groups: [&[_]; 3] = [
        &[(1, 1), (2, 1), (3, 1)],
        &[(4, 1), (5, 1), (6, 1)],
        &[(7, 1), (8, 1), (9, 1)],
    ];
    let mut s = Scenario::voters(9)
        .groups(&groups)
        .down(&[5, 6, 8, 9])
        .start();
    s.for_ms(60_000)
        .never(event!(any, QuorumOfVotes))
        .never(event!(any, Elected));
}

/// Server 3 has the highest id and no weight.
#[test]
fn a_server_without_weight_is_never_elected_and_never_counts() {
    let mut s = Scenario::voters(3)
        .groups(&[&[(1, 1), (2, 1), (3, 0)]])
        .start();
    assert_eq!(s.until_leader(), 2);
    s.settle();
    s.never(event!(
        any,
        Elected {
            leader: ServerId(3),
            ..
        }
    ));
    // 2 and 3 are two of three servers, but only half of the weight.
    s.crash(1).for_ms(60_000);
    assert_eq!(s.leader(), None);
}

/// Server 1 weighs more than the two others together.
#[test]
fn a_heavy_server_is_a_quorum_by_itself() {
    let mut s = Scenario::voters(3)
        .groups(&[&[(1, 3), (2, 1), (3, 1)]])
        .down(&[2, 3])
        .start();
    assert_eq!(s.until_leader(), 1);
    s.client("A").at(1).create("/a", "x").ok();
    s.restart(2).restart(3).settle().agree();
}

/// The leader of five dies.
#[test]
fn the_rest_elects_a_new_leader_of_the_next_epoch() {
    let mut s = Scenario::voters(5).start();
    s.client("A").at(1).create("/a", "x").ok();
    let old = s.until_leader();
    s.crash(old);
    let new = s.until_another_leader(old);
    assert_eq!(s.epoch(new), 2);
    s.settle().agree();
    assert_eq!(s.who_has("/a"), [1, 2, 3, 4]);
}
