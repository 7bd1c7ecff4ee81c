//! Members that change while the ensemble runs (ZooKeeper.md 1.13, 3.9).

use std::{collections::BTreeSet, sync::Arc};
use zabscope_core::sim::{Checker, FaultKind, FaultPlan, Plan, Run};
use zabscope_tests::prelude::*;

/// So many voters and observers, of which any client may change the members.
fn changing(voters: u8, observers: u8) -> Scenario {
    let mut s = Scenario::voters(voters)
        .observers(observers)
        .with(|setup| setup.reconfig = true)
        .start();
    s.settle();
    s
}

fn line(id: i64, role: &str) -> String {
    format!("server.{id}=server{id}:2888:3888:{role};server{id}:2181")
}

fn change(joining: &str, leaving: &str) -> Request {
    let list = |words: &str| (!words.is_empty()).then(|| Arc::from(words));
    Request::Write(Write::Reconfig {
        joining: list(joining),
        leaving: list(leaving),
        new_members: None,
        cur_config_id: -1,
    })
}

/// Who votes, as this server knows.
fn voters(s: &Scenario, id: i64) -> Vec<i64> {
    let members = &s.server(id).config().membership;
    members.quorum.voters().iter().map(|v| v.0).collect()
}

fn observers(s: &Scenario, id: i64) -> Vec<i64> {
    let members = &s.server(id).config().membership;
    members.observers.iter().map(|v| v.0).collect()
}

/// The first leader of an ensemble that no reconfiguration has made.
#[test]
fn the_first_leader_gives_its_members_a_version() {
    let s = changing(3, 1);
    s.happened(event!(
        any,
        MembersActivated {
            voters: 3,
            observers: 1,
            ..
        }
    ));
    for id in 1..=4 {
        let cfg = s.server(id).config();
        assert_eq!(cfg.membership.version, zx(1, 0));
        assert!(cfg.next.is_none());
        let text = s.data(id, "/zookeeper/config").expect("a configuration");
        assert!(text.ends_with("version=100000000"), "{text}");
    }
}

/// A follower leaves; three of four go on.
#[test]
fn a_voter_that_leaves_follows_without_a_vote() {
    let mut s = changing(4, 0);
    assert_eq!(s.leader(), Some(4));
    s.from_here().client("A").at(2).ask(change("", "1")).ok();
    s.settle().agree();
    s.in_order(&[
        event!(
            4,
            Proposed {
                txn: TxnKind::Reconfig,
                error: None,
                ..
            }
        ),
        event!(4, MembersSeen { voters: 3, .. }),
        event!(4, Committed),
        event!(4, MembersActivated { voters: 3, .. }),
    ]);
    s.never(event!(any, SteppedDown));
    for id in 1..=4 {
        assert_eq!(voters(&s, id), [2, 3, 4]);
    }
    // Its ACK does not count any more: with 1 and one of the three there is no quorum.
    s.crash(2).crash(3);
    s.until(event!(4, SteppedDown));
    s.restart(2);
    s.until_leader();
    s.settle();
    assert_eq!(s.server(1).state(), ServerState::Following);
}

/// An observer gets a vote; it comes again as a follower.
#[test]
fn an_observer_becomes_a_voter_only_when_a_quorum_with_it_is_there() {
    let mut s = changing(3, 1);
    let joins = line(4, "participant");
    s.from_here().client("A").at(3).ask(change(&joins, "")).ok();
    s.settle().agree();
    s.happened(event!(
        4,
        SteppedDown {
            because: ElectionReason::Reconfigured { .. },
            ..
        }
    ));
    assert_eq!(
        (voters(&s, 4), observers(&s, 4)),
        (vec![1, 2, 3, 4], vec![])
    );
    assert_eq!(s.server(4).state(), ServerState::Following);
}

/// The quorum of the new members is not there.
#[test]
fn members_that_could_decide_nothing_are_refused() {
    let mut s = changing(3, 2);
    let joins = format!("{},{}", line(4, "participant"), line(5, "participant"));
    // Observers have no ACK to give: of four voters to come only one follows.
    s.client("A")
        .at(3)
        .ask(change(&joins, "1,2"))
        .fails(ErrorCode::NewConfigNoQuorum);
    s.client("A")
        .ask(change("x", ""))
        .fails(ErrorCode::BadArguments);
    s.client("A").set("/nothing", "x").fails(ErrorCode::NoNode);
    assert_eq!(voters(&s, 1), [1, 2, 3]);
}

/// The leader itself leaves.
#[test]
fn a_leader_that_leaves_hands_over_and_follows() {
    let mut s = changing(4, 0);
    s.client("A").at(1).connected();
    s.from_here().client("A").ask(change("", "4"));
    s.until_another_leader(4);
    s.settle().agree();
    assert!(matches!(s.leader(), Some(1..=3)));
    for id in 1..=4 {
        assert_eq!(voters(&s, id), [1, 2, 3]);
    }
    assert_eq!(s.server(4).state(), ServerState::Following);
    s.client("A").connected().create("/after", "x").ok();
    s.settle().agree();
    assert_eq!(s.who_has("/after"), [1, 2, 3, 4]);
}

/// A server sleeps while the others move on, and all whom it knew have left or changed.
#[test]
fn a_server_that_missed_it_is_told_with_the_first_vote() {
    let mut s = changing(5, 0);
    s.crash(1);
    s.client("A").at(5).ask(change("", "1,2")).ok();
    s.settle();
    s.from_here().restart(1);
    s.settle().agree();
    s.in_order(&[
        event!(1, MembersActivated { voters: 3, .. }),
        event!(
            1,
            ElectionStarted {
                because: ElectionReason::Reconfigured { .. },
                ..
            }
        ),
        event!(1, Serving),
    ]);
    assert_eq!(voters(&s, 1), [3, 4, 5]);
}

/// All go down after a change, and come back.
#[test]
fn members_outlive_the_power() {
    let mut s = changing(4, 0);
    s.client("A").at(4).ask(change("", "1")).ok();
    s.settle();
    for id in 1..=4 {
        s.crash(id);
    }
    for id in 2..=4 {
        s.restart(id);
    }
    s.until_leader();
    s.settle().agree();
    assert_eq!(voters(&s, 2), [2, 3, 4]);
}

/// A reconfiguration is on the leader's disk and nowhere else when the leader falls.
#[test]
fn members_that_were_only_proposed_are_given_up_with_the_tail_of_the_log() {
    let mut s = changing(3, 0);
    s.client("A").at(3).connected();
    s.cut_direction(3, 1).cut_direction(3, 2);
    s.from_here().client("A").ask(change("", "1"));
    s.until(event!(3, MembersSeen { voters: 2, .. }));
    let leader = s.until_another_leader(3);
    assert_eq!(voters(&s, leader), [1, 2, 3]);
    s.client("B").at(leader).create("/b", "x").ok();
    s.heal_all();
    s.settle().agree();
    for id in 1..=3 {
        assert_eq!(voters(&s, id), [1, 2, 3]);
        assert!(s.server(id).config().next.is_none(), "server {id}");
    }
}

/// Worlds that found no leader any more: in two a change was followed by another before a server knew that
/// it was committed; in one only a server that was to become a voter had the latest history, and a voter
/// that was needed had never heard of it.
#[test]
fn seeds_that_once_were_left_without_a_leader_find_one() {
    for (seed, servers, rate) in [(343, 5, 3), (666, 5, 3), (175, 3, 4)] {
        let plan = Plan {
            servers,
            observers: 1,
            faults: FaultPlan::all().with(FaultKind::Reconfig, rate),
            ..Plan::of_seed(seed, 2500)
        };
        let mut run = Run::new(plan, Checker::all()).expect("a good setup");
        if let Err(violation) = run.run(&mut |_, _| {}) {
            panic!("{}", run.report(&violation));
        }
    }
}

#[test]
fn every_invariant_holds_while_members_change_under_faults() {
    let mut seen = BTreeSet::new();
    let seeds = std::env::var("ZABSCOPE_SEEDS").ok();
    let seeds = seeds.and_then(|n| n.parse().ok()).unwrap_or(150);
    for seed in 1..=seeds {
        let plan = Plan {
            servers: 2 + (seed % 6) as u8,
            observers: (seed % 3) as u8,
            faults: FaultPlan::all().with(FaultKind::Reconfig, 1 + (seed % 4) as u32),
            ..Plan::of_seed(seed, 2500)
        };
        let mut run = Run::new(plan, Checker::all()).expect("a good setup");
        let ran = run.run(&mut |world, _| {
            let version = world.members().version;
            // Others are those that a leader has only given a version.
            if !version.is_new_epoch() {
                seen.insert((seed, version));
            }
        });
        if let Err(violation) = ran {
            panic!("{}", run.report(&violation));
        }
    }
    assert!(seen.len() > 200, "{} memberships", seen.len());
}
