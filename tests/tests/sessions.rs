//! Sessions (ZooKeeper.md 1.4).

use std::sync::Arc;
use zabscope_core::{
    bus::Message,
    message::{Ack, QuorumMessage},
    peer::{
        input::{Input, InputKind},
        output::{Effect, Output},
    },
    request::{ConnectRequest, ConnectResponse},
    session,
    time::Now,
    txn::{Txn, TxnBody, TxnHeader},
};
use zabscope_tests::prelude::*;

/// Three servers, led by 3.
fn three() -> Scenario {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s
}

/// The connection of a client that has its session.
fn connection(s: &Scenario, name: &str) -> ClientId {
    match s.see(name).state {
        ClientState::Connected { conn, .. } => conn,
        other => s.fail(&format!("client {name} is connected; it is {other:?}")),
    }
}

fn kind_of_last(s: &Scenario, id: i64) -> TxnBody {
    s.txns(id).pop().expect("it has one").body.clone()
}

/// A client connects to a follower.
#[test]
fn a_session_begins_by_a_transaction_and_the_client_is_answered_after_it() {
    let mut s = three();
    s.from_here().client("A").at(1).connected();
    s.in_order(&[
        event!(1, SessionProposed),
        event!(
            3,
            Proposed {
                txn: TxnKind::CreateSession,
                ..
            }
        ),
        event!(3, Committed),
        event!(
            1,
            Applied {
                txn: TxnKind::CreateSession,
                ..
            }
        ),
        event!(1, SessionAttached { moved: false, .. }),
        world!(ClientConnected { resumed: false, .. }),
    ]);
    s.settle().agree();
    let session = s.session("A");
    assert!((1..=3).all(|id| s.server(id).database().sessions.contains_key(&session)));
    // The top byte is the server that made it.
    assert_eq!(session.0 >> 56, 1);
}

/// Clients that wish too much and too little.
#[test]
fn a_time_out_is_clamped_to_2_and_20_ticks() {
    let mut s = three();
    s.client("A").at_with(1, 300).connected();
    s.client("B").at_with(1, 3_600_000).connected();
    assert_eq!(s.see("A").timeout_ms, 4000);
    assert_eq!(s.see("B").timeout_ms, 40_000);
}

/// A client that only pings, at a follower, for ten minutes.
#[test]
fn heartbeats_through_a_learner_keep_a_session_alive() {
    let mut s = three();
    s.client("A").at_with(1, 6000).connected();
    s.for_ms(600_000);
    s.never(event!(any, SessionExpired))
        .happened(event!(3, SessionTouched));
    assert_eq!(s.server_of("A"), Some(1));
}

/// The client's machine stops.
#[test]
fn a_session_expires_by_a_transaction_of_the_leader_that_takes_its_ephemerals_along() {
    let mut s = three();
    s.client("A").at_with(1, 10_000).ephemeral("/e").ok();
    s.settle();
    assert_eq!(s.who_has("/e"), [1, 2, 3]);
    s.from_here().client("A").pause();
    s.until(event!(
        3,
        SessionExpired {
            timeout_ms: 10_000,
            ..
        }
    ));
    s.settle().agree();
    s.in_order(&[
        event!(3, SessionExpired),
        event!(
            3,
            Proposed {
                txn: TxnKind::CloseSession,
                ..
            }
        ),
        event!(3, Committed),
        event!(1, SessionEnded { ephemerals: 1, .. }),
    ]);
    let ended = TxnBody::CloseSession {
        paths: vec![Arc::from("/e")],
    };
    assert_eq!(kind_of_last(&s, 2), ended);
    assert!(s.who_has("/e").is_empty());
    // It learns of it when it comes back.
    s.client("A").resume();
    s.until(world!(ClientExpired));
    assert_eq!(s.see("A").state, ClientState::Expired);
}

/// Server 1 is four seconds behind.
#[test]
fn ephemerals_go_on_each_server_when_it_applies_the_end_of_their_session() {
    let mut s = three();
    s.client("A").at(2).ephemeral("/e").ok();
    s.settle();
    s.slow_link(1, 3, 4000).client("A").close().ok();
    assert!(!s.has(2, "/e") && !s.has(3, "/e"));
    assert!(s.has(1, "/e"));
    s.settle().agree();
    assert!(!s.has(1, "/e"));
}

/// Three of five servers are off for a minute; a client with a time-out of ten seconds is silent
/// all the time.
#[test]
fn no_session_expires_without_a_leader_and_all_get_their_time_again() {
    let mut s = Scenario::voters(5).start();
    s.settle();
    s.client("A").at_with(1, 10_000).ephemeral("/e").ok();
    s.settle();
    s.client("A").pause();
    s.crash(5).crash(4).crash(3);
    s.for_ms(60_000);
    s.restart(3).restart(4).restart(5);
    s.until_leader();
    let established = s.world().now();
    assert!(
        s.server(1)
            .database()
            .sessions
            .contains_key(&s.session("A"))
    );
    s.until(event!(any, SessionExpired));
    let waited = (s.world().now() - established).as_millis();
    assert!((10_000..=14_000).contains(&waited), "{waited}");
}

/// The leader dies; a client at a follower goes on.
#[test]
fn a_session_survives_an_election() {
    let mut s = three();
    s.client("A").at_with(1, 10_000).ephemeral("/e").ok();
    let session = s.session("A");
    s.crash(3).until_another_leader(3);
    s.client("A").connected().set("/e", "1").ok();
    assert_eq!(s.session("A"), session);
    s.restart(3).settle().agree();
    assert_eq!(s.who_has("/e"), [1, 2, 3]);
    s.never(event!(any, SessionExpired));
}

/// All servers lose their power, and come back.
#[test]
fn sessions_are_part_of_what_is_on_disk() {
    let mut s = three();
    s.client("A").at(1).ephemeral("/e").ok();
    let session = s.session("A");
    s.settle();
    for id in 1..=3 {
        s.crash(id);
    }
    for id in 1..=3 {
        s.restart(id);
    }
    s.settle();
    s.client("A").connected().set("/e", "1").ok();
    assert_eq!(s.session("A"), session);
}

/// The client's server dies.
#[test]
fn a_client_takes_its_session_and_its_ephemerals_to_another_server() {
    let mut s = three();
    s.client("A").at(1).ephemeral("/e").ok();
    let session = s.session("A");
    s.from_here().crash(1);
    s.client("A").reconnected();
    assert_eq!(s.session("A"), session);
    assert_ne!(s.server_of("A"), Some(1));
    s.happened(event!(3, SessionValidated { valid: true, .. }));
    s.client("A").set("/e", "1").ok();
}

/// Client A says good-bye.
#[test]
fn closing_a_session_is_answered_and_then_the_connection_ends() {
    let mut s = three();
    s.client("A").at(1).ephemeral("/e").ok();
    s.from_here().client("A").close().ok();
    s.settle().agree();
    s.in_order(&[
        event!(
            1,
            Applied {
                txn: TxnKind::CloseSession,
                ..
            }
        ),
        event!(
            1,
            WriteAnswered {
                op: OpKind::CloseSession,
                ..
            }
        ),
        event!(
            1,
            ClientRefused {
                because: RefuseReason::SessionClosed,
                ..
            }
        ),
    ]);
    assert_eq!(s.see("A").state, ClientState::Closed);
    assert!(s.who_has("/e").is_empty());
}

fn connect(s: &Scenario, name: &str, password: [u8; 16]) -> InputKind {
    InputKind::ClientConnect {
        client: ClientId(9999),
        request: ConnectRequest {
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 30_000,
            session: s.session(name),
            password,
            read_only: false,
        },
        auth: Arc::from([]),
    }
}

/// What is said and done to a connection.
fn to_client(out: &Output, conn: ClientId) -> Vec<&Effect> {
    out.effects
        .iter()
        .filter(|e| {
            matches!(e,
                Effect::ClientConnected { client, .. }
                | Effect::ClientReply { client, .. }
                | Effect::ClientWatch { client, .. }
                | Effect::ClientClose { client, .. } if *client == conn)
        })
        .collect()
}

/// Somebody knows the id of A's session and not its password.
#[test]
fn a_wrong_password_is_refused_and_the_owner_is_not_disturbed() {
    let mut s = three();
    s.client("A").at(3).connected();
    let mut password = session::password(s.session("A"));
    password[7] ^= 1;
    let (_, out) = s.what_if(3, connect(&s, "A", password));
    assert!(matches!(
        to_client(&out, ClientId(9999))[..],
        [
            Effect::ClientConnected {
                response: ConnectResponse::EXPIRED,
                ..
            },
            Effect::ClientClose { .. }
        ]
    ));
    assert!(to_client(&out, connection(&s, "A")).is_empty());
    assert!(out.events.iter().any(|e| matches!(
        e.kind,
        EventKind::ClientRefused {
            because: RefuseReason::WrongPassword,
            ..
        }
    )));
}

/// A second connection to the same server, with the right password.
#[test]
fn whoever_has_the_password_takes_the_session_over() {
    let mut s = three();
    s.client("A").at(3).connected();
    let password = session::password(s.session("A"));
    let (_, out) = s.what_if(3, connect(&s, "A", password));
    assert!(matches!(
        to_client(&out, ClientId(9999))[..],
        [Effect::ClientConnected {
            response: ConnectResponse {
                timeout_ms: 30_000,
                ..
            },
            ..
        }]
    ));
    assert!(matches!(
        to_client(&out, connection(&s, "A"))[..],
        [Effect::ClientClose { .. }]
    ));
}

/// A session that nobody ever had, with the password that belongs to it.
#[test]
fn a_session_that_does_not_exist_is_expired() {
    let mut s = three();
    s.client("A").at(1).ephemeral("/e").ok();
    s.client("A").close().ok();
    s.settle();
    let password = session::password(s.session("A"));
    let (_, out) = s.what_if(3, connect(&s, "A", password));
    assert!(matches!(
        to_client(&out, ClientId(9999))[..],
        [
            Effect::ClientConnected {
                response: ConnectResponse::EXPIRED,
                ..
            },
            Effect::ClientClose { .. }
        ]
    ));
}

/// Server 1 stands still with a write of A in its hands; A goes to server 2.
#[test]
fn a_write_through_a_server_that_the_session_has_left_is_refused() {
    let mut s = three();
    s.client("A").at(1).create("/a", "0").ok();
    s.pause(1).client("A").set("/a", "old way");
    s.for_ms(50).client("A").at(2).connected();
    s.from_here().resume(1);
    s.until(event!(
        3,
        RequestRefused {
            error: ErrorCode::SessionMoved,
            ..
        }
    ));
    s.settle().agree();
    assert_eq!(kind_of_last(&s, 1), TxnBody::Error(ErrorCode::SessionMoved));
    assert_eq!(s.data(3, "/a").unwrap(), "0");
    assert_eq!(s.server_of("A"), Some(2));
    s.client("A").set("/a", "new way").ok();
}

/// The same, seen from server 1, which still has the old connection when the transaction comes.
#[test]
fn session_moved_closes_the_old_connection_without_an_answer() {
    let mut s = three();
    s.client("A").at(1).create("/a", "0").ok();
    s.settle();
    let old = connection(&s, "A");
    let ask = InputKind::ClientRequest {
        client: old,
        xid: 77,
        request: Request::Write(write::set("/a", "1")),
    };
    let (mut server, out) = s.what_if(1, ask);
    let link = out.effects.iter().find_map(|e| match e {
        Effect::Send {
            message: Message::Quorum(conn, QuorumMessage::Request(_)),
            ..
        } => Some(*conn),
        _ => None,
    });
    let link = link.unwrap();
    let txn = Arc::new(Txn {
        header: TxnHeader {
            session: s.session("A"),
            cxid: 77,
            zxid: zx(1, 3),
            time_ms: 0,
        },
        body: TxnBody::Error(ErrorCode::SessionMoved),
        digest: None,
    });
    let mut seen = Vec::new();
    let mut out = Output::default();
    let now = Now {
        at: s.world().now(),
        wall_ms: 0,
    };
    let mut hand = |kind| {
        server.handle(now, Input { kind, cause: None }, &mut out);
        seen.extend(to_client(&out, old).into_iter().cloned());
        server.last_storage()
    };
    let written = hand(InputKind::Quorum(link, QuorumMessage::Proposal(txn)));
    hand(InputKind::Durable(written));
    hand(InputKind::Quorum(
        link,
        QuorumMessage::Commit { zxid: zx(1, 3) },
    ));
    assert!(matches!(seen[..], [Effect::ClientClose { .. }]), "{seen:?}");
    let _ = Ack::received(zx(1, 3));
}

/// leaderServes=no.
#[test]
fn a_leader_that_does_not_serve_refuses_clients_and_followers_take_them() {
    let mut s = Scenario::voters(3)
        .with(|setup| setup.leader_serves = false)
        .start();
    s.settle();
    s.client("A").at(3).connected();
    s.happened(event!(
        3,
        ClientRefused {
            because: RefuseReason::LeaderDoesNotServe,
            ..
        }
    ));
    assert_ne!(s.server_of("A"), Some(3));
    s.client("A").create("/a", "x").ok();
}

/// A client calls a server that has no leader.
#[test]
fn a_server_without_a_leader_serves_nobody() {
    let mut s = Scenario::voters(3).down(&[2, 3]).start();
    s.client("A").at(1);
    s.until(event!(
        1,
        ClientRefused {
            because: RefuseReason::NotServing,
            ..
        }
    ));
    s.for_ms(20_000);
    assert_eq!(s.server_of("A"), None);
    s.restart(2);
    s.client("A").connected();
}

/// A server loses its leader with a client at it.
#[test]
fn a_server_that_loses_its_leader_sends_its_clients_away() {
    let mut s = three();
    s.client("A").at(1).connected();
    s.from_here().isolate(1);
    s.until(event!(
        1,
        ClientRefused {
            because: RefuseReason::ServerStopsServing,
            ..
        }
    ));
    s.client("A").reconnected();
    assert_ne!(s.server_of("A"), Some(1));
}

/// A child of an ephemeral znode.
#[test]
fn an_ephemeral_has_no_children() {
    let mut s = three();
    s.client("A")
        .at(1)
        .ephemeral("/e")
        .create("/e/x", "")
        .fails(ErrorCode::NoChildrenForEphemerals);
}

/// A session ends on a server that was down, with its ephemerals in the snapshot it gets.
#[test]
fn a_server_that_was_away_does_not_bring_ephemerals_back() {
    let mut s = three();
    s.client("A").at(2).ephemeral("/e").ok();
    s.settle();
    s.crash(1);
    s.client("A").close().ok();
    s.restart(1).settle().agree();
    assert!(s.who_has("/e").is_empty());
    assert!(s.server(1).database().sessions.is_empty());
}
