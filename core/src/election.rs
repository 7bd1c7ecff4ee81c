//! Fast leader election: how servers that look for a leader agree on one (ZooKeeper.md 2.3 to 2.6).
//!
//! [`Election`] is the state of one server from the moment it becomes LOOKING until it has decided.
//! It exists only in that time; a server that is not looking uses [`answer`]. Two phases, each a
//! variant of [`Phase`]: gathering votes, and the last wait when they are a quorum.
//!
//! Apache's server sends its own vote to itself through its receive queue. Here a vote of one's own
//! is entered at once, which is what that queue amounts to, without the queue. Where Apache's
//! behaviour was looked up to settle a doubt, the place says so.
//!
//! Three things differ on purpose; the first and the last in what a server without a vote is told:
//!
//! * While LOOKING it is told our proposal, where Apache tells the vote that won the *last* election.
//!   After a leader has died that makes a quorum for the dead leader, whom observers then call.
//! * While members change, a leader that is there already is believed when a quorum of the members or of
//!   those to come says so, where Apache wants both: a server alone with a proposal of members of which it
//!   is needed would never come back to those that have given it up. Whoever leads needs both in any case.
//! * It is told only when it is LOOKING itself. Apache's looking voter and an observing observer can
//!   answer each other without end, as fast as the network allows; nobody uses those answers.

use crate::{
    config::Config,
    id::{Epoch, ServerId, Zxid},
    message::{Notification, ServerState, Vote},
    peer::{
        Wait, WaitReason,
        event::{DecidedBy, ElectionReason, EventKind, IgnoreReason, VoteField},
        output::Output,
    },
    rules::Rule,
    time::{Moment, Span},
};
use core::cmp::Ordering;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A vote as one server cast it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ballot {
    /// What for.
    pub vote: Vote,
    /// In which round (logical clock).
    pub round: u64,
    /// The sender's state when it said so.
    pub state: ServerState,
}

/// What an election waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Votes are not a quorum yet.
    Gathering {
        /// When nothing is heard until then, our vote is repeated.
        repeat_at: Moment,
        /// How long such a wait is now. It doubles with each repetition and, as in Apache, shrinks
        /// only when a new election begins.
        interval: Span,
    },
    /// Votes like ours are a quorum; a better one may still come.
    ///
    /// Apache reads messages one after the other and waits finalizeWait for *each*. So any message
    /// of a voter that is not better starts this wait anew, and has no other effect on the outcome,
    /// whatever round or state it is of. A message that is better, again whatever its round or
    /// state, ends this phase and is then considered like any other; if it turns out to be void, the
    /// quorum is looked at again with the next vote that is recorded, at the latest our own
    /// repetition.
    Finalizing {
        /// When nothing is heard until then, it is decided.
        until: Moment,
        /// The interval of [`Phase::Gathering`], to go on with.
        interval: Span,
    },
}

/// The outcome of an election for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// Who leads.
    pub leader: ServerId,
    /// What this server is to do now: LEADING, FOLLOWING or OBSERVING.
    pub state: ServerState,
    /// The round in which it was decided; the logical clock stands at it.
    pub round: u64,
    /// The vote that won: the "current vote" from now on (see [`established`]).
    pub vote: Vote,
    /// How.
    pub by: DecidedBy,
}

/// One election of one server, from LOOKING to the [`Decision`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    round: u64,
    initial: Vote,
    proposal: Vote,
    recvset: BTreeMap<ServerId, Ballot>,
    outofelection: BTreeMap<ServerId, Ballot>,
    phase: Phase,
}

/// Compares two votes by (peer epoch, zxid, id) and names the first field in which they differ.
///
/// The epoch is first because it says who has taken part in what a later leader has settled: a server
/// that has not may have a longer log of what nobody else has (2.4).
#[must_use]
pub fn compare(a: &Vote, b: &Vote) -> (Ordering, VoteField) {
    let fields = [
        (a.epoch.cmp(&b.epoch), VoteField::Epoch),
        (a.zxid.cmp(&b.zxid), VoteField::Zxid),
        (a.leader.cmp(&b.leader), VoteField::Id),
    ];
    fields
        .into_iter()
        .find(|(order, _)| order.is_ne())
        .unwrap_or((Ordering::Equal, VoteField::Same))
}

/// Whether `new` beats `old`, and what decides it: a candidate without weight never wins (2.4).
#[must_use]
pub fn beats(cfg: &Config, new: &Vote, old: &Vote) -> (bool, VoteField) {
    if cfg.weight(new.leader) == 0 && !is_stranger(cfg, new.leader) {
        return (false, VoteField::Weight);
    }
    let (order, by) = match cfg.rules.has(Rule::VoteEpoch) {
        true => compare(new, old),
        false => compare(&without_epoch(new), &without_epoch(old)),
    };
    (order.is_gt(), by)
}

/// A vote as it counts without [`Rule::VoteEpoch`].
fn without_epoch(vote: &Vote) -> Vote {
    established(*vote, Epoch(0))
}

/// A candidate that is no voter here, where members can change: a voter that votes for it may know members
/// to come of which we have not heard. To follow it is safe: it leads only with the quorums that it knows
/// to be needed. To ignore it, as Apache does, can leave an ensemble without a leader for ever, when it alone
/// has the latest history.
fn is_stranger(cfg: &Config, candidate: ServerId) -> bool {
    cfg.reconfigures() && candidate != ServerId::NOBODY && !cfg.counts(candidate)
}

fn may_lead(cfg: &Config, candidate: ServerId) -> bool {
    cfg.counts(candidate) || is_stranger(cfg, candidate)
}

/// What a server votes for first: itself, or nobody when it has no vote (2.4).
#[must_use]
pub fn initial_vote(cfg: &Config, last_zxid: Zxid, current_epoch: Epoch) -> Vote {
    if cfg.is_voter() {
        Vote {
            epoch: current_epoch,
            zxid: last_zxid,
            leader: cfg.my_id,
        }
    } else {
        Vote {
            epoch: Epoch(i64::MIN),
            zxid: Zxid(i64::MIN),
            leader: ServerId::NOBODY,
        }
    }
}

/// The vote of a server that has caught up with its leader, or that leads and is established: it
/// names the new epoch. Otherwise servers that joined in different ways would tell a newcomer votes
/// that are not equal (2.6).
#[must_use]
pub fn established(vote: Vote, epoch: Epoch) -> Vote {
    Vote { epoch, ..vote }
}

/// Answers a notification when this server is not LOOKING (2.6, the receiver's side).
///
/// `round` is the round of the decision that led to `current_vote`. While LOOKING a server uses
/// [`Election::on_notification`], which answers by itself.
pub fn answer(
    cfg: &Config,
    state: ServerState,
    current_vote: Vote,
    round: u64,
    from: ServerId,
    n: &Notification,
    out: &mut Output,
) {
    match n.state {
        ServerState::Looking => tell(cfg, state, current_vote, round, from, out),
        ServerState::Following | ServerState::Leading | ServerState::Observing => {
            ignored(from, n, not_looking(cfg, from), out);
        }
    }
}

fn not_looking(cfg: &Config, from: ServerId) -> IgnoreReason {
    if cfg.counts(from) {
        IgnoreReason::NobodyLooking
    } else {
        IgnoreReason::SenderNoVoter
    }
}

fn ignored(from: ServerId, n: &Notification, because: IgnoreReason, out: &mut Output) {
    out.emit(EventKind::VoteIgnored {
        from,
        vote: n.vote,
        because,
    });
}

/// Tells one server how things stand here.
fn tell(cfg: &Config, state: ServerState, vote: Vote, round: u64, to: ServerId, out: &mut Output) {
    let kind = EventKind::VoteAnswered {
        to,
        state,
        vote,
        round,
    };
    let n = Notification {
        state,
        vote,
        round,
        config_version: cfg.membership.version,
        members: told_members(cfg),
    };
    caused_by(kind, out, |out| out.notify(to, n));
}

/// What of the membership others are told: what is committed, where it can change (2.3).
#[must_use]
pub fn told_members(cfg: &Config) -> Option<Arc<str>> {
    cfg.members_text.clone().filter(|_| cfg.reconfigures())
}

/// Emits an event and does something that only this event causes.
fn caused_by(kind: EventKind, out: &mut Output, act: impl FnOnce(&mut Output)) {
    let before = out.cause;
    out.because(kind);
    act(out);
    out.cause = before;
}

impl Election {
    /// A server becomes LOOKING: the next round begins, its own vote goes to all other voters.
    ///
    /// `initial` is [`initial_vote`]. A decision comes at once only for a single voter whose
    /// finalizeWait is 0; any other waits.
    pub fn begin(
        now: Moment,
        cfg: &Config,
        logical_clock: &mut u64,
        initial: Vote,
        because: ElectionReason,
        out: &mut Output,
    ) -> (Election, Option<Decision>) {
        *logical_clock = logical_clock.saturating_add(1);
        let interval = cfg.min_notification_interval;
        let mut election = Election {
            round: *logical_clock,
            initial,
            proposal: initial,
            recvset: BTreeMap::new(),
            outofelection: BTreeMap::new(),
            phase: Phase::Gathering {
                repeat_at: now + interval,
                interval,
            },
        };
        let started = EventKind::ElectionStarted {
            round: election.round,
            vote: initial,
            because,
        };
        let mut decision = None;
        caused_by(started, out, |out| {
            election.broadcast(cfg, out);
            if let Some(own) = election.enter_own(cfg) {
                let recorded = election.recorded(cfg, cfg.my_id, own);
                caused_by(recorded, out, |out| {
                    decision = election.check_quorum(now, cfg, out);
                });
            }
        });
        (election, decision)
    }

    /// A notification came while LOOKING.
    pub fn on_notification(
        &mut self,
        now: Moment,
        cfg: &Config,
        logical_clock: &mut u64,
        from: ServerId,
        n: &Notification,
        out: &mut Output,
    ) -> Option<Decision> {
        if from == cfg.my_id {
            return None; // never over the bus: our own vote is entered when it is cast
        }
        let looking = n.state == ServerState::Looking;
        if !cfg.counts(from) {
            // Not counted, and not even a sign of life that our waits would take note of.
            ignored(from, n, IgnoreReason::SenderNoVoter, out);
            // Two that have different members to come may be strangers to each other, and would answer
            // each other without end: only one of them does.
            let strangers = cfg.next.is_some() && n.config_version == cfg.membership.version;
            let may =
                n.config_version <= cfg.membership.version && (!strangers || cfg.my_id > from);
            if looking && may {
                self.tell_proposal(cfg, from, out);
            }
            return None;
        }
        if looking && n.round < self.round && cfg.is_voter() {
            // Apache's receiver does this before anybody looks at the vote. An observer's word would
            // not count, only be answered: the two would go on for ever.
            self.tell_proposal(cfg, from, out);
        }
        match self.phase {
            Phase::Gathering { interval, .. } => self.wait_again(now, interval),
            Phase::Finalizing { interval, .. } => {
                let (better, by) = beats(cfg, &n.vote, &self.proposal);
                if !better {
                    self.phase = Phase::Finalizing {
                        until: now + cfg.finalize_wait,
                        interval,
                    };
                    self.note_while_finalizing(cfg, from, n, by, out);
                    return None;
                }
                out.emit(EventKind::QuorumOvertaken { by: n.vote });
                self.wait_again(now, interval);
            }
        }
        if !may_lead(cfg, n.vote.leader) {
            ignored(from, n, IgnoreReason::CandidateNoVoter, out);
            return None;
        }
        match n.state {
            ServerState::Looking => self.on_looking(now, cfg, logical_clock, from, n, out),
            ServerState::Following | ServerState::Leading => {
                self.on_decided(cfg, logical_clock, from, n, out)
            }
            ServerState::Observing => {
                ignored(from, n, IgnoreReason::SenderObserves, out);
                None
            }
        }
    }

    /// The moment of [`Election::deadline`] may have come. Early calls do no harm.
    pub fn on_timer(
        &mut self,
        now: Moment,
        cfg: &Config,
        _logical_clock: &mut u64,
        out: &mut Output,
    ) -> Option<Decision> {
        if now < self.deadline().at {
            return None;
        }
        match self.phase {
            Phase::Gathering { interval, .. } => {
                let next = interval.times(2).min(cfg.max_notification_interval);
                self.wait_again(now, next);
                let mut decision = None;
                caused_by(EventKind::VoteRepeated { next }, out, |out| {
                    self.broadcast(cfg, out);
                    // Our repetition reaches ourselves too, and with it the quorum is looked at.
                    if self.enter_own(cfg).is_some() {
                        decision = self.check_quorum(now, cfg, out);
                    }
                });
                decision
            }
            Phase::Finalizing { .. } => Some(self.decide_proposal(cfg, out)),
        }
    }

    /// Whose vote it has for this.
    #[must_use]
    pub fn voters_for(&self, vote: &Vote) -> BTreeSet<ServerId> {
        let all = self.recvset.iter().chain(&self.outofelection);
        all.filter(|(_, ballot)| ballot.vote == *vote)
            .map(|(id, _)| *id)
            .collect()
    }

    /// When [`Election::on_timer`] is to be called next, and what for.
    #[must_use]
    pub fn deadline(&self) -> Wait {
        match self.phase {
            Phase::Gathering { repeat_at, .. } => Wait {
                at: repeat_at,
                reason: WaitReason::RepeatVote,
            },
            Phase::Finalizing { until, .. } => Wait {
                at: until,
                reason: WaitReason::FinalizeWait,
            },
        }
    }

    /// The round (logical clock) it is in.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// What this server voted for at the beginning, and returns to when the round advances.
    #[must_use]
    pub fn initial(&self) -> Vote {
        self.initial
    }

    /// What this server votes for now.
    #[must_use]
    pub fn proposal(&self) -> Vote {
        self.proposal
    }

    /// What it waits for.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The votes of this round by sender, our own included.
    #[must_use]
    pub fn recvset(&self) -> &BTreeMap<ServerId, Ballot> {
        &self.recvset
    }

    /// What servers that are not LOOKING said, of whatever round.
    #[must_use]
    pub fn outofelection(&self) -> &BTreeMap<ServerId, Ballot> {
        &self.outofelection
    }

    /// Who votes exactly as this server does, itself included.
    #[must_use]
    pub fn supporters(&self) -> BTreeSet<ServerId> {
        self.recvset
            .iter()
            .filter(|(_, b)| b.vote == self.proposal)
            .map(|(id, _)| *id)
            .collect()
    }

    /// A vote of a LOOKING voter for a voter.
    fn on_looking(
        &mut self,
        now: Moment,
        cfg: &Config,
        logical_clock: &mut u64,
        from: ServerId,
        n: &Notification,
        out: &mut Output,
    ) -> Option<Decision> {
        if let Some(because) = self.void(n) {
            ignored(from, n, because, out);
            return None;
        }
        let advances = n.round > self.round;
        // In a new round the votes so far are void, our own too: it starts from the initial one.
        let ours = if advances {
            self.initial
        } else {
            self.proposal
        };
        let (better, by) = beats(cfg, &n.vote, &ours);
        self.proposal = if better { n.vote } else { ours };
        let compared = EventKind::VoteCompared {
            from,
            theirs: n.vote,
            ours,
            by,
            changes: better,
        };
        let changed = EventKind::VoteChanged {
            old: ours,
            new: n.vote,
            from,
            by,
        };
        if advances {
            let old = self.round;
            self.round = n.round;
            *logical_clock = n.round;
            self.recvset.clear();
            let advanced = EventKind::RoundAdvanced {
                old,
                new: n.round,
                from,
                vote: self.proposal,
            };
            caused_by(advanced, out, |out| {
                out.emit(compared);
                if better {
                    caused_by(changed, out, |out| self.broadcast(cfg, out));
                } else {
                    self.broadcast(cfg, out);
                }
            });
        } else {
            out.emit(compared);
            if better {
                caused_by(changed, out, |out| self.broadcast(cfg, out));
            }
        }
        if advances || better {
            self.enter_own(cfg);
        }
        let ballot = Ballot {
            vote: n.vote,
            round: n.round,
            state: n.state,
        };
        self.recvset.insert(from, ballot);
        let mut decision = None;
        caused_by(self.recorded(cfg, from, ballot), out, |out| {
            decision = self.check_quorum(now, cfg, out);
        });
        decision
    }

    /// Why a LOOKING voter's vote does not count now, if so.
    fn void(&self, n: &Notification) -> Option<IgnoreReason> {
        if self.initial.zxid == Zxid::UNINITIALISED || n.vote.zxid == Zxid::UNINITIALISED {
            Some(IgnoreReason::Uninitialised)
        } else if n.round < self.round {
            Some(IgnoreReason::OlderRound {
                theirs: n.round,
                ours: self.round,
            })
        } else {
            None
        }
    }

    /// The word of a voter that follows or leads: may we join?
    fn on_decided(
        &mut self,
        cfg: &Config,
        logical_clock: &mut u64,
        from: ServerId,
        n: &Notification,
        out: &mut Output,
    ) -> Option<Decision> {
        let ballot = Ballot {
            vote: n.vote,
            round: n.round,
            state: n.state,
        };
        let same_round = n.round == self.round;
        if same_round {
            self.recvset.insert(from, ballot);
        }
        self.outofelection.insert(from, ballot);
        out.emit(self.recorded(cfg, from, ballot));

        let leader = n.vote.leader;
        // In one round it is enough that followers name the same leader: one that has synchronised
        // names the new epoch, one that has not the old. (Apache keeps these votes in recvset
        // without a format version, and then compares nothing but the leader.) LOOKING ones must
        // be equal to the last.
        let agrees = |b: &Ballot| match b.state {
            ServerState::Looking => b.vote == n.vote,
            ServerState::Following | ServerState::Leading | ServerState::Observing => {
                b.vote.leader == leader
            }
        };
        if same_round
            && cfg.is_either_quorum(|id| self.recvset.get(&id).is_some_and(agrees))
            && self.leader_is_there(cfg, &self.recvset, n)
        {
            return Some(self.decide(cfg, n.vote, DecidedBy::SameRoundDecided, out));
        }
        // Of an ensemble that runs, leader and epoch must agree; zxid and round may differ with the
        // time at which a follower joined (ZOOKEEPER-1732, -1805).
        let agrees = |b: &Ballot| b.vote.leader == leader && b.vote.epoch == n.vote.epoch;
        if cfg.is_either_quorum(|id| self.outofelection.get(&id).is_some_and(agrees))
            && self.leader_is_there(cfg, &self.outofelection, n)
        {
            self.round = n.round;
            *logical_clock = n.round;
            return Some(self.decide(cfg, n.vote, DecidedBy::RunningEnsemble, out));
        }
        None
    }

    /// The leader check: the leader itself said that it leads; otherwise a leader that has crashed
    /// would be elected again and again by what others still say of it. That *we* lead is believed
    /// only of this round.
    fn leader_is_there(
        &self,
        cfg: &Config,
        votes: &BTreeMap<ServerId, Ballot>,
        n: &Notification,
    ) -> bool {
        if n.vote.leader == cfg.my_id {
            n.round == self.round
        } else {
            votes
                .get(&n.vote.leader)
                .is_some_and(|b| b.state == ServerState::Leading)
        }
    }

    /// A message that changes nothing in the last wait. Apache drops it. We enter it for those who
    /// watch if it is a vote of this round: it is not better than ours, so it cannot be of use to
    /// another proposal that may come, and the decision does not ask the tally again.
    fn note_while_finalizing(
        &mut self,
        cfg: &Config,
        from: ServerId,
        n: &Notification,
        by: VoteField,
        out: &mut Output,
    ) {
        let because = match n.state {
            ServerState::Looking => self.void(n),
            ServerState::Following | ServerState::Leading => None,
            ServerState::Observing => Some(IgnoreReason::SenderObserves),
        };
        let no_voter = !may_lead(cfg, n.vote.leader);
        let because = because.or(no_voter.then_some(IgnoreReason::CandidateNoVoter));
        if let Some(because) = because {
            return ignored(from, n, because, out);
        }
        out.emit(EventKind::VoteCompared {
            from,
            theirs: n.vote,
            ours: self.proposal,
            by,
            changes: false,
        });
        if n.state == ServerState::Looking && n.round == self.round {
            let ballot = Ballot {
                vote: n.vote,
                round: n.round,
                state: n.state,
            };
            self.recvset.insert(from, ballot);
            out.emit(self.recorded(cfg, from, ballot));
        }
    }

    /// Begins the last wait when the votes like ours are a quorum.
    fn check_quorum(&mut self, now: Moment, cfg: &Config, out: &mut Output) -> Option<Decision> {
        let supporters = self.supporters();
        if !cfg.is_quorum(|id| supporters.contains(&id)) {
            return None;
        }
        let (Phase::Gathering { interval, .. } | Phase::Finalizing { interval, .. }) = self.phase;
        self.phase = Phase::Finalizing {
            until: now + cfg.finalize_wait,
            interval,
        };
        out.emit(EventKind::QuorumOfVotes {
            vote: self.proposal,
            supporters: count(supporters.len()),
            wait: cfg.finalize_wait,
        });
        (cfg.finalize_wait == Span(0)).then(|| self.decide_proposal(cfg, out))
    }

    fn decide_proposal(&self, cfg: &Config, out: &mut Output) -> Decision {
        self.decide(cfg, self.proposal, DecidedBy::QuorumThisRound, out)
    }

    fn decide(&self, cfg: &Config, vote: Vote, by: DecidedBy, out: &mut Output) -> Decision {
        let decision = Decision {
            leader: vote.leader,
            state: if vote.leader == cfg.my_id {
                ServerState::Leading
            } else if cfg.is_observer() {
                ServerState::Observing
            } else {
                ServerState::Following
            },
            round: self.round,
            vote,
            by,
        };
        out.emit(EventKind::Elected {
            leader: decision.leader,
            state: decision.state,
            round: decision.round,
            vote,
            by,
        });
        decision
    }

    fn wait_again(&mut self, now: Moment, interval: Span) {
        self.phase = Phase::Gathering {
            repeat_at: now + interval,
            interval,
        };
    }

    /// Enters our own vote, if it counts: we are a voter, and our database is initialised.
    fn enter_own(&mut self, cfg: &Config) -> Option<Ballot> {
        if !cfg.is_voter() || self.initial.zxid == Zxid::UNINITIALISED {
            return None;
        }
        let own = Ballot {
            vote: self.proposal,
            round: self.round,
            state: ServerState::Looking,
        };
        self.recvset.insert(cfg.my_id, own);
        Some(own)
    }

    fn recorded(&self, cfg: &Config, from: ServerId, ballot: Ballot) -> EventKind {
        EventKind::VoteRecorded {
            from,
            vote: ballot.vote,
            state: ballot.state,
            supporters: count(self.supporters().len()),
            need: count(cfg.membership.quorum.smallest()),
        }
    }

    fn broadcast(&self, cfg: &Config, out: &mut Output) {
        let n = self.notification(cfg);
        for id in cfg.voters() {
            if id != cfg.my_id {
                out.notify(id, n.clone());
            }
        }
    }

    /// What this server tells others while it is LOOKING.
    #[must_use]
    pub fn notification(&self, cfg: &Config) -> Notification {
        Notification {
            state: ServerState::Looking,
            vote: self.proposal,
            round: self.round,
            config_version: cfg.membership.version,
            members: told_members(cfg),
        }
    }

    fn tell_proposal(&self, cfg: &Config, to: ServerId, out: &mut Output) {
        tell(
            cfg,
            ServerState::Looking,
            self.proposal,
            self.round,
            to,
            out,
        );
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
