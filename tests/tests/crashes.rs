//! A server dies at each step of the protocol. Whatever the step: who is left goes on, who comes
//! back is brought up to date, what was acknowledged to a client is everywhere, and nobody ever has
//! something else.

use zabscope_tests::prelude::*;

/// Five servers led by 5, with /before written and answered; client A at server 1.
fn five() -> Scenario {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.client("A").at(1).create("/before", "x").ok();
    s.settle();
    s.from_here();
    s
}

/// All come back and agree; /before is there.
fn all_recover(s: &mut Scenario) {
    let down: Vec<i64> = (1..=5).filter(|id| s.peer(*id).is_none()).collect();
    for id in down {
        s.restart(id);
    }
    s.settle().agree();
    assert_eq!(s.who_has("/before"), [1, 2, 3, 4, 5]);
    s.client("A").connected();
    s.client("A").create("/after", "").answered();
    s.settle().agree();
}

/// Leader 5 dies; 4 is about to lead, and dies at this point; 1, 2 and 3 go on without both.
fn the_next_leader_dies(at: Pattern) {
    let mut s = five();
    s.crash(5).until(at).crash(4);
    let leader = s.until_leader();
    assert_eq!(leader, 3);
    s.settle().agree();
    assert!(s.epoch(leader) > 1);
    all_recover(&mut s);
}

/// 4 dies when it has decided to lead, before any FOLLOWERINFO.
#[test]
fn a_leader_may_die_before_anybody_found_it() {
    the_next_leader_dies(event!(
        4,
        Elected {
            leader: ServerId(4),
            ..
        }
    ));
}

/// 4 dies with one FOLLOWERINFO.
#[test]
fn a_leader_may_die_before_a_quorum_found_it() {
    the_next_leader_dies(event!(4, LearnerInfoCounted { have: 2, .. }));
}

/// 4 dies when it has computed the epoch; LEADERINFO has not left.
#[test]
fn a_leader_may_die_before_leaderinfo_leaves() {
    the_next_leader_dies(event!(4, NewEpoch));
}

/// 4 dies when LEADERINFO has left.
#[test]
fn a_leader_may_die_when_leaderinfo_has_left() {
    the_next_leader_dies(sent(4, None, MessageKind::LeaderInfo));
}

/// 4 dies when one follower has accepted the epoch.
#[test]
fn a_leader_may_die_when_one_has_accepted_its_epoch() {
    the_next_leader_dies(event!(4, EpochAckCounted { have: 2, .. }));
}

/// 4 dies when a quorum has accepted the epoch.
#[test]
fn a_leader_may_die_when_a_quorum_has_accepted_its_epoch() {
    the_next_leader_dies(event!(4, CurrentEpochSet));
}

/// 4 dies when NEWLEADER has left.
#[test]
fn a_leader_may_die_when_newleader_has_left() {
    the_next_leader_dies(sent(4, None, MessageKind::NewLeader));
}

/// 4 dies when the first follower has the history.
#[test]
fn a_leader_may_die_when_one_has_its_history() {
    the_next_leader_dies(event!(any, HistoryComplete));
}

/// 4 dies with one ACK of NEWLEADER besides its own.
#[test]
fn a_leader_may_die_with_one_ack_of_newleader() {
    the_next_leader_dies(event!(4, NewLeaderAckCounted { have: 2, .. }));
}

/// 4 dies in the moment in which it is established.
#[test]
fn a_leader_may_die_when_it_is_established() {
    the_next_leader_dies(event!(4, Established));
}

/// 4 dies when the first follower serves.
#[test]
fn a_leader_may_die_when_the_first_follower_serves() {
    the_next_leader_dies(event!(any, Serving));
}

/// Leader 5 dies at this point of a write through server 1.
fn the_leader_dies_in_a_write(prepare: impl Fn(&mut Scenario), at: Pattern) -> Scenario {
    let mut s = five();
    prepare(&mut s);
    s.client("A").create("/x", "");
    s.until(at).crash(5);
    s.until_leader();
    s.settle().agree();
    s
}

fn nothing(_: &mut Scenario) {}

/// 5 dies when it has proposed: nobody else has heard of it, its own disk has not either.
#[test]
fn a_proposal_that_nobody_got_is_lost() {
    let mut s = the_leader_dies_in_a_write(nothing, event!(5, Proposed));
    assert!(s.who_has("/x").is_empty());
    all_recover(&mut s);
    assert!(s.who_has("/x").is_empty());
}

/// 5 dies when its own disk has the proposal, and nobody else; it comes back when the others have
/// gone on.
#[test]
fn a_proposal_on_the_old_leaders_disk_only_is_cut_away() {
    let at = event!(
        5,
        AckCounted {
            from: ServerId(5),
            ..
        }
    );
    let mut s = the_leader_dies_in_a_write(nothing, at);
    assert!(s.who_has("/x").is_empty());
    assert_eq!(s.disk(5).durable_zxid(), zx(1, 3));
    all_recover(&mut s);
    assert!(s.who_has("/x").is_empty());
    assert_eq!(s.removed(5, RemovedBecause::Truncated), [zx(1, 3)]);
}

/// 5 dies when one follower has the proposal.
#[test]
fn a_proposal_that_one_of_the_rest_has_becomes_history() {
    let mut s = the_leader_dies_in_a_write(nothing, event!(any, AckSent));
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4]);
    all_recover(&mut s);
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4, 5]);
}

/// 5 dies with one ACK besides its own.
#[test]
fn a_proposal_with_one_ack_becomes_history_when_that_server_is_there() {
    let mut s = the_leader_dies_in_a_write(nothing, event!(5, AckCounted { have: 2, .. }));
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4]);
    all_recover(&mut s);
}

/// 5 dies with one ACK besides its own, and that follower dies too.
#[test]
fn a_proposal_that_only_the_dead_have_is_cut_away_when_they_come_back() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.settle();
    s.cut(5, 1).cut(5, 3).cut(5, 4);
    s.client("B").create("/x", "");
    s.until(event!(
        5,
        AckCounted {
            from: ServerId(2),
            have: 2,
            ..
        }
    ));
    s.crash(5).crash(2).heal_all();
    s.until_leader();
    s.settle().agree();
    assert!(s.who_has("/x").is_empty());
    all_recover(&mut s);
    assert!(s.who_has("/x").is_empty());
}

/// 5 commits and dies: no COMMIT arrives anywhere.
#[test]
fn what_a_quorum_has_on_disk_is_committed_though_no_commit_arrived() {
    let mut s = the_leader_dies_in_a_write(nothing, event!(5, Committed));
    s.never(event!(1, WriteAnswered));
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4]);
    all_recover(&mut s);
}

/// 5 dies when one follower has got COMMIT.
#[test]
fn a_commit_that_one_got_holds_for_all() {
    let at = event!(
        any,
        Received {
            message: MessageKind::Commit,
            ..
        }
    );
    let mut s = the_leader_dies_in_a_write(nothing, at);
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4]);
    all_recover(&mut s);
}

/// 5 dies when the client has its answer; the two slowest servers have nothing on disk.
#[test]
fn what_was_answered_survives_the_leader() {
    let slow = |s: &mut Scenario| {
        s.slow_disk(3, 400).slow_disk(4, 400);
    };
    let at = event!(1, WriteAnswered { error: None, .. });
    let mut s = the_leader_dies_in_a_write(slow, at);
    assert_eq!(s.who_has("/x"), [1, 2, 3, 4]);
    all_recover(&mut s);
}

/// The leader dies with ten writes in all stages.
#[test]
fn a_row_of_writes_survives_as_a_prefix() {
    for seed in 1..=20 {
        let mut s = Scenario::voters(5).seed(seed).start();
        s.settle();
        s.client("A").at(1).create("/before", "").ok();
        for n in 0..10 {
            s.for_ms(3).client("A").create(&format!("/row-{n}"), "");
        }
        s.for_ms(seed * 2).crash(5);
        s.client("A").answered();
        s.until_leader();
        s.settle().agree();
        let there: Vec<bool> = (0..10).map(|n| s.has(1, &format!("/row-{n}"))).collect();
        let answered = (2..=11)
            .take_while(|n| matches!(s.reply("A", *n), Outcome::Reply { result: Ok(_), .. }))
            .count();
        assert!(there.is_sorted_by(|a, b| a >= b), "a hole: {there:?}");
        assert!(there.iter().filter(|t| **t).count() >= answered);
        all_recover(&mut s);
    }
}

// ---- followers ---------------------------------------------------------------------------------

/// Follower 1 was away while something was written; it comes back, dies at this point, and comes
/// back again. The leader does not mind.
fn a_joining_follower_dies(at: Pattern) {
    let mut s = five();
    s.client("B").at(2).connected();
    s.crash(1);
    s.client("B").create("/x", "").create("/y", "").ok();
    s.from_here().restart(1).until(at).crash(1);
    s.client("B").create("/z", "").ok();
    s.restart(1).settle().agree();
    s.never(event!(5, SteppedDown)).never(event!(any, NewEpoch));
    assert_eq!(s.who_has("/z"), [1, 2, 3, 4, 5]);
    assert!(s.log(1).windows(2).all(|w| w[1].0 == w[0].0 + 1));
}

/// 1 dies while it looks for the leader.
#[test]
fn a_follower_may_die_while_it_votes() {
    a_joining_follower_dies(event!(1, VoteRecorded));
}

/// 1 dies when FOLLOWERINFO has left.
#[test]
fn a_follower_may_die_when_followerinfo_has_left() {
    a_joining_follower_dies(sent(1, 5, MessageKind::FollowerInfo));
}

/// 1 dies when ACKEPOCH has left.
#[test]
fn a_follower_may_die_when_ackepoch_has_left() {
    a_joining_follower_dies(sent(1, 5, MessageKind::AckEpoch));
}

/// 1 dies when DIFF has come.
#[test]
fn a_follower_may_die_when_synchronisation_begins() {
    a_joining_follower_dies(event!(1, SyncStarted));
}

/// 1 dies when NEWLEADER has come and nothing of the history is on disk.
#[test]
fn a_follower_may_die_with_a_history_that_is_not_on_disk() {
    a_joining_follower_dies(event!(1, HistoryComplete));
}

/// 1 dies when its ACK of NEWLEADER has left.
#[test]
fn a_follower_may_die_when_its_ack_of_newleader_has_left() {
    a_joining_follower_dies(sent(1, 5, MessageKind::Ack));
}

/// 1 dies when UPTODATE has come.
#[test]
fn a_follower_may_die_when_it_begins_to_serve() {
    a_joining_follower_dies(event!(1, Serving));
}

/// Follower 1 dies at this point of a write; the write is answered all the same.
fn a_follower_dies_in_a_write(at: Pattern) -> Scenario {
    let mut s = five();
    s.client("B").at(2).connected();
    s.client("B").create("/x", "");
    s.until(at).crash(1);
    s.client("B").ok();
    s.never(event!(5, SteppedDown));
    s
}

/// 1 dies with the proposal in its log and not on its disk.
#[test]
fn a_follower_may_die_with_an_unsynced_proposal() {
    let mut s = a_follower_dies_in_a_write(event!(1, Logged { zxid } if *zxid == zx(1, 4)));
    s.happened(world!(Crashed { lost, .. } if lost[..] == [zx(1, 4)]));
    s.never(event!(5, AckCounted { zxid, from: ServerId(1), .. } if *zxid == zx(1, 4)));
    assert_eq!(s.log(1).last(), Some(&zx(1, 3)));
    all_recover(&mut s);
}

/// 1 dies when its ACK has left.
#[test]
fn a_follower_may_die_when_its_ack_has_left() {
    let at = sent(1, 5, MessageKind::Ack).about(zx(1, 4));
    let mut s = a_follower_dies_in_a_write(at);
    assert_eq!(s.log(1).last(), Some(&zx(1, 4)));
    all_recover(&mut s);
}

/// 1 dies when it has applied.
#[test]
fn a_follower_may_die_when_it_has_applied() {
    let at = event!(1, Applied { zxid, .. } if *zxid == zx(1, 4));
    let mut s = a_follower_dies_in_a_write(at);
    all_recover(&mut s);
}

/// A follower that gets a snapshot dies before it is on its disk.
#[test]
fn a_follower_may_die_with_half_a_snapshot() {
    let mut s = five();
    s.client("B").at(2).connected();
    s.crash(1).lose_disk(1).slow_disk(1, 300);
    s.restart(1).until(event!(1, SnapshotInstalled)).crash(1);
    assert!(!s.disk(1).initialised());
    s.slow_disk(1, 0).restart(1).settle().agree();
    assert!(s.has(1, "/before"));
}

/// A follower dies between TRUNC and what it brings about.
#[test]
fn a_follower_may_die_while_its_log_is_cut() {
    let mut s = five();
    s.isolate(5);
    s.client("B").at(5).create("/lost", "");
    s.until(event!(
        5,
        AckCounted {
            from: ServerId(5),
            ..
        }
    ));
    s.until_another_leader(5);
    s.heal_all()
        .slow_disk(5, 300)
        .until(event!(
            5,
            SyncStarted {
                mode: SyncMode::Trunc,
                ..
            }
        ))
        .crash(5)
        .slow_disk(5, 0);
    s.restart(5).settle().agree();
    assert!(s.who_has("/lost").is_empty());
}
