//! Broadcast: proposals, acknowledgements, commits (ZooKeeper.md 3.6, 3.7, 1.8, 1.12).

use std::sync::Arc;
use zabscope_core::txn::TxnBody;
use zabscope_tests::prelude::*;

/// Three servers in epoch 1, led by 3, with client A at server 1 and the znode /a.
fn three() -> Scenario {
    let mut s = Scenario::voters(3).start();
    s.settle();
    s.client("A").at(1).create("/a", "0").ok();
    s.settle();
    s.from_here();
    s
}

fn zxids(s: &Scenario, id: i64, pick: impl Fn(&EventKind) -> Option<Zxid>) -> Vec<Zxid> {
    s.events_of(id).filter_map(pick).collect()
}

fn ascends_without_gap(zxids: &[Zxid]) -> bool {
    zxids.windows(2).all(|w| w[1].0 == w[0].0 + 1)
}

/// A write at a follower, no fault.
#[test]
fn a_write_goes_to_the_leader_and_is_answered_when_its_own_server_has_applied_it() {
    let mut s = three();
    s.client("A").set("/a", "1").ok();
    s.in_order(&[
        event!(
            1,
            RequestForwarded {
                leader: ServerId(3),
                ..
            }
        ),
        event!(3, Proposed),
        sent(3, 1, MessageKind::Proposal),
        event!(1, Logged),
        sent(1, 3, MessageKind::Ack),
        event!(3, Committed),
        sent(3, 1, MessageKind::Commit),
        event!(1, Applied),
        event!(1, WriteAnswered { error: None, .. }),
    ]);
}

/// Both followers' disks are slow.
#[test]
fn a_transaction_is_committed_when_a_quorum_has_it_on_disk() {
    let mut s = three();
    s.slow_disk(1, 500).slow_disk(2, 900);
    s.client("A").set("/a", "1");
    s.until(event!(
        3,
        Committed {
            acks: 2,
            need: 2,
            ..
        }
    ));
    let durable: Vec<i64> = (1..=3)
        .filter(|id| s.disk(*id).durable_zxid() == zx(1, 3))
        .collect();
    assert_eq!(durable, [1, 3]);
}

/// The leader's own disk is slow.
#[test]
fn the_leaders_own_disk_counts_as_one_and_is_not_waited_for() {
    let mut s = three();
    s.slow_disk(3, 900);
    s.client("A").set("/a", "1");
    s.until(event!(1, WriteAnswered));
    s.never(event!(
        3,
        AckCounted {
            from: ServerId(3),
            ..
        }
    ))
    .never(event!(3, Applied));
    assert!(s.disk(3).durable_zxid() < zx(1, 3));
    // What a power failure could take from its log is not in its tree either.
    s.settle().agree();
    s.in_order(&[event!(1, WriteAnswered), event!(3, Applied)]);
}

/// A follower sends its ACK only for what a power failure can't take.
#[test]
fn an_ack_leaves_when_its_bytes_are_on_disk() {
    let mut s = three();
    s.slow_disk(1, 500).client("A").set("/a", "1");
    s.until(event!(1, Logged));
    s.until(sent(1, 3, MessageKind::Ack));
    assert_eq!(s.disk(1).durable_zxid(), zx(1, 3));
}

/// One follower's disk is slow while forty writes pass.
#[test]
fn a_slow_disk_delays_acks_and_never_their_order() {
    let mut s = three();
    s.slow_disk(1, 250);
    s.client("B").at(2).connected();
    s.from_here();
    for n in 0..40 {
        s.client("B").set("/a", &n.to_string());
    }
    s.client("B").answered();
    // B has all its answers long before server 1 has all on disk.
    assert!(s.disk(1).durable_zxid() < s.disk(2).durable_zxid());
    s.settle().agree();
    let acks: Vec<Zxid> = s
        .sent(1, 3)
        .filter(|m| m.kind == MessageKind::Ack)
        .filter_map(|m| m.zxid)
        .collect();
    assert!(ascends_without_gap(&acks), "{acks:?}");
    assert!(acks.len() >= 40);
}

/// Forty writes pass a disk that needs 250 ms for each batch.
#[test]
fn one_fsync_makes_many_transactions_durable() {
    let mut s = three();
    for id in 1..=3 {
        s.slow_disk(id, 250);
    }
    for n in 0..40 {
        s.client("A").set("/a", &n.to_string());
    }
    s.client("A").answered();
    let logged = s.count(&event!(3, Logged));
    let synced = s.count(&event!(3, DiskSynced));
    assert_eq!(logged, 40);
    assert!(synced <= 8, "{synced} batches");
}

/// Three clients write at once, with jitter on every link.
#[test]
fn commits_and_applications_follow_the_order_of_zxids_everywhere() {
    let mut s = three();
    for (name, at) in [("B", 1), ("C", 2), ("D", 3)] {
        s.client(name).at(at).connected().load(60);
    }
    for name in ["B", "C", "D"] {
        s.client(name).answered();
    }
    s.settle().agree();
    let committed = zxids(&s, 3, |e| match e {
        EventKind::Committed { zxid, .. } => Some(*zxid),
        _ => None,
    });
    assert!(ascends_without_gap(&committed));
    for id in 1..=3 {
        let applied = zxids(&s, id, |e| match e {
            EventKind::Applied { zxid, .. } => Some(*zxid),
            _ => None,
        });
        assert_eq!(applied, committed, "server {id}");
    }
    s.never(event!(any, DigestMismatch));
}

/// A create of a znode that is there.
#[test]
fn a_write_that_fails_takes_a_zxid_and_stands_in_every_log() {
    let mut s = three();
    s.client("A").create("/a", "").fails(ErrorCode::NodeExists);
    s.settle().agree();
    for id in 1..=3 {
        let last = s.txns(id).pop().unwrap();
        assert_eq!(last.zxid(), zx(1, 3));
        assert_eq!(last.body, TxnBody::Error(ErrorCode::NodeExists));
    }
    s.client("A").set("/a", "1").ok();
    assert_eq!(s.server(3).last_logged(), zx(1, 4));
}

/// Two creates of one znode, the second before the first is committed.
#[test]
fn a_request_is_checked_against_what_is_proposed_and_not_yet_applied() {
    let mut s = three();
    s.slow_disk(1, 300).slow_disk(2, 300).slow_disk(3, 300);
    s.client("A")
        .create("/b", "")
        .create("/b", "")
        .fails(ErrorCode::NodeExists);
    s.in_order(&[
        event!(3, Proposed { error: None, .. }),
        event!(
            3,
            Proposed {
                error: Some(ErrorCode::NodeExists),
                ..
            }
        ),
        event!(3, Committed),
    ]);
}

/// Versions 0, 1, 2 asked for in one go.
#[test]
fn conditional_writes_in_a_row_see_each_other() {
    let mut s = three();
    s.client("A")
        .write(write::set_at("/a", "1", 0))
        .write(write::set_at("/a", "2", 1))
        .write(write::set_at("/a", "3", 2))
        .ok();
    s.client("A")
        .write(write::set_at("/a", "4", 2))
        .fails(ErrorCode::BadVersion);
    s.settle().agree();
    assert_eq!(s.data(2, "/a").unwrap(), "3");
}

/// A multi of four.
#[test]
fn a_multi_is_one_transaction_on_every_server() {
    let mut s = three();
    s.client("B").at(2).watch("/a").ok();
    let before = s.server(3).last_logged();
    let results = s
        .client("A")
        .multi(vec![
            write::create("/m", ""),
            write::create("/m/x", ""),
            write::set("/a", "m"),
            write::check("/a", 1),
        ])
        .results();
    assert!(matches!(results[0], OpResult::Create { .. }));
    assert!(matches!(results[3], OpResult::Check));
    s.settle().agree();
    assert_eq!(s.server(3).last_logged().0, before.0 + 1);
    assert_eq!(s.who_has("/m/x"), [1, 2, 3]);
}

/// A multi whose third part fails.
#[test]
fn a_multi_that_fails_changes_nothing_anywhere() {
    let mut s = three();
    let results = s
        .client("A")
        .multi(vec![
            write::create("/m", ""),
            write::set("/a", "m"),
            write::delete("/nothing"),
            write::create("/n", ""),
        ])
        .results();
    assert_eq!(
        results,
        [
            OpResult::Error(ErrorCode::Ok),
            OpResult::Error(ErrorCode::Ok),
            OpResult::Error(ErrorCode::NoNode),
            OpResult::Error(ErrorCode::RuntimeInconsistency),
        ]
    );
    s.settle().agree();
    for id in 1..=3 {
        assert!(!s.has(id, "/m") && !s.has(id, "/n"));
        assert_eq!(s.data(id, "/a").unwrap(), "0");
        assert_eq!(s.log(id).last(), Some(&zx(1, 3)));
    }
}

/// Numbered znodes from two servers, with a change of leader in between.
#[test]
fn sequence_numbers_go_on_across_servers_deletions_and_leaders() {
    let mut s = three();
    s.client("B").at(2).connected();
    assert_eq!(s.client("A").sequential("/a/q-").path(), "/a/q-0000000000");
    assert_eq!(s.client("B").sequential("/a/q-").path(), "/a/q-0000000001");
    s.client("B").delete("/a/q-0000000001").ok();
    s.crash(3).until_another_leader(3);
    s.client("A").connected();
    assert_eq!(s.client("A").sequential("/a/q-").path(), "/a/q-0000000002");
    s.restart(3).settle().agree();
    assert_eq!(s.who_has("/a/q-0000000002"), [1, 2, 3]);
}

/// The counter is used up after 12 zxids.
#[test]
fn when_the_counter_is_used_up_a_new_epoch_begins() {
    let mut s = Scenario::voters(3)
        .with(|setup| setup.last_counter = 12)
        .start();
    s.settle();
    s.client("A").at(1).create("/a", "0").ok();
    for n in 3..=12 {
        s.client("A").set("/a", &n.to_string()).ok();
    }
    assert_eq!(s.server(3).last_logged(), zx(1, 12));
    s.client("A").set("/a", "more").loses_connection();
    s.happened(event!(
        3,
        SteppedDown {
            because: ElectionReason::ZxidRollOver { .. },
            ..
        }
    ));
    s.until_epoch_above(1);
    s.client("A").connected().set("/a", "epoch 2").ok();
    s.settle().agree();
    assert_eq!(s.log(1).last(), Some(&zx(2, 1)));
    assert_eq!(s.data(2, "/a").unwrap(), "epoch 2");
    s.never(event!(any, Proposed { zxid, .. } if zxid.counter() > 12));
}

/// A follower's disk hangs.
#[test]
fn a_follower_that_does_not_acknowledge_within_sync_limit_is_dropped() {
    let mut s = three();
    s.client("A").at(2).connected();
    s.slow_disk(1, 60_000);
    s.client("A").set("/a", "1").ok();
    s.until(event!(
        3,
        LinkDropped {
            with: ServerId(1),
            because: DropReason::ProposalUnacked { .. },
        }
    ));
    assert_eq!(s.leader(), Some(3));
    s.client("A").set("/a", "2").ok();
    s.slow_disk(1, 0).settle().agree();
}

/// Both followers are paused, the leader hears nothing.
#[test]
fn a_leader_whose_followers_are_silent_steps_down_within_sync_limit() {
    let mut s = three();
    let began = s.world().now();
    s.pause(1).pause(2);
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
    let waited = (s.world().now() - began).as_millis();
    assert!((8_000..=14_000).contains(&waited), "{waited}");
    s.resume(1).resume(2).settle().agree();
}

/// The leader is cut off from a follower in one direction: pings do not arrive.
#[test]
fn a_follower_that_hears_nothing_for_sync_limit_looks_for_a_leader() {
    let mut s = three();
    let began = s.world().now();
    s.cut_direction(3, 1).until(event!(
        1,
        SteppedDown {
            because: ElectionReason::LeaderSilent {
                leader: ServerId(3),
                ..
            },
            ..
        }
    ));
    let waited = (s.world().now() - began).as_millis();
    assert!((9_000..=11_000).contains(&waited), "{waited}");
    s.heal_all().settle().agree();
}

/// Pings pass, nothing is written, for ten minutes.
#[test]
fn an_idle_ensemble_stays_as_it_is() {
    let mut s = three();
    s.for_ms(600_000);
    s.never(event!(any, SteppedDown))
        .never(event!(any, ElectionStarted))
        .never(event!(any, Proposed));
    assert!(s.count(&event!(3, PingsSent)) >= 590);
}

/// A container whose last child went, and one that never had a child.
#[test]
fn an_empty_container_is_deleted_by_the_leader_through_a_transaction() {
    let mut s = three();
    let container = |path: &str| write::made(path, "", CreateMode::Container, CreateOp::Container);
    s.client("A")
        .write(container("/used"))
        .write(container("/never"))
        .create("/used/x", "")
        .delete("/used/x")
        .ok();
    s.until(event!(3, ContainerFound { path } if &**path == "/used"));
    s.settle().agree();
    assert!(s.who_has("/used").is_empty());
    assert_eq!(s.who_has("/never"), [1, 2, 3]);
    let last = s.txns(1).pop().unwrap();
    assert_eq!(last.header.session, SessionId::NONE);
    assert_eq!(
        last.body,
        TxnBody::Delete {
            path: Arc::from("/used"),
            container: true
        }
    );
}

/// A znode with a TTL of 90 s, touched after a minute.
#[test]
fn a_ttl_node_goes_when_it_was_not_changed_for_its_time() {
    let mut s = three();
    let ttl = write::made(
        "/t",
        "",
        CreateMode::PersistentWithTtl,
        CreateOp::Ttl(90_000),
    );
    s.client("A").write(ttl).ok();
    s.for_ms(60_000).client("A").set("/t", "1").ok();
    let touched = s.world().now();
    s.until(event!(3, ContainerFound { path } if &**path == "/t"));
    assert!((s.world().now() - touched).as_millis() > 90_000);
    s.settle().agree();
    assert!(s.who_has("/t").is_empty());
}

/// A write to a server that is not there any more when its answer comes.
#[test]
fn a_write_whose_answer_is_lost_is_done_once_or_not_at_all() {
    for seed in 1..=10 {
        let mut s = Scenario::voters(3).seed(seed).start();
        s.settle();
        s.client("A").at(1).create("/a", "0").ok();
        s.client("A").write(write::set_at("/a", "1", 0));
        s.for_ms(seed * 4).crash(1);
        s.client("A").loses_connection();
        s.restart(1).settle().agree();
        s.client("A").connected();
        let version = s.tree(1).stat("/a").unwrap().version;
        assert!((0..=1).contains(&version));
    }
}
