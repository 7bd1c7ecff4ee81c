//! Watches (ZooKeeper.md 1.11).

use WatchEventKind::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};
use zabscope_core::request::perms;
use zabscope_tests::prelude::*;

/// Three servers led by 3; A at 1, B at 2, and the znode /a.
fn three() -> Scenario {
    let mut s = Scenario::of_three();
    s.from_here();
    s
}

fn rang(all: &[(WatchEventKind, &str)]) -> Vec<(WatchEventKind, String)> {
    all.iter().map(|(k, p)| (*k, (*p).to_owned())).collect()
}

/// Two changes, one watch: between the two there is a gap.
#[test]
fn a_watch_rings_once_and_what_comes_after_is_not_announced() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("B").set("/a", "1").set("/a", "2").ok();
    s.settle().for_ms(1000);
    assert_eq!(s.rang("A"), rang(&[(NodeDataChanged, "/a")]));
    assert_eq!(s.client("A").watch("/a").data(), "2");
    s.client("B").set("/a", "3").ok();
    s.until_rang("A", 2);
}

/// What A has seen, one after the other: W for an event, R for an answer.
fn order(s: &Scenario, name: &str) -> String {
    s.see(name)
        .observations
        .iter()
        .filter_map(|o| match &o.seen {
            Seen::Watch(_) => Some('W'),
            Seen::Answer { .. } => Some('R'),
            _ => None,
        })
        .collect()
}

/// A changes what it watches.
#[test]
fn an_event_comes_before_the_reply_to_the_write_that_caused_it() {
    let mut s = three();
    s.client("A").watch("/a").set("/a", "1").ok();
    // create, watch, event, set
    assert_eq!(order(&s, "A"), "RRWR");
}

/// B changes what A watches, while A reads it over and over.
#[test]
fn an_event_comes_before_any_reply_that_shows_the_change() {
    for seed in 1..=10 {
        let mut s = Scenario::voters(3).seed(seed).start();
        s.settle();
        s.client("A").at(1).create("/a", "0").watch("/a").ok();
        s.client("B").at(2).connected();
        s.client("B").set("/a", "1");
        for _ in 0..40 {
            s.for_ms(2).client("A").read("/a");
        }
        s.client("A").answered();
        let mut heard = false;
        for o in s.see("A").observations {
            match &o.seen {
                Seen::Watch(_) => heard = true,
                Seen::Answer {
                    outcome:
                        Outcome::Reply {
                            result: Ok(Response::Data(data, _)),
                            ..
                        },
                    ..
                } if data.as_deref() == Some(b"1") => {
                    assert!(heard, "seed {seed}");
                }
                _ => {}
            }
        }
        assert!(heard);
    }
}

/// Data changes while the client has no server.
#[test]
fn setwatches_catches_up_a_change_that_happened_meanwhile() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("A").drop_connection();
    s.client("B").set("/a", "1").ok();
    s.settle();
    s.client("A").connected();
    s.until_rang("A", 1);
    let event = s.watches("A").remove(0);
    assert_eq!((event.kind, &*event.path), (NodeDataChanged, "/a"));
    assert_eq!(event.zxid, Zxid(-1));
}

/// The znode goes while the client has no server.
#[test]
fn setwatches_catches_up_a_deletion() {
    let mut s = three();
    s.client("A").watch("/a").watch_children("/a").ok();
    s.client("A").drop_connection();
    s.client("B").delete("/a").ok();
    s.settle();
    s.client("A").connected();
    s.until_rang("A", 1);
    assert_eq!(s.rang("A")[0], (NodeDeleted, "/a".to_owned()));
}

/// The znode that is waited for comes while the client has no server.
#[test]
fn setwatches_catches_up_a_creation() {
    let mut s = three();
    s.client("A").watch_exists("/b").fails(ErrorCode::NoNode);
    s.client("A").drop_connection();
    s.client("B").create("/b", "").ok();
    s.settle();
    s.client("A").connected();
    s.until_rang("A", 1);
    assert_eq!(s.rang("A"), rang(&[(NodeCreated, "/b")]));
}

/// A child comes while the client has no server.
#[test]
fn setwatches_catches_up_a_change_of_children() {
    let mut s = three();
    s.client("A").watch_children("/a").ok();
    s.client("A").drop_connection();
    s.client("B").create("/a/x", "").ok();
    s.settle();
    s.client("A").connected();
    s.until_rang("A", 1);
    assert_eq!(s.rang("A"), rang(&[(NodeChildrenChanged, "/a")]));
}

/// Nothing changes while the client moves; the watch is set again at the new server.
#[test]
fn a_watch_moves_with_its_client() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("A").at(3).connected();
    s.for_ms(1000);
    assert!(s.watches("A").is_empty());
    s.client("B").set("/a", "1").ok();
    s.until_rang("A", 1);
    s.happened(event!(
        3,
        WatchFired {
            zxid: Some(_),
            consumed: true,
            ..
        }
    ))
    .never(event!(1, WatchFired));
}

/// The client's server dies with the watch.
#[test]
fn a_watch_survives_its_server() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.crash(1);
    s.client("A").connected();
    s.client("B").set("/a", "1").ok();
    s.until_rang("A", 1);
    s.for_ms(2000);
    assert_eq!(s.rang("A"), rang(&[(NodeDataChanged, "/a")]));
}

/// addWatch, mode 0.
#[test]
fn a_persistent_watch_rings_again_and_again() {
    let mut s = three();
    s.client("A").add_watch("/a", AddWatchMode::Persistent).ok();
    s.client("B")
        .set("/a", "1")
        .create("/a/x", "")
        .delete("/a/x")
        .delete("/a")
        .create("/a", "")
        .ok();
    s.until_rang("A", 5);
    assert_eq!(
        s.rang("A"),
        rang(&[
            (NodeDataChanged, "/a"),
            (NodeChildrenChanged, "/a"),
            (NodeChildrenChanged, "/a"),
            (NodeDeleted, "/a"),
            (NodeCreated, "/a"),
        ])
    );
}

/// addWatch, mode 1.
#[test]
fn a_recursive_watch_hears_of_all_descendants_and_never_of_children() {
    let mut s = three();
    s.client("A")
        .add_watch("/a", AddWatchMode::PersistentRecursive)
        .ok();
    s.client("B")
        .create("/a/x", "")
        .create("/a/x/y", "")
        .set("/a/x/y", "1")
        .create("/other", "")
        .ok();
    s.until_rang("A", 3);
    s.settle().for_ms(1000);
    assert_eq!(
        s.rang("A"),
        rang(&[
            (NodeCreated, "/a/x"),
            (NodeCreated, "/a/x/y"),
            (NodeDataChanged, "/a/x/y"),
        ])
    );
}

/// A's server is three seconds behind.
#[test]
fn a_watch_rings_when_its_own_server_applies_the_change() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.slow_link(1, 3, 3000);
    s.client("B").set("/a", "1").ok();
    assert!(s.watches("A").is_empty());
    s.until_rang("A", 1);
    s.in_order(&[event!(3, Applied), event!(1, WatchFired)]);
}

/// The session that owns the watched znode expires.
#[test]
fn the_end_of_a_session_rings_for_its_ephemerals() {
    let mut s = three();
    s.client("C").at_with(3, 6000).ephemeral("/e").ok();
    s.settle();
    s.client("A").watch("/e").watch_children("/").ok();
    s.client("C").pause();
    s.until_rang("A", 2);
    assert_eq!(
        s.rang("A"),
        rang(&[(NodeDeleted, "/e"), (NodeChildrenChanged, "/")])
    );
}

/// A multi that touches three watched znodes.
#[test]
fn a_multi_rings_for_each_of_its_parts_with_one_zxid() {
    let mut s = three();
    s.client("A").watch("/a").watch_exists("/b").answered();
    s.client("B")
        .multi(vec![write::set("/a", "1"), write::create("/b", "")])
        .ok();
    s.until_rang("A", 2);
    assert_eq!(
        s.rang("A"),
        rang(&[(NodeDataChanged, "/a"), (NodeCreated, "/b")])
    );
    let watches = s.watches("A");
    assert_eq!(watches[0].zxid, watches[1].zxid);
}

/// Writes that fail, alone and in a multi.
#[test]
fn what_fails_rings_for_nobody() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("B")
        .write(write::set_at("/a", "1", 7))
        .fails(ErrorCode::BadVersion);
    s.client("B")
        .multi(vec![write::set("/a", "1"), write::delete("/nothing")])
        .answered();
    s.settle().for_ms(1000);
    assert!(s.watches("A").is_empty());
}

/// New data that is the old data.
#[test]
fn a_set_that_changes_nothing_rings() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("B").set("/a", "0").ok();
    s.until_rang("A", 1);
}

/// One client has a data watch and a child watch on what is deleted.
#[test]
fn a_deletion_rings_once_for_a_client_with_two_watches() {
    let mut s = three();
    s.client("A").watch("/a").watch_children("/a").ok();
    s.client("B").delete("/a").ok();
    s.until_rang("A", 1);
    s.settle().for_ms(1000);
    assert_eq!(s.rang("A"), rang(&[(NodeDeleted, "/a")]));
}

/// The watch is taken away before the change; then there is none to take away.
#[test]
fn a_removed_watch_is_silent() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("A").remove_watch("/a", WatcherType::Any).ok();
    s.client("A")
        .remove_watch("/a", WatcherType::Any)
        .fails(ErrorCode::NoWatcher);
    s.client("B").set("/a", "1").ok();
    s.settle().for_ms(1000);
    assert!(s.watches("A").is_empty());
}

/// The ACL loses READ after the watch was set.
#[test]
fn an_event_is_withheld_from_who_may_not_read() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.client("B")
        .write(Write::SetAcl {
            path: "/a".into(),
            acl: write::anyone(perms::ALL & !perms::READ),
            version: -1,
        })
        .set("/a", "1")
        .ok();
    s.settle().for_ms(1000);
    assert!(s.watches("A").is_empty());
    s.happened(event!(
        1,
        WatchFired {
            withheld: true,
            consumed: true,
            ..
        }
    ));
}

/// The leader changes between watch and event.
#[test]
fn a_watch_outlives_an_election() {
    let mut s = three();
    s.client("A").watch("/a").ok();
    s.crash(3).until_another_leader(3);
    s.client("A").connected();
    s.client("B").connected().set("/a", "1").ok();
    s.until_rang("A", 1);
    assert_eq!(s.rang("A"), rang(&[(NodeDataChanged, "/a")]));
}
