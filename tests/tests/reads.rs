//! Reads, sync, and the order of one session (ZooKeeper.md 1.4, 1.5, 1.9).

use zabscope_tests::prelude::*;

/// Three servers led by 3; A at 1, B at 2, and the znode /a.
fn three() -> Scenario {
    let mut s = Scenario::of_three();
    s.from_here();
    s
}

/// Nothing reaches follower 1 from its leader, and it has not noticed yet.
#[test]
fn a_follower_that_is_cut_off_may_answer_with_old_data() {
    let mut s = three();
    s.cut_direction(3, 1);
    s.client("B").set("/a", "1").set("/a", "2").ok();
    assert_eq!(
        s.client("A").read("/a").data_at(),
        ("0".to_owned(), zx(1, 3))
    );
    s.happened(world!(StaleRead {
        server: ServerId(1),
        behind_by: 2,
        ..
    }));
    // After syncLimit it does not answer any more.
    s.until(event!(
        1,
        ClientRefused {
            because: RefuseReason::ServerStopsServing,
            ..
        }
    ));
    s.heal_all();
    s.client("A").reconnected();
    assert_eq!(s.client("A").sync().read("/a").data(), "2");
}

/// Follower 1 is two seconds behind.
#[test]
fn sync_closes_the_gap_of_a_stale_read() {
    let mut s = three();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    assert_eq!(s.client("A").read("/a").data(), "0");
    assert_eq!(s.client("A").sync().read("/a").data(), "1");
    s.in_order(&[
        world!(StaleRead {
            server: ServerId(1),
            ..
        }),
        event!(1, Applied),
        event!(1, SyncAnswered),
        event!(
            1,
            ReadServed {
                op: OpKind::GetData,
                ..
            }
        ),
    ]);
}

/// Nothing was written for long.
#[test]
fn sync_on_a_quiet_ensemble_is_answered_at_once() {
    let mut s = three();
    s.client("A").sync().ok();
    s.never(event!(any, Proposed))
        .happened(sent(3, 1, MessageKind::Sync));
}

/// A sync while proposals are outstanding.
#[test]
fn sync_waits_for_what_the_leader_had_proposed_before_it() {
    let mut s = three();
    s.slow_disk(2, 600).slow_disk(1, 600);
    s.client("B").set("/a", "1");
    s.until(event!(3, Proposed));
    s.client("A").sync().ok();
    s.in_order(&[
        event!(3, Committed),
        sent(3, 1, MessageKind::Sync),
        event!(1, SyncAnswered),
    ]);
    assert_eq!(s.client("A").read("/a").data(), "1");
}

/// Client B has seen at server 2 what server 1 does not have yet.
#[test]
fn a_server_that_is_behind_its_client_refuses_it() {
    let mut s = three();
    s.slow_link(1, 3, 3000);
    s.client("B").set("/a", "1").ok();
    s.client("B").at(1);
    s.until(event!(1, ClientRefused {
        because: RefuseReason::ClientAhead { seen, have },
        ..
    } if seen > have));
    s.client("B").connected();
    assert_eq!(s.client("B").read("/a").data(), "1");
}

/// A client reads while it is dropped, again and again, and one server lags.
#[test]
fn no_client_ever_sees_the_past_again() {
    for seed in 1..=6 {
        let mut s = Scenario::voters(3).seed(seed).start();
        s.settle();
        s.client("W").at(3).create("/a", "0").ok();
        s.client("A").at(1).connected();
        s.slow_link(1, 3, 700);
        for n in 1..=12 {
            s.client("W").set("/a", &n.to_string()).ok();
            s.client("A").connected().read("/a").answered();
            s.client("A").connected().drop_connection();
        }
        let zxids: Vec<Zxid> = s
            .see("A")
            .observations
            .iter()
            .filter_map(|o| match &o.seen {
                Seen::Answer {
                    outcome: Outcome::Reply { zxid, .. },
                    ..
                } => Some(*zxid),
                _ => None,
            })
            .collect();
        assert!(zxids.len() >= 10 && zxids.is_sorted(), "{zxids:?}");
    }
}

/// A writes and reads in one breath.
#[test]
fn a_read_waits_for_the_writes_of_its_own_session() {
    let mut s = three();
    assert_eq!(s.client("A").set("/a", "1").read("/a").data(), "1");
    s.in_order(&[
        event!(
            1,
            RequestQueued {
                op: OpKind::GetData,
                ..
            }
        ),
        event!(1, Applied),
        event!(1, WriteAnswered),
        event!(1, ReadServed),
    ]);
}

/// Twenty requests of all kinds in one breath.
#[test]
fn replies_of_a_session_come_in_the_order_of_its_requests() {
    let mut s = three();
    for n in 0..20 {
        let a = s.client("A");
        match n % 4 {
            0 => a.set("/a", &n.to_string()),
            1 => a.read("/a"),
            2 => a.sync(),
            _ => a.children("/"),
        };
    }
    s.client("A").answered();
    let xids: Vec<i32> = s
        .see("A")
        .observations
        .iter()
        .filter_map(|o| match &o.seen {
            Seen::Answer { xid, .. } => Some(*xid),
            _ => None,
        })
        .collect();
    assert_eq!(xids, (1..=21).collect::<Vec<_>>());
    // Each read saw the write before it and not the one after it.
    for n in (2..=20).step_by(4) {
        let Outcome::Reply {
            result: Ok(Response::Data(data, _)),
            ..
        } = s.reply("A", n + 1)
        else {
            s.fail(&format!("answer {} is data", n + 1));
        };
        let read = String::from_utf8_lossy(data.as_ref().unwrap()).into_owned();
        assert_eq!(read, (n - 2).to_string());
    }
}

/// Another client at the same server writes slowly.
#[test]
fn a_read_does_not_wait_for_writes_of_other_sessions() {
    let mut s = three();
    s.client("C").at(1).connected();
    for id in 1..=3 {
        s.slow_disk(id, 900);
    }
    s.client("A").set("/a", "1");
    s.for_ms(20);
    assert_eq!(s.client("C").read("/a").data(), "0");
    s.client("A").answered();
    s.in_order(&[
        event!(1, ReadServed),
        event!(1, Applied),
        event!(1, WriteAnswered),
    ]);
}

/// A client at the leader, while a proposal has no quorum.
#[test]
fn the_leader_shows_what_is_committed_and_not_what_is_proposed() {
    let mut s = three();
    s.client("C").at(3).connected();
    s.slow_disk(1, 900).slow_disk(2, 900);
    s.client("A").set("/a", "1");
    s.until(event!(
        3,
        AckCounted {
            from: ServerId(3),
            ..
        }
    ));
    assert_eq!(s.client("C").read("/a").data(), "0");
    s.client("A").answered();
    assert_eq!(s.client("C").read("/a").data(), "1");
}

/// Replies carry what this server has applied, not the request's own zxid.
#[test]
fn a_reply_tells_the_last_zxid_that_its_server_has_applied() {
    let mut s = three();
    s.client("B").set("/a", "1").ok();
    s.settle();
    let (_, zxid) = s.client("A").read("/a").data_at();
    assert_eq!(zxid, zx(1, 4));
}

/// A client at each server reads while the leader changes.
#[test]
fn what_was_read_is_never_taken_back_by_a_new_leader() {
    for seed in 1..=6 {
        let mut s = Scenario::voters(5).seed(seed).start();
        s.settle();
        s.client("W").at(2).create("/a", "0").ok();
        s.client("R").at(5).connected();
        s.client("W").load(40);
        s.for_ms(300 + 13 * seed);
        let path = "/load-1";
        s.client("R").read(path).answered();
        let seen = match s.reply("R", 1) {
            Outcome::Reply {
                result: Ok(Response::Data(_, stat)),
                ..
            } => stat.version,
            _ => -1,
        };
        s.crash(5).until_another_leader(5);
        s.settle().agree();
        let now = s.tree(1).stat(path).map_or(-1, |stat| stat.version);
        assert!(now >= seen, "seed {seed}: {seen} was read, {now} is left");
    }
}
