//! The whole boundary of a server, and nothing but dispatch.
//!
//! [`Peer::handle`] takes one input and drains it completely; [`Peer::deadline`] says when it wants
//! to be called if nothing comes. A role that can't go on returns the reason as an `Err`; there is
//! one place, `look_again`, where a role ends and an election begins.

pub mod event;
pub mod input;
pub mod output;
mod restore;

pub use restore::CannotRestore;

use crate::{
    config::{Config, Membership},
    election::{self, Decision, Election},
    id::{ClientId, ConnId, Epoch, ServerId, Zxid},
    leader::Leader,
    learner::Learner,
    log::Stored,
    message::{ForwardedRequest, Notification, QuorumMessage, ServerState, Vote},
    peer::{
        event::{DropReason, ElectionReason, EventKind, Phase, RefuseReason},
        input::{Input, InputKind},
        output::{Effect, Output},
    },
    pipeline::{
        clients::{self, Clients, Connect, Here},
        reconfig,
    },
    replica::Replica,
    request::{AuthId, ConnectRequest, Request},
    rules::Rule,
    time::{Moment, Now},
    tree::Database,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

pub use crate::id::StorageSeq;

/// What a deadline is for. Every timer has a reason, and both can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WaitReason {
    /// LOOKING: no notification came for so long, repeat the vote.
    RepeatVote,
    /// LOOKING: votes are a quorum, does a better one come?
    FinalizeWait,
    /// Learner: try again to reach the leader.
    RetryConnect,
    /// Learner: the leader has initLimit for discovery and synchronisation.
    LearnerInitLimit,
    /// Learner: the leader may be silent for syncLimit.
    LearnerSyncLimit,
    /// Leader: a quorum must tell its acceptedEpochs within initLimit.
    QuorumOfLearnerInfo,
    /// Leader: a quorum must accept the epoch within initLimit.
    QuorumOfEpochAcks,
    /// Leader: a quorum must acknowledge NEWLEADER within initLimit.
    QuorumOfNewLeaderAcks,
    /// Leader: half a tick has passed; ping, and check the quorum every second time.
    HalfTick,
    /// Leader: look for sessions that have expired.
    SessionExpiry,
    /// Leader: look for empty containers and outdated TTL nodes.
    ContainerCheck,
    /// LOOKING: begin to serve reads (`readonlymode.enabled`).
    ReadOnlyService,
    /// Observer: look for a leader again, but not at once (`observer.election.DelayMs`).
    ObserverRest,
}

/// A deadline with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// When.
    pub at: Moment,
    /// What for.
    pub reason: WaitReason,
}

/// What a server is, as four-letter words and metrics say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It looks for a leader, and serves nobody.
    Looking,
    /// It has no ensemble.
    Standalone,
    /// It leads.
    Leader,
    /// It follows with a vote.
    Follower,
    /// It follows without a vote.
    Observer,
    /// It looks for a leader, and meanwhile answers reads.
    ReadOnly,
}

impl Mode {
    /// ZooKeeper's own word, as after `Mode:` in `srvr` and in `mntr`'s `server_state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Looking => "looking",
            Mode::Standalone => "standalone",
            Mode::Leader => "leader",
            Mode::Follower => "follower",
            Mode::Observer => "observer",
            Mode::ReadOnly => "read-only",
        }
    }
}

/// What a server is at the moment.
#[derive(Clone, Debug)]
enum Role {
    Looking(Election),
    Learning(Box<Learner>),
    Leading(Box<Leader>),
}

/// One server: the whole protocol, no I/O. Cheap to clone: what is large is shared.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The simulator reaches in for one thing: to switch rules of the protocol while it runs.
    pub(crate) me: Replica,
    role: Role,
    next_event: u64,
}

impl Peer {
    /// A server starts with what was on its disk, and looks for a leader.
    ///
    /// `next_event` and `storage` go on where its last life stopped (1 and 0 for the first), so that
    /// names stay unique. What it does at once is in `out`, which is cleared first.
    #[must_use]
    pub fn start(
        cfg: Arc<Config>,
        stored: &Stored,
        now: Now,
        next_event: u64,
        storage: StorageSeq,
        out: &mut Output,
    ) -> Peer {
        out.clear();
        out.server = cfg.my_id;
        out.next_event = next_event;
        out.cause = None;
        let mut me = Replica::load(cfg, stored, now, storage);
        let last_zxid = me.last_zxid();
        out.because(EventKind::Started {
            last_zxid,
            current_epoch: me.log.current_epoch(),
            accepted_epoch: me.log.accepted_epoch(),
        });
        if me.cfg.reconfigures() {
            me.tell_members(out);
        }
        if me.cfg.standalone {
            let (leader, verdict) = Leader::alone(now, &mut me, out);
            let mut peer = Peer {
                me,
                role: Role::Leading(Box::new(leader)),
                next_event: out.next_event,
            };
            if let Err(because) = verdict {
                peer.look_again(now, because, out);
            }
            peer.next_event = out.next_event;
            return peer;
        }
        let (election, decision) = begin_election(now, &mut me, ElectionReason::Started, out);
        let mut peer = Peer {
            me,
            role: Role::Looking(election),
            next_event: out.next_event,
        };
        peer.decided(now, decision, out);
        peer.next_event = out.next_event;
        peer
    }

    /// Handles one input completely. `out` is cleared first.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Output) {
        out.clear();
        out.server = self.me.id();
        out.next_event = self.next_event;
        out.cause = input.cause;
        if let Err(because) = self.dispatch(now, input.kind, out) {
            self.look_again(now, because, out);
        }
        self.next_event = out.next_event;
    }

    fn dispatch(
        &mut self,
        now: Now,
        input: InputKind,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        match input {
            InputKind::Timer => self.on_timer(now, out),
            InputKind::Notification(from, n) => {
                out.because(EventKind::Received {
                    from,
                    message: crate::message::MessageKind::Notification,
                    zxid: Some(n.vote.zxid),
                });
                self.on_notification(now, from, &n, out);
                Ok(())
            }
            InputKind::Connected { to, conn } => {
                out.because(EventKind::LinkUp { with: to, conn });
                match &mut self.role {
                    Role::Learning(learner) => learner.on_connected(now, &self.me, to, conn, out),
                    Role::Looking(_) | Role::Leading(_) => {
                        out.effect(|cause| Effect::Close { conn, cause })
                    }
                }
                Ok(())
            }
            InputKind::ConnectFailed { to } => {
                out.because(EventKind::ConnectFailed { to });
                match &mut self.role {
                    Role::Learning(learner) => learner.on_connect_failed(now, &self.me, to),
                    Role::Looking(_) | Role::Leading(_) => Ok(()),
                }
            }
            InputKind::Accepted { from, conn } => {
                out.because(EventKind::LinkUp { with: from, conn });
                match &mut self.role {
                    Role::Leading(leader) if !leader.is_alone() => {
                        leader.on_accepted(now, &self.me, from, conn);
                    }
                    Role::Looking(_) | Role::Learning(_) | Role::Leading(_) => {
                        out.emit(EventKind::LinkDropped {
                            with: from,
                            because: DropReason::NotLeading,
                        });
                        out.effect(|cause| Effect::Close { conn, cause });
                    }
                }
                Ok(())
            }
            InputKind::Closed { conn } => self.on_closed(now, conn, out),
            InputKind::Quorum(conn, message) => self.on_quorum(now, conn, message, out),
            InputKind::Durable(seq) => self.on_durable(now, seq, out),
            InputKind::Truncated(stored) => match &mut self.role {
                Role::Learning(learner) => {
                    out.because(EventKind::DiskSynced {
                        durable: stored
                            .log
                            .last()
                            .map_or(stored.snapshot.last_processed, |t| t.zxid()),
                    });
                    learner.on_truncated(now, &mut self.me, &stored, out)
                }
                // A learner never leaves while its log is being cut.
                Role::Looking(_) | Role::Leading(_) => Ok(()),
            },
            InputKind::LogRead { conn, read } => {
                out.because(EventKind::DiskRead {
                    found: u32::try_from(read.entries.len()).unwrap_or(u32::MAX),
                });
                if let Role::Leading(leader) = &mut self.role {
                    leader.on_log_read(now, &mut self.me, conn, &read, out);
                }
                Ok(())
            }
            InputKind::ClientConnect {
                client,
                request,
                auth,
            } => {
                out.because(EventKind::ClientArrived {
                    client,
                    session: request.session,
                });
                self.on_client(now, client, &request, auth, out)
            }
            InputKind::ClientRequest {
                client,
                xid,
                request,
            } => self.on_request(now, client, xid, request, out),
            InputKind::Restore(database) => self.restore(&database, out),
            InputKind::ClientGone { client } => {
                let session = self.me.clients.gone(client);
                out.because(EventKind::ClientLeft { client, session });
                Ok(())
            }
        }
    }

    fn on_timer(&mut self, now: Now, out: &mut Output) -> Result<(), ElectionReason> {
        let Some(wait) = self.deadline().filter(|w| w.at <= now.at) else {
            return Ok(());
        };
        out.because(EventKind::TimerFired {
            reason: wait.reason,
        });
        // Each looks for itself whether its time has come.
        self.me.clients.expire_local(now.at, out);
        match &mut self.role {
            Role::Looking(election) => {
                if self.me.read_only_due(now.at) {
                    let last_zxid = self.me.db.last_processed;
                    out.because(EventKind::ReadOnlyBegan { last_zxid });
                    self.me.clients.only_read();
                }
                let decision =
                    election.on_timer(now.at, &self.me.cfg, &mut self.me.logical_clock, out);
                self.decided(now, decision, out);
                Ok(())
            }
            Role::Learning(learner) => learner.on_timer(now, &self.me, out),
            Role::Leading(leader) => leader.on_timer(now, &mut self.me, out),
        }
    }

    /// Somebody knows newer members: they hold, as they were committed. True if the election begins anew.
    fn adopts_members(&mut self, now: Now, n: &Notification, out: &mut Output) -> bool {
        let known = self.me.cfg.membership.clone();
        let looks = matches!(self.role, Role::Looking(_)) && self.me.cfg.reconfigures();
        if !looks || n.config_version <= known.version {
            return false;
        }
        let told = n
            .members
            .as_deref()
            .map(str::as_bytes)
            .and_then(reconfig::read);
        let Some(told) = told.filter(|t| t.membership.version == n.config_version) else {
            return false;
        };
        self.me.activate_members(&told, out);
        self.me.write_members();
        let version = told.membership.version;
        if (Membership { version, ..known }) == told.membership {
            return false;
        }
        let because = ElectionReason::Reconfigured { version };
        let (election, decision) = begin_election(now, &mut self.me, because, out);
        self.role = Role::Looking(election);
        self.decided(now, decision, out);
        true
    }

    fn on_notification(&mut self, now: Now, from: ServerId, n: &Notification, out: &mut Output) {
        if self.adopts_members(now, n, out) {
            return;
        }
        if let Role::Leading(leader) = &self.role
            && n.state == ServerState::Looking
            && let Err(because) = leader.on_looking(now, &self.me, from)
        {
            return self.look_again(now, because, out);
        }
        match &mut self.role {
            Role::Looking(election) => {
                let decision = election.on_notification(
                    now.at,
                    &self.me.cfg,
                    &mut self.me.logical_clock,
                    from,
                    n,
                    out,
                );
                self.decided(now, decision, out);
            }
            // It knows of no leader.
            Role::Learning(learner) if learner.is_resting() => {}
            Role::Learning(learner) => {
                election::answer(
                    &self.me.cfg,
                    learner.state(),
                    self.me.vote,
                    self.me.vote_round,
                    from,
                    n,
                    out,
                );
            }
            // It belongs to no ensemble.
            Role::Leading(leader) if leader.is_alone() => {}
            Role::Leading(_) => {
                election::answer(
                    &self.me.cfg,
                    ServerState::Leading,
                    self.me.vote,
                    self.me.vote_round,
                    from,
                    n,
                    out,
                );
            }
        }
    }

    /// The election is over: the role begins.
    fn decided(&mut self, now: Now, decision: Option<Decision>, out: &mut Output) {
        let Some(decision) = decision else { return };
        let elected_by = match &self.role {
            Role::Looking(election) => election.voters_for(&decision.vote),
            Role::Learning(_) | Role::Leading(_) => BTreeSet::new(),
        };
        self.me.end_read_only(out);
        self.me.vote = decision.vote;
        self.me.vote_round = decision.round;
        self.role = match decision.state {
            ServerState::Leading => {
                let leader = Leader::begin(now, &mut self.me, elected_by, out);
                Role::Leading(Box::new(leader))
            }
            ServerState::Following | ServerState::Observing | ServerState::Looking => {
                Role::Learning(Box::new(Learner::begin(
                    now,
                    &self.me,
                    decision.leader,
                    out,
                )))
            }
        };
    }

    /// The role can't go on: everything is closed, and the server looks for a leader again.
    fn look_again(&mut self, now: Now, because: ElectionReason, out: &mut Output) {
        match &self.role {
            // It has let go of its leader before.
            Role::Learning(learner) if learner.is_resting() => {}
            Role::Looking(_) | Role::Learning(_) | Role::Leading(_) => {
                self.let_go(because, out);
                if let Role::Learning(learner) = &mut self.role
                    && learner.rests(now, &self.me, because)
                {
                    return;
                }
            }
        }
        self.me.keep_tree(out);
        if self.me.cfg.standalone {
            // There is nobody to look for; its clients come back.
            let (leader, _) = Leader::alone(now, &mut self.me, out);
            self.role = Role::Leading(Box::new(leader));
            return;
        }
        let (election, decision) = begin_election(now, &mut self.me, because, out);
        self.role = Role::Looking(election);
        self.decided(now, decision, out);
    }

    /// All that belongs to the role ends.
    fn let_go(&mut self, because: ElectionReason, out: &mut Output) {
        let was = self.state();
        out.because(EventKind::SteppedDown { was, because });
        match &mut self.role {
            Role::Looking(_) => {}
            Role::Learning(learner) => match self.me.cfg.rules.has(Rule::CommitEpoch) {
                true => learner.close(out),
                false => learner.leave_open(&mut self.me, out),
            },
            Role::Leading(leader) => leader.close_all(out),
        }
        self.me.stop_serving(out);
    }

    fn on_closed(
        &mut self,
        now: Now,
        conn: ConnId,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        match &mut self.role {
            Role::Looking(_) => {
                out.because(EventKind::LinkDown { with: None, conn });
                Ok(())
            }
            Role::Learning(learner) => {
                let with = (learner.conn() == Some(conn)).then(|| learner.leader());
                out.because(EventKind::LinkDown { with, conn });
                learner.on_closed(now, &self.me, conn)
            }
            Role::Leading(leader) => {
                let with = leader.on_closed(conn);
                out.because(EventKind::LinkDown { with, conn });
                Ok(())
            }
        }
    }

    fn on_quorum(
        &mut self,
        now: Now,
        conn: ConnId,
        message: QuorumMessage,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        let from = match &self.role {
            Role::Looking(_) => None,
            Role::Learning(learner) if learner.conn() == Some(conn) => Some(learner.leader()),
            Role::Learning(_) => self.me.left_at(conn),
            Role::Leading(leader) => leader.learner(conn).map(|l| l.id()),
        };
        // A packet on a connection that we have given up; its other end will learn of it.
        let Some(from) = from else { return Ok(()) };
        out.because(EventKind::Received {
            from,
            message: message.kind(),
            zxid: message.zxid(),
        });
        match &mut self.role {
            Role::Looking(_) => Ok(()),
            Role::Learning(learner) => learner.on_message(now, &mut self.me, conn, message, out),
            Role::Leading(leader) => leader.on_message(now, &mut self.me, conn, message, out),
        }
    }

    fn on_durable(
        &mut self,
        now: Now,
        seq: StorageSeq,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        let done = self.me.log.on_durable(seq);
        // What is on disk now is there because it was appended.
        out.cause = done.last().map(|(_, event)| *event).or(out.cause);
        out.because(EventKind::DiskSynced {
            durable: self.me.log.durable(),
        });
        let zxids: Vec<Zxid> = done.into_iter().map(|(zxid, _)| zxid).collect();
        match &mut self.role {
            Role::Looking(_) => Ok(()),
            Role::Learning(learner) => {
                learner.on_durable(&mut self.me, &zxids, out);
                Ok(())
            }
            Role::Leading(leader) => leader.on_durable(now, &mut self.me, &zxids, out),
        }
    }

    // ---- clients -----------------------------------------------------------------------------------

    fn on_client(
        &mut self,
        now: Now,
        client: ClientId,
        request: &ConnectRequest,
        auth: Arc<[AuthId]>,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        if self.me.clients.only_reads() {
            if !request.read_only {
                clients::refuse(client, RefuseReason::OnlyReads, out);
                return Ok(());
            }
        } else if !self.me.serving {
            clients::refuse(client, RefuseReason::NotServing, out);
            return Ok(());
        }
        if matches!(self.role, Role::Leading(_)) && !self.me.cfg.leader_serves {
            clients::refuse(client, RefuseReason::LeaderDoesNotServe, out);
            return Ok(());
        }
        let here = Here {
            cfg: &self.me.cfg,
            db: &self.me.db,
        };
        match self
            .me
            .clients
            .connect(now.at, here, client, request, auth, out)
        {
            Connect::Answered => Ok(()),
            Connect::Create(request) => self.ask_leader(now, request, out),
            Connect::Validate {
                session,
                timeout_ms,
            } => {
                match &mut self.role {
                    Role::Leading(leader) => {
                        let valid = leader.revalidate_here(now, &self.me, session, timeout_ms, out);
                        self.me.clients.validated(session, valid, out);
                    }
                    Role::Learning(learner) => learner.validate(session, timeout_ms, out),
                    Role::Looking(_) => {}
                }
                Ok(())
            }
        }
    }

    fn on_request(
        &mut self,
        now: Now,
        client: ClientId,
        xid: i32,
        request: Request,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        let here = Here {
            cfg: &self.me.cfg,
            db: &self.me.db,
        };
        let forward = self
            .me
            .clients
            .request(now.at, here, client, xid, request, out);
        if let Role::Leading(leader) = &mut self.role {
            leader.touch_here(now, &mut self.me);
        }
        for request in forward.into_iter().flatten() {
            self.ask_leader(now, request, out)?;
        }
        Ok(())
    }

    fn ask_leader(
        &mut self,
        now: Now,
        request: ForwardedRequest,
        out: &mut Output,
    ) -> Result<(), ElectionReason> {
        match &mut self.role {
            Role::Leading(leader) => leader.submit(now, &mut self.me, request, None, out),
            Role::Learning(learner) => {
                learner.forward(request, out);
                Ok(())
            }
            Role::Looking(_) => Ok(()),
        }
    }

    // ---- what one can see ----------------------------------------------------------------------------

    /// When it wants to be called if nothing comes, and what for.
    #[must_use]
    pub fn deadline(&self) -> Option<Wait> {
        let role = match &self.role {
            Role::Looking(election) => Some(election.deadline()),
            Role::Learning(learner) => learner.next_wait(&self.me),
            Role::Leading(leader) => Some(leader.next_wait()),
        };
        let mut nearest = role;
        for more in self.me.waits().into_iter().flatten() {
            nearest = Some(nearest.map_or(more, |wait| wait.min(more)));
        }
        nearest
    }

    /// Everything that it waits for, the nearest first.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        let mut all = match &self.role {
            Role::Looking(election) => vec![election.deadline()],
            Role::Learning(learner) => Vec::from_iter(learner.next_wait(&self.me)),
            Role::Leading(leader) => leader.waits(),
        };
        all.extend(self.me.waits().into_iter().flatten());
        all.sort_unstable();
        all
    }

    /// The number that its next event will have.
    #[must_use]
    pub fn next_event(&self) -> u64 {
        self.next_event
    }

    /// The last storage operation it has given out.
    #[must_use]
    pub fn last_storage(&self) -> StorageSeq {
        self.me.log.last_seq()
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.me.id()
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.me.cfg
    }

    /// LOOKING, FOLLOWING, LEADING or OBSERVING.
    #[must_use]
    pub fn state(&self) -> ServerState {
        match &self.role {
            Role::Looking(_) => ServerState::Looking,
            Role::Learning(learner) => learner.state(),
            Role::Leading(_) => ServerState::Leading,
        }
    }

    /// What it is for those who administer it: as [`Peer::state`], and standalone told apart.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.role {
            Role::Looking(_) if self.me.clients.only_reads() => Mode::ReadOnly,
            Role::Looking(_) => Mode::Looking,
            Role::Learning(learner) => match learner.state() {
                ServerState::Observing => Mode::Observer,
                ServerState::Looking => Mode::Looking,
                ServerState::Following | ServerState::Leading => Mode::Follower,
            },
            Role::Leading(leader) if leader.is_alone() => Mode::Standalone,
            Role::Leading(_) => Mode::Leader,
        }
    }

    /// Requests of its clients that are not answered yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.me.clients.outstanding()
    }

    /// Whether its clients wait for so much that the driver should read nothing more from them until
    /// this is false again (`globalOutstandingLimit`, 1.5). What was read before is handled all the
    /// same; the limit is of what waits, not a refusal.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.outstanding() > self.me.cfg.outstanding_limit()
    }

    /// Election, discovery, synchronisation or broadcast.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.role {
            Role::Looking(_) => Phase::Election,
            Role::Learning(learner) => learner.ring(),
            Role::Leading(leader) => leader.ring(),
        }
    }

    /// Whether it answers clients as a part of an ensemble with a quorum, or alone.
    #[must_use]
    pub fn serving(&self) -> bool {
        self.me.serving
    }

    /// Whether it answers clients at all: reads, where it has no quorum (1.13).
    #[must_use]
    pub fn answers(&self) -> bool {
        self.me.serving || self.me.clients.only_reads()
    }

    /// acceptedEpoch.
    #[must_use]
    pub fn accepted_epoch(&self) -> Epoch {
        self.me.log.accepted_epoch()
    }

    /// currentEpoch.
    #[must_use]
    pub fn current_epoch(&self) -> Epoch {
        self.me.log.current_epoch()
    }

    /// The logical clock of elections.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.me.logical_clock
    }

    /// What it votes for while looking, what it stands by otherwise.
    #[must_use]
    pub fn vote(&self) -> Vote {
        match &self.role {
            Role::Looking(election) => election.proposal(),
            Role::Learning(_) | Role::Leading(_) => self.me.vote,
        }
    }

    /// Whom it follows; itself when it leads.
    #[must_use]
    pub fn leader(&self) -> Option<ServerId> {
        match &self.role {
            Role::Looking(_) => None,
            Role::Learning(learner) => (!learner.is_resting()).then(|| learner.leader()),
            Role::Leading(_) => Some(self.id()),
        }
    }

    /// Its election while it is LOOKING.
    #[must_use]
    pub fn election(&self) -> Option<&Election> {
        match &self.role {
            Role::Looking(election) => Some(election),
            Role::Learning(_) | Role::Leading(_) => None,
        }
    }

    /// Its work as a leader.
    #[must_use]
    pub fn leading(&self) -> Option<&Leader> {
        match &self.role {
            Role::Leading(leader) => Some(leader),
            Role::Looking(_) | Role::Learning(_) => None,
        }
    }

    /// Its work as a follower or observer.
    #[must_use]
    pub fn learning(&self) -> Option<&Learner> {
        match &self.role {
            Role::Learning(learner) => Some(learner),
            Role::Looking(_) | Role::Leading(_) => None,
        }
    }

    /// The zxid that it stands for in elections.
    #[must_use]
    pub fn last_zxid(&self) -> Zxid {
        self.me.last_zxid()
    }

    /// The last transaction handed to its log.
    #[must_use]
    pub fn last_logged(&self) -> Zxid {
        self.me.log.last_logged()
    }

    /// The last transaction on its disk.
    #[must_use]
    pub fn last_durable(&self) -> Zxid {
        self.me.log.durable()
    }

    /// Everything up to here is known to it as committed.
    #[must_use]
    pub fn last_committed(&self) -> Zxid {
        self.me.committed()
    }

    /// Everything up to here is in its tree.
    #[must_use]
    pub fn last_applied(&self) -> Zxid {
        self.me.db.last_processed
    }

    /// Its log in memory: bounds of the committedLog, durability.
    #[must_use]
    pub fn log(&self) -> &crate::log::Log {
        &self.me.log
    }

    /// Its tree and sessions.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.me.db
    }

    /// Its clients and their watches.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.me.clients
    }
}

fn begin_election(
    now: Now,
    me: &mut Replica,
    because: ElectionReason,
    out: &mut Output,
) -> (Election, Option<Decision>) {
    let initial = me.own_vote();
    me.await_read_only(now.at);
    let cfg = Arc::clone(&me.cfg);
    Election::begin(now.at, &cfg, &mut me.logical_clock, initial, because, out)
}
