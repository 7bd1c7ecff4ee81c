//! Local sessions (ZooKeeper.md 1.4), and a server that answers reads while it looks for a leader (1.13).

use std::sync::Arc;
use zabscope_core::{
    config::{Config, Membership},
    id::ClientId,
    log::Stored,
    peer::{
        Mode,
        event::{EventKind, RefuseReason},
        input::InputKind,
        output::Effect,
    },
    request::{ConnectRequest, ErrorCode, Request, Write},
    sim::{Checker, Plan, Run},
    time::Span,
};
use zabscope_tests::{driven::*, prelude::*};

/// Three servers, led by 3, where sessions begin as local ones.
fn three() -> Scenario {
    let local = |setup: &mut zabscope_core::sim::Setup| setup.local_sessions = true;
    let mut s = Scenario::voters(3).with(local).start();
    s.settle();
    s
}

/// A client at a follower reads and writes.
#[test]
fn a_local_session_costs_no_transaction_and_may_write() {
    let mut s = three();
    s.from_here().client("A").at(1).create("/a", "x").ok();
    s.happened(event!(1, LocalSessionBegan))
        .happened(event!(1, SessionAttached { moved: false, .. }))
        .never(event!(any, SessionProposed));
    s.never(event!(
        any,
        Proposed {
            txn: TxnKind::CreateSession,
            ..
        }
    ));
    s.settle().agree();
    assert_eq!(s.who_has("/a"), [1, 2, 3]);
    assert!((1..=3).all(|id| s.server(id).database().sessions.is_empty()));
    assert_eq!(s.server(1).clients().local_sessions(), 1);
}

/// At a follower and at the leader.
#[test]
fn the_first_ephemeral_makes_a_local_session_global() {
    for home in [1, 3] {
        let mut s = three();
        s.client("A").at(home).connected();
        s.from_here().client("A").ephemeral("/e").ok();
        s.in_order(&[
            event!(home, SessionUpgraded),
            event!(
                3,
                Proposed {
                    txn: TxnKind::CreateSession,
                    ..
                }
            ),
            event!(
                3,
                Proposed {
                    txn: TxnKind::Create,
                    error: None,
                    ..
                }
            ),
        ]);
        s.settle().agree();
        assert_eq!(s.who_has("/e"), [1, 2, 3]);
        let session = s.session("A");
        assert!((1..=3).all(|id| s.server(id).database().sessions.contains_key(&session)));
        assert_eq!(s.server(home).clients().local_sessions(), 0);
        // From now on it is like any other: its end takes its ephemeral along, through a transaction.
        s.client("A").pause();
        s.until(event!(3, SessionExpired));
        s.settle().agree();
        assert!(s.who_has("/e").is_empty());
    }
}

/// The client's machine stops.
#[test]
fn a_local_session_expires_at_its_server_alone() {
    let mut s = three();
    s.client("A").at_with(1, 10_000).connected();
    s.from_here().client("A").pause();
    s.until(event!(1, LocalSessionEnded { expired: true, .. }));
    s.never(event!(any, SessionExpired))
        .never(event!(any, Proposed));
}

/// Another server is asked, and the leader knows no such session.
#[test]
fn a_local_session_does_not_survive_a_move() {
    let mut s = three();
    s.client("A").at(1).connected();
    let before = s.session("A");
    s.from_here().client("A").at(2);
    s.until(event!(3, SessionValidated { valid: false, .. }));
    assert_eq!(before.0 >> 56, 1);
    assert!(s.server(2).clients().of_session(before).is_none());
}

/// The properties hold as they do for sessions that begin with a transaction.
#[test]
fn every_invariant_holds_with_local_sessions_under_faults() {
    for seed in 1..=60 {
        let plan = Plan {
            servers: 1 + (seed % 5) as u8,
            observers: (seed % 3) as u8,
            ..Plan::of_seed(seed, 2000)
        };
        let mut setup = plan.setup();
        setup.local_sessions = true;
        let mut run = Run::of_setup(plan, &setup, Checker::all()).expect("a good setup");
        if let Err(violation) = run.run(&mut |_, _| {}) {
            panic!("{}", run.report(&violation));
        }
    }
}

/// A member of three that finds nobody.
fn lonely() -> Driven {
    let mut config = Config::new(ONE, Membership::simple(3, 0), Span::millis(500));
    config.read_only_mode = true;
    Driven::configured(config, &disk(3))
}

fn arrives(hand: &mut Driven, client: u64, read_only: bool) {
    hand.tell(InputKind::ClientConnect {
        client: ClientId(client),
        request: ConnectRequest {
            last_zxid_seen: at(1, 2),
            read_only,
            ..ConnectRequest::new_session(10_000)
        },
        auth: Arc::from([]),
    });
}

/// Lets time pass, with every timer.
fn pass(hand: &mut Driven, span: Span) {
    let until = hand.at + span;
    while let Some(wait) = hand.peer.deadline().filter(|wait| wait.at <= until) {
        hand.at = wait.at;
        hand.tell(InputKind::Timer);
    }
    hand.at = until;
}

#[test]
fn after_two_seconds_of_looking_a_server_answers_reads_of_those_who_allow_it() {
    let mut hand = lonely();
    pass(&mut hand, Span::millis(1999));
    arrives(&mut hand, 1, true);
    let refused = |hand: &Driven, why| {
        hand.says(|e| matches!(e, EventKind::ClientRefused { because, .. } if *because == why))
    };
    assert!(refused(&hand, RefuseReason::NotServing));
    assert_eq!(hand.peer.mode(), Mode::Looking);

    pass(&mut hand, Span::millis(1));
    assert_eq!(hand.peer.mode(), Mode::ReadOnly);
    assert!(hand.peer.answers() && !hand.peer.serving());
    arrives(&mut hand, 2, false);
    assert!(refused(&hand, RefuseReason::OnlyReads));
    arrives(&mut hand, 3, true);
    assert!(hand.out.effects.iter().any(|e| matches!(
        e,
        Effect::ClientConnected { response, .. } if response.read_only && response.timeout_ms > 0
    )));

    let mut ask = |xid, request| {
        hand.tell(InputKind::ClientRequest {
            client: ClientId(3),
            xid,
            request,
        });
        hand.out.effects.iter().find_map(|e| match e {
            Effect::ClientReply { reply, .. } => Some(reply.result.as_ref().err().copied()),
            _ => None,
        })
    };
    let path: Arc<str> = "/".into();
    let watch = false;
    assert_eq!(ask(1, Request::Exists { path, watch }), Some(None));
    let delete = Request::Write(Write::Delete {
        path: "/a".into(),
        version: -1,
    });
    assert_eq!(ask(2, delete), Some(Some(ErrorCode::NotReadOnly)));
}

#[test]
fn who_was_served_reads_is_let_go_when_a_leader_is_found() {
    let mut hand = lonely();
    pass(&mut hand, Span::millis(2000));
    arrives(&mut hand, 3, true);
    let elected = vote(1, at(1, 3));
    hand.vote_of(THREE, ServerState::Leading, elected);
    hand.vote_of(TWO, ServerState::Following, elected);
    assert!(hand.peer.learning().is_some(), "it follows");
    assert!(hand.out.effects.iter().any(|e| matches!(
        e,
        Effect::ClientClose {
            client: ClientId(3),
            ..
        }
    )));
    assert!(!hand.peer.answers());
    assert!(hand.peer.clients().is_empty());
}

#[test]
fn without_the_key_a_looking_server_serves_nobody() {
    let config = Config::new(ONE, Membership::simple(3, 0), Span::millis(500));
    let mut hand = Driven::configured(config, &Stored::fresh());
    pass(&mut hand, Span::millis(60_000));
    assert_eq!(hand.peer.mode(), Mode::Looking);
}
