//! The leader's side: discovery, synchronisation, broadcast, and who is alive
//! (ZooKeeper.md 3.3 to 3.7).

mod liveness;
mod reconfig;

use crate::{
    config::Config,
    id::{ConnId, Epoch, ServerId, SessionId, Zxid},
    log::{LogRead, Written},
    message::{ForwardedOp, ForwardedRequest, QuorumMessage},
    peer::{
        Wait, WaitReason,
        event::{DropReason, ElectionReason, EventKind, Phase, SyncMode},
        output::{Effect, Output, StorageSeq},
    },
    pipeline::prepare,
    replica::Replica,
    request::{AuthId, ErrorCode, Write},
    rules::Rule,
    session::{self, tracker::SessionTracker},
    sync::{self, SyncChoice, SyncInput, SyncPlan},
    time::{Moment, Now},
    tree::Database,
    txn::{Txn, TxnBody, TxnHeader},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// Where the leader stands. Each phase but the last has a deadline of initLimit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderPhase {
    /// A quorum must tell its acceptedEpochs.
    CollectingInfo,
    /// A quorum must accept the new epoch.
    CollectingEpochAcks,
    /// A quorum must have the history on disk.
    CollectingNewLeaderAcks,
    /// It leads.
    Established,
}

/// Where a learner stands, seen from its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerStage {
    /// It has connected; FOLLOWERINFO or OBSERVERINFO must come.
    Connected,
    /// It has told its acceptedEpoch; there is no new epoch yet.
    Told,
    /// It was told the new epoch; ACKEPOCH must come.
    EpochOffered,
    /// It has accepted the epoch; not yet a quorum did.
    EpochAcked,
    /// The log on disk is read for it.
    ReadingLog,
    /// It gets the history; its ACK of NEWLEADER must come.
    Syncing,
    /// It has the history on disk.
    Synced,
    /// It was told to serve.
    Serving,
}

/// A learner's connection.
#[derive(Clone, Debug)]
pub struct LearnerLink {
    id: ServerId,
    observer: bool,
    stage: LearnerStage,
    last_zxid: Zxid,
    last_heard: Moment,
    /// The tick until which it counts as in time.
    tick_deadline: u64,
    /// How it was brought up to date.
    mode: Option<SyncMode>,
    /// The oldest proposal that it has not acknowledged, and one of the next: when they were sent.
    unacked: [Option<(Zxid, Moment)>; 2],
}

impl LearnerLink {
    /// Who.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// Whether it observes.
    #[must_use]
    pub fn is_observer(&self) -> bool {
        self.observer
    }

    /// Where it stands.
    #[must_use]
    pub fn stage(&self) -> LearnerStage {
        self.stage
    }

    /// Its last zxid when it came.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    fn is_forwarded(&self) -> bool {
        matches!(
            self.stage,
            LearnerStage::Syncing | LearnerStage::Synced | LearnerStage::Serving
        )
    }

    fn sent_proposal(&mut self, zxid: Zxid, at: Moment) {
        if let Some(free) = self.unacked.iter_mut().find(|slot| slot.is_none()) {
            *free = Some((zxid, at));
        }
    }

    fn acked(&mut self, zxid: Zxid) {
        if self.unacked[0].is_some_and(|(z, _)| z <= zxid) {
            self.unacked = [self.unacked[1].filter(|(z, _)| *z > zxid), None];
        }
    }
}

/// A proposal that is not committed yet.
#[derive(Clone, Debug)]
pub struct Outstanding {
    txn: Arc<Txn>,
    acks: BTreeSet<ServerId>,
}

impl Outstanding {
    /// What is proposed.
    #[must_use]
    pub fn txn(&self) -> &Arc<Txn> {
        &self.txn
    }

    /// Voters that have it on disk.
    #[must_use]
    pub fn acks(&self) -> &BTreeSet<ServerId> {
        &self.acks
    }
}

/// Who asked, and so who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// A client of this server.
    Here,
    /// A learner.
    Learner(ConnId),
}

/// How large proposals were, in bytes, about as they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalSizes {
    /// The last one.
    pub last: usize,
    /// The smallest since it leads.
    pub min: usize,
    /// The largest since it leads.
    pub max: usize,
}

impl ProposalSizes {
    fn with(before: Option<ProposalSizes>, size: usize) -> ProposalSizes {
        ProposalSizes {
            last: size,
            min: before.map_or(size, |b| b.min.min(size)),
            max: before.map_or(size, |b| b.max.max(size)),
        }
    }
}

/// A leader, from the moment it is elected; or a server that stands alone and leads nobody.
#[derive(Clone, Debug)]
pub struct Leader {
    /// No ensemble: established from the first moment, without an epoch of its own.
    alone: bool,
    phase: LeaderPhase,
    phase_deadline: Moment,
    /// When it was elected, and by whom.
    elected: (Moment, BTreeSet<ServerId>),
    /// The new epoch, once a quorum has told theirs.
    epoch: Option<Epoch>,
    highest_accepted: Epoch,
    /// (currentEpoch, last zxid) when it began to lead: no follower may have more.
    summary: (Epoch, Zxid),
    learners: BTreeMap<ConnId, LearnerLink>,
    infos: BTreeSet<ServerId>,
    epoch_acks: BTreeSet<ServerId>,
    new_leader_acks: BTreeSet<ServerId>,
    /// Its own ACK of NEWLEADER counts when this is on disk.
    own_history: Option<StorageSeq>,
    /// The tree as it will be when all that is proposed was applied: what requests are checked
    /// against (3.11).
    predicted: Database,
    last_proposed: Zxid,
    outstanding: VecDeque<Outstanding>,
    proposal_sizes: Option<ProposalSizes>,
    /// Syncs that wait for a proposal to be committed.
    syncs: VecDeque<(Zxid, Asker)>,
    sessions: SessionTracker,
    tick: u64,
    half_ticks: u64,
    /// `None` when there is nobody to ping.
    next_half_tick: Option<Moment>,
    next_container_check: Moment,
    /// It has committed members that it is not to lead: it commits nothing more.
    retired: bool,
}

/// Syncs of learners that may wait for one proposal; far above what their clients can ask for.
const SYNCS_LIMIT: usize = 1 << 20;

/// What a leader's step leads to.
pub(crate) type Verdict = Result<(), ElectionReason>;

impl Leader {
    /// Begins to lead: its own acceptedEpoch is the first that counts.
    pub(crate) fn begin(
        now: Now,
        me: &mut Replica,
        elected_by: BTreeSet<ServerId>,
        out: &mut Output,
    ) -> Leader {
        let mut leader = Leader::new(now, me);
        leader.elected.1 = elected_by;
        leader.count_info(now, me, me.id(), me.promised_epoch(), out);
        leader.maybe_begin_sync(now, me, out);
        leader
    }

    /// Serves at once, as a server that has no ensemble: its disk's word is the quorum's. Nothing says
    /// so on disk: zxids go on from the last one, and the epoch files stay as they are.
    ///
    /// # Errors
    /// No zxid is left.
    pub(crate) fn alone(now: Now, me: &mut Replica, out: &mut Output) -> (Leader, Verdict) {
        let last_zxid = me.last_zxid().max(Zxid::ZERO);
        me.set_initialised(true);
        out.because(EventKind::ServingAlone { last_zxid });
        let mut leader = Leader::new(now, me);
        leader.alone = true;
        leader.phase = LeaderPhase::Established;
        me.snapshot_history(out);
        let verdict = leader.serve(now, me, last_zxid, out);
        (leader, verdict)
    }

    fn new(now: Now, me: &Replica) -> Leader {
        Leader {
            alone: false,
            phase: LeaderPhase::CollectingInfo,
            phase_deadline: now.at + me.cfg.init_span(),
            elected: (now.at, BTreeSet::new()),
            epoch: None,
            highest_accepted: me.promised_epoch(),
            summary: (me.log.current_epoch(), me.last_zxid()),
            learners: BTreeMap::new(),
            infos: BTreeSet::new(),
            epoch_acks: BTreeSet::new(),
            new_leader_acks: BTreeSet::new(),
            own_history: None,
            predicted: me.db.clone(),
            last_proposed: me.last_zxid(),
            outstanding: VecDeque::new(),
            proposal_sizes: None,
            syncs: VecDeque::new(),
            sessions: SessionTracker::new(me.cfg.tick, now.at, std::iter::empty()),
            tick: 0,
            half_ticks: 0,
            next_half_tick: None,
            next_container_check: now.at + me.cfg.container_check_interval,
            retired: false,
        }
    }

    /// Whether it stands alone: no ensemble, no learners.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> LeaderPhase {
        self.phase
    }

    /// Its epoch, once it is known.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Its learners' connections.
    pub fn learners(&self) -> impl Iterator<Item = (ConnId, &LearnerLink)> {
        self.learners.iter().map(|(conn, link)| (*conn, link))
    }

    /// One of them.
    #[must_use]
    pub fn learner(&self, conn: ConnId) -> Option<&LearnerLink> {
        self.learners.get(&conn)
    }

    /// Voters that told their acceptedEpoch, itself included.
    #[must_use]
    pub fn infos(&self) -> &BTreeSet<ServerId> {
        &self.infos
    }

    /// Voters that accepted the epoch, itself included.
    #[must_use]
    pub fn epoch_acks(&self) -> &BTreeSet<ServerId> {
        &self.epoch_acks
    }

    /// Voters that have the history on disk, itself included.
    #[must_use]
    pub fn new_leader_acks(&self) -> &BTreeSet<ServerId> {
        &self.new_leader_acks
    }

    /// Proposals that are not committed, oldest first.
    pub fn outstanding(&self) -> impl Iterator<Item = &Outstanding> {
        self.outstanding.iter()
    }

    /// How many proposals are not committed.
    #[must_use]
    pub fn outstanding_count(&self) -> usize {
        self.outstanding.len()
    }

    /// How large its proposals were; `None` before the first.
    #[must_use]
    pub fn proposal_sizes(&self) -> Option<ProposalSizes> {
        self.proposal_sizes
    }

    /// Learners that have the history, voters and observers apart.
    #[must_use]
    pub fn synced(&self) -> (usize, usize) {
        let synced = |observer: bool| {
            let here =
                |l: &&LearnerLink| matches!(l.stage, LearnerStage::Synced | LearnerStage::Serving);
            let all = self.learners.values().filter(here);
            all.filter(|l| l.observer == observer).count()
        };
        (synced(false), synced(true))
    }

    /// Syncs that wait for a proposal to be committed.
    #[must_use]
    pub fn pending_syncs(&self) -> usize {
        self.syncs.len()
    }

    /// The last zxid that was given out.
    #[must_use]
    pub fn last_proposed(&self) -> Zxid {
        self.last_proposed
    }

    /// The sessions that it keeps alive.
    #[must_use]
    pub fn sessions(&self) -> &SessionTracker {
        &self.sessions
    }

    /// The nearest deadline.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        let phase = |reason| {
            vec![Wait {
                at: self.phase_deadline,
                reason,
            }]
        };
        match self.phase {
            LeaderPhase::CollectingInfo => phase(WaitReason::QuorumOfLearnerInfo),
            LeaderPhase::CollectingEpochAcks => phase(WaitReason::QuorumOfEpochAcks),
            LeaderPhase::CollectingNewLeaderAcks => phase(WaitReason::QuorumOfNewLeaderAcks),
            LeaderPhase::Established => {
                let mut all = vec![Wait {
                    at: self.next_container_check,
                    reason: WaitReason::ContainerCheck,
                }];
                all.extend(self.next_half_tick.map(|at| Wait {
                    at,
                    reason: WaitReason::HalfTick,
                }));
                all.extend(self.sessions.deadline().map(|at| Wait {
                    at,
                    reason: WaitReason::SessionExpiry,
                }));
                all
            }
        }
    }

    /// The earliest of [`Leader::waits`], without collecting them.
    #[must_use]
    pub fn next_wait(&self) -> Wait {
        let phase = |reason| Wait {
            at: self.phase_deadline,
            reason,
        };
        match self.phase {
            LeaderPhase::CollectingInfo => phase(WaitReason::QuorumOfLearnerInfo),
            LeaderPhase::CollectingEpochAcks => phase(WaitReason::QuorumOfEpochAcks),
            LeaderPhase::CollectingNewLeaderAcks => phase(WaitReason::QuorumOfNewLeaderAcks),
            LeaderPhase::Established => {
                let half_tick = self.next_half_tick.map(|at| Wait {
                    at,
                    reason: WaitReason::HalfTick,
                });
                let first = half_tick
                    .filter(|wait| wait.at <= self.next_container_check)
                    .unwrap_or(Wait {
                        at: self.next_container_check,
                        reason: WaitReason::ContainerCheck,
                    });
                match self.sessions.deadline() {
                    Some(at) if at < first.at => Wait {
                        at,
                        reason: WaitReason::SessionExpiry,
                    },
                    Some(_) | None => first,
                }
            }
        }
    }

    /// A learner has connected.
    pub(crate) fn on_accepted(&mut self, now: Now, me: &Replica, from: ServerId, conn: ConnId) {
        let link = LearnerLink {
            id: from,
            observer: me.cfg.membership.observers.contains(&from),
            stage: LearnerStage::Connected,
            last_zxid: Zxid::UNINITIALISED,
            last_heard: now.at,
            tick_deadline: self.tick + me.cfg.init_limit + me.cfg.sync_limit,
            mode: None,
            unacked: [None, None],
        };
        self.learners.insert(conn, link);
    }

    /// A learner's connection is gone.
    pub(crate) fn on_closed(&mut self, conn: ConnId) -> Option<ServerId> {
        self.syncs
            .retain(|(_, asker)| *asker != Asker::Learner(conn));
        self.learners.remove(&conn).map(|l| l.id)
    }

    /// A learner has one connection: the one on which it spoke last.
    fn drop_older(&mut self, from: ServerId, newest: ConnId, out: &mut Output) {
        let older: Vec<ConnId> = self
            .learners
            .iter()
            .filter(|(conn, l)| l.id == from && **conn != newest)
            .map(|(conn, _)| *conn)
            .collect();
        for old in older {
            self.drop_learner(old, DropReason::Replaced, out);
        }
    }

    /// A server has said that it looks for a leader.
    pub(crate) fn on_looking(&self, now: Now, me: &Replica, voter: ServerId) -> Verdict {
        let (since, voters) = &self.elected;
        let waited = now.at - *since;
        let patience = me.cfg.joining.epoch_patience;
        match self.phase == LeaderPhase::CollectingInfo
            && patience.is_some_and(|patience| waited > patience)
            && voters.contains(&voter)
        {
            true => Err(ElectionReason::VoterLooksAgain { voter, waited }),
            false => Ok(()),
        }
    }

    fn drop_learner(&mut self, conn: ConnId, because: DropReason, out: &mut Output) {
        if let Some(with) = self.on_closed(conn) {
            out.emit(EventKind::LinkDropped { with, because });
        }
        out.effect(|cause| Effect::Close { conn, cause });
    }

    /// Ends all connections.
    pub(crate) fn close_all(&mut self, out: &mut Output) {
        let all: Vec<ConnId> = self.learners.keys().copied().collect();
        for conn in all {
            self.drop_learner(conn, DropReason::SteppingDown, out);
        }
    }

    /// A packet from a learner.
    pub(crate) fn on_message(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Verdict {
        let tick_deadline = self.tick + me.cfg.sync_limit;
        let Some(link) = self.learners.get_mut(&conn) else {
            return Ok(());
        };
        link.last_heard = now.at;
        link.tick_deadline = link.tick_deadline.max(tick_deadline);
        let (from, stage) = (link.id, link.stage);
        let kind = message.kind();
        match message {
            QuorumMessage::LearnerInfo {
                accepted_epoch,
                observer,
                config_version,
            } if stage == LearnerStage::Connected => {
                if config_version > me.cfg.membership.version {
                    self.drop_learner(conn, DropReason::NewerConfig, out);
                    return Ok(());
                }
                if !(Epoch(0)..Epoch(i64::from(i32::MAX))).contains(&accepted_epoch) {
                    // No epoch can follow it: zxids would become negative.
                    self.drop_learner(conn, DropReason::Unexpected(kind), out);
                    return Ok(());
                }
                // As it says: who is no member yet may follow with its log, and so become a voter.
                link.observer = observer;
                link.stage = LearnerStage::Told;
                self.drop_older(from, conn, out);
                self.on_info(now, me, conn, from, accepted_epoch, out);
                self.maybe_begin_sync(now, me, out);
                Ok(())
            }
            QuorumMessage::AckEpoch {
                last_zxid,
                current_epoch,
            } if stage == LearnerStage::EpochOffered => {
                link.stage = LearnerStage::EpochAcked;
                link.last_zxid = last_zxid;
                self.on_epoch_ack(now, me, conn, from, last_zxid, current_epoch, out)
            }
            QuorumMessage::Ack(ack) if link.is_forwarded() => {
                self.on_ack(now, me, conn, ack.zxid(), out)
            }
            QuorumMessage::Request(request) if link.is_forwarded() => {
                // Learners read no more from clients that wait for too much (1.5); one that does not
                // keep to it must not fill our memory.
                if me.waiting_bytes() > me.cfg.backlog_limit || self.syncs.len() > SYNCS_LIMIT {
                    self.drop_learner(conn, DropReason::TooMuchWaits, out);
                    return Ok(());
                }
                self.submit(now, me, request, Some(conn), out)
            }
            QuorumMessage::Pong { touched, .. } => {
                for (session, timeout_ms) in touched {
                    if self.sessions.touch(now.at, session, Some(timeout_ms)) {
                        out.emit(EventKind::SessionTouched { session });
                    }
                }
                Ok(())
            }
            QuorumMessage::Revalidate {
                session,
                timeout_ms,
            } if link.is_forwarded() => {
                let valid = self.sessions.revalidate(now.at, session, timeout_ms, from);
                out.emit(EventKind::SessionValidated {
                    session,
                    at: from,
                    valid,
                });
                out.send(from, conn, QuorumMessage::Revalidated { session, valid });
                Ok(())
            }
            QuorumMessage::LearnerInfo { .. }
            | QuorumMessage::AckEpoch { .. }
            | QuorumMessage::Ack(_)
            | QuorumMessage::Request(_)
            | QuorumMessage::Revalidate { .. }
            | QuorumMessage::LeaderInfo { .. }
            | QuorumMessage::Diff { .. }
            | QuorumMessage::Trunc { .. }
            | QuorumMessage::Snap { .. }
            | QuorumMessage::NewLeader { .. }
            | QuorumMessage::UpToDate
            | QuorumMessage::Proposal(_)
            | QuorumMessage::Commit { .. }
            | QuorumMessage::Inform(_)
            | QuorumMessage::Ping { .. }
            | QuorumMessage::Revalidated { .. }
            | QuorumMessage::CommitAndActivate { .. }
            | QuorumMessage::InformAndActivate { .. }
            | QuorumMessage::Sync => {
                self.drop_learner(conn, DropReason::Unexpected(kind), out);
                Ok(())
            }
        }
    }

    // ---- discovery -----------------------------------------------------------------------------

    fn on_info(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        from: ServerId,
        accepted: Epoch,
        out: &mut Output,
    ) {
        match self.epoch {
            // A late learner gets the stored epoch at once.
            Some(epoch) => self.offer_epoch(me, conn, epoch, out),
            None => self.count_info(now, me, from, accepted, out),
        }
    }

    fn count_info(
        &mut self,
        now: Now,
        me: &mut Replica,
        from: ServerId,
        accepted: Epoch,
        out: &mut Output,
    ) {
        self.highest_accepted = self.highest_accepted.max(accepted);
        let cfg = &me.cfg;
        if cfg.counts(from) {
            self.infos.insert(from);
            let (have, need) = tally(cfg, &self.infos);
            out.emit(EventKind::LearnerInfoCounted {
                from,
                accepted_epoch: accepted,
                have,
                need,
            });
        }
        if self.infos.contains(&me.id()) && cfg.is_quorum(|id| self.infos.contains(&id)) {
            let epoch = self.highest_accepted.next();
            self.epoch = Some(epoch);
            out.emit(EventKind::NewEpoch {
                epoch,
                highest: self.highest_accepted,
            });
            me.log.accept_epoch(epoch, out);
            self.phase = LeaderPhase::CollectingEpochAcks;
            self.phase_deadline = now.at + me.cfg.init_span();
            let told: Vec<ConnId> = self
                .learners
                .iter()
                .filter(|(_, l)| l.stage == LearnerStage::Told)
                .map(|(c, _)| *c)
                .collect();
            for conn in told {
                self.offer_epoch(me, conn, epoch, out);
            }
            // Its own ACKEPOCH.
            let (current, last) = self.summary;
            self.count_epoch_ack(me, me.id(), last, Some(current), out);
        }
    }

    fn offer_epoch(&mut self, me: &Replica, conn: ConnId, epoch: Epoch, out: &mut Output) {
        if let Some(link) = self.learners.get_mut(&conn) {
            link.stage = LearnerStage::EpochOffered;
            // acceptedEpoch is on the leader's disk before anybody hears of the epoch.
            out.send_after(
                link.id,
                conn,
                QuorumMessage::LeaderInfo { epoch },
                me.log.unsynced(),
            );
        }
    }

    #[allow(clippy::too_many_arguments)] // one packet's fields
    fn on_epoch_ack(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        from: ServerId,
        last_zxid: Zxid,
        current: Option<Epoch>,
        out: &mut Output,
    ) -> Verdict {
        if self.phase == LeaderPhase::CollectingEpochAcks {
            // A voter without weight can't lead: that it knows more helps nobody.
            if let Some(epoch) =
                current.filter(|_| me.cfg.weight(from) > 0 && last_zxid != Zxid::UNINITIALISED)
                && (epoch, last_zxid) > self.summary
                // Leading with less would have it cut off what may be committed (3.3).
                && me.cfg.rules.has(Rule::NewestHistory)
            {
                return Err(ElectionReason::FollowerMoreRecent {
                    follower: from,
                    epoch,
                    zxid: last_zxid,
                });
            }
            self.count_epoch_ack(me, from, last_zxid, current, out);
            self.maybe_begin_sync(now, me, out);
            Ok(())
        } else {
            self.start_sync(now, me, conn, None, out);
            Ok(())
        }
    }

    fn count_epoch_ack(
        &mut self,
        me: &Replica,
        from: ServerId,
        last_zxid: Zxid,
        current_epoch: Option<Epoch>,
        out: &mut Output,
    ) {
        // One that had accepted the epoch before, or has no history, does not count (trap 14).
        let counted = me.cfg.counts(from)
            && current_epoch.is_some()
            && (last_zxid != Zxid::UNINITIALISED || from == me.id());
        if counted {
            self.epoch_acks.insert(from);
        }
        let (have, need) = tally(&me.cfg, &self.epoch_acks);
        out.emit(EventKind::EpochAckCounted {
            from,
            last_zxid,
            current_epoch,
            counted,
            have,
            need,
        });
    }

    fn maybe_begin_sync(&mut self, now: Now, me: &mut Replica, out: &mut Output) {
        if self.phase != LeaderPhase::CollectingEpochAcks
            || !me.cfg.is_quorum(|id| self.epoch_acks.contains(&id))
        {
            return;
        }
        let Some(epoch) = self.epoch else { return };
        self.number_members(me, epoch.start(), out);
        // A quorum has accepted: our own history becomes the history of the epoch.
        let witness = me.log.seal_history(epoch, out);
        self.own_history = witness.seq();
        self.phase = LeaderPhase::CollectingNewLeaderAcks;
        self.phase_deadline = now.at + me.cfg.init_span();
        me.set_initialised(true);
        let ready: Vec<ConnId> = self
            .learners
            .iter()
            .filter(|(_, l)| l.stage == LearnerStage::EpochAcked)
            .map(|(c, _)| *c)
            .collect();
        for conn in ready {
            self.start_sync(now, me, conn, None, out);
        }
    }

    // ---- synchronisation -------------------------------------------------------------------------

    /// The log on disk was read for a learner.
    pub(crate) fn on_log_read(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        read: &LogRead,
        out: &mut Output,
    ) {
        if self
            .learners
            .get(&conn)
            .is_some_and(|l| l.stage == LearnerStage::ReadingLog)
        {
            self.start_sync(now, me, conn, Some(read), out);
        }
    }

    fn start_sync(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        disk: Option<&LogRead>,
        out: &mut Output,
    ) {
        let Some(link) = self.learners.get_mut(&conn) else {
            return;
        };
        let (learner, peer) = (link.id, link.last_zxid);
        // What is committed stays, applied here or not: a slow disk of ours must not make a learner
        // cut off what a quorum has.
        let mut committed = me.log.committed().clone();
        committed.extend(me.committed_waiting().cloned());
        let choice = sync::choose(&SyncInput {
            peer,
            committed: &committed,
            last_processed: me.db.last_processed,
            snapshot_size_percent: me.cfg.snapshot_size_percent,
            disk,
            force_snapshot: me.cfg.joining.force_snapshot,
        });
        match choice {
            SyncChoice::NeedsDiskLog { from, min } => {
                link.stage = LearnerStage::ReadingLog;
                out.emit(EventKind::ReadingDiskLog { learner, from, min });
                me.log.read(from, conn, out);
            }
            // A voter is waited for; an observer can come again.
            SyncChoice::Plan(plan) if link.observer && self.is_full(me, plan.mode) => {
                self.drop_learner(conn, DropReason::TooManySyncs, out);
            }
            SyncChoice::Plan(plan) => {
                out.scoped(|out| self.send_plan(now, me, conn, learner, plan, out));
            }
        }
    }

    /// Whether as many learners are brought up to date in this way as may be at a time.
    fn is_full(&self, me: &Replica, mode: SyncMode) -> bool {
        let is_snap = |mode| mode == SyncMode::Snap;
        let most = match is_snap(mode) {
            true => me.cfg.joining.snap_syncs,
            false => me.cfg.joining.diff_syncs,
        };
        let under_way = self.learners.values().filter(|l| {
            l.stage == LearnerStage::Syncing && l.mode.map(is_snap) == Some(is_snap(mode))
        });
        under_way.count() >= most
    }

    fn send_plan(
        &mut self,
        now: Now,
        me: &Replica,
        conn: ConnId,
        learner: ServerId,
        plan: SyncPlan,
        out: &mut Output,
    ) {
        let last_processed = me.db.last_processed;
        let peer = self
            .learners
            .get(&conn)
            .map_or(Zxid::UNINITIALISED, |l| l.last_zxid);
        out.because(EventKind::SyncChosen {
            learner,
            mode: plan.mode,
            zxid: plan.zxid,
            because: plan.rule,
            peer,
            min: plan.min,
            max: plan.max,
            last_processed,
            queued: u32::try_from(plan.txns.len()).unwrap_or(u32::MAX),
        });
        // What it cuts, or lost, it has acknowledged in vain: a commit means disks of now.
        let keeps = match plan.mode {
            SyncMode::Diff => peer,
            SyncMode::Trunc | SyncMode::Snap => plan.zxid,
        };
        for open in &mut self.outstanding {
            if open.txn.zxid() > keeps {
                open.acks.remove(&learner);
            }
        }
        match plan.mode {
            SyncMode::Diff => out.send(learner, conn, QuorumMessage::Diff { zxid: plan.zxid }),
            SyncMode::Trunc => out.send(learner, conn, QuorumMessage::Trunc { zxid: plan.zxid }),
            SyncMode::Snap => {
                let snapshot = Arc::new(me.db.clone());
                out.send(
                    learner,
                    conn,
                    QuorumMessage::Snap {
                        zxid: plan.zxid,
                        snapshot,
                    },
                );
            }
        }
        for txn in plan.txns {
            let zxid = txn.zxid();
            out.send(learner, conn, QuorumMessage::Proposal(txn));
            out.send(learner, conn, QuorumMessage::Commit { zxid });
        }
        // From here on nothing may be missed: what is committed but not applied, what is proposed
        // but not committed, and from now on everything (3.4, start forwarding).
        for txn in me
            .committed_waiting()
            .filter(|t| t.zxid() > plan.last_queued)
        {
            out.send(learner, conn, QuorumMessage::Proposal(Arc::clone(txn)));
            out.send(learner, conn, QuorumMessage::Commit { zxid: txn.zxid() });
        }
        let Some(link) = self.learners.get_mut(&conn) else {
            return;
        };
        if !link.observer {
            let open: Vec<&Outstanding> = self
                .outstanding
                .iter()
                .filter(|o| o.txn.zxid() > plan.last_queued)
                .collect();
            if let (Some(first), Some(last)) = (open.first(), open.last()) {
                out.emit(EventKind::OutstandingForwarded {
                    learner,
                    first: first.txn.zxid(),
                    last: last.txn.zxid(),
                });
            }
            for o in open {
                out.send(learner, conn, QuorumMessage::Proposal(Arc::clone(&o.txn)));
                link.sent_proposal(o.txn.zxid(), now.at);
            }
        }
        link.stage = LearnerStage::Syncing;
        link.mode = Some(plan.mode);
        if let Some(epoch) = self.epoch {
            let zxid = epoch.start();
            let members = self.offered_members(me);
            out.send(learner, conn, QuorumMessage::NewLeader { zxid, members });
        }
    }

    fn count_new_leader_ack(
        &mut self,
        now: Now,
        me: &mut Replica,
        from: ServerId,
        out: &mut Output,
    ) -> Verdict {
        if !me.cfg.counts(from) {
            return Ok(());
        }
        self.new_leader_acks.insert(from);
        let (have, need) = tally(&me.cfg, &self.new_leader_acks);
        out.emit(EventKind::NewLeaderAckCounted { from, have, need });
        if self.phase == LeaderPhase::CollectingNewLeaderAcks
            && self.new_leader_acks.contains(&me.id())
            && me.cfg.is_quorum(|id| self.new_leader_acks.contains(&id))
        {
            self.establish(now, me, have, out)?;
        }
        Ok(())
    }

    fn establish(&mut self, now: Now, me: &mut Replica, with: u32, out: &mut Output) -> Verdict {
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        self.phase = LeaderPhase::Established;
        out.because(EventKind::Established { epoch, with });
        // A leader begins with a snapshot of what it has (3.3): now, when a quorum has it too, so that
        // no leader will ever ask to cut below it, and older logs can go.
        me.snapshot_history(out);
        // No transaction is logged for it, but the order goes on from here.
        me.db.last_processed = epoch.start();
        me.vote.epoch = epoch;
        self.next_half_tick = Some(Moment(now.at.0 + me.cfg.tick.0 / 2));
        let synced: Vec<ConnId> = self
            .learners
            .iter()
            .filter(|(_, l)| l.stage == LearnerStage::Synced)
            .map(|(c, _)| *c)
            .collect();
        for conn in synced {
            self.let_serve(now, conn, out);
        }
        self.complete_members(me, out)?;
        self.serve(now, me, epoch.start(), out)
    }

    /// All that it has is committed; what is proposed follows `last`.
    fn serve(&mut self, now: Now, me: &mut Replica, last: Zxid, out: &mut Output) -> Verdict {
        me.commit_up_to(last);
        me.serving = true;
        self.last_proposed = last;
        self.predicted = me.db.clone();
        self.sessions = SessionTracker::new(
            me.cfg.tick,
            now.at,
            me.db.sessions.iter().map(|(id, timeout)| (*id, *timeout)),
        );
        // Ephemerals whose session is gone have no right to be there (3.3).
        for session in me.db.owners_without_session().collect::<Vec<_>>() {
            out.scoped(|out| {
                self.propose_write(now, me, session, 0, &Write::CloseSession, &[], out)
            })?;
        }
        Ok(())
    }

    fn let_serve(&mut self, now: Now, conn: ConnId, out: &mut Output) {
        if let Some(link) = self.learners.get_mut(&conn) {
            link.stage = LearnerStage::Serving;
            // From now on it acknowledges; the time for that begins now.
            for (_, sent) in link.unacked.iter_mut().flatten() {
                *sent = now.at;
            }
            out.emit(EventKind::UpToDateSent { learner: link.id });
            out.send(link.id, conn, QuorumMessage::UpToDate);
        }
    }

    // ---- broadcast -------------------------------------------------------------------------------

    /// A request for the leader, from its own client or from a learner's.
    pub(crate) fn submit(
        &mut self,
        now: Now,
        me: &mut Replica,
        request: ForwardedRequest,
        from: Option<ConnId>,
        out: &mut Output,
    ) -> Verdict {
        if self.phase != LeaderPhase::Established {
            return Ok(());
        }
        let asker = from.map_or(Asker::Here, Asker::Learner);
        let through = match from {
            None => me.id(),
            Some(conn) => match self.learners.get(&conn) {
                Some(link) => link.id,
                None => return Ok(()),
            },
        };
        let ForwardedRequest {
            session,
            cxid,
            op,
            auth,
        } = request;
        self.sessions.touch(now.at, session, None);
        match op {
            ForwardedOp::Sync => {
                match self.outstanding.back() {
                    Some(last) => self.syncs.push_back((last.txn.zxid(), asker)),
                    None => self.answer_sync(me, asker, me.committed(), out),
                }
                Ok(())
            }
            ForwardedOp::Write(write) => {
                let refused = match &write {
                    Write::CreateSession { timeout_ms } => {
                        self.sessions
                            .track(now.at, session, *timeout_ms, Some(through));
                        None
                    }
                    // No owner check: the expiry of a session is not asked for by its owner.
                    Write::CloseSession => None,
                    // What they fail for is found before their session is looked for.
                    Write::Unreadable { .. } => None,
                    Write::Reconfig { .. } if !me.cfg.reconfig_enabled => None,
                    Write::Create(_)
                    | Write::Delete { .. }
                    | Write::SetData { .. }
                    | Write::SetAcl { .. }
                    | Write::Check { .. }
                    | Write::Multi(_)
                    | Write::Reconfig { .. }
                    | Write::DeleteContainer { .. } => {
                        match self.sessions.check(session, through) {
                            Err(ErrorCode::SessionExpired)
                                if self.may_be_local(me, session, through) =>
                            {
                                None
                            }
                            checked => checked.err(),
                        }
                    }
                };
                match refused {
                    Some(error) => {
                        out.emit(EventKind::RequestRefused {
                            session,
                            cxid,
                            error,
                        });
                        self.propose(now, me, session, cxid, refusal(&write, error), out)
                    }
                    None => self.propose_write(now, me, session, cxid, &write, &auth, out),
                }
            }
        }
    }

    /// Whether a session that the leader does not know may be a local one of the server through which
    /// it asks (1.4). Of its own local sessions the leader knows; of others' it can only believe.
    fn may_be_local(&self, me: &Replica, session: SessionId, through: ServerId) -> bool {
        if !me.cfg.begins_local_sessions() || self.sessions.contains(session) {
            return false;
        }
        match through == me.id() {
            true => me.clients.is_local(session),
            false => session::server_of(session) != me.id(),
        }
    }

    #[allow(clippy::too_many_arguments)] // a request's fields
    fn propose_write(
        &mut self,
        now: Now,
        me: &mut Replica,
        session: SessionId,
        cxid: i32,
        write: &Write,
        auth: &[AuthId],
        out: &mut Output,
    ) -> Verdict {
        let Some(zxid) = self.next_zxid(me) else {
            return Err(ElectionReason::ZxidRollOver {
                zxid: self.last_proposed,
            });
        };
        let header = TxnHeader {
            session,
            cxid,
            zxid,
            time_ms: now.wall_ms,
        };
        let context = prepare::Context {
            header,
            auth,
            cfg: &me.cfg,
        };
        let mut body = self.decide(me, write, &context);
        prepare::fit(&mut body, me.cfg.txn_limit());
        if matches!(body, TxnBody::CloseSession { .. }) {
            self.sessions.closing(session);
        }
        self.propose(now, me, session, cxid, body, out)
    }

    /// The counter's last value is never given out: a new epoch comes first (3.6).
    /// A server alone has nobody to agree with, and goes on with the next epoch's first.
    fn next_zxid(&self, me: &Replica) -> Option<Zxid> {
        let next = self.last_proposed.next();
        let next = next.filter(|z| z.counter() <= me.cfg.last_counter);
        match next {
            None if self.alone => Some(Zxid::new(self.last_proposed.epoch().next(), 1)),
            Some(_) | None => next,
        }
    }

    fn propose(
        &mut self,
        now: Now,
        me: &mut Replica,
        session: SessionId,
        cxid: i32,
        body: TxnBody,
        out: &mut Output,
    ) -> Verdict {
        let Some(zxid) = self.next_zxid(me) else {
            return Err(ElectionReason::ZxidRollOver {
                zxid: self.last_proposed,
            });
        };
        self.last_proposed = zxid;
        let header = TxnHeader {
            session,
            cxid,
            zxid,
            time_ms: now.wall_ms,
        };
        let txn = Arc::new(prepare::predict(
            &mut self.predicted,
            header,
            body,
            me.cfg.digest,
        ));
        let size = txn.approximate_bytes();
        self.proposal_sizes = Some(ProposalSizes::with(self.proposal_sizes, size));
        out.because(EventKind::Proposed {
            zxid,
            session,
            cxid,
            txn: txn.body.kind(),
            path: txn.body.path().cloned(),
            error: txn.body.error(),
        });
        self.outstanding.push_back(Outstanding {
            txn: Arc::clone(&txn),
            acks: BTreeSet::new(),
        });
        for (conn, link) in &mut self.learners {
            if link.is_forwarded() && !link.observer {
                out.send(link.id, *conn, QuorumMessage::Proposal(Arc::clone(&txn)));
                link.sent_proposal(zxid, now.at);
            }
        }
        // Our own ACK is our own disk's word: see `on_durable`.
        let _own: Written = me.append(txn, out);
        Ok(())
    }

    /// An ACK of NEWLEADER or of a proposal.
    fn on_ack(
        &mut self,
        now: Now,
        me: &mut Replica,
        conn: ConnId,
        zxid: Zxid,
        out: &mut Output,
    ) -> Verdict {
        let Some(link) = self.learners.get_mut(&conn) else {
            return Ok(());
        };
        let from = link.id;
        if zxid.is_new_epoch() {
            if link.stage != LearnerStage::Syncing || self.epoch.map(Epoch::start) != Some(zxid) {
                // The second ACK after UPTODATE, or one of another epoch: not counted.
                out.emit(EventKind::AckIgnored { zxid, from });
                return Ok(());
            }
            link.stage = LearnerStage::Synced;
            if self.phase == LeaderPhase::Established {
                if me.cfg.counts(from) {
                    self.new_leader_acks.insert(from);
                    let (have, need) = tally(&me.cfg, &self.new_leader_acks);
                    out.emit(EventKind::NewLeaderAckCounted { from, have, need });
                }
                self.let_serve(now, conn, out);
                return Ok(());
            }
            return self.count_new_leader_ack(now, me, from, out);
        }
        link.acked(zxid);
        self.count_ack(me, from, zxid, out);
        self.commit_ready(me, out);
        Ok(())
    }

    fn count_ack(&mut self, me: &Replica, from: ServerId, zxid: Zxid, out: &mut Output) {
        let place = self
            .outstanding
            .binary_search_by_key(&zxid, |o| o.txn.zxid())
            .ok()
            .filter(|_| me.cfg.counts(from));
        match place.and_then(|at| self.outstanding.get_mut(at)) {
            Some(open) => {
                open.acks.insert(from);
                let (have, need) = tally(&me.cfg, &open.acks);
                out.emit(EventKind::AckCounted {
                    zxid,
                    from,
                    have,
                    need,
                });
            }
            None => {
                out.emit(EventKind::AckIgnored { zxid, from });
            }
        }
    }

    /// Commits from the front of the queue as long as a quorum has it on disk.
    fn commit_ready(&mut self, me: &mut Replica, out: &mut Output) {
        let mut committed_any = false;
        while !self.retired
            && let Some(front) = self.outstanding.front()
            && self.is_ready(me, front)
        {
            let Some(Outstanding { txn, acks }) = self.outstanding.pop_front() else {
                break;
            };
            let zxid = txn.zxid();
            let (count, need) = tally(&me.cfg, &acks);
            let before = out.cause;
            out.because(EventKind::Committed {
                zxid,
                acks: count,
                need,
            });
            let designated = self.commit_members(me, &txn, &acks, out);
            for (conn, link) in &self.learners {
                if link.is_forwarded() {
                    let packet = Leader::commit_packet(link, &txn, designated);
                    out.send(link.id, *conn, packet);
                }
            }
            me.commit_up_to(zxid);
            committed_any = true;
            while self.syncs.front().is_some_and(|(z, _)| *z <= zxid) {
                let Some((_, asker)) = self.syncs.pop_front() else {
                    break;
                };
                self.answer_sync(me, asker, zxid, out);
            }
            self.apply_ready(me, out);
            out.cause = before;
        }
        if !committed_any {
            self.apply_ready(me, out);
        }
    }

    fn apply_ready(&mut self, me: &mut Replica, out: &mut Output) {
        let sessions = &mut self.sessions;
        me.apply_ready(out, |txn| {
            if matches!(txn.body, TxnBody::CloseSession { .. }) {
                sessions.remove(txn.header.session);
            }
        });
    }

    fn answer_sync(&mut self, me: &mut Replica, asker: Asker, committed: Zxid, out: &mut Output) {
        match asker {
            Asker::Here => {
                me.clients.synced(committed);
                self.apply_ready(me, out);
            }
            Asker::Learner(conn) => {
                if let Some(link) = self.learners.get(&conn) {
                    out.send(link.id, conn, QuorumMessage::Sync);
                }
            }
        }
    }

    /// Something became durable here: our own ACKs count now.
    pub(crate) fn on_durable(
        &mut self,
        now: Now,
        me: &mut Replica,
        zxids: &[Zxid],
        out: &mut Output,
    ) -> Verdict {
        if self.own_history.is_some_and(|seq| me.log.is_durable(seq)) {
            self.own_history = None;
            self.count_new_leader_ack(now, me, me.id(), out)?;
        }
        if self.phase == LeaderPhase::Established {
            for zxid in zxids {
                if self.alone || zxid.epoch() == self.last_proposed.epoch() {
                    self.count_ack(me, me.id(), *zxid, out);
                }
            }
            self.commit_ready(me, out);
        }
        Ok(())
    }

    /// What the ring round the server shows.
    #[must_use]
    pub fn ring(&self) -> Phase {
        match self.phase {
            LeaderPhase::CollectingInfo | LeaderPhase::CollectingEpochAcks => Phase::Discovery,
            LeaderPhase::CollectingNewLeaderAcks => Phase::Synchronisation,
            LeaderPhase::Established => Phase::Broadcast,
        }
    }
}

/// Voters in `set`, and what a quorum needs at least; of the members that hold.
fn tally(cfg: &Config, set: &BTreeSet<ServerId>) -> (u32, u32) {
    let quorum = &cfg.membership.quorum;
    let have = set.iter().filter(|id| quorum.is_voter(**id)).count();
    (
        u32::try_from(have).unwrap_or(u32::MAX),
        u32::try_from(quorum.smallest()).unwrap_or(u32::MAX),
    )
}

/// The transaction of a request whose session may not ask: an error, which in a multi stands at the
/// first entry (1.12).
fn refusal(write: &Write, error: ErrorCode) -> TxnBody {
    match write {
        Write::Multi(all) if !all.is_empty() => TxnBody::Multi(
            (0..all.len())
                .map(|at| {
                    TxnBody::Error(if at == 0 {
                        error
                    } else {
                        ErrorCode::RuntimeInconsistency
                    })
                })
                .collect(),
        ),
        Write::Multi(_)
        | Write::Create(_)
        | Write::Delete { .. }
        | Write::SetData { .. }
        | Write::SetAcl { .. }
        | Write::Check { .. }
        | Write::DeleteContainer { .. }
        | Write::Reconfig { .. }
        | Write::CreateSession { .. }
        | Write::CloseSession
        | Write::Unreadable { .. } => TxnBody::Error(error),
    }
}
