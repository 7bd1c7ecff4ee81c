//! Who leads, who looks, who serves.

use super::{Absence, Asked, Awaits, Because, Count, Missing};
use crate::{
    election::{self, Election},
    id::ServerId,
    leader::{Leader, LeaderPhase},
    learner::{Learner, LearnerPhase},
    message::{MessageKind, ServerState, Vote},
    peer::{Peer, event::EventKind},
    sim::{Fact, ServerStatus},
};
use core::cmp::Ordering;

impl Asked<'_> {
    pub(super) fn not_leading(&mut self, server: ServerId) -> Because {
        let peer = match self.runs(server) {
            Ok(peer) => peer,
            Err(away) => return away.into(),
        };
        let cfg = peer.config();
        if !cfg.is_voter() || cfg.weight(server) == 0 {
            return Because::HasNoVote(server);
        }
        if let Some(leader) = peer.leading() {
            return self.leader_waits(peer, leader);
        }
        let elected = self.leader().map(|(p, _)| p.id());
        if let Some(leader) = elected {
            return self.lost_to(server, leader);
        }
        if let Some(learner) = peer.learning() {
            return self.still_follows(peer, learner);
        }
        let Some(election) = peer.election() else {
            return Because::NoSuchThing;
        };
        let (own, better) = (election.initial(), election.proposal());
        if better.leader == server {
            return self.votes(peer, election);
        }
        let changed = self.last_of(
            server,
            |k| matches!(k, EventKind::VoteChanged { new, .. } if *new == better),
        );
        self.rests_on(changed);
        Because::Outvoted {
            own,
            better,
            by: election::compare(&better, &own).1,
        }
    }

    /// Somebody else is elected.
    fn lost_to(&mut self, server: ServerId, leader: ServerId) -> Because {
        let elected = self.last_of(leader, |k| {
            matches!(
                k,
                EventKind::Elected {
                    state: ServerState::Leading,
                    ..
                }
            )
        });
        let stood = self.last_of(server, |k| matches!(k, EventKind::ElectionStarted { .. }));
        let (Some((won_at, won)), Some((stood_at, stood))) = (elected, stood) else {
            return Because::NoSuchThing;
        };
        self.rests_on(elected);
        let (
            Fact::Peer(crate::peer::event::Event {
                kind:
                    EventKind::Elected {
                        vote: winner,
                        round,
                        ..
                    },
                ..
            }),
            Fact::Peer(crate::peer::event::Event {
                kind: EventKind::ElectionStarted { vote: own, .. },
                ..
            }),
        ) = (&won.source, &stood.source)
        else {
            return Because::NoSuchThing;
        };
        if stood_at > won_at {
            self.facts.push(stood.id());
            return Because::CameLater {
                leader,
                elected: won.at,
                came: stood.at,
            };
        }
        let (order, by) = election::compare(winner, own);
        if order == Ordering::Less {
            self.facts.push(stood.id());
            return Because::NotHeardInTime {
                own: *own,
                winner: *winner,
                by,
            };
        }
        // Where it was compared: at the loser, if the winner's vote reached it.
        let compared = self.last_of(
            server,
            |k| matches!(k, EventKind::VoteCompared { theirs, .. } if theirs == winner),
        );
        self.rests_on(compared);
        Because::LostTheVote {
            own: *own,
            winner: *winner,
            by,
            round: *round,
        }
    }

    pub(super) fn still_looking(&mut self, server: ServerId) -> Because {
        let peer = match self.runs(server) {
            Ok(peer) => peer,
            Err(away) => return away.into(),
        };
        match peer.election() {
            Some(election) => self.votes(peer, election),
            None => {
                let decided = self.last_of(server, |k| matches!(k, EventKind::Elected { .. }));
                self.rests_on(decided);
                Because::ItHas
            }
        }
    }

    pub(super) fn not_serving(&mut self, server: ServerId) -> Because {
        let peer = match self.runs(server) {
            Ok(peer) => peer,
            Err(away) => return away.into(),
        };
        if peer.serving() {
            let since = self.last_of(server, |k| {
                matches!(
                    k,
                    EventKind::Serving { .. }
                        | EventKind::ServingAlone { .. }
                        | EventKind::Established { .. }
                )
            });
            self.rests_on(since);
            return Because::ItHas;
        }
        if let Some(election) = peer.election() {
            return self.votes(peer, election);
        }
        if let Some(leader) = peer.leading() {
            return self.leader_waits(peer, leader);
        }
        match peer.learning() {
            Some(learner) => self.learner_waits(peer, learner),
            None => Because::NoSuchThing,
        }
    }

    /// The votes that a LOOKING server has, and those it lacks.
    fn votes(&mut self, peer: &Peer, election: &Election) -> Because {
        let (id, cfg) = (peer.id(), peer.config());
        let vote = election.proposal();
        let have = election.supporters();
        let missing = cfg
            .voters()
            .into_iter()
            .filter(|v| !have.contains(v))
            .map(|server| Missing {
                server,
                because: self.no_vote(server, id, election, vote),
            })
            .collect();
        let count = Count {
            have,
            need: Self::need(cfg),
            missing,
        };
        let began = self.last_of(id, |k| matches!(k, EventKind::ElectionStarted { .. }));
        self.rests_on(began);
        match election.phase() {
            election::Phase::Finalizing { until, .. } => Because::LastWait { vote, count, until },
            election::Phase::Gathering { .. } => Because::TooFewVotes {
                vote,
                round: election.round(),
                count,
            },
        }
    }

    /// Why this server's vote is not among those that equal ours.
    fn no_vote(&self, server: ServerId, at: ServerId, election: &Election, ours: Vote) -> Absence {
        if let Some(absence) = self.absence(server, at) {
            return absence;
        }
        let vote = self.under_way(server, at, |m| m.kind() == MessageKind::Notification);
        if let Some(vote) = vote {
            return Absence::FromIt(MessageKind::Notification, vote.arrives_at);
        }
        if let Some(ballot) = election.recvset().get(&server)
            && ballot.vote != ours
        {
            return Absence::VotesFor(ballot.vote);
        }
        match election.outofelection().get(&server) {
            Some(ballot) if ballot.state != ServerState::Looking => {
                Absence::Follows(ballot.vote.leader)
            }
            Some(_) | None => Absence::Silent,
        }
    }

    /// The quorum that an elected leader waits for.
    fn leader_count(&self, peer: &Peer, leader: &Leader) -> Count {
        let (id, cfg) = (peer.id(), peer.config());
        let have = match leader.phase() {
            LeaderPhase::CollectingInfo => leader.infos(),
            LeaderPhase::CollectingEpochAcks => leader.epoch_acks(),
            LeaderPhase::CollectingNewLeaderAcks | LeaderPhase::Established => {
                leader.new_leader_acks()
            }
        };
        let awaited = match leader.phase() {
            LeaderPhase::CollectingInfo => MessageKind::FollowerInfo,
            LeaderPhase::CollectingEpochAcks => MessageKind::AckEpoch,
            LeaderPhase::CollectingNewLeaderAcks | LeaderPhase::Established => MessageKind::Ack,
        };
        let why = |server: ServerId| {
            if let Some(absence) = self.absence(server, id) {
                return absence;
            }
            let quorum = |m: &crate::bus::Message| m.kind() != MessageKind::Notification;
            if let Some(m) = self.under_way(server, id, |m| m.kind() == awaited) {
                return Absence::FromIt(awaited, m.arrives_at);
            }
            if let Some(m) = self.under_way(id, server, quorum) {
                return Absence::ToIt(m.envelope.message.kind(), m.arrives_at);
            }
            match self.world.server(server) {
                Some(view) if view.held > 0 => Absence::OnDisk(view.disk.slower_by()),
                Some(view) => match view.peer.map(|p| (p.state(), p.leader())) {
                    Some((ServerState::Looking, _)) => Absence::Looks,
                    Some((_, Some(other))) if other != id => Absence::Follows(other),
                    Some(_) | None => Absence::Silent,
                },
                None => Absence::Silent,
            }
        };
        Count {
            have: have.clone(),
            need: Self::need(cfg),
            missing: cfg
                .voters()
                .into_iter()
                .filter(|v| !have.contains(v))
                .map(|server| Missing {
                    server,
                    because: why(server),
                })
                .collect(),
        }
    }

    fn leader_waits(&mut self, peer: &Peer, leader: &Leader) -> Because {
        let id = peer.id();
        let established = leader.phase() == LeaderPhase::Established;
        let since = self.last_of(id, |k| match k {
            EventKind::Established { .. } | EventKind::ServingAlone { .. } => established,
            EventKind::Elected { .. } => !established,
            _ => false,
        });
        self.rests_on(since);
        if established {
            return Because::ItHas;
        }
        Because::LeaderWaits {
            leader: id,
            phase: leader.phase(),
            count: self.leader_count(peer, leader),
            until: leader.next_wait().at,
        }
    }

    fn learner_waits(&mut self, peer: &Peer, learner: &Learner) -> Because {
        let (id, leader) = (peer.id(), learner.leader());
        let awaits = match learner.phase() {
            // In a simulated world observers do not rest; a leader is what comes next.
            LearnerPhase::Connecting { .. } | LearnerPhase::Resting { .. } => {
                Awaits::Connection(learner.attempt())
            }
            LearnerPhase::AwaitingEpoch => Awaits::Epoch,
            LearnerPhase::AwaitingSync => Awaits::Sync,
            LearnerPhase::Truncating { .. } => Awaits::Truncation,
            LearnerPhase::Syncing { mode } => Awaits::History(*mode),
            LearnerPhase::AwaitingUpToDate => Awaits::UpToDate,
            LearnerPhase::Serving => return self.still_follows(peer, learner),
        };
        let elected = self.last_of(id, |k| matches!(k, EventKind::Elected { .. }));
        self.rests_on(elected);
        let waiting = self
            .world
            .peer(leader)
            .and_then(|p| Some((p, p.leading()?)))
            .filter(|(_, l)| l.phase() != LeaderPhase::Established)
            .map(|(p, l)| (l.phase(), self.leader_count(p, l)));
        Because::LearnerWaits {
            leader,
            awaits,
            until: peer.waits().first().map(|w| w.at),
            leader_is: self.leader_is(id, leader),
            count: waiting,
        }
    }

    /// What keeps a leader's part from a learner.
    fn leader_is(&self, learner: ServerId, leader: ServerId) -> Absence {
        if let Some(absence) = self.absence(leader, learner) {
            return absence;
        }
        let quorum = |m: &crate::bus::Message| m.kind() != MessageKind::Notification;
        if let Some(m) = self.under_way(leader, learner, quorum) {
            return Absence::FromIt(m.envelope.message.kind(), m.arrives_at);
        }
        if let Some(m) = self.under_way(learner, leader, quorum) {
            return Absence::ToIt(m.envelope.message.kind(), m.arrives_at);
        }
        if let Some(view) = self.world.server(learner).filter(|v| v.held > 0) {
            return Absence::OnDisk(view.disk.slower_by());
        }
        match self.world.peer(leader).map(Peer::state) {
            Some(ServerState::Looking) => Absence::Looks,
            Some(ServerState::Following | ServerState::Observing) => Absence::Follows(
                self.world
                    .peer(leader)
                    .and_then(Peer::leader)
                    .unwrap_or(leader),
            ),
            Some(ServerState::Leading) | None => Absence::Silent,
        }
    }

    fn still_follows(&mut self, peer: &Peer, learner: &Learner) -> Because {
        let leader = learner.leader();
        if self
            .world
            .server(leader)
            .is_some_and(|v| v.status != ServerStatus::Up)
        {
            self.rests_on_fault(leader);
        }
        Because::StillFollows {
            leader,
            leader_is: self.leader_is(peer.id(), leader),
            until: peer.waits().first().map(|w| w.at),
        }
    }
}
