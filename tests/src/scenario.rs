//! The setting of a scenario, and the one loop in which it runs.

use crate::{
    pattern::{Moment, Pattern},
    trace,
};
use core::panic::Location;
use std::collections::BTreeMap;
use zabscope_core::{
    id::{Epoch, ServerId, Zxid},
    leader::LeaderPhase,
    quorum::QuorumRule,
    sim::{Action, Checker, ClientNo, ServerStatus, Setup, StepLog, TimedAction, World},
    time::{self, Span},
};

/// How long one wait may last, in virtual time.
const PATIENCE: Span = Span::millis(300_000);
/// How many steps one wait may take.
const MAX_STEPS: u64 = 300_000;

/// The zxid `counter` of `epoch`.
#[must_use]
pub const fn zx(epoch: i64, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

/// What a scenario is made of, before its first step.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The simulator's own description.
    pub setup: Setup,
    down: Vec<i64>,
    at: &'static Location<'static>,
}

impl Setting {
    /// So many observers, numbered after the voters.
    #[must_use]
    pub fn observers(mut self, n: u8) -> Setting {
        self.setup.observers = n;
        self
    }

    /// The seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Setting {
        self.setup.seed = seed;
        self
    }

    /// Anything else of the setup.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Setup)) -> Setting {
        change(&mut self.setup);
        self
    }

    /// These servers are down from the first moment on.
    #[must_use]
    pub fn down(mut self, servers: &[i64]) -> Setting {
        self.down.extend_from_slice(servers);
        self
    }

    /// Voters in groups, each with its weight: `[&[(1, 1), (2, 1)], &[(3, 5)]]`.
    #[must_use]
    pub fn groups(mut self, groups: &[&[(i64, u64)]]) -> Setting {
        let mut group = BTreeMap::new();
        let mut weight = BTreeMap::new();
        for (number, members) in (1..).zip(groups) {
            for (id, heavy) in *members {
                group.insert(ServerId(*id), number);
                weight.insert(ServerId(*id), *heavy);
            }
        }
        self.setup.rule = QuorumRule::Groups { group, weight };
        self
    }

    /// The first moment: servers run, no message has arrived.
    #[must_use]
    pub fn start(self) -> Scenario {
        let world = match World::new(&self.setup) {
            Ok(world) => world,
            Err(error) => panic!("{}: this can't be a world: {error}", self.at),
        };
        let checker = match self.setup.standalone {
            true => Checker::standalone(),
            false => Checker::all(),
        };
        let mut scenario = Scenario {
            world,
            log: StepLog::default(),
            checker,
            history: Vec::new(),
            from: 0,
            actions: Vec::new(),
            names: BTreeMap::new(),
            asked: BTreeMap::new(),
            at: self.at,
            patience: PATIENCE,
        };
        if !self.down.is_empty() {
            scenario.until_that("all servers have started", |s| {
                s.world()
                    .servers()
                    .all(|v| v.status != ServerStatus::NotStarted)
            });
            for id in self.down {
                scenario.crash(id);
            }
        }
        scenario
    }
}

/// A world under test, with everything that has happened in it.
pub struct Scenario {
    pub(crate) world: World,
    pub(crate) log: StepLog,
    pub(crate) checker: Checker,
    pub(crate) history: Vec<Moment>,
    /// Checks look at the history from here.
    pub(crate) from: usize,
    pub(crate) actions: Vec<TimedAction>,
    pub(crate) names: BTreeMap<String, ClientNo>,
    /// How many answers each client is to get.
    pub(crate) asked: BTreeMap<ClientNo, u64>,
    pub(crate) at: &'static Location<'static>,
    pub(crate) patience: Span,
}

impl Scenario {
    /// An ensemble of so many voters. They start together; the seed decides who is first.
    #[must_use]
    #[track_caller]
    pub fn voters(n: u8) -> Setting {
        Setting {
            setup: Setup {
                voters: n,
                start_spread: Span::millis(4),
                ..Setup::default()
            },
            down: Vec::new(),
            at: Location::caller(),
        }
    }

    /// Three voters led by 3; client A at 1, B at 2, and the znode /a with "0". Its transactions are 1·01 to
    /// 1·03.
    #[must_use]
    #[track_caller]
    pub fn of_three() -> Scenario {
        let mut s = Scenario::voters(3).start();
        s.settle();
        s.client("A").at(1).create("/a", "0").ok();
        s.client("B").at(2).connected();
        s.settle();
        s
    }

    /// One server without an ensemble.
    #[must_use]
    #[track_caller]
    pub fn standalone() -> Setting {
        Scenario::voters(1).with(|setup| setup.standalone = true)
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.world.steps()
    }

    /// From now on, each wait may last so long.
    pub fn patience(&mut self, span: Span) -> &mut Scenario {
        self.patience = span;
        self
    }

    // ---- the one loop --------------------------------------------------------------------------

    /// Takes one step, if anything can happen, and checks every invariant.
    #[track_caller]
    pub fn step(&mut self) -> bool {
        let mut log = core::mem::take(&mut self.log);
        let more = self.world.step(&mut log);
        self.log = log;
        if more {
            self.note();
        }
        more
    }

    /// Remembers what the last step or action did, and checks.
    #[track_caller]
    fn note(&mut self) {
        let step = self.log.step;
        self.history
            .extend(self.log.records.iter().cloned().map(Moment::Said));
        self.history
            .extend(self.log.sent.iter().map(|s| Moment::Left(step, *s)));
        if let Err(violation) = self.checker.check(&self.world, &self.log) {
            let values: Vec<String> = violation
                .values
                .iter()
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            self.fail(&format!(
                "the invariant {} ({}) holds: {}",
                violation.property,
                violation.source,
                values.join(", ")
            ));
        }
    }

    /// Does something to the world.
    #[track_caller]
    pub fn act(&mut self, action: Action) -> &mut Scenario {
        let mut log = core::mem::take(&mut self.log);
        let done = self.world.act(&action, &mut log);
        self.log = log;
        if let Err(error) = done {
            self.fail(&format!("that this can be done: {action:?}: {error}"));
        }
        self.actions.push(TimedAction {
            step: self.world.steps(),
            action,
        });
        self.note();
        self
    }

    /// Runs until this holds. Fails when it takes too long or nothing can happen any more.
    #[track_caller]
    pub fn until_that(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&Scenario) -> bool,
    ) -> &mut Scenario {
        let (began, first) = (self.world.now(), self.world.steps());
        while !holds(self) {
            let late = self.world.now() - began > self.patience;
            if late || self.world.steps() - first > MAX_STEPS || !self.step() {
                self.fail(what);
            }
        }
        self
    }

    /// Runs until the step in which this happens, at least one step.
    #[track_caller]
    pub fn until(&mut self, pattern: Pattern) -> &mut Scenario {
        let mut seen = self.history.len();
        let what = pattern.to_string();
        self.until_that(&what, move |s| {
            let new = &s.history[seen..];
            let found = new.iter().any(|m| pattern.is(m));
            seen = s.history.len();
            found
        })
    }

    /// Runs until this has happened `n` times from now on.
    #[track_caller]
    pub fn until_times(&mut self, n: usize, pattern: Pattern) -> &mut Scenario {
        let mut seen = self.history.len();
        let mut found = 0;
        let what = format!("{n} times: {pattern}");
        self.until_that(&what, move |s| {
            found += s.history[seen..].iter().filter(|m| pattern.is(m)).count();
            seen = s.history.len();
            found >= n
        })
    }

    /// Lets virtual time pass.
    #[track_caller]
    pub fn for_ms(&mut self, ms: u64) -> &mut Scenario {
        let end = self.world.now() + Span::millis(ms);
        self.for_that(end)
    }

    #[track_caller]
    fn for_that(&mut self, end: time::Moment) -> &mut Scenario {
        let first = self.world.steps();
        while self.world.now() < end {
            if self.world.steps() - first > MAX_STEPS {
                self.fail("that time passes in a bounded number of steps");
            }
            if !self.step() {
                break;
            }
        }
        self
    }

    /// Runs until an established leader is there and tells who it is. Of several, the one with the
    /// newest epoch.
    #[track_caller]
    pub fn until_leader(&mut self) -> i64 {
        self.until_that("a leader is established", |s| s.leader().is_some());
        self.leader().unwrap_or_default()
    }

    /// Runs until another leader than `old` is established, and tells who it is.
    #[track_caller]
    pub fn until_another_leader(&mut self, old: i64) -> i64 {
        self.until_that(&format!("another leader than {old} is established"), |s| {
            s.leader().is_some_and(|id| id != old)
        });
        self.leader().unwrap_or_default()
    }

    /// Runs until a leader of an epoch above `epoch` is established, and tells who it is.
    #[track_caller]
    pub fn until_epoch_above(&mut self, epoch: i64) -> i64 {
        self.until_that(
            &format!("a leader of an epoch above {epoch} is established"),
            |s| s.leader().is_some_and(|id| s.epoch(id) > epoch),
        );
        self.leader().unwrap_or_default()
    }

    /// Runs until one leader serves, every running server serves under it, and all of them have
    /// applied everything that was proposed.
    #[track_caller]
    pub fn settle(&mut self) -> &mut Scenario {
        self.until_that(
            "all running servers serve and have applied everything",
            |s| {
                let Some(leader) = s.leader().and_then(|id| s.peer(id)) else {
                    return false;
                };
                let quiet = leader
                    .leading()
                    .is_some_and(|l| l.outstanding().next().is_none());
                let newest = leader.last_applied();
                quiet
                    && s.running().all(|id| {
                        s.peer(id).is_some_and(|p| {
                            let applied = p.last_applied();
                            p.serving()
                                && p.leader() == Some(leader.id())
                                && (p.last_logged() == leader.last_logged()
                                    || p.last_logged().is_new_epoch()
                                        && p.last_logged() >= leader.last_logged())
                                && (applied == newest || newest.is_new_epoch())
                                && p.last_durable() == p.last_logged()
                                && p.last_committed() >= p.last_logged()
                        })
                    })
            },
        )
    }

    // ---- who -----------------------------------------------------------------------------------

    /// A server's protocol; `None` when it is down.
    #[must_use]
    pub fn peer(&self, id: i64) -> Option<&zabscope_core::peer::Peer> {
        self.world.peer(ServerId(id))
    }

    /// The running servers, paused ones not included.
    pub fn running(&self) -> impl Iterator<Item = i64> + '_ {
        self.world
            .servers()
            .filter(|v| v.status == ServerStatus::Up)
            .map(|v| v.id.0)
    }

    /// Who leads: established, running, of the newest epoch.
    #[must_use]
    pub fn leader(&self) -> Option<i64> {
        self.running()
            .filter(|id| {
                self.peer(*id)
                    .and_then(|p| p.leading())
                    .is_some_and(|l| l.phase() == LeaderPhase::Established)
            })
            .max_by_key(|id| self.epoch(*id))
    }

    /// A server's currentEpoch; -1 when it is down.
    #[must_use]
    pub fn epoch(&self, id: i64) -> i64 {
        self.peer(id).map_or(-1, |p| p.current_epoch().0)
    }

    /// Somebody who runs and does not lead: the smallest.
    #[must_use]
    #[track_caller]
    pub fn follower(&self) -> i64 {
        let leader = self.leader();
        let found = self.running().find(|id| Some(*id) != leader);
        self.sure(found, "a server that does not lead")
    }

    /// What must be there.
    #[track_caller]
    pub(crate) fn sure<T>(&self, value: Option<T>, what: &str) -> T {
        match value {
            Some(value) => value,
            None => self.fail(what),
        }
    }

    /// Ends the test: what was awaited, and all that is needed to understand and repeat it.
    #[track_caller]
    pub fn fail(&self, awaited: &str) -> ! {
        panic!("{}", trace::failure(self, awaited))
    }
}
