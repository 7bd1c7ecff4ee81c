//! Observers follow without a vote (ZooKeeper.md 2.4, 2.6, 3.4, 3.6).

use zabscope_tests::prelude::*;

/// Three voters led by 3, and observers 4 and 5.
fn with_observers() -> Scenario {
    let mut s = Scenario::voters(3).observers(2).start();
    s.settle();
    s.from_here();
    s
}

/// No fault.
#[test]
fn an_observer_finds_the_leader_and_serves() {
    let s = with_observers();
    assert_eq!(s.leader(), Some(3));
    assert_eq!(s.server(4).state(), ServerState::Observing);
    assert_eq!(s.server(5).state(), ServerState::Observing);
    assert!(s.server(4).serving());
}

/// Observers have the highest ids, in every election of a run with three leaders.
#[test]
fn an_observer_never_votes_and_is_never_voted_for() {
    let mut s = Scenario::voters(3).observers(2).start();
    s.settle();
    for _ in 0..3 {
        let leader = s.until_leader();
        s.reboot(leader).settle();
    }
    s.agree();
    s.never(event!(
        any,
        Elected {
            leader: ServerId(4) | ServerId(5),
            ..
        }
    ))
    .never(event!(
        any,
        VoteRecorded {
            vote: zabscope_core::message::Vote {
                leader: ServerId(4) | ServerId(5),
                ..
            },
            ..
        }
    ));
    for voter in 1..=3 {
        s.never(event!(
            voter,
            VoteRecorded {
                from: ServerId(4) | ServerId(5),
                ..
            }
        ));
    }
}

/// One voter and two observers run: three of five servers.
#[test]
fn observers_are_no_part_of_a_quorum() {
    let mut s = with_observers();
    s.client("A").at(4).connected();
    s.settle().from_here();
    s.crash(1).crash(2);
    s.client("A").create("/a", "");
    s.until(event!(
        3,
        SteppedDown {
            because: ElectionReason::QuorumLost {
                in_time: 1,
                need: 2
            },
            ..
        }
    ));
    s.never(event!(3, Committed));
    s.for_ms(60_000);
    assert_eq!(s.leader(), None);
    s.restart(1).settle().agree();
}

/// Four observers and a single voter's worth of history.
#[test]
fn observers_do_not_help_a_leader_to_be_established() {
    let mut s = Scenario::voters(3).observers(4).down(&[1, 2]).start();
    s.for_ms(60_000);
    s.never(event!(any, Elected)).never(event!(any, NewEpoch));
}

/// A write, seen from the wire.
#[test]
fn an_observer_gets_inform_and_sends_no_ack() {
    let mut s = with_observers();
    s.client("A").at(1).create("/a", "x").ok();
    s.settle().agree();
    assert!(s.has(4, "/a"));
    s.happened(sent(3, 4, MessageKind::Inform))
        .never(sent(3, 4, MessageKind::Proposal))
        .never(sent(3, 4, MessageKind::Commit))
        .never(sent(4, 3, MessageKind::Ack))
        .never(event!(
            3,
            AckCounted {
                from: ServerId(4),
                ..
            }
        ));
}

/// An observer that was away.
#[test]
fn an_observer_is_synchronised_with_proposals_and_commits() {
    let mut s = with_observers();
    s.client("A").at(1).create("/a", "").ok();
    s.settle().crash(4);
    s.client("A").create("/b", "").create("/c", "").ok();
    s.from_here().restart(4).until(event!(4, Serving));
    assert_eq!(
        s.sync_packets(3, 4),
        "DIFF 1:4, PROPOSAL 1:3, COMMIT 1:3, PROPOSAL 1:4, COMMIT 1:4"
    );
    s.settle().agree();
    assert_eq!(s.log(4).last(), Some(&zx(1, 4)));
}

/// A client at an observer writes.
#[test]
fn writes_through_an_observer_go_to_the_leader() {
    let mut s = with_observers();
    s.client("A").at(5).create("/a", "x").ok();
    assert_eq!(s.client("A").read("/a").data(), "x");
    s.in_order(&[
        event!(
            5,
            RequestForwarded {
                leader: ServerId(3),
                ..
            }
        ),
        event!(3, Committed),
        sent(3, 5, MessageKind::Inform),
        event!(5, WriteAnswered),
    ]);
}

/// An observer's disk hangs.
#[test]
fn a_slow_observer_delays_nobody() {
    let mut s = with_observers();
    s.client("A").at(1).connected();
    s.slow_disk(4, 20_000).slow_link(3, 5, 3000);
    let began = s.world().now();
    s.client("A").create("/a", "").set("/a", "1");
    s.until_times(2, event!(1, WriteAnswered));
    assert!((s.world().now() - began).as_millis() < 300);
    s.for_ms(30_000).never(event!(
        3,
        LinkDropped {
            with: ServerId(4),
            ..
        }
    ));
    s.slow_disk(4, 0).settle().agree();
}

/// The leader dies; both observers must find the next one.
#[test]
fn observers_follow_the_next_leader() {
    let mut s = with_observers();
    s.client("A").at(4).create("/a", "").ok();
    s.crash(3);
    let new = s.until_another_leader(3);
    s.settle().agree();
    assert_eq!(s.server(4).leader(), Some(ServerId(new)));
    assert_eq!(s.server(5).leader(), Some(ServerId(new)));
    s.client("A").connected().create("/b", "").ok();
}

/// A client watches at an observer, and its session moves there from a voter.
#[test]
fn watches_and_sessions_work_at_observers() {
    let mut s = with_observers();
    s.client("A").at(1).ephemeral("/e").ok();
    s.client("A").at(4).reconnected();
    s.client("A").watch("/e").ok();
    s.client("B").at(5).set("/e", "1").ok();
    s.until_rang("A", 1);
    s.client("A").close().ok();
    s.settle().agree();
    assert!(s.who_has("/e").is_empty());
}

/// An observer is cut off from the leader and from nobody else.
#[test]
fn an_observer_that_is_cut_off_stops_serving_and_disturbs_nobody() {
    let mut s = with_observers();
    s.cut(4, 3);
    s.until_that("it does not serve", |s| !s.server(4).serving());
    s.for_ms(20_000);
    assert!(!s.server(4).serving());
    s.never(event!(3, SteppedDown)).never(event!(any, NewEpoch));
    s.heal_all().settle().agree();
}
