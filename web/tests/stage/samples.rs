//! Moments of invented worlds.

use std::collections::{BTreeMap, BTreeSet};
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    message::{MessageKind, Vote},
    peer::event::{Phase, SyncMode, SyncRule, TxnKind, VoteField},
    quorum::{Quorum, QuorumRule},
    sim::setup::ClientNo,
    time::{Moment, Span},
};
use zabscope_web::scene::sight::*;

/// The zxid `c` of epoch `e`.
pub fn zx(e: i64, c: u32) -> Zxid {
    Zxid::new(Epoch(e), c)
}

pub fn server(id: i64, role: Role, phase: Phase, zxid: Zxid) -> ServerSight {
    ServerSight {
        id: ServerId(id),
        voter: true,
        role,
        starting: false,
        phase,
        epoch: zxid.epoch(),
        accepted: zxid.epoch(),
        zxid,
        leader: None,
        round: 2,
        vote: None,
        supporters: BTreeSet::new(),
        finalizing: false,
        behind: 0,
        paused: false,
        slow_disk: Span(0),
        znode: None,
    }
}

pub fn vote(e: i64, c: u32, leader: i64) -> Vote {
    Vote {
        epoch: Epoch(e),
        zxid: zx(e, c),
        leader: ServerId(leader),
    }
}

/// `voters` that follow 3 in epoch 3, `observers` too, and `clients`.
pub fn calm(voters: u8, observers: u8, clients: u16) -> Sight {
    let lead = 3.min(i64::from(voters));
    let mut servers: Vec<ServerSight> = (1..=i64::from(voters + observers))
        .map(|id| {
            let role = if id == lead {
                Role::Leading
            } else if id > i64::from(voters) {
                Role::Observing
            } else {
                Role::Following
            };
            let mut s = server(id, role, Phase::Broadcast, zx(3, 8));
            s.leader = Some(ServerId(lead));
            s.voter = id <= i64::from(voters);
            s
        })
        .collect();
    let connections = servers
        .iter()
        .filter(|s| s.id.0 != lead)
        .map(|s| (s.id, ServerId(lead)))
        .collect();
    let n = servers.len() as u16;
    let clients = (1..=clients)
        .map(|no| ClientSight {
            no: ClientNo(no),
            server: Some(ServerId(i64::from((no * 2 - 1) % n) + 1)),
            connected: true,
            over: false,
            paused: false,
            heard: Moment(13_000_000 - u64::from(no) * 900_000),
            timeout: Span::millis(12_000),
        })
        .collect();
    servers.sort_by_key(|s| s.id);
    Sight {
        now: Moment(14_000_000),
        quorum: Quorum::new(
            (1..=i64::from(voters)).map(ServerId).collect(),
            QuorumRule::Majority,
        ),
        servers,
        faults: Vec::new(),
        connections,
        messages: Vec::new(),
        clients,
        compared: Vec::new(),
        discovery: None,
        syncs: Vec::new(),
        new_leader_acks: BTreeSet::new(),
        proposals: Vec::new(),
        stale: None,
        latest: None,
    }
}

pub fn message(id: u64, from: i64, to: i64, part: f64, what: What) -> MessageSight {
    MessageSight {
        id,
        from: End::Server(ServerId(from)),
        to: End::Server(ServerId(to)),
        what,
        sent: Moment(14_000_000 - (part * 10_000.0) as u64),
        arrives: Moment(14_000_000 + ((1.0 - part) * 10_000.0) as u64),
        stopped: None,
        story: Story::default(),
    }
}

pub fn packet(kind: MessageKind, zxid: Zxid) -> What {
    What::Packet {
        kind,
        zxid: Some(zxid),
        epoch: Some(Epoch(zxid.epoch().0)),
    }
}

/// Server 4 led and is gone; 2 has just heard of 3.
pub fn election(voters: u8) -> Sight {
    let mut s = calm(voters, 0, 0);
    s.connections.clear();
    for server in &mut s.servers {
        let id = server.id.0;
        server.role = if id == 4 { Role::Down } else { Role::Looking };
        server.phase = Phase::Election;
        let c = if id == 3 { 9 } else { 7 };
        server.zxid = zx(1, c);
        server.epoch = Epoch(1);
        server.vote = Some(match id {
            2 | 3 => vote(1, 9, 3),
            _ => vote(1, 7, id),
        });
        server.supporters = match id {
            2 => BTreeSet::from([ServerId(2), ServerId(3)]),
            _ => BTreeSet::from([server.id]),
        };
    }
    let v = |vote: Vote| What::Vote {
        vote,
        round: 2,
        looking: true,
    };
    s.messages = vec![
        message(1, 2, 5.min(i64::from(voters)), 0.3, v(vote(1, 9, 3))),
        message(2, 5.min(i64::from(voters)), 3, 0.42, v(vote(1, 7, 5))),
        message(3, 3, 1, 0.3, v(vote(1, 9, 3))),
    ];
    s.compared = vec![Compared {
        server: ServerId(2),
        from: ServerId(3),
        theirs: vote(1, 9, 3),
        ours: vote(1, 7, 2),
        by: VoteField::Zxid,
        changes: true,
        aside: None,
    }];
    s.latest = Some(Topic::Votes(ServerId(2)));
    s
}

/// Everybody has just sent its vote to everybody.
pub fn many_votes() -> Sight {
    let mut s = election(5);
    let mut id = 10;
    s.messages.clear();
    for from in [1, 2, 3, 5] {
        for to in [1, 2, 3, 5] {
            if from != to {
                id += 1;
                let part = 0.2 + (id % 5) as f64 * 0.12;
                let leader = if from == 2 { 3 } else { from };
                let c = if leader == 3 { 9 } else { 7 };
                s.messages.push(message(
                    id,
                    from,
                    to,
                    part,
                    What::Vote {
                        vote: vote(1, c, leader),
                        round: 2,
                        looking: true,
                    },
                ));
            }
        }
    }
    s
}

/// 3 is elected and gathers epochs.
pub fn discovery() -> Sight {
    let mut s = calm(5, 0, 2);
    for server in &mut s.servers {
        server.phase = Phase::Discovery;
        server.zxid = zx(2, 10);
        server.epoch = Epoch(2);
        if server.id.0 == 2 {
            server.role = Role::Down;
        }
    }
    s.connections.retain(|c| c.0.0 != 2);
    s.messages = vec![
        message(1, 3, 1, 0.5, packet(MessageKind::LeaderInfo, zx(3, 0))),
        message(2, 4, 3, 0.6, packet(MessageKind::AckEpoch, zx(2, 10))),
        message(3, 5, 3, 0.35, packet(MessageKind::FollowerInfo, zx(2, 0))),
    ];
    s.discovery = Some(Discovery {
        leader: ServerId(3),
        infos: vec![
            (ServerId(3), Epoch(2)),
            (ServerId(1), Epoch(2)),
            (ServerId(4), Epoch(1)),
        ],
        epoch: Some(Epoch(3)),
        acks: vec![(ServerId(3), zx(2, 10), Some(Epoch(2)))],
    });
    s.latest = Some(Topic::Discovery);
    s
}

pub fn log(list: &[(i64, u32)], durable: usize) -> Vec<LogEntry> {
    list.iter()
        .enumerate()
        .map(|(i, (e, c))| LogEntry {
            zxid: zx(*e, *c),
            durable: i < durable,
        })
        .collect()
}

/// 3 brings 1 up to date.
pub fn sync(mode: SyncMode) -> Sight {
    let mut s = calm(5, 0, 1);
    for server in &mut s.servers {
        server.phase = Phase::Synchronisation;
        server.zxid = zx(2, 10);
        server.epoch = Epoch(2);
    }
    s.servers[2].epoch = Epoch(3);
    s.servers[2].zxid = zx(3, 0);
    let shared = [(2, 6), (2, 7), (2, 8), (2, 9), (2, 10)];
    let base = SyncSight {
        leader: ServerId(3),
        learner: ServerId(1),
        mode,
        zxid: zx(2, 10),
        because: SyncRule::AheadOfLeader,
        peer: zx(2, 12),
        min: zx(2, 1),
        max: zx(2, 10),
        last_processed: zx(2, 10),
        queued: 0,
        leader_log: log(&shared, 5),
        learner_log: log(&shared, 5),
        removed: vec![zx(2, 11), zx(2, 12)],
        installed: None,
        stage: SyncStage::Started,
    };
    let sync = match mode {
        SyncMode::Trunc => base,
        SyncMode::Diff => SyncSight {
            because: SyncRule::InCommittedLog,
            peer: zx(2, 8),
            queued: 2,
            learner_log: log(&shared[..4], 3),
            removed: Vec::new(),
            ..base
        },
        SyncMode::Snap => SyncSight {
            because: SyncRule::DiskLogPurged,
            peer: zx(1, 4),
            min: zx(2, 6),
            learner_log: Vec::new(),
            removed: vec![zx(1, 3), zx(1, 4)],
            installed: Some(12),
            ..base
        },
    };
    if mode == SyncMode::Trunc {
        s.servers[0].zxid = zx(2, 12);
    }
    let kind = match mode {
        SyncMode::Trunc => MessageKind::Trunc,
        SyncMode::Diff => MessageKind::Diff,
        SyncMode::Snap => MessageKind::Snap,
    };
    s.messages = vec![
        message(1, 3, 1, 0.55, packet(kind, zx(2, 10))),
        message(2, 3, 5, 0.4, packet(MessageKind::NewLeader, zx(3, 0))),
    ];
    s.syncs = vec![sync];
    s.new_leader_acks = BTreeSet::from([ServerId(3), ServerId(5)]);
    s.latest = Some(Topic::Sync(ServerId(1)));
    s
}

/// As above, with so little left that nothing can stand before the cut.
fn short_trunc() -> Sight {
    let mut s = sync(SyncMode::Trunc);
    for sync in &mut s.syncs {
        for log in [&mut sync.leader_log, &mut sync.learner_log] {
            log.drain(..3);
        }
    }
    s
}

pub fn proposal(c: u32, marks: &[Mark], committed: bool, path: &str) -> ProposalSight {
    ProposalSight {
        zxid: zx(3, c),
        txn: TxnKind::SetData,
        path: Some(path.to_owned()),
        failed: false,
        marks: marks
            .iter()
            .enumerate()
            .map(|(i, m)| (ServerId(i as i64 + 1), *m))
            .collect(),
        committed,
        story: Story {
            client: Some(ClientNo(1)),
            path: Some(path.into()),
        },
    }
}

/// A write is on its way, 5 is behind a slow link.
pub fn broadcast() -> Sight {
    let mut s = calm(5, 1, 3);
    s.clients[1].server = Some(ServerId(5));
    s.servers[4].behind = 2;
    s.servers[4].zxid = zx(3, 6);
    s.faults.push(LinkFault {
        a: ServerId(3),
        b: ServerId(5),
        cut_ab: false,
        cut_ba: false,
        extra: Span::millis(400),
    });
    s.messages = vec![
        message(1, 3, 2, 0.55, packet(MessageKind::Proposal, zx(3, 9))),
        message(2, 1, 3, 0.5, packet(MessageKind::Ack, zx(3, 9))),
        message(3, 3, 4, 0.62, packet(MessageKind::Proposal, zx(3, 9))),
        message(4, 3, 5, 0.5, packet(MessageKind::Commit, zx(3, 7))),
        message(5, 3, 6, 0.5, packet(MessageKind::Inform, zx(3, 8))),
        message(6, 4, 3, 0.5, packet(MessageKind::Pong, zx(3, 8))),
    ];
    use Mark::{Acked, None, OnDisk, Received};
    s.proposals = vec![
        proposal(7, &[Acked, Acked, Acked, Acked, Acked], true, "/config"),
        proposal(8, &[Acked, OnDisk, Acked, Acked, Received], true, "/config"),
        proposal(9, &[OnDisk, None, Acked, Received, None], false, "/config"),
    ];
    s.latest = Some(Topic::Proposals);
    s
}

/// B reads "blue" although "green" is committed.
pub fn stale() -> Sight {
    let mut s = broadcast();
    s.stale = Some(StaleRead {
        client: ClientNo(2),
        server: ServerId(5),
        path: Some("/config".to_owned()),
        shown_value: Some("blue".to_owned()),
        shown: zx(3, 6),
        newest_value: Some("green".to_owned()),
        newest: zx(3, 8),
        behind: 2,
    });
    s.latest = Some(Topic::Stale);
    s
}

/// Everything that can be at fault.
pub fn faults() -> Sight {
    let mut s = calm(5, 0, 2);
    for a in [1, 2] {
        for b in [3, 4, 5] {
            s.faults.push(LinkFault {
                a: ServerId(a),
                b: ServerId(b),
                cut_ab: true,
                cut_ba: true,
                extra: Span(0),
            });
        }
    }
    s.faults.push(LinkFault {
        a: ServerId(3),
        b: ServerId(4),
        cut_ab: true,
        cut_ba: false,
        extra: Span(0),
    });
    s.faults.push(LinkFault {
        a: ServerId(4),
        b: ServerId(5),
        cut_ab: true,
        cut_ba: true,
        extra: Span(0),
    });
    for i in [0, 1] {
        s.servers[i].role = Role::Looking;
        s.servers[i].phase = Phase::Election;
        s.servers[i].vote = Some(vote(3, 8, i as i64 + 1));
        s.servers[i].supporters = BTreeSet::from([ServerId(i as i64 + 1)]);
    }
    s.connections.retain(|c| c.0.0 > 2);
    s.servers[3].paused = true;
    s.servers[4].slow_disk = Span::millis(120);
    let mut lost = message(1, 3, 1, 0.8, packet(MessageKind::Proposal, zx(3, 9)));
    lost.stopped = Some(Moment(14_000_000 - 3_000));
    s.messages.push(lost);
    s.latest = Some(Topic::Votes(ServerId(1)));
    s
}

/// 200 messages under way.
pub fn load() -> Sight {
    let mut s = calm(5, 0, 8);
    for i in 0..200u64 {
        let follower = [1, 2, 4, 5][(i % 4) as usize];
        let part = (i as f64 * 0.618).fract();
        let (from, to, kind) = match i % 3 {
            0 => (3, follower, MessageKind::Proposal),
            1 => (follower, 3, MessageKind::Ack),
            _ => (3, follower, MessageKind::Commit),
        };
        s.messages.push(message(
            i,
            from,
            to,
            part,
            packet(kind, zx(3, 9 + i as u32)),
        ));
    }
    s.proposals = (0..12)
        .map(|i| {
            proposal(
                9 + i,
                &[
                    Mark::Received,
                    Mark::OnDisk,
                    Mark::Acked,
                    Mark::Acked,
                    Mark::None,
                ],
                i < 6,
                "/load",
            )
        })
        .collect();
    s.latest = Some(Topic::Proposals);
    s
}

/// Nine voters in three groups with weights.
pub fn weighted() -> Sight {
    let mut s = election(9);
    let group = (1..=9)
        .map(|i| (ServerId(i), ((i - 1) / 3) as u32))
        .collect();
    let weight = BTreeMap::from([(ServerId(1), 3), (ServerId(9), 0)]);
    s.quorum = Quorum::new(
        (1..=9).map(ServerId).collect(),
        QuorumRule::Groups { group, weight },
    );
    s
}

/// All of them, with names.
pub fn all() -> Vec<(String, Sight)> {
    let mut all: Vec<(String, Sight)> = vec![
        ("legend".into(), calm(5, 0, 0)),
        ("election".into(), election(5)),
        ("votes".into(), many_votes()),
        ("discovery".into(), discovery()),
        ("trunc".into(), sync(SyncMode::Trunc)),
        ("short trunc".into(), short_trunc()),
        ("diff".into(), sync(SyncMode::Diff)),
        ("snap".into(), sync(SyncMode::Snap)),
        ("broadcast".into(), broadcast()),
        ("stale".into(), stale()),
        ("faults".into(), faults()),
        ("load".into(), load()),
        ("weighted".into(), weighted()),
    ];
    for (v, o, c) in [
        (1, 0, 1),
        (2, 0, 2),
        (3, 0, 8),
        (4, 4, 4),
        (5, 4, 8),
        (7, 0, 8),
        (9, 0, 0),
        (9, 4, 8),
    ] {
        all.push((format!("calm{v}-{o}-{c}"), calm(v, o, c)));
    }
    for v in [3, 7, 9] {
        all.push((format!("election{v}"), election(v)));
    }
    all
}
