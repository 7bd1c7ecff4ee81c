//! A COMMIT counts in the epoch in which it was sent (ZooKeeper.md 3.6): a leader that stood still, and goes on
//! when there is another, commits nothing any more. And what comes of it without that rule.

use zabscope_core::rules::{Rule, Rules};
use zabscope_tests::prelude::*;

/// 3 leads and stands still when 1·04 has left it; the ACKs that come meanwhile wait for it. 2 leads the next
/// epoch; what it proposes there is on the disk of 1 and, its own being slow, nowhere else. Now 3 goes on: it
/// counts the ACKs, and its COMMIT of 1·04 leaves for 1.
fn a_commit_comes_too_late(rules: Rules) -> Scenario {
    let mut s = Scenario::voters(3)
        .with(|setup| setup.rules = rules)
        .start();
    s.settle();
    s.client("A").at(1).create("/a", "0").ok();
    s.client("B").at(2).connected();
    s.settle();
    s.client("A").set("/a", "1");
    s.until(sent(3, 1, MessageKind::Proposal)).pause(3);
    assert_eq!(s.until_another_leader(3), 2);
    s.settle();
    s.client("A").connected();
    s.settle();
    s.slow_disk(2, 3000).from_here();
    s.client("A").at(1);
    s.client("A").set("/a", "2");
    s.until(event!(1, AckSent { zxid, .. } if zxid.epoch() == Epoch(2)));
    s.resume(3).until(sent(3, 1, MessageKind::Commit));
    assert_eq!(s.server(1).last_logged().epoch(), Epoch(2));
    assert!(s.server(1).last_applied() < s.server(1).last_logged());
    s
}

#[test]
fn a_commit_of_the_epoch_before_commits_nothing() {
    let mut s = a_commit_comes_too_late(Rules::ALL);
    s.never(event!(
        1,
        Received {
            from: ServerId(3),
            message: MessageKind::Commit,
            ..
        }
    ));
    s.settle().agree();
    assert_eq!(s.data(3, "/a").as_deref(), Some("2"));
}

#[test]
#[should_panic(expected = "the invariant commit-quorum")]
fn without_the_rule_it_commits_what_no_quorum_has() {
    let mut s = a_commit_comes_too_late(Rules::ALL.without(Rule::CommitEpoch));
    s.settle();
}

/// Without the rule, too, a follower that hears of no old COMMIT does what it always does.
#[test]
fn without_the_rule_nothing_is_different_while_nobody_fails() {
    let mut s = Scenario::voters(3)
        .with(|setup| setup.rules = Rules::ALL.without(Rule::CommitEpoch))
        .start();
    s.settle();
    s.client("A").at(1).create("/a", "0").ok();
    s.client("A").load(50).answered();
    s.settle().agree();
}
