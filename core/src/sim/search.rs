//! Looks for a schedule of faults and requests that breaks a property, and makes it short.
//!
//! Many worlds are run, each for a bounded number of steps, with random faults and clients from the
//! search's own seed. The first that breaks a property is then shortened as in delta debugging: actions
//! are left out, the world is made plainer, what is left is done earlier, as long as the *same* property
//! breaks. All of it is decided by the setup and the seed.
//!
//! [`Search::run`] does a little at a time: a page can show how far it is, and stop.

use crate::{
    rules::Rule,
    sim::{
        fact::StepLog,
        fault::{FaultKind, FaultPlan, Faults, swarm},
        history::{Exported, History, ImportError},
        invariant::{Checker, Violation},
        queue::Dice,
        setup::{Action, Setup, TimedAction},
        workload::Workload,
        world::{SetupError, World},
    },
    time::Span,
};
use serde::{Deserialize, Serialize};

/// Worlds are run for so many steps at most: what breaks early is short.
const STEPS: [u64; 5] = [300, 500, 900, 1500, 2500];
/// So many worlds of each length before longer ones are tried; the last length goes on.
const EACH: u64 = 40;
/// So many shorter runs are tried for one that broke.
const MOST_REPLAYS: u32 = 1500;
/// A run with fewer actions may take so many steps more.
const SLACK: u64 = 64;

/// What is looked for, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The world: its size, its timings, and the rules that hold in it.
    pub setup: Setup,
    /// Decides everything.
    pub seed: u64,
    /// After so many worlds it gives up.
    pub schedules: u64,
    /// Properties that only say in other words what a switched-off rule said do not count: what is
    /// looked for is what follows from it.
    #[serde(default)]
    pub consequences: bool,
}

/// How far a search is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Worlds that were tried.
    pub schedules: u64,
    /// Steps that were taken, all in all.
    pub steps: u64,
    /// What it does.
    pub stage: Stage,
}

/// What a search does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// No property is broken yet.
    Looking,
    /// A run that breaks one is made shorter.
    Shortening {
        /// [`Violation::property`].
        property: String,
        /// Actions in the shortest run so far.
        actions: u64,
        /// Steps in it.
        steps: u64,
    },
    /// Done: this is the shortest.
    Found(Box<Found>),
    /// Done: nothing was found.
    Nothing,
}

/// A run that breaks a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The run up to the moment before it breaks.
    pub run: Exported,
    /// What breaks it: this action; absent: the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Action>,
    /// What is broken then, and the values that show it.
    pub violation: Violation,
}

impl Found {
    /// The run, at the moment before it breaks; what breaks it is the known future.
    ///
    /// # Errors
    /// This build can't repeat it.
    pub fn open(&self) -> Result<History, ImportError> {
        let mut history = History::import(&self.run)?.history;
        let at = history.cursor();
        let broke = match &self.by {
            Some(action) => history
                .act(action.clone())
                .map_err(|error| ImportError::Act {
                    index: self.run.actions.len(),
                    error,
                })
                .map(|_| true)?,
            None => history.step().is_some(),
        };
        if !broke {
            return Err(ImportError::Ended { at, steps: at + 1 });
        }
        history.back();
        Ok(history)
    }
}

/// The properties that say in other words what a rule says.
#[must_use]
pub fn restates(rule: Rule, property: &str) -> bool {
    let restated: &[&str] = match rule {
        Rule::DurableAck => &["durable-acks", "commit-quorum"],
        Rule::VoteEpoch => &["vote-order"],
        Rule::NewestHistory => &[],
        Rule::Quorum => &["commit-quorum"],
        Rule::Truncate => &["synced-prefix"],
        Rule::AcceptedEpoch => &["epochs"],
        Rule::CommitEpoch | Rule::WatchFirst | Rule::SessionFifo => &[],
    };
    restated.contains(&property)
}

/// A run that breaks a property: what was done and could be done, in order.
#[derive(Clone, Debug)]
struct Broken {
    setup: Setup,
    actions: Vec<TimedAction>,
    /// The last action broke it, not a step.
    by_action: bool,
    violation: Violation,
}

impl Broken {
    /// How long it is: what counts first is how many actions there are.
    fn size(&self) -> (usize, u64) {
        (self.actions.len(), self.violation.step)
    }
}

/// What is tried next to make a run shorter.
#[derive(Clone, Copy, Debug)]
enum Try {
    /// To leave out so many actions from here on.
    LeaveOut { from: usize, count: usize },
    /// A plainer world. First of all: where nothing is left to chance, leaving out one thing changes
    /// nothing else.
    Plainer { which: usize },
    /// That clients write by themselves only once.
    FewerWrites,
    /// To do these actions and all after them so many steps earlier.
    Earlier { from: usize, by: u64 },
}

struct Shortening {
    best: Broken,
    next: Try,
    /// Something became shorter since the first kind of try was begun.
    better: bool,
    replays: u32,
}

enum State {
    Looking,
    Shortening(Box<Shortening>),
    Found(Box<Found>),
    Nothing,
}

/// A search under way.
pub struct Search {
    wanted: Wanted,
    checker: Checker,
    schedules: u64,
    steps: u64,
    log: StepLog,
    state: State,
}

impl Search {
    /// A search before its first world.
    ///
    /// # Errors
    /// The setup is out of bounds.
    pub fn new(wanted: Wanted) -> Result<Search, SetupError> {
        wanted.setup.validate()?;
        let mut checker = Checker::of(&wanted.setup);
        if wanted.consequences {
            let off: Vec<Rule> = wanted.setup.rules.off().collect();
            checker.retain(|name| !off.iter().any(|rule| restates(*rule, name)));
        }
        Ok(Search {
            wanted,
            checker,
            schedules: 0,
            steps: 0,
            log: StepLog::default(),
            state: State::Looking,
        })
    }

    /// Goes on for about so many steps: whole worlds, so a few thousand may be more.
    pub fn run(&mut self, budget: u64) -> Progress {
        let until = self.steps.saturating_add(budget);
        while self.steps < until && self.go_on() {}
        self.progress()
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            schedules: self.schedules,
            steps: self.steps,
            stage: match &self.state {
                State::Looking => Stage::Looking,
                State::Shortening(s) => Stage::Shortening {
                    property: s.best.violation.property.clone(),
                    actions: s.best.actions.len() as u64,
                    steps: s.best.violation.step,
                },
                State::Found(found) => Stage::Found(found.clone()),
                State::Nothing => Stage::Nothing,
            },
        }
    }

    /// One world more. False: it is done.
    fn go_on(&mut self) -> bool {
        match core::mem::replace(&mut self.state, State::Nothing) {
            State::Looking if self.schedules >= self.wanted.schedules => false,
            State::Looking => {
                self.state = match self.look() {
                    None => State::Looking,
                    Some(best) => State::Shortening(Box::new(Shortening {
                        next: Try::Plainer { which: 0 },
                        best,
                        better: false,
                        replays: 0,
                    })),
                };
                true
            }
            State::Shortening(mut s) => {
                self.state = match self.shorten(&mut s) {
                    true => State::Shortening(s),
                    false => State::Found(Box::new(self.found(s.best))),
                };
                true
            }
            done @ (State::Found(_) | State::Nothing) => {
                self.state = done;
                false
            }
        }
    }

    // ---- looking ----------------------------------------------------------------------------------

    /// Runs the next world.
    fn look(&mut self) -> Option<Broken> {
        let number = self.schedules;
        self.schedules += 1;
        let mut dice = Dice::new(self.wanted.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let seed = dice.below(1 << 32);
        let own = &self.wanted.setup;
        // The world as it is, and worlds with other timings: what hides in one shows in another.
        let mut setup = match dice.chance(50) || own.standalone {
            true => own.clone(),
            false => Setup {
                rule: own.rule.clone(),
                extended_types: own.extended_types,
                rules: own.rules,
                reconfig: own.reconfig,
                local_sessions: own.local_sessions,
                last_counter: own.last_counter,
                faults: own.faults.clone(),
                ..swarm(seed, own.voters, own.observers)
            },
        };
        setup.seed = seed;
        let few = [FaultKind::Crash, FaultKind::Cut, FaultKind::Partition];
        let plan = match dice.below(3) {
            0 => few
                .into_iter()
                .fold(FaultPlan::none(), |plan, kind| plan.with(kind, 1)),
            _ => FaultPlan::all(),
        };
        let pace = Span(setup.tick.0 / dice.between(1, 4));
        let mut world = World::new(&setup).ok()?;
        let mut faults = Faults::at_rate(plan, seed, world.now(), pace);
        let mut workload = Workload::new(seed, dice.between(1, 3) as u16);
        let until = STEPS[((number / EACH) as usize).min(STEPS.len() - 1)];
        let mut actions = Vec::new();
        self.checker.reset();
        while world.steps() < until {
            while let Some(action) = faults.next(&world).or_else(|| workload.next(&world)) {
                let step = world.steps();
                if world.act(&action, &mut self.log).is_err() {
                    continue;
                }
                actions.push(TimedAction { step, action });
                if let Err(violation) = self.checker.check(&world, &self.log) {
                    self.steps += world.steps();
                    return Some(Broken {
                        setup,
                        actions,
                        by_action: true,
                        violation,
                    });
                }
            }
            if !world.step(&mut self.log) {
                if !faults.any_open() {
                    break;
                }
                // Everything is down: time goes on only for the faults to end.
                faults.end_now();
                continue;
            }
            if let Err(violation) = self.checker.check(&world, &self.log) {
                self.steps += world.steps();
                return Some(Broken {
                    setup,
                    actions,
                    by_action: false,
                    violation,
                });
            }
        }
        self.steps += world.steps().max(1);
        None
    }

    // ---- shortening -------------------------------------------------------------------------------

    /// Does these actions in this world, those that are possible, and tells whether the property breaks
    /// within so many steps.
    fn replay(
        &mut self,
        setup: &Setup,
        actions: impl Iterator<Item = TimedAction>,
        property: &str,
        until: u64,
    ) -> Option<Broken> {
        let mut world = World::new(setup).ok()?;
        let mut actions = actions.peekable();
        let mut done = Vec::new();
        self.checker.reset();
        let broken = loop {
            let at = world.steps();
            let mut broken = None;
            while let Some(timed) = actions.next_if(|timed| timed.step <= at) {
                if world.act(&timed.action, &mut self.log).is_err() {
                    continue;
                }
                done.push(TimedAction {
                    step: at,
                    action: timed.action,
                });
                if let Err(violation) = self.checker.check(&world, &self.log) {
                    broken = Some((violation, true));
                    break;
                }
            }
            if broken.is_some() || at >= until || !world.step(&mut self.log) {
                break broken;
            }
            if let Err(violation) = self.checker.check(&world, &self.log) {
                break Some((violation, false));
            }
        };
        self.steps += world.steps().max(1);
        let (violation, by_action) = broken?;
        (violation.property == property).then(|| Broken {
            setup: setup.clone(),
            actions: done,
            by_action,
            violation,
        })
    }

    /// One try. False: it does not become shorter.
    fn shorten(&mut self, s: &mut Shortening) -> bool {
        if s.replays >= MOST_REPLAYS {
            return false;
        }
        s.replays += 1;
        let best = &s.best;
        let step = best.violation.step;
        let property = best.violation.property.clone();
        let tried = match s.next {
            Try::LeaveOut { from, count } => {
                let rest = best.actions.iter().enumerate();
                let rest = rest
                    .filter(|(at, _)| !(from..from + count).contains(at))
                    .map(|(_, timed)| timed.clone());
                self.replay(&best.setup, rest, &property, step + SLACK)
                    .filter(|b| b.actions.len() < best.actions.len())
            }
            Try::Plainer { which } => match plainer(&self.wanted.setup, &best.setup, which) {
                None => None,
                // It may take longer: in a plainer world more can be left out.
                Some(setup) => {
                    let until = step + SLACK;
                    self.replay(&setup, best.actions.iter().cloned(), &property, until)
                }
            },
            Try::FewerWrites => {
                let fewer = best.actions.iter().map(|timed| TimedAction {
                    step: timed.step,
                    action: match &timed.action {
                        Action::Load { client, writes } if *writes > 1 => Action::Load {
                            client: *client,
                            writes: 1,
                        },
                        other => other.clone(),
                    },
                });
                self.replay(&best.setup, fewer, &property, step)
                    .filter(|b| b.size() <= best.size() && b.actions != best.actions)
            }
            Try::Earlier { from, by } => {
                let moved = best
                    .actions
                    .iter()
                    .enumerate()
                    .map(|(at, timed)| TimedAction {
                        step: match at < from {
                            true => timed.step,
                            false => timed.step.saturating_sub(by),
                        },
                        action: timed.action.clone(),
                    });
                self.replay(&best.setup, moved, &property, step.saturating_sub(1))
                    .filter(|b| b.size() < best.size())
            }
        };
        let worked = tried.is_some();
        if let Some(shorter) = tried {
            s.better |= shorter.size() < s.best.size();
            s.best = shorter;
        }
        s.advance(worked)
    }

    fn found(&mut self, best: Broken) -> Found {
        let Broken {
            setup,
            mut actions,
            by_action,
            violation,
        } = best;
        let by = by_action
            .then(|| actions.pop())
            .flatten()
            .map(|timed| timed.action);
        let steps = match by_action {
            true => violation.step,
            false => violation.step.saturating_sub(1),
        };
        let mut run = Exported::of(setup, actions, steps, None);
        run.trace = History::import(&run)
            .ok()
            .map(|i| format!("{:016x}", i.history.world().trace_hash()));
        self.steps += steps;
        Found { run, by, violation }
    }
}

/// The world in which a run is repeated, made plainer in one way; `None`: it is so already.
fn plainer(own: &Setup, setup: &Setup, which: usize) -> Option<Setup> {
    let mut plain = setup.clone();
    match which {
        0 => {
            plain = Setup {
                seed: setup.seed,
                jitter: Span(0),
                ..own.clone()
            }
        }
        1 => plain.jitter = Span(0),
        2 => plain.start_spread = own.start_spread,
        3 => plain.fsync = own.fsync,
        4 => plain.latency = own.latency,
        5 => plain.snap_count = own.snap_count,
        6 => plain.tick = own.tick,
        _ => return None,
    }
    (plain != *setup).then_some(plain)
}

/// So many ways there are in [`plainer`].
const PLAINER: usize = 7;

impl Shortening {
    /// What is to be tried after this one. False: nothing.
    fn advance(&mut self, worked: bool) -> bool {
        let len = self.best.actions.len();
        let gap = |at: usize| {
            let before = at.checked_sub(1).map_or(0, |b| self.best.actions[b].step);
            self.best.actions[at].step.saturating_sub(before)
        };
        self.next = match self.next {
            Try::LeaveOut { from, count } => {
                // What was left out brought another to this place.
                let from = if worked { from } else { from + count };
                if from < len {
                    Try::LeaveOut { from, count }
                } else if count > 1 {
                    Try::LeaveOut {
                        from: 0,
                        count: count / 2,
                    }
                } else {
                    Try::FewerWrites
                }
            }
            Try::Plainer { which } if which + 1 < PLAINER => Try::Plainer { which: which + 1 },
            Try::Plainer { .. } => Try::LeaveOut {
                from: 0,
                count: (len / 2).max(1),
            },
            Try::FewerWrites if len > 0 && gap(0) > 0 => Try::Earlier {
                from: 0,
                by: gap(0),
            },
            Try::FewerWrites => return self.earlier(1),
            Try::Earlier { from, .. } if from >= len => return self.again(),
            Try::Earlier { from, by } if by > 1 && !worked => Try::Earlier { from, by: by / 2 },
            Try::Earlier { from, .. } if worked && gap(from) > 0 => Try::Earlier {
                from,
                by: gap(from),
            },
            Try::Earlier { from, .. } => return self.earlier(from + 1),
        };
        true
    }

    /// The next action that something could bring forward.
    fn earlier(&mut self, from: usize) -> bool {
        let steps: Vec<u64> = self.best.actions.iter().map(|a| a.step).collect();
        for at in from.max(1)..steps.len() {
            let by = steps[at] - steps[at - 1];
            if by > 0 {
                self.next = Try::Earlier { from: at, by };
                return true;
            }
        }
        self.again()
    }

    /// From the beginning, if that was of use.
    fn again(&mut self) -> bool {
        if !core::mem::take(&mut self.better) {
            return false;
        }
        self.next = Try::Plainer { which: 0 };
        true
    }
}

#[cfg(test)]
mod tests;
