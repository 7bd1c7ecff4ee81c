//! Memory is bounded: what one server keeps for another's word, and what is never proposed.

use std::sync::Arc;
use zabscope_core::{
    config::Config,
    id::{ClientId, ConnId, SessionId, Zxid},
    log::Stored,
    message::{ForwardedOp, ForwardedRequest, QuorumMessage, ServerState},
    peer::{
        event::{DropReason, EventKind},
        input::InputKind,
        output::{Effect, StorageOp},
    },
    request::{Create, CreateMode, CreateOp, ErrorCode, Reply, Request, Write},
    time::Span,
    tree::acl,
    txn::{Txn, TxnBody},
};
use zabscope_tests::driven::{Driven, at, disk, new_leader, txn};

const CLIENT: ClientId = ClientId(1);

/// A server alone with one client; what it stores is on disk when the test says so.
fn alone(change: impl FnOnce(&mut Config)) -> Driven {
    let mut config = Config::standalone(Span::millis(2000));
    change(&mut config);
    let mut server = Driven::configured(config, &Stored::fresh());
    server.proposes(CLIENT.0);
    server.durable();
    server
}

fn ask(server: &mut Driven, xid: i32, request: Request) {
    server.tell(InputKind::ClientRequest {
        client: CLIENT,
        xid,
        request,
    });
}

fn create(path: String, mode: CreateMode, bytes: usize) -> Request {
    Request::Write(Write::Create(Create {
        path: path.into(),
        data: Some(vec![0; bytes].into()),
        acl: acl::open(),
        mode,
        op: CreateOp::Create,
    }))
}

fn stored(server: &Driven) -> Vec<Arc<Txn>> {
    let appended = |e: &Effect| match e {
        Effect::Store {
            op: StorageOp::Append(txn),
            ..
        } => Some(Arc::clone(txn)),
        _ => None,
    };
    server.out.effects.iter().filter_map(appended).collect()
}

fn replies(server: &Driven) -> Vec<Reply> {
    let reply = |e: &Effect| match e {
        Effect::ClientReply { reply, .. } => Some(reply.clone()),
        _ => None,
    };
    server.out.effects.iter().filter_map(reply).collect()
}

#[test]
fn a_transaction_that_nobody_could_read_back_is_not_proposed() {
    let mut server = alone(|cfg| cfg.max_buffer = 2000);
    assert_eq!(server.peer.config().txn_limit(), 4000);
    ask(
        &mut server,
        1,
        create("/fits".into(), CreateMode::Persistent, 3800),
    );
    assert!(matches!(stored(&server)[0].body, TxnBody::Create(_)));
    ask(
        &mut server,
        2,
        create("/large".into(), CreateMode::Persistent, 4000),
    );
    assert_eq!(
        stored(&server)[0].body,
        TxnBody::Error(ErrorCode::MarshallingError)
    );
    server.durable();
    let results: Vec<_> = replies(&server)
        .into_iter()
        .map(|r| r.result.err())
        .collect();
    assert_eq!(results, [None, Some(ErrorCode::MarshallingError)]);
}

#[test]
fn extrasize_says_by_how_much_a_transaction_may_be_larger() {
    let refused = |extra: Option<usize>, size: usize| {
        let mut server = alone(|cfg| {
            cfg.max_buffer = 2000;
            cfg.max_buffer_extra = extra;
        });
        let request = create("/a".into(), CreateMode::Persistent, size);
        ask(&mut server, 1, request);
        matches!(stored(&server)[0].body, TxnBody::Error(_))
    };
    assert!(!refused(None, 3500));
    assert!(refused(Some(1024), 3500));
    assert!(
        refused(Some(0), 3500) && !refused(Some(0), 2800),
        "at least 1024"
    );
    assert!(!refused(Some(5000), 6500));
}

/// ZOOKEEPER-4306: the list of what goes would be larger than anybody reads.
#[test]
fn a_session_with_very_many_ephemerals_can_still_end() {
    let mut server = alone(|cfg| cfg.max_buffer = 2000);
    for n in 0..200 {
        ask(
            &mut server,
            n,
            create(format!("/{n:060}"), CreateMode::Ephemeral, 0),
        );
    }
    server.durable();
    assert_eq!(server.peer.database().tree.ephemeral_count(), 200);
    ask(&mut server, 201, Request::CloseSession);
    let txn = Arc::clone(&stored(&server)[0]);
    assert!(txn.approximate_bytes() <= server.peer.config().txn_limit());
    assert_eq!(txn.body, TxnBody::CloseSession { paths: Vec::new() });
    server.durable();
    assert_eq!(server.peer.database().tree.ephemeral_count(), 0);
    assert!(server.peer.database().sessions.is_empty());
    assert_eq!(txn.digest, Some(server.peer.database().digest()));
    assert_eq!(replies(&server).len(), 1);
}

#[test]
fn a_server_says_when_its_clients_wait_for_too_much() {
    let mut server = alone(|cfg| cfg.global_outstanding_limit = 10);
    for n in 0..10 {
        ask(
            &mut server,
            n,
            create(format!("/{n}"), CreateMode::Persistent, 0),
        );
    }
    assert!(!server.peer.is_overloaded());
    let path: Arc<str> = "/0".into();
    ask(&mut server, 10, Request::GetData { path, watch: false });
    assert_eq!(
        server.peer.outstanding(),
        11,
        "a read behind a write waits too"
    );
    assert!(server.peer.is_overloaded());
    server.durable();
    assert_eq!(replies(&server).len(), 11);
    assert_eq!(server.peer.outstanding(), 0);
    ask(
        &mut server,
        11,
        create("/x".into(), CreateMode::Persistent, 0),
    );
    server.tell(InputKind::ClientGone { client: CLIENT });
    assert_eq!(server.peer.outstanding(), 0, "nobody waits any more");
}

#[test]
fn members_share_the_limit_of_requests_that_wait() {
    let limit = |voters| {
        use zabscope_core::{config::Membership, id::ServerId};
        let membership = Membership::simple(voters, 1);
        Config::new(ServerId(1), membership, Span::millis(1)).outstanding_limit()
    };
    assert_eq!([1, 2, 3, 5].map(limit), [1000, 1000, 500, 250]);
}

/// The leader proposes without end and commits nothing.
#[test]
fn a_learner_keeps_no_more_than_its_limit_of_what_a_bad_leader_sends() {
    let bytes = txn(at(1, 1)).approximate_bytes();
    let keep_ten = |cfg: &mut Config| cfg.backlog_limit = 10 * bytes;
    let gives_up = |follower: &mut Driven| {
        (4..30).position(|n| {
            follower.packet(9, QuorumMessage::Proposal(txn(at(1, n))));
            follower.says(|e| matches!(e, EventKind::LinkDropped { .. }))
        })
    };
    // While it is synchronised.
    let mut follower = Driven::follower_with(&disk(3), 2, keep_ten);
    follower.packet(9, QuorumMessage::Diff { zxid: at(1, 3) });
    assert_eq!(gives_up(&mut follower), Some(10));
    assert_eq!(follower.peer.state(), ServerState::Looking);
    // While its log is cut: the connection goes, the role when the disk has answered.
    let mut follower = Driven::follower_with(&disk(3), 2, keep_ten);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 3) });
    assert_eq!(gives_up(&mut follower), Some(10));
    assert_eq!(follower.peer.state(), ServerState::Following);
    follower.tell(InputKind::Truncated(Box::new(disk(3))));
    assert_eq!(follower.peer.state(), ServerState::Looking);
    // While it serves.
    let mut follower = Driven::follower_with(&disk(3), 2, keep_ten);
    follower.packet(9, QuorumMessage::Diff { zxid: at(1, 3) });
    follower.packet(9, new_leader(at(2, 0)));
    follower.packet(9, QuorumMessage::UpToDate);
    assert!(follower.peer.serving());
    let stops = (1..30).position(|n| {
        follower.packet(9, QuorumMessage::Proposal(txn(at(2, n))));
        !follower.peer.serving()
    });
    assert_eq!(stops, Some(11));
}

#[test]
fn a_second_tree_while_the_log_is_cut_is_refused() {
    let mut follower = Driven::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    let snapshot = Arc::new(zabscope_core::tree::Database::new());
    follower.packet(
        9,
        QuorumMessage::Snap {
            zxid: Zxid(5),
            snapshot,
        },
    );
    let closed = |e: &Effect| {
        matches!(
            e,
            Effect::Close {
                conn: ConnId(9),
                ..
            }
        )
    };
    assert!(follower.out.effects.iter().any(closed));
}

/// Requests without end while no quorum answers.
#[test]
fn a_leader_gives_up_a_learner_that_asks_without_end() {
    let mut leader = Driven::leader_with(|cfg| cfg.backlog_limit = 1000);
    let dropped = (1..100).position(|cxid| {
        leader.packet(
            11,
            QuorumMessage::Request(ForwardedRequest {
                session: SessionId(5),
                cxid,
                op: ForwardedOp::Write(Write::CreateSession { timeout_ms: 4000 }),
                auth: Arc::from([]),
            }),
        );
        leader.says(|e| {
            matches!(
                e,
                EventKind::LinkDropped {
                    because: DropReason::TooMuchWaits,
                    ..
                }
            )
        })
    });
    assert!(dropped.is_some_and(|n| n > 10), "{dropped:?}");
    assert_eq!(leader.peer.state(), ServerState::Leading, "it still leads");
}
