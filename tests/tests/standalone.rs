//! A server without an ensemble: no election, no epoch; what is on its disk is decided.

use zabscope_core::peer::Mode;
use zabscope_tests::prelude::*;

/// It runs and has just begun to serve.
fn alone() -> Scenario {
    let mut s = Scenario::standalone().start();
    s.until_that("it serves", |s| s.peer(1).is_some_and(|p| p.serving()));
    s
}

#[test]
fn a_server_alone_serves_at_once_without_an_election_or_an_epoch() {
    let mut s = Scenario::standalone().start();
    s.until(event!(1, ServingAlone { last_zxid: Zxid(0) }));
    assert_eq!(s.server(1).mode(), Mode::Standalone);
    assert_eq!(Mode::Standalone.name(), "standalone");
    s.client("A").at(1).create("/a", "x").ok();
    s.settle();
    s.never(event!(1, ElectionStarted))
        .never(event!(1, NewEpoch))
        .never(event!(
            1,
            TimerFired {
                reason: WaitReason::HalfTick
            }
        ));
    assert_eq!(s.disk(1).accepted_epoch(), None, "no file acceptedEpoch");
    assert_eq!(s.disk(1).current_epoch(), None, "no file currentEpoch");
    assert_eq!(s.log(1), [Zxid(1), Zxid(2)], "createSession and create");
    assert_eq!(s.session("A").0 >> 56, 1, "session ids are server 1's");
}

#[test]
fn in_an_ensemble_the_mode_tells_the_role() {
    let mut s = Scenario::voters(3).observers(1).start();
    s.until(event!(1, Started));
    assert_eq!(s.server(1).mode(), Mode::Looking);
    s.settle();
    let modes: Vec<&str> = (1..=4).map(|id| s.server(id).mode().name()).collect();
    assert_eq!(modes, ["follower", "follower", "leader", "observer"]);
}

#[test]
fn a_reply_waits_for_the_disk_of_a_server_alone() {
    let mut s = alone();
    s.client("A").at(1).connected();
    s.slow_disk(1, 700).from_here();
    s.client("A").create("/a", "x");
    s.until(event!(1, Logged));
    assert!(!s.disk(1).is_durable(Zxid(2)));
    s.never(event!(1, Committed)).never(event!(1, Applied));
    s.until(event!(1, WriteAnswered));
    assert!(s.disk(1).is_durable(Zxid(2)));
    s.in_order(&[
        event!(1, Proposed),
        event!(1, Logged),
        event!(1, DiskSynced),
        event!(
            1,
            AckCounted {
                have: 1,
                need: 1,
                ..
            }
        ),
        event!(1, Committed),
        event!(1, Applied),
        event!(1, WriteAnswered),
    ]);
}

#[test]
fn a_restart_keeps_sessions_data_and_the_order_of_zxids() {
    let mut s = alone();
    s.client("A").at(1).create("/a", "x").ok();
    s.client("A").ephemeral("/a/e").ok();
    let session = s.session("A");
    let last = s.server(1).last_logged();
    s.reboot(1).from_here();
    s.client("A").reconnected();
    assert_eq!(s.session("A"), session, "the same session");
    s.client("A").set("/a", "y").ok();
    assert!(s.has(1, "/a/e"), "its ephemeral is there");
    assert_eq!(s.server(1).last_logged(), Zxid(last.0 + 1));
    assert_eq!(s.server(1).accepted_epoch(), Epoch(0));
    s.never(event!(1, ElectionStarted));
}

#[test]
fn a_server_alone_loses_in_a_crash_only_what_nobody_was_told() {
    let mut s = alone();
    s.client("A").at(1).create("/kept", "x").ok();
    s.slow_disk(1, 1000);
    s.client("A").create("/lost", "x");
    s.until(event!(1, Logged));
    let lost = s.server(1).last_logged();
    s.crash(1).slow_disk(1, 0).restart(1);
    s.client("A").loses_connection();
    s.client("A").create("/next", "x").ok();
    assert!(s.has(1, "/kept") && !s.has(1, "/lost"));
    assert_eq!(s.server(1).last_logged(), lost, "the zxid was nobody's");
}

#[test]
fn a_watch_of_a_server_alone_comes_before_the_reply() {
    let mut s = alone();
    s.client("A").at(1).create("/a", "x").ok();
    s.client("B").at(1).watch("/a").ok();
    s.from_here();
    s.client("A").watch("/a").set("/a", "y").ok();
    s.until_rang("B", 1).until_rang("A", 1);
    s.in_order(&[event!(1, WatchFired), event!(1, WriteAnswered)]);
    s.in_order(&[
        world!(WatchReceived),
        world!(ReplyReceived {
            op: OpKind::SetData,
            ..
        }),
    ]);
}

#[test]
fn a_server_alone_expires_sessions_and_reaps_containers() {
    let mut s = alone();
    s.client("A").at_with(1, 4000).ephemeral("/e").ok();
    s.client("B").at(1).connected();
    let made = write::made("/c", "", CreateMode::Container, CreateOp::Container);
    s.client("B")
        .write(made)
        .create("/c/x", "")
        .delete("/c/x")
        .ok();
    s.client("A").pause();
    s.until(event!(1, SessionExpired));
    s.until_that("the ephemeral is gone", |s| !s.has(1, "/e"));
    s.until(event!(1, ContainerFound));
    s.until_that("the container is gone", |s| !s.has(1, "/c"));
}

#[test]
fn a_server_alone_takes_snapshots_and_starts_from_them() {
    let mut s = Scenario::standalone()
        .with(|setup| {
            setup.snap_count = 6;
            setup.snap_retain = 1;
        })
        .start();
    s.client("A").at(1).connected().load(60).answered();
    s.settle();
    assert!(s.count(&event!(1, SnapshotTaken)) > 5);
    assert!(s.log(1).len() < 20, "{:?}", s.log(1));
    let digest = s.server(1).database().digest();
    s.reboot(1).settle();
    assert_eq!(s.server(1).database().digest(), digest);
    s.never(event!(1, DigestMismatch));
}

/// In an ensemble a new epoch would be needed.
#[test]
fn zxids_of_a_server_alone_go_on_when_a_counter_is_used_up() {
    let mut s = Scenario::standalone()
        .with(|setup| setup.last_counter = 3)
        .start();
    s.client("A").at(1).create("/a", "x").create("/b", "x").ok();
    s.client("A").create("/c", "x").create("/d", "x").ok();
    assert_eq!(s.log(1), [zx(0, 1), zx(0, 2), zx(0, 3), zx(1, 1), zx(1, 2)]);
    s.never(event!(1, SteppedDown));
    s.reboot(1);
    s.client("A").reconnected().create("/e", "x").ok();
    assert_eq!(s.log(1).last(), Some(&zx(1, 3)));
}

/// Crashes at every moment of a write, with checks of all that applies to a server alone.
#[test]
fn whatever_a_client_was_told_by_a_server_alone_is_there_after_each_of_many_crashes() {
    for seed in 1..=20 {
        let mut s = Scenario::standalone()
            .seed(seed)
            .with(|setup| {
                setup.snap_count = 10;
                setup.snap_retain = 1;
            })
            .start();
        s.client("A").at(1).connected();
        let mut told = Vec::new();
        for n in 0..12 {
            let path = format!("/{n}");
            s.client("A").create(&path, "x").ok();
            told.push(path);
            s.slow_disk(1, n % 3 * 20);
            s.client("A").load(20);
            s.for_ms(seed * 7 % 23 + n * 3);
            s.crash(1).restart(1);
            s.client("A").reconnected();
        }
        s.client("A").answered();
        s.settle();
        for path in &told {
            assert!(s.has(1, path), "seed {seed}: {path}");
        }
        s.never(event!(1, ElectionStarted));
    }
}
