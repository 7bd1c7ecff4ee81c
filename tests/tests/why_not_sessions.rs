//! Why a session has not expired, a watch has not rung, a mode was not chosen: as in `why_not.rs`.

use zabscope_core::sim::{
    ClientNo,
    why_not::{Because, Lag, Question},
};
use zabscope_tests::{prelude::*, question::ask};

const A: ClientNo = ClientNo(1);

/// A proposal of leader 3 that reaches server 1 and nobody else, which then both go down.
fn tail_on_server_1(s: &mut Scenario) {
    s.slow_disk(3, 900).cut(2, 3);
    s.client("A").set("/a", "tail");
    s.until_that("it is on server 1's disk", |s| {
        s.disk(1).durable_zxid() == zx(1, 4)
    });
    s.crash(3).crash(1).slow_disk(3, 0).heal(2, 3);
}

// ---- sessions and watches -----------------------------------------------------------------------------------

#[test]
fn a_silent_session_has_time_left_and_the_deadline_is_rounded_up() {
    let mut s = Scenario::of_three();
    let session = s.session("A");
    s.client("A").pause();
    s.for_ms(3000);
    let because = ask(&s, Question::NotExpired(session));
    let Because::TimeLeft {
        leader,
        timeout,
        heard,
        deadline,
        tick,
    } = because
    else {
        panic!("there is time left: {because:?}")
    };
    assert_eq!((leader, tick), (ServerId(3), Span::millis(2000)));
    assert_eq!(timeout, Span::millis(s.see("A").timeout_ms as u64));
    assert_eq!(deadline.0 % tick.0, 0, "rounded up to a tick");
    let heard = heard.expect("the leader has heard of it");
    assert!(heard + timeout < deadline && deadline.0 - (heard + timeout).0 <= tick.0);
}

#[test]
fn without_a_leader_no_session_expires() {
    let mut s = Scenario::of_three();
    let session = s.session("A");
    s.crash(3);
    s.until_that("nobody leads", |s| s.leader().is_none());
    assert_eq!(
        ask(&s, Question::NotExpired(session)),
        Because::NobodyCounts
    );
}

#[test]
fn an_end_that_is_not_committed_is_none() {
    let mut s = Scenario::of_three();
    let session = s.session("A");
    s.client("A").pause();
    s.slow_disk(1, 5000).slow_disk(2, 5000);
    s.until(event!(3, SessionExpired));
    let because = ask(&s, Question::NotExpired(session));
    let Because::EndNotCommitted { zxid, count } = because else {
        panic!("it is not committed: {because:?}")
    };
    assert_eq!((zxid, count.need), (zx(1, 4), 2));
    s.until(event!(3, SessionEnded));
    assert_eq!(ask(&s, Question::NotExpired(session)), Because::ItHas);
}

#[test]
fn a_session_that_never_was_can_not_expire() {
    assert_eq!(
        ask(&Scenario::of_three(), Question::NotExpired(SessionId(77))),
        Because::NoSuchThing
    );
}

fn rung() -> Question {
    Question::NotRung(A, "/a".into())
}

#[test]
fn who_set_no_watch_hears_nothing() {
    assert_eq!(
        ask(&Scenario::of_three(), rung()),
        Because::NoWatch {
            server: ServerId(1)
        }
    );
}

#[test]
fn a_watch_on_a_quiet_znode_does_not_ring() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.client("B").create("/b", "x").ok();
    s.settle();
    let because = ask(&s, rung());
    // The children of / have changed, /a has not.
    assert_eq!(
        because,
        Because::NothingChanged {
            server: ServerId(1),
            set: zx(1, 3),
            changed: Some(zx(1, 2)),
            applied: zx(1, 4)
        }
    );
}

#[test]
fn a_watch_rings_where_the_change_is_applied() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.slow_link(1, 3, 2000);
    s.client("B").set("/a", "1").ok();
    let because = ask(&s, rung());
    let Because::ChangeNotHere {
        changed,
        server,
        applied,
        lag,
    } = because
    else {
        panic!("not here: {because:?}")
    };
    assert_eq!(
        (changed, server, applied),
        (zx(1, 4), ServerId(1), zx(1, 3))
    );
    assert!(
        matches!(lag, Lag::OnTheWay(MessageKind::Proposal, ServerId(3), _)),
        "{lag:?}"
    );
}

#[test]
fn a_watch_rings_once() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.client("B").set("/a", "1").ok();
    s.until_rang("A", 1);
    s.client("B").set("/a", "2").ok();
    s.settle();
    let because = ask(&s, rung());
    let Because::RangAlready {
        stays, event, zxid, ..
    } = because
    else {
        panic!("it rang: {because:?}")
    };
    assert!(!stays);
    assert_eq!(
        (event, zxid),
        (WatchEventKind::NodeDataChanged, Some(zx(1, 4)))
    );
}

#[test]
fn a_watch_on_data_does_not_hear_of_children() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.client("B").create("/a/child", "x").ok();
    s.settle();
    assert_eq!(
        ask(&s, rung()),
        Because::OtherKind {
            data: true,
            changed: zx(1, 4),
            set: zx(1, 3)
        }
    );
}

#[test]
fn a_watch_event_is_on_its_way() {
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    s.client("B").set("/a", "1");
    s.until(event!(1, WatchFired));
    let because = ask(&s, rung());
    let Because::BetweenClientAndServer {
        client,
        server,
        to_server,
        arrives,
    } = because
    else {
        panic!("it is under way: {because:?}")
    };
    assert_eq!((client, server, to_server), (A, ServerId(1), false));
    assert!(arrives > s.world().now());
}

/// A hears of everything below /a, again and again.
fn below_a() -> Scenario {
    let mut s = Scenario::of_three();
    s.client("A")
        .add_watch("/a", AddWatchMode::PersistentRecursive)
        .ok();
    s
}

fn rung_at(path: &str) -> Question {
    Question::NotRung(A, path.into())
}

#[test]
fn a_recursive_watch_on_a_znode_above_counts_as_one() {
    let mut s = below_a();
    s.client("B").create("/b", "x").ok();
    s.settle();
    // There is no /a/b/c, and the watch that waits for it was set at /a.
    assert_eq!(
        ask(&s, rung_at("/a/b/c")),
        Because::NothingChanged {
            server: ServerId(1),
            set: zx(1, 3),
            changed: None,
            applied: zx(1, 4)
        }
    );
    // A standard watch above does not count, nor does another znode's.
    for path in ["/b", "/ab"] {
        let no_watch = Because::NoWatch {
            server: ServerId(1),
        };
        assert_eq!(ask(&s, rung_at(path)), no_watch, "{path}");
    }
    let mut s = Scenario::of_three();
    s.client("A").watch("/a").ok();
    let because = ask(&s, rung_at("/a/b"));
    assert!(matches!(because, Because::NoWatch { .. }), "{because:?}");
}

#[test]
fn a_recursive_watch_rings_where_a_change_below_it_is_applied() {
    for path in ["/a", "/a/b"] {
        let mut s = below_a();
        s.slow_link(1, 3, 2000);
        s.client("B").create("/a/b", "1").ok();
        let because = ask(&s, rung_at(path));
        let Because::ChangeNotHere {
            changed, applied, ..
        } = because
        else {
            panic!("{path}: not here: {because:?}")
        };
        assert_eq!((changed, applied), (zx(1, 4), zx(1, 3)));
    }
}

#[test]
fn a_watch_that_stays_says_what_it_rang_for_last() {
    for path in ["/a", "/a/b"] {
        let mut s = below_a();
        s.client("B").create("/a/b", "1").ok();
        s.client("B").create("/b", "1").ok();
        s.until_rang("A", 1).settle();
        let because = ask(&s, rung_at(path));
        let Because::RangAlready {
            stays, event, zxid, ..
        } = because
        else {
            panic!("{path}: it rang: {because:?}")
        };
        // Not that /a has another child, but that the child is there.
        assert_eq!(event, WatchEventKind::NodeCreated);
        assert_eq!((stays, zxid), (true, Some(zx(1, 4))));
    }
}

#[test]
fn an_event_of_a_recursive_watch_is_on_its_way() {
    for path in ["/a", "/a/b"] {
        let mut s = below_a();
        s.client("B").create("/a/b", "1");
        s.until(event!(1, WatchFired));
        let because = ask(&s, rung_at(path));
        let under_way = matches!(because, Because::BetweenClientAndServer { .. });
        assert!(under_way, "{path}: {because:?}");
    }
}

// ---- modes --------------------------------------------------------------------------------------------------

#[test]
fn a_learner_ahead_of_its_leader_gets_no_diff() {
    let mut s = Scenario::of_three();
    tail_on_server_1(&mut s);
    let leader = s.restart(3).until_leader();
    s.restart(1).settle();
    assert_eq!(
        ask(&s, Question::NotThisMode(ServerId(1), SyncMode::Diff)),
        Because::ModeChosen {
            leader: ServerId(leader),
            learner: ServerId(1),
            wanted: SyncMode::Diff,
            chosen: SyncMode::Trunc,
            rule: SyncRule::AheadOfLeader,
            peer: zx(1, 4),
            min: zx(1, 1),
            max: zx(1, 3),
            last: zx(2, 0),
        }
    );
}

#[test]
fn a_learner_within_the_committed_log_needs_no_snapshot() {
    let mut s = Scenario::of_three();
    s.crash(1);
    s.client("B").set("/a", "1").ok();
    s.restart(1).until(event!(1, Serving));
    let because = ask(&s, Question::NotThisMode(ServerId(1), SyncMode::Snap));
    let Because::ModeChosen {
        chosen,
        rule,
        peer,
        min,
        max,
        ..
    } = because
    else {
        panic!("another mode: {because:?}")
    };
    assert_eq!((chosen, rule), (SyncMode::Diff, SyncRule::InCommittedLog));
    assert_eq!((peer, min, max), (zx(1, 3), zx(1, 1), zx(1, 4)));
    assert_eq!(
        ask(&s, Question::NotThisMode(ServerId(1), SyncMode::Diff)),
        Because::ItHas
    );
}

#[test]
fn who_has_never_joined_got_no_mode() {
    let s = Scenario::voters(3).start();
    assert_eq!(
        ask(&s, Question::NotThisMode(ServerId(1), SyncMode::Trunc)),
        Because::NoModeYet
    );
}
