//! A search under way.

use super::{Goal, tells};
use crate::{
    state::{
        run::{Handle, Run},
        watch,
    },
    text::Lang,
};
use std::rc::Rc;
use zabscope_core::{
    id::{EventId, ServerId, Zxid},
    message::ServerState,
    sim::{ServerStatus, World},
};

/// A search gives up after so many steps.
pub const MOST: u64 = 20_000;
/// So many steps are taken in a slice.
const SLICE: usize = 300;

/// A handle to a search.
pub type SearchHandle = Handle<Search>;

/// An invariant that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its sentence.
    pub sentence: Rc<str>,
    /// The values that show it.
    pub values: Rc<str>,
    /// After this step.
    pub step: u64,
}

/// Nothing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// What was looked for.
    pub goal: Goal,
    /// In so many steps.
    pub steps: u64,
    /// Nothing can happen any more after them.
    pub ended: bool,
}

/// What a slice has brought.
pub(super) enum Sliced {
    /// It is not over.
    Goes,
    /// This record tells of it.
    Found(usize),
    /// An invariant failed at the cursor.
    Failed(Failure),
    /// It is not there.
    Missed(Missed),
}

/// A znode as a server has it: created by, changed by, version, version of its ACL.
type Version = Option<(Zxid, Zxid, i32, i32)>;

/// What is compared before and after a step.
enum Probe {
    /// Nothing: facts tell.
    Facts,
    /// What servers are.
    Roles(Vec<(ServerStatus, Option<ServerState>)>),
    /// How servers have the znode.
    Znode(Vec<Version>),
    /// What must hold.
    Invariants,
}

/// A search.
pub struct Search {
    goal: Goal,
    lang: Lang,
    /// Steps and records where it began.
    origin: (u64, usize),
    /// Records that were looked at.
    seen: usize,
    taken: u64,
    probe: Probe,
}

fn roles(world: &World) -> Vec<(ServerStatus, Option<ServerState>)> {
    let state = |s: zabscope_core::sim::ServerView<'_>| (s.status, s.peer.map(|p| p.state()));
    world.servers().map(state).collect()
}

fn versions(world: &World, at: &str) -> Vec<Version> {
    let version = |peer: &zabscope_core::peer::Peer| {
        let stat = peer.database().tree.stat(at)?;
        Some((stat.czxid, stat.mzxid, stat.version, stat.aversion))
    };
    world.servers().map(|s| s.peer.and_then(version)).collect()
}

impl Search {
    /// Begins at the cursor; `from` is the first record that may be found.
    pub(super) fn new(run: &Run, goal: Goal, from: usize, lang: Lang) -> Search {
        let world = run.world();
        let probe = match &goal {
            Goal::Role(_) => Probe::Roles(roles(world)),
            Goal::Znode(path) => Probe::Znode(versions(world, path)),
            Goal::Invariant => Probe::Invariants,
            Goal::Text(_) | Goal::Message | Goal::Phase | Goal::Epoch => Probe::Facts,
        };
        let facts = matches!(probe, Probe::Facts);
        Search {
            origin: (run.history().cursor(), run.len()),
            seen: if facts {
                from.min(run.len())
            } else {
                run.len()
            },
            goal,
            lang,
            taken: 0,
            probe,
        }
    }

    /// What is looked for.
    #[must_use]
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// How many steps were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Back where it began.
    pub(super) fn back(&self, run: &mut Run) {
        run.goto(self.origin.0);
        while run.len() > self.origin.1 && run.back() {}
    }

    pub(super) fn slice(&mut self, run: &mut Run) -> Sliced {
        if matches!(self.probe, Probe::Invariants) {
            match watch::look(run, SLICE as u64) {
                watch::Checked::Partly => return Sliced::Goes,
                watch::Checked::Broken(violation) => {
                    run.goto(violation.step);
                    return Sliced::Failed(failure(&violation));
                }
                watch::Checked::Holds => {}
            }
        }
        for taken in 0..SLICE {
            if let Some(index) = self.told(run) {
                return Sliced::Found(index);
            }
            let over = self.taken >= MOST;
            if over || !run.advance() {
                if taken > 0 && matches!(self.probe, Probe::Invariants) {
                    // What this slice did is not looked at yet.
                    return Sliced::Goes;
                }
                return Sliced::Missed(Missed {
                    goal: self.goal.clone(),
                    steps: self.taken,
                    ended: !over,
                });
            }
            self.taken = run.history().cursor().saturating_sub(self.origin.0);
            if let Some(sliced) = self.differs(run) {
                return sliced;
            }
        }
        Sliced::Goes
    }

    /// A new fact is what is looked for.
    fn told(&mut self, run: &Run) -> Option<usize> {
        let (from, end) = (self.seen, run.len());
        self.seen = end;
        if !matches!(self.probe, Probe::Facts) {
            return None;
        }
        let records = run.history().records();
        let told = run.track().told().get(from..end)?;
        let found = told.iter().find(|t| {
            let record = records.get(t.index);
            record.is_some_and(|r| tells(&self.goal, r, t.importance, self.lang))
        });
        found.map(|t| t.index)
    }

    /// The world is not what it was in the respect in question.
    fn differs(&mut self, run: &Run) -> Option<Sliced> {
        let world = run.world();
        let before = self.seen;
        match &mut self.probe {
            // The invariants are looked at slice by slice.
            Probe::Facts | Probe::Invariants => None,
            Probe::Roles(old) => {
                let new = roles(world);
                let wanted = match &self.goal {
                    Goal::Role(server) => *server,
                    _ => None,
                };
                let mut ids = world.servers().map(|s| s.id).zip(old.iter().zip(&new));
                let changed = ids.find(|(id, (a, b))| a != b && wanted.is_none_or(|w| w == *id));
                let changed = changed.map(|(id, _)| id);
                *old = new;
                let id = changed?;
                Some(Sliced::Found(main_record(run, before, |by| by == id)))
            }
            Probe::Znode(old) => {
                let Goal::Znode(path) = &self.goal else {
                    return None;
                };
                let new = versions(world, path);
                let changed = world
                    .servers()
                    .map(|s| s.id)
                    .zip(old.iter().zip(&new))
                    // A server that stops or starts has not changed the znode.
                    .find(|(id, (a, b))| a != b && same_life(run, before, *id))
                    .map(|(id, _)| id);
                *old = new;
                let id = changed?;
                Some(Sliced::Found(main_record(run, before, |by| by == id)))
            }
        }
    }
}

/// Of the records from `from` on the one that tells most of what this server did.
fn main_record(run: &Run, from: usize, of: impl Fn(ServerId) -> bool) -> usize {
    let records = run.history().records();
    let by = |id: EventId| of(id.server);
    let told = run.track().told().get(from..run.len()).unwrap_or_default();
    let main = told
        .iter()
        .filter(|t| records.get(t.index).is_some_and(|r| by(r.id())))
        .max_by_key(|t| (t.importance, t.index))
        .or(told.last());
    main.map_or(from.saturating_sub(1), |t| t.index)
}

/// Neither a crash nor a start of this server is among the records from `from` on.
fn same_life(run: &Run, from: usize, id: ServerId) -> bool {
    use zabscope_core::{
        peer::event::EventKind,
        sim::{Fact, WorldEventKind},
    };
    let records = run.history().records();
    !(from..run.len())
        .filter_map(|i| records.get(i))
        .any(|r| match &r.source {
            Fact::Peer(e) => e.id.server == id && matches!(e.kind, EventKind::Started { .. }),
            Fact::World(e) => {
                matches!(&e.kind, WorldEventKind::Crashed { server, .. } if *server == id)
            }
        })
}

fn failure(violation: &zabscope_core::sim::Violation) -> Failure {
    let values: Vec<String> = violation
        .values
        .iter()
        .map(|(name, value)| [name.as_str(), value.as_str()].join(" "))
        .collect();
    Failure {
        sentence: Rc::from(violation.sentence.as_str()),
        values: Rc::from(values.join("; ")),
        step: violation.step,
    }
}
