//! Moments of real worlds: the simulator runs to them.

use zabscope_core::{
    id::ServerId,
    message::ServerState,
    peer::event::EventKind,
    request::{Create, CreateMode, CreateOp, Request, Write},
    sim::{Action, ClientNo, Fact, History, Record, Setup, WorldEventKind},
    time::Span,
};
use zabscope_web::scene::{Pick, read, sight::Sight};

pub struct Run {
    pub history: History,
}

impl Run {
    pub fn new(setup: &Setup) -> Run {
        Run {
            history: History::new(setup).expect("a possible setup"),
        }
    }

    pub fn sight(&self) -> Sight {
        let records = self.history.records().last(read::RECORDS);
        read::sight(self.history.world(), records, None, &Pick::Nothing)
    }

    pub fn act(&mut self, action: Action) {
        self.history.act(action).expect("a possible action");
    }

    /// Steps until a record holds, at most `most` steps.
    pub fn until(&mut self, most: usize, holds: impl Fn(&Record) -> bool) -> bool {
        for _ in 0..most {
            let Some(new) = self.history.step() else {
                return false;
            };
            if self.history.records().last(new).into_iter().any(&holds) {
                return true;
            }
        }
        false
    }

    pub fn until_event(&mut self, holds: impl Fn(ServerId, &EventKind) -> bool) {
        let found = self.until(20_000, |r| match &r.source {
            Fact::Peer(e) => holds(e.id.server, &e.kind),
            Fact::World(_) => false,
        });
        assert!(found, "it never happened");
    }

    pub fn steps(&mut self, n: usize) {
        for _ in 0..n {
            self.history.step();
        }
    }

    pub fn leader(&self) -> ServerId {
        let world = self.history.world();
        let found = world.servers().find(|s| {
            s.peer
                .is_some_and(|p| p.state() == ServerState::Leading && p.serving())
        });
        found.expect("a leader").id
    }

    pub fn follower(&self) -> ServerId {
        let leader = self.leader();
        let world = self.history.world();
        world
            .servers()
            .map(|s| s.id)
            .find(|id| *id != leader)
            .expect("a follower")
    }

    pub fn established(&mut self) {
        self.until_event(|_, e| matches!(e, EventKind::Established { .. }));
        let n = self.history.world().servers().len();
        let mut left = n - 1;
        while left > 0 {
            self.until_event(|_, e| matches!(e, EventKind::Serving { .. }));
            left -= 1;
        }
    }
}

fn setup(voters: u8, observers: u8) -> Setup {
    Setup {
        voters,
        observers,
        ..Setup::default()
    }
}

pub fn write(path: &str) -> Request {
    Request::Write(Write::Create(Create {
        path: path.into(),
        data: Some(b"blue"[..].into()),
        acl: zabscope_core::tree::acl::open(),
        mode: CreateMode::Persistent,
        op: CreateOp::Create,
    }))
}

/// All of them, with names.
pub fn all() -> Vec<(String, Sight)> {
    let mut all: Vec<(String, Sight)> = Vec::new();
    let mut keep = |name: &str, run: &Run| all.push((format!("w-{name}"), run.sight()));

    let mut run = Run::new(&setup(5, 0));
    keep("start", &run);
    run.until_event(|_, e| matches!(e, EventKind::VoteCompared { changes: true, .. }));
    keep("votes", &run);
    run.until_event(|_, e| matches!(e, EventKind::QuorumOfVotes { .. }));
    keep("quorum", &run);
    run.until_event(|_, e| matches!(e, EventKind::LearnerInfoCounted { have: 2, .. }));
    keep("infos", &run);
    run.until_event(|_, e| matches!(e, EventKind::EpochAckCounted { have: 2, .. }));
    keep("acks", &run);
    run.until_event(|_, e| matches!(e, EventKind::SyncChosen { .. }));
    keep("sync", &run);
    run.established();

    // A write under way.
    let follower = run.follower();
    run.act(Action::AddClient {
        server: Some(follower),
        timeout_ms: 8000,
    });
    run.until_event(|_, e| matches!(e, EventKind::SessionAttached { .. }));
    run.act(Action::Ask {
        client: ClientNo(1),
        request: write("/config"),
    });
    run.until_event(|_, e| matches!(e, EventKind::AckCounted { have: 2, .. }));
    keep("write", &run);
    run.until_event(|_, e| matches!(e, EventKind::Committed { .. }));
    keep("committed", &run);

    // A follower misses writes, and comes back: DIFF.
    let leader = run.leader();
    let lagging = ServerId(
        (1..=5)
            .find(|i| *i != leader.0 && *i != follower.0)
            .unwrap_or(1),
    );
    run.act(Action::Crash {
        server: lagging,
        lose_unsynced: true,
    });
    run.act(Action::Load {
        client: ClientNo(1),
        writes: 6,
    });
    run.steps(400);
    keep("one-down", &run);
    run.act(Action::Restart { server: lagging });
    run.until_event(|_, e| matches!(e, EventKind::SyncChosen { .. }));
    keep("diff-chosen", &run);
    run.until_event(move |id, e| id == lagging && matches!(e, EventKind::HistoryComplete { .. }));
    keep("diff-complete", &run);
    run.until_event(move |id, e| id == lagging && matches!(e, EventKind::Serving { .. }));
    keep("diff-serving", &run);

    // The leader is cut off with a tail that nobody else has: TRUNC when it comes back.
    let leader = run.leader();
    let rest = (1..=5).map(ServerId).filter(|s| *s != leader).collect();
    run.act(Action::AddClient {
        server: Some(leader),
        timeout_ms: 30_000,
    });
    run.until_event(|_, e| matches!(e, EventKind::SessionAttached { .. }));
    run.steps(100);
    run.act(Action::Ask {
        client: ClientNo(2),
        request: write("/lost"),
    });
    run.until_event(move |id, e| id == leader && matches!(e, EventKind::Proposed { .. }));
    run.act(Action::Partition {
        groups: vec![std::iter::once(leader).collect(), rest],
    });
    run.steps(12);
    keep("partition", &run);
    run.until_event(move |id, e| id != leader && matches!(e, EventKind::Established { .. }));
    keep("two-sides", &run);
    run.steps(200);
    run.act(Action::HealAll);
    let chosen = run.until(60_000, |r| match &r.source {
        Fact::Peer(e) => {
            matches!(&e.kind, EventKind::SyncChosen { learner, .. } if *learner == leader)
        }
        Fact::World(_) => false,
    });
    if chosen {
        keep("back-chosen", &run);
        run.until_event(move |id, e| id == leader && matches!(e, EventKind::SyncStarted { .. }));
        keep("back-started", &run);
        run.until_event(move |id, e| id == leader && matches!(e, EventKind::LogTruncated { .. }));
        keep("back-cut", &run);
        run.until_event(move |id, e| id == leader && matches!(e, EventKind::Serving { .. }));
        keep("back-serving", &run);
    }

    // A stale read from a server behind a slow link.
    let mut run = Run::new(&setup(5, 1));
    run.established();
    let (leader, follower) = (run.leader(), run.follower());
    for server in [follower, leader] {
        run.act(Action::AddClient {
            server: Some(server),
            timeout_ms: 12_000,
        });
    }
    run.steps(300);
    run.act(Action::Ask {
        client: ClientNo(2),
        request: write("/config"),
    });
    run.steps(200);
    run.act(Action::SlowLink {
        a: leader,
        b: follower,
        extra: Span::millis(3000),
    });
    run.act(Action::Load {
        client: ClientNo(2),
        writes: 4,
    });
    run.steps(80);
    run.act(Action::Ask {
        client: ClientNo(1),
        request: Request::GetData {
            path: "/config".into(),
            watch: false,
        },
    });
    let stale = run.until(5000, |r| {
        matches!(&r.source, Fact::World(e) if matches!(e.kind, WorldEventKind::StaleRead { path: Some(_), .. }))
    });
    assert!(stale, "the read must be stale");
    keep("stale", &run);

    // Load.
    let mut run = Run::new(&setup(5, 2));
    run.established();
    for _ in 0..8 {
        run.act(Action::AddClient {
            server: None,
            timeout_ms: 12_000,
        });
    }
    run.steps(400);
    for no in 1..=8 {
        run.act(Action::Load {
            client: ClientNo(no),
            writes: 40,
        });
    }
    run.steps(300);
    keep("load", &run);
    all
}

/// Many clients write, and much is under way.
pub fn busy() -> Run {
    let mut run = Run::new(&setup(5, 0));
    run.established();
    for server in 1..=5 {
        run.act(Action::AddClient {
            server: Some(ServerId(server)),
            timeout_ms: 12_000,
        });
    }
    run.steps(300);
    for no in 1..=5 {
        for n in 0..4 {
            run.act(Action::Ask {
                client: ClientNo(no),
                request: write(&format!("/busy-{no}-{n}")),
            });
        }
    }
    run.steps(14);
    run
}
