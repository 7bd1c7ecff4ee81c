//! From a simulated world and its last records to a [`Sight`].
//!
//! What is true now is asked of the world; what led to it (which votes were compared, by which rule a
//! learner is brought up to date) is in the records.

mod stale;

use crate::scene::sight::{
    Aside, ClientSight, Compared, Discovery, End, LinkFault, LogEntry, Mark, MessageSight,
    ProposalSight, Role, ServerSight, Sight, Story, SyncSight, SyncStage, Topic, What, ZnodeSight,
};
use crate::{
    scene::Pick,
    text::{request_text, response_text},
};
use stale::Stale;
use std::collections::{BTreeMap, BTreeSet};
use zabscope_core::{
    bus::{Envelope, Message},
    election,
    id::{Epoch, EventId, ServerId, SessionId, Zxid},
    message::{ForwardedOp, QuorumMessage, ServerState},
    peer::{
        Peer,
        event::{Event, EventKind, Phase},
    },
    request::Request,
    sim::{
        ClientFlight, ClientNo, ClientPacket, ClientState, ClientView, Disk, Fact, LostBecause,
        Record, RemovedBecause, ServerStatus, ServerView, World, WorldEvent, WorldEventKind,
    },
    time::{Moment, Span},
    txn::Data,
};

/// So many records are enough: what is older is over, or does not change what is shown.
pub const RECORDS: usize = 4000;
/// A message that was lost is drawn so long.
const LOST_SHOWN: Span = Span::millis(250);
/// A stale read is not pushed away by the next ACK.
const STALE_SHOWN: Span = Span::millis(30);
/// So much of a log's end is looked at.
const LOG_SHOWN: usize = 48;
/// So many proposals are kept.
const PROPOSALS: usize = 8;

/// What there is to see. `records` are the newest of the branch, oldest first; `pick` is what is
/// selected: a lost message is then drawn however old it is, and a znode as every server has it.
/// `told` is what the sentence is
/// about, if that is not the last record: then the card is about nothing that came after it.
#[must_use]
pub fn sight<'a>(
    world: &World,
    records: impl IntoIterator<Item = &'a Record>,
    told: Option<EventId>,
    pick: &Pick,
) -> Sight {
    let mut past = Past::default();
    for record in records {
        past.add(record);
        past.told |= told.is_some() && told == Some(record.id());
    }
    let mut servers: Vec<ServerSight> = world.servers().map(|s| server(world, &s)).collect();
    if let Pick::Znode(path) = pick {
        znode(world, path, &mut servers);
    }
    let leader = leader(world);
    let quorum = quorum(world);
    let new_leader_acks = leader
        .and_then(Peer::leading)
        .map(|l| l.new_leader_acks().clone())
        .unwrap_or_default();
    let connections = world
        .servers()
        .filter_map(|s| {
            let learning = s.peer?.learning()?;
            learning.conn()?;
            Some((s.id, learning.leader()))
        })
        .collect();
    let faults = world
        .links()
        .filter(|l| l.cut_ab || l.cut_ba || l.extra.0 > 0)
        .map(|l| LinkFault {
            a: l.a,
            b: l.b,
            cut_ab: l.cut_ab,
            cut_ba: l.cut_ba,
            extra: l.extra,
        })
        .collect();
    let latest = past.latest(world, &servers);
    let proposals = past.proposals(world);
    let mut messages = messages(world, pick);
    for m in &mut messages {
        // An ACK and a COMMIT name a zxid only; whose it is, is known from the proposal.
        if let What::Packet { zxid: Some(z), .. } = &m.what
            && m.story == Story::default()
            && let Some(p) = proposals.iter().find(|p| p.zxid == *z)
        {
            m.story = p.story.clone();
        }
    }
    Sight {
        now: world.now(),
        quorum,
        faults,
        connections,
        messages,
        clients: world.clients().map(|c| client(&c)).collect(),
        discovery: past.discovery(world),
        syncs: past.syncs(world),
        new_leader_acks,
        proposals,
        stale: past
            .stale
            .as_ref()
            .map(|(at, stale)| stale.sight(*at, world)),
        compared: past.compared,
        servers,
        latest,
    }
}

fn quorum(world: &World) -> zabscope_core::quorum::Quorum {
    world
        .servers()
        .next()
        .and_then(|s| world.config(s.id))
        .map_or_else(
            || zabscope_core::config::Membership::simple(0, 0).quorum,
            |c| c.membership.quorum.clone(),
        )
}

/// Who leads; of two, the one of the higher epoch.
fn leader(world: &World) -> Option<&Peer> {
    world
        .servers()
        .filter_map(|s| s.peer)
        .filter(|p| p.leading().is_some())
        .max_by_key(|p| (p.leading().and_then(|l| l.epoch()), p.id()))
}

fn server(world: &World, view: &ServerView<'_>) -> ServerSight {
    let voter = world.config(view.id).is_some_and(|c| c.is_voter());
    let on_disk = |e: Option<Epoch>| e.unwrap_or(Epoch(0));
    let mut sight = ServerSight {
        id: view.id,
        voter,
        role: Role::Down,
        starting: view.status == ServerStatus::NotStarted,
        phase: Phase::Election,
        epoch: on_disk(view.disk.current_epoch()),
        accepted: on_disk(view.disk.accepted_epoch()),
        zxid: view.disk.last_zxid(),
        leader: None,
        round: 0,
        vote: None,
        supporters: BTreeSet::new(),
        finalizing: false,
        behind: 0,
        paused: view.status == ServerStatus::Paused,
        slow_disk: view.disk.slower_by(),
        znode: None,
    };
    let Some(peer) = view.peer else {
        return sight;
    };
    sight.role = match peer.state() {
        ServerState::Looking => Role::Looking,
        ServerState::Following => Role::Following,
        ServerState::Leading => Role::Leading,
        ServerState::Observing => Role::Observing,
    };
    sight.phase = peer.phase();
    sight.epoch = peer.current_epoch();
    sight.accepted = peer.accepted_epoch();
    sight.zxid = peer.last_zxid();
    sight.leader = peer.leader();
    sight.round = peer.round();
    if let Some(election) = peer.election() {
        sight.vote = Some(election.proposal()).filter(|v| v.leader != ServerId::NOBODY);
        sight.supporters = election.supporters();
        sight.finalizing = matches!(election.phase(), election::Phase::Finalizing { .. });
    }
    if peer.serving() {
        sight.behind = world.behind_by(peer.last_applied());
    }
    sight
}

fn what(envelope: &Envelope) -> What {
    match &envelope.message {
        Message::Election(n) => What::Vote {
            vote: n.vote,
            round: n.round,
            looking: n.state == ServerState::Looking,
        },
        Message::Quorum(_, m) => What::Packet {
            kind: m.kind(),
            zxid: m.zxid(),
            epoch: match m {
                QuorumMessage::AckEpoch { current_epoch, .. } => *current_epoch,
                _ => None,
            },
        },
    }
}

/// Of all servers that serve, how they have this znode.
fn znode(world: &World, path: &str, servers: &mut [ServerSight]) {
    let at = |id: ServerId| {
        let peer = world.peer(id).filter(|p| p.serving())?;
        Some(peer.database().tree.node(path))
    };
    let newest = world
        .servers()
        .filter_map(|s| world.peer(s.id).filter(|p| p.serving()))
        .max_by_key(|p| p.last_applied())
        .map(|p| p.database().tree.node(path).map(|n| n.stat().mzxid));
    for s in servers {
        s.znode = at(s.id).map(|node| ZnodeSight {
            data: node.map(|n| {
                let data = text(n.data()).unwrap_or_default();
                (data.chars().take(8).collect(), n.stat().version)
            }),
            newest: Some(node.map(|n| n.stat().mzxid)) == newest,
        });
    }
}

/// The number of something on its way between a client and a server. It has none of its own: this one
/// is made of all that tells it from others, and its highest bit is set, so that it is no number of a
/// message between servers.
#[must_use]
pub fn client_message(flight: &ClientFlight<'_>) -> u64 {
    let (tag, number, path) = match flight.packet {
        ClientPacket::Connect(_) => (0_u64, 0, None),
        ClientPacket::Request(xid, request) => (1, i64::from(xid), request.path()),
        ClientPacket::Gone => (2, 0, None),
        ClientPacket::Connected(_) => (3, 0, None),
        ClientPacket::Reply(reply) => (4, i64::from(reply.xid), None),
        ClientPacket::Watch(event) => (5, event.zxid.0, Some(&event.path)),
        ClientPacket::Closed(_) => (6, 0, None),
    };
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut mix = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    };
    for part in [flight.conn.0, flight.sent_at.0, tag, number as u64] {
        part.to_le_bytes().into_iter().for_each(&mut mix);
    }
    path.iter().flat_map(|p| p.bytes()).for_each(mix);
    hash | (1 << 63)
}

/// What goes between clients and servers.
fn client_messages(world: &World) -> impl Iterator<Item = MessageSight> {
    world.client_flights().map(|f| {
        let (client, server) = (End::Client(f.client), End::Server(f.server));
        let (from, to) = if f.packet.goes_to_server() {
            (client, server)
        } else {
            (server, client)
        };
        let path = match f.packet {
            ClientPacket::Request(_, request) => request.path(),
            ClientPacket::Watch(event) => Some(&event.path),
            ClientPacket::Connect(_)
            | ClientPacket::Gone
            | ClientPacket::Connected(_)
            | ClientPacket::Reply(_)
            | ClientPacket::Closed(_) => None,
        };
        MessageSight {
            id: client_message(&f),
            from,
            to,
            what: said(&f.packet),
            sent: f.sent_at,
            arrives: f.arrives_at,
            stopped: None,
            story: Story {
                client: Some(f.client),
                path: path.cloned(),
            },
        }
    })
}

/// What a client's packet says, in the words of ZooKeeper's command line.
fn said(packet: &ClientPacket<'_>) -> What {
    match packet {
        ClientPacket::Connect(request) => What::Request(
            if request.session == SessionId::NONE {
                "connect"
            } else {
                "connect again"
            }
            .to_owned(),
        ),
        ClientPacket::Request(_, Request::Ping) => What::ClientPing,
        ClientPacket::Request(_, request) => What::Request(request_text(request)),
        ClientPacket::Gone => What::Request("close".to_owned()),
        ClientPacket::Connected(response) => What::Reply(
            if response.timeout_ms > 0 {
                "session"
            } else {
                "expired"
            }
            .to_owned(),
        ),
        // A ping's xid (1.5).
        ClientPacket::Reply(reply) if reply.xid == -2 => What::ClientPing,
        ClientPacket::Reply(reply) => What::Reply(match &reply.result {
            Ok(response) => response_text(response),
            Err(error) => error.name().to_owned(),
        }),
        ClientPacket::Watch(event) => What::Watch(format!("watch {}", event.path)),
        ClientPacket::Closed(_) => What::Reply("closed".to_owned()),
    }
}

/// Whose a message between servers is, as far as it says so itself.
fn story(world: &World, envelope: &Envelope) -> Story {
    let Message::Quorum(_, message) = &envelope.message else {
        return Story::default();
    };
    let (session, path) = match message {
        QuorumMessage::Proposal(txn) | QuorumMessage::Inform(txn) => {
            (txn.header.session, txn.body.path())
        }
        QuorumMessage::Request(request) => (
            request.session,
            match &request.op {
                ForwardedOp::Write(write) => write.path(),
                ForwardedOp::Sync => None,
            },
        ),
        // What belongs to nobody, or says only a zxid.
        _ => return Story::default(),
    };
    Story {
        client: owner(world, session),
        path: path.cloned(),
    }
}

fn owner(world: &World, session: SessionId) -> Option<ClientNo> {
    let mut clients = world.clients();
    clients
        .find(|c| session != SessionId::NONE && c.session == session)
        .map(|c| c.no)
}

fn messages(world: &World, pick: &Pick) -> Vec<MessageSight> {
    let keep = match pick {
        Pick::Message(number) => Some(*number),
        _ => None,
    };
    let sight = |id, envelope: &Envelope, sent, arrives, stopped| MessageSight {
        id,
        from: End::Server(envelope.from),
        to: End::Server(envelope.to),
        what: what(envelope),
        sent,
        arrives,
        stopped,
        story: story(world, envelope),
    };
    let now = world.now();
    let mut all: Vec<MessageSight> = world
        .in_flight()
        .map(|m| sight(m.number, m.envelope, m.sent_at, m.arrives_at, None))
        .collect();
    let lost = world.dropped().rev().filter(|d| {
        let cut = match d.because {
            LostBecause::LinkCut | LostBecause::SenderDown | LostBecause::ReceiverDown => true,
            LostBecause::ConnectionClosed | LostBecause::ReplacedByNewerVote => false,
        };
        let recent = now - d.cut_at < LOST_SHOWN && d.cut_at <= now;
        Some(d.number) == keep || (cut && recent && !d.envelope.message.kind().is_heartbeat())
    });
    all.extend(lost.take(12).map(|d| {
        sight(
            d.number,
            &d.envelope,
            d.sent_at,
            d.arrives_at,
            Some(d.cut_at),
        )
    }));
    all.extend(client_messages(world));
    all.sort_by_key(|m| m.id);
    all.dedup_by_key(|m| m.id);
    all
}

fn client(view: &ClientView<'_>) -> ClientSight {
    let (server, connected) = match view.state {
        ClientState::Connected { server, .. } => (Some(server), true),
        ClientState::Connecting { server, .. } => (Some(server), false),
        ClientState::Waiting { .. } | ClientState::Expired | ClientState::Closed => (None, false),
    };
    let has_session = view.session != SessionId::NONE;
    ClientSight {
        no: view.no,
        server,
        connected,
        over: matches!(view.state, ClientState::Expired | ClientState::Closed),
        paused: view.paused,
        heard: view.last_sent,
        timeout: if has_session {
            Span::millis(u64::try_from(view.timeout_ms).unwrap_or(0))
        } else {
            Span(0)
        },
    }
}

/// What the records say.
#[derive(Default)]
struct Past {
    compared: Vec<Compared>,
    discovery: Option<Discovery>,
    syncs: Vec<(Moment, SyncSight)>,
    proposals: Vec<ProposalSight>,
    acked: BTreeMap<Zxid, BTreeSet<ServerId>>,
    /// Whose proposals they are.
    sessions: BTreeMap<Zxid, SessionId>,
    stale: Option<(Moment, Stale)>,
    topics: Vec<(Moment, Topic)>,
    /// The sentence has not got further than this.
    told: bool,
}

impl Past {
    fn add(&mut self, record: &Record) {
        match &record.source {
            Fact::Peer(event) => self.peer(record.at, event),
            Fact::World(event) => self.world(record.at, event),
        }
    }

    fn topic(&mut self, at: Moment, topic: Topic) {
        if self.told {
            return;
        }
        self.topics.retain(|(_, t)| *t != topic);
        self.topics.push((at, topic));
    }

    fn sync(&mut self, learner: ServerId) -> Option<&mut SyncSight> {
        let found = self.syncs.iter_mut().rev();
        found.map(|(_, s)| s).find(|s| s.learner == learner)
    }

    /// A server left what it was doing.
    fn left(&mut self, id: ServerId) {
        self.compared.retain(|c| c.server != id);
        self.syncs
            .retain(|(_, s)| s.learner != id && s.leader != id);
        if self.discovery.as_ref().is_some_and(|d| d.leader == id) {
            self.discovery = None;
        }
    }

    #[allow(clippy::too_many_lines)] // one arm for each kind of event that a card shows
    fn peer(&mut self, at: Moment, event: &Event) {
        let me = event.id.server;
        match &event.kind {
            EventKind::ElectionStarted { vote, .. } => {
                self.left(me);
                if vote.leader != ServerId::NOBODY {
                    self.topic(at, Topic::Votes(me));
                }
            }
            EventKind::VoteCompared {
                from,
                theirs,
                ours,
                by,
                changes,
            } if !self.told => {
                self.compared.retain(|c| c.server != me);
                self.compared.push(Compared {
                    server: me,
                    from: *from,
                    theirs: *theirs,
                    ours: *ours,
                    by: *by,
                    changes: *changes,
                    aside: None,
                });
                self.topic(at, Topic::Votes(me));
            }
            EventKind::VoteIgnored { from, because, .. } => {
                self.aside(
                    me,
                    Aside::Ignored {
                        from: *from,
                        because: *because,
                    },
                );
            }
            EventKind::RoundAdvanced { old, new, .. } => {
                self.aside(
                    me,
                    Aside::RoundAdvanced {
                        old: *old,
                        new: *new,
                    },
                );
            }
            EventKind::QuorumOfVotes { .. } => self.topic(at, Topic::Votes(me)),
            EventKind::Elected {
                state: ServerState::Leading,
                ..
            } => {
                self.discovery = Some(Discovery {
                    leader: me,
                    infos: Vec::new(),
                    epoch: None,
                    acks: Vec::new(),
                });
                self.syncs.clear();
                self.topic(at, Topic::Discovery);
            }
            EventKind::LearnerInfoCounted {
                from,
                accepted_epoch,
                ..
            } => {
                if let Some(d) = self.discovery.as_mut().filter(|d| d.leader == me) {
                    d.infos.retain(|i| i.0 != *from);
                    d.infos.push((*from, *accepted_epoch));
                    self.topic(at, Topic::Discovery);
                }
            }
            EventKind::NewEpoch { epoch, .. } => {
                if let Some(d) = self.discovery.as_mut().filter(|d| d.leader == me) {
                    d.epoch = Some(*epoch);
                    self.topic(at, Topic::Discovery);
                }
            }
            EventKind::EpochAckCounted {
                from,
                last_zxid,
                current_epoch,
                ..
            } => {
                if let Some(d) = self.discovery.as_mut().filter(|d| d.leader == me) {
                    d.acks.retain(|a| a.0 != *from);
                    d.acks.push((*from, *last_zxid, *current_epoch));
                    self.topic(at, Topic::Discovery);
                }
            }
            EventKind::SyncChosen {
                learner,
                mode,
                zxid,
                because,
                peer,
                min,
                max,
                last_processed,
                queued,
            } => {
                self.syncs.retain(|(_, s)| s.learner != *learner);
                self.syncs.push((
                    at,
                    SyncSight {
                        leader: me,
                        learner: *learner,
                        mode: *mode,
                        zxid: *zxid,
                        because: *because,
                        peer: *peer,
                        min: *min,
                        max: *max,
                        last_processed: *last_processed,
                        queued: *queued,
                        leader_log: Vec::new(),
                        learner_log: Vec::new(),
                        removed: Vec::new(),
                        installed: None,
                        stage: SyncStage::Chosen,
                    },
                ));
                self.topic(at, Topic::Sync(*learner));
            }
            EventKind::SyncStarted { .. } => self.stage(at, me, SyncStage::Started),
            EventKind::LogTruncated { .. } => self.topic(at, Topic::Sync(me)),
            EventKind::SnapshotInstalled { znodes, .. } => {
                if let Some(s) = self.sync(me) {
                    s.installed = Some(*znodes);
                    self.topic(at, Topic::Sync(me));
                }
            }
            EventKind::HistoryComplete { .. } => self.stage(at, me, SyncStage::Complete),
            EventKind::NewLeaderAckCounted { from, .. } if *from != me => {
                self.topic(at, Topic::Sync(*from));
            }
            EventKind::Serving { .. } => self.stage(at, me, SyncStage::Serving),
            EventKind::Established { .. } => {
                self.proposals.clear();
                self.sessions.clear();
                self.acked.clear();
            }
            EventKind::Proposed {
                zxid,
                session,
                txn,
                path,
                error,
                ..
            } => {
                self.proposals.push(ProposalSight {
                    zxid: *zxid,
                    txn: *txn,
                    path: path.as_ref().map(|p| p.to_string()),
                    failed: error.is_some(),
                    marks: Vec::new(),
                    committed: false,
                    story: Story {
                        client: None,
                        path: path.clone(),
                    },
                });
                self.sessions.insert(*zxid, *session);
                let old = self.proposals.len().saturating_sub(PROPOSALS);
                // What is open is never pushed out by what is newer.
                let old = self.proposals[..old].iter().filter(|p| p.committed).count();
                for p in self.proposals.drain(..old) {
                    self.sessions.remove(&p.zxid);
                }
                self.topic(at, Topic::Proposals);
            }
            EventKind::AckCounted { zxid, from, .. } => {
                self.acked.entry(*zxid).or_default().insert(*from);
                self.topic(at, Topic::Proposals);
            }
            EventKind::Committed { zxid, .. } => {
                for p in self.proposals.iter_mut().filter(|p| p.zxid == *zxid) {
                    p.committed = true;
                }
                self.topic(at, Topic::Proposals);
            }
            EventKind::AckSent { .. } => self.topic(at, Topic::Proposals),
            // What no card is about.
            _ => {}
        }
    }

    fn aside(&mut self, server: ServerId, aside: Aside) {
        if self.told {
            return;
        }
        if let Some(c) = self.compared.iter_mut().find(|c| c.server == server) {
            c.aside = Some(aside);
        }
    }

    fn stage(&mut self, at: Moment, learner: ServerId, stage: SyncStage) {
        if let Some(s) = self.sync(learner) {
            s.stage = s.stage.max(stage);
            self.topic(at, Topic::Sync(learner));
        }
    }

    fn world(&mut self, at: Moment, event: &WorldEvent) {
        match &event.kind {
            WorldEventKind::Crashed { server, .. } => self.left(*server),
            // Without a path it was a ping or the like: nobody looked at a value.
            WorldEventKind::StaleRead {
                client,
                server,
                path: Some(path),
                shown,
                newest,
                behind_by,
            } => {
                self.stale = Some((
                    at,
                    Stale {
                        client: *client,
                        server: *server,
                        path: path.to_string(),
                        shown: *shown,
                        newest: *newest,
                        behind: *behind_by,
                    },
                ));
                self.topic(at, Topic::Stale);
            }
            // What no card is about.
            _ => {}
        }
    }

    /// The last topic that is still going on.
    fn latest(&self, world: &World, servers: &[ServerSight]) -> Option<Topic> {
        let of = |id: ServerId| servers.iter().find(|s| s.id == id);
        let holds = |topic: &Topic| match topic {
            Topic::Votes(id) => of(*id).is_some_and(|s| s.role == Role::Looking),
            Topic::Discovery => self.discovery.as_ref().is_some_and(|d| {
                of(d.leader).is_some_and(|s| s.role == Role::Leading && s.phase == Phase::Discovery)
            }),
            Topic::Sync(id) => {
                self.syncs.iter().any(|(_, s)| s.learner == *id)
                    && of(*id).is_some_and(|s| !matches!(s.role, Role::Down | Role::Looking))
            }
            Topic::Proposals => !self.proposals.is_empty(),
            Topic::Stale => self.stale.is_some(),
        };
        let held = self
            .topics
            .iter()
            .find(|(at, t)| *t == Topic::Stale && world.now() - *at < STALE_SHOWN);
        held.or_else(|| self.topics.iter().rev().find(|(_, t)| holds(t)))
            .map(|(_, t)| *t)
    }

    fn discovery(&self, world: &World) -> Option<Discovery> {
        let d = self.discovery.as_ref()?;
        world.peer(d.leader)?.leading()?;
        Some(d.clone())
    }

    fn syncs(&self, world: &World) -> Vec<SyncSight> {
        let fill = |(at, s): &(Moment, SyncSight)| {
            let mut s = s.clone();
            s.leader_log = world.disk(s.leader).map(log).unwrap_or_default();
            let disk = world.disk(s.learner)?;
            s.learner_log = log(disk);
            let pending = world.peer(s.learner).and_then(Peer::learning);
            for txn in pending.into_iter().flat_map(|l| l.pending()) {
                s.learner_log.push(LogEntry {
                    zxid: txn.zxid(),
                    durable: false,
                });
            }
            s.removed = disk
                .removed()
                .filter(|r| {
                    r.at >= *at
                        && matches!(
                            r.because,
                            RemovedBecause::Truncated | RemovedBecause::Replaced
                        )
                })
                .map(|r| r.zxid)
                .collect();
            Some(s)
        };
        self.syncs.iter().filter_map(fill).collect()
    }

    fn proposals(&self, world: &World) -> Vec<ProposalSight> {
        let voters = quorum(world).voters().clone();
        let mark = |zxid: Zxid, id: ServerId| {
            if self.acked.get(&zxid).is_some_and(|a| a.contains(&id)) {
                return Mark::Acked;
            }
            match world.disk(id) {
                Some(disk) if disk.is_durable(zxid) => Mark::OnDisk,
                Some(disk)
                    if disk
                        .last_entries(LOG_SHOWN)
                        .iter()
                        .any(|e| e.txn.zxid() == zxid) =>
                {
                    Mark::Received
                }
                Some(_) | None => Mark::None,
            }
        };
        let fill = |p: &ProposalSight| {
            let mut p = p.clone();
            p.story.client = self.sessions.get(&p.zxid).and_then(|s| owner(world, *s));
            p.marks = voters.iter().map(|v| (*v, mark(p.zxid, *v))).collect();
            p
        };
        self.proposals.iter().map(fill).collect()
    }
}

/// What is shown of a znode's data.
fn text(data: &Data) -> Option<String> {
    let data = data.as_ref()?;
    let text = String::from_utf8_lossy(&data[..data.len().min(64)]);
    Some(text.chars().filter(|c| !c.is_control()).collect())
}

fn log(disk: &Disk) -> Vec<LogEntry> {
    disk.last_entries(LOG_SHOWN)
        .iter()
        .map(|e| LogEntry {
            zxid: e.txn.zxid(),
            durable: e.durable,
        })
        .collect()
}
