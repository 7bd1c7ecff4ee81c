//! Whether a condition holds: of the world as it is, and of what has happened.

use crate::schema::{
    Because, By, Condition, Decided, Expr, Group, Is, Mode, Pattern, Relation, Who,
};
use std::{cmp::Ordering, collections::BTreeMap, fmt};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::ServerState,
    peer::event::{
        DecidedBy, ElectionReason, EventKind as K, IgnoreReason, Phase, RefuseReason, SyncMode,
        VoteField,
    },
    request::{Request, Response},
    sim::{
        Action, ClientNo, ClientState, Fact, History, Outcome, Record, Seen, ServerStatus,
        ServerView, World, WorldEventKind as W,
    },
};

/// A value of the world: what a choice or a `{{value}}` shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A server.
    Server(ServerId),
    /// A zxid.
    Zxid(Zxid),
    /// An epoch.
    Epoch(Epoch),
    /// A number.
    Number(u64),
    /// Words.
    Text(String),
}

/// As it is shown: a server by its number, a zxid as `1·09`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Server(id) => id.fmt(f),
            Value::Zxid(z) if z.0 < 0 => f.write_str("–"),
            Value::Zxid(z) => write!(f, "{}·{:02}", z.epoch().0, z.counter()),
            Value::Epoch(e) => e.fmt(f),
            Value::Number(n) => n.fmt(f),
            Value::Text(s) => f.write_str(s),
        }
    }
}

/// Names that steps have given to servers.
pub type Names = BTreeMap<String, ServerId>;

/// Where one stands when one asks.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    /// Facts since the first step began.
    pub(crate) lesson: Window<'a>,
    /// Facts since this step began.
    pub(crate) step: Window<'a>,
    pub(crate) names: &'a Names,
    /// Who led when this step began.
    pub(crate) led: Option<ServerId>,
    pub(crate) it: Option<ServerId>,
    /// Faults that were made since the first step.
    pub(crate) faults: usize,
}

/// Records from an index on.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    parts: &'a [&'a [Record]],
    from: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(parts: &'a [&'a [Record]], from: usize) -> Window<'a> {
        Window { parts, from }
    }

    fn iter(self) -> impl Iterator<Item = &'a Record> {
        let mut skip = self.from;
        self.parts.iter().flat_map(move |part| {
            let n = skip.min(part.len());
            skip -= n;
            &part[n..]
        })
    }
}

/// Who leads: established before merely elected, newer epoch before older.
pub(crate) fn leader(world: &World) -> Option<ServerId> {
    world
        .servers()
        .filter_map(|s| s.peer.map(|p| (s.id, p)))
        .filter(|(_, p)| p.state() == ServerState::Leading)
        .max_by_key(|(_, p)| (p.phase() == Phase::Broadcast, p.accepted_epoch()))
        .map(|(id, _)| id)
}

pub(crate) fn established(world: &World, id: ServerId) -> bool {
    world
        .peer(id)
        .is_some_and(|p| p.state() == ServerState::Leading && p.phase() == Phase::Broadcast)
}

fn follows(s: &ServerView<'_>) -> bool {
    s.peer.is_some_and(|p| p.state() == ServerState::Following)
}

pub(crate) fn group(world: &World, of: &Group, scene: Option<&Scene<'_>>) -> Vec<ServerId> {
    let voters = world.setup().voters;
    world
        .servers()
        .filter(|s| match of {
            Group::All => true,
            Group::Voters => s.id.0 <= i64::from(voters),
            Group::Up => matches!(s.status, ServerStatus::Up | ServerStatus::Paused),
            Group::Down => s.status == ServerStatus::Down,
            Group::Followers => follows(s),
            Group::These(list) => list.iter().any(|who| match (who, scene) {
                (Who::Id(n), _) => s.id.0 == *n,
                (who, Some(scene)) => scene.one(who) == Some(s.id),
                (_, None) => false,
            }),
        })
        .map(|s| s.id)
        .collect()
}

impl<'a> Scene<'a> {
    /// The server that `who` names now.
    pub(crate) fn one(&self, who: &Who) -> Option<ServerId> {
        match who {
            Who::Id(n) => Some(ServerId(*n)),
            Who::Leader => leader(self.world),
            Who::AnyFollower => self.world.servers().find(follows).map(|s| s.id),
            Who::Any => None,
            Who::It => self.it,
            Who::Named(name) => self.names.get(name).copied(),
        }
    }

    /// Whether an event's server is the one that a pattern names.
    fn is(&self, who: &Option<Who>, id: ServerId) -> bool {
        match who {
            None | Some(Who::Any) => true,
            Some(Who::Leader) => {
                self.led == Some(id) || (self.led.is_none() && leader(self.world) == Some(id))
            }
            Some(Who::AnyFollower) => self.world.server(id).as_ref().is_some_and(follows),
            Some(who) => self.one(who) == Some(id),
        }
    }

    fn with(&self, it: ServerId) -> Scene<'a> {
        Scene {
            it: Some(it),
            ..*self
        }
    }

    /// A server's epoch, last zxid: from its memory, or from its disk if it is down.
    pub(crate) fn ballot(&self, id: ServerId) -> Option<(Epoch, Zxid)> {
        ballot(self.world, id)
    }

    pub(crate) fn value(&self, expr: &Expr) -> Option<Value> {
        Some(match expr {
            Expr::Server(who) => Value::Server(self.one(who)?),
            Expr::Epoch(who) => Value::Epoch(self.ballot(self.one(who)?)?.0),
            Expr::Zxid(who) => Value::Zxid(self.ballot(self.one(who)?)?.1),
            Expr::Round(who) => Value::Number(self.world.peer(self.one(who)?)?.round()),
            Expr::Quorum => {
                let config = self.world.config(ServerId(1))?;
                Value::Number(config.membership.quorum.smallest() as u64)
            }
            Expr::Committed => Value::Zxid(self.world.newest_committed()),
            Expr::LastRead(client) => {
                let view = self.world.client(ClientNo(*client))?;
                let data = view.observations.iter().rev().find_map(|o| match &o.seen {
                    Seen::Answer {
                        request: Request::GetData { .. },
                        outcome:
                            Outcome::Reply {
                                result: Ok(Response::Data(data, _)),
                                ..
                            },
                        ..
                    } => Some(data.clone()),
                    _ => None,
                })?;
                let bytes = data.unwrap_or_default();
                Value::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            Expr::Number(n) => Value::Number(*n),
            Expr::Text(s) => Value::Text(s.clone()),
            Expr::Plus(of, n) => match self.value(of)? {
                Value::Number(m) => Value::Number(m.checked_add(*n)?),
                Value::Epoch(e) => Value::Epoch(Epoch(e.0.checked_add(i64::try_from(*n).ok()?)?)),
                Value::Zxid(z) => Value::Zxid(Zxid(z.0.checked_add(i64::try_from(*n).ok()?)?)),
                Value::Server(_) | Value::Text(_) => return None,
            },
        })
    }

    pub(crate) fn holds(&self, condition: &Condition) -> bool {
        let server = |who: &Who| self.one(who).and_then(|id| self.world.server(id));
        let peer = |who: &Who| self.one(who).and_then(|id| self.world.peer(id));
        match condition {
            Condition::All(list) => list.iter().all(|c| self.holds(c)),
            Condition::Any(list) => list.iter().any(|c| self.holds(c)),
            Condition::Not(c) => !self.holds(c),
            Condition::Seen(pattern) => self.step.iter().any(|r| self.matches(pattern, r)),
            Condition::Ever(pattern) => self.lesson.iter().any(|r| self.matches(pattern, r)),
            Condition::Count { of, min, max } => {
                let n = self.step.iter().filter(|r| self.matches(of, r)).count() as u64;
                n >= *min && max.is_none_or(|max| n <= max)
            }
            Condition::InOrder(patterns) => {
                let mut rest = patterns.iter();
                let mut next = rest.next();
                for record in self.step.iter() {
                    if next.is_some_and(|p| self.matches(p, record)) {
                        next = rest.next();
                    }
                }
                next.is_none()
            }
            Condition::Each { of, holds } => {
                let them = group(self.world, of, Some(self));
                !them.is_empty() && them.iter().all(|id| self.with(*id).holds(holds))
            }
            Condition::Some { of, holds } => group(self.world, of, Some(self))
                .iter()
                .any(|id| self.with(*id).holds(holds)),
            Condition::AnyEstablished(wanted) => {
                let any = self.world.servers().any(|s| established(self.world, s.id));
                any == *wanted
            }
            Condition::Established(who) => {
                self.one(who).is_some_and(|id| established(self.world, id))
            }
            Condition::State { server: who, is } => server(who).is_some_and(|s| {
                let state = s.peer.map(|p| p.state());
                match is {
                    Is::Looking => state == Some(ServerState::Looking),
                    Is::Following => state == Some(ServerState::Following),
                    Is::Leading => state == Some(ServerState::Leading),
                    Is::Observing => state == Some(ServerState::Observing),
                    Is::Down => s.status == ServerStatus::Down,
                    Is::Paused => s.status == ServerStatus::Paused,
                }
            }),
            Condition::Serving(who) => peer(who).is_some_and(|p| p.serving()),
            Condition::Follows {
                server: who,
                leader,
            } => {
                let leader = self.one(leader);
                leader.is_some()
                    && peer(who).is_some_and(|p| {
                        matches!(p.state(), ServerState::Following | ServerState::Observing)
                            && p.leader() == leader
                    })
            }
            Condition::Votes {
                server: who,
                candidate,
            } => {
                let candidate = self.one(candidate);
                candidate.is_some() && peer(who).map(|p| p.vote().leader) == candidate
            }
            Condition::Same(a, b) => match (self.one(a), self.one(b)) {
                (Some(a), Some(b)) => a == b,
                (None, _) | (_, None) => false,
            },
            Condition::Number { of, min, max } => {
                let n = group(self.world, of, Some(self)).len();
                n >= *min && max.is_none_or(|max| n <= max)
            }
            Condition::Compare(a, relation, b) => match (self.value(a), self.value(b)) {
                (Some(a), Some(b))
                    if core::mem::discriminant(&a) == core::mem::discriminant(&b) =>
                {
                    match (relation, a.cmp(&b)) {
                        (Relation::Above, Ordering::Greater)
                        | (Relation::Below, Ordering::Less)
                        | (Relation::Equal, Ordering::Equal)
                        | (Relation::AtLeast, Ordering::Greater | Ordering::Equal) => true,
                        (
                            Relation::Above | Relation::Below | Relation::Equal | Relation::AtLeast,
                            Ordering::Less | Ordering::Equal | Ordering::Greater,
                        ) => false,
                    }
                }
                (Some(_) | None, Some(_) | None) => false,
            },
            Condition::LogHas { server: who, zxid } => {
                let zxid = Zxid::new(Epoch(zxid.0), zxid.1);
                server(who).is_some_and(|s| s.disk.entries().any(|e| e.txn.zxid() == zxid))
            }
            Condition::Znode {
                server: who,
                path,
                data,
            } => peer(who).is_some_and(|p| {
                p.database().tree.node(path).is_some_and(|node| {
                    data.as_ref()
                        .is_none_or(|d| node.data().as_deref().unwrap_or_default() == d.as_bytes())
                })
            }),
            Condition::ClientAt {
                client,
                server: who,
            } => {
                let at = self.one(who);
                at.is_some()
                    && self
                        .world
                        .client(ClientNo(*client))
                        .is_some_and(|c| match c.state {
                            ClientState::Connected { server, .. } => Some(server) == at,
                            ClientState::Waiting { .. }
                            | ClientState::Connecting { .. }
                            | ClientState::Expired
                            | ClientState::Closed => false,
                        })
            }
            Condition::Faults { max } => self.faults <= *max,
        }
    }

    /// Whether a fact is as a pattern says.
    #[allow(clippy::too_many_lines)] // one arm for each pattern
    pub(crate) fn matches(&self, pattern: &Pattern, record: &Record) -> bool {
        if let Pattern::AnyOf(list) = pattern {
            return list.iter().any(|p| self.matches(p, record));
        }
        match &record.source {
            Fact::Peer(event) => self.peer_matches(pattern, event.id.server, &event.kind),
            Fact::World(event) => self.world_matches(pattern, &event.kind),
        }
    }

    #[allow(clippy::too_many_lines)]
    fn peer_matches(&self, pattern: &Pattern, at: ServerId, kind: &K) -> bool {
        match (pattern, kind) {
            (Pattern::Started { server }, K::Started { .. }) => self.is(server, at),
            (
                Pattern::ElectionStarted {
                    server,
                    own_vote,
                    round,
                    because,
                },
                K::ElectionStarted {
                    round: r,
                    vote,
                    because: why,
                },
            ) => {
                self.is(server, at)
                    && eq(own_vote, &(vote.leader == at))
                    && eq(round, r)
                    && because.is_none_or(|b| {
                        (b == Because::Started) == matches!(why, ElectionReason::Started)
                    })
            }
            (
                Pattern::VoteCompared {
                    server,
                    from,
                    theirs,
                    ours,
                    by,
                    changes,
                },
                K::VoteCompared {
                    from: f,
                    theirs: t,
                    ours: o,
                    by: b,
                    changes: c,
                },
            ) => {
                self.is(server, at)
                    && self.is(from, *f)
                    && self.is(theirs, t.leader)
                    && self.is(ours, o.leader)
                    && by.is_none_or(|by| field(by) == *b)
                    && eq(changes, c)
            }
            (Pattern::VoteChanged { server, to, by }, K::VoteChanged { new, by: b, .. }) => {
                self.is(server, at)
                    && self.is(to, new.leader)
                    && by.is_none_or(|by| field(by) == *b)
            }
            (Pattern::RoundAdvanced { server, to }, K::RoundAdvanced { new, .. }) => {
                self.is(server, at) && eq(to, new)
            }
            (
                Pattern::VoteIgnored {
                    server,
                    from,
                    older_round,
                },
                K::VoteIgnored {
                    from: f, because, ..
                },
            ) => {
                self.is(server, at)
                    && self.is(from, *f)
                    && eq(
                        older_round,
                        &matches!(because, IgnoreReason::OlderRound { .. }),
                    )
            }
            (Pattern::VoteAnswered { server, to }, K::VoteAnswered { to: t, .. }) => {
                self.is(server, at) && self.is(to, *t)
            }
            (Pattern::VoteRepeated { server }, K::VoteRepeated { .. }) => self.is(server, at),
            (Pattern::QuorumOfVotes { server, vote }, K::QuorumOfVotes { vote: v, .. }) => {
                self.is(server, at) && self.is(vote, v.leader)
            }
            (
                Pattern::Elected { server, by },
                K::Elected {
                    state: ServerState::Leading,
                    by: how,
                    ..
                },
            ) => self.is(server, at) && decided(*by, *how),
            (
                Pattern::Follows { server, leader, by },
                K::Elected {
                    state: ServerState::Following | ServerState::Observing,
                    leader: l,
                    by: how,
                    ..
                },
            ) => self.is(server, at) && self.is(leader, *l) && decided(*by, *how),
            (
                Pattern::NewEpoch {
                    server,
                    epoch,
                    highest,
                },
                K::NewEpoch {
                    epoch: e,
                    highest: h,
                },
            ) => self.is(server, at) && eq(epoch, &e.0) && eq(highest, &h.0),
            (Pattern::AcceptedEpochSet { server, epoch }, K::AcceptedEpochSet { new, .. })
            | (Pattern::CurrentEpochSet { server, epoch }, K::CurrentEpochSet { new, .. }) => {
                self.is(server, at) && eq(epoch, &new.0)
            }
            (
                Pattern::SyncChosen {
                    leader,
                    learner,
                    mode,
                },
                K::SyncChosen {
                    learner: l,
                    mode: m,
                    ..
                },
            ) => {
                self.is(leader, at)
                    && self.is(learner, *l)
                    && mode.is_none_or(|mode| {
                        *m == match mode {
                            Mode::Diff => SyncMode::Diff,
                            Mode::Trunc => SyncMode::Trunc,
                            Mode::Snap => SyncMode::Snap,
                        }
                    })
            }
            (Pattern::LogTruncated { server, count }, K::LogTruncated { count: n, .. }) => {
                self.is(server, at) && eq(count, n)
            }
            (Pattern::SnapshotInstalled { server }, K::SnapshotInstalled { .. })
            | (Pattern::Logged { server }, K::Logged { .. })
            | (Pattern::AckSent { server }, K::AckSent { .. })
            | (Pattern::SessionEnded { server }, K::SessionEnded { .. })
            | (Pattern::SyncAnswered { server }, K::SyncAnswered { .. }) => self.is(server, at),
            (Pattern::Established { server, epoch }, K::Established { epoch: e, .. }) => {
                self.is(server, at) && eq(epoch, &e.0)
            }
            (Pattern::Serving { server, leader }, K::Serving { leader: l, .. }) => {
                self.is(server, at) && self.is(leader, *l)
            }
            (Pattern::Proposed { path, failed }, K::Proposed { path: p, error, .. }) => {
                same_path(path, p.as_deref()) && eq(failed, &error.is_some())
            }
            (Pattern::AckCounted { from }, K::AckCounted { from: f, .. }) => self.is(from, *f),
            (Pattern::Committed { zxid }, K::Committed { zxid: z, .. }) => {
                zxid.is_none_or(|(epoch, counter)| Zxid::new(Epoch(epoch), counter) == *z)
            }
            (Pattern::Applied { server, path }, K::Applied { path: p, .. }) => {
                self.is(server, at) && same_path(path, p.as_deref())
            }
            (Pattern::SteppedDown { server, led }, K::SteppedDown { was, .. }) => {
                self.is(server, at) && eq(led, &(*was == ServerState::Leading))
            }
            (Pattern::SessionExpired {}, K::SessionExpired { .. }) => true,
            (
                Pattern::ClientRefused {
                    server,
                    client_ahead,
                },
                K::ClientRefused { because, .. },
            ) => {
                self.is(server, at)
                    && eq(
                        client_ahead,
                        &matches!(because, RefuseReason::ClientAhead { .. }),
                    )
            }
            (Pattern::ReadServed { server, path }, K::ReadServed { path: p, .. }) => {
                self.is(server, at) && same_path(path, p.as_deref())
            }
            (Pattern::WriteAnswered { server, failed }, K::WriteAnswered { error, .. }) => {
                self.is(server, at) && eq(failed, &error.is_some())
            }
            (Pattern::WatchFired { server, path }, K::WatchFired { path: p, .. }) => {
                self.is(server, at) && same_path(path, Some(p))
            }
            _ => false,
        }
    }

    fn world_matches(&self, pattern: &Pattern, kind: &W) -> bool {
        let one = |who: &Who, id: ServerId| self.is(&Some(who.clone()), id);
        match (pattern, kind) {
            (Pattern::Crashed(who), W::Crashed { server, .. })
            | (Pattern::Restarted(who), W::Restarted { server })
            | (Pattern::Paused(who), W::Paused { server })
            | (Pattern::Resumed(who), W::Resumed { server, .. }) => one(who, *server),
            (Pattern::Partitioned {}, W::Partitioned { .. })
            | (Pattern::LinkCut {}, W::LinkCut { .. } | W::DirectionCut { .. })
            | (Pattern::Healed {}, W::AllHealed | W::LinkHealed { .. }) => true,
            (
                Pattern::ClientConnected {
                    client,
                    server,
                    resumed,
                },
                W::ClientConnected {
                    client: c,
                    server: s,
                    resumed: r,
                    ..
                },
            ) => eq(client, &c.0) && self.is(server, *s) && eq(resumed, r),
            (Pattern::ClientExpired { client }, W::ClientExpired { client: c, .. }) => {
                eq(client, &c.0)
            }
            (
                Pattern::StaleRead { client, server },
                W::StaleRead {
                    client: c,
                    server: s,
                    ..
                },
            ) => eq(client, &c.0) && self.is(server, *s),
            (
                Pattern::WatchReceived { client, path },
                W::WatchReceived {
                    client: c, path: p, ..
                },
            ) => eq(client, &c.0) && same_path(path, Some(p)),
            _ => false,
        }
    }
}

/// A server's epoch and last zxid: from its memory, or from its disk if it is down.
pub(crate) fn ballot(world: &World, id: ServerId) -> Option<(Epoch, Zxid)> {
    let s = world.server(id)?;
    Some(match s.peer {
        Some(p) => (p.current_epoch(), p.last_logged()),
        None => (
            s.disk.current_epoch().unwrap_or_default(),
            s.disk.last_zxid(),
        ),
    })
}

/// Faults that a learner has made.
pub(crate) fn faults(history: &History, since: usize) -> usize {
    history
        .actions()
        .iter()
        .skip(since)
        .filter(|a| match &a.action {
            Action::Crash { .. }
            | Action::Pause { .. }
            | Action::CutLink { .. }
            | Action::CutDirection { .. }
            | Action::Partition { .. }
            | Action::SlowLink { .. }
            | Action::SlowDisk { .. }
            | Action::LoseDisk { .. }
            | Action::DropClient { .. }
            | Action::PauseClient { .. }
            | Action::SetRules { .. }
            | Action::SetFaults { .. } => true,
            Action::Restart { .. }
            | Action::Resume { .. }
            | Action::HealLink { .. }
            | Action::HealAll
            | Action::AddClient { .. }
            | Action::MoveClient { .. }
            | Action::ResumeClient { .. }
            | Action::Ask { .. }
            | Action::Load { .. } => false,
        })
        .count()
}

fn eq<T: PartialEq>(wanted: &Option<T>, found: &T) -> bool {
    wanted.as_ref().is_none_or(|w| w == found)
}

fn same_path(wanted: &Option<String>, found: Option<&str>) -> bool {
    wanted.as_deref().is_none_or(|w| Some(w) == found)
}

fn field(by: By) -> VoteField {
    match by {
        By::Epoch => VoteField::Epoch,
        By::Zxid => VoteField::Zxid,
        By::Id => VoteField::Id,
        By::Same => VoteField::Same,
        By::Weight => VoteField::Weight,
    }
}

fn decided(wanted: Option<Decided>, found: DecidedBy) -> bool {
    wanted.is_none_or(|w| {
        (w == Decided::Votes)
            == match found {
                DecidedBy::QuorumThisRound => true,
                DecidedBy::SameRoundDecided | DecidedBy::RunningEnsemble => false,
            }
    })
}
