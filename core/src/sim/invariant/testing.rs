//! Planted faults: a real run, told with one lie.
//!
//! A [`Teller`] runs a real world: an election, writes, reads and watches of two clients, the crash
//! of the leader, its return. Each step's facts may be changed ([`Lies`]) and the world may be
//! looked at through a [`Falsehood`] before the property sees them.

use super::{
    Checker, Invariant, Look, Violation,
    look::{EpochFiles, TreeMark},
};
use crate::{
    id::{EventId, ServerId, Zxid},
    peer::event::{Event, EventKind},
    request::{Create, CreateMode, CreateOp, Request, Write},
    sim::{
        Action, ClientNo, Fact, Record, Sent, Setup, StepLog, World, WorldEventKind,
        client::open_acl,
    },
    txn::{Txn, TxnBody},
};
use std::sync::Arc;

/// Something about the world that is not so.
#[derive(Clone, Debug)]
pub enum Falsehood {
    /// This server's disk does not have this zxid and what is after it.
    NotDurable(ServerId, Zxid),
    /// No server's disk has it, but for so many.
    NotDurableAt(usize, Zxid),
    /// These are its epoch files.
    Epochs(ServerId, EpochFiles),
    /// This is its log.
    Log(ServerId, Vec<Arc<Txn>>),
    /// This is the transaction with its zxid at this server.
    Txn(ServerId, Arc<Txn>),
    /// This is its tree's digest.
    Digest(ServerId, u64),
}

/// A world, perhaps seen wrongly.
pub struct Lying<'a> {
    /// As it is.
    pub world: &'a World,
    /// What is not so.
    pub falsehood: Option<Falsehood>,
}

impl Look for Lying<'_> {
    fn seed(&self) -> u64 {
        self.world.seed()
    }
    fn is_quorum(&self, has: &dyn Fn(ServerId) -> bool) -> bool {
        self.world.is_quorum(has)
    }
    fn txn(&self, server: ServerId, zxid: Zxid) -> Option<Arc<Txn>> {
        match &self.falsehood {
            Some(Falsehood::Txn(s, txn)) if *s == server && txn.zxid() == zxid => {
                Some(Arc::clone(txn))
            }
            _ => self.world.txn(server, zxid),
        }
    }
    fn log(&self, server: ServerId) -> Vec<Arc<Txn>> {
        match &self.falsehood {
            Some(Falsehood::Log(s, log)) if *s == server => log.clone(),
            _ => self.world.log(server),
        }
    }
    fn newest_snapshot(&self, server: ServerId) -> Option<Zxid> {
        self.world.newest_snapshot(server)
    }
    fn reaches_back(&self, server: ServerId) -> bool {
        self.world.reaches_back(server)
    }
    fn last_logged(&self, server: ServerId) -> Zxid {
        self.world.last_logged(server)
    }
    fn tree(&self, server: ServerId) -> Option<TreeMark> {
        let mut tree = self.world.tree(server)?;
        if let Some(Falsehood::Digest(s, digest)) = &self.falsehood
            && *s == server
        {
            tree.digest = *digest;
        }
        Some(tree)
    }
    fn epochs(&self, server: ServerId) -> EpochFiles {
        match &self.falsehood {
            Some(Falsehood::Epochs(s, files)) if *s == server => *files,
            _ => self.world.epochs(server),
        }
    }
    fn is_durable(&self, server: ServerId, zxid: Zxid) -> bool {
        match &self.falsehood {
            Some(Falsehood::NotDurable(s, from)) if *s == server && zxid >= *from => false,
            Some(Falsehood::NotDurableAt(n, from)) if zxid >= *from => {
                server.0 > *n as i64 && self.world.is_durable(server, zxid)
            }
            _ => self.world.is_durable(server, zxid),
        }
    }
    fn initialised(&self, server: ServerId) -> bool {
        self.world.initialised(server)
    }
}

/// A step's facts, to be changed.
pub struct Lies<'a>(&'a mut StepLog);

impl Lies<'_> {
    /// The servers' events.
    pub fn events(&self) -> impl Iterator<Item = (ServerId, &EventKind)> {
        self.0.peer_events().map(|e| (e.id.server, &e.kind))
    }
    /// Messages that left.
    pub fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.0.sent.iter()
    }
    /// Who crashed in this step.
    pub fn crashed(&self) -> Option<ServerId> {
        self.0.world_events().find_map(|e| match &e.kind {
            WorldEventKind::Crashed { server, .. } => Some(*server),
            _ => None,
        })
    }
    /// Whether there is such an event.
    pub fn any(&self, is: impl Fn(&EventKind) -> bool) -> bool {
        self.0.peer_events().any(|e| is(&e.kind))
    }
    /// Adds an event that did not happen.
    pub fn lie(&mut self, server: ServerId, kind: EventKind) {
        let event = Event {
            id: EventId { server, seq: 0 },
            cause: None,
            kind,
        };
        self.0.records.push(Record {
            step: self.0.step,
            at: self.0.at,
            source: Fact::Peer(event),
        });
    }
    /// Changes the first event for which `f` says so.
    pub fn change(&mut self, f: impl Fn(ServerId, &mut EventKind) -> bool) -> bool {
        self.0.records.iter_mut().any(|r| match &mut r.source {
            Fact::Peer(e) => f(e.id.server, &mut e.kind),
            Fact::World(_) => false,
        })
    }
    /// Changes the first world event for which `f` says so.
    pub fn change_world(&mut self, f: impl Fn(&mut WorldEventKind) -> bool) -> bool {
        self.0.records.iter_mut().any(|r| match &mut r.source {
            Fact::World(e) => f(&mut e.kind),
            Fact::Peer(_) => false,
        })
    }
    /// Conceals such events.
    pub fn remove(&mut self, is: impl Fn(ServerId, &EventKind) -> bool) -> bool {
        let before = self.0.records.len();
        self.0.records.retain(|r| match &r.source {
            Fact::Peer(e) => !is(e.id.server, &e.kind),
            Fact::World(_) => true,
        });
        self.0.records.len() < before
    }
    /// Conceals such world events.
    pub fn remove_world(&mut self, is: impl Fn(&WorldEventKind) -> bool) -> bool {
        let before = self.0.records.len();
        self.0.records.retain(|r| match &r.source {
            Fact::World(e) => !is(&e.kind),
            Fact::Peer(_) => true,
        });
        self.0.records.len() < before
    }
}

/// The first event of a step for which `f` has an answer.
pub fn event<T>(log: &Lies<'_>, mut f: impl FnMut(ServerId, &EventKind) -> Option<T>) -> Option<T> {
    log.events().find_map(|(server, e)| f(server, e))
}

/// Another transaction with the same zxid.
pub fn altered(txn: &Arc<Txn>) -> Arc<Txn> {
    let mut other = (**txn).clone();
    other.header.time_ms += 1;
    other.body = TxnBody::Delete {
        path: Arc::from("/never"),
        container: false,
    };
    Arc::new(other)
}

/// A lie: called after each step until it says that it is told.
pub trait Lie: FnMut(&mut Lies<'_>, &mut Lying<'_>) -> bool {}
impl<F: FnMut(&mut Lies<'_>, &mut Lying<'_>) -> bool> Lie for F {}

/// Helps the compiler to see what a closure is.
pub fn lie<F: FnMut(&mut Lies<'_>, &mut Lying<'_>) -> bool>(f: F) -> F {
    f
}

/// The property holds throughout a run in which much happens.
pub fn clean(property: impl Invariant + 'static) {
    let mut teller = Teller::new(property, |_: &mut Lies<'_>, _: &mut Lying<'_>| false);
    if let Err(violation) = teller.tell() {
        panic!("false alarm: {violation}");
    }
}

/// The property finds the lie, and not before it is told.
pub fn caught(property: impl Invariant + 'static, lie: impl Lie) -> Violation {
    let mut teller = Teller::new(property, lie);
    let told = teller.tell();
    assert!(teller.planted, "the fault was not planted");
    match told {
        Err(violation) => violation,
        Ok(()) => panic!("the planted fault was not found"),
    }
}

struct Teller<L> {
    world: World,
    checker: Checker,
    log: StepLog,
    lie: L,
    planted: bool,
    falsehood: Option<Falsehood>,
}

impl<L: Lie> Teller<L> {
    fn new(property: impl Invariant + 'static, lie: L) -> Self {
        let setup = Setup {
            seed: 7,
            voters: 3,
            ..Setup::default()
        };
        Teller {
            world: World::new(&setup).expect("a good setup"),
            checker: Checker::new(vec![Box::new(property)]),
            log: StepLog::default(),
            lie,
            planted: false,
            falsehood: None,
        }
    }

    fn see(&mut self) -> Result<(), Violation> {
        let mut look = Lying {
            world: &self.world,
            falsehood: self.falsehood.take(),
        };
        if !self.planted {
            self.planted = (self.lie)(&mut Lies(&mut self.log), &mut look);
        }
        let checked = self.checker.check_with(&look, &self.log);
        self.falsehood = look.falsehood;
        if checked.is_err() {
            assert!(self.planted, "an alarm before the lie: {checked:?}");
        }
        checked
    }

    fn act(&mut self, action: Action) -> Result<(), Violation> {
        self.world
            .act(&action, &mut self.log)
            .expect("a possible action");
        self.see()
    }

    fn run(&mut self, until: impl Fn(&World) -> bool) -> Result<(), Violation> {
        let limit = self.world.steps() + 20_000;
        while !until(&self.world) {
            assert!(self.world.step(&mut self.log), "the world stands still");
            assert!(self.world.steps() < limit, "it takes too long");
            self.see()?;
        }
        Ok(())
    }

    fn ask(&mut self, client: u16, request: Request) -> Result<(), Violation> {
        self.act(Action::Ask {
            client: ClientNo(client),
            request,
        })
    }

    fn all_answered(world: &World) -> bool {
        world
            .clients()
            .all(|c| c.load == 0 && c.pending == 0 && c.queued == 0)
    }

    fn tell(&mut self) -> Result<(), Violation> {
        let led = |w: &World| {
            let serving = w.servers().filter(|s| s.peer.is_some_and(|p| p.serving()));
            serving.count() >= 2
        };
        self.run(led)?;
        for server in [1, 2] {
            self.act(Action::AddClient {
                server: Some(ServerId(server)),
                timeout_ms: 30_000,
            })?;
        }
        let node: Arc<str> = Arc::from("/watched");
        self.ask(
            1,
            Request::Write(Write::Create(Create {
                path: Arc::clone(&node),
                data: None,
                acl: open_acl(),
                mode: CreateMode::Persistent,
                op: CreateOp::Create,
            })),
        )?;
        self.run(Self::all_answered)?;
        for round in 0..2 {
            self.ask(
                2,
                Request::Exists {
                    path: Arc::clone(&node),
                    watch: true,
                },
            )?;
            self.run(Self::all_answered)?;
            for client in [1, 2] {
                self.act(Action::Load {
                    client: ClientNo(client),
                    writes: 8,
                })?;
            }
            self.ask(
                1,
                Request::Write(Write::SetData {
                    path: Arc::clone(&node),
                    data: None,
                    version: -1,
                }),
            )?;
            self.run(Self::all_answered)?;
            let leader = self
                .world
                .servers()
                .find(|s| s.peer.is_some_and(|p| p.leading().is_some()))
                .map(|s| s.id);
            let Some(server) = leader.filter(|_| round == 0) else {
                continue;
            };
            self.act(Action::Crash {
                server,
                lose_unsynced: true,
            })?;
            self.run(led)?;
            self.act(Action::Restart { server })?;
            self.run(|w| w.servers().all(|s| s.peer.is_some_and(|p| p.serving())))?;
        }
        Ok(())
    }
}
