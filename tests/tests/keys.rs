//! What keys of zoo.cfg change in the protocol, one server at a time.

use zabscope_core::{
    bus::Message,
    config::{Config, Membership},
    id::{ClientId, ConnId, Epoch, ServerId, Zxid},
    log::Stored,
    message::{Ack, QuorumMessage, ServerState},
    peer::{
        Mode, WaitReason,
        event::{DropReason, ElectionReason, EventKind},
        input::InputKind,
        output::{Effect, StorageOp},
    },
    time::{Moment, Span},
};
use zabscope_tests::driven::{Driven, ONE, THREE, TWO, at, new_leader, txn, vote};

const FOUR: ServerId = ServerId(4);
const FIVE: ServerId = ServerId(5);
const TICK: Span = Span::millis(2000);

/// Whether a snapshot is sent, and whether DIFF.
fn sent(server: &Driven) -> (bool, bool) {
    let snap = |m: &QuorumMessage| matches!(m, QuorumMessage::Snap { .. });
    let diff = |m: &QuorumMessage| matches!(m, QuorumMessage::Diff { .. });
    (server.sends().any(snap), server.sends().any(diff))
}

#[test]
fn force_snapshot_sync_sends_a_snapshot_to_who_needs_nothing() {
    for forced in [true, false] {
        let mut leader = Driven::leader_with(|cfg| cfg.joining.force_snapshot = forced);
        leader.joins(ONE, 12, at(1, 0), Some(Epoch(1)));
        assert_eq!(sent(&leader), (forced, !forced));
    }
}

/// An observer connects and accepts the epoch.
fn observes(leader: &mut Driven, id: ServerId, conn: u64) {
    leader.tell(InputKind::Accepted {
        from: id,
        conn: ConnId(conn),
    });
    let info = QuorumMessage::LearnerInfo {
        accepted_epoch: Epoch(1),
        observer: true,
        config_version: Zxid::ZERO,
    };
    leader.packet(conn, info);
    let ack = QuorumMessage::AckEpoch {
        last_zxid: at(1, 0),
        current_epoch: Some(Epoch(1)),
    };
    leader.packet(conn, ack);
}

fn is_full(leader: &Driven) -> bool {
    leader.says(|e| {
        matches!(
            e,
            EventKind::LinkDropped {
                because: DropReason::TooManySyncs,
                ..
            }
        )
    })
}

#[test]
fn while_as_many_are_synced_as_may_be_an_observer_is_sent_away_and_a_follower_is_not() {
    for snap in [true, false] {
        let mut leader = Driven::leader_with(|cfg| {
            cfg.joining.force_snapshot = snap;
            match snap {
                true => cfg.joining.snap_syncs = 1,
                false => cfg.joining.diff_syncs = 1,
            }
        });
        observes(&mut leader, FOUR, 41);
        assert_eq!(sent(&leader), (snap, !snap));
        observes(&mut leader, FIVE, 51);
        assert!(is_full(&leader));
        assert_eq!(sent(&leader), (false, false));
        let closes = |e: &Effect| {
            matches!(
                e,
                Effect::Close {
                    conn: ConnId(51),
                    ..
                }
            )
        };
        assert!(leader.out.effects.iter().any(closes));
        leader.joins(ONE, 12, at(1, 0), Some(Epoch(1)));
        assert_eq!(sent(&leader), (snap, !snap), "a voter is waited for");

        // Both have it: there is room again.
        leader.packet(41, QuorumMessage::Ack(Ack::received(at(1, 0))));
        leader.packet(12, QuorumMessage::Ack(Ack::received(at(1, 0))));
        observes(&mut leader, FIVE, 52);
        assert!(!is_full(&leader));
        assert_eq!(sent(&leader), (snap, !snap));
    }
}

/// Server 3, which 1 has elected and nobody follows.
fn elected(patience: Option<Span>) -> Driven {
    let mut config = Config::new(THREE, Membership::simple(3, 0), TICK);
    config.joining.epoch_patience = patience;
    let mut server = Driven::configured(config, &Stored::fresh());
    server.vote_of(ONE, ServerState::Looking, vote(0, Zxid::ZERO));
    server.at = server.at + Span::millis(300);
    server.tell(InputKind::Timer);
    assert!(server.peer.leading().is_some(), "elected");
    server
}

#[test]
fn a_leader_that_waits_too_long_gives_up_when_its_voter_looks_again() {
    let looks = |server: &mut Driven, who| {
        server.vote_of(who, ServerState::Looking, vote(0, Zxid::ZERO));
    };
    let mut server = elected(Some(Span::millis(1000)));
    server.at = server.at + Span::millis(900);
    looks(&mut server, ONE);
    assert!(server.peer.leading().is_some(), "it may still come");
    server.at = server.at + Span::millis(200);
    looks(&mut server, TWO);
    assert!(server.peer.leading().is_some(), "it has elected nobody");
    looks(&mut server, ONE);
    assert!(server.says(|e| matches!(
        e,
        EventKind::SteppedDown {
            because: ElectionReason::VoterLooksAgain { voter: ONE, waited },
            ..
        } if *waited == Span::millis(1100)
    )));
    let mut server = elected(None);
    server.at = server.at + Span::millis(19_000);
    looks(&mut server, ONE);
    assert!(server.peer.leading().is_some(), "initLimit is not over");
}

/// Server 1, just after the election of 3.
fn learner(change: impl FnOnce(&mut Config)) -> Driven {
    let mut config = Config::new(ONE, Membership::simple(3, 0), TICK);
    change(&mut config);
    let mut server = Driven::configured(config, &Stored::fresh());
    server.vote_of(THREE, ServerState::Leading, vote(0, Zxid::ZERO));
    server.vote_of(TWO, ServerState::Following, vote(0, Zxid::ZERO));
    assert!(server.peer.learning().is_some(), "it follows");
    server
}

fn waits(server: &Driven) -> (Span, WaitReason) {
    let wait = server.peer.deadline().expect("it waits for something");
    (wait.at - server.at, wait.reason)
}

#[test]
fn leader_connect_delay_during_retry_is_the_pause_between_two_attempts() {
    for ms in [100, 700] {
        let mut server = learner(|cfg| cfg.joining.connect_retry = Span::millis(ms));
        server.tell(InputKind::ConnectFailed { to: THREE });
        assert_eq!(waits(&server), (Span::millis(ms), WaitReason::RetryConnect));
    }
}

#[test]
fn connect_to_learner_master_limit_goes_before_init_limit() {
    let unreachable = |server: &Driven| {
        server.says(|e| {
            matches!(
                e,
                EventKind::SteppedDown {
                    because: ElectionReason::LeaderUnreachable { .. },
                    ..
                }
            )
        })
    };
    for (limit, ticks) in [(None, 10), (Some(2), 2)] {
        let mut server = learner(|cfg| cfg.joining.connect_limit = limit);
        assert_eq!(waits(&server).0, TICK.times(ticks));
        server.at = server.at + TICK.times(3);
        server.tell(InputKind::ConnectFailed { to: THREE });
        assert_eq!(unreachable(&server), limit.is_some());
    }
}

/// Observer 4, just after it has heard that 3 leads.
fn observer(change: impl FnOnce(&mut Config)) -> Driven {
    let mut config = Config::new(FOUR, Membership::simple(3, 1), TICK);
    change(&mut config);
    let mut server = Driven::configured(config, &Stored::fresh());
    server.vote_of(THREE, ServerState::Leading, vote(0, Zxid::ZERO));
    server.vote_of(TWO, ServerState::Following, vote(0, Zxid::ZERO));
    assert_eq!(server.peer.state(), ServerState::Observing);
    server
}

/// The same, when it serves.
fn serving(change: impl FnOnce(&mut Config)) -> (Driven, Vec<Effect>) {
    let mut server = observer(change);
    let mut effects = Vec::new();
    let connected = InputKind::Connected {
        to: THREE,
        conn: ConnId(9),
    };
    server.tell(connected);
    for message in [
        QuorumMessage::LeaderInfo { epoch: Epoch(1) },
        QuorumMessage::Diff { zxid: at(1, 2) },
        QuorumMessage::Proposal(txn(at(1, 1))),
        QuorumMessage::Commit { zxid: at(1, 1) },
        QuorumMessage::Proposal(txn(at(1, 2))),
        QuorumMessage::Commit { zxid: at(1, 2) },
        new_leader(at(1, 0)),
        QuorumMessage::UpToDate,
    ] {
        server.packet(9, message);
        effects.append(&mut server.out.effects);
        server.durable();
    }
    assert!(server.peer.serving());
    (server, effects)
}

fn looks(server: &Driven) -> bool {
    server.says(|e| matches!(e, EventKind::ElectionStarted { .. }))
}

#[test]
fn an_observer_that_lost_its_leader_rests_before_it_looks_for_another() {
    let rest = Span::millis(200);
    let (mut server, _) = serving(|cfg| cfg.joining.observer_rest = rest);
    let lost = InputKind::Closed { conn: ConnId(9) };
    server.tell(lost.clone());
    assert!(server.says(|e| matches!(e, EventKind::SteppedDown { .. })));
    assert!(!looks(&server));
    assert!(!server.peer.serving());
    assert_eq!(server.peer.mode(), Mode::Looking);
    assert_eq!(server.peer.leader(), None);
    let (wait, reason) = waits(&server);
    assert!(
        wait < rest && reason == WaitReason::ObserverRest,
        "{wait:?}"
    );
    server.vote_of(TWO, ServerState::Looking, vote(1, at(1, 2)));
    let speaks = |e: &Effect| {
        matches!(
            e,
            Effect::Send {
                message: Message::Election(_),
                ..
            }
        )
    };
    assert!(!server.out.effects.iter().any(speaks), "it knows nothing");
    server.at = server.at + wait;
    server.tell(InputKind::Timer);
    assert!(looks(&server));
    let again = |e: &EventKind| matches!(e, EventKind::SteppedDown { .. });
    assert!(!server.says(again), "once");

    let (mut server, _) = serving(|_| {});
    server.tell(lost.clone());
    assert!(looks(&server), "without a delay at once");
    let mut follower = Driven::follower_with(&Stored::fresh(), 1, |cfg| {
        cfg.joining.observer_rest = rest;
    });
    follower.tell(lost);
    assert!(looks(&follower), "a voter is needed");
}

#[test]
fn observers_do_not_all_rest_for_the_same_time() {
    let rests = |after: u64| {
        let (mut server, _) = serving(|cfg| cfg.joining.observer_rest = TICK);
        server.at = Moment(server.at.0 + after);
        server.tell(InputKind::Closed { conn: ConnId(9) });
        waits(&server).0
    };
    let mut all: Vec<Span> = (1..=50).map(rests).collect();
    all.sort_unstable();
    all.dedup();
    assert!(all.len() > 40, "{all:?}");
    let half = Span(TICK.0 / 2);
    let early = all.iter().filter(|wait| **wait < half).count();
    assert!((10..40).contains(&early), "{all:?}");
}

#[test]
fn an_observer_waits_before_it_calls_a_leader() {
    let calls = |server: &Driven| {
        let call = |e: &Effect| matches!(e, Effect::Connect { to: THREE, .. });
        server.out.effects.iter().any(call)
    };
    assert!(calls(&observer(|_| {})), "without a delay at once");
    let delay = Span::millis(5000);
    let wait_all = |cfg: &mut Config| cfg.joining.observer_reconnect = delay;
    assert!(calls(&learner(wait_all)), "a voter is needed");
    let mut server = observer(wait_all);
    assert!(!calls(&server));
    let (wait, reason) = waits(&server);
    assert!(
        wait < delay && reason == WaitReason::RetryConnect,
        "{wait:?}"
    );
    server.at = server.at + wait;
    server.tell(InputKind::Timer);
    assert!(calls(&server));
    assert_eq!(server.peer.learning().map(|l| l.attempt()), Some(1));
}

fn writes(effects: &[Effect]) -> usize {
    let write = |e: &&Effect| {
        matches!(
            e,
            Effect::Store {
                op: StorageOp::Append(_) | StorageOp::CurrentEpoch(_) | StorageOp::Snapshot(_),
                ..
            }
        )
    };
    effects.iter().filter(write).count()
}

#[test]
fn an_observer_without_a_log_applies_what_it_is_told_and_writes_nothing() {
    for logs in [true, false] {
        let (mut server, effects) = serving(|cfg| cfg.joining.observer_logs = logs);
        assert_eq!(writes(&effects) > 0, logs, "while it joins");
        assert_eq!(server.peer.last_applied(), at(1, 2));
        server.packet(9, QuorumMessage::Inform(txn(at(1, 3))));
        assert_eq!(writes(&server.out.effects) > 0, logs, "while it serves");
        server.durable();
        assert_eq!(server.peer.last_applied(), at(1, 3));
        assert_eq!(server.peer.last_zxid(), at(1, 3), "it goes on from there");
    }
}

#[test]
fn a_snapshot_is_taken_when_the_log_has_grown_by_so_much() {
    let snapshots = |limit: Option<u64>| {
        let mut config = Config::standalone(TICK);
        config.snap_size_limit = limit;
        let mut server = Driven::configured(config, &Stored::fresh());
        server.durable();
        let mut taken = Vec::new();
        for client in 1..=40 {
            server.proposes(client);
            server.durable();
            if server.says(|e| matches!(e, EventKind::SnapshotTaken { .. })) {
                taken.push(client);
            }
            server.tell(InputKind::ClientGone {
                client: ClientId(client),
            });
        }
        taken
    };
    let one = txn(at(1, 1)).approximate_bytes() as u64;
    let taken = snapshots(Some(10 * one));
    assert!(taken.len() >= 3, "{taken:?}");
    assert!(taken[0] >= 4, "after half of it at the earliest: {taken:?}");
    assert_eq!(snapshots(None), Vec::<u64>::new());
    assert_eq!(snapshots(Some(4 << 30)), Vec::<u64>::new());
}
