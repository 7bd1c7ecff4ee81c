//! Faults that a world makes by itself: the same fault again and again, or random ones from a seed.
//! A schedule is part of the world's setup or is switched on by an action, so it is in links and files
//! and the same at every repetition.

use crate::{
    id::{EventId, ServerId},
    message::ServerState,
    sim::{
        fault::{FaultKind, FaultPlan, Faults},
        setup::Action,
        world::World,
    },
    time::{Moment, Span},
};
use core::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};
use serde::{Deserialize, Serialize};

/// How many faults may repeat in one schedule.
pub const MAX_REPEATS: usize = 8;
/// The shortest time between two faults of one kind.
pub const MIN_EVERY: Span = Span::millis(50);
/// The longest.
pub const MAX_EVERY: Span = Span::millis(600_000);

/// A fault that comes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// What: crash (with its unsynced tail), cut (from all others), pause or slow-disk.
    pub fault: FaultKind,
    /// To whom; absent: to whoever leads then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// The first time after so long, and then after so long again.
    pub every: Span,
    /// How long it lasts.
    pub lasts: Span,
}

/// Random faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// Which: bit n for the kind n of [`FaultKind::ALL`].
    pub kinds: u16,
    /// About how long it is from one to the next.
    pub every: Span,
    /// Decides which and when.
    pub seed: u64,
}

/// What a world does to itself. By default nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// These repeat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeat: Vec<Repeat>,
    /// These come by chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<Random>,
}

/// A world without a schedule is the world that it was before there were schedules: its hash is the same.
impl Hash for Schedule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if !self.is_empty() {
            self.repeat.hash(state);
            self.random.hash(state);
        }
    }
}

/// A schedule that no world can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Too many faults repeat.
    #[error("{0} faults repeat, at most {MAX_REPEATS} may")]
    Repeats(usize),
    /// A time is out of bounds.
    #[error(
        "a fault every {every} ms that lasts {lasts} ms; from {min} to {max} ms are allowed, and it \
         must end before it comes again",
        min = MIN_EVERY.as_millis(),
        max = MAX_EVERY.as_millis()
    )]
    Times {
        /// How often, in ms.
        every: u64,
        /// How long, in ms.
        lasts: u64,
    },
    /// This kind does not repeat.
    #[error("only crash, cut, pause and slow-disk repeat, not {0}")]
    Kind(&'static str),
    /// It happens to a server that is not there.
    #[error("there is no server {0} for a fault to happen to")]
    NoServer(ServerId),
    /// Random faults of no kind, or of one that is not known.
    #[error("random faults of kinds {0} are not known")]
    Kinds(u16),
}

impl Schedule {
    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.repeat.is_empty() && self.random.is_none()
    }

    /// Whether a world with so many servers can keep it.
    ///
    /// # Errors
    /// The first thing that is out of bounds.
    pub fn validate(&self, servers: usize) -> Result<(), ScheduleError> {
        if self.repeat.len() > MAX_REPEATS {
            return Err(ScheduleError::Repeats(self.repeat.len()));
        }
        let times = |every: Span, lasts: Span| match (MIN_EVERY..=MAX_EVERY).contains(&every)
            && lasts < every
        {
            true => Ok(()),
            false => Err(ScheduleError::Times {
                every: every.as_millis(),
                lasts: lasts.as_millis(),
            }),
        };
        for r in &self.repeat {
            times(r.every, r.lasts)?;
            if !matches!(
                r.fault,
                FaultKind::Crash | FaultKind::Cut | FaultKind::Pause | FaultKind::SlowDisk
            ) {
                return Err(ScheduleError::Kind(r.fault.name()));
            }
            if let Some(id) = r.server.filter(|id| id.0 < 1 || id.0 > servers as i64) {
                return Err(ScheduleError::NoServer(id));
            }
        }
        match self.random {
            Some(r) if r.kinds == 0 || r.kinds >> FaultKind::ALL.len() != 0 => {
                Err(ScheduleError::Kinds(r.kinds))
            }
            Some(r) => times(r.every, Span(0)),
            None => Ok(()),
        }
    }
}

/// Text that is no such fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" can't be read; {wanted}")]
pub struct NotAFault {
    found: String,
    wanted: &'static str,
}

/// Two numbers behind `=`, and what stands before it.
fn parts(text: &str) -> Option<(&str, u64, u64)> {
    let (what, times) = text.split_once('=')?;
    let (a, b) = times.split_once('/')?;
    Some((what, a.parse().ok()?, b.parse().ok()?))
}

impl Repeat {
    fn read(text: &str) -> Option<Repeat> {
        let (what, every, lasts) = parts(text)?;
        let (kind, server) = match what.split_once('@') {
            Some((kind, server)) => (kind, Some(ServerId(server.parse().ok()?))),
            None => (what, None),
        };
        let ms = |n: u64| (n <= MAX_EVERY.as_millis()).then(|| Span::millis(n));
        Some(Repeat {
            fault: FaultKind::ALL.into_iter().find(|k| k.name() == kind)?,
            server,
            every: ms(every)?,
            lasts: ms(lasts)?,
        })
    }
}

/// As [`Repeat`] is read: `crash=5000/2000`, `pause@3=4000/500`.
impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.name())?;
        if let Some(server) = self.server {
            write!(f, "@{}", server.0)?;
        }
        let (every, lasts) = (self.every.as_millis(), self.lasts.as_millis());
        write!(f, "={every}/{lasts}")
    }
}

impl FromStr for Repeat {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Repeat, NotAFault> {
        Repeat::read(text).ok_or_else(|| NotAFault {
            found: text.chars().take(40).collect(),
            wanted: "write crash=5000/2000 for a crash of the leader every 5000 ms that lasts 2000 ms, \
                     or crash@3=5000/2000 for server 3; also cut, pause, slow-disk",
        })
    }
}

impl Random {
    fn read(text: &str) -> Option<Random> {
        let (what, every, seed) = parts(text)?;
        let mut kinds = 0;
        for word in what.split(',') {
            let bit = FaultKind::ALL.into_iter().position(|k| k.name() == word)?;
            kinds |= 1 << bit;
        }
        (every <= MAX_EVERY.as_millis()).then(|| Random {
            kinds,
            every: Span::millis(every),
            seed,
        })
    }
}

/// As [`Random`] is read: `crash,pause=1500/7`, about every 1500 ms, by seed 7.
impl fmt::Display for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (bit, kind) in FaultKind::ALL.into_iter().enumerate() {
            if self.kinds >> bit & 1 == 1 {
                write!(f, "{comma}{}", kind.name())?;
                comma = ",";
            }
        }
        write!(f, "={}/{}", self.every.as_millis(), self.seed)
    }
}

impl FromStr for Random {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Random, NotAFault> {
        Random::read(text).ok_or_else(|| NotAFault {
            found: text.chars().take(40).collect(),
            wanted: "write crash,pause=1500/7 for crashes and pauses about every 1500 ms by seed 7; \
                     also cut, partition, slow-disk, slow-link, client, lose-disk, reconfig",
        })
    }
}

/// A fault that is on.
#[derive(Clone, Debug)]
struct Open {
    ends: Moment,
    by: Action,
}

/// A schedule that is being kept.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    pub(crate) schedule: Schedule,
    /// When each of the repeating faults comes next.
    next: Vec<Moment>,
    random: Option<Faults>,
    open: Vec<Open>,
    /// The event of the action that switched it on.
    pub(crate) cause: Option<EventId>,
}

impl Keeping {
    pub(crate) fn new(schedule: Schedule, now: Moment, cause: Option<EventId>) -> Keeping {
        let next = schedule.repeat.iter().map(|r| now + r.every).collect();
        let random = schedule.random.map(|r| {
            let kinds = FaultKind::ALL.into_iter().enumerate();
            let plan = kinds
                .filter(|(bit, _)| r.kinds >> bit & 1 == 1)
                .fold(FaultPlan::none(), |plan, (_, kind)| plan.with(kind, 1));
            Faults::at_rate(plan, r.seed, now, r.every)
        });
        Keeping {
            schedule,
            next,
            random,
            open: Vec::new(),
            cause,
        }
    }

    /// What another schedule has broken ends now.
    pub(crate) fn take_over(&mut self, before: Keeping, now: Moment) {
        let random = before.random.into_iter().flat_map(Faults::ends);
        let own = before.open.into_iter().map(|o| o.by);
        self.open
            .extend(own.chain(random).map(|by| Open { ends: now, by }));
    }

    /// Whether there is nothing left to do, ever.
    pub(crate) fn is_over(&self) -> bool {
        self.schedule.is_empty() && !self.mends()
    }

    /// Whether something is broken that it will mend.
    pub(crate) fn mends(&self) -> bool {
        !self.open.is_empty() || self.random.as_ref().is_some_and(Faults::any_open)
    }

    /// When it wants to be asked again.
    pub(crate) fn wakes(&self) -> Option<Moment> {
        let random = self.random.as_ref().and_then(Faults::wakes);
        let ends = self.open.iter().map(|o| o.ends);
        ends.chain(self.next.iter().copied()).chain(random).min()
    }

    /// What is to be done now; a possible action.
    pub(crate) fn next(&mut self, world: &World) -> Option<Action> {
        let now = world.now();
        while let Some(at) = self.open.iter().position(|o| o.ends <= now) {
            let over = self.open.remove(at).by;
            if world.possible(&over).is_ok() {
                return Some(over);
            }
        }
        for at in 0..self.next.len() {
            if self.next[at] > now {
                continue;
            }
            let repeat = self.schedule.repeat[at];
            self.next[at] = now + repeat.every;
            let Some(Broken { breaks, mends }) = begin(repeat, world) else {
                continue;
            };
            let mut breaks = breaks.into_iter();
            if let Some(first) = breaks.next()
                && world.possible(&first).is_ok()
            {
                // What else it breaks is done at this moment too.
                self.open.extend(breaks.map(|by| Open { ends: now, by }));
                let ends = now + repeat.lasts;
                self.open
                    .extend(mends.into_iter().map(|by| Open { ends, by }));
                return Some(first);
            }
        }
        self.random.as_mut()?.next(world)
    }
}

/// A repeating fault.
struct Broken {
    breaks: Vec<Action>,
    /// What makes it as it was before, and nothing else.
    mends: Vec<Action>,
}

/// A repeating fault as it begins now; `None`: nobody leads.
fn begin(repeat: Repeat, world: &World) -> Option<Broken> {
    let leads = || {
        let leading = |s: &crate::sim::ServerView<'_>| {
            s.peer.is_some_and(|p| p.state() == ServerState::Leading)
        };
        world.servers().find(leading).map(|s| s.id)
    };
    let server = repeat.server.or_else(leads)?;
    let broken = |breaks, mends| Broken {
        breaks: vec![breaks],
        mends: vec![mends],
    };
    Some(match repeat.fault {
        FaultKind::Pause => broken(Action::Pause { server }, Action::Resume { server }),
        FaultKind::SlowDisk => {
            let extra = Span(world.setup().tick.0 / 2);
            let disk = world.servers().find(|s| s.id == server).map(|s| s.disk);
            let before = disk.map_or(Span(0), |disk| disk.slower_by());
            let slow = |extra| Action::SlowDisk { server, extra };
            broken(slow(extra), slow(before))
        }
        FaultKind::Cut => cut(server, world),
        FaultKind::Crash
        | FaultKind::Partition
        | FaultKind::SlowLink
        | FaultKind::Client
        | FaultKind::LoseDisk
        | FaultKind::Reconfig => broken(
            Action::Crash {
                server,
                lose_unsynced: true,
            },
            Action::Restart { server },
        ),
    })
}

/// A server is cut from all others. Links that somebody else has cut stay so, while it lasts and after it.
fn cut(server: ServerId, world: &World) -> Broken {
    let (own, others): (Vec<_>, Vec<_>) = world
        .links()
        .partition(|link| link.a == server || link.b == server);
    let whole = own.iter().filter(|link| !(link.cut_ab && link.cut_ba));
    let mends = whole.clone().flat_map(|link| {
        let (a, b) = (link.a, link.b);
        let again = match (link.cut_ab, link.cut_ba) {
            (true, _) => Some(Action::CutDirection { from: a, to: b }),
            (_, true) => Some(Action::CutDirection { from: b, to: a }),
            (false, false) => None,
        };
        [Action::HealLink { a, b }].into_iter().chain(again)
    });
    let breaks = match others.iter().any(|link| link.cut_ab || link.cut_ba) {
        // A partition would mend those.
        true => whole
            .clone()
            .map(|link| Action::CutLink {
                a: link.a,
                b: link.b,
            })
            .collect(),
        false => {
            let rest = world.servers().map(|s| s.id).filter(|id| *id != server);
            let groups = vec![[server].into(), rest.collect()];
            vec![Action::Partition { groups }]
        }
    };
    Broken {
        breaks,
        mends: mends.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        Checker, Exported, History, Setup, StepLog, WorldEventKind, workload::Workload,
    };

    fn every_five_seconds() -> Schedule {
        Schedule {
            repeat: vec![Repeat {
                fault: FaultKind::Crash,
                server: None,
                every: Span::millis(5000),
                lasts: Span::millis(2000),
            }],
            random: None,
        }
    }

    fn storm(seed: u64) -> Schedule {
        Schedule {
            repeat: Vec::new(),
            random: Some(Random {
                kinds: 0b111_1111,
                every: Span::millis(1500),
                seed,
            }),
        }
    }

    /// What was done to servers, and when, in ms.
    fn done(setup: &Setup, steps: u64) -> Vec<(u128, bool)> {
        let mut world = World::new(setup).expect("a world");
        let mut log = StepLog::default();
        let mut done = Vec::new();
        while world.steps() < steps && world.step(&mut log) {
            for event in log.world_events() {
                match event.kind {
                    WorldEventKind::Crashed { .. } => done.push((world.now().0, true)),
                    WorldEventKind::Restarted { .. } => done.push((world.now().0, false)),
                    _ => {}
                }
            }
        }
        done.into_iter()
            .map(|(us, down)| (u128::from(us / 1000), down))
            .collect()
    }

    #[test]
    fn every_five_seconds_the_leader_falls_and_two_seconds_later_it_is_back() {
        let setup = Setup {
            voters: 3,
            faults: every_five_seconds(),
            ..Setup::default()
        };
        let done = done(&setup, 3000);
        assert!(done.len() > 10, "{done:?}");
        for (n, pair) in done.chunks_exact(2).enumerate() {
            let at = 5000 * (n as u128 + 1);
            assert_eq!(pair, [(at, true), (at + 2000, false)]);
        }
    }

    #[test]
    fn a_schedule_that_is_switched_off_mends_what_it_has_broken() {
        let mut history = History::new(&Setup {
            voters: 3,
            ..Setup::default()
        })
        .expect("a world");
        for _ in 0..150 {
            history.step().expect("it goes on");
        }
        let schedule = every_five_seconds();
        history
            .act(Action::SetFaults { schedule })
            .expect("a schedule");
        let down = |h: &History| h.world().servers().filter(|s| s.peer.is_none()).count();
        while down(&history) == 0 {
            history.step().expect("it goes on");
        }
        let off = Schedule::default();
        history
            .act(Action::SetFaults { schedule: off })
            .expect("it can always be switched off");
        history.step().expect("the restart");
        assert_eq!(down(&history), 0);
        assert!(history.world().schedule().is_empty());
        for _ in 0..2000 {
            history.step().expect("it goes on");
            assert_eq!(down(&history), 0);
        }
    }

    #[test]
    fn a_run_with_schedules_is_exported_and_imported() {
        let mut history = History::new(&Setup {
            voters: 3,
            faults: storm(4),
            ..Setup::default()
        })
        .expect("a world");
        for n in 0..1500 {
            if n == 700 {
                let schedule = every_five_seconds();
                history
                    .act(Action::SetFaults { schedule })
                    .expect("a schedule");
            }
            history.step().expect("it goes on");
        }
        let text = history.export().to_json();
        let read = Exported::from_json(&text).expect("our own");
        let imported = History::import(&read).expect("our own");
        assert_eq!(imported.mismatch, None);
    }

    fn repeats(fault: FaultKind) -> Schedule {
        Schedule {
            repeat: vec![Repeat {
                fault,
                server: Some(ServerId(1)),
                every: Span::millis(5000),
                lasts: Span::millis(2000),
            }],
            random: None,
        }
    }

    #[test]
    fn a_cut_that_repeats_leaves_alone_what_others_have_cut() {
        let mut world = World::new(&Setup {
            voters: 3,
            faults: repeats(FaultKind::Cut),
            ..Setup::default()
        })
        .expect("a world");
        let mut log = StepLog::default();
        let id = ServerId;
        let extra = Span::millis(3);
        for action in [
            Action::CutLink { a: id(2), b: id(3) },
            Action::CutDirection {
                from: id(1),
                to: id(2),
            },
            Action::SlowLink {
                a: id(1),
                b: id(3),
                extra,
            },
        ] {
            world.act(&action, &mut log).expect("it is possible");
        }
        let links = |world: &World| -> Vec<_> {
            let links = world.links();
            links.map(|l| (l.cut_ab, l.cut_ba, l.extra)).collect()
        };
        let before = [
            (true, false, Span(0)),
            (false, false, extra),
            (true, true, Span(0)),
        ];
        assert_eq!(links(&world), before);
        let during = [
            (true, true, Span(0)),
            (true, true, extra),
            (true, true, Span(0)),
        ];
        let mut seen = 0;
        for (at, expected) in [
            (6000, during),
            (8000, before),
            (11_000, during),
            (13_000, before),
        ] {
            while world.now() < Moment(at * 1000) && world.step(&mut log) {}
            assert_eq!(links(&world), expected, "after {at} ms");
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn a_disk_that_was_slow_before_a_repeating_fault_is_as_slow_after_it() {
        let mut world = World::new(&Setup {
            voters: 3,
            faults: repeats(FaultKind::SlowDisk),
            ..Setup::default()
        })
        .expect("a world");
        let mut log = StepLog::default();
        let own = Span::millis(7);
        let slow = Action::SlowDisk {
            server: ServerId(1),
            extra: own,
        };
        world.act(&slow, &mut log).expect("it is possible");
        let extra = |world: &World| world.servers().next().map(|s| s.disk.slower_by());
        let fault = Span(world.setup().tick.0 / 2);
        for (at, expected) in [(6000, fault), (8000, own)] {
            while world.now() < Moment(at * 1000) && world.step(&mut log) {}
            assert_eq!(extra(&world), Some(expected), "after {at} ms");
        }
    }

    #[test]
    fn when_all_are_down_only_a_schedule_that_mends_goes_on() {
        let mut world = World::new(&Setup {
            voters: 1,
            faults: every_five_seconds(),
            ..Setup::default()
        })
        .expect("a world");
        let mut log = StepLog::default();
        for _ in 0..300 {
            assert!(world.step(&mut log), "it restarts what it has crashed");
        }
        while world.peer(ServerId(1)).is_none() {
            world.step(&mut log);
        }
        let crash = Action::Crash {
            server: ServerId(1),
            lose_unsynced: true,
        };
        world.act(&crash, &mut log).expect("it ran");
        assert!(!world.step(&mut log), "nobody leads, and nothing is mended");
    }

    #[test]
    fn a_world_that_breaks_itself_keeps_every_property() {
        for seed in 0..30 {
            let mut setup = crate::sim::fault::swarm(seed, 3 + 2 * (seed % 2) as u8, 0);
            setup.faults = storm(seed);
            setup.faults.repeat = every_five_seconds().repeat;
            let mut world = World::new(&setup).expect("a world");
            let mut workload = Workload::new(seed, 3);
            let mut checker = Checker::all();
            let mut log = StepLog::default();
            while world.steps() < 2000 {
                while let Some(action) = workload.next(&world) {
                    world.act(&action, &mut log).expect("a possible action");
                    checker.check(&world, &log).expect("it holds");
                }
                if !world.step(&mut log) {
                    break;
                }
                if let Err(violation) = checker.check(&world, &log) {
                    panic!("seed {seed}: {violation}");
                }
            }
        }
    }

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in ["crash=5000/2000", "pause@3=4000/500"] {
            assert_eq!(
                text.parse::<Repeat>().map(|r| r.to_string()),
                Ok(text.into())
            );
        }
        for text in ["crash,pause=1500/7", "cut=100/0"] {
            assert_eq!(
                text.parse::<Random>().map(|r| r.to_string()),
                Ok(text.into())
            );
        }
        for text in [
            "",
            "crash",
            "crash=5000",
            "flood=1/1",
            "crash@x=1/1",
            "crash=1/99999999999",
        ] {
            let error = text.parse::<Repeat>().expect_err(text);
            assert!(error.to_string().contains("crash=5000/2000"));
            assert!(text == "crash=1/99999999999" || text.parse::<Random>().is_err());
        }
    }

    #[test]
    fn a_schedule_out_of_bounds_is_refused() {
        let bad = |change: &dyn Fn(&mut Schedule)| {
            let mut schedule = every_five_seconds();
            schedule.random = storm(1).random;
            change(&mut schedule);
            let setup = Setup {
                faults: schedule,
                ..Setup::default()
            };
            World::new(&setup).err().map(|e| e.to_string())
        };
        assert_eq!(bad(&|_| ()), None);
        assert!(bad(&|s| s.repeat[0].every = Span(1)).is_some());
        assert!(bad(&|s| s.repeat[0].every = Span(u64::MAX)).is_some());
        assert!(bad(&|s| s.repeat[0].lasts = s.repeat[0].every).is_some());
        assert!(bad(&|s| s.repeat[0].fault = FaultKind::Reconfig).is_some());
        assert!(bad(&|s| s.repeat[0].server = Some(ServerId(6))).is_some());
        assert!(bad(&|s| s.repeat = vec![s.repeat[0]; 9]).is_some());
        assert!(bad(&|s| s.random = s.random.map(|r| Random { kinds: 0, ..r })).is_some());
        assert!(
            bad(&|s| s.random = s.random.map(|r| Random { kinds: 1 << 9, ..r }))
                .is_some_and(|e| e.contains("512"))
        );
    }
}
