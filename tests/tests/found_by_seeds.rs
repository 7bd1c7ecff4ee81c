//! Bugs that the seeds found, each as the shortest story that shows it. One server is driven by hand;
//! the others are played.

use std::sync::Arc;
use zabscope_core::{
    id::{ConnId, Epoch, Zxid},
    log::Stored,
    message::{Ack, QuorumMessage, ServerState},
    peer::{
        event::{EventKind, SyncMode},
        input::InputKind,
    },
    time::Span,
    tree::Database,
};
use zabscope_tests::driven::{Driven, ONE, at, disk, new_leader, txn};

fn committed(e: &EventKind) -> bool {
    matches!(e, EventKind::Committed { .. })
}

#[test]
fn an_ack_does_not_count_any_more_when_its_sender_is_told_to_cut_that_transaction() {
    // Seed 15395: the follower acknowledged, lost its connection, came back, was told to cut the
    // tail of its log; and its old ACK made a commit that was on no quorum's disks.
    let mut leader = Driven::leader();
    leader.proposes(1);
    leader.packet(11, QuorumMessage::Ack(Ack::received(at(1, 1))));
    leader.tell(InputKind::Closed { conn: ConnId(11) });
    leader.joins(ONE, 12, at(1, 1), None);
    assert!(
        leader
            .sends()
            .any(|m| matches!(m, QuorumMessage::Trunc { .. }))
    );
    leader.durable();
    assert!(!leader.says(committed), "only the leader has it on disk");
    leader.packet(12, QuorumMessage::Ack(Ack::received(at(1, 0))));
    leader.packet(12, QuorumMessage::Ack(Ack::received(at(1, 1))));
    assert!(leader.says(committed), "now a quorum has it again");
}

#[test]
fn a_follower_is_not_told_to_cut_what_is_committed_because_the_leader_s_disk_is_slow() {
    // The followers' ACKs commit; the leader's own disk has not finished, so it has not applied.
    let mut leader = Driven::leader();
    leader.proposes(1);
    leader.packet(11, QuorumMessage::Ack(Ack::received(at(1, 1))));
    leader.packet(21, QuorumMessage::Ack(Ack::received(at(1, 1))));
    assert!(leader.says(committed));
    assert_eq!(leader.peer.last_applied(), at(1, 0));
    leader.tell(InputKind::Closed { conn: ConnId(11) });
    leader.joins(ONE, 12, at(1, 1), None);
    assert!(leader.says(|e| matches!(
        e,
        EventKind::SyncChosen {
            mode: SyncMode::Diff,
            ..
        }
    )));
}

#[test]
fn who_cuts_its_log_finishes_that_before_it_looks_for_another_leader() {
    // Otherwise it promises the next leader a history that is being cut off its disk.
    let mut follower = Driven::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.tell(InputKind::Closed { conn: ConnId(9) });
    assert_eq!(follower.peer.state(), ServerState::Following);
    follower.tell(InputKind::Truncated(Box::new(Stored {
        accepted_epoch: Some(Epoch(2)),
        ..disk(2)
    })));
    assert_eq!(follower.peer.state(), ServerState::Looking);
    assert_eq!(follower.peer.vote().zxid, at(1, 2));
    assert_eq!(follower.peer.last_logged(), at(1, 2));
}

#[test]
fn who_cuts_its_log_does_not_give_up_because_its_disk_is_slow() {
    let mut follower = Driven::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.at = follower.at + Span::millis(100_000);
    follower.tell(InputKind::Timer);
    assert_eq!(follower.peer.state(), ServerState::Following);
}

#[test]
fn who_has_nothing_left_after_a_cut_has_no_history_and_no_say() {
    // Seed 7690: its only snapshot was beyond the cut and the log before it was purged. It went on
    // with an empty tree and acknowledged a history that it did not have.
    let mut follower = Driven::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.packet(9, new_leader(at(2, 0)));
    follower.tell(InputKind::Truncated(Box::new(Stored {
        accepted_epoch: Some(Epoch(2)),
        current_epoch: Some(Epoch(1)),
        initialised: false,
        ..Stored::fresh()
    })));
    assert!(!follower.acks(at(2, 0)), "it has no history to acknowledge");
    assert_eq!(follower.peer.state(), ServerState::Looking);
    assert_eq!(follower.peer.last_zxid(), Zxid::UNINITIALISED, "no say");
}

#[test]
fn a_proposal_that_is_committed_between_newleader_and_uptodate_is_acknowledged_too() {
    // The leader waits for that ACK for syncLimit, and then gives the follower up.
    let mut follower = Driven::follower(&disk(1), 2);
    follower.packet(9, QuorumMessage::Diff { zxid: at(1, 1) });
    follower.packet(9, QuorumMessage::Proposal(txn(at(2, 1))));
    follower.packet(9, new_leader(at(2, 0)));
    assert!(follower.acks(at(2, 0)));
    follower.durable();
    follower.packet(9, QuorumMessage::Commit { zxid: at(2, 1) });
    follower.packet(9, QuorumMessage::UpToDate);
    assert!(follower.acks(at(2, 1)));
    follower.durable();
    assert_eq!(follower.peer.last_applied(), at(2, 1));
}

/// Its disk has only a tree that reaches beyond the cut: it came from a leader that was never
/// established.
#[test]
fn who_can_t_cut_its_log_asks_for_a_tree_and_keeps_what_it_has_until_that_is_there() {
    let mut tree = Database::new();
    tree.last_processed = at(1, 3);
    let stored = Stored {
        snapshot: Arc::new(tree),
        log: vec![txn(at(1, 4))],
        accepted_epoch: Some(Epoch(2)),
        current_epoch: Some(Epoch(1)),
        members: None,
        initialised: true,
    };
    let mut follower = Driven::follower(&stored, 3);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.packet(9, new_leader(at(3, 0)));
    follower.tell(InputKind::Truncated(Box::new(stored.clone())));
    assert!(!follower.acks(at(3, 0)));
    assert_eq!(follower.peer.state(), ServerState::Looking);
    assert_eq!(follower.peer.last_zxid(), Zxid::UNINITIALISED, "no say");
    assert_eq!(follower.peer.last_applied(), at(1, 4), "and nothing lost");
    // It starts again before anybody has sent it a tree.
    let again = Driven::start(ONE, &stored);
    assert_eq!(again.peer.last_zxid(), at(1, 4));
}

#[test]
fn a_commit_names_the_oldest_proposal_or_the_leader_is_given_up() {
    let mut follower = Driven::follower(&disk(1), 2);
    follower.packet(9, QuorumMessage::Diff { zxid: at(1, 1) });
    follower.packet(9, new_leader(at(2, 0)));
    follower.packet(9, QuorumMessage::UpToDate);
    for n in 1..=2 {
        follower.packet(9, QuorumMessage::Proposal(txn(at(2, n))));
    }
    follower.durable();
    follower.packet(9, QuorumMessage::Commit { zxid: at(2, 2) });
    assert_eq!(follower.peer.state(), ServerState::Looking);
    assert_eq!(
        follower.peer.last_committed(),
        at(1, 1),
        "nothing was taken for committed"
    );
}
