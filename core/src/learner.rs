//! The learner's side, follower or observer: find the leader, take its epoch, take its history,
//! follow (ZooKeeper.md 3.2, 3.3, 3.5, 3.6).

mod reconfig;

use crate::{
    config::Next,
    id::{ConnId, Epoch, EventId, ServerId, SessionId, Zxid},
    log::Stored,
    message::{Ack, ForwardedOp, ForwardedRequest, QuorumMessage, ServerState},
    peer::{
        Wait, WaitReason,
        event::{DropReason, ElectionReason, EventKind, OpKind, Phase, SyncMode},
        output::{Effect, Output},
    },
    replica::Replica,
    rules::Rule,
    time::{Moment, Now, Span},
    txn::Txn,
};
use std::{collections::VecDeque, sync::Arc};

/// Attempts to reach a leader (3.2).
const CONNECT_ATTEMPTS: u32 = 5;

/// Where a learner stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearnerPhase {
    /// The leader is called.
    Connecting {
        /// When to try again; `None` while an attempt is under way.
        retry_at: Option<Moment>,
    },
    /// It has told its acceptedEpoch; LEADERINFO must come.
    AwaitingEpoch,
    /// It has accepted the epoch; DIFF, TRUNC or SNAP must come.
    AwaitingSync,
    /// Its log is being cut; what comes meanwhile is kept.
    Truncating {
        /// What came meanwhile, each with the event of its coming.
        held: VecDeque<(QuorumMessage, Option<EventId>)>,
    },
    /// It gets the history; NEWLEADER must come.
    Syncing {
        /// How.
        mode: SyncMode,
    },
    /// It has acknowledged NEWLEADER; UPTODATE must come.
    AwaitingUpToDate,
    /// It follows and serves.
    Serving,
    /// An observer that has lost its leader: it does not look for another at once, so that not all
    /// observers do.
    Resting {
        /// Until when.
        until: Moment,
        /// Why the leader is lost.
        because: ElectionReason,
    },
}

/// A learner, from the moment its leader is elected.
#[derive(Clone, Debug)]
pub struct Learner {
    leader: ServerId,
    observer: bool,
    conn: Option<ConnId>,
    phase: LearnerPhase,
    /// The epoch that the leader has offered.
    epoch: Epoch,
    /// Attempts to reach the leader so far.
    attempt: u32,
    began: Moment,
    last_heard: Moment,
    /// Received while synchronising, not yet logged: oldest first.
    pending: VecDeque<Arc<Txn>>,
    /// How many of `pending`, from the front, the leader has said to be committed.
    pending_committed: usize,
    /// About how many bytes of the leader's packets are kept until they can be logged.
    kept_bytes: usize,
    /// What of our log was cut, for the event.
    cut: Option<(Zxid, Zxid)>,
    /// The leader was lost while our log was being cut: nothing can go on before the disk has
    /// answered, for until then we do not know what we stand for.
    lost: Option<ElectionReason>,
    /// The members that NEWLEADER has offered: with UPTODATE they hold.
    offered: Option<Next>,
}

type Verdict = Result<(), ElectionReason>;

/// Some part of `most`, another for each server and at each time: observers are not to come all at once.
fn part_of(most: Span, now: Now, id: ServerId) -> Span {
    let mixed = (now.at.0 ^ id.0.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    Span((mixed ^ (mixed >> 31)) % most.0.max(1))
}

impl Learner {
    /// Begins to follow: calls the leader.
    pub(crate) fn begin(now: Now, me: &Replica, leader: ServerId, out: &mut Output) -> Learner {
        let observer = me.cfg.is_observer();
        let wait = me.cfg.joining.observer_reconnect;
        let waits = observer && wait > Span(0);
        let began = match waits {
            true => now.at + part_of(wait, now, me.id()),
            false => now.at,
        };
        if !waits {
            out.emit(EventKind::Connecting { leader, attempt: 1 });
            out.effect(|cause| Effect::Connect { to: leader, cause });
        }
        Learner {
            leader,
            observer,
            conn: None,
            phase: LearnerPhase::Connecting {
                retry_at: waits.then_some(began),
            },
            epoch: Epoch(0),
            attempt: u32::from(!waits),
            began,
            last_heard: now.at,
            pending: VecDeque::new(),
            pending_committed: 0,
            kept_bytes: 0,
            cut: None,
            lost: None,
            offered: None,
        }
    }

    /// Whom it follows.
    #[must_use]
    pub fn leader(&self) -> ServerId {
        self.leader
    }

    /// Its connection to the leader.
    #[must_use]
    pub fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// Attempts to reach the leader so far.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> &LearnerPhase {
        &self.phase
    }

    /// Received while synchronising and not yet logged, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Arc<Txn>> {
        self.pending.iter()
    }

    /// Its state, for notifications.
    #[must_use]
    pub fn state(&self) -> ServerState {
        if self.is_resting() {
            ServerState::Looking
        } else if self.observer {
            ServerState::Observing
        } else {
            ServerState::Following
        }
    }

    /// Whether it has no leader any more, and waits before it looks for one.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        matches!(self.phase, LearnerPhase::Resting { .. })
    }

    /// The leader is lost: an observer may have to wait before it looks for another.
    pub(crate) fn rests(&mut self, now: Now, me: &Replica, because: ElectionReason) -> bool {
        let most = me.cfg.joining.observer_rest;
        let rests = self.observer && me.cfg.is_observer() && most > Span(0);
        if rests {
            let until = now.at + part_of(most, now, me.id());
            self.phase = LearnerPhase::Resting { until, because };
        }
        rests
    }

    /// What the ring round the server shows.
    #[must_use]
    pub fn ring(&self) -> Phase {
        match self.phase {
            LearnerPhase::Resting { .. } => Phase::Election,
            LearnerPhase::Connecting { .. } | LearnerPhase::AwaitingEpoch => Phase::Discovery,
            LearnerPhase::AwaitingSync
            | LearnerPhase::Truncating { .. }
            | LearnerPhase::Syncing { .. }
            | LearnerPhase::AwaitingUpToDate => Phase::Synchronisation,
            LearnerPhase::Serving => Phase::Broadcast,
        }
    }

    /// Its deadline; none while the disk is at work, which always answers.
    #[must_use]
    pub fn next_wait(&self, me: &Replica) -> Option<Wait> {
        match &self.phase {
            LearnerPhase::Connecting { retry_at: Some(at) } => Some(Wait {
                at: *at,
                reason: WaitReason::RetryConnect,
            }),
            LearnerPhase::Connecting { retry_at: None } => Some(Wait {
                at: self.began + me.cfg.connect_span(),
                reason: WaitReason::LearnerInitLimit,
            }),
            LearnerPhase::Resting { until, .. } => Some(Wait {
                at: *until,
                reason: WaitReason::ObserverRest,
            }),
            LearnerPhase::AwaitingEpoch
            | LearnerPhase::AwaitingSync
            | LearnerPhase::Syncing { .. } => Some(Wait {
                at: self.last_heard + me.cfg.init_span(),
                reason: WaitReason::LearnerInitLimit,
            }),
            LearnerPhase::Truncating { .. } => None,
            LearnerPhase::AwaitingUpToDate | LearnerPhase::Serving => Some(Wait {
                at: self.last_heard + me.cfg.sync_span(),
                reason: WaitReason::LearnerSyncLimit,
            }),
        }
    }

    /// A deadline has come.
    pub(crate) fn on_timer(&mut self, now: Now, me: &Replica, out: &mut Output) -> Verdict {
        if self.next_wait(me).is_none_or(|wait| now.at < wait.at) {
            return Ok(());
        }
        let leader = self.leader;
        match &mut self.phase {
            LearnerPhase::Connecting { retry_at } if retry_at.is_some() => {
                self.attempt += 1;
                *retry_at = None;
                out.emit(EventKind::Connecting {
                    leader,
                    attempt: self.attempt,
                });
                out.effect(|cause| Effect::Connect { to: leader, cause });
                Ok(())
            }
            LearnerPhase::Connecting { .. } => Err(ElectionReason::LeaderUnreachable {
                leader,
                attempts: self.attempt,
            }),
            LearnerPhase::Resting { because, .. } => Err(*because),
            LearnerPhase::AwaitingEpoch
            | LearnerPhase::AwaitingSync
            | LearnerPhase::Truncating { .. }
            | LearnerPhase::Syncing { .. }
            | LearnerPhase::AwaitingUpToDate
            | LearnerPhase::Serving => Err(ElectionReason::LeaderSilent {
                leader,
                waited: now.at - self.last_heard,
            }),
        }
    }

    /// The connection stands: tell the leader who we are.
    pub(crate) fn on_connected(
        &mut self,
        now: Now,
        me: &Replica,
        to: ServerId,
        conn: ConnId,
        out: &mut Output,
    ) {
        if to != self.leader || !matches!(self.phase, LearnerPhase::Connecting { .. }) {
            out.effect(|cause| Effect::Close { conn, cause });
            return;
        }
        self.conn = Some(conn);
        self.last_heard = now.at;
        self.phase = LearnerPhase::AwaitingEpoch;
        let accepted_epoch = me.promised_epoch();
        out.emit(EventKind::LearnerInfoSent {
            leader: to,
            accepted_epoch,
        });
        let info = QuorumMessage::LearnerInfo {
            accepted_epoch,
            observer: self.observer,
            config_version: me.cfg.membership.version,
        };
        out.send(to, conn, info);
    }

    /// The leader could not be reached, or closed at once because it does not lead yet.
    pub(crate) fn on_connect_failed(&mut self, now: Now, me: &Replica, to: ServerId) -> Verdict {
        let leader = self.leader;
        if to != leader {
            return Ok(());
        }
        if let LearnerPhase::Connecting { retry_at } = &mut self.phase {
            if self.attempt >= CONNECT_ATTEMPTS || now.at >= self.began + me.cfg.connect_span() {
                return Err(ElectionReason::LeaderUnreachable {
                    leader,
                    attempts: self.attempt,
                });
            }
            *retry_at = Some(now.at + me.cfg.joining.connect_retry);
        }
        Ok(())
    }

    /// The connection to the leader is gone. If it never said a word, it does not lead yet: that is
    /// an attempt that failed.
    pub(crate) fn on_closed(&mut self, now: Now, me: &Replica, conn: ConnId) -> Verdict {
        if self.conn != Some(conn) {
            return Ok(());
        }
        if self.phase == LearnerPhase::AwaitingEpoch {
            self.conn = None;
            self.phase = LearnerPhase::Connecting { retry_at: None };
            return self.on_connect_failed(now, me, self.leader);
        }
        self.give_up(ElectionReason::LeaderConnectionLost {
            leader: self.leader,
        })
    }

    /// Back to the election, at once or when the disk has answered.
    fn give_up(&mut self, because: ElectionReason) -> Verdict {
        if matches!(self.phase, LearnerPhase::Truncating { .. }) {
            self.lost.get_or_insert(because);
            return Ok(());
        }
        Err(because)
    }

    /// Gives the connection up.
    pub(crate) fn close(&mut self, out: &mut Output) {
        if let Some(conn) = self.conn.take() {
            out.effect(|cause| Effect::Close { conn, cause });
        }
    }

    /// Leaves the leader and does not hang up: what it still says may come. Only without
    /// [`Rule::CommitEpoch`].
    pub(crate) fn leave_open(&mut self, me: &mut Replica, out: &mut Output) {
        if let Some(conn) = self.conn.take() {
            me.leave_open(conn, self.leader, out);
        }
    }

    fn broke(&self, message: &QuorumMessage, out: &mut Output) -> Verdict {
        let kind = message.kind();
        out.emit(EventKind::LinkDropped {
            with: self.leader,
            because: DropReason::Unexpected(kind),
        });
        Err(ElectionReason::LeaderBroke {
            leader: self.leader,
            message: kind,
        })
    }

    /// A packet from the leader.
    pub(crate) fn on_message(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Verdict {
        if self.conn != Some(conn) {
            // Of a leader that it has left: without the rule its COMMITs, and only these, still count.
            return match message {
                QuorumMessage::Commit { .. }
                    if self.phase == LearnerPhase::Serving && me.left_at(conn).is_some() =>
                {
                    self.on_broadcast(me, conn, message, out)
                }
                _ => Ok(()),
            };
        }
        self.last_heard = now.at;
        match &mut self.phase {
            LearnerPhase::Connecting { .. } | LearnerPhase::Resting { .. } => Ok(()),
            LearnerPhase::AwaitingEpoch => match message {
                QuorumMessage::LeaderInfo { epoch } => self.on_leader_info(me, conn, epoch, out),
                other => self.broke(&other, out),
            },
            LearnerPhase::AwaitingSync => self.on_sync_choice(me, message, out),
            LearnerPhase::Truncating { .. } => self.hold_back(me, message, out),
            LearnerPhase::Syncing { .. } | LearnerPhase::AwaitingUpToDate => {
                self.on_sync_packet(me, conn, message, out)
            }
            LearnerPhase::Serving => self.on_broadcast(me, conn, message, out),
        }
    }

    /// A packet that has to wait for the disk.
    fn hold_back(&mut self, me: &Replica, message: QuorumMessage, out: &mut Output) -> Verdict {
        let fits = match &message {
            QuorumMessage::Proposal(txn)
            | QuorumMessage::Inform(txn)
            | QuorumMessage::InformAndActivate { txn, .. } => self.keep(me, txn),
            // A second tree has no place here, and is the one packet without a bound.
            QuorumMessage::Snap { .. } => false,
            _ => self.keep_bytes(me, size_of::<QuorumMessage>()),
        };
        if !fits {
            let kind = message.kind();
            out.emit(EventKind::LinkDropped {
                with: self.leader,
                because: DropReason::Unexpected(kind),
            });
            // Nothing goes on before the disk has answered.
            self.close(out);
            let leader = self.leader;
            return self.give_up(ElectionReason::LeaderBroke {
                leader,
                message: kind,
            });
        }
        if let LearnerPhase::Truncating { held } = &mut self.phase {
            held.push_back((message, out.cause));
        }
        Ok(())
    }

    /// Whether there is room for one more transaction that can't be logged yet.
    fn keep(&mut self, me: &Replica, txn: &Txn) -> bool {
        self.keep_bytes(me, txn.approximate_bytes())
    }

    fn keep_bytes(&mut self, me: &Replica, bytes: usize) -> bool {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        self.kept_bytes <= me.cfg.backlog_limit
    }

    // ---- discovery -------------------------------------------------------------------------------

    fn on_leader_info(
        &mut self,
        me: &mut Replica,
        conn: ConnId,
        epoch: Epoch,
        out: &mut Output,
    ) -> Verdict {
        let accepted = me.promised_epoch();
        if epoch < accepted {
            return Err(ElectionReason::LeaderStale {
                leader: self.leader,
                offered: epoch,
                accepted,
            });
        }
        // A second acknowledgement of an epoch does not count to its quorum (trap 14).
        let current_epoch = (epoch > accepted).then(|| {
            me.log.accept_epoch(epoch, out);
            me.log.current_epoch()
        });
        self.epoch = epoch;
        self.phase = LearnerPhase::AwaitingSync;
        let last_zxid = me.last_zxid();
        out.emit(EventKind::EpochAcked {
            epoch,
            last_zxid,
            current_epoch,
        });
        // Neither the epoch nor the history it speaks of may be lost once this has left.
        let after = me.log.unsynced();
        out.send_after(
            self.leader,
            conn,
            QuorumMessage::AckEpoch {
                last_zxid,
                current_epoch,
            },
            after,
        );
        Ok(())
    }

    // ---- synchronisation ---------------------------------------------------------------------------

    fn on_sync_choice(
        &mut self,
        me: &mut Replica,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Verdict {
        let ours = me.last_zxid();
        match message {
            QuorumMessage::Diff { zxid } => {
                out.because(EventKind::SyncStarted {
                    mode: SyncMode::Diff,
                    zxid,
                    ours,
                });
                me.set_initialised(true);
                self.phase = LearnerPhase::Syncing {
                    mode: SyncMode::Diff,
                };
                Ok(())
            }
            QuorumMessage::Trunc { zxid } => {
                out.because(EventKind::SyncStarted {
                    mode: SyncMode::Trunc,
                    zxid,
                    ours,
                });
                // What the leader does not have was never committed, and its successors will give the
                // same zxids to other transactions (3.4): it has to go. Without the rule it stays.
                if !me.cfg.rules.has(Rule::Truncate) {
                    self.phase = LearnerPhase::Syncing {
                        mode: SyncMode::Trunc,
                    };
                    return Ok(());
                }
                self.cut = Some((zxid, me.log.last_logged()));
                self.phase = LearnerPhase::Truncating {
                    held: VecDeque::new(),
                };
                me.log.truncate(zxid, out);
                Ok(())
            }
            QuorumMessage::Snap { zxid, snapshot } => {
                out.because(EventKind::SyncStarted {
                    mode: SyncMode::Snap,
                    zxid,
                    ours,
                });
                me.install(&snapshot, zxid, out);
                self.phase = LearnerPhase::Syncing {
                    mode: SyncMode::Snap,
                };
                Ok(())
            }
            other => self.broke(&other, out),
        }
    }

    /// The log was cut, and what is left was loaded.
    pub(crate) fn on_truncated(
        &mut self,
        now: Now,
        me: &mut Replica,
        stored: &Stored,
        out: &mut Output,
    ) -> Verdict {
        let LearnerPhase::Truncating { held } = &mut self.phase else {
            return Ok(());
        };
        let held = std::mem::take(held);
        self.kept_bytes = 0;
        let before: Vec<Zxid> = me.log.committed().iter().map(|t| t.zxid()).collect();
        me.reload(stored);
        let (to, last) = self
            .cut
            .take()
            .unwrap_or((me.log.last_logged(), me.log.last_logged()));
        let gone: Vec<Zxid> = before
            .into_iter()
            .filter(|z| *z > me.log.last_logged())
            .collect();
        let count = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        let last = (count > 0).then_some(last);
        out.because(EventKind::LogTruncated {
            to,
            first: gone.first().copied(),
            last,
            count,
        });
        // A disk that could not be cut so, because what came before is purged, has no history that is
        // worth something. The beginning of an epoch is in no log.
        let last = me.log.last_logged();
        if !stored.initialised || last > to || (last != to && !to.is_new_epoch()) {
            me.set_initialised(false);
            return Err(ElectionReason::TruncationFailed { to, last });
        }
        if let Some(because) = self.lost.take() {
            return Err(because);
        }
        self.phase = LearnerPhase::Syncing {
            mode: SyncMode::Trunc,
        };
        let Some(conn) = self.conn else { return Ok(()) };
        for (message, cause) in held {
            out.cause = cause;
            self.on_message(now, me, conn, message, out)?;
        }
        Ok(())
    }

    fn on_sync_packet(
        &mut self,
        me: &mut Replica,
        conn: ConnId,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Verdict {
        match message {
            QuorumMessage::Proposal(txn) => self.hold(me, txn, out),
            QuorumMessage::Commit { zxid } => self.commit_held(zxid, out),
            QuorumMessage::Inform(txn) if self.observer => {
                let zxid = txn.zxid();
                self.hold(me, txn, out)?;
                self.commit_held(zxid, out)
            }
            QuorumMessage::CommitAndActivate { zxid, designated } => {
                self.commit_held(zxid, out)?;
                self.activate_held(me, designated, out)
            }
            QuorumMessage::InformAndActivate { txn, designated } if self.observer => {
                let zxid = txn.zxid();
                self.hold(me, txn, out)?;
                self.commit_held(zxid, out)?;
                self.activate_held(me, designated, out)
            }
            QuorumMessage::NewLeader { zxid, members }
                if matches!(self.phase, LearnerPhase::Syncing { .. })
                    && zxid == self.epoch.start() =>
            {
                self.on_new_leader(me, conn, members, out)
            }
            QuorumMessage::UpToDate if self.phase == LearnerPhase::AwaitingUpToDate => {
                self.on_up_to_date(me, conn, out)
            }
            QuorumMessage::Ping { zxid } => {
                out.send(
                    self.leader,
                    conn,
                    QuorumMessage::Pong {
                        zxid,
                        touched: Vec::new(),
                    },
                );
                Ok(())
            }
            other => self.broke(&other, out),
        }
    }

    /// A transaction of the history, or one that is proposed while we join.
    fn hold(&mut self, me: &Replica, txn: Arc<Txn>, out: &mut Output) -> Verdict {
        let zxid = txn.zxid();
        let previous = self
            .pending
            .back()
            .map_or(me.log.last_logged(), |t| t.zxid());
        // A hole in the history is a bug of the leader and must not become ours (3.5, 3.9.4).
        let follows = zxid > previous
            && (zxid.epoch() > previous.epoch()
                || zxid.counter() == previous.counter().wrapping_add(1));
        if !follows || !self.keep(me, &txn) {
            return self.broke(&QuorumMessage::Proposal(txn), out);
        }
        self.pending.push_back(txn);
        Ok(())
    }

    fn commit_held(&mut self, zxid: Zxid, out: &mut Output) -> Verdict {
        match self.pending.get(self.pending_committed) {
            Some(txn) if txn.zxid() == zxid => {
                self.pending_committed += 1;
                Ok(())
            }
            Some(_) | None => self.broke(&QuorumMessage::Commit { zxid }, out),
        }
    }

    /// The history is complete. In this order: what is committed goes to the log, then the epoch,
    /// and only when both are on disk does the ACK leave.
    fn on_new_leader(
        &mut self,
        me: &mut Replica,
        conn: ConnId,
        members: Option<Arc<str>>,
        out: &mut Output,
    ) -> Verdict {
        self.log_committed(me, out);
        self.see_offered(me, members, out);
        out.because(EventKind::HistoryComplete {
            epoch: self.epoch,
            last_zxid: me.log.last_logged(),
        });
        let witness = match self.logs(me) {
            true => me.log.seal_history(self.epoch, out),
            false => me.log.unsealed_history(self.epoch),
        };
        self.acknowledge(me, conn, witness.ack(), out);
        self.phase = LearnerPhase::AwaitingUpToDate;
        me.apply_ready(out, |_| {});
        Ok(())
    }

    fn log_committed(&mut self, me: &mut Replica, out: &mut Output) {
        let rest = self.pending.split_off(self.pending_committed);
        for txn in std::mem::replace(&mut self.pending, rest) {
            self.kept_bytes = self.kept_bytes.saturating_sub(txn.approximate_bytes());
            me.commit_up_to(txn.zxid());
            // Part of a history: the ACK of NEWLEADER speaks for it.
            self.take_in(me, txn, out);
        }
        self.pending_committed = 0;
    }

    /// Whether it keeps a log; an observer need not.
    fn logs(&self, me: &Replica) -> bool {
        !self.observer || me.cfg.joining.observer_logs
    }

    /// Takes a committed transaction in that is not acknowledged by itself: it is logged, but by an
    /// observer that keeps no log.
    fn take_in(&self, me: &mut Replica, txn: Arc<Txn>, out: &mut Output) {
        if self.logs(me) {
            let _unacknowledged = me.append(txn, out);
        } else {
            me.pass(txn, out);
        }
    }

    fn on_up_to_date(&mut self, me: &mut Replica, conn: ConnId, out: &mut Output) -> Verdict {
        // The second ACK of the epoch; leaders ignore it (trap 16).
        let witness = match self.logs(me) {
            true => me.log.sealed_history(),
            false => me.log.unsealed_history(self.epoch),
        };
        self.acknowledge(me, conn, witness.ack(), out);
        // What we acknowledged with NEWLEADER is committed now.
        me.commit_up_to(me.log.last_logged());
        self.activate_offered(me, out)?;
        let committed = std::mem::take(&mut self.pending_committed);
        for (at, txn) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if at < committed {
                me.commit_up_to(txn.zxid());
            }
            if self.observer {
                self.take_in(me, txn, out);
            } else {
                let witness = me.append(txn, out);
                self.acknowledge(me, conn, witness.ack(), out);
            }
        }
        self.kept_bytes = 0;
        self.phase = LearnerPhase::Serving;
        me.vote.epoch = self.epoch;
        me.serving = true;
        out.emit(EventKind::Serving {
            leader: self.leader,
            epoch: self.epoch,
            last_zxid: me.db.last_processed,
        });
        me.apply_ready(out, |_| {});
        Ok(())
    }

    /// Sends an ACK, which says that what it speaks for survives a power failure here: it waits for the
    /// disk (3.5, 3.6). Without [`Rule::DurableAck`] it does not.
    fn acknowledge(&self, me: &Replica, conn: ConnId, ack: Ack, out: &mut Output) {
        let waits = me.cfg.rules.has(Rule::DurableAck);
        out.ack(self.leader, conn, if waits { ack } else { ack.hasty() });
    }

    // ---- broadcast ---------------------------------------------------------------------------------

    fn on_broadcast(
        &mut self,
        me: &mut Replica,
        conn: ConnId,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Verdict {
        match message {
            QuorumMessage::Proposal(txn) if !self.observer => {
                // A leader that proposes without end and commits nothing is a bad one.
                if txn.zxid() <= me.log.last_logged() || me.waiting_bytes() > me.cfg.backlog_limit {
                    return self.broke(&QuorumMessage::Proposal(txn), out);
                }
                let witness = me.append(txn, out);
                self.acknowledge(me, conn, witness.ack(), out);
                Ok(())
            }
            QuorumMessage::Commit { zxid } if !self.observer => {
                let Some(named) = me.named_by_commit(zxid) else {
                    return self.broke(&QuorumMessage::Commit { zxid }, out);
                };
                me.commit_up_to(named);
                me.apply_ready(out, |_| {});
                Ok(())
            }
            QuorumMessage::CommitAndActivate { zxid, designated } if !self.observer => {
                if me.oldest_uncommitted() != Some(zxid) {
                    return self.broke(&message, out);
                }
                me.commit_up_to(zxid);
                let verdict = self.activate(me, zxid, designated, out);
                me.apply_ready(out, |_| {});
                verdict
            }
            QuorumMessage::InformAndActivate { txn, designated } if self.observer => {
                let zxid = txn.zxid();
                if zxid <= me.log.last_logged() {
                    return self.broke(&QuorumMessage::Inform(txn), out);
                }
                self.take_in(me, txn, out);
                me.commit_up_to(zxid);
                let verdict = self.activate(me, zxid, designated, out);
                me.apply_ready(out, |_| {});
                verdict
            }
            QuorumMessage::Inform(txn) if self.observer => {
                let zxid = txn.zxid();
                if zxid <= me.log.last_logged() {
                    return self.broke(&QuorumMessage::Inform(txn), out);
                }
                self.take_in(me, txn, out);
                me.commit_up_to(zxid);
                me.apply_ready(out, |_| {});
                Ok(())
            }
            QuorumMessage::Ping { zxid } => {
                let touched = me.clients.take_touched();
                out.send(self.leader, conn, QuorumMessage::Pong { zxid, touched });
                Ok(())
            }
            QuorumMessage::Revalidated { session, valid } => {
                me.clients.validated(session, valid, out);
                Ok(())
            }
            QuorumMessage::Sync => {
                me.clients.synced(me.committed());
                me.apply_ready(out, |_| {});
                Ok(())
            }
            other => self.broke(&other, out),
        }
    }

    /// Something of ours is on disk now.
    pub(crate) fn on_durable(&mut self, me: &mut Replica, zxids: &[Zxid], out: &mut Output) {
        if let Some(zxid) = zxids
            .last()
            .filter(|_| !self.observer && self.phase == LearnerPhase::Serving)
        {
            out.emit(EventKind::AckSent {
                zxid: *zxid,
                to: self.leader,
            });
        }
        if self.phase == LearnerPhase::Serving || self.phase == LearnerPhase::AwaitingUpToDate {
            me.apply_ready(out, |_| {});
        }
    }

    /// A client's write or sync goes to the leader.
    pub(crate) fn forward(&self, request: ForwardedRequest, out: &mut Output) {
        let Some(conn) = self.conn else { return };
        let op = match &request.op {
            ForwardedOp::Write(write) => write.kind(),
            ForwardedOp::Sync => OpKind::Sync,
        };
        out.because(EventKind::RequestForwarded {
            leader: self.leader,
            session: request.session,
            xid: request.cxid,
            op,
        });
        out.send(self.leader, conn, QuorumMessage::Request(request));
    }

    /// A client came with a session: the leader knows whether it is alive.
    pub(crate) fn validate(&self, session: SessionId, timeout_ms: i32, out: &mut Output) {
        if let Some(conn) = self.conn {
            out.send(
                self.leader,
                conn,
                QuorumMessage::Revalidate {
                    session,
                    timeout_ms,
                },
            );
        }
    }
}
