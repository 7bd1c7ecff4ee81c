//! An operator's snapshot takes the place of a server's tree.

use std::sync::Arc;
use zabscope_core::{
    config::Config,
    id::{ServerId, StorageSeq, Zxid},
    log::Stored,
    message::ServerState,
    peer::{
        CannotRestore,
        event::{ElectionReason, EventKind},
        input::InputKind,
        output::{Effect, StorageOp},
    },
    time::Span,
    tree::{Database, path},
};
use zabscope_tests::driven::{Driven, at};

fn of(zxid: Zxid) -> Arc<Database> {
    let mut database = Database::new();
    database.last_processed = zxid;
    let text = Arc::from(&b"server.9=of.others:1:2:participant;3\nversion=ffffffff"[..]);
    database.tree.set_config(Some(text), Zxid(0xffff_ffff), 1);
    Arc::new(database)
}

fn installs(server: &Driven) -> impl Iterator<Item = (StorageSeq, Zxid)> {
    let install = |e: &Effect| match e {
        Effect::Store {
            seq,
            op: StorageOp::Install(database),
            ..
        } => Some((*seq, database.last_processed)),
        _ => None,
    };
    server.out.effects.iter().filter_map(install)
}

fn installed(server: &Driven) -> Vec<Zxid> {
    installs(server).map(|(_, zxid)| zxid).collect()
}

fn restored(server: &Driven) -> bool {
    server.says(|e| {
        matches!(
            e,
            EventKind::SteppedDown {
                because: ElectionReason::Restored { .. },
                ..
            }
        )
    })
}

#[test]
fn a_server_of_its_own_takes_the_snapshots_place_in_the_order_and_goes_on() {
    let config = Config::standalone(Span::millis(2000));
    let mut server = Driven::configured(config, &Stored::fresh());
    server.proposes(1);
    server.durable();
    let last = server.peer.last_logged();
    let on_disk = server.peer.last_storage();
    server.tell(InputKind::Restore(of(Zxid::ZERO)));
    assert!(restored(&server));
    assert_eq!(installed(&server), [last]);
    // Who waits for all that is to be stored waits for it too.
    let all = server.peer.last_storage();
    assert!(installs(&server).all(|(seq, _)| on_disk < seq && seq <= all));
    assert_eq!(server.peer.last_zxid(), last);
    assert!(server.peer.serving() && server.peer.database().sessions.is_empty());
    assert!(server.peer.clients().is_empty(), "they come back");
    server.durable();
    server.tell(InputKind::Restore(of(at(7, 3))));
    assert_eq!(installed(&server), [at(7, 3)]);
    server.durable();
    server.proposes(2);
    assert_eq!(server.peer.last_logged(), at(7, 4));
}

#[test]
fn a_leader_that_is_restored_leads_no_more_and_keeps_its_members() {
    let mut server = Driven::leader_with(|cfg| {
        cfg.members_text = Some("server.1=a:1:2:participant;3\nversion=0".into());
    });
    let logged = server.peer.last_logged();
    server.tell(InputKind::Restore(of(Zxid::ZERO)));
    assert!(restored(&server));
    assert_eq!(installed(&server), [logged]);
    assert_eq!(server.peer.state(), ServerState::Looking);
    let node = server.peer.database().tree.node(path::CONFIG);
    let text = node.and_then(|n| n.data().clone()).expect("always there");
    assert!(text.starts_with(b"server.1=a"), "not of the snapshot");
    assert!(server.peer.config().next.is_none(), "no members to come");
}

#[test]
fn an_ensembles_zxids_do_not_follow_a_snapshot() {
    let mut server = Driven::leader();
    let here = server.peer.last_zxid();
    let (ahead, before) = (of(at(5, 1)), server.peer.database().clone());
    assert_eq!(
        server.peer.restored_as(&ahead),
        Err(CannotRestore::Ahead {
            snapshot: at(5, 1),
            here
        })
    );
    server.tell(InputKind::Restore(ahead));
    assert!(server.out.effects.is_empty() && !restored(&server));
    assert_eq!(*server.peer.database(), before);
}

#[test]
fn who_serves_nobody_and_what_has_no_successor_is_not_restored() {
    let mut server = Driven::start(ServerId(1), &Stored::fresh());
    let refused = server.peer.restored_as(&of(Zxid::ZERO));
    assert_eq!(refused, Err(CannotRestore::NotServing));
    server.tell(InputKind::Restore(of(Zxid::ZERO)));
    assert!(server.out.effects.is_empty());
    let config = Config::standalone(Span::millis(2000));
    let server = Driven::configured(config, &Stored::fresh());
    for last in [Zxid(i64::MAX), Zxid(-5)] {
        let refused = server.peer.restored_as(&of(last));
        assert_eq!(refused, Err(CannotRestore::NoZxidFollows(last)));
    }
}
