//! Bugs that the seeds found, each as the shortest story that shows it. One server is driven by hand;
//! the others are played.

use std::sync::Arc;
use zabscope_core::{
    bus::Message,
    config::{Config, Membership},
    id::{ClientId, ConnId, Epoch, ServerId, SessionId, StorageSeq, Zxid},
    log::Stored,
    message::{Ack, Notification, QuorumMessage, ServerState, Vote},
    peer::{
        Peer,
        event::{EventKind, SyncMode},
        input::{Input, InputKind},
        output::{Effect, Output},
    },
    request::{ConnectRequest, ErrorCode},
    time::{Moment, Now, Span},
    txn::{Txn, TxnBody, TxnHeader},
};

const ONE: ServerId = ServerId(1);
const TWO: ServerId = ServerId(2);
const THREE: ServerId = ServerId(3);

/// A server, its clock and what it did last.
struct Hand {
    peer: Peer,
    out: Output,
    at: Moment,
}

impl Hand {
    fn start(id: ServerId, stored: &Stored) -> Hand {
        let config = Config::new(id, Membership::simple(3, 0), Span::millis(2000));
        let mut out = Output::default();
        let at = Moment(1_000_000);
        let now = Now { at, wall_ms: 1 };
        let peer = Peer::start(Arc::new(config), stored, now, 1, StorageSeq(0), &mut out);
        Hand { peer, out, at }
    }

    fn tell(&mut self, kind: InputKind) {
        let now = Now {
            at: self.at,
            wall_ms: 1,
        };
        let input = Input { kind, cause: None };
        self.peer.handle(now, input, &mut self.out);
    }

    fn packet(&mut self, conn: u64, message: QuorumMessage) {
        self.tell(InputKind::Quorum(ConnId(conn), message));
    }

    fn durable(&mut self) {
        self.tell(InputKind::Durable(self.peer.last_storage()));
    }

    fn says(&self, is: impl Fn(&EventKind) -> bool) -> bool {
        self.out.events.iter().any(|e| is(&e.kind))
    }

    fn sends(&self) -> impl Iterator<Item = &QuorumMessage> {
        self.out.effects.iter().filter_map(|e| match e {
            Effect::Send {
                message: Message::Quorum(_, message),
                ..
            } => Some(message),
            _ => None,
        })
    }

    fn acks(&self, zxid: Zxid) -> bool {
        self.sends()
            .any(|m| matches!(m, QuorumMessage::Ack(ack) if ack.zxid() == zxid))
    }

    fn vote_of(&mut self, from: ServerId, state: ServerState, vote: Vote) {
        let notification = Notification {
            state,
            vote,
            round: 1,
            config_version: Zxid::ZERO,
        };
        self.tell(InputKind::Notification(from, notification));
    }

    /// Server 3 of a fresh ensemble, established in epoch 1 with server 1 at connection 11 and
    /// server 2 at connection 21.
    fn leader() -> Hand {
        let mut hand = Hand::start(THREE, &Stored::fresh());
        for from in [ONE, TWO] {
            hand.vote_of(from, ServerState::Looking, vote(0, Zxid::ZERO));
        }
        hand.at = hand.at + Span::millis(300);
        hand.tell(InputKind::Timer);
        assert!(hand.peer.leading().is_some(), "elected");
        hand.joins(ONE, 11, Zxid::ZERO, Some(Epoch(0)));
        hand.joins(TWO, 21, Zxid::ZERO, Some(Epoch(0)));
        hand.durable();
        hand.packet(11, QuorumMessage::Ack(Ack::received(at(1, 0))));
        assert!(hand.says(|e| matches!(e, EventKind::Established { .. })));
        hand.packet(21, QuorumMessage::Ack(Ack::received(at(1, 0))));
        hand
    }

    /// A follower connects and accepts the epoch.
    fn joins(&mut self, id: ServerId, conn: u64, last_zxid: Zxid, current: Option<Epoch>) {
        self.tell(InputKind::Accepted {
            from: id,
            conn: ConnId(conn),
        });
        let accepted = current.unwrap_or(Epoch(1));
        self.packet(
            conn,
            QuorumMessage::LearnerInfo {
                accepted_epoch: accepted,
                observer: false,
                config_version: Zxid::ZERO,
            },
        );
        self.packet(
            conn,
            QuorumMessage::AckEpoch {
                last_zxid,
                current_epoch: current,
            },
        );
    }

    /// A client asks the leader for a session: the transaction 1·n.
    fn proposes(&mut self, client: u64) {
        self.tell(InputKind::ClientConnect {
            client: ClientId(client),
            request: ConnectRequest {
                last_zxid_seen: Zxid::ZERO,
                timeout_ms: 10_000,
                session: SessionId::NONE,
                password: [0; 16],
            },
            auth: Arc::from([]),
        });
        assert!(self.says(|e| matches!(e, EventKind::Proposed { .. })));
    }

    /// Server 1 with this disk; it follows server 3 at connection 9 and has accepted `epoch`.
    fn follower(stored: &Stored, epoch: i64) -> Hand {
        let mut hand = Hand::start(ONE, stored);
        let last = hand.peer.last_zxid();
        let elected = vote(epoch - 1, last);
        hand.vote_of(THREE, ServerState::Leading, elected);
        hand.vote_of(TWO, ServerState::Following, elected);
        assert!(hand.peer.learning().is_some(), "it follows");
        hand.tell(InputKind::Connected {
            to: THREE,
            conn: ConnId(9),
        });
        hand.packet(
            9,
            QuorumMessage::LeaderInfo {
                epoch: Epoch(epoch),
            },
        );
        hand.durable();
        hand
    }
}

fn vote(epoch: i64, zxid: Zxid) -> Vote {
    Vote {
        epoch: Epoch(epoch),
        zxid,
        leader: THREE,
    }
}

fn at(epoch: i64, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

fn txn(zxid: Zxid) -> Arc<Txn> {
    Arc::new(Txn {
        header: TxnHeader {
            session: SessionId(7),
            cxid: 1,
            zxid,
            time_ms: 1,
        },
        body: TxnBody::Error(ErrorCode::NoNode),
        digest: None,
    })
}

/// A disk with 1·1 to 1·n.
fn disk(n: u32) -> Stored {
    Stored {
        log: (1..=n).map(|counter| txn(at(1, counter))).collect(),
        accepted_epoch: Some(Epoch(1)),
        current_epoch: Some(Epoch(1)),
        ..Stored::fresh()
    }
}

fn committed(e: &EventKind) -> bool {
    matches!(e, EventKind::Committed { .. })
}

#[test]
fn an_ack_does_not_count_any_more_when_its_sender_is_told_to_cut_that_transaction() {
    // Seed 15395: the follower acknowledged, lost its connection, came back, was told to cut the
    // tail of its log; and its old ACK made a commit that was on no quorum's disks.
    let mut leader = Hand::leader();
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
    let mut leader = Hand::leader();
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
    let mut follower = Hand::follower(&disk(3), 2);
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
    let mut follower = Hand::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.at = follower.at + Span::millis(100_000);
    follower.tell(InputKind::Timer);
    assert_eq!(follower.peer.state(), ServerState::Following);
}

#[test]
fn who_has_nothing_left_after_a_cut_asks_for_everything() {
    // Seed 7690: its only snapshot was beyond the cut and the log before it was purged. It went on
    // with an empty tree and acknowledged a history that it did not have.
    let mut follower = Hand::follower(&disk(3), 2);
    follower.packet(9, QuorumMessage::Trunc { zxid: at(1, 2) });
    follower.packet(9, QuorumMessage::NewLeader { zxid: at(2, 0) });
    follower.tell(InputKind::Truncated(Box::new(Stored {
        accepted_epoch: Some(Epoch(2)),
        current_epoch: Some(Epoch(1)),
        initialised: false,
        ..Stored::fresh()
    })));
    assert!(!follower.acks(at(2, 0)), "it has no history to acknowledge");
    let again = |e: &Effect| matches!(e, Effect::Connect { to: THREE, .. });
    assert!(follower.out.effects.iter().any(again));
    follower.tell(InputKind::Connected {
        to: THREE,
        conn: ConnId(10),
    });
    follower.packet(10, QuorumMessage::LeaderInfo { epoch: Epoch(2) });
    assert!(follower.sends().any(|m| matches!(
        m,
        QuorumMessage::AckEpoch {
            last_zxid: Zxid::UNINITIALISED,
            ..
        }
    )));
}

#[test]
fn a_proposal_that_is_committed_between_newleader_and_uptodate_is_acknowledged_too() {
    // The leader waits for that ACK for syncLimit, and then gives the follower up.
    let mut follower = Hand::follower(&disk(1), 2);
    follower.packet(9, QuorumMessage::Diff { zxid: at(1, 1) });
    follower.packet(9, QuorumMessage::Proposal(txn(at(2, 1))));
    follower.packet(9, QuorumMessage::NewLeader { zxid: at(2, 0) });
    assert!(follower.acks(at(2, 0)));
    follower.durable();
    follower.packet(9, QuorumMessage::Commit { zxid: at(2, 1) });
    follower.packet(9, QuorumMessage::UpToDate);
    assert!(follower.acks(at(2, 1)));
    follower.durable();
    assert_eq!(follower.peer.last_applied(), at(2, 1));
}
