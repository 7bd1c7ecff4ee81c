//! One server driven by hand; the others are played by the test.

use std::sync::Arc;
use zabscope_core::{
    bus::Message,
    config::{Config, Membership},
    id::{ClientId, ConnId, Epoch, ServerId, SessionId, StorageSeq, Zxid},
    log::Stored,
    message::{Ack, Notification, QuorumMessage, ServerState, Vote},
    peer::{
        Peer,
        event::EventKind,
        input::{Input, InputKind},
        output::{Effect, Output},
    },
    request::{ConnectRequest, ErrorCode},
    time::{Moment, Now, Span},
    txn::{Txn, TxnBody, TxnHeader},
};

/// Server 1.
pub const ONE: ServerId = ServerId(1);
/// Server 2.
pub const TWO: ServerId = ServerId(2);
/// Server 3.
pub const THREE: ServerId = ServerId(3);

/// A server, its clock and what it did last.
#[derive(Clone, Debug)]
pub struct Driven {
    /// It.
    pub peer: Peer,
    /// What the last input led to.
    pub out: Output,
    /// Its clock.
    pub at: Moment,
}

impl Driven {
    /// A member of an ensemble of three with this disk.
    #[must_use]
    pub fn start(id: ServerId, stored: &Stored) -> Driven {
        let config = Config::new(id, Membership::simple(3, 0), Span::millis(2000));
        Driven::configured(config, stored)
    }

    /// A server with this configuration and disk.
    #[must_use]
    pub fn configured(config: Config, stored: &Stored) -> Driven {
        let mut out = Output::default();
        let at = Moment(1_000_000);
        let now = Now { at, wall_ms: 1 };
        let peer = Peer::start(Arc::new(config), stored, now, 1, StorageSeq(0), &mut out);
        Driven { peer, out, at }
    }

    /// One input.
    pub fn tell(&mut self, kind: InputKind) {
        let now = Now {
            at: self.at,
            wall_ms: 1,
        };
        let input = Input { kind, cause: None };
        self.peer.handle(now, input, &mut self.out);
    }

    /// A packet on this connection.
    pub fn packet(&mut self, conn: u64, message: QuorumMessage) {
        self.tell(InputKind::Quorum(ConnId(conn), message));
    }

    /// Everything it has written is on disk.
    pub fn durable(&mut self) {
        self.tell(InputKind::Durable(self.peer.last_storage()));
    }

    /// Whether the last input led to such an event.
    pub fn says(&self, is: impl Fn(&EventKind) -> bool) -> bool {
        self.out.events.iter().any(|e| is(&e.kind))
    }

    /// The packets that the last input led to.
    pub fn sends(&self) -> impl Iterator<Item = &QuorumMessage> {
        self.out.effects.iter().filter_map(|e| match e {
            Effect::Send {
                message: Message::Quorum(_, message),
                ..
            } => Some(message),
            _ => None,
        })
    }

    /// Whether it acknowledges this.
    pub fn acks(&self, zxid: Zxid) -> bool {
        self.sends()
            .any(|m| matches!(m, QuorumMessage::Ack(ack) if ack.zxid() == zxid))
    }

    /// A vote comes.
    pub fn vote_of(&mut self, from: ServerId, state: ServerState, vote: Vote) {
        let notification = Notification {
            state,
            vote,
            round: 1,
            config_version: Zxid::ZERO,
            members: None,
        };
        self.tell(InputKind::Notification(from, notification));
    }

    /// Server 3 of a fresh ensemble, established in epoch 1 with server 1 at connection 11 and
    /// server 2 at connection 21.
    #[must_use]
    pub fn leader() -> Driven {
        Driven::leader_with(|_| {})
    }

    /// The same, configured otherwise.
    #[must_use]
    pub fn leader_with(change: impl FnOnce(&mut Config)) -> Driven {
        let mut config = Config::new(THREE, Membership::simple(3, 0), Span::millis(2000));
        change(&mut config);
        let mut hand = Driven::configured(config, &Stored::fresh());
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
    pub fn joins(&mut self, id: ServerId, conn: u64, last_zxid: Zxid, current: Option<Epoch>) {
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
    pub fn proposes(&mut self, client: u64) {
        self.tell(InputKind::ClientConnect {
            client: ClientId(client),
            request: ConnectRequest::new_session(10_000),
            auth: Arc::from([]),
        });
        assert!(self.says(|e| matches!(e, EventKind::Proposed { .. })));
    }

    /// Server 1 with this disk; it follows server 3 at connection 9 and has accepted `epoch`.
    #[must_use]
    pub fn follower(stored: &Stored, epoch: i64) -> Driven {
        Driven::follower_with(stored, epoch, |_| {})
    }

    /// The same, configured otherwise.
    #[must_use]
    pub fn follower_with(stored: &Stored, epoch: i64, change: impl FnOnce(&mut Config)) -> Driven {
        let mut config = Config::new(ONE, Membership::simple(3, 0), Span::millis(2000));
        change(&mut config);
        let mut hand = Driven::configured(config, stored);
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

/// A vote for server 3.
#[must_use]
pub fn vote(epoch: i64, zxid: Zxid) -> Vote {
    Vote {
        epoch: Epoch(epoch),
        zxid,
        leader: THREE,
    }
}

/// A zxid.
#[must_use]
pub fn at(epoch: i64, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

/// NEWLEADER of an ensemble whose members do not change.
#[must_use]
pub fn new_leader(zxid: Zxid) -> QuorumMessage {
    QuorumMessage::NewLeader {
        zxid,
        members: None,
    }
}

/// A transaction that failed: it changes nothing.
#[must_use]
pub fn txn(zxid: Zxid) -> Arc<Txn> {
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
#[must_use]
pub fn disk(n: u32) -> Stored {
    Stored {
        log: (1..=n).map(|counter| txn(at(1, counter))).collect(),
        accepted_epoch: Some(Epoch(1)),
        current_epoch: Some(Epoch(1)),
        ..Stored::fresh()
    }
}
