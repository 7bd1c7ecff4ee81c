//! Fast leader election (ZooKeeper.md 2.3 to 2.6).

use zabscope_tests::prelude::*;

/// Five fresh servers, no fault.
#[test]
fn equal_histories_are_decided_by_the_highest_id() {
    let mut s = Scenario::voters(5).start();
    assert_eq!(s.until_leader(), 5);
    s.settle().agree();
    s.client("A").at(2).create("/a", "x").ok();
    s.settle().agree();
    assert_eq!(s.data(4, "/a").unwrap(), "x");
}
