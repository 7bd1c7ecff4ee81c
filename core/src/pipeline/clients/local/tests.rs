//! Local sessions and a server that only reads (ZooKeeper.md 1.4, 1.13).

use super::super::{tests::*, *};
use crate::{
    id::ServerId,
    request::{Create, CreateMode, CreateOp},
};

fn local(upgrading: bool) -> Config {
    let membership = crate::config::Membership::simple(1, 0);
    let mut cfg = Config::new(ServerId(1), membership, Span::millis(2000));
    cfg.local_sessions = true;
    cfg.local_sessions_upgrading = upgrading;
    cfg
}

fn create(path: &str, mode: CreateMode) -> Request {
    Request::Write(Write::Create(Create {
        path: path.into(),
        data: None,
        acl: Arc::from([crate::tree::testing::entry(31, "world", "anyone")]),
        mode,
        op: CreateOp::Create,
    }))
}

#[test]
fn a_local_session_begins_without_a_transaction_and_ends_without_one() {
    let mut town = Town::of(local(true));
    assert_eq!(town.clients.local_sessions(), 1);
    assert!(town.db.sessions.is_empty());
    assert!(town.ask(1, Request::CloseSession).is_none());
    assert_eq!(town.heard(), [Some((1, 0, None)), None]);
    assert_eq!(town.clients.local_sessions(), 0);
}

#[test]
fn its_first_ephemeral_makes_a_local_session_global_ahead_of_the_create() {
    let mut town = Town::of(local(true));
    let asked = town.ask_all(5, create("/e", CreateMode::Ephemeral));
    let [Some(upgrade), Some(wish)] = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((upgrade.cxid, wish.cxid), (0, 5));
    assert_eq!(town.clients.local_sessions(), 0);
    town.decide(&upgrade);
    assert!(town.db.sessions.contains_key(&wish.session));
    assert_eq!(town.heard(), [], "nobody asked for that");
    town.decide(&wish);
    assert_eq!(town.heard(), [Some((5, 2, None))]);
    assert_eq!(town.db.tree.ephemerals(wish.session).count(), 1);
    let [again, Some(_)] = town.ask_all(6, create("/f", CreateMode::Ephemeral)) else {
        panic!("the second goes to the leader too")
    };
    assert!(again.is_none(), "once is enough");
}

#[test]
fn a_local_session_that_may_not_be_upgraded_gets_no_ephemeral_in_its_turn() {
    let mut town = Town::of(local(false));
    let wish = town
        .ask(1, create("/p", CreateMode::Persistent))
        .expect("asked");
    assert!(town.ask(2, create("/e", CreateMode::Ephemeral)).is_none());
    assert_eq!(town.heard(), [], "a write is before it");
    town.decide(&wish);
    let refused = Some(ErrorCode::EphemeralOnLocalSession);
    assert_eq!(town.heard(), [Some((1, 1, None)), Some((2, 1, refused))]);
}

#[test]
fn a_local_session_expires_where_it_lives() {
    let mut town = Town::of(local(true));
    let at = town.clients.local_deadline().expect("a time-out");
    town.clients.expire_local(Moment(at.0 - 1), &mut town.out);
    assert_eq!(town.heard(), []);
    town.clients.expire_local(at, &mut town.out);
    assert_eq!(town.heard(), [None]);
    assert_eq!(town.clients.local_deadline(), None);
}

#[test]
fn a_local_session_outlives_its_connection_here_but_not_the_service() {
    let mut town = Town::of(local(true));
    let session = town.clients.connection(CLIENT).expect("attached").session();
    town.clients.gone(CLIENT);
    assert!(matches!(
        town.arrive(ClientId(2), session, false),
        Connect::Answered
    ));
    let attached = town.clients.connection(ClientId(2)).map(Connection::attach);
    assert_eq!(attached, Some(Attach::Attached));
    town.clients.end_all(&mut town.out);
    // The leader knows nothing of it.
    let asked = town.arrive(ClientId(3), session, false);
    assert!(matches!(asked, Connect::Validate { .. }), "{asked:?}");
}

#[test]
fn a_server_that_only_reads_refuses_writes_and_sync_in_their_turn() {
    let mut town = Town::of(local(true));
    town.clients.end_all(&mut town.out);
    town.clients.only_read();
    town.out.clear();
    assert!(matches!(
        town.arrive(CLIENT, SessionId::NONE, true),
        Connect::Answered
    ));
    let told = town
        .out
        .effects
        .iter()
        .any(|e| matches!(e, Effect::ClientConnected { response, .. } if response.read_only));
    assert!(told, "{:?}", town.out.effects);
    town.out.clear();
    let refused = Some(ErrorCode::NotReadOnly);
    for (xid, request) in [
        (1, create("/p", CreateMode::Persistent)),
        (2, create("/e", CreateMode::Ephemeral)),
        (3, Request::Sync { path: "/".into() }),
    ] {
        assert!(town.ask(xid, request).is_none());
        assert_eq!(town.heard(), [Some((xid, 0, refused))]);
    }
    let path: Arc<str> = "/".into();
    let read = Request::GetChildren {
        path,
        watch: false,
        stat: false,
    };
    assert!(town.ask(4, read).is_none());
    assert_eq!(town.heard(), [Some((4, 0, None))]);
}

#[test]
fn a_server_that_only_reads_does_not_judge_sessions_that_a_quorum_made() {
    let mut town = Town::of(local(true));
    town.clients.end_all(&mut town.out);
    town.clients.only_read();
    let global = SessionId(77);
    town.db.sessions.insert(global, 4000);
    for (client, session, said) in [
        (ClientId(5), global, RefuseReason::SessionNeedsQuorum),
        (ClientId(6), SessionId(78), RefuseReason::SessionUnknown),
    ] {
        town.out.clear();
        assert!(matches!(
            town.arrive(client, session, true),
            Connect::Answered
        ));
        let because = town.out.events.iter().find_map(|e| match &e.kind {
            EventKind::ClientRefused { because, .. } => Some(*because),
            _ => None,
        });
        assert_eq!(because, Some(said));
    }
}
